"""etcd as a source, on a real one: watched, compacted, wiped, stopped, with leases and logins."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from etcd_server import Etcd
from pages import run_page
from proxy import Proxy
from servers import free_port, needed, until

import rvh
from rvh.membership import Membership, NodeMeta, Publisher, open_source, read_once
from rvh.membership.conformance import check_source
from rvh.membership.sources.etcd import EtcdSource

QUICK = {"interval": 0.1, "timeout": 0.5}
BACKOFF = (0.02, 0.1)


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etcd]:
    with Etcd(tmp_path_factory.mktemp("etcd")).running() as server:
        yield server


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    return f"{request.node.name}/"


def source(etcd: Etcd | Proxy, key: str, **more: Any) -> EtcdSource:
    return EtcdSource([f"http://127.0.0.1:{etcd.port}"], key, **{**QUICK, **more})


def follow(origin: EtcdSource, **more: Any) -> Membership:
    return Membership(origin, backoff=BACKOFF, **more)


def is_watch(piece: bytes) -> bool:
    return b"create_request" in piece


def test_it_keeps_the_rules_below_a_prefix(etcd: Etcd, prefix: str) -> None:
    check_source(
        lambda: source(etcd, prefix),
        lambda nodes: etcd.set_nodes(prefix, nodes),
        spoil=lambda: etcd.put(f"{prefix}c", "[1, 2"),
    )


def test_it_keeps_the_rules_with_a_document(etcd: Etcd) -> None:
    check_source(
        lambda: source(etcd, "document"),
        lambda nodes: etcd.put("document", msgspec.json.encode(nodes).decode()),
        spoil=lambda: etcd.put("document", "<html>"),
    )


def test_a_day(tmp_path: Path) -> None:
    etcd = Etcd(tmp_path)
    with etcd.running():
        etcd.together({"n/a": '{"weight": 1}', "n/b": '{"weight": 1}'})
        with follow(source(etcd, "n/")) as membership:
            assert [*membership.nodes] == ["a", "b"]
            etcd.put("n/c", '{"weight": 1, "zone": "eu"}')  # join
            until(lambda: [*membership.nodes] == ["a", "b", "c"])
            etcd.delete("n/a")  # leave
            until(lambda: [*membership.nodes] == ["b", "c"])
            revision = etcd.put("n/c", '{"weight": 3}')  # another weight
            until(lambda: membership.snapshot["c"].weight == 3)
            assert membership.snapshot.epoch == revision
            etcd.put("n/b", '{"weight": NaN}')
            until(lambda: membership.stats.refused == 1)
            assert "node 'b' is not JSON: it has NaN" in str(membership.stats.error)
            etcd.put("n/b", '{"weight": 0}')
            etcd.put("n/c", '{"weight": 0}')
            until(lambda: membership.stats.refused == 2, what="all weights are 0")
            assert membership.snapshot["b"].weight == 0
            assert membership.snapshot["c"].weight == 3
            etcd.put("n/c", '{"weight": 2}')
            until(lambda: membership.stats.error is None)

            etcd.kill()
            until(lambda: not membership.stats.connected)
            until(lambda: membership.age > 0.3)
            assert [*membership.nodes] == ["b", "c"]
            etcd.start()
            etcd.put("n/d", '{"weight": 1}')
            until(lambda: [*membership.nodes] == ["b", "c", "d"])

            etcd.pause()
            until(lambda: "no answer within 0.5 s" in str(membership.stats.error))
            etcd.resume()
            etcd.delete("n/b")
            until(lambda: [*membership.nodes] == ["c", "d"])
            until(lambda: membership.age < 0.2)  # told again and again that nothing has changed

            etcd.together({}, ["n/c", "n/d"])
            until(lambda: "there are no nodes" in str(membership.stats.error))
            assert [*membership.nodes] == ["c", "d"]


def test_wiped_and_filled_beyond_the_last_revision(tmp_path: Path) -> None:
    etcd = Etcd(tmp_path)
    with etcd.running():
        etcd.together({"n/a": '{"zone": "old"}', "n/b": ""})
        for _ in range(5):
            etcd.put("other")
        with follow(source(etcd, "n/")) as membership:
            epoch = membership.snapshot.epoch
            etcd.wipe()
            etcd.together({"n/a": '{"zone": "new"}', "n/c": ""})  # of the same revision
            for _ in range(3):
                etcd.put("other")
            until(lambda: membership.snapshot.members == (NodeMeta("a", zone="new"), NodeMeta("c")))
            assert membership.snapshot.epoch > epoch
            etcd.put("n/d")
            until(lambda: "d" in membership.snapshot)
            etcd.wipe()
            etcd.put("n/a")
            for _ in range(20):
                etcd.put("other")
            until(lambda: membership.snapshot.members == (NodeMeta("a"),))


def test_behind_one_address_is_another_cluster(etcd: Etcd, prefix: str, tmp_path: Path) -> None:
    other = Etcd(tmp_path)
    etcd.put(f"{prefix}a")
    with other.running(), Proxy(etcd.port).running() as proxy:
        other.put(f"{prefix}b")
        with follow(source(proxy, prefix)) as membership:
            assert [*membership.nodes] == ["a"]
            proxy.target = other.port
            proxy.cut(lambda last: not is_watch(last))  # the watch goes on
            until(lambda: [*membership.nodes] == ["b"])
            assert membership.stats.reconnects >= 1


def test_compaction_before_the_watch(etcd: Etcd, prefix: str) -> None:
    etcd.together({f"{prefix}{node}": "" for node in "abc"})
    watches = []

    def heard(piece: bytes) -> None:
        if is_watch(piece):
            watches.append(piece)
            if len(watches) == 1:  # the list is read, and the watch is about to begin
                etcd.delete(f"{prefix}a")
                revision = etcd.put(f"{prefix}d")
                etcd.ask("kv/compaction", {"revision": revision})

    with Proxy(etcd.port, heard).running() as proxy, follow(source(proxy, prefix)) as membership:
        until(lambda: [*membership.nodes] == ["b", "c", "d"])
        etcd.put(f"{prefix}e")
        until(lambda: "e" in membership.snapshot)
        assert membership.stats.reconnects == 0
        assert len(watches) == 2


def test_compaction_in_an_outage(etcd: Etcd, prefix: str) -> None:
    etcd.together({f"{prefix}{node}": "" for node in "abc"})
    with Proxy(etcd.port).running() as proxy, follow(source(proxy, prefix)) as membership:
        proxy.target = free_port()
        proxy.cut()
        until(lambda: not membership.stats.connected)
        etcd.delete(f"{prefix}a")
        etcd.ask("kv/compaction", {"revision": etcd.put(f"{prefix}d")})
        proxy.target = etcd.port
        until(lambda: [*membership.nodes] == ["b", "c", "d"])


def test_a_watch_that_tells_nothing(etcd: Etcd, prefix: str) -> None:
    etcd.put(f"{prefix}a")
    proxy = Proxy(etcd.port, silenced=is_watch)
    with proxy.running(), follow(source(proxy, prefix)) as membership:
        etcd.put(f"{prefix}b")
        until(lambda: "b" in membership.snapshot)
        etcd.delete(f"{prefix}a")
        until(lambda: "a" not in membership.snapshot)
        assert membership.stats.reconnects >= 2  # found by asking, and listed anew


def test_a_transaction_is_one_change(etcd: Etcd, prefix: str) -> None:
    a, b = f"{prefix}a", f"{prefix}b"
    etcd.together({a: '{"weight": 1}', b: '{"weight": 1}'})
    with follow(source(etcd, prefix)) as membership:
        seen: list[list[float | None]] = []
        membership.subscribe(
            lambda change: seen.append([node.weight for node in change.after.members])
        )
        for weight in range(2, 50):
            value = msgspec.json.encode({"weight": weight}).decode()
            etcd.together({a: value, b: value})
        until(lambda: membership.snapshot["b"].weight == 49)
        assert all(first == second for first, second in seen)


def test_a_lease_that_ends(etcd: Etcd, prefix: str) -> None:
    lease = etcd.ask("lease/grant", {"TTL": 1})["ID"]
    etcd.put(f"{prefix}a", lease=lease)
    etcd.put(f"{prefix}b")
    with follow(source(etcd, prefix)) as membership:
        assert [*membership.nodes] == ["a", "b"]
        until(lambda: [*membership.nodes] == ["b"])


OTHER_PROCESS = """
import sys, time
from rvh.membership import Membership
with Membership(sys.argv[1]) as membership:
    while "end" not in membership.snapshot:
        time.sleep(0.01)
    print(membership.snapshot.epoch, membership.snapshot.fingerprint)
