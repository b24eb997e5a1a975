"""Lines of JSON objects, checked all at once, that stay as they are.

The check is as strict as Python's reader with `unique_members`, and stricter in some things that
people rarely write. What it passes is taken; anything else is left to Python, line by line.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from rvh._backend import object_members, object_values
from rvh._tables.structure import LF, QUOTE

BRACE, OPEN = b"}{"
DIGITS = {*b"-0123456789"}


class JsonRows:
    """Objects, one a line, whose text is that of JSON.

    Parameters
    ----------
    data : bytes
        A closing brace and a newline, then lines without blanks around the braces.
    ends : array
        The places of the newlines.
    members : list of str
        Of all objects, in order of appearance.
    """

    def __init__(self, data: bytes, ends: Any, members: list[str]) -> None:
        self._data = data
        self._ends = ends
        self.members = members
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
        bounds = object_values(self._data, self._ends, name)
        if bounds is None:
            return None
        first = {*np.unique(np.frombuffer(self._data, np.uint8)[bounds[::2]]).tolist()}
        texts = first == {QUOTE}
        if texts:
            bounds[::2] += 1
            bounds[1::2] -= 1
        buffers = [None, pa.py_buffer(bounds), pa.py_buffer(self._data)]
        # Between two values is all that is between them.
        values = pa.Array.from_buffers(pa.string(), len(bounds) - 1, buffers).take(
            pa.array(np.arange(0, len(bounds), 2))
        )
        if not texts:
            return _integers(values) if first <= DIGITS else None
        if not pc.any(pc.match_substring(values, "\\")).as_py():
            return values
        try:
            return pa.array([json.loads(f'"{value}"') for value in values.to_pylist()], pa.string())
        except UnicodeError:  # half of a pair of UTF-16
            return None


def _integers(values: Any) -> Any | None:
    """Texts of numbers as whole numbers; None where one is none, or has more than 64 bits."""
    if pc.any(pc.match_substring_regex(values, "[.eE]")).as_py():
        return None
    for kind in (pa.int64(), pa.uint64()):
        try:
            return values.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None


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
    members = object_members(data, ends)
    return None if members is None else (JsonRows(data, ends, members), places)
