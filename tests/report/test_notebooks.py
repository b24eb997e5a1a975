"""What a notebook shows."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from subprocesses import output

import rvh
from rvh.migration import Migration
from rvh.partitions import PartitionTable

pytest.importorskip("IPython", reason="IPython is not installed")
from IPython.core.formatters import DisplayFormatter

EVIL = "<script>alert('$x$')</script>"


def shown(thing: Any) -> ElementTree.Element:
    """What IPython takes from it as HTML, which is well-formed enough for XML."""
    kinds, _ = DisplayFormatter().format(thing)
    return ElementTree.fromstring(f"<div>{kinds['text/html']}</div>")


def rows(thing: Any) -> list[list[str]]:
    """The text of each row of its table, the head first."""
    return [["".join(cell.itertext()) for cell in row] for row in shown(thing).iter("tr")]


def caption(thing: Any) -> str:
    return "".join(next(shown(thing).iter("caption")).itertext())


def test_a_node_set() -> None:
    nodes = rvh.NodeSet(["a", "b", b"\xff"])
    assert rows(nodes) == [["node"], ["a"], ["b"], ["\\xff"]]
    assert caption(nodes) == "NodeSet: 3 nodes, blake2b"


def test_weights_shares_and_domains() -> None:
    nodes = rvh.NodeSet(
        ["a", "b"], [1, 3], "murmur", domains={"zone": ["eu", "us"], "rack": [7, 8]}
    )
    assert rows(nodes) == [
        ["node", "weight", "share", "zone", "rack"],
        ["a", "1", "25.00%", "eu", "7"],
        ["b", "3", "75.00%", "us", "8"],
    ]


def test_a_secret_is_not_shown() -> None:
    nodes = rvh.NodeSet(["a"], secret=b"open sesame")
    assert caption(nodes) == "NodeSet: 1 node, blake2b, a secret of 11 bytes"
    assert "sesame" not in nodes._repr_html_()


def small(nodes: Any) -> PartitionTable:
    return PartitionTable(nodes, partitions=64)


@pytest.mark.parametrize("make", [rvh.NodeSet, small])
def test_the_rest_of_many_nodes_is_counted(make: Any) -> None:
    thing = make([f"node{n}" for n in range(1000)])
    found = rows(thing)
    assert len(found) == 1 + 20 + 1
    assert found[-1] == ["and 980 more"]
    assert len(thing._repr_html_()) < 10_000


@pytest.mark.parametrize("make", [rvh.NodeSet, small])
def test_what_an_id_says_is_text(make: Any) -> None:
    """No element, no formula, no direction, no line of its own."""
    found = shown(make([EVIL, "\u202eabc", "two\nlines\0"]))
    table = found[0]
    assert {element.tag for element in found.iter()} <= {
        *("div", "table", "caption", "thead", "tbody", "tr", "th", "td", "bdi")
    }
    assert "mathjax_ignore" in table.attrib["class"]
    ids = [element.text for element in found.iter("bdi")]
    assert ids == [EVIL, "\u202eabc", "two\\nlines\\x00"]


def test_labels_of_domains_are_text_too() -> None:
    nodes = rvh.NodeSet(["a"], domains={"<i>": ["<b>"]})
    assert rows(nodes) == [["node", "<i>"], ["a", "<b>"]]


def test_a_partition_table() -> None:
    table = PartitionTable(["a", "b", "c"], partitions=1000, k=2)
    owned = np.bincount(table.owners.ravel(), minlength=3)
    assert rows(table) == [
        ["node", "partitions", "share"],
        *([node, str(n), f"{n / 1000:.2%}"] for node, n in zip("abc", owned, strict=True)),
    ]
    assert caption(table) == (
        "PartitionTable: 1,000 partitions, k=2, 3 nodes, blake2b; a node owns "
        f"{owned.min()} to {owned.max()}"
    )


def test_a_plan_tells_what_is_done_and_what_is_left() -> None:
    plan = Migration(rvh.NodeSet(["a"]), rvh.NodeSet(["b"])).plan(2000)
    head = ["from step", "to", "steps", ""]
    assert rows(plan) == [head, ["0", "1999", "2,000", "left"]]
    for step in (0, 1, 7):
        plan.finish(step)
    assert caption(plan) == "Plan: 3 of 2,000 steps done"
    assert rows(plan) == [
        head,
        ["0", "1", "2", "done"],
        ["2", "6", "5", "left"],
        ["7", "7", "1", "done"],
        ["8", "1999", "1,992", "left"],
    ]
    for step in range(0, 100, 2):
        plan.finish(step)
    assert rows(plan)[-1] == ["and 76 more"]


def test_an_estimate() -> None:
    estimate = Migration(rvh.NodeSet(["a", "<b>"]), rvh.NodeSet(["a", "<b>", "c"])).estimate(
        range(3000)
    )
    head, *found = rows(estimate)
    assert head == ["node", "keys before", "keys after", "keys sent", "keys received"]
    assert [row[0] for row in found] == ["a", "<b>", "c"]
    assert found[2] == ["c", "0", *([f"{estimate.moved_keys:,}", "0", f"{estimate.moved_keys:,}"])]
    assert caption(estimate).startswith(
        f"Estimate of 3,000 keys: {estimate.moved_keys:,} of 3,000 copies move ("
    )


def test_colours_and_fonts_are_the_notebook_s() -> None:
    """It would vanish in a dark theme otherwise."""
    styles = [element.get("style", "") for element in shown(small(["a", "b"])).iter()]
    assert any(styles)
    assert not [style for style in styles if "color" in style or "font" in style]


def test_the_import_does_not_load_it() -> None:
    code = "import sys, rvh; rvh.NodeSet(['a']); print('rvh._html' in sys.modules)"
    assert output(code, "-W", "ignore") == "False\n"
