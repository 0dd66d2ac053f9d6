"""Bodies of HTTP messages as the server meant them: chunks joined, compression undone, bounded."""

import io
import re
import zlib

from fastwarc.stream_io import BrotliReader, ZstdReader

GZIP_MAGIC = b"\x1f\x8b"
CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")


class EncodingError(ValueError):
    """A body cannot be decoded; the message is the reason that it is counted under."""


def dechunk(body: bytes) -> bytes:
    r"""The body of a chunked message; as it is, when a tool has joined the chunks before.

    >>> dechunk(b"4\r\nwiki\r\n3\r\nped\r\n0\r\n\r\n")
    b'wikiped'
    """
    chunks, position = [], 0
    while size := CHUNK_SIZE.match(body, position):
        start, length = size.end(), int(size[1], 16)
        chunks.append(body[start : start + length])
        position = start + length
        if length == 0:
            return b"".join(chunks)
        position += 2 if body[position : position + 2] == b"\r\n" else 1
    return b"".join(chunks) if chunks and position >= len(body) else body


def decode(body: bytes, encodings: str, max_bytes: int) -> bytes:
    """Undoes `Content-Encoding`; a body that a tool has decoded before stays as it is.

    Raises:
        EncodingError: `broken_encoding`, or `too_large` beyond `max_bytes`.
    """
    for encoding in reversed([name.strip().lower() for name in encodings.split(",")]):
        if encoding in ("", "identity"):
            continue
        try:
            body = _decode_one(body, encoding, max_bytes + 1)
        except (OSError, zlib.error):
            raise EncodingError("broken_encoding") from None
        if len(body) > max_bytes:
            raise EncodingError("too_large")
    return body


def _decode_one(body: bytes, encoding: str, max_bytes: int) -> bytes:
    if encoding in ("gzip", "x-gzip"):
        return _inflate(body, 31, max_bytes) if body.startswith(GZIP_MAGIC) else body
    if encoding == "deflate":  # zlib by the standard, bare deflate from some servers
        return _inflate(body, 15 if body[:1] == b"\x78" else -15, max_bytes)
    if encoding == "br":
        return BrotliReader(io.BytesIO(body)).read(max_bytes)
    if encoding == "zstd":
        return ZstdReader(io.BytesIO(body)).read(max_bytes)
    raise OSError(f"unknown encoding {encoding}")


def _inflate(body: bytes, window_bits: int, max_bytes: int) -> bytes:
    stream = zlib.decompressobj(window_bits)
    content = stream.decompress(body, max_bytes)
    if not stream.eof and len(content) < max_bytes:
        raise OSError("the compressed body ends early")
    return content
