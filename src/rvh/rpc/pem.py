"""Files of certificates and keys in PEM, read and checked."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

from rvh.errors import RVHError, RVHTypeError

__all__ = ["check_authorities", "check_pair", "content_of"]


def content_of(path: str | PathLike[str]) -> bytes:
    """Read a file."""
    if not isinstance(path, (str, PathLike)) or "-----BEGIN" in str(path):
        # What is given is not told: it may be a key.
        raise RVHTypeError(
            "a certificate or a key is not a path: write it to a file, and pass that"
        )
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RVHError(f"{path} cannot be read: {reason}") from None


def check_pair(certificate: str | PathLike[str], key: str | PathLike[str]) -> float:
    """Check that a certificate and a key belong together.

    Returns
    -------
    float
        When the first certificate in the file expires, in seconds since 1970.
    """
    expires = _expiry(certificate)
    content_of(key)  # OpenSSL does not tell which of the two cannot be read

    def passphrase() -> str:
        raise RVHError(f"{key} has a passphrase: give a key without one")

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise RVHError(
                f"{key} is not the key of the certificate in {certificate}: give the two that "
                "were made together"
            ) from None
        reason = f" ({error.reason})" if error.reason else ""
        raise RVHError(
            f"{key} is not a private key in PEM for the certificate in {certificate}{reason}"
        ) from None
    return expires


def check_authorities(path: str | PathLike[str]) -> None:
    """Check that a file has certificates of authorities."""
    text = content_of(path).decode("ascii", "ignore")  # PEM may have comments, in any encoding
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise RVHError(f"{path} has no certificates of authorities: give a file of PEM") from None


def _expiry(path: str | PathLike[str]) -> float:
    """Return when the first certificate in a file expires, in seconds since 1970."""
    pem = content_of(path)
    begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
    start, stop = pem.find(begin), pem.find(end)
    try:
        if not 0 <= start < stop:
            raise ValueError
        text = pem[start : stop + len(end)].decode("ascii")
        return _not_after(ssl.PEM_cert_to_DER_cert(text))
    except (ValueError, IndexError):
        raise RVHError(f"{path} has no certificate in PEM") from None


def _not_after(der: bytes) -> float:
    """Read the end of the validity in a certificate (RFC 5280, section 4.1)."""

    def content(at: int) -> tuple[int, int]:
        """Where the content of the element at a place begins and ends."""
        size, at = der[at + 1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(der[at : at + width], "big"), at + width
        return at, at + size

    at, _ = content(content(0)[0])  # into Certificate, into TBSCertificate
    if der[at] == 0xA0:  # the version
        at = content(at)[1]
    for _ in ("serialNumber", "signature", "issuer"):
        at = content(at)[1]
    at, _ = content(at)  # into Validity
    at = content(at)[1]  # past notBefore
    start, stop = content(at)
    text = der[start:stop].decode("ascii")
    if der[at] == 0x17:  # UTCTime: two digits of the year
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
