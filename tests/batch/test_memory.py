"""Memory beyond input and output is bounded, at any number of keys and of nodes.

The peak of a process is what the system says it was: NumPy's, C's and Python's memory together.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sizes import examples
from subprocesses import output

import rvh

LIMIT = 32_000_000  # bytes
CLEAR = Path("/proc/self/clear_refs")

CHILD = """
import numpy as np
import rvh

def memory(name):
    with open("/proc/self/status") as status:
        (line,) = (line for line in status if line.startswith(name))
    return int(line.split()[1]) * 1024

ns = rvh.NodeSet([f"node{{n}}" for n in range({nodes})])
keys = {keys}
ns.argselect_batch(keys[:2], k={k})  # what is loaded and prepared once
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak starts again from here
before = memory("VmRSS:")
out = ns.{call}
print(memory("VmHWM:") - before - out.nbytes)
"""

# Less work, over the same number of nodes, where Python does all of it.
NATIVE = rvh.backend() == "native"
MANY, ROWS, FEW = (2_000_000, examples(2_000), 41) if NATIVE else (50_000, 10, 1)

CASES = {
    "many keys of S": (8, f"np.arange({MANY}).astype('S16')", 1, "argselect_batch(keys)"),
    "many keys of S, ids": (8, f"np.arange({MANY}).astype('S16')", 1, "select_batch(keys)"),
    "many keys of U": (8, f"np.arange({MANY}).astype('U8')", 3, "select_batch(keys, k=3)"),
    "many integers": (8, f"np.arange({MANY})", 8, "argselect_batch(keys, k=8)"),
    "many objects": (8, f"[f'key{{n}}' for n in range({MANY})]", 1, "argselect_batch(keys)"),
    "scores": (8, f"np.arange({MANY // 4})", 1, "score_batch(keys)"),
    "one node": (1, f"np.arange({MANY})", 1, "select_batch(keys)"),
    "two threads": (8, f"np.arange({MANY})", 3, "select_batch(keys, k=3, threads=2)"),
    "many nodes": (100_000, f"np.arange({ROWS}).astype('S16')", 1, "argselect_batch(keys)"),
    "many nodes, two threads": (
        100_000,
        f"np.arange({ROWS}).astype('S16')",
        1,
        "argselect_batch(keys, threads=2)",
    ),
    "many nodes, objects": (
        100_000,
        f"[f'key{{n}}' for n in range({ROWS})]",
        16,
        "select_batch(keys, k=16)",
    ),
    "many nodes, k of 1000": (
        100_000,
        f"np.arange({ROWS // 4})",
        1000,
        "argselect_batch(keys, k=1000)",
    ),
    "many nodes, large k": (
        100_000,
        f"np.arange({FEW})",
        50_000,
        "select_batch(keys, k=50_000)",
    ),
    "many nodes, all ranked, two threads": (
        100_000,
        f"np.arange({FEW})",
        100_000,
        "argselect_batch(keys, k=100_000, threads=2)",
    ),
    "many nodes, scores": (100_000, f"np.arange({FEW // 2 + 1})", 1, "score_batch(keys)"),
}


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not CLEAR.exists(),
    reason="only Linux tells the peak of a process from a point on",
)
@pytest.mark.parametrize("name", CASES)
def test_extra_memory(name: str) -> None:
    nodes, keys, k, call = CASES[name]
    keys = keys.replace("{{", "{").replace("}}", "}")
    extra = int(output(CHILD.format(nodes=nodes, keys=keys, k=k, call=call)))
    assert extra <= LIMIT, f"{extra / 1e6:.1f} MB"


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not CLEAR.exists(),
    reason="only Linux tells the peak of a process from a point on",
)
def test_the_measurement_sees_extra_memory() -> None:
    call = "argselect_batch([len(b'x' * 50_000_000)])"
    code = CHILD.format(nodes=2, keys="[1, 2]", k=1, call=call)
    assert int(output(code)) > LIMIT


def test_nothing_is_leaked() -> None:
    code = """
        import gc, resource, numpy as np, rvh
        def use():
            for secret in (b"", b"s" * 64):
                ns = rvh.NodeSet([f"node{n}" for n in range(500)], secret=secret)
                ns.select_batch(["é" * 50, 1, b"x" * 5000], k=100)
                ns.scores("key")
                for bad in (["a", None], np.array(["a", "\\ud800"])):
                    try:
                        ns.argselect_batch(bad)
                    except rvh.RVHError:
                        pass
                try:
                    rvh.NodeSet(["a"] * 500)
                except rvh.RVHError:
                    pass
        def rounds(n):
            for _ in range(n):
                use()
            gc.collect()
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        before = rounds(20)
        print(rounds(300) - before)
    """
    if sys.platform == "win32":
        pytest.skip("Windows has no getrusage")
    grown = int(output(code))
    # 300 rounds prepare 600 sets of 500 nodes: a set, or an error's set, that stayed would be seen
    assert grown < 10_000, f"{grown} KiB"
