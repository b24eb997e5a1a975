"""What a worker has to know of a migration at one moment, as JSON between machines."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any, NamedTuple

from rvh._columns.values import is_whole
from rvh._placing import id_bytes
from rvh.errors import RVHError, RVHTypeError, show
from rvh.migration.crossing import crossing_limit
from rvh.migration.phases import Phase

__all__ = ["View", "id_from_json", "id_to_json", "progress_from_json", "progress_to_json"]


#: a progress that is a fraction, as text
FRACTION = re.compile("[0-9]{1,1000}(/0*[1-9][0-9]{0,1000})?")


class View(NamedTuple):
    """A migration as a coordinator has it at one epoch; a worker routes by it.

    Parameters
    ----------
    epoch : int
        It grows with every change.
    phase : Phase
    progress : float or Fraction
    marks : bool
        Whether a delete leaves a mark.
    dead : tuple
        The ids of the nodes that have died.
    kept : tuple of str
        Fingerprints of the new placements that were given up, oldest first.
    new : str
        The fingerprint of the new placement.

    Examples
    --------
    >>> from rvh import NodeSet
    >>> from rvh.migration import Coordinator, Migration, View
    >>> coordinator = Coordinator(Migration(NodeSet(["a"]), NodeSet(["b"])), steps=10)
    >>> view = View.from_json(coordinator.view().to_json())
    >>> view.epoch, view.phase, view.marks
    (1, <Phase.BEFORE: 'before'>, False)
    """

    epoch: int
    phase: Phase
    progress: float | Fraction
    marks: bool
    dead: tuple[Any, ...]
    kept: tuple[str, ...]
    new: str

    def to_json(self) -> str:
        """Return the view as a line of JSON."""
        return json.dumps(
            {
                **self._asdict(),
                "progress": progress_to_json(self.progress),
                "dead": [id_to_json(node) for node in self.dead],
            }
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> View:
        """Return the view that `to_json` wrote.

        Raises
        ------
        RVHError
            A text that is not a view.
        """
        try:
            fields = json.loads(text)
            view = cls(**fields)
            phase, progress = Phase(view.phase), progress_from_json(view.progress)
            dead = tuple(id_from_json(node) for node in view.dead)
            whole = is_whole(view.epoch) and isinstance(view.marks, bool)
            listed = isinstance(view.kept, list) and isinstance(view.dead, list)
            if not (
                whole and listed and all(isinstance(one, str) for one in [*view.kept, view.new])
            ):
                raise RVHTypeError("a field of another type")
        except (TypeError, ValueError, RecursionError):
            raise RVHError(
                f"{show(text)} is not a view: pass what View.to_json() returned"
            ) from None
        return view._replace(phase=phase, progress=progress, dead=dead, kept=tuple(view.kept))


def progress_to_json(progress: float | Fraction) -> float | str:
    """Return a progress for JSON: a fraction as text."""
    return str(progress) if isinstance(progress, Fraction) else float(progress)


def progress_from_json(value: Any) -> float | Fraction:
    """Return the progress that `progress_to_json` gave."""
    progress: float | Fraction = value
    if isinstance(value, str):
        if not FRACTION.fullmatch(value):  # others may be divided by 0, or take for ever to read
            raise RVHError(f"progress is {show(value)}: pass a fraction, as '1/2'")
        progress = Fraction(value)
    crossing_limit(progress)  # rejects what is not a progress
    return progress


def id_to_json(node: Any) -> str | dict[str, str]:
    """Return a node id for JSON: bytes as their hexadecimal digits."""
    return node if isinstance(node, str) else {"bytes": id_bytes(node).hex()}


def id_from_json(value: Any) -> Any:
    """Return the node id that `id_to_json` gave."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("bytes"), str):
        return bytes.fromhex(value["bytes"])
    raise RVHError(f"{show(value)} is not a node id")
