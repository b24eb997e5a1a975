"""Clients against a server of this process: every answer is the NodeSet's own."""

from __future__ import annotations

import array
import asyncio
import re
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from rpc_server import NODES, serving
from scripted import Scripted
from servers import free_port, until

import rvh
import rvh.multi
from rvh.membership import Membership, NodeMeta
from rvh.rpc import AsyncClient, Client, Limits, ServiceError, WatchNodes, follow

KEYS = [f"user:{n}" for n in range(1000)]
EVERY_KIND = {
    "list of str": KEYS,
    "bytes": [key.encode() for key in KEYS],
    "mixed": ["a", b"b", 3, uuid.UUID(int=4), ""],
    "ints": [*range(-5, 500), 2**63 - 1, 2**64 - 1],
    "U": np.array(KEYS),
    "S": np.array(KEYS, dtype="S"),
    "int32": np.arange(-100, 100, dtype=np.int32),
    "uint64": np.array([0, 2**64 - 1], dtype=np.uint64),
    ">i8": np.arange(100, dtype=">i8")[::3],
    "array": array.array("q", range(10)),
    "arrow": pa.array(KEYS),
    "views": pa.array(KEYS, pa.string_view()),
    "chunks": pa.chunked_array([KEYS[:10], KEYS[10:]]),
    "codes": pa.array(KEYS[:3] * 20).dictionary_encode(),
    "T": np.array(KEYS, dtype=np.dtypes.StringDType()),
    "composite": rvh.multi.compose_keys(KEYS, 7),
    "none": [],
}

LONG = {"long": "x" * 250_000}


@pytest.fixture
def served() -> Iterator[tuple[Client, Membership, Scripted]]:
    with (
        serving() as (server, membership, source),
        Client(f"127.0.0.1:{server.port}", chunk=300) as client,
    ):
        yield client, membership, source


def same(answer: Any, expected: Any, membership: Membership) -> None:
    assert np.array_equal(answer.value, expected)
    assert answer.value.shape == expected.shape
    assert answer.value.dtype == expected.dtype
    snapshot = membership.snapshot
    assert (answer.epoch, answer.fingerprint) == (snapshot.epoch, snapshot.fingerprint)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_batches_of_every_kind(served: Any, kind: str) -> None:
    client, membership, _ = served
    nodes, keys = membership.nodes, EVERY_KIND[kind]
    for k in (1, 3):
        same(client.select_batch(keys, k), nodes.select_batch(keys, k), membership)
        same(client.argselect_batch(keys, k), nodes.argselect_batch(keys, k), membership)
    if len(keys):
        same(client.score_batch(keys), nodes.score_batch(keys), membership)
    same(client.ids(), nodes.ids, membership)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_batches_of_every_kind_from_asyncio(kind: str) -> None:
    keys = EVERY_KIND[kind]

    async def ask(target: str) -> list[Any]:
        async with AsyncClient(target, chunk=300) as client:
            return [
                await client.select_batch(keys, 3),
                await client.argselect_batch(keys, 3),
                await client.ids(),
            ]

    with serving() as (server, membership, _):
        nodes = membership.nodes
        answers = asyncio.run(ask(f"127.0.0.1:{server.port}"))
        for answer, expected in zip(
            answers,
            [nodes.select_batch(keys, 3), nodes.argselect_batch(keys, 3), nodes.ids],
            strict=True,
        ):
            same(answer, expected, membership)


@pytest.mark.parametrize("key", ["user:1", b"\xff", 7, -1, 2**64 - 1, uuid.UUID(int=1), ""])
def test_one_key(served: Any, key: Any) -> None:
    client, membership, _ = served
    for k in (1, 12):
        answer = client.select(key, k)
        assert answer.value == membership.nodes.select(key, k)
        assert answer.epoch == 1


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("select", (1.5,)),
        ("select", ("a", 0)),
        ("select", ("a", True)),
        ("select", ("\ud800",)),
        ("select_batch", ([None],)),
        ("select_batch", (["a"], -1)),
        ("argselect_batch", (["a", "\ud800"],)),
        ("score_batch", ([1.5],)),
    ],
)
def test_what_a_nodeset_refuses(served: Any, method: str, arguments: Any) -> None:
    client, membership, _ = served
    with pytest.raises(rvh.RVHError) as here:
        getattr(membership.nodes, method)(*arguments)
    with pytest.raises(type(here.value)) as there:
        getattr(client, method)(*arguments)
    told, expected = (re.split("[,:]", str(error.value))[0] for error in (there, here))
    assert told == expected


