"""Placements of typed columns: what they take, in which forms, and what they refuse."""

from __future__ import annotations

import datetime
import pickle
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import rvh
from rvh.errors import RVHError, RVHTypeError
from rvh.integrations.pandas import with_node
from rvh.keys import composite
from rvh.multi import compose_keys
from rvh.placements import TypedModulo, elasticsearch, hive, iceberg, postgresql, spark
from rvh.ring import Migration

DAYS = [datetime.date(2026, 11, 27), datetime.date(1969, 12, 31), datetime.date(1, 1, 1)]
MOMENTS = [datetime.datetime(2026, 11, 27, 1, 2, 3, 4), datetime.datetime(1969, 12, 31, 23)]
IDS = [uuid.UUID(int=n**40) for n in range(1, 9)]


def numbers(kind: str) -> list[Any]:
    """The same column in several forms."""
    plain = [*range(-20, 100)]
    array = np.array(plain, dtype=kind)
    reversed_view = array[::-1].copy()[::-1]
    arrow = pa.array(plain, pa.from_numpy_dtype(array.dtype))
    chunked = pa.chunked_array([arrow[:50], arrow[50:]])
    codes = arrow.dictionary_encode()
    return [plain, tuple(plain), array, reversed_view, array.astype(">i8"), arrow, chunked, codes]


@pytest.mark.parametrize("kind", ["i1", "i4", "i8"])
def test_integers_of_any_form(kind: str) -> None:
    for placement in (spark(9, "bigint"), postgresql(9, "bigint"), hive(9, "smallint")):
        first, *others = (placement.slot_batch(form).tolist() for form in numbers(kind))
        assert all(other == first for other in others)
        assert [placement.slot(key) for key in range(-20, 0)] == first[:20]


ONE_BY_ONE: list[tuple[Any, str]] = [
    *((make, "bigint") for make in (spark, hive, postgresql)),
    *((make, "string") for make in (spark, hive, iceberg)),
    (lambda n, kind: elasticsearch(n), "text"),
    (lambda n, kind: hive(n, kind, version=1), "string"),
    (postgresql, "text"),
]


@pytest.mark.parametrize(("make", "kind"), ONE_BY_ONE, ids=range(len(ONE_BY_ONE)))
def test_one_key_at_a_time(make: Any, kind: str) -> None:
    keys = [n * 7919 - 10**6 for n in range(300)]
    placement = make(17, kind)
    column = keys if kind == "bigint" else [f"é{key}" for key in keys]
    assert [placement.slot(key) for key in column] == placement.slot_batch(column).tolist()


def test_text_of_any_form() -> None:
    plain = ["", "a", "é", "中文", "x" * 100] * 3
    forms: list[Any] = [plain, [text.encode() for text in plain], np.array(plain), pa.array(plain)]
    forms += [np.array(plain, dtype=np.dtypes.StringDType()), pa.array(plain).dictionary_encode()]
    forms += [pa.array(plain).cast(pa.binary()), pa.array(plain).cast(pa.string_view())]
    for placement in (spark(9, "string"), postgresql(9, "text"), iceberg(9, "string")):
        first, *others = (placement.slot_batch(form).tolist() for form in forms)
        assert all(other == first for other in others)


def test_other_types_of_any_form() -> None:
    at = datetime.timezone(datetime.timedelta(hours=2))
    zoned = [(moment.replace(tzinfo=datetime.UTC)).astimezone(at) for moment in MOMENTS]
    days = np.array(DAYS, dtype="M8[D]")
    moments = np.array(MOMENTS, dtype="M8[us]")
    same: list[tuple[str, list[Any]]] = [
        (
            "date",
            [DAYS, days, days.astype("M8[s]"), days.astype(np.int64), [*days], pa.array(DAYS)],
        ),
        ("timestamp", [MOMENTS, zoned, moments, moments.astype(np.int64), pa.array(MOMENTS)]),
        ("boolean", [[True, False], np.array([True, False]), pa.array([True, False]), [1, 0]]),
        ("uuid", [IDS, list(map(str, IDS)), [each.bytes for each in IDS]]),
    ]
    for kind, forms in same:
        for make in (spark, postgresql):
            if (make, kind) != (spark, "uuid"):
                first, *others = (make(99, kind).slot_batch(form).tolist() for form in forms)
                assert all(other == first for other in others)
    floats: list[Any] = [[1.5, 0.0, float("nan")], np.array([1.5, -0.0, -np.nan])]
    assert len({tuple(spark(99, "double").slot_batch(form)) for form in floats}) == 1
    assert spark(99, "decimal(9,2)").slot(Decimal("7.5")) == spark(99, "bigint").slot(750)
    assert iceberg(99, "decimal(38,2)").slot(Decimal("1E+1")) == iceberg(99, "binary").slot(
        b"\x03\xe8"
    )


