"""Health, asked with the protocol's own messages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from rpc_server import calls_of
from rpc_server import serving as serving_nodes
from servers import until
from small_rpc import serving

from rvh.rpc import Limits, Server
from rvh.rpc.health import HEALTH, Health
from rvh.rpc.messages import message

SERVICE = "rvh.v1.Selection"
UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN = range(4)


def asked(service: str = "") -> Any:
    return message("grpc.health.v1.HealthCheckRequest")(service=service)


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def channel(health: Health) -> Iterator[grpc.Channel]:
    with serving([health.handlers()]) as address, grpc.insecure_channel(address) as channel:
        yield channel


@pytest.fixture
def rpc(channel: grpc.Channel) -> Any:
    return calls_of(channel, HEALTH)


def channel_to(server: Server) -> grpc.Channel:
    return grpc.insecure_channel(f"127.0.0.1:{server.port}")


class Watching:
    """A Watch whose statuses are read as they come."""

    def __init__(self, rpc: Any, service: str = "") -> None:
        self.call = rpc.Watch(asked(service), timeout=20)
        self.statuses: list[int] = []
        self.code: grpc.StatusCode | None = None
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        try:
            for response in self.call:
                self.statuses.append(response.status)
            self.code = grpc.StatusCode.OK
        except grpc.RpcError as error:
            self.code = error.code()

    def told(self, *statuses: int) -> None:
        until(lambda: len(self.statuses) >= len(statuses), what=f"{statuses}")
        assert self.statuses == [*statuses]

    def ended(self) -> grpc.StatusCode | None:
        self.thread.join(20)
        return self.code


def test_a_server_serves_when_it_says_so(health: Health, rpc: Any) -> None:
    assert rpc.Check(asked()).status == NOT_SERVING
    health.set("", True)
    assert rpc.Check(asked()).status == SERVING
    health.set("", False)
    assert rpc.Check(asked()).status == NOT_SERVING


def test_each_service_has_its_own(health: Health, rpc: Any) -> None:
    health.set("", True)
    health.set(SERVICE, False)
    assert rpc.Check(asked(SERVICE)).status == NOT_SERVING
    assert rpc.Check(asked()).status == SERVING


def test_an_unknown_service_is_an_error_of_check(rpc: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        rpc.Check(asked("rvh.v1.Selektion"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "service: this server has no 'rvh.v1.Selektion'"


def test_watch_tells_each_change_once(health: Health, rpc: Any) -> None:
    watching = Watching(rpc)
    watching.told(NOT_SERVING)
    health.set("", True)
    watching.told(NOT_SERVING, SERVING)
    health.set("", True)
    health.set(SERVICE, True)
    health.set("", False)
    watching.told(NOT_SERVING, SERVING, NOT_SERVING)
    watching.call.cancel()
    assert watching.ended() is grpc.StatusCode.CANCELLED


def test_watch_waits_for_a_service_that_is_unknown(health: Health, rpc: Any) -> None:
    watching = Watching(rpc, SERVICE)
    watching.told(SERVICE_UNKNOWN)
    health.set(SERVICE, True)
    watching.told(SERVICE_UNKNOWN, SERVING)
    health.close()
    assert watching.ended() is grpc.StatusCode.OK


def test_draining_is_told_and_final(health: Health, rpc: Any) -> None:
    health.set("", True)
    health.set(SERVICE, True)
    watching = Watching(rpc, SERVICE)
    watching.told(SERVING)
    health.drain()
    watching.told(SERVING, NOT_SERVING)
    health.set(SERVICE, True)
    health.set("later", True)
    for service in ("", SERVICE, "later"):
        assert rpc.Check(asked(service)).status == NOT_SERVING
    late = Watching(rpc, SERVICE)
    late.told(NOT_SERVING)
    health.close()
    assert late.ended() is watching.ended() is grpc.StatusCode.OK
    assert watching.statuses == [SERVING, NOT_SERVING]


def test_a_watch_after_the_end_is_told_and_ends(health: Health, rpc: Any) -> None:
    health.close()
    watching = Watching(rpc)
    assert watching.ended() is grpc.StatusCode.OK
    assert watching.statuses == [NOT_SERVING]


def test_a_watch_does_not_hold_a_thread_once_its_client_has_left() -> None:
    health = Health()
    with serving([health.handlers()], threads=2) as address:
        for _ in range(8):  # each would hold one of the two threads
            with grpc.insecure_channel(address) as channel:
                rpc = calls_of(channel, HEALTH)
                watching = Watching(rpc)
                watching.told(NOT_SERVING)
                assert rpc.Check(asked(), timeout=20).status == NOT_SERVING
                watching.call.cancel()
                watching.ended()


def test_a_watch_ends_at_its_deadline_and_frees_its_thread() -> None:
    alone = serving([Health().handlers()], threads=1)
    with alone as address, grpc.insecure_channel(address) as channel:
        rpc = calls_of(channel, HEALTH)
        with pytest.raises(grpc.RpcError) as caught:
            [*rpc.Watch(asked(), timeout=0.2)]
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert rpc.Check(asked(), timeout=20).status == NOT_SERVING


def test_a_server_that_stops_ends_a_watch() -> None:
    with serving([Health().handlers()]) as address:
        channel = grpc.insecure_channel(address)
        watching = Watching(calls_of(channel, HEALTH))
        watching.told(NOT_SERVING)
    assert watching.ended() is not None
    channel.close()


def test_malformed_bytes_are_the_callers_mistake(channel: grpc.Channel) -> None:
    def watch(data: bytes) -> list[Any]:
        return [*channel.unary_stream(f"/{HEALTH}/Watch")(data, timeout=20)]

    for call in (channel.unary_unary(f"/{HEALTH}/Check"), watch):
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\xff\xff")
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert caught.value.details() == "these bytes are not a grpc.health.v1.HealthCheckRequest"


def test_the_server_serves_until_it_closes() -> None:
    with serving_nodes() as (server, _, _), channel_to(server) as channel:
        rpc = calls_of(channel, HEALTH)
        assert rpc.Check(asked()).status == rpc.Check(asked(SERVICE)).status == SERVING
        watching = Watching(rpc, SERVICE)
        watching.told(SERVING)
        server.close(20)  # a Watch must not make it wait
        assert watching.ended() is grpc.StatusCode.OK
        assert watching.statuses == [SERVING, NOT_SERVING]


def test_the_server_limits_watches_as_all_streams() -> None:
    limits = Limits(streams=2)
    with serving_nodes(limits=limits) as (server, _, _), channel_to(server) as channel:
        rpc = calls_of(channel, HEALTH)
        watching = [Watching(rpc) for _ in range(2)]
        for each in watching:
            each.told(SERVING)
        with pytest.raises(grpc.RpcError) as caught:
            [*rpc.Watch(asked(), timeout=20)]
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert rpc.Check(asked()).status == SERVING
        for each in watching:
            each.call.cancel()
            each.ended()
