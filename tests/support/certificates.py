"""Certificates for tests, made by openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from servers import needed

__all__ = ["Authority", "Pair"]


@dataclass(frozen=True)
class Pair:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates for ``localhost`` and 127.0.0.1.

    Parameters
    ----------
    folder : Path
        Made for its files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self.ca = folder / "ca.pem"
        self._run(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=ca"),
        )

    def sign(self, name: str, *, is_over: bool = False) -> Pair:
        """Make a certificate; one that is over was valid in 2020."""
        self._run(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"),
        )
        (self._folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        for file in ("index.txt", "index.txt.attr"):
            (self._folder / file).write_text("")
        (self._folder / "conf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\ndefault_md=sha256\n"
            "policy=p\nrand_serial=yes\n[p]\ncommonName=supplied\n"
        )
        dates = ("20200101000000Z", "20200201000000Z" if is_over else "20490101000000Z")
        self._run(
            *("ca", "-batch", "-config", "conf", "-in", f"{name}.csr", "-out", f"{name}.pem"),
            *("-keyfile", "ca.key", "-cert", "ca.pem", "-extfile", "ext", "-notext"),
            *("-startdate", dates[0], "-enddate", dates[1]),
        )
        return Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")

    def _run(self, *args: str) -> None:
        subprocess.run(
            [needed("openssl"), *args],
            cwd=self._folder,
            check=True,
            capture_output=True,
            timeout=60,
        )
