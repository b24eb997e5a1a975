"""The phases as a state machine: what each waits for, deaths, rollbacks, and its file."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rvh
from rvh.faultset import FaultSet
from rvh.migration import Coordinator, Migration, Phase, View
from rvh.partitions import PartitionTable
from rvh.ring import ketama

OLD, NEW = ketama(["a", "b", "c"]), rvh.NodeSet(["b", "c", "d", "e"])
KEYS = [f"key-{n}" for n in range(400)]
STEPS = 4


def at(phase: str, migration: Migration | None = None, path: Path | None = None) -> Coordinator:
    """A coordinator in a phase, whose one worker has acknowledged it."""
    made = Coordinator(migration or Migration(OLD, NEW, 2), STEPS, path)
    made.workers(["w"])
    made.acknowledge("w", made.epoch)
    while made.phase != phase:
        if made.phase == "copying":
            for step in list(made.left()):
                made.finish(step)
        if made.phase == "switching":
            made.set_progress(1.0)
            made.acknowledge("w", made.epoch)
        made.advance()
        made.acknowledge("w", made.epoch)
    return made


def test_the_phases_in_their_order() -> None:
    made = at("before")
    assert [made.phase, at("after").phase] == ["before", "after"]
    assert not made.view().marks
    for phase in ("preparing", "copying", "switching", "after"):
        assert at(phase).view().marks


def refused(call: Any, words: str) -> None:
    with pytest.raises(rvh.RVHError, match=words):
        call()


def test_each_phase_waits_for_all_workers() -> None:
    made = Coordinator(Migration(OLD, NEW), STEPS)
    refused(made.advance, r"preparing waits until the workers are named: call workers\(\)")
    made.workers(["w", "v"])
    made.acknowledge("w", 1)
    refused(made.advance, r"preparing waits until epoch 1 is acknowledged by 1 more: v \(nothing")
    made.leave("v")
    assert made.advance() is Phase.PREPARING
    refused(made.advance, r"copying waits until epoch 2 .* by 1 more: w \(epoch 1\)")
    made.acknowledge("w", 2)
    made.acknowledge("w", 1)  # late, and no step back
    assert made.acknowledged == {"w": 2}
    made.join("x")
    refused(made.advance, r"x \(nothing yet\)")
    made.acknowledge("x", 2)
    made.advance()
    refused(lambda: made.finish(0), "copying waits until epoch 3 is acknowledged by 2 more")
    refused(lambda: made.moves(KEYS, 0), "copying waits until epoch 3")


def test_what_else_a_phase_waits_for() -> None:
    made = at("copying")
    refused(made.advance, "switching waits for 4 of 4 steps: 0, 1, 2, 3")
    made.finish(1)
    refused(made.advance, "switching waits for 3 of 4 steps: 0, 2, 3")
    refused(
        lambda: made.set_progress(0.5), "progress is set in switching only: the phase is copying"
    )
    made = at("switching")
    made.set_progress(0.5)
    refused(made.advance, r"after waits for progress 1, which is 0\.5")
    made.set_progress(Fraction(1, 1))
    refused(made.advance, "after waits until epoch 6")
    refused(lambda: made.finish(1), "keys are copied in copying only: the phase is switching")
    made = at("after")
    assert made.advance() is Phase.AFTER
    assert not made.view().marks
    made.acknowledge("w", made.epoch)
    refused(made.advance, "the migration is over")


def view_of(**change: Any) -> View:
    return View.from_json(json.dumps(json.loads(at("before").view().to_json()) | change))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Coordinator(None, 4), "migration is of type NoneType: pass a Migration"),
        (lambda: Coordinator(Migration(OLD, NEW), 0), "steps is 0"),
        (lambda: Coordinator(Migration(OLD, NEW, kept=[NEW]), 4), "lose.. keeps them"),
        (lambda: at("before").workers("web"), "workers are 'web': pass a list"),
        (lambda: at("before").workers([7]), "a worker's name is 7: pass a str"),
        (lambda: at("before").workers(7), "workers are 7: pass a list"),
        (lambda: at("before").leave(["w"]), r"there is no worker \['w'\]"),
        (lambda: Coordinator(Migration(OLD, NEW), 4, 1.5), "path is 1.5: pass the name of a file"),
        (lambda: Coordinator(Migration(OLD, NEW), 4, about={1j}), "about is .* JSON cannot hold"),
        (lambda: Coordinator.resume(Migration(OLD, NEW), "x", 7), "placements is 7: pass a list"),
        (lambda: Migration(OLD, NEW, dead=7), "dead is 7: pass a list of node ids"),
        (lambda: at("before").leave("x"), "there is no worker 'x': .* there are 'w'"),
        (lambda: at("before").acknowledge("w", 2), "worker 'w' acknowledges epoch 2: .* is 1"),
        (lambda: at("before").acknowledge("w", True), "acknowledges epoch True"),
        (lambda: at("copying").finish(4), "there are steps 0 to 3"),
        (lambda: at("copying").finish(1, generation=7), "begun in generation 7, and this is 0"),
        (lambda: at("switching").set_progress(1.5), "progress is 1.5"),
        (lambda: at("before").rollback(), "nothing to roll back in before"),
        (lambda: at("after").rollback(), "begin another migration, from new to old"),
        (lambda: at("after").lose("d"), "begin another migration, from new to the placement"),
        (lambda: at("copying").lose(7), "node id"),
        (lambda: at("copying").lose("x"), "in no placement of the migration: name it as they do"),
        (lambda: at("copying").leftovers(KEYS), "removed in after, or in before after a rollback"),
        (lambda: at("copying").purged(), "a purge follows a rollback"),
        (lambda: View.from_json("{}"), "is not a view"),
        (lambda: View.from_json("[1]"), "is not a view"),
        (lambda: View.from_json("[" * 100_000), "is not a view"),
        (lambda: view_of(kept="abc"), "is not a view"),
        (lambda: view_of(dead="abc"), "is not a view"),
        (lambda: view_of(progress="1/0"), "is not a view"),
        (lambda: view_of(progress="1e999999999"), "is not a view"),
        (lambda: View.from_json("x"), "'x' is not a view: pass what View.to_json"),
        (lambda: View.from_json(at("before").view().to_json().replace("fore", "-")), "not a view"),
    ],
)  # fmt: skip
def test_bad_input(call: Any, words: str) -> None:
    refused(call, words)


# -- deaths ---------------------------------------------------------------------------------------


def as_rows(moved: Any) -> list[tuple[Any, ...]]:
    return sorted(zip(*(each.tolist() for each in moved), strict=True))


@pytest.mark.parametrize("phase", ["copying", "switching"])
def test_what_was_copied_is_not_copied_again(phase: str) -> None:
    made = at(phase)
    if phase == "copying":
        made.finish(0)
        made.finish(2)
    done = {0, 2} if phase == "copying" else set(range(STEPS))
    first = made.migration
    assert made.lose("e") is Phase.PREPARING
    assert made.generation == 1
    made.acknowledge("w", made.epoch)
    made.advance()
    made.acknowledge("w", made.epoch)
    steps = first.plan(STEPS).steps_of(KEYS)
    before = OLD.lookup_batch(KEYS, 2)
    copied, after = NEW.select_batch(KEYS, 2), NEW.remove("e").select_batch(KEYS, 2)
    for step in range(STEPS):
        rows = as_rows(made.moves(KEYS, step))
        want = []
        for row in np.flatnonzero(steps == step).tolist():
            holders = [*before[row], *(copied[row] if step in done else [])]
            targets = [node for node in after[row] if node not in holders]
            want += [(row, target) for target in targets]
            for at_row, source, _ in rows:
                if at_row == row:
                    assert source in {*holders} - {"e"}
        assert sorted((row, target) for row, _, target in rows) == sorted(want)
        made.finish(step, generation=1)
    assert made.advance() is Phase.SWITCHING


def test_an_old_node_alone_changes_no_phase() -> None:
    made = at("copying")
    made.finish(0)
    assert made.lose("a") is Phase.COPYING
    assert [step.number for step in made.left()] == [1, 2, 3]
    assert (made.generation, made.dead, made.epoch) == (0, ("a",), 4)
    made.acknowledge("w", made.epoch)
    moved = made.moves(KEYS, 1)
    assert "a" not in moved.source.tolist()
    assert len(moved.row) > 0
    assert made.lose("a") is Phase.COPYING  # told twice
    assert made.dead == ("a",)


def test_lost_keys_are_listed() -> None:
    made = at("copying", Migration(OLD, rvh.NodeSet(["c", "d"])))
    made.finish(0)
    made.lose("a")
    made.acknowledge("w", made.epoch)
    steps = made.migration.plan(STEPS).steps_of(KEYS)
    for step in (1, 2, 3):
        moved = made.moves(KEYS, step)
        lost = {row for row, source in zip(moved.row, moved.source, strict=True) if source is None}
        assert lost == {row for row, key in enumerate(KEYS) if OLD.lookup(key) == ["a"]
                        and steps[row] == step}  # fmt: skip


@pytest.mark.parametrize(
    ("new", "left"),
    [
        (NEW, NEW.remove("e")),
        (ketama(["b", "c", "e"]), ketama(["b", "c", "e"]).without("e")),
        (PartitionTable(NEW, 64, k=2), PartitionTable(NEW, 64, k=2).remove("e")),
        (FaultSet(NEW), FaultSet(NEW, [True, True, True, False])),
    ],
    ids=["NodeSet", "Ring", "PartitionTable", "FaultSet"],
)
def test_a_placement_without_the_dead_node(new: Any, left: Any) -> None:
    migration = Migration(OLD, new, 2)
    made = at("copying", migration)
    made.lose("e")
    assert made.migration.owners_batch(KEYS, 1).tolist() == (
        Migration(OLD, left, 2).owners_batch(KEYS, 1).tolist()
    )
    refused(lambda: at("copying", Migration(OLD, Given(), 2)).lose("x"), "pass the placement of")


class Given:
    """A placement of one's own."""

    fingerprint = "given"

    def lookup_batch(self, keys: Any, k: int) -> Any:
        return [["x", "y", "z"][:k]] * len(keys)