def test_a_k_that_only_the_server_can_refuse(served: Any) -> None:
    client, *_ = served
    with pytest.raises(ServiceError, match=r"INVALID_ARGUMENT: k: .*12 nodes") as caught:
        client.select("a", 13)
    assert (caught.value.code, caught.value.field) == ("INVALID_ARGUMENT", "k")


def test_the_answer_of_a_stream_is_of_one_node_set(served: Any) -> None:
    client, membership, source = served
    sets = {membership.snapshot.fingerprint: membership.nodes}
    membership.subscribe(lambda change: sets.update({change.after.fingerprint: change.after.nodes}))
    over = threading.Event()

    def change() -> None:
        count = 0
        while not over.is_set():
            count += 1
            source.say([*NODES, NodeMeta(f"new-{count}", zone="zone-0", weight=2.0)])
            over.wait(0.002)

    changing = threading.Thread(target=change)
    changing.start()
    met = set()
    try:
        for _ in range(60):
            answer = client.select_batch(KEYS, 2)
            met.add(answer.fingerprint)
            assert np.array_equal(answer.value, sets[answer.fingerprint].select_batch(KEYS, 2))
    finally:
        over.set()
        changing.join()
    assert len(met) > 5


def test_keys_of_many_threads_go_together(served: Any) -> None:
    client, membership, _ = served
    answers: dict[int, Any] = {}

    def ask(number: int) -> None:
        for at in range(number, 960, 32):
            answers[at] = client.select(KEYS[at], 1 + at % 2)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 960
    for at, answer in answers.items():
        assert answer.value == membership.nodes.select(KEYS[at], 1 + at % 2)


def test_keys_of_one_turn_of_the_loop_go_together() -> None:
    async def ask(target: str) -> tuple[list[Any], list[Any]]:
        async with AsyncClient(target) as client:
            first = await asyncio.gather(*(client.select(key, 2) for key in KEYS))
            lost = asyncio.ensure_future(client.select("lost"))
            others = [asyncio.ensure_future(client.select(key)) for key in KEYS[:5]]
            await asyncio.sleep(0)
            lost.cancel()
            mixed = await asyncio.gather(
                client.select("a", 99), *others, lost, return_exceptions=True
            )
        return first, mixed

    with serving() as (server, membership, _):
        first, mixed = asyncio.run(ask(f"127.0.0.1:{server.port}"))
        nodes = membership.nodes
    assert [answer.value for answer in first] == [nodes.select(key, 2) for key in KEYS]
    wrong, *rest, lost = mixed
    assert isinstance(wrong, ServiceError)
    assert isinstance(lost, asyncio.CancelledError)
    assert [answer.value for answer in rest] == [nodes.select(key) for key in KEYS[:5]]


def test_a_server_that_is_not_there() -> None:
    with Client(f"127.0.0.1:{free_port()}", timeout=0.3) as client:
        with pytest.raises(ServiceError, match="see that it runs") as caught:
            client.select("a")
        assert caught.value.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


@pytest.mark.parametrize(
    "target",
    [
        *("", "host", "host:0", "host:99999", ":80", 80, [], [80], "host:\u0661", "::1:80"),
        *(" host:80", "host:80\n", "ho st:80", "http://host:80", "dns:///host:80"),
        *("a:80,b:80", ["a:80", "b:80 "], "a:80 b:80"),
    ],
)
def test_targets_that_are_none(target: Any) -> None:
    for make in (Client, AsyncClient, follow):
        with pytest.raises(rvh.RVHError, match=r"pass host:port.* list of them"):
            make(target)


@pytest.mark.parametrize("target", ["[::1]:80", "[fe80::1%eth0]:80", "a_b.c-d.:80", "unix:/a b"])
def test_targets_that_can_be(target: str) -> None:
    with Client([target, "127.0.0.1:65535"]):
        pass


