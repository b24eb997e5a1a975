"""An estimate of a migration, added up batch by batch: its memory does not grow with the keys."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.domains import as_domains
from rvh._arguments.numbers import whole_number
from rvh._arguments.sizes import as_bytes
from rvh._batch.replicas import find_absent
from rvh._placing import id_bytes, ids_of, positions
from rvh.errors import RVHError, RVHTypeError, show
from rvh.migration.crossing import crossing_batch, step_numbers
from rvh.migration.estimate import Estimate, Steps
from rvh.migration.loads import Counts, Flows, Loads, added, grouped, ordered
from rvh.migration.pair import Pair, union
from rvh.migration.plan import STEPS_MAX

if TYPE_CHECKING:
    from rvh.typing import Keys

__all__ = ["Estimator", "Moves"]

#: the largest number of keys of a sample, and of those that it stands for
KEYS_MAX = (1 << 63) - 1
#: the sizes of all copies are together less, so that every sum fits in 64 bits
BYTES_MAX = 1 << 62
#: keys that are drawn at a time
DRAWN = 1 << 16
#: the beginning of the keys that are drawn: the same in every run
SEED = 0x727668
#: flows that wait to be added up
WAITING = 1 << 20


class Moves(NamedTuple):
    """The copies of a batch: one row for each.

    Parameters
    ----------
    row : ndarray of intp, shape (m,)
        The position of the key in the batch, ascending.
    source, target : ndarrays of intp, shape (m,)
        Positions in `Estimator.ids`.
    step : ndarray of intp, shape (m,), or None
        The step of the key; None if no number of steps was given.
    """

    row: NDArray[np.intp]
    source: NDArray[np.intp]
    target: NDArray[np.intp]
    step: NDArray[np.intp] | None


class Estimator:
    """An estimate that batches of keys are added to.

    Parameters
    ----------
    migration : Migration
        Both placements need ``ids`` or ``nodes``.
    domains, steps, total, threads
        As for `Migration.estimate`.

    Examples
    --------
    >>> from rvh import NodeSet
    >>> from rvh.migration import Estimator, Migration
    >>> estimator = Estimator(Migration(NodeSet(["a", "b"]), NodeSet(["a", "b", "c"])))
    >>> for start in range(0, 3000, 1000):
    ...     moves = estimator.add(range(start, start + 1000), sizes=100)
    >>> estimator.estimate().moved_keys
    970
    """

    def __init__(
        self,
        migration: Pair,
        *,
        domains: Mapping[str, Mapping[Any, Any]] | None = None,
        steps: int | None = None,
        total: int | None = None,
        threads: int | None = None,
    ) -> None:
        self._pair, self._threads = migration, threads
        if migration._kept or migration._dead:
            raise RVHError(
                "the migration has dead nodes or kept placements: an estimate is of one that has "
                "not begun, so leave dead and kept away"
            )
        self._k, self._k_new = migration._k, migration._k_new
        self._steps = None if steps is None else whole_number("steps", steps, STEPS_MAX)
        self._total = None if total is None else whole_number("total", total, KEYS_MAX)
        old, new = ids_of(migration._old, "old"), ids_of(migration._new, "new")
        merged = union(old.tolist(), new.tolist())
        self._ids = _keys.node_column(merged)[1]
        self._ids.flags.writeable = False
        place = {id_bytes(node): position for position, node in enumerate(merged)}
        # where the nodes of each placement are among the ids
        self._old, self._new = (
            np.array([place[id_bytes(node)] for node in nodes.tolist()], dtype=np.intp)
            for nodes in (old, new)
        )
        self._domains = (
            _own_domains(migration, (self._old, self._new), len(merged))
            if domains is None
            else _given_domains(domains, merged)
        )
        self._keys = self._moved_keys = self._bytes = 0
        #: sums over the keys of the squares of the copies and of the bytes that a key moves
        self._squares, self._byte_squares = 0, 0.0
        self._has_sizes: bool | None = None
        self._is_drawn = False
        self._before, self._after = _Sums(len(merged)), _Sums(len(merged))
        self._by_step = None if self._steps is None else _Sums(self._steps)
        self._flows = _FlowSums(len(merged))

    @property
    def ids(self) -> NDArray[Any]:
        """The ids of the old placement, then those that only the new one has; read-only."""
        return self._ids

    @property
    def steps(self) -> int | None:
        """The number of steps, if one was given."""
        return self._steps

    def add(self, keys: Keys, sizes: Any = None) -> Moves:
        """Add keys, and return what they move.

        Parameters
        ----------
        keys, sizes
            As for `Migration.estimate`. All batches have sizes, or none.

        Returns
        -------
        Moves

        Raises
        ------
        RVHError, RVHTypeError
            As `Migration.estimate`; then nothing was added.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Estimator, Migration
        >>> estimator = Estimator(Migration(NodeSet(["a"]), NodeSet(["b"])), steps=2)
        >>> estimator.add(["x", "y"]).step
        array([1, 1])
        """
        pair, threads, step = self._pair, self._threads, None
        with _keys.open_keys_with_objects(keys) as opened:
            count = len(opened[0])
            size = None if sizes is None else as_bytes(sizes, count)
            old = self._old[positions(pair._old, "old", opened, self._k, threads)]
            new = self._new[positions(pair._new, "new", opened, self._k_new, threads)]
            if self._steps is not None:
                step = step_numbers(crossing_batch(opened[0], threads), self._steps)
        if self._has_sizes not in (None, size is not None):
            raise RVHError("some batches have sizes and others have none: pass sizes with all")
        if size is not None:
            total = self._bytes + float(size.sum(dtype=np.float64))
            if total * max(self._k, self._k_new) >= BYTES_MAX:
                raise RVHError(
                    "the sizes of all copies are 2^62 or more: pass them in another unit"
                )
            self._bytes += int(size.sum())
        self._has_sizes = size is not None
        self._keys += count
        row, source, target = paired(old, new, len(self._ids))
        self._before.add(old.ravel(), None if size is None else size.repeat(self._k))
        self._after.add(new.ravel(), None if size is None else size.repeat(self._k_new))
        moved_size = None if size is None else size[row]
        self._flows.add(source, target, moved_size)
        copies = np.bincount(row, minlength=count)
        self._moved_keys += int(np.count_nonzero(copies))
        self._squares += int(np.square(copies).sum())
        if size is not None:
            self._byte_squares += float(np.square(copies * size.astype(np.float64)).sum())
        if step is not None and self._by_step is not None:
            step = step[row]
            self._by_step.add(step, moved_size)
        return Moves(row, source, target, step)

    def draw(self, count: int, size: int | None = None) -> None:
        """Add keys that are drawn at random: the same in every run.

        Parameters
        ----------
        count : int
            How many.
        size : int, optional
            The size of each.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Estimator, Migration
        >>> estimator = Estimator(Migration(NodeSet(["a"]), NodeSet(["a", "b"])))
        >>> estimator.draw(10_000)
        >>> estimate = estimator.estimate()
        >>> estimate.moved_keys, round(estimate.moved_keys_error)
        (4952, 50)
        """
        count = whole_number("sample", count, KEYS_MAX)
        self._is_drawn = True
        generator = np.random.Generator(np.random.PCG64(SEED))
        for start in range(0, count, DRAWN):
            numbers = generator.integers(1 << 63, size=min(DRAWN, count - start))
            self.add([f"{number:016x}" for number in numbers.tolist()], size)

    def estimate(self) -> Estimate:
        """Return the estimate of all keys so far.

        Returns
        -------
        Estimate

        Raises
        ------
        RVHError
            A total, but no keys or more than it.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Estimator, Migration
        >>> estimator = Estimator(Migration(NodeSet(["a"]), NodeSet(["b"])), total=10**9)
        >>> moves = estimator.add(["x", "y"])
        >>> estimator.estimate().moved_keys
        1000000000
        """
        counted, keys = self._keys, self._keys if self._total is None else self._total
        if self._total is not None and not 0 < counted <= keys:
            raise RVHError(
                f"total is {keys}, but there are {counted} keys: they are a sample of the total"
            )
        has_sizes = bool(self._has_sizes)

        def scaled(value: Any) -> Any:
            if value is None or keys == counted:
                return value
            if isinstance(value, int):
                return round(value * keys / counted)
            return np.rint(value * (keys / counted)).astype(np.int64)

        source, target, *flowing = self._flows.sums(has_sizes)
        nodes = self._loads(ordered(source, target, *map(scaled, flowing)), scaled)
        moved = [self._moved_keys, *(None if each is None else int(each.sum()) for each in flowing)]
        errors: list[float | None] = [None, None, None]
        if counted and (self._is_drawn or self._total is not None):
            # What was drawn tells about keys at large, and a part of the keys about the rest.
            rest = keys * math.sqrt(1 if self._is_drawn else 1 - counted / keys)
            squares = (self._moved_keys, self._squares, self._byte_squares)
            errors = [
                None if each is None else rest * _mean_error(each, square, counted)
                for each, square in zip(moved, squares, strict=True)
            ]
        moved_keys, moved_copies, moved_bytes = map(scaled, moved)
        return Estimate(
            k=self._k,
            k_new=self._k_new,
            keys=keys,
            counted=counted,
            bytes=scaled(self._bytes) if has_sizes else None,
            nodes=nodes,
            domains=MappingProxyType(
                {kind: grouped(nodes, *made) for kind, made in self._domains.items()}
            ),
            moved_keys=moved_keys,
            moved_copies=moved_copies,
            moved_bytes=moved_bytes,
            moved_keys_error=errors[0],
            moved_copies_error=errors[1],
            moved_bytes_error=errors[2],
            minimum_copies=_growth(nodes.keys_before, nodes.keys_after),
            minimum_bytes=_growth(nodes.bytes_before, nodes.bytes_after),
            chance_copies=_by_chance(nodes.keys_before, nodes.keys_after, keys),
            chance_bytes=_by_chance(nodes.keys_before, nodes.bytes_after, keys),
            steps=None
            if self._by_step is None
            else Steps(*map(scaled, self._by_step.sums(has_sizes))),
        )

    def _loads(self, flows: Flows, scaled: Callable[[Any], Any]) -> Loads:
        count, has_sizes = len(self._ids), bool(self._has_sizes)
        keys_before, bytes_before = map(scaled, self._before.sums(has_sizes))
        keys_after, bytes_after = map(scaled, self._after.sums(has_sizes))
        return Loads(
            names=self._ids,
            in_old=_spread_out(self._old, True, count),
            in_new=_spread_out(self._new, True, count),
            weights_old=_weights(self._pair._old, self._old, count),
            weights_new=_weights(self._pair._new, self._new, count),
            keys_before=keys_before,
            keys_after=keys_after,
            keys_sent=added(flows.source, flows.keys, count),
            keys_received=added(flows.target, flows.keys, count),
            bytes_before=bytes_before,
            bytes_after=bytes_after,
            bytes_sent=added(flows.source, flows.bytes, count),
            bytes_received=added(flows.target, flows.bytes, count),
            flows=flows,
        )


class _Sums:
    """Numbers of copies and of their bytes, by position."""

    def __init__(self, count: int) -> None:
        self._keys, self._bytes = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)

    def add(self, places: NDArray[np.intp], sizes: Counts | None) -> None:
        self._keys += np.bincount(places, minlength=len(self._keys))
        if sizes is not None:
            np.add.at(self._bytes, places, sizes)

    def sums(self, has_sizes: bool) -> tuple[Counts, Counts | None]:
        return self._keys.copy(), self._bytes.copy() if has_sizes else None


class _FlowSums:
    """Numbers of copies and of their bytes, by source and target; only pairs that occur."""

    def __init__(self, count: int) -> None:
        self._count = count
        empty = np.zeros(0, dtype=np.int64)
        self._parts, self._waiting = [(empty, empty, empty)], 0

    def add(self, source: NDArray[np.intp], target: NDArray[np.intp], sizes: Counts | None) -> None:
        codes = source * self._count + target
        keys = np.ones(len(codes), dtype=np.int64)
        self._parts.append((codes, keys, np.zeros_like(keys) if sizes is None else sizes))
        self._waiting += len(codes)
        if self._waiting >= WAITING:
            self._add_up()

    def sums(self, has_sizes: bool) -> tuple[Any, Any, Counts, Counts | None]:
        self._add_up()
        codes, keys, sizes = self._parts[0]
        return codes // self._count, codes % self._count, keys, sizes if has_sizes else None

    def _add_up(self) -> None:
        codes, keys, sizes = (np.concatenate(each) for each in zip(*self._parts, strict=True))
        codes, places = np.unique(codes, return_inverse=True)
        self._parts = [(codes, *(added(places, each, len(codes)) for each in (keys, sizes)))]
        self._waiting = 0


def paired(
    old: NDArray[np.intp], new: NDArray[np.intp], count: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the row, source and target of each copy, paired as `Moved` says."""
    is_lost, is_new = find_absent(old, new, count), find_absent(new, old, count)
    row, target = np.nonzero(is_new)[0], new[is_new]
    if old.shape == new.shape:
        return row, old[is_lost], target
    # the nodes that lose the key, then its others, in order
    order = np.argsort(~is_lost, axis=1, kind="stable")
    sources = np.take_along_axis(old, order, axis=1)
    number = (is_new.cumsum(axis=1) - 1)[is_new]  # of the copy in its row
    return row, sources[row, number % old.shape[1]], target


