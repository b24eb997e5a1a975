"""Repeated keys scored once: the answers of every key scored by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from sizes import large

import rvh

NODES = ["alpha", "beta", "gamma", "δelta"]
SET = rvh.NodeSet(NODES)
CHOICES: list[Any] = [True, False, "auto"]

#: 30,000 rows of 400 keys, some frequent: enough that "auto" takes them for repeated
ROWS = (np.random.default_rng(4).zipf(1.3, 30_000) % 400).astype(np.int64)
TEXTS = [f"é-user:{n}" for n in ROWS.tolist()]
COLUMNS: dict[str, Any] = {
    "list": TEXTS,
    "U": np.array(TEXTS),
    "S": np.array([text.encode() for text in TEXTS]),
    "StringDType": np.array(TEXTS, np.dtypes.StringDType()),
    "integers": ROWS,
    "Arrow": pa.array(TEXTS),
    "chunks": pa.chunked_array([TEXTS[:999], TEXTS[999:]]),
    "dictionary": pa.array(TEXTS).dictionary_encode(),
}


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("threads", [pytest.param(1, marks=large), 2])
def test_same_answers(name: str, threads: int) -> None:
    keys = COLUMNS[name]
    each = ROWS.tolist() if name == "integers" else TEXTS
    different = list(dict.fromkeys(each))
    ranked = dict(zip(different, reference.rankings(NODES, different)[:, :2].tolist(), strict=True))
    expected = [ranked[key] for key in each]
    for dedupe in CHOICES:
        for call in (SET.argselect_batch, SET.select_arrow):
            answer: Any = call(keys, 2, threads=threads, dedupe=dedupe)
            assert getattr(answer, "indices", answer).tolist() == expected
        chosen = rvh.select_batch(SET, keys, 2, threads=threads, dedupe=dedupe)
        assert np.array_equal(chosen, np.array(NODES)[expected])


@given(st.lists(st.sampled_from(["", "a", "b", b"a", 7, "\0", b"\0", "é"]), max_size=30))
def test_any_list(keys: list[Any]) -> None:
    expected = reference.rankings(NODES, keys)[:, :1]
    for dedupe in CHOICES:
        assert np.array_equal(SET.argselect_batch(keys, dedupe=dedupe), expected)


@pytest.mark.parametrize("dedupe", CHOICES)
def test_nulls_are_no_keys(dedupe: Any) -> None:
    keys = ["a", None, "a", None, "b"]
    best = iter(reference.rankings(NODES, ["a", "a", "b"])[:, 0].tolist())
    answer = SET.select_arrow(pa.array(keys), dedupe=dedupe)
    expected = [None if key is None else NODES[next(best)] for key in keys]
    assert pa.array(answer).to_pylist() == expected


@pytest.mark.parametrize("dedupe", CHOICES)
def test_the_first_bad_key_is_named(dedupe: Any) -> None:
    keys: list[Any] = [*TEXTS[:9000], 1.5, *TEXTS[9000:], None]
    with pytest.raises(rvh.RVHTypeError, match="position 9000 "):
        SET.select_batch(keys, dedupe=dedupe)


@pytest.mark.parametrize("dedupe", ["yes", "AUTO", None, 1, 0.0, np.array([True, False])], ids=str)
def test_another_value(dedupe: Any) -> None:
    for call in (SET.argselect_batch, SET.select_batch, SET.select_arrow):
        with pytest.raises(rvh.RVHError, match=r"dedupe is .*True, False or"):
            call(pa.array(["a"]), dedupe=dedupe)
