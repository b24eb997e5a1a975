"""Every public function, class and method of rvh, called with arguments right and wrong.

Arguments are drawn by the names of parameters: `RIGHT` has what each may be. All that has a length
has 3 of it, so that most calls are sound. A wrong argument is anything at all.
"""

from __future__ import annotations

import asyncio
import inspect
import types
from collections.abc import Iterator
from fractions import Fraction
from importlib import import_module
from itertools import islice
from typing import Any, NamedTuple, get_origin
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
from anything import nested
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rvh.migration import Phase
from rvh.placements import HASHES, REDUCTIONS
from rvh.ring import INTEGERS, Ring

__all__ = ["CASES", "Made", "run"]

MODULES = (
    *("rvh", "rvh.balanced", "rvh.cache", "rvh.faultset", "rvh.filter", "rvh.geohash", "rvh.multi"),
    *(
        "rvh.migration",
        "rvh.partitions",
        "rvh.placements",
        "rvh.ring",
        "rvh.stable",
        "rvh.weighted",
    ),
    *("rvh.membership", "rvh.integrations.polars", "rvh.integrations.pandas"),
)
#: what needs files, other processes or callbacks, or only holds what it is given
APART = {
    *("Change", "Coordinator", "Document", "ExprNamespace", "FrameAccessor", "Membership"),
    *("NodeMeta", "Publisher", "SeriesAccessor", "SeriesNamespace", "Snapshot", "Source", "State"),
    *("Stats", "Store", "StoreError", "Worker", "backend", "copy", "purge", "read_once", "Filter"),
    *("Published", "Refused", "Status", "Phase", "Estimate", "Loads", "read_document", "with_node"),
    *("RVHError", "RVHTypeError", "Estimator", "Flows", "Steps", "Seconds", "share_moved", "Step"),
    *(
        "weigh_by",
        "SlotTable",
        "take_snapshot",
        "given_weights",
        "open_source",
        "Ring",
        "Plan",
        "MigrationAt",
    ),
}
#: methods with a part of those; and those that hash the text of any object, an address in it too
METHODS_APART = {
    *("save", "load", "print_continuum", "resume", "estimate", "with_nodes", "moved"),
    *("gen_key", "get_key", "hashi"),
}


class Made(NamedTuple):
    """An object that is made by a call, perhaps of an object that is made."""

    path: str
    args: dict[str, Any]

    def __call__(self) -> Any:
        owner, _, name = self.path.partition(":")
        found: Any = import_module(owner)
        for part in name.split("."):
            found = getattr(found, part)
        return called(found, self.args)


class Case(NamedTuple):
    """A call, and then one of a method of what it gives."""

    first: Made
    method: str = ""
    args: dict[str, Any] | None = None


def called(function: Any, args: dict[str, Any]) -> Any:
    """Call with arguments by their names, and with those of * first."""
    named = {name: each() if isinstance(each, Made) else each for name, each in args.items()}
    return function(*named.pop("*", ()), **named)


def run(case: Case) -> Any:
    """Make the calls; what they give, as far as it can be compared."""
    made = case.first()
    if case.method:
        made = called(getattr(made, case.method), case.args or {})
    if inspect.iscoroutine(made):
        made = asyncio.run(made)
    if isinstance(made, pl.Expr):
        return "an expression"  # whose text has an address in it
    return list(islice(made, 20)) if isinstance(made, (types.GeneratorType, Iterator)) else made


# -- what is right ---------------------------------------------------------------------------------


def pick(values: list[Any]) -> Any:
    """One of some values, which need not be hashable."""
    return st.integers(0, len(values) - 1).map(lambda at: values[at])


