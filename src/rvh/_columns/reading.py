"""The one place where values become bytes: node ids and keys of every accepted kind.

`KINDS` is the table of what is accepted; the documentation and the tests read it. `opened` sorts a
caller's keys into one of its kinds without touching the elements; the backend then walks the
`KeyColumn` in blocks. The rules themselves are `docs/architecture.md`, "Bytes"; `_values.py` has
them in Python, `_column.py` the columns, `_arrow/` what comes through Arrow's C data interface.
"""

from __future__ import annotations

from array import array as std_array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._columns.arrow import NotExportedError, forget_locals
from rvh._columns.column import Chunks, Codes, KeyColumn, Kind, Spans, Views
from rvh._columns.values import (
    PART_MAX,
    READ_INTEGERS,
    buffer_bytes,
    composite,
    elements_of,
    is_byte_view,
    is_one_id,
    key_bytes,
    key_word,
    objects_of,
    of_view,
    part_bytes,
    part_too_long,
    plain_id,
    type_name,
)
from rvh._runtime.slices import array_of, copied
from rvh.errors import RVHError, RVHTypeError, keys_changed, show

__all__ = [
    "KINDS",
    "PART_MAX",
    "Chunks",
    "Codes",
    "KeyColumn",
    "Kind",
    "Spans",
    "Views",
    "buffer_bytes",
    "check_unique",
    "column",
    "composite",
    "duplicate_id_error",
    "elements_of",
    "empty_id_error",
    "is_one_id",
    "key_bytes",
    "key_word",
    "node_column",
    "node_id",
    "object_array",
    "objects_of",
    "of_view",
    "opened",
    "opened_with_nulls",
    "opened_with_objects",
    "part_bytes",
    "part_too_long",
]

#: (kind, what the caller passes, the bytes of one element)
KINDS: tuple[tuple[Kind, str, str], ...] = (
    (Kind.OBJECTS, "list, tuple or object array of str", "its UTF-8; a lone surrogate is an error"),
    (Kind.OBJECTS, "list, tuple or object array of bytes, bytearray, memoryview", "as they are"),
    (
        Kind.OBJECTS,
        "list, tuple or object array of uuid.UUID",
        "its text: 36 characters in lower case",
    ),
    (
        Kind.OBJECTS,
        "list, tuple or object array of int (any NumPy integer too)",
        "8 bytes, little-endian two's complement; -2^63 to 2^64-1",
    ),
    (Kind.BYTES, "NumPy S array", "as NumPy returns the element (trailing NULs are padding)"),
    (Kind.FIXED, "NumPy V array without fields", "as they are, NULs and all"),
    (Kind.STRINGS, "NumPy U array, either byte order", "UTF-8 of what NumPy returns"),
    (Kind.TEXT, "NumPy StringDType array", "its UTF-8; a missing value is null"),
    (
        Kind.INTEGERS,
        "NumPy integer array, any width, sign and byte order",
        "8 bytes, little-endian two's complement",
    ),
    (
        Kind.INTEGERS,
        "array.array or memoryview of integers wider than a byte",
        "as the NumPy array over the same memory",
    ),
    (Kind.INTEGERS, "Arrow integers", "8 bytes, little-endian two's complement"),
    (Kind.SPANS, "Arrow string, large_string, binary, large_binary", "as they are"),
    (Kind.VIEWS, "Arrow string_view, binary_view", "as they are"),
    (Kind.FIXED, "Arrow fixed_size_binary", "as they are, NULs and all"),
    (Kind.FIXED, "Arrow extension type arrow.uuid", "its text: 36 characters in lower case"),
    (Kind.SPANS, "Arrow extension type arrow.json", "its text as it was written"),
    (Kind.CODES, "Arrow dictionary", "those of the category; work is done once a category"),
    (Kind.CODES, "Arrow run_end_encoded", "those of the run's value; work is done once a run"),
    (Kind.CHUNKS, "an Arrow stream of several chunks", "those of each chunk's kind"),
    (Kind.SPANS, "an Arrow struct or table of one column", "those of that column"),
    (Kind.SPANS, "what rvh.multi.compose_keys returns", "the parts of the composite key, in order"),
)


