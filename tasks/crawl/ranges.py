"""Parts of remote files: one gzip member, or a file object that reads only what is looked at."""

import io
from typing import Any

from tasks.crawl.backoff import DownloadError
from tasks.crawl.remote import Remote
from tasks.crawl.warc_checks import DamageError, unpack_record


def read_member(remote: Remote, path: str, offset: int, length: int) -> bytes:
    """What a gzip member holds; one that came damaged is read once more.

    Raises:
        DownloadError: when it is damaged twice.
    """
    try:
        return unpack_record(remote.read(path, offset, length))
    except DamageError:
        pass
    try:
        return unpack_record(remote.read(path, offset, length))
    except DamageError as error:
        raise DownloadError(f"{remote.base_url}{path}, byte {offset}: {error}") from None


class RangeFile(io.RawIOBase):
    """A remote file as a seekable, read-only file object."""

    def __init__(self, remote: Remote, path: str) -> None:
        """Asks for the file's size."""
        self._remote, self._path = remote, path
        self._size = remote.size(path)
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves; see `io.IOBase.seek`."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Reads into `buffer` with one request."""
        length = min(len(buffer), max(0, self._size - self._position))
        if length:
            buffer[:length] = self._remote.read(self._path, self._position, length)
            self._position += length
        return length
