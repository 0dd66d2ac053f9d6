"""Personal data in a text: email addresses, phone numbers, IP addresses, secret keys, cards.

Every kind is found by a pattern that looks at a character a bounded number of times, for crawled
text is hostile; then it is checked for what it claims to be:

- email addresses by their form, with a top-level domain of letters;
- phone numbers by the numbering plans of `phonenumbers` (Google's libphonenumber), in one of the
  ways to group them that the plan knows, so that dates and article numbers stay;
- IP addresses of both versions, when they are public (IANA's registries, by `ipaddress`);
- secret keys by the prefixes and lengths of those who issue them;
- payment cards by prefix, length and check digit (ISO/IEC 7812, Luhn).

What two kinds claim belongs to the first of KINDS. The placeholder of a kind is always the same, so
equal texts stay equal and a model learns one word for it.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence

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

# A local part has at most 64 characters, a label 63 (RFC 5321, RFC 1035).
EMAIL = re.compile(
    r"(?<![\w.%+-])[A-Za-z0-9][\w.%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])"
)
IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)")
IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,39}(?![\w:])")
CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")
# Begins with +, a bracket or a digit; groups are parted, or there is a +.
PHONE = re.compile(r"(?<![\w.+/-])(?:\+|\(\d{1,5}\)|\d)[\d ().\-/\u00a0\u2011]{5,22}\d(?![\w-])")
DIGITS = re.compile(r"\d+")
DECIMAL = re.compile(r"\d+\.\d+")
MOST_GROUPS = 6  # +49 89 12 34 56 78
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
    # Between the marks no two hyphens follow each other, so no beginning is looked past twice.
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\w+/=\s:,]*+(?:-(?!-)[\w+/=\s:,]*+)*+"
    r"-----END [A-Z ]{0,30}KEY-----"
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
    """Email addresses."""
    if "@" in text:
        yield from (match.span() for match in EMAIL.finditer(text))


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
    """Numbers of payment cards."""
    for match in CARD.finditer(text):
        if is_card(re.sub(r"[ -]", "", match[0])):
            yield match.span()


def find_phones(text: str, regions: Sequence[str]) -> Iterator[Span]:
    """Phone numbers; without +, those of the regions, when their digits come in groups."""
    for match in PHONE.finditer(text):
        number = match[0]
        groups = DIGITS.findall(number)
        # A look at the groups spares columns of numbers the plans: 0.4 ms each.
        if len(groups) > MOST_GROUPS or any(len(group) < 2 for group in groups[1:]):
            continue
        if DECIMAL.fullmatch(number):
            continue
        if number.startswith("+"):
            span = _phone_in(number, None)
        elif len(groups) > 1:
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


def _phone_in(text: str, region: str | None) -> Span | None:
    """Where the first valid number lies in a short text."""
    import phonenumbers  # 0.1 s, spared where no text has a candidate

    matcher = phonenumbers.PhoneNumberMatcher(
        text, region, leniency=phonenumbers.Leniency.STRICT_GROUPING
    )
    for match in matcher:
        return match.start, match.end
    return None
