"""Bearer tokens: who is let in, tokens that change, files that cannot be used."""

from __future__ import annotations

import json
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rpc_server import calls_of, serving
from servers import until
from sizes import examples

from rvh.errors import RVHError
from rvh.rpc import Server, service
from rvh.rpc.access import AccessLog
from rvh.rpc.health import HEALTH
from rvh.rpc.messages import SELECTION, message, methods
from rvh.rpc.reflection import REFLECTION

ONE, TWO = "first-of-the-tokens-0123", "second-of-the-tokens-456"
ASKED = message("rvh.v1.GetNodesRequest")()
WATCH = message("rvh.v1.WatchNodesRequest")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    write(path, f"# of the fleet\n\n{ONE}\n")
    return path


def write(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o600)
    new.replace(path)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def opener(channel: grpc.Channel) -> Callable[[str], bool]:
    """Tells whether a token opens the service."""
    nodes = calls_of(channel).GetNodes

    def opens(token: str) -> bool:
        try:
            return bool(nodes(ASKED, metadata=bearer(token)).nodes)
        except grpc.RpcError:
            return False

    return opens


def channel_to(server: Server) -> grpc.Channel:
    return grpc.insecure_channel(f"127.0.0.1:{server.port}")


def refusal(call: Any, request: Any, metadata: Any) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        list(call(request, metadata=metadata, timeout=10))
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    return str(error.details())


def test_a_call_needs_a_token(file):
    with serving("a b", tokens=file) as (server, *_), channel_to(server) as channel:
        nodes = calls_of(channel).GetNodes
        assert len(nodes(ASKED, metadata=bearer(ONE)).nodes) == 2
        assert len(nodes(ASKED, metadata=(("authorization", f"bearer {ONE}"),)).nodes) == 2
        told = {
            refusal(nodes, ASKED, metadata)
            for metadata in (
                (),
                bearer(""),
                bearer(ONE[:-1]),
                bearer(ONE + "x"),
                bearer(TWO),
                (("authorization", ONE),),
                (("authorization", f"Basic {ONE}"),),
                bearer(ONE) + bearer(ONE),
                bearer(TWO) + bearer(ONE),
                (("token", ONE),),
            )
        }
        assert told == {"the call needs a bearer token that this server knows"}
        until(lambda: server.report().refused == {"token": 10})
        assert len(nodes(ASKED, metadata=bearer(ONE)).nodes) == 2


def test_no_other_header_opens_it(file):
    """Also not one that is nearly right."""
    near = st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["Bearer", "bearer", "BEARER", "Basic", "Bearer:", ""]),
        st.sampled_from(["", " ", "  "]),
        st.sampled_from([ONE, TWO, ONE[:-1], ONE.upper(), f"{ONE},{ONE}", f'"{ONE}"', ""]),
        st.sampled_from(["", " ", "x", f" {TWO}"]),
    )
    text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
    names = st.sampled_from(["authorization", "authorisation", "x-authorization", "token"])
    headers = st.lists(st.tuples(names, near | text), max_size=3)

    with serving("a b", tokens=file) as (server, *_), channel_to(server) as channel:
        nodes = calls_of(channel).GetNodes

        @given(headers)
        @settings(max_examples=examples(400), deadline=None)
        def check(metadata):
            brought = [value for name, value in metadata if name == "authorization"]
            kind, _, token = "".join(brought).partition(" ") if len(brought) == 1 else ("",) * 3
            if kind.lower() == "bearer" and token.strip() == ONE:
                assert nodes(ASKED, metadata=metadata).nodes
            else:
                assert "needs a bearer token" in refusal(nodes, ASKED, metadata)

        check()


def test_every_method_needs_one_but_those_of_health(file):
    with serving("a b", tokens=file) as (server, *_), channel_to(server) as channel:
        count = 0
        for service in ("rvh.v1.Selection", *REFLECTION):
            calls = calls_of(channel, service)
            for method in methods(service):
                request = method.request()
                asked = iter([request]) if method.takes_stream else request
                refusal(getattr(calls, method.name), asked, bearer(TWO))
                count += 1
        assert count == 8
        refusal(channel.unary_unary("/rvh.v1.Selection/Unheard"), b"", ())
        refusal(channel.unary_unary("/grpc.health.v1.HealthX/Check"), b"", ())
        health = calls_of(channel, HEALTH)
        asked = message("grpc.health.v1.HealthCheckRequest")()
        assert health.Check(asked).status == 1
        watch = health.Watch(asked)
        assert next(watch).status == 1
        watch.cancel()


def test_a_refusal_does_not_wait_for_the_message(file):
    """Who has no token cannot make the server read, or hold one of its threads."""
    with serving("a b", tokens=file) as (server, *_), channel_to(server) as channel:
        call, is_over = channel.stream_unary("/rvh.v1.Selection/SelectBatch"), threading.Event()
        with pytest.raises(grpc.RpcError) as caught:
            call((b"" for _ in iter(is_over.wait, True)), timeout=10)
        is_over.set()
        error: Any = caught.value
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED


def test_tokens_are_replaced_one_after_the_other(file, caplog):
    caplog.set_level("INFO", "rvh.rpc")
    with serving("a b", tokens=file) as (server, *_), channel_to(server) as channel:
        opens = opener(channel)
        assert (opens(ONE), opens(TWO)) == (True, False)
        write(file, f"{ONE}\n{TWO}\n")
        assert opens(TWO)  # at once: nobody knows when the file is looked at
        assert opens(ONE)
        write(file, f"  {TWO}  \r\n")
        until(lambda: not opens(ONE))
        assert opens(TWO)
    told = [one.getMessage() for one in caplog.records if one.name == "rvh.rpc"]
    assert told == [f"token file {file}: read again"] * 2


