from dataclasses import replace

from tasks.report.contents import (
    Accuracy,
    Contents,
    FamilyAccuracy,
    Measured,
    SourceFunnel,
    StepCounts,
)
from tasks.report.headline import at_chance, beats_baseline, lede, tiles, verdicts


def family(after: float, error: float, baseline: float) -> FamilyAccuracy:
    return FamilyAccuracy("f", None, Measured(after, error, 100), baseline, "majority")


def test_a_difference_counts_beyond_two_standard_errors() -> None:
    assert beats_baseline(family(0.61, 0.05, 0.5))
    assert not beats_baseline(family(0.59, 0.05, 0.5))
    assert not beats_baseline(family(0.64, 0.05, 0.5), standard_errors=3)
    assert at_chance(family(0.2, 0.05, 0.5))  # worse than chance is no leak
    assert not at_chance(family(0.7, 0.05, 0.5))


def test_lede_counts_what_the_report_shows(contents: Contents) -> None:
    assert lede(contents) == (
        "A chat model of 2.56 M parameters, pretrained on 2.07 M tokens: 981 documents kept of "
        "1,553 found in 3 sources (22 links gave no page); fine-tuned on 7,200 conversations."
    )
    assert lede(replace(contents, sft=None)).startswith("A base model")
    assert lede(Contents(title="x", funnels=contents.funnels[:1])) == (
        "A corpus: 390 documents kept of 735 found in 1 source (22 links gave no page)."
    )
    assert lede(Contents(title="x")) == ""


def mixed_sources() -> Contents:
    """Whole files, a site with dead links, pages that an index lists, and a file read in place."""
    files = (
        StepCounts("fetch", "cc", 6, 6, unit="file"),
        StepCounts("extract", "cc", 400, 360, (("too_short", 40),)),
        StepCounts("decide", "cc", 360, 300, (("gopher_short_doc", 60),)),
    )
    site = (
        StepCounts("fetch", "site", 1_312, 60, (("status_404", 1_250), ("robots", 2)), unit="link"),
        StepCounts("extract", "site", 60, 59, (("empty", 1),)),
        StepCounts("decide", "site", 59, 14, (("language_other", 45),)),
    )
    listed = (
        StepCounts("fetch", "fra", 15, 1, (("other_language", 14),), unit="listed page"),
        StepCounts("extract", "fra", 1, 1),
        StepCounts("decide", "fra", 1, 1),
    )
    rows = (StepCounts("read", "rows", 317, 316), StepCounts("decide", "rows", 316, 290))
    by_source = {"cc": files, "site": site, "fra": listed, "rows": rows}
    return Contents(
        title="x", funnels=tuple(SourceFunnel(name, steps) for name, steps in by_source.items())
    )


def test_only_what_came_is_found() -> None:
    contents = mixed_sources()
    # Found: 400 records of 6 files, 60 pages, 1 page and 317 rows; kept: 300 + 14 + 1 + 290.
    assert lede(contents) == (
        "A corpus: 605 documents kept of 778 found in 4 sources "
        "(1,252 links gave no page, 14 listed pages left out, 6 files fetched)."
    )
    (documents,) = tiles(contents)
    assert (documents.figure, documents.detail) == ("605", "78 % of 778 found")


def test_tiles_weigh_bits_per_byte_by_text(contents: Contents) -> None:
    rows = contents.bits_per_byte
    expected = sum(row.model * row.text_bytes for row in rows) / sum(r.text_bytes for r in rows)
    shown = {tile.caption: tile.figure for tile in tiles(contents)}
    assert shown["bits per byte"] == f"{expected:.2f}"
    assert shown["duplicates"] == "139"


def test_verdicts_say_what_failed(contents: Contents) -> None:
    assert all(verdict.good for verdict in verdicts(contents))
    assert contents.accuracy is not None
    leaking = replace(contents.accuracy, control=family(0.9, 0.03, 0.3))
    worse = tuple(replace(row, model=9.0) for row in contents.bits_per_byte[:1])
    bad = verdicts(replace(contents, accuracy=leaking, bits_per_byte=worse))
    assert [verdict.text for verdict in bad if not verdict.good] == [
        "Held-out bits per byte below the bigram model's on 0 of 1 sources",
        "The control with shuffled passages is above chance: something leaks",
    ]


def test_half_of_the_families_is_enough() -> None:
    rows = (family(0.9, 0.01, 0.5), family(0.5, 0.01, 0.5))
    accuracy = Accuracy(rows, family(0.7, 0.01, 0.5), None)
    first = verdicts(Contents(title="x", accuracy=accuracy))[0]
    assert (first.good, first.text.endswith("1 of 2 families")) == (True, True)
