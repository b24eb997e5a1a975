"""A real Prometheus scrapes, runs the queries of the dashboard, and its alerts come and go."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from prometheus_server import Prometheus, prometheus, promtool
from servers import until

from rvh import NodeSet, RVHError, observe
from rvh.cache import SelectionCache
from rvh.observe import load
from rvh.observe.metrics import METRICS, label, prometheus_name
from rvh.partitions import PartitionTable

client = pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
pytest.importorskip("msgspec", reason="msgspec is not installed")

from scripted import Scripted  # noqa: E402

from rvh.membership import SAME, Membership  # noqa: E402
from rvh.observe.prometheus import register  # noqa: E402

ALERTS = files("rvh.observe") / "alerts.yml"
DASHBOARD = files("rvh.observe") / "grafana.json"
#: the alerts' windows, as a test can wait for them
QUICK = {r"\[\d+[mh]\]": "[4s]", r"for: \d+m": "for: 1s", r"> 300\b": "> 2", ">= 1000": ">= 100"}
FLEET = "a b c d e f g h"


# -- what can be said without a server -----------------------------------------------------------


def test_promtool_accepts_the_names() -> None:
    registry = client.CollectorRegistry()
    register(registry)
    shown = client.generate_latest(registry)
    assert promtool("check", "metrics", page=shown) == b"", shown


def test_promtool_accepts_the_rules() -> None:
    promtool("check", "rules", str(ALERTS))
    promtool("test", "rules", "alerts.test.yml", folder=Path(__file__).parent)


def test_a_registry_has_the_metrics_once_and_lets_them_go() -> None:
    registry = client.CollectorRegistry()
    collector = register(registry)
    with pytest.raises(ValueError, match="rvh_calls"):
        register(registry)
    registry.unregister(collector)
    assert client.generate_latest(registry) == b""


def test_names_in_rules_and_dashboard_are_those_of_the_table() -> None:
    suffixes = {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
    names = {prometheus_name(each) + suffix for each in METRICS for suffix in suffixes[each.kind]}
    labels = {label(each) for metric in METRICS for each in metric.labels}
    for text in (ALERTS.read_text("utf-8"), *dashboard_queries()):
        used = set(re.findall(r"\brvh_\w+", text))
        assert used - labels <= names
    queries = " ".join(dashboard_queries())
    shown = {each.name for each in METRICS if prometheus_name(each) in queries}
    assert shown == {each.name for each in METRICS}, "the dashboard shows every metric"


def dashboard_queries() -> list[str]:
    model: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return [target["expr"] for panel in model["panels"] for target in panel.get("targets", [])]


def test_the_dashboard_is_one_of_grafana() -> None:
    reason = "grafana-foundation-sdk is not installed"
    models = pytest.importorskip("grafana_foundation_sdk.models.dashboard", reason=reason)
    plugins = pytest.importorskip("grafana_foundation_sdk.cog.plugins", reason=reason)
    plugins.register_default_plugins()
    read = models.Dashboard.from_json(json.loads(DASHBOARD.read_text("utf-8")))
    panels = [panel for panel in read.panels if panel.type_val == "timeseries"]
    assert [target.expr for panel in panels for target in panel.targets] == dashboard_queries()
    assert all(panel.title and panel.description for panel in panels)
    assert len({panel.id_val for panel in read.panels}) == len(read.panels)
    (variable,) = read.templating.list_val
    assert (variable.name, variable.query) == ("datasource", "prometheus")


# -- a process that is scraped ------------------------------------------------------------------


class Work:
    """Calls of all kinds, over and over; `hot` makes most of them ask for one key."""

    def __init__(self) -> None:
        self.hot = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        nodes = NodeSet(FLEET.split(), scheme="murmur")
        table, cache = PartitionTable(nodes, 256), SelectionCache(nodes, 50)
        observe.watch(cache, "sessions")
        number = 0
        while not self._done.wait(0.005):
            keys = [f"user:{number + each}" for each in range(500)]
            if self.hot:
                keys[:400] = ["the one that all want"] * 400
            nodes.select_batch(keys)
            nodes.select("x"), table.lookup("x"), table.lookup_batch(keys[:10])
            cache.select_batch(keys[:20])
            cache.select_batch(keys[:20])
            try:
                nodes.select_batch([None])
            except RVHError:
                number += 500
        observe.unwatch(cache)

    def close(self) -> None:
        self._done.set()
        self._thread.join()


@pytest.fixture(scope="module")
def work() -> Iterator[Work]:
    with pytest.MonkeyPatch.context() as patch, closing(Work()) as work:
        patch.setattr(load, "INTERVAL", 0.02)
        patch.setattr(load, "_LOAD", load.Load())
        observe.instrument(load=True)
        yield work
        observe.uninstrument()


@pytest.fixture(scope="module")
def source() -> Scripted:
    return Scripted(FLEET)


@pytest.fixture(scope="module")
def membership(source: Scripted) -> Iterator[Membership]:
    with Membership(source, max_change=0.6) as membership:
        observe.watch(membership, "fleet")
        yield membership
        observe.unwatch(membership)  # or the name is free only once it is garbage collected


@pytest.fixture(scope="module")
def asked(
    work: Work, membership: Membership, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    lost = Membership(Scripted("a", ConnectionError("gone")), backoff=(30, 30))
    observe.watch(lost, "lost")
    registry = client.CollectorRegistry()
    register(registry)
    server, thread = client.start_http_server(0, "127.0.0.1", registry)
    folder = tmp_path_factory.mktemp("prometheus")
    rules = ALERTS.read_text("utf-8")
    for written, quick in QUICK.items():
        rules, count = re.subn(written, quick, rules)
        assert count, written
    (folder / "alerts.yml").write_text(rules, "utf-8")
    try:
        with prometheus(server.server_port, folder / "alerts.yml", folder) as asked:
            yield asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        lost.close()
        observe.unwatch(lost)


def test_every_query_of_the_dashboard_has_data(asked: Prometheus) -> None:
    for query in dashboard_queries():
        here = query.replace("$__rate_interval", "4s")

        def has_numbers(here: str = here) -> bool:
            return any(value == value for _, value in asked.query(here))  # not only NaN

        until(has_numbers, 15, f"{here} has data")


def test_values_are_those_of_the_process(asked: Prometheus, membership: Membership) -> None:
    def calls() -> float:
        ((_, value),) = asked.query('rvh_calls_total{rvh_method="NodeSet.select_batch"}')
        return value

    before = observe.counts("NodeSet.select_batch").calls
    until(lambda: calls() >= before, 10, "the calls so far are scraped")
    assert calls() <= observe.counts("NodeSet.select_batch").calls
    epochs = asked.query('rvh_membership_epoch{rvh_membership_name="fleet"}')
    assert [value for _, value in epochs] == [membership.snapshot.epoch]
    nodes = asked.query('rvh_membership_nodes{rvh_membership_name="fleet"}')
    found = {labels["rvh_node_status"]: value for labels, value in nodes}
    assert found == {"alive": 8, "suspect": 0, "draining": 0, "dead": 0}
    assert asked.query("rvh_cache_entries{rvh_cache_name='sessions'}")[0][1] == 50


class Confirming:
    """Has the source confirm its state all the time, or not."""

    def __init__(self, source: Scripted) -> None:
        self.source, self.on = source, threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.on.set()
        self._thread.start()

    def _run(self) -> None:
        while not self._done.wait(0.1):
            if self.on.is_set():
                self.source.say(SAME)

    def close(self) -> None:
        self._done.set()
        self._thread.join()


def test_alerts_fire_and_clear(
    asked: Prometheus, work: Work, source: Scripted, membership: Membership
) -> None:
    def wait_for(firing: bool, *names: str) -> None:
        until(lambda: [name in alerts() for name in names] == [firing] * len(names), 20, str(names))

    def alerts() -> set[str]:  # "lost" has some all the time
        found = asked.query('ALERTS{alertstate="firing", rvh_membership_name!="lost"}')
        return {labels["alertname"] for labels, _ in found}

    of_the_fleet = ("RvhSnapshotStale", "RvhUpdatesRefused", "RvhUpdateHeld", "RvhChurn")
    with closing(Confirming(source)) as confirming:
        wait_for(False, *of_the_fleet, "RvhLoadUneven")

        work.hot = True
        source.say(RVHError("it is HTML"))
        wait_for(True, "RvhUpdatesRefused", "RvhLoadUneven")

        confirming.on.clear()
        source.say("a b")  # six nodes of eight are gone, which moves more than max_change
        wait_for(True, "RvhUpdateHeld", "RvhSnapshotStale")

        epoch = membership.snapshot.epoch
        source.say(*(FLEET.replace("h", f"h{number}") for number in range(5)))  # 1/8 each
        wait_for(True, "RvhChurn")
        assert membership.snapshot.epoch == epoch + 5
        texts = str(asked.firing())
        assert "error expanding" not in texts
        assert "<no value>" not in texts

        work.hot = False
        confirming.on.set()
        wait_for(False, *of_the_fleet, "RvhLoadUneven")
