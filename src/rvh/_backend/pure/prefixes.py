"""The pure-Python twin of rendezvous by the hash of a node's prefix and the key."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._columns.column import KeyColumn

__all__ = ["Prefixes", "low_bytes", "murmur3_32"]

WORD32 = 2**32 - 1


def _mixed(word: int) -> int:
    word = word * 0xCC9E2D51 & WORD32
    return (word << 15 | word >> 17) * 0x1B873593 & WORD32


def murmur3_32(text: bytes, seed: int = 0) -> int:
    """MurmurHash3_x86_32 (Austin Appleby).

    Examples
    --------
    >>> murmur3_32(b"test"), murmur3_32(b"test", 0x9747B28C)
    (3127628307, 1883996636)
    """
    whole = len(text) // 4 * 4
    h = seed
    for at in range(0, whole, 4):
        h ^= _mixed(int.from_bytes(text[at : at + 4], "little"))
        h = (h << 13 & WORD32 | h >> 19) * 5 + 0xE6546B64 & WORD32
    h ^= _mixed(int.from_bytes(text[whole:], "little")) ^ len(text) & WORD32
    h = (h ^ h >> 16) * 0x85EBCA6B & WORD32
    h = (h ^ h >> 13) * 0xC2B2AE35 & WORD32
    return h ^ h >> 16


def low_bytes(text: bytes) -> bytes:
    r"""The lowest byte of each code point of UTF-8; some answer for other bytes.

    Examples
    --------
    >>> low_bytes("a\u20ac".encode())
    b'a\xac'
    """
    if text.isascii():
        return text
    out = bytearray()
    for byte in text:
        if byte & 0xC0 != 0x80 or not out:
            out.append(byte)
        else:
            out[-1] = (out[-1] << 6 | byte & 0x3F) & 0xFF
    return bytes(out)


class Prefixes:
    """Texts that keys are put behind: a node's score is the MurmurHash3_x86_32 of both.

    Parameters
    ----------
    texts : KeyColumn
    seed : int
    code_points : bool
        Whether not the bytes of UTF-8 are hashed, but the lowest byte of each code point.
    """

    def __init__(self, texts: KeyColumn, seed: int, code_points: bool) -> None:
        self._as_hashed = low_bytes if code_points else bytes
        self._seed = seed
        self._texts = [self._as_hashed(text) for text in texts.iter_bytes()]

    def argselect(
        self,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: NDArray[np.intp],
        cancel: Any,
    ) -> None:
        """The k texts of the highest scores, shape (rows, k); of equal ones the earlier first."""
        k, places = out.shape[1], range(len(self._texts))
        for row, key in enumerate(keys.iter_bytes(start, stop)):
            if cancel is not None and cancel.is_set():
                return
            hashed = self._as_hashed(key)
            scores = [murmur3_32(text + hashed, self._seed) for text in self._texts]
            out[row] = sorted(places, key=scores.__getitem__, reverse=True)[:k]  # and stable
