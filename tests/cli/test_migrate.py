"""`rvh migrate`: whole migrations of small stores, and what is refused without a change."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commandline import command, environment, programs
from folders import DOCS

import rvh
from rvh.migration import Coordinator, Migration, View, Worker
from rvh.partitions import PartitionTable
from rvh.placements import pymemcache
from rvh.ring import ketama, nginx

KEYS = [f"user:{n}" for n in range(300)]
NODES = ["a", "b", "c", "d"]
WORKERS = ["web-1", "web-2"]


class Stores:
    """The nodes' stores, and the migration between them, by the command line alone."""

    def __init__(self, call: Callable[..., Any], state: str = "state.json") -> None:
        self.call, self.state = call, state
        self.held: dict[str, dict[str, int]] = {}

    def run(self, name: str, *args: object, code: int = 0) -> Any:
        result = self.call("migrate", name, self.state, *args)
        assert result.code == code, result
        assert result.err.count("\n") == result.err.count("rvh: "), result.err
        return result

    def status(self) -> dict[str, Any]:
        return json.loads(self.run("status", "--json").out)

    def acknowledge(self) -> None:
        for worker in self.status()["waiting"]:
            self.run("acknowledge", worker, self.status()["epoch"])

    def go(self, *phases: str) -> None:
        for phase in phases:
            self.acknowledge()
            self.run("advance")
            assert self.status()["phase"] == phase
        self.acknowledge()

    def fill(self, placed: list[list[str]]) -> None:
        for key, nodes in zip(KEYS, placed, strict=True):
            for node in nodes:
                self.held.setdefault(node, {})[key] = len(key)

    def rows(self, name: str, *args: object, code: int = 0) -> list[dict[str, str]]:
        out = Path(f"{name}.csv")
        self.run(name, "keys.txt", "-o", out, *args, code=code)
        with open(out, encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def copy(self, rows: list[dict[str, str]]) -> None:
        for row in rows:
            value = self.held[row["source"]][row["key"]]
            self.held.setdefault(row["target"], {}).setdefault(row["key"], value)

    def finish(self, *steps: int) -> None:
        self.run("finish", *steps, "--generation", self.status()["generation"])

    def verify(self, *args: object, code: int = 0) -> dict[str, Any]:
        with open("held.csv", "w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["node", "key", "crc"])
            for node, held in self.held.items():
                rows.writerows([node, key, crc] for key, crc in held.items())
        given = ["held.csv", "-K", "key", "--checksum-column", "crc"]
        assert self.run("verify", *given, *args, code=code).out == b""
        said = json.loads(self.run("verify", *given, "--json", "-q", *args, code=code).out)
        assert said["ok"] == (code == 0)
        return said

    def has_exactly(self, placed: list[list[str]]) -> bool:
        wanted = {(node, key) for key, nodes in zip(KEYS, placed, strict=True) for node in nodes}
        return wanted == {(node, key) for node, held in self.held.items() for key in held}


@pytest.fixture
def stores(call: Any, here: Path) -> Iterator[Stores]:
    """Stores filled by ketama on four nodes, two copies each; the migration is planned."""
    Path("keys.txt").write_text("".join(f"{key}\n" for key in KEYS), encoding="utf-8")
    Path("old.csv").write_text("id\n" + "".join(f"{node}\n" for node in NODES), encoding="utf-8")
    made = Stores(call)
    made.fill(ketama(NODES).lookup_batch(KEYS, 2).tolist())
    made.run(
        "plan", "-n", "@old.csv", "--algorithm", "ketama", "-c", 2,
        "--to-algorithm", "rendezvous", "--add", "e", "--steps", 10,
    )  # fmt: skip
    made.run("workers", *WORKERS)
    yield made
    leftovers = {path.name for path in here.iterdir() if path.name.startswith(".")}
    assert leftovers == set()


def test_a_whole_migration(stores: Stores) -> None:
    assert stores.verify()["copies"] == 2 * len(KEYS)
    stores.go("preparing", "copying")
    rows = stores.rows("keys")
    by_step = [stores.rows("keys", "--step", n) for n in range(10)]
    assert sorted(map(str, rows)) == sorted(str(row) for step in by_step for row in step)
    assert all({row["step"] for row in step} <= {str(n)} for n, step in enumerate(by_step))
    for n in range(9):
        stores.copy(by_step[n])
        stores.finish(n)
    assert stores.status()["left"] == [9]
    assert [row["step"] for row in stores.rows("keys")] == ["9"] * len(by_step[9])
    missing = stores.verify(code=1)
    assert missing["missing"] == len(by_step[9])
    targets: dict[str, str] = {}
    for row in by_step[9]:
        targets[row["key"]] = targets.get(row["key"], "") + row["target"]
    for line in missing["faults"]:
        key, _, nodes = line.partition(" key key=")[2].partition(" is missing on ")
        assert sorted(nodes.replace(", ", "").replace("'", "")) == sorted(targets[key])
    stores.copy(by_step[9])
    stores.finish(9)
    assert stores.verify()["missing"] == 0
    stores.go("switching")
    for progress in (0.5, 0.25, 1):
        stores.run("progress", progress)
        assert stores.status()["progress"] == progress
        stores.acknowledge()
    stores.go("after")
    assert stores.verify()["others"] > 0
    for row in stores.rows("leftovers"):
        stores.held[row["node"]].pop(row["key"], None)
    assert stores.verify()["others"] == 0
    new = rvh.NodeSet([*NODES, "e"]).select_batch(KEYS, 2).tolist()
    assert stores.has_exactly(new)
    stores.go("after")
    assert "the migration is over" in stores.run("advance", code=1).err


def test_a_node_that_dies_while_keys_are_copied(stores: Stores) -> None:
    stores.go("preparing", "copying")
    done = [row for n in range(5) for row in stores.rows("keys", "--step", n)]
    stores.copy(done)
    stores.finish(*range(5))
    stores.run("lose", "e")
    del stores.held["e"]
    said = stores.status()
    assert (said["phase"], said["dead"], said["generation"]) == ("preparing", ["e"], 1)
    assert "step was begun in generation 0" in (
        (stores.go("copying"), stores.run("finish", 6, "--generation", 0, code=1))[1].err
    )
    again = stores.rows("keys")
    have = {(row["key"], row["target"]) for row in done}
    assert not have & {(row["key"], row["target"]) for row in again}
    assert all(row["source"] != "e" and row["target"] != "e" for row in again)
    stores.copy(again)
    stores.finish(*range(10))
    assert stores.verify()["missing"] == 0
    stores.go("switching")
    stores.run("progress", 1)
    stores.go("after")
    for row in stores.rows("leftovers"):
        stores.held[row["node"]].pop(row["key"], None)
    assert stores.has_exactly(rvh.NodeSet(NODES).select_batch(KEYS, 2).tolist())
    assert "in no placement of the migration" in stores.run("lose", "x", code=1).err
    assert "is lost already" in stores.run("lose", "e", code=1).err


def test_a_key_whose_nodes_are_all_dead_is_told(stores: Stores) -> None:
    stores.run("lose", "a")
    stores.run("lose", "b")
    stores.go("preparing", "copying")
    rows = stores.rows("keys", code=3)
    gone = [key for key, nodes in zip(KEYS, ketama(NODES).lookup_batch(KEYS, 2), strict=True)
            if {*nodes} == {"a", "b"}]  # fmt: skip
    assert {row["key"] for row in rows if row["source"] == ""} == {*gone}
    result = stores.run("keys", "keys.txt", "-o", "-", code=3)
    assert "have no source: no living node is known to have the key" in result.err


def test_the_way_back(stores: Stores) -> None:
    before = {node: dict(held) for node, held in stores.held.items()}
    stores.go("preparing", "copying")
    stores.copy(stores.rows("keys", "--step", 3))
    stores.run("rollback")
    assert stores.status()["rolling_back"]
    stores.go("before")
    assert "preparing waits for the purge" in (error := stores.run("advance", code=1).err)
    assert "rvh migrate leftovers state.json" in error
    assert "rvh migrate purged state.json" in error
    faults = stores.verify(code=1)
    assert faults["others"] > 0
    assert "is on a node that gets it later: remove it there first" in faults["faults"][0]
    for row in stores.rows("leftovers"):
        stores.held.get(row["node"], {}).pop(row["key"], None)
    stores.held.pop("e", None)
    stores.verify()
    assert stores.held == before
    stores.run("purged")
    stores.go("preparing")


def test_copies_that_differ_are_named(stores: Stores) -> None:
    node = next(node for node, held in stores.held.items() if KEYS[7] in held)
    stores.held[node][KEYS[7]] = 77
    found = stores.verify(code=1)
    assert (found["different"], found["missing"]) == (1, 0)
    assert found["faults"][0].endswith(f"key key={KEYS[7]} has copies with several checksums")


def test_held_keys_in_folders_of_their_nodes(stores: Stores) -> None:
    for node, held in stores.held.items():
        folder = Path(f"held/node={node}")
        folder.mkdir(parents=True)
        (folder / "keys.csv").write_text("key\n" + "\n".join(held), encoding="utf-8")
    assert "600 copies in the right place" in stores.run("verify", "held", "-K", "key").err
    Path("other.csv").write_text("key,node\nx,z\n", encoding="utf-8")
    error = stores.run("verify", "other.csv", "-K", "key", code=1).err
    assert "other.csv: row 1, column 'node': 'z' is not a node of the placements" in error
    Path("null.ndjson").write_text('{"key": "x", "node": "a", "crc": null}\n', encoding="utf-8")
    null = ["null.ndjson", "-K", "key", "--checksum-column", "crc"]
    assert "line 1, column 'crc': the checksum is null" in stores.run("verify", *null, code=1).err


def test_workers_read_what_view_prints(stores: Stores) -> None:
    stores.go("preparing")
    view = View.from_json(stores.run("view").out)
    assert (view.epoch, view.phase) == (2, "preparing")
    stores.run("leave", "web-1")
    stores.run("join", "web-3")
    assert stores.status()["workers"] == {"web-2": 2, "web-3": None}
    stores.run("workers", "--none")
    assert stores.status()["workers"] == {}
    table = stores.run("status").out.decode()
    assert "phase         preparing\n" in table
    assert "next          rvh migrate advance state.json\n" in table


OLD = "a,b,c"
PLACEMENTS: dict[str, tuple[list[str], Callable[[], Any]]] = {
    "ring": (["--to-algorithm", "nginx"], lambda: nginx(["a", "b", "c", "d"])),
    "scheme": (
        ["--to-algorithm", "rendezvous", "--to-scheme", "murmur"],
        lambda: rvh.NodeSet(["a", "b", "c", "d"], scheme="murmur"),
    ),
    "table": (
        ["--to-algorithm", "table", "--to-partitions", "64"],
        lambda: PartitionTable(rvh.NodeSet(["a", "b", "c", "d"]), 64),
    ),
    "another system": (["--to-algorithm", "pymemcache"], lambda: pymemcache(["a", "b", "c", "d"])),
}


@pytest.mark.parametrize("to", PLACEMENTS)
def test_a_program_with_the_same_placements_works_by_the_file(
    call: Callable[..., Any], here: Path, to: str
) -> None:
    options, make = PLACEMENTS[to]
    plan = ["-n", OLD, "--algorithm", "ketama", "--add", "d", *options]
    assert call("migrate", "plan", "state.json", *plan).code == 0
    migration = Migration(ketama(OLD.split(",")), make())
    view = View.from_json(call("migrate", "view", "state.json").out)
    assert Worker(migration, store=None).adopt(view) == 1  # type: ignore[arg-type]
    coordinator = Coordinator.resume(migration, "state.json")
    coordinator.workers([])
    if to == "table":
        coordinator.advance()
    else:
        coordinator.lose("d")
    status = json.loads(call("migrate", "status", "state.json", "--json").out)
    assert status["dead"] == list(coordinator.dead)
    assert status["phase"] == str(coordinator.phase)


def test_state_goes_where_its_folder_goes(stores: Stores, here: Path, monkeypatch: Any) -> None:
    Path("job").mkdir()
    for name in ("state.json", "old.csv"):
        Path(name).rename(f"job/{name}")
    stores.state = "job/state.json"
    assert stores.status()["phase"] == "before"
    monkeypatch.chdir(here / "job")
    stores.state = "state.json"
    stores.go("preparing")
    Path("old.csv").rename("../old.csv")
    assert "old.csv" in stores.run("status", code=1).err


CHANGES: dict[str, list[object]] = {
    "workers": ["x"], "join": ["x"], "leave": ["web-1"], "acknowledge": ["web-1", 1],
    "advance": [], "progress": [0.5], "finish": [1], "lose": ["e"], "rollback": [], "purged": [],
    "status": [], "view": [], "keys": ["keys.txt", "-o", "out.csv"],
    "leftovers": ["keys.txt", "-o", "out.csv"], "verify": ["keys.txt"],
}  # fmt: skip


def test_other_nodes_are_refused_and_nothing_changes(stores: Stores) -> None:
    stores.acknowledge()
    before = Path("state.json").read_bytes()
    with open("old.csv", "a", encoding="utf-8") as file:
        file.write("f\n")
    for name, args in CHANGES.items():
        error = stores.run(name, *args, code=1).err
        assert "the nodes of the old placement are no longer those that state.json was" in error
    assert Path("state.json").read_bytes() == before
    assert not Path("out.csv").exists()


REFUSED: list[tuple[list[object], int, str]] = [
    (["acknowledge", "web-1", 9], 1, "acknowledges epoch 9: the epoch is 1"),
    (["acknowledge", "web-9", 1], 1, "has no worker 'web-9': add it with rvh migrate join"),
    (["leave", "web-9"], 1, "there are 'web-1', 'web-2'"),
    (["acknowledge", "web-1", 0], 2, "0"),
    (["advance"], 1, "preparing waits until epoch 1 is acknowledged by 2 more: web-1 (nothing"),
    (["progress", 0.5], 1, "in switching only: the phase is before"),
    (["progress", 2], 1, "progress is 2.0: pass a number from 0 to 1"),
    (["finish", 1, 10], 1, "step is 10: there are steps 0 to 9"),
    (["finish", "3-10"], 1, "step is 3-10: there are steps 0 to 9"),
    (["finish", "3-1"], 1, "step is '3-1': a range begins with its lower number"),
    (["finish", "all"], 1, "step is 'all': give a number, or a range such as 0-99"),
    (["finish", "1-"], 1, "step is '1-': give a number, or a range such as 0-99"),
    (["finish", 1], 1, "keys are copied in copying only: the phase is before"),
    (["rollback"], 1, "nothing to roll back in before"),
    (["purged"], 1, "nothing to purge"),
    (["keys", "keys.txt", "-o", "out.csv"], 1, "in copying only: the phase is before"),
    (["leftovers", "keys.txt", "-o", "out.csv"], 1, "replicas are removed in after"),
    (["workers"], 2, "name all workers, or give --none"),
    (["workers", "x", "--none"], 2, "workers are named as well"),
    (["verify", "keys.txt", "--output-format", "csv"], 2, "verify writes no file"),
    (["verify", "keys.txt", "--null-keys", "keep"], 2, "use error or drop"),
]


def test_what_is_refused_changes_nothing(stores: Stores) -> None:
    before = Path("state.json").read_bytes()
    for args, code, words in REFUSED:
        assert words in stores.run(str(args[0]), *args[1:], code=code).err
    assert Path("state.json").read_bytes() == before
    assert not Path("out.csv").exists()


def test_workers_have_to_be_named_first(call: Any, here: Path) -> None:
    assert call("migrate", "plan", "s", "-n", "a,b", "--add", "c").code == 0
    error = call("migrate", "advance", "s").err
    assert "until the workers are named: rvh migrate workers s with all that read or write" in error
    assert "or with --none if there are none" in error


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["-n", "@-", "--add", "c"], "can be read only once, and every later command reads"),
        (["-n", "redis://127.0.0.1/0", "--add", "c"], "is a source, whose nodes come and go"),
        (["-n", "a,b"], "nothing says what changes"),
        (["-n", "a,b", "--add", "b"], "--add names 'b', which is in the list"),
        (["-n", "a,b", "--add", "c", "--steps", "0"], "--steps"),
    ],
)
def test_plans_that_cannot_be(call: Any, here: Path, args: list[str], words: str) -> None:
    result = call("migrate", "plan", "state.json", *args)
    assert result.code in (1, 2)
    assert words in result.err
    assert not Path("state.json").exists()


