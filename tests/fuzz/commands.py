"""Command lines: commands with some of their options and small files, sound ones and others.

A command ends with a status of its own. Where it fails it says why in one line, and leaves every
file as it was.
"""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from fuzz import saved, tables
from fuzz.harness import workplace
from hypothesis import strategies as st

from rvh.cli import app, main
from rvh.cli.options import Algorithm

__all__ = ["CASES", "run"]

#: those that end by themselves, and whose answer does not depend on the backend
COMMANDS = [name for name in app.COMMANDS if name not in ("watch", "serve", "bench", "info")]
APART = {"--follow", "--help"}

NODE_FILES = {
    "nodes.txt": b"a\nb\nc\n",
    "nodes.csv": b"id,weight,zone,geohash,alive\na,1,x,u09t,1\nb,2.5,y,9q8y,1\nc,0,x,u0,0\n",
    "nodes.ndjson": b'{"id": "a", "zone": "x"}\n{"id": "b", "zone": "y"}\n',
    "nodes.json": b'[{"id": "a", "weight": 1}, {"id": "b", "weight": 2}]',
    "odd.csv": b"id\na\na\n",
    "odd.json": b'{"nodes": [{"id": 7}]}',
}
KEY_FILES = {
    "keys.csv": b"id,n,x\na,1,p\nb,2,q\nc,3,\n",
    "placed.csv": b"id,node_1,node_2\nx,a,b\ny,b,c\nz,c,d\n",
    "held.csv": b"id,node,sum\nx,a,1\ny,b,2\n",
    "latin.csv": b"id,n\n\xe4,1\n",
    "odd.ndjson": b'{"id": "a"}\n{"id": \n',
    "keys.txt": tables.TEXTS["txt"],
    "keys.tsv": tables.TEXTS["tsv"],
    "keys.ndjson": tables.TEXTS["ndjson"],
    "keys.csv.gz": tables.packed(b"id\na\nb\n", ".gz"),
    **{f"keys.{kind}": tables.written(kind) for kind in ("parquet", "arrow", "arrows")},
}
OTHERS = {
    "secret": b"secret\n",
    "cut.parquet": tables.written("parquet")[:-9],
    "folder/_rvh.json": saved.TARGET.seeds["folder"][0],
    "odd.state": saved.TARGET.seeds["coordinator"][0],
}
FILES = {**NODE_FILES, **KEY_FILES, **OTHERS}

#: what options take, by their last spelling; arguments by their names
NAMES = ["id", "n", "x", "node", "zone", "weight", "nothing", ""]
LISTS = [
    "a,b,c",
    "a",
    "a,a",
    "é,b",
    '["a", "b"]',
    "out.json",
    *(f"@{name}" for name in NODE_FILES),
    "@none",
    "",
]
KEYS = [*KEY_FILES, "cut.parquet", "keys.*", ".", "-", "none.csv"]
OUTS = [f"out.{end}" for end in ("csv", "tsv", "ndjson", "parquet", "arrow", "arrows", "txt")]
OUTS += ["out.csv.gz", "out.ndjson.zst", "-", "no/out.csv", "keys.csv", "out", "folder"]
COUNTS = ["1", "2", "3", "0", "-1", "4", "x", "1.5", "99999999999999999999"]
SEVERAL: list[tuple[str, list[str]]] = [
    ("-n --to --add --remove", LISTS),
    ("keys held", KEYS),
    ("-o --copies --moves", OUTS),
    ("-c --count --threads --max-per-domain --step --precision --level --sample --total", COUNTS),
    ("--cache --generation --steps --rounds step epoch", COUNTS),
    ("-K --column --node-column --weight-column --zone-column --rank-column", NAMES),
    ("--size-column --spread --checksum-column", NAMES),
    ("--node-geohash --key-geohash --at", ["u09t", "geohash", "a", ""]),
    ("--format --node-format --output-format", ["csv", "ndjson", "tsv", "lines", "arrow", "x"]),
    ("source --state", ["nodes.json", "nodes.csv", "odd.json", "none", "-"]),
    ("node worker --dead", ["a", "w", "é", "", "-1", "x" * 99]),
]
VALUES: dict[str, list[str]] = {
    **{name: values for names, values in SEVERAL for name in names.split()},
    "--scheme": ["blake2b", "murmur", "x"],
    "--algorithm": [*Algorithm, "x"],
    "--integers": ["text", "int64_le", "contract", "x"],
    "--secret-file": ["secret", "none", "nodes.txt", "-"],
    "--types": ["int", "string", "int,string", "x", ""],
    "--hash-tag": ["{}", "{", ""],
    "--partitions": ["16", "7", "0", "x"],
    "state": ["state", "odd.state", "none", "keys.csv"],
    "placed": ["placed.csv", "held.csv", "keys.csv", "none"],
    "folder": ["folder", "keys.csv", "none", ""],
    "--name": ["a", "1", "é", "", "-1", "99999999999999999999"],
    "--key-type": ["auto", "text", "int", "bytes", "uuid", "x"],
    "--null-keys": ["error", "skip", "empty", "x"],
    "--delimiter": [",", ";", "\\t", "", "ab", "\n"],
    "--quote": ["csv", "none", "x"],
    "--encoding": ["utf-8", "latin-1", "utf-16", "x", "rot13", "idna"],
    "--hash": ["md5", "crc32", "murmur2", "x"],
    "--where": ["zone=x", "zone=nothing", "alive", "weight>=1", "=", "near=u0", ""],
    "--hive": ["auto", "no", "yes", "zone=text", "x"],
    "--compression": ["gzip", "zstd", "none", "snappy", "x"],
    "--layout": ["hive", "files", "x"],
    "--load-factor": ["1.05", "1", "0.5", "nan", "x", "-1"],
    "--replication": ["1", "x:1", "{}", "x"],
    "--routing-shards": ["4", "3", "0"],
    "--set-weight": ["a=2", "a=x", "a", "=1", "é=0"],
    "--size": ["10", "1MB", "x", "-1"],
    "--bandwidth": ["1MB/s", "10", "x", "0"],
    "--html": ["out.html", "no/out.html", ""],
    "--misplaced": ["keep", "move", "x"],
    "--copies-format": ["csv", "x"],
    "--cache-policy": ["lru", "arc", "x"],
    "--weigh": ["stake", "rtt", "x"],
    "--exponent": ["rtt=-1", "x", "rtt=nan"],
    "--bounds": ["0.5,2", "2,1", "x"],
    "--timeout": ["1", "0", "x"],
    "--every": ["1", "0"],
    "--smooth": ["rtt", "x", ""],
    "--min-nodes": ["1", "9", "x"],
    "--max-change": ["0.5", "2", "x"],
    "progress": ["0.5", "1/3", "2", "x", "nan"],
}
#: what most commands need
NEEDED = {"-n", "-o", "-K", "--name", "-q", "--add", "--steps"}


