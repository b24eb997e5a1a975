"""Bounded load: no node gets more than its share of the keys times a factor."""

from rvh._public import exported_by
from rvh.balanced.assigner import BalancedAssigner, Moves
from rvh.balanced.batch import argassign_balanced, assign_balanced
from rvh.balanced.bounds import capacities

__all__ = ["BalancedAssigner", "Moves", "argassign_balanced", "assign_balanced", "capacities"]

exported_by(__name__, BalancedAssigner, Moves, argassign_balanced, assign_balanced, capacities)
