"""To which nodes keys go, counted in a sample of the answers.

A node's share in the sample over its share of the weights is 1 where the load is even. Keys that
are asked for often count each time, so this shows hot keys, which no placement can spread.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._runtime.shared import Shared
from rvh.nodes import NodeSet
from rvh.observe.wrapping import Function, wrapping

__all__ = [
    "First",
    "expected",
    "observed",
    "of_column",
    "of_list",
    "of_names",
    "of_positions",
    "sampling",
]

#: seconds between two batches that are sampled
INTERVAL = 1.0
#: keys of a batch that are sampled, evenly spread over it
KEYS_MAX = 1024
#: calls of one key for each that is sampled; a prime, so that no pattern of calls falls in with it
EVERY = 1021
#: node sets whose expected shares are not yet summed up
SETS_MAX = 8
#: nodes that are gone and still shown, beside as many as there are
GONE_MAX = 1000

ONE = """
def {name}{parameters}:
    answer = method({arguments})
    for turn in turns:
        break
    if not turn % EVERY:
        sample(self, answer)
    return answer
"""
BATCH = """
def {name}{parameters}:
    answer = method({arguments})
    if clock() >= load.due:
        sample(self, answer)
    return answer
"""

#: gives the first nodes of some keys of an answer
First = Callable[[NodeSet, Any], list[Any]]


def _some(answer: NDArray[Any]) -> NDArray[Any]:
    """Return some rows of an answer's first column, or only column."""
    column = answer if answer.ndim == 1 else answer[:, 0]
    return column[:: -(-len(column) // KEYS_MAX) or 1]


def of_list(nodes: NodeSet, answer: list[Any]) -> list[Any]:
    """Of one key."""
    return answer[:1]


def of_names(nodes: NodeSet, answer: NDArray[Any]) -> list[Any]:
    """Of an array of ids, shape (M, k) or (M,)."""
    ids: list[Any] = _some(answer).tolist()
    return ids


def of_positions(nodes: NodeSet, answer: NDArray[Any]) -> list[Any]:
    """Of an array of positions, shape (M, k) or (M,)."""
    return of_names(nodes, nodes.ids[_some(answer)])


def of_column(nodes: NodeSet, answer: Any) -> list[Any]:
    """Of an Arrow column."""
    valid = answer.valid
    return of_positions(nodes, answer.indices if valid is None else answer.indices[valid])


class Load(Shared):
    """The sample of the process. A child of a fork begins with none."""

    def __init__(self) -> None:
        self._empty()
        self._share()

    def _empty(self) -> None:
        self.due = 0.0  # when the next batch is sampled
        self._observed: Counter[str] = Counter()
        self._expected: Counter[str] = Counter()
        self._sampled: dict[int, tuple[NodeSet, int]] = {}

    def _after_fork(self) -> None:
        super()._after_fork()
        self._empty()

    def add(self, nodes: NodeSet, ids: list[Any]) -> None:
        """Count keys, one for each of the nodes that they go to."""
        if self._change_lock.acquire(blocking=False):  # one sample more or less does not matter
            try:
                self._observed.update(map(_text, ids))
                _, before = self._sampled.get(id(nodes), (nodes, 0))
                self._sampled[id(nodes)] = nodes, before + len(ids)
                if len(self._sampled) > SETS_MAX:
                    self._sum_up()
            finally:
                self._change_lock.release()

    def _sum_up(self) -> None:
        for nodes, keys in self._sampled.values():
            weights = np.ones(len(nodes)) if nodes.weights is None else nodes.weights
            shares: list[float] = (weights * (keys / weights.sum())).tolist()
            for node, share in zip(nodes, shares, strict=True):
                self._expected[_text(node)] += share  # type: ignore[assignment]
        # Names that come and go, as those of pods do, must not fill the memory.
        present = {_text(node) for nodes, _ in self._sampled.values() for node in nodes}
        if present and len(self._expected) > 2 * len(present) + GONE_MAX:
            for counter in (self._observed, self._expected):
                for node in counter.keys() - present:
                    del counter[node]
        self._sampled.clear()

    def read(self) -> tuple[Mapping[str, int], Mapping[str, float]]:
        """Return the keys that went to each node, and those that would by the weights alone."""
        with self._change_lock:
            self._sum_up()
            return dict(self._observed), dict(self._expected)


def _text(node: Any) -> str:
    return node if isinstance(node, str) else node.decode("utf-8", "backslashreplace")


_LOAD = Load()


def sampling(method: Function, first: First, *, is_batch: bool) -> Function:
    """Make a function that does what `method` does, and samples its answers."""

    def sample(owner: Any, answer: Any) -> None:
        if is_batch:
            _LOAD.due = monotonic() + INTERVAL
        nodes = owner if isinstance(owner, NodeSet) else owner.nodes
        _LOAD.add(nodes, first(nodes, answer))

    if is_batch:
        return wrapping(method, BATCH, clock=monotonic, load=_LOAD, sample=sample)
    return wrapping(method, ONE, turns=itertools.count(1), EVERY=EVERY, sample=sample)


def observed() -> Mapping[str, int]:
    """Return the sampled keys that went to each node."""
    return _LOAD.read()[0]


def expected() -> Mapping[str, float]:
    """Return the sampled keys that would have gone to each node by the weights alone."""
    return _LOAD.read()[1]
