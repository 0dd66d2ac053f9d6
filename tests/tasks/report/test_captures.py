"""What the funnel says about a crawl beside its numbers."""

from tasks.report.gather_captures import asked_for, capture_facts


def test_a_refresh_says_what_changed() -> None:
    extra = {
        "ended": "finished",
        "pages": {"changed": 3, "new": 12, "unchanged": 1830},
        "not_reached": {"timeout": 2},
    }
    assert capture_facts(extra) == (
        "pages: 1,830 unchanged, 12 new, 3 changed",
        "not reached, so as they were before: timeout 2",
    )
    later = {"before": "a-recipe", "pages": {"missing": 2, "new": 5, "unchanged": 54}}
    assert capture_facts(later) == (
        "since the capture before: 54 unchanged, 5 new, "
        "2 missing (kept for now; gone when missing twice)",
    )
    assert capture_facts({"pages": {"CC-MAIN-2024-10 a.demo": 5}}) == (
        "pages: CC-MAIN-2024-10 a.demo 5",
    )
    assert capture_facts({"ended": "pages"}) == ("ended early: pages",)
    assert capture_facts({}) == ()


def test_damage_is_named_but_never_floods() -> None:
    damaged = {f"{number}.warc.gz": "ends within a record" for number in range(9)}
    facts = capture_facts({"damaged": damaged, "wrong_digests": {"x.warc.gz": 1}})
    assert facts[0] == "0.warc.gz is damaged: ends within a record"
    assert facts[-1] == "and 5 more such files"
    assert len(facts) == 6
    (wrong,) = capture_facts({"wrong_digests": {"x.warc.gz": 2}})
    assert wrong == "2 records of x.warc.gz lack the digest that they name"


def test_a_capture_counts_links_listed_pages_or_files() -> None:
    def unit(**capture: object) -> str:
        return asked_for({"step": "fetch", "in": {"capture": capture}})

    assert unit(kind="live", seeds=["http://a.demo/"]) == "link"
    assert unit(kind="common_crawl", select=None) == "file"
    assert unit(kind="common_crawl", select={"index": "cdx"}) == "listed page"
