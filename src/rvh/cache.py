"""A cache of selections: a key that was selected for before is answered without scoring.

LRU keeps the keys that were used last. ARC also keeps keys that were used more than once, so that a
scan of keys that are used only once does not evict them.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.choices import one_of
from rvh._arguments.numbers import whole_number
from rvh._backend import Cache
from rvh._batch.answers import fill
from rvh._batch.dedupe import distinct_keys
from rvh._batch.threads import thread_count
from rvh._runtime.shared import Shared
from rvh._runtime.slices import take
from rvh.errors import RVHTypeError
from rvh.nodes import NodeSet, as_node_set

if TYPE_CHECKING:
    from rvh.typing import Key, Keys, NodeIds

__all__ = ["CacheInfo", "SelectionCache"]

POLICIES = ("lru", "arc")
SIZE_MAX = 2**31
BYTES_MAX = 2**62
#: bytes for each entry in the default of `max_bytes`
BYTES_PER_ENTRY = 256


class CacheInfo(NamedTuple):
    """Counts of what a cache has done and what it contains.

    Parameters
    ----------
    hits, misses : int
        Requests since the cache was made. A key that is repeated in a batch is a hit.
    evictions : int
        Answers that were dropped to make room.
    entries : int
        Keys with an answer, or waiting for one.
    ghosts : int
        Keys that ARC remembers without an answer.
    bytes : int
        Size of entries and ghosts: for each 96, the key's bytes, and 4 for each node of an answer.
    maxsize, max_bytes : int
        The limits.
    """

    hits: int
    misses: int
    evictions: int
    entries: int
    ghosts: int
    bytes: int
    maxsize: int
    max_bytes: int


class SelectionCache(Cache, Shared):
    """Selections of a node set, remembered by key.

    Its answers are always those of the set. Keys are compared by their bytes, so a str and its
    UTF-8 are one key. It can be used from many threads and event loops at once.

    Parameters
    ----------
    nodes : NodeSet, or sequence or array of node ids
    maxsize : int
        The greatest number of keys that are remembered, from 1 to 2^31.
    policy : {"lru", "arc"}
        The key that is evicted: the one not used for the longest time, or ARC's choice, which
        adapts between keys used once and keys used more often.
    max_bytes : int, optional
        The greatest size in bytes: see `CacheInfo`. By default 256 times `maxsize`. A key that is
        larger than that alone is answered but not remembered.

    Raises
    ------
    RVHError
        `maxsize` or `max_bytes` out of range, an unknown policy.
    RVHTypeError
        `maxsize` or `max_bytes` that is not a whole number.

    Notes
    -----
    An entry has the answer for the largest k that it was used with. A request with a smaller k is a
    hit: its answer is the start of that one. A larger k is a miss. A batch changes the cache as its
    keys would one after the other; the missing keys are scored together, a repeated key once.

    ARC: N. Megiddo and D. Modha, "ARC: a self-tuning, low overhead replacement cache", FAST 2003,
    figure 4. ``select(key, k=1)`` and ``aselect(key, k=1)`` are those of `NodeSet`.

    Examples
    --------
    >>> import rvh
    >>> from rvh.cache import SelectionCache
    >>> cache = SelectionCache(["alpha", "beta", "gamma"], maxsize=10_000)
    >>> cache.select("txn-42", k=2), cache.select("txn-42")
    (['gamma', 'beta'], ['gamma'])
    >>> cache.info().hits, cache.info().misses
    (1, 1)
    """

    def __init__(
        self,
        nodes: NodeSet | NodeIds,
        maxsize: int,
        policy: Literal["lru", "arc"] = "lru",
        max_bytes: int | None = None,
    ) -> None:
        self._maxsize = whole_number("maxsize", maxsize, SIZE_MAX)
        self._policy = one_of("policy", policy, POLICIES)
        limit = BYTES_PER_ENTRY * self._maxsize if max_bytes is None else max_bytes
        self._max_bytes = whole_number("max_bytes", limit, BYTES_MAX)
        node_set = as_node_set(nodes)
        self._make_table(node_set)
        self._share()

    def _make_table(self, nodes: NodeSet) -> None:
        arc = self._policy == "arc"
        self._open(self._maxsize, self._max_bytes, arc, secrets.token_bytes(24))
        self._use(nodes, keep=False)

    def _after_fork(self) -> None:
        # A new table: another thread may have been changing the old one.
        super()._after_fork()
        self._make_table(self.nodes)

    def _use(self, nodes: NodeSet, keep: bool) -> None:
        ranking = nodes._ranking
        self._bind(nodes, ranking.nodes, ranking.names(), ranking.selectable, ranking.check_k, keep)

    @property
    def nodes(self) -> NodeSet:
        """The node set that answers.

        Setting a set with another fingerprint, or with its ids in another order, drops all entries
        at once: no call that begins later gets an answer of the old set. If both are equal, the
        entries stay.

        Examples
        --------
        >>> from rvh.cache import SelectionCache
        >>> cache = SelectionCache(["alpha", "beta", "gamma"], maxsize=100)
        >>> _ = cache.select("txn-42")
        >>> cache.nodes = cache.nodes.remove("gamma")
        >>> cache.select("txn-42"), cache.info().entries
        (['beta'], 1)
        """
        nodes: NodeSet = self._now().nodes
        return nodes

    @nodes.setter
    def nodes(self, nodes: NodeSet) -> None:
        if not isinstance(nodes, NodeSet):
            raise RVHTypeError(f"nodes is of type {type(nodes).__name__}: set an rvh.NodeSet")
        self._now()  # raises if __init__ did not run
        fingerprint = nodes.fingerprint  # may take a while, so not under the lock
        with self._change_lock:
            old = self._now().nodes
            same = fingerprint == old.fingerprint
            self._use(nodes, keep=same and nodes._ranking.names() == old._ranking.names())

    __reduce__ = Shared.__reduce__  # Cython's error gives no advice

    def __repr__(self) -> str:
        return f"SelectionCache({self.nodes!r}, {self._maxsize}, {self._policy!r})"

    async def aselect(self, key: Key, k: int = 1) -> list[Any]:
        """Select for asyncio: a small amount of work at once, a large one off the event loop.

        Examples
        --------
        >>> from rvh.cache import SelectionCache
        >>> import asyncio
        >>> cache = SelectionCache(["node1", "node2", "node3"], maxsize=100)
        >>> asyncio.run(cache.aselect("obj"))
        ['node1']
        """
        if self._now().nodes._ranking.is_quick(key):
            return self.select(key, k)
        import asyncio  # as NodeSet.aselect does

        return await asyncio.to_thread(self.select, key, k)

    def argselect_batch(
        self, keys: Keys, k: int = 1, *, threads: int | None = None
    ) -> NDArray[np.intp]:
        """Positions in ``nodes.ids`` of the best `k` nodes of every key.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`. It must not change during the call.
        k : int
            Number of nodes, from 1 to the number of those with a weight above 0.
        threads : int, optional
            As for `NodeSet.argselect_batch`, for the missing keys.

        Returns
        -------
        ndarray of intp, shape (M, k)

        Raises
        ------
        RVHError, RVHTypeError
            As `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh.cache import SelectionCache
        >>> cache = SelectionCache(["alpha", "beta", "gamma"], maxsize=100)
        >>> cache.argselect_batch(["txn-42", "txn-41", "txn-42"])
        array([[2],
               [1],
               [2]])
        >>> cache.info()[:2]
        (1, 2)
        """
        return self._answers(keys, k, threads)[0]

    def select_batch(self, keys: Keys, k: int = 1, *, threads: int | None = None) -> NDArray[Any]:
        """The best `k` nodes of every key.

        Parameters
        ----------
        keys, k, threads
            As for `argselect_batch`.

        Returns
        -------
        ndarray, shape (M, k)
            Node ids, best first, in the dtype of the set's.

        Raises
        ------
        RVHError, RVHTypeError
            As `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh.cache import SelectionCache
        >>> cache = SelectionCache(["alpha", "beta", "gamma"], maxsize=100, policy="arc")
        >>> cache.select_batch(["txn-42", "txn-41"])
        array([['gamma'],
               ['beta']], dtype='<U5')
        """
        chosen, nodes = self._answers(keys, k, threads)
        return take(nodes.ids, chosen)

    def _answers(self, keys: Keys, k: Any, threads: int | None) -> tuple[NDArray[np.intp], NodeSet]:
        current = self._now()
        nodes: NodeSet = current.nodes
        ranking = nodes._ranking
        k = ranking.check_k(k)
        thread_count(threads, 0)  # rejects an invalid number even if no key is missing
        with _keys.open_keys(keys) as column:
            out = np.empty((len(column), k), dtype=np.intp)
            missing = [
                first + self._get(piece, out[first : first + len(piece)], current.epoch)
                for piece, first in column.pieces()
            ]
            rows = np.concatenate([np.empty(0, dtype=np.int64), *missing])
            if len(rows) > 0:
                # The keys are copied: if the caller changed them between scoring and storing, a
                # key would be stored with the answer of another.
                missed = column._take(rows).with_plain_chunks()
                unique, codes = distinct_keys(missed, 0, len(rows))
                answers = np.empty((len(unique), k), dtype=np.intp)
                fill(ranking.nodes.argselect, unique, answers, ranking.cost(k), threads)
                out[rows] = answers.take(codes, axis=0)
                self._put(unique, answers, current.epoch)
        return out, nodes

    def info(self) -> CacheInfo:
        """Counts of hits, misses and evictions so far, and of the current contents.

        Returns
        -------
        CacheInfo

        Examples
        --------
        >>> from rvh.cache import SelectionCache
        >>> SelectionCache(["a", "b"], maxsize=100).info()
        CacheInfo(hits=0, misses=0, evictions=0, entries=0, ghosts=0, bytes=0, maxsize=100, \
max_bytes=25600)
        """
        figures = self._figures()
        return CacheInfo(*figures[:6], self._maxsize, self._max_bytes)

    def clear(self) -> None:
        """Drop all entries; the counts of hits, misses and evictions stay.

        Examples
        --------
        >>> from rvh.cache import SelectionCache
        >>> cache = SelectionCache(["a", "b"], maxsize=100)
        >>> _ = cache.select_batch(["x", "y"])
        >>> cache.clear()
        >>> cache.info().entries
        0
        """
        self._now()  # raises if __init__ did not run
        with self._change_lock:
            self._use(self._now().nodes, keep=False)