def test_a_death_while_nothing_is_copied_keeps_nothing() -> None:
    for phase in ("before", "preparing"):
        made = at(phase)
        assert made.lose("e") == phase
        assert made.view().kept == ()
        assert "e" not in made.migration.route("key", "after").read


# -- rollbacks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["preparing", "copying", "switching"])
def test_a_rollback_reads_old_before_it_writes_old_alone(phase: str) -> None:
    made = at(phase)
    reading_old = Phase.PREPARING if phase == "preparing" else Phase.COPYING
    assert made.rollback() is reading_old
    assert made.is_rolling_back
    refused(lambda: made.finish(0), f"the phase is {reading_old}, in a rollback")
    refused(made.advance, "before waits until epoch")
    made.acknowledge("w", made.epoch)
    assert made.advance() is Phase.BEFORE
    refused(made.purged, "the removal waits until epoch")
    made.acknowledge("w", made.epoch)
    refused(made.advance, "preparing waits for the purge after the rollback")
    gone = as_rows(made.leftovers(KEYS))
    old, new = OLD.lookup_batch(KEYS, 2), NEW.select_batch(KEYS, 2)
    assert gone == sorted(
        (row, node) for row in range(len(KEYS)) for node in {*new[row]} - {*old[row]}
    )
    made.purged()
    made.acknowledge("w", made.epoch)
    assert made.advance() is Phase.PREPARING
    assert len(list(made.left())) == STEPS


