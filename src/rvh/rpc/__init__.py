"""Placement as a service: a gRPC server, and clients for it (``pip install 'rvh[rpc]'``).

`follow` keeps the nodes of a service in this process, and is the way to ask often. `Client` and
`AsyncClient` send keys to it.
"""

from __future__ import annotations

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
