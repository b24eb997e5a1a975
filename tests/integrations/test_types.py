"""What mypy --strict says of a user's script: the plain functions have types."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy is not installed: pip install 'rvh[lint]'")
pytest.importorskip("polars", reason="Polars is not installed")

SCRIPT = """
    import polars as pl
    import rvh
    from rvh.faultset import FaultSet
    from rvh.integrations.polars import select, with_node
    from rvh.partitions import PartitionTable
    from rvh.ring import Migration, RingFace, ketama

    ids = ["a", "b"]
    nodes = rvh.NodeSet(ids)
    eager, lazy = pl.DataFrame({"key": [1]}), pl.LazyFrame({"key": [1]})
    series = eager["key"]

    reveal_type(with_node(eager, "key", nodes))
    reveal_type(with_node(lazy, ["key", pl.lit(1)], ids, 2, as_columns=True, scheme="murmur"))
    reveal_type(select("key", PartitionTable(nodes)))
    reveal_type(select([pl.col("key"), "key"], ketama(ids), 2))
    reveal_type(select(series, RingFace(ids)))
    reveal_type(select([series, series], FaultSet(nodes), 2, spread="zone"))
    select("key", Migration(nodes, nodes).at(0.5))

    select("key", [1, 2])
    select("key", nodes, "2")
    select("key", nodes, wieghts=[1])
    select("key", ids, scheme="murmurr")
    with_node(series, "key", nodes)
"""


def test_a_script(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT), "utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-color-output", "script.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    lines = run.stdout.splitlines()
    revealed = [
        line.partition("Revealed type is ")[2].strip('"') for line in lines if "note: Rev" in line
    ]
    assert [name.rpartition(".")[2] for name in revealed] == [
        *("DataFrame", "LazyFrame", "Expr", "Expr", "Series", "Series")
    ], run.stdout
    wrong = {int(line.split(":")[1]) for line in lines if ": error:" in line}
    source = textwrap.dedent(SCRIPT).splitlines()
    assert [source[number - 1] for number in sorted(wrong)] == source[-5:], run.stdout
