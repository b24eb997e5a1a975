"""A column of nodes in a Ray dataset: ``pip install 'rvh[ray]'``.

    import ray
    from rvh.integrations.ray import with_node

    ds = ray.data.from_items([{"user": "ann"}, {"user": "bob"}, {"user": None}])
    with_node(ds, "user", ["cache-a", "cache-b", "cache-c"]).to_pandas()
    #    user     node
    # 0   ann  cache-c
    # 1   bob  cache-a
    # 2  None     None

The node set is put into Ray's object store once, from where each machine fetches it once, and is
prepared once in each worker process. Every worker needs the rvh of the driver: on an older one, or
one that would place keys otherwise, the job fails with an RVHError.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from rvh.integrations._common import missing, prepare

try:
    import pyarrow as pa  # type: ignore[import-untyped]
    import ray
    import ray.data
except ImportError as error:
    raise missing("ray") from error

from rvh.integrations._frames import check_names, node_column

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["with_node"]


def with_node(
    ds: ray.data.Dataset,
    key: str,
    nodes: Any,
    k: int = 1,
    column: str = "node",
    *,
    weights: ArrayLike | None = None,
    scheme: str | None = None,
    secret: bytes | None = None,
) -> ray.data.Dataset:
    """The dataset with a column of the best `k` nodes of each key.

    Parameters
    ----------
    ds : ray.data.Dataset
    key : str
        The column of keys: text, bytes, integers, or a dictionary of those.
    nodes : NodeSet, or sequence or array of str or bytes
    k : int
        How many, from 1 to the number of nodes (of those with a weight above 0).
    column : str
        The name of the new column.
    weights, scheme, secret
        As for `rvh.NodeSet`; a NodeSet has its own.

    Returns
    -------
    ray.data.Dataset
        `column` is string, or for k > 1 list<string>, best first; binary instead of string where
        the ids are bytes. Null keys have null nodes.

    Raises
    ------
    RVHError, RVHTypeError
        ``k`` out of range; and where Ray knows the schema, before anything runs, else from the
        first task: there is no column `key`, or a column `column` already; keys of a type without
        bytes (float, bool, dates).

    Notes
    -----
    A block is placed by one thread, since Ray runs a task on each core.

    Examples
    --------
    >>> from rvh.integrations.ray import with_node
    >>> ds = with_node(ds, "user", ["a", "b", "c"], k=2, scheme="murmur")  # doctest: +SKIP
    """
    ns, k = prepare(nodes, k, weights, scheme, secret)
    schema = ds.schema(fetch_if_missing=False)
    if schema is not None:
        types = dict(zip(schema.names, schema.types, strict=True))
        check_names(types, key, column)
        if isinstance(types[key], pa.DataType):  # not so where a block holds Python objects
            node_column(ns, pa.array([], types[key]), k, key)
    # Bytes until a task reads them: where Ray itself fails to unpickle an object it tries again for
    # ever, but an error in a task ends the job.
    sent = ray.put(pickle.dumps(ns))
    return ds.map_batches(
        _with_node,
        batch_format="pyarrow",
        batch_size=None,  # blocks as they are
        fn_args=(sent, key, k, column),
    )


def _with_node(
    block: pa.Table, sent: ray.ObjectRef[bytes], key: str, k: int, column: str
) -> pa.Table:
    check_names(block.column_names, key, column)
    ns = pickle.loads(ray.get(sent))
    return block.append_column(column, node_column(ns, block[key], k, key))
