"""Rings of other systems: where those put keys, and how they write integers."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import uhashring
from folders import VECTORS
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import examples

import rvh
from rvh import ring as rings
from rvh.keys import composite
from rvh.multi import compose_keys
from rvh.ring import HASHES, INTEGERS, Migration, Ring


def vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_bytes())


# -- recorded answers ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["libmemcached", "libmemcached_more"])
def test_where_pylibmc_puts_keys_on_running_servers(name: str) -> None:
    recorded = vectors(name)
    assert len(recorded["cases"]) in (24, 45)
    for case in recorded["cases"]:
        asked = case["behaviors"]
        ring = rings.libmemcached(
            case["servers"],
            case["weights"],
            behavior=asked.get("distribution") or next(iter(asked)),
            hash_fn=asked.get("hash"),
        )
        found = ring.arglookup_batch(recorded["keys"])[:, 0].tolist()
        assert found == case["owner"], asked
        assert [ring.lookup(key)[0] for key in recorded["keys"][:20]] == [
            case["servers"][owner] for owner in case["owner"][:20]
        ]


@pytest.mark.parametrize("name", ["uhashring", "hash_ring"])
def test_what_the_packages_answered(name: str) -> None:
    for case in vectors(name)["cases"]:
        ring = getattr(rings, name)(case["nodes"], case["weights"], **case["options"])
        k = len(case["rows"][0])
        assert ring.arglookup_batch(case["keys"], k).tolist() == case["rows"]


def test_fractional_weights_are_added_up_one_by_one() -> None:
    """As hash_ring does. Their exact sum, Python's own since 3.12, gave 48 hashes to the first."""
    ring = rings.hash_ring(["a", "b", "c"], [9.8, 7.4, 7.3])
    assert np.bincount(ring.owners).tolist() == [3 * 47, 3 * 36, 3 * 35]


# -- libmemcached itself ------------------------------------------------------------------------

#: libmemcached-1.0/types/behavior.h: how a memcached_st is told
BEHAVIOR_HASH, BEHAVIOR_DISTRIBUTION, BEHAVIOR_KETAMA_WEIGHTED = 2, 9, 16
HASH_DEFAULT, HASH_MD5, DISTRIBUTION_CONSISTENT = 0, 1, 1


def libmemcached() -> Any:
    name = ctypes.util.find_library("memcached")
    if name is None:
        pytest.skip("libmemcached is not installed (Debian: libmemcached11)")
    library = ctypes.CDLL(name)
    library.memcached_create.restype = ctypes.c_void_p
    library.memcached_create.argtypes = [ctypes.c_void_p]
    library.memcached_free.argtypes = [ctypes.c_void_p]
    library.memcached_behavior_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint64]
    library.memcached_server_add_with_weight.argtypes = [
        *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint16, ctypes.c_uint32)
    ]
    library.memcached_generate_hash.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    library.memcached_generate_hash.restype = ctypes.c_uint32
    return library


@given(
    weights=st.lists(st.integers(1, 60), min_size=1, max_size=30)
    | st.integers(1, 90).map(lambda n: [1] * n),
    ports=st.sampled_from([[11211], [11311], [11211, 11212]]),
    weighted=st.booleans(),
    md5=st.booleans(),
    keys=st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=30),
)
@settings(max_examples=examples(150 if rvh.backend() == "native" else 40))
def test_libmemcached_in_this_process(
    weights: list[int], ports: list[int], weighted: bool, md5: bool, keys: list[str]
) -> None:
    """Its own hash of a key gives the server's number, without a connection."""
    library = libmemcached()
    client = library.memcached_create(None)
    names = []
    try:
        for behavior, value in (
            (BEHAVIOR_DISTRIBUTION, DISTRIBUTION_CONSISTENT),
            *([(BEHAVIOR_KETAMA_WEIGHTED, 1)] if weighted else []),
            (BEHAVIOR_HASH, HASH_MD5 if md5 else HASH_DEFAULT),
        ):
            assert library.memcached_behavior_set(client, behavior, value) == 0
        for number, weight in enumerate(weights):
            host, port = f"10.0.0.{number}", ports[number % len(ports)]
            names.append(f"{host}:{port}")
            library.memcached_server_add_with_weight(client, host.encode(), port, weight)
        want = [
            library.memcached_generate_hash(client, key.encode(), len(key.encode())) for key in keys
        ]
    finally:
        library.memcached_free(client)
    ring = rings.libmemcached(
        names,
        weights,
        behavior="ketama_weighted" if weighted else "ketama",
        hash_fn="md5" if md5 else "default",
    )
    assert ring.arglookup_batch(keys)[:, 0].tolist() == want


