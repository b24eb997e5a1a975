"""Keys of a ring of another system: its integers as that system writes them, no composite keys."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._columns.column import COMPOSITE, Chunks, Codes, KeyColumn, Kind, Spans
from rvh._columns.integers import BITS, CONTRACT, foreign_key
from rvh.errors import RVHError, keys_changed

__all__ = ["foreign_column"]

#: numbers written at a time: a signal waits for them, and they stay in the processor's cache
BLOCK = 1 << 15
TENS = np.array([10**n for n in range(1, 20)], dtype=np.uint64)


def foreign_column(column: KeyColumn, integers: str | None) -> KeyColumn:
    """A column whose elements' bytes are those that another system hashes.

    Parameters
    ----------
    column : KeyColumn
    integers : str, optional
        As for `foreign_key`.

    Raises
    ------
    RVHError
        Composite keys; for arrays of integers as `foreign_key`. Of lists that comes as they are
        read.
    """
    if column.what == COMPOSITE:
        raise RVHError(
            "keys are composite keys, whose bytes no other system makes: pass the bytes or the "
            "text that the system of this ring makes of the parts"
        )
    if column.kind is Kind.CHUNKS:
        chunks = [foreign_column(each, integers) for each in column.values.columns]
        return column._with(values=Chunks(chunks))
    if integers == CONTRACT:
        return column
    if column.kind is Kind.OBJECTS:
        return column._with(integers=integers)
    if column.kind is Kind.CODES:
        categories, codes = column.values.categories, column.values.codes
        if categories.kind is Kind.INTEGERS:
            written = _column_of(_numbers(categories), integers, column, codes)
        else:
            written = foreign_column(categories, integers)
        return column._with(values=Codes._unchecked(written, codes))
    if column.kind is Kind.INTEGERS:
        return _column_of(_numbers(column), integers, column, None)
    return column


def _numbers(column: KeyColumn) -> NDArray[Any]:
    numbers: NDArray[Any] = column.values if column.rows is None else column.values[column.rows]
    if numbers.shape != (len(column),) or numbers.dtype.kind not in "iu":
        raise keys_changed()  # the array's shape or dtype was set after the column was made
    return numbers


def _column_of(
    numbers: NDArray[Any], integers: str | None, of: KeyColumn, codes: NDArray[Any] | None
) -> KeyColumn:
    """Numbers as they are written: all the elements of a column, or its categories by code."""
    wrong = _unwritable(numbers, integers)
    if wrong is not None and wrong.any():
        elements = wrong if codes is None else wrong[codes]
        if elements.any():
            row = int(elements.argmax())
            number = numbers[row if codes is None else codes[row]]
            foreign_key(int(number), integers, of.position(row))  # raises
        numbers = np.where(wrong, numbers.dtype.type(0), numbers)  # categories of no element
    if integers in BITS:
        size = BITS[integers] // 8
        written = np.empty(len(numbers), dtype=f">i{size}")
        for at in range(0, len(numbers), BLOCK):
            written[at : at + BLOCK] = numbers[at : at + BLOCK]
        return KeyColumn._unchecked(Kind.FIXED, written.view(f"V{size}"), of.what)
    return KeyColumn._unchecked(Kind.SPANS, _digits(numbers), of.what)


def _unwritable(numbers: NDArray[Any], integers: str | None) -> NDArray[np.bool_] | None:
    """Where numbers cannot be written; None: nowhere."""
    if integers is None:
        return np.ones(len(numbers), dtype=np.bool_)
    bits = BITS.get(integers, 65)
    limits = np.iinfo(numbers.dtype)
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if least <= limits.min and limits.max <= most:
        return None
    wrong: NDArray[np.bool_] = (numbers < max(least, limits.min)) | (
        numbers > min(most, limits.max)
    )
    return wrong


def _digits(numbers: NDArray[Any]) -> Spans:
    """Their decimal digits, which NumPy's own casts make one Python object at a time."""
    written = [_digits_of(numbers[at : at + BLOCK]) for at in range(0, len(numbers), BLOCK)]
    sizes = [each for _, each in written]
    data = np.concatenate([np.empty(0, np.uint8), *(each for each, _ in written)])
    return Spans._unchecked(data, np.cumsum(np.concatenate([np.zeros(1, np.int64), *sizes])))


def _digits_of(numbers: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes one after another, and how many each number has."""
    negative = numbers < 0
    if numbers.dtype.kind == "i":
        signed = numbers.astype(np.int64)
        left = np.where(negative, -signed, signed).view(np.uint64)  # -2^63 too, by wrapping round
    else:
        left = numbers.astype(np.uint64)
    sizes = np.searchsorted(TENS, left, side="right") + 1 + negative
    most = int(sizes.max())
    table = np.empty((len(numbers), most), dtype=np.uint8)
    for at in range(most - 1, -1, -1):
        rest = left // np.uint64(10)
        table[:, at] = left - rest * np.uint64(10) + np.uint64(ord("0"))
        left = rest
    rows = np.flatnonzero(negative)
    table[rows, most - sizes[rows]] = ord("-")
    return table[np.arange(most) >= (most - sizes)[:, None]], sizes
