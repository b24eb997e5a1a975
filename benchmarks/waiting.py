"""How long each call keeps a signal waiting, and how its time grows from n to 2n.

    python benchmarks/waiting.py [--scale 1] [--only WORD]

A timer rings every 2 ms; the longest time between two runs of its handler is the longest that
Ctrl-C waits. Times are those of the main thread's processor, so other programs do not count.
Sizes are where calls take some tenths of a second or more: `--scale` multiplies them.
"""

# ruff: noqa: B008 -- what a default holds is made beforehand, which is not measured

from __future__ import annotations

import argparse
import asyncio
import gc
import pickle
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import rvh
from rvh import (
    balanced,
    cache,
    faultset,
    geohash,
    multi,
    partitions,
    ring,
    stable,
    weighted,
)

RING_EVERY = 0.002
Made = tuple[int, Callable[[int], Callable[[], Any]]]
CASES: dict[str, Made] = {}


def case(name: str, n: int) -> Callable[[Callable[[int], Any]], Callable[[int], Any]]:
    """What makes the call for a size, which is made beforehand and not measured."""

    def keep(make: Callable[[int], Any]) -> Callable[[int], Any]:
        CASES[name] = (n, make)
        return make

    return keep


def ids(n: int) -> list[str]:
    return [f"node{i}" for i in range(n)]


def array_ids(n: int) -> np.ndarray:
    return np.array(ids(n))


# -- sets -----------------------------------------------------------------------------------------

for scheme in rvh.nodes.SCHEMES:
    case(f"NodeSet of a list, {scheme}", 500_000)(
        lambda n, s=scheme: lambda x=ids(n): rvh.NodeSet(x, scheme=s)
    )
case("NodeSet of an array", 500_000)(lambda n: lambda x=array_ids(n): rvh.NodeSet(x))
case("NodeSet of bytes objects and str", 500_000)(
    lambda n: lambda x=[b"b", *ids(n)]: rvh.NodeSet(x)
)
case("NodeSet of sorted ids", 500_000)(
    lambda n: lambda x=[f"node{i:09}" for i in range(n)]: rvh.NodeSet(x)
)
case("NodeSet of ids with one long start", 50_000)(
    lambda n: lambda x=["x" * 500 + str(i) for i in range(n)]: rvh.NodeSet(x)
)
case("NodeSet with weights", 500_000)(
    lambda n: lambda x=ids(n), w=[1.5] * n: rvh.NodeSet(x, weights=w)
)
case("NodeSet with an array of weights", 500_000)(
    lambda n: lambda x=ids(n), w=np.ones(n): rvh.NodeSet(x, weights=w)
)
case("NodeSet with domains", 500_000)(
    lambda n: (
        lambda x=ids(n), z=[f"z{i % 1000}" for i in range(n)]: rvh.NodeSet(x, domains={"zone": z})
    )
)


def of_set(name: str, n: int, call: Callable[[rvh.NodeSet], Any], **options: Any) -> None:
    case(name, n)(lambda n: lambda ns=rvh.NodeSet(ids(n), **options): call(ns))


