"""The parts of a source's URL, each one checked.

Every error shows the form that the URL should have. None shows a user, a password or the value of
a parameter that may be secret: converters that can fail are for numbers and flags.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from rvh.errors import RVHError, show
from rvh.membership.sources import without_secrets

__all__ = ["Parts", "count", "flag", "parse", "seconds", "text"]

Convert = Callable[[str], Any]


class Parts(NamedTuple):
    """What a URL says, percent-decoded.

    Parameters
    ----------
    scheme : str
    hosts : tuple of (str, int)
        Host and port of each server, IPv6 without its brackets; the port is 0 where the source has
        none.
    path : str
        What stands between the host and the query, as it is written, from its slash on.
    query : dict of str to object
        The parameters that were given, each as its converter made it.
    user, password : str, optional
    """

    scheme: str
    hosts: tuple[tuple[str, int], ...]
    path: str
    query: dict[str, Any]
    user: str | None = None
    password: str | None = None

    @property
    def host(self) -> str:
        """The first host."""
        return self.hosts[0][0]

    @property
    def port(self) -> int:
        """The port of the first host."""
        return self.hosts[0][1]

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of the path between its slashes, decoded; a slash at the end is none."""
        return tuple(map(unquote, self.path.strip("/").split("/"))) if self.path.strip("/") else ()


def parse(
    url: str,
    form: str,
    *,
    port: int | None,
    allowed: Mapping[str, Convert],
    required: Collection[str] = (),
    several: bool = False,
    login: bool = False,
    mark: str = "?",
) -> Parts:
    """Take a URL apart.

    Parameters
    ----------
    url : str
    form : str
        What the URL should look like, for errors: ``redis://HOST[:PORT][/DB]?key=KEY``.
    port : int or None
        The port where none is given; None where the source has no port.
    allowed : mapping of str to callable
        The parameters of the query and what converts them: `text`, `seconds`, `count`, `flag`, or
        any function that raises an RVHError about its argument. A ``+`` is a plus, not a space.
    required : collection of str
        The parameters that have to be there.
    several : bool
        Whether there may be several hosts, with commas between them.
    login : bool
        Whether there may be a user and a password.
    mark : str
        What the parameters stand behind: ``?``, or ``#`` where the query belongs to the server, and
        is a part of the path.

    Raises
    ------
    RVHError
        Any part that is wrong, missing, not known or there twice.

    Examples
    --------
    >>> from rvh.membership.sources.urls import parse, seconds, text
    >>> url = "redis://:pa%40ss@db/0?key=nodes&poll=5"
    >>> form = "redis://[USER:PASSWORD@]HOST[:PORT][/DB]?key=KEY"
    >>> parts = parse(url, form, port=6379, allowed={"key": text, "poll": seconds}, login=True)
    >>> parts.host, parts.port, parts.segments, parts.query, parts.password
    ('db', 6379, ('0',), {'key': 'nodes', 'poll': 5.0}, 'pa@ss')
    """
    shown = without_secrets(url)
    # Also a password with a / in it, which makes the rest of it a path.
    safe = re.sub(r"(?<=://).*@", "", shown, flags=re.DOTALL)

    def wrong(what: str) -> RVHError:
        return RVHError(f"the source {show(safe, 200)}: {what}; its form is {form}")

    form_of = {"?": r"([^?#]*)(?:\?([^#]*))?", "#": "([^#]*)(?:#([^#]*))?"}
    found = re.fullmatch(r"([a-z][a-z0-9+.-]*)://([^/?#]*)" + form_of[mark], url, re.DOTALL)
    if found is None:
        raise wrong("a # is written %23" if "#" in url and "://" in url else "it is not a URL")
    scheme, authority, path, query = found[1], found[2], found[3], found[4] or ""
    if "@" not in authority and not shown.startswith(re.split("[?#]", url)[0]):
        raise wrong("a password has its / ? # @ written %2F %3F %23 %40")
    names, at, servers = authority.rpartition("@")
    user, colon, password = names.partition(":")
    if at and not login:
        raise wrong("it has no place for a user or a password")
    if "," in servers and not several:
        raise wrong("it names one host")
    try:
        hosts = tuple(_host(server, port) for server in servers.split(","))
        values = _query(query, allowed)
    except RVHError as error:
        raise wrong(str(error)) from None
    for name in required:
        if name not in values:
            raise wrong(f"the parameter {name} is missing")
    return Parts(
        scheme,
        hosts,
        path,
        values,
        unquote(user) if user else None,
        unquote(password) if colon else None,
    )


def text(value: str) -> str:
    """Any text, not empty."""
    if not value:
        raise RVHError("is empty")
    return value


def seconds(value: str) -> float:
    """A number of seconds above 0."""
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII) or float(value) == 0:
        raise RVHError(f"is {show(value)}: a number of seconds above 0, such as 2.5")
    return float(value)


def count(value: str) -> int:
    """A whole number, 0 or more."""
    if not re.fullmatch(r"\d{1,18}", value, re.ASCII):
        raise RVHError(f"is {show(value)}: a whole number, such as 10")
    return int(value)


def flag(value: str) -> bool:
    """Either ``true`` or ``false``."""
    if value not in ("true", "false"):
        raise RVHError(f"is {show(value)}: true or false")
    return value == "true"


def _host(server: str, default: int | None) -> tuple[str, int]:
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]\s]*))(?::([^:]*))?", server)
    host = unquote(found[1] or found[2] or "") if found else ""
    if found is None:
        raise RVHError(
            f"{show(server)} is not a host and a port; IPv6 addresses need brackets, [::1]:80"
        )
    if not host:
        raise RVHError("a host is missing")
    if found[3] is None:
        return host, default or 0
    if default is None:
        raise RVHError(f"{show(server)} has a port, and there is none here")
    if not re.fullmatch(r"\d{1,5}", found[3], re.ASCII) or not 0 < int(found[3]) < 65536:
        raise RVHError(f"the port is {show(found[3])}: a port is from 1 to 65535")
    return host, int(found[3])


def _query(query: str, allowed: Mapping[str, Convert]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for piece in filter(None, query.split("&")):
        name, equals, value = piece.partition("=")
        name = unquote(name)
        if name not in allowed:
            known = f"there are {', '.join(allowed)}" if allowed else "there are none"
            raise RVHError(f"the parameter {show(name)} is not known: {known}")
        if name in values:
            raise RVHError(f"the parameter {name} is given twice")
        if not equals:
            raise RVHError(f"the parameter {name} has no value, {name}=...")
        try:
            values[name] = allowed[name](unquote(value))
        except RVHError as error:
            raise RVHError(f"the parameter {name} {error}") from None
    return values
