"""STATE of ``rvh migrate``: the file of a coordinator, with the options of both placements in it.

The coordinator keeps what is under "about" and gives it no meaning. Relative paths in it are
relative to the folder of STATE, so that both can be moved together.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from rvh.cli.groups import gathered, parameters
from rvh.cli.nodes import paths, source_urls
from rvh.cli.pairs import Pair, PairOptions
from rvh.errors import RVHError, show

if TYPE_CHECKING:
    from rvh.migration import Coordinator

#: what wrote the "about" of a state
PROGRAM = "rvh migrate"
#: options that name files of nodes by @, and those that name one file
LISTS = {"nodes": "--nodes", "to": "--to", "dead": "--dead", "remove": "--remove", "add": "--add"}
FILES = ("secret_file", "to_secret_file")
#: a method of a coordinator in its errors; but for moves, a command has its name
METHOD = re.compile(r"(?:call )?(?:set_)?(workers|join|moves|leftovers|purged|progress)\((\d?)\)")
#: options that change no placement
OTHERS = ("threads",)


class Opened(NamedTuple):
    """A migration that was read from STATE."""

    coordinator: Coordinator
    pair: Pair

    @property
    def ids(self) -> list[str]:
        """The nodes of both placements, each once."""
        return [*dict.fromkeys([*self.pair.old.ids, *self.pair.new.ids])]


def begin(path: str, options: PairOptions, steps: int) -> Opened:
    """Make STATE, which must not be there.

    Raises
    ------
    typer.BadParameter, RVHError
        As `PairOptions.pair`; nodes that cannot be read a second time.
    """
    _refuse_no_file(path)
    for name, option in LISTS.items():
        _refuse_read_once(flat(options)[name], option)
    pair = options.pair()
    from rvh.migration import Coordinator

    about = {
        "program": PROGRAM,
        "old": pair.old.fingerprint,
        "new": pair.new.fingerprint,
        "options": written(options, os.path.dirname(os.path.abspath(path))),
    }
    with alone(path):
        if os.path.exists(path):
            raise RVHError(f"{path} exists already: continue with it, or name another file")
        coordinator = Coordinator(pair.migration(), steps, path, about=about)
    return Opened(coordinator, pair)


@contextmanager
def changing(path: str) -> Iterator[Opened]:
    """Read STATE to change it, and keep other commands waiting meanwhile."""
    _refuse_no_file(path)
    with alone(path), in_words(path):
        yield read(path)


def read(path: str) -> Opened:
    """Read STATE and its nodes.

    Raises
    ------
    RVHError
        No STATE or a damaged one; nodes that are no longer those that it was planned for.
    """
    _refuse_no_file(path)
    from rvh.migration import Coordinator
    from rvh.migration.statefile import read_state

    if not os.path.exists(path):
        raise RVHError(f"{path} does not exist: rvh migrate plan creates it")
    about = read_state(Path(path)).get("about")
    if not isinstance(about, dict) or about.get("program") != PROGRAM:
        raise RVHError(
            f"{path} belongs to a migration that a program began: only that program knows the "
            "placements"
        )
    pair = _options(about, os.path.dirname(os.path.abspath(path)), path).pair()
    for role, made in (("old", pair.old), ("new", pair.new)):
        if made.fingerprint != about.get(role):
            raise RVHError(
                f"the nodes of the {role} placement are no longer those that {path} was planned "
                f"for (fingerprint {about.get(role)}, now {made.fingerprint}): put their files "
                "back as they were; for a node that died, use rvh migrate lose"
            )
    try:
        coordinator = Coordinator.resume(pair.migration(), path)
    except RVHError as error:
        raise type(error)(str(error) if path in str(error) else f"{path}: {error}") from None
    return Opened(coordinator, pair)


@contextmanager
def in_words(path: str) -> Iterator[None]:
    """Let errors of a coordinator name commands where they name its methods."""
    try:
        yield
    except RVHError as error:

        def command(found: re.Match[str]) -> str:
            name = found[1].replace("moves", "keys")
            return f"rvh migrate {name} {path} {found[2]}".strip()

        text = METHOD.sub(command, str(error))
        raise type(error)(text.replace("with []", "with --none")) from None


def written(options: PairOptions, folder: str) -> dict[str, Any]:
    """Return the options that are not their defaults, with paths relative to a folder."""
    said: dict[str, Any] = {}
    given = flat(options)
    for each in parameters(PairOptions):
        value = given[each.name]
        if value == each.default or each.name in OTHERS:
            continue
        value = _moved(each.name, value, os.curdir, folder)
        said[each.name] = value.value if isinstance(value, Enum) else value
    return said


def _options(about: Mapping[str, Any], folder: str, path: str) -> PairOptions:
    """Return the options that `written` has written."""
    try:
        said = dict(about["options"])
        known = {each.name: each.default for each in parameters(PairOptions)}
        for each in parameters(PairOptions):
            if each.name in said:
                value = _moved(each.name, said.pop(each.name), folder, os.curdir)
                known[each.name] = _of_kind(each.annotation, value)
        if said:
            raise ValueError(f"nothing is called {', '.join(said)}")
        made: PairOptions = gathered(PairOptions, known)
    except (KeyError, TypeError, ValueError) as error:
        raise RVHError(f"{path} is damaged: its options cannot be read ({error})") from None
    return made


def flat(group: Any) -> dict[str, Any]:
    """Return the options of a group by their names."""
    found: dict[str, Any] = {}
    for each in fields(group):
        value = getattr(group, each.name)
        found |= flat(value) if is_dataclass(value) else {each.name: value}
    return found


def _of_kind(annotation: Any, value: Any) -> Any:
    """Return the member of an enumeration for its value, where an option takes one."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, Enum):
            return kind(value)
        if get_args(kind) and kind is not annotation:
            value = _of_kind(kind, value)
    return value