def test_a_token_is_not_sent_where_others_can_read_it() -> None:
    with pytest.raises(rvh.RVHError, match="unencrypted") as caught:
        Client("10.0.0.7:8470", token="hush-hush")
    assert "hush" not in str(caught.value)
    assert "hush" not in repr(Client("127.0.0.1:8470", token="hush-hush"))


def test_endpoints_of_a_membership(served: Any) -> None:
    _, membership, _ = served
    with serving() as (other, *_):
        source = Scripted([NodeMeta("one", address=f"127.0.0.1:{other.port}")])
        with Membership(source) as servers, Client(servers) as client:
            assert repr(client) == f"Client({servers.name})"
            assert client.select("a").value == membership.nodes.select("a")


def test_endpoints_that_change_while_threads_ask() -> None:
    with serving() as (one, membership, _), serving() as (two, *_):
        expected = [membership.nodes.select(key) for key in KEYS]
        ends = [NodeMeta(str(each.port), address=f"127.0.0.1:{each.port}") for each in (one, two)]
        source = Scripted(ends)
        failures: list[BaseException] = []
        over = threading.Event()
        with Membership(source) as servers, Client(servers) as client:

            def ask() -> None:
                try:
                    while not over.is_set():
                        assert client.select_batch(KEYS).value.tolist() == expected
                except BaseException as error:
                    failures.append(error)

            threads = [threading.Thread(target=ask) for _ in range(6)]
            for thread in threads:
                thread.start()
            for count in range(60):
                source.say(ends[count % 2 :][:1])
                until(lambda count=count: servers.snapshot.epoch >= 2 + count)
            over.set()
            for thread in threads:
                thread.join()
    assert not failures


def test_an_endpoint_without_an_address() -> None:
    with Membership(Scripted("a b")) as servers, Client(servers) as client:
        for _ in range(2):
            with pytest.raises(rvh.RVHError, match="has no address to ask"):
                client.select("key")


def test_a_client_for_asyncio_belongs_to_the_loop_that_uses_it() -> None:
    with serving() as (server, membership, _):
        client = AsyncClient(f"127.0.0.1:{server.port}")  # no loop runs yet

        async def ask(key: str) -> Any:
            return await client.select(key)

        async def ask_and_close() -> Any:
            answer = await ask("a")
            with pytest.raises(rvh.RVHError, match="another event loop"):
                await asyncio.to_thread(asyncio.run, ask("b"))
            await client.close()
            return answer

        assert asyncio.run(ask_and_close()).value == membership.nodes.select("a")


# -- local mode -------------------------------------------------------------------------------


def test_local_mode_follows_every_change(served: Any) -> None:
    client, membership, source = served
    with follow(client._ways.name) as here:
        assert here.nodes == membership.nodes
        assert here.snapshot.members == membership.snapshot.members
        for count in range(5):
            source.say(
                [*NODES[count:], NodeMeta("new", weight=2.0 + count, labels={"n": str(count)})]
            )
            until(lambda count=count: "new" in here.snapshot and here.snapshot.epoch == 2 + count)
            assert here.snapshot.fingerprint == membership.snapshot.fingerprint
            assert here.snapshot.members == membership.snapshot.members


def test_local_mode_needs_the_secret() -> None:
    source = Scripted("a b c")
    from rvh.rpc import Server

    with Membership(source, secret=b"0123456789abcdef") as membership, Server(membership) as server:
        target = f"127.0.0.1:{server.port}"
        with pytest.raises(rvh.RVHError, match="pass it as secret="):
            follow(target)
        with pytest.raises(rvh.RVHError, match="fingerprint") as caught:
            follow(target, secret=b"another secret!!")
        assert "another" not in str(caught.value)
        with follow(target, secret=b"0123456789abcdef") as here:
            assert here.nodes == membership.nodes
    with serving() as (server, *_), pytest.raises(rvh.RVHError, match="omit secret="):
        follow(f"127.0.0.1:{server.port}", secret=b"x")


def test_a_newline_at_the_end_of_a_secret_counts() -> None:
    from rvh.rpc import Server

    with (
        Membership(Scripted("a b"), secret=b"hush-hush") as nodes,
        Server(nodes) as server,
        pytest.raises(rvh.RVHError, match="newline at the end of a secret counts") as caught,
    ):
        follow(f"127.0.0.1:{server.port}", secret=b"hush-hush\n")
    assert "hush" not in str(caught.value)


