"""``rvh migrate verify``: what every node has, against what it has to have."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import typer

from rvh.cli.audit import Audit, Found, Sides
from rvh.cli.exits import ExitStatus, emit_json, say
from rvh.cli.heldkeys import HeldKeysOptions, files_of, held_keys
from rvh.cli.keyfiles import is_rereadable
from rvh.cli.migratefile import Opened, read
from rvh.cli.migratekeys import Quiet, State, positions
from rvh.errors import RVHError, show
from rvh.migration import Phase
from rvh.migration.rows import take_keys

if TYPE_CHECKING:
    from rvh._tables.base import Batch

#: how many faults are named, of each kind
SHOWN = 10


def verify(
    state: State,
    held: Annotated[
        list[str],
        typer.Argument(
            metavar="HELD",
            help="Files with a row for each key on each node, or folders node=ID of such files.",
        ),
    ],
    *,
    column: Annotated[
        str, typer.Option(metavar="NAME", help="The column of HELD with the node.")
    ] = "node",
    checksum_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The column of HELD with a checksum of the value, which may be any text.",
        ),
    ] = None,
    rows: HeldKeysOptions,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON object.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Check that every node has the keys it should have.

    \b
    Examples:
      rvh migrate verify state.json held.parquet -K key --checksum-column crc
      rvh migrate verify state.json held/ --json

    List HELD while nothing is written, or after the last write. The exit status is 0 if every key
    is on all nodes that should have it in this phase, with one checksum. If it is 1, do not
    advance.
    """
    if rows.formats.output_format is not None:
        raise typer.BadParameter("verify writes no file", param_hint="--output-format")
    migration = read(state)
    start = time.monotonic()
    files = files_of(held, rows)
    others = [column] if checksum_column is None else [column, checksum_column]
    audit, belongs = Audit(), Belongs(migration)

    def add(batch: Batch, keys: Any) -> None:
        nodes = positions(_texts(batch, column), belongs.ids).fill_null(-1).to_numpy()
        if (nodes < 0).any():
            row = int((nodes < 0).argmax())
            raise RVHError(
                f"{_where(batch, row, column)}: {show(batch.texts(column)[row])} is not a node of "
                f"the placements of {state}"
            )
        sums = None
        if checksum_column is not None:
            sums = _texts(batch, checksum_column)
            if (nulls := batch.nulls(checksum_column)).any():
                where = _where(batch, int(nulls.argmax()), checksum_column)
                raise RVHError(f"{where}: the checksum is null")
        audit.add(keys, nodes, belongs.sides(keys), sums)

    with held_keys(files, rows, migration.pair, others) as (every, _):
        every.each(add, quiet)
        summary = every.summary()
    found = audit.found()
    phase = migration.coordinator.phase
    # A copy never overwrites: what is on a new node before the copy would stay.
    is_stale = phase in (Phase.BEFORE, Phase.PREPARING) and found.others > 0
    is_wrong = bool(found.missing or found.different or is_stale)
    faults: list[str] = []
    if is_wrong and all(map(is_rereadable, files.paths)):
        named = Named(found, is_stale, belongs)
        with held_keys(files, rows, migration.pair, others) as (every, _):
            for batch, keys in every.batches():
                faults += named.of_batch(batch, keys, every.names)
                if named.is_done:
                    break
    if as_json:
        numbers = {name: value for name, value in found._asdict().items() if type(value) is int}
        emit_json({"ok": not is_wrong, "phase": phase, **numbers, "faults": faults})
    else:
        for fault in faults:
            say(fault)
    if not quiet:
        say(
            f"{summary} in {time.monotonic() - start:.2f} s: {found.keys:,} keys in {phase}; "
            f"{found.copies:,} copies in the right place, {found.missing:,} missing, "
            f"{found.different:,} keys with copies that differ, {found.others + found.strays:,} "
            "copies elsewhere"
        )
    if is_wrong:
        raise SystemExit(ExitStatus.ERROR)


