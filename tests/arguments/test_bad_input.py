"""Bad input gets an error that says what was wrong, where, and what to do.

One table: what is called -> the class of the error and what its message has to name.
"""

from __future__ import annotations

import datetime
import math
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import rvh
from rvh import RVHError, RVHTypeError
from rvh._batch import threads as _threads
from rvh.weighted import weights_from

NODES = ["a", "b", "c"]
SET = rvh.NodeSet(NODES)
NAN = float("nan")


def select(*keys: object, **options: Any) -> Callable[[], object]:
    return lambda: rvh.argselect_batch(NODES, list(keys), **options)


def batch(keys: object, **options: Any) -> Callable[[], object]:
    return lambda: rvh.argselect_batch(NODES, keys, **options)


def one(key: object, **options: Any) -> Callable[[], object]:
    return lambda: rvh.rendezvous_hash(NODES, key, **options)


def nodes(*args: object, **options: Any) -> Callable[[], object]:
    return lambda: rvh.NodeSet(*args, **options)


def weigh_as(weights: Any) -> Callable[[], object]:
    return lambda: rvh.NodeSet(list("abcdefgh")[: len(weights)], weights=weights)


def weigh(*weights: object) -> Callable[[], object]:
    return weigh_as(list(weights))


RELEASED = memoryview(b"ab")
RELEASED.release()
SQUARE = memoryview(b"abcd").cast("B", (2, 2))
NO_TEXT = np.array([0x110000, 0x61], np.uint32).view("U1")
EMPTY = type("Empty", (list,), {"__iter__": lambda self: iter(())})(["a", "b"])

VALUE, TYPE = RVHError, RVHTypeError

