from hypothesis import given
from hypothesis import strategies as st

from tasks.crawl.documents import clean_text, primary_language, shares


@given(st.text(st.characters(), max_size=60))
def test_clean_text_can_be_stored_and_is_clean_already(text: str) -> None:
    cleaned = clean_text(text)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert "\x00" not in cleaned
    assert "\r" not in cleaned
    assert clean_text(cleaned) == cleaned


def test_clean_text_replaces_each_half_of_a_surrogate_pair() -> None:
    assert clean_text("a\ud800b\udfffc") == "a\ufffdb\ufffdc"
    assert clean_text("a\ufffd\ufffd\ufffdb") == "a\ufffd\ufffd\ufffdb"
    assert clean_text("😀") == "😀"


@given(st.integers(0, 200), st.integers(1, 30))
def test_shares_of_a_trial_add_up_to_it(limit: int, parts: int) -> None:
    found = shares(limit, parts)
    assert sum(found) == limit
    assert max(found) - min(found) <= 1
    assert limit == 0 or min(found) > 0  # 0 would mean all


def test_primary_language_reads_what_pages_write() -> None:
    tags = {
        "en-US": "en",
        "DE": "de",
        "zh_Hant": "zh",
        "en, fr": "en",
        "": "",
        "klingon": "",
        None: "",
    }
    assert {tag: primary_language(tag) for tag in tags} == tags
