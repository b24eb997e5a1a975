"""DNS as a source, on a real nsd: zones that change, answers cut off, silence and outages."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pages import run_page
from servers import Server, free_port, needed, until

import rvh
from rvh.membership import Membership, NodeMeta, open_source, read_once
from rvh.membership.conformance import check_source

pytest.importorskip("dns", reason="dnspython is not installed")
import dns.exception  # dnspython
import dns.flags  # dnspython
import dns.message
import dns.query

from rvh.membership.sources.dns import AddressSource, SrvSource  # needs dnspython

SERVICE = "_cache._tcp.example.com"
CONFIG = """
server:
  ip-address: 127.0.0.1
  port: {port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  zonelistfile: "zone.list"
  xfrdfile: "xfrd.state"
  database: ""
  pidfile: "pid"
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: example.com
  zonefile: example.com.zone
zone:
  name: broken.example
  zonefile: there-is-no-such-file
"""


class Nsd(Server):
    """An nsd that serves the records of a test; it is several processes."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.serial = 0
        self.records = ""
        self.write([])
        self.write_to(folder)
        (folder / "nsd.conf").write_text(CONFIG.format(port=self.port, folder=folder))
        super().__init__([needed("nsd"), "-d", "-c", "nsd.conf"], self._answers, folder)

    def _answers(self) -> bool:
        return self._served() == self.serial

    def _served(self) -> int:
        question = dns.message.make_query("example.com.", "SOA")
        answer = dns.query.udp(question, "127.0.0.1", 0.5, self.port)
        if not answer.answer:  # SERVFAIL: nsd has not loaded the zone yet
            return -1
        return int(answer.answer[0][0].serial)

    def write(self, lines: Sequence[str], ttl: int = 0) -> None:
        self.serial += 1
        head = (
            f"$ORIGIN example.com.\n$TTL {ttl}\n@ SOA ns root {self.serial} 60 60 60 0\n@ NS ns\n"
        )
        self.records = head + "ns A 127.0.0.1\n" + "".join(f"{line}\n" for line in lines)

    def write_to(self, folder: Path) -> None:
        new = folder / "new"
        new.write_text(self.records)
        new.replace(folder / "example.com.zone")

    def serve(self, *lines: str, ttl: int = 0) -> None:
        """Serve these records from now on."""
        self.write(lines, ttl)
        self.write_to(self.folder)
        asked = 0.0

        def is_loaded() -> bool:
            nonlocal asked
            # nsd forgets a signal that comes while it loads.
            if time.monotonic() > asked + 1:
                assert self.process is not None
                self.process.send_signal(signal.SIGHUP)
                asked = time.monotonic()
            # For a moment the old process answers too.
            return all(self._is_served() for _ in range(5)) and len(self.all()) == self.count

        until(is_loaded)

    def start(self) -> None:
        super().start()
        self.count = len(self.all())

    def _is_served(self) -> bool:
        with contextlib.suppress(dns.exception.Timeout):
            return self._answers()
        return False

    def srv(self, *targets: str, ttl: int = 0) -> None:
        """Serve SRV records, each "PRIORITY WEIGHT PORT TARGET"."""
        self.serve(*(f"_cache._tcp SRV {target}" for target in targets), ttl=ttl)

    def all(self) -> list[int]:
        """The processes that it is."""
        assert self.process is not None
        found = [self.process.pid]
        for each in found:
            children = Path(f"/proc/{each}/task/{each}/children")
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
                found += map(int, children.read_text().split())
        return found

    def kill(self) -> None:
        if self.process is not None:  # which ends the others
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def pause(self) -> None:
        for each in self.all():
            os.kill(each, signal.SIGSTOP)

    def resume(self) -> None:
        for each in self.all():
            os.kill(each, signal.SIGCONT)

    def source(self, query: str = SERVICE, **options: Any) -> SrvSource:
        """A source with short deadlines."""
        given = {"resolvers": [f"127.0.0.1:{self.port}"], "least": 0.05, "timeout": 0.5}
        return SrvSource(query, **{**given, **options})

    def follow(self, query: str = SERVICE, **options: Any) -> Membership:
        """A membership that comes back soon."""
        return Membership(self.source(query, **options), backoff=(0.05, 0.2))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nsd]:
    server = Nsd(tmp_path_factory.mktemp("nsd"))
    with server.running():
        yield server


