"""Membership: the one current snapshot of a source, kept by a thread of its own."""

from __future__ import annotations

import asyncio
import atexit
import logging
import random
import threading
import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, cast

from rvh._arguments.numbers import positive_seconds, real_number, whole_number
from rvh._runtime.shared import Shared
from rvh._runtime.yielding import let_others_run
from rvh.balanced import BalancedAssigner, Moves
from rvh.cache import SelectionCache
from rvh.errors import RVHError, RVHTypeError, show
from rvh.membership.changes import Change
from rvh.membership.followers import AssignerFollower, TableFollower
from rvh.membership.guard import Guard
from rvh.membership.listening import as_source, reason_of, words_of
from rvh.membership.snapshot import Snapshot, digest_of, in_order, options_of, prepare
from rvh.membership.sources.protocol import SAME, Refused, Source, State, Update
from rvh.membership.weighing import Weigh, given_weights
from rvh.nodes import NodeSet

if TYPE_CHECKING:
    from rvh.typing import Scheme

__all__ = ["Membership", "Stats"]

log = logging.getLogger("rvh.membership")

#: changes that wait for one reader before they are merged into one
WAITING_MAX = 64
NODES_MAX = 2**31

#: all memberships that are open, to be closed before the interpreter goes
_OPEN: weakref.WeakSet[Membership] = weakref.WeakSet()


@dataclass(frozen=True, slots=True)
class Stats:
    """What a membership has been through.

    Parameters
    ----------
    updates : int
        Snapshots taken.
    refused : int
        States that were refused: malformed, or held back by a guard. A state that is told again
        counts again.
    reconnects : int
        Lost connections that were tried again.
    moved : float
        The sum of the shares of keys that snapshots have moved, for k=1.
    connected : bool
        Whether the source has answered since the connection was last lost.
    error : str or None
        The last refusal or loss; None once all is well again.
    """

    updates: int = 0
    refused: int = 0
    reconnects: int = 0
    moved: float = 0.0
    connected: bool = False
    error: str | None = None


