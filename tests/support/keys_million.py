"""The keys that every engine answers for, and the answers of NumPy."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from sizes import keys_of_a_test

import rvh

#: a million in the large size
ROWS = keys_of_a_test(1_000_000, 50_000)
NODES = rvh.NodeSet([f"cache-{i}" for i in range(8)], scheme="murmur")
BYTES_NODES = rvh.NodeSet([b"cache-\xff", b"cache-\x01\xfe", b"cache"])


@cache
def keys() -> list[str]:
    return [f"user:{i:08d}" for i in range(ROWS)]


@cache
def answers(k: int) -> NDArray[np.str_]:
    """What `select_batch` says, shape (ROWS, k)."""
    return NODES.select_batch(np.array(keys()), k)
