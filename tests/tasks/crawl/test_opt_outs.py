import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.crawl.opt_outs import (
    TdmRule,
    header_directives,
    meta_directives,
    opted_out,
    path_fits,
    tdm_of,
    tdm_rules,
)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["noindex, NoFollow"], {"noindex", "nofollow"}),
        (["googlebot: noindex, nofollow"], set()),
        (["Crawl2Chat: noai"], {"noai"}),
        (["googlebot: nofollow, crawl2chat: noindex"], {"noindex"}),
        (["unavailable_after: 25 Jun 2027 15:00:00 PST"], {"unavailable_after"}),
        (["max-snippet: 20, noai"], {"max-snippet", "noai"}),
        (["googlebot: max-snippet: 20, noai"], set()),
        (["noai", "otherbot: noindex"], {"noai"}),
        (["", " , "], set()),
    ],
)
def test_directives_of_a_header_are_for_all_robots_or_one(
    values: list[str], found: set[str]
) -> None:
    assert header_directives(values, "crawl2chat") == found


def test_directives_of_meta_tags_are_for_all_robots_or_one() -> None:
    metas = [("ROBOTS", "NoIndex,follow"), ("crawl2chat", "noai"), ("bingbot", "noimageai")]
    assert meta_directives(metas, "crawl2chat") == {"noindex", "follow", "noai"}


def test_only_signals_of_the_policy_keep_a_page_out() -> None:
    assert opted_out({"none"}, False, ("noindex",)) == "noindex"
    assert opted_out({"noindex", "noai"}, True, ()) == ""
    assert opted_out({"noindex", "noai"}, True, ("tdm", "noai")) == "tdm"
    assert opted_out({"nofollow", "index"}, False, ("noindex", "noai", "noimageai", "tdm")) == ""


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"null", b"7", b'["/"]', b"[" * 100_000, b"\xff\xfe\x00"),
        *(b'[{"location": "/"}]', b'[{"location": "/", "tdm-reservation": 2}]'),
        b'[{"location": 3, "tdm-reservation": 1}]',
    ],
)
def test_a_broken_file_reserves_nothing(body: bytes) -> None:
    assert tdm_rules(body) == []


def test_the_first_rule_that_fits_counts() -> None:
    # The example of the protocol, with one path more.
    body = b"""[{"location": "/directory-a/", "tdm-reservation": 1},
        {"location": "/directory-b/html/", "tdm-reservation": 1, "tdm-policy": "https://x/p"},
        {"location": "/directory-b/images/*.jpg", "tdm-reservation": 0},
        {"location": "/directory-b/", "tdm-reservation": 1}]"""
    rules = tdm_rules(body)
    said = {
        path: tdm_of(f"https://provider.com{path}", rules)
        for path in ("/directory-a/x.pdf", "/directory-b/images/1.jpg", "/directory-b/", "/c")
    }
    assert list(said.values()) == [True, False, True, None]
    assert tdm_of("https://provider.com", [TdmRule("/", True)]) is True


PATHS = st.text("ab/%2$", max_size=12).map(lambda text: "/" + text)


@given(PATHS, st.text("ab/*$%2", max_size=8).map(lambda text: "/" + text))
def test_patterns_fit_as_a_regular_expression_says(path: str, pattern: str) -> None:
    if "%" in path + pattern:  # escapes are compared below
        return
    ends = pattern.endswith("$")
    expression = re.escape(pattern.removesuffix("$")).replace(r"\*", ".*")
    assert path_fits(path, pattern) == bool(re.match(expression + (r"\Z" if ends else ""), path))


def test_escapes_of_unreserved_characters_are_undone() -> None:
    assert path_fits("/%61%7Eb/c", "/a~b/")
    assert path_fits("/a~b/c", "/%61%7eb/")
    assert path_fits("/foo-%24", "/foo-%24")
    assert not path_fits("/a%2Fb", "/a/b")
    assert path_fits("/" + "a" * 100_000, "/" + "*a" * 1_000)  # in linear time
