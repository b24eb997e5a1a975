"""What a worker does to the nodes of a key, and when its acknowledgement is due."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from typing import Any

import pytest

import rvh
from rvh.migration import MARK, Coordinator, Migration, StoreError, View, Worker

# One key, on o in the old placement and on n in the new one.
MIGRATION = Migration(rvh.NodeSet(["o"]), rvh.NodeSet(["n"]))


class Memory:
    """Nodes as dictionaries, which note each call and fail when they are told to."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, Any], Any] = {}
        self.calls: list[tuple[str, str]] = []
        self.failing: dict[str, int] = {}  # node -> how many calls fail

    def _note(self, what: str, node: str) -> None:
        self.calls.append((what, node))
        if self.failing.get(node, 0) > 0:
            self.failing[node] -= 1
            raise OSError(f"{node} is away")

    def get(self, node: str, key: Any) -> Any:
        self._note("get", node)
        return self.held.get((node, key))

    def put(self, node: str, key: Any, value: Any) -> None:
        self._note("put", node)
        self.held[node, key] = value

    def remove(self, node: str, key: Any) -> None:
        self._note("remove", node)
        self.held.pop((node, key), None)

    def mark(self, node: str, key: Any) -> None:
        self._note("mark", node)
        self.held[node, key] = MARK


def view(phase: str, progress: float = 0.0, epoch: int = 1) -> View:
    first = Coordinator(MIGRATION, 4).view()
    return first._replace(
        epoch=epoch, phase=rvh.migration.Phase(phase), progress=progress, marks=phase != "before"
    )


WRITES = {
    "before": [("put", "o")],
    "preparing": [("remove", "n"), ("put", "o")],
    "copying": [("put", "o"), ("put", "n")],
    "switching": [("put", "n"), ("put", "o")],
    "after": [("put", "n")],
}


@pytest.mark.parametrize("phase", WRITES)
def test_writes_and_deletes(phase: str) -> None:
    store = Memory()
    worker = Worker(MIGRATION, store, view(phase, 1.0))
    worker.write("x", 1)
    assert store.calls == WRITES[phase]
    store.calls.clear()
    worker.delete("x")
    left = "mark" if phase != "before" else "remove"
    assert store.calls == [(left if what == "put" else what, node) for what, node in WRITES[phase]]


def test_reads() -> None:
    store = Memory()
    worker = Worker(MIGRATION, store, view("switching", 1.0))
    assert worker.read("x") is None
    assert store.calls == [("get", "n"), ("get", "o")]
    store.held["o", "x"] = 1
    assert worker.read("x") == 1
    store.held["n", "x"] = MARK  # deleted: what old has is out of date
    assert worker.read("x") is None
    worker.adopt(view("before", epoch=2))
    assert worker.read("x") == 1


def test_calls_that_fail() -> None:
    store = Memory()
    worker = Worker(MIGRATION, store, view("switching", 1.0))
    worker.write("x", 1)
    store.failing = {"n": 2}
    assert worker.read("x") == 1
    store.failing, store.calls = {"n": 3}, []
    assert worker.read("x") == 1  # old has it too
    assert store.calls == [("get", "n")] * 3 + [("get", "o")]
    store.failing = {"n": 3}
    with pytest.raises(StoreError, match=r"^get failed 3 times for key 'y' on node 'n'$") as caught:
        worker.read("y")  # n may have it
    assert isinstance(caught.value.__cause__, OSError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.node, again.keys) == (str(caught.value), "n", ["y"])
    store.failing = {"o": 9}
    with pytest.raises(StoreError, match="put failed once for key 'x' on node 'o'"):
        Worker(MIGRATION, store, view("copying"), retries=0).write("x", 2)


def test_a_key_without_living_nodes() -> None:
    migration = Migration(rvh.NodeSet(["o"]), rvh.NodeSet(["n"]), dead=["o", "n"])
    worker = Worker(migration, Memory(), Coordinator(migration, 4).view())
    with pytest.raises(rvh.RVHError, match="key 'x' has no living node"):
        worker.write("x", 1)


def test_an_acknowledgement_waits_for_what_is_in_flight() -> None:
    at_put, go_on = threading.Event(), threading.Event()

    class Slow(Memory):
        def put(self, node: str, key: Any, value: Any) -> None:
            at_put.set()
            assert go_on.wait(30)
            super().put(node, key, value)

    store = Slow()
    worker = Worker(MIGRATION, store, view("before"))
    writing = threading.Thread(target=worker.write, args=("x", 1))
    writing.start()
    assert at_put.wait(30)
    assert worker.adopt(view("preparing", epoch=2), wait=False) == 1  # the write began before
    assert worker.read("y") is None  # under the new view, and no hindrance
    assert worker.settled == 1
    adopted: list[Any] = []
    waiting = threading.Thread(
        target=lambda: adopted.append(worker.adopt(view("copying", epoch=3)))
    )
    waiting.start()
    go_on.set()
    waiting.join(30)
    writing.join(30)
    assert adopted == [3]
    assert worker.settled == 3
    assert store.calls.count(("put", "o")) == 1
    assert ("put", "n") not in store.calls


def test_an_earlier_view_changes_nothing() -> None:
    worker = Worker(MIGRATION, Memory(), view("copying", epoch=3))
    assert worker.adopt(view("before", epoch=2)) == 3
    assert worker.view == view("copying", epoch=3)


def test_views_of_other_placements() -> None:
    old, new = rvh.NodeSet(["o", "p"]), rvh.NodeSet(["n", "m", "l"])
    migration, other = Migration(old, new), rvh.NodeSet(["x"])
    coordinator = Coordinator(migration, 4)
    worker = Worker(migration, Memory(), coordinator.view())
    coordinator.lose("m")
    worker.adopt(coordinator.view())  # what is left of new, as the coordinator has it
    coordinator.lose("l", other)
    with pytest.raises(rvh.RVHError, match="pass it in placements="):
        worker.adopt(coordinator.view())
    assert worker.settled == 2
    worker.adopt(coordinator.view(), [other])
    assert worker.settled == 3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Worker(None, Memory()), "migration is of type NoneType"),
        (lambda: Worker(MIGRATION, Memory()).read("x"), "the worker has no view: adopt"),
        (lambda: Worker(MIGRATION, Memory()).adopt("{}"), "pass a View, as View.from_json"),
        (lambda: Worker(MIGRATION, Memory(), retries=-1), "retries is -1"),
        (lambda: Worker(MIGRATION, Memory(), retries=1.5), "retries is 1.5"),
        (lambda: Worker(MIGRATION, Memory(), view("copying")).write("x", None), "delete.. removes"),
    ],
)
def test_bad_input(call: Any, words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words):
        call()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_a_child_of_a_fork_waits_for_nothing_of_its_parent() -> None:
    at_put, go_on = threading.Event(), threading.Event()

    class Slow(Memory):
        def put(self, node: str, key: Any, value: Any) -> None:
            at_put.set()
            assert go_on.wait(30)

    worker = Worker(MIGRATION, Slow(), view("before"))
    writing = threading.Thread(target=worker.write, args=("x", 1))
    writing.start()
    assert at_put.wait(30)
    child = multiprocessing.get_context("fork").Process(target=adopts_and_reads, args=(worker,))
    child.start()
    child.join(60)
    go_on.set()
    writing.join(30)
    assert child.exitcode == 0
    assert worker.settled == 1


def adopts_and_reads(worker: Worker) -> None:
    assert worker.adopt(view("copying", epoch=2)) == 2
    assert worker.read("x") is None
