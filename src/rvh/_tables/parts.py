"""The files that a table is split into: one written at a time, with its size and checksum."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from rvh._tables import Format
from rvh._tables.base import Batch, Part, Reader, Writer, naming
from rvh._tables.jsontext import opened
from rvh._tables.ndjson import JsonBatch
from rvh._tables.target import target
from rvh._tables.text import joined

#: the one column of rows that are lines of text as they were read
LINES = pa.schema([("line", pa.large_string())])


class Parts:
    """The form of all files: what rows become on their way, and how a file of them is written.

    Parameters
    ----------
    reader : Reader
        The input. NDJSON that stays NDJSON keeps the text of its lines.
    read_as, write_as : Format
    compression : str, optional
        A value of `rvh._tables.COMPRESSIONS`.
    level : int, optional
        How hard.
    options : dict
        Those of the format's writer.
    """

    def __init__(
        self,
        reader: Reader,
        read_as: Format,
        write_as: Format,
        compression: str | None,
        level: int | None,
        options: dict[str, Any],
    ) -> None:
        #: whether lines are written as they were read
        self.keeps_lines = read_as is write_as and write_as.name == "ndjson"
        #: the columns of `record`
        self.schema = LINES if self.keeps_lines else reader.schema
        self._reader, self._options = reader, options
        self._compression, self._level = compression, level
        self._make: Callable[..., Writer] = _LineTexts if self.keeps_lines else write_as.writer()

    def record(self, batch: Batch) -> Any:
        """The rows of a batch as an Arrow record batch of `schema`."""
        if not self.keeps_lines:
            return batch.record
        assert isinstance(batch, JsonBatch)
        lines = pa.array(batch.lines, pa.large_binary()).cast(pa.large_string())
        return pa.RecordBatch.from_arrays([lines], schema=self.schema)

    def write(
        self, path: str, name: str, schema: Any, records: Iterator[Any]
    ) -> tuple[int, int, str]:
        """Write one file; return its rows, its bytes and its SHA-256.

        Parameters
        ----------
        path, name : str
            Where to write it, and what errors call it.
        schema : pyarrow.Schema
            The columns of the records: `schema`, or those and more.
        records : iterator of pyarrow.RecordBatch
        """
        rows = 0
        # Not the input itself, which a writer may ask to hand its rows out in another form.
        columns = Part(self._reader, schema.names, schema)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with (
                target(path, self._compression, level=self._level) as sink,
                naming(name),
                self._make(sink, columns, [], [], **self._options) as writer,
            ):
                for record in records:
                    count = record.num_rows
                    writer.write(Batch(record, rows + 1, name), np.empty((count, 0), np.intp))
                    rows += count
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                return rows, file.tell(), digest
        except OSError as error:
            raise OSError(error.errno, error.strerror or str(error), name) from None


class _LineTexts(Writer):
    """Writes NDJSON that was read as NDJSON: each line keeps its own text."""

    def write(self, batch: Batch, chosen: NDArray[np.intp]) -> None:
        """Write lines; columns beside their text are members to add."""
        lines, *others = batch.record.columns
        for column, name in zip(others, batch.record.schema.names[1:], strict=True):
            member = f"{json.dumps(name, ensure_ascii=False)}: "
            lines = pa.array(
                [
                    f"{opened(text)}{member}{json.dumps(value)}}}"
                    for text, value in zip(lines.to_pylist(), column.to_pylist(), strict=True)
                ],
                pa.large_string(),
            )
        self.sink.write(joined([lines], ""))
