"""Many nodes of a key, many chunks of a column: the same answers, and work that grows as they do.

What compares few nodes one by one works with marks for many, and what is long goes in slices; so
every size here lies on either side of where one begins.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

import rvh
from rvh._batch import replicas as _replicas
from rvh._runtime import slices as _slices
from rvh.balanced import assign_balanced
from rvh.cache import SelectionCache
from rvh.faultset import FaultSet
from rvh.geohash import GeoSet
from rvh.keys import KeyColumn
from rvh.multi import compose_keys
from rvh.partitions import PartitionTable
from rvh.ring import Migration, Ring, ketama
from rvh.stable import StableSelector

FEW = _replicas.FEW
SIZES = [1, 3, FEW - 1, FEW, FEW + 1, 90]


def names(count: int) -> list[str]:
    return [f"node{n}" for n in range(count)]


# -- rings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 31, 32, 33, 64, 65, 199, 200])
def test_the_nodes_of_the_points_that_follow(k: int) -> None:
    # 170 nodes have a point each, behind many points of 30 others.
    owners = [n % 30 for n in range(3000)] + list(range(30, 200))
    tokens: dict[str, list[int]] = {name: [] for name in names(200)}
    for place, owner in enumerate(owners):
        tokens[f"node{owner}"].append(place * 2**50)
    ring = Ring.from_tokens(tokens, "xxh64")
    keys = [f"key{n}" for n in range(30)]
    found = ring.arglookup_batch(keys, k)
    for key, row in zip(keys, found.tolist(), strict=True):
        at = int(np.searchsorted(ring.tokens, np.uint64(ring.token(key))))
        expected = list(dict.fromkeys((owners[at:] + owners) if at < len(owners) else owners))
        assert row == expected[:k]
        assert ring.lookup(key, k) == [f"node{n}" for n in expected[:k]]


# -- what moves -----------------------------------------------------------------------------------


@pytest.mark.parametrize("k", SIZES)
@pytest.mark.parametrize("wide", SIZES)
def test_repair_tells_what_is_new_and_what_goes(k: int, wide: int) -> None:
    rng = np.random.default_rng(k * 100 + wide)
    alive = np.arange(100) % 10 != 0
    faults = FaultSet(names(100), alive=alive)
    held = rng.integers(-1, 103, (25, wide))  # -1 is none, 100 and more are no nodes of the set
    held[::3, wide // 2 :] = held[::3, : wide - wide // 2]  # some stand in their rows twice
    current = np.array([None if n < 0 else f"node{n}" for n in held.ravel()], object)
    repair = faults.repair(range(25), current.reshape(held.shape), k)
    assert repair.nodes.shape == (25, k)
    living = {f"node{n}" for n in np.flatnonzero(alive)}
    for now, added, before, dropped in zip(
        repair.nodes.tolist(),
        repair.added.tolist(),
        current.reshape(held.shape).tolist(),
        repair.dropped.tolist(),
        strict=True,
    ):
        there = [node for node in before if node in living]
        assert added == [node not in there for node in now]
        seen: set[Any] = set()
        for node, goes in zip(before, dropped, strict=True):
            assert goes == (node is not None and (node not in now or node in seen))
            seen.add(node)


@pytest.mark.parametrize("k", SIZES)
@pytest.mark.parametrize("as_bytes", [False, True])
def test_moves_are_what_one_row_lacks_of_the_other(k: int, as_bytes: bool) -> None:
    new_ids: list[Any] = [*names(97)[4:], "new1", "new2"]
    if as_bytes:
        new_ids = [node.encode() for node in new_ids]
    old, new = rvh.NodeSet(names(91)), rvh.NodeSet(new_ids)
    moved = Migration(old, new, k).moves(range(40))
    expected = []
    for row in range(40):
        before, after = old.select(row, k), new.select(row, k)
        plain = [node.decode() if as_bytes else node for node in after]
        leaves = [node for node in before if node not in plain]
        comes = [node for node, text in zip(after, plain, strict=True) if text not in before]
        expected += [(row, *pair) for pair in zip(leaves, comes, strict=True)]
    assert list(zip(*(column.tolist() for column in moved), strict=True)) == expected


@pytest.mark.parametrize("k", SIZES)
def test_partitions_move_as_rows_do(k: int) -> None:
    before = PartitionTable(names(95), 50, k)
    after = PartitionTable(rvh.NodeSet(names(100)[4:][::-1]), 50, k)
    moves = before.moved(after)
    expected = []
    for partition in range(50):
        mine = before.nodes.ids[before.owners[partition]].tolist()
        theirs = after.nodes.ids[after.owners[partition]].tolist()
        leaves = [node for node in mine if node not in theirs]
        comes = [node for node in theirs if node not in mine]
        expected += [(partition, *pair) for pair in zip(leaves, comes, strict=True)]
    assert list(zip(*(column.tolist() for column in moves), strict=True)) == expected


# -- one key, all nodes ---------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["blake2b", "murmur"])
@pytest.mark.parametrize("weighted", [False, True])
def test_all_nodes_of_one_key(scheme: str, weighted: bool) -> None:
    ids = names(2100)  # a heap that is large enough to be asked about
    weights = [1 + n % 5 for n in range(2100)] if weighted else None
    ns = rvh.NodeSet(ids, weights=weights, scheme=scheme)
    ranking = reference.ranking(ids, "key", scheme=scheme, weights=weights)
    best = [ids[n] for n in ranking]
    assert ns.select("key", 2100) == best
    assert ns.argselect_batch(["key"], 2000).tolist() == [ranking[:2000]]
    assert [node for node, _ in ns.scores("key")] == best
    assert SelectionCache(ns, 3).select("key", 2100) == best
    assert FaultSet(ns).select("key", 1500) == best[:1500]
    apart = FaultSet(ns, domains={"zone": range(2100)})
    assert apart.select("key", 1500, "zone") == best[:1500]


def test_all_buckets_of_one_key() -> None:
    expected = reference.distinct_jumps(reference.key_word(7), 400, 400)
    assert StableSelector(names(400)).select(7, 400) == [f"node{n}" for n in expected]


@given(st.lists(st.binary(min_size=1, max_size=12), unique=True, min_size=1, max_size=40))
def test_ids_in_the_order_of_their_bytes(ids: list[bytes]) -> None:
    # The fingerprint is over sorted ids, and a tie goes to the highest bytes.
    assert rvh.NodeSet(ids).fingerprint == reference.fingerprint(ids)
    begin_alike = [b"x" * 20 + node for node in ids]
    assert rvh.NodeSet(begin_alike).fingerprint == reference.fingerprint(begin_alike)


# -- slices ---------------------------------------------------------------------------------------


def answers(tmp_path: Path) -> Iterator[Any]:
    """What goes in slices where it is long, and more that is made of it."""
    pa = pytest.importorskip("pyarrow")
    ids = names(23)
    for given_ids in (ids, [node.encode() for node in ids], [b"b", *ids], np.array(ids)):
        ns = rvh.NodeSet(given_ids)
        yield ns, ns.fingerprint, hash(ns) == hash(rvh.NodeSet(list(given_ids))), list(ns)
        yield ns == rvh.NodeSet(list(given_ids)), ns == rvh.NodeSet(list(given_ids)[::-1])
        yield ns.select("key", 23), ns.scores("key"), ns.select_batch(["a", "b"], 20).tolist()
    ns = rvh.NodeSet(ids, scheme="murmur")
    yield ns.select("key", 23), ns.scores("key"), rvh.NodeSet(ids, weights=range(23)).scores("key")
    codes = pa.array([30, 3, None, 30, 7, 0, 12, 3] * 2)
    column = pa.DictionaryArray.from_arrays(codes, pa.array([*map(str, range(12, 42)), None]))
    yield pa.array(ns.select_arrow(column, 2)).to_pylist()
    yield ns.select_batch(column.cast(pa.string()).drop_null().dictionary_encode()).tolist()
    table = PartitionTable(ns, 37, 3)
    table.save(tmp_path / "table")
    yield PartitionTable.load(tmp_path / "table", ns) == table
    for other in (table.add("x"), table.remove("node3"), PartitionTable(ids[::-1], 37, 3)):
        yield other.owners.tolist(), [column.tolist() for column in table.moved(other)]
    places = ["u09tv", "u05kq", "r3gx2", "u09tw", "9q8yy", "s00", "u0"] * 3 + ["u", "r3"]
    geo = GeoSet(ids, places)
    yield geo.select_batch(range(9), 7, geohash=places[:9]).tolist(), geo.geohash.tolist()
    ring = ketama(ids)
    yield ring.fingerprint, ring.tokens.tolist(), ring.lookup_batch(list("abcdefghi"), 23).tolist()
    yield StableSelector(ids).select_batch(range(9), 9).tolist()
    faults = FaultSet(ns, alive=np.arange(23) % 4 > 0, domains={"zone": [n % 6 for n in range(23)]})
    yield [part.tolist() for part in faults.select_batch(range(9), 9, "zone", 2)]
    current = np.array(ids)[np.arange(9 * 7).reshape(9, 7) * 5 % 23]
    yield [part.tolist() for part in faults.repair(range(9), current, 8)]
    yield [part.tolist() for part in Migration(ns, rvh.NodeSet(ids[3:]), 20).moves(range(9))]
    yield assign_balanced(ns, range(40)).tolist()


def test_slices_change_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = list(answers(tmp_path))
    for name, module in list(sys.modules.items()):
        for size, value in (
            ("SLICE", 5),
            ("SORTED", 4),
            ("FEW", 2),
            ("MARKS", 60),
            ("COMPARED", 6),
        ):
            if name.startswith("rvh.") and size in vars(module) and "_native" not in name:
                monkeypatch.setattr(module, size, value)
    assert list(answers(tmp_path)) == whole


@pytest.mark.parametrize("count", [0, _slices.SLICE])
def test_ids_of_a_slice_and_more(count: int) -> None:
    ids = [*(f"{n}" for n in range(count)), "the longest of all"]
    ns = rvh.NodeSet(ids)
    assert list(ns) == ns.ids.tolist() == ids
    assert ns.select("key", count + 1) == rvh.NodeSet(ids[::-1]).select("key", count + 1)


# -- growth ---------------------------------------------------------------------------------------


def lines(call: Callable[[], Any]) -> int:
    """How many lines of rvh a call executes."""
    count = 0
    library = Path(rvh.__file__).parent

    def local(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return local

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        return local if Path(frame.f_code.co_filename).parent == library else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def memory(call: Callable[[], Any]) -> int:
    """The bytes that a call needs at a time, NumPy's too."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def repairing(k: int) -> Callable[[], Any]:
    faults, current = FaultSet(names(k)), np.array([names(k)])
    return lambda: faults.repair(["key"], current, k)


