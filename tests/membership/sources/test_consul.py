"""Consul as a source: a stand-in that speaks its documented API, since Consul cannot be had."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from folders import ROOT
from pages import run_page
from servers import Server, free_port, needed, sockets, until

import rvh
from rvh.membership import Membership, NodeMeta, open_source, read_once
from rvh.membership.conformance import check_source

pytest.importorskip("httpx")
from rvh.membership.sources.consul import ConsulSource

FAKE = str(ROOT / "tests/support/fake_consul.py")


class Agent(Server):
    """The stand-in, in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, FAKE, str(self.port), "--state", str(folder / "state.json")]
        super().__init__([*command, *options], lambda: self.ask("/fake"), folder)

    def ask(self, path: str, method: str = "GET", value: object = None) -> Any:
        data = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.loads(answer.read())

    def put(self, node: str, name: str, checks: dict[str, str] | None = None, **more: Any) -> None:
        """Register an instance on a machine."""
        made = [{"CheckID": check, "Status": status} for check, status in (checks or {}).items()]
        meta = more.pop("NodeMeta", {})
        service = {"Service": "cache", "ID": name, "Port": 11211, **more}
        value = {"Node": node, "Address": "10.0.0.1", "Meta": meta, "Service": service,
                 "Checks": made}  # fmt: skip
        self.ask("/v1/catalog/register", "PUT", value)

    def delete(self, node: str, name: str) -> None:
        self.ask("/v1/catalog/deregister", "PUT", {"Node": node, "ServiceID": name})

    def fake(self, **options: object) -> None:
        self.ask("/fake", "POST", options)

    @property
    def index(self) -> int:
        return int(self.ask("/fake")["index"])

    @property
    def requests(self) -> list[str]:
        return list(self.ask("/fake")["requests"])


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with Agent(tmp_path).running() as server:
        yield server  # type: ignore[misc]


def source(agent: Agent, **options: object) -> ConsulSource:
    given = {"wait": 0.5, "timeout": 0.5, **options}
    return ConsulSource(agent.url, "cache", **given)  # type: ignore[arg-type]


def open_membership(agent: Agent, **options: object) -> Membership:
    return Membership(source(agent, **options), backoff=(0.02, 0.1))


def test_it_keeps_the_rules(agent: Agent) -> None:
    def node(name: str, address: str) -> NodeMeta:
        labels = {"os": "linux", "node": f"on-{name}"}
        return NodeMeta(name, address=f"{address}:80", weight=2.0, zone="eu", labels=labels)

    there: set[str] = set()

    def write(nodes: Sequence[NodeMeta]) -> None:
        for each in nodes:
            host, _, port = str(each.address).rpartition(":")
            agent.put(f"on-{each.id}", each.id, Address=host, Port=int(port), Meta={"os": "linux"},
                      NodeMeta={"region": "eu"}, Weights={"Passing": 2})  # fmt: skip
        for name in there - {each.id for each in nodes}:
            agent.delete(f"on-{name}", name)
        there.clear()
        there.update(each.id for each in nodes)

    a, b, c = node("a", "10.0.0.1"), node("b", "10.0.0.2"), node("c", "10.0.0.3")
    check_source(
        lambda: source(agent, weights=True, zone="region"),
        write,
        spoil=lambda: agent.put("on-b", "b", {"service:b": "tired"}),
        states=[[a, b], [a, b, c], [b, c], [node("b", "10.0.0.9"), c]],
    )


def test_a_day(agent: Agent) -> None:
    before = sockets()
    agent.put("m1", "a")
    agent.put("m2", "b")
    agent.put("m2", "x", Service="other")
    with open_membership(agent) as membership:
        assert [*membership.nodes] == ["a", "b"]
        assert membership.snapshot["a"] == NodeMeta(
            "a", address="10.0.0.1:11211", labels={"node": "m1"}
        )
        assert membership.snapshot.epoch == agent.index
        agent.put("m3", "c")
        until(lambda: [*membership.nodes] == ["a", "b", "c"], what="join")
        agent.delete("m2", "b")
        until(lambda: [*membership.nodes] == ["a", "c"], what="leave")
        epoch = membership.snapshot.epoch
        agent.put("m4", "a")  # an id that is there twice
        until(lambda: "'a' is the service of two instances" in str(membership.stats.error))
        assert "a on m1 and a on m4: choose ?id=node" in str(membership.stats.error)
        assert ([*membership.nodes], membership.snapshot.epoch) == (["a", "c"], epoch)
        agent.delete("m4", "a")
        until(lambda: membership.stats.error is None, what="mended")
        agent.kill()
        until(lambda: "Connection refused" in str(membership.stats.error), what="outage")
        age = membership.age
        until(lambda: membership.age > age + 0.2)
        assert [*membership.nodes] == ["a", "c"]
        agent.start()
        agent.put("m5", "d")
        until(lambda: [*membership.nodes] == ["a", "c", "d"], what="restart")
        agent.pause()
        until(lambda: "no answer within" in str(membership.stats.error), what="partition")
        agent.resume()
        until(lambda: membership.stats.error is None, what="resumed")
        for machine, name in (("m1", "a"), ("m3", "c"), ("m5", "d")):
            agent.delete(machine, name)
        until(lambda: "no instance of 'cache' is registered" in str(membership.stats.error))
        assert len(membership.nodes) > 0
    assert not any("rvh-membership" in each.name for each in threading.enumerate())
    assert sockets() == before


