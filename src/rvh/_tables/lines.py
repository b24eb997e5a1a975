"""Plain lines: each line is a key, in UTF-8. Out: the row's values and its nodes, by tabs."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from rvh._tables import Quote
from rvh._tables.base import LINE_BYTES, Reader, TableWriter
from rvh._tables.structure import Structure
from rvh._tables.text import as_text, contains, joined
from rvh.errors import RVHError

#: the name of the one column, in errors and in other formats
COLUMN = "key"
#: bytes read at once
BLOCK_BYTES = 1 << 20


class LineReader(Reader):
    """Reads lines that end with LF or CRLF; an empty line is an empty key."""

    names = [COLUMN]  # noqa: RUF012
    schema = pa.schema([(COLUMN, pa.string())])
    unit = "line"

    def records(self) -> Iterator[Any]:
        stream, name = self.source.stream, self.source.name
        if self.source.head.startswith(codecs.BOM_UTF8):
            stream.read(3)
        structure = Structure(name, "\n", Quote.NONE, LINE_BYTES, self.source.spelling)
        before, rest, block = 0, b"", b"\n"
        while block:
            block = stream.read(BLOCK_BYTES)
            structure.feed(block)
            data = rest + block
            end = data.rfind(b"\n") if block else len(data)
            if end <= 0 and not data.startswith(b"\n"):  # not one whole line
                if len(data) > LINE_BYTES:
                    size = f"{LINE_BYTES >> 20} MiB"
                    raise RVHError(f"{name}: line {before + 1} is longer than {size}")
                rest = data
                continue
            lines, rest = data[:end].split(b"\n"), data[end + 1 :]
            keys = [line.removesuffix(b"\r") for line in lines]
            try:
                column = pa.array(keys, pa.binary()).cast(pa.string())
            except pa.ArrowInvalid:
                raise self._not_text(keys, before) from None
            yield pa.RecordBatch.from_arrays([column], schema=self.schema)
            before += len(keys)
        structure.end()

    def _not_text(self, keys: list[bytes], before: int) -> RVHError:
        for number, key in enumerate(keys, before + 1):
            try:
                key.decode()
            except UnicodeDecodeError as error:
                return RVHError(
                    f"{self.source.name}: line {number} is not UTF-8 text: "
                    f"{error.reason} at byte {error.start}; {self.other_encoding()}"
                )
        raise AssertionError("pyarrow and Python disagree about UTF-8")


class LineWriter(TableWriter):
    """Writes the values of a row and its nodes with tabs between, without a header."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # Where the line is the only column, a tab in it does no harm: the nodes are the last.
        special = "[\r\n]" if len(self.schema) == 1 + len(self.added) else "[\t\r\n]"
        self._special = re.compile(special.encode())

    def write_record(self, record: Any) -> None:
        names = record.schema.names
        columns = list(map(as_text, names, record.columns))
        for name, column in zip(names, columns, strict=True):
            if contains(column, self._special):
                hits = pc.match_substring_regex(column, self._special.pattern.decode())
                if (row := pc.index(hits, True).as_py()) >= 0:
                    raise RVHError(
                        f"column {name!r} has a tab or line break in {column[row].as_py()!r}, "
                        "which plain lines cannot hold: choose another output format, such as csv"
                    )
        self.sink.write(joined(columns, "\t"))


READERS = {"lines": LineReader}
WRITERS = {"lines": LineWriter}
