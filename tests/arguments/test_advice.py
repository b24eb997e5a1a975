"""The advice in errors works: each expression that a message writes is run, and ends the error.

One table: what is called, with which values, the expression that its error advises, and the name
that takes the expression's value (where it is not the call itself that is advised).
"""

from __future__ import annotations

import ast
import datetime
import hashlib
import re
from collections.abc import Iterator
from copy import copy
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from subprocesses import output

import rvh
from rvh import RVHError
from rvh.faultset import FaultSet
from rvh.filter import alive, label
from rvh.geohash import GeoSet
from rvh.integrations import pandas
from rvh.migration import Migration
from rvh.partitions import PartitionTable
from rvh.placements import Modulo, postgresql, spark
from rvh.ring import Ring, ketama
from rvh.weighted import weights_from

pa = pytest.importorskip("pyarrow", reason="the advice about Arrow needs pyarrow")
pd = pytest.importorskip("pandas", reason="the advice about frames needs pandas")
pl = pytest.importorskip("polars", reason="the advice about frames needs polars")

NODES = ["a", "b", "c"]
SET = rvh.NodeSet(NODES)
FAULTS = FaultSet(SET, domains={"zone": ["x", "y", "z"]})


class Own(pa.ExtensionType):
    """A type that rvh does not know."""

    def __init__(self) -> None:
        super().__init__(pa.string(), "tests.own")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> Own:
        return cls()


class Case(NamedTuple):
    call: str
    names: dict[str, Any]
    advice: str
    #: the name that the value of the advice is for, or the whole call where the advice is a part
    takes: str


