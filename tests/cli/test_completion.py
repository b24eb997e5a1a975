"""Completion in bash, zsh and fish: asked of the shells themselves, at their prompts."""

from __future__ import annotations

import contextlib
import io
import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from commandline import environment

from rvh._tables import FORMATS
from rvh.cli import main
from rvh.cli.app import command
from rvh.cli.completion import FILES, Shell, commands
from rvh.cli.systems import Algorithm
from rvh.nodes import SCHEMES

pty = pytest.importorskip("pty", reason="the prompts of these shells need a POSIX terminal")

Home = Path
COMMANDS = commands(command())
#: variables that would change where settings are
ELSEWHERE = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR", "PROMPT_COMMAND")


def needs(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed: apt-get install {shell}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A user's home, with completion installed for all shells, and some files to complete."""
    made = tmp_path_factory.mktemp("a user's home")
    for shell in Shell:
        done = run(made, "--install-completion", shell)
        assert (done.code, done.out) == (0, ""), done.err
    program = made / "bin/rvh"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\ntouch "$HOME/called"\n', encoding="utf-8")
    program.chmod(0o755)
    (made / "keys.csv").write_text("id\n1\n", encoding="utf-8")
    (made / "nodes.csv").write_text("id\na\n", encoding="utf-8")
    (made / "its nodes").mkdir()
    (made / "its nodes" / "$a'b.csv").write_text("id\na\n", encoding="utf-8")
    return made


class Done(NamedTuple):
    code: int
    out: str
    err: str


def run(home: Home, *args: str, **more: str) -> Done:
    """`rvh ARGS` in this process, for a user of that home."""
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        for name in ELSEWHERE:
            patch.delenv(name, raising=False)
        for name, value in {"HOME": str(home), **more}.items():
            patch.setenv(name, value)
        code = main(args)
    return Done(code, out.getvalue(), err.getvalue())


def variables(home: Home, **more: str) -> dict[str, str]:
    """The environment of a shell of the user, in which a program rvh leaves a mark."""
    kept = {name: value for name, value in environment().items() if name not in ELSEWHERE}
    path = f"{home / 'bin'}:{kept['PATH']}"
    return {**kept, "HOME": str(home), "TERM": "dumb", "PS1": "> ", "PATH": path, **more}


class Prompt:
    """A shell at its prompt, in a terminal of its own."""

    def __init__(self, argv: list[str], home: Home) -> None:
        self.process, self.end = pty.fork()
        if self.process == 0:
            os.chdir(home)
            os.execvpe(argv[0], argv, variables(home, COLUMNS="200", LINES="50"))
        self.seen = ""

    def send(self, text: str) -> None:
        os.write(self.end, text.encode())

    def until(self, pattern: str) -> re.Match[str]:
        """What matches in the output, which is then taken away up to its end."""
        deadline = time.monotonic() + 60
        while not (found := re.search(pattern, self.seen, re.DOTALL)):
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.seen!r}"
            if select.select([self.end], [], [], 0.2)[0]:
                self.seen += os.read(self.end, 65536).decode("utf-8", "replace")
        self.seen = self.seen[found.end() :]
        return found

    def ready(self) -> Iterator[Prompt]:
        """Itself, once it answers; afterwards it is ended."""
        self.send("echo rea''dy\n")
        self.until("ready\r?\n")
        yield self
        os.close(self.end)
        os.waitpid(self.process, 0)


#: what is typed before Tab, and the line after it, or the words that are offered
TYPED = {
    "rvh sel": "rvh select ",
    "rvh migrate pr": "rvh migrate progress ",
    "rvh nodes pub": "rvh nodes publish ",
    "rvh assign --sch": "rvh assign --scheme",
    "rvh migrate status k --j": "rvh migrate status k --json",
    "rvh select --scheme m": "rvh select --scheme murmur",
    "rvh assign --format=nd": "rvh assign --format=ndjson",
    "rvh plan --to-algorithm twemproxy-": "rvh plan --to-algorithm twemproxy-modula",
    "rvh assign k": "rvh assign keys.csv",
    "rvh assign keys.csv -n @no": "rvh assign keys.csv -n @nodes.csv",
    "rvh plan --nodes=@no": "rvh plan --nodes=@nodes.csv",
    "rvh plan --nodes=@its": "rvh plan --nodes=@its\\ nodes/",
    "rvh assign k -n @its\\ nodes/": r"rvh assign k -n @its\ nodes/\$a\'b.csv",
    "rvh --show-completion z": "rvh --show-completion zsh",
    "rvh select --scheme ": SCHEMES,
    "rvh assign --format ": tuple(sorted(FORMATS)),
}


@pytest.fixture(scope="module")
def bash(home: Home) -> Iterator[Prompt]:
    needs("bash")
    shell = Prompt(["bash", "--noprofile", "-i"], home)
    shell.send("bind 'set show-all-if-ambiguous on'; bind 'set bell-style none'\n")
    yield from shell.ready()


@pytest.fixture(scope="module")
def zsh(home: Home) -> Iterator[Prompt]:
    needs("zsh")
    shell = Prompt(["zsh", "-i", "-d"], home)
    shell.send("setopt no_beep no_list_ambiguous no_auto_menu\n")
    yield from shell.ready()


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_tab_at_a_prompt(
    request: pytest.FixtureRequest, home: Home, shell: str, typed: str
) -> None:
    prompt: Prompt = request.getfixturevalue(shell)
    after = TYPED[typed]
    prompt.send(f"{typed}\t")
    prompt.until(re.escape(after) if isinstance(after, str) else r"\s+".join(after))
    prompt.send("\x15")  # the line is taken away
    prompt.send("echo do''ne\n")
    prompt.until("done\r?\n")
    assert not (home / "called").exists()  # no Python at Tab


