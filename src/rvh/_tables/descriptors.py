"""Names of a process's open files: ``/dev/stdout``, ``/dev/fd/7``, the ``>(...)`` of bash."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from rvh.errors import RVHError

STDIN, STDOUT = 0, 1
#: folders in which each descriptor of a process has a name
DESCRIPTORS = re.compile(r"/dev/fd|(/proc/[0-9]+)(?:/task/[0-9]+)?/fd")


def descriptor(path: str) -> int | None:
    """The number of this process's descriptor that `path` names, as ``/dev/stdout`` does.

    To open such a name may open the file behind it anew, from its start; and to replace it would
    replace that file. Links to such names are followed, but not on into that file.

    Examples
    --------
    >>> descriptor("out.csv") is None
    True
    """
    is_own, number = process_and_number(path) or (False, 0)
    return number if is_own else None


def is_stdout(path: str | None) -> bool:
    """Check whether an output is stdout, by any of its names."""
    return path is not None and (path == "-" or descriptor(path) == STDOUT)


def process_and_number(path: str) -> tuple[bool, int] | None:
    """The descriptor that `path` names: whether it is of this process, and its number."""
    for _ in range(40):  # as many links as Linux follows
        folder, name = os.path.split(path)
        folder = os.path.realpath(folder)
        match = DESCRIPTORS.fullmatch(folder)
        if match and re.fullmatch(r"[0-9]{1,9}", name):
            return match[1] in (None, os.path.realpath("/proc/self")), int(name)
        path = os.path.join(folder, name)
        try:
            path = os.path.join(folder, os.readlink(path))
        except OSError:
            return None
    return None


def duplicate(number: int, path: str, unfit: int) -> int:
    """Copy a descriptor, unless it is open as `unfit` says; both share the place in the file."""
    try:
        copy = os.dup(number)
    except OSError as error:
        raise RVHError(f"{path} cannot be used: {error.strerror}") from None
    import fcntl  # not everywhere, but wherever descriptors have names

    if fcntl.fcntl(copy, fcntl.F_GETFL) & (os.O_WRONLY | os.O_RDWR) == unfit:
        os.close(copy)
        way, other = ("reading", "writing")[:: 1 if unfit == os.O_RDONLY else -1]
        raise RVHError(f"{path} is open for {way} alone, not for {other}")
    return copy


def is_stream(path: str) -> bool:
    """Check whether an output is written directly: stdout, a descriptor, a pipe, a device."""
    if path == "-" or descriptor(path) is not None:
        return True
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


@contextmanager
def named_in_errors(name: str) -> Iterator[None]:
    """Name an output in an error of its file; a closed pipe is none."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from None
