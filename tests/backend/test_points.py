"""The hashes of keys: the compiled kernels against their Python twins, and published values."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rvh._backend import key_point
from rvh._backend.contract import POINTS
from rvh._backend.pure.points import POINT_OF, tagged
from rvh._batch.answers import points_of
from rvh.keys import column

KEYS = [random.Random(size).randbytes(size) for size in range(301)]

#: (kind, key, value, source)
PUBLISHED = [
    (
        "crc16",
        b"123456789",
        0x31C3,
    ),  # https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
    ("fnv1a_32", b"foobar", 0xBF9CF968),  # https://www.rfc-editor.org/rfc/rfc9923
    ("fnv1a_32", b"", 0x811C9DC5),
    ("murmur2_32", b"foobar", -790332482 % 2**32),  # Kafka's UtilsTest
    ("farm_fingerprint64", b"1footrue", -1541654101129638711 % 2**64),  # BigQuery's reference
    ("hashkit_fnv1a_32", b"foobar", 0xBF9CF968),  # no byte above 127
    ("hashkit_fnv1a_64", b"foobar", 0x85944171F73967E8 % 2**32),  # RFC 9923, the low half
]


@pytest.mark.parametrize("kind", POINTS)
def test_the_kernel_and_its_twin(kind: str) -> None:
    want = [POINT_OF[kind](key) for key in KEYS]
    assert [key_point(kind, key) for key in KEYS] == want
    assert points_of(kind, column(KEYS), 1).tolist() == want
    assert max(want) < 2 ** POINTS[kind]


@pytest.mark.parametrize(("kind", "key", "value"), PUBLISHED)
def test_published_values(kind: str, key: bytes, value: int) -> None:
    assert key_point(kind, key) == value
    assert POINT_OF[kind](key) == value


def test_tags() -> None:
    rng = random.Random(4)
    keys = [bytes(rng.choices(b"{}ab\xff", k=rng.randrange(12))) for _ in range(400)]
    for tag in (b"{}", b"}{", b"aa", b""):
        want = [POINT_OF["xxh64"](tagged(key, tag)) for key in keys]
        assert [key_point("xxh64", key, tag) for key in keys] == want
        assert np.array_equal(points_of("xxh64", column(keys), 1, tag), want)
        assert np.array_equal(
            points_of("md5", column(keys), 1, tag),
            [POINT_OF["md5"](tagged(key, tag)) for key in keys],
        )
