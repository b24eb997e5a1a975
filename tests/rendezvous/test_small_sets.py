"""Sets of any few nodes and keys, by the contract: every face of a selection, whatever the lengths.

The kernels have ways of their own for few nodes, for one length and for several, and for one key.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import examples

import rvh

#: mostly short, and around a block, with an id or a key in front of it or behind
LENGTHS = st.integers(0, 20) | st.integers(110, 130) | st.sampled_from([250, 1023, 1024, 1025])
WEIGHTS = st.sampled_from([0.0, 1.0, 1.0, 1.0 + 2.0**-52, 3.0, 2.0**-1000, 2.0**960])


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    scheme = draw(st.sampled_from(["blake2b", "murmur"]))
    lengths = st.just(draw(st.integers(1, 40))) if draw(st.booleans()) else LENGTHS
    ids = [
        bytes([65 + n]) + draw(st.binary(max_size=1)) * draw(lengths)
        for n in range(draw(st.integers(1, 20)))
    ]
    weights = draw(st.none() | st.lists(WEIGHTS, min_size=len(ids), max_size=len(ids)))
    if weights is not None:
        weights[0] = 1.0
    fixed = st.binary(min_size=8, max_size=8)
    mixed = st.builds(lambda byte, size: bytes([byte]) * size, st.integers(0, 255), LENGTHS)
    keys = draw(st.lists(fixed, max_size=40) | st.lists(mixed | st.integers(-3, 3), max_size=20))
    options: dict[str, Any] = {"scheme": scheme, "weights": weights}
    if scheme == "blake2b":
        options["secret"] = draw(st.just(b"") | st.binary(max_size=64))
    return {"ids": ids, "keys": keys, "options": options}


@given(case=cases(), data=st.data())
@settings(max_examples=examples(200))
def test_every_face_of_a_selection(case: dict[str, Any], data: st.DataObject) -> None:
    ids, keys, options = case["ids"], case["keys"], case["options"]
    ns = rvh.NodeSet(ids, **options)
    ranked = reference.rankings(ids, keys, **options)
    k = data.draw(st.just(1) | st.integers(1, ranked.shape[1]))
    expected = [[ids[n] for n in row[:k]] for row in ranked.tolist()]
    assert np.array_equal(ns.argselect_batch(keys, k), ranked[:, :k])
    assert ns.select_batch(keys, k).tolist() == expected
    assert [ns.select(key, k) for key in keys] == expected
    if all(isinstance(key, bytes) for key in keys) and keys:
        padded = np.array(keys)
        ranked = reference.rankings(ids, padded.tolist(), **options)
        assert np.array_equal(ns.argselect_batch(padded, k), ranked[:, :k])
        assert np.array_equal(ns.argselect_batch(padded[::-1], k), ranked[::-1, :k])
