"""Oracle: on real text, every filter decides as datatrove's does, with words between white space.

Datatrove lives in the environment that `make bench` installs; without it there is nobody to ask.
"""

import base64
import gzip
import json
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from lxml import html

from pipeline_config.edits import C4LineRules
from pipeline_config.quality import (
    C4Rules,
    FineWebRules,
    LanguageRules,
    QualityRules,
    ScoreConfig,
)
from storage.documents import apply_edits
from tasks.quality.c4 import c4_line_edits
from tasks.quality.rules import decide
from tasks.quality.score import blocks, rule_signals

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-bench" / "bin" / "python"
GROUPS = ("gopher_quality", "gopher_repetition", "c4", "fineweb")
MAX_CHARACTERS, NUM_SOURCES = 12_000, 60


def labelled(oracles: Path) -> list[str]:
    lines = (oracles / "quality_labels.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def pages(oracles: Path) -> list[str]:
    """All text of real pages, menus and all: that is what the filters are for."""
    texts = []
    with gzip.open(oracles / "extraction_eval_120.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            tree = html.document_fromstring(base64.b64decode(json.loads(line)["html_base64"]))
            for element in tree.xpath("//script | //style"):
                element.drop_tree()
            texts.append(tree.text_content())
    return texts


def sources() -> list[str]:
    found = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[:NUM_SOURCES]
    return [path.read_text(encoding="utf-8") for path in found]


@pytest.fixture(scope="module")
def texts(oracles: Path) -> list[str]:
    every = [text[:MAX_CHARACTERS] for text in [*labelled(oracles), *pages(oracles), *sources()]]
    return [text for text in every if text.strip()]


@pytest.fixture(scope="module")
def theirs(texts: list[str]) -> dict[str, list[bool]]:
    return asked(texts)


def asked(texts: list[str], *only: str) -> dict[str, list[Any]]:
    if not PYTHON.exists():
        pytest.skip("datatrove is not installed; run make bench")
    program = [PYTHON, ROOT / "benchmarks" / "datatrove_filters.py", *only]
    run = subprocess.run(program, input=json.dumps(texts).encode(), capture_output=True, check=True)
    answer: dict[str, list[Any]] = json.loads(run.stdout)
    return answer


def ours(texts: list[str], group: str, version: str = "v2") -> Any:
    rules = QualityRules(
        language=LanguageRules(enabled=False),
        c4=C4Rules(enabled=True),
        fineweb=FineWebRules(enabled=True, version=version),
    ).model_dump()
    for name in GROUPS:
        rules[name]["enabled"] = name == group
    column = pa.chunked_array([texts], pa.string())
    signals = [rule_signals(own, ScoreConfig(), C4LineRules()) for own in blocks(column)]
    scores = pa.concat_tables(map(pa.table, signals))
    return decide(scores, QualityRules.model_validate(rules)).reason == ""


@pytest.mark.parametrize("group", GROUPS)
def test_decisions_are_datatroves(
    texts: list[str], theirs: dict[str, list[bool]], group: str
) -> None:
    kept = ours(texts, group)
    assert np.mean(kept == theirs[group]) >= 0.999
    assert 0.1 < kept.mean() < 0.98  # both decisions are there


def test_the_first_version_of_fineweb_is_the_filter_with_its_marks(texts: list[str]) -> None:
    """Where there are no blank lines, which today's filter leaves out."""
    dense = [re.sub(r"\n\s*\n", "\n", text).strip("\n") for text in texts]
    kept = ours(dense, "fineweb", "v1")
    assert np.mean(kept == asked(dense, "fineweb_v1")["fineweb_v1"]) >= 0.999


def test_what_c4_leaves_of_a_text_is_what_datatrove_leaves(texts: list[str]) -> None:
    """Line by line; white space around lines and empty lines do not count."""
    left = asked(texts, "c4_texts")["c4_texts"]
    rules = C4LineRules(enabled=True)
    num_compared = num_edited = 0
    for text, theirs in zip(texts, left, strict=True):
        if theirs is None:  # "lorem ipsum" or a bracket, which drop the document here too
            continue
        edits = [(start, end, "") for start, end, _ in c4_line_edits(text, rules)]
        assert bare_lines(apply_edits(text, edits)) == bare_lines(theirs)
        num_compared += 1
        num_edited += bool(edits)
    assert num_compared > 300
    assert num_edited > 200


def bare_lines(text: str) -> list[str]:
    return [line for line in map(str.strip, text.splitlines()) if line]
