"""Geohashes as numbers, and the tree of regions that they make of a set of nodes.

A place is its geohash in one 64-bit word: five bits a character from the top, then the length in
four. In the order of these words a region is an interval, which begins with its own prefix.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh._backend.contract import ALPHABET, LONGEST
from rvh._batch.answers import points_of
from rvh._columns.column import KeyColumn, Kind
from rvh._runtime.slices import argsort, take
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["LONGEST", "UNKNOWN", "Regions", "cut", "packed", "regions"]

#: what to do about a place that is not there
UNKNOWN = "every place has to be known; select for keys without one by the NodeSet itself"
#: of a place's word, the most that choose a slice: 2 MiB of them
SLICE_BITS_MAX = 19


def packed(column: KeyColumn, threads: int | None = 1) -> NDArray[np.uint64]:
    """The word of every geohash in a column.

    Parameters
    ----------
    column : KeyColumn, M elements
        Its errors call an element for example "the geohash of the key".
    threads : int, optional

    Returns
    -------
    ndarray of uint64, shape (M,)

    Raises
    ------
    RVHError, RVHTypeError
        About the first element that is no geohash.
    """
    if column.kind is Kind.INTEGERS:
        raise RVHTypeError(
            f"geohash is an array of {column.values.dtype}: pass text, for example 'u09tunq'"
        )
    _check_types(column)
    words = points_of("geohash", column, threads)
    if not words.all():
        _refuse(column, int(words.argmin()))
    return words


def _check_types(column: KeyColumn) -> None:
    """Refuse what has bytes and is no text: integers, which are 8 of them."""
    for piece, first in column.pieces():
        if piece.kind not in (Kind.OBJECTS, Kind.INTEGERS):
            continue
        values = piece.slice(0, len(piece))
        if all(issubclass(each, (str, bytes)) for each in set(map(type, values))):
            continue
        for row, value in enumerate(values, first):
            if not isinstance(value, (str, bytes)):
                _refuse(column, row)


def _refuse(column: KeyColumn, index: int) -> None:
    """Raise the error about an element that is no geohash."""
    (value,) = column.slice(index, index + 1)
    where = f"{column.what} at position {column.position(index)}"
    shown = show(value)
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        missing = isinstance(value, float) and value != value  # as pandas has it
        advice = UNKNOWN if missing else "pass a geohash as str or bytes"
        raise RVHTypeError(f"{where} is {shown} of type {type(value).__name__}: {advice}")
    if not value:
        raise RVHError(f"{where} is empty: pass 1 to {LONGEST} characters; {UNKNOWN}")
    for at, letter in enumerate(value):
        if letter not in ALPHABET:
            lower = letter.lower() in ALPHABET
            advice = "write it in lower case" if lower else f"it consists of {ALPHABET}"
            raise RVHError(
                f"{where} is {shown}: {show(letter)} (character {at}) is none of a geohash's; "
                + advice
            )
    raise RVHError(
        f"{where} is {shown}, {len(value)} characters long: a geohash has 1 to {LONGEST} here; cut "
        f"it to [:{LONGEST}]"
    )


def cut(words: NDArray[np.uint64], precision: int) -> NDArray[np.uint64]:
    """The words of the same geohashes' first `precision` characters."""
    if precision == LONGEST:
        return words
    length = np.minimum(words & np.uint64(15), np.uint64(precision))
    unused = np.uint64(5 * (LONGEST - precision) + 4)
    found: NDArray[np.uint64] = words >> unused << unused | length
    return found


