"""Nodes prepared for ranking: the part of a NodeSet that placements use."""

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

#: the compressions of one key above which it is worth leaving an event loop: 0.4 ms with AVX-512
INLINE_COMPRESSIONS = 1 << 14
#: the pairs of murmur that take at least as long as a compression of BLAKE2b
MURMUR_PAIRS = 16


class Ranking:
    """Nodes prepared for ranking; immutable.

    Parameters
    ----------
    column : KeyColumn
        The node ids.
    ids : ndarray, shape (N,)
        The node ids in the dtype of answers.
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

    #: the nodes as kernels use them
    nodes: PreparedNodes
    #: the work of a call whose answers are ids
    select: Work
    #: the number of nodes with a weight above 0, which can be selected
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
        """Return the ids as Python objects, made once."""
        if self._names is None:
            self._names = to_list(self.ids)
        return self._names

    def places(self) -> dict[bytes, int]:
        """Return the position of each id by its bytes; made once, and never changed."""
        if self._places is None:
            self._places = {node: at for at, node in enumerate(self.column.iter_bytes())}
        return self._places

    def check_k(self, k: Any, nodes: str = "") -> int:
        """Check k, the number of nodes to select; ``nodes`` describes the nodes in the message."""
        if k.__class__ is int and 0 < k <= self.selectable:
            return int(k)
        if not nodes:
            nodes = f"the set has {len(self.ids)} nodes"
            if self.selectable < len(self.ids):
                nodes += f", {self.selectable} of them with a weight above 0"
        return whole_number("k", k, self.selectable, nodes)

    def cost(self, k: int) -> int:
        """Return the time of selecting k nodes for a key, in compressions of BLAKE2b."""
        if self._scheme == "blake2b":
            return len(self.ids)
        return 1 + (len(self.ids) + 4 * k) // MURMUR_PAIRS

    def exact_cost(self, k: int) -> float:
        """Return `cost` as measured, not rounded: the time that a repeated key saves."""
        if self._scheme == "blake2b" or k > 1:
            return self.cost(k)
        return 0.4 + len(self.ids) / 40 if self._weighted else 0.3 + len(self.ids) / 100

    def is_quick(self, key: Any) -> bool:
        """Tell whether selecting nodes for a key takes less time than leaving an event loop."""
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
        """Fill ``out`` with the answers of ``work`` about the best k nodes of each key."""
        fill_deduplicated(work, keys, out, self.cost(k), threads, dedupe, self.exact_cost(k))
