"""Node files of plain lines: one id a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rvh._nodelist.columns import Columns
from rvh._nodelist.doubts import as_json, doubt, is_id_name
from rvh._nodelist.entries import Entry
from rvh.errors import RVHError, show


def read_lines(source: str, text: str, columns: Columns) -> Iterator[Entry]:
    """Read one id from each line that has more than blanks."""
    for option in columns.column_options():
        raise RVHError(
            f"{source}: plain lines have no columns; drop {option}, or say --node-format csv if "
            "they are none"
        )
    first = True
    for number, line in enumerate(text.split("\n"), 1):
        node = line.strip(" \t\r")
        if not node:
            continue
        place = f"line {number}"
        if first and is_id_name(node):
            raise RVHError(
                f"{source}: {place} is {show(node)}, the name of a column: plain lines have no "
                f"header, so take it out; {as_json(node)}"
            )
        first = False
        if reason := doubt(node):
            table = ""
            if re.search("[,\t]", node) and columns.option == "--nodes":
                table = "; if it is a table, give --node-format csv or tsv"
            raise RVHError(
                f"{source}: {place} is {show(node)}, which {reason}: a line holds one id and "
                f"nothing else; {as_json(node)}{table}"
            )
        yield Entry(node, source, place)
