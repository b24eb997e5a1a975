"""Partition tables: the owners of a fixed number of partitions, written down once.

A key's partition depends on the key alone, so a lookup takes the same short time for three nodes as
for a million. The partitions are placed by rendezvous hashing, so a node that comes or goes moves
only partitions of its own.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import secrets
import zipfile
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import whole_number
from rvh._backend import ascending, lookup, lookup_one
from rvh._batch.answers import fill
from rvh._batch.replicas import absent
from rvh._batch.threads import over_rows, thread_count
from rvh._runtime.slices import slices, take
from rvh.errors import RVHError, RVHTypeError, show
from rvh.nodes import NodeSet, as_node_set

__all__ = ["Moves", "PartitionTable"]

PARTITIONS_MAX = 1 << 24
#: in place of a node's position, where the node is one no more
GONE = np.uint32(0xFFFFFFFF)
#: what a file of a table says of itself; another layout would be another number
FORMAT = "rvh PartitionTable 1"
#: numbers worked on together, so that memory beyond the table stays small
BLOCK = 1 << 18
#: bytes of a file between which signal handlers run: some 5 ms
PIECE = 1 << 22


class Moves(NamedTuple):
    """What has to be copied to get from one table to another: one row for each replica.

    Parameters
    ----------
    partition : ndarray of intp, shape (m,)
        Ascending.
    source, target : ndarray, shape (m,)
        The node that stops being an owner, and the one that becomes one; of several in one
        partition, the first in rank goes with the first in rank.
    """

    partition: NDArray[np.intp]
    source: NDArray[Any]
    target: NDArray[Any]


class PartitionTable:
    """The `k` owners of each partition, for lookups in constant time.

    The owners of partition p are the ranking of the integer key p in the node set, by the set's
    scheme and weights. A key is in partition ``(MurmurHash64A(key, seed 2718281828) * partitions)
    >> 64``. A table never changes: `add`, `remove` and `with_weights` give new ones, which share
    nothing with the old that could change under a reader, and are equal to tables built afresh.

    Parameters
    ----------
    nodes : NodeSet, or what makes one
    partitions : int
        From 1 to 2^24. A node's share of the keys varies by about ``sqrt(N / partitions)``.
    k : int
        Owners of each partition.
    threads : int, optional
        As for `NodeSet.argselect_batch`.

    Raises
    ------
    RVHError
        ``partitions`` or ``k`` out of range.
    RVHTypeError
        ``partitions`` or ``k`` that is no whole number.

    Notes
    -----
    Memory is 12 bytes for each partition and owner.

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
        self, nodes: Any, partitions: int = 65536, k: int = 1, *, threads: int | None = None
    ) -> None:
        node_set = as_node_set(nodes)
        k = node_set._ranking.count(k)
        rows = np.arange(whole_number("partitions", partitions, PARTITIONS_MAX))
        self._fill(node_set, *_ranked(node_set, rows, k, threads))

    def _fill(
        self, nodes: NodeSet, owners: NDArray[np.uint32], words: NDArray[np.uint64]
    ) -> PartitionTable:
        owners.flags.writeable = words.flags.writeable = False
        self._nodes = nodes
        self._owners = owners
        self._words = words  # what ranked each owner, for tables that are made from this one
        self._names = nodes._ranking.names()
        return self

    # -- what it is ---------------------------------------------------------------------------

    @property
    def nodes(self) -> NodeSet:
        """The node set that owns the partitions."""
        return self._nodes

    @property
    def partitions(self) -> int:
        """How many partitions there are."""
        return len(self._owners)

    @property
    def k(self) -> int:
        """How many owners each partition has."""
        return int(self._owners.shape[1])

    @property
    def owners(self) -> NDArray[np.uint32]:
        """Positions in ``nodes.ids`` of each partition's owners, shape (partitions, k), best first.

        Read-only.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> import rvh
        >>> table = PartitionTable(["a", "b", "c"], partitions=4)
        >>> table.nodes.ids[table.owners[:, 0]]
        array(['c', 'b', 'b', 'b'], dtype='<U1')
        """
        return self._owners.view()  # of an array that is read-only: nobody can make it writeable

    def __repr__(self) -> str:
        return f"PartitionTable({self._nodes!r}, partitions={self.partitions}, k={self.k})"

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

    def lookup(self, key: Any) -> list[Any]:
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

    def lookup_batch(self, keys: Any, *, threads: int | None = None) -> NDArray[Any]:
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
        if ids.dtype == object:  # references are counted, which is NumPy's to do
            return take(ids, self.arglookup_batch(keys, threads=threads))
        return self._look_up(keys, self._owners, np.ascontiguousarray(ids), ids.dtype, threads)

    def arglookup_batch(self, keys: Any, *, threads: int | None = None) -> NDArray[np.intp]:
        """`lookup_batch` as positions in ``nodes.ids``.

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

    def partition_batch(self, keys: Any, *, threads: int | None = None) -> NDArray[np.intp]:
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
        keys: Any,
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
        self, ids: Any, weights: ArrayLike | None = None, *, threads: int | None = None
    ) -> PartitionTable:
        """A new table with `ids` (one id or several) in the node set; they only take partitions.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> table = PartitionTable(["a", "b"]).add("c")
        >>> table == PartitionTable(["a", "b", "c"])
        True
        """
        return self._updated(self._nodes.add(ids, weights), threads)

    def remove(self, ids: Any, *, threads: int | None = None) -> PartitionTable:
        """A new table without `ids` (one id or several); only their partitions move.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> table = PartitionTable(["a", "b", "c"]).remove("a")
        >>> table == PartitionTable(["b", "c"])
        True
        """
        return self._updated(self._nodes.remove(ids), threads)

    def with_weights(
        self, weights: ArrayLike | None, *, threads: int | None = None
    ) -> PartitionTable:
        """A new table of the same nodes with other weights.

        Examples
        --------
        >>> from rvh.partitions import PartitionTable
        >>> table = PartitionTable(["a", "b"]).with_weights([1, 0])
        >>> table.lookup("any key")
        ['a']
        """
        return self._updated(self._nodes.with_weights(weights), threads)

    def _updated(self, nodes: NodeSet, threads: int | None) -> PartitionTable:
        """The table of `nodes`, from this one where less has to be scored than afresh."""
        k = nodes._ranking.count(self.k)
        thread_count(threads, 0)  # refuses a wrong number, also where nothing will be scored
        stays = _same_nodes(self._nodes, nodes)
        came = np.ones(len(nodes), dtype=np.bool_)
        came[stays[stays >= 0]] = False
        if nodes.weights is not None:
            came &= nodes.weights > 0
        if stays.max() < 0 or 2 * np.count_nonzero(came) >= len(nodes):
            return PartitionTable(nodes, self.partitions, k, threads=threads)
        place = stays.astype(np.uint32)  # -1 becomes GONE
        owners, words = np.empty_like(self._owners), np.empty_like(self._words)
        new = np.flatnonzero(came)
        newcomers = nodes.subset(came) if len(new) else None
        step = _step(k + len(new))
        for start in range(0, self.partitions, step):
            rows = slice(start, start + step)
            owners[rows], words[rows] = place[self._owners[rows]], self._words[rows]
            _merge(nodes, start, new, newcomers, owners[rows], words[rows], threads)
        return _restored(nodes, owners, words)

    def moved(self, other: PartitionTable) -> Moves:
        """What changes owner from this table to `other`, and from whom to whom.

        Parameters
        ----------
        other : PartitionTable
            Of as many partitions and owners; its nodes may be any.

        Returns
        -------
        Moves
            One row for each replica whose node is another. Owners that only change their order
            have the data already and are no move.

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
        number: dict[bytes, int] = {}  # of each id in either set
        mine, theirs = (
            np.array(
                [
                    number.setdefault(node, len(number))
                    for node in nodes._ranking.column.iter_bytes()
                ]
            )
            for nodes in (self._nodes, other._nodes)
        )
        found = []
        step = _step(self.k)
        for start in range(0, self.partitions, step):
            before, after = self._owners[start : start + step], other._owners[start : start + step]
            rows = np.flatnonzero(_in_any_column(mine[before] != theirs[after]))
            before, after = before[rows], after[rows]
            leaves = absent(mine[before], theirs[after], len(number))
            comes = absent(theirs[after], mine[before], len(number))
            # As many leave a row as come, so the flattened masks go together row by row.
            partition = start + np.repeat(rows, np.count_nonzero(leaves, axis=1))
            found.append((partition, before[leaves], after[comes]))
        partition, source, target = (np.concatenate(part) for part in zip(*found, strict=True))
        return Moves(partition, take(self._nodes.ids, source), take(other._nodes.ids, target))

    # -- files --------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table to a file; it is complete or not there.

        Parameters
        ----------
        path : path-like
            By convention ``.npz``: NumPy's format, with the fingerprint of the node set and a
            checksum. The nodes and the secret are not in it.

        Raises
        ------
        OSError
            The file cannot be written; an existing one is as it was.

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
        place = _places(self._nodes)
        contents = {
            "owners": take(place.astype("<u4"), self._owners),
            "words": self._words.astype("<u8", copy=False),
        }
        target = Path(path)
        part = target.parent / f".rvh-{secrets.token_hex(8)}.part"
        try:
            with open(part, "xb") as file:
                np.savez(
                    file,
                    format=np.array(FORMAT),
                    fingerprint=np.array(self._nodes.fingerprint),
                    checksum=np.array(_checksum(self._nodes, contents)),
                    owners=contents["owners"],
                    words=contents["words"],
                )
                file.flush()
                os.fsync(file.fileno())  # or a crash could leave the new name without contents
            os.replace(part, target)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise

    @classmethod
    def load(cls, path: str | os.PathLike[str], nodes: Any) -> PartitionTable:
        """The table in a file, for the node set that it was saved with.

        Parameters
        ----------
        path : path-like
        nodes : NodeSet, or what makes one
            Of the same fingerprint; the order of its ids may be another.

        Returns
        -------
        PartitionTable

        Raises
        ------
        RVHError
            A file that is no partition table, is damaged, or belongs to another node set.
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
                found = _members(file)
            except Exception as error:  # a damaged zip or header fails in many ways
                if isinstance(error, OSError) and error.errno != errno.EINVAL:
                    raise  # EINVAL: damage sent a seek to before the file
                raise RVHError(
                    f"{path} is no partition table of rvh, or damaged ({error}): "
                    "build the table again and save it"
                ) from None
        return _checked(path, node_set, found)


_MEMBERS = ("format", "fingerprint", "checksum", "owners", "words")


def _members(file: IO[bytes]) -> dict[str, NDArray[Any]]:
    """The arrays in a file, each read and its CRC checked before NumPy sees any of it."""
    found = {}
    with zipfile.ZipFile(file) as members:
        for name in _MEMBERS:
            info = members.getinfo(f"{name}.npy")
            if info.compress_type != zipfile.ZIP_STORED:  # a few bytes could become any number
                raise zipfile.BadZipFile(f"{name} is compressed")
            data = io.BytesIO()
            with members.open(info) as member:
                while piece := member.read(PIECE):
                    data.write(piece)
            data.seek(0)
            found[name] = np.lib.format.read_array(data, allow_pickle=False)
    return found


def _checked(
    path: str | os.PathLike[str], nodes: NodeSet, found: dict[str, NDArray[Any]]
) -> PartitionTable:
    """The table of what was in a file, unless something about it is wrong."""
    form, fingerprint, checksum = (str(found[name]) for name in _MEMBERS[:3])
    contents = {name: found[name] for name in _MEMBERS[3:]}
    owners, words = contents.values()
    if form != FORMAT:
        raise RVHError(f"{path} says that it is {show(form)}, not {FORMAT!r}: it cannot be read")
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
        raise RVHError(f"{path} is damaged: its checksum is wrong; build the table again, save it")
    order = np.argsort(_places(nodes)).astype(np.uint32)
    in_order = np.ascontiguousarray(take(order, owners))  # the file may hold columns of a table
    return _restored(nodes, in_order, np.ascontiguousarray(words, dtype=np.uint64))


def _checksum(nodes: NodeSet, contents: dict[str, NDArray[Any]]) -> str:
    """Of all that a file holds, keyed with the secret: nobody without it can forge a table."""
    digest = hashlib.blake2b(digest_size=32, key=nodes.secret, person=b"rvh table")
    digest.update(f"{FORMAT}\n{nodes.fingerprint}\n".encode())
    for name, array in contents.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        for part in slices(len(data), PIECE):
            digest.update(data[part])
    return digest.hexdigest()


def _places(nodes: NodeSet) -> NDArray[np.intp]:
    """Each node's place among the ids sorted by bytes, which does not depend on their order."""
    place = np.empty(len(nodes), dtype=np.intp)
    place[ascending(nodes._ranking.column)] = np.arange(len(nodes))
    return place