@pytest.mark.parametrize("news", [True, False])
def test_a_stream_ends_with_its_token(file, monkeypatch, news):
    """Also where nothing changes: the next word that nothing has changed is not sent."""
    monkeypatch.setattr(service, "BEAT", 60.0 if news else 0.05)
    with serving("a b", tokens=file) as (server, _, source), channel_to(server) as channel:
        calls, batch = calls_of(channel), message("rvh.v1.SelectBatchRequest")(texts=["a"])
        keys: queue.SimpleQueue[Any] = queue.SimpleQueue()
        answers = calls.SelectStream(iter(keys.get, None), metadata=bearer(ONE), timeout=60)
        changes = calls.WatchNodes(WATCH(), metadata=bearer(ONE), timeout=60)
        keys.put(batch)
        assert len(next(answers).indices) == 1
        assert [each.id for each in next(changes).nodes] == ["a", "b"]
        write(file, f"{TWO}\n")
        until(lambda: not opener(channel)(ONE))
        if news:
            source.say("a b new")
        keys.put(batch)
        for stream in (answers, changes):
            told: list[Any] = []
            with pytest.raises(grpc.RpcError) as caught:
                told.extend(stream)
            error: Any = caught.value
            assert error.code() is grpc.StatusCode.UNAUTHENTICATED
            assert "needs a bearer token" in error.details()
            assert not [each.id for one in told if stream is changes for each in one.nodes]
        keys.put(None)
        until(lambda: sum(server.report().under_way.values()) == 0)
        for method in ("SelectStream", "WatchNodes"):
            assert ended(server, method) == {"UNAUTHENTICATED": 1}


def ended(server: Server, method: str) -> dict[str, int]:
    durations = server.report().durations[f"{SELECTION}/{method}"]
    return {code: sum(each.buckets) for code, each in durations.items() if sum(each.buckets)}


def test_refusals_are_counted_and_written_down(file, tmp_path):
    path = tmp_path / "access.log"
    log = AccessLog(str(path))
    with (
        serving("a b", tokens=file, access_log=log) as (server, *_),
        channel_to(server) as channel,
    ):
        names = [each.name for each in methods(SELECTION)]
        for method in methods(SELECTION):
            request = method.request()
            asked = iter([request]) if method.takes_stream else request
            refusal(getattr(calls_of(channel), method.name), asked, bearer(TWO))
        # what callers make up has no place among the metrics
        refusal(channel.unary_unary("/rvh.v1.Selection/Unheard"), b"", bearer(TWO))
        calls_of(channel).GetNodes(ASKED, metadata=bearer(ONE))
        until(lambda: ended(server, "GetNodes") == {"UNAUTHENTICATED": 1, "OK": 1})
        for name in set(names) - {"GetNodes"}:
            assert ended(server, name) == {"UNAUTHENTICATED": 1}
        assert not any("Unheard" in name for name in server.report().durations)
        assert server.report().refused == {"token": len(names) + 1}
    log.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {(line["method"], line["code"]) for line in lines} == {
        (f"{SELECTION}/GetNodes", "OK"),
        *((f"{SELECTION}/{name}", "UNAUTHENTICATED") for name in names),
    }
    assert all(line["peer"].startswith("ipv4:127.0.0.1:") for line in lines)
    assert TWO not in path.read_text()


@pytest.mark.parametrize("spoil", ["empty", "missing", "open"])
def test_a_file_that_is_spoilt_leaves_the_tokens(file, caplog, spoil):
    with serving("a b", tokens=file) as (server, *_), channel_to(server) as channel:
        opens = opener(channel)
        if spoil == "empty":
            write(file, "# none\n")
        elif spoil == "missing":
            file.unlink()
        else:
            write(file, f"{TWO}\n")
            file.chmod(0o644)

        def told() -> list[str]:
            assert opens(ONE)
            return [one.getMessage() for one in caplog.records if one.name == "rvh.rpc"]

        until(told)
        (line,) = told()
        assert line.endswith("; the tokens from before stay")
        assert str(file) in line
        assert TWO not in line
        if spoil == "open":
            file.chmod(0o600)  # as the message says
        else:
            write(file, f"{TWO}\n")
        until(lambda: opens(TWO))
        assert not opens(ONE)


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"", 0o600, "has no token: write one on each line"),
        (b"# nothing\n \n", 0o600, "has no token: write one on each line"),
        (b"# x\nshort\n", 0o600, "line 2 is not a token"),
        (f"{ONE}\n{ONE} {TWO}\n".encode(), 0o600, "line 2 is not a token"),
        ("äöü-of-the-tokens-0123".encode(), 0o600, "line 1 is not a token"),
        (ONE.encode(), 0o644, "everyone on this machine may read or write"),
        (None, 0, "No such file"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, content, mode, words):
    path = tmp_path / "tokens"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(RVHError) as caught, serving("a", tokens=path):
        pass
    told = str(caught.value)
    assert words in told
    assert str(path) in told
    assert not any(secret in told for secret in (ONE, TWO, "short", "äöü"))


def test_a_file_of_the_group_is_fine(file):
    os.chmod(file, 0o640)
    with serving("a", tokens=file) as (server, *_):
        assert ONE not in repr(server)
