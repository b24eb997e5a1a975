"""The pure-Python twin of rings: the next points."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rvh._backend.pure.points import POINT_OF, tagged
from rvh._columns.column import KeyColumn
from rvh._columns.values import key_bytes

__all__ = ["RingPoints"]

T = TypeVar("T")


class RingPoints:
    """Points in ascending order, and the node of each, by position.

    Parameters
    ----------
    kind : str
        One of `contract.POINTS`: what a key's own point is.
    points : ndarray of uint64, shape (P,)
    owners : ndarray of uint32, shape (P,)
    tag : bytes
        As for `key_points`.
    """

    def __init__(
        self, kind: str, points: NDArray[np.uint64], owners: NDArray[np.uint32], tag: bytes = b""
    ) -> None:
        self._hash, self._tag = POINT_OF[kind], tag
        self._points: list[int] = points.tolist()
        self._owners: list[int] = owners.tolist()

    def _point(self, key: bytes) -> int:
        return self._hash(tagged(key, self._tag))

    def _nodes_from(self, point: int, k: int) -> list[int]:
        at = bisect_left(self._points, point)
        nodes: dict[int, None] = {}  # in their order
        while len(nodes) < k:
            nodes[self._owners[at % len(self._owners)]] = None
            at += 1
        return list(nodes)

    def lookup_one(self, key: object, k: int, names: list[T]) -> list[T]:
        """What ``names`` says of the nodes of the next points, each once."""
        return [names[n] for n in self._nodes_from(self._point(key_bytes(key)), k)]

    def lookup(
        self,
        names: NDArray[Any] | None,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: NDArray[Any],
        cancel: Any,
    ) -> None:
        """The nodes of the next points of rows, or what ``names`` says of them, shape (rows, k)."""
        points = map(self._point, keys.iter_bytes(start, stop))
        self._fill(names, points, out, cancel)

    def lookup_points(
        self,
        names: NDArray[Any] | None,
        points: NDArray[np.uint64],
        start: int,
        stop: int,
        out: NDArray[Any],
        cancel: Any,
    ) -> None:
        """The same for points instead of keys."""
        self._fill(names, points[start:stop].tolist(), out, cancel)

    def _fill(
        self, names: NDArray[Any] | None, points: Iterable[int], out: NDArray[Any], cancel: Any
    ) -> None:
        for row, point in enumerate(points):
            if cancel is not None and cancel.is_set():
                return
            owners = self._nodes_from(point, out.shape[1])
            out[row] = owners if names is None else names[owners]
