"""A stand-in for a Consul agent, for the health of services.

It speaks what https://developer.hashicorp.com/consul/api-docs/health and its page on blocking
queries write down, and the calls that register: /v1/agent/service/register and deregister, its
maintenance, /v1/agent/check/pass, warn and fail, /v1/catalog/register and deregister. It is no
Consul: what its documentation does not say is not tested with it.

Run as a program: python fake_consul.py PORT [--token TOKEN] [--state FILE] [--tls CERT KEY]
POST /fake with an object of options: "index" (the index from now on, as after a backup that was
restored), "zero" (answer an index of 0), "churn" (answer at once with a new index), "headers"
(more of them), "body" (instead of the instances).
"""

from __future__ import annotations

import argparse
import json
import re
import ssl
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from web import Handler

SERF = {"CheckID": "serfHealth", "Name": "Serf Health Status", "Status": "passing", "ServiceID": ""}
HERE = {"Node": "machine-0", "Address": "127.0.0.1"}


class Catalog:
    """All instances, and the index of the last change."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.news = threading.Condition()
        self.index = 10
        self.entries: dict[str, dict[str, Any]] = {}
        self.options: dict[str, Any] = {}
        self.requests: list[str] = []
        if path is not None and path.exists():
            kept = json.loads(path.read_text())
            self.index, self.entries = kept["index"], kept["entries"]

    def changed(self) -> None:
        """Count a change, while it is held."""
        self.index += 1
        if self.path is not None:
            self.path.write_text(json.dumps({"index": self.index, "entries": self.entries}))
        self.news.notify_all()

    def register(self, node: dict[str, Any], service: dict[str, Any], checks: list[Any]) -> None:
        """Write an instance."""
        usual = {"Tags": [], "Address": "", "Port": 0, "Meta": {}, "Weights": {"Passing": 1}}
        service = {"ID": service["Service"], **usual, **service}
        node = {"Datacenter": "dc1", "Meta": {}, **node}
        key = f"{node['Node']}/{service['ID']}"
        with self.news:
            checks = [dict(SERF), *checks]
            self.entries[key] = {"Node": node, "Service": service, "Checks": checks}
            self.changed()

    def deregister(self, key: str) -> None:
        """Delete an instance."""
        with self.news:
            if self.entries.pop(key, None):
                self.changed()

    def check(self, key: str, value: dict[str, Any] | str) -> None:
        """Set a check of an instance, or remove that of this id."""
        with self.news:
            checks = self.entries[key]["Checks"]
            gone = value if isinstance(value, str) else value["CheckID"]
            checks[:] = [each for each in checks if each["CheckID"] != gone]
            checks += [value] if isinstance(value, dict) else []
            self.changed()


class Asked(Handler):
    """One request."""

    catalog: Catalog
    token: str | None = None

    def say(self, value: Any, index: int | None = None) -> None:
        """Answer with an object."""
        headers = {"Content-Type": "application/json", **self.catalog.options.get("headers", {})}
        if index is not None:
            headers |= {"X-Consul-Index": str(index), "X-Consul-KnownLeader": "true"}
        self.answer(200, json.dumps(value).encode(), headers)

    def do_GET(self) -> None:  # noqa: N802  # as http.server calls it
        """Answer with the instances of a service, once the index has changed."""
        catalog = self.catalog
        if self.path == "/fake":
            self.say({"requests": catalog.requests, "index": catalog.index})
            return
        catalog.requests.append(self.path)
        if self.token is not None and self.headers["X-Consul-Token"] != self.token:
            self.answer(403, b"Permission denied: token lacks permission 'service:read'")
            return
        split = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(split.query).items()}
        name = unquote(split.path.removeprefix("/v1/health/service/"))
        end = time.monotonic() + float(query.get("wait", "300000ms").removesuffix("ms")) / 1000
        with catalog.news:
            while int(query.get("index", 0)) >= catalog.index and not catalog.options.get("churn"):
                if (rest := end - time.monotonic()) <= 0:
                    break
                catalog.news.wait(rest)
                if int(query["index"]) > catalog.index:
                    break  # it has gone back
            if catalog.options.get("churn"):
                catalog.index += 1
            found = [each for _, each in sorted(catalog.entries.items())
                     if each["Service"]["Service"] == name]  # fmt: skip
            if text := query.get("filter"):
                tag = re.fullmatch(r'"([^"]*)" in Service\.Tags', text)
                assert tag, text
                found = [each for each in found if tag[1] in each["Service"]["Tags"]]
            if "body" in catalog.options:
                self.answer(200, catalog.options["body"].encode(), catalog.options["headers"])
                return
            self.say(found, 0 if catalog.options.get("zero") else catalog.index)

    def do_PUT(self) -> None:  # noqa: N802
        """Register, deregister and check."""
        split = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(split.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        value = json.loads(self.rfile.read(length)) if length else {}
        what, _, name = split.path.removeprefix("/v1/").rpartition("/")
        here = f"{HERE['Node']}/{unquote(name).removeprefix('service:')}"
        match what, name:
            case "catalog", "register":
                service = value.pop("Service")
                self.catalog.register(value, service, value.pop("Checks", []))
            case "catalog", "deregister":
                self.catalog.deregister(f"{value['Node']}/{value['ServiceID']}")
            case "agent/service", "register":
                self.catalog.register(HERE, {**value, "Service": value["Name"]}, [])
            case "agent/service/deregister", _:
                self.catalog.deregister(here)
            case "agent/service/maintenance", _:
                check = f"_service_maintenance:{name}"
                on = {"CheckID": check, "Status": "critical", "ServiceID": name}
                self.catalog.check(here, on if query["enable"] == "true" else check)
            case (("agent/check/pass" | "agent/check/warn" | "agent/check/fail"), _):
                status = {"pass": "passing", "warn": "warning", "fail": "critical"}[what[-4:]]
                check = {"CheckID": unquote(name), "Status": status, "ServiceID": here}
                self.catalog.check(here, check)
            case _:
                self.answer(404, b"")
                return
        self.say({})

    def do_POST(self) -> None:  # noqa: N802
        """Take options."""
        options = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.catalog.news:
            self.catalog.index = options.pop("index", self.catalog.index)
            self.catalog.options = {"headers": {}, **options}
            self.catalog.news.notify_all()
        self.say({})


def main() -> None:
    """Serve."""
    options = argparse.ArgumentParser()
    options.add_argument("port", type=int)
    options.add_argument("--token")
    options.add_argument("--state", type=Path)
    options.add_argument("--tls", nargs=2)
    given = options.parse_args()
    Asked.catalog, Asked.token = Catalog(given.state), given.token
    server = ThreadingHTTPServer(("127.0.0.1", given.port), Asked)
    server.daemon_threads = True
    if given.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*given.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
