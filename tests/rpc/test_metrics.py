"""What the service counts, and what it writes down of its calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_server import promtool
from servers import until

grpc = pytest.importorskip("grpc", reason="grpcio is not installed")
client = pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
pytest.importorskip("msgspec", reason="msgspec is not installed")

from rpc_server import calls_of, serving  # noqa: E402

from rvh.observe.prometheus import register  # noqa: E402
from rvh.observe.tally import Histogram  # noqa: E402
from rvh.rpc import Limits, Server  # noqa: E402
from rvh.rpc.access import AccessLog  # noqa: E402
from rvh.rpc.messages import message  # noqa: E402
from rvh.rpc.metrics import Report, Reports, table  # noqa: E402

SELECT, BATCH = "rvh.v1.Selection/Select", "rvh.v1.Selection/SelectBatch"
STREAM, WATCH = "rvh.v1.Selection/SelectStream", "rvh.v1.Selection/WatchNodes"


def ended(server: Server, method: str) -> dict[str, int]:
    durations = server.report().durations[method]
    return {code: sum(each.buckets) for code, each in durations.items() if sum(each.buckets)}


def stub(server: Server) -> Any:
    return calls_of(grpc.insecure_channel(f"127.0.0.1:{server.port}"))


def test_calls_and_keys_by_method_and_code() -> None:
    with serving() as (server, _, _):
        calls = stub(server)
        for number in range(200):
            calls.Select(message("rvh.v1.SelectRequest")(text=f"user:{number}"))
        with pytest.raises(grpc.RpcError):
            calls.Select(message("rvh.v1.SelectRequest")(text="user:1", k=99))
        until(lambda: ended(server, SELECT) == {"OK": 200, "INVALID_ARGUMENT": 1})
        batch = message("rvh.v1.SelectBatchRequest")(texts=["a", "b", "c"])
        calls.SelectBatch(batch)
        assert len(list(calls.SelectStream(iter([batch, batch])))) == 2
        until(lambda: (ended(server, BATCH), ended(server, STREAM)) == ({"OK": 1}, {"OK": 1}))
        report = server.report()
        assert (report.keys[SELECT], report.keys[BATCH], report.keys[STREAM]) == (200, 3, 6)
        assert report.under_way[SELECT] == 0
        assert report.refused == {}


def test_streams_are_under_way_until_they_end() -> None:
    with serving() as (server, _, _):
        stream = stub(server).WatchNodes(message("rvh.v1.WatchNodesRequest")())
        next(stream)
        assert server.report().under_way[WATCH] == 1
        stream.cancel()
        until(lambda: server.report().under_way[WATCH] == 0)
        assert ended(server, WATCH) == {"CANCELLED": 1}


def test_what_is_refused_is_counted_by_reason() -> None:
    with serving(limits=Limits(streams=1)) as (server, _, _):
        calls = stub(server)
        first = calls.WatchNodes(message("rvh.v1.WatchNodesRequest")())
        next(first)
        with pytest.raises(grpc.RpcError):
            next(calls.WatchNodes(message("rvh.v1.WatchNodesRequest")()))
        until(lambda: ended(server, WATCH) == {"RESOURCE_EXHAUSTED": 1})
        assert server.report().refused == {"streams": 1}
        first.cancel()


def test_promtool_accepts_the_page() -> None:
    with serving() as (server, _, _):
        stub(server).Select(message("rvh.v1.SelectRequest")(text="user:1"))
        until(lambda: ended(server, SELECT) == {"OK": 1})
        registry = client.CollectorRegistry()
        register(registry, table(server.report))
        page = client.generate_latest(registry)
    sample = (
        f'rpc_server_call_duration_seconds_count{{rpc_method="{SELECT}",'
        'rpc_response_status_code="OK",rpc_system_name="grpc"} 1.0'
    )
    assert sample in page.decode().splitlines()
    assert promtool("check", "metrics", page=page) == b"", page


def test_sums_over_workers_keep_what_the_dead_had() -> None:
    buckets = (1,) + (0,) * 13
    one = Report(
        durations={SELECT: {"OK": Histogram(buckets, 0.5)}},
        keys={SELECT: 7}, under_way={SELECT: 3}, refused={"calls": 2},
        workers=1, draining=1, expires=100.0,
    )  # fmt: skip
    other = Report(keys={SELECT: 1, BATCH: 5}, workers=1, expires=50.0)
    reports = Reports()
    reports.take(1, one.to_bytes())
    reports.take(2, other.to_bytes())
    reports.take(2, other.to_bytes())  # in place of the one before
    total = reports.read()
    assert (total.keys, total.workers, total.expires) == ({SELECT: 8, BATCH: 5}, 2, 50.0)
    assert total.durations[SELECT]["OK"] == Histogram(buckets, 0.5)

    reports.ended(1, restarted=True)
    reports.take(3, one.to_bytes())
    total = reports.read()
    assert (total.keys[SELECT], total.restarts, total.workers) == (15, 1, 2)
    assert total.durations[SELECT]["OK"] == Histogram((2,) + (0,) * 13, 1.0)
    assert (total.under_way, total.draining, total.refused) == ({SELECT: 3}, 1, {"calls": 4})


# -- the access log --------------------------------------------------------------------------------


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line_for_each_call_without_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(str(path))
    with serving(access_log=log) as (server, membership, _):
        calls = stub(server)
        calls.Select(message("rvh.v1.SelectRequest")(text="a very secret key"))
        with pytest.raises(grpc.RpcError):
            calls.Select(message("rvh.v1.SelectRequest")(text="a very secret key", k=99))
        until(lambda: path.exists() and len(lines(path)) == 2)
        first, second = lines(path)
        assert (first["method"], first["code"], first["keys"]) == (SELECT, "OK", 1)
        assert first["epoch"] == membership.snapshot.epoch
        assert first["peer"].startswith("ipv4:127.0.0.1:")
        assert 0 <= first["seconds"] < 60
        assert (second["code"], second["keys"], second["epoch"]) == ("INVALID_ARGUMENT", 0, 0)
        assert "secret" not in path.read_text("utf-8")

        path.rename(tmp_path / "access.log.1")
        calls.Select(message("rvh.v1.SelectRequest")(text="user:1"))
        until(lambda: path.exists() and len(lines(path)) == 1)
    log.close()


def test_a_full_disk_fails_no_call() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    log = AccessLog("/dev/full")
    with serving(access_log=log) as (server, _, _):
        stub(server).Select(message("rvh.v1.SelectRequest")(text="user:1"))
        until(lambda: server.report().lost_lines == 1)
    log.close()
