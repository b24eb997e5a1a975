"""Selection: the ranking of nodes for each key, and the walks under constraints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import nlargest
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rvh._backend.pure.schemes import Blake2b, Murmur, Scheme, weighted
from rvh._backend.pure.stopping import Cancel
from rvh._columns.column import KeyColumn
from rvh._columns.ids import check_unique
from rvh._columns.values import key_bytes
from rvh._runtime.slices import COMPARED, largest

T = TypeVar("T")


class PreparedNodes:
    """Node ids ready for scoring: unique, not empty, with the secret absorbed.

    Parameters
    ----------
    ids : KeyColumn
        The node ids, in the caller's order: answers are positions in it.
    scheme : {"blake2b", "murmur"}
    weights : ndarray of float64, shape (N,), optional
        Finite, not negative, at least one above 0; nodes of weight 0 have no rank.
    secret : bytes
        The BLAKE2b key, 0 to 64 bytes.
    """

    def __init__(
        self, ids: KeyColumn, scheme: str, weights: np.ndarray | None, secret: bytes
    ) -> None:
        self._ids = list(ids.iter_bytes())
        check_unique(self._ids)
        self._scheme: Scheme = (
            Murmur(self._ids) if scheme == "murmur" else Blake2b(self._ids, secret)
        )
        self._weights: list[float] | None = None if weights is None else weights.tolist()

    def __len__(self) -> int:
        return len(self._ids)

    def _weighted(self, scores: list[int]) -> list[float]:
        assert self._weights is not None
        fractions = map(self._scheme.fraction, scores)
        return [weighted(w, m) for w, m in zip(self._weights, fractions, strict=True)]

    def _rank(self, scores: list[int], k: int) -> list[int]:
        """Positions by weighted score, then score, then node bytes, all descending."""
        if self._weights is None:
            best = _best(k, zip(scores, self._ids, range(len(scores)), strict=True))
            return [n for _, _, n in best]
        rows = zip(self._weighted(scores), scores, self._ids, range(len(scores)), strict=True)
        ranked = _best(k, (row for row, w in zip(rows, self._weights, strict=True) if w > 0))
        return [n for _, _, _, n in ranked]

    def _words(self, scores: list[int]) -> np.ndarray:
        """Scores as words, shape (N, words); weighted ones as the bits of a double."""
        if self._weights is not None:
            return np.array(self._weighted(scores)).view(np.uint64).reshape(-1, 1)
        size = 8 * self._scheme.words
        together = b"".join(score.to_bytes(size, "big") for score in scores)
        return np.frombuffer(together, dtype=">u8").reshape(-1, self._scheme.words)

    def select_one(
        self, key: object, k: int, names: list[T], cancel: Cancel | None = None
    ) -> list[T]:
        """The best ``k`` nodes of one key, by ``names``, which has one for each node."""
        scores = self._scheme.scores(key_bytes(key), cancel)
        if cancel is not None and cancel.is_set():
            return []
        return [names[n] for n in self._rank(scores, k)]

    def argselect(
        self,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: np.ndarray,
        cancel: Cancel | None,
    ) -> None:
        """The positions of the best nodes of rows ``start`` to ``stop``: ``out``, shape (rows, k).

        Every function for many keys ends in these parameters, which threads give it.
        """
        for row, key in enumerate(keys.iter_bytes(start, stop)):
            if cancel is not None and cancel.is_set():
                return
            out[row] = self._rank(self._scheme.scores(key), out.shape[1])

    def select(
        self,
        names: np.ndarray,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: np.ndarray,
        cancel: Cancel | None,
    ) -> None:
        """The best nodes by ``names``, which has one for each: ``out``, shape (rows, k)."""
        for row, key in enumerate(keys.iter_bytes(start, stop)):
            if cancel is not None and cancel.is_set():
                return
            out[row] = names[self._rank(self._scheme.scores(key), out.shape[1])]

    def rank(
        self, keys: KeyColumn, start: int, stop: int, out: np.ndarray, cancel: Cancel | None
    ) -> None:
        """Positions of the best k nodes, then the words that rank: ``out``, shape (rows, 2 * k).

        A word is the high one of a score, or the bits of a weighted score.
        """
        k = out.shape[1] // 2
        for row, key in enumerate(keys.iter_bytes(start, stop)):
            if cancel is not None and cancel.is_set():
                return
            scores = self._scheme.scores(key)
            best = self._rank(scores, k)
            out[row, :k] = best
            out[row, k:] = self._words(scores)[best, 0]

    def select_spread(
        self,
        names: np.ndarray | None,
        domains: np.ndarray | None,
        limits: list[int],
        current: np.ndarray | None,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: np.ndarray,
        cancel: Cancel | None,
    ) -> None:
        """`select` under constraints: the walks of the contract, one after the other.

        Parameters
        ----------
        names : ndarray, shape (N,), optional
            What to write for each node, by default its position.
        domains : ndarray of uint32, shape (levels, N), optional
            The number of every node's domain, from the innermost level out, nested.
        limits : list of int
            For each level, how many of a key's nodes may be in one domain.
        current : ndarray of intp, shape (M, c), optional
            Nodes that rank before all others for each key; -1 is none.
        keys, start, stop, out, cancel
            As for `argselect`.
        """
        levels = [] if domains is None else domains.tolist()
        weights = self._weights or [1.0] * len(self)
        for row, key in enumerate(keys.iter_bytes(start, stop)):
            if cancel is not None and cancel.is_set():
                return
            ranking = self._rank(self._scheme.scores(key), sum(w > 0 for w in weights))
            if current is not None:
                first = set(current[start + row].tolist())
                ranking.sort(key=lambda node: node not in first)  # stable
            best = _walk(ranking, out.shape[1], levels, limits)
            out[row] = best if names is None else names[best]

    def scores(
        self, keys: KeyColumn, start: int, stop: int, out: np.ndarray, cancel: Cancel | None
    ) -> None:
        """Scores of rows ``start`` to ``stop`` into ``out``.

        Their shape is (stop - start, N, words): two words for blake2b, the high one first, one
        for murmur; in a weighted set one, the bits of a double.
        """
        for row, key in enumerate(keys.iter_bytes(start, stop)):
            if cancel is not None and cancel.is_set():
                return
            out[row] = self._words(self._scheme.scores(key))


def _best(k: int, rows: Iterable[T]) -> list[T]:
    """The k largest rows, descending; where they are many, signal handlers run in between."""
    if k <= COMPARED:
        return nlargest(k, rows)  # type: ignore[type-var]
    return largest(k, list(rows))


def _walk(ranking: list[int], k: int, levels: list[list[int]], limits: list[int]) -> list[int]:
    """The first k nodes that no full domain holds; then the same without the outermost level."""
    chosen: dict[int, None] = {}  # in their order
    counts: list[Counter[int]] = [Counter() for _ in levels]
    for kept in range(len(levels), -1, -1):  # levels whose limits this walk keeps
        for node in ranking:
            if len(chosen) == k:
                return list(chosen)
            full = any(counts[i][levels[i][node]] >= limits[i] for i in range(kept))
            if node in chosen or full:
                continue
            chosen[node] = None
            for i, level in enumerate(levels):
                counts[i][level[node]] += 1
    return list(chosen)


def ascending(keys: KeyColumn) -> NDArray[np.intp]:
    """The positions of a column's elements, sorted by their bytes; equal ones stay in order."""
    names = list(keys.iter_bytes())
    backwards = largest(len(names), [(name, -n) for n, name in enumerate(names)])
    return np.array([-n for _, n in reversed(backwards)], dtype=np.intp)
