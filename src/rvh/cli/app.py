"""The Typer application and its commands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from rvh._about import __version__
from rvh.cli.exits import emit, guarded, say, tell
from rvh.cli.groups import ungrouped
from rvh.errors import show

#: the commands, in the order of the help: the module of each, and the function in it. A run imports
#: and builds those alone that it may mean; all of them take as long again.
COMMANDS = {
    "select": ("select", "select"),
    "assign": ("assign", "assign"),
    "plan": ("plan", "plan"),
    "repair": ("repair", "repair"),
    "split": ("split", "split"),
    "verify": ("verify", "verify"),
    "migrate plan": ("migrate", "plan"),
    "migrate status": ("migrate", "status"),
    "migrate view": ("migrate", "view"),
    "migrate workers": ("migrate", "workers"),
    "migrate join": ("migrate", "join"),
    "migrate leave": ("migrate", "leave"),
    "migrate acknowledge": ("migrate", "acknowledge"),
    "migrate advance": ("migrate", "advance"),
    "migrate keys": ("migratekeys", "keys"),
    "migrate finish": ("migrate", "finish"),
    "migrate verify": ("migrateverify", "verify"),
    "migrate progress": ("migrate", "progress"),
    "migrate lose": ("migrate", "lose"),
    "migrate rollback": ("migrate", "rollback"),
    "migrate leftovers": ("migratekeys", "leftovers"),
    "migrate purged": ("migrate", "purged"),
    "nodes": ("listing", "nodes"),
    "nodes publish": ("publish", "publish"),
    "watch": ("watch", "watch"),
    "serve": ("serve", "serve"),
    "bench": ("bench", "bench"),
    "info": ("info", "info"),
}

#: the error about a command line: Click's, or that of the copy of Click in Typer
UsageError: type[Any] = typer.BadParameter.__mro__[1]


#: Click would take an error of stdout for its own to handle
print_text = guarded(emit)


def _show_help(ctx: Any, option: Any, is_given: bool) -> None:
    if is_given and not ctx.resilient_parsing:
        print_text(ctx.get_help())
        raise typer.Exit


class _Helping:
    """A help that is printed as data are: an error where stdout is full or closed."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, which has the whole of each text."""
        from rvh.cli.help import command_help, group_help

        commands = getattr(self, "commands", None)
        formatter.write(
            command_help(ctx, self, formatter.width)
            if commands is None
            else group_help(commands, formatter.width)
        )

    def get_help_option(self, ctx: Any) -> Any:
        """Return the option ``--help``."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        option.callback = _show_help
        return option


class Command(_Helping, TyperCommand):
    """A command that refuses what a parser reads in one way and a person may mean in another.

    Click itself keeps the last value of an option that is given twice and says nothing.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, once no option is given twice and none can be read in two ways."""
        self._refuse_doubtful(ctx, args)
        *_, given = self.make_parser(ctx).parse_args(args=list(args))
        if not any(param.is_eager for param in given):  # --help is shown in any case
            for param in given:
                one = param.param_type_name == "option" and not param.multiple
                if one and given.count(param) > 1:
                    raise UsageError(
                        f"{' / '.join(param.opts)} is given {given.count(param)} times: give it "
                        "once",
                        ctx,
                    )
        return super().parse_args(ctx, args)

    def _refuse_doubtful(self, ctx: Any, args: list[str]) -> None:
        """Refuse ``-n=a,b``, whose value is ``=a,b`` here, and ``-k --json``, where it is --json.

        In other programs the first is ``a,b``, and the second is a value that is missing.
        """
        options = {
            name: each
            for each in self.get_params(ctx)
            if each.param_type_name == "option"
            for name in each.opts
        }
        rest = iter(args)
        for arg in rest:
            if arg == "--":
                return
            name, attached = _option_with_value(arg, options)
            if name is None:
                continue
            if attached.startswith("="):
                raise UsageError(
                    f"{arg} could mean the value {attached[1:]} or {attached}: write {name} "
                    f"{attached[1:]} or {name} {attached}",
                    ctx,
                )
            if not attached and (value := next(rest, "")) in options:
                from rvh.cli.help import long_name

                raise UsageError(
                    f"{name} {value} has an option where the value of {name} should be: write "
                    f"{long_name(options[name])}={value} if that is the value",
                    ctx,
                )


class Group(_Helping, TyperGroup):
    """The commands, some of which have a name of two words: the longer name is the one meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Parse; the shell of the options about completion may be missing."""
        if args[-1:] in (["--install-completion"], ["--show-completion"]):
            args = [*args, ""]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command, and leave its own arguments."""
        if (name := " ".join(args[:2])) in self.commands:
            args = [name, *args[2:]]
        elif args[0] not in self.commands and any(
            each.startswith(f"{args[0]} ") for each in self.commands
        ):
            if args[1:] not in ([], ["--help"], ["-h"]):
                raise UsageError(f"No such command: {args[0]} {args[1]}", ctx)
            _show_help(ctx, None, is_given=True)
        return super().resolve_command(ctx, args)


