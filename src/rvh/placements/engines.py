"""The placements of query engines and table formats: partitions and buckets of typed columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rvh._arguments.numbers import whole_number
from rvh.errors import RVHTypeError, show
from rvh.placements.typed import TypedModulo

if TYPE_CHECKING:
    from rvh.placements.slots import Slots

__all__ = ["hive", "iceberg", "spark"]


def spark(partitions: Slots, types: str | Sequence[str]) -> TypedModulo:
    """The partitions of Spark SQL's hash partitioning: ``pmod(hash(columns), n)``.

    They are those of ``repartition(n, columns)``, of a shuffle before a join or an aggregation,
    and the buckets of ``bucketBy(n, columns)``.

    Parameters
    ----------
    partitions : int, or sequence of str or bytes, shape (N,), or of rows of them, shape (N, R)
        The number of partitions, called ``"0"``, ``"1"`` and so on; or the node of each.
    types : str, or sequence of str
        The type of the column, or those of several in order: ``boolean``, ``tinyint``,
        ``smallint``, ``int``, ``bigint``, ``string``, ``binary``, ``date``, ``timestamp``,
        ``timestamp_ntz``, ``float``, ``double``, ``decimal(P,S)``.

    Returns
    -------
    TypedModulo

    Raises
    ------
    RVHError, RVHTypeError
        As `TypedModulo`.

    Notes
    -----
    The hash is MurmurHash3_x86_32 with the seed 42, of several columns each with the hash of those
    before it as its seed; a null leaves it as it is. Bytes behind the last whole block of four are
    a block each, with their sign. A string is its UTF-8; other collations are not Spark's default.

    Examples
    --------
    >>> from rvh.placements import spark
    >>> spark(200, "bigint").lookup(7), spark(200, "int").lookup(7)
    (['11'], ['107'])
    """
    return TypedModulo(partitions, "spark", types)


def iceberg(buckets: Slots, type: str) -> TypedModulo:  # noqa: A002 - the type of the column
    """The buckets of Iceberg's transform ``bucket[N]``.

    Parameters
    ----------
    buckets : int, or sequence of str or bytes, shape (N,), or of rows of them, shape (N, R)
        The number of buckets, called ``"0"``, ``"1"`` and so on; or the node of each.
    type : str
        The type of the column: ``int``, ``long``, ``string``, ``binary``, ``fixed``, ``date``,
        ``time``, ``timestamp``, ``timestamptz``, ``uuid``, ``decimal(P,S)``.

    Returns
    -------
    TypedModulo

    Raises
    ------
    RVHError, RVHTypeError
        As `TypedModulo`; more than one type. Lookups also raise RVHError for a null, which Iceberg
        puts into no bucket.

    Notes
    -----
    The bucket is ``(MurmurHash3_x86_32(value) & 0x7fffffff) % N``, of integers, dates and times as
    8 bytes, so that ``int`` and ``long`` agree (Iceberg's specification, appendix B).

    Examples
    --------
    >>> from rvh.placements import iceberg
    >>> iceberg(16, "string").slot_batch(["iceberg", "spark"]), iceberg(16, "long").slot(34)
    (array([9, 5]), 3)
    """
    if not isinstance(type, str):
        raise RVHTypeError(
            f"type is {show(type)}: a bucket transform has one column, pass its type as str"
        )
    return TypedModulo(buckets, "iceberg", type)


def hive(buckets: Slots, types: str | Sequence[str], *, version: int = 2) -> TypedModulo:
    """The buckets of Hive's ``CLUSTERED BY (columns) INTO N BUCKETS``.

    Parameters
    ----------
    buckets : int, or sequence of str or bytes, shape (N,), or of rows of them, shape (N, R)
        The number of buckets, called ``"0"``, ``"1"`` and so on; or the node of each.
    types : str, or sequence of str
        The type of the column, or those of several in order: ``boolean``, ``tinyint``,
        ``smallint``, ``int``, ``bigint``, ``string``, ``date``, and ``varchar`` in version 2.
    version : {1, 2}
        The table's ``bucketing_version``: 2 since Hive 3.

    Returns
    -------
    TypedModulo

    Raises
    ------
    RVHError, RVHTypeError
        As `TypedModulo`; another version.

    Notes
    -----
    Each column's hash is added to 31 times that of the columns before it, a null as 0, and the
    bucket is ``(hash & 0x7fffffff) % N``. In version 2 it is MurmurHash3_x86_32 with the seed
    104729, of integers big-endian in their own width, and bytes behind the last whole block of
    four enter with their sign; a boolean or a ``tinyint`` is its own hash.

    Examples
    --------
    >>> from rvh.placements import hive
    >>> hive(4, "string").lookup("Trino rocks"), hive(4, "string", version=1).lookup("Trino rocks")
    (['1'], ['2'])
    """
    version = whole_number("version", version, 2, "Hive has two versions of bucketing")
    return TypedModulo(buckets, f"hive{version}", types)
