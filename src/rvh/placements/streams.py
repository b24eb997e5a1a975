"""The placements of streams: messages with a key in the partitions of a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvh.placements.modulo import Modulo

if TYPE_CHECKING:
    from rvh.placements.slots import Slots
    from rvh.typing import Integers

__all__ = ["kafka"]


def kafka(partitions: Slots, *, integers: Integers | None = None) -> Modulo:
    """The partitions of Kafka's default partitioner, for messages that have a key.

    Parameters
    ----------
    partitions : int, or sequence of str or bytes, shape (P,), or of rows of them, shape (P, R)
        The number of partitions, which are called ``"0"``, ``"1"`` and so on; or the broker of
        each partition; or its replicas, the leader first.
    integers : one of `INTEGERS`, optional
        How the producer's serializer writes integer keys: ``"int32_be"`` for Kafka's
        IntegerSerializer, ``"int64_be"`` for its LongSerializer, ``"text"`` for digits.

    Returns
    -------
    Modulo

    Raises
    ------
    RVHError, RVHTypeError
        As `Modulo`.

    Examples
    --------
    >>> from rvh.placements import kafka
    >>> kafka(12).lookup("user:1")
    ['2']
    >>> kafka([["broker1", "broker2"], ["broker2", "broker3"]]).lookup("user:1", 2)
    ['broker1', 'broker2']
    """
    return Modulo(partitions, "murmur2_32", reduce="masked", integers=integers)
