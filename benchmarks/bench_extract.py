"""Reading WARC files beside warcio, and extraction by both engines with one and two processes.

Real pages: the HTML documentation of this machine's packages (/usr/share/doc) and that of Python's
standard library as the demo serves it, in one WARC file, gzipped per record, written by warcio.
Reading gives URL, date, content type and body of every page, in one thread; rounds in turn, the
best of each.
Extraction is the step's own function over parts of that file, in processes that are started for
it, one and two in turn. Prints a table, and last one line of JSON:

- `n_docs`, `mb`: pages, and their bytes as HTML;
- `ratio_vs_warcio`: warcio's seconds over ours;
- `speedup_2_processes`: seconds of extraction by trafilatura with one process over those with two;
- `docs_per_s_trafilatura`, `docs_per_s_resiliparse`: extraction with one process;
- `f1_trafilatura`, `f1_resiliparse`: with CRAWL2CHAT_ORACLES set, F1 of segments wanted and
  unwanted on `extraction_eval_120.jsonl.gz`.

    python benchmarks/bench_extract.py
    python benchmarks/bench_extract.py --docs 200 --rounds 1
"""

import argparse
import base64
import contextlib
import gzip
import io
import json
import math
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline_config.crawl import ExtractJob
from pipeline_config.extraction import ExtractionConfig
from pipeline_config.sources import Labels
from pipeline_config.url_filter import UrlFilter
from storage.shards import ShardOutput
from tasks.crawl.extract import extract_shard
from tasks.crawl.html_text import page_text
from tasks.crawl.page_text import NoTextError
from tasks.crawl.pydoc_pages import is_refused, module_page, top_level_modules
from tasks.crawl.url_filter import UrlRules
from tasks.crawl.warc_reading import read_pages

MAX_BYTES = 10_000_000
NUM_PARTS = 8
ENGINES = ("trafilatura", "resiliparse")


# ---- pages


def read_html() -> list[bytes]:
    """The HTML files of the documentation packages."""
    found = []
    for path in sorted(Path("/usr/share/doc").rglob("*.htm*")):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            found.append(gzip.decompress(data) if path.suffix == ".gz" else data)
    return [data for data in found if 1_000 < len(data) < MAX_BYTES]


def render_modules() -> Iterator[bytes]:
    """The pages of the standard library's modules."""
    for name in top_level_modules():
        if not is_refused(name):
            with contextlib.suppress(Exception):  # modules of other machines, as for the site
                yield module_page(name).encode("utf-8", "replace")


def pages(number: int, rng: random.Random) -> list[bytes]:
    """So many pages, in an order drawn from the seed; they repeat where the machine has fewer."""
    found = [*read_html(), *render_modules()]
    rng.shuffle(found)
    return [found[index % len(found)] for index in range(number)]


def write_warc(path: Path, bodies: list[bytes]) -> None:
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for number, body in enumerate(bodies):
            headers = [("Content-Type", "text/html"), ("Content-Length", str(len(body)))]
            record = writer.create_warc_record(
                f"http://docs.example/{number}.html",
                "response",
                payload=io.BytesIO(body),
                http_headers=StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1"),
                warc_headers_dict={"WARC-Date": "2024-03-05T06:07:08Z"},
            )
            writer.write_record(record)


# ---- reading


def by_warcio(path: Path) -> tuple[int, int]:
    """How many pages, and how many bytes."""
    number = size = 0
    with path.open("rb") as file:
        for record in ArchiveIterator(file):
            if record.rec_type == "response" and record.http_headers.get_statuscode() == "200":
                record.rec_headers.get_header("WARC-Target-URI")
                record.rec_headers.get_header("WARC-Date")
                record.http_headers.get_header("Content-Type")
                size += len(record.content_stream().read())
                number += 1
    return number, size


def by_us(path: Path) -> tuple[int, int]:
    """The same."""
    sizes = [len(page.body) for page in read_pages(path, MAX_BYTES, lambda *_: None)]
    return len(sizes), sum(sizes)


def timed(function: Callable[[Path], Any], path: Path) -> tuple[float, Any]:
    started_at = time.perf_counter()
    result = function(path)
    return time.perf_counter() - started_at, result


