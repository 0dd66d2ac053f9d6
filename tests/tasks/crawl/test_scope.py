import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.crawl.scope import (
    Scope,
    endpoint_of,
    host_of,
    is_inside,
    page_url,
    redirect_target,
)


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("http://example.org/a", True),
        ("https://EXAMPLE.org:443/a", True),
        ("http://user@example.org/", True),
        ("http://example.org:8080/", False),
        ("http://www.example.org/", False),
        ("http://notexample.org/", False),
        ("http://example.org.evil.net/", False),
        ("http://example.org@evil.net/", False),
        ("ftp://example.org/", False),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("http://example.org:99999999/", False),
        ("", False),
    ],
)
def test_a_crawl_stays_on_its_hosts(url: str, inside: bool) -> None:
    assert is_inside(url, ["example.org"]) is inside


def test_a_star_admits_subdomains_and_the_host_itself() -> None:
    hosts = ["*.example.org"]
    assert is_inside("http://example.org/", hosts)
    assert is_inside("http://a.b.example.org/", hosts)
    assert not is_inside("http://badexample.org/", hosts)


def test_ports_are_part_of_a_host_unless_they_are_the_usual_ones() -> None:
    assert host_of("http://a.org:80/") == host_of("https://a.org/") == "a.org"
    assert host_of("http://a.org:443/") == "a.org:443"
    assert endpoint_of("https://a.org/x") == "a.org:443"


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("http://A.org", "http://a.org/"),
        ("http://a.org:80/x#y", "http://a.org/x"),
        ("https://a.org:444/x", "https://a.org:444/x"),
        ("http://user:word@a.org/", "http://a.org/"),
        ("http://a.org/a/./b/../c/..", "http://a.org/a/"),
        ("http://a.org/../../x", "http://a.org/x"),
        ("http://a.org//x", "http://a.org//x"),
        ("http://a.org/ä b?q=ü", "http://a.org/%C3%A4%20b?q=%C3%BC"),
        ("http://a.org/%7Ea%2Fb", "http://a.org/%7Ea%2Fb"),
        ("http://bücher.de/", "http://xn--bcher-kva.de/"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("http://a.org/?about", "http://a.org/?about"),
        ("http://a.org/?b=1&a=2&b=", "http://a.org/?b=1&a=2&b="),
        ("http://a.org/?utm_source=x&a=1&fbclid=2&PHPSESSID=3", "http://a.org/?a=1"),
        ("http://a.org/?source=x&ref=y&id=3", "http://a.org/?source=x&ref=y&id=3"),
        ("http://a.org/x;jsessionid=0A1B?a=1", "http://a.org/x?a=1"),
        ("mailto:me@example.org", "mailto:me@example.org"),
        ("http://[::1/x", "http://[::1/x"),
        ("http://a.org:99999/", "http://a.org:99999/"),
        ("", ""),
    ],
)
def test_a_page_has_one_form_of_its_url(url: str, form: str) -> None:
    assert page_url(url) == form


@given(st.text(max_size=20), st.text("ab/.?&=;#%2f utm_gclid:", max_size=30))
def test_the_form_of_a_url_has_itself_as_form(host: str, rest: str) -> None:
    for url in (f"http://a.org/{rest}", f"https://{host}/{rest}", rest):
        form = page_url(url)
        assert page_url(form) == form


def test_patterns_say_what_is_followed() -> None:
    scope = Scope(
        ("a.org",), allow=(r"/docs/", r"\.html$"), deny=(r"/docs/old/",), seeds=("http://a.org/",)
    )
    said = {
        path: scope.why_outside(f"http://a.org{path}")
        for path in ("/", "/docs/1", "/x.html", "/docs/old/1.html", "/other")
    }
    assert list(said.values()) == ["", "", "", "denied", "denied"]
    assert scope.why_outside("http://b.org/docs/1") == "off_host"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "http://a.org/b"),
        ("b?x=ü&utm_id=1#top", "http://a.org/x/b?x=%C3%BC"),
        (" //b.org ", "http://b.org/"),
        ("https://a.org:443/", "https://a.org/"),
        ("/x/?utm_id=1", "http://a.org/x/?utm_id=1"),
        ("mailto:me@example.org", "mailto:me@example.org"),
        ("#top", ""),
        ("", ""),
        ("http://[oops/", ""),
        ("//[", ""),
    ],
)
def test_a_redirect_leads_to_one_form_of_a_url_or_nowhere(location: str, target: str) -> None:
    assert redirect_target("http://a.org/x/", location) == target
