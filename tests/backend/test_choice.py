"""The one choice of backend: what is in the environment, and what was built.

It is made at import, so each case is a process of its own.
"""

from __future__ import annotations

import pytest
from subprocesses import output, python

import rvh

#: puts a finder before all others that answers for rvh._backend._native
HIDE = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "rvh._backend._native":
            raise {error}
sys.meta_path.insert(0, Finder())
"""
ABSENT = HIDE.format(error='ModuleNotFoundError("No module named rvh._backend._native", name=name)')
RECORD = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import rvh
    import rvh.cpu, rvh.nodes
    rvh.select_batch(["a", "b"], ["x"])
    rvh.select_batch(["a", "b"], ["x"])
"""


def test_backend_names_what_is_in_use() -> None:
    assert rvh.backend() in ("native", "python")


@pytest.mark.parametrize("value", ["1", "yes", "true", "2"])
def test_force_python(value: str) -> None:
    code = f"""{RECORD}
print(rvh.backend(), rvh.cpu.active(), rvh.cpu.available(), len(caught))
print("rvh._backend._native" in sys.modules)
"""
    assert output("import sys\n" + code, RVH_FORCE_PYTHON=value) == "python python () 0\nFalse\n"


@pytest.mark.parametrize("value", ["0", "", None])
def test_native_where_it_was_built(native: object, value: str | None) -> None:
    code = RECORD + "print(rvh.backend(), len(caught))"
    assert output(code, RVH_FORCE_PYTHON=value) == "native 0\n"


def test_one_warning_where_no_extension_was_built() -> None:
    code = f"""{ABSENT}{RECORD}
print(rvh.backend(), rvh.NodeSet(["alpha", "beta", "gamma"]).select("txn-42", 3))
print([(w.category.__name__, w.filename) for w in caught])
print(caught[0].message)
"""
    first, second, message, *rest = output(code, RVH_FORCE_PYTHON=None).splitlines()
    assert first == "python ['gamma', 'beta', 'alpha']"
    assert second == "[('RuntimeWarning', '<string>')]"  # it points at the caller's import
    assert "compiler" in message  # how to get the fast one,
    assert "RVH_FORCE_PYTHON=1" in message  # and how to be told no more
    assert not rest


def test_no_warning_where_python_was_chosen() -> None:
    code = f"{ABSENT}{RECORD}\nprint(rvh.backend(), len(caught))"
    assert output(code, RVH_FORCE_PYTHON="1") == "python 0\n"


@pytest.mark.parametrize(
    "error",
    [
        'ImportError("undefined symbol: blake2_simd_row")',
        'ModuleNotFoundError("No module named numpy.other", name="numpy.other")',
        'OSError("file too short")',
    ],
)
def test_a_broken_extension_raises_its_own_error(error: str) -> None:
    done = python(HIDE.format(error=error) + "import rvh", RVH_FORCE_PYTHON=None)
    assert done.returncode == 1
    kind, _, rest = error.partition("(")
    said = rest.split('"')[1]
    assert done.stderr.splitlines()[-1].endswith(f"{kind}: {said}")
    assert "RuntimeWarning" not in done.stderr


def test_both_backends_give_the_same_answers_in_processes_of_their_own(native: object) -> None:
    code = """
        import numpy as np, rvh
        ns = rvh.NodeSet(["a", "bé", "c" * 200], secret=b"s")
        keys = ["x", b"y" * 300, -1, "é"]
        print(ns.fingerprint, ns.select_batch(keys, 3).tolist(), ns.score_batch(keys).tolist())
        print(ns.argselect_batch(np.arange(50, dtype=">i4")).ravel().tolist(), ns.scores("q"))
    """
    native_says, python_says = (
        output(code, RVH_FORCE_PYTHON=value, PYTHONUTF8="1") for value in (None, "1")
    )
    assert native_says == python_says
