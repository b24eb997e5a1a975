"""The placements of databases: PostgreSQL's hash partitions, the shards of Elasticsearch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rvh._arguments.numbers import whole_number
from rvh._columns.values import is_whole
from rvh.errors import RVHError, RVHTypeError, show
from rvh.placements.slots import SLOTS_MAX
from rvh.placements.typed import TypedModulo

if TYPE_CHECKING:
    from rvh.placements.slots import Slots

__all__ = ["elasticsearch", "postgresql"]

ROUTING_BITS = 10  # of the most routing shards that there are by default


def postgresql(
    partitions: Slots | Mapping[Any, tuple[int, int]], types: str | Sequence[str]
) -> TypedModulo:
    """The partitions of PostgreSQL's ``PARTITION BY HASH (columns)``.

    Parameters
    ----------
    partitions : int, or sequence of str or bytes, shape (N,), or mapping of id to (int, int)
        The number of partitions, all with the modulus N, called ``"0"``, ``"1"`` and so on by
        their remainders; or the partition, table or server of each remainder; or by name the
        modulus and the remainder of partitions whose moduli differ: ``FOR VALUES WITH (MODULUS 4,
        REMAINDER 1)`` is ``(4, 1)``.
    types : str, or sequence of str
        The type of the column, or those of several in order: ``boolean``, ``smallint``,
        ``integer``, ``bigint``, ``text``, ``varchar``, ``bytea``, ``date``, ``timestamp``,
        ``timestamptz``, ``uuid``.

    Returns
    -------
    TypedModulo
        With moduli that differ, its slots are the remainders of the greatest.

    Raises
    ------
    RVHError, RVHTypeError
        As `TypedModulo`; moduli of which one is not a factor of the next greater one, a remainder
        that is not below its modulus, partitions that overlap, rows without a partition.

    Notes
    -----
    A value's hash is Bob Jenkins's lookup3 with the seed of partitions (``hash_bytes_extended``),
    numbers of any width have the same, and ``hash_combine64`` chains those of several columns; a
    null leaves the hash as it is. Text is hashed by its bytes, as under any deterministic
    collation in a UTF-8 database. The hash does not depend on the version since PostgreSQL 11, but
    on a big-endian server it is another.

    Examples
    --------
    >>> from rvh.placements import postgresql
    >>> postgresql(4, "bigint").slot_batch([1, 2, 3])
    array([0, 2, 1])
    >>> postgresql({"even": (2, 0), "p1": (4, 1), "p3": (4, 3)}, "text").lookup("user:2")
    ['p1']
    """
    nodes: Any = _by_remainder(partitions) if isinstance(partitions, Mapping) else partitions
    return TypedModulo(nodes, "postgresql", types)


def _by_remainder(partitions: Mapping[Any, Any]) -> list[Any]:
    """Return the partition of each remainder of the greatest modulus."""
    bounds: dict[Any, tuple[int, int]] = {}
    for name, bound in partitions.items():
        if not isinstance(bound, (tuple, list)) or len(bound) != 2 or not all(map(is_whole, bound)):
            raise RVHTypeError(
                f"partition {show(name)} has {show(bound)}: pass its modulus and its remainder, "
                "for example (4, 1)"
            )
        modulus = whole_number(f"the modulus of partition {show(name)}", bound[0], SLOTS_MAX)
        if not 0 <= bound[1] < modulus:
            raise RVHError(
                f"partition {show(name)} has the remainder {bound[1]} and the modulus {modulus}: "
                f"a remainder is from 0 to {modulus - 1}"
            )
        bounds[name] = (modulus, int(bound[1]))
    if not bounds:
        raise RVHError("there are no partitions: pass at least one")
    moduli = sorted({modulus for modulus, _ in bounds.values()})
    for lower, higher in pairwise(moduli):
        if higher % lower:
            raise RVHError(
                f"the modulus {lower} is not a factor of {higher}: in PostgreSQL every modulus is "
                "a factor of the next greater one"
            )
    table: list[Any] = [None] * moduli[-1]
    for name, (modulus, remainder) in bounds.items():
        for slot in range(remainder, len(table), modulus):
            if table[slot] is not None:
                raise RVHError(
                    f"partitions {show(table[slot])} and {show(name)} overlap: both have the hash "
                    f"{slot} modulo {len(table)}"
                )
            table[slot] = name
    if None in table:
        raise RVHError(
            f"rows whose hash is {table.index(None)} modulo {len(table)} have no partition: pass "
            "all partitions of the table"
        )
    return table


def elasticsearch(
    shards: Slots, *, routing_shards: int | None = None, partition_size: int = 1
) -> TypedModulo:
    """The primary shards of an index of Elasticsearch or OpenSearch.

    Parameters
    ----------
    shards : int, or sequence of str or bytes, shape (N,), or of rows of them, shape (N, R)
        The number of primary shards, called ``"0"``, ``"1"`` and so on; or the node of each; or
        the nodes of each, that of the primary first.
    routing_shards : int, optional
        The index's ``number_of_routing_shards``, a multiple of the shards. By default what
        Elasticsearch since 7 and OpenSearch set where nobody does: the shards times the greatest
        power of two that keeps it at or below 1024, and times 2 at least. Of an index that was
        split or shrunk it is that of the first one.
    partition_size : int
        The index's ``routing_partition_size``. Above 1, a key has two columns, the id and the
        routing.

    Returns
    -------
    TypedModulo
        Of one column, the routing, which is the id where a document has no other.

    Raises
    ------
    RVHError, RVHTypeError
        As `TypedModulo`; routing shards that are not a multiple of the shards; a partition size
        that is not below the routing shards. Lookups raise RVHError for a key that is not UTF-8.

    Notes
    -----
    The hash is MurmurHash3_x86_32 of the text in UTF-16 (little-endian), and the shard
    ``floorMod(hash, routing_shards) / (routing_shards / shards)``. Ids are text: pass the integer
    7 as ``"7"``. Indices with a ``routing_path`` hash fields of the document, which is not read.

    Examples
    --------
    >>> from rvh.placements import elasticsearch
    >>> elasticsearch(5).slot_batch(["doc-1", "doc-2"])
    array([2, 0])
    >>> partitioned = elasticsearch(4, routing_shards=8, partition_size=3)
    >>> partitioned.slot_columns(["a_0", "a_1"], ["a", "a"])  # ids, and their routing
    array([1, 2])
    """
    placement = TypedModulo(shards, "elasticsearch", "text")
    count = len(placement)
    if routing_shards is None:
        routing_shards = count << max(1, ROUTING_BITS - (count - 1).bit_length())
    whole_number("routing_shards", routing_shards, 2**31 - 1)
    whole_number("partition_size", partition_size, 2**31 - 1)
    if routing_shards % count:
        raise RVHError(
            f"routing_shards is {routing_shards}, which is not a multiple of the {count} shards"
        )
    if partition_size > 1 and partition_size >= routing_shards:
        raise RVHError(
            f"partition_size is {partition_size}, and there are {routing_shards} routing shards: "
            "it is below their number"
        )
    types = "text" if partition_size == 1 else ("text", "text")
    divisor = routing_shards // count
    return TypedModulo(shards, "elasticsearch", types, spread=partition_size, divisor=divisor)
