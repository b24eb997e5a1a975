"""The decoders of requests: messages of the service straight to columns of keys."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rvh._columns.column import KeyColumn, Kind, Views
from rvh._columns.requests import (
    ASKED,
    BATCH,
    CHOICES,
    FLAT_CHOICES,
    Asked,
    Batch,
    Fault,
    check_size,
    fault_error,
    form_of,
    integer_column,
    one_form,
    packed_column,
)

# Numbers of fields in selection.proto.
KEYS, TEXTS, INTEGERS, DATA, ENDS, K, WITH_IDS, KNOWN, PINNED = range(1, 10)
# Wire types of protobuf.
VARINT, EIGHT, SIZED, FOUR = 0, 1, 2, 5
WIRE_BYTES = {EIGHT: 8, FOUR: 4}


class _Shape(NamedTuple):
    """A message: the names of its fields, their wire types, and which may come several times."""

    names: tuple[str, ...]
    wires: dict[int, tuple[int, ...]]
    repeated: tuple[int, ...]


_SCALARS = {K: (VARINT,), WITH_IDS: (VARINT,), KNOWN: (SIZED,)}
_BATCH = _Shape(
    BATCH,
    {
        KEYS: (SIZED,),
        TEXTS: (SIZED,),
        INTEGERS: (EIGHT, SIZED),
        DATA: (SIZED,),
        ENDS: (FOUR, SIZED),
        **_SCALARS,
        PINNED: (VARINT,),
    },
    (KEYS, TEXTS, INTEGERS, ENDS),
)
_ASKED = _Shape(ASKED, {KEYS: (SIZED,), TEXTS: (SIZED,), INTEGERS: (EIGHT,), **_SCALARS}, ())
#: the size of an element of a packed field
_PACKED = {INTEGERS: 8, ENDS: 4}

#: where a piece of a field stands; or the value of a varint, twice
Span = tuple[int, int]
Fields = dict[int, list[Span]]


def decode_batch(message: bytes, limit: int) -> Batch:
    """Decode a SelectBatchRequest of protobuf; or a ScoreRequest, or a SelectRequest of one key.

    These have the same numbers for the same fields; one that has no ``k`` (ScoreRequest) leaves
    that to its caller.

    Parameters
    ----------
    message : bytes
    limit : int
        How many keys there may be. More are an error before memory is taken for them.

    Raises
    ------
    MessageError
        The message is malformed, has a field that rvh does not know, gives a field twice that is
        not repeated, or has no keys, too many, or those of two forms.
    """
    check_size(message)
    fields = _scan(message, _BATCH)
    counts = [_count(fields, number) for number in (KEYS, TEXTS, INTEGERS, ENDS)]
    at, end = _last(fields, DATA)
    form = form_of(counts, end - at, limit, CHOICES)
    keys: KeyColumn
    if form == ENDS:
        ends = b"".join(message[a:b] for a, b in fields[ENDS])
        keys = packed_column(message, at, end - at, _offsets(ends))
    elif form == INTEGERS:
        keys = integer_column(b"".join(message[a:b] for a, b in fields[INTEGERS]), 0, counts[2])
    else:
        keys = _views(message, fields[form])
    return Batch(keys, *_scalars(message, fields), bool(_last(fields, PINNED)[0]))


def decode_flat_batch(message: bytes, limit: int) -> Batch:
    """Decode a SelectBatchRequest of FlatBuffers, which is verified wholly.

    Takes and raises what `decode_batch` does.
    """
    check_size(message)
    fields = _verify(message)
    counts = [0, 0, _count(fields, INTEGERS), _count(fields, ENDS)]
    at, end = _last(fields, DATA)
    if form_of(counts, end - at, limit, FLAT_CHOICES) == ENDS:
        ((first, last),) = fields[ENDS]
        keys = packed_column(message, at, end - at, _offsets(message[first:last]))
    else:
        keys = integer_column(message, fields[INTEGERS][0][0], counts[2])
    return Batch(keys, *_scalars(message, fields), bool(_last(fields, PINNED)[0]))


def decode_key(message: bytes) -> Asked:
    """Decode a SelectRequest of protobuf. A text is given as its UTF-8.

    Raises
    ------
    MessageError
        As of `decode_batch`; exactly one of key, text and integer is filled.
    """
    check_size(message)
    fields = _scan(message, _ASKED)
    filled = [number for number in (KEYS, TEXTS, INTEGERS) if number in fields]
    if len(filled) != 1:
        raise one_form(filled)
    ((at, end),) = fields[filled[0]]
    data = message[at:end]
    key = int.from_bytes(data, "little", signed=True) if filled[0] == INTEGERS else data
    return Asked(key, *_scalars(message, fields))


def _count(fields: Fields, number: int) -> int:
    pieces = fields.get(number, [])
    width = _PACKED.get(number)
    return len(pieces) if width is None else sum(end - at for at, end in pieces) // width


def _last(fields: Fields, number: int) -> Span:
    return fields.get(number, [(0, 0)])[-1]


def _scalars(message: bytes, fields: Fields) -> tuple[int | None, bool, str | None]:
    k = fields[K][-1][0] if K in fields else None
    at, end = _last(fields, KNOWN)
    known = message[at:end].decode() if KNOWN in fields else None
    return k, bool(_last(fields, WITH_IDS)[0]), known


def _offsets(ends: bytes) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    offsets = np.zeros(len(ends) // 4 + 1, dtype=np.uint32)
    offsets[1:] = np.frombuffer(ends, dtype="<u4")
    return offsets


def _views(message: bytes, spans: list[Span]) -> KeyColumn:
    views = bytearray()
    for at, end in spans:
        size, data = end - at, message[at:end]
        if size <= Views.INLINE:
            views += struct.pack("=i12s", size, data)
        else:
            views += struct.pack("=i4sii", size, data[:4], 0, at)
    table = np.frombuffer(bytes(views), dtype=np.int32).reshape(-1, 4)
    return KeyColumn._unchecked(
        Kind.VIEWS, Views._unchecked(table, [np.frombuffer(message, dtype=np.uint8)])
    )


def _check_text(message: bytes, span: Span, names: tuple[str, ...], number: int, row: int) -> None:
    try:
        message[span[0] : span[1]].decode()
    except UnicodeDecodeError as error:
        raise fault_error(Fault.UTF8, names, number, row, error.start) from None


# ---- protobuf ----------------------------------------------------------------------------------


def _scan(message: bytes, shape: _Shape) -> Fields:
    fields: Fields = {}
    for at, number, span in _pieces(message, shape):
        pieces = fields.setdefault(number, [])
        if pieces and number not in shape.repeated:
            raise fault_error(Fault.TWICE, shape.names, number, at, 0)
        if number in (TEXTS, KNOWN):
            _check_text(message, span, shape.names, number, len(pieces))
        pieces.append(span)
    return fields


def _pieces(message: bytes, shape: _Shape) -> Iterator[tuple[int, int, Span]]:
    """Yield where each field begins, its number, and where its bytes are."""
    at = 0
    while at < len(message):
        start = at

        def fault(fault: Fault, value: int = 0, number: int = 0) -> Exception:
            return fault_error(fault, shape.names, number, start, value)  # noqa: B023

        tag, at = _varint(message, start, start, shape)
        number, wire = tag >> 3, tag & 7
        if number == 0 or tag >= 1 << 32 or at - start > 5 or wire not in (0, 1, 2, 5):
            raise fault(Fault.TAG)
        if number not in shape.wires:
            raise fault(Fault.UNKNOWN, 0, number)
        if wire not in shape.wires[number]:
            raise fault(Fault.WIRE, wire, number)
        if wire == VARINT:
            value, at = _varint(message, at, start, shape)
            if number == K and value >= 1 << 32:
                raise fault(Fault.RANGE, value, number)
            yield start, number, (value, value)
            continue
        size = WIRE_BYTES.get(wire, 0)
        if wire == SIZED:
            size, at = _varint(message, at, start, shape)
        if size > len(message) - at:
            raise fault(Fault.CUT)
        if size % _PACKED.get(number, 1):
            raise fault(Fault.PACKED, size, number)
        yield start, number, (at, at + size)
        at += size


def _varint(message: bytes, at: int, field: int, shape: _Shape) -> tuple[int, int]:
    """Return the number at a byte, and the byte after it; ``field`` is where the field begins."""
    value = 0
    for shift in range(0, 70, 7):
        if at == len(message):
            raise fault_error(Fault.CUT, shape.names, 0, field, 0)
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            if value >= 1 << 64:
                break
            return value, at
    raise fault_error(Fault.VARINT, shape.names, 0, field, 0)


# ---- FlatBuffers -------------------------------------------------------------------------------

#: the fields of the table in order: their numbers in selection.proto, and the size of an element
#: of vectors
_FLAT = ((DATA, 1), (ENDS, 4), (INTEGERS, 8), (K, 0), (WITH_IDS, 0), (KNOWN, 1), (PINNED, 0))
_BOOLS = (WITH_IDS, PINNED)


def _verify(message: bytes) -> Fields:
    """Find the fields of the root table; nothing in the message leads outside of it."""

    def load(size: int, at: int, field: int, signed: bool = False) -> int:
        """Return the integer of a size at a byte; ``field`` is what led there."""
        require(0 <= at <= len(message) - size, field)
        return int.from_bytes(message[at : at + size], "little", signed=signed)

    def require(true: bool, at: int) -> None:
        if not true:
            raise fault_error(Fault.OFFSET, BATCH, 0, at, 0)

    fields: Fields = {}
    table = load(4, 0, 0)
    vtable = table - load(4, table, 0, signed=True)
    vtable_size = load(2, vtable, table)
    table_size = load(2, vtable + 2, table)
    require(vtable_size >= 4 and vtable_size % 2 == 0, vtable)
    require(vtable_size <= len(message) - vtable, vtable)
    require(4 <= table_size <= len(message) - table, vtable)
    for index in range((vtable_size - 4) // 2):
        slot = vtable + 4 + 2 * index
        offset = load(2, slot, slot)
        if offset == 0:
            continue
        if index >= len(_FLAT):
            raise fault_error(Fault.UNKNOWN, BATCH, index, slot, 0)
        number, width = _FLAT[index]
        own = 1 if number in _BOOLS else 4
        require(4 <= offset <= table_size - own, slot)
        at = table + offset
        value = load(own, at, slot)
        if width == 0:
            fields[number] = [(value, value)]
            continue
        vector = at + value
        size = width * load(4, vector, at)
        text = number == KNOWN
        require(size + text <= len(message) - vector - 4, vector)
        span = vector + 4, vector + 4 + size
        if text:
            require(message[span[1]] == 0, vector)
            _check_text(message, span, BATCH, number, 0)
        fields[number] = [span]
    return fields
