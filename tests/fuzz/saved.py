"""What rvh has written and reads back: tables, states, views, manifests, figures, tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fuzz.harness import Target, workplace

import rvh
from rvh.bench import results
from rvh.cli import main, manifest
from rvh.membership import NodeMeta, Publisher, Smoother
from rvh.migration import Coordinator, Migration, Plan, View
from rvh.partitions import PartitionTable
from rvh.rpc.pem import check_authorities, check_pair
from rvh.rpc.tokens import Tokens

NODES = ["a", "b", "c"]
#: a certificate, whose key nobody has
CERTIFICATE = b"""\
-----BEGIN CERTIFICATE-----
MIIBbTCCAROgAwIBAgIUVsjlAKpsJ8y1vb/G8onVUuDQk4wwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAeFw0yNjExMjgwMDUwMTFaFw0zNjExMjUwMDUwMTFaMAwx
CjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQoAwFg3ovvIJho
7crfaDAr3RVpy3fcOrRpYXlVoLmn1EP8C7Ma/AhX+QwvJYPcZEjlWol9IX26RKY4
3ZhC8v//o1MwUTAdBgNVHQ4EFgQUwpTYQXVtg5WBBMthmHkUz1F53qswHwYDVR0j
BBgwFoAUwpTYQXVtg5WBBMthmHkUz1F53qswDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNIADBFAiAwAnfSI6G8pZMQubqAocqiEGiV+FWd+7aJmaKrDNul2wIh
AMe1VmKmqBc0PTNgN4MOb7xpi3ENWEJCjyJbMAq6ea7l
-----END CERTIFICATE-----
"""
MIGRATION = Migration(rvh.NodeSet(NODES), rvh.NodeSet([*NODES, "d"]), 2)


def read(kind: str, data: bytes) -> Any:
    """Read a file as what reads it does, and use what it is."""
    with workplace():
        Path("file").write_bytes(data)
        return READERS[kind]()


def table() -> Any:
    made = PartitionTable.load("file", NODES)
    return made, made.lookup_batch(["x", "y"])


def coordinator() -> Any:
    made = Coordinator.resume(MIGRATION, "file")
    return made.phase, made.progress, made.view(), made.waiting, len(list(made.left()))


def view() -> Any:
    found = View.from_json(Path("file").read_bytes())
    assert View.from_json(found.to_json()) == found
    return found


def publisher() -> Any:
    made = Publisher("nodes.json", state="file")
    return made.publish([NodeMeta("a", rtt=0.01)]).epoch, made.settling


def plan() -> Any:
    made = Plan.resume(MIGRATION, loaded())
    return made.progress, len(list(made.left()))


def smoother() -> Any:
    made = Smoother.from_state(loaded())
    return made.update({"a": 2.0, "new": 3.0}), made.state()


def loaded() -> Any:
    """JSON that a program has kept by itself."""
    try:
        return json.loads(Path("file").read_bytes())
    except (ValueError, RecursionError):
        return None


def folder() -> Any:
    Path("file").rename(manifest.NAME)
    return manifest.read(".").text()


def tokens() -> Any:
    Path("file").chmod(0o600)
    return Tokens("file").allows([("authorization", "Bearer 0123456789abcdef")])


def figures() -> Any:
    return results.read_csv(Path("file"))


def pair() -> Any:
    return check_pair("file", "file")


def authorities() -> Any:
    return check_authorities("file")


READERS = {
    each.__name__: each
    for each in (
        *(table, coordinator, view, publisher, plan, smoother, folder, figures),
        *(tokens, pair, authorities),
    )
}


def made() -> dict[str, list[bytes]]:
    """What rvh writes."""
    with workplace() as here:
        PartitionTable(NODES, 16).save("table")
        coordinator = Coordinator(MIGRATION, 4, "coordinator")
        coordinator.workers(["w"])
        coordinator.acknowledge("w", coordinator.view().epoch)
        coordinator.advance()
        plan = MIGRATION.plan(4)
        plan.finish(1)
        smoother = Smoother()
        for level in (4.0, 5.0, 4.0, 4.5):
            smoother.update({"a": level, "b": None})
        Publisher("nodes.json", state="publisher").publish([NodeMeta("a", rtt=0.02)])
        Path("keys.csv").write_text("id\nx\ny\n")
        assert main(["split", "keys.csv", "-n", "a,b", "-K", "id", "-qo", "folder"]) == 0
        row = results.Row(
            results.Workload("a/b", "f", "murmur", 3, 10, 1, "str", False, 1),
            results.Figures(3, 0.5, 0.25, 20.0),
            results.Environment("1", "native", "avx2", "x", "3", "2"),
        )
        seeds = {
            "table": [Path("table").read_bytes()],
            "coordinator": [Path("coordinator").read_bytes()],
            "publisher": [Path("publisher").read_bytes()],
            "view": [coordinator.view().to_json().encode()],
            "plan": [json.dumps(plan.state()).encode()],
            "smoother": [json.dumps(smoother.state()).encode()],
            "folder": [(here / "folder" / manifest.NAME).read_bytes()],
            "figures": [results.csv_text([row]).encode()],
            "pair": [CERTIFICATE],
            "authorities": [CERTIFICATE],
            "tokens": [b"# old\n0123456789abcdef\n"],
        }
    return seeds


TARGET = Target("saved", read, made(), has_twin=True)
