"""Whether it pays to find a column's repeated keys first: a look at some of its rows tells.

A key that stands m times in a column is scored m times; where each distinct key is scored once
instead, every row pays for being looked up. What can be saved is M - D keys of M, and D, the number
of distinct ones, is estimated from rows that are drawn at random, so it does not matter whether
equal keys stand side by side, come round in turn or lie anywhere.

Rows that are spread evenly would not do: in a sorted column they would never meet a key twice.

Every price here is counted in compressions of BLAKE2b, of 22 ns each (with AVX-512).
``benchmarks/dedupe.py`` measures what stands below and tries the rule on columns of many shapes.
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

#: a row's price, to look its key up and to hand its answer out: 15 to 20 ns where there are few
#: distinct keys, 60 ns where they are 500,000 and 120 ns where they are 6 million, in no cache
ROW_LEAST, ROW_MOST, ROW_KEYS = 1.0, 5.0, 1 / 200_000
#: a look's price: 0.1 ms, and for each row drawn 40 ns, or 0.3 us to find a Python object
LOOK, LOOK_ROW, LOOK_OBJECT = 5000.0, 2.0, 15.0
#: the part of a call that a look may take
LOOK_PART = 0.02
#: of M rows 8 sqrt(M) are drawn: where each key stands twice, they have 8 * 8 / 2 such pairs
PER_ROOT = 8


#: rows among which repeated keys are looked for together: memory does not grow with all of them
BLOCK = 1 << 20


def deduplicated(keys: KeyColumn, dedupe: Any, price: float) -> Iterable[tuple[KeyColumn, int]]:
    """The column, or parts of it in which each key is one category: each with its first row.

    Parameters
    ----------
    keys : KeyColumn
    dedupe : bool or "auto"
        Whether to look for repeated keys; by default where that saves time.
    price : float
        What a key takes, in compressions, where threads share that.

    Raises
    ------
    RVHError
        ``dedupe`` is something else.
    """
    if not (isinstance(dedupe, bool) or (isinstance(dedupe, str) and dedupe == "auto")):
        raise RVHError(f'dedupe is {show(dedupe)}: pass True, False or "auto"')
    if dedupe == "auto":
        dedupe = saves_time(keys, price)
    if not dedupe or has_codes(keys):
        return [(keys, 0)]
    return _with_codes(keys)


def _with_codes(keys: KeyColumn) -> Iterator[tuple[KeyColumn, int]]:
    for start in range(0, len(keys), BLOCK):
        spans, codes = distinct(keys, start, min(start + BLOCK, len(keys)))
        categories = KeyColumn._unchecked(Kind.SPANS, spans)
        yield KeyColumn._unchecked(Kind.CODES, Codes._unchecked(categories, codes)), start


def has_codes(keys: KeyColumn) -> bool:
    """Whether categories are scored once anyway, in the column or in one of its chunks."""
    if keys.kind is Kind.CHUNKS:
        return any(column.kind is Kind.CODES for column in keys.values.columns)
    return keys.kind is Kind.CODES


def saves_time(keys: KeyColumn, cost: float) -> bool:
    """Whether a call is faster where it scores only the distinct keys.

    Parameters
    ----------
    keys : KeyColumn
    cost : float
        What scoring a key takes, in compressions; divided by the number of threads that share the
        scoring, since one thread alone finds the distinct keys.
    """
    if has_codes(keys):
        return False
    rows = sample_rows(len(keys), cost, LOOK_OBJECT if keys.kind is Kind.OBJECTS else LOOK_ROW)
    if rows is None:
        return False
    try:
        _, codes = distinct(keys._take(rows), 0, len(rows))
    except RVHError:
        return False  # the call itself will say which key is the first without bytes
    return saves_more(codes, len(keys), cost)


def sample_rows(total: int, cost: float, each: float) -> NDArray[np.int64] | None:
    """Rows to look at, ascending, the same in every call; None where the look would cost too much.

    Half of them would still do; with fewer, one cannot tell how frequent the keys are.
    """
    wanted = PER_ROOT * sqrt(total)
    count = int(min(wanted, (LOOK_PART * total * cost - LOOK) / each))
    if cost <= ROW_LEAST or 2 * wanted > total or 2 * count < wanted:
        return None
    # Uniform numbers of SplitMix64's, as NumPy's generators are 10 ms to import; sums of their
    # logarithms are in order as they come, which is 0.1 ms faster than to sort the numbers.
    z = np.arange(1, count + 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    gaps = -np.log(((z >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)
    places = np.cumsum(gaps)
    rows: NDArray[np.int64] = (places[:-1] * (total / places[-1])).astype(np.int64)
    np.minimum(rows, total - 1, out=rows)
    return rows[np.diff(rows, prepend=-1) > 0]


def saves_more(codes: NDArray[np.uint32], total: int, cost: float) -> bool:
    """Whether ``total`` rows pay for being looked up, by the codes of rows drawn from them."""
    keys = estimate_distinct(codes, total)
    row = min(ROW_LEAST + keys * ROW_KEYS, ROW_MOST)
    return (total - keys) * cost > total * row


def estimate_distinct(codes: NDArray[np.uint32], total: int) -> float:
    """An estimate of the distinct keys of ``total`` rows, by those drawn from them at random.

    With f1 keys that were drawn once and f2 drawn twice, those never drawn are about
    f1^2 / (2 f2 + f1 q / (1 - q)), where the part q of all rows was drawn (Chao and Lin,
    "Nonparametric lower bounds for species richness and shared species richness under sampling
    without replacement", Biometrics 68, 2012). Where no key was drawn twice that makes M in all:
    all different.

    That is right where all keys stand equally often, and far too low where some are frequent and
    many are not. Then more keys were drawn three times than f2 and f1 let expect: from f3 and f2 it
    follows how many were drawn once among keys as frequent as those, and the others drawn once are
    taken to stand in that one row alone. f2 and f3 are taken a standard deviation less than they
    are, so that a pair among the rows is no reason to go through all of them.
    """
    times = np.bincount(np.bincount(codes), minlength=4)
    seen, rest = float(times.sum()), (total - len(codes)) / len(codes)
    once, twice, thrice = (float(f) - sqrt(f) * (n > 0) for n, f in enumerate(times[1:4].tolist()))
    alone = 0.0
    if thrice > 0 and twice > 0:  # 2 f2 / f1 = 3 f3 / f2 where all are equally frequent
        alone = max(0.0, once - 2 * twice * twice / (3 * thrice))
    once -= alone
    unseen = once * once / (2 * twice + once / rest) if once else 0.0
    return min(seen + unseen + alone * rest, float(total))
