"""What a server takes at most, with calls that are long because there is much to do."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from servers import until

grpc = pytest.importorskip("grpc", reason="grpcio is not installed")
pytest.importorskip("msgspec", reason="msgspec is not installed")

from rpc_server import calls_of, serving  # noqa: E402
from scripted import Scripted  # noqa: E402

from rvh.membership import Membership, NodeMeta, Snapshot  # noqa: E402
from rvh.rpc import Limits, Server  # noqa: E402
from rvh.rpc.health import HEALTH  # noqa: E402
from rvh.rpc.messages import message  # noqa: E402

BATCH = message("rvh.v1.SelectBatchRequest")
SELECT = message("rvh.v1.SelectRequest")
SCORE = message("rvh.v1.ScoreRequest")
WATCH = message("rvh.v1.WatchNodesRequest")
CHECK = message("grpc.health.v1.HealthCheckRequest")

NAMES = [f"node-{n}" for n in range(1000)]
#: many minutes of work
ENDLESS = BATCH(integers=range(1_000_000))
ENDLESS_NAMES = [f"node-{n}" for n in range(20_000)]


def channel_to(server: Server) -> Any:
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
    return grpc.insecure_channel(f"127.0.0.1:{server.port}", options)


@contextmanager
def served(names: list[str] = NAMES, **limits: Any) -> Iterator[tuple[Server, Any]]:
    """A server of one thread a call, and a channel to it."""
    nodes = [NodeMeta(name) for name in names]
    with (
        serving(nodes, scheme="blake2b", threads=1, limits=Limits(**limits)) as (server, *_),
        channel_to(server) as channel,
    ):
        yield server, channel


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    """The status of a call that is not answered, and its text."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    return error.code().name, error.details()


def under_way(server: Server) -> int:
    return sum(server.report().under_way.values())


def is_answered(channel: Any) -> bool:
    """Try one key; False where all places are taken."""
    call = calls_of(channel).Select.future(SELECT(text="a"), timeout=20)
    code = call.code()  # waits
    assert code in (grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED)
    return code is grpc.StatusCode.OK


class Gated(Membership):
    """A membership whose snapshot is there once a gate is open: calls last until then."""

    gate = threading.Event()

    @property
    def snapshot(self) -> Snapshot:
        self.gate.wait(60)
        return super().snapshot


def test_overload_is_refused_at_once() -> None:
    Gated.gate.set()
    with (
        Gated(Scripted("a b c")) as membership,
        Server(membership, limits=Limits(calls=16)) as server,
        channel_to(server) as channel,
    ):
        ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        Gated.gate.clear()
        for _ in range(100):
            call = calls_of(channel).SelectBatch.future(BATCH(integers=range(1000)), timeout=60)
            call.add_done_callback(ended.put)
        # no call waits for a place: the refusals are there while the others are worked on
        refused = [ended.get(timeout=30) for _ in range(84)]
        assert {(call.code().name, call.details()) for call in refused} == {
            (
                "RESOURCE_EXHAUSTED",
                "16 calls are being answered, which is the most: try again later, or elsewhere",
            )
        }
        assert under_way(server) == 16
        assert ended.empty()
        Gated.gate.set()
        answers = [ended.get(timeout=30).result() for _ in range(16)]
        expected = membership.nodes.argselect_batch(range(1000)).ravel().tolist()
        assert all([*answer.indices] == expected for answer in answers)
        assert server.report().refused == {"calls": 84}
        assert is_answered(channel)


def test_health_is_told_while_all_places_are_taken() -> None:
    with served(ENDLESS_NAMES, calls=1) as (server, channel):
        call = calls_of(channel).SelectBatch.future(ENDLESS)
        until(lambda: under_way(server) == 1)
        until(lambda: not is_answered(channel))
        assert calls_of(channel, HEALTH).Check(CHECK(), timeout=20).status == 1
        call.cancel()


def test_a_message_that_is_too_large() -> None:
    with served(message=1 << 20) as (_, channel):
        calls = calls_of(channel)
        size = (1 << 20) + 1
        for request in (BATCH(data=b"x" * size, ends=[size]), BATCH(keys=[b"x" * size])):
            status, text = refusal(lambda request=request: calls.SelectBatch(request, timeout=20))
            assert status == "RESOURCE_EXHAUSTED"
            assert "larger than max" in text
        status, text = refusal(lambda: list(calls.SelectStream(iter([request]), timeout=20)))
        assert status == "RESOURCE_EXHAUSTED"
        # what would be too large an answer is refused before it is worked on
        status, text = refusal(lambda: calls.Score(SCORE(integers=range(1000)), timeout=20))
        assert status == "INVALID_ARGUMENT"
        assert "1000 keys have an answer of 15 MiB, and 1 MiB is the most" in text
        assert is_answered(channel)


