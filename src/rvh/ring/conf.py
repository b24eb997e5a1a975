"""What a RingFace knows of a node besides its place: uhashring's configuration of a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import numpy as np

from rvh import keys as _keys
from rvh._columns.values import is_whole
from rvh.errors import RVHTypeError, show

__all__ = ["Names", "complete", "function", "is_foreign", "names", "says_more", "with_texts"]

#: what a mapping says of a node besides its weight; the rest of it is left out, as by uhashring
FIELDS = ("hostname", "instance", "port", "vnodes")

#: an id as its caller has it, as a NodeSet takes it, and its bytes
Names = tuple[Any, Any, bytes]


def complete(node: Any, vnodes: int, weight: Any, conf: Any) -> dict[str, Any]:
    """Return the configuration of a node: what `conf` says, and uhashring's defaults.

    Examples
    --------
    >>> complete("a", 160, 2, {"port": 6379, "colour": "red"})["port"]
    6379
    """
    whole = {"hostname": node, "instance": None, "nodename": node, "port": None, "vnodes": vnodes}
    if isinstance(conf, Mapping):
        whole |= {name: conf[name] for name in FIELDS if name in conf}
    return whole | {"weight": weight}


def says_more(conf: Any) -> bool:
    """Tell a configuration that has more than a weight.

    Examples
    --------
    >>> says_more({"weight": 2}), says_more({"port": None})
    (False, True)
    """
    return isinstance(conf, Mapping) and any(name in conf for name in FIELDS)


def is_foreign(node: Any) -> bool:
    """Tell an id that is placed by its text, but answered as it is.

    Examples
    --------
    >>> is_foreign(4), is_foreign("4"), is_foreign(True)
    (True, False, False)
    """
    return is_whole(node) or isinstance(node, UUID)


def names(node: Any) -> Names:
    """Return one id in its three forms.

    Examples
    --------
    >>> names(4)
    (4, '4', b'4')
    """
    text, data = _keys.node_id(str(node) if is_foreign(node) else node)
    return (node if is_foreign(node) else text), text, data


def with_texts(nodes: Any) -> tuple[Any, list[Any] | None]:
    """Return ids as a NodeSet takes them, and the list of ids as they are where some differ.

    Examples
    --------
    >>> with_texts(["a", 4]), with_texts(["a"])
    ((['a', '4'], ['a', 4]), (['a'], None))
    """
    if isinstance(nodes, np.ndarray) and nodes.ndim == 1 and nodes.dtype.kind in "iuO":
        each = nodes.tolist()
    elif isinstance(nodes, (list, tuple, range)):
        each = list(nodes)
    else:
        return nodes, None
    if set(map(type, each)) <= {str, bytes} or not any(map(is_foreign, each)):
        return nodes, None
    return [str(node) if is_foreign(node) else node for node in each], each


def function(name: str, value: Any, also: str = "") -> Callable[..., Any] | None:
    """Check an option that is a function or None.

    Examples
    --------
    >>> function("weight_fn", len)
    <built-in function len>
    """
    if value is not None and not callable(value):
        raise RVHTypeError(f"{name} is {show(value)}: pass a function{also}")
    return value  # type: ignore[no-any-return]
