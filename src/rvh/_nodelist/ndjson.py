"""Node files in NDJSON: a line is an id, or an object that has one."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from rvh._nodelist.columns import Columns, id_column, no_column
from rvh._nodelist.entries import Entry
from rvh._tables.jsontext import unique_members
from rvh.errors import RVHError, show


def read_ndjson(source: str, text: str, columns: Columns) -> Iterator[Entry]:
    """Read one id from each line that is not empty; members of objects are columns."""
    weight = columns.weight
    known: dict[str, None] = {}
    ids: str | None = None
    empty = True
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=unique_members)
        except RVHError as error:
            raise RVHError(f"{source}: line {number}: {error}") from None
        except (ValueError, RecursionError) as error:
            try:
                whole = json.loads(text)
            except (ValueError, RecursionError):
                raise RVHError(f"{source}: line {number} is not JSON: {error}") from None
            raise _one_value(source, whole) from None
        if isinstance(value, list) or _is_document(value):
            raise _one_value(source, value)
        members = value if isinstance(value, dict) else {}
        if isinstance(value, dict):
            where = f"line {number}: "
            known.update(dict.fromkeys(value))
            if ids is None:  # the first object decides: in others it may stand elsewhere
                others = [name for name in columns.others if name in value]
                ids = id_column(source, columns, list(value), where, others)
            elif ids not in value:
                raise no_column(source, ids, value, where)
            value = value[ids]
            if weight is not None and weight not in members:
                raise RVHError(
                    f"{source}: {where}node {show(value)} has no weight: there is no member "
                    f"{show(weight)}"
                )
        elif weight is not None:
            raise RVHError(
                f"{source}: line {number} is {show(value)} alone, which has no weight: write an "
                f"object that has the id and the member {show(weight)}"
            )
        values = tuple(members.get(name) for name in columns.others)
        yield Entry(value, source, f"line {number}", values)
        empty = False
    for name in columns.others:
        # One line may lack a member; where all do, its name is mistyped.
        if name not in known and not empty:
            raise no_column(source, name, known)


def _is_document(value: object) -> bool:
    """Whether it is the nodes of a membership in one object, as `rvh nodes publish` writes them."""
    return isinstance(value, dict) and isinstance(value.get("nodes"), list)


def _one_value(source: str, value: object) -> RVHError:
    url = "file:///PATH" if source == "stdin" else Path(source).absolute().as_uri()
    as_source = f"read it as a source, --nodes {shlex.quote(url)}"
    if _is_document(value):
        return RVHError(
            f"{source} is a document with all nodes, not one node per line: {as_source}"
        )
    as_lines = "write one object or string per line, for example with jq -c '.[]'"
    return RVHError(
        f"{source} is one JSON value, not one value per line: "
        f"{f'{as_source}, or ' if isinstance(value, list) else ''}{as_lines}"
    )
