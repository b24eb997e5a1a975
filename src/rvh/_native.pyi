"""Types of the compiled backend; the names are documented in rvh._pure."""

from typing import TypeVar, final

import numpy as np
from numpy.typing import NDArray

from rvh.keys import KeyColumn, Spans

T = TypeVar("T")

@final
class Cancel:
    def set(self) -> None: ...
    def is_set(self) -> bool: ...

@final
class PreparedNodes:
    def __init__(self, ids: KeyColumn, secret: bytes) -> None: ...
    def __len__(self) -> int: ...
    def select_one(self, key: object, k: int, names: list[T]) -> list[T]: ...
    def argselect(
        self,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: NDArray[np.intp],
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

def compose(parts: list[KeyColumn | bytes], rows: int) -> Spans: ...
def isa_available() -> tuple[str, ...]: ...
def isa_active() -> str: ...
def rank_scores(scores: NDArray[np.uint64], ids: KeyColumn, out: NDArray[np.intp]) -> None: ...
def bare_hashes(words: int, n: int) -> None: ...
