"""The check of sizes of keys, and the whole numbers that loads are added up in."""

from __future__ import annotations

from fractions import Fraction
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import as_index, real_number
from rvh._columns.values import of_view
from rvh._runtime.slices import slices
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["Sizes", "as_bytes", "as_sizes"]

#: bits of the sum of all units, so that it and one key more fit in 64 bits with a sign
SUM_BITS = 61


class Sizes(NamedTuple):
    """Sizes as whole numbers of a unit, so that their sums are exact in any order.

    Parameters
    ----------
    units : ndarray of uint64, shape (M,)
        At least 1 each, less than 2^62 together.
    exponent : int
        The unit is 2 to the power of it.
    """

    units: NDArray[np.uint64]
    exponent: int

    @property
    def unit(self) -> int | Fraction:
        """The size of one unit."""
        return 1 << self.exponent if self.exponent >= 0 else Fraction(1, 1 << -self.exponent)

    def total(self) -> int:
        """Return the number of units of all keys together."""
        return int(self.units.sum(dtype=np.uint64))

    def numbers(self) -> list[int] | list[float]:
        """Return the sizes as they count; each is exact, as units never have more bits than it."""
        if self.exponent >= 0:
            return [units << self.exponent for units in self.units.tolist()]
        floats: list[float] = np.ldexp(self.units.astype(np.float64), self.exponent).tolist()
        return floats

    def take(self, rows: NDArray[np.intp]) -> Sizes:
        """Return the sizes of some rows, in the same unit."""
        return Sizes(self.units[rows], self.exponent)


def as_sizes(sizes: Any, count: int) -> Sizes:
    """Return one size for each of `count` keys.

    Integers up to 2^64-1 are taken as they are if their total is below 2^61, doubles if theirs
    takes at most 60 bits. Else each is rounded up to whole units of a power of two, about 2^-60 of
    the total or less. A larger integer or a double makes doubles of all.

    Raises
    ------
    RVHTypeError
        The sizes are not numbers.
    RVHError
        The number of sizes differs from that of keys; a size is 0, negative, NaN or infinite. The
        message names the position.

    Examples
    --------
    >>> as_sizes([1, 2], 2)
    Sizes(units=array([1, 2], dtype=uint64), exponent=0)
    >>> as_sizes([0.5, 1], 2).numbers()
    [0.5, 1.0]
    >>> as_sizes([1, 0], 2)
    Traceback (most recent call last):
    rvh.errors.RVHError: the size at position 1 is 0: a size is a finite number above 0
    """
    numbers = _numbers(sizes)
    if numbers.shape != (count,):
        raise RVHError(f"sizes has shape {numbers.shape}: it needs ({count},), one for each key")
    for part in slices(count):
        wrong = ~((numbers[part] > 0) & np.isfinite(numbers[part]))
        if wrong.any():
            at = part.start + int(wrong.argmax())
            raise RVHError(
                f"the size at position {at} is {numbers[at]}: a size is a finite number above 0"
            )
    if count == 0:
        return Sizes(np.empty(0, np.uint64), 0)
    if numbers.dtype.kind == "f":
        return _of_doubles(numbers.astype(np.float64, copy=False))
    return _of_integers(numbers.astype(np.uint64, copy=False))


def as_bytes(sizes: Any, count: int) -> NDArray[np.int64]:
    """Return the bytes of each of `count` keys: whole numbers from 0, one for each or one for all.

    Raises
    ------
    RVHTypeError
        The sizes are not numbers.
    RVHError
        The number of sizes differs from that of keys; a size is negative, no whole number, or 2^63
        or more. The message names the position.

    Examples
    --------
    >>> as_bytes([1, 0], 2), as_bytes(7, 2)
    (array([1, 0]), array([7, 7]))
    >>> as_bytes([1, 0.5], 2)
    Traceback (most recent call last):
    rvh.errors.RVHError: the size at position 1 is 0.5: a size is a whole number of bytes, 0 or more
    """
    one = as_index(sizes)
    if one is not None:
        if not 0 <= one < 1 << 63:
            raise RVHError(f"the size of a key is {show(one)}: it is a number of bytes, 0 or more")
        return np.full(count, one, dtype=np.int64)
    numbers = _numbers(sizes)
    if numbers.shape != (count,):
        raise RVHError(f"sizes has shape {numbers.shape}: it needs ({count},), one for each key")
    for part in slices(count):
        some = numbers[part]
        wrong = ~((some >= 0) & (some < 2.0**63))
        if numbers.dtype.kind == "f":
            wrong |= some != np.floor(some)
        if wrong.any():
            at = part.start + int(wrong.argmax())
            raise RVHError(
                f"the size at position {at} is {numbers[at]}: a size is a whole number of bytes, 0 "
                "or more"
            )
    return numbers.astype(np.int64)


