"""Whatever places keys, asked by protocol: rvh's own placements, and those of anyone else.

A placement has ``select_batch`` or ``lookup_batch``, which give ids, or ``argselect_batch`` or
``arglookup_batch``, which give positions in its ``ids`` (or in those of its ``nodes``). What its
method takes beside the keys (k, threads, places) is read from the method's signature.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._columns.column import KeyColumn
from rvh._runtime.slices import take
from rvh.errors import RVHError, RVHTypeError, show

#: the methods of a placement, and whether they give positions
METHODS = {
    "argselect_batch": True,
    "arglookup_batch": True,
    "select_batch": False,
    "lookup_batch": False,
}
#: keys as a column, for rvh's own placements, and a function that gives them as objects, for others
Keys: TypeAlias = tuple[KeyColumn, Callable[[], Any]]


class _Argselects(Protocol):
    @property
    def argselect_batch(self) -> Callable[..., Any]: ...


class _Arglooks(Protocol):
    @property
    def arglookup_batch(self) -> Callable[..., Any]: ...


class _Selects(Protocol):
    @property
    def select_batch(self) -> Callable[..., Any]: ...


class _Looks(Protocol):
    @property
    def lookup_batch(self) -> Callable[..., Any]: ...


Placement: TypeAlias = _Argselects | _Arglooks | _Selects | _Looks


def as_placement(placement: Any, role: str) -> Any:
    """Return a placement that does not change; raise RVHTypeError for anything else."""
    current = getattr(placement, "_placement", None)  # a RingFace changes, its node set does not
    if current is not None:
        return current()
    if not is_placement(placement):
        raise RVHTypeError(
            f"{role} is of type {type(placement).__name__}: pass a NodeSet, a Ring, a "
            "PartitionTable, or an object with lookup_batch(keys, k)"
        )
    return placement


def is_placement(value: object) -> bool:
    """Tell a placement from node ids and everything else."""
    return any(callable(getattr(value, name, None)) for name in METHODS)


def accepts(placement: Any, argument: str) -> bool:
    """Tell whether a placement's method for many keys takes an argument: k, threads, geohash."""
    return argument in inspect.signature(_method(placement)[1]).parameters


def ids_of(placement: Any, role: str) -> NDArray[Any]:
    """Return the ids that the positions of a placement refer to, shape (N,)."""
    ids = getattr(placement, "ids", None)
    if ids is None or callable(ids):
        nodes = getattr(placement, "nodes", None)
        ids = getattr(nodes, "ids", nodes)
    if ids is None or callable(ids):
        raise RVHTypeError(
            f"{role}, of type {type(placement).__name__}, has neither ids nor nodes, so nothing "
            "says which nodes there are: give it the attribute ids"
        )
    return _keys.node_column(ids)[1]


def is_from_rvh(placement: Any) -> bool:
    """Return whether a placement's method is rvh's own, which can read columns of keys.

    A class derived from one of rvh's classes may have a method of its own.
    """
    kind = type(placement)
    method = getattr(kind, "select_batch", None) or getattr(kind, "lookup_batch", None)
    modules = (kind.__module__, str(getattr(method, "__module__", "")))
    return any(module.partition(".")[0] == "rvh" for module in modules)


def select(
    placement: Any,
    role: str,
    keys: Keys,
    k: int,
    threads: int | None = None,
) -> NDArray[Any]:
    """Select the nodes of keys, shape (M, k).

    The keys are a column, for rvh's own placements, and a function that returns them as objects,
    for others.
    """
    column, objects = keys
    if not hasattr(placement, "select_batch") and not hasattr(placement, "lookup_batch"):
        return take(ids_of(placement, role), positions(placement, role, keys, k, threads))
    if is_from_rvh(placement):
        options = {} if threads is None else {"threads": threads}
        if hasattr(placement, "select_batch"):
            answer = placement.select_batch(column, k, **options)
            return np.asarray(getattr(answer, "nodes", answer))  # of a FaultSet's Replicas
        if hasattr(placement, "partitions"):
            return np.asarray(placement.lookup_batch(column, **options))
        return np.asarray(placement.lookup_batch(column, k, **options))
    if hasattr(placement, "select_batch"):
        answer = placement.select_batch(objects(), k)
        answer = getattr(answer, "nodes", answer)
    else:
        answer = placement.lookup_batch(objects(), k)
    nodes = _as_ids(placement, role, answer, len(column), k)
    check_shape(placement, role, nodes, len(column), k)
    _check_distinct(placement, role, nodes)
    return nodes


