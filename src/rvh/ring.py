"""Rings, for those who leave one: to the bit as elsewhere, and a ring's methods over a NodeSet.

On a ring, every node has points, and a key belongs to the node of the first point at or after its
hash. `ketama`, `libmemcached`, `nginx`, `uhashring` and `hash_ring` make the rings of those
systems, `Ring.from_tokens` any other; `RingFace` has the methods of Python's ring libraries and
places by rendezvous hashing; and `Migration` gets keys from one to the other.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh import _ring_points
from rvh import keys as _keys
from rvh._arguments.numbers import real_number, real_numbers, whole_number
from rvh._arguments.weights import as_weight
from rvh._backend import Cancel, RingPoints, key_point
from rvh._backend.contract import HASHES
from rvh._batch.answers import over_keys, points_of
from rvh._columns.column import KeyColumn
from rvh._columns.foreign import foreign_column
from rvh._columns.integers import CONTRACT, INTEGERS, check_integers, foreign_key
from rvh._columns.values import is_whole
from rvh._members import Member, Members
from rvh._runtime.slices import argsort, taken, to_list
from rvh.errors import RVHError, RVHTypeError, show
from rvh.migration import Migration, Moved, Phase, Plan, Route, Step
from rvh.nodes import NodeSet, _as_list

__all__ = [
    "HASHES",
    "INTEGERS",
    "Migration",
    "Moved",
    "Phase",
    "Plan",
    "Ring",
    "RingFace",
    "Route",
    "Step",
    "hash_ring",
    "ketama",
    "libmemcached",
    "nginx",
    "uhashring",
]

#: which point a key belongs to whose token is a point
HITS = ("point", "next")
#: what pylibmc calls the ways of libmemcached's that make a ring
BEHAVIORS = ("ketama_weighted", "ketama", "consistent")
#: what it calls the hashes that they can be combined with, and what `HASHES` does
KEY_HASHES = {"md5": "ketama", "default": "one_at_a_time"}
POINTS_MAX = 1 << 24  # of nodes with so many each as their weight says: 10 s and 2 GB


class Ring:
    """Nodes with points on a ring; made by `from_tokens` or one of the functions for a system.

    A key belongs to the node of the first point at or after its own, and behind the last point to
    that of the first one; its next nodes are those of the points that follow, each once. A ring
    never changes and can be used from many threads at once, pickled and compared.

    ============= ===================================================================
    hash          a key's token
    ============= ===================================================================
    ketama        the first 4 bytes of its MD5, little-endian (libketama)
    md5           the first 8 bytes of its MD5, big-endian (uhashring)
    crc32         CRC-32 as zlib's (nginx)
    murmur3       Cassandra's Murmur3Partitioner: MurmurHash3_x64_128, its first half, signed, where
                  bytes behind the last 16 enter with their sign; -2^63 for the empty key alone
    xxh64         XXH64 with seed 0
    one_at_a_time Bob Jenkins's, where bytes enter with their sign (libmemcached, on x86)
    ============= ===================================================================

    A key is text or bytes. How a system writes an integer has to be said when its ring is made,
    by ``integers``: without, an integer key is an error; and so is a composite key, whose bytes are
    rvh's own.

    ============= ===================================================================
    integers      what is hashed of an integer key
    ============= ===================================================================
    text          its decimal digits, as where a program makes text of it (uhashring)
    int32_be      4 bytes, big-endian two's complement (a Cassandra ``int``)
    int64_be      8 bytes, big-endian two's complement (a Cassandra ``bigint``)
    contract      rvh's 8 bytes, little-endian two's complement
    ============= ===================================================================

    Examples
    --------
    >>> from rvh.ring import ketama
    >>> ring = ketama(["10.0.0.1:11211", "10.0.0.2:11211"])
    >>> ring.lookup("user:1")
    ['10.0.0.2:11211']
    >>> ring.lookup_batch(["user:1", "user:2"]).shape
    (2, 1)
    """

    __slots__ = (
        *("__weakref__", "_column", "_fingerprint", "_hash", "_hit", "_ids", "_integers", "_names"),
        *("_on", "_owners", "_points", "_ring"),
    )

    def __init__(
        self,
        ids: Any,
        hash_name: str,
        points: NDArray[Any],
        owners: NDArray[Any],
        integers: str | None = None,
        hit: str = "point",
    ) -> None:
        # Points as unsigned numbers in their order, of equal ones the first counts.
        self._column, self._ids = _keys.node_column(ids)
        _keys.check_unique(list(self._column.iter_bytes()))
        self._ids.flags.writeable = False
        _check_points_of(hash_name, points, owners, len(self._ids))
        order = argsort(points)
        self._hash = hash_name
        self._integers = check_integers(integers)
        self._hit = hit
        self._points = np.ascontiguousarray(points[order], dtype=np.uint64)
        self._owners = np.ascontiguousarray(owners[order], dtype=np.uint32)
        self._points.flags.writeable = self._owners.flags.writeable = False
        self._names = to_list(self._ids)
        self._on = int(np.count_nonzero(np.bincount(self._owners)))
        self._ring = RingPoints(hash_name, *self._reach())
        self._fingerprint: str | None = None

    def _reach(self) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """The last token that belongs to each point, ascending, and the points' nodes."""
        if self._hit == "point":
            return self._points, self._owners
        lowest, highest = HASHES[self._hash]
        at_0 = int(np.searchsorted(self._points, 1))  # points that end at the top of the ring
        top = np.full(at_0, highest - lowest, dtype=np.uint64)
        reach = np.concatenate([self._points[at_0:] - np.uint64(1), top])
        return reach, np.roll(self._owners, -at_0)

    @classmethod
    def from_tokens(
        cls,
        tokens: Mapping[Any, Any],
        hash_name: str,
        *,
        integers: str | None = None,
        hit: str = "point",
    ) -> Ring:
        """A ring of explicit tokens.

        Parameters
        ----------
        tokens : mapping of node ids to sequences of int
            Each node's tokens, in the range of the hash: see `HASHES`. A node without any is never
            selected.
        hash_name : {"ketama", "md5", "crc32", "murmur3", "xxh64", "one_at_a_time"}
            What makes a token of a key.
        integers : {"text", "int32_be", "int64_be", "contract"}, optional
            How the system writes integer keys; without, they are errors.
        hit : {"point", "next"}
            Which point a key belongs to whose token is a point: that one, or the next.

        Returns
        -------
        Ring

        Raises
        ------
        RVHError
            An unknown hash, a token out of range or given twice, no token at all; what is none of
            the choices.
        RVHTypeError
            A token that is no whole number.

        Examples
        --------
        >>> ring = Ring.from_tokens({"a": [-(2**62), 2**62], "b": [0]}, "murmur3")
        >>> ring.lookup("123", k=2), ring.token("123")
        (['a', 'b'], -7468325962851647638)
        >>> ring.with_integers("int64_be").token(1)  # a bigint
        6292367497774912474
        """
        check_integers(integers)
        _choice("hit", hit, HITS)
        hash_name = _choice("hash_name", hash_name, HASHES)
        if not isinstance(tokens, Mapping):
            raise RVHTypeError(
                f"tokens is of type {type(tokens).__name__}: pass each node's, for example "
                '{"a": [0, 1000]}'
            )
        lowest, highest = HASHES[hash_name]
        seen: dict[int, Any] = {}
        owners: list[int] = []
        for number, (node, given) in enumerate(tokens.items()):
            sequence = isinstance(given, Iterable) and getattr(given, "ndim", 1) > 0
            if isinstance(given, (str, bytes)) or not sequence:
                raise RVHTypeError(
                    f"the tokens of node {show(node)} are {show(given)}: pass a list"
                )
            for token in given:
                if not is_whole(token):
                    raise RVHTypeError(
                        f"a token of node {show(node)} is {show(token)}: pass whole numbers"
                    )
                if not lowest <= token <= highest:
                    raise RVHError(
                        f"a token of node {show(node)} is {show(token)}: those of {hash_name} are "
                        f"from {lowest} to {highest}"
                    )
                if int(token) in seen:
                    raise RVHError(
                        f"token {token} belongs to node {show(seen[int(token)])} and again to "
                        f"{show(node)}: give each token to one node, once"
                    )
                seen[int(token)] = node
                owners.append(number)
        if not seen:
            raise RVHError("there are no tokens: give at least one to a node")
        points = np.array([token - lowest for token in seen], dtype=np.uint64)
        return cls(list(tokens), hash_name, points, np.array(owners), integers, str(hit))

    # -- what it is ---------------------------------------------------------------------------

    @property
    def ids(self) -> NDArray[Any]:
        """The node ids, shape (N,); read-only."""
        return self._ids

    @property
    def hash(self) -> str:
        """The name of the hash."""
        return self._hash

    @property
    def integers(self) -> str | None:
        """How integer keys are written: a name of `INTEGERS`, or None where they are errors."""
        return self._integers

    @property
    def tokens(self) -> NDArray[Any]:
        """The tokens of all points, ascending, shape (P,): int64 for murmur3, else uint64.

        Examples
        --------
        >>> Ring.from_tokens({"a": [7], "b": [3]}, "crc32").tokens
        array([3, 7], dtype=uint64)
        """
        return self._as_tokens(self._points.view())

    @property
    def owners(self) -> NDArray[np.uint32]:
        """The position in `ids` of each point's node, shape (P,); read-only."""
        return self._owners.view()

    @property
    def fingerprint(self) -> str:
        """Hex digest (64 characters) of all that decides which id a key belongs to.

        Examples
        --------
        >>> ketama(["a", "b"]).fingerprint == ketama(["b", "a"]).fingerprint
        True
        """
        if self._fingerprint is None:
            digest = hashlib.blake2b(digest_size=32, person=b"rvh Ring")
            named = f"hash={self._hash}"
            if self._integers not in (None, CONTRACT):  # as it was before there was a choice
                named += f" integers={self._integers}"
            if self._hit != "point":
                named += f" hit={self._hit}"
            digest.update(f"{named}\n".encode())
            names = list(self._column.iter_bytes())
            for point, owner in zip(self._points.tolist(), self._owners.tolist(), strict=True):
                digest.update(point.to_bytes(8, "little"))
                digest.update(len(names[owner]).to_bytes(8, "little"))
                digest.update(names[owner])
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def __len__(self) -> int:
        """How many points there are."""
        return len(self._points)

    def __repr__(self) -> str:
        integers = "" if self._integers is None else f", integers={self._integers!r}"
        return f"Ring({len(self._ids)} nodes, {len(self)} points, hash={self._hash!r}{integers})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ring):
            return NotImplemented
        mine, theirs = (self._names, self._integers), (other._names, other._integers)
        return mine == theirs and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> tuple[Any, ...]:
        return Ring, self._options()

    def _options(self, **changes: Any) -> tuple[Any, ...]:
        ids = self._ids if self._ids.dtype != object else _keys.object_array(self._names)
        options = {
            "ids": ids,
            "hash_name": self._hash,
            "points": self._points,
            "owners": self._owners,
            "integers": self._integers,
            "hit": self._hit,
        }
        return tuple((options | changes).values())

    # -- others like it -----------------------------------------------------------------------

    def with_integers(self, integers: str | None) -> Ring:
        """The same ring with integer keys written in another way.

        Parameters
        ----------
        integers : {"text", "int32_be", "int64_be", "contract"} or None
            As for `from_tokens`.

        Returns
        -------
        Ring

        Raises
        ------
        RVHError
            What is none of the choices.

        Examples
        --------
        >>> ketama(["a", "b"]).with_integers("text").lookup(42)
        ['a']
        """
        return Ring(*self._options(integers=integers))

    def without(self, nodes: Any) -> Ring:
        """The ring without the points of some nodes: those of all others stay as they are.

        A key of such a node goes to the next on the ring, and no other key moves. A ring made
        anew of the others may have other points, where their number depends on all weights.

        Parameters
        ----------
        nodes : str, bytes, or sequence of them
            Ids on the ring. They stay in `ids`.

        Returns
        -------
        Ring

        Raises
        ------
        RVHError
            An id that is not there; no point would be left.
        RVHTypeError
            What is no id.

        Examples
        --------
        >>> ring = ketama(["a", "b", "c"])
        >>> ring.lookup("user:1", 3), ring.without("b").lookup("user:1", 2)
        (['b', 'c', 'a'], ['c', 'a'])
        """
        places = {node: place for place, node in enumerate(self._column.iter_bytes())}
        stays = np.ones(len(self._ids), dtype=np.bool_)
        for node in _as_list(nodes):
            place = places.get(_keys.node_id(node)[1])
            if place is None:
                raise RVHError(f"node id {show(node)} is not on the ring")
            stays[place] = False
        kept = stays[self._owners]
        if not kept.any():
            raise RVHError("no node with a point is left on the ring: leave at least one")
        return Ring(*self._options(points=self._points[kept], owners=self._owners[kept]))

    # -- lookups ------------------------------------------------------------------------------

    def lookup(self, key: Any, k: int = 1) -> list[Any]:
        """The node of one key, and those that follow on the ring.

        Parameters
        ----------
        key : str, bytes-like; int where the ring knows how those are written
        k : int
            How many nodes, from 1 to those that have a point.

        Returns
        -------
        list
            ``k`` node ids, each once.

        Raises
        ------
        RVHError
            ``k`` out of range, an integer that nothing says how to write, or a key without bytes
            (then also a TypeError).

        Examples
        --------
        >>> ketama(["a", "b", "c"]).lookup("user:1", k=2)
        ['b', 'c']
        """
        if type(key) is not str:
            key = foreign_key(key, self._integers)
        return self._ring.lookup_one(key, self._check_k(k), self._names)

    def lookup_batch(self, keys: Any, k: int = 1, *, threads: int | None = None) -> NDArray[Any]:
        """The nodes of every key.

        Parameters
        ----------
        keys : sequence or array of str or bytes, shape (M,); of int as in `lookup`
            Any kind in `rvh.keys.KINDS` but composite keys. It must not change during the call.
        k, threads
            As for `lookup` and `NodeSet.argselect_batch`.

        Returns
        -------
        ndarray, shape (M, k)
            Node ids, in the dtype of `ids`.

        Raises
        ------
        RVHError, RVHTypeError
            As `lookup` and `NodeSet.argselect_batch`; composite keys.

        Examples
        --------
        >>> ketama(["a", "b", "c"]).lookup_batch(["user:1", "user:2"], k=2)
        array([['b', 'c'],
               ['c', 'a']], dtype='<U1')
        """
        return taken(self._ids, self.arglookup_batch(keys, k, threads=threads))

    def arglookup_batch(
        self, keys: Any, k: int = 1, *, threads: int | None = None
    ) -> NDArray[np.intp]:
        """The positions in `ids` of the nodes of every key.

        Parameters
        ----------
        keys, k, threads
            As for `lookup_batch`.

        Returns
        -------
        ndarray of intp, shape (M, k)

        Raises
        ------
        RVHError, RVHTypeError
            As `lookup_batch`.

        Examples
        --------
        >>> ketama(["a", "b", "c"]).arglookup_batch(["user:1", "user:2"])
        array([[1],
               [2]])
        """
        k = self._check_k(k)

        def work(
            column: KeyColumn, start: int, stop: int, to: NDArray[np.intp], cancel: Cancel
        ) -> None:
            self._ring.lookup(column, start, stop, to, cancel)

        with _keys.opened(keys) as column:
            out = np.empty((len(column), k), dtype=np.intp)
            over_keys(work, foreign_column(column, self._integers), out, 1, threads)
        return out

    def token(self, key: Any) -> int:
        """The token of one key, by the ring's hash; errors as of `lookup`.

        Examples
        --------
        >>> ketama(["a"]).token("test")
        3446378249
        """
        if type(key) is not str:
            key = foreign_key(key, self._integers)
        return key_point(self._hash, key) + HASHES[self._hash][0]

    def token_batch(self, keys: Any, *, threads: int | None = None) -> NDArray[Any]:
        """The tokens of many keys.

        Parameters
        ----------
        keys, threads
            As for `lookup_batch`.

        Returns
        -------
        ndarray of uint64 (for murmur3 int64), shape (M,)

        Raises
        ------
        RVHError, RVHTypeError
            As `lookup_batch`.

        Examples
        --------
        >>> Ring.from_tokens({"a": [0]}, "xxh64").token_batch(["", "a"]) % 1000
        array([921, 955], dtype=uint64)
        """
        with _keys.opened(keys) as column:
            written = foreign_column(column, self._integers)
            return self._as_tokens(points_of(self._hash, written, threads))

    def _as_tokens(self, points: NDArray[np.uint64]) -> NDArray[Any]:
        if HASHES[self._hash][0] == 0:
            return points
        return (points ^ np.uint64(1 << 63)).view(np.int64)

    def _check_k(self, k: Any) -> int:
        return whole_number("k", k, self._on, f"{self._on} nodes have a point on the ring")


