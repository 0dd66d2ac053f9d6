import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_config.pii import PiiRules
from tasks.quality.pii import KINDS, find_pii, is_card, luhn_sum

RULES = PiiRules(phone_regions=("US", "DE"))


def found(text: str, rules: PiiRules = RULES) -> list[tuple[str, str]]:
    return [(kind, text[start:end]) for start, end, kind in find_pii(text, rules)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail jane.doe+news@mail.example.co.uk.", ("email", "jane.doe+news@mail.example.co.uk")),
        ("<x_1@example.org>", ("email", "x_1@example.org")),
        ("call (212) 736-5000 today", ("phone", "(212) 736-5000")),
        ("call 212-736-5000", ("phone", "212-736-5000")),
        ("Tel. +44 20 7031 3000", ("phone", "+44 20 7031 3000")),
        ("Tel. +493012345678!", ("phone", "+493012345678")),
        ("Telefon 030 12345678", ("phone", "030 12345678")),
        ("+33 1 42 68 53 00", ("phone", "+33 1 42 68 53 00")),
        ("+61 2 9374 4000", ("phone", "+61 2 9374 4000")),
        ("+81 3 1234 5678", ("phone", "+81 3 1234 5678")),
        ("+44 20 7031 3000 12/25", ("phone", "+44 20 7031 3000")),
        ("server 8.8.8.8.", ("ip_address", "8.8.8.8")),
        ("server 2606:4700:4700::1111,", ("ip_address", "2606:4700:4700::1111")),
        ("card 4111 1111 1111 1111", ("card", "4111 1111 1111 1111")),
        ("card 3782-822463-10005", ("card", "3782-822463-10005")),
        ("card 4111 1111 1111 1111 12/25", ("card", "4111 1111 1111 1111")),
        ("card 4111 1111 1111 1111 123", ("card", "4111 1111 1111 1111")),
        ("no 1 4111 1111 1111 1111", ("card", "4111 1111 1111 1111")),
        ("41 11 11 11 11 11 11 11", ("card", "41 11 11 11 11 11 11 11")),
        ("联系邮箱jane@example.com", ("email", "jane@example.com")),
        ("メールはjane@example.comまで", ("email", "jane@example.com")),
        ("_jane@example.org", ("email", "jane@example.org")),
        ("-jane@example.org", ("email", "jane@example.org")),
        ("mailto:%20jane@example.org", ("email", "jane@example.org")),
        ("toot to @jane@social.example!", ("email", "@jane@social.example")),
        ("(@j.doe@social.example)", ("email", "@j.doe@social.example")),
        ("@__jane@social.example", ("email", "@__jane@social.example")),
        ("a@jane@example.org", ("email", "jane@example.org")),
        ("@@jane@example.org", ("email", "@jane@example.org")),
        ("O'Brien@example.org", ("email", "O'Brien@example.org")),
        ("<pat.o'brien@example.org>", ("email", "pat.o'brien@example.org")),
        ("to='jane@example.org'", ("email", "jane@example.org")),
        ("all'info@example.org", ("email", "info@example.org")),
        ("jane@example.org_x", ("email", "jane@example.org")),
        ("éloïse@example.org", ("email", "éloïse@example.org")),
        ("x@example.xn--p1ai.", ("email", "x@example.xn--p1ai")),
        ("地址8.8.8.8是", ("ip_address", "8.8.8.8")),
        ("IP:2606:4700:4700::1111: down", ("ip_address", "2606:4700:4700::1111")),
        ("id AKIAIOSFODNN7EXAMPLE,", ("key", "AKIAIOSFODNN7EXAMPLE")),
        ("token=ghp_" + "a1B2" * 9, ("key", "ghp_" + "a1B2" * 9)),
    ],
)
def test_what_is_personal_is_found_as_a_whole(text: str, expected: tuple[str, str]) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "version 1.2.3, release 10.0.0.1, host 192.168.1.20 and 127.0.0.1",
        "from 2024-10-20 to 2024-11-20, pages 100-200",
        "0.8333333333 and 3.14159265358979",
        "match a::b, 1::2, ::f, 4000::",
        "C++ std::vector, at 12:30:15, ratio 1:2",
        "ISBN 978-3-16-148410-0",
        "array [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] 1234567890",
        "a @decorator and user@localhost",
        "card 4111 1111 1111 1112",  # the check digit is wrong
        "10 41 11 11 11 11 11 11 11 20",  # a column of small numbers
        "1.2.3.4.5.6",
        "task-force-abcdefghijklmnopqrstuvwxyz",
    ],
)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert found(text) == []


def test_a_private_key_is_one_find() -> None:
    begin, end = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
    key = f"{begin}\nDEK-Info: AES-128-CBC,0A\n\nMIIE+a/b=\n{end}"
    assert found(f"before\n{key}\nafter\n{key}") == [("key", key)] * 2
    assert found(f"{begin}\nMIIE\n{key}") == [("key", key)]


