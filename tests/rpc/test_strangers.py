"""Clients of a server that is not rvh serve: whatever it answers is an error that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from rvh.rpc import Client, ServiceError, follow
from rvh.rpc.messages import message

NODES = {"epoch": 1, "fingerprint": "f", "k": 1, "nodes": ["a", "b"]}


def batch(**fields: Any) -> bytes:
    content: bytes = message("rvh.v1.SelectBatchResponse")(**NODES, **fields).SerializeToString()
    return content


ANSWERS = {
    "nothing": b"",
    "no message": b"\xff\xff\xff",
    "cut off": batch(indices=[1])[:-3],
    "a number as a text": b"\x10\x01\x32\x01a",
    "a text as a number": b"\x0a\x03abc\x32\x01a",
    "no UTF-8": b"\x12\x02\xff\xff\x32\x01a",
    "half an index": b"\x08\x01\x12\x01f\x18\x01\x22\x03abc\x32\x01a",
    "an index that is none": batch(indices=[2]),
    "an index of two that is none": batch(indices=[0, 2]),
    "too few": batch(indices=[]),
    "too many": batch(indices=[0] * 6),
}
CALLS: dict[str, Callable[[Client], Any]] = {
    "select": lambda client: client.select("a"),
    "select_batch": lambda client: client.select_batch(["a", "b"]),
    "argselect_batch": lambda client: client.argselect_batch(["a", "b"]),
    "a stream": lambda client: client.argselect_batch([*"abcde"]),
    "score_batch": lambda client: client.score_batch(["a"]),
}


class Stranger(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Answers every call with the same bytes."""

    def __init__(self) -> None:
        self.content = b""
        self.details = b""

    def service(self, details: Any) -> Any:
        def one(_: Any, context: Any) -> bytes:
            if self.details:
                context.set_trailing_metadata((("grpc-status-details-bin", self.details),))
                context.abort(grpc.StatusCode.INTERNAL, "broken")
            return self.content

        def many(requests: Any, context: Any) -> Iterator[bytes]:
            list(requests)
            yield self.content

        if details.method.endswith("Stream"):
            return grpc.stream_stream_rpc_method_handler(many)
        return grpc.unary_unary_rpc_method_handler(one)


@pytest.fixture(scope="module")
def asked() -> Iterator[tuple[Stranger, str]]:
    stranger = Stranger()
    server = grpc.server(ThreadPoolExecutor(4), handlers=[stranger])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield stranger, f"127.0.0.1:{port}"
    server.stop(0).wait()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_what_a_stranger_answers(asked: Any, answer: str, call: str) -> None:
    stranger, target = asked
    stranger.content, stranger.details = ANSWERS[answer], b""
    with Client(target, chunk=2) as client, pytest.raises(ServiceError, match="malformed"):
        CALLS[call](client)


def test_a_stranger_is_not_followed(asked: Any) -> None:
    stranger, target = asked
    stranger.content, stranger.details = b"\xff\xff", b""
    with pytest.raises(ServiceError, match="not a GetNodesResponse"):
        follow(target)


def test_details_that_are_none(asked: Any) -> None:
    stranger, target = asked
    stranger.details = b"\xff\xff"
    with Client(target) as client, pytest.raises(ServiceError, match="INTERNAL: broken") as caught:
        client.select("a")
    assert (caught.value.code, caught.value.field) == ("INTERNAL", "")
