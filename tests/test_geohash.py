"""rvh.geohash: the nearest by geohash first, through its public names."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
import threading
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import reference
from folders import GOLDEN
from golden.values import untagged
from hypothesis import given
from hypothesis import strategies as st
from sizes import keys_of_a_test

import rvh
from rvh import RVHError, RVHTypeError
from rvh._batch import threads as _threads
from rvh.geohash import GeoSet, encode

RECORDED = json.loads((GOLDEN / "geohash.json").read_bytes())
LETTERS = "0123456789bcdefghjkmnpqrstuvwxyz"
#: keys of the tests about movement: the pure-Python backend takes thousands of times as long
MANY = keys_of_a_test(1_000_000, 5_000)


def places(count: int, seed: int = 5, spread: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Latitudes and longitudes near a few towns."""
    rng = np.random.default_rng(seed)
    towns = rng.uniform([-60, -180], [70, 180], (20, 2))
    some = towns[rng.integers(0, 20, count)] + rng.normal(0, spread, (count, 2))
    return some[:, 0], (some[:, 1] + 180) % 360 - 180


def expected(
    ns: rvh.NodeSet, geohashes: list[str], precision: int, keys: list[Any], at: list[str], k: int
) -> list[list[int]]:
    weights = None if ns.weights is None else ns.weights.tolist()
    rows = []
    for key, place in zip(keys, at, strict=True):
        ranked = reference.ranking(ns.ids.tolist(), key, b"", ns.scheme, weights)
        rows.append(reference.same_region_first(ranked, geohashes, place, precision)[:k])
    return rows


# -- the rule -------------------------------------------------------------------------------------

few_letters = st.sampled_from(["0z", "01z", "zy", "0", LETTERS])
any_key = st.integers(-(2**63), 2**64 - 1) | st.text(max_size=12) | st.binary(max_size=40)


@given(data=st.data(), letters=few_letters, nodes=st.integers(1, 25), precision=st.integers(1, 12))
def test_any_places(data: st.DataObject, letters: str, nodes: int, precision: int) -> None:
    place = st.text(letters, min_size=1, max_size=12)
    geohashes = data.draw(st.lists(place, min_size=nodes, max_size=nodes))
    weight = st.sampled_from([0.0, 1.0, 2.5])
    weights = data.draw(
        st.none() | st.lists(weight, min_size=nodes, max_size=nodes).filter(any), label="weights"
    )
    ns = rvh.NodeSet(
        [f"n{n}" for n in range(nodes)], weights, data.draw(st.sampled_from(["blake2b", "murmur"]))
    )
    keys = data.draw(st.lists(any_key, max_size=20))
    at = data.draw(st.lists(place, min_size=len(keys), max_size=len(keys)))
    k = data.draw(st.integers(1, nodes if weights is None else np.count_nonzero(weights)))
    geo = GeoSet(ns, geohashes, precision=precision)
    rows = expected(ns, geohashes, precision, keys, at, k)
    chosen = geo.argselect_batch(keys, k, geohash=at)
    assert (chosen.dtype, chosen.shape) == (np.intp, (len(keys), k))
    assert chosen.tolist() == rows
    names = [[f"n{n}" for n in row] for row in rows]
    assert geo.select_batch(keys, k, geohash=at).tolist() == names
    assert [geo.select(a, k, geohash=b) for a, b in zip(keys, at, strict=True)] == names


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: case["name"])
def test_golden(case: dict[str, Any]) -> None:
    ns = rvh.NodeSet([untagged(node) for node in case["nodes"]], case["weights"], case["scheme"])
    geo = GeoSet(ns, case["geohashes"], precision=case["precision"])
    keys = [untagged(row["key"]) for row in case["keys"]]
    rankings = [row["ranking"] for row in case["keys"]]
    at = [row["geohash"] for row in case["keys"]]
    k = len(rankings[0])
    for count in (1, 3, k):
        chosen = geo.argselect_batch(keys, count, geohash=at)
        assert chosen.tolist() == [row[:count] for row in rankings]
    pytest.importorskip("pygeohash")
    north = [row["latitude"] for row in case["keys"]]
    east = [row["longitude"] for row in case["keys"]]
    assert geo.argselect_batch(keys, k, latitude=north, longitude=east).tolist() == rankings


def test_nodes_at_one_place_rank_as_ever() -> None:
    ns = rvh.NodeSet(["a", "b", "c", "d"])
    geo = GeoSet(ns, ["u09tv"] * 4)
    keys = np.arange(500)
    assert np.array_equal(
        geo.argselect_batch(keys, 4, geohash=["9q8yy", "u09tv"] * 250), ns.argselect_batch(keys, 4)
    )


