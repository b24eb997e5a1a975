"""The pure-Python twin: the placement contract in hashlib and sorted(), nothing else.

It is the second oracle of the test suite and the backend where no extension was built. It has
the names of `rvh._backend.PUBLIC`, takes the same arguments as `rvh._native` and gives the same
answers and the same errors. Read this file to know what rvh computes.
"""

from __future__ import annotations

import hashlib
from heapq import nlargest
from itertools import accumulate
from typing import TypeVar

import numpy as np

from rvh.keys import KeyColumn, Spans, check_unique, key_bytes

T = TypeVar("T")

DIGEST_SIZE = 16  # bytes; the score is the digest as one big-endian number


class Cancel:
    """A flag that another thread sets to stop a running call."""

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set


class PreparedNodes:
    """Node ids ready for scoring: unique, not empty, with the secret absorbed.

    Parameters
    ----------
    ids : KeyColumn
        The node ids, in the caller's order: answers are positions in it.
    secret : bytes
        The BLAKE2b key, 0 to 64 bytes.
    """

    def __init__(self, ids: KeyColumn, secret: bytes) -> None:
        self._ids = list(ids.iter_bytes())
        check_unique(self._ids)
        self._states = [
            hashlib.blake2b(node, digest_size=DIGEST_SIZE, key=secret) for node in self._ids
        ]

    def __len__(self) -> int:
        return len(self._ids)

    def _digest(self, node: int, key: bytes) -> bytes:
        state = self._states[node].copy()
        state.update(key)
        return state.digest()

    def _rank(self, key: bytes, k: int) -> list[int]:
        # Score descending, then node bytes descending: equal-length digests compare as numbers.
        best = nlargest(k, ((self._digest(n, key), node, n) for n, node in enumerate(self._ids)))
        return [n for _, _, n in best]

    def select_one(self, key: object, k: int, names: list[T]) -> list[T]:
        """What ``names``, one for each node, says of the best ``k`` nodes of one key."""
        return [names[n] for n in self._rank(key_bytes(key), k)]

    def argselect(
        self, keys: KeyColumn, start: int, stop: int, out: np.ndarray, cancel: Cancel | None
    ) -> None:
        """Rows ``start`` to ``stop`` of the answer, shape (stop - start, k), into ``out``."""
        k = out.shape[1]
        for row, key in enumerate(keys.iter_bytes(start, stop)):
            if cancel is not None and cancel.is_set():
                return
            out[row] = self._rank(key, k)

    def scores(
        self, keys: KeyColumn, start: int, stop: int, out: np.ndarray, cancel: Cancel | None
    ) -> None:
        """Scores of rows ``start`` to ``stop``, shape (stop - start, N, 2), into ``out``."""
        for row, key in enumerate(keys.iter_bytes(start, stop)):
            if cancel is not None and cancel.is_set():
                return
            digests = b"".join(self._digest(n, key) for n in range(len(self._ids)))
            out[row] = np.frombuffer(digests, dtype=">u8").reshape(-1, 2)


def compose(parts: list[KeyColumn | bytes], rows: int) -> Spans:
    """Composite keys: row by row, the bytes of each part.

    Parameters
    ----------
    parts : list of KeyColumn or bytes
        Columns of ``rows`` elements; or the bytes of a part, the same in every row.
    rows : int
    """
    keys = [
        b"".join(part if isinstance(part, bytes) else part.part_at(row) for part in parts)
        for row in range(rows)
    ]
    offsets = np.array([0, *accumulate(map(len, keys))], dtype=np.uint64)
    return Spans(np.frombuffer(b"".join(keys), dtype=np.uint8), offsets)


def rank_scores(scores: np.ndarray, ids: KeyColumn, out: np.ndarray) -> None:
    """The ranking of given scores: what follows scoring, with the scores injected.

    Parameters
    ----------
    scores : ndarray of uint64, shape (M, N, 2)
        High and low word, as `score_batch` gives them.
    ids : KeyColumn
        The N node ids, for the tie rule.
    out : ndarray of intp, shape (M, k)
        Filled with positions in ``ids``, best first.
    """
    names = list(ids.iter_bytes())
    for row, pairs in enumerate(scores.tolist()):
        ranked = sorted(range(len(names)), key=lambda n: (pairs[n], names[n]), reverse=True)
        out[row] = ranked[: out.shape[1]]


def isa_available() -> tuple[str, ...]:
    """Instruction sets that can be chosen: none here."""
    return ()


def isa_active() -> str:
    """The instruction set in use: pure Python has none of its own."""
    return "python"