class Membership(Shared):
    """The nodes of a source, kept up to date in the background.

    There is one current snapshot, which is replaced by one assignment: readers take no lock and
    never see a mixture of two. What cannot be used (malformed, empty, of weights 0) is refused,
    counted and logged, and the last good snapshot stays, as it does while the source is away.

    Parameters
    ----------
    source : Source or str
        A source, or a URL for `open_source`.
    scheme, secret
        As for `rvh.NodeSet`.
    weigh : callable
        Makes the weights of a sequence of `NodeMeta`: by default `given_weights`, or
        `weigh_by(...)`.
    domains : sequence of str, optional
        The kinds of failure domains that every node must have: ``zone``, ``rack``, or the name of
        a label. By default zone and rack, each where every node has it.
    min_nodes : int
        An update that leaves fewer selectable nodes is held back.
    max_change : float
        An update that moves a larger share of all keys is held back, from 0 to 1: see `accept`.
    timeout : float
        Seconds to wait for the first snapshot while the source is away.
    backoff : (float, float)
        The least and the most seconds before a lost connection is tried again. The wait doubles
        with each failure, and is cut by a random part of up to a half, so that a fleet of clients
        does not come back at once.

    Raises
    ------
    RVHError
        The first state cannot be used, or there was none within `timeout`; arguments out of range.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from rvh.membership import Membership
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "nodes.json")
    >>> _ = path.write_text('[{"id": "a", "zone": "eu"}, {"id": "b", "zone": "us"}]')
    >>> with Membership(str(path)) as membership:
    ...     membership.nodes.select("user:1"), membership.snapshot["b"].zone
    (['b'], 'us')
    >>> folder.cleanup()
    """

    #: how a process lets through what a guard holds back, for messages
    _accepting = "call accept() in each process"

    def __init__(
        self,
        source: Source | str,
        *,
        scheme: Scheme = "blake2b",
        secret: bytes = b"",
        weigh: Weigh = given_weights,
        domains: Sequence[str] | None = None,
        min_nodes: int = 1,
        max_change: float = 1.0,
        timeout: float = 10.0,
        backoff: tuple[float, float] = (0.25, 30.0),
    ) -> None:
        self._source = as_source(source)
        self._options = options_of(scheme, secret, weigh, domains)
        self._guard = Guard(
            whole_number("min_nodes", min_nodes, NODES_MAX),
            _share_of_keys("max_change", max_change),
            hasattr(self._source, "accept"),
            self._accepting,
        )
        self._backoff = _seconds(backoff)
        wait = positive_seconds(timeout, "timeout")
        self._snapshot: Snapshot | None = None
        self._stats = Stats()
        self._is_confirmed = False  # whether the source's last word was the current snapshot
        self._callbacks: tuple[Callable[[Change], object], ...] = ()
        self._closed_callbacks: tuple[Callable[[], object], ...] = ()
        self._tables: tuple[weakref.ref[TableFollower], ...] = ()
        self._caches: tuple[weakref.ref[SelectionCache], ...] = ()
        self._assigners: tuple[AssignerFollower, ...] = ()
        self._is_open = True
        self._share()
        self._start()
        self._wait_for_the_first(wait)

    # -- what readers see -------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The source as messages and metrics name it, without secrets."""
        return self._source.name

    @property
    def snapshot(self) -> Snapshot:
        """The current snapshot. Keep it for as long as several answers have to fit together."""
        return cast("Snapshot", self._snapshot)

    @property
    def nodes(self) -> NodeSet:
        """The node set of the current snapshot."""
        # Not by cast, whose call takes as long as all the rest, where keys are placed one by one.
        return self._snapshot._nodes  # type: ignore[union-attr]

    @property
    def age(self) -> float:
        """Seconds since the source confirmed the current snapshot."""
        return self.snapshot.age

    @property
    def stats(self) -> Stats:
        """What the membership has been through so far."""
        return self._stats

    @property
    def held(self) -> str | None:
        """Why the source's present state is held back by a guard; None where it is not."""
        held = self._guard.held
        return None if held is None else held.reason

    def __repr__(self) -> str:
        state = "" if self._is_open else ", closed"
        return f"Membership({self.name!r}, {self._snapshot!r}{state})"

    # -- what follows it --------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[Change], object]) -> Callable[[], None]:
        """Call back after every change, on the membership's thread.

        Parameters
        ----------
        callback : callable
            Takes a `Change`. It should be quick: the next update waits for it. What it raises is
            logged.

        Returns
        -------
        callable
            Ends the subscription.
        """
        if not callable(callback):
            raise RVHTypeError(f"callback is {show(callback)}: pass a function of a Change")

        def call(change: Change) -> object:  # of this subscription: one callback may have several
            return callback(change)

        with self._change_lock:
            self._callbacks = (*self._callbacks, call)

        def unsubscribe() -> None:
            with self._change_lock:
                self._callbacks = tuple(each for each in self._callbacks if each is not call)

        return unsubscribe

    def changes(self) -> AsyncIterator[Change]:
        """Iterate over all changes after this call, until the membership is closed.

        A reader that is more than 64 changes behind gets those beyond as one.

        Examples
        --------
        >>> import asyncio, pathlib, tempfile
        >>> from rvh.membership import Membership
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "nodes.json")
        >>> _ = path.write_text('["a", "b", "c"]')
        >>> async def watch(membership):
        ...     changes = membership.changes()
        ...     _ = path.write_text('["a", "b", "c", "d"]')
        ...     async for change in changes:
        ...         return str(change)
        >>> with Membership(str(path)) as membership:
        ...     asyncio.run(watch(membership))
        'epoch 2: joined d; 25.0000% of keys move'
        >>> folder.cleanup()
        """
        loop = asyncio.get_running_loop()
        waiting: deque[Change] = deque()
        news = asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the reader's loop is closed
                loop.call_soon_threadsafe(news.set)

        reader = weakref.ref(waiting)

        def put(change: Change) -> None:
            found = reader()
            if found is None:  # nobody reads them any more, or ever has
                leave()
                return
            if len(found) >= WAITING_MAX:
                change = Change(found.pop().before, change.after)
            found.append(change)
            wake()

        unsubscribe = self.subscribe(put)
        with self._change_lock:
            self._closed_callbacks = (*self._closed_callbacks, wake)

        def leave() -> None:
            unsubscribe()
            with self._change_lock:
                self._closed_callbacks = tuple(
                    one for one in self._closed_callbacks if one is not wake
                )

        async def each(waiting: deque[Change]) -> AsyncIterator[Change]:
            try:
                while waiting or self._is_open:
                    news.clear()
                    while waiting:
                        yield waiting.popleft()
                    if self._is_open:
                        await news.wait()
            finally:
                leave()

        return each(waiting)

    def table(self, partitions: int = 65536, k: int = 1) -> TableFollower:
        """Keep a `rvh.partitions.PartitionTable` of the current nodes.

        Each change makes the next table from the last one: only the partitions of nodes that came,
        went or changed are ranked anew. An update with too few nodes for `k` is refused.

        Returns
        -------
        TableFollower
            Its `current` is the table.
        """
        with self._change_lock:
            made = TableFollower(self.nodes, partitions, k)
            self._tables = (*_living(self._tables), weakref.ref(made))
        return made

    def cache(self, maxsize: int, policy: Literal["lru", "arc"] = "lru") -> SelectionCache:
        """Make a `rvh.cache.SelectionCache` whose nodes are always the current ones.

        A change drops its entries, unless the fingerprint is the same.
        """
        with self._change_lock:
            made = SelectionCache(self.nodes, maxsize, policy)
            self._caches = (*_living(self._caches), weakref.ref(made))
        return made

    def assigner(
        self,
        load_factor: float = 1.05,
        *,
        moved: Callable[[Moves], object] | None = None,
    ) -> BalancedAssigner:
        """Make a `rvh.balanced.BalancedAssigner` whose nodes are always the current ones.

        A change moves the keys of nodes that left, and no others: see `BalancedAssigner.update`.

        Parameters
        ----------
        load_factor : float
            As for `BalancedAssigner`.
        moved : callable, optional
            Takes the `rvh.balanced.Moves` of each change that moved keys, on the membership's
            thread. It should be quick, as for `subscribe`; what it raises is logged.

        Returns
        -------
        BalancedAssigner
            `rebalance` is left to its owner: what that moves, it returns.
        """
        if moved is not None and not callable(moved):
            raise RVHTypeError(f"moved is {show(moved)}: pass a function of Moves")
        with self._change_lock:
            made = BalancedAssigner(self.nodes, load_factor)
            living = tuple(each for each in self._assigners if each.assigner() is not None)
            self._assigners = (*living, AssignerFollower(weakref.ref(made), moved))
        return made

    # -- what an operator does --------------------------------------------------------------------

    def accept(self) -> Snapshot:
        """Take the state that a guard holds back.

        Returns
        -------
        Snapshot
            The new one.

        Raises
        ------
        RVHError
            Nothing is held back.
        """

        async def take() -> None:
            held = self._guard.held
            if held is None:
                raise RVHError("no update is held back: there is nothing to accept")
            self._take(held.state, is_accepted=True)

        if threading.current_thread() is self._thread:
            raise RVHError("accept() waits for the thread that this runs on: call it from another")
        taking = take()
        try:
            taken = asyncio.run_coroutine_threadsafe(taking, self._loop)
            while not taken.done():
                if not self._thread.is_alive():  # it has ended since, and may not have seen this
                    taken.cancel()
                with suppress(TimeoutError):
                    taken.exception(0.1)
            taken.result()
        except (RuntimeError, CancelledError):
            raise RVHError("the membership is closed: it takes no update") from None
        finally:
            taking.close()
        return self.snapshot

    def close(self) -> None:
        """End the thread and its connections; the last snapshot can still be read."""
        with self._change_lock:
            was_open, self._is_open = self._is_open, False
            thread = self._thread
        _OPEN.discard(self)
        if was_open:
            with suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._cancel)
            for callback in self._closed_callbacks:
                callback()
        if thread is not threading.current_thread():
            thread.join()

    def __enter__(self) -> Membership:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- the thread -------------------------------------------------------------------------------

    def _start(self) -> None:
        self._first = threading.Event()  # set when there is a snapshot, or never will be one
        self._task: asyncio.Task[Any] | None = None
        # Made here, to raise the error about a process that has no file descriptor left.
        self._loop = loop = asyncio.new_event_loop()

        async def follow() -> None:
            self._task = asyncio.current_task()
            with suppress(asyncio.CancelledError):
                if self._is_open:
                    await self._follow()

        def run() -> None:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(follow())

        self._thread = threading.Thread(target=run, name=f"rvh-membership {self.name}", daemon=True)
        _OPEN.add(self)
        try:
            self._thread.start()
        except RuntimeError:  # the system gives no more threads
            _OPEN.discard(self)
            loop.close()
            raise

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _after_fork(self) -> None:
        # The thread is not there in a child of a fork. The child begins one of its own, from the
        # snapshot that the parent had.
        super()._after_fork()
        if self._is_open:
            self._start()

    def _wait_for_the_first(self, timeout: float) -> None:
        try:
            self._first.wait(min(timeout, threading.TIMEOUT_MAX))
        except BaseException:
            self.close()
            raise
        if self._snapshot is None:
            self.close()
            error = self._stats.error or "it has not answered"
            if self._stats.refused:
                raise RVHError(error)
            raise RVHError(f"{self.name}: no nodes within {timeout:g} s: {error}")

    async def _follow(self) -> None:
        least, most = self._backoff
        delay = least
        while True:
            try:
                async for update in words_of(self._source):
                    self._hear(update)
                    delay = least
                    if self._snapshot is None:  # the first word is refused
                        self._first.set()
                    if not self._is_open:  # close() has cancelled, and a library lost that
                        return
                    await asyncio.sleep(0)  # accept() has its turn, however fast the source is
                reason: BaseException = RVHError(
                    f"watch() of {self.name} has ended: it goes on until it is closed, and raises "
                    "when the connection is lost"
                )
            except BaseException as error:  # a library may cancel a task of its own, and tell that
                reason = error
            if not self._is_open:
                return
            self._lose(reason)
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(2 * delay, most)

    # -- one word of the source, on the membership's thread ---------------------------------------

    def _hear(self, update: Update) -> None:
        self._note(connected=True)
        if isinstance(update, State):
            self._take(update)
        elif isinstance(update, Refused):
            self._guard.held = None
            self._refuse(update.error)
        elif update is SAME:
            if self._snapshot is None:
                self._refuse(RVHError(f"{self.name} told SAME before any State"))
            elif self._is_confirmed:
                self._confirm(self._snapshot)
        else:
            self._refuse(
                RVHError(f"{self.name} told {show(update)}: a source tells State, SAME or Refused")
            )

    def _take(self, state: State, is_accepted: bool = False) -> None:
        before = self._snapshot
        if not is_accepted:
            self._guard.held = None  # it is the source's present state no more
        try:
            members = in_order(state.nodes)
            let_others_run()
            digest = digest_of(members)
            let_others_run()
            if (
                before is not None
                and digest == before.digest
                and state.fingerprint in (None, before.fingerprint)
            ):
                self._confirm(before)
                return
            last = 0 if before is None else before.epoch
            epoch = (
                state.version if state.version is not None and state.version > last else last + 1
            )
            after = prepare(members, self._options, epoch, digest, state.fingerprint)
            change = Change(before, after)
            moved = change.moved.share
            self._guard.check(change, moved, state, is_accepted or state.accepted == digest)
            moves = self._replace(after)
        except RVHError as error:
            # The first is raised by the constructor, where nothing else names the source.
            self._refuse(RVHError(f"{self.name}: {error}") if before is None else error)
            if is_accepted:
                raise
            return
        self._guard.held = None
        self._confirm(after)
        self._note(updates=self._stats.updates + 1, moved=self._stats.moved + moved)
        self._first.set()
        if before is not None:
            log.info("%s: %s", self.name, change)  # whoever writes it makes the text: milliseconds
        for callback in self._callbacks:
            self._call(callback, change)
        for callback_of_moves, news in moves:
            self._call(callback_of_moves, news)

    def _call(self, callback: Callable[[Any], object], news: Any) -> None:
        try:
            callback(news)
        except BaseException:  # sys.exit() would end this thread, and nothing else
            log.exception("%s: a subscriber failed", self.name)

    def _replace(self, after: Snapshot) -> list[tuple[Callable[[Moves], object], Moves]]:
        """Make a snapshot the current one, and all that follows fit it.

        Returns who wants to know of keys that moved, and which did.
        """
        with self._change_lock:  # nothing begins to follow meanwhile
            tables = [(each, each.following(after.nodes)) for each in _those(self._tables)]
            for follower, table in tables:
                follower.current = table
            for cache in _those(self._caches):
                cache.nodes = after.nodes
            moves = [news for each in self._assigners for news in each.follow(after.nodes)]
            # The last step: in the child of a fork amid them, the source's state is news again.
            self._snapshot = after
        return moves

    def _confirm(self, snapshot: Snapshot) -> None:
        self._is_confirmed = True
        snapshot._confirmed = monotonic()
        if self._stats.error is not None:
            log.info("%s: all is well again", self.name)
            self._note(error=None)

    def _refuse(self, error: RVHError) -> None:
        self._is_confirmed = False
        # The constructor raises what comes first.
        if str(error) != self._stats.error and self._snapshot is not None:
            log.warning("%s: an update is refused: %s", self.name, str(error))  # without its frames
        self._note(refused=self._stats.refused + 1, error=str(error))

    def _lose(self, error: BaseException) -> None:
        if isinstance(error, RVHError):  # it has answered, but with something that is not a state
            self._refuse(error)
            self._note(reconnects=self._stats.reconnects + 1, connected=False)
            if self._snapshot is None:
                self._first.set()
            return
        reason = reason_of(error)
        if self._stats.connected or self._stats.error is None:
            is_first = self._snapshot is None
            text = "waiting for %s: %s" if is_first else "%s: the source is lost: %s"
            log.warning(text, self.name, reason)
        self._note(reconnects=self._stats.reconnects + 1, connected=False, error=reason)

    def _note(self, **changed: Any) -> None:
        self._stats = replace(self._stats, **changed)


def _share_of_keys(name: str, value: float) -> float:
    number = real_number(value, name)
    if not 0 < number <= 1:
        raise RVHError(f"{name} is {show(value)}: it is a share of all keys, above 0 and at most 1")
    return number


def _seconds(backoff: tuple[float, float]) -> tuple[float, float]:
    if not isinstance(backoff, (tuple, list)) or len(backoff) != 2:
        raise RVHTypeError(f"backoff is {show(backoff)}: pass (least, most) in seconds")
    least, most = (positive_seconds(each, "backoff") for each in backoff)
    if least > most:
        raise RVHError(f"backoff is {show(backoff)}: 0 < least <= most")
    return least, most


def _those(references: tuple[weakref.ref[Any], ...]) -> list[Any]:
    return [each for ref in references if (each := ref()) is not None]


def _living(references: tuple[weakref.ref[Any], ...]) -> list[weakref.ref[Any]]:
    return [ref for ref in references if ref() is not None]


@atexit.register
def _close_all() -> None:
    for membership in tuple(_OPEN):
        membership.close()
