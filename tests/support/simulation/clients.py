"""What goes on while data move: workers that read, write and delete, and follow the views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvh.migration import StoreError, View
from simulation.history import Register

if TYPE_CHECKING:
    from simulation.world import World


class Clients:
    """The clients of all workers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def work(self, name: str) -> None:
        """Read, write and delete at random until the migration is over."""
        world = self._world
        writing = world.rng.choice(world.writing)
        while not world.is_over:
            register = world.rng.choice(world.registers)
            if world.rng.random() < writing:
                self._write(name, register)
            else:
                self._read(name, register)
            world.scheduler.pause(world.rng.choice((0, 1, 8)))

    def follow(self, name: str) -> None:
        """Adopt each view, and acknowledge it once no call of an earlier one is under way."""
        world, worker = self._world, self._world.workers[name]
        while True:
            world.scheduler.wait(
                lambda: world.is_over or world.coordinator.epoch != worker.view.epoch
            )
            if world.is_over:
                return
            view = world.coordinator.view()
            worker.adopt(view, world.placements, wait=False)
            world.note(f"adopts {_short(view)}")
            world.scheduler.wait(lambda: worker.settled == worker.view.epoch)
            world.scheduler.step()
            world.coordinator.acknowledge(name, view.epoch)

    def _read(self, name: str, register: Register) -> None:
        complete = register.complete
        self._world.note("read begins", register.key)
        try:
            value = self._world.workers[name].read(register.key)
        except StoreError:
            return  # until the worker learns of the death
        self._world.note(f"read {value}", register.key)
        self._world.counts.reads += 1
        register.check(value, complete)

    def _write(self, name: str, register: Register) -> None:
        """Write or delete; other writers of the key wait."""
        world = self._world
        world.scheduler.wait(lambda: not register.is_locked)
        register.is_locked = True
        value = None if world.rng.random() < 0.4 else register.next_value()
        register.begin(value)
        world.note(f"write of {value} begins", register.key)
        while True:
            worker = world.workers[name]
            try:
                if value is None:
                    worker.delete(register.key)
                else:
                    worker.write(register.key, value)
            except StoreError:  # until the worker learns of the death
                if world.rng.random() < 0.2:
                    world.note(f"write of {value} is given up", register.key)
                    break
                world.scheduler.step()
            else:
                register.end()
                world.note(f"write of {value} is complete", register.key)
                break
        if value is None:
            world.counts.deletes += 1
        else:
            world.counts.writes += 1
        register.is_locked = False


def _short(view: View) -> str:
    marks = "" if view.marks else ", no marks"
    return f"epoch {view.epoch}: {view.phase}, progress {view.progress:g}, dead {view.dead}{marks}"
