"""A column of nodes in a Dask DataFrame: ``pip install 'rvh[dask]'``.

>>> import pandas as pd, dask.dataframe as dd
>>> from rvh.integrations.dask import with_node
>>> df = dd.from_pandas(pd.DataFrame({"user": ["ann", "bob", None]}), npartitions=2)
>>> with_node(df, "user", ["cache-a", "cache-b", "cache-c"]).compute(scheduler="sync")
   user     node
0   ann  cache-a
1   bob  cache-a
2  <NA>     <NA>

It works with Dask's own threads and on a cluster. The node set is a task of its own in the graph,
so it goes to each worker once, and again to a worker that takes over a dead one's work; it is
prepared once in each process. Every worker needs the rvh of the client: on an older one, or one
that would place keys otherwise, the job fails with an RVHError.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np

from rvh.integrations._common import missing, prepare

try:
    import pandas as pd
    import pyarrow as pa  # type: ignore[import-untyped]
    from dask import delayed
except ImportError as error:
    raise missing("dask") from error

from rvh.integrations._frames import check_names, node_column

if TYPE_CHECKING:
    import dask.dataframe as dd
    from numpy.typing import ArrayLike

__all__ = ["with_node"]


def with_node(
    df: dd.DataFrame,
    key: str,
    nodes: Any,
    k: int = 1,
    column: str = "node",
    *,
    weights: ArrayLike | None = None,
    scheme: str | None = None,
    secret: bytes | None = None,
) -> dd.DataFrame:
    """The DataFrame with a column of the best `k` nodes of each key.

    Parameters
    ----------
    df : dask.dataframe.DataFrame
    key : str
        The column of keys: text, bytes, integers, or a category of those.
    nodes : NodeSet, or sequence or array of str or bytes
    k : int
        How many, from 1 to the number of nodes (of those with a weight above 0).
    column : str
        The name of the new column.
    weights, scheme, secret
        As for `rvh.NodeSet`; a NodeSet has its own.

    Returns
    -------
    dask.dataframe.DataFrame
        `column` is text, or for k > 1 a list of text, best first (an ArrowDtype); bytes instead of
        text where the ids are bytes. Null keys have null nodes.

    Raises
    ------
    RVHError, RVHTypeError
        Before anything runs: there is no column `key`, or a column `column` already; ``k`` out of
        range; keys of a type without bytes (float, bool, dates), as far as the dtype tells.

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
    # Bytes until a task reads them: an object that refuses to be unpickled where Dask reads its
    # messages ends the worker, and no error reaches the caller. Delayed, not scattered: what a dead
    # worker held of it is in the graph.
    ns, k = prepare(nodes, k, weights, scheme, secret)
    sent = pickle.dumps(ns)
    meta = _with_node(df._meta, sent, key, k, column)
    return df.map_partitions(_with_node, delayed(sent, pure=True), key, k, column, meta=meta)


def _with_node(part: pd.DataFrame, sent: bytes, key: str, k: int, column: str) -> pd.DataFrame:
    check_names(part.columns, key, column)
    ns = pickle.loads(sent)
    names = node_column(ns, _keys(part[key]), k, key)
    series = names.to_pandas(types_mapper=_pandas_type).set_axis(part.index)
    return part.assign(**{column: series})


def _keys(series: pd.Series) -> Any:
    """The keys of a partition; objects as they are, which Arrow would make a type of."""
    if series.dtype == object:
        return np.ma.array(series.to_numpy(), mask=series.isna().to_numpy())
    return pa.array(series, from_pandas=True)


def _pandas_type(arrow: pa.DataType) -> Any:
    # For text the dtype that Dask gives every column of text.
    return pd.StringDtype("pyarrow") if pa.types.is_string(arrow) else pd.ArrowDtype(arrow)
