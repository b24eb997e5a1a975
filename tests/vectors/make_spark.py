"""How spark.json came to be: Spark was asked for the hashes of rows, and for their partitions.

pip install pyspark
python make_spark.py NEW_FILE
"""

from __future__ import annotations

import datetime
import json
import random
import sys
from decimal import Decimal
from typing import Any

import pyspark
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf

RNG = random.Random(19)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_ÄÖéß€中文😀"
ROWS = 40
CHAINS = [("string", "int"), ("bigint", "date", "boolean"), ("binary", "double", "string", "int")]
PARTITIONS = 13


def some(kind: str) -> Any:
    bits = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}.get(kind)
    if bits is not None:
        return RNG.choice([RNG.randrange(-1 << bits - 1, 1 << bits - 1), RNG.randrange(-9, 9)])
    number = RNG.randrange(10**9)
    return {
        "boolean": number % 2 == 1,
        "string": "".join(RNG.choices(LETTERS, k=number % 12)),
        "binary": RNG.randbytes(number % 12),
        "date": datetime.date(1970, 1, 1) + datetime.timedelta(number % 40_000 - 20_000),
        "timestamp": datetime.datetime(1970, 1, 1)
        + datetime.timedelta(microseconds=number**2 // 9),
        "double": RNG.choice([RNG.gauss(0, 1e6), 0.0, -0.0]),
        "float": RNG.choice([number / 1024 // 1, -0.5, -0.0]),
        "decimal(9,2)": Decimal(number % 10**6 - 5 * 10**5).scaleb(-2),
        "decimal(38,10)": Decimal(number**3).scaleb(-10) * (-1) ** number,
    }[kind]


def written(value: Any) -> Any:
    """A value as JSON has it: bytes in hexadecimal digits, others as their text."""
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, (int, float, str, type(None))) else str(value)


def main(path: str) -> None:
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    kinds = ["boolean", "tinyint", "smallint", "int", "bigint", "string", "binary", "date"]
    kinds += ["timestamp", "float", "double", "decimal(9,2)", "decimal(38,10)"]
    cases = []
    for types in [*((kind,) for kind in kinds), *CHAINS]:
        rows = [[None if RNG.random() < 0.1 else some(kind) for kind in types] for _ in range(ROWS)]
        schema = ", ".join(f"c{n} {kind}" for n, kind in enumerate(types))
        # Spark's own time zone, of Python's values without one, is the machine's: write UTC.
        aware = [
            [v.replace(tzinfo=datetime.UTC) if type(v) is datetime.datetime else v for v in row]
            for row in rows
        ]
        numbered = [(n, *row) for n, row in enumerate(aware)]
        frame = spark.createDataFrame(numbered, f"n int, {schema}")
        columns = [f"c{n}" for n in range(len(types))]
        hashes = frame.select("n", sf.hash(*columns).alias("h")).orderBy("n").collect()
        placed = frame.repartition(PARTITIONS, *columns).select("n", sf.spark_partition_id())
        partitions = dict(tuple(row) for row in placed.collect())
        answers = [[row.h, partitions[row.n]] for row in hashes]
        cases.append(
            {"types": types, "rows": [list(map(written, row)) for row in rows], "answers": answers}
        )
    source = (
        f"pyspark {pyspark.__version__}, by make_spark.py: [hash(...), partition of {PARTITIONS}]"
    )
    with open(path, "x", encoding="ascii") as file:
        file.write(f'{{"source": {json.dumps(source)},\n"cases": [\n')
        file.write(",\n".join(map(json.dumps, cases)))
        file.write("\n]}\n")


if __name__ == "__main__":
    main(sys.argv[1])
