"""The check of a mask: one bool for each node."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["node_mask"]


def node_mask(name: str, mask: Any, nodes: int) -> NDArray[np.bool_]:
    """Return a mask as a bool array of shape (nodes,); messages call it `name`.

    Examples
    --------
    >>> node_mask("alive", [True, False], 2)
    array([ True, False])
    >>> node_mask("alive", [True, False], 3)
    Traceback (most recent call last):
    rvh.errors.RVHError: alive has shape (2,): it needs (3,), one for each node
    """
    if callable(mask):
        raise RVHTypeError(
            f"{name} is {show(mask)}: call it with the node set, and pass the mask that it gives"
        )
    try:
        array = np.asarray(mask)
    except ValueError:  # rows of different length
        raise RVHError(f"{name} is ragged: pass one bool for each node") from None
    if np.ma.is_masked(mask):
        raise RVHError(f"{name} has masked elements: fill them with True or False first")
    if array.dtype != np.bool_:
        raise RVHTypeError(
            f"{name} is an array of {array.dtype}: pass one bool for each node, for example "
            "nodes.ids != 'a'"
        )
    if array.shape != (nodes,):
        raise RVHError(f"{name} has shape {array.shape}: it needs ({nodes},), one for each node")
    return array
