"""Completion in the shell: scripts for bash, zsh and fish that have all names in them.

Typer's own completion runs Python at each press of Tab, which imports NumPy with `rvh` and takes
half a second. These scripts are made once of the same commands and options, and run by themselves.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from rvh._about import __version__
from rvh._tables import FORMATS
from rvh._tables.levels import CODECS, LEVELS
from rvh.cli.exits import say
from rvh.cli.help import ABOUT, COMPLETION, GROUPS, OWN, long_name
from rvh.cli.options import Integers
from rvh.cli.systems import Algorithm
from rvh.errors import RVHError, show
from rvh.weighted import EXPONENTS


class Shell(StrEnum):
    """A shell that rvh has completion for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


class Value(NamedTuple):
    """What an option or an argument may be: some words, or the name of a file."""

    name: str
    words: tuple[str, ...] = ()
    is_file: bool = False


class Option(NamedTuple):
    """An option of a command; a flag has no value."""

    names: tuple[str, ...]
    help: str
    value: Value | None
    is_multiple: bool


class Command(NamedTuple):
    """A command by its whole name, as ``migrate plan``."""

    name: str
    help: str
    options: tuple[Option, ...]
    argument: Value | None


#: the values of options whose metavar does not list them
WORDS: dict[str, tuple[str, ...]] = {
    "--format": tuple(FORMATS),
    "--output-format": tuple(FORMATS),
    "--copies-format": tuple(FORMATS),
    "--node-format": tuple(FORMATS),
    "--compression": tuple(dict.fromkeys([*CODECS, *LEVELS, "none"])),
    "--algorithm": tuple(Algorithm),
    "--to-algorithm": tuple(Algorithm),
    "--integers": tuple(Integers),
    "--to-integers": tuple(Integers),
    "--weigh": tuple(EXPONENTS),
    "--smooth": tuple(EXPONENTS),
}
#: the metavars of files
FILES = {
    *("FILE", "FILE.svg", "OLD.csv", "OUT", "DIR", "MOVES", "COPIES", "TARGET", "STATE", "KEYS"),
    *("PLACED", "HELD", "SOURCE", "FROM"),
}


def commands(parser: Any) -> list[Command]:
    """All commands with their options, as `rvh.cli.app.command` has made them."""
    made = []
    for name, each in parser.commands.items():
        of_kind = {
            kind: [param for param in each.params if param.param_type_name == kind]
            for kind in ("option", "argument")
        }
        options = [
            Option(
                tuple(param.opts),
                _short(param.help),
                None if param.is_flag else _value(param.metavar, long_name(param)),
                param.multiple,
            )
            for param in of_kind["option"]
        ]
        options.append(Option(("-h", "--help"), "Show this message and exit", None, False))
        arguments = [_value(param.metavar.strip("[].")) for param in of_kind["argument"]]
        made.append(Command(name, _short(each.help), tuple(options), next(iter(arguments), None)))
    return made


def _value(metavar: str, option: str = "") -> Value:
    words = WORDS.get(option, ())
    if "|" in metavar and metavar.islower():
        words = tuple(metavar.split("|"))
    return Value(metavar, words, metavar in FILES or "@FILE" in metavar)


def _short(text: str) -> str:
    """The first sentence of a help, or what is before its first list."""
    first = " ".join(text.partition("\n\n")[0].split())
    for end in (". ", "; ", ": ", ", such as"):
        first = first.partition(end)[0]
    return first.rstrip(".")


def first_words(made: list[Command]) -> dict[str, str]:
    """The first words of commands, in the order of the help, and what each is for."""
    about = {each.name: each.help for each in made}
    names = [name for group in GROUPS[""].values() for name in group]
    return {name: about.get(name) or ABOUT[name].rstrip(".") for name in names}


def script(shell: Shell, parser: Any) -> str:
    """The script of a shell, to be read by it."""
    lines = {Shell.BASH: _bash, Shell.ZSH: _zsh, Shell.FISH: _fish}[shell](commands(parser))
    return "\n".join(
        [
            *(["#compdef rvh"] if shell is Shell.ZSH else []),
            f"# Completion of rvh {__version__} for {shell}; printed by rvh --show-completion.",
            *lines,
        ]
    )


