"""From signals and limits to a decision: the rules in their order, and who fails which.

A document is dropped for the first rule it fails: language, Gopher's quality, its repetition, C4,
FineWeb, the classifiers, as listed here. A limit is the last value that passes.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline_config.classifier import ClassifierLimits
from pipeline_config.quality import (
    C4Rules,
    FineWebRules,
    GopherQualityRules,
    GopherRepetitionRules,
    QualityRules,
)

Mask = npt.NDArray[np.bool_]


class Limit(NamedTuple):
    """One rule: `signal` must be at least or at most `value`; None switches it off."""

    reason: str
    signal: str
    at_least: float | None = None
    at_most: float | None = None

    def fails(self, scores: pa.Table) -> Mask | None:
        """Return which documents fail, None when the rule is off."""
        value = self.at_least if self.at_most is None else self.at_most
        if value is None:
            return None
        signal = np.asarray(scores[self.signal])
        failing: Mask = signal < value if self.at_most is None else signal > value
        return failing


class Decided(NamedTuple):
    """The decision on every document, and how many fail each rule, be it first or not."""

    reason: npt.NDArray[np.object_]  # "" for a document that is kept
    num_failing: dict[str, int]  # of every rule that is on, in order


def decide(scores: pa.Table, rules: QualityRules) -> Decided:
    """Decide on documents, given their signals."""
    failing: dict[str, Mask] = {}
    if rules.language.enabled:
        spoken = pc.is_in(scores["language"], pa.array(rules.language.languages))
        failing["language_other"] = ~np.asarray(spoken)
    for limit in limits(rules):
        mask = limit.fails(scores)
        if mask is not None:
            failing[limit.reason] = mask
    reason = np.full(scores.num_rows, "", dtype=object)
    for name in reversed(failing):
        reason[failing[name]] = name
    return Decided(reason, {name: int(mask.sum()) for name, mask in failing.items()})


def limits(rules: QualityRules) -> list[Limit]:
    """Return the limits of the groups that are enabled, in order."""
    found = []
    if rules.language.enabled:
        found.append(Limit("language_unsure", "language_score", rules.language.min_score))
    if rules.gopher_quality.enabled:
        found += quality_limits(rules.gopher_quality)
    if rules.gopher_repetition.enabled:
        found += repetition_limits(rules.gopher_repetition)
    if rules.c4.enabled:
        found += c4_limits(rules.c4)
    if rules.fineweb.enabled:
        found += fineweb_limits(rules.fineweb)
    found += classifier_limits(rules.classifier_limits)
    return found


def quality_limits(rules: GopherQualityRules) -> list[Limit]:
    """Rae et al. 2021, appendix A.1."""
    symbols, lines = "to_word_ratio", "line_fraction"
    return [
        Limit("gopher_short_doc", "num_words", at_least=rules.min_words),
        Limit("gopher_long_doc", "num_words", at_most=rules.max_words),
        Limit("gopher_short_words", "mean_word_length", at_least=rules.min_mean_word_length),
        Limit("gopher_long_words", "mean_word_length", at_most=rules.max_mean_word_length),
        Limit("gopher_hashes", f"hash_{symbols}", at_most=rules.max_hash_to_word_ratio),
        Limit("gopher_ellipses", f"ellipsis_{symbols}", at_most=rules.max_ellipsis_to_word_ratio),
        Limit("gopher_bullet_lines", f"bullet_{lines}", at_most=rules.max_bullet_line_fraction),
        Limit(
            "gopher_ellipsis_lines", f"ellipsis_{lines}", at_most=rules.max_ellipsis_line_fraction
        ),
        Limit("gopher_alpha_words", "alpha_word_fraction", at_least=rules.min_alpha_word_fraction),
        Limit("gopher_stop_words", "num_stop_words", at_least=rules.min_stop_words),
    ]


def repetition_limits(rules: GopherRepetitionRules) -> list[Limit]:
    """Rae et al. 2021, table A1: `max_dup_line_fraction` limits the signal `dup_line_fraction`."""
    values: dict[str, float | None] = rules.model_dump(exclude={"enabled"})
    signals = [key.removeprefix("max_") for key in values]
    names = [f"gopher_{signal.removesuffix('_fraction')}" for signal in signals]
    return [
        Limit(name, signal, at_most=value)
        for name, signal, value in zip(names, signals, values.values(), strict=True)
    ]


def c4_limits(rules: C4Rules) -> list[Limit]:
    """Raffel et al. 2020, section 2.2."""
    sentences = "num_c4_sentences" if rules.sentences == "marks" else "num_c4_spaced_sentences"
    return [
        Limit("c4_lorem_ipsum", "num_lorem_ipsum_lines", at_most=rules.max_lorem_ipsum_lines),
        Limit("c4_curly_bracket", "num_curly_bracket_lines", at_most=rules.max_curly_bracket_lines),
        Limit("c4_few_sentences", sentences, at_least=rules.min_sentences),
    ]


def fineweb_limits(rules: FineWebRules) -> list[Limit]:
    """Penedo et al. 2024, section 3.6."""
    lines = f"fineweb_{rules.version}"
    return [
        Limit(
            "fineweb_unmarked_lines",
            f"{lines}_marked_line_fraction",
            at_least=rules.min_marked_line_fraction,
        ),
        Limit(
            "fineweb_short_lines",
            f"{lines}_short_line_fraction",
            at_most=rules.max_short_line_fraction,
        ),
        Limit(
            "fineweb_dup_line_char",
            "fineweb_dup_line_char_fraction",
            at_most=rules.max_dup_line_char_fraction,
        ),
        Limit("fineweb_newlines", "newline_to_word_ratio", at_most=rules.max_newline_to_word_ratio),
    ]


def classifier_limits(rules: ClassifierLimits) -> list[Limit]:
    """Li et al. 2024, section 4.4: a least score; toxicity has a greatest one."""
    found = []
    for name in rules.names:
        signal = f"classifier_{name}"
        found.append(Limit(f"{signal}_low", signal, at_least=rules.min_score.get(name)))
        found.append(Limit(f"{signal}_high", signal, at_most=rules.max_score.get(name)))
    return found
