"""``rvh plan``: what a change of placement would move, before it moves."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Annotated

import typer

from rvh.cli.exits import emit, say
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
            help="Files of keys, of one format; folders of them; patterns in quotes; - is stdin. "
            "Or none, and --sample.",
        ),
    ] = None,
    *,
    pair: PairOptions,
    sample: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Instead of KEYS: draw N keys at random, the same every time."
        ),
    ] = None,
    total: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="How many keys there are, of which KEYS or --sample are a random sample.",
        ),
    ] = None,
    rows: PlanKeysOptions,
    zone_column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A column of the node file with the zone (or rack, ...) of each node: loads and "
            "flows of these too. Repeated: several [default: those of --spread].",
        ),
    ] = None,
    bandwidth: Annotated[
        str | None,
        typer.Option(
            metavar="RATE", help="How fast copies go, as 1Gbit/s or 100MB/s: needs sizes."
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1 << 24, help="The steps of the migration."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of tables.")
    ] = False,
    html: Annotated[
        str | None,
        typer.Option("--html", metavar="FILE", help="A report to write, as one page of HTML."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress bar and no summary.")
    ] = False,
) -> None:
    """Tell what a change of nodes or of the placement would move; nothing is moved.

    The old placement is that of the options of assign. --add, --remove and --set-weight change
    its nodes, --to names others, --to-algorithm and its like make another placement.

    \b
    Examples:
      rvh plan keys.txt --nodes node1,node2,node3 --add node4
      rvh plan --sample 100000 --total 5000000000 --size 2kB -n @nodes.csv --remove node7
      rvh plan events.parquet -K user --size-column bytes -n @nodes.csv --zone-column zone \\
        --remove node7 --bandwidth 10Gbit/s --steps 100 --moves moves.parquet
      rvh plan keys.csv -K id -n @old.csv --algorithm ketama --to-algorithm rendezvous --json
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

        title = f"What moves from {made.old} to {made.new}"
        write_report(estimate, html, title=title, bandwidth=rate and rate[1])
    if as_json:
        said = {"old": str(made.old), "new": str(made.new)}
        emit(json.dumps(said | estimate.to_dict(rate and rate[1]), ensure_ascii=False))
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
            else "say which keys: KEYS, files of them, or --sample N to draw some",
            param_hint="--sample" if keys else "KEYS",
        )


def _refuse_html(html: str, moves: str | None) -> None:
    if html in ("", "-"):
        raise typer.BadParameter("stdout has the plan: name a file", param_hint="--html")
    if moves and os.path.realpath(html) == os.path.realpath(moves):
        raise typer.BadParameter("--moves names the same file: name two", param_hint="--html")
