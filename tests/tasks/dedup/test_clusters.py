"""Duplicates and clusters: by hand, against a plain double loop, and as properties."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tasks.dedup.clusters import NOBODY, Verdicts, find_duplicates

ENTRIES, BANDS, ROWS = 12, 4, 3

# Signatures over few values, so that documents share entries, bands and whole signatures.
corpora = st.lists(
    st.lists(st.integers(0, 2), min_size=ENTRIES, max_size=ENTRIES), min_size=1, max_size=14
)


def find(
    rows: Any, order: list[int] | None = None, codes: list[int] | None = None, **settings: Any
) -> Verdicts:
    signatures = np.array(rows, np.uint32)
    number = len(signatures)
    chosen = {
        "num_bands": BANDS,
        "num_rows": ROWS,
        "min_similarity": 0.5,
        "cluster_similarity": 0.5,
        "max_compared": 1000,
    }
    return find_duplicates(
        signatures,
        np.array(range(number) if codes is None else codes, np.int64),
        np.ones(number, bool),
        np.array(range(number) if order is None else order, np.int64),
        **(chosen | settings),
    )


def plain_duplicates(
    signatures: np.ndarray[Any, Any], order: list[int], cluster_similarity: float
) -> tuple[list[int], list[set[int]]]:
    """Each against all earlier kept ones that share a band; the most similar, then the earliest.

    And the clusters, as sets.
    """
    kept: list[int] = []
    duplicate_of = [NOBODY] * len(signatures)
    cluster_of = {document: {document} for document in order}
    bands = signatures.reshape(len(signatures), BANDS, ROWS)
    for document in order:
        best = 0.0
        for other in kept:
            shares_band = (bands[document] == bands[other]).all(axis=1).any()
            similarity = float((signatures[document] == signatures[other]).mean())
            if shares_band and similarity >= cluster_similarity:
                joined = cluster_of[document] | cluster_of[other]
                cluster_of |= dict.fromkeys(joined, joined)
            if shares_band and similarity >= 0.5 and similarity > best:
                best, duplicate_of[document] = similarity, other
        if duplicate_of[document] == NOBODY:
            kept.append(document)
    return duplicate_of, [cluster_of[document] for document in range(len(signatures))]


def signature(*parts: int) -> list[int]:
    """Four bands, each of three equal entries."""
    return [part for part in parts for _ in range(ROWS)]


def test_a_chain_is_cut_where_its_link_was_dropped() -> None:
    a, b = signature(1, 2, 3, 4), signature(1, 2, 3, 5)  # 0.75 alike
    c, d = signature(6, 7, 3, 5), signature(8, 8, 8, 8)  # c is 0.5 like b, 0.25 like a
    found = find([a, b, c, d])
    assert found.duplicate_of.tolist() == [NOBODY, 0, NOBODY, NOBODY]
    assert found.similarity.tolist() == [0.0, 0.75, 0.0, 0.0]
    assert found.component.tolist() == [0, 0, 2, 3]
    assert found.neighbourhood.tolist() == [0, 0, 0, 3]  # b shares a bucket with either


def test_look_alikes_that_are_both_kept_are_one_cluster() -> None:
    rows = [signature(1, 2, 3, 4), signature(1, 2, 5, 6), signature(1, 7, 8, 9)]
    found = find(rows, min_similarity=0.75, cluster_similarity=0.5)
    assert found.duplicate_of.tolist() == [NOBODY] * 3
    assert found.component.tolist() == [0, 0, 2]  # 0.5 alike, and 0.25


def test_the_order_says_who_is_kept() -> None:
    rows = [signature(1, 2, 3, 4), signature(1, 2, 3, 5)]
    assert find(rows, order=[1, 0]).duplicate_of.tolist() == [1, NOBODY]


def test_the_most_similar_kept_document_is_named() -> None:
    rows = [signature(1, 1, 1, 9), signature(2, 2, 2, 9), signature(2, 2, 1, 9)]
    found = find(rows, min_similarity=0.5)
    assert found.duplicate_of.tolist() == [NOBODY, NOBODY, 1]
    assert found.similarity[2] == np.float32(0.75)
    assert found.component.tolist() == [0, 0, 0]  # like both, though they are unlike


def test_a_shared_band_alone_makes_no_duplicate() -> None:
    found = find([signature(1, 2, 3, 4), signature(1, 7, 8, 9)])
    assert found.duplicate_of.tolist() == [NOBODY, NOBODY]
    assert found.work.tolist() == [[0, 0, 0], [1, 0, 0]]
    assert found.component.tolist() == [0, 1]


def test_copies_of_a_dropped_document_repeat_what_it_repeats() -> None:
    rows = [signature(1, 2, 3, 4), signature(1, 2, 3, 5), signature(1, 2, 3, 5)]
    found = find(rows, codes=[0, 1, 1])
    assert found.duplicate_of.tolist() == [NOBODY, 0, 0]
    assert found.is_exact.tolist() == [False, False, False]
    assert found.similarity.tolist() == [0.0, 0.75, 0.75]


def test_copies_of_a_kept_document_repeat_it() -> None:
    found = find([signature(1, 2, 3, 4)] * 3, codes=[0, 0, 0], order=[1, 2, 0])
    assert found.duplicate_of.tolist() == [1, NOBODY, 1]
    assert found.is_exact.tolist() == [True, False, True]
    assert found.similarity.tolist() == [1.0, 0.0, 1.0]
    assert len(set(found.component.tolist())) == 1


def test_documents_without_shingles_are_exact_duplicates_only() -> None:
    empty = [2**32 - 1] * ENTRIES
    found = find_duplicates(
        np.array([empty] * 3, np.uint32),
        np.array([0, 1, 0]),
        np.zeros(3, bool),
        np.arange(3),
        num_bands=BANDS,
        num_rows=ROWS,
        min_similarity=0.5,
        cluster_similarity=0.5,
        max_compared=10,
    )
    assert found.duplicate_of.tolist() == [NOBODY, NOBODY, 0]
    assert not found.work.any()


def test_a_template_does_not_go_quadratic() -> None:
    """2,000 unlike documents in one bucket: each meets 10 kept ones."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2**32, (2000, ENTRIES), dtype=np.uint32)
    rows[:, :ROWS] = 7
    found = find(rows, max_compared=10)
    assert (found.duplicate_of == NOBODY).all()
    compared, verified, full = found.work.sum(axis=0)
    assert (compared, verified, full) == (45 + 10 * 1990, 0, 1990)  # 45 = 0 + 1 + … + 9


