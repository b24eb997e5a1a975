"""What a type checker says of a user's script: errors where there would be some, and no others."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rvh
import rvh.typing

IMPORTS = """
from array import array
from collections import deque
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import rvh
from rvh.balanced import BalancedAssigner, assign_balanced
from rvh.cache import SelectionCache
from rvh.faultset import FaultSet
from rvh.partitions import PartitionTable
from rvh.ring import Migration, hash_ring, ketama
from rvh.typing import Key, Keys, NodeIds, Scheme


class Series:
    'As the stubs of pandas and Polars have it.'

    def to_numpy(self, dtype: Any = None, copy: bool = False) -> NDArray[Any]: ...
    def __array__(self, dtype: Any = None) -> NDArray[Any]: ...


class Column:
    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[object, object]: ...


class Stream:
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


nodes = rvh.NodeSet(["a", "b"])
texts: list[str] = ["x"]
ids: tuple[bytes, ...] = (b"x",)
mixed: Sequence[str | bytes] = ["x", b"y"]
numbers: list[np.int64] = [np.int64(3)]
found: Any = pa.array(["x"])
scheme: Scheme = "murmur"
"""

#: as run time has it
GOOD = """
rvh.NodeSet(texts)
rvh.NodeSet(ids)
rvh.NodeSet([*mixed])
rvh.NodeSet([uuid4()])
rvh.NodeSet(np.array(["x"]))
rvh.NodeSet(np.array([b"x"], dtype="S3"))
rvh.NodeSet(np.array(["x"], dtype=object))
rvh.NodeSet(np.array(["x"], dtype=np.dtypes.StringDType()))
rvh.NodeSet(Series())
rvh.NodeSet(Column())
rvh.NodeSet(found)
rvh.NodeSet(nodes.ids, scheme=scheme)
rvh.NodeSet(["a", "b"], weights={"a": 1, "b": 2.5})
rvh.NodeSet(["a", "b"], weights=[1, 2.5], secret=bytearray(b"s"))
rvh.NodeSet(["a", "b"], weights=np.ones(2), domains={"zone": ["x", "y"]})
nodes.add("c").add(["d", "e"]).remove("c").remove(["d"])
nodes.select("x")
nodes.select(b"x")
nodes.select(bytearray(b"x"))
nodes.select(7, k=2)
nodes.select(np.uint8(7))
nodes.select(uuid4())
nodes.select(True)  # a bool is an int for a type checker; run time refuses it
nodes.select_batch(texts, 2, threads=1, dedupe="auto")
nodes.select_batch(["x", b"y", 7, UUID(int=7)])
nodes.select_batch(("x", 7))
nodes.select_batch(numbers)
nodes.select_batch(range(3))
nodes.select_batch(deque(["x"]))
nodes.select_batch(array("q", [1]))
nodes.select_batch(memoryview(array("q", [1])))
nodes.argselect_batch(np.arange(3, dtype=np.uint16))
nodes.argselect_batch(np.array(["x"]))
nodes.assign(Series())
nodes.assign(Stream())
nodes.assign(found)
nodes.argassign(rvh.keys.column(["x"]), dedupe=True)
nodes.select_arrow(["x", None])
nodes.select_arrow(Column())
rvh.select_batch(nodes, texts)
rvh.assign(texts, texts, scheme="blake2b", weights={"x": 1})
assign_balanced(nodes, texts, 1.1, sizes=[1])
BalancedAssigner(texts).assign_batch([1, "x"])
SelectionCache(nodes, 10, "arc").select_batch(texts)
FaultSet(nodes).select_batch(texts, 2)
FaultSet(nodes).argrepair(texts, [[0]], 2)
assign_balanced(texts, texts, secret=bytearray(b"s"))
Migration(nodes, nodes).at(0.5).select_batch(texts)
PartitionTable(texts).lookup_batch(np.arange(3))
ketama(texts, {"x": 1}, integers="text").lookup_batch(range(3))
def mine(ids: NodeIds, keys: Keys, key: Key, scheme: Scheme = "blake2b") -> list[Any]: ...
"""

BAD = """
rvh.NodeSet([1])
rvh.NodeSet([1.5, "a"])
rvh.NodeSet("a")
rvh.NodeSet(b"a")
rvh.NodeSet({"a", "b"})
rvh.NodeSet({"a": 1})
rvh.NodeSet(None)
rvh.NodeSet(np.arange(3))
rvh.NodeSet(["a"], scheme="murmurr")
rvh.NodeSet(["a"], secret="s")
rvh.NodeSet(["a"], weights={"a": "heavy"})
nodes.add(3)
nodes.select(1.5)
nodes.select(None)
nodes.select(["x"])
nodes.select_batch("x")
nodes.select_batch([1.5])
nodes.select_batch(["x", None])
nodes.select_batch({"x"})
nodes.select_batch(np.ones(3))
nodes.select_batch(texts, dedupe="yes")
nodes.assign(7)
nodes.select_arrow([1.5])
rvh.select_batch([1], texts)
rvh.assign(texts, [None])
rvh.rendezvous_hash(texts, 1.5)
rvh.select_batch(texts, texts, scheme="md5")
assign_balanced(nodes, [1.5])
SelectionCache(nodes, 10, "mru")
FaultSet(nodes).select_batch([1.5])
PartitionTable([1])
ketama(texts, integers="txt")
hash_ring(texts, integers="txt")
FaultSet(nodes).argrepair([1.5], [[0]], 2)
Migration(nodes, nodes).owners_batch([1.5], 0.5)
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Line -> what mypy --strict says of it; the empty line is for what it says of others."""
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed: pip install '.[lint]'")
    folder = tmp_path_factory.mktemp("user")
    script = folder / "script.py"
    written = lines(IMPORTS) + lines(GOOD) + lines(BAD)
    script.write_text("\n".join(written) + "\n", encoding="utf-8")
    # Where rvh is installed, py.typed lets mypy read it. It does not find an editable install.
    source = Path(rvh.__file__).parent.parent
    environment = {name: value for name, value in os.environ.items() if name != "MYPYPATH"}
    if source.name != "site-packages":
        environment["MYPYPATH"] = str(source)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"),
            *("--ignore-missing-imports", f"--python-executable={sys.executable}"),
            *("--disable-error-code=empty-body", f"--cache-dir={folder}/cache", str(script)),
        ],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    found: dict[str, list[str]] = {line: [] for line in ["", *written]}
    for message in run.stdout.splitlines():
        at = re.match(r"script\.py:(\d+): error: (.*)", message.removeprefix(f"{folder}/"))
        if at is not None:
            found[written[int(at[1]) - 1]].append(at[2])
        elif ": note: " not in message:
            found[""].append(message)
    assert run.returncode in (0, 1), run.stdout + run.stderr
    return found


@pytest.mark.parametrize("line", lines(GOOD))
def test_what_runs_passes(line: str, told: dict[str, list[str]]) -> None:
    assert told[line] == []


@pytest.mark.parametrize("line", lines(BAD))
def test_what_is_refused_fails(line: str, told: dict[str, list[str]]) -> None:
    assert told[line] != []


def test_nothing_else_is_wrong(told: dict[str, list[str]]) -> None:
    assert told[""] == []
    assert [line for line in lines(IMPORTS) if told[line]] == []


def test_run_time_agrees() -> None:
    """Each line does what the tables say, so that they stay true."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    names: dict[str, object] = {}
    exec(IMPORTS, names)
    for line in lines(BAD):
        with pytest.raises(rvh.RVHError):
            exec(line, names)
    for line in lines(GOOD):
        # These classes are only types.
        if not re.search(r"Series\(|Column\(|Stream\(|select\(True", line):
            exec(line, names)


def test_the_names_exist() -> None:
    assert rvh.typing.__all__ == sorted(rvh.typing.__all__)
    for name in rvh.typing.__all__:
        assert hasattr(rvh.typing, name)
