"""The servers of memcached's clients and proxies: where they put keys on running servers."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from memcached_servers import holders, memcached_servers
from servers import Server, free_port, needed

import rvh
from rvh.placements import libmemcached_modula, python_memcached, twemproxy
from rvh.placements.memcached import LIBMEMCACHED_HASHES, TWEMPROXY_HASHES
from rvh.ring import Ring

#: keys of each comparison; more of them by hand
COUNT = int(os.environ.get("RVH_TEST_KEYS", "600"))
WEIGHTS = [1, 2, 1, 3]
TAG = "{}"


def make_keys(count: int, seed: int = 1) -> list[bytes]:
    """Text, tags, and bytes above 127, of 1 to 250 bytes, without blanks and control characters."""
    rng = random.Random(seed)
    allowed = bytes(range(0x21, 0x7F)) + bytes(range(0x80, 0x100))
    keys = [f"user:{n}".encode() for n in range(count // 3)]
    keys += [b"{%d}.%d" % (n % 50, n) for n in range(count // 6)]
    keys += [b"{}", b"{", b"}{", b"a{}b", b"a{}{b}", b"{}{b}", b"a{b", b"}{a}"]
    while len(keys) < count:
        size = 250 if rng.random() < 0.02 else rng.randrange(1, 70)
        keys.append(bytes(rng.choices(allowed, k=size)))
    return list(dict.fromkeys(keys))


KEYS = make_keys(COUNT)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    with memcached_servers(4, tmp_path_factory.mktemp("memcached")) as names:
        yield names


# -- python-memcached ---------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_python_memcached(servers: list[str], weights: list[int] | None) -> None:
    memcache = pytest.importorskip("memcache", reason="python-memcached is not installed")
    given: list[Any] = servers if weights is None else list(zip(servers, weights, strict=True))
    client = memcache.Client(given, socket_timeout=20)
    value = b"python-memcached" + bytes(str(weights), "ascii")
    for key in KEYS:
        assert client.set(key, value)
    for key in KEYS[:1]:
        assert client.get(key) == value
    found = where(servers, value)
    placed = python_memcached(servers, weights)
    assert placed.lookup_batch(KEYS)[:, 0].tolist() == found
    client.disconnect_all()


def test_the_other_hashes_of_python_memcached() -> None:
    memcache = pytest.importorskip("memcache", reason="python-memcached is not installed")
    names = ["a", "b", "c", "d", "e"]
    old = python_memcached(names, hash_fn="crc32")
    want = [names[memcache.binascii.crc32(key) % 5] for key in KEYS]
    assert old.lookup_batch(KEYS)[:, 0].tolist() == want
    new, before = python_memcached(names), python_memcached(names, hash_fn="cmemcache-1.59")
    zero = next(b"%d" % n for n in range(10**6) if memcache.cmemcache_hash(b"%d" % n) == 0)
    assert (new.slot(zero), before.slot(zero)) == (0, 1)
    want = [(memcache.cmemcache_hash(key) or 1) % 5 for key in KEYS]
    assert before.slot_batch(KEYS).tolist() == want


def test_a_weight_of_zero() -> None:
    memcache = pytest.importorskip("memcache", reason="python-memcached is not installed")
    client = memcache.Client([("127.0.0.1:1", 0), ("127.0.0.1:2", 2), ("127.0.0.1:3", 1)])
    buckets = [server.address[1] for server in client.buckets]
    placed = python_memcached(["1", "2", "3"], [0, 2, 1])
    assert [int(placed.ids[owner]) for owner in placed.owners[:, 0]] == buckets


# -- libmemcached -------------------------------------------------------------------------------


@pytest.mark.parametrize("hash_fn", LIBMEMCACHED_HASHES)
def test_pylibmc_without_a_ring(servers: list[str], hash_fn: str) -> None:
    pylibmc = pytest.importorskip("pylibmc", reason="pylibmc is not installed")
    behaviors = {} if hash_fn == "default" else {"hash": hash_fn}
    try:
        client = pylibmc.Client(servers, behaviors=behaviors)
    except Exception as error:  # a libmemcached that was built without this hash
        pytest.skip(f"pylibmc has no hash {hash_fn}: {error}")
    value = b"pylibmc " + hash_fn.encode()
    assert client.set_multi(dict.fromkeys(KEYS, value)) == []
    found = where(servers, value)
    assert libmemcached_modula(servers, hash_fn=hash_fn).lookup_batch(KEYS)[:, 0].tolist() == found


# -- twemproxy ----------------------------------------------------------------------------------

NAMES = ["alpha", "beta", "gamma", "delta"]


class Pool:
    """A pool of the configuration, and how a test asks for it."""

    def __init__(self, distribution: str, hash_fn: str, **options: Any) -> None:
        self.distribution, self.hash_fn = distribution, hash_fn
        self.weights: list[int] | None = options.get("weights")
        self.tag: str | None = options.get("tag")
        self.named: bool = options.get("named", False)
        self.port = free_port()

    def __repr__(self) -> str:
        more = [str(part) for part in (self.weights, self.tag, self.named or None) if part]
        return " ".join([self.distribution, self.hash_fn, *more])

    def text(self, servers: list[str]) -> str:
        lines = [
            f"pool{self.port}:",
            f"  listen: 127.0.0.1:{self.port}",
            f"  hash: {self.hash_fn}",
            f"  distribution: {self.distribution}",
            "  timeout: 20000",
            *([f'  hash_tag: "{self.tag}"'] if self.tag else []),
            "  servers:",
        ]
        for server, name, weight in zip(servers, NAMES, self.weights or [1] * 4, strict=True):
            lines.append(f"   - {server}:{weight}" + (f" {name}" if self.named else ""))
        return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def pools(servers: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Pool]]:
    program = needed("nutcracker")
    made = [Pool(each, hash_fn) for each in ("ketama", "modula") for hash_fn in TWEMPROXY_HASHES]
    for each in ("ketama", "modula"):
        made.append(Pool(each, "fnv1a_64", weights=WEIGHTS, tag=TAG))
        made.append(Pool(each, "md5", weights=[7, 1, 5, 90], tag="$$", named=True))
        made.append(Pool(each, "crc16", tag=TAG))
    folder = tmp_path_factory.mktemp("nutcracker")
    (folder / "pools.yml").write_text("".join(pool.text(servers) for pool in made))
    command = [program, "-c", "pools.yml", "-o", "out", "-p", "pid", "-v", "4"]
    command += ["-s", str(free_port()), "-a", "127.0.0.1"]

    def answers() -> bool:
        socket.create_connection(("127.0.0.1", made[-1].port), timeout=1).close()
        return True

    with Server(command, answers, folder).running():
        yield made


def test_twemproxy(servers: list[str], pools: list[Pool]) -> None:
    for pool in pools:
        value = repr(pool).encode()
        put(pool.port, KEYS, value)
        found = where(servers, value)
        ids = NAMES if pool.named else servers
        placed = twemproxy(
            ids,
            pool.weights,
            distribution=pool.distribution,  # type: ignore[arg-type]
            hash_fn=pool.hash_fn,
            hash_tag=pool.tag,
        )
        assert isinstance(placed, Ring) == (pool.distribution == "ketama")
        positions = placed.arglookup_batch(KEYS)[:, 0]
        assert [servers[n] for n in placed_ids(placed, ids, positions)] == found, pool


def placed_ids(placed: Any, ids: list[str], positions: Any) -> list[int]:
    return [ids.index(node) for node in placed.ids[positions].tolist()]


def put(port: int, keys: list[bytes], value: bytes) -> None:
    """Set keys by memcached's protocol, some at a time."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        lines = connection.makefile("rb")
        for at in range(0, len(keys), 50):
            some = keys[at : at + 50]
            sets = (b"set %b 0 0 %d\r\n%b\r\n" % (key, len(value), value) for key in some)
            connection.sendall(b"".join(sets))
            for _ in some:
                assert lines.readline() == b"STORED\r\n"


