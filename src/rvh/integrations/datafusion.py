"""DataFusion: `with_node` for data frames, `register` for a function of SQL.

>>> import pyarrow as pa
>>> from datafusion import SessionContext
>>> import rvh
>>> from rvh.integrations.datafusion import register, with_node
>>> ctx = SessionContext()
>>> nodes = rvh.NodeSet(["alpha", "beta", "gamma"])
>>> with_node(ctx.from_pydict({"key": ["txn-42", None]}), "key", nodes).to_pydict()["node"]
['gamma', None]
>>> node = register(ctx, "node", nodes, key=pa.string())
>>> ctx.sql("SELECT node('txn-42') a, node(NULL) b").to_pylist()
[{'a': 'gamma', 'b': None}]

``key`` is the type that keys have, which `with_node` takes from the column. DataFusion casts what
a function is given to that type by its own rules before the function sees it, and it casts anything
to text: a function for text that is given the integer 42 answers for '42', which is another key. So
integers need a function of their own, ``key=pa.int64()`` (which refuses text), and a column's own
type is best: ``key=df.schema().field("user_id").type``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rvh.errors import RVHTypeError, show
from rvh.integrations._common import check_names, key_names, missing, refuse_other
from rvh.integrations._placer import Placer

try:
    import datafusion
except ImportError as error:
    raise missing("datafusion") from error

import pyarrow as pa  # type: ignore[import-untyped]  # DataFusion needs it

from rvh.integrations._arrow import (
    answer_of_arguments,
    answer_of_columns,
    id_array,
    nodes_of,
    null_mask,
)

if TYPE_CHECKING:
    from typing import Unpack

    from rvh.integrations._placer import Nodes, Options, Places

__all__ = ["register", "with_node"]


def with_node(
    df: datafusion.DataFrame,
    key: str | Sequence[str],
    nodes: Nodes,
    k: int = 1,
    column: str = "node",
    *,
    as_columns: bool = False,
    geohash: str | None = None,
    **options: Unpack[Options],
) -> datafusion.DataFrame:
    """The DataFrame with a column of the best `k` nodes of each key.

    Parameters
    ----------
    df : datafusion.DataFrame
    key : str, or list of str
        The column of keys, or several that make a composite key; the keys of a struct are
        composite too.
    nodes, k
        As for `register`.
    column : str
        The name of the new column.
    as_columns : bool
        True for k columns of one node each, ``node_1`` to ``node_k`` (after `column`), in place of
        one column of lists.
    geohash : str, optional
        The column of places, where `nodes` is a GeoSet.
    **options
        As for `register`.

    Returns
    -------
    datafusion.DataFrame
        The types are those of `register`.

    Raises
    ------
    RVHError, RVHTypeError
        As `register`; there is no such key column, or a column of the new name already.

    Examples
    --------
    >>> from datafusion import SessionContext
    >>> from rvh.integrations.datafusion import with_node
    >>> df = SessionContext().from_pydict({"carrier": ["UA", None], "flight": [7, 8]})
    >>> with_node(df, ["carrier", "flight"], ["alpha", "beta"]).to_pydict()["node"]
    ['alpha', None]
    """
    refuse_other(df, "df", "datafusion")
    names = key_names(key)
    placer = Placer(nodes, k, options)
    schema = df.schema()
    new = check_names(schema.names, names, geohash, column, placer.k, as_columns)
    placer.check_columns(len(names), geohash)
    arguments = [*names] if geohash is None else [*names, geohash]
    kinds = [schema.field(name).type for name in arguments]
    empty = [pa.array([], kind) for kind in kinds]
    place = None if geohash is None else empty.pop()
    answer_of_columns(placer, names, empty, place)  # an error about a type names its column
    function = _function(placer, "node", kinds)
    # In double quotes a name is itself: not folded to lower case, and a dot in it no path.
    columns = [datafusion.col('"' + name.replace('"', '""') + '"') for name in arguments]
    answer = function(*columns)
    if not as_columns or placer.k == 1:
        return df.with_column(new[0], answer)
    df = df.with_column("rvh: node", answer)
    node = datafusion.col('"rvh: node"')
    for rank, name in enumerate(new, start=1):
        df = df.with_column(name, datafusion.functions.array_element(node, datafusion.lit(rank)))
    return df.drop("rvh: node")


def register(
    ctx: datafusion.SessionContext,
    name: str,
    nodes: Nodes,
    k: int = 1,
    *,
    key: pa.DataType | Sequence[pa.DataType],
    **options: Unpack[Options],
) -> datafusion.ScalarUDF:
    """Make ``name(key)`` a function of the context: the best `k` nodes of the key.

    Parameters
    ----------
    ctx : datafusion.SessionContext
    name : str
        What SQL calls it. Registering a name again replaces the function.
    nodes : node ids, NodeSet, or any other placement
        Ids are prepared here, once for all queries. Of a GeoSet the function takes the place of
        the key, a Utf8, as its last argument: ``near(key, geohash)``.
    k : int
        How many, from 1 to the number of nodes (of those with a weight above 0).
    key : pyarrow.DataType, or sequence of these
        The type of the keys: a string, binary or integer type, or a dictionary of such.
        ``pa.uuid()`` for UUIDs, also for a column of their 16 bytes. Several types, or a struct,
        for composite keys: ``node(carrier, flight)`` with ``key=[pa.string(), pa.int64()]``.
    **options
        ``weights``, ``scheme`` and ``secret`` beside ids, as for `rvh.NodeSet`; ``spread``,
        ``max_per_domain`` and ``strict`` beside a FaultSet, as for its ``select_batch``.

    Returns
    -------
    datafusion.ScalarUDF
        The function, for expressions: ``node(col("key"))``. It returns Utf8, for k > 1
        FixedSizeList(k, Utf8) with the best node first; Binary instead of Utf8 where a node id is
        bytes. Null where an argument or a field of a struct is null.

    Raises
    ------
    RVHError, RVHTypeError
        As the placement, for ``k``, for an option that it does not have, and for a ``key`` whose
        type has no bytes.

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
    placer = Placer(nodes, k, options)
    kinds = [key] if isinstance(key, pa.DataType) else key
    if not isinstance(kinds, (list, tuple)) or not all(isinstance(t, pa.DataType) for t in kinds):
        raise RVHTypeError(
            f"key is {show(key)}: pass the type of the keys, for example pa.string() or "
            "pa.int64(), or a list of types for composite keys"
        )
    if placer.needs_geohash:
        kinds = [*kinds, pa.string()]
    function = _function(placer, name, kinds)
    ctx.register_udf(function)
    return function


