"""What it costs to be counted: a call with `observe.instrument()` beside one without.

    python benchmarks/observing.py [--rounds 300] [--only WORD]

Calls with and without take turns, a few at a time, so that a busy machine slows both. What is shown
is the difference between the two at the lowest, the tenth and the fiftieth of a hundred rounds. The
cost of spans needs opentelemetry-sdk; it is with a processor that throws them away.
"""

from __future__ import annotations

import argparse
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

import rvh
from rvh import observe
from rvh.partitions import PartitionTable

NODES = rvh.NodeSet([f"node-{i}" for i in range(16)], scheme="murmur")
TABLE = PartitionTable(NODES)
KEYS = np.array([b"user:%08d" % i for i in range(10_000)])
TEN = KEYS[:10]

Case = tuple[type, str, Callable[[], Any], int]
CASES: dict[str, Case] = {
    "select": (rvh.NodeSet, "select", lambda: NODES.select("user:1"), 5000),
    "lookup": (PartitionTable, "lookup", lambda: TABLE.lookup("user:1"), 5000),
    "argselect_batch, 10 keys": (
        *(rvh.NodeSet, "argselect_batch", lambda: NODES.argselect_batch(TEN)),
        500,
    ),
    "argselect_batch, 10,000 keys": (
        *(rvh.NodeSet, "argselect_batch", lambda: NODES.argselect_batch(KEYS, threads=1)),
        20,
    ),
}


def spans() -> dict[str, Any]:
    try:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
    except ImportError:
        return {}

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> None:
            pass

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    return {"tracer_provider": provider}


def measure(case: Case, rounds: int, options: dict[str, dict[str, Any]]) -> dict[str, list[float]]:
    """Nanoseconds a call, sorted, for each kind of method."""
    owner, name, call, number = case
    methods = {"off": vars(owner)[name]}
    for kind, chosen in options.items():
        observe.instrument(**chosen)
        methods[kind] = vars(owner)[name]
    observe.uninstrument()
    times: dict[str, list[float]] = {kind: [] for kind in methods}
    for _ in range(rounds):
        for kind, method in methods.items():
            setattr(owner, name, method)
            times[kind].append(timeit.timeit(call, number=number) / number * 1e9)
    setattr(owner, name, methods["off"])
    return {kind: sorted(each) for kind, each in times.items()}


def main() -> None:
    form = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    options: dict[str, dict[str, Any]] = {"on": {}, "load=True": {"load": True}}
    if traced := spans():
        options["spans"] = traced
    places = [arguments.rounds * percent // 100 for percent in (0, 10, 50)]
    print(f"{'nanoseconds a call':30} {'':10} {'lowest':>9} {'10%':>9} {'50%':>9}")
    for name, case in CASES.items():
        if arguments.only not in name:
            continue
        wanted = {k: v for k, v in options.items() if k != "spans" or "batch" in name}
        times = measure(case, arguments.rounds, wanted)
        for kind, each in times.items():
            base = times["off"] if kind != "off" else [0.0] * len(each)
            shown = [each[place] - base[place] for place in places]
            sign = "" if kind == "off" else "+"
            print(f"{name:30} {kind:10} " + " ".join(f"{f'{x:{sign}.0f}':>9}" for x in shown))
    if traced:
        traced["tracer_provider"].shutdown()


if __name__ == "__main__":
    main()
