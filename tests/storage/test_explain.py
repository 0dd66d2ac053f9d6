"""Why a step runs, in words: nobody compares digests by eye."""

from typing import Any

import pytest

from storage.artifact import Counts, Manifest
from storage.explain import why

ONE, TWO = "a" * 64, "b" * 64


def built(ingredients: dict[str, Any]) -> Manifest:
    return Manifest(
        step="read", version="1", label="read/x", recipe="r", digest="d", ingredients=ingredients,
        files=[], counts=Counts(), seconds=0, libraries={}, created_at="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"files": 1, "digest": ONE}, {"files": 2, "digest": TWO}, "1 file more (2)"),
        ({"files": 5, "digest": ONE}, {"files": 2, "digest": TWO}, "3 files fewer (2)"),
        ({"packages": 5, "digest": ONE}, {"packages": 7, "digest": TWO}, "2 packages more (7)"),
        ({"files": 2, "digest": ONE}, {"files": 2, "digest": TWO}, "other files"),
        ([ONE], [TWO], "other files"),
        ([ONE], [ONE, TWO], "1 file more (2)"),
        ({"positives": [ONE]}, {"positives": [TWO]}, "positives: other content"),
        ({"positives": []}, {"positives": [TWO]}, "positives: 1 file more (1)"),
        ({"python": "3.11"}, {"python": "3.12"}, "identity.python: 3.11 -> 3.12"),
    ],
)
def test_other_files_are_told_without_their_digests(
    before: object, after: object, expected: str
) -> None:
    assert why({"identity": after}, built({"identity": before})) == expected


def test_settings_are_told_with_both_values() -> None:
    old = {"in": {"config": {"rows": 4}, "documents": {"artifact": ONE}}}
    new = {"in": {"config": {"rows": 5}, "documents": {"artifact": TWO}}}
    assert why(new, built(old)) == "config.rows: 4 -> 5, documents changed"
