"""The keys of a store, sorted into the steps of a plan in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np

from rvh._runtime.slices import argsort, take
from rvh.migration.plan import Plan
from rvh.migration.rows import as_rows, take_keys

__all__ = ["ListKeys", "columns_of", "joined", "keys_of_steps"]

#: gives one column of keys, or an iterator of several
ListKeys: TypeAlias = Callable[[], Any]


def columns_of(list_keys: ListKeys) -> Iterator[Any]:
    """Yield the columns of keys that a caller's function gives, of kinds that any code reads."""
    listed = list_keys()
    for column in listed if hasattr(listed, "__next__") else (listed,):
        yield as_rows(column)


def keys_of_steps(plan: Plan, list_keys: ListKeys, wanted: Iterable[int]) -> dict[int, Any]:
    """Return the keys of some steps, by step; each key once."""
    parts: dict[int, list[Any]] = {step: [] for step in wanted}
    for column in columns_of(list_keys):
        steps = plan.steps_of(column)
        order = argsort(steps)
        steps = take(steps, order)
        starts = np.flatnonzero(np.diff(steps, prepend=-1))
        parted = np.split(order, starts[1:]) if len(order) else []  # else one part, of no step
        for step, rows in zip(steps[starts].tolist(), parted, strict=True):
            if step in parts:
                parts[step].append(take_keys(column, rows))
    return {step: joined(columns) for step, columns in parts.items()}


def joined(columns: list[Any]) -> Any:
    """Return the keys of several columns, each once, as one column."""
    if not columns:
        return []
    are_arrays = all(isinstance(one, np.ndarray) and one.dtype.kind in "iuSU" for one in columns)
    if are_arrays and len({one.dtype.kind for one in columns}) == 1:
        every = np.concatenate(columns)
        every = take(every, argsort(every))  # np.unique would answer no signal meanwhile
        is_first = np.ones(len(every), dtype=np.bool_)
        is_first[1:] = every[1:] != every[:-1]
        return every[is_first]
    keys = [key for one in columns for key in one]
    try:
        return list(dict.fromkeys(keys))
    except TypeError:  # a bytearray has no hash
        return keys
