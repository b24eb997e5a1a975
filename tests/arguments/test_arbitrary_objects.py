"""Arbitrary objects wherever an argument goes: an answer, or an error that rvh means to raise."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import fractions
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from anything import nested
from hypothesis import given
from hypothesis import strategies as st

import rvh
from rvh import RVHError

EXPECTED = (RVHError, TypeError)

good_nodes = st.lists(st.text("abcé", min_size=1, max_size=3), min_size=1, max_size=4, unique=True)
good_keys = st.lists(st.text(max_size=3) | st.integers(0, 9), max_size=3)


def answer(call: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """What the call gives, or None where it raises what it may."""
    try:
        return call(*args, **options)
    except EXPECTED:
        return None


@given(nodes=nested, keys=nested)
def test_nodes_and_keys(nodes: Any, keys: Any) -> None:
    for call in (rvh.select_batch, rvh.argselect_batch, rvh.score_batch):
        found = answer(call, nodes, keys)
        assert found is None or found.shape[0] == len(keys)


@given(nodes=good_nodes, keys=nested)
def test_keys(nodes: list[str], keys: Any) -> None:
    chosen = answer(rvh.argselect_batch, nodes, keys, k=len(nodes))
    scores = answer(rvh.score_batch, nodes, keys)
    assert (chosen is None) == (scores is None)
    if chosen is not None:
        assert chosen.shape == (len(keys), len(nodes))
        assert (np.sort(chosen) == np.arange(len(nodes))).all()


@given(nodes=good_nodes, key=nested)
def test_one_key_alone_and_in_a_list(nodes: list[str], key: Any) -> None:
    # The same value is taken, or refused, on every way in; and the way never decides the answer.
    alone = answer(rvh.rendezvous_hash, nodes, key)
    scores = answer(rvh.rendezvous_scores, nodes, key)
    batch = answer(rvh.select_batch, nodes, [key])
    waited = answer(lambda: asyncio.run(rvh.arendezvous_hash(nodes, key)))
    if alone is None:
        assert scores is batch is waited is None
    else:
        assert alone == [scores[0][0]] == batch[0].tolist() == waited


@given(ids=nested)
def test_node_ids(ids: Any) -> None:
    ns = answer(rvh.NodeSet, ids)
    if ns is not None:
        assert len(ns) == len(ids)
        assert sorted(ns.select("key", k=len(ns)), key=repr) == sorted(ns, key=repr)


@given(nodes=good_nodes, keys=good_keys, k=nested)
def test_k(nodes: list[str], keys: list[Any], k: Any) -> None:
    chosen = answer(rvh.argselect_batch, nodes, keys, k=k)
    assert chosen is None or chosen.shape == (len(keys), int(k))
    one = answer(rvh.rendezvous_hash, nodes, "key", k=k)
    assert (one is None) == (chosen is None)


@given(nodes=good_nodes, keys=good_keys, threads=nested)
def test_threads(nodes: list[str], keys: list[Any], threads: Any) -> None:
    chosen = answer(rvh.argselect_batch, nodes, keys, threads=threads)
    assert chosen is None or np.array_equal(chosen, rvh.argselect_batch(nodes, keys))


@given(nodes=good_nodes, secret=nested, scheme=nested, weights=nested)
def test_options(nodes: list[str], secret: Any, scheme: Any, weights: Any) -> None:
    for options in ({"secret": secret}, {"scheme": scheme}, {"weights": weights}):
        ns = answer(rvh.NodeSet, nodes, **options)
        if ns is not None:
            assert ns.select("key", k=1)


@given(nodes=good_nodes, value=nested)
def test_other_sets(nodes: list[str], value: Any) -> None:
    ns = rvh.NodeSet(nodes)
    for call in (ns.add, ns.remove, ns.subset, ns.with_weights):
        other = answer(call, value)
        assert other is None or isinstance(other, rvh.NodeSet)
    assert (value in ns) in (True, False)
    assert ns.__eq__(value) is NotImplemented
    assert list(ns) == nodes


@pytest.mark.parametrize(
    "key",
    [
        decimal.Decimal(1),
        fractions.Fraction(1),
        datetime.datetime(2020, 1, 1),
        np.array("text"),
        np.array([1]),
        str,
        ...,
    ],
    ids=repr,
)
def test_the_async_way_gives_the_same_error(key: object) -> None:
    with pytest.raises(RVHError) as plain:
        rvh.rendezvous_hash(["a", "b"], key)
    with pytest.raises(RVHError) as waited:
        asyncio.run(rvh.arendezvous_hash(["a", "b"], key))
    assert (type(plain.value), str(plain.value)) == (type(waited.value), str(waited.value))


def test_a_sequence_that_is_shorter_than_it_says() -> None:
    class Liar(list):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return 5

    with pytest.raises(RVHError, match="changed"):
        rvh.argselect_batch(["a", "b"], Liar(["x"]))
