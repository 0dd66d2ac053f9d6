"""Token shards: what training reads through memory maps, and which document each token is from.

    train-00000.tokens          raw little-endian uint16 or uint32, documents end to end
    train-00000.index.parquet   one row per document: where its tokens are, its id and cluster
    heldout-00000.…             the same for the held-out split; a split without documents is absent

A document's tokens begin with <|endoftext|>, so any cut of the stream shows where texts begin.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from storage.artifact import ArtifactRef
from storage.build import Build
from storage.tables import read_table

Split = Literal["train", "heldout"]
SPLITS: tuple[Split, ...] = ("train", "heldout")
TokenArray = npt.NDArray[np.unsignedinteger[Any]]

TOKEN_INDEX_SCHEMA = pa.schema(
    [
        ("document", pa.string()),
        ("start", pa.int64()),  # of its <|endoftext|>, in tokens from the start of the shard
        ("length", pa.int64()),  # in tokens, <|endoftext|> included
        ("num_bytes", pa.int64()),  # of its text in UTF-8: the denominator of bits per byte
        ("cluster", pa.string()),  # its duplicate cluster, by which splits are made
    ]
)


class TokenFileError(ValueError):
    """A token file is not what its index says."""


def token_dtype(vocab_size: int) -> np.dtype[np.unsignedinteger[Any]]:
    """The smallest type that holds every id: uint16 up to 65,536 ids, else uint32."""
    return np.dtype("<u2") if vocab_size <= 2**16 else np.dtype("<u4")


def tokens_name(split: Split, shard: str) -> str:
    """The name of a token file in its artifact."""
    return f"{split}-{shard}.tokens"


def index_name(split: Split, shard: str) -> str:
    """The name of a token file's index."""
    return f"{split}-{shard}.index.parquet"


