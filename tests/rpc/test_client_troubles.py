"""Clients on a bad day: bad keys, deadlines, servers that come and go, Ctrl-C."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from certificates import Authority
from gated_service import Gated, gated
from hypothesis import given
from hypothesis import strategies as st
from interrupting import interrupted, needs_sigint
from rpc_server import NODES, serving
from scripted import Scripted
from servers import Server as Process
from servers import free_port, until

import rvh
from rvh.membership import SAME, Membership, NodeMeta
from rvh.membership.conformance import check_source
from rvh.rpc import (
    AsyncClient,
    Client,
    Limits,
    Server,
    ServerTls,
    ServiceError,
    Tls,
    WatchNodes,
    aio,
    follow,
    local,
    questions,
    service,
)

KEYS = [f"user:{n}" for n in range(1000)]
ANY_KEY = st.text(max_size=20) | st.binary(max_size=20) | st.integers(-(2**63), 2**64 - 1)


@pytest.fixture
def slow() -> Iterator[Gated]:
    with gated() as server:
        yield server


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[str, Membership, Scripted]]:
    with serving() as (server, membership, source):
        yield f"127.0.0.1:{server.port}", membership, source


# -- every answer is the NodeSet's own ------------------------------------------------------------


@given(st.lists(st.tuples(ANY_KEY, st.integers(1, 3)), min_size=1, max_size=30))
def test_any_keys_together(shared: Any, asked: list[tuple[Any, int]]) -> None:
    target, membership, _ = shared
    nodes = membership.nodes

    async def ask() -> tuple[list[Any], Any]:
        async with AsyncClient(target, chunk=7) as client:
            single = await asyncio.gather(*(client.select(key, k) for key, k in asked))
            return single, await client.select_batch([key for key, _ in asked], 2)

    single, batch = asyncio.run(ask())
    assert [answer.value for answer in single] == [nodes.select(key, k) for key, k in asked]
    assert np.array_equal(batch.value, nodes.select_batch([key for key, _ in asked], 2))


@pytest.mark.parametrize(
    ("scheme", "weighted"), [("murmur", False), ("murmur", True), ("blake2b", False)]
)
def test_scores_and_nodes(scheme: str, weighted: bool) -> None:
    nodes = [NodeMeta(f"n{n}", weight=float(n) if weighted else None) for n in range(5)]
    nodes.append(NodeMeta("gone", status="draining", weight=1.0 if weighted else None))
    with serving(nodes, scheme=scheme) as (server, membership, _):
        target, here = f"127.0.0.1:{server.port}", membership.nodes

        async def ask() -> list[Any]:
            async with AsyncClient(target, chunk=7) as client:
                return [
                    await client.scores("user:1"),
                    await client.nodes(),
                    *[await client.score_batch(keys) for keys in ([], KEYS)],
                ]

        with Client(target, chunk=7) as client:
            direct = [client.scores("user:1"), client.nodes()]
            direct += [client.score_batch(keys) for keys in ([], KEYS)]
        for scores, members, none, many in (direct, asyncio.run(ask())):
            assert scores.value == here.scores("user:1")
            assert members.value == membership.snapshot.members
            for answer, expected in ((none, here.score_batch([])), (many, here.score_batch(KEYS))):
                assert np.array_equal(answer.value, expected)
                assert (answer.value.shape, answer.value.dtype) == (expected.shape, expected.dtype)
                assert answer.fingerprint == membership.snapshot.fingerprint


def test_answers_that_need_several_messages() -> None:
    nodes = [NodeMeta(f"n{n}") for n in range(200)]
    with (
        serving(nodes, limits=Limits(message=4 << 20)) as (server, membership, _),
        Client(f"127.0.0.1:{server.port}", timeout=120) as client,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(questions, "ANSWER_MAX", 2 << 20)
        keys = np.arange(6000)  # their positions have 4.8 MB, and their scores 9.6 MB
        answer = client.argselect_batch(keys, 200)
        assert np.array_equal(answer.value, membership.nodes.argselect_batch(keys, 200))
        scores = client.score_batch(keys)
        assert np.array_equal(scores.value, membership.nodes.score_batch(keys))


def test_short_arrow_chunks_go_as_one_message(slow: Gated) -> None:
    columns = [pa.chunked_array([KEYS[at : at + 10] for at in range(0, 1000, 10)])]
    columns.append(pa.chunked_array([np.arange(10), np.arange(10, 30), np.arange(5)]))
    columns.append(pa.chunked_array([["", ""], ["a"], [""]]))
    with Client(slow.target) as client:
        for column in columns:
            found = client.select_batch(column, 2).value
            assert np.array_equal(found, slow.snapshot.nodes.select_batch(column, 2))
    assert slow.calls == ["SelectBatch"] * len(columns)


# -- mistakes of the caller -----------------------------------------------------------------------


@pytest.mark.parametrize("bad", [None, "\ud800", 2**64])
def test_a_bad_key_late_in_a_stream(shared: Any, bad: Any) -> None:
    target, membership, _ = shared
    keys = [*KEYS[:700], bad, *KEYS]
    with pytest.raises(rvh.RVHError) as here:
        membership.nodes.select_batch(keys)

    async def ask() -> Any:
        async with AsyncClient(target, chunk=300) as client:
            return await client.select_batch(keys)

    with Client(target, chunk=300) as client, pytest.raises(type(here.value)) as there:
        client.select_batch(keys)
    assert str(there.value) == str(here.value)
    with pytest.raises(type(here.value)) as there:
        asyncio.run(ask())
    assert str(there.value) == str(here.value)


@pytest.mark.parametrize("token", ["hush\nhush", "hush hush", "h\xfcsh", "", b"hush"])
def test_a_token_that_cannot_be_sent_is_not_told(token: Any) -> None:
    for given_token in (token, lambda: token):
        with pytest.raises(rvh.RVHError, match=r"^token") as caught:
            Client("127.0.0.1:1", token=given_token).select("a")
        assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("hush-hush\n", "ends in a newline"),
        ("hush-hush\r\n", "ends in a newline"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_with_a_token(token: str, words: str) -> None:
    for made in (Client, AsyncClient, follow):
        with pytest.raises(rvh.RVHError, match=f"^token {words}"):
            made("127.0.0.1:1", token=token)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "ca")


def test_files_of_tls_that_cannot_be_used(authority: Authority, tmp_path: Path) -> None:
    one, two = authority.sign("one"), authority.sign("two")
    pem: Any = one.key.read_bytes()
    for tls, words in (
        (Tls(ca=one.key), f"{one.key} has no certificates of authorities"),
        (Tls(ca=tmp_path / "none"), f"{tmp_path / 'none'} cannot be read: No such file"),
        (Tls(None, one.certificate, two.key), f"{two.key} is not the key of the certificate in"),
        (Tls(None, one.key, one.certificate), f"{one.key} has no certificate in PEM"),
        (Tls(None, one.certificate, authority.ca), f"{authority.ca} is not a private key in PEM"),
        (Tls(None, one.certificate, tmp_path / "none"), f"{tmp_path / 'none'} cannot be read"),
        (Tls(None, one.certificate), "give both, or none"),
        (Tls(None, one.certificate, pem), "a certificate or a key is not a path"),
        (Tls(None, one.certificate, pem.decode()), "a certificate or a key is not a path"),
        (pem.decode(), "tls is a str: pass True, or Tls(ca=...)"),
    ):
        for made in (Client, AsyncClient, follow):
            with pytest.raises(rvh.RVHError) as caught:
                made("127.0.0.1:1", tls=tls)
            assert str(caught.value).startswith(words) or words == "give both, or none"
            assert "BEGIN" not in str(caught.value)


def test_a_server_that_wants_tls_or_a_certificate(authority: Authority) -> None:
    pair = authority.sign("server")
    with serving(tls=ServerTls(pair.certificate, pair.key, authority.ca)) as (server, *_):
        for tls in (False, Tls(authority.ca)):
            with (
                Client(f"localhost:{server.port}", tls=tls, timeout=0.3) as client,
                pytest.raises(ServiceError, match="whether it wants TLS or a client certificate"),
            ):
                client.nodes()


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(message=1 << 20), "RESOURCE_EXHAUSTED: .* larger than max .*"),
        (Limits(keys=1000), "INVALID_ARGUMENT: 200000 keys: at most 1000 in one message"),
    ],
)
def test_what_to_do_about_messages_that_are_too_large(limits: Limits, code: str) -> None:
    with (
        serving(limits=limits) as (server, *_),
        Client(f"127.0.0.1:{server.port}", chunk=1_000_000) as client,
        pytest.raises(ServiceError, match=rf"{code}; send fewer keys in a message \(chunk=\)"),
    ):
        client.argselect_batch(np.arange(200_000))


def test_what_to_do_about_the_servers_own_limit_of_time() -> None:
    with (
        serving(limits=Limits(seconds=0.001)) as (server, *_),
        Client(f"127.0.0.1:{server.port}", chunk=1_000_000) as client,
        pytest.raises(ServiceError, match=r"longer than 0\.001 s: ask for fewer keys$") as caught,
    ):
        client.argselect_batch(np.arange(1_000_000))
    assert caught.value.code == "DEADLINE_EXCEEDED"


def test_a_closed_client_says_so(shared: Any) -> None:
    target, *_ = shared

    async def ask() -> None:
        client = AsyncClient(target)
        await client.close()
        await client.select("a")

    client = Client(target)
    client.close()
    for call in (lambda: client.select_batch(["a"]), lambda: asyncio.run(ask())):
        with pytest.raises(ServiceError, match="is closed: make another"):
            call()


def test_closing_ends_calls_that_are_under_way(slow: Gated) -> None:
    slow.gate.clear()

    async def ask() -> None:
        client = AsyncClient(slow.target)
        asked = [asyncio.ensure_future(client.select(key)) for key in KEYS[:5]]
        while slow.under_way < 1:
            await asyncio.sleep(0.001)
        await client.close()
        for each in asked:
            with pytest.raises(ServiceError, match="closed"):
                await each

    asyncio.run(ask())
    client = Client(slow.target)
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(client.select, key) for key in KEYS[:5]]
        until(lambda: len(client._coalescing._queue) == 3)
        client.close()
        for each in asked:
            with pytest.raises(ServiceError, match="closed"):
                each.result()


# -- single keys together -------------------------------------------------------------------------


def test_at_most_two_calls_are_under_way(slow: Gated) -> None:
    """Whatever k they ask for: 64 callers, of threads and of tasks."""
    asked = [(key, 1 + at % 4) for at, key in enumerate(KEYS[:64])]
    expected = [slow.snapshot.nodes.select(key, k) for key, k in asked]
    slow.gate.clear()
    with Client(slow.target) as client, ThreadPoolExecutor(64) as pool:
        found = [pool.submit(client.select, *each) for each in asked]
        until(lambda: len(client._coalescing._queue) == 62)
        slow.gate.set()
        assert [each.result().value for each in found] == expected
    assert slow.most == 2
    assert len(slow.calls) <= 2 + 2 * 4  # two may lead keys of one k
    slow.calls.clear()

    async def ask() -> list[Any]:
        async with AsyncClient(slow.target) as client:
            return await asyncio.gather(*(client.select(*each) for each in asked))

    assert [answer.value for answer in asyncio.run(ask())] == expected
    assert slow.most == 2
    assert len(slow.calls) <= 2 + 2 * 4  # two may lead keys of one k


def test_every_caller_has_its_own_deadline(slow: Gated) -> None:
    slow.gate.clear()
    with Client(slow.target) as client, ThreadPoolExecutor(8) as pool:
        first = [pool.submit(client.select, key) for key in KEYS[:2]]
        until(lambda: slow.under_way == 2)
        late = pool.submit(client.select, KEYS[2])
        with pytest.raises(ServiceError) as caught:  # in the queue
            client.select("hurry", timeout=0.05)
        assert caught.value.code == "DEADLINE_EXCEEDED"
        slow.gate.set()
        assert [each.result().value for each in (*first, late)] == [
            slow.snapshot.nodes.select(key) for key in KEYS[:3]
        ]

    async def ask() -> list[Any]:
        slow.gate.clear()
        async with AsyncClient(slow.target) as client:
            patient = asyncio.ensure_future(client.select(KEYS[0]))
            hurry = await asyncio.gather(
                *(client.select(key, timeout=0.05) for key in KEYS[1:4]), return_exceptions=True
            )
            slow.gate.set()
            return [*hurry, await patient]

    *hurry, patient = asyncio.run(ask())
    assert {each.code for each in hurry} == {"DEADLINE_EXCEEDED"}
    assert patient.value == slow.snapshot.nodes.select(KEYS[0])


def test_a_leader_that_gives_up_takes_nobody_along(slow: Gated) -> None:
    slow.gate.clear()
    with Client(slow.target) as client, ThreadPoolExecutor(8) as pool:
        queue = client._coalescing._queue
        first = [pool.submit(client.select, key, timeout=0.2) for key in KEYS[:2]]
        until(lambda: slow.under_way == 2)
        leader = pool.submit(client.select, KEYS[2], timeout=0.6)
        until(lambda: len(queue) == 1)
        others = [pool.submit(client.select, key, timeout=30) for key in KEYS[3:6]]
        for each in (*first, leader):
            with pytest.raises(ServiceError, match="DEADLINE"):
                each.result()
        slow.gate.set()
        assert [each.result().value for each in others] == [
            slow.snapshot.nodes.select(key) for key in KEYS[3:6]
        ]
        assert client._coalescing._calls == 0


def test_large_keys_do_not_go_together() -> None:
    with serving() as (server, membership, _):
        target = f"127.0.0.1:{server.port}"
        keys = [bytes([n]) * (3 << 20) for n in range(12)]  # 36 MiB

        async def ask() -> list[Any]:
            async with AsyncClient(target, timeout=120) as client:
                return await asyncio.gather(*map(client.select, keys))

        expected = [membership.nodes.select(key) for key in keys]
        assert [answer.value for answer in asyncio.run(ask())] == expected
        with Client(target, timeout=120) as client, ThreadPoolExecutor(12) as pool:
            assert [answer.value for answer in pool.map(client.select, keys)] == expected
            batch = client.select_batch(keys)
            assert batch.value[:, 0].tolist() == [each[0] for each in expected]


# -- servers that come and go ---------------------------------------------------------------------


async def answered(method: Any, *arguments: Any) -> Any:
    """Call a method of a client, whether it is one for tasks or not."""
    answer = method(*arguments)
    return await answer if inspect.isawaitable(answer) else answer


async def replaced(
    slow: Gated, source: Scripted, servers: Membership, there: list[NodeMeta]
) -> None:
    """Wait until the slow server works on a call, and another one has taken its place."""
    while slow.under_way < 1:
        await asyncio.sleep(0.001)
    source.say(there)
    while "two" not in servers.nodes:
        await asyncio.sleep(0.001)


def test_calls_of_a_server_that_leaves_are_answered_by_another(slow: Gated) -> None:
    with serving() as (other, *_):
        slow.gate.clear()
        gone = [NodeMeta("one", address=slow.target)]
        there = [NodeMeta("two", address=f"127.0.0.1:{other.port}")]
        expected = slow.snapshot.nodes.select("a")
        source = Scripted(gone)
        with (
            Membership(source) as servers,
            Client(servers) as client,
            ThreadPoolExecutor(1) as pool,
        ):
            asked = pool.submit(client.select, "a")
            until(lambda: slow.under_way == 1)
            source.say(there)
            until(lambda: "two" in servers.nodes)
            assert client.select("b").value == slow.snapshot.nodes.select("b")
            assert asked.result().value == expected  # though the gate is still shut

        async def ask() -> Any:
            async with AsyncClient(servers) as client:
                asked = asyncio.ensure_future(client.select("a"))
                await replaced(slow, source, servers, there)
                await client.select("b")
                slow.gate.set()
                return await asked

        until(lambda: slow.under_way == 0)
        source = Scripted(gone)
        with Membership(source) as servers:
            assert asyncio.run(ask()).value == expected


def test_a_call_does_not_end_with_the_server_that_it_waits_for(
    slow: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though grpc.aio then cancels it."""
    monkeypatch.setattr(aio, "GRACE", 0.05)

    async def ask(source: Scripted, servers: Membership, there: list[NodeMeta]) -> Any:
        async with AsyncClient(servers) as client:
            asked = asyncio.ensure_future(client.select("a"))
            await replaced(slow, source, servers, there)
            await client.select_batch(["b"])
            return await asked

    slow.gate.clear()
    source = Scripted([NodeMeta("one", address=slow.target)])
    with serving() as (other, *_), Membership(source) as servers:
        there = [NodeMeta("two", address=f"127.0.0.1:{other.port}")]
        answer = asyncio.run(ask(source, servers, there))
    assert answer.value == slow.snapshot.nodes.select("a")


