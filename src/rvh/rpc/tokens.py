"""Bearer tokens: who may call, by a file that may be changed while the server runs.

https://datatracker.ietf.org/doc/html/rfc6750#section-2.1
"""

from __future__ import annotations

import hmac
import logging
import os
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
            with self._path.open("rb") as file:
                mode, content = os.fstat(file.fileno()).st_mode, file.read()
        except OSError as error:
            raise RVHError(f"token file {self._path}: {error.strerror or error}") from None
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            raise RVHError(
                f"token file {self._path}: everyone on this machine may read or write it: chmod o= "
                "it"
            )
        lines = [line.strip() for line in content.splitlines()]
        tokens = tuple(line for line in lines if line and not line.startswith(b"#"))
        if not tokens:
            raise RVHError(f"token file {self._path} has no token: write one on each line")
        for number, line in enumerate(lines, 1):
            if line in tokens and (len(line) < LEAST or not line.isascii() or b" " in line):
                raise RVHError(
                    f"token file {self._path}: line {number} is not a token: at least {LEAST} "
                    "ASCII characters without spaces, as `openssl rand -hex 32` prints"
                )
        return tokens

    def _look(self, every: float) -> None:
        """Read the file again where it has changed, after so many seconds since the last look."""
        with self._lock:
            if time.monotonic() - self._looked < every:
                return
            self._looked = time.monotonic()
            if version_of(self._path) == self._seen:
                return
            try:
                self._tokens = self._read()
                log.info("token file %s: read again", self._path)
            except RVHError as error:
                log.warning("%s; the tokens from before stay", error)

    def allows(self, metadata: Any) -> bool:
        """Tell whether a call brings a token that is valid.

        One that is not known may have been added since the last look.
        """
        given = [value for name, value in metadata or () if name == "authorization"]
        if len(given) != 1 or not isinstance(given[0], str):
            return False
        kind, _, token = given[0].partition(" ")
        if kind.lower() != "bearer":
            return False
        content = token.strip().encode(errors="replace")
        return self._knows(content, LOOK) or self._knows(content, 0.0)

    def _knows(self, token: bytes, every: float) -> bool:
        """Compare a token with each of the file, in constant time."""
        self._look(every)
        matches = [hmac.compare_digest(each, token) for each in self._tokens]
        return any(matches)

    def __repr__(self) -> str:
        return f"Tokens({show(str(self._path))})"
