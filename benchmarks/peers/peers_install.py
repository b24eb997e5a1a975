"""The environment of the comparison: made, filled with what peers.txt pins, and run in.

Needs the standard library alone.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATIENCE = 600  # seconds for one requirement


class Failed(SystemExit):
    """Nothing can be measured."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def requirements() -> list[str]:
    lines = (line.strip() for line in (HERE / "peers.txt").read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def name_of(requirement: str) -> str:
    """The distribution's name as the index spells it."""
    return re.split(r"[=<>;\[ ]", requirement)[0].lower().replace("_", "-")


def environment(venv: Path) -> Path:
    """The interpreter of the environment, which is made where there is none of this Python."""
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    marker = venv / "made-by-rvh-peers"  # what is not ours is neither changed nor cleared
    if venv.exists() and not (venv.is_dir() and (marker.exists() or not any(venv.iterdir()))):
        raise Failed(f"--venv: {venv} is there and was not made by this command")
    asks = "import sys; print(*sys.version_info[:2])"
    mine = f"{sys.version_info[0]} {sys.version_info[1]}"
    if marker.exists():
        answer = subprocess.run([python, "-c", asks], capture_output=True, text=True, check=False)
        if answer.stdout.strip() == mine:
            return python
        say(f"{venv} has another Python and is made anew")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
    marker.touch()
    return python


def pip(python: Path, *options: str) -> str:
    """What pip says where it fails, else nothing."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*command, *options], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"ERROR: took more than {PATIENCE} seconds"
    return done.stdout + done.stderr if done.returncode else ""


def reason(said: str) -> str:
    """A few words from what pip says, without the addresses and paths of this machine."""
    version = re.search(r"Requires-Python ([^\s;]+)", said)
    if version:
        return f"needs Python {version[1]}"
    if "No matching distribution" in said:
        return "no such version for this Python"
    errors = [line for line in said.splitlines() if re.match(r"\s*(ERROR|error|fatal)\b", line)]
    compiler = [line for line in said.splitlines() if re.search(r"\b(fatal )?error: ", line)]
    line = (compiler or errors or said.splitlines() or ["no reason given"])[0].strip()
    line = re.sub(r"\w+://\S+|(?<!\w)/\S+", "...", line)
    built = "does not build: " if "uild" in said and compiler else ""
    return built + (line if len(line) <= 100 else line[:97] + "...")


def install(python: Path, venv: Path) -> dict[str, str]:
    """Install everything; the reasons of those that could not be, by name."""
    reasons: dict[str, str] = {}
    for requirement in requirements():
        say(f"installing {requirement}")
        said = pip(python, requirement)
        if said:
            reasons[name_of(requirement)] = reason(said)
            say(f"  {reasons[name_of(requirement)]}")
    say("installing rvh from this checkout")
    # A build directory of its own: the checkout's may belong to an editable install.
    own = f"--config-settings=build-dir={venv.resolve() / 'rvh-build'}"
    said = pip(python, "--force-reinstall", "--no-deps", own, str(HERE.parents[1]))
    if said:
        raise Failed(f"rvh cannot be installed:\n{said}")
    return reasons


def run(command: list[str]) -> int:
    with subprocess.Popen(command) as child:
        try:
            return child.wait()
        except KeyboardInterrupt:
            child.terminate()
            raise
