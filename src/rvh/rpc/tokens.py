"""Bearer tokens: who may call, by a file that may be changed while the server runs.

https://datatracker.ietf.org/doc/html/rfc6750#section-2.1
"""

from __future__ import annotations

import hmac
import logging
import stat
import threading
import time
from os import PathLike
from pathlib import Path
from typing import Any

from rvh._runtime.versions import Version, version_of
from rvh.errors import RVHError, show

__all__ = ["Tokens"]

log = logging.getLogger("rvh.rpc")

#: seconds between two looks at the file
LOOK = 1.0
#: bytes of a token: one that can be guessed is none
LEAST = 16


class Tokens:
    """The tokens of a file, one on each line; lines that begin with ``#`` are left out.

    Parameters
    ----------
    path : path
        It is read again when it changes, so that an old token and its successor can be valid for
        a while. A file that cannot be used then leaves the tokens as they are, and is logged.

    Raises
    ------
    RVHError
        The file cannot be read, has no token, or others may read it.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._seen: Version | None = None
        self._looked = 0.0
        self._tokens = self._read()

    def _read(self) -> tuple[bytes, ...]:
        try:
            self._seen = version_of(self._path)  # before it is read: later changes are news
            mode = self._path.stat().st_mode
            content = self._path.read_bytes()
        except OSError as error:
            raise RVHError(f"tokens: {self._path}: {error.strerror or error}") from None
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            raise RVHError(
                f"tokens: everyone on this machine may read or write {self._path}: chmod o= it"
            )
        lines = [line.strip() for line in content.splitlines()]
        tokens = tuple(line for line in lines if line and not line.startswith(b"#"))
        if not tokens:
            raise RVHError(f"tokens: {self._path} has none: write one on each line")
        for number, line in enumerate(lines, 1):
            if line in tokens and (len(line) < LEAST or not line.isascii() or b" " in line):
                raise RVHError(
                    f"tokens: line {number} of {self._path} is no token: at least {LEAST} ASCII "
                    "characters without spaces, as `openssl rand -hex 32` prints"
                )
        return tokens

    def _look(self) -> None:
        """Read the file again where it has changed."""
        with self._lock:
            if time.monotonic() - self._looked < LOOK:
                return
            self._looked = time.monotonic()
            if version_of(self._path) == self._seen:
                return
            try:
                self._tokens = self._read()
                log.info("tokens: %s is read again", self._path)
            except RVHError as error:
                log.warning("%s; the tokens from before stay", error)

    def allows(self, metadata: Any) -> bool:
        """Tell whether a call brings a token that is valid. Each is compared, in constant time."""
        self._look()
        given = [value for name, value in metadata or () if name == "authorization"]
        if len(given) != 1 or not isinstance(given[0], str):
            return False
        kind, _, token = given[0].partition(" ")
        content = token.strip().encode(errors="replace")
        matches = [hmac.compare_digest(each, content) for each in self._tokens]
        return kind.lower() == "bearer" and any(matches)

    def __repr__(self) -> str:
        return f"Tokens({show(str(self._path))})"
