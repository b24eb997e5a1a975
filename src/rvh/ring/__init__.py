"""Consistent-hashing rings, and the way from a ring to rendezvous hashing.

On a ring, every node has points, and a key belongs to the node of the first point at or after its
hash. `ketama`, `libmemcached`, `nginx`, `uhashring` and `hash_ring` make the same rings as those
systems, bit for bit; `Ring.from_tokens` makes any other. `RingFace` has the methods of Python's
ring libraries, and places keys by rendezvous hashing. `Migration` moves keys from one placement to
another.
"""

from rvh._backend.contract import HASHES
from rvh._columns.integers import INTEGERS
from rvh._public import exported_by
from rvh.migration import Migration, MigrationAt, Moved, Phase, Plan, Route, Step
from rvh.ring.face import RingFace
from rvh.ring.ring import Ring
from rvh.ring.systems import hash_ring, ketama, libmemcached, nginx, uhashring

__all__ = [
    "HASHES",
    "INTEGERS",
    "Migration",
    "MigrationAt",
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
