"""Nodes near a key first: longer common geohash prefix first, then the set's own ranking.

A geohash names a region of the earth, and each further character a region inside of it. A `GeoSet`
picks among the nodes in a key's own region, and goes wider step by step until k are found. The
rule is `docs/architecture.md`, "Choosing under constraints".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import real_number, whole_number
from rvh._backend import PreparedNodes, distinct
from rvh._batch.answers import fill
from rvh._batch.threads import Block, block_rows, over_blocks, thread_count
from rvh._columns.column import KeyColumn, Kind
from rvh._runtime.slices import argsort, array_of, slices, take
from rvh.errors import RVHError, RVHTypeError, show
from rvh.geohash.cells import LONGEST, UNKNOWN, cut, packed, regions
from rvh.nodes import NodeSet, as_node_set

__all__ = ["GeoSet", "encode"]

#: rows that are put in the order of their regions together: what that takes does not grow with all
#: of them, and a signal waits for this many at most
SORTED_ROWS = 1 << 20


def encode(latitude: Any, longitude: Any, precision: int = LONGEST) -> Any:
    """Geohashes of places given in degrees.

    Parameters
    ----------
    latitude : number, or sequence or array of numbers, shape (M,)
        -90 to 90. A pole lies in the outermost region of its longitude, so it has many geohashes.
    longitude : number, or sequence or array of numbers, shape (M,)
        -180 to 180. 180 is read as -180: they are one meridian.
    precision : int
        Characters, 1 to 12. Each narrows the region 32 times: 5 are 5 km, 12 are 4 cm.

    Returns
    -------
    ndarray of str, shape (M,), or str
        A str for two numbers.

    Raises
    ------
    RVHError
        A number that is NaN or out of range, another number of latitudes than of longitudes, a
        precision out of range. The message names the first position.
    RVHTypeError
        Something that is no number.
    ImportError
        `pygeohash` is not installed: ``pip install 'rvh[geo]'``.

    Notes
    -----
    G. Niemeyer's geohash, 2008, https://en.wikipedia.org/wiki/Geohash, by the library `pygeohash`,
    a place at a time.

    Examples
    --------
    >>> from rvh.geohash import encode
    >>> encode([48.8566, -33.8688], [2.3522, 151.2093], precision=5)
    array(['u09tv', 'r3gx2'], dtype='<U5')
    >>> encode(57.64911, 10.40744, 11)
    'u4pruydqqvj'
    """
    precision = whole_number("precision", precision, LONGEST)
    latitude, longitude = _keys.of_view(latitude, "latitude"), _keys.of_view(longitude, "longitude")
    if _is_one(latitude) and _is_one(longitude):
        (one,) = _encoded([latitude], [longitude], precision)
        return one
    return np.array(_encoded(latitude, longitude, precision), dtype=f"U{precision}")


class GeoSet:
    """Nodes with places: the nearest by geohash first, then by the set's own ranking.

    A GeoSet never changes. It can be used from many threads at once, pickled, compared and hashed.

    Parameters
    ----------
    nodes : NodeSet, or what makes one
        The nodes; one of weight 0 is never selected.
    geohash : sequence or array of str or bytes, shape (N,), optional
        Each node's geohash, 1 to 12 lower-case characters. They need not be equally long: a node
        with a short one serves all of that region.
    latitude, longitude : sequence or array of numbers, shape (N,), optional
        Instead of `geohash`, degrees as for `encode`.
    precision : int
        How many characters of a common prefix count, 1 to 12. Nodes that share as many with a key
        are equally near, and the ranking shares the keys out among them: the lower the precision,
        the more evenly.

    Raises
    ------
    RVHError
        A geohash that is empty, too long or has other characters, a latitude or longitude that is
        NaN or out of range, another number of places than of nodes. The message names the first
        position and says what to do.
    RVHTypeError
        Neither a geohash nor both of latitude and longitude, or all of them; a place of another
        type, a geohash that is None or null.
    ImportError
        For degrees: `pygeohash` is not installed: ``pip install 'rvh[geo]'``.

    Notes
    -----
    Two places on either side of a boundary share fewer characters than their distance suggests,
    and none across the equator, the prime meridian or the antimeridian (180 degrees): a geohash is
    a region, not a distance. Where that matters, ask for a larger `k`.

    A node that goes moves only the keys that it had, each to its next.

    Examples
    --------
    >>> from rvh.geohash import GeoSet
    >>> geo = GeoSet(["paris", "lyon", "sydney"], geohash=["u09tv", "u05kq", "r3gx2"])
    >>> geo.select("user:1", k=3, geohash="u09wj")
    ['paris', 'lyon', 'sydney']
    >>> geo.select_batch(["user:1", "user:2"], geohash=["u05", "r3"])
    array([['lyon'],
           ['sydney']], dtype='<U6')
    """

    __slots__ = (
        "__weakref__",
        "_geohash",
        "_nodes",
        "_precision",
        "_prepared",
        "_regions",
    )

    def __init__(
        self,
        nodes: Any,
        geohash: Any = None,
        latitude: ArrayLike | None = None,
        longitude: ArrayLike | None = None,
        precision: int = LONGEST,
    ) -> None:
        self._nodes = as_node_set(nodes)
        self._precision = whole_number("precision", precision, LONGEST)
        count = len(self._nodes)
        with _places(geohash, latitude, longitude, self._precision, "node", count) as column:
            words = cut(packed(column), self._precision)
            self._geohash = array_of(
                [
                    each if isinstance(each, str) else each.decode()
                    for each in column.slice(0, count)
                ]
            ).astype(f"U{self._precision}")
        self._geohash.flags.writeable = False
        weights = self._nodes.weights
        chosen = np.arange(count) if weights is None else np.flatnonzero(weights)
        self._regions = regions(words[chosen], chosen, self._precision)
        #: (region, whether it is what its parent has besides) -> those nodes, when first asked for
        self._prepared: dict[tuple[int, bool], _Tier] = {}

    # -- what it is ---------------------------------------------------------------------------

    @property
    def nodes(self) -> NodeSet:
        """The nodes; answers are positions in its `ids`."""
        return self._nodes

    @property
    def geohash(self) -> NDArray[np.str_]:
        """The nodes' geohashes, cut to `precision`, shape (N,); read-only."""
        return self._geohash

    @property
    def precision(self) -> int:
        """How many characters of a common prefix count."""
        return self._precision

    def __len__(self) -> int:
        return len(self._nodes)

    def __repr__(self) -> str:
        return f"GeoSet({self._nodes!r}, precision={self._precision})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GeoSet):
            return NotImplemented
        return self is other or self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __reduce__(self) -> tuple[Any, ...]:
        return GeoSet, (self._nodes, self._geohash, None, None, self._precision)

    def _identity(self) -> tuple[Any, ...]:
        return self._nodes, self._precision, tuple(self._geohash.tolist())

    # -- answers ------------------------------------------------------------------------------

    def select(
        self,
        key: Any,
        k: int = 1,
        *,
        geohash: str | bytes | None = None,
        latitude: float | None = None,
        longitude: float | None = None,
    ) -> list[Any]:
        """The best `k` nodes of one key at one place.

        Parameters
        ----------
        key : str, bytes-like or int
        k : int
            How many, from 1 to the number of nodes (of those with a weight above 0).
        geohash : str or bytes
            The key's place, or else:
        latitude, longitude : number
            Degrees, as for `encode`.

        Returns
        -------
        list
            ``k`` node ids: longer common geohash prefix first, then best first.

        Raises
        ------
        RVHError, RVHTypeError
            As `argselect_batch`.

        Examples
        --------
        >>> from rvh.geohash import GeoSet
        >>> geo = GeoSet(["a", "b", "c"], geohash=["u0", "u1", "9q"])
        >>> geo.select("obj", k=2, geohash="u12")
        ['b', 'a']
        """
        chosen = self.argselect_batch(
            [key],
            k,
            geohash=None if geohash is None else [geohash],
            latitude=None if latitude is None else [latitude],
            longitude=None if longitude is None else [longitude],
            threads=1,
        )
        found: list[Any] = self._nodes.ids[chosen[0]].tolist()
        return found

    def argselect_batch(
        self,
        keys: Any,
        k: int = 1,
        *,
        geohash: Any = None,
        latitude: ArrayLike | None = None,
        longitude: ArrayLike | None = None,
        threads: int | None = None,
    ) -> NDArray[np.intp]:
        """Indices of the best `k` nodes of every key at its place.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`. They and the places must not change during the call.
        k : int
            How many, from 1 to the number of nodes (of those with a weight above 0).
        geohash : sequence, array or Arrow column of str or bytes, shape (M,), optional
            Each key's place: 1 to 12 lower-case characters, not necessarily equally many.
        latitude, longitude : sequence or array of numbers, shape (M,), optional
            Instead of `geohash`, degrees as for `encode`.
        threads : int, optional
            Threads to use; by default the process's cores when the work is worth it, capped by
            ``RVH_NUM_THREADS``. The answer does not depend on it.

        Returns
        -------
        ndarray of intp, shape (M, k)
            Positions in `nodes.ids`: longer common geohash prefix first (at most `precision`
            characters count), then as `rvh.NodeSet` ranks.

        Raises
        ------
        RVHError
            ``k`` out of range, a malformed place, another number of places than of keys, keys that
            `rvh.NodeSet.argselect_batch` refuses. The message names the first position.
        RVHTypeError
            Neither a geohash nor both of latitude and longitude, or all of them; a place that is
            unknown (None, null); keys of a type without bytes.
        ImportError
            For degrees: `pygeohash` is not installed: ``pip install 'rvh[geo]'``.

        Examples
        --------
        >>> from rvh.geohash import GeoSet
        >>> geo = GeoSet(["a", "b", "c"], geohash=["u0", "u1", "9q"])
        >>> geo.argselect_batch(["x", "y"], k=2, geohash=["u0", "9q"])
        array([[0, 1],
               [2, 1]])
        """
        k = self._nodes._ranking.count(k)
        with _keys.open_keys(keys) as column:
            count = len(column)
            with _places(geohash, latitude, longitude, self._precision, "key", count) as places:
                words = packed(places, threads)
            _check_keys(column, threads)
            out = np.empty((count, k), dtype=np.intp)
            self._fill(column, words, out, threads)
        return out

    def select_batch(
        self,
        keys: Any,
        k: int = 1,
        *,
        geohash: Any = None,
        latitude: ArrayLike | None = None,
        longitude: ArrayLike | None = None,
        threads: int | None = None,
    ) -> NDArray[Any]:
        """The best `k` nodes of every key at its place.

        Parameters
        ----------
        keys, k, geohash, latitude, longitude, threads
            As for `argselect_batch`.

        Returns
        -------
        ndarray, shape (M, k)
            Node ids, longer common geohash prefix first, then best first, in the dtype of
            `nodes.ids`.

        Raises
        ------
        RVHError, RVHTypeError
            As `argselect_batch`.

        Examples
        --------
        >>> from rvh.geohash import GeoSet
        >>> geo = GeoSet(["a", "b", "c"], geohash=["u0", "u1", "9q"])
        >>> geo.select_batch(["x", "y"], k=2, geohash=["u0", "9q"])
        array([['a', 'b'],
               ['c', 'b']], dtype='<U1')
        """
        chosen = self.argselect_batch(
            keys, k, geohash=geohash, latitude=latitude, longitude=longitude, threads=threads
        )
        return take(self._nodes.ids, chosen)

    # -- helpers ------------------------------------------------------------------------------

    def _fill(
        self,
        keys: KeyColumn,
        words: NDArray[np.uint64],
        out: NDArray[np.intp],
        threads: int | None,
    ) -> None:
        """Write the best nodes of each key at the place `words` into `out`."""
        keys = keys.with_plain_chunks()
        for start in range(0, len(words), SORTED_ROWS):
            block = slice(start, start + SORTED_ROWS)
            rows, tasks = self._tasks(words[block], out.shape[1])
            chosen = np.empty((len(rows), out.shape[1]), dtype=np.intp)
            self._work_off(tasks, _taken(keys, start, rows), chosen, threads)
            place = np.empty_like(rows)
            place[rows] = np.arange(len(rows))
            chosen.take(place, axis=0, out=out[block], mode="clip")  # in range, so no buffer

    def _work_off(
        self, tasks: list[_Task], keys: KeyColumn, out: NDArray[np.intp], threads: int | None
    ) -> None:
        """Do the tasks, on several threads; keys and answers are in the tasks' order."""
        for task in tasks:
            if len(task.tier.nodes) == 1:
                out[task.start : task.stop, task.first] = task.tier.nodes[0]
        ranked = [task for task in tasks if len(task.tier.nodes) > 1]
        pairs = sum((task.stop - task.start) * len(task.tier.nodes) for task in ranked)
        over_blocks(list(_blocks(ranked, keys, out)), thread_count(threads, pairs))

    def _tasks(self, words: NDArray[np.uint64], k: int) -> tuple[NDArray[np.intp], list[_Task]]:
        """The rows, those of a region side by side, and what to do with which of them.

        A key takes from its smallest region first. Where that has fewer nodes than `k`, all of
        them are taken, and so are those of every further region around it that is too small: which
        columns are left for the next one is the same for all keys inside.
        """
        tree = self._regions
        regions_of = tree.of(words)
        if len(tree.first) < 1 << 15:
            regions_of = regions_of.astype(np.int16)  # these are sorted by radix
        rows = argsort(regions_of)
        counts = np.bincount(regions_of, minlength=len(tree.first))
        ends = np.concatenate([[0], np.cumsum(counts)])
        sizes = tree.last - tree.first
        tasks = []
        for region in np.flatnonzero(counts).tolist():
            last = min(k, int(sizes[region]))
            tier = self._tier(region, False)
            tasks.append(_Task(tier, int(ends[region]), int(ends[region + 1]), 0, last))
        wider = (sizes < k) & (ends[tree.end] > ends[:-1])
        for region in np.flatnonzero(wider).tolist():
            start, stop = int(ends[region]), int(ends[tree.end[region]])
            first = int(sizes[region])
            last = min(k, int(sizes[tree.parent[region]]))
            tasks.append(_Task(self._tier(region, True), start, stop, first, last))
        return rows, tasks

    def _tier(self, region: int, around: bool) -> _Tier:
        """The nodes of a region, or those that its parent has besides."""
        made = self._prepared.get((region, around))
        if made is None:
            tree = self._regions
            first, last = tree.first[region], tree.last[region]
            if around:
                outer = tree.parent[region]
                nodes = np.concatenate(
                    [tree.order[tree.first[outer] : first], tree.order[last : tree.last[outer]]]
                )
            else:
                nodes = tree.order[first:last]
            # Two threads may both prepare one; that costs time and nothing else.
            made = self._prepared.setdefault((region, around), _Tier(self._nodes, np.sort(nodes)))
        return made


