"""The pure-Python twin: the placement contract in plain Python (with `rvh._backend.pure.schemes`).

It is the second oracle of the test suite and the backend where no extension was built. It has
the names of `contract.NAMES`, takes the same arguments as the compiled module and gives the same
answers and the same errors. Read this file to know what rvh computes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from heapq import nlargest
from itertools import accumulate
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rvh._backend.pure import schemes as _schemes
from rvh._backend.pure.cache import Cache as Cache
from rvh._backend.pure.matching import Matching as Matching
from rvh._backend.pure.points import key_point as key_point
from rvh._backend.pure.points import key_points as key_points
from rvh._backend.pure.ring import RingPoints as RingPoints
from rvh._backend.pure.schemes import WORD, Blake2b, Murmur, Scheme, weighted
from rvh._columns.column import KeyColumn, Spans
from rvh._columns.ids import check_unique
from rvh._columns.values import key_bytes, key_word
from rvh._runtime.slices import COMPARED, largest

T = TypeVar("T")


class Cancel:
    """A flag that another thread sets to stop a running call."""

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set


class PreparedNodes:
    """Node ids ready for scoring: unique, not empty, with the secret absorbed.

    Parameters
    ----------
    ids : KeyColumn
        The node ids, in the caller's order: answers are positions in it.
    scheme : {"blake2b", "murmur"}
    weights : ndarray of float64, shape (N,), optional
        Finite, not negative, at least one above 0; nodes of weight 0 have no rank.
    secret : bytes
        The BLAKE2b key, 0 to 64 bytes.
    """

    def __init__(
        self, ids: KeyColumn, scheme: str, weights: np.ndarray | None, secret: bytes
    ) -> None:
        self._ids = list(ids.iter_bytes())
        check_unique(self._ids)
        self._scheme: Scheme = (
            Murmur(self._ids) if scheme == "murmur" else Blake2b(self._ids, secret)
        )
        self._weights: list[float] | None = None if weights is None else weights.tolist()

    def __len__(self) -> int:
        return len(self._ids)

    def _weighted(self, scores: list[int]) -> list[float]:
        assert self._weights is not None
        fractions = map(self._scheme.fraction, scores)
        return [weighted(w, m) for w, m in zip(self._weights, fractions, strict=True)]

    def _rank(self, scores: list[int], k: int) -> list[int]:
        """Positions by weighted score, then score, then node bytes, all descending."""
        if self._weights is None:
            best = _best(k, zip(scores, self._ids, range(len(scores)), strict=True))
            return [n for _, _, n in best]
        rows = zip(self._weighted(scores), scores, self._ids, range(len(scores)), strict=True)
        ranked = _best(k, (row for row, w in zip(rows, self._weights, strict=True) if w > 0))
        return [n for _, _, _, n in ranked]

    def _words(self, scores: list[int]) -> np.ndarray:
        """Scores as words, shape (N, words); weighted ones as the bits of a double."""
        if self._weights is not None:
            return np.array(self._weighted(scores)).view(np.uint64).reshape(-1, 1)
        size = 8 * self._scheme.words
        together = b"".join(score.to_bytes(size, "big") for score in scores)
        return np.frombuffer(together, dtype=">u8").reshape(-1, self._scheme.words)

    def select_one(
        self, key: object, k: int, names: list[T], cancel: Cancel | None = None
    ) -> list[T]:
        """What ``names``, one for each node, says of the best ``k`` nodes of one key."""
        scores = self._scheme.scores(key_bytes(key), cancel)
        if cancel is not None and cancel.is_set():
            return []
        return [names[n] for n in self._rank(scores, k)]

    def argselect(
        self,
        keys: KeyColumn,
        start: int,
        stop: int,
        out: np.ndarray,
        words: np.ndarray | None,
        cancel: Cancel | None,
    ) -> None:
        """Rows ``start`` to ``stop`` of the answer, shape (stop - start, k), into ``out``.

        Into ``words``, of the same shape, goes what ranked each: the high word of its score, or
        the bits of its weighted score.
        """
        k = out.shape[1]
        for row, key in enumerate(keys.iter_bytes(start, stop)):
            if cancel is not None and cancel.is_set():
                return
            scores = self._scheme.scores(key)
            out[row] = self._rank(scores, k)
            if words is not None:
                words[row] = self._words(scores)[out[row], 0]

    def argselect_spread(
        self,
        keys: KeyColumn,
        start: int,
        stop: int,
        domains: np.ndarray | None,
        most: list[int],
        current: np.ndarray | None,
        out: np.ndarray,
        cancel: Cancel | None,
    ) -> None:
        """`argselect` under constraints: the walks of the contract, one after the other.

        Parameters
        ----------
        keys, start, stop, out, cancel
            As for `argselect`.
        domains : ndarray of uint32, shape (levels, N), optional
            The number of every node's domain, from the innermost level out, nested.
        most : list of int
            For each level, how many of a key's nodes may be in one domain.
        current : ndarray of intp, shape (stop - start, c), optional
            Nodes that rank before all others for that key; -1 is none.
        """
        levels = [] if domains is None else domains.tolist()
        weights = self._weights or [1.0] * len(self)
        for row, key in enumerate(keys.iter_bytes(start, stop)):
            if cancel is not None and cancel.is_set():
                return
            ranking = self._rank(self._scheme.scores(key), sum(w > 0 for w in weights))
            if current is not None:
                held = set(current[row].tolist())
                ranking.sort(key=lambda node: node not in held)  # stable
            out[row] = _walk(ranking, out.shape[1], levels, most)

    def scores(
        self, keys: KeyColumn, start: int, stop: int, out: np.ndarray, cancel: Cancel | None
    ) -> None:
        """Scores of rows ``start`` to ``stop`` into ``out``.

        Their shape is (stop - start, N, words): two words for blake2b, the high one first, one
        for murmur; in a weighted set one, the bits of a double.
        """
        for row, key in enumerate(keys.iter_bytes(start, stop)):
            if cancel is not None and cancel.is_set():
                return
            out[row] = self._words(self._scheme.scores(key))


def _best(k: int, rows: Iterable[T]) -> list[T]:
    """The k largest rows, descending; where they are many, signal handlers run in between."""
    if k <= COMPARED:
        return nlargest(k, rows)  # type: ignore[type-var]
    return largest(k, list(rows))


def _walk(ranking: list[int], k: int, levels: list[list[int]], most: list[int]) -> list[int]:
    """The first k nodes that no full domain holds; then the same without the outermost level."""
    chosen: dict[int, None] = {}  # in their order
    counts: list[Counter[int]] = [Counter() for _ in levels]
    for held in range(len(levels), -1, -1):  # levels that this walk holds to
        for node in ranking:
            if len(chosen) == k:
                return list(chosen)
            full = any(counts[i][levels[i][node]] >= most[i] for i in range(held))
            if node in chosen or full:
                continue
            chosen[node] = None
            for i, level in enumerate(levels):
                counts[i][level[node]] += 1
    return list(chosen)


def _partition(key: bytes, partitions: int) -> int:
    return _schemes.murmur64a(key, Murmur.KEY_SEED) * partitions >> 64


def lookup(
    keys: KeyColumn,
    start: int,
    stop: int,
    partitions: int,
    owners: np.ndarray | None,
    names: np.ndarray | None,
    out: np.ndarray,
    cancel: Cancel | None,
) -> None:
    """Rows ``start`` to ``stop`` of a partition table's answers into ``out``.

    Without ``owners`` a key's partition, shape (stop - start,) of intp; without ``names`` the
    positions of its owners, shape (stop - start, k) of intp; otherwise their names.
    """
    for row, key in enumerate(keys.iter_bytes(start, stop)):
        if cancel is not None and cancel.is_set():
            return
        partition = _partition(key, partitions)
        if owners is None:
            out[row] = partition
        else:
            out[row] = owners[partition] if names is None else names[owners[partition]]


def lookup_one(key: object, partitions: int, owners: np.ndarray, names: list[T]) -> list[T]:
    """What ``names``, one for each node, says of the owners of one key."""
    return [names[n] for n in owners[_partition(key_bytes(key), partitions)].tolist()]


def jump(
    keys: KeyColumn,
    start: int,
    stop: int,
    buckets: int,
    out: np.ndarray,
    cancel: Cancel | None,
) -> None:
    """The first ``k`` distinct buckets of rows ``start`` to ``stop`` into ``out``, (rows, k)."""
    k = out.shape[1]
    for row, word in enumerate(keys.iter_words(start, stop)):
        if cancel is not None and cancel.is_set():
            return
        out[row] = _distinct_jumps(word, buckets, k)


def jumpback(
    keys: KeyColumn,
    start: int,
    stop: int,
    buckets: int,
    out: np.ndarray,
    cancel: Cancel | None,
) -> None:
    """The buckets of rows ``start`` to ``stop`` by JumpBackHash into ``out``, shape (rows,)."""
    for row, word in enumerate(keys.iter_words(start, stop)):
        if cancel is not None and cancel.is_set():
            return
        out[row] = _jumpback(word, buckets)


def jump_one(key: object, buckets: int, k: int) -> list[int]:
    """The first ``k`` distinct buckets of one key by jump hash."""
    return _distinct_jumps(key_word(key), buckets, k)


def jumpback_one(key: object, buckets: int) -> int:
    """The bucket of one key by JumpBackHash."""
    return _jumpback(key_word(key), buckets)


def _distinct_jumps(word: int, buckets: int, k: int) -> list[int]:
    chosen = {_jump(word, buckets): None}  # in their order
    attempt = 0
    while len(chosen) < k:
        attempt += 1
        chosen[_jump(_splitmix64(word, attempt), buckets)] = None
    return list(chosen)


def _jump(key: int, buckets: int) -> int:
    """Lamping and Veach's loop; a Python float is the double that theirs is."""
    bucket, jump = -1, 0
    while jump < buckets:
        bucket = jump
        key = (key * 2862933555777941757 + 1) & WORD
        jump = int((bucket + 1) * (float(1 << 31) / float((key >> 33) + 1)))
    return bucket


