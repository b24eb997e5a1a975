"""The pure-Python twin of points: hashes of keys, and geohashes as numbers."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._backend.contract import ALPHABET, LONGEST
from rvh._backend.pure import modulo_hashes
from rvh._backend.pure.farmhash import farm_fingerprint64
from rvh._backend.pure.haproxy_hashes import avalanche, djb2, sdbm, wt6
from rvh._backend.pure.hashes import murmur3, one_at_a_time, xxh64
from rvh._backend.pure.schemes import WORD, Murmur, murmur64a
from rvh._columns.column import KeyColumn
from rvh._columns.values import key_bytes

__all__ = ["POINT_OF", "key_point", "key_points", "tagged"]


def _md5(key: bytes) -> bytes:
    return hashlib.md5(key, usedforsecurity=False).digest()


def _cassandra(key: bytes) -> int:
    """A signed token with its highest bit flipped; the lowest is the empty key's alone."""
    token = murmur3(key)
    if not key:
        return 0
    return WORD if token == 1 << 63 else token ^ 1 << 63


def code_points(text: bytes) -> int:
    """The sum of the code points of UTF-8; some answer for other bytes.

    Examples
    --------
    >>> code_points("ab\u20ac".encode()) == ord("a") + ord("b") + ord("\u20ac")
    True
    """
    total = point = 0
    for byte in text:
        if byte & 0xC0 == 0x80:
            point = point << 6 & WORD | byte & 0x3F
        else:
            total += point
            point = byte & (0x7F if byte < 0x80 else 0x1F if byte < 0xE0 else 0x0F)
    return total + point & WORD


def geohash(text: bytes) -> int:
    """Five bits a character from the top of 64, then their number; 0 for no geohash.

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


#: the point of a key's bytes, by each of `contract.POINTS`
POINT_OF: dict[str, Callable[[bytes], int]] = {
    "ketama": lambda key: int.from_bytes(_md5(key)[:4], "little"),
    "md5": lambda key: int.from_bytes(_md5(key)[:8], "big"),
    "md5_low": lambda key: int.from_bytes(_md5(key)[8:], "big"),
    "crc32": zlib.crc32,
    "murmur3": _cassandra,
    "xxh64": xxh64,
    "one_at_a_time": one_at_a_time,
    "murmur2": lambda key: murmur64a(key, Murmur.KEY_SEED),
    "geohash": geohash,
    "xxh64_1": lambda key: xxh64(key, 1),
    "murmur2_32": modulo_hashes.murmur2_32,
    "hashkit_murmur": modulo_hashes.hashkit_murmur,
    "crc16": modulo_hashes.crc16,
    "nutcracker_crc16": modulo_hashes.nutcracker_crc16,
    "hashkit_crc32": modulo_hashes.hashkit_crc32,
    "hashkit_crc32_or_1": lambda key: modulo_hashes.hashkit_crc32(key) or 1,
    "fnv1a_32": modulo_hashes.fnv1a_32,
    "hashkit_fnv1_32": modulo_hashes.hashkit_fnv1_32,
    "hashkit_fnv1a_32": modulo_hashes.hashkit_fnv1a_32,
    "hashkit_fnv1_64": modulo_hashes.hashkit_fnv1_64,
    "hashkit_fnv1a_64": modulo_hashes.hashkit_fnv1a_64,
    "hashkit_hsieh": modulo_hashes.hashkit_hsieh,
    "hashkit_jenkins": modulo_hashes.hashkit_jenkins,
    "farm_fingerprint64": farm_fingerprint64,
    "code_points": code_points,
    "murmur2_64": lambda key: murmur64a(key, 0xC70F6907),
    "sdbm": sdbm,
    "djb2": djb2,
    "wt6": wt6,
    "sdbm_avalanche": lambda key: avalanche(sdbm(key)),
    "djb2_avalanche": lambda key: avalanche(djb2(key)),
    "wt6_avalanche": lambda key: avalanche(wt6(key)),
    "crc32_avalanche": lambda key: avalanche(zlib.crc32(key)),
}


def tagged(key: bytes, tag: bytes) -> bytes:
    """What is between the two characters of `tag`, if they are there and it is not empty.

    Examples
    --------
    >>> tagged(b"a{b}{c}", b"{}"), tagged(b"a{}{c}", b"{}"), tagged(b"a{b}", b"")
    (b'b', b'a{}{c}', b'a{b}')
    """
    start = key.find(tag[:1]) + 1 if tag else 0
    end = key.find(tag[1:], start) if start else 0
    return key[start:end] if start < end else key


def key_point(kind: str, key: object, tag: bytes = b"") -> int:
    """The point of one key."""
    return POINT_OF[kind](tagged(key_bytes(key), tag))


def key_points(
    kind: str,
    keys: KeyColumn,
    start: int,
    stop: int,
    out: NDArray[np.uint64],
    cancel: Any,
    tag: bytes = b"",
) -> None:
    """The points of rows: 64-bit numbers that say where keys lie, on a ring for example.

    Parameters
    ----------
    kind : str
        One of `contract.POINTS`.
    keys : KeyColumn
        A plain column.
    start, stop : int
    out : ndarray of uint64, shape (stop - start,)
    cancel : Cancel or None
    tag : bytes
        Two characters: only what is between them is hashed, if they are there and it is not empty.
    """
    point = POINT_OF[kind]
    for row, key in enumerate(keys.iter_bytes(start, stop)):
        if cancel is not None and cancel.is_set():
            return
        out[row] = point(tagged(key, tag))
