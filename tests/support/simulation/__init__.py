"""A simulator of migrations: readers, writers, deletes, copies and hazards, in every order.

`World` drives the classes of `rvh.migration` over stores of its own, `simulate` over many seeds;
``python -m simulation --help`` does so by hand.
"""

from simulation.runs import Found, first_found, simulate
from simulation.world import World

__all__ = ["Found", "World", "first_found", "simulate"]