def moving(k: int) -> Callable[[], Any]:
    migration = Migration(rvh.NodeSet(names(k)), rvh.NodeSet(names(k + 5)), k)
    return lambda: migration.moves(["key"])


def tables(k: int) -> Callable[[], Any]:
    before = PartitionTable(names(k), 2, k)
    after = PartitionTable(names(k + 5), 2, k)
    return lambda: before.moved(after)


@pytest.mark.parametrize("work", [lines, memory])
@pytest.mark.parametrize("make", [repairing, moving, tables])
def test_twice_the_nodes_are_about_twice_the_work(
    work: Callable[[Callable[[], Any]], int], make: Callable[[int], Callable[[], Any]]
) -> None:
    once, twice = make(400), make(800)
    once(), twice()  # what is made once is made
    assert work(twice) < 2.5 * work(once)  # where each pair is compared it is 4


@pytest.mark.parametrize("chunks", [300, 600])
def test_a_row_is_taken_from_its_own_chunk(chunks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pa = pytest.importorskip("pyarrow")
    column = pa.chunked_array([[f"{n}", f"{n + 1}", "x"] for n in range(chunks)])
    other = pa.chunked_array([[n, n + 1] for n in range(3 * chunks // 2)])
    looked_at = 0
    take = KeyColumn._take

    def counting(self: KeyColumn, rows: Any) -> KeyColumn:
        nonlocal looked_at
        looked_at += len(self.values.columns) if hasattr(self.values, "columns") else 1
        return take(self, rows)

    monkeypatch.setattr(KeyColumn, "_take", counting)
    keys = compose_keys(column, other, "tail")
    rvh.NodeSet(names(5)).select_batch(column, dedupe=True)
    assert looked_at <= 6 * chunks  # a few chunks for each, and not all of them
    expected = [
        rvh.keys.composite(a, b, "tail")
        for a, b in zip(column.to_pylist(), other.to_pylist(), strict=True)
    ]
    assert list(keys.iter_bytes()) == expected
