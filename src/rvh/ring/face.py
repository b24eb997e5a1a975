"""The methods of Python's ring libraries over a NodeSet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rvh import _pickles
from rvh._arguments.numbers import real_number, whole_number
from rvh._arguments.weights import as_weight
from rvh._columns.values import is_whole
from rvh._members import Member, Members
from rvh.errors import MissingNodeError, RVHError, RVHTypeError, show
from rvh.nodes import NodeSet, list_ids
from rvh.ring import conf as _conf

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
    nodes : NodeSet, or sequence or array of ids, or mapping of ids, or one str
        Ids are str, bytes, int or UUID. Ids alone make a set with the scheme ``murmur``, which is
        faster than a ring and, like a ring, no defence against chosen keys. A mapping gives each
        id a weight, or a configuration: a mapping of ``"hostname"``, ``"instance"``, ``"port"``,
        ``"vnodes"`` and ``"weight"``, all of which may be left out. The default is no nodes.
    weights : mapping of id to number, optional
        The weights of `nodes`, which are ids then; ids that are not in it have the weight 1. Ids
        that are no nodes are ignored.
    hash_fn : callable or "ketama", optional
        A function places keys by the text of its result: those with equal results stay together.
        ``"ketama"`` only chooses what `hashi` returns and how many `vnodes` a configuration shows.
    vnodes : int, optional
        What configurations show as ``"vnodes"`` where they have none: 160, or 40 for ketama.
    weight_fn : callable, optional
        Gets a configuration, with ``"nodename"``, as keyword arguments and returns the weight. It
        must not use the ring.
    replicas, compat : optional
        Taken for uhashring's sake and ignored.

    Raises
    ------
    RVHError, RVHTypeError
        As `NodeSet`; a configuration that is neither a mapping nor a number; `weights` or
        `weight_fn` with nodes that have weights; a `hash_fn` or `weight_fn` that is not a
        function.

    Notes
    -----
    Ids with equal weights place keys differently from ids alone: with ``murmur``, weights use other
    bits of the score. A ring that begins without nodes has weights if its first node has a
    configuration or a weight.

    An id that is an int or a UUID is placed by its text, and answered as it is: 4 and ``"4"`` are
    the same node.

    Differences from uhashring: keys are placed elsewhere, are str, bytes, UUID or int, and an int
    is not its digits; a node has one point, its position, so `size`, `ring`, `get_points`,
    `get_node_pos` and `get_server` count nodes, and ``"vnodes"`` change nothing; `distribution`
    gives shares; `nodes` is a NodeSet, and `conf` the mapping; `range` gives ids until a node has
    more than a weight, and every node once; `add_node` without a configuration leaves a node that
    is there as it is, and with a number changes only its weight; a weight for a node of a ring made
    without weights is an error.

    Examples
    --------
    >>> from rvh.ring import RingFace
    >>> ring = RingFace(["node1", "node2", "node3"])
    >>> ring.get_node("key")
    'node2'
    >>> ring.remove_node("node2")
    >>> ring.get_node("key")
    'node1'

    >>> ring = RingFace({"node1": {"instance": "a client", "port": 6379}})
    >>> ring["key"], ring.get_node_port("key")
    ('a client', 6379)
    """

    __iter__ = None  # `ring[key]` is not a sequence: iterating would never end

    #: whether nodes have weights; None while no node has ever been there to decide it
    _weighted: bool | None
    #: whether keys or ids are others in the node set
    _translates = False
    #: whether a node has more than a weight
    _configured = False
    #: the nodes with their configurations; None after a change and until it is needed
    _seen: _Seen | None = None

    def __init__(
        self,
        nodes: Any = (),
        weights: Mapping[Any, Any] | None = None,
        *,
        hash_fn: Any = None,
        vnodes: int | None = None,
        weight_fn: Callable[..., Any] | None = None,
        replicas: Any = None,
        compat: Any = None,
    ) -> None:
        self._is_ketama = isinstance(hash_fn, str) and hash_fn == "ketama"
        own = None if self._is_ketama else hash_fn
        self._hash_fn = _conf.function("hash_fn", own, ", or 'ketama'")
        self._translates = self._hash_fn is not None
        self._weight_fn = _conf.function("weight_fn", weight_fn)
        usual = 40 if self._is_ketama else 160
        self._vnodes = usual if vnodes is None else whole_number("vnodes", vnodes, 2**63 - 1)
        if isinstance(nodes, (NodeSet, Mapping)) and weights is not None:
            raise RVHError("weights= was given with nodes that have their own: omit it")
        if not isinstance(nodes, NodeSet):
            self._begin([nodes] if isinstance(nodes, (str, bytes)) else nodes, weights)
        elif weight_fn is None:
            self._weighted = nodes.weights is not None
            self._start(nodes)
        else:
            raise RVHError("weight_fn= was given with a NodeSet, which has its own weights")

    def _begin(self, nodes: Any, weights: Any) -> None:
        """Begin with ids, or with a mapping of them."""
        if weights is not None and not isinstance(weights, Mapping):
            raise RVHTypeError(
                f"weights is of type {type(weights).__name__}: pass a mapping of ids to numbers"
            )
        confs = list(nodes.values()) if isinstance(nodes, Mapping) else None
        texts, foreign = _conf.with_texts(nodes if confs is None else list(nodes))
        self._translates = self._translates or foreign is not None
        self._weighted = confs is not None or bool(weights) or self._weight_fn is not None
        if isinstance(texts, (list, tuple, np.ndarray)) and len(texts) == 0:
            self._weighted = self._weighted or None
            self._start(None, scheme="murmur")
        elif not self._weighted and foreign is None:
            self._start(NodeSet(texts, scheme="murmur"))
        else:
            if weights:
                # What is not an id may have no hash to be looked up by.
                NodeSet(texts, scheme="murmur")
            ids = list_ids(texts) if foreign is None else foreign
            if confs is None:
                confs = [weights.get(node, 1) if weights else 1 for node in ids]
            found = list(map(self._weight_of, ids, confs))
            self._start(NodeSet(texts, found if self._weighted else None, "murmur"))
            self._configure(ids, confs, found)

    def _configure(self, ids: list[Any], confs: list[Any], weights: list[Any]) -> None:
        """Keep of the nodes what their node set does not."""
        self._configured = any(map(_conf.says_more, confs))
        if self._configured or self._translates:
            members = self._by_name()
            for node, conf, weight in zip(ids, confs, weights, strict=True):
                id_, _, name = _conf.names(node)
                whole = _conf.complete(id_, self._vnodes, weight, conf)
                members[name] = members[name]._replace(conf=whole)

    def _weight_of(self, node: Any, conf: Any) -> Any:
        """The weight that a configuration, or a number, gives a node."""
        weight = conf.get("weight", 1) if isinstance(conf, Mapping) else conf
        if self._weight_fn is None:
            return weight
        node = _conf.names(node)[0]
        return self._weight_fn(**_conf.complete(node, self._vnodes, weight, conf))

    # -- the nodes ----------------------------------------------------------------------------

    @property
    def nodes(self) -> NodeSet:
        """The node set that answers now; an RVHError if the ring is empty.

        Its ids are str and bytes: the text of a node that is an int or a UUID.
        """
        nodes = self._current_set()
        if nodes is None:
            raise RVHError("the ring has no nodes: add one first")
        return nodes

    def _placement(self) -> NodeSet:
        """The current placement, for code that needs one that never changes."""
        return self.nodes

    @property
    def conf(self) -> dict[Any, dict[str, Any]]:
        """The configuration of each node: a new mapping of ids to the nodes' own.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> list(RingFace({"a": 2}).conf["a"].items())[:3]
        [('hostname', 'a'), ('instance', None), ('nodename', 'a')]
        """
        return {each.node: each.conf for each in self._see().entries.values()}

    @property
    def weights(self) -> dict[Any, Any]:
        """The weight of each node, as its configuration has it.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(["a", "b"], {"a": 2}).weights
        {'a': 2, 'b': 1}
        """
        return {node: conf["weight"] for node, conf in self.conf.items()}

    def get_instances(self) -> list[Any]:
        """The instances of all nodes that have one.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace({"a": {"instance": "a client"}, "b": 1}).get_instances()
        ['a client']
        """
        return [c["instance"] for c in self.conf.values() if c["instance"] is not None]

    @property
    def distribution(self) -> Counter[Any]:
        """The share of all keys that each node gets, by its weight; equal without weights.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace({"a": 3, "b": 1}).distribution
        Counter({'a': 0.75, 'b': 0.25})
        """
        with self._change_lock:
            members = list(self._by_name().values())
        weights = np.array([1.0 if each.weight is None else each.weight for each in members])
        total = weights.sum() or 1.0
        return Counter(dict(zip(map(_id_of, members), (weights / total).tolist(), strict=True)))

    @property
    def ring(self) -> dict[int, Any]:
        """The node at each position; the `continuum` of uhashring.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(["a", "b"]).ring
        {0: 'a', 1: 'b'}
        """
        return dict(enumerate(self.get_nodes()))

    @property
    def continuum(self) -> dict[int, Any]:
        """The same as `ring`, as in uhashring.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(["a", "b"]).continuum
        {0: 'a', 1: 'b'}
        """
        return self.ring

    @property
    def size(self) -> int:
        """The number of nodes, each of which is one point.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(["a", "b"]).size
        2
        """
        return len(self)

    def get_points(self) -> list[tuple[int, Any]]:
        """The position of each node, and the node.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(["a", "b"]).get_points()
        [(0, 'a'), (1, 'b')]
        """
        return list(enumerate(self.get_nodes()))

    def print_continuum(self) -> None:
        """Print the number of nodes and each with its position.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(["a", "b"]).print_continuum()
        Numpoints in continuum: 2
        a (0)
        b (1)
        """
        points = self.get_points()
        print(f"Numpoints in continuum: {len(points)}" if points else "Continuum empty")
        for position, node in points:
            print(f"{node} ({position})")

    # -- the node of a key --------------------------------------------------------------------

    def get_node(self, key: Key) -> Any:
        """The node of a key; None if the ring is empty.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(["a", "b"]).get_node("key")
        'b'
        """
        nodes = self._node_set
        if nodes is None or self._translates:
            return self._get_node(key)
        return nodes.select(key)[0]

    def _get_node(self, key: Key) -> Any:
        """Do what `get_node` does, after a change and where a key or an id has another form."""
        nodes = self._current_set()
        if self._translates:  # asked last, since `add_node` says so before it adds
            entry = self._entry(key)
            return None if entry is None else entry.node
        return None if nodes is None else nodes.select(key)[0]

    def get(self, key: Key) -> dict[str, Any] | None:
        """The configuration of the node of a key; None if the ring is empty.

        It is the node's own: what is changed in it stays changed until the node gets another. A
        weight that is changed in it counts after `regenerate`.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace({"a": {"port": 6379}}).get("key")["port"]
        6379
        """
        entry = self._entry(key)
        return None if entry is None else entry.conf

    def get_node_instance(self, key: Key) -> Any:
        """The instance of the node of a key, which ``ring[key]`` is too.

        None if the node has no instance or the ring is empty.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> ring = RingFace({"a": {"instance": "a client"}})
        >>> ring.get_node_instance("key"), ring["key"]
        ('a client', 'a client')
        """
        return self._field(key, "instance")

    __getitem__ = get_node_instance

    def get_node_hostname(self, key: Key) -> Any:
        """The host name of the node of a key: its id if it has no other, None if there is no node.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(["a"]).get_node_hostname("key")
        'a'
        """
        return self._field(key, "hostname")

    def get_node_port(self, key: Key) -> Any:
        """The port of the node of a key; None if it has none or the ring is empty.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace({"a": {"port": 6379}}).get_node_port("key")
        6379
        """
        return self._field(key, "port")

    def get_node_weight(self, key: Key) -> Any:
        """The weight of the node of a key; None if the ring is empty.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace({"a": 3}).get_node_weight("key")
        3
        """
        return self._field(key, "weight")

    def get_node_pos(self, key: Key) -> int | None:
        """The position of the node of a key in `ring`; None if the ring is empty.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(["a", "b"]).get_node_pos("key")
        1
        """
        entry = self._entry(key)
        return None if entry is None else entry.position

    def get_server(self, key: Key) -> tuple[int, Any] | None:
        """The position of the node of a key, and the node; None if the ring is empty.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(["a", "b"]).get_server("key")
        (1, 'b')
        """
        entry = self._entry(key)
        return None if entry is None else (entry.position, entry.node)

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
        nodes = self._current_set()
        if self._translates or nodes is None:
            entries = self._see().entries.values() if key is ALL else self._entries(key, size)
            return [entry.node for entry in entries]
        return list(nodes) if key is ALL else _ranked(nodes, key, size)

    def range(self, key: Key, size: int | None = None, unique: bool = True) -> Generator[Any]:
        """The nodes of a key as by `get_nodes`, best first; each once, even if not `unique`.

        They are ids. Once a node has more than a weight, they are configurations, as in uhashring.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> list(RingFace(["a", "b", "c"]).range("key", size=2))
        ['b', 'a']
        >>> ring = RingFace({"a": {"port": 6379}, "b": {"port": 6380}})
        >>> [conf["port"] for conf in ring.range("key")]
        [6380, 6379]
        """
        if self._configured:
            found: list[Any] = [entry.conf for entry in self._entries(key, size)]
        else:
            found = self.get_nodes(key, size)
        return (each for each in found)  # uhashring's is a generator, with its methods

    def iterate_nodes(self, key: Key, distinct: bool = True) -> Generator[Any]:
        """The nodes of a key, best first, each once; None, once, if the ring is empty.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> next(RingFace(["a", "b", "c"]).iterate_nodes("key"))
        'b'
        """
        return (each for each in self.get_nodes(key) or [None])

    # -- the hash of a key --------------------------------------------------------------------

    def hashi(self, key: Any) -> Any:
        """The hash of a key's text, as uhashring's; keys are placed by another one.

        MD5 as one number, its first 4 bytes for ``hash_fn="ketama"``, or what `hash_fn` returns.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(hash_fn="ketama").hashi("test")
        3446378249
        """
        if self._hash_fn is not None:
            return self._hash_fn(key)
        if self._is_ketama:
            return self.gen_key(key)
        return int.from_bytes(_md5(str(key).encode()), "big")

    def get_key(self, key: Any) -> Any:
        """The same as `hashi`, under its other name in uhashring.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace(hash_fn=len).get_key("test")
        4
        """
        return self.hashi(key)

    def gen_key(self, key: Any) -> int:
        """The hash of a key in hash_ring, which is that of ketama; keys are placed by another one.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> RingFace().gen_key("test")
        3446378249
        """
        return int.from_bytes(_md5(str(key).encode())[:4], "little")

    # -- changes ------------------------------------------------------------------------------

    def add_node(self, node: Any, conf: Any = None) -> None:
        """Add a node; `conf` is its weight or its configuration. ``ring[node] = conf`` does it too.

        A node that is there gets the new weight and keeps the rest, or gets the new configuration
        as a whole (a weight that it does not name is 1); without `conf` it stays as it is.

        Raises
        ------
        RVHError, RVHTypeError
            An invalid node id or weight; a weight other than 1 if the nodes have no weights.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> ring = RingFace({"a": 1})
        >>> ring.add_node("b", 3)
        >>> ring.distribution["b"]
        0.75
        >>> ring["b"] = {"weight": 1, "instance": "a client"}
        >>> ring.distribution["b"], ring.get_instances()
        (0.5, ['a client'])
        """
        node, text, name = _conf.names(node)
        with self._change_lock:
            known = self._by_name().get(name)
            if known is not None and conf is None:
                return
            if known is None and "domains" in self._options:
                raise RVHError(
                    f"node {show(node)} has no labels of the nodes' domains, and add_node "
                    "takes none: make a RingFace of nodes.add(..., domains=...)"
                )
            weighted = conf is not None if self._weighted is None else self._weighted
            given = self._weight_of(node, 1 if conf is None else conf)
            weight = self._checked(given, node, weighted)
            if known is not None and weight == 0:
                self._check_not_last(known)
            member = Member(text) if known is None else known
            if isinstance(conf, Mapping) or member.conf is None:
                own = node if known is None else _id_of(known)
                whole = _conf.complete(own, self._vnodes, given, conf)
            else:
                whole = member.conf | {"weight": given}
            # before the change, so that no moment has a node without its form or configuration
            self._weighted = weighted
            self._translates = self._translates or _conf.is_foreign(node)
            self._configured = self._configured or _conf.says_more(conf)
            changed = member._replace(weight=weight, conf=whole)
            if known is not None and weight == known.weight:  # the node set stays as it is
                self._seen, self._by_name()[name] = None, changed
            else:
                self._put(name, changed)

    __setitem__ = add_node

    def remove_node(self, node: Any) -> None:
        """Remove a node, as ``del ring[node]`` does.

        Raises
        ------
        MissingNodeError
            It is not there. The error is an RVHError and a KeyError.
        RVHError
            All other nodes have the weight 0.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> ring = RingFace(["a", "b"])
        >>> ring.remove_node("a")
        >>> ring.get_nodes()
        ['b']
        """
        node, _, name = _conf.names(node)
        with self._change_lock:
            member = self._by_name().get(name)
            if member is None:
                raise MissingNodeError(
                    f"node {show(node)} is not in the set, so it cannot be removed"
                )
            if len(self._by_name()) > 1:
                self._check_not_last(member)
            self._put(name, None)

    __delitem__ = remove_node

    def _check_not_last(self, member: Member) -> None:
        """Reject what would leave nodes, but none that keys can be placed on."""
        if member.weight != 0 and self._count_selectable() == 1:
            raise RVHError(
                f"node {show(_id_of(member))} is the last that keys can be placed on: add another, "
                "of a weight above 0, first"
            )

    def regenerate(self) -> None:
        """Take the weights of the configurations, or those that `weight_fn` gives them now.

        Raises
        ------
        RVHError, RVHTypeError
            A weight as for `add_node`; no node changes then.

        Examples
        --------
        >>> from rvh.ring import RingFace
        >>> ring = RingFace({"a": 1, "b": 1})
        >>> ring.conf["b"]["weight"] = 3
        >>> ring.regenerate()
        >>> ring.distribution["b"]
        0.75
        """
        with self._change_lock:
            members = {}
            for name, member in self._by_name().items():
                if member.conf is not None:
                    conf = member.conf
                    given = conf["weight"] if self._weight_fn is None else self._weight_fn(**conf)
                    weight = self._checked(given, _id_of(member), bool(self._weighted))
                    member = member._replace(weight=weight, conf=conf | {"weight": given})
                members[name] = member
            if members and all(member.weight == 0 for member in members.values()):
                raise RVHError("every weight is 0: at least one node needs a weight above 0")
            self._seen = self._node_set = self._selectable = None
            self._members = members

    def _checked(self, weight: Any, node: Any, weighted: bool) -> float | None:
        """The weight of a node as a member has it."""
        if weighted:
            return as_weight(weight, node)
        if real_number(weight, f"the weight of node {show(node)}") != 1:
            raise RVHError(
                f"node {show(node)} has the weight {show(weight)}, but the nodes have none: "
                "make the RingFace of a mapping of ids to weights"
            )
        return None

    # -- what is derived from the nodes -------------------------------------------------------

    def _put(self, name: bytes, member: Member | None) -> None:
        self._seen = None
        super()._put(name, member)

    def _see(self) -> _Seen:
        """The nodes with their configurations, as of one moment."""
        seen = self._seen
        if seen is None:
            with self._change_lock:
                seen = self._seen
                if seen is None:
                    nodes, members, entries = self._prepare_set(), self._by_name(), {}
                    for position, (name, member) in enumerate(members.items()):
                        if member.conf is None:
                            weight = 1 if member.weight is None else member.weight
                            weight = int(weight) if weight == int(weight) else weight
                            conf = _conf.complete(member.node, self._vnodes, weight, None)
                            member = members[name] = member._replace(conf=conf)
                        assert member.conf is not None
                        entries[member.node] = _Entry(position, _id_of(member), member.conf)
                    seen = self._seen = _Seen(nodes, entries)
        return seen

    def _entry(self, key: Any) -> _Entry | None:
        """What is known of the node of a key."""
        nodes, entries = self._see()
        if nodes is None:
            return None
        return entries[nodes.select(self._placed(key))[0]]

    def _entries(self, key: Any, size: int | None) -> list[_Entry]:
        nodes, entries = self._see()
        return [entries[node] for node in _ranked(nodes, self._placed(key), size)]

    def _placed(self, key: Any) -> Any:
        return key if self._hash_fn is None else str(self._hash_fn(key))

    def _field(self, key: Any, name: str) -> Any:
        entry = self._entry(key)
        return None if entry is None else entry.conf[name]

    def __len__(self) -> int:
        nodes = self._node_set
        return len(self._by_name() if nodes is None else nodes)

    def __repr__(self) -> str:
        nodes = self._current_set()
        return "RingFace()" if nodes is None else f"RingFace({nodes!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        with self._change_lock:
            nodes = self._prepare_set()
            plain = not (self._configured or self._translates or self._weight_fn)
            if plain and nodes is not None:
                return RingFace, (nodes,)
            state = {name: getattr(self, name) for name in _STATE}
            state["_members"] = dict(self._by_name())
        return _rebuild, (_pickles.FORMAT, state)


