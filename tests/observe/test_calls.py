"""Counters are exact, and what is not instrumented is the same code."""

from __future__ import annotations

import asyncio
import inspect
import os
import pickle
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from subprocesses import output

import rvh
from rvh import NodeSet, observe
from rvh._backend import Cancel
from rvh.observe.calls import METHODS
from rvh.observe.tally import BOUNDS, Tally
from rvh.partitions import PartitionTable

NODES = NodeSet(["a", "b", "c"], scheme="murmur")
#: ids of dtype object take another way through a table
MIXED = NodeSet(["a", b"b", "c"], scheme="murmur")
TABLE, MIXED_TABLE = PartitionTable(NODES, 64), PartitionTable(MIXED, 64)
#: a long key takes a while
SLOW = NodeSet(["a", "b", "c"], scheme="blake2b")
KEYS = [f"user:{i}" for i in range(7)]
LABELS = sorted({row.label for row in METHODS})
#: those that take many keys
BATCHES = {label for label in LABELS if "_" in label or "assign" in label}

Call = Callable[[], Any]
#: label -> calls that count under it, each with the keys of one
CALLS: dict[str, list[tuple[Call, int]]] = {
    "NodeSet.select": [
        (lambda: NODES.select("x"), 1),
        (lambda: NODES.select(key="x", k=2), 1),
        (lambda: asyncio.run(NODES.aselect("x")), 1),
        (lambda: asyncio.run(SLOW.aselect("x" * (1 << 20))), 1),  # off the event loop
        (lambda: NODES._select_until(Cancel(), "x", 1), 1),
        (lambda: rvh.rendezvous_hash(NODES, "x"), 1),
        (lambda: asyncio.run(rvh.arendezvous_hash(["a", "b"], "x")), 1),
    ],
    "NodeSet.select_batch": [
        (lambda: NODES.select_batch(KEYS, 2), 7),
        (lambda: NODES.select_batch(keys=KEYS, threads=2, dedupe=True), 7),
        (lambda: NODES.select_batch([]), 0),
        (lambda: rvh.select_batch(["a", "b"], KEYS), 7),
    ],
    "NodeSet.argselect_batch": [
        (lambda: NODES.argselect_batch(KEYS), 7),
        (lambda: rvh.argselect_batch(NODES, KEYS), 7),
    ],
    "NodeSet.assign": [
        (lambda: NODES.assign(KEYS), 7),
        (lambda: rvh.assign(["a", "b"], keys=KEYS, threads=2, dedupe=True), 7),
    ],
    "NodeSet.argassign": [
        (lambda: NODES.argassign([]), 0),
        (lambda: rvh.argassign(NODES, KEYS), 7),
    ],
    "NodeSet.score_batch": [
        (lambda: NODES.score_batch(KEYS), 7),
        (lambda: rvh.score_batch(NODES, KEYS), 7),
    ],
    "NodeSet.scores": [
        (lambda: NODES.scores("x"), 1),
        (lambda: rvh.rendezvous_scores(NODES, "x"), 1),
    ],
    "PartitionTable.lookup": [(lambda: TABLE.lookup("x"), 1)],
    "PartitionTable.lookup_batch": [
        (lambda: TABLE.lookup_batch(KEYS), 7),
        (lambda: MIXED_TABLE.lookup_batch(KEYS), 7),
    ],
    "PartitionTable.arglookup_batch": [(lambda: TABLE.arglookup_batch(KEYS), 7)],
    "PartitionTable.partition_batch": [(lambda: TABLE.partition_batch(KEYS), 7)],
}


def arrow_calls() -> list[tuple[Call, int]]:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    return [
        (lambda: NODES.select_arrow(pa.array(KEYS)), 7),
        (lambda: rvh.select_arrow(NODES, pa.array([*KEYS, None])), 8),
    ]


def all_counts() -> dict[str, observe.Counts]:
    return {label: observe.counts(label) for label in LABELS}


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("label", LABELS)
def test_each_call_counts_once_and_under_one_name(label: str) -> None:
    for call, keys in arrow_calls() if label == "NodeSet.select_arrow" else CALLS[label]:
        before = all_counts()
        call()
        after = all_counts()
        assert after[label].calls - before[label].calls == 1
        assert after[label].keys - before[label].keys == keys
        assert {name for name in LABELS if after[name] != before[name]} == {label}


@pytest.mark.usefixtures("instrumented")
def test_tables_made_from_others_count_nothing() -> None:
    before = all_counts()
    TABLE.add(["d", "e"]).remove("a").with_weights(None)
    assert all_counts() == before


