"""``rvh bench``: the speed of rvh here, and what it was before."""

from __future__ import annotations

import contextlib
import math
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rvh.cli.exits import ExitStatus, emit, emit_json, say, tell
from rvh.cli.outputs import refuse_two_on_stdout
from rvh.cli.progress import is_shown
from rvh.errors import RVHError, show

if TYPE_CHECKING:
    from rvh.bench.compare import Old
    from rvh.bench.results import Row, Workload

#: how many times a scenario that seems too slow is measured again before it counts
RETRIES = 2


def bench(
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write the figures as CSV; - is stdout."),
    ] = None,
    compare: Annotated[
        Path | None,
        typer.Option(metavar="OLD.csv", help="Compare with a CSV file that --out wrote earlier."),
    ] = None,
    fail_over: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT",
            help="With --compare: exit with status 1 if a scenario is slower by more than this.",
        ),
    ] = None,
    plot: Annotated[
        str | None, typer.Option(metavar="FILE.svg", help="Draw a chart of keys per second as SVG.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Run only the scenarios that match, such as 'murmur/*'. May be repeated.",
        ),
    ] = None,
    rounds: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="How many times to measure each scenario, after one warm-up."
        ),
    ] = 5,
    as_list: Annotated[
        bool, typer.Option("--list", help="List the scenarios and measure nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of a table.")
    ] = False,
) -> None:
    """Measure how many keys per second rvh places here.

    \b
    Examples:
      rvh bench
      rvh bench --only 'murmur/*' --only 'table/*' --rounds 9
      rvh bench -o new.csv --compare old.csv --fail-over 10% --plot new.svg

    Each round runs all scenarios; the figure is the median round. A comparison uses the fastest
    rounds.
    """
    allowed = _allowed(fail_over, compare)
    if allowed < math.inf and _same_file(out, compare):
        raise typer.BadParameter(
            "is the file of --compare too: after a failure it would hold the slow figures",
            param_hint="--out",
        )
    if plot is not None:
        _check_plot(plot, out)
    refuse_two_on_stdout(as_json, {"--out": out})

    from rvh.bench.scenarios import scenarios

    suite = scenarios()
    _refuse_unknown(only, suite)
    chosen = [each for each in suite if _matches(each.name, only)]
    if as_list:
        names = [each.name for each in chosen]
        if as_json:
            emit_json(names)
        else:
            emit("\n".join(names))
        return

    from rvh._tables.descriptors import is_stdout
    from rvh._tables.target import target
    from rvh.bench.compare import slowdown, slower
    from rvh.bench.plot import svg
    from rvh.bench.results import csv_text
    from rvh.bench.table import table

    old = None if compare is None else _read_old(compare, chosen, allowed)
    too_slow = partial(slower, old=old or {}, allowed=allowed)
    with contextlib.ExitStack() as files:
        # Opened first: a file that cannot be written is found before anything is measured.
        csv_file, plot_file = (
            None if path is None else files.enter_context(target(path, advice=_advice(path)))
            for path in (out, plot)
        )
        rows = _measured(chosen, rounds, too_slow)
        if csv_file is not None:
            csv_file.write(csv_text(rows).encode())
        if plot_file is not None:
            plot_file.write(svg(rows, old))
    gone = [each.name for each in old or () if each not in suite and _matches(each.name, only)]
    if as_json:
        emit_json(_facts(rows, old, gone))
    else:
        (tell if is_stdout(out) else emit)(table(rows, old, gone))
    if old and (failed := too_slow(rows)):
        for row in failed:
            percent = 100 * slowdown(row, old[row.workload])
            say(f"{row.workload.name} is {percent:,.1f}% slower than in {compare}")
        raise typer.Exit(ExitStatus.ERROR)


