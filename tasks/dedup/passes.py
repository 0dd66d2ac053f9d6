"""Repeated spans of a corpus of any size: suffix arrays over what may repeat, one after the other.

A span that comes twice has an anchor that comes twice (`tasks.dedup.anchors`), so only the words
around such anchors are compared; the words around anchors with equal hashes go into the same pass.
A pass is one suffix array over at most `max_bytes` of text; when a pass turns out larger (one
boilerplate on a million pages), its text is cut into parts and every two of them make an array.
What is found does not depend on the number of passes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tasks.dedup.anchor_files import pass_of, read_repeated, write_repeated
from tasks.dedup.anchors import Span, first_units
from tasks.dedup.suffix_array import Repeats, find_repeats
from tasks.dedup.word_stream import Bytes, Places, Words, blocks

# A run of words that is compared: where it is, and its length in the stream.
REGION = np.dtype([("shard", "<i8"), ("text", "<i8"), ("word", "<i8"), ("size", "<i8")])
# Words of a text that are repeated, the last exclusive.
MARK = np.dtype([("text", "<i8"), ("first", "<i8"), ("last", "<i8")])
Rows: TypeAlias = npt.NDArray[Any]
FILL = 0.9  # of max_bytes, that passes are planned to have: sizes are estimates


def plan_passes(repeated: Sequence[Path], span: Span, bytes_per_unit: float, max_bytes: int) -> int:
    """How many passes are needed, about.

    One pass reads words around several anchors once; several passes may read them once each.
    """
    around = 2 * span.length - span.gram  # units
    merged = apart = 0
    for path in repeated:
        units = read_repeated(path)["unit"]
        apart += len(units) * around
        merged += int(np.minimum(np.diff(units), around).sum()) + around * bool(len(units))
    if merged * bytes_per_unit <= max_bytes * FILL:
        return 1
    return max(2, ceil(apart * bytes_per_unit / (max_bytes * FILL)))


def regions_around(units: Places, words: Words, span: Span) -> tuple[Places, Places, Places]:
    """The text, first and last word of what must be compared around anchors; last exclusive.

    Every window that holds an anchor lies in one region, and no word lies in two. `units` are the
    anchors' first, in order.
    """
    bounds = first_units(words, span)
    text = np.searchsorted(bounds, units, side="right") - 1
    low = np.maximum(units - (span.length - span.gram), bounds[text])
    high = np.minimum(units + span.length, bounds[text + 1])
    if not span.in_words:  # a window may end with the rest of a word
        low = np.searchsorted(words.starts, low)
        high = np.minimum(np.searchsorted(words.starts, high + 1), words.text_words[text + 1])
    begins = np.concatenate([[True], low[1:] >= high[:-1]])
    ends = np.concatenate([begins[1:], [True]])
    text, first, last = text[begins], low[begins], high[ends]
    some = last > first
    return text[some], first[some], last[some]


class Found(NamedTuple):
    """What was compared, and the MARKs of each shard, in a file that may be absent."""

    marks: list[Path]
    num_passes: int
    num_anchors: int  # that come more than once
    num_compared: int  # bytes under all suffix arrays


def mark_repeats(
    shards: Sequence[Callable[[], pa.Array]],
    anchors: Sequence[Path],
    span: Span,
    bytes_per_unit: float,
    max_bytes: int,
    folder: Path,
    on_pass: Callable[[int, int], None],
) -> Found:
    """Find the repeated words of a corpus.

    `shards` give the texts of each shard, in the order in which the first copy of a span stays, and
    `anchors` are their `anchor_table`s. `folder` takes temporary files and the result; `on_pass`
    hears how many passes are done, and of how many.
    """
    repeated = write_repeated(anchors, folder, max_bytes)
    num_passes = plan_passes(repeated, span, bytes_per_unit, max_bytes)
    passes = PassFiles(folder, span, num_passes, max_bytes)
    num_anchors = 0
    for shard, (texts, path) in enumerate(zip(shards, repeated, strict=True)):
        rows = read_repeated(path)
        num_anchors += len(rows)
        first_unit = 0
        for first_text, words in blocks(texts()) if len(rows) else ():
            passes.add(shard, first_text, first_unit, words, rows)
            first_unit += int(first_units(words, span)[-1])
    marks = [folder / f"marks-{shard:06d}.bin" for shard in range(len(shards))]
    for number in range(num_passes):
        passes.write_marks(number, marks)
        on_pass(number + 1, num_passes)
    return Found(marks, num_passes, num_anchors, passes.num_compared)


@dataclass
class PassFiles:
    """The regions of every pass, on disk until their turn comes."""

    folder: Path
    span: Span
    num_passes: int
    max_bytes: int
    num_compared: int = field(default=0, init=False)  # bytes under all suffix arrays

    def add(self, shard: int, first_text: int, first_unit: int, words: Words, rows: Rows) -> None:
        """Add the words around the anchors of a block; `rows` are REPEATED of its whole shard.

        `first_text` and `first_unit` say where in the shard the block begins. Blocks must come in
        the order in which the first copy of a span stays.
        """
        end_unit = first_unit + first_units(words, self.span)[-1]
        low, high = np.searchsorted(rows["unit"], [first_unit, end_unit])
        own = rows[low:high]
        passes = pass_of(own["hash"], self.num_passes)
        for number in np.unique(passes).tolist():
            units = own["unit"][passes == number] - first_unit
            text, first, last = regions_around(units, words, self.span)
            starts, ends = words.starts[first], words.starts[last]
            regions = np.empty(len(text), REGION)
            regions["shard"], regions["text"] = shard, first_text + text
            regions["word"], regions["size"] = first - words.text_words[text], ends - starts
            with self._path(number, "regions").open("ab") as file:
                regions.tofile(file)
            with self._path(number, "text").open("ab") as file:
                for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                    file.write(words.stream[start:end].data)

    def write_marks(self, number: int, marks: Sequence[Path]) -> None:
        """Compare the regions of a pass; append MARKs to the file of each shard."""
        if not self._path(number, "regions").exists():
            return
        regions = np.fromfile(self._path(number, "regions"), REGION)
        ends = np.concatenate([[0], np.cumsum(regions["size"])])
        for part in parts(ends, self.max_bytes):
            rows = np.concatenate([np.arange(first, last) for first, last in part])
            slices = [self._text(number, ends[first], ends[last]) for first, last in part]
            found = self._compare(np.concatenate(slices), regions["size"][rows])
            self._append(found, regions[rows], marks)
        for kind in ("text", "regions"):
            self._path(number, kind).unlink()

    def _compare(self, text: Bytes, sizes: Places) -> Repeats:
        self.num_compared += len(text)
        return find_repeats(text, np.concatenate([[0], np.cumsum(sizes)]), self.span)

    def _append(self, found: Repeats, regions: Rows, marks: Sequence[Path]) -> None:
        own = regions[found.region]
        rows = np.empty(len(own), MARK)
        rows["text"] = own["text"]
        rows["first"], rows["last"] = own["word"] + found.first, own["word"] + found.last
        for shard in np.unique(own["shard"]).tolist():
            with marks[shard].open("ab") as file:
                rows[own["shard"] == shard].tofile(file)

    def _text(self, number: int, start: int, end: int) -> Bytes:
        path = self._path(number, "text")
        return np.fromfile(path, np.uint8, count=int(end - start), offset=int(start))

    def _path(self, number: int, kind: str) -> Path:
        return self.folder / f"pass-{number:06d}.{kind}"


def parts(ends: Places, max_bytes: int) -> list[list[tuple[int, int]]]:
    """What makes a suffix array together: ranges of regions, of `max_bytes` or less together.

    Region i is bytes `ends[i]` to `ends[i + 1]`. A region of more than half of `max_bytes` is never
    cut.

    >>> parts(np.array([0, 40, 80, 120]), max_bytes=200)
    [[(0, 3)]]
    >>> parts(np.array([0, 40, 80, 120]), max_bytes=100)
    [[(0, 1), (1, 2)], [(0, 1), (2, 3)], [(1, 2), (2, 3)]]
    """
    number = len(ends) - 1
    if ends[-1] <= max_bytes:
        return [[(0, number)]]
    edges = [0]
    for region in range(1, number):
        if ends[region + 1] - ends[edges[-1]] > max_bytes // 2:
            edges.append(region)
    ranges = list(pairwise([*edges, number]))
    return [list(pair) for pair in combinations(ranges, 2)] if len(ranges) > 1 else [ranges]
