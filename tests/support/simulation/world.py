"""One run: a migration among clients that read, write and delete, drawn from a seed.

A mutant is a subclass that leaves a rule out.
"""

from __future__ import annotations

import random
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rvh import NodeSet
from rvh.migration import Coordinator, Copied, Migration, Worker, copy, purge
from rvh.ring import ketama
from simulation.clients import Clients
from simulation.history import Counts, Register, ViolationError
from simulation.operators import Operator
from simulation.scheduler import Scheduler
from simulation.stores import Stores

#: in memory, where there is such a folder: each change of a coordinator is synced
MEMORY = Path("/dev/shm")


@cache
def node_set(nodes: tuple[str, ...]) -> NodeSet:
    return NodeSet(list(nodes), scheme="murmur")


@cache
def ring(nodes: tuple[str, ...]) -> Any:
    return ketama(list(nodes))


class World:
    """The nodes, keys, workers and hazards of one seed.

    Parameters
    ----------
    seed : int
    log : bool
        Keep a history of all that happens.
    """

    coordinator_class: type[Coordinator] = Coordinator
    worker_class: type[Worker] = Worker
    #: a run that takes more turns never ends
    turns = 50_000
    #: a hazard that every seed has
    wants: str | None = None

    def __init__(self, seed: int, *, log: bool = False) -> None:
        self.rng = random.Random(seed)
        self.scheduler = Scheduler(self.rng, self.turns)
        self.counts = Counts(seeds=1)
        self.is_over = self.needs_purge = False
        #: nodes that died, until the coordinator knows
        self.unreported: list[str] = []
        #: what was passed to lose()
        self.placements: list[NodeSet] = []
        self.path: Path | None = None
        #: (node, key) of the copies of the current step, and of those of all steps that are done
        self._begun: set[tuple[str, str]] = set()
        self._copied: set[tuple[str, str]] = set()
        #: raised at the end: the library takes errors of a store for those of a node
        self.copied_again: ViolationError | None = None
        self.coordinator: Coordinator
        self.draw()
        while self.wants is not None and not getattr(self, self.wants):
            self.draw()
        nodes = dict.fromkeys([*self.old_ids, *self.new_ids, *self.spare])
        self.stores = Stores(self.scheduler, list(nodes), log)
        self.workers = {
            f"worker {n}": self.worker_class(
                self.migration, self.stores, retries=self.rng.choice((0, 1))
            )
            for n in range(self.worker_count)
        }
        for register in self.registers:
            if self.rng.random() < 0.6:
                value = register.next_value()
                register.begin(value)
                register.end()
                for node in self.migration.owners(register.key, 0):
                    self.stores.data[node][register.key] = value

    def draw(self) -> None:
        """Draw what there is, and what will happen."""
        rng = self.rng
        self.old_ids = [f"old-{n}" for n in range(rng.randrange(1, 5))]
        stay = rng.sample(self.old_ids, rng.randrange(len(self.old_ids) + 1))
        self.new_ids = [*stay, *(f"new-{n}" for n in range(rng.randrange(not stay, 4)))]
        self.spare = [f"spare-{n}" for n in range(3)]
        self.k = min(len(self.old_ids), rng.choice((1, 2, 2, 3)))
        self.k_new = min(len(self.new_ids), rng.choice((1, 2, 2, 3)))
        kind = rng.choice((ring, node_set))
        old, new = kind(tuple(self.old_ids)), node_set(tuple(self.new_ids))
        self.migration = Migration(old, new, self.k, k_new=self.k_new)
        self.registers = [Register(f"k{n}") for n in range(rng.choice((1, 2, 4, 8)))]
        #: numbers of clients of a worker, and shares of their calls that write, to choose from
        self.clients: tuple[int, ...] = (1, 1, 2)
        self.writing: tuple[float, ...] = (0.03, 0.3, 0.8)
        self.worker_count = rng.choice((1, 2, 2, 3))
        self.steps = rng.choice((1, 3))
        self.verifies = rng.random() < 0.3
        self.crashes = rng.choice((0, 0, 1, 2))
        self.rollbacks = rng.choice((0, 0, 1, 2))
        #: fewer than a key has nodes, so that no key dies with them
        self.deaths = min(self.k, self.k_new) - 1 if rng.random() < 0.7 else 0

    def run(self) -> Counts:
        """Run to the end, and check what is left."""
        with ExitStack() as stack:
            stack.enter_context(patch("time.sleep", lambda seconds: self.scheduler.pause(10)))
            if self.crashes:
                memory = MEMORY if MEMORY.is_dir() else None
                folder = stack.enter_context(tempfile.TemporaryDirectory(dir=memory))
                self.path = Path(folder, "state.json")
            self.coordinator = self.coordinator_class(self.migration, self.steps, self.path)
            self.coordinator.workers(list(self.workers))
            for name, worker in self.workers.items():
                self.coordinator.acknowledge(name, worker.adopt(self.coordinator.view()))
            self.spawn()
            self.scheduler.run()
        self.check_end()
        self.counts.steps = self.scheduler.steps
        return self.counts

    def spawn(self) -> None:
        """Start everybody."""
        clients = Clients(self)
        for name in self.workers:
            for n in range(self.rng.choice(self.clients)):
                self.scheduler.spawn(f"{name} client {n}", lambda name=name: clients.work(name))
            self.scheduler.spawn(f"{name} views", lambda name=name: clients.follow(name))
        if self.deaths:
            self.scheduler.spawn("death", self.die)
        self.scheduler.spawn("operator", Operator(self).work)

    def note(self, what: str, key: str = "") -> None:
        self.stores.note(what, key)

    # -- hazards ----------------------------------------------------------------------------------

    def resume(self) -> None:
        """Lose the coordinator with the copy that crashed, and go on with what it saved."""
        assert self.path is not None
        self.coordinator = self.coordinator_class.resume(self.migration, self.path, self.placements)

    def die(self) -> None:
        """Let nodes die; some come back with what they had, once all know that they are lost."""
        for _ in range(self.deaths):
            self.scheduler.pause(self.rng.randrange(200))
            self.scheduler.wait(lambda: self.is_over or self.coordinator.phase != "before")
            if self.coordinator.phase == "after":
                return
            node = self.rng.choice(self.living([*self.old_ids, *self.new_ids]))
            self.stores.down.add(node)
            self.note(f"{node} dies")
            self.unreported.append(node)
            self.counts.deaths += 1
            if self.rng.random() < 0.5:
                self.scheduler.wait(self.may_come_back)
                self.stores.down.discard(node)
                self.note(f"{node} is back with its old data")

    def may_come_back(self) -> bool:
        return not self.unreported and not self.coordinator.waiting

    def living(self, nodes: list[str]) -> list[str]:
        """Those of some nodes that have not died, each once."""
        gone = {*self.coordinator.dead, *self.stores.down}
        return [node for node in dict.fromkeys(nodes) if node not in gone]

    # -- what the library is given ----------------------------------------------------------------

    def list_keys(self) -> list[str]:
        """The keys of all nodes that live, those of marks too."""
        found: set[str] = set()
        for node in self.living(list(self.stores.data)):
            found.update(self.stores.list(node))
        return sorted(found)

    def keys_to_copy(self) -> list[str]:
        return self.list_keys()

    def read_many(self, node: str, keys: list[str]) -> list[Any]:
        return [self.stores.get(node, key) for key in keys]

    def put_copies(self, node: str, keys: list[str], values: list[Any]) -> None:
        for key, value in zip(keys, values, strict=True):
            if (node, key) in self._copied:
                what = f"{key} to {node}, of a step that was done"
                self.copied_again = ViolationError("copied again", key, what)
            self._begun.add((node, key))
            self.counts.copies += 1
            self.put_copy(node, key, value)

    def put_copy(self, node: str, key: str, value: Any) -> None:
        self.stores.put_if_absent(node, key, value)

    def remove_many(self, node: str, keys: list[str]) -> None:
        for key in keys:
            self.stores.remove(node, key)

    def unmark(self, node: str, keys: list[str]) -> None:
        for key in keys:
            self.stores.remove_mark(node, key)

    def advance(self) -> None:
        self.coordinator.advance()

    def copy(self) -> None:
        """Copy what is left to be copied."""
        self._begun.clear()
        done = copy(
            self.coordinator, self.keys_to_copy, self.read_many, self.put_copies,
            batch=3, retries=0, checksum=self.read_many if self.verifies else None,
            progress=self._end_step,
        )  # fmt: skip
        if done.lost:
            raise ViolationError("lost", done.lost[0], f"no living node had {done.lost}")

    def _end_step(self, done: Copied) -> None:
        self._copied |= self._begun
        self._begun.clear()

    def purge(self) -> None:
        """Remove all copies after a rollback."""
        self.remove_copies()
        self._copied.clear()

    def remove_copies(self) -> None:
        purge(self.coordinator, self.list_keys, self.remove_many, batch=3, retries=0)

    def sweep(self) -> None:
        """Remove what is on old nodes alone, and all marks."""
        purge(
            self.coordinator, self.list_keys, self.remove_many, unmark=self.unmark,
            batch=3, retries=0,
        )  # fmt: skip

    # -- the end ----------------------------------------------------------------------------------

    def check_end(self) -> None:
        """Every key is on exactly its new nodes with its last value, and nothing else is left."""
        if self.copied_again is not None:
            raise self.copied_again
        for register in self.registers:
            key = register.key
            living = self.living(list(self.stores.data))
            held = {
                node: self.stores.data[node][key]
                for node in living
                if key in self.stores.data[node]
            }
            nodes = [node for node in self.coordinator.migration.owners(key, 1) if node is not None]
            if len(nodes) != self.k_new:
                raise ViolationError("too few nodes", key, f"{nodes}, not {self.k_new}")
            possible = register.possible
            if len(possible) > 1:  # writes were given up half-way, and none came after
                is_good = {*held} <= {*nodes} and {*held.values()} <= {*possible}
                is_good = is_good and (bool(held) or None in possible)
            else:
                is_good = held == ({} if possible == [None] else dict.fromkeys(nodes, possible[0]))
            if not is_good:
                raise ViolationError("wrong end", key, f"{held}, not {possible} on {nodes}")
