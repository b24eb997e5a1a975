"""JSON compared with the shape that it has to have, so that an error names the place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rvh.errors import RVHError, show

#: how messages call what a shape stands for
KINDS = {str: "text", int: "a whole number from 0", float: "a number", bool: "true or false"}


def refuse_other_shape(value: Any, shape: Any, place: str = "$") -> None:
    """Raise an error about the first place where `value` is not as `shape` has it.

    A shape is a type in `KINDS`; a tuple of a shape and None, which may be null; a frozenset, one
    of these texts; a list of one shape, for a list of such; or a dict, for an object of these
    members and no others, of which those whose names end in ? may be missing.

    Examples
    --------
    >>> refuse_other_shape({"a": [1, 2]}, {"a": [int], "b?": str})
    >>> refuse_other_shape({"a": [1, -2]}, {"a": [int]})
    Traceback (most recent call last):
    rvh.errors.RVHError: $.a[1] is -2, and not a whole number from 0
    """
    if isinstance(shape, tuple):
        if value is not None:
            refuse_other_shape(value, shape[0], place)
    elif isinstance(shape, Mapping):
        _refuse(isinstance(value, dict), value, place, "an object")
        for name in shape:
            if not name.endswith("?") and name not in value:
                raise RVHError(f"{place} has no member {name!r}")
        for name, member in value.items():
            inner = shape.get(name, shape.get(f"{name}?"))
            if inner is None:
                raise RVHError(f"{place} has a member {show(name)}, which is unknown")
            refuse_other_shape(member, inner, f"{place}.{name}")
    elif isinstance(shape, list):
        _refuse(isinstance(value, list), value, place, "a list")
        for position, element in enumerate(value):
            refuse_other_shape(element, shape[0], f"{place}[{position}]")
    elif isinstance(shape, Collection):
        one_of = f"one of {', '.join(sorted(shape))}"
        _refuse(isinstance(value, str) and value in shape, value, place, one_of)
    else:
        types = (int, float) if shape is float else shape
        is_it = isinstance(value, types) and (shape is bool or not isinstance(value, bool))
        if shape is int:
            is_it = is_it and value >= 0
        elif shape is str and is_it:
            is_it = value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)
        _refuse(is_it, value, place, KINDS[shape])


def _refuse(is_it: bool, value: Any, place: str, what: str) -> None:
    if not is_it:
        raise RVHError(f"{place} is {show(value)}, and not {what}")
