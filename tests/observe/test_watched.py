"""Caches and memberships in the metrics: by name, for as long as they live."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any

import pytest

from rvh import RVHError, RVHTypeError, observe
from rvh.cache import SelectionCache
from rvh.observe.metrics import METRICS


def points(name: str) -> dict[Any, Any]:
    (metric,) = (each for each in METRICS if each.name == name)
    return dict(metric.read())


def cache() -> SelectionCache:
    return SelectionCache(["a", "b"], maxsize=2)


def test_a_cache_is_read_when_asked_for_and_let_go() -> None:
    one = cache()
    observe.watch(one, "sessions")
    one.select_batch(["x", "y", "x", "z"])
    assert points("rvh.cache.hits") == {("sessions",): 1}
    assert points("rvh.cache.misses") == {("sessions",): 3}
    assert points("rvh.cache.evictions") == {("sessions",): 1}
    assert points("rvh.cache.entries") == {("sessions",): 2}
    assert points("rvh.cache.size") == {("sessions",): one.info().bytes}
    del one
    gc.collect()
    assert points("rvh.cache.hits") == {}


def test_names_are_unique_among_the_living() -> None:
    one, other = cache(), cache()
    observe.watch(one, "sessions")
    observe.watch(one, "sessions")
    with pytest.raises(RVHError, match="name 'sessions' is taken"):
        observe.watch(other, "sessions")
    observe.unwatch(one)
    observe.watch(other, "sessions")
    observe.unwatch(other)
    assert points("rvh.cache.hits") == {}


@pytest.mark.parametrize("name", [None, "", 5])
def test_a_cache_needs_a_name(name: Any) -> None:
    with pytest.raises(RVHError, match=r"name is .*: give a name"):
        observe.watch(cache(), name)


@pytest.mark.parametrize("thing", [None, {}, SimpleNamespace(name="x", snapshot=None)])
def test_something_else(thing: Any) -> None:
    with pytest.raises(RVHTypeError, match="pass a SelectionCache or a Membership"):
        observe.watch(thing, "x")


def test_a_membership(tmp_path: Any) -> None:
    membership = pytest.importorskip("rvh.membership", reason="msgspec is not installed")
    path = tmp_path / "nodes.json"
    path.write_text('[{"id": "a"}, {"id": "b", "status": "draining"}, {"id": "c"}]')
    with membership.Membership(str(path)) as followed:
        observe.watch(followed)
        observe.watch(followed, "fleet")
        own = followed.name
        assert points("rvh.membership.nodes")["fleet", "alive"] == 2
        assert points("rvh.membership.nodes")["fleet", "draining"] == 1
        assert points("rvh.membership.nodes")[own, "dead"] == 0
        assert points("rvh.membership.epoch")[own,] == followed.snapshot.epoch
        assert 0 <= points("rvh.membership.age")["fleet",] < 60
        assert points("rvh.membership.connected")["fleet",] == 1
        assert points("rvh.membership.held")["fleet",] == 0
        for field in ("updates", "refused", "reconnects", "moved"):
            value = points(f"rvh.membership.{field}")["fleet",]
            assert value == getattr(followed.stats, field)
        observe.unwatch(followed)
    assert points("rvh.membership.epoch") == {}
