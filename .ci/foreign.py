"""Test the package on a processor of another kind, with a Python and a NumPy of that kind.

    python .ci/foreign.py PROCESSOR [PYTEST_ARGUMENT ...]

Debian's packages for the processor are unpacked into build/foreign-PROCESSOR, nothing is installed;
qemu-user runs their Python. The C libraries are those that `nox -s emulated` left in build/.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

#: processor -> Debian's name of it, a release with NumPy 2 for it, and what rvh chooses on it
KINDS = {
    "aarch64": ("arm64", "trixie", "neon"),
    "s390x": ("s390x", "testing", "portable"),
}
#: pointer authentication, emulated in full, takes four fifths of the time
QEMU_CPU = {"aarch64": "max,pauth-impdef=on", "s390x": "max"}
#: what the tests need; of each the newest version that is Python alone
TOOLS = ("pytest", "hypothesis", "mpmath")
#: with either backend; and what would take the pure one half an hour
TESTS = (
    *("tests/package/test_vectors.py", "tests/package/test_golden.py"),
    "tests/backend/test_byte_order.py",
)
NATIVE = tuple(f"tests/backend/test_{part}.py" for part in ("lengths", "rankings", "ties"))
#: not here: what starts this machine's programs, what no processor changes, 16 million partitions
CHOICE = ("-k", "not 16777216 and (rvh_gives or test_golden_ or backend)")
MACROS = [f"-DNPY_{name}=NPY_2_0_API_VERSION" for name in ("NO_DEPRECATED_API", "TARGET_VERSION")]


def run(*command: str | Path, **environment: str) -> str:
    env = os.environ | environment
    return subprocess.run(command, check=True, env=env, stdout=subprocess.PIPE, text=True).stdout


def unpacked(folder: Path, architecture: str, release: str) -> Path:
    """Debian's Python, its headers and NumPy, for another architecture."""
    root = folder / "root"
    if root.is_dir():
        return root
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    source = f"deb [signed-by={keys}] http://deb.debian.org/debian {release} main\n"
    (folder / "sources.list").write_text(source)
    settings = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Install-Recommends": "false",
        "Acquire::Languages": "none",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
    }
    (folder / "apt.conf").write_text("".join(f'{n} "{v}";\n' for n, v in settings.items()))
    config = str(folder / "apt.conf")
    run("apt-get", "update", "-qq", APT_CONFIG=config)
    wanted = ("python3-numpy", "libpython3-dev")
    run("apt-get", "install", "-qq", "--yes", "--download-only", *wanted, APT_CONFIG=config)
    new = folder / "unpacking"
    shutil.rmtree(new, ignore_errors=True)
    for package in sorted((folder / "cache" / "archives").glob("*.deb")):
        run("dpkg-deb", "--extract", package, new)
    # What base-files and update-alternatives would have made.
    (new / "lib").symlink_to("usr/lib")
    for name in ("blas", "lapack"):
        (library,) = new.glob(f"usr/lib/*/{name}/lib{name}.so.3")
        (library.parent.parent / library.name).symlink_to(f"{name}/{library.name}")
    return new.rename(root)


def package(folder: Path, processor: str, root: Path) -> Path:
    """A folder with rvh, its module compiled for the processor."""
    site = folder / "site"
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree("src/rvh", site / "rvh", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    source, libraries = folder / "_native.c", Path("build", f"c-{processor}")
    run(
        sys.executable,
        "-m",
        "cython",
        "-3",
        "-Werror",
        "src/rvh/_backend/_native.pyx",
        "-o",
        source,
    )
    (python,) = (root / "usr" / "include").glob("python3.*")
    headers = [python, root / "usr/lib/python3/dist-packages/numpy/_core/include"]
    headers += [Path("src/rvh_kernels"), Path("src/blake2_simd")]
    run(
        *(f"{processor}-linux-gnu-gcc", "-shared", "-fPIC", "-O1", "-fvisibility=hidden", "-w"),
        *(*MACROS, *(f"-I{header}" for header in headers), "-idirafter", root / "usr" / "include"),
        *(source, libraries / "librvh_kernels.a", libraries / "blake2_simd" / "libblake2_simd.a"),
        *("-lm", "-o", site / "rvh" / "_backend" / "_native.so"),
    )
    return site


def main(processor: str, *arguments: str) -> None:
    architecture, release, chosen = KINDS[processor]
    folder = Path("build", f"foreign-{processor}").resolve()
    root = unpacked(folder, architecture, release)
    site, tools = package(folder, processor, root), folder / "tools"
    pure = ("--only-binary=:all:", "--platform", "any", "--python-version", "3.13")
    if not tools.is_dir():
        run(sys.executable, "-m", "pip", "install", "-q", "--target", tools, *pure, *TOOLS)
    emulated = (f"qemu-{processor}", "-cpu", QEMU_CPU[processor], "-L", root)
    python = (*emulated, root / "usr" / "bin" / "python3")
    path = f"{site}{os.pathsep}{tools}"
    both = (("", f"native {chosen}", NATIVE), ("1", "python python", ()))
    for forced, expected, more in both:
        env = {"PYTHONPATH": path, "RVH_FORCE_PYTHON": forced, "RVH_TEST_SIZE": "small"}
        said = run(
            *(*python, "-c", "import rvh, rvh.cpu; print(rvh.backend(), rvh.cpu.active())"), **env
        )
        assert said == f"{expected}\n", f"on {processor} rvh chooses {said}, not {expected}"
        tests = arguments or (*TESTS, *more, *CHOICE)
        command = (*python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
        subprocess.run(command, check=True, env=os.environ | env)


if __name__ == "__main__":
    main(*sys.argv[1:])
