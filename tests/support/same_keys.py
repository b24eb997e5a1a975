"""The same keys of each kind for every engine and file format, and the nodes that they have."""

from __future__ import annotations

import datetime
import random
import uuid
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

import rvh
from rvh.keys import composite

#: those that the pure-Python backend is asked for are fewer
ROWS = 100_000 if rvh.backend() == "native" else 2_000
#: so many that chance does not agree
NODES = rvh.NodeSet([f"cache-{n:03}" for n in range(200)], scheme="murmur")
KINDS = ("text", "integer", "uuid", "date", "composite")


class Keys(NamedTuple):
    """Keys of one kind: the columns in Arrow's types, and what each row is as a key."""

    table: pa.Table
    keys: Sequence[Any]

    @property
    def columns(self) -> list[str]:
        names: list[str] = self.table.column_names
        return names


@cache
def keys(kind: str) -> Keys:
    """The keys of a kind, in columns with names of their own."""
    draw = random.Random(kind)  # its numbers are the same everywhere
    if kind == "text":
        texts = [f"{draw.choice(['user', 'größe', '漢字'])}:{n}" for n in range(ROWS)]
        return Keys(pa.table({"name": texts}), texts)
    if kind == "integer":  # beyond 2^53, where floats lose digits
        numbers = [draw.randrange(-(2**63), 2**63) for _ in range(ROWS)]
        return Keys(pa.table({"id": pa.array(numbers, pa.int64())}), numbers)
    if kind == "uuid":
        raw = [draw.randbytes(16) for _ in range(ROWS)]
        texts = [str(uuid.UUID(bytes=each)) for each in raw]
        return Keys(pa.table({"id": pa.array(raw, pa.uuid())}), texts)
    if kind == "date":
        first = datetime.date(1900, 1, 1)
        days = [first + datetime.timedelta(draw.randrange(70_000)) for _ in range(ROWS)]
        return Keys(pa.table({"day": days}), list(map(str, days)))
    assert kind == "composite"
    carriers = [draw.choice(["UA", "B6", "é"]) + str(draw.randrange(50)) for _ in range(ROWS)]
    flights = [draw.randrange(-9999, 9999) for _ in range(ROWS)]
    table = pa.table({"carrier": carriers, "flight": pa.array(flights, pa.int32())})
    return Keys(table, list(map(composite, carriers, flights)))


def key(kind: str) -> Any:
    """What a frame calls the key: a column, or a list of several."""
    names = keys(kind).columns
    return names if len(names) > 1 else names[0]


@cache
def nodes(kind: str) -> list[str]:
    """The node of each row, by `NodeSet` from a list of Python's objects."""
    answer: list[str] = NODES.assign(list(keys(kind).keys)).tolist()
    return answer


def parquet(kind: str, folder: Path, uuids: bool = True) -> Path:
    """The keys as a file of several tasks for a cluster, with the number of each row.

    Without `uuids`, UUIDs are text, for engines that cannot read the type.
    """
    table = keys(kind).table
    if kind == "uuid" and not uuids:
        table = pa.table({"id": keys(kind).keys})
    table = table.append_column("row", [list(range(ROWS))])
    path = folder / f"{kind}.parquet"
    pq.write_table(table, path, row_group_size=ROWS // 4)
    return path


def in_order(rows: Sequence[int], found: Sequence[Any]) -> list[Any]:
    """The nodes in the order of the rows, whichever task was done first."""
    return [node for _, node in sorted(zip(rows, found, strict=True))]
