"""What there is one of for each node, in the order of the ids: any column, as Python values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from rvh._columns.values import objects_of, plain_id
from rvh.errors import RVHTypeError, show

__all__ = ["per_node", "python_value"]

#: they have an order of their own, or none: their elements would go to the wrong nodes
OTHER = (str, bytes, bytearray, memoryview, Mapping, Set)


def per_node(given: Any, what: str) -> list[Any]:
    """The elements of a list, array, Series or Arrow column; None where one is missing.

    Examples
    --------
    >>> per_node(np.array([1, 2]), "attribute 'cores'")
    [1, 2]
    >>> per_node({"a": 1}, "attribute 'cores'")
    Traceback (most recent call last):
    rvh.errors.RVHTypeError: attribute 'cores' is {'a': 1}: pass one value for each node, in the \
order of the ids
    """
    # A released memoryview has no ndim: the names of types first.
    if isinstance(given, OTHER) or not (
        isinstance(given, Iterable) and getattr(given, "ndim", 1) == 1
    ):
        raise RVHTypeError(
            f"{what} is {show(given)}: pass one value for each node, in the order of the ids"
        )
    if hasattr(given, "__arrow_c_array__") or hasattr(given, "__arrow_c_stream__"):
        from rvh._columns.arrow.reader import check_extensions  # ctypes, for those who have Arrow

        check_extensions(given, what)
    if isinstance(given, np.ndarray):
        return [python_value(value) for value in objects_of(given, f"the value of {what}")]
    for convert in ("to_pylist", "to_list", "tolist"):  # Arrow's, Series', NumPy's
        if hasattr(given, convert):
            return [python_value(value) for value in getattr(given, convert)()]
    return [python_value(value) for value in given]


def python_value(value: Any) -> Any:
    """A NumPy scalar as Python has it, a UUID as its text; None for what is missing (NaN, NA)."""
    value = plain_id(value)
    if isinstance(value, np.generic) and not isinstance(value, (np.datetime64, np.timedelta64)):
        value = value.item()
    if value is np.ma.masked or type(value).__name__ == "NAType":
        return None
    return None if isinstance(value, float) and value != value else value
