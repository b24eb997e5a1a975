"""Guards against a source that is right in form and wrong in fact, as one that forgets nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rvh.errors import RVHError
from rvh.membership.changes import Change
from rvh.membership.sources.protocol import State

__all__ = ["Guard", "Held"]


class Held(NamedTuple):
    """A state that is held back, and why."""

    state: State
    reason: str


@dataclass
class Guard:
    """Limits on a change, and the last state that was held back by them."""

    min_nodes: int
    max_change: float
    accepts_at_source: bool  # whether `rvh nodes --accept` can write to the source
    accepting: str  # how a process lets a change through
    held: Held | None = None

    def check(self, change: Change, moved: float, state: State, is_accepted: bool) -> None:
        """Let a change pass, or hold its state back.

        Raises
        ------
        RVHError
            It is held back: the message says how it is let through.
        """
        count = len(change.after.nodes)
        reason = None
        if count < self.min_nodes:
            reason = f"{count} nodes are selectable, and min_nodes is {self.min_nodes}"
        elif moved > self.max_change:
            reason = f"{moved:.2%} of all keys would move, and max_change is {self.max_change:.2%}"
        if reason is None or is_accepted:
            return
        ways = ["run rvh nodes SOURCE --accept"] if self.accepts_at_source else []
        if change.before is not None:
            ways.append(self.accepting)
        reason += f": if that is meant, {' or '.join(ways) or 'choose another limit'}"
        self.held = Held(state, reason) if change.before is not None else None
        raise RVHError(reason)
