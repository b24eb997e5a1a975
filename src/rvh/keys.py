"""The kinds of keys, and the classes and functions for code that makes or reads columns itself.

Documentation and tests read the table `KINDS`. The rules are in `docs/reference/contract.md`,
"Bytes"; `rvh._columns` implements them.
"""

from __future__ import annotations

from rvh._columns.column import Chunks, Codes, KeyColumn, Kind, Spans, Views
from rvh._columns.ids import (
    check_unique,
    duplicate_id_error,
    empty_id_error,
    node_column,
    node_id,
    object_array,
)
from rvh._columns.reading import (
    column,
    open_keys,
    open_keys_with_nulls,
    open_keys_with_objects,
    open_present_rows,
)
from rvh._columns.values import (
    PART_MAX,
    buffer_bytes,
    composite,
    elements_of,
    is_one_id,
    key_bytes,
    key_word,
    objects_of,
    of_view,
    part_bytes,
    part_too_long,
)

__all__ = [
    "KINDS",
    "PART_MAX",
    "Chunks",
    "Codes",
    "KeyColumn",
    "Kind",
    "Spans",
    "Views",
    "buffer_bytes",
    "check_unique",
    "column",
    "composite",
    "duplicate_id_error",
    "elements_of",
    "empty_id_error",
    "is_one_id",
    "key_bytes",
    "key_word",
    "node_column",
    "node_id",
    "object_array",
    "objects_of",
    "of_view",
    "open_keys",
    "open_keys_with_nulls",
    "open_keys_with_objects",
    "open_present_rows",
    "opened",
    "opened_with_nulls",
    "opened_with_objects",
    "part_bytes",
    "part_too_long",
]

# The names of these three before the first release.
opened, opened_with_nulls = open_keys, open_keys_with_nulls
opened_with_objects = open_keys_with_objects

#: (kind, what the caller passes, the bytes of one element)
KINDS: tuple[tuple[Kind, str, str], ...] = (
    (Kind.OBJECTS, "list, tuple or object array of str", "its UTF-8; a lone surrogate is an error"),
    (Kind.OBJECTS, "list, tuple or object array of bytes, bytearray, memoryview", "as they are"),
    (
        Kind.OBJECTS,
        "list, tuple or object array of uuid.UUID",
        "its text: 36 characters in lower case",
    ),
    (
        Kind.OBJECTS,
        "list, tuple or object array of int (any NumPy integer too)",
        "8 bytes, little-endian two's complement; -2^63 to 2^64-1",
    ),
    (Kind.BYTES, "NumPy S array", "as NumPy returns the element (trailing NULs are padding)"),
    (Kind.FIXED, "NumPy V array without fields", "as they are, NULs and all"),
    (Kind.STRINGS, "NumPy U array, either byte order", "UTF-8 of what NumPy returns"),
    (Kind.TEXT, "NumPy StringDType array", "its UTF-8; a missing value is null"),
    (
        Kind.INTEGERS,
        "NumPy integer array, any width, sign and byte order",
        "8 bytes, little-endian two's complement",
    ),
    (
        Kind.INTEGERS,
        "array.array or memoryview of integers wider than a byte",
        "as the NumPy array over the same memory",
    ),
    (Kind.INTEGERS, "Arrow integers", "8 bytes, little-endian two's complement"),
    (Kind.SPANS, "Arrow string, large_string, binary, large_binary", "as they are"),
    (Kind.VIEWS, "Arrow string_view, binary_view", "as they are"),
    (Kind.FIXED, "Arrow fixed_size_binary", "as they are, NULs and all"),
    (Kind.FIXED, "Arrow extension type arrow.uuid", "its text: 36 characters in lower case"),
    (Kind.SPANS, "Arrow extension type arrow.json", "its text as it was written"),
    (Kind.CODES, "Arrow dictionary", "those of the category; work is done once a category"),
    (Kind.CODES, "Arrow run_end_encoded", "those of the run's value; work is done once a run"),
    (Kind.CHUNKS, "an Arrow stream of several chunks", "those of each chunk's kind"),
    (Kind.SPANS, "an Arrow struct or table of one column", "those of that column"),
    (Kind.SPANS, "what rvh.multi.compose_keys returns", "the parts of the composite key, in order"),
)
