"""Rows by node: sorted in memory a run at a time, each run written to disk and read back by node.

So each output is written in one go, with row groups as large as it can fill, while one file is open
and memory holds one run, whatever the number of nodes and rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from rvh._tables.base import regrouped, size_of
from rvh.errors import RVHError

#: bytes of rows that are sorted together; sorting holds them about three times
RUN_BYTES = 1 << 26


class Runs:
    """Rows, put in by `add` in any order and taken out by `of_node` in the order of each node.

    Parameters
    ----------
    path : str
        A file of its own, which is created. It is deleted by whoever owns its folder.
    schema : pyarrow.Schema
        The columns of all rows.
    count : int
        How many nodes there are.
    rank : str, optional
        A column to add: which of its nodes a row is with, from 1 for the best.
    """

    def __init__(self, path: str, schema: Any, count: int, rank: str | None = None) -> None:
        self._path, self._count, self._rank = path, count, rank
        #: the columns that come out
        self.schema = schema if rank is None else schema.append(_rank_field(rank))
        self._movable = pa.schema([field.with_type(_movable(field.type)) for field in schema])
        self._waiting: list[Any] = []
        self._chosen: list[NDArray[np.intp]] = []
        self._size = 0
        self._file: Any = None
        #: of each run: where it ends in the file, and which batch has the rows of a node
        self._runs: list[tuple[int, NDArray[np.intp]]] = []
        #: rows of each node
        self.rows: NDArray[np.int64] = np.zeros(count, np.int64)

    def __enter__(self) -> Self:
        self._file = pa.OSFile(self._path, "wb")
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def add(self, record: Any, chosen: NDArray[np.intp]) -> None:
        """Add rows; `chosen`, shape (rows, k), has the positions of their nodes, or -1 for none."""
        record = _moved(record, self._movable)
        self._waiting.append(record)
        self._chosen.append(chosen)
        self._size += size_of(record) * chosen.shape[1]
        if self._size >= RUN_BYTES:
            self._write_run()

    def finish(self) -> None:
        """Say that all rows are there: now they can be taken out."""
        if self._waiting:
            self._write_run()
        self._file.close()
        self._file = pa.OSFile(self._path)
        self._readers = [pa.ipc.open_file(self._file, footer_offset=end) for end, _ in self._runs]

    def nodes(self) -> list[int]:
        """The positions of the nodes that have rows."""
        return np.flatnonzero(self.rows).tolist()

    def of_node(self, node: int) -> Iterator[Any]:
        """The rows of the node at a position, as record batches."""
        yield from regrouped(self._of_node(node))

    def _of_node(self, node: int) -> Iterator[Any]:
        for reader, (_, places) in zip(self._readers, self._runs, strict=True):
            if (place := places[node]) >= 0:
                record = reader.get_batch(int(place))
                columns = [_trimmed(column) for column in record.columns]
                trimmed = pa.RecordBatch.from_arrays(columns, schema=record.schema)
                yield _moved(trimmed, self.schema)

    def _write_run(self) -> None:
        chosen = np.concatenate(self._chosen)
        k = chosen.shape[1]
        table = pa.Table.from_batches(self._waiting, self._movable)
        self._waiting, self._chosen, self._size = [], [], 0
        nodes = np.where(chosen < 0, self._count, chosen).ravel()
        if self._count < 1 << 16:
            nodes = nodes.astype(np.uint16)  # sorted by its digits, far faster
        counts = np.bincount(nodes, minlength=self._count + 1)[: self._count]
        order = np.argsort(nodes, kind="stable")[: counts.sum()]
        (record,) = (
            table.unify_dictionaries().combine_chunks().take(pa.array(order // k)).to_batches()
            if len(order)
            else [pa.RecordBatch.from_pylist([], self._movable)]
        )
        if self._rank is not None:
            record = record.append_column(
                _rank_field(self._rank), pa.array((order % k + 1).astype(np.int8))
            )
        ends = np.cumsum(counts)
        places = np.full(self._count, -1, np.intp)
        filled = np.flatnonzero(counts)
        places[filled] = np.arange(len(filled))
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_file(self._file, record.schema, options=options) as writer:
            for node in filled.tolist():
                rows = int(counts[node])
                writer.write_batch(record.slice(int(ends[node]) - rows, rows))
        self._runs.append((self._file.tell(), places))
        self.rows += counts


def _rank_field(name: str) -> Any:
    return pa.field(name, pa.int8(), nullable=False)


def _movable(kind: Any) -> Any:
    """The type as which rows of a type can be put in another order: Arrow moves no views."""
    types = pa.types
    if types.is_string_view(kind):
        return pa.large_string()
    if types.is_binary_view(kind):
        return pa.large_binary()
    if types.is_struct(kind):
        return pa.struct([field.with_type(_movable(field.type)) for field in kind])
    if types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_movable(kind.value_type)))
    if types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_movable(kind.value_type)))
    if types.is_fixed_size_list(kind):
        return pa.list_(kind.value_field.with_type(_movable(kind.value_type)), kind.list_size)
    if types.is_map(kind):
        return pa.map_(
            kind.key_field.with_type(_movable(kind.key_type)),
            kind.item_field.with_type(_movable(kind.item_type)),
            kind.keys_sorted,
        )
    if types.is_run_end_encoded(kind):
        return kind.value_type
    return kind


def _moved(record: Any, schema: Any) -> Any:
    """The same rows with other types of columns, between those of a file and movable ones."""
    columns = []
    for column, field in zip(record.columns, schema, strict=True):
        if column.type != field.type:
            try:
                if pa.types.is_run_end_encoded(column.type):
                    column = pc.run_end_decode(column)
                elif pa.types.is_run_end_encoded(field.type):
                    column = pc.run_end_encode(column, run_end_type=field.type.run_end_type)
                column = column.cast(field.type)
            except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
                raise RVHError(
                    f"column {field.name!r} of type {field.type} cannot be split: {error}"
                ) from None
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _trimmed(column: Any) -> Any:
    """A column with no words in its dictionary but its own, in the same order."""
    if not pa.types.is_dictionary(column.type):
        return column
    used = pc.unique(column.indices).drop_null()
    used = used.take(pc.sort_indices(used))
    return pa.DictionaryArray.from_arrays(
        pc.index_in(column.indices, value_set=used).cast(column.type.index_type),
        column.dictionary.take(used),
        ordered=column.type.ordered,
    )
