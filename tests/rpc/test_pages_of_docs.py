"""The pages about the service, run beside one that serves the nodes of the first page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from certificates import Authority
from folders import DOCS
from pages import run_page
from servers import Server, free_port, needed

#: where the pages find the service
WRITTEN = "127.0.0.1:8470"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Where the service is, and a folder with the file of its nodes."""
    folder = tmp_path_factory.mktemp("pages")
    page = (DOCS / "how-to/service/index.md").read_text("utf-8")
    nodes = page.partition("```json\n")[2].partition("```")[0]
    (folder / "nodes.json").write_text(nodes)
    address = f"127.0.0.1:{free_port()}"
    port = address.rpartition(":")[2]
    command = [sys.executable, "-m", "rvh", "serve", "nodes.json", "--port", port]
    with grpc.insecure_channel(address) as channel:
        ready = lambda: grpc.channel_ready_future(channel).result(0.5) is None  # noqa: E731
        with Server(command, ready, folder).running():
            yield address, folder


def test_the_page_of_the_service(served: tuple[str, Path]) -> None:
    needed("grpcurl")
    address, folder = served
    assert run_page("how-to/service/index.md", folder, {WRITTEN: address}) == 6


def test_the_page_of_clients(served: tuple[str, Path]) -> None:
    address, folder = served
    authority = Authority(folder / "authority")
    client = authority.sign("client")
    files = {"ca.crt": authority.ca, "client.crt": client.certificate, "client.key": client.key}
    for name, path in files.items():
        path.rename(folder / name)
    assert run_page("how-to/service/clients.md", folder, {WRITTEN: address}) == 6
