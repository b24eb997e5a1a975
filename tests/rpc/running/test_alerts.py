"""The alerts about the service: what promtool says of them, and the names that they ask for."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from prometheus_server import promtool

pytest.importorskip("msgspec", reason="msgspec is not installed")
pytest.importorskip("grpc", reason="grpcio is not installed")

from rvh.observe.metrics import METRICS, label, prometheus_name
from rvh.rpc.metrics import Report, table

ALERTS = files("rvh.rpc") / "alerts.yml"


def test_promtool_accepts_the_rules() -> None:
    promtool("check", "rules", str(ALERTS))
    promtool("test", "rules", "alerts.test.yml", folder=Path(__file__).parent)


def test_every_alert_is_tested() -> None:
    tests = (Path(__file__).parent / "alerts.test.yml").read_text("utf-8")
    for alert in re.findall(r"- alert: (\w+)", ALERTS.read_text("utf-8")):
        assert re.search(rf"alertname: {alert}\n +exp_alerts:\n", tests), f"{alert} never fires"


def test_names_in_the_rules_are_those_of_the_tables() -> None:
    metrics = (*table(Report), *METRICS)
    histograms = {prometheus_name(each) for each in metrics if each.kind == "histogram"}
    names = {prometheus_name(each) for each in metrics} - histograms
    names |= {f"{name}_{end}" for name in histograms for end in ("bucket", "sum", "count")}
    labels = {label(name) for each in metrics for name in each.labels}
    asked = re.findall(r"\b(?:rvh|rpc)_\w+", ALERTS.read_text("utf-8"))
    assert len(asked) > 10
    assert [name for name in asked if name not in names | labels] == []
