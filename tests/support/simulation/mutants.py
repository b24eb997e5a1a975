"""Rules left out, one in each mutant: what the simulator has to see.

A mutant is a world in which one thing that a user does, or one answer of the library, is another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from rvh.migration import MARK, Coordinator, Migration, Phase, Route, Step, View, Worker
from simulation.world import World


class OverwritingCopies(World):
    def put_copy(self, node: str, key: str, value: Any) -> None:
        self.stores.put(node, key, value)


class Hasty(Coordinator):
    @property
    def waiting(self) -> list[str]:
        return []


class AdvanceWithoutAcknowledgements(World):
    coordinator_class = Hasty


class Altering(Worker):
    """Adopts a view that is altered."""

    def alter(self, view: View) -> View:
        raise NotImplementedError

    def adopt(self, view: View, placements: Iterable[Any] = (), *, wait: bool = True) -> int | None:
        return super().adopt(self.alter(view), placements, wait=wait)


class NeverPreparing(Altering):
    def alter(self, view: View) -> View:
        return view._replace(phase=Phase.BEFORE) if view.phase is Phase.PREPARING else view


class PreparingSkipped(World):
    worker_class = NeverPreparing


class Unsettled(Worker):
    @property
    def settled(self) -> int | None:
        return None if self.view is None else self.view.epoch


class AcknowledgedTooEarly(World):
    """While calls that began under an earlier view are under way."""

    worker_class = Unsettled


class KeysListedEarly(World):
    """When preparing begins, and not when all have acknowledged copying."""

    def advance(self) -> None:
        super().advance()
        if self.coordinator.phase is Phase.PREPARING:
            self.early = sorted({key for data in self.stores.data.values() for key in data})

    def keys_to_copy(self) -> list[str]:
        return self.early


class Markless(Altering):
    def alter(self, view: View) -> View:
        return view._replace(marks=False)


class DeletesWithoutMarks(World):
    worker_class = Markless


class MarklessAfter(Altering):
    def alter(self, view: View) -> View:
        return view._replace(marks=view.marks and view.phase is not Phase.AFTER)


class NoMarksInAfter(World):
    """While others may still be in switching."""

    worker_class = MarklessAfter


class RollbackWithoutPurge(World):
    wants = "rollbacks"

    def remove_copies(self) -> None:
        self.coordinator.purged()


class Leaping(Hasty):
    """Goes back at once, without a phase in which all read old."""

    is_leaping = False

    @property
    def waiting(self) -> list[str]:
        return [] if self.is_leaping else super(Hasty, self).waiting

    def rollback(self) -> Phase:
        super().rollback()
        self.is_leaping = True
        try:
            return self.advance()
        finally:
            self.is_leaping = False


class RollbackAtOnce(World):
    wants = "rollbacks"
    coordinator_class = Leaping


class Lagging(Coordinator):
    def view(self) -> View:
        view = super().view()
        return view._replace(progress=float(view.progress) / 2)


class AfterBelowProgressOne(World):
    coordinator_class = Lagging


class OldDeletedEarly(World):
    """When after begins, and not when all have acknowledged it: some still write to old."""

    def advance(self) -> None:
        super().advance()
        if self.coordinator.phase is Phase.AFTER and self.coordinator.view().marks:
            for key in self.list_keys():
                stays = self.coordinator.migration.owners(key, 1)
                for node in self.living(list(self.stores.data)):
                    if node not in stays:
                        self.stores.remove(node, key)

    def sweep(self) -> None:
        for node in self.living(list(self.stores.data)):
            self.unmark(node, self.stores.list(node))


class UnmarkRemovesValues(World):
    """Looks for a mark, and removes what is there by then."""

    def unmark(self, node: str, keys: list[str]) -> None:
        for key in keys:
            if self.stores.get(node, key) is MARK:
                self.stores.remove(node, key)


class ReadsInTheWrongOrder(World):
    def run(self) -> Any:
        route = Migration.route

        def reversed_route(self: Migration, *arguments: Any) -> Route:
            right = route(self, *arguments)
            return Route(right.read[::-1], right.write, right.remove)

        with patch.object(Migration, "route", reversed_route):
            return super().run()


class TheDeadComeBackAtOnce(World):
    """Before all workers know that a node is lost."""

    wants = "deaths"

    def may_come_back(self) -> bool:
        return not self.unreported


class FinishesAll(Coordinator):
    def finish(self, step: Step | int, *, generation: int | None = None) -> None:
        super().finish(step, generation=generation)
        for other in list(self.left()):
            super().finish(other, generation=generation)


class StepsTakenAsDone(World):
    """All, when the first one is: a crash or a death comes before the others."""

    wants = "crashes"
    coordinator_class = FinishesAll


class Forgetful(Coordinator):
    def _copies(self, keys: Any, steps: Any) -> Any:
        kept = self._state.kept
        nothing = tuple(one._replace(done=one.done & False) for one in kept)
        with patch.object(self, "_state", replace(self._state, kept=nothing)):
            return super()._copies(keys, steps)


class DoneStepsForgotten(World):
    """After a death."""

    wants = "deaths"
    coordinator_class = Forgetful


#: each with the seed at which the search begins: not far from one that shows it
MUTANTS: dict[type[World], int] = {
    OverwritingCopies: 50,
    AdvanceWithoutAcknowledgements: 0,
    AcknowledgedTooEarly: 680,
    PreparingSkipped: 0,
    KeysListedEarly: 0,
    DeletesWithoutMarks: 0,
    NoMarksInAfter: 0,
    UnmarkRemovesValues: 270,
    RollbackWithoutPurge: 0,
    RollbackAtOnce: 0,
    AfterBelowProgressOne: 310,
    OldDeletedEarly: 0,
    ReadsInTheWrongOrder: 90,
    TheDeadComeBackAtOnce: 300,
    StepsTakenAsDone: 90,
    DoneStepsForgotten: 0,
}
