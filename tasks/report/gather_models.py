"""Gathers what the report says about tokens, the mixture and the two trainings."""

import json

from pipeline_config.report import ReportConfig
from tasks.report.contents import MixtureWeight, TokenCounts, TokenizerFacts, Training
from tasks.report.curves import read_training
from tasks.report.inputs import Inputs

LONGEST_TOKENS = 12


def tokenizer(inputs: Inputs) -> TokenizerFacts | None:
    """The tokenizer and what it made of every source; None when nothing was tokenized."""
    sources = tuple(
        _token_counts(source, inputs.counts(ref).extra)
        for source, ref in inputs.sources("tokenize").items()
    )
    trained = inputs.get("train-tokenizer")
    if not sources and trained is None:
        return None
    refs = [trained] if trained is not None else list(inputs.sources("tokenize").values())
    vocab_size = int(inputs.counts(refs[0]).extra["vocab_size"])
    longest: tuple[str, ...] = ()
    if trained is not None:
        ranks = inputs.path(trained, "tokenizer.json").read_text(encoding="utf-8")
        longest = longest_tokens(json.loads(ranks)["model"]["vocab"])
    return TokenizerFacts(vocab_size, sources, longest)


def _token_counts(source: str, extra: dict[str, dict[str, int]]) -> TokenCounts:
    train, heldout = extra["train"], extra["heldout"]
    return TokenCounts(
        source,
        documents=train["documents"] + heldout["documents"],
        train_tokens=train["tokens"],
        heldout_tokens=heldout["tokens"],
        text_bytes=train["bytes"] + heldout["bytes"],
    )


def longest_tokens(vocabulary: dict[str, int]) -> tuple[str, ...]:
    """The longest tokens that hold a letter; the others are mostly runs of spaces or dashes.

    Byte-level BPE writes each byte as one character: a space as Ġ, a newline as Ċ.
    """
    words = [token for token in vocabulary if any(letter.isalpha() for letter in token.strip("ĠĊ"))]
    plain = sorted((w for w in words if w.isascii() or w[1:].isascii()), key=lambda w: (-len(w), w))
    return tuple(
        word.replace("Ġ", " ").replace("Ċ", " ").replace("ĉ", " ")
        for word in plain[:LONGEST_TOKENS]
    )


def mixture(inputs: Inputs) -> tuple[MixtureWeight, ...]:
    """The weight of every source beside its natural one."""
    ref = inputs.get("mixture")
    if ref is None:
        return ()
    weights = json.loads(inputs.path(ref, "weights.json").read_text(encoding="utf-8"))
    total = sum(row["train_tokens"] for row in weights.values())
    return tuple(
        MixtureWeight(
            source,
            weight=row["weight"],
            natural=row["train_tokens"] / total,
            train_tokens=row["train_tokens"],
            epochs=row["epochs"],
        )
        for source, row in sorted(weights.items())
    )


def training(inputs: Inputs, step: str, config: ReportConfig) -> Training | None:
    """What `pretrain` or `sft` did."""
    ref = inputs.get(step)
    if ref is None:
        return None
    return read_training(
        inputs.path(ref, "training_log.jsonl"),
        inputs.path(ref, "config.json"),
        inputs.build.paths(ref, ".safetensors"),
        config.curve_points,
    )
