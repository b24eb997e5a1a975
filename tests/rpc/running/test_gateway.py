"""A real Envoy with deploy/envoy.yaml before a real server: what comes and goes as JSON."""

from __future__ import annotations

import base64
import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from envoy import CONFIGURATION, configured, gateway
from pages import run_page
from rpc_server import NODES, calls_of, serving
from servers import needed, until
from small_rpc import serving as serving_handlers

from rvh import NodeSet
from rvh.membership import NodeMeta
from rvh.rpc import Limits
from rvh.rpc.health import Health
from rvh.rpc.messages import SELECTION, message

httpx = pytest.importorskip("httpx", reason="httpx is not installed")

#: in the order of indices
ORDERED = sorted(NODES, key=lambda node: node.id)
SET = NodeSet(
    [node.id for node in ORDERED],
    weights=[node.weight or 0 for node in ORDERED],
    scheme="murmur",
)
BATCH = "/v1/select:batch"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    needed("envoy")
    folder = tmp_path_factory.mktemp("envoy")
    with serving() as (server, _, source), gateway(folder, server.port) as client:
        yield client, source


@pytest.fixture
def client(running: tuple[Any, Any]) -> Any:
    return running[0]


def body(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def refused_by_envoy(response: Any, text: str) -> None:
    """Envoy's own refusals are plain text."""
    assert response.status_code == 400
    assert response.headers["content-type"] == "text/plain"
    assert text in response.text


def violations(response: Any) -> list[str]:
    found = body(response, 400)
    assert found["code"] == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    return [each["field"] for d in found["details"] for each in d["field_violations"]]


def test_envoy_accepts_the_configuration(tmp_path: Path) -> None:
    path = configured(tmp_path, 8080, 8470)
    command = [needed("envoy"), "--mode", "validate", "-c", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "OK" in run.stdout + run.stderr


def test_get(client: Any) -> None:
    answer = body(client.get("/v1/select?text=user:1&k=2&with_ids=true"))
    assert answer["ids"] == SET.select("user:1", 2)
    assert answer["k"] == 2
    assert answer["epoch"] == "1"  # 64 bits are a string in JSON
    assert len(answer["fingerprint"]) == 64


def test_what_comes_as_grpc_passes(client: Any) -> None:
    """Reflection is a stream, whose body has no end until it is answered."""
    at = f"127.0.0.1:{client.base_url.port}"

    def grpcurl(*args: str) -> str:
        command = [needed("grpcurl"), "-plaintext", "-max-time", "10", *args]
        return subprocess.check_output(command, text=True, timeout=30)

    assert SELECTION in grpcurl(at, "list").split()
    answer = json.loads(grpcurl("-d", '{"text": "a", "with_ids": true}', at, f"{SELECTION}/Select"))
    assert answer["ids"] == SET.select("a")
    answers = grpcurl("-d", '{"texts": ["a"]} {"texts": ["b"]}', at, f"{SELECTION}/SelectStream")
    assert answers.count("fingerprint") == 2
    assert "SERVING" in grpcurl(at, "grpc.health.v1.Health/Check")


@pytest.mark.parametrize("path", ["/", "/v2/select", "/grpc.channelz.v1.Channelz/GetServers"])
def test_other_paths_are_refused_at_once(client: Any, path: str) -> None:
    waiting = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"{"
        waiting.wait(20)

    assert client.get(path).status_code == 404
    try:
        assert client.post(path, content=body()).status_code == 404
    finally:
        waiting.set()


def test_forms_of_a_key(client: Any) -> None:
    def ids(**query: Any) -> Any:
        return body(client.get("/v1/select", params={**query, "with_ids": "true"}))["ids"]

    raw = bytes(range(250, 256))
    for coded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        assert ids(key=coded.decode()) == SET.select(raw)
    for number in (-5, 2**63 - 1, -(2**63)):
        assert ids(integer=number) == SET.select(number)
    assert ids(text="größe") == SET.select("größe")


def test_a_batch(client: Any) -> None:
    texts = [f"user:{n}" for n in range(50)]
    answer = body(client.post(BATCH, json={"texts": texts, "k": 3, "with_ids": True}))
    assert answer["ids"] == [node for row in SET.select_batch(texts, 3).tolist() for node in row]
    same = body(client.post(BATCH, json={"texts": texts, "k": "3", "withIds": True}))
    assert same == answer


def test_integers_are_strings_or_numbers(client: Any) -> None:
    numbers = [1, 2**53 + 1, 2**63 - 1, -(2**63)]
    as_strings = body(client.post(BATCH, json={"integers": [*map(str, numbers)], "with_ids": True}))
    assert as_strings["ids"] == SET.select_batch(numbers, 1)[:, 0].tolist()
    as_numbers = body(client.post(BATCH, json={"integers": [1, 2, 3], "with_ids": True}))
    assert as_numbers["ids"] == SET.select_batch([1, 2, 3], 1)[:, 0].tolist()


def test_keys_are_base64(client: Any) -> None:
    keys = [b"", b"\x00\xff", b"user:1"]
    coded = [base64.b64encode(key).decode() for key in keys]
    answer = body(client.post(BATCH, json={"keys": coded, "with_ids": True}))
    assert answer["ids"] == SET.select_batch(keys, 1)[:, 0].tolist()
    refused_by_envoy(client.post(BATCH, json={"keys": ["a!"]}), "keys[0]")


def test_scores_and_nodes(client: Any) -> None:
    scores = body(client.get("/v1/score?texts=a&texts=b"))["weighted"]
    assert scores == SET.score_batch(["a", "b"]).reshape(-1).tolist()
    nodes = body(client.get("/v1/nodes"))["nodes"]
    assert [node["id"] for node in nodes] == [*SET]
    assert nodes[0]["status"] == "NODE_STATUS_ALIVE"


def test_a_query_parameter_that_is_unknown_is_refused(client: Any) -> None:
    refused_by_envoy(client.get("/v1/select?text=a&kay=2"), '"kay"')
    refused_by_envoy(client.get("/v1/select?text=a&k=two"), '"two"')


def test_a_body_field_that_is_unknown_is_dropped(client: Any) -> None:
    """Nothing in Envoy can refuse it: docs/how-to/service/gateway.md says what to do."""
    found = body(client.post(BATCH, json={"text": ["a"]}), 400)
    assert found["message"].startswith("no keys: ")
    answer = body(client.post(BATCH, json={"texts": ["a"], "kay": 2}))
    assert answer["k"] == 1


def test_an_error_names_the_field(client: Any) -> None:
    response = client.get("/v1/select?text=a&k=13")
    assert violations(response) == ["k"]
    assert "12 nodes" in response.json()["message"]
    assert violations(client.post(BATCH, json={"data": "YWJj", "ends": [2, 1, 3]})) == ["ends[1]"]


def test_what_is_no_json_or_no_method(client: Any) -> None:
    refused_by_envoy(client.post(BATCH, content=b"{"), "Unexpected end")
    assert client.get(BATCH).status_code == 404
    assert client.get("/v2/select?text=a").status_code == 404


def test_a_large_batch_passes(client: Any) -> None:
    numbers = [*range(200_000)]
    answer = body(client.post(BATCH, json={"integers": numbers, "with_ids": True}))
    assert answer["ids"] == SET.select_batch(numbers, 1)[:, 0].tolist()


def test_changes_come_as_lines(running: tuple[Any, Any]) -> None:
    client, source = running
    with client.stream("GET", "/v1/nodes:watch") as response:
        assert response.status_code == 200
        lines = response.iter_lines()
        first = json.loads(next(lines))
        assert first["whole"]
        assert len(first["nodes"]) == len(NODES)
        source.say([*NODES, NodeMeta("node-new", weight=1)])
        second = json.loads(next(lines))
        assert [node["id"] for node in second["nodes"]] == ["node-new"]
        assert not second["whole"]
        source.say(NODES)
        assert json.loads(next(lines))["left"] == ["node-new"]


def test_the_page(running: tuple[Any, Any], tmp_path: Path) -> None:
    replaced = {"http://127.0.0.1:8080": str(running[0].base_url).rstrip("/")}
    assert run_page("how-to/service/gateway.md", tmp_path, replaced) >= 4


def post(client: Any, size: int, headers: dict[str, str]) -> Any:
    return client.post(BATCH, json={"texts": ["a" * size]}, headers=headers)


@pytest.mark.parametrize("headers", [{}, {"expect": "100-continue"}], ids=["plain", "expect"])
def test_a_body_that_is_too_large(headers: dict[str, str], tmp_path: Path) -> None:
    limits = Limits(message=1 << 20)
    with serving(limits=limits) as (server, _, _), gateway(tmp_path, server.port) as client:
        assert (
            body(post(client, 3_000_000, headers), 429)["code"]
            == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
        )
        for size in (17_000_000, 40_000_000):
            assert post(client, size, headers).status_code == 413
        assert client.get("/v1/select?text=a").status_code == 200


def test_the_limit_of_the_transcoder_alone_is_none(tmp_path: Path) -> None:
    """The reason for the buffer filter; where this fails, the page is to be corrected."""
    text = CONFIGURATION.read_text("utf-8")
    names = [f"                  - name: envoy.filters.http.{n}" for n in ("buffer", "grpc_json")]
    start, stop = map(text.index, names)
    with (
        serving() as (server, _, _),
        gateway(tmp_path, server.port, {text[start:stop]: ""}) as client,
    ):
        assert post(client, 40_000_000, {}).status_code == 200


def test_grpc_passes_on_the_same_port(client: Any) -> None:
    requests: queue.Queue[Any] = queue.Queue()
    batch = message("rvh.v1.SelectBatchRequest")
    with grpc.insecure_channel(client.base_url.netloc.decode()) as channel:
        calls = calls_of(channel)
        answers = calls.SelectStream(iter(requests.get, None), timeout=20)
        for text in ("user:1", "user:2"):  # each is answered before the next is sent
            requests.put(batch(texts=[text], with_ids=True))
            assert [*next(answers).ids] == SET.select(text)
        requests.put(None)
        assert [*answers] == []
        assert len(calls.GetNodes(message("rvh.v1.GetNodesRequest")()).nodes) == len(NODES)


def test_a_server_that_is_gone_is_503(tmp_path: Path) -> None:
    with serving() as (server, _, _), gateway(tmp_path, server.port) as client:
        server.close(0)
        until(lambda: client.get("/v1/select?text=a").status_code == 503, what="503")


def test_deadline_and_retry(tmp_path: Path) -> None:
    left, seen = threading.Event(), [0]
    answer = message("rvh.v1.SelectResponse")(k=7).SerializeToString()

    def late(request: bytes, context: Any) -> bytes:
        context.add_callback(left.set)
        left.wait(20)
        return answer

    def unavailable_once(request: bytes, context: Any) -> bytes:
        seen[0] += 1
        if seen[0] == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")
        return answer

    behaviors = {
        "GetNodes": lambda request, context: b"",
        "Score": late,
        "Select": unavailable_once,
    }
    handlers = {name: grpc.unary_unary_rpc_method_handler(f) for name, f in behaviors.items()}
    health = Health()
    health.set(SELECTION, True)
    made = [grpc.method_handlers_generic_handler(SELECTION, handlers), health.handlers()]
    with serving_handlers(made) as address:
        upstream = int(address.rpartition(":")[2])
        with gateway(tmp_path, upstream, {"timeout: 10s": "timeout: 0.3s"}) as client:
            assert body(client.get("/v1/select?text=a"))["k"] == 7
            assert seen == [2]
            assert client.get("/v1/score?texts=a").status_code == 504
            assert left.wait(20), "the call is cancelled"
            health.drain()
            until(lambda: client.get("/v1/select?text=a").status_code == 503, what="503")
