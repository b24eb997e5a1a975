"""A server over nodes that a test changes, and calls of it with classes of the descriptor set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from scripted import Scripted

from rvh.membership import Membership, NodeMeta
from rvh.rpc import Server
from rvh.rpc.messages import SELECTION, message, methods

__all__ = ["NODES", "calls_of", "refusal", "serving"]

NODES = [NodeMeta(f"node-{n}", zone=f"zone-{n % 3}", weight=1.0 + n % 2) for n in range(12)]


@contextmanager
def serving(
    nodes: str | Sequence[NodeMeta] = NODES, *, scheme: str = "murmur", **options: Any
) -> Iterator[tuple[Server, Membership, Scripted]]:
    """A server of this process; `Scripted.say` changes its nodes."""
    source = Scripted(nodes if isinstance(nodes, str) else list(nodes))
    with Membership(source, scheme=scheme) as membership, Server(membership, **options) as server:
        yield server, membership, source


def calls_of(channel: grpc.Channel, service: str = SELECTION) -> Any:
    """The methods of a service as a generated stub would have them."""

    class Stub:
        pass

    stub: Any = Stub()
    for method in methods(service):
        kinds = ("unary", "stream")
        make = getattr(channel, f"{kinds[method.takes_stream]}_{kinds[method.gives_stream]}")
        call = make(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        setattr(stub, method.name, call)
    return stub


def refusal(call: Any, request: Any) -> tuple[str, str, str]:
    """The status, the text, and the field that the details name."""
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    error: Any = caught.value
    found = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
    status = message("google.rpc.Status").FromString(found)
    assert (status.code, status.message) == (error.code().value[0], error.details())
    field = ""
    for detail in status.details:
        bad = message("google.rpc.BadRequest")()
        assert detail.Unpack(bad)
        field = bad.field_violations[0].field
    return error.code().name, error.details(), field
