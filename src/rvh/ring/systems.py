"""The rings of other systems, from what they are configured with."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rvh import keys as _keys
from rvh._arguments.numbers import real_numbers, whole_number
from rvh._backend import key_point
from rvh.errors import RVHError, show
from rvh.ring import points as points_made
from rvh.ring.ring import Ring, choice

__all__ = ["hash_ring", "ketama", "libmemcached", "nginx", "uhashring"]

#: what pylibmc calls the ways of libmemcached's that make a ring
BEHAVIORS = ("ketama_weighted", "ketama", "consistent")
#: what it calls the hashes that they can be combined with, and what `HASHES` does
KEY_HASHES = {"md5": "ketama", "default": "one_at_a_time"}
POINTS_MAX = 1 << 24  # of nodes with so many each as their weight says: 10 s and 2 GB


def ketama(nodes: Any, weights: Any = None, *, integers: str | None = None) -> Ring:
    """The ring of libketama, and of what is compatible with it to the bit.

    For pylibmc, PHP's Memcached and what else is built on libmemcached, see `libmemcached`; for
    uhashring's ketama, `uhashring`: at times these have other points.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        Server addresses as libketama is given them, for example ``"10.0.0.1:11211"``.
    weights : sequence or array of numbers, shape (N,), optional
        The servers' memory. All the same by default.
    integers : {"text", "int32_be", "int64_be", "contract"}, optional
        How integer keys are written: see `Ring`.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids and weights; so small a weight for all that no node has a point.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    A node has ``floor(weight / sum * 40 * N)`` hashes, in libketama's float arithmetic, of
    ``"address-number"``, and four points of each. Of equal points (of 64 nodes, one ring in 80 has
    two) the node earlier in the list counts; libketama leaves that to qsort. Where a key's hash is
    a point, it is that point's. R. Jones, libketama, 2007.

    Examples
    --------
    >>> from rvh.ring import ketama
    >>> len(ketama(["127.0.0.1:11211", "127.0.0.1:11212"], [600, 400]))
    320
    """
    names, ids = _named(nodes)
    given = _weights(weights, ids)
    _check_float32(given, ids)
    counts = points_made.libketama_counts(given)
    points, owners = points_made.of_digests(names, counts, points_made.KETAMA_POINTS)
    return _ring_of("ketama", ids, points, owners, integers)


def libmemcached(
    nodes: Any,
    weights: Any = None,
    *,
    behavior: str = "ketama_weighted",
    hash_fn: str | None = None,
    integers: str | None = None,
) -> Ring:
    """The rings of libmemcached, so of pylibmc and PHP's Memcached.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        Servers as ``"host:port"``, or a host alone on port 11211, or the path of a socket.
    weights : sequence or array of whole numbers from 1 to 2^32-1, shape (N,), optional
        The servers' weights; 1 by default.
    behavior : {"ketama_weighted", "ketama", "consistent"}
        As pylibmc calls it: ``behaviors={"ketama_weighted": True}`` (PHP's
        ``OPT_LIBKETAMA_COMPATIBLE``), ``{"ketama": True}``, or ``{"distribution": "consistent"}``,
        which is the same as ``ketama``.
    hash_fn : {"md5", "default"}, optional
        The behavior ``hash``, where it was set too. By default md5 with ``ketama_weighted``, and
        else libmemcached's own default, one_at_a_time.
    integers : {"text", "int32_be", "int64_be", "contract"}, optional
        How integer keys are written: see `Ring`.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids; a weight that is no such number; two nodes that are one server; what
        is none of the choices.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    The points are made of ``"host-number"`` for servers on port 11211 and of
    ``"host:port-number"`` for others. With ``ketama_weighted``, and as soon as a weight is above 1,
    they are those of libketama in arithmetic of 32 bits throughout: 25 equal nodes have 156 points
    each and not 160. Else a node has 100 points by the hash of keys. Of equal points the node
    earlier in the list counts; libmemcached leaves that to qsort. Where a key's hash is a point, it
    is that point's. Held to where pylibmc puts keys on running servers.

    Examples
    --------
    >>> from rvh.ring import libmemcached
    >>> servers = ["10.0.0.1:11211", "10.0.0.2:11211"]
    >>> libmemcached(servers).lookup("user:1")
    ['10.0.0.2:11211']
    >>> libmemcached(servers, behavior="ketama")
    Ring(2 nodes, 200 points, hash='one_at_a_time')
    """
    names, ids = _named(nodes)
    given = _whole_weights(weights, ids, "libmemcached", 1, 2**32 - 1)
    choice("behavior", behavior, BEHAVIORS)
    if hash_fn is None:
        hash_fn = "md5" if behavior == "ketama_weighted" else "default"
    hash_name = KEY_HASHES[choice("hash_fn", hash_fn, KEY_HASHES)]
    servers = list(map(points_made.libmemcached_name, names))
    seen: dict[bytes, int] = {}
    for number, server in enumerate(servers):
        first = seen.setdefault(server, number)
        if first != number:
            one, other = ids.tolist()[first], ids.tolist()[number]
            raise RVHError(f"nodes {show(one)} and {show(other)} are one server: leave one away")
    if behavior == "ketama_weighted" or max(given) > 1:
        counts = points_made.libmemcached_counts(given)
        points, owners = points_made.of_digests(servers, counts, points_made.KETAMA_POINTS)
    else:
        counts = [points_made.LIBMEMCACHED_POINTS] * len(ids)
        points, owners = points_made.of_hashes(
            servers, counts, lambda name: key_point(hash_name, name)
        )
    return _ring_of(hash_name, ids, points, owners, integers)


def nginx(nodes: Any, weights: Any = None, *, integers: str | None = None) -> Ring:
    """The ring of nginx's ``hash KEY consistent``.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        Servers as the upstream block names them: ``"10.0.0.1:443"``, ``"unix:/path"``.
    weights : sequence or array of whole numbers from 1, shape (N,), optional
        The servers' weights; 1 by default.
    integers : {"text", "int32_be", "int64_be", "contract"}, optional
        How integer keys are written: see `Ring`. nginx has text alone.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids; a weight that is not whole or below 1.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    A node has 160 points for each unit of weight: the CRC-32 of host, a zero byte, port and the
    point before in 4 bytes, little-endian (ngx_http_upstream_hash_module.c; the same as Perl's
    Cache::Memcached::Fast). Of equal points one is kept, here that of the node earlier in the
    list; nginx leaves that to its sort.

    Examples
    --------
    >>> from rvh.ring import nginx
    >>> nginx(["10.0.0.1:443", "10.0.0.2:443"]).lookup("/index.html")
    ['10.0.0.2:443']
    """
    names, ids = _named(nodes)
    given = _whole_weights(weights, ids, "nginx", 1)
    _check_points(sum(given), points_made.NGINX_POINTS, "nginx")
    return _ring_of("crc32", ids, *points_made.of_crcs(names, given), integers)


def uhashring(
    nodes: Any,
    weights: Any = None,
    *,
    hash_fn: str = "md5",
    vnodes: int | None = None,
    integers: str | None = None,
) -> Ring:
    """The rings of uhashring's HashRing.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The nodes' names.
    weights : sequence or array of whole numbers, shape (N,), optional
        The nodes' weights; 1 by default.
    hash_fn : {"md5", "ketama"}
        HashRing's own, or the one of ``HashRing(nodes, hash_fn="ketama")``.
    vnodes : int, optional
        As for HashRing: 160 by default, with ketama 40.
    integers : {"text", "int32_be", "int64_be", "contract"}, optional
        How integer keys are written: see `Ring`. uhashring writes them as text.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids; a weight that is no whole number; a number of points above 2^24; what
        is none of the choices.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    A node has ``vnodes * weight`` points: the MD5 of ``"name-number"``, of whose 16 bytes the first
    8 are compared here. With ketama it has ``vnodes * N * weight // sum`` hashes and four points of
    each, in whole numbers, where libketama's float arithmetic has at times one less. Of equal
    points the node later in the list counts. Where a key's hash is a point, it is the next
    point's. uhashring writes bytes as Python shows them: for a key that it was given as bytes pass
    ``str(key)``.

    Examples
    --------
    >>> from rvh.ring import uhashring
    >>> uhashring(["node1", "node2", "node3"]).lookup("key")
    ['node2']
    >>> uhashring(["node1", "node2", "node3"], hash_fn="ketama").lookup("key")
    ['node1']
    """
    names, ids = _named(nodes)
    given = _whole_weights(weights, ids, "uhashring", 0)
    choice("hash_fn", hash_fn, ("md5", "ketama"))
    default = 160 if hash_fn == "md5" else points_made.KETAMA_HASHES
    each = default if vnodes is None else whole_number("vnodes", vnodes, POINTS_MAX)
    if hash_fn == "md5":
        _check_points(sum(given), each, "uhashring")
        points, owners = points_made.of_hashes(
            names, [each * weight for weight in given], lambda name: key_point("md5", name)
        )
    else:
        _check_points(len(ids), each * points_made.KETAMA_POINTS, "uhashring")
        counts = points_made.whole_counts(given, each)
        points, owners = points_made.of_digests(names, counts, points_made.KETAMA_POINTS)
    points, owners = points_made.last_of_equal(points, owners)
    return _ring_of(hash_fn, ids, points, owners, integers, "next")


def hash_ring(nodes: Any, weights: Any = None, *, integers: str | None = None) -> Ring:
    """The ring of the package hash_ring.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The nodes' names.
    weights : sequence or array of numbers, shape (N,), optional
        The nodes' weights; 1 by default.
    integers : {"text", "int32_be", "int64_be", "contract"}, optional
        How integer keys are written: see `Ring`. hash_ring itself takes text alone.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids and weights; so uneven weights that no node has a point.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    A node has ``40 * N * weight / sum`` hashes, rounded down, of ``"name-number"``, and three
    points of each. Of equal points the node later in the list counts. Where a key's hash is a
    point, it is the next point's. Held to hash_ring 1.3.1 under Python 2.7, its own.

    Examples
    --------
    >>> from rvh.ring import hash_ring
    >>> hash_ring(["node1", "node2", "node3"]).lookup("key")
    ['node2']
    """
    names, ids = _named(nodes)
    given = _weights(weights, ids)
    if not all(weight == int(weight) for weight in given):
        most = sys.float_info.max / (points_made.KETAMA_HASHES * len(given))
        if sum(given) > most:
            raise RVHError(
                f"the weights are {sum(given)} together: hash_ring computes with doubles, here up "
                f"to {most}; divide all weights"
            )
    counts = points_made.hash_ring_counts(given)
    points, owners = points_made.last_of_equal(*points_made.of_digests(names, counts, 3))
    return _ring_of("ketama", ids, points, owners, integers, "next")


def _named(nodes: Any) -> tuple[list[bytes], NDArray[Any]]:
    column, ids = _keys.node_column(nodes)
    names = list(column.iter_bytes())
    _keys.check_unique(names)
    return names, ids


def _ring_of(
    hash_name: str,
    ids: NDArray[Any],
    points: NDArray[np.uint64],
    owners: NDArray[np.uint32],
    integers: str | None,
    hit: str = "point",
) -> Ring:
    if len(points) == 0:
        raise RVHError("no node has a point: the weights are too uneven for such a ring")
    return Ring(ids, hash_name, points, owners, integers, hit)


def _check_float32(weights: list[float], ids: NDArray[Any]) -> None:
    """Refuse weights that libketama's arithmetic does not hold, or their sum."""
    least, most = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
    for number, weight in enumerate(weights):
        if weight and not least <= weight <= most:
            raise RVHError(
                f"the weight of node {show(ids.tolist()[number])} (position {number}) is {weight}: "
                f"ketama computes with 32 bits, from {least} to {most}; scale all weights"
            )
    if sum(weights) > most:
        raise RVHError(
            f"the weights are {sum(weights)} together: ketama computes with 32 bits, up to "
            f"{most}; divide all weights"
        )