def test_a_node_that_dies_in_a_rollback_is_not_in_the_next_try() -> None:
    made = at("copying")
    made.rollback()
    gone = NEW.ids.tolist()[-1]
    assert made.lose(gone) is Phase.COPYING
    assert made.is_rolling_back
    assert gone not in made.migration.owners_batch(KEYS, 1)
    assert all(node is not None for node in made.migration.owners_batch(KEYS, 1).flat)


def test_what_is_left_over_in_after() -> None:
    made = at("after")
    gone = as_rows(made.leftovers(KEYS))
    old, new = OLD.lookup_batch(KEYS, 2), NEW.select_batch(KEYS, 2)
    assert gone == sorted(
        (row, node) for row in range(len(KEYS)) for node in {*old[row]} - {*new[row]}
    )


def test_leftovers_of_all_generations() -> None:
    made = at("copying")
    made.lose("e")
    made.rollback()
    made.acknowledge("w", made.epoch)
    made.advance()
    made.lose("d")  # what was new meanwhile is purged too
    made.acknowledge("w", made.epoch)
    gone = as_rows(made.leftovers(KEYS))
    tables = [NEW, NEW.remove("e"), NEW.remove(["d", "e"])]
    old = OLD.lookup_batch(KEYS, 2)
    new = np.concatenate([table.select_batch(KEYS, 2) for table in tables], axis=1)
    assert gone == sorted(
        (row, node) for row in range(len(KEYS)) for node in {*new[row]} - {*old[row]} - {"d", "e"}
    )
    made.purged()
    assert made.view().kept == ()


def test_no_way_back_without_old_nodes() -> None:
    made = at("copying", Migration(OLD, NEW))
    made.lose("a")
    refused(made.rollback, r"cannot be rolled back: dead are \['a'\]")
    made = at("copying", Migration(OLD, NEW))
    made.rollback()
    assert made.lose("a") is Phase.PREPARING  # forward again: the copies are all that there is
    assert not made.is_rolling_back
    assert made.view().kept == (NEW.fingerprint,)