def _option_with_value(arg: str, options: dict[str, Any]) -> tuple[str | None, str]:
    """The option in `arg` whose value is the rest of it or the next argument, and that rest.

    None for an option without a value, and for ``--name=value``, which has but one reading.
    """
    names = [arg] if arg.startswith("--") else [f"-{letter}" for letter in arg[1:]]
    for at, name in enumerate(names if arg.startswith("-") else ()):
        if name not in options:
            break
        if not getattr(options[name], "is_flag", False):
            return name, "" if arg.startswith("--") else arg[at + 2 :]
    return None, ""


def _show_completion(shell: str | None) -> None:
    if shell is not None:
        from rvh.cli.completion import script, shell_of

        guarded(lambda: emit(script(shell_of(shell), command())))()
        raise typer.Exit


def _install_completion(shell: str | None) -> None:
    if shell is not None:
        from rvh.cli.completion import install, shell_of

        guarded(lambda: install(shell_of(shell), command()))()
        raise typer.Exit


def _show_version(is_given: bool) -> None:
    if is_given:
        print_text(f"rvh {__version__}")
        raise typer.Exit


def rvh(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", is_eager=True, callback=_show_version
        ),
    ] = False,
    install_completion: Annotated[
        str | None, typer.Option(metavar="[SHELL]", is_eager=True, callback=_install_completion)
    ] = None,
    show_completion: Annotated[
        str | None, typer.Option(metavar="[SHELL]", is_eager=True, callback=_show_completion)
    ] = None,
) -> None:
    """Rendezvous hashing: which nodes does a key belong to?"""


def application(args: Sequence[str] = ()) -> typer.Typer:
    """The application with the commands that `args` may mean: all, where they name none."""
    made = typer.Typer(
        name="rvh",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        cls=Group,
        rich_markup_mode=None,  # rich takes longer to import than most commands take to run
        context_settings={"help_option_names": ["-h", "--help"]},
        callback=rvh,
    )
    meant = [name for name in COMMANDS if name.split()[0] == "".join(args[:1])]
    for name in meant or COMMANDS:
        module, function = COMMANDS[name]
        run_it = getattr(import_module(f"rvh.cli.{module}"), function)
        made.command(name, cls=Command)(guarded(ungrouped(run_it)))
    return made


def run(args: list[str]) -> None:
    """Parse and run; an error about the command line is one line too, and exit status 2."""
    try:
        status = command(args)(args=args, prog_name="rvh", standalone_mode=False)
    except UsageError as error:
        context = error.ctx
        if type(error).__name__ == "NoArgsIsHelpError":
            tell(context.get_help())
        else:
            more = f"; see {context.command_path} --help" if context is not None else ""
            say(_with_value(error) + more)
        raise SystemExit(error.exit_code) from None
    if status:
        raise SystemExit(status)


#: what is wrong with a value, by the name that pydantic has for it
WRONG = {
    "int_parsing": "is not a whole number",
    "int_parsing_size": "is too large",
    "int_from_float": "is not a whole number",
    "float_parsing": "is not a number",
    "bool_parsing": "is neither true nor false",
    "greater_than": "is not above {gt}",
    "greater_than_equal": "is below {ge}",
    "less_than": "is not below {lt}",
    "less_than_equal": "is above {le}",
}


def _with_value(error: Any) -> str:
    """The message of an error about the command line, in the words of this program.

    Newer versions of Typer read values by pydantic, whose words are about "input" that they do
    not show.

    Examples
    --------
    >>> _with_value(UsageError("No such option: --key."))
    'No such option: --key'
    """
    message: str = error.format_message().rstrip(".")
    details: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    if details and details[0]["type"] == "value_error":  # a choice, whose words have the value
        message = message.replace(": Value error, ", ": ")
    elif details:
        wrong = WRONG.get(details[0]["type"], "cannot be read")
        value = show(details[0].get("input"))
        message = message.removesuffix(str(error.message).rstrip("."))
        message += f"{value} {wrong.format(**details[0].get('ctx', {}))}"
    # Click puts the names of an option in quotes where it finds them itself, and only there.
    return re.sub(r"(?<= for )'-.*?'(?=:)", lambda names: names[0].replace("'", ""), message)


def command(args: Sequence[str] = ()) -> Any:
    """The application as the command object that parses and runs (Typer's own, or Click's)."""
    return typer.main.get_command(application(args))
