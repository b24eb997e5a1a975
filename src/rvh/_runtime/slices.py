"""Long work of NumPy's and Python's own in slices, between which signal handlers run.

A call into NumPy cannot be interrupted. What takes longer than some milliseconds at a million
elements is called from here; below `SLICE` elements each is the one call that it stands for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "COMPARED",
    "SLICE",
    "argsort",
    "array_of",
    "copy",
    "largest",
    "put",
    "slices",
    "take",
    "to_list",
]

#: elements between which handlers may run: up to 10 ms of what is slowest here
SLICE = 1 << 16

#: objects that Python sorts at a time: some 20 ms
COMPARED = 1 << 13
#: elements that NumPy sorts at a time: some 20 ms
SORTED = 1 << 18

T = TypeVar("T")
T_co = TypeVar("T_co", bound=np.generic, covariant=True)


def slices(count: int, size: int | None = None) -> Iterator[slice]:
    """Slices of at most `size`, by default `SLICE`, that cover 0 to `count`.

    Examples
    --------
    >>> list(slices(3, 2))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    step = SLICE if size is None else size
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def to_list(array: NDArray[Any]) -> list[Any]:
    """``array.tolist()``, for one dimension or several.

    Examples
    --------
    >>> to_list(np.array([1, 2]))
    [1, 2]
    """
    if array.size <= SLICE:
        whole: list[Any] = array.tolist()
        return whole
    found: list[Any] = []
    for part in slices(len(array)):
        found += array[part].tolist()
    return found


def array_of(values: Sequence[Any]) -> NDArray[Any]:
    """``np.array(values)`` of str alone, or of bytes.

    Examples
    --------
    >>> array_of(["a", "bc"])
    array(['a', 'bc'], dtype='<U2')
    """
    if len(values) <= SLICE:
        return np.array(values)
    parts = [np.array(values[part]) for part in slices(len(values))]
    found: NDArray[Any] = np.empty(len(values), max(part.dtype for part in parts))
    for where, part in zip(slices(len(values)), parts, strict=True):
        found[where] = part
    return found


def copy(array: NDArray[T_co]) -> NDArray[T_co]:
    """``array.copy()`` of one dimension.

    Examples
    --------
    >>> copy(np.array([1, 2]))
    array([1, 2])
    """
    if len(array) <= SLICE:
        return array.copy()
    found = np.empty_like(array)
    for part in slices(len(array)):
        found[part] = array[part]
    return found


def take(
    array: NDArray[T_co], places: NDArray[Any], out: NDArray[Any] | None = None
) -> NDArray[T_co]:
    """``array.take(places, axis=0)`` of any shape, for places that are in range.

    Examples
    --------
    >>> take(np.array(["a", "b"]), np.array([[1, 0]]))
    array([['b', 'a']], dtype='<U1')
    """
    if out is None:
        out = np.empty((*places.shape, *array.shape[1:]), dtype=array.dtype)
    if out.size <= SLICE:
        return array.take(places, axis=0, out=out, mode="clip")  # which spares a buffered copy
    if not out.flags.c_contiguous:  # a part of wider rows, which cannot be one row of elements
        for part in slices(len(out), max(1, SLICE // max(1, out[:1].size))):
            array.take(places[part], axis=0, out=out[part], mode="clip")
        return out
    flat, into = places.reshape(-1), out.reshape(-1, *array.shape[1:])
    each = max(1, SLICE // max(1, array[:1].size))
    for part in slices(len(flat), each):
        array.take(flat[part], axis=0, out=into[part], mode="clip")
    return out


def argsort(array: NDArray[Any]) -> NDArray[np.intp]:
    """``np.argsort(array, kind="stable")``: sorted slices, merged two by two.

    Examples
    --------
    >>> argsort(np.array([3, 1, 3, 2]))
    array([1, 3, 0, 2])
    """
    if len(array) <= SORTED or array.dtype.itemsize <= 2:  # these are sorted by radix
        return np.argsort(array, kind="stable")
    runs = []
    for part in slices(len(array), SORTED):
        order = np.argsort(array[part], kind="stable")
        runs.append((array[part][order], part.start + order))
    while len(runs) > 1:
        pairs = zip(runs[::2], runs[1::2], strict=False)
        rest = runs[len(runs) & ~1 :]
        runs = [_merged(*one, *other) for one, other in pairs] + rest
    found: NDArray[np.intp] = runs[0][1]
    return found


def _merged(
    a: NDArray[Any], a_order: NDArray[np.intp], b: NDArray[Any], b_order: NDArray[np.intp]
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Two sorted arrays and what goes with them as one; of equal elements those of `a` first."""
    values = np.empty(len(a) + len(b), dtype=a.dtype)
    order = np.empty(len(a) + len(b), dtype=np.intp)
    for mine, mine_order, others, side in ((a, a_order, b, "left"), (b, b_order, a, "right")):
        for part in slices(len(mine)):
            places = np.searchsorted(others, mine[part], side=side)  # type: ignore[call-overload]
            places += np.arange(part.start, part.stop)
            values[places], order[places] = mine[part], mine_order[part]
    return values, order


def put(array: NDArray[Any], places: NDArray[Any], values: Any) -> None:
    """``array[places] = values``, rows of an array or single values, or one value for all.

    Examples
    --------
    >>> found = np.zeros(3, dtype=int)
    >>> put(found, np.array([2, 0]), 7)
    >>> found
    array([7, 0, 7])
    """
    for part in slices(len(places)):
        array[places[part]] = values[part] if isinstance(values, np.ndarray) else values


def largest(count: int, items: list[T]) -> list[T]:
    """``sorted(items, reverse=True)[:count]``: sorted slices, merged.

    Examples
    --------
    >>> largest(2, [3, 1, 2])
    [3, 2]
    """
    if len(items) <= COMPARED:
        return sorted(items, reverse=True)[:count]  # type: ignore[type-var]
    parts: list[list[T]] = []
    for part in slices(len(items), COMPARED):
        parts.append(sorted(items[part], reverse=True)[:count])  # type: ignore[type-var]
    return list(islice(merge(*parts, reverse=True), count))  # type: ignore[type-var]
