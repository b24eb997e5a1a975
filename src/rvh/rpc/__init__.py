"""Placement as a service: a gRPC server, and clients for it (``pip install 'rvh[rpc]'``)."""

from __future__ import annotations

from rvh.rpc.answering import Limits
from rvh.rpc.server import Server

__all__ = ["Limits", "Server"]
