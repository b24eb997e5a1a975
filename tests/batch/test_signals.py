"""Ctrl-C ends a long call, whatever it is busy with, and leaves everything usable.

Each call here would take hours, so that only an interruption can end it in time.
"""

from __future__ import annotations

import signal

import numpy as np
import pytest
import reference
from interrupting import interrupted, needs_sigint
from sizes import large

import rvh

#: one long key as 10^8 rows, without the memory for them
ROWS = 'np.broadcast_to(np.array([b"x" * 1000]), 100_000_000)'
CALLS = {
    "keys of S": f"ns.argselect_batch({ROWS}, threads=THREADS)",
    "keys of S, ids": f"ns.select_batch({ROWS}, threads=THREADS)",
    "long keys of S": (
        'ns.argselect_batch(np.broadcast_to(np.array([b"x" * 100_000]), 10**8), threads=THREADS)'
    ),
    "keys of U": (
        'ns.argselect_batch(np.broadcast_to(np.array(["é" * 500]), 10**8), threads=THREADS)'
    ),
    "integers": "ns.argselect_batch(np.broadcast_to(np.arange(1), 10**9), threads=THREADS)",
    "objects": (
        'ns.argselect_batch(np.broadcast_to(np.array(["é" * 9000], object), 10**8),'
        " threads=THREADS)"
    ),
    "large k": f"ns.argselect_batch({ROWS}[:10**6], k=1000, threads=THREADS)",
    "a whole vector of keys, many nodes": (
        'many.argselect_batch([b"x" * 1000] * 200_000, threads=THREADS, dedupe=False)'
    ),
    "distinct keys are looked for": (
        'ns.argselect_batch(np.broadcast_to(np.array([b"x" * 100_000]), 10**8), threads=THREADS,'
        " dedupe=True)"
    ),
    "one key, many nodes": 'many.select(b"x" * 4_000_000)',
    "jump hash of long keys": (
        'rvh.stable.jump_batch(np.broadcast_to(np.array([b"x" * 100_000]), 10**8), 1000,'
        " threads=THREADS)"
    ),
    "JumpBackHash of long objects": (
        'rvh.stable.jumpback_batch(np.broadcast_to(np.array(["é" * 90_000], object), 10**8), 1000,'
        " threads=THREADS)"
    ),
    "distinct buckets": (
        "rvh.stable.StableSelector(ns.ids).argselect_batch("
        "np.broadcast_to(np.arange(1), 10**6), k=2000, threads=THREADS)"
    ),
    "one key, many nodes, off an event loop": (
        'asyncio.run(rvh.arendezvous_hash(many, b"x" * 4_000_000))'
    ),
    "scores of one key": 'many.scores(b"x" * 4_000_000)',
    "replicas in different zones": (
        f"faultset.FaultSet(ns, domains={{'zone': range(2000)}}).argselect_batch({ROWS}, 3, 'zone',"
        " threads=THREADS, dedupe=False)"
    ),
    "repair": (
        "faultset.FaultSet(ns, domains={'zone': range(2000)}).repair("
        f"{ROWS}[:10**6], np.broadcast_to(np.array([[b'node1', b'node2']]), (10**6, 2)), 3, 'zone',"
        " threads=THREADS)"
    ),
    "bounded load": f"balanced.argassign_balanced(ns, {ROWS}[:10**7], dedupe=False)",
    "bounded load, of one key": (
        "balanced.argassign_balanced(ns, np.broadcast_to(np.array([b'x']), 10**6), 1)"
    ),
    "same region first": (
        f"geohash.GeoSet(ns, ['u0'] * 2000).argselect_batch({ROWS}[:10**7], 2,"
        " geohash=np.broadcast_to(np.array([b'u0']), 10**7), threads=THREADS)"
    ),
    "a ring": (
        "ring.ketama(['a', 'b']).arglookup_batch("
        'np.broadcast_to(np.array([b"x" * 100_000]), 10**8),'
        " threads=THREADS)"
    ),
    "a ring on which one node has hardly a point": (
        "ring.Ring.from_tokens({'a': range(1 << 20), 'b': [2**63]}, 'xxh64').arglookup_batch("
        "np.broadcast_to(np.arange(1), 10**6), 2, threads=THREADS)"
    ),
    "crossing points": (
        "ring.Migration(ns, ns).crossing_batch("
        'np.broadcast_to(np.array([b"x" * 100_000]), 10**8), threads=THREADS)'
    ),
    "a cache": (
        "cache.SelectionCache(ns, 10).argselect_batch("
        'np.broadcast_to(np.array([b"x" * 100_000]), 10**7), threads=THREADS)'
    ),
}

SETUP = """
import asyncio
import numpy as np
import rvh, rvh.stable
from rvh import balanced, cache, faultset, geohash, ring

THREADS = {threads}
ns = rvh.NodeSet([f"node{{n}}" for n in range(2000)])
many = rvh.NodeSet([f"node{{n}}" for n in range(300_000)]) if {many} else None
"""


@needs_sigint
@pytest.mark.parametrize(
    ("name", "threads"),
    [
        *((name, 2) for name in CALLS if "THREADS" in CALLS[name]),
        *((name, 1) for name in CALLS if "THREADS" not in CALLS[name]),
        *(pytest.param(name, 1, marks=large) for name in CALLS if "THREADS" in CALLS[name]),
    ],
)
def test_interrupt(name: str, threads: int) -> None:
    call = CALLS[name]
    setup = SETUP.format(threads=threads, many="many" in call)
    nodes = [f"node{n}" for n in range(2000)]
    best = [nodes[n] for n in reference.ranking(nodes, "key")[:3]]
    assert interrupted(setup, call, 'print(ns.select("key", k=3))') == f"{best}\n"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_handler_that_returns_changes_nothing(threads: int) -> None:
    ticks = 0

    def tick(number: int, frame: object) -> None:
        nonlocal ticks
        ticks += 1

    nodes = [f"node{n}" for n in range(100)]
    keys = np.arange(1000)
    expected = reference.rankings(nodes, range(1000))[:, :2]
    ns = rvh.NodeSet(nodes)
    before = signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        rounds = 0
        while ticks < 20 and rounds < 10_000:
            assert np.array_equal(ns.argselect_batch(keys, 2, threads=threads), expected)
            rounds += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ticks


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
def test_a_handlers_own_error_comes_through() -> None:
    class AlarmError(Exception):
        pass

    def ring(number: int, frame: object) -> None:
        raise AlarmError

    keys = np.broadcast_to(np.array([b"x" * 1000]), 10**8)
    ns = rvh.NodeSet([f"node{n}" for n in range(100)])
    before = signal.signal(signal.SIGALRM, ring)
    try:
        for threads in (1, 2):
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(AlarmError):
                ns.argselect_batch(keys, threads=threads)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
