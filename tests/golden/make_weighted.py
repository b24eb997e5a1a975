"""How weighted.json came to be: from hashlib and Python's own numbers, without rvh.

    python tests/golden/make_weighted.py NEW_FILE

As with make_blake2b.py: append-only, and no test runs this.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.extend([str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")])

import reference
from make_blake2b import tagged, written
from make_murmur import every_kind

ORIGIN = (
    "Made once by make_weighted.py with hashlib.blake2b and Python's integers and floats, never "
    "edited since. Values are tagged: str, bytes (hex), int (decimal). weights, scores: doubles as "
    "float.hex() writes them, in the order of the nodes; ranking: positions of the nodes of a "
    "weight above 0, best first."
)


def answers(
    name: str,
    scheme: str,
    nodes: list[Any],
    weights: list[float],
    keys: list[Any],
    secret: bytes = b"",
) -> dict[str, Any]:
    def scores(key: object) -> list[float]:
        each = [reference.score(node, key, secret, scheme) for node in nodes]
        return [reference.weighted(w, s, scheme) for w, s in zip(weights, each, strict=True)]

    return {
        "name": name,
        "scheme": scheme,
        "nodes": [tagged(node) for node in nodes],
        "weights": [weight.hex() for weight in weights],
        "secret": secret.hex(),
        "fingerprint": reference.fingerprint(nodes, secret, scheme, weights),
        "keys": [
            {
                "key": tagged(key),
                "ranking": reference.ranking(nodes, key, secret, scheme, weights),
                "scores": [score.hex() for score in scores(key)],
            }
            for key in keys
        ],
    }


def cases() -> list[dict[str, Any]]:
    rng = random.Random(2005)
    keys = every_kind(rng)
    few = [*keys[:9], b"", b"\x80", *keys[-11:]]
    text = ["node1", "nœud2", "λ3", "节点4", "😀5", "a\0"]
    mixed = ["a", b"b", "é", b"\xff\0", "c"]
    long_ids = [rng.randbytes(n) for n in (1, 8, 63, 64, 127, 128, 129, 300)]
    many = [f"node-{n:03}.example.net" for n in range(40)]
    drawn = [rng.choice([0.0, 1.0, 1.0, rng.uniform(0.1, 10), 10.0 ** rng.randint(-5, 5)])
             for _ in many]  # fmt: skip
    found = []
    for scheme in ("blake2b", "murmur"):
        found += [
            answers("equal weights", scheme, text, [1.0] * 6, keys),
            answers("one to six", scheme, text, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], keys),
            answers("some of weight 0", scheme, mixed, [0.0, 0.1, 3.0, 0.0, 1e-3], keys),
            answers("the borders", scheme, mixed, [2.0**-1016, 2.0**970, 1.0, 0.0, 2.0**969], few),
            answers(
                "ids of many lengths",
                scheme,
                long_ids,
                [0.3, 7.0, 1.0, 1.0, 2.5, 0.9, 11.0, 1.0],
                few,
            ),
            answers("forty nodes", scheme, many, drawn, few),
        ]
    found += [answers("a secret", "blake2b", text, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], few, b"secret")]
    return found


def lines(all_cases: list[dict[str, Any]]) -> Iterator[str]:
    """JSON with one line for each key, so that a difference can be read."""
    yield f'{{"origin": {written(ORIGIN)},\n"cases": [\n'
    for number, case in enumerate(all_cases):
        head = {name: value for name, value in case.items() if name != "keys"}
        rows = ",\n  ".join(written(row) for row in case["keys"])
        yield ",\n" if number else ""
        yield f'{written(head)[:-1]}, "keys": [\n  {rows}]}}'
    yield "\n]}\n"


if __name__ == "__main__":
    with open(sys.argv[1], "x", encoding="ascii") as file:
        file.writelines(lines(cases()))
