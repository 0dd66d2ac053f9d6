"""MinHash signatures (Broder 1997): their share of equal entries estimates Jaccard similarity.

A document is the set of its shingles, runs of `shingle_words` MinHash words. A shingle is hashed
to 32 bits, mixed, and put through one permutation `a * h + b mod 2**32` (`a` odd) per entry; the
entry is the smallest result. Two documents agree in an entry with a probability equal to the
Jaccard similarity of their shingle sets.

This is the scheme "affine32" of datasketch 2, bit for bit: a signature equals that of
`datasketch.MinHash(num_perm, seed, hashfunc=shingle_hash)` fed with the same shingles (a test says
so). A shingle's hash is its words' hashes as a polynomial.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from tasks.dedup.exact import exact_hashes
from tasks.dedup.scan import (
    Offsets,
    Scalar,
    WordHashes,
    composed_texts,
    scan_blocks,
    word_hash,
)
from tasks.text import minhash_words, ngrams

Signatures: TypeAlias = npt.NDArray[np.uint32]

NO_SHINGLE = 0xFFFF_FFFF  # every entry of the signature of a document without shingles
LANES = 8  # shingles permuted per pass over a signature: 13 G permutations/s against 8 with one

# A bijection of 64 bits that spreads a word's hash before words are added up.
MIX_PRIME = np.uint64(0xD6E8FEB86659FD93)
HALF = np.uint64(32)
SHINGLE_PRIME = np.uint64(0x9E3779B97F4A7C15)


class Fingerprints(NamedTuple):
    """All that deduplication knows of a batch of documents."""

    num_words: npt.NDArray[np.int64]  # (N,)
    exact_hashes: list[bytes]  # N of 16 bytes, of the normal form
    signatures: Signatures  # (N, num_permutations)


class Permutations(NamedTuple):
    """The multipliers, all odd, and the offsets of the permutations."""

    multipliers: Signatures
    offsets: Signatures


def permutations(number: int, seed: int) -> Permutations:
    """Draw permutations of 32-bit hashes; numpy freezes this generator's stream for ever."""
    draw = np.random.RandomState(seed)
    multipliers = draw.randint(0, 1 << 31, number, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return Permutations(multipliers, draw.randint(0, 1 << 32, number, dtype=np.uint32))


def fingerprint_texts(
    column: pa.Array, *, shingle_words: int, num_permutations: int, seed: int
) -> Fingerprints:
    """Fingerprint a column of texts; about 180 MB/s on one core of a 2.5 GHz server."""
    multipliers, offsets = permutations(num_permutations, seed)
    num_words, signatures = [np.empty(0, np.int64)], [np.empty((0, num_permutations), np.uint32)]
    hashes: list[bytes] = []
    for block in scan_blocks(composed_texts(column)):
        hashes += exact_hashes(block.normal, block.normal_offsets)
        num_words.append(np.diff(block.word_offsets))
        signatures.append(sign_words(*block[2:], shingle_words, multipliers, offsets))
    return Fingerprints(np.concatenate(num_words), hashes, np.concatenate(signatures))


@njit(inline="always")
def mix_word(hashed: Scalar) -> Scalar:
    """Spread a word's hash over 64 bits."""
    hashed = (hashed ^ (hashed >> HALF)) * MIX_PRIME
    return hashed ^ (hashed >> HALF)


@njit(inline="always")
def mix_shingle(hashed: Scalar) -> Scalar:
    """Spread a shingle's hash over 32 bits (MurmurHash3's finaliser)."""
    hashed = np.uint32(hashed ^ (hashed >> np.uint32(16)))
    hashed = np.uint32(hashed * np.uint32(0x85EBCA6B))
    hashed = np.uint32(hashed ^ (hashed >> np.uint32(13)))
    hashed = np.uint32(hashed * np.uint32(0xC2B2AE35))
    return np.uint32(hashed ^ (hashed >> np.uint32(16)))


@njit(inline="always")
def _shingle(words: WordHashes, length: int, polynomials: WordHashes, out: Signatures) -> int:
    """Write the mixed hash of every shingle; return how many, a multiple of LANES.

    Each loop is over all shingles, so that it is vectorised; `polynomials` is room for as many
    numbers. The last shingle is repeated to fill the lanes: a minimum does not mind.
    """
    number = max(len(words) - length + 1, 0)
    for i in range(len(words)):
        words[i] = mix_word(words[i])
    polynomials[:number] = words[:number]
    for power in range(1, length):
        for i in range(number):
            polynomials[i] = polynomials[i] * SHINGLE_PRIME + words[i + power]
    for i in range(number):
        out[i] = mix_shingle(np.uint32(polynomials[i] >> HALF))
    while number % LANES:
        out[number] = out[number - 1]
        number += 1
    return number


@njit(inline="always")
def _permute(
    shingles: Signatures, number: int, multipliers: Signatures, offsets: Signatures, out: Signatures
) -> None:
    """Write the smallest result of each permutation, vectorised over permutations."""
    out[:] = np.uint32(NO_SHINGLE)
    for i in range(0, number, LANES):
        s0, s1, s2, s3, s4, s5, s6, s7 = shingles[i : i + LANES]
        for k in range(len(multipliers)):
            a, b = multipliers[k], offsets[k]
            low = min(out[k], np.uint32(a * s0 + b), np.uint32(a * s1 + b), np.uint32(a * s2 + b))
            low = min(low, np.uint32(a * s3 + b), np.uint32(a * s4 + b), np.uint32(a * s5 + b))
            out[k] = min(low, np.uint32(a * s6 + b), np.uint32(a * s7 + b))


@njit("uint32[:, ::1](uint64[::1], int64[::1], int64, uint32[::1], uint32[::1])", cache=True)
def sign_words(
    words: WordHashes,
    word_offsets: Offsets,
    shingle_words: int,
    multipliers: Signatures,
    offsets: Signatures,
) -> Signatures:
    """Return the signatures (N, num_permutations) of N documents, given their words' hashes.

    The words of document i are `words[word_offsets[i] : word_offsets[i + 1]]`; they are spread in
    place.
    """
    number = len(word_offsets) - 1
    most_words = 0
    for row in range(number):
        most_words = max(most_words, word_offsets[row + 1] - word_offsets[row])
    shingles = np.empty(most_words + LANES, np.uint32)
    polynomials = np.empty(most_words, np.uint64)
    signatures = np.empty((number, len(multipliers)), np.uint32)
    for row in range(number):
        own = words[word_offsets[row] : word_offsets[row + 1]]
        count = _shingle(own, shingle_words, polynomials, shingles)
        _permute(shingles, count, multipliers, offsets, signatures[row])
    return signatures


# ---- in Python, slowly: what the kernels must equal


def shingle_hash(words: Sequence[str]) -> int:
    """Return the 32-bit hash of one shingle, given its words in normal form."""
    total = 0
    for word in words:
        hashed = word_hash(word)
        hashed = ((hashed ^ (hashed >> 32)) * int(MIX_PRIME)) % 2**64
        total = (total * int(SHINGLE_PRIME) + (hashed ^ (hashed >> 32))) % 2**64
    return total >> 32


def plain_signature(
    text: str, *, shingle_words: int, num_permutations: int, seed: int
) -> Signatures:
    """Return the signature of one text, by the definition."""
    multipliers, offsets = permutations(num_permutations, seed)
    signature = np.full(num_permutations, NO_SHINGLE, np.uint32)
    for shingle in ngrams(minhash_words(text), shingle_words):
        hashed = np.uint32(shingle_hash(shingle))
        for shift, prime in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
            hashed = np.uint32((int(hashed ^ (hashed >> shift)) * prime) % 2**32)
        hashed ^= hashed >> 16
        permuted = multipliers.astype(np.uint64) * np.uint64(hashed) + offsets
        signature = np.minimum(signature, permuted.astype(np.uint32))
    return signature
