"""The report step over a store that holds a small run: what it reads is what it says."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import save_file

from pipeline_config.report import ReportConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.conversations import (
    Conversation,
    Message,
    Quality,
    Task,
    TeacherInfo,
    Verification,
    conversation_id,
    write_conversations,
    write_json_lines,
)
from storage.documents import DECISION_SCHEMA, DOCUMENT_SCHEMA, EDITED_SCHEMA, document_id
from storage.session import Session, planning, session
from storage.steps import step
from storage.store import Store
from tasks.report import gather_classifiers, headline
from tasks.report.contents import Contents, TeacherShare
from tasks.report.inputs import Inputs
from tasks.report.picture import picture_of
from tasks.report.report import gather
from tasks.report.task import report

Writer = Callable[[Build], None]
SOURCES = {"code": 6, "docs": 10}


def make(label: str, write: Writer) -> ArtifactRef:
    """An artifact as the step of this label would leave it."""
    name, _, source = label.partition("/")

    @step(name, version="3", libraries=("no such library",))
    def made(build: Build, which: str) -> None:
        write(build)

    return made(source, label=source)


def documents(source: str) -> pa.Table:
    rows = []
    for n in range(SOURCES[source]):
        text, url = f"{source} text {n} <b>bold</b> \x1b[1m", f"http://{source}.demo/{n}"
        rows.append(
            {
                "id": document_id(source, url, text),
                "text": text,
                "url": url,
                "source": source,
                "first_seen": "",
                "language": "",
                "warc_file": "",
                "warc_offset": -1,
                "licence": "",
                "metadata": "{}",
            }
        )
    return pa.Table.from_pylist(rows, DOCUMENT_SCHEMA)


def decisions(table: pa.Table, reasons: list[str], similarity: float = 0.0) -> pa.Table:
    rows = [
        {
            "id": name,
            "kept": not reason,
            "reason": reason,
            "duplicate_of": "",
            "similarity": similarity if reason.endswith("duplicate") else 0.0,
        }
        for name, reason in zip(table.column("id").to_pylist(), reasons, strict=True)
    ]
    return pa.Table.from_pylist(rows, DECISION_SCHEMA)


QUALITY = {
    "code": ["", "", "", "", "", "gopher_stop_words"],
    "docs": ["gopher_short_doc", "gopher_short_doc", "gopher_dup_line", "", "", "", "", "", "", ""],
}
LIMITS = {
    "gopher_short_doc": {"signal": "num_words", "from": 50, "to": None},
    "gopher_dup_line": {"signal": "dup_line_fraction", "from": None, "to": 0.3},
}
DEDUP = {
    "code": ["", "exact_duplicate", "", "", "", "quality"],
    "docs": ["quality", "quality", "quality", "", "near_duplicate", "", "", "", "", ""],
}


def write_halves(build: Build, table: pa.Table, folder: str = "") -> None:
    """Two shards, so that a place is a file and a row."""
    half = table.num_rows // 2
    build.add_table(f"{folder}00000.parquet", table.slice(0, half))
    build.add_table(f"{folder}00001.parquet", table.slice(half))


def write_documents(source: str, failed: int) -> Writer:
    def write(build: Build) -> None:
        write_halves(build, documents(source))
        build.counts.read = SOURCES[source] + failed
        build.counts.kept = SOURCES[source]
        build.counts.drop("broken record", failed)

    return write


def write_fetch(build: Build) -> None:
    path = build.scratch / "x"
    path.write_bytes(b"warc")
    build.add_file("00000.warc.gz", path, rows=12)
    build.counts.read, build.counts.kept = 15, 12
    build.counts.drop("http_404", 3)


def write_scores(source: str) -> Writer:
    def write(build: Build) -> None:
        table = documents(source).select(["id"])
        rows = table.num_rows
        table = table.append_column("language", pa.array((["en", "en", "de"] * rows)[:rows]))
        table = table.append_column("num_words", pa.array(range(rows)))
        table = table.append_column("dup_line_fraction", pa.array([n / 7 for n in range(rows)]))
        write_halves(build, table)
        build.counts.read = build.counts.kept = rows

    return write


def write_decisions(source: str) -> Writer:
    def write(build: Build) -> None:
        reasons = QUALITY[source]
        build.counts.extra["limits"] = LIMITS
        write_halves(build, decisions(documents(source), reasons))
        build.counts.read, build.counts.kept = len(reasons), reasons.count("")
        for reason in reasons:
            if reason:
                build.counts.drop(reason)

    return write


def write_dedup(build: Build) -> None:
    members = []
    for source, reasons in DEDUP.items():
        table = documents(source)
        write_halves(build, decisions(table, reasons, 0.75), f"{source}/")
        pair = (0, 1) if source == "code" else (3, 4)
        kept_id = next(table.column("id")[row].as_py() for row in pair if not reasons[row])
        for row in pair:
            members.append(
                {
                    "cluster": f"cluster-{source}",
                    "id": table.column("id")[row].as_py(),
                    "source": source,
                    "url": table.column("url")[row].as_py(),
                    "kept": not reasons[row],
                    "duplicate_of": kept_id if reasons[row] else "",
                    "similarity": 0.75 if reasons[row] else 0.0,
                }
            )
    build.add_table("clusters.parquet", pa.Table.from_pylist(members))
    reasons = [reason for own in DEDUP.values() for reason in own if reason != "quality"]
    build.counts.read, build.counts.kept = len(reasons), reasons.count("")
    build.counts.drop("near_duplicate", reasons.count("near_duplicate"))
    build.counts.drop("exact_duplicate", reasons.count("exact_duplicate"))


def write_edits(build: Build) -> None:
    """In the third kept document of docs "text" becomes "<N>", in the next it is cut out."""
    table = decisions(documents("docs"), QUALITY["docs"])
    edits: list[list[dict[str, object]]] = [[] for _ in range(table.num_rows)]
    for row, replacement, reason in ((5, "<N>", "masked"), (6, "", "cut")):
        start = documents("docs").column("text")[row].as_py().index("text")
        change = {"start": start, "end": start + 4, "replacement": replacement, "reason": reason}
        edits[row] = [change]
    column = pa.array(edits, EDITED_SCHEMA.field("edits").type)
    write_halves(build, table.append_column("edits", column))
    build.counts.read = build.counts.kept = 7
    build.counts.edited = 2


def write_repeats(build: Build) -> None:
    """The mask of the layer before is cut out again."""
    for source in SOURCES:
        table = decisions(documents(source), DEDUP[source])
        edits: list[list[dict[str, object]]] = [[] for _ in range(table.num_rows)]
        if source == "docs":
            text = documents("docs").column("text")[5].as_py().replace("text", "<N>", 1)
            start = text.index("<N>")
            edits[5] = [{"start": start, "end": start + 3, "replacement": "", "reason": "repeat"}]
        column = pa.array(edits, EDITED_SCHEMA.field("edits").type)
        write_halves(build, table.append_column("edits", column), f"{source}/")


def write_tokens(scale: int) -> Writer:
    def write(build: Build) -> None:
        train = {"documents": 4, "tokens": 1000 * scale, "bytes": 3500 * scale}
        heldout = {"documents": 1, "tokens": 100 * scale, "bytes": 350 * scale}
        build.counts.extra |= {"vocab_size": 512, "train": train, "heldout": heldout}
        build.add_json("train-00000.tokens", scale)

    return write


def write_model(build: Build) -> None:
    path = build.scratch / "model.safetensors"
    save_file({"w": np.zeros((20, 30), np.float32)}, path)
    build.add_file("model.safetensors", path)
    build.add_json("config.json", {"num_hidden_layers": 2, "hidden_size": 30})
    log = build.scratch / "log"
    log.write_text(
        "".join(
            json.dumps({"step": n, "loss": 9.0 / n, "lr": 1e-3, "tokens": 64 * n}) + "\n"
            for n in range(1, 31)
        )
    )
    build.add_file("training_log.jsonl", log)


def conversation(number: int, split: str, reason: str = "") -> Conversation:
    messages = (
        Message(role="user", content=f"Where is {number} from?", trained=False),
        Message(role="assistant", content="docs", trained=True),
    )
    return Conversation(
        id=conversation_id(messages, "self_instruct"),
        messages=messages,
        task=Task(
            family="which_source",
            is_classification=True,
            instruction_id=str(number % 3),
            instruction=f"Where is it from ({number % 3})?",
            round=1,
        ),
        method="self_instruct",
        teacher=TeacherInfo(kind="procedural/1", model="no language model", request="r"),
        verify=Verification(verifier="exact", answer="docs"),
        quality=Quality(rouge_max=0.1 * (number % 3)),
        split=split,  # type: ignore[arg-type]
        reject_reason=reason,
    )


def instruction(number: int, reason: str, rouge: float) -> dict[str, object]:
    return {
        "id": f"m{number}",
        "text": f"instruction {number}",
        "teacher": "procedural/1",
        "model": "no language model",
        "rouge_max": rouge,
        "nearest_id": "seed" if rouge else "",
        "nearest": "a seed" if rouge else "",
        "reason": reason,
    }


def write_written(build: Build) -> None:
    accepted = [instruction(n, "", n / 10) for n in range(4)]
    rejected = [instruction(9, "similar", 0.75), instruction(8, "similar", 1.0)]
    for name, rows in (("instructions", accepted), ("rejected", rejected)):
        path = build.scratch / name
        build.add_file(f"{name}.jsonl", path, rows=write_json_lines(path, rows))
    build.counts.read, build.counts.kept = 11, 4
    build.counts.drop("similar", 2)
    build.counts.drop("beyond_target", 5)


def write_instructions(build: Build) -> None:
    numbers = {"train": 9, "heldout": 4, "control": 2, "rejected": 3}
    start = 0
    for split, number in numbers.items():
        reason = "wrong answer" if split == "rejected" else ""
        path = build.scratch / split
        records = (conversation(n, split, reason) for n in range(start, start + number))
        build.add_file(f"{split}.jsonl", path, rows=write_conversations(path, records))
        start += number
    build.counts.read, build.counts.kept = 18, 15
    build.counts.drop("wrong answer", 3)


def score(accuracy: float) -> dict[str, object]:
    return {
        "number": 50,
        "correct": round(50 * accuracy),
        "accuracy": accuracy,
        "standard_error": 0.05,
        "baseline": 0.4,
        "baseline_name": "naive_bayes",
        "z": 1.0,
    }


def write_evaluation(accuracy: float) -> Writer:
    def write(build: Build) -> None:
        scores = {"families": {"which_source": score(accuracy)}, "overall": score(accuracy)}
        build.add_json("accuracy.json", scores | {"control": {"overall": score(0.38)}})
        asked = {
            "id": "q1",
            "family": "which_source",
            "prompt": "Where is 7 from?",
            "expected": "docs",
            "reply": f"reply {accuracy}",
            "correct": accuracy > 0.5,
        }
        free = {"prompt": "Who are you?", "reply": f"free {accuracy}"}
        build.add_json("samples.json", {"heldout": [asked], "free": [free]})

    return write


def write_bits(build: Build) -> None:
    rows = {
        source: {"model": 1.5, "bigram": 2.25, "documents": 3, "bytes": 999, "tokens": 300}
        for source in SOURCES
    }
    build.add_json("bits_per_byte.json", {"sources": rows, "overall": rows["docs"]})


WEIGHTS = {
    "code": {"weight": 0.5, "train_tokens": 2000, "epochs": 1.25},
    "docs": {"weight": 0.5, "train_tokens": 1000, "epochs": 2.5},
}
WRITERS: dict[str, Writer] = {
    "fetch/docs": write_fetch,
    "extract/docs": write_documents("docs", 2),
    "read/code": write_documents("code", 1),
    "score/docs": write_scores("docs"),
    "score/code": write_scores("code"),
    "decide/docs": write_decisions("docs"),
    "decide/code": write_decisions("code"),
    "dedup": write_dedup,
    "tokenize/docs": write_tokens(1),
    "tokenize/code": write_tokens(2),
    "mixture": lambda build: build.add_json("weights.json", WEIGHTS),
    "pretrain": write_model,
    "evaluate-lm": write_bits,
    "write-instructions": write_written,
    "filter-instances": write_instructions,
    "sft": write_model,
    "evaluate-chat/before": write_evaluation(0.02),
    "evaluate-chat/after": write_evaluation(0.9),
}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Session]:
    store = Store(str(tmp_path / "store"))
    with session(
        store,
        flow="crawl-to-chat",
        preset="demo",
        config=ReportConfig(),
        workers=1,
        through_prefect=False,
    ) as current:
        yield current


def gathered(running: Session, labels: list[str], config: ReportConfig) -> Contents:
    artifacts = {label: make(label, WRITERS[label]) for label in labels}
    return gather(inputs_of(running, artifacts), config)


def inputs_of(running: Session, artifacts: dict[str, ArtifactRef]) -> Inputs:
    build = Build(
        store=running.store,
        label="report",
        recipe="r",
        ingredients={"step": "report"},
        workers=1,
        scratch=running.store.side,
        on_progress=lambda *_: None,
        on_log=lambda _: None,
    )
    return Inputs(build, artifacts)


def page_of(running: Session, labels: list[str]) -> tuple[ArtifactRef, str, str]:
    ref = report({label: make(label, WRITERS[label]) for label in labels}, ReportConfig())
    return ref, *texts(running, ref)


def texts(running: Session, ref: ArtifactRef) -> tuple[str, str]:
    files = {entry.name: entry for entry in running.store.manifest_of(ref).files}
    page, summary = (files["report.html"], files["summary.md"])
    return running.store.blob_path(page).read_text(), running.store.blob_path(summary).read_text()


def test_funnels_equal_the_manifests(running: Session) -> None:
    contents = gathered(running, list(WRITERS), ReportConfig())

    code, docs = contents.funnels
    assert [(s.step, s.read, s.kept) for s in docs.steps] == [
        ("fetch", 15, 12),
        ("extract", 12, 10),
        ("decide", 10, 7),
        ("dedup", 7, 6),
    ]
    assert [(s.step, s.read, s.kept) for s in code.steps] == [
        ("read", 7, 6),
        ("decide", 6, 5),
        ("dedup", 5, 4),
    ]
    assert docs.steps[2].limits == (
        ("gopher_dup_line", "dup_line_fraction at most 0.3"),
        ("gopher_short_doc", "num_words at least 50"),
    )
    handles = running.handles
    for funnel in contents.funnels:
        for made in funnel.steps:
            if made.step != "dedup":
                label = f"{made.step}/{made.source}"
                counts = running.store.manifest_of(handles[label]).counts
                assert (made.read, made.kept, dict(made.dropped)) == (
                    counts.read,
                    counts.kept,
                    counts.dropped,
                )
    dedup = running.store.manifest_of(handles["dedup"]).counts
    deduplicated = [funnel.steps[-1] for funnel in contents.funnels]
    assert sum(made.read for made in deduplicated) == dedup.read
    assert sum(made.kept for made in deduplicated) == dedup.kept
    assert sum(made.num_dropped for made in deduplicated) == sum(dedup.dropped.values())


def test_whole_files_are_no_documents(running: Session) -> None:
    """Three files with twelve records, of which ten give a text, and six stay."""

    @step("fetch", version="1")
    def fetch(build: Build, capture: dict[str, object]) -> None:
        build.add_json("00000.warc.gz", 1)
        build.counts.read = build.counts.kept = 3

    labels = ("extract/docs", "score/docs", "decide/docs", "dedup", "read/code", "decide/code")
    artifacts = {label: make(label, WRITERS[label]) for label in labels}
    artifacts["fetch/docs"] = fetch({"kind": "common_crawl", "select": None}, label="docs")
    contents = gather(inputs_of(running, artifacts), ReportConfig())
    docs = contents.funnels[1]
    assert [(step.unit, step.read) for step in docs.steps[:2]] == [("file", 3), ("document", 12)]
    assert (docs.documents_in, docs.documents_out) == (12, 6)
    assert [lane.counts for lane in picture_of(contents).lanes] == [(7, 6, 5, 4), (12, 10, 7, 6)]
    assert headline.lede(contents) == (
        "A corpus: 10 documents kept of 19 found in 2 sources (3 files fetched)."
    )


def test_examples_show_the_right_documents(running: Session) -> None:
    contents = gathered(running, list(WRITERS), ReportConfig(examples_per_reason=1))

    groups = {(g.source, g.step, g.reason): g for g in contents.examples}
    table = documents("docs")
    ids, urls = table.column("id").to_pylist(), table.column("url").to_pylist()
    short = groups["docs", "decide", "gopher_short_doc"]
    row = min((0, 1), key=lambda n: ids[n])
    assert (short.number, short.examples[0].url) == (2, urls[row])
    assert short.examples[0].text.startswith(f"docs text {row} ")
    assert short.examples[0].note == f"num_words {row}, at least 50"
    repeated = groups["docs", "decide", "gopher_dup_line"]
    assert repeated.examples[0].note == "dup_line_fraction 0.286, at most 0.3"
    near = groups["docs", "dedup", "near_duplicate"].examples[0]
    assert (near.url, near.note) == (urls[4], "similarity 0.75")
    kept = groups["docs", "", ""]
    assert kept.number == 6
    assert kept.examples[0].id == min(ids[n] for n in (3, 5, 6, 7, 8, 9))
    assert ("docs", "dedup", "quality") not in groups


def test_sections_hold_what_the_artifacts_say(running: Session) -> None:
    contents = gathered(running, list(WRITERS), ReportConfig())

    assert contents.languages[1].languages == (("en", 7), ("de", 3))
    assert contents.duplicates is not None
    assert (contents.duplicates.groups, contents.duplicates.dropped) == (2, 2)
    groups = {group.members[0].source: group for group in contents.duplicates.largest}
    kept, dropped = groups["code"].members
    assert kept.kept
    assert kept.text.startswith("code text 0")
    assert dropped.text.startswith("code text 1")
    assert contents.tokenizer is not None
    assert [row.bytes_per_token for row in contents.tokenizer.sources] == [3.5, 3.5]
    assert [row.natural for row in contents.mixture] == [2 / 3, 1 / 3]
    assert contents.pretrain is not None
    assert (contents.pretrain.parameters, contents.pretrain.tokens) == (600, 1920)
    assert contents.instructions is not None
    assert contents.instructions.teachers == (TeacherShare("procedural/1", False, 4),)
    assert dict(contents.instructions.splits) == {
        "train": 9,
        "heldout": 4,
        "control": 2,
        "rejected": 3,
    }
    assert len(contents.instructions.accepted) == 4
    beyond, similar, wrong = contents.instructions.rejected
    assert (beyond.reason, beyond.number, beyond.examples) == ("beyond_target", 5, ())
    assert [(text.rouge, text.nearest) for text in similar.examples] == [
        (1.0, "a seed"),
        (0.75, "a seed"),
    ]
    assert (wrong.step, wrong.reason, wrong.number) == ("filter-instances", "wrong answer", 3)
    assert dict(contents.instructions.rouge_histogram)[0.75] == 1
    assert sum(number for _, number in contents.instructions.rouge_histogram) == 4
    assert contents.instructions.identical == 1
    assert contents.accuracy is not None
    assert contents.accuracy.families[0].family == "which source"
    assert contents.accuracy.families[0].before is not None
    assert contents.accuracy.families[0].before.value == 0.02
    free, heldout = contents.samples
    assert (free.before, free.after) == ("free 0.02", "free 0.9")
    assert (heldout.before, heldout.after, heldout.verdict) == ("reply 0.02", "reply 0.9", "right")


def test_edits_are_counted_and_shown_in_their_layers(running: Session) -> None:
    writers = WRITERS | {"edit/docs": write_edits, "substring": write_repeats}
    artifacts = {label: make(label, writer) for label, writer in writers.items()}
    contents = gather(inputs_of(running, artifacts), ReportConfig())
    steps = {step.step: step for step in contents.funnels[1].steps}
    assert steps["edit"].edits == (("cut", 1), ("masked", 1))
    assert (steps["substring"].edited, steps["substring"].edits) == (1, (("repeat", 1),))
    assert list(steps) == ["fetch", "extract", "decide", "edit", "dedup", "substring"]
    shown = {(group.step, group.reason): group.examples[0] for group in contents.edits}
    assert shown["edit", "masked"].cut == "xxxx"  # its shape: it was replaced to be hidden
    assert shown["edit", "masked"].replacement == "<N>"
    assert shown["substring", "repeat"].cut == "<N>"
    assert shown["edit", "cut"].url == documents("docs").column("url")[6].as_py()
    texts = {
        example.url.rpartition("/")[2]: example.text
        for group in gather(
            inputs_of(running, artifacts), ReportConfig(examples_per_reason=9)
        ).examples
        for example in group.examples
        if group.source == "docs" and not group.reason
    }
    # Kept documents are shown as the corpus has them: masked and cut, cut, and as it was.
    assert texts["5"].startswith("docs  5 ")
    assert texts["6"].startswith("docs  6 ")
    assert texts["7"].startswith("docs text 7 ")


def write_counts(read: int, kept: int, **extra: object) -> Writer:
    def write(build: Build) -> None:
        build.counts.read, build.counts.kept = read, kept
        build.counts.extra |= extra
        build.add_json("x.json", extra)

    return write


def test_classifiers_have_the_limits_that_decide(running: Session) -> None:
    """Of 65 documents 14 pass all other rules, and 10 of them score 0.74 or more."""
    tenths = {str(tenth): tenth for tenth in range(10)}
    limits = {
        "classifier_good_low": {"signal": "classifier_good", "from": 0.74, "to": None},
        "classifier_good_high": {"signal": "classifier_good", "from": None, "to": None},
        "gopher_short_doc": {"signal": "num_words", "from": 50, "to": None},
    }
    writers = {
        "train-classifier/good": write_counts(20, 20),
        "classify/good/docs": write_counts(65, 65, tenths=tenths),
        "classify/good/code": write_counts(65, 65, tenths=tenths),
        "find-cutoff/good/docs": write_counts(65, 14, kept_share=10 / 14, min_score=0.74),
        "decide/docs": write_counts(65, 10, limits=limits),
    }
    artifacts = {label: make(label, write) for label, write in writers.items()}
    (good,) = gather_classifiers.classifiers(inputs_of(running, artifacts))
    code, docs = good.sources
    assert (docs.min_score, docs.max_score, docs.passing, docs.kept) == (0.74, None, 14, 10)
    assert (code.limited, code.passing) == (False, 0)


def test_report_writes_its_files_without_run_or_time(running: Session) -> None:
    ref, page, summary = page_of(running, list(WRITERS))
    assert [entry.name for entry in running.store.manifest_of(ref).files] == [
        "report.html",
        "summary.md",
        "results.txt",
    ]
    for text in (page, summary):
        assert running.record.id not in text
        assert running.record.started_at[:10] not in text
        assert str(running.store.url) not in text
    assert "no language model" in page
    assert "90 %" in summary


def test_report_is_the_same_in_another_store_and_order(running: Session, tmp_path: Path) -> None:
    first, page, _ = page_of(running, list(WRITERS))
    other = Store(str(tmp_path / "other"))
    with session(
        other, flow="f", preset="p", config=ReportConfig(), workers=2, through_prefect=False
    ) as again:
        second, other_page, _ = page_of(again, list(reversed(WRITERS)))
    assert other_page == page
    assert second.digest == first.digest
    assert second.recipe == first.recipe


def test_bytes_are_those_of_this_version(running: Session) -> None:
    """A digest that changes without a new `version` of the step would leave old reports current."""
    ref, page, summary = page_of(running, list(WRITERS))
    # Found are 12 + 7, kept 6 + 4; 3 of the 15 links of the crawl were dead.
    assert "10 documents kept of 19 found in 2 sources (3 links gave no page)" in page
    assert "| which source | 2.0 % | **90 %** ± 5.0 | 40 % | 10.0 s.e. |" in summary
    assert (report.version, ref.digest) == (
        "9",
        "ad8c0667c28f3e08cce79e8d6696fbef04f9ab0489ec8266f7f7c8d430756e1a",
    )


@pytest.mark.parametrize(
    ("labels", "sections"),
    [
        (["read/code"], ["picture", "funnel", "run", "settings", "provenance"]),
        (
            ["read/code", "score/code", "decide/code"],
            ["picture", "funnel", "examples", "run", "settings", "provenance"],
        ),
        (["pretrain"], ["pretrain", "run", "settings", "provenance"]),
        (["evaluate-chat/after"], ["accuracy", "samples", "run", "settings", "provenance"]),
    ],
)
def test_a_partial_flow_has_the_sections_that_it_made(
    running: Session, labels: list[str], sections: list[str]
) -> None:
    _, page, _ = page_of(running, labels)
    assert re.findall(r'<section id="([a-z]+)"', page) == sections


def test_no_artifacts_is_an_error(running: Session) -> None:
    with pytest.raises(ValueError, match="nothing to tell"):
        report({}, ReportConfig())


def test_a_plan_knows_whether_the_report_is_there(running: Session) -> None:
    labels = ["read/code", "pretrain"]
    page_of(running, labels)

    def plan(config: ReportConfig) -> tuple[str, str]:
        with planning(running.store, flow="crawl-to-chat", preset="demo") as planned:
            report({label: make(label, WRITERS[label]) for label in labels}, config)
        row = planned.rows[-1]
        return row.state, row.why

    assert plan(ReportConfig()) == ("cached", "")
    assert plan(ReportConfig(samples=3)) == ("run", "config.samples: 12 -> 3")


def test_other_counts_make_another_report_even_if_the_bytes_are_equal(running: Session) -> None:
    """One more broken record changes no document, but the funnel tells of it."""

    @step("read", version="1")
    def read(build: Build, broken: int) -> None:
        write_documents("code", broken)(build)

    once = report({"read/code": read(1, label="code")}, ReportConfig())
    again = report({"read/code": read(5, label="code")}, ReportConfig())

    assert once.recipe != again.recipe
    assert "broken record <b>1</b>" in texts(running, once)[0]
    assert "broken record <b>5</b>" in texts(running, again)[0]
