"""``rvh migrate``: a migration from one placement to another, driven by a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rvh.cli.exits import emit, emit_json, say
from rvh.cli.migratefile import Opened, begin, changing
from rvh.cli.migratefile import read as read_state
from rvh.cli.migratekeys import State
from rvh.cli.outputs import counted, width
from rvh.cli.pairs import PairOptions
from rvh.cli.values import refuse_no_text
from rvh.errors import RVHError, show

if TYPE_CHECKING:
    from rvh.migration import Coordinator

StatusJson = Annotated[
    bool, typer.Option("--json", help="Print the new status as one JSON object on stdout.")
]
Worker = Annotated[str, typer.Argument(metavar="WORKER", help="The name of a worker.")]


def plan(
    state: Annotated[
        str, typer.Argument(metavar="STATE", help="The state file to create; it must not exist.")
    ],
    *,
    pair: PairOptions,
    steps: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=1 << 24, help="How many steps to divide the copies into."
        ),
    ] = 100,
    as_json: StatusJson = False,
) -> None:
    """Begin a migration and write its state to STATE.

    \b
    Examples:
      rvh migrate plan state.json -n @n.csv --algorithm ketama --to-algorithm table
      rvh migrate plan state.json -n @nodes.csv -c 3 --add node9 --steps 1000

    STATE keeps the options, phase, steps and workers. The options are those of rvh plan. Later
    commands read the node files again and stop if these have changed.
    """
    made = begin(state, pair, steps)
    if warning := made.pair.warning():
        say(warning)
    said = f"{made.pair}, in {counted(steps, 'step')}: {_next(made.coordinator, state)}"
    _tell(made, as_json, said)


def status(
    state: State,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the phase, epoch, remaining steps and workers.

    \b
    Examples:
      rvh migrate status state.json
      rvh migrate status state.json --json
    """
    migration = read_state(state)
    if as_json:
        _tell(migration, as_json)
        return
    said = _status(migration)
    said["left"] = _ranges(said["left"]) or "none"
    lines = [(name.replace("_", " "), _shown(value)) for name, value in said.items()]
    lines.append(("next", _next(migration.coordinator, state)))
    wide = max(width(name) for name, _ in lines)
    emit("\n".join(f"{name:<{wide}}  {text}".rstrip() for name, text in lines))


def view(state: State) -> None:
    """Print the JSON that workers need to find keys.

    \b
    Examples:
      rvh migrate view state.json

    `rvh.migration.View` reads it.
    """
    emit(read_state(state).coordinator.view().to_json())


def workers(
    state: State,
    worker: Annotated[
        list[str] | None, typer.Argument(metavar="[WORKER]", help="The names of all workers.")
    ] = None,
    *,
    none: Annotated[
        bool, typer.Option("--none", help="There are no workers: no program reads or writes keys.")
    ] = False,
    as_json: StatusJson = False,
) -> None:
    """Name all workers: the programs that use keys.

    \b
    Examples:
      rvh migrate workers state.json web-1 web-2
      rvh migrate workers state.json --none

    Workers that acknowledged an epoch before keep it.
    """
    if bool(worker) is none:
        raise typer.BadParameter(
            "name all workers, or give --none" if not worker else "workers are named as well",
            param_hint="--none" if worker else "WORKER",
        )
    for name in worker or ():
        refuse_no_text(name, "WORKER")
    with changing(state) as migration:
        migration.coordinator.workers(worker or [])
    _tell(migration, as_json)


def join(state: State, worker: Worker, *, as_json: StatusJson = False) -> None:
    """Add a worker.

    \b
    Examples:
      rvh migrate join state.json web-3

    It may read and write once it has acknowledged the epoch.
    """
    refuse_no_text(worker, "WORKER")
    with changing(state) as migration:
        migration.coordinator.join(worker)
    _tell(migration, as_json)


def leave(state: State, worker: Worker, *, as_json: StatusJson = False) -> None:
    """Remove a worker that has ended.

    \b
    Examples:
      rvh migrate leave state.json web-3
    """
    with changing(state) as migration:
        _refuse_unknown(migration.coordinator, worker, state)
        migration.coordinator.leave(worker)
    _tell(migration, as_json)


