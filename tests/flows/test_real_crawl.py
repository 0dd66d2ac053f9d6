"""Two WARC files of a real crawl go through the whole corpus."""

import re
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from flows.refresh_corpus import refresh_corpus
from pipeline_config.pipeline import PipelineConfig
from storage.artifact import Manifest
from storage.session import session
from storage.store import Store
from storage.tables import read_table


def html_responses(folder: Path) -> int:
    """Found HTML pages, counted by another reader."""
    number = 0
    for path in folder.iterdir():
        with path.open("rb") as file:
            for record in ArchiveIterator(file):
                if record.rec_type == "response" and record.http_headers.get_statuscode() == "200":
                    number += record.http_headers.get_header("Content-Type", "").startswith("text/")
    return number


@pytest.fixture(scope="module")
def built(
    oracles: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Store, dict[str, Manifest]]:
    web = {"kind": "warc", "paths": [str(oracles / "warc")]}
    questions = {"paths": [str(oracles / "gsm8k_test.jsonl")], "columns": ["question"]}
    settings = PipelineConfig.model_validate(
        {
            "crawl": {"sources": {"web": web}},
            "edits": {"repeated_lines": {"enabled": True}},
            "dedup": {"substring": {"enabled": True}},
            "decontamination": {"sets": {"gsm8k": questions}},
        }
    )
    store = Store(str(tmp_path_factory.mktemp("real") / "store"))
    with session(
        store, flow="test", preset="test", config=settings, workers=2, through_prefect=False
    ) as current:
        refresh_corpus(settings)
    return store, {label: store.manifest_of(ref) for label, ref in current.handles.items()}


def test_every_page_is_kept_or_counted_under_a_reason(
    built: tuple[Store, dict[str, Manifest]], oracles: Path
) -> None:
    counts = {label: manifest.counts for label, manifest in built[1].items()}
    steps = ("read/web", "decide/web", "edit/web", "dedup", "substring", "decontaminate/web")
    for label in (*steps, "assemble"):
        own = counts[label]
        assert own.read == own.kept + sum(own.dropped.values()), label
    assert counts["read/web"].read == html_responses(oracles / "warc")
    assert counts["decontaminate/web"].dropped == {}  # no page quotes a school problem
    # Real articles and documentation: most pages are prose, few are copies.
    assert counts["assemble"].kept >= 0.7 * counts["read/web"].kept > 20


def test_the_corpus_is_text_of_those_pages(built: tuple[Store, dict[str, Manifest]]) -> None:
    store, manifests = built
    table = read_table(store.blob_path(manifests["assemble"].files[0]))
    for row in table.to_pylist():
        assert row["url"].startswith("http")
        assert row["warc_file"].endswith(".warc.gz")
        assert "<div" not in row["text"]
        assert len(row["text"].split()) >= 40
        assert not re.search(r"[\w.]+@[\w-]+\.(com|org|net|edu)\b", row["text"])