class Regions(NamedTuple):
    """The regions that differ in their nodes: T of them, each before those inside of it.

    A region's nodes stand together in `order`. The regions around it are its parent, that one's
    parent, and so on to number 0, the world. Of prefixes with the same nodes the shortest counts.
    """

    order: NDArray[np.intp]  # (N,) positions of the nodes by place
    first: NDArray[np.intp]  # (T,) a region's nodes are order[first:last]
    last: NDArray[np.intp]  # (T,)
    parent: NDArray[np.intp]  # (T,) of the world: 0
    end: NDArray[np.intp]  # (T,) the regions inside of t are t + 1 to end[t] - 1
    bounds: NDArray[np.uint64]  # ascending: from each word on, up to the next,
    inside: NDArray[np.int32]  # the smallest region is this one
    slices: NDArray[np.int32]  # by a word's highest bits: its region, or -1 where bounds decide

    def of(self, words: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The smallest region around each place; how much of it is known beyond does not matter."""
        bits = len(self.slices).bit_length() - 1
        found: NDArray[np.int32] = self.slices[(words >> np.uint64(64 - bits)).view(np.int64)]
        left = np.flatnonzero(found < 0)
        found[left] = self.inside[np.searchsorted(self.bounds, words[left], side="right") - 1]
        return found


def _sliced(bounds: NDArray[np.uint64], inside: NDArray[np.int32]) -> NDArray[np.int32]:
    """The table of slices, so many that few of them have a bound in them."""
    bits = min(SLICE_BITS_MAX, len(bounds).bit_length() + 8)
    of_bounds = (bounds >> np.uint64(64 - bits)).view(np.int64)  # begins with 0
    slices = np.repeat(inside, np.diff(of_bounds, append=1 << bits))
    slices[of_bounds] = -1
    return slices


def regions(words: NDArray[np.uint64], nodes: NDArray[np.intp], precision: int) -> Regions:
    """The regions of nodes at the places `words`, whose positions in their set are `nodes`."""
    by_place = argsort(words)
    words = words[by_place]
    length = (words & np.uint64(15)).astype(np.intp)
    # The world first, then a character more at a time: each region that has not all the nodes
    # of the one around it.
    first, last = [np.zeros(1, np.intp)], [np.full(1, len(words))]
    parent, start, stop = [np.zeros(1, np.intp)], [np.zeros(1, np.uint64)], [np.zeros(1, np.uint64)]
    lows, highs = first[0], last[0]
    around = np.zeros(len(words), dtype=np.intp)
    for depth in range(1, precision + 1):
        deep = np.flatnonzero(length >= depth)
        if not len(deep):
            break
        unit = np.uint64(1 << (5 * (LONGEST - depth) + 4))
        prefix = words[deep] >> np.uint64(unit.item().bit_length() - 1)
        edge = np.flatnonzero(np.diff(prefix)) + 1
        low = deep[np.concatenate([[0], edge])]
        high = deep[np.concatenate([edge, [len(deep)]]) - 1] + 1
        outer = around[low]
        new = (low != lows[outer]) | (high != highs[outer])
        low, high, outer = low[new], high[new], outer[new]
        begin = words[low] // unit * unit
        number = np.arange(len(low)) + len(lows)
        spans = high - low
        where = np.repeat(low - np.cumsum(spans) + spans, spans) + np.arange(spans.sum())
        around[where] = np.repeat(number, spans)
        first.append(low)
        last.append(high)
        parent.append(outer)
        start.append(begin | np.uint64(depth))
        stop.append(begin + unit)  # of the last of all 2^64, which is 0
        lows, highs = np.concatenate(first), np.concatenate(last)
    begins, ends, parents = np.concatenate(start), np.concatenate(stop), np.concatenate(parent)
    bounds = np.concatenate([begins, ends])
    bounds = take(bounds, argsort(bounds))
    bounds = bounds[np.concatenate([[True], bounds[1:] != bounds[:-1]])]
    inside = np.zeros(len(bounds), dtype=np.int32)
    order = argsort(begins)
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    froms = np.searchsorted(bounds, begins)
    tos = np.where(ends == 0, len(bounds), np.searchsorted(bounds, ends))
    for region, a, b in zip(number.tolist(), froms.tolist(), tos.tolist(), strict=True):
        inside[a:b] = region  # those inside of it come later
    # The regions inside of one begin before its end.
    end = np.where(
        ends[order] == 0, len(order), np.searchsorted(begins[order], ends[order], side="left")
    )
    return Regions(
        nodes[by_place],
        lows[order],
        highs[order],
        number[parents[order]],
        end.astype(np.intp),
        bounds,
        inside,
        _sliced(bounds, inside),
    )
