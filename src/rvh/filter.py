"""Filters: conditions on the attributes of nodes, combined with & | ~, that give a mask.

>>> import rvh
>>> from rvh.filter import alive, zone
>>> nodes = rvh.NodeSet(["a", "b", "c"], domains={"zone": ["eu-1", "eu-2", "us-1"]})
>>> (alive() & zone("eu-*"))(nodes, {"alive": [True, False, True]})
array([ True, False, False])

Selection knows no filters: it takes the mask that a filter gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.numbers import real_number
from rvh._arguments.per_node import check_count, per_node
from rvh._backend import key_point
from rvh._columns.ids import id_at
from rvh.errors import RVHError, RVHTypeError, show
from rvh.nodes import NodeSet

__all__ = ["Filter", "alive", "capacity", "label", "near", "zone"]


class Filter:
    """A condition on nodes; a value that can be kept, compared and pickled.

    Call it with a node set and attributes of its nodes. It returns a mask for `NodeSet.subset` or
    `rvh.faultset.FaultSet`. ``a & b`` holds where both do, ``a | b`` where either does, ``~a``
    where ``a`` does not.

    Examples
    --------
    >>> from rvh.filter import capacity, near
    >>> import rvh
    >>> nodes = rvh.NodeSet(["a", "b", "c"])
    >>> big_or_near = capacity(100) | near("u09")
    >>> mask = big_or_near(nodes, {"capacity": [10, 200, None], "geohash": ["u09t", "gbs", "u1"]})
    >>> list(nodes.subset(mask))
    ['a', 'b']
    """

    def __call__(
        self, nodes: NodeSet, attributes: Mapping[str, Any] | None = None
    ) -> NDArray[np.bool_]:
        """Return the mask of the nodes that the condition holds for.

        Parameters
        ----------
        nodes : NodeSet
        attributes : mapping of str to sequences or arrays, shape (N,), optional
            Attributes of the nodes, in the order of ``nodes.ids``. The domains of the set are
            attributes too; one given here replaces a domain of the same name.

        Returns
        -------
        ndarray of bool, shape (N,)

        Raises
        ------
        RVHError
            An attribute of the condition is missing or of another length, or a value is of the
            wrong kind. The message names the node.
        """
        if not isinstance(nodes, NodeSet):
            raise RVHTypeError(
                f"nodes is of type {type(nodes).__name__}: pass an rvh.NodeSet, whose ids tell the "
                "order of the attributes"
            )
        known: dict[str, Any] = dict(nodes.domains)
        if attributes is not None:
            if not isinstance(attributes, Mapping):
                raise RVHTypeError(
                    f"attributes is of type {type(attributes).__name__}: pass names and values, "
                    'for example {"alive": [True, False]}'
                )
            known.update(attributes)
        return self._mask(nodes, known)

    def _mask(self, nodes: NodeSet, known: Mapping[str, Any]) -> NDArray[np.bool_]:
        raise NotImplementedError

    def __and__(self, other: Filter) -> Filter:
        return _Both(self, other) if isinstance(other, Filter) else NotImplemented

    def __or__(self, other: Filter) -> Filter:
        return _Either(self, other) if isinstance(other, Filter) else NotImplemented

    def __invert__(self) -> Filter:
        return _Not(self)

    def __bool__(self) -> NoReturn:
        raise RVHTypeError(
            "a filter is neither true nor false: put filters together with & | ~ instead of and, "
            "or, not, and call one with a node set to get a mask"
        )


@dataclass(frozen=True)
class _Both(Filter):
    a: Filter
    b: Filter

    def __repr__(self) -> str:
        return f"({self.a!r} & {self.b!r})"

    def _mask(self, nodes: NodeSet, known: Mapping[str, Any]) -> NDArray[np.bool_]:
        return self.a._mask(nodes, known) & self.b._mask(nodes, known)


@dataclass(frozen=True)
class _Either(Filter):
    a: Filter
    b: Filter

    def __repr__(self) -> str:
        return f"({self.a!r} | {self.b!r})"

    def _mask(self, nodes: NodeSet, known: Mapping[str, Any]) -> NDArray[np.bool_]:
        return self.a._mask(nodes, known) | self.b._mask(nodes, known)


@dataclass(frozen=True)
class _Not(Filter):
    a: Filter

    def __repr__(self) -> str:
        return f"~{self.a!r}"

    def _mask(self, nodes: NodeSet, known: Mapping[str, Any]) -> NDArray[np.bool_]:
        return ~self.a._mask(nodes, known)


@dataclass(frozen=True)
class _Alive(Filter):
    column: str

    def __repr__(self) -> str:
        return f"alive({self.column!r})"

    def _mask(self, nodes: NodeSet, known: Mapping[str, Any]) -> NDArray[np.bool_]:
        values = _values(nodes, known, self.column)
        for at, value in enumerate(values):
            if not isinstance(value, (bool, np.bool_)):
                raise RVHTypeError(
                    f"{_describe_value(nodes, self.column, at, value)}: pass True or False"
                )
        return np.array(values, dtype=np.bool_)


@dataclass(frozen=True)
class _Label(Filter):
    name: str
    patterns: tuple[str | int, ...]

    def __repr__(self) -> str:
        listed = ", ".join(map(repr, self.patterns))
        return f"zone({listed})" if self.name == "zone" else f"label({self.name!r}, {listed})"

    def _mask(self, nodes: NodeSet, known: Mapping[str, Any]) -> NDArray[np.bool_]:
        values = _values(nodes, known, self.name)
        return np.array(
            [self._holds(value) for value in _as_labels(nodes, self.name, values)], dtype=np.bool_
        )

    def _holds(self, value: str | int | None) -> bool:
        if isinstance(value, str):
            return any(isinstance(p, str) and fnmatchcase(value, p) for p in self.patterns)
        return value is not None and value in self.patterns


@dataclass(frozen=True)
class _Capacity(Filter):
    at_least: float
    column: str

    def __repr__(self) -> str:
        column = "" if self.column == "capacity" else f", {self.column!r}"
        return f"capacity({self.at_least!r}{column})"

    def _mask(self, nodes: NodeSet, known: Mapping[str, Any]) -> NDArray[np.bool_]:
        values = _values(nodes, known, self.column)
        numbers = np.full(len(nodes), np.nan)
        for at, value in enumerate(values):
            if value is not None:
                numbers[at] = real_number(value, _name_value(nodes, self.column, at))
        return numbers >= self.at_least  # false for NaN, an unknown value


@dataclass(frozen=True)
class _Near(Filter):
    prefix: str
    column: str

    def __repr__(self) -> str:
        column = "" if self.column == "geohash" else f", {self.column!r}"
        return f"near({self.prefix!r}{column})"

    def _mask(self, nodes: NodeSet, known: Mapping[str, Any]) -> NDArray[np.bool_]:
        values = _as_labels(nodes, self.column, _values(nodes, known, self.column))
        return np.array(
            [isinstance(v, str) and v.startswith(self.prefix) for v in values],
            dtype=np.bool_,
        )


def alive(column: str = "alive") -> Filter:
    """Make a filter of the nodes whose attribute `column` is True.

    Parameters
    ----------
    column : str

    Returns
    -------
    Filter

    Raises
    ------
    RVHTypeError
        From the filter: a value that is not a bool.

    Examples
    --------
    >>> from rvh.filter import alive
    >>> import rvh
    >>> alive("up")(rvh.NodeSet(["a", "b"]), {"up": [False, True]})
    array([False,  True])
    """
    return _Alive(_check_name("column", column))


def label(name: str, *patterns: str | int) -> Filter:
    """Make a filter of the nodes whose attribute or domain `name` matches one of the patterns.

    Parameters
    ----------
    name : str
    *patterns : str or int
        A str is a shell pattern (``*``, ``?``, ``[abc]``) for labels of text, which matches case;
        bytes are decoded as UTF-8. An int matches an equal label.

    Returns
    -------
    Filter
        It does not hold where the value is None.

    Raises
    ------
    RVHError
        No pattern.
    RVHTypeError
        A pattern that is neither str nor int.

    Notes
    -----
    Patterns are those of Python's `fnmatch.fnmatchcase`.

    Examples
    --------
    >>> from rvh.filter import label
    >>> import rvh
    >>> nodes = rvh.NodeSet(["a", "b", "c"])
    >>> label("disk", "ssd", "nvme*")(nodes, {"disk": ["nvme-2", "hdd", "ssd"]})
    array([ True, False,  True])
    """
    if not patterns:
        raise RVHError(
            f"label({show(name)}) has no pattern: give one that the labels have to match"
        )
    for at, pattern in enumerate(patterns):
        if not isinstance(pattern, (str, int)) or isinstance(pattern, bool):
            raise RVHTypeError(
                f"pattern {at} is {show(pattern)} of type {type(pattern).__name__}: pass a str, "
                'for example "eu-*", or an int'
            )
    return _Label(_check_name("name", name), patterns)


def zone(*patterns: str | int) -> Filter:
    """Make a filter of the nodes in a matching zone: `label` of the domain ``"zone"``.

    Parameters
    ----------
    *patterns : str or int
        As for `label`.

    Returns
    -------
    Filter

    Raises
    ------
    RVHError, RVHTypeError
        As `label`.

    Examples
    --------
    >>> from rvh.filter import zone
    >>> import rvh
    >>> nodes = rvh.NodeSet(["a", "b"], domains={"zone": ["eu-west-1", "us-east-2"]})
    >>> (~zone("eu-*"))(nodes)
    array([False,  True])
    """
    return label("zone", *patterns)


def capacity(at_least: float, column: str = "capacity") -> Filter:
    """Make a filter of the nodes whose attribute `column` is a number not below `at_least`.

    Parameters
    ----------
    at_least : float
        In the unit of the attribute.
    column : str

    Returns
    -------
    Filter
        It does not hold where the value is None or NaN.

    Raises
    ------
    RVHError
        `at_least` is NaN.
    RVHTypeError
        `at_least` is not a number; or, from the filter, a value is not.

    Examples
    --------
    >>> from rvh.filter import capacity
    >>> import rvh
    >>> capacity(8, "cores")(rvh.NodeSet(["a", "b", "c"]), {"cores": [4, 8, None]})
    array([False,  True, False])
    """
    number = real_number(at_least, "at_least")
    if number != number:
        raise RVHError("at_least is NaN, which no capacity reaches: pass a number")
    return _Capacity(number, _check_name("column", column))


def near(prefix: str, column: str = "geohash") -> Filter:
    """Make a filter of the nodes whose geohash begins with `prefix`: those in that cell.

    Parameters
    ----------
    prefix : str
        A geohash of 1 to 12 characters, in lower case.
    column : str

    Returns
    -------
    Filter
        It does not hold where the value is None.

    Raises
    ------
    RVHError
        The prefix is not a geohash.
    RVHTypeError
        The prefix is not a str.

    Examples
    --------
    >>> from rvh.filter import near
    >>> import rvh
    >>> near("u09")(rvh.NodeSet(["paris", "london"]), {"geohash": ["u09tvw", "gcpvj0"]})
    array([ True, False])
    """
    if not isinstance(prefix, str):
        raise RVHTypeError(f"prefix is {show(prefix)}: pass a geohash as a str")
    if key_point("geohash", prefix) == 0:
        raise RVHError(
            f"prefix is {show(prefix)}: a geohash has 1 to 12 of the digits and the letters b to z "
            "without i, l and o, in lower case"
        )
    return _Near(prefix, _check_name("column", column))


def _check_name(what: str, name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise RVHTypeError(f"{what} is {show(name)}: pass the name of an attribute")
    return name


def _values(nodes: NodeSet, known: Mapping[str, Any], name: str) -> list[Any]:
    """Return the values of an attribute, one for each node, as Python objects."""
    if name not in known:
        listed = ", ".join(map(repr, known)) or "none"
        raise RVHError(
            f"there is no attribute {name!r} of the nodes; there are: {listed}. Pass it as "
            f"attributes={{{name!r}: ...}}, one value for each node"
        )
    values = per_node(known[name], f"attribute {name!r}")
    check_count(len(values), len(nodes), f"attribute {name!r}")
    return values


def _as_labels(nodes: NodeSet, name: str, values: list[Any]) -> list[str | int | None]:
    """Return values as text or numbers; bytes are decoded as UTF-8."""
    labels: list[str | int | None] = []
    for at, value in enumerate(values):
        if isinstance(value, bytes):
            value = value.decode(errors="surrogateescape")
        number = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if value is not None and not isinstance(value, str) and not number:
            raise RVHTypeError(
                f"{_describe_value(nodes, name, at, value)}: pass a str, bytes, int or None"
            )
        labels.append(int(value) if number else value)
    return labels


def _name_value(nodes: NodeSet, name: str, at: int) -> str:
    return f"the {name!r} value of node {show(id_at(nodes.ids, at))} (position {at})"


def _describe_value(nodes: NodeSet, name: str, at: int, value: Any) -> str:
    return f"{_name_value(nodes, name, at)} is {show(value)} of type {type(value).__name__}"