def test_a_query_that_ends_confirms(agent: Agent) -> None:
    agent.put("m1", "a")
    with open_membership(agent, wait=0.1) as membership:
        count = len(agent.requests)
        until(lambda: len(agent.requests) >= count + 2)
        assert membership.age < 2
        assert (membership.stats.updates, membership.stats.reconnects) == (1, 0)
        assert agent.requests[-1].endswith(f"index={agent.index}&wait=100ms")


def test_the_index_goes_back(agent: Agent) -> None:
    """A backup is restored: the client has to begin again, or would wait for what has been."""
    agent.fake(index=1000)
    agent.put("m1", "a")
    with open_membership(agent) as membership:
        assert membership.snapshot.epoch == 1001
        agent.fake(index=5)
        until(lambda: agent.requests[-1].endswith("index=5&wait=500ms"))
        assert "index" not in agent.requests[-2]  # from 0
        agent.put("m2", "b")
        until(lambda: [*membership.nodes] == ["a", "b"])
        assert membership.snapshot.epoch == 1002  # an epoch does not go back


def test_an_index_of_0_waits_all_the_same(agent: Agent) -> None:
    agent.put("m1", "a")
    agent.fake(zero=True, index=1)
    with open_membership(agent) as membership:
        until(lambda: len(agent.requests) >= 2)
        assert agent.requests[1].endswith("index=1&wait=500ms")
        assert membership.snapshot.epoch == 1


def test_an_index_that_changes_all_the_time(agent: Agent) -> None:
    agent.put("m1", "a")
    agent.fake(churn=True)
    began = time.monotonic()
    with open_membership(agent) as membership:
        until(lambda: len(agent.requests) >= 7)
        count = len(agent.requests)
        assert count <= 5 + 1 + time.monotonic() - began  # five at once, and then one a second
        assert membership.stats.updates == 1  # the same content is not a change


def test_two_memberships_agree(agent: Agent) -> None:
    agent.put("m1", "a")
    with open_membership(agent) as one, open_membership(agent) as two:
        for number in range(4):
            agent.put("m2", f"b{number}")
            index = agent.index
            until(lambda: one.snapshot.epoch == two.snapshot.epoch == index)  # noqa: B023
            assert one.snapshot.fingerprint == two.snapshot.fingerprint


# -- what an instance says ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ({}, "alive"),
        ({"service:a": "passing"}, "alive"),
        ({"service:a": "passing", "two": "warning"}, "suspect"),
        ({"service:a": "warning", "two": "critical"}, "dead"),
        ({"_service_maintenance:a": "critical", "service:a": "passing"}, "draining"),
        ({"_node_maintenance": "critical", "service:a": "warning"}, "draining"),
        ({"_node_maintenance": "critical", "service:a": "critical"}, "dead"),
    ],
)
def test_checks(agent: Agent, checks: dict[str, str], status: str) -> None:
    agent.put("m1", "a", checks)
    agent.put("m2", "b")
    assert read_once(source(agent))["a"].status == status


def test_a_check_of_an_unknown_status(agent: Agent) -> None:
    agent.put("m1", "a", {"service:a": "tired"})
    with pytest.raises(
        rvh.RVHError, match="check 'service:a' of a on m1 is 'tired': passing, warn"
    ):
        read_once(source(agent))


def test_what_names_a_node(agent: Agent) -> None:
    agent.put("m1", "cache")
    agent.put("m2", "cache")
    with pytest.raises(rvh.RVHError, match=r"\?id=node or \?id=node/service"):
        read_once(source(agent))
    assert [*read_once(source(agent, id="node")).nodes] == ["m1", "m2"]
    assert [*read_once(source(agent, id="node/service")).nodes] == ["m1/cache", "m2/cache"]
    agent.put("m2", "second")
    with pytest.raises(
        rvh.RVHError, match="'m2' is the node of two instances, cache on m2 and sec"
    ):
        read_once(source(agent, id="node"))


