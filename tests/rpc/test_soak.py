"""A server whose nodes change every 100 ms and which is killed now and then, under mixed load.

Some seconds of it are in the suite. This is the whole, which prints what it saw::

    RVH_SOAK_SECONDS=600 pytest -s tests/rpc/test_soak.py
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import msgspec
import numpy as np
import pytest
from rpc_server import calls_of
from servers import Server, free_port

import rvh
from rvh.membership import NodeMeta, State
from rvh.rpc.messages import message
from rvh.rpc.mirroring import Mirror

SECONDS = float(os.environ.get("RVH_SOAK_SECONDS", "10"))
KILLS = 10 if SECONDS >= 60 else 2
#: how long after a kill a call may find no server: it starts in a second or two, of two busy cores
OUTAGE = 10.0

SELECT = message("rvh.v1.SelectRequest")
BATCH = message("rvh.v1.SelectBatchRequest")
WATCH = message("rvh.v1.WatchNodesRequest")
KEYS = [f"user:{n}" for n in range(2000)]
MANY = np.arange(50_000)
OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),  # a connection of its own
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
]


def nodes_of(number: int) -> list[NodeMeta]:
    """The nodes of a change, each unlike the one before: 30 to 39 nodes, one weight."""
    return [NodeMeta(f"n{i:02}", weight=1.0 + (i == number % 30)) for i in range(30 + number % 10)]


def node_set(number: int) -> rvh.NodeSet:
    nodes = nodes_of(number)
    return rvh.NodeSet([x.id for x in nodes], [x.weight for x in nodes], scheme="murmur")


#: what is right: every state comes again after 30 changes
SETS = [node_set(number) for number in range(30)]
ANSWERS = [nodes.argselect_batch(KEYS, 2) for nodes in SETS]
MANY_ANSWERS = [nodes.argselect_batch(MANY).ravel() for nodes in SETS]


def right(answer: Any, answers: list[Any], count: int) -> int:
    """Check an answer against the state that was written with its epoch; return that epoch."""
    number = (answer.epoch - 1) % 30  # of the document, which the server takes over
    assert answer.fingerprint == SETS[number].fingerprint, f"epoch {answer.epoch}"
    found = np.array(answer.indices, np.uint32)
    assert np.array_equal(found, answers[number][:count].ravel()), f"epoch {answer.epoch}"
    return int(answer.epoch)


# -- the callers: each makes one call, or a few on one stream ------------------------------------


def one_key(calls: Any) -> None:
    right(calls.Select(SELECT(text=KEYS[0], k=2), timeout=OUTAGE), ANSWERS, 1)


def batch(calls: Any) -> None:
    answer = calls.SelectBatch(BATCH(texts=KEYS, k=2, with_ids=True), timeout=OUTAGE)
    number = (right(answer, ANSWERS, len(KEYS)) - 1) % 30
    ids = [node.id for node in nodes_of(number)]
    assert list(answer.ids) == [ids[place] for place in answer.indices]


def stream(calls: Any) -> None:
    for pinned in (False, True):
        requests = [BATCH(texts=KEYS, k=2, pinned=pinned)] * 5
        answers = list(calls.SelectStream(iter(requests), timeout=OUTAGE))
        epochs = [right(answer, ANSWERS, len(KEYS)) for answer in answers]
        assert len(epochs) == 5
        assert epochs == (epochs[:1] * 5 if pinned else sorted(epochs))


def slow_reader(calls: Any) -> None:
    requests = [BATCH(integers=MANY)] * 8  # more than fits in the windows of the connection
    for answer in calls.SelectStream(iter(requests), timeout=2 * OUTAGE):
        right(answer, MANY_ANSWERS, len(MANY))
        time.sleep(0.2)


def leaver(calls: Any) -> None:
    call = calls.SelectStream(iter([BATCH(integers=MANY)] * 8), timeout=OUTAGE)
    right(next(call), MANY_ANSWERS, len(MANY))
    call.cancel()


def mirror(calls: Any) -> None:
    """Follow the nodes for a while, as clients in local mode do."""
    follower = Mirror("murmur")
    call = calls.WatchNodes(WATCH(), timeout=OUTAGE)
    for heard, told in enumerate(call):
        state = follower.hear(told)
        if isinstance(state, State):
            nodes = sorted((node.id, node.weight) for node in state.nodes)
            assert nodes == [(x.id, x.weight) for x in nodes_of(told.epoch - 1)], told.epoch
            assert told.fingerprint == SETS[(told.epoch - 1) % 30].fingerprint
        if heard == 10:
            break
    call.cancel()


CALLERS: list[Callable[[Any], None]] = [one_key, batch, stream, slow_reader, leaver, mirror]


def nonsense(channel: grpc.Channel) -> None:
    """Send bytes that are no message."""
    for data in (b"\xff", b"\x0a\x7fabc", b"\x22\x03abc\x2a\x04\xff\xff\xff\xff"):
        for name in ("Select", "SelectBatch", "Score"):
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(f"/rvh.v1.Selection/{name}")(data, timeout=OUTAGE)
            error: Any = caught.value
            if error.code() != grpc.StatusCode.INVALID_ARGUMENT:
                raise error


def memory(process: int) -> int:
    """The resident bytes of a process."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc here")
