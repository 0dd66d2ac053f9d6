"""The step substring over artifacts: what is cut, what is dropped, the counts, the errors."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from pipeline_config.dedup import DedupConfig
from pipeline_config.substring import SubstringConfig
from storage.artifact import ArtifactRef, Manifest
from storage.build import Build
from storage.documents import DECISION_SCHEMA, DOCUMENT_SCHEMA, EDITED_SCHEMA, kept_rows
from storage.session import Session, session
from storage.steps import step
from storage.store import Store
from storage.tables import read_table
from tasks.dedup.task import substring

RNG = np.random.default_rng(7)
WORDS = [f"word{number}" for number in range(4000)]


def prose(number: int) -> str:
    return " ".join(RNG.choice(WORDS, number))


LICENCE, STORY = prose(60), prose(55)
# source -> (id, text, kept by dedup, reason, what the edits before replace by "" )
CORPUS: dict[str, list[tuple[str, str, bool, str, str]]] = {
    "mail": [
        ("m1", f"{prose(30)}\n\n{LICENCE}\n\n{prose(20)}", True, "", ""),
        ("m2", f"{STORY} {prose(9)}", False, "near_duplicate", ""),
    ],
    "web": [
        ("w1", f"{prose(10)}\n\n{LICENCE.replace(' ', chr(10), 7)}\n\nThe end.", True, "", ""),
        ("w2", f"XX {STORY}", True, "", "XX "),
        ("w3", prose(90), False, "quality", ""),
        ("w4", f"{STORY} ok.", True, "", ""),
    ],
}


@step("documents", version="1")
def documents(build: Build, source: str) -> None:
    plain: dict[str, Any] = dict.fromkeys(DOCUMENT_SCHEMA.names, "") | {"warc_offset": -1}
    for number, row in enumerate(CORPUS[source]):
        table = pa.Table.from_pylist([plain | {"id": row[0], "text": row[1]}], DOCUMENT_SCHEMA)
        build.add_table(f"{number:05d}.parquet", table)


def decision(row: tuple[str, str, bool, str, str]) -> dict[str, Any]:
    id, _, kept, reason, _ = row
    return {"id": id, "kept": kept, "reason": reason, "duplicate_of": "", "similarity": 0.0}


@step("edited", version="1")
def edited(build: Build, source: str) -> None:
    for number, row in enumerate(CORPUS[source]):
        edit = {"start": 0, "end": len(row[4]), "replacement": "", "reason": "line"}
        filled = decision(row) | {"edits": [edit] if row[4] else []}
        if row[3] != "quality":
            filled |= {"kept": True, "reason": ""}
        build.add_table(f"{number:05d}.parquet", pa.Table.from_pylist([filled], EDITED_SCHEMA))


@step("dedup", version="1")
def deduped(build: Build, sources: list[str], keep: bool = True) -> None:
    for source in sources:
        for number, row in enumerate(CORPUS[source]):
            filled = decision(row) if keep else decision(row) | {"kept": False}
            table = pa.Table.from_pylist([filled], DECISION_SCHEMA)
            build.add_table(f"{source}/{number:05d}.parquet", table)


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    store = Store(str(tmp_path_factory.mktemp("store")))
    with session(
        store, flow="test", preset="test", config=DedupConfig(), workers=1, through_prefect=False
    ) as current:
        yield current


@pytest.fixture(scope="module")
def inputs(direct: Session) -> tuple[dict[str, ArtifactRef], dict[str, ArtifactRef], ArtifactRef]:
    return (
        {source: documents(source, label=source) for source in CORPUS},
        {source: edited(source, label=source) for source in CORPUS},
        deduped(sorted(CORPUS)),
    )


def manifest(session: Session, ref: ArtifactRef) -> Manifest:
    return session.store.manifest_of(ref)


def texts_after(session: Session, inputs: Any, ref: ArtifactRef) -> dict[str, str]:
    """What assembling would give, by id."""
    found = {}
    files = {entry.name: entry for entry in manifest(session, ref).files}
    decided = {entry.name: entry for entry in manifest(session, inputs[2]).files}
    for source in CORPUS:
        edits = {entry.name: entry for entry in manifest(session, inputs[1][source]).files}
        for entry in manifest(session, inputs[0][source]).files:
            name = f"{source}/{entry.name}"
            layers = (edits[entry.name], decided[name], files[name])
            table = kept_rows(*map(session.store.blob_path, (entry, *layers)))
            found |= dict(zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True))
    return found


def test_the_first_copy_stays_and_later_ones_are_cut(direct: Session, inputs: Any) -> None:
    ref = substring(*inputs, config=SubstringConfig(enabled=True))
    after = texts_after(direct, inputs, ref)
    head = CORPUS["web"][0][1].split("\n\n")[0]
    assert after == {
        "m1": CORPUS["mail"][0][1],  # mail comes before web
        "w1": f"{head}\n\nThe end.",  # its licence has other line breaks
        "w2": STORY,  # m2, which has it too, was dropped: this is the first
    }
    counts = manifest(direct, ref).counts
    assert (counts.read, counts.kept, counts.edited) == (4, 3, 1)
    assert counts.dropped == {"substring_too_short": 1}  # "ok." was left of w4
    web = counts.extra["by_source"]["web"]
    assert (web["kept"], web["edited"], web["dropped"], web["spans"]) == (2, 1, 1, 1)
    assert web["characters_cut"] == len(LICENCE) + 2


def test_every_row_is_carried_along_with_its_reason(direct: Session, inputs: Any) -> None:
    ref = substring(*inputs, config=SubstringConfig(enabled=True))
    rows = {
        row["id"]: row
        for entry in manifest(direct, ref).files
        if not entry.name.startswith("_anchors/")
        for row in read_table(direct.store.blob_path(entry)).to_pylist()
    }
    assert {id: row["reason"] for id, row in rows.items()} == {
        "m1": "",
        "m2": "dedup",
        "w1": "",
        "w2": "",
        "w3": "quality",
        "w4": "substring_too_short",
    }
    assert [edit["reason"] for edit in rows["w1"]["edits"]] == ["repeated_span"]
    assert rows["w4"]["edits"] == []


def test_the_preferred_source_keeps_its_copy(direct: Session, inputs: Any) -> None:
    config = SubstringConfig(enabled=True, preferred_sources=("web",))
    after = texts_after(direct, inputs, substring(*inputs, config=config))
    assert after["w1"] == CORPUS["web"][0][1]
    assert LICENCE not in after["m1"]


def test_bytes_may_say_how_long_a_span_is(direct: Session, inputs: Any) -> None:
    size = len(LICENCE)
    for least, cut in ((size, True), (size + 1, False)):
        config = SubstringConfig(enabled=True, min_words=None, min_bytes=least)
        after = texts_after(direct, inputs, substring(*inputs, config=config))
        assert (after["w1"] != CORPUS["web"][0][1]) == cut


def test_memory_and_a_second_build_change_no_byte(direct: Session, inputs: Any) -> None:
    refs = [
        substring(*inputs, config=SubstringConfig(enabled=True, max_bytes=size))
        for size in (100_000, 256_000_000)
    ]
    assert refs[0].recipe != refs[1].recipe
    assert refs[0].digest == refs[1].digest


def test_nothing_to_read_fails_with_the_names(direct: Session, inputs: Any) -> None:
    nothing = deduped(sorted(CORPUS), keep=False)
    with pytest.raises(ValueError, match="substring reads no document of mail, web"):
        substring(inputs[0], inputs[1], nothing, SubstringConfig(enabled=True))


def test_a_file_is_cut_again_only_when_other_words_of_it_repeat(
    direct: Session, inputs: Any
) -> None:
    """With web first, mail's file that has the licence is cut and web's no more; two of six."""

    def finished(folder: Path) -> int:
        return sum(len(path.read_bytes().splitlines()) for path in folder.rglob("*.jsonl"))

    substring(*inputs, config=SubstringConfig(enabled=True))
    journals = Path(direct.store.full("shards/substring"))
    before = finished(journals)
    config = SubstringConfig(enabled=True, preferred_sources=("web",), max_bytes=200_000)
    substring(*inputs, config=config)
    assert finished(journals) <= before + 2


def test_a_spared_source_is_neither_cut_nor_compared(direct: Session, inputs: Any) -> None:
    ref = substring(*inputs, config=SubstringConfig(enabled=True, spared_sources=("mail",)))
    after = texts_after(direct, inputs, ref)
    assert after["m1"] == CORPUS["mail"][0][1]
    assert after["w1"] == CORPUS["web"][0][1]  # the licence is in web once
    counts = manifest(direct, ref).counts
    assert (counts.read, counts.kept, counts.edited) == (4, 3, 0)
    assert counts.extra["by_source"]["mail"]["kept"] == 1
    names = [entry.name for entry in manifest(direct, ref).files]
    assert [name for name in names if "mail" in name] == [
        "mail/00000.parquet",
        "mail/00001.parquet",
    ]


def test_its_rows_are_the_same_as_ever(inputs: Any) -> None:
    """Another digest means another output: raise the step's version, and look at why."""
    ref = substring(*inputs, config=SubstringConfig(enabled=True))
    assert ref.digest[:16] == "1ceda1485f24de6a"


