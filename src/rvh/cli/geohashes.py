"""The error about a geohash: the library counts positions, a user counts rows and knows ids."""

from __future__ import annotations

from rvh._backend.contract import ALPHABET
from rvh._nodelist.values import shown
from rvh.errors import RVHError
from rvh.geohash.cells import LONGEST


def refuse_no_geohash(value: object, what: str) -> None:
    """Raise the error about `what` where its value is no geohash.

    Examples
    --------
    >>> refuse_no_geohash("u09t", "the geohash of the node")
    """
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if not (isinstance(text, str) and 1 <= len(text) <= LONGEST and set(text) <= set(ALPHABET)):
        raise RVHError(
            f"{what} is {shown(value)}: a geohash is text, 1 to {LONGEST} characters of {ALPHABET}"
        )
