"""The pure-Python twin of the cache: LRU, and ARC after the paper's figure 4.

N. Megiddo and D. Modha, "ARC: a self-tuning, low overhead replacement cache", FAST 2003.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._columns.column import KeyColumn
from rvh._columns.values import key_bytes
from rvh.errors import RVHError

__all__ = ["Bound", "Cache"]

ENTRY_BYTES = 96  # the size an entry counts as, without its key and nodes
NODE_BYTES = 4


class Bound(NamedTuple):
    """What a cache answers from; a call sees all of one or another."""

    nodes: Any  # a NodeSet, which stands above the backends
    prepared: Any
    ids: list[Any]
    selectable: int
    count: Callable[[Any], int]  # checks how many nodes are asked for
    epoch: int


class _Entry:
    """The largest k asked for, and the nodes known: none while the answer is awaited."""

    __slots__ = ("known", "room")

    def __init__(self, room: int) -> None:
        self.room = room
        self.known: list[int] = []


_List = OrderedDict[bytes, _Entry]  # the oldest first


class Cache:
    """A memo of selections, by the bytes of keys.

    The policy depends on keys alone, so an entry may wait for its answer: `_get` says which rows
    are not known, and `_put` brings their answers.
    """

    def _open(self, max_entries: int, max_bytes: int, arc: bool, seed: bytes) -> None:
        """Begin empty; the seed is for the compiled backend."""
        self._entry_limit, self._byte_limit, self._arc = max_entries, max_bytes, arc
        self._lock = threading.Lock()
        self._hits = self._misses = self._evictions = self._epoch = 0
        self._empty()

    def _empty(self) -> None:
        # T1, T2, B1 and B2 in the paper; LRU has the first
        self._recent, self._frequent = _List(), _List()
        self._gone_recent, self._gone_frequent = _List(), _List()
        self._target = 0.0  # p in the paper
        self._bytes = 0

    def _bind(
        self,
        nodes: Any,
        prepared: Any,
        ids: list[Any],
        selectable: int,
        count: Callable[[Any], int],
        keep: bool,
    ) -> None:
        """Answer from another set; forget all entries unless they are to be kept."""
        with self._lock:
            if not keep:
                self._empty()
                self._epoch += 1
            self._bound = Bound(nodes, prepared, ids, selectable, count, self._epoch)

    def _now(self) -> Bound:
        """What it answers from."""
        bound: Bound | None = getattr(self, "_bound", None)
        if bound is None:
            raise RVHError("the cache was not made: call SelectionCache.__init__ first")
        return bound

    # -- policies -----------------------------------------------------------------------------

    def _drop(self, entries: _List, key: bytes) -> None:
        self._bytes -= _cost(key, entries.pop(key))

    def _demote(self, entries: _List) -> None:
        """Drop the oldest one's answer; ARC remembers its key."""
        self._evictions += 1
        key = next(iter(entries))
        self._drop(entries, key)
        if self._arc:
            gone = self._gone_recent if entries is self._recent else self._gone_frequent
            gone[key] = _Entry(0)
            self._bytes += _cost(key, gone[key])

    def _replace(self, from_gone_frequent: bool) -> None:
        """REPLACE in the paper."""
        count = len(self._recent)
        if count and (count > self._target or (from_gone_frequent and count == self._target)):
            self._demote(self._recent)
        elif self._frequent:
            self._demote(self._frequent)
        elif count:  # only where `_byte_limit` keeps lists shorter than the paper's
            self._demote(self._recent)

    def _full(self) -> bool:
        return len(self._recent) + len(self._frequent) >= self._entry_limit

    def _make_way(self) -> None:
        """Case IV: make room for a key that is in no list."""
        if not self._arc:
            if len(self._recent) == self._entry_limit:
                self._demote(self._recent)
            return
        first = len(self._recent) + len(self._gone_recent)
        both = first + len(self._frequent) + len(self._gone_frequent)
        if first == self._entry_limit:
            if len(self._recent) < self._entry_limit:
                self._drop(self._gone_recent, next(iter(self._gone_recent)))
                if self._full():
                    self._replace(False)
            else:
                self._evictions += 1
                self._drop(self._recent, next(iter(self._recent)))
        elif both >= self._entry_limit:
            if both == 2 * self._entry_limit:
                self._drop(self._gone_frequent, next(iter(self._gone_frequent)))
            if self._full():
                self._replace(False)

    def _shrink(self, spared: bytes) -> None:
        """Shrink to `_byte_limit`: ghosts go first, then entries as for a new key."""
        while self._bytes > self._byte_limit:
            if self._gone_recent or self._gone_frequent:
                first = len(self._gone_recent) >= len(self._gone_frequent)
                gone = self._gone_recent if first else self._gone_frequent
                self._drop(gone, next(iter(gone)))
                continue
            recent = next((key for key in self._recent if key != spared), None)
            frequent = next((key for key in self._frequent if key != spared), None)
            first = len(self._recent) > self._target or frequent is None
            if recent is not None and first:
                self._drop(self._recent, recent)
            elif frequent is not None:
                self._drop(self._frequent, frequent)
            else:
                return
            self._evictions += 1

    def _request(self, key: bytes, k: int) -> _Entry | None:
        """A request, by the policy: the key's entry, which may wait for its answer."""
        fits = ENTRY_BYTES + NODE_BYTES * k + len(key) <= self._byte_limit
        for entries in (self._recent, self._frequent):
            entry = entries.get(key)
            if entry is None:
                continue
            del entries[key]
            (self._frequent if self._arc else self._recent)[key] = entry
            if entry.room >= k:
                self._hits += 1
                return entry
            self._misses += 1
            if not fits:
                return None
            self._bytes += NODE_BYTES * (k - entry.room)
            entry.room = k
            self._shrink(key)
            return entry
        self._misses += 1
        if not fits:
            return None
        entry = _Entry(k)
        if key in self._gone_recent or key in self._gone_frequent:  # cases II and III
            frequent = key in self._gone_frequent
            one, two = float(len(self._gone_recent)), float(len(self._gone_frequent))
            if frequent:
                self._target = max(0.0, self._target - (one / two if one > two else 1))
            else:
                more = two / one if two > one else 1
                self._target = min(float(self._entry_limit), self._target + more)
            self._drop(self._gone_frequent if frequent else self._gone_recent, key)
            if self._full():
                self._replace(frequent)
            self._frequent[key] = entry
        else:
            self._make_way()
            self._recent[key] = entry
        self._bytes += _cost(key, entry)
        self._shrink(key)
        return entry

    def _answer(self, key: bytes, k: int, epoch: int) -> list[int] | None:
        if self._epoch != epoch:  # the answers are of other nodes than the caller's
            self._misses += 1
            return None
        entry = self._request(key, k)
        return entry.known[:k] if entry is not None and len(entry.known) >= k else None

    def _fill(self, key: bytes, chosen: list[int]) -> None:
        entry = self._recent.get(key) or self._frequent.get(key)
        if entry is not None and len(entry.known) < len(chosen) <= entry.room:
            entry.known = chosen

    # -- calls --------------------------------------------------------------------------------

    def select(self, key: object, k: int = 1) -> list[Any]:
        """The best `k` nodes of one key, as `NodeSet.select` gives them."""
        bound = self._now()
        count = bound.count(k)
        data = key_bytes(key)
        with self._lock:
            chosen = self._answer(data, count, bound.epoch)
        if chosen is None:
            chosen = bound.prepared.select_one(data, count, list(range(len(bound.ids))))
            with self._lock:
                if self._epoch == bound.epoch:
                    self._fill(data, chosen)
        return [bound.ids[n] for n in chosen]

    def _get(self, keys: KeyColumn, out: NDArray[np.intp], epoch: int) -> NDArray[np.int64]:
        """Fill in the rows of a plain column that are known; return those that are not."""
        missing = []
        for row, key in enumerate(keys.iter_bytes(0, len(out))):
            with self._lock:
                chosen = self._answer(key, out.shape[1], epoch)
            if chosen is None:
                missing.append(row)
            else:
                out[row] = chosen
        return np.array(missing, dtype=np.int64)

    def _put(self, keys: KeyColumn, chosen: NDArray[np.intp], epoch: int) -> None:
        """Put the answers of a plain column's keys where entries wait for them."""
        rows = zip(keys.iter_bytes(0, len(chosen)), chosen.tolist(), strict=True)
        for key, nodes in rows:
            with self._lock:
                if self._epoch == epoch:
                    self._fill(key, nodes)

    def _figures(self) -> tuple[int, int, int, int, int, int, float]:
        """Hits, misses, evictions, entries, ghosts, bytes, and ARC's target."""
        self._now()  # an error where it was not made
        with self._lock:
            entries = len(self._recent) + len(self._frequent)
            ghosts = len(self._gone_recent) + len(self._gone_frequent)
            counts = self._hits, self._misses, self._evictions
            return *counts, entries, ghosts, self._bytes, self._target


def _cost(key: bytes, entry: _Entry) -> int:
    return ENTRY_BYTES + NODE_BYTES * entry.room + len(key)
