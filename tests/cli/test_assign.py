"""`rvh assign` beside its formats: keys, pipes, what it shows, what an unfinished run leaves."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import PEAK, command, environment, halfway, interruptible, once
from sizes import some

import rvh
from rvh._tables import compression_of, format_of
from rvh._tables.source import Source
from rvh.keys import composite

NODES = ["n1", "n2", "n3", "n4"]
LIST = ",".join(NODES)
ROWS = [("UA", 1545, "é"), ("AA", -3, ""), ("B6", 2**40, "x,y"), ("", 0, "0"), ("UA", 1, "é")]
TABLE = pa.table(list(map(list, zip(*ROWS, strict=True))), names=["carrier", "flight", "tail"])


@pytest.fixture
def parquet(tmp_path):
    path = tmp_path / "keys.parquet"
    pq.write_table(TABLE, path)
    return path


def nodes_of(path: Path) -> list[str]:
    return [json.loads(line)["node"] for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    "columns",
    [["-K", "tail,carrier,flight"], ["-K", "tail", "--key-column", "carrier", "-K", "flight"]],
)
@pytest.mark.parametrize("key_type", ["auto", "text"])
def test_composite_keys(call, tmp_path, parquet, columns, key_type):
    out = tmp_path / "out.ndjson"
    args = ["assign", parquet, "-n", LIST, *columns, "--key-type", key_type, "-o", out]
    assert call(*args).code == 0
    number = int if key_type == "auto" else str
    keys = [composite(tail, carrier, number(flight)) for carrier, flight, tail in ROWS]
    assert nodes_of(out) == rvh.select_batch(NODES, keys)[:, 0].tolist()


@pytest.mark.parametrize("name", ["keys.csv", "keys.ndjson", "keys.parquet"])
@pytest.mark.parametrize("key_type", ["auto", "text", "int"])
def test_key_types(call, tmp_path, name, key_type):
    numbers = [7, -8, 2**63 - 1, 0, *range(30)]
    keys, out = tmp_path / name, tmp_path / "out.ndjson"
    if name.endswith("csv"):
        keys.write_text("id\n" + "".join(f"{n:+05d}\n" for n in numbers), encoding="utf-8")
        plain = [f"{n:+05d}" for n in numbers]
        expected = numbers if key_type == "int" else plain
    else:
        if name.endswith("ndjson"):
            keys.write_text("".join(f'{{"id": {n}}}\n' for n in numbers), encoding="utf-8")
        else:
            pq.write_table(pa.table({"id": numbers}), keys)
        expected = [str(n) for n in numbers] if key_type == "text" else numbers
    assert call("assign", keys, "-n", LIST, "--key-type", key_type, "-o", out).code == 0
    assert nodes_of(out) == rvh.select_batch(NODES, expected)[:, 0].tolist()


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", "b", "a"], pa.large_string()),
        pa.array(["a", "b", "a"], pa.string_view()),
        pa.array(["a", "b", "a"]).dictionary_encode(),
        pa.array([b"a", b"\xff\x00", b""]),
        pa.array([b"aa", b"b\x00", b"\x00\x00"], pa.binary(2)),
        pa.array([1, -2, 3], pa.int8()),
        pa.array([1, 2, 2**64 - 1], pa.uint64()),
    ],
    ids=lambda column: str(column.type),
)
def test_keys_of_every_arrow_type(call, tmp_path, column):
    keys, out = tmp_path / "keys.arrows", tmp_path / "out.arrow"
    table = pa.table({"id": column, "n": [1, 2, 3]})
    with pa.ipc.new_stream(str(keys), table.schema) as stream:
        stream.write_table(table)
    assert call("assign", keys, "-n", LIST, "-K", "id", "-k", "2", "-o", out).code == 0
    answers = rvh.select_batch(NODES, column.to_pylist(), 2).T.tolist()
    back = pa.ipc.open_file(str(out)).read_all().drop_columns(["n"]).to_pydict()
    assert back == {
        "id": column.to_pylist(),
        "node_1": answers[0],
        "node_2": answers[1],
    }


def test_a_sliced_column_is_read_from_its_start(call, tmp_path):
    keys, out = tmp_path / "keys.arrow", tmp_path / "out.csv"
    table = pa.table({"id": [f"k{n}" for n in range(100)], "more": [f'"{n}' for n in range(100)]})
    with pa.ipc.new_file(str(keys), table.schema) as file:
        file.write_table(table.slice(40, 5))
    assert call("assign", keys, "-n", LIST, "-K", "id", "-o", out).code == 0
    assert [line.split(",")[0] for line in out.read_text(encoding="utf-8").splitlines()[1:]] == [
        f"k{n}" for n in range(40, 45)
    ]


def test_nodes_from_a_file(call, tmp_path, parquet):
    nodes, out = tmp_path / "nodes.csv", tmp_path / "out.ndjson"
    nodes.write_text("zone,id\n" + "".join(f"z,{node}\n" for node in NODES), encoding="utf-8")
    args = ["-n", f"@{nodes}", "--node-column", "id", "-K", "tail", "-o", out]
    assert call("assign", parquet, *args).code == 0
    tails = [tail for *_, tail in ROWS]
    assert nodes_of(out) == rvh.select_batch(NODES, tails)[:, 0].tolist()


def test_secret_threads_and_column(call, tmp_path, parquet):
    secret, out = tmp_path / "secret", tmp_path / "out.ndjson"
    secret.write_bytes(b"key\n")
    args = ["--secret-file", secret, "--threads", "2", "--column", "home", "-K", "flight"]
    assert call("assign", parquet, "-n", LIST, *args, "-o", out).code == 0
    flights = [flight for _, flight, _ in ROWS]
    assert [json.loads(line)["home"] for line in out.read_text(encoding="utf-8").splitlines()] == (
        rvh.select_batch(NODES, flights, secret=b"key")[:, 0].tolist()
    )


def test_a_column_whose_name_has_a_comma(call, tmp_path):
    keys, out = tmp_path / "keys.csv", tmp_path / "out.ndjson"
    keys.write_text('"a,b",a,b\n1,2,3\n', encoding="utf-8")
    assert call("assign", keys, "-n", LIST, "-K", "a,b", "-o", out).code == 0
    assert nodes_of(out) == rvh.rendezvous_hash(NODES, "1")


@pytest.mark.parametrize(
    "kind", some(["csv", "tsv", "ndjson", "lines", "parquet", "arrow", "arrows"], every=4)
)
def test_stdin_to_stdout(call, spawn, tmp_path, kind):
    lines, keys, out = (tmp_path / name for name in ("keys.txt", "keys", "out"))
    lines.write_text("".join(f"k{n}\n" for n in range(50)), encoding="utf-8")
    assert call("assign", lines, "-n", LIST, "-o", keys, "--output-format", kind).code == 0
    args = ["--format", kind, "-n", LIST, "-k", "1", "--column", "again"]
    if kind != "lines":
        args += ["-K", "key"]
    assert call("assign", keys, *args, "-o", out).code == 0
    result = spawn("assign", "-", *args, "-o", "-", input=keys.read_bytes())
    assert result.code == 0
    assert result.out == out.read_bytes()
    assert result.err.startswith("rvh: 50 rows on 4 nodes, key key (text), in ")


def test_the_summary_is_one_line_and_quiet_is_silent(call, tmp_path):
    keys, out = tmp_path / "keys.txt", tmp_path / "out.txt"
    keys.write_text("a\nb\n", encoding="utf-8")
    result = call("assign", keys, "-n", LIST, "-o", out)
    assert result.out == b""
    assert result.err.startswith("rvh: 2 rows on 4 nodes, key key (text), in ")
    assert result.err.endswith(" keys/s\n")
    assert result.err.count("\n") == 1
    result = call("assign", keys, "-n", LIST, "-o", out, "--quiet")
    assert (result.out, result.err) == (b"", "")


def test_out_may_be_the_input(call, tmp_path):
    keys = tmp_path / "keys.csv"
    keys.write_text("id\n" + "".join(f"{n}\n" for n in range(1000)), encoding="utf-8")
    keys.chmod(0o640)
    assert call("assign", keys, "-n", LIST, "-o", keys).code == 0
    assert keys.read_text(encoding="utf-8").count("\n") == 1001
    assert keys.read_text(encoding="utf-8").startswith("id,node\n")
    assert keys.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["keys.csv"]


def test_a_link_stays_a_link(call, tmp_path):
    keys, out, link = tmp_path / "keys.txt", tmp_path / "out.txt", tmp_path / "link.txt"
    keys.write_text("a\n", encoding="utf-8")
    out.write_text("old", encoding="utf-8")
    link.symlink_to(out)
    assert call("assign", keys, "-n", '["n1"]', "-o", link).code == 0
    assert link.is_symlink()
    assert out.read_text(encoding="utf-8") == "a\tn1\n"


def test_a_device_is_written_and_stays(call, tmp_path):
    keys = tmp_path / "keys.txt"
    keys.write_text("a\n", encoding="utf-8")
    assert call("assign", keys, "-n", "n1,n2", "-o", "/dev/null").code == 0
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away(tmp_path, unbuffered):
    keys = tmp_path / "keys.txt"
    keys.write_text("".join(f"k{n}\n" for n in range(40_000)), encoding="utf-8")
    run = subprocess.Popen(
        command("assign", keys, "-n", "n1,n2", "-o", "-"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(PYTHONUNBUFFERED=unbuffered),
    )
    assert run.stdout is not None
    assert run.stderr is not None
    assert run.stdout.readline().startswith(b"k0\tn")
    run.stdout.close()
    error = run.stderr.read()
    assert run.wait(timeout=300) == 141
    assert error == b""
    run.stderr.close()


@pytest.mark.parametrize("command_", ["select", "assign"])
def test_a_full_disk(spawn, tmp_path, command_):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    keys = tmp_path / "keys.txt"
    keys.write_text("k\n" * 10, encoding="utf-8")
    args = ["select", "-n", LIST, "-k", "x"]
    if command_ == "assign":
        args = ["assign", str(keys), "-n", LIST, "-o", "-"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command(*args), stdout=full, stderr=subprocess.PIPE, env=environment(), check=False
        )
    assert done.returncode == 1
    assert done.stderr == b"rvh: No space left on device\n" or b"stdout" in done.stderr
    assert done.stderr.count(b"\n") == 1


# -- unfinished runs --------------------------------------------------------------------------


def part_files(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(".part")]


@pytest.mark.parametrize(
    ("number", "out_name", "exists"),
    some(
        product(
            (
                *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
                *(signal.SIGUSR1, signal.SIGALRM, signal.SIGXCPU),
            ),
            ("out.txt", "out.csv", "out.parquet", "out.arrow"),
            (True, False),
        ),
        every=5,
    ),
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_an_interrupted_run_leaves_nothing(tmp_path, number, out_name, exists):
    out = tmp_path / out_name
    if exists:
        out.write_bytes(b"before")
    argv = interruptible("assign", "-", "--format", "lines", "-n", LIST, "-o", out)
    run = halfway(argv, lambda: part_files(tmp_path))
    run.send_signal(number)
    _, error = run.communicate(timeout=120)
    assert run.returncode == 128 + number
    assert error == (b"rvh: interrupted\n" if number == signal.SIGINT else b"")
    assert os.listdir(tmp_path) == ([out_name] if exists else [])
    assert not exists or out.read_bytes() == b"before"


def test_ctrl_c_while_it_ranks(tmp_path):
    keys, out = tmp_path / "keys.txt", tmp_path / "out.txt"
    keys.write_text("".join(f"k{n}\n" for n in range(400_000)), encoding="utf-8")
    nodes = tmp_path / "nodes.txt"
    nodes.write_text(
        "".join(f"node{n}\n" for n in range(3000)), encoding="utf-8"
    )  # seconds at least, compiled too
    run = subprocess.Popen(
        interruptible("assign", keys, "-n", f"@{nodes}", "-o", out),
        stderr=subprocess.PIPE,
        env=environment(),
    )
    once(run, lambda: part_files(tmp_path))
    time.sleep(0.2)
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=120)
    assert (run.returncode, error) == (130, b"rvh: interrupted\n")
    assert sorted(os.listdir(tmp_path)) == ["keys.txt", "nodes.txt"]


# -- memory and the bar -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", some(["keys.csv", "keys.ndjson", "keys.parquet", "keys.txt"], every=4)
)
def test_memory_does_not_grow_with_the_file(spawn, tmp_path, name):
    """A file of 240 MB more takes less than a third of that in memory."""
    if not Path("/proc/self/status").exists():
        pytest.skip("this system has no /proc to read the peak memory of a process from")
    peaks = []
    for count in (10_000, 50_000):
        keys = tmp_path / f"{count}{name}"
        texts = [f"{n:06d}" * 1000 for n in range(count)]  # 6,000 bytes each
        if name.endswith("parquet"):
            schema = pa.schema([("id", pa.string())])
            with pq.ParquetWriter(keys, schema, use_dictionary=False) as file:
                for start in range(0, count, 1000):
                    file.write_table(pa.table({"id": texts[start : start + 1000]}))
        else:
            head, form = {"csv": ("id\n", "{}\n"), "txt": ("", "{}\n")}.get(
                name[5:], ("", '{{"id": "{}"}}\n')
            )
            keys.write_text(head + "".join(form.format(text) for text in texts), encoding="utf-8")
        argv = [sys.executable, "-c", PEAK, "assign", str(keys), "-n", "n1,n2", "-qo"]
        result = spawn(argv=[*argv, str(tmp_path / f"out{name}")])
        assert result.code == 0, result
        peaks.append(int(result.out) * 1024)
    print(f"peak memory: {peaks}")
    assert peaks[1] - peaks[0] < 80_000_000


@pytest.mark.parametrize(
    "name",
    some(["k.csv", "k.csv.gz", "k.ndjson", "k.txt", "k.parquet", "k.arrow", "k.arrows"], every=3),
)
def test_progress_is_that_of_the_rows_done(call, tmp_path, name):
    """Readers read ahead of the rows that they give; the bar must not be full before the end."""
    lines = tmp_path / "lines.txt"
    lines.write_text("".join(f"{n:06d}" * 10 + "\n" for n in range(200_000)), encoding="utf-8")
    path = lines
    if name != "k.txt":
        path = tmp_path / name
        assert call("assign", lines, "-n", "n1,n2", "-o", path).code == 0
    seen = []
    with Source(str(path), compression_of(name)) as source:
        reader = format_of(name).reader(source)
        rows = 0
        for batch in reader.batches():
            rows += len(batch)
            seen.append((rows / 200_000, reader.fraction()))
    assert len(seen) > 2
    for done, shown in seen:
        assert shown == pytest.approx(done, abs=0.25)


def on_a_terminal(*args: object, stdin: bytes | None = None) -> str:
    """Run `rvh assign ARGS` on a terminal; return what it shows there."""
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    master, slave = pty.openpty()
    run = subprocess.Popen(
        command("assign", *args),
        stdin=None if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=slave,
        env=environment(TERM="xterm", COLUMNS="120"),
    )
    os.close(slave)
    if stdin is not None:
        assert run.stdin is not None
        run.stdin.write(stdin)
        run.stdin.close()
        run.stdin = None
    screen = b""
    while True:
        try:
            data = os.read(master, 4096)
        except OSError:  # Linux: the other end is closed
            break
        if not data:
            break
        screen += data
    os.close(master)
    stdout, _ = run.communicate(timeout=120)
    assert (run.returncode, stdout) == (0, b"")
    return screen.decode()


def test_progress_is_shown_on_a_terminal(tmp_path):
    keys, out = tmp_path / "keys.txt", tmp_path / "out.txt"
    keys.write_text("".join(f"k{n}\n" for n in range(20_000)), encoding="utf-8")
    seen = {}
    for quiet in ([], ["--quiet"]):
        seen[bool(quiet)] = on_a_terminal(keys, "-n", "n1,n2", "-o", out, *quiet)
    assert seen[True] == ""
    for word in (
        "keys.txt",
        "20,000 rows",
        "keys/s",
        "left",
        "100%",
        "rvh: 20,000 rows on 2 nodes, key key (text), in ",
    ):
        assert word in seen[False], seen[False]


def test_progress_of_the_balancing(tmp_path):
    keys, out = tmp_path / "keys.txt", tmp_path / "out.txt"
    keys.write_text("".join(f"k{n}\n" for n in range(20_000)), encoding="utf-8")
    args = [keys, "-n", "n1,n2", "-o", out, "--load-factor", "1.01"]
    screen = on_a_terminal(*args)
    at = [screen.index(f"keys.txt{phase}") for phase in (": reading the keys", ": balancing", " ")]
    assert at[:2] == sorted(at[:2])
    assert "20,000 rows" in screen[at[1] :]
    assert on_a_terminal(*args, "--quiet") == ""


def test_progress_of_a_pipe(tmp_path):
    """Nobody knows how much is left: the rows, the rate and the time so far."""
    lines = "".join(f"k{n}\n" for n in range(20_000)).encode()
    args = ["-", "--format", "lines", "-n", "n1,n2", "-o", tmp_path / "out.txt"]
    screen = on_a_terminal(*args, stdin=lines)
    before, _, _ = screen.rpartition("rvh: 20,000 rows on 2 nodes")
    shown = before[before.rindex("20,000 rows") :]
    assert "keys/s" in shown
    assert re.search(r"\d:\d\d:\d\d", shown)
    assert "left" not in shown
    assert "%" not in shown
