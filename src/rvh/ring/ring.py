"""A ring that places keys exactly as the system it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.choices import one_of
from rvh._arguments.numbers import whole_number
from rvh._arguments.tags import as_tag
from rvh._backend import RingPoints, key_point
from rvh._backend.contract import HASHES
from rvh._batch.answers import fill, points_of
from rvh._batch.threads import over_rows
from rvh._columns.foreign import foreign_column
from rvh._columns.integers import CONTRACT, check_integers, foreign_key
from rvh._columns.values import is_whole
from rvh._runtime.slices import argsort, to_list
from rvh.errors import RVHError, RVHTypeError, show
from rvh.nodes import kept_without
from rvh.ring.tokens import points_of_tokens

if TYPE_CHECKING:
    from rvh.typing import Key, Keys

__all__ = ["Ring"]

#: a key's point: the first at or behind its token, the first behind it, or the nearest
HITS = ("point", "next", "nearest")


class Ring:
    """Nodes with points on a ring, made by `from_tokens` or by the function for a system.

    A key belongs to the node of the first point at or after its token; behind the last point the
    ring begins again. Its further nodes are those of the points that follow, each node once. A
    ring never changes. It can be used from many threads at once, pickled and compared.

    ============= ===================================================================
    hash          a key's token
    ============= ===================================================================
    ketama        the first 4 bytes of its MD5, little-endian (libketama)
    md5           the first 8 bytes of its MD5, big-endian (uhashring)
    crc32         CRC-32 as zlib's (nginx)
    murmur3       Cassandra's Murmur3Partitioner: the first half of MurmurHash3_x64_128, signed,
                  with the bytes behind the last 16 sign-extended; -2^63 for the empty key alone
    xxh64         XXH64 with seed 0
    one_at_a_time Bob Jenkins's hash, with sign-extended bytes (libmemcached on x86)
    sdbm          that of HAProxy's ``hash-type`` of this name; also ``djb2`` and ``wt6``, and
                  ``sdbm_avalanche``, ``djb2_avalanche``, ``wt6_avalanche``, ``crc32_avalanche``
    ============= ===================================================================

    A key is text or bytes. Systems write integers in different ways: ``integers`` tells a ring
    which one to use, and without it an integer key is an error. A composite key is always an
    error, because its bytes are rvh's own.

    ============= ===================================================================
    integers      the bytes that are hashed for an integer key
    ============= ===================================================================
    text          its decimal digits (uhashring)
    int32_be      4 bytes, big-endian two's complement (a Cassandra ``int``)
    int64_be      8 bytes, big-endian two's complement (a Cassandra ``bigint``)
    int32_le      4 bytes, little-endian two's complement
    int64_le      8 bytes, little-endian two's complement
    contract      rvh's 8 bytes, as int64_le, and up to 2^64-1
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
        *("_nodes_with_points", "_owners", "_points", "_ring", "_tag"),
    )

    def __init__(
        self,
        ids: Any,
        hash_name: str,
        points: NDArray[Any],
        owners: NDArray[Any],
        integers: str | None = None,
        hit: str = "point",
        tag: str | None = None,
    ) -> None:
        # Points are unsigned numbers in the order of the tokens. Of equal points the first counts.
        self._column, self._ids = _keys.node_column(ids)
        _keys.check_unique(list(self._column.iter_bytes()))
        self._ids.flags.writeable = False
        _check_points(hash_name, points, owners, len(self._ids))
        order = argsort(points)
        self._hash = hash_name
        self._integers = check_integers(integers)
        self._hit = hit
        self._tag = as_tag(tag)
        self._points = np.ascontiguousarray(points[order], dtype=np.uint64)
        self._owners = np.ascontiguousarray(owners[order], dtype=np.uint32)
        self._points.flags.writeable = self._owners.flags.writeable = False
        self._names = to_list(self._ids)
        self._nodes_with_points = int(np.count_nonzero(np.bincount(self._owners)))
        self._ring = RingPoints(hash_name, *self._last_tokens(), self._tag)
        self._fingerprint: str | None = None

    def _last_tokens(self) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """The last token that belongs to each point, ascending, and each point's owner."""
        if self._hit == "point":
            return self._points, self._owners
        lowest, highest = HASHES[self._hash]
        if self._hit == "nearest":  # half of the way to the next point, round the ring
            around = np.uint64(highest - lowest)
            last = (
                self._points + ((np.roll(self._points, -1) - self._points) & around) // 2
            ) & around
            turned = int(last[-1] < last[0])
            return np.roll(last, turned), np.roll(self._owners, turned)
        # A point at 0 has the tokens up to the top of the ring.
        zeros = int(np.searchsorted(self._points, 1))
        top = np.full(zeros, highest - lowest, dtype=np.uint64)
        last = np.concatenate([self._points[zeros:] - np.uint64(1), top])
        return last, np.roll(self._owners, -zeros)

    @classmethod
    def from_tokens(
        cls,
        tokens: Mapping[Any, Any],
        hash_name: str,
        *,
        integers: str | None = None,
        hit: str = "point",
        tag: str | None = None,
    ) -> Ring:
        """Make a ring of explicit tokens.

        Parameters
        ----------
        tokens : mapping of node ids to sequences of int
            Each node's tokens, in the range of the hash: see `HASHES`. A node without tokens is
            never selected.
        hash_name : one of `HASHES`
            The hash that turns a key into a token: see `Ring`.
        integers : {"text", "int32_be", "int64_be", "int32_le", "int64_le", "contract"}, optional
            How the system writes integer keys; by default they are errors.
        hit : {"point", "next", "nearest"}
            A key's point: the first at or behind its token; the first behind it; or the nearest,
            of two that are equally near the one before.
        tag : str, optional
            Two characters. Of a key that has them, only what is between the first and the next
            second is hashed, if that is not empty.

        Returns
        -------
        Ring

        Raises
        ------
        RVHError
            An unknown hash, ``integers`` or ``hit``; a token that is out of range or given twice;
            no tokens; a ``tag`` that is not two ASCII characters.
        RVHTypeError
            A token that is not a whole number.

        Examples
        --------
        >>> from rvh.ring import Ring
        >>> ring = Ring.from_tokens({"a": [-(2**62), 2**62], "b": [0]}, "murmur3")
        >>> ring.lookup("123", k=2), ring.token("123")
        (['a', 'b'], -7468325962851647638)
        >>> ring.with_integers("int64_be").token(1)  # a bigint
        6292367497774912474
        """
        check_integers(integers)
        one_of("hit", hit, HITS)
        hash_name = one_of("hash_name", hash_name, HASHES)
        if not isinstance(tokens, Mapping):
            raise RVHTypeError(
                f"tokens is of type {type(tokens).__name__}: pass a mapping of nodes to lists, "
                'for example {"a": [0, 1000]}'
            )
        lowest, highest = HASHES[hash_name]
        seen: dict[int, Any] = {}
        owners: list[int] = []
        for number, (node, values) in enumerate(tokens.items()):
            is_sequence = isinstance(values, Iterable) and getattr(values, "ndim", 1) > 0
            if isinstance(values, (str, bytes)) or not is_sequence:
                raise RVHTypeError(
                    f"the tokens of node {show(node)} are {show(values)}: pass a list"
                )
            for token in values:
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
        return cls(list(tokens), hash_name, points, np.array(owners), integers, str(hit), tag)

    # -- properties ---------------------------------------------------------------------------

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
        """The way that integer keys are written: one of `INTEGERS`, or None if they are errors."""
        return self._integers

    @property
    def tag(self) -> str | None:
        """The two characters around the part of a key that is hashed; None for whole keys."""
        return self._tag.decode() or None

    @property
    def tokens(self) -> NDArray[Any]:
        """The tokens of all points, ascending, shape (P,): int64 for murmur3, else uint64.

        Examples
        --------
        >>> from rvh.ring import Ring
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
        """Hex digest (64 characters) of everything that decides which node a key belongs to.

        Examples
        --------
        >>> from rvh.ring import ketama
        >>> ketama(["a", "b"]).fingerprint == ketama(["b", "a"]).fingerprint
        True
        """
        if self._fingerprint is None:
            digest = hashlib.blake2b(digest_size=32, person=b"rvh Ring")
            # Defaults are left out: fingerprints are older than these options.
            options = f"hash={self._hash}"
            if self._integers not in (None, CONTRACT):
                options += f" integers={self._integers}"
            if self._hit != "point":
                options += f" hit={self._hit}"
            if self._tag:
                options += f" tag={self._tag.decode()}"
            digest.update(f"{options}\n".encode())
            names = list(self._column.iter_bytes())
            for point, owner in zip(self._points.tolist(), self._owners.tolist(), strict=True):
                digest.update(point.to_bytes(8, "little"))
                digest.update(len(names[owner]).to_bytes(8, "little"))
                digest.update(names[owner])
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def __len__(self) -> int:
        """The number of points."""
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
            "tag": self.tag,
        }
        return tuple((options | changes).values())

    # -- changed copies -----------------------------------------------------------------------

    def with_integers(self, integers: str | None) -> Ring:
        """Return the same ring with integer keys written in another way.

        Parameters
        ----------
        integers : one of `INTEGERS`, or None
            As for `from_tokens`.

        Returns
        -------
        Ring

        Raises
        ------
        RVHError
            Another value.

        Examples
        --------
        >>> from rvh.ring import ketama
        >>> ketama(["a", "b"]).with_integers("text").lookup(42)
        ['a']
        """
        return Ring(*self._options(integers=integers))

    def without(self, nodes: Any) -> Ring:
        """Return the ring without the points of some nodes; all other points stay.

        A key of a removed node goes to the next node on the ring, and no other key moves. A new
        ring of the remaining nodes may have other points, if their number depends on all weights.

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
            An id that is not on the ring; no point would be left.
        RVHTypeError
            A value that is not an id.

        Examples
        --------
        >>> from rvh.ring import ketama
        >>> ring = ketama(["a", "b", "c"])
        >>> ring.lookup("user:1", 3), ring.without("b").lookup("user:1", 2)
        (['b', 'c', 'a'], ['c', 'a'])
        """
        positions = {node: position for position, node in enumerate(self._column.iter_bytes())}
        kept = kept_without(nodes, positions, "on the ring")[self._owners]
        if not kept.any():
            raise RVHError("no node with a point is left on the ring: leave at least one")
        return Ring(*self._options(points=self._points[kept], owners=self._owners[kept]))

    # -- lookups ------------------------------------------------------------------------------

    def lookup(self, key: Key, k: int = 1) -> list[Any]:
        """The node of one key, and the nodes that follow on the ring.

        Parameters
        ----------
        key : str or bytes-like; int if the ring has `integers`
        k : int
            The number of nodes, from 1 to the number of nodes with a point.

        Returns
        -------
        list
            ``k`` node ids, each once.

        Raises
        ------
        RVHError
            ``k`` out of range, an integer on a ring without `integers`, or a key without bytes
            (then also a TypeError).

        Examples
        --------
        >>> from rvh.ring import ketama
        >>> ketama(["a", "b", "c"]).lookup("user:1", k=2)
        ['b', 'c']
        """
        if type(key) is not str:
            key = foreign_key(key, self._integers)
        return self._ring.lookup_one(key, self._check_k(k), self._names)

    def lookup_batch(self, keys: Keys, k: int = 1, *, threads: int | None = None) -> NDArray[Any]:
        """The nodes of every key.

        Parameters
        ----------
        keys : sequence or array of str or bytes, shape (M,); of int as in `lookup`
            Any kind in `rvh.keys.KINDS` except composite keys. It must not change during the call.
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
        >>> from rvh.ring import ketama
        >>> ketama(["a", "b", "c"]).lookup_batch(["user:1", "user:2"], k=2)
        array([['b', 'c'],
               ['c', 'a']], dtype='<U1')
        """
        return self._look_up(keys, k, self._ids, threads)

    def arglookup_batch(
        self, keys: Keys, k: int = 1, *, threads: int | None = None
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
        >>> from rvh.ring import ketama
        >>> ketama(["a", "b", "c"]).arglookup_batch(["user:1", "user:2"])
        array([[1],
               [2]])
        """
        return self._look_up(keys, k, None, threads)

    def lookup_tokens(self, tokens: Any, k: int = 1, *, threads: int | None = None) -> NDArray[Any]:
        """The nodes of keys whose tokens somebody has computed already.

        Parameters
        ----------
        tokens : sequence or array of int, shape (M,)
            Tokens by the ring's hash, in its range: see `HASHES`.
        k, threads
            As for `lookup_batch`.

        Returns
        -------
        ndarray, shape (M, k)
            Node ids, in the dtype of `ids`.

        Raises
        ------
        RVHError
            A token that is out of range; ``k`` or ``threads`` as for `lookup_batch`.
        RVHTypeError
            A token that is not a whole number.

        Examples
        --------
        >>> from rvh.ring import ketama
        >>> ring = ketama(["a", "b", "c"])
        >>> ring.lookup_tokens(ring.token_batch(["user:1", "user:2"]), k=2)
        array([['b', 'c'],
               ['c', 'a']], dtype='<U1')
        """
        return self._look_up_tokens(tokens, k, self._ids, threads)

    def arglookup_tokens(
        self, tokens: Any, k: int = 1, *, threads: int | None = None
    ) -> NDArray[np.intp]:
        """The positions in `ids` of the nodes of keys whose tokens are computed already.

        Parameters
        ----------
        tokens, k, threads
            As for `lookup_tokens`.

        Returns
        -------
        ndarray of intp, shape (M, k)

        Raises
        ------
        RVHError, RVHTypeError
            As `lookup_tokens`.

        Examples
        --------
        >>> from rvh.ring import Ring
        >>> ring = Ring.from_tokens({"a": [-(2**62), 2**62], "b": [0]}, "murmur3")
        >>> ring.arglookup_tokens([-1, 0, 1])[:, 0]
        array([1, 1, 0])
        """
        return self._look_up_tokens(tokens, k, None, threads)

    def _look_up_tokens(
        self, tokens: Any, k: Any, names: NDArray[Any] | None, threads: int | None
    ) -> NDArray[Any]:
        k = self._check_k(k)
        points = points_of_tokens(tokens, self._hash)
        dtype = np.dtype(np.intp) if names is None else names.dtype
        out = np.empty((len(points), k), dtype=dtype)
        over_rows(partial(self._ring.lookup_points, names), points, out, 1, threads)
        return out

    def _look_up(
        self, keys: Keys, k: Any, names: NDArray[Any] | None, threads: int | None
    ) -> NDArray[Any]:
        """Look up the nodes of every key, as elements of `names` or, without it, as positions."""
        k = self._check_k(k)
        dtype = np.dtype(np.intp) if names is None else names.dtype
        with _keys.open_keys(keys) as column:
            out = np.empty((len(column), k), dtype=dtype)
            hashed = foreign_column(column, self._integers)
            fill(partial(self._ring.lookup, names), hashed, out, 1, threads)
        return out

    def token(self, key: Key) -> int:
        """The token of one key by the ring's hash; raises as `lookup`.

        Examples
        --------
        >>> from rvh.ring import ketama
        >>> ketama(["a"]).token("test")
        3446378249
        """
        if type(key) is not str:
            key = foreign_key(key, self._integers)
        return key_point(self._hash, key, self._tag) + HASHES[self._hash][0]

    def token_batch(self, keys: Keys, *, threads: int | None = None) -> NDArray[Any]:
        """The token of every key.

        Parameters
        ----------
        keys, threads
            As for `lookup_batch`.

        Returns
        -------
        ndarray of uint64 (int64 for murmur3), shape (M,)

        Raises
        ------
        RVHError, RVHTypeError
            As `lookup_batch`.

        Examples
        --------
        >>> from rvh.ring import Ring
        >>> Ring.from_tokens({"a": [0]}, "xxh64").token_batch(["", "a"]) % 1000
        array([921, 955], dtype=uint64)
        """
        with _keys.open_keys(keys) as column:
            hashed = foreign_column(column, self._integers)
            return self._as_tokens(points_of(self._hash, hashed, threads, self._tag))

    def _as_tokens(self, points: NDArray[np.uint64]) -> NDArray[Any]:
        if HASHES[self._hash][0] == 0:
            return points
        return (points ^ np.uint64(1 << 63)).view(np.int64)

    def _check_k(self, k: Any) -> int:
        limit = self._nodes_with_points
        return whole_number("k", k, limit, f"{limit} nodes have a point on the ring")


def _check_points(hash_name: str, points: NDArray[Any], owners: NDArray[Any], nodes: int) -> None:
    """Reject points and owners that do not make a ring: C reads them unchecked."""
    one_of("hash_name", hash_name, HASHES)
    lowest, highest = HASHES[hash_name]
    for what, array, limit in (("points", points, highest - lowest), ("owners", owners, nodes - 1)):
        if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype.kind not in "iu":
            raise RVHTypeError(f"the {what} of a Ring are {show(array)}: pass an array of integers")
        if len(array) == 0 or len(array) != len(points):
            raise RVHError(
                f"a Ring has {len(points)} points and {len(array)} {what}: pass equally "
                "many, at least one, or call Ring.from_tokens()"
            )
        if array.min() < 0 or array.max() > limit:
            raise RVHError(
                f"the {what} of a Ring go from {array.min()} to {array.max()}: each is from 0 to "
                f"{limit}"
            )
