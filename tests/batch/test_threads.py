"""Threads: how many there are decides nothing, and any number may share one NodeSet."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import reference
from subprocesses import output, python

import rvh
from rvh._batch import answers
from rvh._batch import threads as _threads

NODES = [f"node{n}" for n in range(5)]
SET = rvh.NodeSet(NODES)
KEYS = {
    "list": [f"key{n}" if n % 5 else n for n in range(4100)],
    "S": np.array([b"key%d" % n for n in range(4100)]),
    "U": np.array([f"kéy{n}" for n in range(4100)]),
    "integers": np.arange(4100),
}


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 100 rows, so that a little work is shared out."""
    monkeypatch.setattr(_threads, "PAIRS_PER_BLOCK", 500)
    monkeypatch.setattr(_threads, "PAIRS_PER_THREAD", 500)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", KEYS)
def test_same_answers_for_any_number_of_threads(kind: str) -> None:
    keys: Any = KEYS[kind]
    plain = keys if isinstance(keys, list) else keys.tolist()
    expected = reference.rankings(NODES, plain)
    scores = reference.scores(NODES, plain)
    for threads in (1, 2, 3, 8, np.int64(2), None):
        assert np.array_equal(SET.argselect_batch(keys, 3, threads=threads), expected[:, :3])
        chosen = SET.select_batch(keys, 2, threads=threads)
        assert np.array_equal(chosen, np.array(NODES)[expected[:, :2]])
        assert np.array_equal(SET.score_batch(keys, threads=threads), scores)
        assert np.array_equal(rvh.argselect_batch(NODES, keys, threads=threads), expected[:, :1])


@pytest.mark.usefixtures("small_blocks")
def test_ids_that_are_objects() -> None:
    ns = rvh.NodeSet(["a", b"b", "c\0"])
    keys = KEYS["integers"]
    expected = [[list(ns)[n] for n in reference.ranking(list(ns), key)] for key in range(4100)]
    for threads in (1, 2, 8):
        assert ns.select_batch(keys, 3, threads=threads).tolist() == expected


@pytest.mark.parametrize("rows", [0, 1, 99, 100, 101, 200])
@pytest.mark.usefixtures("small_blocks")
def test_every_row_is_done_once(rows: int) -> None:
    seen: list[int] = []

    def work(keys: Any, start: int, stop: int, out: Any, cancel: Any) -> None:
        seen.extend(range(start, stop))

    _threads.over_rows(work, None, np.empty(rows), 5, 3)
    assert sorted(seen) == list(range(rows))


@pytest.mark.usefixtures("small_blocks")
def test_as_many_threads_work_as_were_asked_for() -> None:
    met = threading.Barrier(3, timeout=60)

    def work(keys: Any, start: int, stop: int, out: Any, cancel: Any) -> None:
        met.wait()  # nobody gets past this unless three are here at once

    _threads.over_rows(work, None, np.empty(300), 5, 3)
    assert not met.broken


@pytest.mark.usefixtures("small_blocks")
def test_the_lowest_error_is_raised_even_where_it_comes_last() -> None:
    both = threading.Barrier(2, timeout=60)

    def work(keys: Any, start: int, stop: int, out: Any, cancel: Any) -> None:
        both.wait()
        if start == 0:
            time.sleep(0.2)  # the other fails first; were it not so, the test is only easier
        raise rvh.RVHError(f"block at {start}")

    with pytest.raises(rvh.RVHError, match="block at 0"):
        _threads.over_rows(work, None, np.empty(200), 5, 2)


@pytest.mark.usefixtures("small_blocks")
def test_another_error_than_a_bad_key_stops_the_others() -> None:
    both = threading.Barrier(2, timeout=60)
    stopped: list[bool] = []

    def work(keys: Any, start: int, stop: int, out: Any, cancel: Any) -> None:
        both.wait()
        if start == 0:
            raise OSError("broken")
        for _ in range(6000):  # at most a minute
            if cancel.is_set():
                stopped.append(True)
                return
            threading.Event().wait(0.01)

    with pytest.raises(OSError, match="broken"):
        _threads.over_rows(work, None, np.empty(200), 5, 2)
    assert stopped == [True]


def test_many_threads_share_one_set() -> None:
    ns = rvh.NodeSet(NODES, secret=b"shared")
    keys: Any = KEYS["list"]
    expected = reference.rankings(NODES, keys[:300], b"shared")
    ready = threading.Barrier(8, timeout=60)

    def ask(worker: int) -> bool:
        ready.wait()
        right = True
        for start in range(0, 300, 100):
            part = keys[start : start + 100]
            want = expected[start : start + 100]
            right &= np.array_equal(
                ns.argselect_batch(part, 1 + worker % 5), want[:, : 1 + worker % 5]
            )
            right &= ns.select(part[worker], 5) == [NODES[n] for n in want[worker]]
            right &= ns.scores(part[worker])[0][0] == NODES[want[worker][0]]
        right &= ns.fingerprint == reference.fingerprint(NODES, b"shared")
        return right

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))


# -- how many there are -------------------------------------------------------------------------


