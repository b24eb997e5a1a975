"""The cache of selections: hits of one key, and batches."""

from __future__ import annotations

from . import data
from .common import Timed, node_set, part

KEYS = 65_536


class Cached(Timed):
    """Keys by Zipf, with room for some or for all of them."""

    param_names = ("policy", "maxsize")
    params = (["lru", "arc"], [1_000, 100_000])

    def setup(self, policy: str, maxsize: int) -> None:
        cache = part("rvh.cache", "SelectionCache")
        self.cache = cache(node_set(data.ids(64)), maxsize, policy)
        self.keys = data.KEYS["S, Zipf"](KEYS)
        self.one = self.keys[:1].tolist()[0]
        self.cache.argselect_batch(self.keys)

    def time_batch(self, *_: object) -> None:
        self.cache.argselect_batch(self.keys, threads=1)

    def time_hits(self, *_: object) -> None:
        select, one = self.cache.select, self.one
        for _i in range(1000):
            select(one)