def acknowledge(
    state: State,
    worker: Worker,
    epoch: Annotated[
        int, typer.Argument(metavar="EPOCH", min=1, help="The epoch of the worker's view.")
    ],
    *,
    as_json: StatusJson = False,
) -> None:
    """Record that a worker has taken up an epoch.

    \b
    Examples:
      rvh migrate acknowledge state.json web-1 4

    The worker must have finished every read and write that it began in an earlier epoch.
    """
    with changing(state) as migration:
        _refuse_unknown(migration.coordinator, worker, state)
        migration.coordinator.acknowledge(worker, epoch)
    _tell(migration, as_json)


def advance(state: State, *, as_json: StatusJson = False) -> None:
    """Begin the next phase, or say what it waits for.

    \b
    Examples:
      rvh migrate advance state.json
    """
    with changing(state) as migration:
        coordinator = migration.coordinator
        coordinator.advance()
    _tell(migration, as_json)


def progress(
    state: State,
    progress: Annotated[
        float,
        typer.Argument(metavar="P", help="The share of keys to read from their new nodes, 0 to 1."),
    ],
    *,
    as_json: StatusJson = False,
) -> None:
    """Set the share of keys to read from their new nodes.

    \b
    Examples:
      rvh migrate progress state.json 0.25

    It works in the phase switching. The share may rise or fall.
    """
    with changing(state) as migration:
        migration.coordinator.set_progress(progress)
    _tell(migration, as_json)


def finish(
    state: State,
    step: Annotated[
        list[str], typer.Argument(metavar="STEP", help="Step numbers or ranges such as 0-99.")
    ],
    *,
    generation: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="The generation that rvh migrate keys printed; a step of another generation is "
            "refused.",
        ),
    ] = None,
    as_json: StatusJson = False,
) -> None:
    """Record that all copies of some steps are made.

    \b
    Examples:
      rvh migrate finish state.json 7
      rvh migrate finish state.json 0-99 --generation 0
    """
    with changing(state) as migration:
        coordinator = migration.coordinator
        for number in [number for text in step for number in _numbers(text, coordinator.steps)]:
            coordinator.finish(number, generation=generation)
        said = f"{counted(coordinator.steps - _left(coordinator), 'step')} of {coordinator.steps:,}"
    _tell(migration, as_json, said)


def _numbers(text: str, steps: int) -> range:
    """The steps of a number, or of a range of two: both ends belong to it."""
    first, dash, last = text.partition("-")
    if not first.isdecimal() or not (last.isdecimal() if dash else True):
        raise RVHError(f"step is {show(text)}: give a number, or a range such as 0-99")
    found = range(int(first), int(last or first) + 1)
    if not found:
        raise RVHError(f"step is {show(text)}: a range begins with its lower number")
    if found[-1] >= steps:
        raise RVHError(f"step is {text}: there are steps 0 to {steps - 1}")
    return found


def lose(
    state: State,
    node: Annotated[str, typer.Argument(metavar="NODE", help="The node that has died.")],
    *,
    as_json: StatusJson = False,
) -> None:
    """Continue without a node that has died.

    \b
    Examples:
      rvh migrate lose state.json node7

    Nobody reads its data again. Its keys go to the next nodes of the new placement, as with --dead.
    If it was to receive keys, the phase returns to preparing; what was copied to other nodes is not
    copied again.
    """
    with changing(state) as migration:
        if node in migration.coordinator.dead:
            raise RVHError(f"node {show(node)} is lost already: nothing changes")
        migration.coordinator.lose(node)
    _tell(migration, as_json)


def rollback(state: State, *, as_json: StatusJson = False) -> None:
    """Start to go back to the old placement.

    \b
    Examples:
      rvh migrate rollback state.json

    It works in the phases preparing, copying and switching. Then let all workers acknowledge, run
    rvh migrate advance, let all acknowledge again, remove what rvh migrate leftovers lists, and run
    rvh migrate purged.
    """
    with changing(state) as migration:
        migration.coordinator.rollback()
    _tell(migration, as_json)


