"""The ROUGE-L filter against rouge-score and a plain dynamic program."""

import json
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from tasks.instructions.families.catalog import FAMILIES
from tasks.instructions.rouge import reaches, rouge_f1, rouge_tokens, too_similar
from tasks.instructions.similarity import SimilarityIndex

SCORER = RougeScorer(["rougeL"], use_stemmer=False)
words = st.lists(st.sampled_from("a b c d e f g h".split()), max_size=14)  # noqa: SIM905


def common(one: list[str], other: list[str]) -> int:
    """Length of the longest common subsequence, by the textbook."""
    row = [0] * (len(other) + 1)
    for left in one:
        before = 0
        for index, right in enumerate(other, 1):
            before, row[index] = (
                row[index],
                (before + 1 if left == right else max(row[index], row[index - 1])),
            )
    return row[-1]


def score(one: str, other: str) -> float:
    return float(SCORER.score(one, other)["rougeL"].fmeasure)


@given(words, words)
def test_f1_is_rouge_scores_bit_by_bit(one: list[str], other: list[str]) -> None:
    mine = rouge_f1(common(one, other), len(one), len(other))
    assert mine == score(" ".join(one), " ".join(other))


def test_an_exact_tie_divides_the_two_rules() -> None:
    # 20 x 7 = 7 x (10 + 10): the paper accepts below 0.7 only, the released code rejects above it
    assert too_similar(7, 10, 10, 0.7, "paper")
    assert not too_similar(7, 10, 10, 0.7, "reference")
    assert not too_similar(6, 10, 10, 0.7, "paper")
    assert too_similar(8, 10, 10, 0.7, "reference")


@pytest.mark.parametrize("rule", ["paper", "reference"])
@given(pool=st.lists(words, max_size=12), text=words)
def test_the_index_finds_whatever_a_full_scan_finds(
    rule: str, pool: list[list[str]], text: list[str]
) -> None:
    index = SimilarityIndex(0.7, rule)  # type: ignore[arg-type]
    for one in pool:
        index.add(" ".join(one))
    found = index.find(" ".join(text))
    full = [
        rouge_f1(common(one, text), len(one), len(text))
        for one in pool
        if too_similar(common(one, text), len(one), len(text), 0.7, rule)  # type: ignore[arg-type]
    ]
    assert (found is not None) == bool(full)
    if found is not None:
        assert found.score == pytest.approx(max(full))


def test_other_scripts_have_tokens_too() -> None:
    assert rouge_tokens("Отсортируй числа") == ["отсортируй", "числа"]
    assert rouge_tokens("数字") == ["数", "字"]
    index = SimilarityIndex(0.7, "paper")
    index.add("Отсортируй эти числа по возрастанию")
    assert index.find("Отсортируй эти числа по убыванию") is not None


def test_the_seed_tasks_are_175_varied_ones() -> None:
    path = Path(__file__).parents[3] / "tasks" / "instructions" / "seed_tasks.jsonl"
    seeds = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(seeds) == 175
    assert {tuple(sorted(seed)) for seed in seeds} == {
        ("id", "instances", "instruction", "is_classification", "name")
    }
    assert len({seed["id"] for seed in seeds}) == len({seed["name"] for seed in seeds}) == 175
    assert 20 <= sum(seed["is_classification"] for seed in seeds) <= 30
    assert all(seed["instances"][0]["output"].strip() for seed in seeds)
    tokens = [rouge_tokens(seed["instruction"]) for seed in seeds]
    assert not any(
        reaches(common(one, other), len(one), len(other), 700)
        for one, other in combinations(tokens, 2)
    )


def test_phrasings_of_all_families_pass_the_filter_side_by_side() -> None:
    phrasings = [text for family in FAMILIES.values() for text in family.phrasings]
    assert all(len(family.phrasings) >= 8 for family in FAMILIES.values())
    similar = [
        (one, other)
        for one, other in combinations(phrasings, 2)
        if too_similar(
            common(rouge_tokens(one), rouge_tokens(other)),
            len(rouge_tokens(one)),
            len(rouge_tokens(other)),
            0.7,
            "paper",
        )
    ]
    assert similar == []
