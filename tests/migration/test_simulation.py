"""Migrations among readers, writers, deletes and hazards, in orders that seeds decide.

``PYTHONPATH=tests/support python -m simulation 20000`` runs more seeds, and ``--mutants`` says how
soon each rule that is left out is noticed.
"""

from __future__ import annotations

import pytest
from simulation import World, first_found, simulate
from simulation.mutants import MUTANTS
from simulation.stores64 import SixtyFourStores
from sizes import keys_of_a_test

SEEDS = keys_of_a_test(1_000, 50)


def test_no_read_misses_or_is_stale_and_all_ends_where_it_belongs() -> None:
    counts = simulate(range(SEEDS))
    print(counts)
    assert min(counts.crashes, counts.deaths, counts.rollbacks, counts.copies) > 0


def test_64_stores_three_replicas_two_workers() -> None:
    counts = simulate(range(keys_of_a_test(30, 1)), SixtyFourStores)
    print(counts)
    assert counts.crashes == counts.deaths == counts.seeds


def test_a_seed_repeats_a_run() -> None:
    def events() -> list[tuple[int, str, str, str]]:
        world = World(7, log=True)
        world.run()
        return world.stores.log

    assert events() == events()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_rule_left_out_is_noticed(mutant: type[World]) -> None:
    found = first_found(range(MUTANTS[mutant], 3000), mutant)
    assert found is not None
    print(f"seed {found.seed}: {found.violation}")
