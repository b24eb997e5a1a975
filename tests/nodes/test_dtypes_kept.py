"""What a set and a key are made of decides how they answer, whatever Python class they come in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rvh


@pytest.mark.parametrize(
    "ids",
    [
        np.array(["a", "bcd", "ef"]),
        np.array(["a", "bcd", "ef"], ">U7"),
        np.array([b"a", b"bcd", b"ef"]),
        np.array(["a", "bcd", "ef"], object),
    ],
    ids=lambda ids: str(ids.dtype),
)
def test_a_smaller_set_keeps_the_dtype(ids: np.ndarray) -> None:
    ns = rvh.NodeSet(ids)
    for smaller in (ns.subset([True, False, True]), ns.remove(ids.tolist()[1])):
        assert smaller.ids.dtype == ids.dtype
        assert smaller.ids.tolist() == [ids.tolist()[0], ids.tolist()[2]]


def test_a_set_of_objects_stays_one() -> None:
    assert rvh.NodeSet(np.array(["a"], object)).add("b").ids.dtype == object


def test_a_list_of_numpy_strings_answers_in_u() -> None:
    assert rvh.NodeSet(list(np.array(["a", "bc"]))).ids.dtype == np.dtype("U2")


def test_an_id_is_there_as_str_and_as_bytes() -> None:
    ns = rvh.NodeSet(["é", "b"])
    assert "é" in ns
    assert "é".encode() in ns
    assert "c" not in ns
    assert "\ud800" not in ns
    assert 1 not in ns


class Bytes(bytes):
    def __bytes__(self) -> bytes:
        return b"something else"


class Int(int):
    def __int__(self) -> int:
        raise ZeroDivisionError


@pytest.mark.parametrize(("key", "plain"), [(Bytes(b"key"), b"key"), (Int(7), 7)])
def test_a_subclass_does_not_speak_for_its_value(key: Any, plain: Any) -> None:
    ids = ["a", "b", "c"]
    assert rvh.rendezvous_hash(ids, key, 3) == rvh.rendezvous_hash(ids, plain, 3)
    assert rvh.select_batch(ids, [key])[0, 0] == rvh.rendezvous_hash(ids, plain)[0]


@pytest.mark.parametrize("k", [True, np.True_])
def test_a_truth_is_no_number_of_nodes(k: Any) -> None:
    with pytest.raises(rvh.RVHTypeError, match="whole number"):
        rvh.rendezvous_hash(["a", "b"], "key", k)