def _mean_error(total: int, squares: float, count: int) -> float:
    """Return the standard error of the mean of numbers, by their sum and that of their squares."""
    variance = max(0.0, squares - total**2 / count) / max(1, count - 1)
    return math.sqrt(variance / count)


def _growth(before: Any, after: Any) -> Any:
    """Return what the nodes grow by, together; None of None."""
    if after is None:
        return None
    return int(np.maximum(after - before, 0).sum())


def _by_chance(keys_before: Counts, after: Any, keys: int) -> Any:
    """Return what moves if a node had any key as likely as any other before; None of None."""
    if after is None:
        return None
    stays = float((after * (keys_before / max(1, keys))).sum())
    return round(float(after.sum()) - stays)


def _spread_out(places: NDArray[np.intp], values: Any, count: int) -> Any:
    """Return an array of `count` with the values at their places, 0 elsewhere."""
    array = np.zeros(count, dtype=np.asarray(values).dtype)
    array[places] = values
    return array


def _weights(placement: Any, places: NDArray[np.intp], count: int) -> Any:
    """Return the weights of all nodes in a placement, None if it has none."""
    weights = getattr(getattr(placement, "nodes", placement), "weights", None)
    return None if weights is None else _spread_out(places, np.asarray(weights), count)


#: the number of the domain of each node, and the labels of the domains
Numbered: TypeAlias = tuple[NDArray[np.intp], list[Any]]


