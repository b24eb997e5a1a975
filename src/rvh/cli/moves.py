"""The table of MOVES: a row for each copy, with the key as it came, source, target, size, step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from rvh._tables.base import Batch, Part, Reader, Writer, naming
from rvh._tables.target import target
from rvh.cli.outputs import advice
from rvh.errors import RVHError, show

if TYPE_CHECKING:
    from rvh.cli.heldkeys import Files
    from rvh.cli.packing import Packing


class Copies(Protocol):
    """Copies of the keys of a batch: `rvh.migration.Moves`, or their like."""

    @property
    def row(self) -> NDArray[np.intp]:
        """The position of each key in the batch."""

    @property
    def source(self) -> Any:
        """The positions of nodes, or None for no such column."""

    @property
    def target(self) -> Any:
        """As `source`."""

    @property
    def step(self) -> NDArray[np.intp] | None:
        """The number of the step of each, or None."""


class MovesWriter:
    """Writes the moves of batches.

    Parameters
    ----------
    make : callable
        Makes the writer of the format, of a sink, a reader, added columns and ids.
    sink : file-like
    reader : Reader
        Of KEYS.
    keys : list of str
        The key columns.
    ids : sequence of str
        The nodes at the positions in `Moves`.
    has_sizes, has_steps : bool
    nodes : tuple of str
        The columns of nodes.
    """

    def __init__(
        self,
        make: Callable[..., Writer],
        sink: Any,
        reader: Reader,
        keys: list[str],
        ids: Sequence[str],
        *,
        has_sizes: bool,
        has_steps: bool,
        nodes: tuple[str, ...] = ("source", "target"),
    ) -> None:
        added = [(name, pa.string()) for name in nodes]
        added += [("size", pa.int64())] * has_sizes + [("step", pa.int64())] * has_steps
        for name, _ in added:
            if name in keys:
                raise RVHError(
                    f"{reader.name}: the key column {show(name)} has the name of a column of "
                    "MOVES: rename it"
                )
        self._part = Part(reader, keys)
        schema = pa.schema([*self._part.schema, *(pa.field(*each) for each in added)])
        self._whole = Part(reader, schema.names, schema)
        self._ids = pa.array(ids, pa.string())
        self._writer = make(sink, self._whole, [], [])
        self._rows = 0

    def write(self, batch: Batch, moves: Copies, sizes: Any) -> None:
        """Write the moves of a batch."""
        if not len(moves.row):
            return
        columns = [
            *batch.taken(moves.row, self._part).record.columns,
            *(
                self._ids.take(pa.array(each))
                for each in (moves.source, moves.target)
                if each is not None
            ),
        ]
        if sizes is not None:
            each = np.asarray(sizes)
            columns.append(pa.array(each[moves.row] if each.ndim else each.repeat(len(moves.row))))
        if moves.step is not None:
            columns.append(pa.array(moves.step))
        record = pa.RecordBatch.from_arrays(columns, schema=self._whole.schema)
        written = Batch(record, self._rows + 1, self._whole.name)
        self._writer.write(written, np.empty((len(written), 0), np.intp))
        self._rows += len(written)

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._writer.__exit__(*error)


@contextmanager
def moves_writer(
    out: str, files: Files, packing: Packing, reader: Reader, *columns: Any, **options: Any
) -> Iterator[MovesWriter]:
    """Open a file to write moves of files of keys to; the rest is that of `MovesWriter`."""
    make = partial(files.write_as.writer(), **files.writing, **packing.writing)
    replacing = advice(out, files.read_as, files.write_as, packing.compression)
    with (
        target(out, packing.compression, replacing, packing.level) as sink,
        naming(out),
        MovesWriter(make, sink, reader, *columns, **options) as writer,
    ):
        yield writer
