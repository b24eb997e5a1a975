"""Fuzz each target for so many seconds: python tests/fuzz SECONDS [TARGET ...].

Bytes are led by the code that they reach, by Atheris (https://github.com/google/atheris). This
process uses the pure-Python backend, whose code it sees, and another one answers the same with the
compiled one. An input that a target fails on is printed, and stands in build/fuzz-python; so do
those that reached new code, where the next run begins. `--keep BYTES` instead of SECONDS writes the
shortest of them to the corpus. Calls and command lines are drawn by hypothesis.
"""

from __future__ import annotations

import ast
import os
import random
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = Path("build", "fuzz-python").absolute()
DRAWN = ("calls", "commands")
NAMES = ("documents", "saved", "tables", "wire", *DRAWN)


def main() -> None:
    seconds, *names = sys.argv[1:] or ["20"]
    keeps = seconds == "--keep"
    most, names = (names[0], names[1:]) if keeps else ("", names)
    env = os.environ | {"PYTHONUNBUFFERED": "1"}
    paths = [str(HERE.parent), str(HERE.parent / "support"), env.get("PYTHONPATH", "")]
    env["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    failed = []
    for name in names or NAMES:
        print(f"\n== {name}", flush=True)
        if keeps:
            code = f"from fuzz.__main__ import keep; keep({name!r}, {most})"
        elif name in DRAWN:
            code = f"from fuzz.drawn import draw; draw({name!r}, {seconds})"
        else:
            code = f"from fuzz.__main__ import lead; lead({name!r}, {seconds!r})"
        env["RVH_FORCE_PYTHON"] = "0" if name in DRAWN else "1"
        if subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def lead(name: str, seconds: str) -> None:
    """Fuzz a target of bytes in this process; it ends the process."""
    import atheris  # type: ignore[import-not-found]

    # From the source folder, before the hook of an editable install: what that loads is not led.
    sys.path.insert(0, str(HERE.parents[1] / "src"))
    sys.meta_path.insert(0, PathFinder)
    with atheris.instrument_imports(include=["rvh"]):
        from fuzz import harness

        target = harness.target(name)
    twin = harness.Twin()
    found = BUILD / name
    found.mkdir(parents=True, exist_ok=True)
    kinds = target.kinds
    for number, (kind, data) in enumerate(target.corpus()):
        (found / f"seed-{number}").write_bytes(bytes([kinds.index(kind)]) + data)

    def one(data: bytes) -> None:
        if data:
            target.try_it(kinds[data[0] % len(kinds)], data[1:], twin)

    def mutate(data: bytes, size: int, seed: int) -> bytes:
        draw = random.Random(seed)
        head, body = data[:1] or b"\0", data[1:]
        changed = harness.mutated(body, draw) if seed % 3 else atheris.Mutate(body, size - 1)
        return (head + changed)[:size]

    limits = [f"-max_total_time={seconds}", "-timeout=30", "-rss_limit_mb=3000", "-max_len=8192"]
    prefix = f"-artifact_prefix={BUILD}/{name}-"
    options = [name, *limits, "-print_final_stats=1", prefix, str(found)]
    atheris.Setup(options, one, custom_mutator=mutate)
    atheris.Fuzz()


def keep(name: str, left: int) -> None:
    """Add to the corpus what reached new code, the shortest inputs first, up to so many bytes."""
    from fuzz import harness

    target = harness.target(name)
    kinds, known = target.kinds, {*target.corpus()}
    path = HERE / "corpus" / f"{name}.txt"
    lines = path.read_text("ascii").splitlines() if path.exists() else []
    for data in sorted((each.read_bytes() for each in (BUILD / name).iterdir()), key=len):
        case = (kinds[data[0] % len(kinds)], data[1:]) if data else None
        if case is None or case in known:
            continue
        line = f"{case[0]} {case[1]!r}"
        assert ast.literal_eval(line.partition(" ")[2]) == case[1]
        left -= len(line) + 1
        if left < 0:
            break
        lines.append(line)
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "ascii")


if __name__ == "__main__":
    main()
