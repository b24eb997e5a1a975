"""Repeated keys: a sample of rows decides whether it saves time to score each distinct key once.

Of M keys, D are distinct. Scoring only those saves M - D scores, but every row has to be looked up.
D is estimated from rows drawn at random, so the order of equal keys does not matter: side by side,
in turn or anywhere. Rows at equal distances would not do: in a sorted column, they would not
contain any key twice.

All costs are in compressions of BLAKE2b, which take 22 ns each (with AVX-512).
``benchmarks/dedupe.py`` measures the constants below and tries the rule on many columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._backend import distinct
from rvh._columns.column import Codes, KeyColumn, Kind
from rvh.errors import RVHError, show

#: the cost of a row, to look up its key and to copy its answer: 15 to 20 ns with few distinct keys,
#: 60 ns with 500,000 and 120 ns with 6 million, which fit in no cache
ROW_MIN, ROW_MAX, ROW_PER_KEY = 1.0, 5.0, 1 / 200_000
#: the cost of a sample: 0.1 ms, and 40 ns for each row, or 0.3 us to find a Python object
SAMPLE, SAMPLE_ROW, SAMPLE_OBJECT = 5000.0, 2.0, 15.0
#: the part of a call that a sample may take
SAMPLE_PART = 0.02
#: a sample of M rows has 8 sqrt(M): if each key appears twice, it contains 8 * 8 / 2 such pairs
PER_ROOT = 8

#: rows that are deduplicated together, so that memory does not grow with all rows
BLOCK = 1 << 20


def deduplicate(keys: KeyColumn, dedupe: Any, cost: float) -> Iterable[tuple[KeyColumn, int]]:
    """Return the column, or parts of it as codes of distinct keys, each with its first row.

    Parameters
    ----------
    keys : KeyColumn
    dedupe : bool or "auto"
        True to look for repeated keys; by default if that saves time.
    cost : float
        The time of a key, in compressions, divided by the number of threads.

    Raises
    ------
    RVHError
        ``dedupe`` is something else.
    """
    if not (isinstance(dedupe, bool) or (isinstance(dedupe, str) and dedupe == "auto")):
        raise RVHError(f'dedupe is {show(dedupe)}: pass True, False or "auto"')
    if dedupe == "auto":
        dedupe = saves_time(keys, cost)
    if not dedupe or has_codes(keys):
        return [(keys, 0)]
    return _with_codes(keys)


def _with_codes(keys: KeyColumn) -> Iterator[tuple[KeyColumn, int]]:
    for start in range(0, len(keys), BLOCK):
        categories, codes = distinct_keys(keys, start, min(start + BLOCK, len(keys)))
        yield KeyColumn._unchecked(Kind.CODES, Codes._unchecked(categories, codes)), start


def distinct_keys(keys: KeyColumn, start: int, stop: int) -> tuple[KeyColumn, NDArray[np.uint32]]:
    """Return the distinct keys of rows ``start`` to ``stop``, copied, and the code of each row.

    Parameters
    ----------
    keys : KeyColumn
        A plain column, or chunks of plain columns.
    start, stop : int

    Examples
    --------
    >>> unique, codes = distinct_keys(KeyColumn(Kind.OBJECTS, ["a", "b", "a"]), 0, 3)
    >>> list(unique.iter_bytes()), codes
    ([b'a', b'b'], array([0, 1, 0], dtype=uint32))
    """
    spans, codes = distinct(keys, start, stop)
    return KeyColumn._unchecked(Kind.SPANS, spans), codes


def has_codes(keys: KeyColumn) -> bool:
    """Tell whether the column or one of its chunks has categories, which are scored once anyway."""
    if keys.kind is Kind.CHUNKS:
        return any(column.kind is Kind.CODES for column in keys.values.columns)
    return keys.kind is Kind.CODES


def saves_time(keys: KeyColumn, cost: float) -> bool:
    """Tell whether a call is faster if it scores only the distinct keys.

    Parameters
    ----------
    keys : KeyColumn
    cost : float
        The time of scoring a key, in compressions, divided by the number of threads that share the
        scoring: one thread alone finds the distinct keys.
    """
    if has_codes(keys):
        return False
    rows = sample_rows(len(keys), cost, SAMPLE_OBJECT if keys.kind is Kind.OBJECTS else SAMPLE_ROW)
    if rows is None:
        return False
    try:
        _, codes = distinct(keys._take(rows), 0, len(rows))
    except RVHError:
        return False  # the call itself reports the first key without bytes
    return saves_more(codes, len(keys), cost)


def sample_rows(total: int, cost: float, each: float) -> NDArray[np.int64] | None:
    """Draw rows, ascending, the same in every call; None if the sample would cost too much.

    Half of the wanted rows suffice; fewer do not tell how frequent the keys are.
    """
    wanted = PER_ROOT * sqrt(total)
    count = int(min(wanted, (SAMPLE_PART * total * cost - SAMPLE) / each))
    if cost <= ROW_MIN or 2 * wanted > total or 2 * count < wanted:
        return None
    # SplitMix64 makes the uniform numbers, since NumPy's generators take 10 ms to import. The
    # cumulative sums of their logarithms ascend, which saves 0.1 ms of sorting.
    z = np.arange(1, count + 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    gaps = -np.log(((z >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)
    sums = np.cumsum(gaps)
    rows: NDArray[np.int64] = (sums[:-1] * (total / sums[-1])).astype(np.int64)
    np.minimum(rows, total - 1, out=rows)
    return rows[np.diff(rows, prepend=-1) > 0]


def saves_more(codes: NDArray[np.uint32], total: int, cost: float) -> bool:
    """Tell whether deduplication saves more than it costs, by the codes of a sample of rows."""
    keys = estimate_distinct(codes, total)
    row_cost = min(ROW_MIN + keys * ROW_PER_KEY, ROW_MAX)
    return (total - keys) * cost > total * row_cost


def estimate_distinct(codes: NDArray[np.uint32], total: int) -> float:
    """Estimate the number of distinct keys in ``total`` rows from a random sample of them.

    With f1 keys that were drawn once and f2 drawn twice, about f1^2 / (2 f2 + f1 q / (1 - q)) keys
    were never drawn, where q is the sampled part of all rows (Chao and Lin, "Nonparametric lower
    bounds for species richness and shared species richness under sampling without replacement",
    Biometrics 68, 2012). If no key was drawn twice, the total is M: all keys are distinct.

    That holds if all keys are equally frequent, and is far too low if some are frequent and many
    are not. Then f3, the number of keys drawn three times, is larger than f1 and f2 predict. From
    f3 and f2 follows how many keys of the same frequency were drawn once; the other keys drawn once
    are assumed to stand in one row only. f2 and f3 are reduced by a standard deviation, so that a
    single pair in the sample does not cause a deduplication of all rows.
    """
    times = np.bincount(np.bincount(codes), minlength=4)
    seen, rest = float(times.sum()), (total - len(codes)) / len(codes)
    once, twice, thrice = (float(f) - sqrt(f) * (n > 0) for n, f in enumerate(times[1:4].tolist()))
    single = 0.0
    if thrice > 0 and twice > 0:  # 2 f2 / f1 = 3 f3 / f2 if all are equally frequent
        single = max(0.0, once - 2 * twice * twice / (3 * thrice))
    once -= single
    unseen = once * once / (2 * twice + once / rest) if once else 0.0
    return min(seen + unseen + single * rest, float(total))