@cache
def parameters(name: str) -> tuple[Any, ...]:
    return tuple(app.command([*name.split()]).commands[name].params)


class Case(NamedTuple):
    """The arguments of a command line, perhaps after one that begins a migration."""

    argv: list[str]
    begun: bool = False


@st.composite
def value(draw: st.DrawFn, spelling: str) -> str:
    """A value of an option; the first ones, which are sound, most often."""
    values = VALUES.get(spelling) or VALUES[spelling.replace("--to-", "--")]
    return values[min(draw(st.integers(0, len(values) - 1)) for _ in range(3))]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from([*COMMANDS, *("assign", "plan", "split", "repair", "select") * 3]))
    argv = name.split()
    for each in parameters(name):
        spelling = each.opts[-1]
        if each.param_type_name == "argument":
            argv += [
                draw(value(spelling))
                for _ in range(draw(st.sampled_from([1, 1, 1, 2] if each.nargs == -1 else [1])))
            ]
        elif spelling not in APART and (draw(st.integers(0, 29)) == 29) != (spelling in NEEDED):
            argv.append(each.opts[0])
            if not each.is_flag:
                argv[-1] = f"{spelling}=" if spelling.startswith("--") else spelling
                argv[-1] += draw(value(spelling))
    return Case(argv, "migrate" in argv and draw(st.booleans()))


CASES = cases()


def run(case: Case) -> Any:
    """Run a command line in a folder of small files; its status, what it said, what it wrote."""
    with workplace() as here:
        for name, data in FILES.items():
            (here / name).parent.mkdir(exist_ok=True)
            (here / name).write_bytes(data)
        if case.begun:
            said = called(["migrate", "plan", "state", "-n", "a,b", "--add=c", "--steps=4"])
            assert said[0] == 0, said
        before = files_in(here)
        code, out, error = called(case.argv)
        after = files_in(here)
        assert code in (0, 1, 2, 3), (code, error)
        assert "Traceback" not in error, error
        if code in (1, 2):
            assert all(line.startswith("rvh: ") for line in error.splitlines()), error
            if case.argv[0] != "verify" and "verify" not in case.argv:
                assert error.count("\n") == 1, error
            assert after == before, (error, after.keys() ^ before.keys())
        assert not [name for name in after if name.endswith(".part")]
        return code, out, error, {name: after[name] for name in after if name not in before}


def called(argv: list[str]) -> tuple[int, bytes, str]:
    """`rvh ARGV` in this process, with nothing on stdin."""
    out, error = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    stdin = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO())
    try:
        with redirect_stdout(out), redirect_stderr(error):
            code = main(argv)
    finally:
        sys.stdin = stdin
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    return int(code), out.buffer.getvalue(), error.getvalue()


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for each in sorted(folder.rglob("*"))
        if each.is_file()
    }
