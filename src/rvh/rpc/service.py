"""The methods of the service as gRPC calls them: limits, status codes, deadlines, streams."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from time import monotonic
from typing import Any, NamedTuple, NoReturn

import grpc

from rvh.errors import MessageError
from rvh.membership import Membership, Snapshot
from rvh.rpc.answering import (
    PROTOBUF,
    Answering,
    Limits,
    MissingError,
    Told,
    UnwantedError,
    Wanted,
    Wire,
    refuse_unknown,
)
from rvh.rpc.calls import Call, Counting
from rvh.rpc.flat import FLATBUFFERS
from rvh.rpc.messages import FLAT, SELECTION, message
from rvh.rpc.mirroring import digest_told, tell, tell_age

__all__ = ["Service"]

log = logging.getLogger("rvh.rpc")

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


def _fail(context: Any, error: Exception) -> NoReturn:
    """End a call by a defect of rvh: the log has the details, which are not for the caller."""
    if isinstance(error, grpc.RpcError) or context.code() is not None:
        raise error  # the caller has gone, or the call has been ended already
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{last.filename}:{last.lineno}"
    log.error("an answer failed, please report it: %s: %s (%s)", type(error).__name__, error, where)
    abort(context, grpc.StatusCode.INTERNAL, "an error in the server, whose log has more")


class News:
    """Wakes those who wait for the next snapshot of a membership, and tells them the change."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership
        self._changed = threading.Condition()
        self._is_over = False
        self._told: tuple[Snapshot, Snapshot, Any] | None = None
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

    def tell(self, before: Snapshot, after: Snapshot) -> bytes:
        """Encode a change, which is compared once for all who are told of it."""
        with self._changed:
            if self._told is None or self._told[0] is not before or self._told[1] is not after:
                self._told = before, after, tell(after, before)
            told = self._told[2]
            told.age = after.age
            return bytes(told.SerializeToString())


class Service(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The handlers of `rvh.v1.Selection` and `rvh.v1.flat.Selection` over a membership.

    Parameters
    ----------
    membership : Membership
    limits : Limits
    counting : Counting
        Counts the calls.
    threads : int, optional
        Of one batch.
    """

    def __init__(
        self,
        membership: Membership,
        limits: Limits,
        counting: Counting,
        threads: int | None = None,
    ) -> None:
        self._membership = membership
        self._limits = limits
        self._counting = counting
        self._answering = answering = Answering(lambda: membership.snapshot, limits, threads)
        self._calls = threading.Semaphore(limits.calls)
        self._streams = threading.Semaphore(limits.streams)
        self.news = News(membership)
        unary: dict[str, Callable[[bytes, Call], bytes]] = {
            f"{SELECTION}/Select": answering.select,
            f"{SELECTION}/SelectBatch": answering.select_batch,
            f"{SELECTION}/Score": answering.score,
            f"{SELECTION}/GetNodes": answering.get_nodes,
            f"{FLAT}/SelectBatch": partial(answering.select_batch, wire=FLATBUFFERS),
        }
        streams: dict[str, tuple[Any, Callable[[Any, Call], Iterator[bytes]]]] = {
            f"{SELECTION}/SelectStream": (
                grpc.stream_stream_rpc_method_handler,
                partial(self._select_stream, PROTOBUF),
            ),
            f"{FLAT}/SelectStream": (
                grpc.stream_stream_rpc_method_handler,
                partial(self._select_stream, FLATBUFFERS),
            ),
            f"{SELECTION}/WatchNodes": (
                grpc.unary_stream_rpc_method_handler,
                self._watch_nodes,
            ),
        }
        self._handlers: Mapping[str, Any] = {
            f"/{name}": grpc.unary_unary_rpc_method_handler(
                counting.unary(f"/{name}", self._unary(answer))
            )
            for name, answer in unary.items()
        } | {
            f"/{name}": kind(counting.stream(f"/{name}", self._stream(answer)))
            for name, (kind, answer) in streams.items()
        }

    @property
    def paths(self) -> Iterable[str]:
        """The methods, as gRPC names them."""
        return self._handlers

    def service(self, handler_call_details: Any) -> Any:
        """Find the handler of a call."""
        return self._handlers.get(handler_call_details.method)

    # -- one answer -------------------------------------------------------------------------------

    def _unary(self, answer: Callable[[bytes, Call], bytes]) -> Callable[[bytes, Call], bytes]:
        calls = self._calls

        def handle(request: bytes, call: Call) -> bytes:
            if not calls.acquire(blocking=False):
                self._refuse(call.context, "calls", self._limits.calls)
            try:
                return answer(request, call)
            except Exception as error:
                self._give_up(call.context, error)
            finally:
                calls.release()

        return handle

    def _refuse(self, context: Any, what: str, most: int) -> NoReturn:
        self._counting.refused(what)
        text = f"{most} {what} are being answered, which is the most: try again later, or elsewhere"
        abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, text)

    def _give_up(self, context: Any, error: Exception) -> NoReturn:
        """End a call whose answer has failed."""
        if isinstance(error, MessageError):
            abort(context, grpc.StatusCode.INVALID_ARGUMENT, str(error), error.field)
        if isinstance(error, MissingError):
            abort(context, grpc.StatusCode.UNIMPLEMENTED, str(error))
        if isinstance(error, UnwantedError):
            text = f"the answer took longer than {self._limits.seconds:g} s: ask for fewer keys"
            abort(context, grpc.StatusCode.DEADLINE_EXCEEDED, text)
        _fail(context, error)

    # -- streams ----------------------------------------------------------------------------------

    def limited(self, answer: Callable[[Any, Any], Iterator[Any]]) -> Any:
        """Refuse the streams of another service above the limit; they are not counted."""
        stream = self._stream(lambda requests, call: answer(requests, call.context))
        return lambda requests, context: stream(requests, Call(context, self._limits.seconds))

    def _stream(
        self, answer: Callable[[Any, Call], Iterator[Any]]
    ) -> Callable[[Any, Call], Iterator[Any]]:
        def handle(requests: Any, call: Call) -> Iterator[Any]:
            if not self._streams.acquire(blocking=False):
                self._refuse(call.context, "streams", self._limits.streams)
            try:
                yield from answer(requests, call)
            except Exception as error:
                self._give_up(call.context, error)
            finally:
                self._streams.release()

        return handle

    def _select_stream(self, wire: Wire, requests: Iterator[bytes], call: Call) -> Iterator[bytes]:
        pinned: Told | None = None
        for number, request in enumerate(requests):
            call.end = monotonic() + self._limits.seconds
            try:
                batch = wire.read(request, self._limits.keys)
                if batch.pinned and pinned is None:
                    pinned = self._answering.told()
                yield self._answering.answer_batch(batch, call, pinned, wire=wire)
            except MessageError as error:
                raise MessageError(error.field, f"{error.text} (message {number})") from None

    def _watch_nodes(self, request: bytes, call: Call) -> Iterator[bytes]:
        asked = refuse_unknown(message("rvh.v1.WatchNodesRequest"), request)
        context = call.context
        context.add_callback(self.news.wake)
        last = self._membership.snapshot
        is_known = asked.known_digest == digest_told(last)
        yield (tell_age(last) if is_known else tell(last)).SerializeToString()
        while (now := self.news.wait(last, context.is_active, BEAT)) is not None:
            yield tell_age(now).SerializeToString() if now is last else self.news.tell(last, now)
            last = now
        if context.is_active():
            abort(context, grpc.StatusCode.UNAVAILABLE, "the server is about to end: ask another")
