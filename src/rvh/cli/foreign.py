"""The placements of other systems, made of a node list and the row of `SYSTEMS`."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh._columns.values import is_whole
from rvh._nodelist.entries import NodeList
from rvh._runtime.slices import take
from rvh.cli.options import PlacementOptions
from rvh.cli.systems import SYSTEMS
from rvh.errors import RVHError, show

__all__ = ["foreign", "split_replication", "split_types"]

#: the slots of a Redis Cluster, and what a node file says of them
SLOTS = 16384
RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


class Foreign:
    """Another system's placement, with positions in the ids of the node list.

    Parameters
    ----------
    options : PlacementOptions
    nodes : NodeList
    mask : ndarray of bool, optional
        The nodes that may be chosen, for a ring; None for all.
    """

    def __init__(
        self, options: PlacementOptions, nodes: NodeList, mask: NDArray[np.bool_] | None
    ) -> None:
        method = options.method
        system = SYSTEMS[method.algorithm]
        arguments: dict[str, Any] = dict(system.options)
        if system.integers:
            self._integers = None if method.integers is None else method.integers.value
            arguments["integers"] = self._integers
        if method.hash is not None:
            arguments[system.hashes] = method.hash
        if method.hash_tag is not None:
            arguments[system.tag] = method.hash_tag
        if method.types is not None:
            types = split_types(method.types)
            arguments[system.types] = types[0] if len(types) == 1 else types
        if method.routing_shards is not None:
            arguments[system.shards] = method.routing_shards
        module, _, name = system.function.rpartition(".")
        make = getattr(import_module(module), name)
        given: list[Any] = [nodes.ids]
        if system.weights:
            given.append(nodes.weights)
        elif "tokens" in system.columns:
            given = [_tokens(nodes, "tokens")]
            if method.replication is None:
                arguments["replication"] = options.k
            else:
                arguments[system.replication] = split_replication(method.replication)
                arguments["datacenters"] = _names(nodes, "datacenter")
                arguments["racks"] = _names(nodes, "rack")
        elif system.columns:
            given = [_slot_table(nodes, *system.columns)]
        self.made = make(*given, **arguments)
        if mask is not None:
            self.made = self.made.without(nodes.subset(~mask).ids)
        self._k, self._threads = options.k, options.bulk.threads
        places = {node: place for place, node in enumerate(nodes.ids)}
        here = np.array([places[node] for node in self.made.ids.tolist()], dtype=np.intp)
        self._places = None if np.array_equal(here, np.arange(len(nodes.ids))) else here
        self._takes_integers = system.integers
        self.positions([])  # refuses a wrong k

    def positions(self, keys: Any) -> NDArray[np.intp]:
        """The positions of the nodes of keys, shape (M, k)."""
        found: NDArray[np.intp] = self.made.arglookup_batch(keys, self._k, threads=self._threads)
        return found if self._places is None else take(self._places, found)

    def check(self, key: Any) -> None:
        """Raise the error about one key, if it is none."""
        if self._takes_integers and self._integers is None and is_whole(key):
            from rvh.ring import INTEGERS

            choices = ", ".join(f"{name} ({what})" for name, what in INTEGERS.items())
            raise RVHError(
                f"the key is the integer {show(int(key))}, and nothing says how the system "
                f"writes integers: give --integers one of {choices}"
            )
        self.made.lookup(key)


def foreign(options: PlacementOptions, nodes: NodeList, mask: NDArray[np.bool_] | None) -> Foreign:
    """Make the placement of another system; errors name the options of the command line."""
    try:
        return Foreign(options, nodes, mask)
    except RVHError as error:
        text = re.sub(r"^(hash|hash_fn|hash_function) is ", "--hash is ", str(error))
        text = re.sub(r"^replication ", "--replication ", text)
        raise type(error)(re.sub(r"^tag is ", "--hash-tag is ", text)) from None


def _tokens(nodes: NodeList, column: str) -> dict[str, list[int]]:
    """Return the tokens of every node: whole numbers between blanks or commas."""
    found: dict[str, list[int]] = {}
    for node, value in zip(nodes.ids, nodes.attributes[column], strict=True):
        words = str("" if value is None else value).replace(",", " ").split()
        for word in words:
            if not re.fullmatch(r"-?\d{1,19}", word):
                raise RVHError(
                    f"column {column!r} of node {show(node)} has {show(word)}: give the node's "
                    "tokens, for example -3074457345618258603 3074457345618258602"
                )
        found[node] = list(map(int, words))
    return found


def _names(nodes: NodeList, column: str) -> list[str]:
    """Return the name of every node's datacenter or rack."""
    found = []
    for node, value in zip(nodes.ids, nodes.attributes[column], strict=True):
        if value is None or value == "":
            raise RVHError(
                f"column {column!r} of node {show(node)} is empty: give the name that nodetool "
                "status has"
            )
        found.append(str(value))
    return found


def split_replication(text: str) -> dict[str, int]:
    """Split the value of --replication.

    Examples
    --------
    >>> split_replication("dc1=3, dc2=2")
    {'dc1': 3, 'dc2': 2}
    """
    found: dict[str, int] = {}
    for each in text.split(","):
        pair = re.fullmatch(r"\s*(.*\S)\s*=\s*(\d{1,9})\s*", each, re.ASCII)
        if pair is None:
            raise RVHError(
                f"--replication has {show(each)}: give the replicas in each datacenter, for "
                "example dc1=3,dc2=2"
            )
        if pair[1] in found:
            raise RVHError(f"--replication has datacenter {show(pair[1])} twice: give it once")
        found[pair[1]] = int(pair[2])
    return found


def split_types(text: str) -> list[str]:
    """Split the value of --types.

    Examples
    --------
    >>> split_types("string, decimal(9,2),int")
    ['string', 'decimal(9,2)', 'int']
    """
    return [each.strip() for each in re.split(r",(?![^()]*\))", text)]


def _slot_table(nodes: NodeList, column: str) -> list[list[str]]:
    """Return the nodes of every slot: of the rows that list it, the first is the primary."""
    table: list[list[str]] = [[] for _ in range(SLOTS)]
    for node, value in zip(nodes.ids, nodes.attributes[column], strict=True):
        for part in str("" if value is None else value).replace(",", " ").split():
            found = RANGE.fullmatch(part)
            first = int(found[1]) if found else SLOTS
            last = int(found[2] or first) if found else SLOTS
            if not first <= last < SLOTS:
                raise RVHError(
                    f"column {column!r} of node {show(node)} has {show(part)}: give slots from 0 "
                    f"to {SLOTS - 1} and ranges of them, for example 0-5460 5462"
                )
            for slot in range(first, last + 1):
                table[slot].append(node)
    missing = [slot for slot, owners in enumerate(table) if not owners]
    if missing:
        raise RVHError(
            f"{len(missing)} of {SLOTS} slots are in no row of column {column!r}, the first of "
            f"them slot {missing[0]}: give each to a node"
        )
    fewest = min(map(len, table))
    return [owners[:fewest] for owners in table]
