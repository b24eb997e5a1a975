"""``rvh verify``: a folder that split has written, read back and compared with its manifest."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import typer

from rvh._tables import FORMATS, Quote
from rvh._tables.partnames import HIDDEN
from rvh._tables.unfinished import PREFIX
from rvh.cli import manifest as manifests
from rvh.cli.exits import ExitStatus, emit_json, say
from rvh.cli.formats import FormatOptions
from rvh.cli.identity import constraints_of, method_of
from rvh.cli.keyfiles import KeyFile, KeyFiles
from rvh.cli.keyspec import KeyOptions, KeyType, NullKeys
from rvh.cli.manifest import File, Manifest
from rvh.cli.options import BulkOptions, NodeFileOptions, Nodes, Scheme, Threads, WeightColumn
from rvh.cli.outputs import counted
from rvh.cli.placement import Placement
from rvh.cli.progress import progress
from rvh.cli.rows import PlacedRows, RowsOptions
from rvh.errors import RVHError, show

#: how many faults are printed; --json has all
SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class WhichNodes:
    """The nodes of the split, where rows are to be checked against them."""

    nodes: Nodes = field(default_factory=list)
    node_file: NodeFileOptions
    weight_column: WeightColumn = None
    secret_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The file with the secret, as given to rvh split."),
    ] = None
    where: Annotated[
        list[str],
        typer.Option("--where", metavar="COND", help="As given to rvh split."),
    ] = field(default_factory=list)
    dead: Annotated[
        list[str],
        typer.Option("--dead", metavar="LIST|@FILE", help="As given to rvh split."),
    ] = field(default_factory=list)
    threads: Threads = None

    def __post_init__(self) -> None:
        others = {
            "--node-column": self.node_file.node_column,
            "--node-format": self.node_file.node_format,
            "--no-node-header": self.node_file.no_node_header,
            "--weight-column": self.weight_column,
            "--secret-file": self.secret_file,
            "--where": self.where,
            "--dead": self.dead,
            "--threads": self.threads,
        }
        for option, given in others.items():
            if given and not self.nodes:
                raise typer.BadParameter("it needs --nodes", param_hint=option)

    def rows_options(self, about: Manifest, null_keys: NullKeys) -> RowsOptions:
        """The options of split that place a row, as the manifest has them."""
        said = about.placement
        return RowsOptions(
            nodes=self.nodes,
            k=said["k"],
            key=KeyOptions(
                key_column=[f"{name}:{key_type}" for name, key_type in _key_parts(about)],
                null_keys=null_keys,
                key_geohash=about.keys["geohash"],
            ),
            formats=FormatOptions(),
            node_file=self.node_file,
            weight_column=self.weight_column,
            scheme=Scheme(said.get("scheme", Scheme.BLAKE2B)),
            method=method_of(said, self.secret_file),
            constraints=constraints_of(said, self.where, self.dead),
            precision=said.get("precision"),
            bulk=BulkOptions(threads=self.threads),
        )


def verify(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A folder that rvh split created.")],
    *,
    which: WhichNodes,
    quick: Annotated[
        bool, typer.Option("--quick", help="Compare only the sizes of files, and read none.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON object.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print no progress bar and no summary.")
    ] = False,
) -> None:
    """Check the files that rvh split wrote.

    \b
    Examples:
      rvh verify shards
      rvh verify shards --nodes @nodes.csv
      rvh verify shards --quick --json

    Each file must have the size, checksum and rows that the manifest says. With --nodes, each row
    must also be in a file of one of its nodes. The exit status is 1 if anything differs.
    """
    if quick and which.nodes:
        raise typer.BadParameter(
            "to check rows against nodes, files must be read: omit it", param_hint="--quick"
        )
    start = time.monotonic()
    about = manifests.read(folder)
    checker = Checker(folder, about, which, quick)
    faults = list(_leftovers(folder, about))
    total, size = sum(each.bytes for each in about.files), 0
    with progress(os.path.basename(os.path.abspath(folder)), quiet) as bar:
        for each in about.files:
            faults += [{"path": each.path, "fault": fault} for fault in checker.faults(each)]
            size += each.bytes
            bar.update(checker.rows, size / max(1, total))
    if as_json:
        found = {
            "ok": not faults,
            "files": len(about.files),
            "rows": sum(each.rows for each in about.files),
            "bytes": total,
            "checked": "sizes" if quick else "nodes" if which.nodes else "content",
            "faults": faults,
        }
        emit_json(found)
    else:
        for fault in faults[:SHOWN]:
            say(f"{os.path.join(folder, fault['path'])}: {fault['fault']}")
        if len(faults) > SHOWN:
            say(f"and {len(faults) - SHOWN:,} more, which --json lists")
    if not quiet:
        seconds = time.monotonic() - start
        rows = sum(each.rows for each in about.files)
        result = counted(len(faults), "fault") if faults else "all is as the manifest says"
        say(
            f"{counted(len(about.files), 'file')}, {counted(rows, 'row')}, "
            f"{manifests.size_text(total)} in {seconds:.2f} s: {result}"
        )
    if faults:
        raise SystemExit(ExitStatus.ERROR)


class Checker:
    """Checks files of a folder, one after another.

    Parameters
    ----------
    folder : str
    about : Manifest
    which : WhichNodes
    quick : bool
        Whether sizes are enough.

    Raises
    ------
    RVHError
        Nodes that are not those of the split, or a placement that no row can be checked against.
    """

    def __init__(self, folder: str, about: Manifest, which: WhichNodes, quick: bool) -> None:
        self._folder, self._about, self._quick = folder, about, quick
        self._format = FORMATS[about.format]
        options = dict(about.options)
        if "quote" in options:
            options["quote"] = Quote(options["quote"])
        if self._format.is_delimited:
            options["chosen"] = True
        self._options = options
        self._rows_options: dict[bool, RowsOptions] = {}
        self._placed: Placement | None = None
        #: rows that were read
        self.rows = 0
        if which.nodes:
            self._place(which)

    def _place(self, which: WhichNodes) -> None:
        about = self._about
        if "load_factor" in about.placement:
            raise RVHError(
                f"{self._folder} was split with --load-factor, where the node of a row depends on "
                "all keys, so rows cannot be checked one by one: omit --nodes"
            )
        # By the form of a file an empty key may be a null one: only its folder tells which it was.
        self._rows_options = {
            True: which.rows_options(about, NullKeys.KEEP),
            False: which.rows_options(about, NullKeys.ERROR),
        }
        self._placed = self._rows_options[False].placement([self._folder], self._format, None)
        ours, theirs = self._placed.identity()["fingerprint"], about.placement["fingerprint"]
        if other := about.other_nodes(self._placed.ids):
            raise RVHError(f"{self._folder} was split over other nodes: {other}")
        if ours != theirs:
            raise RVHError(
                f"the nodes given have the fingerprint {ours}, and {self._folder} was split over "
                f"nodes with {theirs}: give --nodes (and their weights, the secret, --where and "
                "--dead) as they were then"
            )

    def faults(self, each: File) -> Iterator[str]:
        """Compare one file with the manifest; yield each fault in words."""
        path = os.path.join(self._folder, *each.path.split("/"))
        try:
            size = os.stat(path).st_size
            if size != each.bytes:
                yield f"it has {size:,} bytes, and the manifest says {each.bytes:,}"
            elif not self._quick:
                with open(path, "rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                if digest != each.sha256:
                    yield f"its SHA-256 is {digest}, and the manifest says {each.sha256}"
                else:
                    yield from self._content(path, each)
        except FileNotFoundError:
            yield "it is not there"
        except OSError as error:
            yield f"it cannot be read: {error.strerror}"

    def _content(self, path: str, each: File) -> Iterator[str]:
        """Read the rows of a file whose bytes are right; yield the first fault."""
        rows = 0
        try:
            file = KeyFile(path=path, format=self._format, encoding=None, options=self._options)
            files = KeyFiles(files=[file])
            with files.open() as reader:
                if self._placed is None:
                    for batch in reader.batches():
                        rows += len(batch)
                else:
                    is_null = each.node is None
                    placed = PlacedRows(files, reader, self._rows_options[is_null], self._placed)
                    position = placed.ids.index(each.node) if each.node is not None else -1
                    for batch, chosen in placed.batches():
                        rows += len(batch)
                        wrong = np.flatnonzero((chosen != position).all(axis=1))
                        if len(wrong):
                            row = int(wrong[0])
                            nodes = [placed.ids[n] for n in chosen[row].tolist()]
                            yield (
                                f"{batch.where(row)} belongs to {', '.join(map(show, nodes))}, not "
                                f"to {show(each.node)}"
                            )
                            return
        except RVHError as error:
            yield str(error).removeprefix(f"{path}: ")
            return
        except typer.BadParameter as error:  # of key columns, which the manifest has chosen
            yield f"its columns are not those of the manifest: {error.message}"
            return
        finally:
            self.rows += rows
        if rows != each.rows:
            yield f"it has {rows:,} rows, and the manifest says {each.rows:,}"


def _key_parts(about: Manifest) -> Iterator[tuple[str, str]]:
    """The key columns and their types, which text has lost that was made of a table with types."""
    types = {each["name"]: each["type"] for each in about.columns or []}
    for each in about.keys["columns"]:
        name, key_type = each["column"], each["type"]
        if FORMATS[about.format].is_untyped and key_type == KeyType.AUTO:
            is_whole = re.match("u?int", types.get(name, "")) is not None
            key_type = (KeyType.INT if is_whole else KeyType.TEXT).value
        yield name, key_type


def _leftovers(folder: str, about: Manifest) -> Iterator[dict[str, str]]:
    """Files that the manifest does not list; engines skip those that begin with a point or _."""
    listed = {each.path for each in about.files}
    for place, folders, names in os.walk(folder):
        if place == folder:
            for name in folders:
                if name.startswith(PREFIX):
                    yield {
                        "path": name,
                        "fault": "it is left over from an --append that was killed, unless one is "
                        "running now: remove it",
                    }
        folders[:] = sorted(name for name in folders if not HIDDEN.match(name))
        for name in sorted(names):
            path = os.path.relpath(os.path.join(place, name), folder).replace(os.sep, "/")
            if path not in listed and not HIDDEN.match(name):
                yield {
                    "path": path,
                    "fault": "it is not in the manifest: an --append that was killed may have left "
                    "it; remove it, and append again",
                }
