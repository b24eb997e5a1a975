"""Record answers: once, without rvh, for every version of rvh to give again.

    python tests/golden SUBJECT NEW_FILE

A subject is a file of this folder: `ORIGIN` says what its answers were computed with, `answers()`
computes them. The recorded files are append-only, so an existing one is never written again:
answers that are missing are a new subject, with a file of its name. `tests/package/test_golden.py`
reads the files, and asks each subject whether it still gives what was recorded.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MAKERS = {"make_pickles", "make_placements", "make_vectors"}
SUBJECTS = sorted({path.stem for path in HERE.glob("[a-z]*.py")} - MAKERS - {"check", "values"})


def lines(value: Mapping[str, Any]) -> str:
    """JSON with one line for each case and key, so that a difference can be read."""
    return "{" + ",\n".join(f"{json.dumps(n)}: {rows(v)}" for n, v in value.items()) + "}\n"


def rows(value: Any) -> str:
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(row, value)) + "\n]"
    return json.dumps(value)


def row(value: Mapping[str, Any]) -> str:
    *head, (name, last) = value.items()
    if name != "keys" or not isinstance(last[0], dict):
        return json.dumps(value)
    keys = ",\n  ".join(map(json.dumps, last))
    return f'{json.dumps(dict(head))[:-1]}, "keys": [\n  {keys}]}}'


def main() -> None:
    parser = argparse.ArgumentParser(prog="python tests/golden")
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("new_file", type=Path)
    asked = parser.parse_args()
    sys.path += [str(HERE.parent), str(HERE.parent / "support")]
    subject = import_module(f"golden.{asked.subject}")
    with asked.new_file.open("x", encoding="ascii") as file:
        file.write(lines({"origin": subject.ORIGIN, **subject.answers()}))


if __name__ == "__main__":
    main()
