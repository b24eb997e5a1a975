"""pandas: `select` for a Series, `with_node` for a DataFrame.

Importing this module also registers the accessor ``rvh`` on Series and on DataFrames.

>>> import pandas as pd
>>> import rvh
>>> from rvh.integrations.pandas import select, with_node
>>> nodes = rvh.NodeSet(["alpha", "beta", "gamma"])
>>> frame = pd.DataFrame({"key": ["txn-42", None, "txn-41"]}, index=[10, 20, 30])
>>> with_node(frame, "key", nodes)["node"].dropna().to_dict()
{10: 'gamma', 30: 'beta'}
>>> frame["node"] = select(frame["key"], nodes)
>>> frame["node"] = frame["key"].rvh.select(nodes)
>>> frame["key"].dropna().rvh.select(nodes, k=2).loc[30].to_dict()
{'node_1': 'beta', 'node_2': 'gamma'}

Keys are str, bytes or integers of any dtype: ``str``, ``string``, object, ``int64``, ``Int64``,
Arrow-backed, and categorical (worked out once for each category). Several columns make a composite
key. pyarrow is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from rvh._columns.values import READ_INTEGERS
from rvh.errors import RVHError, RVHTypeError, show
from rvh.integrations._common import (
    check_names,
    key_names,
    missing,
    rank_names,
    refuse_other,
)
from rvh.integrations._placer import Placer

try:
    import pandas as pd
except ImportError as error:
    raise missing("pandas") from error

if TYPE_CHECKING:
    from typing import Unpack

    from rvh.integrations._placer import Nodes, Options

__all__ = ["FrameAccessor", "SeriesAccessor", "select", "with_node"]


def with_node(
    frame: pd.DataFrame,
    key: str | Sequence[str],
    nodes: Nodes,
    k: int = 1,
    column: str = "node",
    *,
    as_columns: bool = False,
    geohash: str | None = None,
    threads: int | None = None,
    **options: Unpack[Options],
) -> pd.DataFrame:
    """The DataFrame with a column of the best `k` nodes of each key.

    Parameters
    ----------
    frame : pandas.DataFrame
        It is not changed.
    key : str, or list of str
        The column of keys, or several that make a composite key.
    nodes, k, threads
        As for `select`.
    column : str
        The name of the new column.
    as_columns : bool
        True for k columns of one node each, ``node_1`` to ``node_k`` (after `column`), in place of
        one column of lists.
    geohash : str, optional
        The column of places, where `nodes` is a GeoSet.
    **options
        As for `select`.

    Returns
    -------
    pandas.DataFrame
        `column` has the dtype ``str`` (object where a node id is bytes), for k > 1 object, of
        lists, best first. Missing where a column of the key or the place is missing.

    Raises
    ------
    RVHError, RVHTypeError
        As `select`; there is no such key column, or a column of the new name already.

    Examples
    --------
    >>> import pandas as pd
    >>> from rvh.integrations.pandas import with_node
    >>> frame = pd.DataFrame({"carrier": ["UA", "WN"], "flight": [7, 8]})
    >>> with_node(frame, ["carrier", "flight"], ["a", "b", "c"], 2, as_columns=True)
      carrier  flight node_1 node_2
    0      UA       7      c      a
    1      WN       8      c      a
    """
    refuse_other(frame, "frame", "pandas")
    names = key_names(key)
    placer = Placer(nodes, k, options)
    new = check_names(frame.columns, names, geohash, column, placer.k, as_columns)
    placer.check_columns(len(names), geohash)
    keys = {name: frame[name] for name in names}
    places = _places(placer, keys, None if geohash is None else frame[geohash], threads)
    ids = _id_array(placer)
    if as_columns or placer.k == 1:
        columns = (ids.take(places[:, rank], allow_fill=True) for rank in range(placer.k))
        return frame.assign(**dict(zip(new, columns, strict=True)))
    lists = np.empty(len(frame), dtype=object)
    present = places[:, 0] >= 0
    rows = placer.ids.take(places[present]).tolist()
    lists[present] = np.fromiter(rows, dtype=object, count=len(rows))
    return frame.assign(**{column: lists})


@overload
def select(
    key: pd.Series | pd.DataFrame | Sequence[pd.Series],
    nodes: Nodes,
    k: Literal[1] = 1,
    *,
    geohash: Any = None,
    threads: int | None = None,
    **options: Unpack[Options],
) -> pd.Series: ...


@overload
def select(
    key: pd.Series | pd.DataFrame | Sequence[pd.Series],
    nodes: Nodes,
    k: int,
    *,
    geohash: Any = None,
    threads: int | None = None,
    **options: Unpack[Options],
) -> pd.Series | pd.DataFrame: ...


def select(
    key: Any,
    nodes: Nodes,
    k: int = 1,
    *,
    geohash: Any = None,
    threads: int | None = None,
    **options: Unpack[Options],
) -> Any:
    """The best `k` nodes of every key.

    Parameters
    ----------
    key : pandas.Series, pandas.DataFrame, or sequence of Series
        Keys; the columns of a DataFrame, and several Series, are the parts of composite keys
        (`rvh.multi.compose_keys`), one alone is itself.
    nodes : node ids, NodeSet, or any other placement
    k : int
        How many, from 1 to the number of nodes (of those with a weight above 0).
    geohash : pandas.Series or array, optional
        The place of each key, where `nodes` is a GeoSet.
    threads : int, optional
        As for `rvh.NodeSet.argselect_batch`.
    **options
        ``weights``, ``scheme`` and ``secret`` beside ids, as for `rvh.NodeSet`; ``spread``,
        ``max_per_domain`` and ``strict`` beside a FaultSet, as for its ``select_batch``.

    Returns
    -------
    pandas.Series, or for k > 1 pandas.DataFrame
        With the index of the keys. The Series has the name of the (first) key and the dtype
        ``str`` (object where a node id is bytes); the DataFrame such columns, ``node_1`` to
        ``node_k``, best first. Missing where the key, a part of it or its place is missing.

    Raises
    ------
    RVHError, RVHTypeError
        As the placement, and as `rvh.select_arrow` for keys; an option that the placement does not
        have; Series of different indexes. Floats are an error: pandas makes them of integers with
        missing values, unless they are read as ``Int64``; a cast afterwards does not bring back
        the digits of ids beyond 2^53.

    Examples
    --------
    >>> import pandas as pd
    >>> from rvh.integrations.pandas import select
    >>> select(pd.Series(["y", "z"], name="key"), ["alpha", "beta"]).tolist()
    ['alpha', 'beta']
    >>> frame = pd.DataFrame({"carrier": ["UA", "WN"], "flight": [7, 8]})
    >>> select(frame, ["alpha", "beta"]).tolist()
    ['alpha', 'beta']
    """
    keys = _named(key)
    placer = Placer(nodes, k, options)
    placer.check_columns(len(keys), geohash)
    first = next(iter(keys.values()))
    for series in (*keys.values(), geohash):
        if isinstance(series, pd.Series) and not series.index.equals(first.index):
            raise RVHError(
                "the columns have different indexes, so their rows do not belong together: pass "
                "columns of one DataFrame"
            )
    places = _places(placer, keys, geohash, threads)
    ids = _id_array(placer)
    columns = [ids.take(places[:, rank], allow_fill=True) for rank in range(placer.k)]
    if placer.k == 1:
        return pd.Series(columns[0], index=first.index, name=first.name)
    named = dict(zip(rank_names("node", placer.k), columns, strict=True))
    return pd.DataFrame(named, index=first.index)


class _Accessor:
    """The common part of the accessors of Series and DataFrames."""

    def __init__(self, keys: Any) -> None:
        self._keys = keys

    def select(
        self,
        nodes: Nodes,
        k: int = 1,
        *,
        geohash: Any = None,
        threads: int | None = None,
        **options: Unpack[Options],
    ) -> Any:
        """The best `k` nodes of every key: `select` of the Series, or of all columns together.

        Parameters
        ----------
        nodes, k, geohash, threads
            As for `select`.
        **options
            As for `select`.

        Returns
        -------
        pandas.Series, or for k > 1 pandas.DataFrame

        Raises
        ------
        RVHError, RVHTypeError
            As `select`.

        Examples
        --------
        >>> import pandas as pd
        >>> import rvh.integrations.pandas
        >>> keys = pd.Series([42, None], dtype="Int64")
        >>> keys.rvh.select(["alpha", "beta"]).isna().tolist()
        [False, True]
        """
        return select(self._keys, nodes, k, geohash=geohash, threads=threads, **options)


@pd.api.extensions.register_series_accessor("rvh")
class SeriesAccessor(_Accessor):
    """The accessor ``series.rvh``."""


@pd.api.extensions.register_dataframe_accessor("rvh")
class FrameAccessor(_Accessor):
    """The accessor ``frame[["carrier", "flight"]].rvh``: composite keys of all its columns."""


def _named(key: Any) -> dict[Any, pd.Series]:
    """The Series of the parts of a key, by name."""
    if isinstance(key, pd.Series):
        return {key.name: key}
    if isinstance(key, pd.DataFrame):
        parts = [key.iloc[:, at] for at in range(key.shape[1])]
    elif isinstance(key, (list, tuple)) and all(isinstance(part, pd.Series) for part in key):
        parts = list(key)
    else:
        if hasattr(key, "dtype"):
            refuse_other(key, "key", "pandas")
        raise RVHTypeError(
            f"key is a {type(key).__name__}: pass a Series, or a DataFrame of the columns that "
            'make the key, for example frame[["carrier", "flight"]]'
        )
    if not parts:
        raise RVHError("key has no columns: pass at least one")
    named = {part.name: part for part in parts}
    if len(named) < len(parts):
        raise RVHError(f"key has two columns of one name, among {show(list(named))}: rename one")
    return named


def _id_array(placer: Placer) -> Any:
    """The ids in an array of pandas, which has missing values."""
    names = placer.names
    # NaN for missing: what pandas 3 calls str
    text = pd.StringDtype(na_value=np.nan) if isinstance(names[0], str) else object
    return pd.array(names, dtype=text)


def _places(
    placer: Placer, keys: Mapping[Any, pd.Series], geohash: Any, threads: int | None
) -> NDArray[np.int32]:
    """Positions in the ids, shape (M, k); -1 where the key is missing."""
    if len(keys) == 1:
        ((name, series),) = keys.items()
        if isinstance(series.dtype, pd.CategoricalDtype) and geohash is None:
            return _places_of_categories(placer, series, threads)
        columns = _parts(series)
        if columns is None:  # also of dtype float64, which pandas gives a column without any value
            return np.full((len(series), placer.k), -1, dtype=np.int32)
    else:
        columns = {}
        for name, series in keys.items():
            columns[name] = _column(series, [None] * len(series))
    if isinstance(geohash, pd.Series):
        geohash = _column(geohash, [None] * len(geohash))
    answer = placer.places(columns, geohash, threads)
    if answer.valid is None:
        return answer.indices
    return np.where(answer.valid[:, np.newaxis], answer.indices, np.int32(-1))


def _places_of_categories(
    placer: Placer, series: pd.Series, threads: int | None
) -> NDArray[np.int32]:
    """Place each category once."""
    if len(series.cat.categories) > len(series):
        series = series.cat.remove_unused_categories()
    each = _places(placer, {series.name: series.cat.categories.to_series()}, None, threads)
    # The code of a missing value is -1, so it finds the last row.
    table = np.vstack([each, np.full((1, placer.k), -1, dtype=np.int32)])
    codes: NDArray[np.int64] = series.cat.codes.to_numpy()
    return table.take(codes, axis=0)


def _parts(series: pd.Series) -> dict[Any, Any] | None:
    """The column of a Series; the fields of a struct; None if no value is present."""
    column = _column(series)
    if column is None or not str(series.dtype).startswith("struct<"):
        return None if column is None else {series.name: column}
    from rvh.integrations._arrow import key_columns  # a dtype of pyarrow's

    return key_columns([series.name], [column])


def _column(series: pd.Series, all_missing: Any = None) -> Any:
    """The values as rvh takes them, missing ones masked; `all_missing` if there is none."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes = series.cat.codes.to_numpy()
        if (codes < 0).all():
            return all_missing
        values = _column(series.cat.categories.to_series())
        return np.ma.array(np.asarray(values).take(codes), mask=codes < 0)
    absent = series.isna().to_numpy()
    if absent.all():
        return all_missing
    if pd.api.types.is_float_dtype(dtype):
        raise RVHTypeError(
            f"series {show(series.name)} has the dtype {dtype}, which has no bytes of its "
            f'own in rvh: {READ_INTEGERS}, for example as "Int64", which has missing values too; '
            ".astype(str) for text"
        )
    if isinstance(dtype, pd.ArrowDtype) or getattr(dtype, "storage", "") == "pyarrow":
        return series.array.__arrow_array__()  # pandas 2 exports no Series
    if not absent.any():
        return series.to_numpy()
    if pd.api.types.is_integer_dtype(dtype):  # Int64 and its like; without this, objects
        values = series.to_numpy(dtype=dtype.numpy_dtype, na_value=0)
    else:
        values = series.to_numpy()
    return np.ma.array(values, mask=absent)
