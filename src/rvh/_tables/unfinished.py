"""Names of files and folders that are being written: hidden, until they take their own names."""

from __future__ import annotations

import os
import secrets

#: what all of them begin with
PREFIX = ".rvh-"


def unfinished(folder: str) -> str:
    """Return a new name in a folder, which is that of what is being written."""
    return os.path.join(folder, f"{PREFIX}{secrets.token_hex(8)}.part")
