"""Random (node, key) pairs, each against hashlib: RVH_TEST_PAIRS of them, from RVH_TEST_SEED.

Ten million on one instruction set:  RVH_TEST_PAIRS=10000000 pytest tests/backend/test_many_pairs.py
"""

from __future__ import annotations

import hashlib
import random

import numpy as np

import rvh

BLOCK = 20_000  # pairs compared at a time


def sizes(rng: random.Random, longest: int) -> int:
    """A size: mostly small, now and then at a border of blocks, now and then anything."""
    kind = rng.random()
    if kind < 0.6:
        return rng.randint(0, 40)
    if kind < 0.8:
        return rng.choice([7, 8, 15, 16, 63, 64, 127, 128, 129, 255, 256, 257])
    return rng.randint(0, longest)


def draw_keys(rng: random.Random, count: int) -> tuple[object, list[bytes]]:
    """Keys of one of the kinds, and their bytes."""
    match rng.randrange(4):
        case 0:
            size = rng.randint(1, 40)
            array = np.array([rng.randbytes(size) for _ in range(count)], dtype=f"S{size}")
            return array, array.tolist()
        case 1:
            texts = ["".join(rng.choices("abcé€😀", k=rng.randint(0, 30))) for _ in range(count)]
            return np.array(texts), [text.encode() for text in texts]
        case 2:
            numbers = [rng.getrandbits(64) for _ in range(count)]
            return np.array(numbers, np.uint64), [n.to_bytes(8, "little") for n in numbers]
        case _:
            keys = [rng.randbytes(sizes(rng, 300)) for _ in range(count)]
            return keys, keys


def test_random_pairs(pairs: int, seed: int) -> None:
    rng = random.Random(seed)
    done = 0
    while done < pairs:
        count = rng.choice([1, 2, 3, 8, 16, 17, 33, 64, 100, 200])
        nodes = list({rng.randbytes(max(1, sizes(rng, 300))) for _ in range(count)})
        keys, plain = draw_keys(rng, -(-min(BLOCK, pairs - done) // len(nodes)))
        secret = rng.randbytes(rng.choice([0, 0, 1, 16, 64]))

        prepared = [hashlib.blake2b(node, digest_size=16, key=secret) for node in nodes]
        rows = []
        for key in plain:
            row = []
            for state in prepared:
                state = state.copy()
                state.update(key)
                row.append(state.digest())
            rows.append(row)

        ns = rvh.NodeSet(nodes, secret=secret)
        where = f"RVH_TEST_SEED={seed}, after {done} pairs"
        expected = np.frombuffer(b"".join(b"".join(row) for row in rows), dtype=">u8")
        scores = ns.score_batch(keys)
        assert np.array_equal(scores, expected.reshape(len(plain), len(nodes), 2)), where
        # digests of one length compare as the numbers that they are
        best = [max(range(len(nodes)), key=row.__getitem__) for row in rows]
        assert ns.argselect_batch(keys)[:, 0].tolist() == best, where
        k = rng.randint(1, len(nodes))
        ranked = [sorted(range(len(nodes)), key=row.__getitem__, reverse=True)[:k] for row in rows]
        assert ns.argselect_batch(keys, k).tolist() == ranked, where
        done += len(plain) * len(nodes)
    assert done >= pairs
