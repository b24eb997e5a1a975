"""Node lists: what ``--nodes`` names, as the ids in it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from rvh.cli.tables import compression_of, format_of
from rvh.errors import RVHError, show

#: what should be an id, and where it stands, for messages
Found = tuple[object, object]


def read_nodes(text: str, column: str | None = None, *, bare_path: bool = False) -> list[str]:
    """The node ids that a ``--nodes`` option names.

    Parameters
    ----------
    text : str
        Ids separated by commas, or ``@`` and the path of a file.
    column : str, optional
        The file's column that holds the ids; the first one by default.
    bare_path : bool
        Whether the path of an existing file needs no ``@``.

    Returns
    -------
    list of str
        Ids that are not empty and not repeated.

    Raises
    ------
    RVHError
        An empty or repeated id (with its place), a file or column that cannot be used.

    Examples
    --------
    >>> read_nodes("node1,node2")
    ['node1', 'node2']
    """
    path = text.removeprefix("@")
    if text.startswith("@") or (bare_path and Path(text).is_file()):
        return _checked(_from_file(Path(path), column), f"{path}: ")
    if column is not None:
        raise RVHError("--node-column names a column of a node file, but --nodes is a list")
    if "," not in text and format_of(text) is not None:
        # A mistyped path would otherwise be the name of the one node that gets every key.
        raise RVHError(
            f"--nodes {text} looks like a file, but there is none: write @{text} for one"
        )
    entries = text.split(",")
    return _checked(((node, f"entry {n}") for n, node in enumerate(entries, 1)), "--nodes ")


def _checked(found: Iterable[Found], source: str) -> list[str]:
    seen: dict[str, object] = {}
    for node, place in found:
        if not isinstance(node, str):
            raise RVHError(
                f"{source}{place}: a node id is text, not {type(node).__name__} ({show(node)})"
            )
        if not node:
            raise RVHError(f"{source}{place} is empty: a node id has at least one character")
        if node in seen:
            raise RVHError(
                f"{source}{place} repeats node id {show(node)} of {seen[node]}: ids are unique"
            )
        seen[node] = place
    if not seen:
        raise RVHError(f"{source}there are no nodes: give at least one node id")
    return list(seen)


def _from_file(path: Path, column: str | None) -> Iterator[Found]:
    known = format_of(path.name)
    name = "lines" if known is None or compression_of(path.name) else known.name
    if name in ("parquet", "arrow", "arrows"):
        assert known is not None
        from rvh.cli.tables.files import Source

        with Source(str(path)) as source:
            reader = known.reader(source)
            chosen = _pick(path, column, reader.names or [])
            for batch in reader.batches():
                for row, node in enumerate(batch.values(chosen)):
                    yield _text(node), batch.where(row)
        return
    try:
        with path.open(
            encoding="utf-8-sig", newline="" if name in ("csv", "tsv") else None
        ) as file:
            if name == "lines":
                if column is not None:
                    raise RVHError(f"{path}: plain lines have no columns; drop --node-column")
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield line.strip(), f"line {number}"
            elif name == "ndjson":
                yield from _from_json(path, file, column)
            else:
                yield from _from_csv(path, file, column, "," if name == "csv" else "\t")
    except UnicodeDecodeError as error:
        raise RVHError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except csv.Error as error:
        raise RVHError(f"{path} is not CSV: {error}") from None


def _from_csv(
    path: Path, file: Iterable[str], column: str | None, delimiter: str
) -> Iterator[Found]:
    rows = filter(None, csv.reader(file, delimiter=delimiter, strict=True))
    header = next(rows, None)
    if header is None:
        raise RVHError(f"{path} is empty: a header and at least one row are needed")
    chosen = header.index(_pick(path, column, header))
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise RVHError(f"{path}: row {number} has {len(row)} values for {len(header)} columns")
        yield row[chosen], f"row {number}"


def _from_json(path: Path, file: Iterable[str], column: str | None) -> Iterator[Found]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RVHError(f"{path}: line {number} is not JSON: {error}") from None
        if isinstance(value, dict):
            value = value[_pick(path, column, list(value), f"line {number}: ")]
        yield value, f"line {number}"


def _pick(path: Path, column: str | None, names: list[str], where: str = "") -> str:
    if column is None:
        if not names:
            raise RVHError(f"{path}: {where}there is no column to take node ids from")
        return names[0]
    if column not in names:
        listed = ", ".join(islice(names, 50))
        raise RVHError(f"{path}: {where}there is no column {show(column)}; there are: {listed}")
    return column


def _text(node: object) -> object:
    """A node id of a binary column is the text whose UTF-8 it is: the same id in the contract."""
    if isinstance(node, bytes):
        with suppress(UnicodeDecodeError):
            return node.decode()
    return node
