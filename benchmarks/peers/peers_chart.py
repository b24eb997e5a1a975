"""The chart: a line of dots for each peer, keys a second by the number of nodes.

Imported where the chart is drawn: it needs matplotlib.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator
from peers_measure import Block, Row, keys_per_second

OURS, OTHERS, BAND = "#c2410c", "#475569", "#fff3e6"
MARKS = ("o", "s", "D")


def rates(row: Row, nodes: tuple[int, ...]) -> list[tuple[int, float]]:
    found = [(i, row.blocks[Block(n)].rate) for i, n in enumerate(nodes)]
    return [(i, rate) for i, rate in found if rate is not None]


def write_chart(rows: list[Row], nodes: tuple[int, ...], path: Path) -> None:
    # Text stays text; the same figures give the same bytes.
    style: dict[Any, Any] = {"svg.hashsalt": "rvh", "svg.fonttype": "none", "font.size": 11}
    middle = nodes.index(64)
    drawn = sorted(
        (row for row in rows if rates(row, nodes)),
        key=lambda row: dict(rates(row, nodes)).get(middle, 0.0),
    )
    with mpl.rc_context(style):
        figure = Figure(figsize=(6.4, 1.6 + 0.27 * len(drawn)), layout="constrained")
        axes = figure.add_subplot()
        for height, row in enumerate(drawn):
            color = OURS if row.peer.ours else OTHERS
            if row.peer.ours:
                axes.axhspan(height - 0.5, height + 0.5, color=BAND, zorder=0)
            found = rates(row, nodes)
            values = [rate for _, rate in found]
            axes.plot(
                [min(values), max(values)], [height, height], color=color, alpha=0.35, zorder=1
            )
            for i, rate in found:
                fill = (color, "white", color)[i % 3]
                axes.plot(
                    rate, height, MARKS[i % 3], color=color, mfc=fill, ms=(7, 6, 4)[i % 3], zorder=2
                )
        axes.set_yticks(range(len(drawn)), [row.peer.name for row in drawn])
        for name, row in zip(axes.get_yticklabels(), drawn, strict=True):
            name.set_color(OURS if row.peer.ours else "black")
            name.set_fontweight("bold" if row.peer.ours else "normal")
        axes.set_ylim(-0.6, len(drawn) - 0.4)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda rate, _: keys_per_second(rate).replace(".0", ""))
        )
        axes.xaxis.set_minor_locator(NullLocator())
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color="#e2e8f0", zorder=0)
        axes.set_axisbelow(True)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.set_xlabel("keys per second on one core, k = 1 (logarithmic)")
        for i, count in enumerate(nodes):
            fill = (OTHERS, "white", OTHERS)[i % 3]
            label = f"{count:,} nodes"
            axes.plot(
                [], [], MARKS[i % 3], color=OTHERS, mfc=fill, ms=(7, 6, 4)[i % 3], label=label
            )
        # Room for a viewer's own font, which may be wider.
        figure.set_layout_engine("constrained", w_pad=0.2)
        figure.legend(loc="outside upper center", ncols=len(nodes), frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
