"""Apache Parquet, read page by page and written by row groups."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray
from pyarrow import parquet as pq

from rvh._tables.base import BATCH_BYTES, BATCH_ROWS, Batch, Reader, TableWriter, naming
from rvh._tables.levels import CODECS
from rvh._tables.source import Source
from rvh.errors import RVHError

#: how the file's own words for them are called here
CODEC_NAMES = {name.upper(): name for name in CODECS} | {"UNCOMPRESSED": "none"}
#: bytes of values that wait for a row group to be full
GROUP_BYTES = 1 << 26
#: compressed bytes of a dictionary that is read anew for each batch, how much larger it may be in
#: truth, and bytes of a position in one
WORDS_BYTES = 1 << 16
WORDS_FACTOR = 16
POSITION_BYTES = 2.5


class ParquetReader(Reader):
    """Reads Parquet; the columns keep their types."""

    names: list[str]
    schema: Any = None
    from_file = True

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        with naming(source.name):
            self._bytes = source.random_access()
            try:
                self._file = self._opened([])
            except pa.ArrowInvalid as error:  # a footer that is cut off or damaged
                reason = str(error).splitlines()[0]
                raise RVHError(
                    f"{source.name} is not a complete Parquet file ({reason}): write or copy it "
                    "again"
                ) from None
            #: the columns, with their types, also where records have their dictionaries
            self.schema = self._file.schema_arrow
            self.names = self.schema.names
            self.parquet = self._file.metadata

    def _opened(self, dictionaries: list[str]) -> Any:
        # pre_buffer would hold whole row groups, and without a buffer_size so would columns.
        return pq.ParquetFile(
            self._bytes, pre_buffer=False, buffer_size=1 << 20, read_dictionary=dictionaries
        )

    def keep_dictionaries(self) -> Any:
        """Let records have texts as dictionaries where the file does; return their schema."""
        with naming(self.source.name):
            self._file = self._opened(_with_small_dictionary(self.parquet, self.schema))
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
        # Texts go as dictionaries where they come so, and are texts again for those who read: the
        # schema that is kept with the file says what the columns are.
        self._written = (
            reader.keep_dictionaries() if isinstance(reader, ParquetReader) else reader.schema
        )
        for field in [*self.schema][len(self._written) :]:
            self._written = self._written.append(
                field.with_type(pa.dictionary(pa.int32(), pa.string()))
            )
        self._writer = pq.ParquetWriter(self.sink, self._written, store_schema=False, **options)
        self._writer.add_key_value_metadata(
            {"ARROW:schema": base64.b64encode(self.schema.serialize()).decode()}
        )
        self._waiting: list[Any] = []
        self._rows, self._bytes = 0, 0

    def write(self, batch: Batch, chosen: NDArray[np.intp]) -> None:
        words = self.ids.drop_null()
        nodes = [
            pa.DictionaryArray.from_arrays(
                pa.array(column.astype(np.int32), mask=(column < 0) | (column >= len(words))), words
            )
            for column in chosen.T
        ]
        columns = [*batch.record.columns, *nodes]
        self.write_record(pa.RecordBatch.from_arrays(columns, names=self.schema.names))

    def write_record(self, record: Any) -> None:
        columns = zip(record.columns, self._written.types, strict=True)
        record = pa.RecordBatch.from_arrays(
            [_as(column, kind) for column, kind in columns], schema=self._written
        )
        while self._rows + len(record) >= self._group_rows:
            part = record.slice(0, self._group_rows - self._rows)
            record = record.slice(len(part))
            self._waiting.append(part)
            self._write_group()
        if len(record):
            self._waiting.append(record)
            self._rows += len(record)
            self._bytes += record.get_total_buffer_size() + sum(map(_spared, record.columns))
            if self._bytes >= GROUP_BYTES:
                self._write_group()

    def _write_group(self) -> None:
        table = pa.Table.from_batches(self._waiting, self._written).unify_dictionaries()
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


def _with_small_dictionary(about: Any, schema: Any) -> list[str]:
    """The columns of text of which each value is a position in a small dictionary."""
    groups = [about.row_group(n) for n in range(about.num_row_groups)]
    plain = {field.name for field in schema if _is_text(field.type)}
    found = []
    for number in range(about.num_columns):
        chunks = [group.column(number) for group in groups]
        if about.schema.column(number).path in plain and all(map(_is_positions, chunks)):
            found.append(about.schema.column(number).path)
    return found


def _is_positions(chunk: Any) -> bool:
    if not chunk.has_dictionary_page:
        return False
    words = chunk.data_page_offset - (chunk.dictionary_page_offset or 0)
    most = POSITION_BYTES * chunk.num_values + WORDS_FACTOR * words
    return bool(words <= WORDS_BYTES and chunk.total_uncompressed_size <= most)


def _as(column: Any, kind: Any) -> Any:
    """A column of text or positions in a dictionary as the one of the two that `kind` is."""
    if column.type == kind:
        return column
    if pa.types.is_dictionary(kind) and not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    return column.cast(kind)


def _spared(column: Any) -> int:
    """The bytes of texts that a dictionary spares."""
    if not pa.types.is_dictionary(column.type) or not _is_text(column.type.value_type):
        return 0
    return pc.sum(pc.binary_length(column.dictionary).take(column.indices)).as_py() or 0


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


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