def _function(placer: Placer, name: str, kinds: Sequence[pa.DataType]) -> datafusion.ScalarUDF:
    ids = id_array(placer)
    none = [pa.array([], kind) for kind in kinds]
    _written(answer_of_arguments(placer, none), ids)  # a type without bytes is an error now

    def function_of(*arguments: Any) -> Any:
        typed = [
            # DataFusion knows the storage alone.
            pa.ExtensionArray.from_storage(kind, each)
            if isinstance(kind, pa.BaseExtensionType) and each.type != kind
            else each
            for kind, each in zip(kinds, arguments, strict=True)
        ]
        return _written(answer_of_arguments(placer, typed), ids)

    kind = ids.type if placer.k == 1 else pa.list_(ids.type, placer.k)
    return datafusion.udf(function_of, list(kinds), kind, "immutable", name)


def _written(answer: Places, ids: Any) -> Any:
    """The nodes of keys; for k > 1 as lists of a fixed size."""
    k = answer.indices.shape[1]
    if k == 1:
        return nodes_of(answer, ids)
    nulls = null_mask(answer)
    # Null within too: up to DataFusion 45, an element of a null list is what its place holds.
    within = None if nulls is None else np.repeat(nulls, k)
    return pa.FixedSizeListArray.from_arrays(
        ids.take(pa.array(answer.indices.ravel(), mask=within)),
        k,
        mask=None if nulls is None else pa.array(nulls),
    )