BASH = r"""
_rvh() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} start= options=
    local command=${COMP_WORDS[1]} argument=none words= at=
    COMPREPLY=()
    # bash may take --option=value for three words, or for one; so @file
    if [[ $word == [=@] || $word == =@ ]]; then
        at=${word#=} word=
    elif [[ $before == [=@] || $before == =@ ]]; then
        at=${before#=} before=${COMP_WORDS[COMP_CWORD-2]}
    elif [[ $word == @* ]]; then
        at=@ word=${word#@}
    elif [[ $word == --*=* ]]; then
        before=${word%%=*} start=${word%%=*}= word=${word#*=}
    fi
    if (( COMP_CWORD == 1 )); then
        COMPREPLY=($(compgen -W "FIRST" -- "$word"))
        return
    fi
    if (( COMP_CWORD > 2 )); then
        case "$command ${COMP_WORDS[2]}" in
            LONGER) command="$command ${COMP_WORDS[2]}" ;;
        esac
    fi
    case $command in
COMMANDS
    esac
    case $command:$before in
VALUES
        *)
            if [[ $word == -* && -z $start ]]; then
                words=$options
            elif (( COMP_CWORD == 2 )); then
                case $command in
SECOND
                esac
            fi
            ;;
    esac
    if [[ $words ]]; then
        COMPREPLY=($(compgen -P "$start" -W "$words" -- "$word"))
    elif [[ $argument == file && $at ]]; then # where bash would look for a host
        while IFS= read -r at; do
            [[ -d $at ]] && at+=/ && compopt -o nospace 2>/dev/null
            printf -v at %q "$at"
            COMPREPLY+=("@$at")
        done < <(compgen -f -- "${word//\\/}")
    elif [[ $argument == none ]]; then
        compopt +o default 2>/dev/null
    fi
}
complete -o default -F _rvh rvh
"""


def _bash(made: list[Command]) -> list[str]:
    options, values = [], []
    seconds = dict(_second_words())
    for each in made:
        names = " ".join(name for one in each.options for name in one.names)
        argument = "file" if each.argument is not None and each.argument.is_file else "none"
        name = shlex.quote(each.name)
        options.append(f"        {name}) options='{names}' argument={argument} ;;")
    for name in seconds.keys() - {each.name for each in made}:
        options.append(f"        {name}) options='-h --help' ;;")
    # An option has one meaning nearly everywhere: those of a command alone come first.
    common: dict[str, str] = {}
    for each in made:
        for one in each.options:
            if one.value is None:
                continue
            does = _bash_value(one.value)
            for name in one.names:
                if common.setdefault(name, does) != does:
                    values.append(f"        {shlex.quote(f'{each.name}:{name}')}) {does} ;;")
    by_value: dict[str, list[str]] = {}
    for name, does in common.items():
        by_value.setdefault(does, []).append(f"*:{name}")
    values += [f"        {' | '.join(names)}) {does} ;;" for does, names in by_value.items()]
    text = BASH
    seconds |= {name: [*Shell] for name in COMPLETION}
    for placeholder, lines in (
        ("FIRST", [" ".join([*first_words(made), *OWN])]),
        ("LONGER", [" | ".join(shlex.quote(each.name) for each in made if " " in each.name)]),
        ("COMMANDS", options),
        ("VALUES", values),
        (
            "SECOND",
            [f"                    {a}) words='{' '.join(b)}' ;;" for a, b in seconds.items()],
        ),
    ):
        text = text.replace(placeholder, "\n".join(lines))
    return text.strip().splitlines()


def _bash_value(value: Value) -> str:
    if value.words:
        return f"words='{' '.join(value.words)}'"
    return f"argument={'file' if value.is_file else 'none'}"


def _second_words() -> Iterator[tuple[str, list[str]]]:
    """The first words of commands of two words, and the second ones."""
    for word, groups in GROUPS.items():
        if word:
            yield word, [name for names in groups.values() for name in names]


