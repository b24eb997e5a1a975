"""The pure-Python twin of the hashes of HAProxy's ``hash-type``."""

from __future__ import annotations

__all__ = ["avalanche", "djb2", "sdbm", "wt6"]

WORD32 = 2**32 - 1


def sdbm(key: bytes) -> int:
    """The hash of the database library sdbm.

    Examples
    --------
    >>> sdbm(b"a"), sdbm(b"ab")
    (97, 6363201)
    """
    h = 0
    for byte in key:
        h = h * 65599 + byte & WORD32
    return h


def djb2(key: bytes) -> int:
    """Daniel J. Bernstein's hash, times 33.

    Examples
    --------
    >>> djb2(b"a")
    177670
    """
    h = 5381
    for byte in key:
        h = h * 33 + byte & WORD32
    return h


def wt6(key: bytes) -> int:
    """Willy Tarreau's hash, whose rotations follow from the state.

    Examples
    --------
    >>> wt6(b"") == 0xA53C965A ^ 0x5CA6953A
    True
    """
    a, b, left_a, left_b = 0xA53C965A, 0x5CA6953A, 18, 6
    for byte in key:
        a = ~(a ^ byte) & WORD32
        b = ~(b + byte) & WORD32
        a, b = _rotated(b, left_b), _rotated(a, left_a)
        steps = a >> 16 ^ b
        left_b, left_a = steps & 31, steps >> 11 & 31
    return a ^ b


def _rotated(word: int, left: int) -> int:
    return (word << left | word >> 32 - left) & WORD32


def avalanche(h: int) -> int:
    """Bob Jenkins's hash of an integer, times a prime near 3/4 of 2^32.

    http://burtleburtle.net/bob/hash/integer.html

    Examples
    --------
    >>> len({avalanche(n) for n in range(1000)})
    1000
    """
    h = h + 0x7ED55D16 + (h << 12) & WORD32
    h = h ^ 0xC761C23C ^ h >> 19
    h = h + 0x165667B1 + (h << 5) & WORD32
    h = (h + 0xD3A2646C ^ h << 9) & WORD32
    h = h + 0xFD7046C5 + (h << 3) & WORD32
    h = h ^ 0xB55A4F09 ^ h >> 16
    return h * 3221225473 & WORD32
