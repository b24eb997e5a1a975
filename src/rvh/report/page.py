"""The report's page: its sections, and the frame with its style, script and policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib import resources
from string import Template

import numpy as np

from rvh._about import __version__
from rvh._html import counted, escaped, plain
from rvh._quantities import bytes_text, time_text
from rvh.migration.estimate import Estimate, Steps
from rvh.migration.loads import Loads
from rvh.report.charts import COLUMNS_MAX, Load, load_chart, matrix, meter, steps_chart
from rvh.report.figures import Unit, change, in_bytes, in_keys, share, signed
from rvh.report.tables import Column, table

__all__ = ["page"]

#: rows of a table; the nodes and flows that move the most have them
NODES_MAX, FLOWS_MAX = 1000, 100


def page(estimate: Estimate, title: str, bandwidth: float | None) -> str:
    """Return the report of an estimate as a page that needs nothing else."""
    folder = resources.files("rvh.report")
    frame, style, script = (
        folder.joinpath(f"report.{kind}").read_text("utf-8") for kind in ("html", "css", "js")
    )
    return Template(frame).substitute(
        title=escaped(title),
        version=__version__,
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        body="\n".join(_body(estimate, title, bandwidth)),
    )


def _body(estimate: Estimate, title: str, bandwidth: float | None) -> Iterator[str]:
    yield f"<header><h1>{escaped(title)}</h1>{_lede(estimate)}</header><main>"
    yield f'<dl class="tiles">{"".join(_tiles(estimate, bandwidth))}</dl>'
    if estimate.remarks:
        items = "".join(f"<li>{escaped(remark)}</li>" for remark in estimate.remarks)
        yield f'<section class="beware"><h2>Before you begin</h2><ul>{items}</ul></section>'
    yield f"<section><h2>What each node holds</h2>{_load_chart(estimate.nodes, 'node')}"
    yield f"{_node_table(estimate.nodes)}</section>"
    yield f"<section><h2>From whom to whom</h2>{_flows(estimate.nodes)}</section>"
    for kind, loads in estimate.domains.items():
        yield f"<section><h2>What each {escaped(kind)} holds</h2>"
        yield f"{_load_chart(loads, kind)}{_flow_matrix(loads, kind)}</section>"
    if estimate.steps is not None:
        yield f"<section><h2>Step by step</h2>{_steps(estimate.steps, bandwidth)}</section>"
    yield f'<div id="tip" role="tooltip" hidden></div></main><footer>{_footer(estimate)}</footer>'


def _lede(estimate: Estimate) -> str:
    nodes = estimate.nodes
    old, new = (counted(int(each.sum()), "node") for each in (nodes.in_old, nodes.in_new))
    copies = (
        f"{estimate.k:,} copies of each"
        if estimate.k == estimate.k_new
        else f"{estimate.k:,} copies of each key before, {estimate.k_new:,} after"
    )
    copies = "" if estimate.k == estimate.k_new == 1 else f", {copies}"
    sample = (
        ""
        if estimate.counted == estimate.keys
        else f" A sample of {counted(estimate.counted, 'key')} stands for them."
    )
    text = f"{old} before, {new} after; {counted(estimate.keys, 'key')}{copies}.{sample}"
    return f'<p class="lede">{text}</p>'


def _tiles(estimate: Estimate, bandwidth: float | None) -> Iterator[str]:
    nodes, one = estimate.nodes, estimate.k == estimate.k_new == 1
    moved, copies, least = estimate.moved_copies, estimate.copies, estimate.minimum_copies
    noun = "keys" if one else "copies"
    error = estimate.moved_copies_error
    lines = [
        meter(moved, least, copies),
        f"{moved:,} of {copies:,} {noun}" + (f", ± {round(error):,}" if error else ""),
        f"the least for these loads: {share(least, copies)}",
    ]
    if not one:
        lines.insert(2, f"of {counted(estimate.moved_keys, 'key')}")
    yield _tile(f"{noun.capitalize()} that move", share(moved, copies), lines)
    if estimate.moved_bytes is not None and nodes.bytes_after is not None:
        total, least_bytes = int(nodes.bytes_after.sum()), estimate.minimum_bytes or 0
        yield _tile(
            "Bytes that move",
            bytes_text(estimate.moved_bytes),
            [
                meter(estimate.moved_bytes, least_bytes, total),
                f"{share(estimate.moved_bytes, total)} of {bytes_text(total)}",
                f"the least for these loads: {bytes_text(least_bytes)}",
            ],
        )
    if bandwidth is not None:
        whole, source, target, *_ = estimate.seconds(bandwidth)
        rate = f"{bytes_text(round(bandwidth))}/s"
        yield _tile(
            "Time to copy",
            time_text(whole),
            [
                f"at {rate} in all",
                f"{time_text(max(source, target))} if each node has {rate} of its own",
            ],
        )
    what = "keys" if nodes.bytes_after is None else "bytes"
    before, after = nodes.max_mean(f"{what}_before"), nodes.max_mean(f"{what}_after")
    if before == before and after == after:  # not NaN
        yield _tile(
            "Fullest node over the mean",
            f"{before:.2f} → {after:.2f}",
            [f"in {what}, before → after; 1 is perfect balance"],
        )


def _tile(name: str, figure: str, lines: list[str]) -> str:
    return (
        f'<div class="tile"><dt>{name}</dt><dd class="big">{figure}</dd>'
        + "".join(f"<dd>{line}</dd>" for line in lines)
        + "</div>"
    )


def _load_chart(loads: Loads, what: str) -> str:
    unit = _unit(loads)
    before, after = (
        (loads.keys_before, loads.keys_after)
        if loads.bytes_before is None or loads.bytes_after is None
        else (loads.bytes_before, loads.bytes_after)
    )
    tags = [
        "" if old and new else "new" if new else "leaves"
        for old, new in zip(loads.in_old.tolist(), loads.in_new.tolist(), strict=True)
    ]
    rows = zip(_names(loads), before.tolist(), after.tolist(), tags, strict=True)
    heading = f"{unit.name} of each {what}, before and after"
    return load_chart([Load(*row) for row in rows], unit, heading)


def _node_table(loads: Loads) -> str:
    unit = _unit(loads)
    busiest = np.argsort(-(loads.keys_sent + loads.keys_received), kind="stable")[:NODES_MAX]
    shown = np.sort(busiest)
    names = _names(loads)
    before, after = loads.keys_before[shown].tolist(), loads.keys_after[shown].tolist()
    columns = [Column("node", [names[at] for at in shown.tolist()])]
    for side, weights in (("before", loads.weights_old), ("after", loads.weights_new)):
        if weights is not None:
            columns.append(Column(f"weight {side}", weights[shown].tolist(), "{:g}".format))
    columns += (
        Column("keys before", before, in_keys.write),
        Column("keys after", after, in_keys.write),
        Column("change", list(map(change, before, after)), signed),
        Column("keys sent", loads.keys_sent[shown].tolist(), in_keys.write),
        Column("keys received", loads.keys_received[shown].tolist(), in_keys.write),
    )
    for side in ("before", "after", "sent", "received"):
        sizes = getattr(loads, f"bytes_{side}")
        if sizes is not None:
            columns.append(Column(f"bytes {side}", sizes[shown].tolist(), unit.write))
    made = table("Load of each node, before and after", columns)
    return made + _rest(len(shown), len(loads), "nodes", "those that send or receive the most")


def _flows(loads: Loads) -> str:
    flows, names, unit = loads.flows, _names(loads), _unit(loads)
    if not len(flows.keys):
        return "<p>Nothing moves.</p>"
    amounts = flows.keys if flows.bytes is None else flows.bytes
    source, target = (
        [names[at] for at in each[:FLOWS_MAX].tolist()] for each in (flows.source, flows.target)
    )
    columns = [
        Column("from", source),
        Column("to", target),
        Column("keys", flows.keys[:FLOWS_MAX].tolist(), in_keys.write),
    ]
    if flows.bytes is not None:
        columns.append(Column("bytes", flows.bytes[:FLOWS_MAX].tolist(), unit.write))
    total = int(amounts.sum())
    columns.append(
        Column("share", (amounts[:FLOWS_MAX] / max(1, total)).tolist(), lambda part: share(part))
    )
    return (
        f"{_flow_matrix(loads, 'node')}{table('The largest flows', columns)}"
        f"{_rest(len(source), len(flows.keys), 'flows', 'the largest')}"
    )


def _flow_matrix(loads: Loads, what: str) -> str:
    if not len(loads.flows.keys):
        return ""
    unit = _unit(loads)
    heading = f"{unit.name} from each {what} to each {what}"
    return (
        f'<p class="quiet">{unit.name.capitalize()} from each {escaped(what)} (row) to each '
        f"(column).</p>{matrix(_names(loads), loads.flows, unit, heading)}"
    )


def _steps(steps: Steps, bandwidth: float | None) -> str:
    keys, sizes = steps
    amounts, unit = (keys, in_keys) if sizes is None else (sizes, in_bytes(int(sizes.max())))
    starts = np.linspace(0, len(keys), min(len(keys), COLUMNS_MAX) + 1).astype(int)
    sums = np.add.reduceat(amounts, starts[:-1])
    marks = []
    for start, stop, amount in zip(starts, starts[1:], sums.tolist(), strict=False):
        name = f"step {start:,}" if stop - start == 1 else f"steps {start:,} to {stop - 1:,}"
        takes = f"\n{time_text(amount / bandwidth)}" if bandwidth and sizes is not None else ""
        marks.append((f"{name}\n{unit.full(amount)}{takes}", amount))
    least, most = int(amounts.min()), int(amounts.max())
    each = f"{unit.short(least)} to {unit.short(most)}{' keys' if sizes is None else ''} each"
    return (
        f"<p>{counted(len(keys), 'step')} of {each}.</p>"
        f"{steps_chart(marks, unit, f'{unit.name} of each step')}"
    )


def _footer(estimate: Estimate) -> str:
    deleted, chance = estimate.deleted_copies, estimate.chance_copies
    return (
        "<p>A copy is one key on one node. The least is what the nodes' loads grow by: any way "
        "from the old loads to these has to copy that much. Two placements of these loads that "
        f"know nothing of each other would move {share(chance, estimate.copies)}. At the end, "
        f"{deleted:,} copies are deleted from their old nodes.</p><p>Made by rvh {__version__}.</p>"
    )


def _rest(shown: int, of: int, nouns: str, which: str) -> str:
    if shown == of:
        return ""
    return f'<p class="quiet">{shown:,} of {of:,} {nouns}: {which}.</p>'


def _names(loads: Loads) -> list[str]:
    return list(map(plain, loads.names.tolist()))


def _unit(loads: Loads) -> Unit:
    if loads.bytes_before is None or loads.bytes_after is None:
        return in_keys
    return in_bytes(int(max(loads.bytes_before.max(initial=0), loads.bytes_after.max(initial=0))))


def _hash(text: str) -> str:
    """What lets a policy allow this style or script and no other (CSP 3, section 8.3)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