@pytest.mark.parametrize("cap", ["1", "2", "64", "007"])
def test_rvh_num_threads_caps(cap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RVH_NUM_THREADS", raising=False)
    cores = _threads.available_threads()
    assert cores >= 1
    monkeypatch.setenv("RVH_NUM_THREADS", cap)
    assert _threads.available_threads() == min(cores, int(cap))
    assert _threads.thread_count(None, 2**40) <= int(cap)
    assert _threads.thread_count(3, 2**40) == 3  # what the caller says goes first


def test_an_empty_rvh_num_threads_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RVH_NUM_THREADS", raising=False)
    cores = _threads.available_threads()
    monkeypatch.setenv("RVH_NUM_THREADS", "")
    assert _threads.available_threads() == cores


@pytest.mark.parametrize("cap", ["0", "-1", "two", "1.5", " 2", "²"])
def test_a_wrong_rvh_num_threads_is_an_error(cap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RVH_NUM_THREADS", cap)
    with pytest.raises(rvh.RVHError, match=r"RVH_NUM_THREADS is .*whole number"):
        _threads.available_threads()


def test_a_cap_of_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RVH_NUM_THREADS", raising=False)
    cores = _threads.available_threads()
    monkeypatch.setenv("RVH_NUM_THREADS", "9" * 5000)  # a whole number, only a large one
    assert _threads.available_threads() == cores


def test_a_wrong_rvh_num_threads_is_an_error_of_the_first_call(native_in_use: object) -> None:
    done = python(
        """
        import rvh
        ns = rvh.NodeSet(["a"])
        print(ns.argselect_batch(["x"], threads=1).tolist())
        ns.argselect_batch(["x"])
        """,
        RVH_NUM_THREADS="many",
    )
    assert done.stdout == "[[0]]\n"
    assert "RVHError: RVH_NUM_THREADS is 'many'" in done.stderr


def test_answers_under_a_cap() -> None:
    code = """
        import numpy as np, rvh
        ns = rvh.NodeSet(["a", "b", "c"])
        print(ns.argselect_batch(np.arange(200_000))[:, 0].sum())
    """
    assert len({output(code, RVH_NUM_THREADS=cap) for cap in ("1", "2", None)}) == 1


def test_little_work_takes_one_thread() -> None:
    assert _threads.thread_count(None, 1) == 1
    assert _threads.thread_count(None, 0) == 1


def test_hashlib_is_not_run_in_threads_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "available_threads", lambda: 4)
    expected = 4 if rvh.backend() == "native" else 1
    assert _threads.thread_count(None, 2**40) == expected


# -- keys that another thread changes -----------------------------------------------------------


def test_a_column_is_as_long_as_its_list_was() -> None:
    keys = ["a", "b", "c"]
    column = rvh.keys.column(keys)
    for change in (lambda: keys.extend("defg"), lambda: keys.__delitem__(slice(1, None))):
        change()
        assert len(column) == 3
        for part in (column, column.take(np.array([0, 2]))):
            with pytest.raises(rvh.RVHError, match="the keys were changed while they were read"):
                list(part.iter_bytes())


def test_a_thread_that_starts_late_reads_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal may end the call before a thread is known to run, which is then not waited for."""
    late: list[threading.Thread] = []
    worked: list[int] = []

    def start(thread: threading.Thread) -> None:
        late.append(thread)
        raise KeyboardInterrupt

    def work(keys: Any, start: int, stop: int, out: Any, cancel: Any) -> None:
        worked.append(start)

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        _threads.over_blocks([(work, None, n, n + 1, np.empty(1)) for n in range(3)], 2)
    late[0].run()
    assert worked == []


def test_a_signal_waits_for_threads_that_join_takes_for_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As Python 3.11 does after a signal in `Thread.join`."""
    begun, ended = threading.Event(), threading.Event()

    def work(keys: Any, start: int, stop: int, out: Any, cancel: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            begun.wait()
            return
        begun.set()
        while not cancel.is_set():
            time.sleep(0.001)
        time.sleep(0.05)  # it still reads keys
        ended.set()

    def join(thread: threading.Thread) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", join)
    monkeypatch.setattr(threading.Thread, "is_alive", lambda thread: False)
    with pytest.raises(KeyboardInterrupt):
        _threads.over_blocks([(work, None, n, n + 1, np.empty(1)) for n in range(2)], 2)
    assert ended.is_set()


def test_an_error_of_the_queue_in_another_thread_is_raised() -> None:
    tried = threading.Event()

    def work(keys: Any, start: int, stop: int, out: Any, cancel: Any) -> None:
        tried.wait()

    def blocks() -> Iterator[_threads.Block]:
        while True:
            if threading.current_thread() is not threading.main_thread():
                tried.set()
                raise MemoryError
            yield work, None, 0, 1, np.empty(1)

    with pytest.raises(MemoryError):
        _threads.over_blocks(blocks(), 2)


@pytest.mark.usefixtures("small_blocks")
def test_answers_of_categories_are_handed_out_in_small_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A signal waits for the blocks that other threads work on."""
    sizes: list[int] = []

    def take(array: Any, places: Any, out: Any) -> None:
        sizes.append(out.size)
        array.take(places, axis=0, out=out)

    monkeypatch.setattr(answers, "take", take)
    chosen = SET.select_batch(np.arange(2000) % 7, 5, threads=2, dedupe=True)
    assert np.array_equal(chosen[:7], SET.select_batch(np.arange(7), 5))
    assert sum(sizes) == chosen.size
    assert max(sizes) <= _threads.PAIRS_PER_BLOCK
