"""Every command with streams that are closed, full, slow, or read by nobody."""

from __future__ import annotations

import fcntl
import io
import os
import select
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from disk import empty
from writers import NODES

from rvh.cli import script

#: a call of each command that prints, or says something on stderr; OUT is a folder
COMMANDS = {
    "": "",
    "--version": "--version",
    "--help": "--help",
    "migrate": "migrate",
    "select --help": "select -h",
    "select": f"select -n {NODES} -k x",
    "assign": f"assign k.csv -K id -n {NODES} -o -",
    "plan": f"plan k.csv -K id -n {NODES} --add e",
    "repair": f"repair placed.csv -K id -n {NODES} --dead b -o -",
    "split": f"split few.csv -K id -n {NODES} -o OUT/parts",
    "verify": "verify parts",
    "migrate plan": "migrate plan OUT/state.json -n a,b --add c",
    "migrate status": "migrate status state2.json",
    "migrate view": "migrate view state2.json",
    "migrate workers": "migrate workers OUT/state.json w",
    "migrate join": "migrate join OUT/state.json v",
    "migrate leave": "migrate leave OUT/state.json w",
    "migrate acknowledge": "migrate acknowledge OUT/state.json w 3",
    "migrate advance": "migrate advance OUT/state.json",
    "migrate keys": "migrate keys state2.json k.csv -K id -o -",
    "migrate finish": "migrate finish OUT/state.json 0",
    "migrate verify": "migrate verify state2.json placed.csv -K id --column node_1",
    "migrate progress": "migrate progress OUT/state.json 0.5",
    "migrate lose": "migrate lose OUT/state.json b",
    "migrate rollback": "migrate rollback OUT/state.json",
    "migrate leftovers": "migrate leftovers state2.json k.csv -K id -o -",
    "migrate purged": "migrate purged OUT/state.json",
    "nodes": "nodes file:nodes.json",
    "bench": "bench --rounds 1 --only table/lookup-n1024-k1",
    "info": "info",
    "wrong": "nope",
    "fails": f"assign none.csv -n {NODES} -o -",
    "stdin": f"assign - --format csv -K id -n {NODES} -o -",
}

#: seconds that a run may take; it ends what hangs
PATIENCE = 60


def closed(number: int) -> Callable[[], None]:
    return lambda: os.close(number)


def without_reader(number: int) -> Callable[[], None]:
    def put() -> None:
        reading, writing = os.pipe()
        os.close(reading)
        os.dup2(writing, number)
        os.close(writing)

    return put


def onto(number: int, name: str, flags: int) -> Callable[[], None]:
    def put() -> None:
        opened = os.open(name, flags)
        os.dup2(opened, number)
        os.close(opened)

    return put


def not_blocking(*numbers: int) -> Callable[[], None]:
    """Pipes of one page, which are full at once."""

    def put() -> None:
        for number in numbers:
            os.set_blocking(number, False)
            if number:
                fcntl.fcntl(number, 1031, 4096)  # F_SETPIPE_SZ

    return put


def together(*changes: Callable[[], None]) -> Callable[[], None]:
    return lambda: [change() for change in changes] and None


#: what becomes of the streams of a run
STREAMS = {
    "stdin closed": closed(0),
    "stdout closed": closed(1),
    "stderr closed": closed(2),
    "all closed": together(closed(0), closed(1), closed(2)),
    "nobody reads stdout": without_reader(1),
    "nobody reads stderr": without_reader(2),
    "nobody reads either": together(without_reader(1), without_reader(2)),
    "stdout full": onto(1, "/dev/full", os.O_WRONLY),
    "stderr full": onto(2, "/dev/full", os.O_WRONLY),
    "not blocking": not_blocking(0, 1, 2),
}


