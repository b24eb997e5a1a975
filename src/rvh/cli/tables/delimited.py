"""CSV and TSV (RFC 4180), with a header. Every value is text and stays it: 007 is not 7."""
# ruff: noqa: D102  (what the methods do is said once, in base.py)

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from pyarrow import csv as arrow_csv

from rvh.cli.tables.base import Reader, TableWriter
from rvh.cli.tables.files import Source
from rvh.cli.tables.text import as_text, contains, joined
from rvh.errors import RVHError

#: bytes parsed at once; also the longest row that pyarrow reads. It reads up to 32 of them ahead.
BLOCK_BYTES = 1 << 21
#: what pyarrow says about a row that is not as the others
ROW_ERROR = re.compile(r"Row #(\d+): (.*)", re.DOTALL)


class _Watch(io.RawIOBase):
    """Passes bytes on, counts them, and remembers enough to see a quote that was never closed."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self.count = 0
        self._quotes = 0
        self._tail = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.count += len(data)
        self._quotes += data.count(b'"')
        self._tail = (self._tail + data[-1024:])[-1024:]
        return data

    def left_open(self, last: str) -> bool:
        """Whether the file ended within quotes, given its last value.

        A parser takes such a value to the end of the file for whole. But then the quotes are of
        an odd number, and the file ends with the opening one, the value, and nothing more.
        """
        end = b'"' + last.encode().replace(b'"', b'""')
        return self._quotes % 2 == 1 and end.endswith(self._tail[-len(end) :])


class DelimitedReader(Reader):
    """Reads CSV or TSV: the header here, the rows by pyarrow as columns of text."""

    names: list[str]

    def __init__(self, source: Source, delimiter: str) -> None:
        super().__init__(source)
        self._delimiter = delimiter
        self.names = self._read_header()
        self._watch = _Watch(source.stream)
        self._bytes_out = 0

    def _read_header(self) -> list[str]:
        stream = self.source.stream
        first = stream.readline().removeprefix(b"\xef\xbb\xbf")  # a byte order mark
        lines = chain([first], iter(stream.readline, b"")) if first else iter(())
        try:
            rows = csv.reader((line.decode() for line in lines), delimiter=self._delimiter)
            header = next(filter(None, rows), None)
        except (csv.Error, UnicodeDecodeError) as error:
            raise RVHError(f"{self.source.name}: the header cannot be read: {error}") from None
        if header is None:
            raise RVHError(f"{self.source.name} is empty: a header is needed")
        return header

    @property
    def schema(self) -> Any:
        return pa.schema([(name, pa.string()) for name in self.names])

    def records(self) -> Iterator[Any]:
        stream = self.source.stream
        while stream.peek(1)[:1] in (b"\r", b"\n"):
            stream.read(1)
        if not stream.peek(1):
            return  # pyarrow would miss the header, which is here already
        labels = [str(position) for position in range(len(self.names))]  # names may repeat
        last = ""
        try:
            blocks = arrow_csv.open_csv(
                self._watch,
                # One thread: only so does pyarrow count the rows for its errors.
                read_options=arrow_csv.ReadOptions(
                    use_threads=False, block_size=BLOCK_BYTES, column_names=labels
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._delimiter, newlines_in_values=True
                ),
                convert_options=arrow_csv.ConvertOptions(
                    strings_can_be_null=False, column_types=dict.fromkeys(labels, pa.string())
                ),
            )
            for block in blocks:
                values = block.num_rows * block.num_columns
                # Each value has an offset of 4 bytes here, and one separator in the file.
                self._bytes_out += block.nbytes - 3 * values
                yield pa.RecordBatch.from_arrays(block.columns, schema=self.schema)
                if block.num_rows:
                    last = block.column(block.num_columns - 1)[-1].as_py()
        except pa.ArrowInvalid as error:
            raise RVHError(f"{self.source.name}: {self._explain(str(error))}") from None
        if self._watch.left_open(last):
            raise RVHError(f"{self.source.name} ends within quotes: it is probably truncated")

    def read_fraction(self) -> float | None:
        part = self.source.fraction()
        if part is None:
            return None
        return min(1.0, part * self._bytes_out / max(1, self._watch.count))  # pyarrow reads ahead

    def _explain(self, message: str) -> str:
        found = ROW_ERROR.search(message)
        if found:
            return f"row {found[1]}: {found[2].splitlines()[0]}"
        if "straddl" in message:
            return f"there is a row of more than {BLOCK_BYTES >> 20} MiB, or a quote never closed"
        return message.splitlines()[0]


class DelimitedWriter(TableWriter):
    """Writes CSV or TSV; a value is in quotes only where it must be."""

    def __init__(self, *args: Any, delimiter: str) -> None:
        super().__init__(*args)
        self._delimiter = delimiter
        self._special = re.compile(b'["\r\n' + re.escape(delimiter.encode()) + b"]")
        header = io.StringIO()
        csv.writer(header, delimiter=delimiter, lineterminator="\n").writerow(self.schema.names)
        self.sink.write(header.getvalue().encode())

    def write_record(self, record: Any) -> None:
        texts = map(as_text, record.schema.names, record.columns)
        self.sink.write(joined([self._quoted(text) for text in texts], self._delimiter))

    def _quoted(self, column: Any) -> Any:
        if not contains(column, self._special):
            return column
        needed = pc.match_substring_regex(column, self._special.pattern.decode())
        escaped = pc.replace_substring(column, '"', '""')
        quote = pa.scalar('"', pa.large_string())
        empty = pa.scalar("", pa.large_string())
        return pc.if_else(needed, pc.binary_join_element_wise(quote, escaped, quote, empty), column)


READERS = {
    "csv": partial(DelimitedReader, delimiter=","),
    "tsv": partial(DelimitedReader, delimiter="\t"),
}
WRITERS = {
    "csv": partial(DelimitedWriter, delimiter=","),
    "tsv": partial(DelimitedWriter, delimiter="\t"),
}
