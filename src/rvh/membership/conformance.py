"""A test of sources: the rules of `rvh.membership.Source`, checked on a real one.

It needs no test runner: what is wrong is an AssertionError that says which rule is broken.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any, cast

from rvh.errors import RVHError
from rvh.membership.listening import words_of
from rvh.membership.meta import NodeMeta
from rvh.membership.snapshot import digest_of, in_order
from rvh.membership.sources.protocol import SAME, Refused, Source, State, Update

__all__ = ["check_source"]


def check_source(
    make: Callable[[], Source],
    write: Callable[[Sequence[NodeMeta]], object],
    *,
    spoil: Callable[[], object] | None = None,
    states: Sequence[Sequence[NodeMeta]] | None = None,
    seconds: float = 10.0,
) -> None:
    """Check that a source keeps the rules of the protocol.

    Parameters
    ----------
    make : callable
        Makes a source of its own at each call.
    write : callable
        Makes these nodes the state of what the source reads, all at once.
    spoil : callable, optional
        Writes something there that is not a state.
    states : sequence of sequences of NodeMeta, optional
        The states that are written, each unlike the one before it; by default of two and three
        nodes with all that a `NodeMeta` has. Give your own where your source has less to tell.
    seconds : float
        How long to wait for each word.

    Raises
    ------
    AssertionError
        A rule that is broken, and how.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from rvh.membership.conformance import check_source
    >>> from rvh.membership.sources.file import FileSource
    >>> import msgspec
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "nodes.json")
    ...     check_source(
    ...         lambda: FileSource(path, interval=0.01),
    ...         lambda nodes: path.write_bytes(msgspec.json.encode(nodes)),
    ...         spoil=lambda: path.write_bytes(b"[1, 2"),
    ...     )
    """
    threads = threading.active_count()
    asyncio.run(_check(make, write, spoil, states or _states(), seconds))
    assert threading.active_count() <= threads, "rule 5: a thread is left when the source is closed"


def _states() -> list[list[NodeMeta]]:
    a = NodeMeta(
        "a", address="10.0.0.1:80", weight=1.0, zone="eu", rack="r1", labels={"os": "linux"}
    )
    b = NodeMeta("b", address="10.0.0.2:80", weight=2.0, zone="us", rack="r2")
    c = NodeMeta("c", address="10.0.0.3:80", weight=0.5, zone="us", rack="r3")
    return [[a, b], [a, b, c], [b, c], [a, b]]


async def _check(
    make: Callable[[], Source],
    write: Callable[[Sequence[NodeMeta]], object],
    spoil: Callable[[], object] | None,
    states: Sequence[Sequence[NodeMeta]],
    seconds: float,
) -> None:
    await _call(write, states[0])
    source = make()
    assert isinstance(source, Source), "a source has a name and the method watch()"
    assert isinstance(source.name, str), "the name is text"
    assert source.name, "the name is not empty"
    async with aclosing(words_of(source)) as words, asyncio.timeout(seconds * (len(states) + 4)):
        first = await _next(words, seconds)
        assert isinstance(first, State), f"rule 1: the first word is a State, and not {first!r}"
        _compare(first, states[0], "rule 1: the first state")
        version = first.version
        for state in states[1:]:
            await _call(write, state)
            found = await _until_state(words, state, seconds)
            if version is not None and found.version is not None:
                assert found.version > version, "a version grows with each change"
            version = found.version
        if spoil is not None:
            await _call(spoil)
            refused: Any = None
            try:
                while not isinstance(refused, Refused):
                    refused = await _next(words, seconds)
                    assert refused is SAME or isinstance(refused, Refused), (
                        f"rule 3: what is not a state is Refused, and not {refused!r}"
                    )
            except RVHError:
                return  # it may also say so by an end, and be called again
            await _call(write, states[0])
            await _until_state(words, states[0], seconds)
    # A lost connection, or a new process: what was written meanwhile is in the first state.
    await _call(write, states[1])
    for again in (source, make()):
        async with aclosing(words_of(again)) as words:
            await _until_state(words, states[1], seconds)


async def _call(function: Callable[..., object], *arguments: Any) -> None:
    """Call what may block, and await it where it is a coroutine."""
    made = await asyncio.to_thread(function, *arguments)
    if asyncio.iscoroutine(made):
        await made


async def _next(words: Any, seconds: float) -> Update:
    try:
        async with asyncio.timeout(seconds):
            return cast("Update", await anext(words))
    except TimeoutError:
        raise AssertionError(f"rule 2: nothing was said for {seconds} s") from None
    except StopAsyncIteration:
        raise AssertionError("rule 4: a source that ends has to raise") from None


async def _until_state(words: Any, nodes: Sequence[NodeMeta], seconds: float) -> State:
    """Wait for a state: several changes may come as one, and one in steps that are older."""
    expected = digest_of(in_order(nodes))
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        update = await _next(words, seconds)
        if isinstance(update, State) and digest_of(in_order(update.nodes)) == expected:
            return update
    raise AssertionError(
        f"rule 1: the state {[node.id for node in nodes]} was not told; where the source cannot "
        "tell all that a NodeMeta has, pass states="
    )


def _compare(state: State, nodes: Sequence[NodeMeta], what: str) -> None:
    found, expected = in_order(state.nodes), in_order(nodes)
    assert found == expected, (
        f"{what} is {found}, and {expected} was written; where the source cannot tell all that a "
        "NodeMeta has, pass states="
    )
