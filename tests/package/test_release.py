"""`.ci/check_release.py` finds what keeps a release from being of one version."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHANGELOG = """\
# Changelog

## Unreleased

## 0.2.0 (2026-12-01)

- New.

## 0.1.0 (2026-11-01)
"""
PLATFORMS = (
    *("manylinux2014_x86_64.manylinux_2_17_x86_64", "manylinux_2_28_aarch64"),
    *("musllinux_1_2_x86_64", "musllinux_1_2_aarch64"),
    *("macosx_10_13_x86_64", "macosx_11_0_arm64", "win_amd64", "win_arm64"),
)
FILES = [
    "rvh-0.2.0.tar.gz",
    "rvh-0.2.0-py3-none-any.whl",
    *(
        f"rvh-0.2.0-{python}-{python}-{platform}.whl"
        for python in ("cp311", "cp312", "cp313", "cp314")
        for platform in PLATFORMS
    ),
]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """What the script reads, about to be released as 0.2.0."""
    for folder in ("docs", "deploy"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "README.md").write_text("pip install rvh==0.2.0\n")
    (tmp_path / "docs" / "page.md").write_text("@ git+https://example/rvh@v0.2.0\n")
    (tmp_path / "deploy" / "it.yaml").write_text("image: registry.example/rvh:0.2.0\n")
    return tmp_path


def said(folder: Path, *arguments: str) -> list[str]:
    command = [sys.executable, str(ROOT / ".ci" / "check_release.py"), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == bool(done.stderr)
    return done.stderr.splitlines()


def test_what_agrees_passes(repository: Path) -> None:
    assert said(repository, "v0.2.0") == []
    assert said(repository, "v0.2.0", *FILES) == []


@pytest.mark.parametrize("tag", ["0.2.0", "v0.2", "v0.2.0-rc1", "vnext", "v", "v0.2.0.dev1"])
def test_a_tag_that_is_no_version(tag: str, repository: Path) -> None:
    assert said(repository, tag) == [
        f"the tag {tag!r} must be a version such as v0.2.0 or v0.2.0rc1"
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("CHANGELOG.md", " (2026-12-01)", "", "CHANGELOG.md: the newest release must be headed"),
        ("CHANGELOG.md", "0.2.0", "0.2.1", "CHANGELOG.md: the newest release must be headed"),
        ("CHANGELOG.md", "12-01", "13-01", "CHANGELOG.md: the newest release must be headed"),
        (
            "CHANGELOG.md",
            "## Unr",
            "Unr",
            "CHANGELOG.md: the first heading must be '## Unreleased'",
        ),
        ("CHANGELOG.md", "d\n\n", "d\n\n- x\n\n", "CHANGELOG.md: 'Unreleased' must be empty"),
        ("README.md", "0.2.0", "0.1.0", "README.md:1: names rvh 0.1.0, not 0.2.0"),
        ("docs/page.md", "0.2.0", "0.2.0rc1", "docs/page.md:1: names rvh 0.2.0rc1, not"),
        ("deploy/it.yaml", "0.2.0", "0.1.0", "deploy/it.yaml:1: names rvh 0.1.0"),
    ],
)
def test_a_file_that_disagrees(file: str, old: str, new: str, fault: str, repository: Path) -> None:
    text = (repository / file).read_text()
    assert old in text
    (repository / file).write_text(text.replace(old, new, 1))
    (line,) = said(repository, "v0.2.0", *FILES)
    assert line.startswith(fault.replace("/", str(Path("/"))))


def test_files_that_are_missing_or_of_another_version(repository: Path) -> None:
    files = [f for f in FILES if "cp312-win_arm64" not in f and "none-any" not in f]
    files[0] = "rvh-0.2.1.dev3+g1234567.tar.gz"
    strange = ["rvh-0.2.0.txt", "other-0.2.0-py3-none-any.whl", "rvh.whl", "other-0.2.0.tar.gz"]
    assert said(repository, "v0.2.0", *files, "rvh-0.2.0.tar.gz", *strange) == [
        "rvh-0.2.1.dev3+g1234567.tar.gz: is of rvh 0.2.1.dev3+g1234567, not 0.2.0",
        *(f"{each}: is no wheel and no source archive of rvh" for each in strange),
        "2 source archives were given: there must be one",
        "no wheel for cp312 on win_arm64",
        "no wheel for py3 on any",
    ]
