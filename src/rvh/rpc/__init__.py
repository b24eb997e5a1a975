"""Placement as a service: a gRPC server, and clients for it (``pip install 'rvh[rpc]'``)."""
