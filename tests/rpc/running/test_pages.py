"""/metrics, /healthz and /livez of the second port, also for clients that are hostile or slow."""

from __future__ import annotations

import gzip
import json
import re
import select
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from servers import until

grpc = pytest.importorskip("grpc", reason="grpcio is not installed")
pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
pytest.importorskip("msgspec", reason="msgspec is not installed")

from commandline import command  # noqa: E402
from prometheus_server import Prometheus, prometheus  # noqa: E402
from rpc_server import calls_of  # noqa: E402

from rvh.errors import RVHError  # noqa: E402
from rvh.membership import NodeMeta, Snapshot, take_snapshot  # noqa: E402
from rvh.rpc import plain_http  # noqa: E402
from rvh.rpc.messages import message  # noqa: E402
from rvh.rpc.metrics import Report  # noqa: E402
from rvh.rpc.pages import Pages  # noqa: E402


class State:
    """What the pages are told."""

    def __init__(self) -> None:
        self.report = Report(workers=2)
        self.snapshot = take_snapshot([NodeMeta("a"), NodeMeta("b"), NodeMeta("c", status="dead")])
        self.is_draining = False

    def fail(self) -> Report:
        raise RuntimeError("the report cannot be made")


@contextmanager
def paged(state: State, **options: Any) -> Iterator[int]:
    callables = (lambda: state.report, lambda: state.snapshot, lambda: state.is_draining)
    with Pages(*callables, source="file:nodes.json", **options) as pages:
        yield pages.port


