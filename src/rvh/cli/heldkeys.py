"""Rows of files of keys, a batch at a time: what the commands of a migration share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from rvh._tables import Format
from rvh.cli.finding import find
from rvh.cli.formats import FormatOptions
from rvh.cli.hive import HiveColumns
from rvh.cli.inputs import refuse_twice
from rvh.cli.keyfiles import KeyFiles
from rvh.cli.keyspec import (
    KeyColumnOptions,
    KeySpec,
    NullKeys,
    key_columns,
    refuse_missing,
)
from rvh.cli.outputs import counted
from rvh.cli.pairs import Pair
from rvh.cli.progress import progress
from rvh.errors import RVHError

if TYPE_CHECKING:
    from rvh._tables.base import Batch, Reader

#: what is to be done about a null key
NULL = "with --null-keys drop the row is left out"


@dataclass(frozen=True, kw_only=True)
class HeldKeysOptions:
    """The options that say what the keys are."""

    key: KeyColumnOptions
    null_keys: Annotated[
        NullKeys,
        typer.Option(
            metavar="error|drop",
            help="What to do with a row whose key is null (empty in csv, tsv and lines): stop, or "
            "drop the row.",
        ),
    ] = NullKeys.ERROR
    hive: HiveColumns = None
    formats: FormatOptions

    def refuse_keep(self) -> None:
        """Refuse --null-keys keep."""
        if self.null_keys is NullKeys.KEEP:
            raise typer.BadParameter(
                "a row without a key has no nodes to move between: use error or drop",
                param_hint="--null-keys",
            )


class Files(NamedTuple):
    """Files of keys as the options describe them, and the paths of all of them."""

    files: KeyFiles
    paths: list[str]
    read_as: Format
    write_as: Format
    writing: dict[str, Any]


def files_of(
    keys: Sequence[str], options: HeldKeysOptions, out: str = "-", option: str = "--out"
) -> Files:
    """Find the files of keys; `option` names the file to write in errors.

    Raises
    ------
    typer.BadParameter, RVHError
        As for assign.
    """
    options.refuse_keep()
    found = find(keys)
    paths = [each.path for each in found]
    refuse_twice(paths)
    read_as, write_as = options.formats.of_files(paths, out, option)
    reading, writing = options.formats.delimited(read_as, write_as)
    options.formats.refuse_encoding(read_as)
    files = KeyFiles.of(found, read_as, options.formats.encoding, reading, options.hive)
    return Files(files, paths, read_as, write_as, writing)


class HeldKeys:
    """The rows of open files.

    Parameters
    ----------
    reader : Reader
    files : Files
    options : HeldKeysOptions
    pair : Pair
        Of the placements, each of which has to take every key.
    others : sequence of str
        Columns that are no keys.
    """

    def __init__(
        self,
        reader: Reader,
        files: Files,
        options: HeldKeysOptions,
        pair: Pair,
        others: Sequence[str] = (),
    ) -> None:
        parts = key_columns(options.key, reader, list(others))
        for each in (pair.old, pair.new):
            each.refuse_composite(parts)
        refuse_missing(list(others), reader)
        self._reader, self._files, self._drops = reader, files, options.null_keys is NullKeys.DROP
        self._spec = KeySpec(parts, pair.check, files.read_as.is_untyped, NULL)
        #: the key columns
        self.names = [part.name for part in parts]
        self._rows = self._dropped = 0

    def each(self, take: Callable[[Batch, Any], None], quiet: bool) -> None:
        """Call `take` with each batch of rows and their keys."""
        with progress(Path(self._reader.name).name, quiet) as bar:
            for batch, keys in self.batches():
                try:
                    take(batch, keys)
                except RVHError:
                    self._spec.explain(batch)
                    raise
                bar.update(self._rows, self._reader.fraction())

    def batches(self) -> Iterator[tuple[Batch, Any]]:
        """The batches of rows that have a key, and their keys."""
        for whole in self._reader.batches():
            batch = whole
            if self._drops and (nulls := self._spec.nulls(whole)).any():
                batch = whole.only(~nulls)
            self._rows += len(whole)
            self._dropped += len(whole) - len(batch)
            if len(batch):
                try:
                    keys = self._spec.keys(batch)
                except RVHError:
                    self._spec.explain(batch)
                    raise
                yield batch, keys

    def facts(self) -> dict[str, Any]:
        """What `summary` says, for programs."""
        return {"rows": self._rows, "key": str(self._spec), "null_keys": self._dropped}

    def summary(self) -> str:
        """Tell what was read."""
        dropped = f"{counted(self._dropped, 'row')} with a null key dropped"
        notes = [dropped] * bool(self._dropped) + [self._spec.mixed()]
        rows = f"{counted(self._rows, 'row')}{self._files.files}, key {self._spec}"
        return "; ".join(filter(None, (rows, *notes)))


@contextlib.contextmanager
def held_keys(
    files: Files, options: HeldKeysOptions, pair: Pair, others: Sequence[str] = ()
) -> Iterator[tuple[HeldKeys, Reader]]:
    """Open files of keys."""
    with files.files.open() as reader:
        yield HeldKeys(reader, files, options, pair, others), reader