@pytest.fixture
def server(running: Nsd) -> Nsd:
    running.serve()
    return running


def ids(membership: Membership) -> list[str]:
    return membership.nodes.ids.tolist()


def is_well(membership: Membership) -> bool:
    return membership.stats.connected and membership.stats.error is None


def node(name: str, weight: float) -> NodeMeta:
    return NodeMeta(
        f"{name}.example.com", address=f"{name}.example.com:11211", weight=float(weight)
    )


def test_it_keeps_the_rules(server: Nsd) -> None:
    def write(nodes: Sequence[NodeMeta]) -> None:
        server.srv(*(f"0 {each.weight:.0f} 11211 {each.id}." for each in nodes))

    a, b, c = node("a", 1), node("b", 2), node("c", 5)
    check_source(
        lambda: server.source(weights=True),
        write,
        spoil=server.serve,  # without any record
        states=[[a, b], [a, b, c], [node("b", 7), c], [a, b]],
    )


def test_a_day(server: Nsd) -> None:
    server.srv("0 1 1 a", "0 1 1 b")
    with server.follow(weights=True) as membership:
        assert ids(membership) == ["a.example.com", "b.example.com"]
        server.srv("0 1 1 a", "0 1 1 b", "0 1 1 c")
        until(lambda: len(ids(membership)) == 3)
        server.srv("0 1 1 c", "0 1 1 a", "0 1 1 b")  # the same in another order
        server.srv("0 1 1 b", "0 3 1 c")
        until(lambda: ids(membership) == ["b.example.com", "c.example.com"])
        assert membership.nodes.weights is not None
        assert membership.nodes.weights.tolist() == [1.0, 3.0]
        server.srv("0 0 1 b", "0 0 1 c")  # all 0: there is nothing to choose
        until(lambda: membership.nodes.weights is None)
        server.srv("0 1 1 b", "0 0 1 c")  # c takes nothing
        until(lambda: membership.nodes.weights is not None)
        assert {membership.nodes.select(key)[0] for key in "wxyz"} == {"b.example.com"}
        assert membership.snapshot.epoch == membership.stats.updates == 5


def test_without_weights_all_are_equal(server: Nsd) -> None:
    server.srv("0 1 1 a", "0 9 1 b")
    snapshot = read_once(server.source())
    assert snapshot.nodes.weights is None
    assert snapshot["a.example.com"].address == "a.example.com:1"


def test_names(server: Nsd) -> None:
    server.srv("0 0 1 A.Example.COM.", "0 0 1 b", "0 0 2 b")
    assert {each.id: each.address for each in read_once(server.source()).members} == {
        "a.example.com": "a.example.com:1",
        "b.example.com:1": "b.example.com:1",
        "b.example.com:2": "b.example.com:2",
    }


def test_priorities(server: Nsd) -> None:
    server.srv("20 0 1 a", "10 0 1 b", "10 0 1 c")
    with pytest.raises(rvh.RVHError, match=r"have the priorities \[10, 20\]: .*priority=lowest"):
        read_once(server.source())
    assert len(read_once(server.source(priority="lowest")).members) == 2


