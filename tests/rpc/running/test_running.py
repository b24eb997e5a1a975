"""The service's pages have every metric and alert, as they are, and no more; the commands run."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from folders import DOCS

pytest.importorskip("msgspec", reason="msgspec is not installed")
pytest.importorskip("grpc", reason="grpcio is not installed")

from pages import run_page

from rvh.observe.metrics import Metric, prometheus_name
from rvh.rpc.access import Line
from rvh.rpc.metrics import Report, table

RUNNING = (DOCS / "how-to/service/running.md").read_text("utf-8")
#: what comes after the metrics of any process
TEXT = (DOCS / "reference/metrics.md").read_text("utf-8").partition("## Metrics of the service")[2]
METRICS = table(Report)


def row(metric: Metric) -> str:
    labels = ", ".join(f"`{each}`" for each in metric.labels)
    names = f"`{metric.name}` | `{prometheus_name(metric)}`"
    return f"| {names} | {metric.kind} | `{metric.unit}` | {labels} | {metric.text} |"


def test_the_table_is_that_of_the_code() -> None:
    found = re.findall(r"^\| `(?:rvh|rpc)\..*$", TEXT, re.MULTILINE)
    assert found == [row(each) for each in METRICS]


def test_every_alert_is_named() -> None:
    rules = (files("rvh.rpc") / "alerts.yml").read_text("utf-8")
    named = re.findall(r"^\| `(Rvh\w+)` \|", TEXT, re.MULTILINE)
    assert named == re.findall(r"- alert: (\w+)", rules)


def test_no_metric_is_named_that_is_not_there() -> None:
    known = {prometheus_name(each) for each in METRICS}
    known |= {f"{name}_{end}" for name in known for end in ("bucket", "count")}
    for name in re.findall(r"\b(?:rvh_service|rpc_server)\w+", RUNNING + TEXT):
        assert name in known or name == "rvh_service_reason", name


def test_the_line_of_the_access_log_has_the_fields_of_one() -> None:
    (line,) = re.findall(r'^\{"time":.*\}$', RUNNING, re.MULTILINE)
    method, peer = "rvh.v1.Selection/SelectBatch", "ipv4:10.0.0.7:51234"
    told = Line(1769860800.0, method, peer, "OK", 10_000, 0.001, 7)
    assert line == told.encode().decode().rstrip()


def test_its_commands_run(tmp_path: Path) -> None:
    assert run_page("how-to/service/running.md", tmp_path, {}) == 2
    assert (tmp_path / "rvh-service.yml").read_bytes() == (
        files("rvh.rpc") / "alerts.yml"
    ).read_bytes()
