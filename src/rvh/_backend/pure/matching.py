"""The pure-Python twin of bounded load: deferred acceptance in plain Python."""

from __future__ import annotations

from heapq import heappush, heapreplace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._columns.column import KeyColumn, Kind, Spans

__all__ = ["Matching"]


class Matching:
    """The stable matching of keys and nodes with capacities.

    Keys propose to nodes in the order of their ranking; a full node keeps the keys that score
    highest on it (Gale and Shapley, "College admissions and the stability of marriage", 1962).

    Parameters
    ----------
    nodes : PreparedNodes
    capacity : ndarray of uint64, shape (N,)
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
        owners: NDArray[np.intp],
        spans: Spans | None,
        codes: NDArray[np.uint32] | None,
    ) -> None:
        self._nodes = nodes
        self._capacity = capacity.tolist()
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
        """What a node compares: word, score, bytes; of equal keys the lower row ranks higher."""
        if self._keys is None:
            return word, -row
        key = self._keys[row]
        return word, self._nodes._scheme.scores(key)[node], key, -row

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
        for row in numbers:
            free = row
            while free is not None:
                nodes, each = self._lists[free]
                at = self._next[free]
                if at == len(nodes):
                    still_free.append(free)
                    break
                self._next[free] = at + 1
                if self._keys is None and each[at] in self._words[nodes[at]]:
                    return None
                self._words[nodes[at]].add(each[at])
                free = self._propose(free, nodes[at], each[at])
        return np.array(still_free, dtype=np.int64)

    def _propose(self, row: int, node: int, word: int) -> int | None:
        """Let a key propose to a node; return the key that is free after it, if any."""
        kept, capacity = self._kept[node], self._capacity[node]
        entry = *self._rank(node, word, row), row
        if len(kept) < capacity:
            heappush(kept, entry)
        elif capacity == 0 or entry < kept[0]:
            return row
        else:
            displaced: int = heapreplace(kept, entry)[-1]
            self._owners[displaced] = -1
            self._owners[row] = node
            return displaced
        self._owners[row] = node
        return None
