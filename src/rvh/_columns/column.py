"""Columns of keys: the values of each kind, read in place.

A `KeyColumn` is plain, or it is made of other columns: chunks that follow one another, or codes
that stand for categories. Backends read plain columns only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._columns.integers import CONTRACT, foreign_key
from rvh._columns.values import is_whole, key_bytes, key_word, objects_of, part_bytes
from rvh._public import exported_by
from rvh.errors import RVHError, RVHTypeError, keys_changed, show

#: the size of the elements that become Python objects together
BLOCK_BYTES = 4 << 20
FIRST_MAX = 1 << 62  # the positions of later elements still fit in 64 bits
#: the name of an element of `rvh.multi.compose_keys`; rings of other systems refuse these by it
COMPOSITE = "composite key"


class Kind(IntEnum):
    """The layout of a column's elements; the native backend has one reader for each."""

    OBJECTS = 0  # Python objects, one after another
    BYTES = 1  # NumPy S
    STRINGS = 2  # NumPy U
    INTEGERS = 3  # NumPy integers
    SPANS = 4  # byte strings one after another, with an offset for each
    FIXED = 5  # byte strings of one size, NULs included
    VIEWS = 6  # short byte strings in place, long ones in buffers
    TEXT = 7  # NumPy StringDType
    CHUNKS = 8  # columns one after another
    CODES = 9  # the number of each element's category


_set = object.__setattr__


class _Frozen:
    """An object whose attributes are set once, because C reads them without a check.

    `__new__` sets them, since `__init__` could be called a second time.
    """

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} never changes: make another one")

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)


class Spans(_Frozen):
    """Byte strings one after another: number i is ``data[offsets[i]:offsets[i + 1]]``.

    Parameters
    ----------
    data : ndarray of uint8, shape (D,)
        Read in place.
    offsets : ndarray of an integer dtype of 4 or 8 bytes, shape (M + 1,)
        Ascending, each from 0 to D. They are copied, because C reads them without a check.

    Raises
    ------
    RVHError, RVHTypeError
        The arrays do not have this form.

    Examples
    --------
    >>> import numpy as np
    >>> from rvh.keys import KeyColumn, Kind, Spans
    >>> words = Spans(np.frombuffer(b"abc", np.uint8), np.array([0, 2, 3]))
    >>> words[:]
    [b'ab', b'c']
    >>> list(KeyColumn(Kind.SPANS, words).iter_bytes())
    [b'ab', b'c']
    """

    __slots__ = ("data", "offsets")

    data: NDArray[np.uint8]
    offsets: NDArray[Any]

    def __new__(cls, data: NDArray[Any], offsets: NDArray[Any]) -> Spans:
        data = _plain_bytes(data, "the data of Spans")
        _check_array(offsets, "the offsets of Spans", 1)
        if offsets.dtype.kind not in "iu" or offsets.dtype.itemsize < 4 or len(offsets) == 0:
            raise RVHTypeError(
                f"the offsets of Spans are {len(offsets)} of {offsets.dtype}: pass one more than "
                "there are elements, as integers of 32 or 64 bits"
            )
        offsets = np.array(offsets, dtype=offsets.dtype.newbyteorder("="), order="C")
        descents = np.flatnonzero(offsets[1:] < offsets[:-1])
        if len(descents) > 0 or offsets[0] < 0 or offsets[-1] > len(data):
            if len(descents) > 0:
                at = 1 + int(descents[0])
            else:
                at = 0 if offsets[0] < 0 else len(offsets) - 1
            raise RVHError(
                f"offset {at} of Spans is {offsets[at]}, after {offsets[max(at - 1, 0)]}: offsets "
                f"ascend, from 0 on and not beyond the {len(data)} bytes of data"
            )
        return cls._unchecked(data, offsets)

    @classmethod
    def _unchecked(cls, data: NDArray[Any], offsets: NDArray[Any]) -> Spans:
        """Make spans of arrays that nothing else refers to, or that were checked before."""
        self = object.__new__(cls)
        _set(self, "data", _read_only(data))
        _set(self, "offsets", _read_only(offsets))
        return self

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, part: slice) -> list[bytes]:
        start, stop, _ = part.indices(len(self))
        data = self.data.data
        return [bytes(data[a:b]) for a, b in pairwise(self.offsets[start : stop + 1].tolist())]

    def __repr__(self) -> str:
        return f"Spans({len(self)} keys, {self.data.nbytes} bytes)"

    def __reduce__(self) -> tuple[Any, ...]:
        return Spans, (self.data, self.offsets)  # checked when it is unpickled


