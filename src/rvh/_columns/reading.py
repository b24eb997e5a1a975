"""Reading a caller's keys: their kind is determined without touching the elements.

`column` returns a `KeyColumn`. `open_keys` opens one for the duration of a call and releases Arrow
memory afterwards. `rvh.keys.KINDS` lists what is accepted.
"""

from __future__ import annotations

from array import array as std_array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._columns.arrow import NotExportedError, clear_locals, has_arrow_export
from rvh._columns.column import KeyColumn, Kind
from rvh._columns.values import READ_INTEGERS, elements_of, is_byte_view, is_missing, of_view
from rvh.errors import RVHError, RVHTypeError, keys_changed, show


class _Source(NamedTuple):
    """A caller's keys as a column, with its nulls and the owner of its memory."""

    column: KeyColumn
    valid: NDArray[np.bool_] | None = None  # None: no element is null
    is_text: bool = False  # Arrow text, whose elements are read as bytes
    close: Any = None  # releases foreign memory; the column cannot be used afterwards

    def without_nulls(self, name: str) -> KeyColumn:
        if self.valid is None:
            return self.column
        position = int(np.argmin(self.valid))
        raise RVHTypeError(
            f"{name} has a null at position {position}, which has no bytes: fill it or leave it "
            "out, or use rvh.select_arrow(), which gives null for null"
        )

    def present(self) -> NDArray[np.bool_] | None:
        """Mark the elements that are not null, Python's None and the like among them."""
        column, valid = self.column, self.valid
        if column.kind in (Kind.OBJECTS, Kind.TEXT) and column.rows is None:
            present = ~_missing_mask(column)
            present &= True if valid is None else valid  # the mask of a masked array
            valid = None if present.all() else present
        return valid

    def objects(self, column: KeyColumn) -> list[Any]:
        """Return some elements as a list: Arrow text as str, integers as int, others as bytes."""
        values = column.slice(0, len(column))
        if self.is_text:
            values = [decode_text(value, at, "key") for at, value in enumerate(values)]
        return values

    def __enter__(self) -> _Source:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.close is not None:
            self.close()
            if error is not None:
                clear_locals(error)


def column(keys: Any, name: str = "keys") -> KeyColumn:
    """Classify a caller's keys.

    Parameters
    ----------
    keys : sequence of str, bytes or int, one-dimensional array, or Arrow column
        One of the kinds in `KINDS`. An object with ``__arrow_c_array__`` or ``__arrow_c_stream__``
        is read in place; anything else with ``__array__`` is converted by NumPy first.
    name : str
        The name of the keys in messages.

    Returns
    -------
    KeyColumn
        It keeps the keys' memory alive.

    Raises
    ------
    RVHTypeError
        One key instead of many, an unordered collection, an array type without bytes, or a null.
    RVHError
        An array that is not one-dimensional, or damaged Arrow data.

    Examples
    --------
    >>> column(["a", "b"]).kind
    <Kind.OBJECTS: 0>
    >>> len(column(np.arange(3, dtype=">i2")))
    3
    """
    source = read(keys, name)
    try:
        return source.without_nulls(name)
    except BaseException as error:
        source.__exit__(None, error, None)
        raise


@contextmanager
def open_keys(keys: Any, name: str = "keys") -> Iterator[KeyColumn]:
    """Open `column` for the duration of a call; Arrow memory is released however the call ends."""
    with read(keys, name) as source:
        yield source.without_nulls(name)


@contextmanager
def open_keys_with_nulls(
    keys: Any, name: str = "keys"
) -> Iterator[tuple[KeyColumn, NDArray[np.bool_] | None]]:
    """Open keys that may be null: the column, and a mask of its values (None: no null)."""
    with read(keys, name) as source:
        yield source.column, source.present()


@contextmanager
def open_keys_with_objects(
    keys: Any, name: str = "keys"
) -> Iterator[tuple[KeyColumn, Callable[[], Any]]]:
    """Open keys, with a function that returns them as a list or an array for any code to iterate.

    Lists, tuples and arrays are the caller's own. In the lists made of other columns, Arrow text
    is str, integers are int, and everything else (composite keys too) is bytes.
    """
    with read(keys, name) as source:
        column = source.without_nulls(name)

        def objects() -> Any:
            if type(keys) in (list, tuple) or isinstance(keys, np.ndarray):
                return keys
            return source.objects(column)

        yield column, objects


@contextmanager
def open_present_rows(
    columns: Mapping[str, Any],
) -> Iterator[tuple[list[tuple[KeyColumn, Callable[[], Any]]], NDArray[np.bool_] | None]]:
    """Open several columns of one length, without the rows in which one of them is null.

    Yields each column with a function that returns its elements as objects, and the mask of the
    rows (None: no null).
    """
    with ExitStack() as stack:
        sources = [stack.enter_context(read(keys, name)) for name, keys in columns.items()]
        lengths = [len(source.column) for source in sources]
        if len(set(lengths)) > 1:
            listed = ", ".join(f"{name} has {n}" for name, n in zip(columns, lengths, strict=True))
            raise RVHError(f"the columns have different lengths: {listed}; pass one element a row")
        masks = [mask for source in sources if (mask := source.present()) is not None]
        valid = np.logical_and.reduce(masks) if masks else None
        rows = None if valid is None else np.flatnonzero(valid)
        opened: list[tuple[KeyColumn, Callable[[], Any]]] = []
        for source in sources:
            column = source.column if rows is None else source.column._take(rows)
            opened.append((column, partial(source.objects, column)))
        yield opened, valid