#: a name, the call, the class, what the message names in this order
CASES: list[tuple[str, Callable[[], object], type[RVHError], list[str]]] = [
    # nodes
    ("no nodes", nodes([]), VALUE, ["no nodes", "at least one"]),
    ("no nodes, array", nodes(np.array([], "U3")), VALUE, ["no nodes"]),
    ("no nodes, function", lambda: rvh.select_batch([], ["k"]), VALUE, ["no nodes"]),
    ("one str as nodes", nodes("node1"), TYPE, ["str", "'node1'", "list"]),
    ("one bytes as nodes", nodes(b"node1"), TYPE, ["bytes", "b'node1'", "list"]),
    ("a set of nodes", nodes({"a", "b"}), TYPE, ["set", "sorted"]),
    ("a dict of nodes", nodes({"a": 1}), TYPE, ["dict", "list"]),
    ("a generator of nodes", nodes(c for c in "ab"), TYPE, ["generator", "list"]),
    ("no nodes at all", nodes(None), TYPE, ["NoneType", "list"]),
    ("a duplicate", nodes(["x", "y", "z", "y"]), VALUE, ["'y'", "1", "3", "unique"]),
    ("the first duplicate", nodes(["x", "y", "y", "x"]), VALUE, ["'y'", "1", "2"]),
    ("a str and its bytes", nodes(["é", "é".encode()]), VALUE, ["'é'", "0", "1", "UTF-8"]),
    ("a duplicate in S", nodes(np.array([b"q", b"q"])), VALUE, ["'q'", "0", "1"]),
    ("a duplicate in U", nodes(np.array(["p", "q", "q"])), VALUE, ["'q'", "1", "2"]),
    ("an empty id", nodes(["a", "", "b"]), VALUE, ["position 1", "empty", "non-empty"]),
    ("an empty id in S", nodes(np.array([b"a", b""])), VALUE, ["position 1", "empty"]),
    ("an id of NULs in U", nodes(np.array(["a", "\0"])), VALUE, ["position 1", "empty"]),
    ("an id as int", nodes(["a", 7]), TYPE, ["position 1", "int", "7", "str or bytes"]),
    ("an id as None", nodes([None]), TYPE, ["position 0", "None", "str or bytes"]),
    ("an id as float", nodes(["a", NAN]), TYPE, ["position 1", "float", "nan"]),
    ("ids as integers", nodes(np.arange(3)), TYPE, ["int64", "astype(str)"]),
    ("ids as floats", nodes(np.ones(3)), TYPE, ["nodes", "float64", "cast"]),
    ("ids in two dimensions", nodes(np.array([["a"]])), VALUE, ["nodes", "(1, 1)"]),
    ("a surrogate in an id", nodes(["a", "\ud800"]), VALUE, ["position 1", "surrogate", "U+D800"]),
    ("a surrogate in U", nodes(np.array(["a", "b\udfff"])), VALUE, ["position 1", "U+DFFF"]),
    ("too few weights", nodes(["a", "b"], weights=[1.0]), VALUE, ["weights", "(1,)", "(2,)"]),
    ("too many weights", nodes(["a"], weights=[1, 2]), VALUE, ["weights", "(2,)", "(1,)"]),
    ("ragged weights", nodes(["a", "b"], weights=[[1], [1, 2]]), VALUE, ["weights"]),
    ("weights of nobody", nodes(["a"], weights=[]), VALUE, ["weights", "(0,)", "(1,)"]),
    ("weights in 2-D", nodes(["a", "b"], weights=[[1, 2]]), VALUE, ["weights", "(1, 2)", "(2,)"]),
    ("one weight in 2-D", nodes(["a"], weights=[[1]]), VALUE, ["weights", "(1, 1)", "(1,)"]),
    ("a weight for all", nodes(["a"], weights=3.0), TYPE, ["weights is 3.0", "each node"]),
    ("weights as str", nodes(["a", "b"], weights="12"), TYPE, ["weights", "str", "'12'"]),
    ("weights as bytes", nodes(["a", "b"], weights=b"12"), TYPE, ["weights", "bytes"]),
    ("a dict without a node", nodes(["a", "b"], weights={"a": 1}), VALUE, ["no weight", "'b'"]),
    ("a dict with another", nodes(["a"], weights={"a": 1, "b": 2}), VALUE, ["'b'", "not one of"]),
    ("a dict with a node twice", nodes(["a"], weights={"a": 1, b"a": 2}), VALUE, ["b'a'", "twice"]),
    ("a dict of positions", nodes(["a"], weights={0: 1}), TYPE, ["key 0", "int", "node ids"]),
    ("a dict with a str", nodes(["a", "b"], weights={"b": 1, "a": "2"}), TYPE, ["node 'a'", "'2'"]),
    ("a dict with a bad id", nodes(["a"], weights={"\ud800": 1}), VALUE, ["in weights", "U+D800"]),
    ("weights as set", nodes(["a"], weights={1}), TYPE, ["weights", "set"]),
    ("weights as generator", nodes(["a"], weights=(w for w in [1])), TYPE, ["weights"]),
    ("a weight of None", weigh(1, None), TYPE, ["node 'b'", "position 1", "None"]),
    ("a weight as str", weigh("1", "2"), TYPE, ["node 'a'", "position 0", "'1'", "str"]),
    ("a weight as object str", weigh(1, None, "2"), TYPE, ["node 'b'", "position 1"]),
    ("a weight as bytes", weigh(b"1", b"2"), TYPE, ["node 'a'", "position 0", "bytes"]),
    ("weights as bool", weigh(True, False), TYPE, ["node 'a'", "position 0", "True", "bool"]),
    ("a bool beside a None", weigh(1, True, None), TYPE, ["node 'b'", "True", "bool"]),
    ("a complex weight", weigh(1j, 1), TYPE, ["node 'a'", "position 0", "complex"]),
    ("weights as dates", weigh_as(np.array([1, 2], "M8[s]")), TYPE, ["node 'a'", "datetime"]),
    ("weights as spans", weigh_as(np.array([1, 2], "m8[s]")), TYPE, ["node 'a'", "timedelta"]),
    ("weights as records", weigh_as(np.zeros(2, "i4,i4")), TYPE, ["node 'a'", "tuple"]),
    ("weights as a U array", weigh_as(np.array(["1", "2"])), TYPE, ["node 'a'", "'1'", "str"]),
    ("a masked weight", weigh_as(np.ma.array([1, 2], mask=[0, 1])), VALUE, ["mask", "node 'b'"]),
    ("a signalling NaN", weigh(1, Decimal("sNaN")), TYPE, ["node 'b'", "position 1", "sNaN"]),
    ("a NaN weight", weigh(1, NAN), VALUE, ["node 'b'", "position 1", "nan", "finite"]),
    ("an infinite weight", weigh(math.inf, 1), VALUE, ["node 'a'", "position 0", "inf", "finite"]),
    ("a negative weight", weigh(1, -2.5), VALUE, ["node 'b'", "position 1", "-2.5", "0 or more"]),
    ("a weight a little below 0", weigh(1, -5e-324), VALUE, ["node 'b'", "-5e-324", "0 or more"]),
    ("minus infinity", weigh(-math.inf, 1), VALUE, ["node 'a'", "-inf", "finite"]),
    ("the first of two kinds", weigh(1, 1, -1, NAN), VALUE, ["node 'd'", "position 3", "nan"]),
    ("too heavy", weigh(1, math.nextafter(2.0**970, 1e300)), VALUE, ["node 'b'", "2^970"]),
    ("too light", weigh(math.nextafter(2.0**-1016, 0), 1), VALUE, ["node 'a'", "2^-1016"]),
    ("the least double", weigh(1, 5e-324), VALUE, ["node 'b'", "5e-324", "2^-1016"]),
    ("the largest double", weigh(1, sys.float_info.max), VALUE, ["node 'b'", "2^970"]),
    ("an integer beyond", weigh(1, 10**400), VALUE, ["node 'b'", "more than a double holds"]),
    ("a longdouble beyond", weigh(1, np.longdouble("1e999")), VALUE, ["node 'b'", "finite"]),
    ("a Decimal beyond", weigh(1, Decimal("1e999")), VALUE, ["node 'b'", "finite"]),
    ("nothing but zero", weigh(0, 0.0, -0.0), VALUE, ["every weight is 0", "at least one"]),
    ("zero alone", weigh(0), VALUE, ["every weight is 0"]),
    ("a long id and a bad weight", nodes(["x" * 9999], weights=[-1]), VALUE, ["'xxx", "-1"]),
    ("weights of murmur", nodes(["a"], scheme="murmur", weights=[NAN]), VALUE, ["node 'a'", "nan"]),
    ("weights of a function", lambda: rvh.select_batch(["a"], [], weights=[-1]), VALUE, ["-1"]),
    ("k of zero weights", lambda: rvh.rendezvous_hash(NODES, "k", 3, weights=[1, 0, 1]), VALUE,
     ["k is 3", "3 nodes", "2 of them", "above 0", "1 <= k <= 2"]),
    ("a secret of murmur", nodes(["a"], scheme="murmur", secret=b"s"), VALUE, ["secret", "murmur"]),
    ("a scheme", nodes(["a"], scheme="md5"), VALUE, ["scheme", "'md5'", "blake2b"]),
    ("no scheme", nodes(["a"], scheme=None), VALUE, ["scheme", "None", "blake2b"]),
    ("a long secret", nodes(["a"], secret=bytes(65)), VALUE, ["secret", "65", "64"]),
    ("a text secret", nodes(["a"], secret="s"), TYPE, ["secret", "str", "encode"]),
    ("no secret", nodes(["a"], secret=None), TYPE, ["secret", "NoneType", "bytes"]),
    # k
    ("k of 0", select("x", k=0), VALUE, ["k is 0", "3 nodes", "1 <= k <= 3"]),
    ("k below 0", select("x", k=-1), VALUE, ["k is -1", "1 <= k <= 3"]),
    ("k above N", select("x", k=4), VALUE, ["k is 4", "3 nodes", "1 <= k <= 3"]),
    ("k far above N", select("x", k=2**70), VALUE, ["k is", "1 <= k <= 3"]),
    ("k as float", select("x", k=1.0), TYPE, ["k is 1.0", "whole number"]),
    ("k as str", select("x", k="1"), TYPE, ["k is '1'", "whole number"]),
    ("k as None", select("x", k=None), TYPE, ["k is None", "whole number"]),
    ("k of 0, one key", one("x", k=0), VALUE, ["k is 0", "1 <= k <= 3"]),
    ("k above N, one key", one("x", k=4), VALUE, ["k is 4", "1 <= k <= 3"]),
    ("k as float, one key", one("x", k=2.5), TYPE, ["k is 2.5", "whole number"]),
    ("k without keys", select(k=4), VALUE, ["k is 4", "1 <= k <= 3"]),
    # threads
    ("threads of 0", select("x", threads=0), VALUE, ["threads is 0", "from 1"]),
    ("threads below 0", select("x", threads=-2), VALUE, ["threads is -2", "from 1"]),
    ("threads as float", select("x", threads=1.5), TYPE, ["threads is 1.5", "whole"]),
    ("threads as bool", select("x", threads=True), TYPE, ["threads is True", "whole"]),
    ("threads as str", select("x", threads="2"), TYPE, ["threads is '2'", "whole"]),
    # keys
    ("bool", select("x", True), TYPE, ["position 1", "bool", "True", "cast"]),
    ("NumPy bool", select(np.False_), TYPE, ["position 0", "bool", "cast"]),
    ("float", select("x", "y", 1.5), TYPE, ["position 2", "float", "1.5", "cast"]),
    ("NumPy float", select(np.float32(1)), TYPE, ["position 0", "numpy.float32", "cast"]),
    ("None", select("x", None), TYPE, ["position 1", "NoneType", "fill it", "select_arrow"]),
    ("NaN", select("x", NAN), TYPE, ["position 1", "float", "nan", "fill it"]),
    ("Decimal", select(Decimal(1)), TYPE, ["position 0", "decimal.Decimal", "cast"]),
    ("date", select(datetime.date(2020, 1, 1)), TYPE, ["position 0", "datetime.date"]),
    ("datetime64", select(np.datetime64(1, "s")), TYPE, ["position 0", "datetime64"]),
    ("timedelta64", select(np.timedelta64(1, "s")), TYPE, ["position 0", "timedelta64"]),
    ("timedelta64, ns", select(np.timedelta64(1, "ns")), TYPE, ["position 0", "timedelta64"]),
    ("timedelta64, no unit", select(np.timedelta64(1)), TYPE, ["position 0", "timedelta64"]),
    ("NaT", select("x", np.timedelta64("NaT")), TYPE, ["position 1", "timedelta64"]),
    ("complex", select(1j), TYPE, ["position 0", "complex", "cast"]),
    ("ragged", select(["a"], ["b", "c"]), TYPE, ["position 0", "list", "one dimension"]),
    ("a tuple", select("x", ("a", 1)), TYPE, ["position 1", "tuple", "composite"]),
    ("an array", select(np.array(["a"])), TYPE, ["position 0", "ndarray", "one dimension"]),
    ("surrogate", select("x", "é\ud800"), VALUE, ["position 1", "U+D800", "character 1", "bytes"]),
    ("too large", select(0, 2**64), VALUE, ["position 1", "18446744073709551616", "str(key)"]),
    ("too small", select(-(2**63) - 1), VALUE, ["position 0", "-9223372036854775809", "str(key)"]),
    ("far too large", select(10**400), VALUE, ["position 0", "outside", "str(key)"]),
    ("None, array", batch(np.array(["x", None], object)), TYPE, ["position 1", "NoneType"]),
    ("NaN, array", batch(np.array(["x", NAN], object)), TYPE, ["position 1", "float", "nan"]),
    ("surrogate, array", batch(np.array(["x", "\ud800"])), VALUE, ["position 1", "U+D800"]),
    ("surrogate, swapped", batch(np.array(["x", "\udc00"], ">U1")), VALUE, ["position 1", "DC00"]),
    ("bool array", batch(np.array([True])), TYPE, ["array of bool", "cast", "astype"]),
    ("float array", batch(np.ones(2)), TYPE, ["array of float64", "cast", "astype"]),
    ("complex array", batch(np.ones(2, "c8")), TYPE, ["array of complex64", "cast", "astype"]),
    ("dates array", batch(np.array([1], "M8[s]")), TYPE, ["datetime64[s]", "cast", "astype"]),
    ("spans array", batch(np.array([1], "m8[s]")), TYPE, ["timedelta64[s]", "cast", "astype"]),
    ("record array", batch(np.zeros(2, "i4,i4")), TYPE, ["array of", "cast", "field"]),
    ("2-D", batch(np.ones((2, 2), int)), VALUE, ["shape (2, 2)", "one dimension", "ravel"]),
    ("0-D", batch(np.array("key")), VALUE, ["shape ()", "one dimension"]),
    ("a masked array", batch(np.ma.array([1, 2], mask=[0, 1])), TYPE, ["null", "position 1"]),
    ("one str as keys", batch("key"), TYPE, ["one str", "'key'", "list"]),
    ("one bytes as keys", batch(b"key"), TYPE, ["one bytes", "b'key'", "list"]),
    ("one memoryview as keys", batch(memoryview(b"key")), TYPE, ["one memoryview", "list"]),
    ("one int as keys", batch(7), TYPE, ["int", "list"]),
    ("None as keys", batch(None), TYPE, ["NoneType", "list"]),
    ("a set as keys", batch({"a"}), TYPE, ["set", "list"]),
    ("a dict as keys", batch({"a": 1}), TYPE, ["dict", "list"]),
    ("a generator as keys", batch(c for c in "ab"), TYPE, ["generator", "list"]),
    ("one bool", one(True), TYPE, ["key", "bool", "True"]),
    ("one float", one(1.5), TYPE, ["key", "float", "1.5"]),
    ("one None", one(None), TYPE, ["key", "NoneType"]),
    ("one list", one(["a"]), TYPE, ["key", "list", "composite"]),
    ("one surrogate", one("\udfff"), VALUE, ["key", "surrogate", "U+DFFF"]),
    ("one too large", one(2**64), VALUE, ["key", "outside", "str(key)"]),
    ("one span", one(np.timedelta64(1, "D")), TYPE, ["key", "timedelta64"]),
    # a NodeSet beside its own options
    ("secret twice", lambda: rvh.select_batch(SET, [], secret=b""), VALUE, ["secret", "NodeSet"]),
    ("scheme twice", lambda: rvh.score_batch(SET, [], scheme="blake2b"), VALUE, ["scheme"]),
    ("weights twice", lambda: rvh.rendezvous_hash(SET, "k", weights=[1]), VALUE, ["weights"]),
    # other sets
    ("remove an unknown id", lambda: SET.remove("z"), VALUE, ["'z'", "not in the set"]),
    ("remove an id twice", lambda: SET.remove(["a", "a"]), VALUE, ["'a'", "not in the set"]),
    ("remove all", lambda: SET.remove(NODES), VALUE, ["no nodes"]),
    ("remove a number", lambda: SET.remove(5), TYPE, ["int"]),
    ("add an id that is there", lambda: SET.add("b"), VALUE, ["'b'", "1", "3"]),
    ("add a number", lambda: SET.add(5), TYPE, ["int"]),
    ("add None", lambda: SET.add([None]), TYPE, ["NoneType"]),
    ("a mask of numbers", lambda: SET.subset([1, 0, 1]), TYPE, ["int64", "bool"]),
    ("a short mask", lambda: SET.subset([True]), VALUE, ["(1,)", "(3,)"]),
    ("a ragged mask", lambda: SET.subset([[True], [True, False]]), VALUE, ["mask"]),
    ("an empty subset", lambda: SET.subset([False] * 3), VALUE, ["no nodes"]),
]  # fmt: skip

