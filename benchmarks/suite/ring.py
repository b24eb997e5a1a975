"""Lookups on rings, the face of one, migrations."""

from __future__ import annotations

from . import data
from .common import SETS, Timed, force, node_set, part

KEYS = 65_536


class Ring(Timed):
    """Keys on a ketama ring, by instruction set, and on nginx's."""

    param_names = ("isa", "kind")
    params = (SETS, ["ketama", "nginx"])

    def setup(self, isa: str, kind: str) -> None:
        force(isa)
        self.ring = part("rvh.ring", kind)(data.ids(64))
        self.keys = data.KEYS["S"](KEYS)

    def time_arglookup(self, *_: object) -> None:
        self.ring.arglookup_batch(self.keys, threads=1)


class Face(Timed):
    """One key a call."""

    def setup(self) -> None:
        self.face = part("rvh.ring", "RingFace")(data.ids(64))
        self.keys = data.KEYS["list of str"](1000)

    def time_get_node(self) -> None:
        get_node = self.face.get_node
        for key in self.keys:
            get_node(key)


class Migrating(Timed):
    """Owners at a progress, from a ring to a set."""

    def setup(self) -> None:
        ring = part("rvh.ring", "ketama")(data.ids(64))
        self.migration = part("rvh.ring", "Migration")(ring, node_set(data.ids(64), "murmur"))
        self.keys = data.KEYS["S"](KEYS)

    def time_owners(self) -> None:
        self.migration.owners_batch(self.keys, 0.5, threads=1)


class Routing(Timed):
    """Routes of one key a call, in each phase."""

    param_names = ("phase",)
    params = (["before", "copying", "switching", "after"],)

    def setup(self, phase: str) -> None:
        ring = part("rvh.ring", "ketama")(data.ids(64))
        self.migration = part("rvh.ring", "Migration")(ring, node_set(data.ids(64), "murmur"))
        self.keys = data.KEYS["list of str"](1000)

    def time_route(self, phase: str) -> None:
        route = self.migration.route
        for key in self.keys:
            route(key, phase, 0.5)
