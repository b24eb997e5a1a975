"""Nodes prepared for ranking: what a NodeSet, and every placement over one, answers from."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import whole_number
from rvh._backend import PreparedNodes
from rvh._batch.answers import fill_deduplicated
from rvh._batch.threads import Work
from rvh._columns.column import KeyColumn
from rvh._runtime.slices import to_list

__all__ = ["Ranking"]

#: compressions above which one key is worth leaving an event loop for: about 0.4 ms of AVX-512
INLINE_COMPRESSIONS = 1 << 14
#: pairs of murmur that take as long as a compression of BLAKE2b, at least
MURMUR_PAIRS = 16


class Ranking:
    """Nodes prepared for ranking; nothing of it changes.

    Parameters
    ----------
    column : KeyColumn
        The node ids.
    ids : ndarray, shape (N,)
        The same, in the dtype of answers.
    scheme, weights, secret
        As for `PreparedNodes`.
    """

    __slots__ = (
        "_names",
        "_places",
        "_scheme",
        "_weighted",
        "column",
        "ids",
        "nodes",
        "select",
        "selectable",
    )

    #: what kernels answer from
    nodes: PreparedNodes
    #: the work of a call whose answers are ids
    select: Work
    #: how many nodes can be selected: those with a weight above 0
    selectable: int

    def __init__(
        self,
        column: KeyColumn,
        ids: NDArray[Any],
        scheme: str,
        weights: NDArray[np.float64] | None,
        secret: bytes,
    ) -> None:
        self.column, self.ids = column, ids
        self.nodes = PreparedNodes(column, scheme, weights, secret)
        self.select = partial(self.nodes.select, ids)
        self.selectable = len(ids) if weights is None else int(np.count_nonzero(weights))
        self._scheme, self._weighted = scheme, weights is not None
        self._names: list[Any] | None = None
        self._places: dict[bytes, int] | None = None

    def names(self) -> list[Any]:
        """The ids as Python objects, made once."""
        if self._names is None:
            self._names = to_list(self.ids)
        return self._names

    def places(self) -> dict[bytes, int]:
        """Each id's position, by its bytes: made once, and never written to."""
        if self._places is None:
            self._places = {node: at for at, node in enumerate(self.column.iter_bytes())}
        return self._places

    def count(self, k: Any, nodes: str = "") -> int:
        """The number of nodes asked for, checked; ``nodes`` tells in an error which there are."""
        if k.__class__ is int and 0 < k <= self.selectable:
            return int(k)
        if not nodes:
            nodes = f"the set has {len(self.ids)} nodes"
            if self.selectable < len(self.ids):
                nodes += f", {self.selectable} of them with a weight above 0"
        return whole_number("k", k, self.selectable, nodes)

    def cost(self, k: int) -> int:
        """What a key takes with k nodes asked for, in compressions of BLAKE2b."""
        if self._scheme == "blake2b":
            return len(self.ids)
        return 1 + (len(self.ids) + 4 * k) // MURMUR_PAIRS

    def price(self, k: int) -> float:
        """`cost` as measured, to a fraction: what a repeated key saves."""
        if self._scheme == "blake2b" or k > 1:
            return self.cost(k)
        return 0.4 + len(self.ids) / 40 if self._weighted else 0.3 + len(self.ids) / 100

    def is_quick(self, key: Any) -> bool:
        """Whether nodes are selected for a key in less time than leaving an event loop takes."""
        blocks = 1 + (len(key) >> 7 if isinstance(key, (str, bytes, bytearray)) else 0)
        return blocks * len(self.ids) <= INLINE_COMPRESSIONS

    def fill(
        self,
        work: Work,
        keys: KeyColumn,
        out: NDArray[Any],
        k: int,
        threads: int | None,
        dedupe: Any,
    ) -> None:
        """Let ``work`` fill ``out`` with what it says of the best k nodes of each key."""
        fill_deduplicated(work, keys, out, self.cost(k), threads, dedupe, self.price(k))
