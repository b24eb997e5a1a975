"""Partition tables: the owners of a fixed number of partitions, computed once.

A key's partition depends on the key alone, so a lookup takes the same short time for three nodes as
for a million. Rendezvous hashing places the partitions, so adding or removing a node moves only
that node's partitions.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import zipfile
from functools import partial
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import whole_number
from rvh._backend import ascending, lookup, lookup_one
from rvh._batch.answers import fill
from rvh._batch.replicas import find_absent, number_ids
from rvh._batch.threads import over_rows, thread_count
from rvh._runtime.replacing import replacing
from rvh._runtime.slices import slices, take
from rvh.errors import RVHError, RVHTypeError, show
from rvh.nodes import NodeSet, as_node_set

if TYPE_CHECKING:
    from rvh.typing import Key, Keys, NodeIds, Weights

__all__ = ["Moves", "PartitionTable"]

PARTITIONS_MAX = 1 << 24
#: the owner of a partition whose node is not in the set any more
REMOVED = np.uint32(0xFFFFFFFF)
#: the format of a file; another layout gets another number
FORMAT = "rvh PartitionTable 1"
#: numbers that are processed together, so that memory beyond the table stays small
BLOCK = 1 << 18
#: bytes of a file that are processed between two runs of signal handlers: about 5 ms
PIECE = 1 << 22


class Moves(NamedTuple):
    """The replicas to copy to get from one table to another: one row for each.

    Parameters
    ----------
    partition : ndarray of intp, shape (m,)
        Ascending.
    source, target : ndarray, shape (m,)
        The node that stops being an owner, and the node that becomes an owner instead. If a
        partition has several of both, they are paired in the order of their ranks.
    """

    partition: NDArray[np.intp]
    source: NDArray[Any]
    target: NDArray[Any]


class PartitionTable:
    """The `k` owners of each partition, for lookups in constant time.

    The owners of partition p are the best k nodes for the integer key p in the node set, by the
    set's scheme and weights. A key is in partition ``(MurmurHash64A(key, seed 2718281828) *
    partitions) >> 64``. A table never changes: `add`, `remove` and `with_weights` return new
    tables, which are equal to tables built from scratch.

    Parameters
    ----------
    nodes : NodeSet, or sequence or array of node ids
    partitions : int
        From 1 to 2^24. A node's share of the keys varies by about ``sqrt(N / partitions)``.
    k : int
        Number of owners of each partition.
    threads : int, optional
        As for `NodeSet.argselect_batch`.

    Raises
    ------
    RVHError
        ``partitions`` or ``k`` out of range.
    RVHTypeError
        ``partitions`` or ``k`` that is not a whole number.

    Notes
    -----
    The memory is 12 bytes for each owner of each partition.

    Examples
    --------
    >>> import rvh
    >>> from rvh.partitions import PartitionTable
    >>> table = PartitionTable(rvh.NodeSet(["a", "b", "c"]), partitions=4096)
    >>> table.lookup_batch(["user:1", "user:2"])
    array([['b'],
           ['c']], dtype='<U1')
    >>> moves = table.moved(table.remove("b"))
    >>> set(moves.source.tolist())
    {'b'}
    """

    __slots__ = ("__weakref__", "_names", "_nodes", "_owners", "_words")

    _nodes: NodeSet
    _owners: NDArray[np.uint32]
    _words: NDArray[np.uint64]

    def __init__(
        self,
        nodes: NodeSet | NodeIds,
        partitions: int = 65536,
        k: int = 1,
        *,
        threads: int | None = None,
    ) -> None:
        node_set = as_node_set(nodes)
        k = node_set._ranking.check_k(k)
        rows = np.arange(whole_number("partitions", partitions, PARTITIONS_MAX))
        self._set_up(node_set, *_rank(node_set, rows, k, threads))

    def _set_up(
        self, nodes: NodeSet, owners: NDArray[np.uint32], words: NDArray[np.uint64]
    ) -> PartitionTable:
        owners.flags.writeable = words.flags.writeable = False
        self._nodes = nodes
        self._owners = owners
        self._words = words  # those that ranked the owners: tables made from this one use them
        self._names = nodes._ranking.names()
        return self

    # -- properties ---------------------------------------------------------------------------

    @property
    def nodes(self) -> NodeSet:
        """The node set that owns the partitions."""
        return self._nodes

    @property
    def partitions(self) -> int:
        """The number of partitions."""
        return len(self._owners)

    @property
    def k(self) -> int:
        """The number of owners of each partition."""
        return int(self._owners.shape[1])

    @property
    def owners(self) -> NDArray[np.uint32]:
        """Positions in ``nodes.ids`` of each partition's owners, best first; read-only.

        The shape is (partitions, k).

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> import rvh
        >>> table = PartitionTable(["a", "b", "c"], partitions=4)
        >>> table.nodes.ids[table.owners[:, 0]]
        array(['c', 'b', 'b', 'b'], dtype='<U1')
        """
        return self._owners.view()  # a view of a read-only array cannot be made writeable

    def __repr__(self) -> str:
        return f"PartitionTable({self._nodes!r}, partitions={self.partitions}, k={self.k})"

    def _repr_html_(self) -> str:
        """Return a table for notebooks: the partitions that each node owns."""
        from rvh._html import ROWS_MAX, counted, small_table

        nodes = self._nodes
        owned = np.zeros(len(nodes), dtype=np.intp)
        for part in slices(self.partitions):
            owned += np.bincount(self._owners[part].ravel(), minlength=len(nodes))
        first, share = owned[:ROWS_MAX], owned[:ROWS_MAX] / self.partitions
        columns: list[tuple[str, str, Any]] = [
            ("node", "", nodes.ids[:ROWS_MAX].tolist()),
            ("partitions", ",", first.tolist()),
            ("share", ".2%", share.tolist()),
        ]
        caption = (
            f"PartitionTable: {counted(self.partitions, 'partition')}, k={self.k}, "
            f"{counted(len(nodes), 'node')}, {nodes.scheme}; a node owns {owned.min():,} to "
            f"{owned.max():,}"
        )
        return small_table(caption, columns, of=len(nodes))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PartitionTable):
            return NotImplemented
        return self is other or (
            self._owners.shape == other._owners.shape and self._nodes == other._nodes
        )

    def __hash__(self) -> int:
        return hash((self._owners.shape, self._nodes))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._nodes, self._owners, self._words)

    # -- lookups ------------------------------------------------------------------------------

    def lookup(self, key: Key) -> list[Any]:
        """The owners of one key.

        Returns
        -------
        list
            ``k`` node ids, best first.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> PartitionTable(["a", "b", "c"]).lookup("user:1")
        ['a']
        """
        return lookup_one(key, len(self._owners), self._owners, self._names)

    def lookup_batch(self, keys: Keys, *, threads: int | None = None) -> NDArray[Any]:
        """The owners of every key.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`. It must not change during the call.
        threads : int, optional
            As for `NodeSet.argselect_batch`.

        Returns
        -------
        ndarray, shape (M, k)
            Node ids, best first, in the dtype of ``nodes.ids``.

        Raises
        ------
        RVHError, RVHTypeError
            As `NodeSet.argselect_batch`.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> PartitionTable(["a", "b", "c"], k=2).lookup_batch([b"user:1"])
        array([['a', 'c']], dtype='<U1')
        """
        ids = self._nodes.ids
        if ids.dtype == object:  # only NumPy counts references
            return take(ids, self._look_up(keys, self._owners, None, np.dtype(np.intp), threads))
        return self._look_up(keys, self._owners, np.ascontiguousarray(ids), ids.dtype, threads)

    def arglookup_batch(self, keys: Keys, *, threads: int | None = None) -> NDArray[np.intp]:
        """The owners of every key as positions in ``nodes.ids``.

        Returns
        -------
        ndarray of intp, shape (M, k)

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> PartitionTable(["a", "b", "c"], k=2).arglookup_batch([b"user:1"])
        array([[0, 2]])
        """
        return self._look_up(keys, self._owners, None, np.dtype(np.intp), threads)

    def partition_batch(self, keys: Keys, *, threads: int | None = None) -> NDArray[np.intp]:
        """The partition of every key.

        Returns
        -------
        ndarray of intp, shape (M,)

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> PartitionTable(["a"], partitions=256).partition_batch(["user:1", "user:2"])
        array([144,  91])
        """
        return self._look_up(keys, None, None, np.dtype(np.intp), threads)

    def _look_up(
        self,
        keys: Keys,
        owners: NDArray[np.uint32] | None,
        names: NDArray[Any] | None,
        dtype: np.dtype[Any],
        threads: int | None,
    ) -> NDArray[Any]:
        with _keys.open_keys(keys) as column:
            out = np.empty(len(column) if owners is None else (len(column), self.k), dtype=dtype)
            fill(partial(lookup, self.partitions, owners, names), column, out, 1, threads)
        return out

    # -- other tables -------------------------------------------------------------------------

    def add(
        self, ids: Any, weights: Weights | None = None, *, threads: int | None = None
    ) -> PartitionTable:
        """Return a table with `ids` (one or several) added; partitions move only to these nodes.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> table = PartitionTable(["a", "b"]).add("c")
        >>> table == PartitionTable(["a", "b", "c"])
        True
        """
        return self.with_nodes(self._nodes.add(ids, weights), threads=threads)

    def remove(self, ids: Any, *, threads: int | None = None) -> PartitionTable:
        """Return a table without `ids` (one or several); only their partitions move.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> table = PartitionTable(["a", "b", "c"]).remove("a")
        >>> table == PartitionTable(["b", "c"])
        True
        """
        return self.with_nodes(self._nodes.remove(ids), threads=threads)

    def with_weights(
        self, weights: Weights | None, *, threads: int | None = None
    ) -> PartitionTable:
        """Return a table of the same nodes with other weights.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> table = PartitionTable(["a", "b"]).with_weights([1, 0])
        >>> table.lookup("any key")
        ['a']
        """
        return self.with_nodes(self._nodes.with_weights(weights), threads=threads)

    def with_nodes(self, nodes: NodeSet, *, threads: int | None = None) -> PartitionTable:
        """Return a table of other nodes; only partitions of those that came, went or changed move.

        Parameters
        ----------
        nodes : NodeSet
            Of any ids and weights, and of this table's scheme and secret.
        threads : int, optional
            As for `NodeSet.argselect_batch`.

        Raises
        ------
        RVHError
            Fewer selectable nodes than ``k``, another scheme or secret.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> import rvh
        >>> table = PartitionTable(["a", "b"]).with_nodes(rvh.NodeSet(["b", "c"]))
        >>> table == PartitionTable(["b", "c"])
        True
        """
        if (nodes.scheme, nodes.secret) != (self._nodes.scheme, self._nodes.secret):
            raise RVHError(
                "nodes have another scheme or secret than the table's, so every partition would be "
                "ranked anew: make a PartitionTable of them"
            )
        k = nodes._ranking.check_k(self.k)
        thread_count(threads, 0)  # rejects an invalid number even if nothing is scored
        positions = _new_positions(self._nodes, nodes)
        is_new = np.ones(len(nodes), dtype=np.bool_)
        is_new[positions[positions >= 0]] = False
        if nodes.weights is not None:
            is_new &= nodes.weights > 0
        if positions.max() < 0 or 2 * np.count_nonzero(is_new) >= len(nodes):
            return PartitionTable(nodes, self.partitions, k, threads=threads)
        new_owner = positions.astype(np.uint32)  # -1 becomes REMOVED
        owners, words = np.empty_like(self._owners), np.empty_like(self._words)
        new = np.flatnonzero(is_new)
        new_nodes = nodes.subset(is_new) if len(new) else None
        step = _block_rows(k + len(new))
        for start in range(0, self.partitions, step):
            rows = slice(start, start + step)
            owners[rows], words[rows] = new_owner[self._owners[rows]], self._words[rows]
            _merge(nodes, start, new, new_nodes, owners[rows], words[rows], threads)
        return _restored(nodes, owners, words)

    def moved(self, other: PartitionTable) -> Moves:
        """The replicas that change their node from this table to `other`.

        Parameters
        ----------
        other : PartitionTable
            A table of equally many partitions and owners; its nodes may differ.

        Returns
        -------
        Moves
            One row for each replica whose node changes. Owners that only change their order have
            the data already, so they are not moves.

        Raises
        ------
        RVHError
            Tables of different numbers of partitions or owners.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> before = PartitionTable(["a", "b"], partitions=4)
        >>> moves = before.moved(before.add("c"))
        >>> moves.partition, moves.source, moves.target
        (array([0]), array(['b'], dtype='<U1'), array(['c'], dtype='<U1'))
        """
        if not isinstance(other, PartitionTable):
            raise RVHTypeError(f"other is {show(other)}: pass a PartitionTable")
        if self._owners.shape != other._owners.shape:
            raise RVHError(
                f"this table has {self.partitions} partitions of {self.k} owners, the other "
                f"{other.partitions} of {other.k}: tables of one shape can be compared"
            )
        (mine, theirs), count = number_ids(self._nodes.ids, other._nodes.ids)
        parts = []
        step = _block_rows(self.k)
        for start in range(0, self.partitions, step):
            before, after = self._owners[start : start + step], other._owners[start : start + step]
            rows = np.flatnonzero(_any_in_row(mine[before] != theirs[after]))
            before, after = before[rows], after[rows]
            removed = find_absent(mine[before], theirs[after], count)
            added = find_absent(theirs[after], mine[before], count)
            # A row has as many removed owners as added ones, so the flattened masks are aligned.
            partition = start + np.repeat(rows, np.count_nonzero(removed, axis=1))
            parts.append((partition, before[removed], after[added]))
        partition, source, target = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Moves(partition, take(self._nodes.ids, source), take(other._nodes.ids, target))

    # -- files --------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table to a file, either completely or not at all.

        Parameters
        ----------
        path : path-like
            By convention ``.npz``: the file has NumPy's format. It contains the fingerprint of the
            node set and a checksum, but neither the nodes nor the secret.

        Raises
        ------
        OSError
            The file cannot be written; an existing file stays as it is.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> import tempfile, pathlib
        >>> table = PartitionTable(["a", "b"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "table.npz")
        ...     table.save(path)
        ...     PartitionTable.load(path, ["b", "a"]).lookup("user:1") == table.lookup("user:1")
        True
        """
        contents = {
            "owners": take(_byte_ranks(self._nodes).astype("<u4"), self._owners),
            "words": self._words.astype("<u8", copy=False),
        }
        with replacing(path) as file:
            np.savez(
                file,
                format=np.array(FORMAT),
                fingerprint=np.array(self._nodes.fingerprint),
                checksum=np.array(_checksum(self._nodes, contents)),
                owners=contents["owners"],
                words=contents["words"],
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str], nodes: NodeSet | NodeIds) -> PartitionTable:
        """Read a table from a file, with the node set that it was saved with.

        Parameters
        ----------
        path : path-like
        nodes : NodeSet, or sequence or array of node ids
            A set with the same fingerprint; the order of its ids may differ.

        Returns
        -------
        PartitionTable

        Raises
        ------
        RVHError
            A file that is not a partition table, is damaged, or belongs to another node set.
        OSError
            The file cannot be read.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "table.npz")
        ...     PartitionTable(["a", "b"]).save(path)
        ...     PartitionTable.load(path, ["a", "b"]) == PartitionTable(["a", "b"])
        True
        """
        node_set = as_node_set(nodes)
        with open(path, "rb") as file:
            try:
                arrays = _read_arrays(file)
            except Exception as error:  # a damaged zip or header fails in many ways
                # EINVAL is damage too: a seek to before the start of the file.
                if isinstance(error, OSError) and error.errno != errno.EINVAL:
                    raise
                raise RVHError(
                    f"{path} is not a partition table of rvh, or damaged ({error}): "
                    "build the table again and save it"
                ) from None
        return _from_arrays(path, node_set, arrays)


_ARRAYS = ("format", "fingerprint", "checksum", "owners", "words")


def _read_arrays(file: IO[bytes]) -> dict[str, NDArray[Any]]:
    """Read the arrays in a file; NumPy gets each only after its CRC is checked."""
    arrays = {}
    with zipfile.ZipFile(file) as archive:
        for name in _ARRAYS:
            info = archive.getinfo(f"{name}.npy")
            if info.compress_type != zipfile.ZIP_STORED:  # a few bytes could expand to any size
                raise zipfile.BadZipFile(f"{name} is compressed")
            data = io.BytesIO()
            with archive.open(info) as member:
                while piece := member.read(PIECE):
                    data.write(piece)
            data.seek(0)
            arrays[name] = np.lib.format.read_array(data, allow_pickle=False)
    return arrays


def _from_arrays(
    path: str | os.PathLike[str], nodes: NodeSet, arrays: dict[str, NDArray[Any]]
) -> PartitionTable:
    """Check the arrays of a file, and make the table of them."""
    file_format, fingerprint, checksum = (str(arrays[name]) for name in _ARRAYS[:3])
    contents = {name: arrays[name] for name in _ARRAYS[3:]}
    owners, words = contents.values()
    if file_format != FORMAT:
        raise RVHError(
            f"{path} says that it is {show(file_format)}, not {FORMAT!r}: it cannot be read"
        )
    if fingerprint != nodes.fingerprint:
        raise RVHError(
            f"{path} belongs to another node set: its fingerprint is {show(fingerprint)}, this "
            f"set's {nodes.fingerprint!r}; pass the set that it was saved with, or build a table"
        )
    fits = (
        owners.dtype == "<u4"
        and words.dtype == "<u8"
        and owners.ndim == 2
        and owners.shape == words.shape
        and 1 <= owners.shape[0] <= PARTITIONS_MAX
        and 1 <= owners.shape[1] <= len(nodes)
    )
    if not fits or checksum != _checksum(nodes, contents) or owners.max() >= len(nodes):
        raise RVHError(f"{path} is damaged: its checksum is wrong; build the table again")
    order = np.argsort(_byte_ranks(nodes)).astype(np.uint32)
    # The arrays of a file may be in Fortran order.
    positions = np.ascontiguousarray(take(order, owners))
    return _restored(nodes, positions, np.ascontiguousarray(words, dtype=np.uint64))


def _checksum(nodes: NodeSet, contents: dict[str, NDArray[Any]]) -> str:
    """Checksum a file's contents, keyed with the secret: without it no table can be forged."""
    digest = hashlib.blake2b(digest_size=32, key=nodes.secret, person=b"rvh table")
    digest.update(f"{FORMAT}\n{nodes.fingerprint}\n".encode())
    for name, array in contents.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        for part in slices(len(data), PIECE):
            digest.update(data[part])
    return digest.hexdigest()


def _byte_ranks(nodes: NodeSet) -> NDArray[np.intp]:
    """Each node's position among the ids sorted by bytes."""
    ranks = np.empty(len(nodes), dtype=np.intp)
    ranks[ascending(nodes._ranking.column)] = np.arange(len(nodes))
    return ranks


def _restored(  # pickles name this function
    nodes: NodeSet, owners: NDArray[np.uint32], words: NDArray[np.uint64]
) -> PartitionTable:
    return PartitionTable.__new__(PartitionTable)._set_up(nodes, owners, words)


def _block_rows(numbers: int) -> int:
    """The number of partitions in a block, if each takes `numbers` numbers."""
    return max(1, BLOCK // numbers)


def _rank(
    nodes: NodeSet, rows: NDArray[Any], k: int, threads: int | None
) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """The owners of partitions, and the words that ranked them."""
    ranking = nodes._ranking
    owners = np.empty((len(rows), k), dtype=np.uint32)
    words = np.empty((len(rows), k), dtype=np.uint64)
    for part in slices(len(rows), _block_rows(2 * k)):
        both = np.empty((part.stop - part.start, 2 * k), dtype=np.uint64)
        over_rows(ranking.nodes.rank, _keys.column(rows[part]), both, ranking.cost(k), threads)
        owners[part], words[part] = both[:, :k], both[:, k:]
    return owners, words


def _new_positions(old: NodeSet, new: NodeSet) -> NDArray[np.intp]:
    """Each old node's position in `new`; -1 if it was removed or its weight differs."""
    places = new._ranking.places()
    positions = np.array(
        [places.get(node, -1) for node in old._ranking.column.iter_bytes()], dtype=np.intp
    )
    if old.weights is None or new.weights is None:
        return positions if old.weights is new.weights else np.full(len(old), -1)
    return np.where(old.weights == new.weights[positions], positions, -1)


def _merge(
    nodes: NodeSet,
    start: int,
    new: NDArray[np.intp],
    new_nodes: NodeSet | None,
    owners: NDArray[np.uint32],
    words: NDArray[np.uint64],
    threads: int | None,
) -> None:
    """Turn a block of an older table, in place, into the block of the table of `nodes`.

    If no owner of a partition was removed, new nodes are merged in by their words. If one was, or
    if two words are equal, the partition is ranked from scratch.

    Parameters
    ----------
    nodes : NodeSet
    start : int
        The first partition of the block.
    new : ndarray of intp
        Positions of the new nodes in `nodes`.
    new_nodes : NodeSet or None
        The new nodes as a set.
    owners, words : ndarrays, shape (rows, k)
        Positions in `nodes` of the owners in the older table, or `REMOVED`, and their words.
    threads : int, optional
    """
    k = words.shape[1]
    from_scratch = _any_in_row(owners == REMOVED)
    if new_nodes is not None:
        scores = new_nodes._score(np.arange(start, start + len(words)), threads)
        new_words = scores[..., 0] if scores.ndim == 3 else scores.view(np.uint64)
        rows = np.flatnonzero(_any_in_row(new_words >= words[:, -1:]) & ~from_scratch)
        all_words = np.concatenate([words[rows], new_words[rows]], axis=1)
        all_nodes = np.concatenate(
            [owners[rows], np.broadcast_to(new.astype(np.uint32), (len(rows), len(new)))], axis=1
        )
        order = np.argsort(~all_words, axis=1)[:, : k + 1]  # ~ makes it descending
        ranked = np.take_along_axis(all_words, order, axis=1)
        from_scratch[rows] = (ranked[:, :-1] == ranked[:, 1:]).any(axis=1)
        words[rows] = ranked[:, :k]
        owners[rows] = np.take_along_axis(all_nodes, order, axis=1)[:, :k]
    rows = np.flatnonzero(from_scratch)
    if len(rows):
        owners[rows], words[rows] = _rank(nodes, start + rows, k, threads)


def _any_in_row(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Compute ``mask.any(axis=1)``, five times as fast if there are few columns."""
    result = mask[:, 0].copy()
    for column in mask.T[1:]:
        result |= column
    return result
