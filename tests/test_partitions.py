"""Partition tables: their numbers, owners, updates, files; and what they move."""

from __future__ import annotations

import copy
import errno
import hashlib
import io
import os
import pickle
import random
import re
import stat
import sys
import threading
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from interrupting import interrupted, needs_sigint
from sizes import some
from subprocesses import output

import rvh
import rvh._batch.threads as _threads
import rvh.partitions
from rvh import RVHError, RVHTypeError
from rvh.multi import compose_keys
from rvh.partitions import Moves, PartitionTable

NATIVE = rvh.backend() == "native"
LINUX = sys.platform.startswith("linux")
NODES = [f"node{n}" for n in range(7)]
WEIGHTS = [1.0, 0.0, 2.5, 1.0, 0.125, 7.0, 0.0]
SETS = {
    "blake2b": rvh.NodeSet(NODES),
    "blake2b, secret": rvh.NodeSet(NODES, secret=b"secret"),
    "blake2b, weighted": rvh.NodeSet(NODES, weights=WEIGHTS, secret=b"secret"),
    "murmur": rvh.NodeSet(NODES, scheme="murmur"),
    "murmur, weighted": rvh.NodeSet(NODES, weights=WEIGHTS, scheme="murmur"),
}
RNG = random.Random(24)
#: what a caller passes, and the same keys one by one
KEYS: dict[str, tuple[Any, list[Any]]] = {}


def add_keys(name: str, keys: Any, plain: list[Any] | None = None) -> None:
    listed = keys.tolist() if isinstance(keys, np.ndarray) else plain or list(keys)
    KEYS[name] = keys, [int(key) if isinstance(key, np.integer) else key for key in listed]


TEXTS = ["", "obj", "é", "€uro", "😀" * 9, *(f"key-{n}" for n in range(2000))]
BLOBS = [RNG.randbytes(n % 70) for n in range(1500)]
add_keys("str", TEXTS)
add_keys("bytes", tuple(BLOBS))
add_keys("mixed", ["a", b"\0", 3, -1, 2**64 - 1, bytearray(b"x"), np.int8(-3), "x" * 5000] * 200)
add_keys("object array", np.array(["a", b"a\0", -(2**63)] * 5, dtype=object))
add_keys("S", np.array([blob.rstrip(b"\0") for blob in BLOBS]))
add_keys("U", np.array(TEXTS))
add_keys("U, swapped", np.array(TEXTS).astype(np.array(TEXTS).dtype.newbyteorder("S")))
add_keys("S, backwards", np.array([f"{n:x}".encode() for n in range(4000)])[::-3])
add_keys("U, strided", np.array([f"é{n}" for n in range(4000)])[1::3])
for code in ("i1", "u1", ">i2", "<u2", "<i4", ">u4", "<i8", ">i8", "<u8", ">u8"):
    info = np.iinfo(np.dtype(code))
    ends = [info.min, info.max, 0, 1, *(RNG.randint(info.min, info.max) for _ in range(1100))]
    add_keys(f"integers {code}", np.array(ends, dtype=code))
add_keys("integers, strided", np.arange(-3000, 3000)[::-2])
add_keys("integers, one repeated", np.broadcast_to(np.arange(5, 6), 3000))
PARTS = [f"shard{n % 7}" for n in range(1300)], np.arange(1300)
add_keys(
    "composed",
    compose_keys(*PARTS),
    [
        len(text).to_bytes(4, "little") + text.encode() + number.to_bytes(8, "little")
        for text, number in zip(PARTS[0], PARTS[1].tolist(), strict=True)
    ],
)
add_keys("none", [])
add_keys("none, U", np.array([], dtype="U3"))


def parts_of(table: PartitionTable) -> tuple[np.ndarray, np.ndarray]:
    """All numbers that a table consists of, those for later updates too."""
    _, (_, owners, words) = table.__reduce__()
    return owners, words