def test_a_dead_server_among_several(shared: Any) -> None:
    target, membership, _ = shared
    both = [f"127.0.0.1:{free_port()}", target]
    with Client(both) as client:
        for key in KEYS[:10]:
            assert client.select(key).value == membership.nodes.select(key)
    for _ in range(3):
        with follow(both, backoff=(0.01, 0.02)) as here:
            assert here.nodes == membership.nodes


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_call_that_runs_out_of_time_says_why_it_was_tried_again(kind: Any, slow: Gated) -> None:
    slow.gate.clear()
    dead = f"127.0.0.1:{free_port()}"

    async def call(client: Any) -> str:
        with pytest.raises(ServiceError) as caught:
            await answered(client.select_batch, ["a"])
        assert caught.value.code == "DEADLINE_EXCEEDED"
        return str(caught.value)

    async def ask() -> list[str]:
        client = kind([dead, slow.target], timeout=0.5)
        said = [await call(client) for _ in range(2)]  # one of them begins with the dead one
        await answered(client.close)
        return said

    earlier = f"fewer keys at a time (an earlier try: {dead}: UNAVAILABLE"
    assert any(earlier in text for text in asyncio.run(ask()))


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_streams_outlive_restarts(kind: Any) -> None:
    with Membership(Scripted(list(NODES)), scheme="murmur") as membership:
        expected = membership.nodes.argselect_batch(KEYS * 20, 2)
        server = Server(membership)
        server.start()
        port, answers, over = server.port, 0, threading.Event()

        def note(answer: Any) -> None:
            nonlocal answers
            assert np.array_equal(answer.value, expected)
            answers += 1

        def ask() -> None:
            with Client(f"127.0.0.1:{port}", chunk=100, timeout=30) as client:
                while not over.is_set():
                    note(client.argselect_batch(KEYS * 20, 2))

        async def ask_from_a_task() -> None:
            async with AsyncClient(f"127.0.0.1:{port}", chunk=100, timeout=30) as client:
                while not over.is_set():
                    note(await client.argselect_batch(KEYS * 20, 2))

        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(ask if kind is Client else lambda: asyncio.run(ask_from_a_task()))
            try:
                for _ in range(6):
                    seen = answers
                    until(lambda seen=seen: answers > seen or asking.done())
                    server.close(0)
                    server = Server(membership, port=port)
                    server.start()
            finally:
                over.set()
                asking.result()
                server.close(0)


