"""Arrow columns in and out through Arrow's C data interface, without an Arrow library.

https://arrow.apache.org/docs/format/CDataInterface.html

``abi`` has the structs and who owns them, ``reader`` makes columns of keys out of them, ``writer``
answers. ctypes does it, for both backends: it is a few microseconds a chunk, and no element passes
through here.
"""

from __future__ import annotations

from contextlib import suppress

from rvh.errors import RVHTypeError

__all__ = ["NotExportedError", "forget_locals"]


class NotExportedError(RVHTypeError):
    """An object has the protocol, but did not hand out its data."""


def forget_locals(error: BaseException) -> None:
    """Clear the variables of rvh's own frames in a traceback, those that have ended.

    Arrays over memory that is released before the error is seen must not be found there: what
    reports errors likes to print the variables of every frame.
    """
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").startswith("rvh."):
            with suppress(RuntimeError):  # it still runs
                trace.tb_frame.clear()
        trace = trace.tb_next
