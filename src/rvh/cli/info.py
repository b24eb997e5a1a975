"""``rvh info``: this installation, and what it uses here."""

from __future__ import annotations

from typing import Annotated

import typer

import rvh
from rvh import cpu
from rvh._batch.threads import available_threads
from rvh.cli.exits import emit, emit_json


def info(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the version, backend, instruction sets and threads.

    \b
    Examples:
      rvh info
      rvh info --json
    """
    facts = {
        "version": rvh.__version__,
        "backend": rvh.backend(),
        "instruction_sets": list(cpu.available()),
        "instruction_set_in_use": cpu.active(),
        "threads": available_threads(),
    }
    if as_json:
        emit_json(facts)
        return
    for name, value in facts.items():
        text = (" ".join(value) or "none") if isinstance(value, list) else value
        emit(f"{name.replace('_', ' '):<23} {text}")
