"""The table of the peers: for each, what makes its answers for given nodes, and what it takes.

What a peer needs is imported where it is made, so that one that is missing is a row and no more.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rvh
from rvh.partitions import PartitionTable
from rvh.stable import jump_batch, jump_hash


class UnsupportedError(Exception):
    """A peer has no interface for the task."""


@dataclass(frozen=True)
class Task:
    ids: list[str]
    k: int = 1
    weights: list[int] | None = None

    def only_plain(self) -> None:
        if self.k > 1:
            raise UnsupportedError("k = 1 only")
        self.unweighted()

    def unweighted(self) -> None:
        if self.weights is not None:
            raise UnsupportedError("no weights")

    def no_weighted_replicas(self) -> None:
        if self.weights is not None and self.k > 1:
            raise UnsupportedError("k = 1 only with weights")


@dataclass(frozen=True)
class Chooser:
    """A peer with its nodes."""

    run: Callable[[Any], Any]  # what is timed, on keys as the peer takes them
    #: node names or numbers, in the order of the keys, where `run` answers otherwise
    read: Callable[[Any], Any] | None = None
    #: the last step to the keys' own form, outside of the timing
    prepare: Callable[[Any], Any] = lambda keys: keys


@dataclass(frozen=True)
class Peer:
    name: str
    make: Callable[[Task], Chooser]
    keys_as: str  # a form of KEYS
    answers_as: str
    needs: tuple[str, ...] = ()  # distributions; the first one's version is the row's
    note: str = ""

    @property
    def ours(self) -> bool:
        return self.name.startswith("rvh")


# -- keys --------------------------------------------------------------------------------------


def texts(count: int) -> list[str]:
    return [f"user:{i:08d}" for i in range(count)]


def arrow(count: int) -> Any:
    import pyarrow as pa

    return pa.array(texts(count))


#: the forms of the keys; each can be sliced
KEYS: dict[str, Callable[[int], Any]] = {
    "list of str": texts,
    "list of bytes": lambda count: [text.encode() for text in texts(count)],
    "S array": lambda count: np.array(texts(count), dtype="S"),
    "Arrow": arrow,
    "list of int": lambda count: list(range(count)),
    "int64 array": np.arange,
}


def numbered(answer: Any, ids: list[str]) -> NDArray[np.intp]:
    """Any peer's answer as positions in `ids`, one row for each key."""
    rows = answer if isinstance(answer, np.ndarray) else np.array(answer)
    rows = rows.reshape(len(rows), -1)
    if rows.dtype.kind in "iu":
        return rows.astype(np.intp)
    names = np.array(ids, dtype=rows.dtype.kind)
    order = np.argsort(names)
    found = np.searchsorted(names, rows, sorter=order).clip(max=len(ids) - 1)
    at: NDArray[np.intp] = order[found]
    if not np.array_equal(names[at], rows):
        raise AssertionError("an answer is not one of the nodes")
    return at


# -- the peers ---------------------------------------------------------------------------------


def hashlib_loop(task: Task) -> Chooser:
    task.no_weighted_replicas()
    nodes, k, blake2b = [name.encode() for name in task.ids], task.k, hashlib.blake2b

    def best(key: bytes) -> bytes:
        return max(nodes, key=lambda node: blake2b(node + key, digest_size=16).digest())

    def several(key: bytes) -> list[bytes]:
        return heapq.nlargest(
            k, nodes, key=lambda node: blake2b(node + key, digest_size=16).digest()
        )

    pairs = list(zip(nodes, task.weights or [], strict=False))

    def weighted(key: bytes) -> bytes:
        def score(pair: tuple[bytes, int]) -> float:
            digest = blake2b(pair[0] + key, digest_size=16).digest()
            return -pair[1] / math.log((int.from_bytes(digest) + 0.5) * 2**-128)

        return max(pairs, key=score)[0]

    choose: Callable[[bytes], Any] = weighted if pairs else best if k == 1 else several
    return Chooser(lambda keys: [choose(key) for key in keys])


