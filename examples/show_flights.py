"""Show where some flights are, how many each node has, and what moves when one node is dead."""

import numpy as np
import pyarrow.parquet as pq

NODES = ["node_1", "node_2", "node_3"]  # the columns that rvh assign has added


def nodes_of(table):
    """Return the three nodes of each row, as an array of three columns."""
    return np.stack([table[name].to_numpy().astype(str) for name in NODES], axis=1)


table = pq.read_table("data/placed.parquet")
placed = nodes_of(table)
print(f"\n{len(table):,} flights, each on three nodes in three zones (a, b, c):\n")
print("flight  from  to   nodes")
for row in table.slice(0, 3).to_pylist():
    flight = row["carrier"] + row["flight"]
    print(f"{flight:7} {row['origin']:5} {row['dest']:4}", *(row[name] for name in NODES))

print("\nnode  flights")
for node, count in zip(*np.unique(placed, return_counts=True), strict=True):
    print(f"{node:4} {count:8,}  {'█' * round(count / 5000)}")

without = nodes_of(pq.read_table("data/without-a1.parquet"))
moved = (without[:, :, None] != placed[:, None, :]).all(axis=2)
print(f"\nWhen a1 is dead, its {(placed == 'a1').sum():,} flights go to", end=" ")
print(", ".join(np.unique(without[moved])), end=". ")
print(f"Other flights that move: {moved.sum() - (placed == 'a1').sum()}.")
print("\nAll flights with their nodes: examples/data/placed.parquet")
