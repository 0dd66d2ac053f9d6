"""Reads a teacher's answers: tolerant of how models format, and never raising.

Every parser gives what it could read and leaves out what it could not; a last item that the length
limit may have cut is never used.
"""

import re
from dataclasses import dataclass

_NUMBERED = re.compile(r"^[\s>*#-]*\**(\d{1,4})\**\s*[.):]\**\s*(.*)$")
_EXAMPLE = re.compile(r"^[\s*#]*example\s*\d*\s*[.:]?\**\s*$", re.IGNORECASE)
_INPUT = re.compile(r"^[\s*]*inputs?\s*\d*\**\s*:\**\s*(.*)$", re.IGNORECASE)
_OUTPUT = re.compile(r"^[\s*]*outputs?\s*\d*\**\s*:\**\s*(.*)$", re.IGNORECASE)
_LABEL = re.compile(r"^[\s*]*(?:class\s+)?label\s*\**\s*:\**\s*(.*)$", re.IGNORECASE)
_FENCE = re.compile(r"^\s*(```|~~~)")
# how teachers write that an example has no input
NOTHING = frozenset({"", "none", "none.", "n/a", "<noinput>", "(none)", "(empty)", "[none]"})


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a task as the teacher gave it; `output` is None where there was none."""

    input: str
    output: str | None


def parse_numbered(answer: str, first: int, *, truncated: bool) -> list[str]:
    r"""The items of a numbered list that goes on at `first`; a leading item may lack its number.

    >>> parse_numbered(" Sort the list.\n10) **Name** a river.\nAny river.", 9, truncated=False)
    ['Sort the list.', '**Name** a river. Any river.']
    """
    items: list[list[str]] = []
    lines = [line for line in answer.splitlines() if not _FENCE.match(line)]
    if any(_NUMBERED.match(line) for line in lines) and not _continues(lines, first):
        while lines and not _NUMBERED.match(lines[0]):
            lines.pop(0)  # "Sure! Here are eight tasks:"
    for line in lines:
        match = _NUMBERED.match(line)
        if match:
            items.append([match.group(2)])
        elif not items:
            items.append([line])
        elif line.strip():
            items[-1].append(line)
    texts = [" ".join(" ".join(parts).split()) for parts in items]
    if truncated:
        texts = texts[:-1]
    return [text for text in texts if text]


def parse_yes_no(answer: str) -> bool | None:
    """The first word if it is yes or no, else None.

    >>> parse_yes_no(" **Yes**, it has two labels."), parse_yes_no("It depends.")
    (True, None)
    """
    match = re.match(r"[^a-z]*(yes|no)\b", answer, re.IGNORECASE)
    return None if match is None else match.group(1).lower() == "yes"


def parse_examples(answer: str, *, truncated: bool) -> list[Example]:
    """The examples of an answer, in either order of input and output or label.

    An example ends where the next one's number stands, or where a field appears again.
    """
    examples: list[Example] = []
    for fields in _blocks(answer):
        output = fields.get("label", fields.get("output"))
        given = fields.get("input", "")
        if fields.keys() == {""}:  # no field at all: the whole answer is the output
            output = fields[""]
        if fields.keys() & {"input", "output", "label"} or output:
            examples.append(Example(_unquote(given), None if output is None else output.strip()))
    return examples[:-1] if truncated else examples


def _blocks(answer: str) -> list[dict[str, str]]:
    """The fields of each example: text under "input", "output", "label", or "" before any."""
    blocks: list[dict[str, str]] = [{}]
    field = ""
    for line in answer.splitlines():
        if _EXAMPLE.match(line):
            blocks.append({})
            field = ""
            continue
        name, rest = _field(line)
        if name:
            if name in blocks[-1]:
                blocks.append({})
            blocks[-1][name], field = rest, name
        elif line.strip() or field:
            before = blocks[-1].get(field)
            blocks[-1][field] = line if before in (None, "") else f"{before}\n{line}"
    for block in blocks:
        if len(block) > 1:
            block.pop("", None)  # a preamble
    return [block for block in blocks if any(text.strip() for text in block.values())]


def _field(line: str) -> tuple[str, str]:
    for name, pattern in (("input", _INPUT), ("output", _OUTPUT), ("label", _LABEL)):
        match = pattern.match(line)
        if match:
            return name, match.group(1)
    return "", line


def _unquote(text: str) -> str:
    """An input without its quotation marks; empty where the teacher wrote that there is none.

    A bare Markdown table, whose lines begin with bars of their own, stays as it is.
    """
    lines = text.strip("\n").split("\n")
    quoted = all(line == "|" or line.startswith("| ") for line in lines)
    table = all(line.endswith("|") and line.count("|") > 1 for line in lines)
    if quoted and (not table or all(line.startswith("| |") for line in lines)):
        return "\n".join(line[2:] for line in lines)
    found = text.strip()
    return "" if found.casefold() in NOTHING else found


def _continues(lines: list[str], first: int) -> bool:
    """Whether the first line goes on the open number: the first number in the list is the next."""
    numbers = (match for line in lines if (match := _NUMBERED.match(line)))
    found = next(numbers, None)
    return found is not None and int(found.group(1)) == first + 1
