"""The placement of Apache Cassandra: the replicas of each range of its ring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import as_index, whole_number
from rvh._arguments.per_node import check_count, per_node
from rvh._backend import RingPoints, key_point
from rvh._batch.answers import fill
from rvh._columns.foreign import foreign_column
from rvh._columns.integers import check_integers, foreign_key
from rvh.errors import RVHError, RVHTypeError, show
from rvh.placements.slots import SlotTable
from rvh.ring.ring import Ring
from rvh.ring.tokens import points_of_tokens

if TYPE_CHECKING:
    from rvh.placements.slots import Slots
    from rvh.typing import Integers, Key, Keys

__all__ = ["TokenMap", "cassandra"]

#: the hash of Murmur3Partitioner
HASH = "murmur3"


class TokenMap(SlotTable):
    """Ranges of Cassandra's ring, and the replicas of each.

    A range ends with its token; the first range also has the tokens behind the last. A key is in
    the range of its token by Murmur3Partitioner. `cassandra` makes the replicas from a cluster.

    Parameters
    ----------
    nodes : sequence of str or bytes, shape (P,), or of rows of them, shape (P, R)
        The replicas of each range, the first of them the primary.
    tokens : sequence or array of int, shape (P,)
        The tokens that the ranges end with, ascending.
    integers : one of `INTEGERS`, optional
        How integer keys are written: ``"int32_be"`` for an ``int``, ``"int64_be"`` for a
        ``bigint``. By default they are errors.

    Raises
    ------
    RVHError
        As `Modulo` for nodes; other than one token for each range; tokens that do not ascend.
    RVHTypeError
        Tokens that are not whole numbers.

    Examples
    --------
    >>> from rvh.placements import TokenMap
    >>> ranges = TokenMap([["a", "b"], ["b", "c"]], [-(2**62), 2**62])
    >>> ranges.slot("user:1"), ranges.lookup("user:1", 2)
    (0, ['a', 'b'])
    """

    __slots__ = ("_integers", "_points", "_ranges")

    def __init__(self, nodes: Slots, tokens: Any, *, integers: Integers | None = None) -> None:
        super().__init__(nodes)
        self._integers = check_integers(integers)
        self._points = points_of_tokens(tokens, HASH)
        if len(self._points) != len(self._owners):
            raise RVHError(
                f"there are {len(self._points)} tokens for {len(self._owners)} ranges: give one "
                "each"
            )
        if not (self._points[1:] > self._points[:-1]).all():
            at = int(np.argmax(self._points[1:] <= self._points[:-1])) + 1
            raise RVHError(f"the token at position {at} is not above the one before: sort them")
        places = np.arange(len(self._points), dtype=np.uint32)
        self._ranges = RingPoints(HASH, self._points, places)

    @property
    def tokens(self) -> NDArray[np.int64]:
        """The tokens that the ranges end with, ascending, shape (P,).

        Examples
        --------
        >>> from rvh.placements import TokenMap
        >>> TokenMap(["a", "b"], [-5, 7]).tokens
        array([-5,  7])
        """
        return (self._points ^ np.uint64(1 << 63)).view(np.int64)

    @property
    def integers(self) -> str | None:
        """The way that integer keys are written: one of `INTEGERS`, or None if they are errors."""
        return self._integers

    def _options(self) -> dict[str, Any]:
        return {"tokens": self.tokens.tolist(), "integers": self._integers}

    def __repr__(self) -> str:
        ranges, replicas = self._owners.shape
        integers = "" if self._integers is None else f", integers={self._integers!r}"
        return f"TokenMap({len(self._ids)} nodes, {ranges} ranges of {replicas} replicas{integers})"

    def with_integers(self, integers: Integers | None) -> TokenMap:
        """Return the same placement with integer keys written in another way.

        Parameters
        ----------
        integers : one of `INTEGERS`, or None

        Returns
        -------
        TokenMap

        Raises
        ------
        RVHError
            Another value.

        Examples
        --------
        >>> from rvh.placements import TokenMap
        >>> TokenMap(["a", "b"], [-(2**62), 2**62]).with_integers("int64_be").lookup(42)
        ['a']
        """
        return self._writing(integers)

    def slot(self, key: Key) -> int:
        """The range of one key, from 0.

        Raises
        ------
        RVHError, RVHTypeError
            An integer key where `integers` is None; a composite key; a key without bytes.

        Examples
        --------
        >>> from rvh.placements import TokenMap
        >>> TokenMap(["a", "b"], [-(2**62), 2**62]).slot("user:1")
        0
        """
        if type(key) is not str:
            key = foreign_key(key, self._integers)
        at = int(np.searchsorted(self._points, np.uint64(key_point(HASH, key))))
        return at % len(self._points)

    def slot_batch(self, keys: Keys, *, threads: int | None = None) -> NDArray[np.intp]:
        """The range of every key.

        Parameters
        ----------
        keys, threads
            As for `lookup_batch`.

        Returns
        -------
        ndarray of intp, shape (M,)

        Raises
        ------
        RVHError, RVHTypeError
            As `slot` and `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh.placements import TokenMap
        >>> TokenMap(["a", "b"], [-(2**62), 2**62]).slot_batch(["user:1", "user:2"])
        array([0, 0])
        """
        with _keys.open_keys(keys) as column:
            out = np.empty((len(column), 1), dtype=np.intp)
            hashed = foreign_column(column, self._integers)
            fill(partial(self._ranges.lookup, None), hashed, out, 1, threads)
        return out[:, 0]


def cassandra(
    tokens: Mapping[Any, Any],
    replication: int | Mapping[str, int],
    *,
    datacenters: Sequence[str] | Mapping[Any, str] | None = None,
    racks: Sequence[str] | Mapping[Any, str] | None = None,
    integers: Integers | None = None,
) -> TokenMap:
    """The replicas that Cassandra's replication strategies choose.

    Parameters
    ----------
    tokens : mapping of node ids to sequences of int
        Each node's tokens, as ``nodetool ring`` shows them. A node without tokens has no replicas.
    replication : int, or mapping of names of datacenters to int
        The ``replication_factor`` of SimpleStrategy, or the replicas in each datacenter of
        NetworkTopologyStrategy. Those of a datacenter are as many as it has nodes, at most.
    datacenters, racks : sequence of str, shape (N,), or mapping of id to str, optional
        Where each node is. NetworkTopologyStrategy needs datacenters; without racks, each
        datacenter is one rack. SimpleStrategy knows neither, and takes none.
    integers : one of `INTEGERS`, optional
        As for `TokenMap`.

    Returns
    -------
    TokenMap
        The replicas of a range are in the order of the ring, as Cassandra has them.

    Raises
    ------
    RVHError
        As `Ring.from_tokens` for tokens; a replication that leaves no replica, or that is not 0 or
        more; NetworkTopologyStrategy without datacenters, or with one that no node is in; other
        than one datacenter or rack for each node.
    RVHTypeError
        As `Ring.from_tokens`; a replication of another type.

    Notes
    -----
    NetworkTopologyStrategy puts the replicas of a datacenter on as many racks as it can: a rack is
    chosen again only as often as there are more replicas than racks. Held to the driver of DataStax
    (tests/placements/test_cassandra.py), which names the same nodes in another order, and which
    names a node twice, and another not at all, where a rack is passed over more than once and
    replicas are more than racks; Cassandra itself does not.

    Examples
    --------
    >>> from rvh.placements import cassandra
    >>> tokens = {"a": [-6000], "b": [-2000], "c": [2000], "d": [6000]}
    >>> simple = cassandra(tokens, 2)
    >>> simple.ids[simple.owners].tolist()
    [['a', 'b'], ['b', 'c'], ['c', 'd'], ['d', 'a']]
    >>> where = {"datacenters": ["eu"] * 4, "racks": ["1", "1", "2", "2"]}
    >>> spread = cassandra(tokens, {"eu": 2}, **where)
    >>> spread.ids[spread.owners].tolist()
    [['a', 'c'], ['b', 'c'], ['c', 'a'], ['d', 'a']]
    """
    check_integers(integers)
    ring = Ring.from_tokens(tokens, HASH)
    nodes = ring.ids.tolist()
    if isinstance(replication, Mapping):
        if datacenters is None:
            raise RVHError(
                "replication names datacenters, and nothing says where the nodes are: pass "
                "datacenters="
            )
        each = _places(datacenters, nodes, "datacenters")
        within = _places(racks, nodes, "racks") if racks is not None else [""] * len(nodes)
        factors = {name: _factor(factor, name) for name, factor in replication.items()}
    else:
        factors = {"": whole_number("replication", replication, 2**31 - 1)}
        if datacenters is not None or racks is not None:
            raise RVHError(
                f"replication is {show(replication)}, which is SimpleStrategy's, and that knows no "
                "datacenters and racks: omit these, or pass the replicas in each datacenter, "
                f'as {{"dc1": {show(replication)}}}'
            )
        each = within = [""] * len(nodes)
    owners = ring.owners.tolist()
    wanted = _wanted(factors, each, within, set(owners))
    places = [(each[node], within[node]) for node in owners]
    runs = _runs(places)
    replicas = [
        list(_replicas(owners, places, runs, start, wanted)) for start in range(len(owners))
    ]
    return TokenMap(ring.ids[np.array(replicas)], ring.tokens, integers=integers)


def _places(values: Any, nodes: list[Any], what: str) -> list[str]:
    """Return the name of each node's datacenter or rack, in the order of the nodes."""
    if isinstance(values, Mapping):
        missing = [node for node in nodes if node not in values]
        if missing:
            raise RVHError(f"{what} has no name for node {show(missing[0])}: give one for each")
        names = [values[node] for node in nodes]
    else:
        names = per_node(values, what)
        check_count(len(names), len(nodes), what, "names")
    for node, name in zip(nodes, names, strict=True):
        if not isinstance(name, str):
            raise RVHTypeError(f"{what}: that of node {show(node)} is {show(name)}: pass str")
    return names


def _factor(factor: Any, datacenter: Any) -> int:
    number = as_index(factor)
    if number is None:
        raise RVHTypeError(
            f"the replication in datacenter {show(datacenter)} is {show(factor)}: pass a whole "
            "number"
        )
    if number < 0:
        raise RVHError(
            f"the replication in datacenter {show(datacenter)} is {number}: pass 0 or more"
        )
    return number


def _wanted(
    factors: dict[str, int], datacenters: list[str], racks: list[str], owners: set[int]
) -> dict[str, tuple[int, int]]:
    """Return, for each datacenter, its replicas, and how many of them may share a rack."""
    wanted = {}
    for name, factor in factors.items():
        members = [node for node in owners if datacenters[node] == name]
        if not members and factor:
            raise RVHError(
                f"replication names datacenter {show(name)}, in which no node with a token is: "
                f"there are {', '.join(sorted({datacenters[node] for node in owners}))}"
            )
        if factor:
            count = len({racks[node] for node in members})
            wanted[name] = min(factor, len(members)), factor - count
    if not wanted:
        raise RVHError("replication leaves no replica: give one datacenter 1 or more")
    return wanted


def _runs(places: list[tuple[str, str]]) -> list[int]:
    """Count the tokens from each on whose nodes are in one rack, to the end of the list."""
    runs = [1] * len(places)
    for at in range(len(places) - 2, -1, -1):
        if places[at] == places[at + 1]:
            runs[at] += runs[at + 1]
    return runs


def _replicas(
    owners: list[int],
    places: list[tuple[str, str]],
    runs: list[int],
    start: int,
    wanted: dict[str, tuple[int, int]],
) -> Iterator[int]:
    """Yield the replicas of the range that a token ends, in the order of the ring."""
    left = {name: list(numbers) for name, numbers in wanted.items()}
    missing = sum(count for count, _ in wanted.values())
    seen: set[int] = set()
    seen_racks: set[tuple[str, str]] = set()
    at = start
    while missing:
        node, rack, run = owners[at], places[at], runs[at]
        counts = left.get(rack[0])
        if counts is None or not counts[0] or (rack in seen_racks and counts[1] <= 0):
            at = (at + run) % len(owners)  # a rack of many nodes has long runs
            continue
        at = (at + 1) % len(owners)
        if node in seen:
            continue
        if rack in seen_racks:
            counts[1] -= 1
        seen_racks.add(rack)
        seen.add(node)
        counts[0] -= 1
        missing -= 1
        yield node
