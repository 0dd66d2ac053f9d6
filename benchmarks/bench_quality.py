"""The quality filters: Gopher's quality and repetition, C4 and FineWeb, against datatrove's.

Real text: the documentation of this machine's packages (/usr/share/doc) and Python's own sources,
one document per file, with edits planted from a seed (lines repeated, cut short, made bullets,
curly brackets, ...), so that every filter keeps some and drops some. All filters see every
document, and datatrove's see one document after the other, so that it splits each into words once
for all of them. Ours measures every signal and then decides by all four groups; language is left
out. One thread, rounds in turn, the best of each. Prints a table, and last one line of JSON:

- `docs_per_s`, `mb_per_s`: ours;
- `ratio_vs_datatrove_whitespace`: datatrove with words between white space;
- `ratio_vs_datatrove_default`: datatrove as it comes, with spaCy's words, on the first
  `--default-docs` documents, ours on the same;
- `agreement_whitespace`: per filter, the share of documents with the same decision. `fineweb` is
  our version 2 and datatrove's filter as it comes; `fineweb_v1` our version 1 and its filter with
  the marks of version 1, on texts without blank lines, which it cannot count;
- `kept`: per filter, the share of documents that we keep.

    python benchmarks/bench_quality.py --docs 800
"""

import argparse
import json
import logging
import random
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from datatrove_filters import NAMES, decisions, fineweb_v1
from real_text import read_texts

from pipeline_config.edits import C4LineRules
from pipeline_config.quality import (
    C4Rules,
    FineWebRules,
    LanguageRules,
    QualityRules,
    ScoreConfig,
)
from tasks.quality.rules import decide
from tasks.quality.score import blocks, rule_signals

MAX_CHARACTERS = 20_000
OFF = {"language": LanguageRules(enabled=False)}
GROUPS: dict[str, Any] = {
    "c4": C4Rules(enabled=True),
    "fineweb": FineWebRules(enabled=True, version="v2"),
}
EVERY_RULE = QualityRules(**OFF, **GROUPS)


def read_documents(limit: int, rng: random.Random) -> list[str]:
    """The beginnings of files, in an order drawn from the seed."""
    texts = [text[:MAX_CHARACTERS] for text in read_texts()]
    rng.shuffle(texts)
    return [plant(text, rng) for text in texts[:limit]]


def plant(text: str, rng: random.Random) -> str:
    """One edit in two of three documents; brackets, which C4 drops for, are taken out of most."""
    lines = text.split("\n")
    row = rng.randrange(len(lines))
    edits: list[Callable[[], list[str]]] = [
        lambda: lines,
        lambda: lines + lines[row : row + 20] * rng.randint(1, 3),
        lambda: [line[: rng.randint(10, 60)] for line in lines],
        lambda: [f"- {line}" if rng.random() < 0.95 else line for line in lines],
        lambda: [line + "..." if rng.random() < 0.4 else f"{line}." for line in lines],
        lambda: [*lines[:row], "You need JavaScript to read our privacy policy.", *lines[row:]],
        lambda: [*lines[:row], "Here is some lorem ipsum { } to fill the page.", *lines[row:]],
        lambda: [re.sub(r"[a-z]+", "#", line) if rng.random() < 0.3 else line for line in lines],
        lambda: [" ".join(line.split()) for line in lines if line.strip()],
        lambda: re.split(r"(?<=\.)\s+", " ".join(text.split())),
    ]
    changed = "\n".join(rng.choice(edits)())
    return changed.replace("{", "(") if rng.random() < 0.8 else changed


def ours(texts: Sequence[str]) -> pa.Table:
    """Every signal, and the decision by all groups."""
    column = pa.chunked_array([texts], pa.string())
    signals = (rule_signals(own, ScoreConfig(), C4LineRules()) for own in blocks(column))
    scores = pa.concat_tables(map(pa.table, signals))
    decide(scores, EVERY_RULE)
    return scores


def only(group: str, **changed: Any) -> QualityRules:
    """The rules of one group alone."""
    groups: dict[str, Any] = dict(GROUPS) | changed
    rules = QualityRules(**OFF, **groups).model_dump()
    for name in NAMES:
        rules[name]["enabled"] = name == group
    return QualityRules.model_validate(rules)


def agreement(texts: Sequence[str], theirs: dict[str, list[bool]]) -> dict[str, dict[str, float]]:
    """Per filter, the share of equal decisions, and the share that we keep."""
    scores = ours(texts)
    found: dict[str, dict[str, float]] = {"agreement": {}, "kept": {}}
    for name in NAMES:
        kept = decide(scores, only(name)).reason == ""
        found["agreement"][name] = round(float(np.mean(kept == theirs[name])), 4)
        found["kept"][name] = round(float(np.mean(kept)), 3)
    dense = [re.sub(r"\n\s*\n", "\n", text).strip("\n") for text in texts]
    rules = only("fineweb", fineweb=FineWebRules(version="v1"))
    kept = decide(ours(dense), rules).reason == ""
    found["agreement"]["fineweb_v1"] = round(float(np.mean(kept == fineweb_v1(dense))), 4)
    return found


def timed(run: Callable[[], Any]) -> float:
    started_at = time.perf_counter()
    run()
    return time.perf_counter() - started_at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--docs", type=int, default=2000, help="documents at most")
    parser.add_argument("--default-docs", type=int, default=200, help="with spaCy's words")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each, in turn")
    chosen = parser.parse_args()
    logging.disable()

    texts = read_documents(chosen.docs, random.Random(chosen.seed))
    few = texts[: chosen.default_docs]
    ours(texts[:50])  # loads and compiles
    decisions(texts[:5], "eng")
    best = {name: float("inf") for name in ("ours", "whitespace", "ours_few", "default")}
    theirs: dict[str, list[bool]] = {}
    for _ in range(chosen.rounds):
        best["ours"] = min(best["ours"], timed(lambda: ours(texts)))
        best["whitespace"] = min(best["whitespace"], timed(lambda: theirs.update(decisions(texts))))
        best["ours_few"] = min(best["ours_few"], timed(lambda: ours(few)))
        best["default"] = min(best["default"], timed(lambda: decisions(few, "eng")))

    size, few_size = (sum(len(text.encode()) for text in own) / 1e6 for own in (texts, few))
    print(f"{len(texts):,} documents, {size:.1f} MB; of spaCy's {len(few):,}, {few_size:.1f} MB\n")
    print("| all four filters | docs/s | MB/s | ours to it |\n|---|---|---|---|")
    print(f"| ours | {len(texts) / best['ours']:,.0f} | {size / best['ours']:.1f} | 1 |")
    rows = (
        ("datatrove, words between white space", "whitespace", "ours", len(texts), size),
        ("datatrove as it comes (spaCy)", "default", "ours_few", len(few), few_size),
    )
    for label, peer, own, number, mb in rows:
        ratio = best[peer] / best[own]
        print(f"| {label} | {number / best[peer]:,.1f} | {mb / best[peer]:.2f} | {ratio:.1f} |")
    found = agreement(texts, theirs)
    result = {
        "n_docs": len(texts),
        "mb": round(size, 1),
        "docs_per_s": round(len(texts) / best["ours"]),
        "mb_per_s": round(size / best["ours"], 1),
        "ratio_vs_datatrove_whitespace": round(best["whitespace"] / best["ours"], 1),
        "ratio_vs_datatrove_default": round(best["default"] / best["ours_few"], 1),
        "agreement_whitespace": found["agreement"],
        "kept": found["kept"],
    }
    print(f"\n{json.dumps(result)}")


if __name__ == "__main__":
    main()
