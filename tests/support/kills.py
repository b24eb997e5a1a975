"""Writers killed at random moments: what is there is the old or the new, whole."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import NamedTuple

from disk import empty
from writers import WRITERS, Writer, child, content, outcome

__all__ = ["run"]

#: names of what a killed writer leaves behind, which nobody reads
LEFT = ".rvh-"
Files = dict[str, bytes | None]


class Usual(NamedTuple):
    """A run that nothing ends: what was there before and after it, and its seconds."""

    before: Files
    after: Files
    seconds: float


def run(folder: Path, kills: int = 500, seed: int | None = None) -> str:
    """Kill so many writers, each in its turn; return what was there afterwards."""
    seed = random.randrange(1 << 32) if seed is None else seed
    dice = random.Random(seed)
    names = dice.sample(list(WRITERS), min(len(WRITERS), kills // 2))
    usual: dict[str, Usual] = {}
    out = folder / "out"
    killed = old = new = left = 0
    for n in range(100 * kills):
        if killed == kills:
            break
        name = names[n % len(names)]
        writer = WRITERS[name]
        if name not in usual:
            usual[name] = undisturbed(writer, out)
        begin(writer, out)
        number, errors = child(lambda writer=writer: writer.run(out))
        if dice.random() < 0.5:  # anywhere, or among the writes
            time.sleep(dice.uniform(0, usual[name].seconds))
        else:
            until_it_writes(out, usual[name].seconds)
            time.sleep(dice.uniform(0, usual[name].seconds / 10))
        os.kill(number, signal.SIGKILL)
        status, said = outcome(number, errors)
        if status == 0:
            continue  # it was through already
        killed += 1
        try:
            assert status == -signal.SIGKILL, (status, said)
            is_new, remains = check(writer, out, usual[name])
            old, new, left = old + (not is_new), new + is_new, left + remains
            status, said = outcome(*child(lambda writer=writer: writer.run(out)))
            assert status == 0 or is_new, f"it does not run again: {said}"
        except AssertionError as error:
            print(f"{name}, seed {seed}: {error}")
    return (
        f"{len(usual)} writers, {killed} kills (seed {seed}): {old} left the old files, {new} the "
        f"new ones, {left} a temporary"
    )


def undisturbed(writer: Writer, out: Path) -> Usual:
    begin(writer, out)
    before = content(out)
    start = time.perf_counter()
    done = outcome(*child(lambda: writer.run(out)))
    assert done[0] == 0, done
    return Usual(before, content(out), time.perf_counter() - start)


def until_it_writes(out: Path, seconds: float) -> None:
    """Wait for the first change of a folder, which may have been made already."""
    before, end = os.stat(out).st_mtime_ns, time.perf_counter() + seconds
    while os.stat(out).st_mtime_ns == before and time.perf_counter() < end:
        time.sleep(0.0005)


def begin(writer: Writer, out: Path) -> None:
    empty(out)
    writer.begin(out)


def check(writer: Writer, out: Path, usual: Usual) -> tuple[bool, bool]:
    """Each file is the old or the new one; tell whether all are new, and what else is left."""
    found = content(out)
    seen = {
        name: data
        for name, data in found.items()
        if not any(part.startswith(LEFT) for part in Path(name).parts)
    }
    is_new = True
    for name in {*seen, *usual.before, *usual.after}:
        now, before, after = (
            writer.is_same(data) if isinstance(data, bytes) else (data, name in files)
            for files in (seen, usual.before, usual.after)
            for data in [files.get(name)]
        )
        assert now in (before, after), f"{name} is neither the old one nor the new one"
        is_new = is_new and now == after
    return is_new, seen != found
