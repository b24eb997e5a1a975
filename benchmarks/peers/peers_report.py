"""The outputs of the comparison: Markdown, CSV and a chart."""

from __future__ import annotations

import csv
import platform
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import peers_install
from peers_measure import OK, Block, Measured, Row, Scale, keys_per_second, say

import rvh
import rvh.cpu
from rvh.bench.environment import processor

HEAD = (
    "peer",
    "version",
    "keys_as",
    "answers_as",
    "nodes",
    "k",
    "weighted",
    "status",
    "keys",
    "keys_per_s",
    "slowest",
    "fastest",
)


@dataclass(frozen=True)
class Setting:
    """What the figures hold for."""

    nodes: tuple[int, ...]
    line: str


def setting(scale: Scale, rounds: int) -> Setting:
    versions = [f"rvh {rvh.__version__}", f"Python {platform.python_version()}"]
    for name in dict.fromkeys(map(peers_install.name_of, peers_install.requirements())):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    line = (
        f"{processor()}, instruction set {rvh.cpu.active()}, one thread, median of {rounds}; "
        f"{', '.join(versions)}"
    )
    return Setting(scale.nodes, line)


def write(rows: list[Row], where: Setting, out: Path) -> None:
    text = markdown(rows, where)
    print(text, end="", flush=True)
    (out / "peers.md").write_text(text, encoding="utf-8")
    write_csv(rows, out / "peers.csv")
    if find_spec("matplotlib") is None:
        say("no peers.svg: matplotlib is not installed")
    else:
        from peers_chart import write_chart

        write_chart(rows, where.nodes, out / "peers.svg")
    say(f"written to {out}")


# -- Markdown ----------------------------------------------------------------------------------


def cell(measured: Measured | None) -> str:
    if measured is None:
        return ""
    if measured.rate is not None:
        return keys_per_second(measured.rate)
    return "failed" if measured.status.startswith("failed") else "-"


def percent(share: float) -> str:
    return "0" if share == 0 else f"{share:.2g}" if share >= 0.001 else "<0.001"


def guarantees(row: Row) -> list[str]:
    seen = row.seen
    if seen.balance is None or seen.moved_add is None or seen.moved_remove is None:
        return [""] * 3
    weights = "-"
    if seen.weights_error is not None:
        weights = f"{seen.weights_error:.0%} ({seen.weights_error_ideal:.0%})"
    moved = f"{percent(seen.moved_add)} / {percent(seen.moved_remove)}"
    return [f"{seen.balance:.2f} ({seen.balance_ideal:.2f})", moved, weights]


def note(row: Row) -> str:
    notes = [row.peer.note]
    if row.seen.leaves == "last":
        notes.append("only the last node may leave")
    if row.seen.distinct is not None and row.seen.distinct < 1:
        notes.append(f"k=3: {row.seen.distinct:.0%} of the answers distinct")
    failed = {m.status for m in row.blocks.values() if m.status.startswith(("failed", "answers"))}
    return "; ".join(filter(None, [*notes, *sorted(failed)])).replace("|", "\\|")


def markdown(rows: list[Row], where: Setting) -> str:
    head = [
        "peer",
        "keys → answers",
        *(f"N={nodes}" for nodes in where.nodes),
        "k=3, N=64",
        "weighted, N=64",
        "balance",
        "moved",
        "weights",
        "notes",
    ]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    tasks = [*(Block(nodes) for nodes in where.nodes), Block(64, 3), Block(64, weighted=True)]
    for row in rows:
        name = f"**{row.peer.name}**" if row.peer.ours else row.peer.name
        cells = [name, f"{row.peer.keys_as} → {row.peer.answers_as}"]
        if row.status == OK:
            cells += [cell(row.blocks.get(task)) for task in tasks]
            cells += [*guarantees(row), note(row)]
        else:
            cells += [""] * (len(head) - 3) + [row.status.replace("|", "\\|")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", explained(rows), "", where.line, ""])


def explained(rows: list[Row]) -> str:
    keys = [row.seen.seen_keys for row in rows if row.seen.seen_keys]
    count = f"{min(keys):,} to {max(keys):,}" if keys else "no"
    return (
        f"Keys per second, k=1 unless stated. Observed with 64 nodes and {count} keys: *balance*, "
        "the largest load divided by the mean; *moved*, the share of keys that moved between nodes "
        "that stayed, when a node was added / when one from the middle was removed; *weights*, the "
        "largest relative error of a node's share, with weights 1 to 3. In brackets: an ideal "
        "random assignment of as many keys. -: no such interface, or the same as the row above."
    )


# -- CSV ---------------------------------------------------------------------------------------


def write_csv(rows: list[Row], path: Path) -> None:
    seen_head = [*asdict(rows[0].seen), "leaves", "note"]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([*HEAD, *seen_head])
        for row in rows:
            peer = row.peer
            seen = [number(x) for x in asdict(row.seen).values()]
            for block, measured in row.blocks.items():
                table.writerow(
                    [
                        peer.name,
                        row.version,
                        peer.keys_as,
                        peer.answers_as,
                        block.nodes,
                        block.k,
                        int(block.weighted),
                        measured.status,
                        measured.keys or "",
                        number(measured.rate),
                        number(min(measured.rates, default=None)),
                        number(max(measured.rates, default=None)),
                        *seen,
                        row.seen.leaves,
                        peer.note,
                    ]
                )


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
