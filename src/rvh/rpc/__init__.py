"""Placement as a service: a gRPC server, and clients for it (``pip install 'rvh[rpc]'``).

`follow` keeps the nodes of a service in this process, and is the way to ask often. `Client` and
`AsyncClient` send keys to it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rvh.rpc.aio import AsyncClient
    from rvh.rpc.answer import Answer
    from rvh.rpc.answering import Limits
    from rvh.rpc.channels import Tls
    from rvh.rpc.client import Client
    from rvh.rpc.local import WatchNodes, follow
    from rvh.rpc.problems import ServiceError
    from rvh.rpc.server import Server
    from rvh.rpc.tls import ServerTls

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "Limits",
    "Server",
    "ServerTls",
    "ServiceError",
    "Tls",
    "WatchNodes",
    "follow",
]

#: the module of each name. It is loaded once the name is asked for: the parent of several
#: processes needs no gRPC
HOMES = {
    "Answer": "answer",
    "AsyncClient": "aio",
    "Client": "client",
    "Limits": "answering",
    "Server": "server",
    "ServerTls": "tls",
    "ServiceError": "problems",
    "Tls": "channels",
    "WatchNodes": "local",
    "follow": "local",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"rvh.rpc.{HOMES[name]}"), name)
    return found