def uhashring(task: Task, **options: str) -> Chooser:
    from uhashring import HashRing

    nodes = dict(zip(task.ids, task.weights, strict=True)) if task.weights else task.ids
    ring, k = HashRing(nodes, **options), task.k
    if k == 1:
        return Chooser(lambda keys: [ring.get_node(key) for key in keys])
    return Chooser(lambda keys: [[x["nodename"] for x in ring.range(key, k)] for key in keys])


def ketama(task: Task) -> Chooser:
    return uhashring(task, hash_fn="ketama")


def clandestined(task: Task) -> Chooser:
    from clandestined import Cluster, RendezvousHash

    task.unweighted()
    if task.k == 1:
        find = RendezvousHash(list(task.ids)).find_node
        return Chooser(lambda keys: [find(key) for key in keys])
    # Replicas are one from each zone, so there are as many zones as replicas.
    zones = {name: {"zone": str(i % task.k)} for i, name in enumerate(task.ids)}
    find_some = Cluster(zones, replicas=task.k).find_nodes
    return Chooser(lambda keys: [find_some(key) for key in keys])


def pymemcache(task: Task) -> Chooser:
    from pymemcache.client.rendezvous import RendezvousHash

    task.only_plain()
    get_node = RendezvousHash(list(task.ids)).get_node
    return Chooser(lambda keys: [get_node(key) for key in keys])


def hrw(task: Task) -> Chooser:
    from hrw import choose

    k = task.k
    if task.weights is None:
        nodes = [name.encode() for name in task.ids]
        return Chooser(lambda keys: [choose(key, nodes, k=k)[0] for key in keys])
    task.no_weighted_replicas()
    # Its documentation: weights by ids that stand for the same node.
    alias = {
        f"{name}#{i}".encode(): name
        for name, weight in zip(task.ids, task.weights, strict=True)
        for i in range(weight)
    }
    nodes = list(alias)
    return Chooser(lambda keys: [alias[choose(key, nodes, k=1)[0][0]] for key in keys])


def _fastring(task: Task) -> Any:
    from fastring import HashRing

    ring = HashRing()
    for name, weight in zip(task.ids, task.weights or [1] * len(task.ids), strict=True):
        ring.add_node(name, weight=weight)
    return ring


def fastring_batch(task: Task) -> Chooser:
    ring = _fastring(task)
    if task.k > 1:
        raise UnsupportedError("k = 1 only")  # its batch gives one node
    return Chooser(ring.get_node_batch)


def fastring_loop(task: Task) -> Chooser:
    ring, k = _fastring(task), task.k
    if k == 1:
        return Chooser(lambda keys: [ring.get_node(key) for key in keys])
    return Chooser(lambda keys: [ring.get_replicas(key, k) for key in keys])


def emcache(task: Task) -> Chooser:
    from emcache._cython import cyemcache

    task.only_plain()
    # As its Cluster makes them, host and port without a colon; a node there is a connection pool.
    nodes = [cyemcache.RendezvousNode(x.replace(":", ""), i) for i, x in enumerate(task.ids)]
    return Chooser(
        lambda keys: cyemcache.nodes_selection(keys, nodes),  # a dict of lists of keys
        lambda keys: [cyemcache.node_selection(key, nodes) for key in keys],
    )


def jump(task: Task) -> Chooser:
    from jump import c_hash

    task.only_plain()
    buckets = len(task.ids)
    return Chooser(lambda keys: [c_hash(key, buckets) for key in keys])


def guava(task: Task) -> Chooser:
    from guavahash import guava

    task.only_plain()
    buckets = len(task.ids)
    return Chooser(lambda keys: [guava(key, buckets) for key in keys])


