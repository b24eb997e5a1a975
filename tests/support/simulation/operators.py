"""Who carries a migration out: phases, copies, crashes, deaths, rollbacks, the last sweep."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rvh import NodeSet, RVHError
from rvh.migration import Phase, StoreError
from simulation.scheduler import Actor
from simulation.stores import DownError

if TYPE_CHECKING:
    from simulation.world import World


class Operator:
    """The operator and the copy that it starts."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._copier: Actor | None = None

    def work(self) -> None:
        """Go on at random times with whatever comes next, until the end."""
        world, rng = self._world, self._world.rng
        while not world.is_over:
            world.scheduler.pause(rng.choice((0, 5, 30)))
            coordinator = world.coordinator
            phase, is_going_back = coordinator.phase, coordinator.is_rolling_back
            if world.unreported and phase is not Phase.AFTER:
                self._lose(world.unreported.pop(0))
            elif world.rollbacks and not is_going_back and self._turns_back(phase):
                world.rollbacks -= 1
                if self._try(coordinator.rollback):
                    world.counts.rollbacks += 1
                    world.needs_purge = True
            elif phase is Phase.BEFORE and world.needs_purge:
                world.needs_purge = not self._try(world.purge)
            elif phase is Phase.COPYING and not is_going_back and any(coordinator.left()):
                self._copy()
            elif phase is Phase.SWITCHING and coordinator.progress < 1:
                coordinator.set_progress(rng.choice((0.3, 0.6, 1.0, 1.0)))
            elif phase is Phase.AFTER and not coordinator.view().marks:
                world.is_over = self._try(world.sweep)
            else:
                self._try(world.advance)

    def _turns_back(self, phase: Phase) -> bool:
        return phase not in (Phase.BEFORE, Phase.AFTER) and self._world.rng.random() < 0.08

    def _try(self, function: Callable[[], object]) -> bool:
        """Call what raises an error where it is too early for it, or a node has died."""
        try:
            function()
        except (RVHError, StoreError, DownError) as error:
            self._world.note(f"{function.__name__}: {error}")
            return False
        self._world.note(f"{function.__name__}: {self._world.coordinator!r}")
        return True

    def _copy(self) -> None:
        """Start to copy; or now and then let a copy crash, and go on from the saved state."""
        world, copier = self._world, self._copier
        if copier is None or copier.is_done:
            if not world.coordinator.waiting:
                self._copier = world.scheduler.spawn("copy", lambda: self._try(world.copy))
        elif world.crashes and world.rng.random() < 0.3:
            world.crashes -= 1
            world.counts.crashes += 1
            world.scheduler.crash(copier)
            world.note("the copy crashes")
            world.scheduler.wait(lambda: copier.is_done)
            world.resume()

    def _lose(self, node: str) -> None:
        """Tell the coordinator of a death, sometimes with a placement of one's own."""
        world = self._world
        living = [one for one in world.living(world.new_ids) if one != node]
        new = None
        if len(living) < world.k_new or world.rng.random() < 0.5:
            spare = [one for one in world.living(world.spare) if one not in living]
            living += spare[: max(1, world.k_new - len(living))]
            new = NodeSet(living, scheme="murmur")
            world.placements.append(new)
        world.coordinator.lose(node, new)
        world.new_ids = living
        world.note(f"{node} is lost: {world.coordinator!r}")
