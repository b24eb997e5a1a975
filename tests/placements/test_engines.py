"""Partitions and buckets of Spark, Iceberg and Hive: what those answered, and what they published.

tests/clusters asks a running Spark; spark.json has answers of one.
"""

from __future__ import annotations

import datetime
import json
import random
import uuid
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvh.errors import RVHError, RVHTypeError
from rvh.placements import hive, iceberg, spark

VECTORS = Path(__file__).parents[1] / "vectors"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_ÄÖéß€中文😀"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text())


def read(kind: str, value: Any) -> Any:
    """Return a value of a type out of JSON, where bytes are hexadecimal digits."""
    if value is None:
        return None
    if kind in ("binary", "fixed"):
        return bytes.fromhex(value)
    if kind.startswith("decimal"):
        return Decimal(value)
    if kind == "uuid":
        return uuid.UUID(value)
    kinds: dict[str, Any] = {"date": datetime.date, "time": datetime.time}
    kinds |= dict.fromkeys(("timestamp", "timestamptz"), datetime.datetime)
    return kinds[kind].fromisoformat(value) if kind in kinds else value


def columns(case: Any) -> list[list[Any]]:
    """Return the columns of a recorded case."""
    rows = [[read(*pair) for pair in zip(case["types"], row, strict=True)] for row in case["rows"]]
    return [list(column) for column in zip(*rows, strict=True)]


# -- Spark ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", vectors("spark.json")["cases"], ids=lambda case: case["types"])
def test_hashes_and_partitions_of_spark(case: Any) -> None:
    placement = spark(13, case["types"])
    hashes = placement.hash_columns(*columns(case)).tolist()
    slots = placement.slot_columns(*columns(case)).tolist()
    assert [[*pair] for pair in zip(hashes, slots, strict=True)] == case["answers"]
    rows = list(zip(*columns(case), strict=True))
    assert [placement.slot(row) for row in rows[:8]] == slots[:8]


def test_types_decide_in_spark() -> None:
    keys = np.arange(200)
    by_type = {kind: spark(99, kind).slot_batch(keys).tolist() for kind in ("int", "bigint")}
    assert by_type["int"] != by_type["bigint"]
    assert spark(99, "smallint").slot_batch(keys).tolist() == by_type["int"]
    assert spark(99, "string").slot_batch(list(map(str, keys))).tolist() not in by_type.values()


# -- Iceberg ----------------------------------------------------------------------------------


def test_the_specification_of_iceberg() -> None:
    known = vectors("iceberg.json")
    for kind, value, hashed in known["hashes"]:
        kind = "decimal(9,2)" if kind == "decimal" else kind
        assert iceberg(8, kind).hash_columns([read(kind, value)]).tolist() == [hashed], kind
    for kind, buckets, value, bucket in known["buckets"]:
        assert iceberg(buckets, kind).slot(value) == bucket


def test_the_transform_of_pyiceberg() -> None:
    transforms = pytest.importorskip("pyiceberg.transforms", reason="pyiceberg is not installed")
    kinds = pytest.importorskip("pyiceberg.types", reason="pyiceberg is not installed")
    rng = random.Random(1)
    zone = datetime.timezone(datetime.timedelta(hours=-7, minutes=-30))

    def moment() -> datetime.datetime:
        micros = rng.randrange(10**17)
        return datetime.datetime(1900, 1, 1) + datetime.timedelta(microseconds=micros)

    cases: dict[str, tuple[Any, Any]] = {
        "int": (kinds.IntegerType(), lambda: rng.randrange(-(2**31), 2**31)),
        "long": (kinds.LongType(), lambda: rng.randrange(-(2**63), 2**63)),
        "string": (kinds.StringType(), lambda: "".join(rng.choices(LETTERS, k=rng.randrange(20)))),
        "binary": (kinds.BinaryType(), lambda: rng.randbytes(rng.randrange(20))),
        "date": (kinds.DateType(), lambda: moment().date()),
        "time": (kinds.TimeType(), lambda: moment().time()),
        "timestamp": (kinds.TimestampType(), moment),
        "timestamptz": (kinds.TimestamptzType(), lambda: moment().replace(tzinfo=zone)),
        "uuid": (kinds.UUIDType(), lambda: uuid.UUID(bytes=rng.randbytes(16))),
        "decimal(38,4)": (
            kinds.DecimalType(38, 4),
            lambda: Decimal(moment().microsecond - 5 * 10**5).scaleb(-4),
        ),
    }
    for kind, (theirs, some) in cases.items():
        values = [some() for _ in range(300)]
        bucket = transforms.BucketTransform(num_buckets=97).transform(theirs)
        assert iceberg(97, kind).slot_batch(values).tolist() == list(map(bucket, values)), kind


def test_iceberg_has_one_column_and_no_bucket_for_null() -> None:
    with pytest.raises(RVHTypeError, match="a bucket transform has one column"):
        iceberg(4, ("int", "string"))  # type: ignore[arg-type]
    with pytest.raises(RVHError, match="keys has a null at position 1, and Iceberg puts a null"):
        iceberg(4, "string").slot_batch(["a", None])  # type: ignore[list-item]
    assert iceberg(4, "int").slot(7) == iceberg(4, "long").slot(7)


# -- Hive -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", vectors("hive_jars.json")["cases"], ids=lambda case: case["types"])
def test_hashes_of_hives_classes(case: Any) -> None:
    for version in (1, 2):
        placement = hive(13, case["types"], version=version)
        hashes = placement.hash_columns(*columns(case)).tolist()
        assert hashes == [answer[version - 1] for answer in case["answers"]]
        slots = placement.slot_columns(*columns(case)).tolist()
        assert slots == [(hashed & 0x7FFFFFFF) % 13 for hashed in hashes]


def test_what_trino_expects_of_hive() -> None:
    known = vectors("hive.json")
    for kind, value, *versions in known["hashes"]:
        for version, hashed in enumerate(versions, 1):
            if kind != "varchar" or version == 2:
                placement = hive(8, kind, version=version)
                assert placement.hash_columns([read(kind, value)]).tolist() == [hashed], kind
    for hashed, buckets, bucket in known["buckets"]:
        placement = hive(buckets, "string", version=2 if hashed < 0 else 1)
        assert placement.hash_columns(["Trino rocks"])[0] == hashed
        assert placement.slot("Trino rocks") == bucket
    rows = list(product(*known["discrete"]["values"]))
    for version in (1, 2):
        placement = hive(known["discrete"]["buckets"], known["discrete"]["types"], version=version)
        slots = placement.slot_columns(*map(list, zip(*rows, strict=True)))
        assert sorted(set(slots.tolist())) == known["discrete"][f"version{version}"]


def test_versions_of_hive() -> None:
    with pytest.raises(RVHError, match="version is 3, but Hive has two versions of bucketing"):
        hive(4, "int", version=3)
    with pytest.raises(RVHTypeError, match="version is True: pass a whole number from 1 to 2"):
        hive(4, "int", version=True)
    with pytest.raises(RVHTypeError, match=r"version is \[2\]: pass a whole number"):
        hive(4, "int", version=[2])  # type: ignore[arg-type]
    with pytest.raises(RVHError, match="hive1 has none of that name"):
        hive(4, "varchar", version=1)
