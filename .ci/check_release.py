"""Check that a tag, the changelog, the documents and what was built are of one version.

python .ci/check_release.py v0.2.0            # before the tag is made
python .ci/check_release.py v0.2.0 dist/*     # and the files of the release
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import datetime
from itertools import product
from pathlib import Path

from packaging.tags import Tag
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

#: where documents and manifests name a version: rvh==0.2.0, rvh:0.2.0, rvh@v0.2.0
NAMED = re.compile(r"\brvh(?:==|:|@v)(\d+\.\d+\.\d+\w*)")


def in_changelog(version: str) -> Iterator[str]:
    parts = re.split(r"(?m)^## (.*)\n", Path("CHANGELOG.md").read_text("utf-8"))
    texts = dict(zip(parts[1::2], parts[2::2], strict=True))
    first, newest, *_ = [*texts, "", ""]
    if first != "Unreleased":
        first, newest = "", first
        yield "CHANGELOG.md: the first heading must be '## Unreleased'"
    if texts.get(first, "").strip():
        yield f"CHANGELOG.md: 'Unreleased' must be empty: move its lines under {version}"
    try:
        datetime.strptime(newest, f"{version} (%Y-%m-%d)")
    except ValueError:
        yield f"CHANGELOG.md: the newest release must be headed '## {version} (YEAR-MONTH-DAY)'"


def in_documents(version: str) -> Iterator[str]:
    for path in (Path("README.md"), *sorted(Path("docs").rglob("*.md")), *Path("deploy").iterdir()):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            for named in NAMED.findall(line):
                if named != version:
                    yield f"{path}:{number}: names rvh {named}, not {version}"


def wanted() -> set[tuple[str, str]]:
    """Every Python and platform that a release has a wheel for."""
    settings = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["cibuildwheel"]
    pythons = [each.removesuffix("-*") for each in settings["build"]]
    systems = {"manylinux": "linux", "musllinux": "linux", "macosx": "macos", "win": "windows"}
    return {
        (python, f"{system}_{arch.lower()}")
        for system, table in systems.items()
        for python, arch in product(pythons, settings[table]["archs"])
    } | {("py3", "any")}


def in_files(version: str, paths: list[Path]) -> Iterator[str]:
    found, sources = set(), 0
    for path in paths:
        tags: frozenset[Tag] = frozenset()
        try:
            if path.suffix == ".whl":
                project, given, _, tags = parse_wheel_filename(path.name)
            else:
                project, given = parse_sdist_filename(path.name)
        except (InvalidSdistFilename, InvalidWheelFilename):
            project = None
        if project != "rvh":
            yield f"{path}: is no wheel and no source archive of rvh"
            continue
        # manylinux_2_17_x86_64 is for manylinux_x86_64
        found |= {(t.interpreter, re.sub(r"(?<=x)_\d+_\d+(?=_)", "", t.platform)) for t in tags}
        sources += path.suffix != ".whl"
        if str(given) != version:
            yield f"{path}: is of rvh {given}, not {version}"
    if sources != 1:
        yield f"{sources} source archives were given: there must be one"
    for python, platform in sorted(wanted() - found):
        yield f"no wheel for {python} on {platform}"


def faults(tag: str, paths: list[Path]) -> Iterator[str]:
    version = tag.removeprefix("v")
    try:
        canonical = str(Version(version))
    except InvalidVersion:
        canonical = ""
    if version in (tag, "") or canonical != version or version.count(".") != 2:
        yield f"the tag {tag!r} must be a version such as v0.2.0 or v0.2.0rc1"
        return
    yield from in_changelog(version)
    yield from in_documents(version)
    if paths:
        yield from in_files(version, paths)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("which tag? python .ci/check_release.py v0.2.0 [FILE ...]")
    wrong = list(faults(sys.argv[1], [Path(each) for each in sys.argv[2:]]))
    sys.exit("\n".join(wrong) or 0)
