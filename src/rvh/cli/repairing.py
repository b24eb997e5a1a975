"""The rows of a placement after nodes died: which nodes each has now, and what to copy."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from rvh._batch.replicas import find_absent
from rvh.cli.keyspec import refuse_missing
from rvh.errors import RVHError, show
from rvh.faultset import FaultSet
from rvh.keys import column as key_column_of

if TYPE_CHECKING:
    from rvh._tables.base import Batch, Reader
    from rvh.cli.keyspec import KeySpec


class Repaired(NamedTuple):
    """The rows of a batch that had a dead node, and the copies that they need.

    Parameters
    ----------
    rows : ndarray of int, shape (R,)
        Their numbers in the batch.
    nodes : ndarray of int, shape (R, k)
        The positions of their nodes.
    copied : ndarray of int, shape (C,)
        The row in the batch of each copy.
    copies : ndarray of int, shape (C, 2)
        The positions of its source, or the number of nodes where there is none, and of its target.
    """

    rows: NDArray[np.intp]
    nodes: NDArray[np.intp]
    copied: NDArray[np.intp]
    copies: NDArray[np.intp]


class Repairs:
    """The repair of rows, a batch at a time, and what it counts.

    Parameters
    ----------
    faults : FaultSet
        Of the living nodes.
    dead : iterable of str
        The dead nodes that are known.
    columns : list of str
        The columns of nodes.
    keeps_misplaced : bool
        Whether misplaced rows are only counted.
    arguments : dict
        Those of every call: spread, max_per_domain, threads.
    """

    def __init__(
        self,
        faults: FaultSet,
        dead: Sequence[str],
        columns: list[str],
        keeps_misplaced: bool,
        arguments: dict[str, Any],
    ) -> None:
        self.ids: list[str] = list(faults.nodes.ids)
        self._faults, self._columns, self._arguments = faults, columns, arguments
        self._keeps_misplaced = keeps_misplaced
        self._living = pa.array(self.ids, pa.string())
        self._known = pa.array([*self.ids, *dead], pa.string())
        self.done = 0
        #: how many rows had a dead node, had no other node, and are misplaced; how many copies
        self.repaired = self.lost = self.misplaced = self.copies = 0
        #: how many rows have neither a key nor nodes
        self.keyless = 0
        #: how many rows have each node that is not in the list
        self.unknown: Counter[str] = Counter()

    def have_nodes(self, batch: Batch, spec: KeySpec) -> NDArray[np.bool_]:
        """The rows to repair: all but those that `assign` kept without a key and without nodes."""
        missing = np.ones(len(batch), np.bool_)
        for name in self._columns:
            missing &= batch.nulls(name, empty=True)
        if missing.any():
            missing &= spec.nulls(batch)
        self.keyless += int(missing.sum())
        return ~missing

    def batch(self, batch: Batch, keys: Any) -> Repaired:
        """Repair the rows of a batch.

        Raises
        ------
        RVHError
            No node, or one twice, in a row; rows that are misplaced.
        """
        k, count = len(self._columns), len(self.ids)
        texts = [_ids(batch, name) for name in self._columns]
        self._refuse_repeated(batch, texts)
        self._count_unknown(batch, texts)
        current = np.stack([_positions(text, self._living) for text in texts], axis=1)
        column = key_column_of(keys)
        chosen = self._faults.argselect_batch(column, k, **self._arguments).nodes
        lives = current >= 0
        others: NDArray[np.bool_] = lives & find_absent(current, chosen, count)
        self._check_placed(batch, others)
        rows = np.flatnonzero(~lives.all(axis=1))
        current, lives = current[rows], lives[rows]
        repair = self._faults.argrepair(column.take(rows), current, k, **self._arguments)
        # The first node is the best that had the key. Where none that had it may stay, any of them.
        any_living = current[np.arange(len(rows)), lives.argmax(axis=1)]
        sources = np.where(repair.added[:, 0], any_living, repair.nodes[:, 0])
        sources[~lives.any(axis=1)] = count
        copied, places = np.nonzero(repair.added)
        copies = np.stack([sources[copied], repair.nodes[copied, places]], axis=1)
        self.repaired += len(rows)
        self.lost += int((~lives.any(axis=1)).sum())
        self.copies += len(copies)
        return Repaired(rows, repair.nodes, rows[copied], copies)

    def written(self, batch: Batch, repaired: Repaired) -> Batch:
        """The batch with the nodes that its rows have now."""
        for name, nodes in zip(self._columns, repaired.nodes.T, strict=True):
            batch = batch.replaced(name, repaired.rows, [self.ids[n] for n in nodes.tolist()])
        return batch

    def _refuse_repeated(self, batch: Batch, texts: list[Any]) -> None:
        for at, text in enumerate(texts):
            for other in range(at):
                row = pc.index(pc.equal(text, texts[other]), True).as_py()
                if row >= 0:
                    raise RVHError(
                        f"{batch.source}: {batch.where(row)}: node {show(text[row].as_py())} is in "
                        f"column {show(self._columns[other])} and in column "
                        f"{show(self._columns[at])}: a key has each of its nodes once"
                    )

    def _count_unknown(self, batch: Batch, texts: list[Any]) -> None:
        unknown = [text.filter(pc.invert(pc.is_in(text, value_set=self._known))) for text in texts]
        if self.done == 0 and sum(map(len, unknown)) == len(texts) * len(batch) > 0:
            raise RVHError(
                f"{batch.source}: {batch.where(0)}, column {show(self._columns[0])}: node "
                f"{show(texts[0][0].as_py())} is not in the list of nodes, and neither is any "
                f"other node of the first {len(batch):,} rows: give all nodes of the placement, "
                "including the living ones"
            )
        for text in unknown:
            for each in pc.value_counts(text).to_pylist():
                self.unknown[each["values"]] += each["counts"]

    def _check_placed(self, batch: Batch, others: NDArray[np.bool_]) -> None:
        misplaced = others.any(axis=1)
        count = int(misplaced.sum())
        self.misplaced += count
        if count == 0 or self._keeps_misplaced:
            return
        row = int(misplaced.argmax())
        raise RVHError(
            f"{batch.source}: {count:,} of the first {self.done + len(batch):,} rows, the first of "
            f"them {batch.where(row)}, are misplaced: they have a living node that these options "
            "do not choose. Give the nodes, key columns and key types, --scheme, --weight-column, "
            "--secret-file and --spread of the placement; if nodes were added or returned since "
            "then, --misplaced keep leaves such nodes where they are"
        )


def node_columns(prefix: str, reader: Reader) -> list[str]:
    """The columns of nodes: the one of that name, NAME_1 to NAME_k, or those with commas between.

    Raises
    ------
    RVHError
        None of them, or some that could mean two things.
    """
    names = reader.names
    if names is None:
        return [prefix]
    numbers = {
        int(match[1])
        for name in names
        if (match := re.fullmatch(re.escape(prefix) + "_([1-9][0-9]{0,8})", name))
    }
    if prefix in names and numbers:
        raise RVHError(
            f"{reader.name} has a column {show(prefix)} and a column "
            f"{show(f'{prefix}_{min(numbers)}')}: name the columns of nodes with --column, "
            "separated by commas"
        )
    if prefix in names or "," in prefix:
        columns = [prefix] if prefix in names else prefix.split(",")
        for name in columns:
            if columns.count(name) > 1:
                raise RVHError(f"--column {prefix} names {show(name)} twice: name it once")
    else:
        columns = [f"{prefix}_{number}" for number in sorted(numbers)] or [prefix]
        if numbers and max(numbers) > len(numbers):
            missing = min({*range(1, max(numbers))} - numbers)
            raise RVHError(
                f"{reader.name} has a column {show(columns[-1])}, but none called "
                f"{show(f'{prefix}_{missing}')}: name the columns of nodes with --column, "
                "separated by commas"
            )
    refuse_missing(columns, reader)
    return columns


def _ids(batch: Batch, name: str) -> Any:
    """The ids in a column of nodes as Arrow text."""
    values = batch.values(name)
    if not {*map(type, values)} <= {str} or "" in values:
        values = [_id(batch, name, row, value) for row, value in enumerate(values)]
    return pa.array(values, pa.string())


def _id(batch: Batch, name: str, row: int, value: Any) -> str:
    if isinstance(value, bytes):
        with contextlib.suppress(UnicodeDecodeError):
            value = value.decode()
    if isinstance(value, str) and value:
        return value
    where = f"{batch.source}: {batch.where(row)}, column {show(name)}"
    if value is None or value == "":
        raise RVHError(
            f"{where}: there is no node: every row with a key needs one in each of these columns"
        )
    raise RVHError(
        f"{where}: {show(value)} of type {type(value).__name__} is not a node id, which is text: "
        "name the columns of nodes with --column"
    )


def _positions(texts: Any, among: Any) -> NDArray[np.intp]:
    """The position of each text among others; -1 where it is not there."""
    found = pc.fill_null(pc.index_in(texts, value_set=among), -1)
    positions: NDArray[np.intp] = found.to_numpy(zero_copy_only=False).astype(np.intp)
    return positions
