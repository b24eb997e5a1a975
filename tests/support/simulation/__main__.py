"""Run the simulator by hand: ``python -m simulation 20000``, ``python -m simulation --mutants``."""

from __future__ import annotations

import argparse
import statistics
import time

from simulation import World, first_found, simulate
from simulation.mutants import MUTANTS
from simulation.stores64 import SixtyFourStores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="?", default=1000, help="number of seeds")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--mutants", action="store_true", help="how soon each mutant is caught")
    parser.add_argument("--stores", action="store_true", help="64 stores, three replicas")
    options = parser.parse_args()
    if not options.mutants:
        began = time.monotonic()
        seeds = range(options.start, options.start + options.seeds)
        counts = simulate(seeds, SixtyFourStores if options.stores else World)
        print(f"{counts}, 0 violations, {time.monotonic() - began:.0f} s")
        return
    for mutant in MUTANTS:
        found = [
            first_found(range(start, start + options.seeds), mutant)
            for start in range(options.start, options.start + 11 * options.seeds, options.seeds)
        ]
        caught = [one for one in found if one is not None]
        kinds = ", ".join(sorted({one.violation.kind for one in caught}))
        median = statistics.median(one.tried for one in caught) if caught else "no"
        print(
            f"{mutant.__name__:32} {len(caught)} of {len(found)} caught, "
            f"median seed {median}: {kinds}",
            flush=True,
        )


if __name__ == "__main__":
    main()
