r"""Makes crawled text safe to show: it may try to run, to hide, or to reorder its surroundings.

HTML is escaped by the template engine; what is done here is for what escaping leaves alone:
terminal escapes, bidirectional overrides, invisible characters, and the syntax of Markdown and
Mermaid. Nothing is removed silently: a neutralised character shows as a visible mark.

    >>> neutralise("red \x1b[31m, \u202egnp.exe")
    'red ␛[31m, ⟨U+202E⟩gnp.exe'
"""

import re
import unicodedata
from urllib.parse import urlsplit

# Format characters that ordinary writing needs: soft hyphen, and the joiners of Persian, Indic
# scripts and emoji. All others (overrides, isolates, tags, …) exist to change how text looks.
HARMLESS_FORMATS = frozenset("\u00ad\u200c\u200d")
LINE_BREAKS = re.compile(r"\r\n?|[\u2028\u2029\x85\v\f]")
COMBINING = r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
# Runs of more than 8 combining marks pile up over the neighbouring lines.
MARK_RUN = re.compile(f"({COMBINING}{{8}}){COMBINING}+")
# All signs but a few; a point, hyphen or underscore between letters or digits means nothing either.
MARKDOWN_SYNTAX = re.compile(
    r"[^\w\s,;%/°·…—._-]|(?<![^\W_])[._-]|[._-](?![^\W_])|(?<=www)[.]", re.IGNORECASE
)


def neutralise(text: str) -> str:
    """`text` with every control, invisible or reordering character made visible.

    Line breaks and tabs stay.
    """
    text = LINE_BREAKS.sub("\n", text)
    text = MARK_RUN.sub(r"\1", text)
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character in "\n\t" or character in HARMLESS_FORMATS:
        return character
    category = unicodedata.category(character)
    if category == "Cc":
        code = ord(character)
        if code < 0x20:
            return chr(0x2400 + code)  # the control pictures: ESC -> ␛
        return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"
    if category in {"Cf", "Cs", "Co", "Cn"}:
        return f"⟨U+{ord(character):04X}⟩"
    return character


def excerpt(text: str, max_characters: int) -> str:
    """The beginning of `text`, neutralised, cut at a word, with at most one empty line in a row."""
    # Neutralising only lengthens, so twice the limit is enough to look at.
    text = neutralise(text[: 2 * max_characters + 200].strip())
    text = re.sub(r"[ \t]+\n", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", text)
    if len(text) <= max_characters:
        return text
    cut = text[:max_characters]
    at_word = re.sub(r"\s\S*$", "", cut)
    if len(at_word) < max_characters // 2:  # one very long word, or writing without spaces
        at_word = cut
    return at_word.rstrip() + " …"


def one_line(text: str, max_characters: int) -> str:
    """`excerpt` with all white space as single spaces."""
    return excerpt(" ".join(text[: 4 * max_characters].split()), max_characters)


def safe_href(url: str) -> str:
    """`url` when a reader may click it, else "": http(s), a host, no user name, nothing hidden."""
    if neutralise(url) != url or any(character.isspace() for character in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:  # such as an unclosed IPv6 bracket
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return ""
    return url


def escape_markdown(text: str) -> str:
    """`text` as inline Markdown that shows exactly its characters, on one line.

    Every character with a meaning in Markdown or HTML becomes a character reference, which is
    decoded to plain text after all syntax has been recognised.

        >>> escape_markdown("<b>*x*|y")
        '&#60;b&#62;&#42;x&#42;&#124;y'
    """
    text = " ".join(neutralise(text).split())
    return MARKDOWN_SYNTAX.sub(lambda match: _reference(match.group()), text)


def _reference(character: str) -> str:
    return f"&#{ord(character)};" if ord(character) < 128 else character


def fenced(text: str) -> str:
    """`text` as a Markdown code block whose fence is longer than any run of backticks in it."""
    text = neutralise(text)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def mermaid_label(text: str) -> str:
    """`text` for a quoted Mermaid label: all but letters, digits and harmless signs as `#code;`.

    >>> mermaid_label('a"]; click')
    'a#34;#93;#59; click'
    """
    text = " ".join(neutralise(text).split())
    return re.sub(r"[^A-Za-z0-9 ,./+()·%-]", lambda match: f"#{ord(match.group())};", text)
