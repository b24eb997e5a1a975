"""A Prometheus that scrapes one endpoint of this machine and evaluates rules every second."""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from servers import Server, free_port, needed

__all__ = ["Prometheus", "prometheus", "promtool"]

CONFIGURATION = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}}
rule_files: [{rules}]
scrape_configs:
  - job_name: rvh
    static_configs: [{{targets: ["127.0.0.1:{target}"]}}]
"""


def promtool(*arguments: str, folder: Path | None = None, page: bytes = b"") -> bytes:
    """Run promtool, which must accept what it is given; return what it says."""
    run = subprocess.run(
        [needed("promtool"), *arguments],
        cwd=folder, input=page, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout.decode() + page.decode()
    return run.stdout


class Prometheus:
    """Asks a running Prometheus."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.address}{path}?{query}", timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series; an error in the expression raises."""
        found = self.get("/api/v1/query", query=expression)["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def firing(self) -> dict[str, dict[str, str]]:
        """The alerts that fire, by name, with their annotations."""
        alerts = self.get("/api/v1/alerts")["alerts"]
        return {
            alert["labels"]["alertname"]: alert["annotations"]
            for alert in alerts
            if alert["state"] == "firing"
        }


@contextlib.contextmanager
def prometheus(target: int, rules: Path, folder: Path) -> Iterator[Prometheus]:
    """Start one that scrapes a port; skips the test where it is not installed."""
    program = needed("prometheus")
    configuration = folder / "prometheus.yml"
    configuration.write_text(CONFIGURATION.format(rules=rules, target=target))
    port = free_port()
    command = [
        program,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    asked = Prometheus(f"http://127.0.0.1:{port}")
    with Server(command, lambda: asked.query("up == 1"), folder).running():
        yield asked
