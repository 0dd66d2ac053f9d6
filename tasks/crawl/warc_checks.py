"""Whether a downloaded WARC or WET file is what was sent: gzip's checksums and WARC's digests.

Each record is one gzip member, which ends with a CRC-32 and the length of what it holds. The record
itself names the SHA-1 of its block, or of the payload behind the HTTP headers:

    WARC-Block-Digest: sha1:5FKRVBAXVKBUGCGKKPOJCV7IVHXFUQ7A      base32, or hexadecimal
"""

import base64
import binascii
import hashlib
import mmap
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fastwarc.stream_io import GzipReader, ZstdReader

GZIP_MEMBER = b"\x1f\x8b"
ZSTD_FRAME = b"\x28\xb5"
WINDOW_BYTES = 1 << 16  # of input at once; what lies behind a member's end is copied
MAX_RECORD_BYTES = 64 << 20  # longer records are checked by their CRC alone
MAX_HEADER_BYTES = 1 << 14  # of a record whose end is looked for
HEADERS_END = RECORD_END = b"\r\n\r\n"
READERS = {GZIP_MEMBER: GzipReader, ZSTD_FRAME: ZstdReader}
LENGTH = re.compile(r"[0-9]{1,18}")


class DamageError(ValueError):
    """Bytes are not those that were sent; the message says where and how it shows."""


@dataclass(frozen=True)
class Check:
    """What a look through a file found."""

    num_records: int  # whole ones, up to the first damage
    whole_bytes: int  # where the last whole one ends
    damage: str = ""  # the first one
    num_wrong: int = 0  # records that came as they were sent, but are not what they say


def check_file(path: Path) -> Check:
    """Looks through a file of gzip members; other files have nothing to check."""
    num_records = whole_bytes = num_wrong = 0
    if path.stat().st_size == 0:
        return Check(0, 0, "the file is empty")
    with path.open("rb") as file:
        if file.read(len(GZIP_MEMBER)) != GZIP_MEMBER:
            return Check(0, path.stat().st_size)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                for end, record in _members(data):
                    num_records, whole_bytes = num_records + 1, end
                    num_wrong += record is not None and not _is_right(record)
            except DamageError as error:
                damage = f"byte {whole_bytes}: {error}"
                return Check(num_records, whole_bytes, damage, num_wrong)
    return Check(num_records, whole_bytes, "", num_wrong)


def _is_right(record: bytes) -> bool:
    try:
        check_record(record)
    except DamageError:
        return False
    return True


def unpack_record(data: bytes) -> bytes:
    """The record in one gzip member.

    Raises:
        DamageError: when it is not exactly one whole member, or too long.
    """
    unpack = zlib.decompressobj(wbits=31)
    try:
        record = unpack.decompress(data, MAX_RECORD_BYTES)
    except zlib.error as error:
        raise DamageError(str(error)) from None
    if not unpack.eof or unpack.unused_data:
        raise DamageError("not one whole gzip member")
    return record


def check_record(record: bytes, digest: str = "") -> None:
    """Compares a record with its own digest, and with the payload's `digest` if one is known.

    One of block and payload digest must fit: writers have been wrong about either.

    Raises:
        DamageError: when they differ.
    """
    head, _, rest = record.partition(HEADERS_END)
    fields = _fields(head)
    length = fields.get("content-length", "")
    if not LENGTH.fullmatch(length) or len(rest) < int(length):
        raise DamageError(f"{len(rest)} of {length or 'unknown'} bytes are there")
    said = fields.get("warc-payload-digest", "")
    if digest and said and _bare(said) != _bare(digest):
        raise DamageError(f"payload {said}, expected {digest}")
    block = memoryview(rest)[: int(length)]
    claims = []
    if "warc-block-digest" in fields:
        claims.append((block, fields["warc-block-digest"]))
    if fields.get("warc-type") == "response" and (said or digest):
        claims.append((block[rest.find(HEADERS_END) + len(HEADERS_END) :], said or digest))
    if claims and not any(_fits(data, claim) for data, claim in claims):
        found = base64.b32encode(hashlib.sha1(claims[0][0], usedforsecurity=False).digest())
        raise DamageError(f"sha1:{found.decode()}, expected {claims[0][1]}")


def goes_on(file: BinaryIO, start: int) -> bool:
    """Whether the record at `start` goes on behind the length that it declares."""
    file.seek(start)
    reader = READERS.get(file.read(2))
    file.seek(start)
    stream = reader(file) if reader else file
    head = b""
    try:
        while not head.endswith(HEADERS_END) and len(head) < MAX_HEADER_BYTES:
            if not (byte := stream.read(1)):
                return False
            head += byte
        length = _fields(head).get("content-length", "")
        left = int(length) if LENGTH.fullmatch(length) else 0
        while left and (block := stream.read(min(left, WINDOW_BYTES))):
            left -= len(block)
        return bool(length) and not RECORD_END.startswith(stream.read(len(RECORD_END)))
    except OSError:  # nothing is known of what is there
        return False


# ---- members


def _members(data: mmap.mmap) -> Iterator[tuple[int, bytes | None]]:
    """Where each member ends, and what it holds; None when that is too long to keep.

    Raises:
        DamageError: when one does not decode, or the file ends within it.
    """
    position = 0
    while position < len(data):
        unpack = zlib.decompressobj(wbits=31)
        kept: list[bytes] | None = []
        size = 0
        while not unpack.eof:
            window = data[position : position + WINDOW_BYTES]
            if not window:
                raise DamageError("the file ends within a record")
            try:
                block = unpack.decompress(window)
            except zlib.error as error:
                raise DamageError(str(error)) from None
            position += len(window) - len(unpack.unused_data)
            size += len(block)
            if kept is not None and size <= MAX_RECORD_BYTES:
                kept.append(block)
            else:
                kept = None
        yield position, None if kept is None else b"".join(kept)


# ---- digests


def _fields(head: bytes) -> dict[str, str]:
    """The named fields of a record's headers; names in lower case."""
    lines = head.decode("utf-8", "replace").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _bare(digest: str) -> str:
    return digest.rpartition(":")[2].upper()


def _fits(data: memoryview, said: str) -> bool:
    """Whether bytes have a digest such as `sha1:…`; one by an unknown algorithm says nothing."""
    algorithm, colon, value = said.partition(":")
    algorithm = algorithm.lower() if colon else "sha1"
    if algorithm not in ("md5", "sha1", "sha256", "sha512"):
        return True
    found = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    return found in _decodings(value if colon else said)


def _decodings(value: str) -> list[bytes]:
    """The bytes that a digest may stand for: base32 or hexadecimal."""
    found = []
    padded = value.upper() + "=" * (-len(value) % 8)
    for decode, text in ((base64.b32decode, padded), (bytes.fromhex, value)):
        try:
            found.append(decode(text))
        except (ValueError, binascii.Error):
            continue
    return found