class Views(_Frozen):
    r"""Arrow's string views: 16 bytes for each element, and the buffers of the long ones.

    https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout

    Parameters
    ----------
    views : ndarray of int32, shape (M, 4)
        The size; then up to 12 bytes in place, or the first four bytes, the number of a buffer and
        the offset in it. A view outside of its buffer is an error when that element is read. They
        are copied.
    buffers : sequence of ndarray of uint8, each of one dimension
        Read in place.

    Raises
    ------
    RVHError, RVHTypeError
        The arrays do not have this form.

    Examples
    --------
    >>> import numpy as np
    >>> from rvh.keys import Views
    >>> views = np.frombuffer(b"\x02\0\0\0ab".ljust(16, b"\0"), np.int32).reshape(1, 4)
    >>> Views(views, [])[:]
    [b'ab']
    """

    INLINE = 12  # bytes

    __slots__ = ("addresses", "buffers", "sizes", "views")

    views: NDArray[np.int32]
    buffers: tuple[NDArray[np.uint8], ...]
    addresses: NDArray[np.uint64]
    sizes: NDArray[np.uint64]

    def __new__(cls, views: NDArray[np.int32], buffers: Sequence[NDArray[np.uint8]]) -> Views:
        _check_array(views, "the views of Views", 2)
        if views.dtype != np.int32 or views.shape[1] != 4:
            raise RVHTypeError(
                f"the views of Views are {views.dtype} of shape {views.shape}: pass int32 of "
                "this machine's byte order, shape (M, 4)"
            )
        if type(buffers) not in (list, tuple):
            raise RVHTypeError(
                f"the buffers of Views are a {type(buffers).__name__}: pass a list of arrays"
            )
        plain = [_plain_bytes(part, f"buffer {n} of Views") for n, part in enumerate(buffers)]
        return cls._unchecked(np.array(views, order="C"), plain)

    @classmethod
    def _unchecked(cls, views: NDArray[np.int32], buffers: list[NDArray[np.uint8]]) -> Views:
        """Make views over arrays that were checked before."""
        self = object.__new__(cls)
        _set(self, "views", _read_only(views))
        _set(self, "buffers", tuple(buffers))
        # C reads these two.
        addresses = np.array([each.ctypes.data for each in buffers], dtype=np.uint64)
        _set(self, "addresses", _read_only(addresses))
        _set(self, "sizes", _read_only(np.array([each.size for each in buffers], dtype=np.uint64)))
        return self

    def __len__(self) -> int:
        return len(self.views)

    def __getitem__(self, part: slice) -> list[bytes]:
        return [self._element(view) for view in self.views[part]]

    def _element(self, view: NDArray[np.int32]) -> bytes:
        size, _, number, start = map(int, view)
        if 0 <= size <= self.INLINE:
            return view.tobytes()[4 : 4 + size]
        if min(size, number, start) < 0 or number >= len(self.buffers):
            raise IndexError
        buffer = self.buffers[number]
        if start + size > buffer.size:
            raise IndexError
        return buffer[start : start + size].tobytes()

    def __reduce__(self) -> tuple[Any, ...]:
        return Views, (self.views, self.buffers)


