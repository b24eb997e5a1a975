"""The placement of rows by BigQuery's FARM_FINGERPRINT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvh.placements.modulo import Modulo

if TYPE_CHECKING:
    from rvh.placements.slots import Slots
    from rvh.typing import Integers

__all__ = ["bigquery"]


def bigquery(shards: Slots, *, integers: Integers | None = None) -> Modulo:
    """The shard of ``MOD(ABS(FARM_FINGERPRINT(key)), n)`` in BigQuery's SQL.

    Parameters
    ----------
    shards : int, or sequence of str or bytes, shape (N,), or of rows of them, shape (N, R)
        The number of shards, or the node or nodes of each.
    integers : one of `INTEGERS`, optional
        How the query makes a STRING or BYTES of an integer: ``"text"`` for
        ``CAST(key AS STRING)``.

    Returns
    -------
    Modulo

    Raises
    ------
    RVHError, RVHTypeError
        As `Modulo`.

    Notes
    -----
    FARM_FINGERPRINT is FarmHash's Fingerprint64 as a signed number. Of the number -2^63 ABS is an
    error in BigQuery; here it is 2^63. A query without ABS, which gives negative shards too, has
    ``MOD(MOD(FARM_FINGERPRINT(key), n) + n, n)`` as ``Modulo(n, "farm_fingerprint64",
    reduce="floor")``.

    Examples
    --------
    >>> from rvh.placements import bigquery
    >>> bigquery(10).lookup("foo")  # FARM_FINGERPRINT is 6150913649986995171
    ['1']
    """
    return Modulo(shards, "farm_fingerprint64", reduce="absolute", integers=integers)
