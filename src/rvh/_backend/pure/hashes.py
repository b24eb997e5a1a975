"""The pure-Python twin of hashes: those of other systems' rings, in plain Python."""

from __future__ import annotations

from rvh._backend.pure.schemes import WORD

__all__ = ["murmur3", "one_at_a_time", "xxh64"]

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


def xxh64(key: bytes, seed: int = 0) -> int:
    """XXH64 (Yann Collet, https://github.com/Cyan4973/xxHash).

    Examples
    --------
    >>> hex(xxh64(b""))
    '0xef46db3751d8e999'
    """

    def rounded(total: int, value: int) -> int:
        return _rotl((total + value * P2) & WORD, 31) * P1 & WORD

    at, h = 0, seed + P5
    if len(key) >= 32:
        sums = [(seed + P1 + P2) & WORD, (seed + P2) & WORD, seed, (seed - P1) & WORD]
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
