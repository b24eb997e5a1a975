"""The pure-Python twin of hashes whose systems take them modulo a number of slots."""

from __future__ import annotations

__all__ = ["murmur2_32"]

WORD32 = 2**32 - 1


def murmur2_32(key: bytes, seed: int = 0x9747B28C) -> int:
    """MurmurHash2 of 32 bits (Austin Appleby), with Kafka's seed.

    Examples
    --------
    >>> murmur2_32(b"21") - 2**32  # Kafka's own test has this number
    -973932308
    """
    m = 0x5BD1E995
    whole = len(key) // 4 * 4
    h = seed ^ len(key) & WORD32
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at : at + 4], "little") * m & WORD32
        k = (k ^ k >> 24) * m & WORD32
        h = h * m & WORD32 ^ k
    if whole < len(key):
        h = (h ^ int.from_bytes(key[whole:], "little")) * m & WORD32
    h = (h ^ h >> 13) * m & WORD32
    return h ^ h >> 15
