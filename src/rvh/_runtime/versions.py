"""Files that others write: what tells one version from the next, without reading them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["Version", "version_of"]

#: device, inode, bytes, and the time of the last change in ns since 1970
Version = tuple[int, int, int, int]


def version_of(path: Path) -> Version | None:
    """Return what is another one once a file was written or replaced.

    None where it is not there, or may not be looked at: who reads it is told why.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
