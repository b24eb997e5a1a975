"""The service on loopback beside the call in this process: `python benchmarks/service.py`.

    python benchmarks/service.py [--rounds 5] [--seconds 1] [--quick] [--only WORD]

The server is `rvh serve` in a process of its own, and so is the echo, a bare gRPC server whose
threads and messages are as many and as large. This process is the client. In each round all sides
of a row run one after the other; what is shown is the median of the rounds. Prints Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import msgspec
import numpy as np

import rvh
from rvh.bench.environment import processor
from rvh.keys import KeyColumn, Kind, Spans
from rvh.rpc import AsyncClient, Client, Limits, follow
from rvh.rpc.messages import FLAT, SELECTION, Method, methods
from rvh.rpc.server import SPARE

IDS = [f"node-{i:03}" for i in range(64)]
NODES = rvh.NodeSet(IDS, scheme="murmur")
CALLS = {method.name: method for method in methods(SELECTION)}
CALLERS = 64
WIDTH = 13  # bytes of a key

ECHO = """
import sys
from concurrent.futures import ThreadPoolExecutor
import grpc
answer, threads = bytes(int(sys.argv[1])), int(sys.argv[2])
class Echo(grpc.GenericRpcHandler):
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: answer)
    def service(self, details):
        return self.handler
server = grpc.server(ThreadPoolExecutor(threads), [Echo()], options=[("grpc.so_reuseport", 0)])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"serving on 127.0.0.1:{port}", file=sys.stderr, flush=True)
server.wait_for_termination()
"""


class Options(NamedTuple):
    """How long it measures, and how much at once."""

    rounds: int
    seconds: float
    keys: int


class Row(NamedTuple):
    """What was asked for and what was measured."""

    what: str
    asked: str
    measured: str
    rates: str


# -- processes ---------------------------------------------------------------------------------


@contextmanager
def server(*command: str) -> Iterator[str]:
    """Start a server that tells its address."""
    process = subprocess.Popen([sys.executable, *command], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        found = re.search(r" on (127\.0\.0\.1:\d+)", said)
        assert found, said + process.stderr.read()
        yield found[1]
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@contextmanager
def service() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "nodes.json")
        path.write_bytes(msgspec.json.encode(IDS))
        options = ("--scheme", "murmur", "--port", "0")
        with server("-m", "rvh", "serve", os.fspath(path), *options) as address:
            yield address


def echo(answer: bytes) -> Any:
    limits = Limits()
    threads = limits.calls + limits.streams + SPARE
    return server("-c", ECHO, str(len(answer)), str(threads))


def connect(address: str) -> Any:
    return grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])


def stub(channel: grpc.Channel, name: str) -> Any:
    """Make a call as generated code has it."""
    method: Method = CALLS[name]
    return channel.unary_unary(
        method.path,
        request_serializer=method.request.SerializeToString,
        response_deserializer=method.response.FromString,
    )


# -- measuring ---------------------------------------------------------------------------------


Side = Callable[[], object]


def rate(call: Side, amount: int, seconds: float) -> float:
    """How many keys a second."""
    calls, start = 0, time.perf_counter()
    while calls == 0 or time.perf_counter() - start < seconds:
        call()
        calls += 1
    return calls * amount / (time.perf_counter() - start)


def interleaved(options: Options, amount: int, *sides: Side) -> list[list[float]]:
    """How many keys a second, by rounds and sides."""
    return [[rate(side, amount, options.seconds) for side in sides] for _ in range(options.rounds)]


def crowd(call: Callable[[Any], object], request: Any, seconds: float) -> tuple[float, float]:
    """Call from many threads without a pause: calls a second, and the seconds of p99."""
    times: list[list[float]] = [[] for _ in range(CALLERS)]
    is_over = threading.Event()

    def caller(mine: list[float]) -> None:
        while not is_over.is_set():
            start = time.perf_counter()
            call(request)
            mine.append(time.perf_counter() - start)

    threads = [threading.Thread(target=caller, args=(mine,)) for mine in times]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    is_over.wait(seconds)
    is_over.set()
    for thread in threads:
        thread.join()
    every = np.concatenate(times)
    return len(every) / (time.perf_counter() - start), float(np.percentile(every, 99))


def median(values: Iterator[float] | list[float]) -> float:
    return statistics.median(values)


def of_keys(what: str, asked: str, rounds: list[list[float]], mine: int, base: int) -> Row:
    """The row of two sides, whose rates are of keys."""
    ratio = median([each[mine] / each[base] for each in rounds])
    rates = [median([each[side] for each in rounds]) / 1e6 for side in (mine, base)]
    return Row(what, asked, f"{ratio:.2f}", "{:.1f}M, {:.1f}M keys/s".format(*rates))


def packed(count: int) -> tuple[np.ndarray, np.ndarray]:
    data = np.frombuffer(b"".join(b"user:%08d" % i for i in range(count)), np.uint8)
    return data, np.arange(1, count + 1, dtype=np.uint32) * WIDTH


# -- the rows ----------------------------------------------------------------------------------


def unary(options: Options) -> Iterator[Row]:
    keys = [b"user:%08d" % i for i in range(10_000)]
    method = CALLS["SelectBatch"]
    request = method.request
    with ExitStack() as stack:
        address = stack.enter_context(service())
        client = stack.enter_context(Client(address))
        channel = stack.enter_context(connect(address))
        call = stub(channel, "SelectBatch")
        data, ends = packed(len(keys))
        sent = request(data=data.tobytes(), ends=ends.tolist()).SerializeToString()
        answer = channel.unary_unary(method.path)(sent)
        bare = stack.enter_context(connect(stack.enter_context(echo(answer)))).unary_unary("/echo")

        def generated() -> Any:
            return np.array(call(request(keys=keys)).indices, np.uint32)

        assert np.array_equal(client.select_batch(keys).value, NODES.select_batch(keys))
        assert np.array_equal(generated(), NODES.argselect_batch(keys).ravel())
        rounds = interleaved(
            options,
            len(keys),
            lambda: client.select_batch(keys),
            lambda: NODES.select_batch(keys),
            generated,
            lambda: NODES.argselect_batch(keys),
            lambda: bare(sent),
        )
    what = "SelectBatch of 10k keys"
    yield of_keys(f"{what} by Client, against select_batch of the list", "0.5", rounds, 0, 1)
    yield of_keys(f"{what} by generated code, against argselect_batch", "", rounds, 2, 3)
    # What is left when nothing is packed and nothing is answered: gRPC itself.
    yield of_keys(f"{what}: a bare echo of its bytes, against select_batch", "", rounds, 4, 1)


def stream(options: Options) -> Iterator[Row]:
    size, chunk = options.keys, min(options.keys, 50_000)
    data, ends = packed(size)
    spans = Spans(data, np.append(np.uint32(0), ends))
    column = KeyColumn(Kind.SPANS, spans)
    method = CALLS["SelectStream"]
    first_ends = ends[:chunk].tolist()

    def requests() -> Iterator[bytes]:
        for start in range(0, size, chunk):
            part = data[start * WIDTH : (start + chunk) * WIDTH].tobytes()
            yield method.request(data=part, ends=first_ends).SerializeToString()

    with (
        service() as address,
        Client(address, chunk=chunk) as client,
        connect(address) as channel,
    ):
        call = channel.stream_stream(method.path)
        expected = NODES.argselect_batch(column)
        answers = [np.array(method.response.FromString(x).indices) for x in call(requests())]
        assert np.array_equal(np.concatenate(answers), expected.ravel())
        assert np.array_equal(client.argselect_batch(column).value, expected)
        rounds = interleaved(
            options,
            size,
            lambda: client.argselect_batch(column),
            lambda: [*call(requests())],
            lambda: NODES.argselect_batch(column),
        )
    what = "SelectStream of 50k-key chunks"
    yield of_keys(f"{what} by Client, against data and offsets", "0.3", rounds, 0, 2)
    yield of_keys(f"{what} by generated code, against the same", "", rounds, 1, 2)


def crowded(options: Options) -> Iterator[Row]:
    request = CALLS["Select"].request(text="user:00000001")
    with ExitStack() as stack:
        address = stack.enter_context(service())
        select = stub(stack.enter_context(connect(address)), "Select")
        sent, answer = request.SerializeToString(), select(request).SerializeToString()
        other = stack.enter_context(connect(stack.enter_context(echo(answer))))
        bare = other.unary_unary("/echo")
        rounds = []
        for each in range(options.rounds):
            pair = [(select, request), (bare, sent)][:: 1 if each % 2 else -1]
            found = {call: crowd(call, message, options.seconds) for call, message in pair}
            rounds.append((found[select], found[bare]))
    mine, base = (median([each[side][0] for each in rounds]) for side in (0, 1))
    late, base_late = (median([each[side][1] for each in rounds]) * 1e3 for side in (0, 1))
    calls = median(a[0] / b[0] for a, b in rounds)
    p99 = median(a[1] / b[1] for a, b in rounds)
    what = "Select by generated code, 64 clients, against a bare echo"
    yield Row(f"{what}: calls", "0.9", f"{calls:.2f}", f"{mine:.0f}, {base:.0f} calls/s")
    yield Row(f"{what}: p99", "at most 1.3", f"{p99:.2f}", f"{late:.1f}, {base_late:.1f} ms")


async def tasks(call: Callable[[Any], Any], seconds: float) -> float:
    """Call from many tasks without a pause: calls a second."""
    start = time.perf_counter()

    async def caller() -> int:
        calls = 0
        while time.perf_counter() - start < seconds:
            await call("user:00000001")
            calls += 1
        return calls

    calls = await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return sum(calls) / (time.perf_counter() - start)


def coalescing(options: Options) -> Iterator[Row]:
    method = CALLS["Select"]
    expected = NODES.select("user:00000001")

    async def one(address: str) -> tuple[float, float]:
        """The client, then the plain calls of generated code."""
        async with AsyncClient(address) as client, grpc.aio.insecure_channel(address) as channel:
            call = channel.unary_unary(
                method.path,
                request_serializer=method.request.SerializeToString,
                response_deserializer=method.response.FromString,
            )
            assert (await client.select("user:00000001")).value == expected
            together = await tasks(client.select, options.seconds)
            return together, await tasks(
                lambda key: call(method.request(text=key)), options.seconds
            )

    with service() as address:
        rounds = []
        for _ in range(options.rounds):
            of_tasks = asyncio.run(one(address))
            with Client(address) as client:
                threads, _ = crowd(client.select, "user:00000001", options.seconds)
            rounds.append((*of_tasks, threads))
    ratios = (median([each[side] / each[1] for each in rounds]) for side in (0, 2))
    rates = [median([each[side] for each in rounds]) for side in (0, 1, 2)]
    for who, asked, rate in (("tasks of AsyncClient", "10", 0), ("threads of Client", "", 2)):
        yield Row(
            f"64 {who}, against 64 tasks that call Select",
            asked,
            f"{next(ratios):.1f}",
            f"{rates[rate]:.0f}, {rates[1]:.0f} calls/s",
        )


def local(options: Options) -> Iterator[Row]:
    many = range(1000)

    def of(nodes: Any) -> Side:
        def side() -> None:
            for _ in many:
                nodes.select("user:00000001")

        return side

    with service() as address, follow(address) as here:

        def of_present_nodes() -> None:
            for _ in many:
                here.nodes.select("user:00000001")

        assert here.nodes.select("user:00000001") == NODES.select("user:00000001")
        rounds = interleaved(options, len(many), of_present_nodes, of(NODES))
    mine, base = (median([1e9 / each[side] for each in rounds]) for side in (0, 1))
    more = median([1e9 / each[0] - 1e9 / each[1] for each in rounds])
    what = "follow(...).nodes.select of one key, beyond NodeSet.select"
    yield Row(what, "at most 100 ns", f"{more:.0f} ns", f"{mine:.0f}, {base:.0f} ns")


def flat(options: Options) -> Iterator[Row]:
    import flatbuffers
    from flatbuffers.number_types import Uint32Flags
    from flatbuffers.table import Table

    method = CALLS["SelectBatch"]

    def by_flat() -> np.ndarray:
        builder = flatbuffers.Builder(data.nbytes + ends.nbytes + 128)
        parts = builder.CreateByteVector(data.tobytes()), builder.CreateNumpyVector(ends)
        builder.StartObject(len(parts))
        for slot, part in enumerate(parts):
            builder.PrependUOffsetTRelativeSlot(slot, part, 0)
        builder.Finish(builder.EndObject())
        answer = other(bytes(builder.Output()))
        table = Table(answer, int.from_bytes(answer[:4], "little"))
        return table.GetVectorAsNumpy(Uint32Flags, table.Offset(4 + 2 * 3))

    def by_packed() -> np.ndarray:
        return np.array(call(method.request(data=data.tobytes(), ends=ends.tolist())).indices)

    def by_client() -> np.ndarray:
        return client.argselect_batch(column).value

    for count in (10_000, 100_000):
        data, ends = packed(min(count, options.keys))
        column = KeyColumn(Kind.SPANS, Spans(data, np.append(np.uint32(0), ends)))
        with service() as address, Client(address) as client, connect(address) as channel:
            call, other = stub(channel, "SelectBatch"), channel.unary_unary(f"/{FLAT}/SelectBatch")
            assert np.array_equal(by_flat(), by_packed())
            rounds = interleaved(options, len(ends), by_flat, by_packed, by_client)
        what = f"SelectBatch of {count // 1000}k keys by FlatBuffers"
        yield of_keys(f"{what}, against packed keys by generated code", "", rounds, 0, 1)
        yield of_keys(f"{what}, against packed keys by Client", "", rounds, 0, 2)


ROWS = {
    "unary": unary,
    "flat": flat,
    "stream": stream,
    "crowd": crowded,
    "coalescing": coalescing,
    "local": local,
}


def main() -> None:
    form = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each side in a round")
    parser.add_argument("--quick", action="store_true", help="once and briefly: does it run?")
    parser.add_argument("--only", default="", choices=["", *ROWS])
    given = parser.parse_args()
    options = Options(given.rounds, given.seconds, 1_000_000)
    if given.quick:
        options = Options(1, 0.05, 2_000)
    print(
        f"{processor()}, {os.cpu_count()} processors, Python {platform.python_version()}, grpcio "
        f"{grpc.__version__}, N={len(IDS)}, murmur, median of {options.rounds}\n"
    )
    print("| what | asked | measured | that is |\n|---|---|---|---|")
    for name, rows in ROWS.items():
        if given.only in name:
            for row in rows(options):
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