IDS = ["a", "b", "é"]
TEXTS = ["", "user:1", "é😀"]
NODE_SETS = [
    Made("rvh:NodeSet", {"ids": IDS}),
    Made("rvh:NodeSet", {"ids": IDS, "weights": [1.0, 0.0, 2.5], "scheme": "murmur"}),
    Made("rvh:NodeSet", {"ids": IDS, "domains": {"zone": ["x", "y", "x"]}, "secret": b"s"}),
]
integers = pick([*"bhiqBHIQ"]).flatmap(
    lambda code: pick(["<", ">"]).flatmap(
        lambda order: hnp.arrays(np.dtype(code).newbyteorder(order), 6)
    )
)
strided = integers.flatmap(lambda each: pick([each[::2], each[:3], each[5:2:-1]]))
some_texts = st.lists(st.text(max_size=9), min_size=3, max_size=3)
kinds = pick([pa.string(), pa.large_string(), pa.string_view(), pa.binary()])
arrow = st.tuples(some_texts, kinds, st.booleans()).map(
    lambda each: (
        pa.array(["", *each[0]], pa.string()).cast(each[1])[1:]
        if each[2]
        else pa.chunked_array([each[0][:2], each[0][2:]], pa.string())
    )
)
keys = st.one_of(
    *(some_texts, strided, arrow),
    st.lists(st.integers(-(2**63), 2**64 - 1), min_size=3, max_size=3),
    st.tuples(st.text(max_size=3), st.binary(max_size=20), st.integers(-5, 5)).map(list),
    some_texts.map(lambda each: np.array([x.rstrip("\0") for x in each])),
    some_texts.map(lambda each: np.array([x.encode() for x in each], "S")),
    some_texts.map(lambda each: np.array(each, np.dtypes.StringDType())),
    some_texts.map(lambda each: np.array(each, object)),
    some_texts.map(pl.Series),
    some_texts.map(lambda each: pl.Series(each, dtype=pl.Categorical)),
    some_texts.map(pd.Series),
    some_texts.map(lambda each: pa.array(each).dictionary_encode()),
    strided.map(lambda each: pl.Series(each.astype(each.dtype.newbyteorder("=")))),
    pick([[], range(3), memoryview(np.arange(3)), [UUID(int=7)] * 3]),
    pick([Made("rvh.multi:compose_keys", {})]),
)
key = st.one_of(st.text(max_size=20), st.binary(max_size=40), st.integers(-(2**63), 2**64 - 1))
nodes = pick(
    [
        *(IDS, tuple(IDS), np.array(IDS), np.array(IDS, object), pl.Series(IDS)),
        *(pa.array(IDS), pd.Series(IDS), [b"a", "b", b"\xff"], [f"n{n}" for n in range(40)]),
        np.array([b"a", b"bb", b"c"])[::-1],
    ]
)
node_sets = pick(NODE_SETS)
weights = pick(
    [
        *(None, [1, 2, 3], [0.0, 1.5, 2**900], {"a": 1, "b": 2, "é": 0.5}, np.ones(3, ">f4")),
        *(np.arange(6)[::2], pl.Series([1.0, 2.0, 3.0]), [Fraction(1, 3)] * 3, [2.0**-1016, 0, 0]),
    ]
)
numbers = pick([[1, 2, 3], [0.0, 1.5, 2.5], np.array([3, 1, 2], "<u2"), [5, 5, 5]])
flags = pick([None, [True, False, True], np.ones(3, bool), np.array([1, 1, 0], bool)])
domains = pick(
    [{"zone": ["x", "y", "x"]}, {"zone": [1, 2, 3], "rack": {"a": 1, "b": 1, "é": b"x"}}]
)
cells = pick([["u09t", "9q8y", "u0"], np.array(["u0", "u1", "s"]), pl.Series(["u0", "u", "9"])])
coordinates = pick([[48.1, -33.0, 0.0], np.array([1, 2, 3]), [-90.0, 90.0, 0.5]])
current = pick(
    [
        [["a", "b"], ["b", "é"], ["é", "a"]],
        np.array([[0, 1], [1, 2], [2, 0]]),
        np.array([["a", "b"], ["a", "x"], ["é", "é"]]),
        [[0, -1], [1, 1], [2, -1]],
    ]
)
small = pick([1, 1, 2, 2, 3, np.int64(2)])
#: right elsewhere, perhaps
other = pick(
    [0, -1, 4, 16, 2**31, 2**63, -(2**70), True, None, "", "x", b"a", [], 0.5, float("nan")]
)
placements = pick(
    [*NODE_SETS, Made("rvh.ring:ketama", {"nodes": IDS}), Made("rvh.ring:nginx", {"nodes": ["a"]})]
)
tokens = pick([{"a": [1, 40], "b": [20]}, {"a": [5], "b": [7, 9]}, {"a": [3], "b": [2**31]}])
RIGHT: dict[str, Any] = {
    **dict.fromkeys(("nodes", "ids"), nodes),
    **dict.fromkeys(("shards", "buckets", "partitions"), pick([3, 16, 1, IDS])),
    "slots": pick([{"a": [(0, 16383)]}, {"a": [(0, 99)], "b": [(100, 16383)]}]),
    **dict.fromkeys(("keys", "column", "columns", "tokens_", "row"), keys),
    **dict.fromkeys(("key", "prefix"), key),
    **dict.fromkeys(("k", "k_new", "threads", "max_per_domain", "count", "precision"), small),
    **dict.fromkeys(("steps", "maxsize", "max_bytes", "size", "replicas", "vnodes", "seed"), small),
    **dict.fromkeys(("spread_", "divisor", "version", "routing_shards", "partition_size"), small),
    **dict.fromkeys(("alive", "taking", "mask"), flags),
    **dict.fromkeys(("old", "new", "migration"), placements),
    **dict.fromkeys(("sizes", "stake", "capacity", "rtt", "measures"), numbers | st.none()),
    **dict.fromkeys(("latitude", "longitude"), coordinates),
    **dict.fromkeys(("tokens",), tokens),
    **dict.fromkeys(("strict", "unique", "distinct", "avalanche", "code_points"), st.booleans()),
    "weights": weights,
    "domains": domains,
    "geohash": cells,
    "current": current,
    "scheme": pick(["blake2b", "murmur"]),
    "secret": pick([b"", b"secret", bytearray(64)]),
    "dedupe": pick(["auto", True, False]),
    "policy": pick(["lru", "arc"]),
    "load_factor": pick([1.05, 1.0, 2, Fraction(5, 4)]),
    "spread": pick([None, "zone", ["zone"], ["zone", "rack"]]),
    "progress": pick([0, 0.25, Fraction(1, 3), 1.0]),
    "phase": pick([*Phase, "copying"]),
    "hash": pick([*HASHES]),
    "hash_name": pick(["crc32", "ketama", "murmur3", "md5"]),
    "hash_fn": pick(["crc32", "md5", "default", "fnv1a_64", "sdbm"]),
    "hash_tag": pick([None, "{}"]),
    "tag": pick([None, "{}"]),
    "hash_function": pick(["XX_HASH", "MURMUR_HASH_2"]),
    "integers": pick([None, *INTEGERS]),
    "hit": pick(["point", "next", "nearest"]),
    "reduce": pick([*REDUCTIONS]),
    "system": pick(["spark", "iceberg", "hive1", "hive2", "postgresql"]),
    "types": pick(["int", "string", ["int", "string"], "bigint", "date", "text"]),
    "type": pick(["int", "string", "long", "date", "uuid"]),
    "zones": pick([None, ["x", "y", "x"]]),
    "racks": pick([None, {"a": "x", "b": "y"}]),
    "datacenters": pick([None, {"a": "x", "b": "y"}]),
    "replication": pick([1, 2, {"x": 1}]),
    "compat": pick([None, "uhashring"]),
    "partitioner": pick(["murmur2", "consistent", "fnv1a"]),
    "behavior": pick(["ketama_weighted", "ketama", "consistent"]),
    "distribution": pick(["ketama", "modula"]),
    "hash_key": pick(["id", "addr", "addr-port"]),
    "hash_keys": pick([None, ["x", "y", "z"]]),
    "addresses": pick([None, ["1.2.3.4:5", "[::1]:6", "10.0.0.1:7"]]),
    "server_ids": pick([None, [1, 2, 3]]),
    "table_size": pick([251, 11]),
    "minimum_ring_size": pick([1024, 1]),
    "maximum_ring_size": pick([1024, 2048]),
    "exponents": pick([None, {"rtt": -1.0}, {"stake": 0.5, "capacity": 2}]),
    "bounds": pick([None, (0.5, 2.0)]),
    "at_least": pick([0, 1.5]),
    "node": pick(IDS),
    "conf": pick([None, {"weight": 2, "port": 1}]),
    "dead": pick([(), ["a"]]),
    "kept": pick([(), [NODE_SETS[0]]]),
    "weight_fn": st.none(),
    "name": pick(["zone", "rack"]),
    "threshold": pick([0.375, 0.5, 1]),
}