SELECT = "rvh.select_batch(NODES, keys)"
ONE = "rvh.rendezvous_hash(NODES, key)"
MAKE = "rvh.NodeSet(nodes)"
DAY = datetime.date(2020, 1, 1)
CASES = {
    "a missing key": Case(
        SELECT, {"keys": ["x", None]}, "rvh.select_arrow()", "rvh.select_arrow(NODES, keys)"
    ),
    "a null": Case(
        SELECT,
        {"keys": pd.Series(["x", None])},
        "rvh.select_arrow()",
        "rvh.select_arrow(NODES, keys)",
    ),
    "a key that is too large": Case(ONE, {"key": 2**64}, "str(key)", "key"),
    "a date": Case(ONE, {"key": DAY}, "str(key)", "key"),
    "a truth value": Case(ONE, {"key": True}, "str(key) or int(key)", "key"),
    "a decimal": Case(ONE, {"key": Decimal("1.5")}, "str(key)", "key"),
    "a float": Case(ONE, {"key": 1.5}, "str(key)", "key"),
    "a surrogate": Case(ONE, {"key": "\ud800"}, "key.encode('utf-8', 'surrogatepass')", "key"),
    "a key of parts": Case(ONE, {"key": ("ann", 7)}, "rvh.keys.composite('ann', 7)", "key"),
    "truth values": Case(SELECT, {"keys": np.array([True])}, "keys.astype(np.int64)", "keys"),
    "floats": Case(SELECT, {"keys": np.array([1.5])}, "keys.astype(str)", "keys"),
    "moments": Case(
        SELECT,
        {"keys": np.array(["2020-01-01"], "M8[s]")},
        "keys.astype(np.int64) or keys.astype(str)",
        "keys",
    ),
    "durations": Case(SELECT, {"keys": np.array([1], "m8[s]")}, "keys.astype(np.int64)", "keys"),
    "complex numbers": Case(SELECT, {"keys": np.array([1j])}, "keys.astype(str)", "keys"),
    "a field": Case(SELECT, {"keys": np.array([(1, 2)], "i8,i8")}, "keys['f0']", "keys"),
    "one key": Case(
        SELECT, {"keys": "x"}, "rvh.rendezvous_hash()", "rvh.rendezvous_hash(NODES, keys)"
    ),
    "one key of buckets": Case(
        SELECT, {"keys": "x"}, "rvh.stable.jump_hash()", "rvh.stable.jump_hash(keys, 3)"
    ),
    "two dimensions": Case(SELECT, {"keys": np.zeros((2, 2), int)}, "numpy.ravel(keys)", "keys"),
    "bytes in two dimensions": Case(
        ONE.replace("key)", "view)"),
        {"view": memoryview(bytes(8)).cast("B", (2, 4))},
        "view.tobytes()",
        "view",
    ),
    "rows": Case(
        SELECT,
        {"keys": np.zeros((2, 2), int)},
        "rvh.multi.compose_keys(*numpy.transpose(keys))",
        "keys",
    ),
    "a generator": Case(SELECT, {"keys": (str(n) for n in range(3))}, "list(keys)", "keys"),
    "a set of keys": Case(SELECT, {"keys": {"x"}}, "list(keys)", "keys"),
    "Polars' objects": Case(
        "rvh.select_batch(NODES, series)",
        {"series": pl.Series(["x", "y"], dtype=pl.Object)},
        "series.to_list()",
        "series",
    ),
    "columns": Case(
        SELECT,
        {"keys": pa.table({"a": [1], "b": ["x"]})},
        "rvh.multi.compose_keys()",
        "rvh.select_batch(NODES, rvh.multi.compose_keys(*keys.columns))",
    ),
    "storage": Case(
        "rvh.select_batch(NODES, column)",
        {"column": pa.ExtensionArray.from_storage(Own(), pa.array(["x"]))},
        "column.cast(column.type.storage_type)",
        "column",
    ),
    "pandas's own types": Case(
        "rvh.select_batch(NODES, series)",
        {"series": pd.Series(pd.period_range("2020", periods=2, freq="D"))},
        "series.astype(str)",
        "series",
    ),
    "one id": Case(MAKE, {"nodes": "a"}, "['node1', 'node2']", "nodes"),
    "a number for ids": Case(MAKE, {"nodes": 5}, "['node1', 'node2']", "nodes"),
    "a set of ids": Case(MAKE, {"nodes": {"a", "b"}}, "sorted(nodes)", "nodes"),
    "a mapping of ids": Case(MAKE, {"nodes": {"a": 1, "b": 2}}, "sorted(nodes)", "nodes"),
    "a set of text and bytes": Case(MAKE, {"nodes": {"a", b"b"}}, "list(nodes)", "nodes"),
    "a generator of ids": Case(MAKE, {"nodes": (each for each in "ab")}, "list(nodes)", "nodes"),
    "a FaultSet": Case(
        "rvh.select_batch(nodes, ['x'])", {"nodes": FAULTS}, "nodes.nodes", "nodes"
    ),
    "a GeoSet": Case(
        "rvh.select_batch(nodes, ['x'])",
        {"nodes": GeoSet(SET, geohash=["u", "v", "w"])},
        "nodes.nodes",
        "nodes",
    ),
    "a table": Case(
        "rvh.select_batch(nodes, ['x'])",
        {"nodes": PartitionTable(SET, 8, 1)},
        "nodes.nodes",
        "nodes",
    ),
    "a ring": Case(
        "rvh.select_batch(nodes, ['x'])", {"nodes": ketama(["a"])}, "nodes.ids", "nodes"
    ),
    "numbers as ids": Case(MAKE, {"nodes": np.arange(3)}, "nodes.astype(str)", "nodes"),
    "Arrow's numbers as ids": Case(
        MAKE, {"nodes": pa.array([1, 2])}, "list(map(str, nodes))", "nodes"
    ),
    "pandas's numbers as ids": Case(
        MAKE, {"nodes": pd.Series([1, 2])}, "list(map(str, nodes))", "nodes"
    ),
    "a secret of text": Case(
        "rvh.NodeSet(NODES, secret=secret)", {"secret": "s"}, "secret.encode()", "secret"
    ),
    "a long secret": Case(
        "rvh.NodeSet(NODES, secret=secret)",
        {"secret": bytes(65)},
        "hashlib.blake2b(secret).digest()",
        "secret",
    ),
    "a column for a part": Case(
        "rvh.multi.compose_keys(*columns)",
        {"columns": [np.arange(2), memoryview(np.arange(2))]},
        "numpy.asarray(columns[1])",
        "columns[1]",
    ),
    "bytes for a part": Case(
        "rvh.multi.compose_keys([1, 2], view)",
        {"view": memoryview(np.arange(2))},
        "view.tobytes()",
        "view",
    ),
    "no column": Case(
        "rvh.multi.compose_keys('ann', 7)", {}, "rvh.keys.composite(...)",
        "rvh.rendezvous_hash(NODES, rvh.keys.composite('ann', 7))",
    ),
    "parts": Case(
        "rvh.multi.select_multi(NODES, table)",
        {"table": np.zeros((2, 2), int), "shard_id": [1], "tx_id": [2]},
        "(shard_id, tx_id)",
        "table",
    ),
    "a NumPy table": Case(
        "rvh.multi.select_multi(NODES, table)",
        {"table": np.zeros((2, 2), int)},
        "tuple(table.T)",
        "table",
    ),
    "positions": Case(
        "faults.repair(['x'], positions, 1, spread='zone')",
        {"faults": FAULTS, "positions": np.array([[0]])},
        "faults.nodes.ids[positions]", "positions",
    ),
    "a mask of ids": Case(
        "faults.with_alive(mask)",
        {"faults": FAULTS, "mask": ["b", "c"], "nodes": SET},
        "nodes.ids != 'a'",
        "mask",
    ),
    "domains": Case(
        "FaultSet(rvh.NodeSet(['a', 'b']), domains=domains)",
        {"domains": ["x"]},
        'domains={"zone": ["eu-1", "eu-2"]}',
        "domains",
    ),
    "attributes": Case(
        "alive()(rvh.NodeSet(['a', 'b']), attributes)",
        {"attributes": [True]},
        '{"alive": [True, False]}',
        "attributes",
    ),
    "a pattern": Case("label('zone', pattern)", {"pattern": 1.5}, '"eu-*"', "pattern"),
    "a geohash": Case(
        "GeoSet(SET, geohash=geohash)",
        {"geohash": np.zeros(3)},
        "'u09tunq'",
        "GeoSet(SET, geohash=['u09tunq'] * 3)",
    ),
    "whole numbers for geohashes": Case(
        "GeoSet(SET, geohash=geohash)",
        {"geohash": np.arange(3)},
        "'u09tunq'",
        "GeoSet(SET, geohash=['u09tunq'] * 3)",
    ),
    "tokens": Case(
        "Ring.from_tokens(tokens, 'murmur3')", {"tokens": [1]}, '{"a": [0, 1000]}', "tokens"
    ),
    "exponents": Case(
        "weights_from(stake=[1, 2], exponents=exponents)",
        {"exponents": 2},
        "{'stake': 0.5}",
        "exponents",
    ),
    "a key that is not a Series": Case(
        "pandas.select(key, NODES)",
        {"key": 5, "frame": pd.DataFrame({"carrier": ["UA"], "flight": [1545]})},
        'frame[["carrier", "flight"]]',
        "key",
    ),
    "a Series of floats": Case(
        "pandas.SeriesAccessor(series).select(NODES)",
        {"series": pd.Series([1.0, 2.0])},
        '"Int64"',
        "pandas.SeriesAccessor(series.astype('Int64')).select(NODES)",
    ),
    "a Series of floats as text": Case(
        "pandas.SeriesAccessor(series).select(NODES)",
        {"series": pd.Series([1.0, 2.0])},
        ".astype(str)",
        "pandas.SeriesAccessor(series.astype(str)).select(NODES)",
    ),
    "a tag": Case("Modulo(3, 'crc32', tag=tag)", {"tag": "{"}, '"{}"', "tag"),
    "types of columns": Case("spark(3, types)", {"types": 5}, '("string", "int")', "types"),
    "a remainder": Case(
        "postgresql({'a': part, 'b': (4, 0), 'c': (4, 2), 'd': (4, 3)}, 'integer')",
        {"part": 4},
        "(4, 1)",
        "part",
    ),
    "domains of an estimate": Case(
        "Migration(rvh.NodeSet(['a']), rvh.NodeSet(['b'])).estimate(['x'], domains=domains)",
        {"domains": ["x"]},
        'domains={"zone": {"a": "eu", "b": "us"}}',
        "domains",
    ),
}  # fmt: skip
#: advice that is not run here: SQL and names of types, and what takes an engine or 4 GiB to ask for
ELSEWHERE = {
    *("key::VARCHAR", "for example a list", "pa.string() or pa.int64()", "{'a': 0.010}"),
    "hashlib.blake2b(part).digest()",
    # of the command line, whose tests give these options and columns
    *("for example --", "for example dc1=3", "the node's tokens", "for example 0-5460"),
    *("for example -K", "for example with jq", "for example 2048"),
}


