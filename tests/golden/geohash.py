"""Same region first: hashlib, Python's integers and floats. The places are made up."""

from __future__ import annotations

import random
from typing import Any

import reference
from golden.values import tagged

ORIGIN = (
    "Made once by geohash.py with hashlib.blake2b, MurmurHash64A in Python's integers and "
    "geohashes by bisection in Python's floats, never edited since. Values are tagged: str, bytes "
    "(hex), int (decimal). ranking: positions of all nodes, best first, for the key at its place."
)
#: latitude and longitude of towns, with a node or two in each
TOWNS = (
    *((48.86, 2.35), (45.76, 4.84), (52.52, 13.4), (51.51, -0.13), (51.48, 0.01), (40.71, -74.0)),
    *((37.77, -122.4), (-33.87, 151.2), (-0.22, -78.5), (0.39, 9.45), (-18.1, 178.4)),
    *((-16.7, -179.9), (-13.8, -171.8), (89.9, 10.0), (-89.99, -170.0), (35.68, 139.7)),
)


def case(
    name: str, precision: int, scheme: str, weighted: bool, nodes: list[Any], places: list[Any]
) -> dict[str, Any]:
    rng = random.Random(2008)
    geohashes = [reference.geohash(*place, rng.choice([4, 7, 12])) for place in places]
    weights = [float(n % 4) for n in range(len(nodes))] if weighted else None
    rows = []
    for number in range(60):
        key: Any = number if number % 2 else f"key {number}"
        latitude, longitude = rng.choice(places)
        latitude = round(max(-90.0, min(90.0, latitude + rng.gauss(0, 3))), 4)
        longitude = round((longitude + rng.gauss(0, 3) + 180) % 360 - 180, 4)
        place = reference.geohash(latitude, longitude, 12)
        ranked = reference.ranking(nodes, key, b"", scheme, weights)
        ranked = reference.same_region_first(ranked, geohashes, place, precision)
        rows.append(
            {
                "key": tagged(key),
                "latitude": latitude,
                "longitude": longitude,
                "geohash": place,
                "ranking": ranked,
            }
        )
    return {
        "name": name,
        "scheme": scheme,
        "precision": precision,
        "weights": weights,
        "nodes": [tagged(node) for node in nodes],
        "geohashes": geohashes,
        "keys": rows,
    }


def answers() -> dict[str, Any]:
    places = [*TOWNS, *TOWNS[:8], TOWNS[0]]
    nodes = [f"node-{n:02}.example.net" for n in range(len(places))]
    return {
        "cases": [
            case("every character", 12, "blake2b", False, nodes, places),
            case("two characters", 2, "blake2b", False, nodes, places),
            case("one character, weights", 1, "blake2b", True, nodes, places),
            case("three characters", 3, "murmur", False, nodes, places),
            case("five characters, weights", 5, "murmur", True, nodes, places),
        ]
    }
