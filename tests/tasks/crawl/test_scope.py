import pytest

from tasks.crawl.scope import endpoint_of, host_of, is_inside


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
