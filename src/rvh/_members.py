"""Members that join and leave one at a time, and the node set that they make up.

The members are in a dict. The `NodeSet` is made when it is needed, so that ten thousand changes in
a row do not make ten thousand sets.
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
    """A node, with its weight and the labels of its domains."""

    node: Any
    weight: float | None = None  # None if the nodes have no weights
    labels: tuple[Any, ...] = ()  # one for each kind of domain
    conf: dict[str, Any] | None = None  # what a RingFace knows of it besides; None if never asked


class Members(Shared):
    """Members that join and leave: every call that begins after a change sees it."""

    __slots__ = ("_members", "_node_set", "_options", "_selectable")

    #: None while they are the nodes of `_node_set`
    _members: dict[bytes, Member] | None
    #: None after a change, and when no member can be selected
    _node_set: NodeSet | None
    #: the number of members that can be selected; None if it has to be counted
    _selectable: int | None
    #: options of the node set besides ids and weights; of the domains only the names are used
    _options: Mapping[str, Any]

    def _start(self, node_set: NodeSet | None, **options: Any) -> None:
        """Begin with the members and options of a set, or with no members and `options`."""
        self._members = {} if node_set is None else None
        self._node_set = node_set
        self._selectable = 0 if node_set is None else node_set._ranking.selectable
        if node_set is not None:
            options = node_set._options(None, node_set.domains)
            options["as_objects"] = node_set.ids.dtype == object  # every later set has the same
        self._options = options
        self._share()

    def _current_set(self) -> NodeSet | None:
        """The set of all members; None if none of them can be selected."""
        node_set = self._node_set
        if node_set is None:
            with self._change_lock:
                node_set = self._prepare_set()
        return node_set

    def _prepare_set(self) -> NodeSet | None:
        """Do what `_current_set` does; the caller holds the lock."""
        if self._node_set is None and self._count_selectable() > 0:
            self._node_set = self._make_set(self._by_name().values())
        return self._node_set

    def _make_set(self, members: Iterable[Member]) -> NodeSet:
        ids, weights, labels, _ = zip(*members, strict=True)
        options = {**self._options, "weights": None if weights[0] is None else weights}
        if "domains" in options:
            columns = zip(*labels, strict=True)
            options["domains"] = dict(zip(options["domains"], columns, strict=True))
        as_objects = options.pop("as_objects", False)
        return NodeSet(_keys.object_array(ids) if as_objects else ids, **options)

    # -- changes: the caller holds the lock ---------------------------------------------------

    def _by_name(self) -> dict[bytes, Member]:
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

    def _count_selectable(self) -> int:
        if self._selectable is None:
            self._selectable = sum(map(_is_selectable, self._by_name().values()))
        return self._selectable

    def _put(self, name: bytes, member: Member | None) -> None:
        """Add or replace a member, or remove it if `member` is None."""
        members = self._by_name()
        count = self._count_selectable()
        count += _is_selectable(member) - _is_selectable(members.get(name))
        # Everything derived from the members is dropped before they change, so that a signal or a
        # fork in between never leaves a state that contradicts itself.
        self._node_set = self._selectable = None
        if member is None:
            del members[name]
        else:
            members[name] = member
        self._selectable = count


def _is_selectable(member: Member | None) -> bool:
    return member is not None and member.weight != 0
