"""How fast each peer is: rounds in which all take turns, one block of the same task after another.

A peer that is missing, fails or has no interface for a task has a status that says so, and no
figure.
"""

from __future__ import annotations

import gc
import math
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from typing import Any

from peers_guarantees import Seen, look, same_as_rvh, unseen
from peers_table import KEYS, Chooser, Peer, Task, UnsupportedError

OK = "ok"
Make = Callable[[Task], Chooser]


@dataclass(frozen=True)
class Scale:
    nodes: tuple[int, ...]
    seconds: float  # of one peer in one round
    most_keys: int  # of one call
    seen_keys: int  # of a look at the answers


FULL = Scale((8, 64, 1024), 0.1, 1 << 18, 100_000)
QUICK = Scale((8, 64), 0.01, 1 << 14, 2000)


@dataclass(frozen=True)
class Block:
    """The task that all peers are given."""

    nodes: int
    k: int = 1
    weighted: bool = False

    def task(self) -> Task:
        weights = [1 + i % 3 for i in range(self.nodes)] if self.weighted else None
        return Task(ids(self.nodes), self.k, weights)


@dataclass
class Measured:
    status: str = OK
    keys: int = 0
    rates: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        return statistics.median(self.rates) if self.rates else None


@dataclass
class Row:
    peer: Peer
    version: str
    blocks: dict[Block, Measured] = field(default_factory=dict)
    seen: Seen = field(default_factory=unseen)

    @property
    def status(self) -> str:
        """Of the whole row: why it has no figure at all, else ok."""
        found = [measured.status for measured in self.blocks.values()]
        return found[0] if found and OK not in found else OK


def ids(count: int) -> list[str]:
    return [f"cache-{i:03d}.eu-west-1:11211" for i in range(count)]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def blocks(scale: Scale) -> list[Block]:
    return [
        *(Block(nodes, k) for nodes in scale.nodes for k in (1, 3)),
        *(Block(nodes, weighted=True) for nodes in scale.nodes),
    ]


@lru_cache(maxsize=8)
def every_key(form: str, count: int) -> Any:
    return KEYS[form](count)


def ready(peer: Peer, chooser: Chooser, count: int, most: int) -> Any:
    """The first `count` keys as the peer takes them."""
    return chooser.prepare(every_key(peer.keys_as, most)[:count])


def missing(peer: Peer, reasons: dict[str, str]) -> str | None:
    """Why a peer cannot be measured, in a few words."""
    for name in peer.needs:
        if name in reasons:
            return f"not installed: {name} {reasons[name]}"
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            return f"not installed: {name}"
    return None


def seconds(call: Callable[[Any], Any], keys: Any) -> float:
    # As timeit does: else everyone pays for walks over the keys that are kept for all.
    gc.disable()
    try:
        start = time.perf_counter()
        call(keys)
        return time.perf_counter() - start
    finally:
        gc.enable()


def calibrated(peer: Peer, chooser: Chooser, scale: Scale) -> tuple[Any, int, int]:
    """Keys, how many, and how many calls with them make a round."""
    chooser.run(ready(peer, chooser, 16, scale.most_keys))  # compiles, warms up
    count, before = 16, math.inf
    while True:
        keys = ready(peer, chooser, count, scale.most_keys)
        took = min(seconds(chooser.run, keys) for _ in range(2))
        # A call's own cost, as of planning a query, is spread over more keys than fill a round.
        fixed = took < 2 * before and took < 4 * scale.seconds
        if count == scale.most_keys or (took >= scale.seconds / 4 and not fixed):
            break
        count, before = min(scale.most_keys, count * 4), took
    if scale.seconds < took < 3 * before < math.inf:
        return keys, count, 1
    wanted = max(1, round(count * scale.seconds / took))
    if wanted <= scale.most_keys:
        return ready(peer, chooser, wanted, scale.most_keys), wanted, 1
    keys = ready(peer, chooser, scale.most_keys, scale.most_keys)
    return keys, scale.most_keys, max(1, wanted // scale.most_keys)


def turns(rows: list[Row], block: Block, scale: Scale, rounds: int) -> None:
    """Measure one block."""
    task = block.task()
    ready_to_run = []
    for row in rows:
        measured = row.blocks[block] = Measured()
        try:
            chooser = row.peer.make(task)
            keys, measured.keys, calls = calibrated(row.peer, chooser, scale)
        except UnsupportedError as error:
            measured.status = str(error)
        except Exception as error:  # whatever a peer raises is its row's to tell
            measured.status = failure(error)
        else:
            ready_to_run.append((row, measured, chooser, keys, calls))
    for _ in range(rounds):
        for row, measured, chooser, keys, calls in ready_to_run:
            if measured.status != OK:
                continue
            try:
                took = [seconds(chooser.run, keys) for _ in range(calls)]
            except Exception as error:
                measured.status = failure(error)
                say(f"  {row.peer.name}: {measured.status}")
            else:
                measured.rates.append(calls * measured.keys / sum(took))


def failure(error: Exception) -> str:
    first = (str(error).splitlines() or [""])[0][:80]
    return f"failed: {type(error).__name__}: {first}"


def version_of(peer: Peer) -> str:
    try:
        return metadata.version((peer.needs or ("rvh",))[0])
    except metadata.PackageNotFoundError:
        return ""


def measure(peers: list[Peer], scale: Scale, rounds: int, reasons: dict[str, str]) -> list[Row]:
    rows = [Row(peer, version_of(peer)) for peer in peers]
    present = []
    for row in rows:
        why = missing(row.peer, reasons)
        if why is None:
            present.append(row)
        else:
            row.blocks = {block: Measured(why) for block in blocks(scale)}
            say(f"{row.peer.name}: {why}")
    for block in blocks(scale):
        say(f"N={block.nodes}, k={block.k}{', weighted' if block.weighted else ''}")
        turns(present, block, scale, rounds)
    for row in present:
        rate = row.blocks[Block(64)].rate
        if rate is None:
            continue
        say(f"answers of {row.peer.name}")
        count = round(min(scale.seen_keys, max(200.0, rate)))

        def answers(task: Task, count: int, peer: Peer = row.peer) -> Any:
            chooser = peer.make(task)
            return (chooser.read or chooser.run)(ready(peer, chooser, count, scale.most_keys))

        try:
            row.seen = look(answers, ids(65), count)
        except Exception as error:
            row.blocks[Block(64)].status = f"answers: {failure(error)}"
            say(f"  {row.blocks[Block(64)].status}")
        if row.peer.name == "hashlib loop":
            # Not in the try: that these differ must stop everything.
            same_as_rvh(answers, ids(64), every_key("S array", scale.most_keys)[:1000])
    return rows


def keys_per_second(rate: float) -> str:
    """Three digits at most: 59.2M, 844k, 2.1k."""
    for unit, name in ((1e6, "M"), (1e3, "k"), (1.0, "")):
        # Not 1000k: the next unit begins where the digits would round up to it.
        if rate >= 0.9995 * unit or unit == 1.0:
            return f"{rate / unit:.{0 if rate >= 99.95 * unit else 1}f}{name}"
    raise AssertionError