class Chunks(_Frozen):
    """Columns one after another, read as one column. Empty ones are left out.

    Parameters
    ----------
    columns : sequence of KeyColumn
    """

    __slots__ = ("columns", "starts")

    columns: tuple[KeyColumn, ...]
    starts: NDArray[np.intp]

    def __new__(cls, columns: Sequence[KeyColumn]) -> Chunks:
        flat: list[KeyColumn] = []
        for column in columns:
            if type(column) is not KeyColumn:
                raise RVHTypeError(f"a chunk is a {type(column).__name__}: pass KeyColumns")
            inner = column.values.columns if column.kind is Kind.CHUNKS else (column,)
            flat.extend(each for each in inner if len(each) > 0)
        self = object.__new__(cls)
        _set(self, "columns", tuple(flat))
        _set(self, "starts", _read_only(np.cumsum([0, *map(len, flat)], dtype=np.intp)))
        return self

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __reduce__(self) -> tuple[Any, ...]:
        return Chunks, (self.columns,)

    def pieces(self, start: int, stop: int) -> Iterator[tuple[KeyColumn, int, int, int]]:
        """Split elements ``start`` to ``stop`` by chunk.

        Yields
        ------
        column : KeyColumn
        start, stop : int
            The elements of this column.
        first : int
            The position of the first of them in all chunks.
        """
        number = int(np.searchsorted(self.starts, start, side="right")) - 1
        while start < stop:
            first, end = int(self.starts[number]), int(self.starts[number + 1])
            last = min(stop, end)
            yield self.columns[number], start - first, last - first, start
            start = last
            number += 1


class Codes(_Frozen):
    """Elements of a few categories: element i is ``categories[codes[i]]``.

    Parameters
    ----------
    categories : KeyColumn
        Not made of chunks.
    codes : ndarray of integers, shape (M,)
        0 <= code < len(categories). They are copied.
    """

    __slots__ = ("categories", "codes")

    categories: KeyColumn
    codes: NDArray[Any]

    def __new__(cls, categories: KeyColumn, codes: NDArray[Any]) -> Codes:
        if type(categories) is not KeyColumn or categories.kind is Kind.CHUNKS:
            raise RVHTypeError("categories are one KeyColumn that is not made of chunks")
        codes = _copy_indices(codes, len(categories), "codes", np.dtype(np.intp))
        return cls._unchecked(categories, codes)

    @classmethod
    def _unchecked(cls, categories: KeyColumn, codes: NDArray[Any]) -> Codes:
        """Take codes that are known to be in range, in an array that nothing else refers to."""
        self = object.__new__(cls)
        _set(self, "categories", categories)
        _set(self, "codes", _read_only(codes))
        return self

    def __len__(self) -> int:
        return len(self.codes)

    def __reduce__(self) -> tuple[Any, ...]:
        return Codes, (self.categories, self.codes)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Make an array of rvh's own read-only, and return a view that cannot be made writable."""
    array.flags.writeable = False
    view = array.view()
    view.flags.writeable = False
    return view


def _check_array(array: object, what: str, ndim: int) -> None:
    if not isinstance(array, np.ndarray) or array.ndim != ndim:
        shape = f" of shape {array.shape}" if isinstance(array, np.ndarray) else ""
        raise RVHTypeError(
            f"{what} are a {type(array).__name__}{shape}: pass a NumPy array of {ndim} "
            f"dimension{'s' if ndim > 1 else ''}"
        )


def _plain_bytes(array: NDArray[Any], what: str) -> NDArray[np.uint8]:
    """Return a contiguous, read-only view of an array of bytes."""
    _check_array(array, what, 1)
    if array.dtype != np.uint8:
        raise RVHTypeError(f"{what} are {array.dtype}: pass uint8")
    view = np.ascontiguousarray(array).view(np.ndarray)
    view.flags.writeable = False
    return view