def ketama(nodes: Any, weights: Any = None, *, integers: str | None = None) -> Ring:
    """The ring of libketama, and of what is compatible with it to the bit.

    For pylibmc, PHP's Memcached and what else is built on libmemcached, see `libmemcached`; for
    uhashring's ketama, `uhashring`: at times these have other points.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        Server addresses as libketama is given them, for example ``"10.0.0.1:11211"``.
    weights : sequence or array of numbers, shape (N,), optional
        The servers' memory. All the same by default.
    integers : {"text", "int32_be", "int64_be", "contract"}, optional
        How integer keys are written: see `Ring`.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids and weights; so small a weight for all that no node has a point.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    A node has ``floor(weight / sum * 40 * N)`` hashes, in libketama's float arithmetic, of
    ``"address-number"``, and four points of each. Of equal points (of 64 nodes, one ring in 80 has
    two) the node earlier in the list counts; libketama leaves that to qsort. Where a key's hash is
    a point, it is that point's. R. Jones, libketama, 2007.

    Examples
    --------
    >>> len(ketama(["127.0.0.1:11211", "127.0.0.1:11212"], [600, 400]))
    320
    """
    names, ids = _named(nodes)
    given = _weights(weights, ids)
    _check_float32(given, ids)
    counts = _ring_points.libketama_counts(given)
    points, owners = _ring_points.of_digests(names, counts, _ring_points.KETAMA_POINTS)
    return _ring_of("ketama", ids, points, owners, integers)


