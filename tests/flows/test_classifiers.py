"""Classifiers in the refresh: trained on examples, applied by limits and shares, and pinned."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from small_run import note

from flows.promotion import promote
from flows.refresh_corpus import refresh_corpus
from pipeline_config.pipeline import PipelineConfig
from pipeline_config.report import ReportConfig
from storage.artifact import ArtifactRef, Counts
from storage.runs import list_references
from storage.session import planning, session
from storage.store import Store, StoreError
from storage.tables import read_table
from tasks.report.task import report

NUM_NOTES = 30
SMALL = {"buckets": 5_000, "dimensions": 10, "num_epochs": 20, "learning_rate": 0.5}


def shout(number: int) -> str:
    """The other class: a note's words, but bought and sold."""
    return note(number).replace(" the ", " our cheap ").replace(".", " buy now.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources: `notes` has good texts, `mixed` as many of both kinds; and files of labels."""
    folder = tmp_path_factory.mktemp("classifiers")
    for source in ("notes", "mixed"):
        (folder / source).mkdir()
    for number in range(NUM_NOTES):
        (folder / "notes" / f"{number:02d}.txt").write_text(note(number))
        text = note(100 + number) if number % 2 else shout(100 + number)
        (folder / "mixed" / f"{number:02d}.txt").write_text(text)
    rows = [{"text": shout(300 + number), "label": 0} for number in range(NUM_NOTES)]
    rows += [rows[0], {"text": note(0), "label": 0}, {"text": " \n", "label": 0}]
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def settings(folder: Path) -> Callable[..., PipelineConfig]:
    def make(limits: dict[str, Any], **classifier: Any) -> PipelineConfig:
        defined = {
            "positives": {"sources": ["notes"]},
            "negatives": {"paths": [str(folder / "labels.jsonl")], "where": {"label": 0}},
            "heldout_share": 0.3,
            "fasttext": SMALL,
        }
        sources = {
            name: {"kind": "text", "paths": [str(folder / name)]} for name in ("notes", "mixed")
        }
        return PipelineConfig.model_validate(
            {
                "crawl": {"sources": sources},
                "quality": {
                    "classifiers": {"prose": defined | classifier},
                    "sources": {"mixed": {"classifier_limits": limits}},
                },
            }
        )

    return make


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(str(tmp_path_factory.mktemp("store")))


@dataclass(frozen=True)
class Run:
    """What one refresh made."""

    store: Store
    handles: dict[str, ArtifactRef]
    executed: set[str]

    def counts(self, label: str) -> Counts:
        return self.store.manifest_of(self.handles[label]).counts

    def rows(self, label: str, column: str) -> list[Any]:
        (entry,) = self.store.manifest_of(self.handles[label]).files
        return list(read_table(self.store.blob_path(entry))[column].to_pylist())

    def reasons(self, source: str) -> dict[str, str]:
        """Why each text was dropped, "" for those that are kept."""
        texts = self.rows(f"read/{source}", "text")
        return dict(zip(texts, self.rows(f"decide/{source}", "reason"), strict=True))

    def scores(self, source: str) -> dict[str, float]:
        texts = self.rows(f"read/{source}", "text")
        return dict(zip(texts, self.rows(f"classify/prose/{source}", "score"), strict=True))

    def report(self) -> str:
        """The page about the run."""
        manifest = self.store.manifest_of(report(self.handles, ReportConfig()))
        (entry,) = (entry for entry in manifest.files if entry.name == "report.html")
        return self.store.blob_path(entry).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def refresh(
    shared: Store, settings: Callable[..., PipelineConfig]
) -> Iterator[Callable[[PipelineConfig], Run]]:
    """Runs the refresh, and promotes what it made; in one session: starting workers takes time."""
    with session(
        shared, flow="test", preset="test", config=settings({}), workers=1, through_prefect=False
    ) as current:

        def run(config: PipelineConfig) -> Run:
            current.handles.clear()
            current.record.steps.clear()
            refresh_corpus(config)
            promote(current, config)
            steps = {step.label for step in current.record.steps if step.status == "executed"}
            return Run(shared, dict(current.handles), steps)

        yield run


def test_a_limit_drops_what_the_classifier_knows_as_bad(
    refresh: Callable[[PipelineConfig], Run], settings: Callable[..., PipelineConfig]
) -> None:
    run = refresh(settings({"min_score": {"prose": 0.5}}))
    counts = run.counts("train-classifier/prose")
    # 30 notes; 30 shouted ones, one of them twice, one that is a note too, one empty.
    assert counts.read == 2 * NUM_NOTES + 3
    assert counts.dropped == {"duplicate_example": 1, "empty_text": 1, "in_both_classes": 2}
    assert counts.kept == 2 * NUM_NOTES - 1
    learnt, heldout = counts.extra["examples"], counts.extra["heldout"]
    assert learnt["positive"] + heldout["positive"] == NUM_NOTES - 1
    assert learnt["negative"] + heldout["negative"] == NUM_NOTES
    assert heldout["roc_auc"] == heldout["precision"] == heldout["recall"] == 1.0

    assert set(run.reasons("notes").values()) == {""}  # no limit there, yet scored
    assert len(run.scores("notes")) == NUM_NOTES
    assert run.reasons("mixed") == {
        text: "classifier_prose_low" if "buy now" in text else "" for text in run.scores("mixed")
    }
    assert sum(run.counts("classify/prose/mixed").extra["tenths"].values()) == NUM_NOTES


def test_another_limit_trains_and_scores_nothing(
    refresh: Callable[[PipelineConfig], Run], settings: Callable[..., PipelineConfig]
) -> None:
    refresh(settings({"min_score": {"prose": 0.5}}))
    run = refresh(settings({"max_score": {"prose": 0.5}}))
    assert {label.split("/")[0] for label in run.executed} == {
        *("decide", "edit", "sign", "dedup", "assemble")
    }
    reasons = list(run.reasons("mixed").values())
    assert reasons.count("classifier_prose_high") == NUM_NOTES // 2


def test_a_share_keeps_the_best_of_what_passes(
    refresh: Callable[[PipelineConfig], Run], settings: Callable[..., PipelineConfig]
) -> None:
    run = refresh(settings({"keep_share": {"prose": 0.2}}))
    scores = run.scores("mixed")
    cutoff = sorted(scores.values())[-6]  # 0.2 of 30
    assert run.counts("find-cutoff/prose/mixed").extra["min_score"] == cutoff
    kept = {text for text, reason in run.reasons("mixed").items() if not reason}
    assert kept == {text for text, score in scores.items() if score >= cutoff}


def test_the_report_says_how_good_it_is_and_what_it_keeps(
    refresh: Callable[[PipelineConfig], Run], settings: Callable[..., PipelineConfig]
) -> None:
    run = refresh(settings({"keep_share": {"prose": 0.2}}))
    section = run.report().split('<section id="classifiers">')[1].split("</section>")[0]
    cells = re.findall(r"<td>(.*?)</td>", section)
    counts = run.counts("train-classifier/prose").extra
    learnt, heldout = counts["examples"], counts["heldout"]
    assert cells[:6] == [
        "prose",
        f"{learnt['positive']} / {learnt['negative']}",
        f"{heldout['positive']} / {heldout['negative']}",
        *["1.000"] * 3,  # the area under the curve, precision, recall
    ]
    found, kept = run.counts("find-cutoff/prose/mixed"), run.counts("decide/mixed").kept
    said = f"Kept from {found.extra['min_score']:.4f} on: <b>{kept:,}</b> of the {found.kept:,} "
    assert f"{said}documents that passed all other rules" in section
    # Every tenth of the scores with its documents, in both sources.
    bars = [int(number) for number in re.findall(r"<div><b>(\d+)</b>", section)]
    assert (len(bars), sum(bars)) == (20, 2 * NUM_NOTES)


def test_a_trial_sets_no_pin_and_moves_nothing(
    refresh: Callable[[PipelineConfig], Run],
    settings: Callable[..., PipelineConfig],
    shared: Store,
) -> None:
    before = list_references(shared)
    config = settings({"keep_share": {"prose": 0.2}}, pin="trial")
    crawl = config.crawl.model_copy(update={"limit": NUM_NOTES})
    run = refresh(config.model_copy(update={"crawl": crawl}))
    assert "train-classifier/prose" in run.handles
    assert list_references(shared) == before


def test_a_given_model_is_measured_and_used(
    refresh: Callable[[PipelineConfig], Run],
    settings: Callable[..., PipelineConfig],
    shared: Store,
    tmp_path: Path,
) -> None:
    trained = refresh(settings({}))
    manifest = shared.manifest_of(trained.handles["train-classifier/prose"])
    (model,) = (entry for entry in manifest.files if entry.name == "model.bin")
    given = tmp_path / "given.bin"
    given.write_bytes(shared.blob_path(model).read_bytes())
    run = refresh(settings({}, model=str(given)))
    assert run.scores("mixed") == trained.scores("mixed")
    assert run.counts("train-classifier/prose").extra["heldout"]["negative"] == NUM_NOTES
    with pytest.raises(ValueError, match="no label 'hq'; it has __label__"):
        refresh(settings({}, model=str(given), positive_label="hq"))


def test_too_few_examples_are_an_error(
    refresh: Callable[[PipelineConfig], Run], settings: Callable[..., PipelineConfig]
) -> None:
    with pytest.raises(ValueError, match=r"too few heldout .*read 6"):
        refresh(settings({}, heldout_share=0.001))
    with pytest.raises(ValueError, match=r"too few examples .*in_both_classes"):
        refresh(settings({}, negatives={"sources": ["notes"]}))


def test_a_pinned_classifier_stays_when_documents_come(
    refresh: Callable[[PipelineConfig], Run],
    settings: Callable[..., PipelineConfig],
    folder: Path,
    shared: Store,
) -> None:
    config = settings({"keep_share": {"prose": 0.2}}, pin="2026-11")
    first = refresh(config)
    pins = {name for name in list_references(shared) if name.startswith("pins/")}
    assert {name.rsplit("-", 1)[0] for name in pins} == {
        "pins/classifier/2026-11-prose",
        "pins/cutoff/2026-11-prose-mixed",
    }
    (folder / "notes" / "late.txt").write_text(note(999))
    (folder / "mixed" / "late.txt").write_text(note(998))
    with planning(shared, flow="test", preset="test") as plan:
        refresh_corpus(config)
    assert not any("train" in row.name or "cutoff" in row.name for row in plan.rows)
    second = refresh(config)
    assert not any("train" in label or "cutoff" in label for label in second.executed)
    assert second.handles["train-classifier/prose"] == first.handles["train-classifier/prose"]
    assert "classify/prose/notes" in second.executed
    assert "ROC AUC" in second.report()  # of a run that only used it
    assert first.reasons("mixed").items() < second.reasons("mixed").items()
    for name in ("notes", "mixed"):
        (folder / name / "late.txt").unlink()

    manifest = shared.manifest_of(first.handles["train-classifier/prose"])
    shared.blob_path(next(e for e in manifest.files if e.name == "model.bin")).unlink()
    with pytest.raises(StoreError, match="has lost files"):
        refresh(config)


@pytest.mark.parametrize(
    ("limits", "classifier", "message"),
    [
        ({"min_score": {"prse": 0.5}}, {}, "sources.mixed.classifier_limits names 'prse'"),
        ({}, {"negatives": {}}, "negatives has neither sources nor paths"),
        ({}, {"negatives": {"sources": ["web"]}}, "quality.classifiers names 'web'"),
        ({"keep_share": {"prose": 0}}, {}, "greater than 0"),
    ],
)
def test_what_cannot_be_meant_is_an_error(
    settings: Callable[..., PipelineConfig],
    limits: dict[str, Any],
    classifier: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(limits, **classifier)


def test_toxicity_is_learnt_from_labelled_files_and_limited_by_max_score(
    refresh: Callable[[PipelineConfig], Run], folder: Path
) -> None:
    rows = [{"comment": shout(400 + number), "toxic": True} for number in range(NUM_NOTES)]
    rows += [{"comment": note(500 + number), "toxic": False} for number in range(NUM_NOTES)]
    labels = folder / "toxic.jsonl"
    labels.write_text("".join(json.dumps(row) + "\n" for row in rows))
    examples = {"paths": [str(labels)], "column": "comment"}
    classifier = {
        "positives": examples | {"where": {"toxic": True}},
        "negatives": examples | {"where": {"toxic": False}},
        "heldout_share": 0.3,
        "fasttext": SMALL,
    }
    config = PipelineConfig.model_validate(
        {
            "crawl": {"sources": {"mixed": {"kind": "text", "paths": [str(folder / "mixed")]}}},
            "quality": {
                "classifiers": {"toxicity": classifier},
                "classifier_limits": {"max_score": {"toxicity": 0.5}},
            },
        }
    )
    run = refresh(config)
    counts = run.counts("train-classifier/toxicity")
    assert (counts.kept, counts.dropped) == (2 * NUM_NOTES, {})
    assert run.reasons("mixed") == {
        text: "classifier_toxicity_high" if "buy now" in text else ""
        for text in run.rows("read/mixed", "text")
    }
