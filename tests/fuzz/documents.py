"""Documents of nodes in each format, the metadata of one node, and what registries answer."""

from __future__ import annotations

import json
from typing import Any

import httpx
import msgspec
from fuzz.harness import Target

from rvh.membership import NodeMeta, Smoother, Status, read_document, take_snapshot
from rvh.membership.documents import read_node
from rvh.membership.sources import web
from rvh.membership.sources.consul import ConsulSource
from rvh.membership.sources.kubernetes import KubernetesSource
from rvh.membership.sources.protocol import Refused

NODES = [
    NodeMeta("a", address="10.0.0.1:80", status=Status.SUSPECT, weight=1.5, stake=0.0, rtt=0.01),
    NodeMeta(
        "b", weight=0.0, capacity=3.0, zone="eu", rack="r1", geohash="u09t", labels={"os": "x"}
    ),
]
JSON = msgspec.json.encode({"nodes": NODES, "epoch": 7})
TOML = b"""epoch = 3
[[nodes]]
id = "a"
weight = 1.5
status = "dead"
labels = {os = "linux"}
[[nodes]]
id = "b"
weight = 2
rtt = 1e-2
"""
YAML = b"- id: a\n  weight: 1.5\n  labels: {os: linux}\n- {id: 'b', zone: eu, weight: 0.5}\n"
CSV = b"address,id,status,weight,rtt,zone,labels.os\n1.1.1.1,a,dead,1.5,1e-2,eu,linux\n,b,,2,,,\n"
ENTRIES: list[dict[str, Any]] = [
    {
        "Node": {"Node": "m1", "Address": "10.0.0.1", "Meta": {"zone": "eu"}},
        "Service": {
            "ID": "web-1",
            "Port": 80,
            "Meta": {"rack": "r"},
            "Weights": {"Passing": 3, "Warning": 1},
        },
        "Checks": [{"CheckID": "serfHealth", "Status": "passing"}],
    }
]
SLICE: dict[str, Any] = {
    "metadata": {"name": "web-1", "resourceVersion": "7"},
    "addressType": "IPv4",
    "endpoints": [
        {
            "addresses": ["10.0.0.1"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": {"kind": "Pod", "name": "web-0"},
            "zone": "eu",
            "nodeName": "m1",
        }
    ],
    "ports": [{"name": "http", "port": 80}],
}
SMOOTHER = Smoother()
for _ in range(3):
    SMOOTHER.update({"a": 4.0, "b": None})


CONSUL = ConsulSource("http://127.0.0.1:8500", "web", zone="zone", rack="rack", weights=True)
KUBERNETES = KubernetesSource("default", "web")


def read(kind: str, data: bytes) -> Any:
    """Nodes, and the snapshot that a program makes of them."""
    if kind == "node":
        return read_node("there", "a", data)
    if kind == "consul":
        return said(CONSUL._state(web.Answer(200, httpx.Headers(), data), 7))
    if kind == "kubernetes":
        slices: dict[str, Any] = {}
        KUBERNETES._put(slices, msgspec.Raw(data))
        return said(KUBERNETES._state(slices, "7"))
    nodes, epoch = read_document("there", data, kind)
    return epoch, take_snapshot(nodes).digest


def said(update: Any) -> Any:
    """What a source says of an answer."""
    if isinstance(update, Refused):
        raise update.error
    return take_snapshot(update.nodes).digest


TARGET = Target(
    "documents",
    read,
    {
        "json": [JSON, b'["a", "b"]'],
        "toml": [TOML],
        "yaml": [YAML],
        "csv": [CSV],
        "tsv": [CSV.replace(b",", b"\t")],
        "node": [msgspec.json.encode({"zone": "eu", "weight": 2, "labels": {"a": "b"}})],
        "consul": [json.dumps(ENTRIES).encode()],
        "kubernetes": [json.dumps(SLICE).encode()],
    },
)
