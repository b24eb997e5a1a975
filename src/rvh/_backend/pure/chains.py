"""The pure-Python twin of chains: hashes of typed columns as engines and databases have them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rvh._columns.chains import BITS, Chain, read_values
from rvh._columns.column import KeyColumn
from rvh._columns.values import key_bytes

__all__ = ["chain_point", "chain_points"]

Value: TypeAlias = int | bytes | None

WORD, WORD32 = 2**64 - 1, 2**32 - 1
SPARK_SEED = 42
HIVE_SEED = 104729
POSTGRESQL_SEED = 0x7A5B22367996DCFD  # HASH_PARTITION_SEED


def _rotl(x: int, n: int) -> int:
    return (x << n | x >> 32 - n) & WORD32


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _block(h: int, k: int) -> int:
    return (_rotl(h ^ _word(k), 13) * 5 + 0xE6546B64) & WORD32


def _word(k: int) -> int:
    return _rotl(k * 0xCC9E2D51 & WORD32, 15) * 0x1B873593 & WORD32


def _finish(h: int, size: int) -> int:
    h ^= size
    h = (h ^ h >> 16) * 0x85EBCA6B & WORD32
    h = (h ^ h >> 13) * 0xC2B2AE35 & WORD32
    return h ^ h >> 16


def _blocks(data: bytes, h: int) -> tuple[int, bytes]:
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        h = _block(h, int.from_bytes(data[at : at + 4], "little"))
    return h, data[whole:]


def murmur3_32(data: bytes, seed: int = 0) -> int:
    """MurmurHash3_x86_32 (Austin Appleby, https://github.com/aappleby/smhasher).

    Examples
    --------
    >>> hex(murmur3_32("hello".encode("utf-16-le")))  # as Elasticsearch's tests have it
    '0xd7c31989'
    """
    h, tail = _blocks(data, seed)
    return _finish(h ^ _word(int.from_bytes(tail, "little")), len(data))


def murmur3_32_spark(data: bytes, seed: int) -> int:
    """MurmurHash3_x86_32 as Spark's Murmur3_x86_32.hashUnsafeBytes: a block for each byte left.

    Bytes that are left enter with their sign.

    Examples
    --------
    >>> murmur3_32_spark(b"Spark", 42)
    228093765
    """
    h, tail = _blocks(data, seed)
    for byte in tail:
        h = _block(h, _signed(byte))
    return _finish(h, len(data))


def murmur3_32_hive(data: bytes) -> int:
    """MurmurHash3_x86_32 as Hive's Murmur3.hash32: bytes that are left enter with their sign."""
    h, tail = _blocks(data, HIVE_SEED)
    k = 0
    for at, byte in enumerate(tail):
        k ^= _signed(byte) << 8 * at
    return _finish(h ^ _word(k & WORD32), len(data))


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for n in (4, 6, 8, 16, 19, 4):
        a = (a - c & WORD32) ^ _rotl(c, n)
        c = c + b & WORD32
        a, b, c = b, c, a
    return a, b, c


def _final(a: int, b: int, c: int) -> tuple[int, int]:
    for n in (14, 11, 25, 16, 4, 14, 24):
        c = (c ^ b) - _rotl(b, n) & WORD32
        a, b, c = b, c, a
    return a, b  # the last two of the three that came


def hash_bytes_extended(data: bytes, seed: int) -> int:
    """PostgreSQL's hash_bytes_extended: Bob Jenkins's lookup3 (2006), with a seed of 64 bits.

    Examples
    --------
    >>> hash_bytes_extended(b"abc", POSTGRESQL_SEED)
    3628778498291917250
    """
    a = b = c = (0x9E3779B9 + len(data) + 3923095) & WORD32
    if seed:
        a, b, c = _mix((a + (seed >> 32)) & WORD32, (b + seed) & WORD32, c)
    whole = len(data) // 12 * 12
    for at in range(0, whole, 12):
        words = (int.from_bytes(data[at + n : at + n + 4], "little") for n in (0, 4, 8))
        a, b, c = _mix(*(x + word & WORD32 for x, word in zip((a, b, c), words, strict=True)))
    tail = data[whole:]
    a = (a + int.from_bytes(tail[:4], "little")) & WORD32
    b = (b + int.from_bytes(tail[4:8], "little")) & WORD32
    c = (c + (int.from_bytes(tail[8:], "little") << 8)) & WORD32  # its lowest byte is the length's
    b, c = _final(a, b, c)
    return b << 32 | c


def hash_uint32_extended(k: int, seed: int) -> int:
    """PostgreSQL's hash_uint32_extended.

    Examples
    --------
    >>> hash_uint32_extended(42, POSTGRESQL_SEED)
    7363975540656877951
    """
    a = b = c = 0x9E3779B9 + 4 + 3923095
    if seed:
        a, b, c = _mix((a + (seed >> 32)) & WORD32, (b + seed) & WORD32, c)
    b, c = _final((a + k) & WORD32, b, c)
    return b << 32 | c


def _spark(h: int, part: str, value: Value) -> int:
    if value is None:
        return h
    if isinstance(value, int):
        value = value.to_bytes(8 if part == "int64" else 4, "little", signed=True)
    return murmur3_32_spark(value, h)


def _iceberg(h: int, part: str, value: Value) -> int:
    assert value is not None  # the bucket of a null is null
    return murmur3_32(value.to_bytes(8, "little", signed=True) if isinstance(value, int) else value)


def _hive1(h: int, part: str, value: Value) -> int:
    own = 0 if value is None else value
    if isinstance(own, bytes):
        number = 0
        for byte in own:
            number = 31 * number + _signed(byte) & WORD32
    else:
        number = own ^ own >> 32 if part == "int64" else own
    return (31 * h + number) & WORD32


def _hive2(h: int, part: str, value: Value) -> int:
    number = 0
    if isinstance(value, bytes):
        number = murmur3_32_hive(value)
    elif value is not None:
        size = BITS[part] // 8
        number = value if size == 1 else murmur3_32_hive(value.to_bytes(size, "big", signed=True))
    return (31 * h + number) & WORD32


def _postgresql(h: int, part: str, value: Value) -> int:
    if value is None:
        return h
    if isinstance(value, bytes):
        own = hash_bytes_extended(value, POSTGRESQL_SEED)
    else:  # a number has one hash, whatever its width
        high = value >> 32 & WORD32
        folded = (value ^ (high if value >= 0 else ~high)) & WORD32
        own = hash_uint32_extended(folded, POSTGRESQL_SEED)
    return h ^ (own + 0x49A0F4DD15E5A8E3 + (h << 54) + (h >> 7)) & WORD  # hash_combine64


STEPS = {
    "spark": _spark,
    "iceberg": _iceberg,
    "hive1": _hive1,
    "hive2": _hive2,
    "postgresql": _postgresql,
}


def _elasticsearch(values: list[Value], spread: int) -> int:
    """The hash of the routing and, where the id comes before it, of one of its shards."""
    *ids, routing = (murmur3_32(value.decode().encode("utf-16-le")) for value in values)  # type: ignore[union-attr]
    return routing + sum(_from_32(own) % spread for own in ids)


def _from_32(h: int) -> int:
    h &= WORD32
    return h - 2**32 if h >> 31 else h


def _point(chain: Chain, key: bytes, position: int | None = None) -> int:
    values = read_values(chain, key, position)
    if chain.system == "elasticsearch":
        return _from_32(_elasticsearch(values, chain.spread)) & WORD
    h = SPARK_SEED if chain.system == "spark" else 0
    for part, value in zip(chain.parts, values, strict=True):
        h = STEPS[chain.system](h, part, value)
    return h if chain.system == "postgresql" else _from_32(h) & WORD


def chain_point(chain: Chain, key: object) -> int:
    """The hash of one key."""
    return _point(chain, key_bytes(key))


def chain_points(
    chain: Chain,
    keys: KeyColumn,
    start: int,
    stop: int,
    out: NDArray[np.uint64],
    cancel: Any,
) -> None:
    """The hashes of rows: those of 32 bits are signed numbers, in 64 bits.

    Parameters
    ----------
    chain : Chain
    keys : KeyColumn
        A plain column.
    start, stop : int
    out : ndarray of uint64, shape (stop - start,)
    cancel : Cancel or None
    """
    for row, key in enumerate(keys.iter_bytes(start, stop)):
        if cancel is not None and cancel.is_set():
            return
        out[row] = _point(chain, key, keys.position(start + row))
