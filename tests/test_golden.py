"""Golden digests: what every data step makes of a small fixed input, beside an independent value.

A digest that changes means that a step's output changed: raise the step's version, look at why, and
put the new digest here. The digests hold for the pinned set of `constraints.txt`.
"""

from pathlib import Path
from typing import Any

import pytest
from small_run import note

from flows.build_instructions import build_instructions
from flows.build_mixture import build_mixture
from flows.refresh_corpus import refresh_corpus
from pipeline_config.pipeline import PipelineConfig
from storage.artifact import Manifest
from storage.session import Session, session
from storage.store import Store
from tasks.evaluation.task import evaluate_baselines

PAGE = """<html><head><title>Page {number}</title></head><body><nav>Home | About</nav>
<article><h1>Page {number}</h1><p>{text}</p></article><footer>Imprint</footer></body></html>"""
NUM_NOTES, NUM_PAGES = 30, 24
GOLDEN = {
    "read/notes": "398ec399cb37c8ca",
    "score/notes": "78d6d802ed56e2bf",
    "decide/notes": "d7aa5e922a3cadc0",
    "edit/notes": "65989a64c9ed7685",
    "sign/notes": "b17cf2bccbc2f5e9",
    "read/pages": "e67bf06f8b94e0da",
    "score/pages": "878fc7eef3a659df",
    "decide/pages": "75cc6a47b2d9979b",
    "edit/pages": "982d540de99c61e5",
    "sign/pages": "4b2fe7a1c6bb516f",
    "dedup": "c1050dc3de1d52cf",
    "assemble": "ed51b932444836e2",
    "train-tokenizer": "936db9b76f09c043",
    "tokenize/notes": "b79e03a1ced95b19",
    "tokenize/pages": "4314db3a49921d87",
    "mixture": "a1ed9383da415e88",
    "write-instructions": "178fb9f79c5015a3",
    "identify-classification": "51f0ba82c7b288c9",
    "write-instances": "95c302c58284ff07",
    "filter-instances": "aec22818400853ba",
    "evaluate-baselines": "521af8db4f548e07",
}


def config(folder: Path) -> PipelineConfig:
    return PipelineConfig.model_validate(
        {
            "crawl": {
                "sources": {
                    "notes": {"kind": "text", "paths": [f"{folder}/notes"]},
                    "pages": {"kind": "html", "paths": [f"{folder}/pages"]},
                }
            },
            "quality": {"sources": {"pages": {"gopher_quality": {"min_words": 60}}}},
            "tokenization": {
                "tokenizer": {"vocab_size": 400, "sample_bytes": 50_000},
                "heldout": {"share": 0.2, "min_clusters": 3},
            },
            "pretrain": {"num_steps": 10, "batch_rows": 2, "row_tokens": 64},
            "instructions": {
                "bootstrap": {"target_instructions": 30, "max_rounds": 10},
                "instances": {"per_instruction": 4, "heldout_per_family": 5},
            },
        }
    )


def write_inputs(folder: Path) -> None:
    (folder / "notes").mkdir(parents=True)
    (folder / "pages").mkdir()
    for number in range(NUM_NOTES - 2):
        (folder / "notes" / f"{number:02d}.txt").write_text(note(number))
    (folder / "notes" / "copy.txt").write_text(f"{note(3)} Indeed.")  # a near-duplicate
    (folder / "notes" / "short.txt").write_text("Too short.")
    for number in range(NUM_PAGES):
        page = PAGE.format(number=number, text=note(100 + number).replace("\n", "</p><p>"))
        (folder / "pages" / f"{number:02d}.html").write_text(page)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, dict[str, Manifest]]:
    folder = tmp_path_factory.mktemp("golden")
    write_inputs(folder)
    settings = config(folder)
    store = Store(str(folder / "store"))
    with session(
        store, flow="golden", preset="golden", config=settings, workers=2, through_prefect=False
    ) as current:
        corpus = refresh_corpus(settings)
        mixture = build_mixture(settings, corpus)
        conversations = build_instructions(settings, corpus, mixture)
        evaluate_baselines(conversations, settings.evaluation.chat)
    manifests = {label: store.manifest_of(ref) for label, ref in current.handles.items()}
    return current, manifests


def test_every_data_step_makes_the_same_rows_as_ever(
    built: tuple[Session, dict[str, Manifest]],
) -> None:
    found = {label: manifest.digest[:16] for label, manifest in built[1].items()}
    assert found == GOLDEN


def test_the_funnel_agrees_with_what_was_put_in(
    built: tuple[Session, dict[str, Manifest]],
) -> None:
    counts = {label: manifest.counts for label, manifest in built[1].items()}
    assert (counts["read/notes"].read, counts["read/notes"].kept) == (NUM_NOTES, NUM_NOTES)
    assert counts["read/pages"].kept == NUM_PAGES
    assert sum(counts["decide/notes"].dropped.values()) == 1  # the short one
    duplicates = {k: v for k, v in counts["dedup"].dropped.items() if "duplicate" in k}
    assert sum(duplicates.values()) == 1
    kept = counts["dedup"].kept
    assert counts["assemble"].kept == kept
    tokenized = [counts[f"tokenize/{source}"] for source in ("notes", "pages")]
    assert sum(c.kept for c in tokenized) == kept


def test_the_split_is_where_the_config_puts_it(built: tuple[Session, dict[str, Manifest]]) -> None:
    for source in ("notes", "pages"):
        extra: dict[str, Any] = built[1][f"tokenize/{source}"].counts.extra
        assert extra["heldout"]["documents"] >= 3
        assert extra["vocab_size"] == 400
