"""Pages of the documentation, run from start to finish as a reader would."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from folders import DOCS

__all__ = ["run_page"]


def run_page(name: str, folder: Path, replaced: Mapping[str, str]) -> int:
    """Run the blocks of a page in their order, and return how many there were.

    ``sh`` blocks run in one folder and have to succeed. ``pycon`` blocks are one session whose
    output is compared. Other blocks (``json``, ``text``) are for the eye.

    Parameters
    ----------
    name : str
        The page, below docs/.
    folder : Path
        Where the commands run.
    replaced : mapping of str to str
        What the page calls a server's address, and what that is in the test.
    """
    text = (DOCS / name).read_text("utf-8")
    for written, real in replaced.items():
        assert written in text, f"{name} does not mention {written}"
        text = text.replace(written, real)
    session: dict[str, object] = {}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    count = 0
    here = os.getcwd()
    for kind, block in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        if kind == "sh":
            run = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block],
                cwd=folder, env=environment, capture_output=True, text=True, timeout=60,
            )  # fmt: skip
            assert run.returncode == 0, f"{name}: {block}\n{run.stdout}{run.stderr}"
        elif kind == "pycon":
            example = doctest.DocTestParser().get_doctest(block, session, name, name, 0)
            output: list[str] = []
            try:
                os.chdir(folder)
                failed = runner.run(example, out=output.append, clear_globs=False).failed
            finally:
                os.chdir(here)
            assert not failed, "".join(output)
            session.update(example.globs)
        else:
            continue
        count += 1
    return count
