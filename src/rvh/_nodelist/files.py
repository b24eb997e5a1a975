"""A node file, opened: its format, and the bytes of those that are text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from rvh._nodelist.columns import Columns, id_column
from rvh._nodelist.delimited import read_csv, read_tsv
from rvh._nodelist.entries import Entry
from rvh._nodelist.lines import read_lines
from rvh._nodelist.ndjson import read_ndjson
from rvh._tables import FORMATS, Format, compression_of, format_of
from rvh._tables.plaintext import decoded
from rvh.errors import RVHError

if TYPE_CHECKING:
    from rvh._tables.base import Batch

#: the longest node file of text, since it is read whole; the bytes read at once
TEXT_BYTES, PIECE_BYTES = 1 << 28, 1 << 20

#: the reader of each text format
TEXT_READERS: dict[str, Callable[[str, str, Columns], Iterator[Entry]]] = {
    "csv": read_csv,
    "tsv": read_tsv,
    "ndjson": read_ndjson,
    "lines": read_lines,
}


def read_file(path: str, columns: Columns) -> Iterator[Entry]:
    """Read the entries of a node file; ``-`` is stdin.

    Raises
    ------
    RVHError, OSError
        A file that cannot be used, with the place in it.
    """
    read_as = FORMATS[columns.format_name] if columns.format_name else format_of(path)
    name = "lines" if read_as is None else read_as.name
    source = source_name(path)
    if not columns.header and name not in ("csv", "tsv"):
        raise RVHError(
            f"--no-node-header is about CSV and TSV, and {source} is read as {name}: leave it "
            "away, or say --node-format csv"
        )
    if read_as is not None and not read_as.is_text:
        yield from _read_table(path, read_as, columns)
    else:
        text = decoded(source, _text_bytes(path), _spelling)
        yield from TEXT_READERS[name](source, text, columns)


def _spelling(name: str, value: str) -> str:
    return f"--node-{name} {value}".rstrip()


def source_name(path: str) -> str:
    """A file as messages name it."""
    return "stdin" if path == "-" else path


def _read_table(path: str, read_as: Format, columns: Columns) -> Iterator[Entry]:
    """Read Parquet or Arrow."""
    from rvh._tables.source import Source

    with Source(path, spelling=_spelling) as source:
        reader = read_as.reader(source)
        ids = id_column(source.name, columns, reader.names or [])
        for batch in reader.batches():
            values = [_values(batch, name) for name in (ids, *columns.others)]
            for row, (node, *others) in enumerate(zip(*values, strict=True)):
                yield Entry(_as_text(node), source.name, batch.where(row), tuple(others))


def _values(batch: Batch, name: str) -> Sequence[object]:
    values = batch.values(name)
    return values.tolist() if isinstance(values, np.ndarray) else values


def _as_text(node: object) -> object:
    """A node id of a binary column is the text whose UTF-8 it is: the same id in the contract."""
    if isinstance(node, bytes):
        with suppress(UnicodeDecodeError):
            return node.decode()
    return node


def _text_bytes(path: str) -> bytes:
    """The whole of a text file, decompressed."""
    if path == "-":
        if sys.stdin is None:
            raise RVHError("stdin is closed, so @- cannot be read")
        return _whole(sys.stdin.buffer, "stdin")
    compression = compression_of(path)
    if compression is None:  # without pyarrow, which takes longer to load
        with open(path, "rb") as file:
            return _whole(file, path)
    from rvh._tables.base import naming
    from rvh._tables.source import Source

    with Source(path, compression) as source, naming(path):
        return _whole(source.stream, path)


def _whole(stream: BinaryIO, name: str) -> bytes:
    """Read a whole stream, up to `TEXT_BYTES`: one without end must not fill the memory."""
    pieces = iter(partial(stream.read, PIECE_BYTES), b"")
    data = b"".join(islice(pieces, TEXT_BYTES // PIECE_BYTES + 1))
    if len(data) > TEXT_BYTES:
        raise RVHError(
            f"{name} has more than {TEXT_BYTES >> 20} MiB of text: is it a list of nodes? One that "
            "is so long can be read as Parquet"
        )
    return data
