"""HTTP for sources: bounded answers, one deadline for a call, errors in plain words.

Redirects are not followed: a login page is not a list of nodes, and headers that hold a secret
would be sent to another server. The environment's proxies (HTTPS_PROXY, NO_PROXY) are used.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec

from rvh.errors import RVHError, show
from rvh.membership.documents import MAX_BYTES
from rvh.membership.sources import without_secrets

__all__ = [
    *("NO_JSON", "Answer", "bearer", "checked", "connect", "get", "lost", "read"),
    *("read_secret", "reason_of", "tls", "within"),
]

#: what msgspec raises of bytes that are not JSON of a type; the last of what is nested too deeply
NO_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

#: the largest file that holds a token, in bytes
SECRET_MAX = 1 << 16


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    headers: httpx.Headers
    data: bytes


def connect(
    headers: Mapping[str, str] | None = None, verify: ssl.SSLContext | bool = True
) -> httpx.AsyncClient:
    """Make a client; `within` has its deadlines."""
    return httpx.AsyncClient(headers=headers, verify=verify, timeout=None, follow_redirects=False)


def tls(
    ca: str | None = None, certificate: str | None = None, key: str | None = None
) -> ssl.SSLContext:
    """Trust the certificates of this machine, or those in a file; show one of our own.

    Raises
    ------
    RVHError
        A file that is not a certificate.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        files = ", ".join(filter(None, (ca, certificate, key)))
        raise RVHError(f"{files}: no certificate and key in PEM ({error.reason})") from None
    return context


@asynccontextmanager
async def within(seconds: float, name: str) -> AsyncIterator[None]:
    """Bound a block in time; what goes wrong in it is a TimeoutError or a ConnectionError.

    An RVHError begins with the name of the source.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    except httpx.HTTPError as error:
        raise ConnectionError(reason_of(error)) from None
    except RVHError as error:
        raise RVHError(f"{name}: {error}") from None


async def get(
    client: httpx.AsyncClient,
    url: str,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    body: bytes | None = None,
) -> Answer:
    """Ask for a document, as a whole; with a body, by POST.

    Raises
    ------
    RVHError
        It has more bytes than may be, before or after it is unpacked, or is packed unasked.
    """
    asked = {"Accept-Encoding": "gzip", **(headers or {})}
    method = "GET" if body is None else "POST"
    async with client.stream(method, url, headers=asked, content=body) as response:
        return await read(response, max_bytes)


async def read(response: httpx.Response, max_bytes: int = MAX_BYTES) -> Answer:
    """Read the rest of an answer, as `get` does."""
    packing = response.headers.get("Content-Encoding", "identity").casefold()
    if packing not in ("gzip", "x-gzip", "identity"):
        raise RVHError(f"the answer is packed as {show(packing)}: only gzip was asked for")
    unpack = zlib.decompressobj(31) if packing != "identity" else None
    data, packed = bytearray(), 0
    # httpx's own decoders have no bound: a few kilobytes can stand for gigabytes.
    async for chunk in response.aiter_raw():
        room, packed = max_bytes + 1 - len(data), packed + len(chunk)
        try:
            data += chunk[:room] if unpack is None else unpack.decompress(chunk, room)
        except zlib.error:
            raise RVHError("the answer says that it is gzip, and is not") from None
        if len(data) > max_bytes:
            raise RVHError(f"the answer has more than {max_bytes} bytes: is it nodes?")
    if unpack is not None and not unpack.eof and packed:
        raise ConnectionError("the answer is cut off: its gzip has no end")
    return Answer(response.status_code, response.headers, bytes(data))


def lost(answer: Answer) -> ConnectionError:
    """The error about an answer that has another status than it should."""
    status = f"{answer.status} {httpx.codes.get_reason_phrase(answer.status)}".strip()
    if to := answer.headers.get("Location"):
        return ConnectionError(
            f"it answered {status}, to {show(without_secrets(to))}: name the URL where the nodes "
            "are; redirects are not followed"
        )
    told = _message(answer.data)
    return ConnectionError(f"it answered {status}" + (f": {show(told, 200)}" if told else ""))


def _message(data: bytes) -> str:
    """What an answer says: the member message, or its first line, unless that is HTML."""
    try:
        return str(msgspec.json.decode(data)["message"])
    except (*NO_JSON, TypeError, LookupError):
        line = data[:400].decode("utf-8", "replace").strip().partition("\n")[0]
        return "" if line.startswith("<") else line


def bearer(token: str) -> dict[str, str]:
    """Make the header that shows a token."""
    return {"Authorization": f"Bearer {checked(token, 'the token')}"}


def checked(value: str, what: str) -> str:
    """Check that a header can hold a value, which is in no message."""
    if not re.fullmatch(r"[!-~]([ -~]*[!-~])?", value):
        raise RVHError(f"{what} is empty or has a character that no header can have")
    return value


def read_secret(path: str) -> str:
    """Read a secret from a file; it may have been replaced since the last time.

    Raises
    ------
    OSError
        There is no such file.
    RVHError
        It is too large to be a token.
    """
    with Path(path).open("rb") as file:
        data = file.read(SECRET_MAX + 1)
    if len(data) > SECRET_MAX:
        raise RVHError(f"{path} has more than {SECRET_MAX >> 10} KiB: it should hold one token")
    return data.decode("utf-8", "replace").strip()


def reason_of(error: BaseException) -> str:
    """What the system said of a connection: httpx says "All connection attempts failed"."""
    text, cause = str(error), error.__cause__ or error.__context__
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
            continue
        if isinstance(cause, OSError) and cause.strerror:
            text = cause.strerror
            if cause.errno and text.startswith("Connect call failed"):  # as asyncio says
                text = os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return text or type(error).__name__
