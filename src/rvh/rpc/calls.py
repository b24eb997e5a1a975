"""Calls under way, and what is counted of them: exact, and without a lock in one that is answered.

The numbers of `rvh.rpc.metrics` come from here, and so do the lines of the access log.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from time import monotonic, perf_counter, time
from typing import Any

from rvh.observe.tally import WAITING_MAX, Steps, Tally
from rvh.rpc.access import AccessLog, Line
from rvh.rpc.metrics import Report

__all__ = ["Call", "Counting"]


class Call:
    """A call: what an answer asks of it, and what it is told for the metrics.

    Parameters
    ----------
    context : grpc.ServicerContext
    seconds : float
        The time for one answer.
    """

    __slots__ = ("context", "end", "epoch", "keys")

    def __init__(self, context: Any, seconds: float) -> None:
        self.context = context
        self.end = monotonic() + seconds
        self.keys = 0
        self.epoch = 0

    def is_wanted(self) -> bool:
        """Tell whether the caller still waits, and the answer has not taken too long."""
        return bool(self.context.is_active()) and monotonic() < self.end

    def answered(self, keys: int, epoch: int) -> None:
        """Note an answer: its keys, and the epoch of its nodes."""
        self.keys += keys
        self.epoch = epoch


class _Method:
    """What is counted of one method."""

    def __init__(self, path: str) -> None:
        self.name = path.removeprefix("/")  # as OpenTelemetry writes it
        self.begun = Steps()
        self.ended: defaultdict[str, Tally] = defaultdict(lambda: Tally(of_batches=True))
        self.ok = self.ended["OK"]


class Counting:
    """Counts the calls of this process.

    Parameters
    ----------
    seconds : float
        The time for one answer.
    log : AccessLog, optional
    """

    def __init__(self, seconds: float, log: AccessLog | None = None) -> None:
        self._seconds = seconds
        self._log = log
        self._methods: dict[str, _Method] = {}
        self._lock = threading.Lock()
        self._refused: Counter[str] = Counter()
        #: told by those who know
        self.draining = False
        self.expires: float | None = None
        self.failed_reloads = 0

    def refused(self, reason: str) -> None:
        """Count a call that is refused to protect the server."""
        with self._lock:
            self._refused[reason] += 1

    def report(self) -> Report:
        """Return what was counted so far; no count is ever lower than it was before."""
        report = Report(
            lost_lines=self._log.lost if self._log else 0,
            failed_reloads=self.failed_reloads,
            workers=1,
            draining=int(self.draining),
            expires=self.expires,
        )
        for method in self._methods.values():
            with self._lock:
                tallies = dict(method.ended)
            ended = {code: tally.read() for code, tally in tallies.items()}
            # Read after what has ended: nothing ends without having begun.
            begun = method.begun.taken()
            name = method.name
            durations = {code: counts.durations for code, counts in ended.items()}
            report.durations[name] = {code: each for code, each in durations.items() if each}
            report.keys[name] = sum(counts.keys for counts in ended.values())
            report.under_way[name] = begun - sum(
                sum(each.buckets) for each in report.durations[name].values()
            )
        with self._lock:
            report.refused = dict(self._refused)
        return report

    def unary(self, path: str, answer: Callable[[Any, Call], Any]) -> Callable[[Any, Any], Any]:
        """Count the calls of a method with one answer.

        Parameters
        ----------
        path : str
            As gRPC names the method.
        answer : callable
            Answers a request.
        """
        method, end = self._method(path)
        seconds, log = self._seconds, self._log
        steps, ended, append, settle = (
            *(method.begun.iterator, method.ok.answered),
            *(method.ok.answered.append, method.ok.settle),
        )

        def handle(request: Any, context: Any) -> Any:
            for _ in steps:  # one step, which no other thread can interrupt
                break
            started = perf_counter()
            call = Call(context, seconds)
            try:
                response = answer(request, call)
            except BaseException:
                end(call, started, _code(context))
                raise
            if log is not None:
                end(call, started, "OK")
                return response
            append((call.keys, perf_counter() - started))
            if len(ended) > WAITING_MAX:
                settle()
            return response

        return handle

    def stream(
        self, path: str, answer: Callable[[Any, Call], Iterator[Any]]
    ) -> Callable[[Any, Any], Iterator[Any]]:
        """Count the calls of a method with a stream of answers; `answer` as for `unary`."""
        method, end = self._method(path)

        def handle(requests: Any, context: Any) -> Iterator[Any]:
            for _ in method.begun.iterator:
                break
            started = perf_counter()
            call = Call(context, self._seconds)
            is_whole = False
            try:
                yield from answer(requests, call)
                is_whole = context.is_active()
            finally:
                end(call, started, "OK" if is_whole else _code(context))

        return handle

    def _method(self, path: str) -> tuple[_Method, Callable[[Call, float, str], None]]:
        if path not in self._methods:
            self._methods[path] = _Method(path)
        method = self._methods[path]
        log = self._log

        def end(call: Call, started: float, code: str) -> None:
            with self._lock:
                tally = method.ended[code]
            seconds = perf_counter() - started
            tally.answered.append((call.keys, seconds))
            if len(tally.answered) > WAITING_MAX:
                tally.settle()
            if log is not None:
                peer = call.context.peer()
                log.write(Line(time(), method.name, peer, code, call.keys, seconds, call.epoch))

        return method, end


def _code(context: Any) -> str:
    """The status code of a call that was not answered to its end."""
    if not context.is_active():
        left = context.time_remaining()
        return "CANCELLED" if left is None or left > 0 else "DEADLINE_EXCEEDED"
    code = context.code()
    return "UNKNOWN" if code is None else str(code.name)
