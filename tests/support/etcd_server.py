"""A real etcd, and what a user of it does."""

from __future__ import annotations

import base64
import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
from servers import Server, free_port, needed

from rvh.membership import NodeMeta

__all__ = ["Etcd"]


class Etcd(Server):
    """One etcd, and what a user of it does."""

    def __init__(self, folder: Path, *options: str, scheme: str = "http") -> None:
        self.port, peer = free_port(), free_port()
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        peers = f"http://127.0.0.1:{peer}"
        command = [
            needed("etcd"), "--data-dir", str(folder / "data"),
            "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
            "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
            "--initial-cluster", f"default={peers}",
            "--heartbeat-interval", "20", "--election-timeout", "100",
            *options,
        ]  # fmt: skip
        self.client = httpx.Client(base_url=self.url, trust_env=False)
        super().__init__(command, lambda: self.client.get("/health").json()["health"], folder)

    @contextlib.contextmanager
    def running(self) -> Iterator[Etcd]:
        try:
            with super().running():
                yield self
        finally:
            self.client.close()

    def ask(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.client.post(f"/v3/{path}", content=msgspec.json.encode(body))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, key: str, value: str = "", **more: Any) -> int:
        body = {"key": key.encode(), "value": value.encode(), **more}
        return int(self.ask("kv/put", body)["header"]["revision"])

    def delete(self, key: str) -> None:
        self.ask("kv/deleterange", {"key": key.encode()})

    def together(self, puts: dict[str, str], deleted: Sequence[str] = ()) -> None:
        """Do all of it in one transaction."""
        done = [
            {"request_put": {"key": key.encode(), "value": value.encode()}}
            for key, value in puts.items()
        ] + [{"request_delete_range": {"key": key.encode()}} for key in deleted]
        self.ask("kv/txn", {"success": done})

    def keys(self, prefix: str) -> list[str]:
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        body = {"key": prefix.encode(), "range_end": end.encode(), "keys_only": True}
        found = self.ask("kv/range", body).get("kvs", [])
        return [base64.b64decode(each["key"]).decode() for each in found]

    def set_nodes(self, prefix: str, nodes: Sequence[NodeMeta]) -> None:
        """Make these the only nodes below a prefix, in one transaction."""
        puts = {f"{prefix}{node.id}": msgspec.json.encode(node).decode() for node in nodes}
        self.together(puts, [key for key in self.keys(prefix) if key not in puts])

    def wipe(self) -> None:
        self.kill()
        shutil.rmtree(self.folder / "data")
        self.start()
