"""Kubernetes as a source: a stand-in that speaks its documented API, since a cluster is no test's.

Scenario 16 and what surrounds it: lists in pages, watches, bookmarks, 410, tokens, kubeconfig.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from folders import ROOT
from pages import run_page
from servers import Server, free_port, needed, sockets, until

import rvh
from rvh.membership import Membership, NodeMeta, Status, open_source, read_once
from rvh.membership.conformance import check_source

pytest.importorskip("httpx")
from rvh.membership.sources import kubeconfig
from rvh.membership.sources.kubeconfig import Access, find_access
from rvh.membership.sources.kubernetes import KubernetesSource

SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


class Cluster(Server):
    """The stand-in, in a process of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, str(ROOT / "tests/support/fake_kubernetes.py"), str(self.port)]
        state = ["--state", str(folder / "state.json")]
        super().__init__([*command, *state, *options], lambda: self.ask("/fake"), folder)

    def ask(self, path: str, method: str = "GET", value: object = None) -> Any:
        data = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.loads(answer.read())

    def put(
        self, name: str, endpoints: Sequence[object], service: str = "cache", **more: object
    ) -> None:
        """Write a slice of a service."""
        labels = {"kubernetes.io/service-name": service}
        value = {"metadata": {"labels": labels}, "addressType": "IPv4", "endpoints": endpoints,
                 "ports": [{"name": "data", "port": 11211}], **more}  # fmt: skip
        self.ask(f"{SLICES}/{name}", "PUT", value)

    def delete(self, name: str) -> None:
        self.ask(f"{SLICES}/{name}", "DELETE")

    def fake(self, **options: object) -> None:
        self.ask("/fake", "POST", options)

    def asked(self, text: str) -> int:
        """How many requests had this in their URL."""
        return sum(text in each for each in self.ask("/fake")["requests"])


def pod(name: str, address: str | None = None, **conditions: bool) -> dict[str, object]:
    return {
        "addresses": [address or f"10.0.0.{ord(name[-1])}"],
        "conditions": conditions or {"ready": True},
        "targetRef": {"kind": "Pod", "name": name},
        "zone": "eu-1",
        "nodeName": "machine-1",
    }


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path).running() as server:
        yield server  # type: ignore[misc]


def source(cluster: Cluster, **options: object) -> KubernetesSource:
    given = {"access": Access(cluster.url), "watch_seconds": 1, "timeout": 1.0, **options}
    return KubernetesSource("default", "cache", **given)  # type: ignore[arg-type]


def open_membership(cluster: Cluster, **options: object) -> Membership:
    return Membership(source(cluster, **options), backoff=(0.02, 0.1))


def test_it_keeps_the_rules(cluster: Cluster) -> None:
    def node(name: str, address: str) -> NodeMeta:
        return NodeMeta(name, address=f"{address}:11211", zone="eu-1", labels={"node": "m"})

    def write(nodes: Sequence[NodeMeta]) -> None:
        cluster.put("cache-1", [
            {"addresses": [str(each.address).partition(":")[0]], "targetRef": {"name": each.id},
             "zone": each.zone, "nodeName": "m"}
            for each in nodes
        ])  # fmt: skip

    a, b, c = node("a", "10.0.0.1"), node("b", "10.0.0.2"), node("c", "10.0.0.3")
    check_source(
        lambda: source(cluster, watch_seconds=5),
        write,
        spoil=lambda: cluster.put("cache-1", [{"addresses": "10.0.0.1"}]),
        states=[[a, b], [a, b, c], [b, c], [node("b", "10.0.0.9"), c]],
    )


