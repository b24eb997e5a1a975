"""Each job of docs/how-to against its best form without rvh: lines, seconds, memory.

    python benchmarks/jobs.py [--rounds 3] [--rows 5000000] [--only WORD]

Each form is a function below, run in a process of its own with what it reads already in memory. In
a round all forms of a job run one after the other; what is shown is the median of the rounds. Lines
are those of the function and its helper. CPU counts all threads, and says more than seconds where
the machine has other work. Memory is the peak of the call beyond what the process had before it, as
Linux counts it. Prints Markdown.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import inspect
import json
import re
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import uhashring

import rvh
import rvh.integrations.polars
from rvh.balanced import assign_balanced
from rvh.faultset import FaultSet
from rvh.multi import compose_keys
from rvh.ring import uhashring as rvh_uhashring

NODES = [f"cache-{n:02}" for n in range(12)]
ZONES = [f"zone-{n % 3}" for n in range(12)]
ARMS = ["control", "blue", "green"]
SHARES = [80, 10, 10]
PROMPTS = 400
#: a call -> what came out
Form = Callable[[Any, Path], Any]


# -- a nightly shard: a node for each row, and a folder of Parquet for each node ------------------


def orders(rows: int) -> pl.DataFrame:
    users = np.random.default_rng(0).integers(0, 2_000_000, rows)
    frame = pl.DataFrame({"number": users}).with_row_index("order")
    return frame.select("order", user=pl.format("user:{}", "number"), cents=pl.col("number") % 997)


def shard_uhashring(orders: pl.DataFrame, out: Path) -> Any:
    ring = uhashring.HashRing(NODES)
    node = pl.Series([ring.get_node(user) for user in orders["user"]])
    placed = orders.with_columns(node=node)
    placed.lazy().sink_parquet(pl.PartitionBy(out, key="node"), mkdir=True)
    return placed["node"]


def shard_uhashring_cached(orders: pl.DataFrame, out: Path) -> Any:
    ring = uhashring.HashRing(NODES)
    users = orders["user"].unique()
    nodes = pl.DataFrame({"user": users, "node": [ring.get_node(user) for user in users]})
    placed = orders.join(nodes, on="user", how="left", maintain_order="left")
    placed.lazy().sink_parquet(pl.PartitionBy(out, key="node"), mkdir=True)
    return placed["node"]


def shard_modulo(orders: pl.DataFrame, out: Path) -> Any:
    number = pl.col("user").hash() % len(NODES)
    placed = orders.with_columns(node=number.replace_strict(range(12), NODES))
    placed.lazy().sink_parquet(pl.PartitionBy(out, key="node"), mkdir=True)
    return placed["node"]


def shard_rvh(orders: pl.DataFrame, out: Path) -> Any:
    nodes = rvh.NodeSet(NODES, scheme="murmur")
    placed = orders.with_columns(node=pl.col("user").rvh.select(nodes))
    placed.lazy().sink_parquet(pl.PartitionBy(out, key="node"), mkdir=True)
    return placed["node"]


def shard_rvh_ring(orders: pl.DataFrame, out: Path) -> Any:
    ring = rvh_uhashring(NODES)
    placed = orders.with_columns(node=pl.col("user").rvh.select(ring))
    placed.lazy().sink_parquet(pl.PartitionBy(out, key="node"), mkdir=True)
    return placed["node"]


# -- three replicas in three zones, and a dead node: what to copy ---------------------------------


def objects(rows: int) -> list[str]:
    return [f"object:{n}" for n in range(rows // 10)]


def _ranked(key: str) -> list[str]:
    """Nodes, best first, by the hash of node and key."""
    hashed = key.encode()
    return sorted(NODES, key=lambda node: hashlib.md5(node.encode() + hashed).digest())


def replicas_python(objects: list[str], out: Path) -> Any:
    zone = dict(zip(NODES, ZONES, strict=True))
    copies = []
    for key in objects:
        ranked, chosen = _ranked(key), {}
        for node in ranked:
            chosen.setdefault(zone[node], node)
        if "cache-05" in chosen.values():
            home = next(name for name, node in chosen.items() if node == "cache-05")
            target = next(n for n in ranked if zone[n] == home and n != "cache-05")
            source = next(node for node in chosen.values() if node != "cache-05")
            copies.append((key, source, target))
    return copies


def replicas_numpy(objects: list[str], out: Path) -> Any:
    keys, zones, dead = pl.Series(objects), np.array(ZONES), NODES.index("cache-05")
    scores = np.column_stack([keys.hash(seed=number).to_numpy() for number in range(12)])
    home, away = np.flatnonzero(zones == zones[dead]), np.flatnonzero(zones != zones[dead])
    rows = np.flatnonzero(home[scores[:, home].argmax(axis=1)] == dead)
    left = home[home != dead]
    target = left[scores[rows][:, left].argmax(axis=1)]
    source = away[scores[rows][:, away].argmax(axis=1)]
    return [keys.gather(rows), np.array(NODES)[source], np.array(NODES)[target]]


def replicas_rvh(objects: list[str], out: Path) -> Any:
    faults = FaultSet(rvh.NodeSet(NODES, scheme="murmur"), domains={"zone": ZONES})
    placed = faults.select_batch(objects, 3, "zone").nodes
    faults = faults.with_alive(faults.nodes.ids != "cache-05")
    repair = faults.repair(objects, placed, 3, "zone")
    rows, columns = np.nonzero(repair.added)
    source = placed[rows, (placed[rows] != "cache-05").argmax(axis=1)]
    return [np.array(objects)[rows], source, repair.nodes[rows, columns]]


# -- an arm of an experiment for each user --------------------------------------------------------


def users(rows: int) -> np.ndarray:
    return np.arange(rows)


def arms_hashlib(users: np.ndarray, out: Path) -> Any:
    arms = []
    for user in users.tolist():
        digest = hashlib.blake2b(f"checkout:{user}".encode(), digest_size=8).digest()
        percent = int.from_bytes(digest) % 100
        arms.append("control" if percent < 80 else "blue" if percent < 90 else "green")
    return arms


def arms_polars(users: np.ndarray, out: Path) -> Any:
    percent = pl.Series(users).hash(seed=17) % 100
    return percent.to_frame("p").select(
        pl.when(pl.col("p") < 80).then(pl.lit("control"))
        .when(pl.col("p") < 90).then(pl.lit("blue")).otherwise(pl.lit("green"))
    )  # fmt: skip


def arms_rvh(users: np.ndarray, out: Path) -> Any:
    arms = rvh.NodeSet(ARMS, weights=SHARES, scheme="murmur")
    return arms.assign(compose_keys("checkout", users))


# -- requests to replicas, by prefix, none above 1.25 shares of a window --------------------------


def requests(rows: int) -> list[str]:
    popular = 1 / np.arange(1, PROMPTS + 1)
    systems = [f"You are assistant {n} of the shop. " * 40 for n in range(PROMPTS)]
    drawn = np.random.default_rng(1).choice(PROMPTS, rows // 25, p=popular / popular.sum())
    return [systems[n][:1024] for n in drawn]


def route_python(requests: list[str], out: Path) -> Any:
    ranked: dict[str, list[str]] = {}
    chosen = []
    for start in range(0, len(requests), 1000):
        loads: dict[str, int] = defaultdict(int)
        for prefix in requests[start : start + 1000]:
            if prefix not in ranked:
                ranked[prefix] = _ranked(prefix)
            node = next(node for node in ranked[prefix] if loads[node] < 1.25 * 1000 / 12)
            loads[node] += 1
            chosen.append(node)
    return chosen


def route_rvh(requests: list[str], out: Path) -> Any:
    nodes = rvh.NodeSet(NODES, scheme="murmur")
    windows = (requests[start : start + 1000] for start in range(0, len(requests), 1000))
    return np.concatenate([assign_balanced(nodes, window, 1.25) for window in windows])


# -- running --------------------------------------------------------------------------------------

#: job -> what it reads, and its forms: a name, the function, and what it gives up
JOBS: dict[str, tuple[Callable[[int], Any], dict[str, tuple[Form, str]]]] = {
    "nightly shard": (
        orders,
        {
            "uhashring, a call a row": (shard_uhashring, ""),
            "uhashring, a call a distinct user, join": (shard_uhashring_cached, ""),
            "Polars, `hash() % 12`": (shard_modulo, "one more node moves 92% of the rows"),
            "rvh": (shard_rvh, ""),
            "rvh, the ring of uhashring": (shard_rvh_ring, ""),
        },
    ),
    "replicas, a dead node": (
        objects,
        {
            "hashlib, a loop": (replicas_python, "a second dead node; racks; weights"),
            "Polars' hash and NumPy": (replicas_numpy, "the same; nodes change with Polars"),
            "rvh": (replicas_rvh, ""),
        },
    ),
    "A/B arms": (
        users,
        {
            "hashlib, a loop": (arms_hashlib, "blue cannot grow without moving green"),
            "Polars, `hash() % 100`": (arms_polars, "the same; arms change with Polars"),
            "rvh": (arms_rvh, ""),
        },
    ),
    "prompts": (
        requests,
        {
            "a loop, first with room": (route_python, "the order of requests decides"),
            "rvh": (route_rvh, ""),
        },
    ),
}


def lines(form: Form) -> int:
    """Lines of code of a function and of the helper that it calls, without signature and blanks."""
    source = textwrap.dedent(inspect.getsource(form))
    (tree,) = ast.parse(source).body
    assert isinstance(tree, ast.FunctionDef)
    body = [line for line in source.splitlines()[tree.body[0].lineno - 1 :] if line.strip()]
    return len(body) + (2 if "_ranked(" in source else 0)


def status(name: str) -> float:
    """A figure of this process in MB."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    assert found
    return int(found[1]) / 1024


