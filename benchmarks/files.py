"""`rvh assign` from file to file, against Polars that reads, adds rvh's column, and writes.

    pip install '.[cli,polars]'
    python benchmarks/files.py [--rows 1000000] [--rounds 5] [--only csv/flights]

One core: the process is bound to one, and Polars has one thread. 12 nodes, `murmur`, so that the
files are what takes the time, in seconds of the processor. Both run in this process, and what
`rvh assign` takes for one row is subtracted, so that no start-up counts. Each row is the median
over rounds in which both run one after the other. Polars reads eagerly or streams, whichever is
faster, and every value of CSV as text, as rvh does; both write Parquet with the input's codec. The
last rows are rvh alone: compressed text against plain. Prints Markdown.
"""

from __future__ import annotations

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # read when Polars is imported
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])  # before any pool of threads is made

import argparse
import contextlib
import importlib.metadata
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import rvh
import rvh.cpu
from rvh.bench.environment import processor
from rvh.cli import main as command_line
from rvh.integrations import polars as _registered  # noqa: F401  (the namespace)

NODES = [f"cache-{n:02d}" for n in range(12)]
NODE_SET = rvh.NodeSet(NODES, scheme="murmur")
PLACED = pl.col("key").rvh.select(NODE_SET, threads=1).alias("node")
FORMATS = ("csv", "ndjson", "parquet")


# -- the data ----------------------------------------------------------------------------------


def flights(rows: int, random: np.random.Generator) -> dict[str, Any]:
    """Numbers, dates and short codes, some of them missing."""
    day = np.datetime64("2013-01-01") + random.integers(0, 365, rows)
    missing = random.random(rows) < 0.03
    air_time = pl.Series(random.integers(20, 700, rows)).to_frame("air_time")
    return {
        "key": np.char.add("N", random.integers(10_000, 99_999, rows).astype("U5")),
        "year": np.full(rows, 2013),
        "month": random.integers(1, 13, rows),
        "dep_time": random.integers(0, 2400, rows),
        "dep_delay": np.round(random.normal(12, 40, rows), 1),
        "carrier": random.choice(["UA", "AA", "B6", "DL", "EV"], rows),
        "flight": random.integers(1, 6000, rows),
        "origin": random.choice(["EWR", "LGA", "JFK"], rows),
        "air_time": air_time.select(pl.when(pl.Series(~missing)).then("air_time")).to_series(),
        "day": day,
        "canceled": missing,
    }


def text(rows: int, random: np.random.Generator) -> dict[str, Any]:
    """A long text in each row, not all of it ASCII."""
    words = ["rendezvous", "hashing", "naïve", "of", "the", "東京", "node", "key", "in", "a"]
    few = [" ".join(random.choice(words, 30)) for _ in range(1000)]
    return {
        "key": np.char.add("doc-", np.arange(rows).astype("U8")),
        "body": random.choice(few, rows),
        "language": random.choice(["en", "fr", "ja"], rows),
    }


def quotes(rows: int, random: np.random.Generator) -> dict[str, Any]:
    """Values that need quotes in CSV and escapes in JSON."""
    some = ['said "no", twice', "plain", "two\nlines", "back\\slash", "comma, in it", ""]
    return {
        "key": np.char.add("user:", random.integers(0, 10**6, rows).astype("U7")),
        "said": random.choice(some, rows),
        "path": random.choice(["C:\\new", "/usr/bin", '"quoted"'], rows),
        "n": np.arange(rows),
    }


def nulls(rows: int, random: np.random.Generator) -> dict[str, Any]:
    """Wide and mostly empty."""
    made: dict[str, Any] = {"key": np.char.add("id", np.arange(rows).astype("U8"))}
    for n in range(12):
        values = pl.Series(random.integers(0, 10**9, rows))
        kept = pl.Series(random.random(rows) < 0.2)
        kind = (pl.Int64, pl.Float64, pl.String)[n % 3]
        made[f"value_{n}"] = pl.select(pl.when(kept).then(values.cast(kind))).to_series()
    return made


KINDS = {each.__name__: each for each in (flights, text, quotes, nulls)}


def write_inputs(folder: Path, kind: str, rows: int) -> None:
    frame = pl.DataFrame(KINDS[kind](rows, np.random.default_rng(1)))
    frame.write_csv(folder / f"{kind}.csv")
    frame.write_ndjson(folder / f"{kind}.ndjson")
    frame.write_parquet(folder / f"{kind}.parquet", compression="snappy")


