"""Several files of keys as one: `rvh assign a.csv b.csv`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import command, environment, limited
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import examples

import rvh
from rvh._tables import FORMATS
from rvh.cli import main
from rvh.cli.finding import find
from rvh.cli.keyfiles import KeyFiles

NODES = ["n1", "n2", "n3", "n4"]
LIST = ",".join(NODES)


def write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def read(name: str) -> str:
    return Path(name).read_text(encoding="utf-8")


def nodes(keys: list[object]) -> list[str]:
    return rvh.select_batch(NODES, keys)[:, 0].tolist()


@pytest.mark.parametrize("kind", FORMATS)
def test_the_rows_come_in_the_order_of_the_files(call, here, kind):
    for name, keys in (("b", "k5\nk4\n"), ("a", "k3\nk2\n"), ("c", "k1\n")):
        write("k.txt", keys)
        out = f"{name}{FORMATS[kind].extensions[0]}"
        assert call("assign", "k.txt", "-qn", LIST, "--column", "x", "-o", out).code == 0
    files = [f"{name}{FORMATS[kind].extensions[0]}" for name in "bac"]
    column = [] if kind == "lines" else ["-K", "key"]
    result = call("assign", *files, "-n", LIST, *column, "-o", "out.ndjson")
    assert result.code == 0, result
    assert "5 rows of 3 files" in result.err
    rows = [json.loads(line) for line in read("out.ndjson").splitlines()]
    keys = [row["key"] for row in rows]
    if kind == "lines":
        keys = [key.split("\t")[0] for key in keys]
    assert keys == ["k5", "k4", "k3", "k2", "k1"]
    assert [row["node"] for row in rows] == nodes([row["key"] for row in rows])


TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5), max_size=6)


@settings(max_examples=examples(60), deadline=None)
@given(parts=st.lists(TEXTS, min_size=2, max_size=5), kind=st.sampled_from(["csv", "ndjson"]))
def test_several_files_are_their_concatenation(tmp_path_factory, parts, kind):
    folder = tmp_path_factory.mktemp("parts")
    header = "key,n\n" if kind == "csv" else ""
    rows = [[row(kind, key, n) for n, key in enumerate(part)] for part in parts]
    files = [folder / f"{number}.{kind}" for number in range(len(parts))]
    for file, lines in zip(files, rows, strict=True):
        file.write_text(header + "".join(lines), encoding="utf-8")
    whole = folder / f"whole.{kind}"
    whole.write_text(header + "".join(line for each in rows for line in each), encoding="utf-8")
    args = ["-qn", LIST, "-K", "key", "-o"]
    for out in (f"out.{kind}", "out.parquet"):
        assert main(["assign", *map(str, files), *args, str(folder / f"several-{out}")]) == 0
        assert main(["assign", str(whole), *args, str(folder / f"one-{out}")]) == 0
    several, one = (folder / f"{name}-out.{kind}" for name in ("several", "one"))
    assert several.read_bytes() == one.read_bytes()
    tables = [pq.read_table(folder / f"{name}-out.parquet") for name in ("several", "one")]
    assert tables[0].equals(tables[1])


def row(kind: str, key: str, n: int) -> str:
    if kind == "csv":
        return '"{}",{}\n'.format(key.replace('"', '""'), n)
    return json.dumps({"key": key, "n": n}, ensure_ascii=False) + "\n"


# -- columns -------------------------------------------------------------------------------------

FIRST = pa.table({"id": ["a", "b"], "n": [1, 2]})


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (FIRST.drop_columns(["n"]), "there is no column 'n', which a.parquet has"),
        (FIRST.append_column("x", [[1, 2]]), "column 'x' is not in a.parquet"),
        (
            FIRST.select(["n", "id"]),
            "column 1 is 'n', but 'id' in a.parquet: the order is another",
        ),
        (
            FIRST.set_column(1, "n", [["1", "2"]]),
            "column 'n' is string, but int64 in a.parquet",
        ),
    ],
    ids=["missing", "extra", "order", "type"],
)
def test_other_columns_are_found_before_anything_is_written(fails, here, other, message):
    pq.write_table(FIRST, "a.parquet")
    pq.write_table(FIRST, "b.parquet")
    pq.write_table(other, "c.parquet")
    error = fails("assign", "a.parquet", "b.parquet", "c.parquet",
                  "-n", LIST, "-K", "id", "-o", "-")  # fmt: skip
    assert error == f"c.parquet: {message}; all inputs need the same columns"


def test_a_column_that_may_be_null_does_not_follow_one_that_may_not(fails, here):
    fields = [pa.field("id", pa.string(), nullable=False), pa.field("n", pa.int64())]
    pq.write_table(FIRST.cast(pa.schema(fields)), "a.parquet")
    pq.write_table(FIRST, "b.parquet")
    error = fails("assign", "a.parquet", "b.parquet", "-n", LIST, "-K", "id", "-o", "-")
    assert error.startswith("b.parquet: column 'id' may be null, but not in a.parquet;")


def test_csv_without_a_header_needs_as_many_columns(fails, here):
    write("a.csv", "a,1\n")
    write("b.csv", "b,1,2\n")
    args = ["-n", LIST, "-K", "1", "--no-header", "-o", "-"]
    assert "b.csv: column '3' is not in a.csv" in fails("assign", "a.csv", "b.csv", *args)


def test_objects_may_differ_where_each_keeps_its_text(call, fails, here):
    write("a.ndjson", '{"id": "a", "n": 1.50}\n')
    write("b.ndjson", '{"id": "b"}\n{"m": [], "id": "c"}\n')
    assert call("assign", "a.ndjson", "b.ndjson", "-n", LIST, "-K", "id", "-o", "-").out == (
        b'{"id": "a", "n": 1.50, "node": "%s"}\n{"id": "b", "node": "%s"}\n'
        b'{"m": [], "id": "c", "node": "%s"}\n' % tuple(n.encode() for n in nodes(["a", "b", "c"]))
    )
    error = fails("assign", "a.ndjson", "b.ndjson", "-n", LIST, "-K", "id", "-o", "out.csv")
    assert error.startswith("b.ndjson: line 2: member 'm' was not there in the first ")


def test_an_empty_file_first(call, here):
    write("a.ndjson", "\n")
    write("b.ndjson", '{"id": "b"}\n')
    args = ["-n", LIST, "-K", "id", "-o", "out.csv"]
    assert call("assign", "a.ndjson", "b.ndjson", *args).code == 0
    assert read("out.csv") == f"id,node\nb,{nodes(['b'])[0]}\n"


# -- what is wrong in a later file ----------------------------------------------------------------


def test_rows_are_counted_in_their_own_file(fails, here):
    pq.write_table(pa.table({"id": ["a", "b", "c"]}), "a.parquet")
    pq.write_table(pa.table({"id": ["d", None]}), "b.parquet")
    error = fails("assign", "a.parquet", "b.parquet", "-n", LIST, "-o", "out.csv")
    assert error.startswith("b.parquet: row 2, column 'id': the key is null")
    write("a.ndjson", '{"id": "a"}\n' * 3)
    write("b.ndjson", '{"id": "a"}\n\n{"id": 1.5}\n')
    for balanced in ([], ["--load-factor", "1.5"]):
        args = ["-n", LIST, "-K", "id", "-o", "out.csv", *balanced]
        error = fails("assign", "a.ndjson", "b.ndjson", *args)
        assert error.startswith("b.ndjson: line 3, column 'id': the key is of type float (1.5)")


def test_a_damaged_second_file_leaves_nothing(fails, here):
    table = pa.table({"id": [f"k{n}" for n in range(10_000)]})
    pq.write_table(table, "a.parquet")
    pq.write_table(table, "b.parquet", compression="none", use_dictionary=False)
    data = Path("b.parquet").read_bytes()
    Path("b.parquet").write_bytes(data[:20] + b"\xff" * 400 + data[420:])
    assert (
        fails("assign", "a.parquet", "b.parquet", "-n", LIST, "-o", "out.csv")[:11] == "b.parquet: "
    )
    Path("b.parquet").write_bytes(data[:-100])
    error = fails("assign", "a.parquet", "b.parquet", "-n", LIST, "-o", "out.csv")
    assert error.startswith("b.parquet is not a complete Parquet file")
    assert sorted(os.listdir()) == ["a.parquet", "b.parquet"]


def test_a_missing_later_file_is_found_first(fails, here):
    write("a.csv", "id\na\n")
    error = fails("assign", "a.csv", "b.csv", "-n", LIST, "-o", "-")
    assert error.startswith("b.csv: No such file or directory; each word that is not the value of")


# -- pipes, one file twice, OUT -------------------------------------------------------------------


def run(*args: object, stdin: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        command(*args), input=stdin, capture_output=True, text=True, env=environment(), timeout=300
    )
    return done.returncode, done.stdout, done.stderr


def test_stdin_is_one_of_several(here):
    write("a.csv", "id\na\n")
    write("c.csv", "id\nc\n")
    args = ["-n", LIST, "--format", "csv", "-qo", "-"]
    code, out, _ = run("assign", "a.csv", "-", "c.csv", *args, stdin="id\nb\n")
    expected = [f"{key},{node}" for key, node in zip("abc", nodes(["a", "b", "c"]), strict=True)]
    assert (code, out.splitlines()) == (0, ["id,node", *expected])
    code, out, error = run("assign", "a.csv", "-", *args, stdin="x\nb\n")
    assert code == 1
    assert "stdin: there is no column 'id', which a.csv has" in error
    code, _, error = run("assign", "-", "-", *args)
    assert (code, "are the same stdin, which can be read only once" in error) == (1, True)
    code, _, error = run("assign", "a.csv", "-", *args, "--load-factor", "1.5")
    assert (code, "KEYS is read twice, which stdin cannot be" in error) == (2, True)


def test_other_formats_among_the_files(call, here):
    for name in ("a.csv", "b.csv.gz", "c.parquet"):
        write(name, "")
    result = call("assign", "a.csv", "b.csv.gz", "c.parquet", "-n", LIST, "-o", "-")
    assert result.code == 2
    assert "a.csv is csv, but c.parquet is parquet: give files of one format" in result.err


def test_balanced_over_all_files(call, here):
    for name in "abc":
        write(f"{name}.txt", "".join(f"{name}{n}\n" for n in range(40)))
    args = ["-n", LIST, "--load-factor", "1"]
    assert call("assign", "a.txt", "b.txt", "c.txt", *args, "-o", "out.txt").code == 0
    write("all.txt", read("a.txt") + read("b.txt") + read("c.txt"))
    assert call("assign", "all.txt", *args, "-o", "one.txt").code == 0
    assert read("out.txt") == read("one.txt")
    counts = [read("out.txt").count(f"\t{node}\n") for node in NODES]
    assert counts == [30] * 4


def test_out_is_none_of_several(fails, here):
    write("a.csv", "id\na\n")
    write("b.csv", "id\nb\n")
    error = fails("assign", "a.csv", "b.csv", "-n", LIST, "-o", "./b.csv")
    assert error.startswith("--out ./b.csv is the file that KEYS b.csv reads")
    assert read("b.csv") == "id\nb\n"


def test_one_file_twice(fails, here):
    write("a.csv", "id\na\n")
    Path("link.csv").symlink_to("a.csv")
    args = ["-n", LIST, "-o", "-"]
    assert fails("assign", "a.csv", "a.csv", *args) == "a.csv would be read twice: name it once"
    error = fails("assign", "a.csv", "link.csv", *args)
    assert error == "a.csv and link.csv, one file, would be read twice: name it once"


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "ndjson"])
def test_a_thousand_files_with_few_open(call, here, kind):
    pytest.importorskip("resource", reason="this system has no limits of processes")
    write("k.txt", "a\n")
    assert call("assign", "k.txt", "-qn", LIST, "--column", "x", "-o", f"k.{kind}").code == 0
    os.mkdir("data")
    for number in range(1000):
        os.link(f"k.{kind}", f"data/{number}.{kind}")
    args = ["-n", LIST, "-K", "key", "-o", "out.csv"]
    error = call("assign", "data", *args).err
    assert f"data/0.{kind} and data/1.{kind}, one file, would be read twice" in error
    data = Path(f"k.{kind}").read_bytes()
    for number in range(1000):
        os.unlink(f"data/{number}.{kind}")
        Path(f"data/{number}.{kind}").write_bytes(data)

    done = subprocess.run(
        limited("RLIMIT_NOFILE", 40, "assign", "data", *args),
        capture_output=True,
        env=environment(),
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert b"1,000 rows of 1,000 files" in done.stderr
    assert read("out.csv").count("\na,") == 1000


def test_progress_is_over_the_bytes_of_all_files(here):
    for name, rows in (("a", 60_000), ("b", 180_000), ("c", 60_000)):
        write(f"{name}.txt", "".join(f"{n:06d}" * 10 + "\n" for n in range(rows)))
    found = find(["a.txt", "b.txt", "c.txt"])
    seen, rows = [], 0
    with KeyFiles.of(found, FORMATS["lines"], None, {}, None).open() as reader:
        for batch in reader.batches():
            rows += len(batch)
            seen.append((rows / 300_000, reader.fraction()))
    assert len(seen) > 4
    assert seen[-1] == (1, 1)
    for done, shown in seen:
        assert shown == pytest.approx(done, abs=0.1)


def test_an_input_that_stdout_writes_into(here):
    for name in "ab":
        write(f"{name}.txt", f"{name}\n")
    with open("b.txt", "ab") as out:
        done = subprocess.run(
            command("assign", "a.txt", "b.txt", "-n", LIST, "-o", "-"),
            stdout=out,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=300,
        )
    assert done.returncode == 1
    assert b"stdout is the file that b.txt reads, which would never end" in done.stderr
    assert read("b.txt") == "b\n"