def scope(case: Case) -> dict[str, Any]:
    tools = {each.__name__: each for each in (FaultSet, GeoSet, Ring, alive, hashlib, label)}
    others = {"rvh": rvh, "weights_from": weights_from, "pandas": pandas, "Migration": Migration}
    others |= {"Modulo": Modulo, "postgresql": postgresql, "spark": spark}
    own = {
        name: copy(value) if isinstance(value, list) else value
        for name, value in case.names.items()
    }
    return {**tools, **others, "np": np, "numpy": np, "NODES": NODES, "SET": SET, **own}


def error_of(case: Case, names: dict[str, Any]) -> str:
    with pytest.raises(RVHError) as caught:
        eval(case.call, names)
    return str(caught.value)


@pytest.mark.parametrize("name", CASES)
def test_advice_works(name: str) -> None:
    case = CASES[name]
    names = scope(case)
    assert case.advice in error_of(case, names)
    if "(" in case.takes:
        eval(case.takes, names)
        return
    for way in re.split(r" or (?=\w+[.(])", case.advice):
        names = scope(case)
        exec(f"{case.takes} = {way.removeprefix(f'{case.takes}=')}", names)
        eval(case.call, names)


def advice_in_source() -> Iterator[tuple[str, str]]:
    """Each string of src/rvh with an example in it, and the pattern of what it becomes."""
    root = Path(rvh.__file__).parent
    for path in sorted(root.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inner = {
            part
            for each in ast.walk(tree)
            if isinstance(each, ast.JoinedStr)
            for part in ast.walk(each)
            if part is not each
        }
        documents = {each.value for each in ast.walk(tree) if isinstance(each, ast.Expr)}
        for each in ast.walk(tree):
            if each in inner or each in documents:
                continue
            if isinstance(each, ast.JoinedStr):
                texts = [
                    part.value if isinstance(part, ast.Constant) else None for part in each.values
                ]
            elif isinstance(each, ast.Constant) and isinstance(each.value, str):
                texts = re.split(r"(\{0\})", each.value)
                texts = [None if part == "{0}" else part for part in texts]
            else:
                continue
            shown = "".join("..." if part is None else str(part) for part in texts)
            if "for example " in shown:
                pattern = "".join(".*" if part is None else re.escape(str(part)) for part in texts)
                yield f"{path.relative_to(root)}: {shown}", pattern


def test_all_advice_is_run() -> None:
    messages = [error_of(case, scope(case)) for case in CASES.values()]
    left = [
        shown
        for shown, pattern in advice_in_source()
        if not any(re.search(pattern, message, re.DOTALL) for message in messages)
        and not any(each in shown for each in ELSEWHERE)
    ]
    assert left == []


@pytest.mark.parametrize(
    "name", ["balanced", "cache", "faultset", "filter", "geohash", "multi", "ring", "stable"]
)
def test_modules_that_advice_names_are_there_after_import_rvh(name: str) -> None:
    """Without being loaded before they are asked for."""
    code = f"""
        import rvh, sys
        print("rvh.{name}" in sys.modules, hasattr(rvh, "nonsense"))
        print(rvh.{name}.__name__)
    """
    assert output(code) == f"False False\nrvh.{name}\n"


def test_missing_values_among_floats_and_moments_are_told() -> None:
    """A cast would make the text of them a key."""
    for keys in (np.array([1.5, np.nan]), np.array(["NaT", "2020"], "M8[D]")):
        with pytest.raises(RVHError, match="fill or leave out what is missing first"):
            rvh.select_batch(NODES, keys)


@pytest.mark.parametrize(
    ("column", "casts"),
    [
        (pa.array([True]), ["an integer type"]),
        (pa.array([Decimal(1)]), ["int64", "string"]),
        (pa.array([np.float16(1)], pa.float16()), ["string"]),
        (pa.array([1.5]), ["string"]),
        (pa.array([DAY]), ["int32", "string"]),
        (pa.array([DAY], pa.date64()), ["int64", "string"]),
        (pa.array([1], pa.time32("s")), ["int32", "string"]),
        (pa.array([1], pa.time32("ms")), ["int32", "string"]),
        (pa.array([1], pa.time64("us")), ["int64", "string"]),
        (pa.array([1], pa.timestamp("us", "UTC")), ["int64", "string"]),
        (pa.array([1], pa.duration("s")), ["int64"]),
        (pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1], pa.int8())), ["an integer type"]),
    ],
    ids=lambda each: str(getattr(each, "type", "")),
)
def test_a_cast_of_arrow_that_is_advised_can_be_made(column: Any, casts: list[str]) -> None:
    with pytest.raises(RVHError) as caught:
        rvh.select_batch(NODES, column)
    assert str(caught.value).endswith(f"cast it to {' or to '.join(casts)}") or (
        f"cast it to {' or to '.join(casts)} if" in str(caught.value)
    )
    for cast in casts:
        rvh.select_batch(NODES, column.cast("int8" if "integer" in cast else cast))


def test_a_cast_that_arrow_cannot_make_is_for_where_the_column_comes_from() -> None:
    interval = pa.array([(1, 2, 3)], pa.month_day_nano_interval())
    with pytest.raises(RVHError, match="cast it to string where it comes from"):
        rvh.select_batch(NODES, interval)
