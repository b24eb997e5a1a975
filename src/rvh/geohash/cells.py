"""Geohashes as numbers, and the tree of regions that contain the nodes of a set.

A geohash is packed into a 64-bit word: five bits for each character from the top, and the length in
the lowest four bits. In the order of these words a region is an interval, which begins with the
region's own prefix.
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

__all__ = ["LONGEST", "UNKNOWN", "Regions", "make_regions", "pack", "truncate"]

#: the advice in errors about a missing place
UNKNOWN = "every place has to be known; for keys without one, use the NodeSet itself"
#: the most bits of a word that index the table of slices: the table takes 2 MiB
SLICE_BITS_MAX = 19


def pack(column: KeyColumn, threads: int | None = 1) -> NDArray[np.uint64]:
    """Pack every geohash of a column into a word.

    Parameters
    ----------
    column : KeyColumn, M elements
        Errors use the column's name for an element, for example "the geohash of the key".
    threads : int, optional

    Returns
    -------
    ndarray of uint64, shape (M,)

    Raises
    ------
    RVHError, RVHTypeError
        The first element that is not a geohash.
    """
    if column.kind is Kind.INTEGERS:
        raise RVHTypeError(
            f"geohash is an array of {column.values.dtype}: pass text, for example 'u09tunq'"
        )
    _check_types(column)
    words = points_of("geohash", column, threads)
    if not words.all():
        _reject(column, int(words.argmin()))
    return words


def _check_types(column: KeyColumn) -> None:
    """Reject integers, which have bytes but are not text."""
    for piece, first in column.pieces():
        if piece.kind not in (Kind.OBJECTS, Kind.INTEGERS):
            continue
        values = piece.slice(0, len(piece))
        if all(issubclass(each, (str, bytes)) for each in set(map(type, values))):
            continue
        for row, value in enumerate(values, first):
            if not isinstance(value, (str, bytes)):
                _reject(column, row)


def _reject(column: KeyColumn, index: int) -> None:
    """Raise the error for an element that is not a geohash."""
    (value,) = column.slice(index, index + 1)
    where = f"{column.what} at position {column.position(index)}"
    shown = show(value)
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        missing = isinstance(value, float) and value != value  # NaN, as in pandas
        advice = UNKNOWN if missing else "pass a geohash as str or bytes"
        raise RVHTypeError(f"{where} is {shown} of type {type(value).__name__}: {advice}")
    if not value:
        raise RVHError(f"{where} is empty: pass 1 to {LONGEST} characters; {UNKNOWN}")
    for position, letter in enumerate(value):
        if letter not in ALPHABET:
            lower = letter.lower() in ALPHABET
            advice = "write it in lower case" if lower else f"it consists of {ALPHABET}"
            raise RVHError(
                f"{where} is {shown}: {show(letter)} (character {position}) is none of a "
                f"geohash's; {advice}"
            )
    raise RVHError(
        f"{where} is {shown}, {len(value)} characters long: a geohash has 1 to {LONGEST} here; cut "
        f"it to [:{LONGEST}]"
    )


def truncate(words: NDArray[np.uint64], precision: int) -> NDArray[np.uint64]:
    """Cut packed geohashes to their first `precision` characters."""
    if precision == LONGEST:
        return words
    length = np.minimum(words & np.uint64(15), np.uint64(precision))
    unused = np.uint64(5 * (LONGEST - precision) + 4)
    truncated: NDArray[np.uint64] = words >> unused << unused | length
    return truncated


class Regions(NamedTuple):
    """A tree of regions with different nodes: T regions, each before the regions inside it.

    A region's nodes are next to each other in `order`. A region's parent is the smallest region
    around it; region 0 is the world. If several prefixes have the same nodes, the region is that of
    the shortest.
    """

    order: NDArray[np.intp]  # (N,) positions of the nodes, in the order of their words
    first: NDArray[np.intp]  # (T,) a region's nodes are order[first:last]
    last: NDArray[np.intp]  # (T,)
    parent: NDArray[np.intp]  # (T,) 0 for the world itself
    end: NDArray[np.intp]  # (T,) the regions inside t are t + 1 to end[t] - 1
    bounds: NDArray[np.uint64]  # ascending; words from bounds[i] up to bounds[i + 1]
    inside: NDArray[np.int32]  # are in the region inside[i], and in no smaller one
    slices: NDArray[np.int32]  # by a word's highest bits: its region, or -1 to search `bounds`

    def of(self, words: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The smallest region around each place."""
        bits = len(self.slices).bit_length() - 1
        chosen: NDArray[np.int32] = self.slices[(words >> np.uint64(64 - bits)).view(np.int64)]
        rest = np.flatnonzero(chosen < 0)
        chosen[rest] = self.inside[np.searchsorted(self.bounds, words[rest], side="right") - 1]
        return chosen


def _make_slices(bounds: NDArray[np.uint64], inside: NDArray[np.int32]) -> NDArray[np.int32]:
    """Make the table of slices, large enough that few slices contain a bound."""
    bits = min(SLICE_BITS_MAX, len(bounds).bit_length() + 8)
    of_bounds = (bounds >> np.uint64(64 - bits)).view(np.int64)  # begins with 0
    slices = np.repeat(inside, np.diff(of_bounds, append=1 << bits))
    slices[of_bounds] = -1
    return slices


def make_regions(words: NDArray[np.uint64], nodes: NDArray[np.intp], precision: int) -> Regions:
    """Make the regions of nodes.

    Parameters
    ----------
    words : ndarray of uint64, shape (N,)
        The nodes' packed geohashes.
    nodes : ndarray of intp, shape (N,)
        The nodes' positions in their set.
    precision : int
    """
    by_word = argsort(words)
    words = words[by_word]
    length = (words & np.uint64(15)).astype(np.intp)
    # The world comes first, then the regions of longer and longer prefixes. A region is new if it
    # lacks a node of the region around it.
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
        stop.append(begin + unit)  # 2^64, at the end of the last region, becomes 0
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
        inside[a:b] = region  # regions inside this one come later and overwrite it
    # The regions inside a region begin before its end.
    end = np.where(
        ends[order] == 0, len(order), np.searchsorted(begins[order], ends[order], side="left")
    )
    return Regions(
        nodes[by_word],
        lows[order],
        highs[order],
        number[parents[order]],
        end.astype(np.intp),
        bounds,
        inside,
        _make_slices(bounds, inside),
    )