def test_the_precision_says_how_much_counts() -> None:
    ns = rvh.NodeSet([f"n{n}" for n in range(9)])
    where = ["u09tv", "u09tw", "u09tx", "u09d1", "u0b", "u", "gcpv", "9q8", "r3g"]
    at = ["u09tv", "u09", "g", "9q8yyk8", "s"] * 60
    for precision in range(1, 13):
        geo = GeoSet(ns, where, precision=precision)
        keys = list(range(300))
        rows = expected(ns, where, precision, keys, at, 9)
        assert geo.argselect_batch(keys, 9, geohash=at).tolist() == rows
        assert geo.geohash.tolist() == [place[:precision] for place in where]
        assert geo.precision == precision


# -- kinds of keys and places ---------------------------------------------------------------------

TEXTS = ["", "a", "é", "€uro", "key " * 9, "\0x"] * 20
KINDS: dict[str, Any] = {
    "list": [1, "a", b"12345678", -1, 2**64 - 1, "", b"", "é"] * 15,
    "S": np.array([text.encode() for text in TEXTS]),
    "U": np.array(TEXTS),
    "StringDType": np.array(TEXTS, np.dtypes.StringDType()),
    "int64, every second": np.arange(240)[::2],
    "uint16": np.arange(120, dtype=np.uint16),
    "none": [],
}
GEOHASHES = ["u09tv", "u0", "9q8yyk8ytpxr", "z", "u09d1", "00000000"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", rvh.nodes.SCHEMES)
def test_every_kind_of_key(kind: str, scheme: str) -> None:
    ns = rvh.NodeSet([f"n{n}" for n in range(6)], scheme=scheme)
    geo = GeoSet(ns, GEOHASHES)
    keys = KINDS[kind]
    elements = keys.tolist() if isinstance(keys, np.ndarray) else keys
    at = (GEOHASHES * 20)[: len(elements)][::-1]
    rows = expected(ns, GEOHASHES, 12, elements, at, 4)
    assert geo.argselect_batch(keys, 4, geohash=at).tolist() == rows


def test_arrow_keys_and_places() -> None:
    pa = pytest.importorskip("pyarrow")
    ns = rvh.NodeSet([f"n{n}" for n in range(6)])
    geo = GeoSet(ns, pa.array(GEOHASHES))
    texts, at = [f"key {n % 7}" for n in range(120)], GEOHASHES[::-1] * 20
    rows = expected(ns, GEOHASHES, 12, texts, at, 4)
    for keys in (
        pa.array(texts),
        pa.array(texts).cast(pa.string_view()),
        pa.array(texts).dictionary_encode(),
        pa.chunked_array([texts[:50], texts[50:53], texts[53:]]),
        pa.chunked_array([texts[:50], texts[50:]]).dictionary_encode(),
    ):
        for where in (
            pa.array(at),
            pa.array(at).dictionary_encode(),
            pa.chunked_array([at[:5], at[5:]]),
            pa.array(["", *at])[1:],
            pa.array(at).cast(pa.string_view()),
        ):
            assert geo.argselect_batch(keys, 4, geohash=where).tolist() == rows
    with pytest.raises(RVHTypeError, match="geohash of the key at position 1 is null: every place"):
        geo.argselect_batch(["a", "b"], geohash=pa.array(["u0", None]))


@pytest.mark.parametrize(
    "made",
    [
        tuple,
        np.array,
        lambda at: np.array(at, "S"),
        lambda at: np.array(at, "S20"),
        lambda at: np.array(at, "U20"),
        lambda at: np.array(at, ">U12"),
        lambda at: np.array(at, object),
        lambda at: np.array(at, np.dtypes.StringDType()),
        lambda at: [place.encode() for place in at],
        lambda at: np.repeat(np.array(at), 2)[::2],
    ],
)
def test_every_kind_of_place(made: Any) -> None:
    geo = GeoSet([f"n{n}" for n in range(6)], made(GEOHASHES))
    assert geo == GeoSet([f"n{n}" for n in range(6)], GEOHASHES)
    keys, at = range(120), GEOHASHES[::-1] * 20
    rows = geo.argselect_batch(keys, 3, geohash=at)
    assert np.array_equal(geo.argselect_batch(keys, 3, geohash=made(at)), rows)


def test_more_places_than_a_block() -> None:
    count = 70_000 if rvh.backend() == "native" else 33_000
    at = np.array(GEOHASHES)[np.random.default_rng(1).integers(0, 6, count)]
    chosen = GeoSet([f"n{n}" for n in range(6)], GEOHASHES, precision=3).argselect_batch(
        range(count), geohash=at
    )
    near = GeoSet([f"n{n}" for n in range(6)], GEOHASHES, precision=3).geohash[chosen[:, 0]]
    # u0 is nearer to itself than to u09.., and as near as they are.
    assert all(reference.common_prefix(a, b) >= 1 for a, b in zip(near, at.tolist(), strict=True))
    at[count - 5] = "u09i"
    with pytest.raises(RVHError, match=f"geohash of the key at position {count - 5} is 'u09i'"):
        GeoSet(["a"], ["u"]).argselect_batch(range(count), geohash=at)


# -- encoding -------------------------------------------------------------------------------------


@given(
    north=st.floats(-90, 90) | st.integers(-90, 90) | st.sampled_from([-90.0, 90.0, 0.0, -0.0, 45]),
    east=st.floats(-180, 180, exclude_max=True) | st.integers(-180, 179),
    precision=st.integers(1, 12),
)
def test_encode_is_the_bisection(north: float, east: float, precision: int) -> None:
    pytest.importorskip("pygeohash")
    place = encode(north, east, precision)
    assert place == reference.geohash(north, east, precision)
    assert encode(north, east).startswith(place)
    many = encode([north] * 3, np.array([east] * 3), precision)
    assert (many.dtype, many.tolist()) == (np.dtype(f"U{precision}"), [place] * 3)


def test_known_geohashes() -> None:
    pytest.importorskip("pygeohash")
    # The examples of https://en.wikipedia.org/wiki/Geohash and of geohash.org's documentation.
    assert encode(57.64911, 10.40744, 11) == "u4pruydqqvj"
    assert encode(42.6, -5.6, 5) == "ezs42"
    assert encode([], []).shape == (0,)
    assert encode(np.array([42], np.int8), [np.float32(-5.5)], 3).tolist() == ["ezk"]


def test_the_antimeridian() -> None:
    pytest.importorskip("pygeohash")
    # 180 and -180 are one meridian; its two sides have no character in common.
    assert encode(-17, 180) == encode(-17, -180)
    assert encode(-17, -180).startswith("2") or encode(-17, -180).startswith("8")
    assert encode(-17, 179.999).startswith("r")
    geo = GeoSet(["west", "east", "far"], latitude=[-17.0] * 3, longitude=[-179.9, 179.9, 100])
    assert geo.select("key", 1, latitude=-17, longitude=180) == ["west"]
    assert geo.select("key", 1, latitude=-17, longitude=-180) == ["west"]
    assert geo.select("key", 1, latitude=-17, longitude=179.99) == ["east"]


def test_the_poles() -> None:
    pytest.importorskip("pygeohash")
    # A pole is in the last region of whatever longitude it is given with.
    assert encode([90, -90], [0, 0], 4).tolist() == ["upbp", "h000"]
    assert encode([90, -90], [-180, -180], 4).tolist() == ["bpbp", "0000"]
    geo = GeoSet(["north", "south"], latitude=[90, -90], longitude=[10, 10])
    assert geo.select("key", latitude=90, longitude=12) == ["north"]
    assert geo.select("key", latitude=-90, longitude=12) == ["south"]
    assert geo.select("key", latitude=-89.9, longitude=12) == ["south"]


def test_degrees_are_as_their_geohashes() -> None:
    pytest.importorskip("pygeohash")
    north, east = places(40)
    ids = [f"n{n}" for n in range(40)]
    for precision in (1, 3, 6, 12):
        geo = GeoSet(ids, latitude=north, longitude=east, precision=precision)
        assert geo == GeoSet(ids, encode(north, east), precision=precision)
        where = places(300, 6)
        at = encode(*where)
        assert np.array_equal(
            geo.argselect_batch(range(300), 5, latitude=where[0], longitude=where[1]),
            geo.argselect_batch(range(300), 5, geohash=at),
        )


def test_without_pygeohash() -> None:
    code = (
        "import sys; sys.modules['pygeohash'] = None\n"
        "from rvh.geohash import GeoSet\n"
        "print(GeoSet(['a', 'b'], ['u', '9']).select('key', geohash='9q'))\n"
        "try: GeoSet(['a'], latitude=[1], longitude=[2])\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "['b']"
    assert "pip install 'rvh[geo]'" in done.stdout


# -- movement -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", rvh.nodes.SCHEMES)
def test_a_death_moves_only_its_keys(scheme: str) -> None:
    letters = np.array(list("0123456789bcdefghjkmnpqrstuvwxyz"))
    rng = np.random.default_rng(8)
    where = ["".join(row) for row in letters[rng.integers(0, 4, (40, 5))]]
    at = letters[rng.integers(0, 4, (MANY, 4))].view("U4")[:, 0]
    ns = rvh.NodeSet([f"n{n}" for n in range(40)], scheme=scheme)
    keys = np.arange(MANY)
    before = GeoSet(ns, where).argselect_batch(keys, 4, geohash=at)
    for dead in (7, 23):
        stays = np.arange(40) != dead
        left = GeoSet(ns.subset(stays), np.array(where)[stays])
        after = np.flatnonzero(stays)[left.argselect_batch(keys, 3, geohash=at)]
        # Each row without the dead one, in the same order.
        kept = np.argsort(before == dead, axis=1, kind="stable")[:, :3]
        assert np.array_equal(after, np.take_along_axis(before, kept, axis=1))
        assert (before[:, 0] == dead).any()
        weightless = GeoSet(ns.with_weights(stays + 0.0), where)
        if scheme == "blake2b":  # whose equal weights rank as no weights do
            some = slice(0, 20_000)
            chosen = weightless.argselect_batch(keys[some], 3, geohash=at[some])
            assert np.array_equal(chosen, after[some])


def test_airports() -> None:
    pytest.importorskip("pygeohash")
    airportsdata = pytest.importorskip("airportsdata", reason="no airportsdata: no real places")
    airports = sorted(airportsdata.load().values(), key=lambda airport: airport["icao"])
    some = airports[:: len(airports) // 500][:500]
    north, east = ([airport[name] for airport in some] for name in ("lat", "lon"))
    ns = rvh.NodeSet([airport["icao"] for airport in some])
    rest = airports[5 :: len(airports) // 400][:400]
    keys = [airport["icao"] for airport in rest]
    where = [airport["lat"] for airport in rest], [airport["lon"] for airport in rest]
    at = [reference.geohash(*place, 12) for place in zip(*where, strict=True)]
    nodes_at = [reference.geohash(*place, 12) for place in zip(north, east, strict=True)]
    for precision in (12, 2):
        geo = GeoSet(ns, latitude=north, longitude=east, precision=precision)
        assert len(geo) == 500
        chosen = geo.argselect_batch(keys, 3, latitude=where[0], longitude=where[1])
        ranked = ns.argselect_batch(keys, 500).tolist()
        assert chosen.tolist() == [
            reference.same_region_first(row, nodes_at, place, precision)[:3]
            for row, place in zip(ranked, at, strict=True)
        ]


# -- the object -----------------------------------------------------------------------------------


def test_threads_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "PAIRS_PER_BLOCK", 60)
    monkeypatch.setattr(_threads, "PAIRS_PER_THREAD", 60)
    geo = GeoSet([f"n{n}" for n in range(6)], GEOHASHES, precision=2)
    keys, at = np.arange(600), GEOHASHES * 100
    rows = geo.argselect_batch(keys, 5, geohash=at, threads=1)
    for threads in (None, 2, 5):
        assert np.array_equal(geo.argselect_batch(keys, 5, geohash=at, threads=threads), rows)
    fresh = GeoSet([f"n{n}" for n in range(6)], GEOHASHES, precision=2)
    answers: list[np.ndarray] = []
    together = [
        threading.Thread(
            target=lambda: answers.append(fresh.argselect_batch(keys, 5, geohash=at, threads=2))
        )
        for _ in range(4)
    ]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert len(answers) == 4
    assert all(np.array_equal(answer, rows) for answer in answers)


def test_it_compares_travels_and_says_what_it_is() -> None:
    ns = rvh.NodeSet(["a", "b"], weights=[1, 2])
    geo = GeoSet(ns, ["u09tv", "9q"], precision=3)
    for same in (
        GeoSet(ns, ["u09", "9q"], precision=3),
        pickle.loads(pickle.dumps(geo)),
        copy.deepcopy(geo),
    ):
        assert same == geo
        assert hash(same) == hash(geo)
        assert same.select("x", geohash="9") == geo.select("x", geohash="9")
    others = GeoSet(ns, ["u09", "9q"]), GeoSet(ns, ["u08", "9q"], precision=3), "geo"
    assert all(other != geo for other in others)
    assert GeoSet(["a", "b"], ["u09", "9q"], precision=3) != geo
    assert (len(geo), geo.nodes, geo.precision) == (2, ns, 3)
    assert repr(geo) == f"GeoSet({ns!r}, precision=3)"
    with pytest.raises(ValueError, match="read-only"):
        geo.geohash[0] = "s"


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("", r"at position 1 is empty: pass 1 to 12 characters"),
        ("u09a", r"at position 1 is 'u09a': 'a' \(character 3\) is none of a geohash's; it consi"),
        ("i", "'i' .character 0. is none"),
        ("l0", "'l' .character 0. is none"),
        ("0o", "'o' .character 1. is none"),
        ("U09", "'U' .character 0. is none of a geohash's; write it in lower case"),
        ("u0é", "'é' .character 2. is none"),
        ("u0\u0130", "character 2"),
        ("u\0" + "0", "character 1"),
        ("u09tv" * 3, r"is 'u09tvu09tvu09tv', 15 characters long: .*; cut it to \[:12\]"),
        ("0" * 13, "13 characters long"),
    ],
)
def test_malformed_geohashes(place: str, message: str) -> None:
    geo = GeoSet(["a", "b"], ["u0", "u1"])
    for given_as in (list, np.array, lambda at: np.array(at, np.dtypes.StringDType())):
        places_given = given_as(["u0", place, "!"])
        with pytest.raises(RVHError, match=message) as caught:
            geo.argselect_batch([1, 2, 3], geohash=places_given)
        assert "the geohash of the key at position 1" in str(caught.value)
        with pytest.raises(RVHError, match=message) as caught:
            GeoSet(["a", "b", "c"], places_given)
        assert "the geohash of the node at position 1" in str(caught.value)
    if place.isascii():
        with pytest.raises(RVHError, match="position 1"):
            geo.argselect_batch([1, 2], geohash=np.array([b"u", place.encode()]))


@pytest.mark.parametrize("place", [None, float("nan")])
def test_places_that_are_not_known(place: Any) -> None:
    with pytest.raises(
        RVHTypeError, match=r"the geohash of the key at position 1 is .*has to be kn"
    ):
        GeoSet(["a"], ["u0"]).argselect_batch([1, 2], geohash=["u0", place])


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (["u0", 1.5], "the geohash of the key at position 1 is 1.5 of type float: pass a geohash"),
        (["u0", 7], "position 1 is 7 of type int: pass a geohash as str or bytes"),
        (["u0", 3472328296227680304], "position 1 is 3472328296227680304 of type int"),
        (["u0", "\ud800"], "the geohash of the key at position 1 has a lone surrogate"),
        (
            np.array(["u0", None], np.dtypes.StringDType(na_object=None)),
            "position 1 is null: every",
        ),
        (np.ma.array(["u0", "u1"], mask=[0, 1]), "position 1 is null: every place has to be known"),
        (np.array([1.0, 2.0]), "geohash is an array of float64: pass text"),
        (np.array([1, 2]), "geohash is an array of int64: pass text"),
        (bytearray(b"u0"), "geohash is one bytearray .*: pass one for each key"),
    ],
)
def test_what_is_no_column_of_geohashes(places: Any, words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words):
        GeoSet(["a"], ["u0"]).argselect_batch([1, 2], geohash=places)