def _copy_indices(indices: Any, count: int, what: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Copy indices of elements, 0 <= index < count, because C reads them without a check."""
    _check_array(indices, what, 1)
    if indices.dtype.kind not in "iu":
        raise RVHTypeError(f"{what} are {indices.dtype}: pass integers")
    copy = np.array(indices, dtype=dtype, order="C")
    if len(copy) > 0 and (copy.min() < 0 or copy.max() >= count or indices.max() >= count):
        raise RVHError(
            f"{what} go from {indices.min()} to {indices.max()}: each is from 0 up to, and not "
            f"including, {count}"
        )
    return _read_only(copy)


#: the dtype kinds of the arrays of each kind of column
_DTYPE_KINDS = {
    Kind.OBJECTS: "O",
    Kind.BYTES: "S",
    Kind.STRINGS: "U",
    Kind.INTEGERS: "iu",
    Kind.FIXED: "V",
    Kind.TEXT: "T",
}
#: the type of the values of the other kinds
_VALUE_TYPES = {Kind.SPANS: Spans, Kind.VIEWS: Views, Kind.CHUNKS: Chunks, Kind.CODES: Codes}


def _check_values(kind: Kind, values: Any) -> Any:
    """Return the values as a column keeps them, or raise the error about those of another kind."""
    if not isinstance(kind, Kind):
        raise RVHTypeError(f"kind is {show(kind)}: pass a rvh.keys.Kind")
    if kind in _VALUE_TYPES:
        if type(values) is _VALUE_TYPES[kind]:
            return values
        wanted = _VALUE_TYPES[kind].__name__
    elif kind is Kind.OBJECTS and type(values) in (list, tuple):
        return values
    else:
        if isinstance(values, np.ndarray) and values.ndim == 1:
            plain_void = values.dtype.type is np.void and values.dtype.names is None
            if values.dtype.kind in _DTYPE_KINDS[kind] and (kind is not Kind.FIXED or plain_void):
                return values.view(np.ndarray)  # nothing else can change the shape of this view
        wanted = f"a NumPy array of one dimension and the dtype kind {_DTYPE_KINDS[kind]!r}"
        if kind is Kind.OBJECTS:
            wanted = "a list, a tuple, or " + wanted
    dtype = f" of {values.dtype}" if isinstance(values, np.ndarray) else ""
    raise RVHTypeError(
        f"values of Kind.{kind.name} are {wanted}, not a {type(values).__name__}{dtype}: "
        "rvh.keys.column() finds the kind of any keys"
    )


class _Unfrozen:
    """The attributes of a KeyColumn; setting them here takes a third of the time of `_set`."""

    __slots__ = ("_size", "first", "integers", "kind", "rows", "values", "what")

    kind: Kind
    values: Any
    what: str
    rows: NDArray[np.int64] | None
    first: int
    integers: str | None  # the encoding of integer objects: `rvh._columns.integers`
    _size: int  # the number of values, to notice a list that gets longer or shorter


class KeyColumn(_Frozen, _Unfrozen):
    """Values of one kind, not copied: ``values`` is the caller's list, or a view of its memory.

    `rvh.keys.column` and `rvh.multi.compose_keys` make one. Every call that takes keys takes it.

    Parameters
    ----------
    kind : Kind
    values : list, tuple, ndarray, Spans or Views
        Values of that kind.
    what : str
        The name of one element in errors.
    rows : ndarray of integers, shape (M,), optional
        The indices of the values that are the elements, in any order. They are copied.
    first : int
        The position of ``values[0]`` in errors.

    Raises
    ------
    RVHError, RVHTypeError
        The values are not of that kind, or a row is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from rvh.keys import KeyColumn, Kind
    >>> KeyColumn(Kind.OBJECTS, ["a", "b", "c"], rows=np.array([2, 0])).slice(0, 2)
    ['c', 'a']
    """

    __slots__ = ()

    def __new__(
        cls,
        kind: Kind,
        values: Any,
        what: str = "key",
        rows: NDArray[Any] | None = None,
        first: int = 0,
    ) -> KeyColumn:
        if cls is not KeyColumn:
            raise RVHTypeError("a KeyColumn has no subclasses: C reads its attributes")
        values = _check_values(kind, values)
        if rows is not None:
            if kind in (Kind.CHUNKS, Kind.CODES):
                raise RVHTypeError(f"a column of Kind.{kind.name} has no rows: use take()")
            rows = _copy_indices(rows, len(values), "rows", np.dtype(np.int64))
        if not isinstance(what, str) or not is_whole(first):
            raise RVHTypeError(f"what is {show(what)} and first {show(first)}: pass a str, an int")
        if not 0 <= first <= FIRST_MAX:
            raise RVHError(f"first is {show(first)}: pass a position from 0 to 2^62")
        return KeyColumn._unchecked(kind, values, what, rows, int(first))

    @staticmethod
    def _unchecked(
        kind: Kind,
        values: Any,
        what: str = "key",
        rows: NDArray[Any] | None = None,
        first: int = 0,
        integers: str | None = CONTRACT,
    ) -> KeyColumn:
        """Make a column of values that were checked before; nothing is checked or copied."""
        new: Any = _Unfrozen()
        new.kind = kind
        new.values = values
        new.what = what
        new.rows = rows
        new.first = first
        new.integers = integers
        new._size = len(values)
        new.__class__ = KeyColumn
        column: KeyColumn = new
        return column

    def _replace(self, **changes: Any) -> KeyColumn:
        """Return the same column with other attributes, without a check."""
        column = KeyColumn._unchecked(
            self.kind,
            changes.get("values", self.values),
            changes.get("what", self.what),
            changes.get("rows", self.rows),
            changes.get("first", self.first),
            changes.get("integers", self.integers),
        )
        if column.values is self.values:
            _set(column, "_size", self._size)  # the list may have got longer or shorter since
        return column

    def __reduce__(self) -> tuple[Any, ...]:
        return KeyColumn, (self.kind, self.values, self.what, self.rows, self.first)

    def __repr__(self) -> str:
        # The values are left out: their memory may be released when an error's variables are
        # printed.
        return f"KeyColumn({self.kind.name}, {len(self)} keys)"

    def __len__(self) -> int:
        return self._size if self.rows is None else len(self.rows)

    def take(self, rows: NDArray[Any]) -> KeyColumn:
        """Return the column of the elements at ``rows``, shape (M,), which ascend.

        Raises
        ------
        RVHError, RVHTypeError
            The rows are not integers, are out of range, or do not ascend.
        """
        rows = _copy_indices(rows, len(self), "rows", np.dtype(np.int64))
        if (rows[1:] < rows[:-1]).any():
            raise RVHError("rows do not ascend: sort them")
        return self._take(rows)

    def _take(self, rows: NDArray[Any]) -> KeyColumn:
        """`take` without a check, of rows in an array that nothing else changes."""
        if self.kind is Kind.CHUNKS:
            cuts = np.searchsorted(rows, self.values.starts)
            parts = zip(self.values.columns, self.values.starts, pairwise(cuts), strict=False)
            chunks = [
                column._take(_read_only(rows[a:b] - first))
                for column, first, (a, b) in parts
                if b > a
            ]
            return self._replace(values=Chunks(chunks))
        if self.kind is Kind.CODES:
            codes = Codes._unchecked(self.values.categories, self.values.codes[rows])
            return self._replace(values=codes)
        inner = rows if self.rows is None else _read_only(self.rows[rows])
        inner = np.ascontiguousarray(inner, dtype=np.int64)
        return self._replace(rows=inner)

    def plain(self) -> KeyColumn:
        """Return the same elements as a plain column; there is at most one chunk."""
        if self.kind is Kind.CHUNKS:
            if not self.values.columns:
                return KeyColumn._unchecked(Kind.OBJECTS, (), self.what)
            only: KeyColumn
            (only,) = self.values.columns
            return only.plain()
        if self.kind is Kind.CODES:
            categories: KeyColumn = self.values.categories
            return categories._take(self.values.codes).plain()
        return self

    def pieces(self) -> list[tuple[KeyColumn, int]]:
        """Split into plain columns, each with the number of its first row."""
        if self.kind is not Kind.CHUNKS:
            return [(self.plain(), 0)]
        parts = zip(self.values.columns, self.values.starts.tolist(), strict=False)
        return [(part.plain(), first) for part, first in parts]

    def with_plain_chunks(self) -> KeyColumn:
        """Return the same elements as a plain column, or as chunks of plain columns."""
        if self.kind is not Kind.CHUNKS:
            return self.plain()
        return self._replace(values=Chunks([piece for piece, _ in self.pieces()]))

    def named(self, what: str) -> KeyColumn:
        """Return the same column, whose errors call an element ``what``."""
        values = self.values
        if self.kind is Kind.CHUNKS:
            values = Chunks([column.named(what) for column in values.columns])
        elif self.kind is Kind.CODES:
            values = Codes._unchecked(values.categories.named(what), values.codes)
        return self._replace(values=values, what=what)

    def position(self, index: int) -> int:
        """Return the position of an element in the caller's keys."""
        return self.first + (index if self.rows is None else int(self.rows[index]))

    def slice(self, start: int, stop: int) -> list[Any]:
        """Return elements ``start`` to ``stop`` as Python objects."""
        if self.kind is Kind.CHUNKS:
            pieces = self.values.pieces(start, stop)
            return [value for column, a, b, _ in pieces for value in column.slice(a, b)]
        if self.kind is Kind.CODES:
            categories = self.values.categories
            codes = self.values.codes[start:stop].tolist()
            return [value for code in codes for value in categories.slice(code, code + 1)]
        if self.rows is None:
            return self._objects(start, stop)
        rows = self.rows[start:stop].tolist()
        if isinstance(self.values, (list, tuple)):  # takes a third of the time of the line below
            try:
                elements = [self.values[row] for row in rows]
            except IndexError:
                raise keys_changed() from None
            self._check_size()
            return elements
        return [value for row in rows for value in self._objects(row, row + 1)]

    def _check_size(self) -> None:
        """Refuse a list that got longer or shorter: its elements may have moved."""
        if len(self.values) != self._size:
            raise keys_changed()

    def _objects(self, start: int, stop: int) -> list[Any]:
        try:
            part = self.values[start:stop]
        except IndexError:  # a view outside of its buffer
            self._check_views(start, stop)
            raise
        if not isinstance(part, np.ndarray):
            part = list(part)
            self._check_size()
            return part
        if self.kind is Kind.FIXED:
            size = part.dtype.itemsize
            data = part.tobytes()
            return [data[size * n : size * (n + 1)] for n in range(stop - start)]
        return objects_of(part, self.what, self.first + start)

    def _check_views(self, start: int, stop: int) -> None:
        for row in range(start, stop):
            try:
                self.values[row : row + 1]
            except IndexError:
                raise RVHError(
                    f"{self.what} at position {self.first + row} is a string view that points "
                    "outside of its buffers: the Arrow array is damaged; fix the program that "
                    "exported it"
                ) from None

    def bytes_at(self, index: int) -> bytes:
        """Return the bytes of one element (the native backend's slow path)."""
        (value,) = self.slice(index, index + 1)
        return self.written(value, self.position(index))

    def written(self, value: Any, position: int) -> bytes:
        """Return the bytes of a value (the native backend's way on rings of other systems)."""
        if self.integers != CONTRACT:
            value = foreign_key(value, self.integers, position)
        return key_bytes(value, position, self.what)

    def part_at(self, index: int) -> bytes:
        """Return the bytes of one element as a part of a composite key."""
        (value,) = self.slice(index, index + 1)
        return part_bytes(value, self.position(index), self.what)

    def iter_bytes(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of the elements, read a block at a time."""
        if self.integers == CONTRACT:
            for index, value in self._enumerate(start, stop):
                yield key_bytes(value, self.position(index), self.what)
        else:
            for index, value in self._enumerate(start, stop):
                yield self.written(value, self.position(index))

    def iter_words(self, start: int = 0, stop: int | None = None) -> Iterator[int]:
        """Yield the words of the elements (`key_word`), read a block at a time."""
        for index, value in self._enumerate(start, stop):
            yield key_word(value, self.position(index), self.what)

    def _enumerate(self, start: int, stop: int | None) -> Iterator[tuple[int, Any]]:
        stop = len(self) if stop is None else stop
        # A signal waits for a block, so blocks of wide elements are short.
        width = getattr(getattr(self.values, "dtype", None), "itemsize", 1)
        step = min(4096, max(1, BLOCK_BYTES // max(1, width)))
        for first in range(start, stop, step):
            last = min(first + step, stop)
            yield from enumerate(self.slice(first, last), first)


exported_by("rvh.keys", Kind, Spans, Views, Chunks, Codes, KeyColumn)
