"""The endpoints of a Kubernetes service: its EndpointSlices, listed and then watched.

The API is that of https://kubernetes.io/docs/reference/using-api/api-concepts/ and
https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/ (discovery.k8s.io/v1).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec
from msgspec import Meta, Struct

from rvh.errors import RVHError, show
from rvh.membership.documents import MAX_BYTES
from rvh.membership.meta import NodeMeta, Status
from rvh.membership.sources import web
from rvh.membership.sources.kubeconfig import Access, find_access
from rvh.membership.sources.protocol import SAME, Refused, State, Update
from rvh.membership.sources.urls import parse, text

__all__ = ["IDS", "KubernetesSource", "from_url", "nodes_of"]

FORM = (
    "k8s://NAMESPACE/SERVICE[?port=NAME&id=name|hostname|node|address&family=IPv4|IPv6"
    "&context=NAME&kubeconfig=PATH]"
)
#: objects in one page of a list
PAGE = 500
#: the least time between two watches that end at once
PACE = 1.0
#: which of several endpoints of one id is taken: the first here
BEST = (Status.ALIVE, Status.DRAINING, Status.DEAD)
FAMILIES = ("IPv4", "IPv6", "FQDN")

T = TypeVar("T")


class Reference(Struct, gc=False):
    """The object that an endpoint stands for."""

    name: str | None = None


class Conditions(Struct, gc=False, frozen=True):
    """What is known of an endpoint; null is as its documentation says."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None

    @property
    def status(self) -> Status:
        """Ready is alive, also where the service publishes what is not ready."""
        if self.ready is not False:
            return Status.ALIVE
        if self.terminating and self.serving is not False:
            return Status.DRAINING
        return Status.DEAD


class Endpoint(Struct, gc=False, rename="camel"):
    """One endpoint of a slice."""

    addresses: Annotated[list[str], Meta(min_length=1)]
    conditions: Conditions = Conditions()
    hostname: str | None = None
    target_ref: Reference | None = None
    node_name: str | None = None
    zone: str | None = None


class Port(Struct, gc=False):
    """One port that all endpoints of a slice have."""

    name: str | None = None
    port: int | None = None


class ObjectMeta(Struct, gc=False, rename="camel"):
    """The name of an object, and its version."""

    name: str = ""
    resource_version: str = ""


class Slice(Struct, gc=False, rename="camel"):
    """An EndpointSlice."""

    metadata: ObjectMeta
    address_type: str
    endpoints: list[Endpoint] | None = None
    ports: list[Port] | None = None


class Named(Struct):
    """Any object."""

    metadata: ObjectMeta


class Page(Struct):
    """A page of a list."""

    metadata: dict[str, Any]
    items: list[msgspec.Raw] | None = None


class Event(Struct):
    """A line of a watch."""

    type: str
    object: msgspec.Raw


class Failure(Struct):
    """The object of an ERROR event, a Status."""

    code: int = 0
    message: str = ""


class GoneError(Exception):
    """The server has forgotten the version that was asked for."""


#: what may name an endpoint, by the parameter id
IDS: dict[str, Callable[[Endpoint], str | None]] = {
    "name": lambda each: (each.target_ref or Reference()).name or each.hostname,
    "hostname": lambda each: each.hostname,
    "node": lambda each: each.node_name,
    "address": lambda each: each.addresses[0],
}


