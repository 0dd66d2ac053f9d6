"""Personal data in a text: email addresses, phone numbers, IP addresses, secret keys, cards.

Every kind is found by a pattern that looks at a character a bounded number of times, for crawled
text is hostile; then it is checked for what it claims to be:

- email addresses by their form, with a top-level domain of letters; handles such as
  @jane@example.org, which name a person the same way, are masked as one with their first @;
- phone numbers by the numbering plans of `phonenumbers` (Google's libphonenumber), in one of the
  ways to group them that the plan knows, so that dates and article numbers stay;
- IP addresses of both versions, when they are public (IANA's registries, by `ipaddress`);
- secret keys by the prefixes and lengths of those who issue them;
- payment cards by prefix, length and check digit (ISO/IEC 7812, Luhn), with other groups of digits
  beside them or not; where two could be meant, both go.

What ends a find is said in ASCII, for scripts without spaces put their letters next to an address.
Only the names in email addresses may have other Latin letters.

What two kinds claim belongs to the first of KINDS. The placeholder of a kind is always the same, so
equal texts stay equal and a model learns one word for it.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from pipeline_config.pii import PiiKind, PiiRules

Span = tuple[int, int]

PLACEHOLDERS: dict[PiiKind, str] = {
    "key": "<KEY>",
    "email": "<EMAIL>",
    "card": "<CARD>",
    "ip_address": "<IP_ADDRESS>",
    "phone": "<PHONE>",
}
KINDS: tuple[PiiKind, ...] = tuple(PLACEHOLDERS)

# A local part has at most 64 characters, a label 63 (RFC 5321, RFC 1035). What stands before the
# first letter or digit is no part of it, nor is an escape such as %20; marks are in it (NFD).
LATIN = r"A-Za-z0-9\u00c0-\u024f"
EMAIL = re.compile(
    rf"(?:(?<![{LATIN}])(?!(?<=%)[0-9A-Fa-f]{{2}})|(?<=%[0-9A-Fa-f]{{2}}))"
    rf"[{LATIN}][{LATIN}\u0300-\u036f_.%+-]{{0,63}}@"
    r"(?:[A-Za-z0-9-]{1,63}\.){1,8}(?:xn--[A-Za-z0-9-]{1,59}|[A-Za-z]{2,24})(?![A-Za-z0-9])"
)
# What the pattern leaves out in front of an address: the @ of a handle, or o' as in o'brien. It is
# looked for only where an address was found.
FRONT = re.compile(
    rf"(?<![{LATIN}])(?:@_{{0,9}}|(?:[{LATIN}][{LATIN}_.%+-]{{0,60}}[_.%+-])?[{LATIN}]')\Z"
)
FRONT_CHARS = 64
IPV4 = re.compile(r"(?<![A-Za-z0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![A-Za-z0-9.]*[0-9])")
IPV6 = re.compile(
    r"(?<![A-Za-z0-9.])[0-9A-Fa-f]{0,4}+(?::{1,2}[0-9A-Fa-f]{1,4}){1,8}+(?:::)?+"
    r"(?![A-Za-z0-9]|:[0-9A-Fa-f:])"
)
DIGIT_GROUPS = re.compile(r"(?<![A-Za-z0-9_.-])[0-9]+(?:[ -][0-9]+)*(?![A-Za-z0-9_])")
CARD_DIGITS = 13, 19
MIN_GROUP_DIGITS = 3  # of a card beside other digits; columns of two-digit numbers stay
# Begins with +, a bracket or a digit; groups are parted, or there is a +.
PHONE = re.compile(
    r"(?<![A-Za-z0-9_.+/-])(?:\+|\(\d{1,5}\)|\d)[\d ().\-/\u00a0\u2011]{5,22}\d(?![A-Za-z0-9_-])"
)
DIGITS = re.compile(r"\d+")
DECIMAL = re.compile(r"\d+\.\d+")
MIN_PHONE_DIGITS = 7  # after a +
MOST_GROUPS = 6  # 089 12 34 56 78 90
KEYS = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"(?:AKIA|ASIA)[A-Z0-9]{16}"  # Amazon
    r"|gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{82}"  # GitHub
    r"|glpat-[\w-]{20}"  # GitLab
    r"|xox[abprs]-[A-Za-z0-9-]{10,200}"  # Slack
    r"|AIza[\w-]{35}"  # Google
    r"|sk-[A-Za-z0-9_-]{20,200}|hf_[A-Za-z]{34}"  # OpenAI and others, Hugging Face
    r"|[sr]k_live_[A-Za-z0-9]{24,99}"  # Stripe
    r"|eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,2000}"  # JSON Web Token
    r")(?![A-Za-z0-9_-])"
    # Between the marks no two hyphens follow each other, so no beginning is looked past twice. Else
    # all may be there: headers, such as GnuPG's version, and the line ends of a JSON string.
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----[^-]*+(?:-(?!-)[^-]*+)*+"
    r"-----END [A-Z ]{0,30}KEY(?: BLOCK)?-----",
    re.ASCII,
)
UNICAST = ipaddress.ip_network("2000::/3")  # all that IANA has given out
# One of these is in every key: looking for them spares most texts the pattern.
KEY_MARKS = (
    *("AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox"),
    *("AIza", "sk-", "hf_", "_live_", "eyJ", "PRIVATE KEY"),
)
# Issuer prefixes (first and last) and lengths: Visa, Mastercard, American Express, Discover, JCB,
# Diners Club, UnionPay, Maestro.
ISSUERS = (
    ("4", "4", (13, 16, 19)),
    ("51", "55", (16,)),
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),
    ("37", "37", (15,)),
    ("6011", "6011", (16, 19)),
    ("644", "659", (16, 19)),
    ("3528", "3589", (16, 19)),
    ("300", "305", (14,)),
    ("36", "36", (14,)),
    ("38", "39", (14, 16)),
    ("62", "62", (16, 17, 18, 19)),
)


def find_pii(text: str, rules: PiiRules) -> list[tuple[int, int, PiiKind]]:
    """Return the (start, end, kind) of everything personal, in order, without overlaps.

    >>> find_pii("write to a@x.org", PiiRules())
    [(9, 16, 'email')]
    """
    finders: dict[PiiKind, Callable[[], Iterator[Span]]] = {
        "key": lambda: find_keys(text),
        "email": lambda: find_emails(text),
        "card": lambda: find_cards(text),
        "ip_address": lambda: find_addresses(text),
        "phone": lambda: find_phones(text, rules.phone_regions),
    }
    found: list[tuple[int, int, PiiKind]] = []
    taken = bytearray(len(text))  # by character
    for kind in KINDS:
        for start, end in finders[kind]() if kind in rules.kinds else ():
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append((start, end, kind))
    return sorted(found)


def find_emails(text: str) -> Iterator[Span]:
    """Email addresses and handles.

    >>> list(find_emails("@jane@example.org, o'hara@example.org"))
    [(0, 17), (19, 37)]
    """
    last = 0
    for match in EMAIL.finditer(text) if "@" in text else ():
        start, end = match.span()
        if text[start - 1 : start] in ("@", "_", "'"):
            front = FRONT.search(text, max(last, start - FRONT_CHARS), start)
            start = front.start() if front else start
        yield start, end
        last = end


def find_keys(text: str) -> Iterator[Span]:
    """Secret keys."""
    if any(mark in text for mark in KEY_MARKS):
        yield from (match.span() for match in KEYS.finditer(text))


def find_addresses(text: str) -> Iterator[Span]:
    """Public IP addresses."""
    for pattern, mark in ((IPV4, "."), (IPV6, ":")):
        for match in pattern.finditer(text) if mark in text else ():
            if is_public(match[0]):
                yield match.span()


def find_cards(text: str) -> Iterator[Span]:
    """Numbers of payment cards: whole groups of digits."""
    for run in DIGIT_GROUPS.finditer(text):
        if run.end() - run.start() >= CARD_DIGITS[0]:
            for start, end in _joined(_cards_in(run[0])):
                yield run.start() + start, run.start() + end


def find_phones(text: str, regions: Sequence[str]) -> Iterator[Span]:
    """Phone numbers; without +, those of the regions, when their digits come in groups."""
    for match in PHONE.finditer(text):
        number = match[0]
        if number.startswith("+"):
            # Digits behind a number make it none, so the last groups are left out one by one.
            ends = [group.end() for group in DIGITS.finditer(number)][::-1]
            spans = (_phone_in(number[:end], None) for end in ends if end > MIN_PHONE_DIGITS)
            span = next(filter(None, spans), None)
        elif _may_be_phone(number):
            spans = (_phone_in(number, region) for region in regions)
            span = next((s for s in spans if s and not number[slice(*s)].isdigit()), None)
        else:
            span = None
        if span:
            yield match.start() + span[0], match.start() + span[1]


def is_public(address: str) -> bool:
    """Whether a text is an IP address that the world can reach.

    >>> [is_public(text) for text in ("8.8.8.8", "192.168.0.1", "300.1.1.1", "2606:4700::1")]
    [True, False, False, True]
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if parsed.version == 6 and (
        parsed not in UNICAST or len(address.replace("::", ":").split(":")) < 3
    ):
        return False  # code is full of a::b
    return parsed.is_global and not parsed.is_multicast


