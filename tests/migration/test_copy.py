"""The copying of a store, step by step, and what is removed afterwards."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rvh
from rvh.migration import MARK, Coordinator, Copied, Migration, StoreError, Worker, copy, purge
from rvh.ring import ketama

NAMES = ["a", "b", "c", "d"]
OLD, NEW = ketama(NAMES), rvh.NodeSet([*NAMES[1:], "e"])
KEYS = [f"key-{n}" for n in range(500)]
STEPS = 8


class Nodes:
    """A store whose nodes hold the keys of the old placement; it notes what is asked of it."""

    def __init__(self, k: int = 2) -> None:
        self.held: dict[tuple[Any, Any], Any] = {}
        for key, nodes in zip(KEYS, OLD.lookup_batch(KEYS, k).tolist(), strict=True):
            for node in nodes:
                self.held[node, key] = f"value of {key}"
        self.away: dict[Any, int] = {}  # node -> calls that fail
        self.written: list[tuple[Any, Any]] = []
        self.sizes: list[int] = []

    def keys(self) -> list[Any]:
        return [key for _, key in self.held]

    def _answers(self, node: Any, keys: Any) -> None:
        self.sizes.append(len(keys))
        if self.away.get(node, 0) > 0:
            self.away[node] -= 1
            raise ConnectionError(f"{node} is away")

    def read(self, node: Any, keys: Any) -> list[Any]:
        self._answers(node, keys)
        return [self.held.get((node, key)) for key in keys]

    def write_if_absent(self, node: Any, keys: Any, values: Any) -> None:
        self._answers(node, keys)
        for key, value in zip(keys, values, strict=True):
            self.written.append((node, key))
            self.held.setdefault((node, key), value)

    def remove(self, node: Any, keys: Any) -> None:
        self._answers(node, keys)
        for key in keys:
            self.held.pop((node, key), None)

    def unmark(self, node: Any, keys: Any) -> None:
        for key in keys:
            if self.held.get((node, key)) is MARK:
                del self.held[node, key]

    def holders(self) -> list[set[Any]]:
        found: dict[Any, set[Any]] = {key: set() for key in KEYS}
        for node, key in self.held:
            found[key].add(node)
        return [found[key] for key in KEYS]


def started(migration: Migration | None = None, path: Path | None = None) -> Coordinator:
    made = Coordinator(migration or Migration(OLD, NEW, 2), STEPS, path)
    made.workers([])
    made.advance()
    made.advance()
    return made


def owners(placement: Any, k: int = 2) -> list[set[Any]]:
    method = getattr(placement, "select_batch", None) or placement.lookup_batch
    return [set(row) for row in method(KEYS, k).tolist()]


@pytest.mark.parametrize("kind", ["list", "array", "chunks", "chunks of arrays", "arrow"])
def test_a_migration_from_beginning_to_end(kind: str) -> None:
    nodes, made = Nodes(), started()

    def listed() -> Any:
        if kind == "arrow":
            pa = pytest.importorskip("pyarrow")
            return pa.chunked_array([nodes.keys()[:100], nodes.keys()[100:]])
        if kind.startswith("chunks"):
            keys = nodes.keys()
            chunks = (keys[n : n + 90] for n in range(0, len(keys), 90))
            return (np.array(one) for one in chunks) if "arrays" in kind else chunks
        return np.array(nodes.keys()) if kind == "array" else nodes.keys()

    seen: list[Copied] = []
    done = copy(made, listed, nodes.read, nodes.write_if_absent, batch=7, progress=seen.append)
    moved = Migration(OLD, NEW, 2).moves(KEYS)
    assert done == Copied(STEPS, len(KEYS), len(moved.row), 0, []) == seen[-1]
    assert [one.steps for one in seen] == list(range(1, STEPS + 1))
    assert sorted(nodes.written) == sorted(
        (node, KEYS[row]) for row, node in zip(moved.row, moved.target, strict=True)
    )
    assert max(nodes.sizes) == 7
    made.advance()
    made.set_progress(1)
    made.advance()
    purge(made, listed, nodes.remove, batch=11)
    assert nodes.holders() == owners(NEW)


def test_what_is_there_stays() -> None:
    nodes, made = Nodes(), started()
    moved = made.migration.moves(KEYS)
    for row, node in zip(moved.row.tolist(), moved.target.tolist(), strict=True):
        nodes.held[node, KEYS[row]] = MARK if row % 2 else "newer"
    copy(made, nodes.keys, nodes.read, nodes.write_if_absent)
    for row, node in zip(moved.row.tolist(), moved.target.tolist(), strict=True):
        assert nodes.held[node, KEYS[row]] == (MARK if row % 2 else "newer")


def test_what_was_deleted_is_gone() -> None:
    nodes, made = Nodes(), started()
    gone = set(KEYS[:100])
    for node, key in list(nodes.held):
        if key in gone:
            if int(key.partition("-")[2]) % 2:
                nodes.held[node, key] = MARK
            else:
                del nodes.held[node, key]
    done = copy(made, lambda: KEYS, nodes.read, nodes.write_if_absent)
    moved = made.migration.moves(KEYS)
    assert done.gone == int((moved.row < 100).sum())
    assert done.replicas == int((moved.row >= 100).sum())
    assert done.lost == []
    assert not {key for _, key in nodes.written} & gone


def test_it_resumes_where_it_was_stopped(tmp_path: Path) -> None:
    nodes, path = Nodes(), tmp_path / "state.json"
    made = started(path=path)

    def stops(done: Copied) -> None:
        if done.steps == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(made, nodes.keys, nodes.read, nodes.write_if_absent, progress=stops)
    written = list(nodes.written)
    again = Coordinator.resume(Migration(OLD, NEW, 2), path)
    done = copy(again, nodes.keys, nodes.read, nodes.write_if_absent)
    assert done.steps == STEPS - 3
    assert len(nodes.written) == len(set(nodes.written)) == len(written) + done.replicas
    again.advance()


def test_a_source_that_is_away() -> None:
    nodes, made = Nodes(), started()
    nodes.away = {"b": 10**9}
    with pytest.raises(
        StoreError, match=r"write_if_absent failed 3 times for key 'key-\d+' and \d+"
    ):
        copy(made, nodes.keys, nodes.read, nodes.write_if_absent)
    nodes, made = Nodes(), started()
    nodes.away = {"a": 10**9}  # old alone: each key has another old node
    assert copy(made, nodes.keys, nodes.read, nodes.write_if_absent).lost == []
    nodes, made = Nodes(), started()
    nodes.away = {"a": 2, "b": 2}  # each call is made three times
    copy(made, nodes.keys, nodes.read, nodes.write_if_absent)
    nodes, made = Nodes(1), started(Migration(OLD, NEW))
    nodes.away = {"a": 10**9}
    with pytest.raises(StoreError, match=r"read failed once for key .* on node 'a'"):
        copy(made, nodes.keys, nodes.read, nodes.write_if_absent, retries=0)


def test_lost_keys_are_listed() -> None:
    nodes, made = Nodes(1), started(Migration(OLD, NEW))
    listed = nodes.keys()
    made.lose("a")
    for key in [key for node, key in nodes.held if node == "a"]:
        del nodes.held["a", key]
    done = copy(made, lambda: listed, nodes.read, nodes.write_if_absent)
    assert sorted(done.lost) == sorted(key for key in KEYS if OLD.lookup(key) == ["a"])


def test_a_copy_stops_when_a_node_dies() -> None:
    nodes, made = Nodes(), started()

    def dies(done: Copied) -> None:
        if done.steps == 4:
            with pytest.raises(rvh.RVHError, match="there is nothing to purge"):
                made.purged()
            made.lose("e")

    with pytest.raises(rvh.RVHError, match="stopped: the phase is preparing, generation 1"):
        copy(made, nodes.keys, nodes.read, nodes.write_if_absent, progress=dies)
    nodes.held = {place: value for place, value in nodes.held.items() if place[0] != "e"}
    nodes.written.clear()
    made.advance()
    copy(made, nodes.keys, nodes.read, nodes.write_if_absent)
    made.advance()
    made.set_progress(1)
    made.advance()
    purge(made, nodes.keys, nodes.remove)
    assert nodes.holders() == owners(NEW.remove("e"))


def test_no_next_phase_while_a_copy_runs() -> None:
    nodes, made = Nodes(), started()
    seen: list[str] = []

    def goes_back(done: Copied) -> None:
        made.rollback()
        with pytest.raises(rvh.RVHError, match="before waits for the copy that runs to stop"):
            made.advance()
        seen.append("refused")

    with pytest.raises(rvh.RVHError, match="the phase is copying, in a rollback"):
        copy(made, nodes.keys, nodes.read, nodes.write_if_absent, progress=goes_back)
    assert seen == ["refused"]
    made.advance()
    purge(made, nodes.keys, nodes.remove)
    assert nodes.holders() == owners(OLD)
    assert made.advance() == "preparing"


def test_copies_are_compared() -> None:
    nodes, made = Nodes(), started()
    asked: list[Any] = []

    def checksum(node: Any, keys: Any) -> list[int]:
        asked.extend(keys)
        return [hash(value) for value in nodes.read(node, keys)]

    copy(made, nodes.keys, nodes.read, nodes.write_if_absent, checksum=checksum)
    assert len(asked) == 2 * len(nodes.written)
    nodes, made = Nodes(), started()
    moved = made.migration.moves(KEYS)
    stale = moved.target[0], KEYS[moved.row[0]]
    nodes.held[stale] = "of a migration before this one"
    with pytest.raises(rvh.RVHError, match=f"differ from their sources: key '{stale[1]}' on"):
        copy(made, nodes.keys, nodes.read, nodes.write_if_absent, checksum=checksum)
    assert [step.number for step in made.left()] == made.migration.plan(STEPS).steps_of([stale[1]])
    del nodes.held[stale]  # as the error advises
    copy(made, nodes.keys, nodes.read, nodes.write_if_absent, checksum=checksum)
    assert made.advance() == "switching"


def test_keys_are_listed_when_writes_go_to_both() -> None:
    made = Coordinator(Migration(OLD, NEW, 2), STEPS)
    made.workers(["w"])
    for _ in range(2):
        made.acknowledge("w", made.epoch)
        made.advance()

    def too_early() -> Any:
        raise AssertionError("listed")

    nodes = Nodes()
    with pytest.raises(rvh.RVHError, match="copying waits until epoch 3 is acknowledged"):
        copy(made, too_early, nodes.read, nodes.write_if_absent)
    made.acknowledge("w", made.epoch)
    made.join("late")  # has done nothing yet, and adopts the present view first
    copy(made, nodes.keys, nodes.read, nodes.write_if_absent)


def test_a_rate() -> None:
    nodes, made = Nodes(), started()
    began = time.monotonic()
    done = copy(made, nodes.keys, nodes.read, nodes.write_if_absent, rate=2000)
    assert time.monotonic() - began >= done.replicas / 2000


def test_marks_go_last() -> None:
    nodes, made = Nodes(), started()
    copy(made, nodes.keys, nodes.read, nodes.write_if_absent)
    made.advance()
    made.set_progress(1)
    made.advance()
    for node, key in list(nodes.held):
        if key in KEYS[:50]:
            nodes.held[node, key] = MARK
    with pytest.raises(rvh.RVHError, match="deletes still leave marks"):
        purge(made, nodes.keys, nodes.remove, unmark=nodes.unmark)
    made.advance()
    purge(made, nodes.keys, nodes.remove, unmark=nodes.unmark)
    assert nodes.holders() == [set()] * 50 + owners(NEW)[50:]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch": 0}, "batch is 0"),
        ({"retries": -1}, "retries is -1"),
        ({"rate": 0}, "rate is 0: pass values a second, above 0"),
        ({"list_keys": ["x"]}, r"list_keys is \['x'\]: pass a function"),
        ({"read": None}, "read is None: pass a function"),
        ({"progress": 7}, "progress is 7: pass a function"),
        ({"coordinator": None}, "coordinator is of type NoneType: pass a Coordinator"),
        ({"read": lambda node, keys: None}, "read answers with None for"),
        ({"read": lambda node, keys: [1]}, r"read answers with \[1\] for \d+ keys on node"),
        ({"list_keys": lambda: [1.5]}, "1.5"),
    ],
)
def test_bad_input(options: dict[str, Any], words: str) -> None:
    nodes = Nodes()
    given = {
        "list_keys": nodes.keys, "read": nodes.read, "write_if_absent": nodes.write_if_absent,
    }  # fmt: skip
    with pytest.raises(rvh.RVHError, match=words):
        copy(**{"coordinator": started(), **given, **options})


def test_no_keys_at_all() -> None:
    coordinator = started()
    assert copy(coordinator, list, lambda node, keys: [], lambda node, keys, values: None).keys == 0
    assert not list(coordinator.left())


@pytest.mark.parametrize("deaths", [["a", "e"], ["e", "a"], ["a", "b"], ["e", "b", "a"]])
def test_copies_outlive_their_old_nodes(deaths: list[str]) -> None:
    """With one replica: what was copied is all that is left of a key of a dead node."""
    migration = Migration(OLD, NEW)
    nodes, made = Nodes(1), started(migration)

    def half(done: Copied) -> None:
        if done.steps == STEPS // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(made, nodes.keys, nodes.read, nodes.write_if_absent, progress=half)
    for node in deaths:
        made.lose(node)
        nodes.held = {at: value for at, value in nodes.held.items() if at[0] != node}
    survived = {key for _, key in nodes.held}
    worker = Worker(migration, Calls(nodes), made.view())
    for key in survived:
        assert worker.read(key) == f"value of {key}"
    while made.phase != "copying":
        made.advance()
    worker.adopt(made.view())
    for key in [*KEYS[::7], *survived][::3]:
        worker.write(key, "newer")
        survived.add(key)
    done = copy(made, lambda: KEYS, nodes.read, nodes.write_if_absent)
    assert set(done.lost) == set(KEYS) - survived
    made.advance()
    made.set_progress(1)
    made.advance()
    purge(made, nodes.keys, nodes.remove)
    last = NEW.remove([node for node in deaths if node in NEW.ids])
    held = {key: {node} for node, key in nodes.held}
    assert held == {key: {last.select(key)[0]} for key in survived}


class Calls:
    """The nodes of `Nodes` for a worker, key by key."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes

    def get(self, node: Any, key: Any) -> Any:
        return self.nodes.held.get((node, key))

    def put(self, node: Any, key: Any, value: Any) -> None:
        self.nodes.held[node, key] = value

    def remove(self, node: Any, key: Any) -> None:
        self.nodes.held.pop((node, key), None)

    def mark(self, node: Any, key: Any) -> None:
        self.nodes.held[node, key] = MARK