def read(keys: Any, name: str) -> _Source:
    if type(keys) is KeyColumn:
        return _Source(keys)
    if type(keys) is list or type(keys) is tuple:
        return _Source(KeyColumn._unchecked(Kind.OBJECTS, keys))
    if isinstance(keys, memoryview) and not is_byte_view(keys):
        keys = of_view(keys, name)
    if isinstance(keys, (str, bytes, bytearray, memoryview)):
        raise RVHTypeError(
            f"{name} is one {type(keys).__name__} ({show(keys)}), not a sequence of keys: "
            "wrap it in a list, or use select(), rvh.rendezvous_hash() or rvh.stable.jump_hash() "
            "for a single key"
        )
    if isinstance(keys, np.ndarray):
        return _read_array(keys, name)
    if isinstance(keys, std_array):
        return _read_array(np.asarray(keys), name)
    if isinstance(keys, (list, tuple)):
        return _Source(KeyColumn._unchecked(Kind.OBJECTS, elements_of(keys, name)))
    if has_arrow_export(keys):
        from rvh._columns.arrow.reader import read  # imports ctypes, which only Arrow needs

        try:
            return _Source(*read(keys, name))
        except NotExportedError:
            if not hasattr(keys, "__array__"):
                raise
    if hasattr(keys, "__array__"):
        return _read_array(np.asarray(keys), name)
    if isinstance(keys, Sequence):
        return _Source(KeyColumn._unchecked(Kind.OBJECTS, elements_of(keys, name)))
    example = f", for example list({name})" if hasattr(keys, "__iter__") else ""
    raise RVHTypeError(
        f"{name} is a {type(keys).__name__}: pass a list, a tuple, a one-dimensional array or an "
        f"Arrow column{example}"
    )


def _read_array(array: np.ndarray, name: str) -> _Source:
    if array.ndim != 1:
        raise RVHError(
            f"{name} has shape {array.shape}: one dimension is needed; use numpy.ravel({name}) "
            "for one key per element, or "
            f"rvh.multi.compose_keys(*numpy.transpose({name})) for one key per row"
        )
    valid = ~np.ma.getmaskarray(array) if np.ma.is_masked(array) else None
    # A view indexes plainly, whatever the subclass, and nothing else can change its shape.
    array = array.view(np.ndarray)
    dtype = array.dtype
    kind = _ARRAY_KINDS.get(dtype.kind)
    if dtype.kind == "V" and dtype.type is np.void and dtype.names is None:
        kind = Kind.FIXED
    if kind is None:
        cast = _CASTS.get(dtype.kind, "cast it first, for example {0}.astype(str)").format(name)
        if dtype.names:
            cast = f"cast it first, for example {name}[{dtype.names[0]!r}] for one field of it"
        if dtype.kind in "fcmM" and (np.isnat if dtype.kind in "mM" else np.isnan)(array).any():
            cast += "; fill or leave out what is missing first, which a cast makes a key of"
        raise RVHTypeError(
            f"{name} is an array of {dtype}, which has no bytes of its own in rvh: {cast}"
        )
    return _Source(KeyColumn._unchecked(kind, array), valid)


_ARRAY_KINDS = {
    "S": Kind.BYTES,
    "U": Kind.STRINGS,
    "T": Kind.TEXT,
    "i": Kind.INTEGERS,
    "u": Kind.INTEGERS,
    "O": Kind.OBJECTS,
}

#: the advice about an array of another dtype kind
_CASTS = {
    "b": "cast it first, for example {0}.astype(np.int64)",
    "f": READ_INTEGERS + ", or pass {0}.astype(str) if they are meant as that text",
    "M": "cast it first, for example {0}.astype(np.int64) or {0}.astype(str)",
    "m": "cast it first, for example {0}.astype(np.int64)",
}


def _missing_mask(column: KeyColumn) -> NDArray[np.bool_]:
    """Mark the missing values of a column of objects or of a StringDType array."""
    values = column.values
    dtype = getattr(values, "dtype", None)
    if dtype is None or dtype.kind == "O":
        try:
            return np.fromiter(map(is_missing, values), np.bool_, len(column))
        except ValueError:
            raise keys_changed() from None
    missing = getattr(dtype, "na_object", "")
    if isinstance(missing, str):  # a str stands for itself, so nothing is missing
        return np.zeros(len(values), np.bool_)
    return np.fromiter((value is missing for value in values), np.bool_, len(values))


def decode_text(value: Any, position: int, what: str) -> Any:
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        raise RVHError(
            f"{what} at position {position} is not UTF-8, but its Arrow type is text "
            f"({show(value)}): fix the program that exported it, or pass binary"
        ) from None
