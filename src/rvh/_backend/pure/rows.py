"""Rows of files: delimited text and lines of JSON."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: the most members of an object, or of all together; the deepest nesting
MEMBERS = 256
DEEPEST = 100
BLANK = re.compile(rb"[ \t\r]*")


def whole_rows(
    data: bytes, delimiter: int, quoted: bool, columns: int, limit: int
) -> tuple[bytes | NDArray[np.uint8], NDArray[np.int32], int] | None:
    """The whole rows in delimited text, without what need not be there.

    Returns
    -------
    bytes-like, array, int
        What is to be written, up to the last of the ends: where newlines and delimiters are in it,
        the newline before each row too; where the last newline is in `data`. None where the text
        needs a closer look: quotes within a value, rows of another number of columns or too long.
    """
    between = re.escape(bytes([delimiter]))
    end = rb"(" + between + rb"|\r?\n)"
    plain = (rb'[^"\r\n' if quoted else rb"[^\r\n") + between + rb"]*"
    within_quotes = rb'"((?:[^"]|"")*)"|' if quoted else rb"(\Z.)|"
    value = re.compile(rb"(?:" + within_quotes + rb"(" + plain + rb"))" + end)
    special = re.compile(rb'["\r\n' + between + rb"]")
    out, ends, at, start = bytearray(b"\n"), [0], 1, 1
    row = bytearray()
    places: list[int] = []
    while match := value.match(data, at):
        at = match.end()
        within = match[1] if match[2] is None else None
        if match.end() == len(data) and within is not None and match[3] == b"":
            break
        empty = match[3] != bytes([delimiter]) and not places and match.start() == match.start(3)
        if not empty:
            text = match[2] if within is None else within
            row += match[0][: -len(match[3])] if within and special.search(within) else text
            places.append(len(out) + len(row))
            row += match[3][-1:]
        if match[3][-1:] == b"\n":
            if not empty and (len(places) != columns or at - start > limit):
                return None
            out += row
            ends += places
            row, places, start = bytearray(), [], at
        elif len(places) == columns:
            return None
    rest = data[at:]
    whole = not rest.startswith(b'"') if quoted else True
    if whole and re.match(plain, rest).end() < len(rest.removesuffix(b"\r")):  # type: ignore[union-attr]
        return None
    if not whole and re.match(rb'"(?:[^"]|"")*"(?!"|\r?\Z)', rest):
        return None
    return (bytes(out), np.array(ends, np.int32), start - 1)


def object_members(data: bytes, ends: NDArray[np.intp]) -> list[str] | None:
    """The names of the members of JSON objects, one a line.

    Line i is ``data[ends[i] + 1 : ends[i + 1]]``. None where one is not an object or needs a closer
    look: a member twice, an escape in a name, NaN, deep nesting.
    """
    names: dict[str, None] = {}
    try:
        for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
            members = _object(data[start + 1 : end])
            if not members or _depth(members) > DEEPEST:
                return None
            names.update(dict.fromkeys(members))
    except (ValueError, RecursionError):
        return None
    return [*names] if len(names) <= MEMBERS else None


def object_values(data: bytes, ends: NDArray[np.intp], name: str) -> NDArray[np.int32] | None:
    """Where the values of a member stand in lines that `object_members` has passed.

    From ``bounds[2 * i]`` to ``bounds[2 * i + 1]`` in line i. None where an object has no such
    member.
    """
    decoder = json.JSONDecoder()
    bounds: list[int] = []
    for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        line = data[start + 1 : end].decode()
        at = line.index("{") + 1
        while True:
            if line[at:].lstrip().startswith("}"):
                return None
            own, at = decoder.raw_decode(line, len(line) - len(line[at:].lstrip()))
            at = line.index(":", at) + 1
            value = len(line) - len(line[at:].lstrip())
            _, at = decoder.raw_decode(line, value)
            if own == name:
                bounds += [start + 1 + len(line[:each].encode()) for each in (value, at)]
                break
            at = len(line) - len(line[at:].lstrip())
            if line[at] == "}":
                return None
            at += 1
    return np.array(bounds, np.int32)


def _object(line: bytes) -> dict[str, Any]:
    value = json.loads(line.decode(), object_pairs_hook=_unique, parse_constant=_refused)
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a member is there twice")
    return made


def _refused(name: str) -> None:
    raise ValueError(name)


def _depth(value: Any) -> int:
    """How many lists and objects are within one another."""
    deep, level = 0, [value]
    while level:
        level = [each for each in level if isinstance(each, (dict, list))]
        deep += bool(level)
        level = [
            part for each in level for part in (each.values() if isinstance(each, dict) else each)
        ]
    return deep
