"""Bounded load, and what it does to a stream."""

from __future__ import annotations

import numpy as np

from . import data
from .common import SCHEMES, Timed, node_set, part

KEYS = 65_536


class Balanced(Timed):
    """All keys at once."""

    param_names = ("scheme", "load_factor")
    params = (SCHEMES, [1.0, 1.05, 2.0])

    def setup(self, scheme: str, load_factor: float) -> None:
        self.assign = part("rvh.balanced", "argassign_balanced")
        self.nodes = node_set(data.ids(64), scheme)
        self.keys = data.KEYS["S"](KEYS)

    def time_assign(self, scheme: str, load_factor: float) -> None:
        self.assign(self.nodes, self.keys, load_factor, threads=1)


class Stream(Timed):
    """A batch that comes to keys that are held, and goes."""

    def setup(self) -> None:
        self.assigner = part("rvh.balanced", "BalancedAssigner")(node_set(data.ids(64), "murmur"))
        self.assigner.assign_batch(np.arange(KEYS))
        self.batch = np.arange(KEYS, KEYS + 4096)

    def time_assign_and_release(self) -> None:
        self.assigner.assign_batch(self.batch, threads=1)
        self.assigner.release(self.batch)
