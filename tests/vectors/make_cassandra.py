"""How cassandra.json came to be: DataStax's driver was asked for the tokens of integer columns.

pip install cassandra-driver
python make_cassandra.py NEW_FILE
"""

from __future__ import annotations

import json
import sys

import cassandra
from cassandra.cqltypes import Int32Type, LongType, UTF8Type
from cassandra.metadata import Murmur3Token

INTS = [0, 1, -1, 2, 42, 255, 256, 65536, 2**31 - 1, -(2**31), *range(1000, 1020)]
LONGS = [*INTS, 2**31, -(2**31) - 1, 2**63 - 1, -(2**63), 10**18]


def main(path: str) -> None:
    tokens = {
        name: [[value, Murmur3Token.hash_fn(kind.serialize(value, 4))] for value in values]
        for name, kind, values in (
            ("int", Int32Type, INTS),
            ("bigint", LongType, LONGS),
            ("text", UTF8Type, list(map(str, LONGS))),
        )
    }
    source = f"cassandra-driver {cassandra.__version__}, by make_cassandra.py"
    with open(path, "x", encoding="ascii") as file:
        file.write(f'{{"source": {json.dumps(source)}')
        file.writelines(f',\n"{name}": {json.dumps(rows)}' for name, rows in tokens.items())
        file.write("\n}\n")


if __name__ == "__main__":
    main(sys.argv[1])
