"""From one placement of keys to another while both are used: moves, routes, steps, phases.

`Migration` says where keys are, `Plan` divides it into steps. `Coordinator` leads workers through
the phases, each a `Worker` with the rules as code, and `copy` and `purge` move what is there.
`rvh.ring` exports the first names too.
"""

from rvh._public import exported_by
from rvh.migration.at import MigrationAt
from rvh.migration.coordinator import Coordinator
from rvh.migration.copying import Copied, Purged, copy, purge
from rvh.migration.estimate import Estimate, Seconds, Steps
from rvh.migration.estimating import Estimator, Moves
from rvh.migration.loads import Flows, Loads
from rvh.migration.migration import Migration
from rvh.migration.moves import Leftovers, Moved
from rvh.migration.phases import Phase, Route
from rvh.migration.plan import Plan, Step
from rvh.migration.store import MARK, Store, StoreError
from rvh.migration.view import View
from rvh.migration.worker import Worker

__all__ = [
    "MARK",
    "Coordinator",
    "Copied",
    "Estimate",
    "Estimator",
    "Flows",
    "Leftovers",
    "Loads",
    "Migration",
    "MigrationAt",
    "Moved",
    "Moves",
    "Phase",
    "Plan",
    "Purged",
    "Route",
    "Seconds",
    "Step",
    "Steps",
    "Store",
    "StoreError",
    "View",
    "Worker",
    "copy",
    "purge",
]

exported_by(
    __name__,
    Coordinator,
    Copied,
    Estimate,
    Estimator,
    Flows,
    Leftovers,
    Loads,
    Migration,
    MigrationAt,
    Moved,
    Moves,
    Phase,
    Plan,
    Purged,
    Route,
    Seconds,
    Step,
    Steps,
    Store,
    StoreError,
    View,
    Worker,
    copy,
    purge,
)
