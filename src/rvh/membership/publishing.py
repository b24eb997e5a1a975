"""A publisher: it makes the weights of nodes once, and writes them where everyone reads them.

Clients that weigh nodes by what each of them measures disagree about where keys are. So one
process weighs, and all others read its weights.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple, TypeAlias, cast

import msgspec
from msgspec.structs import replace

from rvh._arguments.numbers import positive_seconds
from rvh._runtime.replacing import replacing
from rvh.errors import RVHError, show
from rvh.membership.changes import Moved, share_moved
from rvh.membership.documents import read_document
from rvh.membership.listening import as_source, reason_of, run_apart, words_of
from rvh.membership.membership import Membership
from rvh.membership.meta import NodeMeta
from rvh.membership.smoothing import Smoother
from rvh.membership.snapshot import Snapshot, take_snapshot
from rvh.membership.sources import Source, State
from rvh.membership.weighing import weigh_by

__all__ = ["Published", "Publisher"]

#: the format of a publisher's state
FORMAT = "rvh publisher 1"


class Published(NamedTuple):
    """What a publication has done.

    Parameters
    ----------
    epoch : int or None
        The number of what the target holds now.
    snapshot : Snapshot
        The nodes that the target holds now.
    is_new : bool
        Whether it was written; False where the target held the same already.
    moved : Moved or None
        The share of all keys that moves, for k=1; None where there were no nodes before.
    """

    epoch: int | None
    snapshot: Snapshot
    is_new: bool
    moved: Moved | None


#: what a publisher that follows tells
Report: TypeAlias = Published | RVHError


class Publisher:
    """Writes nodes and their weights to a target that everyone reads.

    The target holds the document ``{"epoch": n, "nodes": [...]}``. It is only written where its
    content changes, and every writing has a higher epoch. Let one publisher write to a target.

    Measures that are smoothed are published as they are applied (see `Smoother`), so measurements
    that wobble change no document.

    Parameters
    ----------
    target : Source or str
        A source that can be written, or its URL: a file that ends in .json, one key of etcd, a
        string of Redis.
    weigh : sequence of str
        The measures that the weights are made of, as for `weigh_by`. Without any, the nodes keep
        the weights that they have.
    exponents, bounds
        As for `weights_from`.
    smooth : sequence of str
        The measures that are measurements. The others are taken as they are told.
    state : path-like, optional
        A file that keeps the smoothed measures and the epoch for the next process. It is written
        atomically, after each publication.
    timeout : float
        Seconds to wait for the target.

    Raises
    ------
    RVHError
        A target that cannot be written, a measure that is not known, a state that is damaged or
        of another target.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from rvh.membership import NodeMeta, Publisher, read_once
    >>> folder = tempfile.TemporaryDirectory()
    >>> target = pathlib.Path(folder.name, "nodes.json")
    >>> publisher = Publisher(str(target), weigh=["capacity"])
    >>> nodes = [NodeMeta("a", capacity=8), NodeMeta("b", capacity=24)]
    >>> publisher.publish(nodes).epoch, publisher.publish(nodes).is_new
    (1, False)
    >>> read_once(str(target)).nodes.weights
    array([0.5, 1.5])
    >>> folder.cleanup()
    """

    def __init__(
        self,
        target: Source | str,
        *,
        weigh: Sequence[str] = (),
        exponents: Mapping[str, float] | None = None,
        bounds: tuple[float, float] | None = None,
        smooth: Sequence[str] = ("rtt",),
        state: str | os.PathLike[str] | None = None,
        timeout: float = 10.0,
    ) -> None:
        self._target: Any = as_source(target)
        if not hasattr(self._target, "publish"):
            raise RVHError(
                f"{self.name} cannot be written: publish to a file (nodes.json), to etcd "
                "(etcd://HOST/KEY) or to Redis (redis://HOST/0?key=KEY), and let the others read "
                "there"
            )
        self._weigh = weigh_by(*weigh, exponents=exponents, bounds=bounds) if weigh else None
        self._measures = tuple(weigh)
        if smooth:
            weigh_by(*smooth)  # raises the error about a name
        self._timeout = positive_seconds(timeout, "timeout")
        self._file = None if state is None else Path(state)
        self._epoch = 0
        self._smoothers = {name: Smoother() for name in smooth}
        if self._file is not None:
            if os.path.realpath(self._file) == os.path.realpath(
                getattr(self._target, "path", os.devnull)
            ):
                raise RVHError(
                    f"the state {self._file} is the target too, which it would overwrite: name "
                    "another file"
                )
            self._restore(self._file)

    @property
    def name(self) -> str:
        """The target as messages name it, without secrets."""
        name: str = self._target.name
        return name

    @property
    def target(self) -> Source:
        """Where it writes."""
        return cast("Source", self._target)

    @property
    def settling(self) -> tuple[str, ...]:
        """The nodes with a smoothed measure that weighs and is not settled: `Smoother.settling`.

        Their weights will change once more without a change of the node.
        """
        found = {
            node: None
            for name, smoother in self._smoothers.items()
            for node in smoother.settling
            if name in self._measures and smoother.applied[node] is not None
        }
        return tuple(found)

    def publish(self, nodes: Sequence[NodeMeta], *, is_sample: bool = True) -> Published:
        """Write nodes and their weights, unless the target holds just that.

        Parameters
        ----------
        nodes : sequence of NodeMeta
            All nodes, with their measures of this moment.
        is_sample : bool
            Whether the measures count as one more measurement of each node; otherwise only those
            of nodes that are new do. Samples should be as far apart as the measurements are.

        Returns
        -------
        Published

        Raises
        ------
        RVHError
            Nodes that make no snapshot (none selectable, weights of 0, ...), a measure that cannot
            be used, a target that cannot be reached or is written by another.
        """
        data = msgspec.json.encode(self._weighed(nodes, is_sample))
        after = take_snapshot(read_document("the document to publish", data).nodes)
        try:
            published = run_apart(lambda: self._write(after))
        except RVHError:
            raise
        except Exception as error:
            raise RVHError(f"{self.name} cannot be written: {reason_of(error)}") from error
        self._epoch = max(self._epoch, published.epoch or 0)
        if self._file is not None:
            self._keep(self._file)
        return published

    def follow(
        self,
        membership: Membership,
        report: Callable[[Report], object],
        *,
        every: float = 15.0,
        stop: threading.Event | None = None,
    ) -> None:
        """Publish the nodes of a membership, again after each change, until `stop` is set.

        Parameters
        ----------
        membership : Membership
            Where nodes and measures come from.
        report : callable
            Takes what was published, and the errors of a target that is away, which is tried again.
        every : float
            Seconds between two samples of the measures: as far apart as the measurements are.
        stop : threading.Event, optional

        Notes
        -----
        A change is published at once, but counts as a sample for new nodes only; so does what is
        known while the source is away. At each sample a target that has lost what it had gets it
        again.
        """
        news = threading.Event()
        unsubscribe = membership.subscribe(lambda change: news.set())
        sample = monotonic()
        try:
            while stop is None or not stop.is_set():
                news.clear()
                is_due = monotonic() >= sample
                if is_due:
                    sample = monotonic() + every
                # While the source is away, its last measurements must not count again and again.
                is_sample = is_due and membership.stats.error is None
                try:
                    report(self.publish(membership.snapshot.members, is_sample=is_sample))
                except RVHError as error:
                    report(error)
                while not news.is_set() and monotonic() < sample:
                    if stop is not None and stop.is_set():
                        return
                    news.wait(min(0.25, max(sample - monotonic(), 0.0)))
        finally:
            unsubscribe()

    # -- weights ----------------------------------------------------------------------------------

    def _weighed(self, nodes: Sequence[NodeMeta], is_sample: bool) -> list[NodeMeta]:
        """The nodes with the measures that are applied, and the weights that they make."""
        made = list(nodes)
        for name, smoother in self._smoothers.items():
            known = {} if is_sample else smoother.applied
            applied = smoother.update(
                {
                    node.id: getattr(node, name) if known.get(node.id) is None else None
                    for node in nodes
                }
            )
            made = [replace(node, **{name: applied[node.id]}) for node in made]
        if self._weigh is None:
            return made
        chosen = [node for node in made if node.rule.keeps]
        weights = self._weigh(chosen)
        assert weights is not None
        weight_of = dict(zip([node.id for node in chosen], weights.tolist(), strict=True))
        return [replace(node, weight=weight_of.get(node.id)) for node in made]

    # -- the target -------------------------------------------------------------------------------

    async def _write(self, after: Snapshot) -> Published:
        async with asyncio.timeout(self._timeout):
            present = await self._present()
            before = _snapshot(present)
            epoch = None if present is None else present.version
            if before is not None and before.digest == after.digest:
                return Published(epoch, before, False, Moved(0.0, True))
            document = msgspec.json.encode({"nodes": after.members})
            # The target numbers it, as it may know a higher epoch than its content tells. That
            # counts even if what was written is lost at once: a reader may have seen it.
            self._epoch = await self._target.publish(document, self._epoch)
            written = await self._present()
        found = _snapshot(written)
        if written is None or found is None or found.digest != after.digest:
            raise RVHError(
                f"{self.name} holds something else than was written: let one publisher write there"
            )
        moved = None if before is None else share_moved(before.nodes, after.nodes)
        return Published(written.version, after, True, moved)

    async def _present(self) -> State | None:
        """What the target holds; None where that is nothing, or no state."""
        try:
            async with aclosing(words_of(self._target)) as words:
                word = await anext(words)
        except (FileNotFoundError, RVHError):
            return None
        return word if isinstance(word, State) else None

    # -- the state --------------------------------------------------------------------------------

    def _keep(self, path: Path) -> None:
        saved = {
            "format": FORMAT,
            "target": self.name,
            "epoch": self._epoch,
            "smoothers": {name: each.state() for name, each in self._smoothers.items()},
        }
        try:
            with replacing(path) as file:
                file.write(json.dumps(saved).encode() + b"\n")
        except OSError as error:
            raise RVHError(
                f"the state {path} cannot be written: {error.strerror}: without it the next "
                "publisher begins anew"
            ) from None

    def _restore(self, path: Path) -> None:
        try:
            saved = json.loads(path.read_bytes())
        except FileNotFoundError:
            return
        except OSError as error:
            raise RVHError(f"the state {path} cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            raise RVHError(f"the state {path} is damaged: {error}: {ANEW}") from None
        if not isinstance(saved, dict) or saved.get("format") != FORMAT:
            raise RVHError(f"{path} is not a state of a publisher: name another file")
        if saved.get("target") != self.name:
            raise RVHError(
                f"the state {path} is that of {show(saved.get('target'))}, and this publishes to "
                f"{self.name}: give each target a state of its own"
            )
        try:
            epoch, states = saved["epoch"], saved["smoothers"]
            if not isinstance(epoch, int) or epoch < 0:
                raise RVHError(f"its epoch is {show(epoch)}")
            for name in self._smoothers.keys() & states.keys():
                self._smoothers[name] = Smoother.from_state(states[name])
        except (RVHError, KeyError, TypeError, AttributeError) as error:
            raise RVHError(f"the state {path} is damaged: {error}: {ANEW}") from None
        self._epoch = epoch


#: what to do about a state that is damaged
ANEW = "delete it to begin anew, which may move keys"


def _snapshot(state: State | None) -> Snapshot | None:
    """The snapshot of a state; None where it makes none."""
    if state is None:
        return None
    try:
        return take_snapshot(state.nodes)
    except RVHError:
        return None
