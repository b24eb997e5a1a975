"""All that writes files: commands and calls of the library, each in a process forked for it.

A process that has loaded everything is forked for each run, which takes milliseconds, so that disks
fill up and kills come at many moments. Keep gRPC out of it: it does not survive forks.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

import rvh
from rvh.cli import main
from rvh.membership import NodeMeta, Publisher
from rvh.membership.sources.file import FileSource
from rvh.migration import Coordinator, Migration
from rvh.partitions import PartitionTable
from rvh.report import write_report

__all__ = ["ROWS", "WRITERS", "Writer", "child", "content", "outcome", "prepare"]

#: rows of the input: hashes, which no compression makes much smaller
ROWS = 4000
NODES = "a,b,c,d"
OLD, NEW = rvh.NodeSet(["a", "b", "c"]), rvh.NodeSet(["b", "c", "d"])
STEPS = 1500


class Writer(NamedTuple):
    """What writes files into a folder.

    Parameters
    ----------
    run : callable
        Takes the folder and writes; its result is a status, as of a command.
    names : tuple of str
        The files and folders that it writes: an error names one of them.
    before : callable, optional
        Makes what is there before, by default files of something else.
    is_same : callable, optional
        What two whole files have in common, by default all.
    """

    run: Callable[[Path], Any]
    names: tuple[str, ...]
    before: Callable[[Path], Any] | None = None
    is_same: Callable[[bytes], Any] = bytes

    def begin(self, folder: Path) -> None:
        """Make what is there before."""
        if self.before is not None:
            self.before(folder)
            return
        for name in self.names:
            (folder / name).write_bytes(b"what was there before\n" * 300)


def prepare(folder: Path) -> None:
    """Write the inputs into a folder, which becomes the current one."""
    os.chdir(folder)
    keys = [hashlib.sha256(b"%d" % n).hexdigest() for n in range(ROWS)]
    Path("k.csv").write_text("id,n\n" + "".join(f"{key},{n}\n" for n, key in enumerate(keys)))
    Path("few.csv").write_text("id,n\n" + "".join(f"{key},{n}\n" for n, key in enumerate(keys[:9])))
    pq.write_table(pa.table({"id": keys, "n": range(ROWS)}), "k.parquet")
    Path("nodes.json").write_text(
        json.dumps({"nodes": [{"id": f"node{n}", "capacity": n + 1} for n in range(400)]})
    )
    for argv in (
        ("assign", "k.csv", "-qK", "id", "-n", NODES, "-c", "2", "-o", "placed.csv"),
        ("migrate", "plan", "state.json", "-n", "a,b,c", "--to", "b,c,d", "--steps", STEPS),
        ("migrate", "plan", "state2.json", "-n", "a,b,c", "--to", "b,c,d", "--steps", STEPS),
        ("migrate", "workers", "state2.json", "w"),
        *(
            ("migrate", *step)
            for n in (1, 2)
            for step in (("acknowledge", "state2.json", "w", n), ("advance", "state2.json"))
        ),
        ("migrate", "acknowledge", "state2.json", "w", 3),
    ):
        assert command(*argv) == 0, argv


def command(*argv: object) -> int:
    return main([*map(str, argv)])


def rows(*argv: str) -> Callable[[Path], int]:
    """A command; OUT in it is the folder."""
    return lambda folder: command(*(each.replace("OUT", str(folder)) for each in argv))


def assigned(name: str, *more: str) -> Writer:
    return Writer(
        rows("assign", "k.csv", "-qK", "id", "-n", NODES, "-o", f"OUT/{name}", *more), (name,)
    )


def split(name: str, *more: str) -> Writer:
    argv = ("split", "k.csv", "-qK", "id", "-n", NODES, "-o", f"OUT/{name}", *more)
    # An old folder is not replaced: an empty one is, and what is added to is as it was.
    first = rows("split", "few.csv", "-qK", "id", "-n", NODES, "-o", f"OUT/{name}")
    return Writer(
        rows(*argv),
        (name,),
        first if "--append" in more else (lambda folder: (folder / name).mkdir()),
    )


def state(folder: Path) -> None:
    shutil.copy("state.json", folder)


def in_copying(folder: Path) -> None:
    shutil.copy("state2.json", folder / "state.json")


def publisher(folder: Path) -> Publisher:
    return Publisher(
        str(folder / "out.json"), weigh=["capacity"], smooth=["rtt"], state=folder / "state.json"
    )


def publish(folder: Path) -> None:
    publisher(folder).publish([NodeMeta(f"n{each}", capacity=1.0 + each) for each in range(200)])


def published_once(folder: Path) -> None:
    publisher(folder).publish([NodeMeta("first", capacity=1.0)])


def coordinate(folder: Path) -> None:
    made = Coordinator.resume(Migration(OLD, NEW), folder / "state.json")
    made.workers([f"worker{n}" for n in range(600)])


def coordinated(folder: Path) -> None:
    Coordinator(Migration(OLD, NEW), STEPS, folder / "state.json")


def estimate() -> Any:
    return Migration(OLD, NEW).estimate(range(3000))


WRITERS = {
    **{
        f"assign {name}": assigned(name)
        for name in (
            *("out.csv", "out.tsv", "out.ndjson", "out.parquet", "out.arrow", "out.arrows"),
            *("out.csv.gz", "out.csv.bz2", "out.csv.xz", "out.csv.zst", "out.ndjson.gz"),
        )
    },
    "repair": Writer(
        rows(
            *("repair", "placed.csv", "-qK", "id", "-n", NODES, "--dead", "b"),
            *("-o", "OUT/new.csv", "--copies", "OUT/copies.parquet"),
        ),
        ("new.csv", "copies.parquet"),
    ),
    "plan --moves": Writer(
        rows(
            *("plan", "k.csv", "-qK", "id", "-n", "a,b,c", "--to", "d,e,f"),
            *("--moves", "OUT/moves.csv", "--json"),
        ),
        ("moves.csv",),
    ),
    "migrate plan": Writer(
        rows(
            *("migrate", "plan", "OUT/new.json", "-n", "a,b,c", "--to", "b,c,d"),
            *("--steps", str(STEPS)),
        ),
        ("new.json",),
        lambda folder: None,
    ),
    "migrate workers": Writer(
        rows("migrate", "workers", "OUT/state.json", *(f"worker{n}" for n in range(600))),
        ("state.json",),
        state,
    ),
    "migrate keys": Writer(
        rows("migrate", "keys", "state2.json", "k.csv", "-qK", "id", "-o", "OUT/copies.csv"),
        ("copies.csv",),
    ),
    "migrate finish": Writer(
        rows("migrate", "finish", "OUT/state.json", "0-19"),
        ("state.json",),
        in_copying,
        is_same=lambda data: json.loads(data).keys(),  # each step is noted by itself
    ),
    "split hive": split("parts", "--layout", "hive"),
    "split files": split("parts", "--layout", "files", "--output-format", "parquet"),
    "split --append": split("parts", "--append"),
    "bench": Writer(
        rows("bench", "--rounds", "1", "--only", "table/lookup-n1024-k1", "-o", "OUT/figures.csv"),
        ("figures.csv",),
        is_same=lambda data: data.count(b"\n"),  # the figures differ
    ),
    "PartitionTable.save": Writer(
        lambda folder: PartitionTable(NODES.split(","), 65536).save(folder / "table.npz"),
        ("table.npz",),
    ),
    "write_report": Writer(
        lambda folder: write_report(estimate(), folder / "report.html"), ("report.html",)
    ),
    "Coordinator": Writer(coordinate, ("state.json",), coordinated),
    "Publisher": Writer(publish, ("out.json", "state.json"), published_once),
    "FileSource.accept": Writer(
        lambda folder: asyncio.run(FileSource(str(folder / "in.json")).accept("0" * 64)),
        ("in.json.accepted",),
    ),
}


def content(folder: Path) -> dict[str, bytes | None]:
    """All below a folder; None for a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def child(run: Callable[[], Any]) -> tuple[int, int]:
    """Fork a process that runs something; return its id, and the pipe that its stderr goes to."""
    reading, writing = os.pipe()
    number = os.fork()
    if number:
        os.close(writing)
        return number, reading
    status = 70  # of what should not be: an error that is neither an OSError nor an RVHError
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(writing, 2)
        try:
            status = run() or 0
        except (OSError, rvh.RVHError) as error:
            os.write(2, f"rvh: {error}\n".encode())
            status = 1
        except BaseException:
            os.write(2, traceback.format_exc().encode())
    finally:
        sys.stderr.flush()
        os._exit(status)


def outcome(number: int, reading: int) -> tuple[int, str]:
    """The status of a child (-N if signal N ended it), and what it said on stderr."""
    with open(reading, encoding="utf-8") as errors:
        said = errors.read()
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), said
