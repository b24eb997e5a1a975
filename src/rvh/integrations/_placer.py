"""Placements as engines use them: any of them with its options, asked for columns of keys."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from rvh import _pickles
from rvh._arguments.numbers import whole_number
from rvh._placing import (
    Keys,
    Placement,
    accepts,
    as_placement,
    ids_of,
    is_from_rvh,
    is_placement,
    positions,
)
from rvh.cache import SelectionCache
from rvh.errors import RVHError, RVHTypeError, show
from rvh.keys import open_keys_with_objects, open_present_rows
from rvh.migration import Migration
from rvh.multi import compose_keys, compose_parts
from rvh.nodes import NodeSet, as_node_set

if TYPE_CHECKING:
    from rvh.ring import RingFace
    from rvh.typing import NodeIds, Scheme, Secret, Weights

#: what every engine takes as `nodes`
Nodes: TypeAlias = "Placement | RingFace | NodeIds"


class Options(TypedDict, total=False):
    """Options of a placement that every engine takes.

    ``weights``, ``scheme`` and ``secret`` belong to node ids: see `rvh.NodeSet`. ``spread``,
    ``max_per_domain`` and ``strict`` belong to a FaultSet: see `rvh.faultset.FaultSet`.
    """

    weights: Weights | None
    scheme: Scheme | None
    secret: Secret | None
    spread: str | Sequence[str] | None
    max_per_domain: int | Sequence[int]
    strict: bool


#: those that belong to ids
OF_IDS = ("weights", "scheme", "secret")
#: the name of the column of places beside those of keys
GEOHASH = "geohash"
#: what becomes of rows that have no node, where each node's rows are put together
NULL_KEYS = ("error", "keep", "drop")


class Places(NamedTuple):
    """The nodes of keys, as positions.

    Parameters
    ----------
    indices : ndarray of int32, shape (M, k)
        Positions in the placer's ids; 0 where there is no answer.
    valid : ndarray of bool, shape (M,), or None
        True where there is an answer; None: everywhere.
    """

    indices: NDArray[np.int32]
    valid: NDArray[np.bool_] | None


class Placer:
    """A placement and its options, checked before an engine has any rows.

    Parameters
    ----------
    nodes : node ids or a placement
    k : int
    options : mapping
        As in `Options`. An option that the placement does not have is an error.

    Raises
    ------
    RVHError, RVHTypeError
        What cannot be used, here and not at the first row of a query.
    """

    __slots__ = ("_options", "ids", "k", "needs_geohash", "placement")

    def __init__(self, nodes: Any, k: int, options: Options) -> None:
        given: dict[str, Any] = {n: value for n, value in options.items() if value is not None}
        for name in given.keys() - Options.__annotations__.keys():
            raise TypeError(
                f"there is no option {name}=: choose from {', '.join(Options.__annotations__)}"
            )
        of_ids = {name: given.pop(name) for name in OF_IDS if name in given}
        if isinstance(nodes, SelectionCache):
            nodes = nodes.nodes  # its set may be replaced, and its answers are those of the set
        if isinstance(nodes, Migration):
            raise RVHTypeError(
                "nodes is a Migration, whose nodes for a key depend on its progress: pass "
                "nodes.at(progress)"
            )
        if isinstance(nodes, NodeSet) or not _is_placement(nodes):
            self.placement = as_node_set(nodes, **of_ids)
        else:
            self.placement = as_placement(nodes, "nodes")
            given.update(of_ids)
        self._check_options(given)
        self._options = given
        self.needs_geohash = accepts(self.placement, "geohash")
        self.ids: NDArray[Any] = ids_of(self.placement, "nodes")
        self.k = self._check_k(k)

    def __reduce__(self) -> tuple[Any, ...]:
        # What is inside is unpickled after its format has been checked.
        inside = pickle.dumps((self.placement, self.k, self._options))
        return _unpickled, (_pickles.FORMAT, inside)

    # -- checks before there are keys -------------------------------------------------------------

    def _check_options(self, options: Mapping[str, Any]) -> None:
        for name in options:
            if not accepts(self.placement, name):
                raise RVHError(
                    f"{name}= was given with {self.name}, which has no such option: leave it out"
                    + ("" if name in OF_IDS else ", or pass a FaultSet")
                )

    def _check_k(self, k: Any) -> int:
        if isinstance(self.placement, NodeSet):
            return self.placement._ranking.check_k(k)
        k = whole_number("k", k, len(self.ids), f"{self.name} has {len(self.ids)} nodes")
        own = getattr(self.placement, "k", k)
        if own != k:
            raise RVHError(
                f"k is {k}, but {self.name} gives every key {own}: pass k={own}, or make "
                f"it with k={k}"
            )
        self.k = k
        # A call that shows what else is wrong.
        keys: list[str] = [] if is_from_rvh(self.placement) else ["any key"]
        with open_keys_with_objects(keys) as opened:
            self._positions({"key": opened}, ["s"] * len(keys), 1)
        return k

    def check_columns(self, count: int, geohash: object) -> None:
        """Refuse what shows before there are rows.

        That is: places that are missing or have no use, and keys of several columns for a
        placement that has no bytes for these.
        """
        if self.needs_geohash and geohash is None:
            raise RVHTypeError(
                f"{self.name} needs the place of each key: pass geohash=, the column of them"
            )
        if geohash is not None and not self.needs_geohash:
            raise RVHError(
                f"geohash= was given with {self.name}, which knows no places: leave it out, or "
                "pass a GeoSet"
            )
        if count > 1 and is_from_rvh(self.placement):
            self._positions({"key": (compose_keys([], []), list)}, [], 1)

    @property
    def name(self) -> str:
        """The placement, as messages call it."""
        return f"a {type(self.placement).__name__}"

    # -- answers ----------------------------------------------------------------------------------

    def places(
        self, keys: Mapping[str, Any], geohash: Any = None, threads: int | None = 1
    ) -> Places:
        """The nodes of keys, as positions; nothing where one of the columns is null.

        Parameters
        ----------
        keys : mapping of name to column
            Any kinds in `rvh.keys.KINDS`, of one length. Several are the parts of composite keys.
        geohash : column, optional
            The places of the keys, for a GeoSet.
        threads : int, optional
            One by default: most engines run a task on each core. None: as for
            `NodeSet.argselect_batch`.
        """
        if isinstance(self.placement, NodeSet) and len(keys) == 1:
            ((name, column),) = keys.items()
            try:
                answer = self.placement.select_arrow(column, self.k, threads=threads)
            except RVHError:
                with open_present_rows({f"column {show(name)}": column}):  # names the column
                    raise
            return Places(answer.indices, answer.valid)
        columns = {f"column {show(name)}": column for name, column in keys.items()}
        if self.needs_geohash:
            columns[GEOHASH] = geohash
        with open_present_rows(columns) as (opened, valid):
            named = dict(zip(columns, opened, strict=True))
            places = named.pop(GEOHASH)[0] if self.needs_geohash else None
            chosen = self._positions(named, places, threads)
        if valid is None:
            return Places(chosen.astype(np.int32), None)
        indices = np.zeros((len(valid), self.k), dtype=np.int32)
        indices[valid] = chosen
        return Places(indices, valid)

    def _positions(
        self, keys: Mapping[str, Keys], geohash: Any, threads: int | None
    ) -> NDArray[np.intp]:
        options = {**self._options, "geohash": geohash} if self.needs_geohash else self._options
        if len(keys) == 1:
            (one,) = keys.values()
            return positions(self.placement, "nodes", one, self.k, threads, **options)
        column = compose_parts([part.named(name) for name, (part, _) in keys.items()])
        both = column, lambda: column.slice(0, len(column))
        return positions(self.placement, "nodes", both, self.k, threads, **options)

    @property
    def names(self) -> list[str] | list[bytes]:
        """The ids as values of one type: str, or where one of them is bytes, all as bytes."""
        ids: list[Any] = self.ids.tolist()
        if all(isinstance(node, str) for node in ids):
            return ids
        return [node.encode() if isinstance(node, str) else node for node in ids]


def _is_placement(nodes: Any) -> bool:
    return is_placement(nodes) or hasattr(nodes, "_placement")  # that of a RingFace


def _unpickled(pickle_format: object, inside: bytes) -> Placer:
    _pickles.check_format("a placement", pickle_format)
    return Placer(*pickle.loads(inside))


def dumps(placer: Placer) -> bytes:
    """Pickle a placer for the workers of an engine."""
    try:
        return pickle.dumps(placer)
    except Exception as error:
        raise RVHTypeError(
            f"nodes is {placer.name}, which cannot go to the workers, because pickling it failed "
            f"({type(error).__name__}: {show(str(error), 200)}): give the class __reduce__, or "
            "pass a placement of rvh"
        ) from error


@lru_cache(maxsize=8)
def loads(pickled: bytes) -> Placer:
    """Unpickle a placer, once in each process: a thousand tasks bring the same few."""
    placer: Placer = pickle.loads(pickled)
    return placer
