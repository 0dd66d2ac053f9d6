"""The reference's filters on one new instruction, besides ROUGE-L; each has a reason.

Departure: the reference also lowercases all letters but the first, which ruins names and acronyms;
here the first letter becomes a capital and the rest stays as it is.
"""

import re
import string

# Words of tasks that text alone cannot do, as in the reference.
_IMPOSSIBLE = (
    *("image", "images", "graph", "graphs", "picture", "pictures", "file", "files", "map", "maps"),
    *("draw", "plot", "go to"),
)
_BLACKLIST = re.compile(rf"\b({'|'.join(_IMPOSSIBLE)})\b", re.IGNORECASE)


def instruction_fault(text: str, min_words: int, max_words: int) -> str:
    """Why an instruction is unusable by itself, or "".

    >>> instruction_fault("Draw a map of the town centre", 4, 150)
    'blacklisted'
    """
    words = text.split()
    if len(words) < min_words:
        return "too_short"
    if len(words) > max_words:
        return "too_long"
    if _BLACKLIST.search(text):
        return "blacklisted"
    if text.casefold().startswith("write a program"):
        return "program"
    if text[0] in string.punctuation:
        return "punctuation"
    return "" if text[0].isascii() else "non_ascii"


def tidy(text: str) -> str:
    """White space collapsed, a trailing colon removed, the first letter a capital."""
    text = " ".join(text.split()).rstrip(":").rstrip()
    return text[:1].upper() + text[1:]
