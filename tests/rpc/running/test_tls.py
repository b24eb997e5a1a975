"""TLS and mutual TLS: who is let in, certificates that change, files that cannot be used."""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from certificates import Authority, Pair
from rpc_server import calls_of, serving
from servers import needed, until

from rvh.errors import RVHError
from rvh.rpc import Client, Server, ServerTls, ServiceError, Tls, follow
from rvh.rpc.messages import message

ASKED = message("rvh.v1.GetNodesRequest")()


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours") / "ca")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("theirs") / "ca")


@pytest.fixture(scope="module")
def pair(ours: Authority) -> Pair:
    return ours.sign("server")


def put(pair: Pair, folder: Path) -> Pair:
    """Copy a pair into the folder of a server, each file at once."""
    for path, name in ((pair.key, "key"), (pair.certificate, "cert")):
        shutil.copy(path, folder / "new")
        (folder / "new").replace(folder / name)
    return Pair(folder / "cert", folder / "key")


def common_name(server: Server) -> str:
    """The name in the certificate that a new handshake gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", server.port), 10) as plain,
        context.wrap_socket(plain) as wrapped,
    ):
        certificate = wrapped.getpeercert(binary_form=True)
    assert certificate is not None
    args = ["x509", "-inform", "DER", "-noout", "-subject"]
    run = subprocess.run([needed("openssl"), *args], input=certificate, capture_output=True)
    return run.stdout.decode().rpartition("=")[2].strip()


def count(server: Server, tls: Tls | None) -> int:
    """The nodes, as a client that has these files is told."""
    target, options = f"localhost:{server.port}", [("grpc.use_local_subchannel_pool", 1)]
    with (
        grpc.insecure_channel(target, options)
        if tls is None
        else grpc.secure_channel(target, tls.credentials(), options)
    ) as channel:
        return len(calls_of(channel).GetNodes(ASKED, timeout=10).nodes)


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(grpc.RpcError) as caught:
        yield
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.UNAVAILABLE


def test_a_client_that_trusts_the_authority(ours, theirs, pair):
    with serving("a b", tls=ServerTls(pair.certificate, pair.key)) as (server, *_):
        assert count(server, Tls(ca=ours.ca)) == 2
        with refused():
            count(server, Tls(ca=theirs.ca))
        with refused():
            count(server, None)
        assert count(server, Tls(ca=ours.ca)) == 2  # whatever went before


def test_clients_of_rvh_and_of_others(ours, theirs, pair):
    with serving("a b", tls=ServerTls(pair.certificate, pair.key)) as (server, *_):
        target = f"localhost:{server.port}"
        with Client(target, tls=Tls(ca=ours.ca)) as client:
            assert len(client.nodes().value) == 2
        with follow(target, tls=Tls(ca=ours.ca)) as here:
            assert len(here.nodes) == 2
        with (
            Client(target, tls=Tls(ca=theirs.ca), timeout=0.5) as client,
            pytest.raises(ServiceError, match="TLS"),
        ):
            client.nodes()
        asked = ("-d", '{"text": "x", "k": 2}', target, "rvh.v1.Selection/Select")
        run = subprocess.run([needed("grpcurl"), "-cacert", ours.ca, *asked], capture_output=True)
        assert b'"k": 2' in run.stdout, run.stderr


def test_a_server_that_is_asked_by_another_name(ours, pair):
    with serving("a b", host="127.0.0.2", tls=ServerTls(pair.certificate, pair.key)) as (
        server,
        *_,
    ):
        target = f"127.0.0.2:{server.port}"
        with (
            Client(target, tls=Tls(ca=ours.ca), timeout=0.5) as client,
            pytest.raises(ServiceError),
        ):
            client.nodes()
        with Client(target, tls=Tls(ca=ours.ca, server_name="localhost")) as client:
            assert len(client.nodes().value) == 2


def test_mutual_tls(ours, theirs, pair):
    client, stranger, late = ours.sign("client"), theirs.sign("x"), ours.sign("late", is_over=True)
    with serving("a b", tls=ServerTls(pair.certificate, pair.key, ours.ca)) as (server, *_):
        assert count(server, Tls(ours.ca, client.certificate, client.key)) == 2
        for tls in (
            Tls(ours.ca),
            Tls(ours.ca, stranger.certificate, stranger.key),
            Tls(ours.ca, late.certificate, late.key),
        ):
            with refused():
                count(server, tls)
        assert count(server, Tls(ours.ca, client.certificate, client.key)) == 2


def test_authorities_with_comments_in_any_encoding(ours, pair, tmp_path):
    """As bundles of a system have them."""
    ca, client = tmp_path / "bundle.pem", ours.sign("client")
    ca.write_bytes("# Főtanúsítvány\n".encode() + ours.ca.read_bytes() + b"# \xe9\n")
    with serving("a b", tls=ServerTls(pair.certificate, pair.key, ca)) as (server, *_):
        assert count(server, Tls(ca, client.certificate, client.key)) == 2
        with Client(
            f"localhost:{server.port}", tls=Tls(ca, client.certificate, client.key)
        ) as asking:
            assert len(asking.nodes().value) == 2
    der = tmp_path / "der"
    der.write_bytes(ssl.PEM_cert_to_DER_cert(ours.ca.read_text()))
    with pytest.raises(RVHError, match="has no certificates of authorities"):
        Client("localhost:1", tls=Tls(der))


def test_a_new_certificate_is_used_from_the_next_handshake_on(ours, pair, tmp_path, caplog):
    caplog.set_level("INFO", "rvh.rpc")
    files = put(pair, tmp_path)
    with serving("a b", tls=ServerTls(files.certificate, files.key)) as (server, *_):
        assert server.report().expires == pytest.approx(2493072000)  # 2049-01-01
        channel = grpc.secure_channel(
            f"localhost:{server.port}", grpc.ssl_channel_credentials(ours.ca.read_bytes())
        )
        with channel:
            nodes = calls_of(channel).GetNodes
            nodes(ASKED)
            assert common_name(server) == "server"
            put(ours.sign("second"), tmp_path)
            assert common_name(server) == "second"
            nodes(ASKED)  # over the connection of before
        assert count(server, Tls(ours.ca)) == 2
        assert server.report().failed_reloads == 0
    told = [one.getMessage() for one in caplog.records if one.name == "rvh.rpc"]
    assert told == [f"{files.certificate}, {files.key}: read again"]


@pytest.mark.parametrize("spoil", ["half", "other key", "missing", "empty"])
def test_broken_new_files_leave_the_old_ones(ours, pair, tmp_path, caplog, spoil):
    files = put(pair, tmp_path)
    with serving("a b", tls=ServerTls(files.certificate, files.key)) as (server, *_):
        content = files.certificate.read_bytes()
        if spoil == "half":
            files.certificate.write_bytes(content[: len(content) // 2])
        elif spoil == "other key":
            shutil.copy(ours.sign("other").key, files.key)
        elif spoil == "missing":
            files.certificate.unlink()
        else:
            files.key.write_bytes(b"")
        for _ in range(3):
            assert common_name(server) == "server"
        until(lambda: server.report().failed_reloads == 1)
        told = [one for one in caplog.records if one.name == "rvh.rpc"]
        assert len(told) == 1
        assert told[0].levelno == logging.WARNING
        assert "; the certificate from before stays" in told[0].getMessage()
        assert str(tmp_path) in told[0].getMessage()
        put(ours.sign("third"), tmp_path)
        until(lambda: common_name(server) == "third")
        assert count(server, Tls(ours.ca)) == 2


def test_another_authority_of_clients_is_loaded(ours, theirs, pair, tmp_path, caplog):
    caplog.set_level("INFO", "rvh.rpc")
    ca = tmp_path / "ca"
    shutil.copy(ours.ca, ca)
    mine, other = ours.sign("mine"), theirs.sign("other")
    with serving("a b", tls=ServerTls(pair.certificate, pair.key, ca)) as (server, *_):
        assert count(server, Tls(ours.ca, mine.certificate, mine.key)) == 2
        shutil.copy(theirs.ca, ca)
        assert count(server, Tls(ours.ca, other.certificate, other.key)) == 2
        with refused():
            count(server, Tls(ours.ca, mine.certificate, mine.key))
    told = [one.getMessage() for one in caplog.records if one.name == "rvh.rpc"]
    assert told == [f"{ca}: read again"]


def test_a_certificate_that_is_over_is_served_with_a_warning(ours, caplog):
    late = ours.sign("over", is_over=True)
    with serving("a b", tls=ServerTls(late.certificate, late.key)) as (server, *_):
        (told,) = (one.getMessage() for one in caplog.records if one.name == "rvh.rpc")
        assert told == (
            f"the certificate {late.certificate} has expired on 2020-02-01 00:00:00 UTC: clients "
            "will refuse it"
        )
        with refused():
            count(server, Tls(ours.ca))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda cert, key: cert.unlink(), "cert cannot be read: No such file"),
        (lambda cert, key: key.unlink(), "key cannot be read: No such file"),
        (lambda cert, key: cert.write_text("x"), "cert has no certificate in PEM"),
        (lambda cert, key: cert.write_bytes(key.read_bytes()), "cert has no certificate in PEM"),
        (
            lambda cert, key: key.write_text("x"),
            "key is not a private key in PEM for the certificate",
        ),
        (lambda cert, key: change(key), "key is not the key of the certificate in "),
        (lambda cert, key: lock(key), "key has a passphrase: give a key without one"),
        (lambda cert, key: (cert.parent / "ca").write_text("x"), "ca has no certificates of auth"),
    ],
)
def test_files_that_cannot_be_used(
    ours: Authority, pair: Pair, tmp_path: Path, spoil: Callable[..., object], words: str
) -> None:
    files = put(pair, tmp_path)
    shutil.copy(ours.ca, tmp_path / "ca")
    spoil(files.certificate, files.key)
    with (
        pytest.raises(RVHError) as caught,
        serving("a", tls=ServerTls(files.certificate, files.key, tmp_path / "ca")),
    ):
        pass
    assert words in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def change(key: Path) -> None:
    args = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run([needed("openssl"), *args, "-out", str(key)], check=True, capture_output=True)


def lock(key: Path) -> None:
    args = ["ec", "-in", str(key), "-aes256", "-passout", "pass:s3cret", "-out", f"{key}.locked"]
    subprocess.run([needed("openssl"), *args], check=True, capture_output=True)
    Path(f"{key}.locked").replace(key)