NULLS: list[Any] = [
    [7, None, 9],
    pa.array([7, None, 9]),
    np.ma.masked_array([7, 8, 9], [False, True, False]),
]


@pytest.mark.parametrize("form", NULLS, ids=["list", "Arrow", "masked"])
def test_nulls(form: Any) -> None:
    # Spark and PostgreSQL pass a null by, Hive counts it as 0.
    assert spark(9, "bigint").hash_columns(form)[1] == 42
    assert postgresql(9, "bigint").hash_columns(form)[1] == 0
    assert hive(9, "bigint").hash_columns(form)[1] == 0
    text = ["a", "b", None]
    for make, types in ((spark, ("bigint", "string")), (postgresql, ("bigint", "text"))):
        both = make(9, types).hash_columns(form, text)
        assert both[1] == make(9, types[1]).hash_columns(["b"])[0]
        assert both[2] == make(9, types[0]).hash_columns([9])[0]
        assert both[0] == make(9, types).hash_columns([7], ["a"])[0]


def test_several_columns_are_composite_keys() -> None:
    placement = spark(["a", "b", "c"], ("bigint", "string"))
    ids, names = np.arange(500), [f"name-{n}" for n in range(500)]
    slots = placement.slot_columns(ids, names)
    assert placement.slot_batch(compose_keys(ids, names)).tolist() == slots.tolist()
    assert placement.slot_batch([composite(0, "name-0")]).tolist() == [slots[0]]
    assert placement.slot((3, "name-3")) == placement.slot(composite(3, "name-3")) == slots[3]
    nodes = placement.lookup_columns(ids, names)
    assert nodes.tolist() == placement.lookup_batch(compose_keys(ids, names)).tolist()
    assert (
        nodes[:, 0].tolist()
        == placement.ids[placement.arglookup_batch(compose_keys(ids, names))[:, 0]].tolist()
    )
    assert placement.lookup((3, "name-3")) == nodes[3].tolist()


def test_a_migration_from_typed_columns() -> None:
    old = postgresql(["a", "b", "c"], ("bigint", "text"))
    keys = compose_keys(np.arange(300), [f"name-{n}" for n in range(300)])
    new = rvh.NodeSet(["a", "b", "c", "d"])
    moved = Migration(old, new).moves(keys)
    stays = old.lookup_batch(keys) == new.select_batch(keys)
    assert moved.row.tolist() == np.flatnonzero(~stays[:, 0]).tolist()
    single = Migration(spark(["a", "b"], "bigint"), new).moves(np.arange(50))
    assert (
        single.source.tolist()
        == spark(["a", "b"], "bigint").lookup_batch(np.arange(50))[single.row, 0].tolist()
    )


def test_an_engine_that_makes_composite_keys() -> None:
    placement = spark(["a", "b", "c"], ("bigint", "string"))
    frame = pd.DataFrame({"id": range(50), "name": [f"name-{n}" for n in range(50)]})
    nodes = placement.lookup_columns(frame["id"], frame["name"])[:, 0].tolist()
    assert with_node(frame, ["id", "name"], placement)["node"].tolist() == nodes


def test_equality_pickles_and_what_it_says_of_itself() -> None:
    placement = spark([["a", "b"], ["b", "c"]], ("Int", "decimal(9, 2)"))
    assert isinstance(placement, TypedModulo)
    assert (placement.system, placement.types) == ("spark", ("int", "decimal(9,2)"))
    again = pickle.loads(pickle.dumps(placement))
    assert again == placement
    assert hash(again) == hash(placement)
    assert again.slot((7, Decimal(3))) == placement.slot((7, Decimal(3)))
    assert placement != spark([["a", "b"], ["b", "c"]], ("bigint", "decimal(9,2)"))
    assert hive(3, "int") != hive(3, "int", version=1)
    assert repr(spark(3, "int")) == "TypedModulo(3 slots, 3 nodes, spark: int)"
    assert placement.lookup((7, Decimal(3)), 2) in (["a", "b"], ["b", "c"])


