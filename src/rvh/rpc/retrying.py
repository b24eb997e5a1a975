"""When a call is tried again, and how long a client waits before."""

from __future__ import annotations

import random
from time import monotonic
from typing import Any

import grpc

from rvh.rpc.problems import TOO_LARGE, as_error

__all__ = ["Pauses"]

#: the seconds before a call is tried again: at first, and at most
WAIT = (0.02, 1.0)


class Pauses:
    """The pauses between the tries of one call, each twice as long as the one before.

    Parameters
    ----------
    end : float
        When the call has to end, by `time.monotonic`.
    """

    def __init__(self, end: float) -> None:
        self._end = end
        self._wait, self._most = WAIT

    def after(self, error: Any, address: str) -> float:
        """Return the seconds to wait after a try that has failed.

        Parameters
        ----------
        error : grpc.RpcError, optional
            Without one, the try may be repeated whatever it was.
        address : str
            The server, for the message.

        Raises
        ------
        ServiceError
            There is no other try.
        """
        pause = self._wait * random.uniform(0.5, 1.0)
        left = max(self._end - monotonic(), 0)
        if error is not None and (pause >= left or not _is_safe_to_try_again(error)):
            raise as_error(error, address) from None
        self._wait = min(2 * self._wait, self._most)
        return min(pause, left)


def _is_safe_to_try_again(error: Any) -> bool:
    """Tell whether the same call may be answered elsewhere or later. All calls only read."""
    code, text = error.code(), error.details() or ""
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:  # overload; not a message too large
        return TOO_LARGE not in text
    # A call that comes in the moment in which a server stops is cancelled by gRPC; where the
    # caller has cancelled it, or closed the channel, the text says so.
    if code is grpc.StatusCode.CANCELLED:
        return text.upper() == "CANCELLED"
    return code is grpc.StatusCode.UNAVAILABLE
