"""NodeSet: a set of nodes prepared once, immutable, that answers for any number of keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvh import keys as _keys
from rvh._backend import Cancel, PreparedNodes
from rvh._parallel import over_rows
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["SCHEMES", "NodeSet"]

#: the scoring schemes; a scheme never changes, so it needs no version
SCHEMES = ("blake2b",)
SECRET_MAX = 64  # bytes, BLAKE2b's longest key
#: compressions above which `aselect` leaves the event loop: about 0.4 ms of AVX-512
INLINE_COMPRESSIONS = 1 << 14


class NodeSet:
    """Nodes prepared for rendezvous hashing.

    A NodeSet never changes: `add`, `remove` and `subset` give new ones. It can be used from many
    threads at once, pickled, compared and hashed.

    Parameters
    ----------
    ids : sequence or one-dimensional array of str or bytes, shape (N,)
        The node ids: non-empty and unique; a str is its UTF-8. Answers come in their dtype: a
        list of str becomes a NumPy ``U`` array, a list of bytes ``S``, a mixed list object.
    weights : None
        Weighted ranking is not part of this version; only the default is accepted.
    scheme : {"blake2b"}
        How a (node, key) pair is scored. See `docs/architecture.md`.
    secret : bytes
        BLAKE2b key of 0 to 64 bytes. With a non-empty secret, nobody without it can aim keys at
        a node.

    Raises
    ------
    RVHError
        No nodes, an empty or repeated id, a lone surrogate, an unknown scheme, a long secret.
    RVHTypeError
        An id that is neither str nor bytes, a secret that is not bytes.

    Notes
    -----
    Highest-random-weight hashing: D. G. Thaler and C. V. Ravishankar, "Using name-based mappings
    to increase hit rates", IEEE/ACM Transactions on Networking 6(1), 1998. BLAKE2b: RFC 7693.

    Examples
    --------
    >>> import rvh
    >>> ns = rvh.NodeSet(["alpha", "beta", "gamma"])
    >>> ns.select("txn-42", k=3)
    ['gamma', 'beta', 'alpha']
    >>> ns.select_batch(["txn-42", "txn-41"])
    array([['gamma'],
           ['beta']], dtype='<U5')
    """

    __slots__ = (
        "__weakref__",
        "_column",
        "_fingerprint",
        "_ids",
        "_objects",
        "_prepared",
        "_secret",
    )

    _ids: NDArray[Any]
    _secret: bytes

    def __init__(
        self,
        ids: Any,
        weights: ArrayLike | None = None,
        scheme: str = "blake2b",
        secret: bytes = b"",
    ) -> None:
        if not isinstance(scheme, str) or scheme not in SCHEMES:
            raise RVHError(f"scheme is {show(scheme)}: choose one of {', '.join(SCHEMES)}")
        self._secret = _check_secret(secret)
        self._column, self._ids = _keys.node_column(ids)
        _check_weights(weights, len(self._ids))
        self._ids.flags.writeable = False
        self._prepared = PreparedNodes(self._column, self._secret)
        self._objects: list[Any] | None = None
        self._fingerprint: str | None = None

    # -- what it is ---------------------------------------------------------------------------

    @property
    def ids(self) -> NDArray[Any]:
        """The node ids, shape (N,), in the order of the answers' indices; read-only."""
        return self._ids

    @property
    def scheme(self) -> str:
        """The scoring scheme."""
        return "blake2b"

    @property
    def secret(self) -> bytes:
        """The BLAKE2b key, empty where none was given."""
        return self._secret

    @property
    def fingerprint(self) -> str:
        """Hex digest (64 characters) of everything that decides on which id a key lives.

        Two machines whose fingerprints are equal give every key the same ids. The order of the
        ids decides no placement and is left out (it decides indices: compare sets with ``==``
        where you exchange those). The secret enters as a key, so the digest does not show it.

        Examples
        --------
        >>> import rvh
        >>> a, b = rvh.NodeSet(["x", "y"]), rvh.NodeSet(["y", "x"])
        >>> a.fingerprint == b.fingerprint, a == b
        (True, False)
        """
        if self._fingerprint is None:
            digest = hashlib.blake2b(digest_size=32, key=self._secret, person=b"rvh NodeSet")
            digest.update(b"scheme=blake2b\n")
            for node in sorted(self._column.iter_bytes()):
                digest.update(len(node).to_bytes(8, "little"))
                digest.update(node)
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._id_objects())

    def __contains__(self, node: object) -> bool:
        """Whether the id is there; a str and its UTF-8 bytes are the same id."""
        if not isinstance(node, (str, bytes)):
            return False
        try:
            return _keys.key_bytes(node) in self._column.iter_bytes()
        except RVHError:  # a lone surrogate is nobody's id
            return False

    def __repr__(self) -> str:
        secret = f", secret=<{len(self._secret)} bytes>" if self._secret else ""
        names = ", ".join(map(repr, self._id_objects()[:3]))
        more = ", ..." if len(self) > 3 else ""
        return f"NodeSet([{names}{more}], n={len(self)}, scheme={self.scheme!r}{secret})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NodeSet):
            return NotImplemented
        return self is other or (
            self._secret == other._secret and self._id_objects() == other._id_objects()
        )

    def __hash__(self) -> int:
        return hash((self._secret, *self._id_objects()))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._ids, {"scheme": self.scheme, "secret": self._secret})

    # -- answers ------------------------------------------------------------------------------

    def select(self, key: Any, k: int = 1) -> list[Any]:
        """The best `k` nodes of one key.

        Parameters
        ----------
        key : str, bytes-like or int
        k : int
            How many, 1 <= k <= N.

        Returns
        -------
        list
            ``k`` node ids, best first.

        Raises
        ------
        RVHError
            ``k`` out of range, or a key without bytes (then also a TypeError).

        Examples
        --------
        >>> import rvh
        >>> rvh.NodeSet(["node1", "node2", "node3"]).select("obj", k=2)
        ['node1', 'node2']
        """
        ids = self._objects or self._id_objects()
        if k.__class__ is not int or not 0 < k <= len(ids):
            k = self._check_k(k)
        return self._prepared.select_one(key, k, ids)

    async def aselect(self, key: Any, k: int = 1) -> list[Any]:
        """`select` for asyncio: small work at once, large work off the event loop.

        Examples
        --------
        >>> import asyncio, rvh
        >>> asyncio.run(rvh.NodeSet(["node1", "node2", "node3"]).aselect("obj"))
        ['node1']
        """
        blocks = 1 + (len(key) >> 7 if isinstance(key, (str, bytes, bytearray)) else 0)
        if blocks * len(self) <= INLINE_COMPRESSIONS:
            return self.select(key, k)
        import asyncio  # 20 ms of import that only an event loop needs, and it has paid already

        return await asyncio.to_thread(self.select, key, k)

    def argselect_batch(
        self, keys: Any, k: int = 1, *, threads: int | None = None
    ) -> NDArray[np.intp]:
        """Indices of the best `k` nodes of every key.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`. It must not change during the call.
        k : int
            How many, 1 <= k <= N.
        threads : int, optional
            Threads to use; by default the process's cores when the work is worth it, capped by
            ``RVH_NUM_THREADS``. The answer does not depend on it.

        Returns
        -------
        ndarray of intp, shape (M, k)
            Positions in `ids`, best first: score descending, then node bytes descending.

        Raises
        ------
        RVHError
            ``k`` out of range, keys not one-dimensional, a lone surrogate, an integer out of
            range; the message names the first position.
        RVHTypeError
            Keys of a type without bytes: bool, float, None, dates.

        Examples
        --------
        >>> import numpy as np, rvh
        >>> ns = rvh.NodeSet(["alpha", "beta", "gamma"])
        >>> ns.argselect_batch(np.array(["txn-42", "txn-41"]), k=2)
        array([[2, 1],
               [1, 2]])
        """
        k = self._check_k(k)
        keys = _keys.column(keys)
        out = np.empty((len(keys), k), dtype=np.intp)

        def work(start: int, stop: int, cancel: Cancel) -> None:
            self._prepared.argselect(keys, start, stop, out[start:stop], cancel)

        over_rows(work, len(keys), len(self), threads)
        return out

    def select_batch(self, keys: Any, k: int = 1, *, threads: int | None = None) -> NDArray[Any]:
        """The best `k` nodes of every key.

        Parameters
        ----------
        keys, k, threads
            As for `argselect_batch`.

        Returns
        -------
        ndarray, shape (M, k)
            Node ids, best first, in the dtype of `ids`.

        Raises
        ------
        RVHError, RVHTypeError
            As `argselect_batch`.

        Examples
        --------
        >>> import rvh
        >>> rvh.NodeSet([b"a", b"b", b"c"]).select_batch(range(2), k=2)
        array([[b'c', b'b'],
               [b'b', b'a']], dtype='|S1')
        """
        k = self._check_k(k)
        keys = _keys.column(keys)
        out = np.empty((len(keys), k), dtype=self._ids.dtype)

        def work(start: int, stop: int, cancel: Cancel) -> None:
            # A block of indices at a time: indices of all rows would double the memory.
            chosen = np.empty((stop - start, k), dtype=np.intp)
            self._prepared.argselect(keys, start, stop, chosen, cancel)
            if not cancel.is_set():
                # "clip" spares take() a buffered copy; the indices are in range.
                self._ids.take(chosen, out=out[start:stop], mode="clip")

        over_rows(work, len(keys), len(self), threads)
        return out

    def score_batch(self, keys: Any, *, threads: int | None = None) -> NDArray[np.uint64]:
        """The score of every (key, node) pair.

        Parameters
        ----------
        keys, threads
            As for `argselect_batch`.

        Returns
        -------
        ndarray of uint64, shape (M, N, 2)
            High and low word of the 128-bit score; columns in the order of `ids`.

        Raises
        ------
        RVHError, RVHTypeError
            As `argselect_batch`.

        Examples
        --------
        >>> import hashlib, rvh
        >>> high, low = rvh.NodeSet(["alpha"]).score_batch(["txn-42"])[0, 0].tolist()
        >>> digest = hashlib.blake2b(b"alpha" + b"txn-42", digest_size=16).digest()
        >>> (high << 64 | low) == int.from_bytes(digest, "big")
        True
        """
        keys = _keys.column(keys)
        out = np.empty((len(keys), len(self), 2), dtype=np.uint64)

        def work(start: int, stop: int, cancel: Cancel) -> None:
            self._prepared.scores(keys, start, stop, out[start:stop], cancel)

        over_rows(work, len(keys), len(self), threads)
        return out

    def scores(self, key: Any) -> list[tuple[Any, int]]:
        """Every node with its score for one key, best first.

        Returns
        -------
        list of (id, int)
            The 128-bit scores, descending.

        Examples
        --------
        >>> import rvh
        >>> [node for node, score in rvh.NodeSet(["alpha", "beta", "gamma"]).scores("txn-42")]
        ['gamma', 'beta', 'alpha']
        """
        ids = self._id_objects()
        order = self._prepared.select_one(key, len(ids), list(range(len(ids))))
        words = np.empty((1, len(ids), 2), dtype=np.uint64)
        self._prepared.scores(_keys.column([key]), 0, 1, words, None)
        pairs = words[0].tolist()
        return [(ids[n], pairs[n][0] << 64 | pairs[n][1]) for n in order]

    # -- other sets ---------------------------------------------------------------------------

    def add(self, ids: Any) -> NodeSet:
        """A new set with `ids` (one id or several) appended.

        Examples
        --------
        >>> import rvh
        >>> list(rvh.NodeSet(["a"]).add(["b", "c"]))
        ['a', 'b', 'c']
        """
        together = [*self._id_objects(), *_as_list(ids)]
        if self._ids.dtype == object:  # stays so, even where all are str now
            return self._with_ids(_keys.object_array(together))
        return self._with_ids(together)

    def remove(self, ids: Any) -> NodeSet:
        """A new set without `ids` (one id or several), which must be there.

        Examples
        --------
        >>> import rvh
        >>> list(rvh.NodeSet(["a", "b", "c"]).remove("b"))
        ['a', 'c']
        """
        places = {node: place for place, node in enumerate(self._column.iter_bytes())}
        stays = np.ones(len(self), dtype=np.bool_)
        for node in _as_list(ids):
            place = places.get(_keys.key_bytes(node, what="node id"))
            if place is None or not stays[place]:
                raise RVHError(f"node id {show(node)} is not in the set, so it cannot be removed")
            stays[place] = False
        return self._with_ids(self._ids[stays])

    def subset(self, mask: ArrayLike) -> NodeSet:
        """A new set of the nodes where `mask`, shape (N,) of bool, is true.

        Examples
        --------
        >>> import rvh
        >>> list(rvh.NodeSet(["a", "b", "c"]).subset([True, False, True]))
        ['a', 'c']
        """
        try:
            chosen = np.asarray(mask)
        except ValueError:  # rows of different length
            raise RVHError("mask is ragged: pass one bool for each node") from None
        if chosen.dtype != np.bool_:
            raise RVHTypeError(f"mask is an array of {chosen.dtype}: pass one bool for each node")
        if chosen.shape != (len(self),):
            raise RVHError(
                f"mask has shape {chosen.shape}: it needs ({len(self)},), one for each node"
            )
        return self._with_ids(self._ids[chosen])

    # -- helpers ------------------------------------------------------------------------------

    def _with_ids(self, ids: Any) -> NodeSet:
        return NodeSet(ids, scheme=self.scheme, secret=self._secret)

    def _id_objects(self) -> list[Any]:
        """The ids as Python objects, made once."""
        if self._objects is None:
            self._objects = self._ids.tolist()
        return self._objects

    def _check_k(self, k: Any) -> int:
        try:
            number = index(k)
        except TypeError:
            number = None
        if number is None or isinstance(k, (bool, np.bool_)):
            raise RVHTypeError(f"k is {show(k)}: pass a whole number")
        if not 1 <= number <= len(self):
            raise RVHError(
                f"k is {number}, but the set has {len(self)} nodes: choose 1 <= k <= {len(self)}"
            )
        return number


