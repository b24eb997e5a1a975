"""Polars: `with_node` for frames, `select` for expressions, in eager, lazy and streaming queries.

Importing this module also registers the namespace ``rvh`` on expressions and on Series.

>>> import polars as pl
>>> import rvh
>>> from rvh.integrations.polars import select, with_node
>>> nodes = rvh.NodeSet(["alpha", "beta", "gamma"])
>>> keys = pl.LazyFrame({"key": ["txn-42", None, "txn-41"]})
>>> with_node(keys, "key", nodes).collect()["node"].to_list()
['gamma', None, 'beta']
>>> keys.select(select("key", nodes)).collect()["key"].to_list()
['gamma', None, 'beta']
>>> keys.select(pl.col("key").rvh.select(nodes)).collect()["key"].to_list()
['gamma', None, 'beta']
>>> pl.Series("key", ["txn-42"]).rvh.select(nodes, k=2).to_list()
[['gamma', 'beta']]

Keys are String, Binary, any integer but the 128-bit ones, Categorical or Enum (worked out once for
each category), or a Struct of those: a composite key. Answers are String and not Enum, so that
those of two node sets can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from rvh.errors import RVHError, RVHTypeError, show
from rvh.integrations._common import check_names, missing, refuse_other
from rvh.integrations._placer import Placer

try:
    import polars as pl
except ImportError as error:
    raise missing("polars") from error

if TYPE_CHECKING:
    from typing import Unpack

    from rvh.integrations._placer import Nodes, Options

__all__ = ["ExprNamespace", "SeriesNamespace", "select", "with_node"]

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def with_node(
    frame: Frame,
    key: str | pl.Expr | Sequence[str | pl.Expr],
    nodes: Nodes,
    k: int = 1,
    column: str = "node",
    *,
    as_columns: bool = False,
    geohash: str | pl.Expr | None = None,
    threads: int | None = None,
    **options: Unpack[Options],
) -> Frame:
    """The frame with a column of the best `k` nodes of each key.

    Parameters
    ----------
    frame : polars.DataFrame or polars.LazyFrame
        A LazyFrame stays lazy; its schema is resolved here.
    key, nodes, k, geohash, threads
        As for `select`.
    column : str
        The name of the new column.
    as_columns : bool
        True for k columns of one node each, ``node_1`` to ``node_k`` (after `column`), in place of
        one column of arrays.
    **options
        As for `select`.

    Returns
    -------
    polars.DataFrame or polars.LazyFrame
        As `frame`. The types are those of `select`.

    Raises
    ------
    RVHError, RVHTypeError
        As `select`, before anything runs; a column of that name is there already.

    Examples
    --------
    >>> import polars as pl
    >>> from rvh.integrations.polars import with_node
    >>> frame = pl.DataFrame({"carrier": ["UA", "WN"], "flight": [7, None]})
    >>> with_node(frame, ["carrier", "flight"], ["a", "b", "c"], 2, as_columns=True).rows()
    [('UA', 7, 'c', 'a'), ('WN', None, None, None)]
    """
    refuse_other(frame, "frame", "polars")
    schema = frame.collect_schema()
    given = _parts("key", key)
    named = [name for name in given if isinstance(name, str)]
    place = geohash if isinstance(geohash, str) else None
    placer = _placer(given, nodes, k, geohash, options)
    new = check_names(schema.names(), named, place, column, placer.k, as_columns)
    if len(named) == len(given):  # keys that are not expressions have a type by now
        empty = [pl.Series(name, [], dtype=schema[name]) for name in named]
        none = None if geohash is None else pl.Series([], dtype=pl.String)
        _answer_of(placer, threads)[0](empty, none)
    if not as_columns:
        return frame.with_columns(_expression(placer, given, geohash, threads).alias(column))
    # By way of a struct, so that a key is placed once and not for each column.
    struct = _expression(placer, given, geohash, threads, new).alias("rvh: node")
    return frame.with_columns(struct).unnest("rvh: node")


@overload
def select(
    key: pl.Series | Sequence[pl.Series],
    nodes: Nodes,
    k: int = 1,
    *,
    geohash: pl.Series | None = None,
    threads: int | None = None,
    **options: Unpack[Options],
) -> pl.Series: ...


@overload
def select(
    key: str | pl.Expr | Sequence[str | pl.Expr],
    nodes: Nodes,
    k: int = 1,
    *,
    geohash: str | pl.Expr | None = None,
    threads: int | None = None,
    **options: Unpack[Options],
) -> pl.Expr: ...


def select(
    key: Any,
    nodes: Nodes,
    k: int = 1,
    *,
    geohash: Any = None,
    threads: int | None = None,
    **options: Unpack[Options],
) -> Any:
    """The best `k` nodes of every key, as an expression, or of a Series at once.

    Parameters
    ----------
    key : str, polars.Expr or polars.Series, or a sequence of these
        A column, by its name or as an expression, or a Series. Several are the parts of composite
        keys (`rvh.multi.compose_keys`), and so are the fields of a Struct; one alone is itself.
    nodes : node ids, NodeSet, or any other placement
        Ids are prepared here, once for all batches of all queries.
    k : int
        How many, from 1 to the number of nodes (of those with a weight above 0).
    geohash : str, polars.Expr or polars.Series, optional
        The place of each key, where `nodes` is a GeoSet.
    threads : int, optional
        As for `rvh.NodeSet.argselect_batch`.
    **options
        ``weights``, ``scheme`` and ``secret`` beside ids, as for `rvh.NodeSet`; ``spread``,
        ``max_per_domain`` and ``strict`` beside a FaultSet, as for its ``select_batch``.

    Returns
    -------
    polars.Expr, or for Series polars.Series
        Elementwise, under the name of the (first) key: String, for k > 1 Array(String, k) with the
        best node first; Binary instead of String where a node id is bytes. Null where the key, a
        part of it or its place is null.

    Raises
    ------
    RVHError, RVHTypeError
        Here, as the placement, for ``k``, and for an option that it does not have. When the query
        runs, as `rvh.select_arrow`, for a column whose type has no bytes.

    Examples
    --------
    >>> import polars as pl
    >>> from rvh.integrations.polars import select
    >>> frame = pl.DataFrame({"key": [42, None]})
    >>> frame.with_columns(node=select("key", ["alpha", "beta"]))["node"].to_list()
    ['beta', None]
    >>> select(frame["key"], ["alpha", "beta"], k=2).to_list()
    [['beta', 'alpha'], None]
    """
    keys = _parts("key", key)
    placer = _placer(keys, nodes, k, geohash, options)
    if all(isinstance(each, pl.Series) for each in keys):
        return _answer_of(placer, threads)[0](keys, geohash)
    return _expression(placer, keys, geohash, threads)


@pl.api.register_expr_namespace("rvh")
class ExprNamespace:
    """The namespace ``pl.col("key").rvh``."""

    def __init__(self, expr: pl.Expr) -> None:
        self._expr = expr

    def select(
        self,
        nodes: Nodes,
        k: int = 1,
        *,
        geohash: str | pl.Expr | None = None,
        threads: int | None = None,
        **options: Unpack[Options],
    ) -> pl.Expr:
        """The best `k` nodes of every key: `select` of this expression.

        Parameters
        ----------
        nodes, k, geohash, threads
            As for `select`.
        **options
            As for `select`.

        Returns
        -------
        polars.Expr

        Raises
        ------
        RVHError, RVHTypeError
            As `select`.

        Examples
        --------
        >>> import polars as pl
        >>> import rvh.integrations.polars
        >>> frame = pl.DataFrame({"key": [42, None]})
        >>> frame.select(pl.col("key").rvh.select(["alpha", "beta"], k=2))["key"].to_list()
        [['beta', 'alpha'], None]
        """
        return select(self._expr, nodes, k, geohash=geohash, threads=threads, **options)


@pl.api.register_series_namespace("rvh")
class SeriesNamespace:
    """The namespace ``series.rvh``."""

    def __init__(self, series: pl.Series) -> None:
        self._series = series

    def select(
        self,
        nodes: Nodes,
        k: int = 1,
        *,
        geohash: pl.Series | None = None,
        threads: int | None = None,
        **options: Unpack[Options],
    ) -> pl.Series:
        """The best `k` nodes of every key: `select` of this Series.

        Parameters
        ----------
        nodes, k, geohash, threads
            As for `select`.
        **options
            As for `select`.

        Returns
        -------
        polars.Series
            Of the same name.

        Raises
        ------
        RVHError, RVHTypeError
            As `select`, all of it here.

        Examples
        --------
        >>> import polars as pl
        >>> import rvh.integrations.polars
        >>> pl.Series("key", ["txn-42", None]).rvh.select(["alpha", "beta"]).to_list()
        ['beta', None]
        """
        return select(self._series, nodes, k, geohash=geohash, threads=threads, **options)


Answer = Callable[[list[pl.Series], pl.Series | None], pl.Series]


def _parts(role: str, value: Any) -> list[Any]:
    """Columns by name, expressions and Series: one, or a list of several."""
    parts = list(value) if isinstance(value, (list, tuple)) else [value]
    for part in parts:
        if not isinstance(part, (str, pl.Expr, pl.Series)):
            refuse_other(part, role, "polars")
            raise RVHTypeError(
                f"{role} is {show(part)}: pass the name of a column, an expression or a Series"
            )
    return parts


def _placer(keys: list[Any], nodes: Any, k: int, geohash: Any, options: Options) -> Placer:
    if not keys:
        raise RVHError("key is empty: pass at least one column")
    if geohash is not None:
        _parts("geohash", [geohash])
    placer = Placer(nodes, k, options)
    placer.check_columns(len(keys), geohash)
    return placer


def _expression(
    placer: Placer,
    keys: list[Any],
    geohash: Any,
    threads: int | None,
    fields: Sequence[str] = (),
) -> pl.Expr:
    """The expression of the answers to keys; of structs of them, where `fields` names the ranks."""
    answer, dtype = _answer_of(placer, threads, fields)
    parts = keys if geohash is None else [*keys, geohash]
    exprs = [pl.col(part) if isinstance(part, str) else part for part in parts]
    if len(exprs) == 1:
        return exprs[0].map_batches(
            lambda series: answer([series], None), return_dtype=dtype, is_elementwise=True
        )
    if geohash is not None:
        exprs[-1] = exprs[-1].alias("rvh: geohash")  # fields of a struct have names of their own

    def of_struct(series: pl.Series) -> pl.Series:
        columns = series.struct.unnest().get_columns()
        place = None if geohash is None else columns.pop()
        return answer(columns, place).alias(series.name)

    # A struct, so that Polars brings literals to the length of the columns.
    return pl.struct(exprs).map_batches(of_struct, return_dtype=dtype, is_elementwise=True)


def _answer_of(
    placer: Placer, threads: int | None, fields: Sequence[str] = ()
) -> tuple[Answer, pl.DataType]:
    """The function from the parts of keys and their places to answers, and the type of these."""
    ids = pl.Series(placer.names)
    dtype: pl.DataType = ids.dtype if placer.k == 1 else pl.Array(ids.dtype, placer.k)
    if fields:
        dtype = pl.Struct(dict.fromkeys(fields, ids.dtype))
    null = pl.Series([None], dtype=dtype)
    no_id = pl.Series([None], dtype=ids.dtype)

    def answer(keys: list[pl.Series], geohash: pl.Series | None) -> pl.Series:
        name = keys[0].name
        if len(keys) == 1 and isinstance(keys[0].dtype, pl.Struct):
            keys = [part.alias(f"{name}.{part.name}") for part in keys[0].struct.unnest()]
        for part in keys:
            if part.dtype == pl.Object:  # its Arrow form is addresses, which would pass for keys
                raise RVHTypeError(
                    f"column {show(part.name)} has the dtype Object, whose values Polars keeps to "
                    "itself: cast the keys to String, Binary or an integer type first"
                )
        columns = {part.name: part for part in keys}
        if len(columns) < len(keys):
            raise RVHError(f"two parts of the key are named {show(name)}: rename one")
        places = placer.places(columns, geohash, threads)
        if fields:  # null in each field: not every Polars hands the null of a struct down
            ranks = [ids.gather(pl.Series(places.indices[:, rank])) for rank in range(placer.k)]
            if places.valid is not None:
                ranks = [rank.zip_with(pl.Series(places.valid), no_id) for rank in ranks]
            named = [rank.alias(field) for rank, field in zip(ranks, fields, strict=True)]
            return pl.DataFrame(named).to_struct(name)
        chosen = ids.gather(pl.Series(places.indices.ravel()))
        if placer.k > 1:
            chosen = chosen.reshape((len(places.indices), placer.k))
        if places.valid is not None:
            chosen = chosen.zip_with(pl.Series(places.valid), null)
        return chosen.alias(name)

    return answer, dtype
