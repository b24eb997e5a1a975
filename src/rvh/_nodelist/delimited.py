"""Node files in CSV and TSV: rows of values, and a header unless there is said to be none."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterator
from itertools import chain

from rvh._nodelist.columns import Columns, id_column
from rvh._nodelist.doubts import PLAIN, as_json, is_id_name, unprintable
from rvh._nodelist.entries import Entry
from rvh._nodelist.values import Untyped
from rvh.errors import RVHError, show


def read_csv(source: str, text: str, columns: Columns) -> Iterator[Entry]:
    """Read CSV, by the rules of RFC 4180."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        yield from _entries(source, filter(None, rows), columns, ",")
    except csv.Error as error:
        raise RVHError(f"{source} is not CSV: line {rows.line_num}: {error}") from None


def read_tsv(source: str, text: str, columns: Columns) -> Iterator[Entry]:
    """Read TSV, which has no quotes in practice: a parser that knows them may join lines."""
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        cells = line.removesuffix("\r").split("\t")
        for cell in cells:
            if cell.startswith('"'):
                raise RVHError(
                    f"{source}: line {number} has a field that begins with a quotation mark, "
                    f"{show(cell)}, which TSV does not know: write the file as .csv or .ndjson"
                )
        rows.append(cells)
    yield from _entries(source, (row for row in rows if row != [""]), columns, "\t")


def _entries(
    source: str, rows: Iterator[list[str]], columns: Columns, delimiter: str
) -> Iterator[Entry]:
    first = next(rows, None)
    if first is None:
        what = "a header and at least one row are" if columns.header else "at least one row is"
        raise RVHError(f"{source} is empty: {what} needed")
    header = first
    if columns.header:
        _refuse_other_delimiter(source, "line 1", first, delimiter)
        _refuse_no_header(source, first, columns)
    else:
        header = [str(number) for number in range(1, len(first) + 1)]
        rows = chain([first], rows)
    ids = header.index(id_column(source, columns, header))
    if not columns.header and is_id_name(first[ids]):
        raise RVHError(
            f"{source}: the first line has {show(first[ids])}, the name of a column, where its id "
            f"would be: omit --no-node-header; {as_json(first[ids])}"
        )
    others = [header.index(name) for name in columns.others]
    texts = [ids]  # not the weights: one with a blank is an error in any case
    texts += [header.index(name) for name in columns.others if name != columns.weight]
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise RVHError(
                f"{source}: row {number} has {len(row)} values for {len(header)} columns"
            )
        place = f"row {number}"
        if not all(PLAIN.fullmatch(row[at]) for at in (0, *texts)):
            _refuse_doubtful(source, place, row, ids, texts)
            _refuse_other_delimiter(source, place, row, delimiter)
        yield Entry(row[ids], source, place, tuple([Untyped(row[at]) for at in others]))


def _refuse_doubtful(source: str, place: str, row: list[str], ids: int, texts: list[int]) -> None:
    """Refuse what is not a row of a table, or not the text that it seems to be."""
    for cell in (row[0], row[ids]):
        if cell.startswith("#"):
            raise RVHError(
                f"{source}: {place} begins with '#' as a comment does, {show(cell)}: take it out; "
                f"{as_json(cell)}"
            )
    for cell in (row[at] for at in texts):
        if cell != cell.strip():
            raise RVHError(
                f"{source}: {place} has a blank around the value {show(cell)}: take it out, or "
                "write the file as .ndjson if it belongs to it"
            )
    node = row[ids]
    if not node.isprintable():
        sign = next(sign for sign in node if not sign.isprintable())
        raise RVHError(
            f"{source}: {place} is {show(node)}, which {unprintable(sign)}; {as_json(node)}"
        )


def _refuse_other_delimiter(source: str, place: str, row: list[str], delimiter: str) -> None:
    """Refuse a row of one value with another delimiter in it: it is a row of several."""
    for sign in ",;|\t":
        if len(row) == 1 and sign in row[0] and sign != delimiter:
            raise RVHError(
                f"{source}: {place} is {show(row[0])}, with {show(sign)} between its values in "
                f"place of {show(delimiter)}: separate them by commas in a .csv, by tabs in a "
                ".tsv; an id with that in it is written as JSON, in a file that ends in .ndjson"
            )


def _refuse_no_header(source: str, first: list[str], columns: Columns) -> None:
    """Refuse a first line that may be a node: as a header it would be left out."""
    if columns.ids is not None or is_id_name(first[0]) or columns.others:
        return  # that a named column is missing is another error
    cell = show(first[0])
    if first[0].startswith("#"):
        raise RVHError(
            f"{source}: the first line begins with {cell}, as a comment does: take it out, or name "
            "the column of the ids with --node-column"
        )
    if columns.option == "--nodes":
        name = shlex.quote(next(filter(is_id_name, first), first[0]))
        advice = (
            f"if it is a header, name the column of the ids, as --node-column {name}; if it is a "
            "node, say --no-node-header"
        )
    else:
        advice = (
            "if it is a header, call the column id; if it is a node, write one id a line in .txt"
        )
    raise RVHError(
        f"{source}: the first line begins with {cell}, which could be the name of a column or a "
        f"node: {advice}"
    )
