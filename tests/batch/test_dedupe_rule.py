"""When repeated keys are looked for: never where all differ, always where it clearly saves time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rvh._batch.dedupe import (
    SAMPLE_OBJECT,
    SAMPLE_ROW,
    estimate_distinct,
    sample_rows,
    saves_more,
    saves_time,
)
from rvh._columns.column import Chunks, Codes, KeyColumn, Kind
from rvh.keys import column

ROWS = 200_000
RNG = np.random.default_rng(1)
EVERY = np.arange(ROWS)


@pytest.mark.parametrize("cost", [1.5, 3, 10, 64, 1000, 1e6])
@pytest.mark.parametrize("rows", [0, 1, 2, 63, 64, 1000, ROWS])
def test_never_where_all_differ(rows: int, cost: float) -> None:
    assert not saves_time(column(EVERY[:rows]), cost)
    assert not saves_time(column(EVERY[:rows].tolist()), cost)


@pytest.mark.parametrize(
    "keys",
    [
        EVERY // 2,
        EVERY % (ROWS // 2),
        EVERY // 100,
        EVERY % (ROWS // 100),
        EVERY % 1,
        RNG.integers(0, ROWS // 20, ROWS),
        RNG.zipf(1.2, ROWS),
        np.where(EVERY % 4 == 0, 0, EVERY),
    ],
)
def test_wherever_equal_keys_lie(keys: np.ndarray) -> None:
    assert saves_time(column(keys), 64)
    assert saves_time(column(keys.astype("S")), 64)
    assert saves_time(column(keys.tolist()), 64)
    halves = [column(keys[: ROWS // 3]), column(keys[ROWS // 3 :])]
    assert saves_time(KeyColumn(Kind.CHUNKS, Chunks(halves)), 64)
    assert not saves_time(column(keys), 1)


def test_not_for_categories() -> None:
    coded = KeyColumn(Kind.CODES, Codes(column(["a", "b"]), EVERY % 2))
    assert not saves_time(coded, 64)
    assert not saves_time(KeyColumn(Kind.CHUNKS, Chunks([coded, coded])), 64)


def test_the_call_itself_finds_the_bad_key() -> None:
    values: list[Any] = [None] * ROWS
    assert not saves_time(column(values), 64)


@pytest.mark.parametrize("rows", [256, 1000, 4096, 10**6, 10**9])
@pytest.mark.parametrize("each", [SAMPLE_ROW, SAMPLE_OBJECT])
def test_the_rows_to_look_at(rows: int, each: float) -> None:
    chosen = sample_rows(rows, 1e6, each)
    assert chosen is not None
    assert chosen.dtype == np.int64
    assert 0 <= chosen[0] <= chosen[-1] < rows
    assert np.all(np.diff(chosen) > 0)
    assert 4 * rows**0.5 < len(chosen) <= 8 * rows**0.5
    # Uniform: as many in each tenth, within five standard deviations.
    counts = np.bincount(chosen * 10 // rows, minlength=10)
    assert np.abs(counts - len(chosen) / 10).max() < 5 * (len(chosen) / 10) ** 0.5
    again = sample_rows(rows, 1e6, each)
    assert again is not None
    assert np.array_equal(chosen, again)


def test_a_look_is_a_small_part_of_the_call() -> None:
    assert sample_rows(100, 64, SAMPLE_ROW) is None
    assert sample_rows(ROWS, 1, SAMPLE_ROW) is None
    assert sample_rows(ROWS, 5, SAMPLE_ROW) is not None
    assert sample_rows(ROWS, 5, SAMPLE_OBJECT) is None


@pytest.mark.parametrize("times", [1, 2, 5, 20, 1000, 100_000])
def test_the_estimate_where_all_are_equally_frequent(times: int) -> None:
    rows = 1_000_000
    chosen = sample_rows(rows, 1e6, SAMPLE_ROW)
    assert chosen is not None
    _, codes = np.unique(chosen // times, return_inverse=True)
    estimate = estimate_distinct(codes.astype(np.uint32), rows)
    saved, truly = 1 - estimate / rows, 1 - 1 / times
    assert truly - 0.25 < saved < truly + 0.1
    assert saved >= 0


def test_one_pair_is_no_reason() -> None:
    codes = np.arange(8000, dtype=np.uint32)
    codes[-1] = 0
    assert not saves_more(codes, 1_000_000, 20)
