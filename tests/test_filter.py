"""Filters: what holds for a node, how conditions are put together, what is refused."""

from __future__ import annotations

import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rvh
from rvh.faultset import FaultSet
from rvh.filter import Filter, alive, capacity, label, near, zone

NODES = rvh.NodeSet(
    ["a", "b", "c", "d"],
    domains={"zone": ["eu-1", "eu-2", "us-1", b"eu-1"], "rack": [1, 2, 1, 2]},
)
KNOWN: dict[str, Any] = {
    "alive": [True, False, True, np.True_],
    "capacity": [1, 2.5, None, float("nan")],
    "geohash": ["u09tv", "U09", None, "gbsuv"],
    "disk": np.array(["ssd", "hdd", "nvme-1", "[x]"]),
}


@pytest.mark.parametrize(
    ("condition", "mask"),
    [
        (alive(), [1, 0, 1, 1]),
        (zone("eu-*"), [1, 1, 0, 1]),
        (zone("eu-1", "us-?"), [1, 0, 1, 1]),
        (zone("EU-*"), [0, 0, 0, 0]),
        (label("rack", 1), [1, 0, 1, 0]),
        (label("rack", "1"), [0, 0, 0, 0]),
        (label("disk", "ssd", "nvme*"), [1, 0, 1, 0]),
        (label("disk", "[[]x]"), [0, 0, 0, 1]),
        (capacity(1), [1, 1, 0, 0]),
        (capacity(2.5), [0, 1, 0, 0]),
        (near("u09"), [1, 0, 0, 0]),
        (alive() & zone("eu-*"), [1, 0, 0, 1]),
        (alive() | zone("eu-*"), [1, 1, 1, 1]),
        (~alive(), [0, 1, 0, 0]),
        (~(alive() & ~zone("us-*")) | capacity(1), [1, 1, 1, 0]),
    ],
)
def test_what_holds(condition: Filter, mask: list[int]) -> None:
    answer = condition(NODES, KNOWN)
    assert answer.dtype == np.bool_
    assert answer.tolist() == [bool(each) for each in mask]


def test_attributes_come_before_domains() -> None:
    assert zone("x")(NODES, {"zone": ["x", "y", "x", "y"]}).tolist() == [True, False, True, False]
    assert zone("eu-1")(NODES).tolist() == [True, False, False, True]


def test_a_mask_is_what_sets_take() -> None:
    mask = (alive() & zone("eu-*"))(NODES, KNOWN)
    keys = range(20)
    among = NODES.subset(mask).select_batch(keys)
    assert (FaultSet(NODES, mask).select_batch(keys).nodes == among).all()


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("xyz")), min_size=1, max_size=20))
def test_they_are_boolean_algebra(rows: list[tuple[bool, str]]) -> None:
    nodes = rvh.NodeSet([f"n{i}" for i in range(len(rows))])
    known = {"alive": [up for up, _ in rows], "zone": [name for _, name in rows]}
    up, x = alive(), zone("x")
    assert ((~(up & x))(nodes, known) == (~up | ~x)(nodes, known)).all()
    assert (x(nodes, known) == [name == "x" for _, name in rows]).all()
    assert ((up | x)(nodes, known) == [a or name == "x" for a, name in rows]).all()


def test_attributes_of_every_kind_of_column() -> None:
    pa, pd, pl = map(pytest.importorskip, ("pyarrow", "pandas", "polars"))
    nodes = rvh.NodeSet(["a", "b", "c"])
    for zones in (
        pa.array(["eu-1", None, "us-1"]),
        pa.chunked_array([["eu-1"], [None, "us-1"]]),
        pa.array(["eu-1", None, "us-1"]).dictionary_encode(),
        pd.Series(["eu-1", None, "us-1"]),
        pd.Series(["eu-1", None, "us-1"], dtype="category"),
        pd.Series(["eu-1", pd.NA, "us-1"], dtype=object),
        pl.Series(["eu-1", None, "us-1"]),
    ):
        assert zone("eu-*")(nodes, {"zone": zones}).tolist() == [True, False, False]
    for cores in (
        pa.array([8, None, 2]),
        pd.Series([8, None, 2]),
        pd.Series([8, None, 2], dtype="Int64"),
        np.ma.array([8, 9, 2], mask=[0, 1, 0]),
        [Decimal(8), None, Fraction(2)],
    ):
        assert capacity(4, "cores")(nodes, {"cores": cores}).tolist() == [True, False, False]
    for up in (
        pa.array([True, False, True]),
        pd.Series([True, False, True]),
        np.array([1, 0, 1]) > 0,
    ):
        assert alive()(nodes, {"alive": up}).tolist() == [True, False, True]


