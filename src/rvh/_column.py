"""Columns of keys: where the values of each kind lie, not copied.

A `KeyColumn` is a plain one, whose elements a backend reads, or one of two that are made of others:
chunks one after the other, and codes that each stand for a category. `rvh._answers` takes those
apart, so that a backend sees plain ones alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._values import key_bytes, key_word, part_bytes
from rvh.errors import RVHError

#: of the elements that become Python objects together
BLOCK_BYTES = 4 << 20


class Kind(IntEnum):
    """How the elements of a column are laid out (the native backend has one reader for each)."""

    OBJECTS = 0  # Python objects, one after the other
    BYTES = 1  # NumPy S
    STRINGS = 2  # NumPy U
    INTEGERS = 3  # NumPy integers
    SPANS = 4  # bytes one after another, and where each begins
    FIXED = 5  # bytes of one size, NULs and all
    VIEWS = 6  # short bytes in place, long ones in buffers
    TEXT = 7  # NumPy StringDType
    CHUNKS = 8  # columns one after the other
    CODES = 9  # for each element the number of its category


class Spans:
    """Byte strings one after another: number i is ``data[offsets[i]:offsets[i + 1]]``.

    Parameters
    ----------
    data : ndarray of uint8
    offsets : ndarray of an integer dtype of 4 or 8 bytes, shape (M + 1,)
        Ascending and not negative. Both arrays become read-only: C reads them unchecked.
    """

    __slots__ = ("data", "offsets")

    def __init__(self, data: NDArray[Any], offsets: NDArray[Any]) -> None:
        self.data = np.ascontiguousarray(data, dtype=np.uint8)
        self.offsets = np.ascontiguousarray(offsets)
        self.data.flags.writeable = False
        self.offsets.flags.writeable = False

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, part: slice) -> list[bytes]:
        start, stop, _ = part.indices(len(self))
        data = self.data.data
        return [bytes(data[a:b]) for a, b in pairwise(self.offsets[start : stop + 1].tolist())]

    def __repr__(self) -> str:
        return f"Spans({len(self)} keys, {self.data.nbytes} bytes)"

    def __reduce__(self) -> tuple[Any, ...]:
        return Spans, (self.data, self.offsets)  # read-only again where it is unpickled


class Views:
    """Arrow's string views: 16 bytes an element, and the buffers that long ones point into.

    https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout

    Parameters
    ----------
    views : ndarray of int32, shape (M, 4)
        The size; then up to 12 bytes in place, or their first four, a buffer's number and the place
        in it. A view that points elsewhere is an error of its element.
    buffers : list of ndarray of uint8
    """

    INLINE = 12  # bytes

    __slots__ = ("addresses", "buffers", "sizes", "views")

    def __init__(self, views: NDArray[np.int32], buffers: list[NDArray[np.uint8]]) -> None:
        self.views = views
        self.buffers = buffers
        # What C reads.
        self.addresses = np.array([each.ctypes.data for each in buffers], dtype=np.uint64)
        self.sizes = np.array([each.size for each in buffers], dtype=np.uint64)

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


class Chunks:
    """Columns one after the other, as one.

    Parameters
    ----------
    columns : sequence of KeyColumn
    """

    __slots__ = ("columns", "starts")

    def __init__(self, columns: Sequence[KeyColumn]) -> None:
        self.columns = tuple(columns)
        self.starts: NDArray[np.intp] = np.cumsum([0, *map(len, columns)])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def pieces(self, start: int, stop: int) -> Iterator[tuple[KeyColumn, int, int, int]]:
        """The parts of elements ``start`` to ``stop``: column, from, to, and where it begins."""
        number = int(np.searchsorted(self.starts, start, side="right")) - 1
        while start < stop:
            first, end = int(self.starts[number]), int(self.starts[number + 1])
            if end > start:
                last = min(stop, end)
                yield self.columns[number], start - first, last - first, start
                start = last
            number += 1


class Codes:
    """Elements that are categories: element i is ``categories[codes[i]]``.

    Parameters
    ----------
    categories : KeyColumn
    codes : ndarray of integers, shape (M,)
        Each 0 <= code < len(categories).
    """

    __slots__ = ("categories", "codes")

    def __init__(self, categories: KeyColumn, codes: NDArray[Any]) -> None:
        self.categories = categories
        self.codes = codes

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True, repr=False)
class KeyColumn:
    """Values of one kind, not copied: ``values`` is the caller's own list or array."""

    kind: Kind
    values: Any
    what: str = "key"  # what an error calls one of them
    #: None, or which of the values are the elements (of a plain column)
    rows: NDArray[np.int64] | None = None
    first: int = 0  # the position that an error gives element 0 of the values

    def __repr__(self) -> str:
        # Not the values: they may be gone by the time that an error's variables are printed.
        return f"KeyColumn({self.kind.name}, {len(self)} keys)"

    def __len__(self) -> int:
        return len(self.values) if self.rows is None else len(self.rows)

    def take(self, rows: NDArray[Any]) -> KeyColumn:
        """The column of the elements at ``rows``, which ascend."""
        if self.kind is Kind.CHUNKS:
            cuts = np.searchsorted(rows, self.values.starts)
            parts = zip(self.values.columns, self.values.starts, pairwise(cuts), strict=False)
            chosen = [column.take(rows[a:b] - first) for column, first, (a, b) in parts if b > a]
            return replace(self, values=Chunks(chosen))
        if self.kind is Kind.CODES:
            return replace(self, values=Codes(self.values.categories, self.values.codes[rows]))
        inner = rows if self.rows is None else self.rows[rows]
        return replace(self, rows=np.ascontiguousarray(inner, dtype=np.int64))

    def plain(self) -> KeyColumn:
        """The same elements as a plain column; of chunks there must be one."""
        if self.kind is Kind.CHUNKS:
            only: KeyColumn
            (only,) = self.values.columns
            return only.plain()
        if self.kind is Kind.CODES:
            categories: KeyColumn = self.values.categories
            return categories.take(self.values.codes).plain()
        return self

    def pieces(self) -> list[tuple[KeyColumn, int]]:
        """Plain columns that are this one together, and the row where each begins."""
        if self.kind is not Kind.CHUNKS:
            return [(self.plain(), 0)]
        parts = zip(self.values.columns, self.values.starts.tolist(), strict=False)
        return [(part.plain(), first) for part, first in parts if len(part) > 0]

    def with_plain_chunks(self) -> KeyColumn:
        """The same elements as a plain column, or as chunks of plain columns."""
        if self.kind is not Kind.CHUNKS:
            return self.plain()
        return replace(self, values=Chunks([piece for piece, _ in self.pieces()]))

    def named(self, what: str) -> KeyColumn:
        """The same column, whose errors call an element ``what``."""
        values = self.values
        if self.kind is Kind.CHUNKS:
            values = Chunks([column.named(what) for column in values.columns])
        elif self.kind is Kind.CODES:
            values = Codes(values.categories.named(what), values.codes)
        return replace(self, values=values, what=what)

    def position(self, index: int) -> int:
        """Where the caller's keys have that element."""
        return self.first + (index if self.rows is None else int(self.rows[index]))

    def slice(self, start: int, stop: int) -> list[Any]:
        """Elements ``start`` to ``stop`` as Python objects."""
        if self.kind is Kind.CHUNKS:
            pieces = self.values.pieces(start, stop)
            return [value for column, a, b, _ in pieces for value in column.slice(a, b)]
        if self.kind is Kind.CODES:
            of = self.values.categories
            codes = self.values.codes[start:stop].tolist()
            return [value for code in codes for value in of.slice(code, code + 1)]
        if self.rows is None:
            return self._objects(start, stop)
        rows = self.rows[start:stop].tolist()
        if isinstance(self.values, (list, tuple)):  # a third of the time of what follows
            try:
                return [self.values[row] for row in rows]
            except IndexError:
                raise RVHError("the keys were changed while they were read") from None
        return [value for row in rows for value in self._objects(row, row + 1)]

    def _objects(self, start: int, stop: int) -> list[Any]:
        try:
            part = self.values[start:stop]
        except IndexError:  # of a view
            self._refuse_views(start, stop)
            raise
        if not isinstance(part, np.ndarray):
            part = list(part)
            if len(part) != stop - start:
                raise RVHError("the keys were changed while they were read")
            return part
        if self.kind is Kind.FIXED:
            size = part.dtype.itemsize
            data = part.tobytes()
            return [data[size * n : size * (n + 1)] for n in range(stop - start)]
        try:
            objects: list[Any] = part.tolist()
        except (SystemError, ValueError):  # a U element that holds no Unicode at all
            objects = [
                _numpy_str(element, f"{self.what} at position {self.first + position}")
                for position, element in enumerate(part.reshape(-1, 1), start)
            ]
        return objects

    def _refuse_views(self, start: int, stop: int) -> None:
        for row in range(start, stop):
            try:
                self.values[row : row + 1]
            except IndexError:
                raise RVHError(
                    f"{self.what} at position {self.first + row} is a string view that points "
                    "outside of its buffers: the Arrow array is damaged; mend what exported it"
                ) from None

    def bytes_at(self, index: int) -> bytes:
        """The bytes of one element (the native backend asks here when its fast path declines)."""
        (value,) = self.slice(index, index + 1)
        return key_bytes(value, self.position(index), self.what)

    def part_at(self, index: int) -> bytes:
        """The bytes of one element as a part of a composite key."""
        (value,) = self.slice(index, index + 1)
        return part_bytes(value, self.position(index), self.what)

    def iter_bytes(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes of each element, a block at a time."""
        for index, value in self._values(start, stop):
            yield key_bytes(value, self.position(index), self.what)

    def iter_words(self, start: int = 0, stop: int | None = None) -> Iterator[int]:
        """The word of each element (`key_word`), a block at a time."""
        for index, value in self._values(start, stop):
            yield key_word(value, self.position(index), self.what)

    def _values(self, start: int, stop: int | None) -> Iterator[tuple[int, Any]]:
        stop = len(self) if stop is None else stop
        # Wide elements of arrays become objects a few at a time: a signal waits for them.
        width = getattr(getattr(self.values, "dtype", None), "itemsize", 1)
        step = min(4096, max(1, BLOCK_BYTES // max(1, width)))
        for first in range(start, stop, step):
            last = min(first + step, stop)
            yield from enumerate(self.slice(first, last), first)


def _numpy_str(element: np.ndarray, where: str) -> str:
    try:
        return str(element[0])
    except (SystemError, ValueError):
        raise RVHError(
            f"{where} holds a code point above U+10FFFF, so it is not text: "
            "repair the array it came from"
        ) from None
