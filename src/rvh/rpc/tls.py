"""The certificate of a server, and whose clients it takes; changed files are loaded anew."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from time import time
from typing import Any, NamedTuple

from rvh._runtime.versions import version_of
from rvh.errors import RVHError
from rvh.rpc.pem import check_authorities, check_pair, content_of

__all__ = ["Certificates", "ServerTls"]

log = logging.getLogger("rvh.rpc")


@dataclass(frozen=True, slots=True)
class ServerTls:
    """The files by which a server encrypts, in PEM.

    Parameters
    ----------
    certificate : path
        That of the server, and those between it and the authority that clients trust.
    key : path
        Its private key, without a passphrase.
    client_ca : path, optional
        Authorities: only clients with a certificate of one of them are taken (mutual TLS).
    """

    certificate: str | PathLike[str]
    key: str | PathLike[str]
    client_ca: str | PathLike[str] | None = None


class _Loaded(NamedTuple):
    """Files that fit one another."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None
    expires: float


class Certificates:
    """Certificates as files have them, looked at with each handshake.

    New files are used from the next handshake on. Those that cannot be used, such as a certificate
    whose key is not there yet, are logged and counted once, and the last good ones stay.

    Parameters
    ----------
    tls : ServerTls
    noted : callable
        Told when the certificate expires (seconds since 1970), and whether changed files could
        not be used.

    Raises
    ------
    RVHError
        The files cannot be used: which, and why.
    """

    def __init__(self, tls: ServerTls, noted: Callable[[float, bool], None]) -> None:
        self._paths = [Path(tls.certificate), Path(tls.key)]
        if tls.client_ca is not None:
            self._paths.append(Path(tls.client_ca))
        self._noted = noted
        self._lock = threading.Lock()
        self._seen = [*map(version_of, self._paths)]
        self._loaded = _load(self._paths)
        noted(self._loaded.expires, False)
        _warn_of_expired(self._paths[0], self._loaded.expires)

    def credentials(self) -> Any:
        """Return the credentials for `grpc.Server.add_secure_port`."""
        import grpc  # not loaded where the files are only checked

        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._loaded), self._changed, len(self._paths) == 3
        )

    def _changed(self) -> Any:
        """Give what has changed since the last handshake; None for nothing."""
        with self._lock:
            # Before they are read: what changes meanwhile is news again.
            seen = [*map(version_of, self._paths)]
            if seen == self._seen:
                return None
            self._seen = seen
            try:
                loaded = _load(self._paths)
            except Exception as error:  # gRPC would end the handshake
                log.warning("%s; the certificate from before stays", error)
                self._noted(self._loaded.expires, True)
                return None
            if loaded == self._loaded:
                return None
            files = zip(self._paths, self._loaded, loaded, strict=False)  # they end with `expires`
            changed = [str(path) for path, before, after in files if before != after]
            self._loaded = loaded
            log.info("%s: read again", ", ".join(changed))
            self._noted(loaded.expires, False)
            _warn_of_expired(self._paths[0], loaded.expires)
            return _configuration(loaded)


def _configuration(loaded: _Loaded) -> Any:
    import grpc

    return grpc.ssl_server_certificate_configuration(
        [(loaded.key, loaded.certificate)], loaded.client_ca
    )


def _load(paths: list[Path]) -> _Loaded:
    """Read the files and check that they fit one another.

    OpenSSL reads paths alone; what it has checked is what was read before and after.
    """
    before = [content_of(path) for path in paths]
    certificate, key, *rest = before
    expires = check_pair(*paths[:2])
    for path in paths[2:]:
        check_authorities(path)
    if [content_of(path) for path in paths] != before:
        raise RVHError(f"{paths[0]} and {paths[1]} are being written")
    return _Loaded(certificate, key, rest[0] if rest else None, expires)


def _warn_of_expired(path: Path, expires: float) -> None:
    if expires < time():
        at = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        log.warning("the certificate %s has expired on %s: clients will refuse it", path, at)
