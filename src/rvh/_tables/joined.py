"""Several inputs of one format, one after the other, as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Self

from rvh._tables.base import Batch, Reader

#: a function that opens an input, to be closed when it is read
Opening = Callable[[], AbstractContextManager[Reader]]


class JoinedReader(Reader):
    """Reads inputs in their order; one at a time is open. A context manager.

    Parameters
    ----------
    openings : sequence of Opening
        At least one. The first input decides the columns: in a format without a header, the first
        that has rows.
    sizes : sequence of int or None
        The bytes of each; None where they are not known.
    name : str
        What errors call all of them.
    """

    def __init__(self, openings: Sequence[Opening], sizes: Sequence[int | None], name: str) -> None:
        self._openings = list(openings)
        self._sizes = [size for size in sizes if size is not None]
        self._opened = 0
        self._stack = ExitStack()
        self._current = self._next()
        while self._current.names is None and self._opened < len(openings):
            self._current = self._next()
        #: the one that decides the columns
        self.first = self._current
        super().__init__(self.first.source)
        self.name = name
        self.names = self.first.names
        self.parquet = self.first.parquet

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def has_field(self, path: Sequence[str]) -> bool:
        return self.first.has_field(path)

    @property
    def schema(self) -> Any:
        return self.first.schema

    def keep_text(self, *form: object) -> None:
        self.first.keep_text(*form)  # which those that follow do as well

    def records(self) -> Iterator[Any]:
        return (batch.record for batch in self.batches())

    def batches(self) -> Iterator[Batch]:
        yield from self._current.batches()
        while self._opened < len(self._openings):
            self._current = self._next()
            self._current.follow(self.first)
            yield from self._current.batches()

    def fraction(self) -> float | None:
        at = self._opened - 1
        if len(self._sizes) < len(self._openings):
            return None
        part = self._current.fraction() if self._sizes[at] else 0.0
        if part is None:
            return None
        return (sum(self._sizes[:at]) + part * self._sizes[at]) / max(1, sum(self._sizes))

    def _next(self) -> Reader:
        self._stack.close()
        opening = self._openings[self._opened]
        self._opened += 1
        return self._stack.enter_context(opening())