def polars_hash(task: Task) -> Chooser:
    import polars as pl
    import polars_hash as plh

    key = pl.col("k")
    scores = [plh.concat_str([pl.lit(node), key]).nchash.wyhash() for node in task.ids]
    ids = pl.lit(pl.Series(task.ids))
    low = low_bits(task.ids)
    if task.weights is not None:
        task.no_weighted_replicas()
        logarithms = [
            ((s / 2.0**64) + 2.0**-65).log() / w for s, w in zip(scores, task.weights, strict=True)
        ]
        answer = ids.gather(pl.concat_list(logarithms).list.arg_max())
    else:
        # The node's number in the low bits: several times as fast as list.arg_max().
        mask, rest = (pl.lit(x, dtype=pl.UInt64) for x in (low, 2**64 - 1 - low))
        numbers = [(s & rest) | pl.lit(n, dtype=pl.UInt64) for n, s in enumerate(scores)]
        if task.k == 1:
            answer = ids.gather(pl.max_horizontal(numbers) & mask)
        else:
            ranked = pl.concat_list(numbers).list.sort(descending=True).list.head(task.k)
            answer = ranked.list.eval(pl.element() & mask)
    return Chooser(
        lambda frame: frame.select(n=answer),
        lambda frame: frame.select(n=answer)["n"].to_list(),
        lambda column: pl.DataFrame({"k": pl.from_arrow(column)}),
    )


def duckdb(task: Task) -> Chooser:
    import duckdb
    import pyarrow as pa

    task.no_weighted_replicas()
    con = duckdb.connect()
    con.execute("SET threads = 1")
    nodes = pa.table({"n": task.ids, "w": task.weights or [1] * len(task.ids)})
    con.register("given", nodes)
    con.execute("CREATE TABLE nodes AS FROM given")
    best = f"arg_max(n, hash(n || k){f', {task.k}' if task.k > 1 else ''})"
    if task.weights is not None:
        best = f"arg_max(n, ln(hash(n || k)::DOUBLE * {2.0**-64!r}) / w)"

    def prepare(column: Any) -> str:
        con.register("column", pa.table({"k": column, "i": np.arange(len(column))}))
        con.execute(f'CREATE OR REPLACE TABLE keys{len(column)} AS FROM "column"')
        return f"keys{len(column)}"

    def run(table: str) -> Any:  # counted, so that no table is written
        chosen = f"SELECT {best} AS n FROM {table}, nodes GROUP BY k"
        return con.execute(f"SELECT count(n) FROM ({chosen})").fetchall()

    def read(table: str) -> list[Any]:
        sql = f"SELECT {best} FROM {table}, nodes GROUP BY i, k ORDER BY i"
        return [row[0] for row in con.execute(sql).fetchall()]

    return Chooser(run, read, prepare)


def seeds_of(ids: list[str]) -> list[int]:
    """A word of 64 bits for each node."""
    return [int.from_bytes(hashlib.blake2b(x.encode(), digest_size=8).digest()) for x in ids]


def low_bits(ids: list[str]) -> int:
    """A mask of as many bits as a node's number needs."""
    return (1 << max(1, (len(ids) - 1).bit_length())) - 1


