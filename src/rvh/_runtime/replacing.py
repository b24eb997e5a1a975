"""Files that are replaced as a whole: a reader, and a crash, leave the old one or the new one."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

__all__ = ["replacing"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of a path when the block ends well.

    What nothing can take the place of, as a device or a pipe, is written to.

    Raises
    ------
    OSError
        Of the path; a file then has what it had before.
    """
    there = os.path.realpath(path)  # a link stays a link
    try:
        if os.path.exists(there) and not os.path.isfile(there):
            with open(there, "wb") as file:
                yield file
            return
        folder = os.path.dirname(there)
        # Not by the id of the process, which is 1 in each of many containers.
        new = os.path.join(folder, f".rvh-{secrets.token_hex(8)}.part")
        try:
            with open(new, "xb") as file:
                with suppress(FileNotFoundError):  # who could read it still can
                    os.chmod(new, stat.S_IMODE(os.stat(there).st_mode))
                yield file
                file.flush()
                os.fsync(file.fileno())  # without it, a crash could leave an empty file
            os.replace(new, there)
        finally:
            with suppress(OSError):
                os.unlink(new)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from None
    with suppress(OSError):  # there is no telling a file system that cannot from one that failed
        _sync(folder)


def _sync(folder: str) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
