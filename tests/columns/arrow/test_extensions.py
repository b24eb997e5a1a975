"""Arrow's extension types: a UUID is its text in every form, JSON too; others are named errors."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rvh
from rvh.balanced import assign_balanced
from rvh.cache import SelectionCache
from rvh.faultset import FaultSet
from rvh.filter import label
from rvh.geohash import GeoSet
from rvh.keys import composite
from rvh.multi import compose_keys, select_multi
from rvh.partitions import PartitionTable
from rvh.ring import ketama
from rvh.stable import StableSelector, jump_batch

NODES = ["alpha", "beta", "gamma", "δelta"]
SET = rvh.NodeSet(NODES)
UUIDS = [uuid.UUID(int=n) for n in (0, 1, 0x1234567890ABCDEF << 64, 2**128 - 1)]
Values = list[uuid.UUID | None]


def column_of(values: Values) -> pa.Array:
    return pa.array([None if value is None else value.bytes for value in values], pa.uuid())


def runs_of(array: pa.Array) -> pa.Array:
    return pa.RunEndEncodedArray.from_arrays(pa.array(range(1, len(array) + 1), "int32"), array)


def coded(array: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(range(len(array)), "int16"), array)


#: how UUIDs reach rvh
FORMS: dict[str, Callable[[pa.Array], Any]] = {
    "plain": lambda array: array,
    "dictionary": coded,
    "runs": runs_of,
    "runs of a dictionary": lambda array: runs_of(coded(array)),
    "chunks": lambda array: pa.chunked_array([array[:1], array[1:1], array[1:]], array.type),
    "chunks of dictionaries": lambda array: pa.chunked_array([coded(array[:2]), coded(array[2:])]),
    "no chunk": lambda array: array if len(array) else pa.chunked_array([], array.type),
    "a struct of one": lambda array: pa.StructArray.from_arrays([array], ["key"]),
    "a table": lambda array: pa.table({"key": array}),
    "a record batch": lambda array: pa.record_batch({"key": array}),
    "a pandas Series": lambda array: pd.Series(pd.arrays.ArrowExtensionArray(array)),
    "a pandas Series of objects": lambda array: pd.Series(array.to_pylist(), dtype=object),
}


@pytest.mark.parametrize("form", FORMS)
@given(values=st.lists(st.none() | st.uuids(), max_size=8), data=st.data())
def test_a_uuid_is_its_text(form: str, values: Values, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(values)))
    stop = data.draw(st.integers(start, len(values)))
    keys = FORMS[form](column_of(values)[start:stop])
    texts = [None if value is None else str(value) for value in values[start:stop]]
    expected = SET.select_arrow(pa.array(texts, pa.string()), 2)
    found = SET.select_arrow(keys, 2)
    assert pa.array(found).to_pylist() == pa.array(expected).to_pylist()
    if None not in texts:
        assert SET.score_batch(keys).tolist() == SET.score_batch(texts).tolist()


@pytest.mark.parametrize("form", FORMS)
def test_in_every_call(form: str) -> None:
    keys, texts = FORMS[form](column_of(UUIDS)), [str(value) for value in UUIDS]
    table, ring = PartitionTable(SET, 64), ketama(NODES)
    cache = SelectionCache(SET, maxsize=64)
    places = GeoSet(SET, ["u0", "u1", "gc", "9q"])
    calls: list[Callable[[Any], Any]] = [
        SET.argselect_batch,
        lambda k: SET.select_batch(k, dedupe=True),
        lambda k: jump_batch(k, 99),
        StableSelector(NODES).select_batch,
        table.lookup_batch,
        ring.lookup_batch,
        cache.select_batch,
        lambda k: places.select_batch(k, geohash=["u0"] * len(texts)),
        lambda k: assign_balanced(SET, k),
        lambda k: FaultSet(SET).select_batch(k, 2).nodes,
        lambda k: select_multi(SET, (k, 7)),
    ]
    for call in calls:
        assert np.array_equal(call(keys), call(texts))
    parts = [composite(text, 1, text) for text in texts]
    assert list(compose_keys(keys, 1, keys).iter_bytes()) == parts


@pytest.mark.parametrize("form", FORMS)
def test_as_node_ids(form: str) -> None:
    texts = [str(value) for value in UUIDS]
    nodes = rvh.NodeSet(FORMS[form](column_of(UUIDS)))
    assert nodes.ids.tolist() == texts
    assert nodes == rvh.NodeSet(texts)


@pytest.mark.parametrize("form", ["plain", "dictionary", "chunks", "a pandas Series"])
def test_as_labels(form: str) -> None:
    labels = FORMS[form](column_of(UUIDS))
    texts = [str(value) for value in UUIDS]
    nodes = rvh.NodeSet(NODES, domains={"rack": labels})
    assert nodes.domains["rack"] == tuple(texts)
    mask = label("rack", texts[2])(SET, {"rack": labels})
    assert mask.tolist() == [False, False, True, False]


def test_damaged_storage() -> None:
    """A UUID of other than 16 bytes is none, whoever says so."""
    field = pa.field("key", pa.binary(8), metadata={"ARROW:extension:name": "arrow.uuid"})
    keys = pa.record_batch([pa.array([bytes(8)], pa.binary(8))], schema=pa.schema([field]))
    with pytest.raises(rvh.RVHTypeError, match=r"'arrow\.uuid'"):
        SET.select_batch(keys)


def test_json_is_its_text() -> None:
    texts = ['{"a": 1}', '{"a":1}', None, "[]"]
    for storage in (pa.string(), pa.large_string(), pa.string_view()):
        keys = pa.array(texts, pa.json_(storage))
        expected = SET.select_arrow(pa.array(texts))
        assert SET.select_arrow(keys).indices.tolist() == expected.indices.tolist()
    assert list(rvh.NodeSet(pa.array(["{}", "[]"], pa.json_()))) == ["{}", "[]"]


# -- others ---------------------------------------------------------------------------------------


class Point(pa.ExtensionType):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(pa.binary(), "test.point")

    def __arrow_ext_serialize__(self) -> bytes:
        return b"EPSG:4326"

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: Any, serialized: bytes) -> Point:
        return cls()


def unknown_to_pyarrow() -> pa.RecordBatch:
    field = pa.field("key", pa.int64(), metadata={"ARROW:extension:name": "geoarrow.cell"})
    return pa.record_batch([pa.array([1, 2])], schema=pa.schema([field]))


#: a column, what the message has to name in this order, and the cast that it advises
OTHERS: dict[str, tuple[Callable[[], Any], str, Callable[[Any], Any]]] = {
    "opaque": (
        lambda: pa.ExtensionArray.from_storage(
            pa.opaque(pa.binary(), "bit", "DuckDB"), pa.array([b"\4\xf5"])
        ),
        r"'arrow.opaque'.*bit.*DuckDB.*key::VARCHAR",
        lambda _: pa.array(["0101"]),  # that is DuckDB's to do: test_duckdb.py
    ),
    "one that pyarrow does not know": (
        unknown_to_pyarrow,
        r"'geoarrow.cell'.*storage",
        lambda keys: keys.column(0),
    ),
    "one that pyarrow knows": (
        lambda: pa.ExtensionArray.from_storage(Point(), pa.array([b"x", b"y"])),
        r"'test.point' \('EPSG:4326'\).*column\.cast\(column\.type\.storage_type\)",
        lambda keys: keys.cast(keys.type.storage_type),
    ),
    "bool8": (
        lambda: pa.array([1, 0], pa.bool8()),
        r"'arrow.bool8'.*integer",
        lambda keys: keys.cast(pa.int8()),
    ),
    "a tensor": (
        lambda: pa.FixedShapeTensorArray.from_numpy_ndarray(np.ones((2, 2), np.int64)),
        r"'arrow.fixed_shape_tensor'.*one dimension",
        lambda keys: pc.list_element(keys.storage, 0),
    ),
    "periods": (
        lambda: pd.Series(pd.period_range("2024", periods=2, freq="M")),
        r"'pandas.period'.*freq.*series\.astype\(str\)",
        lambda keys: keys.astype(str),
    ),
    "intervals": (
        lambda: pd.Series(pd.interval_range(0, 2)),
        r"'pandas.interval'.*series\.astype\(str\)",
        lambda keys: keys.astype(str),
    ),
    "a Polars extension": (
        lambda: pl.Series([1, 2]).ext.to(pl.Extension("test.cell", pl.Int64)),
        r"'test.cell'.*storage",
        lambda keys: keys.ext.storage(),
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_others_are_errors_whose_advice_works(case: str) -> None:
    make, message, cast = OTHERS[case]
    keys = make()
    ids = [f"n{n}" for n in range(len(keys))]
    calls: list[Callable[[Any], Any]] = [
        SET.select_batch,
        SET.select_arrow,
        lambda k: jump_batch(k, 9),
        lambda k: compose_keys(k, 1),
        rvh.NodeSet,
    ]
    # Labels are a column, not a table; and of bool8 Arrow makes bool, which is another error.
    if case not in ("bool8", "one that pyarrow does not know"):
        calls.append(lambda k: rvh.NodeSet(ids, domains={"zone": k}))
    for call in calls:
        with pytest.raises(rvh.RVHTypeError, match=message):
            call(keys)
    SET.select_batch(cast(keys))


@pytest.mark.parametrize("wrap", ["dictionary", "runs", "chunks", "a struct of one", "a table"])
def test_others_are_found_wherever_they_stand(wrap: str) -> None:
    points = pa.ExtensionArray.from_storage(Point(), pa.array([b"x", b"y"]))
    for keys in (FORMS[wrap](points), FORMS[wrap](points[:0])):
        with pytest.raises(rvh.RVHTypeError, match=r"'test\.point'"):
            SET.select_arrow(keys)
