"""Measurements that wobble, made into measures that stay until a node has really changed.

The rule and the figures of its simulation are in docs/how-to/membership/smoothing.md. It looks at
each node by itself, so no node moves another's measure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any, NamedTuple

from rvh._arguments.numbers import as_index, real_number
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["Smoother"]

#: the format of a smoother's state
FORMAT = "rvh smoother 1"
#: octaves (factors of 2) that a node may be off before it is looked at
THRESHOLD = 0.375
#: the gain of the moving average that raises the alarm
GAIN = 0.1
#: measurements that set the first level, and that confirm an alarm
FIRST, FRESH = 32, 16
#: applied levels are whole numbers of 1/16 octave: a node that was there before is there again
STEPS = 16
#: levels of the smallest and the largest double
LEVEL_MIN, LEVEL_MAX = -1074 * STEPS, 1024 * STEPS - 1
#: 2^(n/16), in decimal because the C library's powers differ from platform to platform
ROOTS = [float(Context(prec=40).power(2, Decimal(n) / STEPS)) for n in range(STEPS)]


class _Node(NamedTuple):
    """What is known of a node's measure; a new one for every update."""

    level: int  # what is applied: log2 of the measure in steps
    drift: float = 0.0  # moving average of the octaves that measurements are above the level
    wanted: int = 0  # measurements that are being collected: FIRST, FRESH or 0
    collected: tuple[float, ...] = ()  # their log2


