"""Polars: ``pl.col("key").rvh.select(nodes)``, in eager, lazy and streaming queries.

Importing this module registers the namespace ``rvh`` on expressions and on Series.

>>> import polars as pl
>>> import rvh, rvh.integrations.polars
>>> nodes = rvh.NodeSet(["alpha", "beta", "gamma"])
>>> keys = pl.LazyFrame({"key": ["txn-42", None, "txn-41"]})
>>> keys.with_columns(node=pl.col("key").rvh.select(nodes)).collect()["node"].to_list()
['gamma', None, 'beta']
>>> pl.Series("key", ["txn-42"]).rvh.select(nodes, k=2).to_list()
[['gamma', 'beta']]

Keys are String, Binary, any integer but the 128-bit ones, Categorical or Enum (worked out once for
each category). Answers are String and not Enum, so that those of two node sets can be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike

from rvh.errors import RVHTypeError, show
from rvh.integrations._common import column_ids, missing, prepare

try:
    import polars as pl
except ImportError as error:
    raise missing("polars") from error

__all__ = ["ExprNamespace", "SeriesNamespace"]


@pl.api.register_expr_namespace("rvh")
class ExprNamespace:
    """The namespace ``pl.col("key").rvh``."""

    def __init__(self, expr: pl.Expr) -> None:
        self._expr = expr

    def select(
        self,
        nodes: Any,
        k: int = 1,
        *,
        weights: ArrayLike | None = None,
        scheme: str | None = None,
        secret: bytes | None = None,
        threads: int | None = None,
    ) -> pl.Expr:
        """The best `k` nodes of every key.

        Parameters
        ----------
        nodes : sequence or array of str or bytes, shape (N,), or NodeSet
            Prepared here, once for all batches of all queries.
        k : int
            How many, from 1 to the number of nodes (of those with a weight above 0).
        weights, scheme, secret
            As for `rvh.NodeSet`; a NodeSet has its own.
        threads : int, optional
            As for `rvh.NodeSet.argselect_batch`.

        Returns
        -------
        polars.Expr
            Elementwise: String, for k > 1 Array(String, k) with the best node first; Binary
            instead of String where a node id is bytes. Null where the key is null.

        Raises
        ------
        RVHError, RVHTypeError
            Here, as `rvh.NodeSet` and for ``k``. When the query runs, as `rvh.select_arrow`, for
            a column whose type has no bytes.

        Examples
        --------
        >>> import polars as pl
        >>> import rvh.integrations.polars
        >>> frame = pl.DataFrame({"key": [42, None]})
        >>> frame.select(pl.col("key").rvh.select(["alpha", "beta"], k=2))["key"].to_list()
        [['beta', 'alpha'], None]
        """
        answer, dtype = _selector(nodes, k, weights, scheme, secret, threads)
        return self._expr.map_batches(answer, return_dtype=dtype, is_elementwise=True)


@pl.api.register_series_namespace("rvh")
class SeriesNamespace:
    """The namespace ``series.rvh``."""

    def __init__(self, series: pl.Series) -> None:
        self._series = series

    def select(
        self,
        nodes: Any,
        k: int = 1,
        *,
        weights: ArrayLike | None = None,
        scheme: str | None = None,
        secret: bytes | None = None,
        threads: int | None = None,
    ) -> pl.Series:
        """The best `k` nodes of every key.

        Parameters
        ----------
        nodes, k, weights, scheme, secret, threads
            As for `ExprNamespace.select`.

        Returns
        -------
        polars.Series
            Of the same name, with the types of `ExprNamespace.select`.

        Raises
        ------
        RVHError, RVHTypeError
            As `ExprNamespace.select`, all of it here.

        Examples
        --------
        >>> import polars as pl
        >>> import rvh.integrations.polars
        >>> pl.Series("key", ["txn-42", None]).rvh.select(["alpha", "beta"]).to_list()
        ['beta', None]
        """
        answer, _ = _selector(nodes, k, weights, scheme, secret, threads)
        return answer(self._series)


def _selector(
    nodes: Any,
    k: int,
    weights: ArrayLike | None,
    scheme: str | None,
    secret: bytes | None,
    threads: int | None,
) -> tuple[Callable[[pl.Series], pl.Series], pl.DataType]:
    """The function from keys to answers, and the type of these."""
    node_set, k = prepare(nodes, k, weights, scheme, secret)
    ids = pl.Series(column_ids(node_set))
    dtype = ids.dtype if k == 1 else pl.Array(ids.dtype, k)
    null = pl.Series([None], dtype=dtype)

    def answer(keys: pl.Series) -> pl.Series:
        if keys.dtype == pl.Object:  # its Arrow form is addresses, which would pass for keys
            raise RVHTypeError(
                f"column {show(keys.name)} has the dtype Object, whose values Polars keeps to "
                "itself: cast the keys to String, Binary or an integer type first"
            )
        selected = node_set.select_arrow(keys, k, threads=threads)
        chosen = ids.gather(pl.Series(selected.indices.ravel()))
        if k > 1:
            chosen = chosen.reshape((len(selected), k))
        if selected.valid is not None:
            chosen = chosen.zip_with(pl.Series(selected.valid), null)
        return chosen.alias(keys.name)

    return answer, dtype
