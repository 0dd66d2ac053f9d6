import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_config.tokenization import HeldoutConfig
from storage.documents import is_held_out
from tasks.tokenization.split import HeldOut, fill_up


def held_out(clusters: list[str], config: HeldoutConfig) -> set[str]:
    split = HeldOut(config, frozenset(fill_up(clusters, config)))
    return {cluster for cluster in clusters if cluster in split}


def names(number: int) -> list[str]:
    return [f"cluster-{i}" for i in range(number)]


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, 0), (1, 0), (2, 1), (6, 3), (20, 10), (100, 10)],
)
def test_small_source_is_filled_up_to_the_minimum_or_half(number: int, expected: int) -> None:
    assert len(held_out(names(number), HeldoutConfig(share=0.02, min_clusters=10))) == expected


def test_large_source_holds_out_its_share() -> None:
    config = HeldoutConfig(share=0.02, min_clusters=10)
    clusters = names(20_000)
    assert fill_up(clusters, config) == set()
    assert 340 < len(held_out(clusters, config)) < 460  # 400 +- 3 standard deviations


def test_large_source_is_read_no_further_than_needed() -> None:
    config = HeldoutConfig(share=0.5, min_clusters=2)
    clusters = iter(names(1000))
    fill_up(clusters, config)
    assert len(list(clusters)) > 980


def test_documents_of_one_cluster_count_once() -> None:
    assert len(held_out(names(6) * 5, HeldoutConfig(share=0.01, min_clusters=10))) == 3


@settings(max_examples=50)
@given(
    number=st.integers(20, 300),
    more=st.integers(0, 300),
    seed=st.integers(0, 5),
    share=st.floats(0.001, 0.2),
)
def test_added_documents_never_move_a_trained_one_into_the_held_out_split(
    number: int, more: int, seed: int, share: float
) -> None:
    config = HeldoutConfig(share=share, min_clusters=10, seed=seed)
    before, after = names(number), names(number + more)
    trained = set(before) - held_out(before, config)
    assert not trained & held_out(after, config)
    by_share = {cluster for cluster in before if is_held_out(cluster, seed, share)}
    assert by_share <= held_out(after, config)


def test_seed_changes_the_choice() -> None:
    one, other = (held_out(names(100), HeldoutConfig(seed=seed)) for seed in (0, 1))
    assert one != other
