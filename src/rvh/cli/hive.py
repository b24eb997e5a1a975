"""The columns that folders named ``NAME=VALUE`` say, as Hive and the engines write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import PurePath
from typing import Annotated

import typer

from rvh._tables.partnames import from_hive_name
from rvh.cli.finding import Found
from rvh.errors import RVHError

Pairs = list[tuple[str, str | None]]
Values = dict[str, str | int | None]

WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")


class Hive(StrEnum):
    """The fate of the columns that folders say."""

    KEEP = "keep"
    DROP = "drop"


HiveColumns = Annotated[
    Hive | None,
    typer.Option(
        metavar="|".join(Hive),
        help="Columns from folders named NAME=VALUE. keep: all folders in the paths of KEYS; drop: "
        "none. [default: the folders below a folder or pattern in KEYS]",
    ),
]


def folder_columns(
    found: Sequence[Found], hive: Hive | None, untyped: bool
) -> tuple[list[Values], dict[str, type]]:
    """The columns that the folders ``NAME=VALUE`` of each file say, and their types.

    A column whose values all are whole numbers is of integers, any other of text.

    Parameters
    ----------
    found : sequence of Found
    hive : Hive, optional
        By default the folders below those that the command line names.
    untyped : bool
        Whether all is text in their format.

    Raises
    ------
    typer.BadParameter
        A `hive` that changes nothing.
    RVHError
        Files of which only some are in such folders, a name that is there twice.
    """
    whole = [_pairs(PurePath(each.path).parts[:-1]) for each in found]
    if hive is not None and not any(whole):
        raise typer.BadParameter("no folder of KEYS is named NAME=VALUE", param_hint="--hive")
    if hive is Hive.DROP:
        return [{} for _ in found], {}
    if hive is None:
        _refuse_doubtful(found, whole)
        whole = [_pairs(each.below) for each in found]
    columns = [_columns(each.path, pairs) for each, pairs in zip(found, whole, strict=True)]
    _refuse_other_folders(found, columns)
    types: dict[str, type] = dict.fromkeys(columns[0], str)
    for name in [] if untyped else types:
        texts = [str(each[name]) for each in columns if each[name] is not None]
        if texts and all(map(WHOLE_NUMBER.fullmatch, texts)):
            types[name] = int
            for each in columns:
                value = each[name]
                each[name] = None if value is None else int(value)
    return columns, types


def _pairs(folders: Sequence[str]) -> Pairs:
    """The names and values of the folders ``NAME=VALUE``."""
    return [pair for folder in folders if (pair := from_hive_name(folder)) is not None]


def _columns(path: str, pairs: Pairs) -> Values:
    columns: Values = {}
    for name, value in pairs:
        if name in columns:
            raise RVHError(f"{path}: two folders are named {name}=")
        columns[name] = value
    return columns


def _refuse_doubtful(found: Sequence[Found], whole: Sequence[Pairs]) -> None:
    """Refuse files named one by one whose folders differ: are those columns meant?

    The shell makes such a list of a pattern without quotes.
    """
    named = [(each, pairs) for each, pairs in zip(found, whole, strict=True) if each.named]
    for each, pairs in named:
        if pairs != named[0][1]:
            raise RVHError(
                f"{named[0][0].path} and {each.path} are in folders NAME=VALUE that differ: give "
                "--hive keep to have them as columns, or --hive drop"
            )


def _refuse_other_folders(found: Sequence[Found], columns: Sequence[Values]) -> None:
    for each, its in zip(found, columns, strict=True):
        if list(its) != list(columns[0]):
            here, there = ("/".join(f"{name}=" for name in some) for some in (its, columns[0]))
            raise RVHError(
                f"{each.path} is in folders {here or 'without NAME=VALUE'}, but {found[0].path} in "
                f"{there or 'folders without NAME=VALUE'}: all files need the same columns"
            )
