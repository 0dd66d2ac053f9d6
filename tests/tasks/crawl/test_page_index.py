"""Samples of the pages that an index lists."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_config.common_crawl import PageSelection
from storage.artifact import Counts
from tasks.crawl import page_index
from tasks.crawl.page_index import (
    IndexedPage,
    domain_of,
    load_pages,
    sample,
    samples,
    save_pages,
    unfit,
)

PAGES = st.lists(
    st.builds(
        IndexedPage,
        url=st.sampled_from([f"http://a.org/{n}" for n in range(20)]),
        domain=st.sampled_from(["", "a.org", "b.org"]),
        digest=st.text(max_size=3),
        warc_file=st.sampled_from(["one", "two"]),
        offset=st.integers(0, 9),
        length=st.integers(1, 9),
    ),
    max_size=40,
)


@given(pages=PAGES, most=st.integers(1, 50), more=st.integers(0, 50))
def test_a_larger_sample_begins_with_a_smaller_one(
    pages: list[IndexedPage], most: int, more: int
) -> None:
    counts = Counts()
    small, large = sample(pages, most, counts), sample(pages, most + more, Counts())
    assert large[: len(small)] == small
    assert len(small) + counts.dropped.get("over_max_pages", 0) == len(pages)
    assert len(sample(pages, 0, Counts())) == len(pages)


@given(pages=PAGES, most=st.integers(0, 5))
def test_samples_by_domain_are_those_of_all_pages_at_once(
    pages: list[IndexedPage], most: int
) -> None:
    counts, expected = Counts(), Counts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_index, "SPARE_PAGES", 1)
        found = samples(iter(pages), most, counts)
    domains = {page.domain for page in pages}
    for domain in domains:
        own = [page for page in pages if page.domain == domain]
        places = [(p.url, p.warc_file, p.offset) for p in sample(own, most, expected)]
        assert [(p.url, p.warc_file, p.offset) for p in found[domain]] == places
    assert found.keys() == domains
    assert counts == expected


@given(pages=PAGES)
def test_pages_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, pages: list[IndexedPage]
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "pages.parquet"
    save_pages(pages, path)
    assert load_pages(path) == pages


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://docs.python.org/3/", "docs.python.org"),
        ("https://PYTHON.org./", "python.org"),
        ("https://www.python.org:8443/", "python.org"),
        ("https://notpython.org/", ""),
        ("https://python.org.evil.com/", ""),
        ("https://evil.com/python.org", ""),
        ("http://[broken/", ""),
        ("", ""),
    ],
)
def test_a_page_belongs_to_its_longest_domain(url: str, domain: str) -> None:
    assert domain_of(url, ["python.org", "docs.python.org"]) == domain


def test_reasons_come_in_the_order_of_what_costs_most_to_fetch_in_vain() -> None:
    chosen = PageSelection(domains=("a.org",), languages=("eng", "deu"))
    assert unfit("404", "text/plain", "fra", "length", chosen) == "status_404"
    assert unfit("200", "text/plain", "fra", "length", chosen) == "other_type"
    assert unfit("200", "text/html", "fra,eng", "length", chosen) == "other_language"
    assert unfit("200", "text/html", "", "", chosen) == "other_language"
    assert unfit("200", "text/html", "deu,fra", "length", chosen) == "truncated"
    assert unfit("200", "text/html", "eng", "", chosen) == ""
    anything = PageSelection(domains=("a.org",), mime_types=())
    assert unfit("200", "", "", "", anything) == ""