class _Tier:
    """Nodes that are equally near to a key, prepared: one alone needs no score."""

    __slots__ = ("nodes", "select")

    def __init__(self, of: NodeSet, nodes: NDArray[np.intp]) -> None:
        self.nodes = nodes
        if len(nodes) > 1:
            weights = None if of.weights is None else of.weights[nodes]
            ids = of._ranking.column._take(nodes)
            prepared = PreparedNodes(ids, of.scheme, weights, of.secret)
            self.select = partial(prepared.select, nodes)


class _Task(NamedTuple):
    """Rows `start` to `stop` take the best of a tier for columns `first` to `last`."""

    tier: _Tier
    start: int
    stop: int
    first: int
    last: int


def _taken(keys: KeyColumn, start: int, rows: NDArray[np.intp]) -> KeyColumn:
    """The elements at ``start + rows``, in any order, of a plain column or of plain chunks."""
    if keys.kind is Kind.CHUNKS:  # these have no order but their own, so they are copied
        spans, codes = distinct(keys, start, start + len(rows))
        return KeyColumn._unchecked(Kind.SPANS, spans)._take(codes[rows])
    return keys._take(rows + start)


def _blocks(tasks: list[_Task], keys: KeyColumn, out: NDArray[np.intp]) -> Iterator[Block]:
    """The tasks as blocks of work, those of many rows in several."""
    for task in tasks:
        tier = task.tier
        for part in slices(task.stop - task.start, block_rows(len(tier.nodes))):
            start, stop = task.start + part.start, task.start + part.stop
            yield tier.select, keys, start, stop, out[start:stop, task.first : task.last]