#: of these the default takes Python a second
LARGE = {"partitions", "table_size", "minimum_ring_size", "maximum_ring_size"}


def arguments(draw: st.DrawFn, function: Any) -> dict[str, Any]:
    """Arguments of a call: a few are wrong, and some that have a default are dropped."""
    drawn: dict[str, Any] = {}
    for number, each in enumerate(inspect.signature(function).parameters.values()):
        if each.kind == each.VAR_POSITIONAL and number == 0:
            drawn["*"] = draw(st.lists(RIGHT["columns"], max_size=3))
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) or each.name == "self":
            continue
        chance = draw(st.integers(0, 39))
        if chance > 37:
            drawn[each.name] = draw(nested if chance == 38 else other)
        elif each.default is each.empty or chance > 32 or each.name in LARGE:
            takes_sets = each.name == "nodes" and "NodeSet" in str(each.annotation)
            drawn[each.name] = draw(node_sets | nodes if takes_sets else RIGHT[each.name])
    return drawn


def constructors() -> Iterator[tuple[str, Any, type | None]]:
    """Each public callable: its path, itself, and the class of what it gives, if it is one."""
    for module in MODULES:
        owner = import_module(module)
        for name in owner.__all__:
            found = getattr(owner, name)
            if name in APART or not callable(found) or hasattr(found, "_fields"):
                continue
            if get_origin(found) is None:
                yield f"{module}:{name}", found, found if isinstance(found, type) else None
    yield "rvh.ring:Ring.from_tokens", Ring.from_tokens, Ring


def calls() -> Iterator[tuple[str, Any, str, Any]]:
    """Each public callable, and with it each public method of its class."""
    for path, found, kind in constructors():
        yield path, found, "", None
        for method, function in inspect.getmembers(kind, inspect.isfunction):
            if not method.startswith("_") and method not in METHODS_APART:
                yield path, found, method, function


CALLS = [*calls()]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    path, found, method, function = draw(pick(CALLS))
    first = Made(path, arguments(draw, found))
    return Case(first, method, arguments(draw, function)) if method else Case(first)


CASES = cases()
