"""Migrations: who owns a key at a progress, who to read from and write to, plans that resume."""

from __future__ import annotations

import json
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import reference
from folders import GOLDEN
from hypothesis import given
from hypothesis import strategies as st
from sizes import keys_of_a_test
from uhashring import HashRing

import rvh
from rvh.balanced import BalancedAssigner
from rvh.faultset import FaultSet
from rvh.geohash import GeoSet
from rvh.keys import composite
from rvh.multi import compose_keys
from rvh.partitions import PartitionTable
from rvh.ring import Migration, Phase, Plan, Ring, RingFace, Route, ketama

NAMES = [f"node-{n}" for n in range(8)]
OLD, NEW = ketama(NAMES, integers="contract"), rvh.NodeSet([*NAMES[1:], "node-8"])
MANY = keys_of_a_test(1_000_000, 2_000)
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


class Uhashrings:
    """A placement of one's own, as Python programs have it."""

    fingerprint = "uhashring of 4"

    def __init__(self) -> None:
        self.ring = HashRing(NAMES[:4])
        self.asked: list[Any] = []

    def lookup_batch(self, keys: Any, k: int) -> list[list[str]]:
        self.asked.append(keys)
        return [[conf["nodename"] for conf in self.ring.range(key, k)] for key in keys]


TEXTS = [f"key-{n}" for n in range(40)] + ["größe"]
NUMBERS = list(range(40))


def kinds_of_keys() -> list[tuple[Any, Any]]:
    """Keys, and what any code is to get of them; None: the same object."""
    pa = pytest.importorskip("pyarrow")
    pd = pytest.importorskip("pandas")
    return [
        (TEXTS, None),
        (tuple(TEXTS), None),
        (np.array(TEXTS), None),
        (np.array(TEXTS, object), None),
        (np.array(NUMBERS), None),
        ([b"a", "b", 7], None),
        (range(40), NUMBERS),
        (memoryview(np.array(NUMBERS)), NUMBERS),
        (pa.array(TEXTS), TEXTS),
        (pa.array(TEXTS, pa.string_view()), TEXTS),
        (pa.array(TEXTS).dictionary_encode(), TEXTS),
        (pa.chunked_array([TEXTS[:9], TEXTS[9:]]), TEXTS),
        (pa.table({"key": TEXTS}), TEXTS),
        (pa.array([b"\xff", b"b"]), [b"\xff", b"b"]),
        (pa.array(NUMBERS), NUMBERS),
        (pd.Series(TEXTS, index=range(7, 48)), TEXTS),
        (pd.Series(TEXTS, dtype=object, index=range(7, 48)), TEXTS),
        (pd.Series(NUMBERS, index=range(7, 47)), NUMBERS),
        (compose_keys(["x", "y"], [1, 2]), [composite("x", 1), composite("y", 2)]),
        ([], None),
    ]


def test_a_placement_of_ones_own_gets_keys_that_any_code_can_iterate() -> None:
    nodes = rvh.NodeSet(NAMES[:4])
    for keys, want in kinds_of_keys():
        for k in (1, 3):
            mine = Uhashrings()
            migration = Migration(mine, nodes, k=k)
            mine.asked.clear()
            moved = migration.moves(keys)
            before = migration.owners_batch(keys, 0)
            after = migration.owners_batch(keys, 1, threads=2)
            for got in mine.asked:
                if want is None:
                    assert got is keys
                else:
                    assert isinstance(got, list)
                    assert got == want
                    assert [type(key) for key in got] == [type(key) for key in want]
            assert len(mine.asked) == 3
            plain = keys if want is None else want
            old = [[conf["nodename"] for conf in mine.ring.range(key, k)] for key in plain]
            assert before.tolist() == old
            new = nodes.select_batch(keys, k)
            assert (after == new).all()
            comes = [(row, set(new[row]) - set(old[row])) for row in range(len(old))]
            assert moved.row.tolist() == [row for row, more in comes for _ in more]
            for row, more in comes:
                assert set(moved.target[moved.row == row]) == more
            plan = migration.plan(3)
            rows = np.concatenate([plan.rows(keys, step) for step in plan.left()])
            assert sorted(rows.tolist()) == list(range(len(old)))


def test_one_key_for_a_placement_of_ones_own() -> None:
    for key in ("key", b"key", 7, np.int64(7), "größe"):
        for k in (1, 2):
            mine = Uhashrings()
            migration = Migration(mine, rvh.NodeSet(NAMES[:4]), k=k)
            mine.asked.clear()
            old = [conf["nodename"] for conf in mine.ring.range(key, k)]
            assert migration.owners(key, 0) == old
            assert migration.route(key, "before") == Route(old, old)
            assert mine.asked == [[key], [key]]


def test_own_placements_on_both_sides() -> None:
    one, other = Uhashrings(), Uhashrings()
    other.ring = HashRing(NAMES[1:5])
    migration = Migration(one, other, k=2)
    moved = migration.moves(TEXTS)
    assert set(moved.source.tolist()) <= set(NAMES[:4])
    assert set(moved.target.tolist()) <= set(NAMES[1:5])
    assert len(moved.source) == len(moved.target) == len(moved.row) > 0