def test_a_day(cluster: Cluster) -> None:
    before = sockets()
    cluster.put("cache-1", [pod("a"), pod("b")])
    cluster.put("other-1", [pod("x")], service="other")
    with open_membership(cluster) as membership:
        assert [*membership.nodes] == ["a", "b"]
        assert membership.snapshot["a"] == NodeMeta(
            "a", address="10.0.0.97:11211", zone="eu-1", labels={"node": "machine-1"}
        )
        cluster.put("cache-2", [pod("c")])
        until(lambda: [*membership.nodes] == ["a", "b", "c"], what="join")
        assert membership.snapshot.epoch == cluster.ask("/fake")["version"]
        cluster.put("cache-1", [pod("a"), pod("b", ready=False, serving=True, terminating=True)])
        until(lambda: membership.snapshot["b"].status is Status.DRAINING, what="drain")
        cluster.put("cache-1", [pod("a")])
        until(lambda: "b" not in membership.snapshot, what="leave")
        epoch = membership.snapshot.epoch
        # A bad update is refused until it is mended, whatever other slices say.
        cluster.put("cache-1", [{"addresses": 7}])
        until(lambda: "not a Kubernetes slice" in str(membership.stats.error))
        cluster.put("cache-2", [pod("c"), pod("d")])
        until(lambda: membership.stats.refused >= 2)
        assert ([*membership.nodes], membership.snapshot.epoch) == (["a", "c"], epoch)
        cluster.put("cache-1", [pod("a")])
        until(lambda: [*membership.nodes] == ["a", "c", "d"], what="mended")
        cluster.kill()
        until(lambda: "Connection refused" in str(membership.stats.error), what="outage")
        age = membership.age
        until(lambda: membership.age > age + 0.2)
        assert [*membership.nodes] == ["a", "c", "d"]
        cluster.start()
        cluster.delete("cache-2")
        until(lambda: [*membership.nodes] == ["a"], what="restart")
        until(lambda: membership.stats.error is None)
        cluster.pause()
        until(lambda: "no answer within" in str(membership.stats.error), what="partition")
        cluster.resume()
        until(lambda: membership.stats.error is None, what="resumed")
        cluster.delete("cache-1")
        until(lambda: "no EndpointSlice has the label" in str(membership.stats.error))
        assert [*membership.nodes] == ["a"]
    assert not any("rvh-membership" in each.name for each in threading.enumerate())
    assert sockets() == before


def test_watches_end_and_begin_again(cluster: Cluster) -> None:
    cluster.fake(bookmarks=0.1)
    cluster.put("cache-1", [pod("a")])
    with open_membership(cluster) as membership:
        until(lambda: cluster.asked("watch=1") >= 3)
        assert cluster.asked("limit=500") == 1  # nothing is listed anew
        assert membership.stats.reconnects == 0
        # The next watch begins where the bookmarks were, also when others have written since.
        cluster.put("other-1", [pod("x")], service="other")
        version = cluster.ask("/fake")["version"]
        until(lambda: cluster.asked(f"resourceVersion={version}") >= 1)
        cluster.put("cache-1", [pod("a"), pod("b")])
        until(lambda: [*membership.nodes] == ["a", "b"])


@pytest.mark.parametrize("how", ["status", "event"])
def test_what_is_forgotten_is_listed_anew(cluster: Cluster, how: str) -> None:
    """Scenario 16: 410 Gone; a deletion that no event told of is noticed."""
    cluster.put("cache-1", [pod("a")])
    cluster.put("cache-2", [pod("b")])
    with open_membership(cluster) as membership:
        cluster.fake(gone=how)
        cluster.kill()  # what it was in the middle of is lost
        path = cluster.folder / "state.json"
        kept = json.loads(path.read_text())
        del kept["objects"]["default/cache-2"]
        kept["version"] += 5
        path.write_text(json.dumps(kept))
        cluster.start()
        until(lambda: [*membership.nodes] == ["a"])
        cluster.fake(gone=how)
        listed = cluster.asked("limit=500")
        lost = membership.stats.reconnects
        cluster.fake(forget=True)
        until(lambda: cluster.asked("limit=500") > listed, what="a new list")
        cluster.put("cache-1", [pod("a"), pod("c")])
        until(lambda: [*membership.nodes] == ["a", "c"])
        assert membership.stats.reconnects == lost  # no outage


