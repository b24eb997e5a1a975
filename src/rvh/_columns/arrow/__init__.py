"""Arrow columns as keys and as answers, through Arrow's C data interface, without an Arrow library.

https://arrow.apache.org/docs/format/CDataInterface.html

``abi`` has the structs and their ownership, ``reader`` makes columns of keys, ``writer`` makes
columns of answers. Both backends use this code. It is written with ctypes, which costs a few
microseconds for each chunk, and handles no single element.
"""

from __future__ import annotations

from contextlib import suppress

from rvh.errors import RVHTypeError

__all__ = ["NotExportedError", "clear_locals", "has_arrow_export"]


class NotExportedError(RVHTypeError):
    """An object has the protocol but failed to export its data."""


def has_arrow_export(value: object) -> bool:
    """Tell whether an object has one of the methods of the Arrow PyCapsule interface."""
    return hasattr(value, "__arrow_c_array__") or hasattr(value, "__arrow_c_stream__")


def clear_locals(error: BaseException) -> None:
    """Clear the local variables of rvh's frames in a traceback, except in frames that still run.

    Tools that report errors print the variables of every frame. They must not meet arrays over
    memory that was released before.
    """
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").startswith("rvh."):
            with suppress(RuntimeError):  # the frame still runs
                trace.tb_frame.clear()
        trace = trace.tb_next
