"""Arrow columns of every type, form and source: the answers of the same keys as Python values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

import rvh

NODES = ["alpha", "beta", "gamma", "δelta"]
SET = rvh.NodeSet(NODES)
Values = list[Any]  # keys, None where there is a null


def check(keys: Any, plain: Values, k: int = 1) -> None:
    """Null for null from the Arrow call; from NumPy's the first null's position, or the answers."""
    present = [value for value in plain if value is not None]
    ranked = iter(reference.rankings(NODES, present)[:, :k].tolist())
    expected = [None if value is None else [NODES[n] for n in next(ranked)] for value in plain]
    answer = pa.array(rvh.select_arrow(SET, keys, k)).to_pylist()
    assert answer == (expected if k > 1 else [row and row[0] for row in expected])
    if len(present) == len(plain):
        assert SET.select_batch(keys, k).tolist() == expected
    else:
        for call in (SET.select_batch, SET.argselect_batch, SET.score_batch):
            with pytest.raises(rvh.RVHTypeError, match=rf" position {plain.index(None)}\b"):
                call(keys)


# -- types and forms ----------------------------------------------------------------------------


class ArrayOnly:
    """A library of which nothing is known but the protocol."""

    def __init__(self, of: Any) -> None:
        self._of = of

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self._of.__arrow_c_array__(requested_schema)


class StreamOnly:
    def __init__(self, of: Any) -> None:
        self._of = of

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self._of.__arrow_c_stream__(requested_schema)


def texts(kind: pa.DataType) -> st.SearchStrategy[tuple[pa.DataType, Values]]:
    return st.tuples(st.just(kind), st.lists(st.none() | st.text(max_size=20), max_size=12))


def blobs(kind: pa.DataType, least: int = 0, most: int = 20) -> Any:
    elements = st.none() | st.binary(min_size=least, max_size=most)
    return st.tuples(st.just(kind), st.lists(elements, max_size=12))


def integers(kind: pa.DataType) -> st.SearchStrategy[tuple[pa.DataType, Values]]:
    limits = np.iinfo(kind.to_pandas_dtype())
    elements = st.none() | st.integers(int(limits.min), int(limits.max))
    return st.tuples(st.just(kind), st.lists(elements, max_size=12))


TYPED = st.one_of(
    *(texts(kind) for kind in (pa.string(), pa.large_string(), pa.string_view())),
    *(blobs(kind) for kind in (pa.binary(), pa.large_binary(), pa.binary_view())),
    *(blobs(pa.binary(size), size, size) for size in (0, 1, 16)),
    *(integers(kind()) for kind in (pa.int8, pa.int16, pa.int32, pa.int64)),
    *(integers(kind()) for kind in (pa.uint8, pa.uint16, pa.uint32, pa.uint64)),
)


def through_pyarrow(array: pa.Array, make: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """What ``make`` makes, or the array itself where pyarrow has no kernel for its type."""
    try:
        return make(array)
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return array


FORMS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "plain": lambda array: array,
    "dictionary": lambda array: through_pyarrow(array, pc.dictionary_encode),
    "dictionary with a null category": lambda array: through_pyarrow(
        array, lambda a: pc.dictionary_encode(a, null_encoding="encode")
    ),
    "run-end encoded": lambda array: through_pyarrow(array, pc.run_end_encode),
    "dictionary, unused and repeated categories": lambda array: pa.DictionaryArray.from_arrays(
        pa.array([None if n % 5 == 4 else len(array) - 1 - n for n in range(len(array))], "int8"),
        array,
    ),
}

#: how the array reaches rvh; a null struct is a null of its own, so those are in another test
SHAPES: dict[str, Callable[[pa.Array], Any]] = {
    "an array": lambda array: array,
    "array protocol alone": ArrayOnly,
    "chunks": lambda array: pa.chunked_array([array[:3], array[3:3], array[3:]], array.type),
    "stream protocol alone": lambda array: StreamOnly(
        pa.chunked_array([array[:5], array[5:]], array.type)
    ),
    "no chunk": lambda array: pa.chunked_array([], array.type) if not len(array) else array,
    "a table": lambda array: pa.table({"key": array}),
    "a record batch": lambda array: pa.record_batch({"key": array}),
    "a batch, array protocol alone": lambda array: ArrayOnly(pa.record_batch({"key": array})),
}


@pytest.mark.parametrize("form", FORMS)
@given(typed=TYPED, shape=st.sampled_from(list(SHAPES)), cut=st.data(), k=st.integers(1, 4))
def test_any_array(form: str, typed: Any, shape: str, cut: st.DataObject, k: int) -> None:
    kind, values = typed
    array = FORMS[form](pa.array(values, kind))
    start = cut.draw(st.integers(0, len(array)))
    array = array[start : cut.draw(st.integers(start, len(array)))]
    check(SHAPES[shape](array), array.to_pylist(), k)


def test_the_forms_are_what_they_say() -> None:
    strings = pa.array(["a", None, "a"])
    made = {form: make(strings).type for form, make in FORMS.items()}
    assert all(pa.types.is_dictionary(made[form]) for form in made if "dictionary" in form)
    assert pa.types.is_run_end_encoded(made["run-end encoded"])


def test_null_structs() -> None:
    keys = pa.array([{"key": "a"}, None, {"key": None}, {"key": "b"}])
    check(keys, ["a", None, None, "b"])
    check(keys[1:], [None, None, "b"])


def test_nested_encodings() -> None:
    words = pa.array(["x", None, "y"]).dictionary_encode()
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3, 7], "int16"), words)
    plain = ["x", "x", None, "y", "y", "y", "y"]
    check(runs, plain)
    check(runs[1:5], plain[1:5])
    check(pa.StructArray.from_arrays([words], ["key"]), ["x", None, "y"])


@pytest.mark.parametrize("length", [0, 1, 3])
def test_nothing_but_nulls(length: int) -> None:
    for kind in (pa.null(), pa.string(), pa.int64(), pa.dictionary(pa.int8(), pa.string())):
        check(pa.array([None] * length, kind), [None] * length, 2)


@given(
    st.lists(
        st.lists(st.none() | st.text(max_size=14), max_size=6).map(
            lambda values: (values, pa.array(values, pa.string()).dictionary_encode())
        ),
        min_size=1,
        max_size=4,
    )
)
def test_chunks_with_dictionaries_of_their_own(chunks: Any) -> None:
    plain = [value for values, _ in chunks for value in values]
    check(pa.chunked_array([array for _, array in chunks]), plain)


@pytest.mark.parametrize(
    "keys",
    [
        pa.array([1.5]),
        pa.array([True]),
        pa.array([[1]]),
        pa.array([0], pa.date32()),
        pa.array([0], pa.timestamp("s")),
        pa.array([0], pa.decimal128(5)),
        pa.array([1.5]).dictionary_encode(),
        pc.run_end_encode(pa.array([1.5])),
        pa.array([{"a": "x", "b": "y"}]),
        pa.table({"a": ["x"], "b": ["y"]}),
        pa.table({}),
    ],
    ids=lambda keys: str(keys.schema if isinstance(keys, pa.Table) else keys.type),
)
def test_types_without_bytes(keys: Any) -> None:
    for call in (SET.select_arrow, SET.select_batch):
        with pytest.raises(rvh.RVHTypeError, match=r"column|Arrow"):
            call(keys)


def test_text_and_its_bytes_are_one_key_in_every_type() -> None:
    of_text = (pa.string(), pa.large_string(), pa.string_view())
    of_bytes = (pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3))
    answers = {
        tuple(SET.argselect_batch(pa.array(values, kind), 4).ravel().tolist())
        for kinds, values in ((of_text, ["abc", "é!"]), (of_bytes, [b"abc", "é!".encode()]))
        for kind in kinds
    }
    assert len(answers) == 1


# -- sources ------------------------------------------------------------------------------------

SOURCE: Values = ["user:1", None, "", "é" * 20, "user:1", "0123456789abc"]
NUMBERS: Values = [7, None, -7, 7]


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical, pl.Enum(sorted({*SOURCE} - {None}))])
def test_polars(kind: Any) -> None:
    series = pl.Series("key", SOURCE, dtype=kind)
    check(series, SOURCE, 2)
    check(series[2:], SOURCE[2:])
    check(series.to_frame(), SOURCE)
    check(pl.concat([series, series[:2]], rechunk=False), SOURCE + SOURCE[:2])
    check(pl.Series(NUMBERS, dtype=pl.Int16), NUMBERS)


@pytest.mark.parametrize("dtype", ["string[pyarrow]", "category"])
def test_pandas(dtype: str) -> None:
    check(pd.DataFrame({"key": pd.Series(SOURCE, dtype=dtype)}), SOURCE)
    check(pd.DataFrame({"key": pd.Series(NUMBERS, dtype="Int64")}), NUMBERS)


def test_duckdb() -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE visits (place INT, key VARCHAR)")
    con.executemany("INSERT INTO visits VALUES (?, ?)", list(enumerate(SOURCE)))
    check(con.sql("SELECT key FROM visits ORDER BY place"), SOURCE)


# -- NumPy's nulls ------------------------------------------------------------------------------


@pytest.mark.parametrize("absent", [None, np.nan, pd.NA], ids=str)
def test_stringdtype_with_a_missing_value(absent: object) -> None:
    dtype = np.dtypes.StringDType(na_object=absent)
    plain: Values = ["a", None, "é" * 30, ""]
    keys = np.array([absent if value is None else value for value in plain], dtype)
    check(keys, plain, 2)
    check(keys[::-1], plain[::-1])
    check(keys[2:], plain[2:])


def test_stringdtype_whose_missing_value_is_a_text() -> None:
    keys = np.array(["a", "missing", "b"], np.dtypes.StringDType(na_object="missing"))
    check(keys, ["a", "missing", "b"])


@pytest.mark.parametrize("dtype", ["S3", "U3", ">i4", "u1", object])
def test_masked_arrays(dtype: Any) -> None:
    plain: Values = [str(n).encode() for n in range(5)]
    values = np.arange(5).astype("S3").astype(dtype)
    if values.dtype.kind != "S":
        plain = values.tolist()
    check(np.ma.masked_array(values, [False] * 5), plain)
    masked = [None if n in (1, 3) else value for n, value in enumerate(plain)]
    keys = np.ma.masked_array(values, [n in (1, 3) for n in range(5)])
    check(keys, masked, 2)
    check(keys[::-2], masked[::-2])
