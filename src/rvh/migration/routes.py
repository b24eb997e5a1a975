"""The nodes to read a key from and to write it to, in each phase.

A write is complete when all nodes in ``write`` have it, so every node that a worker of the same
phase or of a neighbouring one reads has it too. ``base`` stands for the old placement: a key's
living old nodes; if there are none, its nodes in the placements that were given up meanwhile; if
there are none of these either, its new nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from rvh._backend import key_point
from rvh.migration.crossing import CROSSING, CROSSING_END, crossing_limit
from rvh.migration.pair import union, without
from rvh.migration.phases import Phase, Route, new_route

if TYPE_CHECKING:
    from rvh.migration.pair import Pair

__all__ = ["Nodes", "Rule", "rules"]

#: as a double: a progress times it is exact, and compares exactly with a point
END = float(CROSSING_END)

#: gives the route of a key at a progress, in one phase
Rule: TypeAlias = Callable[[Any, Any], Route]


def rules(pair: Pair) -> dict[str, Rule]:
    """Return the rule of each phase."""
    if pair._kept or pair._dead:
        return {phase: _Rule(pair, phase) for phase in Phase}
    old_nodes, new_nodes = pair._ones
    one_each = pair._k == pair._k_new == 1
    make: Callable[..., Route] = tuple.__new__  # of lists that nobody else has

    # One key a call has to take about as long as its lookups: calls of Python are inlined here.
    def before(key: Any, progress: Any) -> Route:
        if type(progress) is not float or not 0 <= progress <= 1:
            crossing_limit(progress)  # rejects what is not a progress
        old = old_nodes(key)
        return make(Route, (old, [*old]))

    def preparing(key: Any, progress: Any) -> Route:
        if type(progress) is not float or not 0 <= progress <= 1:
            crossing_limit(progress)
        old, new = old_nodes(key), new_nodes(key)
        if one_each and type(old[0]) is str is type(new[0]):
            return new_route(old, [*old], [] if old == new else new)
        return new_route(old, [*old], union(old, new)[len(old) :])

    def copying(key: Any, progress: Any) -> Route:
        if type(progress) is not float or not 0 <= progress <= 1:
            crossing_limit(progress)
        old, new = old_nodes(key), new_nodes(key)
        if one_each and type(old[0]) is str is type(new[0]):
            return make(Route, (old, [*old] if old == new else old + new))
        return make(Route, (old, union(old, new)))

    def switching(key: Any, progress: Any) -> Route:
        if type(progress) is float and 0 <= progress <= 1:
            has_crossed = key_point(CROSSING, key) < progress * END
        else:
            has_crossed = key_point(CROSSING, key) < crossing_limit(progress)
        old, new = old_nodes(key), new_nodes(key)
        first, second = (new, old) if has_crossed else (old, new)
        if one_each and type(old[0]) is str is type(new[0]):
            both = [*first] if old == new else first + second
        else:
            both = union(first, second)
        return make(Route, ([*both] if has_crossed else old, both))

    def after(key: Any, progress: Any) -> Route:
        if type(progress) is not float or not 0 <= progress <= 1:
            crossing_limit(progress)
        new = new_nodes(key)
        return make(Route, (new, [*new]))

    return {
        Phase.BEFORE: before,
        Phase.PREPARING: preparing,
        Phase.COPYING: copying,
        Phase.SWITCHING: switching,
        Phase.AFTER: after,
    }


class _Rule:
    """The rule of a phase where nodes are dead or placements were given up."""

    def __init__(self, pair: Pair, phase: Phase) -> None:
        self._pair, self._phase = pair, phase

    def __call__(self, key: Any, progress: Any) -> Route:
        limit, phase = crossing_limit(progress), self._phase
        nodes = Nodes(self._pair, key)
        base, new = nodes.base, nodes.new
        if phase is Phase.BEFORE:
            return new_route(base, [*base])
        if phase is Phase.AFTER:
            return new_route(new, [*new])
        held = union(nodes.old, nodes.kept) or base
        if phase is Phase.PREPARING:
            return new_route(base, held, union(held, new)[len(held) :])
        if phase is Phase.SWITCHING and key_point(CROSSING, key) < limit:
            return new_route(union(new, base), union(new, held))
        return new_route(base, union(held, new))


class Nodes:
    """The living nodes of a key in each placement, and those that stand for the old one."""

    def __init__(self, pair: Pair, key: Any) -> None:
        old, *kept, new = (without(nodes(key), pair._dead_bytes) for nodes in pair._ones)
        self.old, self.new = old, new
        self.kept: list[Any] = []
        for more in kept:
            self.kept = union(self.kept, more)
        self.base = old or [*self.kept] or [*new]
