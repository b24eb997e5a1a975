"""Several columns at once: composite keys, and several columns of keys.

`compose_keys` and `select_multi` make one key of each row of several columns: the composite key of
the placement contract (`docs/reference/contract.md`, "Bytes"). `select_columns` and `score_columns`
place each of several key columns on its own, over nodes that are prepared once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from rvh._backend import compose
from rvh._columns.column import COMPOSITE
from rvh._columns.values import is_byte_view, is_uuid
from rvh.errors import RVHError, RVHTypeError, show
from rvh.keys import KeyColumn, Kind, Spans, open_keys, part_bytes
from rvh.nodes import NodeSet, as_node_set

if TYPE_CHECKING:
    from rvh.typing import NodeIds, Scheme, Secret, Weights

__all__ = ["compose_keys", "score_columns", "select_columns", "select_multi"]

Name = TypeVar("Name")

#: types of single values, as opposed to columns; `rvh.keys` refuses those without bytes
SINGLE = (str, bytes, bytearray, memoryview, int, float, complex, type(None), np.generic)


def compose_keys(*columns: Any) -> KeyColumn:
    """Make one key of each row of several columns.

    An integer part is its 8 bytes, little-endian. A str or bytes part is its length in 4 bytes,
    little-endian, followed by its bytes, so parts cannot run into each other. Each key is the one
    that `rvh.keys.composite` makes of the row.

    Parameters
    ----------
    *columns : sequence or array of str, bytes or int, shape (M,); or one str, bytes or int
        The parts, in order: any kind in `rvh.keys.KINDS`. A single value is the same in every row;
        at least one part must be a column.

    Returns
    -------
    KeyColumn, length M
        The composite keys, for every call that takes keys. It copies their bytes, and needs about
        8 bytes more for each row. It can be kept, pickled and used by several threads.

    Raises
    ------
    RVHError
        No part, no column among the parts, columns of different lengths, a column that is not
        one-dimensional, a lone surrogate, an integer out of range, a part of 2^32 bytes or more.
        The message names the part, counted from 0, and the first position.
    RVHTypeError
        Values of a type without bytes: bool, float, None, dates.

    Examples
    --------
    >>> import numpy as np, rvh
    >>> from rvh.multi import compose_keys
    >>> keys = compose_keys(np.array([7, 8]), ["UA", "WN"], 2024)
    >>> keys
    KeyColumn(SPANS, 2 keys)
    >>> rvh.select_batch(["alpha", "beta", "gamma"], keys)
    array([['gamma'],
           ['alpha']], dtype='<U5')
    """
    if not columns:
        raise RVHError("a composite key needs at least one part")
    with ExitStack() as stack:
        parts = [
            _open_part(part, f"columns[{number}]", stack) for number, part in enumerate(columns)
        ]
        return compose_parts(parts)


def compose_parts(parts: list[KeyColumn | bytes]) -> KeyColumn:
    """Make the composite keys of parts that are open: columns, and the bytes of single values."""
    return KeyColumn._unchecked(Kind.SPANS, _compose(parts), COMPOSITE)


def select_multi(
    nodes: NodeSet | NodeIds,
    columns: Sequence[Any],
    k: int = 1,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
) -> NDArray[Any]:
    """Select the best `k` nodes of every row of several columns, which together are the key.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,), or NodeSet
    columns : tuple or list
        The parts of the key, as `compose_keys` takes them.
    k : int
        How many, 1 <= k <= N.
    weights, scheme, secret
        As for `NodeSet`; a NodeSet has its own.
    threads : int, optional
        As for `NodeSet.argselect_batch`.

    Returns
    -------
    ndarray, shape (M, k)
        Node ids, best first, in the nodes' own dtype.

    Raises
    ------
    RVHError, RVHTypeError
        As `compose_keys` and `rvh.select_batch`.

    Examples
    --------
    >>> import numpy as np
    >>> from rvh.multi import select_multi
    >>> shard_id, tx_id, epoch = np.array([1, 1]), np.array([42, 43]), 7
    >>> select_multi(["alpha", "beta", "gamma"], (shard_id, tx_id, epoch), k=2)
    array([['beta', 'alpha'],
           ['alpha', 'gamma']], dtype='<U5')
    """
    node_set = as_node_set(nodes, weights, scheme, secret)
    if not isinstance(columns, (tuple, list)):
        raise RVHTypeError(
            f"columns is a {type(columns).__name__}: pass the parts of the key as a tuple, "
            "for example (shard_id, tx_id); the columns of a NumPy table are tuple(table.T)"
        )
    return node_set.select_batch(compose_keys(*columns), k, threads=threads)


@overload
def select_columns(
    nodes: NodeSet | NodeIds,
    columns: Mapping[Name, Any],
    k: int = 1,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
) -> dict[Name, NDArray[Any]]: ...


@overload
def select_columns(
    nodes: NodeSet | NodeIds,
    columns: Sequence[Any],
    k: int = 1,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
) -> list[NDArray[Any]]: ...


def select_columns(
    nodes: NodeSet | NodeIds,
    columns: Mapping[Any, Any] | Sequence[Any],
    k: int = 1,
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
) -> dict[Any, NDArray[Any]] | list[NDArray[Any]]:
    """Select the best `k` nodes of every key of several columns, each column on its own.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,), or NodeSet
        Prepared once for all columns.
    columns : mapping of name to keys, or tuple or list of keys
        Keys as `rvh.select_batch` takes them, or from `compose_keys`; columns may differ in kind
        and in length.
    k : int
        How many, 1 <= k <= N.
    weights, scheme, secret
        As for `NodeSet`; a NodeSet has its own.
    threads : int, optional
        As for `NodeSet.argselect_batch`.

    Returns
    -------
    dict of name to ndarray, or list of ndarray, each of shape (M, k)
        The answer of `rvh.select_batch` for each column, in the order and under the names of
        ``columns``.

    Raises
    ------
    RVHError, RVHTypeError
        As `rvh.select_batch`; the message names the column.

    Examples
    --------
    >>> from rvh.multi import select_columns
    >>> chosen = select_columns(["alpha", "beta"], {"user": ["ann", "bob"], "order": range(1)})
    >>> {name: ids.tolist() for name, ids in chosen.items()}
    {'user': [['alpha'], ['alpha']], 'order': [['beta']]}
    """
    node_set = as_node_set(nodes, weights, scheme, secret)
    with ExitStack() as stack:
        opened = _open_columns(columns, stack)
        answers = [node_set.select_batch(keys, k, threads=threads) for keys in opened.values()]
    return dict(zip(opened, answers, strict=True)) if isinstance(columns, Mapping) else answers


@overload
def score_columns(
    nodes: NodeSet | NodeIds,
    columns: Mapping[Name, Any],
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
) -> dict[Name, NDArray[Any]]: ...


@overload
def score_columns(
    nodes: NodeSet | NodeIds,
    columns: Sequence[Any],
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
) -> list[NDArray[Any]]: ...


def score_columns(
    nodes: NodeSet | NodeIds,
    columns: Mapping[Any, Any] | Sequence[Any],
    *,
    weights: Weights | None = None,
    scheme: Scheme | None = None,
    secret: Secret | None = None,
    threads: int | None = None,
) -> dict[Any, NDArray[Any]] | list[NDArray[Any]]:
    """Score every (key, node) pair of several columns, each column on its own.

    Parameters
    ----------
    nodes, columns, weights, scheme, secret, threads
        As for `select_columns`.

    Returns
    -------
    dict of name to ndarray, or list of ndarray, as `NodeSet.score_batch` gives for each
        column

    Raises
    ------
    RVHError, RVHTypeError
        As `select_columns`.

    Examples
    --------
    >>> from rvh.multi import score_columns
    >>> [scores.shape for scores in score_columns(["alpha", "beta"], (["ann"], range(3)))]
    [(1, 2, 2), (3, 2, 2)]
    """
    node_set = as_node_set(nodes, weights, scheme, secret)
    with ExitStack() as stack:
        opened = _open_columns(columns, stack)
        answers = [node_set.score_batch(keys, threads=threads) for keys in opened.values()]
    return dict(zip(opened, answers, strict=True)) if isinstance(columns, Mapping) else answers


def _compose(parts: list[KeyColumn | bytes]) -> Spans:
    lengths = {n: len(part) for n, part in enumerate(parts) if isinstance(part, KeyColumn)}
    if not lengths:
        raise RVHError(
            "every part is a single value, so nothing says how many keys there are: make one of "
            "them a list, or pass rvh.keys.composite(...) of them as one key"
        )
    rows = next(iter(lengths.values()))
    if set(lengths.values()) != {rows}:
        listed = [f"columns[{n}] has {length}" for n, length in lengths.items()]
        more = ", ..." if len(listed) > 8 else ""
        raise RVHError(
            f"the columns have different lengths: {', '.join(listed[:8])}{more}; pass one element "
            "for each row, or a single value for all of them"
        )
    cuts: set[int] = set()
    for part in parts:
        if isinstance(part, KeyColumn) and part.kind is Kind.CHUNKS:
            cuts.update(part.values.starts.tolist())
    bounds = [0, *sorted(cuts - {0, rows}), rows]
    pieces = [
        compose([_rows_of(part, start, stop) for part in parts], stop - start)
        for start, stop in pairwise(bounds)
    ]
    return pieces[0] if len(pieces) == 1 else _concatenate(pieces)


def _rows_of(part: KeyColumn | bytes, start: int, stop: int) -> KeyColumn | bytes:
    """Return rows of a part as a plain column; they lie within one chunk of each part."""
    if isinstance(part, bytes):
        return part
    if part.kind is Kind.CHUNKS:
        for chunk, first, last, _ in part.values.pieces(start, stop):
            return _rows_of(chunk, first, last)  # the only one
    is_whole = len(part) == stop - start
    return (part if is_whole else part._take(np.arange(start, stop))).plain()


def _concatenate(pieces: list[Spans]) -> Spans:
    ends = np.cumsum([0, *(len(piece.data) for piece in pieces)], dtype=np.uint64)
    offsets = [piece.offsets[1:] + end for piece, end in zip(pieces, ends, strict=False)]
    data = np.concatenate([piece.data for piece in pieces])
    return Spans._unchecked(data, np.concatenate([np.zeros(1, np.uint64), *offsets]))


def _open_part(part: Any, name: str, stack: ExitStack) -> KeyColumn | bytes:
    """Open a column, whose errors name it; of a single value return the bytes."""
    if isinstance(part, memoryview) and not is_byte_view(part):
        raise RVHTypeError(  # it is ambiguous: a column of numbers, or one value of bytes
            f"{name} is a memoryview of numbers: pass numpy.asarray({name}) for a column, or its "
            "bytes, for example view.tobytes(), for a part that is the same in every row"
        )
    if isinstance(part, SINGLE) or is_uuid(part):
        return part_bytes(part, what=f"single value {name}")
    return stack.enter_context(open_keys(part, name)).named(name)


def _open_columns(columns: Any, stack: ExitStack) -> dict[Any, KeyColumn]:
    """Open all columns, by name or number, before the keys of the first are placed."""
    if isinstance(columns, Mapping):
        pairs: Iterator[tuple[Any, Any]] = iter(columns.items())
    elif isinstance(columns, (tuple, list)):
        pairs = enumerate(columns)
    else:
        raise RVHTypeError(
            f"columns is a {type(columns).__name__}: pass a dict of name to keys, or a list of "
            "key columns"
        )
    named = ((name, keys, f"columns[{show(name)}]") for name, keys in pairs)
    return {
        name: stack.enter_context(open_keys(keys, what)).named(what) for name, keys, what in named
    }
