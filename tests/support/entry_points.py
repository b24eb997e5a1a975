"""Every public call that reaches compiled code, with keys of each kind, and calls that fail.

For what holds of all of them, as that they keep no memory. Each is called without arguments; what
`FAILING` has ends in an error of rvh's.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

import rvh
from rvh.balanced import BalancedAssigner, assign_balanced
from rvh.cache import SelectionCache
from rvh.faultset import FaultSet
from rvh.geohash import GeoSet
from rvh.migration import Migration
from rvh.multi import compose_keys, select_multi
from rvh.partitions import PartitionTable
from rvh.placements import clandestined, kafka, spark
from rvh.ring import ketama
from rvh.stable import StableSelector, jump_batch, jump_hash, jumpback_batch

Call = Callable[[], Any]

N = 40
IDS = [f"node{n}" for n in range(9)]
ZONES = [f"zone{n % 3}" for n in range(9)]
TEXTS = [f"k\xe9y{n}" for n in range(N)]
MIXED = [TEXTS[0], 5, b"bytes", uuid.UUID(int=7), np.int32(4), bytearray(b"abc"), *TEXTS]

#: keys in every form that is read in a way of its own
KEYS: dict[str, Any] = {
    "a list": MIXED,
    "a tuple": tuple(TEXTS),
    "S": np.array([f"key{n}" for n in range(N)]).astype("S"),
    "U": np.array(TEXTS),
    "V": np.frombuffer(b"0123" * N, "V4"),
    "StringDType": np.array(TEXTS, dtype=np.dtypes.StringDType()),
    "objects": np.array([*TEXTS, 3, b"b"], dtype=object),
    "int64": np.arange(N),
    "uint8, backwards": np.arange(N, dtype=np.uint8)[::-1],
    "big-endian": np.arange(N, dtype=">i4"),
    "Arrow string": pa.array(TEXTS),
    "Arrow string_view": pa.array(["a text longer than a view", *TEXTS], pa.string_view()),
    "Arrow large_binary": pa.array([text.encode() for text in TEXTS], pa.large_binary()),
    "Arrow integers": pa.array(range(N)),
    "an Arrow dictionary": pa.array(TEXTS).dictionary_encode(),
    "Arrow chunks": pa.chunked_array([TEXTS[:3], [], TEXTS[3:]]),
}
#: keys of which one is wrong
WRONG: dict[str, Any] = {
    "a list with a float": [*TEXTS, 1.5],
    "a list with a lone surrogate": [*TEXTS, "\ud800"],
    "objects with None": np.array([*TEXTS, None], dtype=object),
    "an integer of 65 bits": [*TEXTS, 2**64],
    "floats": np.arange(3.0),
    "two dimensions": np.zeros((2, 2), dtype=int),
    "no code points": np.array([0x110000], np.uint32).view("U1"),
    "Arrow with a null": pa.array([*TEXTS, None]),
    "Arrow chunks with a null": pa.chunked_array([TEXTS, [None]]),
    "Arrow floats": pa.array([1.5]),
    "no keys": 5,
}

SET = rvh.NodeSet(IDS)
WEIGHTED = rvh.NodeSet(IDS, weights=range(1, 10), domains={"zone": ZONES})
MURMUR = rvh.NodeSet(IDS, scheme="murmur")
FAULTS = FaultSet(WEIGHTED, alive=[n % 4 > 0 for n in range(9)])
TABLE, RING, CACHE = PartitionTable(SET, 64, 2), ketama(IDS), SelectionCache(SET, 16)
GEO = GeoSet(SET, ["u0", "u1", "gc"] * 3)
STABLE, NAMES = StableSelector(IDS), clandestined(IDS)
SPARK, KAFKA = spark(16, "bigint"), kafka(16)
MOVING = Migration(RING, SET)
ROWS = SET.select_batch(TEXTS, 2)
INTEGERS = np.arange(N)


def _assign_and_release() -> None:
    assigner = BalancedAssigner(SET)
    assigner.assign_batch(TEXTS)
    assigner.release(TEXTS[:5])
    assigner.update(IDS[:7])


CALLS: dict[str, Call] = {
    **{f"select_batch, {kind}": partial(SET.select_batch, keys, 2) for kind, keys in KEYS.items()},
    **{f"select, {type(key).__name__}": partial(SET.select, key, 2) for key in MIXED[:6]},
    **{f"ring, {kind}": partial(RING.lookup_batch, KEYS[kind], 2) for kind in ("a tuple", "S")},
    **{f"jump, {kind}": partial(jump_batch, KEYS[kind], 9) for kind in ("a list", "U", "int64")},
    "select of many": partial(SET.select, "key", 9),
    "argselect_batch, weighted": partial(WEIGHTED.argselect_batch, TEXTS, 3),
    "argselect_batch, murmur": partial(MURMUR.argselect_batch, KEYS["U"], 3),
    "score_batch": partial(WEIGHTED.score_batch, KEYS["S"]),
    "scores": partial(SET.scores, "key"),
    "assign": partial(SET.assign, TEXTS),
    "select_arrow": partial(SET.select_arrow, KEYS["Arrow string"]),
    "rendezvous_hash": partial(rvh.rendezvous_hash, IDS, "key", 2),
    "rvh.select_batch": partial(rvh.select_batch, IDS, TEXTS),
    "NodeSet": partial(rvh.NodeSet, IDS, weights=range(9), domains={"zone": ZONES}),
    "NodeSet, murmur": partial(rvh.NodeSet, IDS, scheme="murmur"),
    "NodeSet, secret": partial(rvh.NodeSet, IDS, secret=b"sixteen bytes of"),
    "add and remove": lambda: SET.add(["a", "b"]).remove("node3").fingerprint,
    "subset": partial(WEIGHTED.subset, [True] * 4 + [False] * 5),
    "FaultSet.select_batch": partial(FAULTS.select_batch, TEXTS, 2, spread="zone"),
    "FaultSet.select": partial(FAULTS.select, "key", 2, spread="zone"),
    "FaultSet.repair": partial(FAULTS.repair, TEXTS, ROWS, 2),
    "PartitionTable": partial(PartitionTable, SET, 64, 2),
    "lookup": partial(TABLE.lookup, "key"),
    "lookup_batch": partial(TABLE.lookup_batch, TEXTS),
    "partition_batch": partial(TABLE.partition_batch, KEYS["int64"]),
    "ketama": partial(ketama, IDS[:2]),
    "ring, one key": partial(RING.lookup, "key", 3),
    "token_batch": partial(RING.token_batch, TEXTS),
    "lookup_tokens": partial(RING.lookup_tokens, RING.tokens[:20], 2),
    "SelectionCache": partial(SelectionCache, SET, 9),
    "SelectionCache.select": partial(CACHE.select, "key", 2),
    "SelectionCache.select_batch": partial(CACHE.select_batch, TEXTS, 2),
    "GeoSet.select_batch": partial(GEO.select_batch, TEXTS[:3], geohash=["u09", "gcp", "u1"]),
    "jump_hash": partial(jump_hash, "key", 9),
    "jumpback_batch": partial(jumpback_batch, TEXTS, 9),
    "StableSelector.select_batch": partial(STABLE.select_batch, TEXTS, 2),
    "compose_keys": partial(compose_keys, TEXTS, INTEGERS, KEYS["S"]),
    "select_batch, composed": lambda: SET.select_batch(compose_keys(TEXTS, INTEGERS)),
    "select_multi": partial(select_multi, SET, [TEXTS, INTEGERS], 2),
    "spark": partial(SPARK.slot_batch, INTEGERS),
    "kafka": partial(KAFKA.slot_batch, TEXTS),
    "clandestined": partial(NAMES.lookup_batch, TEXTS, 2),
    "assign_balanced": partial(assign_balanced, SET, TEXTS),
    "BalancedAssigner": _assign_and_release,
    "Migration": partial(MOVING.owners_batch, TEXTS, 0.5),
}
FAILING: dict[str, Call] = {
    **{f"select_batch, {kind}": partial(SET.select_batch, keys) for kind, keys in WRONG.items()},
    **{f"ring, {kind}": partial(RING.lookup_batch, keys) for kind, keys in WRONG.items()},
    "k": partial(SET.select_batch, TEXTS, 10),
    "k of one key": partial(SET.select, "key", 0),
    "a key": partial(SET.select, 1.5),
    "a lone surrogate": partial(SET.select, "\ud800"),
    "threads": partial(SET.select_batch, TEXTS, threads=0),
    "an id twice": partial(rvh.NodeSet, [*IDS, "node3"]),
    "an empty id": partial(rvh.NodeSet, [*IDS, ""]),
    "a weight": partial(rvh.NodeSet, IDS, weights=[-1] * 9),
    "the scheme": partial(rvh.NodeSet, IDS, scheme="md5"),
    "a part": partial(compose_keys, TEXTS, [*TEXTS[1:], 1.5]),
    "parts of two lengths": partial(compose_keys, TEXTS, [1]),
    "jump of wrong keys": partial(jump_batch, WRONG["a list with a float"], 9),
    "buckets": partial(jump_batch, TEXTS, 0),
    "a cached key": partial(CACHE.select, 1.5),
    "cached keys": partial(CACHE.select_batch, WRONG["objects with None"]),
    "a partition's key": partial(TABLE.lookup, None),
    "a place": partial(GEO.select_batch, TEXTS[:1], geohash=["a"]),
    "typed keys": partial(SPARK.slot_batch, WRONG["floats"]),
    "balanced keys": partial(assign_balanced, SET, WRONG["a list with a float"]),
}
