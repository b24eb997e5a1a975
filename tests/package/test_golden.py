"""Answers that were written down once and hold for ever: tests/golden is append-only."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
from folders import GOLDEN
from golden.values import untagged

import rvh
from rvh import stable
from rvh.keys import composite
from rvh.multi import compose_keys
from rvh.partitions import PartitionTable

FILES = {path.name: json.loads(path.read_bytes()) for path in sorted(GOLDEN.glob("*.json"))}
#: the files that the tests below check
BLAKE2B = ("blake2b.json",)
COMPOSITE = ("composite.json",)
JUMP = ("stable.json",)
PARTITIONS = ("partitions.json",)
MURMUR = ("murmur.json",)
WEIGHTED = ("weighted.json",)
#: those that the tests of their modules check
ELSEWHERE = (
    *("balanced.json", "balanced_sizes.json", "faultset.json", "geohash.json", "ring.json"),
)
CASES = [
    pytest.param(case, id=f"{name}: {case['name']}")
    for name in BLAKE2B
    for case in FILES[name]["cases"]
]


def test_every_golden_file_is_used_and_says_where_it_comes_from() -> None:
    used = {*BLAKE2B, *COMPOSITE, *JUMP, *PARTITIONS, *MURMUR, *WEIGHTED, *ELSEWHERE}
    assert set(FILES) - used == set(), "no test reads these: name them above"
    assert used - set(FILES) == set(), "recorded files are gone"
    assert all(FILES[name]["origin"] for name in ELSEWHERE)
    for name in (*BLAKE2B, *COMPOSITE, *PARTITIONS):
        assert FILES[name]["scheme"] == "blake2b"
        assert "hashlib" in FILES[name]["origin"]
        assert all(case["keys"] for case in FILES[name]["cases"])
    for name in (*MURMUR, *WEIGHTED):
        assert FILES[name].get("scheme") == ("murmur" if name in MURMUR else None)
        assert "Python's integers" in FILES[name]["origin"]
        assert all(case["keys"] for case in FILES[name]["cases"])
    for name in JUMP:
        assert FILES[name]["scheme"] == "jump"
        assert "hashlib" in FILES[name]["origin"]
        assert all(case["keys"] for case in FILES[name]["cases"])


@pytest.mark.parametrize("name", FILES)
def test_the_maker_gives_the_same_again(name: str) -> None:
    """What was recorded can be computed again without rvh; its origin names earlier scripts."""
    subject = import_module(f"golden.{name.removesuffix('.json')}")
    recorded = {key: value for key, value in FILES[name].items() if key != "origin"}
    assert json.loads(json.dumps(subject.answers())) == recorded


def test_a_recorded_file_is_never_written_again(tmp_path: Path) -> None:
    path = tmp_path / "ring.json"
    command = [sys.executable, str(GOLDEN), "ring", str(path)]
    subprocess.run(command, check=True)
    written = path.read_bytes()
    assert written.partition(b"\n")[2] == (GOLDEN / "ring.json").read_bytes().partition(b"\n")[2]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "FileExistsError" in refused.stderr
    assert (refused.returncode, path.read_bytes()) == (1, written)


def test_a_new_subject_is_recorded(tmp_path: Path) -> None:
    recorded = shutil.ignore_patterns("*.json", "__pycache__")
    folder = shutil.copytree(GOLDEN, tmp_path / "golden", ignore=recorded)
    (folder / "new.py").write_text('ORIGIN = "here"\nanswers = lambda: {"scheme": "sha1"}\n')
    path = folder / "new.json"
    subprocess.run([sys.executable, str(folder), "new", str(path)], check=True)
    assert json.loads(path.read_bytes()) == {"origin": "here", "scheme": "sha1"}


@pytest.mark.parametrize("case", CASES)
def test_golden_answers(case: dict[str, Any]) -> None:
    nodes = [untagged(node) for node in case["nodes"]]
    keys = [untagged(row["key"]) for row in case["keys"]]
    ns = rvh.NodeSet(nodes, secret=bytes.fromhex(case["secret"]))
    assert ns.fingerprint == case["fingerprint"]

    expected = np.array([row["ranking"] for row in case["keys"]])
    assert np.array_equal(ns.argselect_batch(keys, k=len(nodes)), expected)
    words = [
        [(int(score[:16], 16), int(score[16:], 16)) for score in row["scores"]]
        for row in case["keys"]
    ]
    assert np.array_equal(ns.score_batch(keys), np.array(words, dtype=np.uint64))

    for key, row in zip(keys, case["keys"], strict=True):
        ranked = [nodes[n] for n in row["ranking"]]
        assert ns.select(key, k=len(nodes)) == ranked
        assert ns.scores(key) == [(nodes[n], int(row["scores"][n], 16)) for n in row["ranking"]]


@pytest.mark.parametrize("case", CASES)
def test_golden_file_agrees_with_the_reference(case: dict[str, Any]) -> None:
    nodes = [untagged(node) for node in case["nodes"]]
    secret = bytes.fromhex(case["secret"])
    for row in case["keys"]:
        assert reference.ranking(nodes, untagged(row["key"]), secret) == row["ranking"]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{name}: {case['buckets']} buckets")
        for name in JUMP
        for case in FILES[name]["cases"]
    ],
)
def test_golden_buckets(case: dict[str, Any]) -> None:
    buckets, k = case["buckets"], case["k"]
    keys = [untagged(row["key"]) for row in case["keys"]]
    jumps = [row["jump"] for row in case["keys"]]
    assert stable.jump_batch(keys, buckets).tolist() == [row[0] for row in jumps]
    backs = [row["jumpback"] for row in case["keys"]]
    assert stable.jumpback_batch(keys, buckets).tolist() == backs
    words = [reference.key_word(key) for key in keys]
    assert [reference.distinct_jumps(word, buckets, k) for word in words] == jumps
    assert [reference.jumpback(word, buckets) for word in words] == backs
    if buckets <= 1000:  # as many as can be named here
        selector = stable.StableSelector([f"bucket{n}" for n in range(buckets)])
        assert selector.argselect_batch(keys, k).tolist() == jumps


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{name}: {case['name']}")
        for name in COMPOSITE
        for case in FILES[name]["cases"]
    ],
)
def test_golden_composite_keys(case: dict[str, Any]) -> None:
    rows = [[untagged(part) for part in row["parts"]] for row in case["keys"]]
    expected = [bytes.fromhex(row["bytes"]) for row in case["keys"]]
    assert [composite(*row) for row in rows] == expected
    keys = compose_keys(*map(list, zip(*rows, strict=True)))
    assert list(keys.iter_bytes()) == expected
    ranked = rvh.argselect_batch(case["nodes"], keys, k=len(case["nodes"]))
    assert ranked.tolist() == [row["ranking"] for row in case["keys"]]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{name}: {case['name']}")
        for name in PARTITIONS
        for case in FILES[name]["cases"]
    ],
)
def test_golden_partitions(case: dict[str, Any]) -> None:
    nodes = [untagged(node) for node in case["nodes"]]
    keys = [untagged(row["key"]) for row in case["keys"]]
    partitions = [row["partition"] for row in case["keys"]]
    owners = np.array([row["owners"] for row in case["keys"]])
    secret = bytes.fromhex(case["secret"])
    ns = rvh.NodeSet(nodes, secret=secret)
    for row in case["keys"]:
        assert reference.partition(untagged(row["key"]), case["partitions"]) == row["partition"]
        assert reference.ranking(nodes, row["partition"], secret) == row["owners"]
    # The largest table would be minutes of work for hashlib; its partitions are ranked here.
    assert np.array_equal(ns.argselect_batch(partitions, len(nodes)), owners)
    if case["partitions"] > (1 << 16 if rvh.backend() == "native" else 1000):
        table = PartitionTable(nodes[:1], case["partitions"]) if rvh.backend() == "native" else None
    else:
        table = PartitionTable(ns, case["partitions"], k=len(nodes))
        assert np.array_equal(table.arglookup_batch(keys), owners)
        assert [table.lookup(key) for key in keys] == [[nodes[n] for n in row] for row in owners]
    if table is not None:
        assert table.partition_batch(keys).tolist() == partitions


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{name}: {case['name']}")
        for name in MURMUR
        for case in FILES[name]["cases"]
    ],
)
def test_golden_murmur(case: dict[str, Any]) -> None:
    nodes = [untagged(node) for node in case["nodes"]]
    keys = [untagged(row["key"]) for row in case["keys"]]
    ns = rvh.NodeSet(nodes, scheme="murmur")
    assert ns.fingerprint == case["fingerprint"]
    rankings = [row["ranking"] for row in case["keys"]]
    assert ns.argselect_batch(keys, k=len(nodes)).tolist() == rankings
    assert ns.argselect_batch(keys).tolist() == [row[:1] for row in rankings]
    scores = [[int(score, 16) for score in row["scores"]] for row in case["keys"]]
    assert ns.score_batch(keys).tolist() == scores
    for key, ranking, row in zip(keys, rankings, scores, strict=True):
        assert ns.select(key, k=len(nodes)) == [nodes[n] for n in ranking]
        assert ns.scores(key) == [(nodes[n], row[n]) for n in ranking]
        assert reference.ranking(nodes, key, scheme="murmur") == ranking


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{name}: {case['scheme']}, {case['name']}")
        for name in WEIGHTED
        for case in FILES[name]["cases"]
    ],
)
def test_golden_weighted(case: dict[str, Any]) -> None:
    nodes = [untagged(node) for node in case["nodes"]]
    keys = [untagged(row["key"]) for row in case["keys"]]
    weights = [float.fromhex(weight) for weight in case["weights"]]
    secret, scheme = bytes.fromhex(case["secret"]), case["scheme"]
    ns = rvh.NodeSet(nodes, weights=weights, scheme=scheme, secret=secret)
    assert ns.fingerprint == case["fingerprint"]
    rankings = [row["ranking"] for row in case["keys"]]
    k = len(rankings[0])
    assert ns.argselect_batch(keys, k=k).tolist() == rankings
    assert ns.argselect_batch(keys).tolist() == [row[:1] for row in rankings]
    scores = [[float.fromhex(score) for score in row["scores"]] for row in case["keys"]]
    assert ns.score_batch(keys).tolist() == scores
    for key, ranking, row in zip(keys, rankings, scores, strict=True):
        assert ns.select(key, k=k) == [nodes[n] for n in ranking]
        assert ns.scores(key) == [(nodes[n], row[n]) for n in ranking]
        assert reference.ranking(nodes, key, secret, scheme, weights) == ranking
