"""Keys in arrays have the bytes of their values, in whichever order the processor has them."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import rvh

NODES = rvh.NodeSet(["a", "b", "c", "d", "e"])
#: a value whose bytes all differ, and the ends
KEYS = {
    **{
        f"{kind}{8 * size}": [
            int(0x0102030405060708 >> 64 - 8 * size),
            0,
            int(np.iinfo(f"{kind}{size}").max),
        ]
        for kind in "iu"
        for size in (2, 4, 8)
    },
    "U": ["obj", "größe", "\U0001f600"],
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", KEYS)
def test_either_order_is_the_value(name: str, order: str) -> None:
    keys = KEYS[name]
    kind = "U9" if name == "U" else f"{name[0]}{int(name[1:]) // 8}"
    array = np.array(keys, dtype=f"{order}{kind}")
    assert array.dtype.isnative == ((order == "<") == (sys.byteorder == "little"))
    assert NODES.score_batch(array).tolist() == NODES.score_batch(keys).tolist()
    assert NODES.select_batch(array, 3).tolist() == [NODES.select(key, 3) for key in keys]
