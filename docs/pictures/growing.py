"""Draw the tutorial's picture of its flights: python docs/pictures/growing.py FLIGHTS OUT"""

from __future__ import annotations

import sys
from pathlib import Path
from zlib import crc32

import numpy as np
from draw import Picture
from pyarrow import csv

import rvh
from rvh.multi import compose_keys

flights = csv.read_csv(sys.argv[1])
keys = compose_keys(flights["carrier"], flights["flight"])
three = rvh.NodeSet(["a", "b", "c"])
four = three.add("d")
pairs = zip(flights["carrier"].to_pylist(), flights["flight"].to_pylist(), strict=True)
hashes = np.array([crc32(f"{carrier}{number}".encode()) for carrier, number in pairs])
ways = {
    "rvh": (three.argassign(keys), four.argassign(keys)),
    "hash modulo nodes": (hashes % 3, hashes % 4),
}

picture = Picture("Flights on each node, before and after a fourth node joins")
y = 34
for way, (before, after) in ways.items():
    moved = before != after
    picture.text(20, y, f"{way}: {moved.mean():.0%} of the flights move", "ink bold")
    for position, node in enumerate(four.ids):
        y += 26
        stayed, arrived = (np.sum((after == position) & which) / 225 for which in (~moved, moved))
        picture.text(20, y, node)
        picture.bar(42, y - 15, stayed, 20, "n0")
        picture.bar(42 + stayed, y - 15, arrived, 20, "n1")
    y += 42
picture.bar(20, y - 15, 20, 20, "n0")
picture.text(48, y, "stayed", "soft")
picture.bar(125, y - 15, 20, 20, "n1")
picture.text(153, y, "moved here when d joined", "soft")
Path(sys.argv[2]).write_text(picture.svg(y + 20), "utf-8")
