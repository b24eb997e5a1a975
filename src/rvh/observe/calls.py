"""Counting calls: methods of classes are replaced by ones that count, and put back.

A method that is counted calls no other one that is, so each call counts once. The functions of
`rvh` and the engines' integrations call these methods, and count as them.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from functools import wraps
from time import perf_counter
from typing import Any, NamedTuple

from rvh.errors import RVHError
from rvh.nodes import NodeSet
from rvh.observe.tally import WAITING_MAX, Counts, Tally
from rvh.partitions import PartitionTable

__all__ = ["METHODS", "counts", "instrument", "uninstrument"]

Function = Callable[..., Any]

# A wrapper with the method's own parameters, as dataclasses make theirs: `*args` would cost 120 ns,
# and closures instead of globals 12 ns.
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
    signature = inspect.signature(method)
    plain = [
        each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()
    ]
    arguments = (f"{p.name}={p.name}" if p.kind is p.KEYWORD_ONLY else p.name for p in plain)
    source = template.format(
        name=method.__name__,
        parameters=inspect.Signature(plain),
        arguments=", ".join(arguments),
    )
    names: dict[str, Any] = {
        "method": method,
        "clock": perf_counter,
        "steps": tally.steps.iterator,
        "answered": tally.answered,
        "append": tally.answered.append,
        "settle": tally.settle,
        "fail": tally.fail,
        "WAITING_MAX": WAITING_MAX,
    }
    exec(compile(source, "<rvh.observe>", "exec"), names)
    return wraps(method)(names[method.__name__])


class Method(NamedTuple):
    """A method that is counted: by which wrapper, and under which name."""

    owner: type
    name: str
    template: str
    label: str


#: every method that is counted
METHODS = (
    Method(NodeSet, "select", ONE, "NodeSet.select"),
    Method(NodeSet, "_select_until", ONE, "NodeSet.select"),  # aselect() calls one of the two
    Method(NodeSet, "select_batch", BATCH, "NodeSet.select_batch"),
    Method(NodeSet, "argselect_batch", BATCH, "NodeSet.argselect_batch"),
    Method(NodeSet, "select_arrow", BATCH, "NodeSet.select_arrow"),
    Method(NodeSet, "score_batch", BATCH, "NodeSet.score_batch"),
    Method(NodeSet, "scores", ONE, "NodeSet.scores"),
    Method(PartitionTable, "lookup", ONE, "PartitionTable.lookup"),
    Method(PartitionTable, "lookup_batch", BATCH, "PartitionTable.lookup_batch"),
    Method(PartitionTable, "arglookup_batch", BATCH, "PartitionTable.arglookup_batch"),
    Method(PartitionTable, "partition_batch", BATCH, "PartitionTable.partition_batch"),
)
_TALLIES = {row.label: Tally(of_batches=row.template is BATCH) for row in METHODS}

#: (class, name) -> the method before, and the one that replaced it
_replaced: dict[tuple[type, str], tuple[Function, Function]] = {}
_lock = threading.Lock()


def instrument() -> None:
    """Count the calls of node sets and partition tables from now on.

    Methods of `rvh.NodeSet` and `rvh.partitions.PartitionTable` are replaced by ones that count. A
    second call changes nothing. Bound methods that were taken before, as in
    ``select = nodes.select``, are not counted.

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
    with _lock:
        for owner, name, template, label in METHODS:
            if (owner, name) not in _replaced:
                before = vars(owner)[name]
                now = _counting(before, template, _TALLIES[label])
                _replaced[owner, name] = before, now
                setattr(owner, name, now)


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
    with _lock:
        for (owner, name), (_, now) in _replaced.items():
            if vars(owner)[name] is not now:
                raise RVHError(
                    f"{owner.__name__}.{name} was replaced again after observe.instrument(): "
                    "undo that first"
                )
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
