"""Kafka's partitions: against the partitioner of kafka-python, and Kafka's own test vectors."""

from __future__ import annotations

import ctypes
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rvh
from rvh.placements import Modulo, kafka
from rvh.placements.streams import PARTITIONERS

COUNT = int(os.environ.get("RVH_TEST_KEYS", "2000"))

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
    modulus = 65_537
    masked, floor = kafka(modulus), Modulo(modulus, "murmur2_32", reduce="floor")
    for key, value in KAFKA.items():
        assert masked.slot(key) == (value & 0x7FFFFFFF) % modulus
        assert floor.slot(key) == value % modulus


def make_keys(shortest: int) -> list[bytes]:
    rng = random.Random(1)
    keys = [rng.randbytes(rng.randrange(shortest, 40)) for _ in range(COUNT)]
    return list(dict.fromkeys(keys + [b"x" * size for size in range(shortest, 300)]))


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
    keys = make_keys(0)
    for count in (1, 3, 12, 997):
        cluster = Cluster(count)
        want = [partitioner.partition("t", key, key, None, None, cluster) for key in keys]
        assert np.array_equal(kafka(count).slot_batch(keys), want)


# -- librdkafka, with brokers of its own that hold real messages ----------------------------------


@pytest.fixture(scope="module")
def brokers() -> Iterator[Callable[[int], tuple[str, str]]]:
    """librdkafka's mock cluster: a function that makes a topic with some partitions.

    The function returns the address of the cluster and the name of the topic. confluent-kafka has
    the cluster, but no way to choose the number of partitions, so the library is called directly.
    """
    package = pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")
    folder = Path(package.__file__).parent
    files = [*folder.glob("../confluent_kafka.libs/librdkafka*"), *folder.glob(".dylibs/*")]
    if not files:
        pytest.skip("confluent-kafka is installed without a librdkafka of its own")
    library = ctypes.CDLL(str(files[0]))
    for name in ("conf_new", "new", "mock_cluster_new"):
        getattr(library, f"rd_kafka_{name}").restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    error = ctypes.create_string_buffer(200)
    producer, conf = 0, ctypes.c_void_p(library.rd_kafka_conf_new())
    client = ctypes.c_void_p(library.rd_kafka_new(producer, conf, error, ctypes.c_size_t(200)))
    cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(client, 1))
    address = library.rd_kafka_mock_cluster_bootstraps(cluster).decode()

    def topic(partitions: int) -> tuple[str, str]:
        name = f"topic{partitions}"
        library.rd_kafka_mock_topic_create(cluster, name.encode(), partitions, 1)
        return address, name

    yield topic
    library.rd_kafka_mock_cluster_destroy(cluster)
    library.rd_kafka_destroy(client)


@pytest.mark.parametrize("partitioner", PARTITIONERS)
def test_librdkafka(brokers: Callable[[int], tuple[str, str]], partitioner: str) -> None:
    from confluent_kafka import Producer

    keys = make_keys(0)
    for count in (1, 7, 12, 100):
        address, topic = brokers(count)
        options = {"bootstrap.servers": address, "partitioner": partitioner, "linger.ms": 5}
        producer = Producer(options | {"queue.buffering.max.messages": 10_000_000})
        found: dict[bytes, int] = {}

        def delivered(error: Any, message: Any, found: dict[bytes, int] = found) -> None:
            assert error is None
            found[message.key() or b""] = message.partition()

        for key in keys:
            producer.produce(topic, b"", key, on_delivery=delivered)
        assert producer.flush(20) == 0
        want = [found[key] for key in keys]
        assert kafka(count, partitioner=partitioner).slot_batch(keys).tolist() == want


def test_another_partitioner() -> None:
    with pytest.raises(rvh.RVHError, match="partitioner is 'random': choose one of murmur2"):
        kafka(3, partitioner="random")
