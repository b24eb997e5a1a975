"""pandas: ``series.rvh.select(nodes)``.

Importing this module registers the accessor ``rvh`` on Series.

>>> import pandas as pd
>>> import rvh, rvh.integrations.pandas
>>> nodes = rvh.NodeSet(["alpha", "beta", "gamma"])
>>> frame = pd.DataFrame({"key": ["txn-42", None, "txn-41"]}, index=[10, 20, 30])
>>> frame["node"] = frame["key"].rvh.select(nodes)
>>> frame["node"].dropna().to_dict()
{10: 'gamma', 30: 'beta'}
>>> frame["key"].dropna().rvh.select(nodes, k=2).loc[30].tolist()
['beta', 'gamma']

Keys are str, bytes or integers of any dtype: ``str``, ``string``, object, ``int64``, ``Int64``,
Arrow-backed, and categorical (worked out once for each category). pyarrow is not needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvh._columns.values import READ_INTEGERS
from rvh.errors import RVHTypeError, show
from rvh.integrations._common import column_ids, missing, prepare
from rvh.nodes import NodeSet

try:
    import pandas as pd
except ImportError as error:
    raise missing("pandas") from error

__all__ = ["SeriesAccessor"]


@pd.api.extensions.register_series_accessor("rvh")
class SeriesAccessor:
    """The accessor ``series.rvh``."""

    def __init__(self, series: Any) -> None:
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
    ) -> Any:
        """The best `k` nodes of every key.

        Parameters
        ----------
        nodes : sequence or array of str or bytes, shape (N,), or NodeSet
        k : int
            How many, from 1 to the number of nodes (of those with a weight above 0).
        weights, scheme, secret
            As for `rvh.NodeSet`; a NodeSet has its own.
        threads : int, optional
            As for `rvh.NodeSet.argselect_batch`.

        Returns
        -------
        pandas.Series, or for k > 1 pandas.DataFrame
            With the index of the keys. The Series has their name and the dtype ``str`` (object
            where a node id is bytes); the DataFrame such columns, 0 to k - 1, best first. Missing
            where the key is missing.

        Raises
        ------
        RVHError, RVHTypeError
            As `rvh.NodeSet` and `rvh.select_arrow`. Floats are an error: pandas makes them of
            integers with missing values, unless they are read as ``Int64``; a cast afterwards
            does not bring back the digits of ids beyond 2^53.

        Examples
        --------
        >>> import pandas as pd
        >>> import rvh.integrations.pandas
        >>> keys = pd.Series([42, None], dtype="Int64")
        >>> keys.rvh.select(["alpha", "beta"]).isna().tolist()
        [False, True]
        """
        node_set, k = prepare(nodes, k, weights, scheme, secret)
        series = self._series
        places = _places(series, node_set, k, threads)
        ids = column_ids(node_set)
        # NaN for missing: what pandas 3 calls str
        text = pd.StringDtype(na_value=np.nan) if isinstance(ids[0], str) else object
        names = pd.array(ids, dtype=text)
        columns = [names.take(places[:, rank], allow_fill=True) for rank in range(k)]
        if k == 1:
            return pd.Series(columns[0], index=series.index, name=series.name)
        return pd.DataFrame(dict(enumerate(columns)), index=series.index)


def _places(series: Any, node_set: NodeSet, k: int, threads: int | None) -> NDArray[np.int32]:
    """Positions in the node set, shape (M, k); -1 where the key is missing."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        if len(series.cat.categories) > len(series):
            series = series.cat.remove_unused_categories()
        each = _places(series.cat.categories.to_series(), node_set, k, threads)
        # The code of a missing value is -1, so it finds the last row.
        table = np.vstack([each, np.full((1, k), -1, dtype=np.int32)])
        codes: NDArray[np.int64] = series.cat.codes.to_numpy()
        return table.take(codes, axis=0)
    absent = series.isna().to_numpy()
    if absent.all():  # also of dtype float64, which pandas gives a column without any value
        return np.full((len(series), k), -1, dtype=np.int32)
    if pd.api.types.is_float_dtype(series.dtype):
        raise RVHTypeError(
            f"series {show(series.name)} has the dtype {series.dtype}, which has no bytes of its "
            f'own in rvh: {READ_INTEGERS}, for example as "Int64", which has missing values too; '
            ".astype(str) for text"
        )
    places = node_set.select_arrow(_keys(series, absent), k, threads=threads).indices
    return np.where(absent[:, np.newaxis], np.int32(-1), places) if absent.any() else places


def _keys(series: Any, absent: NDArray[np.bool_]) -> Any:
    """The keys as `rvh.select_arrow` takes them, missing ones masked."""
    dtype = series.dtype
    if isinstance(dtype, pd.ArrowDtype) or getattr(dtype, "storage", "") == "pyarrow":
        return series.array.__arrow_array__()  # pandas 2 exports no Series
    if not absent.any():
        return series.to_numpy()
    if pd.api.types.is_integer_dtype(dtype):  # Int64 and its like; without this, objects
        values = series.to_numpy(dtype=dtype.numpy_dtype, na_value=0)
    else:
        values = series.to_numpy()
    return np.ma.array(values, mask=absent)
