"""MinHash deduplication, texts to kept documents, beside rensa, datasketch and datatrove.

Passages of real text (the documentation of this machine's packages, Python's own sources and those
of the installed packages), and copies of some with planted edits: none, changed words, case and
punctuation, boilerplate around them, a missing end, missing lines. All tools get 5-word shingles
and the same 32 bands of 4 rows of 128 permutations; rounds are interleaved, the best of each
counts. One thread unless said. The peers' words are `\\w+` of the lower-case text. Prints a table,
and last one line of JSON:

- `n_docs`;
- `ratio_vs_rensa`, `ratio_vs_datasketch` (xxh32), `ratio_vs_datatrove` (regex words; its stages
  signature, buckets and cluster): their seconds over ours;
- `recall_07`, `recall_08`: share of the pairs truly at that Jaccard similarity or above, by the
  sets of shingles of all pairs, whose members end in one cluster;
- `unjustified`: share of the removed documents without a partner in their cluster at 0.5 or above;
- `speedup_2_processes`: seconds of the whole with one process over those with two that sign;
- with `--scale`: `scale_docs`, `scale_seconds` (of the processor), `scale_peak_mb`, and
  `cost_growth`, time per document at that size over that at a tenth of it, for generated documents;
  `cost_growth_template`, `found_template` and `times_bucket_full_template`, the same, the share
  of copies found and how often a bucket was full, when all share their first 20 words;
  `scale_step_seconds` and `scale_step_peak_mb` of the step `dedup` itself, in a process of its
  own, from files to files; `refresh_seconds` and `refresh_peak_mb`, when a file of
  10,000 documents comes after that, half of them copies, and `refresh_speedup`, the seconds of all
  at once over that.

    python benchmarks/bench_minhash.py                       # a few minutes
    python benchmarks/bench_minhash.py --docs 4000 --rounds 1
    python benchmarks/bench_minhash.py --scale 1000000
"""

import argparse
import json
import random
import re
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from real_text import read_texts

from pipeline_config.dedup import DedupConfig
from storage.artifact import Manifest
from storage.build import Build
from storage.steps import step
from tasks.dedup.clusters import FULL, Verdicts, find_duplicates
from tasks.dedup.minhash import Fingerprints, fingerprint_texts
from tasks.dedup.task import dedup

NUM_BANDS, NUM_ROWS, SHINGLE_WORDS, SEED = 32, 4, 5, 1
NUM_PERMUTATIONS = NUM_BANDS * NUM_ROWS
MIN_SIMILARITY, CLUSTER_SIMILARITY, MAX_COMPARED = 0.65, 0.5, 200
PASSAGE_WORDS = 235
COPIES = 7, 18  # of so many documents so many are edited copies
WORD = re.compile(r"\w+")
NUM_SHARDS = 16  # files that are signed, by one process or two
SHORT_ROUNDS = 4  # rounds of half a second are more of them
GENERATED_WORDS, VOCABULARY, GENERATED_AT_ONCE = (50, 150), 50_000, 10_000
TEMPLATE_WORDS = 20  # that all documents have in common


# ---- text


def passages() -> Iterator[str]:
    """Passages of about 235 words, in an order that depends on the files' names alone."""
    for text in read_texts(packages=True):
        lines: list[str] = []
        words = 0
        for line in text.split("\n"):
            lines.append(line)
            words += len(WORD.findall(line))
            if words >= PASSAGE_WORDS:
                yield "\n".join(lines)
                lines, words = [], 0


def make_documents(number: int, seed: int) -> list[str]:
    """Real passages, and edited copies of some of them, shuffled."""
    rng = random.Random(seed)
    originals = number * (COPIES[1] - COPIES[0]) // COPIES[1]
    unique: dict[str, None] = {}
    for passage in passages():
        unique[passage] = None
        if len(unique) >= 4 * originals:
            break
    documents = rng.sample(list(unique), min(originals, len(unique)))
    count = len(documents)
    documents += [edited(documents[rng.randrange(count)], rng) for _ in range(number - originals)]
    rng.shuffle(documents)
    return documents


def edited(text: str, rng: random.Random) -> str:
    """A copy with one kind of edit."""
    words, lines = text.split(" "), text.split("\n")
    kind = rng.randrange(6)
    if kind == 1:
        share = rng.uniform(0.005, 0.05)
        return " ".join("changed" if rng.random() < share else word for word in words)
    if kind == 2:
        return text.upper().replace(",", " ;").replace(".", " .")
    if kind == 3:
        return f"Home | News | Contact\n\n{text}\n\nAll rights reserved. Terms of use. Imprint."
    if kind == 4:
        return " ".join(words[: int(len(words) * rng.uniform(0.7, 0.98))])
    if kind == 5:
        share = rng.uniform(0.02, 0.2)
        return "\n".join(line for line in lines if rng.random() >= share)
    return text


