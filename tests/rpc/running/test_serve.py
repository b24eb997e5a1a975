"""`rvh serve` as a process: its port, its options, and its end."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from commandline import command
from servers import free_port, until

grpc = pytest.importorskip("grpc", reason="grpcio is not installed")
pytest.importorskip("msgspec", reason="msgspec is not installed")

from rpc_server import calls_of  # noqa: E402
from serve_command import Serve, run_serve, serve, write_nodes  # noqa: E402

import rvh  # noqa: E402
from rvh.rpc.health import HEALTH  # noqa: E402
from rvh.rpc.messages import message  # noqa: E402
from rvh.rpc.ports import refuse_plaintext  # noqa: E402

NODES = ["a", "b", "c"]
BATCH = message("rvh.v1.SelectBatchRequest")
SELECT = message("rvh.v1.SelectRequest")
CHECK = message("grpc.health.v1.HealthCheckRequest")
ASKED = message("rvh.v1.GetNodesRequest")()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_nodes(tmp_path / "nodes.json", NODES)
    return tmp_path


@contextmanager
def channel_to(server: Serve, host: str = "127.0.0.1") -> Iterator[Any]:
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"{host}:{server.port}", options) as channel:
        yield channel


def selected(server: Serve, host: str = "127.0.0.1") -> list[str]:
    with channel_to(server, host) as channel:
        return [*calls_of(channel).Select(SELECT(text="user:1", with_ids=True), timeout=20).ids]


def refusal(call: Callable[[], object]) -> str:
    """The status of a call that is not answered."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    return str(error.code().name)


# -- the port -------------------------------------------------------------------------------------


