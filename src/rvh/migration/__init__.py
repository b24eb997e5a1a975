"""Gradual migration from one placement to another: moves, owners meanwhile, and steps.

`rvh.ring` exports the public names too.
"""

from rvh._public import exported_by
from rvh.migration.at import MigrationAt
from rvh.migration.estimate import Estimate, Seconds, Steps
from rvh.migration.estimating import Estimator, Moves
from rvh.migration.loads import Flows, Loads
from rvh.migration.migration import Migration
from rvh.migration.moves import Moved
from rvh.migration.phases import Phase, Route
from rvh.migration.plan import Plan, Step

__all__ = [
    "Estimate",
    "Estimator",
    "Flows",
    "Loads",
    "Migration",
    "MigrationAt",
    "Moved",
    "Moves",
    "Phase",
    "Plan",
    "Route",
    "Seconds",
    "Step",
    "Steps",
]

exported_by(
    __name__,
    Estimate,
    Estimator,
    Flows,
    Loads,
    Migration,
    MigrationAt,
    Moved,
    Moves,
    Phase,
    Plan,
    Route,
    Seconds,
    Step,
    Steps,
)