def test_local_mode_of_a_membership_of_servers() -> None:
    with serving("a b c") as (one, *_), serving("a b c") as (two, _, nodes_of_two):
        both = [NodeMeta(str(each.port), address=f"127.0.0.1:{each.port}") for each in (one, two)]
        servers = Scripted(both[:1])
        with (
            Membership(servers) as found,
            follow(found, backoff=(0.01, 0.05)) as here,
        ):
            assert [*here.nodes] == ["a", "b", "c"]
            assert found.name in here.name
            servers.say(both[1:])
            until(lambda: str(two.port) in found.nodes)
            one.close(0)
            nodes_of_two.say("a b c d")
            until(lambda: len(here.nodes) == 4)


@pytest.mark.parametrize("option", ["scheme", "weigh", "bogus"])
def test_local_mode_has_no_such_option(option: str) -> None:
    with pytest.raises(rvh.RVHTypeError, match=f"^follow has no {option}=.*service decides"):
        follow("127.0.0.1:1", **{option: "murmur"})


def test_local_mode_where_there_are_no_streams_left() -> None:
    with serving(limits=Limits(streams=1)) as (server, *_):
        target = f"127.0.0.1:{server.port}"
        with follow(target), pytest.raises(ServiceError, match="1 streams") as caught:
            follow(target, timeout=0.3)
    assert caught.value.code == "RESOURCE_EXHAUSTED"


def test_local_mode_survives_the_server() -> None:
    from rvh.rpc import Server

    source = Scripted("a b c")
    with Membership(source) as membership:
        server = Server(membership)
        server.start()
        with follow(f"127.0.0.1:{server.port}", backoff=(0.01, 0.05)) as here:
            server.close(0)
            until(lambda: not here.stats.connected)
            assert [*here.nodes] == ["a", "b", "c"]
            source.say("a b c d")
            until(lambda: len(membership.nodes) == 4)
            with Server(membership, port=server.port):
                until(lambda: len(here.nodes) == 4)
                until(lambda: here.stats.error is None)


def test_local_mode_follows_other_weights_of_the_same_nodes() -> None:
    from rvh.rpc import Server

    nodes = [NodeMeta(name, stake=1.0 + n, capacity=9.0 - n) for n, name in enumerate("abcd")]
    before = Membership(Scripted(nodes), weigh=lambda all_: [node.stake for node in all_])
    after = Membership(Scripted(nodes), weigh=lambda all_: [node.capacity for node in all_])
    with before, after:
        server = Server(before)
        server.start()
        with follow(f"127.0.0.1:{server.port}", backoff=(0.01, 0.05)) as here:
            assert here.nodes == before.nodes
            server.close(0)
            with Server(after, port=server.port):
                until(lambda: here.nodes == after.nodes)
                until(lambda: here.stats.error is None)


def test_local_mode_that_is_slow_keeps_no_changes_waiting() -> None:
    with serving() as (server, membership, source):
        watching = WatchNodes(f"127.0.0.1:{server.port}", "murmur")

        async def watch() -> list[int]:
            epochs: list[int] = []
            words = watching.watch()
            async for word in words:
                epochs.append(word.version)
                if epochs[-1] == 301:
                    break
                if len(epochs) == 1:  # it is slow, and the nodes change meanwhile
                    for count in range(1, 301):
                        source.say([*NODES, NodeMeta(f"new-{count}", weight=1.0, labels=LONG)])
                        until(lambda count=count: membership.snapshot.epoch == 1 + count)
            await words.aclose()
            return epochs

        epochs = asyncio.run(watch())
    assert epochs == sorted(set(epochs))
    assert len(epochs) < 150


def test_nothing_is_left() -> None:
    with serving() as (server, *_):
        before = {thread.name for thread in threading.enumerate()}
        with follow(f"127.0.0.1:{server.port}") as here:
            assert len(here.nodes) == len(NODES)
        left = {thread.name for thread in threading.enumerate()} - before
        assert not [name for name in left if "watch" in name or "membership" in name]
