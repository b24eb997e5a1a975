"""NodeSet: an immutable set of nodes, prepared once, that answers for any number of keys."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvh import _pickles
from rvh import keys as _keys
from rvh._about import __version__
from rvh._arguments.choices import one_of
from rvh._arguments.domains import Domains, as_domains, labels_of
from rvh._arguments.masks import node_mask
from rvh._arguments.numbers import real_numbers
from rvh._arguments.per_node import check_count
from rvh._arguments.weights import as_weights, in_order
from rvh._backend import Cancel, Selector, ascending
from rvh._backend.contract import SCHEMES
from rvh._batch.answers import fill
from rvh._batch.ranking import Ranking
from rvh._runtime.slices import SLICE, put, slices, to_list
from rvh.errors import RVHError, RVHTypeError, show

if TYPE_CHECKING:
    from rvh._columns.arrow.writer import Names, NodeColumn
    from rvh.typing import (
        Dedupe,
        Key,
        Keys,
        KeysWithNulls,
        NodeId,
        NodeIds,
        Scheme,
        Secret,
        Weights,
    )

__all__ = ["SCHEMES", "NodeSet"]

SECRET_MAX = 64  # bytes, BLAKE2b's longest key


class NodeSet(Selector):
    """Nodes prepared for rendezvous hashing.

    A NodeSet never changes: `add`, `remove`, `subset` and `with_weights` return new ones. It can be
    used by several threads at once, pickled, compared and hashed.

    Parameters
    ----------
    ids : sequence or one-dimensional array of str or bytes, shape (N,)
        The node ids: non-empty and unique; a str stands for its UTF-8. Answers have their dtype: a
        list of str becomes a NumPy ``U`` array, a list of bytes ``S``, a mixed list object.
    weights : sequence or array of numbers, shape (N,), or mapping of id to number, optional
        Each node's weight: finite, 0 or more; a mapping has every id and no other. Over many keys,
        a node gets the share ``weight / sum(weights)``; a node of weight 0 is never selected. Only
        ratios matter. The default, None, ranks without weights (in ``murmur``, equal weights rank
        differently).
    scheme : {"blake2b", "murmur"}
        The hash that scores (node, key) pairs. BLAKE2b with a secret stays balanced even if an
        attacker chooses the keys. MurmurHash64A hashes each key and each node once and mixes the
        two for each pair, which is much faster but no defence. See `docs/explanation/security.md`.
    secret : bytes
        BLAKE2b key of 0 to 64 bytes; not for ``murmur``. With a non-empty secret, only those who
        know it, or see answers, can find keys that go to a chosen node. The native backend wipes it
        from prepared nodes when the set is freed; `secret` and pickles have it as bytes.
    domains : mapping of str to sequences of str, bytes or int, shape (N,), optional
        Failure domains: for each kind (``"zone"``, ``"rack"``) every node's label. They change no
        answer of the set itself; `rvh.faultset` and `rvh.filter` read them.

    Raises
    ------
    RVHError
        No nodes, an empty or repeated id, a lone surrogate, an unknown scheme, a secret that is too
        long or given for ``murmur``, a weight that is negative, NaN or infinite, all weights 0, a
        mapping of weights without one for each id, domains without one label for each node.
    RVHTypeError
        An id that is neither str nor bytes, a secret that is not bytes, a weight that is not a
        number, a label of another type.

    Notes
    -----
    Highest-random-weight hashing: D. G. Thaler and C. V. Ravishankar, "Using name-based mappings
    to increase hit rates", IEEE/ACM Transactions on Networking 6(1), 1998. BLAKE2b: RFC 7693.
    ``murmur``: mcrouter's RendezvousHash. Weights, ``w / -ln(u)``: C. Schindelhauer and G.
    Schomaker, "Weighted distributed hash tables", SPAA 2005.

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
        "_arrow_names",
        "_domains",
        "_fingerprint",
        "_ids",
        "_scheme",
        "_secret",
        "_weights",
    )

    _ranking: Ranking
    _ids: NDArray[Any]
    _scheme: str
    _secret: bytes
    _weights: NDArray[np.float64] | None
    _domains: Domains

    def __init__(
        self,
        ids: NodeIds,
        weights: Weights | None = None,
        scheme: Scheme = "blake2b",
        secret: Secret = b"",
        domains: Mapping[str, Any] | None = None,
    ) -> None:
        self._scheme = one_of("scheme", scheme, SCHEMES)
        self._secret = _check_secret(secret, self._scheme)
        column, self._ids = _keys.node_column(ids)
        self._ids.flags.writeable = False
        self._weights = None if weights is None else as_weights(weights, self._ids)
        self._domains = as_domains(domains, self._ids)
        if self._weights is not None:
            self._weights.flags.writeable = False
        super().__init__(Ranking(column, self._ids, self._scheme, self._weights, self._secret))
        self._fingerprint: str | None = None
        self._arrow_names: Names | None = None

    # -- properties ---------------------------------------------------------------------------

    @property
    def ids(self) -> NDArray[Any]:
        """The node ids, shape (N,), in the order of the answers' indices; read-only."""
        return self._ids

    @property
    def scheme(self) -> str:
        """The scoring scheme."""
        return self._scheme

    @property
    def weights(self) -> NDArray[np.float64] | None:
        """The weights, shape (N,), in the order of `ids`; read-only. None without weights."""
        return self._weights

    @property
    def secret(self) -> bytes:
        """The BLAKE2b key; empty if none was given."""
        return self._secret

    @property
    def domains(self) -> Domains:
        """Every node's label in each kind of failure domain: name to a tuple of N labels.

        Read-only; empty without domains.

        Examples
        --------
        >>> import rvh
        >>> rvh.NodeSet(["a", "b"], domains={"zone": ["eu-1", "eu-2"]}).domains["zone"]
        ('eu-1', 'eu-2')
        """
        return self._domains

    @property
    def fingerprint(self) -> str:
        """Hex digest (64 characters) of everything that decides which ids a key gets.

        Two machines with equal fingerprints give every key the same ids. The order of the ids is
        left out, since it decides no placement (it decides indices: compare sets with ``==`` if you
        exchange indices). Failure domains are left out too. The secret is the key of the digest,
        which does not reveal it.

        Examples
        --------
        >>> import rvh
        >>> a, b = rvh.NodeSet(["x", "y"]), rvh.NodeSet(["y", "x"])
        >>> a.fingerprint == b.fingerprint, a == b
        (True, False)
        """
        if self._fingerprint is None:
            import hashlib  # takes 3 ms (OpenSSL), and only fingerprints need it

            weighted = " weighted" if self._weights is not None else ""
            digest = hashlib.blake2b(digest_size=32, key=self._secret, person=b"rvh NodeSet")
            digest.update(f"scheme={self._scheme}{weighted}\n".encode())
            names, weights = list(self._ranking.column.iter_bytes()), list(self._weight_bytes())
            for position in to_list(ascending(self._ranking.column)):
                digest.update(len(names[position]).to_bytes(8, "little"))
                digest.update(names[position])
                digest.update(weights[position])
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._ranking.names())

    def __contains__(self, node: object) -> bool:
        """Tell whether an id is in the set; a str and its UTF-8 bytes are the same id."""
        if not _keys.is_one_id(node):
            return False
        try:
            return _keys.key_bytes(node) in self._ranking.places()
        except RVHError:  # no id has a lone surrogate
            return False

    def __repr__(self) -> str:
        secret = f", secret=<{len(self._secret)} bytes>" if self._secret else ""
        names = ", ".join(map(repr, self._ids[:3].tolist()))
        more = ", ..." if len(self) > 3 else ""
        weights = ", weights=..." if self._weights is not None else ""
        return f"NodeSet([{names}{more}], n={len(self)}, scheme={self.scheme!r}{weights}{secret})"

    def _repr_html_(self) -> str:
        """Return a table for notebooks; the secret is not in it."""
        from rvh._html import ROWS_MAX, counted, small_table

        columns: list[tuple[str, str, Any]] = [("node", "", self._ids[:ROWS_MAX].tolist())]
        if self._weights is not None:
            shown = self._weights[:ROWS_MAX]
            columns.append(("weight", "g", shown.tolist()))
            columns.append(("share", ".2%", (shown / self._weights.sum()).tolist()))
        columns += ((kind, "", labels[:ROWS_MAX]) for kind, labels in self._domains.items())
        secret = f", a secret of {counted(len(self._secret), 'byte')}" if self._secret else ""
        caption = f"NodeSet: {counted(len(self), 'node')}, {self._scheme}{secret}"
        return small_table(caption, columns, of=len(self))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NodeSet):
            return NotImplemented
        if self is other:
            return True
        if len(self) != len(other) or self._identity() != other._identity():
            return False
        ids, other_ids = self._ranking.names(), other._ranking.names()
        return all(ids[part] == other_ids[part] for part in slices(len(ids)))

    def __hash__(self) -> int:
        ids = self._ranking.names()
        if len(ids) <= SLICE:
            return hash((self._identity(), tuple(ids)))
        return hash((self._identity(), *(hash(tuple(ids[part])) for part in slices(len(ids)))))

    def __reduce__(self) -> tuple[Any, ...]:
        # Tuples are smaller than U arrays, and can be hashed: see _make_unpickled.
        weights = None if self._weights is None else tuple(self._weights.tolist())
        options = tuple(self._options(weights, tuple(self._domains.items())).items())
        state = self.fingerprint, self._ids.dtype, tuple(self._ranking.names()), options
        return _rebuild, (_pickles.FORMAT, *state)

    # -- answers ------------------------------------------------------------------------------

    # The base's, so that a call is one call of C; its name is that of the class that users know.
    select = Selector.select
    select.__module__, select.__qualname__ = __name__, "NodeSet.select"

    def _select_until(self, cancel: Cancel, key: Key, k: int) -> list[Any]:
        """Run `select` so that another thread can cancel it."""
        ranking = self._ranking
        return ranking.nodes.select_one(key, ranking.check_k(k), ranking.names(), cancel)

    async def aselect(self, key: Key, k: int = 1) -> list[Any]:
        """Select for asyncio: small work is done at once, large work off the event loop.

        If the task is cancelled, the work ends within some milliseconds.

        Examples
        --------
        >>> import asyncio, rvh
        >>> asyncio.run(rvh.NodeSet(["node1", "node2", "node3"]).aselect("obj"))
        ['node1']
        """
        if self._ranking.is_quick(key):
            return self.select(key, k)
        import asyncio  # takes 20 ms, but here the event loop has imported it

        cancel = Cancel()
        try:
            return await asyncio.to_thread(self._select_until, cancel, key, k)
        finally:  # otherwise the thread goes on, and asyncio.run() waits for it
            cancel.set()

    def argselect_batch(
        self,
        keys: Keys,
        k: int = 1,
        *,
        threads: int | None = None,
        dedupe: Dedupe = "auto",
    ) -> NDArray[np.intp]:
        """Select the best `k` nodes of every key, as indices.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`. It must not change during the call.
        k : int
            The number of nodes for each key, from 1 to the number of nodes with a weight above 0.
        threads : int, optional
            The number of threads. By default, large calls use the cores of the process, capped by
            ``RVH_NUM_THREADS``. The answer does not depend on it.
        dedupe : bool or "auto"
            True to score each distinct key once. By default a sample of the rows decides whether
            that saves time. The answer does not depend on it.

        Returns
        -------
        ndarray of intp, shape (M, k)
            Positions in `ids`, best first: in descending order of score (with weights, of weighted
            score and then score), then of node bytes.

        Raises
        ------
        RVHError
            ``k`` out of range, keys not one-dimensional, a lone surrogate, an integer out of
            range. The message names the first position.
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
        return self._positions(keys, k, threads, dedupe)

    def select_batch(
        self,
        keys: Keys,
        k: int = 1,
        *,
        threads: int | None = None,
        dedupe: Dedupe = "auto",
    ) -> NDArray[Any]:
        """Select the best `k` nodes of every key.

        Parameters
        ----------
        keys, k, threads, dedupe
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
        return self._names(keys, k, threads, dedupe)

    def argassign(
        self,
        keys: Keys,
        *,
        threads: int | None = None,
        dedupe: Dedupe = "auto",
    ) -> NDArray[np.intp]:
        """Find the node of every key, as indices: one column, ready for a table.

        Parameters
        ----------
        keys, threads, dedupe
            As for `argselect_batch`.

        Returns
        -------
        ndarray of intp, shape (M,)
            The positions in `ids` of the best nodes, ``argselect_batch(keys)[:, 0]``.

        Raises
        ------
        RVHError, RVHTypeError
            As `argselect_batch`.

        Examples
        --------
        >>> import rvh
        >>> rvh.NodeSet(["alpha", "beta", "gamma"]).argassign(["txn-42", "txn-41"])
        array([2, 1])
        """
        return self._positions(keys, 1, threads, dedupe)[:, 0]

    def assign(
        self,
        keys: Keys,
        *,
        threads: int | None = None,
        dedupe: Dedupe = "auto",
    ) -> NDArray[Any]:
        """Find the node of every key: one column, ready for a table.

        Parameters
        ----------
        keys, threads, dedupe
            As for `argselect_batch`.

        Returns
        -------
        ndarray, shape (M,)
            The ids of the best nodes in the dtype of `ids`, ``select_batch(keys)[:, 0]``.

        Raises
        ------
        RVHError, RVHTypeError
            As `argselect_batch`.

        Notes
        -----
        A ``U`` array has 4 bytes for each character of the longest id. `argassign` and
        `select_arrow` answer with a number for each key instead, which is faster and smaller.

        Examples
        --------
        >>> import rvh
        >>> rows = {"key": ["txn-42", "txn-41"]}
        >>> rows["node"] = rvh.NodeSet(["alpha", "beta", "gamma"]).assign(rows["key"])
        >>> rows["node"]
        array(['gamma', 'beta'], dtype='<U5')
        """
        return self._names(keys, 1, threads, dedupe)[:, 0]

    def select_arrow(
        self,
        column: KeysWithNulls,
        k: int = 1,
        *,
        threads: int | None = None,
        dedupe: Dedupe = "auto",
    ) -> NodeColumn:
        """Select the best `k` nodes of every key, as an Arrow column with a null for each null.

        Parameters
        ----------
        column : Arrow column, shape (M,)
            Anything with ``__arrow_c_array__`` or ``__arrow_c_stream__``: arrays, chunked arrays,
            Series and tables of one column, of any library. It is read in place. Any other kind in
            `rvh.keys.KINDS` is accepted too; in it, None, masked elements and missing values are
            null.
        k, threads, dedupe
            As for `argselect_batch`.

        Returns
        -------
        NodeColumn, length M
            It has ``__arrow_c_array__``, for any library: node ids as ``dictionary<int32, string>``
            (``binary`` if an id is bytes), and for k > 1 as ``fixed_size_list`` of k of them, best
            first. Its ``indices``, int32 of shape (M, k), and ``valid``, bool of shape (M,) or
            None, are the same answer for NumPy.

        Raises
        ------
        RVHError, RVHTypeError
            As `argselect_batch`, but not for nulls.

        Examples
        --------
        >>> import pyarrow as pa, rvh
        >>> answer = rvh.NodeSet(["alpha", "beta"]).select_arrow(pa.array(["a", None, "d"]))
        >>> pa.array(answer).to_pylist()
        ['beta', None, 'alpha']
        """
        from rvh._columns.arrow.writer import Names, NodeColumn

        ranking = self._ranking
        k = ranking.check_k(k)
        work = partial(ranking.nodes.select, np.arange(len(self), dtype=np.int32))
        with _keys.open_keys_with_nulls(column, "column") as (keys, valid):
            indices = np.zeros((len(keys), k), dtype=np.int32)
            if valid is None:
                ranking.fill(work, keys, indices, k, threads, dedupe)
            else:
                rows = np.flatnonzero(valid)
                present = np.empty((len(rows), k), dtype=np.int32)
                ranking.fill(work, keys._take(rows), present, k, threads, dedupe)
                put(indices, rows, present)
                valid = np.array(valid)
        if self._arrow_names is None:
            is_text = all(isinstance(node, str) for node in ranking.names())
            self._arrow_names = Names(list(ranking.column.iter_bytes()), is_text)
        return NodeColumn(indices, valid, self._arrow_names)

    def score_batch(
        self, keys: Keys, *, threads: int | None = None
    ) -> NDArray[np.uint64] | NDArray[np.float64]:
        """Score every (key, node) pair.

        Parameters
        ----------
        keys, threads
            As for `argselect_batch`.

        Returns
        -------
        ndarray
            Columns are in the order of `ids`. Without weights, ``blake2b`` gives uint64 of shape
            (M, N, 2), the high and low words of the 128-bit scores; ``murmur`` gives uint64 of
            shape (M, N). With weights, float64 of shape (M, N): the weighted scores, 0.0 for a node
            of weight 0.

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
        >>> rvh.NodeSet(["a", "b"], weights=[1, 3]).score_batch(["txn-42"]).round(3)
        array([[0.58 , 4.673]])
        """
        return self._score(keys, threads)

    def scores(self, key: Key) -> list[tuple[Any, int | float]]:
        """List every node that can be selected with its score for one key, best first.

        Returns
        -------
        list of (id, int or float)
            The 128-bit scores (64-bit for ``murmur``) or the weighted scores, descending. A node of
            weight 0 has no rank and is left out.

        Examples
        --------
        >>> import rvh
        >>> [node for node, score in rvh.NodeSet(["alpha", "beta", "gamma"]).scores("txn-42")]
        ['gamma', 'beta', 'alpha']
        """
        ranking = self._ranking
        ids = ranking.names()
        order = ranking.nodes.select_one(key, ranking.selectable, list(range(len(ids))))
        row = self._score([key], 1)[0]
        pairs: list[tuple[Any, int | float]] = []
        for part in slices(len(order)):
            scores = row[order[part]].tolist()
            if row.ndim == 2:
                scores = [high << 64 | low for high, low in scores]
            pairs += zip([ids[n] for n in order[part]], scores, strict=True)
        return pairs

    def _score(self, keys: Keys, threads: int | None) -> NDArray[np.uint64] | NDArray[np.float64]:
        """Answer `score_batch`, also where `rvh.observe` must not count a call of it."""
        ranking = self._ranking
        two_words = self._weights is None and self._scheme == "blake2b"
        with _keys.open_keys(keys) as column:
            out = np.empty((len(column), len(self), 2 if two_words else 1), dtype=np.uint64)
            fill(ranking.nodes.scores, column, out, ranking.cost(len(self)), threads)
        if two_words:
            return out
        return out[:, :, 0] if self._weights is None else out[:, :, 0].view(np.float64)

    # -- other sets ---------------------------------------------------------------------------

    def add(
        self,
        ids: NodeId | NodeIds,
        weights: Weights | float | None = None,
        domains: Mapping[str, Any] | None = None,
    ) -> NodeSet:
        """Make a new set with `ids` (one id or several) appended.

        Parameters
        ----------
        ids : str, bytes, or a sequence of them
        weights : number, sequence of one number for each new id, or mapping of new id to number
            Required if the set has weights, and refused otherwise.
        domains : mapping of the set's domain names to a label, or one for each new id
            Required if the set has domains, and refused otherwise.

        Examples
        --------
        >>> import rvh
        >>> list(rvh.NodeSet(["a"]).add(["b", "c"]))
        ['a', 'b', 'c']
        >>> rvh.NodeSet(["a"], weights=[2]).add("b", weights=3).weights
        array([2., 3.])
        >>> rvh.NodeSet(["a"], weights=[2]).add(["b", "c"], weights={"c": 4, "b": 3}).weights
        array([2., 3., 4.])
        """
        new = list_ids(ids)
        merged: Any = [*self._ranking.names(), *new]
        if self._ids.dtype == object:  # the dtype stays, even if all ids are str now
            merged = _keys.object_array(merged)
        labels = self._merge_domains(domains, new)
        return NodeSet(merged, **self._options(self._merge_weights(weights, new), labels))

    def remove(self, ids: NodeId | NodeIds) -> NodeSet:
        """Make a new set without `ids` (one id or several), which must be in this one.

        Examples
        --------
        >>> import rvh
        >>> list(rvh.NodeSet(["a", "b", "c"]).remove("b"))
        ['a', 'c']
        """
        where = "in the set, so it cannot be removed"
        return self.subset(kept_without(ids, self._ranking.places(), where, once=True))

    def subset(self, mask: ArrayLike) -> NodeSet:
        """Make a new set of the nodes where `mask`, shape (N,) of bool, is true.

        Examples
        --------
        >>> import rvh
        >>> list(rvh.NodeSet(["a", "b", "c"]).subset([True, False, True]))
        ['a', 'c']
        """
        kept = node_mask("mask", mask, len(self))
        weights = None if self._weights is None else self._weights[kept]
        labels = {name: tuple(compress(each, kept)) for name, each in self._domains.items()}
        return NodeSet(self._ids[kept], **self._options(weights, labels))

    def with_weights(self, weights: Weights | None) -> NodeSet:
        """Make a new set of the same nodes with other weights; None ranks without weights.

        Examples
        --------
        >>> import rvh
        >>> rvh.NodeSet(["a", "b"]).with_weights({"b": 2, "a": 1}).weights
        array([1., 2.])
        >>> rvh.NodeSet(["a", "b"]).with_weights([1, 0]).select("any key")
        ['a']
        """
        return NodeSet(self._ids, **self._options(weights, self._domains))

    # -- helpers ------------------------------------------------------------------------------

    # Methods that answer call these and not one another, so that `rvh.observe` counts each call
    # once, under its own name.

    def _positions(self, keys: Keys, k: Any, threads: int | None, dedupe: Any) -> NDArray[np.intp]:
        """Return the positions of the best k nodes of every key, shape (M, k)."""
        ranking = self._ranking
        k = ranking.check_k(k)
        with _keys.open_keys(keys) as column:
            out = np.empty((len(column), k), dtype=np.intp)
            ranking.fill(ranking.nodes.argselect, column, out, k, threads, dedupe)
        return out

    def _names(self, keys: Keys, k: Any, threads: int | None, dedupe: Any) -> NDArray[Any]:
        """Return the ids of the best k nodes of every key, shape (M, k)."""
        ranking = self._ranking
        k = ranking.check_k(k)
        with _keys.open_keys(keys) as column:
            out = np.empty((len(column), k), dtype=self._ids.dtype)
            ranking.fill(ranking.select, column, out, k, threads, dedupe)
        return out

    def _options(self, weights: Any, domains: Any) -> dict[str, Any]:
        """Return the arguments besides the ids of a set like this one."""
        options = {"weights": weights, "scheme": self._scheme, "secret": self._secret}
        return {**options, "domains": domains} if self._domains else options

    def _merge_domains(self, new: Any, ids: list[Any]) -> dict[str, Any]:
        """Append the labels of new nodes to those of the set."""
        given = {} if new is None else new
        if not isinstance(given, Mapping) or given.keys() != self._domains.keys():
            raise RVHError(
                "the set has no domains: omit domains="
                if not self._domains
                else "the set has domains: give domains= with a label of each new node for each of "
                + ", ".join(map(repr, self._domains))
            )
        merged = {}
        for name, labels in self._domains.items():
            merged[name] = (*labels, *labels_of(name, given[name], len(ids), "new "))
        return merged

    def _merge_weights(self, new: Any, ids: list[Any]) -> NDArray[np.float64] | None:
        """Append the weights of new nodes to those of the set."""
        if (new is None) != (self._weights is None):
            raise RVHError(
                "the set has no weights: omit weights=, or start with with_weights()"
                if self._weights is None
                else "the set has weights: give one for each new node, weights=..."
            )
        if self._weights is None:
            return None
        new = _keys.of_view(in_order(new, ids, "new "), "weights")
        if isinstance(new, np.ndarray) and new.ndim == 1 and not np.ma.is_masked(new):
            each = _keys.objects_of(np.asarray(new), "weights value")
        else:
            each = list(new) if isinstance(new, (list, tuple)) or np.ndim(new) > 0 else [new]
        check_count(len(each), len(ids), "weights", new="new ")
        names = [f"node {show(node)}" for node in [*self._ranking.names(), *ids]]
        return real_numbers([*self._weights.tolist(), *each], "weights", names)

    def _identity(self) -> tuple[Any, ...]:
        """Return everything besides the ids that equal sets have in common."""
        weights = None if self._weights is None else self._weights.tobytes()
        labels = tuple(sorted(self._domains.items()))
        return self._scheme, self._secret, weights, labels

    def _weight_bytes(self) -> Iterator[bytes]:
        """Return each node's part of the fingerprint besides its id."""
        if self._weights is None:
            return repeat(b"", len(self))
        return (struct.pack("<d", weight) for weight in self._weights)


