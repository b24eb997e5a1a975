"""The first oracle: the placement contract written down again, on hashlib alone.

Nothing here imports rvh, and nothing is shared with its code: an error has to be made twice to
go unseen. It is written to be read, not to be fast.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

Id = str | bytes


def as_bytes(value: object) -> bytes:
    """The bytes of a node id or a key."""
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, bytes):
        return value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            return value.to_bytes(8, "little", signed=True)
        return value.to_bytes(8, "little")
    raise AssertionError(f"the contract has no bytes for {value!r}")


def score(node: object, key: object, secret: bytes = b"") -> int:
    """The 128-bit score of one pair."""
    message = as_bytes(node) + as_bytes(key)
    digest = hashlib.blake2b(message, digest_size=16, key=secret).digest()
    return int.from_bytes(digest, "big")


def order(scores: Sequence[int], nodes: Sequence[object]) -> list[int]:
    """Positions by score descending, then node bytes descending."""
    pairs = [(scores[n], as_bytes(node), n) for n, node in enumerate(nodes)]
    return [n for _, _, n in sorted(pairs, reverse=True)]


def ranking(nodes: Sequence[object], key: object, secret: bytes = b"") -> list[int]:
    """Positions of all nodes, best first."""
    return order([score(node, key, secret) for node in nodes], nodes)


def rankings(nodes: Sequence[object], keys: Iterable[object], secret: bytes = b"") -> np.ndarray:
    """`ranking` of many keys, shape (M, N)."""
    rows = [ranking(nodes, key, secret) for key in keys]
    return np.array(rows, dtype=np.intp).reshape(len(rows), len(nodes))


def scores(nodes: Sequence[object], keys: Iterable[object], secret: bytes = b"") -> np.ndarray:
    """High and low word of every score, shape (M, N, 2)."""
    rows = [[divmod(score(node, key, secret), 2**64) for node in nodes] for key in keys]
    return np.array(rows, dtype=np.uint64).reshape(len(rows), len(nodes), 2)


def fingerprint(nodes: Iterable[object], secret: bytes = b"") -> str:
    """The digest of a set of nodes: scheme, then each id with its length, in order of bytes."""
    message = b"scheme=blake2b\n"
    for node in sorted(as_bytes(node) for node in nodes):
        message += len(node).to_bytes(8, "little") + node
    digest = hashlib.blake2b(message, digest_size=32, key=secret, person=b"rvh NodeSet")
    return digest.hexdigest()


# -- buckets by number: jump hash, JumpBackHash, distinct buckets -------------------------------


def key_word(key: object) -> int:
    """The 64 bits that a key is to a hash of integers."""
    if isinstance(key, int):
        return key % 2**64
    return int.from_bytes(hashlib.blake2b(as_bytes(key), digest_size=16).digest()[:8], "big")


def jump(word: int, buckets: int) -> int:
    """Lamping and Veach, https://arxiv.org/abs/1406.2294."""
    b, j = -1, 0
    while j < buckets:
        b = j
        word = (word * 2862933555777941757 + 1) % 2**64
        j = int(float(b + 1) * (2147483648.0 / float(word // 2**33 + 1)))
    return b


def splitmix64(seed: int) -> Iterator[int]:
    """Its outputs, one after another."""
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) % 2**64
        z = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        yield z ^ (z >> 31)


def jumpback(word: int, buckets: int) -> int:
    """Ertl, https://arxiv.org/abs/2403.18682."""
    numbers = splitmix64(word)
    v = next(numbers)
    bits = (v ^ (v >> 32)) % 2 ** (buckets - 1).bit_length()
    while bits:
        q = 2 ** (bits.bit_length() - 1)
        b = q + (v >> 32 * (bits.bit_count() % 2)) % q
        while True:
            if b < buckets:
                return b
            w = next(numbers)
            b = w % (2 * q)
            if b < q:
                break
            if b < buckets:
                return b
            b = (w >> 32) % (2 * q)
            if b < q:
                break
        bits -= q
    return 0


def distinct_jumps(word: int, buckets: int, k: int) -> list[int]:
    """The first k distinct buckets of a word and of SplitMix64's outputs from it."""
    found = [jump(word, buckets)]
    numbers = splitmix64(word)
    while len(found) < k:
        bucket = jump(next(numbers), buckets)
        if bucket not in found:
            found.append(bucket)
    return found


# -- partitions ---------------------------------------------------------------------------------


def murmur64a(data: bytes, seed: int) -> int:
    """Austin Appleby's MurmurHash64A, word by word."""
    m, mask = 0xC6A4A7935BD1E995, 2**64 - 1
    h = seed ^ (len(data) * m & mask)
    for at in range(0, len(data), 8):
        word = data[at : at + 8]
        k = int.from_bytes(word, "little")
        if len(word) == 8:
            k = k * m & mask
            k = (k ^ (k >> 47)) * m & mask
        h = (h ^ k) * m & mask
    h = (h ^ (h >> 47)) * m & mask
    return h ^ (h >> 47)


def partition(key: object, partitions: int) -> int:
    """The partition of a key."""
    return murmur64a(as_bytes(key), 2718281828) * partitions // 2**64
