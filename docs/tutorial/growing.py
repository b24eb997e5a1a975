"""Draw growing.svg, the tutorial's picture: python growing.py FLIGHTS.CSV OUT.SVG."""

import sys
from pathlib import Path
from zlib import crc32

import numpy as np
from pyarrow import csv

import rvh
from rvh.multi import compose_keys

# The card is light or dark as the reader's system is, so that it can be read on any page.
HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 {height}" font-family="sans-serif">
<style>
.card {{ fill: #ffffff; stroke: #d0d7de }} text {{ fill: #1f2328; font-size: 19px }}
.stayed {{ fill: #8da2bb }} .moved {{ fill: #d9660a }}
@media (prefers-color-scheme: dark) {{
  .card {{ fill: #151b23; stroke: #3d444d }} text {{ fill: #f0f6fc }}
  .stayed {{ fill: #5a708c }} .moved {{ fill: #f0883e }}
}}
</style>
<rect class="card" x="1" y="1" width="558" height="{last}" rx="8"/>
"""


def bar(kind, x, y, width):
    """Return a bar."""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="24"/>\n'


def text(x, y, words, style=""):
    """Return a line of text."""
    return f'<text x="{x}" y="{y}"{style}>{words}</text>\n'


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

parts, y = [], 38
for way, (before, after) in ways.items():
    moved = before != after
    title = f"{way}: {moved.mean():.0%} of the flights move"
    parts.append(text(24, y, title, ' font-weight="bold"'))
    for position, node in enumerate(four.ids):
        y += 32
        stayed, arrived = (np.sum((after == position) & which) / 200 for which in (~moved, moved))
        parts.append(text(24, y, node))
        parts.append(bar("stayed", 50, y - 18, stayed) + bar("moved", 50 + stayed, y - 18, arrived))
    y += 52
parts.append(bar("stayed", 24, y - 18, 24) + text(56, y, "stayed"))
parts.append(bar("moved", 150, y - 18, 24) + text(182, y, "moved here when d joined"))
height = y + 24
svg = HEAD.format(height=height, last=height - 2) + "".join(parts) + "</svg>\n"
Path(sys.argv[2]).write_text(svg, "utf-8")
