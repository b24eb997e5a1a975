"""What threads share and change: two at once, and a child that is forked in the middle."""

from __future__ import annotations

import copy
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from stopping import Stopping, alone, at_every_line, fork, fork_warns, in_a_child

import rvh
from rvh import observe
from rvh.balanced import BalancedAssigner, argassign_balanced, capacities
from rvh.cache import SelectionCache
from rvh.observe import calls, watched
from rvh.ring import Migration, Plan, RingFace

KEYS = [f"key{n}" for n in range(200)]
A, B = rvh.NodeSet(["a", "b", "c"]), rvh.NodeSet(["b", "c", "d"])


@contextmanager
def threads_that_take_turns_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def at_once(*calls: Callable[[], object]) -> None:
    """Make the calls, each in a thread of its own, all at the same moment."""
    ready = threading.Barrier(len(calls), timeout=60)

    def make(call: Callable[[], object]) -> None:
        ready.wait()
        call()

    with threads_that_take_turns_often(), ThreadPoolExecutor(len(calls)) as pool:
        for made in [pool.submit(make, call) for call in calls]:
            made.result()


def meanwhile(
    make: Callable[[], Any],
    change: Callable[[Any], object],
    other: Callable[[Any], object],
    check: Callable[[Any], None],
    event: str = "line",
) -> None:
    """Make one change in the middle of another, once for each line where that can be."""
    unharmed = make()
    once = Stopping(lambda: change(unharmed), event=event)
    assert list(once) == []
    assert once.lines > 0
    for line in range(1, once.lines + 1):
        made, done = make(), None
        with ThreadPoolExecutor(1) as pool:
            for _ in Stopping(lambda made=made: change(made), line.__eq__, event):
                done = pool.submit(other, made)
                wait([done], timeout=0.02)  # or it waits for a lock until the first is through
            assert done is not None
            done.result()
        check(made)


