"""A source that grows month by month: lines known as boilerplate edit no old documents again."""

import json
import re
from pathlib import Path

from small_run import note

from flows.refresh_corpus import clean_up, ingest, judge
from pipeline_config.pipeline import PipelineConfig
from storage.artifact import Manifest
from storage.session import Session, Silent, session
from storage.store import Store
from storage.tables import read_table
from tasks.quality.task import score

FOOTER = "Copyright by the example company, all rights reserved"
PAGES_A_MONTH = 4


class Log(Silent):
    """Keeps what steps say."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}

    def log(self, label: str, message: str) -> None:
        self.lines[label] = message

    def shards(self, label: str) -> tuple[int, int] | None:
        """How many of its shards a step had, of how many; None when it had none."""
        found = re.search(r"(\d+) of (\d+) shards were finished", self.lines.get(label, ""))
        return (int(found[1]), int(found[2])) if found else None


def month(current: Session, folder: Path) -> dict[str, Manifest]:
    """The refresh up to the edits."""
    config = settings(folder)
    log = current.reporter
    assert isinstance(log, Log)
    log.lines.clear()
    current.handles.clear()
    current.record.steps.clear()
    documents = ingest("web", config)
    c4_lines = config.edits.for_source("web").c4_lines.switched_on()
    scores = score(documents, config.quality.score, c4_lines, label="web")
    clean_up("web", documents, judge("web", scores, {}, config.quality), config)
    return {label: current.store.manifest_of(ref) for label, ref in current.handles.items()}


def settings(folder: Path) -> PipelineConfig:
    return PipelineConfig.model_validate(
        {
            "crawl": {"sources": {"web": {"kind": "jsonl", "paths": [f"{folder}/*.jsonl"]}}},
            "edits": {"repeated_lines": {"enabled": True, "min_pages": 4}},
        }
    )


def write_month(folder: Path, month: int, ending: str) -> None:
    texts = [f"{note(10 * month + number)}\n{ending}" for number in range(PAGES_A_MONTH)]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    (folder / f"{month}.jsonl").write_text(lines)


def test_a_known_line_on_more_pages_edits_no_old_ones_again(tmp_path: Path) -> None:
    store, log = Store(str(tmp_path / "store")), Log()
    write_month(tmp_path, 1, FOOTER)
    with session(
        store,
        flow="test",
        preset="test",
        config=settings(tmp_path),
        workers=1,
        reporter=log,
        through_prefect=False,
    ) as current:
        first = month(current, tmp_path)
        assert first["edit/web"].counts.edited == PAGES_A_MONTH

        write_month(tmp_path, 2, FOOTER)
        second = month(current, tmp_path)
        assert second["edit/web"].counts.edited == 2 * PAGES_A_MONTH
        assert log.shards("find-boilerplate/web") == log.shards("edit/web") == (1, 2)
        entries = {entry.name: entry for entry in second["find-boilerplate/web"].files}
        pages = read_table(store.blob_path(entries["pages.parquet"]))
        assert pages["pages"].to_pylist() == [2 * PAGES_A_MONTH]

        # Another line becomes boilerplate: what that means for the old pages must be seen.
        write_month(tmp_path, 3, "Another footer, of another year and company")
        third = month(current, tmp_path)
        assert third["edit/web"].counts.edited == 3 * PAGES_A_MONTH
        assert (log.shards("find-boilerplate/web"), log.shards("edit/web")) == ((2, 3), None)
