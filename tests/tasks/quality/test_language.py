"""The compiled walk gives py3langid's answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from tasks.quality.language import identify

SENTENCES = {
    "en": "The house at the end of the street has been empty for many years.",
    "de": "Das Haus am Ende der Straße steht seit vielen Jahren leer.",
    "fr": "La maison au bout de la rue est vide depuis de nombreuses années.",
    "ru": "Дом в конце улицы пустует уже много лет.",
    "zh": "街尾的那栋房子已经空了很多年了。",
    "ar": "المنزل في نهاية الشارع فارغ منذ سنوات عديدة.",
    "hi": "सड़क के अंत में घर कई सालों से खाली है।",
    "sr": "Кућа на крају улице празна је већ много година.",  # noqa: RUF001
}


@pytest.fixture(scope="module")
def reference() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def test_sentences_are_in_their_languages() -> None:
    found = identify(list(SENTENCES.values()))
    assert found.languages == list(SENTENCES)
    assert (found.scores > 0.5).all()


@pytest.mark.parametrize("dress", [str.upper, str.title, lambda text: text * 30])
def test_answers_are_those_of_py3langid(reference: LanguageIdentifier, dress: object) -> None:
    assert callable(dress)
    texts = [dress(sentence) for sentence in SENTENCES.values()]
    found = identify(texts)
    for text, language, score in zip(texts, found.languages, found.scores, strict=True):
        expected, confidence = reference.classify(text)
        assert language == expected
        assert score == pytest.approx(confidence, abs=1e-4)


@settings(max_examples=50)
@given(text=st.text(min_size=1))
def test_any_text_scores_as_with_py3langid(reference: LanguageIdentifier, text: str) -> None:
    found = identify([text])
    if found.languages != ["und"]:
        ranked = dict(reference.rank(text))
        assert found.scores[0] == pytest.approx(max(ranked.values()), abs=2e-4)
        assert ranked[found.languages[0]] == pytest.approx(max(ranked.values()), abs=2e-4)


def test_a_text_without_features_is_undetermined() -> None:
    found = identify(["", " "])
    assert found.languages == ["und", "und"]
    assert found.scores.tolist() == [0.0, 0.0]


def test_texts_do_not_touch() -> None:
    texts = [*SENTENCES.values(), "", *reversed(SENTENCES.values())]
    together = identify(texts)
    assert together.languages == [identify([text]).languages[0] for text in texts]
    assert together.scores.tolist() == [identify([text]).scores[0] for text in texts]
