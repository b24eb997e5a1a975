"""Arrow columns as delimited text, a whole batch at a time."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from rvh._columns.values import uuid_text
from rvh.errors import RVHError


def as_text(name: str, column: Any) -> Any:
    """A column as text: numbers and dates as Arrow prints them, null as nothing, UUIDs as text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if getattr(column.type, "extension_name", "") == "arrow.uuid":
        texts = [None if value is None else uuid_text(value) for value in column.to_pylist()]
        column = pa.array(texts, pa.large_string())
    try:
        return pc.fill_null(column.cast(pa.large_string()), "")
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        raise RVHError(
            f"column {name!r} of type {column.type} cannot be written as text: "
            "choose an output of .parquet, .arrow or .ndjson"
        ) from None


def key_text(column: Any) -> Any | None:
    """A column of keys as text, as `as_text` writes it but with nulls; None where it has none.

    A float has many texts, a duration has none without its unit, and nested values have none.
    """
    kind = column.type
    types = pa.types
    has_one = types.is_integer(kind) or types.is_decimal(kind) or types.is_boolean(kind)
    moment = types.is_temporal(kind) and not types.is_duration(kind) and not types.is_interval(kind)
    return column.cast(pa.large_string()) if has_one or moment else None


def contains(column: Any, pattern: re.Pattern[bytes]) -> bool:
    """Check whether `pattern` may match in a text column, by one look at all of its bytes."""
    data = column.buffers()[2]
    return data is not None and pattern.search(memoryview(data)) is not None


def joined(columns: list[Any], delimiter: str) -> memoryview:
    """The rows of text columns as bytes: values with `delimiter` between, then a newline."""
    text = columns[0]
    if len(columns) > 1:
        text = pc.binary_join_element_wise(*columns, pa.scalar(delimiter, pa.large_string()))
    # Joining with "" under the separator "\\n" ends every row, and the rows lie end to end.
    empty = pa.scalar("", pa.large_string())
    rows = pc.binary_join_element_wise(text, empty, pa.scalar("\n", pa.large_string()))
    return memoryview(rows.buffers()[2]) if len(rows) else memoryview(b"")
