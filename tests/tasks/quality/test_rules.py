"""Rules: which signal, which side of which limit, in which order."""

from typing import Any

import pyarrow as pa
import pytest

from pipeline_config.quality import (
    C4Rules,
    FineWebRules,
    GopherQualityRules,
    GopherRepetitionRules,
    LanguageRules,
    QualityRules,
)
from tasks.quality import c4, fineweb, gopher_quality, gopher_repetition
from tasks.quality.rules import decide, limits

# A document that passes every rule.
GOOD: dict[str, Any] = {
    "num_words": 100,
    "mean_word_length": 5.0,
    "alpha_word_fraction": 1.0,
    "num_stop_words": 4,
    "num_c4_sentences": 9,
    "num_c4_spaced_sentences": 9,
    "fineweb_v1_marked_line_fraction": 1.0,
    "fineweb_v2_marked_line_fraction": 1.0,
    "language": "en",
    "language_score": 0.99,
}
EVERY_RULE = QualityRules(c4=C4Rules(enabled=True), fineweb=FineWebRules(enabled=True))


def scores(*changes: dict[str, Any]) -> pa.Table:
    nouns = (gopher_quality, gopher_repetition, c4, fineweb)
    names = [name for noun in nouns for name in noun.SCHEMA.names]
    zeros = dict.fromkeys(names, 0.0) | GOOD
    return pa.Table.from_pylist([zeros | change for change in changes])


def reasons(rules: QualityRules, *changes: dict[str, Any]) -> list[str]:
    return list(decide(scores(*changes), rules).reason)


# The limits of Rae et al. 2021, of C4 and of FineWeb, and what is just beyond them.
@pytest.mark.parametrize(
    ("signal", "passes", "fails", "reason"),
    [
        ("num_words", 50, 49, "gopher_short_doc"),
        ("num_words", 100_000, 100_001, "gopher_long_doc"),
        ("mean_word_length", 3.0, 2.999, "gopher_short_words"),
        ("mean_word_length", 10.0, 10.001, "gopher_long_words"),
        ("hash_to_word_ratio", 0.1, 0.101, "gopher_hashes"),
        ("ellipsis_to_word_ratio", 0.1, 0.101, "gopher_ellipses"),
        ("bullet_line_fraction", 0.9, 0.901, "gopher_bullet_lines"),
        ("ellipsis_line_fraction", 0.3, 0.301, "gopher_ellipsis_lines"),
        ("alpha_word_fraction", 0.8, 0.799, "gopher_alpha_words"),
        ("num_stop_words", 2, 1, "gopher_stop_words"),
        ("dup_line_fraction", 0.3, 0.301, "gopher_dup_line"),
        ("dup_paragraph_fraction", 0.3, 0.301, "gopher_dup_paragraph"),
        ("dup_line_char_fraction", 0.2, 0.201, "gopher_dup_line_char"),
        ("dup_paragraph_char_fraction", 0.2, 0.201, "gopher_dup_paragraph_char"),
        ("top_2_gram_char_fraction", 0.2, 0.201, "gopher_top_2_gram_char"),
        ("top_3_gram_char_fraction", 0.18, 0.181, "gopher_top_3_gram_char"),
        ("top_4_gram_char_fraction", 0.16, 0.161, "gopher_top_4_gram_char"),
        ("dup_5_gram_char_fraction", 0.15, 0.151, "gopher_dup_5_gram_char"),
        ("dup_6_gram_char_fraction", 0.14, 0.141, "gopher_dup_6_gram_char"),
        ("dup_7_gram_char_fraction", 0.13, 0.131, "gopher_dup_7_gram_char"),
        ("dup_8_gram_char_fraction", 0.12, 0.121, "gopher_dup_8_gram_char"),
        ("dup_9_gram_char_fraction", 0.11, 0.111, "gopher_dup_9_gram_char"),
        ("dup_10_gram_char_fraction", 0.1, 0.101, "gopher_dup_10_gram_char"),
        ("num_lorem_ipsum_lines", 0, 1, "c4_lorem_ipsum"),
        ("num_curly_bracket_lines", 0, 1, "c4_curly_bracket"),
        ("num_c4_sentences", 5, 4, "c4_few_sentences"),
        ("fineweb_v1_marked_line_fraction", 0.12, 0.119, "fineweb_unmarked_lines"),
        ("fineweb_v1_short_line_fraction", 0.67, 0.671, "fineweb_short_lines"),
        ("fineweb_dup_line_char_fraction", 0.01, 0.011, "fineweb_dup_line_char"),
        ("newline_to_word_ratio", 0.3, 0.301, "fineweb_newlines"),
        ("language", "en", "de", "language_other"),
        ("language_score", 0.65, 0.649, "language_unsure"),
    ],
)
def test_the_limit_itself_passes(signal: str, passes: Any, fails: Any, reason: str) -> None:
    assert reasons(EVERY_RULE, {signal: passes}, {signal: fails}) == ["", reason]


def test_the_first_rule_failed_is_the_reason_and_every_one_is_counted() -> None:
    bad = {"language": "de", "num_words": 3, "dup_line_fraction": 0.9}
    decided = decide(scores({}, bad, bad | {"language": "en"}), QualityRules())
    assert list(decided.reason) == ["", "language_other", "gopher_short_doc"]
    failing = {name: number for name, number in decided.num_failing.items() if number}
    assert failing == {"language_other": 1, "gopher_short_doc": 2, "gopher_dup_line": 2}


def test_a_group_and_a_rule_can_be_switched_off() -> None:
    bad = {"language": "de", "num_words": 3, "num_stop_words": 0, "dup_line_fraction": 0.9}
    no_language = QualityRules(language=LanguageRules(enabled=False))
    assert reasons(no_language, bad) == ["gopher_short_doc"]
    no_length = QualityRules(
        language=LanguageRules(enabled=False), gopher_quality=GopherQualityRules(min_words=None)
    )
    assert reasons(no_length, bad) == ["gopher_stop_words"]
    only_language = QualityRules(
        language=LanguageRules(languages=("en", "de")),
        gopher_quality=GopherQualityRules(enabled=False),
        gopher_repetition=GopherRepetitionRules(enabled=False),
    )
    assert reasons(only_language, bad) == [""]


def test_every_limit_is_about_a_signal_that_is_measured() -> None:
    measured = {*scores({}).column_names}
    assert {limit.signal for limit in limits(EVERY_RULE)} <= measured
    assert len({limit.reason for limit in limits(EVERY_RULE)}) == 31


def test_rules_for_web_pages_are_off_until_asked_for() -> None:
    assert len(limits(QualityRules())) == 24


def test_the_way_to_count_can_be_chosen() -> None:
    chosen = QualityRules(
        c4=C4Rules(enabled=True, sentences="spacing"),
        fineweb=FineWebRules(enabled=True, version="v2"),
    )
    first = {"num_c4_sentences": 0, "fineweb_v1_short_line_fraction": 1.0}
    second = {"num_c4_spaced_sentences": 0}
    third = {"fineweb_v2_short_line_fraction": 1.0}
    assert reasons(EVERY_RULE, first, second, third) == ["c4_few_sentences", "", ""]
    assert reasons(chosen, first, second, third) == ["", "c4_few_sentences", "fineweb_short_lines"]
