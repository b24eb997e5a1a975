"""`rvh verify`: what is not as the manifest says is named, and nothing else is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from splitting import LIST, SPLIT, manifest, write_keys

import rvh
from rvh.cli.manifest import NAME

PART = "node=a/part-0.csv"


@pytest.fixture
def shards(call, tmp_path) -> Path:
    write_keys(tmp_path / "k.csv", [f"k{n}" for n in range(400)])
    assert call("split", tmp_path / "k.csv", *SPLIT, "-o", tmp_path / "out").code == 0
    return tmp_path / "out"


def faults(call, folder: Path, *args: object) -> list[tuple[str, str]]:
    """The faults as --json has them, once as lines have been seen to name the same."""
    result = call("verify", folder, "--json", "-q", *args)
    found = json.loads(result.out)
    assert (result.code, found["ok"]) == ((1, False) if found["faults"] else (0, True))
    as_lines = call("verify", folder, *args)
    assert as_lines.out == b""
    lines = as_lines.err.splitlines()
    assert len(lines) == len(found["faults"]) + 1
    for line, fault in zip(lines, found["faults"], strict=False):
        assert line == f"rvh: {folder}/{fault['path']}: {fault['fault']}"
    return [(each["path"], each["fault"]) for each in found["faults"]]


def change(folder: Path, edit) -> None:
    """Edit the manifest."""
    said = manifest(folder)
    edit(said)
    (folder / NAME).write_text(json.dumps(said), encoding="utf-8")


def test_a_folder_as_it_was_split(call, shards):
    result = call("verify", shards)
    assert (result.code, result.out) == (0, b"")
    assert result.err.startswith("rvh: 4 files, 400 rows, ")
    assert call("verify", shards, "--quiet").err == ""
    found = json.loads(call("verify", shards, "--json", "-n", LIST).out)
    size = sum((shards / each["path"]).stat().st_size for each in manifest(shards)["files"])
    assert found == {
        "ok": True, "files": 4, "rows": 400, "bytes": size, "checked": "nodes", "faults": []
    }  # fmt: skip


def test_a_file_that_is_not_there(call, shards):
    (shards / PART).unlink()
    for args in ((), ("--quick",), ("-n", LIST)):
        assert faults(call, shards, *args) == [(PART, "it is not there")]


def test_a_file_of_another_size(call, shards):
    size = (shards / PART).stat().st_size
    with (shards / PART).open("ab") as file:
        file.write(b"k,1\n")
    expected = f"it has {size + 4:,} bytes, and the manifest says {size:,}"
    for args in ((), ("--quick",)):
        assert faults(call, shards, *args) == [(PART, expected)]


def test_a_byte_that_changed(call, shards):
    data = bytearray((shards / PART).read_bytes())
    data[20] ^= 1
    (shards / PART).write_bytes(data)
    ((path, fault),) = faults(call, shards)
    assert path == PART
    assert "SHA-256" in fault
    assert faults(call, shards, "--quick") == []


def test_a_count_of_rows_that_is_wrong(call, shards):
    rows = manifest(shards)["files"][0]["rows"]
    change(shards, lambda said: said["files"][0].update(rows=1))
    assert faults(call, shards) == [(PART, f"it has {rows} rows, and the manifest says 1")]


def test_a_file_that_no_reader_takes(call, shards):
    """The manifest and the file agree, and yet it is no table."""
    import hashlib

    data = b'id,n\n"1,2\n'
    (shards / PART).write_bytes(data)
    about = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    change(shards, lambda said: said["files"][0].update(about))
    ((path, fault),) = faults(call, shards)
    assert path == PART
    assert "quote that is never closed" in fault


def test_files_that_are_not_in_the_manifest(call, shards):
    (shards / "node=b/part-7.csv").write_text("id,n\n", encoding="utf-8")
    (shards / "stray.txt").write_text("", encoding="utf-8")
    for name in ("_SUCCESS", ".DS_Store", "node=a/.part-0.csv.crc"):  # which engines skip
        (shards / name).write_text("", encoding="utf-8")
    found = faults(call, shards, "--quick")
    assert [path for path, _ in found] == ["stray.txt", "node=b/part-7.csv"]
    assert all("not in the manifest" in fault for _, fault in found)


def test_a_row_in_the_folder_of_another_node(call, shards):
    """Two files that changed places, and a manifest that says so."""
    said = manifest(shards)
    a, b = said["files"][:2]
    one, other = shards / a["path"], shards / b["path"]
    one.rename(shards / "moving")
    other.rename(one)
    (shards / "moving").rename(other)

    def swap(said):
        for each, to in ((said["files"][0], b), (said["files"][1], a)):
            each.update({name: to[name] for name in ("rows", "bytes", "sha256")})

    change(shards, swap)
    assert faults(call, shards) == []
    found = faults(call, shards, "-n", LIST)
    assert [path for path, _ in found] == [a["path"], b["path"]]
    assert found[0][1] == "row 1 belongs to 'b', not to 'a'"


def test_other_nodes_than_those_of_the_split(fails, shards):
    error = fails("verify", shards, "-n", "a,b,e")
    assert "was split over other nodes: ['c', 'd'] not given; ['e'] given, but not there" in error


def test_the_same_nodes_placed_otherwise(fails, shards, tmp_path):
    (tmp_path / "nodes.csv").write_text("id,weight\na,1\nb,2\nc,3\nd,4\n", encoding="utf-8")
    error = fails("verify", shards, "-n", f"@{tmp_path}/nodes.csv", "--weight-column", "weight")
    assert rvh.NodeSet(["a", "b", "c", "d"], weights=[1, 2, 3, 4]).fingerprint in error
    assert rvh.NodeSet(["a", "b", "c", "d"]).fingerprint in error
    assert manifest(shards)["placement"]["fingerprint"] in error


PLACEMENTS = {
    "count": ["-c", "3"],
    "murmur": ["--scheme", "murmur"],
    "weights": ["--weight-column", "weight"],
    "secret": ["--secret-file", "secret"],
    "where": ["--where", "weight>=2"],
    "dead": ["--dead", "b"],
    "jump": ["--algorithm", "jump"],
    "table": ["--algorithm", "table", "--partitions", "100"],
    "ketama": ["--algorithm", "ketama"],
    "ring, dead": ["--algorithm", "hash-ring", "--dead", "b"],
    "spread": ["--spread", "zone", "-c", "2"],
    "geohash": ["--node-geohash", "place", "--key-geohash", "place", "--precision", "2"],
    "cache": ["--cache", "10"],
}
#: options of a split that verify takes too, since they say what the nodes are
ALSO_GIVEN = ("--weight-column", "--secret-file", "--where", "--dead")


@pytest.mark.parametrize("name", PLACEMENTS)
def test_rows_are_placed_by_what_the_manifest_says(call, fails, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("secret").write_text("s3cret", encoding="utf-8")
    header = "id,weight,zone,place\n"
    nodes = ["a,1,x,u09t\n", "b,2,x,u05k\n", "c,3,y,r3gx\n", "d,4,y,r3gw\n"]
    Path("nodes.csv").write_text(header + "".join(nodes), encoding="utf-8")
    Path("fewer.csv").write_text(header + "".join(nodes[1:]), encoding="utf-8")
    places = ("u09w", "r3gz", "ezs4")
    rows = [f"k{n},{places[n % 3]}\n" for n in range(300)]
    Path("k.csv").write_text("user,place\n" + "".join(rows), encoding="utf-8")
    given = PLACEMENTS[name]
    assert call("split", "k.csv", "-qK", "user", "-n", "@nodes.csv", *given, "-o", "out").code == 0
    again = [arg for at in range(0, len(given), 2) if given[at] in ALSO_GIVEN
             for arg in given[at : at + 2]]  # fmt: skip
    result = call("verify", "out", "-n", "@nodes.csv", *again)
    assert result.code == 0, result
    if name != "where":  # which leaves the first out
        assert "['a'] not given" in fails("verify", "out", "-n", "@fewer.csv", *again)
    said = manifest(Path("out"))
    one, two = sorted(said["files"], key=lambda each: each["rows"])[-2:]
    shutil.copy(Path("out", one["path"]), Path("out", two["path"]))

    def edit(said):
        to = next(each for each in said["files"] if each["path"] == two["path"])
        to.update({key: one[key] for key in ("rows", "bytes", "sha256")})

    change(Path("out"), edit)
    assert [path for path, _ in faults(call, Path("out"), "-n", "@nodes.csv", *again)] == [
        two["path"]
    ]


def test_domains_are_part_of_the_fingerprint(call, fails, tmp_path):
    write_keys(tmp_path / "k.csv", ["1", "2"])
    for name, zone in (("one", "x"), ("two", "y")):
        (tmp_path / f"{name}.csv").write_text(f"id,zone\na,{zone}\nb,x\nc,y\n", encoding="utf-8")
    args = ["-qK", "id", "-n", f"@{tmp_path}/one.csv", "-c", "2", "--spread", "zone"]
    assert call("split", tmp_path / "k.csv", *args, "-o", tmp_path / "out").code == 0
    assert "fingerprint" in fails("verify", tmp_path / "out", "-n", f"@{tmp_path}/two.csv")


@pytest.mark.parametrize("to", ["csv", "tsv", "ndjson", "parquet", "arrow", "arrows"])
@pytest.mark.parametrize("start", ["parquet", "ndjson"])
def test_whole_numbers_stay_the_keys_that_they_were(call, tmp_path, start, to):
    path, out = tmp_path / f"k.{start}", tmp_path / "out"
    if start == "parquet":
        pq.write_table(pa.table({"id": range(300), "b": ["x"] * 300}), path)
    else:
        rows = [json.dumps({"id": n, "b": "x"}) for n in range(300)]
        path.write_text("\n".join(rows), encoding="utf-8")
    assert call("split", path, *SPLIT, "-o", out, "--output-format", to).code == 0
    assert call("verify", out, "-qn", LIST).code == 0


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--delimiter", ";", "-K", "id"], "id;b\nk1;1\nk2;2\nk3;3\n"),
        (["--no-header", "-K", "1"], "k1,1\nk2,2\nk3,3\n"),
        (["--quote", "none", "-K", "id"], 'id,b\n"k1,1\nk2,2\nk3,3\n'),
        (["--output-format", "tsv", "--quote", "csv", "-K", "id"], 'id,b\nk1,"\t"\nk2,2\nk3,3\n'),
    ],
)
def test_delimited_text_is_read_as_it_was_written(call, tmp_path, args, text):
    path, out = tmp_path / "k.csv", tmp_path / "out"
    path.write_text(text, encoding="utf-8")
    assert call("split", path, *args, "-qn", LIST, "-o", out).code == 0
    result = call("verify", out, "-qn", LIST)
    assert result.code == 0, result


def test_bounded_load_is_of_all_keys_together(call, fails, tmp_path):
    write_keys(tmp_path / "k.csv", [f"k{n}" for n in range(100)])
    out = tmp_path / "out"
    assert call("split", tmp_path / "k.csv", *SPLIT, "--load-factor", 1, "-o", out).code == 0
    assert [each["rows"] for each in manifest(out)["nodes"]] == [25] * 4
    assert call("verify", out).code == 0
    assert "--load-factor" in fails("verify", out, "-n", LIST)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is damaged"),
        ("[]", "not a manifest of rvh split"),
        ('{"rvh_split": 2, "written_by": "rvh 9"}', "version 2"),
        ('{"rvh_split": 1}', "$ has no member 'layout'"),
        ("[" * 100_000, "is damaged"),
    ],
)
def test_a_manifest_that_cannot_be_read(fails, shards, text, word):
    (shards / NAME).write_text(text, encoding="utf-8")
    assert word in fails("verify", shards)


@pytest.mark.parametrize(
    "path",
    [
        "../k.csv",
        "/etc/passwd",
        "node=a/../../k.csv",
        "",
        "node=a/\0",
        "node=b/part-0.csv",
        "part-0.csv",
    ],
)
def test_a_manifest_that_leads_out_of_the_folder_of_a_node(fails, shards, path):
    change(shards, lambda said: said["files"][0].update(path=path))
    message = fails("verify", shards)
    assert f"$.files[0].path is {path!r}, and a file of this node is" in message


def test_a_file_that_is_listed_twice_or_no_more(fails, shards):
    change(shards, lambda said: said["files"].append(said["files"][0]))
    assert "which appears twice" in fails("verify", shards)
    change(shards, lambda said: said.update(files=said["files"][:3]))
    assert "$.totals.files is 4, and $.files has 3" in fails("verify", shards)


OTHER_VALUES = [
    None, True, -1, 1.5, 10**30, float("nan"), "", "../..", "\0", "\ud800", [], {}, ["a"], {"a": 1},
    [[]],
]  # fmt: skip


def members(value, path=()):
    """The paths of all values in a manifest, of lists those of the first element."""
    if isinstance(value, dict):
        for name in value:
            yield from members(value[name], (*path, name))
    elif isinstance(value, list) and value:
        yield from members(value[0], (*path, 0))
    if path:
        yield path


@pytest.mark.parametrize("args", [("-q",), ("-q", "-n", LIST)])
def test_no_value_of_a_manifest_makes_more_than_a_line_of_error(call, shards, args):
    sound = (shards / NAME).read_text(encoding="utf-8")
    paths = list(members(json.loads(sound)))
    assert len(paths) > 40
    for place, path in enumerate(paths):
        for value in OTHER_VALUES[place % 8 :: 8]:
            said = json.loads(sound)
            inner = said
            for part in path[:-1]:
                inner = inner[part]
            inner[path[-1]] = value
            (shards / NAME).write_text(json.dumps(said), encoding="utf-8")
            result = call("verify", shards, *args)
            if result.code:  # as many lines as files, where a change makes all of them wrong
                assert result.err.count("\n") in range(1, 5), (path, value, result)
            else:
                assert result.err == ""


def test_no_folder_of_split(fails, tmp_path):
    assert f"has no {NAME}" in fails("verify", tmp_path)
    assert "no such folder" in fails("verify", tmp_path / "none")
    (tmp_path / "file").touch()
    assert "is not a folder" in fails("verify", tmp_path / "file")


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["--quick", "-n", LIST], "--quick"),
        (["--dead", "b"], "it needs --nodes"),
        (["--secret-file", "x"], "it needs --nodes"),
        (["--threads", "2"], "it needs --nodes"),
    ],
)
def test_options_that_do_not_go_together(call, shards, args, word):
    result = call("verify", shards, *args)
    assert result.code == 2
    assert word in result.err
    assert result.err.count("\n") == 1
