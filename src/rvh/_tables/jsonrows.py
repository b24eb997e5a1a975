"""Lines of JSON objects, checked all at once, that stay as they are.

pyarrow's reader of JSON is as strict as Python's with `unique_members`, and stricter in some things
that people rarely write. What it takes is taken; anything else is left to Python, line by line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import json as arrow_json

from rvh._tables.structure import LF

BRACE, OPEN = b"}{"
#: the deepest nesting, or the most lists and objects in a line: types that deep take memory
DEPTH = 500
#: parts of numbers that only pyarrow knows: Inf, -NaN
ONLY_ARROW = b"Inf", b"-NaN"


class JsonRows:
    """Objects, one a line, whose text is that of JSON.

    Parameters
    ----------
    data : bytes
        A closing brace and a newline, then lines without blanks around the braces.
    ends : array
        The places of the newlines.
    table : pyarrow.Table
        What is in the objects, as pyarrow takes it.
    """

    def __init__(self, data: bytes, ends: Any, table: Any) -> None:
        self._data = data
        self._table = table
        self.members: list[str] = table.column_names
        #: each object but for its closing brace, behind that of the one before and a newline
        self.texts = pa.Array.from_buffers(
            *(pa.string(), len(ends) - 1),
            [None, pa.py_buffer((ends - 1).astype(np.int32)), pa.py_buffer(data)],
        )

    def lines(self) -> list[bytes]:
        """The text of each object."""
        return self._data[2:-1].split(b"\n")

    def column(self, name: str) -> Any | None:
        """A member that is a text, or a whole number, in all objects; else None."""
        column = self._table[name].combine_chunks()
        if pa.types.is_timestamp(column.type):  # a text that pyarrow took for a date
            schema = pa.schema([(name, pa.string())])
            try:
                read = _read(self._data, explicit_schema=schema, unexpected_field_behavior="ignore")
            except pa.ArrowInvalid:
                return None
            column = read[name].combine_chunks()
        plain = pa.types.is_string(column.type) or pa.types.is_integer(column.type)
        return column if plain and not column.null_count else None


def json_rows(data: bytes) -> tuple[JsonRows, Any] | None:
    r"""The objects in whole lines, and which lines they are in, from 0.

    None where a line needs a closer look.

    Examples
    --------
    >>> rows, places = json_rows(b'{"a": 1}\n\n{"a": 2, "b": [] }\n')
    >>> rows.texts.to_pylist(), places.tolist(), rows.members
    (['}\n{"a": 1', '}\n{"a": 2, "b": []'], [0, 2], ['a', 'b'])
    >>> json_rows(b'{"a": 1, "a": 2}\n') is None
    True
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    data = b"}\n" + data
    values = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(values == LF)
    places = np.arange(len(ends) - 1)
    last = values[ends[1:] - 2]
    if not (
        (values[ends[:-1] + 1] == OPEN).all()
        and (values[ends[1:] - 1] == BRACE).all()
        and (last > ord(" ")).all()
        and (last != OPEN).all()
    ):
        lines = [line.strip(b" \t\r") for line in data[2:-1].split(b"\n")]
        places = np.flatnonzero([len(line) > 0 for line in lines])
        bodies = [line[:-1].rstrip(b" \t\r") for line in lines if line]
        if any(line and line[-1] != BRACE for line in lines) or b"{" in bodies or not bodies:
            return None
        data = b"}\n" + b"}\n".join(bodies) + b"}\n"
        values = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(values == LF)
        if (values[ends[:-1] + 1] != OPEN).any():
            return None
    if _is_deep(data, values, ends):
        return None
    try:
        table = _read(data)
        rows = JsonRows(data, ends, table)
        rows.texts.validate(full=True)
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    if len(table) != len(places):  # two objects in a line
        return None
    if "double" in str(table.schema) and any(each in data for each in ONLY_ARROW):
        return None
    return rows, places


def _is_deep(data: bytes, values: Any, ends: Any) -> bool:
    """Check whether values may be nested more than `DEPTH` deep in a line."""
    if data.count(b"[") + data.count(b"{") < DEPTH + len(ends) - 1:
        return False
    opening = np.flatnonzero((values == ord("[")) | (values == OPEN))
    return bool(np.diff(np.searchsorted(opening, ends)).max() > DEPTH)


def _read(data: bytes, **options: Any) -> Any:
    """The objects as a table."""
    return arrow_json.read_json(
        pa.BufferReader(memoryview(data)[2:]),
        read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(data)),
        parse_options=arrow_json.ParseOptions(**options),
    )
