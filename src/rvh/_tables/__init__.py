"""File formats: one file each, behind one small interface (`rvh._tables.base`).

`FORMATS` is the table of them; the help, the documentation and the tests read it. A format's
module, and with it pyarrow, is loaded when a file of it is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rvh._tables.base import Reader, Writer
    from rvh._tables.source import Source

__all__ = [
    "COMPRESSIONS",
    "EXTENSIONS",
    "FORMATS",
    "Format",
    "Quote",
    "compression_of",
    "extension_of",
    "format_of",
]


@dataclass(frozen=True)
class Format:
    """A file format: its name, the extensions that tell it, the module that implements it."""

    name: str
    extensions: tuple[str, ...]
    about: str
    module: str
    is_text: bool = True

    @property
    def is_untyped(self) -> bool:
        """True where every value is text."""
        return self.name in ("csv", "tsv", "lines")

    @property
    def is_ragged(self) -> bool:
        """True where each row says what its columns are."""
        return self.name == "ndjson"

    @property
    def is_delimited(self) -> bool:
        """True where a line has values with a delimiter between."""
        return self.module == "delimited"

    def reader(self, source: Source, **options: Any) -> Reader:
        """Open `source` for reading; the options are those of the format's reader."""
        from rvh._tables.content import refuse_other_kind

        refuse_other_kind(source.name, source.head, self.name, source.compressed, source.spelling)
        readers = import_module(f"{__name__}.{self.module}").READERS
        made: Reader = readers[self.name](source, **options)
        return made

    def writer(self) -> Callable[..., Writer]:
        """The function or class that makes a `Writer` of this format."""
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

#: extensions that may follow those of a text format, and what they mean: pyarrow's names, and xz
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz"}

#: all extensions, for people
EXTENSIONS = " ".join(extension for each in FORMATS.values() for extension in each.extensions)


class Quote(StrEnum):
    """The meaning of a quote at the start of a value in delimited text."""

    NONE = "none"
    CSV = "csv"


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
    suffix = extension_of(path)
    return next((each for each in FORMATS.values() if suffix in each.extensions), None)


def extension_of(path: str) -> str:
    """The extension in the name of a file that may tell its format, in lower case.

    Examples
    --------
    >>> extension_of("keys.CSV.gz"), extension_of("keys"), extension_of("keys.xlsx")
    ('.csv', '', '.xlsx')
    """
    name = PurePath(path)
    return (name.with_suffix("") if compression_of(path) else name).suffix.lower()
