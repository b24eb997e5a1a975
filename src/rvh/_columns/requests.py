"""Requests of the service: what the decoders of both backends make of a message, and its errors.

Every field of a message is known, or the message is refused: one that this version of rvh does not
know may have changed the answer. For the same reason keys come in one form, and a field that is
not repeated comes once, where other parsers take the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._columns.column import KeyColumn, Kind, Spans
from rvh.errors import MessageError

__all__ = [
    "ASKED",
    "BATCH",
    "CHOICES",
    "FLAT_CHOICES",
    "MESSAGE_MAX",
    "Asked",
    "Batch",
    "Fault",
    "check_size",
    "fault_error",
    "form_of",
    "integer_column",
    "one_form",
    "packed_column",
]


class Batch(NamedTuple):
    """The request for a batch of keys.

    Parameters
    ----------
    keys : KeyColumn
        At least one. They are read where they stand in the message, which the column keeps alive.
    k : int, optional
        None where the message does not say.
    with_ids : bool
    known : str, optional
        The fingerprint that the caller knows; None where the message does not say.
    pinned : bool
    """

    keys: KeyColumn
    k: int | None
    with_ids: bool
    known: str | None
    pinned: bool


class Asked(NamedTuple):
    """The request for one key; the fields are those of `Batch`."""

    key: bytes | int
    k: int | None
    with_ids: bool
    known: str | None


#: the names of fields by their numbers in selection.proto: of a batch, and of one key
BATCH = (
    *("", "keys", "texts", "integers", "data", "ends"),
    *("k", "with_ids", "known_fingerprint", "pinned"),
)
ASKED = ("", "key", "text", "integer", "", "", "k", "with_ids", "known_fingerprint")
#: what a caller can fill, for errors
CHOICES = "keys, texts, integers, or data and ends"
FLAT_CHOICES = "integers, or data and ends"

#: offsets in a message have 31 bits
MESSAGE_MAX = 2**31 - 1


class Fault(IntEnum):
    """The mistakes in messages; `rvh_fault` of C has the same numbers."""

    CUT = 1
    VARINT = 2
    TAG = 3
    WIRE = 4
    PACKED = 5
    OFFSET = 6
    UNKNOWN = 7
    TWICE = 8
    RANGE = 9
    UTF8 = 10


def fault_error(fault: int, names: Sequence[str], field: int, at: int, value: int) -> MessageError:
    """Make the error about a fault.

    Parameters
    ----------
    fault : Fault
    names : sequence of str
        `BATCH` or `ASKED`.
    field : int
        The number of the field; 0 for a fault of the message.
    at : int
        The byte of the message where the field begins. Of a text: its position in the field.
    value : int
        What was found: a wire type, a size, a number. Of a text: the byte that is not UTF-8.
    """
    name = names[field] if field < len(names) else ""
    if fault == Fault.UNKNOWN:
        return MessageError(
            "",
            f"field {field} is not known to this version of rvh and may change the answer: leave "
            "it out, or update rvh where the message is read",
        )
    if fault == Fault.TWICE:
        return MessageError(name, "given twice: which one is meant?")
    if fault == Fault.RANGE:
        return MessageError(name, f"{value} is more than 4294967295")
    if fault == Fault.UTF8:
        place = f"{name}[{at}]" if name == "texts" else name
        return MessageError(place, f"not UTF-8 from byte {value} on: send other bytes as a key")
    reason = {
        Fault.CUT: "the message ends inside of this field",
        Fault.VARINT: "a number of more than 64 bits",
        Fault.TAG: "no field of protobuf begins there",
        Fault.WIRE: f"{name} has wire type {value}",
        Fault.PACKED: f"{name} has {value} bytes, which is not a whole number of elements",
        Fault.OFFSET: "the offset or the size there leads outside of the message",
    }[Fault(fault)]
    return MessageError("", f"malformed at byte {at}: {reason}")


def check_size(message: bytes) -> None:
    """Refuse a message whose offsets would not fit in 31 bits."""
    if len(message) > MESSAGE_MAX:
        raise MessageError("", f"{len(message)} bytes: a message has fewer than 2^31")


def form_of(counts: Sequence[int], data: int, limit: int, choices: str) -> int:
    """Return the number of the field that has the keys: 1, 2, 3, or 5 for ends.

    Parameters
    ----------
    counts : sequence of int
        How many keys, texts, integers and ends there are.
    data : int
        The size of ``data``.
    limit : int
        How many keys there may be.
    choices : str
        `CHOICES` or `FLAT_CHOICES`.

    Raises
    ------
    MessageError
        No form is filled, or two; or there are more keys than ``limit``.
    """
    *plain, ends = counts
    filled = [(number, count) for number, count in enumerate(plain, 1) if count]
    if ends or data:
        filled.append((5, ends))
    if not filled:
        raise MessageError("", f"no keys: fill one of {choices}")
    if len(filled) > 1:
        raise _several([BATCH[n] if n < 5 else "data and ends" for n, _ in filled], choices)
    ((number, count),) = filled
    if not count:
        raise MessageError(
            "ends", f"missing: they say where each key in the {data} bytes of data ends"
        )
    if count > limit:
        raise MessageError("", f"{count} keys: at most {limit} in one message")
    return number


def one_form(numbers: Sequence[int]) -> MessageError:
    """Make the error about a request of one key whose filled forms are not one."""
    choices = "key, text, integer"
    if not numbers:
        return MessageError("", f"no key: fill one of {choices}")
    return _several([ASKED[number] for number in numbers], choices)


def _several(names: Sequence[str], choices: str) -> MessageError:
    return MessageError("", f"both {names[0]} and {names[1]} are filled: fill one of {choices}")


def packed_column(message: bytes, at: int, size: int, offsets: NDArray[np.uint32]) -> KeyColumn:
    """Make the column of keys that stand one after another.

    Parameters
    ----------
    message : bytes
    at, size : int
        Where ``data`` are.
    offsets : ndarray of uint32, shape (M + 1,)
        0, and the ends. Nothing else refers to this array.

    Raises
    ------
    MessageError
        The ends descend, or the last one is not the size of ``data``.
    """
    descents = np.flatnonzero(offsets[1:] < offsets[:-1])
    if len(descents) > 0:
        row = int(descents[0])
        raise MessageError(f"ends[{row}]", f"{offsets[row + 1]} after {offsets[row]}: ends ascend")
    if offsets[-1] != size:
        outside = int(np.searchsorted(offsets, size, side="right")) - 1
        row = min(outside, len(offsets) - 2)
        reason = "ends lie in data" if offsets[-1] > size else "the last end is the size of data"
        raise MessageError(
            f"ends[{row}]", f"{offsets[row + 1]}, and data has {size} bytes: {reason}"
        )
    data = np.frombuffer(message, np.uint8, size, at) if size else np.empty(0, np.uint8)
    return KeyColumn._unchecked(Kind.SPANS, Spans._unchecked(data, offsets))


def integer_column(message: Any, at: int, count: int) -> KeyColumn:
    """Make the column of the little-endian integers that begin at a byte of a buffer."""
    return KeyColumn._unchecked(Kind.INTEGERS, np.frombuffer(message, "<i8", count, at))
