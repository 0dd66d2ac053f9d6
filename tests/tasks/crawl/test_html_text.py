import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline_config.extraction import ExtractionConfig
from tasks.crawl.html_text import page_text, to_unicode
from tasks.crawl.page_text import NoTextError, PageText
from tests.tasks.crawl.sites import page

CONFIG = ExtractionConfig()
URL = "http://a.org/x"


def extracted(body: bytes | str, content_type: str = "", **changes: Any) -> PageText:
    if isinstance(body, str):
        body = body.encode()
    return page_text(body, URL, content_type, "2024-03-05", ExtractionConfig(**changes))


def reason(body: bytes | str, **changes: Any) -> str:
    with pytest.raises(NoTextError) as caught:
        extracted(body, **changes)
    return str(caught.value)


def test_the_main_text_and_what_the_page_declares() -> None:
    sentence = "The quick brown fox jumps over the lazy dog and comes to rest near the river. "
    found = extracted(
        "<html lang='de-AT'><head><title>Foxes</title><meta name='author' content='Ann Other'>"
        "<meta property='article:published_time' content='2021-04-03'></head><body>"
        "<nav><a href='/a'>Home</a> <a href='/b'>About</a></nav>"
        f"<article><h1>Foxes</h1><p>{sentence * 3}</p><pre>  if fox:\n    jump()</pre></article>"
        "<footer><a rel='license' href='https://creativecommons.org/licenses/by/4.0/'>CC BY 4.0</a>"
        "</footer></body></html>"
    )
    assert found.text == f"Foxes\n{(sentence * 3).strip()}\n  if fox:\n    jump()"
    assert found.language == "de"
    assert found.licence == "CC-BY-4.0"
    assert found.metadata == {"title": "Foxes", "author": "Ann Other", "date": "2021-04-03"}


def test_a_date_after_the_capture_is_not_believed() -> None:
    html = page("later").replace(
        "<head>", "<head><meta property='article:published_time' content='2030-01-01'>"
    )
    assert "date" not in extracted(html).metadata


@pytest.mark.parametrize(
    ("encoded", "content_type"),
    [
        ("<meta charset='utf-8'><p>Grüße €</p>".encode(), ""),
        ("<p>Grüße €</p>".encode("cp1252"), "text/html; charset=windows-1252"),
        ("<p>Grüße €</p>".encode("cp1252"), "text/html; charset=iso-8859-1"),  # as browsers do
        ("<meta charset='windows-1252'><p>Grüße €</p>".encode("cp1252"), ""),
        ("\ufeff<p>Grüße €</p>".encode("utf-16-le"), "text/html; charset=latin-1"),
        ("<p>Grüße €</p>".encode(), ""),
        ("<p>Grüße €</p>".encode(), "text/html; charset=no-such-thing"),
        ("<p>Grüße €</p>".encode(), "text/html; charset=undefined"),  # by many a script
        ("<meta charset='hex'><p>Grüße €</p>".encode(), ""),
    ],
)
def test_the_charset_is_found_as_a_browser_finds_it(encoded: bytes, content_type: str) -> None:
    assert "<p>Grüße €</p>" in to_unicode(encoded, content_type)


def test_an_undeclared_charset_is_guessed() -> None:
    russian = "Съешь ещё этих мягких французских булок, да выпей чаю. " * 5
    assert russian in to_unicode(f"<p>{russian}</p>".encode("windows-1251"), "text/html")


def test_nul_bytes_and_broken_utf8_do_not_end_the_text() -> None:
    found = extracted(
        page("odd").encode().replace(b"plain", b"pl\x00a\xffin"), "text/html; charset=utf-8"
    )
    assert found.text.count("pla\ufffdin things about odd") == 3


def test_pages_without_text_have_a_reason() -> None:
    assert reason("") == "empty_text"
    assert reason(" \n ") == "empty_text"
    assert reason("<html><body></body></html>") == "empty_text"
    assert reason("<p>" + "x" * 2_000, max_page_bytes=1_000) == "too_large"
    assert reason("<div>" * 100_000 + "deep" + "</div>" * 100_000) == "empty_text"


def test_f1_on_real_pages_is_what_the_best_extractors_reach(oracles: Path) -> None:
    """The 120 pages of trafilatura's own evaluation: F1 of segments wanted and unwanted."""
    hits = misses = false_hits = 0
    with gzip.open(oracles / "extraction_eval_120.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            example = json.loads(line)
            try:
                body = base64.b64decode(example["html_base64"])
                text = page_text(body, example["url"], "", "", CONFIG).text
            except NoTextError:
                text = ""
            found = [segment in text for segment in example["must_have"]]
            hits += sum(found)
            misses += len(found) - sum(found)
            false_hits += sum(segment in text for segment in example["must_not_have"])
    assert 2 * hits / (2 * hits + misses + false_hits) >= 0.92
