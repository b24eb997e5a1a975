"""A message's range is the check's: what it names passes, the next number outside does not."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

import rvh
from rvh.balanced import BalancedAssigner, argassign_balanced, capacities
from rvh.cache import SelectionCache
from rvh.partitions import PartitionTable
from rvh.ring import Migration, ketama
from rvh.stable import jump_hash
from rvh.weighted import weights_from

NODES = rvh.NodeSet(["a", "b", "c"])


def weigh(weight: float) -> object:
    return rvh.NodeSet(["a", "b"], weights=[1, weight])


def below(number: float) -> float:
    return math.nextafter(number, -math.inf)


def above(number: float) -> float:
    return math.nextafter(number, math.inf)


#: a call of one number, numbers that pass, numbers that do not, and what the message says
RANGES: dict[str, tuple[Any, list[Any], list[Any], str]] = {
    "load factor": (
        lambda factor: capacities(NODES, 0, factor),
        [above(0), below(1), 1, 1.7e308],
        [0, below(0), math.inf, math.nan],
        "a finite number above 0",
    ),
    "load factor of a stream": (
        lambda factor: BalancedAssigner(NODES, factor),
        [1, above(1), np.float32(1)],
        [below(1), np.nextafter(np.float32(1), np.float32(0)), above(0)],
        "choose 1 or more",
    ),
    "count": (
        lambda count: capacities(NODES, count),
        [0, 2**63 - 1],
        [-1, 2**63],
        "from 0, below 2^63",
    ),
    "weight": (weigh, [0, -0.0, 2.0**-1016, 2.0**970],
               [below(2.0**-1016), above(2.0**970)], "0 or from 2^-1016 to 2^970"),
    "weight of 32 bits": (
        lambda weight: ketama(["a", "b"], [weight, 2.0**-126]),
        [2.0**-126, 1, float(np.finfo(np.float32).max) * 0.9],
        [below(2.0**-126), above(float(np.finfo(np.float32).max)), above(0)],
        f"from {2.0**-126} to {float(np.finfo(np.float32).max)}",
    ),
    "negative weight": (weigh, [0], [below(0)], "a weight is 0 or more"),
    "k": (lambda k: NODES.select("x", k), [1, 3], [0, 4], "choose 1 <= k <= 3"),
    "maxsize": (lambda size: SelectionCache(NODES, size), [1, 2**31], [0, 2**31 + 1],
                "choose 1 <= maxsize <= 2147483648"),
    "partitions": (lambda count: PartitionTable(NODES, count), [1], [0, 2**24 + 1],
                   "choose 1 <= partitions <= 16777216"),
    "buckets": (lambda count: jump_hash("x", count), [1, 2**31 - 1], [0, 2**31],
                "choose 1 <= buckets <= 2147483647"),
    "progress": (lambda progress: Migration(NODES, NODES).crossed_batch(["x"], progress),
                 [0, 1, above(0), below(1)], [below(0), above(1), math.nan], "from 0 to 1"),
    "exponent": (lambda power: weights_from(stake=[1, 2], exponents={"stake": power}),
                 [0, 64], [below(0), above(64)], "from 0 to 64"),
    "exponent of rtt": (lambda power: weights_from(rtt=[1, 2], exponents={"rtt": power}),
                        [-64, 0], [below(-64), above(0)], "from -64 to 0"),
    "rtt": (lambda rtt: weights_from(rtt=[rtt, rtt]), [above(0)], [0, below(0), math.inf],
            "finite and above 0"),
    "stake": (lambda stake: weights_from(stake=[stake, 1]), [0, above(0)], [below(0), math.inf],
              "finite and 0 or more"),
}  # fmt: skip


@pytest.mark.parametrize("what", RANGES)
def test_what_the_message_names_is_what_passes(what: str) -> None:
    call, good, bad, words = RANGES[what]
    for number in good:
        call(number)
    for number in bad:
        with pytest.raises(rvh.RVHError, match=re.escape(words)):
            call(number)


def test_a_factor_below_1_where_there_is_room() -> None:
    keys = [f"key{n}" for n in range(10)]
    found = argassign_balanced(NODES, keys, 0.99)  # 4 each, as ceil(3.3)
    assert np.bincount(found, minlength=3).max() <= 4
    with pytest.raises(rvh.RVHError, match="room for 9 of 10 keys; choose a greater one: with 1"):
        argassign_balanced(NODES, keys, 0.9)
    argassign_balanced(NODES, keys, 1)
