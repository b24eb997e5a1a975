"""A file as a source: replaced, spoilt, removed and written in place."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest
from servers import until

import rvh
from rvh.membership import Membership, NodeMeta, read_once
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


def test_writers_do_not_share_what_is_not_renamed_yet(path: Path) -> None:
    # Threads have one process id, as processes in containers do.
    source = FileSource(path)
    failed: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(50):
                asyncio.run(source.accept("0" * 32))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [each.name for each in path.parent.iterdir()] == [f"{path.name}.accepted"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_no_file(path: Path) -> None:
    os.mkfifo(path)  # to read it waits for a writer
    with pytest.raises(rvh.RVHError, match="is not a regular file"):
        Membership(FileSource(path))
    path.unlink()


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


def test_a_link_that_is_turned(tmp_path: Path) -> None:
    """As the kubelet replaces a ConfigMap: nodes.json -> ..data/nodes.json, ..data -> a folder."""
    for name, text in {"one": '["a"]', "two": '["a", "b"]'}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "nodes.json").write_text(text)
    data, path = tmp_path / "..data", tmp_path / "nodes.json"
    data.symlink_to("one")
    path.symlink_to(Path("..data", "nodes.json"))
    with Membership(FileSource(path, interval=0.01)) as membership:
        assert [*membership.nodes] == ["a"]
        new = tmp_path / "..data_tmp"
        new.symlink_to("two")
        new.replace(data)
        until(lambda: [*membership.nodes] == ["a", "b"])
        assert membership.stats.refused == 0


def test_written_in_place(path: Path) -> None:
    path.write_text('[{"id": "a", "weight": 1}, {"id": "b", "weight": 1}]')
    with Membership(FileSource(path, interval=0.001)) as membership, open(path, "w") as file:
        file.write('[{"id": "a", "weight": 1}, {"id": "b", ')
        file.flush()
        until(lambda: membership.stats.refused >= 1)
        assert membership.snapshot["b"].weight == 1
        file.write('"weight": 3}]')
        file.flush()
        until(lambda: membership.snapshot["b"].weight == 3)
        assert membership.snapshot.epoch == 2


def test_a_change_of_the_same_size_at_the_same_time(path: Path) -> None:
    path.write_text('["a", "b"]')
    look = path.stat()
    with Membership(FileSource(path, interval=0.01)) as membership:
        path.write_text('["a", "c"]')
        os.utime(path, ns=(look.st_atime_ns, look.st_mtime_ns))
        until(lambda: [*membership.nodes] == ["a", "c"])


def test_the_program_changes_its_folder(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text('["a"]')
    monkeypatch.chdir(path.parent)
    with Membership(FileSource(path.name, interval=0.01)) as membership:
        monkeypatch.chdir("/")
        replace(path, '["b"]')
        until(lambda: [*membership.nodes] == ["b"])
        assert membership.stats.reconnects == 0


OTHER = """
import sys
from rvh.membership import read_once
snapshot = read_once(sys.argv[1])
print(snapshot.epoch, snapshot.fingerprint)
"""


def test_two_processes_agree(path: Path) -> None:
    path.write_text('{"epoch": 7, "nodes": [{"id": "a", "weight": 2}, {"id": "b", "weight": 1}]}')
    with Membership(FileSource(path, interval=0.01)) as membership:
        for epoch in (7, 12):
            replace(path, path.read_text().replace('"epoch": 7', f'"epoch": {epoch}'))
            if epoch == 12:
                replace(path, path.read_text().replace('"weight": 2', '"weight": 5'))
            until(lambda: membership.snapshot.epoch == epoch)  # noqa: B023
            told = subprocess.run(
                [sys.executable, "-c", OTHER, str(path)], capture_output=True, text=True, check=True
            ).stdout
            assert told == f"{epoch} {membership.snapshot.fingerprint}\n"


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf"), "1"])
def test_no_interval(path: Path, interval: object) -> None:
    with pytest.raises(rvh.RVHError, match="interval is"):
        FileSource(path, interval=interval)  # type: ignore[arg-type]


def test_what_is_published_keeps_the_link_and_its_mode(tmp_path: Path) -> None:
    there, path = tmp_path / "there.json", tmp_path / "nodes.json"
    there.write_text('["a"]')
    there.chmod(0o640)
    path.symlink_to(there)
    asyncio.run(FileSource(path).publish(b'["b"]'))
    assert path.is_symlink()
    assert read_once(str(there)).members == (NodeMeta("b"),)
    assert there.stat().st_mode & 0o777 == 0o640
