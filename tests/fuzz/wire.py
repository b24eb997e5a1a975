"""Messages on the wire: requests as the server reads them, responses as clients do."""

from __future__ import annotations

from dataclasses import astuple, is_dataclass
from typing import Any

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
from fuzz.harness import Target, shown
from google.protobuf.message import DecodeError

from rvh.membership import NodeMeta, Status, take_snapshot
from rvh.membership.sources.protocol import Refused, State
from rvh.rpc.answering import Answering, Limits
from rvh.rpc.flat import FLATBUFFERS
from rvh.rpc.messages import message
from rvh.rpc.mirroring import Mirror, tell
from rvh.rpc.questions import Questions, nodes_told

NODES = [NodeMeta(f"n{n}", zone="eu", weight=1.0 + n, status=[*Status][n % 2]) for n in range(5)]
SNAPSHOT = take_snapshot(NODES)


class Call:
    """A call whose caller waits."""

    def is_wanted(self) -> bool:
        return True

    def answered(self, keys: int, epoch: int) -> None:
        pass


ANSWERS = Answering(lambda: SNAPSHOT, Limits(keys=10_000, message=1 << 20), threads=1)


def asked(question: Any) -> list[bytes]:
    """Put a question; its requests."""
    call = next(question)
    return [call.content] if hasattr(call, "content") else list(call.contents())


def told(question: Any, response: bytes) -> Any:
    """Put a question, and give a response to each call of it."""
    call = next(question)
    for _ in range(4):
        try:
            call = question.send([response] if hasattr(call, "contents") else response)
        except StopIteration as stop:
            return astuple(stop.value) if is_dataclass(stop.value) else stop.value
    return None


def read(kind: str, data: bytes) -> Any:
    """What the server or a client makes of bytes."""
    answer = getattr(ANSWERS, kind, None)
    if answer is not None:
        return answer(data, Call()).hex()
    if kind == "flat":
        return ANSWERS.select_batch(data, Call(), wire=FLATBUFFERS).hex()
    if kind == "watch":
        return watched(data)
    asks = Questions(3)
    if kind == "scores":
        told(asks.ids(), IDS)
    return told(QUESTIONS[kind](asks), data)


def watched(data: bytes) -> Any:
    """What a client in local mode makes of a word about nodes, after a sound one."""
    try:
        heard = message("rvh.v1.WatchNodesResponse").FromString(data)
    except DecodeError:
        return None  # grpc ends the call before rvh sees anything
    mirror = Mirror(SNAPSHOT.nodes.scheme)
    mirror.hear(tell(SNAPSHOT))
    update = mirror.hear(heard)
    if isinstance(update, State):
        return take_snapshot(update.nodes).digest
    return shown(str(update.error)) if isinstance(update, Refused) else None


QUESTIONS = {
    "one": lambda asks: asks.select([b"a"], 2),
    "several": lambda asks: asks.select([b"a", b"b"], 2),
    "batch": lambda asks: asks.select_batch(["a", "b", "c"], 2),
    "stream": lambda asks: asks.select_batch([1, 2, 3, 4], 1),
    "ids": lambda asks: asks.ids(),
    "nodes": lambda asks: asks.nodes(),
    "scores": lambda asks: asks.score_batch(["a"]),
    "listing": lambda asks: nodes_told(),
}


def flat(keys: list[bytes], k: int) -> bytes:
    """A request as FlatBuffers, by the field numbers of batch.fbs."""
    builder = flatbuffers.Builder(0)
    data = builder.CreateByteVector(b"".join(keys))
    ends = builder.CreateNumpyVector(np.cumsum([*map(len, keys)], dtype=np.uint32))
    known = builder.CreateString("")
    builder.StartObject(7)
    builder.PrependUOffsetTRelativeSlot(0, data, 0)
    builder.PrependUOffsetTRelativeSlot(1, ends, 0)
    builder.PrependUint32Slot(3, k, 1)
    builder.PrependBoolSlot(4, True, False)
    builder.PrependUOffsetTRelativeSlot(5, known, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def made() -> dict[str, list[bytes]]:
    """Requests of clients, and the responses that a server gives to them."""
    asks = Questions(100)
    (one,), (several,) = asked(asks.select([b"a"], 2)), asked(asks.select([b"a", b"b"], 2))
    (batch,), (ids,) = asked(asks.select_batch(["a", "b", "c"], 2)), asked(asks.ids())
    integers = asked(asks.select_batch([1, -2, 3, 4], 1))
    batches = message("rvh.v1.SelectBatchRequest")
    more = [
        batches(keys=[b"a", b"", b"\xff"], k=3),
        batches(texts=["a", "ä"], with_ids=True, known_fingerprint="0"),
        batches(integers=[0, -1, 2**63 - 1], pinned=True),
    ]
    score = message("rvh.v1.ScoreRequest")(keys=[b"a"], known_fingerprint="")
    call = Call()
    responses = [ANSWERS.select_batch(each, call) for each in (several, batch, integers[0], ids)]
    return {
        "select": [one],
        "select_batch": [batch, *integers, *(each.SerializeToString() for each in more)],
        "score": [score.SerializeToString()],
        "get_nodes": [b""],
        "flat": [flat([b"a", b"", b"bcd"], 2)],
        "watch": [tell(SNAPSHOT).SerializeToString()],
        "one": [ANSWERS.select(one, call)],
        "several": responses[:1],
        "batch": responses[1:2],
        "stream": responses[2:3],
        "ids": responses[3:],
        "nodes": [ANSWERS.get_nodes(b"", call)],
        "scores": [ANSWERS.score(score.SerializeToString(), call)],
    }


IDS = ANSWERS.select_batch(asked(Questions(3).ids())[0], Call())  # type: ignore[arg-type]
TARGET = Target("wire", read, made(), has_twin=True)
