"""Replicas among the living, spread over domains; repair."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import data
from .common import SCHEMES, Timed, node_set, part

KEYS = 16_384


class Spread(Timed):
    """Three replicas of 64 nodes in 8 zones with two racks each; every tenth node is dead."""

    param_names = ("scheme", "spread")
    params = (SCHEMES, ["none", "zone", "zone, rack"])

    def setup(self, scheme: str, spread: str) -> None:
        fault_set = part("rvh.faultset", "FaultSet")
        numbers = np.arange(64)
        domains = {"zone": numbers % 8, "rack": numbers // 8 % 2}
        self.faults: Any = fault_set(node_set(data.ids(64), scheme), numbers % 10 != 5, domains)
        self.spread = None if spread == "none" else spread.split(", ")
        self.keys = data.KEYS["S"](KEYS)
        self.current = self.faults.select_batch(self.keys, 3, self.spread).nodes

    def time_argselect(self, *_: object) -> None:
        self.faults.argselect_batch(self.keys, 3, self.spread, threads=1)

    def time_repair(self, *_: object) -> None:
        self.faults.repair(self.keys, self.current, 3, self.spread, threads=1)
