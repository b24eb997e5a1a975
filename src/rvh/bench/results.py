"""The figures of a run as rows of a CSV file: the schema, the writer, and a strict reader.

The columns are the fields of `Workload`, `Figures` and `Environment`, in that order;
`docs/reference/cli.md`, "rvh bench", is this table for people.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from rvh.errors import RVHError, show

#: the kind of keys that repeat, so that not every pair is scored
ZIPF = "int64, Zipf"
#: the calls that score a part of the nodes: the living, those in some zones, those near a key
SPREAD = "FaultSet.argselect_batch"
FILTERED = "NodeSet.subset(filter).argselect_batch"
GEO = "GeoSet.argselect_batch"
#: the range of seconds and keys per second, so that their ratios are numbers too
MIN_FIGURE, MAX_FIGURE = 1e-12, 1e15


def _about(meaning: str, unit: str = "") -> dict[str, str]:
    return {"meaning": meaning, "unit": unit}


@dataclass(frozen=True)
class Workload:
    """The call that was run. Figures are compared where all of it is equal."""

    name: str = field(metadata=_about("the scenario, `family/variant`"))
    call: str = field(metadata=_about("the function of rvh that was timed"))
    scheme: str = field(metadata=_about("`blake2b` or `murmur`; empty where no node is scored"))
    nodes: int = field(metadata=_about("how many nodes", "nodes"))
    keys: int = field(metadata=_about("how many keys a round places", "keys"))
    k: int = field(metadata=_about("how many nodes each key gets", "nodes"))
    key_kind: str = field(metadata=_about("what the keys are"))
    weighted: bool = field(metadata=_about("whether the nodes have weights: `true` or `false`"))
    threads: int = field(metadata=_about("how many threads", "threads"))

    @property
    def pairs(self) -> int | None:
        """The number of (key, node) pairs that a round scores; None if that is not its work."""
        part = self.key_kind == ZIPF or self.call in (SPREAD, FILTERED, GEO)
        return self.keys * self.nodes if self.scheme and not part else None


@dataclass(frozen=True)
class Figures:
    """The time that it took."""

    rounds: int = field(metadata=_about("how many rounds were timed", "rounds"))
    seconds: float = field(metadata=_about("the median round", "s"))
    seconds_best: float = field(metadata=_about("the fastest round: what comparisons use", "s"))
    keys_per_second: float = field(metadata=_about("`keys / seconds`", "keys/s"))


@dataclass(frozen=True)
class Environment:
    """The place where it ran; the same in every row of a run."""

    rvh: str = field(metadata=_about("the version of rvh"))
    backend: str = field(metadata=_about("`native` or `python`"))
    isa: str = field(metadata=_about("the instruction set in use, as `rvh info` names it"))
    processor: str = field(metadata=_about("the processor's name, as the system gives it"))
    python: str = field(metadata=_about("the version of Python"))
    numpy: str = field(metadata=_about("the version of NumPy"))


@dataclass(frozen=True)
class Row:
    """One scenario's line of the CSV."""

    workload: Workload
    figures: Figures
    environment: Environment


Part = TypeVar("Part", Workload, Figures, Environment)

#: the columns of the CSV, in their order
COLUMNS = {
    column.name: column for part in (Workload, Figures, Environment) for column in fields(part)
}


def csv_text(rows: Iterable[Row]) -> str:
    """The rows as CSV: a header, LF after each line, floats in the digits that read back."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = [cell for part in asdict(row).values() for cell in part.values()]
        writer.writerow([str(cell).lower() if isinstance(cell, bool) else cell for cell in cells])
    return text.getvalue()


def read_csv(path: Path) -> list[Row]:
    """The rows of a file that `csv_text` made, perhaps edited since.

    Columns may stand in any order, and others beside them.

    Raises
    ------
    RVHError
        Anything that is not such a file; the message names the file, the line and the column.
    """
    # utf-8-sig: spreadsheets put a byte order mark in front.
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            rows = list(_rows(str(path), reader))
        except UnicodeDecodeError:
            raise RVHError(f"{path}: line {reader.line_num + 1} or later: not UTF-8 text") from None
        except csv.Error as error:
            raise RVHError(f"{path}: line {reader.line_num}: not CSV: {error}") from None
    if not rows:
        raise RVHError(f"{path}: no rows below the header")
    return rows


def _rows(path: str, reader: Any) -> Iterator[Row]:
    header = next(reader, None)
    if header is None:
        raise RVHError(f"{path}: the file is empty")
    for name in COLUMNS:
        if header.count(name) != 1:
            problem = "appears more than once" if name in header else "is missing"
            raise RVHError(f"{path}: line 1: column {name} {problem}")
    lines: dict[str, int] = {}
    for cells in reader:
        line = reader.line_num
        if not cells:  # an empty line
            continue
        if len(cells) != len(header):
            raise RVHError(f"{path}: line {line}: {len(header)} columns expected, got {len(cells)}")
        row = _row(dict(zip(header, cells, strict=True)), f"{path}: line {line}")
        name = row.workload.name
        if not name:
            raise RVHError(f"{path}: line {line}, column name: it is empty")
        if name in lines:
            raise RVHError(
                f"{path}: line {line}, column name: {show(name)} is in line {lines[name]} already"
            )
        lines[name] = line
        yield row


def _row(cells: dict[str, str], where: str) -> Row:
    values = {}
    for name, column in COLUMNS.items():
        read, expected = READERS[str(column.type)]
        value = read(cells[name])
        if value is None:
            raise RVHError(f"{where}, column {name}: {show(cells[name])} is not {expected}")
        values[name] = value

    def part(kind: type[Part]) -> Part:
        return kind(**{column.name: values[column.name] for column in fields(kind)})

    return Row(part(Workload), part(Figures), part(Environment))


def _text(cell: str) -> str | None:
    return cell if cell.isprintable() else None  # it may go to a terminal


def _count(cell: str) -> int | None:
    return int(cell) or None if re.fullmatch("[0-9]{1,18}", cell) else None


def _measure(cell: str) -> float | None:
    # Python's float() also takes spaces, underscores and the digits of other scripts.
    if not re.fullmatch(r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", cell):
        return None
    value = float(cell)
    return value if MIN_FIGURE <= value <= MAX_FIGURE else None


#: the reader of a cell, by the type of its field, and the words for what it expects
READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "str": (_text, "printable text"),
    "int": (_count, "a whole number above 0"),
    "float": (_measure, f"a number from {MIN_FIGURE:g} to {MAX_FIGURE:g}"),
    "bool": ({"true": True, "false": False}.get, "true or false"),
}
