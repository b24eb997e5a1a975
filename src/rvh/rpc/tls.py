"""Certificates of a server, which may be replaced while it runs."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import grpc

from rvh.errors import RVHError

__all__ = ["Certificates", "ServerTls"]

log = logging.getLogger("rvh.rpc")


@dataclass(frozen=True, slots=True)
class ServerTls:
    """The files of an encrypted server, in PEM. They are read again when they change.

    Parameters
    ----------
    certificate, key : path
        Those of the server: the certificate with those of its signers, and its private key.
    client_ca : path, optional
        Who must have signed the certificate of every client (mutual TLS).
    """

    certificate: str | PathLike[str]
    key: str | PathLike[str]
    client_ca: str | PathLike[str] | None = None

    def paths(self) -> dict[str, Path]:
        """The files, by what they are."""
        given = {"certificate": self.certificate, "key": self.key, "client CA": self.client_ca}
        return {what: Path(path) for what, path in given.items() if path is not None}


class Certificates:
    """What a server shows to those who connect: the files as they are at that moment.

    Files that do not fit together, as between two writes, leave the last ones that did.

    Parameters
    ----------
    tls : ServerTls
    noted : callable
        Told when the certificate expires (seconds since 1970, None where that is unknown), and
        whether a reload has failed.

    Raises
    ------
    RVHError
        A file that is missing or is no PEM, or a key of another certificate.
    """

    def __init__(self, tls: ServerTls, noted: Callable[[float | None, bool], None]) -> None:
        self._tls = tls
        self._noted = noted
        self._lock = threading.Lock()
        self._seen: Any = None
        self._current = self._read()

    def credentials(self) -> Any:
        """Make the credentials for `grpc.Server.add_secure_port`."""
        return grpc.dynamic_ssl_server_credentials(
            self._current, self._for_handshake, self._tls.client_ca is not None
        )

    def _signature(self) -> tuple[Any, ...]:
        found = (path.stat() for path in self._tls.paths().values())
        return tuple((each.st_mtime_ns, each.st_size, each.st_ino) for each in found)

    def _read(self) -> Any:
        contents: dict[str, bytes] = {}
        for what, path in self._tls.paths().items():
            try:
                contents[what] = path.read_bytes()
            except OSError as error:
                raise RVHError(f"TLS: {what} {path}: {error.strerror or error}") from None
        self._check(contents)
        self._seen = self._signature()
        expires = _expiry(self._tls.paths()["certificate"])
        self._noted(expires, False)
        if expires is not None and expires < time.time():
            log.warning("TLS: the certificate %s has expired", self._tls.certificate)
        pair = (contents["key"], contents["certificate"])
        return grpc.ssl_server_certificate_configuration([pair], contents.get("client CA"))

    def _check(self, contents: dict[str, bytes]) -> None:
        paths = self._tls.paths()
        for what, content in contents.items():
            if b"-----BEGIN " not in content:
                raise RVHError(f"TLS: {what} {paths[what]} is no PEM: it has no -----BEGIN line")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # An empty password: OpenSSL would ask for one on the terminal.
            context.load_cert_chain(paths["certificate"], paths["key"], password=lambda: b"")
        except (ssl.SSLError, OSError) as error:
            reason = getattr(error, "reason", None) or str(error)
            raise RVHError(
                f"TLS: certificate {paths['certificate']} and key {paths['key']} do not work "
                f"together ({reason}): they must be a pair in PEM, the key without a password"
            ) from None
        if "client CA" in paths:
            try:
                context.load_verify_locations(cadata=contents["client CA"].decode())
            except (ssl.SSLError, ValueError) as error:
                raise RVHError(
                    f"TLS: client CA {paths['client CA']} is no certificate in PEM ({error})"
                ) from None

    def _for_handshake(self) -> Any:
        """Return the files where they have changed, None where not."""
        with self._lock:
            try:
                signature = self._signature()
            except OSError:
                signature = ()
            if signature == self._seen:
                return None
            self._seen = signature  # said once, even where it fails
            try:
                self._current = self._read()
            except RVHError as error:
                log.warning("%s; the certificate from before stays", error)
                self._noted(None, True)
                return None
            log.info("TLS: the certificate %s is read again", self._tls.certificate)
            return self._current


def _expiry(path: Path) -> float | None:
    """When the first certificate of a file expires, in seconds since 1970."""
    decode = getattr(getattr(ssl, "_ssl", None), "_test_decode_cert", None)
    try:
        return None if decode is None else float(ssl.cert_time_to_seconds(decode(path)["notAfter"]))
    except (ssl.SSLError, KeyError, ValueError):
        return None
