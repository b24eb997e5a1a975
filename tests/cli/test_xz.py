"""Files of xz: what the program `xz` writes is read, and what is written it reads."""

from __future__ import annotations

import lzma
import random
import shutil
import subprocess

import pytest

import rvh

NODES = ["n1", "n2", "n3"]
KEYS = [f"key {random.Random(n).random()}" for n in range(50_000)]
TEXT = "".join(f"{key}\n" for key in KEYS).encode()
ANSWER = "".join(
    f"{key}\t{node}\n" for key, node in zip(KEYS, rvh.select_batch(NODES, KEYS)[:, 0], strict=True)
).encode()

needs_xz = pytest.mark.skipif(shutil.which("xz") is None, reason="this system has no xz")


def xz(data: bytes, *args: str) -> bytes:
    return subprocess.run(["xz", *args], input=data, capture_output=True, check=True).stdout


def halves(*between: bytes) -> bytes:
    at = TEXT.index(b"\n", len(TEXT) // 2) + 1
    return xz(TEXT[:at]) + b"".join(between) + xz(TEXT[at:], "--check=sha256")


@needs_xz
@pytest.mark.parametrize(
    "make",
    [
        lambda: xz(TEXT),
        lambda: xz(TEXT, "-0", "--check=none"),
        lambda: xz(TEXT, "-T2", "--block-size=100000"),
        lambda: halves(),
        lambda: halves(bytes(4)),
        lambda: halves(bytes(200_000)) + bytes(512),
        lambda: xz(b"") + xz(TEXT) + xz(b""),
    ],
    ids=["one", "no check", "blocks", "streams", "padded", "far apart", "empty streams"],
)
def test_what_xz_writes(call, tmp_path, make):
    keys, out = tmp_path / "keys.txt.xz", tmp_path / "out.txt"
    keys.write_bytes(make())
    result = call("assign", keys, "-qn", ",".join(NODES), "-o", out)
    assert (result.code, result.err) == (0, "")
    assert out.read_bytes() == ANSWER


@needs_xz
def test_xz_reads_what_is_written(call, tmp_path):
    keys, out = tmp_path / "keys.txt", tmp_path / "out.txt.xz"
    keys.write_bytes(TEXT)
    assert call("assign", keys, "-qn", ",".join(NODES), "-o", out).code == 0
    assert xz(out.read_bytes(), "-dc") == ANSWER
    assert call("assign", out, "-qn", ",".join(NODES), "-o", tmp_path / "again.csv").code == 0


PACKED = lzma.compress(TEXT)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (TEXT, "is empty or not xz-compressed: drop .xz from its name"),
        (b"", "is empty or not xz-compressed"),
        (PACKED[:-1], "its xz data ends too early: it is truncated"),
        (PACKED[:1000], "its xz data ends too early: it is truncated"),
        (PACKED + PACKED[:100], "its xz data ends too early: it is truncated"),
        (PACKED + b"more", "after its xz data there is something else"),
        (PACKED + bytes(3), "after its xz data there is something else"),
        (PACKED[:90] + b"\xff" * 30 + PACKED[120:], "its xz data is damaged"),
        (PACKED[:-20] + b"\xff" * 4 + PACKED[-16:], "its xz data is damaged"),
    ],
    ids=["plain", "empty", "end", "start", "second", "more", "padding", "body", "footer"],
)
def test_what_is_not_whole(fails, tmp_path, data, message):
    keys = tmp_path / "keys.txt.xz"
    keys.write_bytes(data)
    error = fails("assign", keys, "-n", "n1,n2", "-o", tmp_path / "out.txt")
    assert message in error
    assert str(keys) in error
    assert not (tmp_path / "out.txt").exists()


@needs_xz
def test_the_advice_about_what_follows_works(call, fails, spawn, tmp_path):
    keys = tmp_path / "keys.txt.xz"
    keys.write_bytes(PACKED + b"more")
    error = fails("assign", keys, "-n", "n1,n2", "-o", tmp_path / "out.txt")
    program = error.partition("pipe it through ")[2].split()
    assert subprocess.run([*program, keys], capture_output=True, check=False).stdout == TEXT


def test_a_file_that_is_not_named_so(fails, tmp_path):
    keys = tmp_path / "keys.txt"
    keys.write_bytes(PACKED)
    error = fails("assign", keys, "-n", "n1,n2", "-o", tmp_path / "out.txt")
    assert "is xz-compressed, not lines: decompress it (xz -dc), or name it .xz" in error


def test_nodes_in_xz(call, tmp_path):
    nodes = tmp_path / "nodes.csv.xz"
    nodes.write_bytes(lzma.compress(b"id\n" + "\n".join(NODES).encode()))
    result = call("select", "-n", f"@{nodes}", "-k", "obj")
    assert result.out.decode() == f"{rvh.rendezvous_hash(NODES, 'obj')}\n"
