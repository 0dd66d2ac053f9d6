"""The steps of decontamination over artifacts: decisions, hits, the report, the errors."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from pipeline_config.decontamination import DecontaminationConfig, EvaluationSet, MatchConfig
from pipeline_config.report import ReportConfig
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import DECISION_SCHEMA, DOCUMENT_SCHEMA, EDITED_SCHEMA
from storage.session import InputError, Session, session
from storage.steps import step
from storage.store import Store
from storage.tables import read_table
from tasks.decontamination.task import collect_items, decontaminate
from tasks.report.task import report

PROBLEM = "A train leaves at noon and drives for three hours at sixty miles an hour. How far?"
RIDDLE = "What walks on four legs?"
# id, text, and the reason why dedup and substring dropped it, "" if they did not
DOCUMENTS = [
    ("clean", "Nothing of the kind stands here.", "", ""),
    ("long", f"Homework: {PROBLEM.upper()}", "", ""),
    ("short", "A Sphinx asks: what walks, on four legs?", "", ""),
    ("part", " ".join(PROBLEM.split()[:13]) + " or so", "", ""),
    ("copy", PROBLEM, "near_duplicate", "dedup"),
    ("bad", RIDDLE, "quality", "quality"),
    ("cut", RIDDLE, "", "substring_too_short"),
    ("edited", f"xx {RIDDLE} yy", "", ""),
]


@step("documents", version="1")
def documents(build: Build) -> None:
    plain: dict[str, Any] = dict.fromkeys(DOCUMENT_SCHEMA.names, "") | {"warc_offset": -1}
    rows = [
        plain | {"id": id, "text": text, "url": f"https://x/{id}"} for id, text, *_ in DOCUMENTS
    ]
    for start in (0, 3):
        rows_of = rows[:3] if start == 0 else rows[3:]
        table = pa.Table.from_pylist(rows_of, DOCUMENT_SCHEMA)
        build.add_table(f"{start:05d}.parquet", table)


def add_decisions(build: Build, prefix: str, reasons: list[str], cut: str = "") -> None:
    rows = [
        {
            "id": document[0],
            "kept": not reason,
            "reason": reason,
            "duplicate_of": "",
            "similarity": 0.0,
            "edits": [{"start": 3, "end": 8, "replacement": "", "reason": "cut"}]
            if document[0] == cut
            else [],
        }
        for document, reason in zip(DOCUMENTS, reasons, strict=True)
    ]
    schema = EDITED_SCHEMA if prefix != "web/" or cut else DECISION_SCHEMA
    for start, own in ((0, rows[:3]), (3, rows[3:])):
        build.add_table(f"{prefix}{start:05d}.parquet", pa.Table.from_pylist(own, schema))


@step("edited", version="1")
def edited(build: Build, cut: str = "") -> None:
    add_decisions(build, "", ["" for _ in DOCUMENTS], cut)


@step("dedup", version="1")
def deduped(build: Build, every: bool = False) -> None:
    """What dedup dropped, or every document."""
    add_decisions(
        build,
        "web/",
        [reason or "exact_duplicate" if every else reason for *_, reason, _ in DOCUMENTS],
    )


@step("substring", version="1")
def substring(build: Build, every: bool = False) -> None:
    """What substring dropped, or every document before it."""
    reasons = [reason or ("dedup" if every else "") for *_, reason in DOCUMENTS]
    add_decisions(build, "web/", reasons, cut="none")


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    store = Store(str(tmp_path_factory.mktemp("store")))
    with session(
        store,
        flow="test",
        preset="test",
        config=DecontaminationConfig(),
        workers=1,
        through_prefect=False,
    ) as current:
        yield current


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, EvaluationSet]:
    folder = tmp_path_factory.mktemp("sets")
    (folder / "maths.jsonl").write_text(
        "".join(json.dumps({"question": text}) + "\n" for text in ("Forty two", PROBLEM))
    )
    (folder / "riddles.txt").write_text(f"{RIDDLE}\nWhat has teeth and cannot eat?\n")
    return {
        "maths": EvaluationSet(paths=(f"{folder}/maths.jsonl",), columns=("question",)),
        "riddles": EvaluationSet(paths=(f"{folder}/riddles.txt",)),
    }


def run(every: dict[str, EvaluationSet], late: bool, cut: str = "", **match: Any) -> ArtifactRef:
    return decontaminate(
        documents(),
        edited(cut),
        deduped(),
        substring() if late else None,
        collect_items(every),
        MatchConfig(**match),
        source="web",
        label="web",
    )


def rows_of(current: Session, ref: ArtifactRef, prefix: str) -> list[dict[str, Any]]:
    return [
        row
        for entry in current.store.manifest_of(ref).files
        if entry.name.startswith(prefix)
        for row in read_table(current.store.blob_path(entry)).to_pylist()
    ]


def report_of(current: Session, ref: ArtifactRef) -> dict[str, Any]:
    [entry] = [e for e in current.store.manifest_of(ref).files if e.name == "report.json"]
    loaded: dict[str, Any] = json.loads(current.store.blob_path(entry).read_bytes())
    return loaded


def test_documents_with_items_are_dropped(direct: Session, sets: dict[str, EvaluationSet]) -> None:
    ref = run(sets, late=True)
    reasons = {row["id"]: row["reason"] for row in rows_of(direct, ref, "0")}
    assert reasons == {
        "clean": "",
        "long": "contaminated",
        "short": "contaminated",
        "part": "contaminated",
        "copy": "dedup",
        "bad": "quality",
        "cut": "substring",
        "edited": "contaminated",
    }
    counts = direct.store.manifest_of(ref).counts
    assert (counts.read, counts.kept, counts.dropped) == (5, 1, {"contaminated": 4})
    assert counts.extra == {"sets": report_of(direct, ref)["sets"]}


def test_the_report_says_what_was_hit_where(
    direct: Session, sets: dict[str, EvaluationSet]
) -> None:
    ref = run(sets, late=True)
    report = report_of(direct, ref)
    kinds = ("items", "by_ngram", "whole", "too_short", "items_hit", "documents")
    assert {name: tuple(one[key] for key in kinds) for name, one in report["sets"].items()} == {
        "maths": (2, 1, 0, 1, 1, 2),
        "riddles": (2, 0, 2, 0, 1, 2),
    }
    assert [(one["set"], one["number"], one["documents"]) for one in report["items"]] == [
        ("maths", 1, 2),
        ("riddles", 0, 2),
    ]
    assert [one["text"] for one in report["too_short"]] == ["Forty two"]
    hits = {row["id"]: row for row in rows_of(direct, ref, "hits/")}
    assert list(hits) == ["long", "short", "part", "edited"]
    assert hits["long"]["excerpt"] == " ".join(PROBLEM.upper().split()[:13])
    assert (hits["short"]["kind"], hits["short"]["excerpt"]) == (
        "whole",
        "what walks, on four legs",
    )
    assert (hits["part"]["kind"], hits["part"]["ngrams"]) == ("ngram", 1)
    assert hits["part"]["share"] == pytest.approx(1 / 5)


def test_the_page_shows_what_was_sought_and_where_it_stood(
    direct: Session, sets: dict[str, EvaluationSet]
) -> None:
    ref = run(sets, late=True)
    page_ref = report({"decontaminate/web": ref}, ReportConfig(examples_per_reason=1))
    [entry] = [e for e in direct.store.manifest_of(page_ref).files if e.name == "report.html"]
    page = direct.store.blob_path(entry).read_text(encoding="utf-8")
    section = page.split('<section id="decontamination">')[1].split("</section>")[0]
    cells = re.findall(r"<td>(.*?)</td>", re.sub(r"<(?!/?td)[^>]*>", "", section))
    assert cells == [
        *("maths", "2", "1", "0", "1", "web 1 item in 2 documents"),
        *("riddles", "2", "0", "2", "0", "web 1 item in 2 documents"),
    ]
    # One example of each set, the one with the largest share of the item.
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", section))
    assert "https://x/long" in words
    assert "maths 1, question: 100 % of its n-grams" in words
    assert "https://x/part" not in words
    assert "riddles 0: all of it" in words


def test_without_substring_dedup_is_the_step_before(
    direct: Session, sets: dict[str, EvaluationSet]
) -> None:
    reasons = {row["id"]: row["reason"] for row in rows_of(direct, run(sets, late=False), "0")}
    assert (reasons["copy"], reasons["bad"], reasons["cut"]) == ("dedup", "quality", "contaminated")


def test_edited_texts_are_what_is_looked_at(
    direct: Session, sets: dict[str, EvaluationSet]
) -> None:
    rows = rows_of(direct, run(sets, late=True, cut="edited"), "0")
    assert {row["id"]: row["kept"] for row in rows}["edited"]


def test_a_share_forgives_what_is_quoted_in_part(
    direct: Session, sets: dict[str, EvaluationSet]
) -> None:
    ref = run(sets, late=True, min_share=0.5)
    assert {row["id"]: row["kept"] for row in rows_of(direct, ref, "0")}["part"]
    hits = {row["id"]: row["dropped"] for row in rows_of(direct, ref, "hits/")}
    assert hits == {"long": True, "short": True, "part": False, "edited": True}
    assert report_of(direct, ref)["sets"]["maths"]["documents"] == 1


def test_items_count_by_content(
    direct: Session, sets: dict[str, EvaluationSet], tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere.txt"
    copy.write_bytes(Path(sets["riddles"].paths[0]).read_bytes())
    moved = sets | {"riddles": EvaluationSet(paths=(str(copy),))}
    assert collect_items(moved).digest == collect_items(sets).digest
    assert run(moved, late=True).recipe == run(sets, late=True).recipe


def test_sets_without_a_text_or_a_file_are_refused(direct: Session, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text('{"q": ""}\n')
    one = EvaluationSet(paths=(f"{tmp_path}/empty.jsonl",), columns=("q",))
    with pytest.raises(ValueError, match=r"'none' holds no text: .*no_text 1"):
        collect_items({"none": one})
    gone = EvaluationSet(paths=(f"{tmp_path}/gone.jsonl",), columns=("q",))
    with pytest.raises(InputError, match=r"gone.jsonl' matches no file"):
        collect_items({"none": gone})


def test_nothing_kept_fails_with_the_funnel(direct: Session, tmp_path: Path) -> None:
    (tmp_path / "all.txt").write_text("\n".join(text for _, text, *_ in DOCUMENTS))
    with pytest.raises(ValueError, match="decontaminate/web keeps nothing: read 5, kept 0"):
        run({"all": EvaluationSet(paths=(f"{tmp_path}/all.txt",))}, late=True)


@pytest.mark.parametrize("late", [False, True])
def test_no_document_left_fails_and_says_who_dropped_them(
    direct: Session, sets: dict[str, EvaluationSet], late: bool
) -> None:
    with pytest.raises(
        ValueError,
        match=r"reads nothing: all 8 documents were dropped before \(dedup 7, decide 1\); look at "
        "what dedup drops, or leave 'web' out of crawl.sources",
    ):
        decontaminate(
            documents(), edited(), deduped(every=True), substring(every=True) if late else None,
            collect_items(sets), MatchConfig(), source="web", label="web",
        )  # fmt: skip


def test_a_source_may_be_compared_with_some_sets_only(
    direct: Session, sets: dict[str, EvaluationSet]
) -> None:
    ref = run(sets, late=True, sets=("riddles",))
    contaminated = {
        row["id"] for row in rows_of(direct, ref, "0") if row["reason"] == "contaminated"
    }
    assert contaminated == {"short", "edited"}
    assert report_of(direct, ref)["sets"]["maths"] == {
        "items": 2, "by_ngram": 0, "whole": 0, "too_short": 0, "items_hit": 0, "documents": 0,
    }  # fmt: skip
    assert report_of(direct, ref)["too_short"] == []


def test_rules_differ_by_source_key_by_key() -> None:
    config = DecontaminationConfig.model_validate(
        {
            "sets": {"maths": {"paths": ["x.txt"]}},
            "match": {"ngram_words": 10, "min_share": 0.2},
            "sources": {"web": {"match": {"min_share": 0.5, "sets": ["maths"]}}},
        }
    )
    assert config.for_source("web") == MatchConfig(ngram_words=10, min_share=0.5, sets=("maths",))
    assert config.for_source("mail") == config.match
    assert DecontaminationConfig.model_validate(config.model_dump()) == config
    with pytest.raises(ValidationError, match=r"sources.web.match.sets names 'math', which is non"):
        DecontaminationConfig.model_validate({"sources": {"web": {"match": {"sets": ["math"]}}}})


def test_its_rows_are_the_same_as_ever(sets: dict[str, EvaluationSet]) -> None:
    """Another digest means another output: raise the step's version, and look at why."""
    assert collect_items(sets).digest[:16] == "f003c40fe809177d"
    assert run(sets, late=True).digest[:16] == "aad8293e0d09c1eb"


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"min_words \(14\) is more than ngram_words \(13\)"):
        MatchConfig(min_words=14)
