"""`--algorithm` for systems of typed columns: the library's answers, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rvh.multi import compose_keys
from rvh.placements import elasticsearch, hive, iceberg, postgresql, spark

IDS = ["n33", "n1", "n4"]
NUMBERS = [n * 7919 - 200_000 for n in range(60)]
NAMES = [f"é{n % 25}" for n in range(60)]
#: the key columns, the options, and the same in Python
MADE: list[tuple[str, str, Callable[[], Any]]] = [
    ("n:int", "spark --types bigint", lambda: spark(IDS, "bigint").lookup_batch(NUMBERS)),
    ("n:int", "spark --types int", lambda: spark(IDS, "int").lookup_batch(NUMBERS)),
    ("name", "iceberg --types string", lambda: iceberg(IDS, "string").lookup_batch(NAMES)),
    ("name", "hive-1 --types string", lambda: hive(IDS, "string", version=1).lookup_batch(NAMES)),
    ("name", "elasticsearch", lambda: elasticsearch(IDS).lookup_batch(NAMES)),
    (
        "name",
        "elasticsearch --routing-shards 9",
        lambda: elasticsearch(IDS, routing_shards=9).lookup_batch(NAMES),
    ),
    (
        "name,n:int",
        "spark --types string,int",
        lambda: spark(IDS, ("string", "int")).lookup_columns(NAMES, NUMBERS),
    ),
    (
        "n:int,name",
        "postgresql --types bigint,text",
        lambda: postgresql(IDS, ("bigint", "text")).lookup_batch(compose_keys(NUMBERS, NAMES)),
    ),
    (
        "n:int,name",
        "hive --types int,varchar",
        lambda: hive(IDS, ("int", "varchar")).lookup_columns(NUMBERS, NAMES),
    ),
]


@pytest.fixture
def run(call: Any, tmp_path: Any) -> Callable[..., Any]:
    rows = zip(NUMBERS, NAMES, strict=True)
    (tmp_path / "keys.csv").write_text("n,name\n" + "".join(f"{n},{name}\n" for n, name in rows))

    def placed(*args: Any) -> Any:
        out = tmp_path / "out.csv"
        nodes = ("--nodes", ",".join(IDS), "-o", out)
        result = call("assign", tmp_path / "keys.csv", *nodes, *args)
        if result.code:
            return result
        return [[line.split(",")[-1]] for line in out.read_text().splitlines()[1:]]

    return placed


@pytest.mark.parametrize(("keys", "options", "made"), MADE, ids=[options for _, options, _ in MADE])
def test_the_answers_are_the_librarys(
    run: Callable[..., Any], keys: str, options: str, made: Callable[[], Any]
) -> None:
    assert run("-K", keys, "--algorithm", *options.split()) == made().tolist()


@pytest.mark.parametrize(
    ("keys", "options", "words"),
    [
        ("name", "spark", "--algorithm spark needs the types of the key columns"),
        ("name", "spark --types long", "spark has none of that name: choose among boolean"),
        ("name", "spark --types string,int", "and the key has 1 column: give a type for each"),
        ("name,n", "spark --types string", "and the key has 2 columns: give a type for each"),
        ("name,n", "elasticsearch", "--algorithm elasticsearch is another system's"),
        ("name,n", "iceberg --types int,string", "a bucket transform has one column"),
        ("n", "spark --types int", "of type str, and its column is of type int: pass integers"),
        ("name", "kafka --types string", "use one of spark, iceberg, hive, hive-1, postgresql"),
        (
            "name",
            "spark --types int --integers text",
            "--algorithm spark has one way to write integers",
        ),
        ("name", "kafka --routing-shards 9", "use one of elasticsearch"),
        ("name", "elasticsearch --routing-shards 8", "8, which is not a multiple of the 3 shards"),
    ],
)
def test_what_is_refused(run: Callable[..., Any], keys: str, options: str, words: str) -> None:
    result = run("-K", keys, "--algorithm", *options.split())
    assert result.code in (1, 2)
    assert words in " ".join(result.err.replace("│", " ").split())


def test_one_key(call: Any) -> None:
    args = ("select", "-n", "a,b,c", "--algorithm", "spark", "--types", "bigint", "--json")
    found = json.loads(call(*args, "-k", 42, "--key-type", "int").out)
    assert found == spark(["a", "b", "c"], "bigint").lookup(42)
    assert call(*args, "-k", 42).code == 1


def test_a_plan_that_leaves_typed_columns(call: Any, tmp_path: Any) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("".join(f"{n}\n" for n in NUMBERS))
    args = ("plan", keys, "--format", "lines", "--key-type", "int", "-n", ",".join(IDS), "--json")
    options = ("--algorithm", "spark", "--types", "int")
    to_own = json.loads(call(*args, *options, "--to-algorithm", "rendezvous").out)
    to_long = json.loads(call(*args, *options, "--to-types", "bigint").out)
    assert to_own["keys"] == len(NUMBERS)
    ints, longs = (spark(IDS, kind).slot_batch(NUMBERS) for kind in ("int", "bigint"))
    assert to_long["moved"]["keys"] == (ints != longs).sum()
