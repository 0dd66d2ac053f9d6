"""The picture's columns: from what was found to what the corpus has."""

from tasks.report.contents import Contents, SourceFunnel, StepCounts
from tasks.report.headline import lede
from tasks.report.picture import mermaid, picture_of
from tasks.report.picture_svg import draw

SITE = SourceFunnel(
    "site",
    (
        StepCounts("fetch", "site", 1_312, 60, (("status_404", 1_252),), unit="link"),
        StepCounts("extract", "site", 60, 58, (("empty", 2),)),
        StepCounts("decide", "site", 58, 40, (("gopher_short_doc", 18),)),
        StepCounts("edit", "site", 40, 37, (("pii", 3),), edited=9),
        StepCounts("dedup", "site", 37, 30, (("near_duplicate", 7),)),
        StepCounts("substring", "site", 30, 29, (("too_short", 1),), edited=4),
        StepCounts("decontaminate", "site", 29, 21, (("contaminated", 8),)),
    ),
)
ROWS = SourceFunnel(
    "rows",
    (
        StepCounts("read", "rows", 10, 10),
        StepCounts("decide", "rows", 10, 9, (("gopher_short_doc", 1),)),
        StepCounts("edit", "rows", 9, 9, edited=1),
        StepCounts("dedup", "rows", 9, 9),
    ),
)


def test_the_last_column_adds_up_to_the_headline() -> None:
    contents = Contents(title="x", funnels=(SITE, ROWS))
    picture = picture_of(contents)
    titles = ("Found", "Text", "Quality", "Edited", "Unique", "Repeats cut", "Uncontaminated")
    assert picture.columns == titles
    site, rows = picture.lanes
    assert site.counts == (60, 58, 40, 37, 30, 29, 21)
    assert rows.counts == (10, 10, 9, 9, 9, 9, 9)  # what a source lacks changes nothing
    assert lede(contents).startswith("A corpus: 30 documents kept of 70 found")
    assert 21 + 9 == 30
    assert "uncontaminated 21" in mermaid(picture)
    assert draw(picture).count('class="lost"') == 7  # six drops of the site, one of the rows


def test_steps_that_only_edit_have_no_column() -> None:
    picture = picture_of(Contents(title="x", funnels=(ROWS,)))
    assert picture.columns == ("Found", "Text", "Quality", "Unique")
