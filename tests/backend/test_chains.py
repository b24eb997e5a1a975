"""Hashes of typed columns: the compiled backend, its twin, and values that others published."""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from rvh import _backend
from rvh._backend import pure
from rvh._backend.contract import SYSTEMS
from rvh._columns.chains import BITS, Chain
from rvh.errors import RVHError
from rvh.keys import column, composite

VECTORS = Path(__file__).parents[1] / "vectors"
CHARACTERS = "aZ09 \0\x7fé\u07ff\u0800中\uffff😀\U0010ffff"


def some_value(rng: random.Random, part: str) -> Any:
    if part in BITS:
        lowest, highest = -1 << BITS[part] - 1, (1 << BITS[part] - 1) - 1
        return rng.choice([lowest, -1, 0, 1, highest, rng.randrange(lowest, highest)])
    if part == "text":
        return "".join(rng.choices(CHARACTERS, k=rng.randrange(9)))
    return rng.randbytes(rng.randrange(40))


def some_chain(rng: random.Random, system: str) -> Chain:
    if system == "elasticsearch":
        return Chain(system, ("text",) * rng.choice([1, 2]), rng.choice([1, 3, 7]))
    count = 1 if system == "iceberg" else rng.choice([1, 1, 2, 3, 5])
    return Chain(system, tuple(rng.choices([*BITS, "bytes"], k=count)))


def points(module: Any, chain: Chain, keys: list[Any]) -> list[int]:
    out = np.zeros(len(keys), dtype=np.uint64)
    module.chain_points(chain, column(keys), 0, len(keys), out, None)
    answer: list[int] = out.tolist()
    return answer


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_same_as_the_twin(native_in_use: ModuleType, system: str) -> None:
    rng = random.Random(7)
    for _ in range(30):
        chain = some_chain(rng, system)
        rows = [[some_value(rng, part) for part in chain.parts] for _ in range(40)]
        keys = [row[0] if len(row) == 1 else composite(*row) for row in rows]
        expected = points(pure, chain, keys)
        assert points(native_in_use, chain, keys) == expected
        assert native_in_use.chain_point(chain, keys[3]) == expected[3]


def test_rows_in_the_middle_of_a_column() -> None:
    keys = column(np.arange(100, dtype=">i4"))
    every, some = np.zeros(100, dtype=np.uint64), np.zeros(50, dtype=np.uint64)
    _backend.chain_points(Chain("spark", ("int32",)), keys, 0, 100, every, None)
    _backend.chain_points(Chain("spark", ("int32",)), keys, 30, 80, some, None)
    assert np.array_equal(some, every[30:80])


BAD: list[tuple[tuple[str, ...], list[Any], str]] = [
    (("int32",), [1, 2**31], "position 1 is 2147483648, outside -2\\^31 to 2\\^31-1"),
    (("int8",), np.array([1, -129]), "position 1 is -129, outside -2\\^7 to 2\\^7-1"),
    (("int64",), [1, "abc"], "position 1 is b'abc', and its column has integers"),
    (("text",), ["a", b"\xff"], "position 1 is not UTF-8"),
    (("int64", "bytes"), [composite(1, "a"), b"abc"], "position 1 is not a composite key of"),
    (("int64", "bytes"), [composite(1, "a"), composite(1, "a", "b")], "is not a composite key"),
    (("int64", "bytes"), [composite(1, "a"), composite(1, "abc")[:-1]], "is not a composite key"),
    (("int64", "int8"), [composite(1, 1), composite(1, 128)], "part 1 of key at position 1 is 128"),
]


@pytest.mark.parametrize(("parts", "keys", "message"), BAD, ids=range(len(BAD)))
def test_keys_that_do_not_have_the_parts(parts: Any, keys: Any, message: str) -> None:
    system = "elasticsearch" if "text" in parts else "postgresql"
    with pytest.raises(RVHError, match=message):
        points(_backend, Chain(system, parts), keys)
    with pytest.raises(RVHError, match=message[message.index("is ") :]):
        _backend.chain_point(Chain(system, parts), keys[1])


def signed(point: int) -> int:
    return point - 2**64 if point >> 63 else point


def test_elasticsearch_by_its_own_tests() -> None:
    for text, hashed in json.loads((VECTORS / "elasticsearch.json").read_text())["hashes"].items():
        point = _backend.chain_point(Chain("elasticsearch", ("text",)), text)
        assert point & 0xFFFFFFFF == hashed


def test_hive_by_the_tests_of_trino() -> None:
    kinds = {"boolean": "int8", "tinyint": "int8", "smallint": "int16", "int": "int32"}
    kinds |= {"bigint": "int64", "string": "bytes"}
    compared = 0
    for kind, value, *versions in json.loads((VECTORS / "hive.json").read_text())["hashes"]:
        if kind in kinds:
            part, key = ("null", "") if value is None else (kinds[kind], value)
            key = int(key) if isinstance(key, bool) else key
            for number, hashed in enumerate(versions, 1):
                assert signed(_backend.chain_point(Chain(f"hive{number}", (part,)), key)) == hashed
                compared += 1
    assert compared == 50


def test_postgresql_by_values_of_a_server() -> None:
    # PostgreSQL 15: select hashtextextended('abc', 8816678312871386365), and so on; a row's hash
    # of one column is this plus a constant (hash_combine64).
    for part, key, hashed in (
        ("int32", 42, 7363975540656877951),
        ("int64", -7, -7298374200968567817),
        ("bytes", "abc", 3628778498291917250),
        ("bytes", bytes(range(16)), 2950855207133075148),
    ):
        point = _backend.chain_point(Chain("postgresql", (part,)), key)
        assert (point - 0x49A0F4DD15E5A8E3 - hashed) % 2**64 == 0
