"""Replicas on nodes that are alive, spread over failure domains.

Dead nodes are left out of the ranking, which otherwise stays as it is: a death moves only the keys
that had the dead node, each to its next node in rank, and a return moves exactly those keys back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvh import keys as _keys
from rvh._arguments.domains import Domains, Label, as_domains
from rvh._arguments.masks import node_mask
from rvh._arguments.numbers import whole_number
from rvh._arguments.per_node import python_value
from rvh._batch.dedupe import distinct_keys
from rvh._batch.replicas import find_absent, find_repeated
from rvh._batch.threads import Work, over_rows
from rvh._columns.column import KeyColumn
from rvh._runtime.slices import take, to_list
from rvh.errors import RVHError, RVHTypeError, show
from rvh.nodes import NodeSet, as_node_set

if TYPE_CHECKING:
    from rvh.typing import Dedupe, Key, Keys, NodeIds

__all__ = ["FaultSet", "Repair", "Replicas"]

LEVELS_MAX = 8  # of nested kinds of domains
LIMIT_MAX = 2**31 - 1


class Replicas(NamedTuple):
    """The replicas of every key, and the rows that are less spread than requested.

    Parameters
    ----------
    nodes : ndarray, shape (M, k)
        Node ids, or their positions: best first, but nodes beyond a limit after all others.
    degraded : ndarray of bool, shape (M,)
        True if a domain has more than `max_per_domain` of the row's replicas.
    """

    nodes: NDArray[Any]
    degraded: NDArray[np.bool_]


class Repair(NamedTuple):
    """The replicas of every key after a repair, and the changes from its current replicas.

    Parameters
    ----------
    nodes : ndarray, shape (M, k)
        Node ids, or their positions: the replicas that stay before the new ones, but nodes beyond
        a limit after all others.
    added : ndarray of bool, shape (M, k)
        True if the replica is new.
    dropped : ndarray of bool, shape (M, c)
        True if the current replica is not kept; its node may be dead.
    degraded : ndarray of bool, shape (M,)
        As in `Replicas`.
    """

    nodes: NDArray[Any]
    added: NDArray[np.bool_]
    dropped: NDArray[np.bool_]
    degraded: NDArray[np.bool_]


class _Spread(NamedTuple):
    """The domains of a spread, numbered for the living nodes."""

    names: tuple[str, ...]  # outermost first
    domains: NDArray[np.uint32] | None  # (levels, living), innermost first
    limits: list[int]  # in the order of `domains`
    max_replicas: int  # of a key within these limits


class _Own(NamedTuple):
    """The spread of a set's own, for calls without one."""

    names: tuple[str, ...]  # outermost first
    limits: tuple[int, ...]
    strict: bool


