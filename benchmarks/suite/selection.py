"""Batches: instruction set, keys, nodes, k, kind of keys, scheme, weights, threads.

All eight together would be thousands of measurements that say little of each other, so each class
crosses those that act on one another and keeps the rest at 16,384 `S` keys, 64 nodes, k = 1, one
thread, no weights.
"""

from __future__ import annotations

from typing import Any

from . import data
from .common import SCHEMES, SETS, Timed, force, node_set

KEYS = 16_384


class Nodes(Timed):
    """The kernels over few and many nodes, by each instruction set."""

    param_names = ("isa", "scheme", "nodes")
    params = (SETS, SCHEMES, [3, 8, 16, 64, 1024])

    def setup(self, isa: str, scheme: str, nodes: int) -> None:
        force(isa)
        self.nodes = node_set(data.ids(nodes), scheme)
        self.keys = data.KEYS["S"](KEYS if nodes < 1024 else KEYS // 8)

    def time_argselect(self, *_: object) -> None:
        self.nodes.argselect_batch(self.keys, threads=1)


class Small(Timed):
    """Few nodes, as most have them: names of nine lengths, keys of many, replicas, weights."""

    param_names = ("scheme", "nodes", "kind")
    params = (
        SCHEMES,
        [3, 8],
        ["9 lengths", "mixed keys", "9 lengths, mixed keys", "k=3", "weighted"],
    )

    def setup(self, scheme: str, nodes: int, kind: str) -> None:
        ids = (data.ids_of_9_lengths if "9 lengths" in kind else data.ids)(nodes)
        options = {"weights": data.weights(nodes)} if kind == "weighted" else {}
        self.nodes = node_set(ids, scheme, **options)
        self.keys = data.KEYS["S, 4 to 60 bytes" if "mixed keys" in kind else "S"](KEYS)
        self.k = 3 if kind == "k=3" else 1

    def time_argselect(self, *_: object) -> None:
        self.nodes.argselect_batch(self.keys, self.k, threads=1)


class Scores(Timed):
    """All scores of every pair."""

    param_names = ("isa", "scheme", "weighted")
    params = (SETS, SCHEMES, [False, True])

    def setup(self, isa: str, scheme: str, weighted: bool) -> None:
        force(isa)
        options = {"weights": data.weights(64)} if weighted else {}
        self.nodes = node_set(data.ids(64), scheme, **options)
        self.keys = data.KEYS["S"](KEYS // 8)

    def time_score(self, *_: object) -> None:
        self.nodes.score_batch(self.keys, threads=1)


class Replicas(Timed):
    """The best k, with weights and without."""

    param_names = ("scheme", "weighted", "k")
    params = (SCHEMES, [False, True], [1, 3, 10, 64])

    def setup(self, scheme: str, weighted: bool, k: int) -> None:
        options = {"weights": data.weights(64)} if weighted else {}
        self.nodes = node_set(data.ids(64), scheme, **options)
        self.keys = data.KEYS["S"](KEYS)

    def time_argselect(self, scheme: str, weighted: bool, k: int) -> None:
        self.nodes.argselect_batch(self.keys, k, threads=1)


class Kinds(Timed):
    """Keys of every kind."""

    param_names = ("scheme", "kind")
    params = (SCHEMES, list(data.KEYS))

    def setup(self, scheme: str, kind: str) -> None:
        self.nodes = node_set(data.ids(64), scheme)
        self.keys = data.KEYS[kind](KEYS)
        try:
            self.nodes.argselect_batch(self.keys[:1])
        except (TypeError, ValueError):
            raise NotImplementedError(f"no {kind} in this version") from None

    def time_argselect(self, *_: object) -> None:
        self.nodes.argselect_batch(self.keys, threads=1)


class Sizes(Timed):
    """From one key to many, with the ids as the answer."""

    param_names = ("scheme", "keys")
    params = (SCHEMES, [1, 16, 1_000, 100_000])

    def setup(self, scheme: str, keys: int) -> None:
        self.nodes = node_set(data.ids(64), scheme)
        self.keys = data.KEYS["U"](keys)

    def time_select(self, *_: object) -> None:
        self.nodes.select_batch(self.keys, threads=1)


class Threads(Timed):
    """Threads of one call."""

    param_names = ("scheme", "threads")
    params = (SCHEMES, [1, 2, 4])

    def setup(self, scheme: str, threads: int) -> None:
        self.nodes = node_set(data.ids(64), scheme)
        self.keys = data.KEYS["S"](8 * KEYS)

    def time_argselect(self, scheme: str, threads: int) -> None:
        self.nodes.argselect_batch(self.keys, threads=threads)


class Repeated(Timed):
    """Keys that come again, each scored every time or once."""

    param_names = ("scheme", "kind", "dedupe")
    params = (SCHEMES, ["S", "S, Zipf"], [False, True, "auto"])

    def setup(self, scheme: str, kind: str, dedupe: bool | str) -> None:
        self.nodes: Any = node_set(data.ids(64), scheme)
        self.keys = data.KEYS[kind](8 * KEYS)
        try:
            self.nodes.argselect_batch(self.keys[:1], dedupe=dedupe)
        except TypeError:
            raise NotImplementedError("no deduplication in this version") from None

    def time_argselect(self, scheme: str, kind: str, dedupe: bool | str) -> None:
        self.nodes.argselect_batch(self.keys, threads=1, dedupe=dedupe)
