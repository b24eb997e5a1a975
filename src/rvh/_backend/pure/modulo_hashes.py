"""The pure-Python twin of hashes whose systems take them modulo a number of slots.

libmemcached and twemproxy read bytes as ``char``, which is signed on x86: there the bytes of some
hashes enter with their sign.
"""

from __future__ import annotations

import binascii
import zlib

__all__ = [
    "crc16",
    "fnv1a_32",
    "hashkit_crc32",
    "hashkit_fnv1_32",
    "hashkit_fnv1_64",
    "hashkit_fnv1a_32",
    "hashkit_fnv1a_64",
    "hashkit_hsieh",
    "hashkit_jenkins",
    "hashkit_murmur",
    "murmur2_32",
    "nutcracker_crc16",
]

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
    h = (seed ^ len(key)) & WORD32
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at : at + 4], "little") * m & WORD32
        k = (k ^ k >> 24) * m & WORD32
        h = h * m & WORD32 ^ k
    if whole < len(key):
        h = (h ^ int.from_bytes(key[whole:], "little")) * m & WORD32
    h = (h ^ h >> 13) * m & WORD32
    return h ^ h >> 15


def hashkit_murmur(key: bytes) -> int:
    """MurmurHash2 of 32 bits with a seed made of the length."""
    return murmur2_32(key, 0xDEADBEEF * len(key) & WORD32)


def crc16(key: bytes) -> int:
    """CRC-16/XMODEM, as Redis Cluster's.

    Examples
    --------
    >>> hex(crc16(b"123456789"))
    '0x31c3'
    """
    return binascii.crc_hqx(key, 0)


def nutcracker_crc16(key: bytes) -> int:
    """A CRC-16 in 32 bits: what it shifts out stays in the upper half, as in twemproxy."""
    crc = 0
    for byte in key:
        crc = (crc << 8 & WORD32) ^ binascii.crc_hqx(bytes([crc >> 8 & 255 ^ byte]), 0)
    return crc


def hashkit_crc32(key: bytes) -> int:
    """15 bits of a CRC-32."""
    return zlib.crc32(key) >> 16 & 0x7FFF


FNV_32 = 0x811C9DC5, 0x01000193
FNV_64_LOW = 0x84222325, 0x000001B3  # the low halves of the start and the prime


def fnv1a_32(key: bytes) -> int:
    """FNV-1a of 32 bits.

    Examples
    --------
    >>> hex(fnv1a_32(b"foobar"))
    '0xbf9cf968'
    """
    h, prime = FNV_32
    for byte in key:
        h = (h ^ byte) * prime & WORD32
    return h


def _with_sign(byte: int) -> int:
    return byte | 0xFFFFFF00 if byte > 127 else byte


def hashkit_fnv1_32(key: bytes, constants: tuple[int, int] = FNV_32) -> int:
    """FNV-1 of bytes with their sign."""
    h, prime = constants
    for byte in key:
        h = h * prime & WORD32 ^ _with_sign(byte)
    return h


def hashkit_fnv1a_32(key: bytes, constants: tuple[int, int] = FNV_32) -> int:
    """FNV-1a of bytes with their sign."""
    h, prime = constants
    for byte in key:
        h = (h ^ _with_sign(byte)) * prime & WORD32
    return h


def hashkit_fnv1_64(key: bytes) -> int:
    """The low half of FNV-1 of 64 bits."""
    return hashkit_fnv1_32(key, FNV_64_LOW)


def hashkit_fnv1a_64(key: bytes) -> int:
    """The low half of FNV-1a of 64 bits."""
    return hashkit_fnv1a_32(key, FNV_64_LOW)


def hashkit_hsieh(key: bytes) -> int:
    """Paul Hsieh's SuperFastHash from 0: http://www.azillionmonkeys.com/qed/hash.html."""
    h = 0
    whole = len(key) // 4 * 4
    for at in range(0, whole, 4):
        h = h + int.from_bytes(key[at : at + 2], "little") & WORD32
        h = (h << 16 ^ int.from_bytes(key[at + 2 : at + 4], "little") << 11 ^ h) & WORD32
        h = h + (h >> 11) & WORD32
    tail = key[whole:]
    h = h + int.from_bytes(tail[:2], "little") & WORD32
    if len(tail) == 3:
        h = (h ^ h << 16 ^ _with_sign(tail[2]) << 18) & WORD32
        h = h + (h >> 11) & WORD32
    elif len(tail) == 2:
        h = (h ^ h << 11) & WORD32
        h = h + (h >> 17) & WORD32
    elif len(tail) == 1:
        h = (h ^ h << 10) & WORD32
        h = h + (h >> 1) & WORD32
    for left, right in ((3, 5), (4, 17), (25, 6)):
        h = (h ^ h << left) & WORD32
        h = h + (h >> right) & WORD32
    return h


def hashkit_jenkins(key: bytes) -> int:
    """Bob Jenkins's lookup3 with 13 for the first value: http://burtleburtle.net/bob/c/lookup3.c."""

    def rotl(x: int, n: int) -> int:
        return (x << n | x >> 32 - n) & WORD32

    s = [(0xDEADBEEF + len(key) + 13) & WORD32] * 3
    while len(key) > 12:
        for i in range(3):
            s[i] = s[i] + int.from_bytes(key[4 * i : 4 * i + 4], "little") & WORD32
        for i, turn in enumerate((4, 6, 8, 16, 19, 4)):
            x, y, z = i % 3, (i + 1) % 3, (i + 2) % 3
            s[x] = (s[x] - s[z] & WORD32) ^ rotl(s[z], turn)
            s[z] = s[z] + s[y] & WORD32
        key = key[12:]
    if not key:
        return s[2]
    for i in range(3):
        s[i] = s[i] + int.from_bytes(key[4 * i : 4 * i + 4], "little") & WORD32
    for i, turn in enumerate((14, 11, 25, 16, 4, 14, 24)):
        x, y = (i + 2) % 3, (i + 1) % 3
        s[x] = (s[x] ^ s[y]) - rotl(s[y], turn) & WORD32
    return s[2]
