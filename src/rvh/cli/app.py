"""The Typer application: which commands there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from rvh._version import __version__
from rvh.cli.assign import assign
from rvh.cli.bench import bench
from rvh.cli.exits import guarded
from rvh.cli.info import info
from rvh.cli.select import select

#: the commands, in the order of the help
COMMANDS: tuple[Callable[..., None], ...] = (select, assign, bench, info)

app = typer.Typer(
    name="rvh",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich takes longer to import than most commands take to run
    context_settings={"help_option_names": ["-h", "--help"]},
)
for each in COMMANDS:
    app.command()(guarded(each))


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"rvh {__version__}")
        raise typer.Exit


@app.callback()
def rvh(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    """Rendezvous hashing: which nodes does a key belong to?

    The answer depends on the nodes' ids and the key alone: it is the same on every machine, and
    a node that comes or goes moves only the keys that are its own.
    """


def command() -> Any:
    """The application as the command object that parses and runs (Typer's own, or Click's)."""
    return typer.main.get_command(app)
