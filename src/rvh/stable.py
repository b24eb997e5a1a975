"""Jump hash, JumpBackHash and named buckets: few keys move when the number of buckets changes.

Rendezvous hashing scores every node; these functions compute a bucket from the key and the number
of buckets alone, in a few nanoseconds. In return, buckets can be added and removed only at the end.
The rules are in `docs/reference/contract.md`, "Buckets".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import whole_number
from rvh._backend import jump, jump_one, jumpback, jumpback_one
from rvh._batch.answers import fill
from rvh._runtime.slices import to_list
from rvh.errors import RVHError

if TYPE_CHECKING:
    from rvh.typing import Key, Keys

__all__ = [
    "StableSelector",
    "jump_batch",
    "jump_hash",
    "jumpback_batch",
    "jumpback_hash",
]

#: the greatest number of buckets
BUCKETS_MAX = 2**31 - 1


def jump_hash(key: Key, buckets: int) -> int:
    """The bucket of one key by jump consistent hash.

    Parameters
    ----------
    key : str, bytes-like or int
        An integer is used as its 64 bits, two's complement; any other key is used as the first 8
        bytes, big-endian, of the BLAKE2b-128 digest of its bytes.
    buckets : int
        Number of buckets, 1 <= buckets <= 2^31 - 1.

    Returns
    -------
    int
        0 <= bucket < buckets.

    Raises
    ------
    RVHError
        ``buckets`` out of range, a lone surrogate, an integer below -2^63 or above 2^64-1.
    RVHTypeError
        ``buckets`` that is not a whole number, a key without bytes: bool, float, None, dates.

    Notes
    -----
    J. Lamping and E. Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014,
    https://arxiv.org/abs/1406.2294, bit for bit. From n to n + 1 buckets, one key in n + 1 moves
    to the new bucket, and every other key stays where it is.

    Examples
    --------
    >>> from rvh.stable import jump_hash
    >>> jump_hash(256, 1024), jump_hash("obj", 1024)
    (520, 462)
    """
    buckets = _check_buckets(buckets)
    return jump_one(key, buckets, 1)[0]


def jump_batch(keys: Keys, buckets: int, *, threads: int | None = None) -> NDArray[np.intp]:
    """The bucket of every key by jump consistent hash.

    Parameters
    ----------
    keys : sequence or array of str, bytes or int, shape (M,)
        Any kind in `rvh.keys.KINDS`, each key as in `jump_hash`; integers are read in place.
        It must not change during the call.
    buckets : int
        Number of buckets, 1 <= buckets <= 2^31 - 1.
    threads : int, optional
        Threads to use; by default as many as the process has cores if the work is worth it,
        capped by ``RVH_NUM_THREADS``. The answer does not depend on it.

    Returns
    -------
    ndarray of intp, shape (M,)
        0 <= bucket < buckets.

    Raises
    ------
    RVHError
        As `jump_hash`, and for keys that are not one-dimensional; the message names the first
        position.
    RVHTypeError
        As `jump_hash`, and for one key instead of many.

    Examples
    --------
    >>> import numpy as np
    >>> from rvh.stable import jump_batch
    >>> jump_batch(np.arange(1, 6), 100)
    array([55, 62,  8, 45, 59])
    """
    buckets = _check_buckets(buckets)
    return _jump_rows(keys, buckets, 1, threads)[:, 0]


def jumpback_hash(key: Key, buckets: int) -> int:
    """The bucket of one key by JumpBackHash: like `jump_hash`, but in constant expected time.

    Parameters
    ----------
    key : str, bytes-like or int
        As for `jump_hash`.
    buckets : int
        Number of buckets, 1 <= buckets <= 2^31 - 1.

    Returns
    -------
    int
        0 <= bucket < buckets; not the same as that of `jump_hash`.

    Raises
    ------
    RVHError, RVHTypeError
        As `jump_hash`.

    Notes
    -----
    O. Ertl, "JumpBackHash: Say Goodbye to the Modulo Operation to Distribute Keys Uniformly to
    Buckets", 2024, https://arxiv.org/abs/2403.18682, over SplitMix64 seeded with the key's word:
    the answers of hash4j's ``jumpBackHashSplitMix64``.

    Examples
    --------
    >>> from rvh.stable import jumpback_hash
    >>> jumpback_hash(42, 1000), jumpback_hash(42, 1001)
    (166, 166)
    """
    buckets = _check_buckets(buckets)
    return jumpback_one(key, buckets)


def jumpback_batch(keys: Keys, buckets: int, *, threads: int | None = None) -> NDArray[np.intp]:
    """The bucket of every key by JumpBackHash; the more buckets, the faster than `jump_batch`.

    Parameters
    ----------
    keys, buckets, threads
        As for `jump_batch`.

    Returns
    -------
    ndarray of intp, shape (M,)
        0 <= bucket < buckets.

    Raises
    ------
    RVHError, RVHTypeError
        As `jump_batch`.

    Examples
    --------
    >>> from rvh.stable import jumpback_batch
    >>> jumpback_batch([0, 1, 2, 42], 1000)
    array([313, 492, 990, 166])
    """
    buckets = _check_buckets(buckets)
    with _keys.open_keys(keys) as column:
        out = np.empty(len(column), dtype=np.intp)
        fill(partial(jumpback, buckets), column, out, 1, threads)
    return out


class StableSelector:
    """Named buckets in a fixed order, of which every key has k distinct ones.

    It is for sets that grow and shrink at the end: shards, numbered volumes. A selector never
    changes: `append` and `pop` return new ones. It can be used from many threads at once, pickled,
    compared and hashed.

    Parameters
    ----------
    buckets : sequence or one-dimensional array of str or bytes, shape (N,)
        The names: non-empty and unique; a str is its UTF-8. Their order decides which keys a bucket
        gets. Answers have their dtype, as with `rvh.NodeSet`.

    Raises
    ------
    RVHError
        No buckets, an empty or repeated name, a lone surrogate.
    RVHTypeError
        A name that is neither str nor bytes.

    Notes
    -----
    The first bucket of a key is `jump_hash`'s. For each further one, the key's word is replaced
    by the next output of SplitMix64 seeded with it, until that gives a bucket that the row does not
    have yet. A row takes about k jump hashes if k is well below N, and N ln N for k = N.

    An appended bucket takes its share from all others. In each row that it enters it replaces one
    bucket; in about one of N^2 / k^2 rows a second bucket of the row is replaced too. Every other
    row stays as it is.

    Examples
    --------
    >>> from rvh.stable import StableSelector
    >>> shards = StableSelector(["shard0", "shard1", "shard2"])
    >>> shards.select("txn-42", k=2)
    ['shard2', 'shard1']
    >>> shards.append("shard3").select_batch(range(4))[:, 0]
    array(['shard0', 'shard0', 'shard3', 'shard3'], dtype='<U6')
    """

    __slots__ = ("__weakref__", "_ids", "_names")

    _ids: NDArray[Any]
    _names: list[Any]

    def __init__(self, buckets: Any) -> None:
        column, self._ids = _keys.node_column(buckets)
        _keys.check_unique(list(column.iter_bytes()))
        self._ids.flags.writeable = False
        self._names = to_list(self._ids)

    # -- properties ---------------------------------------------------------------------------

    @property
    def ids(self) -> NDArray[Any]:
        """The buckets' names, shape (N,), in their order; read-only."""
        return self._ids

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._names)

    def __repr__(self) -> str:
        names = ", ".join(map(repr, self._names[:3]))
        more = ", ..." if len(self) > 3 else ""
        return f"StableSelector([{names}{more}], n={len(self)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StableSelector):
            return NotImplemented
        return self is other or self._names == other._names

    def __hash__(self) -> int:
        return hash(tuple(self._names))

    def __reduce__(self) -> tuple[Any, ...]:
        return StableSelector, (self._ids,)

    # -- answers ------------------------------------------------------------------------------

    def select(self, key: Key, k: int = 1) -> list[Any]:
        """The `k` buckets of one key.

        Parameters
        ----------
        key : str, bytes-like or int
        k : int
            Number of buckets, 1 <= k <= N.

        Returns
        -------
        list
            ``k`` distinct names, first choice first.

        Raises
        ------
        RVHError
            ``k`` out of range, or a key without bytes (then also a TypeError).

        Examples
        --------
        >>> from rvh.stable import StableSelector
        >>> StableSelector(["a", "b", "c", "d"]).select("obj", k=3)
        ['a', 'c', 'd']
        """
        return [self._names[n] for n in jump_one(key, len(self), self._check_k(k))]

    def argselect_batch(
        self, keys: Keys, k: int = 1, *, threads: int | None = None
    ) -> NDArray[np.intp]:
        """The indices of the `k` buckets of every key.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`. It must not change during the call.
        k : int
            Number of buckets, 1 <= k <= N.
        threads : int, optional
            Threads to use; by default as many as the process has cores if the work is worth it,
            capped by ``RVH_NUM_THREADS``. The answer does not depend on it.

        Returns
        -------
        ndarray of intp, shape (M, k)
            Positions in `ids`, distinct in each row, first choice first. Column 0 is
            ``jump_batch(keys, N)``.

        Raises
        ------
        RVHError
            ``k`` out of range, keys not one-dimensional, a lone surrogate, an integer out of
            range; the message names the first position.
        RVHTypeError
            Keys of a type without bytes: bool, float, None, dates.

        Examples
        --------
        >>> from rvh.stable import StableSelector
        >>> StableSelector([f"shard{n}" for n in range(100)]).argselect_batch([1, 2, 3], k=2)
        array([[55, 72],
               [62, 19],
               [ 8, 72]])
        """
        return _jump_rows(keys, len(self), self._check_k(k), threads)

    def select_batch(self, keys: Keys, k: int = 1, *, threads: int | None = None) -> NDArray[Any]:
        """The `k` buckets of every key.

        Parameters
        ----------
        keys, k, threads
            As for `argselect_batch`.

        Returns
        -------
        ndarray, shape (M, k)
            Names, first choice first, in the dtype of `ids`.

        Raises
        ------
        RVHError, RVHTypeError
            As `argselect_batch`.

        Examples
        --------
        >>> from rvh.stable import StableSelector
        >>> StableSelector([b"a", b"b", b"c"]).select_batch(["x", "y"], k=2)
        array([[b'c', b'b'],
               [b'a', b'c']], dtype='|S1')
        """
        k = self._check_k(k)
        with _keys.open_keys(keys) as column:
            out = np.empty((len(column), k), dtype=self._ids.dtype)
            fill(partial(jump, len(self), self._ids), column, out, k, threads)
        return out

    # -- other selectors ----------------------------------------------------------------------

    def append(self, ids: Any) -> StableSelector:
        """Return a new selector with `ids` (one name or several) at the end.

        Examples
        --------
        >>> from rvh.stable import StableSelector
        >>> list(StableSelector(["a"]).append(["b", "c"]).append("d"))
        ['a', 'b', 'c', 'd']
        """
        column, _ = _keys.node_column([ids] if _keys.is_one_id(ids) else ids)
        names = [*self._names, *column.slice(0, len(column))]
        if self._ids.dtype == object:  # the dtype stays, even if all are str now
            return StableSelector(_keys.object_array(names))
        return StableSelector(names)

    def pop(self, count: int = 1) -> StableSelector:
        """Return a new selector without the last `count` buckets; at least one has to stay.

        Examples
        --------
        >>> from rvh.stable import StableSelector
        >>> list(StableSelector(["a", "b", "c"]).pop())
        ['a', 'b']
        """
        if len(self) == 1:
            raise RVHError(f"{self!r} has one bucket, which has to stay: there is nothing to pop")
        count = whole_number("count", count, len(self) - 1)
        return StableSelector(self._ids[:-count])

    def _check_k(self, k: Any) -> int:
        return whole_number("k", k, len(self))


# -- helpers ----------------------------------------------------------------------------------


def _jump_rows(keys: Keys, buckets: int, k: int, threads: int | None) -> NDArray[np.intp]:
    """The first `k` distinct buckets of every key, shape (M, k)."""
    with _keys.open_keys(keys) as column:
        out = np.empty((len(column), k), dtype=np.intp)
        # A jump hash takes a fraction of the time of a score, and hashing a key about as long.
        fill(partial(jump, buckets, None), column, out, k, threads)
    return out


def _check_buckets(buckets: Any) -> int:
    return whole_number("buckets", buckets, BUCKETS_MAX)