def where(servers: list[str], value: bytes) -> list[str]:
    found = holders(servers, KEYS, value)
    missing = found.count(None)
    assert missing == 0, f"{missing} of {len(KEYS)} keys are on no server"
    return [str(server) for server in found]


# -- bad input ----------------------------------------------------------------------------------


def test_bad_arguments() -> None:
    with pytest.raises(rvh.RVHError, match="hash_fn is 'sha1': choose one of cmemcache"):
        python_memcached(["a"], hash_fn="sha1")  # type: ignore[arg-type]
    with pytest.raises(rvh.RVHError, match="hash_fn is 'sha1': choose one of default, md5, crc"):
        libmemcached_modula(["a"], hash_fn="sha1")
    with pytest.raises(rvh.RVHError, match="hash_fn is 'sha1': choose one of one_at_a_time"):
        twemproxy(["a"], hash_fn="sha1")
    with pytest.raises(rvh.RVHError, match="distribution is 'random': choose one of ketama"):
        twemproxy(["a"], distribution="random")  # type: ignore[arg-type]
    with pytest.raises(rvh.RVHError, match=r"weight of node 'b' \(position 1\) is 0.* from 1"):
        twemproxy(["a", "b"], [1, 0], distribution="modula")
    with pytest.raises(rvh.RVHError, match=r"weight of node 'a' .* is 0\.5: python-memcached"):
        python_memcached(["a"], {"a": 0.5})
    for tag in ("{", "{}}", "", "é}", "\0}", 7):
        with pytest.raises(rvh.RVHError, match=r"tag is .*: pass two ASCII characters"):
            twemproxy(["a"], hash_tag=tag)  # type: ignore[arg-type]
        with pytest.raises(rvh.RVHError, match=r"tag is .*: pass two ASCII characters"):
            twemproxy(["a"], distribution="modula", hash_tag=tag)  # type: ignore[arg-type]
    with pytest.raises(rvh.RVHError, match="nodes 'a:11211' and 'a' are one server"):
        twemproxy(["a:11211", "b", "a"])
    with pytest.raises(rvh.RVHError, match="'a'"):
        python_memcached(["a", "a"])
