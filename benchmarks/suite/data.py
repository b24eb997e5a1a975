"""The data sets. Append-only: to change one is to compare unlike things; add another instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def ids(count: int) -> list[str]:
    return [f"cache-{i:03d}.eu-west-1:11211" for i in range(count)]


def ids_of_9_lengths(count: int) -> list[str]:
    return [f"{'x' * (i % 9)}{name}" for i, name in enumerate(ids(count))]


def weights(count: int) -> np.ndarray:
    """From 1 to 3."""
    return np.linspace(1, 3, count)


def texts(count: int) -> list[str]:
    """13 bytes each."""
    return [f"user:{i:08d}" for i in range(count)]


def integers(count: int) -> np.ndarray:
    return np.arange(10**14, 10**14 + count)


def of_100_bytes(count: int) -> np.ndarray:
    return np.array([b"%0100d" % i for i in range(count)])


def of_8_to_120_bytes(count: int) -> np.ndarray:
    sizes = np.random.default_rng(1).integers(8, 121, count).tolist()
    return np.array([b"%0*d" % (size, i) for i, size in enumerate(sizes)])


def of_4_to_60_bytes(count: int) -> np.ndarray:
    sizes = np.random.default_rng(1).integers(4, 61, count).tolist()
    return np.array([b"%0*d" % (size, i % 10**4) for i, size in enumerate(sizes)])


def zipf(count: int) -> np.ndarray:
    """50,000 distinct keys, the n-th once in n."""
    shares = 1 / np.arange(1, 50_001)
    some = np.random.default_rng(4).choice(50_000, count, p=shares / shares.sum())
    return np.array(texts(50_000), "S")[some]


def arrow(count: int) -> Any:
    import pyarrow as pa

    return pa.array(texts(count))


def arrow_view(count: int) -> Any:
    import pyarrow as pa

    return arrow(count).cast(pa.string_view())


def arrow_dictionary(count: int) -> Any:
    """Of 10,000 categories."""
    import pyarrow as pa

    codes = np.random.default_rng(4).integers(0, 10_000, count)
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), arrow(10_000))


#: how many keys -> the keys, by kind
KEYS: dict[str, Callable[[int], Any]] = {
    "S": lambda count: np.array(texts(count), "S"),
    "U": lambda count: np.array(texts(count)),
    "list of str": texts,
    "StringDType": lambda count: np.array(texts(count), np.dtypes.StringDType()),
    "int64": integers,
    "S, 100 bytes": of_100_bytes,
    "S, 8 to 120 bytes": of_8_to_120_bytes,
    "S, Zipf": zipf,
    "arrow string": arrow,
    "arrow string_view": arrow_view,
    "arrow dictionary": arrow_dictionary,
    "S, 4 to 60 bytes": of_4_to_60_bytes,
}
