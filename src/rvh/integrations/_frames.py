"""Nodes for a column of keys of a data frame: the work that Dask, Spark and Ray share."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from rvh.errors import RVHError, RVHTypeError, show
from rvh.nodes import NodeSet


def check_names(names: Collection[Any], key: Any, column: Any) -> None:
    """Refuse a key column that is not there and a new column that is."""
    if key not in names:
        raise RVHError(
            f"there is no column {show(key)} to take keys from: choose one of "
            f"{show(list(names), 300)}"
        )
    if not isinstance(column, str):
        raise RVHTypeError(f"column is {show(column)}: pass a str, the name of the new column")
    if column in names:
        raise RVHError(
            f"there is a column {show(column)} already: give the new one another name, column=..."
        )


def answers(nodes: NodeSet, keys: Any, k: int, name: Any) -> Any:
    """Select with `rvh.NodeSet.select_arrow` in a task of an engine; an error names the column.

    An empty column of keys checks their type.
    """
    try:
        # One thread: the engine runs a task on each core already.
        return nodes.select_arrow(keys, k, threads=1)
    except RVHError as error:
        raise type(error)(f"column {show(name)}: {error}") from None


def node_column(nodes: NodeSet, keys: Any, k: int, name: Any) -> Any:
    """The nodes of the keys, null for null.

    Returns
    -------
    pyarrow.Array
        For k = 1 string, for more list of string; binary where the ids are bytes.
    """
    answer = pa.array(answers(nodes, keys, k, name))
    if k == 1:
        return answer.cast(answer.type.value_type)
    return answer.cast(pa.list_(answer.type.value_type.value_type))
