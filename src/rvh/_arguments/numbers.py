"""The checks of numbers that a caller passes, so that all errors about them are alike."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._columns.values import objects_of, of_view
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["as_index", "positive_seconds", "real_number", "real_numbers", "whole_number"]

#: 30 years
SECONDS_MAX = 1e9


def as_index(value: object) -> int | None:
    """Return a value as Python's `operator.index` does; None for a bool, and for other types.

    Examples
    --------
    >>> as_index(np.array(3)), as_index(np.array([3])), as_index(np.array(True))
    (3, None, None)
    """
    if isinstance(value, (bool, np.bool_)) or getattr(value, "dtype", None) == np.bool_:
        return None
    try:
        return index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def whole_number(name: str, value: Any, maximum: int, reason: str = "") -> int:
    """Return a whole number from 1 to `maximum`; `reason` explains the limit in the message.

    Examples
    --------
    >>> whole_number("k", np.int8(2), 3)
    2
    >>> whole_number("k", 4, 3, "the set has 3 nodes")
    Traceback (most recent call last):
    rvh.errors.RVHError: k is 4, but the set has 3 nodes: choose 1 <= k <= 3
    """
    if type(value) is int and 1 <= value <= maximum:  # fast, for calls of one key
        return value
    number = as_index(value)
    if number is None:
        raise RVHTypeError(f"{name} is {show(value)}: pass a whole number from 1 to {maximum}")
    if not 1 <= number <= maximum:
        but = f", but {reason}" if reason else ""
        raise RVHError(f"{name} is {show(number)}{but}: choose 1 <= {name} <= {maximum}")
    return number


def real_numbers(values: Any, name: str, owners: list[str]) -> NDArray[np.float64]:
    """Return numbers as a new float64 array, one for each owner; None and masked are errors.

    Parameters
    ----------
    values : sequence or array of numbers, shape (N,)
        Integers are rounded to the nearest double.
    name : str
        The name of the numbers in messages.
    owners : list of str
        The name of the owner of each number in messages, for example ``"node 'a'"``.

    Examples
    --------
    >>> real_numbers([1, 2.5], "capacity", ["node 'a'", "node 'b'"])
    array([1. , 2.5])
    """
    elements: list[Any] | None = None
    shape: tuple[int, ...]
    values = of_view(values, name)
    if isinstance(values, Sequence) and not isinstance(values, (str, bytes, bytearray)):
        elements = list(values)
        try:  # lists in lists have a shape too, unless they are ragged
            nested = any(np.ndim(value) for value in elements)
            shape = np.shape(elements) if nested else (len(elements),)
        except ValueError:
            raise RVHError(
                f"{name} is ragged ({show(values)}): pass one number for each node"
            ) from None
    elif hasattr(values, "__array__"):
        array = np.asanyarray(values)
        shape = array.shape
    else:
        raise RVHTypeError(
            f"{name} is {_describe(values)}: pass one number for each node, for example a list"
        )
    if shape == ():
        raise RVHTypeError(f"{name} is {show(values)}: pass one number for each node")
    if shape != (len(owners),):
        raise RVHError(
            f"{name} has shape {shape}: it needs ({len(owners)},), one number for each node"
        )
    if elements is None:
        if np.ma.is_masked(array):
            at = int(np.flatnonzero(np.ma.getmaskarray(array))[0])
            raise _masked_error(name, owners[at], at)
        if array.dtype.kind in "iuf":
            with np.errstate(over="ignore"):  # a longdouble above all doubles becomes infinite
                return np.array(array, dtype=np.float64)
        if array.dtype.kind in "mM":  # their elements can look like integers
            raise RVHTypeError(
                f"the {name} value of {owners[0]} (position 0) is {show(array[0])} in an array of "
                f"{array.dtype}: pass numbers"
            )
        elements = objects_of(np.asarray(array), f"the {name} value")
    return np.array(
        [_real_number(value, name, owners[at], at) for at, value in enumerate(elements)],
        dtype=np.float64,
    )


def _real_number(value: Any, name: str, owner: str, at: int) -> float:
    """Return one of several numbers."""
    if value is np.ma.masked:
        raise _masked_error(name, owner, at)
    return real_number(value, f"the {name} value of {owner} (position {at})")


def real_number(value: Any, where: str) -> float:
    """Return one number as a float; messages call it `where`.

    Examples
    --------
    >>> real_number(3, "at_least")
    3.0
    >>> real_number("3", "at_least")
    Traceback (most recent call last):
    rvh.errors.RVHTypeError: at_least is '3' of type str: pass a number
    """
    if type(value) is float or type(value) is np.float64:
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        if value.dtype.kind not in "iufO":  # arrays of bools and of text have a __float__ too
            raise RVHTypeError(f"{where} is an array of {value.dtype}: pass a number")
        value = value[()]
    refused = (bool, np.bool_, np.datetime64, np.timedelta64, np.complexfloating, str, bytes)
    try:
        if not isinstance(value, refused) and hasattr(type(value), "__float__"):
            if getattr(value, "ndim", 0) == 0:
                return float(value)
            raise RVHTypeError(f"{where} is {show(value)}: pass one number")
    except RVHError:
        raise
    except OverflowError:
        raise RVHError(f"{where} is {show(value)}, more than a double holds") from None
    except Exception as error:
        raise RVHTypeError(f"{where} is {show(value)}, which is not a number: {error}") from None
    raise RVHTypeError(f"{where} is {show(value)} of type {type(value).__name__}: pass a number")


def positive_seconds(value: Any, where: str) -> float:
    """Return a time in seconds: above 0, and no longer than threads can wait.

    Examples
    --------
    >>> positive_seconds(0, "timeout")
    Traceback (most recent call last):
    rvh.errors.RVHError: timeout is 0: pass a number of seconds above 0
    """
    number = real_number(value, where)
    if not 0 < number <= SECONDS_MAX:  # nor NaN
        most = f", at most {SECONDS_MAX:,.0f}" if number > 0 else ""
        raise RVHError(f"{where} is {show(value)}: pass a number of seconds above 0{most}")
    return number


def _describe(value: Any) -> str:
    if isinstance(value, (int, float)):
        return show(value)
    return f"a {type(value).__name__} ({show(value)})"


def _masked_error(name: str, owner: str, at: int) -> RVHError:
    return RVHError(f"{name} has a masked element for {owner} (position {at}): fill it first")