def test_pages(cluster: Cluster) -> None:
    for number in range(10):
        cluster.put(f"cache-{number}", [pod(f"p{number}")])
    cluster.fake(page=3)
    with open_membership(cluster) as membership:
        assert len(membership.nodes) == 10
        assert cluster.asked("continue=") == 3
    cluster.fake(forget_pages=True)  # the token of the next list is too old at once
    assert len(read_once(source(cluster))) == 10


def test_an_error_ends_the_watch(cluster: Cluster) -> None:
    cluster.put("cache-1", [pod("a")])
    with open_membership(cluster) as membership:
        until(lambda: cluster.asked("watch=1") >= 1)
        cluster.fake(error={"kind": "Status", "code": 500, "message": "etcdserver: no leader"})
        until(lambda: membership.stats.reconnects >= 1)
        cluster.put("cache-1", [pod("a"), pod("b")])
        until(lambda: [*membership.nodes] == ["a", "b"])


def test_two_memberships_agree(cluster: Cluster) -> None:
    cluster.put("cache-1", [pod("a")])
    with open_membership(cluster) as one, open_membership(cluster) as two:
        for number in range(5):
            cluster.put("cache-2", [pod(f"b{number}")])
            version = cluster.ask("/fake")["version"]
            until(lambda: one.snapshot.epoch == two.snapshot.epoch == version)  # noqa: B023
            assert one.snapshot.fingerprint == two.snapshot.fingerprint


# -- what a slice says ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({}, "alive"),
        ({"ready": None}, "alive"),
        (
            {"ready": True, "serving": True, "terminating": True},
            "alive",
        ),  # publishNotReadyAddresses
        ({"ready": False, "serving": True, "terminating": True}, "draining"),
        ({"ready": False, "terminating": True}, "draining"),
        ({"ready": False, "serving": False, "terminating": True}, "dead"),
        ({"ready": False, "serving": False, "terminating": False}, "dead"),
        ({"ready": False}, "dead"),
    ],
)
def test_conditions(cluster: Cluster, conditions: dict[str, bool], status: str) -> None:
    cluster.put("cache-1", [pod("a") | {"conditions": conditions}, pod("b")])
    assert read_once(source(cluster))["a"].status == status


def test_what_names_a_node(cluster: Cluster) -> None:
    endpoint = {"addresses": ["10.0.0.1"], "hostname": "cache-0", "nodeName": "machine-1"}
    for endpoints, named_by, expected in [
        ([endpoint | {"targetRef": {"kind": "Pod", "name": "pod"}}], "name", "pod"),
        ([endpoint], "name", "cache-0"),
        ([endpoint | {"targetRef": {"kind": "Pod", "name": "pod"}}], "hostname", "cache-0"),
        ([endpoint], "node", "machine-1"),
        ([endpoint], "address", "10.0.0.1"),
    ]:
        cluster.put("cache-1", endpoints)
        assert [*read_once(source(cluster, id=named_by)).nodes] == [expected]
    cluster.put("cache-1", [{"addresses": ["10.0.0.1"]}])
    for named_by, message in {
        "name": r"\['10.0.0.1'\] of cache-1 has no name of a pod, and no hostname: choose another",
        "hostname": "has no hostname",
        "node": "has no node",
    }.items():
        with pytest.raises(rvh.RVHError, match=message):
            read_once(source(cluster, id=named_by))


def test_a_pod_in_several_slices_is_one_node(cluster: Cluster) -> None:
    cluster.put("cache-a6", [pod("a", "fd00::1"), pod("b", "fd00::2")], addressType="IPv6")
    cluster.put("cache-b4", [pod("a", "10.0.0.1"), pod("b", "10.0.0.2")])
    found = read_once(source(cluster))
    assert [node.address for node in found.members] == ["10.0.0.1:11211", "10.0.0.2:11211"]
    found = read_once(source(cluster, family="IPv6"))
    assert [node.address for node in found.members] == ["[fd00::1]:11211", "[fd00::2]:11211"]
    # On its way from one slice to another: what is alive counts.
    cluster.put("cache-c4", [pod("a", "10.0.0.1", ready=False)])
    assert read_once(source(cluster))["a"].status is Status.ALIVE
    cluster.delete("cache-a6")
    cluster.delete("cache-b4")
    cluster.put("cache-c4", [pod("a", ready=False), pod("c")])
    assert read_once(source(cluster))["a"].status is Status.DEAD


