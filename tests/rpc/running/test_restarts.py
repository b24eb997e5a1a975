"""Clients while their server drains and another takes its place: callers see nothing of it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("grpc", reason="grpcio is not installed")
pytest.importorskip("msgspec", reason="msgspec is not installed")

from rpc_server import serving

from rvh.rpc import AsyncClient, Client, Server


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


def test_a_server_that_is_replaced_under_tasks() -> None:
    with serving() as (first, membership, _):
        server, port = first, first.port
        expected, over = membership.nodes.select("a"), threading.Event()

        async def ask(client: AsyncClient) -> int:
            answers = 0
            while not over.is_set():
                found = await asyncio.gather(*(client.select("a") for _ in range(3)))
                found.append(await client.select_batch(["a"]))
                for each in found:
                    assert [*np.ravel(each.value)] == expected
                answers += 1
            return answers

        async def ask_all() -> list[int]:
            async with AsyncClient(f"127.0.0.1:{port}", timeout=60) as client:
                return await asyncio.gather(*(ask(client) for _ in range(4)))

        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(asyncio.run, ask_all())
            try:
                for _ in range(15):
                    with Client(f"127.0.0.1:{port}", timeout=60) as client:
                        client.select("a")
                    server.close(5)
                    server = Server(membership, port=port)
                    server.start()
            finally:
                over.set()
                answers = asking.result()
                server.close(0)
        assert min(answers) > 0