@pytest.mark.parametrize(
    ("north", "error", "words"),
    [
        ([10**400, 34], RVHError, "latitude at position 0 is .*more than a double holds"),
        ([34, Decimal("sNaN")], RVHTypeError, "latitude at position 1 is .*which is not a number"),
        ([np.str_("48"), 34], RVHTypeError, "latitude at position 0 is .* of type str_: pass a"),
        ([np.datetime64("2020"), 34], RVHTypeError, "of type datetime64: pass a number"),
        ([np.array([48.0]), 34], RVHTypeError, "latitude at position 0 is .*pass one number"),
        ([np.complex128(48), 34], RVHTypeError, "of type complex128: pass a number"),
        ([[48], [34, 1]], RVHTypeError, "latitude at position 0 is .48. of type list"),
    ],
)
def test_degrees_that_are_no_numbers(north: Any, error: type[Exception], words: str) -> None:
    pytest.importorskip("pygeohash")
    with pytest.raises(error, match=words):
        encode(north, [1, 1])
    geo = GeoSet(["a", "b"], geohash=["u0", "u1"])
    with pytest.raises(error, match=words):
        geo.select_batch([1, 2], latitude=north, longitude=[1, 1])
    with pytest.raises(RVHTypeError, match=r"latitude at position 0 is .*pass one number"):
        geo.select("x", latitude=np.array([48.0, 34.0]), longitude=2)


