"""The check of failure domains: names, each with one label for each node."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from rvh._arguments.per_node import check_count, per_node, python_value
from rvh._columns.ids import id_at
from rvh._columns.values import is_one_id
from rvh.errors import RVHTypeError, show

__all__ = ["Domains", "Label", "as_domains", "labels_of"]

Label = str | bytes | int
#: the types of most labels, which need no closer look
PLAIN = {str, bytes, int}
#: a kind of failure domain -> every node's label
Domains = Mapping[str, tuple[Label, ...]]


def as_domains(domains: Any, ids: NDArray[Any]) -> Domains:
    """Return the domains of the nodes `ids`, read-only; empty for None.

    Raises
    ------
    RVHTypeError
        The domains are not a mapping of names to labels, or a label is not a str, bytes or int.
    RVHError
        The number of labels differs from that of ids. The message names the domain and the node.

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
    checked = {}
    for name, values in domains.items():
        if not isinstance(name, str) or not name:
            raise RVHTypeError(f"a name in domains is {show(name)}: pass a str that is not empty")
        labels = labels_of(name, values, len(ids))
        for at, label in enumerate(() if PLAIN.issuperset(map(type, labels)) else labels):
            if not isinstance(label, (str, bytes, int)) or isinstance(label, bool):
                raise RVHTypeError(
                    f"the {name!r} label of node {show(id_at(ids, at))} (position {at}) is "
                    f"{show(label)} of type {type(label).__name__}: a label is a str, bytes or int"
                )
        checked[name] = labels
    return MappingProxyType(checked)


def labels_of(name: str, labels: Any, nodes: int, new: str = "") -> tuple[Any, ...]:
    """Return the labels of one domain, one for each node, from a column or a single label."""
    if isinstance(labels, int) or is_one_id(labels):
        each: tuple[Any, ...] = (python_value(labels),)
    else:
        each = tuple(per_node(labels, f"domain {name!r}"))
    check_count(len(each), nodes, f"domain {name!r}", "labels", new)
    return each
