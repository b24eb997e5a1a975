"""Build the source archive, and both wheels from it alone; look into them; test what they install.

What is built twice must be the same bytes: the source archive and the pure wheel, and with the
argument `twice` the compiled wheel too. The second time is another, in a clone in another folder,
with another umask. So the archive gives what the repository gives.
"""

import hashlib
import json
import os
import shlex
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
from pathlib import Path
from zipfile import ZipFile

SOURCE_ENDINGS = (".pyx", ".pxi", ".pxd", ".c", ".h", ".o", ".a", ".cmake", "CMakeLists.txt")
#: a git that finds no repository
NO_GIT = {"GIT_DIR": os.devnull}


def build(
    target: Path, source: Path = Path(), kind: str = "wheel", mask: int = 0o022, **environment: str
) -> Path:
    """What builds is what this environment has: .ci/dev.txt names it."""
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        f"--{kind}",
        "--outdir",
        str(target),
    ]
    env = os.environ | environment
    quiet = subprocess.DEVNULL
    subprocess.run([*command, str(source)], check=True, env=env, stdout=quiet, umask=mask)
    (made,) = target.iterdir()
    return made


def elsewhere(folder: Path) -> Path:
    """Another clone, in which files have other times and rights."""
    there = Path(folder, "another folder", "rvh")
    subprocess.run(["git", "clone", "--quiet", ".", str(there)], check=True, umask=0o077)
    return there


def same(one: Path, other: Path) -> None:
    digests = [hashlib.sha256(each.read_bytes()).hexdigest() for each in (one, other)]
    assert digests[0] == digests[1], f"{one.name} is not reproducible: {one} and {other} differ"
    print(f"{one.name}: the same bytes twice, sha256 {digests[0]}")


def names(wheel: Path) -> list[str]:
    found = ZipFile(wheel).namelist()
    left_over = [name for name in found if name.endswith(SOURCE_ENDINGS)]
    assert not left_over, f"{wheel.name} holds build leftovers: {left_over}"
    assert "rvh/py.typed" in found, f"{wheel.name} has no py.typed"
    assert {"rvh/observe/alerts.yml", "rvh/observe/grafana.json"} <= {*found}, wheel.name
    assert "rvh/rpc/alerts.yml" in found, wheel.name
    assert {f"rvh/report/report.{kind}" for kind in ("css", "html", "js")} <= {*found}, wheel.name
    # Generated code works with one major version of protobuf.
    assert not [name for name in found if "_pb2" in name], f"{wheel.name} holds generated code"
    wanted = {"rvh/rpc/service.binpb", "rvh/rpc/protos/rvh/v1/selection.proto"}
    assert wanted <= {*found}, f"{wheel.name} lacks the messages of the service"
    assert "rvh/_backend/_native.pyi" in found, f"{wheel.name} has no stub for the compiled module"
    assert any(name.endswith("licenses/LICENSE") for name in found), f"{wheel.name} has no licence"
    check_materials(wheel)
    return found


def check_materials(wheel: Path) -> None:
    """The bill of materials is there, and names the libraries that are linked in."""
    version = wheel.name.split("-")[1]
    path = f"rvh-{version}.dist-info/sboms/rvh.cdx.json"
    materials = json.loads(ZipFile(wheel).read(path))
    assert materials["bomFormat"] == "CycloneDX"
    whole, parts = materials["metadata"]["component"], materials["components"]
    assert whole["version"] == version, f"{path} is of rvh {whole['version']}"
    assert whole["purl"] == f"pkg:pypi/rvh@{version}"
    linked = {
        folder.name for folder in Path("src").iterdir() if (folder / "CMakeLists.txt").exists()
    }
    assert linked <= {part["name"] for part in parts}, f"{path} lacks some of {sorted(linked)}"
    for part in (whole, *parts):
        assert part["licenses"], f"{path}: {part['name']} has no licence"


