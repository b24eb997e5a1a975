"""The cache of selections: answers are the set's, and the policies are those of the books."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest
from folders import VECTORS
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import examples
from stopping import fork, fork_warns

import rvh
from rvh.cache import SelectionCache
from rvh.nodes import SCHEMES

NODES = rvh.NodeSet([f"n{i}" for i in range(8)])
POLICIES = ("lru", "arc")
NATIVE = rvh.backend() == "native"
FLIGHTS = json.loads((VECTORS / "flights_trace.json").read_bytes())["flights"]


class Lru:
    """A list, the last used at its end."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.keys: list[int] = []

    def request(self, x: int) -> bool:
        hit = x in self.keys
        if hit:
            self.keys.remove(x)
        elif len(self.keys) == self.size:
            self.keys.pop(0)
        self.keys.append(x)
        return hit


class Arc:
    """ARC(c) line by line as in figure 4 of the paper; the least recently used come first."""

    def __init__(self, c: int) -> None:
        self.c = c
        self.p = 0.0
        self.t1: list[int] = []
        self.t2: list[int] = []
        self.b1: list[int] = []
        self.b2: list[int] = []

    def replace(self, x: int) -> None:
        if self.t1 and ((x in self.b2 and len(self.t1) == self.p) or len(self.t1) > self.p):
            self.b1.append(self.t1.pop(0))
        else:
            self.b2.append(self.t2.pop(0))

    def request(self, x: int) -> bool:
        if x in self.t1 or x in self.t2:  # case I
            (self.t1 if x in self.t1 else self.t2).remove(x)
            self.t2.append(x)
            return True
        if x in self.b1:  # case II
            step = 1 if len(self.b1) >= len(self.b2) else len(self.b2) / len(self.b1)
            self.p = min(self.p + step, self.c)
            self.replace(x)
            self.b1.remove(x)
            self.t2.append(x)
        elif x in self.b2:  # case III
            step = 1 if len(self.b2) >= len(self.b1) else len(self.b1) / len(self.b2)
            self.p = max(self.p - step, 0)
            self.replace(x)
            self.b2.remove(x)
            self.t2.append(x)
        else:  # case IV
            l1 = len(self.t1) + len(self.b1)
            l2 = len(self.t2) + len(self.b2)
            if l1 == self.c:
                if len(self.t1) < self.c:
                    self.b1.pop(0)
                    self.replace(x)
                else:
                    self.t1.pop(0)
            elif l1 + l2 >= self.c:
                if l1 + l2 == 2 * self.c:
                    self.b2.pop(0)
                self.replace(x)
            self.t1.append(x)
        return False


def model(policy: str, size: int) -> Lru | Arc:
    return Lru(size) if policy == "lru" else Arc(size)


