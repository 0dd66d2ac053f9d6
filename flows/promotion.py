"""Moves `current/corpus`, `current/chat` and the pins when a run's gates pass.

The gates read the figures that steps leave in their manifests. What does not pass is noted in the
run's record and changes nothing; `crawl2chat runs show` tells why.
"""

from typing import Any

from flows.standing import chat_standing, corpus_standing, documents
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
    if "assemble" in session.handles:
        _promote_corpus(session, config)
    if limit:
        return
    for label, name in quality_pins(config.quality, config.crawl.sources).items():
        if pinned(session.store, name) is None:
            _promote_one(session, name, label, [])
    pin = pin_name(config.tokenization)
    if pin and pinned_tokenizer(session.store, config.tokenization) is None:
        _promote_one(session, pin, "train-tokenizer", [])
    if SCORES in session.handles:
        _promote_chat(session, config.promotion)


def _promote_one(session: Session, name: str, label: str, failed: list[str]) -> bool:
    """Moves `name` to the artifact of step `label` unless a gate `failed`; whether it points there.

    What failed is noted.
    """
    artifact = session.handles.get(label)
    if artifact is None:
        return False
    if failed:
        session.record.notes += [f"{name} stays where it is: {reason}" for reason in failed]
        return False
    move_reference(session.store, name, artifact, session.record.id)
    session.record.promoted.append(name)
    return True


def _points_at(session: Session, name: str, label: str) -> bool:
    """Whether a reference points at this run's artifact already, or at an equal one."""
    current = read_reference(session.store, name)
    return current is not None and current.artifact.digest == session.handles[label].digest


# ---- the corpus


def _promote_corpus(session: Session, config: PipelineConfig) -> None:
    store = session.store
    now = store.manifest_of(session.handles["assemble"]).counts
    current = read_reference(store, CORPUS)
    manifest = _manifest(store, current.artifact) if current is not None else None
    before = manifest.counts if manifest is not None else None
    equal = _points_at(session, CORPUS, "assemble")
    moved = False
    if not config.crawl.limit:
        failed = corpus_failures(before, now, config.promotion) if before is not None else []
        moved = _promote_one(session, CORPUS, "assemble", failed)
    session.record.standing.append(corpus_standing(now, before, moved=moved, equal=equal))


def corpus_failures(before: Counts, now: Counts, config: PromotionConfig) -> list[str]:
    """Why a corpus that `assemble` counted as `now` may not follow the one it counted `before`."""
    failed = []
    theirs, own = documents(before), documents(now)
    lost = [name for name in theirs if name not in {*own, *config.retired_sources}]
    if lost:
        listed = ", ".join(f"{name} ({theirs[name]:,} in the current corpus)" for name in lost)
        retired = ", ".join([*config.retired_sources, *lost])
        failed.append(
            f"it has no documents of {listed}; if that is meant, run it again with "
            f"--set 'promotion.retired_sources=[{retired}]', or in a store of its own (--store)"
        )
    share_before, share = _kept_share(before), _kept_share(now)
    if abs(share - share_before) > config.max_kept_drift:
        failed.append(
            f"it keeps {share:.0%} of its documents where the current corpus kept "
            f"{share_before:.0%}; look at the funnel, or raise promotion.max_kept_drift"
        )
    return failed


def _kept_share(counts: Counts) -> float:
    return counts.kept / max(counts.read, 1)


# ---- the chat model


def _promote_chat(session: Session, config: PromotionConfig) -> None:
    bits = session.store.manifest_of(session.handles["evaluate-lm"]).counts.extra
    scores = session.store.manifest_of(session.handles[SCORES]).counts.extra
    before = _current_accuracy(session.store)
    equal = _points_at(session, CHAT, "sft")
    failed = chat_failures(bits, scores, before, config)
    moved = _promote_one(session, CHAT, "sft", failed)
    accuracy = scores["overall"]["accuracy"]
    session.record.standing.append(chat_standing(accuracy, before, moved=moved, equal=equal))


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
