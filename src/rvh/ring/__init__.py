"""Rings, for those who leave one: to the bit as elsewhere, and a ring's methods over a NodeSet.

On a ring, every node has points, and a key belongs to the node of the first point at or after its
hash. `ketama`, `libmemcached`, `nginx`, `uhashring` and `hash_ring` make the rings of those
systems, `Ring.from_tokens` any other; `RingFace` has the methods of Python's ring libraries and
places by rendezvous hashing; and `Migration` gets keys from one to the other.
"""

from rvh._backend.contract import HASHES
from rvh._columns.integers import INTEGERS
from rvh._public import exported_by
from rvh.migration import Migration, Moved, Phase, Plan, Route, Step
from rvh.ring.face import RingFace
from rvh.ring.ring import Ring
from rvh.ring.systems import hash_ring, ketama, libmemcached, nginx, uhashring

__all__ = [
    "HASHES",
    "INTEGERS",
    "Migration",
    "Moved",
    "Phase",
    "Plan",
    "Ring",
    "RingFace",
    "Route",
    "Step",
    "hash_ring",
    "ketama",
    "libmemcached",
    "nginx",
    "uhashring",
]

exported_by(__name__, Ring, RingFace, hash_ring, ketama, libmemcached, nginx, uhashring)