def test_a_class_derived_of_rvhs_answers_as_that_does() -> None:
    class Named(PartitionTable):
        pass

    class Spoken(rvh.NodeSet):
        def select_batch(self, keys: Any, k: int = 1, **options: Any) -> Any:
            assert type(keys) is list
            return super().select_batch(keys, k, **options)

    table = Named(NAMES, 64)
    migration = Migration(table, Spoken(NAMES))
    assert (migration.owners_batch(TEXTS, 0) == table.lookup_batch(TEXTS)).all()
    assert (migration.owners_batch(TEXTS, 1) == rvh.NodeSet(NAMES).select_batch(TEXTS)).all()


class Answers:
    """A placement that gives what it is told to, but for the key that it is made with."""

    def __init__(self, answer: Any, k: int = 2) -> None:
        self.answer, self.k = answer, k

    def lookup_batch(self, keys: Any, k: int) -> Any:
        return [NAMES[: self.k]] if list(keys) == ["any key"] else self.answer


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ([["a", "b"], ["c", "c"]], ValueError, "key in row 1 node 'c' twice: .*each node of a key"),
        ([["a", "b"], ["c", b"c"]], ValueError, "the key in row 1 node b'c' twice"),
        (np.array([["a", "a"], ["b", "c"]]), ValueError, "the key in row 0 node 'a' twice"),
        (np.array([[b"a", b"b"], [b"d", b"d"]]), ValueError, "the key in row 1 node b'd' twice"),
        (np.array([["a", "b"], ["é", "é".encode()]], object), ValueError, "key in row 1 node b'"),
        ([["a", "b"]], ValueError, "answers with 1 rows for 2 keys: one each is needed"),
        ([["a", "b"]] * 3, ValueError, "answers with 3 rows for 2 keys"),
        ([], ValueError, "answers with 0 rows for 2 keys"),
        (["ab", "cd"], TypeError, r"answers for 2 keys in shape .2,.: a placement gives ids of"),
        (np.array(["ab", "cd"]), TypeError, r"answers for 2 keys in shape .2,."),
        ([["a"], ["b"]], ValueError, "gives every key 1 nodes, but k is 2: pass k=1"),
        ([["a", "b"], ["c"]], ValueError, "the key in row 1 1 nodes and that in row 0 2"),
        ([["a", "b"], ["c", None]], TypeError, "key in row 1 node None of type NoneType: node ids"),
        ([["a", "b"], [3, "c"]], TypeError, "the key in row 1 node 3 of type int"),
        (np.array([[1, 2], [3, 4]]), TypeError, "answers with an array of int64: node ids are str"),
        ([["a", "b"], ["c", ""]], ValueError, "the key in row 1 an empty node id"),
        (np.array([["a", "b"], ["", "c"]]), ValueError, "the key in row 1 an empty node id"),
        (np.array([[b"a", b"b"], [b"", b"c"]]), ValueError, "the key in row 1 an empty node id"),
        (np.ma.array([["a", "b"], ["c", "d"]], mask=[[0, 0], [0, 1]]), ValueError,
         "the key in row 1 a masked node"),
        (None, TypeError, "answers with a NoneType: a placement gives an array or a list of lists"),
        ("ab", TypeError, "answers with a str"),
        ({"x": ["a", "b"], "y": ["c", "d"]}, TypeError, "answers with a dict"),
    ],
)  # fmt: skip
def test_wrong_answers_of_a_placement(answer: Any, error: type[Exception], words: str) -> None:
    nodes = rvh.NodeSet(NAMES)
    for what, migration in (
        ("old", Migration(Answers(answer), nodes, k=2)),
        ("new", Migration(nodes, Answers(answer), k=2)),
    ):
        for call in (migration.moves, lambda keys, m=migration: m.owners_batch(keys, 0.5)):
            with pytest.raises(rvh.RVHError, match=f"^{what}.*{words}") as caught:
                call(["x", "y"])
            assert isinstance(caught.value, error)


def test_wrong_answers_for_one_key() -> None:
    migration = Migration(Answers([["a", "a"]]), rvh.NodeSet(NAMES), k=2)
    for call in (
        lambda: migration.owners("x", 0),
        lambda: migration.route("x", "copying"),
    ):
        with pytest.raises(rvh.RVHError, match=r"old, .* the key in row 0 node 'a' twice"):
            call()
    with pytest.raises(rvh.RVHError, match="old gives every key 3 nodes, but k is 2: pass k=3"):
        Migration(Answers([], k=3), rvh.NodeSet(NAMES), k=2)


