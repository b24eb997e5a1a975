"""A column of nodes in a Dask DataFrame: ``pip install 'rvh[dask]'``.

>>> import pandas as pd, dask.dataframe as dd
>>> from rvh.integrations.dask import with_node
>>> df = dd.from_pandas(pd.DataFrame({"user": ["ann", "bob", None]}), npartitions=2)
>>> with_node(df, "user", ["cache-a", "cache-b", "cache-c"]).compute(scheduler="sync")
   user     node
0   ann  cache-a
1   bob  cache-a
2  <NA>     <NA>

It works with Dask's own threads and on a cluster. The placement is a task of its own in the graph,
so it goes to each worker once, and again to a worker that takes over a dead one's work; it is
prepared once in each process. Every worker needs the rvh of the client: on an older one, or one
that would place keys otherwise, the job fails with an RVHError.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rvh._arguments.choices import one_of
from rvh.errors import RVHError, show
from rvh.integrations._common import check_names, key_names, missing, refuse_other
from rvh.integrations._placer import NULL_KEYS, Placer, Places, dumps, loads

try:
    import pandas as pd
    import pyarrow as pa  # type: ignore[import-untyped]
    from dask import delayed
except ImportError as error:
    raise missing("dask") from error

from rvh.integrations._arrow import answer_of_columns, new_columns

if TYPE_CHECKING:
    from typing import Unpack

    import dask.dataframe as dd

    from rvh.integrations._placer import Nodes, Options

__all__ = ["partition_by_node", "with_node"]

#: columns that are there only on the way
PLACE, INDEX = "rvh: place", "rvh: index"


def with_node(
    df: dd.DataFrame,
    key: str | Sequence[str],
    nodes: Nodes,
    k: int = 1,
    column: str = "node",
    *,
    as_columns: bool = False,
    geohash: str | None = None,
    **options: Unpack[Options],
) -> dd.DataFrame:
    """The DataFrame with a column of the best `k` nodes of each key.

    Parameters
    ----------
    df : dask.dataframe.DataFrame
    key : str, or list of str
        The column of keys: text, bytes, integers, or a category of those; or several columns (or
        one of structs) that make a composite key.
    nodes : node ids, NodeSet, or any other placement
    k : int
        How many, from 1 to the number of nodes (of those with a weight above 0).
    column : str
        The name of the new column.
    as_columns : bool
        True for k columns of one node each, ``node_1`` to ``node_k`` (after `column`), in place of
        one column of lists.
    geohash : str, optional
        The column of places, where `nodes` is a GeoSet.
    **options
        ``weights``, ``scheme`` and ``secret`` beside ids, as for `rvh.NodeSet`; ``spread``,
        ``max_per_domain`` and ``strict`` beside a FaultSet, as for its ``select_batch``.

    Returns
    -------
    dask.dataframe.DataFrame
        `column` is text, or for k > 1 a list of text, best first (an ArrowDtype); bytes instead of
        text where the ids are bytes. Null where a column of the key or the place is null.

    Raises
    ------
    RVHError, RVHTypeError
        Before anything runs: there is no column `key`, or a column `column` already; ``k`` out of
        range; an option that the placement does not have; keys of a type without bytes (float,
        bool, dates), as far as the dtype tells.

    Notes
    -----
    A partition is placed by one thread, since Dask runs one on each core.

    Examples
    --------
    >>> from rvh.integrations.dask import with_node
    >>> import pandas as pd, dask.dataframe as dd
    >>> df = dd.from_pandas(pd.DataFrame({"user": [7, 8]}), npartitions=1)
    >>> df = with_node(df, "user", ["a", "b", "c", "d"], k=2, column="replicas", scheme="murmur")
    >>> df.compute(scheduler="threads")["replicas"].tolist()
    [['c', 'b'], ['d', 'c']]
    """
    refuse_other(df, "df", "dask")
    names = key_names(key)
    placer = Placer(nodes, k, options)
    new = check_names(df.columns, names, geohash, column, placer.k, as_columns)
    placer.check_columns(len(names), geohash)
    # Bytes until a task reads them: an object that refuses to be unpickled where Dask reads its
    # messages ends the worker, and no error reaches the caller. Delayed, not scattered: what a dead
    # worker held of it is in the graph.
    sent = dumps(placer)
    meta = _with_node(df._meta, sent, names, geohash, new, as_columns)
    return df.map_partitions(
        _with_node, delayed(sent, pure=True), names, geohash, new, as_columns, meta=meta
    )


def partition_by_node(
    df: dd.DataFrame,
    key: str | Sequence[str],
    nodes: Nodes,
    column: str = "node",
    *,
    geohash: str | None = None,
    null_keys: Literal["error", "keep", "drop"] = "error",
    **options: Unpack[Options],
) -> dd.DataFrame:
    """The DataFrame with a column of the node of each key, and each node's rows in one partition.

    Parameters
    ----------
    df, key, nodes, column, geohash
        As for `with_node`.
    null_keys : {"error", "keep", "drop"}
        Rows without a node, because their key is null: an error when they come up, one more
        partition behind the last node's, or left out.
    **options
        As for `with_node`.

    Returns
    -------
    dask.dataframe.DataFrame
        Partition i has the rows of node i of the placement's ids, and no others; it is empty where
        no key belongs to that node. The index stays, but is not sorted, so divisions are unknown;
        the order of the rows of a node may change.

    Raises
    ------
    RVHError, RVHTypeError
        As `with_node`.

    Notes
    -----
    A shuffle: every row goes to where its node's partition is made.

    Examples
    --------
    >>> from rvh.integrations.dask import partition_by_node
    >>> import pandas as pd, dask.dataframe as dd
    >>> df = dd.from_pandas(pd.DataFrame({"user": range(100)}), npartitions=4)
    >>> df = partition_by_node(df, "user", ["a", "b", "c"])
    >>> nodes = df["node"].map_partitions(lambda part: part.drop_duplicates())
    >>> df.npartitions, nodes.compute(scheduler="sync").tolist()
    (3, ['a', 'b', 'c'])
    """
    refuse_other(df, "df", "dask")
    names = key_names(key)
    placer = Placer(nodes, 1, options)
    new = check_names(df.columns, names, geohash, column, 1, False)
    placer.check_columns(len(names), geohash)
    one_of("null_keys", null_keys, NULL_KEYS)
    sent = dumps(placer)
    arguments = (names, geohash, new, null_keys)
    placed = df.map_partitions(
        _with_place,
        delayed(sent, pure=True),
        *arguments,
        meta=_with_place(df._meta, sent, *arguments),
    )
    # Partition i holds what is from division i up to the next; the last holds its upper end too.
    divisions = list(range(len(placer.ids) + (null_keys == "keep")))
    divided = placed.set_index(PLACE, divisions=[*divisions, len(divisions)])
    meta = _with_node(df._meta, sent, names, geohash, new, False)
    return divided.map_partitions(_with_index, df._meta.index.name, meta=meta).clear_divisions()


def _answer(part: pd.DataFrame, placer: Placer, names: list[str], geohash: str | None) -> Places:
    place = None if geohash is None else _column(part[geohash])
    return answer_of_columns(placer, names, [_column(part[name]) for name in names], place)


def _with_node(
    part: pd.DataFrame,
    sent: bytes,
    names: list[str],
    geohash: str | None,
    new: list[str],
    as_columns: bool,
) -> pd.DataFrame:
    placer = loads(sent)
    answer = _answer(part, placer, names, geohash)
    return _assign(part, new_columns(placer, new, answer, as_columns))


def _with_place(
    part: pd.DataFrame,
    sent: bytes,
    names: list[str],
    geohash: str | None,
    new: list[str],
    null_keys: str,
) -> pd.DataFrame:
    """The rows with their node, the number of its partition, and their index as a column."""
    placer = loads(sent)
    answer = _answer(part, placer, names, geohash)
    place = answer.indices[:, 0]
    part = _assign(part, new_columns(placer, new, answer, False))
    if answer.valid is not None:
        place = np.where(answer.valid, place, np.int32(len(placer.ids)))
    part = part.assign(**{PLACE: place, INDEX: part.index})
    if answer.valid is None or null_keys == "keep":
        return part
    if null_keys == "error":
        row = int(np.argmin(answer.valid))
        raise RVHError(
            f"the key in row {row} of a partition ({show(names)}) is null, so it has no node: "
            'fill it, or pass null_keys="drop" or "keep"'
        )
    return part[answer.valid]


def _with_index(part: pd.DataFrame, name: Any) -> pd.DataFrame:
    return part.set_index(INDEX).rename_axis(index=name)


def _assign(part: pd.DataFrame, columns: dict[str, Any]) -> pd.DataFrame:
    return part.assign(
        **{
            name: values.to_pandas(types_mapper=_pandas_type).set_axis(part.index)
            for name, values in columns.items()
        }
    )


def _column(series: pd.Series) -> Any:
    """A column of a partition; objects as they are, which Arrow would make a type of."""
    if series.dtype == object:
        return np.ma.array(series.to_numpy(), mask=series.isna().to_numpy())
    return pa.array(series, from_pandas=True)


def _pandas_type(arrow: pa.DataType) -> Any:
    # For text the dtype that Dask gives every column of text.
    return pd.StringDtype("pyarrow") if pa.types.is_string(arrow) else pd.ArrowDtype(arrow)
