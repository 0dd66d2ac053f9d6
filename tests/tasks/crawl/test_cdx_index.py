"""Searching the index of a crawl's index, compared with reading all of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.crawl import cdx_index
from tasks.crawl.cdx_index import Block, ClusterIndex, key_prefixes
from tasks.crawl.remote import Remote

FOLDER = "cc-index/collections/CC-MAIN-2024-10/indexes"
LABELS = st.text("abz-", min_size=1, max_size=3)
KEYS = st.builds(
    lambda labels, port, path: ",".join(labels) + port + ")/" + path,
    st.lists(LABELS, min_size=1, max_size=3),
    st.sampled_from(["", "", ":8080"]),
    st.text("ab/", max_size=30),
)


def save_clusters(folder: Path, keys: list[str]) -> None:
    """A member for each key, of 10 bytes."""
    lines = [f"{key} 2024\tcdx-00000.gz\t{n * 10}\t10\t{n}\n" for n, key in enumerate(keys)]
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    (folder / FOLDER / "cluster.idx").write_text("".join(lines))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("index")


@pytest.fixture(scope="module")
def remote(folder: Path) -> Iterator[Remote]:
    with Remote(folder.as_uri() + "/") as found:
        yield found


@given(keys=st.lists(KEYS, max_size=60), domain=st.lists(LABELS, min_size=1, max_size=2))
def test_the_members_of_a_domain_are_found(
    folder: Path, remote: Remote, keys: list[str], domain: list[str]
) -> None:
    keys = sorted(keys)
    save_clusters(folder, keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cdx_index, "PROBE_BYTES", 7)
        patch.setattr(cdx_index, "WINDOW_BYTES", 64)
        index = ClusterIndex(remote, "CC-MAIN-2024-10")
        for prefix in key_prefixes(".".join(domain)):
            text = prefix.decode()
            holding = [n for n, key in enumerate(keys) if f"{key} 2024".startswith(text)]
            earlier = [n for n, key in enumerate(keys) if f"{key} 2024" < text]
            expected = earlier[-1:] + holding
            assert index.blocks(prefix) == [
                Block(f"{FOLDER}/cdx-00000.gz", n * 10, 10) for n in expected
            ]


def test_a_search_reads_little(
    folder: Path, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4.4 MB halve 6 times until 64 KB are left; the three prefixes share the way there."""
    save_clusters(folder, [f"org,host{n:06d})/a/path/of/some/length" for n in range(60_000)])
    asked: list[int] = []
    read = remote.read

    def counted(path: str, start: int, length: int) -> bytes:
        asked.append(length)
        return read(path, start, length)

    monkeypatch.setattr(remote, "read", counted)
    index = ClusterIndex(remote, "CC-MAIN-2024-10")
    for prefix in key_prefixes("host031415.org"):
        found = index.blocks(prefix)
    assert found == [Block(f"{FOLDER}/cdx-00000.gz", 314150, 10)]
    assert 4_000_000 < index.size < 64 * cdx_index.WINDOW_BYTES * 2
    assert len(asked) <= 7 + 2
    assert sum(asked) <= 7 * cdx_index.PROBE_BYTES + 2 * cdx_index.WINDOW_BYTES


@pytest.mark.parametrize(
    ("domain", "prefix"),
    [
        ("python.org", b"org,python)"),
        ("www.python.org", b"org,python)"),
        ("www2.python.org", b"org,python)"),
        ("docs.python.org", b"org,python,docs)"),
        ("www.org", b"org,www)"),  # a site of that name
        ("is", b"is)"),
    ],
)
def test_keys_are_hosts_turned_round(domain: str, prefix: bytes) -> None:
    assert key_prefixes(domain)[0] == prefix