def durations(label: str) -> observe.Histogram:
    found = observe.counts(label).durations
    assert found is not None
    return found


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("label", [label for label in LABELS if label in BATCHES])
def test_batches_are_timed(label: str) -> None:
    calls = arrow_calls() if label == "NodeSet.select_arrow" else CALLS[label]
    before = durations(label)
    for call, _ in calls:
        call()
    after = durations(label)
    assert sum(after.buckets) - sum(before.buckets) == len(calls)
    assert after.seconds > before.seconds


@pytest.mark.parametrize("label", [label for label in LABELS if label not in BATCHES])
def test_calls_of_one_key_are_not_timed(label: str) -> None:
    assert observe.counts(label).durations is None


@pytest.mark.parametrize(
    ("seconds", "place"), [(0.0, 0), (1e-5, 0), (1.1e-5, 1), (0.1, 8), (10.0, 12), (10.1, 13)]
)
def test_a_bucket_holds_what_is_not_above_its_bound(seconds: float, place: int) -> None:
    tally = Tally(of_batches=True)
    tally.answered.append((1, seconds))
    found = tally.read().durations
    assert found is not None
    assert [n for n, count in enumerate(found.buckets) if count] == [place]
    assert len(found.buckets) == len(BOUNDS) + 1


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize(
    ("label", "call", "error"),
    [
        ("NodeSet.select", lambda: NODES.select("x", 4), "RVHError"),
        ("NodeSet.select", lambda: NODES.select(None), "RVHTypeError"),
        ("NodeSet.select_batch", lambda: NODES.select_batch([1.5]), "RVHTypeError"),
        ("NodeSet.scores", lambda: NODES.scores(None), "RVHTypeError"),
        ("PartitionTable.lookup", lambda: TABLE.lookup(None), "RVHTypeError"),
        ("PartitionTable.lookup_batch", lambda: TABLE.lookup_batch([None]), "RVHTypeError"),
    ],
)
def test_calls_that_raise_count_as_errors(label: str, call: Call, error: str) -> None:
    before = all_counts()
    for _ in range(100):
        with pytest.raises(rvh.RVHError):
            call()
    after = all_counts()
    assert after[label].errors[error] - before[label].errors.get(error, 0) == 100
    assert after[label].calls - before[label].calls == 100
    assert after[label].keys == before[label].keys
    assert after[label].durations == before[label].durations
    assert {name for name in LABELS if after[name] != before[name]} == {label}


@pytest.mark.usefixtures("instrumented")
def test_counts_are_exact_with_many_threads() -> None:
    before = all_counts()
    timed = durations("NodeSet.argselect_batch")
    begin = threading.Barrier(8)

    def work() -> None:
        begin.wait()
        for number in range(2_000):
            NODES.select("x")
            TABLE.lookup("x")
            NODES.argselect_batch(KEYS, threads=1)
            if number % 10 == 0:
                with pytest.raises(rvh.RVHError):
                    NODES.select("x", 4)
                observe.counts("NodeSet.argselect_batch")

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work) for _ in range(8)]:
            done.result()
    after = all_counts()
    gained = {name: after[name].calls - before[name].calls for name in LABELS}
    assert gained["NodeSet.select"] == 8 * 2_200
    assert gained["PartitionTable.lookup"] == 8 * 2_000
    assert gained["NodeSet.argselect_batch"] == 8 * 2_000
    select, batch = "NodeSet.select", "NodeSet.argselect_batch"
    assert after[select].keys - before[select].keys == 8 * 2_000
    assert after[select].errors["RVHError"] - before[select].errors.get("RVHError", 0) == 8 * 200
    assert after[batch].keys - before[batch].keys == 8 * 2_000 * len(KEYS)
    assert sum(durations(batch).buckets) - sum(timed.buckets) == 8 * 2_000


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timer signals")
def test_a_signal_handler_that_selects_neither_waits_nor_loses_a_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rvh.observe.calls.WAITING_MAX", 0)  # every call sums up
    observe.instrument()
    handled, is_over = 0, False

    def handler(*_: object) -> None:
        nonlocal handled
        handled += 1
        NODES.select_batch(KEYS, threads=1)
        if not is_over:
            ring()

    def ring() -> None:  # once, so that a slow handler does not ring within itself
        signal.setitimer(signal.ITIMER_REAL, 1e-4)

    before = observe.counts("NodeSet.select_batch")
    previous = signal.signal(signal.SIGALRM, handler)
    try:
        ring()
        calls = 0
        while handled < 300:
            NODES.select_batch(KEYS, threads=1)
            calls += 1
    finally:
        is_over = (
            True  # a handler that is under way does not ring again: that would end the process
        )
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        observe.uninstrument()
    after = observe.counts("NodeSet.select_batch")
    assert after.calls - before.calls == calls + handled
    assert after.keys - before.keys == (calls + handled) * len(KEYS)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_child_of_a_fork_counts_from_zero() -> None:
    code = """
        import os, rvh
        from rvh import observe
        nodes = rvh.NodeSet(["a", "b"])
        observe.instrument()
        def show():
            print(observe.counts("NodeSet.select")[:3], observe.counts("NodeSet.select_batch")[:2])
        nodes.select("x"), nodes.select("x"), nodes.select_batch(["x"])
        if os.fork() == 0:
            show()
            nodes.select("x"), nodes.select_batch(["x", "y"])
            show()
        else:
            assert os.wait()[1] == 0
            show()
    """
    expected = "(0, 0, {}) (0, 0)\n(1, 1, {}) (1, 2)\n(2, 2, {}) (1, 1)\n"
    assert output(code, "-W", "ignore") == expected


