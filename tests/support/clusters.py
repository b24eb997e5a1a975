"""What the tests of the clusters share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import rvh


@dataclass(frozen=True)
class Million:
    """Keys, nodes, and the best node of each key by NumPy."""

    keys: list[str]
    nodes: rvh.NodeSet
    best: list[str]


#: (what is asked of a frame with the columns user, float, flag and time, error, its message)
REFUSALS: tuple[Any, ...] = (
    pytest.param({"key": "usr"}, rvh.RVHError, "no column 'usr'.*'user'", id="no such column"),
    pytest.param({"column": "flag"}, rvh.RVHError, "'flag' already", id="column is there"),
    pytest.param({"column": 7}, rvh.RVHTypeError, "column is 7: pass a str", id="column no str"),
    pytest.param({"key": "float"}, rvh.RVHTypeError, "column 'float': .*cast", id="float keys"),
    pytest.param({"key": "flag"}, rvh.RVHTypeError, "column 'flag': .*cast", id="bool keys"),
    pytest.param({"key": "time"}, rvh.RVHTypeError, "column 'time': .*cast", id="time keys"),
    pytest.param({"k": 3}, rvh.RVHError, "k is 3, but the set has 2 nodes", id="k too large"),
    pytest.param({"k": 0}, rvh.RVHError, "k is 0", id="k too small"),
    pytest.param({"k": 1.5}, rvh.RVHTypeError, "k is", id="k no int"),
    pytest.param({"nodes": []}, rvh.RVHError, "no nodes", id="no nodes"),
    pytest.param({"scheme": "sha1"}, rvh.RVHError, "choose one of", id="no such scheme"),
    pytest.param(
        {"nodes": rvh.NodeSet(["a"]), "secret": b"s"}, rvh.RVHError, "with a NodeSet", id="both"
    ),
)


def asked(options: dict[str, Any]) -> dict[str, Any]:
    return {"key": "user", "nodes": ["a", "b"], **options}
