"""Who has which keys, and who has to have them: the check before a phase of a migration ends."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._batch.answers import points_of
from rvh.errors import RVHError

#: two hashes that stand for a key: keys of which both are equal are taken for one
HASHES = ("xxh64", "murmur2")
#: the most nodes of a key in both placements together: the bits of a word
WIDTH_MAX = 64


class Sides(NamedTuple):
    """Where keys belong in a phase: a column for each node of theirs, -1 for none.

    Parameters
    ----------
    nodes : ndarray of intp, shape (M, c)
        In one numbering of all nodes.
    needed : ndarray of bool, shape (c,)
        The columns of nodes that have to have a key, if it exists.
    telling : ndarray of bool, shape (c,)
        The columns of nodes whose having it says that it exists.
    """

    nodes: NDArray[np.intp]
    needed: NDArray[np.bool_]
    telling: NDArray[np.bool_]


class Found(NamedTuple):
    """What an audit found: numbers, and the first row of each faulty key.

    Parameters
    ----------
    keys : int
        Keys that exist.
    copies : int
        Copies that are where they have to be.
    missing : int
        Copies that are not.
    different : int
        Keys whose copies have several checksums.
    others : int
        Copies on nodes where the key belongs in another phase.
    strays : int
        Copies on nodes where it never belongs.
    missing_rows, different_rows, other_rows : ndarray of intp
    missing_bits : ndarray of an unsigned type
        For each of `missing_rows` the columns of `Sides` without their copy.
    """

    keys: int
    copies: int
    missing: int
    different: int
    others: int
    strays: int
    missing_rows: NDArray[np.intp]
    different_rows: NDArray[np.intp]
    other_rows: NDArray[np.intp]
    missing_bits: NDArray[Any]


#: about as many rows are compared at a time
ROWS = 1 << 20
_NO_ROWS = np.empty(0, dtype=np.intp)
#: what an audit of no rows finds
NOTHING = Found(0, 0, 0, 0, 0, 0, _NO_ROWS, _NO_ROWS, _NO_ROWS, np.empty(0, dtype=np.uint8))


class Audit:
    """Gathers rows of keys and the nodes that have them, in any order, and compares them.

    It holds 19 bytes for each row where a key has at most 8 nodes in all, and 8 more for checksums.
    """

    def __init__(self) -> None:
        self._parts: list[list[NDArray[Any]]] = []

    def add(self, keys: Any, holders: NDArray[np.intp], sides: Sides, sums: Any = None) -> None:
        """Add rows: keys, the node that has each, where each belongs, and checksums as text."""
        if sides.nodes.shape[1] > WIDTH_MAX:
            raise RVHError(
                f"a key has {sides.nodes.shape[1]} nodes in the placements together, and "
                f"{WIDTH_MAX} can be compared"
            )
        with _keys.open_keys(keys) as column:
            part: list[NDArray[Any]] = [points_of(kind, column, None) for kind in HASHES]
        part += _bits(holders, sides)
        if sums is not None:
            with _keys.open_keys(sums) as column:
                part.append(points_of(HASHES[0], column, None))
        self._parts.append(part)

    def found(self) -> Found:
        """Compare all rows that were added, some of the keys at a time: sorting takes room too."""
        total = sum(len(part[0]) for part in self._parts)
        buckets = 1 << (total // ROWS).bit_length()
        if not total:
            return NOTHING
        found = [_compared(*self._bucket(number, buckets)) for number in range(buckets)]
        missing = np.concatenate([each.missing_rows for each in found])
        order = np.argsort(missing)
        return Found(
            keys=sum(each.keys for each in found),
            copies=sum(each.copies for each in found),
            missing=sum(each.missing for each in found),
            different=sum(each.different for each in found),
            others=sum(each.others for each in found),
            strays=sum(each.strays for each in found),
            missing_rows=missing[order],
            different_rows=np.sort(np.concatenate([each.different_rows for each in found])),
            other_rows=np.sort(np.concatenate([each.other_rows for each in found])),
            missing_bits=np.concatenate([each.missing_bits for each in found])[order],
        )

    def _bucket(self, number: int, buckets: int) -> tuple[list[NDArray[Any]], NDArray[np.intp]]:
        """Return the columns of the keys of a bucket, and the numbers of their rows."""
        columns, rows, before = [], [], 0
        for part in self._parts:
            chosen = np.flatnonzero(part[0] & np.uint64(buckets - 1) == number)
            columns.append([each[chosen] for each in part])
            rows.append(chosen + before)
            before += len(part[0])
        return [np.concatenate(each) for each in zip(*columns, strict=True)], np.concatenate(rows)


def _compared(columns: list[NDArray[Any]], numbers: NDArray[np.intp]) -> Found:
    """Compare rows, given as in `Audit`, of which every key has all."""
    order = np.lexsort(columns[:2])
    first, second, here, needed, telling, *sums = (each[order] for each in columns)
    is_new = np.ones(len(order), dtype=np.bool_)
    is_new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    starts = np.flatnonzero(is_new)
    if not len(starts):
        return NOTHING
    rows = np.minimum.reduceat(numbers[order], starts)
    present = np.bitwise_or.reduceat(here, starts)
    belongs, tells = needed[starts], telling[starts]
    exists = (present & tells) != 0
    lacking = np.where(exists, belongs & ~present, 0).astype(present.dtype)
    other = present & ~(belongs | tells)
    different = np.zeros(len(starts), dtype=np.bool_)
    for each in sums:
        counts = (here & (needed | telling)) != 0
        low = np.minimum.reduceat(np.where(counts, each, np.uint64(2**64 - 1)), starts)
        high = np.maximum.reduceat(np.where(counts, each, np.uint64(0)), starts)
        different = exists & (low < high)
    return Found(
        keys=int(exists.sum()),
        copies=_ones(np.where(exists, present & belongs, 0).astype(present.dtype)),
        missing=_ones(lacking),
        different=int(different.sum()),
        others=_ones(other),
        strays=int(np.count_nonzero(here == 0)),
        missing_rows=rows[lacking != 0],
        different_rows=rows[different],
        other_rows=rows[other != 0],
        missing_bits=lacking[lacking != 0],
    )


def _ones(bits: NDArray[Any]) -> int:
    return int(np.bitwise_count(bits).sum(dtype=np.int64))


def _bits(holders: NDArray[np.intp], sides: Sides) -> list[NDArray[Any]]:
    """Return bits of columns for each row: that of its holder, those needed, those telling.

    A node that is in several columns has the bit of the first.
    """
    nodes = sides.nodes
    kind = np.min_scalar_type((1 << nodes.shape[1]) - 1)
    here, needed, telling = (np.zeros(len(nodes), dtype=kind) for _ in range(3))
    for column in range(nodes.shape[1]):
        bit = np.full(len(nodes), 1 << column, dtype=kind)
        for earlier in range(column - 1, -1, -1):
            bit[nodes[:, earlier] == nodes[:, column]] = 1 << earlier
        bit[nodes[:, column] < 0] = 0
        here |= bit * (nodes[:, column] == holders)
        if sides.needed[column]:
            needed |= bit
        if sides.telling[column]:
            telling |= bit
    return [here, needed, telling]