def measure(job: str, name: str, rows: int) -> dict[str, float]:
    """Run one form in this process; called in a process of its own."""
    read, forms = JOBS[job]
    given = read(rows)
    with tempfile.TemporaryDirectory() as folder:
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        before = status("VmRSS")
        start, worked = time.perf_counter(), time.process_time()
        forms[name][0](given, Path(folder, "out"))
        seconds = time.perf_counter() - start
        cpu = time.process_time() - worked
        return {"seconds": seconds, "cpu": cpu, "memory": status("VmHWM") - before}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(*options.measure, options.rows)))
        return
    print("| job | form | lines | seconds | CPU | MB | what it lacks |")
    print("|---|---|---|---|---|---|---|")
    for job, (_, forms) in JOBS.items():
        if options.only not in job:
            continue
        taken: dict[str, list[dict[str, float]]] = defaultdict(list)
        for _ in range(options.rounds):
            for name in forms:
                asked = ["--rows", str(options.rows), "--measure", job, name]
                run = subprocess.run(
                    [sys.executable, __file__, *asked], stdout=subprocess.PIPE, check=True
                )
                taken[name].append(json.loads(run.stdout))
        for name, (form, lost) in forms.items():
            seconds, cpu, memory = (
                statistics.median(each[what] for each in taken[name])
                for what in ("seconds", "cpu", "memory")
            )
            figures = f"{lines(form)} | {seconds:.2f} | {cpu:.2f} | {memory:.0f}"
            print(f"| {job} | {name} | {figures} | {lost} |", flush=True)


if __name__ == "__main__":
    main()
