"""Keys out of pyarrow arrays, and answers as such, for engines whose functions exchange these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from rvh.errors import RVHError, RVHTypeError, show
from rvh.integrations._placer import Placer, Places


def key_columns(names: Sequence[str], columns: Sequence[Any]) -> dict[str, Any]:
    """The columns of a key by name: those given, or the fields of one struct."""
    kind = getattr(columns[0], "type", None)  # of an array of Python objects there is none
    if len(columns) == 1 and kind is not None and pa.types.is_struct(kind):
        # flatten() also hands the nulls of the struct down.
        fields = [f"{names[0]}.{field.name}" for field in kind]
        return dict(zip(fields, columns[0].flatten(), strict=True))
    return dict(zip(names, columns, strict=True))


def answer_of_columns(
    placer: Placer, names: Sequence[str], columns: Sequence[Any], geohash: Any = None
) -> Places:
    """Ask a placer in a task of an engine; an error about the only column of keys names it."""
    keys = key_columns(names, columns)
    try:
        return placer.places(keys, geohash)
    except RVHError as error:
        if len(keys) > 1:  # it names the column already
            raise
        raise type(error)(f"column {show(names[0])}: {error}") from None


def answer_of_arguments(placer: Placer, arguments: Sequence[Any]) -> Places:
    """Ask a placer for the arguments of a function of SQL; with a GeoSet the last is the place."""
    parts = list(arguments)
    geohash = parts.pop() if placer.needs_geohash and parts else None
    if not parts:
        needed = "a key, and then its geohash" if placer.needs_geohash else "a key"
        raise RVHTypeError(f"the function has {len(arguments)} arguments: pass {needed}")
    return placer.places(
        key_columns([f"argument {n + 1}" for n in range(len(parts))], parts), geohash
    )


def id_array(placer: Placer) -> Any:
    """The ids as a pyarrow array of string, or of binary where one of them is bytes."""
    return pa.array(placer.names)


def null_mask(answer: Places) -> NDArray[np.bool_] | None:
    """The rows that are null, shape (M,); None where none is."""
    return None if answer.valid is None else ~answer.valid


def node_codes(answer: Places, ids: Any) -> Any:
    """The node of each key as a dictionary array, four times as fast to make as text."""
    codes = pa.array(answer.indices[:, 0], mask=null_mask(answer))
    return pa.DictionaryArray.from_arrays(codes, ids)


def nodes_of(answer: Places, ids: Any) -> Any:
    """The nodes of keys as an array of the type of `ids`; for k > 1, of lists of it."""
    k = answer.indices.shape[1]
    if k == 1:
        return nodes_of_rank(answer, ids, 0)
    return lists(ids.take(pa.array(answer.indices.ravel())), k, null_mask(answer))


def nodes_of_rank(answer: Places, ids: Any, rank: int) -> Any:
    """The nodes of one rank, 0 for the best."""
    return ids.take(pa.array(answer.indices[:, rank], mask=null_mask(answer)))


def lists(values: Any, k: int, nulls: NDArray[np.bool_] | None) -> Any:
    """Lists of k values each."""
    ends = np.arange(0, len(values) + 1, k, dtype=np.int32)
    mask = None if nulls is None else pa.array(nulls)
    return pa.ListArray.from_arrays(ends, values, mask=mask)


def new_columns(
    placer: Placer, new: Sequence[str], answer: Places, as_columns: bool
) -> dict[str, Any]:
    """The columns that `with_node` adds, by name."""
    ids = id_array(placer)
    if not as_columns:
        return {new[0]: nodes_of(answer, ids)}
    return {name: nodes_of_rank(answer, ids, rank) for rank, name in enumerate(new)}
