"""Jump hash, JumpBackHash, partition tables, composite keys."""

from __future__ import annotations

import numpy as np

from . import data
from .common import SETS, Timed, force, node_set, part

KEYS = 65_536


class Jump(Timed):
    """Bucket numbers of integers."""

    param_names = ("isa", "buckets")
    params = (SETS, [10, 1000, 10**6])

    def setup(self, isa: str, buckets: int) -> None:
        force(isa)
        self.jump_batch = part("rvh.stable", "jump_batch")
        self.jumpback_batch = part("rvh.stable", "jumpback_batch")
        self.keys = data.integers(KEYS)

    def time_jump(self, isa: str, buckets: int) -> None:
        self.jump_batch(self.keys, buckets, threads=1)

    def time_jumpback(self, isa: str, buckets: int) -> None:
        self.jumpback_batch(self.keys, buckets, threads=1)


class NamedBuckets(Timed):
    """Several named buckets of a key."""

    param_names = ("k",)
    params = ([1, 3],)

    def setup(self, k: int) -> None:
        self.selector = part("rvh.stable", "StableSelector")(data.ids(64))
        self.keys = data.KEYS["S"](KEYS // 4)

    def time_argselect(self, k: int) -> None:
        self.selector.argselect_batch(self.keys, k, threads=1)


class Table(Timed):
    """Lookups in a table of partitions, and changing it."""

    param_names = ("k", "names")
    params = ([1, 3], ["U", "S"])

    def setup(self, k: int, names: str) -> None:
        ids = data.ids(64) if names == "U" else [name.encode() for name in data.ids(64)]
        self.table = part("rvh.partitions", "PartitionTable")(node_set(ids), 4096, k)
        self.keys = data.KEYS["S"](KEYS)
        self.new = "new" if names == "U" else b"new"

    def time_lookup(self, *_: object) -> None:
        self.table.lookup_batch(self.keys, threads=1)

    def time_arglookup(self, *_: object) -> None:
        self.table.arglookup_batch(self.keys, threads=1)

    def time_add(self, *_: object) -> None:
        self.table.add(self.new, threads=1)


class TableBuild(Timed):
    """Making a table."""

    def setup(self) -> None:
        self.table = part("rvh.partitions", "PartitionTable")
        self.nodes = node_set(data.ids(64))

    def time_build(self) -> None:
        self.table(self.nodes, 4096, threads=1)


class Composite(Timed):
    """Keys of three columns."""

    def setup(self) -> None:
        self.compose_keys = part("rvh.multi", "compose_keys")
        self.select_multi = part("rvh.multi", "select_multi")
        self.nodes = node_set(data.ids(16))
        self.columns = (np.arange(KEYS // 4), data.KEYS["U"](KEYS // 4), 7)

    def time_compose(self) -> None:
        self.compose_keys(*self.columns)

    def time_select(self) -> None:
        self.select_multi(self.nodes, self.columns, threads=1)
