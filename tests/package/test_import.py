"""`import rvh` loads NumPy and nothing else from outside the standard library."""

from __future__ import annotations

import pkgutil
import tomllib

import pytest
from folders import ROOT
from subprocesses import output

import rvh

# What Cython keeps in sys.modules for itself comes from no file.
LOADED = """
import sys
before = set(sys.modules)
import numpy
numpy_alone = set(sys.modules)
import rvh
for name in sorted(set(sys.modules) - before):
    top = name.partition(".")[0]
    file = getattr(sys.modules[name], "__file__", None)
    if top not in ("rvh", "numpy") and top not in sys.stdlib_module_names and file:
        print(name)
"""
NEVER = (
    *("asyncio", "typer", "rich", "click", "concurrent.futures", "ctypes"),
    *("pyarrow", "pandas", "polars", "duckdb", "datafusion", "pymemcache"),
    *("opentelemetry", "prometheus_client", "grpc", "google.protobuf", "flatbuffers"),
)
#: parts of rvh that are not needed to place keys, and load what an extra installs
OPTIONAL = (
    *("rvh._nodelist", "rvh._tables", "rvh.bench", "rvh.cli", "rvh.integrations"),
    *("rvh.membership", "rvh.observe", "rvh.placements", "rvh.rpc"),
)


@pytest.mark.parametrize("force", ["0", "1"], ids=["default backend", "Python"])
def test_nothing_from_outside(force: str) -> None:
    assert output(LOADED, "-W", "ignore", RVH_FORCE_PYTHON=force) == ""


@pytest.mark.parametrize("force", ["0", "1"], ids=["default backend", "Python"])
def test_nothing_heavy_beside_numpy(force: str) -> None:
    code = f"""
        import sys, numpy
        before = set(sys.modules)
        import rvh
        print([name for name in {NEVER!r} if name in set(sys.modules) - before])
        print([name for name in sys.modules if name.startswith({OPTIONAL!r})])
    """
    assert output(code, "-W", "ignore", RVH_FORCE_PYTHON=force) == "[]\n[]\n"


def test_using_it_loads_nothing_more() -> None:
    code = """
        import rvh, sys
        before = set(sys.modules)
        ns = rvh.NodeSet(["a", "b"])
        ns.select("x"), ns.select_batch(["x"]), ns.score_batch([1]), ns.scores("x")
        print(sorted(set(sys.modules) - before))
        print("hashlib" in sys.modules)
        ns.fingerprint
        print("hashlib" in sys.modules)
    """
    # The twin hashes with it; the compiled backend leaves those 3 ms to who asks for a fingerprint.
    loaded = rvh.backend() == "python"
    assert output(code, "-W", "ignore") == f"[]\n{loaded}\nTrue\n"


PARTS = [
    name
    for _, name, _ in pkgutil.iter_modules(rvh.__path__)
    if not name.startswith("_") and f"rvh.{name}" not in OPTIONAL
]


def test_every_part_that_needs_no_extra_is_there_when_asked_for() -> None:
    code = f"import rvh; print([name for name in {PARTS!r} if not hasattr(rvh, name)])"
    assert {"multi", "ring", "typing"} <= {*PARTS}
    assert output(code, "-W", "ignore") == "[]\n"


def test_the_version_is_one_version() -> None:
    from importlib.metadata import version

    assert rvh.__version__ == version("rvh")


def test_a_tree_that_nothing_has_built_says_so() -> None:
    """As a build without tags or history does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    unknown = project["tool"]["setuptools_scm"]["fallback_version"]
    code = """
        import sys
        sys.modules["rvh._version"] = None  # as if there were none
        import rvh
        print(rvh.__version__)
    """
    assert output(code, "-W", "ignore") == f"{unknown}\n"