@pytest.mark.parametrize("processes", [1, 2])
def test_a_port_has_one_owner(folder: Path, processes: int) -> None:
    with serve(folder, "--processes", processes) as server:
        fingerprint = rvh.NodeSet(NODES).fingerprint
        more = ", 2 processes" if processes == 2 else ""
        assert server.said() == [
            f"rvh: serving file:nodes.json on 127.0.0.1:{server.port} (plaintext, no tokens{more})"
            f": 3 nodes, 3 selectable, epoch 1, fingerprint {fingerprint}"
        ]
        for others in (1, 2):
            status, said = run_serve(folder, "--port", server.port, "--processes", others)
            assert status == 1
            assert said == (
                f"rvh: cannot listen on 127.0.0.1:{server.port}: Address already in use; "
                "another server has it: end that, or choose another port\n"
            )
        assert selected(server) == rvh.NodeSet(NODES).select("user:1")
        assert server.end() == 0
        with serve(folder, "--port", server.port) as successor:  # at once
            assert selected(successor)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_port_of_another_program(folder: Path, processes: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, said = run_serve(folder, "--port", port, "--processes", processes)
    assert (status, said.count("\n")) == (1, 1)
    assert f"127.0.0.1:{port}: Address already in use" in said


def test_two_servers_that_start_together(folder: Path) -> None:
    line = command("serve", "nodes.json", "--port", free_port(), "--processes", 2)
    logs = [folder / "one", folder / "other"]
    both = []
    try:
        for log in logs:
            with log.open("wb") as file:
                both.append(subprocess.Popen(line, cwd=folder, stderr=file))
        until(lambda: all(log.read_text() for log in logs), 60, "both have said something")
        said = sorted(log.read_text().split(" on ")[0] for log in logs)
        assert said == ["rvh: cannot listen", "rvh: serving file:nodes.json"]
    finally:
        for each in both:
            each.terminate()
        assert sorted(each.wait(30) for each in both) == [0, 1]


@pytest.mark.parametrize("processes", [1, 2])
def test_ipv6(folder: Path, processes: int) -> None:
    if not socket.has_ipv6:
        pytest.skip("there is no IPv6 here")
    with serve(folder, "--host", "::1", "--processes", processes) as server:
        assert f" on [::1]:{server.port} (" in server.text()
        assert selected(server, "[::1]")
        assert server.end() == 0


@pytest.mark.parametrize(
    ("host", "options"),
    [
        ("192.0.2.1", ("--plaintext",)),
        ("192.0.2.1", ("--plaintext", "--processes", 2)),
        ("nowhere.invalid", ("--plaintext",)),
        ("nowhere.invalid", ("--plaintext", "--processes", 2)),
        ("nowhere.invalid", ()),
        ("", ("--plaintext",)),
        ("", ()),
    ],
)
def test_a_host_that_is_none(folder: Path, host: str, options: tuple[object, ...]) -> None:
    status, said = run_serve(folder, "--host", host, "--port", 0, *options)
    assert (status, said.count("\n")) == (1, 1)
    assert said.startswith(
        f"rvh: cannot listen on {host}:0: " if host else "rvh: the host is empty"
    )


def test_other_machines_are_served_unencrypted_only_when_that_is_asked_for(folder: Path) -> None:
    status, said = run_serve(folder, "--host", "0.0.0.0", "--port", 0)
    assert (status, said.count("\n")) == (1, 1)
    assert said.startswith("rvh: 0.0.0.0 is reached from other machines")
    for option in ("--plaintext", "--tls-cert", "--tls-key"):
        assert option in said
    with serve(folder, "--host", "0.0.0.0", "--plaintext") as server:
        assert selected(server)


def test_a_name_of_this_machine_alone_needs_no_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    found = socket.getaddrinfo

    def named(host: str, *args: Any, **more: Any) -> Any:
        there = {"here.example": ["127.0.0.1"], "both.example": ["127.0.0.1", "192.0.2.1"]}
        return [one for each in there.get(host, [host]) for one in found(each, *args, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", named)
    refuse_plaintext("here.example", 0, is_encrypted=False, plaintext=False)
    with pytest.raises(rvh.RVHError, match=r"^both\.example is reached from other machines"):
        refuse_plaintext("both.example", 0, is_encrypted=False, plaintext=False)


# -- what it says ---------------------------------------------------------------------------------


def test_that_it_waits_for_its_source_is_said_at_once(folder: Path) -> None:
    nodes = folder / "late.json"
    line = command("serve", "late.json", "--port", 0, "--timeout", 60)
    with starting(folder, line) as (process, said):
        lost = "FileNotFoundError: late.json: No such file or directory"
        until(lambda: said() == f"rvh: waiting for file:late.json: {lost}\n", 60, "it waits")
        write_nodes(nodes, NODES)
        until(lambda: said().count("\n") == 3, 60, "it serves")
        assert said().splitlines()[1] == "rvh: file:late.json: all is well again"
        process.terminate()
        assert process.wait(20) == 0
    status, told = run_serve(folder, "--timeout", 0.1, source="none.json")
    assert (status, told.splitlines()) == (
        1,
        [
            f"rvh: {begin}FileNotFoundError: none.json: No such file or directory"
            for begin in ("waiting for file:none.json: ", "file:none.json: no nodes within 0.1 s: ")
        ],
    )


def test_nodes_that_cannot_be_used_are_one_error(folder: Path) -> None:
    (folder / "nodes.json").write_text("[")
    status, told = run_serve(folder)
    assert (status, told.count("\n")) == (1, 1)
    assert told.startswith("rvh: nodes.json is not JSON, or is cut off")


@pytest.mark.parametrize("processes", [1, 2])
def test_changes_are_said(folder: Path, processes: int) -> None:
    with serve(folder, "--processes", processes, "--max-change", 0.6) as server:
        write_nodes(folder / "nodes.json", [*NODES, "d"])
        server.says("rvh: epoch 2: joined d; 25.0000% of keys move\n")
        write_nodes(folder / "nodes.json", ["a"])
        server.says("75.00% of all keys would move, and max_change is 60.00%: if that is meant, ")
        ways = "run rvh nodes SOURCE --accept or start this anew with another limit"
        assert server.said()[-1].endswith(f"if that is meant, {ways}")
        write_nodes(folder / "nodes.json", [*NODES, "d"])
        server.says("rvh: file:nodes.json: all is well again\n")
        assert server.end() == 0
        told = ["serving", "epoch", "file:nodes.json:", "file:nodes.json:", "stopping:"]
        assert [line.split()[1] for line in server.said()] == told  # once, whoever answers


def test_changes_that_come_fast_are_said_as_one(folder: Path) -> None:
    with serve(folder) as server:
        count = 12
        for number in range(1, count + 1):
            write_nodes(folder / "nodes.json", [*NODES, f"new-{number}"])
            with channel_to(server) as channel:
                nodes = calls_of(channel).GetNodes
                until(lambda: nodes(ASKED, timeout=20).epoch > number)  # noqa: B023
        assert server.end() == 0  # what waits is said
        told = [line for line in server.said() if line.startswith("rvh: epoch")]
    sums = [re.search(r"; (\d+) changes in one, which moved [\d.]+% one", line) for line in told]
    assert sum(int(each[1]) if each else 1 for each in sums) == count
    assert f"epoch {count + 1}: joined new-{count}; " in told[-1]
    assert len(told) < count


# -- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--tls-cert", "x"], "--tls-key"),
        (["--tls-key", "x"], "--tls-cert"),
        (["--tls-client-ca", "x"], "--tls-cert"),
        (["--tls-cert", "x", "--tls-key", "y", "--plaintext"], "--plaintext"),
        (["--port", "65536"], "--port"),
        (["--processes", "0"], "--processes"),
        (["--drain", "-1"], "--drain"),
        (["--max-calls", "0"], "--max-calls"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_option_mistakes(folder: Path, options: list[str], named: str) -> None:
    status, said = run_serve(folder, *options)
    assert (status, said.count("\n")) == (2, 1)
    assert named in said


def test_without_grpc(folder: Path) -> None:
    code = (
        "import sys; sys.modules['grpc'] = None; from rvh.cli import main; "
        "sys.exit(main(['serve', 'nodes.json', '--port', '0']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "rvh: rvh serve needs its extra: pip install 'rvh[rpc]'\n"


# -- its end --------------------------------------------------------------------------------------


class Running:
    """A call that runs until the test ends it: a stream."""

    def __init__(self, channel: Any) -> None:
        self._requests: SimpleQueue[Any] = SimpleQueue()
        requests = iter(self._requests.get, None)
        self._answers = calls_of(channel).SelectStream(requests, timeout=120)
        assert self.ask()  # it runs from here on

    def ask(self) -> list[str]:
        self._requests.put(BATCH(texts=["user:1"], with_ids=True))
        return [*next(self._answers).ids]

    def finish(self) -> None:
        self._requests.put(None)
        assert list(self._answers) == []


@pytest.mark.parametrize(("processes", "number"), [(1, signal.SIGTERM), (2, signal.SIGINT)])
def test_an_orderly_end(folder: Path, processes: int, number: int) -> None:
    options = ("--processes", processes, "--drain", 60)
    with serve(folder, *options) as server, channel_to(server) as channel:
        calls = calls_of(channel)
        heard: list[Any] = []

        def watch() -> None:
            for each in calls_of(channel, HEALTH).Watch(CHECK(), timeout=60):
                heard.append(each.status)
                if each.status == 2:  # NOT_SERVING
                    heard.append(refusal(ask_on))

        def ask_on() -> None:
            while True:  # until the moment in which it takes no more
                calls.Select(SELECT(text="a"), timeout=20)

        watching = threading.Thread(target=watch)
        nodes = calls.WatchNodes(message("rvh.v1.WatchNodesRequest")(), timeout=60)
        assert len(next(nodes).nodes) == len(NODES)
        running = Running(channel)
        watching.start()
        until(lambda: heard == [1], what="the watcher is told SERVING")
        server.process.send_signal(number)
        assert refusal(lambda: list(nodes)) == "UNAVAILABLE"
        watching.join(30)
        # told first; then a new call is refused. One that comes in the moment in which gRPC stops
        # is CANCELLED.
        assert heard in ([1, 2, "UNAVAILABLE"], [1, 2, "CANCELLED"])
        assert running.ask() == rvh.NodeSet(NODES).select("user:1")  # the one that runs goes on
        running.finish()
        assert server.ends() == 0
        assert server.said()[1:] == ["rvh: stopping: running calls are answered"]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_second_signal_ends_it_at_once(folder: Path, processes: int) -> None:
    options = ("--processes", processes, "--drain", 600)
    with serve(folder, *options) as server, channel_to(server) as channel:
        running = Running(channel)
        workers = server.workers()
        server.process.send_signal(signal.SIGTERM)
        server.says("stopping")
        assert server.process.poll() is None
        assert server.end(signal.SIGTERM) in (-signal.SIGTERM, 128 + signal.SIGTERM)
        assert refusal(running.finish) == "UNAVAILABLE"
        for worker in workers:
            until(lambda pid=worker: not _runs(pid), what="a worker has ended")


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_calls_that_take_longer_than_the_drain_are_ended(folder: Path) -> None:
    with serve(folder, "--drain", 0) as server, channel_to(server) as channel:
        running = Running(channel)
        assert server.end() == 0
        assert refusal(running.finish) in ("UNAVAILABLE", "CANCELLED")


@contextmanager
def starting(
    folder: Path, line: list[str]
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """A server that may not serve, and what it has said so far."""
    said = folder / "said"
    with said.open("wb") as file:
        process = subprocess.Popen(line, cwd=folder, stderr=file)
    try:
        yield process, said.read_text
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in said.read_text()


@pytest.mark.parametrize(("number", "more"), [(signal.SIGTERM, 0), (signal.SIGINT, 1)])
def test_a_signal_ends_it_while_it_waits_for_its_source(
    folder: Path, number: int, more: int
) -> None:
    source = f"http://127.0.0.1:{free_port()}/nodes"
    line = command("serve", source, "--port", 0, "--timeout", 60)
    with starting(folder, line) as (process, said):
        until(lambda: said().startswith(f"rvh: waiting for {source}: "), 60, "it waits")
        process.send_signal(number)
        assert process.wait(20) == 128 + number  # nothing was served
        assert said().splitlines()[1:] == ["rvh: interrupted"] * more
