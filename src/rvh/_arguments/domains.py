"""What failure domains may be: named, with one label for each node, checked in one place."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from rvh._arguments.per_node import per_node, python_value
from rvh._columns.values import is_one_id
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["Domains", "Label", "as_domains", "labels_of"]

Label = str | bytes | int
#: a kind of failure domain -> every node's label
Domains = Mapping[str, tuple[Label, ...]]


def as_domains(domains: Any, ids: NDArray[Any]) -> Domains:
    """Domains of the nodes `ids`, read-only; None is no domains.

    Raises
    ------
    RVHTypeError
        No mapping of names to labels, or a label that is no str, bytes or int.
    RVHError
        Another number of labels than of ids. The message names the domain and the node.

    Examples
    --------
    >>> import numpy as np
    >>> as_domains({"zone": ["eu", "us"]}, np.array(["a", "b"]))
    mappingproxy({'zone': ('eu', 'us')})
    """
    if domains is None:
        return MappingProxyType({})
    if not isinstance(domains, Mapping):
        raise RVHTypeError(
            f"domains is of type {type(domains).__name__}: pass names and labels, for example "
            'domains={"zone": ["eu-1", "eu-2"]}'
        )
    found = {}
    for name, given in domains.items():
        if not isinstance(name, str) or not name:
            raise RVHTypeError(f"a name in domains is {show(name)}: pass a str that is not empty")
        labels = labels_of(given, f"domain {name!r}")
        if len(labels) != len(ids):
            raise RVHError(
                f"domain {name!r} has {len(labels)} labels for {len(ids)} nodes: give one each"
            )
        for at, label in enumerate(labels):
            if not isinstance(label, (str, bytes, int)) or isinstance(label, bool):
                raise RVHTypeError(
                    f"the {name!r} label of node {show(ids.tolist()[at])} (position {at}) is "
                    f"{show(label)} of type {type(label).__name__}: a label is a str, bytes or int"
                )
        found[name] = labels
    return MappingProxyType(found)


def labels_of(given: Any, what: str) -> tuple[Any, ...]:
    """The labels in a sequence, array or column; one alone is a single label."""
    if isinstance(given, int) or is_one_id(given):
        return (python_value(given),)
    return tuple(per_node(given, what))