def test_a_cache_whose_set_two_threads_set() -> None:
    count = 3000 if rvh.backend() == "native" else 30
    names = [f"node{n}" for n in range(count)]
    one, other = (
        [rvh.NodeSet(part, scheme="murmur") for _ in range(2)]  # equal, and not the same
        for part in (names[: count * 2 // 3], names[count // 3 :])
    )
    for nodes in (*one, *other):
        assert nodes.fingerprint
    for _ in range(30):
        cache = SelectionCache(one[0], 1000)

        def set_them(sets: list[rvh.NodeSet], cache: SelectionCache = cache) -> None:
            for n in range(20):
                cache.nodes = sets[n % 2]

        def ask(cache: SelectionCache = cache) -> None:
            for _ in range(20):
                cache.select_batch(KEYS)

        at_once(lambda: set_them(one), lambda: set_them(other), ask)
        answers_as_its_nodes_and_remembers(cache)


def answers_as_its_nodes_and_remembers(cache: SelectionCache) -> None:
    right = cache.nodes.select_batch(KEYS)
    assert np.array_equal(cache.select_batch(KEYS), right)
    assert [cache.select(key) for key in KEYS] == right.tolist()
    before = cache.info()
    cache.select_batch(KEYS)
    assert cache.info().misses == before.misses


def filled_cache() -> SelectionCache:
    cache = SelectionCache(A, 1000)
    cache.select_batch(KEYS)
    return cache


@pytest.mark.parametrize("nodes", [rvh.NodeSet(["a", "b", "c"]), rvh.NodeSet(["x", "y"])])
def test_a_cache_whose_set_is_set_in_the_middle_of_setting_it(nodes: rvh.NodeSet) -> None:
    def set_it(cache: SelectionCache) -> None:
        cache.nodes = nodes

    def set_another(cache: SelectionCache) -> None:
        cache.nodes = B
        cache.select_batch(KEYS)

    meanwhile(filled_cache, set_it, set_another, answers_as_its_nodes_and_remembers)


def test_a_cache_whose_set_is_set_in_the_middle_of_clearing_it() -> None:
    def set_it(cache: SelectionCache) -> None:
        cache.nodes = B
        cache.select_batch(KEYS)

    def check(cache: SelectionCache) -> None:
        assert cache.nodes is B
        answers_as_its_nodes_and_remembers(cache)

    meanwhile(filled_cache, lambda cache: cache.clear(), set_it, check)


def test_a_face_that_is_read_in_the_middle_of_a_change() -> None:
    def change(ring: RingFace) -> None:
        ring.add_node("c")
        ring.remove_node("a")

    def read(ring: RingFace) -> None:
        seen = ring.nodes
        for key in KEYS:
            answer, now = ring.get_node(key), ring.nodes
            # what was seen once is not unseen: the answer is of that set or of a later one
            assert answer in (seen.select(key)[0], now.select(key)[0])
            seen = now

    def check(ring: RingFace) -> None:
        assert ring.get_nodes() == ["b", "c"]

    meanwhile(lambda: RingFace(["a", "b"]), change, read, check)


def test_a_configuration_that_is_read_in_the_middle_of_a_change() -> None:
    def conf(port: int) -> dict[str, Any]:
        return {"hostname": f"host {port}", "port": port, "weight": port}

    def change(ring: RingFace) -> None:
        ring["b"] = conf(3)
        ring[4] = conf(4)
        del ring["a"]

    def read(ring: RingFace) -> None:
        for key in KEYS:
            before = ring.conf
            seen, found = ring.get(key), ring.get_node(key)
            assert seen is not None
            assert (seen["hostname"], seen["weight"]) == (f"host {seen['port']}", seen["port"])
            assert seen in [*before.values(), *ring.conf.values()]
            assert found in ("a", "b", 4)

    def check(ring: RingFace) -> None:
        assert [each["port"] for each in ring.conf.values()] == [3, 4]

    meanwhile(lambda: RingFace({"a": conf(1), "b": conf(2)}), change, read, check)


def test_a_face_that_is_changed_in_the_middle_of_a_change() -> None:
    def check(ring: RingFace) -> None:
        assert sorted(ring.get_nodes()) == ["a", "c", "d"]
        assert ring.nodes == rvh.NodeSet(ring.get_nodes(), scheme="murmur")

    def change(ring: RingFace) -> None:
        ring.add_node("c")
        ring.get_node("key")

    def other(ring: RingFace) -> None:
        ring.remove_node("b")
        ring.add_node("d")

    meanwhile(lambda: RingFace(["a", "b"]), change, other, check)


def test_keys_changed_in_the_middle_do_not_poison_a_cache() -> None:
    count = 50_000 if rvh.backend() == "native" else 500
    nodes = rvh.NodeSet([f"node{n}" for n in range(100)])
    every = [f"key{n}" for n in range(count)]
    right = nodes.select_batch(every)
    for _ in range(5):
        cache = SelectionCache(nodes, count)
        keys = list(every)
        over = threading.Event()

        def turn(keys: list[str] = keys, over: threading.Event = over) -> None:
            while not over.is_set():
                keys.reverse()

        def ask(keys: list[str] = keys, over: Any = over, cache: Any = cache) -> None:
            try:
                cache.select_batch(keys)
            finally:
                over.set()

        at_once(turn, ask)
        assert np.array_equal(cache.select_batch(every), right)


def test_a_face_that_two_threads_change_and_one_reads() -> None:
    ring = RingFace({f"node{n}": 1 for n in range(50)})

    def come_and_go(name: str) -> None:
        for n in range(30):
            ring.add_node(f"{name}{n}", 2)
            assert f"{name}{n}" in ring.nodes
            ring.remove_node(f"{name}{n}")
            assert f"{name}{n}" not in ring.nodes

    def read() -> None:
        for key in KEYS:
            nodes = ring.nodes
            assert nodes.weights is not None
            assert len(nodes.weights) == len(list(nodes))
            ring.get_node(key)

    at_once(lambda: come_and_go("x"), lambda: come_and_go("y"), read)
    assert ring.get_nodes() == [f"node{n}" for n in range(50)]


def test_a_plan_whose_last_step_is_finished_meanwhile() -> None:
    seen: list[Fraction] = []

    def check(plan: Plan) -> None:
        assert plan.progress == 1
        assert set(seen) <= {Fraction(2, 3), Fraction(1)}

    def make() -> Plan:
        plan = Migration(A, B).plan(3)
        plan.finish(0)
        plan.finish(1)
        return plan

    def ask(plan: Plan) -> None:
        seen.append(plan.progress)

    meanwhile(make, ask, lambda plan: plan.finish(2), check, "opcode")


@pytest.mark.parametrize("make", [BalancedAssigner, lambda nodes: SelectionCache(nodes, 9)])
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickle.dumps])
def test_no_copy_shares_what_changes(make: Any, again: Callable[[Any], Any]) -> None:
    with pytest.raises(rvh.RVHTypeError, match="neither copied nor pickled: share this one, or"):
        again(make(["a", "b"]))


