"""The files below a base URL, read in ranges or whole, with patience.

Base URLs are http(s) or `file://`. A download goes on where a killed one stopped, and only if the
server still has the same file (If-Range). How long to wait between tries says `backoff`.
"""

import contextlib
import datetime as dt
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote, urljoin, urlsplit

import httpx

from tasks.crawl.answer_limit import AnswerLimit
from tasks.crawl.backoff import (
    DownloadError,
    Patience,
    SpeedGate,
    TryAgainError,
    retry_after_seconds,
)

Tell = Callable[[int, int], None]  # bytes done, and in all (0 when the server does not say)

USER_AGENT = "crawl2chat"
PARTIAL, VALIDATOR = ".part", ".etag"
BLOCK_BYTES = 1 << 20
TRY_AGAIN = frozenset({403, 408, 425, 429, 500, 502, 503, 504})
TOO_MUCH = frozenset({403, 429, 503})  # then all connections wait
MAX_FILE_BYTES = 16_000_000_000
PROGRESS_BYTES = 1_000_000  # a try that brought so much did not fail in vain


class Remote:
    """A server, mirror or local copy; threads may share it."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout_seconds: float = 60.0,
        retries: int = 8,
        connections: int = 4,
    ) -> None:
        """The arguments are those of `CommonCrawlCapture`."""
        self.base_url = base_url
        self.timeout_seconds = timeout_seconds
        self._patience = Patience(retries)
        self._limit = AnswerLimit(2 * timeout_seconds)  # to connect, and to begin the answer
        self._client = httpx.Client(
            timeout=timeout_seconds,
            follow_redirects=True,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            limits=httpx.Limits(max_connections=connections),
        )

    def __enter__(self) -> "Remote":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends all connections."""
        self.stop()
        self._client.close()

    def stop(self) -> None:
        """Makes whatever runs in other threads end with `StoppedError`."""
        self._patience.stop()

    # ---- reading

    def size(self, path: str) -> int:
        """The size of a file in bytes."""
        url = self._url(path)
        if local := _local(url):
            return _stat(local, url).st_size

        def ask() -> int:
            with self._answer(url, {"Range": "bytes=0-0"}) as response:
                _check(response)
                _, total = _content_range(response)
                return total

        return self._patience.of(url, ask)

    def read(self, path: str, start: int, length: int) -> bytes:
        """Exactly the bytes `start` to `start + length` of a file.

        Raises:
            DownloadError: when they are not there, or the server sends no ranges.
        """
        url = self._url(path)
        if local := _local(url):
            _stat(local, url)
            with local.open("rb") as file:
                file.seek(start)
                data = file.read(length)
            if len(data) != length:
                raise DownloadError(f"{url}: no {length} bytes at {start}; is the copy whole?")
            return data

        def ask() -> bytes:
            headers = {"Range": f"bytes={start}-{start + length - 1}"}
            with self._answer(url, headers) as response:
                _check(response)
                first, _ = _content_range(response)
                if first != start:
                    raise DownloadError(f"{url}: asked for byte {start}, got {first}")
                data = b"".join(self._blocks(response, length))
                if len(data) != length:
                    raise TryAgainError(f"{len(data)} of {length} bytes came")
                return data

        return self._patience.of(url, ask)

    def read_all(self, path: str, max_bytes: int) -> bytes:
        """A whole small file.

        Raises:
            DownloadError: when it is longer than `max_bytes`.
        """
        url = self._url(path)
        if local := _local(url):
            if _stat(local, url).st_size > max_bytes:
                raise DownloadError(f"{url}: more than {max_bytes} bytes")
            return local.read_bytes()

        def ask() -> bytes:
            with self._answer(url, {}) as response:
                _check(response)
                return b"".join(self._blocks(response, max_bytes))

        return self._patience.of(url, ask)

    # ---- downloads

    def download(self, path: str, target: Path, tell: Tell, first_bytes: int = 0) -> None:
        """Brings a file, or its `first_bytes`, to `target`; goes on from `<target>.part`.

        Raises:
            DownloadError: after `retries` failures in a row.
        """
        url = self._url(path)
        partial = target.with_name(target.name + PARTIAL)
        if local := _local(url):
            size = _stat(local, url).st_size
            with local.open("rb") as source, partial.open("wb") as file:
                _copy(source, file, min(size, first_bytes or size), tell)
        elif first_bytes == 0 or _size(partial) < first_bytes:
            before = _size(partial)

            def has_grown() -> bool:
                nonlocal before
                grown = _size(partial) - before
                before = _size(partial)
                return grown >= PROGRESS_BYTES

            self._patience.of(url, lambda: self._rest(url, partial, tell, first_bytes), has_grown)
        _validator(partial).unlink(missing_ok=True)
        partial.rename(target)

    def _rest(self, url: str, partial: Path, tell: Tell, first_bytes: int) -> None:
        """Asks for what is missing and appends it."""
        have, validator = _size(partial), _validator(partial)
        headers = {}
        if have or first_bytes:
            headers["Range"] = f"bytes={have}-{first_bytes - 1 if first_bytes else ''}"
        if have and validator.exists():
            headers["If-Range"] = validator.read_text("ascii")
        with self._answer(url, headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                if have and response.headers.get("Content-Range") == f"bytes */{have}":
                    return  # a killed run had it all
                partial.unlink(missing_ok=True)  # no beginning of what the server has
                raise TryAgainError("the server has another file than before")
            _check(response)
            resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
            if resumed and _content_range(response)[0] != have:
                raise DownloadError(f"{url}: asked for byte {have}, got another one")
            _keep_validator(response, validator)
            have = have if resumed else 0
            length = response.headers.get("Content-Length", "")
            total = have + int(length) if length.isdigit() else 0
            total = min(total, first_bytes) if first_bytes else total
            most = first_bytes or MAX_FILE_BYTES
            with partial.open("ab" if resumed else "wb") as file:
                for block in self._blocks(response, most - have, cut=bool(first_bytes)):
                    file.write(block)
                    have += len(block)
                    tell(have, total)

    # ---- the answer and the address

    @contextlib.contextmanager
    def _answer(self, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """What a server says, once its headers are there."""
        self._limit.begin()
        extensions = {"trace": self._limit.trace}
        with self._client.stream("GET", url, headers=headers, extensions=extensions) as response:
            yield response

    def _blocks(
        self, response: httpx.Response, max_bytes: int, *, cut: bool = False
    ) -> Iterator[bytes]:
        """The body as it comes; at most `max_bytes`, of which more are cut off or an error."""
        gate, left = SpeedGate(self.timeout_seconds), max_bytes
        for block in response.iter_raw():
            self._patience.wait(0)
            gate.passed(len(block))
            self._limit.begin()
            if len(block) > left and not cut:
                raise DownloadError(f"{response.url}: more than {max_bytes} bytes")
            yield block[:left]
            left -= len(block)
            if left <= 0 and cut:
                return

    def _url(self, path: str) -> str:
        """The address of a path, which came from a list on that server and may not leave it."""
        parts = path.split("/")
        if not path or "" in parts or ".." in parts or ":" in parts[0] or "\\" in path:
            raise DownloadError(f"{path!r} is no path below {self.base_url}")
        return urljoin(self.base_url, quote(path))


# ---- answers


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if status in TRY_AGAIN:
        header = response.headers.get("Retry-After", "")
        wanted = retry_after_seconds(header, dt.datetime.now(dt.UTC))
        raise TryAgainError(f"HTTP {status}", wanted, too_much=status in TOO_MUCH)
    if response.is_error:
        raise DownloadError(f"{response.url}: HTTP {status}")


def _content_range(response: httpx.Response) -> tuple[int, int]:
    """The first byte of a partial answer, and the size of the whole file."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        raise DownloadError(
            f"{response.url}: the server sends no byte ranges, which a selection needs; "
            "use another mirror, or a local copy by file:///"
        )
    value = response.headers.get("Content-Range", "")
    unit, _, rest = value.partition(" ")
    span, _, total = rest.partition("/")
    first = span.partition("-")[0]
    if unit != "bytes" or not (first.isdigit() and total.isdigit()):
        raise DownloadError(f"{response.url}: Content-Range is {value!r}")
    return int(first), int(total)


def _keep_validator(response: httpx.Response, validator: Path) -> None:
    """Remembers which file a beginning is of; a weak ETag does not say that."""
    tag = response.headers.get("ETag", "")
    if tag.startswith('"') and tag.isascii():
        validator.write_text(tag, "ascii")
    else:
        validator.unlink(missing_ok=True)


# ---- files


def _local(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _stat(path: Path, url: str) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise DownloadError(f"{url}: {error.strerror}") from None


def _size(partial: Path) -> int:
    return partial.stat().st_size if partial.exists() else 0


def _validator(partial: Path) -> Path:
    return partial.with_name(partial.name + VALIDATOR)


def _copy(source: BinaryIO, file: BinaryIO, num_bytes: int, tell: Tell) -> None:
    done = 0
    while block := source.read(min(BLOCK_BYTES, num_bytes - done)):
        file.write(block)
        done += len(block)
        tell(done, num_bytes)
