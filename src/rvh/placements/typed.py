"""Slots by the hash of typed columns, as engines and databases compute it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.choices import one_of
from rvh._arguments.numbers import whole_number
from rvh._backend import chain_point, chain_points
from rvh._backend.contract import SYSTEMS
from rvh._batch.answers import fill
from rvh._columns.chains import BITS, Chain
from rvh._columns.column import KeyColumn
from rvh._runtime.slices import take
from rvh.errors import RVHError, RVHTypeError
from rvh.multi import compose_parts
from rvh.placements.slots import SlotTable
from rvh.placements.types import LONG_MAX, ColumnType, open_typed, parse_types

if TYPE_CHECKING:
    from rvh.placements.slots import Slots
    from rvh.typing import Keys

__all__ = ["TypedModulo"]

WORD32 = 2**32 - 1
#: the systems whose hash is taken without its sign
MASKED = ("hive1", "hive2", "iceberg")
#: those that have no slot for a row with a null, and why
WITHOUT_NULLS = {
    "iceberg": "Iceberg puts a null into no bucket",
    "elasticsearch": "a document has an id, and in such an index a routing",
}


class TypedModulo(SlotTable):
    """A table of slots; a row's slot is the hash of its typed columns modulo the number of slots.

    The functions for the systems make one: `spark`, `hive`, `iceberg`, `postgresql` and
    `elasticsearch`. The hash depends on the types: Spark puts the ``int`` 7 and the ``bigint`` 7
    into different partitions. A placement never changes. It can be used from many threads at once,
    pickled and compared.

    A key of one column is a value of its type. A key of several columns is a composite key of rvh:
    `rvh.keys.composite` makes one, `rvh.multi.compose_keys` a column of them; engines and the
    command line make them of several columns. It has integers, text and bytes alone; other types,
    and nulls, go through `slot_columns` and `lookup_columns`, which take the columns themselves.

    ================ =========================================================================
    type             its values
    ================ =========================================================================
    integers         int, any NumPy or Arrow integers; out of the type's range is an error
    text, binary     str or bytes
    boolean          bool, or 0 and 1
    date             ``datetime.date``, datetime64, or whole days since 1970-01-01
    timestamps       ``datetime.datetime`` (without a zone: in UTC), datetime64, or whole
                     microseconds since 1970-01-01
    time             ``datetime.time``, or whole microseconds since midnight
    float, double    float
    decimal(P,S)     ``decimal.Decimal`` or int, exact in S digits behind the point
    uuid             ``uuid.UUID``, its text or its 16 bytes
    ================ =========================================================================

    Parameters
    ----------
    nodes : int, or sequence of str or bytes, shape (N,), or of rows of them, shape (N, R)
        As for `Modulo`.
    system : {"spark", "iceberg", "hive1", "hive2", "postgresql", "elasticsearch"}
        The system whose hash it is.
    types : str, or sequence of str
        The types of the columns, in order, as the system calls them.
    spread : int
        Elasticsearch's ``routing_partition_size``.
    divisor : int
        Elasticsearch's routing shards in a shard.

    Raises
    ------
    RVHError, RVHTypeError
        As `Modulo` for the nodes; an unknown system; a type that is none of the system's.

    Examples
    --------
    >>> from rvh.placements import spark
    >>> partitions = spark(200, ("string", "int"))  # repartition(200, "name", "day")
    >>> partitions.slot_columns(["ann", "bob", None], [1, 2, 3])
    array([17, 32, 51])
    >>> partitions.lookup(("ann", 1))
    ['17']
    """

    __slots__ = ("_direct", "_divisor", "_spread", "_system", "_types", "_whole")

    def __init__(
        self,
        nodes: Slots,
        system: str,
        types: str | Sequence[str],
        *,
        spread: int = 1,
        divisor: int = 1,
    ) -> None:
        self._system = one_of("system", system, SYSTEMS)
        self._types = parse_types(self._system, types)
        self._spread = whole_number("spread", spread, WORD32)
        self._divisor = whole_number("divisor", divisor, WORD32)
        self._whole = self._chain()
        self._direct = _direct(self._types)
        super().__init__(nodes)

    # -- properties ---------------------------------------------------------------------------

    @property
    def system(self) -> str:
        """The system whose hash it is: one of `SYSTEMS`."""
        return self._system

    @property
    def types(self) -> tuple[str, ...]:
        """The types of the columns, in order, as the system calls them."""
        return tuple(each.name for each in self._types)

    def _options(self) -> dict[str, Any]:
        options = {"system": self._system, "types": self.types}
        return options | {"spread": self._spread, "divisor": self._divisor}

    def __repr__(self) -> str:
        listed = ", ".join(self.types)
        return f"TypedModulo({len(self)} slots, {len(self._ids)} nodes, {self._system}: {listed})"

    # -- lookups of keys ----------------------------------------------------------------------

    def slot(self, key: Any) -> int:
        """The slot of one key, from 0.

        Parameters
        ----------
        key : a value of the column's type; of several columns a tuple of them, or a composite key

        Raises
        ------
        RVHError, RVHTypeError
            A value of another type or out of its range; bytes that are not such a composite key; a
            null, if the system has no slot for it.

        Examples
        --------
        >>> from rvh.placements import postgresql
        >>> postgresql(4, "bigint").slot(7), postgresql(4, ("bigint", "text")).slot((9, "ann"))
        (3, 0)
        """
        if type(key) in self._direct and not (type(key) is int and key > LONG_MAX):
            return self._reduced_one(chain_point(self._whole, key))
        if len(self._types) > 1 and not isinstance(key, tuple):
            return int(self.slot_batch([key])[0])
        values = key if isinstance(key, tuple) else (key,)
        return int(self.slot_columns(*([value] for value in values))[0])

    def slot_batch(self, keys: Keys, *, threads: int | None = None) -> NDArray[np.intp]:
        """The slot of every key.

        Parameters
        ----------
        keys : sequence, array or Arrow column, shape (M,)
            Values of the column's type; of several columns, composite keys.
        threads
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        ndarray of intp, shape (M,)

        Raises
        ------
        RVHError, RVHTypeError
            As `slot` and `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh.multi import compose_keys
        >>> from rvh.placements import hive
        >>> hive(8, "int").slot_batch([1, 2, 3])
        array([5, 4, 6])
        >>> hive(8, ("int", "string")).slot_batch(compose_keys([1, 2], ["ann", "bob"]))
        array([6, 4])
        """
        if len(self._types) == 1:
            return self.slot_columns(keys, threads=threads)
        for number, kind in enumerate(self._types):
            if not kind.as_key:
                raise RVHTypeError(
                    f"composite keys have integers, text and bytes, and column {number} is of type "
                    f"{kind.name}: pass the columns to slot_columns() or lookup_columns()"
                )
        with _keys.open_keys(keys) as column:
            return self._reduced(self._points(self._whole, column, threads))

    # -- lookups of columns -------------------------------------------------------------------

    def slot_columns(self, *columns: Any, threads: int | None = None) -> NDArray[np.intp]:
        """The slot of every row of the columns.

        Parameters
        ----------
        *columns : sequences, arrays or Arrow columns, shape (M,)
            One for each type, in order: values of that type. Nulls (None, NumPy's masked and NaT,
            those of Arrow) count as the system counts them.
        threads
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        ndarray of intp, shape (M,)

        Raises
        ------
        RVHError, RVHTypeError
            As `slot`; more or fewer columns than types; columns of different lengths.

        Examples
        --------
        >>> import datetime
        >>> from rvh.placements import spark
        >>> days = [datetime.date(2026, 11, 27), None]
        >>> spark(200, ("date", "double")).slot_columns(days, [2.5, -0.0])
        array([132,   5])
        """
        return self._reduced(self.hash_columns(*columns, threads=threads))

    def lookup_columns(self, *columns: Any, k: int = 1, threads: int | None = None) -> NDArray[Any]:
        """The first `k` nodes of the slot of every row of the columns.

        Parameters
        ----------
        *columns, threads
            As for `slot_columns`.
        k : int
            As for `lookup`.

        Returns
        -------
        ndarray, shape (M, k)
            Node ids, best first, in the dtype of `ids`.

        Raises
        ------
        RVHError, RVHTypeError
            As `slot_columns` and `lookup`.

        Examples
        --------
        >>> from rvh.placements import postgresql
        >>> people = postgresql(["host1", "host2"], ("integer", "text"))
        >>> people.lookup_columns([1, 2, None], ["ann", "bob", "cid"]).tolist()
        [['host2'], ['host1'], ['host1']]
        """
        k = self._check_k(k)
        slots = self.slot_columns(*columns, threads=threads)
        return take(self._ids, take(self._owners[:, :k], slots))

    def hash_columns(self, *columns: Any, threads: int | None = None) -> NDArray[Any]:
        """The system's own hash of every row of the columns, of which the slot is made.

        Parameters
        ----------
        *columns, threads
            As for `slot_columns`.

        Returns
        -------
        ndarray of int64, shape (M,); of uint64 for PostgreSQL
            The others' hashes are signed numbers of 32 bits, as those systems show them.

        Raises
        ------
        RVHError, RVHTypeError
            As `slot_columns`.

        Examples
        --------
        >>> from rvh.placements import spark
        >>> spark(200, "string").hash_columns(["Spark"])  # SELECT hash('Spark')
        array([228093765])
        """
        if len(columns) != len(self._types):
            raise RVHError(
                f"there are {len(columns)} columns, and {len(self._types)} types "
                f"({', '.join(self.types)}): pass a column for each"
            )
        with ExitStack() as stack:
            names = (
                ["keys"] if len(columns) == 1 else [f"columns[{n}]" for n in range(len(columns))]
            )
            opened = [
                open_typed(kind, column, name, stack)
                for kind, column, name in zip(self._types, columns, names, strict=True)
            ]
            points = self._points_of_columns(opened, names, threads)
        return points if self._system == "postgresql" else points.view(np.int64)

    # -- hashes -------------------------------------------------------------------------------

    def _chain(self, present: Sequence[bool] | None = None) -> Chain:
        parts = [kind.part for kind in self._types]
        if present is not None:
            parts = [
                part if is_there else "null" for part, is_there in zip(parts, present, strict=True)
            ]
        return Chain(self._system, tuple(parts), self._spread)

    def _points(self, chain: Chain, keys: KeyColumn, threads: int | None) -> NDArray[np.uint64]:
        points = np.empty(len(keys), dtype=np.uint64)
        fill(partial(chain_points, chain), keys, points, 1, threads)
        return points

    def _points_of_columns(
        self,
        columns: list[tuple[KeyColumn, NDArray[np.bool_] | None]],
        names: list[str],
        threads: int | None,
    ) -> NDArray[np.uint64]:
        """Hash rows, those with the same nulls together."""
        lengths = [len(column if valid is None else valid) for column, valid in columns]
        if len(set(lengths)) > 1:
            listed = ", ".join(f"{name} has {n}" for name, n in zip(names, lengths, strict=True))
            raise RVHError(f"the columns have different lengths: {listed}; pass one element a row")
        masks = [valid for _, valid in columns]
        if all(valid is None for valid in masks):
            keys = [column for column, _ in columns]
            return self._points(self._whole, _as_keys(keys, len(columns)), threads)
        self._refuse_nulls(masks, names)
        bits = np.zeros(lengths[0], dtype=np.uint32)
        for number, valid in enumerate(masks):
            bits |= (np.uint32(1) if valid is None else valid.astype(np.uint32)) << np.uint32(
                number
            )
        points = np.empty(lengths[0], dtype=np.uint64)
        for pattern in np.unique(bits).tolist():
            rows = np.flatnonzero(bits == pattern)
            present = [bool(pattern >> number & 1) for number in range(len(columns))]
            chain = self._chain(present)
            keys = [
                column._take(rows if valid is None else (np.cumsum(valid) - 1)[rows])
                for (column, valid), is_there in zip(columns, present, strict=True)
                if is_there
            ]
            if keys:
                points[rows] = self._points(chain, _as_keys(keys, len(columns)), threads)
            else:
                points[rows] = chain_point(chain, b"")
        return points

    def _refuse_nulls(self, masks: list[NDArray[np.bool_] | None], names: list[str]) -> None:
        if self._system in WITHOUT_NULLS:
            for valid, name in zip(masks, names, strict=True):
                if valid is not None:
                    raise RVHError(
                        f"{name} has a null at position {int(np.argmin(valid))}, and "
                        f"{WITHOUT_NULLS[self._system]}: leave such rows out"
                    )

    def _reduced_one(self, point: int) -> int:
        """Turn a hash into a slot."""
        count = len(self._owners) * self._divisor
        if self._system in MASKED:
            point &= 0x7FFFFFFF
        elif self._system != "postgresql" and point >> 63:
            point -= 1 << 64
        return point % count // self._divisor

    def _reduced(self, points: NDArray[Any]) -> NDArray[np.intp]:
        """Turn hashes into slots."""
        count = len(self._owners) * self._divisor
        if self._system == "postgresql":
            return (points % np.uint64(count)).astype(np.intp)
        numbers = points.view(np.int64)
        if self._system in MASKED:
            numbers = numbers & 0x7FFFFFFF
        slots: NDArray[np.intp] = np.mod(numbers, count).astype(np.intp, copy=False)
        return slots if self._divisor == 1 else slots // self._divisor


def _direct(types: Sequence[ColumnType]) -> tuple[type, ...]:
    """Return the types of keys whose own bytes in rvh are what is hashed, without another look."""
    if len(types) > 1:
        return (bytes,) if all(kind.as_key for kind in types) else ()
    if types[0].one is not None:
        return ()
    return (int,) if types[0].part in BITS else (str, bytes)


def _as_keys(columns: list[KeyColumn], parts: int) -> KeyColumn:
    """Return the only column of a key, or the composite keys of those that are there."""
    return columns[0] if parts == 1 else compose_parts(list(columns))