REFUSED: list[tuple[Any, Any, type[Exception], str]] = [
    ("int", [1, 2**31], RVHError, r"key at position 1 is 2147483648, outside -2\^31 to 2\^31-1"),
    ("bigint", [1, 2**63], RVHError, r"position 1 is 9223372036854775808, above 2\^63-1"),
    (
        "bigint",
        np.array([2**63], dtype="u8"),
        RVHError,
        r"position 0 is 9223372036854775808, above",
    ),
    ("bigint", [1, "2"], RVHTypeError, "position 1 is '2' of type str, and its column is of type"),
    ("bigint", ["12345678"], RVHTypeError, "its column is of type bigint: pass integers"),
    ("bigint", np.array(["12345678"]), RVHTypeError, "pass integers"),
    ("bigint", [True], RVHTypeError, "is True of type bool"),
    ("bigint", [1.0], RVHTypeError, "is 1.0 of type float"),
    (
        "string",
        ["a", 2],
        RVHTypeError,
        "position 1 is 2 of type int, and its column is of type str",
    ),
    ("string", np.arange(2), RVHTypeError, "position 0 is 0 of type int"),
    ("date", ["2026"], RVHTypeError, "is '2026' of type str, and its column is of type date"),
    ("boolean", [2], RVHTypeError, "its column is of type boolean: pass bool"),
    ("double", ["1.5"], RVHTypeError, "pass float"),
    (
        "decimal(4,2)",
        [None, Decimal("1.234")],
        RVHError,
        r"key at position 1 is Decimal\('1.234'\), which does not fit in .* decimal\(4,2\)",
    ),
    ("decimal(4,2)", [Decimal(100)], RVHError, r"does not fit in .* decimal\(4,2\)"),
    ("decimal(4,2)", [Decimal("1E+999999999")], RVHError, "does not fit"),  # takes no time
    ("decimal(4,2)", [Decimal("1E-999999999")], RVHError, "does not fit"),
    ("double", [10**400], RVHError, "position 0 is 1000.*, which does not fit in .* double"),
    ("double", [np.complex64(1)], RVHTypeError, "of type numpy.complex64"),
    ("timestamp", [0, 2**63], RVHError, "position 1 is 9223372036854775808, which does not fit"),
    (
        "timestamp",
        np.array([0, 2**62], dtype="M8[s]"),
        RVHError,
        r"position 1 is np.datetime64\(.*\), which does not fit in its column of type timestamp",
    ),
    (("int", "string"), [1, 2], RVHError, "position 0 is not a composite key of an integer"),
    (("int", "double"), [b"x"], RVHTypeError, r"column 1 is of type double: pass the columns to"),
    ("int", compose_keys([1], [2]), RVHTypeError, "are composite keys, and one column of int is"),
]


@pytest.mark.parametrize(("types", "keys", "error", "message"), REFUSED, ids=range(len(REFUSED)))
def test_keys_that_are_refused(types: Any, keys: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        spark(9, types).slot_batch(keys)


def test_columns_that_are_refused() -> None:
    placement = spark(9, ("int", "string"))
    with pytest.raises(RVHError, match=r"there are 1 columns, and 2 types \(int, string\)"):
        placement.slot_columns([1])
    with pytest.raises(RVHError, match=r"columns\[0\] has 1, columns\[1\] has 2"):
        placement.slot_columns([1], ["a", "b"])
    with pytest.raises(RVHTypeError, match="is 'a' of type str, and its column is of type int"):
        placement.slot_columns(["a"], ["b"])
    with pytest.raises(RVHTypeError, match=r"columns\[1\] is one str"):
        placement.slot_columns([1], "a")


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ("long", "spark has none of that name: choose among boolean, tinyint"),
        ("decimal(39,2)", r"choose among .*decimal\(P,S\)"),
        ((), "there are 0 types: pass 1 to 32"),
        (["int"] * 33, "there are 33 types"),
        (7, "types is 7: pass the type of the column"),
        (("int", None), "pass the type of the column"),
    ],
)
def test_types_that_are_refused(types: Any, message: str) -> None:
    with pytest.raises(RVHError, match=message):
        spark(9, types)