def is_card(digits: str) -> bool:
    """Whether digits are the number of a payment card: an issuer's prefix, length, check digit.

    >>> is_card("4111111111111111"), is_card("4111111111111112"), is_card("0000000000000000")
    (True, False, False)
    """
    issued = any(
        first <= digits[: len(first)] <= last and len(digits) in lengths
        for first, last, lengths in ISSUERS
    )
    return issued and luhn_sum(digits) % 10 == 0


def luhn_sum(digits: str) -> int:
    """The weighted sum that a valid number's check digit makes divisible by ten.

    >>> luhn_sum("79927398713")
    70
    """
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled)


def _cards_in(run: str) -> Iterator[Span]:
    """Where cards stand in a run of groups of digits, by their start, then by their end."""
    least, most = CARD_DIGITS
    if len(run) <= 2 * most and is_card(re.sub(r"[ -]", "", run)):
        yield 0, len(run)
        return
    groups = [group.span() for group in DIGITS.finditer(run)]
    for first, (start, _) in enumerate(groups):
        digits = ""
        for begin, end in groups[first : first + most // MIN_GROUP_DIGITS]:
            if end - begin < MIN_GROUP_DIGITS or len(digits) + end - begin > most:
                break
            digits += run[begin:end]
            if len(digits) >= least and is_card(digits):
                yield start, end


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order of their starts; those that overlap become one."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def _may_be_phone(number: str) -> bool:
    """A look at the groups, which spares columns of numbers the plans: 0.4 ms each."""
    groups = DIGITS.findall(number)
    return (
        1 < len(groups) <= MOST_GROUPS
        and all(len(group) > 1 for group in groups[1:])
        and not DECIMAL.fullmatch(number)
    )


def _phone_in(text: str, region: str | None) -> Span | None:
    """Where the first valid number lies in a short text."""
    import phonenumbers  # 0.1 s, spared where no text has a candidate

    matcher = phonenumbers.PhoneNumberMatcher(
        text, region, leniency=phonenumbers.Leniency.STRICT_GROUPING
    )
    for match in matcher:
        return match.start, match.end
    return None
