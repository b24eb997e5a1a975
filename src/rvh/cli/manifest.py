"""The manifest of a folder that split has written: what is in it, and how it got there."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from itertools import zip_longest
from typing import Any, NamedTuple

from rvh._about import __version__
from rvh._tables import COMPRESSIONS, FORMATS, Quote
from rvh._tables.partnames import file_names, hive_names
from rvh.cli.keyspec import KeyType, NullKeys
from rvh.cli.options import Algorithm, Integers, Scheme
from rvh.cli.outputs import counted
from rvh.cli.shapes import refuse_other_shape
from rvh.errors import RVHError, show

#: the name in the folder: engines skip what begins with an underscore
NAME = "_rvh.json"
#: the names of files in the folders of hive
PART = re.compile(r"part-[0-9]+\.[a-z.]+\Z")
#: the version of the schema; a reader refuses another
VERSION = 1
HIVE, FILES = "hive", "files"
#: what a manifest of this version has, as `refuse_other_shape` takes it
SHAPE = {
    "layout": frozenset((HIVE, FILES)),
    "column": str,
    "format": frozenset(FORMATS),
    "compression": (frozenset(COMPRESSIONS.values()), None),
    "options": {"quote?": frozenset(Quote), "header?": bool, "delimiter?": str},
    "columns": ([{"name": str, "type": str}], None),
    "rank_column": (str, None),
    "placement": {
        "algorithm": frozenset(Algorithm),
        "k": int,
        "scheme?": frozenset(Scheme),
        "partitions?": int,
        "integers?": frozenset(Integers),
        "hash?": str,
        "hash_tag?": str,
        "types?": str,
        "routing_shards?": int,
        "replication?": str,
        "spread?": [str],
        "max_per_domain?": [int],
        "strict?": bool,
        "node_geohash?": str,
        "precision?": int,
        "load_factor?": float,
        "fingerprint": str,
    },
    "keys": {
        "columns": [{"column": str, "type": frozenset(KeyType)}],
        "geohash": (str, None),
        "nulls": frozenset(NullKeys),
    },
    "totals": {"rows_in": int, "rows_out": int, "bytes": int, "files": int},
    "runs": [{"inputs": [str], "key": str, "rows_in": int, "rows_out": int}],
    "nodes": [{"node": (str, None), "rows": int, "bytes": int}],
    "files": [{"path": str, "node": (str, None), "rows": int, "bytes": int, "sha256": str}],
}


class File(NamedTuple):
    """A file of the folder; `node` is null for rows without a node."""

    path: str
    node: str | None
    rows: int
    bytes: int
    sha256: str


class Run(NamedTuple):
    """One call of split: what it read and wrote, and what its key was taken as."""

    inputs: list[str]
    key: str
    rows_in: int
    rows_out: int


@dataclass(kw_only=True)
class Manifest:
    """All that the file holds but totals, which are sums of it.

    Parameters
    ----------
    layout, column : str
    format : str
    compression : str, optional
    options : dict
        Of delimited text.
    columns : list of dict or None
        Names and types; None where each line of NDJSON says what it has.
    rank_column : str, optional
    placement : dict
        The options that decide where keys go, and the fingerprint of the nodes.
    keys : dict
    nodes : list of str
    """

    layout: str
    column: str
    format: str
    compression: str | None
    options: dict[str, Any]
    columns: list[dict[str, str]] | None
    rank_column: str | None
    placement: dict[str, Any]
    keys: dict[str, Any]
    nodes: list[str | None]
    runs: list[Run] = field(default_factory=list)
    files: list[File] = field(default_factory=list)

    def text(self) -> str:
        """The manifest as JSON, a node and a file a line."""
        rows: dict[str | None, list[int]] = {node: [0, 0] for node in self.nodes}
        for each in self.files:
            rows[each.node][0] += each.rows
            rows[each.node][1] += each.bytes
        whole = asdict(self)
        lists = {
            "runs": [run._asdict() for run in self.runs],
            "nodes": [
                {"node": node, "rows": count, "bytes": size} for node, (count, size) in rows.items()
            ],
            "files": [each._asdict() for each in self.files],
        }
        head = {"rvh_split": VERSION, "written_by": f"rvh {__version__}"}
        head |= {name: whole[name] for name in whole if name not in lists}
        head["totals"] = {
            "rows_in": sum(run.rows_in for run in self.runs),
            "rows_out": sum(run.rows_out for run in self.runs),
            "bytes": sum(each.bytes for each in self.files),
            "files": len(self.files),
        }
        members = [f"{json.dumps(name)}: {_json(value)}" for name, value in head.items()]
        members += [
            f"{json.dumps(name)}: [\n  " + ",\n  ".join(map(_json, entries)) + "\n ]"
            for name, entries in lists.items()
        ]
        return "{\n " + ",\n ".join(members) + "\n}\n"

    def other_nodes(self, given: Iterable[str | None]) -> str:
        """What tells other node ids from those of the manifest; empty where they are the same."""
        here, there = ({node for node in nodes if node} for nodes in (given, self.nodes))
        lists = {"not given": sorted(there - here), "given, but not there": sorted(here - there)}
        return "; ".join(f"{show(nodes, 80)} {what}" for what, nodes in lists.items() if nodes)

    def paths(self) -> list[str]:
        """The path of the file of each node that the next run writes, relative to the folder."""
        packed = next((end for end, name in COMPRESSIONS.items() if name == self.compression), "")
        extension = FORMATS[self.format].extensions[0] + packed
        if self.layout == FILES:
            return file_names([node for node in self.nodes if node is not None], extension)
        file = f"part-{len(self.runs)}{extension}"
        return [f"{folder}/{file}" for folder in hive_names(self.column, self.nodes)]

    def refuse_other_paths(self) -> None:
        """Refuse files that are not where the rows of their nodes belong, or are listed twice.

        So none is outside the folder: a manifest may come from anywhere.
        """
        where = dict(zip(self.nodes, self.paths(), strict=True))
        if len(where) < len(self.nodes):
            raise RVHError("$.nodes names a node twice")
        seen = set()
        for position, each in enumerate(self.files):
            place = f"$.files[{position}].path is {show(each.path)}"
            if each.node not in where:
                raise RVHError(f"$.files[{position}].node is {show(each.node)}, not in $.nodes")
            if self.layout == FILES:
                is_there = each.path == where[each.node]
            else:
                folder, _, name = each.path.rpartition("/")
                folder_of_node = where[each.node].rpartition("/")[0]
                is_there = folder == folder_of_node and PART.match(name) is not None
            if not is_there:
                raise RVHError(f"{place}, and a file of this node is {show(where[each.node])}")
            if each.path in seen:
                raise RVHError(f"{place}, which appears twice")
            seen.add(each.path)

    def continue_from(self, before: Manifest, folder: str) -> None:
        """Take the files of a manifest to which others are to be added.

        Raises
        ------
        RVHError
            The one to come does not go with it.
        """
        if other := before.other_nodes(self.nodes):
            raise RVHError(
                f"{folder} was split over other nodes, so nothing can be added: {other}; split "
                "into another folder"
            )
        for each in fields(self):
            if each.name in ("runs", "files"):
                continue
            now, then = getattr(self, each.name), getattr(before, each.name)
            if now == then:
                continue
            what = each.name.replace("_", " ")
            if isinstance(now, list) and isinstance(then, list):
                pairs = enumerate(zip_longest(then, now))
                at, (then, now) = next((n, pair) for n, pair in pairs if pair[0] != pair[1])
                what = f"{what}: number {at + 1}"
            elif isinstance(now, dict):
                name = next(name for name in [*then, *now] if now.get(name) != then.get(name))
                what, now, then = f"{what}: {name}", now.get(name), then.get(name)
            raise RVHError(
                f"{folder} was split with other options, so nothing can be added: {what} is "
                f"{show(then, 80)} there and {show(now, 80)} here; split into another folder"
            )
        self.files, self.runs = list(before.files), list(before.runs)


def size_text(size: int) -> str:
    """A number of bytes, as summaries say it."""
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else counted(size, "byte")


def read(folder: str) -> Manifest:
    """Read the manifest of a folder.

    Raises
    ------
    RVHError
        There is none, it is damaged, or of another version.
    """
    path = os.path.join(folder, NAME)
    try:
        with open(path, encoding="utf-8") as file:
            said = json.load(file)
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.isdir(folder):
            what = " is not a folder" if os.path.exists(folder) else ": there is no such folder"
            raise RVHError(f"{folder}{what}") from None
        raise RVHError(
            f"{folder} has no {NAME}: rvh split did not write it, or the manifest was deleted"
        ) from None
    except (ValueError, RecursionError) as error:
        raise RVHError(f"{path} is damaged: {error}; split the table again") from None
    version = said.get("rvh_split") if isinstance(said, dict) else None
    if version is None:
        raise RVHError(f"{path} is not a manifest of rvh split: it has no member 'rvh_split'")
    if version != VERSION:
        raise RVHError(
            f"{path} has version {show(version)} of the manifest, and this rvh reads {VERSION}: "
            f"use the rvh that wrote it, {show(said.get('written_by'))}, or a later one"
        )
    try:
        refuse_other_shape({name: said[name] for name in said if name in SHAPE}, SHAPE)
        made = Manifest(**{each.name: said[each.name] for each in fields(Manifest)})
        made.nodes = [each["node"] for each in said["nodes"]]
        made.runs = [Run(**each) for each in said["runs"]]
        made.files = [File(**each) for each in said["files"]]
        made.refuse_other_paths()
        if said["totals"]["files"] != len(made.files):
            raise RVHError(
                f"$.totals.files is {said['totals']['files']}, and $.files has {len(made.files)}"
            )
    except RVHError as error:
        raise RVHError(f"{path} is damaged: {error}; split the table again") from None
    return made


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