def _numbered(labels: Sequence[Any]) -> Numbered:
    numbers: dict[Any, int] = {}
    places = [numbers.setdefault(label, len(numbers)) for label in labels]
    return np.array(places, dtype=np.intp), list(numbers)


def _own_domains(pair: Pair, places: Sequence[NDArray[np.intp]], count: int) -> dict[str, Numbered]:
    """Return the domains that the placements know of every node; the new one's word counts."""
    kinds: dict[str, list[Any]] = {}
    for placement, at in zip((pair._old, pair._new), places, strict=True):
        domains = getattr(getattr(placement, "nodes", placement), "domains", None)
        for kind, labels in domains.items() if isinstance(domains, Mapping) else ():
            known = kinds.setdefault(kind, [None] * count)
            for place, label in zip(at.tolist(), labels, strict=True):
                known[place] = label
    return {kind: _numbered(labels) for kind, labels in kinds.items() if None not in labels}


def _given_domains(domains: Any, ids: list[Any]) -> dict[str, Numbered]:
    """Return the domains that a caller gives: by kind, a mapping of ids to labels."""
    if not isinstance(domains, Mapping) or not all(
        isinstance(labels, Mapping) for labels in domains.values()
    ):
        raise RVHTypeError(
            f"domains is {show(domains)}: pass a mapping of ids to labels for each kind, for "
            'example domains={"zone": {"a": "eu", "b": "us"}}'
        )
    made = {}
    for kind, labels in domains.items():
        known = {id_bytes(node): label for node, label in labels.items()}
        for node in ids:
            if known.get(id_bytes(node)) is None:
                raise RVHError(f"domains has no {kind!r} label of node {show(node)}")
        ordered_labels = [known[id_bytes(node)] for node in ids]
        made[kind] = _numbered(as_domains({kind: ordered_labels}, _keys.node_column(ids)[1])[kind])
    return made