def positions(
    placement: Any, role: str, keys: Keys, k: int, threads: int | None = None, **options: Any
) -> NDArray[Any]:
    """Select the nodes of keys as positions in `ids_of`, shape (M, k).

    ``options`` are arguments of the placement's own, such as a GeoSet's ``geohash``.
    """
    column, objects = keys
    name, method = _method(placement)
    if not METHODS[name]:
        return _numbered(placement, role, select(placement, role, keys, k, threads))
    if accepts(placement, "k"):
        options["k"] = k
    if accepts(placement, "threads"):
        options["threads"] = threads
    from_rvh = is_from_rvh(placement)
    answer = method(column if from_rvh else objects(), **options)
    answer = np.asarray(getattr(answer, "nodes", answer))  # of a FaultSet's Replicas
    if len(column) == 0 == answer.size:
        return np.empty((0, k), dtype=np.intp)
    check_shape(placement, role, answer, len(column), k)
    if not from_rvh and answer.size:
        count = len(ids_of(placement, role))
        if answer.dtype.kind not in "iu" or answer.min() < 0 or answer.max() >= count:
            raise RVHTypeError(
                f"{role}, of type {type(placement).__name__}, answers with {show(answer)}: "
                f"{name} gives positions in ids, integers from 0 to {count - 1}"
            )
    return answer


def _method(placement: Any) -> tuple[str, Callable[..., Any]]:
    """Return a placement's method for many keys, and its name: the first that it has."""
    methods = ((name, getattr(placement, name, None)) for name in METHODS)
    return next((name, method) for name, method in methods if callable(method))


def _numbered(placement: Any, role: str, nodes: NDArray[Any]) -> NDArray[np.intp]:
    """Return the positions of ids that a placement answered with."""
    places = {id_bytes(node): n for n, node in enumerate(ids_of(placement, role).tolist())}
    found = [places.get(id_bytes(node), -1) for node in nodes.ravel().tolist()]
    if -1 in found:
        at = found.index(-1)
        raise RVHError(
            f"{role}, of type {type(placement).__name__}, gives the key in row "
            f"{at // nodes.shape[1]} node {show(nodes.ravel()[at])}, which is not among its ids"
        )
    return np.array(found, dtype=np.intp).reshape(nodes.shape)


def select_one(placement: Any, role: str, key: Any, k: int) -> list[Any]:
    if is_from_rvh(placement):
        if hasattr(placement, "select"):
            return list(placement.select(key, k))
        if hasattr(placement, "partitions"):
            return list(placement.lookup(key))
        if hasattr(placement, "lookup"):
            return list(placement.lookup(key, k))
    with _keys.open_keys_with_objects([key]) as opened:
        nodes: list[Any] = select(placement, role, opened, k)[0].tolist()
    return nodes


