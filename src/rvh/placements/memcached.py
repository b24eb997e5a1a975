"""The placements of memcached's clients and proxies: python-memcached, libmemcached, twemproxy."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from rvh._arguments.choices import one_of
from rvh._columns.ids import id_at
from rvh.errors import RVHError, show
from rvh.placements.modulo import Modulo
from rvh.ring import Ring
from rvh.ring import points as ring_points
from rvh.ring.servers import check_count, names_and_ids, whole_weights

if TYPE_CHECKING:
    from rvh.typing import Integers, NodeIds, Weights

__all__ = ["libmemcached_modula", "python_memcached", "twemproxy"]

#: python-memcached's hash functions, and the same in `HASHES`
SERVER_HASHES = {
    "cmemcache": "hashkit_crc32",
    "cmemcache-1.59": "hashkit_crc32_or_1",
    "crc32": "crc32",
}
#: pylibmc's names of libmemcached's hashes, and the same in `HASHES`
LIBMEMCACHED_HASHES = {
    "default": "one_at_a_time",
    "md5": "ketama",
    "crc": "hashkit_crc32",
    "fnv1_64": "hashkit_fnv1_64",
    "fnv1a_64": "hashkit_fnv1a_64",
    "fnv1_32": "hashkit_fnv1_32",
    "fnv1a_32": "hashkit_fnv1a_32",
    "hsieh": "hashkit_hsieh",
    "murmur": "hashkit_murmur",
}
#: the hashes of twemproxy's configuration, and the same in `HASHES`
TWEMPROXY_HASHES = {
    "one_at_a_time": "one_at_a_time",
    "md5": "ketama",
    "crc16": "nutcracker_crc16",
    "crc32": "hashkit_crc32",
    "crc32a": "crc32",
    "fnv1_64": "hashkit_fnv1_64",
    "fnv1a_64": "hashkit_fnv1a_64",
    "fnv1_32": "hashkit_fnv1_32",
    "fnv1a_32": "hashkit_fnv1a_32",
    "hsieh": "hashkit_hsieh",
    "murmur": "hashkit_murmur",
    "jenkins": "hashkit_jenkins",
}


def python_memcached(
    nodes: NodeIds,
    weights: Weights | None = None,
    *,
    hash_fn: Literal["cmemcache", "cmemcache-1.59", "crc32"] = "cmemcache",
    integers: Integers | None = None,
) -> Modulo:
    """The servers of python-memcached's Client.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The servers, in the order in which the client has them.
    weights : sequence or array, shape (N,), or mapping of id to number, optional
        The servers' weights, whole numbers from 0; 1 by default.
    hash_fn : {"cmemcache", "cmemcache-1.59", "crc32"}
        That of python-memcached 1.60 and later; that up to 1.59, which makes 1 of the hash 0 that
        one key in 32,768 has; or that after ``memcache.useOldServerHashFunction()``.
    integers : one of `INTEGERS`, optional
        How the program writes integer keys; the client itself takes text and bytes.

    Returns
    -------
    Modulo

    Raises
    ------
    RVHError, RVHTypeError
        As `Modulo` for ids; a weight that is not such a number.

    Notes
    -----
    The client asks another server where one does not answer, by a hash of the hash: keys of a
    server that is away may lie there. That is not followed.

    Examples
    --------
    >>> from rvh.placements import python_memcached
    >>> python_memcached(["10.0.0.1:11211", "10.0.0.2:11211"], [2, 1]).lookup("user:1")
    ['10.0.0.1:11211']
    """
    name = SERVER_HASHES[one_of("hash_fn", hash_fn, SERVER_HASHES)]
    _, ids = names_and_ids(nodes)
    numbers = whole_weights(weights, ids, "python-memcached", 0)
    return _repeated(ids, numbers, name, "python-memcached", integers)


def libmemcached_modula(
    nodes: NodeIds, *, hash_fn: str = "default", integers: Integers | None = None
) -> Modulo:
    """The servers of libmemcached without a ring, and so of pylibmc and PHP's Memcached.

    It is what ``pylibmc.Client(servers)`` does as it comes; for the rings see `rvh.ring`.

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The servers, in the order in which the client has them.
    hash_fn : str
        pylibmc's name for the behavior ``hash``: ``"default"`` (one_at_a_time), ``"md5"``,
        ``"crc"``, ``"fnv1_64"``, ``"fnv1a_64"``, ``"fnv1_32"``, ``"fnv1a_32"``, ``"hsieh"`` or
        ``"murmur"``.
    integers : one of `INTEGERS`, optional
        How the program writes integer keys; pylibmc itself takes text and bytes.

    Returns
    -------
    Modulo

    Raises
    ------
    RVHError, RVHTypeError
        As `Modulo` for ids; an unknown hash.

    Notes
    -----
    Weights change nothing without a ring. Servers that the client has removed
    (``remove_failed``) are not followed.

    Examples
    --------
    >>> from rvh.placements import libmemcached_modula
    >>> libmemcached_modula(["10.0.0.1:11211", "10.0.0.2:11211"]).lookup("user:1")
    ['10.0.0.2:11211']
    """
    name = LIBMEMCACHED_HASHES[one_of("hash_fn", hash_fn, LIBMEMCACHED_HASHES)]
    _, ids = names_and_ids(nodes)
    return Modulo(ids, name, integers=integers)


def twemproxy(
    nodes: NodeIds,
    weights: Weights | None = None,
    *,
    distribution: Literal["ketama", "modula"] = "ketama",
    hash_fn: str = "fnv1a_64",
    hash_tag: str | None = None,
    integers: Integers | None = None,
) -> Ring | Modulo:
    """The servers of a pool of twemproxy (nutcracker).

    Parameters
    ----------
    nodes : sequence or array of str or bytes, shape (N,)
        The servers in any order: their names where they have some, else ``"host:port"`` or the
        path of a socket.
    weights : sequence or array, shape (N,), or mapping of id to number, optional
        The servers' weights, whole numbers from 1; 1 by default.
    distribution : {"ketama", "modula"}
        The pool's ``distribution``; ``random`` places no keys.
    hash_fn : str
        The pool's ``hash``: ``"fnv1a_64"``, as by default, ``"fnv1_64"``, ``"fnv1_32"``,
        ``"fnv1a_32"``, ``"one_at_a_time"``, ``"md5"``, ``"crc16"``, ``"crc32"``, ``"crc32a"``,
        ``"hsieh"``, ``"murmur"`` or ``"jenkins"``.
    hash_tag : str, optional
        The pool's ``hash_tag``, two characters.
    integers : one of `INTEGERS`, optional
        How the program writes integer keys; the protocols of memcached and Redis have only text.

    Returns
    -------
    Ring or Modulo
        A ring for ketama.

    Raises
    ------
    RVHError, RVHTypeError
        As `Modulo` for ids; a weight that is not such a number; an unknown distribution or hash;
        a tag that is not two characters.

    Notes
    -----
    The hashes are those of twemproxy on x86, where bytes above 127 enter some of them with their
    sign; ``fnv1_64`` and ``fnv1a_64`` have 32 bits, ``crc32`` has 15, and ``crc16`` keeps what a
    CRC-16 shifts out. Ketama's points are libmemcached's of ``ketama_weighted``, but of the names.
    Servers are sorted by the length of the name, then by the name. Where two points are equal,
    twemproxy leaves the winner to another sort; here it is the earlier server. With
    ``auto_eject_hosts``, servers that are ejected leave the pool: give the others alone. Redis's
    empty key is on the server of the hash 0, and here by its hash.

    Examples
    --------
    >>> from rvh.placements import twemproxy
    >>> servers = ["10.0.0.1:6379", "10.0.0.2:6379"]
    >>> twemproxy(servers, hash_tag="{}").lookup("{user:1}.name")
    ['10.0.0.1:6379']
    >>> twemproxy(servers, distribution="modula", hash_fn="crc16").lookup("user:1")
    ['10.0.0.1:6379']
    """
    one_of("distribution", distribution, ("ketama", "modula"))
    name = TWEMPROXY_HASHES[one_of("hash_fn", hash_fn, TWEMPROXY_HASHES)]
    names, ids = names_and_ids(nodes)
    servers = list(map(_twemproxy_name, names))
    order = sorted(range(len(servers)), key=lambda n: (len(servers[n]), servers[n]))
    for one, other in pairwise(order):
        if servers[one] == servers[other]:
            one, other = sorted((one, other))
            first, second = show(id_at(ids, one)), show(id_at(ids, other))
            raise RVHError(f"nodes {first} and {second} are one server: leave one out")
    numbers = whole_weights(weights, ids, "twemproxy", 1, 2**31 - 1)
    numbers = [numbers[n] for n in order]
    if distribution == "modula":
        return _repeated(ids[order], numbers, name, "twemproxy", integers, hash_tag)
    counts = ring_points.libmemcached_counts(numbers)
    points, owners = ring_points.of_digests(
        [servers[n] for n in order], counts, ring_points.KETAMA_POINTS
    )
    return Ring(ids, name, points, np.array(order)[owners], integers, tag=hash_tag)


def _twemproxy_name(name: bytes) -> bytes:
    """Rewrite a server as twemproxy hashes it: without port 11211; a path with its colon."""
    if name.startswith(b"/"):
        return name + b":"
    host, colon, port = name.rpartition(b":")
    return host if colon and port.isdigit() and int(port) == 11211 else name


def _repeated(
    ids: NDArray[Any],
    weights: list[int],
    hash_name: str,
    system: str,
    integers: Integers | None,
    tag: str | None = None,
) -> Modulo:
    """Give each server as many slots, one after another, as its weight."""
    check_count(sum(weights), 1, system)
    return Modulo(np.repeat(ids, weights), hash_name, tag=tag, integers=integers)
