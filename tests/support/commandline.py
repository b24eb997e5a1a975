"""The command line as a process of its own, for tests that do more with it than wait."""

from __future__ import annotations

import os
import sys


def command(*args: object) -> list[str]:
    return [sys.executable, "-m", "rvh", *map(str, args)]


def environment(**more: str) -> dict[str, str]:
    """This process's environment, with some variables set."""
    return {**os.environ, **more}
