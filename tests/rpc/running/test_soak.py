"""`rvh serve` with two workers, whose nodes change every 100 ms, under mixed load.

Now and then a worker is killed. The clients of `rvh.rpc` must not notice; plain calls may find no
server for a while. Some seconds of it are in the suite. This is the whole, which prints what it
saw::

    RVH_SOAK_SECONDS=600 pytest -s tests/rpc/running/test_soak.py
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import msgspec
import numpy as np
import pytest
from etcd_server import Etcd
from rpc_server import calls_of
from servers import Server, free_port, until

import rvh
from rvh.membership import Membership, NodeMeta
from rvh.rpc import Answer, AsyncClient, Client, follow
from rvh.rpc.messages import message

SECONDS = float(os.environ.get("RVH_SOAK_SECONDS", "10"))
KILLS = 10 if SECONDS >= 60 else 2
#: how long after a kill a plain call may find no server
OUTAGE = 10.0

BATCH = message("rvh.v1.SelectBatchRequest")
KEYS = [f"user:{n}" for n in range(2000)]
MANY = np.arange(50_000)
OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),  # a connection of its own
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 2000),  # what one attempt may take
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
ANSWERS = [nodes.select_batch(KEYS, 2) for nodes in SETS]
MANY_ANSWERS = [nodes.argselect_batch(MANY).ravel() for nodes in SETS]


def state(epoch: int, fingerprint: str) -> int:
    """The number of the state that was written with an epoch."""
    number = (epoch - 1) % 30  # of the document, which the server takes over
    assert fingerprint == SETS[number].fingerprint, f"epoch {epoch}"
    return number


# -- the callers: each makes one call, or a few --------------------------------------------------


def right(answer: Answer[Any], first: int, stop: int) -> None:
    expected = ANSWERS[state(answer.epoch, answer.fingerprint)][first:stop]
    assert np.array_equal(np.reshape(answer.value, (-1, 2)), expected), f"epoch {answer.epoch}"


def one_key(client: Client) -> None:
    right(client.select(KEYS[0], 2), 0, 1)


def batch(client: Client) -> None:
    right(client.select_batch(KEYS[:500], 2), 0, 500)


def stream(client: Client) -> None:
    right(client.select_batch(KEYS, 2), 0, len(KEYS))


async def turn(client: AsyncClient) -> None:
    answers = await asyncio.gather(*(client.select(key, 2) for key in KEYS[:64]))
    for place, answer in enumerate(answers):
        right(answer, place, place + 1)


def local(here: Membership, seen: set[int]) -> None:
    now = here.snapshot
    seen.add(now.epoch)
    found = now.nodes.select_batch(KEYS[:100], 2)
    assert np.array_equal(found, ANSWERS[state(now.epoch, now.fingerprint)][:100])


def right_many(answer: Any) -> None:
    expected = MANY_ANSWERS[state(answer.epoch, answer.fingerprint)]
    assert np.array_equal(np.array(answer.indices, np.uint32), expected), f"epoch {answer.epoch}"


def slow_reader(calls: Any) -> None:
    requests = [BATCH(integers=MANY)] * 8  # more than fits in the windows of the connection
    for answer in calls.SelectStream(iter(requests), timeout=2 * OUTAGE):
        right_many(answer)
        time.sleep(0.2)


def leaver(target: str) -> None:
    """Disconnect in mid-stream. The next connection may be to the other worker."""
    with grpc.insecure_channel(target, OPTIONS) as channel:
        requests = iter([BATCH(integers=MANY)] * 8)
        right_many(next(calls_of(channel).SelectStream(requests, timeout=OUTAGE)))


def nonsense(channel: grpc.Channel) -> None:
    """Send bytes that are not a message."""
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


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text().rpartition(")")[2].split()[1]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == process:
            found.append(int(path.parent.name))
    return sorted(found)


def growth(sizes: list[int]) -> float:
    """By how much memory has grown from the first third of the samples to the last.

    Samples go up and down with what is under way, such as the answers for a slow reader. A leak
    raises the lowest of them.
    """
    third = len(sizes) // 3
    return min(sizes[-third:]) / min(sizes[:third])


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc here")
def test_soak(tmp_path: Path) -> None:
    (tmp_path / "etcd").mkdir()
    port = free_port()
    target = f"127.0.0.1:{port}"
    done: Counter[str] = Counter()
    wrong: list[str] = []
    seen: set[int] = set()
    stop = threading.Event()
    killed = [-OUTAGE]

    def ready() -> bool:
        with grpc.insecure_channel(target, OPTIONS) as channel:
            grpc.channel_ready_future(channel).result(0.5)
            return True

    def run(name: str, work: Callable[[], None]) -> None:
        while not stop.is_set():
            try:
                work()
                done[name] += 1
            except grpc.RpcError as error:  # of a plain call: clients raise errors of their own
                is_asked = error.code() == grpc.StatusCode.UNAVAILABLE
                if not is_asked or time.monotonic() - killed[0] > OUTAGE:
                    wrong.append(f"{name}: {error.code()}, {error.details()}")
                done["plain calls without a server"] += 1
                stop.wait(0.05)
            except Exception as error:  # an answer that is wrong: it is told below
                wrong.append(f"{name}: {type(error).__name__}: {error}")
            stop.wait(0.002)

    async def turns() -> None:
        async with AsyncClient(target) as client:
            while not stop.is_set():
                try:
                    await turn(client)
                    done["turn"] += 1
                except Exception as error:
                    wrong.append(f"turn: {type(error).__name__}: {error}")
                await asyncio.sleep(0.002)

    with ExitStack() as stack:
        etcd = stack.enter_context(Etcd(tmp_path / "etcd").running())

        def put(number: int) -> None:
            document = {"epoch": number + 1, "nodes": nodes_of(number)}
            etcd.put("soak", msgspec.json.encode(document).decode())

        put(0)
        source = f"etcd://127.0.0.1:{etcd.port}/soak"
        command = [sys.executable, "-m", "rvh", "serve", source, "--scheme", "murmur"]
        server = Server([*command, "--processes", "2", "--port", str(port)], ready, tmp_path)
        stack.enter_context(server.running())
        assert server.process is not None
        parent = server.process.pid

        client = stack.enter_context(Client(target))
        in_chunks = stack.enter_context(Client(target, chunk=500))
        here = stack.enter_context(follow(target))
        channels = [stack.enter_context(grpc.insecure_channel(target, OPTIONS)) for _ in range(2)]
        works: dict[str, Callable[[], None]] = {
            "one_key": partial(one_key, client),
            "another_key": partial(one_key, client),
            "batch": partial(batch, client),
            "stream": partial(stream, in_chunks),
            "local": partial(local, here, seen),
            "slow_reader": partial(slow_reader, calls_of(channels[0])),
            "leaver": partial(leaver, target),
            "nonsense": partial(nonsense, channels[1]),
        }
        threads = [threading.Thread(target=run, args=work) for work in works.items()]
        threads.append(threading.Thread(target=asyncio.run, args=(turns(),)))
        sizes: dict[str, list[int]] = {}
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
                # all kills are in the first half: in the second, processes show their memory
                if passed > (kills + 0.5) * SECONDS / 2 / KILLS and kills < KILLS:
                    workers = children(parent)
                    killed[0] = time.monotonic()
                    os.kill(workers[kills % len(workers)], signal.SIGKILL)
                    kills += 1
                if passed > SECONDS * 0.6 and not stop.is_set() and number % 5 == 0:
                    for process in (parent, *children(parent)):
                        name = "parent" if process == parent else f"worker {process}"
                        sizes.setdefault(name, []).append(memory(process))
                time.sleep(max(0.0, 0.1 - (time.monotonic() - start - passed)))
            until(lambda: here.snapshot.epoch == number + 1, 10, "the last change is seen")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    words = (
        f"{name} {min(each) / 2**20:.1f} to {max(each) / 2**20:.1f} MiB, {growth(each):.3f}"
        for name, each in sizes.items()
    )
    print(
        f"\n{SECONDS:g} s, {number} changes written, {len(seen)} seen by follow, {kills} kills, "
        f"{dict(done)}, {len(wrong)} wrong; memory: {'; '.join(words)}"
    )
    assert wrong == []
    assert kills == KILLS
    assert all(done[name] for name in (*works, "turn"))
    assert len(sizes) == 3  # no worker has ended since the last kill
    # in some seconds, threads and buffers are still being made
    most = 1.05 if SECONDS >= 300 else 1.5
    assert {name: each for name, each in sizes.items() if growth(each) > most} == {}
    assert "Traceback" not in (tmp_path / "log").read_text()
