"""Exact substring deduplication: how fast repeated spans are found and cut, and whether all are.

Real text: the documentation of this machine's packages (/usr/share/doc) and Python's own sources,
one document per file, with spans of one document planted into others from a seed. Compared with one
suffix array over the whole text (Lee et al. 2021, by the same library): the same words must be
found. One thread. Prints a table, and last one line of JSON:

- `mb_per_s`: text to cut text, in MB of UTF-8;
- `mb_per_s_one_array`: the same with one suffix array over all words;
- `equal`: whether both mark the same words;
- `recall`: share of the planted copies of which no window of 50 words is left;
- `peak_mb`: memory of the process at most, above that before the text was read.

    python benchmarks/bench_substring.py --docs 2000
"""

import argparse
import json
import os
import random
import resource
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # of libdivsufsort; read when it is loaded

import numpy as np
import pyarrow as pa
from real_text import read_texts

from storage.documents import apply_edits
from storage.tables import write_table
from tasks.dedup.anchor_files import anchor_table
from tasks.dedup.anchors import Span
from tasks.dedup.cuts import spans_by_text
from tasks.dedup.passes import MARK, mark_repeats
from tasks.dedup.suffix_array import find_repeats
from tasks.dedup.word_stream import read_words

SPAN = Span(50, in_words=True)
MAX_CHARACTERS = 200_000
PLANTED_WORDS = (60, 200)
SHARD_DOCS = 1000


def read_documents(limit: int, seed: int) -> list[str]:
    """Texts of all files, in an order drawn from the seed."""
    texts = []
    for text in read_texts():
        texts += [text[i : i + MAX_CHARACTERS] for i in range(0, len(text), MAX_CHARACTERS)]
    random.Random(seed).shuffle(texts)
    return texts[:limit] if limit else texts


def plant(texts: list[str], seed: int) -> list[str]:
    """Put a span of an earlier document into every tenth one; returns what was planted."""
    rng = random.Random(seed)
    planted = []
    for row in range(10, len(texts), 10):
        words = texts[rng.randrange(row)].split()
        number = rng.randint(*PLANTED_WORDS)
        if len(words) < number:
            continue
        start = rng.randrange(len(words) - number + 1)
        span = " ".join(words[start : start + number])
        own = texts[row].split("\n\n")
        own.insert(rng.randint(0, len(own)), span)
        texts[row] = "\n\n".join(own)
        planted.append(span)
    return planted


def ours(texts: list[str], max_bytes: int, folder: Path) -> tuple[list[str], int, int]:
    """Cut texts, bytes compared, and passes."""
    shards = [
        pa.array(texts[start : start + SHARD_DOCS], pa.large_string())
        for start in range(0, len(texts), SHARD_DOCS)
    ]
    paths, units, size = [], 0, 0
    for number, shard in enumerate(shards):
        table, num_units, num_bytes = anchor_table(shard, SPAN)
        units, size = units + num_units, size + num_bytes
        paths.append(folder / f"{number}.parquet")
        write_table(paths[-1], table)
    readers = [lambda shard=shard: shard for shard in shards]
    per_unit = size / max(units, 1)
    found = mark_repeats(readers, paths, SPAN, per_unit, max_bytes, folder, lambda *_: None)
    cut = list(texts)
    for number, (shard, path) in enumerate(zip(shards, found.marks, strict=True)):
        marks = np.fromfile(path, MARK) if path.exists() else np.empty(0, MARK)
        for row, spans in spans_by_text(shard, marks) if len(marks) else ():
            place = number * SHARD_DOCS + row
            cut[place] = apply_edits(cut[place], [(*span, "") for span in spans])
    return cut, found.num_compared, found.num_passes


def one_array(texts: list[str]) -> list[str]:
    """Cut texts, by one suffix array over all words."""
    column = pa.array(texts, pa.large_string())
    words = read_words(column)
    found = find_repeats(words.stream, words.starts[words.text_words], SPAN)
    marks = np.empty(len(found.region), MARK)
    marks["text"], marks["first"], marks["last"] = found
    cut = list(texts)
    for row, spans in spans_by_text(column, marks) if len(marks) else ():
        cut[row] = apply_edits(cut[row], [(*span, "") for span in spans])
    return cut


def windows(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[i : i + SPAN.length]) for i in range(len(words) - SPAN.length + 1)}


def recall(cut: list[str], planted: list[str]) -> float:
    """Share of the planted spans none of whose windows is in two documents or more."""
    wanted = [windows(span) for span in planted]
    counts = dict.fromkeys(set().union(*wanted), 0)
    for text in cut:
        for window in windows(text) & counts.keys():
            counts[window] += 1
    return sum(all(counts[w] <= 1 for w in own) for own in wanted) / max(len(wanted), 1)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--docs", type=int, default=0, help="documents at most; 0: all there are")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-bytes", type=int, default=256_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each, in turn")
    chosen = parser.parse_args()

    texts = read_documents(chosen.docs, chosen.seed)
    planted = plant(texts, chosen.seed)
    size = sum(len(text.encode()) for text in texts)
    one_array(texts[:20])  # loads and compiles
    before = peak_mb()
    peak = before
    times: dict[str, list[float]] = {"ours": [], "one_array": []}
    for _ in range(chosen.rounds):
        with tempfile.TemporaryDirectory() as folder:
            started_at = time.perf_counter()
            cut, compared, passes = ours(texts, chosen.max_bytes, Path(folder))
            times["ours"].append(time.perf_counter() - started_at)
        if len(times["ours"]) == 1:  # afterwards, the other's memory is in it
            peak = peak_mb()
        started_at = time.perf_counter()
        expected = one_array(texts)
        times["one_array"].append(time.perf_counter() - started_at)

    rates = {name: size / 1e6 / min(own) for name, own in times.items()}
    print(f"{len(texts):,} documents, {size / 1e6:.1f} MB, {len(planted):,} planted spans\n")
    print("| | MB/s | MB under suffix arrays | arrays |\n|---|---|---|---|")
    print(f"| anchors first | {rates['ours']:.1f} | {compared / 1e6:.1f} | {passes} |")
    print(f"| one suffix array | {rates['one_array']:.1f} | {size / 1e6:.1f} | 1 |\n")
    left = sum(len(text.encode()) for text in cut)
    print(f"cut: {100 * (1 - left / size):.1f} % of all bytes\n")
    result = {
        "n_docs": len(texts),
        "mb": round(size / 1e6, 1),
        "mb_per_s": round(rates["ours"], 2),
        "mb_per_s_one_array": round(rates["one_array"], 2),
        "equal": cut == expected,
        "recall": round(recall(cut, planted), 4),
        "peak_mb": round(peak - before),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
