"""Types of the compiled backend; the names are documented in rvh._backend.pure."""

from collections.abc import Callable
from typing import Any, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from rvh._columns.chains import Chain
from rvh._columns.column import KeyColumn, Spans
from rvh._columns.requests import Asked, Batch
from rvh.typing import Key

T = TypeVar("T")

@final
class Cancel:
    def set(self) -> None: ...
    def is_set(self) -> bool: ...

@final
class PreparedNodes:
    def __init__(
        self,
        ids: KeyColumn,
        scheme: str,
        weights: NDArray[np.float64] | None,
        secret: bytes,
    ) -> None: ...
    def __len__(self) -> int: ...
    def select_one(
        self, key: object, k: int, names: list[T], cancel: Cancel | None = None
    ) -> list[T]: ...
    def argselect(
        self,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: NDArray[np.intp],
        cancel: Cancel | None,
    ) -> None: ...
    def select(
        self,
        names: NDArray[Any],
        keys: KeyColumn,
        start: int,
        stop: int,
        out: NDArray[Any],
        cancel: Cancel | None,
    ) -> None: ...
    def rank(
        self,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: NDArray[np.uint64],
        cancel: Cancel | None,
    ) -> None: ...
    def select_spread(
        self,
        names: NDArray[Any] | None,
        domains: NDArray[np.uint32] | None,
        limits: list[int],
        current: NDArray[np.intp] | None,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: NDArray[Any],
        cancel: Cancel | None,
    ) -> None: ...
    def scores(
        self,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: NDArray[np.uint64],
        cancel: Cancel | None,
    ) -> None: ...

def ascending(keys: KeyColumn) -> NDArray[np.intp]: ...
def compose(parts: list[KeyColumn | bytes], rows: int) -> Spans: ...
def decode_batch(message: bytes, limit: int) -> Batch: ...
def decode_flat_batch(message: bytes, limit: int) -> Batch: ...
def decode_key(message: bytes) -> Asked: ...
def distinct(keys: KeyColumn, start: int, stop: int) -> tuple[Spans, NDArray[np.uint32]]: ...
def jump(
    buckets: int,
    names: NDArray[Any] | None,
    keys: KeyColumn,
    start: int,
    stop: int,
    out: NDArray[Any],
    cancel: Cancel | None,
) -> None: ...
def jumpback(
    buckets: int,
    keys: KeyColumn,
    start: int,
    stop: int,
    out: NDArray[np.intp],
    cancel: Cancel | None,
) -> None: ...
def jump_one(key: object, buckets: int, k: int) -> list[int]: ...
def jumpback_one(key: object, buckets: int) -> int: ...
def isa_available() -> tuple[str, ...]: ...
def isa_active() -> str: ...

class Bound:
    nodes: Any
    selectable: int
    epoch: int

class Selector:
    _ranking: Any
    def __init__(self, ranking: Any) -> None: ...
    def select(self, key: Key, k: int = 1) -> list[Any]: ...

class Cache:
    def _open(self, max_entries: int, max_bytes: int, arc: bool, seed: bytes) -> None: ...
    def _bind(
        self,
        nodes: Any,
        prepared: PreparedNodes,
        ids: list[Any],
        selectable: int,
        count: Callable[[Any], int],
        keep: bool,
    ) -> None: ...
    def _now(self) -> Bound: ...
    def select(self, key: object, k: int = 1) -> list[Any]: ...
    def _get(self, keys: KeyColumn, out: NDArray[np.intp], epoch: int) -> NDArray[np.int64]: ...
    def _put(self, keys: KeyColumn, chosen: NDArray[np.intp], epoch: int) -> None: ...
    def _figures(self) -> tuple[int, int, int, int, int, int, float]: ...

class RingPoints:
    def __init__(
        self, kind: str, points: NDArray[np.uint64], owners: NDArray[np.uint32], tag: bytes = ...
    ) -> None: ...
    def lookup_one(self, key: object, k: int, names: list[T]) -> list[T]: ...
    def lookup(
        self,
        names: NDArray[Any] | None,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: NDArray[Any],
        cancel: Cancel | None,
    ) -> None: ...
    def lookup_points(
        self,
        names: NDArray[Any] | None,
        points: NDArray[np.uint64],
        start: int,
        stop: int,
        out: NDArray[Any],
        cancel: Cancel | None,
    ) -> None: ...

def key_point(kind: str, key: object, tag: bytes = ...) -> int: ...
def chain_point(chain: Chain, key: object) -> int: ...
def chain_points(
    chain: Chain,
    keys: KeyColumn,
    start: int,
    stop: int,
    out: NDArray[np.uint64],
    cancel: Cancel | None,
) -> None: ...

class Prefixes:
    def __init__(self, texts: KeyColumn, seed: int, code_points: bool) -> None: ...
    def argselect(
        self,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: NDArray[np.intp],
        cancel: Cancel | None,
    ) -> None: ...

def key_points(
    kind: str,
    keys: KeyColumn,
    start: int,
    stop: int,
    out: NDArray[np.uint64],
    cancel: Cancel | None,
    tag: bytes = ...,
) -> None: ...

class Matching:
    def __init__(
        self,
        nodes: PreparedNodes,
        capacity: NDArray[np.uint64],
        sizes: NDArray[np.uint64] | None,
        owners: NDArray[np.intp],
        spans: Spans | None,
        codes: NDArray[np.uint32] | None,
    ) -> None: ...
    def offer(
        self, rows: NDArray[np.int64] | None, lists: NDArray[np.uint64]
    ) -> NDArray[np.int64] | None: ...

def lookup(
    partitions: int,
    owners: NDArray[np.uint32] | None,
    names: NDArray[Any] | None,
    keys: KeyColumn,
    start: int,
    stop: int,
    out: NDArray[Any],
    cancel: Cancel | None,
) -> None: ...
def lookup_one(
    key: object, partitions: int, owners: NDArray[np.uint32], names: list[T]
) -> list[T]: ...
def pack(keys: KeyColumn, start: int, stop: int) -> Spans: ...
def rank_scores(
    scores: NDArray[np.uint64], nodes: PreparedNodes, out: NDArray[np.intp]
) -> None: ...
def neg_log(m: NDArray[np.uint64], out: NDArray[np.float64]) -> None: ...
def bare_hashes(words: int, n: int) -> None: ...
def bare_spans(keys: KeyColumn) -> int: ...
def object_members(data: bytes, ends: NDArray[np.intp]) -> list[str] | None: ...
def object_values(data: bytes, ends: NDArray[np.intp], name: str) -> NDArray[np.int32] | None: ...
def whole_rows(
    data: bytes, delimiter: int, quoted: bool, columns: int, limit: int
) -> tuple[bytes | NDArray[np.uint8], NDArray[np.int32], int] | None: ...
