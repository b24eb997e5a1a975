"""Replicas among the living nodes, spread over failure domains.

Dead nodes are left out of the ranking, which stays as it is otherwise: a death moves only the keys
that had the dead node, each to its next in rank, and a return moves exactly those back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvh import keys as _keys
from rvh._arguments.domains import Domains, as_domains
from rvh._arguments.masks import node_mask
from rvh._arguments.numbers import whole_number
from rvh._arguments.per_node import python_value
from rvh._backend import distinct
from rvh._batch.replicas import absent, repeated
from rvh._batch.threads import Work, over_rows
from rvh._columns.column import KeyColumn, Kind
from rvh._runtime.slices import take, to_list
from rvh.errors import RVHError, RVHTypeError, show
from rvh.nodes import NodeSet, as_node_set

__all__ = ["FaultSet", "Repair", "Replicas"]

LEVELS_MAX = 8  # kinds of domains nested in one another
LIMIT_MAX = 2**31 - 1


class Replicas(NamedTuple):
    """The replicas of every key, and where they are less spread than was asked for.

    Parameters
    ----------
    nodes : ndarray, shape (M, k)
        Node ids, or their positions: first those of the spread, best first, then what tops them up.
    degraded : ndarray of bool, shape (M,)
        True where a domain holds more than `max_per_domain` of the row's replicas.
    """

    nodes: NDArray[Any]
    degraded: NDArray[np.bool_]


class Repair(NamedTuple):
    """What every key's replicas become, and what has to be copied and deleted for it.

    Parameters
    ----------
    nodes : ndarray, shape (M, k)
        Node ids: the replicas that stay before those that are new.
    added : ndarray of bool, shape (M, k)
        True where the replica is new.
    dropped : ndarray of bool, shape (M, c)
        True where a current replica is one no more; its node may be dead.
    degraded : ndarray of bool, shape (M,)
        As in `Replicas`.
    """

    nodes: NDArray[Any]
    added: NDArray[np.bool_]
    dropped: NDArray[np.bool_]
    degraded: NDArray[np.bool_]


class _Spread(NamedTuple):
    """What a spread comes to for the living nodes."""

    names: tuple[str, ...]  # from the outermost in
    domains: NDArray[np.uint32] | None  # (levels, living), from the innermost out
    most: list[int]  # in the order of `domains`
    replicas: int  # of a key, so that no domain holds more than its limit


class FaultSet:
    """Nodes of which some are dead, and their failure domains.

    A FaultSet never changes: `with_alive` gives a new one. It can be used from many threads at
    once, pickled and compared.

    Parameters
    ----------
    nodes : NodeSet, or what makes one
    alive : array of bool, shape (N,), optional
        Which nodes may be selected; a `rvh.filter` gives one. All by default.
    domains : mapping of str to sequences of str, bytes or int, shape (N,), optional
        Failure domains, as those of `NodeSet`, which they are added to.

    Raises
    ------
    RVHError
        A mask of another length, no living node with a weight above 0, domains that are not one
        label for each node.
    RVHTypeError
        A mask that is not of bool, a label that is no str, bytes or int.

    Examples
    --------
    >>> import rvh
    >>> from rvh.faultset import FaultSet
    >>> zones = ["eu", "eu", "us", "us"]
    >>> faults = FaultSet(["a", "b", "c", "d"], domains={"zone": zones})
    >>> faults.select_batch(["user:1", "user:2"], k=2, spread="zone").nodes
    array([['c', 'b'],
           ['c', 'a']], dtype='<U1')
    >>> faults.with_alive([True, True, True, False]).select("user:1", k=2, spread="zone")
    ['c', 'b']
    """

    __slots__ = ("__weakref__", "_alive", "_index", "_living", "_nodes", "_spreads")

    def __init__(
        self,
        nodes: Any,
        alive: ArrayLike | None = None,
        domains: Mapping[str, Any] | None = None,
    ) -> None:
        node_set = as_node_set(nodes)
        if domains is not None:
            more = as_domains(domains, node_set.ids)
            both = {**node_set.domains, **more}
            options = node_set._options(node_set.weights, node_set.domains)
            node_set = NodeSet(node_set.ids, **{**options, "domains": both})
        mask = np.ones(len(node_set), dtype=np.bool_)
        if alive is not None:
            mask = node_mask("alive", alive, len(node_set)).copy()
        mask.flags.writeable = False
        able = mask if node_set.weights is None else mask & (node_set.weights > 0)
        if not able.any():
            what = "with a weight above 0 " if mask.any() else ""
            raise RVHError(
                f"no node {what}is alive: there is nothing to select from, so handle the outage "
                "first, or pass alive= with at least one True"
            )
        self._nodes = node_set
        self._alive = mask
        self._living = node_set if mask.all() else node_set.subset(mask)
        self._index = np.flatnonzero(mask)  # position among the living -> position in `nodes`
        self._spreads: dict[Any, _Spread] = {}

    # -- what it is ---------------------------------------------------------------------------

    @property
    def nodes(self) -> NodeSet:
        """All nodes, dead ones too."""
        return self._nodes

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Which nodes are alive, shape (N,); read-only."""
        return self._alive.view()

    def with_alive(self, alive: ArrayLike) -> FaultSet:
        """The same nodes with another mask.

        Examples
        --------
        >>> from rvh.faultset import FaultSet
        >>> FaultSet(["a", "b"], alive=[True, False]).with_alive([True, True]).alive
        array([ True,  True])
        """
        return FaultSet(self._nodes, alive)

    def spread_max(
        self, spread: str | Sequence[str], max_per_domain: int | Sequence[int] = 1
    ) -> int:
        """How many replicas a key can have before rows are degraded.

        Parameters
        ----------
        spread, max_per_domain
            As for `select_batch`.

        Returns
        -------
        int
            The same for every key: it depends on the living nodes and their domains alone.

        Raises
        ------
        RVHError
            An unknown domain, a limit below 1.

        Examples
        --------
        >>> from rvh.faultset import FaultSet
        >>> faults = FaultSet(["a", "b", "c"], domains={"zone": ["eu", "eu", "us"]})
        >>> faults.spread_max("zone")
        2
        """
        return self._spread(spread, max_per_domain).replicas

    def __repr__(self) -> str:
        return f"FaultSet({self._nodes!r}, alive={int(self._alive.sum())} of {len(self._nodes)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FaultSet):
            return NotImplemented
        return self._nodes == other._nodes and bool((self._alive == other._alive).all())

    def __hash__(self) -> int:
        return hash((self._nodes, self._alive.tobytes()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FaultSet, (self._nodes, self._alive)

    # -- answers ------------------------------------------------------------------------------

    def select_batch(
        self,
        keys: Any,
        k: int = 1,
        spread: str | Sequence[str] | None = None,
        max_per_domain: int | Sequence[int] = 1,
        *,
        strict: bool = False,
        threads: int | None = None,
        dedupe: bool | Literal["auto"] = "auto",
    ) -> Replicas:
        """The replicas of every key.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`. It must not change during the call.
        k : int
            How many, from 1 to the number of living nodes (of those with a weight above 0).
        spread : str, or sequence of str, optional
            The kind of domain that replicas are spread over; several are nested in one another and
            come from the outermost in, ``("zone", "rack")``. A rack is one of its zone: equal
            labels in two zones are two racks.
        max_per_domain : int, or one int for each of `spread`
            How many replicas of a key may be in one domain.
        strict : bool
            Whether a spread that cannot be held to is an error. By default it is topped up: the
            best of the rest follow, without the outermost limit first, then without the next.
        threads, dedupe
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        Replicas
            Node ids of shape (M, k), and which rows are degraded.

        Raises
        ------
        RVHError
            An unknown domain, ``k`` or a limit out of range, a spread that cannot be held to where
            ``strict``; for keys as `NodeSet.argselect_batch`.
        RVHTypeError
            As `NodeSet.argselect_batch`.

        Notes
        -----
        The ranking is walked, and a node taken while its domain holds fewer than `max_per_domain`
        chosen ones. The row for k is the start of the row for k + 1. CRUSH (Weil et al., SC 2006)
        has domains too, but descends from the outermost; here the best nodes of all decide.

        Examples
        --------
        >>> from rvh.faultset import FaultSet
        >>> faults = FaultSet(["a", "b", "c"], domains={"zone": ["eu", "eu", "us"]})
        >>> faults.select_batch(["user:1", "user:2"], k=2, spread="zone").nodes
        array([['c', 'b'],
               ['c', 'a']], dtype='<U1')
        >>> faults.select_batch(["user:1"], k=3, spread="zone").degraded
        array([ True])
        """
        found = self.argselect_batch(
            keys, k, spread, max_per_domain, strict=strict, threads=threads, dedupe=dedupe
        )
        return Replicas(take(self._nodes.ids, found.nodes), found.degraded)

    def argselect_batch(
        self,
        keys: Any,
        k: int = 1,
        spread: str | Sequence[str] | None = None,
        max_per_domain: int | Sequence[int] = 1,
        *,
        strict: bool = False,
        threads: int | None = None,
        dedupe: bool | Literal["auto"] = "auto",
    ) -> Replicas:
        """The replicas of every key as positions in ``nodes.ids``.

        Parameters
        ----------
        keys, k, spread, max_per_domain, strict, threads, dedupe
            As for `select_batch`.

        Returns
        -------
        Replicas
            Positions, intp of shape (M, k), and which rows are degraded.

        Raises
        ------
        RVHError, RVHTypeError
            As `select_batch`.

        Examples
        --------
        >>> from rvh.faultset import FaultSet
        >>> FaultSet(["a", "b", "c"], alive=[False, True, True]).argselect_batch([1, 2]).nodes
        array([[1],
               [1]])
        """
        found, k = self._asked(spread, max_per_domain, k, strict)

        ranking = self._living._ranking
        # Kernels answer for the living alone; their positions among all are what they write.
        places = None if self._living is self._nodes else self._index
        if found.domains is not None and k > 1:
            work: Work = partial(
                ranking.nodes.select_spread, places, found.domains, found.most, None
            )
        elif places is None:
            work = ranking.nodes.argselect
        else:
            work = partial(ranking.nodes.select, places)
        with _keys.open_keys(keys) as column:
            out = np.empty((len(column), k), dtype=np.intp)
            ranking.fill(work, column, out, k, threads, dedupe)
        return Replicas(out, np.full(len(out), found.replicas < k))

    def select(
        self,
        key: Any,
        k: int = 1,
        spread: str | Sequence[str] | None = None,
        max_per_domain: int | Sequence[int] = 1,
        *,
        strict: bool = False,
    ) -> list[Any]:
        """The replicas of one key.

        Parameters
        ----------
        key : str, bytes-like or int
        k, spread, max_per_domain, strict
            As for `select_batch`.

        Returns
        -------
        list
            ``k`` node ids.

        Raises
        ------
        RVHError, RVHTypeError
            As `select_batch`.

        Examples
        --------
        >>> from rvh.faultset import FaultSet
        >>> faults = FaultSet(["a", "b", "c"], domains={"zone": ["eu", "eu", "us"]})
        >>> faults.select("user:1", k=2, spread="zone")
        ['c', 'b']
        """
        _keys.key_bytes(key)  # refuses what is no key, in the words for a single one
        one = _keys.object_array([key])
        found = self.argselect_batch(
            one, k, spread, max_per_domain, strict=strict, threads=1, dedupe=False
        )
        ids = self._nodes._ranking.names()
        return [ids[n] for n in to_list(found.nodes[0])]

    def repair(
        self,
        keys: Any,
        current: Any,
        k: int,
        spread: str | Sequence[str] | None = None,
        max_per_domain: int | Sequence[int] = 1,
        *,
        strict: bool = False,
        threads: int | None = None,
    ) -> Repair:
        """Which replicas to add and to drop so that every key has k again, with the fewest moves.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`.
        current : array of node ids, shape (M, c)
            Where the replicas are. None, a masked element or ``""`` is none; an id that is dead or
            not in the set is dropped, and so is one that stands in its row already.
        k, spread, max_per_domain, strict, threads
            As for `select_batch`.

        Returns
        -------
        Repair

        Raises
        ------
        RVHError
            As `select_batch`; ``current`` of another length than ``keys`` or not two-dimensional.
        RVHTypeError
            As `select_batch`.

        Notes
        -----
        The rule of `select_batch`, over a ranking in which a key's living current replicas come
        first. So they stay unless the spread forbids it, or there are more than k; of those that
        compete the best in rank stay. What is added is the best in rank that the others leave room
        for. A row that is as it should be stays as it is, also where a node came back to life that
        ranks higher: `select_batch` tells where it would go.

        Examples
        --------
        >>> from rvh.faultset import FaultSet
        >>> faults = FaultSet(["a", "b", "c"], alive=[True, True, False])
        >>> repair = faults.repair(["x", "y"], [["a", "c"], ["b", "a"]], k=2)
        >>> repair.nodes
        array([['a', 'b'],
               ['b', 'a']], dtype='<U1')
        >>> repair.added
        array([[False,  True],
               [False, False]])
        >>> repair.dropped
        array([[False,  True],
               [False, False]])
        """
        found, k = self._asked(spread, max_per_domain, k, strict)
        with _keys.open_keys(keys) as column:
            held, there = self._held(current, len(column))
            out = np.empty((len(column), k), dtype=np.intp)
            ranking = self._living._ranking
            keep = partial(ranking.nodes.select_spread, None, found.domains, found.most)
            for piece, first in column.pieces():
                rows = slice(first, first + len(piece))
                over_rows(partial(keep, held[rows]), piece, out[rows], ranking.cost(k), threads)
        living = len(self._living)
        added = absent(out, held, living)
        dropped = (there & absent(held, out, living)) | repeated(held, living)
        nodes = take(self._nodes.ids, take(self._index, out))
        return Repair(nodes, added, dropped, np.full(len(out), found.replicas < k))

    # -- helpers ------------------------------------------------------------------------------

    def _asked(self, spread: Any, max_per_domain: Any, k: Any, strict: bool) -> tuple[_Spread, int]:
        """The spread and k of a call, checked."""
        ranking = self._living._ranking
        alive = f"{ranking.selectable} of {len(self._nodes)} nodes are alive"
        if ranking.selectable < len(self._living):
            alive += " with a weight above 0"
        k = ranking.count(k, alive)
        if not isinstance(strict, (bool, np.bool_)):
            raise RVHTypeError(f"strict is {show(strict)}: pass True or False")
        if spread is None:
            _limits(max_per_domain, ("any",))  # changes nothing, and is not just anything
            return _Spread((), None, [], ranking.selectable), k
        found = self._spread(spread, max_per_domain)
        if strict and found.replicas < k:
            limits = ", ".join(
                f"{most} a {name}" for name, most in zip(found.names, found.most[::-1], strict=True)
            )
            raise RVHError(
                f"k is {k}, but with at most {limits} the living nodes hold {found.replicas} "
                f"replicas of a key: choose k <= {found.replicas} or a higher max_per_domain, or "
                "leave strict away to top up with the best of the rest"
            )
        return found, k

    def _spread(self, spread: Any, max_per_domain: Any) -> _Spread:
        """The domains of a spread, numbered; made once."""
        names = _names(spread, self._nodes.domains)
        limits = _limits(max_per_domain, names)
        made = self._spreads.get((names, limits))
        if made is None:
            made = self._spreads[names, limits] = _numbered(self._living, names, limits)
        return made

    def _held(self, current: Any, rows: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Current replicas as positions among the living, -1 for all others; and which are any."""
        ids = _as_table(current)
        if ids.ndim != 2 or len(ids) != rows:
            raise RVHError(
                f"current has shape {ids.shape}: it needs ({rows}, c), a row of node ids "
                "for each key"
            )
        held = np.full(ids.size, -1, dtype=np.intp)
        there = np.zeros(ids.size, dtype=np.bool_)
        with _keys.open_keys_with_nulls(ids.ravel(), "current") as (column, valid):
            at = np.arange(ids.size) if valid is None else np.flatnonzero(valid)
            if valid is not None:
                column = column.take(at)
            spans, codes = distinct(column, 0, len(at))
            names = KeyColumn(Kind.SPANS, spans)
            places = self._living._ranking.places()
            known = list(names.iter_bytes())
            held[at] = np.array([places.get(name, -1) for name in known], dtype=np.intp)[codes]
            there[at] = np.array([name != b"" for name in known], dtype=np.bool_)[codes]
        return held.reshape(ids.shape), there.reshape(ids.shape)


def _names(spread: Any, there: Domains) -> tuple[str, ...]:
    """The kinds of domains that a spread names, checked."""
    if not isinstance(spread, (str, Iterable)) or getattr(spread, "ndim", 1) != 1:
        raise RVHTypeError(
            f"spread is {show(spread)}: pass the name of a domain, or several from the outermost in"
        )
    names = (spread,) if isinstance(spread, str) else tuple(spread)
    if not 0 < len(names) <= LEVELS_MAX:
        raise RVHError(
            f"spread names {len(names)} domains: name 1 to {LEVELS_MAX}, or leave it away"
        )
    for at, name in enumerate(names):
        if not isinstance(name, str) or name not in there:
            listed = ", ".join(map(repr, there)) or "none: give domains= to the set"
            raise RVHError(f"spread names the domain {show(name)}; the set has {listed}")
        if name in names[:at]:
            raise RVHError(f"spread names the domain {name!r} twice")
    return names


def _limits(max_per_domain: Any, names: tuple[str, ...]) -> tuple[int, ...]:
    """How many replicas of a key may be in a domain of each kind."""
    several = isinstance(max_per_domain, (tuple, list)) or getattr(max_per_domain, "ndim", 0) > 0
    limits = tuple(max_per_domain) if several else (max_per_domain,) * len(names)
    if len(limits) != len(names):
        raise RVHError(
            f"max_per_domain has {len(limits)} values for {len(names)} names in spread: give one "
            "for all, or one each"
        )
    return tuple(whole_number("max_per_domain", limit, LIMIT_MAX) for limit in limits)


def _numbered(living: NodeSet, names: tuple[str, ...], limits: tuple[int, ...]) -> _Spread:
    """Names and limits come from the outermost in; a domain is its label and those around it."""
    domains = np.empty((len(names), len(living)), dtype=np.uint32)
    scoped: list[tuple[Any, ...]] = [()] * len(living)
    for level, name in enumerate(names):
        scoped = [(*a, b) for a, b in zip(scoped, living.domains[name], strict=True)]
        numbers: dict[tuple[Any, ...], int] = {}
        domains[len(names) - 1 - level] = [
            numbers.setdefault(label, len(numbers)) for label in scoped
        ]
    most = list(limits[::-1])
    # From the innermost out: each domain has room for its limit, or for what those in it have.
    room = np.ones(len(living), dtype=np.intp)
    if living.weights is not None:
        room[living.weights == 0] = 0
    inside: NDArray[Any] = np.arange(len(living))
    for numbered, limit in zip(domains, most, strict=True):
        outer = np.empty(len(room), dtype=np.intp)
        outer[inside] = numbered
        room = np.minimum(np.bincount(outer, room).astype(np.intp), limit)
        inside = numbered
    return _Spread(names, domains, most, int(room.sum()))


def _as_table(current: Any) -> NDArray[Any]:
    """Current replicas as an array of ids, shape (M, c); None where there is none."""
    if isinstance(current, Mapping):
        raise RVHTypeError(
            f"current is of type {type(current).__name__} ({show(current)}): pass an array of node "
            "ids, a row for each key, in the order of the keys"
        )
    if hasattr(current, "columns") and hasattr(current, "to_numpy"):  # a frame
        current = current.to_numpy()
    table: NDArray[Any] = current if isinstance(current, np.ndarray) else _as_rows(current)
    if table.ndim == 1:
        table = _as_rows(table) if table.dtype == object else table.reshape(-1, 1)
    if table.dtype.kind in "iuf" and table.size:
        raise RVHTypeError(
            f"current is an array of {table.dtype}: pass node ids; of positions, "
            "faults.nodes.ids[positions]"
        )
    return _checked(table) if table.dtype == object else table


def _as_rows(current: Any) -> NDArray[Any]:
    """Rows of ids as an array of objects, shape (M, c)."""
    try:
        rows = current.to_pylist() if hasattr(current, "to_pylist") else list(current)
    except TypeError:
        raise RVHTypeError(
            f"current is of type {type(current).__name__} ({show(current)}): pass an array of node "
            "ids, a row for each key"
        ) from None
    lists: list[list[Any]] = []
    for at, row in enumerate(rows):
        if row is None or isinstance(row, (str, bytes)):
            lists.append([row])
        elif isinstance(row, Iterable) and not isinstance(row, Mapping):
            lists.append(list(row))
        else:
            raise RVHTypeError(
                f"row {at} of current is {show(row)} of type {type(row).__name__}: pass the node "
                "ids of a key"
            )
    width = max(map(len, lists), default=0)
    ids = np.full((len(lists), width), None, dtype=object)
    for at, nodes in enumerate(lists):
        ids[at, : len(nodes)] = nodes
    return ids


def _checked(ids: NDArray[Any]) -> NDArray[Any]:
    """Ids, and None for what is missing; an error about what is neither."""
    if set(map(type, ids.ravel().tolist())) <= {str, bytes, type(None)}:
        return ids
    found = np.full(ids.shape, None, dtype=object)
    for place in np.ndindex(ids.shape):
        value = python_value(ids[place])
        if value is not None and not isinstance(value, (str, bytes)):
            raise RVHTypeError(
                f"current, row {place[0]}, holds {show(value)} of type {type(value).__name__}: "
                "pass node ids, str or bytes; of positions, faults.nodes.ids[positions]"
            )
        found[place] = value
    return found
