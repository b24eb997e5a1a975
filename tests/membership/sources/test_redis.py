"""Redis as a source, on a real server: killed, restarted, stopped, emptied and spoilt."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from pages import run_page
from servers import Server, free_port, needed, until

import rvh
from rvh.membership import Membership, NodeMeta, Publisher, open_source, read_once
from rvh.membership.conformance import check_source

redis = pytest.importorskip("redis", reason="redis-py is not installed")
from rvh.membership.sources.redis import RedisSource  # noqa: E402  # needs redis-py

KEY = "rvh:nodes"


class RedisServer(Server):
    """A Redis without persistence: a restart empties it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        program = needed("redis-server")
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        super().__init__([*command, *options], self._answers, folder)
        self.client = redis.Redis(port=self.port, socket_timeout=5)

    def _answers(self) -> object:
        with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(100)  # PONG, or that a password is needed

    def source(self, **options: Any) -> RedisSource:
        """A source with short deadlines."""
        return RedisSource(**{"port": self.port, "interval": 0.2, "timeout": 0.5, **options})

    def follow(self, **options: Any) -> Membership:
        """A membership that comes back soon."""
        return Membership(self.source(**options), backoff=(0.05, 0.2))

    def put(self, fields: dict[str, Any], *, tells: bool = True) -> None:
        """Make these fields the hash, all at once."""
        with self.client.pipeline() as all_:
            all_.delete(KEY)
            if fields:
                all_.hset(KEY, mapping={each: msgspec.json.encode(fields[each]) for each in fields})
            all_.incr(f"{KEY}:epoch")
            if tells:
                all_.publish(KEY, "changed")
            all_.execute()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    with server.running():
        yield server
        server.client.close()


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    running.client.flushall()
    return running


def ids(membership: Membership) -> list[str]:
    return membership.nodes.ids.tolist()


def is_well(membership: Membership) -> bool:
    return membership.stats.connected and membership.stats.error is None


def as_fields(nodes: Sequence[NodeMeta]) -> dict[str, Any]:
    fields = {node.id: msgspec.to_builtins(node) for node in nodes}
    return {
        node: {name: each[name] for name in each if name != "id"} for node, each in fields.items()
    }


@pytest.mark.parametrize("told", [True, False])
def test_a_hash_keeps_the_rules(server: RedisServer, told: bool) -> None:
    def spoil() -> None:
        server.client.hset(KEY, "a", '{"rtt": "fast"}')

    check_source(server.source, lambda nodes: server.put(as_fields(nodes), tells=told), spoil=spoil)


def test_a_document_keeps_the_rules(server: RedisServer) -> None:
    epochs = iter(range(5, 100))

    async def publish(nodes: Sequence[NodeMeta]) -> None:
        document = {"epoch": next(epochs), "nodes": nodes}
        if server.client.get(KEY) == b"<html>":
            server.client.delete(KEY)  # which a publisher does not overwrite
        await server.source().publish(msgspec.json.encode(document))

    check_source(server.source, publish, spoil=lambda: server.client.set(KEY, "<html>"))


def test_a_day(server: RedisServer) -> None:
    server.put({"a": {"weight": 1}, "b": {"weight": 1}})
    with server.follow(interval=20) as membership:  # so all of this is told by messages
        assert (ids(membership), membership.snapshot.epoch) == (["a", "b"], 1)
        server.put({"a": {"weight": 1}, "b": {"weight": 1}, "c": {"weight": 1}})  # a join
        until(lambda: ids(membership) == ["a", "b", "c"])
        server.put({"b": {"weight": 1}, "c": {"weight": 1}})  # a leave
        until(lambda: ids(membership) == ["b", "c"])
        server.put({"b": {"weight": 1}, "c": {"weight": 3}})
        until(lambda: membership.snapshot["c"].weight == 3)
        assert membership.snapshot.epoch == 4
        server.put({"b": {"weight": 1}, "c": {"weight": 3}})  # the same content
        server.put({"b": {"weight": 2}, "c": {"weight": 3}})
        until(lambda: membership.snapshot["b"].weight == 2)
        assert (membership.snapshot.epoch, membership.stats.updates) == (6, 5)


