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
        ("server 8.8.8.8.", ("ip_address", "8.8.8.8")),
        ("server 2606:4700:4700::1111,", ("ip_address", "2606:4700:4700::1111")),
        ("card 4111 1111 1111 1111", ("card", "4111 1111 1111 1111")),
        ("card 3782-822463-10005", ("card", "3782-822463-10005")),
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


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "1",
        "a.",
        "1.",
        "1 ",
        "a@",
        "+1 ",
        "::",
        "eyJ",
        "-----BEGIN PRIVATE KEY-----",
        "a@b.cc 8.8.8.8 ",
    ],
)
def test_hostile_text_ends(unit: str) -> None:
    # Half a million characters in a second or so; looking at all pairs of them would take an hour.
    text = unit * (500_000 // len(unit))
    spans = find_pii(text, RULES)
    assert (len(spans) > 60_000) == (unit == "a@b.cc 8.8.8.8 ")