def test_a_state_that_is_there_or_damaged(fails: Any, stores: Stores, here: Path) -> None:
    again = ["migrate", "plan", "state.json", "-n", "a,b", "--add", "c"]
    assert "exists already: continue with it, or name another" in fails(*again)
    assert "absent.json does not exist: rvh migrate plan creates it" in fails(
        "migrate", "status", "absent.json"
    )
    said = json.loads(Path("state.json").read_text("utf-8"))
    about = said["about"]
    for change, words in (
        ({"about": {**about, "options": {"nodes": ["@old.csv"], "k": 3, "x": 1}}}, "damaged"),
        ({"about": {**about, "options": {"algorithm": "x"}}}, "damaged"),
        ({"about": {**about, "options": 5}}, "damaged"),
        ({"about": {**about, "options": {"nodes": [5]}}}, "damaged"),
        ({"about": None}, "to a migration that a program began"),
        ({"epoch": "x"}, "epoch is 'x'"),
        ({"format": "other"}, "format"),
    ):  # fmt: skip
        Path("bad.json").write_text(json.dumps({**said, **change}), encoding="utf-8")
        assert words in fails("migrate", "status", "bad.json"), change
    Path("bad.json").write_text("{", encoding="utf-8")
    assert "bad.json" in fails("migrate", "status", "bad.json")
    Coordinator(Migration(rvh.NodeSet(["a"]), rvh.NodeSet(["b"])), 3, "own.json")
    assert "only that program knows the placements" in fails("migrate", "status", "own.json")


