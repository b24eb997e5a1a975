"""The site: its API reference has every public name, and a broken link is an error."""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path

import pytest
from folders import DOCS

pytest.importorskip("sphinx", reason="the site's packages are not installed: pip install '.[site]'")

from package.test_documentation import RULES
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

# Extensions use forms that Sphinx is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore:.*Sphinx")


@pytest.mark.skipif("RVH_SITE" not in os.environ, reason="nox -s site builds the site, and sets it")
def test_the_api_reference_has_every_public_name() -> None:
    inventory = Path(os.environ["RVH_SITE"], "objects.inv").read_bytes()
    _, entries = inventory.split(b"compressed using zlib.\n")  # Sphinx's format, version 2
    names = {line.split(b" py:")[0].decode() for line in zlib.decompress(entries).splitlines()}
    # Those of migrations are public in both modules.
    names |= {name.replace("rvh.migration.", "rvh.ring.") for name in names}
    assert set(RULES) - names == set()


@pytest.mark.parametrize("target", ["absent.md", "other.md#absent", "../absent.md", "#absent"])
def test_a_broken_link_is_found(target: str, tmp_path: Path) -> None:
    source = tmp_path / "pages"
    source.mkdir()
    (source / "other.md").write_text("# Other\n", "utf-8")
    text = f"# One\n\n```{{toctree}}\nother\n```\n\n[sound](other.md#other) [broken]({target})\n"
    (source / "index.md").write_text(text, "utf-8")
    warned = io.StringIO()
    with patch_docutils(), docutils_namespace():
        folders = (source, DOCS, tmp_path / "out", tmp_path / "doctrees")
        settings = {"include_patterns": ["**"]}
        Sphinx(*folders, "dummy", settings, status=None, warning=warned).build()
    (line,) = warned.getvalue().splitlines()
    assert "absent" in line
