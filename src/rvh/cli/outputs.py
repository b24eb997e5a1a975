"""Words of the commands that write rows, about their rows and outputs."""

from __future__ import annotations

import contextlib
import shlex
import unicodedata
from collections.abc import Iterator
from typing import Protocol

from rvh._tables import Format
from rvh._tables.content import COMPRESSORS
from rvh._tables.descriptors import is_stream
from rvh.errors import RVHError


class Counting(Protocol):
    """Rows on their way, and how many of them are done."""

    done: int


def counted(number: int, thing: str) -> str:
    """A number of things in words.

    Examples
    --------
    >>> counted(1, "row"), counted(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {thing}{'s' * (number != 1)}"


def width(text: str) -> int:
    """The columns of a terminal that a text takes.

    Examples
    --------
    >>> width("node"), width("節点")
    (4, 4)
    """
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def advice(
    out: str,
    read_as: Format,
    write_as: Format,
    compression: str | None,
    options: tuple[str, str] = ("-o", "--output-format"),
) -> str:
    """The advice where no new file can take the place of OUT: the shell writes into the old one."""
    format_name = "" if write_as is read_as else f" {options[1]} {write_as.name}"
    packed = "" if compression is None else f" | {COMPRESSORS[compression]}"
    return f"write {options[0]} -{format_name}{packed} > {shlex.quote(out)}"


@contextlib.contextmanager
def saying_how_far(out: str, rows: Counting) -> Iterator[None]:
    """Let an error say how much of an output is written that cannot be taken back."""
    streamed = is_stream(out)
    try:
        yield
    except RVHError as error:
        if not streamed:
            raise
        name = "stdout" if out == "-" else out
        raise type(error)(
            f"{error}; {name} is incomplete, it ends after {rows.done:,} rows"
        ) from None
