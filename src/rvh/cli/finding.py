"""The files that KEYS name: files, folders of them, patterns in quotes."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import NoReturn

from rvh._tables.descriptors import descriptor
from rvh._tables.partnames import HIDDEN
from rvh.errors import RVHError

#: what is in the folder of a table whose files are not all part of it, and whose table that is
LOGS = {"_delta_log": "a Delta", ".hoodie": "a Hudi"}


@dataclass(frozen=True)
class Found:
    """A file of KEYS.

    Parameters
    ----------
    path : str
        ``-`` is stdin.
    named : bool
        Whether the command line has its very name.
    below : sequence of str
        The folders between what the command line names and the file.
    """

    path: str
    named: bool = True
    below: Sequence[str] = field(default_factory=tuple)


def find(arguments: Iterable[str]) -> list[Found]:
    """Find the files that the arguments name, in their order; those of one by the bytes of paths.

    That is the order of Polars and pyarrow, and that of ``LC_ALL=C ls`` in one folder.

    Raises
    ------
    RVHError
        One of several that is not there, a pattern or a folder without files, a pattern that is
        also the name of a file, a folder that is a table with a log of its own, or is there twice.
    """
    given = list(arguments)
    return [found for argument in given for found in _find(argument, len(given) == 1)]


def _find(argument: str, alone: bool) -> Iterable[Found]:
    if not argument:
        raise RVHError("the name of a file of KEYS is empty: name a file, or - for stdin")
    if argument == "-" or descriptor(argument) is not None:
        return [Found(argument)]
    if glob.has_magic(argument):
        matches = _matches(argument)
        if not os.path.lexists(argument):
            if not matches:
                raise RVHError(f"no file matches the pattern {argument}")
            fixed = 0
            while not glob.has_magic(PurePath(argument).parts[fixed]):
                fixed += 1
            for folder in _sorted({os.path.dirname(path) for path in matches}):
                _refuse_tables(folder, fixed)
            return [_found(path, fixed) for path in _sorted(_spread(matches))]
        if others := [path for path in matches if path != argument]:
            raise RVHError(
                f"{argument} is the name of a file, and a pattern that also matches {others[0]}: "
                f"write {glob.escape(argument)} for that file alone, and name the other files too"
            )
    if os.path.isdir(argument):
        count = len(PurePath(argument).parts)
        return [_found(path, count) for path in _sorted(_files(argument))]
    if not (alone or os.path.lexists(argument)):
        raise RVHError(
            f"{argument}: No such file or directory; each word that is not the value of an option "
            "is one of KEYS"
        )
    return [Found(argument)]


def _found(path: str, count: int) -> Found:
    return Found(path, False, PurePath(path).parts[count:-1])


def _sorted(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=os.fsencode)


def _matches(pattern: str) -> list[str]:
    """The paths that a pattern matches, as a shell finds them.

    ``**`` goes into folders as `_files` does, and matches files alone.
    """
    found = glob.glob(pattern, recursive=True)
    parts = PurePath(pattern).parts
    if "**" not in parts:
        return found
    fixed = parts.index("**")

    def is_meant(path: str) -> bool:
        below = PurePath(path).parts[fixed:]
        hidden = [part for part in below[:-1] if _is_hidden(part) and part not in parts]
        if parts[-1] == "**":
            hidden += filter(_is_hidden, below[-1:])
        return not hidden and not os.path.isdir(path)

    return list(dict.fromkeys(filter(is_meant, found)))


def _spread(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        if os.path.isdir(path):
            yield from _files(path)
        else:
            yield path


def _files(folder: str) -> list[str]:
    """All files below a folder, without those that engines pass over: ``_SUCCESS``, ``.x.crc``."""
    found = []
    seen: dict[tuple[int, int], str] = {}
    for here, folders, names in os.walk(folder, followlinks=True, onerror=_raise):
        about = os.stat(here)
        place = (about.st_dev, about.st_ino)
        if place in seen and about.st_ino:
            raise RVHError(
                f"{seen[place]} and {here} are the same folder, which would be read twice"
            )
        seen[place] = here
        _refuse_table(here)
        folders[:] = [each for each in folders if not _is_hidden(each)]
        for name in names:
            if not _is_hidden(name):
                path = os.path.join(here, name)
                if not stat.S_ISREG(os.stat(path).st_mode):
                    raise RVHError(
                        f"{path} is not a file, and everything in a folder of KEYS must be one"
                    )
                found.append(path)
    if not found:
        raise RVHError(f"there is no file in the folder {folder}")
    return found


def _is_hidden(name: str) -> bool:
    return HIDDEN.match(name) is not None


def _raise(error: OSError) -> NoReturn:
    raise error


def _refuse_tables(folder: str, count: int) -> None:
    """`_refuse_table` for a folder, and those above it down from `count` parts of its path."""
    path = PurePath(folder)
    for each in (path, *path.parents):
        if len(each.parts) >= count:
            _refuse_table(str(each))


def _refuse_table(folder: str) -> None:
    """Refuse a table that has a log: files of rows that were deleted may still be in its folder."""
    kinds = [kind for name, kind in LOGS.items() if os.path.isdir(os.path.join(folder, name))]
    if glob.glob(os.path.join(glob.escape(folder), "metadata", "*.metadata.json")):
        kinds.append("an Iceberg")
    if kinds:
        raise RVHError(
            f"{folder} is {kinds[0]} table, whose folder may have files that no longer belong to "
            "it: name the files that its library lists"
        )