def libmemcached(
    nodes: Any,
    weights: Any = None,
    *,
    behavior: str = "ketama_weighted",
    hash_fn: str | None = None,
    integers: str | None = None,
) -> Ring:
    """The rings of libmemcached, so of pylibmc and PHP's Memcached.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        Servers as ``"host:port"``, or a host alone on port 11211, or the path of a socket.
    weights : sequence or array of whole numbers from 1 to 2^32-1, shape (N,), optional
        The servers' weights; 1 by default.
    behavior : {"ketama_weighted", "ketama", "consistent"}
        As pylibmc calls it: ``behaviors={"ketama_weighted": True}`` (PHP's
        ``OPT_LIBKETAMA_COMPATIBLE``), ``{"ketama": True}``, or ``{"distribution": "consistent"}``,
        which is the same as ``ketama``.
    hash_fn : {"md5", "default"}, optional
        The behavior ``hash``, where it was set too. By default md5 with ``ketama_weighted``, and
        else libmemcached's own default, one_at_a_time.
    integers : {"text", "int32_be", "int64_be", "contract"}, optional
        How integer keys are written: see `Ring`.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids; a weight that is no such number; two nodes that are one server; what
        is none of the choices.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    The points are made of ``"host-number"`` for servers on port 11211 and of
    ``"host:port-number"`` for others. With ``ketama_weighted``, and as soon as a weight is above 1,
    they are those of libketama in arithmetic of 32 bits throughout: 25 equal nodes have 156 points
    each and not 160. Else a node has 100 points by the hash of keys. Of equal points the node
    earlier in the list counts; libmemcached leaves that to qsort. Where a key's hash is a point, it
    is that point's. Held to where pylibmc puts keys on running servers.

    Examples
    --------
    >>> servers = ["10.0.0.1:11211", "10.0.0.2:11211"]
    >>> libmemcached(servers).lookup("user:1")
    ['10.0.0.2:11211']
    >>> libmemcached(servers, behavior="ketama")
    Ring(2 nodes, 200 points, hash='one_at_a_time')
    """
    names, ids = _named(nodes)
    given = _whole_weights(weights, ids, "libmemcached", 1, 2**32 - 1)
    _choice("behavior", behavior, BEHAVIORS)
    if hash_fn is None:
        hash_fn = "md5" if behavior == "ketama_weighted" else "default"
    hash_name = KEY_HASHES[_choice("hash_fn", hash_fn, KEY_HASHES)]
    servers = list(map(_ring_points.libmemcached_name, names))
    seen: dict[bytes, int] = {}
    for number, server in enumerate(servers):
        first = seen.setdefault(server, number)
        if first != number:
            one, other = ids.tolist()[first], ids.tolist()[number]
            raise RVHError(f"nodes {show(one)} and {show(other)} are one server: leave one away")
    if behavior == "ketama_weighted" or max(given) > 1:
        counts = _ring_points.libmemcached_counts(given)
        points, owners = _ring_points.of_digests(servers, counts, _ring_points.KETAMA_POINTS)
    else:
        counts = [_ring_points.LIBMEMCACHED_POINTS] * len(ids)
        points, owners = _ring_points.of_hashes(
            servers, counts, lambda name: key_point(hash_name, name)
        )
    return _ring_of(hash_name, ids, points, owners, integers)


