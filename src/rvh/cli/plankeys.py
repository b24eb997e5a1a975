"""The keys of a plan: rows of files with their sizes, each batch counted once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from rvh._arguments.sizes import as_bytes
from rvh._tables.descriptors import STDIN, descriptor
from rvh.cli.heldkeys import HeldKeysOptions, files_of, held_keys
from rvh.cli.keyspec import KeyType, NullKeys
from rvh.cli.packing import PackingOptions
from rvh.cli.pairs import Pair
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
        typer.Option(
            metavar="BYTES", help="The size of the data of every key, such as 2048, 2kB or 2KiB."
        ),
    ] = None
    size_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The column of KEYS with the size of each key's data, in bytes."
        ),
    ] = None
    moves: Annotated[
        str | None,
        typer.Option(
            "--moves",
            metavar="MOVES",
            help="Write a file with a row for each copy: key, source, target, size and step.",
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
                    "it is about KEYS, but --sample draws keys of its own: omit it",
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
    moves = options.moves
    files = files_of(keys, options, moves or "-", "--moves")
    packed = options.packing.of_file(moves or "-", files.write_as)
    named = ["-" if descriptor(path) == STDIN else path for path in files.paths]
    pair = pair_of(named, options.key.is_text(files.read_as))
    size, size_column = options.of_every_key(), options.size_column
    with contextlib.ExitStack() as stack:
        others = [] if size_column is None else [size_column]
        held, reader = stack.enter_context(held_keys(files, options, pair, others))
        estimator, writer = estimator_of(pair), None
        if moves is not None:
            from rvh.cli.moves import moves_writer

            writer = stack.enter_context(
                moves_writer(
                    moves,
                    files,
                    packed,
                    reader,
                    held.names,
                    [str(node) for node in estimator.ids.tolist()],
                    has_sizes=options.are_sized,
                    has_steps=estimator.steps is not None,
                )
            )

        def count(batch: Batch, held_by: Any) -> None:
            sizes = size if size_column is None else sizes_of(batch, size_column)
            moved = estimator.add(held_by, sizes)
            if writer is not None:
                writer.write(batch, moved, sizes)

        held.each(count, quiet)
    return pair, estimator, held.summary()


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
