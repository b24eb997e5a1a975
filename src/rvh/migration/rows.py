"""Some of a caller's keys, in a kind that any placement reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys

__all__ = ["as_rows", "take_keys"]


def as_rows(keys: Any) -> Any:
    """Return keys as an array, a list or a tuple; other kinds as a list of their elements."""
    with _keys.open_keys_with_objects(keys) as (_, objects):
        return objects()


def take_keys(keys: Any, rows: NDArray[np.intp]) -> Any:
    """Return the keys at some rows."""
    if isinstance(keys, np.ndarray):
        return keys[rows]
    held = keys if isinstance(keys, (list, tuple)) else as_rows(keys)
    return [held[row] for row in rows.tolist()]
