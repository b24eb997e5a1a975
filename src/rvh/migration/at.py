"""A migration at one progress, as a placement."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import whole_number
from rvh._placing import id_bytes, ids_of, positions
from rvh._runtime.slices import take
from rvh.errors import RVHError
from rvh.migration.crossing import crossed_batch, crossing_limit
from rvh.migration.owners import owners, owners_batch
from rvh.migration.pair import Pair, union

if TYPE_CHECKING:
    from rvh.typing import Key, Keys

__all__ = ["MigrationAt"]


class MigrationAt:
    """A migration at one progress: each key on its old nodes or, if it has crossed, on its new.

    `Migration.at` makes it. It never changes, and can be pickled if both placements can.

    Parameters
    ----------
    migration : Migration
    progress : float
        As for `Migration.crossed_batch`.

    Examples
    --------
    >>> from rvh import NodeSet
    >>> from rvh.ring import Migration
    >>> halfway = Migration(NodeSet(["a", "b"]), NodeSet(["b", "c"])).at(0.5)
    >>> halfway.ids, halfway.argselect_batch(["x", "y"])
    (array(['a', 'b', 'c'], dtype='<U1'), array([[1],
           [1]]))
    """

    def __init__(self, migration: Pair, progress: float) -> None:
        crossing_limit(progress)  # rejects what is not a progress
        if migration._k != migration._k_new or migration._dead:
            raise RVHError(
                "a placement gives every key equally many nodes, but this migration has "
                f"k={migration._k}, k_new={migration._k_new} and {len(migration._dead)} dead "
                "nodes: use owners_batch, which fills up with None"
            )
        self._migration, self._progress = migration, progress
        old, new = ids_of(migration._old, "old"), ids_of(migration._new, "new")
        merged = union(old.tolist(), new.tolist())
        place = {id_bytes(node): position for position, node in enumerate(merged)}
        self._ids = _keys.node_column(merged)[1]
        self._ids.flags.writeable = False
        # where the nodes of the two placements are among the ids
        self._old = np.array([place[id_bytes(node)] for node in old.tolist()], dtype=np.intp)
        self._new = np.array([place[id_bytes(node)] for node in new.tolist()], dtype=np.intp)

    @property
    def ids(self) -> NDArray[Any]:
        """The ids of the old placement, then those that only the new one has; read-only."""
        return self._ids

    @property
    def k(self) -> int:
        """The number of nodes of each key."""
        return self._migration._k

    @property
    def progress(self) -> float:
        """The progress, from 0 to 1."""
        return self._progress

    @property
    def fingerprint(self) -> str:
        """Hex digest (64 characters) of everything that decides which nodes a key has.

        Raises
        ------
        RVHError
            A placement without a fingerprint.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> migration = Migration(NodeSet(["a"]), NodeSet(["b"]))
        >>> migration.at(0.5).fingerprint == migration.at(0.6).fingerprint
        False
        """
        digest = hashlib.blake2b(digest_size=32, person=b"rvh Migration")
        for role, fingerprint in zip(("old", "new"), self._migration._fingerprints(), strict=True):
            digest.update(f"{role}={fingerprint}\n".encode())
        digest.update(f"k={self.k} crossed={crossing_limit(self._progress)}".encode())
        return digest.hexdigest()

    def select(self, key: Key, k: int | None = None) -> list[Any]:
        """The nodes of one key.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).at(1).select("x")
        ['b']
        """
        self._check_k(k)
        return owners(self._migration, key, self._progress)

    def select_batch(
        self, keys: Keys, k: int | None = None, *, threads: int | None = None
    ) -> NDArray[Any]:
        """The nodes of every key, as `Migration.owners_batch` gives them.

        Parameters
        ----------
        keys, threads
            As for `Migration.crossing_batch`.
        k : int, optional
            The number of nodes of each key, which is that of the migration.

        Returns
        -------
        ndarray, shape (M, k)
            Node ids.

        Raises
        ------
        RVHError, RVHTypeError
            As `Migration.owners_batch`; another ``k``.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).at(0).select_batch(["x", "y"])
        array([['a'],
               ['a']], dtype='<U1')
        """
        self._check_k(k)
        return owners_batch(self._migration, keys, self._progress, threads)

    def argselect_batch(
        self, keys: Keys, k: int | None = None, *, threads: int | None = None
    ) -> NDArray[np.intp]:
        """The nodes of every key as positions in `ids`.

        Parameters
        ----------
        keys, k, threads
            As for `select_batch`.

        Returns
        -------
        ndarray of intp, shape (M, k)

        Raises
        ------
        RVHError, RVHTypeError
            As `select_batch`.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.ring import Migration
        >>> Migration(NodeSet(["a"]), NodeSet(["b"])).at(1).argselect_batch(["x", "y"])
        array([[1],
               [1]])
        """
        k = self._check_k(k)
        migration = self._migration
        with _keys.open_keys_with_objects(keys) as opened:
            crossed = crossed_batch(opened[0], self._progress, threads)
            old = positions(migration._old, "old", opened, k, threads)
            new = positions(migration._new, "new", opened, k, threads)
        return np.where(crossed[:, None], take(self._new, new), take(self._old, old))

    def __repr__(self) -> str:
        return f"{self._migration!r}.at({self._progress})"

    def _check_k(self, k: Any) -> int:
        if k is not None and whole_number("k", k, 2**31 - 1) != self.k:
            raise RVHError(f"k is {k}, but the migration's is {self.k}: pass k={self.k}")
        return self.k