#: any will do: what reads every key, cheaply
_READER = PreparedNodes(KeyColumn(Kind.OBJECTS, ["a", "b"]), "murmur", None, b"")


def _check_keys(keys: KeyColumn, threads: int | None) -> None:
    """Refuse the first key without bytes: regions with one node would not ask for them."""
    if keys.kind in (Kind.BYTES, Kind.INTEGERS, Kind.FIXED):  # they all have
        return
    fill(_READER.argselect, keys, np.empty((len(keys), 1), dtype=np.intp), 1, threads)


@contextmanager
def _places(
    geohash: Any, latitude: Any, longitude: Any, precision: int, what: str, count: int
) -> Iterator[KeyColumn]:
    """Geohashes of `count` nodes or keys as a column, however they are given."""
    if geohash is None and latitude is not None and longitude is not None:
        geohash = _encoded(latitude, longitude, precision)
        name = "latitude"
    elif geohash is None or latitude is not None or longitude is not None:
        given = {"geohash": geohash, "latitude": latitude, "longitude": longitude}
        names = " and ".join(name for name, value in given.items() if value is not None)
        raise RVHTypeError(
            f"the places of the {what}s are given by {names or 'nothing'}: pass geohash=, or both "
            "of latitude= and longitude="
        )
    else:
        name = "geohash"
    if isinstance(geohash, (str, bytes, bytearray)):
        raise RVHTypeError(
            f"geohash is one {type(geohash).__name__} ({show(geohash)}): pass one for each {what}"
        )
    geohash = _keys.of_view(geohash, "geohash")
    if getattr(geohash, "ndim", 1) == 1 and getattr(geohash, "size", 1) == 0 and count == 0:
        geohash = []  # np.array([]), whose dtype says nothing
    dtype = getattr(geohash, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "bfcmM":  # of integers packed() says so
        raise RVHTypeError(f"geohash is an array of {dtype}: pass text, for example 'u09tunq'")
    with _keys.open_keys_with_nulls(geohash, "geohash") as (column, valid):
        if len(column) != count:
            raise RVHError(
                f"{name} has {len(column)} values for {count} {what}s: pass one for each {what}"
            )
        if valid is not None:
            raise RVHTypeError(
                f"the geohash of the {what} at position {int(valid.argmin())} is null: {UNKNOWN}"
            )
        yield column.named(f"the geohash of the {what}")


def _encoded(latitude: Any, longitude: Any, precision: int) -> list[str]:
    """Geohashes of places given in degrees."""
    try:
        import pygeohash
    except ImportError as error:
        raise ImportError(
            "latitude and longitude need the package pygeohash: pip install 'rvh[geo]', or pass "
            "geohashes"
        ) from error
    degrees = []
    for name, values, most in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        numbers = _degrees(name, values)
        wrong = ~(np.abs(numbers) <= most)
        if wrong.any():
            at = int(wrong.argmax())
            advice = "leave out what has no place, or select for it by the NodeSet itself"
            if np.abs(numbers[at]) > most:
                advice = "are latitude and longitude swapped?"
                if most == 180:
                    advice = "subtract 360 from what is counted eastwards from 0 to 360"
            raise RVHError(
                f"{name} at position {at} is {numbers[at]}: pass degrees from -{most} to {most}; "
                + advice
            )
        degrees.append(numbers)
    north, east = degrees
    if len(north) != len(east):
        raise RVHError(
            f"there are {len(north)} latitudes and {len(east)} longitudes: pass one of each for "
            "every place"
        )
    east = np.where(east == 180, -180.0, east)  # one meridian
    return list(map(pygeohash.encode, north.tolist(), east.tolist(), repeat(precision)))


def _degrees(name: str, values: Any) -> NDArray[np.float64]:
    """Numbers as float64; what is missing becomes NaN."""
    values = _keys.of_view(values, name)
    if _is_one(values):
        raise RVHTypeError(f"{name} is {show(values)}: pass one number for each place")
    if not hasattr(values, "__array__"):
        return np.array(
            [
                np.nan if value is None else real_number(value, f"{name} at position {at}")
                for at, value in enumerate(values)
            ],
            np.float64,
        )
    array = np.asanyarray(values)
    if array.ndim != 1:
        raise RVHError(
            f"{name} has shape {array.shape}: pass one number for each place, shape (M,)"
        )
    if array.dtype == object:
        return _degrees(name, array.tolist())
    if array.dtype.kind not in "iuf":
        raise RVHTypeError(f"{name} is an array of {array.dtype}: pass degrees as numbers")
    if np.ma.is_masked(array):
        return np.ma.filled(array.astype(np.float64), np.nan)
    return np.asarray(array, dtype=np.float64)


def _is_one(values: Any) -> bool:
    """Whether that is one value and not several; np.ndim() would look into lists."""
    return isinstance(values, (str, bytes)) or (
        not isinstance(values, (list, tuple)) and np.ndim(values) == 0
    )
