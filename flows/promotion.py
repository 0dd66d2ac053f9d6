"""Moves `current/corpus`, `current/chat` and the pins when a run's gates pass.

The gates read the figures that steps leave in their manifests. What does not pass is noted in the
run's record and changes nothing; `crawl2chat runs show` tells why.
"""

from typing import Any

from pipeline_config.pipeline import PipelineConfig
from pipeline_config.promotion import PromotionConfig
from storage.artifact import ArtifactRef, Counts, Manifest
from storage.runs import move_reference, read_reference, read_run
from storage.session import Session
from storage.store import Store, StoreError
from tasks.quality.pin import pinned, quality_pins
from tasks.tokenization.pin import pin_name, pinned_tokenizer

CORPUS, CHAT = "current/corpus", "current/chat"
SCORES = "evaluate-chat/after"


def promote(session: Session, config: PipelineConfig) -> None:
    """Moves the references that this run has earned; a trial run earns none."""
    if limit := config.crawl.limit:
        session.record.notes.append(
            f"a trial of {limit:,} documents per source: no reference moves, no pin is set"
        )
        return
    _promote_one(session, CORPUS, "assemble", _corpus_gates(session, config.promotion))
    for label, name in quality_pins(config.quality, config.crawl.sources).items():
        if pinned(session.store, name) is None:
            _promote_one(session, name, label, [])
    pin = pin_name(config.tokenization)
    if pin and pinned_tokenizer(session.store, config.tokenization) is None:
        _promote_one(session, pin, "train-tokenizer", [])
    if SCORES in session.handles:
        _promote_one(session, CHAT, "sft", _chat_gates(session, config.promotion))


def _promote_one(session: Session, name: str, label: str, failed: list[str]) -> None:
    artifact = session.handles.get(label)
    if artifact is None:
        return
    if failed:
        session.record.notes += [f"{name} stays where it is: {reason}" for reason in failed]
        return
    move_reference(session.store, name, artifact, session.record.id)
    session.record.promoted.append(name)


# ---- the corpus


def _corpus_gates(session: Session, config: PromotionConfig) -> list[str]:
    current = read_reference(session.store, CORPUS)
    new = session.handles.get("assemble")
    if current is None or new is None:
        return []
    old_manifest = _manifest(session.store, current.artifact)
    if old_manifest is None:
        return []
    before = _kept_share(old_manifest.counts)
    after = _kept_share(session.store.manifest_of(new).counts)
    return corpus_failures(before, after, config)


def corpus_failures(before: float, after: float, config: PromotionConfig) -> list[str]:
    """Why a corpus that keeps the share `after` may not follow one that kept `before`."""
    if abs(after - before) <= config.max_kept_drift:
        return []
    return [
        f"it keeps {after:.0%} of its documents where the current corpus kept {before:.0%}; "
        "look at the funnel, or raise promotion.max_kept_drift"
    ]


def _kept_share(counts: Counts) -> float:
    return counts.kept / max(counts.read, 1)


# ---- the chat model


def _chat_gates(session: Session, config: PromotionConfig) -> list[str]:
    bits = session.store.manifest_of(session.handles["evaluate-lm"]).counts.extra
    scores = session.store.manifest_of(session.handles[SCORES]).counts.extra
    return chat_failures(bits, scores, _current_accuracy(session.store), config)


def _current_accuracy(store: Store) -> float | None:
    """The overall accuracy that the current chat model had in the run that promoted it."""
    current = read_reference(store, CHAT)
    if current is None:
        return None
    try:
        scores = read_run(store, current.run).artifact(SCORES)
    except StoreError:
        return None  # a record that is gone compares with nothing
    manifest = _manifest(store, scores) if scores is not None else None
    return manifest.counts.extra["overall"]["accuracy"] if manifest is not None else None


def chat_failures(
    bits: dict[str, Any],
    scores: dict[str, Any],
    current_accuracy: float | None,
    config: PromotionConfig,
) -> list[str]:
    """Why a model may not become the current one; `bits` and `scores` are evaluation's tables."""
    failed = []
    for source, row in bits["sources"].items():
        if config.below_bigram and row["model"] >= row["bigram"]:
            failed.append(
                f"{row['model']:.3f} bits per byte on {source}, a bigram model has "
                f"{row['bigram']:.3f}"
            )
    overall = scores["overall"]
    if overall["z"] < config.min_overall_z:
        failed.append(
            f"accuracy {overall['accuracy']:.3f} is {overall['z']:.1f} standard errors over the "
            f"baseline, {config.min_overall_z:g} are wanted"
        )
    control = scores.get("control")
    if control is not None and control["overall"]["z"] > config.max_control_z:
        failed.append(
            f"with swapped passages it is {control['overall']['z']:.1f} standard errors over chance"
        )
    accuracy = overall["accuracy"]
    if current_accuracy is not None and accuracy < current_accuracy - config.max_accuracy_loss:
        failed.append(f"accuracy {accuracy:.3f}, the current model has {current_accuracy:.3f}")
    return failed


def _manifest(store: Store, ref: ArtifactRef) -> Manifest | None:
    try:
        return store.manifest_of(ref)
    except StoreError:
        return None  # collected since
