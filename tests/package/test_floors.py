"""The floors: every part of rvh imports only what stands below it, and no imports go round.

The table is that of docs/explanation/architecture.md.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from floor_table import floors
from folders import ROOT

SOURCES = (".py", ".pyi", ".pyx", ".pxd", ".pxi")
ROW = "a row in docs/explanation/architecture.md, under The floors, says where it stands"
CHOICE = "a backend is chosen in rvh._backend alone"

Imports = dict[str, set[str]]  # file -> those that it imports


def imported(text: str, is_cython: bool) -> Iterator[tuple[str, str]]:
    """(module, name) for all that a file imports: at its top, in functions, for types alone."""
    for module in re.findall(r"(?:import_module|__import__)\(\s*[\"']([\w.]+)", text):
        yield module, ""
    if is_cython:  # which ast cannot read
        text = re.sub(r"#.*|\\\n", " ", text)
        text = re.sub(r"\(([^()]*)\)", lambda names: names[1].replace("\n", " "), text)
        statement = r"(?:^|[;:])[ \t]*(?:from\s+(\S+)\s+)?c?import\s+([^;\n]*)"
        for module, names in re.findall(statement, text, re.MULTILINE):
            for name in names.split(","):
                yield module or name.split()[0], name.split()[0] if name.split() else ""
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((getattr(node, "module", a.name) or "", a.name) for a in node.names)


def arrows(files: dict[str, Path]) -> Imports:
    """What each file imports of the others."""
    found: Imports = {}
    for file, path in files.items():
        named = imported(path.read_text("utf-8"), path.suffix in (".pyx", ".pxi", ".pxd"))
        pairs = {f"{m}.{n}" if f"{m}.{n}" in files else m for m, n in named}
        found[file] = {module for module in pairs if module in files and module != file}
    return found


def modules(source: Path) -> dict[str, Path]:
    """The files of ``source/rvh`` by their names; those that are not modules keep their suffix."""
    found: dict[str, Path] = {}
    for path in sorted((source / "rvh").rglob("*"), reverse=True):  # a .pxd after its .pyx
        if path.suffix in SOURCES:
            name = ".".join(path.relative_to(source).with_suffix("").parts)
            name = name.removesuffix(".__init__")
            is_module = path.suffix in (".py", ".pyx", ".pxd") and name not in found
            found[name if is_module else name + path.suffix] = path
    return found


def faults(source: Path, floor: dict[str, int]) -> list[str]:
    """What is wrong with the imports under ``source``."""
    files = modules(source)
    part = {name: [*name.split("."), "rvh"][1] for name in files}
    wrong = [f"{name} is on no floor: {ROW}" for name in files if part[name] not in floor]
    wrong += [f"{name} is a floor without files" for name in floor if name not in part.values()]
    found = arrows(files)
    across = [(a, b) for a in found for b in sorted(found[a]) if part[a] != part[b]]
    for a, b in across:
        if part[a] in floor and part[b] in floor and floor[part[a]] <= floor[part[b]]:
            wrong.append(f"{a} imports {b}, which is not below it")
        if part[b] == "_backend" and b not in ("rvh._backend", "rvh._backend.contract"):
            wrong.append(f"{a} imports {b}: {CHOICE}")
    for name, path in files.items():
        text = path.read_text("utf-8")
        wrong += [f"{name} has a relative import" for _ in re.findall(r"(?m)^\s*from \.", text)]
        if part[name] != "_backend":
            named = re.findall(r"rvh\._backend\.(?:_native|pure)", text)
            wrong += [f"{name} names {one}: {CHOICE}" for one in named]
    return wrong + circles(found)


def circles(found: Imports) -> list[str]:
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return [f"imports go round: {' -> '.join(error.args[1])}"]
    return []


def test_each_part_imports_only_what_is_below() -> None:
    assert faults(ROOT / "src", floors()) == []


def test_imports_of_the_benchmarks_do_not_go_round() -> None:
    """A script finds those of its own folder."""
    for folder in {path.parent for path in (ROOT / "benchmarks").rglob("*.py")}:
        assert circles(arrows({path.stem: path for path in folder.glob("*.py")})) == []


# -- a check that finds nothing proves nothing: faults in a small house of its own ----------------

HOUSE = {
    "__init__.py": "from rvh.nodes import NodeSet",
    "errors.py": "",
    "_backend/__init__.py": "from rvh._backend.contract import NAMES",
    "_backend/contract.py": "from rvh import errors",
    "_backend/_native.pyx": 'include "native/ring.pxi"',
    "_backend/_native.pyi": "",
    "_backend/native/kernels.pxd": "",
    "_backend/native/ring.pxi": "",
    "_backend/pure/__init__.py": "",
    "nodes.py": "from rvh._backend import NAMES",
    "cache.py": "from rvh.nodes import NodeSet",
    "filter.py": "import numpy as np\nimport rvh.errors",
}
FLOORS = {"errors": 0, "_backend": 1, "nodes": 2, "cache": 3, "filter": 3, "rvh": 4}


def house(folder: Path, *changed: tuple[str, str]) -> list[str]:
    for name, text in [*HOUSE.items(), *changed]:
        path = folder / "rvh" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return faults(folder, FLOORS)


def test_a_sound_house(tmp_path: Path) -> None:
    assert house(tmp_path) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("errors.py", "import rvh.nodes"),
        ("errors.py", "from rvh import nodes"),
        ("errors.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import rvh.nodes"),
        ("errors.py", "def f():\n    from rvh.nodes import NodeSet"),
        ("_backend/_native.pyi", "from rvh.nodes import NodeSet"),
        ("_backend/_native.pyx", "from rvh.nodes import (\n    NodeSet,\n)"),
        ("_backend/native/ring.pxi", "def f():\n    from rvh.nodes import NodeSet"),
        ("_backend/native/ring.pxi", "from rvh.nodes cimport NodeSet"),
        ("_backend/native/ring.pxi", "from rvh.nodes \\\n    import NodeSet"),
        ("_backend/native/ring.pxi", "from rvh.nodes  import (  # why (so)\n    NodeSet,\n)"),
        ("_backend/native/ring.pxi", "import os; import rvh.nodes"),
        ("_backend/native/ring.pxi", "if True: import rvh.nodes"),
        ("_backend/native/kernels.pxd", "from rvh.nodes cimport NodeSet"),
        ("_backend/_native.pxd", "from rvh.nodes cimport NodeSet"),
        ("errors.py", "import_module('rvh.nodes')"),
        ("_backend/native/ring.pxi", "__import__('rvh.nodes')"),
        ("cache.py", "from rvh.filter import zone"),
        ("nodes.py", "import rvh"),
    ],
)
def test_an_import_upwards_is_found(file: str, text: str, tmp_path: Path) -> None:
    assert any("which is not below it" in fault for fault in house(tmp_path, (file, text)))


@pytest.mark.parametrize(
    "text",
    [
        "from rvh._backend import pure",
        "from rvh._backend.pure import NAMES",
        "from rvh._backend._native import NAMES",
        "import_module('rvh._backend._native')",
    ],
)
def test_a_backend_by_name_is_found(text: str, tmp_path: Path) -> None:
    assert any(
        "chosen in rvh._backend alone" in fault for fault in house(tmp_path, ("nodes.py", text))
    )


def test_a_circle_in_a_folder_is_found(tmp_path: Path) -> None:
    one = ("_backend/pure/ring.py", "from rvh._backend.pure.points import HOW")
    (fault,) = house(tmp_path, one, ("_backend/pure/points.py", "import rvh._backend.pure.ring"))
    assert fault.startswith("imports go round: rvh._backend.pure.")


def test_a_relative_import_is_found(tmp_path: Path) -> None:
    (fault,) = house(tmp_path, ("filter.py", "from . import errors"))
    assert fault == "rvh.filter has a relative import"


def test_a_part_without_a_floor_is_found(tmp_path: Path) -> None:
    (fault,) = house(tmp_path, ("rooms.py", ""))
    assert fault.startswith("rvh.rooms is on no floor: ")