def test_ports(cluster: Cluster) -> None:
    two = [{"name": "data", "port": 11211}, {"name": "metrics", "port": 9150}]
    cluster.put("cache-1", [pod("a", "10.0.0.1")], ports=two)
    cluster.put("cache-2", [pod("b", "10.0.0.2")], ports=[{"name": "data", "port": 11212}])
    cluster.put("cache-3", [])

    def addresses(port: str | None) -> list[str | None]:
        return [node.address for node in read_once(source(cluster, port=port)).members]

    assert addresses("data") == ["10.0.0.1:11211", "10.0.0.2:11212"]
    assert addresses("metrics") == ["10.0.0.1:9150"]  # b has none
    assert addresses("11212") == ["10.0.0.2:11212"]
    with pytest.raises(rvh.RVHError, match=r"cache-1 has the ports data, metrics: choose \?port="):
        addresses(None)
    with pytest.raises(rvh.RVHError, match="no slice has the port 'date': there are data, metrics"):
        addresses("date")
    cluster.delete("cache-1")
    assert addresses(None) == ["10.0.0.2:11212"]
    cluster.put("cache-2", [pod("b", "10.0.0.2")], ports=None)
    assert addresses(None) == ["10.0.0.2"]


# -- how the cluster is found ----------------------------------------------------------------------


def config(**given: Any) -> str:
    server = given.pop("server", "https://127.0.0.1:6443")
    cluster = {"server": server, **given.pop("cluster", {})}
    return yaml.safe_dump({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "home",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": given.pop("user", {})}],
        "contexts": [{"name": "home", "context": {"cluster": "c", "user": "u"}},
                     {"name": "arn:aws:eks:x:1:cluster/y", "context": {"cluster": "c"}}],
        **given,
    })  # fmt: skip


def test_the_page(tmp_path: Path) -> None:
    needed("curl")
    with Cluster(tmp_path).running() as cluster:
        real = f"http://127.0.0.1:{cluster.port}"  # type: ignore[attr-defined]
        replaced = {"http://127.0.0.1:8001": real}
        assert run_page("how-to/membership/kubernetes.md", tmp_path, replaced) == 5


def test_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("hidden\n")
    path = tmp_path / "config"
    with Cluster(tmp_path, "--token", "hidden").running() as server:
        assert isinstance(server, Cluster)
        server.put("cache-1", [pod("a")])
        monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/none{':'}{path}")
        for user in ({"token": "hidden"}, {"tokenFile": "token"}):
            path.write_text(config(server=server.url, user=user))
            assert [*read_once("k8s://default/cache").nodes] == ["a"]
            assert "hidden" not in open_source("k8s://default/cache").name
        path.write_text(config(server=server.url, user={"token": "wrong"}))
        with pytest.raises(rvh.RVHError, match="it answered 401 Unauthorized: 'Unauthorized'") as e:
            read_once("k8s://default/cache")
        assert "wrong" not in str(e.value)


