"""Nothing secret in what a server says, answers or shows, whatever it is asked."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from servers import until

grpc = pytest.importorskip("grpc", reason="grpcio is not installed")
pytest.importorskip("msgspec", reason="msgspec is not installed")
pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")

from certificates import Authority  # noqa: E402
from rpc_server import calls_of  # noqa: E402
from scripted import Scripted  # noqa: E402
from serve_command import serve, write_nodes  # noqa: E402

import rvh  # noqa: E402
from rvh.membership import Membership  # noqa: E402
from rvh.rpc import AsyncClient, Client, Server, ServerTls, Tls  # noqa: E402
from rvh.rpc.health import HEALTH  # noqa: E402
from rvh.rpc.messages import SELECTION, message, methods  # noqa: E402
from rvh.rpc.reflection import REFLECTION  # noqa: E402

PLACEMENT, TOKEN, GUESS = "a placement s3cret", "a-token-of-the-fleet-01", "a-guess-of-nobody-0123"


@pytest.mark.parametrize("processes", [1, 2])
def test_nothing_secret_is_told(tmp_path: Path, processes: int) -> None:
    authority = Authority(tmp_path / "authority")
    pair = authority.sign("server")
    write_nodes(tmp_path / "nodes.json", ["a", "b", "c"])
    (tmp_path / "secret").write_text(PLACEMENT)
    (tmp_path / "tokens").write_text(TOKEN + "\n")
    (tmp_path / "tokens").chmod(0o600)
    options = {
        "--processes": processes, "--secret-file": "secret", "--token-file": "tokens",
        "--tls-cert": pair.certificate, "--tls-key": pair.key,
        "--access-log": "-", "--http-port": 0,
    }  # fmt: skip
    told: list[bytes] = []
    with serve(tmp_path, *(each for option in options.items() for each in option)) as server:
        credentials = grpc.ssl_channel_credentials(authority.ca.read_bytes())
        with grpc.secure_channel(f"localhost:{server.port}", credentials) as channel:
            for token in (TOKEN, GUESS):
                for service in (SELECTION, HEALTH, *REFLECTION):
                    for method in methods(service):
                        told += everything(channel, service, method, token)
        (tmp_path / "tokens").write_text(f"{TOKEN}\n{GUESS} and a space\n")  # cannot be used
        with grpc.secure_channel(f"localhost:{server.port}", credentials) as channel:

            def is_refused() -> bool:
                told.extend(everything(channel, SELECTION, next(methods(SELECTION)), TOKEN))
                return "the tokens from before stay" in server.text()

            until(is_refused)
        found = re.search(r"metrics and health on (\S+)", server.text())
        assert found
        for page in ("metrics", "healthz", "livez"):
            with urllib.request.urlopen(f"http://{found[1]}/{page}", timeout=20) as answer:
                told.append(answer.read())
        assert server.end() == 0
        told.append(server.text().encode())
    keyed = rvh.NodeSet(["a", "b", "c"], secret=PLACEMENT.encode())
    content = b"\n".join(told)
    assert content.count(keyed.fingerprint.encode()) > 5  # it was answered
    assert content.count(b"UNAUTHENTICATED") > 5  # and refused
    key = "".join(pair.key.read_text().splitlines()[1:-1])
    for secret in (PLACEMENT, TOKEN, GUESS, key[:40], key[-40:]):
        assert secret.encode() not in content


def everything(channel: Any, service: str, method: Any, token: str) -> list[bytes]:
    """All that comes of a call: answers, details and headers."""
    ask = {"Select": {"text": "x"}, "SelectBatch": {"texts": ["x"]}, "Score": {"texts": ["x"]}}
    fields = ask.get(method.name, {"texts": ["x"]} if method.name == "SelectStream" else {})
    request = message(method.request.DESCRIPTOR.full_name)(**fields)
    call = getattr(calls_of(channel, service), method.name)
    metadata = (("authorization", f"Bearer {token}"),)
    given = iter([request]) if method.takes_stream else request
    told: list[bytes] = []
    try:
        if method.gives_stream:
            answers = call(given, metadata=metadata, timeout=20)
            told.append(next(answers).SerializeToString())
            answers.cancel()
        else:
            told.append(call(given, metadata=metadata, timeout=20).SerializeToString())
    except StopIteration:
        pass
    except grpc.RpcError as error:
        caught: Any = error
        told += [caught.code().name.encode(), caught.details().encode()]
        told.append(repr(caught.trailing_metadata()).encode())
    return told


def test_nothing_secret_is_in_a_repr(tmp_path: Path) -> None:
    pair = Authority(tmp_path / "authority").sign("server")
    path = tmp_path / "tokens"
    path.write_text(TOKEN)
    path.chmod(0o600)
    with (
        Membership(Scripted("a"), secret=PLACEMENT.encode()) as membership,
        Server(membership, tokens=path, tls=ServerTls(pair.certificate, pair.key)) as server,
        Client(
            f"localhost:{server.port}", token=TOKEN, tls=Tls(tmp_path / "authority/ca.pem")
        ) as c,
    ):
        other = AsyncClient("localhost:1", token=TOKEN, plaintext=True)
        for each in (membership, membership.snapshot, membership.nodes, server, c, other):
            assert not any(secret in repr(each) for secret in (PLACEMENT, TOKEN))
