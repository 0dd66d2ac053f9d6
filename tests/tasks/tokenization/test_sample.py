from hypothesis import given
from hypothesis import strategies as st

from tasks.tokenization.sample import cut, place, quotas, taken_bytes


def test_sources_give_in_proportion() -> None:
    assert quotas({"code": 300, "docs": 100}, 200) == {"code": 150, "docs": 50}


def test_small_corpus_gives_everything() -> None:
    assert quotas({"code": 300, "docs": 100, "none": 0}, 1000) == {
        "code": 300,
        "docs": 100,
        "none": 0,
    }


def test_documents_are_taken_in_hash_order_and_the_last_is_cut() -> None:
    assert taken_bytes([30, 10, 20], [5, 5, 5], 8).tolist() == [0, 5, 3]


@given(
    rows=st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 50)), max_size=20),
    quota=st.integers(0, 400),
)
def test_sample_has_its_quota_and_only_the_last_document_is_cut(
    rows: list[tuple[int, int]], quota: int
) -> None:
    places, sizes = [place for place, _ in rows], [size for _, size in rows]
    taken = taken_bytes(places, sizes, quota)
    assert taken.sum() == min(quota, sum(sizes))
    partial = [i for i in range(len(rows)) if 0 < taken[i] < sizes[i]]
    assert len(partial) <= 1
    for index in partial:
        later = [i for i in range(len(rows)) if places[i] > places[index]]
        assert not taken[later].any()


def draw(documents: list[str], seed: int) -> dict[str, int]:
    sizes = [1 + len(document) % 7 for document in documents]
    taken = taken_bytes([place(document, seed) for document in documents], sizes, 150)
    return dict(zip(documents, taken.tolist(), strict=True))


def test_draw_depends_on_documents_and_seed_but_not_on_order() -> None:
    documents = ["d" * number for number in range(100)]
    assert draw(documents, seed=0) == draw(documents[::-1], seed=0)
    assert draw(documents, seed=0) != draw(documents, seed=1)


def test_cut_leaves_whole_characters() -> None:
    assert [cut("naïve", size) for size in (2, 3, 4, 99)] == ["na", "na", "naï", "naïve"]