def as_node_set(
    nodes: NodeSet | NodeIds,
    weights: Weights | None = None,
    scheme: str | None = None,
    secret: Secret | None = None,
) -> NodeSet:
    """Return a NodeSet as it is, and make one of ids.

    Examples
    --------
    >>> from rvh.nodes import as_node_set
    >>> as_node_set(["a", "b"], scheme="murmur")
    NodeSet(['a', 'b'], n=2, scheme='murmur')
    """
    if isinstance(nodes, NodeSet):
        for name, value in (("weights", weights), ("scheme", scheme), ("secret", secret)):
            if value is not None:
                raise RVHError(
                    f"{name}= was given with a NodeSet, which has its own: "
                    f"build the set with NodeSet(ids, {name}=...)"
                )
        return nodes
    return NodeSet(
        nodes,
        weights=weights,
        scheme="blake2b" if scheme is None else cast("Scheme", scheme),  # NodeSet checks it
        secret=b"" if secret is None else secret,
    )


def _rebuild(pickle_format: object, *state: Any) -> NodeSet:
    """Unpickle a set: nodes are prepared again, since pickles have no prepared state.

    The format is the first argument, so that every later rvh can check it before the others.
    """
    _pickles.check_format("a NodeSet", pickle_format)
    fingerprint, dtype, ids, options = state
    ns = _make_unpickled(dtype, ids, options)
    if ns.fingerprint != fingerprint:
        raise RVHError(
            f"a NodeSet that was pickled with the fingerprint {fingerprint} has the fingerprint "
            f"{ns.fingerprint} in rvh {__version__}, so keys would be placed differently here: "
            "install the same rvh on every worker and on the driver"
        )
    return ns