def _check_points(units: float, each: int, whose: str) -> None:
    """Refuse more points than a ring is made of here."""
    if units * each > POINTS_MAX:
        raise RVHError(
            f"the weights are {units} together: {whose} makes {each} points of each unit, and here "
            f"{POINTS_MAX // each} are the most; divide all weights"
        )


def _whole_weights(
    weights: Any, ids: NDArray[Any], whose: str, least: int, most: float = float("inf")
) -> list[int]:
    given = _weights(weights, ids)
    for number, weight in enumerate(given):
        if not least <= weight <= most or weight != int(weight):
            limit = "" if most == float("inf") else f" to {most}"
            raise RVHError(
                f"the weight of node {show(ids.tolist()[number])} (position {number}) is {weight}: "
                f"{whose} takes whole numbers from {least}{limit}"
            )
    return list(map(int, given))


def _weights(weights: Any, ids: NDArray[Any]) -> list[float]:
    if weights is None:
        return [1.0] * len(ids)
    numbers = real_numbers(weights, "weights", [f"node {show(node)}" for node in ids.tolist()])
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    if wrong.any():
        at = int(wrong.argmax())
        raise RVHError(
            f"the weight of node {show(ids.tolist()[at])} (position {at}) is {numbers[at]}: a "
            "weight is a finite number, 0 or more"
        )
    if not numbers.any():
        raise RVHError("every weight is 0: at least one node needs a weight above 0")
    found: list[float] = numbers.tolist()
    return found
