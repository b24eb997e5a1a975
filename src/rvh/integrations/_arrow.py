"""Answers as plain pyarrow arrays, for engines whose functions have to return such.

All calls take one thread: engines call with a few thousand rows, from threads of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from rvh.integrations._common import column_ids
from rvh.nodes import NodeSet


def id_array(node_set: NodeSet) -> Any:
    """The ids as a pyarrow array of string, or of binary where one of them is bytes."""
    return pa.array(column_ids(node_set))


def select(node_set: NodeSet, ids: Any, keys: Any, k: int) -> Any:
    """The nodes of `keys` as a pyarrow array of the type of `ids`; for k > 1, of k in a row."""
    answer = node_set.select_arrow(keys, k, threads=1)
    nulls = null_mask(answer)
    if k == 1:
        return ids.take(pa.array(answer.indices[:, 0], mask=nulls))
    return pa.FixedSizeListArray.from_arrays(
        ids.take(pa.array(answer.indices.ravel())),
        k,
        mask=None if nulls is None else pa.array(nulls),
    )


def select_codes(node_set: NodeSet, ids: Any, keys: Any) -> Any:
    """The node of each of `keys` as a dictionary array, four times as fast to make.

    `ids` is made once, so this is faster than ``pa.array(node_set.select_arrow(keys))``.
    """
    answer = node_set.select_arrow(keys, threads=1)
    return pa.DictionaryArray.from_arrays(
        pa.array(answer.indices[:, 0], mask=null_mask(answer)), ids
    )


def null_mask(answer: Any) -> NDArray[np.bool_] | None:
    """The rows of an answer of `rvh.select_arrow` that are null, shape (M,); None where none is."""
    return None if answer.valid is None else ~answer.valid
