"""The loops over a store: copying what is there, and removing what is left over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import real_number, whole_number
from rvh.errors import RVHError, RVHTypeError, show
from rvh.keys import key_bytes
from rvh.migration.coordinator import Coordinator
from rvh.migration.listing import ListKeys, columns_of, joined, keys_of_steps
from rvh.migration.moves import Copies, Leftovers
from rvh.migration.rows import take_keys
from rvh.migration.store import MARK, StoreError, as_retries, retried

__all__ = ["Copied", "Purged", "copy", "purge"]

#: gives the values of keys on a node
ReadMany: TypeAlias = Callable[[Any, Any], Sequence[Any]]


class Copied(NamedTuple):
    """What a copy did.

    Parameters
    ----------
    steps : int
        The steps that were done.
    keys : int
        The keys of these steps.
    replicas : int
        The values that were passed to `write_if_absent`.
    gone : int
        The replicas that no node had a value for any more: of keys that were deleted.
    lost : list
        Keys that no living node has, since all that had them died.
    """

    steps: int
    keys: int
    replicas: int
    gone: int
    lost: list[Any]


class Purged(NamedTuple):
    """What a purge did.

    Parameters
    ----------
    keys : int
        The keys that were listed, each once in a column.
    replicas : int
        The replicas that were removed, whether their nodes had them or not.
    """

    keys: int
    replicas: int


def copy(
    coordinator: Coordinator,
    list_keys: ListKeys,
    read: ReadMany,
    write_if_absent: Callable[[Any, Any, Any], object],
    *,
    batch: int = 1000,
    retries: int = 2,
    checksum: ReadMany | None = None,
    rate: float | None = None,
    progress: Callable[[Copied], object] | None = None,
) -> Copied:
    """Copy what the new placement needs, step by step, and finish each step.

    It goes on where an earlier call was stopped: steps that are done are not copied again.

    Parameters
    ----------
    coordinator : Coordinator
        In ``copying``, which all workers have acknowledged.
    list_keys : callable
        ``list_keys()`` gives the keys that the nodes hold now, each at least once: one column of
        any kind in `rvh.keys.KINDS`, or an iterator of columns. It is called once, after the
        condition above was checked: a list of before would lack keys.
    read : callable
        ``read(node, keys)`` gives the value of each key, None where the node has none, `MARK`
        where it has a mark.
    write_if_absent : callable
        ``write_if_absent(node, keys, values)`` puts each value where the node has neither a value
        nor a mark; looking and putting is one step of the store.
    batch : int
        The greatest number of keys in a call.
    retries : int
        How often a call that raised is made again. Reads then go on at the next source.
    checksum : callable, optional
        ``checksum(node, keys)`` gives for each key a value that is equal where copies are; None
        where there is no value. If given, each copy is compared with its source.
    rate : float, optional
        The greatest number of values written in a second.
    progress : callable, optional
        ``progress(copied)`` is called after each step with a `Copied` of all steps so far.

    Returns
    -------
    Copied

    Raises
    ------
    RVHError
        A phase in which nothing may be copied, before or while it runs; a function that answers
        with another number of values; at the end, copies that differ from their sources, whose
        steps stay to be done.
    StoreError
        A node that cannot be written to, or a key none of whose nodes can be read.

    Examples
    --------
    >>> from rvh import NodeSet
    >>> from rvh.migration import Coordinator, Migration, copy
    >>> stored = {("a", "x"): 1, ("a", "y"): 2}
    >>> coordinator = Coordinator(Migration(NodeSet(["a"]), NodeSet(["b"])), steps=10)
    >>> coordinator.workers([])
    >>> coordinator.advance(), coordinator.advance()
    (<Phase.PREPARING: 'preparing'>, <Phase.COPYING: 'copying'>)
    >>> def write_if_absent(node, keys, values):
    ...     for key, value in zip(keys, values):
    ...         stored.setdefault((node, key), value)
    >>> copy(
    ...     coordinator,
    ...     lambda: ["x", "y"],
    ...     lambda node, keys: [stored.get((node, key)) for key in keys],
    ...     write_if_absent,
    ... )
    Copied(steps=10, keys=2, replicas=2, gone=0, lost=[])
    >>> stored["b", "x"]
    1
    """
    batch, retries = whole_number("batch", batch, 2**31 - 1), as_retries(retries)
    pace = _Pace(rate)
    _check(
        coordinator, list_keys=list_keys, read=read, write_if_absent=write_if_absent,
        checksum=checksum, progress=progress,
    )  # fmt: skip
    done = Copied(0, 0, 0, 0, [])
    differing: dict[int, list[tuple[Any, Any, Any]]] = {}
    with coordinator._copy_runs() as generation:
        left = [step.number for step in coordinator.left()]
        keys_of = keys_of_steps(coordinator._plan, list_keys, left)
        one = _Copy(coordinator, generation, read, write_if_absent, checksum, batch, retries, pace)
        for step in left:
            keys = keys_of.pop(step)
            replicas, gone, lost = one.step(keys, step)
            if one.differing:
                differing[step], one.differing = one.differing, []
                continue
            coordinator.finish(step, generation=generation)
            done = Copied(
                done.steps + 1, done.keys + len(keys), done.replicas + replicas,
                done.gone + gone, done.lost + lost,
            )  # fmt: skip
            if progress is not None:
                progress(done)
    if differing:
        raise RVHError(_listed(differing))
    return done


def _listed(differing: dict[int, list[tuple[Any, Any, Any]]]) -> str:
    """Say which copies differ: key, source and target by step."""
    found = [each for step in differing.values() for each in step]
    first = ", ".join(
        f"key {show(key)} on source {show(source)} and target {show(target)}"
        for key, source, target in found[:10]
    )
    more = f" and {len(found) - 10} more" if len(found) > 10 else ""
    steps = ", ".join(map(str, list(differing)[:10])) + (", ..." if len(differing) > 10 else "")
    return (
        f"copies differ from their sources: {first}{more}; a write was cut off half-way, the "
        "target had something before the migration, or the store changed what was written; write "
        "the key again or remove it from the target, then copy again: the steps that have such "
        f"keys are left ({steps})"
    )


def _check(coordinator: Any, **functions: Any) -> None:
    """Reject what is not a coordinator, not a function, and not the None of an optional one."""
    if not isinstance(coordinator, Coordinator):
        kind = type(coordinator).__name__
        raise RVHTypeError(f"coordinator is of type {kind}: pass a Coordinator")
    for name, function in functions.items():
        is_left_out = function is None and name in ("checksum", "progress", "unmark")
        if not callable(function) and not is_left_out:
            raise RVHTypeError(f"{name} is {show(function)}: pass a function")


class _Copy:
    """The copying of one step after another."""

    def __init__(
        self,
        coordinator: Coordinator,
        generation: int,
        read: ReadMany,
        write_if_absent: Callable[[Any, Any, Any], object],
        checksum: ReadMany | None,
        batch: int,
        retries: int,
        pace: _Pace,
    ) -> None:
        self._coordinator, self._generation = coordinator, generation
        self._read, self._write_if_absent, self._checksum = read, write_if_absent, checksum
        self._batch, self._retries, self._pace = batch, retries, pace
        #: key, source and target of copies that differ
        self.differing: list[tuple[Any, Any, Any]] = []

    def step(self, keys: Any, step: int) -> tuple[int, int, list[Any]]:
        """Copy the keys of a step; return how many values were written, were gone, and are lost."""
        self._coordinator._goes_on(self._generation)
        found = self._coordinator._copies(keys, np.full(len(keys), step, dtype=np.intp))
        failed: dict[int, StoreError] = {}  # by row of `found`: a source that could not be read
        rows, replicas, gone = np.arange(len(found.row)), 0, 0
        for choice in range(found.sources.shape[1]):
            sources = found.sources[:, choice]
            rest: list[int] = []
            for source, target, part in self._batches(rows, sources, found.target):
                if source is None:
                    rest += part.tolist()
                    continue
                some = take_keys(keys, found.row[part])
                try:
                    values = self._ask(self._read, "read", source, some)
                except StoreError as error:
                    failed |= dict.fromkeys(part.tolist(), error)
                    rest += part.tolist()
                    continue
                has_value = [value is not None and value is not MARK for value in values]
                rest += [
                    row for row, value in zip(part.tolist(), values, strict=True) if value is None
                ]
                gone += sum(value is MARK for value in values)
                chosen = np.flatnonzero(has_value)
                self._write(
                    source, target, take_keys(some, chosen), [values[n] for n in chosen.tolist()]
                )
                replicas += len(chosen)
            rows = np.array(sorted(rest), dtype=np.intp)
        lost = self._missing(keys, found, rows, failed)
        return (
            replicas,
            gone + len(rows) - len(lost),
            list({key_bytes(key): key for key in lost}.values()),
        )

    def _batches(
        self, rows: NDArray[np.intp], sources: NDArray[Any], targets: NDArray[Any]
    ) -> Iterator[tuple[Any, Any, NDArray[np.intp]]]:
        """Yield batches of rows with one source and one target."""
        pairs = zip(sources[rows].tolist(), targets[rows].tolist(), strict=True)
        groups: dict[tuple[Any, Any], list[int]] = {}
        for row, pair in zip(rows.tolist(), pairs, strict=True):
            groups.setdefault(pair, []).append(row)
        for (source, target), together in groups.items():
            for start in range(0, len(together), self._batch):
                self._coordinator._goes_on(self._generation)
                part = together[start : start + self._batch]
                yield source, target, np.array(part, dtype=np.intp)

    def _write(self, source: Any, target: Any, keys: Any, values: list[Any]) -> None:
        """Write a batch and compare it."""
        if not values:
            return
        write = partial(self._write_if_absent, target, keys, values)
        retried(write, "write_if_absent", target, keys, self._retries)
        self._pace.wrote(len(values))
        wrong = np.arange(len(values))
        for attempt in range(3 if self._checksum is not None else 0):
            some = take_keys(keys, wrong)
            pairs = [self._ask(self._checksum, "checksum", node, some) for node in (source, target)]
            differs = [one != other for one, other in zip(*pairs, strict=True)]
            wrong = wrong[np.array(differs, dtype=np.bool_)]
            if not len(wrong):
                return
            time.sleep(0.05 * attempt)  # a worker may have written to one of the two just now
        if self._checksum is not None:
            self.differing += [(key, source, target) for key in take_keys(keys, wrong)]

    def _missing(
        self, keys: Any, found: Copies, rows: NDArray[np.intp], failed: dict[int, StoreError]
    ) -> list[Any]:
        """Return the keys that are lost, of those that no source gave a value for."""
        for row in rows.tolist():
            if row in failed:
                raise failed[row]
        unsure = rows[~found.certain[rows]]
        lost = []
        for _, target, part in self._batches(unsure, found.target, found.target):
            some = take_keys(keys, found.row[part])
            values = self._ask(self._read, "read", target, some)
            lost += [key for key, value in zip(some, values, strict=True) if value is None]
        return lost

    def _ask(self, ask: Any, what: str, node: Any, keys: Any) -> Sequence[Any]:
        """Return the values that a function gives for keys on a node."""
        values: Sequence[Any] = retried(partial(ask, node, keys), what, node, keys, self._retries)
        if not hasattr(values, "__len__") or len(values) != len(keys):
            raise RVHTypeError(
                f"{what} answers with {show(values)} for {len(keys)} keys on node {show(node)}: "
                "it gives a list with a value for each key"
            )
        return values


def purge(
    coordinator: Coordinator,
    list_keys: ListKeys,
    remove: Callable[[Any, Any], object],
    *,
    unmark: Callable[[Any, Any], object] | None = None,
    batch: int = 1000,
    retries: int = 2,
    rate: float | None = None,
) -> Purged:
    """Remove what is left over: after a rollback, the copies; in ``after``, what old nodes have.

    After a rollback, `Coordinator.purged` is called at the end.

    Parameters
    ----------
    coordinator : Coordinator
        In ``after``, or in ``before`` after a rollback, which all workers have acknowledged.
    list_keys : callable
        As for `copy`, with keys that have marks too.
    remove : callable
        ``remove(node, keys)`` removes values and marks.
    unmark : callable, optional
        ``unmark(node, keys)`` removes the marks on nodes that stay, and leaves values alone;
        looking and removing is one step of the store. In ``after``, once `Coordinator.advance` has
        ended the marks.
    batch, retries, rate
        As for `copy`.

    Returns
    -------
    Purged

    Raises
    ------
    RVHError
        A phase in which nothing may be removed; ``unmark`` while deletes still leave marks.
    StoreError
        A node that cannot be reached.

    Examples
    --------
    >>> from rvh import NodeSet
    >>> from rvh.migration import Coordinator, Migration, purge
    >>> coordinator = Coordinator(Migration(NodeSet(["a"]), NodeSet(["b"])), steps=1)
    >>> coordinator.workers([])
    >>> coordinator.advance(), coordinator.rollback(), coordinator.advance()
    (<Phase.PREPARING: 'preparing'>, <Phase.PREPARING: 'preparing'>, <Phase.BEFORE: 'before'>)
    >>> purge(coordinator, lambda: ["x"], lambda node, keys: print("remove", keys, "from", node))
    remove ['x'] from b
    Purged(keys=1, replicas=1)
    """
    batch, retries = whole_number("batch", batch, 2**31 - 1), as_retries(retries)
    pace = _Pace(rate)
    _check(coordinator, list_keys=list_keys, remove=remove, unmark=unmark)
    if unmark is not None and coordinator.view().marks:
        raise RVHError("deletes still leave marks: advance() ends them, once after is acknowledged")
    count = replicas = 0
    coordinator._may_purge()
    for column in columns_of(list_keys):
        keys = joined([column])
        goes, stays = coordinator._goes_and_stays(keys)
        for call, what, where in ((remove, "remove", goes), (unmark, "unmark", stays)):
            if call is None:
                continue
            for node, rows in _by_node(where, batch):
                some = take_keys(keys, rows)
                retried(partial(call, node, some), what, node, some, retries)
                pace.wrote(len(rows))
        count, replicas = count + len(keys), replicas + len(goes.row)
    if coordinator.phase == "before":
        coordinator.purged()
    return Purged(count, replicas)


def _by_node(found: Leftovers, batch: int) -> Iterator[tuple[Any, NDArray[np.intp]]]:
    """Yield batches of rows with one node."""
    rows: dict[Any, list[int]] = {}
    for row, node in zip(found.row.tolist(), found.node.tolist(), strict=True):
        rows.setdefault(node, []).append(row)
    for node, together in rows.items():
        for start in range(0, len(together), batch):
            yield node, np.array(together[start : start + batch], dtype=np.intp)


class _Pace:
    """Waits so that no more than a number of values are written in a second."""

    def __init__(self, rate: float | None) -> None:
        self._rate = None if rate is None else real_number(rate, "rate")
        if self._rate is not None and not self._rate > 0:
            raise RVHError(f"rate is {show(rate)}: pass values a second, above 0")
        self._began, self._count = time.monotonic(), 0

    def wrote(self, count: int) -> None:
        if self._rate is not None:
            self._count += count
            due = self._began + self._count / self._rate
            time.sleep(max(0.0, due - time.monotonic()))
