"""The pure-Python twin of bounded load: deferred acceptance in plain Python."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._columns.column import KeyColumn, Kind, Spans

__all__ = ["Matching"]


class Matching:
    """The stable matching of keys and nodes with capacities.

    Keys propose to nodes in the order of their ranking; a node whose load has reached its capacity
    keeps the keys that score highest on it (Gale and Shapley, "College admissions and the stability
    of marriage", 1962): those above which there is still room.

    Parameters
    ----------
    nodes : PreparedNodes
    capacity : ndarray of uint64, shape (N,)
        The load with which a node is full.
    sizes : ndarray of uint64, shape (M,), or None
        At least 1, less than 2^63 together. None for 1 each, where no node gets more than its
        capacity.
    owners : ndarray of intp, shape (M,)
        Filled with the position of each key's node, -1 while it has none.
    spans : Spans or None
        The distinct keys, to decide between keys whose words are equal.
    codes : ndarray of uint32, shape (M,), or None
        The number of each key among them.
    """

    def __init__(
        self,
        nodes: Any,
        capacity: NDArray[np.uint64],
        sizes: NDArray[np.uint64] | None,
        owners: NDArray[np.intp],
        spans: Spans | None,
        codes: NDArray[np.uint32] | None,
    ) -> None:
        self._nodes = nodes
        self._capacity = capacity.tolist()
        self._sizes: list[int] = [1] * len(owners) if sizes is None else sizes.tolist()
        self._loads = [0] * len(self._capacity)
        self._owners = owners
        self._keys: list[bytes] | None = None
        if spans is not None and codes is not None:
            distinct = list(KeyColumn(Kind.SPANS, spans).iter_bytes())
            self._keys = [distinct[code] for code in codes.tolist()]
        self._kept: list[list[tuple[Any, ...]]] = [[] for _ in self._capacity]
        self._words: list[set[int]] = [set() for _ in self._capacity]
        self._lists: dict[int, tuple[list[int], list[int]]] = {}
        self._next: dict[int, int] = {}
        owners.fill(-1)

    def _rank(self, node: int, word: int, row: int) -> tuple[Any, ...]:
        """The order of a node: by word, score, bytes, size; then the lower row ranks higher."""
        if self._keys is None:
            return word, -row
        key = self._keys[row]
        return word, self._nodes._scheme.scores(key)[node], key, self._sizes[row], -row

    def offer(
        self, rows: NDArray[np.int64] | None, lists: NDArray[np.uint64]
    ) -> NDArray[np.int64] | None:
        """Let free keys propose; each goes on where its last list ended.

        Parameters
        ----------
        rows : ndarray of int64, shape (m,), optional
            Which keys they are; all by default, with their best node only.
        lists : ndarray of uint64, shape (m, 2 * k)
            The positions of their best k nodes, and what ranked each.

        Returns
        -------
        ndarray of int64 or None
            The keys that are free, having proposed to all in their lists. None where words were
            equal and there are no `spans`: the caller begins again with them.
        """
        numbers = list(range(len(lists))) if rows is None else rows.tolist()
        k = lists.shape[1] // 2
        for row, each in zip(numbers, lists.tolist(), strict=True):
            self._lists[row] = each[:k], each[k:]
            self._next.setdefault(row, 0)
        still_free = []
        proposing = numbers[::-1]
        while proposing:
            row = proposing.pop()
            nodes, each = self._lists[row]
            at = self._next[row]
            if at == len(nodes):
                still_free.append(row)
                continue
            self._next[row] = at + 1
            if self._keys is None and each[at] in self._words[nodes[at]]:
                return None
            self._words[nodes[at]].add(each[at])
            proposing += self._propose(row, nodes[at], each[at])
        return np.array(still_free, dtype=np.int64)

    def _propose(self, row: int, node: int, word: int) -> list[int]:
        """Let a key propose to a node; return the keys that are free after it."""
        kept, capacity = self._kept[node], self._capacity[node]
        heappush(kept, (*self._rank(node, word, row), row))
        self._loads[node] += self._sizes[row]
        self._owners[row] = node
        displaced = []
        while kept and self._loads[node] - self._sizes[kept[0][-1]] >= capacity:
            lowest = heappop(kept)[-1]
            self._loads[node] -= self._sizes[lowest]
            self._owners[lowest] = -1
            displaced.append(lowest)
        return displaced
