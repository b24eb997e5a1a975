"""What one core of a server answers: `python benchmarks/capacity.py`.

    python benchmarks/capacity.py [--seconds 3] [--quick]

`rvh serve` runs in a process of its own, and what counts is the processor time that it takes, by
its own /metrics. So it does not matter how fast the client is, or what else runs. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec
from service import CALLS, IDS, WIDTH, packed, stub

from rvh.bench.environment import processor

CHUNK = 50_000


@contextmanager
def serving() -> Iterator[tuple[Any, Callable[[], float]]]:
    """Start a server: a channel to it, and the seconds of processor time that it has taken."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "nodes.json")
        path.write_bytes(msgspec.json.encode(IDS))
        command = [sys.executable, "-m", "rvh", "serve", os.fspath(path), "--scheme", "murmur"]
        process = subprocess.Popen(
            [*command, "--port", "0", "--http-port", "0"], stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        try:
            said = process.stderr.readline() + process.stderr.readline()
            pages, calls = re.findall(r" on (127\.0\.0\.1:\d+)", said)

            def seconds() -> float:
                with urllib.request.urlopen(f"http://{pages}/metrics") as page:
                    found = re.search(
                        rb"^process_cpu_seconds_total (\S+)", page.read(), re.MULTILINE
                    )
                assert found
                return float(found[1])

            with grpc.insecure_channel(calls) as channel:
                yield channel, seconds
        finally:
            process.kill()
            process.wait()
            process.stderr.close()


def many(call: Callable[[], object], seconds: float, callers: int) -> int:
    """Call from some threads without a pause, and count the calls."""
    counts = [0] * callers
    end = time.perf_counter() + seconds

    def caller(place: int) -> None:
        while counts[place] == 0 or time.perf_counter() < end:
            call()
            counts[place] += 1

    threads = [threading.Thread(target=caller, args=(place,)) for place in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def main() -> None:
    form = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each row")
    parser.add_argument("--quick", action="store_true", help="briefly: does it run?")
    given = parser.parse_args()
    seconds = 0.05 if given.quick else given.seconds

    one = CALLS["Select"].request(text="user:00000001")
    few = CALLS["SelectBatch"].request(keys=[b"user:%08d" % i for i in range(100)])
    batch = CALLS["SelectBatch"].request(keys=[b"user:%08d" % i for i in range(10_000)])
    data, ends = packed(CHUNK)
    stream = CALLS["SelectStream"]
    chunk = stream.request(data=data.tobytes(), ends=ends.tolist()).SerializeToString()
    assert len(data) == CHUNK * WIDTH

    print(f"{processor()}, N={len(IDS)}, murmur\n")
    print("| call | keys | processor time of a call | one core answers |\n|---|---|---|---|")
    with serving() as (channel, taken):
        chunks = channel.stream_stream(stream.path)
        rows: list[tuple[str, int, int, Callable[[], object]]] = [
            ("`Select`", 1, 32, lambda: stub(channel, "Select")(one)),
            ("`SelectBatch`", 100, 32, lambda: stub(channel, "SelectBatch")(few)),
            ("`SelectBatch`", 10_000, 2, lambda: stub(channel, "SelectBatch")(batch)),
            ("`SelectStream`, packed, a message", CHUNK, 1, lambda: [*chunks(iter([chunk] * 20))]),
        ]
        for what, keys, callers, call in rows:
            call()
            before = taken()
            calls = many(call, seconds, callers) * (20 if keys == CHUNK else 1)
            each = max(taken() - before, 0.01) / calls
            answers = f"{keys / each / 1e6:.2g}M keys/s" if keys > 1 else f"{1 / each:,.0f} calls/s"
            print(f"| {what} | {keys:,} | {each * 1e3:.2g} ms | {answers} |", flush=True)


if __name__ == "__main__":
    main()
