"""The placements of Envoy: ring hash and Maglev."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.choices import one_of
from rvh._arguments.numbers import whole_number
from rvh._arguments.per_node import check_count, per_node
from rvh._batch.answers import points_of
from rvh._runtime.slices import take
from rvh.errors import RVHError, RVHTypeError, show
from rvh.placements.modulo import Modulo
from rvh.ring.ring import Ring
from rvh.ring.servers import make_ring, names_and_ids, whole_weights

if TYPE_CHECKING:
    from rvh.typing import Integers, NodeIds, Weights

__all__ = ["envoy_ring", "maglev"]

#: Envoy's hash functions of points, and the same in the backend's table
HASH_FUNCTIONS = {"XX_HASH": "xxh64", "MURMUR_HASH_2": "murmur2_64"}
#: Envoy's limit of a ring's size
RING_SIZE_MAX = 8 * 1024 * 1024
#: Envoy's limit of a Maglev table's size
TABLE_SIZE_MAX = 5_000_011
#: of one weight, and of all together
WEIGHT_MAX = 2**32 - 1


def envoy_ring(
    nodes: NodeIds,
    weights: Weights | None = None,
    *,
    hash_keys: Sequence[str | bytes] | None = None,
    hash_function: Literal["XX_HASH", "MURMUR_HASH_2"] = "XX_HASH",
    minimum_ring_size: int = 1024,
    maximum_ring_size: int = RING_SIZE_MAX,
    integers: Integers | None = None,
) -> Ring:
    """The ring of Envoy's load balancing policy ring hash.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The hosts in the order of the cluster, by address as Envoy writes it: ``"10.0.0.1:80"``,
        ``"[::1]:80"``. With ``use_hostname_for_hashing``, their host names.
    weights : sequence or array, shape (N,), or mapping of id to number, optional
        The hosts' ``load_balancing_weight``, whole numbers from 1; 1 by default.
    hash_keys : sequence of str or bytes, shape (N,), optional
        What is hashed instead of the nodes' ids: the ``hash_key`` in each host's metadata for
        ``envoy.lb``.
    hash_function : {"XX_HASH", "MURMUR_HASH_2"}
        Envoy's name for the hash of hosts; keys are always hashed by XXH64.
    minimum_ring_size, maximum_ring_size : int
        As in Envoy's configuration.
    integers : one of `INTEGERS`, optional
        How integer keys are written: see `rvh.ring.Ring`. Envoy itself has only text.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids; a weight that is not such a number; sizes out of range or order; an
        unknown hash; other than one hash key for each node.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    The key is the value of the header in the policy's ``header``, or whatever else its one
    ``hash_policy`` hashes as text. Hosts are healthy, of one locality and priority. A node's
    further nodes are those of the points that follow; Envoy's retries take the next point, which
    may be of the same host. If two points are equal, the node earlier in the list has both; Envoy
    leaves that to its sort. Held to a running Envoy (tests/placements/test_envoy.py).

    Examples
    --------
    >>> from rvh.placements import envoy_ring
    >>> ring = envoy_ring(["10.0.0.1:80", "10.0.0.2:80"], [1, 2])
    >>> ring
    Ring(2 nodes, 1026 points, hash='xxh64')
    >>> ring.lookup("user:1")
    ['10.0.0.2:80']
    """
    names, ids = names_and_ids(nodes)
    numbers = _envoy_weights(weights, ids)
    kind = HASH_FUNCTIONS[one_of("hash_function", hash_function, HASH_FUNCTIONS)]
    most = whole_number("maximum_ring_size", maximum_ring_size, RING_SIZE_MAX)
    least = whole_number(
        "minimum_ring_size", minimum_ring_size, most, f"maximum_ring_size is {most}"
    )
    hashed = _hash_keys(hash_keys, names)
    counts = _envoy_counts(numbers, least, most)
    texts = [
        b"%s_%d" % (name, number)
        for name, count in zip(hashed, counts, strict=True)
        for number in range(count)
    ]
    points = points_of(kind, _keys.column(texts), None)
    owners = np.repeat(np.arange(len(ids)), counts)
    return make_ring("xxh64", ids, points, owners.astype(np.uint32), integers)


def maglev(
    nodes: NodeIds,
    weights: Weights | None = None,
    *,
    hash_keys: Sequence[str | bytes] | None = None,
    table_size: int = 65537,
    integers: Integers | None = None,
) -> Modulo:
    """The table of Envoy's load balancing policy Maglev.

    Parameters
    ----------
    nodes, weights, hash_keys
        As for `envoy_ring`, in any order.
    table_size : int
        A prime, at most 5,000,011. A table of the default size is made in 0.1 s; one of millions,
        with a thousand nodes, takes a minute or more.
    integers : one of `INTEGERS`, optional
        How integer keys are written: see `rvh.ring.Ring`. Envoy itself has only text.

    Returns
    -------
    Modulo
        Its slots are the table's entries; ``ids`` are in the order of their first entries.

    Raises
    ------
    RVHError
        As `envoy_ring`; a table size that is not a prime, or below the number of nodes.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    D. E. Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016,
    with Envoy's hashes and weights. Held to a running Envoy (tests/placements/test_envoy.py).

    Examples
    --------
    >>> from rvh.placements import maglev
    >>> table = maglev(["10.0.0.1:80", "10.0.0.2:80"], table_size=13)
    >>> table.lookup("user:1"), len(table)
    (['10.0.0.1:80'], 13)
    """
    names, ids = names_and_ids(nodes)
    numbers = _envoy_weights(weights, ids)
    size = whole_number("table_size", table_size, TABLE_SIZE_MAX)
    if not _is_prime(size):
        raise RVHError(f"table_size is {size}: Envoy takes primes, such as 65537")
    hashed = _hash_keys(hash_keys, names)
    if len(ids) > size:
        raise RVHError(f"table_size is {size}, with {len(ids)} nodes: give each one entry or more")
    # Envoy fills the table in the order of what it hashes.
    order = sorted(range(len(ids)), key=hashed.__getitem__)
    column = _keys.column([hashed[place] for place in order])
    offsets = points_of("xxh64", column, None) % np.uint64(size)
    skips = points_of("xxh64_1", column, None) % np.uint64(max(1, size - 1)) + np.uint64(1)
    total = sum(numbers)
    shares = [numbers[place] / total for place in order]
    filled = _maglev_table(offsets.tolist(), skips.tolist(), shares, size)
    owners = np.array(order)[np.array(filled)]
    return Modulo(take(ids, owners), "xxh64", integers=integers)


def _envoy_weights(weights: Any, ids: NDArray[Any]) -> list[int]:
    numbers = whole_weights(weights, ids, "Envoy", 1, WEIGHT_MAX)
    if sum(numbers) > WEIGHT_MAX:
        raise RVHError(
            f"the weights are {sum(numbers)} together: Envoy takes up to {WEIGHT_MAX}; divide all"
        )
    return numbers


def _hash_keys(hash_keys: Any, names: list[bytes]) -> list[bytes]:
    """Return what is hashed of each node: its name, or what is given instead."""
    if hash_keys is None:
        return names
    given = per_node(hash_keys, "hash_keys")
    check_count(len(given), len(names), "hash_keys", "elements")
    for at, key in enumerate(given):
        if not isinstance(key, (str, bytes)) or not key:
            raise RVHTypeError(f"the hash key at position {at} is {show(key)}: pass str or bytes")
    return [_keys.key_bytes(key, at, "hash key") for at, key in enumerate(given)]


def _envoy_counts(weights: list[int], least: int, most: int) -> list[int]:
    """Count each node's points: running sums of doubles, rounded up."""
    total = sum(weights)
    shares = [weight / total for weight in weights]
    smallest = min(shares)
    scale = min(math.ceil(smallest * least) / smallest, float(most))
    counts: list[int] = []
    made, wanted = 0, 0.0
    for share in shares:
        wanted += scale * share
        counts.append(max(0, math.ceil(wanted) - made))
        made += counts[-1]
    return counts


def _maglev_table(
    offsets: list[int], skips: list[int], shares: list[float], size: int
) -> list[int]:
    """Fill the table: in each round, each node takes the next free entry of its permutation.

    A node with less than the greatest share sits rounds out.
    """
    table = [0] * size
    taken = bytearray(size)  # apart: in a table of millions most of the time is for cache misses
    places, targets, greatest = offsets[:], [0.0] * len(offsets), max(shares)
    left, turn = size, 0
    while left:
        turn += 1
        for node, share in enumerate(shares):
            if turn * share < targets[node]:
                continue
            targets[node] += greatest
            place, skip = places[node], skips[node]
            while taken[place]:
                place += skip
                if place >= size:
                    place -= size
            taken[place] = 1
            table[place] = node
            places[node] = (place + skip) % size
            left -= 1
            if not left:
                break
    return table


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % factor for factor in range(2, math.isqrt(number) + 1))
