"""The points that other systems give a node on their rings, in those systems' own arithmetic.

The functions that make points return them with the position of each point's node.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Points = tuple[NDArray[np.uint64], NDArray[np.uint32]]

KETAMA_HASHES = 40  # for a node of average weight
KETAMA_POINTS = 4  # of each hash
LIBMEMCACHED_POINTS = 100  # for each node of a ring without weights
LIBMEMCACHED_PORT = b"11211"
NGINX_POINTS = 160  # for each unit of weight


def of_digests(names: Sequence[bytes], counts: Sequence[int], each: int) -> Points:
    """Make `each` points of 4 bytes, little-endian, of the MD5 of ``name-0``, ``name-1``, ..."""
    points: list[int] = []
    owners: list[int] = []
    for number, (name, count) in enumerate(zip(names, counts, strict=True)):
        for index in range(count):
            digest = hashlib.md5(b"%s-%d" % (name, index), usedforsecurity=False).digest()
            points += np.frombuffer(digest, dtype="<u4").tolist()[:each]
            owners += [number] * each
    return _arrays(points, owners)


def of_hashes(
    names: Sequence[bytes], counts: Sequence[int], hash_of: Callable[[bytes], int]
) -> Points:
    """Make a point of the hash of each of ``name-0``, ``name-1``, ..."""
    points = [
        hash_of(b"%s-%d" % (name, index))
        for name, count in zip(names, counts, strict=True)
        for index in range(count)
    ]
    return _arrays(points, np.repeat(np.arange(len(names)), counts))


def of_crcs(names: Sequence[bytes], weights: Sequence[int]) -> Points:
    """Make nginx's points: the CRC-32 of host, a zero byte, port and the previous point."""
    points: list[int] = []
    for name, weight in zip(names, weights, strict=True):
        host, port = nginx_host_and_port(name)
        base = zlib.crc32(host + b"\0" + port)
        point = 0
        for _ in range(NGINX_POINTS * weight):
            point = zlib.crc32(point.to_bytes(4, "little"), base)
            points.append(point)
    owners = np.repeat(np.arange(len(names)), np.multiply(weights, NGINX_POINTS))
    return first_of_equal(*_arrays(points, owners))


def _arrays(points: Sequence[int], owners: Sequence[int] | NDArray[np.intp]) -> Points:
    return np.array(points, dtype=np.uint64), np.asarray(owners, dtype=np.uint32)


def first_of_equal(points: NDArray[np.uint64], owners: NDArray[np.uint32]) -> Points:
    """Drop all but the first of equal points."""
    kept = np.unique(points, return_index=True)[1]
    return points[kept], owners[kept]


def last_of_equal(points: NDArray[np.uint64], owners: NDArray[np.uint32]) -> Points:
    """Drop all but the last of equal points."""
    return first_of_equal(points[::-1], owners[::-1])


def total_of(weights: Sequence[float]) -> float:
    """Add up as C and hash_ring do, with each step rounded; `sum` has not done so since 3.12.

    Examples
    --------
    >>> total_of([9.8, 7.4, 7.3]), math.fsum([9.8, 7.4, 7.3])
    (24.500000000000004, 24.5)
    """
    total = 0.0
    for weight in weights:
        total += weight
    return total


def libketama_counts(weights: Sequence[float]) -> list[int]:
    """Count each node's hashes: the share is a float, its product a double rounded to float."""
    total = np.float32(total_of(weights))
    shares = [float(np.float32(weight) / total) for weight in weights]
    return [math.floor(np.float32(share * KETAMA_HASHES * len(weights))) for share in shares]


def libmemcached_counts(weights: Sequence[int]) -> list[int]:
    """Count each node's hashes in 32 bits throughout: 25 equal nodes have one less than 40."""
    total, nodes = np.float32(sum(weights)), np.float32(len(weights))
    points = np.float32(KETAMA_HASHES * KETAMA_POINTS)
    return [
        math.floor(np.float32(weight) / total * points / np.float32(KETAMA_POINTS) * nodes)
        for weight in weights
    ]


def whole_counts(weights: Sequence[int], hashes: int) -> list[int]:
    """Count each node's hashes in whole numbers: `hashes` for a node of average weight."""
    total = sum(weights)
    return [hashes * len(weights) * weight // total for weight in weights]


def hash_ring_counts(weights: Sequence[float]) -> list[int]:
    """Count each node's hashes: in doubles if a weight is fractional, else in whole numbers."""
    if all(weight == int(weight) for weight in weights):
        return whole_counts(list(map(int, weights)), KETAMA_HASHES)
    total = total_of(weights)
    return [math.floor(KETAMA_HASHES * len(weights) * weight / total) for weight in weights]


def libmemcached_name(name: bytes) -> bytes:
    """Rewrite a server as libmemcached hashes it: without the default port; a path with port 0."""
    if name.startswith(b"/"):
        return name + b":0"
    host, colon, port = name.rpartition(b":")
    if not colon or not port.isdigit():
        return name
    port = b"%d" % int(port)
    return host if port == LIBMEMCACHED_PORT else host + b":" + port


def nginx_host_and_port(name: bytes) -> tuple[bytes, bytes]:
    """Split a server's name as nginx does: at the last colon, if only digits follow it."""
    if name[:5].lower() == b"unix:":
        return name[5:], b""
    host, colon, port = name.rpartition(b":")
    return (host, port) if colon and (port.isdigit() or not port) else (name, b"")