def test_a_face_is_copied_as_another_one() -> None:
    face = RingFace(["a", "b"])
    for again in (copy.copy(face), copy.deepcopy(face), pickle.loads(pickle.dumps(face))):
        again.add_node("c")
        assert (again.get_nodes(), face.get_nodes()) == (["a", "b", "c"], ["a", "b"])


def test_an_assigner_counts_what_it_holds() -> None:
    assigner = BalancedAssigner([f"node{n}" for n in range(5)], 1.2)

    def come_and_go(name: str) -> None:
        for n in range(20):
            keys = [f"{name} {n} {each}" for each in range(20)]
            assigner.assign_batch(keys)
            assigner.release(keys[::2])

    at_once(*[lambda name=name: come_and_go(name) for name in "xyz"])
    kept = [f"{name} {n} {each}" for name in "xyz" for n in range(20) for each in range(1, 20, 2)]
    assert len(assigner) == len(kept)
    held = assigner.assign_batch(kept)
    assert assigner.loads.tolist() == [np.count_nonzero(held == f"node{n}") for n in range(5)]


# -- a child that is forked in the middle -------------------------------------------------------


@fork
@alone
def test_a_face_that_another_thread_changes() -> None:
    ring = RingFace({"a": 1, "b": 2})
    assert ring.get_nodes() == ["a", "b"]
    states = [
        {"a": 1, "b": 2},
        {"a": 1, "b": 2, "c": 3},
        {"a": 1, "b": 2, "c": 4},
        {"b": 2, "c": 4},
    ]

    def change() -> None:
        ring.add_node("c", 3)
        ring.add_node("c", 4)
        ring.remove_node("a")
        ring.get_node("key")

    def check() -> None:
        now = {node: float(w) for node, w in zip(ring.nodes, ring.nodes.weights, strict=True)}
        assert now in states
        assert (
            ring.get_node("key")
            == rvh.NodeSet(list(now), list(now.values()), "murmur").select("key")[0]
        )
        for node in now:
            if len(ring) > 1:
                ring.remove_node(node)
        ring.remove_node(ring.get_nodes()[0])
        assert (len(ring), ring.get_node("key")) == (0, None)
        ring.add_node("new")
        assert "new" in ring.nodes

    assert at_every_line(change, check) > 20
    assert ring.get_nodes() == ["b", "c"]


@fork
@alone
def test_an_assigner_that_another_thread_changes() -> None:
    nodes = [f"node{n}" for n in range(3)]
    assigner = BalancedAssigner(nodes, 1)
    assigner.assign_batch(KEYS[:5])

    def change() -> None:
        assigner.assign_batch(KEYS[4:10])
        assigner.release(KEYS[:4])
        assigner.update(["node0", "node2", "node3", "node4"])
        assigner.rebalance()

    def check() -> None:
        held = len(assigner)
        nodes = list(assigner.nodes)
        assert held in (5, 10, 6)
        kept = {5: KEYS[:5], 10: KEYS[:10], 6: KEYS[4:10]}[held]
        owners = assigner.assign_batch(kept)
        assert len(assigner) == held  # exactly those are there
        assert assigner.loads.tolist() == [np.count_nonzero(owners == node) for node in nodes]
        assigner.release(kept)
        assert assigner.loads.tolist() == [0] * len(nodes)

    assert at_every_line(change, check) > 20
    assert (len(assigner), assigner.loads.max()) == (6, 2)


