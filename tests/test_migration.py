"""Migrations: who owns a key at a progress, who to read from and write to, plans that resume."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

import rvh
from rvh.balanced import BalancedAssigner
from rvh.faultset import FaultSet
from rvh.geohash import GeoSet
from rvh.partitions import PartitionTable
from rvh.ring import Migration, Phase, Plan, Ring, RingFace, Route, ketama

NAMES = [f"node-{n}" for n in range(8)]
OLD, NEW = ketama(NAMES, integers="contract"), rvh.NodeSet([*NAMES[1:], "node-8"])
MANY = 1_000_000 if rvh.backend() == "native" else 2_000
MIGRATION = Migration(OLD, NEW)


def point(key: Any) -> int:
    return reference.murmur64a(reference.as_bytes(key), 2718281828)


@given(st.lists(st.text(max_size=30) | st.integers(-(2**63), 2**64 - 1), max_size=50))
def test_crossing_points_are_the_hash_of_partitions(keys: list[Any]) -> None:
    assert MIGRATION.crossing_batch(keys).tolist() == [point(key) for key in keys]


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=50),
    st.lists(st.floats(0, 1), min_size=2, max_size=6),
)
def test_each_key_crosses_once(keys: list[int], progress: list[float]) -> None:
    old, new = OLD.lookup_batch(keys), NEW.select_batch(keys)
    before = np.zeros(len(keys), dtype=bool)
    for p in sorted([0, *progress, 1]):
        crossed = MIGRATION.crossed_batch(keys, p)
        assert (crossed >= before).all()  # who has crossed stays
        assert crossed.tolist() == [Fraction(point(key), 2**64) < Fraction(p) for key in keys]
        owners = MIGRATION.owners_batch(keys, p)
        assert (owners == np.where(crossed[:, None], new, old)).all()
        assert [MIGRATION.owners(key, p) for key in keys] == owners.tolist()
        before = crossed
    assert (MIGRATION.owners_batch(keys, 0) == old).all()
    assert (MIGRATION.owners_batch(keys, 1.0) == new).all()


def test_progress_is_the_share_of_keys() -> None:
    keys = np.arange(MANY)
    for p in (0.1, 0.5, 0.9):
        share = MIGRATION.crossed_batch(keys, p).mean()
        assert abs(share - p) < 5 * (p * (1 - p) / MANY) ** 0.5
    assert not MIGRATION.crossed_batch(keys, 0).any()
    assert MIGRATION.crossed_batch(keys, 1).all()


def test_partitions_cross_in_the_order_of_their_numbers() -> None:
    old, new = PartitionTable(NAMES, 64), PartitionTable(NAMES[1:], 64)
    migration = Migration(old, new)
    keys = np.arange(1000)
    for n in (0, 1, 17, 64):
        crossed = migration.crossed_batch(keys, n / 64)
        assert (crossed == (old.partition_batch(keys) < n)).all()
    plan = migration.plan(16)
    for step in plan.left():
        rows = plan.rows(keys, step)
        inside = old.partition_batch(keys) // 4 == step.number
        assert rows.tolist() == np.flatnonzero(inside).tolist()


def test_any_two_placements_and_several_nodes() -> None:
    keys = [f"key-{n}" for n in range(300)]
    table = PartitionTable(NAMES, 256, k=2)
    face = RingFace(NAMES)
    migration = Migration(table, face, k=2)
    assert (migration.owners_batch(keys, 0) == table.lookup_batch(keys)).all()
    assert (migration.owners_batch(keys, 1) == face.nodes.select_batch(keys, 2)).all()
    moved = Migration(rvh.NodeSet(NAMES), rvh.NodeSet(NAMES).remove("node-3"), k=3).moves(keys)
    assert set(moved.source.tolist()) == {"node-3"}
    had = (rvh.NodeSet(NAMES).select_batch(keys, 3) == "node-3").any(axis=1)
    assert moved.row.tolist() == np.flatnonzero(had).tolist()


def test_moves_are_what_changes() -> None:
    keys = np.arange(2000)
    old, new = OLD.lookup_batch(keys)[:, 0], NEW.select_batch(keys)[:, 0]
    moved = MIGRATION.moves(keys)
    assert moved.row.tolist() == np.flatnonzero(old != new).tolist()
    assert (moved.source == old[moved.row]).all()
    assert (moved.target == new[moved.row]).all()


def test_routes() -> None:
    crossed, waiting = sorted((f"key-{n}" for n in range(50)), key=point)[::49]
    p = 0.5
    assert point(crossed) < 2**63 <= point(waiting)
    for key in (crossed, waiting):
        old, new = OLD.lookup(key), NEW.select(key)
        both = list(dict.fromkeys(old + new))
        back = list(dict.fromkeys(new + old))
        assert MIGRATION.route(key, Phase.BEFORE, p) == Route(old, old)
        assert MIGRATION.route(key, "copying", p) == Route(old, both)
        assert MIGRATION.route(key, "after", p) == Route(new, new)
        want = Route(back, back) if key == crossed else Route(old, both)
        assert MIGRATION.route(key, "switching", p) == want


def test_a_plan_covers_every_key_once_and_resumes() -> None:
    keys = np.arange(3000)
    plan = MIGRATION.plan(7)
    assert plan.steps == 7
    steps = list(plan.left())
    rows = np.concatenate([plan.rows(keys, step) for step in steps])
    assert sorted(rows.tolist()) == keys.tolist()
    assert plan.progress == 0
    for number in (0, 1, 4):
        plan.finish(number)
    assert plan.progress == Fraction(2, 7)
    # Up to the progress all keys of the steps done have crossed, and no others.
    crossed = np.flatnonzero(MIGRATION.crossed_batch(keys, plan.progress))
    done = np.concatenate([plan.rows(keys, n) for n in (0, 1)])
    assert sorted(done.tolist()) == crossed.tolist()
    saved = json.loads(json.dumps(plan.state()))
    again = Plan.resume(Migration(ketama(NAMES), NEW), saved)
    assert [step.number for step in again.left()] == [2, 3, 5, 6]
    assert again.state() == plan.state()
    for step in again.left():
        again.finish(step)
    assert again.progress == 1
    assert list(again.left()) == []


def test_a_fault_set_and_what_has_a_node_set_of_its_own() -> None:
    nodes = rvh.NodeSet(["a", "b", "c", "d"])
    faults = FaultSet(nodes, alive=[False, True, True, True])
    keys = [f"key-{n}" for n in range(200)]
    owners = Migration(faults, nodes, k=2).owners_batch(keys, 0)
    assert (owners == faults.select_batch(keys, 2).nodes).all()
    assert Migration(faults, nodes, k=2).owners(keys[0], 0) == owners[0].tolist()

    class Mine:
        """Placements of its own, over a node set."""

        def __init__(self) -> None:
            self.nodes = nodes

        def select_batch(self, keys: Any, k: int) -> np.ndarray:
            return np.full((len(keys), k), "here")

    migration = Migration(Mine(), nodes)
    assert set(migration.owners_batch(keys, 0)[:, 0]) == {"here"}
    assert migration.owners("x", 0) == ["here"]


def test_a_ring_face_counts_as_it_is_now() -> None:
    face = RingFace(["a", "b"])
    migration = Migration(face, NEW)
    face.add_node("c")
    assert migration.plan(1).state()["old"] == RingFace(["a", "b"]).nodes.fingerprint


def test_a_str_and_its_bytes_are_one_node() -> None:
    keys = [f"key-{n}" for n in range(100)]
    text, binary = rvh.NodeSet(["a", "b"]), rvh.NodeSet([b"a", b"b"])
    mixed = rvh.NodeSet(np.array(["a", b"b"], object))
    for old in (text, binary, mixed):
        for new in (text, binary, mixed):
            assert len(Migration(old, new).moves(keys).row) == 0
            assert len(Migration(old, new).route("x", "copying").write) == 1
    more = rvh.NodeSet([b"a", b"b", b"\xff"])
    moved = Migration(text, more).moves(keys)
    assert set(moved.target.tolist()) == {b"\xff"}
    halfway = Migration(text, more).owners_batch(keys, 0.5)[:, 0].tolist()
    assert {type(node) for node in halfway} == {str, bytes}
    assert halfway == [Migration(text, more).owners(key, 0.5)[0] for key in keys]


def test_a_routes_lists_are_two() -> None:
    migration = Migration(OLD, NEW, k=2)
    for phase in Phase:
        for progress in (0, 1):
            route = migration.route("x", phase, progress)
            assert route.read is not route.write


def test_threads_are_those_of_the_selections_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    select = rvh.NodeSet.select_batch

    def spy(self: rvh.NodeSet, keys: Any, k: int = 1, **options: Any) -> Any:
        asked.append(options)
        return select(self, keys, k, **options)

    monkeypatch.setattr(rvh.NodeSet, "select_batch", spy)
    migration = Migration(NEW, NEW)
    asked.clear()
    migration.owners_batch(["x"], 0.5, threads=1)
    migration.moves(["x"], threads=1)
    assert asked == [{"threads": 1}] * 4


def other(**changes: Any) -> dict[str, Any]:
    return {**MIGRATION.plan(4).state(), **changes}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: MIGRATION.crossed_batch([1], 1.01), ValueError, "progress is 1.01: pass a number"),
        (lambda: MIGRATION.owners("x", -0.1), ValueError, "progress is -0.1"),
        (lambda: MIGRATION.owners("x", float("nan")), ValueError, "progress is nan"),
        (lambda: MIGRATION.owners("x", "half"), TypeError, "progress is 'half'"),
        (lambda: MIGRATION.owners("x", True), TypeError, "progress is True"),
        (lambda: MIGRATION.owners_batch([1, None], 0.5), TypeError, "position 1"),
        (lambda: MIGRATION.route("x", "during"), ValueError, "phase is 'during': choose one of"),
        (lambda: Migration(["a"], NEW), TypeError, "old is of type list: pass a NodeSet"),
        (lambda: Migration(OLD, None), TypeError, "new is of type NoneType"),
        (lambda: Migration(OLD, NEW, k=9), ValueError, "k is 9"),
        (lambda: Migration(OLD, PartitionTable(NAMES, 64, k=2)), ValueError,
         "new gives every key 2 nodes, but k is 1: pass k=2"),
        (lambda: MIGRATION.plan(0), ValueError, "steps is 0"),
        (lambda: MIGRATION.plan(1.5), TypeError, "steps is 1.5"),
        (lambda: MIGRATION.plan(4).finish(4), ValueError, "step is 4: there are steps 0 to 3"),
        (lambda: MIGRATION.plan(4).rows([1], "x"), TypeError, "step is 'x'"),
        (lambda: Plan.resume(MIGRATION, {}), ValueError, "pass what Plan.state"),
        (lambda: Plan.resume(MIGRATION, other(old="0")), ValueError, "of another old placement"),
        (lambda: Plan.resume(MIGRATION, other(new="0")), ValueError, "of another new placement"),
        (lambda: Plan.resume(MIGRATION, other(k=2)), ValueError, "of another k"),
        (lambda: Plan.resume(MIGRATION, other(k=True)), ValueError, "of another k"),
        (lambda: Plan.resume(MIGRATION, other(old=np.array([1, 2]))), ValueError, "of another old"),
        (lambda: Plan.resume(MIGRATION, other(format=np.array([1, 2]))), ValueError, "pass what"),
        (lambda: Plan.resume(MIGRATION, other(steps="4")), ValueError, "damaged: steps is '4'"),
        (lambda: Plan.resume(MIGRATION, other(done=7)), ValueError, "the state is damaged"),
        (lambda: Plan.resume(MIGRATION, other(done=b"\0")), ValueError, "the state is damaged"),
        (lambda: Plan.resume(MIGRATION, other(done=np.array(0))), ValueError, "is damaged"),
        (lambda: Plan.resume(MIGRATION, other(done=["x"])), ValueError, "the state is damaged"),
        (lambda: Plan.resume(MIGRATION, other(done=[9])), ValueError, "step is 9"),
        (lambda: Plan.resume(MIGRATION, other(done=[10**5000])), ValueError, "step is <int>"),
        (lambda: Plan.resume(None, other()), TypeError, "migration is of type NoneType"),
        (lambda: Plan(MIGRATION, 0), ValueError, "steps is 0"),
        (lambda: Plan(None, 3), TypeError, "migration is of type NoneType: pass a Migration"),
        (lambda: MIGRATION.plan(8).finish(next(MIGRATION.plan(4).left())), ValueError,
         "of a plan of other steps: this one has 8"),
        (lambda: MIGRATION.plan(4).finish(np.timedelta64(1)), TypeError, "step is "),
        (lambda: MIGRATION.owners("x", np.timedelta64(1)), TypeError, "progress is "),
        (lambda: MIGRATION.owners("x", 10**5000), ValueError, "progress is <int>"),
        (lambda: Migration(BalancedAssigner(["a"]), NEW), TypeError, "old is of type Balanced"),
        (lambda: Migration(GeoSet(["a"], geohash=["u0"]), NEW), TypeError, "places of the keys"),
    ],
)  # fmt: skip
def test_bad_input(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words) as caught:
        call()
    assert isinstance(caught.value, error)


def test_golden_answers() -> None:
    golden = json.loads((Path(__file__).parent / "golden" / "ring.json").read_bytes())
    keys = [row["key"] for row in golden["keys"]]
    crossing = [int(row["crossing"]) for row in golden["keys"]]
    assert MIGRATION.crossing_batch(keys).tolist() == crossing
    for name in ("ketama", "md5", "crc32"):
        tokens = Ring.from_tokens({"a": [0]}, name).token_batch(keys)
        assert tokens.tolist() == [int(row[name]) for row in golden["keys"]]
