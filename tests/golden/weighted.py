"""Weighted ranking: hashlib and Python's numbers."""

from __future__ import annotations

import random
from typing import Any

import reference
from golden.values import every_kind, tagged

ORIGIN = (
    "Made once by weighted.py with hashlib.blake2b and Python's integers and floats, never "
    "edited since. Values are tagged: str, bytes (hex), int (decimal). weights, scores: doubles as "
    "float.hex() writes them, in the order of the nodes; ranking: positions of the nodes of a "
    "weight above 0, best first."
)


def case(
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


def answers() -> dict[str, Any]:
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
            case("equal weights", scheme, text, [1.0] * 6, keys),
            case("one to six", scheme, text, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], keys),
            case("some of weight 0", scheme, mixed, [0.0, 0.1, 3.0, 0.0, 1e-3], keys),
            case("the borders", scheme, mixed, [2.0**-1016, 2.0**970, 1.0, 0.0, 2.0**969], few),
            case(
                "ids of many lengths",
                scheme,
                long_ids,
                [0.3, 7.0, 1.0, 1.0, 2.5, 0.9, 11.0, 1.0],
                few,
            ),
            case("forty nodes", scheme, many, drawn, few),
        ]
    found += [case("a secret", "blake2b", text, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], few, b"secret")]
    return {"cases": found}
