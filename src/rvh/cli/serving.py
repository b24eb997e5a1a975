"""The options of `rvh serve` that limit what is asked of it, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rvh.rpc import Limits, ServerTls


@dataclass(frozen=True, kw_only=True)
class LimitOptions:
    """What the server takes at most; the defaults are those of `rvh.rpc.Limits`."""

    max_keys: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="The most keys in one message. [default: 1000000]"),
    ] = None
    max_message: Annotated[
        int | None,
        typer.Option(min=1, metavar="MIB", help="The largest message, in MiB. [default: 64]"),
    ] = None
    max_calls: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="The most calls at once in each process; further calls are refused. [default: 64]",
        ),
    ] = None
    max_streams: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="The most open streams in each process. [default: 256]"
        ),
    ] = None
    max_seconds: Annotated[
        float | None,
        typer.Option(
            min=0.001, metavar="SECONDS", help="The most time for one answer. [default: 30]"
        ),
    ] = None

    def limits(self) -> Limits:
        """The options as `rvh.rpc.Limits`."""
        from rvh.rpc import Limits

        given: dict[str, Any] = {
            "keys": self.max_keys,
            "message": None if self.max_message is None else self.max_message << 20,
            "calls": self.max_calls,
            "streams": self.max_streams,
            "seconds": self.max_seconds,
        }
        return Limits(**{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True, kw_only=True)
class AccessOptions:
    """Who may call, and who can listen."""

    tls_cert: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The server's certificate (PEM). It is read again when it changes."
        ),
    ] = None
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The private key of the certificate (PEM).")
    ] = None
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The authority that must have signed each client's certificate (PEM). It is read "
            "again when it changes.",
        ),
    ] = None
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A file of bearer tokens, one a line; each call needs one. It is read again when "
            "it changes.",
        ),
    ] = None
    plaintext: Annotated[
        bool, typer.Option("--plaintext", help="Serve other machines without TLS.")
    ] = False

    def tls(self) -> ServerTls | None:
        """The files of TLS.

        Raises
        ------
        typer.BadParameter
            One without the other.
        """
        given = {
            "--tls-cert": self.tls_cert,
            "--tls-key": self.tls_key,
            "--tls-client-ca": self.tls_client_ca,
        }
        there = [name for name, path in given.items() if path is not None]
        for name in ("--tls-cert", "--tls-key"):
            if there and given[name] is None:
                raise typer.BadParameter(f"{there[0]} needs it too", param_hint=name)
        if self.tls_cert is None or self.tls_key is None:
            return None
        if self.plaintext:
            raise typer.BadParameter("--tls-cert contradicts it", param_hint="--plaintext")
        from rvh.rpc import ServerTls

        return ServerTls(self.tls_cert, self.tls_key, self.tls_client_ca)
