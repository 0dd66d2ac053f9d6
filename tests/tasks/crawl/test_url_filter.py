import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline_config.url_filter import UrlFilter
from tasks.crawl.url_filter import Lists, UrlRules, load_lists

RULES = {
    "domains": ("Bad.org", "bücher.de", "zip"),
    "subdomains": ("ads.good.org",),
    "urls": ("https://www.good.org/terms/", "good.org/find?q=spam"),
    "hard_words": ("casino",),
    "soft_words": ("free", "win", "cash"),
    "substrings": ("viagra",),
}


def lists(**rules: Any) -> Lists:
    return load_lists(UrlRules.of(UrlFilter(**rules)))


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://bad.org", "url_domain"),
        ("https://www.very.BAD.org:8443/x", "url_domain"),
        ("http://notbad.org/", ""),
        ("http://bad.org.uk/", ""),
        ("http://good.org/bad.org", ""),
        ("http://good.org@bad.org/", "url_domain"),
        ("http://xn--bcher-kva.de/", "url_domain"),
        ("http://shop.bücher.de/", "url_domain"),
        ("http://invoice.zip/", "url_domain"),
        ("http://ads.good.org/", "url_subdomain"),
        ("http://more.ads.good.org/", ""),
        ("http://good.org/terms", "url_listed"),
        ("http://good.org/terms/#top", "url_listed"),
        ("http://good.org/terms/2", ""),
        ("http://good.org/find?q=spam", "url_listed"),
        ("http://good.org/find", ""),
        ("http://good.org/best-Casino.html", "url_hard_word"),
        ("http://casino.good.org/", "url_hard_word"),
        ("http://good.org/best%2Dc%61sino", "url_hard_word"),
        ("http://good.org/casinos", ""),
        ("http://good.org/free/free-free", ""),
        ("http://good.org/free?to=WIN", "url_soft_words"),
        ("http://good.org/vi-a_gra", "url_substring"),
        ("http://bad.org/casino", "url_domain"),
        ("good/relative/file.html", ""),
        ("http://[broken/", ""),
        ("", ""),
    ],
)
def test_a_url_is_left_out_for_the_first_reason(url: str, fault: str) -> None:
    assert lists(**RULES).fault(url) == fault


def test_one_soft_word_may_be_enough() -> None:
    assert lists(soft_words=("free",), min_soft_words=1).fault("http://a.org/free")


def test_lists_come_from_files(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("# a hosts file\n0.0.0.0 bad.org # why\n\n127.0.0.1\tworse.org\n")
    more = tmp_path / "domains.gz"
    more.write_bytes(gzip.compress(b"\xef\xbb\xbfworst.org\r\n"))
    found = lists(domains=("given.org",), files={"domains": (str(hosts), str(more))})
    names = ("given.org", "bad.org", "worse.org", "worst.org", "0.0.0.0", "why", "other.org")
    faults = [found.fault(f"http://{name}/") for name in names]
    assert faults == ["url_domain"] * 4 + [""] * 3


def test_a_word_that_could_never_be_found_is_an_error() -> None:
    for word in ("two words", "Upper", "dash-ed", ""):
        with pytest.raises(ValidationError, match="letters and digits in lower case"):
            UrlFilter(hard_words=(word,))


@given(st.text())
def test_empty_lists_leave_nothing_out_and_any_text_is_read(url: str) -> None:
    assert lists().fault(url) == ""
    assert lists(**RULES).fault(url) in ("", *REASONS)


REASONS = (
    *("url_domain", "url_subdomain", "url_listed"),
    *("url_hard_word", "url_soft_words", "url_substring"),
)
