"""What rendezvous hashing is for: a change of the nodes moves only what it has to move."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import rvh

ids = st.lists(st.text("abcé€", min_size=1, max_size=4), min_size=2, max_size=20, unique=True)
keys = st.lists(st.text(max_size=8) | st.integers(-(2**63), 2**64 - 1), min_size=1, max_size=40)


@given(nodes=ids, keys=keys, data=st.data())
def test_a_removed_node_moves_only_its_own_keys(
    nodes: list[str], keys: list[str | int], data: st.DataObject
) -> None:
    ns = rvh.NodeSet(nodes)
    gone = data.draw(st.sampled_from(nodes))
    k = data.draw(st.integers(1, len(nodes) - 1))
    full = ns.select_batch(keys, k=len(nodes)).tolist()
    rest = ns.remove(gone).select_batch(keys, k=k).tolist()
    # The ranking of the others is unchanged, so each lost place goes to the next in rank.
    assert rest == [[node for node in row if node != gone][:k] for row in full]


@given(nodes=ids, keys=keys, new=st.text("xyz", min_size=1))
def test_an_added_node_takes_keys_and_gives_none_away(
    nodes: list[str], keys: list[str | int], new: str
) -> None:
    ns = rvh.NodeSet(nodes)
    before = ns.select_batch(keys)[:, 0]
    after = ns.add(new).select_batch(keys)[:, 0]
    moved = before != after
    assert (after[moved] == new).all()


@given(nodes=ids, keys=keys, data=st.data())
def test_a_subset_ranks_as_the_whole_does(
    nodes: list[str], keys: list[str | int], data: st.DataObject
) -> None:
    mask = data.draw(st.lists(st.booleans(), min_size=len(nodes), max_size=len(nodes)))
    mask[0] = True
    ns = rvh.NodeSet(nodes)
    full = ns.select_batch(keys, k=len(nodes)).tolist()
    kept = {node for node, keep in zip(nodes, mask, strict=True) if keep}
    chosen = ns.subset(mask).select_batch(keys, k=len(kept)).tolist()
    assert chosen == [[node for node in row if node in kept] for row in full]


def test_every_node_gets_its_share() -> None:
    # 20000 keys on 10 nodes: 2000 each, with a standard deviation of 42.
    chosen = rvh.argselect_batch([f"node{n}" for n in range(10)], np.arange(20_000))
    counts = np.bincount(chosen[:, 0], minlength=10)
    assert counts.sum() == 20_000
    assert (abs(counts - 2000) < 5 * 42.5).all()
