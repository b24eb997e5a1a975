"""The keys of a plan: rows of files with their sizes, each batch counted once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from rvh._arguments.sizes import as_bytes
from rvh._tables.descriptors import STDIN, descriptor
from rvh.cli.finding import find
from rvh.cli.heldkeys import NULL, HeldKeysOptions
from rvh.cli.inputs import refuse_twice
from rvh.cli.keyfiles import KeyFiles
from rvh.cli.keyspec import (
    KeySpec,
    KeyType,
    NullKeys,
    key_columns,
    refuse_missing,
)
from rvh.cli.outputs import advice, counted
from rvh.cli.packing import PackingOptions
from rvh.cli.pairs import Pair
from rvh.cli.progress import progress
from rvh.cli.units import read_bytes
from rvh.errors import RVHError, show

if TYPE_CHECKING:
    from rvh._tables.base import Batch
    from rvh.migration import Estimator


@dataclass(frozen=True, kw_only=True)
class PlanKeysOptions(HeldKeysOptions):
    """The options that say what the keys are, and how large their data."""

    size: Annotated[
        str | None,
        typer.Option(metavar="BYTES", help="The size of every key's data, as 2048, 2kB or 2KiB."),
    ] = None
    size_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The column of KEYS with the size of each, in bytes."),
    ] = None
    moves: Annotated[
        str | None,
        typer.Option(
            "--moves",
            metavar="MOVES",
            help="A file to write: a row for each copy, with its key, source, target, size, step.",
        ),
    ] = None
    packing: PackingOptions

    @property
    def are_sized(self) -> bool:
        """Whether the keys have sizes."""
        return self.size is not None or self.size_column is not None

    def of_every_key(self) -> int | None:
        """The size of every key, where it is one."""
        return None if self.size is None else read_bytes(self.size, "--size")

    def refuse_conflicts(self, sample: int | None) -> None:
        """Refuse what does not go together, and with a sample what is about KEYS."""
        if self.size is not None and self.size_column is not None:
            raise typer.BadParameter("--size is given too: give one", param_hint="--size-column")
        self.refuse_keep()
        formats = self.formats
        for option, given in (
            ("--output-format", formats.output_format),
            ("--compression", self.packing.compression),
            ("--level", self.packing.level),
        ):
            if given is not None and self.moves is None:
                raise typer.BadParameter("it needs --moves", param_hint=option)
        if self.moves in ("", "-"):
            raise typer.BadParameter("stdout has the plan: name a file", param_hint="--moves")
        about_keys: tuple[tuple[str, object], ...] = (
            ("--key-column", self.key.key_column),
            ("--key-type", self.key.key_type is not KeyType.AUTO),
            ("--null-keys", self.null_keys is not NullKeys.ERROR),
            ("--hive", self.hive),
            ("--format", formats.format_name),
            ("--delimiter", formats.delimiter),
            ("--no-header", formats.no_header),
            ("--quote", formats.quote),
            ("--encoding", formats.encoding),
            ("--size-column", self.size_column),
            ("--moves", self.moves),
        )
        for option, value in about_keys:
            if value and sample is not None:
                raise typer.BadParameter(
                    "it is about KEYS, and --sample draws keys that are nobody's: leave it away",
                    param_hint=option,
                )


def count_files(
    keys: Sequence[str],
    options: PlanKeysOptions,
    pair_of: Callable[[list[str], bool], Pair],
    estimator_of: Callable[[Pair], Estimator],
    quiet: bool,
) -> tuple[Pair, Estimator, str]:
    """Count the keys of files.

    Parameters
    ----------
    keys : sequence of str
        KEYS as given.
    options : PlanKeysOptions
    pair_of : callable
        Makes the placements, given the paths of the files and whether no key is an integer.
    estimator_of : callable
        Makes what counts, given the placements.
    quiet : bool

    Returns
    -------
    Pair, Estimator
    str
        The summary: rows, files, key columns.

    Raises
    ------
    typer.BadParameter, RVHError
        As for assign; a size that is none.
    """
    formats, moves = options.formats, options.moves
    found = find(keys)
    paths = [each.path for each in found]
    refuse_twice(paths)
    read_as, write_as = formats.of_files(paths, moves or "-", "--moves")
    reading, writing = formats.delimited(read_as, write_as)
    formats.refuse_encoding(read_as)
    packed = options.packing.of_file(moves or "-", write_as)
    named = ["-" if descriptor(path) == STDIN else path for path in paths]
    pair = pair_of(named, options.key.is_text(read_as))
    size, size_column = options.of_every_key(), options.size_column
    files = KeyFiles.of(found, read_as, formats.encoding, reading, options.hive)
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(files.open())
        sized_by = [] if size_column is None else [size_column]
        parts = key_columns(options.key, reader, sized_by)
        pair.old.refuse_composite(parts)
        pair.new.refuse_composite(parts)
        refuse_missing(sized_by, reader)
        spec = KeySpec(parts, pair.check, read_as.is_untyped, NULL)
        estimator = estimator_of(pair)
        bar, writer = progress(Path(reader.name).name, quiet), None
        if moves is not None:
            from rvh._tables.base import naming
            from rvh._tables.target import target
            from rvh.cli.moves import MovesWriter

            make = write_as.writer()
            replacing = advice(moves, read_as, write_as, packed.compression)
            sink = stack.enter_context(target(moves, packed.compression, replacing, packed.level))
            stack.enter_context(naming(moves))
            writer = stack.enter_context(
                MovesWriter(
                    lambda *args: make(*args, **writing, **packed.writing),
                    sink,
                    reader,
                    [part.name for part in parts],
                    [str(node) for node in estimator.ids.tolist()],
                    has_sizes=options.are_sized,
                    has_steps=estimator.steps is not None,
                )
            )
        stack.enter_context(bar)
        rows = dropped = 0
        for whole in reader.batches():
            batch = whole
            if options.null_keys is NullKeys.DROP and (nulls := spec.nulls(whole)).any():
                batch = whole.only(~nulls)
            rows, dropped = rows + len(whole), dropped + len(whole) - len(batch)
            if len(batch):
                sizes = size if size_column is None else sizes_of(batch, size_column)
                try:
                    moved = estimator.add(spec.keys(batch), sizes)
                except RVHError:
                    spec.explain(batch)
                    raise
                if writer is not None:
                    writer.write(batch, moved, sizes)
            bar.update(rows, reader.fraction())
    nulls_note = f"{counted(dropped, 'row')} with a null key dropped" if dropped else ""
    summary = f"{counted(rows, 'row')}{files}, key {spec}"
    return pair, estimator, "; ".join(filter(None, (summary, nulls_note, spec.mixed())))


def sizes_of(batch: Batch, name: str) -> NDArray[np.int64]:
    """The sizes in a column of a batch: whole numbers, in text formats as digits.

    Raises
    ------
    RVHError
        For the first row with a value that is no size; the message names it.
    """
    values: Any = batch.keys(name)
    try:
        kind = getattr(values, "type", None)
        if kind is not None and str(kind).endswith("string"):  # digits, and nothing looser
            return as_bytes(values.cast("int64").to_numpy(zero_copy_only=False), len(batch))
        return as_bytes(values, len(batch))
    except (ValueError, TypeError, OverflowError):
        for row, value in enumerate(batch.values(name)):
            _refuse_no_size(value, f"{batch.source}: {batch.where(row)}, column {show(name)}")
        raise


def _refuse_no_size(value: Any, where: str) -> None:
    what = f"the size is {show(value)}: every key needs one, a whole number of bytes, 0 or more"
    if isinstance(value, str):
        is_size = value.isascii() and value.isdigit() and len(value) < 19
    else:
        try:
            as_bytes([value], 1)
            is_size = not isinstance(value, (bool, np.bool_))
        except RVHError:
            is_size = False
    if not is_size:
        raise RVHError(f"{where}: {what}")