@fork
@alone
def test_a_cache_that_another_thread_changes() -> None:
    cache = SelectionCache(A, 100)
    cache.select_batch(KEYS[:5])

    def change() -> None:
        cache.select_batch(KEYS[4:6])
        cache.nodes = B
        cache.select("x")
        cache.clear()

    def check() -> None:
        nodes = cache.nodes
        assert nodes in (A, B)
        for _ in range(2):
            assert np.array_equal(cache.select_batch(KEYS), nodes.select_batch(KEYS))
        other = B if nodes is A else A
        cache.nodes = other
        assert np.array_equal(cache.select_batch(KEYS), other.select_batch(KEYS))
        cache.clear()
        assert cache.info().entries == 0

    assert at_every_line(change, check) > 20
    assert cache.nodes is B


@fork
@fork_warns
def test_children_of_busy_threads() -> None:
    """All of them at once, at moments that nobody chose."""
    cache = SelectionCache(A, 1000)
    ring = RingFace(["a", "b"])
    assigner = BalancedAssigner(["a", "b"], 1.1)
    over = threading.Event()

    def work(change: Callable[[], object]) -> None:
        while not over.is_set():
            change()

    def set_nodes() -> None:
        cache.nodes = A if cache.nodes is B else B
        cache.select_batch(KEYS)

    def come_and_go() -> None:
        ring.add_node("c")
        ring.get_node("key")
        ring.remove_node("c")

    def assign() -> None:
        assigner.assign_batch(KEYS)
        assigner.release(KEYS)

    def check() -> None:
        assert np.array_equal(cache.select_batch(KEYS), cache.nodes.select_batch(KEYS))
        cache.nodes = A
        cache.clear()
        ring.add_node("d")
        assert "d" in ring.nodes
        assert len(assigner) in (0, len(KEYS))
        assigner.assign_batch(KEYS)
        assert int(assigner.loads.sum()) == len(KEYS)

    threads = [
        threading.Thread(target=work, args=(each,)) for each in (set_nodes, come_and_go, assign)
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            in_a_child(check)
    finally:
        over.set()
        for thread in threads:
            thread.join()


@fork
@fork_warns
def test_what_is_watched_while_another_thread_holds_its_lock() -> None:
    """As in a fork amid the `watch` or the `instrument` of another thread."""
    cache = SelectionCache(A, 9)

    def check() -> None:
        observe.watch(cache, "in a child")
        observe.unwatch(cache)
        observe.instrument()
        observe.uninstrument()

    with watched._guard.lock, calls._guard.lock:
        in_a_child(check)


# -- keys that are changed while they are read --------------------------------------------------

OTHERS = [f"other{n}" for n in range(len(KEYS))]


def replaced(keys: Any) -> None:
    keys[:] = OTHERS[: len(keys)]


def emptied(keys: list[str]) -> None:
    keys.clear()


def shortened(keys: list[str]) -> None:
    del keys[-3:]


def lengthened(keys: list[str]) -> None:
    keys.extend(OTHERS)


@pytest.mark.parametrize("load_factor", [1, 1.2])
@pytest.mark.parametrize(
    ("make", "change"),
    [
        (list, replaced),
        (list, emptied),
        (list, shortened),
        (list, lengthened),
        (lambda keys: np.array(keys, dtype="U9"), replaced),
    ],
)  # fmt: skip
def test_keys_changed_while_they_are_matched(make: Any, change: Any, load_factor: float) -> None:
    nodes = [f"node{n}" for n in range(20)]
    count = 40
    refused = []

    def match(keys: Any) -> None:
        try:
            found = argassign_balanced(nodes, keys, load_factor)
        except rvh.RVHError as error:
            refused.append(str(error))
        else:
            most = capacities(nodes, len(found), load_factor)
            assert (np.bincount(found, minlength=20) <= most).all()

    meanwhile(lambda: make(KEYS[:count]), match, change, lambda keys: None)
    assert all("the keys were changed while they were read" in error for error in refused)
    if change is not lengthened and load_factor == 1:  # with more there is room for others too
        assert refused