def test_an_answer_that_is_cut_off(server: Nsd) -> None:
    server.srv(*(f"0 {each} 11211 cache-{each}" for each in range(60)))
    question = dns.message.make_query(f"{SERVICE}.", "SRV")
    cut = dns.query.udp(question, "127.0.0.1", 5, server.port)
    assert cut.flags & dns.flags.TC
    assert not cut.answer or len(cut.answer[0]) < 60
    assert len(read_once(server.source())) == 60


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "there is no such name (NXDOMAIN)"),
        (["_cache._tcp TXT x"], "there are no SRV records of this name"),
        (["_cache._tcp SRV 0 0 0 ."], "its target is a dot: the service is not offered"),
        (["_cache._tcp SRV 0 1 1 a", "_cache._tcp SRV 0 2 1 a"],
         "the target a.example.com:1 is there twice"),
    ],
)  # fmt: skip
def test_a_bad_update(server: Nsd, lines: list[str], expected: str) -> None:
    server.srv("0 1 1 a", "0 1 1 b")
    with server.follow() as membership:
        before = membership.snapshot
        server.serve(*lines)
        until(lambda: membership.stats.refused)
        assert membership.stats.error == f"srv://{SERVICE}: {expected}"
        until(lambda: membership.age > 0.3)  # it was asked again, and the refusal is not repeated
        assert (membership.stats.refused, membership.stats.reconnects) == (1, 0)
        assert membership.snapshot is before
        server.srv("0 1 1 a", "0 1 1 b")
        until(lambda: is_well(membership))
        assert membership.snapshot is before


def test_the_time_to_live_decides_within_bounds(server: Nsd) -> None:
    server.srv("0 1 1 a", ttl=3600)
    with server.follow(most=0.1) as membership:
        server.srv("0 1 1 a", "0 1 1 b", ttl=1)
        until(lambda: len(membership.nodes) == 2)
    with server.follow(most=60) as membership:
        server.srv("0 1 1 b")
        until(lambda: len(membership.nodes) == 1)


def test_an_outage_and_a_silent_partition(tmp_path: Path) -> None:
    server = Nsd(tmp_path)
    with server.running():
        server.srv("0 1 1 a", "0 1 1 b")
        with server.follow() as membership:
            before = membership.snapshot
            server.pause()
            until(lambda: membership.stats.reconnects >= 1)
            assert "timed out" in str(membership.stats.error)
            server.resume()
            until(lambda: is_well(membership))
            server.kill()
            until(lambda: not membership.stats.connected and membership.age > 0.5)
            assert membership.snapshot is before
            server.write(["_cache._tcp SRV 0 1 1 c"])
            server.write_to(tmp_path)
            server.start()
            until(lambda: ids(membership) == ["c.example.com"])
            assert membership.snapshot.epoch == 2


def test_another_resolver_answers(server: Nsd) -> None:
    server.srv("0 1 1 a")
    nobody, real = f"127.0.0.1:{free_port()}", f"127.0.0.1:{server.port}"
    source = server.source(resolvers=[nobody, real], timeout=3)
    assert read_once(source).nodes.ids.tolist() == ["a.example.com"]


@pytest.mark.parametrize(("query", "code"), [("broken.example", "SERVFAIL"), ("no.", "REFUSED")])
def test_servers_that_fail(server: Nsd, query: str, code: str) -> None:
    with pytest.raises(rvh.RVHError, match=f"srv://.* cannot be read: .*{code}"):
        read_once(server.source(query))


def test_addresses(server: Nsd) -> None:
    server.serve("cache A 10.0.0.1", "cache A 10.0.0.2", "cache AAAA ::7")
    options = {"port": 11211, "resolvers": [f"127.0.0.1:{server.port}"], "least": 0.05}
    with Membership(AddressSource("cache.example.com", **options)) as membership:
        assert ids(membership) == ["10.0.0.1", "10.0.0.2"]
        assert membership.snapshot["10.0.0.1"].address == "10.0.0.1:11211"
        server.serve("cache A 10.0.0.2", "cache AAAA ::7")
        until(lambda: ids(membership) == ["10.0.0.2"])
    six = read_once(AddressSource("cache.example.com", type="AAAA", **options))
    assert (six.members[0].id, six.members[0].address) == ("::7", "[::7]:11211")


