"""Where a secret is, and where it is not: it is an attribute and in pickles, and nowhere else."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rvh
from rvh import report
from rvh.balanced import BalancedAssigner
from rvh.cache import SelectionCache
from rvh.faultset import FaultSet
from rvh.geohash import GeoSet
from rvh.migration import Migration
from rvh.partitions import PartitionTable
from rvh.ring import RingFace

SECRET = b"a placement s3cret"
NODES = rvh.NodeSet(["a", "b", "c"], secret=SECRET)
MADE: dict[str, Callable[[], Any]] = {
    "NodeSet": lambda: NODES,
    "FaultSet": lambda: FaultSet(NODES, domains={"zone": [1, 1, 2]}),
    "PartitionTable": lambda: PartitionTable(NODES, 8),
    "SelectionCache": lambda: SelectionCache(NODES, maxsize=9),
    "BalancedAssigner": lambda: BalancedAssigner(NODES),
    "GeoSet": lambda: GeoSet(NODES, geohash=["u33", "u33", "9q8"]),
    "RingFace": lambda: RingFace(NODES),
    "Migration": lambda: Migration(NODES, NODES.remove("c")),
    "Estimate": lambda: Migration(NODES, NODES.remove("c")).estimate(["a key"]),
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_shown_has_no_secret(name: str) -> None:
    made = MADE[name]()
    shown = [repr(made), str(made), f"{made}"]
    shown += [made._repr_html_()] if hasattr(made, "_repr_html_") else []
    assert not [text for text in shown if "s3cret" in text or SECRET.hex() in text]


CALLS: dict[str, Callable[[], Any]] = {
    "k": lambda: NODES.select("x", 9),
    "a key": lambda: NODES.select(1.5),  # type: ignore[arg-type]
    "an id": lambda: NODES.remove("zzz"),
    "twice": lambda: NODES.add("a"),
    "a scheme": lambda: rvh.NodeSet(["a"], scheme="murmur", secret=SECRET),
    "too long": lambda: rvh.NodeSet(["a"], secret=SECRET * 4),
    "text": lambda: rvh.NodeSet(["a"], secret=SECRET.decode()),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", CALLS)
def test_errors_have_no_secret(name: str) -> None:
    with pytest.raises(rvh.RVHError) as caught:
        CALLS[name]()
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_a_table_and_a_report_have_no_secret(tmp_path: Path) -> None:
    PartitionTable(NODES, 8).save(tmp_path / "table.npz")
    estimate = Migration(NODES, NODES.remove("c")).estimate(["a key"])
    report.write_report(estimate, tmp_path / "page.html")
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert NODES.fingerprint.encode("utf-32-le") in content  # as NumPy writes text
    assert not [code for code in ("utf-8", "utf-32-le") if "s3cret".encode(code) in content]


def test_it_is_an_attribute_and_in_pickles() -> None:
    assert NODES.secret == SECRET
    assert SECRET in pickle.dumps(NODES)