def _zsh(made: list[Command]) -> list[str]:
    about = {each.name: each.help for each in made}
    lines = ["_rvh() {", "    local command=$words[2]", "    if (( CURRENT == 2 )); then"]
    lines += ["        local -a commands=("]
    lines += [
        f"            {shlex.quote(f'{name}:{_colons(text)}')}"
        for name, text in first_words(made).items()
    ]
    lines += ["        )"]
    lines += [f"        [[ $PREFIX == -* ]] && {{ compadd -- {' '.join(OWN)}; return }}"]
    lines += ["        _describe -t commands command commands", "        return", "    fi"]
    for word, names in _second_words():
        described = " ".join(
            shlex.quote(f"{name}:{_colons(about[f'{word} {name}'])}") for name in names
        )
        lines += [
            f"    if [[ $command == {word} ]] && (( CURRENT == 3 )) && [[ $PREFIX != -* ]]; then"
        ]
        lines += [f"        local -a commands=({described})"]
        lines += ["        _describe -t commands command commands"]
        lines += ["        _files"] * (word in about) + ["        return", "    fi"]
        lines += [f"    if [[ $command == {word} && $words[3] == ({'|'.join(names)}) ]]; then"]
        lines += ['        command="$command $words[3]"', "        shift words; (( CURRENT-- ))"]
        lines += ["    fi"]
    lines += ["    shift words; (( CURRENT-- ))", "    case $command in"]
    lines += [f"        {'|'.join(COMPLETION)}) compadd -- {' '.join(Shell)} ;;"]
    for each in made:
        lines.append(f"        {shlex.quote(each.name)})")
        specs = [_zsh_option(one) for one in each.options]
        if each.argument is not None:
            specs.append(shlex.quote(f"*{_zsh_value(each.argument)}"))
        lines += ["            _arguments -s -S \\"]
        lines += [f"                {spec} \\" for spec in specs[:-1]]
        lines += [f"                {specs[-1]}", "            ;;"]
    lines += ["    esac", "}"]
    # Sourced from .zshrc, perhaps before compinit; or found by it in a folder of fpath.
    lines += ["if [[ $funcstack[1] == _rvh ]]; then", '    _rvh "$@"', "else"]
    lines += ["    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }"]
    lines += ["    compdef _rvh rvh", "fi"]
    return lines


def _zsh_option(option: Option) -> str:
    text = option.help.replace("[", "\\[").replace("]", "\\]")
    value = "" if option.value is None else _zsh_value(option.value)
    spec = shlex.quote(f"[{text}]{value}")
    names = [
        name if option.value is None else f"{name}=" if name.startswith("--") else f"{name}+"
        for name in option.names
    ]
    spelled = names[0] if len(names) == 1 else f"{{{','.join(names)}}}"
    excluded = "*" if option.is_multiple else f"({' '.join(option.names)})"
    return f"{shlex.quote(excluded)}{spelled}{spec}"


def _zsh_value(value: Value) -> str:
    action = " "
    if value.words:
        action = f"({' '.join(value.words)})"
    elif value.is_file:
        action = "{ compset -P @; _files }" if "@" in value.name else "_files"
    return f":{_colons(value.name)}:{action}"


def _colons(text: str) -> str:
    return text.replace(":", "\\:")


FISH = r"""
function __rvh_is
    set -l words (commandline -opc) '' ''
    set -l longer LONGER
    if contains -- "$words[2] $words[3]" $longer
        test "$words[2] $words[3]" = "$argv"
    else
        test "$words[2]" = "$argv"
    end
end
function __rvh_has
    test (count (commandline -opc)) -eq $argv[1]
    and begin; test (count $argv) -eq 1; or __rvh_is $argv[2]; end
end
function __rvh_at
    set -l word (commandline -ct | string unescape | string replace -r '^--?[a-z-]+=?@' '@')
    string match -q -- '@*' $word
    and __fish_complete_path (string sub -s 2 -- $word) | string replace -r '^' '@'
end
complete -c rvh -f
"""


