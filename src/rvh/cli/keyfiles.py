"""KEYS as files: one, or several whose rows are read as those of one."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rvh._tables import Format
from rvh._tables.descriptors import descriptor
from rvh.cli.finding import Found
from rvh.cli.formats import compression
from rvh.cli.hive import Hive, folder_columns
from rvh.cli.values import as_option
from rvh.errors import RVHError

if TYPE_CHECKING:
    from rvh._tables.base import Batch, Reader
    from rvh._tables.source import Source


@dataclass(frozen=True, kw_only=True)
class KeyFile:
    """A file of KEYS as the options describe it.

    Parameters
    ----------
    path : str
        ``-`` is stdin.
    format : Format
    encoding : str, optional
    options : dict
        Those of the format's reader.
    columns : dict
        Columns of one value beside its own, which its folder says.
    types : dict
        Their types: str or int.
    """

    path: str
    format: Format
    encoding: str | None
    options: dict[str, Any]
    columns: dict[str, str | int | None] = field(default_factory=dict)
    types: dict[str, type] = field(default_factory=dict)

    @property
    def size(self) -> int | None:
        """The bytes of a regular file; None for what can be read only once, or is not there."""
        about = _status(self.path)
        return about.st_size if about is not None and stat.S_ISREG(about.st_mode) else None

    @contextlib.contextmanager
    def open(self, out: str | None = None) -> Iterator[Reader]:
        """Open the rows.

        Raises
        ------
        RVHError
            What is no such file; one that `out`, a stream, writes into, which would never end.
        """
        with self._source(out) as source:
            yield self._reader(source)

    def check(self, first: Reader, out: str | None) -> None:
        """Refuse a file that cannot follow on `first`, before any row is written."""
        from rvh._tables.content import refuse_other_kind

        with self._source(out) as source:
            if self.format.is_ragged:
                head = source.head
                refuse_other_kind(
                    source.name, head, self.format.name, source.compressed, source.spelling
                )
            else:
                self._reader(source).follow(first)

    def _reader(self, source: Source) -> Reader:
        reader = self.format.reader(source, **self.options)
        if not self.columns:
            return reader
        import pyarrow as pa  # type: ignore[import-untyped]

        from rvh._tables.folders import with_folders

        arrow = {int: pa.int64(), str: pa.string()}
        schema = pa.schema([(name, arrow[kind]) for name, kind in self.types.items()])
        return with_folders(reader, self.columns, schema)

    @contextlib.contextmanager
    def _source(self, out: str | None) -> Iterator[Source]:
        from rvh._tables.source import Source

        packing = compression(self.path, self.format)
        with Source(self.path, packing, self.encoding, as_option) as source:
            if out is not None and source.is_behind(out):
                raise RVHError(
                    f"{'stdout' if out == '-' else out} is the file that {source.name} reads, "
                    "which would never end: write -o FILE, which may be KEYS itself and is "
                    "replaced at the end"
                )
            yield source


@dataclass(frozen=True, kw_only=True)
class KeyFiles:
    """All files of KEYS, in their order; those that are no pipes can be opened more than once.

    Parameters
    ----------
    files : sequence of KeyFile
        At least one.
    """

    files: Sequence[KeyFile]

    @classmethod
    def of(
        cls,
        found: Sequence[Found],
        read_as: Format,
        encoding: str | None,
        options: dict[str, Any],
        hive: Hive | None,
    ) -> KeyFiles:
        """Describe files that were found, all in one way.

        Raises
        ------
        typer.BadParameter, RVHError
            As `folder_columns`.
        """
        columns, types = folder_columns(found, hive, read_as.is_untyped)
        return cls(
            files=[
                KeyFile(
                    path=each.path,
                    format=read_as,
                    encoding=encoding,
                    options=options,
                    columns=its,
                    types=types,
                )
                for each, its in zip(found, columns, strict=True)
            ]
        )

    def __str__(self) -> str:
        """The part of a summary that tells how many files there are, and the columns of folders."""
        count = f" of {len(self.files):,} files" if len(self.files) > 1 else ""
        types = self.files[0].types
        if not types:
            return count
        kinds = {int: "int", str: "text"}
        listed = ", ".join(f"{name} ({kinds[kind]})" for name, kind in types.items())
        return f"{count} with {listed} from their folders"

    @contextlib.contextmanager
    def open(self, out: str | None = None) -> Iterator[Reader]:
        """Open the rows, once all that is no pipe is known to have the same columns.

        Raises
        ------
        RVHError
            As `KeyFile.open`; columns that are not those of the first file.
        """
        if len(self.files) == 1:
            with self.files[0].open(out) as reader:
                yield reader
            return
        from functools import partial

        from rvh._tables.joined import JoinedReader

        sizes = [each.size for each in self.files]
        name = f"KEYS ({len(self.files)} files)"
        openings = [partial(each.open, out) for each in self.files]
        with JoinedReader(openings, sizes, name) as reader:
            for each in self.files[1:]:
                if is_rereadable(each.path):
                    each.check(reader.first, out)
            yield reader

    def batches(self) -> Iterator[Batch]:
        """Read all rows anew."""
        with self.open() as reader:
            yield from reader.batches()


def is_rereadable(path: str) -> bool:
    """Check whether an input can be read twice; that it is missing is found by whoever reads."""
    about = _status(path)
    is_open = path == "-" or descriptor(path) is not None
    return not is_open and (about is None or stat.S_ISREG(about.st_mode))


def _status(path: str) -> os.stat_result | None:
    """The status of a file by its name alone; None for an open one and for what is not there."""
    if path == "-" or descriptor(path) is not None:
        return None
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None
