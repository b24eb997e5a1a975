"""DataFusion: `register` makes a scalar function of a set of nodes.

>>> import pyarrow as pa
>>> from datafusion import SessionContext
>>> import rvh
>>> from rvh.integrations.datafusion import register
>>> ctx = SessionContext()
>>> nodes = rvh.NodeSet(["alpha", "beta", "gamma"])
>>> node = register(ctx, "node", nodes, key=pa.string())
>>> ctx.sql("SELECT node('txn-42') a, node(NULL) b").to_pylist()
[{'a': 'gamma', 'b': None}]

``key`` is the type that keys have. DataFusion casts what it is given to that type by its own
rules before the function sees it, and it casts anything to text: a function for text that is given
the integer 42 answers for '42', which is another key. So integers need a function of their own,
``key=pa.int64()`` (which refuses text), and a column's own type is best:
``key=df.schema().field("user_id").type``.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from rvh.errors import RVHTypeError, show
from rvh.integrations._common import missing, prepare

try:
    import datafusion
except ImportError as error:
    raise missing("datafusion") from error

import pyarrow as pa  # type: ignore[import-untyped]  # DataFusion needs it

from rvh.integrations._arrow import id_array, select

__all__ = ["register"]


def register(
    ctx: datafusion.SessionContext,
    name: str,
    nodes: Any,
    k: int = 1,
    *,
    key: pa.DataType,
    weights: ArrayLike | None = None,
    scheme: str | None = None,
    secret: bytes | None = None,
) -> datafusion.ScalarUDF:
    """Make ``name(key)`` a function of the context: the best `k` nodes of the key.

    Parameters
    ----------
    ctx : datafusion.SessionContext
    name : str
        What SQL calls it. Registering a name again replaces the function.
    nodes : sequence or array of str or bytes, shape (N,), or NodeSet
        Prepared here, once for all queries.
    k : int
        How many, from 1 to the number of nodes (of those with a weight above 0).
    key : pyarrow.DataType
        The type of the keys: a string, binary or integer type, or a dictionary of such.
        ``pa.uuid()`` for UUIDs, also for a column of their 16 bytes.
    weights, scheme, secret
        As for `rvh.NodeSet`; a NodeSet has its own.

    Returns
    -------
    datafusion.ScalarUDF
        The function, for expressions: ``node(col("key"))``. It returns Utf8, for k > 1
        FixedSizeList(k, Utf8) with the best node first; Binary instead of Utf8 where a node id is
        bytes. Null where the key is null.

    Raises
    ------
    RVHError, RVHTypeError
        As `rvh.NodeSet`, for ``k``, and for a ``key`` whose type has no bytes.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from datafusion import SessionContext, col
    >>> from rvh.integrations.datafusion import register
    >>> ctx = SessionContext()
    >>> node = register(ctx, "node", ["alpha", "beta"], key=pa.int64())
    >>> ctx.from_pydict({"id": [42, None]}).select(node(col("id")).alias("n")).to_pydict()
    {'n': ['beta', None]}
    """
    node_set, k = prepare(nodes, k, weights, scheme, secret)
    ids = id_array(node_set)
    if not isinstance(key, pa.DataType):
        raise RVHTypeError(
            f"key is {show(key)}: pass the type of the keys, for example pa.string() or pa.int64()"
        )
    select(node_set, ids, pa.array([], key), k)  # a type without bytes is an error now

    def function_of(keys: Any) -> Any:
        if isinstance(key, pa.BaseExtensionType) and keys.type != key:
            keys = pa.ExtensionArray.from_storage(key, keys)  # DataFusion knows the storage alone
        return select(node_set, ids, keys, k)

    function = datafusion.udf(
        function_of,
        [key],
        ids.type if k == 1 else pa.list_(ids.type, k),
        "immutable",
        name,
    )
    ctx.register_udf(function)
    return function
