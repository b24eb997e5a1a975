"""What a peer's answers guarantee, as seen in answers of its own: movement, balance, weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peers_table import Task, UnsupportedError, numbered

import rvh

NODES = 64
TRIALS = 200  # random assignments that the ideal is the median of
FEW = 2000  # answers with k=3: that they are distinct shows in each

Answers = Callable[[Task, int], Any]


@dataclass(frozen=True)
class Seen:
    """The columns of the same names in peers.csv, or None where a peer cannot be asked."""

    seen_keys: int | None
    balance: float | None
    balance_ideal: float | None
    moved_add: float | None
    moved_remove: float | None
    moved_remove_last: float | None
    weights_error: float | None
    weights_error_ideal: float | None
    distinct: float | None

    @property
    def leaves(self) -> str:
        """Which nodes may leave so that no key of another node moves."""
        if self.moved_remove is None:
            return ""
        if self.moved_remove == 0:
            return "any"
        return "last" if self.moved_remove_last == 0 else "moves more"


def unseen() -> Seen:
    return Seen(*[None] * 9)


def shares_error(loads: NDArray[Any], weights: NDArray[Any]) -> Any:
    expected = loads.sum(axis=-1, keepdims=True) * weights / weights.sum()
    return np.abs(loads / expected - 1).max(axis=-1)


def look(answers: Answers, names: list[str], count: int) -> Seen:
    """Ask for the first 64 of the names, and with one more, one fewer, k=3 and weights."""
    ids, random = names[:NODES], np.random.default_rng(1)
    owners = chosen(answers, ids, count)
    loads = np.bincount(owners, minlength=NODES)
    even = np.full(NODES, 1 / NODES)
    ideal = random.multinomial(count, even, TRIALS).max(axis=1) / (count / NODES)

    longer = chosen(answers, names[: NODES + 1], count)
    middle = NODES // 3
    fewer = np.delete(np.arange(NODES), middle)[
        chosen(answers, ids[:middle] + ids[middle + 1 :], count)
    ]
    without_last = chosen(answers, ids[:-1], count)

    weights = np.array([1 + i % 3 for i in range(NODES)])
    error = ideal_error = distinct = None
    try:
        weighted = chosen(answers, ids, count, weights.tolist())
    except UnsupportedError:
        pass
    else:
        error = float(shares_error(np.bincount(weighted, minlength=NODES), weights))
        drawn = random.multinomial(count, weights / weights.sum(), TRIALS)
        ideal_error = float(np.median(shares_error(drawn, weights)))
    try:
        three = np.sort(numbered(answers(Task(ids, 3), min(count, FEW)), ids), axis=1)
    except UnsupportedError:
        pass
    else:
        distinct = float((np.diff(three, axis=1) > 0).all(axis=1).mean())
    return Seen(
        count,
        float(loads.max() / loads.mean()),
        float(np.median(ideal)),
        float(((longer != owners) & (longer != NODES)).mean()),
        float(((fewer != owners) & (owners != middle)).mean()),
        float(((without_last != owners) & (owners != NODES - 1)).mean()),
        error,
        ideal_error,
        distinct,
    )


def chosen(
    answers: Answers, ids: list[str], count: int, weights: list[int] | None = None
) -> NDArray[np.intp]:
    return numbered(answers(Task(ids, 1, weights), count), ids)[:, 0]


def same_as_rvh(answers: Answers, ids: list[str], keys: NDArray[Any]) -> None:
    """rvh's default is what a loop over hashlib answers, for one node and for several."""
    for k in (1, 3):
        theirs = numbered(answers(Task(ids, k), len(keys)), ids)
        if not np.array_equal(theirs, rvh.NodeSet(ids).argselect_batch(keys, k)):
            raise AssertionError(f"rvh's blake2b answers differ from those of hashlib, k={k}")