def unpacked(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return source


def installed(wheel: Path, home: Path) -> dict[str, str]:
    """An environment's variables: it has the wheel, and around it all that this environment has."""
    venv.create(home, with_pip=False)
    (site,) = home.glob("lib/python*/site-packages")
    around = [each for each in sys.path if "site-packages" in each]
    (site / "around.pth").write_text("\n".join(around), "utf-8")
    pip = (sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"))
    # What is around may have rvh too, of the same version: pip would take it for this one.
    options = ("--quiet", "--no-deps", "--ignore-installed")
    subprocess.run([*pip, "install", *options, str(wheel)], check=True)
    env = os.environ | {"PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    command = ("python", "-W", "ignore", "-c", "import rvh; print(rvh.__file__)")
    found = subprocess.check_output(command, text=True, env=env, cwd=home)
    assert Path(found).is_relative_to(site), found
    return env


def version_of(source: Path) -> str:
    code = "from scikit_build_core.metadata import setuptools_scm as scm\n"
    command = (sys.executable, "-c", f"{code}print(scm.dynamic_metadata('version'))")
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=source)
    return done.stdout.strip()


def check_versions(clone: Path, folder: Path) -> None:
    """A version says what it is of: a tag, a commit after one, or neither."""

    def git(*arguments: str | Path) -> None:
        subprocess.run(["git", "-C", clone, *arguments], check=True)

    def archived(name: str) -> Path:
        git("archive", "--output", folder / f"{name}.tar", "HEAD")
        with tarfile.open(folder / f"{name}.tar") as tar:
            tar.extractall(folder / name, filter="data")
        return folder / name

    for tag in subprocess.check_output(["git", "-C", clone, "tag"], text=True).split():
        git("tag", "--delete", tag)
    assert "+unknown.g" in version_of(clone), version_of(clone)
    untagged = archived("untagged")
    assert version_of(untagged) == "0.0.0+unknown", version_of(untagged)
    (untagged / ".git_archival.txt").unlink()  # as where git did not make it
    assert version_of(untagged) == "0.0.0+unknown", version_of(untagged)
    git("tag", "v9.8.7")
    assert version_of(clone) == version_of(archived("tagged")) == "9.8.7", version_of(clone)
    one = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    git(*one, "commit", "--quiet", "--allow-empty", "--message=one more")
    for later in (clone, archived("later")):
        assert version_of(later).startswith("9.8.8.dev1+g"), version_of(later)


def try_tests(source: Path, env: dict[str, str]) -> None:
    """Run those that a release runs, without the repository."""
    settings = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))["tool"]["cibuildwheel"]
    command = shlex.split(settings["test-command"].replace("{project}", str(source)))
    env = env | settings["test-environment"] | NO_GIT
    subprocess.run([*command, "-p", "no:cacheprovider"], check=True, cwd=source, env=env)


with tempfile.TemporaryDirectory() as folder:
    archive = build(Path(folder, "sdist"), kind="sdist")
    source = unpacked(archive, Path(folder, "unpacked"))
    native = build(Path(folder, "native"), source, **NO_GIT)
    assert any("_native." in name and not name.endswith(".pyi") for name in names(native))
    pure = build(Path(folder, "pure"), source, RVH_PURE="1", CC="false", **NO_GIT)
    assert pure.name.endswith("-py3-none-any.whl"), pure.name
    assert not any(name.endswith((".so", ".pyd")) for name in names(pure))

    there = elsewhere(Path(folder))
    same(archive, build(Path(folder, "sdist again"), there, "sdist", 0o077))
    same(pure, build(Path(folder, "pure again"), there, mask=0o077, RVH_PURE="1", CC="false"))
    if "twice" in sys.argv:
        same(native, build(Path(folder, "native again"), there, mask=0o077))
    check_versions(there, Path(folder))

    try_tests(source, installed(native, Path(folder, "with native")))
    env = installed(pure, Path(folder, "with pure"))
    code = "import rvh; print(rvh.backend(), rvh.rendezvous_hash(['node1', 'node2'], 'obj', 2))"
    command = ["python", "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=env, cwd=folder)
    assert done.stdout == "python ['node1', 'node2']\n", done.stdout
    assert done.stderr.count("RuntimeWarning") == 1, done.stderr
    try_tests(source, env | {"RVH_FORCE_PYTHON": "1"})  # wanted, so there is no warning

print(f"{native.name}: no leftovers\n{pure.name}: works, with one warning")
