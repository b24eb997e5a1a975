"""NodeSet: immutable, comparable, picklable, and answers in the dtype of its ids."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from subprocesses import output

import rvh

NODES = ["node1", "nœud2", "節点3"]
SECRET = b"hunter2"

# -- what it is ---------------------------------------------------------------------------------


def test_length_order_and_membership() -> None:
    ns = rvh.NodeSet(NODES)
    assert len(ns) == 3
    assert list(ns) == NODES
    assert ns.ids.tolist() == NODES
    assert "node1" in ns
    assert "node4" not in ns
    assert 1 not in ns
    assert ns.scheme == "blake2b"
    assert ns.secret == b""
    assert rvh.NodeSet(NODES, secret=bytearray(SECRET)).secret == SECRET


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_secret_of_any_bytes_like_type(kind: Any) -> None:
    assert rvh.NodeSet(NODES, secret=kind(SECRET)) == rvh.NodeSet(NODES, secret=SECRET)


@pytest.mark.parametrize("size", [0, 1, 32, 63, 64])
def test_secrets_of_every_size(size: int) -> None:
    secret = bytes(range(size))
    ns = rvh.NodeSet(NODES, secret=secret)
    assert np.array_equal(ns.score_batch(["k"]), reference.scores(NODES, ["k"], secret))


def test_repr_shows_the_ids_and_hides_the_secret() -> None:
    text = repr(rvh.NodeSet([*NODES, "node4"], secret=SECRET))
    assert "'node1'" in text
    assert "n=4" in text
    assert "7 bytes" in text
    assert "hunter2" not in text
    assert SECRET.hex() not in text
    assert "secret" not in repr(rvh.NodeSet(NODES))


def test_repr_of_many_nodes_is_short() -> None:
    assert len(repr(rvh.NodeSet([f"node{n}" for n in range(1000)]))) < 200


# -- it does not change -------------------------------------------------------------------------


def test_ids_cannot_be_written_to() -> None:
    ns = rvh.NodeSet(NODES)
    with pytest.raises(ValueError, match="read-only"):
        ns.ids[0] = "other"
    for name in ("ids", "secret", "scheme", "fingerprint", "color"):
        with pytest.raises(AttributeError):
            setattr(ns, name, None)


@pytest.mark.parametrize(
    "ids",
    [
        list(NODES),
        np.array(NODES),
        np.array(NODES).astype(">U9"),
        np.array(["a", "b", "c"], dtype="S1"),
        np.array(NODES, dtype=object),
    ],
    ids=lambda ids: str(getattr(ids, "dtype", "list")),
)
def test_the_callers_ids_are_copied(ids: Any) -> None:
    ns = rvh.NodeSet(ids)
    before = ns.scores("key"), ns.fingerprint, list(ns), ns.select_batch(["key"], 3).tolist()
    ids[0] = "x"
    ids[1] = "y"
    after = ns.scores("key"), ns.fingerprint, list(ns), ns.select_batch(["key"], 3).tolist()
    assert after == before
    assert rvh.NodeSet(ns.ids).scores("key") == before[0]


def test_the_callers_secret_is_copied() -> None:
    secret = bytearray(SECRET)
    ns = rvh.NodeSet(NODES, secret=secret)
    before = ns.scores("key")
    secret[0] ^= 1
    assert ns.secret == SECRET
    assert ns.scores("key") == before


def test_an_answer_does_not_share_memory_with_the_set() -> None:
    ns = rvh.NodeSet(NODES)
    chosen = ns.select_batch(["key"], k=3)
    assert chosen.flags.writeable
    chosen[:] = "x"
    assert list(ns) == NODES


# -- other sets ---------------------------------------------------------------------------------


def test_add_remove_and_subset_give_new_sets() -> None:
    ns = rvh.NodeSet(NODES, secret=SECRET)
    assert ns.add("node4") == rvh.NodeSet([*NODES, "node4"], secret=SECRET)
    assert ns.add(["node4", b"node5"]) == rvh.NodeSet([*NODES, "node4", b"node5"], secret=SECRET)
    assert ns.add(np.array(["node4"])) == ns.add("node4")
    assert ns.add([]) == ns
    assert ns.remove("nœud2") == rvh.NodeSet(["node1", "節点3"], secret=SECRET)
    assert ns.remove("nœud2".encode()) == ns.remove("nœud2")
    assert ns.remove(["節点3", "node1"]) == rvh.NodeSet(["nœud2"], secret=SECRET)
    assert ns.remove([]) == ns
    assert ns.subset([False, True, True]) == rvh.NodeSet(NODES[1:], secret=SECRET)
    assert ns.subset(np.array([True, False, True])) == ns.remove("nœud2")
    assert list(ns) == NODES
    assert ns.add("x").remove("x") == ns


def test_ids_with_trailing_nuls_survive_in_every_new_set() -> None:
    ns = rvh.NodeSet(["a\0", "a", "b"])
    assert list(ns) == ["a\0", "a", "b"]
    assert list(ns.add("c\0\0")) == ["a\0", "a", "b", "c\0\0"]
    assert list(ns.remove("a")) == ["a\0", "b"]
    assert list(ns.subset([True, True, False])) == ["a\0", "a"]
    assert list(pickle.loads(pickle.dumps(ns))) == list(ns)
    assert ns.select("key", k=3) == [list(ns)[n] for n in reference.ranking(list(ns), "key")]


# -- equality -----------------------------------------------------------------------------------


def test_equal_sets_have_equal_hashes() -> None:
    ns = rvh.NodeSet(NODES, secret=SECRET)
    same = rvh.NodeSet(np.array(NODES), secret=SECRET)
    assert ns == same
    assert hash(ns) == hash(same)
    assert {ns: 1}[same] == 1


@pytest.mark.parametrize(
    "other",
    [
        rvh.NodeSet(NODES),
        rvh.NodeSet(NODES[::-1], secret=SECRET),
        rvh.NodeSet(NODES[:2], secret=SECRET),
        rvh.NodeSet([*NODES, "x"], secret=SECRET),
        NODES,
        None,
    ],
    ids=repr,
)
def test_unequal(other: object) -> None:
    assert rvh.NodeSet(NODES, secret=SECRET) != other


# -- fingerprint --------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [b"", SECRET, bytes(64)])
def test_fingerprint_is_the_documented_digest(secret: bytes) -> None:
    ids = ["b", "a", "é", b"\xff", "aa"]
    assert rvh.NodeSet(ids, secret=secret).fingerprint == reference.fingerprint(ids, secret)


def test_fingerprint_tells_what_decides_placement() -> None:
    one = rvh.NodeSet(NODES)
    assert one.fingerprint == one.fingerprint
    assert one.fingerprint == rvh.NodeSet(NODES[::-1]).fingerprint
    assert one.fingerprint == rvh.NodeSet([node.encode() for node in NODES]).fingerprint
    different = [
        one,
        rvh.NodeSet(NODES, secret=b"\0"),
        rvh.NodeSet(NODES, secret=b"\0\0"),
        rvh.NodeSet(NODES[:2]),
        rvh.NodeSet([*NODES[:2], "節点4"]),
        rvh.NodeSet(["ab", "c"]),
        rvh.NodeSet(["a", "bc"]),
        rvh.NodeSet(["abc"]),
    ]
    assert len({ns.fingerprint for ns in different}) == len(different)


@given(st.lists(st.binary(min_size=1), min_size=1, unique=True), st.binary(max_size=64))
def test_any_fingerprint(ids: list[bytes], secret: bytes) -> None:
    assert rvh.NodeSet(ids, secret=secret).fingerprint == reference.fingerprint(ids, secret)


# -- pickle and copy ----------------------------------------------------------------------------


def same_answers(a: rvh.NodeSet, b: rvh.NodeSet) -> bool:
    keys = ["x", "é", 7, b""]
    chosen = a.select_batch(keys, k=len(a))
    return (
        a == b
        and a.fingerprint == b.fingerprint
        # NumPy's own pickle turns arrays of U into this machine's byte order
        and chosen.dtype.newbyteorder("=") == b.select_batch(keys).dtype.newbyteorder("=")
        and np.array_equal(chosen, b.select_batch(keys, k=len(b)))
        and np.array_equal(a.score_batch(keys), b.score_batch(keys))
    )


SETS = [
    rvh.NodeSet(NODES),
    rvh.NodeSet(NODES, secret=SECRET),
    rvh.NodeSet([b"a", b"b"]),
    rvh.NodeSet(["a", b"b", "c\0"]),
    rvh.NodeSet(np.array(["a", "b"]).astype(">U4")),
]


@pytest.mark.parametrize("ns", SETS, ids=repr)
def test_pickle_and_copy(ns: rvh.NodeSet) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert same_answers(ns, pickle.loads(pickle.dumps(ns, protocol)))
    assert same_answers(ns, copy.copy(ns))
    assert same_answers(ns, copy.deepcopy(ns))
    assert not pickle.loads(pickle.dumps(ns)).ids.flags.writeable


@pytest.mark.parametrize("force", ["1", "0"], ids=["to Python", "to the default backend"])
@pytest.mark.parametrize("ns", SETS, ids=repr)
def test_pickle_into_another_process(ns: rvh.NodeSet, force: str) -> None:
    keys = ["x", "é", 7, b""]
    expected = ns.fingerprint, ns.select_batch(keys, k=len(ns)).tolist()
    code = f"""
        import pickle, warnings
        warnings.simplefilter("ignore", RuntimeWarning)
        ns = pickle.loads({pickle.dumps(ns)!r})
        print((ns.fingerprint, ns.select_batch({keys!r}, k=len(ns)).tolist()))
    """
    assert output(code, RVH_FORCE_PYTHON=force, PYTHONUTF8="1").strip() == str(expected)


# -- dtypes of answers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "dtype"),
    [
        (["a", "bcd"], "U3"),
        (("é", "b"), "U1"),
        ([b"a", b"bcd"], "S3"),
        (["a", b"b"], object),
        (["a\0", "b"], object),
        ([b"a\0", b"b"], object),
        (np.array(["a", "b"], "U7"), "U7"),
        (np.array(["a", "b"]).astype(">U7"), ">U7"),
        (np.array([b"a", b"b"], "S7"), "S7"),
        (np.array(["a", b"b"], object), object),
        (np.array(["a", "x", "b"])[::2], "U1"),
        (np.array(["a", "b"])[::-1], "U1"),
    ],
    ids=str,
)
def test_answers_come_in_the_dtype_of_the_ids(ids: Any, dtype: Any) -> None:
    ns = rvh.NodeSet(ids)
    plain = list(ids) if isinstance(ids, (list, tuple)) else ids.tolist()
    keys = ["x", "y", "z"]
    for k in (1, 2):
        chosen = ns.select_batch(keys, k=k)
        assert chosen.dtype == np.dtype(dtype)
        expected = [[plain[n] for n in reference.ranking(plain, key)[:k]] for key in keys]
        assert chosen.tolist() == expected
        assert chosen.flags.c_contiguous
    assert ns.ids.dtype == np.dtype(dtype)
    assert [type(node) for node in ns.select("x", k=2)] == [
        type(plain[n]) for n in reference.ranking(plain, "x")
    ]


def test_shapes_and_dtypes() -> None:
    ns = rvh.NodeSet(NODES)
    chosen = ns.argselect_batch(["x", "y"], k=3)
    assert chosen.shape == (2, 3)
    assert chosen.dtype == np.intp
    assert chosen.flags.c_contiguous
    scores = ns.score_batch(["x", "y"])
    assert scores.shape == (2, 3, 2)
    assert scores.dtype == np.uint64
    (first, score), *_ = ns.scores("x")
    assert type(first) is str
    assert type(score) is int
    assert type(ns.select("x")) is list


@pytest.mark.parametrize("k", [np.int64(2), np.uint8(2), True + True])
def test_k_as_any_whole_number(k: Any) -> None:
    ns = rvh.NodeSet(NODES)
    assert ns.select("x", k=k) == ns.select("x", k=2)
    assert ns.select_batch(["x"], k=k).shape == (1, 2)


# -- failure domains ----------------------------------------------------------------------------

ZONES = {"zone": ["eu", "us", "eu"], "rack": [1, 2, 3]}


def test_domains_are_kept_and_change_no_answer() -> None:
    ns = rvh.NodeSet(NODES, domains=ZONES)
    assert dict(ns.domains) == {"zone": ("eu", "us", "eu"), "rack": (1, 2, 3)}
    assert rvh.NodeSet(NODES).domains == {}
    plain = rvh.NodeSet(NODES)
    assert ns.fingerprint == plain.fingerprint
    assert ns != plain
    assert ns == rvh.NodeSet(
        NODES, domains={"rack": np.array([1, 2, 3]), "zone": ("eu", "us", "eu")}
    )
    assert pickle.loads(pickle.dumps(ns)) == ns
    assert hash(pickle.loads(pickle.dumps(ns))) == hash(ns)
    with pytest.raises(TypeError):
        ns.domains["zone"] = ()  # type: ignore[index]


def test_domains_of_other_sets() -> None:
    ns = rvh.NodeSet(NODES, domains=ZONES)
    assert ns.remove(NODES[0]).domains["zone"] == ("us", "eu")
    assert ns.with_weights([1, 2, 3]).domains == ns.domains
    more = ns.add("node4", domains={"zone": "asia", "rack": [9]})
    assert more.domains["zone"] == ("eu", "us", "eu", "asia")
    assert more.domains["rack"] == (1, 2, 3, 9)
    assert more.remove("node4") == ns


@pytest.mark.parametrize(
    ("domains", "error", "words"),
    [
        (["eu"], TypeError, "domains is of type list"),
        ({"": ["a", "b", "c"]}, TypeError, "a name in domains is ''"),
        ({1: ["a", "b", "c"]}, TypeError, "a name in domains is 1"),
        ({"zone": ["a"]}, ValueError, "'zone' has 1 labels for 3 nodes"),
        ({"zone": "a"}, ValueError, "'zone' has 1 labels for 3 nodes"),
        (
            {"zone": ["a", None, "b"]},
            TypeError,
            "label of node 'nœud2' .position 1. is None",
        ),
        ({"zone": [1.5, 2, 3]}, TypeError, "is 1.5 of type float: a label is"),
        ({"zone": [True, 2, 3]}, TypeError, "is True of type bool: a label is"),
    ],
)
def test_wrong_domains(domains: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words) as caught:
        rvh.NodeSet(NODES, domains=domains)
    assert isinstance(caught.value, error)


@pytest.mark.parametrize(
    ("made", "domains", "words"),
    [
        (ZONES, None, "give domains= with a label of each new node for each of 'zone', 'rack'"),
        (ZONES, {"zone": "eu"}, "for each of 'zone', 'rack'"),
        (ZONES, "eu", "for each of 'zone', 'rack'"),
        (ZONES, {"zone": ["eu"], "rack": [1, 2]}, "'rack' has 2 labels for 1 new nodes"),
        (None, {"zone": "eu"}, "the set has no domains: omit"),
    ],
)
def test_wrong_domains_of_new_nodes(made: Any, domains: Any, words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words):
        rvh.NodeSet(NODES, domains=made).add("node4", domains=domains)