def nginx(nodes: Any, weights: Any = None, *, integers: str | None = None) -> Ring:
    """The ring of nginx's ``hash KEY consistent``.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        Servers as the upstream block names them: ``"10.0.0.1:443"``, ``"unix:/path"``.
    weights : sequence or array of whole numbers from 1, shape (N,), optional
        The servers' weights; 1 by default.
    integers : {"text", "int32_be", "int64_be", "contract"}, optional
        How integer keys are written: see `Ring`. nginx has text alone.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids; a weight that is not whole or below 1.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    A node has 160 points for each unit of weight: the CRC-32 of host, a zero byte, port and the
    point before in 4 bytes, little-endian (ngx_http_upstream_hash_module.c; the same as Perl's
    Cache::Memcached::Fast). Of equal points one is kept, here that of the node earlier in the
    list; nginx leaves that to its sort.

    Examples
    --------
    >>> nginx(["10.0.0.1:443", "10.0.0.2:443"]).lookup("/index.html")
    ['10.0.0.2:443']
    """
    names, ids = _named(nodes)
    given = _whole_weights(weights, ids, "nginx", 1)
    _check_points(sum(given), _ring_points.NGINX_POINTS, "nginx")
    return _ring_of("crc32", ids, *_ring_points.of_crcs(names, given), integers)


