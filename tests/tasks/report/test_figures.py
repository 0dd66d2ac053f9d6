import pytest

from tasks.report.figures import (
    MINUS,
    NOTHING,
    bounds,
    count,
    decimal,
    duration,
    share,
    short,
    size,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (840, "840"),
        (999, "999"),
        (999.9, "1.00 k"),
        (12_345, "12.3 k"),
        (2_556_096, "2.56 M"),
        (999_600, "1.00 M"),
        (124_400_000, "124 M"),
        (1_100_000_000, "1.10 B"),
        (5e15, "5000 T"),
    ],
)
def test_short(number: float, text: str) -> None:
    assert short(number) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (1, 0, NOTHING),
        (1, 10_000, "< 0.1 %"),
        (9_999, 10_000, "> 99.9 %"),
        (1, 3, "33 %"),
        (2, 50, "4.0 %"),
        (0.995, 1, "99.5 %"),
    ],
)
def test_share_never_rounds_to_a_false_zero_or_all(part: float, whole: float, text: str) -> None:
    assert share(part, whole) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (26_300_000, "26.3 MB"), (999_900, "1.0 MB")],
)
def test_size(number: int, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (250, "4 min 10 s"),
        (11_100, "3 h 05 min"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_count_and_decimal() -> None:
    assert count(1_234_567) == "1,234,567"
    assert decimal(-0.0001) == "0.000"
    assert decimal(-0.25, 2) == f"{MINUS}0.25"


def test_bounds_name_the_limits_there_are() -> None:
    assert bounds(3, 10.0) == "at least 3, at most 10"
    assert bounds(None, 0.28571) == "at most 0.286"
    assert bounds(None, None) == ""
