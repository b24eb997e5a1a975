"""Notebooks of examples/, run in a fresh kernel: `python tests/support/notebooks.py` keeps outputs.

Outputs are committed, so that they are seen where notebooks are shown and not run.
"""

from __future__ import annotations

import copy
import re
import sys
import tempfile
from typing import Any

import nbformat
from folders import ROOT
from nbclient import NotebookClient
from traitlets.config import Config

__all__ = ["EXAMPLES", "run", "shown"]

EXAMPLES = ROOT / "examples"


def run(notebook: Any) -> Any:
    """Return the notebook with the outputs of a run from the first cell to the last."""
    fresh = copy.deepcopy(notebook)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    options = {"timeout": 120, "kernel_name": "python3", "record_timing": False}
    with tempfile.TemporaryDirectory() as folder:  # of TCP the kernel warns; paths have to be short
        config = Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})
        NotebookClient(fresh, config=config, **options).execute()
    fresh.metadata = notebook.metadata  # which Python it was is not shown
    for cell in fresh.cells:
        for output in cell.get("outputs", []):
            if len(output.get("data", {})) > 1:  # the plain form is not shown
                del output.data["text/plain"]
    return fresh


def shown(cell: Any) -> list[str]:
    """Return what a cell puts out: text, the text of tables, and that there is a chart."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append(f"{output.name}: {output.text}")
        elif output.output_type == "error":
            found.append(f"{output.ename}: {output.evalue}")
        elif "image/png" in output.data:
            found.append("a chart")
        elif "text/html" in output.data:
            html = re.sub(r"<style.*?</style>", "", output.data["text/html"], flags=re.DOTALL)
            found.append(" ".join(re.sub(r"<[^>]*>", " ", html).split()))
        else:
            found.append(output.data["text/plain"])
    return found


if __name__ == "__main__":
    for path in sys.argv[1:] or sorted(EXAMPLES.glob("*.ipynb")):
        nbformat.write(run(nbformat.read(path, as_version=4)), path)
