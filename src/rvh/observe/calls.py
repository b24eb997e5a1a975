"""Counting calls: methods of classes are replaced by ones that count, and put back.

A method that is counted calls no other one that is, so each call counts once. The functions of
`rvh` and the engines' integrations call these methods, and count as them.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from rvh._runtime.shared import Guard
from rvh.errors import RVHError
from rvh.nodes import NodeSet
from rvh.observe.load import First, of_column, of_list, of_names, of_positions, sampling
from rvh.observe.tally import WAITING_MAX, Counts, Tally
from rvh.observe.wrapping import Function, wrapping
from rvh.partitions import PartitionTable

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

__all__ = ["METHODS", "counts", "counts_of_all", "instrument", "uninstrument"]

ONE = """
def {name}{parameters}:
    for _ in steps:  # one step, which no other thread can interrupt
        break
    try:
        return method({arguments})
    except BaseException as error:
        fail(error)
        raise
"""
BATCH = """
def {name}{parameters}:
    for _ in steps:
        break
    started = clock()
    try:
        answer = method({arguments})
    except BaseException as error:
        fail(error)
        raise
    append((len(answer), clock() - started))
    if len(answered) > WAITING_MAX:
        settle()
    return answer
"""


def _counting(method: Function, template: str, tally: Tally) -> Function:
    """Make a function that does what `method` does, and counts it."""
    return wrapping(
        method,
        template,
        clock=perf_counter,
        steps=tally.steps.iterator,
        answered=tally.answered,
        append=tally.answered.append,
        settle=tally.settle,
        fail=tally.fail,
        WAITING_MAX=WAITING_MAX,
    )


class Method(NamedTuple):
    """A method that is counted.

    Parameters
    ----------
    owner : type
    name : str
    template : str
        Of the wrapper.
    first : callable, optional
        Gives the first nodes of an answer's keys.
    counted_as : str, optional
        The name that it counts under, if not its own.
    """

    owner: type
    name: str
    template: str
    first: First | None = None
    counted_as: str | None = None

    @property
    def label(self) -> str:
        """The name in metrics."""
        return f"{self.owner.__name__}.{self.counted_as or self.name}"


#: every method that is counted
METHODS = (
    Method(NodeSet, "select", ONE, of_list),
    Method(NodeSet, "_select_until", ONE, of_list, "select"),  # aselect() calls one of the two
    Method(NodeSet, "select_batch", BATCH, of_names),
    Method(NodeSet, "argselect_batch", BATCH, of_positions),
    Method(NodeSet, "assign", BATCH, of_names),
    Method(NodeSet, "argassign", BATCH, of_positions),
    Method(NodeSet, "select_arrow", BATCH, of_column),
    Method(NodeSet, "score_batch", BATCH),
    Method(NodeSet, "scores", ONE),
    Method(PartitionTable, "lookup", ONE, of_list),
    Method(PartitionTable, "lookup_batch", BATCH, of_names),
    Method(PartitionTable, "arglookup_batch", BATCH, of_positions),
    Method(PartitionTable, "partition_batch", BATCH),
)
_TALLIES = {row.label: Tally(of_batches=row.template is BATCH) for row in METHODS}

#: (class, name) -> the method before, and the one that replaced it
_replaced: dict[tuple[type, str], tuple[Function, Function]] = {}
_guard = Guard()


def instrument(*, load: bool = False, tracer_provider: TracerProvider | None = None) -> None:
    """Count the calls of node sets and partition tables from now on.

    Methods of `rvh.NodeSet` and `rvh.partitions.PartitionTable` are replaced by ones that count. A
    second call changes the options. Bound methods that were taken before, as in
    ``select = nodes.select``, are not counted.

    Parameters
    ----------
    load : bool
        Also count to which nodes keys go, in a sample: at most 1024 keys of one batch call a
        second, and the key of every 1021st call of one key. There is a series for each node id.
    tracer_provider : opentelemetry.trace.TracerProvider, optional
        Also make a span of every batch call, which takes up to 50 us. Calls of one key have none.

    Raises
    ------
    RVHError
        A method was replaced once more by something else, which must be undone first.

    Examples
    --------
    >>> import rvh
    >>> from rvh import observe
    >>> nodes = rvh.NodeSet(["a", "b"])
    >>> observe.instrument()
    >>> before = observe.counts("NodeSet.select_batch")
    >>> _ = nodes.select_batch(range(1000))
    >>> after = observe.counts("NodeSet.select_batch")
    >>> after.calls - before.calls, after.keys - before.keys
    (1, 1000)
    >>> observe.uninstrument()
    """
    if tracer_provider is not None:
        from rvh.observe.spans import traced  # needs OpenTelemetry
    with _guard.lock:
        _check_on_top()
        for row in METHODS:
            place = row.owner, row.name
            before = _replaced[place][0] if place in _replaced else vars(row.owner)[row.name]
            now = _counting(before, row.template, _TALLIES[row.label])
            if load and row.first is not None:
                now = sampling(now, row.first, is_batch=row.template is BATCH)
            if tracer_provider is not None and row.template is BATCH:
                now = traced(now, row.label, tracer_provider)
            _replaced[place] = before, now
            setattr(row.owner, row.name, now)


def _check_on_top() -> None:
    for (owner, name), (_, now) in _replaced.items():
        if vars(owner)[name] is not now:
            raise RVHError(
                f"{owner.__name__}.{name} was replaced again after observe.instrument(): "
                "undo that first"
            )


def uninstrument() -> None:
    """Put back the very functions that `instrument` replaced; what was counted stays.

    Raises
    ------
    RVHError
        A method was replaced once more by something else, which must be undone first.

    Examples
    --------
    >>> import rvh
    >>> from rvh import observe
    >>> select = rvh.NodeSet.select
    >>> observe.instrument()
    >>> observe.uninstrument()
    >>> rvh.NodeSet.select is select
    True
    """
    with _guard.lock:
        _check_on_top()
        for (owner, name), (before, _) in _replaced.items():
            setattr(owner, name, before)
        _replaced.clear()


def counts(method: str) -> Counts:
    """Return what was counted of a method.

    Parameters
    ----------
    method : str
        As in the label ``method`` of the metrics, for example ``NodeSet.select``.

    Returns
    -------
    Counts

    Raises
    ------
    RVHError
        A method that is not counted.

    Examples
    --------
    >>> from rvh import observe
    >>> observe.counts("NodeSet.select")._fields
    ('calls', 'keys', 'errors', 'durations')
    """
    try:
        return _TALLIES[method].read()
    except KeyError:
        raise RVHError(
            f"method is {method!r}, which is not counted: choose one of {', '.join(_TALLIES)}"
        ) from None


def counts_of_all() -> dict[str, Counts]:
    """Return what was counted of every method, by its label."""
    return {label: tally.read() for label, tally in _TALLIES.items()}
