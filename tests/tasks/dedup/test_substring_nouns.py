"""Anchors, suffix arrays, passes and cuts, each against a slow definition."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.documents import apply_edits
from storage.tables import write_table
from tasks.dedup.anchor_files import (
    ANCHOR_SCHEMA,
    anchor_table,
    group_ends,
    read_range,
    write_repeated,
)
from tasks.dedup.anchors import Span, find_anchors, first_units, plain_anchors, units_of
from tasks.dedup.cuts import canonical, cut, merged, spans_by_text
from tasks.dedup.passes import MARK, Found, mark_repeats, parts
from tasks.dedup.suffix_array import find_repeats
from tasks.dedup.word_stream import read_words

FEW_WORDS = st.lists(st.sampled_from(["a", "b", "ab", "你"]), max_size=40).map(" ".join)
CORPORA = st.lists(st.lists(FEW_WORDS, max_size=4), min_size=1, max_size=3)
SPANS = st.sampled_from([Span(4, True), Span(7, True), Span(6, False), Span(11, False)])


def window_end(words: list[str], start: int, span: Span) -> int | None:
    """One past the last word of the shortest run from `start` that is long enough."""
    for end in range(start + 1, len(words) + 1):
        size = end - start if span.in_words else len(" ".join(words[start:end]).encode())
        if size >= span.length:
            return end
    return None


def repeated_words(texts: Sequence[str], span: Span) -> set[tuple[int, int]]:
    """(text, word) of all words in a window that was there before, by comparing all with all."""
    seen: set[tuple[str, ...]] = set()
    found = set()
    for row, text in enumerate(texts):
        words = bytes(read_words(pa.array([text])).stream).decode().split(" ")[:-1]
        for start in range(len(words)):
            end = window_end(words, start, span)
            if end is None:
                continue
            window = tuple(words[start:end])
            if window in seen:
                found |= {(row, word) for word in range(start, end)}
            seen.add(window)
    return found


# ---- anchors


@given(st.lists(FEW_WORDS, max_size=4), SPANS)
def test_anchors_equal_the_definition(texts: list[str], span: Span) -> None:
    words = read_words(pa.array(texts, pa.string()))
    units, bounds = units_of(words, span).tolist(), first_units(words, span).tolist()
    expected = [
        start + place
        for start, end in pairwise(bounds)
        for place in plain_anchors(units[start:end], span)
    ]
    assert find_anchors(words, span)[1].tolist() == expected


def test_a_span_has_the_same_anchors_wherever_it_stands() -> None:
    rng = np.random.default_rng(0)
    vocabulary = [f"w{number}" for number in range(1000)]
    span = " ".join(rng.choice(vocabulary, 50))
    places = []
    for _ in range(20):
        before, after = (rng.choice(vocabulary, rng.integers(0, 80)).tolist() for _ in range(2))
        words = read_words(pa.array([" ".join([*before, span, *after])]))
        hashes, units = find_anchors(words, Span(50, True))
        inside = (units >= len(before)) & (units <= len(before) + 25)
        places.append(dict(zip(hashes[inside].tolist(), units[inside] - len(before), strict=True)))
    assert len(set.intersection(*map(set, places))) >= 1


def test_about_two_of_the_grams_of_a_window_are_anchors() -> None:
    words = read_words(pa.array([" ".join(map(str, range(20_000)))]))
    assert len(find_anchors(words, Span(50, True))[0]) == pytest.approx(20_000 * 2 / 27, rel=0.05)


# ---- one suffix array


def test_the_first_of_three_stays_and_regions_are_not_crossed() -> None:
    text = np.frombuffer(b"a b c x a b c a b c y ", np.uint8)
    whole = find_repeats(text, np.array([0, len(text)]), Span(3, in_words=True))
    assert (whole.region.tolist(), whole.first.tolist(), whole.last.tolist()) == ([0], [4], [10])
    apart = find_repeats(text, np.array([0, 8, 14, len(text)]), Span(3, in_words=True))
    assert apart.region.tolist() == [1, 2]
    assert (apart.first.tolist(), apart.last.tolist()) == ([0, 0], [3, 3])


@given(st.lists(FEW_WORDS, min_size=1, max_size=4), SPANS)
def test_repeats_equal_the_definition(texts: list[str], span: Span) -> None:
    words = read_words(pa.array(texts))
    regions = words.starts[words.text_words]
    found = find_repeats(words.stream, regions, span)
    rows = zip(found.region.tolist(), found.first.tolist(), found.last.tolist(), strict=True)
    marked = {(region, word) for region, first, last in rows for word in range(first, last)}
    assert marked == repeated_words(texts, span)


# ---- passes


def run_passes(corpus: list[list[str]], span: Span, max_bytes: int, folder: Path) -> Found:
    """The repeats of a corpus, given by shard."""
    columns = [pa.array(texts, pa.large_string()) for texts in corpus]
    paths = [folder / f"{number}.parquet" for number in range(len(corpus))]
    units = size = 0
    for path, column in zip(paths, columns, strict=True):
        table, num_units, num_bytes = anchor_table(column, span)
        write_table(path, table)
        units, size = units + num_units, size + num_bytes
    shards = [lambda column=column: column for column in columns]
    return mark_repeats(
        shards, paths, span, size / max(units, 1), max_bytes, folder, lambda *_: None
    )


def marked_words(corpus: list[list[str]], found: Found) -> set[tuple[int, int]]:
    """(text of the whole corpus, word)."""
    marked, before = set(), 0
    for texts, path in zip(corpus, found.marks, strict=True):
        rows = np.fromfile(path, MARK).tolist() if path.exists() else []
        marked |= {(before + row, word) for row, a, b in rows for word in range(a, b)}
        before += len(texts)
    return marked


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60, deadline=None)
@given(CORPORA, SPANS, st.sampled_from([30, 60, 200, 1000, 100_000]))
def test_no_memory_limit_changes_what_is_found(
    tmp_path_factory: pytest.TempPathFactory, corpus: list[list[str]], span: Span, max_bytes: int
) -> None:
    found = run_passes(corpus, span, max_bytes, tmp_path_factory.mktemp("passes"))
    texts = [text for shard in corpus for text in shard]
    assert marked_words(corpus, found) == repeated_words(texts, span)


def test_what_does_not_repeat_is_never_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    words = [f"word{number}" for number in range(5000)]
    texts = [" ".join(rng.choice(words, 400)) for _ in range(50)]
    copied = " ".join(texts[3].split()[100:180])
    texts[40] = f"{texts[40]} {copied} and more"
    found = run_passes([texts[:20], texts[20:]], Span(50, True), 10**6, tmp_path)
    assert marked_words([texts[:20], texts[20:]], found) == {(40, word) for word in range(400, 480)}
    assert 2 * len(copied) <= found.num_compared < 5 * len(copied)


def test_parts_pair_every_region_with_every_other() -> None:
    ends = np.cumsum([0, 30, 10, 40, 200, 5, 5])
    together = [
        {region for first, last in part for region in range(first, last)}
        for part in parts(ends, 100)
    ]
    pairs = {(a, b) for part in together for a in part for b in part}
    assert pairs == {(a, b) for a in range(6) for b in range(6)}


def test_repeated_anchors_do_not_depend_on_the_ranges(tmp_path: Path) -> None:
    texts = ["a b c d e f g h", "x a b c d e f y", "q r s t u v w"]
    path = tmp_path / "anchors.parquet"
    write_table(path, anchor_table(pa.array(texts), Span(4, True))[0])
    (tmp_path / "few").mkdir()
    (tmp_path / "many").mkdir()
    one, other = (
        write_repeated([path], tmp_path / name, size)[0].read_bytes()
        for name, size in (("few", 10**9), ("many", 48))
    )
    assert one == other != b""


def test_a_range_reads_the_row_groups_that_hold_it_and_no_other(tmp_path: Path) -> None:
    """All other groups are destroyed."""
    path, number = tmp_path / "anchors.parquet", 1000
    hashes = (np.arange(number) * (2**64 // number)).astype(np.uint64)
    table = pa.table({"hash": hashes, "unit": np.arange(number)})
    write_table(path, table, ANCHOR_SCHEMA, row_group_rows=100)
    ends = group_ends(path)
    low, high = 250 * (2**64 // number), 450 * (2**64 // number)
    data, groups = bytearray(path.read_bytes()), pq.read_metadata(path)
    for index in set(range(10)) - {2, 3, 4}:
        for column in (groups.row_group(index).column(0), groups.row_group(index).column(1)):
            size = column.total_compressed_size
            data[column.data_page_offset : column.data_page_offset + size] = b"x" * size
    path.write_bytes(data)
    found, units = read_range(path, ends, low, high)
    assert (found.tolist(), units.tolist()) == (hashes[250:450].tolist(), list(range(250, 450)))
    with pytest.raises(OSError, match="page header"):
        read_range(path, ends, 0, high)


@given(st.sets(st.integers(0, 2**64 - 1), max_size=30).map(sorted), st.data())
def test_ranges_part_the_anchors(
    tmp_path_factory: pytest.TempPathFactory, hashes: list[int], data: st.DataObject
) -> None:
    edges = [0, *data.draw(st.sets(st.integers(1, 2**64 - 1), max_size=5).map(sorted)), 2**64]
    path = tmp_path_factory.mktemp("anchors") / "anchors.parquet"
    units = np.arange(len(hashes))
    table = pa.table({"hash": np.array(hashes, np.uint64), "unit": units})
    write_table(path, table, ANCHOR_SCHEMA, row_group_rows=4)
    ends = group_ends(path)
    found = [read_range(path, ends, low, high) for low, high in pairwise(edges)]
    assert [hash for own, _ in found for hash in own.tolist()] == hashes
    assert [unit for _, own in found for unit in own.tolist()] == units.tolist()


# ---- cuts


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(1, 5)), max_size=12))
def test_canonical_marks_are_the_merged_ones(marks: list[tuple[int, int, int]]) -> None:
    rows = np.array([(text, first, first + size) for text, first, size in marks], MARK)
    expected = [
        (text, *run)
        for text in range(4)
        for run in merged((first, first + size) for own, first, size in marks if own == text)
    ]
    assert canonical(rows).tolist() == expected


@pytest.mark.parametrize(
    ("text", "removed", "left"),
    [
        ("Before. Copy. After.", "Copy.", "Before. After."),
        ("Before.\n\nCopy.\n\nAfter.", "Copy.", "Before.\n\nAfter."),
        ("Before. Copy.\n\nAfter.", "Copy.", "Before.\n\nAfter."),
        ("Before.\n\nCopy. After.", "Copy.", "Before.\n\nAfter."),
        ("  Copy. After.", "Copy.", "After."),
        ("Before. Copy. \n", "Copy.", "Before."),
        (" Copy.\n", "Copy.", ""),
        ("你好世界", "好世", "你界"),
        ("你好 after", "好", "你 after"),
    ],
)
def test_white_space_goes_with_the_words(text: str, removed: str, left: str) -> None:
    start = text.index(removed)
    span = cut(text, start, start + len(removed))
    assert apply_edits(text, [(*span, "")]) == left


@given(st.text(st.sampled_from("ab你 \n"), max_size=40), st.data())
def test_cuts_remove_the_marked_words_and_no_other(text: str, data: st.DataObject) -> None:
    words = bytes(read_words(pa.array([text])).stream).decode().split(" ")[:-1]
    picks = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    marks = np.array([(0, i, i + 1) for i, pick in enumerate(picks) if pick], MARK)
    for _, spans in spans_by_text(pa.array([text]), marks):
        text = apply_edits(text, [(*span, "") for span in spans])
    left = bytes(read_words(pa.array([text])).stream).decode().split(" ")[:-1]
    assert "".join(left) == "".join(w for w, pick in zip(words, picks, strict=True) if not pick)


def test_runs_are_merged() -> None:
    assert merged([(5, 9), (0, 3), (3, 4), (6, 12)]) == [(0, 4), (5, 12)]
