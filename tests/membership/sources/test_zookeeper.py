"""ZooKeeper as a source, on a real one: ephemerals, transactions, outages, logins."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from kazoo.client import KazooClient
from kazoo.security import make_digest_acl
from pages import run_page
from proxy import Proxy
from servers import Server, free_port, needed, until

import rvh
from rvh.membership import Membership, NodeMeta, open_source, read_once
from rvh.membership.conformance import check_source
from rvh.membership.sources.zookeeper import ZooKeeperSource

QUICK = {"interval": 0.1, "timeout": 1.0}
BACKOFF = (0.02, 0.1)
JARS = "/usr/share/java/zookeeper.jar"


class ZooKeeper(Server):
    """One ZooKeeper, and what a user of it does."""

    def __init__(self, folder: Path) -> None:
        if not Path(JARS).exists():
            pytest.skip(f"{JARS} is not installed")
        self.port = free_port()
        settings = {
            "tickTime": 100,
            "dataDir": folder / "data",
            "clientPort": self.port,
            "clientPortAddress": "127.0.0.1",
            "admin.enableServer": "false",
            "4lw.commands.whitelist": "ruok",
        }
        config = folder / "zoo.cfg"
        config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        command = [
            needed("java"), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Dzookeeper.forceSync=no", "-cp", "/usr/share/java/*",
            "org.apache.zookeeper.server.quorum.QuorumPeerMain", str(config),
        ]  # fmt: skip
        super().__init__(command, self._is_ok, folder)

    def _is_ok(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.settimeout(1)
            connection.sendall(b"ruok")
            return connection.recv(4) == b"imok"

    @contextlib.contextmanager
    def client(self, **more: Any) -> Iterator[KazooClient]:
        client = KazooClient(f"127.0.0.1:{self.port}", timeout=2.0, **more)
        client.start()
        try:
            yield client
        finally:
            client.stop()
            client.close()


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeper]:
    server = ZooKeeper(tmp_path_factory.mktemp("zookeeper"))
    with server.running():
        yield server


@pytest.fixture
def client(zookeeper: ZooKeeper) -> Iterator[KazooClient]:
    with zookeeper.client() as made:
        yield made


@pytest.fixture
def path(request: pytest.FixtureRequest, client: KazooClient) -> str:
    """A path of its own for each test."""
    made = f"/{request.node.name}"
    client.create(made)
    return made


def source(server: ZooKeeper | Proxy, path: str, **more: Any) -> ZooKeeperSource:
    return ZooKeeperSource([f"127.0.0.1:{server.port}"], path, **{**QUICK, **more})


def follow(origin: ZooKeeperSource, **more: Any) -> Membership:
    return Membership(origin, backoff=BACKOFF, **more)


def together(client: KazooClient, path: str, nodes: dict[str, bytes | None]) -> None:
    """Put nodes, or delete those of None, in one transaction."""
    there = set(client.get_children(path))
    transaction = client.transaction()
    for name, data in nodes.items():
        if data is None:
            if name in there:
                transaction.delete(f"{path}/{name}")
        elif name in there:
            transaction.set_data(f"{path}/{name}", data)
        else:
            transaction.create(f"{path}/{name}", data)
    for result in transaction.commit():
        assert not isinstance(result, Exception), result


def set_nodes(client: KazooClient, path: str, nodes: Sequence[NodeMeta]) -> None:
    """Make these the only children of a path, in one transaction."""
    gone: dict[str, bytes | None] = dict.fromkeys(client.get_children(path))
    together(client, path, gone | {node.id: msgspec.json.encode(node) for node in nodes})


def test_it_keeps_the_rules(zookeeper: ZooKeeper, client: KazooClient, path: str) -> None:
    check_source(
        lambda: source(zookeeper, path),
        lambda nodes: set_nodes(client, path, nodes),
        spoil=lambda: client.set(f"{path}/a", b"[1, 2"),
    )


def test_a_day(zookeeper: ZooKeeper, client: KazooClient, path: str) -> None:
    together(client, path, {"a": b'{"weight": 1}', "b": b'{"weight": 1}'})
    with follow(source(zookeeper, path)) as membership:
        assert [*membership.nodes] == ["a", "b"]
        client.create(f"{path}/c", b'{"weight": 1, "zone": "eu"}')  # join
        until(lambda: [*membership.nodes] == ["a", "b", "c"])
        client.delete(f"{path}/a")  # leave
        until(lambda: [*membership.nodes] == ["b", "c"])
        zxid = client.set(f"{path}/c", b'{"weight": 3}').mzxid  # another weight
        until(lambda: membership.snapshot["c"].weight == 3)
        assert membership.snapshot.epoch == zxid
        client.set(f"{path}/b", b'{"weight": NaN}')
        until(lambda: membership.stats.refused == 1)
        assert "node 'b' is not JSON: it has NaN" in str(membership.stats.error)
        together(client, path, {"b": b'{"weight": 0}', "c": b'{"weight": 0}'})
        until(lambda: "every weight is 0" in str(membership.stats.error))
        assert membership.snapshot["c"].weight == 3
        client.set(f"{path}/c", b'{"weight": 2}')
        until(lambda: membership.stats.error is None)

        zookeeper.kill()
        until(lambda: not membership.stats.connected)
        until(lambda: membership.age > 0.3)
        assert [*membership.nodes] == ["b", "c"]
        zookeeper.start()
        client.retry(client.create, f"{path}/d", b'{"weight": 1}')
        until(lambda: [*membership.nodes] == ["b", "c", "d"])

        zookeeper.pause()
        until(lambda: not membership.stats.connected)
        until(lambda: "no connection within 1 s" in str(membership.stats.error))
        zookeeper.resume()
        client.retry(client.delete, f"{path}/b")
        until(lambda: [*membership.nodes] == ["c", "d"])
        until(lambda: membership.age < 0.2)  # told again and again that nothing has changed


def test_sessions_that_end(zookeeper: ZooKeeper, path: str) -> None:
    with zookeeper.client() as first:
        first.create(f"{path}/a", ephemeral=True)
        with zookeeper.client() as second:
            second.create(f"{path}/b", ephemeral=True)
            membership = follow(source(zookeeper, path))
            assert [*membership.nodes] == ["a", "b"]
        until(lambda: [*membership.nodes] == ["a"])
    until(lambda: "there are no nodes" in str(membership.stats.error))
    assert [*membership.nodes] == ["a"]  # the last ones stay
    membership.close()


def test_the_path_comes_and_goes(zookeeper: ZooKeeper, client: KazooClient) -> None:
    path = "/comes-and-goes"
    with pytest.raises(rvh.RVHError, match="there is no node /comes-and-goes in ZooKeeper"):
        read_once(source(zookeeper, path))
    client.create(path)
    client.create(f"{path}/a")
    with follow(source(zookeeper, path)) as membership:
        client.delete(path, recursive=True)
        until(lambda: "there is no node" in str(membership.stats.error))
        assert [*membership.nodes] == ["a"]
        client.create(path)
        client.create(f"{path}/b")
        until(lambda: [*membership.nodes] == ["b"])


OTHER_PROCESS = """
import sys, time
from rvh.membership import Membership
with Membership(sys.argv[1]) as membership:
    while "end" not in membership.snapshot:
        time.sleep(0.01)
    print(membership.snapshot.epoch, membership.snapshot.fingerprint)
