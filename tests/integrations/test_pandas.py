"""pandas: Series of every dtype that holds keys, with and without missing values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from subprocesses import output

import rvh

pd = pytest.importorskip("pandas", reason="pandas is not installed")

import keys_million  # noqa: E402
from keys_million import BYTES_NODES, NODES  # noqa: E402

import rvh.integrations.pandas  # noqa: E402

STR = pd.StringDtype(na_value=np.nan)


def best(keys: list[Any]) -> list[Any]:
    """The answers, None for None."""
    return [None if key is None else NODES.select(key)[0] for key in keys]


def as_list(series: Any) -> list[Any]:
    return [None if pd.isna(value) else value for value in series]


def test_a_million_keys() -> None:
    series = pd.Series(keys_million.keys(), name="key")
    found = series.rvh.select(NODES)
    assert found.name == "key"
    assert found.dtype == STR
    assert np.array_equal(found.to_numpy(dtype=str), keys_million.answers(1)[:, 0])
    three = series.rvh.select(NODES, 3)
    assert list(three.columns) == ["node_1", "node_2", "node_3"]
    assert np.array_equal(three.to_numpy(dtype=str), keys_million.answers(3))


def test_the_index_stays() -> None:
    series = pd.Series(["a", "b", "c"], index=[5, 5, -1], name="key")
    assert series.rvh.select(NODES).index.equals(series.index)
    assert series.rvh.select(NODES, 2).index.equals(series.index)
    assert as_list(series[::-1].rvh.select(NODES)) == best(["c", "b", "a"])


TEXT = ["a", None, "é", "a"]
NUMBERS = [1, None, 100, 1]
DATA = [b"a", None, b"\xff", b"a"]
DTYPES: list[tuple[list[Any], Any]] = [
    (TEXT, object),
    (TEXT, STR),
    (TEXT, "string"),
    (TEXT, "category"),
    (DATA, object),
    (NUMBERS, object),
    (NUMBERS, "category"),
    ([1, "1", None, b"1"], object),
    *((NUMBERS, f"{sign}Int{bits}") for sign in ("", "U") for bits in (8, 16, 32, 64)),
    *((TEXT, f"string[{storage}]") for storage in ("python", "pyarrow")),
    *(([1, 100], f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)),
]


@pytest.mark.parametrize(
    ("keys", "dtype"), DTYPES, ids=[f"{dtype}-{keys[0]!r}" for keys, dtype in DTYPES]
)
@pytest.mark.parametrize("rows", [slice(None), slice(0, 1), slice(1, 2), slice(0, 0)])
def test_every_dtype(keys: list[Any], dtype: Any, rows: slice) -> None:
    series = pd.Series(keys, dtype=dtype)[rows]
    found = series.rvh.select(NODES)
    assert found.dtype == STR
    assert as_list(found) == best(keys[rows])
    two = series.rvh.select(NODES, 2)
    assert two.shape == (len(series), 2)
    assert as_list(two["node_1"]) == best(keys[rows])


def test_arrow_backed_series() -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    for keys, kind in [
        (TEXT, pa.string()),
        (TEXT, pa.large_string()),
        (TEXT, pa.dictionary(pa.int8(), pa.string())),
        (DATA, pa.binary()),
        (NUMBERS, pa.int16()),
    ]:
        series = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(keys, kind)))
        assert as_list(series.rvh.select(NODES)) == best(keys), kind


def test_categories_that_no_row_has() -> None:
    dtype = pd.CategoricalDtype(["a", "b", "c", "d"])
    assert as_list(pd.Series(["b", None], dtype=dtype).rvh.select(NODES)) == best(["b", None])
    assert as_list(pd.Series([], dtype=dtype).rvh.select(NODES)) == []
    assert as_list(pd.Series([None], dtype="category").rvh.select(NODES)) == [None]


def test_nothing_but_missing_values() -> None:
    for series in (pd.Series([None, None]), pd.Series([np.nan, np.nan])):
        assert as_list(series.rvh.select(NODES)) == [None, None]
        assert series.rvh.select(NODES, 2).isna().all(axis=None)


def test_bytes_ids_answer_in_objects() -> None:
    series = pd.Series(["a", "b", None])
    found = series.rvh.select(BYTES_NODES)
    assert found.dtype == object
    assert as_list(found) == [*BYTES_NODES.select_batch(["a", "b"])[:, 0].tolist(), None]
    assert series.rvh.select(BYTES_NODES, 2).loc[1].tolist() == BYTES_NODES.select("b", 2)


def test_options() -> None:
    weights, secret = [1, 0, 2], b"a secret of 16 b"
    found = pd.Series(["a", "b"]).rvh.select(["x", "y", "z"], weights=weights, secret=secret)
    expected = rvh.select_batch(["x", "y", "z"], ["a", "b"], weights=weights, secret=secret)
    assert found.tolist() == expected[:, 0].tolist()


@pytest.mark.parametrize(
    ("series", "name"),
    [
        (pd.Series([1, None], name="id"), r"series 'id' has the dtype float64.*Int64"),
        (pd.Series([1.5], dtype="Float32"), "Float32"),
        (pd.Series([True]), "bool"),
        (pd.Series([True, None], dtype="boolean"), "bool"),
        (pd.Series(pd.to_datetime(["2026-01-01"])), "datetime64"),
        (pd.Series(pd.to_datetime(["2026-01-01"]).tz_localize("UTC")), "Timestamp"),
        (pd.Series([1.5, 2.5], dtype="category"), "float64"),
        (pd.Series([["a"]]), "list"),
    ],
    ids=["float", "Float32", "bool", "boolean", "date", "zone", "category", "list"],
)
def test_a_series_without_bytes(series: Any, name: str) -> None:
    with pytest.raises(rvh.RVHTypeError, match=name):
        series.rvh.select(NODES)


def test_bad_arguments() -> None:
    series = pd.Series(["a"])
    with pytest.raises(rvh.RVHError, match="k is 9"):
        series.rvh.select(NODES, 9)
    with pytest.raises(rvh.RVHTypeError):
        series.rvh.select([1, 2])
    with pytest.raises(rvh.RVHError, match="given with a NodeSet"):
        series.rvh.select(NODES, scheme="blake2b")


WITHOUT_PYARROW = """
import sys
sys.modules["pyarrow"] = None
import pandas as pd, rvh.integrations.pandas
for keys, dtype in [
    (["a", None], None), (["a", None], "string"), (["a", None], "category"),
    ([1, None], "Int64"), ([1, 2], "int32"), ([b"a", None], object),
]:
    found = pd.Series(keys, dtype=dtype).rvh.select(["x", "y"])
    print(dtype, found.isna().tolist(), found[0] == rvh.rendezvous_hash(["x", "y"], keys[0])[0])
"""


def test_pyarrow_is_not_needed() -> None:
    lines = output(WITHOUT_PYARROW, "-W", "ignore").splitlines()
    assert len(lines) == 6
    for line in lines:
        assert line.endswith("[False, False] True" if "int32" in line else "[False, True] True")
