"""The command line: ``rvh select``, ``rvh assign``, ``rvh nodes`` and others.

Importing this package loads nothing from outside the standard library; `main` loads Typer, and
the commands load pyarrow and rich when they have work for them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from rvh.cli.exits import ExitStatus, guard, leave

__all__ = ["main", "script"]


def script() -> NoReturn:
    """The program `rvh`: `main`, and the end of the process."""
    from rvh._tables.pandas_import import leave_out_pandas
    from rvh.cli.stdio import settle

    settle()
    leave_out_pandas()
    leave(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments without the program's name; ``sys.argv[1:]`` by default.

    Returns
    -------
    int
        An `rvh.cli.exits.ExitStatus`.

    Examples
    --------
    >>> from rvh.cli import main
    >>> main(["select", "-n", "node1,node2,node3", "-k", "obj", "-c", "2"])
    ['node1', 'node2']
    0
    """

    def run() -> None:
        from rvh.cli.app import run as parse_and_run

        parse_and_run(list(sys.argv[1:] if argv is None else argv))

    try:
        guard(run)
    except SystemExit as stop:
        return int(stop.code) if isinstance(stop.code, int) else int(ExitStatus.OK)
    return int(ExitStatus.OK)
