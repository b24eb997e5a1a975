"""Kafka's partitions: against the partitioner of kafka-python, and Kafka's own test vectors."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rvh.placements import Modulo, kafka

#: apache/kafka, clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2
KAFKA = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


def test_kafkas_own_vectors() -> None:
    modulus = 1_000_003
    for key, value in KAFKA.items():
        assert kafka(modulus).slot(key) == (value & 0x7FFFFFFF) % modulus
        assert Modulo(modulus, "murmur2_32", reduce="floor").slot(key) == value % modulus


class Cluster:
    """What a partitioner asks about the topic "t"."""

    def __init__(self, partitions: int) -> None:
        self.partitions = set(range(partitions))

    def topics(self) -> set[str]:
        return {"t"}

    def partitions_for_topic(self, topic: str) -> set[int]:
        return self.partitions

    available_partitions_for_topic = partitions_for_topic


def test_kafka_python() -> None:
    partitioner = pytest.importorskip(
        "kafka.partitioner.default", reason="kafka-python is not installed"
    ).DefaultPartitioner()
    rng = random.Random(1)
    keys = [rng.randbytes(rng.randrange(40)) for _ in range(2000)] + [b"x" * n for n in range(300)]
    for count in (1, 3, 12, 997):
        cluster = Cluster(count)
        want = [partitioner.partition("t", key, key, None, None, cluster) for key in keys]
        assert np.array_equal(kafka(count).slot_batch(keys), want)
