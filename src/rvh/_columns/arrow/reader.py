"""Columns of keys from anything that exports Arrow data: arrays, chunked arrays, one-column tables.

Everything that can be checked without reading every element twice is checked: missing buffers,
lengths, descending offsets, codes and runs out of range are errors. The interface does not tell
the size of a buffer: only pyarrow can be asked whether one is too short, and is.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._columns.arrow import NotExportedError, clear_locals
from rvh._columns.arrow.abi import (
    ARRAY,
    GET,
    LAST_ERROR,
    SCHEMA,
    STREAM,
    ArrowArray,
    ArrowArrayStream,
    ArrowSchema,
    Owned,
    array_at,
    move_out,
)
from rvh._columns.column import Chunks, Codes, KeyColumn, Kind, Spans, Views
from rvh._columns.values import READ_INTEGERS, uuid_texts
from rvh.errors import RVHError, RVHTypeError, show

Valid = NDArray[np.bool_] | None
Values = tuple[KeyColumn, Valid]

LENGTH_MAX = 1 << 56  # elements of an array: their bytes can be counted in 64 bits
BYTES_MAX = 1 << 62
BLOCK = 1 << 16  # offsets that are compared at a time


def read(source: Any, name: str) -> tuple[KeyColumn, Valid, bool, Callable[[], None]]:
    """Read the keys of an object with ``__arrow_c_array__`` or ``__arrow_c_stream__``.

    Returns
    -------
    column : KeyColumn
        Over the exporter's memory.
    valid : ndarray of bool, or None
        True where an element has a value; None if no element is null.
    is_text : bool
        True if the column's type is one of Arrow's strings.
    close : callable
        Releases the memory, after which the column cannot be used. If it is not called, the memory
        is released with the column.

    Raises
    ------
    NotExportedError
        The object's method failed.
    RVHTypeError
        The column's type has no bytes.
    RVHError
        The exported data are damaged.
    """
    if str(getattr(source, "dtype", "")) == "Object":
        # Polars exports such a column as the addresses of Python objects, as plain bytes.
        raise RVHTypeError(
            f"{name} has the dtype Object, whose values Polars keeps to itself and cannot "
            "cast: pass them as a list, for example series.to_list()"
        )
    source = _with_sizes_checked(source, name)
    owned: list[Owned] = []
    close = partial(_close, owned)
    try:
        if hasattr(source, "__arrow_c_array__"):
            schema, array = _export(source, "__arrow_c_array__", name, (SCHEMA, ARRAY))
            owned.append(_move_out(schema, SCHEMA, ArrowSchema, name))
            owned.append(_move_out(array, ARRAY, ArrowArray, name))
            arrays: Iterator[Owned] = iter(owned[1:])
        else:
            (stream,) = _export(source, "__arrow_c_stream__", name, (STREAM,))
            owned.append(_move_out(stream, STREAM, ArrowArrayStream, name))
            owned.insert(0, _read_stream(owned[0], "get_schema", ArrowSchema, name))
            arrays = _stream_arrays(owned, name)
        kind = _parse_type(ctypes.addressof(owned[0].struct), name, 0)
        chunks = [_Reader(name, array).values(kind, array.struct) for array in arrays]
        # A stream without arrays still has a type, and so a column or an error.
        return *_concatenate(chunks or [_empty(kind, name)]), kind.is_text, close
    except BaseException as error:
        close()
        clear_locals(error)
        raise


def _with_sizes_checked(source: Any, name: str) -> Any:
    """Return pyarrow's own objects after pyarrow has compared their buffers' sizes.

    It reads a damaged IPC file as it is, and its capsules do not tell the sizes. This takes 0.1 us
    for an array, whatever its length.
    """
    inner, dtype = source, getattr(source, "dtype", None)
    if hasattr(dtype, "pyarrow_dtype") or getattr(dtype, "storage", None) == "pyarrow":
        inner = source.array.__arrow_array__()  # pandas's, around pyarrow's
    pyarrow = sys.modules.get(type(inner).__module__.partition(".")[0])
    if pyarrow is None or pyarrow.__name__ != "pyarrow":
        return source
    if isinstance(inner, pyarrow.RecordBatchReader):
        return pyarrow.RecordBatchReader.from_batches(inner.schema, map(_validated, inner))
    if hasattr(inner, "validate"):
        try:
            inner.validate()
        except pyarrow.ArrowInvalid as error:
            raise _damaged(name, show(str(error), 300)) from None
    return source


def _validated(batch: Any) -> Any:
    batch.validate()
    return batch


def _close(owned: list[Owned]) -> None:
    while owned:
        owned.pop().close()


# -- capsules -------------------------------------------------------------------------------------


def _export(source: Any, method: str, name: str, expected: tuple[bytes, ...]) -> tuple[Any, ...]:
    try:
        exported = getattr(source, method)()
    except Exception as error:
        raise NotExportedError(
            f"{name} is a {type(source).__name__} whose {method}() failed: "
            f"{type(error).__name__}: {show(str(error), 300)}"
        ) from error
    capsules = exported if isinstance(exported, tuple) else (exported,)
    if len(capsules) != len(expected):
        names = " and ".join(each.decode() for each in expected)
        raise RVHError(
            f"{name} is a {type(source).__name__} whose {method}() returned {show(exported)}: the "
            f"Arrow PyCapsule interface asks for {names}"
        )
    return capsules


def _move_out(capsule: Any, what: bytes, kind: type[Any], name: str) -> Owned:
    try:
        return move_out(capsule, what, kind)
    except ValueError as error:
        raise RVHError(
            f"{name} exported {show(capsule)} where an Arrow {what.decode()!r} capsule belongs: "
            f"{error}"
        ) from None


def _stream_arrays(owned: list[Owned], name: str) -> Iterator[Owned]:
    stream = owned[1]
    while True:
        array = _read_stream(stream, "get_next", ArrowArray, name)
        if not array.struct.release:  # the end of the stream
            return
        owned.append(array)
        yield array


def _read_stream(stream: Owned, method: str, kind: type[Any], name: str) -> Owned:
    owned = Owned(kind())  # owned before it is filled: a signal may come right after
    function = getattr(stream.struct, method)
    if not function:
        raise _damaged(name, f"its stream has no {method}")
    this = ctypes.addressof(stream.struct)
    code = GET(function)(this, ctypes.addressof(owned.struct))
    if code != 0:
        owned.struct.release = None  # the struct is not valid after an error
        last_error = stream.struct.get_last_error
        text = LAST_ERROR(last_error)(this) if last_error else None
        reason = text.decode("utf-8", "replace")[:300] if text else "it does not say why"
        raise RVHError(f"{name} is an Arrow stream that ended with error {code}: {reason}")
    return owned


def _damaged(name: str, what: str) -> RVHError:
    return RVHError(f"{name} is damaged Arrow data: {what}; fix the program that exported it")


# -- types ----------------------------------------------------------------------------------------

#: formats of integers -> NumPy dtypes
INTEGERS = dict(zip("cCsSiIlL", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"], strict=True))
#: formats of text and bytes with offsets -> the dtype of the offsets
OFFSETS = {"u": "i4", "z": "i4", "U": "i8", "Z": "i8"}
VIEWS = ("vu", "vz")
TEXT = ("u", "U", "vu")
#: formats of types that contain the keys in a child -> the number of children
INNER = {"+s": 1, "+r": 2}
NESTING_MAX = 16  # types within types
METADATA_MAX = 1 << 20  # entries, or bytes of an entry

FLOATS = READ_INTEGERS + ", or cast it to string if it is meant as that text"
#: prefixes of the formats of types without bytes -> the type's name, and the advice
WITHOUT_BYTES = {
    "n": ("null", "cast it to the type that it should have"),
    "b": ("bool", "cast it to an integer type"),
    "e": ("float16", FLOATS),
    "f": ("float", FLOATS),
    "g": ("double", FLOATS),
    "d": ("decimal", "cast it to int64 or to string"),
    "tdD": ("date32", "cast it to int32 or to string"),
    "tdm": ("date64", "cast it to int64 or to string"),
    "tts": ("time", "cast it to int32 or to string"),
    "ttm": ("time", "cast it to int32 or to string"),
    "tt": ("time", "cast it to int64 or to string"),
    "ts": ("timestamp", "cast it to int64 or to string"),
    "tD": ("duration", "cast it to int64"),
    "ti": ("interval", "cast it to string where it comes from"),
    "+l": ("list", "keys have one dimension"),
    "+L": ("large_list", "keys have one dimension"),
    "+v": ("list_view", "keys have one dimension"),
    "+w": ("fixed_size_list", "keys have one dimension"),
    "+m": ("map", "keys have one dimension"),
    "+u": ("union", "choose one of its children"),
}

UUID = "arrow.uuid"
#: extension types that have bytes -> the formats of their storage;
#: https://arrow.apache.org/docs/format/CanonicalExtensions.html
EXTENSIONS = {UUID: ("w:16",), "arrow.json": TEXT}
#: prefixes of the names of other extension types -> the advice; the longest prefix applies
CASTS = {
    "": "cast it to string, binary or an integer type where it comes from, or choose its storage "
    "as the key: in pyarrow, column.cast(column.type.storage_type)",
    "pandas.": "cast it first, for example series.astype(str)",
    "arrow.bool8": "cast it to an integer type",
    "arrow.opaque": "cast it in the query, for example key::VARCHAR",
    "arrow.fixed_shape_tensor": "keys have one dimension",
    "arrow.variable_shape_tensor": "keys have one dimension",
}


@dataclass(frozen=True)
class _Type:
    format: str
    field: str
    extension: str | None
    about: str  # the extension's own metadata, for the message
    children: tuple[_Type, ...]
    dictionary: _Type | None

    @property
    def is_text(self) -> bool:
        """True if the values are text, also within dictionaries, runs and structs."""
        inner = self.dictionary or (self.children[-1] if self.children else None)
        return inner.is_text if inner else self.format in TEXT or self.extension == UUID


def _parse_type(address: int, name: str, depth: int, recurse: bool = True) -> _Type:
    schema = ArrowSchema.from_address(address)
    if schema.format is None:
        raise _damaged(name, "a type has no format string")
    if depth > NESTING_MAX:
        raise _damaged(name, f"its types are nested more than {NESTING_MAX} deep")
    format_ = schema.format.decode("utf-8", "replace")
    children: list[int] = []
    if recurse and format_ in INNER:  # children of other types do not matter
        children = _pointers(schema.children, schema.n_children, name, "types")
    # With another number of children, only their names are read, for the message.
    recurse = recurse and len(children) in (0, INNER.get(format_))
    extension, about = _parse_extension(schema.metadata, name)
    return _Type(
        format_,
        (schema.name or b"").decode("utf-8", "replace"),
        extension,
        about,
        tuple(_parse_type(child, name, depth + 1, recurse) for child in children),
        _parse_type(schema.dictionary, name, depth + 1) if recurse and schema.dictionary else None,
    )


def _parse_extension(address: int | None, name: str) -> tuple[str | None, str]:
    """Return the extension type in a field's metadata, and the metadata of that type.

    Metadata are a number of pairs; each key and each value is a size and its bytes.
    """
    if not address:
        return None, ""

    def read_number() -> int:
        nonlocal address
        value = int.from_bytes(ctypes.string_at(address, 4), sys.byteorder, signed=True)
        address += 4
        if not 0 <= value <= METADATA_MAX:
            raise _damaged(name, f"metadata of {value} entries or bytes")
        return value

    def read_bytes() -> bytes:
        nonlocal address
        size = read_number()
        address += size
        return ctypes.string_at(address - size, size)

    pairs = {read_bytes(): read_bytes() for _ in range(read_number())}
    extension = pairs.get(b"ARROW:extension:name")
    about = pairs.get(b"ARROW:extension:metadata", b"").decode("utf-8", "replace")
    return None if extension is None else extension.decode("utf-8", "replace"), about


def _pointers(address: int | None, count: int, name: str, what: str) -> list[int]:
    if count == 0:
        return []
    if count < 0 or count > 1 << 20 or not address:
        raise _damaged(name, f"it has {count} {what} at address {address or 0}")
    pointers: list[int] = array_at(address, np.uintp, count, None).tolist()
    if 0 in pointers:
        raise _damaged(name, f"one of its {count} {what} is missing")
    return pointers


def _check_extension(kind: _Type, name: str) -> None:
    """Refuse an extension type whose values may mean something else than their storage."""
    if kind.extension is None or kind.format in EXTENSIONS.get(kind.extension, ()):
        return
    prefix = max(filter(kind.extension.startswith, CASTS), key=len)
    about = f" ({show(kind.about, 120)})" if kind.about else ""
    raise RVHTypeError(
        f"{name} is an Arrow column of the extension type {show(kind.extension)}{about}, which has "
        f"no bytes of its own in rvh: {CASTS[prefix]}"
    )


def check_extensions(source: Any, name: str) -> None:
    """Refuse a column of an extension type that rvh does not read, also where it is not of keys.

    Raises
    ------
    RVHTypeError
        The message names the type.
    """
    try:
        owned: list[Owned] = []
        if hasattr(source, "__arrow_c_array__"):
            schema, _ = _export(source, "__arrow_c_array__", name, (SCHEMA, ARRAY))
            owned.append(_move_out(schema, SCHEMA, ArrowSchema, name))
        else:
            (stream,) = _export(source, "__arrow_c_stream__", name, (STREAM,))
            owned.append(_move_out(stream, STREAM, ArrowArrayStream, name))
            owned.append(_read_stream(owned[0], "get_schema", ArrowSchema, name))
    except NotExportedError:  # its elements are checked one by one later
        return
    try:
        kind: _Type | None = _parse_type(ctypes.addressof(owned[-1].struct), name, 0)
        while kind is not None:
            if kind.extension != "arrow.bool8":
                _check_extension(kind, name)
            kind = kind.dictionary or (kind.children[-1] if kind.children else None)
    finally:
        _close(owned)


def _no_bytes_error(kind: _Type, name: str) -> RVHTypeError:
    if kind.format == "+s":
        fields = ", ".join(show(child.field) for child in kind.children[:8])
        return RVHTypeError(
            f"{name} has {len(kind.children)} columns ({fields}): choose one of them as the key, "
            "or make one key of several with rvh.multi.compose_keys()"
        )
    matching = [prefix for prefix in WITHOUT_BYTES if kind.format.startswith(prefix)]
    if not matching:
        return RVHTypeError(
            f"{name} has the Arrow format {show(kind.format)}, which rvh does not know: cast it to "
            "string, binary or an integer type"
        )
    type_name, advice = WITHOUT_BYTES[max(matching, key=len)]
    return RVHTypeError(
        f"{name} is an Arrow column of type {type_name}, which has no bytes of its own in rvh: "
        f"{advice}"
    )


# -- arrays ---------------------------------------------------------------------------------------


class _Reader:
    """The reader of one array, whose memory the columns keep alive."""

    def __init__(self, name: str, owner: Owned) -> None:
        self._name = name
        self._owner = owner

    def values(self, kind: _Type, array: Any, start: int = 0, count: int | None = None) -> Values:
        """Read elements ``start`` to ``start + count`` of an array, by default all."""
        count = array.length if count is None else count
        if min(array.length, array.offset, start, count) < 0:
            raise self._damaged(f"a length of {array.length} and an offset of {array.offset}")
        if start + count > array.length or array.offset + array.length > LENGTH_MAX:
            raise self._damaged(
                f"elements {start} to {start + count} of an array of {array.length} are referred to"
            )
        first = array.offset + start
        _check_extension(kind, self._name)
        if kind.dictionary is not None:
            return self._dictionary(kind, array, first, count)
        if kind.format == "+r":
            return self._runs(kind, array, first, count)
        if kind.format == "+s" and len(kind.children) == 1:
            child = self._children(array, 1)[0]
            column, valid = self.values(kind.children[0], child, first, count)
            return column, _and(self._valid(array, 1, first, count), valid)
        return self._plain(kind, array, first, count)

    def _plain(self, kind: _Type, array: Any, first: int, count: int) -> Values:
        format_ = kind.format
        if format_ in INTEGERS:
            valid = self._valid(array, 2, first, count)
            return KeyColumn._unchecked(
                Kind.INTEGERS, self._buffer(array, 1, INTEGERS[format_], first, count)
            ), valid
        if format_ in OFFSETS:
            valid = self._valid(array, 3, first, count)
            return KeyColumn._unchecked(
                Kind.SPANS, self._spans(array, OFFSETS[format_], first, count)
            ), valid
        if format_ in VIEWS:
            valid = self._valid(array, 3, first, count)
            return KeyColumn._unchecked(Kind.VIEWS, self._views(array, first, count)), valid
        if format_.startswith("w:"):
            width = format_[2:]
            if not (width.isascii() and width.isdigit() and len(width) <= 10):
                raise self._damaged(f"a type with the format {show(format_)}")
            valid = self._valid(array, 2, first, count)
            values = self._buffer(array, 1, f"V{int(width)}", first, count)
            if kind.extension == UUID:
                values = uuid_texts(values.view(np.uint8).reshape(count, 16))
            return KeyColumn._unchecked(Kind.FIXED, values), valid
        if format_ == "n":  # every element is null
            return _nulls(count), np.broadcast_to(np.False_, count) if count else None
        raise _no_bytes_error(kind, self._name)

    def _spans(self, array: Any, dtype: str, first: int, count: int) -> Spans:
        if count == 0:  # the buffer of offsets may be missing
            return Spans._unchecked(np.empty(0, np.uint8), np.zeros(1, dtype))
        offsets = self._buffer(array, 1, dtype, first, count + 1)
        if offsets[0] < 0:
            raise self._damaged(f"the offset of element 0 is {offsets[0]}")
        for a in range(0, count, BLOCK):
            part = offsets[a : a + BLOCK + 1]
            descending = part[1:] < part[:-1]
            if descending.any():
                at = a + int(descending.argmax())
                raise self._damaged(
                    f"element {at} goes from offset {offsets[at]} to {offsets[at + 1]}"
                )
        end = int(offsets[-1])
        if end == offsets[0]:  # every element is empty
            return Spans._unchecked(np.empty(0, np.uint8), np.zeros(count + 1, dtype))
        return Spans._unchecked(self._buffer(array, 2, "u1", 0, end), offsets)

    def _views(self, array: Any, first: int, count: int) -> Views:
        views = self._buffer(array, 1, "V16", first, count).view(np.int32).reshape(count, 4)
        buffers = array.n_buffers - 3
        sizes = self._buffer(array, array.n_buffers - 1, "i8", 0, buffers).tolist()
        if sizes and min(sizes) < 0:
            raise self._damaged(f"a buffer of {min(sizes)} bytes")
        return Views._unchecked(
            views, [self._buffer(array, 2 + n, "u1", 0, sizes[n]) for n in range(buffers)]
        )

    def _dictionary(self, kind: _Type, array: Any, first: int, count: int) -> Values:
        if kind.format not in INTEGERS:
            raise self._damaged(f"a dictionary with codes of the format {show(kind.format)}")
        if not array.dictionary:
            raise self._damaged("a dictionary is missing")
        assert kind.dictionary is not None
        valid = self._valid(array, 2, first, count)
        codes = self._buffer(array, 1, INTEGERS[kind.format], first, count)
        dictionary = ArrowArray.from_address(array.dictionary)
        categories, category_valid = self.values(kind.dictionary, dictionary)
        return _by_category(categories, category_valid, codes, valid, self._damaged)

    def _runs(self, kind: _Type, array: Any, first: int, count: int) -> Values:
        end_type = kind.children[0] if len(kind.children) == 2 else None
        if end_type is None or end_type.format not in ("s", "i", "l") or end_type.dictionary:
            raise self._damaged("a run-end encoded type without run ends of 16, 32 or 64 bits")
        end_array, value_array = self._children(array, 2)
        end_column, end_valid = self.values(end_type, end_array)
        values, value_valid = self.values(kind.children[1], value_array)
        ends = end_column.values
        ascending = len(ends) == 0 or (ends[0] > 0 and (ends[1:] > ends[:-1]).all())
        if end_valid is not None or len(ends) != len(values) or not ascending:
            raise self._damaged("run ends that do not ascend, or are not one for each run")
        if count > 0 and (len(ends) == 0 or ends[-1] < first + count):
            raise self._damaged(f"runs that end before element {first + count}")
        runs = np.searchsorted(ends, [first, first + count - 1], side="right")
        numbers = np.arange(runs[0], runs[1] + 1 if count else runs[0], dtype=np.int64)
        lengths = np.diff(np.minimum(ends[numbers], first + count).astype(np.int64), prepend=first)
        return _by_category(values, value_valid, np.repeat(numbers, lengths), None, self._damaged)

    # -- memory -----------------------------------------------------------------------------------

    def _valid(self, array: Any, buffers: int, first: int, count: int) -> Valid:
        """Read the bitmap of elements that are not null, and check the number of buffers."""
        if array.n_buffers < buffers or not array.buffers:
            raise self._damaged(f"an array has {array.n_buffers} buffers and not {buffers}")
        if array.null_count < -1 or array.null_count > array.length:
            raise self._damaged(f"{array.null_count} nulls in an array of {array.length}")
        if array.null_count == 0 or count == 0:
            return None
        address = array_at(array.buffers, np.uintp, 1, None)[0]
        if not address:
            if array.null_count > 0:
                raise self._damaged(f"{array.null_count} nulls, but nothing says where")
            return None
        skipped = first % 8
        bits = array_at(int(address) + first // 8, "u1", (skipped + count + 7) // 8, self._owner)
        valid = np.unpackbits(bits, bitorder="little")[skipped : skipped + count].view(np.bool_)
        return _none_if_all(valid)

    def _buffer(self, array: Any, number: int, dtype: str, first: int, count: int) -> NDArray[Any]:
        """Return elements of a buffer, which may be NULL if there are none."""
        kind = np.dtype(dtype)
        if (first + count) * kind.itemsize > BYTES_MAX:
            raise self._damaged(f"{first + count} elements of {kind.itemsize} bytes")
        address = int(array_at(array.buffers, np.uintp, number + 1, None)[number])
        if count > 0 and not address and kind.itemsize > 0:
            raise self._damaged(f"buffer {number} of an array of {array.length} is missing")
        return array_at(address + first * kind.itemsize, kind, count, self._owner)

    def _children(self, array: Any, count: int) -> list[Any]:
        if array.n_children != count:
            raise self._damaged(f"an array has {array.n_children} children and not {count}")
        addresses = _pointers(array.children, count, self._name, "children")
        return [ArrowArray.from_address(address) for address in addresses]

    def _damaged(self, what: str) -> RVHError:
        return _damaged(self._name, what)


def _by_category(
    categories: KeyColumn,
    category_valid: Valid,
    codes: NDArray[Any],
    valid: Valid,
    damaged: Callable[[str], RVHError],
) -> Values:
    """Return elements as codes of categories; an element of a null category is null."""
    if valid is not None:
        codes = np.where(valid, codes, codes.dtype.type(0))  # the code of a null can be anything
        if len(categories) == 0 and not valid.any():
            return _nulls(len(codes)), valid
    if len(codes) > 0 and (codes.min() < 0 or codes.max() >= len(categories)):
        worst = codes.max() if codes.max() >= len(categories) else codes.min()
        raise damaged(f"code {worst} in a dictionary of {len(categories)} categories")
    if category_valid is not None:
        valid = _and(valid, _none_if_all(category_valid[codes]))
        new_codes = np.cumsum(category_valid) - 1  # null categories are left out
        codes = np.where(category_valid[codes], new_codes[codes], 0)
        categories = categories._take(np.flatnonzero(category_valid))
        if len(categories) == 0:
            return _nulls(len(codes)), valid
    return KeyColumn._unchecked(Kind.CODES, Codes._unchecked(categories, codes)), valid


def _nulls(count: int) -> KeyColumn:
    """Return a column of empty elements, which are never read and take no memory."""
    return KeyColumn._unchecked(Kind.FIXED, np.empty(count, "V0"))


def _none_if_all(valid: NDArray[np.bool_]) -> Valid:
    return None if valid.all() else valid


def _and(one: Valid, other: Valid) -> Valid:
    return other if one is None else one if other is None else one & other


def _empty(kind: _Type, name: str) -> Values:
    """Return the empty column of a stream without arrays, or raise the error about its type."""
    inner = kind
    _check_extension(inner, name)
    while inner.dictionary or (inner.children and inner.format in ("+s", "+r")):
        if inner.format == "+s" and len(inner.children) != 1:
            break
        inner = inner.dictionary or inner.children[-1]
        _check_extension(inner, name)
    known = inner.format in (*INTEGERS, *OFFSETS, *VIEWS, "n") or inner.format.startswith("w:")
    if not known:
        raise _no_bytes_error(inner, name)
    return _nulls(0), None


def _dictionary_identity(column: KeyColumn) -> object:
    """Identify a chunk's dictionary by its memory; most chunks of a column share one."""
    if column.kind is not Kind.CODES:
        return None
    categories = column.values.categories
    if categories.rows is not None or categories.kind in (Kind.CHUNKS, Kind.CODES):
        return id(categories)
    values = categories.values
    if categories.kind is Kind.SPANS:
        memory = [values.offsets, values.data]
    else:
        memory = [values.views if categories.kind is Kind.VIEWS else values]
    return categories.kind, len(categories), [array.ctypes.data for array in memory]


def _concatenate(chunks: list[Values]) -> Values:
    """Return chunks as one column; positions count from its first element."""
    if len(chunks) == 1:
        return chunks[0]
    columns: list[KeyColumn] = []
    first = 0
    for _, group in groupby((column for column, _ in chunks), _dictionary_identity):
        parts = list(group)
        column = parts[0]
        if len(parts) > 1 and column.kind is Kind.CODES:  # shared categories are processed once
            codes = np.concatenate([part.values.codes for part in parts])
            parts = [column._replace(values=Codes._unchecked(column.values.categories, codes))]
        for part in parts:
            columns.append(part._replace(first=first))
            first += len(part)
    valid: Valid = None
    if any(mask is not None for _, mask in chunks):
        valid = np.concatenate(
            [np.ones(len(column), np.bool_) if mask is None else mask for column, mask in chunks]
        )
    return columns[0] if len(columns) == 1 else KeyColumn._unchecked(
        Kind.CHUNKS, Chunks(columns)
    ), valid
