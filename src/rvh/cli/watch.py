"""``rvh watch``: the changes of a source as they come."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rvh.cli.exits import emit, emit_json, say
from rvh.cli.listing import SourceName, facts
from rvh.cli.weighing import GuardOptions, NodeSetOptions, Timeout, refuse_no_source

if TYPE_CHECKING:
    from rvh.membership import Change, Membership

#: seconds between two looks whether stdout is read
TICK = 0.5


def watch(
    source: SourceName,
    *,
    k: Annotated[
        int,
        typer.Option(
            "--k",
            "-k",
            "-c",
            min=1,
            metavar="N",
            help="How many nodes each key has; the share of keys that moves depends on it.",
        ),
    ] = 1,
    count: Annotated[
        int | None, typer.Option("--count", min=1, metavar="N", help="Stop after N changes.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each change as one JSON object a line.")
    ] = False,
    node_set: NodeSetOptions,
    guards: GuardOptions,
    timeout: Timeout = 10.0,
) -> None:
    """Print each change of a source and the keys it moves.

    \b
    Examples:
      rvh watch nodes.json
      rvh watch etcd://etcd.example:2379/cache/ -c 3 --json
      rvh watch redis://cache.example/0?key=nodes --max-change 0.3 --count 1

    Changes that are refused or held back go to stderr, and so does a source that is lost or found
    again.
    """
    refuse_no_source(source, "SOURCE")
    options = {**node_set.node_set(), **guards.keywords()}

    from rvh.cli.following import following
    from rvh.membership import open_source

    origin = open_source(source)
    with following(origin, timeout=timeout, **options) as membership:
        _watch(membership, k, count, as_json)


def _watch(membership: Membership, k: int, count: int | None, as_json: bool) -> None:
    import queue

    from rvh.membership import Change

    changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
    membership.subscribe(changes.put)
    # Read after the subscription, so that no change is lost between the two.
    last = membership.snapshot
    say(f"watching {membership.name}: {facts(last, last.epoch)}")
    printed = 0
    while count is None or printed < count:
        try:
            change = changes.get(timeout=TICK)
        except queue.Empty:
            _stop_without_reader()
            continue
        if change.after.epoch <= last.epoch:
            continue  # it was there when this began
        if change.before is not last:
            change = Change(last, change.after)
        last = change.after
        if as_json:
            emit_json(_object(change, k))
        else:
            emit(change.told(k))
        sys.stdout.flush()
        printed += 1


def _stop_without_reader() -> None:
    """Raise BrokenPipeError where nobody reads stdout any more: the next change may be days off."""
    import select

    if not hasattr(select, "poll"):
        return  # Windows
    ends = select.poll()
    ends.register(sys.stdout, 0)
    if any(event & (select.POLLERR | select.POLLHUP) for _, event in ends.poll(0)):
        raise BrokenPipeError


def _object(change: Change, k: int) -> dict[str, object]:
    share, is_exact = change.moved_of(k)
    return {
        "epoch": change.after.epoch,
        "fingerprint": change.after.fingerprint,
        "nodes": len(change.after.members),
        "selectable": len(change.after.nodes),
        "joined": change.joined,
        "left": change.left,
        "statuses": change.statuses,
        "weights": change.weights,
        "metadata": change.others,
        "k": k,
        "moved": share,
        "is_exact": is_exact,
    }
