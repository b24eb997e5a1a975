"""Keys of a ring of another system: integers in that system's encoding, and no composite keys."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._columns.column import COMPOSITE, Chunks, Codes, KeyColumn, Kind, Spans
from rvh._columns.integers import CONTRACT, FIXED, foreign_key
from rvh.errors import RVHError, keys_changed

__all__ = ["foreign_column"]

#: numbers encoded at a time: a signal waits for them, and they stay in the processor's cache
BLOCK = 1 << 15
POWERS_OF_TEN = np.array([10**n for n in range(1, 20)], dtype=np.uint64)


def foreign_column(column: KeyColumn, integers: str | None) -> KeyColumn:
    """Return a column with the bytes that another system hashes.

    Parameters
    ----------
    column : KeyColumn
    integers : str, optional
        As for `foreign_key`.

    Raises
    ------
    RVHError
        Composite keys. For arrays of integers also as `foreign_key`; for lists those errors are
        raised when elements are read.
    """
    if column.what == COMPOSITE:
        raise RVHError(
            "keys are composite keys, whose bytes no other system makes: pass the bytes or the "
            "text that the system of this ring makes of the parts"
        )
    if column.kind is Kind.CHUNKS:
        chunks = [foreign_column(each, integers) for each in column.values.columns]
        return column._replace(values=Chunks(chunks))
    if integers == CONTRACT:
        return column
    if column.kind is Kind.OBJECTS:
        return column._replace(integers=integers)
    if column.kind is Kind.CODES:
        categories, codes = column.values.categories, column.values.codes
        if categories.kind is Kind.INTEGERS:
            encoded = _encode(_numbers(categories), integers, column, codes)
        else:
            encoded = foreign_column(categories, integers)
        return column._replace(values=Codes._unchecked(encoded, codes))
    if column.kind is Kind.INTEGERS:
        return _encode(_numbers(column), integers, column, None)
    return column


def _numbers(column: KeyColumn) -> NDArray[Any]:
    numbers: NDArray[Any] = column.values if column.rows is None else column.values[column.rows]
    if numbers.shape != (len(column),) or numbers.dtype.kind not in "iu":
        raise keys_changed()  # the array's shape or dtype was set after the column was made
    return numbers


def _encode(
    numbers: NDArray[Any], integers: str | None, column: KeyColumn, codes: NDArray[Any] | None
) -> KeyColumn:
    """Encode the numbers of a column: its elements, or its categories where there are codes."""
    invalid = _cannot_encode(numbers, integers)
    if invalid is not None and invalid.any():
        elements = invalid if codes is None else invalid[codes]
        if elements.any():
            row = int(elements.argmax())
            number = numbers[row if codes is None else codes[row]]
            foreign_key(int(number), integers, column.position(row))  # raises
        numbers = np.where(invalid, numbers.dtype.type(0), numbers)  # categories without elements
    if integers in FIXED:
        bits, order = FIXED[integers]
        size = bits // 8
        encoded = np.empty(len(numbers), dtype=f"{'>' if order == 'big' else '<'}i{size}")
        for at in range(0, len(numbers), BLOCK):
            encoded[at : at + BLOCK] = numbers[at : at + BLOCK]
        return KeyColumn._unchecked(Kind.FIXED, encoded.view(f"V{size}"), column.what)
    return KeyColumn._unchecked(Kind.SPANS, _decimal(numbers), column.what)


def _cannot_encode(numbers: NDArray[Any], integers: str | None) -> NDArray[np.bool_] | None:
    """Mark the numbers that have no encoding; None where the dtype excludes such numbers."""
    if integers is None:
        return np.ones(len(numbers), dtype=np.bool_)
    bits = FIXED[integers][0] if integers in FIXED else 65
    limits = np.iinfo(numbers.dtype)
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if low <= limits.min and limits.max <= high:
        return None
    invalid: NDArray[np.bool_] = (numbers < max(low, limits.min)) | (
        numbers > min(high, limits.max)
    )
    return invalid


def _decimal(numbers: NDArray[Any]) -> Spans:
    """Write numbers in decimal; NumPy's own casts make a Python object for each."""
    blocks = [_decimal_block(numbers[at : at + BLOCK]) for at in range(0, len(numbers), BLOCK)]
    data = np.concatenate([np.empty(0, np.uint8), *(digits for digits, _ in blocks)])
    sizes = np.concatenate([np.zeros(1, np.int64), *(sizes for _, sizes in blocks)])
    return Spans._unchecked(data, np.cumsum(sizes))


def _decimal_block(numbers: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Write numbers in decimal: the bytes one after another, and the size of each number."""
    negative = numbers < 0
    if numbers.dtype.kind == "i":
        signed = numbers.astype(np.int64)
        rest = np.where(negative, -signed, signed).view(np.uint64)  # right for -2^63: it wraps
    else:
        rest = numbers.astype(np.uint64)
    sizes = np.searchsorted(POWERS_OF_TEN, rest, side="right") + 1 + negative
    width = int(sizes.max())
    table = np.empty((len(numbers), width), dtype=np.uint8)
    for at in range(width - 1, -1, -1):
        quotient = rest // np.uint64(10)
        table[:, at] = rest - quotient * np.uint64(10) + np.uint64(ord("0"))
        rest = quotient
    rows = np.flatnonzero(negative)
    table[rows, width - sizes[rows]] = ord("-")
    return table[np.arange(width) >= (width - sizes)[:, None]], sizes
