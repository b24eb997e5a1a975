"""``rvh migrate keys`` and ``rvh migrate leftovers``: the rows to copy, and those to remove."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import typer
from numpy.typing import NDArray

from rvh.cli.exits import ExitStatus, emit_json, say
from rvh.cli.heldkeys import HeldKeysOptions, files_of, held_keys
from rvh.cli.inputs import refuse_overwritten
from rvh.cli.migratefile import Opened, in_words, read
from rvh.cli.moves import moves_writer
from rvh.cli.outputs import AsJson, refuse_two_on_stdout
from rvh.cli.packing import PackingOptions

if TYPE_CHECKING:
    from rvh._tables.base import Batch

State = Annotated[
    str, typer.Argument(metavar="STATE", help="The state file that rvh migrate plan created.")
]
Keys = Annotated[
    list[str],
    typer.Argument(
        metavar="KEYS",
        help="Files of keys in one format, folders of such files, or quoted patterns; - is stdin.",
    ),
]
Out = Annotated[
    str, typer.Option("--out", "-o", metavar="OUT", help="The file to write; - is stdout.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress bar and no summary.")]


class _Rows(NamedTuple):
    """Copies of a batch, as `MovesWriter` takes them: sources and targets as positions, or null."""

    row: NDArray[np.intp]
    source: Any
    target: Any
    step: NDArray[np.intp] | None


def keys(
    state: State,
    keys: Keys,
    *,
    out: Out,
    step: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, help="Write one step only. [default: all remaining steps]"
        ),
    ] = None,
    rows: HeldKeysOptions,
    packing: PackingOptions,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a row for each copy to make.

    \b
    Examples:
      rvh migrate keys state.json keys.txt -o copies.csv
      rvh migrate keys state.json keys.parquet -K id --step 7 -o step7.parquet

    A row has the key, its source, target and step. All steps are sorted in one pass. If no living
    node is known to have the key, the source is null and the exit status 3.

    List KEYS after all workers have acknowledged the phase copying: before that, new keys may be
    written to old nodes only.
    """
    refuse_two_on_stdout(as_json, {"--out": out})
    migration = read(state)
    coordinator = migration.coordinator
    with in_words(state):
        coordinator.moves([], step)  # refuses what is no step, or too early
    plan = coordinator.migration.plan(coordinator.steps)
    ids = migration.ids
    lost = 0

    def copies(keys: Any) -> _Rows:
        nonlocal lost
        found = coordinator.moves(keys, step)
        source, target = positions(found.source, ids), positions(found.target, ids)
        lost += source.null_count
        return _Rows(found.row, source, target, plan.steps_of(keys)[found.row])

    summary, facts = _write(migration, state, keys, out, rows, packing, quiet, copies)
    count = facts["copies"]
    if as_json:
        facts |= {"without_source": lost, "generation": coordinator.generation}
        emit_json(facts)
    elif not quiet:
        say(f"{summary}: {_copies(count)} to make, in generation {coordinator.generation}")
    if lost:
        say(f"{_copies(lost)} have no source: no living node is known to have the key")
        raise SystemExit(ExitStatus.LOST)


def leftovers(
    state: State,
    keys: Keys,
    *,
    out: Out,
    rows: HeldKeysOptions,
    packing: PackingOptions,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a row for each copy to remove.

    \b
    Examples:
      rvh migrate leftovers state.json keys.txt -o remove.csv

    A row has the key and the node. In the phase after, these are copies on old nodes that the new
    placement does not need; after a rollback, what new nodes received. KEYS are all keys that any
    node has, with marks of deleted keys.
    """
    refuse_two_on_stdout(as_json, {"--out": out})
    migration = read(state)
    coordinator = migration.coordinator
    with in_words(state):
        coordinator.leftovers([])  # refuses a phase in which nothing may be removed
    ids = migration.ids

    def removals(keys: Any) -> _Rows:
        found = coordinator.leftovers(keys)
        return _Rows(found.row, positions(found.node, ids), None, None)

    summary, facts = _write(migration, state, keys, out, rows, packing, quiet, removals, ("node",))
    if as_json:
        emit_json(facts)
    elif not quiet:
        say(f"{summary}: {_copies(facts['copies'])} to remove")


def _write(
    migration: Opened,
    state: str,
    keys: list[str],
    out: str,
    rows: HeldKeysOptions,
    packing: PackingOptions,
    quiet: bool,
    of_batch: Callable[[Any], _Rows],
    columns: tuple[str, ...] = ("source", "target"),
) -> tuple[str, dict[str, Any]]:
    """Write what `of_batch` gives; return what was read and written, in words and for programs."""
    files = files_of(keys, rows, out)
    packed = packing.of_file(out, files.write_as)
    for what, paths in (("KEYS", files.paths), ("STATE", [state])):
        refuse_overwritten(out, [(what, path) for path in paths])
    start, count = time.monotonic(), 0
    with contextlib.ExitStack() as stack:
        held, reader = stack.enter_context(held_keys(files, rows, migration.pair))
        writer = stack.enter_context(
            moves_writer(
                out,
                files,
                packed,
                reader,
                held.names,
                migration.ids,
                has_sizes=False,
                has_steps=columns[0] == "source",
                nodes=columns,
            )
        )

        def write(batch: Batch, keys: Any) -> None:
            nonlocal count
            found = of_batch(keys)
            writer.write(batch, found, None)
            count += len(found.row)

        held.each(write, quiet)
        summary, facts = held.summary(), held.facts()
    seconds = time.monotonic() - start
    return f"{summary} in {seconds:.2f} s", {**facts, "copies": count, "seconds": seconds}


def positions(nodes: Any, ids: list[str]) -> Any:
    """Return the positions of nodes, an array or Arrow column, in a list; null for None."""
    if isinstance(nodes, np.ndarray):
        nodes = pa.array(nodes.tolist(), pa.string())
    return pc.index_in(nodes.cast(pa.string()), pa.array(ids, pa.string())).cast(pa.int64())


def _copies(count: int) -> str:
    return f"{count:,} {'copy' if count == 1 else 'copies'}"
