"""Near-duplicates are near in every script: the estimate meets the similarity that was written."""

import random
import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from tasks.dedup.minhash import fingerprint_texts

NUM_WORDS, ENTRIES, SHINGLE = 400, 256, 5

# Script: its letters or syllables; what may stand between words; whether words need it.
SCRIPTS = {
    "Latin": ("a b c d é ø ž ñ ü", (" ", ", ", "\n", "—"), True),
    "Cyrillic": ("а б в г д е ж з и й", (" ", ", ", " — "), True),  # noqa: RUF001
    "Greek": ("α β γ δ ε ζ η θ ι κ", (" ", "· ", ", "), True),  # noqa: RUF001
    "Armenian": ("ա բ գ դ ե զ է ը թ ժ", (" ", "՝ ", "։ "), True),  # noqa: RUF001
    "Georgian": ("ა ბ გ დ ე ვ ზ თ ი კ", (" ", ", "), True),
    "Hebrew": ("אָ בּ גִ ד ה ו ז ח", (" ", ", ", "־"), True),  # noqa: RUF001
    "Arabic": ("ا ب ت ث جَ حُ خِ د", (" ", "، ", "؟ "), True),  # noqa: RUF001
    "Devanagari": ("क का कि की खु गे घो च्", (" ", "। ", ", "), True),
    "Bengali": ("ক কা কি খী গু ঘে চো", (" ", "। "), True),
    "Tamil": ("க கா கி ஙீ சு ஞெ டோ", (" ", ". "), True),
    "Ethiopic": ("ሀ ለ ሐ መ ሠ ረ ሰ ሸ", ("፡", " ", "። "), True),  # noqa: RUF001
    "Korean": ("가 나 다 라 마 바 사 아", (" ", ", "), True),
    "Chinese": ("的 一 是 不 了 在 人 有 我 他", ("", "，", "。"), False),  # noqa: RUF001
    "Japanese": ("あ い う え お さ し す せ 日 本 語", ("", "、", "。"), False),
    "Thai": ("ก กิ กี่ ข ค่ ง จื ช", ("", " "), False),
    "Khmer": ("ក កា គិ ង ច៉ ញ", ("", "។"), False),
}


def random_words(script: str, rng: random.Random, number: int) -> list[str]:
    letters, _, has_spaces = SCRIPTS[script]
    sizes = [rng.randint(2, 5) if has_spaces else 1 for _ in range(number)]
    return ["".join(rng.choices(letters.split(), k=size)) for size in sizes]


def written(words: list[str], script: str, rng: random.Random) -> str:
    """The words with any punctuation of the script between them."""
    return "".join(word + rng.choice(SCRIPTS[script][1]) for word in words)


def jaccard(left: list[str], right: list[str]) -> float:
    sets = [
        {tuple(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)}
        for words in (left, right)
    ]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_the_estimate_meets_the_similarity(script: str) -> None:
    """Within 4 standard errors; the copy has other punctuation, other normalisation, other case."""
    rng = random.Random(script)
    words = random_words(script, rng, NUM_WORDS)
    copy, other = list(words), random_words(script, rng, NUM_WORDS)
    for index in range(7, NUM_WORDS, 57):
        copy[index] = random_words(script, rng, 1)[0]
    folded = [[unicodedata.normalize("NFC", word) for word in each] for each in (words, copy)]
    similarity = jaccard(*folded)
    assert 0.6 < similarity < 1.0
    texts = [
        written(words, script, rng),
        unicodedata.normalize("NFD", written(copy, script, rng)).upper(),
        written(other, script, rng),
    ]
    found = fingerprint_texts(
        pa.array(texts), shingle_words=SHINGLE, num_permutations=ENTRIES, seed=1
    )
    signatures = found.signatures
    assert found.num_words.tolist() == [NUM_WORDS] * 3
    error = np.sqrt(similarity * (1 - similarity) / ENTRIES)
    assert abs((signatures[0] == signatures[1]).mean() - similarity) < 4 * error
    assert (signatures[0] == signatures[2]).mean() < 0.1
