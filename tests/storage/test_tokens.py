from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.artifact import ArtifactRef
from storage.build import Build
from storage.session import Session
from storage.steps import step
from storage.tables import write_table
from storage.tokens import (
    TOKEN_INDEX_SCHEMA,
    TokenFileError,
    TokenizedDocument,
    TokenShards,
    TokenWriter,
    index_name,
    open_split,
    token_dtype,
    tokens_name,
)

UINT16 = token_dtype(4096)


def write_shard(
    folder: Path, name: str, documents: list[list[int]], vocab_size: int = 4096
) -> tuple[Path, Path]:
    """Documents called <name>-0, <name>-1, … of 3 bytes a token, each its own cluster."""
    tokens, index = folder / tokens_name("train", name), folder / index_name("train", name)
    with TokenWriter(tokens, token_dtype(vocab_size)) as writer:
        for row, ids in enumerate(documents):
            document = f"{name}-{row}"
            writer.add(document, np.array(ids, np.uint32), num_bytes=3 * len(ids), cluster=document)
    write_table(index, writer.index(), TOKEN_INDEX_SCHEMA)
    return tokens, index


def test_dtype_is_the_smallest_that_holds_every_id() -> None:
    assert token_dtype(300).str == "<u2"
    assert token_dtype(65_536).str == "<u2"  # ids 0..65,535
    assert token_dtype(65_537).str == "<u4"


def test_tokens_are_raw_little_endian(tmp_path: Path) -> None:
    tokens, _ = write_shard(tmp_path, "a", [[1, 258]])
    assert tokens.read_bytes() == bytes([1, 0, 2, 1])
    tokens, _ = write_shard(tmp_path, "b", [[1, 258]], vocab_size=100_000)
    assert tokens.read_bytes() == bytes([1, 0, 0, 0, 2, 1, 0, 0])


def test_shards_are_one_stream(tmp_path: Path) -> None:
    files = [
        write_shard(tmp_path, "a", [[1, 2], [3, 4, 5]]),
        write_shard(tmp_path, "b", [[6, 7, 8]]),
    ]
    stream = TokenShards(files, UINT16)
    assert (stream.num_tokens, stream.num_documents, stream.num_bytes) == (8, 3, 24)
    assert stream.read(4, 2).tolist() == [5, 6]
    assert stream.read(0, 8).tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert stream.read(8, 0).tolist() == []
    assert stream.document(2) == TokenizedDocument("b-0", 5, 3, 9, "b-0")
    assert [stream.document_at(place).id for place in range(8)] == ["a-0"] * 2 + ["a-1"] * 3 + [
        "b-0"
    ] * 3
    assert [ids.tolist() for _, ids in stream.documents()] == [[1, 2], [3, 4, 5], [6, 7, 8]]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_reading_equals_slicing_the_joined_documents(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    document = st.lists(st.integers(0, 4095), min_size=1, max_size=5)
    shards = data.draw(st.lists(st.lists(document, max_size=4), max_size=4))
    files = [write_shard(folder, f"s{i}", documents) for i, documents in enumerate(shards)]
    stream = TokenShards(files, UINT16)
    joined = [token for documents in shards for ids in documents for token in ids]
    owners = [
        f"s{i}-{row}"
        for i, documents in enumerate(shards)
        for row, ids in enumerate(documents)
        for _ in ids
    ]
    start = data.draw(st.integers(0, len(joined)))
    length = data.draw(st.integers(0, len(joined) - start))
    assert stream.read(start, length).tolist() == joined[start : start + length]
    assert [stream.document_at(place).id for place in range(len(joined))] == owners


def test_no_shards_are_an_empty_stream() -> None:
    stream = TokenShards([], UINT16)
    assert (stream.num_tokens, stream.num_documents, stream.num_bytes) == (0, 0, 0)
    assert list(stream.documents()) == []


@pytest.mark.parametrize(("start", "length"), [(0, 4), (-1, 2), (3, 1), (4, 0)])
def test_reading_outside_the_stream_is_refused(tmp_path: Path, start: int, length: int) -> None:
    stream = TokenShards([write_shard(tmp_path, "a", [[1, 2, 3]])], UINT16)
    with pytest.raises(IndexError, match="of a stream of 3"):
        stream.read(start, length)
    with pytest.raises(IndexError, match="token 3 of a stream of 3"):
        stream.document_at(3)


@pytest.mark.parametrize("size", [0, 4, 5, 8])
def test_file_of_another_size_than_its_index_says_is_refused(tmp_path: Path, size: int) -> None:
    tokens, index = write_shard(tmp_path, "a", [[1, 2, 3]])
    tokens.write_bytes(tokens.read_bytes().ljust(size, b"\0")[:size])
    message = f"has {size} bytes, its index promises 3 tokens of 2 bytes"
    with pytest.raises(TokenFileError, match=message):
        TokenShards([(tokens, index)], UINT16)


def test_wrong_dtype_is_refused(tmp_path: Path) -> None:
    files = [write_shard(tmp_path, "a", [[1, 2]])]
    with pytest.raises(TokenFileError, match="has 4 bytes"):
        TokenShards(files, "<u4")


def test_id_beyond_the_dtype_is_refused(tmp_path: Path) -> None:
    with TokenWriter(tmp_path / "a", UINT16) as writer, pytest.raises(OverflowError, match="70000"):
        writer.add("d", np.array([70_000], np.uint32), num_bytes=1, cluster="d")


@step("tokens", version="1")
def tokens_step(build: Build) -> None:
    for name, documents in (("00000", [[0, 5]]), ("00001", [[0, 6], [0, 7]])):
        tokens, index = write_shard(build.scratch, name, documents)
        build.add_file(tokens.name, tokens)
        build.add_file(index.name, index, rows=len(documents))
    build.counts.extra["dtype"] = UINT16.str


@step("read-tokens", version="1")
def read_tokens(build: Build, tokens: ArtifactRef) -> None:
    stream, empty = open_split(build, tokens, "train"), open_split(build, tokens, "heldout")
    build.add_json("read.json", [stream.read(0, stream.num_tokens).tolist(), empty.num_tokens])


def test_split_of_an_artifact_opens_by_name(direct: Session) -> None:
    ref = read_tokens(tokens_step())
    (entry,) = direct.store.manifest_of(ref).files
    assert direct.store.blob_path(entry).read_text() == "[[0,5,0,6,0,7],0]"
