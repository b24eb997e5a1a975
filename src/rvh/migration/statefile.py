"""The file that a migration's state is kept in: whole at any moment, and of one writer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from rvh._runtime.replacing import replacing
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
    except (ValueError, RecursionError):
        raise RVHError(f"{path} holds no JSON: it is not the state of a migration") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        found = state.get("format") if isinstance(state, dict) else state
        raise RVHError(f"{path}: the format is {show(found)}, and only {FORMAT!r} can be resumed")
    return state


def write_state(path: Path, state: dict[str, Any], revision: int | None) -> None:
    """Write a state over that of a revision; None: over no file."""
    if revision is None:
        if path.exists():
            raise RVHError(
                f"{path} exists: go on with it by Coordinator.resume(migration, path), or remove it"
            )
        _write(path, state)
        return
    with _locked(path):
        if path.exists() and read_state(path).get("revision") != revision:
            raise RVHError(
                f"{path} was changed by another process: one coordinator at a time writes it, so "
                "resume from the file again"
            )
        _write(path, state)


def _write(path: Path, state: dict[str, Any]) -> None:
    with replacing(path) as file:
        file.write(json.dumps(state, indent=1).encode() + b"\n")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other writers of a file waiting, so that none writes between a look and a write."""
    try:
        import fcntl
    except ImportError:  # Windows: what is open there cannot be replaced
        yield
        return
    with ExitStack() as stack:
        with suppress(OSError):  # no file any more, or a file system without locks
            while True:
                file = stack.enter_context(open(path, "rb"))
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                    break  # else it was replaced meanwhile, and its successor has a lock of its own
                file.close()
        yield
