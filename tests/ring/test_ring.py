"""Rings: recorded answers of others, the hashes, the next nodes, bad input."""

from __future__ import annotations

import bisect
import hashlib
import json
import pickle
import zlib
from collections import Counter
from typing import Any

import numpy as np
import pytest
from folders import VECTORS
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import examples

import rvh
from rvh.ring import HASHES, Ring, ketama, nginx

KETAMA = json.loads((VECTORS / "ketama.json").read_bytes())
NGINX = json.loads((VECTORS / "nginx_chash.json").read_bytes())
MANY = 100_000 if rvh.backend() == "native" else 1_000


# -- recorded answers ---------------------------------------------------------------------------


def test_libketama() -> None:
    sample = KETAMA["libketama_sample"]
    ring = ketama(list(sample["nodes"]), list(sample["nodes"].values()))
    assert len(ring) == sample["num_points"]
    keys = list(sample["keys"])
    assert len(keys) == 60
    found = ring.lookup_batch(keys)[:, 0].tolist()
    assert found == [node for _, node in sample["keys"].values()]
    assert [ring.lookup(key)[0] for key in keys] == found


def test_the_tests_of_libketama_itself() -> None:
    (published,) = (each for each in KETAMA["published"] if "hashi" in each)
    ring = ketama(list(published["nodes"]), list(published["nodes"].values()))
    assert len(ring) == published["num_points"]
    for key, token in published["hashi"].items():
        assert ring.token(key) == token
    for key, (point, node) in published["get_server"].items():
        assert ring.lookup(key) == [node]
        at = np.searchsorted(ring.tokens, ring.token(key))
        assert ring.tokens[at] == point


def test_counts_of_perls_ketama() -> None:
    (published,) = (each for each in KETAMA["published"] if "counts" in each)
    counts = published["counts"]
    keys = [f"foo{n}" for n in range(100_000)]
    if rvh.backend() == "python":
        ring = ketama(list(counts))
        points, owners = ring.tokens.tolist(), ring.ids[ring.owners].tolist()
        tokens = [int.from_bytes(hashlib.md5(key.encode()).digest()[:4], "little") for key in keys]
        at = [bisect.bisect_left(points, token) % len(points) for token in tokens]
        assert Counter(owners[n] for n in at) == counts
    else:
        assert Counter(ketama(list(counts)).lookup_batch(keys)[:, 0].tolist()) == counts


def test_nginx() -> None:
    names = [f"{host}:{port}" for host, port, _ in NGINX["nodes"]]
    ring = nginx(names, [weight for *_, weight in NGINX["nodes"]])
    rows = NGINX["rows"]
    assert len(rows) == 50
    assert ring.lookup_batch([key for key, _ in rows])[:, 0].tolist() == [node for _, node in rows]


def test_hosts_and_ports_of_nginx() -> None:
    def points(name: str, host: bytes, port: bytes) -> None:
        base, point, found = zlib.crc32(host + b"\0" + port), 0, set()
        for _ in range(160):
            point = zlib.crc32(point.to_bytes(4, "little"), base)
            found.add(point)
        assert nginx([name]).tokens.tolist() == sorted(found)

    points("10.0.0.1:443", b"10.0.0.1", b"443")
    points("example.org", b"example.org", b"")
    points("example.org:http", b"example.org:http", b"")
    points("[::1]:80", b"[::1]", b"80")
    points("[::1]", b"[::1]", b"")
    points("unix:/run/a.sock", b"/run/a.sock", b"")


#: tests/unit/test_metadata.py of the DataStax driver for Cassandra (Murmur3TokensTest)
CASSANDRA = {
    b"123": -7468325962851647638,
    b"\x00\xff\x10\xfa\x99" * 10: 5837342703291459765,
    b"\xfe" * 8: -8927430733708461935,
    b"\x10" * 8: 1446172840243228796,
    b"9223372036854775807": 7162290910810015547,
}
#: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md and its sanity checks
XXH64 = {b"": 0xEF46DB3751D8E999, b"a": 0xD24EC4F1A98C6E5B, b"abc": 0x44BC2CF5AD770999}


