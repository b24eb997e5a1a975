"""Batches as FlatBuffers, by code that flatc makes of the schema."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from folders import ROOT
from hypothesis import given
from hypothesis import strategies as st
from mutated import mutated
from rpc_server import NODES, refusal, serving
from scripted import Scripted
from servers import needed

from rvh.membership import Membership, NodeMeta
from rvh.rpc import Limits, Server
from rvh.rpc.messages import FLAT

flatbuffers = pytest.importorskip("flatbuffers", reason="flatbuffers is not installed")

SCHEMA = ROOT / "src/rvh/rpc/protos/rvh/v1/batch.fbs"
KEYS = [f"user:{n}" for n in range(1000)]
Served = tuple[Any, grpc.Channel, Server, Membership, Scripted]


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The module that flatc writes."""
    folder: Path = tmp_path_factory.mktemp("flatc")
    command = [needed("flatc"), "--python", "--gen-onefile", "-o", str(folder), str(SCHEMA)]
    subprocess.run(command, check=True, capture_output=True)
    (made,) = folder.rglob("*_generated.py")
    spec = importlib.util.spec_from_file_location("batch_generated", made)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def made(code: Any) -> Iterator[Served]:
    with (
        serving(limits=Limits(keys=2000, streams=4)) as (server, membership, source),
        grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        yield code, channel, server, membership, source


@pytest.fixture(scope="module")
def served(code: Any) -> Iterator[Served]:
    with made(code) as served:
        yield served


@pytest.fixture
def unused(code: Any) -> Iterator[Served]:
    """A server that has no stream under way."""
    with made(code) as served:
        yield served


def request(
    code: Any,
    keys: list[Any],
    k: int = 1,
    *,
    with_ids: bool = False,
    known: str | None = None,
    pinned: bool = False,
) -> bytes:
    builder = flatbuffers.Builder(0)
    name = 0 if known is None else builder.CreateString(known)
    if isinstance(keys[0], int):
        integers = builder.CreateNumpyVector(np.array(keys, np.int64))
    else:
        coded = [key.encode() for key in keys]
        data = builder.CreateByteVector(b"".join(coded))
        ends = builder.CreateNumpyVector(np.cumsum([*map(len, coded)], dtype=np.uint32))
    code.SelectBatchRequestStart(builder)
    if isinstance(keys[0], int):
        code.SelectBatchRequestAddIntegers(builder, integers)
    else:
        code.SelectBatchRequestAddData(builder, data)
        code.SelectBatchRequestAddEnds(builder, ends)
    code.SelectBatchRequestAddK(builder, k)
    code.SelectBatchRequestAddWithIds(builder, with_ids)
    code.SelectBatchRequestAddPinned(builder, pinned)
    if known is not None:
        code.SelectBatchRequestAddKnownFingerprint(builder, name)
    builder.Finish(code.SelectBatchRequestEnd(builder))
    return bytes(builder.Output())


def response(code: Any, content: bytes) -> Any:
    return code.SelectBatchResponse.GetRootAs(content)


def ids_of(answer: Any) -> list[str]:
    return [answer.Ids(n).decode() for n in range(answer.IdsLength())]


@pytest.mark.parametrize("keys", [KEYS, [*range(-5, 1000)], [""]], ids=["text", "int", "empty"])
@pytest.mark.parametrize("k", [1, 3])
def test_a_batch(served: Served, keys: list[Any], k: int) -> None:
    code, channel, _, membership, _ = served
    select = channel.unary_unary(f"/{FLAT}/SelectBatch")
    nodes = membership.nodes
    expected = nodes.select_batch(keys, k)
    answer = response(code, select(request(code, keys, k, with_ids=True, known="")))
    assert ids_of(answer) == expected.ravel().tolist()
    assert (nodes.ids[answer.IndicesAsNumpy().reshape(-1, answer.K())] == expected).all()
    assert [answer.Nodes(n).decode() for n in range(answer.NodesLength())] == [*nodes]
    assert answer.Epoch() == membership.snapshot.epoch
    assert answer.Fingerprint().decode() == nodes.fingerprint

    short = response(code, select(request(code, keys, k, known=nodes.fingerprint)))
    assert (short.IndicesAsNumpy() == answer.IndicesAsNumpy()).all()
    assert (short.IdsIsNone(), short.NodesIsNone()) == (True, True)


def test_a_stream_that_is_pinned(served: Served) -> None:
    code, channel, _, membership, source = served
    before = membership.nodes
    answered = threading.Event()

    def requests() -> Iterator[bytes]:
        yield request(code, KEYS[:10], with_ids=True, pinned=True)
        answered.wait(20)
        source.say([*NODES, NodeMeta("new", zone="zone-0", weight=9)])
        while len(membership.nodes) == len(before):
            pass
        yield request(code, KEYS, with_ids=True)

    answers = channel.stream_stream(f"/{FLAT}/SelectStream")(requests(), timeout=20)
    first = response(code, next(answers))
    answered.set()
    second = response(code, next(answers))
    assert ids_of(first) == before.select_batch(KEYS[:10]).ravel().tolist()
    assert ids_of(second) == before.select_batch(KEYS).ravel().tolist()
    assert second.Epoch() == first.Epoch()
    source.say(NODES)
    while len(membership.nodes) > len(before):
        pass


@pytest.mark.parametrize(
    ("keys", "k", "field", "text"),
    [(["a"], 13, "k", "13"), (["a"], 0, "k", "0"), (["a"] * 2001, 1, "", "2000")],
)
def test_what_is_refused(served: Served, keys: list[str], k: int, field: str, text: str) -> None:
    code, channel, *_ = served
    sent = request(code, keys, k)
    status, details, found = refusal(channel.unary_unary(f"/{FLAT}/SelectBatch"), sent)
    assert (status, found) == ("INVALID_ARGUMENT", field)
    assert text in details
    stream = channel.stream_stream(f"/{FLAT}/SelectStream")
    status, details, found = refusal(
        lambda each: [*stream(iter(each))], [request(code, ["a"]), sent]
    )
    assert (status, found) == ("INVALID_ARGUMENT", field)
    assert "message 1" in details


def test_it_is_counted_and_limited_as_the_other_service(unused: Served) -> None:
    code, channel, server, *_ = unused
    name = f"{FLAT}/SelectBatch"
    before = server.report().keys[name]
    channel.unary_unary(f"/{name}")(request(code, KEYS[:7]))
    assert server.report().keys[name] == before + 7
    watch = channel.unary_stream("/rvh.v1.Selection/WatchNodes")
    open_streams = [watch(b"") for _ in range(4)]
    for stream in open_streams:
        next(stream)
    stream = channel.stream_stream(f"/{FLAT}/SelectStream")
    status, text, _ = refusal(lambda each: next(stream(iter([each]))), request(code, ["a"]))
    assert (status, "4 streams" in text) == ("RESOURCE_EXHAUSTED", True)
    for stream in open_streams:
        stream.cancel()


def test_a_server_without_the_library_says_so(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, channel, *_ = served
    sent = request(code, ["a"])
    monkeypatch.setitem(sys.modules, "flatbuffers", None)
    status, text, _ = refusal(channel.unary_unary(f"/{FLAT}/SelectBatch"), sent)
    assert (status, "rvh[rpc]" in text) == ("UNIMPLEMENTED", True)


@given(data=st.data())
def test_bytes_that_nobody_meant_are_answered_or_refused(served: Served, data: Any) -> None:
    code, channel, *_ = served
    sound = [
        request(code, KEYS[:3], 2, with_ids=True, known="", pinned=True),
        request(code, [1, -1], known="0" * 64),
        request(code, [""]),
    ]
    sent = data.draw(mutated(sound))
    try:
        answer = channel.unary_unary(f"/{FLAT}/SelectBatch")(sent, timeout=10)
    except grpc.RpcError as error:
        caught: Any = error
        assert caught.code() == grpc.StatusCode.INVALID_ARGUMENT, (caught.details(), sent)
    else:
        read = response(code, answer)
        assert read.IndicesLength() % read.K() == 0
