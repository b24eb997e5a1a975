"""CSV and TSV (RFC 4180), with a header. Every value is text and stays it: 007 is not 7."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from rvh._tables import Quote
from rvh._tables.base import Batch, Reader, TableWriter, naming
from rvh._tables.fields import field_path
from rvh._tables.rowtext import RowTexts, row_texts
from rvh._tables.source import Source
from rvh._tables.structure import Structure
from rvh._tables.text import as_text, contains, joined
from rvh.errors import RVHError, show

#: bytes parsed at once; also the longest row that pyarrow reads. It reads up to 32 of them ahead.
BLOCK_BYTES = 1 << 21
#: bytes of rows that keep their text: as many as a processor's cache holds
TEXT_BYTES = 1 << 20
#: bytes of a first row that are checked together
LOOK_BYTES = 1 << 16
#: pyarrow's error about a row with too many or too few values
ROW_ERROR = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+): (.*)", re.DOTALL)
#: its error about a value that is not UTF-8
TEXT_ERROR = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?.*UTF8")
#: delimiters of files; one in the name of the only column was meant to separate values
DELIMITERS = (",", ";", "\t", "|")


class _Watch(io.RawIOBase):
    """Passes bytes on to pyarrow, first some that were read before; counts and checks them.

    pyarrow takes a byte order mark away at the start, which here is that of the second row: it gets
    one of its own. And where a piece ends with a carriage return it drops a newline that the next
    begins with, within quotes too: no piece ends so while more may follow.
    """

    def __init__(self, before: bytes, stream: io.BufferedReader[Any], structure: Structure) -> None:
        self._held = codecs.BOM_UTF8 + before
        self._stream = stream
        self._structure = structure
        self.count = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        fresh = self._stream.read(max(0, size - len(self._held)))
        self.count += len(fresh)
        data, self._held = self._held + fresh, b""
        if fresh:
            self._structure.feed(fresh)
        elif not data:
            self._structure.end()
        if data.endswith(b"\r") and len(data) >= size:  # what was read before may be as long
            data, self._held = data[:-1], b"\r"
        return data


class TextBatch(Batch):
    """Rows as the text that they are written as, and columns where they are asked for."""

    def __init__(self, texts: RowTexts, schema: Any, first: int, source: str) -> None:
        self.rows = texts.rows
        self.first = first
        self.source = source
        self._texts = texts
        self._schema = schema
        self._rows = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def record(self) -> Any:
        """The rows as columns of text."""
        columns = [self._texts.column(position) for position in range(len(self._schema))]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _column(self, name: str) -> Any:
        (name,) = field_path(name, self._schema.names)  # text has no fields in it
        return self._texts.column(self._schema.names.index(name))


class DelimitedReader(Reader):
    """Reads CSV or TSV: the header here, the rows by pyarrow as columns of text.

    Parameters
    ----------
    source : Source
    delimiter : str
    quote : Quote or None
    header : bool
        Whether the first row has the names; without, they are numbers from 1.
    chosen : bool
        Whether the user chose the delimiter; else the names are looked at for a better one.
    """

    names: list[str]

    def __init__(
        self,
        source: Source,
        delimiter: str,
        quote: Quote | None,
        header: bool = True,
        chosen: bool = False,
    ) -> None:
        super().__init__(source)
        self._delimiter = delimiter
        self._quote = quote
        self._watch: _Watch | None = None
        self._structure = Structure(source.name, delimiter, quote, BLOCK_BYTES, source.spelling)
        first = self._first_row()
        self.names = first if header else [str(number + 1) for number in range(len(first))]
        if not chosen:
            self._refuse_other_delimiter(first)
        self._before = b"" if header else b"".join(self._lines_read)
        self._bytes_out = 0
        self._keeps_text = False

    def keep_text(self, *form: object) -> None:
        self._keeps_text = form == (self._delimiter, self._quote)

    def follow(self, first: Reader) -> None:
        super().follow(first)
        if isinstance(first, DelimitedReader) and first._keeps_text:
            self.keep_text(first._delimiter, first._quote)

    def _first_row(self) -> list[str]:
        self._lines_read: list[bytes] = []
        self._unseen: list[bytes] = []
        self._seen = 0
        name = self.source.name
        csv.field_size_limit(BLOCK_BYTES)  # the limit that _lines keeps
        quoting: Any = csv.QUOTE_MINIMAL if self._quote is Quote.CSV else csv.QUOTE_NONE
        rows = csv.reader(
            self._lines(),
            delimiter=self._delimiter,
            quoting=quoting,
            strict=True,
        )
        try:
            try:
                for row in rows:
                    if row:
                        break
                    self._lines_read.clear()
                else:
                    raise RVHError(f"{name} is empty: a header is needed")
            finally:
                self._check_lines()  # its errors say more
        except UnicodeDecodeError as error:
            raise RVHError(
                f"{name}: the header is not UTF-8 text: {error.reason} at byte {error.start}; "
                f"{self.other_encoding()}"
            ) from None
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                self._structure.end()  # which knows where the quote is
            raise RVHError(
                f"{name}: the header cannot be read: {error}; is a quote never closed?"
            ) from None
        if row[0].startswith("\ufeff"):
            raise RVHError(f"{name}: the first value has a byte order mark in it: omit it")
        return row

    def _lines(self) -> Iterator[str]:
        """Take lines from the file; the rows that follow begin behind them."""
        stream, size = self.source.stream, 0
        while line := stream.readline(BLOCK_BYTES):
            if not size:
                line = line.removeprefix(codecs.BOM_UTF8)
            size += len(line)
            returns = line.find(b"\r")
            if b"\n" not in line and 0 <= returns < len(line) - 1:
                raise RVHError(
                    f"{self.source.name}: lines end with a carriage return and no newline: make "
                    "them newlines (tr '\\r' '\\n' < FILE)"
                )
            if size >= BLOCK_BYTES:
                raise RVHError(
                    f"{self.source.name}: the header has more than {BLOCK_BYTES >> 20} MiB: it "
                    "is not a table, or a quote is never closed"
                )
            self._lines_read.append(line)
            self._unseen.append(line)
            if size - self._seen >= LOOK_BYTES:
                self._check_lines()
                self._seen = size
            yield line.decode()

    def _check_lines(self) -> None:
        """Check the lines that were read: not one by one, as the start of a row is seen again."""
        self._structure.feed(b"".join(self._unseen))
        self._unseen.clear()

    def _refuse_other_delimiter(self, first: list[str]) -> None:
        """Refuse a file of one column that seems to have several, with another delimiter.

        The key would be the whole line, and nobody would be told.
        """
        if len(first) != 1:
            return
        better = next((sign for sign in DELIMITERS if sign in first[0]), None)
        if better is not None:
            this, other = (
                self.source.spelling("delimiter", show(each)) for each in (self._delimiter, better)
            )
            raise RVHError(
                f"{self.source.name} has the one column {show(first[0])}: say {other}, "
                f"or {this} if that is its name"
            )

    @property
    def schema(self) -> Any:
        return pa.schema([(name, pa.string()) for name in self.names])

    def batches(self) -> Iterator[Batch]:
        if self._keeps_text:
            with naming(self.source.name):
                yield from self._text_batches()
        yield from super().batches()

    def _text_batches(self) -> Iterator[TextBatch]:
        """The rows with their text, up to some that need a closer look; `records` goes on there."""
        stream, fresh = self.source.stream, b"\n"
        while fresh:
            fresh = stream.read(TEXT_BYTES)
            self._structure.feed(fresh)
            self._before += fresh
            text = b"\n" + self._before
            if not fresh:
                self._structure.end()
                if text.endswith(b"\r"):
                    return
                text += b"\n" * (not text.endswith(b"\n"))
            quoted, columns = self._quote is Quote.CSV, len(self.names)
            found = row_texts(text, self._delimiter, quoted, columns, BLOCK_BYTES)
            if found is None:
                return
            texts, size = found
            if rows := len(texts.rows):
                self._rows_out += rows
                self._rows_in += rows
                yield TextBatch(texts, self.schema, self._rows_out - rows + 1, self.source.name)
            self._before = self._before[size:]
            if len(self._before) > BLOCK_BYTES:
                return

    def records(self) -> Iterator[Any]:
        stream = self.source.stream
        if not self._before:
            while empty := len(ahead := stream.peek(1)) - len(ahead.lstrip(b"\r\n")):
                self._structure.feed(stream.read(empty))
            if not ahead:
                self._structure.end()
                return  # pyarrow would miss the header, which is here already
        watch = self._watch = _Watch(self._before, stream, self._structure)
        self._rows_before = self._rows_out
        labels = [str(position) for position in range(len(self.names))]  # names may repeat
        quoted = self._quote is Quote.CSV
        try:
            blocks = arrow_csv.open_csv(
                watch,
                # One thread: only so does pyarrow count the rows for its errors.
                read_options=arrow_csv.ReadOptions(
                    use_threads=False, block_size=BLOCK_BYTES, column_names=labels
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._delimiter,
                    quote_char='"' if quoted else False,
                    newlines_in_values=quoted,
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
        except pa.ArrowInvalid as error:
            raise RVHError(f"{self.source.name}: {self._explain(str(error))}") from None

    def read_fraction(self) -> float | None:
        part = self.source.fraction()
        if part is None or self._watch is None:
            return part
        return min(1.0, part * self._bytes_out / max(1, self._watch.count))  # pyarrow reads ahead

    def _explain(self, message: str) -> str:
        if match := ROW_ERROR.search(message):
            row, wanted, found = self._rows_before + int(match[1]), int(match[2]), int(match[3])
            values = f"{found} value{'s' * (found != 1)}"
            reason = f"row {row} has {values}, but there are {wanted} columns: {show(match[4])}"
            if found > wanted and self._quote is Quote.CSV:
                reason += "; a value with a delimiter or a line break in it needs quotes around it"
            return reason
        if "straddl" in message:
            return f"there is a row of more than {BLOCK_BYTES >> 20} MiB"
        if match := TEXT_ERROR.search(message):
            place = f"row {self._rows_before + int(match[2])}, " if match[2] else ""
            what = f"{place}column {show(self.names[int(match[1])])}"
            return f"{what}: the value is not UTF-8 text; {self.other_encoding()}"
        return message.splitlines()[0]


class DelimitedWriter(TableWriter):
    """Writes CSV or TSV; a value is in quotes only where it must be, and may be."""

    def __init__(
        self, *args: Any, delimiter: str, quote: Quote | None, header: bool = True
    ) -> None:
        super().__init__(*args)
        reader: Reader = args[1]
        self._delimiter = delimiter
        self._quote = quote
        between = f"\r\n{re.escape(delimiter)}"
        #: what a value may hold only in quotes, and what the bytes of such a column hold
        self._special = {
            Quote.CSV: f'["{between}]',
            Quote.NONE: f"[{between}]",
            None: f'^"|[{between}]',
        }[quote]
        quoting = "" if quote is Quote.NONE else '"'
        self._suspect = re.compile(f"[{quoting}{between}]".encode())
        if header:
            names = [pa.array([name], pa.large_string()) for name in self.schema.names]
            self._write_texts(self.schema.names, names)
        #: the ids as they are written beside the text of a row
        self._marks = as_text("", self.ids)
        if quote is Quote.CSV:
            self._marks = self._written("", self._marks)
        self._marks = self._marks.cast(pa.string())
        if quote is Quote.CSV or not contains(self.ids, self._suspect):
            reader.keep_text(delimiter, quote)

    def write(self, batch: Batch, chosen: NDArray[np.intp]) -> None:
        if not isinstance(batch, TextBatch):
            super().write(batch, chosen)
            return
        marks = [self._marks.take(pa.array(column % len(self.ids))) for column in chosen.T]
        between = pa.scalar(self._delimiter, pa.string())
        text = pc.binary_join_element_wise(batch.rows, *marks, between).buffers()[2]
        self.sink.write(memoryview(text)[1:])  # each row has its newline before it
        self.sink.write(b"\n")

    def write_record(self, record: Any) -> None:
        self._write_texts(record.schema.names, map(as_text, record.schema.names, record.columns))

    def _write_texts(self, names: list[str], texts: Iterable[Any]) -> None:
        columns = [self._written(name, text) for name, text in zip(names, texts, strict=True)]
        self.sink.write(joined(columns, self._delimiter))

    def _written(self, name: str, column: Any) -> Any:
        if not contains(column, self._suspect):
            return column
        needed = pc.match_substring_regex(column, self._special)
        if self._quote is Quote.CSV:
            escaped = pc.replace_substring(column, '"', '""')
            quote = pa.scalar('"', pa.large_string())
            empty = pa.scalar("", pa.large_string())
            quoted = pc.binary_join_element_wise(quote, escaped, quote, empty)
            return pc.if_else(needed, quoted, column)
        if (row := pc.index(needed, True).as_py()) >= 0:
            begins = "" if self._quote else ", or begins with a quote"
            raise RVHError(
                f"column {show(name)} has a delimiter or line break{begins} in "
                f"{show(column[row].as_py())}, which needs quotes: say "
                f"{self.spelling('quote', 'csv')}, or choose another output format"
            )
        return column


READERS = {
    "csv": partial(DelimitedReader, delimiter=",", quote=Quote.CSV),
    "tsv": partial(DelimitedReader, delimiter="\t", quote=None),
}
WRITERS = {
    "csv": partial(DelimitedWriter, delimiter=",", quote=Quote.CSV),
    "tsv": partial(DelimitedWriter, delimiter="\t", quote=None),
}
