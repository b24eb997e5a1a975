"""The bounds on load: how much each node takes, in exact arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import as_index, real_number
from rvh.errors import RVHError, RVHTypeError, show
from rvh.nodes import NodeSet, as_node_set

if TYPE_CHECKING:
    from rvh.typing import NodeIds

__all__ = ["capacities", "exact_factor", "full_marks", "no_room"]

#: keys are counted in 64 bits
COUNT_MAX = 2**63


def capacities(
    nodes: NodeSet | NodeIds, count: int, load_factor: float = 1.05
) -> NDArray[np.int64]:
    """Return the most keys of each node: ``ceil(load_factor * count * weight / sum of weights)``.

    Of keys with sizes that are whole numbers, it is the load with which each node is full, where
    `count` is the total of the sizes.

    Parameters
    ----------
    nodes : NodeSet, or sequence or array of node ids
    count : int
        The number of keys, or the total of their sizes: 0 or more.
    load_factor : float
        Read as the decimal number that it prints as (1.05 is 105/100). Nothing else is rounded
        either, so the capacities are the same everywhere. Weights are read as their exact doubles.

    Returns
    -------
    ndarray of int64, shape (N,)
        In the order of the set's ids; 0 for a node of weight 0.

    Raises
    ------
    RVHError
        A factor that is not finite and positive, or that leaves less room than there are keys.
    RVHTypeError
        A factor that is not a number, a count that is not a whole number.

    Examples
    --------
    >>> from rvh.balanced import capacities
    >>> capacities(["a", "b", "c"], 100, 1.05)
    array([35, 35, 35])
    >>> import rvh
    >>> capacities(rvh.NodeSet(["a", "b"], weights=[3, 1]), 100, 1)
    array([75, 25])
    """
    node_set = as_node_set(nodes)
    number = as_index(count)
    if number is None:
        raise RVHTypeError(f"count is {show(count)}: pass a whole number from 0")
    if not 0 <= number < COUNT_MAX:
        raise RVHError(f"count is {show(number)}: pass a whole number from 0, below 2^63")
    each = list(map(math.ceil, full_marks(node_set, number, exact_factor(load_factor))))
    if sum(each) < number:
        raise no_room(load_factor, f"{sum(each)} of {number} keys")
    return np.array([min(room, number) for room in each], dtype=np.int64)


def full_marks(node_set: NodeSet, total: int | Fraction, factor: Fraction) -> list[Fraction]:
    """Return the load with which each node is full: its share of the total times the factor.

    Examples
    --------
    >>> full_marks(NodeSet(["a", "b"]), 3, Fraction(1))
    [Fraction(3, 2), Fraction(3, 2)]
    """
    weights = [1.0] * len(node_set) if node_set.weights is None else node_set.weights.tolist()
    exact = [Fraction(weight) for weight in weights]
    each = factor * total / sum(exact)
    return [each * weight for weight in exact]


def no_room(load_factor: Any, room: str) -> RVHError:
    """Return the error about a factor that leaves too little room."""
    return RVHError(
        f"load_factor is {load_factor}: the nodes have room for {room}; "
        "choose a greater one: with 1 or more there is always room"
    )


def exact_factor(load_factor: Any) -> Fraction:
    """Convert a load factor to the exact decimal number that it prints as."""
    number = real_number(load_factor, "load_factor")
    if isinstance(load_factor, np.ndarray):  # of no dimension
        load_factor = load_factor[()]
    if not 0 < number < math.inf:
        raise RVHError(
            f"load_factor is {number}: pass a finite number above 0 (with 1 or more there is "
            "always room); without a bound, use argselect_batch"
        )
    # A float32, like a double, prints as the shortest number that rounds to it.
    return Fraction(str(load_factor) if isinstance(load_factor, np.floating) else repr(number))
