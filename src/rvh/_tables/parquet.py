"""Apache Parquet, read page by page and written a row group a batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pyarrow import parquet as pq  # type: ignore[import-untyped]

from rvh._tables.base import BATCH_BYTES, BATCH_ROWS, Reader, TableWriter, naming
from rvh._tables.source import Source


class ParquetReader(Reader):
    """Reads Parquet; the columns keep their types."""

    names: list[str]
    from_file = True

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        with naming(source.name):
            # pre_buffer would hold whole row groups, and without a buffer_size so would columns.
            self._file = pq.ParquetFile(
                source.random_access(), pre_buffer=False, buffer_size=1 << 20
            )
            self.names = self._file.schema_arrow.names

    @property
    def schema(self) -> Any:
        return self._file.schema_arrow

    def records(self) -> Iterator[Any]:
        about = self._file.metadata
        size = sum(about.row_group(n).total_byte_size for n in range(about.num_row_groups))
        rows = min(BATCH_ROWS, max(1, BATCH_BYTES * about.num_rows // max(1, size)))
        yield from self._file.iter_batches(rows)

    def read_fraction(self) -> float | None:
        return self._rows_in / max(1, int(self._file.metadata.num_rows))


class ParquetWriter(TableWriter):
    """Writes Parquet, compressed with Snappy."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._writer = pq.ParquetWriter(self.sink, self.schema)

    def write_record(self, record: Any) -> None:
        self._writer.write_batch(record)

    def close(self) -> None:
        self._writer.close()

    def give_up(self) -> None:
        self.sink.abandon()
        with suppress(Exception):
            self._writer.close()


READERS = {"parquet": ParquetReader}
WRITERS = {"parquet": ParquetWriter}
