"""Words of the commands that write rows, about their rows and outputs."""

from __future__ import annotations

import contextlib
import shlex
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated, Protocol

import typer

from rvh._tables import Format
from rvh._tables.content import COMPRESSORS
from rvh._tables.descriptors import is_stdout, is_stream
from rvh.errors import RVHError

AsJson = Annotated[
    bool, typer.Option("--json", help="Print the summary as one JSON object on stdout.")
]


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


def refuse_two_on_stdout(as_json: bool, outputs: Mapping[str, str | None]) -> None:
    """Refuse ``--json`` where an output, named by its option, is stdout."""
    for option, path in outputs.items():
        if as_json and is_stdout(path):
            raise typer.BadParameter(
                f"stdout has the rows of {option}: give {option} a file, or omit --json",
                param_hint="--json",
            )


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
