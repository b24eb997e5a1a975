"""How libmemcached_more.json came to be: pylibmc puts keys on real servers, and each is asked.

    python make_libmemcached.py NEW_FILE

Needs `pip install pylibmc` and Debian's memcached, and starts servers of it on 127.0.0.2 and up.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pylibmc

KEYS = [f"user:{n}" for n in range(150)] + [f"größe/{n}" for n in range(50)]
PORTS = (11211, 11311)


@contextlib.contextmanager
def servers(count: int) -> Iterator[None]:
    started = [
        subprocess.Popen(
            ["memcached", *f"-l 127.0.0.{host} -p {port} -U 0 -m 2 -t 1 -u nobody".split()]
        )
        for port in PORTS
        for host in range(2, 2 + count)
    ]
    try:
        time.sleep(1)
        yield
    finally:
        for each in started:
            each.terminate()
            each.wait()


def ask(server: str, command: bytes) -> bytes:
    host, port = server.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(command)
        answer = b""
        while not answer.endswith((b"END\r\n", b"OK\r\n")):
            answer += connection.recv(1 << 16)
    return answer


def owners(names: list[str], weights: list[int] | None, behaviors: dict[str, object]) -> list[int]:
    for name in names:
        ask(name, b"flush_all\r\n")
    given = [
        f"{name}:{weight}" for name, weight in zip(names, weights or [1] * len(names), strict=True)
    ]
    client = pylibmc.Client(given if weights else names, behaviors=behaviors)
    for key in KEYS:
        assert client.set(key, "x")
    found = []
    gets = b"get " + " ".join(KEYS).encode() + b"\r\n"
    has = [
        {line.split()[1].decode() for line in ask(name, gets).splitlines() if line[:5] == b"VALUE"}
        for name in names
    ]
    for key in KEYS:
        (only,) = (n for n, there in enumerate(has) if key in there)
        found.append(only)
    return found


def main(path: str) -> None:
    lists: list[tuple[list[str], list[int] | None]] = []
    for port in PORTS:
        lists.append(([f"127.0.0.{n}:{port}" for n in range(2, 27)], None))
        lists.append(([f"127.0.0.{n}:{port}" for n in range(2, 7)], [1, 1, 1, 11, 11]))
        lists.append(([f"127.0.0.{n}:{port}" for n in range(2, 5)], [1, 18, 21]))
        lists.append(([f"127.0.0.{n}:{port}" for n in range(2, 6)], [1, 1, 1, 1]))
    lists.append((["127.0.0.2:11211", "127.0.0.2:11311", "127.0.0.3:11211"], [1, 2, 3]))
    behaviors: list[dict[str, object]] = [
        {"ketama_weighted": True},
        {"ketama": True},
        {"ketama": True, "hash": "md5"},
        {"distribution": "consistent"},
        {"distribution": "consistent", "hash": "md5"},
    ]
    with servers(25):
        cases = [
            {
                "servers": names,
                "weights": weights,
                "behaviors": behavior,
                "owner": owners(names, weights, behavior),
            }
            for names, weights in lists
            for behavior in behaviors
        ]
    about = f"pylibmc {pylibmc.__version__} over libmemcached {pylibmc.libmemcached_version}"
    source = f"{about} against memcached servers on loopback, by make_libmemcached.py"
    with open(path, "x", encoding="utf-8") as file:
        file.write(f'{{"source": {json.dumps(source)},\n"keys": {json.dumps(KEYS)},\n"cases": [\n')
        file.write(",\n".join(map(json.dumps, cases)) + "\n]}\n")


if __name__ == "__main__":
    main(sys.argv[1])
