"""``rvh nodes publish``: the weights of nodes, made once and written where everyone reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rvh.cli.exits import emit, say
from rvh.cli.weighing import GuardOptions, Timeout, WeighOptions, named, refuse_no_source

if TYPE_CHECKING:
    from rvh.membership import Published, Publisher, Source
    from rvh.membership.publishing import Report

#: the default of --every
EVERY = 15.0


def publish(
    source: Annotated[
        str,
        typer.Argument(metavar="FROM", help="Where the nodes are; any SOURCE of rvh nodes."),
    ],
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="TARGET",
            help="Where to write: a file that ends in .json, or a key in etcd:// or redis://.",
        ),
    ],
    weighing: WeighOptions,
    smooth: Annotated[
        list[str] | None,
        typer.Option(
            "--smooth",
            metavar="NAME",
            help="The measures to smooth, so that keys move only when a node really changes. "
            "[default: rtt]",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep the smoothed measures and the epoch in this file for the next run.",
        ),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Keep running, and publish again when FROM changes."),
    ] = False,
    every: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="SECONDS",
            help="With --follow: how often FROM is measured; each measurement counts once. "
            "[default: 15]",
        ),
    ] = None,
    guards: GuardOptions,
    timeout: Timeout = 10.0,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print each publication as one JSON object a line on stdout."),
    ] = False,
) -> None:
    """Compute weights once and write them for every reader.

    \b
    Examples:
      rvh nodes publish fleet.yaml --to redis://cache.example/0?key=nodes
      rvh nodes publish probes.json --weigh rtt --to nodes.json --state state.json
      rvh nodes publish k8s://default/cache --to etcd://etcd.example/cache --follow

    TARGET receives {"epoch": n, "nodes": [...]}, and is written only if that changes.
    """
    refuse_no_source(source, "FROM")
    refuse_no_source(to, "--to")
    options = {**weighing.keywords(), "smooth": named(smooth or ["rtt"], "--smooth")}
    limits = guards.keywords()
    if not follow:
        for option, given in (
            ("--every", every is not None),
            ("--min-nodes", guards.min_nodes is not None),
            ("--max-change", guards.max_change is not None),
        ):
            if given:
                raise typer.BadParameter("it needs --follow", param_hint=option)

    from rvh.membership import Publisher, open_source

    origin = open_source(source)
    publisher = Publisher(to, state=state, timeout=timeout, **options)
    _refuse_same(origin, publisher.target)
    if follow:
        interval = EVERY if every is None else every
        _follow(origin, publisher, interval, bool(weighing.weigh), timeout, limits, as_json)
    else:
        _publish_once(origin, publisher, timeout, keeps=state is not None, as_json=as_json)


def _publish_once(
    origin: Source, publisher: Publisher, timeout: float, keeps: bool, as_json: bool
) -> None:
    from rvh.membership.listening import read_state

    done = publisher.publish(read_state(origin, timeout).nodes)
    if as_json:
        emit(_json(publisher, done))
    else:
        say(_told(publisher, done))
    if not keeps and (count := len(publisher.settling)):
        say(
            f"the weights of {count} nodes are those of one measurement, which fluctuates: --state "
            "FILE smooths it from run to run"
        )


def _follow(
    origin: Source,
    publisher: Publisher,
    every: float,
    is_weighing: bool,
    timeout: float,
    limits: dict[str, Any],
    as_json: bool,
) -> None:
    from rvh.cli.following import following

    last = ""

    def report(news: Report) -> None:
        nonlocal last
        if isinstance(news, Exception):
            text = str(news)
        elif news.is_new or not last:
            text = _json(publisher, news) if as_json else _told(publisher, news)
        else:
            return
        if text != last:  # a target that is away is said once
            (emit if as_json and not isinstance(news, Exception) else say)(text)
        last = text

    if is_weighing:  # the weights of FROM do not count: it may have none, or some
        limits = {"weigh": lambda nodes: None, **limits}
    with following(origin, timeout=timeout, **limits) as membership:
        publisher.follow(membership, report, every=every)


def _told(publisher: Publisher, done: Published) -> str:
    nodes = done.snapshot
    epoch = "" if done.epoch is None else f"epoch {done.epoch}, "
    holds = f"{epoch}{len(nodes.members)} nodes, {len(nodes.nodes)} selectable"
    if not done.is_new:
        return f"{publisher.name} has these nodes and weights already: {holds}"
    moved = "" if done.moved is None else f"; {done.moved.share:.4%} of keys move"
    return f"{publisher.name} is written: {holds}{moved}"


def _json(publisher: Publisher, done: Published) -> str:
    said = {
        "target": publisher.name,
        "is_new": done.is_new,
        "epoch": done.epoch,
        "nodes": len(done.snapshot.members),
        "selectable": len(done.snapshot.nodes),
        "moved": None if done.moved is None else done.moved.share,
    }
    return json.dumps(said, ensure_ascii=False)


def _refuse_same(origin: Source, target: Source) -> None:
    paths = [getattr(each, "path", None) for each in (origin, target)]
    try:
        is_same = None not in paths and paths[0].samefile(paths[1])  # type: ignore[union-attr]
    except OSError:
        is_same = False
    if is_same or origin.name == target.name:
        raise typer.BadParameter(
            f"{target.name} is FROM too: the published nodes would replace the measured ones",
            param_hint="--to",
        )