def test_degrees_that_are_none() -> None:
    pytest.importorskip("pygeohash")
    nan = float("nan")
    for north, east, message in (
        ([1, nan], [1, 1], "latitude at position 1 is nan: .*leave out what has no place"),
        ([1, None], [1, 1], "latitude at position 1 is nan"),
        ([1, 91], [1, 1], "latitude at position 1 is 91.0: .*-90 to 90; are latitude and long"),
        ([1, 1], [181, 1], "longitude at position 0 is 181.0: .*-180 to 180; subtract 360"),
        ([1, 1], [1, float("inf")], "longitude at position 1 is inf"),
        (np.ma.array([1, 2], mask=[0, 1]), [1, 1], "latitude at position 1 is nan"),
        ([1, 1], [1], "2 latitudes and 1 longitudes"),
        ([[1], [1]], [1, 1], "latitude at position 0"),
        (np.ones((2, 2)), [1, 1], r"latitude has shape \(2, 2\)"),
    ):
        for call in (
            lambda north=north, east=east: encode(north, east),
            lambda north=north, east=east: GeoSet(["a", "b"], latitude=north, longitude=east),
            lambda north=north, east=east: GeoSet(["a"], ["u"]).argselect_batch(
                ["a", "b"], latitude=north, longitude=east
            ),
        ):
            with pytest.raises(RVHError, match=message):
                call()
    for north, message in (
        (["48.8"], "latitude at position 0 is '48.8' of type str: pass a number"),
        ([True], "latitude at position 0 is True of type bool"),
        (np.array(["48.8"]), "latitude is an array of <U4"),
        ("48.8", "latitude is '48.8': pass one number for each place"),
        (48.8, "latitude is 48.8: pass one number for each place"),
    ):
        with pytest.raises(RVHTypeError, match=message):
            encode(north, [2])