def test_published_hashes() -> None:
    ring = Ring.from_tokens({"a": [0]}, "murmur3")
    assert {key: ring.token(key) for key in CASSANDRA} == CASSANDRA
    assert ring.token_batch(list(CASSANDRA)).tolist() == list(CASSANDRA.values())
    assert ring.token("") == -(2**63)
    ring = Ring.from_tokens({"a": [0]}, "xxh64")
    assert {key: ring.token(key) for key in XXH64} == XXH64


@given(st.lists(st.binary(max_size=200), max_size=40))
def test_hashes_of_the_standard_library(keys: list[bytes]) -> None:
    md5 = [hashlib.md5(key).digest() for key in keys]
    for name, want in (
        ("ketama", [int.from_bytes(digest[:4], "little") for digest in md5]),
        ("md5", [int.from_bytes(digest[:8], "big") for digest in md5]),
        ("crc32", [zlib.crc32(key) for key in keys]),
    ):
        ring = Ring.from_tokens({"a": [1]}, name)
        assert ring.token_batch(keys).tolist() == want
        assert [ring.token(key) for key in keys] == want


@pytest.mark.parametrize("name", HASHES)
def test_hashes_of_every_length(name: str) -> None:
    """A batch of the compiled backend and the twin: lengths around every block."""
    from rvh._backend.pure.points import POINT_OF

    keys = [bytes(range(n % 256)) * (1 + n // 256) for n in range(300)]
    ring = Ring.from_tokens({"a": [HASHES[name][1]]}, name)
    want = [POINT_OF[name](key) + HASHES[name][0] for key in keys]
    assert ring.token_batch(keys).tolist() == want
    assert [ring.token(key) for key in keys] == want


# -- the next nodes -----------------------------------------------------------------------------


@given(data=st.data())
@settings(max_examples=examples(100))
def test_nodes_are_those_of_the_next_points(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(HASHES)))
    lowest, highest = HASHES[name]
    tokens = data.draw(st.lists(st.integers(lowest, highest), min_size=1, max_size=40, unique=True))
    owners = data.draw(st.lists(st.integers(0, 5), min_size=len(tokens), max_size=len(tokens)))
    given_tokens: dict[str, list[int]] = {f"n{i}": [] for i in range(6)}
    for token, owner in zip(tokens, owners, strict=True):
        given_tokens[f"n{owner}"].append(token)
    ring = Ring.from_tokens(given_tokens, name)
    points = sorted(zip(tokens, owners, strict=True))
    k = data.draw(st.integers(1, len(set(owners))))
    keys = [f"key-{n}" for n in range(30)]
    expected = []
    for key in keys:
        at = bisect.bisect_left(points, (ring.token(key), -1))
        order = dict.fromkeys(f"n{owner}" for _, owner in points[at:] + points[:at])
        expected.append(list(order)[:k])
    assert ring.lookup_batch(keys, k).tolist() == expected
    assert [ring.lookup(key, k) for key in keys] == expected


def test_a_key_on_a_point_belongs_to_it() -> None:
    token = Ring.from_tokens({"a": [0]}, "crc32").token("key")
    ring = Ring.from_tokens({"before": [token - 1], "on": [token], "after": [token + 1]}, "crc32")
    assert ring.lookup("key", 3) == ["on", "after", "before"]


def test_tokens_cannot_be_written_to_and_names_may_be_numpys() -> None:
    ring = Ring.from_tokens({"a": [0], "b": [2**31]}, np.str_("crc32"))
    assert type(ring.hash) is str
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        ring.tokens.flags.writeable = True


def test_crowded_points() -> None:
    """All in one slice of the table that a search begins with."""
    tokens = list(range(2**63, 2**63 + 1000))
    ring = Ring.from_tokens({"a": tokens[::2], "b": tokens[1::2]}, "xxh64", integers="contract")
    for key in range(50):
        first = tokens[0] if not tokens[0] <= ring.token(key) <= tokens[-1] else ring.token(key)
        assert ring.lookup(key) == ["a" if first % 2 == 0 else "b"]


def test_keys_of_every_kind_and_threads() -> None:
    pa = pytest.importorskip("pyarrow")
    ring = ketama([f"10.0.0.{n}:11211" for n in range(20)], range(1, 21), integers="contract")
    texts = [f"key-{n}" * (1 + n % 9) for n in range(3000)]
    want = ring.arglookup_batch(texts, 2)
    chunks = pa.chunked_array([texts[:1000], texts[1000:]])
    for keys in (np.array(texts), np.array(texts, "S"), chunks, chunks.dictionary_encode()):
        assert (ring.arglookup_batch(keys, 2) == want).all()
        assert (ring.token_batch(keys) == ring.token_batch(texts)).all()
    assert (ring.arglookup_batch(texts, 2, threads=2) == want).all()
    assert ring.lookup_batch([], 2).shape == (0, 2)
    assert ring.lookup_batch(range(3)).tolist() == [ring.lookup(n) for n in range(3)]


def test_it_is_a_value() -> None:
    ring = ketama(["a", "b"], [1, 2])
    again = pickle.loads(pickle.dumps(ring))
    assert again == ring
    assert hash(again) == hash(ring)
    assert ring != ketama(["a", "b"])
    assert ring != "a"
    assert ketama(["b", "a"], [2, 1]).fingerprint == ring.fingerprint
    assert "2 nodes" in repr(ring)
    assert ring.ids.tolist() == ["a", "b"]
    assert ring.hash == "ketama"
    with pytest.raises(ValueError, match="read-only"):
        ring.tokens[0] = 0


def test_a_node_that_leaves_moves_its_keys_alone() -> None:
    names = [f"10.0.0.{n}:80" for n in range(10)]
    keys = np.arange(MANY)
    before = nginx(names, integers="text").lookup_batch(keys)[:, 0]
    after = nginx(names[:-1], integers="text").lookup_batch(keys)[:, 0]
    stays = before != names[-1]
    assert (before[stays] == after[stays]).all()


@given(data=st.data())
def test_the_nearest_point(data: st.DataObject) -> None:
    """By hand: the smaller way round the ring, and of equal ways the one back."""
    name = data.draw(st.sampled_from(["sdbm", "xxh64", "murmur3"]))
    lowest, highest = HASHES[name]
    middle = (lowest + highest) // 2
    near = st.sampled_from([lowest, highest, middle]).flatmap(
        lambda at: st.integers(max(lowest, at - 9), min(highest, at + 9))
    )
    anywhere = near | st.integers(lowest, highest)
    points = data.draw(st.lists(anywhere, min_size=1, max_size=9, unique=True))
    ring = Ring.from_tokens({f"n{p}": [p] for p in points}, name, hit="nearest")
    around = highest - lowest + 1
    order = sorted(points)
    for token in [*data.draw(st.lists(anywhere, max_size=20)), *points]:
        at = bisect.bisect_left(order, token) % len(order)
        if (token - order[at - 1]) % around <= (order[at] - token) % around:
            at = (at - 1) % len(order)
        walk = [f"n{p}" for p in order[at:] + order[:at]]
        assert ring.lookup_tokens([token], len(points)).tolist() == [walk]
    assert pickle.loads(pickle.dumps(ring)) == ring != Ring.from_tokens({"a": [0]}, name)


# -- tokens that somebody else has computed -----------------------------------------------------


@pytest.mark.parametrize("name", HASHES)
def test_nodes_of_tokens_are_those_of_their_keys(name: str) -> None:
    rng = np.random.default_rng(HASHES[name][1] % 2**32)
    lowest, highest = HASHES[name]
    tokens = [
        lowest,
        highest,
        *rng.integers(lowest, highest, 500, dtype=f"{'i' if lowest else 'u'}8").tolist(),
    ]
    ring = Ring.from_tokens({f"n{n}": tokens[n::40] for n in range(40)}, name, hit="next")
    keys = [f"key-{n}" for n in range(3000)]
    found = ring.token_batch(keys)
    for k in (1, 3, 40):
        want = ring.arglookup_batch(keys, k)
        assert (ring.arglookup_tokens(found, k) == want).all()
        assert (ring.arglookup_tokens(found, k, threads=2) == want).all()
        assert (ring.lookup_tokens(found.tolist(), k) == ring.ids[want]).all()
    ends = ring.arglookup_tokens([lowest, highest])
    firsts = sorted(tokens)
    assert ends[0, 0] == ring.owners[1]
    assert (ends[1, 0], firsts[0]) == (ring.owners[0], lowest)


def test_tokens_of_every_kind() -> None:
    pa = pytest.importorskip("pyarrow")
    ring = Ring.from_tokens({"a": [-(2**62)], "b": [0], "c": [2**62]}, "murmur3")
    numbers = [-5, 0, 5, 127]
    want = [[1], [1], [2], [2]]
    for tokens in (
        numbers,
        tuple(numbers),
        np.array(numbers, np.int8),
        np.array(numbers, ">i4"),
        np.array(numbers, object),
        [np.int8(-5), 0, np.uint64(5), 127],
        memoryview(np.array(numbers)),
        pa.array(numbers),
    ):
        assert ring.arglookup_tokens(tokens).tolist() == want
    assert ring.arglookup_tokens(np.array([0, 2**63 - 1], np.uint64)).tolist() == [[1], [0]]
    assert ring.lookup_tokens(range(0)).shape == (0, 1)
    assert ring.lookup_tokens(np.array([], np.int32), 2).shape == (0, 2)


# -- bad input ----------------------------------------------------------------------------------

RING = ketama(["a", "b"])
ONE = np.array([1])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Ring.from_tokens({"a": [1]}, "sha1"), ValueError, "hash_name is 'sha1': choose"),
        (lambda: Ring.from_tokens({"a": [1]}, None), ValueError, "hash_name is None"),
        (lambda: Ring.from_tokens([1], "md5"), TypeError, "tokens is of type list"),
        (lambda: Ring.from_tokens({"a": 1}, "md5"), TypeError, "tokens of node 'a' are 1"),
        (lambda: Ring.from_tokens({"a": "12"}, "md5"), TypeError, "tokens of node 'a' are '12'"),
        (lambda: Ring.from_tokens({"a": [1.0]}, "md5"), TypeError, "node 'a' is 1.0: pass whole"),
        (lambda: Ring.from_tokens({"a": [True]}, "md5"), TypeError, "is True: pass whole"),
        (lambda: Ring.from_tokens({"a": [2**32]}, "crc32"), ValueError, "from 0 to 4294967295"),
        (lambda: Ring.from_tokens({"a": [-1]}, "md5"), ValueError, "is -1: those of md5 are"),
        (lambda: Ring.from_tokens({"a": [2**63]}, "murmur3"), ValueError, "those of murmur3"),
        (lambda: Ring.from_tokens({"a": [7], "b": [3, 7]}, "md5"), ValueError,
         "token 7 belongs to node 'a' and again to 'b'"),
        (lambda: Ring.from_tokens({"a": [7, 7]}, "md5"), ValueError, "'a' and again to 'a'"),
        (lambda: Ring.from_tokens({"a": []}, "md5"), ValueError, "no tokens"),
        (lambda: Ring.from_tokens({}, "md5"), ValueError, "no tokens"),
        (lambda: Ring.from_tokens({"": [1]}, "md5"), ValueError, "empty"),
        (lambda: Ring.from_tokens({"a": np.array(3)}, "md5"), TypeError, "tokens of node 'a' are"),
        (lambda: Ring.from_tokens({"a": [np.timedelta64(5)]}, "md5"), TypeError, "whole numbers"),
        (lambda: Ring.from_tokens({"a": [10**5000]}, "md5"), ValueError, "is <int>: those of md5"),
        (lambda: RING.lookup_tokens([1, 2**32]), ValueError, "position 1 is 4294967296: those of"),
        (lambda: RING.lookup_tokens(np.array([1, -1])), ValueError, "token at position 1 is -1"),
        (lambda: RING.lookup_tokens([True]), TypeError, "position 0 is True of type bool: pass"),
        (lambda: RING.lookup_tokens([1, 1.0]), TypeError, "position 1 is 1.0 of type float"),
        (lambda: RING.lookup_tokens([0.5]), TypeError, "position 0 is 0.5 of type float"),
        (lambda: RING.lookup_tokens(np.array([0.5])), TypeError, "an array of float64: pass whole"),
        (lambda: RING.lookup_tokens(7), TypeError, "tokens is 7 of type int: pass a list"),
        (lambda: RING.lookup_tokens("7"), TypeError, "tokens is '7' of type str: pass a list"),
        (lambda: RING.lookup_tokens(np.array([[7]])), ValueError, r"shape .1, 1.: pass one dim"),
        (lambda: RING.lookup_tokens(np.ma.array([7, 8], mask=[0, 1])), ValueError,
         "position 1 is masked"),
        (lambda: RING.lookup_tokens([7], 3), ValueError, "k is 3, but 2 nodes have a point"),
        (lambda: Ring(["a"], "crc16", ONE, ONE - 1), ValueError, "hash_name is 'crc16': choose"),
        (lambda: Ring(["a"], "crc32", ONE[:0], ONE[:0]), ValueError, "has 0 points and 0 points"),
        (lambda: Ring(["a"], "crc32", ONE, ONE[:0]), ValueError, "has 1 points and 0 owners"),
        (lambda: Ring(["a"], "crc32", ONE, ONE), ValueError, "owners .* from 1 to 1: .* 0 to 0"),
        (lambda: Ring(["a"], "crc32", ONE, ONE + 2**32 - 1), ValueError, "from 4294967296"),
        (lambda: Ring(["a"], "crc32", ONE << 32, ONE - 1), ValueError, "from 0 to 4294967295"),
        (lambda: Ring(["a"], "xxh64", -ONE, ONE - 1), ValueError, "points .* from -1"),
        (lambda: Ring(["a"], "crc32", [1], ONE - 1), TypeError, "the points of a Ring are"),
        (lambda: Ring(["a"], "crc32", ONE * 1.0, ONE - 1), TypeError, "array of integers"),
        (lambda: ketama(["a", "b"], [1e39, 1]), ValueError, "node 'a' .position 0. is 1e.39"),
        (lambda: ketama(["a", "b"], [1, 1e-50]), ValueError, "node 'b' .position 1. is 1e-50"),
        (lambda: ketama(["a", "b"], [2e38, 2e38]), ValueError, "4e.38 together: .*divide all"),
        (lambda: nginx(["a", "b"], [1e12, 1]), ValueError, "the most; divide all weights"),
        (lambda: ketama([]), ValueError, "no nodes"),
        (lambda: ketama(["a", "a"]), ValueError, "same"),
        (lambda: ketama(["a"], [1, 2]), ValueError, "shape"),
        (lambda: ketama(["a", "b"], [1, -1]), ValueError, "weight of node 'b' .position 1. is -1"),
        (lambda: ketama(["a"], [0]), ValueError, "every weight is 0"),
        (lambda: nginx(["a", "b"], [1, 0]), ValueError, "node 'b'.*takes whole numbers from 1"),
        (lambda: nginx(["a"], [1.5]), ValueError, "takes whole numbers"),
        (lambda: RING.lookup("x", 3), ValueError, "k is 3, but 2 nodes have a point"),
        (lambda: RING.lookup("x", 0), ValueError, "k is 0"),
        (lambda: RING.lookup(1.5), TypeError, "key is of type float"),
        (lambda: RING.lookup_batch(["x", None]), TypeError, "position 1"),
    ],
)  # fmt: skip
def test_bad_input(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words) as caught:
        call()
    assert isinstance(caught.value, error)
