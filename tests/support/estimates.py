"""Estimates whose reports the tests look at."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from rvh import NodeSet
from rvh.migration import Estimate, Migration
from rvh.ring import ketama
from rvh.stable import StableSelector

__all__ = ["ESTIMATES", "EVIL", "estimate_of", "few", "many", "odd", "some"]

#: ids that would break a page that takes them for markup, or for text in its own direction
EVIL: list[str | bytes] = [
    "<script>alert(1)</script>",
    "\u202eright to left",
    "\u05e9\u05dc\u05d5\u05dd-1",
    "\"'&amp;<img src=x onerror=alert(2)>",
    "x" * 200,
    b"\xff\x00\n",
]


@cache
def few() -> Estimate:
    """A fourth node, in one of two zones; sizes and steps."""
    old = [f"node-{n}" for n in range(1, 4)]
    zones = dict(zip([*old, "node-4"], ["eu-1", "eu-2", "eu-1", "eu-2"], strict=True))
    migration = Migration(NodeSet(old), NodeSet([*old, "node-4"]))
    sizes = np.arange(3000) * 1000
    return migration.estimate(range(3000), sizes=sizes, domains={"zone": zones}, steps=10)


def leaving(count: int) -> Estimate:
    """So many nodes with long names, in three zones, that leave a ring."""
    nodes = [f"cache-{n:04}.eu-west-{n % 3}.compute.example.com:11211" for n in range(count)]
    zones = {node: f"eu-west-{n % 3}" for n, node in enumerate(nodes)}
    migration = Migration(ketama(nodes), StableSelector(nodes))
    keys = [f"key{n}" for n in range(20_000)]
    return migration.estimate(keys, sizes=4096, domains={"zone": zones}, steps=20)


@cache
def some() -> Estimate:
    """More nodes than have a bar, a row and a column each."""
    return leaving(45)


@cache
def many() -> Estimate:
    return leaving(1000)


@cache
def odd() -> Estimate:
    """From a ring to other nodes, with ids and labels that are hostile."""
    texts = [node for node in EVIL if isinstance(node, str)]
    zones: dict[Any, str] = dict.fromkeys([*EVIL, "left"], "<i>zone</i>") | {"left": "other"}
    migration = Migration(ketama([*texts, "left"]), NodeSet(EVIL, range(1, 7)))
    return migration.estimate([f"key{n}" for n in range(2000)], domains={"<b>": zones})


ESTIMATES = {"few": few, "some": some, "many": many, "odd": odd}


def estimate_of(name: str) -> Estimate:
    return ESTIMATES[name]()
