"""A column of nodes in a Spark DataFrame: ``pip install 'rvh[spark]'``.

    from pyspark.sql import SparkSession
    from rvh.integrations.spark import with_node

    spark = SparkSession.builder.getOrCreate()
    df = spark.createDataFrame([("ann",), ("bob",), (None,)], "user string")
    with_node(df, "user", ["cache-a", "cache-b", "cache-c"]).show()
    # +----+-------+
    # |user|   node|
    # +----+-------+
    # | ann|cache-c|
    # | bob|cache-a|
    # |NULL|   NULL|
    # +----+-------+

An Arrow UDF: only the keys go to Python and only the places of nodes come back; names are looked up
in the JVM, where the other columns stay. The node set is part of the function, which Spark
broadcasts to each executor once a stage, and is prepared once in each Python worker. Every executor
needs the rvh of the driver: on an older one, or one that would place keys otherwise, the job fails
with an RVHError.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from rvh.integrations._common import missing, prepare

try:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyspark.sql import functions as sf
except ImportError as error:
    raise missing("spark") from error

from rvh.integrations._arrow import null_mask
from rvh.integrations._frames import answers, check_names, node_column

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from pyspark.sql import Column, DataFrame

__all__ = ["with_node"]


def with_node(
    df: DataFrame,
    key: str,
    nodes: Any,
    k: int = 1,
    column: str = "node",
    *,
    weights: ArrayLike | None = None,
    scheme: str | None = None,
    secret: bytes | None = None,
) -> DataFrame:
    """The DataFrame with a column of the best `k` nodes of each key.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        Of Spark 4.1 or newer, classic or Connect.
    key : str
        The column of keys: string, binary or of integers.
    nodes : NodeSet, or sequence or array of str or bytes
    k : int
        How many, from 1 to the number of nodes (of those with a weight above 0).
    column : str
        The name of the new column.
    weights, scheme, secret
        As for `rvh.NodeSet`; a NodeSet has its own.

    Returns
    -------
    pyspark.sql.DataFrame
        `column` is string, or for k > 1 array<string>, best first; binary instead of string where
        the ids are bytes. Null keys have null nodes.

    Raises
    ------
    RVHError, RVHTypeError
        Before anything runs: there is no column `key`, or a column `column` already; ``k`` out of
        range; keys of a type without bytes (double, decimal, boolean, dates).

    Notes
    -----
    A task places its keys with one thread, since Spark runs one on each core.

    Examples
    --------
    >>> from rvh.integrations.spark import with_node
    >>> df = with_node(df, "user", ["a", "b", "c"], k=2, scheme="murmur")  # doctest: +SKIP
    """
    ns, k = prepare(nodes, k, weights, scheme, secret)
    check_names(df.columns, key, column)
    quoted = "`" + key.replace("`", "``") + "`"  # a dot in a name is no path
    no_keys = df.select(quoted).limit(0).toArrow()[0]  # no task runs for it
    binary = node_column(ns, no_keys, k, key).type in (pa.binary(), pa.list_(pa.binary()))

    def places(keys: pa.Array) -> pa.Array:
        answer = answers(ns, keys, k, key)
        nulls = null_mask(answer)
        if k == 1:
            return pa.array(answer.indices[:, 0], mask=nulls)
        ends = np.arange(0, answer.indices.size + 1, k, dtype=np.int32)
        nulls = None if nulls is None else pa.array(nulls)
        return pa.ListArray.from_arrays(ends, answer.indices.ravel(), mask=nulls)

    # One constant. A literal for each id is a call into the JVM each, 5 seconds for 10,000.
    ids = [_latin1(node) if binary else node for node in ns.ids.tolist()]
    names = sf.from_json(sf.lit(json.dumps(ids)), "array<string>")

    def name_at(place: Column) -> Column:
        name = sf.get(names, place)
        return sf.encode(name, "ISO-8859-1") if binary else name

    chosen = sf.arrow_udf(places, "int" if k == 1 else "array<int>")(quoted)
    return df.withColumn(column, name_at(chosen) if k == 1 else sf.transform(chosen, name_at))


def _latin1(node: str | bytes) -> str:
    """A text of one character a byte: JSON has no bytes."""
    return (node.encode() if isinstance(node, str) else node).decode("latin-1")
