"""Who the nodes are: the current nodes of a file, a service registry or a database.

A `Membership` follows a source in the background and keeps one snapshot of it, ready for keys.
It needs ``pip install 'rvh[membership]'``, and some sources a library more.

>>> from rvh.membership import NodeMeta, take_snapshot
>>> take_snapshot([NodeMeta("a"), NodeMeta("b")]).nodes.select("user:1")
['b']
"""

from rvh.membership.changes import Change, Moved, share_moved
from rvh.membership.documents import Document, read_document
from rvh.membership.listening import read_once
from rvh.membership.membership import Membership, Stats
from rvh.membership.meta import STATUSES, NodeMeta, Status
from rvh.membership.publishing import Published, Publisher
from rvh.membership.smoothing import Smoother
from rvh.membership.snapshot import Snapshot, take_snapshot
from rvh.membership.sources import SAME, Refused, Source, State, open_source
from rvh.membership.weighing import given_weights, weigh_by

__all__ = [
    "SAME",
    "STATUSES",
    "Change",
    "Document",
    "Membership",
    "Moved",
    "NodeMeta",
    "Published",
    "Publisher",
    "Refused",
    "Smoother",
    "Snapshot",
    "Source",
    "State",
    "Stats",
    "Status",
    "given_weights",
    "open_source",
    "read_document",
    "read_once",
    "share_moved",
    "take_snapshot",
    "weigh_by",
]
