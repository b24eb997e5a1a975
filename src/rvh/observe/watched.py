"""Caches and memberships whose own counts are read when somebody asks for metrics."""

from __future__ import annotations

import weakref
from typing import Any, Protocol, runtime_checkable

from rvh._runtime.shared import Guard
from rvh.cache import SelectionCache
from rvh.errors import RVHError, RVHTypeError, show

__all__ = ["caches", "memberships", "unwatch", "watch"]


@runtime_checkable
class _Membership(Protocol):
    """What is read of a `rvh.membership.Membership`, which needs an extra to be imported."""

    @property
    def name(self) -> str: ...
    @property
    def snapshot(self) -> Any: ...
    @property
    def age(self) -> float: ...
    @property
    def held(self) -> str | None: ...
    @property
    def stats(self) -> Any: ...


_guard = Guard()
_caches: weakref.WeakValueDictionary[str, SelectionCache] = weakref.WeakValueDictionary()
_memberships: weakref.WeakValueDictionary[str, _Membership] = weakref.WeakValueDictionary()


def watch(thing: SelectionCache | _Membership, name: str | None = None) -> None:
    """Show a cache or a membership in the metrics, for as long as it lives.

    It is held weakly, and read only when metrics are asked for: its calls cost what they did.

    Parameters
    ----------
    thing : rvh.cache.SelectionCache or rvh.membership.Membership
    name : str, optional
        Its label in the metrics. A cache needs one; that of a membership is its own ``name``.

    Raises
    ------
    RVHError
        The name is taken, or none was given for a cache.
    RVHTypeError
        Something else than a cache or a membership.

    Examples
    --------
    >>> from rvh import observe
    >>> from rvh.cache import SelectionCache
    >>> cache = SelectionCache(["a", "b"], maxsize=1000)
    >>> observe.watch(cache, "sessions")
    >>> observe.unwatch(cache)
    """
    if isinstance(thing, SelectionCache):
        watched: weakref.WeakValueDictionary[str, Any] = _caches
    elif isinstance(thing, _Membership):
        watched = _memberships
        name = thing.name if name is None else name
    else:
        raise RVHTypeError(
            f"thing is {show(thing)} of type {type(thing).__name__}: pass a SelectionCache or a "
            "Membership"
        )
    if not isinstance(name, str) or not name:
        raise RVHError(f'name is {show(name)}: give a name, observe.watch(cache, "sessions")')
    with _guard.lock:
        if watched.get(name, thing) is not thing:
            raise RVHError(f"name {name!r} is taken: give another, observe.watch(..., name=...)")
        watched[name] = thing


def unwatch(thing: SelectionCache | _Membership) -> None:
    """Take a cache or a membership out of the metrics, under all of its names.

    Examples
    --------
    >>> from rvh import observe
    >>> from rvh.cache import SelectionCache
    >>> cache = SelectionCache(["a", "b"], maxsize=1000)
    >>> observe.watch(cache, "sessions")
    >>> observe.unwatch(cache)
    """
    with _guard.lock:
        for watched in (_caches, _memberships):
            for name, each in list(watched.items()):
                if each is thing:
                    del watched[name]


def caches() -> list[tuple[str, SelectionCache]]:
    """Return the caches that are watched, by name."""
    with _guard.lock:
        return sorted(_caches.items(), key=lambda pair: pair[0])


def memberships() -> list[tuple[str, _Membership]]:
    """Return the memberships that are watched, by name."""
    with _guard.lock:
        return sorted(_memberships.items(), key=lambda pair: pair[0])
