"""`rvh split` and `rvh verify` against engines that partition by a node column they are given.

    pip install '.[cli,polars,duckdb]'
    python benchmarks/split.py [--rows 5000000] [--nodes 1000]

A Parquet file of events goes into one Parquet file for each node. rvh reads it, places each row and
writes; Polars (`sink_parquet`, partitioned) and DuckDB (`PARTITION_BY`) read a file that has a
column of the nodes already, and neither checks what it wrote. Each is a process of its own, with
its start; peak memory is that of the process. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import rvh
from rvh.bench.environment import processor

POLARS = """
import sys, polars as pl
pl.scan_parquet(sys.argv[1]).sink_parquet(
    pl.PartitionBy(sys.argv[2], key="node", include_key=False), mkdir=True, engine="streaming"
)
"""
DUCKDB = """
import sys, duckdb
duckdb.sql("SET enable_progress_bar = false")
duckdb.sql(f"COPY '{sys.argv[1]}' TO '{sys.argv[2]}' (FORMAT parquet, PARTITION_BY (node))")
"""
RVH = """
import sys
from rvh.cli import main
assert main(sys.argv[1:]) == 0
"""
#: not getrusage: its peak counts the process that this one was forked from
PEAK = """
import re
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


def make(folder: Path, rows: int, count: int) -> None:
    """Write the events, with and without a column of the nodes, and the list of nodes."""
    rng = np.random.default_rng(1)
    nodes = [f"cache-{n:04d}" for n in range(count)]
    (folder / "nodes.txt").write_text("".join(f"{node}\n" for node in nodes), encoding="utf-8")
    at = np.sort(rng.integers(1_700_000_000_000_000, 1_710_000_000_000_000, rows))
    kinds = np.array(["view", "click", "buy", "return"])
    table = pa.table(
        {
            "user": [f"user-{n:010x}" for n in rng.integers(0, 1 << 40, rows)],
            "at": pa.array(at, pa.timestamp("us")),
            "event": kinds[rng.integers(0, 4, rows)],
            "amount": rng.random(rows) * 100,
            "n": rng.integers(0, 1000, rows),
        }
    )
    pq.write_table(table, folder / "events.parquet")
    positions = rvh.NodeSet(nodes, scheme="murmur").argselect_batch(table["user"])[:, 0]
    placed = table.append_column("node", pa.array(nodes).take(pa.array(positions)))
    pq.write_table(placed, folder / "placed.parquet")


def run(code: str, *args: object) -> tuple[float, float, float]:
    """Seconds, seconds of processors and peak memory in MB of a process."""
    start = time.perf_counter()
    command = [sys.executable, "-c", code + PEAK, *map(str, args)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    peak = int(process.stdout.read().split()[-1])
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"a run has failed: {args}")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, peak / 1024


def size(folder: Path) -> tuple[int, float]:
    """Files below a folder, and their MB."""
    files = list(folder.rglob("*.parquet"))
    return len(files), sum(path.stat().st_size for path in files) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--nodes", type=int, default=1000)
    args = parser.parse_args()
    print(f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}: ", end="")
    print(f"{args.rows:,} rows over {args.nodes:,} nodes\n")
    print("| what | seconds | of processors | peak memory, MB | files | MB |")
    print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make(folder, args.rows, args.nodes)
        nodes = f"@{folder}/nodes.txt"
        events, placed = folder / "events.parquet", folder / "placed.parquet"
        split = ("split", events, "-qn", nodes, "-K", "user", "-o")
        verify = ("verify", "-q", folder / "rvh")
        for name, code, given in (
            ("`rvh split --scheme murmur`", RVH, (*split, folder / "rvh", "--scheme", "murmur")),
            ("`rvh verify`", RVH, verify),
            ("`rvh verify --nodes`", RVH, (*verify, "-n", nodes)),
            ("`rvh split --algorithm table`", RVH, (*split, folder / "t", "--algorithm", "table")),
            ("Polars, node column given", POLARS, (placed, folder / "polars")),
            ("DuckDB, node column given", DUCKDB, (placed, folder / "duckdb")),
        ):
            seconds, busy, memory = run(code, *given)
            out = next((each for each in reversed(given) if isinstance(each, Path)), folder)
            files, written = size(out)
            times = f"{seconds:.1f} | {busy:.1f} | {memory:,.0f}"
            print(f"| {name} | {times} | {files:,} | {written:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
