"""A column of nodes in a Ray dataset: ``pip install 'rvh[ray]'``.

    import ray
    from rvh.integrations.ray import with_node

    ds = ray.data.from_items([{"user": "ann"}, {"user": "bob"}, {"user": None}])
    with_node(ds, "user", ["cache-a", "cache-b", "cache-c"]).to_pandas()
    #    user     node
    # 0   ann  cache-c
    # 1   bob  cache-a
    # 2  None     None

The placement is put into Ray's object store once, from where each machine fetches it once, and is
prepared once in each worker process. Every worker needs the rvh of the driver: on an older one, or
one that would place keys otherwise, the job fails with an RVHError.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rvh.integrations._common import check_names, key_names, missing, refuse_other
from rvh.integrations._placer import Placer, dumps, loads

try:
    import pyarrow as pa  # type: ignore[import-untyped]
    import ray
    import ray.data
except ImportError as error:
    raise missing("ray") from error

from rvh.integrations._arrow import answer_of_columns, new_columns

if TYPE_CHECKING:
    from typing import Unpack

    from rvh.integrations._placer import Nodes, Options

__all__ = ["with_node"]


def with_node(
    ds: ray.data.Dataset,
    key: str | Sequence[str],
    nodes: Nodes,
    k: int = 1,
    column: str = "node",
    *,
    as_columns: bool = False,
    geohash: str | None = None,
    **options: Unpack[Options],
) -> ray.data.Dataset:
    """The dataset with a column of the best `k` nodes of each key.

    Parameters
    ----------
    ds : ray.data.Dataset
    key : str, or list of str
        The column of keys: text, bytes, integers, or a dictionary of those; or several columns (or
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
    ray.data.Dataset
        `column` is string, or for k > 1 list<string>, best first; binary instead of string where
        the ids are bytes. Null where a column of the key or the place is null.

    Raises
    ------
    RVHError, RVHTypeError
        ``k`` out of range, an option that the placement does not have; and where Ray knows the
        schema, before anything runs, else from the first task: there is no column `key`, or a
        column `column` already; keys of a type without bytes (float, bool, dates).

    Notes
    -----
    A block is placed by one thread, since Ray runs a task on each core.

    Examples
    --------
    >>> from rvh.integrations.ray import with_node
    >>> ds = with_node(ds, "user", ["a", "b", "c"], k=2, scheme="murmur")  # doctest: +SKIP
    """
    refuse_other(ds, "ds", "ray")
    names = key_names(key)
    placer = Placer(nodes, k, options)
    placer.check_columns(len(names), geohash)
    arguments = (names, geohash, column, as_columns)
    schema = ds.schema(fetch_if_missing=False)
    if schema is not None:
        types = dict(zip(schema.names, schema.types, strict=True))
        check_names(types, names, geohash, column, placer.k, as_columns)
        needed = {name: types[name] for name in types if name in (*names, geohash)}
        # Not so where a block holds Python objects.
        if all(isinstance(kind, pa.DataType) for kind in needed.values()):
            _place(pa.schema(needed).empty_table(), placer, *arguments)
    # Bytes until a task reads them: where Ray itself fails to unpickle an object it tries again for
    # ever, but an error in a task ends the job.
    sent = ray.put(dumps(placer))
    return ds.map_batches(
        _with_node,
        batch_format="pyarrow",
        batch_size=None,  # blocks as they are
        fn_args=(sent, *arguments),
    )


def _with_node(
    block: pa.Table,
    sent: ray.ObjectRef[bytes],
    names: list[str],
    geohash: str | None,
    column: str,
    as_columns: bool,
) -> pa.Table:
    return _place(block, loads(ray.get(sent)), names, geohash, column, as_columns)


def _place(
    block: pa.Table,
    placer: Placer,
    names: list[str],
    geohash: str | None,
    column: str,
    as_columns: bool,
) -> pa.Table:
    new = check_names(block.column_names, names, geohash, column, placer.k, as_columns)
    place = None if geohash is None else block[geohash]
    answer = answer_of_columns(placer, names, [block[name] for name in names], place)
    for name, values in new_columns(placer, new, answer, as_columns).items():
        block = block.append_column(name, values)
    return block
