"""`rvh split --append`: more files in a folder, all of them or none."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from commandline import command, halfway
from splitting import LIST, NODES, SPLIT, content, hidden, manifest, stopped, write_keys

from rvh.cli.manifest import NAME


@pytest.fixture
def keys(tmp_path) -> Path:
    path = tmp_path / "k.csv"
    write_keys(path, [f"k{n}" for n in range(1000)])
    return path


@pytest.fixture
def shards(call, keys, tmp_path) -> Path:
    assert call("split", keys, *SPLIT, "-o", tmp_path / "out").code == 0
    return tmp_path / "out"


@pytest.fixture
def more(tmp_path) -> Path:
    path = tmp_path / "more.csv"
    write_keys(path, [f"more{n}" for n in range(100)])
    return path


def test_append_adds_files_and_keeps_the_others(call, shards, more):
    before = content(shards)
    for n in (1, 2):
        assert call("split", more, *SPLIT, "-o", shards, "--append").code == 0
        said = manifest(shards)
        assert [len(said["runs"]), said["totals"]["rows_in"]] == [n + 1, 1000 + n * 100]
        assert sum(each["rows"] for each in said["nodes"]) == 1000 + n * 100
    after = content(shards)
    assert {name: after[name] for name in before if name != NAME} == {
        name: data for name, data in before.items() if name != NAME
    }
    assert f"node={NODES[0]}/part-2.csv" in after
    assert call("verify", shards, "-n", LIST).code == 0
    assert hidden(shards) == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["-K", "id", "-n", "a,b,c"], ["over other nodes", "['d'] not given"]),
        (["-K", "n", "-n", LIST], ["keys: columns", "'id'", "'n'"]),
        (["-K", "id", "-n", LIST, "-c", "2"], ["placement: k"]),
        (["-K", "id", "-n", LIST, "--scheme", "murmur"], ["placement: scheme", "murmur"]),
        (["-K", "id", "-n", LIST, "--output-format", "parquet"], ["format is 'csv'", "'parquet'"]),
        (["-K", "id", "-n", LIST, "--column", "shard"], ["column is 'node'", "'shard'"]),
    ],
)
def test_append_refuses_what_does_not_go_with_it(fails, shards, more, args, words):
    before = content(shards)
    error = fails("split", more, *args, "-o", shards, "--append")
    for word in words:
        assert word in error
    assert content(shards) == before


def test_append_refuses_other_columns(fails, shards, tmp_path):
    (tmp_path / "other.csv").write_text("id,m\n1,2\n", encoding="utf-8")
    message = fails("split", tmp_path / "other.csv", *SPLIT, "-o", shards, "--append")
    assert "columns: number 2 is {'name': 'n', 'type': 'string'} there and {'name': 'm'" in message
    (tmp_path / "other.csv").write_text("id,n,m\n1,2,3\n", encoding="utf-8")
    message = fails("split", tmp_path / "other.csv", *SPLIT, "-o", shards, "--append")
    assert "columns: number 3 is None there and {'name': 'm'" in message


def test_append_needs_a_folder_of_split(fails, call, keys, shards, tmp_path):
    args = ["split", keys, *SPLIT, "--append", "-o"]
    assert "no such folder" in fails(*args, tmp_path / "new")
    (tmp_path / "other").mkdir()
    assert f"has no {NAME}" in fails(*args, tmp_path / "other")
    within = shards / "node=a/part-0.csv"
    assert "added to itself" in fails("split", within, *SPLIT, "-o", shards, "--append")


def test_a_failed_append_leaves_all_as_it_was(fails, shards, tmp_path):
    before = content(shards)
    bad = tmp_path / "bad.csv"
    bad.write_bytes(b"id,n\n1,2\n\xff,3\n")
    fails("split", bad, *SPLIT, "-o", shards, "--append")
    assert content(shards) == before
    assert hidden(shards) == []


def test_an_append_does_not_overwrite_what_another_left(fails, call, shards, more):
    left = shards / "node=c/part-1.csv"
    left.write_text("id,n\n", encoding="utf-8")
    before = content(shards)
    error = fails("split", more, *SPLIT, "-o", shards, "--append")
    assert "part-1.csv is there already" in error
    assert "rvh verify" in error
    assert content(shards) == before
    assert "node=c/part-1.csv: it is not in the manifest" in call("verify", shards).err
    left.unlink()
    assert call("split", more, *SPLIT, "-o", shards, "--append").code == 0


def test_a_killed_append_is_seen_by_verify(call, tmp_path):
    out, keys = tmp_path / "out", tmp_path / "k.txt"
    keys.write_text("1\n2\n", encoding="utf-8")
    assert call("split", keys, "-qn", LIST, "-o", out).code == 0
    before = content(out)
    done = stopped(signal.SIGINT, out, "-o", out, "--append")
    assert (done.returncode, content(out)) == (130, before)
    assert call("verify", out).code == 0
    assert stopped(signal.SIGKILL, out, "-o", out, "--append").returncode == -signal.SIGKILL
    (left,) = hidden(out)
    result = call("verify", out)
    assert result.code == 1
    assert left in result.err
    assert "remove it" in result.err
    assert call("split", keys, "-qn", LIST, "-o", out, "--append").code == 0


def test_two_appends_at_a_time(fails, call, tmp_path):
    out, keys = tmp_path / "out", tmp_path / "k.txt"
    keys.write_text("1\n2\n", encoding="utf-8")
    assert call("split", keys, "-qn", LIST, "-o", out).code == 0
    argv = command("split", "-", "--format", "lines", "-qn", LIST, "-o", out, "--append")
    run = halfway(argv, lambda: hidden(out))
    error = fails("split", keys, "-qn", LIST, "-o", out, "--append")
    assert "another process" in error
    run.communicate(timeout=120)
    assert run.returncode == 0
    assert manifest(out)["totals"]["rows_in"] == 1002
    assert call("verify", out, "-n", LIST).code == 0
