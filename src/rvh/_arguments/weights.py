"""The check of weights: one finite number for each node, 0 or more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import real_number, real_numbers
from rvh._columns.ids import id_at
from rvh.errors import RVHError, show

__all__ = ["WEIGHT_MAX", "WEIGHT_MIN", "as_weight", "as_weights"]

#: Between these no weighted score overflows or loses digits: -ln(u) is from 2^-53 to 37.
WEIGHT_MIN, WEIGHT_MAX = 2.0**-1016, 2.0**970


def as_weights(weights: Any, ids: NDArray[Any]) -> NDArray[np.float64]:
    """Return one weight for each of `ids`, as the backends take them.

    Raises
    ------
    RVHTypeError
        The weights are not numbers.
    RVHError
        The number of weights differs from that of ids; a weight is negative, NaN or infinite, or
        too large or too small to rank exactly; all are 0. The message names the node.

    Examples
    --------
    >>> as_weights([2, -0.0], np.array(["a", "b"]))
    array([2., 0.])
    """
    numbers = real_numbers(weights, "weights", [f"node {show(node)}" for node in ids.tolist()])
    _check_each(numbers, lambda at: f"node {show(id_at(ids, at))} (position {at})")
    if not numbers.any():
        raise RVHError("every weight is 0: at least one node needs a weight above 0")
    return numbers + 0.0  # -0.0 is 0


def as_weight(weight: Any, node: Any) -> float:
    """Return the weight of one node, which may be 0.

    Examples
    --------
    >>> as_weight(2, "a")
    2.0
    """
    number = real_number(weight, f"the weight of node {show(node)}")
    _check_each(np.array([number]), lambda at: f"node {show(node)}")
    return number + 0.0


def _check_each(numbers: NDArray[np.float64], name_node: Callable[[int], str]) -> None:
    for wrong, rule in (
        (~np.isfinite(numbers), "a weight is a finite number"),
        (numbers < 0, "a weight is 0 or more, and a node of weight 0 is never selected"),
        (
            (numbers != 0) & ((numbers < WEIGHT_MIN) | (numbers > WEIGHT_MAX)),
            "a weight is 0 or from 2^-1016 to 2^970, so that no weighted score overflows; "
            "multiply all weights by a power of two, which changes no placement",
        ),
    ):
        if wrong.any():
            at = int(wrong.argmax())
            raise RVHError(f"the weight of {name_node(at)} is {numbers[at]}: {rule}")
