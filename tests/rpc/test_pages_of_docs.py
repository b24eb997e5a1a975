"""The pages about the service run as they are, with the server that they start."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from pages import run_page
from servers import free_port, needed


@pytest.mark.parametrize(("page", "blocks"), [("index", 6), ("clients", 9)])
def test_the_page(page: str, blocks: int, tmp_path: Path) -> None:
    if page == "index":
        needed("grpcurl")
    port = free_port()
    replaced = {
        "rvh serve nodes.json >": f"rvh serve nodes.json --port {port} >",
        "127.0.0.1:8470": f"127.0.0.1:{port}",
    }
    try:
        assert run_page(f"how-to/service/{page}.md", tmp_path, replaced) == blocks
    finally:
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((tmp_path / "serve.pid").read_text()), signal.SIGTERM)
