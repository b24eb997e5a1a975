"""Same region first."""

from __future__ import annotations

import numpy as np

from . import data
from .common import SCHEMES, Timed, node_set, part

KEYS = 65_536


class Geo(Timed):
    """A batch of keys among 500 nodes at random places, by geohash."""

    param_names = ("scheme", "precision")
    params = (SCHEMES, [12, 2])

    def setup(self, scheme: str, precision: int) -> None:
        geo_set = part("rvh.geohash", "GeoSet")
        letters = np.array(list("0123456789bcdefghjkmnpqrstuvwxyz"))
        rng = np.random.default_rng(6)

        def places(count: int) -> np.ndarray:
            return letters[rng.integers(0, 32, (count, 12))].view("U12")[:, 0]

        self.nodes, self.places = node_set(data.ids(500), scheme), places(500)
        self.new = lambda: geo_set(self.nodes, self.places, precision=precision)
        self.geo = self.new()
        self.keys, self.geohashes = data.integers(KEYS), places(KEYS).astype("S")

    def time_argselect(self, scheme: str, precision: int) -> None:
        self.geo.argselect_batch(self.keys, 3, geohash=self.geohashes, threads=1)

    def time_build(self, scheme: str, precision: int) -> None:
        self.new()