# -- replaced, and put back ---------------------------------------------------------------------


def replaced() -> list[Any]:
    return [vars(row.owner)[row.name] for row in METHODS]


def test_uninstrument_puts_the_same_functions_back() -> None:
    before, code = replaced(), [function.__code__ for function in replaced()]
    observe.instrument()
    now = replaced()
    assert not any(a is b for a, b in zip(before, now, strict=True))
    calls = observe.counts("NodeSet.select").calls
    observe.instrument()
    NODES.select("x")
    assert observe.counts("NodeSet.select").calls == calls + 1, "instrumented twice, counted once"
    observe.uninstrument()
    assert all(a is b for a, b in zip(before, replaced(), strict=True))
    assert [function.__code__ for function in replaced()] == code
    observe.uninstrument()
    assert all(a is b for a, b in zip(before, replaced(), strict=True))


def test_what_is_not_instrumented_is_not_counted_and_counts_stay() -> None:
    observe.instrument()
    NODES.select("x")
    observe.uninstrument()
    before = all_counts()
    assert before["NodeSet.select"].calls > 0
    for calls in CALLS.values():
        for call, _ in calls:
            call()
    assert all_counts() == before


@pytest.mark.parametrize("row", METHODS, ids=lambda row: f"{row.owner.__name__}.{row.name}")
def test_names_docstrings_and_signatures_stay(row: Any) -> None:
    before = vars(row.owner)[row.name]
    observe.instrument()
    now = vars(row.owner)[row.name]
    observe.uninstrument()
    assert inspect.signature(now) == inspect.signature(before)
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__"):
        assert getattr(now, name) == getattr(before, name)
    assert now.__wrapped__ is before
    assert inspect.signature(now, follow_wrapped=False) == inspect.signature(before)


@pytest.mark.usefixtures("instrumented")
def test_instrumented_methods_pickle_and_complain_as_before() -> None:
    assert pickle.loads(pickle.dumps(NodeSet.select)) is NodeSet.select
    with pytest.raises(TypeError, match=r"NodeSet\.select\(\) missing 1 required .*'key'"):
        NODES.select()  # type: ignore[call-arg]


def test_answers_are_the_same() -> None:
    def answers() -> list[Any]:
        return [
            NODES.select("x", 2),
            NODES.select_batch(KEYS, 2).tolist(),
            NODES.argselect_batch(KEYS).tolist(),
            NODES.scores("x"),
            TABLE.lookup("x"),
            TABLE.lookup_batch(KEYS).tolist(),
        ]

    before = answers()
    observe.instrument()
    assert answers() == before
    observe.uninstrument()


def test_another_replacement_on_top_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    observe.instrument()
    counting = NodeSet.select
    with monkeypatch.context() as patch:
        patch.setattr(NodeSet, "select", lambda self, key, k=1: counting(self, key, k))
        with pytest.raises(rvh.RVHError, match=r"NodeSet\.select was replaced again"):
            observe.uninstrument()
        assert NodeSet.select is not counting
    observe.uninstrument()


def test_a_method_that_is_not_counted_is_an_error() -> None:
    with pytest.raises(rvh.RVHError, match=r"'NodeSet\.add', which is not counted"):
        observe.counts("NodeSet.add")


def test_counting_needs_no_other_library() -> None:
    code = """
        import sys, rvh.observe, rvh.observe.metrics
        rvh.observe.instrument(load=True)
        print([m for m in ("opentelemetry", "prometheus_client", "msgspec") if m in sys.modules])
    """
    assert output(code, "-W", "ignore") == "[]\n"
