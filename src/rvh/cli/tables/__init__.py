"""File formats: one file each, behind one small interface (`rvh.cli.tables.base`).

`FORMATS` is the table of them; the help, the documentation and the tests read it. A format's
module, and with it pyarrow, is loaded when a file of it is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rvh.cli.tables.base import Reader, Writer
    from rvh.cli.tables.files import Source

__all__ = ["COMPRESSIONS", "FORMATS", "Format", "compression_of", "format_of"]


@dataclass(frozen=True)
class Format:
    """A file format: its name, the extensions that mean it, where it is implemented."""

    name: str
    extensions: tuple[str, ...]
    about: str
    module: str
    is_text: bool = True

    @property
    def is_untyped(self) -> bool:
        """Whether every value is text."""
        return self.name in ("csv", "tsv", "lines")

    def reader(self, source: Source) -> Reader:
        """Open `source` for reading."""
        made: Reader = import_module(f"{__name__}.{self.module}").READERS[self.name](source)
        return made

    def writer(self) -> Callable[..., Writer]:
        """What makes a `Writer` of this format."""
        made: Callable[..., Writer] = import_module(f"{__name__}.{self.module}").WRITERS[self.name]
        return made


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("csv", (".csv",), "comma-separated, with a header", "delimited"),
        Format("tsv", (".tsv",), "tab-separated, with a header", "delimited"),
        Format("ndjson", (".ndjson", ".jsonl", ".json"), "one JSON object a line", "ndjson"),
        Format("parquet", (".parquet", ".pq"), "Apache Parquet", "parquet", is_text=False),
        Format("arrow", (".arrow", ".feather", ".ipc"), "Arrow IPC file", "arrow", is_text=False),
        Format("arrows", (".arrows",), "Arrow IPC stream", "arrow", is_text=False),
        Format("lines", (".txt", ".lines"), "one key a line", "lines"),
    )
}

#: extensions that may follow those of a text format, and pyarrow's name for what they mean
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}


def compression_of(path: str) -> str | None:
    """The compression that the name of a file tells, if any.

    Examples
    --------
    >>> compression_of("keys.csv.gz"), compression_of("keys.csv")
    ('gzip', None)
    """
    return COMPRESSIONS.get(PurePath(path).suffix.lower())


def format_of(path: str) -> Format | None:
    """The format that the name of a file tells, if any.

    Examples
    --------
    >>> format_of("keys.CSV.gz").name, format_of("keys")
    ('csv', None)
    """
    name = PurePath(path)
    suffix = (name.with_suffix("") if compression_of(path) else name).suffix.lower()
    return next((each for each in FORMATS.values() if suffix in each.extensions), None)
