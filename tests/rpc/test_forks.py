"""Clients and servers in the child of a fork: gRPC is not there, so they say so and do not hang."""

from __future__ import annotations

from stopping import fork
from subprocesses import python

FORKED = """
import asyncio, os, signal, sys, threading
from rvh.membership import Membership, NodeMeta, State
from rvh.rpc import AsyncClient, Client, Server

class Two:
    name = "two"
    async def watch(self):
        yield State([NodeMeta("a"), NodeMeta("b")])
        await asyncio.sleep(600)

with Membership(Two()) as nodes, Server(nodes) as server:
    where = f"127.0.0.1:{server.port}"
    client, other = Client(where), AsyncClient(where)
    right = client.select("x").value
    over = threading.Event()

    def ask():
        while not over.is_set():
            client.select("x")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        child = os.fork()
        if not child:
            signal.alarm(60)  # what hangs is ended
            refused = 0
            for call in (
                lambda: client.select("x"),
                lambda: client.select_batch(["x"]),
                lambda: asyncio.run(other.select("x")),
            ):
                try:
                    call()
                except ValueError as error:
                    refused += "before this process was forked" in str(error)
            client.close()
            asyncio.run(other.close())
            server.close()
            nodes.close()
            os._exit(refused)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    over.set()
    for thread in threads:
        thread.join()
    print(client.select("x").value == right)
    client.close()
"""


@fork
def test_clients_and_servers_in_a_child() -> None:
    """Forked while four threads ask: what belongs to the parent goes on there."""
    done = python(FORKED, "-W", "ignore")  # stderr has gRPC's own note on forks
    assert (done.returncode, done.stdout.split()) == (0, ["3"] * 5 + ["True"]), done
