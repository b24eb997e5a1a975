"""What follows the nodes of a membership."""

from __future__ import annotations

from rvh.nodes import NodeSet
from rvh.partitions import PartitionTable

__all__ = ["TableFollower"]


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
