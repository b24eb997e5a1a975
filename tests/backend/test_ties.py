"""The tie rule, with injected scores: real ties of 128-bit scores do not occur.

`rank_scores` is the ranking that follows scoring, in the backend in use.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from rvh._backend import PreparedNodes, rank_scores
from rvh.keys import node_column

TOP = 2**64 - 1
HALF = 2**63
#: words to draw from: few, so that all kinds of tie occur, and next to the borders of a sign bit
WORDS = {
    "all equal to zero": ([0], [0]),
    "all equal to the highest": ([TOP], [TOP]),
    "high words tie": ([7], [0, 1, HALF - 1, HALF, TOP]),
    "low words tie": ([0, 1, HALF - 1, HALF, TOP], [7]),
    "both tie now and then": ([0, HALF, TOP], [0, 1, TOP]),
    "high words mostly differ": (list(range(0, TOP, TOP // 50)), [0, TOP]),
    "one bit": ([0, 1], [0, 1]),
}


def node_ids(n: int, rng: random.Random) -> list[bytes]:
    """Ids whose order by bytes is neither their order here nor that of their lengths."""
    ids = [b"n" * (1 + i % 3) + str(i).encode() for i in range(n)]
    ids += [b"n" * length for length in range(1, 8)]  # one the start of another
    ids += [b"\0", b"\0\0", b"\xff", b"\x7f", b"\x80"]
    return rng.sample(ids, n)


def check(words: np.ndarray, ids: Sequence[bytes], sizes: Sequence[int]) -> None:
    nodes = PreparedNodes(node_column(ids)[0], "blake2b", None, b"")
    expected = [
        reference.order([high << 64 | low for high, low in row], ids) for row in words.tolist()
    ]
    for k in sizes:
        out = np.full((len(words), k), -1, dtype=np.intp)
        rank_scores(words, nodes, out)
        assert out.tolist() == [row[:k] for row in expected], (k, ids)


def draw(kind: str, m: int, n: int, rng: random.Random) -> np.ndarray:
    high, low = WORDS[kind]
    pairs = [[(rng.choice(high), rng.choice(low)) for _ in range(n)] for _ in range(m)]
    return np.array(pairs, dtype=np.uint64).reshape(m, n, 2)


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("n", [1, 2, 3, 15, 16, 17, 18, 31, 32, 33, 40])
def test_every_k(n: int, kind: str) -> None:
    rng = random.Random(f"{kind} {n}")
    check(draw(kind, 9, n, rng), node_ids(n, rng), range(1, n + 1))


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("m", [0, 1, 2, 7, 8, 15, 16, 17, 33])
def test_any_number_of_keys(m: int, kind: str) -> None:
    rng = random.Random(f"{kind} {m}")
    check(draw(kind, m, 20, rng), node_ids(20, rng), [1, 2, 3, 4, 15, 16, 17, 18, 20])


@pytest.mark.parametrize("kind", WORDS)
def test_hundreds_of_nodes(kind: str) -> None:
    rng = random.Random(kind)
    check(draw(kind, 17, 300, rng), node_ids(300, rng), [1, 2, 3, 5, 16, 17, 100, 299, 300])


@pytest.mark.parametrize("kind", ["all equal to zero", "one bit", "both tie now and then"])
def test_thousands_of_nodes_all_ranked(kind: str) -> None:
    rng = random.Random(kind)
    check(draw(kind, 2, 11_000, rng), node_ids(11_000, rng), [3, 11_000])


@pytest.mark.parametrize("rising", [True, False])
def test_scores_in_order(rising: bool) -> None:
    # The best and the worst case of a running selection: each node, or none, displaces another.
    scores = sorted((random.Random(1).getrandbits(128) for _ in range(100)), reverse=not rising)
    words = np.array([[divmod(score, 2**64) for score in scores]] * 3, dtype=np.uint64)
    check(words, node_ids(100, random.Random(2)), [1, 2, 3, 16, 17, 50, 100])


def test_a_tie_in_one_lane_only() -> None:
    # One key of a full vector of them has a tie, each in its turn.
    rng = random.Random(3)
    ids = node_ids(6, rng)
    for lane in range(16):
        words = draw("high words mostly differ", 16, 6, rng)
        words[lane, 3] = words[lane, 5]
        words[lane, 1, 0] = words[lane, 5, 0]
        check(words, ids, range(1, 7))


def test_equal_scores_rank_by_bytes_not_by_text_or_position() -> None:
    ids = ["é", "z", "a", "aa", "😀", "\uffff"]  # as UTF-16, the last two would change places
    nodes = PreparedNodes(node_column(ids)[0], "blake2b", None, b"")
    out = np.empty((1, 6), dtype=np.intp)
    rank_scores(np.zeros((1, 6, 2), dtype=np.uint64), nodes, out)
    assert [ids[n] for n in out[0]] == sorted(ids, key=str.encode, reverse=True)
    assert [ids[n] for n in out[0]] == ["😀", "\uffff", "é", "z", "aa", "a"]


@given(st.data())
def test_any_scores(data: st.DataObject) -> None:
    ids = data.draw(
        st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=24, unique=True)
    )
    word = st.sampled_from([0, 1, HALF, TOP]) | st.integers(0, TOP)
    row = st.lists(st.tuples(word, word), min_size=len(ids), max_size=len(ids))
    rows = data.draw(st.lists(row, min_size=1, max_size=18))
    check(np.array(rows, dtype=np.uint64), ids, range(1, len(ids) + 1))
