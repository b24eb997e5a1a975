"""Clients that know nothing of rvh: grpcurl and `buf curl`, by reflection alone."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rpc_server import NODES, serving
from servers import needed

from rvh import NodeSet
from rvh.rpc.health import HEALTH
from rvh.rpc.messages import SELECTION, message
from rvh.rpc.reflection import REFLECTION

SET = NodeSet(
    [node.id for node in NODES], weights=[node.weight or 0 for node in NODES], scheme="murmur"
)
KEYS = [b"user:1", b"\x00\xff", b"user:3"]

Call = Callable[[str, Any], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as (server, _, _):
        yield server.port


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def grpcurl(port: int, *arguments: str, options: tuple[str, ...] = ()) -> Any:
    return run(needed("grpcurl"), "-plaintext", *options, f"127.0.0.1:{port}", *arguments)


@pytest.fixture(params=["grpcurl", "buf"])
def call(port: int, request: pytest.FixtureRequest, tmp_path: Path) -> Call:
    """A method called by its name with a message in JSON."""
    program = needed(request.param)

    def by_grpcurl(method: str, data: Any) -> subprocess.CompletedProcess[str]:
        data = json.dumps(data)
        return run(program, "-plaintext", "-d", data, f"127.0.0.1:{port}", method)

    def by_buf(method: str, data: Any) -> subprocess.CompletedProcess[str]:
        url = f"http://127.0.0.1:{port}/{method}"
        options = ("--protocol", "grpc", "--http2-prior-knowledge", "-d", json.dumps(data))
        return run("env", f"XDG_CACHE_HOME={tmp_path}", program, "curl", *options, url)

    return {"grpcurl": by_grpcurl, "buf": by_buf}[request.param]


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_select(call: Call) -> None:
    found = answer(call(f"{SELECTION}/Select", {"text": "user:1", "k": 2, "with_ids": True}))
    assert found["ids"] == SET.select("user:1", 2)
    assert (found["k"], found["epoch"]) == (2, "1")


def test_a_batch_of_repeated_keys(call: Call) -> None:
    coded = [base64.b64encode(key).decode() for key in KEYS]
    found = answer(call(f"{SELECTION}/SelectBatch", {"keys": coded, "k": 2, "with_ids": True}))
    assert found["ids"] == [node for row in SET.select_batch(KEYS, 2).tolist() for node in row]


def test_nodes(call: Call) -> None:
    found = answer(call(f"{SELECTION}/GetNodes", {}))
    assert {node["id"] for node in found["nodes"]} == {node.id for node in NODES}


def test_an_error_names_the_field(call: Call) -> None:
    done = call(f"{SELECTION}/Select", {"text": "user:1", "k": 13})
    assert done.returncode != 0
    told = done.stdout + done.stderr
    assert "12 nodes" in told
    assert "google.rpc.BadRequest" in told
    if value := re.search(r'"value": "(.*)"', told):  # buf leaves the detail encoded
        detail = base64.b64decode(value[1] + "==")
        told = str(message("google.rpc.BadRequest").FromString(detail))
    assert re.search(r'"?field"?: ?"k"', told), told


def test_a_field_that_is_unknown_is_refused_by_the_client(call: Call) -> None:
    done = call(f"{SELECTION}/Select", {"text": "user:1", "kay": 2})
    assert done.returncode != 0
    assert "kay" in done.stdout + done.stderr


def test_health(call: Call) -> None:
    for service in ("", SELECTION):
        assert answer(call(f"{HEALTH}/Check", {"service": service})) == {"status": "SERVING"}
    done = call(f"{HEALTH}/Check", {"service": "rvh.v2.Selection"})
    assert done.returncode != 0
    assert "this server has no 'rvh.v2.Selection'" in done.stdout + done.stderr


def test_grpcurl_lists_and_describes(port: int) -> None:
    done = grpcurl(port, "list")
    assert done.returncode == 0, done.stderr
    assert {*done.stdout.split()} == {SELECTION, HEALTH, *REFLECTION}
    for symbol, text in (
        (SELECTION, "rpc SelectStream ( stream .rvh.v1.SelectBatchRequest )"),
        (f"{SELECTION}.Select", 'get: "/v1/select"'),
        ("rvh.v1.SelectRequest", "sfixed64 integer = 3;"),
    ):
        done = grpcurl(port, "describe", symbol)
        assert done.returncode == 0, done.stderr
        assert text in " ".join(done.stdout.replace(":", ": ").split())


def test_grpcurl_watches_health(port: int) -> None:
    """Until its own deadline: a Watch has no end."""
    options = ("-max-time", "1", "-d", json.dumps({"service": SELECTION}))
    done = grpcurl(port, f"{HEALTH}/Watch", options=options)
    assert json.loads(done.stdout) == {"status": "SERVING"}
    assert "DeadlineExceeded" in done.stderr


def test_grpcurl_streams(port: int) -> None:
    requests = "\n".join(json.dumps({"texts": [f"user:{n}"], "k": n}) for n in (1, 2, 3))
    done = grpcurl(port, f"{SELECTION}/SelectStream", options=("-d", requests))
    assert done.returncode == 0, done.stderr
    decoder, text, found = json.JSONDecoder(), done.stdout.strip(), []
    while text:
        one, end = decoder.raw_decode(text)
        found.append(one["k"])
        text = text[end:].strip()
    assert found == [1, 2, 3]
