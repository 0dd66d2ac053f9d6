import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.crawl.http_body import EncodingError, dechunk, decode


@given(st.binary(max_size=300), st.integers(1, 40))
def test_dechunk_joins_what_was_chunked(body: bytes, size: int) -> None:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    assert dechunk(chunked) == body


@pytest.mark.parametrize("body", [b"", b"<p>plain</p>", b"face the facts", b"ff\r\nshort"])
def test_dechunk_leaves_what_was_joined_before(body: bytes) -> None:
    assert dechunk(body) == (b"short" if body.startswith(b"ff\r\n") else body)


@given(st.binary(min_size=1, max_size=500))
def test_decode_undoes_each_encoding(body: bytes) -> None:
    bare = zlib.compressobj(wbits=-15)
    raw_deflate = bare.compress(body) + bare.flush()
    assert decode(gzip.compress(body), "GZIP", 500) == body
    assert decode(zlib.compress(body), "deflate", 500) == body
    assert decode(raw_deflate, "deflate", 500) == body or raw_deflate[:1] == b"\x78"
    assert decode(gzip.compress(zlib.compress(body)), "deflate, gzip", 1000) == body
    assert decode(body, "identity", 500) == body


def test_decode_stops_at_the_limit() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    with pytest.raises(EncodingError, match="too_large"):
        decode(bomb, "gzip", 1_000_000)
    assert len(decode(gzip.compress(b"0" * 1_000), "gzip", 1_000)) == 1_000


def test_decode_counts_a_torn_body() -> None:
    torn = gzip.compress(bytes(range(256)) * 20)[:-20]
    with pytest.raises(EncodingError, match="broken_encoding"):
        decode(torn, "gzip", 100_000)
