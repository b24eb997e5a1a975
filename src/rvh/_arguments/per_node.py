"""Values for each node, in the order of the ids: any column, read as Python values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from rvh._columns.arrow import has_arrow_export
from rvh._columns.values import objects_of, plain_id
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["check_count", "per_node", "python_value"]

#: iterables that are refused: one value, or values in an order of their own or in none
REFUSED = (str, bytes, bytearray, memoryview, Mapping, Set)
#: values that stay as they are
PLAIN = {str, bytes, int, bool}


def check_count(count: int, nodes: int, what: str, noun: str = "values", new: str = "") -> None:
    """Refuse another number of values than of nodes.

    Examples
    --------
    >>> check_count(1, 2, "attribute 'cores'")
    Traceback (most recent call last):
    rvh.errors.RVHError: attribute 'cores' has 1 values for 2 nodes: give one each
    """
    if count != nodes:
        raise RVHError(f"{what} has {count} {noun} for {nodes} {new}nodes: give one each")


def per_node(values: Any, what: str) -> list[Any]:
    """Return the elements of a list, array, Series or Arrow column; missing ones are None.

    Examples
    --------
    >>> per_node(np.array([1, 2]), "attribute 'cores'")
    [1, 2]
    >>> per_node({"a": 1}, "attribute 'cores'")
    Traceback (most recent call last):
    rvh.errors.RVHTypeError: attribute 'cores' is {'a': 1}: pass one value for each node, in the \
order of the ids
    """
    # Types come first, since a released memoryview has no ndim.
    if isinstance(values, REFUSED) or not (
        isinstance(values, Iterable) and getattr(values, "ndim", 1) == 1
    ):
        raise RVHTypeError(
            f"{what} is {show(values)}: pass one value for each node, in the order of the ids"
        )
    if type(values) in (list, tuple) and PLAIN.issuperset(map(type, values)):
        return list(values)  # ten times as fast, and what most sets are made of
    if has_arrow_export(values):
        from rvh._columns.arrow.reader import check_extensions  # imports ctypes

        check_extensions(values, what)
    if isinstance(values, np.ndarray):
        return [python_value(value) for value in objects_of(values, f"the value of {what}")]
    for convert in ("to_pylist", "to_list", "tolist"):  # of Arrow, of Series, of NumPy
        if hasattr(values, convert):
            return [python_value(value) for value in getattr(values, convert)()]
    return [python_value(value) for value in values]


def python_value(value: Any) -> Any:
    """Return a NumPy scalar as Python's, a UUID as its text, and a missing value as None."""
    value = plain_id(value)
    if isinstance(value, np.generic) and not isinstance(value, (np.datetime64, np.timedelta64)):
        value = value.item()
    if value is np.ma.masked or type(value).__name__ == "NAType":
        return None
    return None if isinstance(value, float) and value != value else value
