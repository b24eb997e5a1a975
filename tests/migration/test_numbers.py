"""Migrations between different numbers of replicas, with dead nodes and placements given up."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rvh
from rvh.faultset import FaultSet
from rvh.migration import Migration, Phase, Plan, Route
from rvh.partitions import PartitionTable
from rvh.ring import ketama

IDS = ["a", "b", "c", "d", "e", b"f"]
KEYS = [f"key-{n}" for n in range(120)]


class Told:
    """A placement of one's own: the rows that it was told, for keys 0, 1, 2, ..."""

    fingerprint = "told"

    def __init__(self, rows: list[list[Any]]) -> None:
        self.rows = rows

    def lookup_batch(self, keys: Any, k: int) -> list[list[Any]]:
        return [self.rows[key] for key in keys]


@st.composite
def told(draw: st.DrawFn) -> tuple[Migration, list[list[list[Any]]], set[Any]]:
    rows, sizes = draw(st.integers(1, 4)), (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    kept = draw(st.integers(0, 2))
    tables = [
        [draw(st.permutations(IDS))[:k] for _ in range(rows)]
        for k in (sizes[0], *[sizes[1]] * (kept + 1))
    ]
    dead = draw(st.sets(st.sampled_from(IDS), max_size=3))
    old, *between, new = map(Told, tables)
    migration = Migration(
        old, new, sizes[0], k_new=sizes[1], kept=between, dead=sorted(dead, key=str)
    )
    return migration, tables, dead


def living(nodes: list[Any], dead: set[Any]) -> list[Any]:
    return [node for node in nodes if node not in dead]


@given(told())
def test_each_living_new_node_gets_the_key_from_a_living_old_one(case: Any) -> None:
    migration, tables, dead = case
    count = len(tables[0])
    moved = migration.moves(range(count))
    found: list[list[tuple[Any, Any]]] = [[] for _ in range(count)]
    for row, source, target in zip(*moved, strict=True):
        found[row].append((source, target))
    assert moved.row.tolist() == sorted(moved.row.tolist())
    for row in range(count):
        old = living(tables[0][row], dead)
        new = living(tables[-1][row], dead)
        assert [target for _, target in found[row]] == [node for node in new if node not in old]
        kept = [node for table in tables[1:-1] for node in living(table[row], dead)]
        losing = [node for node in old if node not in new]
        order = losing + [node for node in old if node in new]
        for turn, (source, target) in enumerate(found[row]):
            if order:
                assert source == order[turn % len(order)]
            else:
                maybe = [node for node in kept if node != target]
                assert source in maybe if maybe else source is None


@given(told(), st.sampled_from(list(Phase)), st.floats(0, 1))
def test_routes_lead_to_the_living(case: Any, phase: Phase, progress: float) -> None:
    migration, tables, dead = case
    for key in range(len(tables[0])):
        old, new = living(tables[0][key], dead), living(tables[-1][key], dead)
        kept = [node for table in tables[1:-1] for node in living(table[key], dead)]
        base = old or list(dict.fromkeys(kept)) or new
        held = list(dict.fromkeys([*old, *kept])) or base
        route = migration.route(key, phase, progress)
        crossed = phase == "switching" and migration.crossed_batch([key], progress)[0]
        if phase == "before":
            assert route == Route(base, base)
        elif phase == "after":
            assert route == Route(new, new)
        else:
            assert route.read == (list(dict.fromkeys(new + base)) if crossed else base)
            more = [] if phase == "preparing" else new
            assert sorted(map(str, route.write)) == sorted(map(str, {*held, *more}))
            gone = {*new} - {*held} if phase == "preparing" else set()
            assert sorted(map(str, route.remove)) == sorted(map(str, gone))
        assert not {*route.read, *route.write, *route.remove} & dead
        if set().union(*(living(table[key], dead) for table in tables)):
            assert route.read or phase == "after"


def test_more_replicas_and_fewer() -> None:
    nodes = rvh.NodeSet(["a", "b", "c", "d"])
    more = Migration(nodes, nodes, 1, k_new=3)
    moved = more.moves(KEYS)
    ranked = nodes.select_batch(KEYS, 3)
    assert moved.row.tolist() == [row for row in range(len(KEYS)) for _ in range(2)]
    assert moved.target.tolist() == ranked[:, 1:].ravel().tolist()
    assert moved.source.tolist() == np.repeat(ranked[:, 0], 2).tolist()
    halfway = more.owners_batch(KEYS, 0.5)
    crossed = more.crossed_batch(KEYS, 0.5)
    for key, row, has_crossed in zip(KEYS, halfway.tolist(), crossed, strict=True):
        owners = nodes.select(key, 3 if has_crossed else 1)
        assert row == [*owners, None, None][:3]
        assert more.owners(key, 0.5) == owners
    fewer = Migration(nodes, nodes, 3, k_new=1)
    assert len(fewer.moves(KEYS).row) == 0
    assert fewer.route("x", "copying").write == nodes.select("x", 3)
    assert fewer.route("x", "after").write == nodes.select("x", 1)


def test_dead_owners_are_left_out() -> None:
    nodes = rvh.NodeSet(["a", "b", "c"])
    migration = Migration(nodes, rvh.NodeSet(["b", "c"]), 2, dead=["a"])
    for key, row in zip(KEYS, migration.owners_batch(KEYS, 0).tolist(), strict=True):
        alive = [node for node in nodes.select(key, 2) if node != "a"]
        assert row == [*alive, None][:2] == [*migration.owners(key, 0), None][:2]


def test_a_progress_needs_equal_numbers() -> None:
    nodes = rvh.NodeSet(["a", "b", "c"])
    for migration in (Migration(nodes, nodes, 1, k_new=2), Migration(nodes, nodes, dead=["a"])):
        with pytest.raises(rvh.RVHError, match=r"use owners_batch, which fills up with None"):
            migration.at(0.5)


def test_steps_of_all_keys_in_one_pass() -> None:
    migration = Migration(ketama(["a", "b"]), rvh.NodeSet(["a", "c"]))
    keys = [*KEYS, "", b"\xff"]
    for steps in (1, 3, 64, 1000, 1 << 24):
        plan = migration.plan(steps)
        numbers = plan.steps_of(keys, threads=1)
        for step in np.unique(numbers).tolist():
            assert plan.rows(keys, step).tolist() == np.flatnonzero(numbers == step).tolist()
    assert plan.steps_of([]).shape == (0,)


def test_a_step_is_a_run_of_partitions() -> None:
    table = PartitionTable(["a", "b"], 64)
    plan = Migration(table, rvh.NodeSet(["a"])).plan(16)
    assert (plan.steps_of(KEYS) == table.partition_batch(KEYS) // 4).all()


def test_a_route_is_a_pair_with_an_attribute() -> None:
    migration = Migration(rvh.NodeSet(["a"]), rvh.NodeSet(["b"]))
    route = migration.route("x", "preparing")
    read, write = route
    assert (read, write, route.remove) == (["a"], ["a"], ["b"])
    assert route == Route(["a"], ["a"], ["b"]) != Route(["a"], ["a"])
    assert Route(["a"], ["a"]) == (["a"], ["a"])
    arrived = pickle.loads(pickle.dumps(route))
    assert arrived == route
    assert repr(arrived) == "Route(read=['a'], write=['a'], remove=['b'])"
    assert migration.route("x", "before").remove == []


def test_pickles_and_plans_of_other_numbers() -> None:
    nodes, fewer = rvh.NodeSet(["a", "b", "c"]), rvh.NodeSet(["a", "b"])
    one = Migration(nodes, fewer, 1, k_new=2, kept=[nodes], dead=["c", b"c"])
    arrived = pickle.loads(pickle.dumps(one))
    assert repr(arrived) == repr(one)
    assert arrived.route("x", "copying") == one.route("x", "copying")
    state = one.plan(4).state()
    assert Plan.resume(arrived, state).state() == state
    for other, what in (
        (Migration(nodes, fewer, 1, k_new=1, kept=[nodes], dead=["c"]), "of another k_new: 2"),
        (Migration(nodes, fewer, 1, k_new=2, dead=["c"]), "of another list of kept placements"),
        (Migration(nodes, fewer, 1, k_new=2, kept=[nodes]), "of another list of dead nodes"),
        (Migration(nodes, fewer, 1), "of another k_new"),
    ):
        with pytest.raises(rvh.RVHError, match=what):
            Plan.resume(other, state)
    simple = Migration(nodes, fewer)
    assert "k_new" not in simple.plan(4).state()


def test_a_table_of_ones_own_need_not_know_other_keys() -> None:
    table = {"x": ["a", "b"], "y": ["b", "c"]}

    class Table:
        def lookup_batch(self, keys: Any, k: int) -> list[list[str]]:
            return [table[key][:k] for key in keys]

    migration = Migration(Table(), rvh.NodeSet(["a", "b", "c"]), 2)
    assert migration.owners_batch(["y", "x"], 0).tolist() == [["b", "c"], ["a", "b"]]
    assert migration.route("x", "before") == Route(["a", "b"], ["a", "b"])
    with pytest.raises(KeyError, match="z"):
        migration.owners("z", 0)


# -- sets with dead nodes and domains -----------------------------------------------------------

FAULTS = FaultSet(
    ["a", "b", "c", "d"], [True, True, True, False], {"zone": ["eu", "eu", "us", "us"]}
)
SPREAD = FAULTS.with_spread("zone")


def test_a_fault_set_spreads_as_it_was_told() -> None:
    nodes = rvh.NodeSet(["a", "b", "c", "d"])
    want = FAULTS.select_batch(KEYS, 2, "zone").nodes
    for migration, progress in ((Migration(SPREAD, nodes, 2), 0), (Migration(nodes, SPREAD, 2), 1)):
        assert (migration.owners_batch(KEYS, progress) == want).all()
        assert migration.owners(KEYS[0], progress) == want[0].tolist()
        placed = migration.at(progress)
        assert (placed.ids[placed.argselect_batch(KEYS)] == want).all()
    assert Migration(SPREAD, nodes, 2).route("x", "before").read == FAULTS.select("x", 2, "zone")
    assert (want != FAULTS.select_batch(KEYS, 2).nodes).any()


def test_fingerprints_of_fault_sets() -> None:
    nodes = rvh.NodeSet(["a", "b", "c", "d"])
    state = Migration(SPREAD, nodes, 2).plan(4).state()
    assert Plan.resume(Migration(pickle.loads(pickle.dumps(SPREAD)), nodes, 2), state).steps == 4
    other_zones = FaultSet(FAULTS.nodes.ids, FAULTS.alive, {"zone": ["eu", "us", "us", "eu"]})
    for other in (
        FAULTS,
        FAULTS.with_spread("zone", 2),
        SPREAD.with_alive([True] * 4),
        other_zones.with_spread("zone"),
    ):
        with pytest.raises(rvh.RVHError, match="of another old placement"):
            Plan.resume(Migration(other, nodes, 2), state)
    turned = FaultSet(
        FAULTS.nodes.ids[::-1], FAULTS.alive[::-1], {"zone": ["us", "us", "eu", "eu"]}
    )
    assert turned.with_spread("zone").fingerprint == SPREAD.fingerprint
    assert other_zones.fingerprint == FAULTS.fingerprint  # without a spread, zones decide nothing


def test_a_spread_of_its_own() -> None:
    assert SPREAD.select_batch(KEYS, 2).degraded.tolist() == [False] * len(KEYS)
    assert (
        SPREAD.select_batch(KEYS, 2, "zone", 2).nodes == FAULTS.select_batch(KEYS, 2).nodes
    ).all()
    assert SPREAD.with_alive([True] * 4).select("x", 2) == FAULTS.with_alive([True] * 4).select(
        "x", 2, "zone"
    )
    assert pickle.loads(pickle.dumps(SPREAD)) == SPREAD != FAULTS
    assert hash(SPREAD) == hash(FAULTS.with_spread(["zone"], [1]))
    assert repr(SPREAD).endswith(".with_spread(('zone',), (1,))")
    with pytest.raises(rvh.RVHError, match="hold 2 replicas of a key"):
        FAULTS.with_spread("zone", strict=True).select("x", 3)
    with pytest.raises(rvh.RVHError, match="spread names the domain 'rack'"):
        FAULTS.with_spread("rack")
    taking = [True, False, True, True]
    repaired = SPREAD.repair(KEYS, [["a"]] * len(KEYS), 2, taking=taking)
    assert (repaired.nodes == FAULTS.repair(
        KEYS, [["a"]] * len(KEYS), 2, "zone", taking=taking
    ).nodes).all()  # fmt: skip


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda nodes: Migration(nodes, nodes, k_new=9), "k is 9"),
        (lambda nodes: Migration(nodes, nodes, k_new=0), "k_new is 0"),
        (lambda nodes: Migration(nodes, PartitionTable(nodes, 64, k=2)),
         "new gives every key 2 nodes, but k is 1: pass k=2"),
        (lambda nodes: Migration(nodes, PartitionTable(nodes, 64, k=2), k_new=3),
         "new gives every key 2 nodes, but k_new is 3: pass k_new=2"),
        (lambda nodes: Migration(nodes, nodes, dead=[7]), "node id"),
        (lambda nodes: Migration(nodes, nodes, kept="x"), "kept is 'x': pass a list of placements"),
        (lambda nodes: Migration(nodes, nodes, kept=[7]), r"kept\[0\] is of type int"),
    ],
)  # fmt: skip
def test_bad_input(call: Any, words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words):
        call(rvh.NodeSet(["a", "b"]))