def _restored(
    nodes: NodeSet, owners: NDArray[np.uint32], words: NDArray[np.uint64]
) -> PartitionTable:
    return PartitionTable.__new__(PartitionTable)._fill(nodes, owners, words)


def _step(numbers: int) -> int:
    """Partitions worked on together where each takes so many numbers."""
    return max(1, BLOCK // numbers)


def _ranked(
    nodes: NodeSet, rows: NDArray[Any], k: int, threads: int | None
) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """The owners of partitions, and what ranked them."""
    ranking = nodes._ranking
    owners = np.empty((len(rows), k), dtype=np.uint32)
    words = np.empty((len(rows), k), dtype=np.uint64)
    for part in slices(len(rows), _step(2 * k)):
        both = np.empty((part.stop - part.start, 2 * k), dtype=np.uint64)
        over_rows(ranking.nodes.rank, _keys.column(rows[part]), both, ranking.cost(k), threads)
        owners[part], words[part] = both[:, :k], both[:, k:]
    return owners, words


def _same_nodes(old: NodeSet, new: NodeSet) -> NDArray[np.intp]:
    """For each old node its position in `new`; -1 where it is gone or weighs something else."""
    places = new._ranking.places()
    stays = np.array(
        [places.get(node, -1) for node in old._ranking.column.iter_bytes()], dtype=np.intp
    )
    if old.weights is None or new.weights is None:
        return stays if old.weights is new.weights else np.full(len(old), -1)
    return np.where(old.weights == new.weights[stays], stays, -1)


def _merge(
    nodes: NodeSet,
    start: int,
    came: NDArray[np.intp],
    newcomers: NodeSet | None,
    owners: NDArray[np.uint32],
    words: NDArray[np.uint64],
    threads: int | None,
) -> None:
    """Make a block of partitions that of `nodes`, where it holds what is left of older owners.

    Where no owner left, the nodes that came (also as a set of their own) are merged in by the words
    that rank them; where one did, or two words are equal, the partition is ranked anew.
    """
    k = words.shape[1]
    again = _in_any_column(owners == GONE)
    if newcomers is not None:
        scores = newcomers.score_batch(np.arange(start, start + len(words)), threads=threads)
        entering = scores[..., 0] if scores.ndim == 3 else scores.view(np.uint64)
        rows = np.flatnonzero(_in_any_column(entering >= words[:, -1:]) & ~again)
        all_words = np.concatenate([words[rows], entering[rows]], axis=1)
        all_nodes = np.concatenate(
            [owners[rows], np.broadcast_to(came.astype(np.uint32), (len(rows), len(came)))], axis=1
        )
        order = np.argsort(~all_words, axis=1)[:, : k + 1]  # ~ turns the order of words round
        ranked = np.take_along_axis(all_words, order, axis=1)
        again[rows] = (ranked[:, :-1] == ranked[:, 1:]).any(axis=1)
        words[rows] = ranked[:, :k]
        owners[rows] = np.take_along_axis(all_nodes, order, axis=1)[:, :k]
    left = np.flatnonzero(again)
    if len(left):
        owners[left], words[left] = _ranked(nodes, start + left, k, threads)


def _in_any_column(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``mask.any(axis=1)``, five times as fast where there are few columns."""
    found = mask[:, 0].copy()
    for column in mask.T[1:]:
        found |= column
    return found
