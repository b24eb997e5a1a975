"""Selection of nodes near a key: longer common geohash prefix first, then the set's own ranking.

A geohash names a region of the earth; each further character names a region inside it. A `GeoSet`
selects from the nodes in a key's own region, then from wider and wider regions until it has k
nodes. The rule is in `docs/reference/contract.md`, "Same region first".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import real_number, whole_number
from rvh._backend import PreparedNodes
from rvh._batch.answers import fill
from rvh._batch.dedupe import distinct_keys
from rvh._batch.threads import Block, block_rows, over_blocks, thread_count
from rvh._columns.column import KeyColumn, Kind
from rvh._runtime.slices import argsort, array_of, slices, take
from rvh.errors import RVHError, RVHTypeError, show
from rvh.geohash.cells import LONGEST, UNKNOWN, make_regions, pack, truncate
from rvh.nodes import NodeSet, as_node_set

if TYPE_CHECKING:
    from rvh.typing import Key, Keys, NodeIds

__all__ = ["GeoSet", "encode"]

#: rows that are sorted by region at a time; bounds the memory and the time that a signal waits
SORTED_ROWS = 1 << 20


def encode(latitude: Any, longitude: Any, precision: int = LONGEST) -> Any:
    """The geohashes of places given in degrees.

    Parameters
    ----------
    latitude : number, or sequence or array of numbers, shape (M,)
        -90 to 90. A pole lies in the outermost region of its longitude, so it has many geohashes.
    longitude : number, or sequence or array of numbers, shape (M,)
        -180 to 180. 180 is read as -180, which is the same meridian.
    precision : int
        Number of characters, 1 to 12. Each character divides a region into 32: with 5 a region is
        5 km wide, with 12 it is 4 cm.

    Returns
    -------
    ndarray of str, shape (M,), or str
        A str for two numbers.

    Raises
    ------
    RVHError
        A number that is NaN or out of range, different numbers of latitudes and longitudes, a
        precision out of range. The message names the first position.
    RVHTypeError
        A value that is not a number.
    ImportError
        `pygeohash` is not installed: ``pip install 'rvh[geo]'``.

    Notes
    -----
    G. Niemeyer's geohash, 2008, https://en.wikipedia.org/wiki/Geohash, computed by the library
    `pygeohash`, one place at a time.

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
        (geohash,) = _encode([latitude], [longitude], precision)
        return geohash
    return np.array(_encode(latitude, longitude, precision), dtype=f"U{precision}")


