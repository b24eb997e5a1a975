"""Scores of (node, key) pairs in plain Python: the schemes, and the weighted score.

This is the readable twin of the C kernels. `docs/reference/contract.md` says the same in words.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any, Protocol

DIGEST_SIZE = 16  # bytes; the score is the digest as one big-endian number
WORD = 2**64 - 1


class Scheme(Protocol):
    """Scores of one set of nodes."""

    words: int  # 64-bit words in a score, the high one first

    def scores(self, key: bytes, cancel: Any = None) -> list[int]:
        """One score for each node; fewer where `cancel` is set meanwhile."""

    def fraction(self, score: int) -> int:
        """The fraction u of a score that weighting uses, as u * 2^53; 0 <= u < 1."""


class Blake2b:
    """BLAKE2b of node and key, one after the other, keyed with the secret (RFC 7693)."""

    words = 2

    def __init__(self, nodes: Sequence[bytes], secret: bytes) -> None:
        self._states = [
            hashlib.blake2b(node, digest_size=DIGEST_SIZE, key=secret) for node in nodes
        ]

    def scores(self, key: bytes, cancel: Any = None) -> list[int]:
        """The digest of each pair as a big-endian number."""
        scores: list[int] = []
        for state in self._states:
            if cancel is not None and cancel.is_set():
                break
            state = state.copy()
            state.update(key)
            scores.append(int.from_bytes(state.digest(), "big"))
        return scores

    def fraction(self, score: int) -> int:
        """Of the top 64 bits h: u = ((h >> 12) + 0.5) * 2^-52, so never 0."""
        return 2 * (score >> 76) + 1


class Murmur:
    """mcrouter's RendezvousHash: hash the key and each node once, mix per pair.

    https://github.com/facebook/mcrouter (RendezvousHash, WeightedRendezvousHash)
    """

    words = 1
    KEY_SEED, NODE_SEED = 2718281828, 4193360111

    def __init__(self, nodes: Sequence[bytes]) -> None:
        self._hashes = [murmur64a(node, self.NODE_SEED) for node in nodes]

    def scores(self, key: bytes, cancel: Any = None) -> list[int]:
        """Hash128to64 of each pair of hashes."""
        low = murmur64a(key, self.KEY_SEED)
        hashes = self._hashes if cancel is None else takewhile(_until(cancel), self._hashes)
        return [hash128to64(low, high) for high in hashes]

    def fraction(self, score: int) -> int:
        """The low 53 bits."""
        return score & (2**53 - 1)


def _until(cancel: Any) -> Callable[[int], bool]:
    """A predicate that holds until `cancel` is set, whatever it is given."""
    return lambda _: not cancel.is_set()


def murmur64a(data: bytes, seed: int) -> int:
    """MurmurHash64A (Austin Appleby, https://github.com/aappleby/smhasher).

    Examples
    --------
    >>> hex(murmur64a(b"", 1))
    '0xc6a4a7935bd064dc'
    """
    m = 0xC6A4A7935BD1E995
    h = seed ^ (len(data) * m & WORD)
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        k = int.from_bytes(data[at : at + 8], "little") * m & WORD
        k = (k ^ k >> 47) * m & WORD
        h = (h ^ k) * m & WORD
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & WORD
    h = (h ^ h >> 47) * m & WORD
    return h ^ h >> 47


def hash128to64(low: int, high: int) -> int:
    """CityHash's Hash128to64 (https://github.com/google/cityhash).

    Examples
    --------
    >>> hash128to64(0, 0)
    0
    """
    multiplier = 0x9DDFEA08EB382D69
    a = (low ^ high) * multiplier & WORD
    a ^= a >> 47
    b = (high ^ a) * multiplier & WORD
    b ^= b >> 47
    return b * multiplier & WORD


def neg_log(m: int) -> float:
    """-ln(m * 2^-53) for 0 < m < 2^53, by the contract's one sequence of IEEE operations.

    fdlibm's log (Sun Microsystems, 1993), in the one-branch form of FreeBSD's k_log.h, with the
    sign turned: within 0.87 ulp.

    Examples
    --------
    >>> neg_log(2**52) == math.log(2)
    True
    """
    x, exponent = math.frexp(m)  # m = x * 2^exponent
    if x < 0.7071067811865476:  # sqrt(1/2)
        x *= 2
        exponent -= 1
    f = x - 1.0
    q = float(53 - exponent)
    s = f / (2.0 + f)
    z = s * s
    y = z * z
    even = 2.222219843214978396e-01 + y * 1.531383769920937332e-01
    even = y * (3.999999999940941908e-01 + y * even)
    odd = 1.818357216161805012e-01 + y * 1.479819860511658591e-01
    odd = 2.857142874366239149e-01 + y * odd
    odd = z * (6.666666666666735130e-01 + y * odd)
    half = 0.5 * f * f
    low = s * (half + (even + odd)) - q * 1.90821492927058770002e-10
    return q * 6.93147180369123816490e-01 + ((half - low) - f)


def weighted(weight: float, m: int) -> float:
    """The weighted score: weight / -ln(u) with u = m * 2^-53; 0 where u is 0.

    Examples
    --------
    >>> weighted(3.0, 0), weighted(math.log(2), 2**52)
    (0.0, 1.0)
    """
    return weight / neg_log(m) if m else 0.0