def uhashring(
    nodes: Any,
    weights: Any = None,
    *,
    hash_fn: str = "md5",
    vnodes: int | None = None,
    integers: str | None = None,
) -> Ring:
    """The rings of uhashring's HashRing.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The nodes' names.
    weights : sequence or array of whole numbers, shape (N,), optional
        The nodes' weights; 1 by default.
    hash_fn : {"md5", "ketama"}
        HashRing's own, or the one of ``HashRing(nodes, hash_fn="ketama")``.
    vnodes : int, optional
        As for HashRing: 160 by default, with ketama 40.
    integers : {"text", "int32_be", "int64_be", "contract"}, optional
        How integer keys are written: see `Ring`. uhashring writes them as text.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids; a weight that is no whole number; a number of points above 2^24; what
        is none of the choices.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    A node has ``vnodes * weight`` points: the MD5 of ``"name-number"``, of whose 16 bytes the first
    8 are compared here. With ketama it has ``vnodes * N * weight // sum`` hashes and four points of
    each, in whole numbers, where libketama's float arithmetic has at times one less. Of equal
    points the node later in the list counts. Where a key's hash is a point, it is the next
    point's. uhashring writes bytes as Python shows them: for a key that it was given as bytes pass
    ``str(key)``.

    Examples
    --------
    >>> uhashring(["node1", "node2", "node3"]).lookup("key")
    ['node2']
    >>> uhashring(["node1", "node2", "node3"], hash_fn="ketama").lookup("key")
    ['node1']
    """
    names, ids = _named(nodes)
    given = _whole_weights(weights, ids, "uhashring", 0)
    _choice("hash_fn", hash_fn, ("md5", "ketama"))
    default = 160 if hash_fn == "md5" else _ring_points.KETAMA_HASHES
    each = default if vnodes is None else whole_number("vnodes", vnodes, POINTS_MAX)
    if hash_fn == "md5":
        _check_points(sum(given), each, "uhashring")
        points, owners = _ring_points.of_hashes(
            names, [each * weight for weight in given], lambda name: key_point("md5", name)
        )
    else:
        _check_points(len(ids), each * _ring_points.KETAMA_POINTS, "uhashring")
        counts = _ring_points.whole_counts(given, each)
        points, owners = _ring_points.of_digests(names, counts, _ring_points.KETAMA_POINTS)
    points, owners = _ring_points.last_of_equal(points, owners)
    return _ring_of(hash_fn, ids, points, owners, integers, "next")


