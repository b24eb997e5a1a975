"""The methods of Python's ring libraries over a NodeSet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rvh import keys as _keys
from rvh._arguments.numbers import real_number, whole_number
from rvh._arguments.weights import as_weight
from rvh._columns.values import is_whole
from rvh._members import Member, Members
from rvh.errors import RVHError, show
from rvh.nodes import NodeSet

if TYPE_CHECKING:
    from rvh.typing import Key

__all__ = ["RingFace"]

#: the default of `key`, which means all nodes
ALL: Any = object()


class RingFace(Members):
    """The methods of uhashring's and hash_ring's HashRing, served by rendezvous hashing.

    A node that is added or removed moves only its own keys, as on a ring, and loads are as even as
    chance makes them. A change of nodes takes the same time for any number of nodes; the first
    answer after it prepares them. Keys are placed on other nodes than on the ring that this class
    replaces: `Migration` moves them. It can be used from many threads at once; each call sees a
    change of nodes completely or not at all.

    Parameters
    ----------
    nodes : NodeSet, or sequence of str or bytes, or mapping of them to weights
        Ids alone make a set with the scheme ``murmur``, which is faster than a ring and, like a
        ring, no defence against chosen keys.

    Raises
    ------
    RVHError, RVHTypeError
        As `NodeSet`.

    Notes
    -----
    Ids with equal weights place keys differently from ids alone: with ``murmur``, weights use other
    bits of the score.

    Differences from uhashring: keys are str, bytes or int, and an int is not its digits; `range`
    and `iterate_nodes` give ids, each once; `distribution` gives shares, because there are no
    points; there is always a node; a missing node is an `RVHError`, not a KeyError; a weight for a
    node of a ring made without weights is an error.

    Examples
    --------
    >>> from rvh.ring import RingFace
    >>> ring = RingFace(["node1", "node2", "node3"])
    >>> ring.get_node("key")
    'node2'
    >>> ring.remove_node("node2")
    >>> ring.get_node("key")
    'node1'
    """

    def __init__(self, nodes: Any) -> None:
        if isinstance(nodes, Mapping):
            weights = [_weight_of(conf) for conf in nodes.values()]
            nodes = NodeSet(list(nodes), weights=weights, scheme="murmur")
        elif not isinstance(nodes, NodeSet):
            nodes = NodeSet(nodes, scheme="murmur")
        self._weighted = nodes.weights is not None
        self._start(nodes)

    @property
    def nodes(self) -> NodeSet:
        """The node set that answers now."""
        nodes = self._current_set()
        assert nodes is not None  # at least one can always be selected
        return nodes

    def _placement(self) -> NodeSet:
        """The current placement, for code that needs one that never changes."""
        return self.nodes

    def get_node(self, key: Key) -> Any:
        """The node of a key.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(["a", "b"]).get_node("key")
        'b'
        """
        nodes = self._node_set
        return (self.nodes if nodes is None else nodes).select(key)[0]

    def get_nodes(self, key: Any = ALL, size: int | None = None) -> list[Any]:
        """All nodes in their order; with a key, the nodes of that key, best first.

        Parameters
        ----------
        key : str, bytes-like or int, optional
        size : int, optional
            The greatest number of nodes to return; None and 0 mean all.

        Returns
        -------
        list
            Node ids.

        Raises
        ------
        RVHError, RVHTypeError
            A `size` that is negative or not a whole number; a key as for `NodeSet.select`.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> ring = RingFace(["a", "b"])
        >>> ring.get_nodes(), ring.get_nodes("key"), ring.get_nodes("key", 5)
        (['a', 'b'], ['b', 'a'], ['b', 'a'])
        """
        nodes = self.nodes
        if key is ALL:
            return list(nodes)
        count = nodes._ranking.selectable
        if size is not None and (not is_whole(size) or size != 0):
            count = min(count, whole_number("size", size, 2**63 - 1))
        return nodes.select(key, count)

    def range(self, key: Key, size: int | None = None, unique: bool = True) -> Iterator[Any]:
        """The nodes of a key as by `get_nodes`, best first; each once, even if not `unique`.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> list(RingFace(["a", "b", "c"]).range("key", size=2))
        ['b', 'a']
        """
        return iter(self.get_nodes(key, size))

    def iterate_nodes(self, key: Key, distinct: bool = True) -> Iterator[Any]:
        """The same as `range`, under its name in hash_ring.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> next(RingFace(["a", "b", "c"]).iterate_nodes("key"))
        'b'
        """
        return self.range(key)

    def add_node(self, node: Any, conf: Any = None) -> None:
        """Add a node; `conf` is its weight, or a mapping with ``"weight"``.

        A node that is already there gets the weight, if there is one, and otherwise stays as it is.

        Raises
        ------
        RVHError, RVHTypeError
            An invalid node id or weight; a weight other than 1 if the nodes have no weights.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> ring = RingFace({"a": 1})
        >>> ring.add_node("b", 3)
        >>> ring.distribution
        {'a': 0.25, 'b': 0.75}
        """
        node, name = _keys.node_id(node)
        weight = None if conf is None else _weight_of(conf)
        if not self._weighted:
            if weight is not None and real_number(weight, f"the weight of node {show(node)}") != 1:
                raise RVHError(
                    f"node {show(node)} has the weight {show(weight)}, but the nodes have none: "
                    "make the RingFace of a mapping of ids to weights"
                )
            weight = None
        elif weight is not None:
            weight = as_weight(weight, node)
        with self._change_lock:
            member = self._by_name().get(name)
            if member is None:
                if "domains" in self._options:
                    raise RVHError(
                        f"node {show(node)} has no labels of the nodes' domains, and add_node "
                        "takes none: make a RingFace of nodes.add(..., domains=...)"
                    )
                self._put(name, Member(node, 1.0 if self._weighted and weight is None else weight))
            elif weight is not None:
                if weight == 0:
                    self._check_not_last(member)
                self._put(name, member._replace(weight=weight))

    def remove_node(self, node: Any) -> None:
        """Remove a node; raise RVHError if it is not there.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> ring = RingFace(["a", "b"])
        >>> ring.remove_node("a")
        >>> ring.get_nodes()
        ['b']
        """
        node, name = _keys.node_id(node)
        with self._change_lock:
            member = self._by_name().get(name)
            if member is None:
                raise RVHError(f"node {show(node)} is not in the set, so it cannot be removed")
            self._check_not_last(member)
            self._put(name, None)

    def _check_not_last(self, member: Member) -> None:
        """Reject the removal, or a weight of 0, of the last member that can be selected."""
        if member.weight != 0 and self._count_selectable() == 1:
            raise RVHError(
                f"node {show(member.node)} is the last that keys can be placed on: add another, "
                "of a weight above 0, first"
            )

    @property
    def distribution(self) -> dict[Any, float]:
        """The share of all keys that each node gets, by its weight; equal without weights.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace({"a": 3, "b": 1}).distribution
        {'a': 0.75, 'b': 0.25}
        """
        nodes = self.nodes
        weights = np.ones(len(nodes)) if nodes.weights is None else nodes.weights
        return dict(zip(nodes, (weights / weights.sum()).tolist(), strict=True))

    def __len__(self) -> int:
        nodes = self._node_set
        return len(self._by_name() if nodes is None else nodes)

    def __repr__(self) -> str:
        return f"RingFace({self.nodes!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return RingFace, (self.nodes,)


def _weight_of(conf: Any) -> Any:
    return conf.get("weight", 1) if isinstance(conf, Mapping) else conf
