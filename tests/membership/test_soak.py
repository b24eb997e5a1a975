"""A source that changes every 100 ms and is killed and restarted, with readers all the while.

Some seconds of it are in the suite. This is the whole, which prints what it saw::

    RVH_SOAK_SECONDS=600 pytest -s tests/membership/test_soak.py
"""

from __future__ import annotations

import gc
import os
import threading
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
from etcd_server import Etcd
from servers import until

import rvh
from rvh.membership import Change, Membership, NodeMeta
from rvh.membership.sources.etcd import EtcdSource

SECONDS = float(os.environ.get("RVH_SOAK_SECONDS", "12"))
RESTARTS = 20 if SECONDS >= 60 else 3
KEYS = np.arange(64)


def nodes_of(number: int) -> list[NodeMeta]:
    """The nodes of a change, each unlike the one before: 30 to 39 nodes, one weight, one zone."""
    count = 30 + number % 10
    return [
        NodeMeta(f"n{i:02}", weight=1.0 + (i == number % 30), zone=f"z{i % 3}")
        for i in range(count)
    ]


def node_set(number: int) -> rvh.NodeSet:
    nodes = nodes_of(number)
    return rvh.NodeSet(
        [node.id for node in nodes], [node.weight for node in nodes], scheme="murmur"
    )


#: what is right: every state comes again after 30 changes
ANSWERS = {n: node_set(n).select_batch(KEYS) for n in range(30)}
PRINTS = {node_set(n).fingerprint: n for n in range(30)}


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def memory() -> int:
    """The bytes of this process that are in memory, without what is free already."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc here")
def test_soak(tmp_path: Path) -> None:
    server = Etcd(tmp_path)
    with server.running():
        written: list[int] = []

        def put(number: int) -> None:
            data = msgspec.json.encode({"epoch": number + 1, "nodes": nodes_of(number)})
            server.put("cache", data.decode())
            written.append(number)

        put(0)
        threads, files = threading.active_count(), open_files()
        source = EtcdSource([server.url], "cache", interval=1, timeout=1)
        membership = Membership(source, scheme="murmur", backoff=(0.05, 0.5))
        changes: list[Change] = []
        wrong: list[str] = []
        reads = [0]
        stop = threading.Event()
        membership.subscribe(lambda change: changes.append(change) if len(changes) < 10 else None)
        epochs: list[int] = []
        membership.subscribe(lambda change: epochs.append(change.after.epoch))

        def read() -> None:
            while not stop.is_set():
                snapshot = membership.snapshot
                number = PRINTS.get(snapshot.fingerprint)
                answers = snapshot.nodes.select_batch(KEYS)
                if number is None or not np.array_equal(answers, ANSWERS[number]):
                    wrong.append(f"epoch {snapshot.epoch}, {snapshot.fingerprint}")
                elif len(snapshot.members) != len(nodes_of(number)):
                    wrong.append(f"epoch {snapshot.epoch} has members of another")
                reads[0] += 1
                time.sleep(0.001)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        start = time.monotonic()
        number, restarts, sizes, lags = 0, 0, [], []
        while (passed := time.monotonic() - start) < SECONDS:
            number += 1
            put(number)
            if passed > (restarts + 0.5) * SECONDS / RESTARTS:
                restarts += 1
                server.kill()
                time.sleep(0.3)
                server.start()
                reached = time.monotonic()
                number += 1
                put(number)
                expected = node_set(number % 30).fingerprint
                until(lambda: membership.snapshot.fingerprint == expected, what="the last state")  # noqa: B023
                lags.append(time.monotonic() - reached)
            if number % 50 == 0:
                sizes.append(memory())
            time.sleep(max(0.0, start + number / 10 - time.monotonic()))
        expected = node_set(number % 30).fingerprint
        until(lambda: membership.snapshot.fingerprint == expected, what="the last state")
        stop.set()
        for reader in readers:
            reader.join()
        stats = membership.stats
        membership.close()
        until(lambda: threading.active_count() <= threads, what="no thread is left")
        until(lambda: open_files() <= files, what="no socket is left")
        print(
            f"\n{SECONDS:g} s, {restarts} restarts, {len(written)} changes written, "
            f"{stats.updates} snapshots, {reads[0]} reads, {len(wrong)} wrong, "
            f"{stats.reconnects} reconnects, the last state at most {max(lags):.2f} s after a "
            f"restart, memory {[round(size / 2**20, 1) for size in sizes]} MiB"
        )
        assert wrong == []
        assert restarts == RESTARTS
        assert stats.refused == 0
        assert epochs == sorted(set(epochs))
        assert stats.updates > 0.9 * len(written) - 10 * restarts
        late = sizes[len(sizes) // 3 :]
        assert max(late) <= 1.05 * min(late)
