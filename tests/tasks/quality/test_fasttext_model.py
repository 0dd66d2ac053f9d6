import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_config.classifier import FastTextConfig
from tasks.quality import fasttext_model
from tasks.quality.fasttext_model import NEGATIVE, POSITIVE, one_line
from tasks.quality.roc import roc_auc

SMALL = FastTextConfig(buckets=1000, dimensions=8, num_epochs=25, learning_rate=0.5)


def write(path: Path, lines: list[tuple[str, str]]) -> Path:
    path.write_text("".join(f"{label} {line}\n" for label, line in lines))
    return path


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pairs = [(POSITIVE, f"the sea is calm tonight {n}") for n in range(40)]
    pairs += [(NEGATIVE, f"calm is tonight sea the {n}") for n in range(40)]  # the same words
    pairs = [pair for two in zip(pairs[:40], pairs[40:], strict=True) for pair in two]
    return write(tmp_path_factory.mktemp("examples") / "examples.txt", pairs)


def test_pairs_of_words_tell_what_words_do_not(examples: Path, tmp_path: Path) -> None:
    lines = ["the sea is calm tonight", "calm is tonight sea the"]
    fasttext_model.train(examples, SMALL, tmp_path / "model.bin")
    model = fasttext_model.load(tmp_path / "model.bin")
    good, bad = fasttext_model.scores(model, lines, POSITIVE)
    assert good > 0.9
    assert bad < 0.1
    # The two labels' probabilities add up.
    np.testing.assert_allclose(
        fasttext_model.scores(model, lines, NEGATIVE), [1 - good, 1 - bad], atol=1e-4
    )


@pytest.mark.parametrize("buckets", [1000, 200_000])
def test_equal_examples_give_equal_bytes(examples: Path, tmp_path: Path, buckets: int) -> None:
    """Whatever was in memory before: fastText leaves nine tenths of the vectors unset."""
    config = SMALL.model_copy(update={"buckets": buckets})
    models = [tmp_path / name for name in ("one", "two", "three")]
    for model in models:
        fasttext_model.train(examples, config, model)
    assert len({model.read_bytes() for model in models}) == 1
    vectors = fasttext_model.load(models[0]).get_input_matrix()
    assert np.isfinite(vectors).all()
    assert np.abs(vectors).max() < 10


def test_nothing_to_learn_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(ValueError, match="Empty vocabulary"):
        fasttext_model.train(tmp_path / "empty", SMALL, tmp_path / "model.bin")


def test_a_text_becomes_one_line_that_labels_nothing() -> None:
    assert one_line(" Two words\r\nand __label__three </s> ") == "Two words and label three s"
    assert one_line("a\0b\u2028c\x0bd\ud800") == "a b c d?"
    assert one_line(" \n\t") == ""


@given(st.text(st.sampled_from("_label</s> \n\t\0\x85\ud800a")))
def test_no_text_holds_a_mark_of_fasttext(text: str) -> None:
    line = one_line(text)
    assert "__label__" not in line
    assert "</s>" not in line
    assert len(line.splitlines()) <= 1
    assert line.encode() is not None


def test_what_is_no_model_is_an_error(examples: Path) -> None:
    with pytest.raises(ValueError, match="wrong file format"):
        fasttext_model.load(examples)


def test_area_on_documents_with_human_labels(oracles: Path) -> None:
    """Cross-validated as in the benchmark, with shorter vectors; 0.94 when written."""
    place = Path(__file__).parents[3] / "benchmarks" / "bench_classifier.py"
    bench = runpy.run_path(str(place))
    lines, positive = bench["read_labelled"](oracles / "quality_labels.jsonl")
    assert (len(lines), positive.sum()) == (281, 152)
    config = FastTextConfig(buckets=50_000, dimensions=16, num_epochs=25, learning_rate=0.5)
    assert roc_auc(bench["cross_validate"](lines, positive, config).scores, positive) >= 0.91