def test_sockets_of_libmemcached() -> None:
    library = libmemcached()
    add = library.memcached_server_add_unix_socket_with_weight
    add.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32]
    client = library.memcached_create(None)
    try:
        assert library.memcached_behavior_set(client, BEHAVIOR_KETAMA_WEIGHTED, 1) == 0
        for path in (b"/run/a.sock", b"/run/b.sock"):
            assert add(client, path, 1) == 0
        assert library.memcached_server_add_with_weight(client, b"h", 11211, 1) == 0
        keys = [f"key-{n}" for n in range(300)]
        want = [library.memcached_generate_hash(client, key.encode(), len(key)) for key in keys]
    finally:
        library.memcached_free(client)
    ring = rings.libmemcached(["/run/a.sock", "/run/b.sock", "h"])
    assert ring.arglookup_batch(keys)[:, 0].tolist() == want


@given(st.lists(st.binary(max_size=80), max_size=30))
def test_one_at_a_time_is_libhashkits(keys: list[bytes]) -> None:
    name = ctypes.util.find_library("hashkit")
    if name is None:
        pytest.skip("libhashkit is not installed (Debian: libhashkit2)")
    hashed = ctypes.CDLL(name).libhashkit_one_at_a_time
    hashed.restype = ctypes.c_uint32
    hashed.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    want = [hashed(key, len(key)) for key in keys]
    ring = Ring.from_tokens({"a": [0]}, "one_at_a_time")
    assert ring.token_batch(keys).tolist() == want
    assert [ring.token(key) for key in keys] == want


def test_one_at_a_time_as_published() -> None:
    """https://en.wikipedia.org/wiki/Jenkins_hash_function, one_at_a_time; and bytes with a sign."""
    ring = Ring.from_tokens({"a": [0]}, "one_at_a_time")
    assert ring.token("a") == 0xCA2E9442
    assert ring.token("The quick brown fox jumps over the lazy dog") == 0x519E91F5
    assert ring.token("é") == 0x019148AE  # libhashkit 1.1.4 on x86


def test_names_of_memcached_servers() -> None:
    def points(*servers: str) -> list[int]:
        found: list[int] = rings.libmemcached(servers).tokens.tolist()
        return found

    assert points("h:11211") == points("h") == points("h:011211")
    assert points("h:11212") != points("h")
    with pytest.raises(rvh.RVHError, match="nodes 'h' and 'h:11211' are one server"):
        points("h", "h:11211")


# -- uhashring, beside it -----------------------------------------------------------------------


def both(names: Any, hash_fn: str, **options: Any) -> tuple[Ring, uhashring.HashRing]:
    weights = list(names.values()) if isinstance(names, dict) else None
    its = {} if hash_fn == "md5" else {"hash_fn": hash_fn}
    ring = rings.uhashring(list(names), weights, hash_fn=hash_fn, integers="text", **options)
    return ring, uhashring.HashRing(names, **its, **options)


def agree(ring: Ring, its: uhashring.HashRing, keys: list[Any], k: int = 1) -> None:
    want = [[conf["nodename"] for conf in its.range(key, k)] for key in keys]
    assert ring.lookup_batch(keys, k).tolist() == want
    assert [ring.lookup(key, k) for key in keys] == want


