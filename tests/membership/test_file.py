"""A file as a source: replaced, spoilt, removed and written in place."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from servers import until

import rvh
from rvh.membership import Membership, NodeMeta
from rvh.membership.conformance import check_source
from rvh.membership.sources.file import FileSource


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nodes.json"


def replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def test_it_keeps_the_rules(path: Path) -> None:
    check_source(
        lambda: FileSource(path, interval=0.01),
        lambda nodes: replace(path, msgspec.json.encode(nodes).decode()),
        spoil=lambda: replace(path, "[1, 2"),
    )


def test_a_day(path: Path) -> None:
    replace(path, '["a", "b"]')
    with Membership(FileSource(path, interval=0.01)) as membership:
        assert [*membership.nodes] == ["a", "b"]
        replace(path, '["a", "b", "c"]')
        until(lambda: [*membership.nodes] == ["a", "b", "c"])
        replace(path, '["a", "b", "c"')
        until(lambda: membership.stats.refused == 1)
        assert "line 1, column 15" in str(membership.stats.error)
        path.unlink()
        until(lambda: membership.stats.reconnects >= 1)
        assert [*membership.nodes] == ["a", "b", "c"]
        assert membership.snapshot.epoch == 2
        replace(path, '["c", "b", "a"]')  # the same content
        until(lambda: membership.stats.connected and membership.stats.error is None)
        assert membership.snapshot.epoch == 2


def test_a_first_state_that_is_wrong(path: Path) -> None:
    replace(path, '[{"id": "a", "rtt": "fast"}]')
    with pytest.raises(rvh.RVHError, match=r"\$\[0\]\.rtt is 'fast': a round-trip time"):
        Membership(FileSource(path))


def test_the_document_counts_its_epochs(path: Path) -> None:
    replace(path, '{"epoch": 7, "nodes": ["a"]}')
    with Membership(FileSource(path, interval=0.01)) as membership:
        assert membership.snapshot.epoch == 7
        replace(path, '{"epoch": 9, "nodes": ["a", "b"]}')
        until(lambda: membership.snapshot.epoch == 9)
        replace(path, '{"epoch": 3, "nodes": ["a", "b", "c"]}')  # it went back
        until(lambda: len(membership.nodes) == 3)
        assert membership.snapshot.epoch == 10


def test_accepted_at_the_source(path: Path) -> None:
    source = FileSource(path, interval=0.01)
    replace(path, '["a", "b", "c", "d"]')
    with Membership(source, max_change=0.3) as membership:
        replace(path, '["a"]')
        until(lambda: membership.held is not None)
        assert "75.00% of all keys would move" in str(membership.held)
        assert len(membership.nodes) == 4
        import asyncio

        from rvh.membership import read_once

        asyncio.run(source.accept(read_once(source).digest))
        until(lambda: len(membership.nodes) == 1)
        assert membership.held is None


def test_accepted_in_the_process(path: Path) -> None:
    replace(path, '["a", "b", "c", "d"]')
    with Membership(FileSource(path, interval=0.01), max_change=0.3) as membership:
        replace(path, '["a"]')
        until(lambda: membership.held is not None)
        assert membership.accept().members == (NodeMeta("a"),)
        with pytest.raises(rvh.RVHError, match="nothing to accept"):
            membership.accept()
