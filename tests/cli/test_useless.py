"""An option that changes nothing is an error: each is given to each algorithm and kind of file.

With every option the answer is another one, or the option is refused; but for those that say what
is so anyway, or how the same is to be done.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rvh.cli.app import command

WAYS = {
    "rendezvous": ["-c", "2"],
    "jump": ["--algorithm", "jump"],
    "table": ["--algorithm", "table", "--partitions", "64"],
    "ring": ["--algorithm", "ketama"],
    "spread": ["--spread", "rack", "-c", "4"],
    "near": ["--node-geohash", "geohash", "-c", "4"],
    "balanced": ["--load-factor", "1"],
    "cached": ["--cache", "5", "--cache-policy", "arc"],
}
#: a value of each option that is not its default
OPTIONS = {
    "--scheme": "murmur",
    "--weight-column": "w",
    "--secret-file": "secret",
    "--where": "w>=5",
    "--dead": "b,c,d",
    "--spread": "zone",
    "--max-per-domain": "2",
    "--strict": None,
    "--node-geohash": "geohash",
    "--precision": "1",
    "--integers": "text",
    "--types": "int",
    "--routing-shards": "12",
    "--replication": "z0=1",
    "--hash": "md5",
    "--hash-tag": "k1",
    "--partitions": "128",
    "--no-node-header": None,
    "--node-column": "other",
    "--count": "1",
    "--algorithm": "nginx",
}
OF_ASSIGN = {
    "--load-factor": "1.0",
    "--cache": "3",
    "--cache-policy": "arc",
    "--key-geohash": "place",
    "--key-column": "other",
    "--null-keys": "drop",
    "--column": "home",
    "--format": "tsv",
    "--output-format": "lines",
    "--delimiter": ";",
    "--no-header": None,
    "--quote": "none",
    "--encoding": "utf-16",
    "--hive": "drop",
    "--compression": "gzip",
    "--level": "1",
    "--json": None,
    "--quiet": None,
}
OF_SELECT = {"--scores": None, "--json": None, "--at": "s", "--key": "other", "--nodes": "a,b"}
OF_PLAN = {
    "--to": "a,b,c,d,e,g",
    "--add": "g",
    "--remove": "a",
    "--set-weight": "a=9",
    "--to-count": "5",
    "--to-weight-column": "w",
    "--to-scheme": "murmur",
    "--to-algorithm": "nginx",
    "--to-integers": "text",
    "--to-types": "int",
    "--to-routing-shards": "12",
    "--to-replication": "z0=1",
    "--to-hash": "md5",
    "--to-hash-tag": "k1",
    "--to-partitions": "96",
    "--to-secret-file": "secret",
    "--to-spread": "zone",
    "--to-max-per-domain": "2",
    "--total": "1000",
    "--size": "7",
    "--size-column": "size",
    "--zone-column": "zone",
    "--bandwidth": "1MB/s",
    "--steps": "3",
    "--sample": "100",
    "--json": None,
    "--moves": "moves.csv",
    "--output-format": "csv",
}
#: the options of assign about KEYS and OUT that plan has too
READING = {"--key-column", "--null-keys", "--format", "--delimiter", "--no-header", "--quote",
           "--encoding", "--hive", "--compression", "--level", "--quiet"}  # fmt: skip
#: the options that plan has not, since a key's place or all keys would decide
PLACES = {"--node-geohash", "--precision"}
#: what changes nothing by intent: how it is done, or what is so anyway and is said for all files
SAYS_THE_SAME = {
    "--threads", "--node-format", "--key-type", "--async", "--out", "--nodes", "--html",
}  # fmt: skip


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        (node, f"o{n}", f"z{n % 2}", f"r{n % 3}", n + 1, ("u09", "u0", "s", "t9")[n % 4])
        for n, node in enumerate("abcdef")
    ]
    Path("nodes.csv").write_text(
        "id,other,zone,rack,w,geohash\n" + "".join(",".join(map(str, row)) + "\n" for row in rows),
        encoding="utf-8",
    )
    Path("secret").write_text("secret\n", encoding="utf-8")
    table = pa.table(
        {
            "key": [f"k{n}" if n % 9 else None for n in range(200)],
            "other": ["q,r" if n == 5 else f"o{n}" for n in range(200)],
            "place": [("u09", "u1", "s")[n % 3] for n in range(200)],
        }
    )
    pq.write_table(table.drop_null(), "full.parquet")
    pq.write_table(table, "null.parquet")
    lines = ["key,other,place"]
    for row in table.to_pylist():
        values = [each or "" for each in row.values()]
        lines.append(",".join(f'"{each}"' if "," in each else each for each in values))
    Path("null.csv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    full = [line for line in lines if not line.startswith(",")]
    Path("full.csv").write_text("".join(f"{line}\n" for line in full), encoding="utf-8")
    return tmp_path


def answer(call, *args: object) -> tuple[int, bytes, str]:
    result = call(*args)
    return result.code, result.out, re.sub(r", in [\d.]+ s(, [\d,]+ keys/s)?", "", result.err)


def test_every_option_is_swept():
    of_plan = {**OF_PLAN, **{name: value for name, value in OF_ASSIGN.items() if name in READING}}
    for name, own in (("assign", OF_ASSIGN), ("select", OF_SELECT), ("plan", of_plan)):
        params = [each for each in command().commands[name].params if each.opts[0][0] == "-"]
        there = {next(opt for opt in each.opts if opt.startswith("--")) for each in params}
        spelled = {opt for each in params for opt in each.opts}
        assert there - {"--help", "--k"} <= {*OPTIONS, *own, *SAYS_THE_SAME}
        assert {*OPTIONS, *own} - PLACES <= spelled


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_options_of_assign(call, here, way, kind):
    place = ["--key-geohash", "place"] * (way == "near")
    base = ["-n", "@nodes.csv", "-o", "-", *WAYS[way], *place]
    plain = answer(call, "assign", f"full.{kind}", *base, "-K", "key")
    assert plain[0] == 0, plain
    useless = []
    for option, value in {**OPTIONS, **OF_ASSIGN}.items():
        if option in base or (option == "--count" and way in ("rendezvous", "spread", "near")):
            continue
        key = [] if option == "--key-column" else ["-K", "key"]
        given = [option] if value is None else [option, value]
        keys, before = f"full.{kind}", plain
        if option == "--null-keys":
            keys = f"null.{kind}"
            before = answer(call, "assign", keys, *base, *key)
        after = answer(call, "assign", keys, *base, *key, *given)
        if after[0] == 0 and after == before:
            useless.append(option)
    # One node is the default. Whether a column of Parquet has integers is not known before it is
    # read; in CSV, where there are none, --integers is refused.
    allowed = ["--count"] + ["--integers"] * ((way, kind) == ("ring", "parquet"))
    assert [option for option in useless if option not in allowed] == []


@pytest.mark.parametrize("way", [way for way in WAYS if way not in ("balanced", "cached")])
def test_options_of_select(call, here, way):
    place = ["--at", "u09"] * (way == "near")
    base = ["select", "-n", "@nodes.csv", *WAYS[way], *place]
    before = [answer(call, *base, "--key", key) for key in range(12)]
    assert all(code == 0 for code, *_ in before), before
    useless = []
    for option, value in {**OPTIONS, **OF_SELECT}.items():
        if option in ("--nodes", "--key", "--count") or option in base:
            continue
        given = [option] if value is None else [option, value]
        # One key may have the same nodes in either way.
        if all(answer(call, *base, "--key", n, *given) == each for n, each in enumerate(before)):
            useless.append(option)
    assert useless == []


@pytest.mark.parametrize(
    ("way", "change"),
    [
        *((way, ["--remove", "f"]) for way in ("rendezvous", "jump", "table", "ring", "spread")),
        ("rendezvous", ["--to-algorithm", "ketama"]),
    ],
)
def test_options_of_plan(call, here, way, change):
    table = pq.read_table("null.parquet")
    pq.write_table(table.append_column("size", pa.array(range(200))), "null.parquet")
    pq.write_table(pq.read_table("null.parquet").drop_null(), "full.parquet")
    base = ["-n", "@nodes.csv", *WAYS[way], *change]
    plain = answer(call, "plan", "full.parquet", "-K", "key", *base)
    assert plain[0] == 0, plain
    useless = []
    own = {name: value for name, value in OF_ASSIGN.items() if name in READING}
    for option, value in {**OPTIONS, **own, **OF_PLAN}.items():
        if option in (*base, *PLACES, "--count") or (way, option) == ("ring", "--algorithm"):
            continue
        key = [] if option in ("--key-column", "--sample") else ["-K", "key"]
        given = [option] if value is None else [option, value]
        keys, before = "full.parquet", plain
        if option == "--null-keys":
            keys = "null.parquet"
            before = answer(call, "plan", keys, *base, *key)
        files = [] if option == "--sample" else [keys]
        after = answer(call, "plan", *files, *base, *key, *given)
        if after[0] == 0 and after == before and not Path("moves.csv").exists():
            useless.append(option)
        Path("moves.csv").unlink(missing_ok=True)
    # Whether a column of Parquet has integers is not known before it is read.
    allowed = {"--integers", "--to-integers"} if "ketama" in base else set()
    assert set(useless) <= allowed


@pytest.mark.parametrize("way", ["rendezvous", "ring"])
def test_options_of_migrate_plan(call, here, way):
    """Each changes one of the placements, or is refused; what STATE keeps of them says which."""
    base = ["-n", "@nodes.csv", *WAYS[way], "--remove", "f"]
    state = Path("state.json")

    def planned(*given):
        state.unlink(missing_ok=True)
        result = call("migrate", "plan", state, *base, *given)
        about = json.loads(state.read_text("utf-8")) if result.code == 0 else {}
        return result.code, {
            name: about.get(name) for name in ("old", "new", "k", "k_new", "steps")
        }

    plain = planned()
    assert plain[0] == 0, plain
    names = {opt for each in command().commands["migrate plan"].params for opt in each.opts}
    useless = []
    for option, value in {**OPTIONS, **OF_PLAN, "--count": "4"}.items():
        if option in names and option not in (*base, "--json"):  # which STATE does not keep
            after = planned(option, *([] if value is None else [value]))
            if after[0] == 0 and after == plain:
                useless.append(option)
    assert useless == []
