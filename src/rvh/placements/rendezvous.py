"""The placements of pymemcache and clandestined: rendezvous by the hash of ``node-key``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import as_index, whole_number
from rvh._arguments.per_node import check_count, per_node
from rvh._backend import Cancel, Prefixes, key_points
from rvh._batch.answers import fill
from rvh._batch.threads import Work
from rvh._columns.foreign import foreign_column
from rvh._columns.integers import check_integers, foreign_key
from rvh._runtime.slices import take, to_list
from rvh.errors import RVHError, RVHTypeError, show
from rvh.nodes import kept_without
from rvh.ring.servers import names_and_ids

if TYPE_CHECKING:
    from rvh.typing import Integers, Key, Keys, NodeIds

__all__ = ["Rendezvous", "clandestined", "pymemcache"]

#: scores that take as long as a compression of BLAKE2b
PAIRS_PER_WORK = 8


class Rendezvous:
    """Rendezvous hashing by MurmurHash3_x86_32 of ``"node-key"``, made by a system's function.

    A key's nodes are those of the highest scores; of equal scores the greatest id comes first. With
    zones, a key's nodes are the best of each zone, from the zone on whose number is the sum of the
    key's code points, modulo the number of zones. A placement never changes. It can be used from
    many threads at once, pickled and compared.

    Examples
    --------
    >>> from rvh.placements import pymemcache
    >>> placement = pymemcache(["10.0.0.1:11211", "10.0.0.2:11211"])
    >>> placement.lookup("user:1")
    ['10.0.0.2:11211']
    """

    __slots__ = (
        "__weakref__",
        "_fingerprint",
        "_ids",
        "_names",
        "_options",
        "_orders",
        "_prefixes",
    )

    def __init__(
        self,
        nodes: NodeIds,
        *,
        seed: int = 0,
        zones: Sequence[str] | None = None,
        code_points: bool = False,
        integers: Integers | None = None,
    ) -> None:
        names, self._ids = names_and_ids(nodes)
        self._ids.flags.writeable = False
        self._names = to_list(self._ids)
        number = as_index(seed)
        if number is None or not 0 <= number < 2**32:
            raise RVHError(f"seed is {show(seed)}: pass a whole number from 0 to 2^32-1")
        self._options: dict[str, Any] = {
            "seed": number,
            "zones": None if zones is None else _zones(zones, len(names)),
            "code_points": bool(code_points),
            "integers": check_integers(integers),
        }
        self._fingerprint: str | None = None
        # The kernel prefers the earlier of equal scores, and these systems the greatest id.
        self._orders = [
            np.array(sorted(members, key=names.__getitem__, reverse=True), dtype=np.intp)
            for members in self._members()
        ]
        self._prefixes = [
            Prefixes(_keys.column([names[n] + b"-" for n in order]), number, bool(code_points))
            for order in self._orders
        ]

    def _members(self) -> list[list[int]]:
        """The positions of the nodes of each zone, in the order of the zones' names."""
        zones = self._options["zones"]
        if zones is None:
            return [list(range(len(self._ids)))]
        return [
            [node for node, its in enumerate(zones) if its == zone] for zone in sorted(set(zones))
        ]

    # -- properties ---------------------------------------------------------------------------

    @property
    def ids(self) -> NDArray[Any]:
        """The node ids, shape (N,); read-only."""
        return self._ids

    @property
    def integers(self) -> str | None:
        """The way that integer keys are written: one of `INTEGERS`, or None if they are errors."""
        integers: str | None = self._options["integers"]
        return integers

    @property
    def fingerprint(self) -> str:
        """Hex digest (64 characters) of everything that decides which nodes a key belongs to.

        Examples
        --------
        >>> from rvh.placements import pymemcache
        >>> pymemcache(["a", "b"]).fingerprint == pymemcache(["b", "a"]).fingerprint
        True
        """
        if self._fingerprint is None:
            zones = self._options["zones"] or [""] * len(self._names)
            lines = sorted(zip(map(_keys.key_bytes, self._names), zones, strict=True))
            options = {name: value for name, value in self._options.items() if name != "zones"}
            digest = hashlib.blake2b(digest_size=32, person=b"rvh Rendezvous")
            digest.update(f"{options} {self._options['zones'] is None} {lines}".encode())
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def __len__(self) -> int:
        """The number of nodes."""
        return len(self._ids)

    def __repr__(self) -> str:
        zones = "" if self._options["zones"] is None else f", {len(self._orders)} zones"
        integers = "" if self.integers is None else f", integers={self.integers!r}"
        return f"Rendezvous({len(self)} nodes{zones}, seed={self._options['seed']}{integers})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rendezvous):
            return NotImplemented
        return self._names == other._names and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self._ids, self._options)

    def with_integers(self, integers: Integers | None) -> Rendezvous:
        """Return the same placement with integer keys written in another way.

        Parameters
        ----------
        integers : one of `INTEGERS`, or None

        Returns
        -------
        Rendezvous

        Raises
        ------
        RVHError
            Another value.

        Examples
        --------
        >>> from rvh.placements import clandestined
        >>> clandestined(["a", "b"]).with_integers("text").lookup(42)
        ['b']
        """
        return Rendezvous(self._ids, **(self._options | {"integers": integers}))

    def without(self, nodes: Any) -> Rendezvous:
        """Return the placement of the other nodes: only keys of the removed ones move.

        With zones, all zones have to keep a node, because their number decides too.

        Parameters
        ----------
        nodes : str, bytes, or sequence of them
            Ids of nodes.

        Returns
        -------
        Rendezvous

        Raises
        ------
        RVHError
            An id that is not there; no node, or a zone without nodes, would be left.
        RVHTypeError
            A value that is not an id.

        Examples
        --------
        >>> from rvh.placements import clandestined
        >>> placement = clandestined(["a", "b", "c"])
        >>> placement.lookup("user:1", 2), placement.without("a").lookup("user:1")
        (['c', 'a'], ['c'])
        """
        positions = {_keys.key_bytes(name): place for place, name in enumerate(self._names)}
        kept = kept_without(nodes, positions, "in the placement")
        if not kept.any():
            raise RVHError("no node is left: leave at least one")
        zones = self._options["zones"]
        if zones is not None:
            zones = [zone for zone, stays in zip(zones, kept, strict=True) if stays]
            gone = sorted(set(self._options["zones"]) - set(zones))
            if gone:
                raise RVHError(f"no node of zone {show(gone[0])} is left: leave one of each zone")
        return Rendezvous(self._ids[kept], **(self._options | {"zones": zones}))

    # -- lookups ------------------------------------------------------------------------------

    def lookup(self, key: Key, k: int = 1) -> list[Any]:
        """The nodes of one key.

        Parameters
        ----------
        key : str or bytes-like; int if the placement has `integers`
        k : int
            The number of nodes, from 1 to the number of nodes, or of zones if there are any.

        Returns
        -------
        list
            ``k`` node ids, best first.

        Raises
        ------
        RVHError, RVHTypeError
            ``k`` out of range; an integer key where `integers` is None; a composite key; a key
            without bytes.

        Examples
        --------
        >>> from rvh.placements import clandestined
        >>> clandestined(["a", "b", "c"]).lookup("user:1", 2)
        ['c', 'a']
        """
        written = foreign_key(key, self.integers)
        nodes: list[Any] = self.lookup_batch([written], k)[0].tolist()
        return nodes

    def lookup_batch(self, keys: Keys, k: int = 1, *, threads: int | None = None) -> NDArray[Any]:
        """The nodes of every key.

        Parameters
        ----------
        keys : sequence or array of str or bytes, shape (M,); of int as in `lookup`
            Any kind in `rvh.keys.KINDS` except composite keys. It must not change during the call.
        k, threads
            As for `lookup` and `NodeSet.argselect_batch`.

        Returns
        -------
        ndarray, shape (M, k)
            Node ids, best first, in the dtype of `ids`.

        Raises
        ------
        RVHError, RVHTypeError
            As `lookup` and `NodeSet.argselect_batch`; composite keys.

        Examples
        --------
        >>> from rvh.placements import clandestined
        >>> clandestined(["a", "b", "c"]).lookup_batch(["user:1", "user:2"], 2).tolist()
        [['c', 'a'], ['c', 'b']]
        """
        return take(self._ids, self.arglookup_batch(keys, k, threads=threads))

    def arglookup_batch(
        self, keys: Keys, k: int = 1, *, threads: int | None = None
    ) -> NDArray[np.intp]:
        """The positions in `ids` of the nodes of every key.

        Parameters
        ----------
        keys, k, threads
            As for `lookup_batch`.

        Returns
        -------
        ndarray of intp, shape (M, k)

        Raises
        ------
        RVHError, RVHTypeError
            As `lookup_batch`.

        Examples
        --------
        >>> from rvh.placements import clandestined
        >>> clandestined(["a", "b", "c"]).arglookup_batch(["user:1", "user:2"]).tolist()
        [[2], [2]]
        """
        if self._options["zones"] is None:
            k = whole_number("k", k, len(self), f"there are {len(self)} nodes")
            work: Work = partial(self._best, 0)
        else:
            count = len(self._orders)
            k = whole_number("k", k, count, f"there are {count} zones, and one node of each")
            work = self._best_of_zones
        with _keys.open_keys(keys) as column:
            out = np.empty((len(column), k), dtype=np.intp)
            cost = max(1, len(self) // PAIRS_PER_WORK)
            fill(work, foreign_column(column, self.integers), out, cost, threads)
        return out

    def _best(
        self, zone: int, keys: Any, start: int, stop: int, out: NDArray[np.intp], cancel: Cancel
    ) -> None:
        """Fill in the best nodes of a zone: the work of `fill`."""
        found = np.zeros(out.shape, dtype=np.intp)
        self._prefixes[zone].argselect(keys, start, stop, found, cancel)
        take(self._orders[zone], found, out)

    def _best_of_zones(
        self, keys: Any, start: int, stop: int, out: NDArray[np.intp], cancel: Cancel
    ) -> None:
        count = len(self._orders)
        firsts = np.zeros(stop - start, dtype=np.uint64)
        key_points("code_points", keys, start, stop, firsts, cancel)
        firsts %= np.uint64(count)
        best = np.empty((stop - start, count), dtype=np.intp)
        for zone in range(count):
            self._best(zone, keys, start, stop, best[:, zone : zone + 1], cancel)
        for place in range(out.shape[1]):
            zones = ((firsts + np.uint64(place)) % np.uint64(count)).astype(np.intp)
            out[:, place] = best[np.arange(stop - start), zones]


def pymemcache(nodes: NodeIds, *, seed: int = 0, integers: Integers | None = None) -> Rendezvous:
    """The nodes of pymemcache's HashClient, whose hasher is RendezvousHash.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The servers as pymemcache names them: ``"host:port"``, or the path of a socket.
    seed : int
        The hasher's, from 0 to 2^32-1.
    integers : one of `INTEGERS`, optional
        How integer keys are written: ``"text"`` for pymemcache's own. By default they are errors.

    Returns
    -------
    Rendezvous

    Raises
    ------
    RVHError
        As `NodeSet` for ids; another seed.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    pymemcache hashes code points modulo 256, and formats a key that is bytes as ``"b'...'"``: for a
    key that it gets as bytes, pass ``str(key)``. Its further nodes, which it has only when servers
    fail, are those that win without the ones before. Held to the package
    (tests/placements/test_rendezvous.py).

    Examples
    --------
    >>> from rvh.placements import pymemcache
    >>> pymemcache(["10.0.0.1:11211", "10.0.0.2:11211"]).lookup_batch(["user:1"]).tolist()
    [['10.0.0.2:11211']]
    """
    return Rendezvous(nodes, seed=seed, code_points=True, integers=integers)


def clandestined(
    nodes: NodeIds,
    *,
    seed: int = 0,
    zones: Sequence[str] | None = None,
    integers: Integers | None = None,
) -> Rendezvous:
    """The nodes of clandestined's RendezvousHash, or of its Cluster with zones.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The nodes' ids.
    seed : int
        As for the package, from 0 to 2^32-1.
    zones : sequence of str, shape (N,), optional
        The zone of each node in a Cluster; its ``replicas`` are `k` of the lookups.
    integers : one of `INTEGERS`, optional
        How integer keys are written: ``"text"`` for the package's own. By default they are errors.

    Returns
    -------
    Rendezvous

    Raises
    ------
    RVHError
        As `NodeSet` for ids; another seed; other than one zone for each node.
    RVHTypeError
        As `NodeSet`; zones that are not str.

    Notes
    -----
    A Cluster with more replicas than zones names nodes twice; here there are as many as zones, at
    most. The package's hash is that of its compiled module: without it, it hashes text that is not
    ASCII in another way. Held to the package (tests/placements/test_rendezvous.py).

    Examples
    --------
    >>> from rvh.placements import clandestined
    >>> clandestined(["a", "b", "c"]).lookup("user:1")
    ['c']
    >>> clandestined(["a", "b", "c"], zones=["eu", "eu", "us"]).lookup("user:1", 2)
    ['a', 'c']
    """
    return Rendezvous(nodes, seed=seed, zones=zones, integers=integers)


def _zones(zones: Any, nodes: int) -> list[str]:
    names = per_node(zones, "zones")
    check_count(len(names), nodes, "zones", "names")
    for at, name in enumerate(names):
        if not isinstance(name, str):
            raise RVHTypeError(f"the zone at position {at} is {show(name)}: pass str")
    return names


def _unpickled(nodes: Any, options: dict[str, Any]) -> Rendezvous:
    return Rendezvous(nodes, **options)
