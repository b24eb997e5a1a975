"""Nodes in DNS: SRV records, or the addresses of a name.

The names are absolute: no search domain is tried, and ``/etc/hosts`` is not read. An answer that
does not fit into a datagram is asked for again over TCP.

Source: RFC 2782 (SRV), RFC 1035 (truncation, time to live), RFC 2308 (negative answers).
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from dns.asyncresolver import Resolver

from rvh._arguments.numbers import positive_seconds
from rvh.errors import RVHError, show
from rvh.membership.meta import NodeMeta
from rvh.membership.sources.protocol import SAME, Refused, State, Update
from rvh.membership.sources.urls import parse, seconds

__all__ = ["AddressSource", "DnsSource", "SrvSource", "from_url"]

SRV_FORM = "srv://_SERVICE._PROTOCOL.DOMAIN[?resolver=ADDRESS[:PORT],...]"
ADDRESS_FORM = "dns://NAME:PORT?id=address[&type=AAAA][&resolver=ADDRESS[:PORT],...]"


class DnsSource:
    """What both sources have in common: a question, asked again when the answer is too old.

    No number of DNS could be the version of a state. The serial of a zone is cached apart from its
    records, so that one serial would go with two states. Compare fingerprints.

    Parameters
    ----------
    query : str
        The name that is asked for.
    resolvers : sequence of str
        Addresses of resolvers, ``10.0.0.2`` or ``10.0.0.2:5353``; by default those of
        ``/etc/resolv.conf``.
    least, most : float
        Bounds of the seconds after which the question is asked again. Between them the time to
        live decides. An answer that is refused is asked for again after the least.
    timeout : float
        Seconds for one question, to all of the resolvers together.

    Raises
    ------
    RVHError
        Something that is not a name, no address of a resolver, no number of seconds.
    """

    scheme = "dns"
    type = "A"

    def __init__(
        self,
        query: str,
        *,
        resolvers: Sequence[str] = (),
        least: float = 2.0,
        most: float = 60.0,
        timeout: float = 5.0,
    ) -> None:
        try:
            self.query = dns.name.from_text(query)
        except dns.exception.DNSException as error:
            raise RVHError(f"{show(query)} is not a DNS name: {error}") from None
        if isinstance(resolvers, str):
            raise RVHError(f"resolvers is the text {show(resolvers)}: pass a list")
        self.resolvers = [_resolver(each) for each in resolvers]
        self.least, self.most = positive_seconds(least, "least"), positive_seconds(most, "most")
        self.timeout = positive_seconds(timeout, "timeout")
        if least > most:
            raise RVHError(f"least={least}, most={most}: the least is not above the most")
        #: seconds without a word
        self.silence = most + 2 * timeout

    @property
    def name(self) -> str:
        """The URL of the name, without its parameters."""
        return f"{self.scheme}://{self.query.to_text(omit_final_dot=True)}"

    async def watch(self) -> AsyncIterator[Update]:
        """Tell the nodes, and ask again as soon as the answer may have changed."""
        last: list[NodeMeta] | str | None = None
        while True:
            wait = self.least
            found: list[NodeMeta] | str
            try:
                answer = await self._ask()
                found = sorted(self._nodes(answer), key=lambda node: node.id)
                wait = min(max(answer.expiration - time.time(), self.least), self.most)
            except RVHError as error:
                found = str(error)
            except dns.resolver.NXDOMAIN:
                found = f"{self.name}: there is no such name (NXDOMAIN)"
            except dns.resolver.NoAnswer:
                found = f"{self.name}: there are no {self.type} records of this name"
            if found == last:
                yield SAME
            elif isinstance(found, str):
                yield Refused(RVHError(found))
            else:
                yield State(found)
            last = found
            await asyncio.sleep(wait)

    async def _ask(self) -> Any:
        # Made anew each time, as /etc/resolv.conf may have changed.
        resolver = Resolver(configure=not self.resolvers)
        if self.resolvers:
            resolver.nameservers = self.resolvers
        resolver.lifetime = self.timeout
        # Each gets its turn in time, though those before it are silent.
        resolver.timeout = self.timeout / (len(resolver.nameservers) + 1)
        return await resolver.resolve(self.query, self.type, search=False)

    def _nodes(self, answer: Any) -> list[NodeMeta]:
        raise NotImplementedError


class SrvSource(DnsSource):
    """The targets of SRV records.

    The id of a node is the name of its target in lower case, and its address the name and the
    port. Where one target has several ports, the id has the port too.

    Parameters
    ----------
    query : str
        For example ``_memcached._tcp.example.com``.
    weights : bool
        Whether the weights of the records count; otherwise all nodes are equal.
    priority : {None, "lowest"}
        Records of several priorities are refused, or only those of the lowest are taken, as
        RFC 2782 has it; the others stand by and are no nodes.
    **options
        As for `DnsSource`.

    Examples
    --------
    >>> from rvh.membership.sources.dns import SrvSource
    >>> SrvSource("_memcached._tcp.example.com.", resolvers=["127.0.0.1:5353"]).name
    'srv://_memcached._tcp.example.com'
    """

    scheme = "srv"
    type = "SRV"

    def __init__(
        self, query: str, *, weights: bool = False, priority: str | None = None, **options: Any
    ) -> None:
        super().__init__(query, **options)
        if priority not in (None, "lowest"):
            raise RVHError(f"priority is {show(priority)}: 'lowest', or leave it out")
        self.weights, self.priority = weights, priority

    def _nodes(self, answer: Any) -> list[NodeMeta]:
        records = [*answer]
        priorities = sorted({each.priority for each in records})
        if len(priorities) > 1:
            if self.priority is None:
                raise RVHError(
                    f"{self.name}: its records have the priorities {priorities}: take those of the "
                    "lowest alone with priority=lowest, or give all the same"
                )
            records = [each for each in records if each.priority == priorities[0]]
        if any(each.target == dns.name.root for each in records):
            raise RVHError(f"{self.name}: its target is a dot: the service is not offered")
        # Weights that are all 0 mean that there is nothing to choose (RFC 2782).
        is_weighted = self.weights and any(each.weight for each in records)
        hosts = [each.target.to_text(omit_final_dot=True).lower() for each in records]
        ports = Counter(hosts)
        nodes: dict[str, NodeMeta] = {}
        for host, each in zip(hosts, records, strict=True):
            address = f"{host}:{each.port}"
            node = host if ports[host] == 1 else address
            if node in nodes:
                raise RVHError(f"{self.name}: the target {address} is there twice")
            weight = float(each.weight) if is_weighted else None
            nodes[node] = NodeMeta(node, address=address, weight=weight)
        return [*nodes.values()]


class AddressSource(DnsSource):
    """The addresses of a name, as of a headless service, which have no names themselves.

    The id of a node is its address: a node that restarts with another address is another node, and
    all of its keys move. Take `SrvSource`, or another source, where there is one with names.

    Parameters
    ----------
    query : str
        For example ``cache.default.svc.cluster.local``.
    port : int
        The port of all nodes.
    type : {"A", "AAAA"}
        IPv4 or IPv6. Both would make two nodes of each that has both.
    **options
        As for `DnsSource`.

    Examples
    --------
    >>> from rvh.membership.sources.dns import AddressSource
    >>> AddressSource("cache.default.svc.cluster.local", port=11211).name
    'dns://cache.default.svc.cluster.local:11211'
    """

    def __init__(self, query: str, port: int, *, type: str = "A", **options: Any) -> None:  # noqa: A002  # as DNS calls it
        super().__init__(query, **options)
        if type not in ("A", "AAAA"):
            raise RVHError(f"type is {show(type)}: A or AAAA")
        self.port, self.type = port, type

    @property
    def name(self) -> str:
        """The URL of the name, without its parameters."""
        return f"{super().name}:{self.port}"

    def _nodes(self, answer: Any) -> list[NodeMeta]:
        form = "{}:{}" if self.type == "A" else "[{}]:{}"
        return [
            NodeMeta(each.address, address=form.format(each.address, self.port)) for each in answer
        ]


def from_url(url: str) -> DnsSource:
    """Make the source of ``srv://...`` or ``dns://...``."""
    common = {
        "resolver": lambda value: value.split(","),
        **dict.fromkeys(("least", "most", "timeout"), seconds),
    }
    if url.startswith("srv:"):
        allowed = {"weights": _only("srv"), "priority": _only("lowest"), **common}
        parts = parse(url, SRV_FORM, port=None, allowed=allowed)
        form = SRV_FORM
    else:
        allowed = {"id": _only("address"), "type": _only("A", "AAAA"), **common}
        parts = parse(url, ADDRESS_FORM, port=0, allowed=allowed)
        form = ADDRESS_FORM
    options = dict(parts.query)
    if "resolver" in options:
        options["resolvers"] = options.pop("resolver")
    try:
        if parts.path.strip("/"):
            raise RVHError(f"there is nothing after the name, and not {show(parts.path)}")
        if url.startswith("srv:"):
            return SrvSource(parts.host, weights=bool(options.pop("weights", None)), **options)
        if not parts.port:
            raise RVHError("the port is missing")
        if options.pop("id", None) is None:
            raise RVHError(
                "addresses have no names: a node with another address would be another node, and "
                "all of its keys would move. Use srv://, or say id=address where that is meant"
            )
        return AddressSource(parts.host, parts.port, **options)
    except RVHError as error:
        raise RVHError(f"the source {show(url, 200)}: {error}; its form is {form}") from None


def _only(*choices: str) -> Any:
    def convert(value: str) -> str:
        if value not in choices:
            raise RVHError(f"is {show(value)}: {' or '.join(choices)}")
        return value

    return convert


def _resolver(text: str) -> dns.nameserver.Nameserver:
    """The resolver at an address, ``10.0.0.2``, ``10.0.0.2:5353``, ``::1`` or ``[::1]:5353``."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = text, "53"
    try:
        address = str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
        if not 0 < int(port) < 65536:
            raise ValueError
    except ValueError:
        raise RVHError(
            f"the resolver {show(text)} is not an address, such as 10.0.0.2 or 10.0.0.2:5353"
        ) from None
    return dns.nameserver.Do53Nameserver(address, int(port))
