"""The scenarios: what users do with rvh, each as one call on keys that are the same every time.

A scenario is a `Workload`; `prepared` makes the call of it. Answers are indices where a call can
give them, so that a figure does not depend on how long the nodes' names are. One thread, but in
the family `threads`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np

import rvh
from rvh._batch.threads import thread_count
from rvh.balanced import argassign_balanced
from rvh.bench.results import FILTERED, GEO, SPREAD, ZIPF, Workload
from rvh.cache import SelectionCache
from rvh.faultset import FaultSet
from rvh.filter import alive, zone
from rvh.geohash import GeoSet
from rvh.multi import select_multi
from rvh.nodes import SCHEMES
from rvh.partitions import PartitionTable
from rvh.ring import Migration, ketama
from rvh.stable import StableSelector, jump_batch, jumpback_batch
from rvh.typing import Scheme

Call = Callable[[], object]

SELECT = "NodeSet.argselect_batch"
SELECT_SECRET = "NodeSet(secret=...).argselect_batch"
SELECT_ONE = "NodeSet.select"
MULTI = "select_multi"
LOOKUP = "PartitionTable.arglookup_batch"
BUILD = "PartitionTable"
JUMP = "jump_batch"
JUMPBACK = "jumpback_batch"
SELECTOR = "StableSelector.argselect_batch"
BALANCED = "argassign_balanced"
CACHED = "SelectionCache.argselect_batch"
RING = "Ring.arglookup_batch"
MIGRATING = "Migration.owners_batch"


def scenarios() -> list[Workload]:
    """The suite, in its order, with the key counts of the backend in use.

    The counts are fixed: they make a round of a scenario take 10 to 150 ms, with AVX-512 as
    under the pure-Python backend, and up to 0.4 s in portable C.
    """
    suite = [
        _scenario(f"{scheme}/n{nodes}-k{k}", *counts, scheme=scheme, nodes=nodes, k=k)
        for (scheme, nodes), counts in GRID.items()
        for k in (1, 3)
    ]
    for scheme in SCHEMES:
        many = 1 << (15 if scheme == "blake2b" else 19)
        of = partial(_scenario, scheme=scheme)
        suite += [
            of(f"keys/{scheme}-{kind}", many, 2048, key_kind=kind) for kind in ("S", "U", "list")
        ]
        suite += [of(f"weighted/{scheme}-n64-k{k}", many, 1024, k=k, weighted=True) for k in (1, 3)]
        some = 1 << (13 if scheme == "blake2b" else 17)
        suite += [
            of(f"{scheme}/n64-k10", some, 512, k=10),
            of(f"keys/{scheme}-mixed", some, 1024, key_kind=MIXED),
            of(f"lengths/{scheme}-n8", 8 * some, 4096, nodes=8),
            of(f"weighted/{scheme}-n3-k1", 8 * some, 4096, nodes=3, weighted=True),
        ]
        suite.append(of(f"multi/{scheme}-n64", many, 2048, MULTI, key_kind="int64, S, int64"))
        suite.append(of(f"balanced/{scheme}-n64", many, 1024, BALANCED))
        suite.append(of(f"faults/{scheme}-n64-k3", many, 1024, SPREAD, k=3))
        geohashes = "int64, S geohash"
        suite.append(
            of(f"geohash/{scheme}-n500-k3", 1 << 17, 512, GEO, nodes=500, k=3, key_kind=geohashes)
        )
    stable = partial(_scenario, scheme="", nodes=1000)
    suite += [
        _scenario("secret/blake2b-n64", 1 << 15, 2048, SELECT_SECRET),
        _scenario("dedupe/blake2b-n64", 1 << 19, 1 << 15, key_kind=ZIPF),
        _scenario("filter/murmur-n1000", 1 << 18, 1 << 8, FILTERED, "murmur", 1000),
        _scenario("ring/ketama-n64", 1 << 20, 1 << 12, RING, "", key_kind="S"),
        _scenario("migration/murmur-n64", 1 << 18, 1 << 11, MIGRATING, "murmur"),
        _scenario("cache/arc-n64", 1 << 18, 1 << 13, CACHED, key_kind=ZIPF),
        stable("stable/jump-n1000", 1 << 22, 1 << 14, JUMP),
        stable("stable/jumpback-n1000", 1 << 22, 1 << 15, JUMPBACK),
        stable("stable/selector-n1000-k3", 1 << 21, 1 << 12, SELECTOR, k=3),
        *(
            _scenario(f"table/lookup-n1024-k{k}", 1 << 21, 1 << 14, LOOKUP, "", 1024, k)
            for k in (1, 3)
        ),
        _scenario("table/build-blake2b-n64", 1 << 15, 2048, BUILD, key_kind="partitions"),
        _scenario(
            "table/build-murmur-n1024", 1 << 16, 256, BUILD, "murmur", 1024, key_kind="partitions"
        ),
        *(
            _scenario(f"single/{name}", 1 << 14, 2048, SELECT_ONE, scheme, nodes, k, "str")
            for name, scheme, nodes, k in (
                ("blake2b-n8", "blake2b", 8, 1),
                ("blake2b-n64", "blake2b", 64, 1),
                ("murmur-n8", "murmur", 8, 1),
                ("murmur-n8-k3", "murmur", 8, 3),
                ("murmur-n64", "murmur", 64, 1),
            )
        ),
        _scenario("threads/blake2b-n64", 1 << 16, 2048, threads=None),
    ]
    return sorted(suite, key=lambda each: FAMILIES.index(family(each.name)))


def family(name: str) -> str:
    """The first part of a scenario's name.

    Examples
    --------
    >>> family("blake2b/n64-k1")
    'blake2b'
    """
    return name.partition("/")[0]


def prepared(workload: Workload) -> Call:
    """The call that is timed, with its nodes and keys made."""
    return CALLS[workload.call](workload)


FAMILIES = (
    *SCHEMES,
    *("lengths", "keys", "weighted", "secret", "dedupe", "multi", "single", "threads"),
    *("table", "stable", "filter", "faults", "balanced", "cache", "geohash", "ring", "migration"),
)
#: the kind of keys whose lengths differ
MIXED = "S, 4 to 60 bytes"
#: keys for each scheme and number of nodes: with the native backend, with the pure-Python one
GRID = {
    ("blake2b", 3): (1 << 16, 8192),
    ("blake2b", 8): (1 << 18, 8192),
    ("blake2b", 16): (1 << 15, 4096),
    ("blake2b", 64): (1 << 15, 2048),
    ("blake2b", 1024): (1 << 11, 256),
    ("murmur", 3): (1 << 19, 8192),
    ("murmur", 8): (1 << 21, 8192),
    ("murmur", 16): (1 << 18, 4096),
    ("murmur", 64): (1 << 20, 2048),
    ("murmur", 1024): (1 << 17, 256),
}


def _scenario(
    name: str,
    native: int,
    python: int,
    call: str = SELECT,
    scheme: str = "blake2b",
    nodes: int = 64,
    k: int = 1,
    key_kind: str = "int64",
    weighted: bool = False,
    threads: int | None = 1,
) -> Workload:
    keys = native if rvh.backend() == "native" else python
    # The threads that a call would choose by itself.
    count = thread_count(None, keys * nodes) if threads is None else threads
    return Workload(name, call, scheme, nodes, keys, k, key_kind, weighted, count)


# -- the calls -----------------------------------------------------------------------------------


def _select(workload: Workload, secret: bytes = b"") -> Call:
    nodes, keys = _nodes(workload, secret), _keys(workload)
    return lambda: nodes.argselect_batch(keys, workload.k, threads=workload.threads)


def _select_one(workload: Workload) -> Call:
    nodes, keys = _nodes(workload), _keys(workload)

    def one_by_one() -> None:
        for key in keys:
            nodes.select(key, workload.k)

    return one_by_one


def _multi(workload: Workload) -> Call:
    numbers = np.arange(workload.keys)
    nodes, columns = _nodes(workload), (numbers % 64, np.array(_texts(workload), "S"), numbers)
    return lambda: select_multi(nodes, columns, workload.k, threads=workload.threads)


def _lookup(workload: Workload) -> Call:
    partitions = 1 << (16 if rvh.backend() == "native" else 8)
    nodes = rvh.NodeSet(_ids(workload), scheme="murmur")
    table, keys = PartitionTable(nodes, partitions, workload.k), _keys(workload)
    return lambda: table.arglookup_batch(keys, threads=workload.threads)


def _build(workload: Workload) -> Call:
    nodes = _nodes(workload)
    return lambda: PartitionTable(nodes, workload.keys, workload.k, threads=workload.threads)


def _jump(workload: Workload) -> Call:
    keys = _keys(workload)
    return lambda: jump_batch(keys, workload.nodes, threads=workload.threads)


def _jumpback(workload: Workload) -> Call:
    keys = _keys(workload)
    return lambda: jumpback_batch(keys, workload.nodes, threads=workload.threads)


def _selector(workload: Workload) -> Call:
    selector, keys = StableSelector(_ids(workload)), _keys(workload)
    return lambda: selector.argselect_batch(keys, workload.k, threads=workload.threads)


def _spread(workload: Workload) -> Call:
    """Eight zones, every tenth node dead."""
    zones = np.arange(workload.nodes) % 8
    alive = np.arange(workload.nodes) % 10 != 5
    faults, keys = FaultSet(_nodes(workload), alive, {"zone": zones}), _keys(workload)
    return lambda: faults.argselect_batch(keys, workload.k, "zone", threads=workload.threads)


def _balanced(workload: Workload) -> Call:
    nodes, keys = _nodes(workload), _keys(workload)
    return lambda: argassign_balanced(nodes, keys, 1.05, threads=workload.threads)


def _cached(workload: Workload) -> Call:
    """Room for half of the distinct keys; a round begins with what the last one left."""
    cache, keys = SelectionCache(_nodes(workload), workload.keys // 40, "arc"), _keys(workload)
    return lambda: cache.argselect_batch(keys, workload.k, threads=workload.threads)


def _geo(workload: Workload) -> Call:
    """Nodes and keys anywhere on earth."""
    letters = np.array(list("0123456789bcdefghjkmnpqrstuvwxyz"), "S1")
    rng = np.random.default_rng(6)
    nodes = letters[rng.integers(0, 32, (workload.nodes, 12))].view("S12")[:, 0]
    places = letters[rng.integers(0, 32, (workload.keys, 12))].view("S12")[:, 0]
    geo, keys = GeoSet(_nodes(workload), nodes), np.arange(workload.keys)
    return lambda: geo.argselect_batch(keys, workload.k, geohash=places, threads=workload.threads)


def _ring(workload: Workload) -> Call:
    ring, keys = ketama(_ids(workload)), _keys(workload)
    return lambda: ring.arglookup_batch(keys, workload.k, threads=workload.threads)


def _filtered(workload: Workload) -> Call:
    """A set of the living nodes of some zones is made, and selects: what follows a change."""
    numbers = np.arange(workload.nodes)
    scheme = cast(Scheme, workload.scheme)  # NodeSet checks it
    nodes = rvh.NodeSet(_ids(workload), scheme=scheme, domains={"zone": numbers % 10})
    usable, known = alive() & ~zone(3, 7), {"alive": numbers % 10 != 5}
    keys = _keys(workload)
    return lambda: nodes.subset(usable(nodes, known)).argselect_batch(
        keys, workload.k, threads=workload.threads
    )


def _migrating(workload: Workload) -> Call:
    """Half-way from a ring to rendezvous."""
    ring = ketama(_ids(workload), integers="contract")
    migration, keys = Migration(ring, _nodes(workload)), _keys(workload)
    return lambda: migration.owners_batch(keys, 0.5, threads=workload.threads)


CALLS: dict[str, Callable[[Workload], Call]] = {
    SELECT: _select,
    SELECT_SECRET: partial(_select, secret=b"sixteen bytes, 1"),
    SELECT_ONE: _select_one,
    MULTI: _multi,
    LOOKUP: _lookup,
    BUILD: _build,
    JUMP: _jump,
    JUMPBACK: _jumpback,
    SELECTOR: _selector,
    SPREAD: _spread,
    BALANCED: _balanced,
    CACHED: _cached,
    RING: _ring,
    GEO: _geo,
    FILTERED: _filtered,
    MIGRATING: _migrating,
}

# -- what they work on ---------------------------------------------------------------------------


def _ids(workload: Workload) -> list[str]:
    """Ids of one length; in the family `lengths` host names of different ones."""
    numbers = range(workload.nodes)
    if family(workload.name) == "lengths":
        return [f"{'x' * (number % 9)}-{number:04d}.example.com" for number in numbers]
    return [f"node-{number:04d}" for number in numbers]


def _nodes(workload: Workload, secret: bytes = b"") -> rvh.NodeSet:
    weights = np.arange(1, workload.nodes + 1) if workload.weighted else None
    return rvh.NodeSet(_ids(workload), weights, cast(Scheme, workload.scheme), secret)


def _texts(workload: Workload) -> list[str]:
    return [f"user:{number:08d}" for number in range(workload.keys)]


def _keys(workload: Workload) -> Any:
    match workload.key_kind:
        case "int64":
            return np.arange(workload.keys)
        case "S" | "U" as dtype:
            return np.array(_texts(workload), dtype)
        case _ if workload.key_kind == MIXED:
            sizes = np.random.default_rng(1).integers(4, 61, workload.keys).tolist()
            return np.array([b"%0*d" % (size, i % 10**4) for i, size in enumerate(sizes)])
        case _ if workload.key_kind == ZIPF:
            frequencies = 1 / np.arange(1, workload.keys // 20 + 1)
            drawn = np.random.default_rng(1).random(workload.keys) * frequencies.sum()
            return np.searchsorted(frequencies.cumsum(), drawn)
        case _:
            return _texts(workload)
