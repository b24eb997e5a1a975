"""Progress of a run: a bar on stderr for people, nothing for programs."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Protocol


class Progress(Protocol):
    """The display that `assign` updates as it goes; a context manager."""

    def __enter__(self) -> Progress: ...
    def __exit__(self, *exc: object) -> None: ...
    def update(self, rows: int, fraction: float | None) -> None:
        """Show that `rows` rows are done in all, and which part of the input (None: unknown)."""

    def phase(self, name: str) -> None:
        """Begin a part of the run, with a bar of its own; "" is the one that `update` ends."""


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *exc: object) -> None:
        return

    def update(self, rows: int, fraction: float | None) -> None:
        """Do nothing."""

    def phase(self, name: str) -> None:
        """Do nothing."""


class Bar:
    """A bar with rows, keys/s and the time left, removed at the end (the summary stays).

    Where the size of the input is not known, as that of a pipe, it has the rows, the rate and the
    time so far.
    """

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        text = [
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TextColumn("{task.fields[rate]:,.0f} keys/s"),
        ]
        known = [*text, TimeRemainingColumn(), TextColumn("left")]
        self._unknown = [text[0], *text[3:], TimeElapsedColumn()]
        self._known = known
        self._title = title
        self._bar: Any = Progress(*known, console=Console(stderr=True), transient=True)
        self._task: Any = None

    def __enter__(self) -> Bar:
        self._bar.start()
        self.phase("")
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def phase(self, name: str) -> None:
        """Take the bar for another part of the run."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        title = f"{self._title}: {name}" if name else self._title
        self._task = self._bar.add_task(title, total=None, rows=0, rate=0.0)
        self._start = time.monotonic()

    def update(self, rows: int, fraction: float | None) -> None:
        """Move the bar."""
        rate = rows / max(time.monotonic() - self._start, 1e-9)
        total = None if fraction is None else 1.0
        self._bar.columns = self._unknown if fraction is None else self._known
        self._bar.update(self._task, total=total, completed=fraction or 0.0, rows=rows, rate=rate)


def is_shown() -> bool:
    """Whether stderr is a terminal that can overwrite its line."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def progress(title: str, quiet: bool) -> Progress:
    """A bar where someone sees it, and unless silence is asked for."""
    if quiet or not is_shown():
        return Silent()
    return Bar(title)