@given(
    names=st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(
            lambda name: not name.endswith("\0")
        ),
        st.integers(0, 9),
        min_size=1,
        max_size=6,
    ).filter(lambda names: any(names.values())),
    hash_fn=st.sampled_from(["md5", "ketama"]),
    vnodes=st.none() | st.integers(1, 50),
    keys=st.lists(st.text(st.characters(codec="utf-8")) | st.integers(-(2**63), 2**64 - 1)),
)
@settings(max_examples=examples(100))
def test_uhashring_itself(
    names: dict[str, int], hash_fn: str, vnodes: int | None, keys: list[Any]
) -> None:
    options = {} if vnodes is None else {"vnodes": vnodes}
    if uhashring.HashRing(names, hash_fn={"ketama": "ketama"}.get(hash_fn), **options).size == 0:
        with pytest.raises(rvh.RVHError, match="no node has a point"):
            both(names, hash_fn, **options)
        return
    ring, its = both(names, hash_fn, **options)
    on_points = [f"{name}-{n}" for name in names for n in range(3)]
    agree(ring, its, [*keys, *on_points], len(set(its._ring.values())))
    if hash_fn == "ketama":
        assert ring.tokens.tolist() == sorted(its._ring)
        assert ring.ids[ring.owners].tolist() == [its._ring[token] for token in sorted(its._ring)]


def test_a_key_on_a_point_of_uhashrings_is_the_next_ones() -> None:
    for hash_fn in ("md5", "ketama"):
        names = [f"node{n}" for n in range(8)]
        ring, its = both(names, hash_fn)
        keys = [f"{name}-{n}" for name in names for n in range(40)]
        agree(ring, its, keys, 3)
        at = np.searchsorted(ring.tokens, ring.token_batch(keys))
        assert (ring.tokens[at] == ring.token_batch(keys)).all()
        nexts = (at + 1) % len(ring)
        assert (ring.arglookup_batch(keys)[:, 0] == ring.owners[nexts]).all()


@pytest.mark.parametrize("count", [61, 122, 237, 244])
def test_counts_of_uhashrings_ketama(count: int) -> None:
    """Where libketama's float arithmetic has 39 hashes of a node, and whole numbers 40."""
    names = [f"10.0.0.{n}:11211" for n in range(count)]
    ring, its = both(names, "ketama")
    assert ring.tokens.tolist() == sorted(its._ring)
    assert len(rings.ketama(names)) == 156 * count
    if rvh.backend() == "native":
        agree(ring, its, [f"key-{n}" for n in range(3000)])


def test_weights_of_uhashrings_ketama() -> None:
    ring, its = both({"a": 1, "b": 18, "c": 21}, "ketama")
    assert ring.tokens.tolist() == sorted(its._ring)
    assert len(ring) > len(rings.ketama(["a", "b", "c"], [1, 18, 21]))


def test_of_tied_points_the_last_wins() -> None:
    """Two nodes with one point, as uhashring and as libketama (whose qsort keeps the order) do."""
    for attempt in range(20):
        names = [f"{attempt}.0.0.{n}:11211" for n in range(200)]
        libketamas = rings.ketama(names)
        tied = np.flatnonzero(np.diff(libketamas.tokens.astype(np.int64)) == 0)
        if len(tied):
            break
    token = int(libketamas.tokens[tied[0]])
    first, last = sorted(libketamas.owners[tied[0] : tied[0] + 2].tolist())
    ring, its = both(names, "ketama")
    at = int(np.searchsorted(ring.tokens, token))
    assert its._ring[token] == names[last] == ring.ids[ring.owners[at]]
    assert ring.tokens.tolist() == sorted(its._ring)
    assert libketamas.owners[tied[0]] == first
    ours = rings.hash_ring(names)
    assert len(np.unique(ours.tokens)) == len(ours)


def test_bytes_are_no_text_to_uhashring() -> None:
    ring, its = both(["a", "b", "c"], "md5")
    keys = [b"key-%d" % n for n in range(50)]
    assert ring.lookup_batch(list(map(str, keys)))[:, 0].tolist() == list(map(its.get_node, keys))


def test_libmemcacheds_25_equal_servers() -> None:
    names = [f"10.0.0.{n}:11311" for n in range(25)]
    assert len(rings.ketama(names)) == 25 * 160
    assert len(rings.libmemcached(names)) == 25 * 156


# -- the ends of a ring -------------------------------------------------------------------------


