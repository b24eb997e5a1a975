"""A real Envoy with deploy/envoy.yaml, whose ports and files are those of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from folders import ROOT
from servers import Server, free_port, needed

from rvh.rpc import messages

__all__ = ["CONFIGURATION", "configured", "gateway"]

CONFIGURATION = ROOT / "deploy" / "envoy.yaml"


def configured(
    folder: Path, port: int, upstream: int, replaced: dict[str, str] | None = None
) -> Path:
    """Write the configuration with other ports, and what it reads, into a folder."""
    text = CONFIGURATION.read_text("utf-8")
    for written, real in {
        "port_value: 8080": f"port_value: {port}",
        "port_value: 8470": f"port_value: {upstream}",
        "proto_descriptor: service.binpb": f"proto_descriptor: {folder / 'service.binpb'}",
        **(replaced or {}),
    }.items():
        assert text.count(written) == 1, written
        text = text.replace(written, real)
    (folder / "service.binpb").write_bytes(messages.descriptor_set())
    path = folder / "envoy.yaml"
    path.write_text(text, "utf-8")
    return path


@contextmanager
def gateway(
    folder: Path, upstream: int, replaced: dict[str, str] | None = None
) -> Iterator[httpx.Client]:
    """An Envoy before a server; gives a client of it."""
    port = free_port()
    path = configured(folder, port, upstream, replaced)
    # Without --use-dynamic-base-id two Envoys of one machine take the same shared memory.
    command = [needed("envoy"), "-c", str(path), "--use-dynamic-base-id", "--concurrency", "1"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client:

        def answers() -> bool:
            return bool(client.get("/v1/nodes").status_code == 200)

        with Server([*command, "--log-level", "warning"], answers, folder).running():
            yield client
