"""Node sets that follow one elsewhere: a snapshot told as messages, and made again from them.

Clients in local mode follow a server by these messages, and so do the workers of `rvh serve` their
parent. What is told are all members with the weights that keys are placed by, and a fingerprint to
check the result against. A secret is never told.
"""

from __future__ import annotations

from typing import Any

from rvh.errors import RVHError
from rvh.membership import NodeMeta, Snapshot, Status
from rvh.membership.sources.protocol import SAME, Refused, State, Update
from rvh.rpc.messages import message

__all__ = ["Mirror", "digest_told", "node_message", "node_of", "tell", "tell_age"]

#: the members of NodeMeta that are fields of the same name in a message
FIELDS = ("address", "zone", "rack", "geohash", "stake", "capacity", "rtt")
STATUSES: dict[Status, int] = {
    Status.ALIVE: 1,
    Status.SUSPECT: 2,
    Status.DRAINING: 3,
    Status.DEAD: 4,
}
_STATUS_OF = {number: status for status, number in STATUSES.items()}


def node_message(node: NodeMeta, weight: float | None) -> Any:
    """Make the message of a node that has this weight among the others."""
    told = {field: getattr(node, field) for field in FIELDS}
    return message("rvh.v1.Node")(
        id=node.id, weight=weight, status=STATUSES[node.status], labels=node.labels, **told
    )


def node_of(node: Any) -> NodeMeta:
    """Make a node of its message."""
    told = {field: getattr(node, field) for field in FIELDS if node.HasField(field)}
    weight = node.weight if node.HasField("weight") else None
    if node.status not in _STATUS_OF:
        raise RVHError(
            f"node {node.id!r} has the status {node.status}, which this version of rvh does not "
            "know: update it"
        )
    return NodeMeta(
        node.id, weight=weight, status=_STATUS_OF[node.status], labels=dict(node.labels), **told
    )


def tell(after: Snapshot, before: Snapshot | None = None) -> Any:
    """Make the message of a snapshot: all of it, or what has changed since another."""
    told = tell_age(after)
    weights, members = after.weights or {}, after.members
    told.whole = before is None
    if before is not None:
        old, old_weights = {node.id: node for node in before.members}, before.weights or {}
        told.left.extend(node for node in old if node not in after)
        members = tuple(
            node
            for node in members
            if old.get(node.id) != node or old_weights.get(node.id) != weights.get(node.id)
        )
    told.nodes.extend(node_message(node, weights.get(node.id)) for node in members)
    return told


def tell_age(snapshot: Snapshot) -> Any:
    """Make the message that a snapshot is still the current one."""
    return message("rvh.v1.WatchNodesResponse")(
        epoch=snapshot.epoch,
        fingerprint=snapshot.fingerprint,
        scheme=snapshot.nodes.scheme,
        keyed=bool(snapshot.nodes.secret),
        digest=digest_told(snapshot),
        age=snapshot.age,
    )


def digest_told(snapshot: Snapshot) -> str:
    """Name all that is told of a snapshot: its nodes, and the weights they have here."""
    return snapshot.digest + snapshot.fingerprint


class Mirror:
    """Makes the words of a source (`rvh.membership.Source`) of the messages of `tell`.

    Parameters
    ----------
    scheme : str
        That of the membership which listens.
    """

    def __init__(self, scheme: str) -> None:
        self._scheme = scheme
        self._nodes: dict[str, NodeMeta] = {}
        self.digest = ""  # of the last state, to be told nothing that is known
        self._fingerprint = ""

    def hear(self, told: Any) -> Update:
        """Take a message."""
        if told.scheme != self._scheme:
            return Refused(
                RVHError(
                    f"the source places keys by the scheme {told.scheme!r}, and this side by "
                    f"{self._scheme!r}: give both the same"
                )
            )
        is_known = (told.digest, told.fingerprint) == (self.digest, self._fingerprint)
        if is_known and not (told.whole or told.nodes or told.left):
            return SAME
        if told.whole:
            self._nodes = {}
        for node in told.left:
            self._nodes.pop(node, None)
        try:
            self._nodes.update((node.id, node_of(node)) for node in told.nodes)
        except RVHError as error:
            self.digest = ""
            return Refused(error)
        self.digest, self._fingerprint = told.digest, told.fingerprint
        return State([*self._nodes.values()], told.epoch, fingerprint=told.fingerprint)
