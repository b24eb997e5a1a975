"""The instances of a Consul service and their health, by blocking queries.

The queries are those of https://developer.hashicorp.com/consul/api-docs/health#list-service-instances-for-service
and the rules of their index those of
https://developer.hashicorp.com/consul/api-docs/features/blocking#implementation-details.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Iterable
from urllib.parse import quote, urlencode

import httpx
import msgspec
from msgspec import Struct

from rvh.errors import RVHError, show
from rvh.membership.meta import NodeMeta, Status
from rvh.membership.sources import web
from rvh.membership.sources.protocol import SAME, Refused, State, Update
from rvh.membership.sources.urls import Parts, flag, parse, seconds, text

__all__ = ["IDS", "ConsulSource", "from_url", "nodes_of"]

FORM = (
    "consul://HOST[:8500]/SERVICE[?tag=TAG&dc=DATACENTER&ns=NAMESPACE&id=service|node|node/service"
    "&zone=KEY&rack=KEY&weights=true&token_file=PATH&ca=PATH], or consuls://HOST[:8501]/... by TLS"
)
#: an index that changes all the time is answered this often at once, and then once in a second
BURST = 5


class Node(Struct, gc=False, rename="pascal"):
    """The machine that an instance runs on."""

    node: str
    address: str = ""
    meta: dict[str, str] | None = None


class Weights(Struct, gc=False, rename="pascal"):
    """How much an instance takes, while its checks pass."""

    passing: float = 1.0


class Service(Struct, gc=False, rename=lambda name: "ID" if name == "id" else name.title()):
    """An instance of the service."""

    id: str
    address: str = ""
    port: int = 0
    meta: dict[str, str] | None = None
    weights: Weights | None = None


class Check(Struct, gc=False, rename={"id": "CheckID", "status": "Status"}):
    """A check of an instance or of its machine."""

    id: str
    status: str

    @property
    def is_maintenance(self) -> bool:
        """Whether an operator has made it, to take the instance out."""
        return self.id == "_node_maintenance" or self.id.startswith("_service_maintenance:")


class Entry(Struct, gc=False, rename="pascal"):
    """An instance with all that is known of it."""

    node: Node
    service: Service
    checks: list[Check] | None = None


#: what the checks of an instance say, the worst first
STATUSES = {
    "critical": Status.DEAD,
    "maintenance": Status.DRAINING,
    "warning": Status.SUSPECT,
    "passing": Status.ALIVE,
}
#: what may name an instance, by the parameter id
IDS: dict[str, Callable[[Entry], str]] = {
    "service": lambda each: each.service.id,
    "node": lambda each: each.node.node,
    "node/service": lambda each: f"{each.node.node}/{each.service.id}",
}


class ConsulSource:
    """The instances of a service.

    Parameters
    ----------
    url : str
        The agent, as ``http://127.0.0.1:8500``.
    service : str
    tag, dc, ns : str, optional
        Only instances with this tag; another datacenter; another namespace.
    id : str
        What names a node: ``service``, the id of the instance; ``node``, the machine;
        ``node/service``, both.
    zone, rack : str, optional
        The key of these in the metadata of the instance, or else of its machine.
    weights : bool
        Whether the weight is that of the service while its checks pass.
    token, token_file : str, optional
        The ACL token, or a file with it, read anew for every query; by default CONSUL_HTTP_TOKEN
        or CONSUL_HTTP_TOKEN_FILE of the environment.
    ca : str, optional
        A file of certificates in PEM to trust instead of those of this machine.
    wait : float
        How many seconds a query waits for a change; its end confirms the state.
    timeout : float
        How many seconds later than it should the agent may answer.

    Raises
    ------
    RVHError
        A parameter that is wrong.
    """

    def __init__(
        self,
        url: str,
        service: str,
        *,
        tag: str | None = None,
        dc: str | None = None,
        ns: str | None = None,
        id: str = "service",  # noqa: A002  # as the parameter of the URL
        zone: str | None = None,
        rack: str | None = None,
        weights: bool = False,
        token: str | None = None,
        token_file: str | None = None,
        ca: str | None = None,
        wait: float = 30.0,
        timeout: float = 10.0,
    ) -> None:
        parts = _agent(url)
        host = f"[{parts.host}]" if ":" in parts.host else parts.host
        kind = "consuls" if parts.scheme == "https" else "consul"
        self.name = f"{kind}://{host}:{parts.port}/{service}"
        if id not in IDS:
            raise RVHError(f"{self.name}: id is {show(id)}: choose one of {', '.join(IDS)}")
        if tag is not None and re.search(r'["\\]', tag):
            raise RVHError(f"{self.name}: tag is {show(tag)}: a tag has no quotes")
        if token is not None and token_file is not None:
            raise RVHError(f"{self.name}: pass one of token and token_file")
        if token is None and token_file is None:
            token_file = os.environ.get("CONSUL_HTTP_TOKEN_FILE")
            token = None if token_file else os.environ.get("CONSUL_HTTP_TOKEN")
        self._token = web.checked(token, "the token") if token else None
        self._token_file, self._ca = token_file, ca
        self._path = (
            f"{parts.scheme}://{host}:{parts.port}/v1/health/service/{quote(service, safe='')}"
        )
        only = None if tag is None else f'"{tag}" in Service.Tags'
        asked = {"dc": dc, "ns": ns, "filter": only}
        self._query = {name: value for name, value in asked.items() if value is not None}
        self._service, self._id, self._zone, self._rack = service, id, zone, rack
        self._weights, self.wait, self.timeout = weights, wait, timeout

    @property
    def silence(self) -> float:
        """Seconds without a word after which something is wrong."""
        return self._patience + BURST

    @property
    def _patience(self) -> float:
        return self.wait * (1 + 1 / 16) + self.timeout  # the agent adds up to a sixteenth

    async def watch(self) -> AsyncIterator[Update]:
        """Ask for the instances, and then for each change of the index."""
        verify = web.tls(self._ca) if self._path.startswith("https:") else False
        loop = asyncio.get_running_loop()
        index, told, allowed, asked_at = 0, -1, float(BURST), loop.time()
        async with web.connect(verify=verify) as client:
            while True:
                allowed = min(allowed + loop.time() - asked_at, BURST)
                if allowed < 1:
                    await asyncio.sleep(1 - allowed)
                    allowed = 1.0
                asked_at = loop.time()
                allowed -= 1
                answer = await self._ask(client, index)
                found = _index(answer.headers.get("X-Consul-Index", ""))
                if found is None:
                    yield Refused(
                        RVHError(f"{self.name}: the answer has no X-Consul-Index: is it Consul?")
                    )
                elif found < index:  # it was restored from a backup, for one: begin again
                    index, told = 0, -1
                    continue
                elif found == told:
                    index = max(found, 1)
                    yield SAME
                else:
                    index, told = max(found, 1), found  # 0 would not wait
                    yield self._state(answer, found)

    async def _ask(self, client: httpx.AsyncClient, index: int) -> web.Answer:
        query = dict(self._query)
        if index:
            query |= {"index": str(index), "wait": f"{max(round(self.wait * 1000), 1)}ms"}
        async with web.within(self._patience if index else self.timeout, self.name):
            token = self._token
            if self._token_file is not None:
                token = web.checked(web.read_secret(self._token_file), "the token")
            headers = {} if token is None else {"X-Consul-Token": token}
            answer = await web.get(client, f"{self._path}?{urlencode(query)}", headers)
        if answer.status != 200:
            raise web.lost(answer)
        return answer

    def _state(self, answer: web.Answer, index: int) -> Update:
        try:
            if answer.headers.get("X-Consul-Results-Filtered-By-ACLs", "").casefold() == "true":
                raise RVHError(
                    "the token may not read all of it: give it node:read and service:read"
                )
            nodes = nodes_of(
                msgspec.json.decode(answer.data, type=list[Entry]),
                self._id,
                zone=self._zone,
                rack=self._rack,
                weights=self._weights,
            )
            if not nodes:
                raise RVHError(f"no instance of {show(self._service)} is registered")
        except web.NO_JSON as error:
            what = f"the answer is not Consul's list of instances: {error}"
            return Refused(RVHError(f"{self.name}: {what}"))
        except RVHError as error:
            return Refused(RVHError(f"{self.name}: {error}"))
        return State(nodes, index or None)


def from_url(url: str) -> ConsulSource:
    """Make the source of ``consul://HOST/SERVICE``; `FORM` has all parameters."""
    names = ("tag", "dc", "ns", "id", "zone", "rack", "token_file", "ca")
    allowed = {**dict.fromkeys(names, text), "weights": flag, "wait": seconds, "timeout": seconds}
    port, scheme = (8501, "https") if url.startswith("consuls:") else (8500, "http")
    parts = parse(url, FORM, port=port, allowed=allowed)
    if len(parts.segments) != 1:
        raise RVHError(f"the source {show(url)} does not name one service; its form is {FORM}")
    host = f"[{parts.host}]" if ":" in parts.host else parts.host
    return ConsulSource(f"{scheme}://{host}:{parts.port}", parts.segments[0], **parts.query)


