"""Rendezvous hashing for whole arrays: the nodes of millions of keys in one call.

>>> import rvh
>>> rvh.select_batch(["alpha", "beta", "gamma"], ["txn-42", "txn-41"])
array([['gamma'],
       ['beta']], dtype='<U5')
"""

from rvh._backend import backend
from rvh._version import __version__
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