def test_a_new_source_adds_only_its_own_shards(inputs: Any, tmp_path: Path) -> None:
    def anchored(store: Store) -> int:
        journals = Path(store.full("shards/substring")).rglob("*.jsonl")
        return sum(len(path.read_bytes().splitlines()) for path in journals)

    store = Store(str(tmp_path / "store"))
    with session(
        store, flow="test", preset="test", config=DedupConfig(), workers=1, through_prefect=False
    ):
        computed = []
        for sources in (["mail"], ["mail", "web"], ["mail", "web"]):
            texts = {source: documents(source, label=source) for source in sources}
            edits = {source: edited(source, label=source) for source in sources}
            substring(texts, edits, deduped(sources), SubstringConfig(enabled=True))
            computed.append(anchored(store))
    assert computed == [4, 12, 12]  # anchors and cuts: mail's stay, though web repeats it


@pytest.mark.parametrize(
    "settings", [{"min_bytes": 100}, {"min_words": None}, {"min_words": 3}, {"max_bytes": 5}]
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SubstringConfig.model_validate(settings)


def test_the_settings_of_the_step_dedup_do_not_hold_those_of_substring() -> None:
    changed = DedupConfig(substring=SubstringConfig(enabled=True, min_words=20))
    assert changed.of_documents == DedupConfig()
