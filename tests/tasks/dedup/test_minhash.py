"""Signatures: the kernel, the definition, datasketch, and the similarity they estimate."""

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from tasks.dedup.exact import exact_hash
from tasks.dedup.minhash import (
    NO_SHINGLE,
    Fingerprints,
    Signatures,
    fingerprint_texts,
    permutations,
    plain_signature,
    shingle_hash,
    sign_words,
)
from tasks.text import minhash_words, ngrams

words = st.sampled_from(["the", "cat", "sat", "on", "mat", "你好", "हिन्दी", "Été", ",", "x_1"])
documents = st.lists(words, max_size=30).map(" ".join)


def fingerprint(*texts: str, shingle_words: int = 5, num_permutations: int = 64) -> Fingerprints:
    return fingerprint_texts(
        pa.array(texts), shingle_words=shingle_words, num_permutations=num_permutations, seed=1
    )


def datasketch_signature(text: str, shingle_words: int, num_permutations: int) -> Signatures:
    """The same shingles given to datasketch, with our hash of a shingle as its hash function."""
    sketch = MinHash(
        num_permutations,
        seed=1,
        scheme="affine32",
        hashfunc=lambda shingle: shingle_hash(shingle.decode().split(" ")),
    )
    for shingle in ngrams(minhash_words(text), shingle_words):
        sketch.update(" ".join(shingle).encode())
    return np.asarray(sketch.hashvalues, dtype=np.uint32)


@given(documents, st.integers(1, 6), st.sampled_from([16, 17, 100, 128]))
def test_the_kernel_equals_the_definition(text: str, shingle_words: int, number: int) -> None:
    found = fingerprint(text, shingle_words=shingle_words, num_permutations=number)
    plain = plain_signature(text, shingle_words=shingle_words, num_permutations=number, seed=1)
    np.testing.assert_array_equal(found.signatures[0], plain)
    assert found.num_words.tolist() == [len(minhash_words(text))]
    assert found.exact_hashes == [exact_hash(text)]


@given(documents, st.integers(1, 6))
def test_the_kernel_equals_datasketch(text: str, shingle_words: int) -> None:
    found = fingerprint(text, shingle_words=shingle_words).signatures[0]
    np.testing.assert_array_equal(found, datasketch_signature(text, shingle_words, 64))


def test_permutations_are_those_of_datasketch() -> None:
    theirs = MinHash(128, seed=7, scheme="affine32").permutations
    np.testing.assert_array_equal(np.array(permutations(128, 7)), theirs)


def test_a_document_without_shingles_has_the_empty_signature() -> None:
    found = fingerprint("", "one two three four", "one two three four five")
    assert (found.signatures[:2] == NO_SHINGLE).all()
    assert (found.signatures[2] != NO_SHINGLE).any()


def test_many_documents_are_fingerprinted_as_each_alone() -> None:
    texts = [f"this is the text of document number {n} of many {n * n}" for n in range(600)]
    together = fingerprint(*texts)
    for row in (0, 255, 256, 511, 512, 599):
        alone = fingerprint(texts[row])
        np.testing.assert_array_equal(together.signatures[row], alone.signatures[0])
        assert together.exact_hashes[row] == alone.exact_hashes[0]


@pytest.mark.parametrize("similarity", [0.2, 0.5, 0.8])
def test_equal_entries_estimate_jaccard_without_bias(similarity: float) -> None:
    """200 pairs of sets with exactly this similarity, 128 entries each: the mean is within 4 SE."""
    pairs, size, entries = 200, 400, 128
    rng = np.random.default_rng(0)
    shared = round(2 * size * similarity / (1 + similarity))
    jaccard = shared / (2 * size - shared)
    left = rng.integers(0, 2**64, (pairs, size), dtype=np.uint64)
    right = rng.integers(0, 2**64, (pairs, size), dtype=np.uint64)
    right[:, :shared] = left[:, :shared]
    offsets = np.arange(pairs + 1) * size
    signed = [
        sign_words(side.ravel(), offsets, 1, *permutations(entries, 1)) for side in (left, right)
    ]
    mean = (signed[0] == signed[1]).mean()
    error = np.sqrt(jaccard * (1 - jaccard) / (pairs * entries))
    assert abs(mean - jaccard) < 4 * error


def test_exact_hash_sees_letters_not_their_dress() -> None:
    assert exact_hash("Hello\n  World ") == exact_hash("hello world")
    assert exact_hash("cafe\u0301") == exact_hash("caf\u00e9")
    assert exact_hash("a+b") != exact_hash("a-b")