class _Entry(NamedTuple):
    """What is known of a node."""

    position: int
    node: Any
    conf: dict[str, Any]


class _Seen(NamedTuple):
    """A node set, None if no node can be selected, and what is known of each of its ids."""

    nodes: NodeSet | None
    entries: dict[Any, _Entry]


#: the attributes of a ring that travel with it
_STATE = (
    "_members", "_node_set", "_selectable", "_options", "_weighted", "_translates", "_configured",
    "_is_ketama", "_hash_fn", "_weight_fn", "_vnodes",
)  # fmt: skip


def _rebuild(pickle_format: object, state: dict[str, Any]) -> RingFace:
    """Unpickle a ring that is more than its node set."""
    _pickles.check_format("a RingFace", pickle_format)
    ring = RingFace.__new__(RingFace)
    for name, value in state.items():
        setattr(ring, name, value)
    ring._share()
    return ring


def _id_of(member: Member) -> Any:
    """The id of a node as its caller has it."""
    return member.node if member.conf is None else member.conf["nodename"]


def _ranked(nodes: NodeSet | None, key: Any, size: int | None) -> list[Any]:
    """The best nodes of a key, at most `size` of them."""
    count = 2**63 - 1
    if size is not None and (not is_whole(size) or size != 0):
        count = whole_number("size", size, count)
    if nodes is None:
        return []
    return nodes.select(key, min(count, nodes._ranking.selectable))


def _md5(data: bytes) -> bytes:
    import hashlib  # takes 3 ms (OpenSSL), and only these hashes need it

    return hashlib.md5(data, usedforsecurity=False).digest()
