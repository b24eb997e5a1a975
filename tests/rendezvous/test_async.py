"""The async calls: small work inline, large work off the event loop, errors as everywhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
import reference

import rvh
from rvh._batch.ranking import INLINE_COMPRESSIONS

NODES = ["alpha", "beta", "gamma"]


@pytest.fixture
def where(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each selection ran on the thread of the event loop."""
    seen: list[bool] = []
    for name in ("select", "_select_until"):
        select = getattr(rvh.NodeSet, name)

        def spy(*given: Any, select: Callable[..., list[Any]] = select) -> list[Any]:
            seen.append(threading.current_thread() is threading.main_thread())
            return select(*given)

        monkeypatch.setattr(rvh.NodeSet, name, spy)
    return seen


@pytest.mark.parametrize("key", ["txn-42", b"txn-42", "", 7, -1, "é" * 100, bytearray(b"x" * 200)])
def test_small_work_is_done_at_once(key: Any, where: list[bool]) -> None:
    expected = [NODES[n] for n in reference.ranking(NODES, key)]
    assert asyncio.run(rvh.NodeSet(NODES).aselect(key, k=3)) == expected
    assert asyncio.run(rvh.arendezvous_hash(NODES, key, k=2)) == expected[:2]
    assert asyncio.run(rvh.arendezvous_hash(rvh.NodeSet(NODES), key)) == expected[:1]
    assert where == [True, True, True]


@pytest.mark.parametrize(
    ("nodes", "key"),
    [
        (NODES, b"x" * (128 * INLINE_COMPRESSIONS)),
        ([f"node{n}" for n in range(INLINE_COMPRESSIONS + 1)], "key"),
        ([f"node{n}" for n in range(300)], "é" * 10_000),
    ],
    ids=["a long key", "many nodes", "both"],
)
def test_large_work_leaves_the_loop(nodes: list[str], key: Any, where: list[bool]) -> None:
    best = nodes[reference.ranking(nodes, key)[0]]
    assert asyncio.run(rvh.NodeSet(nodes).aselect(key)) == [best]
    assert asyncio.run(rvh.arendezvous_hash(nodes, key)) == [best]
    assert where == [False, False]


def test_the_loop_turns_while_large_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    # The work waits for another task of the loop: inline, it would wait for ever.
    turned = threading.Event()
    waited: list[bool] = []
    select = rvh.NodeSet._select_until

    def slow(*given: Any) -> list[Any]:
        waited.append(turned.wait(60))
        return select(*given)

    monkeypatch.setattr(rvh.NodeSet, "_select_until", slow)

    async def other() -> None:
        turned.set()

    async def main() -> list[Any]:
        key = b"x" * (128 * INLINE_COMPRESSIONS)
        chosen, _ = await asyncio.gather(rvh.arendezvous_hash(NODES, key), other())
        return chosen

    assert len(asyncio.run(main())) == 1
    assert waited == [True]


def test_cancelled_work_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    # asyncio.run() waits for its threads: for 10 s and more, were the work done to its end.
    found: list[list[Any]] = []
    started = threading.Event()
    select = rvh.NodeSet._select_until

    def spy(*given: Any) -> list[Any]:
        started.set()
        found.append(select(*given))
        return found[-1]

    monkeypatch.setattr(rvh.NodeSet, "_select_until", spy)
    ns = rvh.NodeSet([f"node{n}" for n in range(20_000)])

    async def main() -> None:
        task = asyncio.create_task(ns.aselect(b"x" * 4_000_000, k=3))
        while not started.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert found == [[]]
    assert len(asyncio.run(ns.aselect("key", k=3))) == 3


def test_many_at_once() -> None:
    keys = [f"key{n}" for n in range(50)] + [b"x" * 1_000_000 + bytes([n]) for n in range(5)]
    ns = rvh.NodeSet(NODES, secret=b"s")

    async def main() -> list[list[str]]:
        return await asyncio.gather(*(ns.aselect(key, k=3) for key in keys))

    expected = [[NODES[n] for n in reference.ranking(NODES, key, b"s")] for key in keys]
    assert asyncio.run(main()) == expected


@pytest.mark.parametrize("secret", [b"", b"secret"])
def test_options(secret: bytes) -> None:
    expected = rvh.rendezvous_hash(NODES, "key", k=2, secret=secret, scheme="blake2b")
    call = rvh.arendezvous_hash(NODES, "key", k=2, secret=secret, scheme="blake2b")
    assert asyncio.run(call) == expected


@pytest.mark.parametrize("size", [1, 128 * INLINE_COMPRESSIONS], ids=["small", "large"])
def test_errors_come_through(size: int) -> None:
    ns = rvh.NodeSet(NODES)
    with pytest.raises(rvh.RVHError, match="k is 4"):
        asyncio.run(ns.aselect(b"x" * size, k=4))
    with pytest.raises(rvh.RVHTypeError, match=r"k is 1\.5"):
        asyncio.run(ns.aselect(b"x" * size, k=1.5))  # type: ignore[arg-type]
    with pytest.raises(rvh.RVHTypeError, match="of type list"):
        asyncio.run(ns.aselect(["x"] * size))
    with pytest.raises(rvh.RVHError, match="surrogate"):
        asyncio.run(ns.aselect("x" * size + "\ud800"))
    with pytest.raises(rvh.RVHError, match="no nodes"):
        asyncio.run(rvh.arendezvous_hash([], b"x" * size))