def assert_same(table: PartitionTable, afresh: PartitionTable) -> None:
    assert table == afresh
    assert hash(table) == hash(afresh)
    for one, other in zip(parts_of(table), parts_of(afresh), strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    assert table.owners.dtype == np.uint32
    assert table.nodes.ids.tolist() == afresh.nodes.ids.tolist()


# -- numbers and lookups ------------------------------------------------------------------------


@cache
def one_node(partitions: int) -> PartitionTable:
    return PartitionTable(["only"], partitions)


@pytest.mark.parametrize("partitions", [1, 2, 3, 1000, 65536, 1 << 24])
@pytest.mark.parametrize("kind", KEYS)
def test_partition_numbers(kind: str, partitions: int) -> None:
    if partitions > 65536 and not NATIVE:
        pytest.skip("2^24 partitions are minutes of hashlib; the golden answers have their numbers")
    keys, plain = KEYS[kind]
    expected = [reference.partition(key, partitions) for key in plain]
    found = one_node(partitions).partition_batch(keys)
    assert found.dtype == np.intp
    assert found.shape == (len(plain),)
    assert found.tolist() == expected


@cache
def table_of(name: str, partitions: int, k: int) -> PartitionTable:
    return PartitionTable(SETS[name], partitions, k)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("partitions", [1, 2, 3, 1000, 70_000])
@pytest.mark.parametrize("name", SETS)
def test_owners_are_the_ranking_of_the_number(name: str, partitions: int, k: int) -> None:
    if partitions > 1000 and not NATIVE:
        partitions = 2000
    owners = table_of(name, partitions, k).owners
    assert owners.shape == (partitions, k)
    assert owners.dtype == np.uint32
    assert np.array_equal(owners, SETS[name].argselect_batch(np.arange(partitions), k))
    if "weighted" not in name and "murmur" not in name:
        few = reference.rankings(NODES, range(min(partitions, 500)), SETS[name].secret)
        assert np.array_equal(owners[:500], few[:, :k])


@pytest.mark.parametrize("name", ["blake2b, secret", "murmur, weighted"])
@pytest.mark.parametrize("kind", KEYS)
def test_every_lookup_agrees(kind: str, name: str) -> None:
    keys, plain = KEYS[kind]
    for k in (1, 3):
        table = table_of(name, 1000, k)
        rows = [reference.partition(key, 1000) for key in plain]
        expected = table.owners[rows].reshape(len(plain), k)
        found = table.arglookup_batch(keys)
        assert found.dtype == np.intp
        assert np.array_equal(found, expected)
        named = table.lookup_batch(keys)
        assert named.dtype == table.nodes.ids.dtype
        assert np.array_equal(named, table.nodes.ids[expected])
        for key, owners in list(zip(plain, named.tolist(), strict=True))[:300]:
            assert table.lookup(key) == owners


def ids_of_every_kind() -> dict[str, Any]:
    texts = [f"nœud{n}" for n in range(9)]
    return {
        "U": texts,
        "U, swapped": np.array(texts).astype(np.array(texts).dtype.newbyteorder("S")),
        "U, strided": np.array([f"n{n}" for n in range(27)])[::-3],
        "S": [text.encode() for text in texts],
        "S, strided": np.array([b"%d" % n for n in range(27)])[::3],
        "objects": ["a", b"b", "c\0", "d", b"\xff", "é"],
        "object array": np.array(["a", "bb", "ccc"], dtype=object),
    } | {f"S{size}": np.array([b"%0*d" % (size, n) for n in range(9)]) for size in range(1, 41)}


@pytest.mark.parametrize("kind", ids_of_every_kind())
def test_ids_of_every_kind(kind: str) -> None:
    ns = rvh.NodeSet(ids_of_every_kind()[kind])
    table = PartitionTable(ns, 64, k=2)
    keys = np.arange(1500)
    rows = [reference.partition(key, 64) for key in keys.tolist()]
    ids = list(ns)
    expected = [[ids[n] for n in owners] for owners in table.owners[rows].tolist()]
    named = table.lookup_batch(keys)
    assert named.dtype == ns.ids.dtype
    assert named.tolist() == expected
    assert [table.lookup(key) for key in range(1500)] == expected
    assert table.lookup_batch([]).dtype == ns.ids.dtype
    assert table.lookup_batch([]).shape == (0, 2)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 100 rows, or less, so that a little work is shared out."""
    monkeypatch.setattr(_threads, "PAIRS_PER_BLOCK", 100)
    monkeypatch.setattr(_threads, "PAIRS_PER_THREAD", 100)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", ["mixed", "S", "U", "integers >i8", "composed"])
def test_threads_change_nothing(kind: str) -> None:
    keys, plain = KEYS[kind]
    table = table_of("blake2b", 1000, 2)
    rows = [reference.partition(key, 1000) for key in plain]
    for threads in (1, 2, 3, 8, None):
        assert table.partition_batch(keys, threads=threads).tolist() == rows
        found = table.arglookup_batch(keys, threads=threads)
        assert np.array_equal(found, table.owners[rows])
        assert np.array_equal(
            table.lookup_batch(keys, threads=threads), table.nodes.ids[table.owners[rows]]
        )
        assert_same(PartitionTable(SETS["blake2b"], 1000, 2, threads=threads), table)
        more = PartitionTable(SETS["blake2b"].add("new"), 1000, 2)
        assert_same(table.add("new", threads=threads), more)
        assert_same(more.remove("new", threads=threads), table)
        assert_same(table.with_weights(range(7), threads=threads), table.with_weights(range(7)))


def test_more_partitions_than_a_block_has() -> None:
    partitions = 300_000 if NATIVE else 3000
    table = PartitionTable(NODES, partitions, 2)
    assert_same(table.add("new"), PartitionTable([*NODES, "new"], partitions, 2))
    assert_same(table.remove("node3"), PartitionTable([*NODES[:3], *NODES[4:]], partitions, 2))


# -- updates ------------------------------------------------------------------------------------

POOL = [f"n{n}" for n in range(14)]
WEIGHT = st.sampled_from([0.0, 1.0, 1.0, 2.0, 0.3, 1e-5, 40.0])


def ids_and_weights(
    data: st.DataObject, ids: list[str], weighted: bool
) -> tuple[list[str], list[float] | None]:
    if not weighted:
        return ids, None
    return ids, [data.draw(WEIGHT) for _ in ids]


def change(data: st.DataObject, nodes: rvh.NodeSet) -> tuple[str, tuple[Any, ...]]:
    """Some call of add, remove or with_weights that `nodes` has too."""
    here = list(nodes)
    spare = [node for node in POOL if node not in here]
    weighted = nodes.weights is not None
    kind = data.draw(st.sampled_from(["add", "remove", "remove", "one weight", "weights"]))
    if kind == "add" and spare:
        count = data.draw(st.sampled_from([1, 1, 1, 2, 3]))
        new = data.draw(st.permutations(spare))[:count]
        ids, weights = ids_and_weights(data, new, weighted)
        return "add", (ids, weights)
    if kind == "one weight" and nodes.weights is not None:
        changed = nodes.weights.tolist()
        changed[data.draw(st.integers(0, len(here) - 1))] = data.draw(WEIGHT)
        return "with_weights", (changed,)
    if kind == "weights":
        new_weights = data.draw(st.sampled_from(["none", "other", "twice"]))
        if new_weights == "none":
            return "with_weights", (None,)
        if new_weights == "twice" and nodes.weights is not None:
            return "with_weights", (nodes.weights * 2,)
        return "with_weights", ([data.draw(WEIGHT) for _ in here],)
    count = data.draw(st.sampled_from([1, 1, 1, 2]))
    return "remove", (data.draw(st.permutations(here))[:count],)


@given(
    data=st.data(),
    scheme=st.sampled_from(rvh.nodes.SCHEMES),
    k=st.integers(1, 4),
    partitions=st.sampled_from([1, 2, 7, 60]),
    block=st.sampled_from([1, 50, 1 << 18]),
)
def test_updated_is_afresh(
    data: st.DataObject, scheme: str, k: int, partitions: int, block: int
) -> None:
    count = data.draw(st.integers(k, 10))
    ids, weights = ids_and_weights(data, POOL[:count], data.draw(st.booleans()))
    if weights is not None:
        weights[:k] = [1.0 + weight for weight in weights[:k]]
    table = PartitionTable(rvh.NodeSet(ids, weights=weights, scheme=scheme), partitions, k)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rvh.partitions, "BLOCK", block)  # a few partitions at a time
        for _ in range(data.draw(st.integers(1, 5))):
            method, arguments = change(data, table.nodes)
            before = copy.deepcopy(table)
            try:
                nodes = getattr(table.nodes, method)(*arguments)
                afresh = PartitionTable(nodes, partitions, k)
            except RVHError as error:
                kind, text = type(error), str(error)
            else:
                kind = None
            if kind is not None:
                with pytest.raises(kind, match=f"^{re.escape(text)}$"):
                    getattr(table, method)(*arguments)
                continue
            updated = getattr(table, method)(*arguments)
            assert_same(updated, afresh)
            assert_same(table, before)
            check_moves(table, updated)
            table = updated


@pytest.mark.parametrize("scheme", rvh.nodes.SCHEMES)
@pytest.mark.parametrize("k", [1, 2, 3])
def test_ties_are_ranked_anew(k: int, scheme: str) -> None:
    """A table that says of every owner's rank that it is the new node's: no word can decide."""
    old, new = rvh.NodeSet(POOL[:8], scheme=scheme), rvh.NodeSet(["new"], scheme=scheme)
    restore, (_, _, words) = PartitionTable(old, 500, k).__reduce__()
    entering = new.score_batch(np.arange(500)).reshape(500, -1)[:, 0]
    worst = old.argselect_batch(np.arange(500), 8)[:, : -k - 1 : -1].astype(np.uint32)
    for place in range(k):
        tied = np.full_like(words, 2**64 - 1)
        tied[:, place:] = entering[:, None]
        table = restore(old, worst.copy(), tied)
        assert_same(table.add("new"), PartitionTable(old.add("new"), 500, k))


@pytest.mark.parametrize("name", SETS)
def test_removing_until_k_are_left(name: str) -> None:
    table = table_of(name, 200, 2)
    weights = [1] * 7 if table.nodes.weights is None else WEIGHTS
    *gone, _, last = (node for node, weight in zip(NODES, weights, strict=True) if weight)
    for node in gone:
        table = table.remove(node)
        assert_same(table, PartitionTable(table.nodes, 200, 2))
    with pytest.raises(RVHError, match=r"k is 2, but the set has .*choose 1 <= k <= 1"):
        table.remove(last)
    assert_same(table, PartitionTable(table.nodes, 200, 2))


def test_what_cannot_be_updated() -> None:
    table = PartitionTable(NODES, 100)
    weighted = table.with_weights(WEIGHTS)
    calls = [
        (lambda: table.add("node3"), "node3"),
        (lambda: table.add(b"node3"), "node3"),
        (lambda: table.add(["x", "x"]), "'x'"),
        (lambda: table.add("x", 1.0), "no weights"),
        (lambda: weighted.add("x"), "has weights"),
        (lambda: weighted.add("x", -1.0), "-1"),
        (lambda: table.remove("x"), "'x' is not in the set"),
        (lambda: table.remove(["node1", "node1"]), "node1"),
        (lambda: table.remove(NODES), "no nodes"),
        (lambda: table.with_weights([1]), "weights"),
        (lambda: table.with_weights([0] * 7), "weight"),
        (lambda: table.add("x", threads=0), "threads"),
    ]
    for call, names in calls:
        with pytest.raises(RVHError, match=names):
            call()
    assert_same(table, PartitionTable(NODES, 100))


def test_adding_nobody_changes_nothing() -> None:
    table = PartitionTable(NODES, 100, 2)
    assert_same(table.add([]), table)
    assert_same(table.remove([]), table)


def test_a_table_cannot_be_changed() -> None:
    table = PartitionTable(NODES, 100, 2)
    again = pickle.loads(pickle.dumps(table))
    for one in (table, table.add("x"), table.remove("node1"), again, copy.deepcopy(table)):
        assert not one.owners.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            one.owners[0, 0] = 1
        for name in ("nodes", "partitions", "k", "owners", "other"):
            with pytest.raises(AttributeError):
                setattr(one, name, 1)


def test_readers_see_whole_tables() -> None:
    keys = np.arange(3000)
    tables = [PartitionTable(NODES[:4], 512, 2)]
    for node in [*NODES[4:], *"abcdef"]:
        tables.append(tables[-1].add(node))
    right = {table.lookup_batch(keys).astype("U9").tobytes() for table in tables}
    current, done, ready = [tables[0]], threading.Event(), threading.Barrier(4, timeout=60)

    def read(worker: int) -> tuple[int, bool]:
        ready.wait()
        rounds, all_right = 0, True
        while not (done.is_set() and rounds) and rounds < 100_000:
            rounds += 1
            table = current[0]
            all_right &= table.lookup_batch(keys).astype("U9").tobytes() in right
            all_right &= len(table.lookup(worker)) == 2
        return rounds, all_right

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read, worker) for worker in range(3)]
        ready.wait()
        try:
            for _ in range(2):
                for node in [*NODES[4:], *"abcdef"]:
                    current[0] = current[0].add(node)
                for node in [*"fedcba", *NODES[:3:-1]]:
                    current[0] = current[0].remove(node)
        finally:
            done.set()
        results = [reader.result(60) for reader in readers]
    assert all(rounds and all_right for rounds, all_right in results)
    assert_same(current[0], tables[0])


# -- what moves ---------------------------------------------------------------------------------


def node_bytes(node: str | bytes) -> bytes:
    return node.encode() if isinstance(node, str) else node


def check_moves(before: PartitionTable, after: PartitionTable) -> None:
    """Against a walk over all partitions."""
    expected = []
    old, new = list(before.nodes), list(after.nodes)
    rows = zip(before.owners.tolist(), after.owners.tolist(), strict=True)
    for partition, (had, has) in enumerate(rows):
        sources, targets = [old[n] for n in had], [new[n] for n in has]
        stay = {*map(node_bytes, sources)} & {*map(node_bytes, targets)}
        leaves = [node for node in sources if node_bytes(node) not in stay]
        comes = [node for node in targets if node_bytes(node) not in stay]
        expected += [(partition, *pair) for pair in zip(leaves, comes, strict=True)]
    moves = before.moved(after)
    assert isinstance(moves, Moves)
    assert moves.partition.dtype == np.intp
    assert moves.source.dtype == before.nodes.ids.dtype
    assert moves.target.dtype == after.nodes.ids.dtype
    assert list(zip(*(column.tolist() for column in moves), strict=True)) == expected


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("name", SETS)
def test_moves(name: str, k: int) -> None:
    table = table_of(name, 1000, k)
    weights = None if table.nodes.weights is None else 2.0
    more, less = table.add("new", weights), table.remove("node2")
    others = [more, less, PartitionTable(NODES[2:6], 1000, k, threads=1)]
    others.append(PartitionTable([f"other{n}" for n in range(4)], 1000, k))  # nobody is in both
    others.append(PartitionTable([*(node.encode() for node in NODES), b"\xff"], 1000, k))
    others.append(PartitionTable(["a\0", b"node1", *NODES[2:]], 1000, k))
    for other in others:
        check_moves(table, other)
        check_moves(other, table)
        check_moves(other, other)
    assert {*table.moved(more).target} == {"new"}
    assert {*more.moved(table).source} == {"new"}
    assert {*table.moved(less).source} == {"node2"}
    assert {*less.moved(table).target} == {"node2"}
    for column in table.moved(table):
        assert column.shape == (0,)
    renamed = rvh.NodeSet(
        [node.encode() for node in NODES],
        weights=table.nodes.weights,
        scheme=table.nodes.scheme,
        secret=table.nodes.secret,
    )
    assert len(table.moved(PartitionTable(renamed, 1000, k)).partition) == 0


def test_moves_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = PartitionTable(NODES, 333, 3), PartitionTable(["x", *NODES[2:]], 333, 3)
    whole = before.moved(after)
    monkeypatch.setattr(rvh.partitions, "BLOCK", 90)
    check_moves(before, after)
    assert all(map(np.array_equal, before.moved(after), whole))


# -- balance ------------------------------------------------------------------------------------

MANY, FEW_PARTITIONS = (1_000_000, 65536) if NATIVE else (20_000, 2048)


@pytest.mark.parametrize("name", ["blake2b", "blake2b, weighted", "murmur", "murmur, weighted"])
def test_balance_and_movement(name: str) -> None:
    print(f"{MANY} keys, {FEW_PARTITIONS} partitions")
    keys = np.arange(MANY)
    table = PartitionTable(SETS[name], FEW_PARTITIONS)
    found = table.arglookup_batch(keys)[:, 0]
    weights = np.array(WEIGHTS if "weighted" in name else [1] * 7)
    shares = weights / weights.sum()
    # The share of a node's partitions varies, and so do the keys of these; six deviations.
    deviation = np.sqrt(shares * (1 - shares) * (1 / FEW_PARTITIONS + 1 / MANY))
    counted = np.bincount(found, minlength=7) / MANY
    assert (np.abs(counted - shares) <= 6 * deviation).all(), counted
    per_partition = np.bincount(table.partition_batch(keys), minlength=FEW_PARTITIONS)
    mean = MANY / FEW_PARTITIONS
    assert per_partition.max() <= mean + 8 * mean**0.5 + 8
    assert abs(per_partition.var() / mean - 1) <= 8 * (2 / FEW_PARTITIONS) ** 0.5

    smaller = table.remove("node2")
    after = smaller.nodes.ids[smaller.arglookup_batch(keys)[:, 0]]
    before = table.nodes.ids[found]
    moved = before != after
    assert np.array_equal(moved, before == "node2")
    assert moved.any()


# -- files --------------------------------------------------------------------------------------


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("name", SETS)
def test_saved_and_loaded(name: str, k: int, tmp_path: Path) -> None:
    table = table_of(name, 1000, k)
    path = tmp_path / "table.npz"
    table.save(path)
    assert only_file(tmp_path) == path
    for given_path in (path, str(path)):
        assert_same(PartitionTable.load(given_path, table.nodes), table)
    ns = table.nodes
    order = np.array([3, 1, 0, 6, 5, 4, 2])
    weights = None if ns.weights is None else ns.weights[order]
    ids = ns.ids[order]
    for again in (ids, ids.astype("S"), [str(ids[0]), *(str(node).encode() for node in ids[1:])]):
        other = rvh.NodeSet(again, weights=weights, scheme=ns.scheme, secret=ns.secret)
        loaded = PartitionTable.load(path, other)
        assert_same(loaded, PartitionTable(other, 1000, k))
        assert [list(map(node_bytes, loaded.lookup(n))) for n in range(99)] == [
            list(map(node_bytes, table.lookup(n))) for n in range(99)
        ]
        new_weight = None if weights is None else 1.0
        assert_same(
            loaded.add("x", new_weight), PartitionTable(other.add("x", new_weight), 1000, k)
        )
    loaded.save(path)
    assert_same(PartitionTable.load(path, table.nodes), table)


def test_load_takes_what_makes_a_node_set(tmp_path: Path) -> None:
    table_of("blake2b", 1000, 1).save(tmp_path / "table")
    assert PartitionTable.load(tmp_path / "table", NODES) == table_of("blake2b", 1000, 1)


def test_another_node_set_is_refused(tmp_path: Path) -> None:
    table = table_of("blake2b, secret", 1000, 1)
    path = tmp_path / "table.npz"
    table.save(path)
    others = [
        rvh.NodeSet(NODES),
        rvh.NodeSet(NODES, secret=b"Secret"),
        rvh.NodeSet(NODES[:-1], secret=b"secret"),
        rvh.NodeSet([*NODES, "x"], secret=b"secret"),
        rvh.NodeSet([*NODES[:-1], "x"], secret=b"secret"),
        rvh.NodeSet(NODES, weights=[1] * 7, secret=b"secret"),
        rvh.NodeSet(NODES, scheme="murmur"),
    ]
    for other in others:
        with pytest.raises(RVHError, match="another node set") as caught:
            PartitionTable.load(path, other)
        assert table.nodes.fingerprint[:50] in str(caught.value)
        assert other.fingerprint in str(caught.value)
        assert str(path) in str(caught.value)


SMALL = rvh.NodeSet(["a", "b", "c"], secret=b"s")


def written(
    owners: np.ndarray, words: np.ndarray, *, checksum: str | None = None, **members: Any
) -> dict[str, np.ndarray]:
    """What is in a file, by the description of its format alone: hashlib and NumPy."""
    form = "rvh PartitionTable 1"
    digest = hashlib.blake2b(digest_size=32, key=b"s", person=b"rvh table")
    digest.update(f"{form}\n{SMALL.fingerprint}\n".encode())
    for name, array in (("owners", owners), ("words", words)):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode() + array.tobytes())
    return {
        "format": np.array(form),
        "fingerprint": np.array(SMALL.fingerprint),
        "checksum": np.array(checksum or digest.hexdigest()),
        "owners": owners,
        "words": words,
    } | {name: np.asarray(value) for name, value in members.items()}


@pytest.fixture
def small() -> tuple[np.ndarray, np.ndarray]:
    """Owners and words of a table of `SMALL`, as a file has them."""
    owners, words = parts_of(PartitionTable(SMALL, 4, 2))
    return owners.astype("<u4"), words.astype("<u8")


def test_the_format_of_a_file(tmp_path: Path, small: tuple[np.ndarray, np.ndarray]) -> None:
    table = PartitionTable(SMALL, 4, 2)
    table.save(tmp_path / "saved")
    with np.load(tmp_path / "saved") as found:
        expected = written(*small)
        assert {*found} == {*expected}
        for name, array in expected.items():
            assert found[name].dtype == array.dtype
            assert np.array_equal(found[name], array)
    path = tmp_path / "made.npz"
    for order in ("C", "F"):
        np.savez(path, **written(*(np.asarray(array, order=order) for array in small)))
        loaded = PartitionTable.load(path, SMALL)
        assert_same(loaded, table)
        assert loaded.lookup_batch([1, 2]).tolist() == table.lookup_batch([1, 2]).tolist()


def forgeries(owners: np.ndarray, words: np.ndarray) -> dict[str, dict[str, Any]]:
    outside, largest = owners.copy(), owners.copy()
    outside[1, 1], largest[3, 0] = 3, 2**32 - 1
    wide = np.zeros((4, 4), "<u4"), np.zeros((4, 4), "<u8")
    swapped = owners[:, ::-1].copy()
    return {
        "an owner out of range": written(outside, words),
        "an owner far out of range": written(largest, words),
        "more owners than nodes": written(*wide),
        "no owners": written(owners[:, :0], words[:, :0]),
        "no partitions": written(owners[:0], words[:0]),
        "one dimension": written(owners[:, 0], words[:, 0]),
        "different shapes": written(owners, words[:, :1]),
        "owners of another type": written(owners.astype("<u8"), words),
        "owners of the other byte order": written(owners.astype(">u4"), words),
        "floats": written(owners, words.astype("<f8")),
        "a wrong checksum": written(owners, words, checksum="0" * 64),
        "other owners": written(owners, words) | {"owners": swapped},
        "other words": written(owners, words) | {"words": words + np.uint64(1)},
        "another format": written(owners, words, format="rvh PartitionTable 2"),
        "a format that is not text": written(owners, words, format=np.arange(9)),
        "a fingerprint of another": written(owners, words, fingerprint="0" * 64),
        "words missing": {
            name: array for name, array in written(owners, words).items() if name != "words"
        },
        "another npz": {"a": np.arange(3)},
        "an object": written(owners, words) | {"owners": np.array([{}], dtype=object)},
    }


def refused(path: Path, contents: bytes, ns: rvh.NodeSet = SMALL) -> str:
    path.write_bytes(contents)
    with pytest.raises(RVHError) as caught:
        PartitionTable.load(path, ns)
    assert caught.type is RVHError
    assert str(path) in str(caught.value)
    return str(caught.value)


def npz(members: dict[str, Any], save: Any = np.savez) -> bytes:
    file = io.BytesIO()
    save(file, **members)
    return file.getvalue()


def test_forgeries_are_refused(tmp_path: Path, small: tuple[np.ndarray, np.ndarray]) -> None:
    for members in forgeries(*small).values():
        refused(tmp_path / "forged", npz(members))


def test_foreign_files_are_refused(tmp_path: Path, small: tuple[np.ndarray, np.ndarray]) -> None:
    path = tmp_path / "foreign"
    array = io.BytesIO()
    np.save(array, np.arange(10))
    for contents in (
        b"",
        b"text\n",
        b"\0" * 10_000,
        RNG.randbytes(5000),
        pickle.dumps([1]),
        array.getvalue(),
        npz({}),
        npz(written(*small), np.savez_compressed),
    ):
        assert "not a partition table" in refused(path, contents)


@pytest.mark.parametrize("rows", [2**24 + 1, 2**40, 2**60, 2**63, 10**30, -1])
@pytest.mark.parametrize("name", ["owners", "words", "format"])
def test_a_huge_shape_that_is_only_claimed(
    name: str, rows: int, tmp_path: Path, small: tuple[np.ndarray, np.ndarray]
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as members:
        for member, array in written(*small).items():
            data = io.BytesIO()
            np.save(data, array)
            raw = data.getvalue()
            if member == name:
                kind = array.dtype.str
                head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({rows},), }}"
                head = head.ljust(117) + "\n"
                raw = b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head.encode()
            members.writestr(f"{member}.npy", raw)
    refused(tmp_path / "huge", file.getvalue())


def outcome(path: Path, contents: bytes, table: PartitionTable) -> str:
    """What comes of a damaged file; anything but an RVHError or the same table is an error."""
    path.write_bytes(contents)
    try:
        loaded = PartitionTable.load(path, table.nodes)
    except RVHError as error:
        return "refused" if type(error) is RVHError else type(error).__name__
    assert_same(loaded, table)
    return "the same table"


@pytest.mark.parametrize("flip", [0x01, 0x7A])
def test_every_flipped_byte(flip: int, tmp_path: Path) -> None:
    table = PartitionTable(SMALL, 4, 2)
    path = tmp_path / "table.npz"
    table.save(path)
    whole = path.read_bytes()
    found: Counter[str] = Counter()
    for at, byte in enumerate(whole):
        damaged = whole[:at] + bytes([byte ^ flip]) + whole[at + 1 :]
        found[outcome(path, damaged, table)] += 1
    print(f"{len(whole)} bytes, each ^ {flip:#x}: {dict(found)}")
    # What a zip says of dates, attributes and sizes that nobody reads may be anything; the five
    # arrays, each of a header of 128 bytes and its contents, may not.
    contents = 5 * 128 + 4 * (20 + 64 + 64) + 8 * 4 + 8 * 8
    assert found["refused"] > contents
    assert found.keys() <= {"refused", "the same table"}
    for array in parts_of(table):
        at = whole.index(array.astype(array.dtype.newbyteorder("<")).tobytes())
        for offset in range(at, at + array.nbytes):
            damaged = whole[:offset] + bytes([whole[offset] ^ flip]) + whole[offset + 1 :]
            assert outcome(path, damaged, table) == "refused"


def test_every_truncation(tmp_path: Path) -> None:
    table = PartitionTable(SMALL, 4, 2)
    path = tmp_path / "table.npz"
    table.save(path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        refused(path, whole[:size])
    assert outcome(path, whole, table) == "the same table"


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt("now"), ValueError("odd")]
)
def test_saving_that_fails_leaves_everything(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table.npz"
    path.write_bytes(b"what was there")

    def half(file: Any, **arrays: np.ndarray) -> None:
        file.write(b"half")
        raise error

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(type(error), match=str(error.args[-1])):
        table_of("blake2b", 1000, 1).save(path)
    assert only_file(tmp_path).read_bytes() == b"what was there"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    path = tmp_path / "table.npz"
    code = f"""
        import errno, resource, sys
        from rvh.partitions import PartitionTable
        table = PartitionTable(["a", "b"], 4096)
        table.save({str(path)!r})
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        try:
            table.remove("a").save({str(path)!r})
        except OSError as error:
            print(error.errno == errno.EFBIG)
    """
    assert output(code) == "True\n"
    assert only_file(tmp_path) == path
    loaded = PartitionTable.load(path, ["a", "b"])
    assert_same(loaded, PartitionTable(["a", "b"], 4096))


def test_paths_that_cannot_be(tmp_path: Path) -> None:
    table = table_of("blake2b", 1000, 1)
    folder = tmp_path / "folder"
    folder.mkdir()
    for path, named in ((tmp_path / "missing" / "table.npz", "missing"), (folder, "folder")):
        with pytest.raises(OSError, match=named):
            table.save(path)
        with pytest.raises(OSError, match=named):
            PartitionTable.load(path, NODES)
    assert only_file(tmp_path) == folder
    assert not list(folder.iterdir())


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "table.npz"
    path.write_bytes(b"x" * 100_000)
    for table in (table_of("blake2b", 1000, 1), table_of("murmur", 1000, 3)):
        table.save(path)
        assert_same(PartitionTable.load(only_file(tmp_path), table.nodes), table)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask for files")
@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077, 0o002])
def test_the_umask_applies(mask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(mask)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "umask", None)  # of the whole process: other threads have it too
            table_of("blake2b", 1000, 1).save(tmp_path / "table.npz")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "table.npz").stat().st_mode) == 0o666 & ~mask


# -- bad input ----------------------------------------------------------------------------------

TABLE = PartitionTable(NODES, 10)
OTHER_SHAPES = [PartitionTable(NODES, 11), PartitionTable(NODES, 10, 2)]
VALUE, TYPE = RVHError, RVHTypeError
BAD: list[tuple[str, Any, type[RVHError], list[str]]] = [
    ("0 partitions", lambda: PartitionTable(NODES, 0), VALUE, ["partitions is 0", "16777216"]),
    ("below 0", lambda: PartitionTable(NODES, -1), VALUE, ["partitions is -1", "1 <="]),
    ("too many", lambda: PartitionTable(NODES, 2**24 + 1), VALUE, ["16777217", "16777216"]),
    ("far too many", lambda: PartitionTable(NODES, 2**70), VALUE, ["partitions is"]),
    ("bool", lambda: PartitionTable(NODES, True), TYPE, ["partitions is True", "whole"]),
    ("NumPy bool", lambda: PartitionTable(NODES, np.True_), TYPE, ["partitions is", "whole"]),
    ("float", lambda: PartitionTable(NODES, 4.0), TYPE, ["partitions is 4.0", "whole"]),
    ("str", lambda: PartitionTable(NODES, "4"), TYPE, ["partitions is '4'", "whole"]),
    ("None", lambda: PartitionTable(NODES, None), TYPE, ["partitions is None", "whole"]),
    ("k of 0", lambda: PartitionTable(NODES, 9, 0), VALUE, ["k is 0", "1 <= k <= 7"]),
    ("k above N", lambda: PartitionTable(NODES, 9, 8), VALUE, ["k is 8", "1 <= k <= 7"]),
    ("k as float", lambda: PartitionTable(NODES, 9, 1.0), TYPE, ["k is 1.0", "whole"]),
    ("k as bool", lambda: PartitionTable(NODES, 9, True), TYPE, ["k is True", "whole"]),
    (
        "k above the nodes with a weight",
        lambda: PartitionTable(SETS["murmur, weighted"], 9, 6),
        VALUE,
        ["k is 6", "5 of them", "1 <= k <= 5"],
    ),
    ("no nodes", lambda: PartitionTable([]), VALUE, ["no nodes"]),
    ("one str as nodes", lambda: PartitionTable("abc"), TYPE, ["'abc'", "list"]),
    ("threads of 0", lambda: PartitionTable(NODES, 9, threads=0), VALUE, ["threads is 0"]),
    ("one key for many", lambda: TABLE.lookup_batch("key"), TYPE, ["one str", "list"]),
    ("many keys for one", lambda: TABLE.lookup(["key"]), TYPE, ["list", "one dimension"]),
    ("None as key", lambda: TABLE.lookup(None), TYPE, ["NoneType"]),
    ("bool as key", lambda: TABLE.lookup(True), TYPE, ["bool", "True"]),
    ("float as key", lambda: TABLE.partition_batch(["a", 1.5]), TYPE, ["position 1", "1.5"]),
    ("floats", lambda: TABLE.arglookup_batch(np.ones(3)), TYPE, ["keys", "float64"]),
    ("two dimensions", lambda: TABLE.lookup_batch(np.ones((2, 2), int)), VALUE, ["(2, 2)"]),
    ("too large", lambda: TABLE.arglookup_batch([1, 2**64]), VALUE, ["position 1", "2^64-1"]),
    ("surrogate", lambda: TABLE.lookup("\ud800"), VALUE, ["surrogate", "U+D800"]),
    (
        "a late surrogate",
        lambda: TABLE.lookup_batch(np.array(["a"] * 5000 + ["\udfff"])),
        VALUE,
        ["position 5000", "U+DFFF"],
    ),
    ("threads", lambda: TABLE.lookup_batch(["a"], threads=1.5), TYPE, ["threads is 1.5"]),
    ("no table", lambda: TABLE.moved(NODES), TYPE, ["other is", "PartitionTable"]),
    ("its nodes", lambda: TABLE.moved(TABLE.nodes), TYPE, ["other is NodeSet"]),
    ("partitions differ", lambda: TABLE.moved(OTHER_SHAPES[0]), VALUE, ["10", "11", "shape"]),
    ("k differs", lambda: TABLE.moved(OTHER_SHAPES[1]), VALUE, ["of 1", "of 2", "shape"]),
]


@pytest.mark.parametrize(("call", "kind", "named"), [pytest.param(*b, id=a) for a, *b in BAD])
def test_bad_input(call: Any, kind: type[RVHError], named: list[str]) -> None:
    with pytest.raises(RVHError) as caught:
        call()
    assert caught.type is kind
    at = 0
    for text in named:
        at = str(caught.value).find(text, at)
        assert at >= 0, (text, str(caught.value))


def test_the_same_error_for_any_number_of_threads(small_blocks: None) -> None:
    keys: list[Any] = list(range(1000))
    keys[430], keys[431], keys[900] = None, "\ud800", 1.5
    for threads in (1, 2, 5):
        with pytest.raises(RVHTypeError, match="position 430"):
            TABLE.lookup_batch(keys, threads=threads)


# -- what else a table is -----------------------------------------------------------------------


def test_properties() -> None:
    ns = SETS["blake2b"]
    table = PartitionTable(ns, np.int16(9), np.uint8(2))
    assert table.nodes is ns
    assert (table.partitions, table.k) == (9, 2)
    assert type(table.partitions) is type(table.k) is int
    assert PartitionTable(NODES[:1]).partitions == 65536
    assert repr(table) == f"PartitionTable({ns!r}, partitions=9, k=2)"
    assert b"secret" not in repr(table_of("blake2b, secret", 1000, 1)).encode().replace(
        b"secret=<6 bytes>", b""
    )


def test_equality_and_hash() -> None:
    table = PartitionTable(NODES, 9, 2)
    same = PartitionTable(rvh.NodeSet(np.array(NODES)), 9, 2)
    assert table == same
    assert len({table, same}) == 1
    others = [
        PartitionTable(NODES, 10, 2),
        PartitionTable(NODES, 9),
        PartitionTable(NODES[::-1], 9, 2),
        PartitionTable(SETS["blake2b, secret"], 9, 2),
        PartitionTable(SETS["murmur"], 9, 2),
        PartitionTable(rvh.NodeSet(NODES, weights=[1] * 7), 9, 2),
    ]
    for other in others:
        assert table != other
    assert len({table, *others}) == 7
    assert table != NODES
    assert table.__eq__(NODES) is NotImplemented


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol: int, name: str) -> None:
    table = table_of(name, 1000, 3)
    again = pickle.loads(pickle.dumps(table, protocol))
    assert_same(again, table)
    assert_same(again.remove("node3"), table.remove("node3"))
    assert np.array_equal(again.lookup_batch(["a", 1]), table.lookup_batch(["a", 1]))
    for one in (copy.copy(table), copy.deepcopy(table)):
        assert_same(one, table)


# -- memory and signals -------------------------------------------------------------------------

CHILD = """
import numpy as np
import rvh, rvh.partitions
from rvh.partitions import PartitionTable

def memory(name):
    with open("/proc/self/status") as status:
        (line,) = (line for line in status if line.startswith(name))
    return int(line.split()[1]) * 1024

nodes = [f"node{{n}}" for n in range({nodes})]
ns = rvh.NodeSet(nodes, scheme="murmur")
warm = PartitionTable(ns, 3, {k})
warm.moved(warm.add("x").remove(nodes[0])).partition
table = PartitionTable(ns, {partitions}, {k})
other = table.remove(nodes[0]) if "other" in {call!r} else None
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak starts again from here
before = memory("VmRSS:")
out = {call}
print(memory("VmHWM:") - before)
"""
NEW = "[f'new{n}' for n in range(400)]"
#: nodes, partitions, k, the call, tables of that size that its answer takes
MEMORY = {
    "built": (3, 1 << 20, 1, "PartitionTable(ns, 1 << 20)", 1),
    "one node added": (30, 1 << 20, 1, "table.add('new')", 1),
    "many nodes added": (1000, 1 << 17, 1, f"table.add({NEW})", 1),
    "a node removed": (30, 1 << 20, 1, "table.remove('node3')", 1),
    "moved": (30, 1 << 20, 1, "table.moved(other)", 0),
    "moved, large k": (300, 1 << 14, 200, "table.moved(other)", 0),
    "saved": (3, 1 << 22, 1, "table.save('/dev/null')", 0),
}


@pytest.mark.skipif(not LINUX, reason="only Linux tells the peak of a process from a point on")
@pytest.mark.skipif(not NATIVE, reason="tables that are large enough take hashlib minutes")
@pytest.mark.parametrize("name", MEMORY)
def test_extra_memory(name: str, tmp_path: Path) -> None:
    nodes, partitions, k, call, tables = MEMORY[name]
    call = call.replace("/dev/null", str(tmp_path / "table"))
    extra = int(output(CHILD.format(nodes=nodes, partitions=partitions, k=k, call=call)))
    extra -= tables * 12 * partitions * k
    assert extra <= 40_000_000, f"{extra / 1e6:.1f} MB"


# The twin reads thousands of elements at a time as Python objects, so its long keys are shorter.
LONG = 2_000_000 if NATIVE else 10_000
LONG_CALLS = {
    "integers": "table.partition_batch(np.broadcast_to(np.arange(1), 2 * 10**9), threads=THREADS)",
    "keys of megabytes": (
        'table.arglookup_batch(np.broadcast_to(np.array([b"x" * LONG]), 10**8), threads=THREADS)'
    ),
    "text of megabytes": (
        'table.lookup_batch(np.broadcast_to(np.array(["é" * LONG]), 10**8), threads=THREADS)'
    ),
    "objects": (
        'table.lookup_batch(np.broadcast_to(np.array(["é" * 9000], object), 10**8),'
        " threads=THREADS)"
    ),
    "building": "PartitionTable(ns.ids, 1 << 24, threads=THREADS)",
    "adding": "table.add([f'new{n}' for n in range(1500)], threads=THREADS)",
}

SETUP = """
import numpy as np
import rvh
from rvh.partitions import PartitionTable

THREADS, LONG = {threads}, {long}
ns = rvh.NodeSet([f"node{{n}}" for n in range(2000)], scheme="murmur")
table = PartitionTable(ns, {partitions})
"""


@needs_sigint
@pytest.mark.parametrize("threads", some([1, 2], every=2))
@pytest.mark.parametrize("name", LONG_CALLS)
def test_interrupt(name: str, threads: int) -> None:
    partitions = (1 << 20 if NATIVE else 2000) if name == "adding" else 10
    setup = SETUP.format(threads=threads, long=LONG, partitions=partitions)
    number = reference.partition("key", partitions)
    after = 'print(table.partition_batch(["key"])[0])'
    assert interrupted(setup, LONG_CALLS[name], after) == f"{number}\n"