@given(data=st.data())
def test_the_point_after_a_hit(data: st.DataObject) -> None:
    """By hand: the first point above a key's token, and round the end the first of all."""
    name = data.draw(st.sampled_from(sorted(HASHES)))
    lowest, highest = HASHES[name]
    keys = [f"key-{n}" for n in range(12)]
    hits = [Ring.from_tokens({"a": [lowest]}, name).token(key) for key in keys]
    edges = st.sampled_from([lowest, lowest + 1, highest - 1, highest, *hits])
    tokens = data.draw(st.lists(edges | st.integers(lowest, highest), min_size=1, unique=True))
    owners = data.draw(st.lists(st.integers(0, 3), min_size=len(tokens), max_size=len(tokens)))
    per_node: dict[str, list[int]] = {f"n{n}": [] for n in range(4)}
    for token, owner in zip(tokens, owners, strict=True):
        per_node[f"n{owner}"].append(token)
    ring = Ring.from_tokens(per_node, name, hit="next")
    points = sorted(zip(tokens, owners, strict=True))
    k = len(set(owners))
    for key, token in zip(keys, hits, strict=True):
        after = [owner for point, owner in points if point > token]
        order = dict.fromkeys(after + [owner for _, owner in points])
        want = [f"n{owner}" for owner in order]
        assert ring.lookup(key, k) == want
        assert ring.lookup_batch([key], k).tolist() == [want]
    assert ring.tokens.tolist() == [point for point, _ in points]
    assert pickle.loads(pickle.dumps(ring)) == ring
    assert ring != Ring.from_tokens(per_node, name)
    assert ring.fingerprint != Ring.from_tokens(per_node, name).fingerprint


# -- nodes that are left out --------------------------------------------------------------------

SYSTEMS: list[Callable[..., Ring]] = [
    rings.ketama, rings.libmemcached, rings.nginx, rings.uhashring, rings.hash_ring,
    lambda *given, **options: rings.uhashring(*given, hash_fn="ketama", **options),
    lambda *given, **options: rings.libmemcached(*given, behavior="ketama", **options),
]  # fmt: skip


@pytest.mark.parametrize("make", SYSTEMS)
def test_only_keys_of_nodes_that_are_left_out_move(make: Callable[..., Ring]) -> None:
    names = ["a:1", "b:2", "c:3", "d:4"]
    ring = make(names, [600, 401, 300, 47])
    keys = [f"key-{n}" for n in range(3000 if rvh.backend() == "native" else 300)]
    order = ring.lookup_batch(keys, 4).tolist()
    left = ring.without(["b:2", "d:4"])
    assert left.lookup_batch(keys, 2).tolist() == [
        [node for node in row if node in ("a:1", "c:3")] for row in order
    ]
    assert left.ids.tolist() == names
    assert ring.without([]) == ring
    assert ring.without("b:2").without(b"d:4") == left
    with pytest.raises(rvh.RVHError, match="k is 3, but 2 nodes have a point"):
        left.lookup("x", 3)
    with pytest.raises(rvh.RVHError, match="no node with a point is left"):
        ring.without(names)
    with pytest.raises(rvh.RVHError, match="'e:5' is not on the ring"):
        ring.without(["e:5"])


# -- integers -----------------------------------------------------------------------------------

CASSANDRA = vectors("cassandra")


def cassandra(integers: str | None) -> Ring:
    return Ring.from_tokens({"a": [-(2**62)], "b": [0], "c": [2**62]}, "murmur3", integers=integers)


@pytest.mark.parametrize(
    ("kind", "integers"), [("int", "int32_be"), ("bigint", "int64_be"), ("text", "text")]
)
def test_tokens_of_cassandras_integers(kind: str, integers: str) -> None:
    pa = pytest.importorskip("pyarrow")
    values = [int(value) for value, _ in CASSANDRA[kind]]
    tokens = [token for _, token in CASSANDRA[kind]]
    ring = cassandra(integers)
    assert [ring.token(value) for value in values] == tokens
    dtype = np.int32 if integers == "int32_be" else np.int64
    array = np.array(values, dtype=dtype)
    for keys in (
        values,
        tuple(values),
        array,
        array.astype(array.dtype.newbyteorder(">")),
        array.astype(object),
        memoryview(array),
        np.repeat(array, 2)[::2],
        pa.array(values),
        pa.chunked_array([values[:5], values[5:]]),
        pa.array(values).dictionary_encode(),
        pa.chunked_array([values[:5], values[5:], []]).dictionary_encode(),
        pa.table({"key": values}),
    ):
        assert ring.token_batch(keys).tolist() == tokens
        assert ring.arglookup_batch(keys).tolist() == [
            ring.arglookup_batch([value])[0].tolist() for value in values
        ]