def _as_ids(placement: Any, role: str, answer: Any, rows: int, k: int) -> NDArray[Any]:
    """Convert the answer of a user's placement to an array of str, bytes, or objects of these."""
    who = f"{role}, of type {type(placement).__name__},"
    if not isinstance(answer, np.ndarray) and hasattr(answer, "__array__"):
        answer = np.asarray(answer)
    if not isinstance(answer, np.ndarray):
        # np.array() would turn everything beside a str into str, and cut NULs at the end.
        elements = list(answer) if isinstance(answer, Iterable) else None
        if elements is None or isinstance(answer, (str, bytes, Mapping)):
            raise RVHTypeError(
                f"{who} answers with a {type(answer).__name__}: a placement gives an array or a "
                "list of lists of ids, shape (keys, k)"
            )
        if any(isinstance(row, (str, bytes)) or not isinstance(row, Iterable) for row in elements):
            answer = _keys.object_array(elements)
        else:
            table = [list(row) for row in elements]
            for number, row in enumerate(table):
                if len(row) != len(table[0]):
                    raise RVHError(
                        f"{who} gives the key in row {number} {len(row)} nodes and that in row 0 "
                        f"{len(table[0])}: a placement gives every key equally many"
                    )
            width = len(table[0]) if table else k
            flat = _keys.object_array([node for row in table for node in row])
            answer = flat.reshape(len(table), width)
    if np.ma.is_masked(answer):
        raise RVHError(
            f"{who} gives the key in row {_first_row(np.ma.getmaskarray(answer))} a masked node: "
            "node ids are str or bytes"
        )
    answer = np.asarray(answer)
    if rows == 0 and answer.size == 0:
        return np.empty((0, k), dtype=object)
    if answer.dtype.kind not in "USTO":
        raise RVHTypeError(
            f"{who} answers with an array of {answer.dtype}: node ids are str or bytes"
        )
    if answer.dtype.kind in "TO":
        answer = answer.astype(object)
        for position, node in enumerate(answer.ravel().tolist()):
            if not isinstance(node, (str, bytes)):
                row = position // (answer.size // len(answer))
                raise RVHTypeError(
                    f"{who} gives the key in row {row} node {show(node)} of type "
                    f"{type(node).__name__}: node ids are str or bytes"
                )
    empty = np.equal(answer, b"" if answer.dtype.kind == "S" else "")
    if answer.dtype.kind == "O":
        empty |= np.equal(answer, b"")
    if empty.any():
        raise RVHError(
            f"{who} gives the key in row {_first_row(empty)} an empty node id: every key has nodes"
        )
    nodes: NDArray[Any] = answer
    return nodes


def _first_row(marked: NDArray[Any]) -> int:
    return int(np.flatnonzero(marked)[0]) // max(1, marked[:1].size)


def check_shape(placement: Any, role: str, nodes: NDArray[Any], rows: int, k: int) -> None:
    who = f"{role}, of type {type(placement).__name__},"
    if nodes.ndim != 2:
        raise RVHTypeError(
            f"{who} answers for {rows} keys in shape {nodes.shape}: a placement gives ids of shape "
            f"({rows}, k)"
        )
    if nodes.shape[1] != k:
        raise RVHError(
            f"{role} gives every key {nodes.shape[1]} nodes, but k is {k}: pass k={nodes.shape[1]}"
        )
    if len(nodes) != rows:
        raise RVHError(f"{who} answers with {len(nodes)} rows for {rows} keys: one each is needed")


def _check_distinct(placement: Any, role: str, nodes: NDArray[Any]) -> None:
    """Reject a node that a key has twice: removed and added nodes would not be equally many."""
    if nodes.shape[1] == 1:
        return
    ordered = np.sort(_as_bytes(nodes) if nodes.dtype.kind == "O" else nodes, axis=1)
    has_repeats = (ordered[:, 1:] == ordered[:, :-1]).astype(np.bool_).any(axis=1)
    if has_repeats.any():
        row = int(has_repeats.argmax())
        ids: list[Any] = nodes[row].tolist()
        first: dict[bytes, int] = {}
        node = next(
            node
            for position, node in enumerate(ids)
            if first.setdefault(id_bytes(node), position) != position
        )
        raise RVHError(
            f"{role}, of type {type(placement).__name__}, gives the key in row {row} node "
            f"{show(node)} twice: a placement gives each node of a key once"
        )


def _as_bytes(nodes: NDArray[Any]) -> NDArray[Any]:
    """Convert ids to their bytes, by which they are compared."""
    return _keys.object_array(list(map(id_bytes, nodes.ravel().tolist()))).reshape(nodes.shape)


def id_bytes(node: Any) -> bytes:
    return _keys.key_bytes(node, what="node id")
