import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.report.safe_text import (
    escape_markdown,
    excerpt,
    fenced,
    mermaid_label,
    neutralise,
    one_line,
    safe_href,
)

PERSIAN = "\u06a9\u062a\u0627\u0628\u200c\u0647\u0627"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("a\x00b\x7f", "a␀b␡"),
        ("\u202egnp.exe", "⟨U+202E⟩gnp.exe"),
        ("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("\U000e0041", "⟨U+E0041⟩"),  # tag characters hide text
        ("one\r\ntwo\u2028three", "one\ntwo\nthree"),
        ("\ud800", "⟨U+D800⟩"),  # a lone surrogate has no UTF-8
        (PERSIAN, PERSIAN),  # it needs its joiner
        ("tab\tand\nline", "tab\tand\nline"),
        ("日本語 é 😀", "日本語 é 😀"),
    ],
)
def test_neutralise_shows_what_would_hide_or_reorder(hostile: str, shown: str) -> None:
    assert neutralise(hostile) == shown


def test_neutralise_cuts_piles_of_marks() -> None:
    assert len(neutralise("a" + "\u0301" * 500)) == 1 + 8


@given(st.text())
def test_neutralised_text_has_no_control_or_format_character(text: str) -> None:
    for character in neutralise(text):
        if character not in "\n\t\u00ad\u200c\u200d":
            assert unicodedata.category(character) not in {"Cc", "Cf", "Cs"}
    assert neutralise(neutralise(text)) == neutralise(text)
    neutralise(text).encode("utf-8")


def test_excerpt_cuts_at_a_word_and_says_so() -> None:
    assert excerpt("one two three four", 12) == "one two …"
    assert excerpt("x" * 50, 10) == "x" * 10 + " …"
    assert excerpt("a\n\n\n\n\nb", 99) == "a\n\nb"
    assert one_line("a\n  b\tc", 99) == "a b c"


@given(st.text(max_size=400), st.integers(1, 100))
def test_excerpt_never_exceeds_its_limit(text: str, limit: int) -> None:
    assert len(excerpt(text, limit)) <= limit + 2  # " …"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt://example.org/%0aalert(1)",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "//example.org/",
        "https://user:secret@example.org/",
        "http://example.org/\u202egnp",
        "http://exam ple.org/",
        "http://example.org/\nX",
        "http://[::1",
        "https://",
        "",
    ],
)
def test_safe_href_refuses(url: str) -> None:
    assert safe_href(url) == ""


def test_safe_href_takes_web_addresses() -> None:
    assert safe_href("https://example.org/a?b=1#c") == "https://example.org/a?b=1#c"
    assert safe_href("http://pydoc.demo/json.html") == "http://pydoc.demo/json.html"


@given(st.text())
def test_escaped_markdown_keeps_no_syntax(text: str) -> None:
    escaped = escape_markdown(text)
    rest = re.sub(r"&#\d+;", "", escaped)
    assert not set(rest) & set("<>`*[]()|\\#!{}$~&:@\n\"'")
    assert not re.search(r"(^|[\W_])_|_([\W_]|$)", escaped.replace("&#95;", " "))


def test_escaped_markdown_stays_readable() -> None:
    assert escape_markdown("gopher_dup_5_gram, e.g. 3.01") == "gopher_dup_5_gram, e.g&#46; 3.01"
    assert escape_markdown("__init__ www.x.org") == "&#95;&#95;init&#95;&#95; www&#46;x.org"


@given(st.text(alphabet="`a\n<"))
def test_fence_is_longer_than_any_run_of_backticks(text: str) -> None:
    block = fenced(text)
    fence = block.split("text\n", 1)[0]
    body = block[len(fence) + len("text\n") : -len(fence)]
    assert fence not in body
    assert set(fence) == {"`"}


def test_mermaid_label_cannot_close_its_quotes() -> None:
    label = mermaid_label('x"] --> y; click y "javascript:alert(1)"\nend')
    assert '"' not in label
    assert "[" not in label
    assert "\n" not in label
    assert ":" not in label
