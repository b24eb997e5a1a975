"""Clients while their server drains and another takes its place: callers see nothing of it."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("grpc", reason="grpcio is not installed")
pytest.importorskip("msgspec", reason="msgspec is not installed")

from rpc_server import serving

from rvh.rpc import Client, Server


def test_a_server_that_is_replaced_again_and_again() -> None:
    with serving() as (first, membership, _):
        server, port = first, first.port
        clients = [Client(f"127.0.0.1:{port}", timeout=60) for _ in range(4)]
        expected = membership.nodes.select("a")
        wrong: list[object] = []
        stop = threading.Event()

        def ask(client: Client) -> None:
            while not stop.is_set():
                try:
                    answer = client.select_batch(["a"]).value.ravel().tolist()
                    if answer != expected:
                        wrong.append(answer)
                except Exception as error:  # it is told below
                    wrong.append(error)

        threads = [threading.Thread(target=ask, args=(client,)) for client in clients * 2]
        for thread in threads:
            thread.start()
        try:
            for _ in range(15):
                clients[0].select("a", timeout=60)  # all are busy again
                server.close(5)
                server = Server(membership, port=port)
                server.start()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            for client in clients:
                client.close()
            server.close(0)
        assert wrong == []
