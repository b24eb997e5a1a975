"""The rings of other systems, made from the servers and weights in their configurations."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.choices import one_of
from rvh._arguments.numbers import whole_number
from rvh._backend import key_point
from rvh._columns.ids import id_at
from rvh.errors import RVHError, show
from rvh.ring import points as ring_points
from rvh.ring.ring import Ring
from rvh.ring.servers import (
    POINTS_MAX,
    check_count,
    make_ring,
    names_and_ids,
    real_weights,
    weight_at,
    whole_weights,
)

if TYPE_CHECKING:
    from rvh.typing import Integers, NodeIds, Weights

__all__ = ["hash_ring", "ketama", "libmemcached", "nginx", "uhashring"]

#: pylibmc's names for libmemcached's distributions that are rings
BEHAVIORS = ("ketama_weighted", "ketama", "consistent")
#: pylibmc's names for the hashes of keys, and the same in `HASHES`
KEY_HASHES = {"md5": "ketama", "default": "one_at_a_time"}


def ketama(
    nodes: NodeIds, weights: Weights | None = None, *, integers: Integers | None = None
) -> Ring:
    """The ring of libketama, and of systems that are bit-compatible with it.

    For pylibmc, PHP's Memcached and others that are built on libmemcached, see `libmemcached`; for
    uhashring's ketama, see `uhashring`. Their points sometimes differ from libketama's.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        Server addresses as in libketama's file, for example ``"10.0.0.1:11211"``.
    weights : sequence or array of numbers, shape (N,), or mapping of id to number, optional
        The servers' memory. Equal by default.
    integers : {"text", "int32_be", "int64_be", "int32_le", "int64_le", "contract"}, optional
        How integer keys are written: see `Ring`.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids and weights; weights so uneven that no node has a point.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    A node has ``floor(weight / sum * 40 * N)`` hashes of ``"address-number"``, in libketama's
    float arithmetic, and each hash gives four points. If two points are equal (one ring of 64
    nodes in 80 has such a pair), the node earlier in the list has both; libketama leaves that to
    qsort. A key whose hash equals a point belongs to that point. R. Jones, libketama, 2007.

    Examples
    --------
    >>> from rvh.ring import ketama
    >>> len(ketama(["127.0.0.1:11211", "127.0.0.1:11212"], [600, 400]))
    320
    """
    names, ids = names_and_ids(nodes)
    numbers = real_weights(weights, ids)
    _check_float32(numbers, ids)
    counts = ring_points.libketama_counts(numbers)
    points, owners = ring_points.of_digests(names, counts, ring_points.KETAMA_POINTS)
    return make_ring("ketama", ids, points, owners, integers)


def libmemcached(
    nodes: NodeIds,
    weights: Weights | None = None,
    *,
    behavior: Literal["ketama_weighted", "ketama", "consistent"] = "ketama_weighted",
    hash_fn: str | None = None,
    integers: Integers | None = None,
) -> Ring:
    """The rings of libmemcached, and so of pylibmc and PHP's Memcached.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        Servers as ``"host:port"``, a host alone for port 11211, or the path of a socket.
    weights : sequence or array, shape (N,), or mapping of id to number, optional
        The servers' weights, whole numbers from 1 to 2^32-1; 1 by default.
    behavior : {"ketama_weighted", "ketama", "consistent"}
        pylibmc's name for it: ``behaviors={"ketama_weighted": True}`` (PHP's
        ``OPT_LIBKETAMA_COMPATIBLE``), ``{"ketama": True}``, or ``{"distribution": "consistent"}``,
        which is the same as ``ketama``.
    hash_fn : {"md5", "default"}, optional
        The behavior ``hash``, if it is set too. The default is md5 with ``ketama_weighted``, and
        otherwise libmemcached's own default, one_at_a_time.
    integers : {"text", "int32_be", "int64_be", "int32_le", "int64_le", "contract"}, optional
        How integer keys are written: see `Ring`.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids; a weight that is not such a number; two nodes that are the same
        server; an unknown behavior or hash.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    The points are hashes of ``"host-number"`` for servers on port 11211 and of
    ``"host:port-number"`` for others. With ``ketama_weighted``, or if a weight is above 1, they are
    libketama's, but computed in 32 bits throughout: 25 equal nodes have 156 points each instead of
    160. Otherwise a node has 100 points by the hash of keys. If two points are equal, the node
    earlier in the list has both; libmemcached leaves that to qsort. A key whose hash equals a point
    belongs to that point. The tests compare this with the keys that pylibmc puts on running
    servers.

    Examples
    --------
    >>> from rvh.ring import libmemcached
    >>> servers = ["10.0.0.1:11211", "10.0.0.2:11211"]
    >>> libmemcached(servers).lookup("user:1")
    ['10.0.0.2:11211']
    >>> libmemcached(servers, behavior="ketama")
    Ring(2 nodes, 200 points, hash='one_at_a_time')
    """
    names, ids = names_and_ids(nodes)
    numbers = whole_weights(weights, ids, "libmemcached", 1, 2**32 - 1)
    one_of("behavior", behavior, BEHAVIORS)
    if hash_fn is None:
        hash_fn = "md5" if behavior == "ketama_weighted" else "default"
    hash_name = KEY_HASHES[one_of("hash_fn", hash_fn, KEY_HASHES)]
    servers = list(map(ring_points.libmemcached_name, names))
    seen: dict[bytes, int] = {}
    for number, server in enumerate(servers):
        first = seen.setdefault(server, number)
        if first != number:
            one, other = id_at(ids, first), id_at(ids, number)
            raise RVHError(f"nodes {show(one)} and {show(other)} are one server: leave one out")
    if behavior == "ketama_weighted" or max(numbers) > 1:
        counts = ring_points.libmemcached_counts(numbers)
        points, owners = ring_points.of_digests(servers, counts, ring_points.KETAMA_POINTS)
    else:
        counts = [ring_points.LIBMEMCACHED_POINTS] * len(ids)
        points, owners = ring_points.of_hashes(
            servers, counts, lambda name: key_point(hash_name, name)
        )
    return make_ring(hash_name, ids, points, owners, integers)


def nginx(
    nodes: NodeIds, weights: Weights | None = None, *, integers: Integers | None = None
) -> Ring:
    """The ring of nginx's ``hash KEY consistent``.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        Servers as in the upstream block: ``"10.0.0.1:443"``, ``"unix:/path"``.
    weights : sequence or array, shape (N,), or mapping of id to number, optional
        The servers' weights, whole numbers from 1; 1 by default.
    integers : {"text", "int32_be", "int64_be", "int32_le", "int64_le", "contract"}, optional
        How integer keys are written: see `Ring`. nginx itself has only text.

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
    previous point in 4 bytes, little-endian (ngx_http_upstream_hash_module.c; the same as Perl's
    Cache::Memcached::Fast). Of equal points one is kept: here that of the node earlier in the
    list, while nginx leaves the choice to its sort.

    Examples
    --------
    >>> from rvh.ring import nginx
    >>> nginx(["10.0.0.1:443", "10.0.0.2:443"]).lookup("/index.html")
    ['10.0.0.2:443']
    """
    names, ids = names_and_ids(nodes)
    numbers = whole_weights(weights, ids, "nginx", 1)
    check_count(sum(numbers), ring_points.NGINX_POINTS, "nginx")
    return make_ring("crc32", ids, *ring_points.of_crcs(names, numbers), integers)


def uhashring(
    nodes: NodeIds,
    weights: Weights | None = None,
    *,
    hash_fn: str = "md5",
    vnodes: int | None = None,
    integers: Integers | None = None,
) -> Ring:
    """The rings of uhashring's HashRing.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The nodes' names.
    weights : sequence or array of whole numbers, shape (N,), or mapping of id to number, optional
        The nodes' weights; 1 by default.
    hash_fn : {"md5", "ketama"}
        HashRing's default, or the hash of ``HashRing(nodes, hash_fn="ketama")``.
    vnodes : int, optional
        As for HashRing: 160 by default, or 40 with ketama.
    integers : {"text", "int32_be", "int64_be", "int32_le", "int64_le", "contract"}, optional
        How integer keys are written: see `Ring`. uhashring writes them as text.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids; a weight that is not a whole number; more than 2^24 points; an
        unknown hash.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    A node has ``vnodes * weight`` points: the MD5 of ``"name-number"``. Only the first 8 of its 16
    bytes are compared here. With ketama, a node has ``vnodes * N * weight // sum`` hashes of four
    points each. That is computed in whole numbers; libketama's float arithmetic sometimes gives one
    less. If two points are equal, the node later in the list has both. A key whose hash equals a
    point belongs to the next point. uhashring hashes the repr of bytes: for a key that it gets as
    bytes, pass ``str(key)``.

    Examples
    --------
    >>> from rvh.ring import uhashring
    >>> uhashring(["node1", "node2", "node3"]).lookup("key")
    ['node2']
    >>> uhashring(["node1", "node2", "node3"], hash_fn="ketama").lookup("key")
    ['node1']
    """
    names, ids = names_and_ids(nodes)
    numbers = whole_weights(weights, ids, "uhashring", 0)
    one_of("hash_fn", hash_fn, ("md5", "ketama"))
    default = 160 if hash_fn == "md5" else ring_points.KETAMA_HASHES
    each = default if vnodes is None else whole_number("vnodes", vnodes, POINTS_MAX)
    if hash_fn == "md5":
        check_count(sum(numbers), each, "uhashring")
        points, owners = ring_points.of_hashes(
            names, [each * weight for weight in numbers], lambda name: key_point("md5", name)
        )
    else:
        check_count(len(ids), each * ring_points.KETAMA_POINTS, "uhashring")
        counts = ring_points.whole_counts(numbers, each)
        points, owners = ring_points.of_digests(names, counts, ring_points.KETAMA_POINTS)
    points, owners = ring_points.last_of_equal(points, owners)
    return make_ring(hash_fn, ids, points, owners, integers, "next")


def hash_ring(
    nodes: NodeIds, weights: Weights | None = None, *, integers: Integers | None = None
) -> Ring:
    """The ring of the package hash_ring.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The nodes' names.
    weights : sequence or array of numbers, shape (N,), or mapping of id to number, optional
        The nodes' weights; 1 by default.
    integers : {"text", "int32_be", "int64_be", "int32_le", "int64_le", "contract"}, optional
        How integer keys are written: see `Ring`. hash_ring itself takes only text.

    Returns
    -------
    Ring

    Raises
    ------
    RVHError
        As `NodeSet` for ids and weights; weights so uneven that no node has a point.
    RVHTypeError
        As `NodeSet`.

    Notes
    -----
    A node has ``40 * N * weight / sum`` hashes of ``"name-number"``, rounded down, and each hash
    gives three points. With weights that are not whole it is computed in doubles, and they are
    added up one by one. If two points are equal, the node later in the list has both. A key whose
    hash equals a point belongs to the next point. The tests compare this with hash_ring 1.3.1 under
    Python 2.7, for which it was written.

    Examples
    --------
    >>> from rvh.ring import hash_ring
    >>> hash_ring(["node1", "node2", "node3"]).lookup("key")
    ['node2']
    """
    names, ids = names_and_ids(nodes)
    numbers = real_weights(weights, ids)
    if not all(weight == int(weight) for weight in numbers):
        limit = sys.float_info.max / (ring_points.KETAMA_HASHES * len(numbers))
        total = ring_points.total_of(numbers)
        if total > limit:
            raise RVHError(
                f"the weights are {total} together: hash_ring computes with doubles, here "
                f"up to {limit}; divide all weights"
            )
    counts = ring_points.hash_ring_counts(numbers)
    points, owners = ring_points.last_of_equal(*ring_points.of_digests(names, counts, 3))
    return make_ring("ketama", ids, points, owners, integers, "next")


def _check_float32(weights: list[float], ids: NDArray[Any]) -> None:
    """Reject weights, or a sum of them, out of the range of libketama's floats."""
    low, high = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
    for position, weight in enumerate(weights):
        if weight and not low <= weight <= high:
            raise RVHError(
                f"{weight_at(ids, position)} is {weight}: ketama computes with 32 bits, from "
                f"{low} to {high}; scale all weights"
            )
    total = ring_points.total_of(weights)
    if total > high:
        raise RVHError(
            f"the weights are {total} together: ketama computes with 32 bits, up to "
            f"{high}; divide all weights"
        )