def test_several_processes_at_once_lose_nothing(stores: Stores) -> None:
    stores.go("preparing", "copying")
    running = [
        subprocess.Popen(command("migrate", "finish", "state.json", n), env=environment())
        for n in range(4)
    ]
    assert [each.wait(60) for each in running] == [0] * 4
    assert stores.status()["left"] == [4, 5, 6, 7, 8, 9]


def test_the_commands_are_listed(call: Any) -> None:
    shown = call("migrate").out.decode()
    assert shown == call("migrate", "--help").out.decode()
    assert all(f"  {name} " in shown for name in CHANGES)
    assert "assign" not in shown
    assert "No such command: migrate plann" in call("migrate", "plann").err


def test_the_example_of_the_page(here: Path) -> None:
    """The commands of docs/reference/cli.md, and the status at their end."""
    section = (DOCS / "reference/cli.md").read_text("utf-8").partition("## rvh migrate plan\n")[2]
    commands, status = re.findall(r"```(?:sh|text)\n(.*?)```", section, re.DOTALL)[:2]
    Path("old.csv").write_text("id\nnode1\nnode2\nnode3\n", encoding="utf-8")
    Path("keys.txt").write_text("".join(f"{key}\n" for key in KEYS), encoding="utf-8")
    run = subprocess.run(
        ["bash", "-euc", commands], env=environment(PATH=programs()), capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith(status)
    copies = Path("copies.csv").read_text("utf-8")
    assert copies.startswith("key,source,target,step\n")
