"""Keyed placement against hashlib, and memory that no longer holds the secret."""

from __future__ import annotations

import hashlib
import math
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import examples
from subprocesses import command, environment

import rvh
from rvh.faultset import FaultSet
from rvh.partitions import PartitionTable


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    sizes = st.integers(1, 20) | st.sampled_from([64, 127, 128, 129, 256])  # block borders
    count = draw(st.integers(1, 9))
    nodes = [bytes([65 + n]) * draw(sizes) for n in range(count)]
    numbers = st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=count, max_size=count)
    return {
        "nodes": nodes,
        "keys": draw(st.lists(st.binary(max_size=140) | st.integers(-5, 5), max_size=20)),
        "secret": draw(st.binary(max_size=64)),
        "weights": draw(st.none() | numbers),
        "alive": draw(st.lists(st.booleans(), min_size=count, max_size=count)),
    }


@given(case=cases())
@settings(max_examples=examples(60), deadline=None)
def test_every_call_by_hashlib(case: dict[str, Any]) -> None:
    nodes, keys, secret, weights, alive = case.values()
    if not any(alive):
        alive = [True] * len(nodes)
    ns = rvh.NodeSet(nodes, weights=weights, secret=secret)
    ranked = reference.rankings(nodes, keys, secret, "blake2b", weights).tolist()
    scores = reference.scores(nodes, keys, secret, "blake2b", weights)
    assert np.array_equal(ns.score_batch(keys), scores)
    for k in {1, len(nodes)}:
        assert ns.argselect_batch(keys, k).tolist() == [row[:k] for row in ranked]
    for key, row in zip(keys, ranked, strict=True):
        best = [nodes[n] for n in row]
        assert ns.select(key, len(nodes)) == best
        options: dict[str, Any] = {"weights": weights, "secret": secret, "scheme": "blake2b"}
        assert rvh.rendezvous_hash(nodes, key, k=len(nodes), **options) == best
    living = [[n for n in row if alive[n]] for row in ranked]
    chosen = FaultSet(ns, alive).argselect_batch(keys, sum(alive)).nodes
    assert chosen.tolist() == living
    owners = reference.rankings(nodes, range(13), secret, "blake2b", weights)
    assert np.array_equal(PartitionTable(ns, 13, len(nodes)).owners, owners)


@pytest.mark.parametrize("size", range(65))
def test_secrets_of_every_size(size: int) -> None:
    nodes, keys = [b"n", b"n" * 127, b"n" * 128, b"n" * 300], [b"", b"k", b"k" * 127, 7]
    secret = bytes(range(200, 200 - size, -1))
    ns = rvh.NodeSet(nodes, secret=secret)
    assert np.array_equal(ns.score_batch(keys), reference.scores(nodes, keys, secret))
    assert np.array_equal(ns.argselect_batch(keys, 4), reference.rankings(nodes, keys, secret))


# -- memory ----------------------------------------------------------------------------------------

PLACING = """
import sys, numpy as np, rvh
secret = bytes.fromhex(sys.stdin.readline())
nodes = rvh.NodeSet([f"node{n}" for n in range(40)] + ["x" * 200], secret=secret)
keys = np.arange(30_000).astype("S9")
for threads in (1, 3):
    nodes.select_batch(keys, 3, threads=threads)
nodes.select("a"), nodes.select("b" * 2000), nodes.score_batch(keys[:99])
print("made", flush=True)
sys.stdin.readline()
del nodes
print("gone", flush=True)
sys.stdin.readline()
"""


#: the fractions of the square roots of the first primes
INITIAL = [math.isqrt(prime << 128) % 2**64 for prime in (2, 3, 5, 7, 11, 13, 17, 19)]
COLUMNS_AND_DIAGONALS = [
    *((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)),
    *((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)),
]
#: RFC 7693, 2.7
SIGMA = [
    [int(digit, 16) for digit in row]
    for row in (
        *("0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8"),
        *("905724afe1bc683d", "2c6a0b834d75fe19", "c51fed4a0763928b"),
        *("db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0"),
    )
]


def keyed_state(secret: bytes) -> list[int]:
    """The words that stand for a secret: BLAKE2b's state behind its block (RFC 7693)."""
    before = [INITIAL[0] ^ 0x01010000 ^ len(secret) << 8 ^ 16, *INITIAL[1:]]
    return compressed(before, secret, 128, last=False)


def compressed(state: list[int], block: bytes, counter: int, *, last: bool) -> list[int]:
    """BLAKE2b's compression of one block, which hashlib does not give out."""
    words = struct.unpack("<16Q", block.ljust(128, b"\0"))
    v = [*state, *INITIAL]
    v[12] ^= counter
    v[14] ^= 2**64 - 1 if last else 0
    for number in range(12):
        order = SIGMA[number % 10]
        for i, (a, b, c, d) in enumerate(COLUMNS_AND_DIAGONALS):
            for word, right, further in ((order[2 * i], 32, 24), (order[2 * i + 1], 16, 63)):
                v[a] = (v[a] + v[b] + words[word]) % 2**64
                v[d] = rotated(v[d] ^ v[a], right)
                v[c] = (v[c] + v[d]) % 2**64
                v[b] = rotated(v[b] ^ v[c], further)
    return [state[i] ^ v[i] ^ v[i + 8] for i in range(8)]


def rotated(word: int, right: int) -> int:
    return (word >> right | word << 64 - right) % 2**64


def test_the_state_is_that_of_hashlib() -> None:
    """What is looked for is the secret's: a message after it has hashlib's digest."""
    state = compressed(keyed_state(b"secret"), b"message", 128 + 7, last=True)
    digest = hashlib.blake2b(b"message", digest_size=16, key=b"secret").digest()
    assert struct.pack("<2Q", *state[:2]) == digest


def found(process: int, words: list[bytes]) -> int:
    """How often any of the words stands in what the process can write to."""
    count = 0
    with Path(f"/proc/{process}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{process}/maps").read_text("utf-8").splitlines():
            where, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(each, 16) for each in where.split("-"))
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except OSError:  # a device's
                continue
            count += sum(content.count(word) for word in words)
    return count


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc")
def test_nothing_of_a_secret_is_left(native_in_use: object) -> None:
    """Neither on the heap nor on any stack: no word of the state that stands for the secret.

    The secret itself is bytes, which Python does not wipe; nor does hashlib, which the pure-Python
    backend uses, wipe the stacks of threads that hashed.
    """
    secret = os.urandom(32)
    words = [struct.pack("<Q", word) for word in keyed_state(secret)]
    options: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command(PLACING), env=environment(), **options) as process:
        assert process.stdin
        assert process.stdout
        for line, expected in ((f"{secret.hex()}\n", "made\n"), ("\n", "gone\n")):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline() == expected
            count = found(process.pid, words)
            if expected == "made\n":
                assert count >= 8
            else:
                assert count == 0
        process.stdin.close()
    assert process.returncode == 0