def _moved(name: str, value: Any, start: str, end: str) -> Any:
    """Return an option whose relative paths are not relative to `start` any more, but to `end`."""
    if name in FILES:
        return _moved_path(value, start, end)
    if name not in LISTS:
        return value
    if not all(isinstance(text, str) for text in value):
        raise TypeError(f"{name} is {show(value)}")
    return [
        f"@{_moved_path(text[1:], start, end)}" if text.startswith("@") else text for text in value
    ]


def _moved_path(path: str, start: str, end: str) -> str:
    if os.path.isabs(path):
        return path
    try:
        return os.path.relpath(os.path.join(start, path), end)
    except ValueError:  # another drive of Windows
        return os.path.abspath(os.path.join(start, path))


def _refuse_read_once(texts: list[str], option: str) -> None:
    """Refuse nodes that every later command could not read again as they are."""
    for url in source_urls(texts, option).values():
        raise RVHError(
            f"{option} {url} is a source, whose nodes come and go, and a migration needs those "
            f"that it was planned for: write them into a file with rvh nodes {url}"
        )
    for path in paths(texts, option):
        if path == "-" or (not os.path.isfile(path) and os.path.exists(path)):
            raise RVHError(
                f"{option} @{path} can be read only once, and every later command reads the "
                "nodes again: write them into a file"
            )


def _refuse_no_file(path: str) -> None:
    if path in ("", "-"):
        raise RVHError(f"STATE is {show(path)}: name a file")
    if os.path.isdir(path):
        raise RVHError(f"{path} is a directory: name a file in it")


@contextmanager
def alone(path: str) -> Iterator[None]:
    """Wait for other commands on files in this folder, and keep them waiting."""
    try:
        import fcntl
    except (
        ImportError
    ):  # Windows: folders have no locks there, and STATE tells a change that is lost
        yield
        return
    folder = os.path.dirname(os.path.abspath(path))
    try:
        number = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise RVHError(f"{path}: there is no folder {folder} ({error.strerror})") from None
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)
