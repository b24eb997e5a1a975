"""What has to be copied: for each key the nodes that lose it and the nodes that get it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._batch.replicas import FEW, find_absent, find_repeated, number_ids
from rvh._placing import select
from rvh._runtime.slices import SLICE, array_of, slices, to_list
from rvh.migration.phases import Phase

if TYPE_CHECKING:
    from rvh.migration.pair import Pair
    from rvh.typing import Keys

__all__ = [
    "Copies",
    "Leftovers",
    "Moved",
    "copies",
    "first_sources",
    "goes_and_stays",
    "leftovers",
    "moves",
]


class Moved(NamedTuple):
    """The replicas to copy: one row for each.

    Parameters
    ----------
    row : ndarray of intp, shape (m,)
        The position of the key among the keys, ascending.
    source, target : ndarrays, shape (m,)
        The node that loses the key, and the node that gets it instead. If a key has several of
        both, they are paired in order; if more nodes get it than lose it, the sources after those
        that lose it are its other old nodes in order, and then all of them again. The source is
        None if no living node is known to have the key: it is lost.
    """

    row: NDArray[np.intp]
    source: NDArray[Any]
    target: NDArray[Any]


def moves(pair: Pair, keys: Keys, threads: int | None = None) -> Moved:
    """Return one row for each node that is new for a key."""
    if not pair._is_plain():
        found = copies(pair, keys, threads=threads)
        return Moved(found.row, first_sources(found), found.target)
    with _keys.open_keys_with_objects(keys) as opened:
        old = select(pair._old, "old", opened, pair._k, threads)
        new = select(pair._new, "new", opened, pair._k, threads)
    by_number = old.dtype.kind != new.dtype.kind or old.dtype == object or pair._k > FEW
    moved = [(np.empty(0, dtype=np.intp), old[:0, 0], new[:0, 0])]
    for part in slices(len(old), max(1, SLICE // pair._k)):
        (a, b), count = (old[part], new[part]), 0
        if by_number:
            (a, b), count = number_ids(a, b)
        removed, added = find_absent(a, b, count), find_absent(b, a, count)
        # A row has as many removed nodes as added ones, so the flattened masks are aligned.
        rows = part.start + np.nonzero(removed)[0]
        moved.append((rows, old[part][removed], new[part][added]))
    return Moved(*(np.concatenate(column) for column in zip(*moved, strict=True)))


class Leftovers(NamedTuple):
    """The replicas to remove: one row for each.

    Parameters
    ----------
    row : ndarray of intp, shape (m,)
        The position of the key among the keys, ascending.
    node : ndarray of object, shape (m,)
        The node to remove the key from.
    """

    row: NDArray[np.intp]
    node: NDArray[Any]


class Copies(NamedTuple):
    """The replicas to copy, each with all nodes that it can be copied from.

    Parameters
    ----------
    row, target
        As in `Moved`.
    sources : ndarray of object, shape (m, s)
        Living nodes, best first; after the last one, None.
    certain : ndarray of bool, shape (m,)
        Whether the first source surely has the key, if the key exists.
    """

    row: NDArray[np.intp]
    sources: NDArray[Any]
    target: NDArray[Any]
    certain: NDArray[np.bool_]


def copies(
    pair: Pair,
    keys: Keys,
    done: Sequence[NDArray[np.bool_]] | None = None,
    threads: int | None = None,
) -> Copies:
    """Return one row for each node of the new placement that does not surely have a key.

    Parameters
    ----------
    pair : Pair
    keys
        As for `Migration.moves`.
    done : sequence of ndarrays of bool, shape (M,), optional
        For each kept placement, the keys that had been copied to its nodes; none by default.
    """
    with _keys.open_keys_with_objects(keys) as opened:
        tables = pair._select(opened, threads)
    marks = done or [np.zeros(len(tables[0]), dtype=np.bool_)] * len(pair._kept)
    found = []
    for part in slices(len(tables[0]), max(1, SLICE // sum(one.shape[1] for one in tables))):
        one = _copies([table[part] for table in tables], [each[part] for each in marks], pair._dead)
        found.append(one._replace(row=one.row + part.start))
    width = max((one.sources.shape[1] for one in found), default=1)
    parts = [_empty(tables[-1]), *found]
    return Copies(
        np.concatenate([one.row for one in parts]),
        np.concatenate([_widened(one.sources, width) for one in parts]),
        np.concatenate([one.target for one in parts]),
        np.concatenate([one.certain for one in parts]),
    )


def _empty(new: NDArray[Any]) -> Copies:
    row = np.empty(0, dtype=np.intp)
    return Copies(row, np.empty((0, 1), dtype=object), new[:0, 0], np.empty(0, dtype=np.bool_))


def _widened(sources: NDArray[Any], width: int) -> NDArray[Any]:
    wide = np.full((len(sources), width), None, dtype=object)
    wide[:, : sources.shape[1]] = sources
    return wide


def first_sources(found: Copies) -> NDArray[Any]:
    """Return the best source of each row, as an array of str if one can hold them all."""
    ids = to_list(found.sources[:, 0])
    # NumPy takes trailing NULs for padding.
    is_text = bool(ids) and all(type(node) is str and node[-1:] != "\0" for node in ids)
    return array_of(ids) if is_text else found.sources[:, 0]


#: the order of sources: those that lose the key, those that keep it, those that may have it
LOSES, STAYS, MAY_HOLD, NONE = range(4)


def _copies(
    tables: list[NDArray[Any]], done: list[NDArray[np.bool_]], dead: tuple[Any, ...]
) -> Copies:
    """Return `copies` of some rows, whose nodes are in the tables: old, kept, new."""
    numbers, lives = _number(tables, dead)
    *before, new = numbers
    holders = np.concatenate(before, axis=1)
    everywhere = np.ones(len(new), dtype=np.bool_)
    is_sure = np.concatenate(
        [
            np.broadcast_to(sure[:, None], one.shape)
            for one, sure in zip(before, [everywhere, *done], strict=True)
        ],
        axis=1,
    )
    order = np.where(find_absent(holders, new, len(lives)), LOSES, STAYS)
    order = np.where(lives[holders], np.where(is_sure, order, MAY_HOLD), NONE)
    holders, order = _ranked(holders, order)
    order[find_repeated(holders, len(lives))] = NONE
    holders, order = _ranked(holders, order)

    sure: NDArray[np.intp] = np.where(order <= STAYS, holders, -1)
    is_target = find_absent(new, sure, len(lives)) & lives[new]
    rows, columns = np.nonzero(is_target)
    turn = np.cumsum(is_target, axis=1)[rows, columns] - 1  # of a key's targets, from 0
    count = (sure >= 0).sum(axis=1)[rows]
    place = np.arange(holders.shape[1])
    rotated = (turn[:, None] + place) % np.maximum(count, 1)[:, None]
    place = np.where(place < count[:, None], rotated, place)
    sources, order = holders[rows[:, None], place], order[rows[:, None], place]
    order = np.where(sources == new[rows, columns][:, None], NONE, order)
    sources, order = _ranked(
        sources, np.where(order == NONE, NONE, LOSES)
    )  # as they are, None last
    names = np.full(len(lives) + 1, None, dtype=object)
    for table, numbered in zip(tables[-2::-1], before[::-1], strict=True):  # old ids count most
        names[numbered] = table
    found = names[np.where(order == NONE, len(lives), sources)]
    width = max(1, int((order != NONE).any(axis=0).sum()))
    return Copies(rows, found[:, :width], tables[-1][rows, columns], count > 0)


def _number(
    tables: list[NDArray[Any]], dead: tuple[Any, ...]
) -> tuple[list[NDArray[np.intp]], NDArray[np.bool_]]:
    """Number the nodes of all tables alike; also return which numbers are of living nodes."""
    gone = _keys.object_array(list(dead)).reshape(1, -1)
    numbers, count = number_ids(*tables, gone)
    lives = np.ones(count, dtype=np.bool_)
    lives[numbers.pop()] = False
    return numbers, lives


def _ranked(nodes: NDArray[Any], order: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the nodes of each row in their order, and that order."""
    by = np.argsort(order, axis=1, kind="stable")
    return np.take_along_axis(nodes, by, axis=1), np.take_along_axis(order, by, axis=1)


