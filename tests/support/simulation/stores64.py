"""The case that the protocol was designed on: 64 stores, three replicas, two workers."""

from __future__ import annotations

from rvh.migration import Migration
from simulation.history import Register
from simulation.world import World, node_set, ring


class SixtyFourStores(World):
    """From a ring of 60 stores to 60 others of 64, with a crash and a death among many reads."""

    turns = 1_000_000

    def draw(self) -> None:
        """Draw little: what happens is the same for all seeds, and when it does is not."""
        nodes = [f"store-{n}" for n in range(64)]
        self.old_ids, self.new_ids, self.spare = nodes[:60], nodes[4:], nodes[:4]
        self.k = self.k_new = 3
        old, new = ring(tuple(self.old_ids)), node_set(tuple(self.new_ids))
        self.migration = Migration(old, new, 3)
        self.registers = [Register(f"key {n}") for n in range(400)]
        self.worker_count, self.clients, self.writing = 2, (3,), (0.05,)
        self.steps, self.verifies = 8, self.rng.random() < 0.3
        self.crashes, self.rollbacks, self.deaths = 1, 0, 1
