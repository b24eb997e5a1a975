"""The peak of a process that makes one large call: keys, answer and NumPy are in it."""

from __future__ import annotations

from . import data
from .common import node_set


class Memory:
    """Does not grow with keys x nodes."""

    param_names = ("keys", "nodes", "k")
    params = ([1_000_000], [8, 64], [1, 3])
    timeout = 120

    def setup(self, keys: int, nodes: int, k: int) -> None:
        self.nodes = node_set(data.ids(nodes))
        self.keys = data.integers(keys)

    def peakmem_argselect(self, keys: int, nodes: int, k: int) -> None:
        self.nodes.argselect_batch(self.keys, k)
