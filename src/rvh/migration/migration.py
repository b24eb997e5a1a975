"""A migration of keys from one placement to another."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh.errors import RVHError, show
from rvh.migration.at import MigrationAt
from rvh.migration.crossing import crossed_batch, crossing_batch
from rvh.migration.estimate import Estimate
from rvh.migration.estimating import Estimator
from rvh.migration.moves import Moved, moves
from rvh.migration.owners import owners, owners_batch
from rvh.migration.pair import Pair
from rvh.migration.phases import Phase, Route
from rvh.migration.plan import Plan
from rvh.migration.routes import rules

if TYPE_CHECKING:
    from rvh.typing import Key, Keys

__all__ = ["Migration"]


class Migration(Pair):
    """A migration of keys from an old placement to a new one.

    A key crosses when the progress passes its crossing point, which depends on the key alone:
    ``MurmurHash64A(key, seed 2718281828) / 2^64``. So at the same progress the same keys have
    crossed everywhere. The same hash puts keys into partitions: the partitions of a
    `PartitionTable` cross one after the other, in the order of their numbers.

    Parameters
    ----------
    old, new : NodeSet, Ring, PartitionTable, RingFace, FaultSet
        A RingFace counts as its current nodes. Other placements need ``select_batch(keys, k)`` or
        ``lookup_batch(keys, k)`` that returns ids (str or bytes) of shape (M, k), without
        repetitions in a row; for a `plan` they also need a ``fingerprint``. They get the list,
        tuple or array that the caller passed; for an Arrow column, a list of str, bytes or int;
        for composite keys, a list of bytes; and a single key as a list of one. A new migration
        asks them for the nodes of the key ``"any key"`` to check ``k``; if they do not know it,
        whatever they raise is ignored.
    k : int
        Number of nodes of each key in the old placement; that of a `PartitionTable` is fixed.
    k_new : int, optional
        Number of nodes of each key in the new placement; `k` by default.
    kept : sequence of placements, optional
        New placements that were given up because a node of theirs died, oldest first, with `k_new`
        nodes for each key: what was copied to them is kept up to date and read where no old node
        lives. `Coordinator.lose` fills it in.
    dead : sequence of str or bytes, optional
        Ids of nodes that have died: they are in no route, and neither sources nor targets.

    Raises
    ------
    RVHError
        ``k`` or ``k_new`` out of range, or different from a table's. Later calls raise it if a
        placement returns another number of rows or nodes, or an id twice in a row.
    RVHTypeError
        A placement with neither method.

    Examples
    --------
    >>> import rvh
    >>> from rvh.ring import Migration, ketama
    >>> names = ["a", "b", "c"]
    >>> migration = Migration(ketama(names), rvh.NodeSet(names))
    >>> migration.moves(["x", "y", "z"]).row
    array([0, 2])
    >>> migration.owners_batch(["x", "y", "z"], 0.5)[:, 0]
    array(['c', 'b', 'c'], dtype='<U1')
    """

    def _prepare(self) -> None:
        super()._prepare()
        self._rules = rules(self)

    @property
    def old(self) -> Any:
        """The old placement; of a RingFace, the nodes that it had when this was made.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).old.ids
        array(['a'], dtype='<U1')
        """
        return self._old

    @property
    def new(self) -> Any:
        """The new placement, as `old`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).new.ids
        array(['b'], dtype='<U1')
        """
        return self._new

    def __repr__(self) -> str:
        more = f", k_new={self._k_new}" if self._k_new != self._k else ""
        more += f", kept={list(self._kept)!r}" if self._kept else ""
        more += f", dead={list(self._dead)!r}" if self._dead else ""
        return f"Migration({self._old!r}, {self._new!r}, k={self._k}{more})"

    def crossing_batch(self, keys: Keys, *, threads: int | None = None) -> NDArray[np.uint64]:
        """The crossing points of keys, times 2^64.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`.
        threads : int, optional
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        ndarray of uint64, shape (M,)
            A key has crossed at progress p if its point is below ``p * 2^64``.

        Raises
        ------
        RVHError, RVHTypeError
            As `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).crossing_batch(["x", "y"]) / 2**64
        array([0.57624768, 0.54896163])
        """
        return crossing_batch(keys, threads)

    def crossed_batch(
        self, keys: Keys, progress: float, *, threads: int | None = None
    ) -> NDArray[np.bool_]:
        """Flags of the keys that have crossed.

        Parameters
        ----------
        keys, threads
            As for `crossing_batch`.
        progress : float
            From 0, where no key has crossed, to 1, where all have. A key that has crossed has also
            crossed at any higher progress.

        Returns
        -------
        ndarray of bool, shape (M,)

        Raises
        ------
        RVHError
            A progress that is NaN or not from 0 to 1; for keys as `NodeSet.argselect_batch`.
        RVHTypeError
            A progress that is not a number.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).crossed_batch(["x", "y"], 1.0)
        array([ True,  True])
        """
        return crossed_batch(keys, progress, threads)

    def owners_batch(
        self, keys: Keys, progress: float, *, threads: int | None = None
    ) -> NDArray[Any]:
        """The nodes of every key at a progress: the old nodes until it crosses, then the new.

        Parameters
        ----------
        keys, progress, threads
            As for `crossed_batch`.

        Returns
        -------
        ndarray, shape (M, k)
            Node ids. If `k_new` is another number or nodes are dead, they are objects, the living
            nodes of a key and then None, shape (M, max(k, k_new)).

        Raises
        ------
        RVHError, RVHTypeError
            As `crossed_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).owners_batch(["x", "y"], 0)
        array([['a'],
               ['a']], dtype='<U1')
        """
        return owners_batch(self, keys, progress, threads)

    def owners(self, key: Key, progress: float) -> list[Any]:
        """The nodes of one key at a progress.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).owners("x", 1)
        ['b']
        """
        return owners(self, key, progress)

    def at(self, progress: float) -> MigrationAt:
        """The placement at a progress, for everything that takes a placement.

        Parameters
        ----------
        progress : float
            As for `crossed_batch`.

        Returns
        -------
        MigrationAt

        Raises
        ------
        RVHError, RVHTypeError
            A progress as for `crossed_batch`; a placement without ``ids`` or ``nodes``; another
            `k_new` or dead nodes, since a placement gives every key equally many nodes.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> halfway = Migration(NodeSet(["a"]), NodeSet(["b"])).at(0.55)
        >>> halfway.ids, halfway.select_batch(["x", "y"])[:, 0]
        (array(['a', 'b'], dtype='<U1'), array(['a', 'b'], dtype='<U1'))
        """
        return MigrationAt(self, progress)

    def route(self, key: Key, phase: Phase | str, progress: float | Fraction = 0.0) -> Route:
        """The nodes to read a key from, and the nodes to write it to.

        Parameters
        ----------
        key : str, bytes-like or int
        phase : Phase or its name
            See `Phase`.
        progress : float
            As for `crossed_batch`.

        Returns
        -------
        Route

        Raises
        ------
        RVHError
            An unknown phase; a progress as for `crossed_batch`.
        RVHTypeError
            As `crossed_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> migration = Migration(NodeSet(["a"]), NodeSet(["b"]))
        >>> migration.route("x", "preparing")
        Route(read=['a'], write=['a'], remove=['b'])
        >>> migration.route("x", "copying", 0.9)
        Route(read=['a'], write=['a', 'b'])
        >>> migration.route("x", "switching", 1)
        Route(read=['b', 'a'], write=['b', 'a'])
        """
        try:
            rule = self._rules[phase]
        except (KeyError, TypeError):
            listed = ", ".join(map(repr, map(str, Phase)))
            raise RVHError(f"phase is {show(phase)}: choose one of {listed}") from None
        return rule(key, progress)

    def moves(self, keys: Keys, *, threads: int | None = None) -> Moved:
        """The keys to copy, each with its source and its target.

        Parameters
        ----------
        keys, threads
            As for `crossing_batch`.

        Returns
        -------
        Moved
            One row for each node that is new for a key. Ids are compared by their bytes: a str and
            its UTF-8 are one node. Where no living node is known to have a key, its source is None.

        Raises
        ------
        RVHError, RVHTypeError
            As `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> migration = Migration(NodeSet(["a", "b"]), NodeSet(["a", "b", "c"]))
        >>> set(migration.moves(range(100)).target.tolist())
        {'c'}
        """
        return moves(self, keys, threads)

    def estimate(
        self,
        keys: Keys | None = None,
        *,
        sample: int | None = None,
        sizes: Any = None,
        total: int | None = None,
        domains: Mapping[str, Mapping[Any, Any]] | None = None,
        steps: int | None = None,
        threads: int | None = None,
    ) -> Estimate:
        """Estimate what moves, before it moves.

        An `Estimator` does the same batch by batch, for more keys than fit in memory.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,), optional
            Any kind in `rvh.keys.KINDS`. A key that is there twice counts twice.
        sample : int, optional
            Instead of keys: the number of keys to draw at random, the same in every run. They tell
            about keys of any kind, as far as hashes spread those evenly.
        sizes : array of whole numbers, shape (M,), or one of them, optional
            The bytes of each key's data, 0 or more; one number is the size of every key.
        total : int, optional
            The number of keys that ``keys`` or ``sample`` are a random sample of: the estimate is
            scaled to it, and has standard errors.
        domains : mapping of str to mappings of node ids to labels, optional
            Failure domains, for example ``{"zone": {"a": "eu", "b": "us"}}``, with a label for
            each node of both placements. By default those that the placements themselves know.
        steps : int, optional
            The number of steps of a `plan`, from 1 to 2^24: the estimate tells them apart.
        threads : int, optional
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        Estimate

        Raises
        ------
        RVHError
            Both keys and a sample, or neither; sizes, a total, steps or domains as above are not;
            for keys as `NodeSet.argselect_batch`.
        RVHTypeError
            Placements without ``ids`` or ``nodes``; values of a wrong type.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> migration = Migration(NodeSet(["a", "b", "c"]), NodeSet(["a", "b"]))
        >>> migration.estimate(range(900), sizes=1000).moved_bytes
        299000
        >>> estimate = migration.estimate(sample=10_000, total=10**9)
        >>> f"{estimate.moved_keys:.3e} +- {estimate.moved_keys_error:.1e}"
        '3.326e+08 +- 4.7e+06'
        """
        estimator = Estimator(self, domains=domains, steps=steps, total=total, threads=threads)
        if (keys is None) == (sample is None):
            raise RVHError("pass keys or sample=, the number of keys to draw: one of the two")
        if keys is not None:
            estimator.add(keys, sizes)
        elif sample is not None:
            estimator.draw(sample, sizes)
        return estimator.estimate()

    def plan(self, steps: int) -> Plan:
        """Divide the migration into equal steps, which can be done in any order and resumed.

        Parameters
        ----------
        steps : int
            Number of steps, from 1 to 2^24.

        Returns
        -------
        Plan

        Raises
        ------
        RVHError
            ``steps`` out of range; a placement without a fingerprint.
        RVHTypeError
            ``steps`` that is not a whole number.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> plan = Migration(NodeSet(["a"]), NodeSet(["b"])).plan(4)
        >>> [step.stop for step in plan.left()]
        [Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1, 1)]
        """
        return Plan(self, steps)