@pytest.mark.parametrize(
    "key",
    [
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2.0.22 (GNU/Linux)\n"
        "Comment: https://gnupg.org - x\n\nlQHYBF0\n=a1Bc\n-----END PGP PRIVATE KEY BLOCK-----",
        r"-----BEGIN PRIVATE KEY-----\nMIIEvQ+/\n-----END PRIVATE KEY-----\n"[:-2],
    ],
)
def test_a_key_in_its_armour_or_in_a_json_string_is_found(key: str) -> None:
    assert found(f'"{key}\\n"') == [("key", key)]
    assert found(key.replace("PRIVATE", "PUBLIC")) == []


def test_addresses_side_by_side_are_found_each() -> None:
    assert found("a@b.cc'x@d.org @jane@e.org@f@g.org") == [
        ("email", "a@b.cc"),
        ("email", "x@d.org"),
        ("email", "@jane@e.org"),
        ("email", "f@g.org"),
    ]


def test_only_the_chosen_kinds_are_found() -> None:
    text = "a@x.org 8.8.8.8"
    assert found(text, PiiRules(kinds=("ip_address",))) == [("ip_address", "8.8.8.8")]


def test_check_digits_by_hand() -> None:
    # 7 9 9 2 7 3 9 8 7 1 3, every second from the right doubled: 7+9+9+4+7+6+9+7+7+2+3
    assert luhn_sum("79927398713") == 70
    assert is_card("5555555555554444")
    assert not is_card("9555555555554444")  # nobody issues it


@given(st.text(alphabet="a@.1 -+:(){}<4/", max_size=60))
def test_finds_are_in_order_and_apart(text: str) -> None:
    spans = find_pii(text, RULES)
    assert all(0 <= start < end <= len(text) for start, end, _ in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert {kind for _, _, kind in spans} <= set(KINDS)


# ---- planted in any surroundings

CARDS = ("4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "3056 930902 5904")
PLANTED = (
    *(("card", card) for card in CARDS),
    ("email", "jane.doe+news@mail.example.co.uk"),
    ("email", "x_1@example.org"),
    ("phone", "+33 1 42 68 53 00"),
    ("phone", "(212) 736-5000"),
    ("ip_address", "8.8.8.8"),
    ("ip_address", "2606:4700:4700::1111"),
    ("key", "AKIAIOSFODNN7EXAMPLE"),
)
# Letters, marks and signs of many scripts; no digits, and nothing that an address may hold.
SCRIPTS = "привет世界かなカナ한글مرحباहिन्दीไทยελλάδαשלוםქართულიአማርኛ🖕👍 \n\t,;!?()<>\"'。、「」…"
SURROUNDINGS = st.text(alphabet=SCRIPTS, max_size=12)


@given(st.lists(st.tuples(SURROUNDINGS, st.sampled_from(PLANTED)), max_size=5), SURROUNDINGS)
def test_what_is_planted_in_any_script_is_found(
    parts: list[tuple[str, tuple[str, str]]], end: str
) -> None:
    text = "".join(f"{before}。{planted}、" for before, (_, planted) in parts) + end
    close = "".join(f"{before}字{planted}ж" for before, (_, planted) in parts) + end
    assert found(text) == found(close) == [planted for _, planted in parts]


def could_be_card(digits: str) -> bool:
    return 13 <= len(digits) <= 19 and is_card(digits)


@given(
    st.lists(st.from_regex(r"[0-9]{1,5}", fullmatch=True), max_size=4),
    st.sampled_from(CARDS),
    st.lists(st.from_regex(r"[0-9]{1,5}", fullmatch=True), max_size=4),
    st.sampled_from(" -"),
)
def test_a_card_is_found_between_any_groups_of_digits(
    before: list[str], card: str, after: list[str], separator: str
) -> None:
    text = separator.join([*before, card, *after])
    start = len(separator.join([*before, ""]))
    spans = [span for *span, kind in find_pii(text, PiiRules(kinds=("card",)))]
    (around,) = (span for span in spans if span[0] <= start < span[1])
    assert around[1] >= start + len(card)
    # Whatever else is masked could be a card as well.
    for first, last in spans:
        groups = [(m.start(), m.end()) for m in re.finditer(r"\d+", text)]
        inside = [group for group in groups if first <= group[0] and group[1] <= last]
        assert (inside[0][0], inside[-1][1]) == (first, last)
        masked = {
            group
            for i in range(len(inside))
            for j in range(i, len(inside))
            if could_be_card("".join(text[a:b] for a, b in inside[i : j + 1]))
            for group in inside[i : j + 1]
        }
        assert masked == set(inside)


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "a%20",
        "%aa",
        "é-",
        "1:",
        "1:1::",
        "4444-",
        "1.1.1.1a.",
        "1",
        "a.",
        "1.",
        "1 ",
        "a@",
        "a." * 30 + "a'b@cc.dd ",
        "o'b@cc.dd ",
        "@b@cc.ddd ",
        "+1 ",
        "::",
        "eyJ",
        "-----BEGIN PRIVATE KEY-----",
        "a@b.cc 8.8.8.8 ",
    ],
)
def test_hostile_text_ends(unit: str) -> None:
    # Half a million characters in a second or so; looking at all pairs of them would take an hour.
    text = unit * (500_000 // len(unit)) + "@"
    spans = find_pii(text, RULES)
    assert (len(spans) > 60_000) == (unit == "a@b.cc 8.8.8.8 ")
