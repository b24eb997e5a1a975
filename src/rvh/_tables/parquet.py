"""Apache Parquet, read page by page and written by row groups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import parquet as pq

from rvh._tables.base import BATCH_BYTES, BATCH_ROWS, Reader, TableWriter, naming
from rvh._tables.levels import CODECS
from rvh._tables.source import Source
from rvh.errors import RVHError

#: how the file's own words for them are called here
CODEC_NAMES = {name.upper(): name for name in CODECS} | {"UNCOMPRESSED": "none"}
#: bytes of values that wait for a row group to be full
GROUP_BYTES = 1 << 26


class ParquetReader(Reader):
    """Reads Parquet; the columns keep their types."""

    names: list[str]
    from_file = True

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        with naming(source.name):
            # pre_buffer would hold whole row groups, and without a buffer_size so would columns.
            file = source.random_access()
            try:
                self._file = pq.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20)
            except pa.ArrowInvalid as error:  # a footer that is cut off or damaged
                reason = str(error).splitlines()[0]
                raise RVHError(
                    f"{source.name} is no whole Parquet file ({reason}): write or copy it again"
                ) from None
            self.names = self._file.schema_arrow.names
            self.parquet = self._file.metadata

    @property
    def schema(self) -> Any:
        return self._file.schema_arrow

    def records(self) -> Iterator[Any]:
        about = self.parquet
        size = sum(about.row_group(n).total_byte_size for n in range(about.num_row_groups))
        rows = min(BATCH_ROWS, max(1, BATCH_BYTES * about.num_rows // max(1, size)))
        yield from self._file.iter_batches(rows)

    def read_fraction(self) -> float | None:
        return self._rows_in / max(1, int(self.parquet.num_rows))


class ParquetWriter(TableWriter):
    """Writes Parquet: as the input where that is Parquet, else compressed with Snappy.

    Of an input the codec of each column stays, which columns have dictionaries, and the rows of a
    row group, up to `GROUP_BYTES` of values.

    Parameters
    ----------
    compression : str, optional
        A key of `rvh._tables.levels.CODECS`, for all columns.
    level : int, optional
    """

    def __init__(
        self, *args: Any, compression: str | None = None, level: int | None = None
    ) -> None:
        super().__init__(*args)
        reader: Reader = args[1]
        about = reader.parquet
        options: dict[str, Any] = {}
        self._group_rows = BATCH_ROWS
        if about is not None and about.num_row_groups:
            self._group_rows = max(1, *_sizes(about))
            options = _as_in(about, self.schema.names)
        if compression is not None:
            options |= {"compression": compression, "compression_level": level}
        self._writer = pq.ParquetWriter(self.sink, self.schema, **options)
        self._waiting: list[Any] = []
        self._rows, self._bytes = 0, 0

    def write_record(self, record: Any) -> None:
        while self._rows + len(record) >= self._group_rows:
            part = record.slice(0, self._group_rows - self._rows)
            record = record.slice(len(part))
            self._waiting.append(part)
            self._write_group()
        if len(record):
            self._waiting.append(record)
            self._rows += len(record)
            self._bytes += record.get_total_buffer_size()
            if self._bytes >= GROUP_BYTES:
                self._write_group()

    def _write_group(self) -> None:
        table = pa.Table.from_batches(self._waiting, self.schema)
        self._writer.write_table(table, row_group_size=max(1, len(table)))
        self._waiting, self._rows, self._bytes = [], 0, 0

    def close(self) -> None:
        if self._waiting:
            self._write_group()
        self._writer.close()

    def give_up(self) -> None:
        self.sink.abandon()
        with suppress(Exception):
            self._writer.close()


def _sizes(about: Any) -> list[int]:
    """The rows of each row group."""
    return [about.row_group(n).num_rows for n in range(about.num_row_groups)]


def _as_in(about: Any, names: list[str]) -> dict[str, Any]:
    """The options that write columns as a file has them; those that it lacks, as its first."""
    group, own = about.row_group(0), {*about.schema.to_arrow_schema().names}
    added = [name for name in names if name not in own]
    columns = [group.column(n) for n in range(group.num_columns)]
    codecs = {each.path_in_schema: CODEC_NAMES.get(each.compression, "snappy") for each in columns}
    with_dictionary = [each.path_in_schema for each in columns if each.has_dictionary_page]
    # The name of what is in a list, as it is written now.
    codecs |= {name.replace(".list.item", ".list.element"): each for name, each in codecs.items()}
    with_dictionary += [name.replace(".list.item", ".list.element") for name in with_dictionary]
    first = next(iter(codecs.values()), "snappy")
    codecs |= dict.fromkeys(added, first)
    one = len(set(codecs.values())) == 1
    return {
        "compression": first if one else codecs,
        "use_dictionary": [*with_dictionary, *added],
    }


READERS = {"parquet": ParquetReader}
WRITERS = {"parquet": ParquetWriter}
