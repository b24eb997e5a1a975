"""Break the kernels' fast paths, one after the other, and see whether the C tests notice.

    python tests/mutations          # all of table.py, each some 10 s of one core
    python tests/mutations tie      # those with this word in their file or fault

A line for each says which test saw it. The exit code is 1 where none did, or where the table is
no longer true of the sources.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mutations.table import SOURCE, TABLE, Mutation

#: the tests in the order they are asked: where they are compiled to, and arguments
TESTS = {
    "test_paths": ("test_paths",),
    "test_kernels": ("test_kernels",),
    "test_blake2_simd": ("blake2_simd/test_blake2_simd",),
    "test_paths, 8,000 configurations": ("test_paths", "8000"),
}
SECONDS = 240  # a fault can make a test run for ever; without one the longest takes 50


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.run(command, check=False, text=True, timeout=SECONDS, **output)


class Copy:
    """A copy of the kernels that is broken and compiled again and again."""

    def __init__(self, folder: Path) -> None:
        self.source, self.build = folder / "src", folder / "build"
        for library in ("blake2_simd", "rvh_kernels"):
            shutil.copytree(SOURCE / library, self.source / library)
        options = ("-G", "Ninja", "-DRVH_C_TESTS=ON", "-DCMAKE_BUILD_TYPE=Release")
        done = run("cmake", "-S", self.source / "rvh_kernels", "-B", self.build, *options)
        if done.returncode != 0:
            raise SystemExit(done.stdout)

    def noticed_by(self, test: str) -> str:
        """The test's last line where it fails, else nothing."""
        program, *arguments = TESTS[test]
        done = run("cmake", "--build", self.build, "--target", Path(program).name)
        if done.returncode != 0:
            raise ValueError(f"does not compile:\n{done.stdout}")
        try:
            done = run(self.build / program, *arguments)
        except subprocess.TimeoutExpired:
            return f"{test} does not end"
        if done.returncode == 0:
            return ""
        said = done.stdout.splitlines() or [f"ends with {done.returncode}"]
        return f"{test}: {next((line for line in said if 'FAILED' in line), said[-1])}"


def tested_sets(copy: Copy) -> list[str]:
    """What this machine can run; the tests must pass before anything is broken."""
    for test in TESTS:
        if said := copy.noticed_by(test):
            raise SystemExit(f"nothing is broken yet, and {said}")
    lines = run(copy.build / "test_paths").stdout.splitlines()
    return [line.partition(":")[0] for line in lines if line.endswith(": tested")]


def main(words: list[str]) -> int:
    def asked(mutation: Mutation) -> bool:
        return all(word in f"{mutation.file} {mutation.breaks}" for word in words)

    unseen = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        sets = tested_sets(copy)
        for mutation in filter(asked, TABLE):
            print(f"{mutation.file}: {mutation.breaks}: ", end="", flush=True)
            if mutation.isa and mutation.isa not in sets:
                print(f"not tried, since there is no {mutation.isa} here")
                continue
            file = copy.source / mutation.file
            original = file.read_text("utf-8")
            try:
                file.write_text(mutation.applied(original), "utf-8")
                seen = next(filter(None, map(copy.noticed_by, TESTS)), "")
            except ValueError as error:
                seen = ""
                print(f"{error}: ", end="")
            file.write_text(original, "utf-8")
            print(seen or "NOT CAUGHT", flush=True)
            unseen += not seen
    return int(unseen > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
