"""Listening to a source: its words one after the other, or the first one alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any, TypeVar, cast

from rvh._arguments.numbers import positive_seconds
from rvh.errors import RVHError, RVHTypeError, show
from rvh.membership.snapshot import Snapshot, in_order, options_of, prepare
from rvh.membership.sources import open_source
from rvh.membership.sources.protocol import Refused, Source, State, Update
from rvh.membership.weighing import Weigh, given_weights
from rvh.typing import Scheme

__all__ = ["as_source", "read_once", "read_state", "reason_of", "run_apart", "words_of"]

T = TypeVar("T")

#: seconds without a word, after which a source that says nothing else of itself is asked anew
SILENCE = 60.0


async def words_of(source: Source) -> AsyncGenerator[Update, None]:
    """Listen to a source; that it says nothing for too long is an error."""
    silence = float(getattr(source, "silence", SILENCE))
    telling = source.watch()
    if not isinstance(telling, AsyncGenerator):
        if isinstance(telling, Coroutine):
            telling.close()  # without a warning that nobody awaited it
        raise RVHTypeError(
            f"watch() of {source.name} gives {type(telling).__name__}: make it an async generator, "
            "an `async def` with `yield`"
        )
    async with aclosing(cast("AsyncGenerator[Update, None]", telling)) as words:
        while True:
            try:
                async with asyncio.timeout(silence):
                    update = await anext(words)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                if str(error):
                    raise  # the source's own
                raise TimeoutError(f"nothing was heard for {silence:g} s") from None
            yield update


def read_once(
    source: Source | str,
    *,
    scheme: Scheme = "blake2b",
    secret: bytes = b"",
    weigh: Weigh = given_weights,
    domains: Sequence[str] | None = None,
    timeout: float = 10.0,
) -> Snapshot:
    """Take one snapshot of a source, and leave it.

    Parameters
    ----------
    source, scheme, secret, weigh, domains
        As for `Membership`.
    timeout : float
        Seconds to wait for the source.

    Raises
    ------
    RVHError
        The state cannot be used, or the source cannot be reached.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from rvh.membership import read_once
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "nodes.json")
    ...     _ = path.write_text('["a", "b"]')
    ...     read_once(str(path)).nodes.select("user:1")
    ['b']
    """
    options = options_of(scheme, secret, weigh, domains)
    origin = as_source(source)
    state = read_state(origin, timeout)
    try:
        members = in_order(state.nodes)
        return prepare(members, options, state.version or 1, fingerprint=state.fingerprint)
    except RVHError as error:
        raise RVHError(f"{origin.name}: {error}") from None


def read_state(source: Source | str, timeout: float = 10.0) -> State:
    """Take the present state of a source, as it tells it."""
    origin = as_source(source)
    wait = positive_seconds(timeout, "timeout")

    async def first() -> Update:
        async with aclosing(words_of(origin)) as words:
            async with asyncio.timeout(wait):
                return await anext(words)

    try:
        update = run_apart(first)
    except RVHError:
        raise
    except TimeoutError as error:  # the source's own has a text
        raise RVHError(f"{origin.name}: {str(error) or f'no answer within {wait:g} s'}") from None
    except Exception as error:
        raise RVHError(f"{origin.name} cannot be read: {reason_of(error)}") from error
    if isinstance(update, Refused):
        raise update.error
    if not isinstance(update, State):
        raise RVHError(f"{origin.name} told {show(update)} before any state")
    return update


def as_source(source: Source | str) -> Source:
    """Return a source as it is, and make one of a URL."""
    if isinstance(source, str):
        return open_source(source)
    if not isinstance(source, Source):
        raise RVHTypeError(
            f"source is {show(source)}: pass a URL, the path of a file, or an object with name and "
            "watch(), as rvh.membership.Source describes"
        )
    return source


def run_apart(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end, also where an event loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(make())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(make())).result()


def reason_of(error: BaseException) -> str:
    """What an exception says, by the name of its class."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
