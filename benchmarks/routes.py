"""Microseconds of `Migration.route`, one key a call, in each phase.

    python benchmarks/routes.py [--rounds 3000]

From a ketama ring, and from a node set, to a node set of the scheme murmur; 8 and 64 nodes, one
node a key. The best of many short rounds, as other programs on the machine only ever add to it.
"""

from __future__ import annotations

import argparse
from timeit import repeat

import rvh
from rvh.migration import Migration, Phase
from rvh.ring import ketama

CALLS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3000)
    rounds = parser.parse_args().rounds
    print(f"| from | nodes | {' | '.join(Phase)} |")
    print(f"|---|---|{'---|' * len(Phase)}")
    for count in (8, 64):
        nodes = [f"10.0.{n // 8}.{n % 8}:11211" for n in range(count)]
        new = rvh.NodeSet([*nodes[:-1], "10.1.0.0:11211"], scheme="murmur")
        for name, old in (
            ("ketama", ketama(nodes)),
            ("murmur", rvh.NodeSet(nodes, scheme="murmur")),
        ):
            route = Migration(old, new).route
            best = [
                min(
                    repeat(
                        lambda p=phase, r=route: r("user:12345", p, 0.5),
                        number=CALLS,
                        repeat=rounds,
                    )
                )
                for phase in Phase
            ]
            figures = " | ".join(f"{seconds / CALLS * 1e6:.2f}" for seconds in best)
            print(f"| {name} | {count} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
