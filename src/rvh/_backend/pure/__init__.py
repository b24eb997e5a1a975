"""The pure-Python twin: the placement contract in plain Python, a file for each subject.

It is the second oracle of the test suite and the backend where no extension was built. It has
the names of `contract.NAMES`, takes the same arguments as the compiled module and gives the same
answers and the same errors. Read these files to know what rvh computes: `schemes` first.
"""

from __future__ import annotations

from rvh._backend.pure.buckets import jump as jump
from rvh._backend.pure.buckets import jump_one as jump_one
from rvh._backend.pure.buckets import jumpback as jumpback
from rvh._backend.pure.buckets import jumpback_one as jumpback_one
from rvh._backend.pure.cache import Cache as Cache
from rvh._backend.pure.chains import chain_point as chain_point
from rvh._backend.pure.chains import chain_points as chain_points
from rvh._backend.pure.isa import isa_active as isa_active
from rvh._backend.pure.isa import isa_available as isa_available
from rvh._backend.pure.matching import Matching as Matching
from rvh._backend.pure.measuring import neg_log as neg_log
from rvh._backend.pure.measuring import rank_scores as rank_scores
from rvh._backend.pure.messages import decode_batch as decode_batch
from rvh._backend.pure.messages import decode_flat_batch as decode_flat_batch
from rvh._backend.pure.messages import decode_key as decode_key
from rvh._backend.pure.partitions import lookup as lookup
from rvh._backend.pure.partitions import lookup_one as lookup_one
from rvh._backend.pure.points import key_point as key_point
from rvh._backend.pure.points import key_points as key_points
from rvh._backend.pure.prefixes import Prefixes as Prefixes
from rvh._backend.pure.ring import RingPoints as RingPoints
from rvh._backend.pure.rows import object_members as object_members
from rvh._backend.pure.rows import object_values as object_values
from rvh._backend.pure.rows import whole_rows as whole_rows
from rvh._backend.pure.selection import PreparedNodes as PreparedNodes
from rvh._backend.pure.selection import ascending as ascending
from rvh._backend.pure.selector import Selector as Selector
from rvh._backend.pure.spans import compose as compose
from rvh._backend.pure.spans import distinct as distinct
from rvh._backend.pure.spans import pack as pack
from rvh._backend.pure.stopping import Cancel as Cancel
