"""Spark: `with_node` for DataFrames, `node` as a Column, `register` for SQL, `partition_by_node`.

    from pyspark.sql import SparkSession
    from rvh.integrations.spark import node, register, with_node

    spark = SparkSession.builder.getOrCreate()
    df = spark.createDataFrame([("ann",), ("bob",), (None,)], "user string")
    nodes = ["cache-a", "cache-b", "cache-c"]
    with_node(df, "user", nodes).show()
    # +----+-------+
    # |user|   node|
    # +----+-------+
    # | ann|cache-c|
    # | bob|cache-a|
    # |NULL|   NULL|
    # +----+-------+
    df.groupBy(node("user", nodes).alias("node")).count()
    register(spark, "node", nodes)
    spark.sql("SELECT user, node(user) AS node FROM {df}", df=df)

An Arrow UDF: only the keys go to Python and only the places of nodes come back; names are looked up
in the JVM, where the other columns stay. The placement is part of the function, which Spark
broadcasts to each executor once a stage, and is prepared once in each Python worker. Every executor
needs the rvh of the driver: on an older one, or one that would place keys otherwise, the job fails
with an RVHError. Where the workers are processes of this machine (``local[*]``) and
``PYSPARK_PYTHON`` is not set, they run the Python of the driver, not the ``python3`` of the PATH.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from rvh._arguments.choices import one_of
from rvh.errors import RVHError
from rvh.integrations._common import check_names, key_names, missing, refuse_other
from rvh.integrations._placer import NULL_KEYS, Placer, dumps

try:
    import pyarrow as pa  # type: ignore[import-untyped]  # Spark exchanges its arrays
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as sf
    from pyspark.sql.utils import is_remote
except ImportError as error:
    raise missing("spark") from error

from rvh.integrations._arrow import answer_of_columns

if TYPE_CHECKING:
    from typing import Unpack

    from pyspark.sql import Column, DataFrame

    from rvh.integrations._placer import Nodes, Options

__all__ = ["node", "partition_by_node", "register", "with_node"]

#: a column that is there only on the way
PLACE = "rvh: place"


def with_node(
    df: DataFrame,
    key: str | Sequence[str],
    nodes: Nodes,
    k: int = 1,
    column: str = "node",
    *,
    as_columns: bool = False,
    geohash: str | None = None,
    **options: Unpack[Options],
) -> DataFrame:
    """The DataFrame with a column of the best `k` nodes of each key.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        Of Spark 4.1 or newer, classic or Connect.
    key : str, or list of str
        The column of keys: string, binary or of integers; or several columns (or one of structs)
        that make a composite key.
    nodes, k
        As for `node`.
    column : str
        The name of the new column.
    as_columns : bool
        True for k columns of one node each, ``node_1`` to ``node_k`` (after `column`), in place of
        one column of arrays.
    geohash : str, optional
        The column of places, where `nodes` is a GeoSet.
    **options
        As for `node`.

    Returns
    -------
    pyspark.sql.DataFrame
        The types are those of `node`.

    Raises
    ------
    RVHError, RVHTypeError
        Before anything runs: there is no column `key`, or a column `column` already; ``k`` out of
        range; an option that the placement does not have; keys of a type without bytes (double,
        decimal, boolean, dates).

    Notes
    -----
    A task places its keys with one thread, since Spark runs one on each core.

    Examples
    --------
    >>> from rvh.integrations.spark import with_node
    >>> df = with_node(df, "user", ["a", "b", "c"], k=2, scheme="murmur")  # doctest: +SKIP
    """
    placer = Placer(nodes, k, options)
    new, arguments = _check(df, placer, key, geohash, column, as_columns)
    chosen = _places(placer, arguments)
    if not as_columns:
        return df.withColumn(column, _names_at(placer, chosen))
    df = df.withColumn(PLACE, chosen)
    places = sf.array(PLACE) if placer.k == 1 else sf.col(PLACE)
    ranks = {name: _name_at(placer, sf.get(places, sf.lit(rank))) for rank, name in enumerate(new)}
    return df.withColumns(ranks).drop(PLACE)


def node(
    key: Column | str | Sequence[Column | str],
    nodes: Nodes,
    k: int = 1,
    *,
    geohash: Column | str | None = None,
    **options: Unpack[Options],
) -> Column:
    """The best `k` nodes of each key, as a Column for any expression.

    Parameters
    ----------
    key : str or Column, or sequence of these
        The keys: string, binary or integers. Several, and the fields of a struct, are the parts
        of composite keys (`rvh.multi.compose_keys`).
    nodes : node ids, NodeSet, or any other placement
    k : int
        How many, from 1 to the number of nodes (of those with a weight above 0).
    geohash : str or Column, optional
        The places of the keys, where `nodes` is a GeoSet.
    **options
        ``weights``, ``scheme`` and ``secret`` beside ids, as for `rvh.NodeSet`; ``spread``,
        ``max_per_domain`` and ``strict`` beside a FaultSet, as for its ``select_batch``.

    Returns
    -------
    pyspark.sql.Column
        string, or for k > 1 array<string>, best first; binary instead of string where the ids are
        bytes. Null where the key, a part of it or its place is null.

    Raises
    ------
    RVHError, RVHTypeError
        As the placement, for ``k``, and for an option that it does not have. Keys of a type
        without bytes are Spark's PythonException when the query runs.

    Examples
    --------
    >>> from rvh.integrations.spark import node
    >>> counts = df.groupBy(node("user", ["a", "b", "c"])).count()  # doctest: +SKIP
    """
    placer = Placer(nodes, k, options)
    keys = list(key) if isinstance(key, (list, tuple)) else [key]
    if not keys:
        raise RVHError("key is empty: pass at least one column")
    placer.check_columns(len(keys), geohash)
    return _names_at(placer, _places(placer, keys if geohash is None else [*keys, geohash]))


def register(
    spark: SparkSession, name: str, nodes: Nodes, k: int = 1, **options: Unpack[Options]
) -> None:
    """Make ``name(key)`` a function of the session's SQL: the best `k` nodes of the key.

    Parameters
    ----------
    spark : pyspark.sql.SparkSession
    name : str
        What SQL calls it. Registering a name again replaces the function.
    nodes : node ids, NodeSet, or any other placement
        Of a GeoSet the function takes the place of the key as its last argument:
        ``near(key, geohash)``.
    k : int
        How many, from 1 to the number of nodes (of those with a weight above 0).
    **options
        As for `node`.

    Returns
    -------
    None
        The function takes a key, or several arguments or a STRUCT that make a composite key, and
        returns what `node` returns.

    Raises
    ------
    RVHError, RVHTypeError
        As `node`.

    Examples
    --------
    >>> from rvh.integrations.spark import register
    >>> register(spark, "node", ["a", "b", "c"])  # doctest: +SKIP
    >>> spark.sql("SELECT node(user) FROM visits")  # doctest: +SKIP
    """
    placer = Placer(nodes, k, options)
    kind = "binary" if isinstance(placer.names[0], bytes) else "string"
    function = sf.arrow_udf(
        _in_worker(dumps(placer), "nodes"), kind if placer.k == 1 else f"array<{kind}>"
    )
    with _python_of_driver(spark):
        spark.udf.register(name, function)


def partition_by_node(
    df: DataFrame,
    key: str | Sequence[str],
    nodes: Nodes,
    column: str = "node",
    *,
    geohash: str | None = None,
    null_keys: Literal["error", "keep", "drop"] = "error",
    **options: Unpack[Options],
) -> DataFrame:
    """The DataFrame with a column of the node of each key, and each node's rows in one partition.

    ``df.repartition(12, "node")`` puts the rows of 12 nodes into some of 12 partitions, by a hash
    of the names; here each node has its own.

    Parameters
    ----------
    df, key, nodes, column, geohash
        As for `with_node`.
    null_keys : {"error", "keep", "drop"}
        Rows without a node, because their key is null: an error when they come up, one more
        partition behind the last node's, or left out.
    **options
        As for `node`.

    Returns
    -------
    pyspark.sql.DataFrame
        Partition i has the rows of node i of the placement's ids, and no others; it is empty where
        no key belongs to that node.

    Raises
    ------
    RVHError, RVHTypeError
        As `with_node`.

    Examples
    --------
    >>> from rvh.integrations.spark import partition_by_node
    >>> df = partition_by_node(df, "user", ["a", "b", "c"])  # doctest: +SKIP
    >>> df.foreachPartition(load)  # doctest: +SKIP
    """
    placer = Placer(nodes, 1, options)
    _, arguments = _check(df, placer, key, geohash, column, False)
    one_of("null_keys", null_keys, NULL_KEYS)
    df = df.withColumn(PLACE, _places(placer, arguments, null_keys == "error"))
    place, count = sf.col(PLACE), len(placer.ids)
    if null_keys == "drop":
        df = df.where(place.isNotNull())
    elif null_keys == "keep":
        df, count = df.withColumn(PLACE, sf.coalesce(place, sf.lit(count))), count + 1
    df = df.repartitionById(count, place)
    return df.withColumn(column, _name_at(placer, place)).drop(PLACE)


def _check(
    df: DataFrame,
    placer: Placer,
    key: str | Sequence[str],
    geohash: str | None,
    column: str,
    as_columns: bool,
) -> tuple[list[str], list[str]]:
    """The names of new columns, and the columns of the key and its place, for Spark."""
    refuse_other(df, "df", "spark")
    names = key_names(key)
    new = check_names(df.columns, names, geohash, column, placer.k, as_columns)
    placer.check_columns(len(names), geohash)
    quoted = [
        "`" + name.replace("`", "``") + "`"  # a dot in a name is not a path
        for name in (names if geohash is None else [*names, geohash])
    ]
    empty = df.select(*quoted).limit(0).toArrow().columns  # no task runs for it
    answer_of_columns(placer, names, empty[: len(names)], None if geohash is None else empty[-1])
    return new, quoted


def _places(
    placer: Placer, arguments: Sequence[Column | str], refuse_nulls: bool = False
) -> Column:
    """The positions of nodes: int, or for k > 1 array<int>."""
    function = _in_worker(dumps(placer), "places", refuse_nulls)
    with _python_of_driver(None):
        return sf.arrow_udf(function, "int" if placer.k == 1 else "array<int>")(*arguments)


def _in_worker(sent: bytes, what: str, refuse_nulls: bool = False) -> Callable[..., Any]:
    """The function that a worker runs. It travels as code, so it can say that rvh is not there."""

    def place(*arguments: pa.Array) -> pa.Array:
        try:
            from rvh.integrations._worker import run
        except ImportError as error:
            import sys

            raise ImportError(
                f"{error}: the Python of this Spark worker, {sys.executable}, needs the same rvh "
                "as the driver: install rvh[spark] there, or set PYSPARK_PYTHON to the Python "
                "that has it, before the session is made"
            ) from None
        return run(sent, what, refuse_nulls, arguments)

    return place


@contextmanager
def _python_of_driver(spark: SparkSession | None) -> Iterator[None]:
    """Let the functions made meanwhile run in the Python of this process, where that is right.

    Spark takes the ``python3`` of the PATH unless PYSPARK_PYTHON is set. That is another one where
    a script is run by the Python of an environment that is not activated, and it lacks rvh. On
    other machines only the environment can say where Python is.
    """
    if is_remote() or "PYSPARK_PYTHON" in os.environ:
        yield
        return
    context = (spark or SparkSession.active()).sparkContext
    before = context.pythonExec
    if context.master.partition("[")[0] == "local":
        context.pythonExec = sys.executable
    try:
        yield
    finally:
        context.pythonExec = before


def _names_at(placer: Placer, places: Column) -> Column:
    """The names of one node or of several."""
    if placer.k == 1:
        return _name_at(placer, places)
    return sf.transform(places, lambda place: _name_at(placer, place))


def _name_at(placer: Placer, place: Column) -> Column:
    # One constant. A literal for each id is a call into the JVM each, 5 seconds for 10,000.
    ids = placer.names
    binary = isinstance(ids[0], bytes)
    texts = [name.decode("latin-1") if isinstance(name, bytes) else name for name in ids]
    name = sf.get(sf.from_json(sf.lit(json.dumps(texts)), "array<string>"), place)
    return sf.encode(name, "ISO-8859-1") if binary else name  # JSON has no bytes
