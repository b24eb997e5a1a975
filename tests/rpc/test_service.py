"""The methods of the service, called with classes that protobuf makes of the descriptor set."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from rpc_server import NODES, calls_of, refusal, serving
from scripted import Scripted

from rvh.errors import RVHError
from rvh.membership import Membership, NodeMeta, take_snapshot
from rvh.rpc import Limits, Server
from rvh.rpc.messages import message
from rvh.rpc.mirroring import Mirror

KEYS = [f"user:{n}" for n in range(1000)]
SELECT = message("rvh.v1.SelectRequest")
BATCH = message("rvh.v1.SelectBatchRequest")
SCORE = message("rvh.v1.ScoreRequest")
WATCH = message("rvh.v1.WatchNodesRequest")


@pytest.fixture
def served() -> Iterator[tuple[Any, Membership, Scripted]]:
    with (
        serving(limits=Limits(keys=2000, streams=4)) as (server, membership, source),
        grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        yield calls_of(channel), membership, source


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"text": "user:1"}, "user:1"),
        ({"key": b"\xff\0"}, b"\xff\0"),
        ({"text": ""}, ""),
        ({"integer": -1}, -1),
        ({"integer": 0}, 0),
        ({"integer": 2**63 - 1}, 2**63 - 1),
    ],
)
@pytest.mark.parametrize("k", [1, 3])
def test_one_key(served: Any, asked: dict[str, Any], key: Any, k: int) -> None:
    calls, membership, _ = served
    answer = calls.Select(SELECT(**asked, k=k, with_ids=True, known_fingerprint=""))
    nodes = membership.nodes
    assert [*answer.ids] == nodes.select(key, k) == [answer.nodes[n] for n in answer.indices]
    assert [*answer.nodes] == [*nodes]
    assert (answer.epoch, answer.fingerprint, answer.k) == (1, nodes.fingerprint, k)
    short = calls.Select(SELECT(**asked, k=k, known_fingerprint=nodes.fingerprint))
    assert [*short.indices] == [*answer.indices]
    assert not short.ids
    assert not short.nodes


def forms(keys: list[Any]) -> Iterator[Any]:
    if isinstance(keys[0], int):
        yield BATCH(integers=keys)
        return
    ends = np.cumsum([len(key) for key in keys])
    yield BATCH(texts=keys)
    yield BATCH(keys=[key.encode() for key in keys])
    yield BATCH(data="".join(keys).encode(), ends=ends)


@pytest.mark.parametrize("keys", [KEYS, [*range(-5, 1000)], [""]], ids=["text", "int", "empty"])
@pytest.mark.parametrize("k", [1, 3])
def test_batches_in_each_form(served: Any, keys: list[Any], k: int) -> None:
    calls, membership, _ = served
    expected = membership.nodes.select_batch(keys, k)
    for request in forms(keys):
        request.k = k
        request.with_ids = True
        answer = calls.SelectBatch(request)
        assert [*answer.ids] == expected.ravel().tolist()
        ids = membership.nodes.ids[np.array(answer.indices).reshape(-1, answer.k)]
        assert ids.tolist() == expected.tolist()


def test_a_stream_answers_in_order_and_may_be_pinned(served: Any) -> None:
    calls, membership, source = served
    before = membership.nodes
    answered = threading.Event()

    def requests(pinned: bool) -> Iterator[Any]:
        yield BATCH(texts=KEYS[:10], with_ids=True, pinned=pinned)
        answered.wait(20)  # the next request is drawn while the first is on its way
        source.say([*NODES, NodeMeta("new", zone="zone-0", weight=9)])
        while len(membership.nodes) == len(before):
            pass
        yield BATCH(texts=KEYS, with_ids=True)

    def two(pinned: bool) -> tuple[Any, Any]:
        answered.clear()
        responses = calls.SelectStream(requests(pinned))
        first = next(responses)
        answered.set()
        return first, next(responses)

    first, second = two(pinned=True)
    assert [*first.ids] == before.select_batch(KEYS[:10]).ravel().tolist()
    assert [*second.ids] == before.select_batch(KEYS).ravel().tolist()
    assert (first.epoch, first.fingerprint) == (second.epoch, second.fingerprint)

    source.say(NODES)
    while len(membership.nodes) > len(before):
        pass
    first, second = two(pinned=False)
    assert [*second.ids] == membership.nodes.select_batch(KEYS).ravel().tolist()
    assert second.epoch == first.epoch + 1
    assert second.fingerprint == membership.nodes.fingerprint != first.fingerprint


@pytest.mark.parametrize("scheme", ["blake2b", "murmur"])
@pytest.mark.parametrize("weight", [None, 2.0])
def test_scores(scheme: str, weight: float | None) -> None:
    nodes = [NodeMeta(name, weight=weight) for name in "abc"]
    with (
        serving(nodes, scheme=scheme) as (server, membership, _),
        grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        answer = calls_of(channel).Score(SCORE(texts=KEYS[:7], known_fingerprint=""))
        expected = membership.nodes.score_batch(KEYS[:7])
    told = answer.words if weight is None else answer.weighted
    assert [*told] == expected.ravel().tolist()
    assert [*answer.nodes] == ["a", "b", "c"]


def test_the_nodes_in_the_order_of_indices(served: Any) -> None:
    calls, membership, source = served
    source.say([NodeMeta("b"), NodeMeta("a", address="10.0.0.1:1"), NodeMeta("c", status="dead")])
    while len(membership.nodes) != 2:
        pass
    answer = calls.GetNodes(message("rvh.v1.GetNodesRequest")())
    assert [(n.id, n.address, n.status) for n in answer.nodes] == [
        ("a", "10.0.0.1:1", 1),
        ("b", "", 1),
    ]
    assert [(n.id, n.status) for n in answer.others] == [("c", 4)]
    assert (answer.scheme, answer.keyed, answer.epoch) == ("murmur", False, 2)
    assert answer.fingerprint == membership.nodes.fingerprint


def test_watching_tells_all_and_then_changes_alone(served: Any) -> None:
    calls, membership, source = served
    watching = calls.WatchNodes(WATCH())
    mirror = Mirror("murmur")
    first = next(watching)
    assert first.whole
    assert len(first.nodes) == len(NODES)
    state: Any = mirror.hear(first)
    assert sorted(state.nodes, key=lambda node: node.id) == sorted(NODES, key=lambda node: node.id)
    source.say([*NODES[1:], NodeMeta("new", weight=3.0, labels={"disk": "ssd"})])
    second = next(watching)
    assert not second.whole
    assert [node.id for node in second.nodes] == ["new"]
    assert [*second.left] == ["node-0"]
    state = mirror.hear(second)
    assert take_snapshot(state.nodes, scheme="murmur").digest == membership.snapshot.digest
    assert state.fingerprint == membership.snapshot.fingerprint
    watching.cancel()
    again = next(calls.WatchNodes(WATCH(known_digest=second.digest)))
    assert not again.nodes
    assert not again.whole


@pytest.mark.parametrize(
    ("method", "request_", "field", "text"),
    [
        ("Select", SELECT(), "", "no key"),
        ("Select", SELECT(text="a", k=13), "k", "13"),
        ("Select", SELECT(text="a", k=0), "k", "0"),
        ("SelectBatch", BATCH(), "", "no keys"),
        ("SelectBatch", BATCH(keys=[b"a"], texts=["b"]), "", "keys"),
        ("SelectBatch", BATCH(texts=["a"] * 2001), "", "2000"),
        ("SelectBatch", BATCH(data=b"abc", ends=[2, 1, 3]), "ends[1]", ""),
        ("SelectBatch", BATCH(texts=["a"], k=13), "k", "13"),
        ("Score", BATCH(texts=["a"], k=1), "k", ""),
    ],
)
def test_what_is_refused(served: Any, method: str, request_: Any, field: str, text: str) -> None:
    call = getattr(served[0], method)
    if method == "Score":
        request_ = SCORE.FromString(request_.SerializeToString())
    code, details, found = refusal(call, request_)
    assert (code, found) == ("INVALID_ARGUMENT", field)
    assert text in details


def test_a_stream_says_which_message_was_wrong(served: Any) -> None:
    answers = served[0].SelectStream(iter([BATCH(texts=["a"]), BATCH(texts=["a"], k=99)]))
    next(answers)
    code, text, field = refusal(lambda _: next(answers), None)
    assert (code, field) == ("INVALID_ARGUMENT", "k")
    assert "message 1" in text


def test_more_streams_than_there_may_be(served: Any) -> None:
    calls, *_ = served
    open_streams = [calls.WatchNodes(WATCH()) for _ in range(4)]
    for stream in open_streams:
        next(stream)
    code, text, _ = refusal(lambda request: next(calls.WatchNodes(request)), WATCH())
    assert code == "RESOURCE_EXHAUSTED"
    assert "4 streams" in text
    open_streams[0].cancel()
    for _ in range(1000):  # its place is free as soon as the server hears of it
        try:
            next(calls.WatchNodes(WATCH()))
            break
        except grpc.RpcError:
            continue
    else:
        pytest.fail("the place of a stream that has ended stays taken")


def test_a_document_of_the_messages_is_json_that_people_can_read() -> None:
    from google.protobuf.json_format import MessageToDict

    told = MessageToDict(SELECT(text="user:1", k=2))
    assert json.dumps(told) == '{"text": "user:1", "k": 2}'


def test_servers_that_do_not_start_leave_nothing_to_the_membership() -> None:
    with serving("a b c") as (server, membership, _):
        kept = membership._callbacks
        with pytest.raises(RVHError, match="another server has it"):
            Server(membership, port=server.port)
        assert membership._callbacks == kept
        closed = Server(membership)
        closed.close(0)
        closed.close(0)
        with pytest.raises(RVHError, match="closed: make another"):
            closed.start()