ASKER = """
import sys
from rvh.membership import read_once
print(read_once(sys.argv[1]).fingerprint)
"""


def test_two_processes_agree(server: Nsd) -> None:
    server.srv(*(f"0 {each + 1} 1 n{each}" for each in range(60)))  # in an order that turns
    url = f"srv://{SERVICE}?resolver=127.0.0.1:{server.port}&weights=srv"
    runs = [
        subprocess.run([sys.executable, "-c", ASKER, url], capture_output=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stdout.decode().strip() == read_once(url).fingerprint


def test_nothing_is_left(server: Nsd) -> None:
    server.srv(*(f"0 {each} 1 n{each}" for each in range(60)))
    with server.follow():
        pass
    before = (threading.active_count(), len(os.listdir("/proc/self/fd")))
    for _ in range(5):
        with server.follow(least=0.001) as membership:
            until(lambda membership=membership: membership.age < 0.1)
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


def test_closed_while_a_question_is_open(server: Nsd) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        before = len(os.listdir("/proc/self/fd"))
        resolver = f"127.0.0.1:{silent.getsockname()[1]}"
        source = server.source(resolvers=[resolver], timeout=60)

        async def ask() -> None:
            async with asyncio.timeout(0.05):
                await anext(source.watch())

        with pytest.raises(TimeoutError):
            asyncio.run(ask())
        assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("srv://", "a host is missing"),
        ("srv://_a._tcp.b:53", "has a port, and there is none here"),
        ("srv://_a._tcp.b/c", "there is nothing after the name, and not '/c'"),
        ("srv://a..b", "is not a DNS name"),
        ("srv://_a._tcp.b?resolver=dns.example", "the resolver 'dns.example' is not an address"),
        ("srv://_a._tcp.b?resolver=10.0.0.1:0", "the resolver '10.0.0.1:0' is not an address"),
        ("srv://_a._tcp.b?weights=yes", "the parameter weights is 'yes': srv"),
        ("srv://_a._tcp.b?priority=all", "the parameter priority is 'all': lowest"),
        ("srv://_a._tcp.b?id=address", "the parameter 'id' is not known: there are weights"),
        ("srv://_a._tcp.b?least=9&most=3", "the least is not above the most"),
        ("dns://a?id=address", "the port is missing"),
        ("dns://a:1", "addresses have no names: .* Use srv://, or say id=address"),
        ("dns://a:1?id=host", "the parameter id is 'host': address"),
        ("dns://a:1?id=address&type=MX", "the parameter type is 'MX': A or AAAA"),
        ("dns://a:1?id=address&id=address", "given twice"),
    ],
)
def test_urls_that_are_wrong(url: str, expected: str) -> None:
    with pytest.raises(rvh.RVHError, match=expected) as caught:
        open_source(url)
    form = "srv://_SERVICE._PROTOCOL.DOMAIN" if url.startswith("srv") else "dns://NAME:PORT?id="
    assert f"its form is {form}" in str(caught.value)


def test_urls() -> None:
    names = {
        "srv://_A._tcp.b.?resolver=::1,[::1]:5353,10.0.0.1": "srv://_A._tcp.b",
        "dns://a.b:80?id=address&type=AAAA&least=1&most=5&timeout=1": "dns://a.b:80",
    }
    assert {url: open_source(url).name for url in names} == names


def test_the_page_of_dns(tmp_path: Path) -> None:
    server = Nsd(tmp_path)
    with server.running():
        assert server.process is not None
        reload = f"kill -HUP {server.process.pid}; sleep 1"
        replaced = {"127.0.0.1:5353": f"127.0.0.1:{server.port}", "nsd-control reload": reload}
        assert run_page("how-to/membership/dns.md", tmp_path, replaced) == 4
