from typing import Any

from scrapy.http import HtmlResponse

from tasks.crawl.page_facts import PageFacts, page_facts, visible_text

BODY = b"""<html lang=en><head><title>T</title><meta name=a content=1><style>s</style></head>
<body class=x>one <b>two</b><!-- no --><script>if (1) {}</script> three
<noscript>no</noscript><a rel="license" href="/cc">four</a></body></html>"""


def facts(body: bytes, **headers: Any) -> PageFacts:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    response = HtmlResponse("http://a.org/dir/x?y", body=body, headers=names, encoding="utf-8")
    return page_facts(response, "crawl2chat")


def changed(old: bytes, new: bytes) -> bool:
    assert old in BODY
    return facts(BODY.replace(old, new)).content_hash != facts(BODY).content_hash


def test_only_what_a_reader_sees_is_a_change() -> None:
    response = HtmlResponse("http://a.org/", body=BODY, encoding="utf-8")
    words = " ".join(visible_text(response.selector.root)).split()
    assert words == ["T", "one", "two", "three", "four"]
    for old in (b"content=1", b"no -->", b"if (1)", b"class=x", b">s<", b"one ", b"<noscript>no"):
        assert not changed(old, old.replace(b"1", b"2").replace(b" ", b"\n  ")), old
    for old in (b"two", b" three", b"lang=en", b'href="/cc"', b"<title>T"):
        assert changed(old, old[:-1] + b"z"), old


def test_what_a_page_says_of_itself_is_found() -> None:
    found = facts(
        b"<link rel='Canonical' href='../Y#z'><meta name=robots content='noai'>"
        b"<meta name=TDM-Reservation content=0><a rel=canonical href=/no>x</a>",
        X_Robots_Tag=["nofollow", "otherbot: noindex"],
        TDM_Reservation="1",
    )
    assert found.canonical == "http://a.org/Y"
    assert found.directives == {"noai", "nofollow"}
    assert found.reserved is False  # the page's own word supersedes the header's


def test_odd_pages_have_facts() -> None:
    empty = facts(b"")
    assert (empty.canonical, empty.reserved) == ("", None)
    assert facts(b"<!-- x -->").content_hash == empty.content_hash
    assert facts(b"<div>" * 100_000 + b"x").content_hash
    assert facts(b"a\x00b\xff").content_hash != empty.content_hash
    assert facts(b"<link rel=canonical href='http://[bad'>").canonical in ("", "http://[bad")
