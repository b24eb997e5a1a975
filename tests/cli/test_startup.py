"""The start of the program: it imports what the command needs, and never pandas without need."""

from __future__ import annotations

import json
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet

from rvh.cli.app import COMMANDS

LIST = "node1,node2,node3"


SCRIPT = """
import sys
from rvh import cli
sys.argv = ["rvh", *sys.argv[1:]]
cli.leave = lambda status: print(status, *sys.modules, sep="\\n", file=sys.stderr)
cli.script()
"""


def imported(spawn, *args: object) -> list[str]:
    """The modules that the program `rvh ARGS` has imported when it ends."""
    status, *modules = spawn(argv=[sys.executable, "-c", SCRIPT, *map(str, args)]).err.splitlines()
    assert status == "0", modules
    return modules


@pytest.mark.parametrize(
    ("keys", "out"),
    [("csv", "ndjson"), ("ndjson", "parquet"), ("parquet", "csv"), ("arrow", "arrows")],
)
def test_assign_imports_no_pandas(spawn, call, tmp_path, keys, out):
    pytest.importorskip("pandas", reason="pandas is not installed, so nothing can import it")
    (tmp_path / "first.csv").write_text('key,n\na,1\nb,\n"c,d",3\n', encoding="utf-8")
    source, target = tmp_path / f"keys.{keys}", tmp_path / f"out.{out}"
    made = call(
        *("assign", tmp_path / "first.csv", "-K", "key", "-n", LIST),
        *("--column", "n2", "-o", source, "-q"),
    )
    assert made.code == 0
    loaded = imported(spawn, "assign", source, "-K", "key", "-n", LIST, "-o", target, "-q")
    assert "pyarrow" in loaded
    assert [name for name in loaded if name.partition(".")[0] == "pandas"] == []


@pytest.mark.parametrize(
    "args", [("select", "-k", "x"), ("assign", "keys.txt", "-o", "-")], ids=["select", "assign"]
)
def test_a_command_imports_its_own_parts(spawn, tmp_path, monkeypatch, args):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys.txt").write_text("a\n", encoding="utf-8")
    loaded = imported(spawn, *args, "-n", LIST, *["-q"] * (args[0] == "assign"))
    others = ("rvh.membership", "rvh.rpc", "rvh.observe", "rvh.bench", "rvh.integrations", "grpc")
    assert [name for name in loaded if name.startswith(others)] == []
    commands = [module for module, _ in COMMANDS.values()]
    assert [name for name in commands if f"rvh.cli.{name}" in loaded] == [args[0]]


def test_nanoseconds_within_lists_are_those_of_pandas(spawn, call, tmp_path):
    """Only pandas has an object for them; so there, and only there, it is imported."""
    pytest.importorskip("pandas", reason="pandas is not installed, which alone holds nanoseconds")
    table = pa.table(
        {
            "key": ["a"],
            "times": pa.array([[1, 10**9]], pa.list_(pa.timestamp("ns"))),
            "of": pa.array([{"waits": 2}], pa.struct([("waits", pa.duration("ns"))])),
        }
    )
    parquet.write_table(table, tmp_path / "keys.parquet")
    args = ("assign", tmp_path / "keys.parquet", "-K", "key", "-n", '["n"]', "-q")
    args += ("--output-format", "ndjson", "-o", "-")
    result = spawn(*args)
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out) == {
        "key": "a",
        "times": ["1970-01-01 00:00:00.000000001", "1970-01-01 00:00:01"],
        "of": {"waits": "0 days 00:00:00.000000002"},
        "node": "n",
    }
    assert call(*args).out == result.out
