"""`rvh serve --processes`: one port, one parent, workers that come and go."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from rpc_server import calls_of
from scripted import Scripted
from serve_command import Serve, serve, write_nodes
from servers import free_port, until

import rvh
from rvh.errors import RVHError
from rvh.membership import Membership, read_once
from rvh.rpc import Limits
from rvh.rpc.messages import message
from rvh.rpc.pipes import Settings
from rvh.rpc.ports import reserve
from rvh.rpc.processes import Processes

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="several processes share a port on Linux alone"
)
ASKED = message("rvh.v1.GetNodesRequest")()
WATCH = message("rvh.v1.WatchNodesRequest")()
SELECT = message("rvh.v1.SelectRequest")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "a", "b", "c")
    return tmp_path


def write(folder: Path, *ids: str) -> str:
    """Replace the nodes; their fingerprint."""
    write_nodes(folder / "nodes.json", ids)
    return read_once(str(folder / "nodes.json")).fingerprint


def runs(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def channel_to(server: Serve | Processes) -> grpc.Channel:
    return grpc.insecure_channel(
        f"127.0.0.1:{server.port}", [("grpc.use_local_subchannel_pool", 1)]
    )


def asked(server: Serve | Processes, times: int = 1) -> set[tuple[int, str]]:
    """Epochs and fingerprints of answers, each over a connection of its own."""
    found = set()
    for _ in range(times):
        with channel_to(server) as channel:
            answer = calls_of(channel).GetNodes(ASKED, wait_for_ready=True, timeout=20)
            found.add((answer.epoch, answer.fingerprint))
    return found


def test_every_process_has_the_nodes_and_every_change(folder):
    with serve(folder, "--processes", 3) as server:
        assert len(server.workers()) == 3
        assert asked(server, 20) == {(1, rvh.NodeSet(["a", "b", "c"]).fingerprint)}
        changed = write(folder, "a", "b", "d")
        until(lambda: asked(server, 10) == {(2, changed)})
        workers = server.workers()
        assert server.end() == 0
        assert not any(map(runs, workers))


def test_every_process_says_that_it_has_new_tokens(folder):
    first, second = "first-of-the-tokens-0123", "second-of-the-tokens-456"
    path = folder / "tokens"

    def write_tokens(*tokens: str) -> None:
        path.with_suffix(".new").write_text("\n".join(tokens))
        path.with_suffix(".new").chmod(0o600)
        path.with_suffix(".new").replace(path)

    write_tokens(first)
    with serve(folder, "--processes", 2, "--token-file", "tokens") as server:
        said = re.compile(rf"^rvh: worker (\d+): token file {path}: read again$", re.MULTILINE)
        write_tokens(first, second)

        def all_have_it() -> bool:
            with channel_to(server) as channel:
                given = (("authorization", f"Bearer {second}"),)
                assert calls_of(channel).GetNodes(ASKED, metadata=given, timeout=20).epoch == 1
            return len(said.findall(server.text())) == 2

        until(all_have_it)
        assert {*map(int, said.findall(server.text()))} == {*server.workers()}


def test_epochs_of_a_connection_never_go_back(folder):
    with serve(folder, "--processes", 2) as server:
        channels = [channel_to(server) for _ in range(4)]
        stop, seen = threading.Event(), [[] for _ in channels]

        def ask(channel: grpc.Channel, epochs: list[int]) -> None:
            select = calls_of(channel).Select
            while not stop.is_set():
                epochs.append(select(SELECT(text="x"), timeout=20).epoch)

        threads = [
            threading.Thread(target=ask, args=pair) for pair in zip(channels, seen, strict=True)
        ]
        for thread in threads:
            thread.start()
        for number in range(10):
            write(folder, "a", "b", f"n{number}")
            until(lambda number=number: all(e and e[-1] >= number + 2 for e in seen))
        stop.set()
        for thread in threads:
            thread.join()
        for channel in channels:
            channel.close()
        for epochs in seen:
            assert epochs == sorted(epochs)
            assert epochs[-1] == 11


def test_a_worker_that_is_killed_is_replaced_and_the_port_stays_taken(folder):
    with serve(folder, "--processes", 2) as server:
        changed = write(folder, "a", "b", "d")
        until(lambda: asked(server, 5) == {(2, changed)})
        before = server.workers()
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        with pytest.raises(RVHError, match="another server has it"):
            reserve("127.0.0.1", server.port)
        assert asked(server, 10) == {(2, changed)}  # once they are back
        until(lambda: len(server.workers()) == 2)
        assert not set(before) & set(server.workers())
        told = "rvh: a worker has ended (signal 9): another one is started"
        assert server.said()[2:] == [told, told]  # after the change
        assert server.end() == 0


def test_a_port_that_is_held_is_held_from_its_first_moment():
    port = free_port()
    with reserve("127.0.0.1", port, share=True) as held:
        with pytest.raises(RVHError, match="another server has it"):
            reserve("127.0.0.1", port, share=True)
        with socket.socket() as worker:
            for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):  # as gRPC does
                worker.setsockopt(socket.SOL_SOCKET, option, 1)
            worker.bind(("127.0.0.1", port))
            worker.listen()
            with socket.create_connection(("127.0.0.1", port)) as made:
                accepted, address = worker.accept()
                assert address == made.getsockname()
                accepted.close()
        assert held.port == port
    reserve("127.0.0.1", port).close()  # also while connections of before are in TIME_WAIT


@pytest.mark.parametrize("is_first", [True, False])
def test_a_host_of_several_addresses_is_taken_as_a_whole(monkeypatch, is_first):
    """As localhost is on many machines; 192.0.2.1 stands for an ::1 that a container lacks."""
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0))
        for each in ("192.0.2.1", "127.0.0.1", "127.0.0.2", "127.0.0.2")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found)
    other = "127.0.0.1" if is_first else "127.0.0.2"
    with reserve("several", 0) as held:
        port = held.port
        for each in ("127.0.0.1", "127.0.0.2"):
            with socket.socket() as taken, pytest.raises(OSError, match="in use"):
                taken.bind((each, port))
    taken = f"several:{port}: Address already in use"
    with socket.create_server((other, port)), pytest.raises(RVHError, match=taken):
        reserve("several", port)
    reserve("several", port).close()  # what was taken before the error is free again
    del found[1:]
    with pytest.raises(RVHError, match="this machine has no such address"):
        reserve("several", 0)


def test_workers_of_a_parent_that_has_died_drain_and_end(folder):
    with serve(folder, "--processes", 2, "--drain", 3) as server:
        workers = server.workers()
        with channel_to(server) as channel:
            watch = calls_of(channel).WatchNodes(WATCH)
            next(watch)
            server.process.kill()
            with pytest.raises(grpc.RpcError) as caught:
                list(watch)
            error: Any = caught.value
            assert error.code() is grpc.StatusCode.UNAVAILABLE
        until(lambda: not any(map(runs, workers)))


def test_a_worker_that_hangs_delays_neither_the_others_nor_the_end(folder):
    with serve(folder, "--processes", 2, "--drain", 0.5) as server:
        hung = server.workers()[0]
        os.kill(hung, signal.SIGSTOP)
        for number in range(4):
            newest = write(folder, *(f"{number}-{each}-{'n' * 2000}" for each in range(100)))

            def is_told(newest: str = newest) -> bool:
                with (
                    channel_to(server) as channel,
                    suppress(grpc.RpcError),
                ):  # of the one that hangs
                    return calls_of(channel).GetNodes(ASKED, timeout=0.5).fingerprint == newest
                return False

            until(is_told)
        assert server.end() == 0
        assert not runs(hung)


def test_nothing_secret_is_in_arguments_or_environment(folder):
    (folder / "secret").write_text("placement-s3cret")
    with serve(folder, "--processes", 2, "--secret-file", "secret") as server:
        keyed = rvh.NodeSet(["a", "b", "c"], secret=b"placement-s3cret").fingerprint
        assert asked(server, 5) == {(1, keyed)}
        for process in (server.process.pid, *server.workers()):
            for file in ("cmdline", "environ"):
                assert b"placement-s3cret" not in Path(f"/proc/{process}/{file}").read_bytes()
        assert server.end() == 0
        assert "s3cret" not in server.text()


# -- in this process ------------------------------------------------------------------------------


def settings(**changed: Any) -> Settings:
    plain = Settings("127.0.0.1", 0, "blake2b", b"", Limits(), 1, None, None, None, 1.0)
    return msgspec.structs.replace(plain, **changed)


@pytest.fixture
def membership() -> Iterator[Membership]:
    with Membership(Scripted("a b c")) as made:
        yield made


def test_counts_of_workers_add_up_and_stay(membership):
    with Processes(membership, 2, settings()) as server:
        asked(server, 12)
        path = "rvh.v1.Selection/GetNodes"

        def counted() -> int:
            durations = server.report().durations.get(path, {})
            return sum(sum(each.buckets) for each in durations.values())

        until(lambda: counted() == 12)
        assert server.report().workers == 2
        for each in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == os.getpid() and b"rvh.rpc.worker" in (each / "cmdline").read_bytes():
                    os.kill(int(each.name), signal.SIGKILL)
        until(lambda: server.report().restarts == 2)
        assert counted() == 12
        until(lambda: server.report().workers == 2)


@pytest.mark.parametrize("odd", ["", "/nowhere/python"])
def test_a_python_that_does_not_know_itself(membership, monkeypatch, odd):
    monkeypatch.setattr(sys, "executable", odd)
    with pytest.raises(RVHError, match="no Python to start processes with: use one process"):
        Processes(membership, 2, settings())


def test_workers_that_cannot_start_are_an_error(membership, monkeypatch, capfd):
    with pytest.raises(RVHError, match="a worker has ended before it answered"):
        Processes(membership, 2, settings(tokens="/nowhere/tokens")).start()
    assert "/nowhere/tokens: No such file or directory" in capfd.readouterr().err


def test_the_parent_loads_no_grpc(folder):
    with serve(folder, "--processes", 2) as server:
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "numpy" in maps
        assert "cygrpc" not in maps