def written(value: int, integers: str) -> bytes:
    if integers == "text":
        return str(value).encode()
    if integers == "contract":
        return (value % 2**64).to_bytes(8, "little")
    order = "big" if integers.endswith("be") else "little"
    return value.to_bytes(4 if "32" in integers else 8, order, signed=True)


BITS = {"int32_be": 32, "int64_be": 64, "int32_le": 32, "int64_le": 64}
RANGES = {name: (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for name, bits in BITS.items()}
DTYPES = ["i1", "u1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", ">i8", "<u8", ">u8"]


@given(data=st.data())
def test_integers_are_the_bytes_that_the_system_writes(data: st.DataObject) -> None:
    integers = data.draw(st.sampled_from(sorted(INTEGERS)))
    lowest, highest = RANGES.get(integers, (-(2**63), 2**64 - 1))
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES)))
    limits = np.iinfo(dtype)
    numbers = st.integers(max(lowest, limits.min), min(highest, limits.max))
    near = st.integers(0, 19).map(lambda n: 10**n).flatmap(lambda n: st.integers(n - 1, n + 1))
    numbers |= near.filter(lambda n: max(lowest, limits.min) <= n <= min(highest, limits.max))
    values = data.draw(st.lists(numbers, max_size=40))
    ring = Ring.from_tokens({"a": [0]}, "crc32", integers=integers)
    want = ring.token_batch([written(value, integers) for value in values]).tolist()
    array = np.array(values, dtype)
    assert ring.token_batch(array).tolist() == want
    assert ring.token_batch(values).tolist() == want
    assert [ring.token(value) for value in values] == want
    assert [ring.token(value) for value in array] == want
    mixed = [each for value in values for each in (value, f"key-{value}", b"\xff")]
    assert ring.token_batch(mixed).tolist() == [ring.token(each) for each in mixed]


@pytest.mark.parametrize("integers", INTEGERS)
def test_an_integer_of_a_class_of_its_own_is_the_number_that_it_is(integers: str) -> None:
    class Number(int):
        def __int__(self) -> int:
            return 7

        __index__ = __int__

        def __str__(self) -> str:
            return "8"

    ring = RING.with_integers(integers)
    assert ring.token(Number(3)) == ring.token(3)
    assert ring.token_batch([Number(3)]).tolist() == ring.token_batch([3]).tolist()


def test_many_integers_are_written_in_blocks() -> None:
    many = 100_000 if rvh.backend() == "native" else 40_000
    keys = np.random.default_rng(7).integers(-(10**9), 10**9, many)
    ring = rings.nginx(["a", "b"], integers="text")
    want = ring.token_batch(list(map(str, keys.tolist())))
    assert (ring.token_batch(keys) == want).all()
    assert (ring.token_batch(keys, threads=2) == want).all()


CHOICES = (
    'integers="text" .its decimal digits., "int32_be" .4 bytes, big-endian., '
    '"int64_be" .8 bytes, big-endian., "int32_le" .4 bytes, little-endian., '
    '"int64_le" .8 bytes, little-endian., "contract" .rvh\'s 8 bytes, little-endian.'
)
CALLS: list[Callable[[Ring, Any], Any]] = [
    Ring.lookup_batch,
    Ring.arglookup_batch,
    Ring.token_batch,
    lambda ring, keys: Migration(ring, rvh.NodeSet(["a"])).moves(keys),
    lambda ring, keys: Migration(rvh.NodeSet(["a"]), ring).owners_batch(keys, 0.5),
]