"""


def test_one_epoch_is_one_fingerprint(etcd: Etcd, prefix: str) -> None:
    """Whoever comes whenever, and sees a change by the watch or in a list."""
    seed = int(os.environ.get("RVH_TEST_SEED") or random.SystemRandom().randrange(2**32))
    print(f"RVH_TEST_SEED={seed}")
    chance = random.Random(seed)
    etcd.put(f"{prefix}first")
    found: list[tuple[int, str]] = []
    memberships: list[Membership] = []
    url = f"etcd://127.0.0.1:{etcd.port}/{prefix}"
    with subprocess.Popen([sys.executable, "-c", OTHER_PROCESS, url], stdout=-1) as process:
        try:
            for _ in range(150):
                names = [f"{prefix}{chance.randrange(6)}" for _ in range(2)]
                step = chance.randrange(8)
                if step < 3:
                    etcd.put(names[0], msgspec.json.encode({"weight": None}).decode())
                elif step < 5:
                    etcd.delete(names[0])
                elif step < 6:
                    etcd.together({names[0]: ""}, [names[1]] if names[0] != names[1] else [])
                else:
                    etcd.put("unrelated")  # a later list has another revision
                if chance.random() < 0.3:
                    once = read_once(url)
                    found.append((once.epoch, once.digest))
                if len(memberships) < 8 and chance.random() < 0.1:
                    made = follow(source(etcd, prefix))
                    made.subscribe(
                        lambda change: found.append((change.after.epoch, change.after.digest))
                    )
                    found.append((made.snapshot.epoch, made.snapshot.digest))
                    memberships.append(made)
            etcd.put(f"{prefix}end")
            until(lambda: all("end" in each.snapshot for each in memberships))
            last = {(each.snapshot.epoch, each.snapshot.fingerprint) for each in memberships}
            assert len(last) == 1
            output, _ = process.communicate(timeout=20)
            assert output.decode().split() == [str(each) for each in last.pop()]
        finally:
            process.kill()
            for each in memberships:
                each.close()
    assert len(memberships) > 3
    assert len(found) > len(set(found)) > 20
    assert len(set(found)) == len({epoch for epoch, _ in found})


def test_accepted_at_the_source(etcd: Etcd, prefix: str) -> None:
    origin = source(etcd, prefix)
    etcd.together({f"{prefix}{node}": "" for node in "abcd"})
    with follow(origin, max_change=0.3) as membership:
        etcd.together({}, [f"{prefix}{node}" for node in "bcd"])
        until(lambda: membership.held is not None)
        asyncio.run(origin.accept(read_once(origin).digest))
        until(lambda: len(membership.nodes) == 1)
        assert etcd.keys(prefix) == [f"{prefix}a"]  # the mark is outside the prefix
        etcd.delete(f"{prefix[:-1]}.accepted")


def test_published(etcd: Etcd) -> None:
    origin = source(etcd, "published")

    def publish(document: str) -> None:
        asyncio.run(origin.publish(document.encode()))

    with pytest.raises(rvh.RVHError, match="there is no key 'published'"):
        read_once(origin)
    publish('{"epoch": 7, "nodes": ["a", "b"]}')
    with follow(origin) as membership:
        assert membership.snapshot.epoch == 7
        with pytest.raises(rvh.RVHError, match=r"has epoch 7: what is published has epoch 7"):
            publish('{"epoch": 7, "nodes": ["a"]}')
        with pytest.raises(rvh.RVHError, match=r"\$\.nodes\[1\] repeats the id 'a'"):
            publish('{"epoch": 8, "nodes": ["a", "a"]}')
        publish('["a", "b", "c"]')  # is given the next epoch
        until(lambda: membership.snapshot.epoch == 8)
        etcd.put("published", "[1, 2")
        until(lambda: membership.stats.refused == 1)
        with pytest.raises(rvh.RVHError, match=r"line 1, .* not overwritten: delete the key"):
            publish('["a"]')
        etcd.put("published", '["a"]')
        until(lambda: len(membership.nodes) == 1)
        etcd.delete("published")
        until(lambda: membership.stats.refused == 2)
        assert [*membership.nodes] == ["a"]
    with pytest.raises(rvh.RVHError, match="is a prefix: a publisher writes one key"):
        asyncio.run(source(etcd, "published/").publish(b'["a"]'))


def test_a_publisher(etcd: Etcd) -> None:
    url = f"etcd://127.0.0.1:{etcd.port}/by-a-publisher"
    publisher = Publisher(url, weigh=["capacity"])
    nodes = [NodeMeta("a", capacity=1), NodeMeta("b", capacity=3)]
    assert publisher.publish(nodes).is_new
    with Membership(url) as membership:
        assert membership.nodes.weights.tolist() == [0.5, 1.5]
        done = publisher.publish([*nodes, NodeMeta("c", capacity=2)])
        until(lambda: membership.snapshot.epoch == done.epoch)
        assert len(membership.nodes) == 3


def test_two_publishers(etcd: Etcd) -> None:
    def heard(piece: bytes) -> None:
        if b'"compare"' in piece:
            etcd.put("contended", '{"epoch": 5, "nodes": ["mine"]}')

    with (
        Proxy(etcd.port, heard).running() as proxy,
        pytest.raises(rvh.RVHError, match="written by another publisher meanwhile"),
    ):
        asyncio.run(source(proxy, "contended").publish(b'{"epoch": 6, "nodes": ["a"]}'))
    assert [*read_once(source(etcd, "contended")).nodes] == ["mine"]


def test_several_endpoints(etcd: Etcd, prefix: str) -> None:
    etcd.put(f"{prefix}a")
    with Proxy(etcd.port).running() as proxy:
        ports = free_port(), proxy.port, etcd.port
        origin = EtcdSource([f"http://127.0.0.1:{port}" for port in ports], prefix, **QUICK)
        with follow(origin) as membership:  # the first is dead
            proxy.target = free_port()
            proxy.cut()
            etcd.put(f"{prefix}b")
            until(lambda: "b" in membership.snapshot)
    dead = EtcdSource([f"http://127.0.0.1:{free_port()}" for _ in range(2)], prefix, **QUICK)
    with pytest.raises(rvh.RVHError, match=r"no endpoint answers: http://127.0.0.1:\d+: .*; http"):
        read_once(dead)


def test_nothing_is_left(etcd: Etcd, prefix: str) -> None:
    etcd.put(f"{prefix}a")

    def held() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    before = held()
    with follow(source(etcd, prefix)) as membership:
        until(lambda: membership.stats.connected)
        assert held() != before
    assert held() == before


def login_and_tls(folder: Path) -> tuple[list[str], str]:
    """Certificates of an authority of our own, and etcd's options for them."""
    run = [
        needed("openssl"),
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]
    for name in ("ca", "server", "client"):
        by = [] if name == "ca" else ["-CA", "ca.pem", "-CAkey", "ca.key"]
        more = ["-addext", "subjectAltName=IP:127.0.0.1", "-subj", f"/O={name}", "-nodes"]
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
        subprocess.run([*run, *by, *more, *files], cwd=folder, check=True, capture_output=True)
    options = ["--client-cert-auth", "--trusted-ca-file", "ca.pem"]
    options += ["--cert-file", "server.pem", "--key-file", "server.key"]
    return options, f"cacert={folder}/ca.pem&cert={folder}/client.pem&cert_key={folder}/client.key"