def _splitmix64(seed: int, number: int) -> int:
    """The output of that number, from 1, of SplitMix64."""
    z = (seed + number * 0x9E3779B97F4A7C15) & WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
    return z ^ z >> 31


def _jumpback(key: int, buckets: int) -> int:
    """Ertl's algorithm: the set bits of one number, from the highest down, offer buckets.

    Bit q offers one of the buckets q to 2q - 1. Where the highest bit offers one that is not
    there, numbers below 2q are drawn: one below q passes to the next bit.
    """
    number = 1
    v = _splitmix64(key, number)
    bits = (v ^ v >> 32) & ((1 << (buckets - 1).bit_length()) - 1)
    while bits:
        q = 1 << bits.bit_length() - 1
        bucket = q + (v >> 32 * (bits.bit_count() & 1) & q - 1)
        draws: list[int] = []
        while bucket >= q:
            if bucket < buckets:
                return bucket
            if not draws:
                number += 1
                w = _splitmix64(key, number)
                draws = [w >> 32, w]
            bucket = draws.pop() & 2 * q - 1
        bits ^= q
    return 0


def ascending(keys: KeyColumn) -> NDArray[np.intp]:
    """The places of a column's elements in the order of their bytes, equal ones as they stand."""
    names = list(keys.iter_bytes())
    backwards = largest(len(names), [(name, -n) for n, name in enumerate(names)])
    return np.array([-n for _, n in reversed(backwards)], dtype=np.intp)