def _rebuild(ids: NDArray[Any], options: dict[str, Any]) -> NodeSet:
    """Unpickle: the prepared state is built anew, never sent."""
    return NodeSet(ids, **options)


def _as_list(ids: Any) -> list[Any]:
    if isinstance(ids, (str, bytes)):
        return [ids]
    try:
        return list(ids)
    except TypeError:
        raise RVHTypeError(
            f"ids is of type {type(ids).__name__} ({show(ids)}): pass one id or a list of ids"
        ) from None


def _check_secret(secret: Any) -> bytes:
    if not isinstance(secret, (bytes, bytearray, memoryview)):
        raise RVHTypeError(
            f"secret is of type {type(secret).__name__}: pass bytes, for example secret.encode()"
        )
    key = bytes(secret)
    if len(key) > SECRET_MAX:
        raise RVHError(
            f"secret has {len(key)} bytes: BLAKE2b takes at most {SECRET_MAX}; "
            "pass a digest of it, for example hashlib.blake2b(secret).digest()"
        )
    return key


def _check_weights(weights: Any, nodes: int) -> None:
    if weights is None:
        return
    try:
        count = len(weights)
    except TypeError:
        raise RVHTypeError(
            f"weights is {show(weights)}: pass one weight for each node, or None"
        ) from None
    if count != nodes:
        raise RVHError(
            f"weights has shape ({count},): it needs ({nodes},), one weight for each node"
        )
    raise RVHError("weights are not part of this version of rvh: leave weights=None")
