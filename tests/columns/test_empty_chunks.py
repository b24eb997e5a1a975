"""Chunks without elements: first, in the middle, last, or nothing else, in every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import rvh
from rvh.balanced import BalancedAssigner, assign_balanced
from rvh.cache import SelectionCache
from rvh.faultset import FaultSet
from rvh.filter import label
from rvh.geohash import GeoSet
from rvh.migration import Migration
from rvh.multi import compose_keys, score_columns, select_columns, select_multi
from rvh.partitions import PartitionTable
from rvh.ring import ketama
from rvh.stable import StableSelector, jump_batch, jumpback_batch

NODES = ["alpha", "beta", "gamma", "delta"]
SET = rvh.NodeSet(NODES)
GEO = GeoSet(SET, ["u0", "u1", "gc", "9q"])
TABLE, RING = PartitionTable(SET, 64), ketama(NODES)

CUTS: dict[str, list[list[str]]] = {
    "last": [["u0", "u1"], []],
    "first": [[], ["u0", "u1"]],
    "in the middle": [["u0"], [], ["u1"]],
    "everywhere": [[], [], ["u0"], [], [], ["u1", "gc"], [], []],
    "nothing else": [[]],
    "several and nothing else": [[], [], []],
    "none": [],
}

CALLS: dict[str, Callable[[Any], Any]] = {
    "argselect_batch": SET.argselect_batch,
    "select_batch, k = 2": lambda keys: SET.select_batch(keys, 2),
    "select_batch, repeated": lambda keys: SET.select_batch(keys, dedupe=True),
    "select_batch, two threads": lambda keys: SET.select_batch(keys, threads=2),
    "score_batch": SET.score_batch,
    "select_arrow": lambda keys: SET.select_arrow(keys).indices,
    "rvh.select_batch": lambda keys: rvh.select_batch(NODES, keys),
    "weighted": lambda keys: SET.with_weights([1, 2, 3, 4]).select_batch(keys),
    "jump_batch": lambda keys: jump_batch(keys, 9),
    "jumpback_batch": lambda keys: jumpback_batch(keys, 9),
    "StableSelector": lambda keys: StableSelector(NODES).select_batch(keys, 2),
    "PartitionTable": TABLE.lookup_batch,
    "PartitionTable.partition": TABLE.partition_batch,
    "Ring": lambda keys: RING.lookup_batch(keys, 2),
    "SelectionCache": lambda keys: SelectionCache(SET, maxsize=64).select_batch(keys),
    "FaultSet": lambda keys: FaultSet(SET).select_batch(keys, 2).nodes,
    "GeoSet, keys": lambda keys: GEO.select_batch(keys, geohash=["u0"] * len(keys)),
    "GeoSet, places": lambda keys: GEO.select_batch(["k"] * len(keys), geohash=keys),
    "GeoSet, both": lambda keys: GEO.select_batch(keys, 2, geohash=keys),
    "assign_balanced": lambda keys: assign_balanced(SET, keys, load_factor=9),
    "BalancedAssigner": lambda keys: BalancedAssigner(SET, load_factor=9).assign_batch(keys),
    "Migration": lambda keys: Migration(RING, SET).owners_batch(keys, 0.5),
    "compose_keys": lambda keys: list(compose_keys(keys).iter_bytes()),
    "compose_keys, twice": lambda keys: list(compose_keys(keys, 1, keys).iter_bytes()),
    "compose_keys, a list": lambda keys: list(
        compose_keys(range(len(keys)), keys, b"x").iter_bytes()
    ),
    "select_multi": lambda keys: select_multi(SET, (keys, 7)),
    "select_columns": lambda keys: select_columns(SET, [keys])[0],
    "score_columns": lambda keys: score_columns(SET, {"a": keys})["a"],
}


def forms(cut: list[list[str]]) -> list[Any]:
    texts = pa.chunked_array(cut, pa.string())
    found = [
        texts,
        texts.cast(pa.string_view()),
        texts.cast(pa.large_binary()),
        pa.table({"key": texts}),
        texts.dictionary_encode() if cut else texts,
        pa.chunked_array([pa.array(part).dictionary_encode() for part in cut if part] or [["u0"]]),
    ][: 6 if any(cut) else 5]
    if cut:
        series = [pl.Series(part, dtype=pl.String) for part in cut]
        found.append(pl.concat(series, rechunk=False))
    return found


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("cut", CUTS)
def test_the_answers_are_those_of_a_list(call: str, cut: str) -> None:
    plain = [text for part in CUTS[cut] for text in part]
    expected = CALLS[call](plain)
    for keys in forms(CUTS[cut]):
        found = CALLS[call](keys)
        assert np.array_equal(found, expected), keys
        assert np.shape(found) == np.shape(expected)


@pytest.mark.parametrize("cut", CUTS)
def test_integers(cut: str) -> None:
    parts = [[len(text) + n for n, text in enumerate(part)] for part in CUTS[cut]]
    plain = [number for part in parts for number in part]
    keys = pa.chunked_array(parts, pa.int32())
    assert np.array_equal(SET.select_batch(keys), SET.select_batch(plain))
    assert np.array_equal(jump_batch(keys, 9), jump_batch(plain, 9))
    assert list(compose_keys(keys, "x").iter_bytes()) == list(compose_keys(plain, "x").iter_bytes())


@pytest.mark.parametrize("cut", ["last", "first", "in the middle", "everywhere"])
def test_as_nodes_and_labels(cut: str) -> None:
    plain = [text for part in CUTS[cut] for text in part]
    for ids in forms(CUTS[cut]):
        assert list(rvh.NodeSet(ids)) in (plain, [text.encode() for text in plain])
    labels = pa.chunked_array(CUTS[cut], pa.string())
    nodes = rvh.NodeSet(NODES[: len(plain)], domains={"zone": labels})
    assert nodes.domains["zone"] == tuple(plain)
    mask = label("zone", "u0")(nodes, {"zone": labels})
    assert mask.tolist() == [text == "u0" for text in plain]


@pytest.mark.parametrize("cut", ["nothing else", "several and nothing else", "none"])
def test_no_nodes(cut: str) -> None:
    with pytest.raises(rvh.RVHError, match="no nodes"):
        rvh.NodeSet(pa.chunked_array(CUTS[cut], pa.string()))