def test_soak(tmp_path: Path) -> None:
    path, port = tmp_path / "nodes.json", free_port()
    target = f"127.0.0.1:{port}"
    done: Counter[str] = Counter()
    wrong: list[str] = []
    stop = threading.Event()
    killed = [-OUTAGE]

    def put(number: int) -> None:
        new = path.with_suffix(".new")
        new.write_bytes(msgspec.json.encode({"epoch": number + 1, "nodes": nodes_of(number)}))
        new.replace(path)

    def ready() -> bool:
        with grpc.insecure_channel(target, OPTIONS) as channel:
            grpc.channel_ready_future(channel).result(0.5)
            return True

    def run(name: str, work: Callable[[], None]) -> None:
        while not stop.is_set():
            try:
                work()
                done[name] += 1
            except grpc.RpcError as error:
                is_asked = error.code() == grpc.StatusCode.UNAVAILABLE
                if not is_asked or time.monotonic() - killed[0] > OUTAGE:
                    wrong.append(f"{name}: {error.code()}, {error.details()}")
                done["without a server"] += 1
                stop.wait(0.05)
            except Exception as error:  # an answer that is wrong: it is told below
                wrong.append(f"{name}: {type(error).__name__}: {error}")
            stop.wait(0.002)

    put(0)
    command = [sys.executable, "-m", "rvh", "serve", os.fspath(path), "--scheme", "murmur"]
    server = Server([*command, "--port", str(port)], ready, tmp_path)
    channels = [grpc.insecure_channel(target, OPTIONS) for _ in range(len(CALLERS) + 1)]
    works: list[tuple[str, Callable[[], None]]] = [
        (each.__name__, partial(each, calls_of(channel)))
        for each, channel in zip(CALLERS, channels, strict=False)
    ]
    works.append(("nonsense", partial(nonsense, channels[-1])))
    threads = [threading.Thread(target=run, args=work) for work in works]
    sizes: list[int] = []
    with server.running():
        for thread in threads:
            thread.start()
        start, number, kills = time.monotonic(), 0, 0
        try:
            while any(thread.is_alive() for thread in threads):
                passed = time.monotonic() - start
                if passed >= SECONDS:
                    stop.set()  # the nodes change until the last call has ended
                number += 1
                put(number)
                # all kills are in the first half: in the second, one process shows its memory
                if passed > (kills + 0.5) * SECONDS / 2 / KILLS and kills < KILLS:
                    kills += 1
                    killed[0] = time.monotonic()
                    server.restart()
                    killed[0] = time.monotonic()
                if passed > SECONDS * 2 / 3 and number % 10 == 0:
                    assert server.process is not None
                    sizes.append(memory(server.process.pid))
                time.sleep(max(0.0, 0.1 - (time.monotonic() - start - passed)))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            for channel in channels:
                channel.close()
    print(
        f"\n{SECONDS:g} s, {number} changes written, {kills} kills, {dict(done)}, {len(wrong)} "
        f"wrong, memory {min(sizes) / 2**20:.1f} to {max(sizes) / 2**20:.1f} MiB"
    )
    assert wrong == []
    assert kills == KILLS
    assert all(done[name] for name, _ in works)
    # in some seconds, threads and buffers are still being made
    assert max(sizes) <= (1.05 if SECONDS >= 300 else 1.5) * min(sizes)
    assert "Traceback" not in (tmp_path / "log").read_text()