def test_a_stream_that_the_server_ends_has_its_status(shared: Any) -> None:
    """Also where it ends at the moment in which the client writes."""
    target, *_ = shared
    keys = np.arange(20_000)

    async def ask() -> set[tuple[str, str]]:
        met = set()
        async with AsyncClient(target, chunk=1000) as client:
            for k, seconds in [(99, 10.0)] * 30 + [(1, n / 5000) for n in range(1, 60)]:
                try:
                    await client.select_batch(keys, k, timeout=seconds)
                except ServiceError as error:
                    met.add((error.code, error.field))
        return met

    assert asyncio.run(ask()) == {("INVALID_ARGUMENT", "k"), ("DEADLINE_EXCEEDED", "")}


# -- local mode -----------------------------------------------------------------------------------


def test_the_source_keeps_the_rules(tmp_path: Path) -> None:
    path, port = tmp_path / "nodes.json", free_port()

    def put(nodes: Any) -> None:
        (tmp_path / "new").write_bytes(msgspec.json.encode(nodes))
        (tmp_path / "new").replace(path)

    def told() -> Any:
        with Client(f"127.0.0.1:{port}", timeout=20) as client:
            return client.nodes().value

    def write(nodes: Any) -> None:
        put(nodes)
        until(lambda: told() == tuple(nodes))

    put(NODES)
    command = [sys.executable, "-m", "rvh", "serve", os.fspath(path), "--scheme", "murmur"]
    with Process([*command, "--port", str(port)], told, tmp_path).running():
        check_source(lambda: WatchNodes(f"127.0.0.1:{port}", "murmur"), write)


