"""The first oracle: the placement contract written down again, on hashlib and Python's numbers.

Nothing here imports rvh, and nothing is shared with its code: an error has to be made twice to
go unseen. It is written to be read, not to be fast.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterable, Iterator, Sequence

import numpy as np


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


def score(node: object, key: object, secret: bytes = b"", scheme: str = "blake2b") -> int:
    """The score of one pair: 128 bits of `blake2b`, 64 of `murmur`."""
    if scheme == "murmur":
        key_hash = murmur64a(as_bytes(key), 2718281828)
        node_hash = murmur64a(as_bytes(node), 4193360111)
        return hash128to64(key_hash, node_hash)
    message = as_bytes(node) + as_bytes(key)
    digest = hashlib.blake2b(message, digest_size=16, key=secret).digest()
    return int.from_bytes(digest, "big")


def weighted(weight: float, score: int, scheme: str) -> float:
    """weight / -ln(u), with u taken from the score as the scheme says."""
    numerator = (  # of u * 2^53
        score % 2**53  # u = score mod 2^53, over 2^53
        if scheme == "murmur"
        else score // 2**64 // 2**12 * 2 + 1  # u = (floor(h / 2^12) + 1/2) * 2^-52, h: the top word
    )
    return weight / neg_log(numerator) if numerator else 0.0


def order(
    scores: Sequence[int],
    nodes: Sequence[object],
    weights: Sequence[float] | None = None,
    scheme: str = "blake2b",
) -> list[int]:
    """Positions of those that can be selected: by weighted score, score, node bytes, descending."""
    rows: list[tuple[float, int, bytes, int]] = []
    for n, node in enumerate(nodes):
        if weights is None:
            rows.append((0.0, scores[n], as_bytes(node), n))
        elif weights[n] > 0:
            rows.append((weighted(weights[n], scores[n], scheme), scores[n], as_bytes(node), n))
    return [n for *_, n in sorted(rows, reverse=True)]


def ranking(
    nodes: Sequence[object],
    key: object,
    secret: bytes = b"",
    scheme: str = "blake2b",
    weights: Sequence[float] | None = None,
) -> list[int]:
    """Positions of all nodes (but those of weight 0), best first."""
    return order([score(node, key, secret, scheme) for node in nodes], nodes, weights, scheme)


def rankings(
    nodes: Sequence[object],
    keys: Iterable[object],
    secret: bytes = b"",
    scheme: str = "blake2b",
    weights: Sequence[float] | None = None,
) -> np.ndarray:
    """`ranking` of many keys, shape (M, N), or (M, nodes of a weight above 0)."""
    rows = [ranking(nodes, key, secret, scheme, weights) for key in keys]
    width = len(nodes) if weights is None else sum(weight > 0 for weight in weights)
    return np.array(rows, dtype=np.intp).reshape(len(rows), width)


def scores(
    nodes: Sequence[object],
    keys: Iterable[object],
    secret: bytes = b"",
    scheme: str = "blake2b",
    weights: Sequence[float] | None = None,
) -> np.ndarray:
    """Of shape (M, N, 2), the high and the low word; of `murmur` (M, N); weighted (M, N) floats."""
    rows = [[score(node, key, secret, scheme) for node in nodes] for key in keys]
    shape: tuple[int, ...] = (len(rows), len(nodes))
    if weights is not None:
        found = [
            [weighted(weight, one, scheme) for weight, one in zip(weights, row, strict=True)]
            for row in rows
        ]
        return np.array(found, dtype=np.float64).reshape(shape)
    if scheme == "murmur":
        return np.array(rows, dtype=np.uint64).reshape(shape)
    words = [[divmod(one, 2**64) for one in row] for row in rows]
    return np.array(words, dtype=np.uint64).reshape(*shape, 2)


def fingerprint(
    nodes: Sequence[object],
    secret: bytes = b"",
    scheme: str = "blake2b",
    weights: Sequence[float] | None = None,
) -> str:
    """The digest of a set of nodes: scheme, then each id with its length, in order of bytes.

    In a weighted set the first line says so, and each id is followed by its weight, a double.
    """
    message = f"scheme={scheme}\n" if weights is None else f"scheme={scheme} weighted\n"
    data = message.encode()
    for n in sorted(range(len(nodes)), key=lambda n: as_bytes(nodes[n])):
        node = as_bytes(nodes[n])
        data += len(node).to_bytes(8, "little") + node
        if weights is not None:
            data += struct.pack("<d", weights[n])
    return hashlib.blake2b(data, digest_size=32, key=secret, person=b"rvh NodeSet").hexdigest()


# -- murmur -------------------------------------------------------------------------------------


def murmur64a(data: bytes, seed: int) -> int:
    """MurmurHash64A by Austin Appleby, https://github.com/aappleby/smhasher (MurmurHash2.cpp)."""
    m, top = 0xC6A4A7935BD1E995, 2**64
    h = seed ^ (len(data) * m % top)
    while len(data) >= 8:
        k = int.from_bytes(data[:8], "little")
        data = data[8:]
        k = k * m % top
        k ^= k >> 47
        k = k * m % top
        h ^= k
        h = h * m % top
    if data:
        h ^= int.from_bytes(data, "little")
        h = h * m % top
    h ^= h >> 47
    h = h * m % top
    h ^= h >> 47
    return h


