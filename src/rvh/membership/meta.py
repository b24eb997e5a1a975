"""What is known of a node, and what its status means for keys."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

__all__ = ["STATUSES", "NodeMeta", "Rule", "Status"]


class Status(StrEnum):
    """The state of a node; `STATUSES` says what each means."""

    ALIVE = "alive"
    SUSPECT = "suspect"
    DRAINING = "draining"
    DEAD = "dead"


class Rule(NamedTuple):
    """What a status means for a node.

    Parameters
    ----------
    selectable : bool
        Whether keys are placed on the node.
    keeps : bool
        Whether replicas that the node has stay there in a repair.
    takes : bool
        Whether a repair gives the node new replicas.
    """

    selectable: bool
    keeps: bool
    takes: bool


#: the one rule about statuses. A suspect node stays in the ranking: a doubt that may be withdrawn
#: moves no key. A draining node leaves it at once, but what it has stays until it has been copied.
STATUSES: dict[Status, Rule] = {
    Status.ALIVE: Rule(selectable=True, keeps=True, takes=True),
    Status.SUSPECT: Rule(selectable=True, keeps=True, takes=False),
    Status.DRAINING: Rule(selectable=False, keeps=True, takes=False),
    Status.DEAD: Rule(selectable=False, keeps=False, takes=False),
}

MAX = 1.7976931348623157e308  # the largest double: msgspec takes infinity for a number
Text = Annotated[str, Meta(min_length=1)]
Amount = Annotated[float, Meta(ge=0, le=MAX)]
Seconds = Annotated[float, Meta(gt=0, le=MAX)]


class NodeMeta(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What is known of one node.

    Only `id` decides where keys go, together with the weight. It is a name that stays when the
    node restarts elsewhere: never an address where the source has a name, since a new address
    would be a new node and move all of its keys.

    Parameters
    ----------
    id : str
        The node id, as in `rvh.NodeSet`: not empty, unique.
    address : str, optional
        Where the node is reached, for example ``"10.0.0.7:11211"``.
    status : Status
        ``alive``, ``suspect``, ``draining`` or ``dead``: see `STATUSES`.
    weight : float, optional
        0, or from 2^-1016 to 2^970. If one node of a source has a weight, all have.
    stake, capacity : float, optional
        Measures of 0 or more, in any unit, for `rvh.membership.weigh_by`.
    rtt : float, optional
        The round-trip time in seconds, above 0.
    zone, rack : str, optional
        Failure domains.
    geohash : str, optional
        Where the node is, for `rvh.geohash`.
    labels : dict of str to str
        Anything else.

    Raises
    ------
    msgspec.ValidationError
        By `msgspec.convert` and `msgspec.json.decode`; `rvh.membership.read_document` raises
        `rvh.RVHError` with the place and the value. The constructor checks nothing.

    Examples
    --------
    >>> from rvh.membership import NodeMeta
    >>> NodeMeta("cache-1", zone="eu-1").status
    <Status.ALIVE: 'alive'>
    """

    id: Text
    address: str | None = None
    status: Status = Status.ALIVE
    weight: Amount | None = None
    stake: Amount | None = None
    capacity: Amount | None = None
    rtt: Seconds | None = None
    zone: Text | None = None
    rack: Text | None = None
    geohash: Text | None = None
    labels: dict[str, str] = {}

    @property
    def rule(self) -> Rule:
        """What the status means for keys."""
        return STATUSES[self.status]