# ---- the tools; each gives the kept documents' number


def sign(texts: pa.Array) -> Fingerprints:
    """Our signatures."""
    return fingerprint_texts(
        texts, shingle_words=SHINGLE_WORDS, num_permutations=NUM_PERMUTATIONS, seed=SEED
    )


def resolve(prints: Fingerprints) -> Verdicts:
    """Our verdicts; the longest document of a cluster stays first in order."""
    codes = pa.array(prints.exact_hashes, pa.binary(16)).dictionary_encode().indices
    order = np.argsort(-prints.num_words, kind="stable")
    return find_duplicates(
        prints.signatures,
        np.asarray(codes, dtype=np.int64),
        prints.num_words >= SHINGLE_WORDS,
        order,
        num_bands=NUM_BANDS,
        num_rows=NUM_ROWS,
        min_similarity=MIN_SIMILARITY,
        cluster_similarity=CLUSTER_SIMILARITY,
        max_compared=MAX_COMPARED,
    )


def ours(texts: list[str]) -> int:
    """This project's."""
    return int((resolve(sign(pa.array(texts))).duplicate_of < 0).sum())


@dataclass(frozen=True)
class TextFile:
    """One file of texts, and where their signatures belong in the table of all."""

    path: Path
    table: Path
    start: int


def write_shards(texts: list[str], folder: Path) -> list[TextFile]:
    """The texts in files, as the step `sign` finds them, and room for all signatures."""
    table = folder / "signatures.npy"
    shape = len(texts), NUM_PERMUTATIONS
    np.lib.format.open_memmap(table, mode="w+", dtype=np.uint32, shape=shape)
    bounds = np.linspace(0, len(texts), NUM_SHARDS + 1).astype(int).tolist()
    shards = [TextFile(folder / f"{start}.parquet", table, start) for start in bounds[:-1]]
    for shard, end in zip(shards, bounds[1:], strict=True):
        own = pa.table({"text": texts[shard.start : end]})
        pq.write_table(own, shard.path, compression="zstd")
    return shards


def sign_file(shard: TextFile) -> Fingerprints:
    """Our signatures of one file; they go into the table, the rest is small."""
    prints = sign(pq.read_table(shard.path, use_threads=False)["text"].combine_chunks())
    table = np.load(shard.table, mmap_mode="r+")
    table[shard.start : shard.start + len(prints.num_words)] = prints.signatures
    return prints._replace(signatures=np.empty((0, 0), np.uint32))


def ours_in_processes(shards: list[TextFile], pool: ProcessPoolExecutor) -> int:
    """This project's, signed in the pool's processes, as the step `sign` does with its shards."""
    signed = list(pool.map(sign_file, shards))
    prints = Fingerprints(
        np.concatenate([part.num_words for part in signed]),
        [one for part in signed for one in part.exact_hashes],
        np.asarray(np.load(shards[0].table, mmap_mode="r+")),
    )
    return int((resolve(prints).duplicate_of < 0).sum())


def shingles(text: str) -> set[bytes]:
    """The shingles of a text for the peers that take sets."""
    words = WORD.findall(text.lower())
    number = max(len(words) - SHINGLE_WORDS + 1, 1)
    return {" ".join(words[i : i + SHINGLE_WORDS]).encode() for i in range(number)}


def rensa(texts: list[str]) -> int:
    """Rensa's quickest way: a matrix of digests, and flags in one pass."""
    from rensa import RMinHash, RMinHashLSH

    matrix = RMinHash.digest_matrix_from_token_byte_sets(
        [shingles(text) for text in texts], NUM_PERMUTATIONS, SEED
    )
    lsh = RMinHashLSH(0.7, NUM_PERMUTATIONS, NUM_BANDS)
    return len(texts) - sum(lsh.query_duplicate_flags_matrix_one_shot(matrix))


def datasketch(texts: list[str]) -> int:
    """Datasketch with the hash that is quickest there."""
    from datasketch import MinHash, MinHashLSH
    from xxhash import xxh32_intdigest

    lsh = MinHashLSH(num_perm=NUM_PERMUTATIONS, params=(NUM_BANDS, NUM_ROWS))
    kept = 0
    sets = (shingles(text) for text in texts)
    signatures = MinHash.generator(
        sets, num_perm=NUM_PERMUTATIONS, seed=SEED, hashfunc=xxh32_intdigest
    )
    for number, signature in enumerate(signatures):
        kept += not lsh.query(signature)
        lsh.insert(number, signature, check_duplication=False)
    return kept