def compose(parts: list[KeyColumn | bytes], rows: int) -> Spans:
    """Composite keys: row by row, the bytes of each part.

    Parameters
    ----------
    parts : list of KeyColumn or bytes
        Columns of ``rows`` elements; or the bytes of a part, the same in every row.
    rows : int
    """
    keys = [
        b"".join(part if isinstance(part, bytes) else part.part_at(row) for part in parts)
        for row in range(rows)
    ]
    return _spans(keys)


def distinct(keys: KeyColumn, start: int, stop: int) -> tuple[Spans, NDArray[np.uint32]]:
    """The distinct keys of rows ``start`` to ``stop``, and which of them each row has.

    Parameters
    ----------
    keys : KeyColumn
        A plain column, or chunks of plain columns.
    start, stop : int
        Fewer than 2^32 rows.

    Returns
    -------
    spans : Spans
        The distinct keys, in order of first appearance.
    codes : ndarray of uint32, shape (stop - start,)
        The bytes of row i are number ``codes[i]`` of the spans.

    Notes
    -----
    The compiled backend looks for a key in a few places only. Where keys were made to have equal
    hashes, some of its spans are the same; here all are different, always.
    """
    numbers: dict[bytes, int] = {}
    codes = np.fromiter(
        (numbers.setdefault(key, len(numbers)) for key in keys.iter_bytes(start, stop)),
        dtype=np.uint32,
        count=stop - start,
    )
    return _spans(numbers), codes


def _spans(keys: Collection[bytes]) -> Spans:
    offsets = np.array([0, *accumulate(map(len, keys))], dtype=np.uint64)
    return Spans._made(np.frombuffer(b"".join(keys), dtype=np.uint8), offsets)


def rank_scores(scores: np.ndarray, nodes: PreparedNodes, out: np.ndarray) -> None:
    """The ranking of given scores: what follows scoring, with the scores injected.

    Parameters
    ----------
    scores : ndarray of uint64, shape (M, N, words)
        Scores before weighting: two words for blake2b, one for murmur.
    nodes : PreparedNodes
        For the weights and the tie rule.
    out : ndarray of intp, shape (M, k)
        Filled with positions of nodes, best first.
    """
    for row, words in enumerate(scores.tolist()):
        whole = [sum(word << 64 * n for n, word in enumerate(reversed(pair))) for pair in words]
        out[row] = nodes._rank(whole, out.shape[1])


def neg_log(m: np.ndarray, out: np.ndarray) -> None:
    """The weighted ranking's logarithm alone, for tests: -ln(m * 2^-53) into ``out``.

    Parameters
    ----------
    m : ndarray of uint64, shape (n,)
        0 < m < 2^53.
    out : ndarray of float64, shape (n,)
    """
    out[:] = [_schemes.neg_log(number) for number in m.tolist()]


def isa_available() -> tuple[str, ...]:
    """Instruction sets that can be chosen: none here."""
    return ()


def isa_active() -> str:
    """The instruction set in use: pure Python has none of its own."""
    return "python"
