"""Files that others write: what tells one version from the next, without reading them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["Version", "version_of"]

#: device, inode, bytes, and when the content and when anything else was changed, in ns since 1970
Version = tuple[int, int, int, int, int]


def version_of(path: Path) -> Version | None:
    """Return what tells this version of a file from the next; a new owner or mode is one too.

    None where it cannot be looked at: whoever reads it is told why.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
