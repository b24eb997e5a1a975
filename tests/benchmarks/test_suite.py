"""The asv suite runs: every benchmark once, and also with a version of rvh that has less."""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from folders import ROOT

import rvh

BENCHMARKS = ROOT / "benchmarks"
MODULES = sorted(path.stem for path in (BENCHMARKS / "suite").glob("[!_]*.py"))
ARROW = ("string", "string_view", "dictionary")
sys.path.insert(0, str(BENCHMARKS))


def classes() -> Iterator[Any]:
    for name in MODULES:
        module = import_module(f"suite.{name}")
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ == module.__name__ and calls(cls):
                yield cls


def calls(cls: type) -> list[str]:
    return [name for name in dir(cls) if name.startswith(("time_", "timeraw_", "peakmem_"))]


def corners(cls: Any) -> list[tuple[Any, ...]]:
    """The first and the last values of the parameters, on the instruction set in use."""
    params = getattr(cls, "params", ())
    lists = list(params if isinstance(params, tuple) else (params,))
    if "isa" in getattr(cls, "param_names", ()):
        lists[cls.param_names.index("isa")] = [rvh.cpu.active()]
    first, last = (tuple(values[n] for values in lists) for n in (0, -1))
    return [first] if first == last else [first, last]


SMALL = [
    pytest.param(cls, values, id=f"{cls.__name__}-{values}")
    for cls in classes()
    for values in corners(cls)
]


@pytest.mark.parametrize(("cls", "values"), SMALL)
def test_runs(cls: Any, values: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    if "python" in values:
        pytest.skip("this benchmark forces instruction sets, and the Python backend has none")
    module = import_module(cls.__module__)
    if hasattr(module, "KEYS"):
        monkeypatch.setattr(module, "KEYS", 64)
    if "RVH_ISA" not in os.environ:  # the benchmark sets it: here it comes back as it was
        monkeypatch.setenv("RVH_ISA", rvh.cpu.active())
    made = cls()
    if hasattr(made, "setup"):
        made.setup(*values)
    for name in calls(cls):
        getattr(made, name)(*values)


def test_another_set_than_the_one_in_use_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    force = import_module("suite.common").force
    monkeypatch.setenv("RVH_ISA", "")
    with pytest.raises(NotImplementedError, match="no of_the_future here"):
        force("of_the_future")
    others = set(rvh.cpu.available()) - {rvh.cpu.active()}
    for isa in others:  # asv's processes are new, so there it can be chosen
        with pytest.raises(RuntimeError, match="was chosen before"):
            force(isa)


def test_every_class_is_met() -> None:
    assert len(SMALL) >= 30


def test_a_version_without_a_module_or_an_option_is_not_available(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    common, other = import_module("suite.common"), import_module("suite.other")
    monkeypatch.setitem(sys.modules, "rvh.stable", None)
    with pytest.raises(NotImplementedError, match=r"no rvh\.stable\.StableSelector"):
        other.NamedBuckets().setup(1)
    with pytest.raises(NotImplementedError, match="no scheme of_the_future with"):
        common.node_set(["a"], "of_the_future")
    with pytest.raises(NotImplementedError, match=r"with \['option'\]"):
        common.node_set(["a"], option=1)


#: append-only: a data set that changes makes new figures and old ones unlike
DIGESTS = {
    "S": "ba8c7cac57772157",
    "U": "75664d0ec669be0d",
    "list of str": "75664d0ec669be0d",
    "StringDType": "75664d0ec669be0d",
    "int64": "2027d56bc442ba0a",
    "S, 100 bytes": "c6ed84041080ccc3",
    "S, 8 to 120 bytes": "4ac37de49c7ff0d2",
    "S, Zipf": "88ed1dae47db193b",
    "arrow string": "75664d0ec669be0d",
    "arrow string_view": "75664d0ec669be0d",
    "arrow dictionary": "b92df5f8ebd1d898",
    "ids": "04acbfd66f191ef6",
    "weights": "387733c3d31a860d",
    "S, 4 to 60 bytes": "89dbfaaa8f07c2e7",
    "ids of 9 lengths": "feb344576246d5f4",
}


def test_data_sets_are_what_they_were() -> None:
    data = import_module("suite.data")
    values = {kind: list(make(500)) for kind, make in data.KEYS.items() if "arrow" not in kind}
    values |= {f"arrow {kind}": data.KEYS[f"arrow {kind}"](500).to_pylist() for kind in ARROW}
    values |= {"ids": data.ids(64), "ids of 9 lengths": data.ids_of_9_lengths(64)}
    values |= {"weights": data.weights(64).tolist()}
    found = {
        name: hashlib.blake2b(repr([str(v) for v in of]).encode(), digest_size=8).hexdigest()
        for name, of in values.items()
    }
    assert found == DIGESTS
