"""DataFusion: the function that `register` makes gives the answers of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rvh

datafusion = pytest.importorskip("datafusion", reason="DataFusion is not installed")

import keys_million  # noqa: E402
import pyarrow as pa  # noqa: E402
from keys_million import BYTES_NODES, NODES  # noqa: E402

from rvh.integrations.datafusion import register  # noqa: E402


@pytest.fixture
def ctx() -> Any:
    return datafusion.SessionContext()


def with_keys(ctx: Any, keys: Any) -> None:
    """A table t of the keys and their row numbers: rows come back in no order."""
    table = pa.record_batch({"key": keys, "i": pa.array(range(len(keys)), pa.int64())})
    ctx.register_record_batches("t", [[table]])


def column(ctx: Any, select: str) -> list[Any]:
    table = pa.table(ctx.sql(f"SELECT {select} AS node, i FROM t"))
    return table.sort_by("i")["node"].to_pylist()


@pytest.mark.parametrize("k", [1, 3])
def test_a_million_keys(ctx: Any, k: int) -> None:
    register(ctx, "node", NODES, k, key=pa.string())
    with_keys(ctx, pa.array(keys_million.keys()))
    expected = keys_million.answers(k)
    assert np.array_equal(column(ctx, "node(key)"), expected if k > 1 else expected[:, 0])


def test_types_of_the_answers(ctx: Any) -> None:
    with_keys(ctx, pa.array(["a"]))
    for name, nodes, k, kind in [
        ("one", NODES, 1, pa.string()),
        ("three", NODES, 3, pa.list_(pa.string(), 3)),
        ("raw", BYTES_NODES, 1, pa.binary()),
        ("raws", BYTES_NODES, 2, pa.list_(pa.binary(), 2)),
    ]:
        register(ctx, name, nodes, k, key=pa.string())
        assert ctx.sql(f"SELECT {name}(key) FROM t").schema().field(0).type == kind
        expected = nodes.select("a", k)
        assert column(ctx, f"{name}(key)") == [expected if k > 1 else expected[0]]


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("keys", [["a", None, "b"], [None], []], ids=["some", "all", "empty"])
def test_nulls(ctx: Any, k: int, keys: list[str | None]) -> None:
    register(ctx, "node", NODES, k, key=pa.string())
    with_keys(ctx, pa.array(keys, pa.string()))
    expected = [None if key is None else NODES.select(key, k) for key in keys]
    assert column(ctx, "node(key)") == (
        expected if k > 1 else [None if ids is None else ids[0] for ids in expected]
    )


KINDS = [
    *(getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *(pa.string(), pa.large_string(), pa.string_view()),
    *(pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2)),
    pa.dictionary(pa.int32(), pa.string()),
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_key_types(ctx: Any, kind: pa.DataType) -> None:
    keys: list[Any] = [1, None, 100] if pa.types.is_integer(kind) else ["ab", None, "yz"]
    register(ctx, "node", NODES, key=kind)
    with_keys(ctx, pa.array(keys).cast(kind) if "int" in str(kind) else pa.array(keys, kind))
    assert column(ctx, "node(key)") == [NODES.select(keys[0])[0], None, NODES.select(keys[2])[0]]


def test_what_datafusion_casts(ctx: Any) -> None:
    """Text is not cast to integers, but integers are to text: the module says so."""
    nodes = rvh.NodeSet([f"n{i}" for i in range(1000)])
    register(ctx, "of_int", nodes, key=pa.int64())
    register(ctx, "of_text", nodes, key=pa.string())
    with_keys(ctx, pa.array([42], pa.int16()))
    assert column(ctx, "of_int(key)") == nodes.select(42)
    assert column(ctx, "of_text(key)") == nodes.select("42")
    with pytest.raises(Exception, match=r"coercion from .*Utf8.*Int64"):
        ctx.sql("SELECT of_int('42')")


def test_in_expressions(ctx: Any) -> None:
    node = register(ctx, "node", NODES, key=pa.int64())
    frame = ctx.from_pydict({"id": [1, 2]})
    found = frame.select(node(datafusion.col("id")).alias("node")).to_pydict()["node"]
    assert sorted(found) == sorted([*NODES.select(1), *NODES.select(2)])


def test_options(ctx: Any) -> None:
    weights, secret = [1, 0, 2], b"a secret of 16 b"
    register(ctx, "node", ["x", "y", "z"], key=pa.string(), weights=weights, secret=secret)
    with_keys(ctx, pa.array(["a"]))
    expected = rvh.rendezvous_hash(["x", "y", "z"], "a", weights=weights, secret=secret)
    assert column(ctx, "node(key)") == expected


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (pa.float64(), "double|float"),
        (pa.bool_(), "bool"),
        (pa.date32(), "date"),
        (pa.decimal128(10, 2), "decimal"),
        (pa.list_(pa.string()), "list"),
    ],
    ids=str,
)
def test_a_key_type_without_bytes(ctx: Any, kind: pa.DataType, name: str) -> None:
    with pytest.raises(rvh.RVHTypeError, match=name):
        register(ctx, "node", NODES, key=kind)


def test_bad_arguments(ctx: Any) -> None:
    with pytest.raises(rvh.RVHTypeError, match="key is 'int64'"):
        register(ctx, "node", NODES, key="int64")
    with pytest.raises(rvh.RVHError, match="k is 9"):
        register(ctx, "node", NODES, 9, key=pa.string())
    with pytest.raises(rvh.RVHTypeError):
        register(ctx, "node", [1, 2], key=pa.string())
    with pytest.raises(rvh.RVHError, match="given with a NodeSet"):
        register(ctx, "node", NODES, key=pa.string(), scheme="blake2b")
