"""Record what rvh pickles, as golden/pickles/NAME.json: python tests/golden/make_pickles.py NAME.

Run it with a commit's own rvh, once for each commit whose pickles must go on being read: a name is
never written again. `package/test_pickles.py` reads them all.
"""

from __future__ import annotations

import base64
import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import rvh
from rvh import errors, geohash, migration, ring, stable
from rvh import filter as filters
from rvh.cache import SelectionCache
from rvh.faultset import FaultSet
from rvh.geohash import GeoSet
from rvh.keys import KeyColumn, Kind, Spans, Views, column
from rvh.multi import compose_keys
from rvh.partitions import PartitionTable
from rvh.placements import Modulo, Rendezvous, TokenMap, spark

FOLDER = Path(__file__).parent / "pickles"
IDS = ["a", "b", "c", "d"]
KEYS = ["x", "é", "7", ""]


def table() -> PartitionTable:
    return PartitionTable(rvh.NodeSet(IDS), partitions=64, k=2)


def moving() -> migration.Migration:
    return migration.Migration(rvh.NodeSet(IDS[:3]), rvh.NodeSet(IDS), 2)


def views() -> KeyColumn:
    long = b"a text of more than twelve bytes"
    each = np.zeros((2, 4), dtype="<i4")
    each[0, 0] = 2
    each[0, 1] = int.from_bytes(b"ab\0\0", "little")
    each[1] = [len(long), int.from_bytes(long[:4], "little"), 0, 0]
    return KeyColumn(Kind.VIEWS, Views(each, [np.frombuffer(long, np.uint8)]))


def elements(keys: KeyColumn) -> Any:
    return [each.hex() for each in keys.iter_bytes()]


def selects(nodes: Any) -> Any:
    return [nodes.select(key, k=2) for key in KEYS]


#: name -> how it is made, and what it answers, as JSON has it
PICKLED: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "NodeSet": (lambda: rvh.NodeSet(IDS), selects),
    "NodeSet, weights and domains": (
        lambda: rvh.NodeSet(IDS, [1, 2, 0, 3], secret=b"s", domains={"zone": [1, 1, 2, 2]}),
        lambda ns: [selects(ns), ns.fingerprint, dict(ns.domains)],
    ),
    "NodeSet, murmur": (lambda: rvh.NodeSet(IDS, scheme="murmur"), selects),
    "KeyColumn, list": (lambda: column(["a", 7, b"x"]), elements),
    "KeyColumn, integers": (lambda: column(np.arange(5)[::-2]), elements),
    "KeyColumn, U": (lambda: column(np.array(["a", "é"])), elements),
    "KeyColumn, spans": (
        lambda: KeyColumn(Kind.SPANS, Spans(np.frombuffer(b"abc", np.uint8), np.array([0, 1, 3]))),
        elements,
    ),
    "KeyColumn, views": (views, elements),
    "composite keys": (lambda: compose_keys(["a", "b"], np.array([1, 2])), elements),
    "Kind": (lambda: Kind.SPANS, int),
    "PartitionTable": (table, lambda t: [t.lookup(key) for key in KEYS]),
    "FaultSet": (
        lambda: FaultSet(rvh.NodeSet(IDS), [True, True, False, True], {"rack": [1, 1, 2, 2]}),
        lambda nodes: [nodes.select(key, k=2, spread="rack") for key in KEYS],
    ),
    "GeoSet": (
        lambda: GeoSet(rvh.NodeSet(IDS), ["u33", "u34", "9q8", "9q9"]),
        lambda nodes: [nodes.select("x", k=2, geohash=g) for g in ("u33d", "9q8y")],
    ),
    "Filter": (
        lambda: (filters.label("zone", "eu-*") | filters.capacity(3)) & ~filters.near("u33"),
        lambda each: [
            repr(each),
            each(
                rvh.NodeSet(IDS, domains={"zone": ["eu-1", "us", "eu-2", "us"]}),
                {"capacity": [1, 2, 3, 4], "geohash": ["u33", "u33", "9q8", "u34"]},
            ).tolist(),
        ],
    ),
    "Ring": (lambda: ring.ketama(IDS), lambda r: [r.lookup(key, 2) for key in KEYS]),
    "Ring of tokens": (
        lambda: ring.Ring.from_tokens({"a": [5, 2**40], "b": [-7]}, "murmur3"),
        lambda r: [r.lookup(key) for key in KEYS],
    ),
    "RingFace": (lambda: ring.RingFace(IDS), lambda face: [face.get_node(key) for key in KEYS]),
    "Modulo": (
        lambda: Modulo([["a", "b"], ["b", "c"]], "crc32", tag="{}", integers="text"),
        lambda m: [[m.lookup(key, 2) for key in KEYS], m.lookup(7), m.fingerprint],
    ),
    "Modulo, 128 bits": (lambda: Modulo(12, "md5"), lambda m: m.slot_batch(KEYS).tolist()),
    "TypedModulo": (
        lambda: spark(IDS, ("string", "int")),
        lambda m: [[m.lookup((key, 7)) for key in KEYS], m.fingerprint],
    ),
    "TokenMap": (
        lambda: TokenMap([["a", "b"], ["b", "c"]], [-(2**62), 2**62], integers="int64_be"),
        lambda m: [[m.lookup(key, 2) for key in KEYS], m.lookup(7), m.fingerprint],
    ),
    "Rendezvous": (
        lambda: Rendezvous(IDS, seed=7),
        lambda r: [[r.lookup(key, 2) for key in KEYS], r.fingerprint],
    ),
    "StableSelector": (
        lambda: stable.StableSelector(IDS),
        lambda s: [s.select(key) for key in KEYS],
    ),
    "Migration": (moving, lambda m: [list(m.route(key, "switching", 0.5)) for key in KEYS]),
    "Plan": (
        lambda: moving().plan(4),
        lambda plan: [plan.state(), [plan.rows(KEYS, step).tolist() for step in plan.left()]],
    ),
    "Moved": (lambda: moving().moves(KEYS), lambda moved: [each.tolist() for each in moved]),
    "Route": (lambda: moving().route("x", "copying"), lambda route: [route.read, route.write]),
    "Moves": (
        lambda: table().moved(table().remove("d")),
        lambda moves: [each.tolist() for each in moves],
    ),
    "Replicas": (
        lambda: FaultSet(IDS).select_batch(KEYS, 2),
        lambda replicas: [each.tolist() for each in replicas],
    ),
    "Repair": (
        lambda: FaultSet(IDS).repair(["x"], [["a", "b"]], 2),
        lambda repair: [each.tolist() for each in repair],
    ),
    "CacheInfo": (lambda: SelectionCache(IDS, 100).info(), list),
    "Phase": (lambda: migration.Phase("copying"), str),
    "RVHError": (lambda: errors.RVHError("what"), repr),
    "RVHTypeError": (lambda: errors.RVHTypeError("what"), repr),
    "functions": (
        lambda: [rvh.select_batch, ring.ketama, geohash.encode, stable.jump_hash, compose_keys],
        lambda each: [f"{one.__module__}.{one.__name__}" for one in each],
    ),
}


def record(name: str) -> None:
    path = FOLDER / f"{name}.json"
    found = {}
    for what, (make, _) in PICKLED.items():
        try:
            found[what] = base64.b64encode(pickle.dumps(make())).decode()
        except Exception as error:
            print(f"{what}: {type(error).__name__}: {error}", file=sys.stderr)
    with path.open("x", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    record(*sys.argv[1:])
