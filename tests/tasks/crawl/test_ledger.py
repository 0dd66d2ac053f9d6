from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.crawl.ledger import Outcome, Page, Place, load_ledger, next_page, save_ledger

URL = "http://a.org/x"
KEPT = Page(
    url=URL,
    state="kept",
    depth=2,
    content_hash="h",
    etag='"1"',
    first_seen="2026-01-01",
    last_seen="2026-01-01",
    place=Place("00000.warc.gz", 10, 20),
)
TODAY = "2026-03-01"


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    gone = Page("http://a.org/a", "gone", reason="status_404", first_seen="2026-01-01")
    rows, digest = save_ledger([KEPT, gone], tmp_path / "1")
    assert rows == 2
    assert load_ledger(tmp_path / "1") == {URL: KEPT, gone.url: gone}
    assert save_ledger([gone, KEPT], tmp_path / "2") == (2, digest)
    assert save_ledger([], tmp_path / "3")[0] == 0
    assert load_ledger(tmp_path / "3") == {}


def test_a_page_that_is_found_again_keeps_its_record_and_first_date() -> None:
    found = next_page(KEPT, Outcome(URL, content_hash="h", etag='"2"', depth=1), "m2", TODAY)
    assert found == replace(KEPT, etag='"2"', depth=1, last_seen=TODAY)
    changed = next_page(KEPT, Outcome(URL, content_hash="other"), "m2", TODAY)
    assert changed is not None
    assert (changed.place, changed.first_seen, changed.state) == (None, "2026-01-01", "kept")


def test_a_page_that_is_not_found_in_two_captures_is_gone() -> None:
    for reason in ("status_404", "status_410", "not_html", "redirected"):
        absent = Outcome(URL, reason)
        once = next_page(KEPT, absent, "m2", TODAY)
        assert once == replace(KEPT, state="missing", reason=reason, missing_as_of="m2")
        assert next_page(once, absent, "m2", TODAY) == once  # the same month, again
        assert next_page(once, Outcome(URL, "failed_timeout"), "m3", TODAY) == once
        twice = next_page(once, absent, "m3", TODAY)
        assert twice is not None
        assert (twice.state, twice.place) == ("gone", None)
        back = next_page(twice, Outcome(URL, content_hash="h"), "m4", TODAY)
        assert back is not None
        assert (back.state, back.first_seen, back.place) == ("kept", "2026-01-01", None)


@pytest.mark.parametrize(
    "reason",
    ["robots_disallowed", "opted_out_noai", "status_451", "denied", "moved", "not_canonical"],
)
def test_a_page_that_is_not_wanted_leaves_at_once(reason: str) -> None:
    left = next_page(KEPT, Outcome(URL, reason), "m2", TODAY)
    assert left == replace(KEPT, state="left", reason=reason, place=None)


@pytest.mark.parametrize(
    "reason",
    ["status_500", "status_503", "status_429", "failed_timeout", "robots_unreachable"],
)
def test_a_page_that_is_not_reached_stays_as_it_was(reason: str) -> None:
    assert next_page(KEPT, Outcome(URL, reason), "m2", TODAY) is KEPT
    assert next_page(None, Outcome(URL, reason), "m2", TODAY) is None
    assert next_page(KEPT, None, "m2", TODAY) is KEPT


REASONS = st.sampled_from(
    ["", "status_404", "status_500", "robots_disallowed", "failed_timeout", "moved", None]
)


@given(st.lists(st.tuples(REASONS, st.sampled_from("ab"), st.integers(0, 3)), max_size=12))
def test_a_page_is_here_only_with_a_record_and_never_younger(
    months: list[tuple[str | None, str, int]],
) -> None:
    page: Page | None = None
    for day, (reason, content, as_of) in enumerate(months, start=10):
        outcome = None if reason is None else Outcome(URL, reason, content_hash=content)
        before, page = page, next_page(page, outcome, str(as_of), f"2026-01-{day}")
        if page is not None and page.is_here and page.place is None:
            assert reason == ""  # only an answer of this month gives a record
            page = replace(page, place=Place(content, 0, 1))
        if page is not None:
            assert page.is_here == (page.place is not None)
            if page.place is not None:
                assert page.place.file == page.content_hash
            if before is not None:
                assert page.first_seen == before.first_seen
