"""The phases of a migration as a state machine, kept in a file.

A phase begins when every worker has left the last but one: each acknowledges the epoch that it
works by. The phases are those of an online change of schema: Rae et al., "Online, Asynchronous
Schema Change in F1", VLDB 2013.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._columns.values import is_whole
from rvh._placing import as_placement
from rvh._runtime.shared import Shared
from rvh.errors import RVHError, RVHTypeError, show
from rvh.migration.crossing import crossing_limit
from rvh.migration.generations import among, as_placements, following, left, same
from rvh.migration.migration import Migration
from rvh.migration.moves import Copies, Leftovers, Moved, copies, first_sources, goes_and_stays
from rvh.migration.pair import fingerprint
from rvh.migration.phases import Phase
from rvh.migration.plan import Plan, Step
from rvh.migration.rows import take_keys
from rvh.migration.state import Kept, State, from_json, to_json, worker_name
from rvh.migration.statefile import read_state, write_state
from rvh.migration.view import View

if TYPE_CHECKING:
    from rvh.typing import Keys

__all__ = ["Coordinator"]


class Coordinator(Shared):
    """The phases of a migration, its steps, and which worker works by which epoch.

    It never loses what it has answered: every change is in the file before the call returns. A
    file has one coordinator at a time.

    Parameters
    ----------
    migration : Migration
        Both placements need a fingerprint.
    steps : int
        As for `Migration.plan`.
    path : str or path-like, optional
        The file of the state, which must not be there; `Coordinator.resume` goes on with one.
    about : optional
        Anything that JSON can hold; the file keeps it for whoever made it.

    Raises
    ------
    RVHError
        A file that is there, ``steps`` out of range, a placement without a fingerprint.
    RVHTypeError
        Something else than a Migration.

    Examples
    --------
    >>> from rvh import NodeSet
    >>> from rvh.migration import Coordinator, Migration
    >>> coordinator = Coordinator(Migration(NodeSet(["a"]), NodeSet(["b"])), steps=10)
    >>> coordinator.workers(["web-1"])
    >>> coordinator.acknowledge("web-1", coordinator.view().epoch)
    >>> coordinator.advance()
    <Phase.PREPARING: 'preparing'>
    >>> coordinator.waiting
    ['web-1']
    """

    def __init__(
        self,
        migration: Migration,
        steps: int,
        path: str | PathLike[str] | None = None,
        *,
        about: Any = None,
    ) -> None:
        plan = Plan(migration, steps)
        self._about = _as_about(about)
        if migration._kept:
            raise RVHError("the migration has kept placements: lose() keeps them, so begin without")
        self._first = self._migration = migration
        self._plan = plan  # of the first migration: it knows which key is of which step
        self._path = None if path is None else _as_path(path)
        self._share()
        self._state = State(
            Phase.BEFORE, 1, 0.0, np.zeros(plan.steps, dtype=np.bool_), dead=migration._dead
        )
        if self._path is not None:
            write_state(self._path, to_json(self._state, migration, self._about), None)

    def _share(self) -> None:
        super()._share()
        self._begin()

    def _after_fork(self) -> None:
        super()._after_fork()
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.RLock()  # methods call one another
        self._copies_running = 0

    @classmethod
    def resume(
        cls, migration: Migration, path: str | PathLike[str], placements: Iterable[Any] = ()
    ) -> Coordinator:
        """Go on with a migration from its file.

        Parameters
        ----------
        migration : Migration
            The one that the first coordinator was made with.
        path : str or path-like
        placements : iterable of placements, optional
            Those that were passed to `lose`, in any order.

        Returns
        -------
        Coordinator

        Raises
        ------
        RVHError
            No file, a damaged one, or one of other placements.

        Examples
        --------
        >>> import os, tempfile
        >>> from rvh import NodeSet
        >>> from rvh.migration import Coordinator, Migration
        >>> migration = Migration(NodeSet(["a"]), NodeSet(["b"]))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "state.json")
        ...     _ = Coordinator(migration, 10, path)
        ...     Coordinator.resume(migration, path).phase
        <Phase.BEFORE: 'before'>
        """
        file, known = _as_path(path), as_placements(placements)
        saved = read_state(file)
        try:
            state, new = from_json(saved)
        except (KeyError, TypeError, ValueError) as error:
            raise RVHError(
                f"{file}: the state is damaged ({type(error).__name__}: {error}); take a copy of "
                "it that is whole"
            ) from None
        made = cls(migration, len(state.done))
        own = to_json(made._state, migration, made._about)
        for name, what in (("old", "old placement"), ("k", "k"), ("k_new", "k_new")):
            if saved.get(name) != own[name]:
                raise RVHError(
                    f"{file} is of another {what}: {show(saved.get(name))}, this migration's is "
                    f"{show(own[name])}; resume with the placements that it was made with"
                )
        kept = [one.fingerprint for one in state.kept]
        made._about = saved.get("about")
        try:
            made._migration = following(migration, kept, new, state.dead, known)
        except RVHError as error:
            raise type(error)(f"{file}: {error}") from None
        made._state, made._path = state, file
        return made

    # -- what it is -------------------------------------------------------------------------------

    @property
    def migration(self) -> Migration:
        """The migration as it is now: with the living nodes, and what was kept."""
        return self._migration

    @property
    def phase(self) -> Phase:
        """The phase."""
        return self._state.phase

    @property
    def epoch(self) -> int:
        """The number of the current view."""
        return self._state.epoch

    @property
    def progress(self) -> float | Fraction:
        """How far keys have crossed in `switching`, from 0 to 1."""
        return self._state.progress

    @property
    def steps(self) -> int:
        """The number of steps."""
        return self._plan.steps

    @property
    def generation(self) -> int:
        """How often the steps began anew, since a node had died or a purge was over."""
        return self._state.generation

    @property
    def dead(self) -> tuple[Any, ...]:
        """The ids of the nodes that have died."""
        return self._state.dead

    @property
    def is_rolling_back(self) -> bool:
        """Whether a rollback waits for `advance`."""
        return self._state.rolling_back

    @property
    def is_to_purge(self) -> bool:
        """Whether a rollback left copies that `leftovers` tells and `purged` waits for."""
        return self._state.to_purge

    @property
    def are_workers_named(self) -> bool:
        """Whether anything has said who the workers are, or that there are none."""
        return self._state.workers is not None

    @property
    def acknowledged(self) -> dict[str, int | None]:
        """The epoch that each worker has acknowledged; None: none yet."""
        return dict(self._state.workers or {})

    @property
    def waiting(self) -> list[str]:
        """The workers that have not acknowledged the current epoch."""
        return self._state.waiting or []

    def view(self) -> View:
        """Return what workers have to know.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Coordinator, Migration
        >>> Coordinator(Migration(NodeSet(["a"]), NodeSet(["b"])), 10).view().phase
        <Phase.BEFORE: 'before'>
        """
        with self._lock:
            state, migration = self._state, self._migration
            kept = tuple(one.fingerprint for one in state.kept)
            new = fingerprint(migration._new, "new")
            return View(
                state.epoch, state.phase, state.progress, state.marks, state.dead, kept, new
            )

    def left(self) -> Iterator[Step]:
        """The steps that are not done, in order.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Coordinator, Migration
        >>> coordinator = Coordinator(Migration(NodeSet(["a"]), NodeSet(["b"])), 3)
        >>> [step.number for step in coordinator.left()]
        [0, 1, 2]
        """
        for number in np.flatnonzero(~self._state.done).tolist():
            yield self._plan._step(number)

    def __repr__(self) -> str:
        state = self._state
        done = int(state.done.sum())
        back = ", rolling back" if state.rolling_back else ""
        return (
            f"Coordinator({state.phase}{back}, epoch {state.epoch}, {done} of {self.steps} steps, "
            f"progress {float(state.progress):g}, {len(self.waiting)} workers waited for)"
        )

    # -- workers ----------------------------------------------------------------------------------

    def workers(self, names: Iterable[str]) -> None:
        """Name all workers: everything that reads or writes keys, and copies with code of its own.

        What was acknowledged by those that were named before stays. An empty list says that there
        are none.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Coordinator, Migration
        >>> coordinator = Coordinator(Migration(NodeSet(["a"]), NodeSet(["b"])), 3)
        >>> coordinator.workers(["web-1", "web-2"])
        >>> coordinator.acknowledged
        {'web-1': None, 'web-2': None}
        """
        if isinstance(names, str) or not isinstance(names, Iterable):
            raise RVHTypeError(f"workers are {show(names)}: pass a list of names")
        with self._lock:
            known = self._state.workers or {}
            self._commit(workers={worker_name(one): known.get(one) for one in names})

    def join(self, worker: str) -> None:
        """Add a worker, which reads and writes only once it has adopted the current view.

        A worker that is there already keeps what it acknowledged.
        """
        with self._lock:
            known = self._state.workers or {}
            self._commit(workers={**known, worker_name(worker): known.get(worker)})

    def leave(self, worker: str) -> None:
        """Remove a worker, of which nothing is in flight any more."""
        with self._lock:
            known = dict(self._state.workers or {})
            self._known(worker)
            del known[worker]
            self._commit(workers=known)

    def acknowledge(self, worker: str, epoch: int) -> None:
        """Note that a worker works by the view of an epoch.

        Nothing that it began under an earlier one is in flight any more. An epoch below the one
        that it has acknowledged changes nothing.

        Raises
        ------
        RVHError
            A worker that was not named, an epoch that has not begun.
        """
        with self._lock:
            before = self._known(worker)
            if not is_whole(epoch) or not 0 < epoch <= self.epoch:
                raise RVHError(
                    f"worker {worker!r} acknowledges epoch {show(epoch)}: the epoch is {self.epoch}"
                )
            if before is None or epoch > before:
                known = dict(self._state.workers or {})
                self._commit(workers={**known, worker: int(epoch)})

    def _known(self, worker: Any) -> int | None:
        known = self._state.workers or {}
        if not isinstance(worker, str) or worker not in known:
            raise RVHError(
                f"there is no worker {show(worker)}: name it with workers() or join(); there are "
                f"{', '.join(map(repr, sorted(known))) or 'none'}"
            )
        return known[worker]

    # -- phases -----------------------------------------------------------------------------------

    def advance(self) -> Phase:
        """Begin the next phase.

        That is the one after in `Phase`; in a rollback, ``before``; and in ``after``, the same
        phase once more, in which deletes leave no marks any more.

        Returns
        -------
        Phase

        Raises
        ------
        RVHError
            What the next phase waits for: workers that have not acknowledged the current epoch,
            steps that are left, progress, a purge, a copy that runs.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Coordinator, Migration
        >>> coordinator = Coordinator(Migration(NodeSet(["a"]), NodeSet(["b"])), 3)
        >>> coordinator.workers([])
        >>> coordinator.advance(), coordinator.advance()
        (<Phase.PREPARING: 'preparing'>, <Phase.COPYING: 'copying'>)
        """
        with self._lock:
            state = self._state
            change: dict[str, Any] = {"marks": True, "opened": False}
            if state.rolling_back:
                phase = Phase.BEFORE
                self._nothing_copies(phase)
                change = {"marks": False, "rolling_back": False, "to_purge": True, "progress": 0.0}
            elif state.phase is Phase.BEFORE:
                phase = Phase.PREPARING
                if state.to_purge:
                    raise RVHError(
                        "preparing waits for the purge after the rollback: remove what leftovers() "
                        "gives for all keys, then call purged()"
                    )
            elif state.phase is Phase.PREPARING:
                phase = Phase.COPYING
                self._nothing_copies(phase)
            elif state.phase is Phase.COPYING:
                phase = Phase.SWITCHING
                change["progress"] = 0.0
                if not state.done.all():
                    open_steps = np.flatnonzero(~state.done).tolist()
                    listed = ", ".join(map(str, open_steps[:10]))
                    more = ", ..." if len(open_steps) > 10 else ""
                    raise RVHError(
                        f"switching waits for {len(open_steps)} of {self.steps} steps: "
                        f"{listed}{more}"
                    )
            elif state.phase is Phase.SWITCHING:
                phase = Phase.AFTER
                if state.progress != 1:
                    raise RVHError(
                        f"after waits for progress 1, which is {show(state.progress)}: call "
                        "set_progress(1)"
                    )
            else:
                phase = Phase.AFTER
                change["marks"] = False
                if not state.marks:
                    raise RVHError("the migration is over: there is no phase behind after")
            self._all_acknowledged(f"{phase} waits")
            self._commit(phase=phase, epoch=state.epoch + 1, **change)
            return phase

    def set_progress(self, progress: float | Fraction) -> None:
        """Let keys cross up to a progress, or back; only in ``switching``.

        Raises
        ------
        RVHError
            Another phase; a progress as for `Migration.crossed_batch`.
        """
        crossing_limit(progress)  # rejects what is not a progress
        with self._lock:
            self._in_phase(Phase.SWITCHING, "progress is set")
            exact = progress if isinstance(progress, Fraction) else float(progress)
            self._commit(progress=exact, epoch=self.epoch + 1)

    def finish(self, step: Step | int, *, generation: int | None = None) -> None:
        """Mark a step as done: all that `moves` gave for it is copied.

        Parameters
        ----------
        step : Step or its number
        generation : int, optional
            The `generation` in which the step was begun; a step of an earlier one is an error, as
            its copies may lack nodes of this one. The current one by default.

        Raises
        ------
        RVHError
            An unknown step; a phase in which nothing may be copied; another generation.
        """
        with self._lock:
            number = self._plan._number(step)
            self._may_copy(generation)
            done = self._state.done.copy()
            done[number] = True
            self._commit(done=done)

    def moves(self, keys: Keys, step: Step | int | None = None) -> Moved:
        """The replicas to copy for the keys of a step, as `Migration.moves` gives them.

        Nodes that got a key in a step that was done before a node died are not targets again, but
        sources; a source None says that no living node is known to have the key.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            Any kind in `rvh.keys.KINDS`, listed after all workers had acknowledged ``copying``.
            Keys of other steps have no rows.
        step : Step or its number, optional
            By default all steps that are left.

        Returns
        -------
        Moved

        Raises
        ------
        RVHError, RVHTypeError
            As `finish`; for keys as `NodeSet.argselect_batch`.
        """
        with self._lock:
            wanted = ~self._state.done
            if step is not None:
                wanted = np.arange(self.steps) == self._plan._number(step)
            self._may_copy(None)
            steps = self._plan.steps_of(keys)
            rows = np.flatnonzero(wanted[steps])
            found = self._copies(take_keys(keys, rows), steps[rows])
        return Moved(rows[found.row], first_sources(found), found.target)

    def _copies(self, keys: Any, steps: NDArray[np.intp]) -> Copies:
        """Return the copies of keys whose steps are known."""
        done = [one.done[steps] for one in self._state.kept]
        return copies(self._migration, keys, done)

    def lose(self, node: Any, new: Any = None) -> Phase:
        """Go on without a node that has died, and whose data are never read again.

        If the new placement changes, the migration goes back to ``preparing`` with the new
        placement of the living; what was copied is kept, and not copied again. If it does not, as
        the node was an old one only, the phase stays.

        Parameters
        ----------
        node : str or bytes
            Nobody may reach it any more, also no worker that still works by an earlier view.
        new : placement, optional
            The new placement of the living; by default the present one without the node.

        Returns
        -------
        Phase

        Raises
        ------
        RVHError
            The phase ``after``, in which a migration to another placement begins; a node that is
            in no placement; a placement that cannot be made without the node.

        Examples
        --------
        >>> from rvh import NodeSet
        >>> from rvh.migration import Coordinator, Migration
        >>> migration = Migration(NodeSet(["a", "b"]), NodeSet(["b", "c", "d"]))
        >>> coordinator = Coordinator(migration, 10)
        >>> coordinator.lose("c")
        <Phase.BEFORE: 'before'>
        >>> coordinator.migration.route("x", "after").read
        ['b']
        """
        node = _keys.node_id(node)[0]
        with self._lock:
            state, now = self._state, self._migration
            is_known = any(same(node, one) for one in state.dead)
            if not is_known and not any(
                among(one, node) for one in (now._old, now._new, *now._kept)
            ):
                raise RVHError(
                    f"node {show(node)} is in no placement of the migration: name it as they do"
                )
            if state.phase is Phase.AFTER:
                raise RVHError(
                    f"node {show(node)} died in after, where the old placement is out of date: "
                    "once all workers have acknowledged, begin another migration, from new to the "
                    "placement of the living"
                )
            dead = state.dead if is_known else (*state.dead, node)
            change: dict[str, Any] = {"dead": dead, "epoch": state.epoch + 1}
            rolling_back = state.rolling_back and not self._all_may_be_dead(dead)
            placement, kept = now._new, now._kept
            if new is not None:
                placement = as_placement(new, "new")
            elif among(placement, node):
                placement = left(placement, node)
            given_up = fingerprint(now._new, "new")
            if fingerprint(placement, "new") != given_up or rolling_back != state.rolling_back:
                change |= {
                    "done": np.zeros_like(state.done),
                    "generation": state.generation + 1,
                    "rolling_back": rolling_back,
                    "opened": False,
                }
                if state.phase in (Phase.COPYING, Phase.SWITCHING) or state.to_purge:
                    # In preparing nothing is put on a node of the new placement alone.
                    kept = (*kept, now._new)
                    change["kept"] = (*state.kept, Kept(given_up, state.done))
                if state.phase is not Phase.BEFORE and not rolling_back:
                    change |= {"phase": Phase.PREPARING, "progress": 0.0}
            migration = Migration(
                now._old, placement, now._k, k_new=now._k_new, kept=kept, dead=list(dead)
            )
            self._commit(migration, **change)
            return self.phase

    def rollback(self) -> Phase:
        """Begin to go back to ``before``: first to a phase in which old is read.

        That is ``copying``; from ``preparing``, it stays.

        Once all workers have acknowledged, `advance` makes it ``before``; once all have
        acknowledged that, what only the new nodes have is removed (`leftovers`, `purge`).

        Returns
        -------
        Phase

        Raises
        ------
        RVHError
            A phase that is not ``preparing``, ``copying`` or ``switching``; as many dead old nodes
            as a key has, since keys of these alone could not be read any more.
        """
        with self._lock:
            state = self._state
            if state.phase is Phase.BEFORE:
                raise RVHError("there is nothing to roll back in before")
            if state.phase is Phase.AFTER:
                raise RVHError(
                    "after cannot be rolled back, as the old placement is out of date: begin "
                    "another migration, from new to old"
                )
            self._old_lives("rolled back")
            # From preparing without writes to new: a worker two views behind would not repeat them.
            reading_old = Phase.PREPARING if state.phase is Phase.PREPARING else Phase.COPYING
            self._commit(
                phase=reading_old, rolling_back=True, progress=0.0, marks=True, opened=False,
                epoch=state.epoch + 1,
            )  # fmt: skip
            return self.phase

    def leftovers(self, keys: Keys) -> Leftovers:
        """The replicas to remove: in ``after``, all but those of the new placement.

        In ``before`` after a rollback, all but those of the old.

        Parameters
        ----------
        keys : sequence or array of str, bytes or int, shape (M,)
            All keys that any node holds.

        Returns
        -------
        Leftovers

        Raises
        ------
        RVHError, RVHTypeError
            Another phase, workers that have not acknowledged it; for keys as
            `NodeSet.argselect_batch`.
        """
        return self._goes_and_stays(keys)[0]

    def _goes_and_stays(self, keys: Any) -> tuple[Leftovers, Leftovers]:
        """Return the replicas to remove and those that stay, as the phase is."""
        with self._lock:
            self._may_purge()
            return goes_and_stays(self._migration, keys, self.phase)

    def purged(self) -> None:
        """Note that all that `leftovers` gave after a rollback is removed.

        Raises
        ------
        RVHError
            No rollback; workers that have not acknowledged ``before``; a copy that runs; as many
            dead old nodes as a key has.
        """
        with self._lock:
            state = self._state
            if not state.to_purge:
                raise RVHError("there is nothing to purge: a purge follows a rollback")
            self._may_purge()
            self._nothing_copies("the end of the purge")
            self._old_lives("purged")
            now = self._migration
            migration = Migration(
                now._old, now._new, now._k, k_new=now._k_new, dead=list(state.dead)
            )
            self._commit(
                migration, to_purge=False, kept=(), done=np.zeros_like(state.done),
                generation=state.generation + 1, epoch=state.epoch + 1,
            )  # fmt: skip

    # -- conditions -------------------------------------------------------------------------------

    def _in_phase(self, phase: Phase, what: str) -> None:
        if self.phase is not phase or self.is_rolling_back:
            back = ", in a rollback" if self.is_rolling_back else ""
            raise RVHError(f"{what} in {phase} only: the phase is {self.phase}{back}")

    def _all_acknowledged(self, what: str) -> None:
        if self._state.workers is None:
            raise RVHError(
                f"{what} until the workers are named: call workers() with all that read or write "
                "keys, or with [] if there are none"
            )
        if self.waiting:
            listed = [
                f"{name} ({'nothing yet' if at is None else f'epoch {at}'})"
                for name, at in sorted(self.acknowledged.items())
                if at != self.epoch
            ]
            raise RVHError(
                f"{what} until epoch {self.epoch} is acknowledged by {len(listed)} more: "
                f"{', '.join(listed[:10])}{', ...' if len(listed) > 10 else ''}"
            )

    def _may_copy(self, generation: int | None) -> None:
        self._in_phase(Phase.COPYING, "keys are copied")
        if generation is not None and generation != self.generation:
            raise RVHError(
                f"the step was begun in generation {show(generation)}, and this is "
                f"{self.generation}: list its keys and copy what moves() gives now"
            )
        if not self._state.opened:
            self._all_acknowledged("copying waits")

    def _goes_on(self, generation: int) -> None:
        """Raise an error if copies that began in a generation have to stop."""
        if self.phase is not Phase.COPYING or self.is_rolling_back or generation != self.generation:
            back = ", in a rollback" if self.is_rolling_back else ""
            raise RVHError(
                f"the copy stopped: the phase is {self.phase}{back}, generation {self.generation}; "
                "copy again once all workers have acknowledged copying"
            )

    def _may_purge(self) -> None:
        state = self._state
        if state.phase is not Phase.AFTER and not state.to_purge:
            raise RVHError(
                "replicas are removed in after, or in before after a rollback: the phase is "
                f"{state.phase}"
            )
        self._all_acknowledged("the removal waits")

    def _nothing_copies(self, what: Phase | str) -> None:
        if self._copies_running:
            raise RVHError(f"{what} waits for the copy that runs to stop, which it does by itself")

    def _all_may_be_dead(self, dead: tuple[Any, ...]) -> bool:
        """Return whether there may be keys without a living old node."""
        old, k = self._migration._old, self._migration._k
        return sum(among(old, node) for node in dead) >= k

    def _old_lives(self, what: str) -> None:
        if self._all_may_be_dead(self.dead):
            raise RVHError(
                f"the migration cannot be {what}: dead are {list(self.dead)}, and keys that had "
                f"all {self._migration._k} old nodes among them are on new nodes alone"
            )

    @contextmanager
    def _copy_runs(self) -> Iterator[int]:
        """Count a copy as a worker for as long as it runs; yields its generation."""
        with self._lock:
            self._may_copy(None)
            self._copies_running += 1
            generation = self.generation
        try:
            yield generation
        finally:
            with self._lock:
                self._copies_running -= 1

    # -- state ------------------------------------------------------------------------------------

    def _commit(self, migration: Migration | None = None, **change: Any) -> None:
        """Save a changed state, then have it."""
        state = replace(self._state, **change, revision=self._state.revision + 1)
        if state.phase is Phase.COPYING and not state.rolling_back and state.waiting == []:
            state = replace(state, opened=True)
        current = self._migration if migration is None else migration
        if self._path is not None:
            write_state(self._path, to_json(state, current, self._about), self._state.revision)
        self._state, self._migration = state, current


def _as_about(about: Any) -> Any:
    try:
        json.dumps(about)
    except (TypeError, ValueError, RecursionError) as error:
        raise RVHTypeError(f"about is {show(about)}, which JSON cannot hold: {error}") from None
    return about


def _as_path(path: Any) -> Path:
    try:
        return Path(path)
    except TypeError:
        raise RVHTypeError(f"path is {show(path)}: pass the name of a file") from None