class _Found(NamedTuple):
    """A caller's keys as a column, before anybody asked about nulls."""

    column: KeyColumn
    valid: NDArray[np.bool_] | None = None  # None: no element is null
    is_text: bool = False  # Arrow's, whose elements come as bytes
    close: Any = None  # gives foreign memory back: the column is not used any more

    def without_nulls(self, name: str) -> KeyColumn:
        if self.valid is None:
            return self.column
        position = int(np.argmin(self.valid))
        raise RVHTypeError(
            f"{name} has a null at position {position}, which has no bytes: fill it or leave it "
            "out, or use rvh.select_arrow(), which gives null for null"
        )

    def __enter__(self) -> _Found:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.close is not None:
            self.close()
            if error is not None:
                forget_locals(error)


def column(keys: Any, name: str = "keys") -> KeyColumn:
    """Classify a caller's keys.

    Parameters
    ----------
    keys : sequence of str, bytes or int, one-dimensional array, or Arrow column
        One of the kinds in `KINDS`. An object with ``__arrow_c_array__`` or ``__arrow_c_stream__``
        is read in place; anything else with ``__array__`` is converted by NumPy first.
    name : str
        What the messages call it.

    Returns
    -------
    KeyColumn
        It keeps the keys' memory alive.

    Raises
    ------
    RVHTypeError
        For one key instead of many, an unordered collection, an array type without bytes, a null.
    RVHError
        For arrays that are not one-dimensional, and damaged Arrow data.

    Examples
    --------
    >>> column(["a", "b"]).kind
    <Kind.OBJECTS: 0>
    >>> len(column(np.arange(3, dtype=">i2")))
    3
    """
    found = _read(keys, name)
    try:
        return found.without_nulls(name)
    except BaseException as error:
        found.__exit__(None, error, None)
        raise


@contextmanager
def opened(keys: Any, name: str = "keys") -> Iterator[KeyColumn]:
    """`column` for the time of a call: Arrow memory is given back when it ends, however it ends."""
    with _read(keys, name) as found:
        yield found.without_nulls(name)


@contextmanager
def opened_with_nulls(
    keys: Any, name: str = "keys"
) -> Iterator[tuple[KeyColumn, NDArray[np.bool_] | None]]:
    """`opened` where nulls are allowed: the column, and where it has a value (None: everywhere)."""
    with _read(keys, name) as found:
        column, valid = found.column, found.valid
        if column.kind in (Kind.OBJECTS, Kind.TEXT) and column.rows is None:
            present = ~_missing(column)
            present &= True if valid is None else valid  # that of a masked array
            valid = None if present.all() else present
        yield column, valid


@contextmanager
def opened_with_objects(
    keys: Any, name: str = "keys"
) -> Iterator[tuple[KeyColumn, Callable[[], Any]]]:
    """`opened`, and what gives the same keys as a list or an array that any code can iterate.

    Lists, tuples and arrays are the caller's own. Arrow's text is str, what else is bytes (also
    composite keys) bytes, integers are int.
    """
    with _read(keys, name) as found:
        column = found.without_nulls(name)

        def objects() -> Any:
            if type(keys) in (list, tuple) or isinstance(keys, np.ndarray):
                return keys
            values = column.slice(0, len(column))
            if found.is_text:
                values = [_decoded(value, at, "key") for at, value in enumerate(values)]
            return values

        yield column, objects


def _is_missing(value: object) -> bool:
    """None, NumPy's masked, or pandas's NA, which nobody has to import."""
    return value is None or value is np.ma.masked or type(value).__name__ == "NAType"


