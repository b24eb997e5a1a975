"""A snapshot: the nodes of one moment, prepared for keys. It never changes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec

from rvh._runtime.yielding import let_others_run
from rvh.errors import RVHError, RVHTypeError, show
from rvh.faultset import FaultSet, Repair
from rvh.membership.meta import NodeMeta
from rvh.membership.weighing import Weigh, given_weights
from rvh.nodes import NodeSet
from rvh.typing import Scheme

__all__ = [
    *("Options", "Snapshot", "digest_of", "in_order", "options_of", "prepare", "take_snapshot"),
]

#: kinds of domains that nodes have fields for
KINDS = ("zone", "rack")


class Options(msgspec.Struct, frozen=True):
    """How a membership makes a node set of nodes."""

    scheme: Scheme = "blake2b"
    secret: bytes = b""
    weigh: Weigh = given_weights
    #: kinds of domains that every node must have; None: those of zone and rack that all have
    domains: tuple[str, ...] | None = None


class Snapshot:
    """The nodes of one moment: all that is known of them, and the node set that they make.

    It never changes, so what is read from one snapshot fits together. Nodes are in the order of
    their ids (by their UTF-8): equal fingerprints give equal indices too.

    Examples
    --------
    >>> from rvh.membership import NodeMeta, take_snapshot
    >>> snapshot = take_snapshot([NodeMeta("b"), NodeMeta("a"), NodeMeta("c", status="dead")])
    >>> list(snapshot.nodes), snapshot.epoch, snapshot["c"].status
    (['a', 'b'], 1, 'dead')
    """

    def __init__(
        self, members: tuple[NodeMeta, ...], kept: NodeSet, nodes: NodeSet, epoch: int, digest: str
    ) -> None:
        self._members = members
        self._kept = kept  # `nodes`, and those that only keep what they have
        self._nodes = nodes
        self._epoch = epoch
        self._digest = digest
        self._confirmed = time.monotonic()  # written by the membership, as long as it is current

    @property
    def nodes(self) -> NodeSet:
        """The nodes that keys are placed on: those that are alive or suspect."""
        return self._nodes

    @property
    def members(self) -> tuple[NodeMeta, ...]:
        """All nodes of the source, in the order of their ids."""
        return self._members

    @property
    def weights(self) -> dict[str, float] | None:
        """The weight of each member that is not dead; None without weights."""
        weights = self._kept.weights
        return None if weights is None else dict(zip(self._kept, weights.tolist(), strict=True))

    @property
    def epoch(self) -> int:
        """A number that grows with every snapshot of a membership.

        It is the source's own number, where that has one which is higher than the last epoch: then
        two processes with one epoch have one fingerprint. Otherwise (the source has none, or has
        gone back) it is the last epoch and 1, counted in this process; compare fingerprints.
        """
        return self._epoch

    @property
    def fingerprint(self) -> str:
        """`NodeSet.fingerprint` of `nodes`: equal where every key is placed on the same ids."""
        return self._nodes.fingerprint

    @property
    def digest(self) -> str:
        """The hex digest (32 characters) of all that is known of all members."""
        return self._digest

    @property
    def age(self) -> float:
        """Seconds since the source confirmed this state; it grows while the source is away."""
        return time.monotonic() - self._confirmed

    @cached_property
    def faults(self) -> FaultSet:
        """All members but the dead, those that are selectable alive: for replicas and repair.

        Examples
        --------
        >>> from rvh.membership import NodeMeta, take_snapshot
        >>> zones = {"a": "eu", "b": "eu", "c": "us"}
        >>> snapshot = take_snapshot([NodeMeta(id, zone=zone) for id, zone in zones.items()])
        >>> snapshot.faults.select("user:1", k=2, spread="zone")
        ['c', 'b']
        """
        selectable = [self[node].rule.selectable for node in self._kept]
        return FaultSet(self._kept, selectable)

    def repair(
        self,
        keys: Any,
        current: Any,
        k: int,
        spread: str | Sequence[str] | None = None,
        max_per_domain: int | Sequence[int] = 1,
        *,
        strict: bool = False,
        threads: int | None = None,
    ) -> Repair:
        """Repair replicas by the rule of `STATUSES`: who keeps what it has, and who takes more.

        Parameters
        ----------
        keys, current, k, spread, max_per_domain, strict, threads
            As for `rvh.faultset.FaultSet.repair`.

        Returns
        -------
        Repair
            Replicas stay on nodes that are alive, suspect or draining. New ones go to nodes that
            are alive.

        Raises
        ------
        RVHError, RVHTypeError
            As `rvh.faultset.FaultSet.repair`.

        Examples
        --------
        >>> from rvh.membership import NodeMeta, take_snapshot
        >>> a, b, c = NodeMeta("a"), NodeMeta("b", status="draining"), NodeMeta("c", status="dead")
        >>> snapshot = take_snapshot([a, b, c, NodeMeta("d")])
        >>> snapshot.repair(["x", "y"], [["a", "b"], ["a", "c"]], k=2).nodes
        array([['b', 'a'],
               ['a', 'd']], dtype='<U1')
        """
        takes = [self[node].rule.takes for node in self._kept]
        return FaultSet(self._kept).repair(
            keys, current, k, spread, max_per_domain, taking=takes, strict=strict, threads=threads
        )

    def __getitem__(self, node: str) -> NodeMeta:
        return self._by_id[node]

    def __contains__(self, node: object) -> bool:
        return node in self._by_id

    @cached_property
    def _by_id(self) -> dict[str, NodeMeta]:
        return {node.id: node for node in self._members}

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        return (
            f"Snapshot(epoch={self._epoch}, members={len(self._members)}, "
            f"selectable={len(self._nodes)}, fingerprint={self.fingerprint[:8]}...)"
        )


def digest_of(members: Sequence[NodeMeta]) -> str:
    """Digest all that is known of nodes, which are in the order of their ids."""
    try:
        content = msgspec.json.encode(members, order="sorted")
    except UnicodeEncodeError as error:
        raise RVHError(
            f"what is known of a node has a lone surrogate, which no text of a source has: {error}"
        ) from None
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def in_order(nodes: Sequence[NodeMeta]) -> tuple[NodeMeta, ...]:
    """Sort nodes by their ids; the UTF-8 of texts is ordered as their code points are."""
    return tuple(sorted(nodes, key=_id_of))


def _id_of(node: NodeMeta) -> str:
    return node.id


def options_of(
    scheme: Scheme, secret: bytes, weigh: Weigh, domains: Sequence[str] | None
) -> Options:
    """Check the arguments that make a node set of nodes.

    Raises
    ------
    RVHError
        One that cannot be used.
    """
    NodeSet(["a"], scheme=scheme, secret=secret)  # raises the error about them
    if isinstance(domains, str):
        raise RVHTypeError(f"domains is the text {show(domains)}: pass a list, [{domains!r}]")
    if not callable(weigh):
        raise RVHTypeError(f"weigh is {show(weigh)}: pass given_weights or weigh_by(...)")
    return Options(scheme, bytes(secret), weigh, None if domains is None else tuple(domains))


def prepare(
    members: tuple[NodeMeta, ...],
    options: Options,
    epoch: int = 1,
    digest: str | None = None,
    fingerprint: str | None = None,
) -> Snapshot:
    """Make the snapshot of members in order.

    Raises
    ------
    RVHError
        No members, none that is selectable, an id that is there twice, weights that cannot be
        used, a domain that a node lacks, another fingerprint than the source's.
    """
    if not members:
        raise RVHError(
            "there are no nodes: the source has lost them, or its name is wrong; an empty list is "
            "always refused"
        )
    keeping = [node for node in members if node.rule.keeps]
    selectable = [node.rule.selectable for node in keeping]
    if not any(selectable):
        raise RVHError(f"none of the {len(members)} nodes is alive or suspect: no key has a node")
    kept = NodeSet(
        [node.id for node in keeping],
        weights=_weighed(options.weigh, keeping),
        scheme=options.scheme,
        secret=options.secret,
        domains=_domains(keeping, options.domains),
    )
    let_others_run()
    nodes = kept if all(selectable) else kept.subset(selectable)
    here = nodes.fingerprint  # worked out now, and not by the first reader
    if fingerprint not in (None, here):
        raise RVHError(
            f"the node set has the fingerprint {here[:16]}... here and {show(fingerprint[:16])}... "
            "at the source, so the two would place keys differently: give this side the secret "
            "and the scheme that the source has; a newline at the end of a secret counts"
        )
    let_others_run()
    return Snapshot(members, kept, nodes, epoch, digest_of(members) if digest is None else digest)


def take_snapshot(
    nodes: Sequence[NodeMeta],
    *,
    scheme: Scheme = "blake2b",
    secret: bytes = b"",
    weigh: Weigh = given_weights,
    domains: Sequence[str] | None = None,
) -> Snapshot:
    """Make a snapshot of nodes at hand, without a source.

    Parameters
    ----------
    nodes : sequence of NodeMeta
    scheme, secret, weigh, domains
        As for `Membership`.

    Raises
    ------
    RVHError
        As `prepare`.
    """
    return prepare(in_order(nodes), options_of(scheme, secret, weigh, domains))


def _weighed(weigh: Weigh, nodes: list[NodeMeta]) -> Any:
    """The weights of nodes; what a function of the user raises is an error about the update."""
    try:
        return weigh(nodes)
    except RVHError:
        raise
    except Exception as error:
        raise RVHError(f"weigh= has raised {type(error).__name__}: {error}") from error


def _domains(nodes: list[NodeMeta], required: tuple[str, ...] | None) -> dict[str, Any] | None:
    kinds = KINDS if required is None else required
    found: dict[str, Any] = {}
    for kind in kinds:
        labels = [getattr(node, kind) if kind in KINDS else node.labels.get(kind) for node in nodes]
        if None not in labels:
            found[kind] = labels
        elif required is not None:
            node = nodes[labels.index(None)]
            what = kind if kind in KINDS else f"label {show(kind)}"
            raise RVHError(f"node {show(node.id)} has no {what}, which domains= asks of every node")
    return found or None