@lru_cache(maxsize=8)
def _make_unpickled(
    dtype: np.dtype[Any], ids: tuple[Any, ...], options: tuple[Any, ...]
) -> NodeSet:
    """Make a set of its pickled parts, once in each process.

    A worker unpickles the same few sets with each of a thousand tasks. (Two threads at once may
    both prepare a set, which only costs time.)
    """
    array = _keys.object_array(list(ids)) if dtype.char == "O" else np.array(ids, dtype=dtype)
    arguments = dict(options)
    if "domains" in arguments:
        arguments["domains"] = dict(arguments["domains"])
    return NodeSet(array, **arguments)


def list_ids(ids: Any) -> list[Any]:
    """Return one id or several as a list."""
    if _keys.is_one_id(ids):
        return [ids]
    if isinstance(ids, (list, tuple)):
        return list(_keys.elements_of(ids, "ids"))
    ids = _keys.of_view(ids, "ids")
    if isinstance(ids, np.ndarray) and ids.ndim == 1:
        return _keys.objects_of(np.asarray(ids), "node id")
    try:
        return list(ids)
    except TypeError:
        raise RVHTypeError(
            f"ids is of type {type(ids).__name__} ({show(ids)}): pass one id or a list of ids"
        ) from None


def kept_without(
    ids: Any, positions: Mapping[bytes, int], where: str, *, once: bool = False
) -> NDArray[np.bool_]:
    """Return which nodes stay without one id or several; `where` they have to be is for errors."""
    kept = np.ones(len(positions), dtype=np.bool_)
    for node in list_ids(ids):
        position = positions.get(_keys.node_id(node)[1])
        if position is None or (once and not kept[position]):
            raise RVHError(f"node id {show(node)} is not {where}")
        kept[position] = False
    return kept


def _check_secret(secret: Any, scheme: str) -> bytes:
    if not isinstance(secret, (bytes, bytearray, memoryview)):
        raise RVHTypeError(
            f"secret is of type {type(secret).__name__}: pass bytes, for example secret.encode()"
        )
    key = _keys.buffer_bytes(secret, "secret")
    if key and scheme == "murmur":
        raise RVHError(
            "a secret was given, but scheme 'murmur' has none and is no defence against chosen "
            "keys: omit secret=, or use scheme='blake2b'"
        )
    if len(key) > SECRET_MAX:
        raise RVHError(
            f"secret has {len(key)} bytes: BLAKE2b takes at most {SECRET_MAX}; "
            "pass a digest of it, for example hashlib.blake2b(secret).digest()"
        )
    return key