# -- the file -------------------------------------------------------------------------------------


def test_resume_after_every_call(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    migration = Migration(OLD, NEW, 2)
    made = Coordinator(migration, STEPS, path)
    calls: list[Any] = [
        lambda: made.workers(["w", "é"]),
        lambda: made.leave("é"),
        *[lambda: made.acknowledge("w", made.epoch), lambda: made.advance()] * 2,
        lambda: made.acknowledge("w", made.epoch),
        lambda: made.finish(1),
        lambda: made.lose("e"),
        *[lambda: made.acknowledge("w", made.epoch), lambda: made.advance()],
        lambda: made.lose("d"),
        *[lambda: made.acknowledge("w", made.epoch), lambda: made.advance()],
        lambda: made.acknowledge("w", made.epoch),
        *[lambda n=n: made.finish(n) for n in range(STEPS)],
        lambda: made.advance(),
        lambda: made.set_progress(Fraction(1, 3)),
        lambda: made.set_progress(0.1),
        lambda: made.rollback(),
    ]
    for call in calls:
        call()
        again = Coordinator.resume(migration, path)
        assert again.view() == made.view() == View.from_json(made.view().to_json())
        assert again.acknowledged == made.acknowledged
        assert again.is_rolling_back == made.is_rolling_back
        assert [*again.left()] == [*made.left()]
        assert repr(again.migration) == repr(made.migration)
        assert repr(again) == repr(made)
        assert again.generation == made.generation
        made = again
    assert os.listdir(tmp_path) == ["state.json"]


def test_a_placement_that_was_passed_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    migration, other = Migration(OLD, NEW, 2), rvh.NodeSet(["b", "c", "x"])
    made = at("copying", migration, path)
    made.lose("e", other)
    made.lose("c")
    refused(lambda: Coordinator.resume(migration, path), r"pass it in placements=")
    again = Coordinator.resume(migration, path, [other])
    assert repr(again.migration) == repr(made.migration)


def test_ids_that_are_bytes(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    new = rvh.NodeSet([b"\xff", b"b", b"c"])
    made = at("copying", Migration(OLD, new), path)
    made.lose(b"\xff")
    assert Coordinator.resume(Migration(OLD, new), path).dead == (b"\xff",)
    assert View.from_json(made.view().to_json()) == made.view()


def test_a_file_keeps_what_its_maker_says_about_it(tmp_path: Path) -> None:
    path, about = tmp_path / "state.json", {"nodes": ["a"], "by": None}
    made = Coordinator(Migration(OLD, NEW), STEPS, path, about=about)
    assert not made.are_workers_named
    made.workers([])
    assert made.are_workers_named
    again = Coordinator.resume(Migration(OLD, NEW), path)
    again.advance()
    assert json.loads(path.read_text("utf-8"))["about"] == about
    plain = tmp_path / "plain.json"
    Coordinator(Migration(OLD, NEW), STEPS, plain)
    assert "about" not in json.loads(plain.read_text("utf-8"))


def test_the_moves_of_all_steps_that_are_left() -> None:
    made = at("copying")
    made.finish(2)
    found = made.moves(KEYS)
    each = [made.moves(KEYS, step) for step in made.left()]
    order = np.argsort(np.concatenate([one.row for one in each]), kind="stable")
    for name in ("row", "source", "target"):
        together = np.concatenate([getattr(one, name) for one in each])[order]
        assert getattr(found, name).tolist() == together.tolist()
    made.rollback()
    assert not made.is_to_purge
    made.acknowledge("w", made.epoch)
    made.advance()
    assert made.is_to_purge


def test_one_writer_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    migration = Migration(OLD, NEW)
    made = at("copying", migration, path)
    refused(lambda: Coordinator(migration, STEPS, path), "exists: go on with it")
    other = Coordinator.resume(migration, path)
    other.finish(0)
    refused(lambda: made.finish(1), "was changed by another process")
    assert len(list(made.left())) == STEPS  # nothing that is not in the file


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"old": "x"}, "of another old placement: 'x'"),
        ({"k": 3}, "of another k: 3"),
        ({"k_new": 3}, "of another k_new: 3"),
        ({"new": "x"}, "has a new placement with the fingerprint 'x'"),
        ({"format": "rvh migration 1"}, "the format is 'rvh migration 1'"),
        ({"phase": "soon"}, "the state is damaged"),
        ({"done": [[0, 9]]}, "the state is damaged"),
        ({"steps": 0}, "the state is damaged"),
        ({"workers": {"": 1}}, "a worker's name is ''"),
        ({"dead": [7]}, "the state is damaged"),
        ({"dead": "ab"}, "the state is damaged"),
        ({"workers": ["w"]}, "the state is damaged"),
        ({"workers": {"w": 99}}, "acknowledged epoch 99 of 3"),
        ({"workers": {"w": True}}, "acknowledged epoch True of 3"),
        ({"rolling_back": "no"}, "rolling_back is 'no'"),
        ({"generation": float("inf")}, "generation is inf"),
        ({"revision": "1"}, "revision is '1'"),
        ({"progress": "1/0"}, "progress is '1/0'"),
        ({"progress": "1e999999999"}, "progress is '1e999999999'"),
        ({"progress": None}, "progress is None"),
    ],
)
def test_files_that_do_not_fit(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    at("copying", path=path)
    state = json.loads(path.read_text())
    path.write_text(json.dumps({**state, **change}))
    refused(lambda: Coordinator.resume(Migration(OLD, NEW, 2), path), words)
    refused(lambda: Coordinator.resume(Migration(OLD, NEW, 2), path), str(path))
    del state["done"]
    path.write_text(json.dumps(state))
    refused(lambda: Coordinator.resume(Migration(OLD, NEW, 2), path), "the state is damaged")
    for text in ("{", "[" * 100_000):
        path.write_text(text)
        refused(lambda: Coordinator.resume(Migration(OLD, NEW, 2), path), "holds no JSON")
    path.unlink()
    refused(lambda: Coordinator.resume(Migration(OLD, NEW, 2), path), "there is no state")


WRITER = """
import sys
import rvh
from rvh.migration import Coordinator, Migration
migration = Migration(rvh.NodeSet(["a"]), rvh.NodeSet(["b"]))
for step in range(*map(int, sys.argv[2:])):
    while True:
        try:
            Coordinator.resume(migration, sys.argv[1]).finish(step)
        except rvh.RVHError as error:
            assert "was changed by another process" in str(error), error
        else:
            break
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files have no locks on Windows")
def test_writers_of_one_file_overwrite_nothing(tmp_path: Path) -> None:
    path, migration = tmp_path / "state.json", Migration(rvh.NodeSet(["a"]), rvh.NodeSet(["b"]))
    made = Coordinator(migration, 120, path)
    made.workers([])
    assert [made.advance(), made.advance()] == ["preparing", "copying"]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(start), str(start + 40)],
        )
        for start in (0, 40, 80)
    ]
    assert [each.wait(60) for each in writers] == [0, 0, 0]
    assert not list(Coordinator.resume(migration, path).left())


def test_a_file_behind_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "state.json"
    try:
        link.symlink_to(real)
    except OSError as error:
        pytest.skip(f"there are no links here: {error}")
    migration = Migration(OLD, NEW)
    Coordinator(migration, STEPS, link)
    real.chmod(0o640)
    Coordinator.resume(migration, link).workers(["w"])
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert Coordinator.resume(migration, real).waiting == ["w"]


def test_a_state_that_cannot_be_written_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    made = at("copying", path=path)
    before, now = path.read_bytes(), repr(made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", _full)
        with pytest.raises(OSError, match=r"No space left on device: .*state\.json"):
            made.finish(0)
    assert (path.read_bytes(), repr(made), os.listdir(tmp_path)) == (before, now, ["state.json"])
    made.finish(0)
    assert len(list(made.left())) == STEPS - 1


def _full(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


KILLED = """
import sys
import rvh
from rvh.migration import Coordinator, Migration
made = Coordinator.resume(Migration(rvh.NodeSet(["a"]), rvh.NodeSet(["b"])), sys.argv[1])
print("begun", flush=True)
while True:
    made.workers([f"worker {n} {made.epoch}" for n in range(3000)])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_kill_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    migration = Migration(rvh.NodeSet(["a"]), rvh.NodeSet(["b"]))
    Coordinator(migration, STEPS, path)
    revisions = []
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE
        ) as running:
            assert running.stdout is not None
            assert running.stdout.readline() == b"begun\n"
            seen = path.read_bytes()
            while path.read_bytes() == seen:
                pass
            running.send_signal(signal.SIGKILL)
        made = Coordinator.resume(migration, path)
        assert len(made.acknowledged) == 3000
        revisions.append(json.loads(path.read_text())["revision"])
    assert revisions == sorted(set(revisions))
