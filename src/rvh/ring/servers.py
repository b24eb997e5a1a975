"""The servers and weights of other systems' configurations, checked; a ring of their points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import real_numbers
from rvh._arguments.weights import in_order
from rvh._columns.ids import id_at
from rvh.errors import RVHError, show
from rvh.ring.ring import Ring

if TYPE_CHECKING:
    from rvh.typing import NodeIds

__all__ = [
    "POINTS_MAX",
    "check_count",
    "make_ring",
    "names_and_ids",
    "real_weights",
    "weight_at",
    "whole_weights",
]

#: points of a ring whose weights multiply the points; making that many takes 10 s and 2 GB
POINTS_MAX = 1 << 24


def names_and_ids(nodes: NodeIds) -> tuple[list[bytes], NDArray[Any]]:
    """Return the servers' names in bytes, each once, and the ids that the caller gave."""
    column, ids = _keys.node_column(nodes)
    names = list(column.iter_bytes())
    _keys.check_unique(names)
    return names, ids


def make_ring(
    hash_name: str,
    ids: NDArray[Any],
    points: NDArray[np.uint64],
    owners: NDArray[np.uint32],
    integers: str | None,
    hit: str = "point",
) -> Ring:
    """Make the ring of points that were counted out by weights."""
    if len(points) == 0:
        raise RVHError("no node has a point: the weights are too uneven for such a ring")
    return Ring(ids, hash_name, points, owners, integers, hit)


def check_count(units: float, each: int, system: str) -> None:
    """Reject more than `POINTS_MAX` points."""
    if units * each > POINTS_MAX:
        raise RVHError(
            f"the weights are {units} together: {system} makes {each} points of each unit, and "
            f"here {POINTS_MAX // each} are the most; divide all weights"
        )


def whole_weights(
    weights: Any, ids: NDArray[Any], system: str, low: int, high: float = float("inf")
) -> list[int]:
    """Return whole numbers in a system's range, in the order of the ids; 1 each by default."""
    numbers = real_weights(weights, ids)
    for position, weight in enumerate(numbers):
        if not low <= weight <= high or weight != int(weight):
            limit = "" if high == float("inf") else f" to {high}"
            raise RVHError(
                f"{weight_at(ids, position)} is {weight}: {system} takes whole numbers from "
                f"{low}{limit}"
            )
    return list(map(int, numbers))


def real_weights(weights: Any, ids: NDArray[Any]) -> list[float]:
    """Return finite numbers of 0 or more, not all 0, in the order of the ids; 1 each by default."""
    if weights is None:
        return [1.0] * len(ids)
    nodes = ids.tolist()
    numbers = real_numbers(in_order(weights, nodes), "weights", [f"node {show(n)}" for n in nodes])
    invalid = ~(np.isfinite(numbers) & (numbers >= 0))
    if invalid.any():
        position = int(invalid.argmax())
        raise RVHError(
            f"{weight_at(ids, position)} is {numbers[position]}: a weight is a finite number, 0 "
            "or more"
        )
    if not numbers.any():
        raise RVHError("every weight is 0: at least one node needs a weight above 0")
    as_list: list[float] = numbers.tolist()
    return as_list


def weight_at(ids: NDArray[Any], position: int) -> str:
    """Name a weight in an error."""
    return f"the weight of node {show(id_at(ids, position))} (position {position})"
