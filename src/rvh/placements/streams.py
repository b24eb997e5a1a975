"""The placements of streams: messages with a key in the partitions of a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvh._arguments.choices import one_of
from rvh.placements.modulo import Modulo

if TYPE_CHECKING:
    from rvh.placements.slots import Slots
    from rvh.typing import Integers

__all__ = ["kafka"]


#: the hash of each partitioner, and what is taken modulo the number of partitions
PARTITIONERS = {
    "murmur2": ("murmur2_32", "masked"),
    "consistent": ("crc32", "unsigned"),
    "fnv1a": ("fnv1a_32", "absolute"),
}


def kafka(
    partitions: Slots, *, partitioner: str = "murmur2", integers: Integers | None = None
) -> Modulo:
    """The partitions of Kafka's partitioners, for messages that have a key.

    Parameters
    ----------
    partitions : int, or sequence of str or bytes, shape (P,), or of rows of them, shape (P, R)
        The number of partitions, which are called ``"0"``, ``"1"`` and so on; or the broker of
        each partition; or its replicas, the leader first.
    partitioner : {"murmur2", "consistent", "fnv1a"}
        By default that of Kafka's Java clients and of kafka-python; librdkafka (confluent-kafka
        and others) calls it so too. librdkafka's own default is ``"consistent"``; ``"fnv1a"`` is
        also Sarama's. Names that end with ``_random`` in librdkafka place keys in the same way.
    integers : one of `INTEGERS`, optional
        How the producer's serializer writes integer keys: ``"int32_be"`` for Kafka's
        IntegerSerializer, ``"int64_be"`` for its LongSerializer, ``"text"`` for digits.

    Returns
    -------
    Modulo

    Raises
    ------
    RVHError, RVHTypeError
        As `Modulo`; another partitioner.

    Notes
    -----
    Without a key, a message may be in any partition. So may one whose key is empty with
    librdkafka's ``consistent_random``, its default.

    Examples
    --------
    >>> from rvh.placements import kafka
    >>> kafka(12).lookup("user:1")
    ['2']
    >>> kafka([["broker1", "broker2"], ["broker2", "broker3"]]).lookup("user:1", 2)
    ['broker1', 'broker2']
    """
    hash_name, reduce = PARTITIONERS[one_of("partitioner", partitioner, PARTITIONERS)]
    return Modulo(partitions, hash_name, reduce=reduce, integers=integers)
