"""Answers of clients, and the ids that their indices mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from rvh.errors import RVHError
from rvh.keys import node_column

__all__ = ["NOTHING", "Answer", "Known"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a service has answered.

    Parameters
    ----------
    value : object
        What the method of that name of `rvh.NodeSet` returns.
    epoch : int
        The epoch of the node set that was asked.
    fingerprint : str
        Its fingerprint: equal ones mean equal nodes, whichever server has answered.
    """

    value: T
    epoch: int
    fingerprint: str


class Known(NamedTuple):
    """The ids of one node set, shape (N,), in the order of indices.

    A request names the fingerprint, and its response is read with the same ids: whatever other
    threads learn meanwhile does not matter.
    """

    fingerprint: str
    ids: NDArray[Any]
    names: list[Any]  # the same as a list

    def or_new(self, fingerprint: str, nodes: Sequence[str]) -> Known:
        """Return the ids that a response to such a request means; `nodes` are those it has."""
        if nodes:
            ids = node_column(list(nodes))[1]
            return Known(fingerprint, ids, ids.tolist())
        if fingerprint != self.fingerprint:
            raise RVHError(
                f"the server has answered by the nodes {fingerprint[:16]}... without "
                "their ids: it is not rvh serve, or a gateway has changed the request"
            )
        return self


#: before the first answer
NOTHING = Known("", np.empty(0, dtype="U1"), [])
