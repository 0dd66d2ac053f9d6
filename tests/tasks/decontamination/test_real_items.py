"""Real evaluation items planted into real documents: all are found, and none where none was put."""

import json
from pathlib import Path

import pytest

from tasks.decontamination.item_index import ItemIndex


@pytest.fixture(scope="module")
def items(oracles: Path) -> list[str]:
    problems = (oracles / "gsm8k_test.jsonl").read_text().splitlines()
    tasks = (oracles / "seed_tasks.jsonl").read_text().splitlines()
    return [
        *(json.loads(line)["question"] for line in problems),
        *(json.loads(line)["instruction"] for line in tasks),
    ]


@pytest.fixture(scope="module")
def documents(oracles: Path) -> list[str]:
    lines = (oracles / "quality_labels.jsonl").read_text().splitlines()
    return [json.loads(line)["text"] for line in lines]


def test_all_planted_items_are_found_and_no_other(items: list[str], documents: list[str]) -> None:
    index = ItemIndex(items, ngram_words=13, min_words=3)
    assert sum(0 < length < 13 for length in index.lengths) > 100  # 13-grams would miss these
    assert all(not index.find(text) for text in documents)
    for number, item in enumerate(items):
        text = documents[number % len(documents)]
        middle = len(text) // 2
        hits = index.find(f"{text[:middle]}\n{item}\n{text[middle:]}")
        assert number in {hit.item for hit in hits}
