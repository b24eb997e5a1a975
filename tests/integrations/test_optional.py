"""Each integration says what it needs, and documents the whole of what it gives."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any

import pytest
from subprocesses import output

import rvh.integrations

ENGINES = [
    module.name
    for module in pkgutil.iter_modules(rvh.integrations.__path__)
    if not module.name.startswith("_")
]
#: what is imported, where it has another name
PACKAGES = {engine: engine for engine in ENGINES} | {"spark": "pyspark"}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_missing_engine_is_named(engine: str) -> None:
    code = f"""
        import sys
        sys.modules[{PACKAGES[engine]!r}] = None
        try:
            import rvh.integrations.{engine}
        except ImportError as error:
            print(error)
    """
    assert f"pip install 'rvh[{engine}]'" in output(code)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_package_lists_it(engine: str) -> None:
    assert f"``{engine}``" in (rvh.integrations.__doc__ or "")


def functions(module: Any) -> list[tuple[str, Any]]:
    """What users call: functions, classes with options, and ``select`` of namespaces."""
    public = [(name, getattr(module, name)) for name in module.__all__]
    methods = [
        (f"{name}.select", value.select) for name, value in public if hasattr(value, "select")
    ]
    return [(name, value) for name, value in public if not hasattr(value, "select")] + methods


@pytest.mark.parametrize("engine", ENGINES)
def test_docstrings(engine: str) -> None:
    # Where it is missing, collecting doctests has left a module that got no further.
    pytest.importorskip(PACKAGES[engine], reason=f"{engine} is missing")
    module = importlib.import_module(f"rvh.integrations.{engine}")
    assert f"from rvh.integrations.{engine} import" in module.__doc__ or ">>> " in module.__doc__
    for name, function in functions(module):
        text = inspect.getdoc(function) or ""
        sections = ["Parameters", "Raises", "Examples"]
        if not inspect.isclass(function):
            sections.append("Returns")
        for section in sections:
            assert f"\n{section}\n{'-' * len(section)}\n" in text, (name, section)
        parameters = text.split("Parameters\n----------\n")[1].split("\n\n")[0]
        explained = {
            word.strip()
            for line in parameters.splitlines()
            if not line.startswith(" ")
            for word in line.strip("*").partition(":")[0].split(",")
        }
        assert explained == set(inspect.signature(function).parameters) - {"self"}, name
