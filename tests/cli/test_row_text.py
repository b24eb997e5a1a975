"""Rows that keep their own bytes, beside what csv and json of Python make of the same file."""

from __future__ import annotations

import csv
import io
import json
import random
import signal
import subprocess
import sys

import pytest
from commandline import environment, interruptible, once

import rvh

NODES = ["node1", "node,2", 'node"3"']
LIST = json.dumps(NODES)
SET = rvh.NodeSet(NODES)


def expected_csv(text: str, header: bool) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True)):
        if row and header and not number:
            writer.writerow([*row, "node"])
        elif row:
            writer.writerow([*row, SET.select(row[0])[0]])
    return out.getvalue()


def field(draw: random.Random, quoting: float) -> str:
    if draw.random() < quoting:
        parts = ("a", '""', ",", "\n", "\r\n", "é", " ")
        return '"' + "".join(draw.choice(parts) for _ in range(draw.randrange(4))) + '"'
    return draw.choice(("", "x", "naïve", "7", "long " * 20, "it's", "東京"))


@pytest.mark.parametrize("header", [True, False], ids=["header", "no header"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("quoting", [0, 0.2, 1], ids=["no quotes", "some quotes", "all quotes"])
def test_csv(call, tmp_path, quoting, end, header):
    draw = random.Random(f"{quoting}{end}{header}")
    # Several blocks, so that some end within quotes and some with a carriage return.
    rows = [",".join([f"k{n}", *(field(draw, quoting) for _ in range(4))]) for n in range(40_000)]
    rows = [row + end * (n % 1000 == 0) for n, row in enumerate(rows)]  # empty lines
    text = end.join(["k,b,c,d,e"] * header + rows)
    keys, out = tmp_path / "keys.csv", tmp_path / "out.csv"
    keys.write_text(text, encoding="utf-8", newline="")
    args = ["-K", "k"] if header else ["-K", "1", "--no-header"]
    assert call("assign", keys, *args, "-n", LIST, "-o", out, "-q").code == 0
    assert out.read_bytes().decode() == expected_csv(text, header)


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        ("a,b", "row 30001 has 2 values, but there are 3 columns: 'a,b'"),
        ("a,b,c,d", "row 30001 has 4 values, but there are 3 columns: 'a,b,c,d'; a value with"),
        ("a,b\rc,d", "line 30002 has a carriage return"),
        ('a,"b"x,c', "line 30002 has a value in quotes with text after the closing quote"),
        ('a,"b,c', "line 30002 has a quote that is never closed"),
        ("a,\udcff,c", "row 30001, column 'b': the value is not UTF-8 text; if it is of another"),
    ],
)
def test_an_odd_row_far_on_is_the_same_error(fails, tmp_path, odd, says):
    keys = tmp_path / "keys.csv"
    rows = ["k,b,c", *(f"key{n},{'b' * 60},c" for n in range(30_000)), odd]
    keys.write_bytes("\n".join([*rows, ""]).encode(errors="surrogateescape"))
    assert says in fails("assign", keys, "-K", "k", "-n", LIST, "-o", tmp_path / "out.csv", "-q")
    assert [each.name for each in tmp_path.iterdir()] == ["keys.csv"]


def test_a_quote_within_a_value_is_quoted_as_ever(call, tmp_path):
    keys = tmp_path / "keys.csv"
    keys.write_text('k,b\na,x"y\n"b",\n', encoding="utf-8")
    result = call("assign", keys, "-K", "k", "-n", '["n"]', "-o", "-", "-q")
    assert result.out == b'k,b,node\na,"x""y",n\nb,,n\n'


VALUES = ('"text"', "1", "-0.5", "null", "[]", '{"x": [1, {"y": "}"}]}', '"a:\\"b\\" "', '"東京"')


@pytest.mark.parametrize("kind", ["plain", "odd"])
def test_ndjson(call, tmp_path, kind):
    draw = random.Random(kind)
    lines = []
    for n in range(30_000):
        key = f'"2024-01-{n % 28 + 1:02d}"' if n % 2 else f'"k{n}"'
        line = f'{{"key": {key}, "a": {draw.choice(VALUES[:1])}, "b":{{"c": {n}}}}}'
        if kind == "odd" and draw.random() < 0.01:
            some = draw.choice(VALUES)  # of another type than in other lines
            line = draw.choice(
                [f' {{"key":{key} , "b": {some} }}\t', f'{{"key":{key},"n":NaN}}', "", line + "\r"]
            )
        lines.append(line)
    keys, out = tmp_path / "keys.ndjson", tmp_path / "out.ndjson"
    keys.write_text("\n".join(lines), encoding="utf-8", newline="")
    assert call("assign", keys, "-K", "key", "-n", LIST, "-o", out, "-q").code == 0
    wanted = [
        line.strip()[:-1].rstrip()
        + f', "node": {json.dumps(SET.select(json.loads(line)["key"])[0])}}}\n'
        for line in lines
        if line.strip()
    ]
    assert out.read_text(encoding="utf-8") == "".join(wanted)


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        ('{"key": "a", "a": 1, "a": 2}', 'member "a" appears more than once'),
        ('{"key": "a", "b": {"c": 1, "c": 2}}', "appears more than once"),
        ('{"key": "a"} {"key": "b"}', "Extra data"),
        ('{"key": "a", "n": Inf}', "is not JSON"),
        ('{"key": "a", "n": 01}', "is not JSON"),
        ('{"key": "a",}', "is not JSON"),
        ("[1]", "is a list, not a JSON object"),
        ('{"key": "\udcff"}', "is not UTF-8 text"),
        ('{"other": "a"}', "there is no member"),
        ('{"key": ' + "[" * 100_000 + "]" * 100_000 + "}", "cannot be read"),
    ],
)
def test_an_odd_line_far_on_is_the_same_error(fails, tmp_path, odd, says):
    keys = tmp_path / "keys.ndjson"
    lines = [*(f'{{"key": "k{n}", "a": "{"b" * 60}"}}' for n in range(30_000)), odd]
    keys.write_bytes("\n".join([*lines, ""]).encode(errors="surrogateescape"))
    error = fails("assign", keys, "-K", "key", "-n", LIST, "-o", tmp_path / "out.ndjson", "-q")
    assert "line 30001" in error
    assert says.replace('"', "") in error.replace("'", "").replace('"', "")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal there")
@pytest.mark.parametrize("name", ["keys.csv", "keys.ndjson"])
def test_ctrl_c(tmp_path, name):
    keys, nodes = tmp_path / name, tmp_path / "nodes.txt"
    row = '{{"key": "k{}"}}\n' if name.endswith("ndjson") else "k{}\n"
    keys.write_text("key\n" * name.endswith("csv") + "".join(map(row.format, range(400_000))))
    nodes.write_text("".join(f"node{n}\n" for n in range(3000)), encoding="utf-8")
    run = subprocess.Popen(
        interruptible(
            "assign", keys, "-n", f"@{nodes}", "-K", "key", "-o", tmp_path / f"out-{name}"
        ),
        stderr=subprocess.PIPE,
        env=environment(),
    )
    once(run, lambda: [each for each in tmp_path.iterdir() if each.suffix == ".part"])
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=120)
    assert (run.returncode, error) == (130, b"rvh: interrupted\n")
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([name, "nodes.txt"])