def _fish(made: list[Command]) -> list[str]:
    about = {each.name: each.help for each in made}
    longer = " ".join(shlex.quote(each.name) for each in made if " " in each.name)
    lines = FISH.strip().replace("LONGER", longer).splitlines()
    for name, text in first_words(made).items():
        lines.append(f"complete -c rvh -n '__rvh_has 1' -a {name} -d {_fish_text(text)}")
    lines += [f"complete -c rvh -n '__rvh_has 1' -l {name[2:]}" for name in OWN]
    lines += [
        f"complete -c rvh -n '__rvh_has 2 {name}' -a '{' '.join(Shell)}'" for name in COMPLETION
    ]
    for word, names in _second_words():
        for name in names:
            text = _fish_text(about[f"{word} {name}"])
            lines.append(f"complete -c rvh -n '__rvh_has 2 {word}' -a {name} -d {text}")
    for each in made:
        start = f"complete -c rvh -n \"__rvh_is '{each.name}'\""
        if each.argument is not None and each.argument.is_file:
            lines.append(f"{start} -F")
        for option in each.options:
            spelled = " ".join(
                f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
                for name in option.names
            )
            value = "" if option.value is None else f" {_fish_value(option.value)}"
            lines.append(f"{start} {spelled}{value} -d {_fish_text(option.help)}")
    return lines


def _fish_value(value: Value) -> str:
    if value.words:
        return f"-x -a '{' '.join(value.words)}'"
    if "@" in value.name:
        return "-x -a '(__rvh_at)'"
    return "-r -F" if value.is_file else "-x"


def _fish_text(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{quoted}'"


def shell_of(text: str) -> Shell:
    """The shell of a name, or where that is empty the shell that has started rvh.

    Raises
    ------
    RVHError
        Another shell, or none that can be told.
    """
    names = ", ".join(Shell)
    if not text:
        shellingham = import_module("shellingham")  # which has no types; Typer needs it
        try:
            text = shellingham.detect_shell()[0]
        except shellingham.ShellDetectionFailure:
            raise RVHError(f"no shell started rvh: name one of {names}") from None
    if text not in tuple(Shell):
        raise RVHError(f"there is no completion for the shell {show(text)}: name one of {names}")
    return Shell(text)


def install(shell: Shell, parser: Any) -> None:
    """Write the script where new shells of the user find it, and say what has changed."""
    try:
        home = Path.home()
    except RuntimeError:  # a number alone, as in a container
        raise RVHError(
            "this user has no home directory: set HOME, or keep what rvh --show-completion prints"
        ) from None
    data = _base("XDG_DATA_HOME", home / ".local/share")
    path = data / f"rvh/completion.{shell}"
    settings: Path | None = None
    if shell is Shell.FISH:
        config = _base("XDG_CONFIG_HOME", home / ".config")
        path = config / "fish/completions/rvh.fish"
    elif shell is Shell.ZSH:
        settings = _base("ZDOTDIR", home) / ".zshrc"
    else:
        settings = home / ".bashrc"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script(shell, parser) + "\n", encoding="utf-8")
    say(f"wrote {path}")
    undo = f"delete {path}"
    if settings is not None:
        quoted = shlex.quote(str(path))
        line = f"[ -f {quoted} ] && . {quoted}  # completion of rvh"
        undo += f", and from {settings} the line that ends in # completion of rvh"
        # Bytes: the file may be in any encoding.
        before = settings.read_bytes() if settings.exists() else b""
        if os.fsencode(line) not in before.splitlines():
            with settings.open("ab") as file:
                file.write(b"\n" * (before[-1:] not in (b"", b"\n")) + os.fsencode(f"{line}\n"))
            say(f"added to {settings}: {line}")
    say(f"new shells complete rvh. After an upgrade, run this again. To undo it, {undo}")


def _base(name: str, default: Path) -> Path:
    """The folder that a variable names; a relative one counts as unset, as XDG has it."""
    path = Path(os.environ.get(name, ""))
    return path if path.is_absolute() else default
