"""Arrow and Parquet files with damaged bytes: an error or an answer, never the end of the process.

Each test is one process that runs the command line many times: a segmentation fault ends it, and
the last case that it printed is the one that did it.
"""

from __future__ import annotations

import sys

import pyarrow as pa
import pytest
from sizes import LARGE, examples

PREAMBLE = r"""
import contextlib, io, os, random, struct, sys
import pyarrow as pa, pyarrow.parquet as pq
from rvh.cli import main

KEYS = [f"key{n}" for n in range(60)]

def whole(kind):
    table = pa.table({
        "id": KEYS,
        "large": pa.array(KEYS, pa.large_string()),
        "raw": pa.array([key.encode() for key in KEYS]),
        "view": pa.array(KEYS, pa.string_view()),
        "word": pa.array(KEYS).dictionary_encode(),
        "list": pa.array([[1, 2], None] * 30),
        "struct": pa.array([{"a": 1, "b": ["x"]}] * 60),
        "map": pa.array([[("k", 1)]] * 60, pa.map_(pa.string(), pa.int64())),
    })
    sink = io.BytesIO()
    if kind == "parquet":
        table = table.drop_columns(["view"])
        pq.write_table(table, sink, compression="none")
    else:
        make = pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream
        with make(sink, table.schema) as file:
            file.write_table(table, 25)
    return sink.getvalue()

def run(kind, data, what):
    print(what, flush=True)
    name = f"bad.{kind}"
    with open(name, "wb") as file:
        file.write(data)
    with open("k.txt", "w") as file:
        file.write("a\nb\n")
    codes = []
    for args in (
        ["assign", name, "-n", "a,b", "-K", "id", "-qo", "out.arrow"],
        ["assign", name, "-n", "a,b", "-K", "word,id", "-qo", "out.ndjson"],
        ["assign", name, "-n", "a,b", "-K", "id", "-qo", "out.parquet"],
        ["assign", "k.txt", "-n", "@" + name, "-qo", "out.txt"],
    ):
        error = io.StringIO()
        with contextlib.redirect_stderr(error):
            code = main(args)
        assert code in (0, 1), (code, error.getvalue())
        assert error.getvalue().count("\n") == code, error.getvalue()
        codes.append(code)
    assert not [each for each in os.listdir() if each.endswith(".part")]
    return codes
"""

OFFSETS = r"""
data = whole(KIND)
start = struct.pack("<3i", 0, 4, 8)
places = [at for at in range(0, len(data), 4) if data[at:at + 12] == start]
assert len(places) >= 2, places  # the offsets of columns of text, in each batch
places = places[:PLACES]
for at in places:
    for wrong in (2**31 - 1, -2**31, 10**6, 3):
        for step in (0, 20, 25 * 4):
            bad = bytearray(data)
            bad[at + step:at + step + 4] = struct.pack("<i", wrong)
            codes = run(KIND, bad, (at, wrong, step))
            if wrong != 3 and step == 20:
                assert codes[0] == 1
"""

RANDOM = r"""
random.seed(SEED)
good = whole(KIND)
assert run(KIND, good, "whole")[0] == 0
failed = 0
for case in range(CASES):
    bad = bytearray(good)
    for _ in range(random.choice([1, 2, 6])):
        at = random.randrange(len(bad))
        if random.random() < 0.5:
            bad[at] ^= 1 << random.randrange(8)
        else:
            bad[at:at + 4] = random.choice([b"\xff\xff\xff\x7f", b"\xff" * 4, bytes(4)])
    failed += any(run(KIND, bad, case))
assert failed
"""


def run_script(spawn, tmp_path, script: str) -> None:
    done = spawn(argv=[sys.executable, "-c", PREAMBLE + script], cwd=tmp_path)
    assert done.code == 0, (done.out[-200:], done.err[-2000:])


@pytest.mark.parametrize("kind", ["arrow", "arrows"])
def test_offsets_that_point_anywhere(spawn, tmp_path, kind):
    run_script(spawn, tmp_path, f"KIND, PLACES = {kind!r}, {2 if LARGE else 1}{OFFSETS}")


@pytest.mark.parametrize("kind", ["arrow", "arrows", "parquet"])
@pytest.mark.parametrize("seed", [1])
def test_any_bytes(spawn, tmp_path, kind, seed):
    run_script(spawn, tmp_path, f"KIND, SEED, CASES = {kind!r}, {seed}, {examples(30)}{RANDOM}")


def test_a_size_that_no_memory_has(fails, tmp_path):
    """A stream says how long its messages are; this one has 1008 bytes, and says 2^46."""
    path = tmp_path / "k.arrows"
    with pa.ipc.new_stream(path, pa.schema({"id": pa.string()})) as stream:
        stream.write_batch(pa.record_batch({"id": ["a" * 1000]}))
    data, size = path.read_bytes(), (1008).to_bytes(8, "little")
    assert data.count(size) == 1
    path.write_bytes(data.replace(size, (2**46).to_bytes(8, "little")))
    message = fails("assign", path, "-n", "a,b", "-K", "id", "-o", tmp_path / "out.csv")
    assert message.startswith(f"{path}: ")