@pytest.mark.parametrize("make", SYSTEMS)
@pytest.mark.parametrize("call", CALLS)
def test_an_integer_that_nothing_says_how_to_write(
    make: Callable[..., Ring], call: Callable[[Ring, Any], Any]
) -> None:
    pa = pytest.importorskip("pyarrow")
    ring = make(["a", "b"])
    for keys, position, number in (
        (["x", "y", -7, 8], 2, -7),
        (np.array(["x", np.int16(5)], object), 1, 5),
        (np.array([7, 8], np.uint8), 0, 7),
        (range(3, 5), 0, 3),
        (pa.array([7, 8]), 0, 7),
        (pa.array([9, 8, 9]).dictionary_encode(), 0, 9),
        (pa.chunked_array([[5], [6]]), 0, 5),
        (pa.chunked_array([pa.array([], "i4"), pa.array([6], "i4")]), 0, 6),
    ):
        where = f"key at position {position} is the integer {number}, .*{CHOICES}"
        with pytest.raises(rvh.RVHError, match=where):
            call(ring, keys)
    call(ring, [])
    call(ring, np.array([], int))
    call(ring, ["x", b"y"])


def test_one_integer_that_nothing_says_how_to_write() -> None:
    migration = Migration(rings.ketama(["a", "b"]), rvh.NodeSet(["a"]))
    for call in (
        RING.lookup,
        RING.token,
        lambda key: migration.owners(key, 0),
        lambda key: migration.route(key, "copying"),
    ):
        for key in (7, np.int64(7)):
            with pytest.raises(rvh.RVHError, match=f"the key is the integer 7, .*{CHOICES}"):
                call(key)
        for key in (True, 1.5, None, (1, 2)):
            with pytest.raises(rvh.RVHTypeError, match="the key is of type"):
                call(key)


RING = rings.ketama(["a", "b"])


def test_integers_that_do_not_fit() -> None:
    pa = pytest.importorskip("pyarrow")
    small, large = cassandra("int32_be"), cassandra("int64_be")
    past = 2**31
    for ring, keys, words in (
        (small, [1, "x", past], "key at position 2 is 2147483648, outside -2.31 to 2.31-1"),
        (small, np.array([1, -past - 1]), "key at position 1 is -2147483649, outside"),
        (small, np.array([1, past], np.uint32), "key at position 1 is 2147483648, outside"),
        (small, pa.chunked_array([[1, 2], [3, past]]), "key at position 3 is 2147483648, outside"),
        (small, pa.array([1, past, past]).dictionary_encode(), "key at position 1 is 21474"),
        (large, np.array([1, 2**63], np.uint64), "position 1 is 9223372036854775808, outside"),
        (large, [2**63], "key at position 0 is 9223372036854775808, outside -2.63 to 2.63-1"),
        (cassandra("text"), [2**64], "key at position 0 is 18446744073709551616, outside -2.63"),
    ):
        for call in (ring.token_batch, ring.lookup_batch):
            with pytest.raises(rvh.RVHError, match=words):
                call(keys)
    with pytest.raises(rvh.RVHError, match=r"the key is 2147483648, outside -2.31"):
        small.lookup(past)
    # A category that no row has is not a key.
    codes = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array([1, 2, past]))
    assert small.token_batch(codes).tolist() == [small.token(n) for n in (1, 2, 1)]


def test_composite_keys_are_of_no_other_system() -> None:
    keys = compose_keys(["x", "y"], [1, 2])
    for integers in (None, *INTEGERS):
        for make in SYSTEMS:
            ring = make(["a", "b"], integers=integers)
            for call in CALLS:
                for each in (keys, pickle.loads(pickle.dumps(keys)), keys.take(np.array([1]))):
                    with pytest.raises(rvh.RVHError, match="are composite keys, whose bytes no"):
                        call(ring, each)
    assert rvh.NodeSet(["a", "b"]).select("x") == rvh.NodeSet(["a", "b"]).select_batch(["x"])[0]
    assert len(composite("x", 1)) == 13