class Run:
    """A process of a command, with pipes as its streams, changed as `change` does."""

    def __init__(self, argv: list[str], change: Callable[[], None], *, alone: bool) -> None:
        pipes = [os.pipe() for _ in range(3)]
        theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        self.number = os.fork()
        if not self.number:
            try:
                for number, pipe in enumerate(theirs):
                    os.dup2(pipe, number)
                os.closerange(3, 64)
                change()
                if alone:
                    os.execv(sys.executable, [sys.executable, "-m", "rvh", *argv])
                begin(argv)
            finally:
                os._exit(71)
        for pipe in theirs:
            os.close(pipe)
        self.stdin, self.stdout, self.stderr = pipes[0][1], pipes[1][0], pipes[2][0]

    def end(self, given: bytes) -> tuple[int, bytes, bytes]:
        """Feed and read it slowly, to its end."""
        said: dict[int, list[bytes]] = {self.stdout: [], self.stderr: []}
        rest = given
        until = time.monotonic() + PATIENCE
        poll = select.poll()
        poll.register(self.stdin, select.POLLOUT)
        for pipe in said:
            poll.register(pipe, select.POLLIN)
        os.set_blocking(self.stdin, False)
        waiting = {self.stdin, *said}
        while waiting - {self.stdin}:
            assert time.monotonic() < until, "it hangs"
            for pipe, _ in poll.poll(1000):
                if pipe == self.stdin:
                    done = False
                    try:
                        rest = rest[os.write(pipe, rest[:50_000]) :] if rest else rest
                        done = not rest
                    except BlockingIOError:
                        pass
                    except BrokenPipeError:
                        done = True
                elif part := os.read(pipe, 50_000):
                    said[pipe].append(part)
                    done = False
                else:
                    done = True
                if done:
                    poll.unregister(pipe)
                    os.close(pipe)
                    waiting.remove(pipe)
        if self.stdin in waiting:
            os.close(self.stdin)
        status = os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1])
        return status, b"".join(said[self.stdout]), b"".join(said[self.stderr])


def begin(argv: list[str]) -> None:
    """What the interpreter does with the streams when it starts, and then the program."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        getattr(sys, name).detach()
        try:
            os.fstat(number)
        except OSError:
            setattr(sys, name, None)
            continue
        raw = io.FileIO(number, "wb" if number else "rb", closefd=False)
        buffered = io.BufferedWriter(raw) if number else io.BufferedReader(raw)
        how = "backslashreplace" if number == 2 else "strict"
        text = io.TextIOWrapper(buffered, "utf-8", how, line_buffering=number == 2)
        setattr(sys, name, text)
    sys.argv = ["rvh", *argv]
    script()


def run(folder: Path, every: int = 1, alone: int = 0) -> str:
    """Run all commands with all such streams, or every so manieth pair; return how many.

    In processes that are forked, or (`alone`) in processes of their own, as a shell starts them.
    """
    runs, out = 0, folder / "out"
    given = Path("k.csv").read_bytes()

    def one(line: str, change: Callable[[], None]) -> tuple[int, bytes, bytes]:
        empty(out)
        if " plan " not in line:
            shutil.copy("state2.json", out / "state.json")
        return Run(line.replace("OUT", str(out)).split(), change, alone=bool(alone)).end(given)

    one(f"split few.csv -qK id -n {NODES} -o parts", lambda: None)
    for row, (name, line) in enumerate(COMMANDS.items()):
        usual = one(line, lambda: None)
        for n, each in enumerate(STREAMS):
            if (row + n) % every:
                continue
            try:
                check(each, name, one(line, STREAMS[each]), usual)
            except AssertionError as error:
                print(f"{name}, {each}: {error}")
            runs += 1
    return f"{len(COMMANDS)} commands, {len(STREAMS)} kinds of streams, {runs} runs"


def check(
    streams: str, name: str, run: tuple[int, bytes, bytes], usual: tuple[int, bytes, bytes]
) -> None:
    status, out, err = run
    usual_status, usual_out, usual_err = usual
    told = (status, out[:200], err)
    for word in (b"Traceback", b"Exception ignored", b"Warning"):
        assert word not in err, told
    if name == "stdin" and streams in ("stdin closed", "all closed"):
        assert status == 1, told
        assert streams == "all closed" or err == b"rvh: stdin is closed, so - cannot be read\n", (
            told
        )
    elif streams in ("stdout closed", "all closed") and usual_out:
        assert status == 1, told
        assert streams == "all closed" or b"stdout is closed" in err, told
        assert err.count(b"\n") <= 1, told
    elif streams in ("nobody reads stdout", "nobody reads either") and usual_out:
        assert (status, err) == (141, b""), told
    elif streams == "stdout full" and usual_out:
        assert status == 1, told
        assert (err.count(b"\n"), b"stdout: No space left on device" in err) == (1, True), told
    else:
        assert status == usual_status, (*told, usual_status, usual_err)
        if name != "bench" and streams not in ("stdout closed", "all closed"):
            assert out == usual_out, told