class KubernetesSource:
    """The endpoints of a service.

    Parameters
    ----------
    namespace, service : str
    port : str, optional
        The name or number of the port for the addresses; it can be omitted where there is one.
    id : str
        What names a node: ``name``, the name of the pod or of what else the endpoint stands for, or
        else its hostname; ``hostname``; ``node``, the machine, for a DaemonSet; ``address``, which
        changes when a pod restarts and then moves its keys.
    family : str, optional
        ``IPv4`` or ``IPv6``: take only slices of these. By default a node that has both is
        reached by IPv4.
    context, kubeconfig : str, optional
        As for kubectl; by default KUBECONFIG, the account of the pod that this runs in, or
        ``~/.kube/config``.
    access : Access, optional
        The cluster, instead of these.
    watch_seconds : int
        How long one watch lasts. When it ends, the server has confirmed the state.
    timeout : float
        How many seconds later than it should the server may answer.

    Raises
    ------
    RVHError
        A parameter that is not known.
    """

    def __init__(
        self,
        namespace: str,
        service: str,
        *,
        port: str | None = None,
        id: str = "name",  # noqa: A002  # as the parameter of the URL
        family: str | None = None,
        context: str | None = None,
        kubeconfig: str | None = None,
        access: Access | None = None,
        watch_seconds: int = 30,
        timeout: float = 10.0,
    ) -> None:
        self.name = f"k8s://{namespace}/{service}"
        if id not in IDS:
            raise RVHError(f"{self.name}: id is {show(id)}: choose one of {', '.join(IDS)}")
        if family not in (None, *FAMILIES[:2]):
            raise RVHError(f"{self.name}: family is {show(family)}: choose IPv4 or IPv6")
        self._path = (
            f"/apis/discovery.k8s.io/v1/namespaces/{quote(namespace, safe='')}/endpointslices"
        )
        self._selector = f"kubernetes.io/service-name={service}"
        self._port, self._id, self._family = port, id, family
        self._access, self._kubeconfig, self._context = access, kubeconfig, context
        self.watch_seconds, self.timeout = watch_seconds, timeout

    @property
    def silence(self) -> float:
        """Seconds without a word after which something is wrong."""
        return self.watch_seconds + 2 * self.timeout + PACE

    async def watch(self) -> AsyncIterator[Update]:
        """List the slices, and watch them from there on; list them anew when that is forgotten."""
        access = self._access or find_access(self._kubeconfig, self._context)
        loop = asyncio.get_running_loop()
        async with web.connect(verify=access.verify()) as client:
            while True:
                slices, version = await self._list(client, access)
                yield self._state(slices, version)
                try:
                    while True:
                        began = loop.time()
                        async with aclosing(self._events(client, access, version)) as watched:
                            async for events in watched:
                                for event in events:
                                    version = self._apply(event, slices) or version
                                is_change = any(event.type != "BOOKMARK" for event in events)
                                yield self._state(slices, version) if is_change else SAME
                        yield SAME
                        await asyncio.sleep(began + PACE - loop.time())
                except GoneError:
                    await asyncio.sleep(began + PACE - loop.time())

    async def _list(
        self, client: httpx.AsyncClient, access: Access
    ) -> tuple[dict[str, Slice | RVHError], str]:
        slices: dict[str, Slice | RVHError] = {}
        query = {"limit": str(PAGE)}
        while True:
            async with web.within(self.timeout, self.name):
                url, headers = self._request(access, query)
                answer = await web.get(client, url, headers)
            if answer.status == 410 and "continue" in query:  # it took too long to turn the pages
                slices, query = {}, {}
                continue
            if answer.status != 200:
                raise web.lost(answer)
            page = self._decode(answer.data, Page)
            for item in page.items or ():
                self._put(slices, item)
            if not page.metadata.get("continue"):
                return slices, str(page.metadata.get("resourceVersion", ""))
            query = {"limit": str(PAGE), "continue": page.metadata["continue"]}

    async def _events(
        self, client: httpx.AsyncClient, access: Access, version: str
    ) -> AsyncGenerator[list[Event], None]:
        """The events of one watch, those that came at once together."""
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(self.watch_seconds),
        }
        waiting = bytearray()
        patience = self.watch_seconds + self.timeout
        async with web.within(self.timeout, self.name):
            url, headers = self._request(access, query)
            headers["Accept-Encoding"] = "identity"
            response = await client.send(
                client.build_request("GET", url, headers=headers), stream=True
            )
        try:
            if response.status_code == 410:
                raise GoneError
            if response.status_code != 200:
                async with web.within(self.timeout, self.name):
                    raise web.lost(await web.read(response))
            chunks = response.aiter_raw()
            while True:
                async with web.within(patience, self.name):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                waiting += chunk
                whole, newline, rest = waiting.rpartition(b"\n")
                if len(rest) > MAX_BYTES:
                    raise RVHError(f"{self.name}: an event has more than {MAX_BYTES} bytes")
                if newline:
                    waiting = rest
                    yield [self._decode(line, Event) for line in whole.split(b"\n") if line.strip()]
        finally:
            await response.aclose()

    def _request(self, access: Access, query: dict[str, str]) -> tuple[str, dict[str, str]]:
        asked = urlencode({"labelSelector": self._selector, **query})
        return f"{access.server}{self._path}?{asked}", access.headers()

    def _apply(self, event: Event, slices: dict[str, Slice | RVHError]) -> str:
        """Change the slices as an event says, and return the version that they have now."""
        if event.type == "ERROR":
            failure = self._decode(event.object, Failure)
            if failure.code == 410:
                raise GoneError
            raise ConnectionError(f"the watch ended: {failure.code} {show(failure.message, 200)}")
        meta = self._decode(event.object, Named).metadata
        if event.type in ("ADDED", "MODIFIED"):
            self._put(slices, event.object)
        elif event.type == "DELETED":
            slices.pop(meta.name, None)
        elif event.type != "BOOKMARK":
            raise RVHError(f"{self.name}: the event {show(event.type)} is not known")
        return meta.resource_version

    def _put(self, slices: dict[str, Slice | RVHError], data: msgspec.Raw) -> None:
        # One that cannot be read stays in the way of every state until it is mended or deleted.
        name = self._decode(data, Named).metadata.name
        try:
            slices[name] = self._decode(data, Slice)
        except RVHError as error:
            slices[name] = error

    def _decode(self, data: Any, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(data, type=kind)
        except web.NO_JSON as error:
            what = kind.__name__.lower()
            raise RVHError(f"{self.name}: the answer is not a Kubernetes {what}: {error}") from None

    def _state(self, slices: dict[str, Slice | RVHError], version: str) -> Update:
        try:
            for each in slices.values():
                if isinstance(each, RVHError):
                    raise each
            sound = (each for _, each in sorted(slices.items()) if isinstance(each, Slice))
            nodes = nodes_of(sound, self._port, self._id, self._family)
        except RVHError as error:
            return Refused(RVHError(f"{self.name}: {str(error).removeprefix(self.name + ': ')}"))
        if not slices:
            return Refused(
                RVHError(
                    f"{self.name}: no EndpointSlice has the label {self._selector}: are the "
                    "namespace and the name of the service right?"
                )
            )
        return State(nodes, int(version) if version.isascii() and version.isdecimal() else None)


def from_url(url: str) -> KubernetesSource:
    """Make the source of ``k8s://NAMESPACE/SERVICE``; `FORM` has all parameters."""
    names = ("port", "id", "family", "context", "kubeconfig")
    parts = parse(url, FORM, port=None, allowed=dict.fromkeys(names, text))
    if len(parts.segments) != 1:
        raise RVHError(f"the source {show(url)} does not name one service; its form is {FORM}")
    return KubernetesSource(parts.host, parts.segments[0], **parts.query)


def nodes_of(
    slices: Iterable[Slice], port: str | None, named_by: str, family: str | None
) -> list[NodeMeta]:
    """Join the endpoints of all slices of a service.

    A pod may be in several slices: with IPv4 and with IPv6, and for a moment when it moves from
    one to another. Endpoints of one id are one node, that which is best: alive before draining
    before dead, then IPv4 before IPv6, then by the name of the slice.

    Raises
    ------
    RVHError
        An endpoint without a name, a port that has to be chosen or is not there.
    """
    found: dict[str, tuple[tuple[int, int, str], NodeMeta]] = {}
    ports: set[str] = set()
    is_left_out = False
    for each in slices:
        if not each.endpoints or family not in (None, each.address_type):
            continue
        number = _number(each, port)
        if number is None:
            ports.update(_names(each))
            is_left_out = True
            continue
        for endpoint in each.endpoints:
            name = IDS[named_by](endpoint)
            if not name:
                what = "name of a pod, and no hostname" if named_by == "name" else named_by
                raise RVHError(
                    f"the endpoint {show(endpoint.addresses)} of {each.metadata.name} has no "
                    f"{what}: choose another ?id=, such as ?id=address, with which a new address "
                    "is a new node"
                )
            status = endpoint.conditions.status
            node = NodeMeta(
                name,
                address=_address(endpoint.addresses[0], number),
                status=status,
                zone=endpoint.zone or None,
                labels={"node": endpoint.node_name} if endpoint.node_name else {},
            )
            family_rank = FAMILIES.index(each.address_type) if each.address_type in FAMILIES else 9
            rank = (BEST.index(status), family_rank, each.metadata.name)
            if name not in found or rank < found[name][0]:
                found[name] = rank, node
    if is_left_out and not found:
        raise RVHError(f"no slice has the port {show(port)}: there are {', '.join(sorted(ports))}")
    return [node for _, node in found.values()]


def _names(each: Slice) -> list[str]:
    return [one.name or str(one.port) for one in each.ports or ()]


def _number(each: Slice, port: str | None) -> int | None:
    """The number of the port, 0 for none; None where the slice has not got the one asked for."""
    ports = each.ports or []
    if port is None:
        if len(ports) > 1:
            raise RVHError(
                f"{each.metadata.name} has the ports {', '.join(_names(each))}: choose ?port="
            )
        return (ports[0].port or 0) if ports else 0
    return next((one.port for one in ports if port in (one.name, str(one.port))), None)


def _address(address: str, port: int) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"{host}:{port}" if port else address
