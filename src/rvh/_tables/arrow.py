"""Arrow IPC, the file (.arrow, .feather) and the stream (.arrows); reading tells them apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from rvh._tables.base import Reader, TableWriter, naming
from rvh._tables.content import ARROW_FILE
from rvh._tables.source import Source
from rvh.errors import RVHError

#: mean size of the record batches of a file above which they are mapped, not read, into memory
MAPPED_BYTES = 1 << 25
#: bytes read at once: a size is what the stream says, and Python makes room for all of it first
PIECE_BYTES = 1 << 26
#: the mark at the end of a stream
END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
#: the start of a message that never comes: a stream that merely stops is read as complete
NO_END = b"\xff\xff\xff\xff\x08\x00\x00\x00"


class _Tail:
    """A stream that remembers the last bytes that were read from it."""

    closed = False

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.last = b""

    def read(self, size: int) -> bytes:
        data: bytes = self._stream.read(min(size, PIECE_BYTES))
        if len(data) == PIECE_BYTES < size:
            data += b"".join(self._pieces(size - PIECE_BYTES))
        self.last = (self.last + data[-8:])[-8:]
        return data

    def _pieces(self, size: int) -> Iterator[bytes]:
        while size > 0 and (piece := self._stream.read(min(size, PIECE_BYTES))):
            yield piece
            size -= len(piece)

    def close(self) -> None:
        """Leave the stream to its owner."""


class ArrowReader(Reader):
    """Reads an Arrow IPC file or stream; the columns keep their types."""

    names: list[str]
    from_file = True

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._file: Any = None
        self._done = 0.0
        with naming(source.name):
            if source.head.startswith(ARROW_FILE):
                self._file = pa.ipc.open_file(source.random_access())
                if (source.size or 0) > MAPPED_BYTES * max(1, self._file.num_record_batches):
                    self._file = pa.ipc.open_file(source.random_access(mapped=True))
                self.names = self._file.schema.names
            elif not source.head:
                raise RVHError(f"{source.name} is empty: an Arrow IPC file has at least a schema")
            else:
                self._tail = _Tail(source.stream)
                self._stream = pa.ipc.open_stream(pa.PythonFile(self._tail, "r"))
                self.names = self._stream.schema.names

    @property
    def schema(self) -> Any:
        return self._file.schema if self._file else self._stream.schema

    def records(self) -> Iterator[Any]:
        if self._file:
            count = self._file.num_record_batches
            for number in range(count):
                self._done = (number + 1) / count
                yield self._file.get_batch(number)
            return
        yield from self._stream
        if self._tail.last != END_OF_STREAM:
            raise RVHError(
                f"{self.source.name} ends without an end-of-stream mark: it is probably truncated"
            )

    def read_fraction(self) -> float | None:
        return self._done if self._file else super().read_fraction()


class ArrowWriter(TableWriter):
    """Writes an Arrow IPC file or stream.

    A file holds one dictionary for each column, while batches of another format may each bring
    their own: they are made one that only grows.
    """

    def __init__(self, *args: Any, open_writer: Callable[..., Any]) -> None:
        super().__init__(*args)
        options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
        self._writer = open_writer(pa.PythonFile(self.sink, "w"), self.schema, options=options)
        self._dictionaries: dict[int, Any] = {}
        self._is_stream = open_writer is pa.ipc.new_stream
        self._within_message = False

    def write_record(self, record: Any) -> None:
        columns = [
            self._one_dictionary(position, column)
            if pa.types.is_dictionary(column.type)
            else column
            for position, column in enumerate(record.columns)
        ]
        self._within_message = True
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self.schema))
        self._within_message = False

    def _one_dictionary(self, position: int, column: Any) -> Any:
        before = self._dictionaries.get(position)
        words = column.dictionary
        if before is None or words.equals(before):
            self._dictionaries[position] = words
            return column
        fresh = words.filter(pc.invert(pc.is_in(words, value_set=before)))
        after = pa.concat_arrays([before, fresh]) if len(fresh) else before
        self._dictionaries[position] = after
        moved = pc.index_in(words, value_set=after).take(column.indices)
        return pa.DictionaryArray.from_arrays(
            moved.cast(column.type.index_type), after, ordered=column.type.ordered
        )

    def close(self) -> None:
        self._writer.close()

    def give_up(self) -> None:
        with suppress(Exception):
            if self._is_stream and not self._within_message:
                self.sink.write(NO_END)
        self.sink.abandon()
        with suppress(Exception):
            self._writer.close()


READERS = {"arrow": ArrowReader, "arrows": ArrowReader}
WRITERS = {
    "arrow": partial(ArrowWriter, open_writer=pa.ipc.new_file),
    "arrows": partial(ArrowWriter, open_writer=pa.ipc.new_stream),
}
