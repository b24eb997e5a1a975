"""Tables of slots: the nodes of each slot, for placements that put a key into a slot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import whole_number
from rvh._batch.answers import expand
from rvh._batch.threads import over_rows
from rvh._columns.integers import check_integers
from rvh._columns.values import is_whole
from rvh._runtime.slices import take, to_list
from rvh.errors import RVHError, RVHTypeError, show

if TYPE_CHECKING:
    from rvh.typing import Key, Keys, NodeId, NodeIds

    #: a number of slots, the node of each slot, or the nodes of each slot
    Slots: TypeAlias = int | NodeIds | Sequence[Sequence[NodeId]]

__all__ = ["SlotTable"]

#: slots of a placement that is given their number alone
SLOTS_MAX = 1 << 24


class SlotTable:
    """The nodes of each slot; a subclass says which slot a key is in.

    A placement never changes. It can be used from many threads at once, pickled and compared.

    Parameters
    ----------
    nodes : int, or sequence of str or bytes, shape (N,), or of rows of them, shape (N, R)
        The node of each slot, or its nodes, best first. A number N means the nodes ``"0"`` to
        ``"N-1"``.
    """

    __slots__ = ("__weakref__", "_fingerprint", "_ids", "_names", "_owners")

    def __init__(self, nodes: Slots) -> None:
        self._ids, self._owners = _read_slots(nodes)
        self._ids.flags.writeable = self._owners.flags.writeable = False
        self._names = to_list(self._ids)
        self._fingerprint: str | None = None

    def _options(self) -> dict[str, Any]:
        """Return the arguments that make this placement, beside the nodes."""
        raise NotImplementedError

    def _writing(self, integers: str | None) -> Self:
        """Return the same placement with integer keys written in another way."""
        changed = object.__new__(type(self))
        for kind in type(self).__mro__:
            for name in getattr(kind, "__slots__", ()):
                if name != "__weakref__":
                    setattr(changed, name, getattr(self, name))
        changed._integers = check_integers(integers)  # type: ignore[attr-defined]
        changed._fingerprint = None
        return changed

    def slot(self, key: Key) -> int:
        """The slot of one key, from 0."""
        raise NotImplementedError

    def slot_batch(self, keys: Keys, *, threads: int | None = None) -> NDArray[np.intp]:
        """The slot of every key, shape (M,)."""
        raise NotImplementedError

    @property
    def ids(self) -> NDArray[Any]:
        """The distinct node ids in the order of their first slots; read-only."""
        return self._ids

    @property
    def owners(self) -> NDArray[np.intp]:
        """The positions in `ids` of each slot's nodes, best first, shape (N, R); read-only.

        Examples
        --------
        >>> from rvh.placements import Modulo
        >>> Modulo(["a", "b", "a"], "crc32").owners.tolist()
        [[0], [1], [0]]
        """
        return self._owners

    @property
    def fingerprint(self) -> str:
        """Hex digest (64 characters) of everything that decides which nodes a key belongs to.

        Examples
        --------
        >>> from rvh.placements import Modulo
        >>> Modulo(["a", "b"], "crc32").fingerprint == Modulo(["b", "a"], "crc32").fingerprint
        False
        """
        if self._fingerprint is None:
            digest = hashlib.blake2b(digest_size=32, person=b"rvh Modulo")
            digest.update(f"{self._options()} {self._owners.shape}\n".encode())
            names = [_keys.key_bytes(name) for name in self._names]
            sized = [len(name).to_bytes(8, "little") + name for name in names]
            for owner in to_list(self._owners.ravel()):
                digest.update(sized[owner])
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def __len__(self) -> int:
        """The number of slots."""
        return len(self._owners)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SlotTable):
            return NotImplemented
        return self._names == other._names and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), take(self._ids, self._owners), self._options())

    def lookup(self, key: Key, k: int = 1) -> list[Any]:
        """The first `k` nodes of one key's slot.

        Parameters
        ----------
        key : str or bytes-like; int if the placement has `integers`
        k : int
            The number of nodes, from 1 to the number of nodes of a slot.

        Returns
        -------
        list
            ``k`` node ids, best first.

        Raises
        ------
        RVHError, RVHTypeError
            ``k`` out of range; a key as for `slot`.

        Examples
        --------
        >>> from rvh.placements import Modulo
        >>> Modulo([["a", "b"], ["b", "c"]], "crc32").lookup("user:1", 2)
        ['a', 'b']
        """
        k = self._check_k(k)
        return [self._names[owner] for owner in self._owners[self.slot(key), :k].tolist()]

    def lookup_batch(self, keys: Keys, k: int = 1, *, threads: int | None = None) -> NDArray[Any]:
        """The first `k` nodes of every key's slot.

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
        >>> from rvh.placements import kafka
        >>> kafka(["broker1", "broker2"]).lookup_batch(["user:1", "user:2"])
        array([['broker1'],
               ['broker2']], dtype='<U7')
        """
        k = self._check_k(k)
        return self._answers(take(self._ids, self._owners[:, :k]), keys, threads)

    def arglookup_batch(
        self, keys: Keys, k: int = 1, *, threads: int | None = None
    ) -> NDArray[np.intp]:
        """The positions in `ids` of the first `k` nodes of every key's slot.

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
        >>> from rvh.placements import kafka
        >>> kafka(["broker1", "broker2"]).arglookup_batch(["user:1", "user:2"]).tolist()
        [[0], [1]]
        """
        k = self._check_k(k)
        return self._answers(self._owners[:, :k], keys, threads)

    def _answers(self, table: NDArray[Any], keys: Keys, threads: int | None) -> NDArray[Any]:
        """Give each key the row of its slot in a table, shape (N, k)."""
        slots = self.slot_batch(keys, threads=threads)
        out = np.empty((len(slots), table.shape[1]), dtype=table.dtype)
        over_rows(partial(expand, table), slots, out, 1, threads)
        return out

    def _check_k(self, k: Any) -> int:
        limit = self._owners.shape[1]
        return whole_number("k", k, limit, f"a slot has {limit} node{'s' * (limit != 1)}")


def _unpickled(kind: Any, nodes: Any, options: dict[str, Any]) -> Any:
    return kind(nodes, **options)


def _read_slots(nodes: Any) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the distinct ids, and the positions in them of each slot's nodes, shape (N, R)."""
    if is_whole(nodes):
        count = whole_number("nodes", nodes, SLOTS_MAX)
        return np.array(list(map(str, range(count)))), np.arange(count)[:, None]
    flat, width = _flat(nodes)
    column, ids = _keys.node_column(flat)
    places: dict[bytes, int] = {}
    first: list[int] = []  # the place in `flat` of each distinct id
    owners = np.empty(len(ids), dtype=np.intp)
    for at, name in enumerate(column.iter_bytes()):
        if not name:
            raise RVHError(f"the node id of slot {at // width} is empty: give it str or bytes")
        owners[at] = places.setdefault(name, len(first))
        if owners[at] == len(first):
            first.append(at)
    table = owners.reshape(-1, width)
    ordered = np.sort(table, axis=1)
    repeated = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if repeated.any():
        slot = int(repeated.argmax())
        ids_there = ids[slot * width : (slot + 1) * width].tolist()
        raise RVHError(f"slot {slot} has a node twice: {show(ids_there)}")
    return ids[first], table


def _flat(nodes: Any) -> tuple[Any, int]:
    """Return the nodes of all slots one after another, and how many a slot has."""
    if isinstance(nodes, np.ndarray) and nodes.ndim == 2:
        return nodes.reshape(-1), max(1, nodes.shape[1])
    if not isinstance(nodes, (list, tuple)) or not any(map(_is_row, nodes)):
        return nodes, 1
    for slot, row in enumerate(nodes):
        if not _is_row(row):
            raise RVHTypeError(
                f"slot {slot} is {show(row)}, and another slot has a list of nodes: give each slot "
                "one node, or each a list"
            )
        if len(row) != len(nodes[0]) or len(row) == 0:
            raise RVHError(
                f"slot {slot} has {len(row)} nodes, and slot 0 has {len(nodes[0])}: give each slot "
                "equally many, at least one"
            )
    return [node for row in nodes for node in row], len(nodes[0])


def _is_row(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1)
