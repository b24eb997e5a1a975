"""The way of a batch call: from floor to floor downwards, and never back up."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest
from floor_table import floors

import rvh
from rvh.balanced import BalancedAssigner, assign_balanced
from rvh.cache import SelectionCache
from rvh.faultset import FaultSet
from rvh.filter import label
from rvh.geohash import GeoSet
from rvh.migration import Migration
from rvh.multi import compose_keys, score_columns, select_columns, select_multi
from rvh.partitions import PartitionTable
from rvh.ring import RingFace, ketama
from rvh.stable import StableSelector, jump_batch, jumpback_batch

IDS = ["a", "b", "c", "d", "e"]
NODES = rvh.NodeSet(IDS, domains={"zone": ["x", "x", "y", "y", "z"]})
WEIGHTED = NODES.with_weights([1, 2, 0, 1, 3])
LIVING = FaultSet(NODES, [True, True, False, True, True])
NEAR = GeoSet(NODES, ["u33", "u33", "u34", "9q8", "9q9"])
TABLE = PartitionTable(NODES, partitions=64, k=2)
RING = ketama(IDS)
STABLE = StableSelector(IDS)
MOVING = Migration(NODES, NODES.remove("a"), 2)
KEYS = {
    "list": [f"key{n}" for n in range(300)],
    "integers": np.arange(300),
    "U, repeated": np.array(["x", "y", "z"] * 100),
    "composite": compose_keys([f"key{n}" for n in range(300)], 7),
}
PLACES = ["u33d"] * 150 + ["9q8y"] * 150

Call = Callable[[Any], object]
CALLS: dict[str, Call] = {
    "NodeSet.select_batch": lambda keys: NODES.select_batch(keys, 2),
    "NodeSet.select_batch, threads": lambda keys: NODES.select_batch(keys, 2, threads=2),
    "NodeSet.select_batch, dedupe": lambda keys: NODES.select_batch(keys, dedupe=True),
    "NodeSet.argselect_batch": lambda keys: WEIGHTED.argselect_batch(keys),
    "NodeSet.assign": lambda keys: NODES.assign(keys, threads=2),
    "NodeSet.argassign": lambda keys: WEIGHTED.argassign(keys),
    "NodeSet.score_batch": lambda keys: WEIGHTED.score_batch(keys),
    "NodeSet.select_arrow": lambda keys: NODES.select_arrow(keys, 2),
    "rvh.select_batch": lambda keys: rvh.select_batch(IDS, keys, scheme="murmur"),
    "rvh.argselect_batch": lambda keys: rvh.argselect_batch(IDS, keys),
    "rvh.score_batch": lambda keys: rvh.score_batch(IDS, keys),
    "rvh.select_arrow": lambda keys: rvh.select_arrow(IDS, keys),
    "FaultSet.select_batch": lambda keys: LIVING.select_batch(keys, 2),
    "FaultSet.select_batch, spread": lambda keys: LIVING.select_batch(keys, 2, "zone"),
    "FaultSet.argselect_batch": lambda keys: LIVING.argselect_batch(keys, 2),
    "FaultSet.argrepair": lambda keys: LIVING.argrepair(keys, [[0, 2]] * 300, 2),
    "FaultSet.repair": lambda keys: LIVING.repair(keys, [["a", "c"]] * 300, 2),
    "GeoSet.select_batch": lambda keys: NEAR.select_batch(keys, 2, geohash=PLACES),
    "PartitionTable": lambda keys: PartitionTable(IDS, partitions=300, k=2).add("f"),
    "PartitionTable.lookup_batch": lambda keys: TABLE.lookup_batch(keys),
    "PartitionTable.arglookup_batch": lambda keys: TABLE.arglookup_batch(keys),
    "PartitionTable.partition_batch": lambda keys: TABLE.partition_batch(keys),
    "StableSelector.select_batch": lambda keys: STABLE.select_batch(keys, 2),
    "StableSelector.argselect_batch": lambda keys: STABLE.argselect_batch(keys, 2),
    "jump_batch": lambda keys: jump_batch(keys, 5),
    "jumpback_batch": lambda keys: jumpback_batch(keys, 5),
    "SelectionCache.select_batch": lambda keys: SelectionCache(NODES, 100).select_batch(keys, 2),
    "assign_balanced": lambda keys: assign_balanced(NODES, keys),
    "BalancedAssigner": lambda keys: BalancedAssigner(NODES).assign_batch(keys),
    "Migration.owners_batch": lambda keys: MOVING.owners_batch(keys, 0.5),
    "Migration.moves": lambda keys: MOVING.moves(keys),
    "MigrationAt.argselect_batch": lambda keys: MOVING.at(0.5).argselect_batch(keys),
    "select_columns": lambda keys: select_columns(NODES, [keys, keys]),
    "score_columns": lambda keys: score_columns(NODES, {"one": keys}),
    "select_multi": lambda keys: select_multi(NODES, (["a", "b"], 7)),
    "Filter": lambda keys: label("zone", "x")(NODES),
    "RingFace": lambda keys: RingFace(IDS).nodes.select_batch(keys),
}
#: those of a ring refuse composite keys, and integers that nobody said how to write
OF_RINGS: dict[str, Call] = {
    "Ring.lookup_batch": lambda keys: RING.lookup_batch(keys, 2),
    "Ring.arglookup_batch": lambda keys: RING.arglookup_batch(keys, 2),
    "Ring.token_batch": lambda keys: RING.token_batch(keys),
}


def calls_up(call: Callable[[], object]) -> set[str]:
    """Calls of a function of rvh by one that stands on a lower floor."""
    floor, found = floors(), set()

    def part(frame: FrameType | None) -> str | None:
        """The part whose code runs, or the nearest that called what runs."""
        while frame is not None:
            name = frame.f_globals.get("__name__", "")
            if name == "rvh" or name.startswith("rvh."):
                return str(name)
            frame = frame.f_back
        return None

    def look(frame: FrameType, event: str, _: object) -> None:
        callee, caller = frame.f_globals.get("__name__", ""), part(frame.f_back)
        if event == "call" and caller is not None and callee.startswith("rvh."):
            above, below = ([*name.split("."), "rvh"][1] for name in (callee, caller))
            if above != below and floor[above] >= floor[below]:
                found.add(f"{caller} calls {callee}: {frame.f_code.co_name}")

    threading.setprofile(look)
    sys.setprofile(look)
    try:
        call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return found


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("name", CALLS)
def test_no_call_goes_back_up(name: str, kind: str) -> None:
    assert calls_up(lambda: CALLS[name](KEYS[kind])) == set()


@pytest.mark.parametrize("kind", ["list", "U, repeated"])
@pytest.mark.parametrize("name", OF_RINGS)
def test_no_call_of_a_ring_goes_back_up(name: str, kind: str) -> None:
    assert calls_up(lambda: OF_RINGS[name](KEYS[kind])) == set()


def test_a_call_up_is_seen() -> None:
    from rvh._batch.threads import over_rows

    def work(keys: Any, start: int, stop: int, out: Any, cancel: Any) -> None:
        NODES.select_batch(keys)

    calls = calls_up(lambda: over_rows(work, ["key"], np.empty(1), 1, 1))
    assert "rvh._batch.threads calls rvh.nodes: select_batch" in calls