def test_keys_of_several_parts() -> None:
    """The usual advice, a composite key, would be refused."""
    advice = "pass the bytes or the text that the system of this ring makes of the parts"
    for key in ((1, 2), ["a", "b"]):
        with pytest.raises(rvh.RVHTypeError, match=f"the key is of type .*{advice}"):
            RING.lookup(key)
        with pytest.raises(rvh.RVHTypeError, match=f"key at position 1 is of type .*{advice}"):
            RING.lookup_batch(["x", key])


def test_keys_that_are_bytes_of_every_type() -> None:
    keys = [b"ab", bytearray(b"ab"), memoryview(b"ab"), np.bytes_(b"ab"), np.str_("ab"), "ab"]
    assert set(RING.token_batch(keys).tolist()) == {RING.token("ab")}
    assert {RING.token(key) for key in keys} == {RING.token("ab")}


def test_integers_are_a_part_of_the_ring() -> None:
    plain = cassandra(None)
    for integers in INTEGERS:
        ring = cassandra(integers)
        assert ring == plain.with_integers(integers) != plain
        assert ring.integers == integers
        assert f"integers='{integers}'" in repr(ring)
        again = pickle.loads(pickle.dumps(ring))
        assert again == ring
        assert again.token(1) == ring.token(1)
        assert hash(again) == hash(ring)
        assert ring.with_integers(None) == plain
        assert ring.without("a").integers == integers
    prints = {name: cassandra(name).fingerprint for name in INTEGERS}
    assert len(set(prints.values())) == len(INTEGERS)
    # As before there was a choice, so plans that were saved then go on.
    assert plain.fingerprint == prints["contract"]
    assert "integers" not in repr(plain)


def test_pickles_of_before_there_was_a_choice() -> None:
    ring = rings.ketama(["a", "b"])
    old = Ring, (ring.ids, "ketama", ring._points, ring._owners)
    again = old[0](*old[1])
    assert again == ring
    assert again.lookup("x") == ring.lookup("x")
    with pytest.raises(rvh.RVHError, match="the integer 1, and nothing says"):
        again.lookup(1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rings.ketama(["a"], integers="int"), "integers is 'int': choose one of \"text\""),
        (lambda: rings.nginx(["a"], integers=4), "integers is 4: choose one of"),
        (lambda: RING.with_integers("big"), "integers is 'big': choose one of"),
        (lambda: Ring.from_tokens({"a": [1]}, "md5", integers=""), "integers is '': choose"),
        (lambda: Ring.from_tokens({"a": [1]}, "md5", hit="first"), "hit is 'first': choose one of"),
        (lambda: rings.libmemcached(["a"], behavior="modula"), "behavior is 'modula': choose one"),
        (lambda: rings.libmemcached(["a"], hash_fn="crc"), "hash_fn is 'crc': choose one of md5"),
        (lambda: rings.libmemcached(["a"], [0.5]), "weight of node 'a' .position 0. is 0.5: libm"),
        (lambda: rings.libmemcached(["a", "b"], [1, 0]), "libmemcached takes whole numbers from 1"),
        (lambda: rings.libmemcached(["a"], [2**32]), "whole numbers from 1 to 4294967295"),
        (lambda: rings.uhashring(["a"], hash_fn="sha1"), "hash_fn is 'sha1': choose one of md5, k"),
        (lambda: rings.uhashring(["a"], [1.5]), "uhashring takes whole numbers from 0"),
        (lambda: rings.uhashring(["a"], vnodes=0), "vnodes is 0"),
        (lambda: rings.uhashring(["a", "b"], [2**30, 1]), "the most; divide all weights"),
        (lambda: rings.uhashring(["a"], hash_fn="ketama", vnodes=2**24), "are the most"),
        (lambda: rings.uhashring(["a", "a"]), "same"),
        (lambda: rings.hash_ring(["a"], [-1]), "weight of node 'a' .position 0. is -1"),
        (lambda: rings.hash_ring(["a", ""]), "position 1 is empty"),
        (
            lambda: rings.hash_ring(["a", "b"], [1.5, 1e308]),
            "1e.308 together: .*divide all weights",
        ),
        (lambda: RING.without([1]), "node id is of type int"),
        (lambda: RING.without(None), "ids is of type NoneType"),
        (lambda: RING.without([1.5]), "node id is of type float"),
    ],
)
def test_bad_input(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words):
        call()
