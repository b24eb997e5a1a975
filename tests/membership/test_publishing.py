"""A publisher: weights made once, smoothed, written where everyone reads them."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted import Scripted
from servers import until

import rvh
from rvh.membership import (
    Membership,
    NodeMeta,
    Published,
    Publisher,
    read_document,
    read_once,
    weigh_by,
)
from rvh.membership.sources.file import FileSource

NODES = [NodeMeta("a", rtt=0.01), NodeMeta("b", rtt=0.02), NodeMeta("c", rtt=0.01, status="dead")]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "nodes.json"


def test_weights_are_those_of_the_smoothed_measures(target: Path) -> None:
    publisher = Publisher(str(target), weigh=["rtt"], bounds=(0.1, 4))
    done = publisher.publish(NODES)
    snapshot = read_once(str(target))
    assert (done.epoch, done.is_new, done.moved) == (1, True, None)
    assert done.snapshot.digest == snapshot.digest
    applied = [snapshot[node.id] for node in NODES[:2]]
    assert [node.weight for node in applied] == weigh_by("rtt")(applied).tolist()  # type: ignore[union-attr]
    assert applied[0].rtt == pytest.approx(0.01, rel=0.03)
    assert applied[0].rtt != 0.01


@pytest.mark.parametrize("is_sample", [True, False])
def test_only_samples_count_as_measurements(target: Path, is_sample: bool) -> None:
    publisher = Publisher(str(target), weigh=["rtt"])
    for _ in range(32):
        publisher.publish(NODES)
    assert publisher.settling == ()
    doubled = [NodeMeta("a", rtt=0.02), *NODES[1:], NodeMeta("new", rtt=0.02)]
    done = [publisher.publish(doubled, is_sample=is_sample) for _ in range(30)]
    assert done[0].snapshot["new"].rtt == pytest.approx(0.02, rel=0.03)  # a new node has one
    before, after = (each.snapshot["a"].rtt for each in (done[0], done[-1]))
    assert before is not None
    assert after == pytest.approx(before * (2 if is_sample else 1), rel=0.05)


def test_measures_that_are_not_smoothed_count_at_once(target: Path) -> None:
    publisher = Publisher(str(target), weigh=["capacity"])
    for capacity in (8.0, 9.0):
        nodes = [NodeMeta("a", capacity=capacity), NodeMeta("b", capacity=8)]
        found = publisher.publish(nodes).snapshot
        assert found["a"].capacity == capacity
        assert found.nodes.weights is not None
        assert math.isclose(found.nodes.weights[0] / found.nodes.weights[1], capacity / 8)


def test_another_publisher(target: Path) -> None:
    class Contested(FileSource):
        async def publish(self, data: bytes, above: int = 0) -> int:
            epoch = await super().publish(data)
            await super().publish(b'["other"]')
            return epoch

    with pytest.raises(rvh.RVHError, match="holds something else than was written"):
        Publisher(Contested(target)).publish(NODES)


def test_an_epoch_is_not_used_again_where_what_was_written_is_lost(target: Path) -> None:
    class Forgetful(FileSource):
        async def publish(self, data: bytes, above: int = 0) -> int:
            epoch = await super().publish(data, above)
            if epoch == 1:
                self.path.unlink()
            return epoch

    publisher = Publisher(Forgetful(target))
    with pytest.raises(rvh.RVHError, match="holds something else than was written"):
        publisher.publish(NODES)
    assert publisher.publish(NODES).epoch == 2


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([], "there are no nodes"),
        (NODES[2:], "none of the 1 nodes is alive or suspect"),
        ([NodeMeta("a", rtt=math.nan)], "'a'"),
        ([NodeMeta("a"), NodeMeta("a")], "repeats the id 'a'"),
        ([NodeMeta("a", weight=-1)], r"\$\[0\]\.weight is -1"),
    ],
)
def test_nodes_that_cannot_be_published(target: Path, nodes: list[NodeMeta], words: str) -> None:
    publisher = Publisher(str(target))
    publisher.publish(NODES)
    before = target.read_bytes()
    with pytest.raises(rvh.RVHError, match=words):
        publisher.publish(nodes)
    assert target.read_bytes() == before


def test_a_change_is_published_at_once_and_a_target_is_tried_again(target: Path) -> None:
    source, told, stop = Scripted("a b"), [], threading.Event()  # type: ignore[var-annotated]
    publisher = Publisher(str(target))
    with Membership(source) as membership:
        follower = threading.Thread(
            target=lambda: publisher.follow(membership, told.append, every=0.2, stop=stop)
        )
        follower.start()
        try:
            until(lambda: len(told) == 1)
            source.say("a b c")
            until(lambda: getattr(told[-1], "epoch", None) == 2)  # and not once it is written
            target.unlink()
            target.mkdir()
            until(lambda: isinstance(told[-1], rvh.RVHError))
            assert f"file:{target} cannot be written: IsADirectoryError" in str(told[-1])
            target.rmdir()
            until(lambda: isinstance(told[-1], Published))
            epoch, nodes = told[-1].epoch, [*told[-1].snapshot.nodes]
            assert (epoch, nodes) == (3, ["a", "b", "c"])
        finally:
            stop.set()
            follower.join()


def test_measurements_of_a_source_that_is_away_do_not_count(target: Path) -> None:
    source, told, stop = Scripted([NodeMeta("a", rtt=0.01)]), [], threading.Event()  # type: ignore[var-annotated]
    publisher = Publisher(str(target), weigh=["rtt"])
    with Membership(source, backoff=(0.001, 0.01)) as membership:
        source.say(OSError("away"))
        until(lambda: membership.stats.error is not None)
        follower = threading.Thread(
            target=lambda: publisher.follow(membership, told.append, every=0.001, stop=stop)
        )
        follower.start()
        try:
            until(lambda: len(told) > 40)
            assert publisher.settling == ("a",)  # one measurement, and not 40
            source.say([NodeMeta("a", rtt=0.01)])
            until(lambda: publisher.settling == ())
        finally:
            stop.set()
            follower.join()


@pytest.mark.parametrize(
    "make",
    [
        lambda path: Publisher(Scripted("a b")),
        lambda path: Publisher(str(path), weigh=["load"]),
        lambda path: Publisher(str(path), smooth=["load"]),
        lambda path: Publisher("nodes.csv").publish(NODES),
    ],
)
def test_publishers_that_are_refused(target: Path, make: Callable[[Path], object]) -> None:
    with pytest.raises(rvh.RVHError, match=r"cannot be written|there is no measure|writes JSON"):
        make(target)


def test_a_state_does_not_overwrite_its_target(target: Path) -> None:
    with pytest.raises(rvh.RVHError, match="is the target too"):
        Publisher(str(target), state=target)


def test_a_state_that_is_nested_too_deeply(target: Path, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"[" * 9999)
    with pytest.raises(rvh.RVHError, match=f"the state {path} is damaged: .*: delete it"):
        Publisher(str(target), state=path)


def test_a_file_numbers_its_documents(target: Path) -> None:
    source = FileSource(target)

    def publish(data: bytes) -> int | None:
        asyncio.run(source.publish(data))
        return read_document("", target.read_bytes()).epoch

    assert publish(b'["a"]') == 1
    assert publish(b'["b"]') == 2
    assert publish(b'{"epoch": 7, "nodes": ["a"]}') == 7
    with pytest.raises(rvh.RVHError, match="has epoch 7: what is published has epoch 7, and has"):
        publish(b'{"epoch": 7, "nodes": ["b"]}')
    with pytest.raises(rvh.RVHError, match="the document to publish"):
        publish(b'{"epoch": 8}')