def _read(keys: Any, name: str) -> _Found:
    if type(keys) is KeyColumn:
        return _Found(keys)
    if type(keys) is list or type(keys) is tuple:
        return _Found(KeyColumn._made(Kind.OBJECTS, keys))
    if isinstance(keys, memoryview) and not is_byte_view(keys):
        keys = of_view(keys, name)
    if isinstance(keys, (str, bytes, bytearray, memoryview)):
        raise RVHTypeError(
            f"{name} is one {type(keys).__name__} ({show(keys)}), not a sequence of keys: "
            "wrap it in a list, or use select(), rendezvous_hash() or jump_hash() for a single key"
        )
    if isinstance(keys, np.ndarray):
        return _read_array(keys, name)
    if isinstance(keys, std_array):
        return _read_array(np.asarray(keys), name)
    if isinstance(keys, (list, tuple)):
        return _Found(KeyColumn._made(Kind.OBJECTS, elements_of(keys, name)))
    if hasattr(keys, "__arrow_c_array__") or hasattr(keys, "__arrow_c_stream__"):
        from rvh._columns.arrow.reader import read  # ctypes, for those who have Arrow

        try:
            return _Found(*read(keys, name))
        except NotExportedError:
            if not hasattr(keys, "__array__"):
                raise
    if hasattr(keys, "__array__"):
        return _read_array(np.asarray(keys), name)
    if isinstance(keys, Sequence):
        return _Found(KeyColumn._made(Kind.OBJECTS, elements_of(keys, name)))
    raise RVHTypeError(
        f"{name} is a {type(keys).__name__}: pass a list, a tuple, a one-dimensional array or an "
        f"Arrow column, for example list({name})"
    )


def _read_array(array: np.ndarray, name: str) -> _Found:
    if array.ndim != 1:
        raise RVHError(
            f"{name} has shape {array.shape}: one dimension is needed; use {name}.ravel() for one "
            "an element, or a composite key for one key a row"
        )
    valid = ~np.ma.getmaskarray(array) if np.ma.is_masked(array) else None
    # A view: plain indexing whatever the subclass, and a shape that nobody else changes.
    array = array.view(np.ndarray)
    dtype = array.dtype
    kind = _ARRAY_KINDS.get(dtype.kind)
    if dtype.kind == "V" and dtype.type is np.void and dtype.names is None:
        kind = Kind.FIXED
    if kind is None:
        cast = _CASTS.get(dtype.kind, "cast it first, for example {0}.astype(str)").format(name)
        if dtype.names:
            cast = f"cast it first, for example {name}[{dtype.names[0]!r}] for one field of it"
        raise RVHTypeError(
            f"{name} is an array of {dtype}, which has no bytes of its own in rvh: {cast}"
        )
    return _Found(KeyColumn._made(kind, array), valid)


_ARRAY_KINDS = {
    "S": Kind.BYTES,
    "U": Kind.STRINGS,
    "T": Kind.TEXT,
    "i": Kind.INTEGERS,
    "u": Kind.INTEGERS,
    "O": Kind.OBJECTS,
}

#: what to do with an array of another dtype kind
_CASTS = {
    "b": "cast it first, for example {0}.astype(np.int64)",
    "f": READ_INTEGERS + ", or pass {0}.astype(str) if they are meant as that text",
    "M": "cast it first, for example {0}.astype(np.int64) or {0}.astype(str)",
    "m": "cast it first, for example {0}.astype(np.int64)",
}


def _missing(column: KeyColumn) -> NDArray[np.bool_]:
    """Where a column of objects or of a StringDType array has a missing value."""
    values = column.values
    dtype = getattr(values, "dtype", None)
    if dtype is None or dtype.kind == "O":
        try:
            return np.fromiter(map(_is_missing, values), np.bool_, len(column))
        except ValueError:
            raise keys_changed() from None
    absent = getattr(dtype, "na_object", "")
    if isinstance(absent, str):  # which is a value
        return np.zeros(len(values), np.bool_)
    return np.fromiter((value is absent for value in values), np.bool_, len(values))