def purged(state: State, *, as_json: StatusJson = False) -> None:
    """Record that the leftovers of a rollback are removed.

    \b
    Examples:
      rvh migrate purged state.json

    rvh migrate leftovers lists them.
    """
    with changing(state) as migration:
        migration.coordinator.purged()
    _tell(migration, as_json)


def _tell(migration: Opened, as_json: bool, said: str | None = None) -> None:
    """Say on stderr what is so now, or print the status."""
    if as_json:
        emit_json(_status(migration))
    else:
        say(_now(migration.coordinator) if said is None else said)


def _refuse_unknown(coordinator: Coordinator, worker: str, state: str) -> None:
    if worker not in coordinator.acknowledged:
        raise RVHError(
            f"{state} has no worker {show(worker)}: add it with rvh migrate join; there are "
            f"{', '.join(map(show, coordinator.acknowledged)) or 'none'}"
        )


def _left(coordinator: Coordinator) -> int:
    return sum(1 for _ in coordinator.left())


def _now(coordinator: Coordinator) -> str:
    """The phase, and who is waited for, in words."""
    back = ", rolling back" if coordinator.is_rolling_back else ""
    waiting = coordinator.waiting
    text = f"{coordinator.phase}{back}, epoch {coordinator.epoch}"
    if coordinator.phase == "switching":
        text += f", progress {float(coordinator.progress):g}"
    if not waiting:
        return f"{text}: waiting for no worker"
    more = ", ..." if len(waiting) > 10 else ""
    return f"{text}: {counted(len(waiting), 'worker')} to acknowledge it: " + (
        ", ".join(waiting[:10]) + more
    )


def _next(coordinator: Coordinator, state: str) -> str:
    """What to do next, in words."""
    phase, run = coordinator.phase, f"rvh migrate {{}} {state}"
    if not coordinator.are_workers_named:
        return f"name all workers, {run.format('workers')} WORKER"
    if coordinator.waiting:
        return (
            f"{counted(len(coordinator.waiting), 'worker')} to acknowledge epoch "
            f"{coordinator.epoch}: {', '.join(coordinator.waiting[:10])}"
        )
    if coordinator.is_to_purge:
        return f"remove what {run.format('leftovers')} lists, then {run.format('purged')}"
    if coordinator.is_rolling_back or phase in ("before", "preparing"):
        return run.format("advance")
    if phase == "copying" and _left(coordinator):
        return f"list the keys, copy what {run.format('keys')} lists, {run.format('finish')} STEP"
    if phase == "copying":
        return f"{run.format('verify')} HELD, then {run.format('advance')}"
    if phase == "switching" and coordinator.progress != 1:
        return f"{run.format('progress')} P, up to 1"
    if phase == "switching" or coordinator.view().marks:
        return run.format("advance")
    leftovers = run.format("leftovers")
    return f"remove what {leftovers} lists and all marks of deletes: then the migration is over"


def _status(migration: Opened) -> dict[str, Any]:
    coordinator, pair = migration.coordinator, migration.pair
    left = [step.number for step in coordinator.left()]
    return {
        "old": str(pair.old),
        "new": str(pair.new),
        "phase": str(coordinator.phase),
        "rolling_back": coordinator.is_rolling_back,
        "epoch": coordinator.epoch,
        "progress": float(coordinator.progress),
        "steps": coordinator.steps,
        "left": left,
        "generation": coordinator.generation,
        "dead": list(coordinator.dead),
        "waiting": coordinator.waiting,
        "workers": coordinator.acknowledged if coordinator.are_workers_named else None,
    }


def _ranges(numbers: list[int]) -> str:
    """Numbers in words: runs of them as first-last."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = [str(a) if a == b else f"{a}-{b}" for a, b in runs[:10]]
    return ", ".join(shown) + (", ..." if len(runs) > 10 else "")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} at {epoch}" for name, epoch in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