def test_the_age_is_that_of_the_servers_own_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BEAT", 0.02)
    monkeypatch.setattr(local, "JITTER", 0.1)
    with serving() as (server, _, source), follow(f"127.0.0.1:{server.port}") as here:
        until(lambda: here.age > 0.5)  # the server speaks, but its source has said nothing
        assert here.stats.connected
        source.say(SAME)
        until(lambda: here.age < 0.4)


def test_a_server_that_is_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BEAT", 60.0)
    with serving() as (server, *_):
        source = WatchNodes(f"127.0.0.1:{server.port}", "murmur", silence=0.05)

        async def listen() -> None:
            async for _ in source.watch():
                pass

        with pytest.raises(ConnectionError, match=r"has said nothing for 0\.05 s"):
            asyncio.run(listen())


# -- Ctrl-C ---------------------------------------------------------------------------------------

SETUP = """
import asyncio, socket
from rvh.rpc import AsyncClient, Client, follow
silent = socket.create_server(("127.0.0.1", 0))
target = f"127.0.0.1:{silent.getsockname()[1]}"
client = Client(target, timeout=600, chunk=10)
async def ask():
    async with AsyncClient(target, timeout=600) as client:
        await client.select("a")
"""


@needs_sigint
@pytest.mark.parametrize(
    "call",
    [
        "client.select('a')",
        "client.select_batch(['a'] * 100)",
        "client.score_batch(['a'])",
        "follow(target, timeout=600)",
        "asyncio.run(ask())",
    ],
)
def test_ctrl_c(call: str) -> None:
    assert interrupted(SETUP, call, "client.close(); print('closed')") == "closed\n"
