"""The second oracle: the compiled backend and its pure-Python twin, name by name."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import examples

from rvh import _backend
from rvh._backend import pure as _pure
from rvh._batch.ranking import Ranking
from rvh.errors import RVHError
from rvh.keys import KeyColumn, column, node_column

RNG = random.Random(20)
IDS = [RNG.randbytes(n) for n in (1, 5, 5, 16, 127, 128, 129, 300)]
NAMES = np.array([f"n{n}" for n in range(len(IDS))], dtype="U3")
COLUMNS = {
    "objects": ["", "a", "é", b"\0", 3, -1, bytearray(b"x"), np.int8(-3), "x" * 2000] * 7,
    "S": np.array([RNG.randbytes(RNG.randrange(1, 40)) for _ in range(70)]),
    "U": np.array(["", "a", "éé", "€", "😀" * 30] * 14),
    "integers": np.arange(-35, 35, dtype=">i2"),
}


WEIGHTS = np.array([1.0, 0.0, 2.5, 1.0, 2.0**-1016, 7.0, 0.1, 1.0])
SETS = {
    "blake2b": ("blake2b", None, b""),
    "blake2b, secret": ("blake2b", None, b"secret"),
    "blake2b, weighted": ("blake2b", WEIGHTS, b"secret"),
    "murmur": ("murmur", None, b""),
    "murmur, weighted": ("murmur", WEIGHTS, b""),
}


def prepared(module: ModuleType, name: str = "blake2b") -> _pure.PreparedNodes:
    nodes: _pure.PreparedNodes = module.PreparedNodes(node_column(IDS)[0], *SETS[name])
    return nodes


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("kind", COLUMNS)
def test_same_answers(native_in_use: ModuleType, kind: str, name: str) -> None:
    keys = column(COLUMNS[kind])
    fast, slow = prepared(native_in_use, name), prepared(_pure, name)
    weighted = SETS[name][1] is not None
    width = 2 if name in ("blake2b", "blake2b, secret") else 1
    most = len(IDS) - weighted
    assert len(fast) == len(slow) == len(IDS)
    for start, stop in [(0, len(keys)), (0, 0), (3, 4), (5, 60), (62, 63)]:
        for k in (1, 2, most):
            got, expected = (np.full((stop - start, k), -1, dtype=np.intp) for _ in range(2))
            fast.argselect(keys, start, stop, got, None)
            slow.argselect(keys, start, stop, expected, None)
            assert np.array_equal(got, expected)
            ranked, ranked_too = (
                np.zeros((stop - start, 2 * k), dtype=np.uint64) for _ in range(2)
            )
            fast.rank(keys, start, stop, ranked, None)
            slow.rank(keys, start, stop, ranked_too, None)
            assert np.array_equal(ranked, ranked_too)
            assert np.array_equal(ranked[:, :k], expected)
            named, named_too = (np.zeros((stop - start, k), dtype="U3") for _ in range(2))
            fast.select(NAMES, keys, start, stop, named, None)
            slow.select(NAMES, keys, start, stop, named_too, None)
            assert np.array_equal(named, NAMES[expected])
            assert np.array_equal(named_too, named)
        words, expected_words = (
            np.zeros((stop - start, len(IDS), width), dtype=np.uint64) for _ in range(2)
        )
        fast.scores(keys, start, stop, words, None)
        slow.scores(keys, start, stop, expected_words, None)
        assert np.array_equal(words, expected_words)
    names = [f"name {n}" for n in range(len(IDS))]
    for key in keys.slice(0, len(keys)):
        for k in (1, 3, most):
            assert fast.select_one(key, k, names) == slow.select_one(key, k, names)


#: ids of every kind, and of every size around whole vectors
SELECTED = {
    "str": [f"node-{n}" for n in range(17)],
    "bytes": [b"%d" % n for n in range(9)],
    "mixed": ["a", b"b", "é", b"\0"],
    "one": ["alone"],
}
KEY = st.text(max_size=9) | st.binary(max_size=140) | st.integers(-(2**65), 2**66) | st.none()
K = st.integers(-1, 18) | st.sampled_from([True, 1.0, "1", np.int8(2), 2**70])


@pytest.mark.parametrize("scheme", ["blake2b", "murmur"])
@pytest.mark.parametrize("kind", SELECTED)
def test_one_key(native_in_use: ModuleType, kind: str, scheme: str) -> None:
    nodes, ids = node_column(SELECTED[kind])

    def outcome(module: ModuleType, key: Any, k: Any, weights: Any) -> list[Any]:
        ranking = Ranking(nodes, ids, scheme, weights, b"")
        ranking.nodes = module.PreparedNodes(nodes, scheme, weights, b"")
        selector = module.Selector(ranking)
        try:
            first = selector.select(key, k)
        except RVHError as error:
            return [type(error), str(error)]
        assert selector.select(key, k=k) == first
        return [(type(node), node) for node in first]

    @settings(max_examples=examples(100), deadline=None)
    @given(key=KEY, k=K, weighted=st.booleans())
    def check(key: Any, k: Any, weighted: bool) -> None:
        weights = np.arange(1.0, len(ids) + 1) if weighted else None
        asked = key, k, weights
        assert outcome(native_in_use, *asked) == outcome(_pure, *asked)

    check()


BAD_COLUMNS = {
    "None": ["a"] * 5 + [None, 1.5],
    "float": np.array(["a", 2.5, None], dtype=object),
    "surrogate": np.array(["a", "b\ud800", "\udfff"]),
    "swapped surrogate": np.array(["a", "b\ud800", "\udfff"]).astype(">U2"),
    "surrogate in a list": ["é", "é\udc80"],
    "too large": [1, 2**64],
    "too small": [1, -(2**63) - 1],
    "bool": [1, True],
    "numpy bool": [np.True_],
    "list": [["a"]],
}


@pytest.mark.parametrize("name", BAD_COLUMNS)
def test_same_errors(native_in_use: ModuleType, name: str) -> None:
    keys = column(BAD_COLUMNS[name])

    def error(module: ModuleType, call: str) -> tuple[type, str]:
        nodes = prepared(module)
        out = np.zeros((len(keys), 1), dtype=np.intp)
        scores = np.zeros((len(keys), len(IDS), 2), dtype=np.uint64)
        filled = out if call == "argselect" else scores
        with pytest.raises(RVHError) as caught:
            getattr(nodes, call)(keys, 0, len(keys), filled, None)
        return caught.type, str(caught.value)

    for call in ("argselect", "scores"):
        assert error(native_in_use, call) == error(_pure, call)


@pytest.mark.parametrize(
    "ids",
    [["a", "b", "a"], ["a", b"a"], ["", "a"], ["a", "b", "b", "a"], ["a", ""], ["a", "\ud800"]],
)
def test_same_errors_about_nodes(native_in_use: ModuleType, ids: list[str]) -> None:
    def error(module: ModuleType) -> tuple[type, str]:
        with pytest.raises(RVHError) as caught:
            module.PreparedNodes(node_column(ids)[0], "blake2b", None, b"")
        return caught.type, str(caught.value)

    assert error(native_in_use) == error(_pure)


def test_a_set_flag_ends_the_call() -> None:
    flag = _backend.Cancel()
    assert not flag.is_set()
    flag.set()
    assert flag.is_set()
    nodes = _backend.PreparedNodes(node_column(IDS)[0], "blake2b", None, b"")
    keys: KeyColumn = column(["a"] * 1000)
    out = np.full((1000, 1), -1, dtype=np.intp)
    nodes.argselect(keys, 0, 1000, out, flag)
    assert (out == -1).all()


@pytest.mark.parametrize("code_points", [False, True])
@pytest.mark.parametrize("kind", COLUMNS)
def test_same_prefixes(native_in_use: ModuleType, kind: str, code_points: bool) -> None:
    keys = column(COLUMNS[kind])
    texts = column([b"", b"a-", "é-", "é€-", "10.0.0.1:80-", b"a-", b"\xff\x80\xc3", b"\x80"])
    for seed in (0, 2**32 - 1):
        fast, slow = (
            module.Prefixes(texts, seed, code_points) for module in (native_in_use, _pure)
        )
        for start, stop in [(0, len(keys)), (0, 0), (3, 4), (62, 63)]:
            for k in (1, 3, len(texts)):
                got, expected = (np.full((stop - start, k), -1, dtype=np.intp) for _ in range(2))
                fast.argselect(keys, start, stop, got, None)
                slow.argselect(keys, start, stop, expected, None)
                assert np.array_equal(got, expected)