of_set("fingerprint", 500_000, lambda ns: ns.fingerprint)
of_set("hash", 500_000, hash)
of_set("repr", 500_000, repr)
of_set("iter", 500_000, list)
of_set("ids in the set", 500_000, lambda ns: "node7" in ns)
of_set("add", 500_000, lambda ns: ns.add(["x"]))
of_set("add many", 250_000, lambda ns: ns.add([f"x{i}" for i in range(len(ns))]))
of_set("remove", 500_000, lambda ns: ns.remove(["node1"]))
of_set("remove many", 500_000, lambda ns: ns.remove(ids(len(ns) // 2)))
of_set("subset", 500_000, lambda ns: ns.subset(np.arange(len(ns)) % 2 == 0))
of_set("with_weights", 500_000, lambda ns: ns.with_weights(np.ones(len(ns))))
of_set("pickle a set", 500_000, pickle.dumps)
case("unpickle a set", 500_000)(
    lambda n: lambda data=pickle.dumps(rvh.NodeSet(ids(n))): pickle.loads(data)
)
case("two sets are equal", 500_000)(
    lambda n: lambda a=rvh.NodeSet(ids(n)), b=rvh.NodeSet(ids(n)): a == b
)
case("weights_from", 500_000)(
    lambda n: lambda x=np.arange(1.0, n + 1): weighted.weights_from(stake=x)
)
case("weights_from of lists", 500_000)(
    lambda n: lambda x=list(map(float, range(1, n + 1))): weighted.weights_from(stake=x)
)
# -- one key --------------------------------------------------------------------------------------

of_set("select, k of all", 250_000, lambda ns: ns.select("key", len(ns)))
of_set("select, k of all, murmur", 250_000, lambda ns: ns.select("key", len(ns)), scheme="murmur")
of_set("select of many nodes", 1_000_000, lambda ns: ns.select("key"))
of_set("select of many nodes, murmur", 1_000_000, lambda ns: ns.select("key"), scheme="murmur")
case("select, k of all, weighted", 250_000)(
    lambda n: lambda ns=rvh.NodeSet(ids(n), weights=np.arange(1, n + 1)): ns.select("key", n)
)
of_set("scores", 250_000, lambda ns: ns.scores("key"))
of_set("scores, murmur", 250_000, lambda ns: ns.scores("key"), scheme="murmur")
of_set("argselect_batch, k of all", 250_000, lambda ns: ns.argselect_batch(["a", "b"], len(ns)))
of_set("select_batch, k of all", 250_000, lambda ns: ns.select_batch(["a", "b"], len(ns)))
of_set("score_batch of many nodes", 500_000, lambda ns: ns.score_batch(["a", "b"]))
of_set("select_arrow, k of all", 250_000, lambda ns: arrow_out(ns, ["a", "b"], len(ns)))
of_set("aselect", 250_000, lambda ns: asyncio.run(ns.aselect("key", len(ns))))


def arrow_out(ns: rvh.NodeSet, keys: Any, k: int) -> Any:
    import pyarrow as pa

    return pa.array(ns.select_arrow(pa.array(keys), k))


@case("a cache, k of all", 250_000)
def _(n: int) -> Callable[[], Any]:
    memo = cache.SelectionCache(rvh.NodeSet(ids(n)), 10)
    return lambda: memo.select("key", n)


@case("a cache, k of all, again", 250_000)
def _(n: int) -> Callable[[], Any]:
    memo = cache.SelectionCache(rvh.NodeSet(ids(n)), 10)
    memo.select("key", n)
    return lambda: memo.select("key", n)


@case("a cache, k of all, batch", 250_000)
def _(n: int) -> Callable[[], Any]:
    memo = cache.SelectionCache(rvh.NodeSet(ids(n)), 10)
    return lambda: [memo.argselect_batch(["a", "b"], n) for _ in range(2)]


@case("a cache is given other nodes", 500_000)
def _(n: int) -> Callable[[], Any]:
    memo = cache.SelectionCache(rvh.NodeSet(ids(n)), 10)
    other = rvh.NodeSet(ids(n + 1))
    return lambda: setattr(memo, "nodes", other)


case("StableSelector", 500_000)(lambda n: lambda x=ids(n): stable.StableSelector(x))
case("StableSelector, k of all", 50_000)(
    lambda n: lambda s=stable.StableSelector(ids(n)): s.select("key", n)
)
case("StableSelector, k of half", 250_000)(
    lambda n: lambda s=stable.StableSelector(ids(n)): s.select("key", n // 2)
)
case("StableSelector, batch", 250_000)(
    lambda n: lambda s=stable.StableSelector(ids(n)): s.select_batch(["a", "b"], n // 2)
)
case("StableSelector, append and pop", 500_000)(
    lambda n: lambda s=stable.StableSelector(ids(n)): (s.append("x"), s.pop(), hash(s))
)

# -- rings ----------------------------------------------------------------------------------------


def a_ring(n: int) -> ring.Ring:
    rng = np.random.default_rng(n)
    tokens = rng.permutation(np.arange(n, dtype=np.uint64) * np.uint64(2**64 // (n + 1)))
    return ring.Ring.from_tokens(dict(zip(ids(n), tokens.reshape(-1, 1), strict=True)), "xxh64")


case("Ring.lookup, k of all", 100_000)(lambda n: lambda r=a_ring(n): r.lookup("key", n))
case("Ring.lookup_batch, k of all", 100_000)(
    lambda n: lambda r=a_ring(n): r.lookup_batch(["a", "b", "c"], n)
)


@case("Ring.lookup, one node with hardly a point", 500_000)
def _(n: int) -> Callable[[], Any]:
    made = ring.Ring.from_tokens({"a": range(n), "b": [2**63]}, "xxh64")
    return lambda: [made.lookup(key, 2) for key in "abc"]


@case("Ring.lookup, half of k on many points", 500_000)
def _(n: int) -> Callable[[], Any]:
    """A node for each of many tokens in a row of two others."""
    tokens = {"a": range(0, n, 2), "b": range(1, n, 2)}
    tokens.update({f"n{i}": [2**63 + i] for i in range(n // 100)})
    made = ring.Ring.from_tokens(tokens, "xxh64")
    return lambda: made.lookup("key", n // 100)


case("Ring.from_tokens", 500_000)(
    lambda n: (
        lambda x=dict(zip(ids(n), ([i] for i in range(n)), strict=True)): ring.Ring.from_tokens(
            x, "xxh64"
        )
    )
)
case("ketama", 5_000)(lambda n: lambda x=ids(n): ring.ketama(x))
case("nginx", 5_000)(lambda n: lambda x=ids(n): ring.nginx(x))
case("Ring: fingerprint", 500_000)(lambda n: lambda r=a_ring(n): r.fingerprint)
case("Ring: pickled", 500_000)(lambda n: lambda r=a_ring(n): pickle.loads(pickle.dumps(r)))
case("RingFace", 500_000)(lambda n: lambda x=ids(n): ring.RingFace(x))

# -- faults, moves --------------------------------------------------------------------------------


case("FaultSet", 500_000)(
    lambda n: lambda ns=rvh.NodeSet(ids(n)): faultset.FaultSet(ns, np.arange(n) % 2 == 0)
)
case("FaultSet with domains", 500_000)(
    lambda n: (
        lambda ns=rvh.NodeSet(ids(n)), z=[f"z{i % 1000}" for i in range(n)]: faultset.FaultSet(
            ns, domains={"zone": z}
        ).spread_max("zone")
    )
)


@case("spread, k of all", 100_000)
def _(n: int) -> Callable[[], Any]:
    faults = faultset.FaultSet(ids(n), domains={"zone": [f"z{i % 1000}" for i in range(n)]})
    return lambda: faults.select_batch(["a"], n, "zone")


@case("spread, a domain for each node", 100_000)
def _(n: int) -> Callable[[], Any]:
    faults = faultset.FaultSet(ids(n), domains={"zone": [f"z{i}" for i in range(n)]})
    return lambda: faults.select_batch(["a"], n, "zone")


@case("repair, k of all", 20_000)
def _(n: int) -> Callable[[], Any]:
    faults = faultset.FaultSet(ids(n))
    current = array_ids(n).reshape(1, -1)
    return lambda: faults.repair(["a"], current, n)


@case("repair of many rows", 50_000)
def _(n: int) -> Callable[[], Any]:
    faults = faultset.FaultSet(ids(100))
    current = np.tile(array_ids(20), (n, 1))
    return lambda: faults.repair(np.arange(n), current, 20)


@case("repair of lists", 100_000)
def _(n: int) -> Callable[[], Any]:
    faults = faultset.FaultSet(ids(100))
    current = [["node1", "node2", None]] * n
    return lambda: faults.repair(np.arange(n), current, 3)


@case("Migration.moves, k of all", 20_000)
def _(n: int) -> Callable[[], Any]:
    old, new = rvh.NodeSet(ids(n)), rvh.NodeSet(ids(n + 10))
    migration = ring.Migration(old, new, n)
    return lambda: migration.moves(["a", "b"])


@case("Migration.moves of many rows", 100_000)
def _(n: int) -> Callable[[], Any]:
    migration = ring.Migration(rvh.NodeSet(ids(100)), rvh.NodeSet(ids(101)), 10)
    keys = np.arange(n)
    return lambda: migration.moves(keys)


@case("Migration.moves of many rows, str and bytes", 100_000)
def _(n: int) -> Callable[[], Any]:
    new = rvh.NodeSet([node.encode() for node in ids(101)])
    migration = ring.Migration(rvh.NodeSet(ids(100)), new, 10)
    keys = np.arange(n)
    return lambda: migration.moves(keys)


case("Plan.resume", 500_000)(
    lambda n: lambda p=a_plan(n): ring.Plan.resume(p._migration, p.state())
)


def a_plan(n: int) -> ring.Plan:
    plan = ring.Migration(rvh.NodeSet(["a"]), rvh.NodeSet(["b"])).plan(n)
    plan._done[:] = True
    return plan


# -- tables ---------------------------------------------------------------------------------------

TABLE = 1 << 21
case("PartitionTable", TABLE)(
    lambda n: lambda ns=rvh.NodeSet(ids(10), scheme="murmur"): partitions.PartitionTable(ns, n)
)
case("PartitionTable, k of all", 2_000)(
    lambda n: lambda ns=rvh.NodeSet(ids(n)): partitions.PartitionTable(ns, 100, n)
)


def a_table(n: int, k: int = 1, count: int = 10) -> partitions.PartitionTable:
    return partitions.PartitionTable(rvh.NodeSet(ids(count), scheme="murmur"), n, k)


def saved(table: partitions.PartitionTable) -> Path:
    path = Path(tempfile.mkdtemp(), "table.npz")
    table.save(path)
    return path


case("table.add", TABLE)(lambda n: lambda t=a_table(n): t.add("x"))
case("table.remove", TABLE)(lambda n: lambda t=a_table(n): t.remove("node1"))
case("table.save", 4 * TABLE)(lambda n: lambda t=a_table(n): saved(t))
case("table.load", 4 * TABLE)(
    lambda n: lambda p=saved(a_table(n)): partitions.PartitionTable.load(p, a_table(1).nodes)
)
case("table.moved", 4 * TABLE)(lambda n: lambda t=a_table(n), o=a_table(n, 1, 11): t.moved(o))
case("table.moved, k of all", 2_000)(
    lambda n: lambda t=a_table(20, n, n), o=a_table(20, n, n + 10): t.moved(o)
)
case("table: pickled", 4 * TABLE)(lambda n: lambda t=a_table(n): pickle.loads(pickle.dumps(t)))
case("table.lookup, k of all", 500_000)(
    lambda n: lambda t=a_table(1, n, n): (t.lookup("x"), t.lookup_batch(["x", "y"]))
)
case("table.lookup_batch", 4_000_000)(
    lambda n: lambda t=a_table(4096), x=np.arange(n): t.lookup_batch(x)
)
case("table.lookup_batch, objects", 1_000_000)(
    lambda n: (
        lambda t=partitions.PartitionTable(rvh.NodeSet(["a", b"b"])), x=np.arange(n): (
            t.lookup_batch(x)
        )
    )
)

# -- places ---------------------------------------------------------------------------------------

LETTERS = np.array(list("0123456789bcdefghjkmnpqrstuvwxyz"))


def places(n: int, length: int = 8) -> np.ndarray:
    rng = np.random.default_rng(7)
    letters = LETTERS[rng.integers(0, 32, (n, length))]
    return np.ascontiguousarray(letters).view(f"U{length}")[:, 0]


case("GeoSet", 500_000)(lambda n: lambda ns=rvh.NodeSet(ids(n)), g=places(n): geohash.GeoSet(ns, g))
case("GeoSet of lists", 500_000)(
    lambda n: lambda ns=rvh.NodeSet(ids(n)), g=places(n).tolist(): geohash.GeoSet(ns, g)
)


@case("GeoSet.select, k of all", 50_000)
def _(n: int) -> Callable[[], Any]:
    geo = geohash.GeoSet(ids(n), places(n))
    return lambda: geo.select("key", n, geohash="u09")


@case("GeoSet.select_batch", 500_000)
def _(n: int) -> Callable[[], Any]:
    geo = geohash.GeoSet(ids(10_000), places(10_000))
    keys, where = np.arange(n), places(n)
    return lambda: geo.select_batch(keys, 2, geohash=where)


case("GeoSet: hash", 500_000)(
    lambda n: lambda g=geohash.GeoSet(rvh.NodeSet(ids(n)), places(n)): hash(g)
)

# -- bounded load ---------------------------------------------------------------------------------


@case("assign_balanced", 500_000)
def _(n: int) -> Callable[[], Any]:
    ns, keys = rvh.NodeSet(ids(10)), np.arange(n)
    return lambda: balanced.assign_balanced(ns, keys)


@case("assign_balanced of many nodes", 50_000)
def _(n: int) -> Callable[[], Any]:
    ns, keys = rvh.NodeSet(ids(n), scheme="murmur"), np.arange(200)
    return lambda: balanced.assign_balanced(ns, keys)


case("capacities", 500_000)(
    lambda n: (
        lambda ns=rvh.NodeSet(ids(n), weights=np.arange(1, n + 1)): balanced.capacities(ns, 10**9)
    )
)


@case("BalancedAssigner", 300_000)
def _(n: int) -> Callable[[], Any]:
    def call() -> Any:
        assigner = balanced.BalancedAssigner(rvh.NodeSet(ids(10)))
        assigner.assign_batch(np.arange(n))
        return assigner

    return call


# -- columns --------------------------------------------------------------------------------------


def chunked(n: int, rows: int = 3, kind: str = "text") -> Any:
    import pyarrow as pa

    make = {
        "text": lambda i: pa.array([f"k{i * rows + j}" for j in range(rows)]),
        "integers": lambda i: pa.array(range(i * rows, i * rows + rows)),
        "dictionaries": lambda i: pa.array([f"k{i + j}" for j in range(rows)]).dictionary_encode(),
    }[kind]
    return pa.chunked_array([make(i) for i in range(n)])


NODES = rvh.NodeSet(ids(10))
for kind in ("text", "integers", "dictionaries"):
    case(f"select_batch of chunks of {kind}", 20_000)(
        lambda n, kind=kind: lambda x=chunked(n, 3, kind): NODES.select_batch(x)
    )
    case(f"compose_keys of chunks of {kind}", 20_000)(
        lambda n, kind=kind: lambda x=chunked(n, 3, kind): multi.compose_keys(x, x, 7)
    )
    case(f"dedupe of chunks of {kind}", 20_000)(
        lambda n, kind=kind: lambda x=chunked(n, 3, kind): NODES.select_batch(x, dedupe=True)
    )
    case(f"select_arrow of chunks of {kind}", 20_000)(
        lambda n, kind=kind: lambda x=chunked(n, 3, kind): NODES.select_arrow(x)
    )
case("dedupe='auto' of large chunks", 5_000)(
    lambda n: lambda x=chunked(n, 1000, "integers"): rvh.NodeSet(ids(500)).argselect_batch(x)
)


@case("compose_keys of chunks and a list", 20_000)
def _(n: int) -> Callable[[], Any]:
    x, y = chunked(n), ids(3 * n)
    return lambda: multi.compose_keys(x, y)


@case("compose_keys of chunks and other chunks", 20_000)
def _(n: int) -> Callable[[], Any]:
    x, y = chunked(n), chunked(3 * n // 2, 2)
    return lambda: multi.compose_keys(x, y)


@case("compose_keys", 2_000_000)
def _(n: int) -> Callable[[], Any]:
    x, y = np.arange(n), np.arange(n).astype("U")
    return lambda: multi.compose_keys(x, y)


@case("compose_keys of lists", 1_000_000)
def _(n: int) -> Callable[[], Any]:
    x, y = list(range(n)), ids(n)
    return lambda: multi.compose_keys(x, y)


@case("GeoSet.select_batch of chunks", 20_000)
def _(n: int) -> Callable[[], Any]:
    geo = geohash.GeoSet(ids(100), places(100))
    keys, where = chunked(n), places(3 * n)
    return lambda: geo.select_batch(keys, 2, geohash=where)


@case("repair of chunks", 20_000)
def _(n: int) -> Callable[[], Any]:
    faults, keys = faultset.FaultSet(ids(100)), chunked(n)
    current = np.broadcast_to(np.array([["node1", "node2"]]), (3 * n, 2))
    return lambda: faults.repair(keys, current, 2)


@case("select_arrow of chunks with nulls", 20_000)
def _(n: int) -> Callable[[], Any]:
    import pyarrow as pa

    keys = pa.chunked_array([pa.array([None, "a", str(i)]) for i in range(n)])
    return lambda: NODES.select_arrow(keys)


@case("Arrow dictionary with many categories", 1_000_000)
def _(n: int) -> Callable[[], Any]:
    import pyarrow as pa

    column = pa.DictionaryArray.from_arrays(pa.array(np.arange(n)[::-1]), pa.array(ids(n)))
    return lambda: NODES.argselect_batch(column)


@case("Arrow dictionary, most of it not used", 1_000_000)
def _(n: int) -> Callable[[], Any]:
    import pyarrow as pa

    codes = np.random.default_rng(1).integers(0, n, n // 2)
    column = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(ids(n)))
    return lambda: NODES.argselect_batch(column)


@case("Arrow dictionary with nulls", 1_000_000)
def _(n: int) -> Callable[[], Any]:
    import pyarrow as pa

    codes = pa.array(np.arange(n)[::-1], mask=np.arange(n) % 7 == 0)
    column = pa.DictionaryArray.from_arrays(codes, pa.array([None, *ids(n - 1)]))
    return lambda: NODES.select_arrow(column)


@case("Arrow dictionary, composed", 1_000_000)
def _(n: int) -> Callable[[], Any]:
    import pyarrow as pa

    column = pa.DictionaryArray.from_arrays(pa.array(np.arange(n)[::-1]), pa.array(ids(n)))
    return lambda: multi.compose_keys(column, 1)


@case("Arrow runs", 1_000_000)
def _(n: int) -> Callable[[], Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pc.run_end_encode(pa.array(ids(n)))
    return lambda: NODES.argselect_batch(column)


@case("Arrow strings", 4_000_000)
def _(n: int) -> Callable[[], Any]:
    import pyarrow as pa

    column = pa.array(np.arange(n)).cast(pa.string())
    return lambda: NODES.argselect_batch(column)


@case("Arrow strings, dedupe", 4_000_000)
def _(n: int) -> Callable[[], Any]:
    import pyarrow as pa

    column = pa.array(np.arange(n)).cast(pa.string())
    return lambda: NODES.argselect_batch(column, dedupe=True)


@case("Arrow strings with nulls", 4_000_000)
def _(n: int) -> Callable[[], Any]:
    import pyarrow as pa

    column = pa.array(np.arange(n), mask=np.arange(n) % 7 == 0).cast(pa.string())
    return lambda: pa.array(NODES.select_arrow(column))


case("a list of str", 2_000_000)(lambda n: lambda x=ids(n): NODES.argselect_batch(x))
case("a list of str, dedupe", 2_000_000)(
    lambda n: lambda x=ids(n): NODES.argselect_batch(x, dedupe=True)
)
case("select_batch of integers", 8_000_000)(lambda n: lambda x=np.arange(n): NODES.select_batch(x))
case("select_batch of integers, dedupe", 4_000_000)(
    lambda n: lambda x=np.arange(n): NODES.select_batch(x, dedupe=True)
)
case("select_batch into objects", 1_000_000)(
    lambda n: lambda ns=rvh.NodeSet(["a", b"b"]), x=np.arange(n): ns.select_batch(x)
)
case("select_arrow of a list with None", 1_000_000)(
    lambda n: lambda x=np.array([None, *ids(n)], object): NODES.select_arrow(x)
)
case("score_batch", 500_000)(lambda n: lambda x=np.arange(n): NODES.score_batch(x))
case("jump_batch", 8_000_000)(lambda n: lambda x=np.arange(n): stable.jump_batch(x, 1000))


# -- measuring ------------------------------------------------------------------------------------


class Ringing:
    """How long the handler of a timer waits for its turn, at most."""

    def __enter__(self) -> Ringing:
        self.longest, self.last = 0.0, time.thread_time()
        self.before = signal.signal(signal.SIGALRM, self.ring)
        signal.setitimer(signal.ITIMER_REAL, RING_EVERY, RING_EVERY)
        return self

    def ring(self, number: int, frame: object) -> None:
        now = time.thread_time()
        if now - self.last > self.longest:
            self.longest, self.where = now - self.last, where(frame)
        self.last = time.thread_time()

    where = ""

    def __exit__(self, *_: object) -> None:
        self.ring(0, None)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)


def where(frame: Any) -> str:
    """The innermost line of rvh: the one that a signal waited for, or the one after."""
    while frame is not None and "rvh" not in Path(frame.f_code.co_filename).parent.name:
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else ""


def measured(call: Callable[[], Any]) -> tuple[float, float, str]:
    """Seconds that a call takes, those of all threads, and seconds that a signal waits at most."""
    gc.collect()
    gc.disable()
    start = time.process_time()
    with Ringing() as ringing:
        kept = call()
    seconds = time.process_time() - start
    gc.enable()
    del kept
    return seconds, ringing.longest, ringing.where


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", default="", help="the cases with this in their names")
    parser.add_argument("--once", action="store_true", help="at n alone")
    asked = parser.parse_args()
    print(f"{rvh.backend()}\n{'case':46} {'n':>9} {'s':>7} {'2n / n':>7} {'waits, ms':>9}")
    for name, (size, make) in CASES.items():
        if asked.only not in name:
            continue
        n = max(1, int(size * asked.scale))
        try:
            seconds, waits, at = measured(make(n))
            twice = 0.0
            if not asked.once:
                twice, waits, at = measured(make(2 * n))
        except Exception as error:
            print(f"{name:46} {type(error).__name__}: {error}", flush=True)
            continue
        print(
            f"{name:46} {n:9} {seconds:7.3f} {twice / seconds:7.1f} {1000 * waits:9.0f}  {at}",
            flush=True,
        )


if __name__ == "__main__":
    main()
