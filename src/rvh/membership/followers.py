"""What follows the nodes of a membership."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import NamedTuple

from rvh.balanced import BalancedAssigner, Moves
from rvh.nodes import NodeSet
from rvh.partitions import PartitionTable

__all__ = ["AssignerFollower", "TableFollower"]


class AssignerFollower(NamedTuple):
    """An assigner that has the current nodes while somebody uses it: `Membership.assigner`."""

    assigner: weakref.ref[BalancedAssigner]
    moved: Callable[[Moves], object] | None

    def follow(self, nodes: NodeSet) -> list[tuple[Callable[[Moves], object], Moves]]:
        """Give the assigner other nodes; return who wants to know which keys moved, if any did."""
        assigner = self.assigner()
        if assigner is None:
            return []
        moves = assigner.update(nodes)
        return [] if self.moved is None or not moves.key else [(self.moved, moves)]


class TableFollower:
    """A partition table that is always that of the current nodes: `Membership.table` makes it.

    Attributes
    ----------
    current : PartitionTable
        Replaced by one assignment. Keep it for as long as several answers have to fit together;
        its `nodes` are those it was made of.
    """

    __slots__ = ("__weakref__", "current")

    def __init__(self, nodes: NodeSet, partitions: int, k: int) -> None:
        self.current = PartitionTable(nodes, partitions, k)

    def following(self, nodes: NodeSet) -> PartitionTable:
        """Make the table of other nodes from the current one."""
        current = self.current
        return current if current.nodes == nodes else current.with_nodes(nodes)

    def __repr__(self) -> str:
        return f"TableFollower({self.current!r})"
