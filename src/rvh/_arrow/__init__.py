"""Arrow columns in and out through Arrow's C data interface, without an Arrow library.

https://arrow.apache.org/docs/format/CDataInterface.html

``abi`` has the structs and who owns them, ``reader`` makes columns of keys out of them, ``writer``
answers. ctypes does it, for both backends: it is a few microseconds a chunk, and no element passes
through here.
"""

from __future__ import annotations

from rvh.errors import RVHTypeError

__all__ = ["NotExportedError"]


class NotExportedError(RVHTypeError):
    """An object has the protocol, but did not hand out its data."""
