"""The status with which a call of grpc.aio has ended."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio

__all__ = ["Ending"]

#: what grpc.aio says where a message was written at the moment in which the call ended
OVERWRITTEN = "Internal error from Core"
#: seconds between two looks for the status that comes after it
LOOK = 0.001


class Ending:
    """Keeps the status of a call, since grpc.aio may replace it.

    A message that is written at the moment in which the call ends makes it INTERNAL, before or
    after its own status is there: https://github.com/grpc/grpc/issues/36066.

    Parameters
    ----------
    call : grpc.aio.Call
        One that has just begun, with a deadline.
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self._first: Any = None
        call.add_done_callback(self._note)

    def _note(self, call: Any) -> None:
        try:
            _status_of(call).send(None)  # not in a task: the next status may come before it
        except StopIteration as told:
            self._first = told.value

    async def error(self) -> Any:
        """Return the error of the call's own status; the call has failed."""
        error = self._first
        while error.details() == OVERWRITTEN:
            if not self._call.time_remaining():
                return _error(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
            await asyncio.sleep(LOOK)  # grpc.aio calls back for the first status alone
            error = await _status_of(self._call)
        return error


async def _status_of(call: Any) -> Any:
    """Return the status of a call that has ended, for which there is no need to wait."""
    return _error(await call.code(), await call.details(), await call.trailing_metadata())


def _error(code: grpc.StatusCode, details: str, trailing: Any = ()) -> Any:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details)
