"""Slots by the hash of a key modulo their number, and the nodes of each slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.choices import one_of
from rvh._arguments.tags import as_tag
from rvh._backend import Cancel, key_point, key_points
from rvh._backend.contract import POINTS
from rvh._batch.answers import fill
from rvh._columns.foreign import foreign_column
from rvh._columns.integers import check_integers, foreign_key
from rvh.errors import RVHError, show
from rvh.placements.slots import SlotTable

if TYPE_CHECKING:
    from rvh.placements.slots import Slots
    from rvh.typing import Integers, Key, Keys

__all__ = ["HASHES", "REDUCTIONS", "Modulo"]

#: points that are not a hash of another system, or half of one
_NO_HASHES = ("murmur3", "murmur2", "geohash", "md5_low", "code_points")
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


class Modulo(SlotTable):
    """A table of slots; a key's slot is a hash of the key modulo the number of slots.

    A slot is on one node, or on several, best first; a node may have many slots. A placement never
    changes. It can be used from many threads at once, pickled and compared.

    Parameters
    ----------
    nodes : int, or sequence of str or bytes, shape (N,), or of rows of them, shape (N, R)
        The node of each slot, or its nodes, best first. A number N means the nodes ``"0"`` to
        ``"N-1"``.
    hash : str
        One of `HASHES`: ``md5`` is all its 128 bits, big-endian, and ``ketama`` the first 32,
        little-endian; ``hashkit_crc32`` and others of that prefix are those of libmemcached and
        twemproxy on x86.
    reduce : {"unsigned", "masked", "floor", "absolute"}
        What is taken modulo N: the hash; the hash without its highest bit, as by
        ``hash & 0x7fffffff``; the hash as a signed number, with a remainder of 0 or more, as by
        Java's ``Math.floorMod``; or the absolute value of that number.
    tag : str, optional
        Two characters, as ``"{}"``. Of a key that has them, only what is between the first and the
        next second is hashed, if that is not empty.
    integers : one of `INTEGERS`, optional
        How the system writes integer keys: see `rvh.ring.Ring`. By default they are errors.

    Raises
    ------
    RVHError
        No slots, rows of different lengths, a slot that has a node twice; an unknown hash,
        reduction or ``integers``; a reduction of md5 to signed numbers; a ``tag`` that is not two
        ASCII characters.
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

    __slots__ = ("_hash", "_integers", "_reduce", "_tag")

    def __init__(
        self,
        nodes: Slots,
        hash: str,  # noqa: A002 - the name of the property
        *,
        reduce: str = "unsigned",
        tag: str | None = None,
        integers: Integers | None = None,
    ) -> None:
        self._hash = one_of("hash", hash, HASHES)
        self._reduce = one_of("reduce", reduce, REDUCTIONS)
        self._tag = as_tag(tag)
        self._integers = check_integers(integers)
        if HASHES[self._hash] > 64 and self._reduce != "unsigned":
            raise RVHError(
                f'reduce is {show(reduce)}, but a hash of 128 bits has no sign: use "unsigned"'
            )
        super().__init__(nodes)

    # -- properties ---------------------------------------------------------------------------

    @property
    def hash(self) -> str:
        """The name of the hash: one of `HASHES`."""
        return self._hash

    @property
    def reduce(self) -> str:
        """What is taken modulo the number of slots: one of `REDUCTIONS`."""
        return self._reduce

    @property
    def tag(self) -> str | None:
        """The two characters around the part of a key that is hashed; None for whole keys."""
        return self._tag.decode() or None

    @property
    def integers(self) -> str | None:
        """The way that integer keys are written: one of `INTEGERS`, or None if they are errors."""
        return self._integers

    def _options(self) -> dict[str, Any]:
        return {
            "hash": self._hash,
            "reduce": self._reduce,
            "tag": self.tag,
            "integers": self._integers,
        }

    def __repr__(self) -> str:
        integers = "" if self._integers is None else f", integers={self._integers!r}"
        return f"Modulo({len(self)} slots, {len(self._ids)} nodes, {self._hash!r}{integers})"

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
        return self._writing(integers)

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
        value = key_point(self._hash, key, self._tag)
        if HASHES[self._hash] > 64:
            return (value << 64 | key_point("md5_low", key, self._tag)) % len(self._owners)
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
        with _keys.open_keys(keys) as column:
            out = np.empty(len(column), dtype=np.intp)
            fill(self._slots, foreign_column(column, self._integers), out, 1, threads)
        return out

    def _slots(
        self, keys: Any, start: int, stop: int, out: NDArray[np.intp], cancel: Cancel
    ) -> None:
        """Fill in the slots of rows: the work of `fill`."""
        points = np.empty(stop - start, dtype=np.uint64)
        count = np.uint64(len(self._owners))
        key_points(self._hash, keys, start, stop, points, cancel, self._tag)
        if HASHES[self._hash] > 64:  # no product below overflows: there are fewer than 2^32 slots
            low = np.empty_like(points)
            key_points("md5_low", keys, start, stop, low, cancel, self._tag)
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
