"""One key at a time, and what is made once: latency, preparation, import."""

from __future__ import annotations

from . import data
from .common import SCHEMES, Timed, node_set, part


class Key(Timed):
    """The latency of one key."""

    param_names = ("scheme", "weighted", "nodes")
    params = (SCHEMES, [False, True], [3, 8, 16, 64, 256])

    def setup(self, scheme: str, weighted: bool, nodes: int) -> None:
        options = {"weights": data.weights(nodes)} if weighted else {}
        self.nodes = node_set(data.ids(nodes), scheme, **options)

    def time_select(self, *_: object) -> None:
        self.nodes.select("user:00001234")

    def time_select_3(self, *_: object) -> None:
        self.nodes.select("user:00001234", 3)

    def time_scores(self, *_: object) -> None:
        self.nodes.scores("user:00001234")


class Bucket(Timed):
    """The latency of one key in buckets and tables."""

    param_names = ("key",)
    params = (["user:00001234", 1234],)

    def setup(self, key: str | int) -> None:
        self.jump_hash = part("rvh.stable", "jump_hash")
        self.jumpback_hash = part("rvh.stable", "jumpback_hash")
        self.table = part("rvh.partitions", "PartitionTable")(node_set(data.ids(64)), 4096)

    def time_jump(self, key: str | int) -> None:
        self.jump_hash(key, 1000)

    def time_jumpback(self, key: str | int) -> None:
        self.jumpback_hash(key, 1000)

    def time_lookup(self, key: str | int) -> None:
        self.table.lookup(key)


class Preparation(Timed):
    """A NodeSet, and one with a node more."""

    param_names = ("scheme", "nodes")
    params = (SCHEMES, [16, 4096])

    def setup(self, scheme: str, nodes: int) -> None:
        self.ids = data.ids(nodes)
        self.nodes = node_set(self.ids, scheme)

    def time_node_set(self, scheme: str, nodes: int) -> None:
        node_set(self.ids, scheme)

    def time_add(self, *_: object) -> None:
        self.nodes.add("new")


class Import:
    """`import rvh` where NumPy is there already."""

    def timeraw_import(self) -> tuple[str, str]:
        return "import rvh", "import numpy"