def polars_once(task: Task) -> Chooser:
    import polars as pl
    import polars_hash as plh

    task.only_plain()
    mask = low_bits(task.ids)

    def word(value: int) -> pl.Expr:
        return pl.lit(value, dtype=pl.UInt64)

    def score(number: int, seed: int) -> pl.Expr:
        mixed = (pl.col("h") ^ word(seed)) * word(MIX[0])
        mixed = (mixed ^ (mixed // word(1 << 32))) * word(MIX[1])
        return (mixed & word(2**64 - 1 - mask)) | word(number)

    ids = pl.lit(pl.Series(task.ids))
    best = pl.max_horizontal([score(n, seed) for n, seed in enumerate(seeds_of(task.ids))])
    hashed, answer = plh.col("k").nchash.wyhash().alias("h"), ids.gather(best & word(mask))
    return Chooser(
        lambda frame: frame.select(hashed).select(n=answer),
        lambda frame: frame.select(hashed).select(n=answer)["n"].to_list(),
        lambda column: pl.DataFrame({"k": pl.from_arrow(column)}),
    )


def duckdb_once(task: Task) -> Chooser:
    import duckdb
    import pyarrow as pa

    task.only_plain()
    con = duckdb.connect()
    con.execute("SET threads = 1")
    con.execute("SET VARIABLE ids = ?", [task.ids])
    mask = low_bits(task.ids)
    scores = ", ".join(
        f"(hash(xor(h, {seed}::UBIGINT)) & {2**64 - 1 - mask}) | {n}"
        for n, seed in enumerate(seeds_of(task.ids))
    )
    best = f"getvariable('ids')[1 + (greatest({scores}) & {mask})::BIGINT]"

    def prepare(column: Any) -> str:
        con.register("column", pa.table({"k": column}))
        con.execute(f'CREATE OR REPLACE TABLE keys{len(column)} AS FROM "column"')
        return f"SELECT {best} AS n FROM (SELECT hash(k) AS h FROM keys{len(column)})"

    return Chooser(
        lambda sql: con.execute(f"SELECT count(n) FROM ({sql})").fetchall(),  # writes no table
        lambda sql: [row[0] for row in con.execute(sql).fetchall()],
        prepare,
    )


MIX = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)  # MurmurHash3's finaliser


def numpy_loop(task: Task) -> Chooser:
    """A loop over the nodes, blocks of keys at a time; each key is hashed once, by xxhash."""
    from xxhash import xxh3_64_intdigest as digest

    task.no_weighted_replicas()
    seeds = np.array([digest(name.encode()) for name in task.ids], dtype=np.uint64)
    first, second = (np.uint64(x) for x in MIX)
    k, weights = task.k, task.weights
    half = np.uint64(32)

    def scores(hashes: NDArray[np.uint64], seed: Any) -> NDArray[np.uint64]:
        mixed: NDArray[np.uint64] = hashes ^ seed
        mixed *= first
        mixed ^= mixed >> half
        mixed *= second
        return mixed

    def best(hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
        found, chosen = scores(hashes, seeds[0]), np.zeros(len(hashes), dtype=np.intp)
        for n, seed in enumerate(seeds[1:], 1):
            mixed = scores(hashes, seed)
            chosen[mixed > found] = n
            np.maximum(found, mixed, out=found)
        return chosen

    def several(hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
        every = scores(hashes[:, None], seeds)
        top = np.argpartition(every, -k, axis=1)[:, -k:]
        order = np.argsort(np.take_along_axis(every, top, axis=1), axis=1)[:, ::-1]
        return np.take_along_axis(top, order, axis=1)

    def weighted(hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
        uniform = (scores(hashes[:, None], seeds) >> np.uint64(11)) + 0.5
        chosen: NDArray[np.intp] = np.argmax(np.log(uniform * 2.0**-53) / weights, axis=1)
        return chosen

    choose = weighted if weights is not None else best if k == 1 else several
    block = 4096 if choose is best else max(64, (1 << 18) // len(seeds))

    def run(keys: list[bytes]) -> NDArray[np.intp]:
        hashes = np.fromiter(map(digest, keys), dtype=np.uint64, count=len(keys))
        parts = [choose(hashes[i : i + block]) for i in range(0, len(keys), block)]
        return np.concatenate(parts)

    return Chooser(run)


def _numba(task: Task, pick: str) -> Chooser:
    import peers_numba
    from xxhash import xxh3_64_intdigest as digest

    task.no_weighted_replicas()
    seeds = np.array([digest(name.encode()) for name in task.ids], dtype=np.uint64)
    return Chooser(peers_numba.over_arrow(seeds, task.k, task.weights, pick))


def numba_loop(task: Task) -> Chooser:
    return _numba(task, "compare")


def numba_low_bits(task: Task) -> Chooser:
    if task.k > 1 or task.weights is not None:
        raise UnsupportedError("as the row above")
    return _numba(task, "low bits")


# -- rvh ---------------------------------------------------------------------------------------


def node_set(task: Task, scheme: str) -> rvh.NodeSet:
    return rvh.NodeSet(task.ids, weights=task.weights, scheme=scheme)


def rvh_select(task: Task, scheme: str) -> Chooser:
    ns, k = node_set(task, scheme), task.k
    return Chooser(lambda keys: ns.select_batch(keys, k, threads=1))


def rvh_argselect(task: Task) -> Chooser:
    ns, k = node_set(task, "murmur"), task.k
    return Chooser(lambda keys: ns.argselect_batch(keys, k, threads=1))


def rvh_loop(task: Task, scheme: str) -> Chooser:
    select, k = node_set(task, scheme).select, task.k
    if k == 1:
        return Chooser(lambda keys: [select(key)[0] for key in keys])
    return Chooser(lambda keys: [select(key, k) for key in keys])


def rvh_table(task: Task) -> Chooser:
    table = PartitionTable(node_set(task, "murmur"), k=task.k, threads=1)
    return Chooser(lambda keys: table.lookup_batch(keys, threads=1))


def rvh_table_loop(task: Task) -> Chooser:
    lookup = PartitionTable(node_set(task, "murmur"), k=task.k, threads=1).lookup
    if task.k == 1:
        return Chooser(lambda keys: [lookup(key)[0] for key in keys])
    return Chooser(lambda keys: [lookup(key) for key in keys])


def rvh_jump(task: Task) -> Chooser:
    task.only_plain()
    buckets = len(task.ids)
    return Chooser(lambda keys: jump_batch(keys, buckets, threads=1))


def rvh_jump_loop(task: Task) -> Chooser:
    task.only_plain()
    buckets = len(task.ids)
    return Chooser(lambda keys: [jump_hash(key, buckets) for key in keys])


# -- the table ---------------------------------------------------------------------------------

ONCE = "64-bit hash of the key once; no defence against chosen keys"
CHOSEN = "no defence against chosen keys"
NUMBERS = "integer keys, bucket numbers"
MURMUR = f"mcrouter's scores, {CHOSEN}"

PEERS = (
    Peer(
        "rvh select_batch, blake2b",
        lambda task: rvh_select(task, "blake2b"),
        "S array",
        "names",
        note="exact; balance also against chosen keys, with a secret",
    ),
    Peer(
        "rvh select_batch, murmur",
        lambda task: rvh_select(task, "murmur"),
        "S array",
        "names",
        note=MURMUR,
    ),
    Peer(
        "rvh argselect_batch, murmur",
        rvh_argselect,
        "Arrow",
        "numbers",
        ("rvh", "pyarrow"),
        MURMUR,
    ),
    Peer(
        "rvh PartitionTable",
        rvh_table,
        "S array",
        "names",
        note=f"65,536 partitions; {CHOSEN}",
    ),
    Peer(
        "rvh PartitionTable, list",
        rvh_table,
        "list of str",
        "names",
        note="the same from a list",
    ),
    Peer("rvh jump_batch", rvh_jump, "int64 array", "numbers", note=NUMBERS),
    Peer(
        "rvh select, blake2b, loop",
        lambda task: rvh_loop(task, "blake2b"),
        "list of str",
        "list of names",
        note="one key a call",
    ),
    Peer(
        "rvh select, murmur, loop",
        lambda task: rvh_loop(task, "murmur"),
        "list of str",
        "list of names",
        note=f"one key a call; {CHOSEN}",
    ),
    Peer(
        "rvh PartitionTable, loop",
        rvh_table_loop,
        "list of str",
        "list of names",
        note="one key a call",
    ),
    Peer(
        "rvh jump_hash, loop",
        rvh_jump_loop,
        "list of int",
        "list of numbers",
        note=f"{NUMBERS}; one key a call",
    ),
    Peer(
        "numba loop",
        numba_loop,
        "Arrow",
        "numbers",
        ("numba", "xxhash", "pyarrow"),
        ONCE,
    ),
    Peer(
        "numba loop, number in low bits",
        numba_low_bits,
        "Arrow",
        "numbers",
        ("numba", "xxhash", "pyarrow"),
        f"the same, vectorised; scores lose log2(N) bits; {CHOSEN}",
    ),
    Peer("NumPy loop", numpy_loop, "list of bytes", "numbers", ("numpy", "xxhash"), ONCE),
    Peer(
        "fastring, batch",
        fastring_batch,
        "list of str",
        "list of names",
        ("fastring",),
        "128 points of a node on a ring",
    ),
    Peer(
        "fastring, loop",
        fastring_loop,
        "list of str",
        "list of names",
        ("fastring",),
        "one key a call",
    ),
    Peer(
        "uhashring",
        uhashring,
        "list of str",
        "list of names",
        ("uhashring",),
        "160 points of a node on a ring; one key a call",
    ),
    Peer(
        "uhashring, ketama",
        ketama,
        "list of str",
        "list of names",
        ("uhashring",),
        "160 points of a node on a ring; one key a call",
    ),
    Peer(
        "polars-hash, wyhash(node, key)",
        polars_hash,
        "Arrow",
        "names",
        ("polars-hash", "polars", "pyarrow"),
        f"max_horizontal, as Polars' own hash differs between its versions; {CHOSEN}",
    ),
    Peer(
        "polars-hash, key hashed once",
        polars_once,
        "Arrow",
        "names",
        ("polars-hash", "polars", "pyarrow"),
        f"wyhash and two products a node; scores lose log2(N) bits; {CHOSEN}",
    ),
    Peer(
        "DuckDB, arg_max(hash)",
        duckdb,
        "Arrow",
        "names, counted",
        ("duckdb", "pyarrow"),
        f"its hash is not documented as stable between versions; {CHOSEN}",
    ),
    Peer(
        "DuckDB, key hashed once",
        duckdb_once,
        "Arrow",
        "names, counted",
        ("duckdb", "pyarrow"),
        f"greatest(hash(xor(hash(k), node))), not stable either; {CHOSEN}",
    ),
    Peer(
        "emcache",
        emcache,
        "list of bytes",
        "dict of keys",
        ("emcache",),
        f"murmur3, of which few bits enter the score: uneven; {CHOSEN}",
    ),
    Peer(
        "clandestined",
        clandestined,
        "list of str",
        "list of names",
        ("clandestined",),
        f"murmur3 of 32 bits; k from as many zones; one key a call; {CHOSEN}",
    ),
    Peer(
        "pymemcache RendezvousHash",
        pymemcache,
        "list of str",
        "list of names",
        ("pymemcache",),
        f"murmur3 of 32 bits in Python; one key a call; {CHOSEN}",
    ),
    Peer(
        "hashlib loop",
        hashlib_loop,
        "list of bytes",
        "list of names",
        note="max() over blake2b: the answers of rvh blake2b",
    ),
    Peer(
        "hrw",
        hrw,
        "list of bytes",
        "lists of names",
        ("hrw",),
        "SHA-256, sorts all nodes; weights by aliases; one key a call",
    ),
    Peer(
        "jump-consistent-hash",
        jump,
        "list of int",
        "list of numbers",
        ("jump-consistent-hash",),
        f"{NUMBERS}; one key a call",
    ),
    Peer(
        "guavahash",
        guava,
        "list of int",
        "list of numbers",
        ("guavahash",),
        f"{NUMBERS}; one key a call",
    ),
)


def matching(patterns: list[str] | None) -> list[Peer]:
    wanted = [pattern.lower() for pattern in patterns or ["*"]]
    return [peer for peer in PEERS if any(fnmatch(peer.name.lower(), x) for x in wanted)]
