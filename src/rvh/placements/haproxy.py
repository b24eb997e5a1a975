"""The placements of HAProxy: servers by the hash of a text, on a ring or in a map."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rvh._arguments.choices import one_of
from rvh._arguments.per_node import check_count, per_node
from rvh._columns.values import is_whole
from rvh._runtime.slices import take
from rvh.errors import RVHError, RVHTypeError, show
from rvh.placements.modulo import Modulo
from rvh.ring.ring import Ring
from rvh.ring.servers import make_ring, names_and_ids, whole_weights

if TYPE_CHECKING:
    from rvh.typing import Integers, NodeIds, Weights

__all__ = ["haproxy", "haproxy_map"]

#: the hash functions of keys
FUNCTIONS = ("sdbm", "djb2", "wt6", "crc32")
#: what the points of a server are made of
KEYS = ("id", "addr", "addr-port")
#: a server's greatest weight, and its points for each unit of weight
WEIGHT_MAX, POINTS = 256, 16
WORD32 = 2**32 - 1


def haproxy(
    nodes: NodeIds,
    weights: Weights | None = None,
    *,
    hash_fn: Literal["sdbm", "djb2", "wt6", "crc32"] = "sdbm",
    avalanche: bool = False,
    server_ids: Sequence[int] | None = None,
    hash_key: Literal["id", "addr", "addr-port"] = "id",
    addresses: Sequence[str] | None = None,
    integers: Integers | None = None,
) -> Ring:
    """The ring of HAProxy's ``hash-type consistent``.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The servers' names, in the order of the backend.
    weights : sequence or array, shape (N,), or mapping of id to number, optional
        The servers' weights, whole numbers from 0 to 256; 1 by default.
    hash_fn : {"sdbm", "djb2", "wt6", "crc32"}
        The function of ``hash-type``, for keys.
    avalanche : bool
        Whether ``hash-type`` has the modifier ``avalanche``.
    server_ids : sequence of int, shape (N,), optional
        The servers' ``id``. By default they are 1, 2, 3 and so on, as HAProxy gives them.
    hash_key : {"id", "addr", "addr-port"}
        The servers' ``hash-key`` (HAProxy 3.0): what their points are made of.
    addresses : sequence of str, shape (N,), optional
        The servers' addresses, such as ``"10.0.0.1:80"`` or ``"[::1]:80"``, for a ``hash_key`` that
        needs them; by default the nodes.
    integers : one of `INTEGERS`, optional
        How integer keys are written: see `rvh.ring.Ring`. HAProxy itself has only text.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids; a weight, an id or an address that HAProxy does not take; an unknown
        function; other than one id or address for each node.
    RVHTypeError
        As `NodeSet`; ids of servers that are not whole numbers.

    Notes
    -----
    The key is the text that is hashed: of ``balance hdr(NAME)`` the header's value, of ``balance
    uri`` the path up to the question mark. (``balance source`` hashes nothing.) A server has 16
    points for each unit of weight, and a key is the nearest point's, of two that are equally near
    the one before. The second of a key's nodes is the server of the redispatch. With one server
    left, all agree. ``hash-balance-factor`` is not modelled: it depends on load. Held to a running
    HAProxy 2.6 (tests/placements/test_haproxy.py), and ``hash_key`` to answers of 3.5-dev5.

    Examples
    --------
    >>> from rvh.placements import haproxy
    >>> ring = haproxy(["web1", "web2", "web3"], hash_fn="crc32", avalanche=True)
    >>> ring
    Ring(3 nodes, 48 points, hash='crc32_avalanche')
    >>> ring.lookup("/index.html", k=2)
    ['web3', 'web1']
    """
    names, ids = names_and_ids(nodes)
    numbers = whole_weights(weights, ids, "HAProxy", 0, WEIGHT_MAX)
    one_of("hash_key", hash_key, KEYS)
    own_ids = _server_ids(server_ids, len(ids))
    if hash_key == "id":
        if addresses is not None:
            raise RVHError(
                'addresses change nothing where hash_key is "id": omit them, or pass '
                'hash_key="addr-port" or "addr"'
            )
        bases = [number * POINTS * WEIGHT_MAX for number in own_ids]
    else:
        where = names if addresses is None else per_node(addresses, "addresses")
        check_count(len(where), len(names), "addresses", "elements")
        bases = [_address_key(text, hash_key == "addr-port", at) for at, text in enumerate(where)]
    counts = [POINTS * number for number in numbers]
    points = [
        _avalanche(np.arange(base, base + count, dtype=np.uint64) & np.uint64(WORD32))
        for base, count in zip(bases, counts, strict=True)
    ]
    owners = np.repeat(np.arange(len(ids)), counts)
    name = _haproxy_hash(hash_fn, avalanche)
    return make_ring(
        name, ids, np.concatenate(points), owners.astype(np.uint32), integers, "nearest"
    )


def haproxy_map(
    nodes: NodeIds,
    weights: Weights | None = None,
    *,
    hash_fn: Literal["sdbm", "djb2", "wt6", "crc32"] = "sdbm",
    avalanche: bool = False,
    integers: Integers | None = None,
) -> Modulo:
    """The table of HAProxy's ``hash-type map-based``, its default.

    Parameters
    ----------
    nodes, weights, hash_fn, avalanche, integers
        As for `haproxy`.

    Returns
    -------
    Modulo
        A slot for each unit of weight, after division by the weights' greatest common divisor.

    Raises
    ------
    RVHError, RVHTypeError
        As `haproxy`.

    Notes
    -----
    The key is the text that is hashed, as for `haproxy`. Held to a running HAProxy 2.6
    (tests/placements/test_haproxy.py).

    Examples
    --------
    >>> from rvh.placements import haproxy_map
    >>> haproxy_map(["web1", "web2", "web3"], [2, 1, 1]).lookup("/index.html")
    ['web2']
    """
    _, ids = names_and_ids(nodes)
    numbers = whole_weights(weights, ids, "HAProxy", 0, WEIGHT_MAX)
    divisor = reduce(math.gcd, numbers)
    shares = [number // divisor for number in numbers]
    total = sum(shares)
    scores = [0] * len(shares)
    slots: list[int] = []
    for _slot in range(total):
        most, chosen = 0, 0
        for place, share in enumerate(shares):
            scores[place] += share
            score = (scores[place] + total) // total
            if share and score > most:
                most, chosen = score, place
        scores[chosen] -= total
        slots.append(chosen)
    name = _haproxy_hash(hash_fn, avalanche)
    return Modulo(take(ids, np.array(slots)), name, integers=integers)


def _haproxy_hash(hash_fn: Any, avalanche: Any) -> str:
    name = one_of("hash_fn", hash_fn, FUNCTIONS)
    if not isinstance(avalanche, (bool, np.bool_)):
        raise RVHTypeError(f"avalanche is {show(avalanche)}: pass True or False")
    return f"{name}_avalanche" if avalanche else name


def _server_ids(server_ids: Any, nodes: int) -> list[int]:
    if server_ids is None:
        return list(range(1, nodes + 1))
    given = per_node(server_ids, "server_ids")
    check_count(len(given), nodes, "server_ids", "elements")
    for at, number in enumerate(given):
        if not is_whole(number):
            raise RVHTypeError(f"the server id at position {at} is {show(number)}: pass integers")
        if not 1 <= number < 2**31:
            raise RVHError(
                f"the server id at position {at} is {show(number)}: HAProxy takes 1 to 2147483647"
            )
        if given.index(number) != at:
            raise RVHError(f"two servers have the id {number}: HAProxy takes each once")
    return given


def _avalanche(h: Any) -> Any:
    """HAProxy's hash of integers of 32 bits, one or an array: Bob Jenkins's, times a prime.

    http://burtleburtle.net/bob/hash/integer.html
    """
    h = h + 0x7ED55D16 + (h << 12) & WORD32
    h = h ^ 0xC761C23C ^ h >> 19
    h = h + 0x165667B1 + (h << 5) & WORD32
    h = (h + 0xD3A2646C ^ h << 9) & WORD32
    h = h + 0xFD7046C5 + (h << 3) & WORD32
    h = h ^ 0xB55A4F09 ^ h >> 16
    return h * 3221225473 & WORD32


def _address_key(text: Any, with_port: bool, at: int) -> int:
    """What HAProxy adds a server's numbers of points to."""
    where = text.decode() if isinstance(text, bytes) else str(text)
    host, colon, port = where.rpartition(":")
    if not colon or (where.count(":") > 1 and not host.endswith("]")):
        host, port = where, ""
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        number = int(port) if with_port else 0
    except ValueError:
        wanted = "address:port" if with_port else "address"
        raise RVHError(
            f"the address at position {at} is {show(where)}: pass an IP {wanted}, as 10.0.0.1:80"
        ) from None
    start = _avalanche(number) if with_port else 0
    if address.version == 6:
        return _xxh32_of_16(address.packed, start)
    added = start + int.from_bytes(address.packed, "little")
    return int(_avalanche(added & WORD32))


def _xxh32_of_16(data: bytes, seed: int) -> int:
    """XXH32 (Yann Collet) of 16 bytes: one round of four words."""
    p1, p2, p3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D

    def rotated(word: int, left: int) -> int:
        return (word << left | word >> 32 - left) & WORD32

    h = 16
    for at, (start, left) in enumerate(
        ((seed + p1 + p2, 1), (seed + p2, 7), (seed, 12), (seed - p1, 18))
    ):
        word = int.from_bytes(data[4 * at : 4 * at + 4], "little")
        h += rotated(rotated(start + word * p2 & WORD32, 13) * p1 & WORD32, left)
    h &= WORD32
    h = (h ^ h >> 15) * p2 & WORD32
    h = (h ^ h >> 13) * p3 & WORD32
    return h ^ h >> 16
