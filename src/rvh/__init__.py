"""Rendezvous hashing for whole arrays: the nodes of millions of keys in one call.

>>> import rvh
>>> rvh.select_batch(["alpha", "beta", "gamma"], ["txn-42", "txn-41"])
array([['gamma'],
       ['beta']], dtype='<U5')
"""

from typing import TYPE_CHECKING, Any

from rvh._about import __version__
from rvh._backend import backend
from rvh.errors import RVHError, RVHTypeError
from rvh.nodes import NodeSet
from rvh.rendezvous import (
    arendezvous_hash,
    argassign,
    argselect_batch,
    assign,
    rendezvous_hash,
    rendezvous_scores,
    score_batch,
    select_arrow,
    select_batch,
)

__all__ = [
    "NodeSet",
    "RVHError",
    "RVHTypeError",
    "__version__",
    "arendezvous_hash",
    "argassign",
    "argselect_batch",
    "assign",
    "backend",
    "rendezvous_hash",
    "rendezvous_scores",
    "score_batch",
    "select_arrow",
    "select_batch",
]

#: public modules that `import rvh` leaves out and that need no extra: loaded when asked for
_LATER = (
    *("balanced", "cache", "cpu", "faultset", "filter", "geohash", "migration", "multi"),
    *("partitions", "report", "ring", "stable", "typing", "weighted"),
)

if not TYPE_CHECKING:  # a checker would take it for a module that has any name

    def __getattr__(name: str) -> Any:
        if name not in _LATER:
            raise AttributeError(f"module 'rvh' has no attribute {name!r}")
        from importlib import import_module

        return import_module(f"rvh.{name}")