def _facts(rows: list[Row], old: Old | None, gone: list[str]) -> dict[str, Any]:
    from rvh.bench.compare import slowdown

    scenarios = []
    for row in rows:
        scenarios.append({**asdict(row.workload), **asdict(row.figures)})
        if old is not None:
            before = old.get(row.workload)
            scenarios[-1]["slowdown"] = None if before is None else slowdown(row, before)
    return {"environment": asdict(rows[0].environment), "scenarios": scenarios, "gone": gone}


def _allowed(percent: str | None, compare: Path | None) -> float:
    """The part by which a scenario may take longer: 0.1 for 10%."""
    if percent is None:
        return math.inf
    if compare is None:
        raise typer.BadParameter("needs --compare OLD.csv", param_hint="--fail-over")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?%?", percent):
        raise typer.BadParameter(
            f"{show(percent)} is not a percentage, such as 10% or 2.5", param_hint="--fail-over"
        )
    return float(percent.removesuffix("%")) / 100


def _advice(path: str) -> str:
    return f"write into another folder, and copy it there (cp NEW {shlex.quote(path)})"


def _check_plot(plot: str, out: str | None) -> None:
    if Path(plot).suffix.lower() != ".svg":
        raise typer.BadParameter(f"{show(plot)} does not end in .svg", param_hint="--plot")
    if _same_file(plot, out):
        raise typer.BadParameter(f"{show(plot)} is the file of --out too", param_hint="--plot")
    try:
        import matplotlib  # noqa: F401  (found before anything is measured)
    except ValueError as error:  # of MPLBACKEND, for one
        raise RVHError(f"matplotlib refuses its settings: {error}") from None


def _same_file(one: str | Path | None, other: str | Path | None) -> bool:
    return None not in (one, other) and Path(str(one)).resolve() == Path(str(other)).resolve()


def _matches(name: str, patterns: list[str] | None) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _refuse_unknown(patterns: list[str] | None, suite: list[Workload]) -> None:
    names = [each.name for each in suite]
    for pattern in patterns or ():
        if not any(_matches(name, [pattern]) for name in names):
            raise typer.BadParameter(
                f"{show(pattern)} matches none of {', '.join(names)}", param_hint="--only"
            )


def _read_old(path: Path, chosen: list[Workload], allowed: float) -> Old:
    """Read an earlier run, and warn where it says little about this one."""
    from rvh.bench.compare import by_workload, differences
    from rvh.bench.environment import environment
    from rvh.bench.results import read_csv

    old = by_workload(read_csv(path))
    if different := differences(old, chosen, environment()):
        say(f"warning: {path} was measured under other conditions: {'; '.join(different)}")
    if allowed < math.inf and old.keys().isdisjoint(chosen):
        raise RVHError(
            f"{path} has none of these scenarios with the same keys and parameters: "
            "--fail-over has nothing to judge"
        )
    return old


def _measured(
    chosen: list[Workload], rounds: int, suspects: Callable[[list[Row]], list[Row]]
) -> list[Row]:
    """Measure the scenarios; those that are suspect once more, and all their rounds count."""
    from rvh.bench.environment import environment
    from rvh.bench.results import Row
    from rvh.bench.scenarios import prepared
    from rvh.bench.timing import figures, measure

    here = environment()
    with _progress() as tell:
        tell("preparing")
        calls = {each: prepared(each) for each in chosen}
        seconds: dict[Workload, list[float]] = {each: [] for each in chosen}
        to_measure = chosen
        for attempt in range(1 + RETRIES):
            what = f"measuring again ({attempt}), round" if attempt else "round"

            def progress(number: int, each: Workload, what: str = what) -> None:
                tell(f"{what} {number} of {rounds}: {each.name}")

            for each, more in measure(
                {each: calls[each] for each in to_measure}, rounds, progress
            ).items():
                seconds[each] += more
            rows = [Row(each, figures(seconds[each], each.keys), here) for each in chosen]
            to_measure = [row.workload for row in suspects(rows)]
    return rows


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show on one line of a terminal what is going on, and clear it at the end."""
    shown = is_shown()

    def tell(text: str) -> None:
        if shown:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    try:
        yield tell
    finally:
        tell("")
