"""docs/reference/metrics.md has every metric, method and alert of a process, and no more.

The page on how to see them runs.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from folders import DOCS
from subprocesses import output

from rvh.observe.calls import METHODS
from rvh.observe.metrics import METRICS, Metric, label, prometheus_name

#: what comes before the service's
TEXT = (DOCS / "reference/metrics.md").read_text("utf-8").partition("## Metrics of the service")[0]


def row(metric: Metric) -> str:
    labels = ", ".join(f"`{each}`" for each in metric.labels)
    names = f"`{metric.name}` | `{prometheus_name(metric)}`"
    return f"| {names} | {metric.kind} | `{metric.unit}` | {labels} | {metric.text} |"


def test_the_table_is_that_of_the_code() -> None:
    assert re.findall(r"^\| `rvh\.[\w.]+` \| `.*$", TEXT, re.MULTILINE) == [
        row(each) for each in METRICS
    ]


def test_names_are_unique_and_follow_one_rule() -> None:
    for each in METRICS:
        assert re.fullmatch(r"rvh(\.[a-z]+(_[a-z]+)*)+", each.name), each
        assert re.fullmatch(r"s|By|1|\{[a-z]+\}", each.unit), each
        assert all(re.fullmatch(r"(rvh|error)(\.[a-z]+)+", name) for name in each.labels), each
        assert re.fullmatch(r"[A-Z1].*\.", each.text), each
    assert len({each.name for each in METRICS}) == len(METRICS)
    assert label("rvh.cache.name") == "rvh_cache_name"


def test_every_method_is_named() -> None:
    (sentence,) = re.findall(r"(?s)`rvh\.method` is one of (.*?)\. The", TEXT)
    named = re.findall(r"`([\w.]+)`", sentence)
    assert sorted(named) == sorted({each.label for each in METHODS})


def test_every_alert_is_named() -> None:
    rules = (files("rvh.observe") / "alerts.yml").read_text("utf-8")
    named = re.findall(r"^\| `(Rvh\w+)` \|", TEXT, re.MULTILINE)
    assert named == re.findall(r"- alert: (\w+)", rules)


def test_the_page_runs_from_start_to_finish(tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
    pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")
    code = f"""
        from pathlib import Path
        from pages import run_page
        print(run_page("how-to/dashboards.md", Path({str(tmp_path)!r}), {{}}))
    """  # a process of its own, which has counted nothing before
    assert output(code, "-W", "ignore") == "6\n"
    assert (tmp_path / "alerts.yml").exists()
    assert (tmp_path / "grafana.json").exists()
