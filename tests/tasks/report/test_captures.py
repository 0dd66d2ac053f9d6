"""What the funnel says about a crawl beside its numbers."""

from tasks.report.gather_captures import capture_facts


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