@pytest.mark.parametrize(
    "condition",
    [alive(), alive("up"), zone("a", 3), label("disk", "ssd"), capacity(3), capacity(1.5, "cores"),
     near("u09"), near("u0", "place"), alive() & ~zone("x") | near("u")],
)  # fmt: skip
def test_they_are_values_and_read_like_what_made_them(condition: Filter) -> None:
    assert eval(repr(condition)) == condition
    assert pickle.loads(pickle.dumps(condition)) == condition
    assert len({condition, eval(repr(condition))}) == 1


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: alive()(NODES), ValueError, "no attribute 'alive'.*there are: 'zone', 'rack'"),
        (lambda: alive()(rvh.NodeSet(["a"])), ValueError, "there are: none"),
        (lambda: alive()(NODES, {"alive": [True]}), ValueError, "1 values for 4 nodes"),
        (lambda: alive()(NODES, {"alive": True}), TypeError, "one value for each node"),
        (lambda: alive()(NODES, {"alive": "yes!"}), TypeError, "one value for each node"),
        (lambda: alive()(NODES, {"alive": [True, 1, True, True]}), TypeError, "node 'b'.*is 1 of"),
        (lambda: alive()(NODES, [True] * 4), TypeError, "attributes is of type list"),
        (lambda: alive()(["a"]), TypeError, "nodes is of type list"),
        (lambda: alive(""), TypeError, "column is ''"),
        (lambda: label("zone"), ValueError, "has no pattern"),
        (lambda: label(3, "x"), TypeError, "name is 3"),
        (lambda: zone(1.5), TypeError, "pattern 0 is 1.5"),
        (lambda: zone("x")(NODES, {"zone": ["x", 1.5, "x", "x"]}), TypeError, "node 'b'.*1.5"),
        (lambda: capacity("3"), TypeError, "at_least is '3'"),
        (lambda: capacity(float("nan")), ValueError, "at_least is NaN"),
        (lambda: capacity(1)(NODES, {"capacity": [1, "2", 3, 4]}), TypeError, "node 'b'.*'2'"),
        (lambda: zone("x")(NODES, {"zone": {"a": "x"}}), TypeError, "in the order of the ids"),
        (lambda: zone("x")(NODES, {"zone": {"x", "y"}}), TypeError, "attribute 'zone' is {"),
        (lambda: zone("x")(NODES, {"zone": np.array("abcd")}), TypeError, "attribute 'zone' is"),
        (lambda: capacity(10**400), ValueError, "at_least is .*more than a double"),
        (lambda: capacity(np.array([1, 2])), TypeError, "at_least is .*pass one number"),
        (lambda: capacity(np.complex128(1j)), TypeError, "at_least is .*pass a number"),
        (
            lambda: capacity(1)(NODES, {"capacity": [10**400, 2, 3, 4]}),
            ValueError,
            "the 'capacity' value of node 'a' .position 0. is .*more than a double",
        ),
        (
            lambda: capacity(1)(NODES, {"capacity": [Decimal("sNaN"), 2, 3, 4]}),
            TypeError,
            "node 'a' .position 0. is .*which is not a number",
        ),
        (lambda: near("u0a"), ValueError, "prefix is 'u0a'"),
        (lambda: near("U0"), ValueError, "in lower case"),
        (lambda: near(""), ValueError, "prefix is ''"),
        (lambda: near("0" * 13), ValueError, "1 to 12"),
        (lambda: near(b"u0"), TypeError, "pass a geohash as a str"),
        (lambda: bool(alive()), TypeError, "neither true nor false"),
        (lambda: alive() and zone("x"), TypeError, "with & | ~ instead of and"),
    ],
)
def test_bad_input(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words) as caught:
        call()
    assert isinstance(caught.value, error)


def test_only_filters_go_with_filters() -> None:
    with pytest.raises(TypeError):
        alive() & True  # type: ignore[operator]
    with pytest.raises(TypeError):
        alive() | [True]  # type: ignore[operator]
