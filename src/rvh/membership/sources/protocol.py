"""What a source is: anything that tells the whole state of its nodes, again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, Protocol, runtime_checkable

from rvh.errors import RVHError
from rvh.membership.meta import NodeMeta

__all__ = ["SAME", "Refused", "Same", "Source", "State", "Update"]


@dataclass(frozen=True, slots=True)
class State:
    """All nodes of a source at one moment.

    Parameters
    ----------
    nodes : sequence of NodeMeta
        In any order. Ids are unique.
    version : int, optional
        The source's own number of this state, 1 or more, which grows with each change and is the
        same for everyone who asks: a revision, an index. It becomes the epoch.
    accepted : str, optional
        The digest (`Snapshot.digest`) of a state that an operator has accepted at the source, for
        guards to let through.
    fingerprint : str, optional
        What `NodeSet.fingerprint` is of these nodes where the source places keys itself; a
        membership with another scheme or secret refuses the state.
    """

    nodes: Sequence[NodeMeta]
    version: int | None = None
    accepted: str | None = None
    fingerprint: str | None = None


class Same(Enum):
    """The source has answered, and nothing has changed since its last state."""

    SAME = "same"


SAME: Final = Same.SAME


@dataclass(frozen=True, slots=True)
class Refused:
    """The source has answered with something that is not a state; it goes on.

    Parameters
    ----------
    error : RVHError
        What is wrong, where, and what to do.
    """

    error: RVHError


#: what a source tells
Update = State | Literal[Same.SAME] | Refused


@runtime_checkable
class Source(Protocol):
    """Anything that nodes come from.

    `watch` is an async generator. It runs on the event loop of the membership's own thread, so it
    must not block. What it remembers from one call to the next belongs on this object; give each
    membership a source of its own.

    1. It begins with a `State`, or with `SAME` where it knows that nothing has changed since the
       last `State` that this object gave. It yields another `State` after every change: the whole
       state, all of a transaction at once. Several changes may come as one state; the last is
       never left out.
    2. It yields `SAME` whenever the source confirms that nothing has changed, at least every
       `silence` seconds. A connection that is silent for longer than it should be is an error.
    3. It yields `Refused` for an answer that is not a state, and goes on.
    4. It raises when the connection is lost. The membership waits, then calls `watch` again. What
       changed meanwhile is in the first state.
    5. It closes all it has opened when it is closed or cancelled.

    `rvh.membership.conformance.check_source` tests a source against these rules.
    """

    @property
    def name(self) -> str:
        """The source as messages and metrics name it, without secrets."""
        ...

    def watch(self) -> AsyncIterator[Update]:
        """Tell the state of the nodes, and every change, until it is closed."""
        ...
