"""Gradual migration from one placement to another: moves, owners meanwhile, and steps.

`rvh.ring` exports the public names too.
"""

from rvh._public import exported_by
from rvh.migration.at import MigrationAt
from rvh.migration.migration import Migration
from rvh.migration.moves import Moved
from rvh.migration.phases import Phase, Route
from rvh.migration.plan import Plan, Step

__all__ = ["Migration", "MigrationAt", "Moved", "Phase", "Plan", "Route", "Step"]

exported_by(__name__, Migration, MigrationAt, Moved, Phase, Plan, Route, Step)