def hash_ring(nodes: Any, weights: Any = None, *, integers: str | None = None) -> Ring:
    """The ring of the package hash_ring.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The nodes' names.
    weights : sequence or array of numbers, shape (N,), optional
        The nodes' weights; 1 by default.
    integers : {"text", "int32_be", "int64_be", "contract"}, optional
        How integer keys are written: see `Ring`. hash_ring itself takes text alone.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids and weights; so uneven weights that no node has a point.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    A node has ``40 * N * weight / sum`` hashes, rounded down, of ``"name-number"``, and three
    points of each. Of equal points the node later in the list counts. Where a key's hash is a
    point, it is the next point's. Held to hash_ring 1.3.1 under Python 2.7, its own.

    Examples
    --------
    >>> hash_ring(["node1", "node2", "node3"]).lookup("key")
    ['node2']
    """
    names, ids = _named(nodes)
    given = _weights(weights, ids)
    if not all(weight == int(weight) for weight in given):
        most = sys.float_info.max / (_ring_points.KETAMA_HASHES * len(given))
        if sum(given) > most:
            raise RVHError(
                f"the weights are {sum(given)} together: hash_ring computes with doubles, here up "
                f"to {most}; divide all weights"
            )
    counts = _ring_points.hash_ring_counts(given)
    points, owners = _ring_points.last_of_equal(*_ring_points.of_digests(names, counts, 3))
    return _ring_of("ketama", ids, points, owners, integers, "next")


def _named(nodes: Any) -> tuple[list[bytes], NDArray[Any]]:
    column, ids = _keys.node_column(nodes)
    names = list(column.iter_bytes())
    _keys.check_unique(names)
    return names, ids


