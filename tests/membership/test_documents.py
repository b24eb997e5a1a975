"""Documents of nodes: every format, every error with its place, and no crash by any bytes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rvh
from rvh.membership import NodeMeta, Status, read_document
from rvh.membership.documents import FORMATS, read_node

FULL = NodeMeta(
    "cache-1",
    address="10.0.0.1:11211",
    status=Status.SUSPECT,
    weight=1.5,
    stake=0.0,
    capacity=3.0,
    rtt=0.01,
    zone="eu-1",
    rack="r1",
    geohash="u09t",
    labels={"os": "linux"},
)
DOCUMENTS = {
    "json": """[{"id": "cache-1", "address": "10.0.0.1:11211", "status": "suspect", "weight": 1.5,
        "stake": 0, "capacity": 3, "rtt": 0.01, "zone": "eu-1", "rack": "r1", "geohash": "u09t",
        "labels": {"os": "linux"}}, "b"]""",
    "toml": """
        [[nodes]]
        id = "cache-1"
        address = "10.0.0.1:11211"
        status = "suspect"
        weight = 1.5
        stake = 0
        capacity = 3
        rtt = 0.01
        zone = "eu-1"
        rack = "r1"
        geohash = "u09t"
        labels = {os = "linux"}
        [[nodes]]
        id = "b"
    """,
    "yaml": """
- id: cache-1
  address: 10.0.0.1:11211
  status: suspect
  weight: 1.5
  stake: 0
  capacity: 3
  rtt: 0.01
  zone: eu-1
  rack: r1
  geohash: u09t
  labels: {os: linux}
