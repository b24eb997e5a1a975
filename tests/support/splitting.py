"""Folders that `rvh split` makes, and runs of it that are stopped on the way."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from commandline import halfway, interruptible

from rvh.cli.manifest import NAME

__all__ = [
    "HARD_IDS",
    "LIST",
    "NODES",
    "ONE",
    "SPLIT",
    "content",
    "hidden",
    "manifest",
    "rows_of",
    "split_by_hard_ids",
    "stopped",
    "write_keys",
]

#: ids that are hard to write as names of folders
HARD_IDS = [
    *("a/b", "x=y", "50%", "two words", " lead", "ü", "eu:1", "v.1", ".", "..", "b.", "c ", "con"),
    *("A", "a", "d+e", 'q"uote', "it's", "br[ac]k", "br{a}ce", "s*t?r", "t\tab", "n\nl", "<>|"),
    *("back\\slash", "%41", "#frag", "a&b", "日本", "null", "true", "100", "007", "2024-01-01"),
    *("~t", "$x", "a,b", ";", "^c", "`b`", "@at", "!x", "__x", "\x7f", "_", "\x00nul", "\x85x"),
]
NODES = ["a", "b", "c", "d"]
ONE = '["a"]'
LIST = ",".join(NODES)
SPLIT = ("-qK", "id", "-n", LIST)


def manifest(folder: Path) -> dict:
    return json.loads((folder / NAME).read_text(encoding="utf-8"))


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(path: Path) -> list[tuple]:
    """The rows of a file, by pyarrow or as lines."""
    if path.suffix == ".parquet":
        return [tuple(row.values()) for row in pq.ParquetFile(path).read().to_pylist()]
    if path.suffix == ".arrow":
        return [tuple(row.values()) for row in pa.ipc.open_file(path).read_all().to_pylist()]
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".ndjson":
        return [tuple(json.loads(line).values()) for line in lines]
    return [tuple(line.split(",")) for line in lines[1:]]


def write_keys(path: Path, keys: list[str]) -> None:
    table = pa.table({"id": pa.array(keys, pa.string()), "n": list(map(str, range(len(keys))))})
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".arrow":
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    elif path.suffix == ".csv":
        rows = [f"{key},{n}\n" for n, key in enumerate(keys)]
        path.write_text("id,n\n" + "".join(rows), encoding="utf-8")
    else:
        rows = [json.dumps({"id": key, "n": str(n)}) for n, key in enumerate(keys)]
        path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


def hidden(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(".rvh-")]


def stopped(number: int, folder: Path, *args: object) -> subprocess.CompletedProcess[bytes]:
    """`rvh split - ARGS`, stopped while it waits for more of its input in the middle of a run."""
    argv = interruptible("split", "-", "--format", "lines", "-n", LIST, *args)
    run = halfway(argv, lambda: hidden(folder))
    run.send_signal(number)
    _, error = run.communicate(timeout=120)
    return subprocess.CompletedProcess([], run.returncode, b"", error)


def split_by_hard_ids(folder: Path) -> Path:
    """Split 3,000 rows by the hard ids, each of which gets some; return the folder."""
    from rvh.cli import main

    write_keys(folder / "k.parquet", [f"k{n}" for n in range(3000)])
    ids = json.dumps(HARD_IDS)
    args = ["split", f"{folder}/k.parquet", "-qK", "id", "-n", ids, "-o", f"{folder}/out"]
    assert main(args) == 0
    assert len(manifest(folder / "out")["files"]) == len(HARD_IDS)
    return folder / "out"
