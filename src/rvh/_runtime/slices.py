"""Long calls of NumPy and Python, split into slices between which signal handlers run.

A call into NumPy cannot be interrupted. The functions here replace those that take longer than some
milliseconds for a million elements. Up to `SLICE` elements, each makes the one call that it
replaces.
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

#: elements of a slice: up to 10 ms of the slowest operation
SLICE = 1 << 16

#: objects that Python sorts at a time: about 20 ms
COMPARED = 1 << 13
#: elements that NumPy sorts at a time: about 20 ms
SORTED = 1 << 18

T = TypeVar("T")
T_co = TypeVar("T_co", bound=np.generic, covariant=True)


def slices(count: int, size: int | None = None) -> Iterator[slice]:
    """Yield slices of at most `size`, by default `SLICE`, that cover 0 to `count`.

    Examples
    --------
    >>> list(slices(3, 2))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    step = SLICE if size is None else size
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def to_list(array: NDArray[Any]) -> list[Any]:
    """Return ``array.tolist()``, for any number of dimensions.

    Examples
    --------
    >>> to_list(np.array([1, 2]))
    [1, 2]
    """
    if array.size <= SLICE:
        whole: list[Any] = array.tolist()
        return whole
    objects: list[Any] = []
    for part in slices(len(array)):
        objects += array[part].tolist()
    return objects


def array_of(values: Sequence[Any]) -> NDArray[Any]:
    """Return ``np.array(values)`` of only str or only bytes.

    Examples
    --------
    >>> array_of(["a", "bc"])
    array(['a', 'bc'], dtype='<U2')
    """
    if len(values) <= SLICE:
        return np.array(values)
    parts = [np.array(values[part]) for part in slices(len(values))]
    array: NDArray[Any] = np.empty(len(values), max(part.dtype for part in parts))
    for where, part in zip(slices(len(values)), parts, strict=True):
        array[where] = part
    return array


def copy(array: NDArray[T_co]) -> NDArray[T_co]:
    """Return ``array.copy()`` of a one-dimensional array.

    Examples
    --------
    >>> copy(np.array([1, 2]))
    array([1, 2])
    """
    if len(array) <= SLICE:
        return array.copy()
    new = np.empty_like(array)
    for part in slices(len(array)):
        new[part] = array[part]
    return new


def take(
    array: NDArray[T_co], places: NDArray[Any], out: NDArray[Any] | None = None
) -> NDArray[T_co]:
    """Return ``array.take(places, axis=0)`` of any shape, for places that are in range.

    Examples
    --------
    >>> take(np.array(["a", "b"]), np.array([[1, 0]]))
    array([['b', 'a']], dtype='<U1')
    """
    if out is None:
        out = np.empty((*places.shape, *array.shape[1:]), dtype=array.dtype)
    if out.size <= SLICE:
        return array.take(places, axis=0, out=out, mode="clip")  # "clip" avoids a buffered copy
    if not out.flags.c_contiguous:  # a part of wider rows, which cannot be flattened in place
        for part in slices(len(out), max(1, SLICE // max(1, out[:1].size))):
            array.take(places[part], axis=0, out=out[part], mode="clip")
        return out
    flat, into = places.reshape(-1), out.reshape(-1, *array.shape[1:])
    size = max(1, SLICE // max(1, array[:1].size))
    for part in slices(len(flat), size):
        array.take(flat[part], axis=0, out=into[part], mode="clip")
    return out


def argsort(array: NDArray[Any]) -> NDArray[np.intp]:
    """Return ``np.argsort(array, kind="stable")``: sorted slices, merged two by two.

    Examples
    --------
    >>> argsort(np.array([3, 1, 3, 2]))
    array([1, 3, 0, 2])
    """
    if len(array) <= SORTED or array.dtype.itemsize <= 2:  # radix sort is fast
        return np.argsort(array, kind="stable")
    runs = []
    for part in slices(len(array), SORTED):
        order = np.argsort(array[part], kind="stable")
        runs.append((array[part][order], part.start + order))
    while len(runs) > 1:
        pairs = zip(runs[::2], runs[1::2], strict=False)
        rest = runs[len(runs) & ~1 :]
        runs = [_merge(*one, *other) for one, other in pairs] + rest
    merged: NDArray[np.intp] = runs[0][1]
    return merged


def _merge(
    a: NDArray[Any], a_order: NDArray[np.intp], b: NDArray[Any], b_order: NDArray[np.intp]
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Merge two sorted arrays and their orders; equal elements of `a` come first."""
    values = np.empty(len(a) + len(b), dtype=a.dtype)
    order = np.empty(len(a) + len(b), dtype=np.intp)
    for one, one_order, other, side in ((a, a_order, b, "left"), (b, b_order, a, "right")):
        for part in slices(len(one)):
            places = np.searchsorted(other, one[part], side=side)  # type: ignore[call-overload]
            places += np.arange(part.start, part.stop)
            values[places], order[places] = one[part], one_order[part]
    return values, order


def put(array: NDArray[Any], places: NDArray[Any], values: Any) -> None:
    """Set ``array[places] = values``: an array of values or of rows, or one value for all.

    Examples
    --------
    >>> array = np.zeros(3, dtype=int)
    >>> put(array, np.array([2, 0]), 7)
    >>> array
    array([7, 0, 7])
    """
    for part in slices(len(places)):
        array[places[part]] = values[part] if isinstance(values, np.ndarray) else values


def largest(count: int, items: list[T]) -> list[T]:
    """Return ``sorted(items, reverse=True)[:count]``: sorted slices, merged.

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