class FaultSet:
    """Nodes, some of which may be dead, and their failure domains.

    A FaultSet never changes: `with_alive` gives a new one. It can be used from many threads at
    once, pickled and compared.

    Parameters
    ----------
    nodes : NodeSet, or sequence or array of node ids
    alive : array of bool, shape (N,), optional
        True for the nodes that may be selected; a `rvh.filter` returns such a mask. All by default.
    domains : mapping of str to sequences of str, bytes or int, shape (N,), optional
        Failure domains, as for `NodeSet`; they are added to those of the set.

    Raises
    ------
    RVHError
        A mask of another length, no living node with a weight above 0, domains without exactly one
        label for each node.
    RVHTypeError
        A mask that is not of bool, a label that is not a str, bytes or int.

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

    __slots__ = ("__weakref__", "_alive", "_index", "_living", "_nodes", "_own", "_spreads")

    def __init__(
        self,
        nodes: NodeSet | NodeIds,
        alive: ArrayLike | None = None,
        domains: Mapping[str, Any] | None = None,
    ) -> None:
        node_set = as_node_set(nodes)
        if domains is not None:
            all_domains = {**node_set.domains, **as_domains(domains, node_set.ids)}
            options = node_set._options(node_set.weights, node_set.domains)
            node_set = NodeSet(node_set.ids, **{**options, "domains": all_domains})
        mask = np.ones(len(node_set), dtype=np.bool_)
        if alive is not None:
            mask = node_mask("alive", alive, len(node_set)).copy()
        mask.flags.writeable = False
        selectable = mask if node_set.weights is None else mask & (node_set.weights > 0)
        if not selectable.any():
            condition = "with a weight above 0 " if mask.any() else ""
            raise RVHError(
                f"no node {condition}is alive: there is nothing to select from, so handle the "
                "outage first, or pass alive= with at least one True"
            )
        self._nodes = node_set
        self._alive = mask
        self._living = node_set if mask.all() else node_set.subset(mask)
        self._index = np.flatnonzero(mask)  # position among the living -> position in `nodes`
        self._spreads: dict[Any, _Spread] = {}
        self._own: _Own | None = None

    # -- properties ---------------------------------------------------------------------------

    @property
    def nodes(self) -> NodeSet:
        """All nodes, including dead ones."""
        return self._nodes

    @property
    def alive(self) -> NDArray[np.bool_]:
        """The mask of the nodes that are alive, shape (N,); read-only."""
        return self._alive.view()

    def with_alive(self, alive: ArrayLike) -> FaultSet:
        """Return a FaultSet of the same nodes with another mask.

        Examples
        --------
        >>> from rvh.faultset import FaultSet
        >>> FaultSet(["a", "b"], alive=[True, False]).with_alive([True, True]).alive
        array([ True,  True])
        """
        return self._with_own(FaultSet(self._nodes, alive))

    def with_spread(
        self,
        spread: str | Sequence[str],
        max_per_domain: int | Sequence[int] = 1,
        *,
        strict: bool = False,
    ) -> FaultSet:
        """Return a FaultSet whose calls without ``spread`` use this one.

        So it spreads replicas wherever a placement is taken: in a `Migration`, in engines.

        Parameters
        ----------
        spread, max_per_domain, strict
            As for `select_batch`; a call that names a ``spread`` uses its own arguments instead.

        Returns
        -------
        FaultSet

        Raises
        ------
        RVHError
            An unknown domain, a limit below 1.
        RVHTypeError
            ``strict`` that is not a bool.

        Examples
        --------
        >>> from rvh.faultset import FaultSet
        >>> faults = FaultSet(["a", "b", "c"], domains={"zone": ["eu", "eu", "us"]})
        >>> faults.with_spread("zone").select("user:1", k=2)
        ['c', 'b']
        """
        names = _names(spread, self._nodes.domains)
        own = _Own(names, _limits(max_per_domain, names), _as_strict(strict))
        made = FaultSet(self._nodes, self._alive)
        made._own = own
        return made

    @property
    def fingerprint(self) -> str:
        """Hex digest (64 characters) of everything that decides which nodes a key has.

        That is the set's, which nodes are dead, and the spread of `with_spread` with the labels of
        its domains. The spread that a call names is not part of it.

        Examples
        --------
        >>> from rvh.faultset import FaultSet
        >>> faults = FaultSet(["a", "b"])
        >>> faults.fingerprint == faults.with_alive([True, False]).fingerprint
        False
        """
        import hashlib  # takes 3 ms (OpenSSL), and only fingerprints need it

        digest = hashlib.blake2b(digest_size=32, person=b"rvh FaultSet")
        spread, limits = ((), ()) if self._own is None else self._own[:2]
        digest.update(f"nodes={self._nodes.fingerprint}\nspread={spread} {limits}\n".encode())
        names = [_keys.key_bytes(node) for node in self._nodes._ranking.names()]
        order = sorted(range(len(names)), key=names.__getitem__)
        columns = [(f"the {name!r} label", self._nodes.domains[name]) for name in spread]
        for at in order:
            parts = [names[at], b"\1" if self._alive[at] else b"\0"]
            parts += [_keys.key_bytes(labels[at], at, what) for what, labels in columns]
            digest.update(_keys.composite(*parts))
        labels = [each[at] for at in order for _, each in columns]
        if not all(map(_is_plain, labels)):  # else fingerprints stay what they were
            digest.update(f"types={''.join(map(_type_of, labels))}".encode())
        return digest.hexdigest()

    def spread_max(
        self, spread: str | Sequence[str], max_per_domain: int | Sequence[int] = 1
    ) -> int:
        """The greatest number of replicas of a key without degraded rows.

        Parameters
        ----------
        spread, max_per_domain
            As for `select_batch`.

        Returns
        -------
        int
            The same for every key: it depends only on the living nodes and their domains.

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
        return self._spread(spread, max_per_domain).max_replicas

    def __repr__(self) -> str:
        made = f"FaultSet({self._nodes!r}, alive={int(self._alive.sum())} of {len(self._nodes)})"
        if self._own is None:
            return made
        names, limits, strict = self._own
        return f"{made}.with_spread({names}, {limits}{', strict=True' if strict else ''})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FaultSet):
            return NotImplemented
        return (self._nodes, self._own) == (other._nodes, other._own) and bool(
            (self._alive == other._alive).all()
        )

    def __hash__(self) -> int:
        return hash((self._nodes, self._alive.tobytes(), self._own))

    def __reduce__(self) -> tuple[Any, ...]:
        if self._own is None:
            return FaultSet, (self._nodes, self._alive)
        return _rebuild, (self._nodes, self._alive, *self._own)

    # -- answers ------------------------------------------------------------------------------

    def select_batch(
        self,
        keys: Keys,
        k: int = 1,
        spread: str | Sequence[str] | None = None,
        max_per_domain: int | Sequence[int] = 1,
        *,
        strict: bool = False,
        threads: int | None = None,
        dedupe: Dedupe = "auto",
    ) -> Replicas:
        """The replicas of every key.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`. It must not change during the call.
        k : int
            Number of replicas, from 1 to the number of living nodes with a weight above 0.
        spread : str, or sequence of str, optional
            The kind of domain that replicas are spread over; or several nested kinds, outermost
            first, as ``("zone", "rack")``. A rack belongs to its zone: equal labels in two zones
            are two racks.
        max_per_domain : int, or one int for each of `spread`
            The greatest number of a key's replicas in one domain.
        strict : bool
            Raise an error if the living nodes cannot meet the limits. By default the row is filled
            up with the best of the remaining nodes, first without the outermost limit, then without
            the next, and is degraded.
        threads, dedupe
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        Replicas
            Node ids of shape (M, k), and the flags of degraded rows.

        Raises
        ------
        RVHError
            An unknown domain, ``k`` or a limit out of range, with ``strict`` limits that cannot be
            met; for keys as `NodeSet.argselect_batch`.
        RVHTypeError
            As `NodeSet.argselect_batch`.

        Notes
        -----
        Nodes are considered in the order of the ranking, and a node is chosen if its domain has
        fewer than `max_per_domain` chosen nodes. The row for k is the start of the row for k + 1.
        CRUSH (Weil et al., SC 2006) has domains too, but first chooses the outermost; here the
        ranking of all nodes decides.

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
        positions, degraded = self.argselect_batch(
            keys, k, spread, max_per_domain, strict=strict, threads=threads, dedupe=dedupe
        )
        return Replicas(take(self._nodes.ids, positions), degraded)

    def argselect_batch(
        self,
        keys: Keys,
        k: int = 1,
        spread: str | Sequence[str] | None = None,
        max_per_domain: int | Sequence[int] = 1,
        *,
        strict: bool = False,
        threads: int | None = None,
        dedupe: Dedupe = "auto",
    ) -> Replicas:
        """The replicas of every key as positions in ``nodes.ids``.

        Parameters
        ----------
        keys, k, spread, max_per_domain, strict, threads, dedupe
            As for `select_batch`.

        Returns
        -------
        Replicas
            Positions, intp of shape (M, k), and the flags of degraded rows.

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
        checked, k = self._check(spread, max_per_domain, k, strict)
        ranking = self._living._ranking
        # Kernels rank only the living nodes, and write their positions among all nodes.
        places = None if self._living is self._nodes else self._index
        if checked.domains is not None and k > 1:
            work: Work = partial(
                ranking.nodes.select_spread, places, checked.domains, checked.limits, None
            )
        elif places is None:
            work = ranking.nodes.argselect
        else:
            work = partial(ranking.nodes.select, places)
        with _keys.open_keys(keys) as column:
            out = np.empty((len(column), k), dtype=np.intp)
            ranking.fill(work, column, out, k, threads, dedupe)
        return Replicas(out, np.full(len(out), checked.max_replicas < k))

    def select(
        self,
        key: Key,
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
        _keys.key_bytes(key)  # rejects an invalid key with the message for a single key
        keys = _keys.object_array([key])
        positions, _ = self.argselect_batch(
            keys, k, spread, max_per_domain, strict=strict, threads=1, dedupe=False
        )
        ids = self._nodes._ranking.names()
        return [ids[position] for position in to_list(positions[0])]

    def repair(
        self,
        keys: Keys,
        current: Any,
        k: int,
        spread: str | Sequence[str] | None = None,
        max_per_domain: int | Sequence[int] = 1,
        *,
        taking: ArrayLike | None = None,
        strict: bool = False,
        threads: int | None = None,
    ) -> Repair:
        """Add and drop replicas so that every key has k again, with the fewest moves.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`.
        current : array of node ids, shape (M, c)
            The nodes that have the replicas now. None, a masked element or ``""`` means no replica.
            An id is dropped if it is dead, not in the set, or a repetition in its row.
        taking : array of bool, shape (N,), optional
            False for living nodes that keep the replicas that they have and get no new ones, as
            those that are to be emptied. All take by default.
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
        The rule is that of `select_batch`, over a ranking in which a key's living current replicas
        come first. So they stay unless the spread forbids it or there are more than k; if some have
        to go, the best in rank stay. New replicas are the best in rank that the limits allow. A row
        that needs no repair stays as it is, even if a node with a higher rank has come back to
        life: `select_batch` gives the placement without current replicas.

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
        with _keys.open_keys(keys) as column:
            previous, has_replica = self._positions(current, len(column))
            replicas = self._repair(
                column, previous, has_replica, k, spread, max_per_domain, taking, strict, threads
            )
        return replicas._replace(nodes=take(self._nodes.ids, replicas.nodes))

    def argrepair(
        self,
        keys: Keys,
        current: ArrayLike,
        k: int,
        spread: str | Sequence[str] | None = None,
        max_per_domain: int | Sequence[int] = 1,
        *,
        taking: ArrayLike | None = None,
        strict: bool = False,
        threads: int | None = None,
    ) -> Repair:
        """`repair` for current replicas that are positions in ``nodes.ids``.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`.
        current : array of int, shape (M, c)
            The positions of the nodes that have the replicas now; -1 means no replica.
        k, spread, max_per_domain, taking, strict, threads
            As for `repair`.

        Returns
        -------
        Repair
            Its nodes are positions, intp of shape (M, k).

        Raises
        ------
        RVHError
            As `repair`; a position out of range.
        RVHTypeError
            As `repair`; ``current`` that does not hold integers.

        Examples
        --------
        >>> from rvh.faultset import FaultSet
        >>> faults = FaultSet(["a", "b", "c"], alive=[True, True, False])
        >>> faults.argrepair(["x", "y"], [[0, 2], [1, 0]], k=2).nodes
        array([[0, 1],
               [1, 0]])
        """
        with _keys.open_keys(keys) as column:
            positions = _as_positions(current, len(column), len(self._nodes))
            places = np.full(len(self._nodes) + 1, -1, dtype=np.intp)  # the last: no replica
            places[self._index] = np.arange(len(self._index))
            return self._repair(
                column, places[positions], positions >= 0, k, spread, max_per_domain, taking,
                strict, threads,
            )  # fmt: skip

    def _repair(
        self,
        column: KeyColumn,
        previous: NDArray[np.intp],
        has_replica: NDArray[np.bool_],
        k: int,
        spread: str | Sequence[str] | None,
        max_per_domain: int | Sequence[int],
        taking: ArrayLike | None,
        strict: bool,
        threads: int | None,
    ) -> Repair:
        """`repair` for living positions; those in the answer are among all nodes."""
        takes = None if taking is None else node_mask("taking", taking, len(self._nodes))
        checked, k = self._check(spread, max_per_domain, k, strict)
        out = self._repaired(column, previous, checked, k, threads)
        degraded = np.full(len(out), checked.max_replicas < k)
        if takes is not None:
            living_takes = takes[self._index]
            for rows, among in self._groups(previous, out, living_takes):
                checked, k = among._check(spread, max_per_domain, k, strict)
                places = np.append(np.full(len(self._living), -1), -1)  # the last: no replica
                places[among._index] = np.arange(len(among._index))
                chosen = among._repaired(
                    column.take(rows), places[previous[rows]], checked, k, threads
                )
                out[rows] = among._index[chosen]
                degraded[rows] = checked.max_replicas < k
        living = len(self._living)
        added = find_absent(out, previous, living)
        dropped = (has_replica & find_absent(previous, out, living)) | find_repeated(
            previous, living
        )
        return Repair(take(self._index, out), added, dropped, degraded)

    def _repaired(
        self,
        column: KeyColumn,
        previous: NDArray[np.intp],
        checked: _Spread,
        k: int,
        threads: int | None,
    ) -> NDArray[np.intp]:
        """The replicas of every key, where those of `previous` come first, as living positions."""
        out = np.empty((len(column), k), dtype=np.intp)
        ranking = self._living._ranking
        select = partial(ranking.nodes.select_spread, None, checked.domains, checked.limits)
        for piece, first in column.pieces():
            rows = slice(first, first + len(piece))
            over_rows(partial(select, previous[rows]), piece, out[rows], ranking.cost(k), threads)
        return out

    def _groups(
        self, previous: NDArray[np.intp], out: NDArray[np.intp], takes: NDArray[np.bool_]
    ) -> Iterator[tuple[NDArray[np.intp], FaultSet]]:
        """The rows with a new replica on a node that takes none, and what they may choose among.

        That is the nodes that take, and those that the rows of a group have already. All other rows
        stay as they are: what a choice does not use can be left out of it.
        """
        added = find_absent(out, previous, len(self._living))
        wrong = np.flatnonzero((added & ~takes[out]).any(axis=1))
        if not len(wrong):
            return
        old = previous[wrong]
        held = np.sort(np.where((old >= 0) & ~takes[old], old, -1), axis=1)
        groups, group_of = np.unique(held, axis=0, return_inverse=True)
        for number, members in enumerate(groups):
            among = takes.copy()
            among[members[members >= 0]] = True
            yield (
                wrong[group_of.reshape(-1) == number],
                self._with_own(FaultSet(self._living, among)),
            )

    # -- helpers ------------------------------------------------------------------------------

    def _with_own(self, made: FaultSet) -> FaultSet:
        """Return a new set with the spread of this one."""
        made._own = self._own
        return made

    def _check(self, spread: Any, max_per_domain: Any, k: Any, strict: bool) -> tuple[_Spread, int]:
        """Check the arguments of a call; return the spread and k."""
        ranking = self._living._ranking
        alive = f"{ranking.selectable} of {len(self._nodes)} nodes are alive"
        if ranking.selectable < len(self._living):
            alive += " with a weight above 0"
        k = ranking.check_k(k, alive)
        strict = _as_strict(strict)
        if spread is None and self._own is not None:
            _limits(max_per_domain, ("any",))  # as below
            spread, max_per_domain = self._own.names, self._own.limits
            strict = strict or self._own.strict
        if spread is None:
            _limits(max_per_domain, ("any",))  # unused, but an invalid value is an error
            return _Spread((), None, [], ranking.selectable), k
        checked = self._spread(spread, max_per_domain)
        if strict and checked.max_replicas < k:
            limits = ", ".join(
                f"{limit} a {name}"
                for name, limit in zip(checked.names, checked.limits[::-1], strict=True)
            )
            raise RVHError(
                f"k is {k}, but with at most {limits} the living nodes hold {checked.max_replicas} "
                f"replicas of a key: choose k <= {checked.max_replicas} or a higher "
                "max_per_domain, or omit strict to top up with the best of the rest"
            )
        return checked, k

    def _spread(self, spread: Any, max_per_domain: Any) -> _Spread:
        """The domains of a spread; made once."""
        names = _names(spread, self._nodes.domains)
        limits = _limits(max_per_domain, names)
        result = self._spreads.get((names, limits))
        if result is None:
            result = self._spreads[names, limits] = _make_spread(self._living, names, limits)
        return result

    def _positions(self, current: Any, rows: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Current replicas as positions among the living nodes, and a mask of those that are given.

        Positions are -1 where the node is dead, unknown or not given.
        """
        ids = _as_table(current)
        if ids.ndim != 2 or len(ids) != rows:
            raise RVHError(
                f"current has shape {ids.shape}: it needs ({rows}, c), a row of node ids "
                "for each key"
            )
        positions = np.full(ids.size, -1, dtype=np.intp)
        is_given = np.zeros(ids.size, dtype=np.bool_)
        with _keys.open_keys_with_nulls(ids.ravel(), "current") as (column, valid):
            indices = np.arange(ids.size) if valid is None else np.flatnonzero(valid)
            if valid is not None:
                column = column.take(indices)
            unique, codes = distinct_keys(column, 0, len(indices))
            names = list(unique.iter_bytes())
            places = self._living._ranking.places()
            of_names = np.array([places.get(name, -1) for name in names], dtype=np.intp)
            positions[indices] = of_names.take(codes)
            is_given[indices] = np.array([name != b"" for name in names], dtype=np.bool_).take(
                codes
            )
        return positions.reshape(ids.shape), is_given.reshape(ids.shape)


def _rebuild(
    nodes: NodeSet, alive: NDArray[np.bool_], names: Any, limits: Any, strict: bool
) -> FaultSet:
    return FaultSet(nodes, alive).with_spread(names, limits, strict=strict)


def _as_strict(strict: Any) -> bool:
    if not isinstance(strict, (bool, np.bool_)):
        raise RVHTypeError(f"strict is {show(strict)}: pass True or False")
    return bool(strict)


def _names(spread: Any, domains: Domains) -> tuple[str, ...]:
    """Check the names of the kinds of domains in `spread`."""
    if not isinstance(spread, (str, Iterable)) or getattr(spread, "ndim", 1) != 1:
        raise RVHTypeError(
            f"spread is {show(spread)}: pass the name of a domain, or several from the outermost in"
        )
    names = (spread,) if isinstance(spread, str) else tuple(spread)
    if not 0 < len(names) <= LEVELS_MAX:
        raise RVHError(f"spread names {len(names)} domains: name 1 to {LEVELS_MAX}, or omit it")
    for index, name in enumerate(names):
        if not isinstance(name, str) or name not in domains:
            listed = ", ".join(map(repr, domains)) or "none: give domains= to the set"
            raise RVHError(f"spread names the domain {show(name)}; the set has {listed}")
        if name in names[:index]:
            raise RVHError(f"spread names the domain {name!r} twice")
    return names


def _limits(max_per_domain: Any, names: tuple[str, ...]) -> tuple[int, ...]:
    """Check the limits of the domains of each kind."""
    several = isinstance(max_per_domain, (tuple, list)) or getattr(max_per_domain, "ndim", 0) > 0
    limits = tuple(max_per_domain) if several else (max_per_domain,) * len(names)
    if len(limits) != len(names):
        raise RVHError(
            f"max_per_domain has {len(limits)} values for {len(names)} names in spread: give one "
            "for all, or one each"
        )
    return tuple(whole_number("max_per_domain", limit, LIMIT_MAX) for limit in limits)


def _make_spread(living: NodeSet, names: tuple[str, ...], limits: tuple[int, ...]) -> _Spread:
    """Number the domains; names and limits are outermost first.

    A domain is identified by its label and the labels of the domains around it.
    """
    domains = np.empty((len(names), len(living)), dtype=np.uint32)
    paths: list[tuple[Any, ...]] = [()] * len(living)
    for level, name in enumerate(names):
        paths = [(*path, label) for path, label in zip(paths, living.domains[name], strict=True)]
        numbers: dict[tuple[Any, ...], int] = {}
        domains[len(names) - 1 - level] = [numbers.setdefault(path, len(numbers)) for path in paths]
    inner_first = list(limits[::-1])
    # From the innermost domains outwards: the room of a domain is its limit, or the room of the
    # domains inside it if that is less.
    room = np.ones(len(living), dtype=np.intp)
    if living.weights is not None:
        room[living.weights == 0] = 0
    inside: NDArray[Any] = np.arange(len(living))
    for numbered, limit in zip(domains, inner_first, strict=True):
        outer = np.empty(len(room), dtype=np.intp)
        outer[inside] = numbered
        room = np.minimum(np.bincount(outer, room).astype(np.intp), limit)
        inside = numbered
    return _Spread(names, domains, inner_first, int(room.sum()))


def _as_positions(current: ArrayLike, rows: int, count: int) -> NDArray[np.intp]:
    """Check current replicas that are positions, shape (M, c)."""
    positions = np.asarray(current)
    if positions.size and positions.dtype.kind not in "iu":
        raise RVHTypeError(
            f"current is an array of {positions.dtype}: pass positions, integers; for node ids "
            "call repair"
        )
    if positions.ndim != 2 or len(positions) != rows:
        raise RVHError(
            f"current has shape {positions.shape}: it needs ({rows}, c), a row of positions for "
            "each key"
        )
    wrong = (positions < -1) | (positions >= count)
    if wrong.any():
        row, place = np.argwhere(wrong)[0].tolist()
        raise RVHError(
            f"current, row {row}, has position {positions[row, place]}: there are {count} nodes, "
            "with positions from 0; -1 is not a replica"
        )
    return positions.astype(np.intp, copy=False)


def _is_plain(label: Label) -> bool:
    """Whether a label is plain, as most are: no two plain ones have the same bytes.

    The eighth byte of such an int is 0x00 or 0xff, which such a text does not have.
    """
    if isinstance(label, int):
        return abs(label) < 1 << 56
    return isinstance(label, str) and "\0" not in label


def _type_of(label: Label) -> str:
    """Return the letter that tells a label from those with the same bytes."""
    if isinstance(label, int):
        return "i" if label < 1 << 63 else "u"
    return "s" if isinstance(label, str) else "b"


def _as_table(current: Any) -> NDArray[Any]:
    """Convert current replicas to an array of ids, shape (M, c), with None for no replica."""
    if isinstance(current, Mapping):
        raise RVHTypeError(
            f"current is of type {type(current).__name__} ({show(current)}): pass an array of node "
            "ids, a row for each key, in the order of the keys"
        )
    if hasattr(current, "columns") and hasattr(current, "to_numpy"):  # a data frame
        current = current.to_numpy()
    table: NDArray[Any] = current if isinstance(current, np.ndarray) else _as_rows(current)
    if table.ndim == 1:
        table = _as_rows(table) if table.dtype == object else table.reshape(-1, 1)
    if table.dtype.kind in "iuf" and table.size:
        raise RVHTypeError(
            f"current is an array of {table.dtype}: pass node ids; of positions, "
            "faults.nodes.ids[positions]"
        )
    return _check_ids(table) if table.dtype == object else table


def _as_rows(current: Any) -> NDArray[Any]:
    """Convert rows of ids to an array of objects, shape (M, c)."""
    try:
        rows = current.to_pylist() if hasattr(current, "to_pylist") else list(current)
    except TypeError:
        raise RVHTypeError(
            f"current is of type {type(current).__name__} ({show(current)}): pass an array of node "
            "ids, a row for each key"
        ) from None
    lists: list[list[Any]] = []
    for number, row in enumerate(rows):
        if row is None or isinstance(row, (str, bytes)):
            lists.append([row])
        elif isinstance(row, Iterable) and not isinstance(row, Mapping):
            lists.append(list(row))
        else:
            raise RVHTypeError(
                f"row {number} of current is {show(row)} of type {type(row).__name__}: pass the "
                "node ids of a key"
            )
    width = max(map(len, lists), default=0)
    ids = np.full((len(lists), width), None, dtype=object)
    for number, nodes in enumerate(lists):
        ids[number, : len(nodes)] = nodes
    return ids


def _check_ids(ids: NDArray[Any]) -> NDArray[Any]:
    """Return ids with None for missing values; raise an error for anything else."""
    if set(map(type, ids.ravel().tolist())) <= {str, bytes, type(None)}:
        return ids
    checked = np.full(ids.shape, None, dtype=object)
    for index in np.ndindex(ids.shape):
        value = python_value(ids[index])
        if value is not None and not isinstance(value, (str, bytes)):
            raise RVHTypeError(
                f"current, row {index[0]}, holds {show(value)} of type {type(value).__name__}: "
                "pass node ids, str or bytes; of positions, faults.nodes.ids[positions]"
            )
        checked[index] = value
    return checked
