"""The methods of the service as gRPC calls them: limits, status codes, deadlines, streams."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from typing import Any, NamedTuple, NoReturn

import grpc

from rvh._backend import decode_batch
from rvh.errors import MessageError
from rvh.membership import Membership, Snapshot
from rvh.rpc.answering import Answering, Limits, Told, UnwantedError, Wanted, refuse_unknown
from rvh.rpc.messages import SELECTION, message
from rvh.rpc.mirroring import tell, tell_age

__all__ = ["Service"]

#: seconds after which a stream of changes says that nothing has changed
BEAT = 10.0


class _Status(NamedTuple):
    """What `abort_with_status` takes, as grpcio-status would make it."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, bytes], ...]


class _GrpcStatus(_Status, grpc.Status):  # type: ignore[misc]
    pass


def abort(context: Any, code: grpc.StatusCode, text: str, field: str = "") -> NoReturn:
    """End a call with a status, and with details for gateways: the field that is wrong.

    https://google.aip.dev/193
    """
    status = message("google.rpc.Status")(code=code.value[0], message=text)
    if field:
        detail = message("google.rpc.BadRequest")()
        detail.field_violations.add(field=field, description=text)
        status.details.add().Pack(detail)
    metadata = (("grpc-status-details-bin", status.SerializeToString()),)
    context.abort_with_status(_GrpcStatus(code, text, metadata))
    raise AssertionError  # abort_with_status raises


def _wanted(context: Any, seconds: float) -> Wanted:
    """Tell whether a caller still waits, and its answer has not taken too long."""
    end = monotonic() + seconds
    return lambda: context.is_active() and monotonic() < end


class News:
    """Wakes those who wait for the next snapshot of a membership."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership
        self._changed = threading.Condition()
        self._is_over = False
        self._unsubscribe = membership.subscribe(lambda change: self.wake())

    def wake(self) -> None:
        """Let everyone look again."""
        with self._changed:
            self._changed.notify_all()

    def end(self) -> None:
        """Let everyone go: the server drains."""
        self._unsubscribe()
        self._is_over = True
        self.wake()

    def wait(self, last: Snapshot, is_wanted: Wanted, seconds: float) -> Snapshot | None:
        """Wait for another snapshot than `last`, at most so long; None where it is all over."""
        end = monotonic() + seconds
        with self._changed:
            while not self._is_over and is_wanted():
                now = self._membership.snapshot
                left = end - monotonic()
                if now is not last or left <= 0:
                    return now
                self._changed.wait(left)
        return None


class Service(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The handlers of `rvh.v1.Selection` over a membership.

    Parameters
    ----------
    membership : Membership
    limits : Limits
    threads : int, optional
        Of one batch.
    """

    def __init__(self, membership: Membership, limits: Limits, threads: int | None = None) -> None:
        self._membership = membership
        self._limits = limits
        self._answering = answering = Answering(lambda: membership.snapshot, limits, threads)
        self._calls = threading.Semaphore(limits.calls)
        self._streams = threading.Semaphore(limits.streams)
        self.news = News(membership)
        unary: dict[str, Callable[[bytes, Wanted], bytes]] = {
            "Select": answering.select,
            "SelectBatch": answering.select_batch,
            "Score": answering.score,
            "GetNodes": answering.get_nodes,
        }
        self._handlers: Mapping[str, Any] = {
            f"/{SELECTION}/{name}": grpc.unary_unary_rpc_method_handler(self._unary(answer))
            for name, answer in unary.items()
        } | {
            f"/{SELECTION}/SelectStream": grpc.stream_stream_rpc_method_handler(
                self.limited(self._select_stream)
            ),
            f"/{SELECTION}/WatchNodes": grpc.unary_stream_rpc_method_handler(
                self.limited(self._watch_nodes)
            ),
        }

    def service(self, handler_call_details: Any) -> Any:
        """Find the handler of a call."""
        return self._handlers.get(handler_call_details.method)

    # -- one answer -------------------------------------------------------------------------------

    def _unary(self, answer: Callable[[bytes, Wanted], bytes]) -> Callable[[bytes, Any], bytes]:
        calls, seconds = self._calls, self._limits.seconds

        def handle(request: bytes, context: Any) -> bytes:
            if not calls.acquire(blocking=False):
                self._refuse(context, "calls", self._limits.calls)
            try:
                return answer(request, _wanted(context, seconds))
            except MessageError as error:
                abort(context, grpc.StatusCode.INVALID_ARGUMENT, str(error), error.field)
            except UnwantedError:
                self._give_up(context)
            finally:
                calls.release()

        return handle

    def _refuse(self, context: Any, what: str, most: int) -> NoReturn:
        text = f"{most} {what} are being answered, which is the most: try again later, or elsewhere"
        abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, text)

    def _give_up(self, context: Any) -> NoReturn:
        text = f"the answer took longer than {self._limits.seconds:g} s: ask for fewer keys"
        abort(context, grpc.StatusCode.DEADLINE_EXCEEDED, text)

    # -- streams ----------------------------------------------------------------------------------

    def limited(self, answer: Callable[[Any, Any], Iterator[Any]]) -> Any:
        """Count the streams of a method, and refuse those above the limit."""

        def handle(requests: Any, context: Any) -> Iterator[Any]:
            if not self._streams.acquire(blocking=False):
                self._refuse(context, "streams", self._limits.streams)
            try:
                yield from answer(requests, context)
            except MessageError as error:
                abort(context, grpc.StatusCode.INVALID_ARGUMENT, str(error), error.field)
            except UnwantedError:
                self._give_up(context)
            finally:
                self._streams.release()

        return handle

    def _select_stream(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        pinned: Told | None = None
        for number, request in enumerate(requests):
            try:
                batch = decode_batch(request, self._limits.keys)
                if batch.pinned and pinned is None:
                    pinned = self._answering.told()
                yield self._answering.answer_batch(
                    batch, _wanted(context, self._limits.seconds), pinned
                )
            except MessageError as error:
                raise MessageError(error.field, f"{error.text} (message {number})") from None

    def _watch_nodes(self, request: bytes, context: Any) -> Iterator[bytes]:
        asked = refuse_unknown(message("rvh.v1.WatchNodesRequest"), request)
        context.add_callback(self.news.wake)
        last = self._membership.snapshot
        is_known = asked.known_digest == last.digest
        yield (tell_age(last) if is_known else tell(last)).SerializeToString()
        while (now := self.news.wait(last, context.is_active, BEAT)) is not None:
            yield (tell_age(now) if now is last else tell(now, last)).SerializeToString()
            last = now
