"""The format of the pickles of rvh, and which formats this rvh reads.

It has a number of its own, which goes up when an older rvh would misread what is pickled. So two
versions of rvh exchange sets as long as they mean the same by them.
"""

from __future__ import annotations

from rvh._about import __version__
from rvh.errors import RVHError

__all__ = ["FORMAT", "check_format"]

#: what is written; 0 is that of pickles which had the version of rvh instead of a format
FORMAT = 1


def check_format(what: str, given: object) -> None:
    """Refuse what a newer rvh has pickled. All older formats are read."""
    if isinstance(given, str):
        given = 0
    if not (isinstance(given, int) and 0 <= given <= FORMAT):
        raise RVHError(
            f"{what} in the pickle format {given} cannot be read by rvh {__version__}, which "
            f"reads formats up to {FORMAT}: install the same rvh on every worker and on the driver"
        )
