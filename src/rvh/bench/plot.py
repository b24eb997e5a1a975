"""A run as a picture: SVG, a bar for each scenario, and one for what it was before."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from rvh.bench.compare import Old
from rvh.bench.results import Row
from rvh.bench.scenarios import family

NOW, BEFORE = "#2a6f97", "#b8c4ce"
#: nothing of the reader's own style, no random ids; text stays text, which can be searched
STYLE = {"svg.hashsalt": "rvh", "svg.fonttype": "none", "axes.axisbelow": True}


def svg(rows: Sequence[Row], old: Old | None = None) -> bytes:
    """The keys per second of each row as an SVG file; the same rows give the same bytes.

    Parameters
    ----------
    rows : sequence of Row
        At least one.
    old : mapping of Workload to Row, optional
        An earlier run: its bars stand below those of the same workloads.

    Returns
    -------
    bytes
    """
    from matplotlib import style
    from matplotlib.figure import Figure

    places = _places(rows)
    before = {
        y: old[row.workload]
        for y, row in zip(places, rows, strict=True)
        if old and row.workload in old
    }
    height = 0.36 if before else 0.72
    shift = height / 2 if before else 0.0
    rates = [row.figures.keys_per_second for row in rows]
    old_rates = [row.figures.keys_per_second for row in before.values()]
    with style.context(["default", STYLE], after_reset=True):
        figure = Figure(figsize=(9, 1.6 + 0.27 * (places[-1] + 1)), layout="constrained")
        axes = figure.add_subplot()
        bars = axes.barh([y - shift for y in places], rates, height, color=NOW, label="this run")
        axes.bar_label(bars, [_short(rate) for rate in rates], padding=3, fontsize=7)
        if before:
            version = next(iter(before.values())).environment.rvh.replace("$", r"\$")  # no formula
            label = f"before (rvh {version})"
            axes.barh([y + shift for y in before], old_rates, height, color=BEFORE, label=label)
            figure.legend(loc="outside upper right", ncols=2, frameon=False)
        axes.set_xscale("log")
        axes.set_yticks(places, [row.workload.name for row in rows], fontsize=8)
        axes.set_ylim(places[-1] + 0.8, -0.8)
        # Bars on a log scale start anywhere, here at a power of ten. Labels need room on the right.
        lowest, highest = min(rates + old_rates), max(rates + old_rates)
        axes.set_xlim(10 ** math.floor(math.log10(lowest) - 0.1), 4 * highest)
        axes.grid(axis="x", color="#dddddd")
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel("keys per second (log scale), median round")
        axes.set_ylabel("scenario")
        axes.set_title(_about(rows[0]), loc="left", fontsize=8, color="#555555")
        figure.suptitle("rvh bench: keys placed per second", x=0.01, ha="left", fontweight="bold")
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _places(rows: Sequence[Row]) -> list[float]:
    """The places of the bars, from above, with a gap between families."""
    place, places, before = 0.0, [], family(rows[0].workload.name)
    for row in rows:
        now = family(row.workload.name)
        place += 0.6 if now != before else 0
        places.append(place)
        place, before = place + 1, now
    return places


def _short(rate: float) -> str:
    """A rate in three digits.

    Examples
    --------
    >>> _short(1234567), _short(56789), _short(12)
    ('1.23M', '56.8k', '12')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= size:
            return f"{rate / size:.3g}{unit}"
    return f"{rate:.3g}"


def _about(row: Row) -> str:
    where = row.environment
    return (
        f"{where.processor}, {where.backend} {where.isa}, "
        f"rvh {where.rvh}, Python {where.python}, NumPy {where.numpy}"
    )