def datatrove(texts: list[str]) -> int:
    """Datatrove's stages, one task each, with words by a regular expression."""
    import struct

    from datatrove.data import Document
    from datatrove.pipeline.dedup import minhash
    from datatrove.utils.logging import logger

    logger.remove()
    minhash.tqdm = lambda items, **_: items
    config = minhash.MinhashConfig(
        n_grams=SHINGLE_WORDS, num_buckets=NUM_BANDS, hashes_per_bucket=NUM_ROWS
    )
    with tempfile.TemporaryDirectory() as folder:
        documents = (Document(text=text, id=str(n)) for n, text in enumerate(texts))
        signature = minhash.MinhashDedupSignature(f"{folder}/sigs", config=config)
        signature.word_tokenizer = SimpleNamespace(
            word_tokenize=WORD.findall
        )  # spaCy is 10x slower
        signature.run(documents, 0, 1)
        for rank in range(NUM_BANDS):
            stage = minhash.MinhashDedupBuckets(f"{folder}/sigs", f"{folder}/dups", config=config)
            stage.run(None, rank, NUM_BANDS)
        cluster = minhash.MinhashDedupCluster(f"{folder}/dups", f"{folder}/remove", config=config)
        cluster.run(None, 0, 1)
        removed = sum(
            len(path.read_bytes()) // struct.calcsize("<I")
            for path in Path(folder, "remove").glob("*.remove")
        )
    return len(texts) - removed


# ---- the truth


def true_pairs(texts: list[str], least: float) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """All pairs of documents (P, 2) at Jaccard similarity `least` or above, and it (P,)."""
    from scipy.sparse import csr_matrix

    sets = [shingles(text) for text in texts]
    names: dict[bytes, int] = {}
    columns = [names.setdefault(one, len(names)) for own in sets for one in own]
    sizes = np.array([len(own) for own in sets], np.int64)
    rows = np.repeat(np.arange(len(sets)), sizes)
    matrix = csr_matrix(
        (np.ones(len(columns), np.int32), (rows, columns)), shape=(len(sets), len(names))
    )
    found, similarities = [], []
    for start in range(0, len(sets), 500):
        common = (matrix[start : start + 500] @ matrix.T).tocoo()
        left, right = common.row.astype(np.int64) + start, common.col.astype(np.int64)
        share = common.data / (sizes[left] + sizes[right] - common.data)
        good = (share >= least) & (left < right)
        found.append(np.stack([left[good], right[good]], axis=1))
        similarities.append(share[good])
    return np.concatenate(found), np.concatenate(similarities)


def quality(texts: list[str]) -> dict[str, float]:
    """How many true pairs end together, and how many are removed without a reason."""
    verdicts = resolve(sign(pa.array(texts)))
    pairs, similarity = true_pairs(texts, 0.5)
    together = verdicts.component[pairs[:, 0]] == verdicts.component[pairs[:, 1]]
    partners = np.zeros(len(texts), bool)
    partners[pairs[together].ravel()] = True
    removed = verdicts.duplicate_of >= 0
    return {
        "true_pairs_07": int((similarity >= 0.7).sum()),
        "recall_07": round(float(together[similarity >= 0.7].mean()), 5),
        "recall_08": round(float(together[similarity >= 0.8].mean()), 5),
        "removed": int(removed.sum()),
        "unjustified": round(float((removed & ~partners).sum() / max(removed.sum(), 1)), 5),
    }


# ---- speed


def race(tools: dict[str, Callable[[], int]], rounds: int) -> dict[str, tuple[float, int]]:
    """The best seconds of each tool over interleaved rounds, and how many documents it keeps."""
    best: dict[str, tuple[float, int]] = {}
    for _ in range(rounds):
        for name, run in tools.items():
            started = time.perf_counter()
            kept = run()
            seconds = time.perf_counter() - started
            best[name] = min(best.get(name, (seconds, kept)), (seconds, kept))
    return best