- b
""",
    "csv": "address,id,status,weight,stake,capacity,rtt,zone,rack,geohash,labels.os\n"
    "10.0.0.1:11211,cache-1,suspect,1.5,0,3,1e-2,eu-1,r1,u09t,linux\n"
    ",b,,,,,,,,,\n",
}
DOCUMENTS["tsv"] = DOCUMENTS["csv"].replace(",", "\t")


@pytest.mark.parametrize("name", FORMATS)
def test_all_formats_say_the_same(name: str) -> None:
    document = read_document("nodes", DOCUMENTS[name].encode(), name)
    assert document.nodes == [FULL, NodeMeta("b")]
    assert document.epoch is None


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("json", '[{"id": "a", "rtt": "fast"}]', r"\$\[0\]\.rtt is 'fast': a round-trip time is"),
        ("json", '{"nodes": [{"id": "a", "rtt": 0}]}', r"\$\.nodes\[0\]\.rtt is 0: "),
        ("json", '[{"id": "a", "rtt": true}]', r"\$\[0\]\.rtt is True"),
        ("json", '["b", {"id": "a", "stake": -1}]', r"\$\[1\]\.stake is -1: stake is a number"),
        ("json", '[{"id": "a", "status": "up"}]', r"'up': a status is one of alive, suspect"),
        ("json", '[{"id": "a", "zone": ""}]', r"\$\[0\]\.zone is '': a zone is text, not empty"),
        ("json", '[{"id": "a", "labels": {"x": 1}}]', r"\$\[0\]\.labels\.x is 1: labels are"),
        ("json", '[{"id": "a", "labels": [1]}]', r"\$\[0\]\.labels is \[1\]"),
        ("json", '[{"id": 1}]', r"\$\[0\]\.id is 1: a node id is text"),
        ("json", '[{"id": ""}]', r"\$\[0\]\.id is '': a node id is text, not empty"),
        ("json", '["a", ""]', r"\$\[1\] is '': a node id is text, not empty"),
        ("json", '["a", 7]', r"\$\[1\] is 7: a node is an object with an id"),
        ("json", '["a", null]', r"\$\[1\] is None"),
        ("json", '[{"zone": "eu"}]', r"\$\[0\] has no member id: a node id"),
        ("json", '[{"id": "a", "zon": "eu"}]', r"\$\[0\] has the member 'zon', .* are id, address"),
        ("json", '["a", "b", "a"]', r"\$\[2\] repeats the id 'a' of \$\[0\]"),
        ("json", '[{"id": "a", "id": "b"}]', "member 'id' appears more than once"),
        ("json", '[{"id": "a", "zone": "x", "\\u007aone": "x"}]', "'zone' appears more than once"),
        ("json", '[{"id": "a:b", "zone": "x", "zone": ":"}]', "'zone' appears more than once"),
        ("json", '[{"id": "a", "rtt": NaN}]', "it has NaN, which is not a number"),
        ("json", '[{"id": "a", "rtt": 1e999}]', r"\$\[0\]\.rtt is inf"),
        ("json", '["a"', "is not JSON, or is cut off: line 1, column 5"),
        ("json", "", "is empty"),
        ("json", "  \n", "is empty"),
        ("json", "<html><body>503</body></html>", "is HTML or XML, and not JSON"),
        ("json", "[" * 100_000, "nested too deeply|cut off"),
        ("json", '"a"', r"\$ is 'a': a document is a list"),
        ("json", "{}", r"\$ has no member nodes: it holds the list"),
        ("json", '{"nodes": "a"}', r"\$\.nodes is 'a': nodes are a list"),
        ("json", '{"nodes": ["a"], "epochs": 1}', r"\$ has the member 'epochs', .* nodes, epoch"),
        ("json", '{"node": ["a"]}', r"\$ has the member 'node', .* there are nodes, epoch$"),
        ("json", '{"id": "a"}', r"\$ has the member 'id', .* there are nodes, epoch$"),
        ("json", '{"nodes": ["a"], "epoch": 0}', r"\$\.epoch is 0: an epoch is a whole number"),
        ("json", '{"nodes": ["a"], "epoch": 1.5}', r"\$\.epoch is 1\.5: an epoch is"),
        ("yaml", "- id: a\n- id: no\n", r"\$\[1\]\.id is False: a node id is text"),
        ("yaml", "- {id: a, id: b}\n", "member 'id' appears more than once"),
        ("yaml", "- &x {id: a}\n- *x\n", "it has an alias"),
        ("yaml", "- id: a\n  rtt: .inf\n", r"\$\[0\]\.rtt is inf"),
        ("yaml", "- id: a\n  stake: .nan\n", r"\$\[0\]\.stake is nan"),
        ("yaml", "- [\n", "is not YAML: line"),
        ("yaml", "- !!python/object/apply:os.system [ls]\n", "is not YAML"),
        ("toml", "nodes = [", "is not TOML"),
        ("toml", "[[nodes]]\nid = 'a'\nrtt = nan\n", r"\$\.nodes\[0\]\.rtt is nan"),
        ("csv", "id,rtt\na,fast\n", "row 1, column rtt is 'fast'"),
        ("csv", "id,rtt\na,1\nb,nan\n", "row 2, column rtt is 'nan'"),
        ("csv", "id,colour\na,red\n", "the column 'colour' is not known"),
        ("csv", "node,rtt\na,1\n", "the column 'node' is not known"),
        ("csv", "id,rtt\na\n", "row 1 has 1 values for 2 columns"),
        ("csv", "id,zone,zone\na,x,y\n", "more than once"),
        ("csv", "id\na\na\n", "row 2 repeats the id 'a' of row 1"),
        ("csv", "", "is empty"),
        ("json", '[{"id": "a", "\\ud800": 1}]', "has a lone surrogate"),
        ("toml", "nodes = " + "[" * 10_000, "is not TOML that can be read: maximum recursion"),
        ("toml", f"epoch = {'9' * 5000}", "is not TOML that can be read: Exceeds the limit"),
        ("yaml", "- !!bool x\n", "is not YAML that can be read"),
        ("yaml", "- !!timestamp x\n", "is not YAML that can be read"),
        # How long a field may be is a setting of the process, which readers of tables raise.
        ("csv", "x" * 200_000, "the header cannot be read: field larger than|is not known: there"),
    ],
)
def test_errors_have_their_place(name: str, text: str, message: str) -> None:
    with pytest.raises(rvh.RVHError, match=message) as caught:
        read_document("the-source", text.encode(), name)
    assert str(caught.value).startswith("the-source")
    assert "msgspec" not in str(caught.value)
    assert "Expected" not in str(caught.value)


def test_other_encodings() -> None:
    text = '["ä"]'
    assert read_document("x", b"\xef\xbb\xbf" + text.encode()).nodes[0].id == "ä"
    for encoded in (text.encode("latin-1"), text.encode("utf-16")):
        with pytest.raises(rvh.RVHError, match="UTF"):
            read_document("x", encoded)


ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
nodes = st.lists(
    st.builds(
        NodeMeta,
        id=ids,
        address=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        status=st.sampled_from(Status),
        weight=st.none() | st.floats(0, 1e300),
        rtt=st.none() | st.floats(1e-300, 1e300),
        zone=st.none() | ids,
        labels=st.dictionaries(ids, ids, max_size=2),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda node: node.id,
)


@given(nodes, st.booleans())
def test_what_is_written_is_read(nodes: list[NodeMeta], escaped: bool) -> None:
    data = msgspec.json.encode(nodes)
    if escaped:  # with \u escapes and blanks, as other programs write it
        data = json.dumps(json.loads(data), indent=1).encode()
    assert read_document("x", data).nodes == nodes


def assert_nodes_or_error(data: bytes, name: str) -> None:
    message = "x"
    try:
        found = read_document("x", data, name).nodes
        assert all(isinstance(node, NodeMeta) for node in found)
    except rvh.RVHError as error:
        message = str(error)
    assert message.startswith("x")


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from([*FORMATS]))
def test_any_bytes_are_nodes_or_an_error(data: bytes, name: str) -> None:
    assert_nodes_or_error(data, name)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "nodes", "epoch", "rtt", "labels", "zone", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(json_values)
def test_any_json_is_nodes_or_an_error(value: Any) -> None:
    assert_nodes_or_error(json.dumps(value).encode(), "json")


def test_one_node() -> None:
    assert read_node("redis", "a", b"") == NodeMeta("a")
    assert read_node("redis", "a", b'{"zone": "eu"}') == NodeMeta("a", zone="eu")
    assert read_node("redis", "a", b'{"id": "a"}') == NodeMeta("a")
    for data, message in {
        b'{"id": "b"}': "node 'a' calls itself 'b'",
        b"[]": r"node 'a' is \[\]: its metadata is an object",
        b'{"rtt": 0}': r"redis: node 'a': \$\.rtt is 0",
        b'{"rtt"': "redis: node 'a' is not JSON, or is cut off",
        b'{"rtt": 1, "rtt": 2}': "more than once",
    }.items():
        with pytest.raises(rvh.RVHError, match=message):
            read_node("redis", "a", data)
