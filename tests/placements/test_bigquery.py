"""BigQuery's FARM_FINGERPRINT modulo: against FarmHash itself, and the examples of its manual."""

from __future__ import annotations

import os
import random

import pytest

from rvh.placements import Modulo, bigquery

COUNT = int(os.environ.get("RVH_TEST_KEYS", "2000"))


def test_the_example_of_the_manual() -> None:
    """The three rows under FARM_FINGERPRINT in BigQuery's reference of hash functions."""
    said = {"1footrue": -1541654101129638711, "2applefalse": 2794438866806483259}
    said |= {"3true": -4880158226897771312}
    modulus = 65_537
    absolute, floor = bigquery(modulus), Modulo(modulus, "farm_fingerprint64", reduce="floor")
    for key, number in said.items():
        assert absolute.slot(key) == abs(number) % modulus
        assert floor.slot(key) == number % modulus


def test_farmhash() -> None:
    farmhash = pytest.importorskip("farmhash", reason="pyfarmhash is not installed")
    rng = random.Random(5)
    keys = [rng.randbytes(size) for size in range(300)]
    keys += [rng.randbytes(rng.randrange(40)) for _ in range(COUNT)]
    for count in (1, 10, 997, 4096):
        want = []
        for key in keys:
            number = farmhash.fingerprint64(key)
            signed = number - 2**64 if number >= 2**63 else number
            want.append(abs(signed) % count)
        assert bigquery(count).slot_batch(keys).tolist() == want
        assert [bigquery(count).slot(key) for key in keys[:50]] == want[:50]