def node_column(ids: Any) -> tuple[KeyColumn, np.ndarray]:
    """Node ids as a column, and as the array in whose dtype answers are given.

    A list of only str becomes a ``U`` array and a list of only bytes an ``S`` array; where that
    would lose something (mixed types, trailing NULs) the array has dtype object. Of Arrow's columns
    those of text are as a list of str, those of bytes as a list of bytes, and so is a ``V`` array.
    A UUID is its text.
    """
    if isinstance(ids, (str, bytes, bytearray)):
        raise RVHTypeError(
            f"nodes is one {type(ids).__name__} ({show(ids)}): pass a list of ids, "
            "for example ['node1', 'node2']"
        )
    arrow = hasattr(ids, "__arrow_c_array__") or hasattr(ids, "__arrow_c_stream__")
    if isinstance(ids, (set, frozenset, dict)) or not (arrow or hasattr(ids, "__len__")):
        raise RVHTypeError(
            f"nodes is a {type(ids).__name__}: pass a list, a tuple or a one-dimensional array, "
            "for example sorted(nodes)"
        )
    if isinstance(ids, KeyColumn):
        raise RVHTypeError(
            "nodes is a column of composite keys: pass node ids, a list of non-empty str or bytes"
        )
    with _read(ids, "nodes") as found:
        nodes = found.without_nulls("nodes")
        if len(nodes) == 0:
            raise RVHError("there are no nodes: pass at least one node id")
        if nodes.kind is Kind.INTEGERS:
            raise RVHTypeError(
                f"nodes is an array of {nodes.values.dtype}: a node id is a non-empty str or "
                "bytes; cast it first, for example nodes.astype(str)"
            )
        if nodes.kind in (Kind.BYTES, Kind.STRINGS):
            array = copied(nodes.values)
            return KeyColumn._made(nodes.kind, array, "node id"), array
        values = nodes.slice(0, len(nodes))
        if found.is_text:
            values = [_decoded(value, at, "node id") for at, value in enumerate(values)]
    for position, value in enumerate(values):
        if isinstance(value, (str, bytes)):
            continue
        if is_one_id(value):
            values[position] = plain_id(value)
        else:
            raise _no_id_error(value, f"node id at position {position}")
    as_objects = nodes.kind is Kind.OBJECTS and isinstance(nodes.values, np.ndarray)
    array = object_array(values) if as_objects else _answer_array(values)
    return KeyColumn._made(Kind.OBJECTS, tuple(values), "node id"), array


def _decoded(value: Any, position: int, what: str) -> Any:
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        raise RVHError(
            f"{what} at position {position} is no UTF-8, but its Arrow type is text "
            f"({show(value)}): mend what exported it, or pass binary"
        ) from None


def node_id(value: Any) -> tuple[Any, bytes]:
    """One node id as it stands in a set, and its bytes; or the error about it.

    Examples
    --------
    >>> node_id("node1")
    ('node1', b'node1')
    """
    if not is_one_id(value):
        raise _no_id_error(value, "the node id")
    node = plain_id(value)
    data = key_bytes(node, what="node id")
    if not data:
        raise RVHError("the node id is empty: a node id is a non-empty str or bytes")
    return node, data


def _no_id_error(value: Any, where: str) -> RVHTypeError:
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
    """The error of every backend for an empty node id."""
    return RVHError(
        f"node id at position {position} is empty: a node id is a non-empty str or bytes"
    )


def duplicate_id_error(node: bytes, first: int, second: int) -> RVHError:
    """The error of every backend for a node id that stands twice."""
    return RVHError(
        f"node id {show(node.decode('utf-8', 'backslashreplace'))} stands at positions {first} "
        f"and {second}: ids are unique in their set (a str and its UTF-8 bytes are the same id)"
    )


def _answer_array(values: Sequence[Any]) -> np.ndarray:
    for kinds, nul in (((str, np.str_), "\0"), ((bytes, np.bytes_), b"\0")):
        # NumPy would take trailing NULs for padding: such ids stay Python objects.
        if all(type(value) in kinds and value[-1:] != nul for value in values):
            return array_of(values)
    return object_array(values)


def object_array(values: Sequence[Any]) -> np.ndarray:
    """An array of dtype object, whatever the values are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
