"""The text of ``--help``: options in sections, commands in groups, and nothing cut off.

Typer's own help shortens what is too long for its line, and has one list of options for all.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: the groups of commands, in the order of the help; "migrate" and "nodes" have some of their own
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "": {
        "One key": ("select",),
        "Files": ("assign", "split", "verify", "repair"),
        "Nodes": ("nodes", "watch"),
        "Migration": ("plan", "migrate"),
        "Service": ("serve",),
        "About": ("bench", "info"),
    },
    "migrate": {
        "Phases": ("plan", "status", "advance", "progress", "rollback"),
        "Workers": ("workers", "join", "leave", "acknowledge", "view"),
        "Keys": ("keys", "finish", "verify", "lose", "leftovers", "purged"),
    },
    "nodes": {"Commands": ("publish",)},
}
#: what is said of commands that only have commands of their own
ABOUT = {
    "": "Rendezvous hashing: which nodes does a key belong to?",
    "migrate": "Move keys from an old to a new placement in steps.",
}
EXAMPLES = {
    "": (
        "rvh select --nodes node1,node2,node3 --key obj -c 2",
        "seq 3 | rvh assign - --format lines -n node1,node2,node3 -o -",
        "rvh plan --sample 100000 -n node1,node2,node3 --add node4",
    ),
    "migrate": ("rvh migrate plan state.json -n node1,node2,node3 --add node4",),
}
#: the options of rvh itself, and those of them that take a shell
COMPLETION = ("--install-completion", "--show-completion")
OWN = ("--help", "--version", *COMPLETION)
#: the sections of options: each option is in one, by its first name, where needed with its metavar
SECTIONS = {
    "Keys": (
        *("--key", "--key-column", "--key-type", "--null-keys", "--hive", "--at", "--key-geohash"),
        *("--sample", "--total", "--size", "--size-column", "--step", "--generation"),
        "--checksum-column",
    ),
    "Nodes": (
        *("--nodes", "--k", "--node-column", "--node-format", "--no-node-header"),
        *("--weight-column", "--where", "--dead", "--misplaced", "--none", "--zone-column"),
    ),
    "Placement": (
        *("--scheme", "--secret-file", "--algorithm", "--partitions", "--spread"),
        *("--max-per-domain", "--strict", "--node-geohash", "--precision", "--load-factor"),
    ),
    "Placements of other systems": (
        *("--integers", "--hash", "--hash-tag", "--types", "--routing-shards", "--replication"),
    ),
    "New placement": (
        *("--add", "--remove", "--set-weight", "--to LIST|@FILE|URL", "--to-count"),
        *("--to-weight-column", "--to-scheme", "--to-secret-file", "--to-algorithm"),
        *("--to-partitions", "--to-spread", "--to-max-per-domain", "--to-integers", "--to-hash"),
        *("--to-hash-tag", "--to-types", "--to-routing-shards", "--to-replication"),
    ),
    "Weights": ("--weigh", "--exponent", "--bounds", "--smooth", "--state"),
    "Source": (*("--timeout", "--min-nodes", "--max-change", "--accept", "--follow", "--every"),),
    "Address": ("--host", "--port", "--processes", "--drain"),
    "Access": ("--tls-cert", "--tls-key", "--tls-client-ca", "--token-file", "--plaintext"),
    "Limits": ("--max-keys", "--max-message", "--max-calls", "--max-streams", "--max-seconds"),
    "Monitoring": ("--http-port", "--http-host", "--max-age", "--access-log"),
    "Format of the input": ("--format", "--delimiter", "--no-header", "--quote", "--encoding"),
    "Measuring": ("--only", "--rounds", "--list", "--compare", "--fail-over"),
    "Output": (
        *("--out", "--to TARGET", "--copies", "--moves", "--html", "--plot", "--column"),
        *("--layout", "--rank-column", "--append", "--steps", "--bandwidth", "--scores"),
        *("--output-format", "--copies-format", "--compression", "--level", "--count", "--json"),
        "--quiet",
    ),
    "Other": (
        *("--threads", "--cache", "--cache-policy", "--async", "--quick", "--version"),
        *("--install-completion", "--show-completion", "--help"),
    ),
}
#: the widest column of names
NAMES = 29


def command_help(ctx: Any, command: Any, width: int) -> str:
    """The help of a command: usage, one sentence, examples, the rest, arguments, options."""
    sentence, *parts = command.help.split("\n\n")
    parts = [part.removeprefix("\b\n") for part in parts]
    parts.sort(key=lambda part: not part.startswith("Examples:"))
    lines = [*_usage(ctx, command, width), "", *_wrapped(sentence, width)]
    for part in parts:
        keeps = part.startswith("Examples:")
        lines += ["", *(part.splitlines() if keeps else _wrapped(part, width))]
    for each, other in ctx.parent.command.commands.items() if ctx.parent else ():
        if each.startswith(f"{ctx.info_name} "):
            lines += ["", "Commands:", *table([(each, _sentence(other.help))], width, len(each))]
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    sections = {"Arguments": arguments, **sections_of(command.get_params(ctx))}
    rows_of = {
        name: [(_names(each), _described(each)) for each in params]
        for name, params in sections.items()
    }
    names = min(NAMES, max(len(name) for rows in rows_of.values() for name, _ in rows))
    for name, rows in rows_of.items():
        if rows:
            lines += ["", f"{name}:", *table(rows, width, names)]
    return "\n".join(lines)


def group_help(commands: Mapping[str, Any], width: int) -> str:
    """The help of all commands, or of those that share a first word."""
    words = {name.split()[0] for name in commands}
    word = words.pop() if len(words) == 1 else ""
    name = f"rvh {word}".rstrip()
    about = {each.removeprefix(f"{word} "): one.help for each, one in commands.items()}
    lines = [
        *_wrapped(f"Usage: {name} COMMAND ... (help on one: {name} COMMAND --help)", width),
        *("", ABOUT[word], ""),
        *("Examples:", *(f"  {each}" for each in EXAMPLES[word])),
        "",
    ]
    groups = GROUPS[word]
    column = max(map(len, groups)) + 2
    widest = max(len(each) for names in groups.values() for each in names)
    for title, names in groups.items():
        rows = [(each, _sentence(about[each] if each in about else ABOUT[each])) for each in names]
        made = table(rows, width - column, widest)
        lines += [f"{title if not at else '':<{column}}{line[2:]}" for at, line in enumerate(made)]
    if not word:
        lines += ["", *_wrapped(f"Options: {', '.join(OWN)}", width)]
    return "\n".join(lines)


def sections_of(params: Iterable[Any]) -> dict[str, list[Any]]:
    """The options of a command by section, in the order of `SECTIONS`."""
    named = {}
    for each in params:
        if each.param_type_name == "option":
            named[each.opts[0]] = named[f"{each.opts[0]} {each.metavar}"] = each
    named["--help"] = named.get("--help", named.get("-h"))
    return {
        section: [named[name] for name in names if named.get(name) is not None]
        for section, names in SECTIONS.items()
    }


def table(rows: Sequence[tuple[str, str]], width: int, names: int = NAMES) -> list[str]:
    """Names and what is said of each; a long name has a line of its own."""
    lines = []
    for name, text in rows:
        said = _wrapped(text, max(20, width - names - 4)) or [""]
        if len(name) > names:
            lines += [*_wrapped(f"  {name}", width)]
            name = ""
        else:
            said, lines = said[1:], [*lines, f"  {name:<{names}}  {said[0]}".rstrip()]
        lines += [f"{'':<{names + 4}}{line}" for line in said]
    return lines


def _usage(ctx: Any, command: Any, width: int) -> list[str]:
    pieces = []
    for each in command.params:
        if each.param_type_name == "argument":
            pieces.append(_names(each))
        elif each.required:
            pieces.append(f"{long_name(each)} {each.metavar}")
    text = " ".join(["Usage:", ctx.command_path, *pieces, "[OPTIONS]"])
    return textwrap.wrap(text, width, subsequent_indent=" " * 7, break_on_hyphens=False)


def _names(param: Any) -> str:
    """The spellings of an option with its value, or the name of an argument."""
    if param.param_type_name == "argument":
        name = param.metavar.strip("[].")
        name += "..." * (param.nargs == -1)
        return name if param.required else f"[{name}]"
    spelled = ", ".join(sorted(param.opts, key=lambda each: each.startswith("--")))
    return spelled if param.is_flag else f"{spelled} {param.metavar}"


def _described(param: Any) -> str:
    """The help of a parameter, with its default where that says something."""
    text: str = param.help or ""
    if param.required and param.param_type_name == "option":
        return f"{text} [required]"
    default = param.default
    is_flag = param.param_type_name == "argument" or param.is_flag
    if is_flag or default in (None, "", []) or "[default:" in text:
        return text
    value = getattr(default, "value", default)
    return f"{text} [default: {f'{value:g}' if isinstance(value, float) else value}]"


def long_name(param: Any) -> str:
    """The spelling of an option with two hyphens, or its only one."""
    return next((str(each) for each in param.opts if each.startswith("--")), str(param.opts[0]))


def _sentence(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of a text; what has a hyphen, as an option has, is not broken there."""
    indent = " " * (len(text) - len(text.lstrip()))
    return textwrap.wrap(
        " ".join(text.split()), width, initial_indent=indent, break_on_hyphens=False
    )
