"""Values that NumPy and Python take for numbers, text or bytes half-way: an error of rvh's, always.

Arrays of one number, truth values and text in arrays without dimensions, code points that are none,
memoryviews that were released or have other than one dimension: given wherever a number, a key, a
node or a label goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rvh
from rvh import RVHError
from rvh.balanced import BalancedAssigner, assign_balanced, capacities
from rvh.cache import SelectionCache
from rvh.faultset import FaultSet
from rvh.filter import capacity, label
from rvh.geohash import GeoSet, encode
from rvh.migration import Migration
from rvh.multi import compose_keys
from rvh.partitions import PartitionTable
from rvh.ring import ketama, nginx
from rvh.stable import StableSelector, jump_batch, jump_hash, jumpback_batch
from rvh.weighted import weights_from

SET = rvh.NodeSet(["a", "b", "c"])
WEIGHTED = rvh.NodeSet(["a"], weights=[1])
GEO = GeoSet(SET, ["u0", "u1", "gc"])
TABLE, RING, FAULTS = PartitionTable(SET, 64), ketama(["a", "b", "c"]), FaultSet(SET)
MOVING = Migration(RING, SET)
Call = Callable[[Any], Any]

#: where one whole number goes
WHOLE: dict[str, Call] = {
    "k": lambda v: SET.argselect_batch(["x"], k=v),
    "k of one key": lambda v: SET.select("x", v),
    "threads": lambda v: SET.select_batch(["x"], threads=v),
    "threads of scores": lambda v: SET.score_batch(["x"], threads=v),
    "buckets": lambda v: jump_batch(["x"], v),
    "buckets of one key": lambda v: jump_hash("x", v),
    "threads of jumpback": lambda v: jumpback_batch(["x"], 3, threads=v),
    "partitions": lambda v: PartitionTable(SET, v),
    "k of a table": lambda v: PartitionTable(SET, 64, v),
    "threads of a table": lambda v: TABLE.lookup_batch(["x"], threads=v),
    "k of a ring": lambda v: RING.lookup("x", v),
    "threads of a ring": lambda v: RING.lookup_batch(["x"], threads=v),
    "maxsize": lambda v: SelectionCache(SET, v),
    "max_bytes": lambda v: SelectionCache(SET, 9, max_bytes=v),
    "threads of a cache": lambda v: SelectionCache(SET, 9).select_batch(["x"], threads=v),
    "keys of capacities": lambda v: capacities(SET, v),
    "threads of assign_balanced": lambda v: assign_balanced(SET, ["x"], threads=v),
    "precision": lambda v: GeoSet(SET, ["u0", "u1", "gc"], precision=v),
    "precision of encode": lambda v: encode(1.0, 2.0, v),
    "k of a GeoSet": lambda v: GEO.select_batch(["x"], v, geohash=["u0"]),
    "threads of a GeoSet": lambda v: GEO.select_batch(["x"], geohash=["u0"], threads=v),
    "k of a FaultSet": lambda v: FAULTS.select_batch(["x"], v),
    "threads of a FaultSet": lambda v: FAULTS.select_batch(["x"], threads=v),
    "k of a migration": lambda v: Migration(RING, SET, v),
    "steps": MOVING.plan,
    "a step": lambda v: MOVING.plan(4).finish(v),
    "k of a StableSelector": lambda v: StableSelector(["a", "b"]).select("x", v),
}
#: where one number goes
NUMBER: dict[str, Call] = {
    "a factor": lambda v: assign_balanced(SET, ["x"], load_factor=v),
    "a factor of capacities": lambda v: capacities(SET, 3, v),
    "a factor of an assigner": lambda v: BalancedAssigner(SET, load_factor=v),
    "a latitude": lambda v: encode(v, 2.0),
    "a longitude of a key": lambda v: GEO.select("x", latitude=1.0, longitude=v),
    "progress": lambda v: MOVING.owners_batch(["x"], v),
    "a least capacity": lambda v: capacity(v)(SET, {"capacity": [1, 2, 3]}),
    "a weight": lambda v: rvh.NodeSet(["a"], weights=[v]),
    "a weight of ketama": lambda v: ketama(["a"], [v]),
    "a weight of nginx": lambda v: nginx(["a"], [v]),
}
#: where several of something go
SEVERAL: dict[str, Call] = {
    "keys": SET.select_batch,
    "keys for Arrow": SET.select_arrow,
    "keys of jump": lambda v: jump_batch(v, 9),
    "a part": lambda v: compose_keys(v, [1, 2]),
    "a key": SET.select,
    "a key among others": lambda v: SET.select_batch(["x", v]),
    "nodes": rvh.NodeSet,
    "a node among others": lambda v: rvh.NodeSet(["x", v]),
    "nodes that are added": SET.add,
    "nodes that are removed": SET.remove,
    "labels": lambda v: rvh.NodeSet(["a", "b"], domains={"zone": v}),
    "a label among others": lambda v: rvh.NodeSet(["a", "b"], domains={"zone": ["x", v]}),
    "attributes": lambda v: label("zone", "x")(rvh.NodeSet(["a", "b"]), {"zone": v}),
    "weights": lambda v: rvh.NodeSet(["a", "b"], weights=v),
    "weights that are added": lambda v: WEIGHTED.add(["y", "z"], weights=v),
    "measures": lambda v: weights_from(stake=v),
    "latitudes": lambda v: encode(v, [1.0, 2.0]),
    "places": lambda v: GEO.select_batch(["x", "y"], geohash=v),
    "a mask": lambda v: rvh.NodeSet(["a", "b"]).subset(v),
    "who is alive": lambda v: FaultSet(rvh.NodeSet(["a", "b"]), alive=v),
    "a secret": lambda v: rvh.NodeSet(["a"], secret=v),
}

SEVERAL_IN_ONE = [np.array([1]), np.array([[1]]), np.array([1, 2]), np.array([1.0]), [1]]
NOT_WHOLE: list[Any] = [
    *SEVERAL_IN_ONE,
    *(np.array(True), np.array("1"), np.array(1.0), np.bool_(True), np.array([True])),
    *(np.timedelta64(1, "s"), np.array(1, "m8[s]"), np.array(1, "M8[s]"), np.array(1j)),
    *("1", b"1", 1j, float("nan"), np.ma.masked, np.void(b"\1"), object()),
]
NO_NUMBER: list[Any] = [
    *(np.array([[1]]), np.array([1, 2]), np.array(True), np.array("1"), np.bool_(True)),
    *(np.timedelta64(1, "s"), np.array(1, "m8[s]"), np.array(1, "M8[s]"), np.array(1j)),
    *("1", b"1", 1j, np.ma.masked, np.void(b"\1"), object()),
]


def released() -> memoryview:
    view = memoryview(b"ab")
    view.release()
    return view


NO_TEXT = np.array([0x110000, 0x61], np.uint32).view("U1")
UNREADABLE: dict[str, Any] = {
    "code points beyond Unicode": NO_TEXT,
    "a code point beyond Unicode": NO_TEXT[:1].reshape(()),
    "code points in two dimensions": NO_TEXT.reshape(2, 1),
    "a released memoryview": released(),
    "a memoryview of two dimensions": memoryview(b"abcd").cast("B", (2, 2)),
    "a memoryview of none": memoryview(np.array(5)),
}


def written(value: object) -> str:
    """The same in every process: without an address."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


