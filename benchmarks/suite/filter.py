"""Masks from conditions on nodes."""

from __future__ import annotations

import numpy as np

from . import data
from .common import Timed, node_set, part


class Filter(Timed):
    """A condition of three on many nodes."""

    def setup(self) -> None:
        zone, alive, capacity = (part("rvh.filter", name) for name in ("zone", "alive", "capacity"))
        self.condition = alive() & zone("zone-1*") & ~capacity(500)
        self.nodes = node_set(data.ids(10_000))
        numbers = np.arange(10_000)
        self.known = {
            "alive": numbers % 10 > 0,
            "capacity": numbers % 1000,
            "zone": np.char.add("zone-", (numbers % 20).astype(str)),
        }

    def time_mask(self) -> None:
        self.condition(self.nodes, self.known)
