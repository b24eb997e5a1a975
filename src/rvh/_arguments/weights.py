"""The check of weights: one finite number for each node, 0 or more, in order or by id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import real_number, real_numbers
from rvh._columns.ids import id_at
from rvh._columns.values import is_one_id, key_bytes, plain_id
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["WEIGHT_MAX", "WEIGHT_MIN", "as_weight", "as_weights", "in_order"]

#: Between these no weighted score overflows or loses digits: -ln(u) is from 2^-53 to 37.
WEIGHT_MIN, WEIGHT_MAX = 2.0**-1016, 2.0**970


def as_weights(weights: Any, ids: NDArray[Any]) -> NDArray[np.float64]:
    """Return one weight for each of `ids`, as the backends take them.

    Parameters
    ----------
    weights : sequence or array of numbers, shape (N,), or mapping of id to number
    ids : ndarray, shape (N,)

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
    nodes = ids.tolist()
    numbers = real_numbers(in_order(weights, nodes), "weights", [f"node {show(n)}" for n in nodes])
    _check_each(numbers, lambda at: f"node {show(id_at(ids, at))} (position {at})")
    if not numbers.any():
        raise RVHError("every weight is 0: at least one node needs a weight above 0")
    return numbers + 0.0  # -0.0 is 0


def in_order(weights: Any, ids: Sequence[Any], new: str = "") -> Any:
    """Return the weights of a mapping in the order of the ids, and other weights as they are.

    Parameters
    ----------
    weights : mapping of id to number, or anything else
        The mapping has every id and no other. As elsewhere, a str and its UTF-8 are one id.
    ids : sequence of str or bytes
    new : str
        A word about the nodes, for messages.

    Raises
    ------
    RVHError
        A node without a weight, a weight without a node, one id twice. The message names it.
    RVHTypeError
        A key of the mapping that is not a node id.

    Examples
    --------
    >>> in_order({"b": 2, "a": 1}, ["a", "b"]), in_order([1, 2], ["a", "b"])
    ([1, 2], [1, 2])
    >>> in_order({"a": 1}, ["a", "b"])
    Traceback (most recent call last):
    rvh.errors.RVHError: weights has no weight for node 'b': give one for each node
    """
    if not isinstance(weights, Mapping):
        return weights
    by_name: dict[bytes, Any] = {}
    for node, weight in weights.items():
        if not is_one_id(node):
            raise RVHTypeError(
                f"weights has the key {show(node)} of type {type(node).__name__}: its keys are "
                "node ids, str or bytes"
            )
        name = key_bytes(plain_id(node), what="node id in weights")
        if name in by_name:
            raise RVHError(f"weights has node {show(node)} twice, as str and bytes: give it once")
        by_name[name] = weight
    names = [key_bytes(plain_id(node), what="node id") for node in ids]
    for node, name in zip(ids, names, strict=True):
        if name not in by_name:
            raise RVHError(
                f"weights has no weight for {new}node {show(node)}: give one for each node"
            )
    known = set(names)
    for node, name in zip(weights, by_name, strict=True):
        if name not in known:
            raise RVHError(
                f"weights has {show(node)}, which is not one of the {new}nodes: omit it, or add "
                "the node"
            )
    return [by_name[name] for name in names]


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
