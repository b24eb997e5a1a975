"""The pure-Python twin of points: hashes of keys, and geohashes as numbers."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._backend.contract import ALPHABET, LONGEST
from rvh._backend.pure.schemes import WORD, Murmur, murmur64a
from rvh._columns.column import KeyColumn
from rvh._columns.values import key_bytes

__all__ = ["HOW", "key_point", "key_points"]

WORD32 = 2**32 - 1


def _rotl(x: int, n: int) -> int:
    return (x << n | x >> 64 - n) & WORD


def _fmix(k: int) -> int:
    k = (k ^ k >> 33) * 0xFF51AFD7ED558CCD & WORD
    k = (k ^ k >> 33) * 0xC4CEB9FE1A85EC53 & WORD
    return k ^ k >> 33


def murmur3(key: bytes) -> int:
    """The first half of MurmurHash3_x64_128, seed 0 (Austin Appleby), as Cassandra computes it.

    Bytes of the last block enter with their sign (org.apache.cassandra.utils.MurmurHash).

    Examples
    --------
    >>> murmur3(b"123") - 2**64  # as a signed number
    -7468325962851647638
    """
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
    h1 = h2 = 0
    whole = len(key) // 16 * 16
    for at in range(0, whole, 16):
        k1 = int.from_bytes(key[at : at + 8], "little")
        k2 = int.from_bytes(key[at + 8 : at + 16], "little")
        h1 ^= _rotl(k1 * c1 & WORD, 31) * c2 & WORD
        h1 = ((_rotl(h1, 27) + h2) * 5 + 0x52DCE729) & WORD
        h2 ^= _rotl(k2 * c2 & WORD, 33) * c1 & WORD
        h2 = ((_rotl(h2, 31) + h1) * 5 + 0x38495AB5) & WORD
    k1 = k2 = 0
    for at, byte in enumerate(key[whole:]):
        signed = (byte - 256 if byte > 127 else byte) << 8 * (at % 8)
        if at < 8:
            k1 ^= signed & WORD
        else:
            k2 ^= signed & WORD
    h2 ^= _rotl(k2 * c2 & WORD, 33) * c1 & WORD
    h1 ^= _rotl(k1 * c1 & WORD, 31) * c2 & WORD
    h1 ^= len(key)
    h2 ^= len(key)
    h1 = (h1 + h2) & WORD
    h2 = (h2 + h1) & WORD
    return (_fmix(h1) + _fmix(h2)) & WORD


def one_at_a_time(key: bytes) -> int:
    """Bob Jenkins's hash (http://burtleburtle.net/bob/hash/doobs.html), as libhashkit computes it.

    It reads the bytes as ``char``, which is signed on x86: there bytes enter with their sign.

    Examples
    --------
    >>> hex(one_at_a_time(b"a"))
    '0xca2e9442'
    """
    h = 0
    for byte in key:
        h += byte - 256 if byte > 127 else byte
        h = h * 1025 & WORD32
        h ^= h >> 6
    h = h * 9 & WORD32
    h ^= h >> 11
    return h * 32769 & WORD32


P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)


def xxh64(key: bytes) -> int:
    """XXH64 with seed 0 (Yann Collet, https://github.com/Cyan4973/xxHash).

    Examples
    --------
    >>> hex(xxh64(b""))
    '0xef46db3751d8e999'
    """

    def rounded(total: int, value: int) -> int:
        return _rotl((total + value * P2) & WORD, 31) * P1 & WORD

    at, h = 0, P5
    if len(key) >= 32:
        sums = [(P1 + P2) & WORD, P2, 0, -P1 & WORD]
        while len(key) - at >= 32:
            for i in range(4):
                sums[i] = rounded(sums[i], int.from_bytes(key[at : at + 8], "little"))
                at += 8
        h = sum(_rotl(s, n) for s, n in zip(sums, (1, 7, 12, 18), strict=True)) & WORD
        for s in sums:
            h = ((h ^ rounded(0, s)) * P1 + P4) & WORD
    h = (h + len(key)) & WORD
    while len(key) - at >= 8:
        h ^= rounded(0, int.from_bytes(key[at : at + 8], "little"))
        h = (_rotl(h, 27) * P1 + P4) & WORD
        at += 8
    if len(key) - at >= 4:
        h ^= int.from_bytes(key[at : at + 4], "little") * P1 & WORD
        h = (_rotl(h, 23) * P2 + P3) & WORD
        at += 4
    for byte in key[at:]:
        h = _rotl(h ^ byte * P5 & WORD, 11) * P1 & WORD
    h = (h ^ h >> 33) * P2 & WORD
    h = (h ^ h >> 29) * P3 & WORD
    return h ^ h >> 32


def _md5(key: bytes) -> bytes:
    return hashlib.md5(key, usedforsecurity=False).digest()


def _cassandra(key: bytes) -> int:
    """A signed token with its highest bit turned; the lowest is the empty key's alone."""
    token = murmur3(key)
    if not key:
        return 0
    return WORD if token == 1 << 63 else token ^ 1 << 63


def geohash(text: bytes) -> int:
    """Five bits a character from the top of 64, then how many there are; 0 for no geohash.

    Examples
    --------
    >>> hex(geohash(b"u09")), geohash(b"a")
    ('0xd012000000000003', 0)
    """
    codes = [ALPHABET.find(chr(byte)) for byte in text]
    if not 1 <= len(codes) <= LONGEST or min(codes) < 0:
        return 0
    word = sum(code << 59 - 5 * at for at, code in enumerate(codes))
    return word | len(codes)


#: a key's point, by the name of its kind
#: how each of `contract.POINTS` is made of a key's bytes
HOW: dict[str, Callable[[bytes], int]] = {
    "ketama": lambda key: int.from_bytes(_md5(key)[:4], "little"),
    "md5": lambda key: int.from_bytes(_md5(key)[:8], "big"),
    "crc32": zlib.crc32,
    "murmur3": _cassandra,
    "xxh64": xxh64,
    "one_at_a_time": one_at_a_time,
    "murmur2": lambda key: murmur64a(key, Murmur.KEY_SEED),
    "geohash": geohash,
}


def key_point(kind: str, key: object) -> int:
    """The point of one key."""
    return HOW[kind](key_bytes(key))


def key_points(
    kind: str,
    keys: KeyColumn,
    start: int,
    stop: int,
    out: NDArray[np.uint64],
    cancel: Any,
) -> None:
    """The points of rows: numbers of 64 bits, by which keys lie on a ring for example.

    Parameters
    ----------
    kind : str
        One of `contract.POINTS`.
    keys : KeyColumn
        A plain column.
    start, stop : int
    out : ndarray of uint64, shape (stop - start,)
    cancel : Cancel or None
    """
    point = HOW[kind]
    for row, key in enumerate(keys.iter_bytes(start, stop)):
        if cancel is not None and cancel.is_set():
            return
        out[row] = point(key)