def _of_integers(numbers: NDArray[np.uint64]) -> Sizes:
    high = int((numbers >> np.uint64(32)).sum(dtype=np.uint64))
    low = int((numbers & np.uint64(2**32 - 1)).sum(dtype=np.uint64))
    exponent = ((high << 32) + low).bit_length() - SUM_BITS
    if exponent <= 0:
        return Sizes(numbers, 0)
    shift, rest = np.uint64(exponent), np.uint64((1 << exponent) - 1)
    return Sizes((numbers >> shift) + ((numbers & rest) != 0), exponent)


def _of_doubles(numbers: NDArray[np.float64]) -> Sizes:
    # Twice, as no sum of doubles is the same in every order: first in units so large that even
    # the largest size for each key would fit, then by the total of those.
    greatest = int(np.frexp(numbers.max())[1])
    exponent = greatest + len(numbers).bit_length() - SUM_BITS
    total = int(_in_units(numbers, exponent).sum(dtype=np.uint64))
    exponent += total.bit_length() - SUM_BITS
    return Sizes(_in_units(numbers, exponent), exponent)


def _in_units(numbers: NDArray[np.float64], exponent: int) -> NDArray[np.uint64]:
    units = np.empty(len(numbers), dtype=np.uint64)
    for part in slices(len(numbers)):
        scaled = np.ceil(np.ldexp(numbers[part], -exponent))
        units[part] = np.maximum(scaled, 1)  # what is too small for a double is not nothing
    return units


def _numbers(sizes: Any) -> NDArray[Any]:
    """Return an array of integers or floats."""
    sizes = of_view(sizes, "sizes")
    if isinstance(sizes, (list, tuple)):
        array = _of_list(sizes)
        return _one_by_one(sizes) if array is None else array
    if not hasattr(sizes, "__array__"):
        raise RVHTypeError(
            f"sizes is {show(sizes)} of type {type(sizes).__name__}: pass one number for each key, "
            "as a list or an array"
        )
    if np.ma.is_masked(sizes):
        at = int(np.argmax(np.ma.getmaskarray(sizes).ravel()))
        raise RVHError(f"sizes has a masked element at position {at}: fill it first")
    found = np.asarray(sizes)
    if found.dtype.kind in "iuf" or found.ndim != 1:
        return found
    if found.dtype.kind == "O":
        return _one_by_one(found.tolist())
    raise RVHTypeError(f"sizes is an array of {found.dtype}: pass one number for each key")


def _of_list(sizes: Any) -> NDArray[Any] | None:
    """Return an array of a list of only int, or of int and float; None for other lists."""
    kinds = set(map(type, sizes))
    if not kinds <= {int, float}:
        return None
    array = np.empty(len(sizes), dtype=np.float64 if float in kinds else np.uint64)
    try:
        for part in slices(len(sizes)):
            array[part] = sizes[part]
    except (OverflowError, ValueError):  # an integer below 0 or beyond; a list that has changed
        return None
    return array


def _is_word(number: int | None) -> bool:
    return number is not None and 0 <= number < 1 << 64


def _one_by_one(sizes: Any) -> NDArray[Any]:
    whole = [*takewhile(_is_word, map(as_index, sizes))]
    if len(whole) == len(sizes):
        return np.array(whole, dtype=np.uint64)  # NumPy's integers: doubles would lose digits
    return np.array(
        [real_number(size, f"the size at position {at}") for at, size in enumerate(sizes)],
        dtype=np.float64,
    )