def test_other_bad_input() -> None:
    geo = GeoSet(rvh.NodeSet(["a", "b", "c"], weights=[1, 0, 2]), ["u0", "u1", "u2"])
    with pytest.raises(RVHError, match="k is 3, but the set has 3 nodes, 2 of them with a weight"):
        geo.argselect_batch([1], 3, geohash=["u"])
    with pytest.raises(RVHError, match="geohash has 1 values for 2 keys: pass one for each key"):
        geo.argselect_batch([1, 2], geohash=["u"])
    with pytest.raises(RVHError, match="geohash has 2 values for 3 nodes: pass one for each node"):
        GeoSet(["a", "b", "c"], ["u0", "u1"])
    pytest.importorskip("pygeohash")
    with pytest.raises(RVHError, match="latitude has 1 values for 2 keys"):
        geo.argselect_batch([1, 2], latitude=[1], longitude=[1])
    for given_as in ({}, {"latitude": [1]}, {"geohash": ["u"], "longitude": [1]}):
        with pytest.raises(RVHTypeError, match=r"places of the keys are given by .*pass geohash="):
            geo.argselect_batch([1], **given_as)
        with pytest.raises(RVHTypeError, match="places of the nodes are given by "):
            GeoSet(["a"], **given_as)
    with pytest.raises(RVHTypeError, match=r"geohash is one str \('u09'\): pass one for each key"):
        geo.argselect_batch([1], geohash="u09")
    with pytest.raises(RVHTypeError, match="geohash is an array of int64"):
        geo.argselect_batch([1], geohash=np.array([1]))
    for precision in (0, 13):
        with pytest.raises(
            RVHError, match=f"precision is {precision}: choose 1 <= precision <= 12"
        ):
            GeoSet(["a"], ["u"], precision=precision)
        with pytest.raises(RVHError, match="precision is"):
            encode(1, 2, precision)


def test_the_first_bad_key_is_named_wherever_it_lies() -> None:
    geo = GeoSet(["a", "b"], ["u0", "90"])  # alone in their regions: no score is needed
    keys: list[Any] = ["x"] * 100
    keys[40], keys[70] = 1.5, None
    at = ["u0", "90"] * 50
    with pytest.raises(RVHTypeError, match="key at position 40 is of type float"):
        geo.argselect_batch(keys, geohash=at)
    with pytest.raises(RVHTypeError, match="float"):
        geo.select(1.5, geohash="u0")