def hash128to64(low: int, high: int) -> int:
    """CityHash's Hash128to64, https://github.com/google/cityhash (city.h)."""
    mul, top = 0x9DDFEA08EB382D69, 2**64
    a = (low ^ high) * mul % top
    a ^= a >> 47
    b = (high ^ a) * mul % top
    b ^= b >> 47
    return b * mul % top


# -- the logarithm ------------------------------------------------------------------------------


def neg_log(m: int) -> float:
    """-ln(m * 2^-53), 0 < m < 2^53, by FreeBSD's one branch; a Python float is an IEEE double."""
    exponent = m.bit_length()
    x = m / 2**exponent  # exact, in [1/2, 1)
    if x < math.sqrt(0.5):
        x = x + x
        exponent -= 1
    # m * 2^-53 = 2^-k * (1 + f)
    k = float(53 - exponent)
    f = x - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    t1 = w * (0.3999999999940941908 + w * (0.2222219843214978396 + w * 0.1531383769920937332))
    t2 = z * (
        0.6666666666666735130
        + w * (0.2857142874366239149 + w * (0.1818357216161805012 + w * 0.1479819860511658591))
    )
    hfsq = (0.5 * f) * f
    ln2_high, ln2_low = float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33")
    return k * ln2_high + ((hfsq - (s * (hfsq + (t1 + t2)) - k * ln2_low)) - f)


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


def partition(key: object, partitions: int) -> int:
    """The partition of a key."""
    return murmur64a(as_bytes(key), 2718281828) * partitions // 2**64


# -- places ---------------------------------------------------------------------------------------


def geohash(latitude: float, longitude: float, precision: int) -> str:
    """Niemeyer's geohash: halve longitude and latitude in turn, five bits a character."""
    halves = [[-180.0, 180.0, longitude], [-90.0, 90.0, latitude]]
    number = 0
    for bit in range(5 * precision):
        low, high, value = halves[bit % 2]
        middle = (low + high) / 2
        number = number * 2 + (value >= middle)
        halves[bit % 2][value < middle] = middle
    letters = "0123456789bcdefghjkmnpqrstuvwxyz"
    return "".join(letters[number >> 5 * at & 31] for at in reversed(range(precision)))


def common_prefix(one: str, other: str) -> int:
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return length


def same_region_first(
    ranked: Sequence[int], places: Sequence[str], place: str, precision: int
) -> list[int]:
    """A ranking, but longer common prefixes first."""
    return sorted(ranked, key=lambda n: -min(precision, common_prefix(places[n], place)))
