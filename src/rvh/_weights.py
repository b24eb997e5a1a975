"""What a weight may be: one finite number from 0 for each node, checked in one place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["WEIGHT_MAX", "WEIGHT_MIN", "as_weights", "real_numbers"]

#: Between these no weighted score overflows or loses digits: -ln(u) is from 2^-53 to 37.
WEIGHT_MIN, WEIGHT_MAX = 2.0**-1016, 2.0**970


def as_weights(weights: Any, ids: NDArray[Any]) -> NDArray[np.float64]:
    """One weight for each of `ids`, as the backends take them.

    Raises
    ------
    RVHTypeError
        Weights that are no array of numbers.
    RVHError
        Another number of weights than of ids; a weight that is negative, NaN or infinite, or too
        large or too small to rank exactly; nothing but zeros. The message names the node.

    Examples
    --------
    >>> as_weights([2, -0.0], np.array(["a", "b"]))
    array([2., 0.])
    """
    numbers = real_numbers(weights, "weights", [f"node {show(node)}" for node in ids.tolist()])
    for wrong, why in (
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
            node = show(ids.tolist()[at])
            raise RVHError(f"the weight of node {node} (position {at}) is {numbers[at]}: {why}")
    if not numbers.any():
        raise RVHError("every weight is 0: at least one node needs a weight above 0")
    return numbers + 0.0  # -0.0 is 0


def real_numbers(values: Any, name: str, of: list[str]) -> NDArray[np.float64]:
    """Numbers as a new float64 array, one of `name` for each of `of`; None and masked are errors.

    Parameters
    ----------
    values : sequence or array of numbers, shape (N,)
        Integers are rounded to the nearest double.
    name : str
        What the messages call them.
    of : list of str
        What the messages call the places.

    Examples
    --------
    >>> real_numbers([1, 2.5], "capacity", ["node 'a'", "node 'b'"])
    array([1. , 2.5])
    """
    if np.ma.is_masked(values):
        at = int(np.flatnonzero(np.ma.getmaskarray(values))[0])
        raise RVHError(f"{name} has a masked element for {of[at]} (position {at}): fill it first")
    if isinstance(values, (str, bytes, bytearray, dict, set, frozenset)):
        raise RVHTypeError(
            f"{name} is a {type(values).__name__} ({show(values)}): pass one number for each node"
        )
    try:
        array = np.asarray(values)
    except (ValueError, TypeError):
        raise RVHError(
            f"{name} is ragged ({show(values)}): pass one number for each node"
        ) from None
    if array.ndim == 0:
        raise RVHTypeError(f"{name} is {show(values)}: pass one number for each node, or None")
    if array.shape != (len(of),):
        raise RVHError(
            f"{name} has shape {array.shape}: it needs ({len(of)},), one number for each node"
        )
    if array.dtype.kind in "iuf":
        with np.errstate(over="ignore"):  # a longdouble above every double is infinite, and refused
            return array.astype(np.float64)
    numbers = np.empty(len(of))
    for at, value in enumerate(array.tolist()):
        where = f"the {name} value of {of[at]} (position {at})"
        if isinstance(value, (bool, str, bytes)) or not hasattr(type(value), "__float__"):
            raise RVHTypeError(
                f"{where} is {show(value)} of type {type(value).__name__}: pass a number"
            )
        try:
            numbers[at] = float(value)
        except OverflowError:
            raise RVHError(f"{where} is {show(value)}, more than a double holds") from None
        except Exception as error:
            raise RVHTypeError(f"{where} is {show(value)}, which is no number: {error}") from None
    return numbers
