"""The compressions of outputs, and the levels of those that have some."""

from __future__ import annotations

#: of text, as a whole
LEVELS = {"gzip": range(1, 10), "zstd": range(1, 23), "bz2": range(1, 10), "xz": range(10)}
#: of Parquet, column by column
CODECS: dict[str, range | None] = {
    "snappy": None,
    "gzip": range(1, 10),
    "zstd": range(1, 23),
    "brotli": range(12),
    "lz4": None,
    "none": None,
}