def test_certificates(tmp_path: Path) -> None:
    def openssl(*arguments: str) -> None:
        subprocess.run(
            [needed("openssl"), *arguments], cwd=tmp_path, check=True, capture_output=True
        )

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=ca",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem",
            "-out", "ca.pem")  # fmt: skip
    data = {name: base64.b64encode((tmp_path / f"{name}.pem").read_bytes()).decode()
            for name in ("ca", "key")}  # fmt: skip
    port = free_port()
    command = [sys.executable, str(ROOT / "tests/support/fake_kubernetes.py"), str(port)]
    command += ["--tls", "ca.pem", "key.pem", "ca.pem"]
    path = tmp_path / "config"

    def answers() -> bool:
        with pytest.raises(rvh.RVHError, match=r"Connection refused|no EndpointSlice") as caught:
            read_once(f"k8s://default/cache?kubeconfig={path}")
        return "no EndpointSlice" in str(caught.value)

    by_data = {"client-certificate-data": data["ca"], "client-key-data": data["key"]}
    by_file = {"client-certificate": "ca.pem", "client-key": "key.pem"}
    path.write_text(config(server=f"https://127.0.0.1:{port}", user=by_data,
                           cluster={"certificate-authority-data": data["ca"]}))  # fmt: skip
    with Server(command, answers, tmp_path).running():
        path.write_text(config(server=f"https://127.0.0.1:{port}", user=by_file,
                               cluster={"certificate-authority": "ca.pem"}))  # fmt: skip
        assert answers()
        path.write_text(config(server=f"https://127.0.0.1:{port}", user=by_file))
        with pytest.raises(rvh.RVHError, match="certificate verify failed"):
            read_once(f"k8s://default/cache?kubeconfig={path}")


def test_within_a_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr(kubeconfig, "ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    access = find_access()
    assert (access.server, access.ca) == ("https://[fd00::1]:6443", str(tmp_path / "ca.crt"))
    for token in ("first", "second"):  # it is replaced before it expires
        (tmp_path / "token").write_text(token)
        assert access.headers() == {"Authorization": f"Bearer {token}"}


def test_contexts_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text(config(user={"token": "t1"}, server="https://one/"))
    two.write_text(
        yaml.safe_dump({"contexts": [{"name": "away", "context": {"cluster": "c", "user": "u"}}]})
    )
    monkeypatch.setenv("KUBECONFIG", f"{one}:{two}")
    assert find_access() == Access("https://one", "t1")
    assert find_access(context="away") == Access("https://one", "t1")
    assert find_access(context="arn:aws:eks:x:1:cluster/y") == Access("https://one")
    with pytest.raises(rvh.RVHError, match=r"no context 'hone': there are home, arn:aws.*, away"):
        find_access(context="hone")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (config(user={"exec": {"command": "aws"}}), "user 'u' has exec, .*no program is run"),
        (config(user={"auth-provider": {}, "username": "x"}), "has username"),
        (config(cluster={"insecure-skip-tls-verify": True}), "are always verified"),
        (config(cluster={"proxy-url": "http://x"}), "set HTTPS_PROXY"),
        (config(cluster={"certificate-authority-data": "~"}), "authority-data is not base64"),
        (config(server="ftp://x"), "the server of cluster 'c' is not a URL"),
        (config(**{"current-context": ""}), r"no current-context: choose one, \?context=NAME"),
        (config(clusters=[]), "has no cluster 'c': there are none"),
        ("a: [", "it is not YAML"),
        ("a: !!timestamp x", "it is not YAML"),
        ("[" * 9999, "it is not YAML"),
        ("7", "it holds no object"),
    ],
)
def test_configurations_that_are_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(rvh.RVHError, match=message):
        find_access(str(path))


def test_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(rvh.RVHError, match=r"there is no kubeconfig .*none, and no account"):
        read_once(f"k8s://default/cache?kubeconfig={tmp_path}/none")


def test_what_is_wrong_in_a_url() -> None:
    form = "its form is k8s://NAMESPACE/SERVICE"
    for url, message in {
        "k8s://default": form,
        "k8s://default/a/b": form,
        "k8s:///default/cache": "a host is missing",
        "k8s://default:80/cache": "has a port, and there is none",
        "k8s://me@default/cache": "no place for a user",
        "k8s://default/cache?ports=a": "'ports' is not known: there are port, id",
        "k8s://default/cache?port=": "port is empty",
        "k8s://default/cache?id=ip": "id is 'ip': choose one of name, hostname, node, address",
        "k8s://default/cache?family=6": "family is '6': choose IPv4 or IPv6",
    }.items():
        with pytest.raises(rvh.RVHError, match=message):
            open_source(url)