class Named:
    """Names the first faults of each kind in a second reading."""

    def __init__(self, found: Found, is_stale: bool, belongs: Belongs) -> None:
        self._belongs = belongs
        self._bits = dict(
            zip(found.missing_rows[:SHOWN].tolist(), found.missing_bits.tolist(), strict=False)
        )
        self._different = set(found.different_rows[:SHOWN].tolist())
        self._others = set(found.other_rows[:SHOWN].tolist()) if is_stale else set()
        self._last = max([-1, *self._bits, *self._different, *self._others])
        self._rows = 0

    @property
    def is_done(self) -> bool:
        """Whether no fault is left to be named."""
        return bool(self._rows > self._last)

    def of_batch(self, batch: Batch, keys: Any, names: list[str]) -> Iterator[str]:
        """Name the faults of keys that are seen first in a batch."""
        stop = self._rows + len(batch)
        every = {*self._bits, *self._different, *self._others}
        for row in sorted(each for each in every if self._rows <= each < stop):
            at = row - self._rows
            key = ", ".join(f"{name}={batch.texts(name)[at]}" for name in names)
            where = f"{batch.source}: {batch.where(at)}: key {key}"
            if row in self._bits:
                (nodes,) = self._belongs.sides(take_keys(keys, np.array([at]))).nodes.tolist()
                bits = self._bits[row]
                without = [self._belongs.ids[n] for c, n in enumerate(nodes) if bits >> c & 1]
                yield f"{where} is missing on {', '.join(map(show, without))}"
            if row in self._different:
                yield f"{where} has copies with several checksums"
            if row in self._others:
                yield f"{where} is on a node that gets it later: remove it there first"
        self._rows = stop


class Belongs:
    """Where keys belong in the phase of a migration."""

    def __init__(self, migration: Opened) -> None:
        coordinator = migration.coordinator
        now, first = coordinator.migration, migration.pair
        self.ids = migration.ids
        at = {node: position for position, node in enumerate(self.ids)}
        for node in coordinator.dead:
            at[node] = -1
        self._placements = [now._old, *now._kept, now._new]
        self._at = [
            np.array([at[node] for node in placed.ids], dtype=np.intp)
            for placed in self._placements
        ]
        old, kept, new = _roles(coordinator.phase, coordinator.is_rolling_back)
        widths = [first.old.k, *[first.new.k] * len(now._kept), first.new.k]
        roles = [old, *[kept] * len(now._kept), new]
        each = [role for role, width in zip(roles, widths, strict=True) for _ in range(width)]
        self._needed = np.array([needed for needed, _ in each])
        self._telling = np.array([telling for _, telling in each])

    def sides(self, keys: Any) -> Sides:
        """Find the nodes of keys."""
        columns = [
            each[placed.arglookup_batch(keys)]
            for placed, each in zip(self._placements, self._at, strict=True)
        ]
        return Sides(np.concatenate(columns, axis=1), self._needed, self._telling)


def _roles(phase: Phase, rolling_back: bool) -> tuple[tuple[bool, bool], ...]:
    """Whether old, kept and new nodes have to have a key, and whether they tell that it exists."""
    if phase in (Phase.BEFORE, Phase.PREPARING) or rolling_back:
        return (True, True), (False, phase is not Phase.BEFORE), (False, False)
    if phase is Phase.AFTER:
        return (False, False), (False, False), (True, True)
    return (True, True), (False, True), (True, phase is Phase.SWITCHING)


def _texts(batch: Batch, name: str) -> Any:
    """A column as texts: of Arrow where it has them, else an array of objects."""
    texts = batch.keys(name)
    if isinstance(texts, pa.Array):
        return texts
    values = batch.texts(name)
    return np.array([value if value is None else str(value) for value in values], dtype=object)


def _where(batch: Batch, row: int, name: str) -> str:
    return f"{batch.source}: {batch.where(row)}, column {show(name)}"