def test_a_login_and_certificates(tmp_path: Path) -> None:
    options, files = login_and_tls(tmp_path)
    etcd = Etcd(tmp_path, *options, scheme="https")
    pem = [str(tmp_path / name) for name in ("ca.pem", "client.pem", "client.key")]
    import ssl

    context = ssl.create_default_context(cafile=pem[0])
    context.load_cert_chain(*pem[1:])
    etcd.client = httpx.Client(base_url=etcd.url, trust_env=False, verify=context)
    with etcd.running():
        etcd.put("n/a")
        for user in ("root", "reader"):
            etcd.ask("auth/user/add", {"name": user, "password": "s3cret"})
        etcd.ask("auth/user/grant", {"user": "root", "role": "root"})
        etcd.ask("auth/role/add", {"name": "read"})
        for key, end in (("n/", "n0"), ("n.accepted", "")):
            permission = {"permType": "READ", "key": key.encode(), "range_end": end.encode()}
            etcd.ask("auth/role/grant", {"name": "read", "perm": permission})
        etcd.ask("auth/user/grant", {"user": "reader", "role": "read"})
        etcd.ask("auth/enable", {})
        query = f"?{files}&interval=0.1&timeout=0.5"
        host = f"127.0.0.1:{etcd.port}"
        origin = open_source(f"etcds://reader:s3cret@{host}/n/{query}")
        with Membership(origin, backoff=BACKOFF) as membership:
            assert "s3cret" not in repr(membership) + origin.name
            assert membership.snapshot.members == (NodeMeta("a"),)
            etcd.restart()  # it has forgotten its tokens
            until(lambda: not membership.stats.connected)
            until(lambda: membership.stats.connected and membership.age < 0.2)
        for login, path, message in (
            ("reader:wrong@", "n/", "refuses the user 'reader': .*check the user and the password"),
            ("reader:s3cret@", "secret/", "permission denied: name a user and a password"),
            ("", "n/", "user name is empty: name a user and a password"),
        ):
            with pytest.raises(rvh.RVHError, match=message) as caught:
                read_once(f"etcds://{login}{host}/{path}{query}")
            assert "wrong" not in str(caught.value)
            assert "s3cret" not in str(caught.value)
        with pytest.raises(rvh.RVHError, match="CERTIFICATE_VERIFY_FAILED"):
            read_once(f"etcds://reader:s3cret@{host}/n/?timeout=1")
        with pytest.raises(rvh.RVHError, match=r"one of missing.pem is not there"):
            read_once(f"etcds://{host}/n/?cacert=missing.pem")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", "has not answered as etcd does: it begins .*<html>"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "has not answered as etcd does"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 2000, "the answer has more than 1000 bytes"),
        (b"HTTP/1.1 500 Oops\r\n\r\n<html>", "/v3/kv/txn answers 500: '<html>'"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "peer closed connection"),
        (b"", "Server disconnected without sending a response"),
    ],
)
def test_what_is_no_etcd(
    answer: bytes, message: str, serve_once: Callable[[bytes], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rvh.membership.sources.etcd_gateway.MAX_BYTES", 1000)
    with pytest.raises(rvh.RVHError, match=message):
        read_once(f"etcd://127.0.0.1:{serve_once(answer)}/n/")


@pytest.fixture
def serve_once() -> Iterator[Callable[[bytes], int]]:
    """A server that gives one answer, whatever it is asked."""
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(answer: bytes) -> int:
        def once() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(1 << 16)
                client.sendall(answer)
                client.shutdown(socket.SHUT_WR)
                while client.recv(1 << 16):
                    pass

        threads.append(threading.Thread(target=once))
        threads[-1].start()
        return int(listener.getsockname()[1])

    yield serve
    for thread in threads:
        thread.join()
    listener.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("etcd://h", "the key is missing"),
        ("etcd://h/", "the key is missing"),
        ("etcd:///n/", "a host is missing"),
        ("etcd://h:0/n/", "a port is from 1 to 65535"),
        ("etcd://h,h:x/n/", "a port is from 1 to 65535"),
        ("etcd://h/n/?prefix=x", "the parameter 'prefix' is not known"),
        ("etcd://h/n/?timeout=1&timeout=2", "is given twice"),
        ("etcd://h/n/?timeout=-1", "a number of seconds above 0"),
        ("etcd://h/n/?cacert=ca.pem", "certificates need https"),
        ("etcds://h/n/?cert=c.pem", "needs both cert and cert_key"),
        ("etcd://root:@h/n/?timeout=0", "a number of seconds above 0"),
        ("etcd://root@h/n/", "needs both a user and a password"),
    ],
)
def test_urls_that_are_wrong(url: str, message: str) -> None:
    with pytest.raises(rvh.RVHError, match=message) as caught:
        open_source(url)
    assert "etcd://[USER:PASSWORD@]HOST" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("etcd://h/n/", "etcd://h:2379/n/"),
        ("etcds://u:p@h,[::1]:1234//registry/n", "etcds://h:2379,[::1]:1234//registry/n"),
        ("etcd://h/a%20b", "etcd://h:2379/a b"),
    ],
)
def test_urls(url: str, name: str) -> None:
    assert open_source(url).name == name


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoints": []},
        {"endpoints": "http://h"},
        {"endpoints": ["http://u:secret@h"]},
        {"endpoints": ["http://h", "https://h"]},
        {"interval": 0},
        {"timeout": "soon"},
        {"key": ""},
    ],
    ids=str,
)
def test_arguments_that_are_wrong(wrong: dict[str, Any]) -> None:
    with pytest.raises(rvh.RVHError) as caught:
        EtcdSource(**{"endpoints": ["http://h"], "key": "n/", **wrong})
    assert "secret" not in str(caught.value)


def test_the_page(etcd: Etcd, tmp_path: Path) -> None:
    needed("etcdctl")
    assert run_page("how-to/membership/etcd.md", tmp_path, {"127.0.0.1:2379": etcd.url[7:]}) == 6
