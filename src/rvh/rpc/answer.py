"""Answers of clients, and what is the same for both clients: ids by fingerprint, and values."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from rvh.errors import RVHError
from rvh.rpc.chunks import Response

__all__ = ["Answer", "Ids"]

T = TypeVar("T")

#: node sets whose ids a client keeps
KEPT = 16


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


class Ids:
    """The ids of the node sets that were met last, by fingerprint."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, NDArray[Any]] = OrderedDict()
        self.known = ""  # of the last answer

    def learn(self, response: Response) -> NDArray[Any]:
        """Return the ids that a response means, shape (N,), in the order of its indices."""
        found = self._found
        if response.nodes is not None:
            found[response.fingerprint] = np.array(response.nodes)
            while len(found) > KEPT:
                found.popitem(last=False)
        self.known = response.fingerprint
        try:
            return found[response.fingerprint]
        except KeyError:
            raise RVHError(
                f"the server has answered by the nodes {response.fingerprint[:16]}... without "
                "their ids: it is no rvh serve, or a gateway has changed the request"
            ) from None
