"""The columns of a node file: that of the ids, and the others that are read."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from rvh._nodelist.doubts import is_id_name
from rvh.errors import RVHError, show


@dataclass(frozen=True)
class Columns:
    """The columns to read, and how a node file is read.

    Parameters
    ----------
    option : str
        The option that names the file, for messages.
    ids : str or None
        The column of the ids; by default the first.
    weight : str or None
        The column of the weights.
    others : dict of str to str
        The columns besides that of the ids, and for each the option that names it.
    format_name : str or None
        The format, a key of `rvh._tables.FORMATS`; by default the extension tells it.
    header : bool
        Whether CSV and TSV have a header.
    unused : list of str
        The files with a column `weight` that is not read, noted while reading.
    """

    option: str
    ids: str | None
    weight: str | None
    others: dict[str, str]
    format_name: str | None = None
    header: bool = True
    unused: list[str] = field(default_factory=list)

    def column_options(self) -> Iterator[str]:
        """The options given that need a file with columns."""
        if self.ids is not None:
            yield "--node-column"
        yield from self.others.values()
        if not self.header:
            yield "--no-node-header"

    def file_options(self) -> Iterator[str]:
        """The options given that need a file."""
        yield from self.column_options()
        if self.format_name is not None:
            yield "--node-format"


def id_column(
    source: str,
    columns: Columns,
    names: list[str],
    where: str = "",
    others: Iterable[str] | None = None,
) -> str:
    """Choose the column of the ids among `names`; `others` (all, by default) have to be there too.

    Raises
    ------
    RVHError
        A column that is missing or repeated, or a doubt which one has the ids; the message
        begins with `source` and `where`.
    """
    if columns.ids is None and not names:
        raise RVHError(f"{source}: {where}there is no column to take node ids from")
    ids = names[0] if columns.ids is None else columns.ids
    for name in (ids, *(columns.others if others is None else others)):
        if name not in names:
            raise no_column(source, name, names, where)
        if names.count(name) > 1:
            raise RVHError(f"{source}: {where}column {show(name)} appears more than once")
    if ids == columns.weight:
        raise RVHError(
            f"{source}: {where}column {show(ids)} holds the ids, so it cannot hold the weights: "
            "name the column of the ids with --node-column"
        )
    better = next((name for name in names[:50] if is_id_name(name)), ids)
    if columns.ids is None and better != ids and not is_id_name(ids):
        advice = (
            f"name the one you mean with --node-column {shlex.quote(better)}"
            if columns.option == "--nodes"
            else f"put {show(better)} first"
        )
        raise RVHError(
            f"{source}: {where}the ids could be in the first column, {show(ids)}, or in "
            f"{show(better)}: {advice}"
        )
    if columns.weight is None and "weight" in names and "weight" not in (ids, *columns.others):
        columns.unused.append(source)
    return ids


def no_column(source: str, name: str, names: Iterable[str], where: str = "") -> RVHError:
    """The error about a column that is not there, with those that are."""
    listed = ", ".join(islice(names, 50)) or "none"
    return RVHError(f"{source}: {where}there is no column {show(name)}; the columns are: {listed}")