class TokenWriter:
    """Writes one shard of one split, a document at a time; memory holds the index only.

    with TokenWriter(path, token_dtype(4096)) as writer:
        writer.add("4f1c…", ids, num_bytes=len(text.encode()), cluster="4f1c…")
    index = writer.index()
    """

    def __init__(self, path: Path, dtype: np.dtype[np.unsignedinteger[Any]]) -> None:
        """`path` is created; `dtype` comes from `token_dtype`."""
        self.path = path
        self.dtype = dtype
        self.num_tokens = 0
        self.num_bytes = 0
        self._file = path.open("wb")
        self._rows: list[tuple[str, int, int, int, str]] = []

    @property
    def num_documents(self) -> int:
        """Documents written so far."""
        return len(self._rows)

    def add(self, document: str, tokens: TokenArray, *, num_bytes: int, cluster: str) -> None:
        """Appends one document's tokens, <|endoftext|> first.

        Raises:
            OverflowError: when an id does not fit the type.
        """
        if len(tokens) and int(tokens.max()) > np.iinfo(self.dtype).max:
            raise OverflowError(
                f"token {int(tokens.max())} of document {document} does not fit {self.dtype}; "
                "use token_dtype(vocab_size)"
            )
        self._file.write(tokens.astype(self.dtype, copy=False).tobytes())
        self._rows.append((document, self.num_tokens, len(tokens), num_bytes, cluster))
        self.num_tokens += len(tokens)
        self.num_bytes += num_bytes

    def index(self) -> pa.Table:
        """One row per document, in order, in `TOKEN_INDEX_SCHEMA`."""
        columns = list(zip(*self._rows, strict=True)) or [()] * len(TOKEN_INDEX_SCHEMA)
        arrays = [
            pa.array(column, field.type)
            for column, field in zip(columns, TOKEN_INDEX_SCHEMA, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=TOKEN_INDEX_SCHEMA)

    def __enter__(self) -> "TokenWriter":
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the file."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class TokenizedDocument:
    """Where one document lies in the concatenated stream of a `TokenShards`."""

    id: str
    start: int
    length: int
    num_bytes: int
    cluster: str


class TokenShards:
    """Several shards as one long stream of tokens; nothing is read before it is asked for.

    Two shards of 5 and 3 tokens are one stream of 8: `read(4, 2)` gives the last token of the
    first and the first token of the second.
    """

    def __init__(
        self,
        files: Sequence[tuple[Path, Path]],
        dtype: np.dtype[np.unsignedinteger[Any]] | str,
    ) -> None:
        """Opens (tokens, index) pairs in order, as `split_paths` gives them.

        Raises:
            TokenFileError: when a file has more or fewer bytes than its index says.
        """
        self.dtype: np.dtype[np.unsignedinteger[Any]] = np.dtype(dtype)
        indices = [read_table(index) for _, index in files]
        sizes = [
            _checked_size(tokens, index, self.dtype)
            for (tokens, _), index in zip(files, indices, strict=True)
        ]
        self._maps: list[TokenArray] = [
            np.memmap(tokens, self.dtype, mode="r") if size else np.empty(0, self.dtype)
            for (tokens, _), size in zip(files, sizes, strict=True)
        ]
        self._bounds = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])  # (shards + 1,)
        table = pa.concat_tables([TOKEN_INDEX_SCHEMA.empty_table(), *indices])
        self._ids, self._clusters = table.column("document"), table.column("cluster")
        self._lengths = table.column("length").to_numpy()  # (documents,)
        self._num_bytes = table.column("num_bytes").to_numpy()  # (documents,)
        self._starts = np.cumsum(self._lengths) - self._lengths  # (documents,)

    @property
    def num_tokens(self) -> int:
        """Tokens of all shards."""
        return int(self._bounds[-1])

    @property
    def num_documents(self) -> int:
        """Documents of all shards."""
        return len(self._lengths)

    @property
    def num_bytes(self) -> int:
        """UTF-8 bytes of all texts."""
        return int(self._num_bytes.sum())

    def read(self, start: int, length: int) -> TokenArray:
        """A copy of `length` tokens from position `start` of the stream, across shards."""
        if not 0 <= start <= start + length <= self.num_tokens:
            raise IndexError(
                f"tokens {start}:{start + length} of a stream of {self.num_tokens}; "
                "start and end must lie inside it"
            )
        tokens = np.empty(length, self.dtype)  # (length,)
        shard = int(np.searchsorted(self._bounds, start, side="right")) - 1
        done = 0
        while done < length:
            offset = start + done - int(self._bounds[shard])
            part = self._maps[shard][offset : offset + length - done]
            tokens[done : done + len(part)] = part
            done += len(part)
            shard += 1
        return tokens

    def document(self, row: int) -> TokenizedDocument:
        """The document at index `row`, counted over all shards."""
        return TokenizedDocument(
            id=self._ids[row].as_py(),
            start=int(self._starts[row]),
            length=int(self._lengths[row]),
            num_bytes=int(self._num_bytes[row]),
            cluster=self._clusters[row].as_py(),
        )

    def document_at(self, position: int) -> TokenizedDocument:
        """The document that the token at `position` of the stream belongs to."""
        if not 0 <= position < self.num_tokens:
            raise IndexError(f"token {position} of a stream of {self.num_tokens}")
        return self.document(int(np.searchsorted(self._starts, position, side="right")) - 1)

    def documents(self) -> Iterator[tuple[TokenizedDocument, TokenArray]]:
        """Every document with its tokens, in order."""
        for row in range(self.num_documents):
            document = self.document(row)
            yield document, self.read(document.start, document.length)


def split_paths(build: Build, tokens: ArtifactRef, split: Split) -> list[tuple[Path, Path]]:
    """The (tokens, index) files of one split of a `tokenize` artifact, in order."""
    shards = [
        entry.name.removeprefix(f"{split}-").removesuffix(".tokens")
        for entry in build.files(tokens, ".tokens")
        if entry.name.startswith(f"{split}-")
    ]
    return [
        (
            build.path(tokens, tokens_name(split, shard)),
            build.path(tokens, index_name(split, shard)),
        )
        for shard in shards
    ]


def open_split(build: Build, tokens: ArtifactRef, split: Split) -> TokenShards:
    """The stream of one split of a `tokenize` artifact; it may be empty."""
    dtype = build.manifest(tokens).counts.extra["dtype"]
    return TokenShards(split_paths(build, tokens, split), dtype)


def _checked_size(tokens: Path, index: pa.Table, dtype: np.dtype[np.unsignedinteger[Any]]) -> int:
    """The number of tokens in a file.

    Raises:
        TokenFileError: when it is not the number that its index promises.
    """
    lengths = index.column("length").to_numpy()
    if not np.array_equal(index.column("start").to_numpy(), np.cumsum(lengths) - lengths):
        raise TokenFileError(f"the index of {tokens} has gaps or overlaps; tokenize again")
    promised, found = int(lengths.sum()), tokens.stat().st_size
    if found != promised * dtype.itemsize:
        raise TokenFileError(
            f"{tokens} has {found} bytes, its index promises {promised} tokens of {dtype.itemsize} "
            "bytes; the file was cut or has another dtype: tokenize again"
        )
    return promised