class Smoother:
    """The measures of nodes that are applied, kept still while measurements wobble.

    Give each update of the measurements to `update`, and what it returns to
    `rvh.weighted.weights_from`. One smoother follows one kind of measure, and only one process
    should follow it: the publisher of the weights. A measure that is exact, such as a capacity in
    GB, needs none.

    Parameters
    ----------
    threshold : float
        The change that is not applied, in octaves, from 1/8 to 8: 3/8 is a factor of 1.3.

    Raises
    ------
    RVHError
        The threshold is out of range.
    RVHTypeError
        The threshold is not a number.

    Notes
    -----
    All of it on log2 of the measure, for each node by itself:

    1. A new node is applied by its first measurement. Its level is *settled* by the middle half of
       its first 32.
    2. The moving average of the distance between measurements and level (gain 0.1) raises an alarm
       when it exceeds the threshold.
    3. After an alarm 16 fresh measurements are collected. If the mean of their middle half is still
       farther from the level than the threshold, it becomes the level. Either way the moving
       average starts again from 0.

    Levels are rounded to 1/16 octave. A doubling is applied after about 21 updates.

    An update is seen whole or not at all; calls of `update` are to come from one thread at a time.

    Examples
    --------
    >>> from rvh.membership import Smoother
    >>> smoother = Smoother()
    >>> smoother.update({"a": 8.0, "b": 16.0})  # milliseconds
    {'a': 8.0, 'b': 16.0}
    >>> smoother.update({"a": 8.9, "b": 14.7})
    {'a': 8.0, 'b': 16.0}
    """

    def __init__(self, threshold: float = THRESHOLD) -> None:
        number = real_number(threshold, "threshold")
        if not 1 / 8 <= number <= 8:
            raise RVHError(f"threshold is {show(threshold)}: choose 1/8 to 8 octaves")
        self._threshold = number
        self._nodes: dict[str, _Node | None] = {}

    @property
    def threshold(self) -> float:
        """The change that is not applied, in octaves."""
        return self._threshold

    @property
    def applied(self) -> dict[str, float | None]:
        """The measure of each node that is applied; None for a node that was never measured."""
        return {
            node: None if known is None else _value(known.level)
            for node, known in self._nodes.items()
        }

    @property
    def settling(self) -> tuple[str, ...]:
        """The nodes whose level is that of their first measurement, or that have none.

        Their levels will change once more without a change of the node. A publisher that starts
        without a state may wait with its first weights until there are none.
        """
        return tuple(
            node for node, known in self._nodes.items() if known is None or known.wanted == FIRST
        )

    def update(self, measures: Mapping[str, float | None]) -> dict[str, float | None]:
        """Take one measurement of each node; return the measures that are applied.

        Parameters
        ----------
        measures : mapping of str to float
            All nodes, each with a finite number above 0, in any unit, or None where it was not
            measured this time: what is applied stays. A node that is not there has left and is
            forgotten.

        Returns
        -------
        dict of str to float
            The same nodes in the same order; None for a node that was never measured.

        Raises
        ------
        RVHError
            A measure is 0, negative, NaN or infinite. The message names the node. Nothing has
            changed then, as after any error.
        RVHTypeError
            The measures are not a mapping, an id is not a str, a measure is not a number.

        Examples
        --------
        >>> from rvh.membership import Smoother
        >>> smoother = Smoother()
        >>> smoother.update({"a": 4.0, "b": None})
        {'a': 4.0, 'b': None}
        >>> smoother.update({"b": 2.0})
        {'b': 2.0}
        """
        if not isinstance(measures, Mapping):
            raise RVHTypeError(
                f"measures is {show(measures)}: pass a dict of node id to measure, for example "
                "{'a': 0.010}"
            )
        nodes: dict[str, _Node | None] = {}
        for node, measure in measures.items():
            known = self._nodes.get(_node_id(node))
            nodes[node] = known if measure is None else self._follow(known, _octaves(node, measure))
        self._nodes = nodes
        return self.applied

    def state(self) -> dict[str, Any]:
        """The state as a dict that JSON can save, for a publisher that will be restarted.

        Examples
        --------
        >>> from rvh.membership import Smoother
        >>> smoother = Smoother()
        >>> applied = smoother.update({"a": 4.0, "b": None})
        >>> smoother.state()["nodes"]
        {'a': {'level': 32, 'drift': 0.0, 'wanted': 32, 'collected': [2.0]}, 'b': None}
        """
        return {
            "format": FORMAT,
            "threshold": self._threshold,
            "nodes": {
                node: None
                if known is None
                else {**known._asdict(), "collected": list(known.collected)}
                for node, known in self._nodes.items()
            },
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Smoother:
        """Make a smoother that goes on where another stopped, to the last bit.

        Parameters
        ----------
        state : mapping
            The result of `state`.

        Returns
        -------
        Smoother

        Raises
        ------
        RVHError
            The state is of another kind, or damaged. The message names the place.

        Examples
        --------
        >>> from rvh.membership import Smoother
        >>> smoother = Smoother(threshold=0.5)
        >>> smoother.update({"a": 4.0})
        {'a': 4.0}
        >>> Smoother.from_state(smoother.state()).applied
        {'a': 4.0}
        """
        saved_format = state.get("format") if isinstance(state, Mapping) else None
        if not isinstance(saved_format, str) or saved_format != FORMAT:
            raise RVHError(f"state is {show(state)}: pass what Smoother.state() returned")
        smoother = cls(state.get("threshold"))  # type: ignore[arg-type]
        nodes = state.get("nodes")
        if not isinstance(nodes, Mapping):
            raise RVHError(f"the state is damaged: nodes is {show(nodes)}: it has to be a dict")
        smoother._nodes = {_node_id(node): _restored(node, saved) for node, saved in nodes.items()}
        return smoother

    def _follow(self, known: _Node | None, octaves: float) -> _Node:
        """What is known of a node after one more measurement."""
        if known is None:
            return _Node(_level(octaves), wanted=FIRST, collected=(octaves,))
        level = known.level
        if not known.wanted:
            drift = known.drift + GAIN * (octaves - level / STEPS - known.drift)
            # The measurement that raises an alarm is one that is far off: it is not a fresh one.
            return _Node(level, drift, wanted=FRESH if abs(drift) > self._threshold else 0)
        collected = (*known.collected, octaves)
        if len(collected) < known.wanted:
            return known._replace(collected=collected)
        middle = _middle(collected)
        if known.wanted == FIRST or abs(middle - level / STEPS) > self._threshold:
            level = _level(middle)
        return _Node(level)


def _middle(octaves: tuple[float, ...]) -> float:
    """The mean of the middle half: timeouts and retries among the measurements do not matter."""
    quarter = len(octaves) // 4
    half = sorted(octaves)[quarter:-quarter]
    return math.fsum(half) / len(half)


def _level(octaves: float) -> int:
    return min(round(octaves * STEPS), LEVEL_MAX)


def _value(level: int) -> float:
    octave, step = divmod(level, STEPS)
    return math.ldexp(ROOTS[step], octave)


def _node_id(node: Any) -> str:
    if not isinstance(node, str):
        raise RVHTypeError(f"the node id {show(node)} is of type {type(node).__name__}: pass a str")
    return node


def _octaves(node: str, measure: Any) -> float:
    """Check a measure; return its log2."""
    where = f"the measure of node {show(node)}"
    number = real_number(measure, where)
    if not 0 < number < math.inf:
        raise RVHError(
            f"{where} is {number}: it has to be finite and above 0; pass None where it is missing"
        )
    return math.log2(number)


def _restored(node: str, saved: Any) -> _Node | None:
    """Check what a state says of one node."""
    if saved is None:
        return None
    if isinstance(saved, Mapping) and set(saved) == set(_Node._fields):
        level, wanted = as_index(saved["level"]), as_index(saved["wanted"])
        drift, collected = saved["drift"], saved["collected"]
        if (
            level is not None
            and LEVEL_MIN <= level <= LEVEL_MAX
            and wanted in (0, FIRST, FRESH)
            and _are_octaves([drift])
            and isinstance(collected, (list, tuple))
            and (wanted == FIRST) <= len(collected) <= max(wanted - 1, 0)
            and _are_octaves(collected)
        ):
            return _Node(level, float(drift), wanted, tuple(map(float, collected)))
    raise RVHError(
        f"the state is damaged at node {show(node)}, {show(saved, 200)}: pass what "
        "Smoother.state() returned, or start without a state"
    )


def _are_octaves(numbers: Any) -> bool:
    """Whether they are logarithms of doubles, or differences of such."""
    return all(
        isinstance(number, (int, float)) and not isinstance(number, bool) and abs(number) <= 2098
        for number in numbers
    )
