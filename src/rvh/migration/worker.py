"""The rules of a migration as code: reads, writes and deletes of one worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rvh._runtime.shared import Shared
from rvh.errors import RVHError, RVHTypeError, show
from rvh.migration.generations import as_placements, following
from rvh.migration.migration import Migration
from rvh.migration.phases import Route
from rvh.migration.store import MARK, Store, StoreError, as_retries, retried
from rvh.migration.view import View

__all__ = ["Worker"]


class Worker(Shared):
    """Reads, writes and deletes keys while a migration is under way.

    Its threads may share it; the child of a fork is another worker, which acknowledges under a name
    of its own. Writes and deletes of one key must not overlap, in one worker or in
    several: let one writer have a key at a time, or let the store decide by versions.

    Parameters
    ----------
    migration : Migration
        The one that the coordinator was made with.
    store : Store
        An object with ``get(node, key)``, ``put(node, key, value)``, ``remove(node, key)`` and
        ``mark(node, key)``.
    view : View, optional
        The view to begin with; without, `adopt` one before anything else.
    placements : iterable of placements, optional
        Those that were passed to `Coordinator.lose`, in any order.
    retries : int
        How often a call of the store that raised is made again before it counts as failed.

    Raises
    ------
    RVHError
        A view of other placements.
    RVHTypeError
        Something else than a Migration.

    Examples
    --------
    >>> from rvh import NodeSet
    >>> from rvh.migration import MARK, Coordinator, Migration, Worker
    >>> class Memory(dict):
    ...     def get(self, node, key):
    ...         return dict.get(self, (node, key))
    ...     def put(self, node, key, value):
    ...         self[node, key] = value
    ...     def remove(self, node, key):
    ...         self.pop((node, key), None)
    ...     def mark(self, node, key):
    ...         self[node, key] = MARK
    >>> migration = Migration(NodeSet(["a"]), NodeSet(["b"]))
    >>> coordinator = Coordinator(migration, steps=10)
    >>> worker = Worker(migration, Memory(), coordinator.view())
    >>> worker.write("x", 1)
    >>> worker.read("x"), worker.read("y")
    (1, None)
    """

    def __init__(
        self,
        migration: Migration,
        store: Store,
        view: View | None = None,
        placements: Iterable[Any] = (),
        *,
        retries: int = 2,
    ) -> None:
        if not isinstance(migration, Migration):
            raise RVHTypeError(f"migration is of type {type(migration).__name__}: pass a Migration")
        self._first = self._migration = migration
        self._store = store
        self._placements = as_placements(placements)
        self._retries = as_retries(retries)
        self._share()
        self._view: View | None = None
        if view is not None:
            self.adopt(view)

    def _share(self) -> None:
        super()._share()
        self._begin()

    def _after_fork(self) -> None:
        super()._after_fork()
        self._begin()

    def _begin(self) -> None:
        self._changed = threading.Condition(self._change_lock)
        self._running: dict[int, int] = {}  # operations in flight, by the epoch that they began in

    @property
    def view(self) -> View | None:
        """The view that operations begin under."""
        return self._view

    @property
    def settled(self) -> int | None:
        """The epoch to acknowledge: no operation in flight began under an earlier one."""
        with self._changed:
            epoch = None if self._view is None else self._view.epoch
            return min(self._running, default=epoch)

    def adopt(self, view: View, placements: Iterable[Any] = (), *, wait: bool = True) -> int | None:
        """Begin all further operations under another view.

        Parameters
        ----------
        view : View
            One of an earlier epoch than the present changes nothing.
        placements : iterable of placements, optional
            As for `Worker`, in addition.
        wait : bool
            Wait until all operations that began under an earlier view are over.

        Returns
        -------
        int
            The epoch to acknowledge, as `settled`.

        Raises
        ------
        RVHError
            A view of other placements.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Coordinator, Migration, Worker
        >>> migration = Migration(NodeSet(["a"]), NodeSet(["b"]))
        >>> worker = Worker(migration, store=None)
        >>> worker.adopt(Coordinator(migration, 10).view())
        1
        """
        if not isinstance(view, View):
            raise RVHTypeError(f"view is {show(view)}: pass a View, as View.from_json(text)")
        more = as_placements(placements)
        with self._changed:
            if self._view is None or view.epoch > self._view.epoch:
                self._placements += more
                now = self._migration
                if self._view is None or view[4:] != self._view[4:]:  # dead, kept, new
                    now = following(self._first, view.kept, view.new, view.dead, self._placements)
                self._migration, self._view = now, view
            epoch = self._view.epoch
            if wait:
                self._changed.wait_for(lambda: min(self._running, default=epoch) >= epoch)
        return self.settled

    def read(self, key: Any) -> Any:
        """Return the value of a key; None if it has none.

        Raises
        ------
        StoreError
            No node has the key, and a node could not be asked.
        """
        with self._operation(key) as (_, route):
            failed: StoreError | None = None
            for node in route.read:
                try:
                    value = self._call("get", node, key)
                except StoreError as error:  # a later node has what this one has
                    failed = failed or error
                    continue
                if value is MARK:
                    return None
                if value is not None:
                    return value
            if failed is not None:
                raise failed
            return None

    def write(self, key: Any, value: Any) -> None:
        """Put a value on all nodes that must have it.

        Raises
        ------
        StoreError
            A node that could not be written to. Some nodes may have the value and others not:
            write again, the same value or another, or delete the key.
        """
        if value is None or value is MARK:
            raise RVHTypeError(
                f"the value of key {show(key)} is {show(value)}: delete() removes it"
            )
        with self._operation(key) as (_, route):
            for node in route.remove:  # first: a write that fails leaves nothing behind there
                self._call("remove", node, key)
            for node in _some(route.write, key):
                self._call("put", node, key, value)

    def delete(self, key: Any) -> None:
        """Delete a key: from ``preparing`` on, by a mark on all nodes that might have it.

        Raises
        ------
        StoreError
            As `write`.
        """
        with self._operation(key) as (view, route):
            for node in route.remove:
                self._call("remove", node, key)
            for node in _some(route.write, key):
                self._call("mark" if view.marks else "remove", node, key)

    @contextmanager
    def _operation(self, key: Any) -> Iterator[tuple[View, Route]]:
        """Begin an operation under the present view, and count it until it is over."""
        with self._changed:
            view, migration = self._view, self._migration
            if view is None:
                raise RVHError("the worker has no view: adopt(coordinator.view()) first")
            self._running[view.epoch] = self._running.get(view.epoch, 0) + 1
        try:
            yield view, migration.route(key, view.phase, view.progress)
        finally:
            with self._changed:
                left = self._running.pop(view.epoch, 0) - 1  # none in the child of a fork
                if left > 0:
                    self._running[view.epoch] = left
                self._changed.notify_all()

    def _call(self, what: str, node: Any, key: Any, *value: Any) -> Any:
        method: Callable[..., Any] = getattr(self._store, what)
        return retried(lambda: method(node, key, *value), what, node, [key], self._retries)


def _some(nodes: list[Any], key: Any) -> list[Any]:
    if not nodes:
        raise RVHError(f"key {show(key)} has no living node: pass lose() a placement of the living")
    return nodes
