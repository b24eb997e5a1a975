"""The rules of a membership, which are the same for every source."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import os
import pickle
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from scripted import Scripted
from servers import until

import rvh
from rvh.membership import (
    SAME,
    Change,
    Membership,
    NodeMeta,
    State,
    Status,
    read_once,
    take_snapshot,
    weigh_by,
)

QUICK = {"backoff": (0.001, 0.01)}


def printed(code: str) -> tuple[str, str]:
    """What a process of its own prints, on both streams; ``sys.argv[1]`` is a path for nodes."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), f"{folder}/nodes.json"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    return run.stdout, run.stderr


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    until(lambda: set(threading.enumerate()) <= before, what="no thread is left")


@pytest.fixture
def often() -> Iterator[None]:
    """Threads take turns very often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def ids(membership: Membership) -> str:
    return " ".join(membership.nodes)


def test_readers_see_one_snapshot_or_the_other() -> None:
    source = Scripted("a b c")
    with Membership(source) as membership:
        seen: list[tuple[int, int, str]] = []
        stop = threading.Event()

        def read() -> None:
            while not stop.is_set():
                snapshot = membership.snapshot
                seen.append((snapshot.epoch, len(snapshot.nodes), snapshot.fingerprint))
                time.sleep(0)

        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        for count in range(1, 60):
            source.say(" ".join(f"n{i}" for i in range(count)))
        until(lambda: membership.snapshot.epoch == 60)
        stop.set()
        for thread in threads:
            thread.join()
    sizes = {epoch: size for epoch, size, _ in seen}
    assert all(size == (3 if epoch == 1 else epoch - 1) for epoch, size in sizes.items())
    expected = {e: rvh.NodeSet([f"n{i}" for i in range(e - 1)]).fingerprint for e in sizes if e > 1}
    assert all(expected.get(epoch, print_of_abc()) == print_ for epoch, _, print_ in seen)


def print_of_abc() -> str:
    return rvh.NodeSet(["a", "b", "c"]).fingerprint


BAD: dict[str, Any] = {
    "empty": State([]),
    "a duplicate": State([NodeMeta("a"), NodeMeta("a")]),
    "all weights zero": State([NodeMeta("a", weight=0), NodeMeta("b", weight=0)]),
    "some weights": State([NodeMeta("a", weight=1), NodeMeta("b")]),
    "a weight that is NaN": State([NodeMeta("a", weight=float("nan"))]),
    "nobody selectable": State([NodeMeta("a", status=Status.DEAD)]),
    "an id that is empty": State([NodeMeta("")]),
    "a lone surrogate": State([NodeMeta("\ud800")]),
    "malformed": rvh.RVHError("this is HTML"),
    "no word of a source": 42,
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_update_is_refused(name: str, caplog: pytest.LogCaptureFixture) -> None:
    source = Scripted("a b")
    with Membership(source, **QUICK) as membership:
        before = membership.snapshot
        if name == "no word of a source":

            class Wrong(Scripted):
                pass

            source.say(TypeError("no word"))
            until(lambda: membership.stats.reconnects == 1)
        else:
            source.say(BAD[name])
            until(lambda: membership.stats.refused == 1)
        assert membership.snapshot is before
        assert membership.stats.updates == 1
        assert membership.stats.error
        age = membership.age
        source.say(SAME)  # of what was refused, which does not make the snapshot younger
        time.sleep(0.05)
        assert membership.age > age
        source.say("a b")
        until(lambda: membership.stats.error is None)
        assert membership.snapshot is before
        assert membership.age < age + 0.05
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1


def test_the_first_state_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(rvh.RVHError, match=r"^scripted: there are no nodes"):
        Membership(Scripted(State([])))
    with pytest.raises(rvh.RVHError, match="this is HTML"):
        Membership(Scripted(rvh.RVHError("this is HTML")))
    with pytest.raises(rvh.RVHError, match="min_nodes is 3"):
        Membership(Scripted("a b"), min_nodes=3)
    assert caplog.records == []  # who gets the error says it


@pytest.mark.filterwarnings("error")
def test_a_watch_that_is_no_async_generator() -> None:
    class Returns:
        name = "mine"

        async def watch(self) -> Any:
            return State([NodeMeta("a")])

    class Ends:
        name = "mine"

        async def watch(self) -> AsyncIterator[Any]:
            for word in ():
                yield word

    for open_it in (Membership, read_once):
        with pytest.raises(rvh.RVHError, match=r"watch\(\) of mine gives coroutine: make it"):
            open_it(Returns())
    with pytest.raises(rvh.RVHError, match=r"watch\(\) of mine has ended: it goes on until"):
        Membership(Ends())
    with pytest.raises(rvh.RVHError, match="scripted told SAME before any State"):
        Membership(Scripted(SAME))


def test_a_loss_and_the_recovery_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    source = Scripted("a b")
    with caplog.at_level(logging.INFO, "rvh.membership"), Membership(source, **QUICK) as membership:
        source.say(ConnectionError("gone"))
        until(lambda: membership.stats.reconnects == 1)
        source.say("a b")
        until(lambda: membership.stats.error is None)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "scripted: the source is lost: ConnectionError: gone"),
        ("INFO", "scripted: all is well again"),
    ]


def test_the_source_is_away_at_first(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(rvh.RVHError, match=r"no nodes within 0\.05 s: OSError: refused"):
        Membership(Scripted(*[OSError("refused")] * 100), timeout=0.05, **QUICK)
    assert [one.getMessage() for one in caplog.records] == [
        "waiting for scripted: OSError: refused"
    ]
    with Membership(Scripted(OSError("refused"), "a"), **QUICK) as membership:
        assert ids(membership) == "a"
        assert membership.stats.reconnects == 1
        assert membership.stats.error is None


def test_the_same_content_makes_no_epoch() -> None:
    source = Scripted("a b")
    with Membership(source) as membership:
        before = membership.snapshot
        changes: list[Change] = []
        membership.subscribe(changes.append)
        said = time.monotonic()
        source.say("b a", State([NodeMeta("a"), NodeMeta("b")], version=77))
        until(lambda: not source.words)
        until(lambda: membership.age < time.monotonic() - said)  # heard from after that
        assert membership.snapshot is before
        assert changes == []


def test_epochs_are_those_of_the_source_and_never_go_back() -> None:
    def state(names: str, version: int | None) -> State:
        return State([NodeMeta(name) for name in names], version)

    source = Scripted(state("a", 5))
    with Membership(source) as membership:
        epochs = [membership.snapshot.epoch]
        membership.subscribe(lambda change: epochs.append(change.after.epoch))
        source.say(state("ab", 9), state("abc", 2), state("a", None), state("b", 10))
        source.say(state("c", 40))
        until(lambda: membership.snapshot.epoch == 40)
    assert epochs == [5, 9, 10, 11, 12, 40]


def test_an_outage() -> None:
    source = Scripted("a b")
    with Membership(source, **QUICK) as membership:
        before = membership.snapshot
        source.say(*[OSError("gone")] * 5)
        until(lambda: membership.stats.reconnects == 5)
        assert membership.snapshot is before
        assert "gone" in str(membership.stats.error)
        source.say("a b c")
        until(lambda: ids(membership) == "a b c")
        assert membership.stats.connected
        assert membership.stats.error is None
        assert source.begun == source.ended + 1 == 6


def test_silence_is_an_outage() -> None:
    source = Scripted("a", silence=0.05)
    with Membership(source, **QUICK) as membership:
        until(lambda: membership.stats.reconnects >= 1)
        assert "nothing was heard for 0.05 s" in str(membership.stats.error)
        source.say("a b")
        until(lambda: ids(membership) == "a b")


def test_the_wait_grows_and_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float, real: Any = asyncio.sleep) -> None:
        if seconds >= 0.01:
            waits.append(seconds)
        await real(0)

    source = Scripted("a")
    with Membership(source, backoff=(1, 16)) as membership:
        monkeypatch.setattr("rvh.membership.membership.asyncio.sleep", sleep)
        source.say(*[OSError("gone")] * 8)
        until(lambda: membership.stats.reconnects == 8)
    bounds = [1, 2, 4, 8, 16, 16, 16]
    assert all(high / 2 <= wait <= high for wait, high in zip(waits, bounds, strict=False))
    assert len(waits) >= 7
    assert len(set(waits)) == len(waits)


def test_guards() -> None:
    source = Scripted("a b c d")
    with Membership(source, min_nodes=2, max_change=0.3, **QUICK) as membership:
        source.say("a b c")  # 25% move
        until(lambda: ids(membership) == "a b c")
        source.say("a")
        until(lambda: membership.held is not None)
        assert "1 nodes are selectable, and min_nodes is 2" in str(membership.held)
        source.say("a b")
        until(lambda: "33.33% of all keys would move" in str(membership.held))
        assert membership.stats.refused == 2
        assert ids(membership) == "a b c"
        source.say("a b c")  # the source has its nodes back
        until(lambda: membership.held is None)
        for bad in (State([NodeMeta("a")] * 2), rvh.RVHError("this is HTML")):
            source.say("a b")
            until(lambda: membership.held is not None)
            source.say(bad)  # what was held back is not what the source has now
            until(lambda: membership.held is None)
        with pytest.raises(rvh.RVHError, match="nothing to accept"):
            membership.accept()
        source.say("a b")
        until(lambda: membership.held is not None)
        assert [*membership.accept().nodes] == ["a", "b"]
        assert membership.held is None
        # Operators say the same at the source.
        digest = read_once(Scripted("a")).digest
        source.say(State([NodeMeta("a")], accepted="00"), State([NodeMeta("a")], accepted=digest))
        until(lambda: ids(membership) == "a")
    with pytest.raises(rvh.RVHError, match="closed"):
        membership.accept()


def test_what_is_held_back_names_the_ways_that_are_open() -> None:
    class Written(Scripted):
        async def accept(self, digest: str) -> None:
            raise AssertionError

    for kind, ways in (
        (Scripted, "call accept() in each process"),
        (Written, "run rvh nodes SOURCE --accept or call accept() in each process"),
    ):
        source = kind("a b")
        with Membership(source, max_change=0.1) as membership:
            source.say("a c")
            until(lambda membership=membership: membership.held)
            assert str(membership.held).endswith(f": if that is meant, {ways}")
    with pytest.raises(
        rvh.RVHError, match="min_nodes is 3: if that is meant, choose another limit"
    ):
        Membership(Scripted("a b"), min_nodes=3)


def test_an_accepted_state_that_cannot_be_used() -> None:
    source = Scripted("a b c")
    with Membership(source, max_change=0.1) as membership:
        table = membership.table(16, k=2)
        source.say("a")
        until(lambda: membership.held is not None)
        with pytest.raises(rvh.RVHError, match="k is 2"):
            membership.accept()
        assert table.current.nodes == membership.nodes
        assert ids(membership) == "a b c"


def test_subscribers() -> None:
    source = Scripted("a b")
    seen: list[Change] = []
    with Membership(source) as membership:

        def fail(change: Change) -> None:
            raise RuntimeError

        membership.subscribe(fail)
        leave = membership.subscribe(seen.append)
        source.say("a b c", "b c")
        until(lambda: len(seen) == 2)
        assert [(c.joined, c.left) for c in seen] == [(("c",), ()), ((), ("a",))]
        assert seen[1].before is seen[0].after
        leave()
        source.say("a")
        until(lambda: ids(membership) == "a")
        assert len(seen) == 2


def test_changes_come_in_order_and_end() -> None:
    source = Scripted("n0")

    async def follow(membership: Membership) -> list[Change]:
        changes = membership.changes()
        for count in range(1, 30):
            source.say(f"n{count}")
        return [change async for change in changes]

    membership = Membership(source)
    timer = threading.Timer(1.0, membership.close)
    timer.start()
    found = asyncio.run(follow(membership))
    timer.join()
    assert [change.after.epoch for change in found] == [*range(2, 31)]


def test_a_callback_that_is_subscribed_twice_leaves_once() -> None:
    source = Scripted("a")
    seen: list[Change] = []
    with Membership(source) as membership:
        leave = membership.subscribe(seen.append)
        membership.subscribe(seen.append)
        callback = seen.append
        leave_too = membership.subscribe(callback)
        membership.subscribe(callback)
        leave()
        leave_too()
        leave_too()
        source.say("b")
        until(lambda: ids(membership) == "b")
        source.say("c")
        until(lambda: len(seen) == 4)


def test_a_reader_that_is_gone_keeps_nothing() -> None:
    source = Scripted("n0")
    kept: list[weakref.ref[Any]] = []

    async def leave_at_once(membership: Membership) -> None:
        for _ in range(100):
            membership.changes()

    with Membership(source) as membership:
        asyncio.run(leave_at_once(membership))
        membership.subscribe(lambda change: kept.append(weakref.ref(change)))
        source.say("n1", "n2", "n3")
        until(lambda: membership.snapshot.epoch == 4 and len(kept) == 3)
        gc.collect()
        until(lambda: kept[0]() is None)


def test_a_slow_reader_gets_the_rest_as_one() -> None:
    source = Scripted("n0")

    async def follow(membership: Membership) -> list[Change]:
        changes = membership.changes()
        for count in range(1, 201):
            source.say(f"n{count}")
        await asyncio.to_thread(until, lambda: membership.snapshot.epoch == 201)
        membership.close()
        return [change async for change in changes]

    found = asyncio.run(follow(Membership(source)))
    assert len(found) == 64
    assert found[-1].after.epoch == 201
    for one, other in itertools.pairwise(found):
        assert one.after is other.before


def test_what_follows() -> None:
    source = Scripted("a b c")
    with Membership(source, scheme="murmur") as membership:
        table, cache = membership.table(256, k=2), membership.cache(100, "arc")
        cache.select_batch(["x", "y"])
        source.say("a b c d")
        until(lambda: ids(membership) == "a b c d")
        assert table.current == rvh.partitions.PartitionTable(membership.nodes, 256, 2)
        assert cache.nodes is membership.nodes
        assert cache.info().entries == 0
        source.say("a")  # too few for the table
        until(lambda: membership.stats.refused == 1)
        assert "k is 2" in str(membership.stats.error)
        assert ids(membership) == "a b c d"
        del table
        gc.collect()
        source.say("b")
        until(lambda: ids(membership) == "b")


def test_an_assigner_that_follows(caplog: pytest.LogCaptureFixture) -> None:
    source = Scripted("a b c")
    with Membership(source, scheme="murmur") as membership:
        told: list[Any] = []
        assigner = membership.assigner(1.2, moved=told.append)
        silent = membership.assigner()
        before = dict(zip(range(300), assigner.assign_batch(range(300)).tolist(), strict=True))
        silent.assign_batch(range(10))
        source.say("a c d")
        until(lambda: len(told) == 1)
        assert assigner.nodes is silent.nodes is membership.nodes
        (moves,) = told
        assert moves.key == [key for key, node in before.items() if node == "b"]
        assert assigner.assign_batch(moves.key).tolist() == moves.target.tolist()
        assert assigner.loads.max() <= 120
        assert silent.loads.sum() == 10
        source.say("a c d e")  # moves nothing, so nothing is told
        until(lambda: len(assigner.nodes) == 4)

        def fail(moves: object) -> None:
            raise ValueError("this subscriber is broken")

        broken = membership.assigner(moved=fail)
        broken.assign_batch(range(40))
        kept = weakref.ref(silent)
        del silent
        gc.collect()
        assert kept() is None
        source.say("a c d")
        until(lambda: len(told) == 1 and ids(membership) == "a c d" and "is broken" in caplog.text)
        with pytest.raises(rvh.RVHTypeError, match="moved is 'print': pass a function of Moves"):
            membership.assigner(moved="print")  # type: ignore[arg-type]
        with pytest.raises(rvh.RVHError, match="load_factor is"):
            membership.assigner(0.5)


def test_weights_and_domains() -> None:
    nodes = [
        NodeMeta("a", capacity=1, zone="eu", labels={"row": "1"}),
        NodeMeta("b", capacity=3, zone="us"),
    ]
    with Membership(Scripted(nodes), weigh=weigh_by("capacity")) as membership:
        assert membership.nodes.weights is not None
        assert membership.nodes.weights.tolist() == [0.5, 1.5]
        assert [*membership.nodes.domains] == ["zone"]
    with pytest.raises(rvh.RVHError, match="node 'b' has no label 'row'"):
        Membership(Scripted(nodes), domains=["row"])
    with pytest.raises(rvh.RVHError, match="node 'a' has no rack"):
        Membership(Scripted(nodes), domains=["zone", "rack"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scheme": "murmurr"}, "scheme"),
        ({"secret": "text"}, "secret is of type str"),
        ({"scheme": "murmur", "secret": b"x"}, "secret was given"),
        ({"min_nodes": 0}, "min_nodes is 0"),
        ({"max_change": 0}, "max_change is 0"),
        ({"max_change": 1.5}, "max_change is 1.5"),
        ({"max_change": "half"}, "max_change is 'half'"),
        ({"backoff": 3}, "backoff is 3"),
        ({"backoff": (2, 1)}, "0 < least <= most"),
        ({"domains": "zone"}, r"pass a list, \['zone'\]"),
        ({"weigh": "capacity"}, "weigh is 'capacity'"),
        ({"timeout": None}, "timeout"),
        ({"timeout": 0}, "timeout is 0: pass a number of seconds above 0"),
        ({"timeout": -1}, "timeout is -1"),
        ({"timeout": float("inf")}, "timeout is inf"),
    ],
)
def test_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(rvh.RVHError, match=message):
        Membership(Scripted("a"), **arguments)


@pytest.mark.parametrize("source", [None, 3, object(), b"nodes.json", ["a", "b"]])
def test_no_source(source: Any) -> None:
    with pytest.raises(rvh.RVHError, match="pass a URL"):
        Membership(source)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "pass a URL"),
        ("ftp://host/nodes", "none of file, k8s"),
        ("nodes.txt", "its name tells no format"),
        ("file://elsewhere/nodes.json", "on the host 'elsewhere'"),
    ],
)
def test_no_url(url: str, message: str) -> None:
    with pytest.raises(rvh.RVHError, match=message):
        Membership(url)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_of_a_fork_amid_a_change_has_all_of_it() -> None:
    code = """
        import os, pathlib, sys, threading, time
        from rvh.cache import SelectionCache
        from rvh.membership import Membership
        from rvh.membership.sources.file import FileSource

        real, amid, go_on = SelectionCache.nodes, threading.Event(), threading.Event()
        def replace(cache, nodes):
            amid.set()
            go_on.wait()
            real.__set__(cache, nodes)

        path = pathlib.Path(sys.argv[1])
        path.write_text('["a"]')
        membership = Membership(FileSource(path, interval=0.01))
        cache = membership.cache(10)
        SelectionCache.nodes = property(real.__get__, replace)
        path.with_name("new").write_text('["a", "b"]')
        path.with_name("new").replace(path)
        amid.wait()
        go_on.set() if (child := os.fork()) else None
        SelectionCache.nodes = real
        if child == 0:
            end = time.monotonic() + 20
            while len(cache.nodes) < 2 and time.monotonic() < end:
                time.sleep(0.01)
            os._exit(len(cache.nodes))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        membership.close()
        print(status)
    """
    assert printed(code) == ("2\n", "")


def test_it_is_neither_copied_nor_pickled() -> None:
    with Membership(Scripted("a")) as membership, pytest.raises(TypeError, match="neither copied"):
        pickle.dumps(membership)


def test_close_from_a_subscriber() -> None:
    source = Scripted("a")
    membership = Membership(source)
    membership.subscribe(lambda change: membership.close())
    source.say("b")
    until(lambda: "closed" in repr(membership))
    until(lambda: source.ended == 1)
    assert ids(membership) == "b"
    membership.close()


def test_close_though_the_source_loses_the_cancellation() -> None:
    class Losing:
        name = "losing"

        async def watch(self) -> AsyncIterator[Any]:
            yield State([NodeMeta("a")])
            with suppress(asyncio.CancelledError):  # asyncio.wait_for of Python 3.11 can do so
                await asyncio.sleep(3600)
            while True:
                yield SAME
                await asyncio.sleep(0.01)

    membership = Membership(Losing())
    membership.close()
    assert ids(membership) == "a"


def test_close_though_the_source_makes_an_error_of_the_cancellation() -> None:
    class Failing:
        name = "failing"

        async def watch(self) -> AsyncIterator[Any]:
            yield State([NodeMeta("a")])
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                raise OSError("gone") from None

    membership = Membership(Failing(), backoff=(3600, 3600))
    time.sleep(0.02)  # until it sleeps
    membership.close()
    assert membership.stats.reconnects == 0


def test_the_thread_goes_on_after_what_would_end_it() -> None:
    source = Scripted("a")
    with Membership(source, **QUICK) as membership:
        source.say(asyncio.CancelledError("by a library"))
        until(lambda: membership.stats.reconnects == 1)
        unsubscribe = membership.subscribe(lambda change: sys.exit(1))
        source.say("b")
        until(lambda: ids(membership) == "b")
        unsubscribe()
        source.say("c")
        until(lambda: ids(membership) == "c")


def test_a_source_that_never_waits_starves_nobody() -> None:
    class Fast:
        name = "fast"

        async def watch(self) -> AsyncIterator[Any]:
            yield State([NodeMeta("a")])
            while True:
                yield State([NodeMeta("b")])

    with Membership(Fast(), max_change=0.1) as membership:
        until(lambda: membership.held is not None)
        assert [*membership.accept().nodes] == ["b"]


def test_accept_ends_when_the_membership_is_closed_meanwhile(often: None) -> None:
    for turn in range(200):
        membership = Membership(Scripted("a", "b"), max_change=0.1)

        def accept(membership: Membership = membership) -> None:
            while "closed" not in repr(membership):
                with suppress(rvh.RVHError):
                    membership.accept()

        threads = [threading.Thread(target=accept, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(turn % 20 * 1e-4)
        membership.close()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of descriptors to set")
def test_a_process_without_descriptors() -> None:
    code = """
        import os, resource
        from rvh.membership import Membership, NodeMeta
        class Source:
            name = "source"
            async def watch(self):
                yield
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) - 1,) * 2)
        try:
            Membership(Source())
        except OSError as error:
            print(error.strerror)
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.stdout.strip() == "Too many open files", found.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_of_a_fork_follows_by_itself() -> None:
    code = """
        import os, pathlib, tempfile, time, sys
        from rvh.membership import Membership
        from rvh.membership.sources.file import FileSource
        path = pathlib.Path(sys.argv[1])
        path.write_text('["a"]')
        membership = Membership(FileSource(path, interval=0.01))
        child = os.fork()
        if child == 0:
            path.with_name("new").write_text('["a", "b"]')
            path.with_name("new").replace(path)
            end = time.monotonic() + 10
            while len(membership.nodes) < 2 and time.monotonic() < end:
                time.sleep(0.01)
            os._exit(len(membership.nodes))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        membership.close()
        print(status)
    """
    assert printed(code) == ("2\n", "")


