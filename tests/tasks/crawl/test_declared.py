import time

import pytest

from tasks.crawl.declared import Declared, declared

LICENCE = "https://creativecommons.org/licenses/by/4.0/"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<html lang='de-AT'>", Declared(language="de")),
        ("<HTML class=x xml:lang=fr>", Declared(language="fr")),
        ("<html lang='x-default'><p lang='en'>", Declared()),
        (f"<a href='{LICENCE}' rel='nofollow license'>", Declared(licence="CC-BY-4.0")),
        (f"<link rel=license href={LICENCE}>", Declared(licence="CC-BY-4.0")),
        (f"<a href='{LICENCE}'>the licence of a picture</a>", Declared()),
        (
            '<script type="application/ld+json">{"license" : "https://opensource.org/licenses/MIT"'
            ', "datePublished": "2021-04-03T01:00:00+02:00"}</script>',
            Declared(licence="MIT", date="2021-04-03"),
        ),
        (
            '<link rel="license" href="https://creativecommons.org/publicdomain/zero/1.0/">',
            Declared(licence="CC0-1.0"),
        ),
        ('<meta name="dcterms.license" content="All rights &amp; more">', None),
        (
            "<meta property='article:published_time' content='2021-04-03'>",
            Declared("", "", "2021-04-03"),
        ),
        ("<meta content='2021-04-03' name='DC.date'><time datetime='2020-01-01'>", None),
        ("<time datetime='2021-02-30'></time><time datetime='2021-04-03 12:00'>", None),
        ("<time datetime='2024-03-06'>after the capture</time>", Declared()),
        ("<time datetime='0001-01-01'>a template</time>", Declared()),
        ("<meta name=author content='Ann  O&#39;Ther'>", Declared(author="Ann O'Ther")),
    ],
)
def test_what_a_page_declares(html: str, expected: Declared | None) -> None:
    found = declared(html, "2024-03-05")
    if expected is None:
        expected = (
            Declared(licence="All rights & more")
            if "license" in html
            else Declared(date="2021-04-03")
        )
    assert found == expected


@pytest.mark.parametrize(
    "evil", ["<meta ", "<meta a='", "<a license ", '"license" : "', "<a license a ="]
)
def test_no_page_takes_long(evil: str) -> None:
    started_at = time.process_time()
    declared(evil * 100_000, "")
    assert time.process_time() - started_at < 5
