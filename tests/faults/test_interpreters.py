"""A second interpreter of a process: it has rvh, or an ImportError says that it has not."""

from __future__ import annotations

import sys

import pytest
from subprocesses import python

import rvh

#: runs `code` in interpreters of both kinds, one after the other; each has a buffer of its own
SUBINTERPRETERS = """
import sys
{first}
code = '''
try:
    import rvh
    print(rvh.NodeSet(["a", "b", "c"]).select("user:1"), flush=True)
except ImportError as error:
    print("ImportError:", str(error).splitlines()[0], flush=True)
'''
if sys.version_info < (3, 13):
    import _xxsubinterpreters as interpreters
    kinds, run = (dict(isolated=True), dict(isolated=False)), interpreters.run_string
    made = [interpreters.create(**kind) for kind in kinds]
else:
    import _interpreters as interpreters
    made, run = [interpreters.create(kind) for kind in ("isolated", "legacy")], interpreters.exec
for each in made * 2:
    if trouble := run(each, code):
        print(trouble, flush=True)
for each in made:
    interpreters.destroy(each)
{last}
"""
ASK = 'import rvh\nprint(rvh.NodeSet(["a", "b", "c"]).select("user:1"), flush=True)'


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="they are CPython's")
@pytest.mark.parametrize("first", ["", ASK])
def test_a_second_interpreter_has_rvh_or_an_error(first: str) -> None:
    done = python(SUBINTERPRETERS.format(first=first, last=first), "-W", "ignore")
    assert (done.returncode, done.stderr) == (0, "")
    right = str(rvh.NodeSet(["a", "b", "c"]).select("user:1"))
    lines = done.stdout.splitlines()
    if first:  # the interpreter that had it first goes on with it
        assert (lines.pop(0), lines.pop()) == (right, right)
        assert right not in lines
    assert len(lines) == 4
    for line in lines:
        assert line == right or line.startswith("ImportError: "), line
    if first and rvh.backend() == "native":
        assert all("one interpreter of a process alone" in line for line in lines)
