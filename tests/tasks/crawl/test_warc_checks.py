"""Damage in downloaded files, found by gzip's and WARC's own checksums."""

import base64
import gzip
import hashlib
from pathlib import Path

import pytest

from tasks.crawl.warc_checks import Check, DamageError, check_file, check_record, unpack_record
from tests.tasks.crawl.sites import Record, page, warc_bytes

RECORDS = [Record(f"http://a.org/{n}", page(f"page {n}").encode()) for n in range(3)]


def saved(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file.warc.gz"
    path.write_bytes(content)
    return path


def test_a_whole_file_of_another_writer_is_whole(tmp_path: Path) -> None:
    content = warc_bytes(RECORDS)
    assert check_file(saved(tmp_path, content)) == Check(3, len(content))
    plain = warc_bytes(RECORDS, "plain")
    assert check_file(saved(tmp_path, plain)) == Check(0, len(plain))


def test_a_cut_file_is_whole_up_to_its_last_record(tmp_path: Path) -> None:
    two = warc_bytes(RECORDS[:2])
    found = check_file(saved(tmp_path, warc_bytes(RECORDS)[:-7]))
    assert (found.num_records, found.whole_bytes) == (2, len(two))
    assert found.damage == f"byte {len(two)}: the file ends within a record"
    assert check_file(saved(tmp_path, b"")).damage == "the file is empty"


def test_every_flipped_byte_of_a_record_is_found(tmp_path: Path) -> None:
    content = warc_bytes(RECORDS[:1])
    # Bytes 4 to 9 of a gzip header are its time, flags of the packer and its system: free.
    for position in [
        *range(4),
        *range(10, len(content), 7),
        *range(len(content) - 8, len(content)),
    ]:
        broken = bytearray(content)
        broken[position] ^= 0x10
        found = check_file(saved(tmp_path, bytes(broken)))
        is_no_gzip = position < 2  # then nothing is known about the file
        assert bool(found.damage) is not is_no_gzip, position


def test_a_record_that_was_changed_before_it_was_packed_is_counted(tmp_path: Path) -> None:
    record = gzip.decompress(warc_bytes(RECORDS[:1]))
    assert b"WARC-Block-Digest: sha1:" in record
    assert b"WARC-Payload-Digest: sha1:" in record
    broken = gzip.compress(record.replace(b"plain things", b"other things"))
    content = broken + warc_bytes(RECORDS[1:])
    assert check_file(saved(tmp_path, content)) == Check(3, len(content), "", num_wrong=1)
    # Some writer was wrong about one of the two digests: the other one tells that all is well.
    for name in (b"Block", b"Payload"):
        start = record.index(b"WARC-%s-Digest: sha1:" % name) + len(b"WARC--Digest: sha1:%s" % name)
        wrong = gzip.compress(record[:start] + b"A" * 32 + record[start + 32 :])
        assert check_file(saved(tmp_path, wrong)) == Check(1, len(wrong))


def record_of(body: bytes, *fields: str) -> bytes:
    block = b"HTTP/1.1 200 OK\r\n\r\n" + body
    head = ["WARC/1.0", "WARC-Type: response", f"Content-Length: {len(block)}", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"


def test_payload_digests_are_compared_in_both_spellings() -> None:
    body = b"<p>body</p>"
    sha1 = hashlib.sha1(body).digest()
    base32 = base64.b32encode(sha1).decode()
    for said in (f"sha1:{base32}", f"SHA1:{sha1.hex()}", base32):
        check_record(record_of(body, f"WARC-Payload-Digest: {said}"))
        with pytest.raises(DamageError, match=f"sha1:{base32}, expected"):
            check_record(record_of(body, f"WARC-Payload-Digest: {said[:-4]}AAAA"))
    check_record(record_of(body, "WARC-Payload-Digest: rot13:abc"))
    check_record(record_of(body), digest=base32)
    check_record(record_of(body, f"WARC-Payload-Digest: sha1:{base32}"), digest=base32)


def test_another_record_than_the_index_says_is_damage() -> None:
    body = b"<p>body</p>"
    said = "sha1:" + base64.b32encode(hashlib.sha1(body).digest()).decode()
    with pytest.raises(DamageError, match="expected 5FKR"):
        check_record(record_of(body, f"WARC-Payload-Digest: {said}"), digest="5FKR")
    with pytest.raises(DamageError, match="expected 5FKR"):
        check_record(record_of(body), digest="5FKR")


def test_a_record_is_exactly_one_member() -> None:
    member = gzip.compress(record_of(b"x"))
    assert unpack_record(member) == record_of(b"x")
    for wrong in (member[:-1], member + b"x", b"", b"no gzip"):
        with pytest.raises(DamageError):
            unpack_record(wrong)
    with pytest.raises(DamageError, match="of 99 bytes are there"):
        check_record(record_of(b"x").replace(b"Content-Length: 20", b"Content-Length: 99"))


@pytest.mark.parametrize("length", ["", "many", "-1", "\u00b2", "9" * 5_000])
def test_a_record_without_a_length_is_damaged(tmp_path: Path, length: str) -> None:
    record = f"WARC/1.0\r\nContent-Length: {length}\r\n\r\nbody".encode()
    with pytest.raises(DamageError, match="bytes are there"):
        check_record(record)
    content = gzip.compress(record)
    assert check_file(saved(tmp_path, content)).num_wrong == 1