WEIGHTED = rvh.NodeSet(["a", "b"], weights=[1, 2])
MORE_CASES = [
    ("a bool beside numbers", weigh(1.0, True), TYPE, ["node 'b'", "True"]),
    ("a bool among integers", weigh(7, False), TYPE, ["node 'b'", "False"]),
    ("a NumPy bool in objects", weigh_as(np.array([1, np.True_], object)), TYPE, ["node 'b'"]),
    ("a str beside numbers", weigh(1.0, "2"), TYPE, ["node 'b'", "position 1", "'2'"]),
    ("bytes beside numbers", weigh(1.0, b"2"), TYPE, ["node 'b'", "position 1"]),
    ("dates in ns as weights", weigh_as(np.array([1, 2], "M8[ns]")), TYPE, ["node 'a'"]),
    ("spans in ns as weights", weigh_as(np.array([1, 2], "m8[ns]")), TYPE, ["node 'a'"]),
    ("masked in a list", weigh(1.0, np.ma.masked), VALUE, ["mask", "node 'b'"]),
    ("add a dict", lambda: WEIGHTED.add("z", weights={"y": 1}), VALUE,
     ["no weight", "new node 'z'"]),
    ("add a dict with an old node", lambda: WEIGHTED.add("z", weights={"z": 1, "a": 1}), VALUE,
     ["'a'", "not one of the new nodes"]),
    ("add a bool", lambda: WEIGHTED.add("z", weights=True), TYPE, ["node 'z'"]),
    ("add a str", lambda: WEIGHTED.add("z", weights="3"), TYPE, ["node 'z'", "'3'"]),
    ("add nested weights", lambda: WEIGHTED.add(["y", "z"], weights=[[1], [2]]), VALUE,
     ["weights"]),
    ("add ragged weights", lambda: WEIGHTED.add(["y", "z"], weights=[[1], [1, 2]]), VALUE,
     ["weights"]),
    ("add a masked weight",
     lambda: WEIGHTED.add("z", weights=np.ma.array([1.0], mask=[1])), VALUE, ["node 'z'"]),
    # arrays of one number, and what NumPy and Python take for numbers
    ("threads in an array", select("x", threads=np.array([1])), TYPE, ["threads", "array([1])"]),
    ("k in an array", select("x", k=np.array([1])), TYPE, ["k is array([1])", "1 to 3"]),
    ("threads as a truth value", select("x", threads=np.array(True)), TYPE, ["array(True)"]),
    ("a weight in an array", weigh(1, np.array("2")), TYPE, ["node 'b'", "array of <U1"]),
    # memoryviews
    ("a released memoryview", select("x", RELEASED), VALUE, ["position 1", "released"]),
    ("a released memoryview as keys", batch(RELEASED), VALUE, ["keys", "released"]),
    ("a released memoryview as nodes", nodes(RELEASED), VALUE, ["nodes", "released"]),
    ("a released secret", nodes(["a"], secret=RELEASED), VALUE, ["secret", "released"]),
    ("a memoryview in 2-D", select("x", SQUARE), VALUE, ["position 1", "2 dimensions", "tobytes"]),
    ("a secret in 2-D", nodes(["a"], secret=SQUARE), VALUE, ["secret", "2 dimensions", "tobytes"]),
    ("a memoryview in 2-D as keys", batch(SQUARE), VALUE, ["keys", "(2, 2)", "one dimension"]),
    # no text
    ("no Unicode", batch(NO_TEXT), VALUE, ["key at position 0", "U+10FFFF", "repair"]),
    ("no Unicode in ids", nodes(NO_TEXT), VALUE, ["node id at position 0", "U+10FFFF"]),
    ("no Unicode in labels", nodes(["a", "b"], domains={"zone": NO_TEXT}), VALUE,
     ["'zone'", "position 0", "U+10FFFF"]),
    # lists of two minds
    ("keys of no elements", batch(EMPTY), VALUE, ["keys", "length 2", "0 elements", "plain list"]),
    ("nodes of no elements", nodes(EMPTY), VALUE, ["nodes", "length 2", "0 elements"]),
    ("nodes of none to add", lambda: SET.add(EMPTY), VALUE, ["ids", "length 2", "0 elements"]),
    # floats
    ("floats say what is lost", batch(np.ones(2)), TYPE, ["read ids as integers", "2^53", "str"]),
    ("a float says so too", select(1.5), TYPE, ["position 0", "read ids as integers", "str(key)"]),
    ("a date has a cast to text", select(datetime.date(2020, 1, 1)), TYPE, ["str(key)"]),
    ("measures with a bool", lambda: weights_from([1, True]), TYPE, ["stake", "position 1"]),
    ("a measure of spans", lambda: weights_from(np.array([1, 2], "m8[ns]")), TYPE, ["stake"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "kind", "named"),
    [pytest.param(*case[1:], id=case[0]) for case in [*CASES, *MORE_CASES]],
)
def test_error(call: Callable[[], object], kind: type[RVHError], named: list[str]) -> None:
    with pytest.raises(RVHError) as caught:
        call()
    assert type(caught.value) is kind
    message = str(caught.value)
    assert re.search(".*".join(map(re.escape, named)), message, re.DOTALL), message
    assert len(message) < 400
    assert "\n" not in message


def test_names_of_cases_are_unique() -> None:
    assert len({name for name, *_ in [*CASES, *MORE_CASES]}) == len(CASES) + len(MORE_CASES)


def test_the_two_exceptions_are_also_builtin_ones() -> None:
    assert issubclass(RVHError, ValueError)
    assert issubclass(RVHTypeError, RVHError)
    assert issubclass(RVHTypeError, TypeError)
    assert not issubclass(RVHError, TypeError)


def test_an_array_of_integers_that_is_no_text() -> None:
    words = np.array(["a", "b", "c"]).view(np.uint32).copy()
    words[1] = 0x110000
    with pytest.raises(RVHError, match=r"position 1 .*U\+10FFFF"):
        rvh.argselect_batch(NODES, words.view("U1"))
    with pytest.raises(RVHError, match=r"node id at position 1 .*U\+10FFFF"):
        rvh.NodeSet(words.view("U1"))


def test_a_memoryview_that_was_released() -> None:
    key = memoryview(b"key")
    key.release()
    for call in (one(key), select("x", key)):
        with pytest.raises(RVHError, match="released"):
            call()


def test_a_value_whose_own_repr_fails() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no repr")

    with pytest.raises(RVHTypeError, match=r"position 1 .*Broken"):
        rvh.argselect_batch(NODES, ["a", Broken()])


# -- the first bad position, whatever the threads -----------------------------------------------

BAD = {
    "list": (lambda keys: keys, None, "NoneType"),
    "object array": (lambda keys: np.array(keys, dtype=object), 1.5, "float"),
    "U": (np.array, "\ud800", "U\\+D800"),
    "swapped U": (lambda keys: np.array(keys).astype(">U6"), "\udc00", "U\\+DC00"),
}


@pytest.mark.parametrize("threads", [None, 1, 2, 3, 8])
@pytest.mark.parametrize("at", [[0], [99, 100], [5, 4999], [4998, 4999], [2500, 1300, 4000]])
@pytest.mark.parametrize("kind", BAD)
def test_first_bad_position(
    kind: str, at: list[int], threads: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_threads, "PAIRS_PER_BLOCK", 300)  # many blocks without many keys
    make, value, named = BAD[kind]
    keys: list[Any] = [f"key{n % 900}" for n in range(5000)]
    for position in at:
        keys[position] = value
    for call in (SET.argselect_batch, SET.select_batch, SET.score_batch):
        with pytest.raises(RVHError, match=f"position {min(at)} .*{named}"):
            call(make(keys), threads=threads)


def test_first_bad_position_in_blocks_of_the_usual_size() -> None:
    keys: list[Any] = [f"key{n}" for n in range(20_000)]
    keys[12_345], keys[19_999] = None, 1.5
    names = [f"node{n}" for n in range(64)]
    for threads in (1, 2):
        with pytest.raises(RVHTypeError, match=r"position 12345 .*NoneType"):
            rvh.argselect_batch(names, keys, threads=threads)
