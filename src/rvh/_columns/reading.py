"""Reading what a caller passes as keys: its kind is found without touching the elements.

`column` gives a `KeyColumn`; `open_keys` does for the time of a call, after which Arrow memory goes
back. What is accepted is the table `rvh.keys.KINDS`.
"""

from __future__ import annotations

from array import array as std_array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._columns.arrow import NotExportedError, forget_locals
from rvh._columns.column import KeyColumn, Kind
from rvh._columns.values import READ_INTEGERS, elements_of, is_byte_view, of_view
from rvh.errors import RVHError, RVHTypeError, keys_changed, show


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
    found = read(keys, name)
    try:
        return found.without_nulls(name)
    except BaseException as error:
        found.__exit__(None, error, None)
        raise


@contextmanager
def open_keys(keys: Any, name: str = "keys") -> Iterator[KeyColumn]:
    """`column` for the time of a call: Arrow memory is given back when it ends, however it ends."""
    with read(keys, name) as found:
        yield found.without_nulls(name)


@contextmanager
def open_keys_with_nulls(
    keys: Any, name: str = "keys"
) -> Iterator[tuple[KeyColumn, NDArray[np.bool_] | None]]:
    """`open_keys` where nulls are allowed: the column, and where it has values (None: all)."""
    with read(keys, name) as found:
        column, valid = found.column, found.valid
        if column.kind in (Kind.OBJECTS, Kind.TEXT) and column.rows is None:
            present = ~_missing(column)
            present &= True if valid is None else valid  # that of a masked array
            valid = None if present.all() else present
        yield column, valid


@contextmanager
def open_keys_with_objects(
    keys: Any, name: str = "keys"
) -> Iterator[tuple[KeyColumn, Callable[[], Any]]]:
    """`open_keys`, and what gives the same keys as a list or an array that any code can iterate.

    Lists, tuples and arrays are the caller's own. Arrow's text is str, what else is bytes (also
    composite keys) bytes, integers are int.
    """
    with read(keys, name) as found:
        column = found.without_nulls(name)

        def objects() -> Any:
            if type(keys) in (list, tuple) or isinstance(keys, np.ndarray):
                return keys
            values = column.slice(0, len(column))
            if found.is_text:
                values = [decoded(value, at, "key") for at, value in enumerate(values)]
            return values

        yield column, objects


def _is_missing(value: object) -> bool:
    """None, NumPy's masked, or pandas's NA, which nobody has to import."""
    return value is None or value is np.ma.masked or type(value).__name__ == "NAType"


def read(keys: Any, name: str) -> _Found:
    if type(keys) is KeyColumn:
        return _Found(keys)
    if type(keys) is list or type(keys) is tuple:
        return _Found(KeyColumn._unchecked(Kind.OBJECTS, keys))
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
        return _Found(KeyColumn._unchecked(Kind.OBJECTS, elements_of(keys, name)))
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
        return _Found(KeyColumn._unchecked(Kind.OBJECTS, elements_of(keys, name)))
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
    return _Found(KeyColumn._unchecked(kind, array), valid)


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


def decoded(value: Any, position: int, what: str) -> Any:
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        raise RVHError(
            f"{what} at position {position} is no UTF-8, but its Arrow type is text "
            f"({show(value)}): mend what exported it, or pass binary"
        ) from None