class GeoSet:
    """Nodes with places, ranked by nearness in geohash first, then by the set's own ranking.

    A GeoSet never changes. It can be used from many threads at once, pickled, compared and hashed.

    Parameters
    ----------
    nodes : NodeSet, or sequence or array of node ids
        The nodes; one of weight 0 is never selected.
    geohash : sequence or array of str or bytes, shape (N,), optional
        Each node's geohash, 1 to 12 lower-case characters. Lengths may differ: a node with a short
        geohash serves all of that region.
    latitude, longitude : sequence or array of numbers, shape (N,), optional
        Degrees as for `encode`, instead of `geohash`.
    precision : int
        The greatest number of characters of a common prefix that count, 1 to 12. Nodes whose common
        prefixes with a key are equally long are equally near, and the ranking decides between them.
        A lower precision gives more even loads.

    Raises
    ------
    RVHError
        A geohash that is empty, too long or has other characters, a latitude or longitude that is
        NaN or out of range, different numbers of places and nodes. The message names the first
        position and says what to do.
    RVHTypeError
        Neither a geohash nor both latitude and longitude, or all three; a place of another type; a
        geohash that is None or null.
    ImportError
        Degrees are given and `pygeohash` is not installed: ``pip install 'rvh[geo]'``.

    Notes
    -----
    Two places on either side of a boundary share fewer characters than their distance suggests,
    and none across the equator, the prime meridian or the antimeridian (180 degrees): a geohash is
    a region, not a distance. If that matters, use a larger `k`.

    Removing a node moves only the keys that it had, each to its next node.

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
        "_groups",
        "_nodes",
        "_precision",
        "_regions",
    )

    def __init__(
        self,
        nodes: NodeSet | NodeIds,
        geohash: Any = None,
        latitude: ArrayLike | None = None,
        longitude: ArrayLike | None = None,
        precision: int = LONGEST,
    ) -> None:
        self._nodes = as_node_set(nodes)
        self._precision = whole_number("precision", precision, LONGEST)
        count = len(self._nodes)
        with _places(geohash, latitude, longitude, self._precision, "node", count) as column:
            words = truncate(pack(column), self._precision)
            self._geohash = array_of(
                [
                    each if isinstance(each, str) else each.decode()
                    for each in column.slice(0, count)
                ]
            ).astype(f"U{self._precision}")
        self._geohash.flags.writeable = False
        weights = self._nodes.weights
        selectable = np.arange(count) if weights is None else np.flatnonzero(weights)
        self._regions = make_regions(words[selectable], selectable, self._precision)
        #: nodes by region, and whether they are the region's own or its parent's other nodes
        self._groups: dict[tuple[int, bool], _Group] = {}

    # -- properties ---------------------------------------------------------------------------

    @property
    def nodes(self) -> NodeSet:
        """The nodes; answers are positions in its `ids`."""
        return self._nodes

    @property
    def geohash(self) -> NDArray[np.str_]:
        """The nodes' geohashes, truncated to `precision`, shape (N,); read-only."""
        return self._geohash

    @property
    def precision(self) -> int:
        """The greatest number of characters of a common prefix that count."""
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
        key: Key,
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
            Number of nodes, from 1 to the number of those with a weight above 0.
        geohash : str or bytes
            The key's place.
        latitude, longitude : number
            Degrees as for `encode`, instead of `geohash`.

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
        ids: list[Any] = self._nodes.ids[chosen[0]].tolist()
        return ids

    def argselect_batch(
        self,
        keys: Keys,
        k: int = 1,
        *,
        geohash: Any = None,
        latitude: ArrayLike | None = None,
        longitude: ArrayLike | None = None,
        threads: int | None = None,
    ) -> NDArray[np.intp]:
        """The indices of the best `k` nodes of every key at its place.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`. Keys and places must not change during the call.
        k : int
            Number of nodes, from 1 to the number of those with a weight above 0.
        geohash : sequence, array or Arrow column of str or bytes, shape (M,), optional
            Each key's place: 1 to 12 lower-case characters; lengths may differ.
        latitude, longitude : sequence or array of numbers, shape (M,), optional
            Degrees as for `encode`, instead of `geohash`.
        threads : int, optional
            Threads to use; by default as many as the process has cores if the work is worth it,
            capped by ``RVH_NUM_THREADS``. The answer does not depend on it.

        Returns
        -------
        ndarray of intp, shape (M, k)
            Positions in `nodes.ids`: longer common geohash prefix first (at most `precision`
            characters count), then as `rvh.NodeSet` ranks.

        Raises
        ------
        RVHError
            ``k`` out of range, a malformed place, different numbers of places and keys, keys that
            `rvh.NodeSet.argselect_batch` rejects. The message names the first position.
        RVHTypeError
            Neither a geohash nor both latitude and longitude, or all three; an unknown place
            (None, null); keys of a type without bytes.
        ImportError
            Degrees are given and `pygeohash` is not installed: ``pip install 'rvh[geo]'``.

        Examples
        --------
        >>> from rvh.geohash import GeoSet
        >>> geo = GeoSet(["a", "b", "c"], geohash=["u0", "u1", "9q"])
        >>> geo.argselect_batch(["x", "y"], k=2, geohash=["u0", "9q"])
        array([[0, 1],
               [2, 1]])
        """
        k = self._nodes._ranking.check_k(k)
        with _keys.open_keys(keys) as column:
            count = len(column)
            with _places(geohash, latitude, longitude, self._precision, "key", count) as places:
                words = pack(places, threads)
            _check_keys(column, threads)
            out = np.empty((count, k), dtype=np.intp)
            self._fill(column, words, out, threads)
        return out

    def select_batch(
        self,
        keys: Keys,
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
        """Write the best nodes of each key, at the place in `words`, into `out`."""
        keys = keys.with_plain_chunks()
        for start in range(0, len(words), SORTED_ROWS):
            block = slice(start, start + SORTED_ROWS)
            rows, tasks = self._tasks(words[block], out.shape[1])
            chosen = np.empty((len(rows), out.shape[1]), dtype=np.intp)
            self._run(tasks, _take(keys, start, rows), chosen, threads)
            inverse = np.empty_like(rows)
            inverse[rows] = np.arange(len(rows))
            # All are in range; mode="clip" spares NumPy a buffer.
            chosen.take(inverse, axis=0, out=out[block], mode="clip")

    def _run(
        self, tasks: list[_Task], keys: KeyColumn, out: NDArray[np.intp], threads: int | None
    ) -> None:
        """Run the tasks on several threads; keys and answers are in the tasks' order."""
        for task in tasks:
            if len(task.group.nodes) == 1:
                out[task.start : task.stop, task.first] = task.group.nodes[0]
        ranked = [task for task in tasks if len(task.group.nodes) > 1]
        pairs = sum((task.stop - task.start) * len(task.group.nodes) for task in ranked)
        over_blocks(list(_blocks(ranked, keys, out)), thread_count(threads, pairs))

    def _tasks(self, words: NDArray[np.uint64], k: int) -> tuple[NDArray[np.intp], list[_Task]]:
        """Sort the rows by region, and list what to select for which of them.

        A key gets nodes from its smallest region first. If that has fewer than `k` nodes, the key
        gets all of them, and the remaining columns come from the regions around it, one after the
        other. All keys in a region have the same columns left for the next region.
        """
        tree = self._regions
        regions_of = tree.of(words)
        if len(tree.first) < 1 << 15:
            regions_of = regions_of.astype(np.int16)  # NumPy sorts these by radix
        rows = argsort(regions_of)
        counts = np.bincount(regions_of, minlength=len(tree.first))
        ends = np.concatenate([[0], np.cumsum(counts)])
        sizes = tree.last - tree.first
        tasks = []
        for region in np.flatnonzero(counts).tolist():
            last = min(k, int(sizes[region]))
            group = self._group(region, False)
            tasks.append(_Task(group, int(ends[region]), int(ends[region + 1]), 0, last))
        wider = (sizes < k) & (ends[tree.end] > ends[:-1])
        for region in np.flatnonzero(wider).tolist():
            start, stop = int(ends[region]), int(ends[tree.end[region]])
            first = int(sizes[region])
            last = min(k, int(sizes[tree.parent[region]]))
            tasks.append(_Task(self._group(region, True), start, stop, first, last))
        return rows, tasks

    def _group(self, region: int, around: bool) -> _Group:
        """The nodes of a region, or with `around` the other nodes of its parent."""
        group = self._groups.get((region, around))
        if group is None:
            tree = self._regions
            first, last = tree.first[region], tree.last[region]
            if around:
                outer = tree.parent[region]
                nodes = np.concatenate(
                    [tree.order[tree.first[outer] : first], tree.order[last : tree.last[outer]]]
                )
            else:
                nodes = tree.order[first:last]
            # Two threads may prepare the same group; that only costs time.
            group = self._groups.setdefault((region, around), _Group(self._nodes, np.sort(nodes)))
        return group


class _Group:
    """Nodes that are equally near to a key, prepared for ranking; a single node needs no score."""

    __slots__ = ("nodes", "select")

    def __init__(self, node_set: NodeSet, nodes: NDArray[np.intp]) -> None:
        self.nodes = nodes
        if len(nodes) > 1:
            weights = None if node_set.weights is None else node_set.weights[nodes]
            ids = node_set._ranking.column._take(nodes)
            prepared = PreparedNodes(ids, node_set.scheme, weights, node_set.secret)
            self.select = partial(prepared.select, nodes)


class _Task(NamedTuple):
    """Selection from a group, for the rows `start` to `stop` and columns `first` to `last`."""

    group: _Group
    start: int
    stop: int
    first: int
    last: int


def _take(keys: KeyColumn, start: int, rows: NDArray[np.intp]) -> KeyColumn:
    """Take the elements at ``start + rows``, in any order, of a plain column or of plain chunks."""
    if keys.kind is Kind.CHUNKS:  # chunks cannot be reordered, so their elements are copied
        unique, codes = distinct_keys(keys, start, start + len(rows))
        return unique._take(codes[rows])
    return keys._take(rows + start)


def _blocks(tasks: list[_Task], keys: KeyColumn, out: NDArray[np.intp]) -> Iterator[Block]:
    """Divide the tasks into blocks of work."""
    for task in tasks:
        group = task.group
        for part in slices(task.stop - task.start, block_rows(len(group.nodes))):
            start, stop = task.start + part.start, task.start + part.stop
            yield group.select, keys, start, stop, out[start:stop, task.first : task.last]


#: nodes that make a cheap call read every key; which nodes does not matter
_READER = PreparedNodes(KeyColumn(Kind.OBJECTS, ["a", "b"]), "murmur", None, b"")


def _check_keys(keys: KeyColumn, threads: int | None) -> None:
    """Reject keys without bytes, which nothing reads in a region with a single node."""
    if keys.kind in (Kind.BYTES, Kind.INTEGERS, Kind.FIXED):  # every element has bytes
        return
    fill(_READER.argselect, keys, np.empty((len(keys), 1), dtype=np.intp), 1, threads)


@contextmanager
def _places(
    geohash: Any, latitude: Any, longitude: Any, precision: int, what: str, count: int
) -> Iterator[KeyColumn]:
    """Open the geohashes of `count` nodes or keys as a column, also if given in degrees."""
    if geohash is None and latitude is not None and longitude is not None:
        geohash = _encode(latitude, longitude, precision)
        name = "latitude"
    elif geohash is None or latitude is not None or longitude is not None:
        arguments = {"geohash": geohash, "latitude": latitude, "longitude": longitude}
        names = " and ".join(name for name, value in arguments.items() if value is not None)
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
        geohash = []  # the dtype of np.array([]) means nothing
    dtype = getattr(geohash, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "bfcmM":  # pack() rejects integers
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


def _encode(latitude: Any, longitude: Any, precision: int) -> list[str]:
    """Encode places given in degrees."""
    try:
        import pygeohash
    except ImportError as error:
        raise ImportError(
            "latitude and longitude need the package pygeohash: pip install 'rvh[geo]', or pass "
            "geohashes"
        ) from error
    degrees = []
    for name, values, limit in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        numbers = _degrees(name, values)
        invalid = ~(np.abs(numbers) <= limit)
        if invalid.any():
            position = int(invalid.argmax())
            number = numbers[position]
            advice = "leave out what has no place, or use the NodeSet itself for it"
            if np.abs(number) > limit:
                advice = "are latitude and longitude swapped?"
                if limit == 180:
                    advice = "subtract 360 from longitudes above 180"
            raise RVHError(
                f"{name} at position {position} is {number}: pass degrees from -{limit} to "
                f"{limit}; {advice}"
            )
        degrees.append(numbers)
    north, east = degrees
    if len(north) != len(east):
        raise RVHError(
            f"there are {len(north)} latitudes and {len(east)} longitudes: pass one of each for "
            "every place"
        )
    east = np.where(east == 180, -180.0, east)  # the same meridian
    return list(map(pygeohash.encode, north.tolist(), east.tolist(), repeat(precision)))


def _degrees(name: str, values: Any) -> NDArray[np.float64]:
    """Convert numbers to float64; missing ones become NaN."""
    values = _keys.of_view(values, name)
    if _is_one(values):
        raise RVHTypeError(f"{name} is {show(values)}: pass one number for each place")
    if not hasattr(values, "__array__"):
        return np.array(
            [
                np.nan if value is None else real_number(value, f"{name} at position {position}")
                for position, value in enumerate(values)
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
    """Return whether `values` is a single value; np.ndim() would look into lists."""
    return isinstance(values, (str, bytes)) or (
        not isinstance(values, (list, tuple)) and np.ndim(values) == 0
    )