@given(corpora, st.sampled_from([0.3, 0.5]), st.randoms(use_true_random=False))
def test_it_equals_the_double_loop(rows: list[list[int]], join: float, random: Any) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)
    found = find(rows, order=order, cluster_similarity=join)
    duplicate_of, clusters = plain_duplicates(np.array(rows), order, join)
    assert found.duplicate_of.tolist() == duplicate_of
    for document, cluster in enumerate(clusters):
        same = np.flatnonzero(found.component == found.component[document])
        assert set(same.tolist()) == cluster


@given(corpora, st.data())
def test_what_comes_later_changes_nothing_before(
    rows: list[list[int]], data: st.DataObject
) -> None:
    """So a new crawl is decided on with the old signatures, and old decisions stand."""
    number = data.draw(st.integers(1, len(rows)))
    limit = data.draw(st.sampled_from([1, 2, 1000]))
    all_at_once, earlier = find(rows, max_compared=limit), find(rows[:number], max_compared=limit)
    np.testing.assert_array_equal(all_at_once.duplicate_of[:number], earlier.duplicate_of)
    np.testing.assert_array_equal(all_at_once.similarity[:number], earlier.similarity)


@given(corpora)
def test_every_duplicate_names_a_kept_one_of_its_cluster(rows: list[list[int]]) -> None:
    codes = [rows.index(row) for row in rows]  # equal rows are exact copies
    dense = {code: number for number, code in enumerate(dict.fromkeys(codes))}
    found = find(rows, codes=[dense[code] for code in codes])
    for document, other in enumerate(found.duplicate_of.tolist()):
        if other != NOBODY:
            assert found.duplicate_of[other] == NOBODY
            assert found.component[other] == found.component[document]
            assert found.similarity[document] >= 0.5
        else:
            assert found.similarity[document] == 0.0
