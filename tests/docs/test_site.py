"""The site: its API reference has every public name, and a broken link is an error."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from folders import DOCS

pytest.importorskip("sphinx", reason="the site's packages are not installed: pip install '.[site]'")

from package.test_documentation import RULES
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

# Extensions use forms that Sphinx is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore:.*Sphinx")


def build(source: Path, folder: Path, *pages: str) -> tuple[Sphinx, str]:
    """Read and resolve pages with the site's settings, and give what was warned of."""
    warnings = io.StringIO()
    folders = (source, DOCS, folder / "out", folder / "doctrees")
    settings = {"include_patterns": list(pages)}
    with patch_docutils(), docutils_namespace():
        app = Sphinx(*folders, "dummy", settings, status=None, warning=warnings)
        app.build()
    return app, warnings.getvalue()


def test_the_api_reference_has_every_public_name(tmp_path: Path) -> None:
    app, _ = build(DOCS, tmp_path, "index.md", "reference/api/*")
    names = set(app.env.domains.python_domain.objects)
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
    _, warned = build(source, tmp_path, "**")
    (line,) = warned.splitlines()
    assert "absent" in line