def get(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
    """Status, headers and body."""
    url = f"http://127.0.0.1:{port}{path}"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, method=method, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def sent(port: int, data: bytes, *, is_whole: bool = False) -> bytes:
    """All that comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(data)
        if is_whole:
            client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


# -- what the pages say ----------------------------------------------------------------------------


def test_health_tells_the_nodes_that_are_served() -> None:
    state = State()
    with paged(state) as port:
        status, headers, body = get(port, "/healthz")
        assert (status, headers["Content-Type"]) == (200, "application/json")
        told = json.loads(body)
        assert 0 <= told.pop("age") < 60
        assert told == {
            "status": "serving",
            "epoch": 1,
            "fingerprint": state.snapshot.fingerprint,
            "nodes": 2,
            "source": "file:nodes.json",
        }


def test_not_ready_while_it_drains_or_nobody_answers_but_alive() -> None:
    state = State()
    with paged(state) as port:
        state.report = Report()
        status, _, body = get(port, "/healthz")
        assert (status, json.loads(body)["status"]) == (503, "no workers")
        state.is_draining = True
        status, _, body = get(port, "/healthz")
        assert (status, json.loads(body)["status"]) == (503, "draining")
        assert get(port, "/livez")[::2] == (200, b"alive\n")


def test_not_ready_with_nodes_that_are_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    state = State()
    with paged(state, max_age=60.0) as bounded, paged(state) as free:
        for age, status in ((59.0, 200), (61.0, 503)):
            monkeypatch.setattr(Snapshot, "age", age)
            assert get(bounded, "/healthz")[0] == status
            assert get(free, "/healthz")[0] == 200
            assert get(bounded, "/livez")[0] == 200
        assert json.loads(get(bounded, "/healthz")[2])["status"] == "stale"


def test_metrics_as_the_scraper_wants_them() -> None:
    state = State()
    state.report = Report(workers=2, keys={"rvh.v1.Selection/Select": 7})
    with paged(state) as port:
        status, headers, body = get(port, "/metrics")
        assert (status, headers["Content-Type"].split(";")[0]) == (200, "text/plain")
        assert b'rvh_service_keys_total{rpc_method="rvh.v1.Selection/Select"} 7.0\n' in body
        assert re.search(rb"^process_resident_memory_bytes ", body, re.MULTILINE)
        openmetrics = get(port, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
        assert openmetrics[1]["Content-Type"].startswith("application/openmetrics-text")
        assert openmetrics[2].endswith(b"# EOF\n")
        _, headers, packed = get(port, "/metrics", Accept_Encoding="gzip")
        assert headers["Content-Encoding"] == "gzip"
        assert b"rvh_service_workers 2.0\n" in gzip.decompress(packed)
        one = get(port, "/metrics?name[]=rvh_service_workers")[2]
        assert one.splitlines()[-1] == b"rvh_service_workers 2.0"
        assert b"rvh_service_keys" not in one


@pytest.mark.parametrize("path", ["/", "/metrics/", "/nothing", "/../metrics", "/healthz%00"])
def test_no_other_page(path: str) -> None:
    with paged(State()) as port:
        status, _, body = get(port, path)
        assert (status, b"there is /metrics, /healthz, /livez" in body) == (404, True)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_no_other_method(method: str) -> None:
    with paged(State()) as port:
        status, headers, _ = get(port, "/metrics", method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_a_head_without_its_body() -> None:
    with paged(State()) as port:
        status, headers, body = get(port, "/livez", "HEAD")
        assert (status, headers["Content-Length"], body) == (200, "6", b"")


def test_an_error_within_is_logged_and_nobody_sees_it(caplog: pytest.LogCaptureFixture) -> None:
    state = State()
    with Pages(state.fail, lambda: state.snapshot, lambda: False, source="s") as pages:
        status, _, body = get(pages.port, "/healthz")
        assert (status, b"cannot be made" in body) == (500, False)
        assert get(pages.port, "/livez")[0] == 200
    assert "the report cannot be made" in caplog.text


def test_a_port_that_is_taken() -> None:
    with (
        paged(State()) as port,
        pytest.raises(RVHError) as caught,
        paged(State(), port=port),
    ):
        pass
    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1:{port} for pages (--http-port): Address already in use; "
        "another server has it: end that, or choose another port"
    )


def test_a_host_of_nobody() -> None:
    with (
        pytest.raises(RVHError, match="; give an address of this machine"),
        paged(State(), host="nowhere.invalid"),
    ):
        pass


def test_an_address_of_ipv6() -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("there is no IPv6 here")
    with paged(State(), host="::1") as port:
        address = f"http://[::1]:{port}/livez"
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert answer.read() == b"alive\n"


# -- hostile and slow clients ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / x y\r\n\r\n",
        b"GET /livez HTTP/9.9\r\n\r\n",
        b"GET /livez HTTP/x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x00" * 100 + b"\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n" + b"a:\r\n" * 200 + b"\r\n",
        b"GET /nothing\r\nSet-Cookie:x\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_no_page(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with paged(State()) as port:
        answer = sent(port, data, is_whole=True)
        assert re.match(rb"HTTP/1\.0 (400|404|431|505) |$", answer), answer
        assert b"Set-Cookie" not in answer
        assert get(port, "/livez")[0] == 200
    assert caplog.records == []


def test_a_head_without_end_is_refused() -> None:
    with paged(State()) as port:
        answer = sent(port, b"GET /livez HTTP/1.1\r\nA: " + b"a" * (16 << 10))
        assert answer.startswith(b"HTTP/1.0 431 "), answer
        fits = b"GET /livez HTTP/1.1\r\nA: " + b"a" * (15 << 10) + b"\r\n\r\n"
        assert sent(port, fits).startswith(b"HTTP/1.0 200 ")


def test_a_client_that_sends_a_byte_at_a_time_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_http, "SECONDS", 0.3)
    with (
        paged(State()) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as client,
    ):

        def drip() -> bool:
            """Send one more; True once it is cut."""
            try:
                client.send(b"a")
            except OSError:
                return True
            return bool(select.select([client], [], [], 0.02)[0])

        client.sendall(b"GET /livez HTTP/1.1\r\n")
        until(drip)


def test_a_client_that_does_not_read_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_http, "SECONDS", 3)  # in which its request has to be read
    page = plain_http.Page(bytes(50 << 20), ())
    with (
        plain_http.PlainServer("127.0.0.1", 0, {"/": lambda request: page}) as server,
        socket.socket() as client,
    ):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        before = threading.active_count()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(20)
        client.connect(server.server_address)
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(8) == b"HTTP/1.0"
        until(lambda: threading.active_count() == before)
        server.shutdown()
        thread.join()


def test_connections_that_do_nothing_keep_nobody_out_for_long() -> None:
    with paged(State()) as port, ExitStack() as stack:
        before = {*threading.enumerate()}

        def working() -> int:
            return len({*threading.enumerate()} - before)

        idle = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            for _ in range(plain_http.CONNECTIONS)
        ]
        until(lambda: working() == len(idle))
        with socket.create_connection(("127.0.0.1", port), timeout=20) as more:
            assert more.recv(1) == b""  # at once, and nothing waits
        until(lambda: working() == 0)
        assert get(port, "/livez")[0] == 200


# -- rvh serve -------------------------------------------------------------------------------------


@contextmanager
def served(folder: Path, *options: object) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """The process, its port, and that of its pages."""
    (folder / "nodes.json").write_text('{"nodes": [{"id": "a"}, {"id": "b"}]}')
    (folder / "err").touch()
    arguments = ("serve", "nodes.json", "--port", 0, "--http-port", 0, *options)
    with open(folder / "err", "w") as log:
        process = subprocess.Popen(command(*arguments), cwd=folder, stderr=log, text=True)
    try:

        def said(pattern: str) -> int:
            found: list[str] = []

            def has_come() -> bool:
                assert process.poll() is None, (folder / "err").read_text()
                found.extend(re.findall(pattern, (folder / "err").read_text()))
                return bool(found)

            until(has_come, 30)
            return int(found[0])

        yield process, said(r"serving .* on 127\.0\.0\.1:(\d+) "), said(r"health on .*:(\d+)\n")
    finally:
        process.kill()
        process.wait()


def rules_of(asked: Prometheus) -> list[dict[str, Any]]:
    (group,) = asked.get("/api/v1/rules")["groups"]
    return list(group["rules"])


@pytest.mark.parametrize("processes", [1, 2])
def test_prometheus_scrapes_rvh_serve_and_sigterm_drains(tmp_path: Path, processes: int) -> None:
    rules = Path(str(files("rvh.rpc") / "alerts.yml"))
    options = ("--access-log", "access.log", "--processes", processes)
    with served(tmp_path, *options) as (process, port, pages):
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            calls = calls_of(channel)
            for number in range(5):
                calls.Select(message("rvh.v1.SelectRequest")(text=f"user:{number}"))
            with prometheus(pages, rules, tmp_path) as asked:
                keys = 'rvh_service_keys_total{rpc_method="rvh.v1.Selection/Select"}'
                until(lambda: [value for _, value in asked.query(keys)] == [5.0])
                age = asked.query("rvh_membership_age_seconds")
                assert [labels["rvh_membership_name"] for labels, _ in age] == ["file:nodes.json"]
                assert asked.query("rvh_service_workers")[0][1] == processes
                assert asked.query("process_resident_memory_bytes")[0][1] > 0
                until(lambda: {"ok"} == {each["health"] for each in rules_of(asked)})
                assert asked.firing() == {}
            # A stream that goes on keeps the server draining, which probes see.
            watch = calls.SelectStream(iter(lambda: time.sleep(0.05) or batch, None))
            batch = message("rvh.v1.SelectBatchRequest")(texts=["a"])
            next(watch)
            process.send_signal(signal.SIGTERM)
            until(lambda: get(pages, "/healthz")[0] == 503)
            assert json.loads(get(pages, "/healthz")[2])["status"] == "draining"
            draining = f"rvh_service_draining {processes}.0\n".encode()
            until(lambda: draining in get(pages, "/metrics")[2])
            assert get(pages, "/livez")[0] == 200
            watch.cancel()
        assert process.wait(20) == 0
    log = [json.loads(line) for line in (tmp_path / "access.log").read_text().splitlines()]
    assert sum(line["keys"] for line in log if line["method"] == "rvh.v1.Selection/Select") == 5


def test_max_age_needs_the_port_that_shows_it(tmp_path: Path) -> None:
    (tmp_path / "nodes.json").write_text('{"nodes": [{"id": "a"}]}')
    run = subprocess.run(
        command("serve", "nodes.json", "--max-age", 5),
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert "--max-age: it needs --http-port" in " ".join(run.stderr.split()), run.stderr
