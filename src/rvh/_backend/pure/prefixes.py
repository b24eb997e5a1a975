"""The pure-Python twin of rendezvous by the hash of a node's prefix and the key."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._backend.pure.chains import murmur3_32
from rvh._columns.column import KeyColumn

__all__ = ["Prefixes", "low_bytes"]


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