def test_the_same_content_is_no_epoch(server: RedisServer) -> None:
    server.put({"a": {}})
    with server.follow() as membership:
        server.put({"a": {}})
        server.client.hset(KEY, "a", "")  # another way to say the same
        before = membership.snapshot
        until(lambda: membership.age > 0.1)
        until(lambda: membership.age < 0.05)
        assert membership.snapshot is before


BAD = {
    "an unknown type": (
        lambda c: (c.delete(KEY), c.rpush(KEY, "a")),
        r"\?key=rvh:nodes: is a list:",
    ),
    "not JSON": (lambda c: c.hset(KEY, "c", '{"rtt": 1'), "node 'c' is not JSON, or is cut off"),
    "NaN": (lambda c: c.hset(KEY, "c", '{"weight": NaN}'), "it has NaN, which is not a number"),
    "another id": (lambda c: c.hset(KEY, "c", '{"id": "d"}'), "node 'c' calls itself 'd'"),
    "no UTF-8": (lambda c: c.hset(KEY, b"\xff", "{}"), "not UTF-8"),
    "no name": (lambda c: c.hset(KEY, "", "{}"), "a node id is text, not empty"),
    "weights 0": (
        lambda c: c.hset(KEY, mapping=dict.fromkeys("ab", '{"weight": 0}')),
        "every weight is 0|weights",
    ),
    "a bad epoch": (lambda c: c.set(f"{KEY}:epoch", "-1"), "the key rvh:nodes:epoch holds b'-1'"),
    "an epoch of another type": (
        lambda c: (c.delete(f"{KEY}:epoch"), c.rpush(f"{KEY}:epoch", "1")),
        "the key rvh:nodes:epoch holds b'no text'",
    ),
    "HTML": (lambda c: c.set(KEY, "<html>"), "is HTML or XML, and not JSON"),
    "an id twice": (lambda c: c.set(KEY, '["a", "a"]'), r"\$\[1\] repeats the id 'a'"),
    "an empty list": (lambda c: c.set(KEY, "[]"), "there are no nodes"),
    "no such key": (lambda c: c.delete(KEY), "there is no such key: a Redis that restarted"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_update(server: RedisServer, what: str) -> None:
    spoil, expected = BAD[what]
    server.put({"a": {}, "b": {}})
    with server.follow() as membership:
        before = membership.snapshot
        spoil(server.client)
        until(lambda: membership.stats.refused)
        assert re.search(expected, str(membership.stats.error)), membership.stats.error
        assert membership.snapshot is before
        refused = membership.stats.refused
        until(lambda: membership.age > 0.5)  # it was read again, and the refusal is not repeated
        assert membership.stats.refused == refused
        server.client.delete(f"{KEY}:epoch")
        server.put({"a": {}, "b": {}})
        until(lambda: is_well(membership))
        assert membership.snapshot is before


def test_changes_in_one_transaction_are_one_snapshot(server: RedisServer) -> None:
    server.put({"a": {}, "b": {}})
    with server.follow(interval=0.01) as membership:
        seen: list[list[str]] = []
        membership.subscribe(lambda change: seen.append(change.after.nodes.ids.tolist()))
        for here, there in [("b", "c"), ("c", "b")] * 20:
            with server.client.pipeline() as all_:
                all_.hdel(KEY, here)
                all_.hset(KEY, there, "")
                all_.publish(KEY, "")
                all_.execute()
            until(lambda there=there: ids(membership) == ["a", there])
        assert {tuple(each) for each in seen} == {("a", "b"), ("a", "c")}


def test_a_lost_publish(server: RedisServer) -> None:
    server.put({"a": {}})
    with server.follow() as membership:
        server.put({"a": {}, "b": {}}, tells=False)
        until(lambda: ids(membership) == ["a", "b"])
        assert membership.stats.reconnects == 0


def test_another_channel(server: RedisServer) -> None:
    server.put({"a": {}})
    with server.follow(interval=20, channel="deploys") as membership:
        server.put({"a": {}, "b": {}}, tells=False)
        server.client.publish("deploys", "42")
        until(lambda: ids(membership) == ["a", "b"])


def test_its_connections_are_closed_one_after_the_other(server: RedisServer) -> None:
    server.put({"a": {}})
    with server.follow(interval=20) as membership:
        for count, kind in enumerate(["pubsub", "normal", "pubsub"], 1):
            server.put({each: {} for each in "abcd"[: count + 1]}, tells=False)
            server.client.client_kill_filter(_type=kind)
            if kind == "normal":  # the one that reads, which is missed when it is needed
                server.client.publish(KEY, "")
            until(lambda count=count: len(ids(membership)) == count + 1)
        assert membership.stats.reconnects >= 2


def test_killed_and_restarted(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    with server.running():
        server.put({"a": {}, "b": {}})
        with server.follow() as membership:
            before = membership.snapshot
            server.kill()
            until(lambda: membership.stats.reconnects >= 2 and membership.age > 0.5)
            assert not membership.stats.connected
            server.start()  # it has lost everything
            until(lambda: "there is no such key" in str(membership.stats.error))
            assert membership.stats.connected
            assert membership.snapshot is before
            assert membership.age > 0.5
            server.put({"a": {}, "b": {}, "c": {}})
            until(lambda: ids(membership) == ["a", "b", "c"])
            # Its count began anew at 1; the membership's epochs grow all the same.
            assert (membership.snapshot.epoch, membership.stats.error) == (2, None)
        server.client.close()


def test_a_silent_partition(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    with server.running():
        server.put({"a": {}})
        with server.follow() as membership:
            server.pause()
            until(lambda: membership.stats.reconnects >= 1)
            assert "no answer within 0.5 s" in str(membership.stats.error)
            assert ids(membership) == ["a"]
            server.resume()
            until(lambda: is_well(membership))
            server.put({"a": {}, "b": {}})
            until(lambda: ids(membership) == ["a", "b"])
        server.client.close()


FOLLOWER = """
import sys
from rvh.membership import Membership
from rvh.membership.sources.redis import RedisSource
with Membership(RedisSource(port=int(sys.argv[1]), interval=0.05)) as membership:
    def say(each):
        print(each.epoch, each.fingerprint, flush=True)
    membership.subscribe(lambda change: say(change.after))
    say(membership.snapshot)
    sys.stdin.read()
"""


def test_two_processes_agree(server: RedisServer) -> None:
    server.put({"n0": {}})
    seen: list[dict[int, str]] = []
    others = [
        subprocess.Popen(
            [sys.executable, "-c", FOLLOWER, str(server.port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        for other in others:
            assert other.stdout is not None
            seen.append(dict([pair(other.stdout.readline())]))
        for last in range(1, 100):
            server.put({f"n{each}": {} for each in range(last + 1)}, tells=last % 3 > 0)
        for other, found in zip(others, seen, strict=True):
            assert other.stdout is not None
            while max(found) < 100:
                found.update([pair(other.stdout.readline())])
        for other in others:
            other.communicate("", timeout=30)
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert all(other.returncode == 0 for other in others)
    both = seen[0].keys() & seen[1].keys()
    assert {each: seen[0][each] for each in both} == {each: seen[1][each] for each in both}
    assert 100 in both


def pair(line: str) -> tuple[int, str]:
    epoch, fingerprint = line.split()
    return int(epoch), fingerprint


def test_accepted_at_the_source(server: RedisServer) -> None:
    server.put({each: {} for each in "abcd"})
    source = server.source()
    with Membership(source, max_change=0.3) as membership:
        server.put({"a": {}})
        until(lambda: membership.held is not None)
        asyncio.run(source.accept("of another state"))
        assert len(membership.nodes) == 4
        asyncio.run(source.accept(read_once(source).digest))
        until(lambda: ids(membership) == ["a"])


def test_publish(server: RedisServer) -> None:
    source = server.source(interval=20)

    def publish(text: str) -> None:
        asyncio.run(source.publish(text.encode()))

    publish('["a"]')
    with Membership(source) as membership:
        assert membership.snapshot.epoch == 1
        publish('["a", "b"]')  # without an epoch, it gets the next
        until(lambda: membership.snapshot.epoch == 2)
        publish('{"epoch": 7, "nodes": ["a", "b", "c"]}')
        until(lambda: membership.snapshot.epoch == 7)
        assert server.client.get(f"{KEY}:epoch") == b"7"
        with pytest.raises(rvh.RVHError, match="has epoch 7: what is published has epoch 7"):
            publish('{"epoch": 7, "nodes": ["a"]}')
        with pytest.raises(rvh.RVHError, match=r"the document to publish: .* repeats the id"):
            publish('["a", "a"]')
        assert ids(membership) == ["a", "b", "c"]
    server.client.set(KEY, "hello")
    with pytest.raises(rvh.RVHError, match="so it is not overwritten: delete the key"):
        publish('["a"]')
    assert server.client.get(KEY) == b"hello"
    server.client.delete(KEY)
    server.client.hset(KEY, "a", "")
    with pytest.raises(rvh.RVHError, match="publish to another key"):
        publish('["a"]')


def test_a_publisher_where_somebody_else_counts(server: RedisServer) -> None:
    publisher = Publisher(server.source())
    assert publisher.publish([NodeMeta("a")]).epoch == 1
    server.client.incr(f"{KEY}:epoch", 3)
    assert publisher.publish([NodeMeta("a"), NodeMeta("b")]).epoch == 5
    server.client.delete(KEY)  # evicted, and its number was not
    server.client.set(f"{KEY}:epoch", 9)
    assert publisher.publish([NodeMeta("b")]).epoch == 10
    server.client.flushdb()
    assert publisher.publish([NodeMeta("c")]).epoch == 11


def test_publishers_at_the_same_time(server: RedisServer) -> None:
    async def race() -> list[int | BaseException]:
        each = (server.source().publish(b'{"epoch": 1, "nodes": ["a"]}') for _ in range(20))
        return await asyncio.gather(*each, return_exceptions=True)

    outcomes = asyncio.run(race())
    assert outcomes.count(1) == 1
    assert {type(each) for each in outcomes} == {int, rvh.RVHError}


def test_what_is_too_large_is_not_read(server: RedisServer) -> None:
    server.put({"a": {}})
    with server.follow() as membership:
        server.client.delete(KEY)
        server.client.setrange(KEY, 1 << 28, "x")
        until(lambda: membership.stats.refused)
        assert "has 268435457 fields or bytes: is it a list" in str(membership.stats.error)


def test_passwords_and_rights(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = RedisServer(tmp_path, "--requirepass", "s3cr3t")
    with server.running():
        client = redis.Redis(port=server.port, password="s3cr3t")
        client.hset(KEY, mapping={"a": "", "b": ""})
        # What the page says a reader has to be allowed.
        may = ["~rvh:nodes*", "&rvh:nodes", "+@read", "+@connection", "+@transaction", "+subscribe"]
        client.execute_command("ACL", "SETUSER", "reader", "on", ">w0rd", *may)
        where = f"127.0.0.1:{server.port}/0?interval=0.2&timeout=0.5"
        with Membership(f"redis://reader:w0rd@{where}") as membership:
            assert ids(membership) == ["a", "b"]
            client.hset(KEY, "c", "")
            client.publish(KEY, "")
            until(lambda: ids(membership) == ["a", "b", "c"])
            client.execute_command("ACL", "SETUSER", "reader", "resetpass", ">n3w")
            client.client_kill_filter(_type="pubsub")
            until(lambda: "invalid username-password pair" in str(membership.stats.error))
            shown = f"{membership!r} {membership.stats!r} {caplog.text}"
            assert ids(membership) == ["a", "b", "c"]
        for url, expected in [
            (f"redis://{where}", "Redis refuses it: Authentication required|NOAUTH"),
            (f"redis://:w0rd@{where}", "Redis refuses it: .*look at the user"),
            (f"redis://reader:n3w@{where}&key=other", "Redis refuses it: .*no permissions|key"),
        ]:
            with pytest.raises(rvh.RVHError, match=expected) as caught:
                Membership(url)
            shown += "".join(traceback.format_exception(caught.value))
        with pytest.raises(rvh.RVHError, match="Redis refuses it"):
            asyncio.run(open_source(f"redis://reader:n3w@{where}").accept("digest"))
        for secret in ("s3cr3t", "w0rd", "n3w"):
            assert secret not in shown
        client.close()
        server.client.close()


def test_tls(tmp_path: Path) -> None:
    run = [needed("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
           "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
           "-addext", "subjectAltName=DNS:localhost", "-keyout", "key", "-out", "cert"]  # fmt: skip
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
    port = free_port()
    server = RedisServer(tmp_path, "--tls-port", str(port), "--tls-auth-clients", "no",
                         "--tls-cert-file", "cert", "--tls-key-file", "key")  # fmt: skip
    with server.running():
        server.put({"a": {}})
        url = f"rediss://localhost:{port}?ca={tmp_path}/cert&timeout=2"
        assert read_once(url).nodes.ids.tolist() == ["a"]
        with pytest.raises(rvh.RVHError, match="cannot be read: ConnectionError"):
            read_once(f"rediss://localhost:{port}?timeout=2")  # nobody vouches for it
        with pytest.raises(rvh.RVHError, match="cannot be read: ConnectionError"):
            read_once(url.replace("localhost", "127.0.0.1"))  # it is for another name
        server.client.close()


def test_a_unix_socket(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--unixsocket", "s")
    with server.running():
        server.put({"a": {}})
        path = str(tmp_path / "s")
        source = open_source(f"redis://{quote(path, safe='')}/0")
        assert read_once(source).nodes.ids.tolist() == ["a"]
        assert source.name == f"redis://{quote(path, safe='')}/0?key=rvh:nodes"
        server.client.close()


def test_nothing_is_left(server: RedisServer) -> None:
    server.put({"a": {}})
    with server.follow() as membership:
        until(lambda: membership.age < 0.1)
    before = (threading.active_count(), descriptors(), connections(server))
    for _ in range(5):
        with server.follow():
            pass
        server.client.client_kill_filter(_type="pubsub")
        read_once(server.source())
    until(lambda: connections(server) == before[2])
    assert (threading.active_count(), descriptors()) == before[:2]


def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def connections(server: RedisServer) -> int:
    return len(server.client.client_list())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://", "a host is missing"),
        ("redis://h:0", "a port is from 1 to 65535"),
        ("redis://h/x", "the path is the number of a database"),
        ("redis://h/0/1", "the path is the number of a database"),
        ("redis://h?keys=a", "the parameter 'keys' is not known: there are key, channel, interval"),
        ("redis://h?key=a&key=b", "the parameter key is given twice"),
        ("redis://h?key=", "the parameter key is empty"),
        ("redis://h?interval=0", "a number of seconds above 0"),
        ("redis://h?ca=/f", "the parameter 'ca' is not known"),
        ("redis://a,b", "it names one host"),
        ("redis://u:hidden@h?password=hidden", "the parameter 'password' is not known"),
    ],
)
def test_urls_that_are_wrong(url: str, expected: str) -> None:
    with pytest.raises(rvh.RVHError, match=expected) as caught:
        open_source(url)
    assert "redis://[USER:PASSWORD@]HOST[:PORT][/DB][?key=rvh:nodes]" in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_urls() -> None:
    names = {
        "redis://h": "redis://h:6379/0?key=rvh:nodes",
        "redis://u:p%40ss@h:1/2?key=a%26b": "redis://h:1/2?key=a&b",
        "rediss://h?ca=/f&cert=/c&cert_key=/k": "rediss://h:6379/0?key=rvh:nodes",
        "redis://[::1]:7": "redis://[::1]:7/0?key=rvh:nodes",
    }
    assert {url: open_source(url).name for url in names} == names
    with pytest.raises(rvh.RVHError, match="interval is -1: pass a number of seconds above 0"):
        RedisSource(interval=-1)
    with pytest.raises(rvh.RVHError, match="an option of pasword is not known"):
        RedisSource(pasword="hidden")


def test_the_page_of_redis(server: RedisServer, tmp_path: Path) -> None:
    needed("redis-cli")
    replaced = {"127.0.0.1:6379": f"127.0.0.1:{server.port}"}
    assert run_page("how-to/membership/redis.md", tmp_path, replaced) == 5