def generated(number: int, rng: np.random.Generator, template: int = 0) -> pa.Array:
    """Documents of 50 to 150 words; a third are copies of others, but for one word.

    All have the same first `template` words.
    """
    low, high = GENERATED_WORDS
    words = rng.integers(0, VOCABULARY, (number, high))
    words[:, :template] = np.arange(template)
    lengths = rng.integers(low, high + 1, number)
    rows = rng.permutation(number)
    copies, originals = rows[: number // 3], rows[number // 3 : 2 * (number // 3)]
    words[copies], lengths[copies] = words[originals], lengths[originals]
    words[copies, rng.integers(template, low, len(copies))] = VOCABULARY
    names = np.array([f"w{n:x}" for n in range(VOCABULARY)] + ["edited"])[words]
    return pa.array([" ".join(row[:size]) for row, size in zip(names, lengths, strict=True)])


def at_scale(number: int, seed: int, template: int = 0) -> tuple[float, float, float, int]:
    """Seconds of the processor to sign and to find the duplicates.

    And the share of copies found, and how often a bucket was full.
    """
    rng = np.random.default_rng(seed)
    signatures = np.empty((number, NUM_PERMUTATIONS), np.uint32)
    num_words: list[npt.NDArray[np.int64]] = []
    hashes: list[bytes] = []
    signing = 0.0
    for start in range(0, number, GENERATED_AT_ONCE):
        texts = generated(min(GENERATED_AT_ONCE, number - start), rng, template)
        started = time.process_time()
        part = sign(texts)
        signatures[start : start + len(texts)] = part.signatures
        signing += time.process_time() - started
        num_words.append(part.num_words)
        hashes += part.exact_hashes
    prints = Fingerprints(np.concatenate(num_words), hashes, signatures)
    started = time.process_time()
    verdicts = resolve(prints)
    finding = time.process_time() - started
    found = int((verdicts.duplicate_of >= 0).sum()) / (number // 3)
    assert template or found >= 0.99
    return signing, finding, found, int(verdicts.work[:, FULL].sum())


def dedup_in(folder: Path, number: int, new_files: int, seed: int) -> tuple[Manifest, int]:
    """The step `dedup` on generated documents in a store, and the MB that the process took."""
    from storage.session import session
    from storage.store import Store

    with session(
        Store(str(folder)), flow="bench", preset="bench", config=DedupConfig(), workers=1,
        through_prefect=False,
    ) as current:  # fmt: skip

        def run(number: int, new_files: int) -> Manifest:
            signed = generated_signatures(number, new_files, seed)
            decided = generated_decisions(number, new_files)
            return current.store.manifest_of(
                dedup({"web": signed}, {"web": decided}, DedupConfig())
            )

        run(1000, new_files)  # compiles; of other documents, so it helps nobody
        manifest = run(number, new_files)
    return manifest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure_step(number: int, seed: int) -> dict[str, float]:
    """The step alone, each time in a process of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(
            1, mp_context=get_context("forkserver"), max_tasks_per_child=1
        ) as processes,
    ):

        def run(store: str, new_files: int) -> tuple[Manifest, int]:
            path = Path(folder, store)
            return processes.submit(dedup_in, path, number, new_files, seed).result()

        (whole, peak), (refreshed, refresh_peak) = run("growing", 0), run("growing", 1)
        grown, _ = run("at once", 1)
    assert whole.counts.read == number
    assert refreshed.files == grown.files
    print(f"{'step dedup':<20} {whole.seconds:8.2f} s {peak:8,} MB")
    print(f"{'a file more':<20} {refreshed.seconds:8.2f} s {refresh_peak:8,} MB, "
          f"{grown.seconds:.2f} s without the run before")  # fmt: skip
    return {
        "scale_step_seconds": round(whole.seconds, 1),
        "scale_step_peak_mb": peak,
        "refresh_seconds": round(refreshed.seconds, 1),
        "refresh_peak_mb": refresh_peak,
        "refresh_speedup": round(grown.seconds / refreshed.seconds, 2),
    }


@step("generated-signatures", version="1")
def generated_signatures(build: Build, number: int, new_files: int, seed: int) -> None:
    """The files that `sign` would leave; of the documents of a new one, half were in the first."""
    for index, rows in enumerate(file_rows(number, new_files)):
        texts = generated(len(rows), np.random.default_rng([seed, index]))
        if rows.start >= number:
            known = generated(len(rows), np.random.default_rng([seed, 0]))
            texts = pa.concat_arrays([known[: len(rows) // 2], texts[len(rows) // 2 :]])
        part = sign(texts)
        width = pa.binary(4 * NUM_PERMUTATIONS)
        entries = [None, pa.py_buffer(part.signatures.tobytes())]
        table = pa.table(
            {
                "id": [f"{row * 0x9E3779B97F4A7C15 % 2**64:032x}" for row in rows],
                "url": [f"https://example.org/a/place/of/usual/length/{row}.html" for row in rows],
                "first_seen": pa.repeat("2026-11-21", len(rows)),
                "num_words": part.num_words,
                "num_bytes": 6 * part.num_words,
                "exact_hash": pa.array(part.exact_hashes, pa.binary(16)),
                "signature": pa.Array.from_buffers(width, len(rows), entries),
            }
        )
        build.add_table(f"{rows.start:09d}.parquet", table)


@step("generated-decisions", version="1")
def generated_decisions(build: Build, number: int, new_files: int) -> None:
    """All are kept."""
    for rows in file_rows(number, new_files):
        ids = [f"{row * 0x9E3779B97F4A7C15 % 2**64:032x}" for row in rows]
        kept = pa.repeat(True, len(rows))
        build.add_table(f"{rows.start:09d}.parquet", pa.table({"id": ids, "kept": kept}))


def file_rows(number: int, new_files: int) -> list[range]:
    """The numbers of the documents in each file."""
    edges = [*range(0, number, GENERATED_AT_ONCE), number]
    edges += [number + (n + 1) * GENERATED_AT_ONCE for n in range(new_files)]
    return [range(start, end) for start, end in pairwise(edges)]


def measure_scale(number: int, seed: int) -> dict[str, float]:
    """Time per document at `number`, at a tenth of it (the best of two runs), and memory."""
    of_step = measure_step(number, seed)
    small_sign, small_find = min((at_scale(number // 10, seed)[:2] for _ in range(2)), key=sum)
    large_sign, large_find, *_ = at_scale(number, seed)
    growth = (large_sign + large_find) / (small_sign + small_find) / 10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    small = min((at_scale(number // 10, seed, TEMPLATE_WORDS)[:2] for _ in range(2)), key=sum)
    *large, found, full = at_scale(number, seed, TEMPLATE_WORDS)
    print(f"{'arrays':<20} {large_sign + large_find:8.2f} s {peak:8,} MB")
    print(f"{'arrays, template':<20} {sum(large):8.2f} s {found:8.2%} of copies found, "
          f"a bucket was full {full:,} times")  # fmt: skip
    return {
        "scale_docs": number,
        "scale_seconds": round(large_sign + large_find, 1),
        "scale_find_us_per_doc_small": round(small_find / number * 1e7, 2),
        "scale_find_us_per_doc": round(large_find / number * 1e6, 2),
        "cost_growth": round(growth, 3),
        "scale_peak_mb": peak,
        "cost_growth_template": round(sum(large) / sum(small) / 10, 3),
        "found_template": round(found, 4),
        "times_bucket_full_template": full,
    } | of_step


def main() -> None:
    """Runs what was asked for and prints it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--docs", type=int, default=33_000, help="documents (33000)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (3)")
    parser.add_argument("--seed", type=int, default=0, help="of the planted edits (0)")
    parser.add_argument("--scale", type=int, default=0, help="generated documents for cost_growth")
    options = parser.parse_args()
    if options.scale:
        ours(make_documents(200, 1))  # compiles
        print(json.dumps(measure_scale(options.scale, options.seed)))
        return

    texts = make_documents(options.docs, options.seed)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts):,} documents, {megabytes:.1f} MB")
    ours(texts[:200])  # compiles
    context = get_context("forkserver")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, mp_context=context) as one,
        ProcessPoolExecutor(2, mp_context=context) as two,
    ):
        shards = write_shards(texts, Path(folder))
        for pool in (one, two):
            ours_in_processes(shards, pool)  # starts and compiles
        in_processes = {
            "ours, 1 process": lambda: ours_in_processes(shards, one),
            "ours, 2 processes": lambda: ours_in_processes(shards, two),
        }
        own = race(in_processes, SHORT_ROUNDS * options.rounds)
    tools = {
        "ours": lambda: ours(texts),
        "rensa": lambda: rensa(texts),
        "datasketch xxh32": lambda: datasketch(texts),
        "datatrove regex": lambda: datatrove(texts),
    }
    best = race(tools, options.rounds) | own
    for name, (seconds, kept) in best.items():
        rate = len(texts) / seconds
        print(f"{name:<20} {seconds:8.2f} s {rate:10,.0f} docs/s {megabytes / seconds:8.1f} MB/s"
              f" {seconds / best['ours'][0]:7.1f} x   {kept:,} kept")  # fmt: skip
    took = {name: value for name, (value, _) in best.items()}
    result: dict[str, float] = {
        "n_docs": len(texts),
        "docs_per_s": round(len(texts) / took["ours"]),
        "ratio_vs_rensa": round(took["rensa"] / took["ours"], 2),
        "ratio_vs_datasketch": round(took["datasketch xxh32"] / took["ours"], 2),
        "ratio_vs_datatrove": round(took["datatrove regex"] / took["ours"], 2),
        "speedup_2_processes": round(took["ours, 1 process"] / took["ours, 2 processes"], 2),
    }
    result |= quality(texts)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