def test_streams_have_a_limit_of_their_own_which_calls_do_not_use() -> None:
    with served(calls=1, streams=2) as (server, channel):
        calls = calls_of(channel)
        watching = [calls.WatchNodes(WATCH()) for _ in range(2)]
        for each in watching:
            next(each)
        text = "2 streams are being answered, which is the most: try again later, or elsewhere"
        for refused in (
            lambda: next(calls.WatchNodes(WATCH(), timeout=20)),
            lambda: next(calls.SelectStream(iter([BATCH(texts=["a"])]), timeout=20)),
            lambda: next(calls_of(channel, HEALTH).Watch(CHECK(), timeout=20)),
        ):
            assert refusal(refused) == ("RESOURCE_EXHAUSTED", text)
        assert is_answered(channel)
        watching[0].cancel()
        until(lambda: under_way(server) == 1)
        assert [*calls.SelectStream(iter([BATCH(texts=["a"])]), timeout=20)]
        watching[1].cancel()


@pytest.mark.parametrize("method", ["SelectBatch", "Score"])
def test_the_time_of_the_server(method: str) -> None:
    limits = {"calls": 1, "seconds": 0.2, "message": 2**31 - 1}
    with served(ENDLESS_NAMES, **limits) as (server, channel):
        calls = calls_of(channel)
        request = ENDLESS if method == "SelectBatch" else SCORE(integers=range(2_000))
        status, text = refusal(lambda: getattr(calls, method)(request, timeout=60))
        assert status == "DEADLINE_EXCEEDED"
        assert text == "the answer took longer than 0.2 s: ask for fewer keys"
        assert is_answered(channel)  # the one place is free
        counted = server.report().durations[f"rvh.v1.Selection/{method}"]
        assert sum(counted["DEADLINE_EXCEEDED"].buckets) == 1


def test_the_time_of_the_server_on_a_stream_is_that_of_each_answer() -> None:
    with served(ENDLESS_NAMES, streams=1, seconds=0.3) as (_, channel):
        calls = calls_of(channel)
        small = BATCH(texts=["a"])
        goes_on = threading.Event()

        def requests() -> Iterator[Any]:
            yield small
            goes_on.wait(0.5)  # longer than an answer may take: the stream itself may stay
            yield small
            yield ENDLESS

        answers = calls.SelectStream(requests(), timeout=60)
        assert next(answers).indices
        assert next(answers).indices
        assert refusal(lambda: next(answers))[0] == "DEADLINE_EXCEEDED"
        assert [*calls.SelectStream(iter([small]), timeout=20)]


def test_the_deadline_of_the_client() -> None:
    with served(ENDLESS_NAMES, calls=1, seconds=600) as (server, channel):
        call = calls_of(channel).SelectBatch
        assert refusal(lambda: call(ENDLESS, timeout=0.3))[0] == "DEADLINE_EXCEEDED"
        until(lambda: is_answered(channel), what="the work has stopped")
        assert under_way(server) == 0


@pytest.mark.parametrize("leave", ["cancel", "close"])
@pytest.mark.parametrize("method", ["SelectBatch", "SelectStream"])
def test_a_client_that_goes_frees_its_place(method: str, leave: str) -> None:
    with served(ENDLESS_NAMES, calls=1, streams=1, seconds=600) as (server, channel):
        with channel_to(server) as its_own:
            calls = calls_of(its_own)
            call = (
                calls.SelectBatch.future(ENDLESS)
                if method == "SelectBatch"
                else calls.SelectStream(iter([ENDLESS]))
            )
            until(lambda: under_way(server) == 1)
            if leave == "cancel":
                call.cancel()
        until(lambda: under_way(server) == 0, what="the work has stopped")
        assert is_answered(channel)
        small = iter([BATCH(texts=["a"])])
        assert [*calls_of(channel).SelectStream(small, timeout=20)]


def test_a_client_that_does_not_read_holds_its_stream_alone() -> None:
    names = ["a", "b", "c"]
    with served(names, calls=1, streams=2) as (server, channel), channel_to(server) as its_own:
        large = BATCH(integers=range(200_000))
        sent = 0

        def requests() -> Iterator[Any]:
            nonlocal sent
            while True:
                sent += 1
                yield large

        idle = calls_of(its_own).SelectStream(requests())
        # answers fill the windows of its connection, then the server asks for no more of it
        before = -1

        def stands() -> bool:
            nonlocal before
            keys = server.report().keys.get("rvh.v1.Selection/SelectStream", 0)
            is_still, before = keys == before and sent > 1, keys
            threading.Event().wait(0.3)
            return is_still

        until(stands)
        for _ in range(20):
            assert is_answered(channel)
            assert [*calls_of(channel).SelectStream(iter([large]), timeout=20)]
        assert under_way(server) == 1
        idle.cancel()
        until(lambda: under_way(server) == 0)
