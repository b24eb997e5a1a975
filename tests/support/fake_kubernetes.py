"""A stand-in for the API server of Kubernetes, for the EndpointSlices of one cluster.

It speaks what https://kubernetes.io/docs/reference/using-api/api-concepts/ writes down: one version
that grows with every write, lists in pages with continue tokens, watches from a version as a
chunked stream of lines with bookmarks, 410 for what is forgotten. It is not Kubernetes: what its
documentation does not say is not tested with it.

Run as a program: python fake_kubernetes.py PORT [--token TOKEN] [--state FILE] [--tls CERT KEY CA]
Objects are written with PUT and DELETE, as `kubectl proxy` would pass them on. POST /fake with an
object of options: "gone" (how a watch says 410: "status" or "event"), "forget" (true: all history
and continue tokens are gone), "bookmarks" (seconds between two), "error" (an object to end watches
with), "end" (true: end every watch, without a word).
"""

from __future__ import annotations

import argparse
import base64
import json
import ssl
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from web import Handler

PREFIX = "/apis/discovery.k8s.io/v1/namespaces/"
HEAD = {"apiVersion": "discovery.k8s.io/v1"}


class Store:
    """All slices, and what happened to them."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.news = threading.Condition()
        self.version, self.oldest = 100, 100
        self.objects: dict[str, dict[str, Any]] = {}
        self.history: list[tuple[int, str, dict[str, Any]]] = []
        self.pages: dict[str, tuple[int, list[dict[str, Any]]]] = {}
        self.options: dict[str, Any] = {"gone": "event", "bookmarks": 60.0}
        self.ends = 0
        self.requests: list[str] = []
        if path is not None and path.exists():
            kept = json.loads(path.read_text())
            self.version, self.objects = kept["version"], kept["objects"]
            self.oldest = self.version  # what was before is forgotten

    def put(self, key: str, value: dict[str, Any] | None) -> None:
        """Write an object, or delete it."""
        with self.news:
            if value is None and key not in self.objects:
                return
            self.version += 1
            kind = "MODIFIED" if key in self.objects else "ADDED"
            if value is None:
                kind, value = "DELETED", self.objects.pop(key)
            else:
                self.objects[key] = value
            value = {**HEAD, "kind": "EndpointSlice", **value}
            namespace, _, name = key.partition("/")
            meta = {"name": name, "namespace": namespace, "resourceVersion": str(self.version)}
            value["metadata"] = {**value.get("metadata", {}), **meta}
            if kind != "DELETED":
                self.objects[key] = value
            self.history.append((self.version, kind, value))
            if self.path is not None:
                kept = {"version": self.version, "objects": self.objects}
                self.path.write_text(json.dumps(kept))
            self.news.notify_all()

    def fake(self, options: dict[str, Any]) -> None:
        """Do what a test asks for."""
        with self.news:
            self.options |= options
            if options.get("forget"):
                self.version += 1
                self.oldest = self.version
                self.history.clear()
                self.pages.clear()
            if options.get("end") or options.get("error"):
                self.ends += 1
            self.news.notify_all()


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    """The object Status that tells of a failure."""
    return {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    }  # fmt: skip


class Asked(Handler):
    """One request."""

    store: Store
    token: str | None = None

    def say(self, code: int, value: dict[str, Any]) -> None:
        """Answer with an object."""
        data = json.dumps(value).encode()
        self.answer(code, data, {"Content-Type": "application/json"})

    def do_GET(self) -> None:  # noqa: N802  # as http.server calls it
        """List or watch."""
        self.store.requests.append(self.path)
        split = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(split.query).items()}
        if split.path == "/fake":
            self.say(200, {"requests": self.store.requests, "version": self.store.version})
            return
        if self.token is not None and self.headers["Authorization"] != f"Bearer {self.token}":
            self.say(401, status(401, "Unauthorized", "Unauthorized"))
            return
        if not split.path.startswith(PREFIX) or not split.path.endswith("/endpointslices"):
            self.say(404, status(404, "NotFound", "the server could not find the resource"))
            return
        namespace = split.path.removeprefix(PREFIX).split("/")[0]
        label, _, service = query.get("labelSelector", "").partition("=")

        def is_asked(value: dict[str, Any]) -> bool:
            meta = value["metadata"]
            return bool(
                meta["namespace"] == namespace and meta.get("labels", {}).get(label) == service
            )

        if query.get("watch") in ("1", "true"):
            self.watch(query, is_asked)
        else:
            self.list(query, is_asked)

    def list(self, query: dict[str, str], is_asked: Any) -> None:
        """Answer a page of a list; all pages of a list are of one version."""
        store = self.store
        with store.news:
            if token := query.get("continue"):
                if token not in store.pages:
                    message = "The provided continue parameter is too old"
                    self.say(410, status(410, "Expired", message))
                    return
                version, items = store.pages.pop(token)
            else:
                version = store.version
                items = [each for _, each in sorted(store.objects.items()) if is_asked(each)]
            limit = int(query.get("limit", 0)) or len(items)
            limit = min(limit, store.options.get("page", limit))
            meta = {"resourceVersion": str(version)}
            if items[limit:]:
                meta["continue"] = base64.b64encode(f"{version}/{len(items)}".encode()).decode()
                store.pages[meta["continue"]] = version, items[limit:]
                if store.options.pop("forget_pages", None):
                    store.pages.clear()
            self.say(200, {"kind": "EndpointSliceList", **HEAD, "metadata": meta,
                           "items": items[:limit]})  # fmt: skip

    def watch(self, query: dict[str, str], is_asked: Any) -> None:
        """Answer with events as they come."""
        store, version = self.store, int(query["resourceVersion"])
        gone = status(410, "Expired", f"too old resource version: {version} ({store.oldest})")
        if version < store.oldest and store.options["gone"] == "status":
            self.say(410, gone)
            return
        self.begin({"Content-Type": "application/json"})
        end = time.monotonic() + float(query.get("timeoutSeconds", 1800))
        bookmark, ends = time.monotonic() + store.options["bookmarks"], store.ends
        while True:
            with store.news:
                if version < store.oldest:
                    self.event("ERROR", gone)
                    break
                events = [each for each in store.history if each[0] > version]
                now = time.monotonic()
                if not events and store.ends == ends and now < min(end, bookmark):
                    store.news.wait(min(end, bookmark) - now)
                    continue
                version = store.version
            lines = [self.line(kind, value) for _, kind, value in events if is_asked(value)]
            if lines:
                # Lines may be cut anywhere.
                text = b"".join(lines)
                self.chunk(text[: len(text) // 3])
                self.chunk(text[len(text) // 3 :])
            if store.ends != ends:
                if error := store.options.get("error"):
                    self.event("ERROR", error)
                break
            if time.monotonic() >= bookmark:
                meta = {"resourceVersion": str(version)}
                self.event("BOOKMARK", {**HEAD, "kind": "EndpointSlice", "metadata": meta})
                bookmark = time.monotonic() + store.options["bookmarks"]
            if time.monotonic() >= end:
                break
        self.chunk(b"")

    @staticmethod
    def line(kind: str, value: dict[str, Any]) -> bytes:
        """An event."""
        return json.dumps({"type": kind, "object": value}).encode() + b"\n"

    def event(self, kind: str, value: dict[str, Any]) -> None:
        """Send an event."""
        self.chunk(self.line(kind, value))

    def body(self) -> Any:
        """The object that came."""
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def do_PUT(self) -> None:  # noqa: N802  # as http.server calls it
        """Write a slice."""
        namespace, _, name = self.path.removeprefix(PREFIX).split("/")
        self.store.put(f"{namespace}/{name}", self.body())
        self.say(200, {})

    def do_DELETE(self) -> None:  # noqa: N802  # as http.server calls it
        """Delete a slice."""
        namespace, _, name = self.path.removeprefix(PREFIX).split("/")
        self.store.put(f"{namespace}/{name}", None)
        self.say(200, {})

    def do_POST(self) -> None:  # noqa: N802  # as http.server calls it
        """Create a slice, or take options."""
        value = self.body()
        if self.path == "/fake":
            self.store.fake(value)
        else:
            namespace = self.path.removeprefix(PREFIX).split("/")[0]
            self.store.put(f"{namespace}/{value['metadata']['name']}", value)
        self.say(201, {})


def main() -> None:
    """Serve."""
    options = argparse.ArgumentParser()
    options.add_argument("port", type=int)
    options.add_argument("--token")
    options.add_argument("--state", type=Path)
    options.add_argument("--tls", nargs=3)
    given = options.parse_args()
    Asked.store, Asked.token = Store(given.state), given.token
    server = ThreadingHTTPServer(("127.0.0.1", given.port), Asked)
    server.daemon_threads = True
    if given.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=given.tls[2])
        context.load_cert_chain(*given.tls[:2])
        context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
