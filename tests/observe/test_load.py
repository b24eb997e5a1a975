"""To which nodes keys go: a sample that is right about shares, and cheap because it is rare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from rvh import NodeSet, observe
from rvh.observe import load
from rvh.partitions import PartitionTable

NODES = NodeSet(["a", "b", b"\xff"], weights=[1, 2, 5], scheme="murmur")
KEYS = [f"user:{i}" for i in range(5000)]
SAMPLE = 1000  # each fifth of 5000: at most 1024


@pytest.fixture(autouse=True)
def sampled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Instrument with an empty load that samples every batch and every third call of one key."""
    monkeypatch.setattr(load, "INTERVAL", -1.0)
    monkeypatch.setattr(load, "EVERY", 3)
    monkeypatch.setattr(load, "_LOAD", load.Load())
    observe.instrument(load=True)
    yield
    observe.uninstrument()


def gained(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    return {n: v - before.get(n, 0) for n, v in after.items() if v != before.get(n, 0)}


METHODS = {
    "select_batch": lambda: NODES.select_batch(KEYS, 2),
    "argselect_batch": lambda: NODES.argselect_batch(KEYS, 2),
    "assign": lambda: NODES.assign(KEYS),
    "argassign": lambda: NODES.argassign(KEYS),
    "lookup_batch": lambda: PartitionTable(NODES, 1 << 16).lookup_batch(KEYS),
    "arglookup_batch": lambda: PartitionTable(NODES, 1 << 16).arglookup_batch(KEYS),
}


@pytest.mark.parametrize("method", METHODS)
def test_batches(method: str) -> None:
    seen, fair = load.observed(), load.expected()
    answer = METHODS[method]()
    first = (answer if answer.ndim == 1 else answer[:, 0])[::5].tolist()
    if method.startswith("arg"):
        first = [NODES.ids[position] for position in first]
    counts = gained(load.observed(), seen)
    assert counts == {"a": first.count("a"), "b": first.count("b"), r"\xff": first.count(b"\xff")}
    assert sum(counts.values()) == SAMPLE
    assert gained(load.expected(), fair) == pytest.approx({"a": 125, "b": 250, r"\xff": 625})


def test_arrow_columns_leave_nulls_away() -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    seen = load.observed()
    NODES.select_arrow(pa.array(["x", None, None, "x"]))
    node = NODES.select("x")[0]
    assert gained(load.observed(), seen) == {node if isinstance(node, str) else r"\xff": 2}


def test_calls_of_one_key() -> None:
    seen = load.observed()
    for _ in range(9):
        NODES.select("x")
    node = NODES.select("x")[0]
    assert gained(load.observed(), seen) == {node if isinstance(node, str) else r"\xff": 3}


def test_a_hot_key_shows() -> None:
    even, hot = NodeSet(["c", "d"], scheme="murmur"), NodeSet(["e", "f"], scheme="murmur")
    even.select_batch(KEYS)
    hot.select_batch(["one key"] * 900 + KEYS[:100])
    seen, fair = load.observed(), load.expected()
    assert max(seen[node] / fair[node] for node in "cd") < 1.15
    assert max(seen[node] / fair[node] for node in "ef") > 1.8


def test_no_keys_and_no_answer() -> None:
    seen = load.observed()
    NODES.select_batch([])
    NODES.score_batch(KEYS)
    assert load.observed() == seen


def test_many_node_sets() -> None:
    fair = load.expected()
    for number in range(100):
        NodeSet([f"n{number}", "m"], scheme="murmur").argselect_batch(np.arange(10))
    gains = gained(load.expected(), fair)
    assert gains["m"] == pytest.approx(500)
    assert sum(gains.values()) == pytest.approx(1000)


def test_one_batch_in_an_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "INTERVAL", 1e9)
    seen = load.observed()
    for _ in range(10):
        NODES.select_batch(KEYS)
    assert sum(gained(load.observed(), seen).values()) == SAMPLE


def test_nodes_that_are_gone_do_not_fill_the_memory() -> None:
    for number in range(300):
        NodeSet([f"pod-{number}-{each}" for each in range(10)]).argselect_batch(np.arange(10))
    assert len(load.expected()) <= load.GONE_MAX + 2 * 10 * (load.SETS_MAX + 1)
    assert {f"pod-299-{each}" for each in range(10)} <= set(load.expected())