@given(st.data())
def test_what_moves_comes_out_even_or_is_an_error(data: st.DataObject) -> None:
    row = st.lists(st.sampled_from(["a", "b", "c", b"a", b"d"]), min_size=2, max_size=2)
    rows = st.lists(row, min_size=3, max_size=3)
    old, new = data.draw(rows), data.draw(rows)
    migration = Migration(Answers(old), Answers(new), k=2)
    names = [[[reference.as_bytes(node) for node in row] for row in side] for side in (old, new)]
    if any(len(set(row)) < 2 for side in names for row in side):
        with pytest.raises(rvh.RVHError, match="twice"):
            migration.moves(["x", "y", "z"])
        return
    moved = migration.moves(["x", "y", "z"])
    found: list[set[Any]] = [set(), set(), set()]
    for at, source, target in zip(*moved, strict=True):
        found[at].add((reference.as_bytes(source), reference.as_bytes(target)))
    for at in range(3):
        before, after = set(names[0][at]), set(names[1][at])
        assert {source for source, _ in found[at]} == before - after
        assert {target for _, target in found[at]} == after - before


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
    golden = json.loads((GOLDEN / "ring.json").read_bytes())
    keys = [row["key"] for row in golden["keys"]]
    crossing = [int(row["crossing"]) for row in golden["keys"]]
    assert MIGRATION.crossing_batch(keys).tolist() == crossing
    for name in ("ketama", "md5", "crc32"):
        tokens = Ring.from_tokens({"a": [0]}, name).token_batch(keys)
        assert tokens.tolist() == [int(row[name]) for row in golden["keys"]]


# -- one progress as a placement ------------------------------------------------------------------


class Given:
    """A placement of one's own with positions alone: keys by their length."""

    ids = ("x", "y", "z")

    def argselect_batch(self, keys: Any, k: int) -> Any:
        return [[(len(key) + n) % 3 for n in range(k)] for key in keys]


PLACEMENTS = {
    "ring to set": (OLD, NEW),
    "set to table": (NEW, PartitionTable(NAMES, 256)),
    "living nodes": (FaultSet(NEW, alive=[True, False] * 4), NEW),
    "ids of bytes": (rvh.NodeSet(["a", "b"]), rvh.NodeSet([b"b", b"c\0"])),
    "positions alone": (Given(), NEW),
}


@pytest.mark.parametrize("name", PLACEMENTS)
@pytest.mark.parametrize("progress", [0, 0.3, Fraction(1, 2), 1.0])
def test_a_progress_as_a_placement(name: str, progress: Any) -> None:
    migration = Migration(*PLACEMENTS[name])
    placed = migration.at(progress)
    keys = [f"key{n}" for n in range(300)]
    owners = migration.owners_batch(keys, progress)
    assert placed.select_batch(keys).tolist() == owners.tolist()
    by_position = placed.ids[placed.argselect_batch(keys)]
    as_bytes = [[reference.as_bytes(node) for node in row] for row in owners.tolist()]
    assert [[reference.as_bytes(n) for n in row] for row in by_position.tolist()] == as_bytes
    assert [placed.select(key) for key in keys[:20]] == owners.tolist()[:20]
    arrived = pickle.loads(pickle.dumps(placed))
    assert arrived.argselect_batch(keys).tolist() == placed.argselect_batch(keys).tolist()


@pytest.mark.parametrize("new", ["b", "b\0", b"b", b"b\0"])
def test_moves_name_ids_that_end_in_a_nul(new: str | bytes) -> None:
    """An array of text would cut it off."""
    found = Migration(rvh.NodeSet(["a\0"]), rvh.NodeSet([new])).moves(["key"])
    assert (found.source.tolist(), found.target.tolist()) == (["a\0"], [new])


def test_a_progress_is_a_placement_of_a_migration() -> None:
    """A second change while the first is on its way."""
    keys = [f"key{n}" for n in range(300)]
    halfway = MIGRATION.at(0.5)
    again = Migration(halfway, rvh.NodeSet(["other"]))
    assert (again.owners_batch(keys, 0) == MIGRATION.owners_batch(keys, 0.5)).all()
    assert set(again.owners_batch(keys, 1).ravel().tolist()) == {"other"}
    assert again.plan(2).state()["old"] == halfway.fingerprint


def test_a_fingerprint_of_a_progress() -> None:
    fingerprint = MIGRATION.at(0.5).fingerprint
    assert fingerprint == Migration(OLD, NEW).at(Fraction(1, 2)).fingerprint
    others = [MIGRATION.at(0.51), Migration(NEW, OLD).at(0.5), Migration(OLD, NEW, 2).at(0.5)]
    assert fingerprint not in {other.fingerprint for other in others}
    with pytest.raises(rvh.RVHError, match="no fingerprint"):
        _ = Migration(Given(), NEW).at(0.5).fingerprint


def test_what_at_refuses() -> None:
    with pytest.raises(rvh.RVHError, match=r"progress is 1\.5"):
        MIGRATION.at(1.5)
    with pytest.raises(rvh.RVHError, match=r"k is 2, but the migration's is 1: pass k=1"):
        MIGRATION.at(0.5).select_batch(["x"], 2)

    class Nameless:
        def select_batch(self, keys: Any, k: int) -> Any:
            return [["a"] * k for _ in keys]

    with pytest.raises(rvh.RVHTypeError, match=r"old, of type Nameless, .* the attribute ids"):
        Migration(Nameless(), NEW).at(0.5)
