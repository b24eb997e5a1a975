"""The JSON gateway of etcd: questions, and a watch as a stream of lines, to one endpoint.

Messages are those of etcd's `rpc.proto` as JSON, where 64-bit numbers are texts and bytes are
base64, which is how msgspec reads and writes bytes.
https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, TypeVar

import httpx
import msgspec
from msgspec import Struct

from rvh.errors import RVHError, show
from rvh.membership.documents import MAX_BYTES
from rvh.membership.sources import web

__all__ = ["Event", "Gateway", "Header", "KeyValue", "Range", "Ranges", "Txn", "WatchResponse"]

UNAUTHORIZED = 401
FORBIDDEN = 403


class Header(Struct, frozen=True):
    """What every answer begins with."""

    cluster_id: str = ""
    revision: int = 0


class KeyValue(Struct, frozen=True):
    """A key, its value, and the revision that wrote it."""

    key: bytes
    value: bytes = b""
    mod_revision: int = 0


class Range(Struct, frozen=True):
    """The keys of a range, and how many there are."""

    header: Header = Header()
    kvs: list[KeyValue] = []
    count: int = 0


class Ranges(Struct, frozen=True):
    """One part of the answer to a transaction."""

    response_range: Range = Range()


class Txn(Struct, frozen=True):
    """The answer to a transaction."""

    header: Header
    succeeded: bool = False
    responses: list[Ranges] = []


class Event(Struct, frozen=True):
    """One key that was put or deleted."""

    kv: KeyValue
    type: str = "PUT"


class WatchResponse(Struct, frozen=True):
    """All events of one revision, or of several whole ones; or the end of a watch."""

    canceled: bool = False
    compact_revision: int = 0
    cancel_reason: str = ""
    events: list[Event] = []


class _Token(Struct, frozen=True):
    token: str


class _Failure(Struct, frozen=True):
    message: str = ""


class _Line(Struct, frozen=True):
    result: WatchResponse | None = None
    error: _Failure | None = None


Answer = TypeVar("Answer")


class Gateway:
    """A client of one endpoint.

    Parameters
    ----------
    endpoint : str
        ``http://HOST:PORT`` or ``https://HOST:PORT``.
    login : (str, str), optional
        The user and the password.
    tls : ssl.SSLContext, optional
    timeout : float
        The seconds that an answer may take, from the connection to its last byte.
    """

    def __init__(
        self,
        endpoint: str,
        login: tuple[str, str] | None,
        tls: ssl.SSLContext | None,
        timeout: float,
    ) -> None:
        self.endpoint, self._login, self._timeout = endpoint, login, timeout
        self._headers: dict[str, str] = {}
        self._client = web.connect(verify=tls or False)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def ask(self, path: str, body: Mapping[str, Any], kind: type[Answer]) -> Answer:
        """Ask a question.

        Raises
        ------
        OSError
            No connection, no answer in time (TimeoutError), refused by etcd (PermissionError for
            a login or a permission).
        RVHError
            The answer is not etcd's.
        """
        if self._login is not None and not self._headers:
            await self._authenticate()
        answer = await self._post(path, body)
        if answer.status == UNAUTHORIZED and self._login is not None:  # tokens end
            await self._authenticate()
            answer = await self._post(path, body)
        if answer.status != httpx.codes.OK:
            raise self._failure(path, answer)
        return self._decoded(path, answer.data, kind)

    async def watch(
        self, ranges: Sequence[Mapping[str, Any]], revision: int
    ) -> AsyncGenerator[WatchResponse, None]:
        """Watch ranges of keys from a revision on, one watch each, until it is closed.

        Raises
        ------
        OSError, RVHError
            As `ask`; the end of the stream is a ConnectionError.
        """
        path = "/v3/watch"
        body = b"".join(
            msgspec.json.encode({"create_request": {**each, "start_revision": revision}})
            for each in ranges
        )
        pending = bytearray()
        try:
            async with self._client.stream(
                "POST", self.endpoint + path, content=body, headers=self._headers
            ) as response:
                if response.status_code != httpx.codes.OK:
                    raise ConnectionError(
                        f"{self.endpoint} refuses the watch with {response.status_code}"
                    )
                async for chunk in response.aiter_raw():
                    *lines, rest = chunk.split(b"\n")
                    for line in lines:
                        yield self._response(bytes(pending + line))
                        pending.clear()
                    pending += rest
                    if len(pending) > MAX_BYTES:
                        raise RVHError(f"{self.endpoint}: a change has more than {MAX_BYTES} bytes")
        except httpx.HTTPError as error:
            raise ConnectionError(f"{self.endpoint}: {web.reason_of(error)}") from error
        raise ConnectionError(f"{self.endpoint} has ended the watch")

    def _response(self, line: bytes) -> WatchResponse:
        found = self._decoded("/v3/watch", line, _Line)
        if found.result is None:
            reason = found.error.message if found.error else show(line)
            raise ConnectionError(f"{self.endpoint} has ended the watch: {reason}")
        return found.result

    async def _authenticate(self) -> None:
        path = "/v3/auth/authenticate"
        assert self._login is not None
        self._headers.clear()
        name, password = self._login
        answer = await self._post(path, {"name": name, "password": password})
        if answer.status != httpx.codes.OK:
            raise PermissionError(
                f"{self.endpoint} refuses the user {show(name)}: {_message(answer.data)}: check "
                "the user and the password, and that etcd has authentication enabled"
            )
        self._headers["Authorization"] = self._decoded(path, answer.data, _Token).token

    async def _post(self, path: str, body: Mapping[str, Any]) -> web.Answer:
        data = msgspec.json.encode(body)
        try:
            async with web.within(self._timeout, self.endpoint):
                return await web.get(
                    self._client, self.endpoint + path, self._headers, MAX_BYTES, data
                )
        except (ConnectionError, TimeoutError) as error:
            raise type(error)(f"{self.endpoint}: {error}") from error

    def _decoded(self, path: str, data: bytes, kind: type[Answer]) -> Answer:
        try:
            return msgspec.json.decode(data, type=kind, strict=False)
        except web.NO_JSON as error:
            raise RVHError(
                f"{self.endpoint}{path} has not answered as etcd does: it begins "
                f"{show(data[:40])} ({error}): is it etcd 3.4 or later?"
            ) from None

    def _failure(self, path: str, answer: web.Answer) -> OSError:
        what = f"{self.endpoint}{path} answers {answer.status}: {_message(answer.data)}"
        if answer.status in (UNAUTHORIZED, FORBIDDEN) or "user name is empty" in what:
            return PermissionError(
                f"{what}: name a user and a password that may read the keys and KEY.accepted"
            )
        return ConnectionError(what)


def _message(data: bytes) -> str:
    try:
        return msgspec.json.decode(data, type=_Failure).message
    except web.NO_JSON:
        return show(data.decode("utf-8", "replace").strip(), 120)