def test_the_interpreter_ends_with_a_membership_open() -> None:
    code = """
        import pathlib, sys
        from rvh.membership import Membership
        pathlib.Path(sys.argv[1]).write_text('["a"]')
        membership = Membership(sys.argv[1])
        print(membership.nodes.select("x"))
    """
    assert printed(code) == ("['a']\n", "")


def test_answers_are_those_of_the_node_set() -> None:
    with Membership(Scripted("c a b"), secret=b"s" * 16) as membership:
        keys = np.arange(100)
        direct = rvh.NodeSet(["a", "b", "c"], secret=b"s" * 16)
        assert membership.nodes == direct
        assert (membership.nodes.select_batch(keys) == direct.select_batch(keys)).all()
        assert "ssss" not in repr(membership)


def test_read_once_where_a_loop_runs() -> None:
    async def in_a_notebook() -> list[str]:
        return [*read_once(Scripted("a b")).nodes]

    assert asyncio.run(in_a_notebook()) == ["a", "b"]


def test_take_snapshot_checks_its_arguments() -> None:
    with pytest.raises(rvh.RVHError, match=r"pass a list, \['zone'\]"):
        take_snapshot([NodeMeta("a")], domains="zone")
    with pytest.raises(rvh.RVHError, match="weigh is 'capacity'"):
        take_snapshot([NodeMeta("a")], weigh="capacity")  # type: ignore[arg-type]


def test_a_function_of_weights_that_fails_is_a_refusal() -> None:
    def weigh(nodes: Any) -> Any:
        return [1.0 / (len(nodes) - 2)] * len(nodes)

    source = Scripted("a b c")
    with Membership(source, weigh=weigh) as membership:
        source.say("a b")
        until(lambda: membership.stats.refused == 1)
        assert "weigh= has raised ZeroDivisionError" in str(membership.stats.error)
        assert membership.stats.reconnects == 0
