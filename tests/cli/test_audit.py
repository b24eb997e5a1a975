"""Who has which keys against who has to have them: as a slow comparison of sets says."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from rvh.cli import audit
from rvh.cli.audit import Audit, Sides

NODES, COLUMNS = 6, 4


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rows", [0, 1, 3000])
def test_an_audit_is_a_comparison_of_sets(seed: int, rows: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(audit, "ROWS", 500)  # several buckets
    rng = np.random.default_rng(seed)
    belongs = rng.integers(-1, NODES, (400, COLUMNS))
    needed, telling = rng.random(COLUMNS) < 0.6, rng.random(COLUMNS) < 0.6
    keys, holders = rng.integers(0, 400, rows), rng.integers(0, NODES, rows)
    sums = [str(number) for number in rng.integers(0, 2, rows)]
    made = Audit()
    for part in np.array_split(np.arange(rows), 3):
        if len(part):
            sides = Sides(belongs[keys[part]], needed, telling)
            made.add(keys[part], holders[part], sides, [sums[row] for row in part])
    found = made.found()

    held, first = defaultdict(set), {}
    values = defaultdict(set)
    strays = 0
    for row, (key, holder) in enumerate(zip(keys.tolist(), holders.tolist(), strict=True)):
        held[key].add(holder)
        first.setdefault(key, row)
        places = np.flatnonzero(belongs[key] == holder)
        strays += len(places) == 0
        if (needed | telling)[places].any():
            values[key].add(sums[row])
    wanted: dict[str, Any] = {"missing": {}, "different": [], "other": []}
    keys_there = copies = others = missing = 0
    for key, row in first.items():
        must = {*belongs[key][needed].tolist()} - {-1}
        tells = {*belongs[key][telling].tolist()} - {-1}
        ever = {*belongs[key].tolist()} - {-1}
        elsewhere = held[key] & (ever - must - tells)
        others += len(elsewhere)
        wanted["other"] += [row] * bool(elsewhere)
        if held[key] & tells:
            keys_there += 1
            copies += len(held[key] & must)
            missing += len(must - held[key])
            if must - held[key]:
                wanted["missing"][row] = must - held[key]
            if len(values[key]) > 1:
                wanted["different"].append(row)
    assert found[:6] == (keys_there, copies, missing, len(wanted["different"]), others, strays)
    assert found.different_rows.tolist() == sorted(wanted["different"])
    assert found.other_rows.tolist() == sorted(wanted["other"])
    assert found.missing_rows.tolist() == sorted(wanted["missing"])
    for row, bits in zip(found.missing_rows.tolist(), found.missing_bits.tolist(), strict=True):
        columns = [column for column in range(COLUMNS) if bits >> column & 1]
        assert {*belongs[keys[row]][columns].tolist()} == wanted["missing"][row]
