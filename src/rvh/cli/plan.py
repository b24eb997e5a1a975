"""``rvh plan``: what a change of placement would move, before it moves."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated

import typer

from rvh.cli.exits import emit, emit_json, say
from rvh.cli.outputs import counted
from rvh.cli.pairs import Pair, PairOptions
from rvh.cli.plankeys import PlanKeysOptions, count_files
from rvh.cli.units import read_bandwidth

if TYPE_CHECKING:
    from rvh.migration import Estimator


def plan(
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEYS]",
            help="Files of keys in one format, folders of such files, or quoted patterns; - is "
            "stdin. Omit them with --sample.",
        ),
    ] = None,
    *,
    pair: PairOptions,
    sample: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Draw N random keys instead of KEYS; the same keys every time."
        ),
    ] = None,
    total: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="How many keys there are in all; KEYS or --sample are a random sample of them.",
        ),
    ] = None,
    rows: PlanKeysOptions,
    zone_column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A column of the node file with the zone or rack of each node, to show its loads "
            "and flows too. May be repeated. [default: the columns of --spread]",
        ),
    ] = None,
    bandwidth: Annotated[
        str | None,
        typer.Option(
            metavar="RATE",
            help="How fast data is copied, such as 1Gbit/s or 100MB/s. It needs sizes.",
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1 << 24, help="How many steps the migration has."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of tables.")
    ] = False,
    html: Annotated[
        str | None,
        typer.Option("--html", metavar="FILE", help="Write a report as one HTML page."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print no progress bar and no summary.")
    ] = False,
) -> None:
    """Estimate what a change of nodes or placement would move.

    \b
    Examples:
      rvh plan keys.txt --nodes node1,node2,node3 --add node4
      rvh plan --sample 100000 --total 5000000000 -n @nodes.csv --remove node7
      rvh plan keys.csv -K id -n @n.csv --algorithm ketama --to-algorithm rendezvous
      rvh plan events.parquet -K user --size-column bytes -n @nodes.csv \\
        --remove node7 --zone-column zone --bandwidth 10Gbit/s --moves moves.parquet

    Nothing is moved. The options of rvh assign describe the old placement. --add, --remove and
    --set-weight change its nodes, --to names other nodes, and options such as --to-algorithm change
    the placement.
    """
    _refuse_ways(keys, sample)
    rows.refuse_conflicts(sample)
    if bandwidth is not None and not rows.are_sized:
        raise typer.BadParameter("it needs --size or --size-column", param_hint="--bandwidth")
    if html is not None:
        _refuse_html(html, rows.moves)
    rate = None if bandwidth is None else (bandwidth, read_bandwidth(bandwidth, "--bandwidth"))
    size = rows.of_every_key()
    zones = zone_column or [*dict.fromkeys([*pair.faults.spread, *pair.to_spread])]
    outputs = [(name, path) for name, path in (("--moves", rows.moves), ("--html", html)) if path]
    start = time.monotonic()

    def pair_of(paths: list[str], text_keys: bool) -> Pair:
        return pair.pair(paths, text_keys=text_keys, labels=zones, outputs=outputs)

    def estimator_of(made: Pair) -> Estimator:
        from rvh.migration import Estimator

        if warning := made.warning():
            say(warning)  # before the keys are read, which may take a while
        return Estimator(
            made.migration(), domains=made.labels, steps=steps, total=total, threads=pair.threads
        )

    if sample is None:
        made, estimator, summary = count_files(keys or [], rows, pair_of, estimator_of, quiet)
    else:
        made = pair_of([], True)
        estimator, summary = estimator_of(made), f"{counted(sample, 'key')} drawn"
        estimator.draw(sample, size)
    estimate = estimator.estimate()
    if html is not None:
        from rvh.report import write_report

        title = f"What moves: {made}"
        write_report(estimate, html, title=title, bandwidth=rate and rate[1])
    if as_json:
        said = {"old": str(made.old), "new": str(made.new)}
        emit_json(said | estimate.to_dict(rate and rate[1]))
    else:
        from rvh.cli.plantext import Style, plan_text

        emit(plan_text(estimate, str(made), rate, Style.of_stdout()))
    if not quiet:
        seconds = time.monotonic() - start
        say(f"{summary}, in {seconds:.2f} s")


def _refuse_ways(keys: list[str] | None, sample: int | None) -> None:
    if bool(keys) is (sample is not None):
        raise typer.BadParameter(
            "KEYS and --sample are two ways to say which keys: give one"
            if keys
            else "give KEYS, files of keys, or --sample N to draw random keys",
            param_hint="--sample" if keys else "KEYS",
        )


def _refuse_html(html: str, moves: str | None) -> None:
    if html in ("", "-"):
        raise typer.BadParameter("stdout has the plan: name a file", param_hint="--html")
    if moves and os.path.realpath(html) == os.path.realpath(moves):
        raise typer.BadParameter("--moves names the same file: name two", param_hint="--html")
