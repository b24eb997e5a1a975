"""Pages of the documentation, run from start to finish as a reader would."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from commandline import environment, programs
from folders import DOCS

__all__ = ["run_page"]


def run_page(
    name: str,
    folder: Path,
    replaced: Mapping[str, str],
    timeout: float = 60,
    names: dict[str, object] | None = None,
) -> int:
    """Run the blocks of a page in their order, and return how many there were.

    ``sh`` blocks run in one folder and have to succeed. ``console`` blocks too, command by command,
    and what they print on stdout is compared. ``pycon`` blocks are one session whose output is
    compared, and ``python`` blocks are a part of it. A block whose first line is a comment with the
    name of a file becomes that file, and does not count. Other blocks (``json``, ``text``) are for
    the eye.

    Parameters
    ----------
    name : str
        The page, below docs/.
    folder : Path
        Where the commands run.
    replaced : mapping of str to str
        What the page calls a server's address, and what that is in the test; or a size.
    timeout : float
        The seconds that a command may take.
    names : dict, optional
        The session's names, those of another page for example, and in the end this page's too.
    """
    text = (DOCS / name).read_text("utf-8")
    for written, real in replaced.items():
        assert written in text, f"{name} does not mention {written}"
        text = text.replace(written, real)
    session: dict[str, object] = {} if names is None else names
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    count = 0
    here = os.getcwd()

    def shell(commands: str) -> str:
        run = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=folder, env=environment(PATH=programs()),
            capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip
        assert run.returncode == 0, f"{name}: {commands}\n{run.stdout}{run.stderr}"
        return run.stdout

    for kind, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        if file := re.match(r"(?:#|--) ([\w./-]+\.\w+)\n", block):
            path = folder / file[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block, "utf-8")
            continue
        if kind == "sh":
            shell(block)
        elif kind == "console":
            for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                printed, expected = shell(command).strip("\n"), output.strip("\n")
                same = doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS)
                assert same, f"{name}: {command}\n{printed}\nthe page says\n{expected}"
        elif kind == "pycon":
            example = doctest.DocTestParser().get_doctest(block, session, name, name, 0)
            shown: list[str] = []
            try:
                os.chdir(folder)
                failed = runner.run(example, out=shown.append, clear_globs=False).failed
            finally:
                os.chdir(here)
            assert not failed, "".join(shown)
            session.update(example.globs)
        elif kind == "python":
            try:
                os.chdir(folder)
                # Without this module's `from __future__`, which a reader does not have.
                exec(compile(block, name, "exec", dont_inherit=True), session)
            finally:
                os.chdir(here)
        else:
            continue
        count += 1
    return count
