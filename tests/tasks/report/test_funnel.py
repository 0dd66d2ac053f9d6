import pyarrow as pa

from tasks.report.contents import StepCounts
from tasks.report.funnel import (
    add_up,
    by_number,
    count_values,
    decided,
    language_shares,
    order_funnels,
)


def test_decided_leaves_out_what_quality_dropped_before() -> None:
    counts = decided("dedup", "docs", {"": 5, "quality": 9, "near_duplicate": 3, "exact": 1})
    assert (counts.read, counts.kept, counts.num_dropped) == (9, 5, 4)
    assert counts.dropped == (("near_duplicate", 3), ("exact", 1))


def test_funnels_are_in_the_order_of_the_pipeline() -> None:
    steps = [
        StepCounts("dedup", "b", 7, 6),
        StepCounts("read", "a", 3, 3),
        StepCounts("fetch", "b", 9, 8, unit="link"),
        StepCounts("decide", "b", 8, 7),
    ]
    funnels = order_funnels(steps)
    assert [funnel.source for funnel in funnels] == ["b", "a"]
    assert [step.step for step in funnels[0].steps] == ["fetch", "decide", "dedup"]
    assert (funnels[0].documents_in, funnels[0].documents_out) == (8, 6)


def test_counting() -> None:
    column = pa.chunked_array([["x", "y"], ["x"]])
    assert add_up([count_values(column), {"y": 4}]) == {"x": 2, "y": 5}
    assert by_number({"short": 2, "empty": 5, "long": 2, "none": 0}) == (
        ("empty", 5),
        ("long", 2),
        ("short", 2),
    )


def test_rare_languages_become_other() -> None:
    shares = language_shares("docs", {"en": 90, "de": 5, "": 3, "fr": 2}, most=2)
    assert shares.documents == 100
    assert shares.languages == (("en", 90), ("de", 5), ("other", 5))
