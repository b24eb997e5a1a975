"""One node for each key: the first column of a selection, as one column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rvh

IDS: dict[str, Any] = {
    "text": ["alpha", "beta", "gamma"],
    "bytes": [b"alpha", b"beta"],
    "mixed": ["alpha", b"beta", "gamma\0"],
    "S array": np.array([b"a", b"bb", b"ccc"]),
}
keys = st.lists(st.text(max_size=4) | st.integers(-(2**63), 2**64 - 1), max_size=60)


@given(
    keys=keys, scheme=st.sampled_from(["blake2b", "murmur"]), dedupe=st.sampled_from([True, "auto"])
)
@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
def test_it_is_the_first_column_of_a_selection(
    ids: Any, keys: list[str | int], scheme: str, dedupe: Any
) -> None:
    nodes = rvh.NodeSet(ids, weights=range(1, len(ids) + 1), scheme=scheme)
    names, positions = nodes.assign(keys, dedupe=dedupe), nodes.argassign(keys, threads=2)
    assert names.shape == positions.shape == (len(keys),)
    assert (names.dtype, positions.dtype) == (nodes.ids.dtype, np.intp)
    assert names.tolist() == nodes.select_batch(keys)[:, 0].tolist()
    assert names.tolist() == nodes.ids[positions].tolist()
    assert [[name] for name in names.tolist()] == [nodes.select(key) for key in keys]


def test_the_functions_are_the_methods() -> None:
    options: dict[str, Any] = {"weights": [1, 2, 3], "secret": b"s", "dedupe": True, "threads": 2}
    set_of = rvh.NodeSet(["a", "b", "c"], weights=[1, 2, 3], secret=b"s")
    assert (rvh.assign(["a", "b", "c"], range(99), **options) == set_of.assign(range(99))).all()
    positions = rvh.argassign(["a", "b", "c"], range(99), **options)
    assert (positions == set_of.argassign(range(99))).all()


def test_columns_of_tables() -> None:
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    nodes = rvh.NodeSet(["alpha", "beta", "gamma"])
    frame = pd.DataFrame({"key": [f"user:{n}" for n in range(100)]})
    frame["node"] = nodes.assign(frame["key"])
    frame["cheap"] = pd.Categorical.from_codes(nodes.argassign(frame["key"]), list(nodes))
    assert frame["node"].tolist() == frame["cheap"].tolist()
    assert frame["node"].tolist() == nodes.select_batch(frame["key"].tolist())[:, 0].tolist()


@pytest.mark.parametrize("method", ["assign", "argassign"])
def test_bad_keys_are_told_as_everywhere(method: str) -> None:
    call = getattr(rvh.NodeSet(["a", "b"]), method)
    with pytest.raises(rvh.RVHTypeError, match="key at position 1"):
        call(["x", None])
    with pytest.raises(rvh.RVHError, match="threads is 0"):
        call(["x"], threads=0)
    with pytest.raises(rvh.RVHError, match="dedupe is 2"):
        call(["x"], dedupe=2)