"""


def test_one_epoch_is_one_fingerprint(zookeeper: ZooKeeper, client: KazooClient, path: str) -> None:
    """Whoever comes whenever; and no state is a mixture: x and y always weigh the same."""
    seed = int(os.environ.get("RVH_TEST_SEED") or random.SystemRandom().randrange(2**32))
    print(f"RVH_TEST_SEED={seed}")
    chance = random.Random(seed)
    found: list[tuple[int, str]] = []
    mixed: list[object] = []

    def heard(change: Any) -> None:
        after = change.after
        found.append((after.epoch, after.digest))
        if after["x"].weight != after["y"].weight:
            mixed.append(after.members)

    memberships: list[Membership] = []
    together(client, path, {"x": b'{"weight": 1}', "y": b'{"weight": 1}'})
    url = f"zk://127.0.0.1:{zookeeper.port}{path}"
    with subprocess.Popen([sys.executable, "-c", OTHER_PROCESS, url], stdout=-1) as process:
        try:
            for step in range(200):
                weight = msgspec.json.encode({"weight": step + 1})
                names = chance.sample(["a", "b", "c", "d"], 2)
                change = chance.randrange(5)
                if change == 0:
                    together(client, path, {names[0]: weight, names[1]: None})
                elif change == 1:
                    together(client, path, {names[0]: None, "x": weight, "y": weight})
                elif change == 2 and client.exists(f"{path}/{names[0]}"):
                    client.delete(f"{path}/{names[0]}")
                else:
                    together(client, path, {"x": weight, "y": weight})
                if len(memberships) < 6 and chance.random() < 0.05:
                    made = follow(source(zookeeper, path))
                    found.append((made.snapshot.epoch, made.snapshot.digest))
                    made.subscribe(heard)
                    memberships.append(made)
                if chance.random() < 0.15:
                    once = read_once(url)
                    found.append((once.epoch, once.digest))
            together(client, path, {"end": b'{"weight": 1}'})
            until(lambda: all("end" in each.snapshot for each in memberships))
            last = {(each.snapshot.epoch, each.snapshot.fingerprint) for each in memberships}
            assert len(last) == 1
            output, _ = process.communicate(timeout=20)
            assert output.decode().split() == [str(each) for each in last.pop()]
        finally:
            process.kill()
            for each in memberships:
                each.close()
    assert not mixed
    assert len(memberships) > 2
    assert len(found) > len(set(found)) > 20
    assert len(set(found)) == len({epoch for epoch, _ in found})


def test_a_deletion_has_an_epoch_of_its_own(
    zookeeper: ZooKeeper, client: KazooClient, path: str
) -> None:
    together(client, path, dict.fromkeys("ab", b""))
    origin = source(zookeeper, path)
    before = read_once(origin)
    client.delete(f"{path}/b")
    assert read_once(origin).epoch > before.epoch


def test_accepted_at_the_source(zookeeper: ZooKeeper, client: KazooClient, path: str) -> None:
    origin = source(zookeeper, path)
    together(client, path, dict.fromkeys("abcd", b""))
    with follow(origin, max_change=0.3) as membership:
        for gone in ("bcd", "a"):
            together(client, path, {**dict.fromkeys("abcd", b""), **dict.fromkeys(gone)})
            until(lambda: membership.held is not None)
            asyncio.run(origin.accept(read_once(origin).digest))
            until(lambda: len(membership.nodes) == 4 - len(gone))  # noqa: B023  # at once
    assert {*client.get_children(path)} == {"b", "c", "d"}  # the mark is beside the path


def test_several_hosts(zookeeper: ZooKeeper, client: KazooClient, path: str) -> None:
    client.create(f"{path}/a")
    ports = free_port(), zookeeper.port, free_port()
    origin = ZooKeeperSource([f"127.0.0.1:{port}" for port in ports], path, **QUICK)
    assert [*read_once(origin).nodes] == ["a"]
    dead = ZooKeeperSource([f"127.0.0.1:{ports[0]}"], path, interval=0.1, timeout=0.3)
    with pytest.raises(rvh.RVHError, match=r"no connection within 0.3 s: .*Connection refused"):
        read_once(dead)


def test_a_connection_that_is_cut(zookeeper: ZooKeeper, client: KazooClient, path: str) -> None:
    client.create(f"{path}/a")
    with Proxy(zookeeper.port).running() as proxy, follow(source(proxy, path)) as membership:
        proxy.target = free_port()
        proxy.cut()
        until(lambda: not membership.stats.connected)
        together(client, path, {"a": None, "b": b""})
        proxy.target = zookeeper.port
        until(lambda: [*membership.nodes] == ["b"])


@pytest.mark.parametrize(
    "first", [b"\xff" * 64, b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["bytes", "HTTP"]
)
def test_what_is_no_zookeeper(first: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client:
                    client.sendall(first)

    thread = threading.Thread(target=answer)
    thread.start()
    port = listener.getsockname()[1]
    with pytest.raises(rvh.RVHError, match=r"no connection within 0\.5 s: "):
        read_once(ZooKeeperSource([f"127.0.0.1:{port}"], "/nodes", interval=0.1, timeout=0.5))
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_login(zookeeper: ZooKeeper, client: KazooClient, caplog: Any) -> None:
    caplog.set_level(0)
    acl = [make_digest_acl("app", "s3cret", all=True)]
    client.create("/locked", acl=acl)
    client.add_auth("digest", "app:s3cret")
    client.create("/locked/a", acl=acl)
    caplog.clear()
    host = f"127.0.0.1:{zookeeper.port}"
    origin = open_source(f"zk://app:s3cret@{host}/locked?interval=0.1&timeout=1")
    with Membership(origin) as membership:
        assert [*membership.nodes] == ["a"]
        assert "s3cret" not in repr(membership) + origin.name
    for login in ("", "app:wr0ng@"):
        with pytest.raises(rvh.RVHError, match=r"may not be read, .*: name a user") as caught:
            read_once(f"zk://{login}{host}/locked?timeout=1")
        assert "wr0ng" not in str(caught.value)
    assert "s3cret" not in caplog.text
    assert "wr0ng" not in caplog.text


def test_nothing_is_left(zookeeper: ZooKeeper) -> None:
    path = "/left"
    with zookeeper.client() as client:  # which opens and closes files all the while
        client.create(f"{path}/a", makepath=True)

    def held() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    before = held()
    with follow(source(zookeeper, path)) as membership:
        until(lambda: membership.stats.connected)
        assert held() != before
    assert held() == before
    dead = ZooKeeperSource([f"127.0.0.1:{free_port()}"], path, interval=0.1, timeout=0.2)
    with pytest.raises(rvh.RVHError):
        follow(dead, timeout=0.5)
    assert held() == before


def test_a_program_that_ends_without_closing(
    zookeeper: ZooKeeper, client: KazooClient, path: str
) -> None:
    client.create(f"{path}/a")
    code = "import sys; from rvh.membership import Membership; m = Membership(sys.argv[1])"
    url = f"zk://127.0.0.1:{zookeeper.port}{path}"
    done = subprocess.run(
        [sys.executable, "-c", code, url], capture_output=True, text=True, timeout=20
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("zk://h", "a path such as /cache"),
        ("zk://h/", "a path such as /cache"),
        ("zk://h/a//b", "a path such as /cache"),
        ("zk:///nodes", "a host is missing"),
        ("zk://h:0/nodes", "a port is from 1 to 65535"),
        ("zk://h,h:x/nodes", "a port is from 1 to 65535"),
        ("zk://h/nodes?key=x", "the parameter 'key' is not known"),
        ("zk://h/nodes?timeout=1&timeout=2", "is given twice"),
        ("zk://h/nodes?timeout=-1", "a number of seconds above 0"),
        ("zk://app@h/nodes", "needs both a user and a password"),
    ],
)
def test_urls_that_are_wrong(url: str, message: str) -> None:
    with pytest.raises(rvh.RVHError, match=message) as caught:
        open_source(url)
    assert "zk://[USER:PASSWORD@]HOST" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("zk://h/a/b", "zk://h:2181/a/b"),
        ("zk://u:p@h,[::1]:1234/a%20b", "zk://h:2181,[::1]:1234/a b"),
    ],
)
def test_urls(url: str, name: str) -> None:
    assert open_source(url).name == name


@pytest.mark.parametrize(
    "wrong",
    [{"hosts": []}, {"hosts": "h:2181"}, {"path": "a"}, {"interval": 0}, {"timeout": "soon"}],
    ids=str,
)
def test_arguments_that_are_wrong(wrong: dict[str, Any]) -> None:
    with pytest.raises(rvh.RVHError):
        ZooKeeperSource(**{"hosts": ["h:2181"], "path": "/a", **wrong})


def test_the_page(zookeeper: ZooKeeper, tmp_path: Path) -> None:
    address = {"127.0.0.1:2181": f"127.0.0.1:{zookeeper.port}"}
    assert run_page("how-to/membership/zookeeper.md", tmp_path, address) == 3
