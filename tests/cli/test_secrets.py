"""`--secret-file`: nothing that the command line prints or writes has the secret in it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

import rvh

SECRET, OTHER = b"a placement s3cret", b"an0ther of the same"
NODES = ["-n", "@nodes.csv", "--secret-file", "secret"]
KEYS = ["keys.csv", "-K", "key", *NODES]

#: what is called, one after the other, and the exit status
CALLS = {
    "select": ([["select", *NODES, "-k", "x"]], 0),
    "assign": ([["assign", *KEYS, "-o", "placed.ndjson"]], 0),
    "split": ([["split", *KEYS, "-o", "parts"]], 0),
    "plan": (
        [["plan", *KEYS, "--to-secret-file", "other", "--html", "page.html", "--moves", "m.csv"]],
        0,
    ),
    "nodes": ([["nodes", "nodes.json", "--secret-file", "secret", "--json"]], 0),
    "a dead node that is none": ([["select", *NODES, "-k", "x", "--dead", "zzz"]], 1),
    "too many": ([["select", *NODES, "-k", "x", "-c", "99"]], 1),
    "verify with another": (
        [
            ["split", *KEYS, "-o", "parts"],
            ["verify", "parts", "-n", "@nodes.csv", "--secret-file", "other"],
        ],
        1,
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_it_is_told_nowhere(call, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("nodes.csv").write_text("id\na\nb\nc\n", "utf-8")
    Path("nodes.json").write_text(json.dumps([{"id": each} for each in "abc"]), "utf-8")
    Path("keys.csv").write_text("key\n" + "".join(f"k{n}\n" for n in range(300)), "utf-8")
    for file, secret in (("secret", SECRET), ("other", OTHER)):
        Path(file).write_bytes(secret)
    calls, code = CALLS[name]
    results = [call(*each) for each in calls]
    assert results[-1].code == code, results[-1]
    told = b"".join(each.out + each.err.encode() for each in results)
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name not in ("secret", "other"):
            told += path.read_bytes()
    assert b"k299" in told
    for secret in (SECRET, OTHER):
        forms = (
            secret,
            secret.hex().encode(),
            base64.b64encode(secret)[:20],
            repr([*secret]).encode(),
        )
        assert not [form for form in forms if form in told]
    if name == "plan":
        assert b"another secret" in told  # that there is one, is said
    if name == "nodes":
        assert rvh.NodeSet(["a", "b", "c"], secret=SECRET).fingerprint.encode() in told
