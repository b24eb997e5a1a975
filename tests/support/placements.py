"""Placements of every kind, for tests that ask them through an engine."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import rvh
from rvh.cache import SelectionCache
from rvh.faultset import FaultSet
from rvh.geohash import GeoSet
from rvh.keys import composite
from rvh.partitions import PartitionTable
from rvh.placements import Modulo
from rvh.ring import Migration, RingFace, ketama
from rvh.stable import StableSelector

IDS = [f"node-{n:02}" for n in range(20)]
NODES = rvh.NodeSet(IDS, domains={"zone": ["abcde"[n % 5] for n in range(20)]})
PLACES = ["u0", "u1", "9q", "9r"]
GEO = GeoSet(NODES, geohash=[PLACES[n % 4] for n in range(20)])


class Own:
    """A placement of one's own, which gives ids: text by its length, anything else on the first."""

    ids = ("long", "short")

    def lookup_batch(self, keys: Any, k: int) -> Any:
        first = ["short" if isinstance(key, str) and len(key) < 5 else "long" for key in keys]
        return [[node, "long" if node == "short" else "short"][:k] for node in first]


class OwnPositions:
    """One that gives positions, and the number of nodes that it wants."""

    ids = ("a", "b", "c")

    def arglookup_batch(self, keys: Any) -> Any:
        return np.array([[len(str(key)) % 3] for key in keys]).reshape(-1, 1)


#: name -> a placement, k, options for the engine, and its own answer for keys: ids, (M, k)
PLACEMENTS: dict[str, tuple[Any, int, dict[str, Any], Any]] = {
    "NodeSet": (NODES, 2, {}, lambda keys: NODES.select_batch(keys, 2)),
    "ids": (IDS, 1, {"secret": b"s"}, lambda keys: rvh.select_batch(IDS, keys, 1, secret=b"s")),
}


def _add(name: str, placement: Any, k: int, answer: Any, **options: Any) -> None:
    PLACEMENTS[name] = placement, k, options, answer


_table = PartitionTable(NODES, 512, k=2)
_add("PartitionTable", _table, 2, _table.lookup_batch)
_faults = FaultSet(NODES, alive=[n % 3 > 0 for n in range(20)])
_add("FaultSet", _faults, 3, lambda keys: _faults.select_batch(keys, 3).nodes)
_add(
    *("FaultSet, spread", _faults, 3),
    lambda keys: _faults.select_batch(keys, 3, "zone", 1, strict=True).nodes,
    spread="zone",
    max_per_domain=1,
    strict=True,
)
_ring = ketama(IDS, integers="text")
_add("Ring", _ring, 2, lambda keys: _ring.lookup_batch(keys, 2))
_modulo = Modulo(
    [[one, other] for one, other in pairwise([*IDS, IDS[0]])], "crc32", integers="text"
)
_add("Modulo", _modulo, 2, lambda keys: _modulo.lookup_batch(keys, 2))
_jump = StableSelector(IDS)
_add("StableSelector", _jump, 2, lambda keys: _jump.select_batch(keys, 2))
_at = Migration(_ring, NODES.remove("node-03").add("new", domains={"zone": "a"}), 2).at(0.4)
_add("Migration.at", _at, 2, lambda keys: _at.select_batch(keys))
_cache = SelectionCache(NODES, 100)
_add("SelectionCache", _cache, 1, lambda keys: _cache.select_batch(keys))
_face = RingFace(IDS)
_add("RingFace", _face, 1, lambda keys: _face.nodes.select_batch(keys))
_add("one's own", Own(), 2, lambda keys: np.array(Own().lookup_batch(keys, 2)))
_own = OwnPositions()
_add("own positions", _own, 1, lambda keys: np.array(_own.ids)[_own.arglookup_batch(keys)])

#: those that take no composite keys
OF_OTHER_SYSTEMS = ("Ring", "Modulo", "Migration.at")

#: the columns of the tests: text with a null, integers with a null, a second part, places
TEXT = [None if n % 7 == 3 else f"k{n * n}" for n in range(60)]
NUMBERS = [None if n % 11 == 5 else n - 30 for n in range(60)]
GEOHASHES = [None if n % 13 == 6 else PLACES[n % 4] + "x" for n in range(60)]


def present(*columns: list[Any]) -> list[int]:
    """The rows in which nothing is null."""
    return [n for n, row in enumerate(zip(*columns, strict=True)) if None not in row]


def expected(answer: Any, *columns: list[Any]) -> list[Any]:
    """What an engine has to answer for keys of one column or several: lists of ids, or None."""
    rows = present(*columns)
    parts = [[column[n] for column in columns] for n in rows]
    keys = [row[0] if len(row) == 1 else composite(*row) for row in parts]
    found = iter(np.asarray(answer(keys)).tolist())
    return [next(found) if n in set(rows) else None for n in range(len(columns[0]))]


def near(k: int) -> list[Any]:
    """What an engine has to answer for `TEXT` at `GEOHASHES` with `GEO`."""
    rows = present(TEXT, GEOHASHES)
    places = [GEOHASHES[n] for n in rows]
    found = iter(GEO.select_batch([TEXT[n] for n in rows], k, geohash=places).tolist())
    return [next(found) if n in set(rows) else None for n in range(60)]