def test_metadata(agent: Agent) -> None:
    agent.put("m1", "a", Address="fd00::1", Meta={"zone": "eu-1"}, NodeMeta={"rack": "r1"},
              Weights={"Passing": 10, "Warning": 1}, Tags=["blue"])  # fmt: skip
    agent.put("m2", "b", Address="", Port=0, NodeMeta={"zone": "eu-2", "rack": "r2"}, Meta=None)
    assert read_once(source(agent, zone="zone", rack="rack", weights=True)).members == (
        NodeMeta("a", address="[fd00::1]:11211", weight=10, zone="eu-1", rack="r1",
                 labels={"zone": "eu-1", "node": "m1"}),
        NodeMeta("b", address="10.0.0.1", weight=1, zone="eu-2", rack="r2", labels={"node": "m2"}),
    )  # fmt: skip
    assert read_once(source(agent))["a"].weight is None
    assert [*read_once(source(agent, tag="blue")).nodes] == ["a"]
    read_once(source(agent, dc="dc1", ns="team"))
    assert agent.requests[-1] == "/v1/health/service/cache?dc=dc1&ns=team"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"body": "<html>", "headers": {}}, "has no X-Consul-Index: is it Consul"),
        (
            {"body": "<html>", "headers": {"X-Consul-Index": "7"}},
            "is not Consul's list of instances",
        ),
        (
            {"body": '[{"Node": {}}]', "headers": {"X-Consul-Index": "7"}},
            "is not Consul's list of instances",
        ),
        (
            {"body": '[{"x": ' + "[" * 9999, "headers": {"X-Consul-Index": "7"}},
            "is not Consul's list of",
        ),
        ({"headers": {"X-Consul-Results-Filtered-By-ACLs": "true"}}, "may not read all of it"),
    ],
)
def test_answers_that_cannot_be_used(agent: Agent, options: dict[str, Any], message: str) -> None:
    agent.put("m1", "a")
    with open_membership(agent) as membership:
        agent.fake(**options)
        agent.put("m2", "b")
        until(lambda: message in str(membership.stats.error), what=message)
        assert [*membership.nodes] == ["a"]
        agent.fake()
        agent.put("m3", "c")
        until(lambda: [*membership.nodes] == ["a", "b", "c"])


# -- how it is asked ----------------------------------------------------------------------------


def test_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "token"
    path.write_text("hidden\n")
    monkeypatch.delenv("CONSUL_HTTP_TOKEN", raising=False)
    monkeypatch.delenv("CONSUL_HTTP_TOKEN_FILE", raising=False)
    with Agent(tmp_path, "--token", "hidden").running() as server:
        assert isinstance(server, Agent)
        server.put("m1", "a")
        url = f"consul://127.0.0.1:{server.port}/cache"
        with pytest.raises(rvh.RVHError, match=r"it answered 403 Forbidden: .Permission denied"):
            read_once(url)
        assert len(read_once(f"{url}?token_file={path}")) == 1
        assert len(read_once(source(server, token="hidden"))) == 1
        monkeypatch.setenv("CONSUL_HTTP_TOKEN", "wrong")
        with pytest.raises(rvh.RVHError, match="403 Forbidden") as caught:
            read_once(url)
        assert "wrong" not in str(caught.value)
        monkeypatch.setenv("CONSUL_HTTP_TOKEN_FILE", str(path))
        assert len(read_once(url)) == 1
        assert "hidden" not in repr(open_source(url)) + open_source(url).name


def test_certificates(tmp_path: Path) -> None:
    subprocess.run(
        [needed("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "ca.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    url = f"consuls://localhost:{port}/cache"

    def answers() -> bool:
        with pytest.raises(rvh.RVHError, match=r"Connection refused|no instance") as caught:
            read_once(f"{url}?ca={tmp_path}/ca.pem")
        return "no instance" in str(caught.value)

    command = [sys.executable, FAKE, str(port), "--tls", "ca.pem", "key.pem"]
    with (
        Server(command, answers, tmp_path).running(),
        pytest.raises(rvh.RVHError, match="certificate verify failed"),
    ):
        read_once(url)


def test_the_page(tmp_path: Path) -> None:
    needed("curl")
    with Agent(tmp_path).running() as server:
        assert isinstance(server, Agent)
        replaced = {"127.0.0.1:8500": f"127.0.0.1:{server.port}"}
        assert run_page("how-to/membership/consul.md", tmp_path, replaced) == 4


def test_what_is_wrong_in_a_url() -> None:
    form = "its form is consul://HOST"
    for url, message in {
        "consul://h": form,
        "consul://h/a/b": form,
        "consul:///cache": "a host is missing",
        "consul://h:x/cache": "the port is 'x'",
        "consul://me:hidden@h/cache": "no place for a user",
        "consul://h/cache?token=hidden": "'token' is not known: there are tag, dc",
        "consul://h/cache?near=_agent": "'near' is not known",
        "consul://h/cache?id=name": "id is 'name': choose one of service, node, node/service",
        "consul://h/cache?weights=yes": "weights is 'yes': true or false",
        "consul://h/cache?wait=0": "wait is '0': a number of seconds above 0",
        'consul://h/cache?tag=a"b': "a tag has no quotes",
    }.items():
        with pytest.raises(rvh.RVHError, match=message) as caught:
            open_source(url)
        assert "hidden" not in str(caught.value)
    assert open_source("consul://h/cache").name == "consul://h:8500/cache"
    assert open_source("consuls://[::1]/cache").name == "consuls://[::1]:8501/cache"
    with pytest.raises(rvh.RVHError, match="the token is empty or has a character"):
        ConsulSource("http://h", "cache", token="hid\nden")
    with pytest.raises(rvh.RVHError, match="is not of the form http://HOST:8500"):
        ConsulSource("http://h/v1", "cache")
