from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from datasets import load_dataset

from flows.cli.artifacts import copy_files
from storage.artifact import ArtifactRef
from storage.build import Build
from storage.documents import CORPUS_SCHEMA, DOCUMENT_SCHEMA, EDITED_SCHEMA
from storage.session import Session
from storage.steps import step
from storage.tables import read_table
from tasks.corpus.task import assemble

CLUSTERED = EDITED_SCHEMA.append(pa.field("cluster", pa.string()))
TEXTS = {
    "docs": [["call 555 now", "a copy"], ["only this line"]],
    "code": [["x = 1"]],
}


@step("documents", version="1")
def make_documents(build: Build, source: str) -> None:
    for number, texts in enumerate(TEXTS[source]):
        rows = [
            {name: "" for name in DOCUMENT_SCHEMA.names}
            | {"id": f"{source}-{text}", "text": text, "source": source, "warc_offset": -1}
            for text in texts
        ]
        table = pa.Table.from_pylist(rows, DOCUMENT_SCHEMA)
        build.add_table(f"{number:05d}.parquet", table, DOCUMENT_SCHEMA)


@step("decisions", version="1")
def make_decisions(build: Build, source: str, edits: dict[str, list[Any]], folder: str) -> None:
    """Cuts `edits[text]`, spans of (start, end, replacement); drops copies."""
    for number, texts in enumerate(TEXTS[source]):
        rows = [
            {
                "id": f"{source}-{text}",
                "kept": "copy" not in text,
                "reason": "near_duplicate" if "copy" in text else "",
                "duplicate_of": "",
                "similarity": 0.0,
                "edits": [
                    {"start": start, "end": end, "replacement": new, "reason": "rule"}
                    for start, end, new in edits.get(text, [])
                ],
                "cluster": f"cluster of {text}",
            }
            for text in texts
        ]
        table = pa.Table.from_pylist(rows, CLUSTERED)
        build.add_table(f"{folder}{number:05d}.parquet", table, CLUSTERED)


def rows_of(session: Session, ref: ArtifactRef) -> dict[str, list[tuple[str, str]]]:
    return {
        entry.name: [
            (row["text"], row["cluster"])
            for row in read_table(session.store.blob_path(entry)).to_pylist()
        ]
        for entry in session.store.manifest_of(ref).files
    }


def test_what_is_kept_is_written_once_with_all_edits(
    direct: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = {source: make_documents(source) for source in TEXTS}
    first = {
        "docs": make_decisions("docs", {"call 555 now": [[5, 8, "<phone>"]]}, "", label="a"),
        "code": make_decisions("code", {}, "", label="b"),
    }
    # The second layer's spans are in "call <phone> now"; it empties the third document.
    cuts = {"call 555 now": [[12, 16, ""]], "only this line": [[0, 14, ""]]}
    second = make_decisions("docs", cuts, "docs/", label="c")
    ref = assemble({"docs": documents["docs"]}, [{"docs": first["docs"]}, second])
    # Nothing is left of the second file, so there is none.
    assert rows_of(direct, ref) == {
        "docs/00000.parquet": [("call <phone>", "cluster of call 555 now")],
    }
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    copy_files(direct.store, direct.store.manifest_of(ref), tmp_path / "exported")
    loaded = load_dataset(str(tmp_path / "exported"), split="train", cache_dir=str(tmp_path / "hf"))
    assert loaded["text"][:] == ["call <phone>"]
    counts = direct.store.manifest_of(ref).counts
    assert (counts.read, counts.kept) == (3, 1)
    assert counts.dropped == {"dropped_before": 1, "empty_text": 1}

    both = assemble(documents, [first], label="both")
    manifest = direct.store.manifest_of(both)
    assert list(rows_of(direct, both)) == [
        f"{s}/0000{n}.parquet" for s, n in (("code", 0), ("docs", 0), ("docs", 1))
    ]
    # "call <phone> now" and "only this line"; "x = 1"
    assert manifest.counts.extra["sources"] == {
        "code": {"documents": 1, "bytes": 5},
        "docs": {"documents": 2, "bytes": 16 + 14},
    }
    table = read_table(direct.store.blob_path(manifest.files[0]))
    assert table.schema.names == CORPUS_SCHEMA.names


def test_documents_without_decisions_are_refused(direct: Session) -> None:
    documents = {source: make_documents(source) for source in TEXTS}
    decided = {"docs": make_decisions("code", {}, "", label="other")}
    with pytest.raises(ValueError, match="no decisions on docs/00001"):
        assemble({"docs": documents["docs"]}, [decided])
