"""Where nodes come from: one file for each kind of source.

`open_source` makes a source of a URL. The module of a source is imported when it is asked for,
since each needs a library of its own.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import cast

from rvh.errors import RVHError, show
from rvh.membership.sources.protocol import SAME, Refused, Same, Source, State, Update

__all__ = ["SAME", "SCHEMES", "Refused", "Same", "Source", "State", "Update", "open_source"]

#: the scheme of a URL, the module whose `from_url` makes the source, and the extra that it needs
SCHEMES: dict[str, tuple[str, str]] = {
    "file": ("file", "membership"),
    "k8s": ("kubernetes", "kubernetes"),
    "srv": ("dns", "dns"),
    "dns": ("dns", "dns"),
    "http": ("http", "http"),
    "https": ("http", "http"),
    "etcd": ("etcd", "etcd"),
    "etcds": ("etcd", "etcd"),
    "redis": ("redis", "redis"),
    "rediss": ("redis", "redis"),
    "zk": ("zookeeper", "zookeeper"),
    "consul": ("consul", "consul"),
    "consuls": ("consul", "consul"),
}


def open_source(url: str) -> Source:
    """Make the source that a URL names; nothing is read yet.

    Parameters
    ----------
    url : str
        ``file:PATH`` or a path alone, ``k8s://``, ``srv://``, ``dns://``, ``http://``,
        ``https://``, ``etcd://``, ``redis://``, ``zk://`` or ``consul://``: the page of each
        source says what follows.

    Raises
    ------
    RVHError
        An unknown scheme, a URL that is incomplete, a library that is not installed.

    Examples
    --------
    >>> from rvh.membership import open_source
    >>> open_source("nodes.json").name
    'file:nodes.json'
    """
    if not isinstance(url, str) or not url:
        raise RVHError(f"the source is {show(url)}: pass a URL or the path of a file")
    scheme = re.match(r"[a-z][a-z0-9+.-]+(?=:)|[A-Za-z][A-Za-z0-9+.-]+(?=://)", url)
    name = "file" if scheme is None else scheme[0]
    if name not in SCHEMES:
        raise RVHError(
            f"the source {show(without_secrets(url))} begins with {name}:, which is none of "
            f"{', '.join(SCHEMES)}; a file of that name is file:{without_secrets(url)}"
        )
    module, extra = SCHEMES[name]
    try:
        made = import_module(f"rvh.membership.sources.{module}").from_url(url)
    except ImportError as error:
        raise RVHError(
            f"{name}: needs {error.name}, which is not installed: pip install 'rvh[{extra}]'"
        ) from error
    return cast("Source", made)


def without_secrets(url: str) -> str:
    """Leave the user, the password and the values of the query out of a URL, for messages.

    Examples
    --------
    >>> from rvh.membership.sources import without_secrets
    >>> without_secrets("redis://app:pa@ss@db:6379/0?key=nodes&token=abc")
    'redis://db:6379/0?key=...&token=...'
    """
    # A password should have its ? and / encoded; one that has not must not be shown either.
    url = re.sub(r"(?<=://)([^/]*@|[^/@:\[]*:(?!\d+/)[^@]*@)", "", url)
    url = re.sub(r"^([\w+.-]+:/?)[^/@]+@", r"\1", url)  # a slash is missing
    head = re.split("[?#]", url, maxsplit=1)[0]
    return head + re.sub(r"=[^&#]*", "=...", url[len(head) :])
