"""When a call is tried again, how long a client waits before, and what is said in the end."""

from __future__ import annotations

import random
from time import monotonic
from typing import Any

import grpc

from rvh.rpc.problems import TOO_LARGE, ServiceError, as_error, overdue

__all__ = ["Tries"]

#: the seconds before a call is tried again: at first, and at most
WAIT = (0.02, 1.0)


class Tries:
    """The tries of one call. The pauses between them double.

    Parameters
    ----------
    end : float
        When the call has to end, by `time.monotonic`.
    """

    def __init__(self, end: float) -> None:
        self._end = end
        self._wait, self._most = WAIT
        self._before: ServiceError | None = None  # of an earlier try

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
        if error is not None:
            failed = as_error(error, address)
            if pause >= left or not _is_safe_to_try_again(error):
                raise self._explained(failed) from None
            self._before = failed
        self._wait = min(2 * self._wait, self._most)
        return min(pause, left)

    def left(self, address: str) -> float:
        """Return the seconds that are left for a try.

        Raises
        ------
        ServiceError
            There are none.
        """
        left = self._end - monotonic()
        if left <= 0:
            raise self._explained(overdue(address))
        return left

    def _explained(self, error: ServiceError) -> ServiceError:
        """Say of a call that has run out of time why it was tried more than once."""
        if error.code != "DEADLINE_EXCEEDED" or self._before is None:
            return error
        return ServiceError(error.code, f"{error} (an earlier try: {self._before})", error.field)


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
