"""Files of keys and of nodes, in every format and compression."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from fuzz.harness import Target, workplace

import rvh
from rvh._nodelist.columns import Columns
from rvh._nodelist.entries import node_list
from rvh._nodelist.files import read_file
from rvh._tables import COMPRESSIONS, FORMATS, compression_of, format_of
from rvh._tables.source import Source

TEXTS = {
    "csv": b'id,n,x\na,1,"q, ""r"""\n\xc3\xa9,2,\nb,3,y\r\n',
    "tsv": b"id\tn\tx\na\t1\tq\n\xc3\xa9\t2\t\nb\t3\ty\n",
    "ndjson": b'{"id": "a", "n": 1, "x": {"y": [1.5, null]}}\n'
    b'{"id": "\\u00e9\\ud83d\\ude00", "n": 2}\n\n{"n": 3, "id": "b", "x": true}\n',
    "txt": b"a\n\xc3\xa9\r\n\nb",
}
TABLE = pa.table(
    {
        "id": ["a", "é", "b" * 20],
        "n": [1, 2, 3],
        "view": pa.array(["a", "b", "c"], pa.string_view()),
        "word": pa.array(["x", None, "x"]).dictionary_encode(),
        "x": [{"y": [1]}, None, {"y": []}],
    }
)


def read(kind: str, data: bytes) -> Any:
    """Read a file of keys; a kind that ends with nodes is a file of those."""
    name, _, role = kind.partition("+")
    with workplace():
        path = f"file.{name}"
        Path(path).write_bytes(data)
        try:
            return nodes_of(path) if role else rows_of(path)
        except OSError as error:
            # pyarrow's and the compressions': the command line prints them as they are
            raise rvh.RVHError(f"{error.filename or path}: {error.strerror or error}") from error


def nodes_of(path: str) -> Any:
    """As `--nodes @FILE` reads it."""
    columns = Columns("--nodes", None, None, {})
    return node_list(read_file(path, columns), columns)


def rows_of(path: str) -> Any:
    """As commands read keys, and the keys' own bytes."""
    found = []
    made = format_of(path)
    assert made is not None
    with Source(path, compression_of(path)) as source:
        reader = made.reader(source)
        for batch in reader.batches():
            names = reader.names or ["id", "n", "x"]
            if made.name == "lines":
                names = reader.names or ["key"]
            for name in names[:4]:
                found.append(column_of(batch, name))
    return found


def column_of(batch: Any, name: str) -> Any:
    """What a column is taken as; a column that is none of keys is refused, the next is not."""
    said = [name, len(batch), batch.where(0) if len(batch) else ""]
    for each in (batch.nulls, batch.texts, batch.keys):
        try:
            values = each(name)
            if each == batch.keys and len(batch):
                values = rvh.argselect_batch(["a", "b", "c"], values).tolist()
            said.append(list(values))
        except rvh.RVHError as error:
            said.append(f"{type(error).__name__}: {error}")
    return said


def written(kind: str) -> bytes:
    sink = io.BytesIO()
    if kind == "parquet":
        pq.write_table(TABLE.drop_columns(["view"]), sink, compression="none")
    else:
        make = pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream
        with make(sink, TABLE.schema) as file:
            file.write_table(TABLE, 2)
    return sink.getvalue()


def packed(data: bytes, ending: str) -> bytes:
    match ending:
        case ".gz":
            return gzip.compress(data, mtime=0)
        case ".bz2":
            return bz2.compress(data)
        case ".xz":
            return lzma.compress(data)
    return bytes(pa.compress(data, codec=COMPRESSIONS[ending], asbytes=True))


def made() -> dict[str, list[bytes]]:
    seeds = {**{kind: [text] for kind, text in TEXTS.items()}}
    seeds |= {kind: [written(kind)] for kind in ("parquet", "arrow", "arrows")}
    seeds |= {f"csv{ending}": [packed(TEXTS["csv"], ending)] for ending in COMPRESSIONS}
    lists = {"csv": b"id,weight\na,1\nb,2.5\n", "tsv": b"id\tzone\na\teu\nb\tus\n"}
    lists |= {"ndjson": b'{"id": "a", "weight": 1}\n{"id": "b"}\n', "txt": b"# x\na\n\nb\n"}
    lists |= {"csv.gz": packed(lists["csv"], ".gz"), "arrow": written("arrow")}
    return seeds | {f"{kind}+nodes": [text] for kind, text in lists.items()}


assert {"csv", "tsv", "ndjson", "parquet", "arrow", "arrows", "lines"} == set(FORMATS)
TARGET = Target("tables", read, made(), has_twin=True)
