"""Oracle: on real text, every filter decides as datatrove's does, with words between white space.

Datatrove's answers are recorded in datatrove_answers.json; `record_datatrove.py` asks it again.
"""

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xxhash
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

ANSWERS = Path(__file__).with_name("datatrove_answers.json")
GROUPS = ("gopher_quality", "gopher_repetition", "c4", "fineweb")
MAX_CHARACTERS = 12_000


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


def oracle_texts(oracles: Path) -> list[str]:
    every = [text[:MAX_CHARACTERS] for text in [*labelled(oracles), *pages(oracles)]]
    return [text for text in every if text.strip()]


def without_blank_lines(text: str) -> str:
    return re.sub(r"\n\s*\n", "\n", text).strip("\n")


def bare_lines(text: str) -> str:
    """Lines that are not empty, without the white space around them."""
    return "\n".join(line for line in map(str.strip, text.splitlines()) if line)


def key(text: str) -> str:
    return xxhash.xxh3_64_hexdigest(text.encode("utf-8", "surrogatepass"))


@pytest.fixture(scope="module")
def texts(oracles: Path) -> list[str]:
    return oracle_texts(oracles)


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    recorded: dict[str, dict[str, Any]] = json.loads(ANSWERS.read_text(encoding="utf-8"))
    return recorded


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
    texts: list[str], answers: dict[str, dict[str, Any]], group: str
) -> None:
    kept = ours(texts, group)
    theirs = np.array([group in answers["kept"][key(text)] for text in texts])
    assert np.mean(kept == theirs) >= 0.999
    assert 0.1 < kept.mean() < 0.98  # both decisions are there


def test_the_first_version_of_fineweb_is_the_filter_with_its_marks(
    texts: list[str], answers: dict[str, dict[str, Any]]
) -> None:
    """Where there are no blank lines, which today's filter leaves out."""
    dense = [without_blank_lines(text) for text in texts]
    theirs = np.array([answers["kept_by_fineweb_v1"][key(text)] for text in dense])
    assert np.mean(ours(dense, "fineweb", "v1") == theirs) >= 0.999


def test_what_c4_leaves_of_a_text_is_what_datatrove_leaves(
    texts: list[str], answers: dict[str, dict[str, Any]]
) -> None:
    """Line by line; white space around lines and empty lines do not count."""
    rules = C4LineRules(enabled=True)
    num_compared = num_edited = 0
    for text in texts:
        theirs = answers["left_by_c4"][key(text)]
        if theirs is None:  # "lorem ipsum" or a bracket, which drop the document here too
            continue
        edits = [(start, end, "") for start, end, _ in c4_line_edits(text, rules)]
        assert key(bare_lines(apply_edits(text, edits))) == theirs
        num_compared += 1
        num_edited += bool(edits)
    assert num_compared > 200
    assert num_edited > 150