@pytest.mark.parametrize("value", NOT_WHOLE, ids=written)
@pytest.mark.parametrize("call", WHOLE)
def test_no_whole_number(call: str, value: Any) -> None:
    with pytest.raises(RVHError):
        WHOLE[call](value)


@pytest.mark.parametrize("call", [name for name in WHOLE if name != "a step"])
def test_whole_numbers_of_numpy(call: str) -> None:
    for value in (np.int8(1), np.array(1), np.uint64(1)):
        WHOLE[call](value)


@pytest.mark.parametrize("value", NO_NUMBER, ids=written)
@pytest.mark.parametrize("call", NUMBER)
def test_no_number(call: str, value: Any) -> None:
    with pytest.raises(RVHError):
        NUMBER[call](value)


@pytest.mark.parametrize("value", UNREADABLE)
@pytest.mark.parametrize("call", SEVERAL)
def test_unreadable(call: str, value: str) -> None:
    with pytest.raises(RVHError):
        SEVERAL[call](UNREADABLE[value])


@pytest.mark.parametrize("value", [v for v in UNREADABLE if v != "a memoryview of none"])
@pytest.mark.parametrize("call", NUMBER)
def test_unreadable_numbers(call: str, value: str) -> None:
    with pytest.raises(RVHError):
        NUMBER[call](UNREADABLE[value])


def test_memoryviews_of_numbers() -> None:
    halves = memoryview(np.array([1, 2], np.float16))  # a format that Python does not read
    assert rvh.NodeSet(["a", "b"], weights=halves).weights.tolist() == [1, 2]
    assert weights_from(stake=halves).tolist() == weights_from(stake=[1, 2]).tolist()
    assert WEIGHTED.add(["y", "z"], weights=halves).weights.tolist() == [1, 1, 2]
    with pytest.raises(rvh.RVHTypeError, match="float16"):
        SET.select_batch(halves)
