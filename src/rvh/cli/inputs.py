"""Inputs that can be read only once, and an output that would overwrite an input."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from rvh.errors import RVHError


def refuse_shared(named: Iterable[tuple[str, str]]) -> None:
    """Refuse stdin or a pipe that two options name: the second would find nothing in it.

    Parameters
    ----------
    named : iterable of (str, str)
        What names an input, as ``--nodes @-``, and its path, ``-`` for stdin.
    """
    seen: dict[object, str] = {}
    for what, path in named:
        about = _status(path)
        if about is None:
            continue
        flows = stat.S_ISFIFO(about.st_mode) or stat.S_ISSOCK(about.st_mode)
        if not flows and path != "-":
            continue
        same = (about.st_dev, about.st_ino) if flows else path
        if same in seen:
            raise RVHError(
                f"{seen[same]} and {what} are the same {'stdin' if path == '-' else 'pipe'}, which "
                "can be read only once: write one of them into a file"
            )
        seen[same] = what


def refuse_twice(paths: Iterable[str]) -> None:
    """Refuse a file of KEYS that is named twice: its rows would be there twice."""
    seen: dict[tuple[int, int], str] = {}
    for path in paths:
        about = None if path == "-" else _status(path)
        if about is None or not stat.S_ISREG(about.st_mode):
            continue
        same = (about.st_dev, about.st_ino)
        if same in seen:
            names = path if seen[same] == path else f"{seen[same]} and {path}, one file,"
            raise RVHError(f"{names} would be read twice: name it once")
        seen[same] = path


def refuse_overwritten(out: str, named: Iterable[tuple[str, str]], option: str = "--out") -> None:
    """Refuse an OUT that is one of the inputs: the rows would take the place of what it holds.

    Parameters
    ----------
    out : str
        The path of OUT.
    named : iterable of (str, str)
        As `refuse_shared` takes them.
    """
    written = _status(out)
    if written is None or not stat.S_ISREG(written.st_mode):
        return
    for what, path in named:
        read = _status(path)
        if read is not None and os.path.samestat(read, written):
            raise RVHError(
                f"{option} {out} is the file that {what} reads, which the rows would replace: "
                "choose another name"
            )


def _status(path: str) -> os.stat_result | None:
    """The status of an input; None where it is not there, which is an error of whoever reads it."""
    try:
        return os.fstat(0) if path == "-" else os.stat(path)
    except (OSError, ValueError):
        return None