# ---- extraction


def extract_part(task: tuple[str, str, str]) -> int:
    """Extracts one part as the step does; in a worker process."""
    part, folder, engine = task
    job = ExtractJob(
        source="docs",
        labels=Labels(),
        extraction=ExtractionConfig(engine=engine),
        url_filter=UrlFilter(),
        limit=0,
    )
    scratch = Path(folder, f"{engine}-{Path(part).stem}-{os.getpid()}")
    scratch.mkdir()
    out = ShardOutput("part", {"warc_file": "part", "limit": 0}, scratch)
    extract_shard([Path(part)], {"job": job, "rules": UrlRules.of(UrlFilter())}, out)
    return out.counts.read


def extract_all(parts: list[Path], engine: str, workers: int) -> float:
    """Seconds for all parts, the processes' start included."""
    with tempfile.TemporaryDirectory() as folder:
        tasks = [(str(part), folder, engine) for part in parts]
        started_at = time.perf_counter()
        with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
            assert sum(pool.map(extract_part, tasks)) > 0
        return time.perf_counter() - started_at


def f1(engine: str, examples: Path) -> float:
    """F1 of segments on trafilatura's evaluation pages."""
    hits = misses = false_hits = 0
    config = ExtractionConfig(engine=engine)
    for line in gzip.decompress(examples.read_bytes()).splitlines():
        example = json.loads(line)
        try:
            text = page_text(
                base64.b64decode(example["html_base64"]), example["url"], "", "", config
            ).text
        except NoTextError:
            text = ""
        found = [segment in text for segment in example["must_have"]]
        hits += sum(found)
        misses += len(found) - sum(found)
        false_hits += sum(segment in text for segment in example["must_not_have"])
    return 2 * hits / (2 * hits + misses + false_hits)


# ---- the table


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--docs", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    bodies = pages(options.docs, random.Random(options.seed))
    mb = sum(map(len, bodies)) / 1e6
    result: dict[str, Any] = {"n_docs": len(bodies), "mb": round(mb, 1)}
    print(f"{len(bodies):,} pages, {mb:.1f} MB\n\n| | pages/s | MB/s |\n|---|---|---|")

    def show(label: str, seconds: float) -> None:
        print(f"| {label} | {len(bodies) / seconds:,.1f} | {mb / seconds:.1f} |", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole.warc.gz")
        write_warc(whole, bodies)
        ours, theirs = [], []
        for _ in range(options.rounds):
            theirs.append(timed(by_warcio, whole))
            ours.append(timed(by_us, whole))
            assert ours[-1][1] == theirs[-1][1]
        show("reading: warcio", min(theirs)[0])
        show("reading: ours", min(ours)[0])
        result["ratio_vs_warcio"] = round(min(theirs)[0] / min(ours)[0], 2)
        parts = [Path(folder, f"{part}.warc.gz") for part in range(NUM_PARTS)]
        for number, part in enumerate(parts):
            write_warc(part, bodies[number::NUM_PARTS])
        runs = [(engine, 1) for engine in ENGINES] + [("trafilatura", 2)]
        seconds: dict[tuple[str, int], float] = dict.fromkeys(runs, math.inf)
        for _ in range(options.rounds):
            for run in runs:
                seconds[run] = min(seconds[run], extract_all(parts, *run))
        for engine in ENGINES:
            show(f"extraction: {engine}", seconds[engine, 1])
            result[f"docs_per_s_{engine}"] = round(len(bodies) / seconds[engine, 1], 1)
        two = seconds["trafilatura", 2]
        show("extraction: trafilatura, 2 processes", two)
        result["speedup_2_processes"] = round(seconds["trafilatura", 1] / two, 2)
    if folder := os.environ.get("CRAWL2CHAT_ORACLES", ""):
        for engine in ENGINES:
            found = f1(engine, Path(folder) / "extraction_eval_120.jsonl.gz")
            result[f"f1_{engine}"] = round(found, 4)
    print(f"\n{json.dumps(result)}")


if __name__ == "__main__":
    main()