# -- the two sides -----------------------------------------------------------------------------


def ours(source: Path, out: Path) -> Callable[[], object]:
    args = ["assign", str(source), "-K", "key", "-n", ",".join(NODES), "--scheme", "murmur"]
    args += ["--threads", "1", "-q", "-o", str(out)]

    def run() -> None:
        if command_line(args):
            raise SystemExit(f"rvh {' '.join(args)} failed")

    return run


def theirs(source: Path, out: Path) -> list[Callable[[], object]]:
    """Polars, eager and streaming."""
    if source.suffix == ".csv":
        return [
            lambda: pl.read_csv(source, infer_schema=False).with_columns(PLACED).write_csv(out),
            lambda: pl.scan_csv(source, infer_schema=False).with_columns(PLACED).sink_csv(out),
        ]
    if source.suffix == ".ndjson":
        return [
            lambda: pl.read_ndjson(source).with_columns(PLACED).write_ndjson(out),
            lambda: pl.scan_ndjson(source).with_columns(PLACED).sink_ndjson(out),
        ]
    codec: Any = "snappy"
    return [
        lambda: pl.read_parquet(source).with_columns(PLACED).write_parquet(out, compression=codec),
        lambda: pl.scan_parquet(source).with_columns(PLACED).sink_parquet(out, compression=codec),
    ]


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def compared(runs: list[Callable[[], object]], rounds: int) -> list[list[float]]:
    """The seconds of each run in each round, after one that does not count."""
    for run in runs:
        run()
    return [[seconds(run) for run in runs] for _ in range(rounds)]


def start_up(folder: Path) -> float:
    """The seconds of `rvh assign` for one row."""
    source = folder / "one.csv"
    source.write_text("key\na\n", encoding="utf-8")
    return statistics.median(seconds(ours(source, folder / "out.csv")) for _ in range(9))


def table(folder: Path, rows: int, rounds: int, chosen: Callable[[str], bool]) -> Iterator[str]:
    start = start_up(folder)
    yield "| files | Polars + rvh, s | rvh assign, s | rvh / Polars |\n|---|---|---|---|"
    for kind in KINDS:
        names = [f"{name}/{kind}" for name in FORMATS if chosen(f"{name}/{kind}")]
        if names:
            write_inputs(folder, kind, rows)
        for name in names:
            source = folder / f"{kind}.{name.partition('/')[0]}"
            out = folder / f"out{source.suffix}"
            times = compared([ours(source, out), *theirs(source, out)], rounds)
            factor = statistics.median((each[0] - start) / min(each[1:]) for each in times)
            us = statistics.median(each[0] - start for each in times)
            them = statistics.median(min(each[1:]) for each in times)
            yield f"| {name} | {them:.2f} | {us:.2f} | {factor:.2f} |"
    packed = [end for end in (".gz", ".zst", ".bz2") if chosen(f"csv{end}")]
    if packed:
        yield "\n| written | .csv, s | compressed, s | ratio | size |\n|---|---|---|---|---|"
        write_inputs(folder, "flights", rows)
    for end in packed:
        source, plain = folder / "flights.csv", folder / "out.csv"
        out = folder / f"out.csv{end}"
        times = compared([ours(source, plain), ours(source, out)], rounds)
        plain_s, packed_s = (statistics.median(each) - start for each in zip(*times, strict=True))
        factor = statistics.median((b - start) / (a - start) for a, b in times)
        size = out.stat().st_size / plain.stat().st_size
        yield f"| csv{end} | {plain_s:.2f} | {packed_s:.2f} | {factor:.2f} | {size:.1%} |"


def versions() -> Iterator[str]:
    for package in ("polars", "pyarrow", "isal"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            yield f"{package} {importlib.metadata.version(package)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", help="csv/flights, csv.gz ... [default: all]")
    options = parser.parse_args()
    print(
        f"{processor()}, instruction set {rvh.cpu.active()}, Python {platform.python_version()}, "
        f"{', '.join(versions())}, {options.rows:,} rows, median of {options.rounds}\n"
    )

    def chosen(name: str) -> bool:
        return options.only is None or name in options.only

    with tempfile.TemporaryDirectory() as folder:
        for line in table(Path(folder), options.rows, options.rounds, chosen):
            print(line, flush=True)


if __name__ == "__main__":
    main()
