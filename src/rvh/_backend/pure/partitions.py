"""Partition tables: the partition of a key, and its owners."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from rvh._backend.pure.schemes import Murmur, murmur64a
from rvh._backend.pure.stopping import Cancel
from rvh._columns.column import KeyColumn
from rvh._columns.values import key_bytes

T = TypeVar("T")


def _partition(key: bytes, partitions: int) -> int:
    return murmur64a(key, Murmur.KEY_SEED) * partitions >> 64


def lookup(
    partitions: int,
    owners: np.ndarray | None,
    names: np.ndarray | None,
    keys: KeyColumn,
    start: int,
    stop: int,
    out: np.ndarray,
    cancel: Cancel | None,
) -> None:
    """Rows ``start`` to ``stop`` of a partition table's answers into ``out``.

    Without ``owners`` a key's partition, shape (stop - start,) of intp; without ``names`` the
    positions of its owners, shape (stop - start, k) of intp; otherwise their names.
    """
    for row, key in enumerate(keys.iter_bytes(start, stop)):
        if cancel is not None and cancel.is_set():
            return
        partition = _partition(key, partitions)
        if owners is None:
            out[row] = partition
        else:
            out[row] = owners[partition] if names is None else names.take(owners[partition])


def lookup_one(key: object, partitions: int, owners: np.ndarray, names: list[T]) -> list[T]:
    """The owners of one key, by ``names``, which has one for each node."""
    return [names[n] for n in owners[_partition(key_bytes(key), partitions)].tolist()]
