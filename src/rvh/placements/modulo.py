"""Slots by the hash of a key modulo their number, and the nodes of each slot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.choices import one_of
from rvh._arguments.numbers import whole_number
from rvh._backend import Cancel, key_point, key_points
from rvh._backend.contract import POINTS
from rvh._batch.answers import fill
from rvh._columns.foreign import foreign_column
from rvh._columns.integers import check_integers, foreign_key
from rvh._columns.values import is_whole
from rvh._runtime.slices import take, to_list
from rvh.errors import RVHError, RVHTypeError, show

if TYPE_CHECKING:
    from rvh.typing import Integers, Key, Keys, NodeId, NodeIds

    #: a number of slots, the node of each slot, or the nodes of each slot
    Slots: TypeAlias = int | NodeIds | Sequence[Sequence[NodeId]]

__all__ = ["HASHES", "REDUCTIONS", "Modulo"]

#: points that are no hash of another system, or half of one
_NO_HASHES = ("murmur3", "murmur2", "geohash", "md5_low")
#: the hashes of `Modulo`, with their bits
HASHES: dict[str, int] = {
    name: 128 if name == "md5" else bits for name, bits in POINTS.items() if name not in _NO_HASHES
}
#: what a hash is modulo the number of slots
REDUCTIONS: dict[str, str] = {
    "unsigned": "the hash",
    "masked": "the hash without its highest bit",
    "floor": "the hash as a signed number, with a remainder of 0 or more",
    "absolute": "the absolute value of the hash as a signed number",
}
#: slots of a placement that is given their number alone
SLOTS_MAX = 1 << 24


class Modulo:
    """A table of slots; a key's slot is a hash of the key modulo the number of slots.

    A slot is on one node, or on several, best first; a node may have many slots. A placement never
    changes. It can be used from many threads at once, pickled and compared.

    Parameters
    ----------
    nodes : int, or sequence of str or bytes, shape (N,), or of rows of them, shape (N, R)
        The node of each slot, or its nodes, best first. A number N means the nodes ``"0"`` to
        ``"N-1"``.
    hash : str
        One of `HASHES`. Those of 32 and 64 bits are compared by their bits; ``md5`` is all 128,
        big-endian.
    reduce : {"unsigned", "masked", "floor", "absolute"}
        What is taken modulo N: the hash; the hash without its highest bit, as by
        ``hash & 0x7fffffff``; the hash as a signed number, with a remainder of 0 or more, as by
        Java's ``Math.floorMod``; or the absolute value of that number.
    integers : one of `INTEGERS`, optional
        How the system writes integer keys: see `rvh.ring.Ring`. By default they are errors.

    Raises
    ------
    RVHError
        No slots, rows of different lengths, a slot that has a node twice; an unknown hash,
        reduction or ``integers``; a reduction of md5 to signed numbers.
    RVHTypeError
        Nodes that are not str or bytes.

    Examples
    --------
    >>> from rvh.placements import Modulo
    >>> shards = Modulo(["a", "b", "c"], "crc32")  # names[zlib.crc32(key) % 3]
    >>> shards.slot("user:1"), shards.lookup("user:1")
    (0, ['a'])
    >>> shards.lookup_batch(["user:1", "user:2"]).tolist()
    [['a'], ['b']]
    """

    __slots__ = (
        *("__weakref__", "_fingerprint", "_hash", "_ids", "_integers", "_names", "_owners"),
        "_reduce",
    )

    def __init__(
        self,
        nodes: Slots,
        hash: str,  # noqa: A002 - the name of the property
        *,
        reduce: str = "unsigned",
        integers: Integers | None = None,
    ) -> None:
        self._hash = one_of("hash", hash, HASHES)
        self._reduce = one_of("reduce", reduce, REDUCTIONS)
        self._integers = check_integers(integers)
        if HASHES[self._hash] > 64 and self._reduce != "unsigned":
            raise RVHError(
                f'reduce is {show(reduce)}, but a hash of 128 bits has no sign: use "unsigned"'
            )
        self._ids, self._owners = _read_slots(nodes)
        self._ids.flags.writeable = self._owners.flags.writeable = False
        self._names = to_list(self._ids)
        self._fingerprint: str | None = None

    # -- properties ---------------------------------------------------------------------------

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
    def hash(self) -> str:
        """The name of the hash: one of `HASHES`."""
        return self._hash

    @property
    def reduce(self) -> str:
        """What is taken modulo the number of slots: one of `REDUCTIONS`."""
        return self._reduce

    @property
    def integers(self) -> str | None:
        """The way that integer keys are written: one of `INTEGERS`, or None if they are errors."""
        return self._integers

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

    def _options(self) -> dict[str, Any]:
        return {"hash": self._hash, "reduce": self._reduce, "integers": self._integers}

    def __len__(self) -> int:
        """The number of slots."""
        return len(self._owners)

    def __repr__(self) -> str:
        integers = "" if self._integers is None else f", integers={self._integers!r}"
        return f"Modulo({len(self)} slots, {len(self._ids)} nodes, {self._hash!r}{integers})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Modulo):
            return NotImplemented
        return self._names == other._names and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (take(self._ids, self._owners), self._options())

    def with_integers(self, integers: Integers | None) -> Modulo:
        """Return the same placement with integer keys written in another way.

        Parameters
        ----------
        integers : one of `INTEGERS`, or None

        Returns
        -------
        Modulo

        Raises
        ------
        RVHError
            Another value.

        Examples
        --------
        >>> from rvh.placements import kafka
        >>> kafka(12).with_integers("int64_be").lookup(42)
        ['4']
        """
        changed = object.__new__(type(self))
        for name in Modulo.__slots__[1:]:
            setattr(changed, name, getattr(self, name))
        changed._integers, changed._fingerprint = check_integers(integers), None
        return changed

    # -- lookups ------------------------------------------------------------------------------

    def slot(self, key: Key) -> int:
        """The slot of one key, from 0.

        Raises
        ------
        RVHError, RVHTypeError
            An integer key where `integers` is None; a composite key; a key without bytes.

        Examples
        --------
        >>> from rvh.placements import kafka
        >>> kafka(12).slot("user:1")
        2
        """
        if type(key) is not str:
            key = foreign_key(key, self._integers)
        value = key_point(self._hash, key)
        if HASHES[self._hash] > 64:
            return (value << 64 | key_point("md5_low", key)) % len(self._owners)
        top = 1 << HASHES[self._hash] - 1
        if self._reduce == "masked":
            value &= top - 1
        elif value >= top and self._reduce != "unsigned":
            value -= 2 * top
            if self._reduce == "absolute":
                value = -value
        return value % len(self._owners)

    def slot_batch(self, keys: Keys, *, threads: int | None = None) -> NDArray[np.intp]:
        """The slot of every key.

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
        >>> from rvh.placements import kafka
        >>> kafka(12).slot_batch(["user:1", "user:2"])
        array([2, 5])
        """
        return self._filled(self._slots, keys, (), np.dtype(np.intp), threads)

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
        work = partial(self._nodes, k)
        return self._filled(work, keys, (k,), self._ids.dtype, threads)

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
        work = partial(self._positions, k)
        return self._filled(work, keys, (k,), np.dtype(np.intp), threads)

    def _filled(
        self, work: Any, keys: Keys, shape: tuple[int, ...], dtype: Any, threads: int | None
    ) -> NDArray[Any]:
        with _keys.open_keys(keys) as column:
            out = np.empty((len(column), *shape), dtype=dtype)
            fill(work, foreign_column(column, self._integers), out, 1, threads)
        return out

    def _slots(
        self, keys: Any, start: int, stop: int, out: NDArray[np.intp], cancel: Cancel
    ) -> None:
        """Fill in the slots of rows: the work of `fill`."""
        points = np.empty(stop - start, dtype=np.uint64)
        count = np.uint64(len(self._owners))
        key_points(self._hash, keys, start, stop, points, cancel)
        if HASHES[self._hash] > 64:  # no product below overflows: there are fewer than 2^32 slots
            low = np.empty_like(points)
            key_points("md5_low", keys, start, stop, low, cancel)
            points %= count
            points *= np.uint64(2**64 % len(self._owners))
            points %= count
            points += low % count
        else:
            self._reduce_points(points)
        np.remainder(points, count, out=out.view(np.uint64))

    def _reduce_points(self, points: NDArray[np.uint64]) -> None:
        """Turn hashes into numbers of 0 or more, in place, that have the slots' remainders."""
        bits = HASHES[self._hash]
        top = np.uint64(1 << bits - 1)
        if self._reduce == "masked":
            points &= top - np.uint64(1)
        elif self._reduce == "absolute":
            points[:] = np.minimum(points, (np.uint64(0) - points) & np.uint64(2**bits - 1))
        elif self._reduce == "floor":
            # -2^bits and N - 2^bits % N have the same remainder; the sum stays below 2^64.
            count = len(self._owners)
            negative = points >= top
            points %= np.uint64(count)
            points += negative * np.uint64(count - 2**bits % count)

    def _positions(
        self, k: int, keys: Any, start: int, stop: int, out: NDArray[np.intp], cancel: Cancel
    ) -> None:
        slots = np.empty(stop - start, dtype=np.intp)
        self._slots(keys, start, stop, slots, cancel)
        take(self._owners[:, :k], slots, out)

    def _nodes(
        self, k: int, keys: Any, start: int, stop: int, out: NDArray[Any], cancel: Cancel
    ) -> None:
        positions = np.empty((stop - start, k), dtype=np.intp)
        self._positions(k, keys, start, stop, positions, cancel)
        take(self._ids, positions, out)

    def _check_k(self, k: Any) -> int:
        limit = self._owners.shape[1]
        return whole_number("k", k, limit, f"a slot has {limit} node{'s' * (limit != 1)}")


def _unpickled(nodes: Any, options: dict[str, Any]) -> Modulo:
    return Modulo(nodes, **options)


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