def _ring_of(
    hash_name: str,
    ids: NDArray[Any],
    points: NDArray[np.uint64],
    owners: NDArray[np.uint32],
    integers: str | None,
    hit: str = "point",
) -> Ring:
    if len(points) == 0:
        raise RVHError("no node has a point: the weights are too uneven for such a ring")
    return Ring(ids, hash_name, points, owners, integers, hit)


def _check_points_of(
    hash_name: str, points: NDArray[Any], owners: NDArray[Any], nodes: int
) -> None:
    """Refuse points and owners that make no ring: C reads them unchecked."""
    _choice("hash_name", hash_name, HASHES)
    lowest, highest = HASHES[hash_name]
    for what, array, most in (("points", points, highest - lowest), ("owners", owners, nodes - 1)):
        if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype.kind not in "iu":
            raise RVHTypeError(f"the {what} of a Ring are {show(array)}: pass an array of integers")
        if len(array) == 0 or len(array) != len(points):
            raise RVHError(
                f"a Ring has {len(points)} points and {len(array)} {what}: pass as many, at least "
                "one, or call Ring.from_tokens()"
            )
        if array.min() < 0 or array.max() > most:
            raise RVHError(
                f"the {what} of a Ring go from {array.min()} to {array.max()}: each is from 0 to "
                f"{most}"
            )


def _choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """One of a few names, or the error that lists them."""
    if isinstance(value, str) and value in choices:
        return str(value)
    raise RVHError(f"{name} is {show(value)}: choose one of {', '.join(choices)}")


def _check_float32(weights: list[float], ids: NDArray[Any]) -> None:
    """Refuse weights that libketama's arithmetic does not hold, or their sum."""
    least, most = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
    for number, weight in enumerate(weights):
        if weight and not least <= weight <= most:
            raise RVHError(
                f"the weight of node {show(ids.tolist()[number])} (position {number}) is {weight}: "
                f"ketama computes with 32 bits, from {least} to {most}; scale all weights"
            )
    if sum(weights) > most:
        raise RVHError(
            f"the weights are {sum(weights)} together: ketama computes with 32 bits, up to "
            f"{most}; divide all weights"
        )


def _check_points(units: float, each: int, whose: str) -> None:
    """Refuse more points than a ring is made of here."""
    if units * each > POINTS_MAX:
        raise RVHError(
            f"the weights are {units} together: {whose} makes {each} points of each unit, and here "
            f"{POINTS_MAX // each} are the most; divide all weights"
        )


def _whole_weights(
    weights: Any, ids: NDArray[Any], whose: str, least: int, most: float = float("inf")
) -> list[int]:
    given = _weights(weights, ids)
    for number, weight in enumerate(given):
        if not least <= weight <= most or weight != int(weight):
            limit = "" if most == float("inf") else f" to {most}"
            raise RVHError(
                f"the weight of node {show(ids.tolist()[number])} (position {number}) is {weight}: "
                f"{whose} takes whole numbers from {least}{limit}"
            )
    return list(map(int, given))


def _weights(weights: Any, ids: NDArray[Any]) -> list[float]:
    if weights is None:
        return [1.0] * len(ids)
    numbers = real_numbers(weights, "weights", [f"node {show(node)}" for node in ids.tolist()])
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    if wrong.any():
        at = int(wrong.argmax())
        raise RVHError(
            f"the weight of node {show(ids.tolist()[at])} (position {at}) is {numbers[at]}: a "
            "weight is a finite number, 0 or more"
        )
    if not numbers.any():
        raise RVHError("every weight is 0: at least one node needs a weight above 0")
    found: list[float] = numbers.tolist()
    return found


#: the key that stands for no key
ALL: Any = object()