def test_fish(home: Home) -> None:
    needs("fish")
    for typed, after in TYPED.items():
        done = subprocess.run(
            ["fish", "-c", f"complete -C {typed!r}"],
            env=variables(home), cwd=home, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        offered = [line.partition("\t")[0] for line in done.stdout.splitlines()]
        expected = (shlex.split(after)[-1],) if isinstance(after, str) else after
        assert set(expected) <= set(offered), (typed, offered)
        if not typed.endswith("-"):
            assert len(offered) == len(expected), (typed, offered)
    assert not (home / "called").exists()


@pytest.mark.parametrize("shell", Shell)
def test_every_name_is_in_the_script(home: Home, shell: str) -> None:
    script = run(home, "--show-completion", shell).out
    for each in COMMANDS:
        assert each.name in script
        for option in each.options:
            assert all(name.lstrip("-") in script for name in option.names)
            assert option.value is None or all(word in script for word in option.value.words)
    assert all(name in script for name in Algorithm)


def test_every_value_is_one_of_words_or_a_file_or_free() -> None:
    """What a metavar says is what is completed; these are free."""
    free = {
        option.value.name
        for each in COMMANDS
        for option in each.options
        if option.value is not None and not option.value.words and not option.value.is_file
    }
    assert free == {
        *("ADDRESS", "BYTES", "CC", "CHAR", "COND", "F", "GEOHASH", "ID=WEIGHT", "ID[=WEIGHT]"),
        *("KEY", "LOW,HIGH", "MIB", "N", "NAME", "NAME=N", "NAME=N,...", "NAME[:TYPE]", "P"),
        *("PATTERN", "PERCENT", "RATE", "SECONDS", "SHARE", "TYPE,..."),
    }
    assert {each.argument.name for each in COMMANDS if each.argument is not None} <= FILES


def test_what_is_installed_is_said_and_can_be_undone(tmp_path: Path) -> None:
    settings = tmp_path / ".bashrc"
    settings.write_text("alias x=y", encoding="utf-8")
    done = run(tmp_path, "--install-completion", "bash")
    wrote, added, undo = done.err.splitlines()
    path = tmp_path / ".local/share/rvh/completion.bash"
    assert wrote == f"rvh: wrote {path}"
    before, line = settings.read_text(encoding="utf-8").splitlines()
    assert before == "alias x=y"
    assert added == f"rvh: added to {settings}: {line}"
    assert f"To undo it, delete {path}, and from {settings} the line" in undo
    again = run(tmp_path, "--install-completion", "bash")
    assert again.err.splitlines() == [wrote, undo]
    assert settings.read_text(encoding="utf-8").splitlines() == [before, line]
    path.unlink()  # a shell does not complain
    assert subprocess.run(["sh", "-c", f"{line}"], capture_output=True, check=False).stderr == b""


def test_settings_in_any_encoding(tmp_path: Path) -> None:
    settings = tmp_path / ".zshrc"
    settings.write_bytes(b"alias \xe9=y")
    for _ in range(2):
        assert run(tmp_path, "--install-completion", "zsh").code == 0
    before, line = settings.read_bytes().splitlines()
    assert before == b"alias \xe9=y"
    assert line.endswith(b"# completion of rvh")


def test_a_user_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # no HOME, and no entry in passwd
    done = run(tmp_path, "--install-completion", "bash")
    assert (done.code, done.err) == (
        1,
        "rvh: this user has no home directory: set HOME, or keep what rvh --show-completion "
        "prints\n",
    )


def test_relative_folders_in_the_environment_count_as_unset(tmp_path: Path) -> None:
    for shell in Shell:
        done = run(
            tmp_path, "--install-completion", shell,
            XDG_DATA_HOME="here", XDG_CONFIG_HOME="here", ZDOTDIR="here",
        )  # fmt: skip
        assert done.err.startswith(f"rvh: wrote {tmp_path}/."), done.err


def test_folders_that_the_environment_names(tmp_path: Path) -> None:
    places = {name: str(tmp_path / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    (tmp_path / "zsh").mkdir()
    for shell in Shell:
        run(tmp_path, "--install-completion", shell, ZDOTDIR=str(tmp_path / "zsh"), **places)
    there = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.as_posix() for path in there} == {
        "XDG_DATA_HOME/rvh/completion.bash",
        "XDG_DATA_HOME/rvh/completion.zsh",
        "XDG_CONFIG_HOME/fish/completions/rvh.fish",
        ".bashrc",
        "zsh/.zshrc",
    }  # fmt: skip


def test_the_shell_is_found_or_has_to_be_named(tmp_path: Path) -> None:
    needs("bash")
    found = subprocess.run(
        ["bash", "-c", '"$0" -m rvh --show-completion; true', sys.executable],
        env=variables(tmp_path), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "for bash" in found.stdout.partition("\n")[0], found.stderr
    wrong = run(tmp_path, "--show-completion", "tcsh")
    assert (wrong.code, wrong.out) == (1, "")
    assert wrong.err == (
        "rvh: there is no completion for the shell 'tcsh': name one of bash, zsh, fish\n"
    )