def leftovers(pair: Pair, keys: Keys, phase: Phase, threads: int | None = None) -> Leftovers:
    """Return what is to be removed from living nodes in ``before`` or ``after``."""
    return goes_and_stays(pair, keys, phase, threads)[0]


def goes_and_stays(
    pair: Pair, keys: Keys, phase: Phase, threads: int | None = None
) -> tuple[Leftovers, Leftovers]:
    """Return `leftovers`, and the replicas that stay in that phase."""
    with _keys.open_keys_with_objects(keys) as opened:
        tables = pair._select(opened, threads)
    none = Leftovers(np.empty(0, dtype=np.intp), np.empty(0, dtype=object))
    found = [(none, none)]
    for part in slices(len(tables[0]), max(1, SLICE // sum(one.shape[1] for one in tables))):
        parts = [table[part] for table in tables]
        numbers, lives = _number(parts, pair._dead)
        stays = numbers[-1]
        if phase is Phase.BEFORE:  # as in routes: old, or else kept, or else new
            kept = np.concatenate([stays[:, :0], *numbers[1:-1]], axis=1)
            width = max(one.shape[1] for one in (numbers[0], kept, stays))
            for better in (kept, numbers[0]):
                better, stays = _filled(better, lives, width), _filled(stays, lives, width)
                has_none = np.equal(better.max(axis=1, initial=-1), -1)
                stays = np.where(np.reshape(has_none, (-1, 1)), stays, better)
        holders = np.concatenate(numbers, axis=1)
        ids = np.concatenate([one.astype(object) for one in parts], axis=1)
        goes = find_absent(holders, stays, len(lives))
        once = lives[holders] & ~find_repeated(holders, len(lives))
        split = [
            Leftovers(part.start + np.nonzero(mask & once)[0], ids[mask & once])
            for mask in (goes, ~goes)
        ]
        found.append((split[0], split[1]))
    going, staying = (
        Leftovers(*(np.concatenate(column) for column in zip(*side, strict=True)))
        for side in zip(*found, strict=True)
    )
    return going, staying


def _filled(numbers: NDArray[np.intp], lives: NDArray[np.bool_], width: int) -> NDArray[np.intp]:
    """Return rows of a width, with -1 for no node and for one that is dead."""
    filled = np.full((len(numbers), width), -1, dtype=np.intp)
    filled[:, : numbers.shape[1]] = np.where(
        (numbers >= 0) & lives[np.maximum(numbers, 0)], numbers, -1
    )
    return filled
