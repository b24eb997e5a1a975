"""Nodes that come and go one at a time, for those who answer from the set of them.

What is there is a dict; the `NodeSet` is made when somebody asks for it, so that ten thousand
changes in a row cost what they are, and not a set each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any, NamedTuple

from rvh import keys as _keys
from rvh._runtime.shared import Shared
from rvh.nodes import NodeSet

__all__ = ["Member", "Members"]


class Member(NamedTuple):
    """A node that is there."""

    node: Any
    weight: float | None = None  # None where nodes have none
    labels: tuple[Any, ...] = ()  # one of each kind of domain


class Members(Shared):
    """Nodes that come and go: a change that was made is seen by every call that begins after it."""

    __slots__ = ("_members", "_node_set", "_options", "_usable")

    #: None while they are those of the set
    _members: dict[bytes, Member] | None
    #: None after a change, and where no member can be selected
    _node_set: NodeSet | None
    #: how many members can be selected; None where that has to be counted
    _usable: int | None
    #: what a set of them is made with besides ids and weights; of the domains only the names count
    _options: Mapping[str, Any]

    def _start(self, node_set: NodeSet | None, **options: Any) -> None:
        """Begin with the members of a set and its options, or with none and those given."""
        self._members = {} if node_set is None else None
        self._node_set = node_set
        self._usable = 0 if node_set is None else node_set._ranking.selectable
        if node_set is not None:
            options = node_set._options(None, node_set.domains)
            options["as_objects"] = node_set.ids.dtype == object  # and so it stays
        self._options = options
        self._share()

    def _set(self) -> NodeSet | None:
        """The set of those that are there; None where none can be selected."""
        node_set = self._node_set
        if node_set is None:
            with self._change_lock:
                node_set = self._node_set
                if node_set is None and self._count() > 0:
                    node_set = self._node_set = self._made(self._known().values())
        return node_set

    def _made(self, members: Iterable[Member]) -> NodeSet:
        ids, weights, labels = zip(*members, strict=True)
        options = {**self._options, "weights": None if weights[0] is None else weights}
        if "domains" in options:
            columns = zip(*labels, strict=True)
            options["domains"] = dict(zip(options["domains"], columns, strict=True))
        as_objects = options.pop("as_objects", False)
        return NodeSet(_keys.object_array(ids) if as_objects else ids, **options)

    # -- changes: for those who hold the lock -------------------------------------------------

    def _known(self) -> dict[bytes, Member]:
        """The members by the bytes of their ids, in the order of the set."""
        if self._members is None:
            node_set = self._node_set
            assert node_set is not None
            weights = repeat(None) if node_set.weights is None else node_set.weights.tolist()
            domains = node_set.domains
            labels = zip(*domains.values(), strict=True) if domains else repeat(())
            each = map(Member, node_set, weights, labels)
            self._members = dict(zip(node_set._ranking.column.iter_bytes(), each, strict=True))
        return self._members

    def _count(self) -> int:
        if self._usable is None:
            self._usable = sum(map(_usable, self._known().values()))
        return self._usable

    def _put(self, name: bytes, member: Member | None) -> None:
        """Add a member, or put it in the place of one, or where it is None take that one away."""
        members = self._known()
        usable = self._count() + _usable(member) - _usable(members.get(name))
        # First goes what was worked out of the members, then they change: at no moment, which a
        # signal or a fork may choose, is there more than one truth.
        self._node_set = self._usable = None
        if member is None:
            del members[name]
        else:
            members[name] = member
        self._usable = usable


def _usable(member: Member | None) -> bool:
    """Whether it can be selected."""
    return member is not None and member.weight != 0
