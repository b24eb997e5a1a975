"""Bytes that nobody meant are answered, or refused as INVALID_ARGUMENT; and the server lives."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from hypothesis import given
from mutated import mutated
from rpc_server import calls_of
from servers import Server, free_port

from rvh.rpc.messages import SELECTION, message, methods

NODES = [f"node-{n}" for n in range(12)]
SELECT = message("rvh.v1.SelectRequest")
BATCH = message("rvh.v1.SelectBatchRequest")
SCORE = message("rvh.v1.ScoreRequest")
WATCH = message("rvh.v1.WatchNodesRequest")

SOUND = [
    each.SerializeToString()
    for each in (
        SELECT(text="user:1", k=2, with_ids=True, known_fingerprint=""),
        SELECT(integer=-1),
        BATCH(keys=[b"a", b"", b"\xff" * 200], k=3),
        BATCH(texts=["a", "ä", "\U0001f600"], with_ids=True, known_fingerprint="0"),
        BATCH(integers=[0, -1, 2**63 - 1], pinned=True),
        BATCH(data=b"abcdef", ends=[1, 3, 6]),
        SCORE(keys=[b"a", b"b"], known_fingerprint=""),
        WATCH(known_digest="0" * 32),
    )
]
METHODS = {method.name: method for method in methods(SELECTION)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, grpc.Channel]]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    (folder / "nodes.json").write_text(json.dumps(NODES))
    port = free_port()
    command = [sys.executable, "-m", "rvh", "serve", "nodes.json", "--port", str(port)]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        ready = lambda: grpc.channel_ready_future(channel).result(0.5) is None  # noqa: E731
        with Server(command, ready, folder).running() as running:
            yield running, channel


def outcome(channel: grpc.Channel, name: str, request: bytes) -> grpc.StatusCode:
    """Send the bytes as the one request of a call, and take the first answer."""
    method = METHODS[name]
    kinds = ("unary", "stream")
    make = getattr(channel, f"{kinds[method.takes_stream]}_{kinds[method.gives_stream]}")
    sent: Any = iter([request]) if method.takes_stream else request
    try:
        answer = make(method.path)(sent, timeout=10)
        if method.gives_stream:
            call, answer = answer, next(answer)
            call.cancel()
        method.response.FromString(answer)
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


@pytest.mark.parametrize("name", METHODS)
@given(request=mutated(SOUND))
def test_it_answers_or_refuses(
    server: tuple[Server, grpc.Channel], name: str, request: bytes
) -> None:
    code = outcome(server[1], name, request)
    assert code in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT), (code, request)


def test_both_ends_are_met(server: tuple[Server, grpc.Channel]) -> None:
    channel = server[1]
    assert outcome(channel, "Select", SOUND[0]) == grpc.StatusCode.OK
    assert outcome(channel, "SelectBatch", b"\xff") == grpc.StatusCode.INVALID_ARGUMENT


def test_the_server_lives_and_has_said_nothing(server: tuple[Server, grpc.Channel]) -> None:
    running, channel = server
    assert running.process is not None
    assert running.process.poll() is None
    answer = calls_of(channel).Select(SELECT(text="user:1", with_ids=True))
    assert answer.ids[0] in NODES
    assert "Traceback" not in (running.folder / "log").read_text()
