"""What a number that a caller passes may be: checked here, so that the errors are alike."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["real_numbers", "whole_number"]


def whole_number(name: str, value: Any, most: int, because: str = "") -> int:
    """A whole number from 1 to `most`; `because` tells what the limit comes from.

    Examples
    --------
    >>> whole_number("k", np.int8(2), 3)
    2
    >>> whole_number("k", 4, 3, "the set has 3 nodes")
    Traceback (most recent call last):
    rvh.errors.RVHError: k is 4, but the set has 3 nodes: choose 1 <= k <= 3
    """
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, (bool, np.bool_)):
        raise RVHTypeError(f"{name} is {show(value)}: pass a whole number from 1 to {most}")
    if not 1 <= number <= most:
        but = f", but {because}" if because else ""
        raise RVHError(f"{name} is {show(number)}{but}: choose 1 <= {name} <= {most}")
    return number


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
