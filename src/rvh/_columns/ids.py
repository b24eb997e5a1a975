"""Node ids: a column of them, and the array that sets the dtype of answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rvh._columns.arrow import has_arrow_export
from rvh._columns.column import KeyColumn, Kind
from rvh._columns.reading import decode_text, read
from rvh._columns.values import is_one_id, key_bytes, plain_id, type_name
from rvh._runtime.slices import array_of, copy
from rvh.errors import RVHError, RVHTypeError, show


def node_column(ids: Any) -> tuple[KeyColumn, np.ndarray]:
    """Return node ids as a column, and as the array that sets the dtype of answers.

    A list of only str becomes a ``U`` array and a list of only bytes an ``S`` array. Where that
    would lose something (mixed types, trailing NULs) the array has dtype object. An Arrow column
    of text is treated as a list of str; an Arrow column of bytes and a ``V`` array as a list of
    bytes. A UUID is its text.
    """
    if isinstance(ids, (str, bytes, bytearray)):
        raise RVHTypeError(
            f"nodes is one {type(ids).__name__} ({show(ids)}): pass a list of ids, "
            "for example ['node1', 'node2']"
        )
    if isinstance(ids, KeyColumn):
        raise RVHTypeError(
            "nodes is a column of composite keys: pass node ids, a list of non-empty str or bytes"
        )
    is_column = has_arrow_export(ids) or (hasattr(ids, "__len__") and hasattr(ids, "__getitem__"))
    if isinstance(ids, (set, frozenset, dict)) or not is_column:
        raise RVHTypeError(
            f"nodes is of type {type(ids).__name__}: pass a list, a tuple or a one-dimensional "
            f"array, for example {_listed(ids)}{_besides(ids)}"
        )
    with read(ids, "nodes") as source:
        nodes = source.without_nulls("nodes")
        if len(nodes) == 0:
            raise RVHError("there are no nodes: pass at least one node id")
        if nodes.kind is Kind.INTEGERS:
            cast = "nodes.astype(str)" if isinstance(ids, np.ndarray) else "list(map(str, nodes))"
            raise RVHTypeError(
                f"nodes is an array of {nodes.values.dtype}: a node id is a non-empty str or "
                f"bytes; cast it first, for example {cast}"
            )
        if nodes.kind in (Kind.BYTES, Kind.STRINGS):
            array = copy(nodes.values)
            return KeyColumn._unchecked(nodes.kind, array, "node id"), array
        values = nodes.slice(0, len(nodes))
        if source.is_text:
            values = [decode_text(value, at, "node id") for at, value in enumerate(values)]
    for position, value in enumerate(values):
        if isinstance(value, (str, bytes)):
            continue
        if is_one_id(value):
            values[position] = plain_id(value)
        else:
            raise _not_an_id_error(value, f"node id at position {position}")
    is_object_array = nodes.kind is Kind.OBJECTS and isinstance(nodes.values, np.ndarray)
    array = object_array(values) if is_object_array else _answer_array(values)
    return KeyColumn._unchecked(Kind.OBJECTS, tuple(values), "node id"), array


def _listed(ids: Any) -> str:
    """The expression that makes a list of ids of what is none."""
    if isinstance(ids, (set, frozenset, dict)):
        try:
            sorted(ids)
        except TypeError:  # of str and bytes
            return "list(nodes)"
        return "sorted(nodes)"
    for name in ("nodes", "ids"):  # a FaultSet, a table, a membership; a ring, buckets
        if hasattr(type(ids), name):
            return f"nodes.{name}"
    return "list(nodes)" if hasattr(ids, "__iter__") else "['node1', 'node2']"


def _besides(ids: Any) -> str:
    """The rest of the advice, where a list of ids would lose something."""
    if isinstance(ids, dict):
        return ", and weights=nodes where the values are weights"
    for name in ("select_batch", "lookup_batch"):  # its answers are not those of its nodes
        if hasattr(type(ids), name):
            return f", or ask it itself, by nodes.{name}(keys)"
    return ""


def node_id(value: Any) -> tuple[Any, bytes]:
    """Return one node id as a set keeps it, and its bytes.

    Examples
    --------
    >>> node_id("node1")
    ('node1', b'node1')
    """
    if not is_one_id(value):
        raise _not_an_id_error(value, "the node id")
    node = plain_id(value)
    data = key_bytes(node, what="node id")
    if not data:
        raise RVHError("the node id is empty: a node id is a non-empty str or bytes")
    return node, data


def _not_an_id_error(value: Any, where: str) -> RVHTypeError:
    return RVHTypeError(
        f"{where} is of type {type_name(value)} ({show(value)}): a node id is a non-empty str or "
        "bytes"
    )


def check_unique(ids: Sequence[bytes]) -> None:
    """Refuse empty and repeated node ids."""
    if b"" in ids:
        raise empty_id_error(ids.index(b""))
    seen: dict[bytes, int] = {}
    for position, node in enumerate(ids):
        first = seen.setdefault(node, position)
        if first != position:
            raise duplicate_id_error(node, first, position)


def empty_id_error(position: int) -> RVHError:
    """Return every backend's error about an empty node id."""
    return RVHError(
        f"node id at position {position} is empty: a node id is a non-empty str or bytes"
    )


def duplicate_id_error(node: bytes, first: int, second: int) -> RVHError:
    """Return every backend's error about a repeated node id."""
    return RVHError(
        f"node id {show(node.decode('utf-8', 'backslashreplace'))} appears at positions {first} "
        f"and {second}: ids are unique in their set (a str and its UTF-8 bytes are the same id)"
    )


def _answer_array(values: Sequence[Any]) -> np.ndarray:
    for kinds, nul in (((str, np.str_), "\0"), ((bytes, np.bytes_), b"\0")):
        # NumPy takes trailing NULs for padding, so such ids stay Python objects.
        if all(type(value) in kinds and value[-1:] != nul for value in values):
            return array_of(values)
    return object_array(values)


def object_array(values: Sequence[Any]) -> np.ndarray:
    """Return an array of dtype object, whatever the values are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def id_at(ids: np.ndarray, position: int) -> Any:
    """Return one id as a Python value, without a list of all of them.

    Examples
    --------
    >>> id_at(np.array(["a", "b"]), 1)
    'b'
    """
    return ids[position : position + 1].tolist()[0]