def polluted(count: int, keys: int) -> np.ndarray:
    """Zipf, and now and then a scan of keys that never come again."""
    frequencies = 1 / np.arange(1, keys + 1)
    drawn = np.random.default_rng(7).random(count) * frequencies.sum()
    used = np.searchsorted(frequencies.cumsum(), drawn)
    pieces = np.array_split(used, 20)
    scans = np.split(np.arange(keys, keys + count // 20 * 20), 20)
    return np.concatenate([each for pair in zip(pieces, scans, strict=True) for each in pair])


# -- answers ------------------------------------------------------------------------------------


@given(data=st.data())
@settings(max_examples=examples(80))
def test_it_answers_as_the_set_does(data: st.DataObject) -> None:
    nodes = rvh.NodeSet([f"n{i}" for i in range(6)], scheme=data.draw(st.sampled_from(SCHEMES)))
    cache = SelectionCache(
        nodes,
        data.draw(st.integers(1, 12)),
        data.draw(st.sampled_from(POLICIES)),
        data.draw(st.none() | st.integers(1, 2000)),
    )
    for _ in range(data.draw(st.integers(1, 12))):
        keys = data.draw(st.lists(st.integers(0, 20) | st.text("xyé", max_size=40), max_size=20))
        k = data.draw(st.integers(1, 6))
        assert (cache.argselect_batch(keys, k) == nodes.argselect_batch(keys, k)).all()
        for key in keys[:3]:
            assert cache.select(key, k) == nodes.select(key, k)
        info = cache.info()
        assert info.entries <= info.maxsize
        assert info.bytes <= info.max_bytes


@pytest.mark.parametrize("policy", POLICIES)
def test_keys_of_every_kind_are_one_key(policy: str) -> None:
    pa = pytest.importorskip("pyarrow")
    cache = SelectionCache(NODES, 100, policy)
    texts = ["x", "é", "a longer key than sixteen bytes", "", "x"]
    want = NODES.select_batch(texts, 3)
    cache.select_batch(texts, 3)
    chunks = pa.chunked_array([texts[:2], [], texts[2:]])
    for keys in (
        texts,
        [text.encode() for text in texts],
        np.array(texts),
        pa.array(texts),
        chunks,
        chunks.dictionary_encode(),
    ):
        before = cache.info().misses
        assert (cache.select_batch(keys, 3) == want).all()
        assert cache.info().misses == before
    for text in texts:
        assert cache.select(text, 2) == cache.select(text.encode(), 2) == NODES.select(text, 2)
    assert cache.info().misses == 4
    assert cache.select_batch([], 2).shape == (0, 2)


def test_many_nodes_of_a_key_and_large_k() -> None:
    nodes = rvh.NodeSet([f"n{i}" for i in range(60)])
    cache = SelectionCache(nodes, 10)
    assert cache.select("x", 40) == cache.select("x", 40) == nodes.select("x", 40)
    assert cache.info()[:2] == (1, 1)


def test_a_smaller_k_is_the_start_and_a_larger_one_a_miss() -> None:
    cache = SelectionCache(NODES, 10)
    for k, hits, misses in ((3, 0, 1), (2, 1, 1), (5, 1, 2), (3, 2, 2), (5, 3, 2)):
        assert cache.select("x", k) == NODES.select("x", k)
        assert cache.info()[:2] == (hits, misses)
    assert cache.info().entries == 1


def test_answers_are_the_callers() -> None:
    cache = SelectionCache(NODES, 10)
    cache.select("x", 2).clear()
    cache.argselect_batch(["x"], 2)[:] = 0
    assert cache.select("x", 2) == NODES.select("x", 2)


def test_for_asyncio() -> None:
    large = rvh.NodeSet([f"n{i}" for i in range(20_000)], scheme="murmur")
    for nodes in (NODES, large):
        cache = SelectionCache(nodes, 10)
        for hits in range(3):
            assert asyncio.run(cache.aselect("x", 2)) == nodes.select("x", 2)
            assert cache.info()[:2] == (hits, 1)


# -- policies -----------------------------------------------------------------------------------


@given(
    policy=st.sampled_from(POLICIES),
    size=st.integers(1, 8),
    trace=st.lists(st.integers(0, 20), max_size=300),
    cuts=st.integers(1, 5),
)
@settings(max_examples=examples(200))
def test_the_policies_are_those_of_the_books(
    policy: str, size: int, trace: list[int], cuts: int
) -> None:
    """One key after another, and in batches: the same hits."""
    book = model(policy, size)
    hits = [book.request(x) for x in trace]
    one_by_one, batches = SelectionCache(NODES, size, policy), SelectionCache(NODES, size, policy)
    for n, x in enumerate(trace):
        one_by_one.select(x)
        assert one_by_one.info().hits == sum(hits[: n + 1])
    for part in np.array_split(np.array(trace, dtype=np.int64), cuts):
        assert (batches.argselect_batch(part) == NODES.argselect_batch(part)).all()
    assert batches.info() == one_by_one.info()
    if isinstance(book, Arc):
        assert one_by_one.info().entries == len(book.t1) + len(book.t2)
        assert one_by_one.info().ghosts == len(book.b1) + len(book.b2)
    else:
        assert one_by_one.info().entries == len(book.keys)


@pytest.mark.parametrize("size", [100, 400])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_recorded_trace(policy: str, size: int) -> None:
    """Which flight departs next: daily ones come round, which is where LRU does worst."""
    book, cache = model(policy, size), SelectionCache(NODES, size, policy)
    for part in np.array_split(FLIGHTS, 7):
        cache.argselect_batch(part)
    assert cache.info().hits == sum(book.request(x) for x in FLIGHTS)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_trace_with_scans(policy: str) -> None:
    trace = polluted(20_000 if NATIVE else 2_000, 1000)
    book, cache = model(policy, 100), SelectionCache(NODES, 100, policy)
    for part in np.array_split(trace, 7):
        cache.argselect_batch(part)
    assert cache.info().hits == sum(book.request(int(x)) for x in trace)


def test_arc_keeps_what_is_used_again_where_scans_sweep_lru_out() -> None:
    trace = polluted(40_000 if NATIVE else 4_000, 2000)
    hits = {}
    for policy in POLICIES:
        cache = SelectionCache(NODES, 200, policy)
        cache.argselect_batch(trace)
        hits[policy] = cache.info().hits
    assert hits["arc"] > 1.1 * hits["lru"]
    flights = {policy: SelectionCache(NODES, 400, policy) for policy in POLICIES}
    for cache in flights.values():
        cache.argselect_batch(FLIGHTS)
    assert flights["arc"].info().hits > 2 * flights["lru"].info().hits


@pytest.mark.parametrize("policy", POLICIES)
def test_bytes_are_bounded(policy: str) -> None:
    cache = SelectionCache(NODES, 1000, policy, max_bytes=3000)
    rng = np.random.default_rng(2)
    for _ in range(50):
        keys = ["k" * int(rng.integers(1, 400)) + str(rng.integers(30)) for _ in range(20)]
        assert (cache.select_batch(keys, 2) == NODES.select_batch(keys, 2)).all()
        assert 0 < cache.info().bytes <= 3000
    huge = "k" * 5000  # alone more than all may have
    before = cache.info()
    assert cache.select(huge) == NODES.select(huge)
    assert cache.info().entries == before.entries
    assert cache.select("k") == NODES.select("k")


def test_what_an_entry_counts_for() -> None:
    cache = SelectionCache(NODES, 10)
    cache.select("12345", 3)
    assert cache.info().bytes == 96 + 5 + 3 * 4
    assert cache.info().max_bytes == 2560


# -- other sets ---------------------------------------------------------------------------------


def test_another_set_drops_all_entries() -> None:
    cache = SelectionCache(NODES, 100)
    keys = list(range(50))
    cache.select_batch(keys)
    same = rvh.NodeSet(list(NODES))
    cache.nodes = same  # the same fingerprint, the same order
    assert cache.info().entries == 50
    for other in (NODES.remove("n3"), rvh.NodeSet(list(NODES)[::-1]), NODES.with_weights([1] * 8)):
        cache.nodes = other
        assert cache.info().entries == 0
        assert cache.nodes is other
        assert (cache.select_batch(keys) == other.select_batch(keys)).all()
        assert cache.select(7) == other.select(7)


def test_clear() -> None:
    cache = SelectionCache(NODES, 100, "arc")
    cache.select("x")
    cache.clear()
    assert cache.info()[:4] == (0, 1, 0, 0)
    assert cache.select("x") == NODES.select("x")


def test_threads_get_answers_of_a_set_that_was_there() -> None:
    sets = [NODES, NODES.remove("n1"), NODES.remove("n5")]
    keys = list(range(300))
    answers = [ns.select_batch(keys, 2).tolist() for ns in sets]
    cache = SelectionCache(NODES, 100, "arc")
    wrong: list[Any] = []
    rounds = 60 if NATIVE else 6

    def ask(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(rounds):
            some = rng.integers(0, 300, 200)
            rows = cache.select_batch(some, 2).tolist()
            if not any([answer[x] for x in some] == rows for answer in answers):
                wrong.append(rows)
            for x in some[:20].tolist():
                if cache.select(x, 2) not in [answer[x] for answer in answers]:
                    wrong.append(x)

    def swap() -> None:
        for n in range(rounds * 3):
            cache.nodes = sets[n % 3]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    threads.append(threading.Thread(target=swap))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # between any two steps of a call
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong
    info = cache.info()
    assert info.hits + info.misses == 4 * rounds * 220
    last = cache.nodes
    assert cache.select_batch(keys, 2).tolist() == last.select_batch(keys, 2).tolist()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_call_sees_all_of_one_set_also_where_another_is_set_meanwhile(policy: str) -> None:
    """The keys' own conversion sets it, and asks for them: what it finds are others' positions."""
    other = NODES.remove("n1")
    cache = SelectionCache(NODES, 100, policy)

    class Keys:
        def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
            cache.nodes = other
            cache.select_batch(range(50), 2)
            return np.arange(50)

    assert (cache.select_batch(Keys(), 2) == NODES.select_batch(range(50), 2)).all()
    assert (cache.select_batch(range(50), 2) == other.select_batch(range(50), 2)).all()
    assert cache.info()[:2] == (50, 100)


def test_a_key_that_sets_other_nodes_gets_an_answer_of_one_set() -> None:
    class K:
        def __index__(self) -> int:
            cache.nodes = rvh.NodeSet([f"other{n}" for n in range(2000)])
            cache.select("x")
            return 1

    cache = SelectionCache(NODES, 100)
    assert cache.select("x", K()) == NODES.select("x")


def test_an_equal_set_answers_from_then_on_and_entries_stay() -> None:
    cache = SelectionCache(["a", "b"], 10)
    cache.select("x")
    domains = rvh.NodeSet(["a", "b"], domains={"zone": ["eu", "us"]})
    wide = rvh.NodeSet(np.array(["a", "b"], "U9"))
    for nodes in (domains, wide):
        cache.nodes = nodes
        assert cache.nodes is nodes
        assert cache.info().entries == 1
        assert cache.select("x") == nodes.select("x")
    assert cache.select_batch(["x"]).dtype == wide.select_batch(["x"]).dtype


@fork
@fork_warns
def test_a_forked_child_begins_with_empty_caches() -> None:
    cache = SelectionCache(NODES, 10_000)
    keys = np.arange(100_000)
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            cache.argselect_batch(keys)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for _ in range(8):
            child = os.fork()
            if child == 0:
                status = 1  # also where it raises: the child must not go on with the tests
                try:
                    empty = cache.info().entries == 0
                    status = 0 if empty and cache.select("x") == NODES.select("x") else 1
                finally:
                    os._exit(status)
            for _ in range(3000):
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended:
                    break
                time.sleep(0.01)
            else:
                os.kill(child, 9)
                os.waitpid(child, 0)
                status = -1
            assert status == 0
    finally:
        done.set()
        thread.join()


# -- bad input ----------------------------------------------------------------------------------


def test_a_cache_that_was_not_made() -> None:
    class Mine(SelectionCache):
        def __init__(self) -> None:
            pass

    unmade = SelectionCache.__new__(SelectionCache)
    with pytest.raises(rvh.RVHError, match="same"):
        unmade.__init__(["a", "a"], 10)  # type: ignore[misc]
    for cache in (Mine(), unmade):
        for call in (
            lambda cache=cache: cache.select("x"),
            lambda cache=cache: cache.select_batch(["x"]),
            lambda cache=cache: cache.info(),
            lambda cache=cache: cache.clear(),
            lambda cache=cache: cache.nodes,
        ):
            with pytest.raises(rvh.RVHError, match="was not made"):
                call()


def test_a_bad_key_leaves_the_cache_as_good_as_before() -> None:
    for policy in POLICIES:
        cache = SelectionCache(NODES, 10, policy)
        with pytest.raises(rvh.RVHTypeError, match="position 2"):
            cache.select_batch(["x", "y", None, "z"])
        with pytest.raises(rvh.RVHTypeError, match="key is of type float"):
            cache.select(1.5)
        for key in ("x", "y", "z"):
            assert cache.select(key) == NODES.select(key)
            assert cache.select_batch([key]).tolist() == [NODES.select(key)]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: SelectionCache(NODES, 0), ValueError, "maxsize is 0"),
        (lambda: SelectionCache(NODES, -1), ValueError, "maxsize is -1"),
        (lambda: SelectionCache(NODES, 2**31 + 1), ValueError, "maxsize is 2147483649"),
        (lambda: SelectionCache(NODES, "9"), TypeError, "maxsize is '9'"),
        (lambda: SelectionCache(NODES, 1.5), TypeError, "maxsize is 1.5"),
        (lambda: SelectionCache(NODES, 9, "fifo"), ValueError, "policy is 'fifo': choose one of"),
        (lambda: SelectionCache(NODES, 9, None), ValueError, "policy is None"),
        (lambda: SelectionCache(NODES, 9, max_bytes=0), ValueError, "max_bytes is 0"),
        (lambda: SelectionCache([], 9), ValueError, "no nodes"),
        (lambda: SelectionCache(NODES, 9).select("x", 9), ValueError, "k is 9, but the set has 8"),
        (lambda: SelectionCache(NODES, 9).select("x", 1.5), TypeError, "k is 1.5"),
        (lambda: SelectionCache(NODES, 9).select_batch(["x"], 0), ValueError, "k is 0"),
        (lambda: SelectionCache(NODES, 9).select_batch([], threads=0), ValueError, "threads is 0"),
        (lambda: SelectionCache(NODES, 9).select_batch([], threads="2"), TypeError, "threads is"),
        (lambda: setattr(SelectionCache(NODES, 9), "nodes", ["a"]), TypeError, "type list: set an"),
        (lambda: SelectionCache(NODES, 9).select("\ud800"), ValueError, "surrogate"),
    ],
)
def test_bad_input(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words) as caught:
        call()
    assert isinstance(caught.value, error)
