"""Counts: numbers add up, and a few addresses of what was dropped stay."""

from itertools import permutations

from storage.artifact import MOST_CHARACTERS, MOST_EXAMPLES, Counts

URLS = [f"http://a.org/{number}" for number in range(9)]


def counted(urls: tuple[str, ...]) -> Counts:
    counts = Counts()
    for url in urls:
        counts.drop("short", example=url)
    return counts


def test_the_same_few_examples_stay_in_any_order_and_any_parts() -> None:
    whole = counted(tuple(URLS))
    assert whole.dropped == {"short": 9}
    assert len(whole.examples["short"]) == MOST_EXAMPLES
    assert set(whole.examples["short"]) < set(URLS)
    for first, second, third in permutations([URLS[:2], URLS[2:3], URLS[3:]]):
        merged = Counts()
        for part in (first, second, third):
            merged.merge(counted(tuple(part)))
        assert merged == whole


def test_an_example_can_be_stored_whatever_it_is() -> None:
    counts = Counts()
    counts.drop("odd", example="http://a.org/\ud800" + "x" * 10_000)
    (example,) = counts.examples["odd"]
    assert example.startswith("http://a.org/?xx")
    assert len(example) == MOST_CHARACTERS
    assert Counts.model_validate_json(counts.model_dump_json()) == counts


def test_a_record_may_be_dropped_without_an_address() -> None:
    counts = Counts()
    counts.drop("broken", 3)
    counts.drop("none", 0)
    assert (counts.dropped, counts.examples) == ({"broken": 3}, {})