def nodes_of(
    entries: Iterable[Entry],
    named_by: str = "service",
    *,
    zone: str | None = None,
    rack: str | None = None,
    weights: bool = False,
) -> list[NodeMeta]:
    """Make the nodes of the instances of a service.

    Raises
    ------
    RVHError
        Two instances of one name, an instance without a name, a check whose status is not known.
    """
    found: dict[str, Entry] = {}
    nodes = []
    for each in entries:
        name = IDS[named_by](each)
        if not name:
            raise RVHError(
                f"an instance on {show(each.node.node)} has no name: choose another ?id="
            )
        if (first := found.setdefault(name, each)) is not each:
            raise RVHError(
                f"{show(name)} is the {named_by} of two instances, {first.service.id} on "
                f"{first.node.node} and {each.service.id} on {each.node.node}: choose ?id="
                f"{' or ?id='.join(one for one in IDS if one != named_by)}"
            )
        own, machine = each.service.meta or {}, each.node.meta or {}
        nodes.append(
            NodeMeta(
                name,
                address=_address(each.service.address or each.node.address, each.service.port),
                status=_status(each),
                weight=(each.service.weights or Weights()).passing if weights else None,
                zone=(zone and (own.get(zone) or machine.get(zone))) or None,
                rack=(rack and (own.get(rack) or machine.get(rack))) or None,
                labels={**own, "node": each.node.node},
            )
        )
    return nodes


def _status(each: Entry) -> Status:
    """The worst of all checks; that of a maintenance is critical itself."""
    checks = each.checks or []
    found = {"maintenance" if check.is_maintenance else check.status for check in checks}
    if unknown := found.difference(STATUSES):
        check = next(check for check in checks if check.status in unknown)
        raise RVHError(
            f"the check {show(check.id)} of {each.service.id} on {each.node.node} is "
            f"{show(check.status)}: passing, warning and critical are known"
        )
    return next((STATUSES[name] for name in STATUSES if name in found), Status.ALIVE)


def _index(value: str) -> int | None:
    return int(value) if re.fullmatch(r"\d{1,20}", value, re.ASCII) else None


def _agent(url: str) -> Parts:
    form = "http://HOST:8500 or https://HOST:8501"
    parts = parse(url, form, port=8501 if url.startswith("https:") else 8500, allowed={})
    if parts.scheme not in ("http", "https") or parts.segments:
        raise RVHError(f"the agent {show(url)} is not of the form {form}")
    return parts


def _address(host: str, port: int) -> str | None:
    host = f"[{host}]" if ":" in host else host
    return (f"{host}:{port}" if port else host) or None
