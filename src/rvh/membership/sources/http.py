"""A document of nodes behind a URL, asked for again and again.

The server's validators (ETag and Last-Modified, RFC 9110, section 8.8) save the transfer of what
has not changed.
"""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import AsyncIterator, Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import httpx

from rvh._arguments.numbers import positive_seconds
from rvh.errors import RVHError, show
from rvh.membership.documents import FORMATS, MAX_BYTES, format_of, read_document
from rvh.membership.sources import web, without_secrets
from rvh.membership.sources.protocol import SAME, Refused, State, Update
from rvh.membership.sources.urls import parse, seconds, text

__all__ = ["HTTPSource", "from_url"]

FORM = (
    "https://[USER:PASSWORD@]HOST[:PORT]/PATH[?QUERY]"
    "[#interval=SECONDS&timeout=SECONDS&token_file=PATH&ca=PATH&format=FORMAT]"
)
#: servers make validators of times in whole seconds, as nginx does its ETag: what is younger than
#: this, in seconds, may change and keep them
COARSE = 2.0


class Known(NamedTuple):
    """The last document, and the headers that ask whether it is still the same."""

    data: bytes | None = None
    validators: Mapping[str, str] = {}


class HTTPSource:
    """The nodes in a document of JSON, TOML, YAML, CSV or TSV that a web server gives out.

    Parameters
    ----------
    url : str
        ``https://HOST[:PORT]/PATH[?QUERY]`` or ``http://``. The query is the server's own. A user
        and a password in it are sent as basic authentication.
    interval : float
        The seconds between two questions; each wait is up to a tenth longer or shorter, so that a
        fleet of clients does not ask at once.
    timeout : float
        The seconds that one answer may take, from the connection to its last byte.
    token : str, optional
        A bearer token.
    token_file : str, optional
        A file with a bearer token, read anew for every question.
    headers : mapping of str to str, optional
        More headers, such as ``{"X-Api-Key": key}``.
    ca : str, optional
        A file of certificates in PEM to trust instead of those of this machine.
    format_name : str, optional
        ``json``, ``toml``, ``yaml``, ``csv`` or ``tsv``; by default the answer's Content-Type tells
        it, or the end of the path, or it is JSON.
    max_bytes : int
        The largest document, unpacked.

    Raises
    ------
    RVHError
        A part of the URL, a number or a header that is wrong.
    """

    def __init__(
        self,
        url: str,
        *,
        interval: float = 10.0,
        timeout: float = 10.0,
        token: str | None = None,
        token_file: str | None = None,
        headers: Mapping[str, str] | None = None,
        ca: str | None = None,
        format_name: str | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        default = 443 if url.startswith("https:") else 80
        parts = parse(url, FORM, port=default, allowed={}, login=True, mark="#")
        host = f"[{parts.host}]" if ":" in parts.host else parts.host
        self._url = f"{parts.scheme}://{host}:{parts.port}{_rooted(parts.path)}"
        self._name = without_secrets(url)
        self._path = parts.path.partition("?")[0]
        self._headers = {
            _header_name(name): web.checked(value, f"the header {name}")
            for name, value in (headers or {}).items()
        }
        if parts.user is not None or parts.password is not None:
            pair = f"{parts.user or ''}:{parts.password or ''}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        if token is not None:
            self._headers |= web.bearer(token)
        shown = [parts.user or parts.password, token, token_file]
        if sum(each is not None for each in shown) > 1:
            raise RVHError(f"{self.name}: pass one of a user in the URL, token and token_file")
        if format_name not in (None, *FORMATS):
            raise RVHError(f"{self.name}: the format {show(format_name)} is none of {[*FORMATS]}")
        self._token_file, self._ca, self._format = token_file, ca, format_name
        self.interval = positive_seconds(interval, "interval")
        self.timeout = positive_seconds(timeout, "timeout")
        self._max_bytes = max_bytes

    @property
    def name(self) -> str:
        """The URL without user, password and the values of its query."""
        return self._name

    @property
    def silence(self) -> float:
        """Seconds without a word after which something is wrong."""
        return 1.1 * self.interval + self.timeout + 5

    async def watch(self) -> AsyncIterator[Update]:
        """Tell the nodes of the document, and again when it changes."""
        verify = web.tls(self._ca) if self._url.startswith("https:") else False
        known = Known()
        async with web.connect(self._headers, verify) as client:
            while True:
                update, known = await self._look(client, known)
                yield update
                await asyncio.sleep(self.interval * random.uniform(0.9, 1.1))

    async def _look(self, client: httpx.AsyncClient, known: Known) -> tuple[Update, Known]:
        # After a refusal nothing is known: what was spoilt on its way is asked for in full.
        try:
            answer = await self._ask(client, known.validators)
        except RVHError as error:
            return Refused(error), Known()
        if answer.status == 304 and known.validators:
            return SAME, known
        if answer.status != 200:
            raise web.lost(answer)
        found = Known(answer.data, _validators(answer.headers))
        if found.data == known.data:
            return SAME, found
        update = self._state(answer)
        return update, Known() if isinstance(update, Refused) else found

    async def _ask(self, client: httpx.AsyncClient, known: Mapping[str, str]) -> web.Answer:
        async with web.within(self.timeout, self.name):
            headers = dict(known)
            if self._token_file is not None:
                headers |= web.bearer(web.read_secret(self._token_file))
            return await web.get(client, self._url, headers, self._max_bytes)

    def _state(self, answer: web.Answer) -> State | Refused:
        kind = answer.headers.get("Content-Type", "")
        # An error page with the status 200: the reader of JSON says what it is.
        told = "json" if "html" in kind.casefold() else format_of(kind) or format_of(self._path)
        try:
            nodes, epoch = read_document(self.name, answer.data, self._format or told or "json")
        except RVHError as error:
            return Refused(error)
        return State(nodes, epoch)


def from_url(url: str) -> HTTPSource:
    """Make the source of ``https://HOST/PATH#interval=5``; `FORM` has all parameters.

    What stands behind the # is for this library and is never sent; the query is the server's.
    """
    allowed = {
        "interval": seconds,
        "timeout": seconds,
        "token_file": text,
        "ca": text,
        "format": text,
    }
    given = parse(url, FORM, port=0, allowed=allowed, login=True, mark="#").query
    if "format" in given:
        given["format_name"] = given.pop("format")
    return HTTPSource(url.partition("#")[0], **given)


def _rooted(path: str) -> str:
    return path if path.startswith("/") else "/" + path


def _validators(headers: httpx.Headers) -> dict[str, str]:
    """The headers that ask whether a document is still the same; none where that is not sure."""
    etag, modified = headers.get("ETag"), headers.get("Last-Modified")
    if modified:
        try:
            age = parsedate_to_datetime(headers["Date"]) - parsedate_to_datetime(modified)
            if age.total_seconds() < COARSE:
                return {}
        except (KeyError, ValueError, TypeError):
            modified = None
    if etag:
        return {"If-None-Match": etag}
    return {"If-Modified-Since": modified} if modified else {}


def _header_name(name: str) -> str:
    if not name or set(name) & set('()<>@,;:\\"/[]?={} \t\r\n') or not name.isascii():
        raise RVHError(f"the header {show(name)} is not a header name")
    return name
