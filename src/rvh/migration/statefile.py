"""The file that a migration's state is kept in: whole at any moment, and of one writer.

A new state goes into a file beside it, which is synced and renamed over the old one: a crash leaves
one or the other, never a part.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from rvh.errors import RVHError, show

__all__ = ["read_state", "write_state"]

#: the format of a coordinator's state
FORMAT = "rvh migration 2"


def read_state(path: Path) -> dict[str, Any]:
    """Return the state in a file; RVHError if it is not there or not a state."""
    try:
        state = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise RVHError(
            f"{path}: there is no state of a migration; begin one with "
            "Coordinator(migration, steps, path)"
        ) from None
    except OSError as error:
        raise RVHError(f"{path}: the state cannot be read: {error.strerror}") from error
    except ValueError:
        raise RVHError(f"{path} holds no JSON: it is not the state of a migration") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        found = state.get("format") if isinstance(state, dict) else state
        raise RVHError(f"{path}: the format is {show(found)}, and only {FORMAT!r} can be resumed")
    return state


def write_state(path: Path, state: dict[str, Any], revision: int | None) -> None:
    """Write a state over that of a revision; None: over no file."""
    if revision is None and path.exists():
        raise RVHError(
            f"{path} exists: go on with it by Coordinator.resume(migration, path), or remove it"
        )
    if revision is not None and path.exists() and read_state(path).get("revision") != revision:
        raise RVHError(
            f"{path} was changed by another process: one coordinator at a time writes it, so "
            "resume from the file again"
        )
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "w", encoding="utf-8") as file:
            json.dump(state, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # elsewhere a folder cannot be synced
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