class RingFace(Members):
    """The methods of uhashring's and hash_ring's HashRing, served by rendezvous hashing.

    A node that comes or goes moves only its own keys, as on a ring, and loads are as even as
    chance. A change of nodes costs the same however many there are; the first answer after it
    prepares them. Keys are placed elsewhere than on the ring that it stands in for: `Migration`
    gets them there. It can be used from many threads at once; a change of nodes is seen by each
    call whole or not at all.

    Parameters
    ----------
    nodes : NodeSet, or sequence of str or bytes, or mapping of them to weights
        Ids alone make a set with the scheme ``murmur``, which is faster than a ring and, as a ring,
        no defence against chosen keys.

    Raises
    ------
    RVHError, RVHTypeError
        As `NodeSet`.

    Notes
    -----
    Ids with weights, all the same, place other keys than ids alone: in ``murmur`` weights take
    other bits of the score.

    Differences from uhashring: keys are str, bytes or int, and an int is not its digits; `range`
    and `iterate_nodes` give ids, each once; `distribution` gives shares, as there are no points;
    there is always a node; a node that is missing is an `RVHError`, not a KeyError; a weight for a
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
        nodes = self._set()
        assert nodes is not None  # one that can be selected is always there
        return nodes

    def get_node(self, key: Any) -> Any:
        """The node of a key.

        Examples
        --------
        >>> RingFace(["a", "b"]).get_node("key")
        'b'
        """
        nodes = self._node_set
        return (self.nodes if nodes is None else nodes).select(key)[0]

    def get_nodes(self, key: Any = ALL, size: int | None = None) -> list[Any]:
        """All nodes, in their order; or with a key its nodes, best first.

        Parameters
        ----------
        key : str, bytes-like or int, optional
        size : int, optional
            How many at most; None and 0 mean all.

        Returns
        -------
        list
            Node ids.

        Raises
        ------
        RVHError, RVHTypeError
            A negative `size` or one that is no whole number; a key as for `NodeSet.select`.

        Examples
        --------
        >>> ring = RingFace(["a", "b"])
        >>> ring.get_nodes(), ring.get_nodes("key"), ring.get_nodes("key", 5)
        (['a', 'b'], ['b', 'a'], ['b', 'a'])
        """
        nodes = self.nodes
        if key is ALL:
            return list(nodes)
        most = nodes._selectable
        if size is not None and (not is_whole(size) or size != 0):
            most = min(most, whole_number("size", size, 2**63 - 1))
        return nodes.select(key, most)

    def range(self, key: Any, size: int | None = None, unique: bool = True) -> Iterator[Any]:
        """The nodes of a key as by `get_nodes`, best first. Each comes once, also if not `unique`.

        Examples
        --------
        >>> list(RingFace(["a", "b", "c"]).range("key", size=2))
        ['b', 'a']
        """
        return iter(self.get_nodes(key, size))

    def iterate_nodes(self, key: Any, distinct: bool = True) -> Iterator[Any]:
        """`range`, by its name in hash_ring.

        Examples
        --------
        >>> next(RingFace(["a", "b", "c"]).iterate_nodes("key"))
        'b'
        """
        return self.range(key)

    def add_node(self, node: Any, conf: Any = None) -> None:
        """Add a node; `conf` is its weight, or a mapping with ``"weight"``, where nodes have one.

        A node that is there gets the weight, if one is given, and stays otherwise.

        Raises
        ------
        RVHError, RVHTypeError
            What is no node id or no weight; a weight other than 1 where nodes have none.

        Examples
        --------
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
            there = self._known().get(name)
            if there is None:
                if "domains" in self._options:
                    raise RVHError(
                        f"node {show(node)} has no labels of the nodes' domains, and add_node "
                        "takes none: make a RingFace of nodes.add(..., domains=...)"
                    )
                self._put(name, Member(node, 1.0 if self._weighted and weight is None else weight))
            elif weight is not None:
                if weight == 0:
                    self._keep_one(there)
                self._put(name, there._replace(weight=weight))

    def remove_node(self, node: Any) -> None:
        """Remove a node, which must be there.

        Examples
        --------
        >>> ring = RingFace(["a", "b"])
        >>> ring.remove_node("a")
        >>> ring.get_nodes()
        ['b']
        """
        node, name = _keys.node_id(node)
        with self._change_lock:
            there = self._known().get(name)
            if there is None:
                raise RVHError(f"node {show(node)} is not in the set, so it cannot be removed")
            self._keep_one(there)
            self._put(name, None)

    def _keep_one(self, leaves: Member) -> None:
        """Refuse that a member leaves, or weighs nothing, where no other can be selected."""
        if leaves.weight != 0 and self._count() == 1:
            raise RVHError(
                f"node {show(leaves.node)} is the last that keys can be placed on: add another, "
                "of a weight above 0, first"
            )

    @property
    def distribution(self) -> dict[Any, float]:
        """The share of all keys that each node gets: by its weight, or all the same.

        Examples
        --------
        >>> RingFace({"a": 3, "b": 1}).distribution
        {'a': 0.75, 'b': 0.25}
        """
        nodes = self.nodes
        weights = np.ones(len(nodes)) if nodes.weights is None else nodes.weights
        return dict(zip(nodes, (weights / weights.sum()).tolist(), strict=True))

    def __len__(self) -> int:
        nodes = self._node_set
        return len(self._known() if nodes is None else nodes)

    def __repr__(self) -> str:
        return f"RingFace({self.nodes!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return RingFace, (self.nodes,)


def _weight_of(conf: Any) -> Any:
    return conf.get("weight", 1) if isinstance(conf, Mapping) else conf
