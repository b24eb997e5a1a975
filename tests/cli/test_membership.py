"""`rvh nodes`, `rvh watch` and `rvh nodes publish`."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
from commandline import command, environment
from servers import Server, free_port, needed, until
from web import answering

from rvh import NodeSet
from rvh.cli.sources import SCHEMES
from rvh.membership import Membership, read_document, read_once, sources
from rvh.membership.sources.file import FileSource

NODES = """[
  {"id": "a", "zone": "eu", "weight": 2, "labels": {"os": "linux"}},
  {"id": "b", "weight": 1, "status": "draining"},
  {"id": "c", "weight": 0.5, "address": "10.0.0.3:80"},
  {"id": "d", "status": "dead"}
]"""
needs_sigint = pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal there")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "nodes.json", NODES)
    return tmp_path


def write(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


# -- rvh nodes ------------------------------------------------------------------------------------


def test_a_table(call):
    result = call("nodes", "nodes.json")
    assert result.out.decode().splitlines() == [
        "id  status    address      weight  zone  labels.os",
        "a   alive     -            2       eu    linux",
        "b   draining  -            1       -     -",
        "c   alive     10.0.0.3:80  0.5     -     -",
        "d   dead      -            -       -     -",
    ]
    snapshot = read_once("nodes.json")
    assert result.code == 0
    assert result.err == (
        "rvh: file:nodes.json: 4 nodes, 2 selectable, fingerprint "
        f"{snapshot.fingerprint}, digest {snapshot.digest}\n"
    )


def test_a_table_keeps_its_lines(call, here):
    odd = {"id": "漢\n字", "zone": "e\tu", "labels": {"x": "é"}}
    write(here / "nodes.json", json.dumps(["b", odd]))
    assert call("nodes", "nodes.json").out.decode().splitlines() == [
        "id                status  zone    labels.x",
        "b                 alive   -       -",
        '"\\u6f22\\n\\u5b57"  alive   "e\\tu"  é',
    ]


@pytest.mark.parametrize("epoch", [None, 7])
def test_its_json_is_a_document(call, here, epoch):
    nodes = json.loads(NODES)
    write(here / "nodes.json", json.dumps(nodes if epoch is None else {"epoch": 7, "nodes": nodes}))
    first = call("nodes", "nodes.json", "--json")
    assert first.out.count(b"\n") == 1
    assert json.loads(first.out)["nodes"][1] == {"id": "b", "status": "draining", "weight": 1.0}
    (here / "again.json").write_bytes(first.out)
    again = call("nodes", "again.json", "--json")
    assert again.out == first.out
    assert again.err == first.err.replace("nodes.json", "again.json")
    document = read_document("", first.out)
    assert document == read_document("", (here / "nodes.json").read_bytes())
    assert document.epoch == epoch
    assert ("epoch 7, " in first.err) == (epoch == 7)


def test_the_fingerprint_is_that_of_the_program(call, here):
    (here / "secret").write_text("xyzzy")
    write(here / "nodes.json", '[{"id": "a", "capacity": 8}, {"id": "b", "capacity": 24}]')
    from rvh.membership import weigh_by

    mine = read_once(
        "nodes.json",
        secret=b"xyzzy",
        weigh=weigh_by("capacity", exponents={"capacity": 0.5}, bounds=(0.8, 4.0)),
    )
    result = call(
        *("nodes", "nodes.json", "--secret-file", "secret", "--weigh", "capacity"),
        *("--exponent", "capacity=0.5", "--bounds", "0.8,4"),
    )
    assert mine.fingerprint in result.err
    assert mine.nodes.weights is not None
    column = [line.split()[2] for line in result.out.decode().splitlines()]
    assert column == ["weight", *(f"{weight:.6g}" for weight in mine.nodes.weights)]
    murmur = read_once("nodes.json", scheme="murmur")
    assert murmur.fingerprint in call("nodes", "nodes.json", "--scheme", "murmur").err


def test_what_is_accepted_is_taken_by_memberships(call, here):
    write(here / "nodes.json", '["a", "b", "c", "d"]')
    with Membership(FileSource("nodes.json", interval=0.01), max_change=0.3) as membership:
        write(here / "nodes.json", '["a"]')
        until(lambda: membership.held is not None)
        result = call("nodes", "nodes.json", "--accept")
        assert (result.code, result.err.count("\n")) == (0, 2)
        assert "every membership of file:nodes.json accepts this state" in result.err
        until(lambda: [*membership.nodes] == ["a"])


class ReadOnly:
    """A source of which nothing but the name and the nodes can be had."""

    name = "mine://nodes"

    async def watch(self) -> object:
        raise AssertionError("nothing is read")
        yield


@pytest.mark.parametrize(
    "args", [["nodes", "mine", "--accept"], ["nodes", "publish", "nodes.json", "--to", "mine"]]
)
def test_what_cannot_be_written(fails, monkeypatch, args):
    import rvh.membership
    import rvh.membership.listening

    def opened(url: str) -> object:
        return ReadOnly() if url == "mine" else FileSource(url)

    monkeypatch.setattr(rvh.membership, "open_source", opened)
    monkeypatch.setattr(rvh.membership.listening, "open_source", opened)
    line = fails(*args)
    assert line.startswith("mine://nodes cannot be written")
    assert ("membership.accept() in each process" in line) == ("--accept" in args)
    assert ("etcd://HOST/KEY" in line) == ("publish" in args)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "file:nodes.json: there are no nodes"),
        ('[{"id": "a", "rtt": "fast"}]', "nodes.json: $[0].rtt is 'fast'"),
        ('[{"id": "a", "weight": 0}]', "file:nodes.json: "),
        ('["a"', "nodes.json is not JSON, or is cut off: line 1, column 5"),
    ],
)
@pytest.mark.parametrize("args", [["--accept"], ["--json"], []])
def test_nodes_that_cannot_be_used(fails, here, text, words, args):
    write(here / "nodes.json", text)
    assert fails("nodes", "nodes.json", *args).startswith(words)
    assert sorted(each.name for each in here.iterdir()) == ["nodes.json"]


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["nodes"], 2, "Missing argument 'SOURCE'; see rvh nodes --help"),
        (["nodes", "publish"], 2, "Missing argument 'FROM'; see rvh nodes publish --help"),
        (["nodes", "@nodes.json"], 1, "the path of a file without @"),
        (["nodes", "none.json"], 1, "file:none.json cannot be read: FileNotFoundError: none.json"),
        (["nodes", "./publish"], 1, "./publish: its name tells no format"),
        (["nodes", "ftp://x"], 1, "begins with ftp:, which is none of file, k8s"),
        (
            ["nodes", "nodes.json", "--weigh", "load"],
            2,
            "'load' is not one of stake, capacity, rtt",
        ),
        (["nodes", "nodes.json", "--weigh", "rtt,rtt"], 2, "--weigh: rtt is given twice"),
        (["nodes", "nodes.json", "--weigh", "rtt"], 1, "no node has the measure rtt"),
        (["nodes", "nodes.json", "--bounds", "1,2"], 2, "--bounds: it needs --weigh"),
        (["nodes", "nodes.json", "--exponent", "rtt=1"], 2, "--exponent: it needs --weigh"),
        (["watch", "nodes.json", "--max-change", "30"], 2, "30 is not a share of all keys"),
        (["watch", "nodes.json", "--max-change", "0"], 2, "0 is not a share of all keys"),
        (["watch", "nodes.json", "--count", "0"], 2, "--count"),
        (["watch", "nodes.json", "--min-nodes", "9"], 1, "2 nodes are selectable"),
        (["nodes", "publish", "nodes.json"], 2, "Missing option '--to'"),
    ],
)
def test_command_lines_that_are_wrong(call, args, code, words):
    result = call(*args)
    assert (result.code, result.out, result.err.count("\n")) == (code, b"", 1), result
    assert words in result.err


def test_a_source_that_is_away_is_said_to_be_waited_for(call):
    result = call("watch", "none.json", "--timeout", "0.1")
    assert (result.code, result.out) == (1, b"")
    assert result.err.splitlines() == [
        "rvh: waiting for file:none.json: FileNotFoundError: none.json: No such file or directory",
        "rvh: file:none.json: no nodes within 0.1 s: FileNotFoundError: none.json: No such file or "
        "directory",
    ]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--exponent", "capacity=1"], "write NAME=NUMBER, with a name of --weigh (rtt)"),
        (["--exponent", "rtt=-1", "--exponent", "rtt=-2"], "--exponent: rtt is given twice"),
        (["--exponent", "rtt=x"], "--exponent: 'x' is not a number"),
        (["--bounds", "2"], "--bounds: '2' is not two bounds: write LOW,HIGH"),
        (["--bounds", "1,nan"], "--bounds: 'nan' is not a number"),
        (["--secret-file", "s", "--scheme", "murmur"], "--scheme murmur has no secret"),
    ],
)
def test_options_about_weights_that_are_wrong(call, more, words):
    result = call("nodes", "nodes.json", "--weigh", "rtt", *more)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert words in result.err


# -- rvh watch ------------------------------------------------------------------------------------


@contextmanager
def running(*args: object) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on; its first line on stderr has come."""
    run = subprocess.Popen(
        command(*args),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(PYTHONUNBUFFERED=""),
    )
    try:
        yield run
    finally:
        run.kill()
        run.communicate()


def line_of(stream: object) -> str:
    return stream.readline().rstrip("\n")  # type: ignore[attr-defined, no-any-return]


@needs_sigint
def test_changes_as_they_come(here):
    write(here / "nodes.json", '["a", "b", "c"]')
    with running("watch", "nodes.json", "--max-change", "0.6", "-k", 1) as run:
        assert line_of(run.stderr).startswith(
            "rvh: watching file:nodes.json: 3 nodes, 3 selectable, epoch 1, fingerprint "
        )
        write(here / "nodes.json", '["a", "b", "c", "d"]')
        assert line_of(run.stdout) == "epoch 2: joined d; 25.0000% of keys move"
        write(here / "nodes.json", '["a", "b", "c", {"id": "d", "zone": "eu"}]')
        assert line_of(run.stdout) == "epoch 3: metadata d; 0.0000% of keys move"
        write(here / "nodes.json", "[1, 2")
        assert "an update is refused: nodes.json is not JSON, or is cut off" in line_of(run.stderr)
        write(here / "nodes.json", '["a"]')
        assert "75.00% of all keys would move, and max_change is 60.00%" in line_of(run.stderr)
        (here / "nodes.json").unlink()
        assert "the source is lost: FileNotFoundError: nodes.json" in line_of(run.stderr)
        write(here / "nodes.json", '["a", "b", "c", {"id": "d", "zone": "eu", "status": "dead"}]')
        assert line_of(run.stdout) == "epoch 4: left d; 25.0000% of keys move".replace(
            "left d", "status d alive -> dead"
        )
        assert line_of(run.stderr) == "rvh: file:nodes.json: all is well again"
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
        assert (run.returncode, out, err) == (130, "", "rvh: interrupted\n")


def test_changes_as_json_up_to_a_count(here):
    write(here / "nodes.json", '[{"id": "a", "weight": 1}, {"id": "b", "weight": 1}]')
    with running("watch", "nodes.json", "--json", "--count", 2, "-k", 2) as run:
        line_of(run.stderr)
        write(here / "nodes.json", '[{"id": "a", "weight": 1}, {"id": "c", "weight": 1}]')
        first = json.loads(line_of(run.stdout))
        write(
            here / "nodes.json",
            '[{"id": "a", "weight": 4}, {"id": "c", "weight": 1}, {"id": "b", "weight": 1}]',
        )
        out, err = run.communicate(timeout=30)
        assert (run.returncode, err) == (0, "")
    second = json.loads(out)
    assert first.items() >= {
        "epoch": 2, "nodes": 2, "selectable": 2, "joined": ["c"], "left": ["b"], "statuses": {},
        "weights": {}, "metadata": [], "k": 2, "moved": 0.5, "is_exact": False,
    }.items()  # fmt: skip
    assert (second["joined"], second["weights"]) == (["b"], {"a": [1.0, 4.0]})
    assert second["fingerprint"] == read_once("nodes.json").fingerprint


@needs_sigint
@pytest.mark.parametrize("changes", [True, False])
def test_a_reader_that_goes_away(here, changes):
    write(here / "nodes.json", '["a", "b"]')
    with running("watch", "nodes.json") as run:
        line_of(run.stderr)
        assert run.stdout is not None
        run.stdout.close()
        if changes:
            write(here / "nodes.json", '["a", "b", "c"]')
        assert run.wait(timeout=30) == 141
        assert run.stderr is not None
        assert run.stderr.read() == ""


# -- rvh nodes publish ----------------------------------------------------------------------------

PROBES = (
    '[{"id": "a", "rtt": 0.010}, {"id": "b", "rtt": 0.020}, {"id": "c", "rtt": 0.010, '
    '"status": "draining"}, {"id": "d", "status": "dead"}]'
)


def published(path: str = "out.json") -> tuple[int | None, dict[str, float | None]]:
    document = read_document(path, Path(path).read_bytes())
    return document.epoch, {node.id: node.weight for node in document.nodes}


def test_weights_are_made_once(call, here):
    write(here / "probes.json", PROBES)
    args = ["nodes", "publish", "probes.json", "--to", "out.json", "--state", "state"]
    result = call(*args, "--weigh", "rtt")
    assert (result.code, result.out) == (0, b"")
    assert result.err == ("rvh: file:out.json is written: epoch 1, 4 nodes, 2 selectable\n")
    epoch, weights = published()
    assert epoch == 1
    assert weights["a"] == pytest.approx(2 * weights["b"], rel=1e-12)
    assert (weights["c"], weights["d"]) == (weights["a"], None)
    # What every client reads is what it says.
    assert read_once("out.json").nodes.weights.tolist() == [weights["a"], weights["b"]]


def test_the_same_content_is_written_once(call, here):
    write(here / "probes.json", PROBES)
    args = ["nodes", "publish", "probes.json", "--to", "out.json", "--state", "state"]
    call(*args, "--weigh", "rtt")
    before = (here / "out.json").stat()
    for wobble in ("0.019", "0.021", "0.0205"):
        write(here / "probes.json", PROBES.replace("0.020", wobble))
        result = call(*args, "--weigh", "rtt")
        assert result.err == (
            "rvh: file:out.json has these nodes and weights already: epoch 1, 4 nodes, 2 "
            "selectable\n"
        )
    after = (here / "out.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_doubling_is_applied_from_run_to_run(call, here):
    args = ["nodes", "publish", "probes.json", "--to", "out.json", "--state", "state"]
    write(here / "probes.json", PROBES)
    for _ in range(32):
        call(*args, "--weigh", "rtt")
    assert published()[0] == 1
    write(here / "probes.json", PROBES.replace("0.020", "0.040"))
    runs = 0
    while published()[0] == 1:
        call(*args, "--weigh", "rtt")
        runs += 1
        assert runs <= 30
    weights = published()[1]
    assert runs > 10
    assert weights["a"] == pytest.approx(4 * weights["b"], rel=0.05)


def test_a_target_that_was_lost_gets_a_higher_epoch(call, here):
    args = ["nodes", "publish", "nodes.json", "--to", "out.json", "--state", "state"]
    write(here / "out.json", '{"epoch": 41, "nodes": ["x"]}')
    assert "epoch 42, 4 nodes" in call(*args).err
    (here / "out.json").unlink()
    assert "epoch 43, 4 nodes" in call(*args).err
    (here / "state").unlink()
    assert "already: epoch 43" in call(*args).err
    assert published()[1] == {"a": 2, "b": 1, "c": 0.5, "d": None}


def test_one_measurement_alone_is_said_to_wobble(call, here):
    write(here / "probes.json", PROBES)
    args = ["nodes", "publish", "probes.json", "--to", "out.json"]
    assert (
        "the weights of 3 nodes are those of one measurement" in call(*args, "--weigh", "rtt").err
    )
    assert "wobble" not in call(*args).err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"scripts": {}}', "out.json: $ has the member 'scripts'"),
        ("x = 1", "out.json is not JSON"),
    ],
)
def test_a_file_of_something_else_is_not_overwritten(fails, here, content, words):
    write(here / "out.json", content)
    line = fails("nodes", "publish", "nodes.json", "--to", "out.json")
    assert line.startswith(words)
    assert line.endswith("so it is not overwritten: move it away")
    assert (here / "out.json").read_text() == content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "the state state is damaged"),
        ("[]", "state is not a state of a publisher: name another file"),
        (
            '{"format": "rvh publisher 1", "target": "file:x.json"}',
            "the state state is that of 'file:x.json', and this publishes to file:out.json",
        ),
        (
            '{"format": "rvh publisher 1", "target": "file:out.json", "epoch": -1, '
            '"smoothers": {}}',
            "the state state is damaged: its epoch is -1: delete it to begin anew",
        ),
        (
            '{"format": "rvh publisher 1", "target": "file:out.json", "epoch": 1, '
            '"smoothers": {"rtt": 7}}',
            "the state state is damaged: state is 7",
        ),
    ],
)
def test_a_state_that_cannot_be_used(fails, here, content, words):
    write(here / "state", content)
    line = fails("nodes", "publish", "nodes.json", "--to", "out.json", "--state", "state")
    assert line.startswith(words)
    assert not (here / "out.json").exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--to", "./nodes.json"], "--to: file:./nodes.json is FROM too"),
        (["--to", "out.json", "--every", 3], "--every: it needs --follow"),
        (["--to", "out.json", "--min-nodes", 3], "--min-nodes: it needs --follow"),
        (["--to", "out.json", "--max-change", 1], "--max-change: it needs --follow"),
        (["--to", "out.json", "--smooth", "load"], "--smooth: 'load' is not one of stake"),
    ],
)
def test_publishing_that_is_asked_for_wrongly(call, here, args, words):
    result = call("nodes", "publish", "nodes.json", *args)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert words in result.err
    assert [each.name for each in here.iterdir()] == ["nodes.json"]


def test_a_target_that_is_yaml(fails):
    line = fails("nodes", "publish", "nodes.json", "--to", "out.yaml")
    assert line == "out.yaml: a publisher writes JSON: name the file .json"


@needs_sigint
def test_following(here):
    write(here / "nodes.json", '[{"id": "a", "rtt": 0.01}, {"id": "b", "rtt": 0.01}]')
    args = ["nodes", "publish", "nodes.json", "--to", "out.json", "--weigh", "rtt", "--follow"]
    with running(*args, "--every", 0.2, "--min-nodes", 2) as run:
        assert line_of(run.stderr).startswith("rvh: file:out.json is written: epoch 1, 2 nodes")
        write(
            here / "nodes.json",
            '[{"id": "a", "rtt": 0.01}, {"id": "b", "rtt": 0.01}, {"id": "c", "rtt": 0.01}]',
        )
        assert line_of(run.stderr) == (
            "rvh: file:out.json is written: epoch 2, 3 nodes, 3 selectable; 33.3333% of keys move"
        )
        (here / "out.json").unlink()  # the target has lost it
        assert "is written: epoch 3, 3 nodes" in line_of(run.stderr)
        write(here / "nodes.json", '[{"id": "a", "rtt": 0.01}]')
        assert "1 nodes are selectable, and min_nodes is 2" in line_of(run.stderr)
        (here / "out.json").write_text("spoilt")
        assert "so it is not overwritten" in line_of(run.stderr)
        (here / "out.json").unlink()
        assert "is written: epoch 4, 3 nodes" in line_of(run.stderr)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
        assert (run.returncode, out, err) == (130, "", "rvh: interrupted\n")
    assert published()[0] == 4


# -- sources in --nodes ---------------------------------------------------------------------------

FLEET: list[dict[str, object]] = [
    {"id": "a", "zone": "eu", "weight": 2, "capacity": 8, "labels": {"cores": "8", "up": "true"}},
    {"id": "b", "zone": "eu", "weight": 1, "capacity": 8, "labels": {"cores": "16", "up": "no"}},
    {"id": "c", "zone": "us", "weight": 1, "capacity": 4, "labels": {"cores": "16", "up": "true"}},
    {"id": "d", "zone": "us", "weight": 1, "capacity": 4, "status": "dead"},
]


@pytest.fixture
def served() -> Iterator[str]:
    """The URL of FLEET on a web server."""
    pytest.importorskip("httpx", reason="httpx is not installed: pip install 'rvh[http]'")
    data = json.dumps({"epoch": 7, "nodes": FLEET}).encode()
    with answering(lambda asked: asked.answer(200, data)) as url:
        yield url + "/nodes.json"


def test_the_nodes_of_a_source_and_their_weights(call, here, served):
    snapshot = read_once(served)
    for value in (served, f"@{served}"):
        result = call("select", "-n", value, "-k", "obj", "-c", 3)
        assert result.out.decode() == f"{snapshot.nodes.select('obj', 3)}\n"
        assert result.err == f"rvh: 3 of 4 nodes of {served} (epoch 7), weighted\n"
    (here / "keys.txt").write_text("x\ny\nz\n")
    result = call("assign", "keys.txt", "-n", served, "-o", "out.txt")
    assert result.err.endswith(f"; 3 of 4 nodes of {served} (epoch 7), weighted\n")
    chosen = [line.split()[1] for line in (here / "out.txt").read_text().splitlines()]
    assert chosen == snapshot.nodes.select_batch(["x", "y", "z"])[:, 0].tolist()


def test_weights_that_are_asked_for(call, here, served):
    result = call("select", "-n", served, "-k", "obj", "-c", 3, "--weight-column", "capacity")
    nodes = NodeSet(["a", "b", "c"], weights=[8, 8, 4])
    assert result.out.decode() == f"{nodes.select('obj', 3)}\n"
    assert result.err.endswith("(epoch 7), weighted by capacity\n")
    write(here / "plain.json", '["a", "b"]')
    url = f"file://{here}/plain.json"
    result = call("select", "-n", url, "-k", "obj")
    assert result.out.decode() == f"{NodeSet(['a', 'b']).select('obj')}\n"
    assert (
        result.err == f"rvh: 2 nodes of {FileSource(here / 'plain.json').name}, without weights\n"
    )


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--where", "zone=e*"], "a b"),
        (["--where", "cores>=16"], "b c"),
        (["--where", "labels.up"], "a c"),
        (["--where", "capacity>=8"], "a b"),
        (["--where", "status=alive"], "a b c"),
        (["--dead", "a"], "b c"),
        (["--dead", "a,d"], "b c"),  # d is dead already
    ],
)
def test_conditions_on_what_a_source_knows(call, served, options, ids):
    ids = ids.split()
    result = call("select", "-n", served, "-k", "obj", "-c", len(ids), "--json", *options)
    assert result.code == 0, result.err
    assert sorted(json.loads(result.out)) == ids


def test_a_source_has_domains(call, served):
    result = call("select", "-n", served, "-k", "obj", "-c", 2, "--spread", "zone", "--json")
    assert json.loads(result.out) == read_once(served).faults.select("obj", 2, "zone")


def test_sources_and_lists_add_up(call, here, served):
    write(here / "plain.json", '["x", "y"]')
    (here / "more.csv").write_text("id,weight\nz,3\n")
    url = f"@file://{here}/plain.json"
    result = call("select", "-n", url, "-n", "a,b", "-k", "obj", "-c", 4, "--json")
    assert sorted(json.loads(result.out)) == ["a", "b", "x", "y"]
    args = ["-n", f"@{served}", "-n", "@more.csv", "--weight-column", "weight"]
    result = call("select", *args, "-k", "obj", "-c", 4, "--json")
    weighted = NodeSet(["a", "b", "c", "z"], weights=[2, 1, 1, 3])
    assert json.loads(result.out) == weighted.select("obj", 4)


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["-n", "@{url}", "-n", "x,y"], 1, "and those of --nodes x,y have none: give every node"),
        (["-n", "@{url}", "-n", "@{url}"], 1, "one source is given twice"),
        (["-n", "{url}", "-n", "x,y"], 1, "is not alone, so it could be a source or a node"),
        (["-n", "{url},x"], 1, "has a comma in it, so it could be a source or a node"),
        (["-n", "@{url}", "-n", '["a"]', "--weight-column", "weight"], 1, "but --nodes is a list"),
        (["-n", "{url}", "--node-column", "id"], 1, "but --nodes is a source: omit --node-column"),
        (
            ["-n", "{url}", "--node-format", "csv"],
            1,
            "is about a node file, but --nodes is a source",
        ),
        (
            ["-n", "{url}", "--where", "rack=1"],
            1,
            "no column 'rack'; the columns are: id, status",
        ),
        (["-n", "{url}", "--dead", "e"], 1, "--dead names 'e', which is not in the list"),
        (["-n", "{url}", "--algorithm", "jump"], 2, "the nodes of a source have no lasting order"),
        (["-n", "redis://u:s3cret@h,i/0"], 1, "write --nodes @redis://... for the nodes of the"),
        (["-n", "http://127.0.0.1:1"], 1, "write JSON, --nodes '[\"http://127.0.0.1:1\"]'"),
    ],
)
def test_sources_that_are_refused(call, served, args, code, words):
    result = call("select", "-k", "obj", *(arg.replace("{url}", served) for arg in args))
    assert (result.code, result.out, result.err.count("\n")) == (code, b"", 1), result
    assert words in result.err
    assert "s3cret" not in result.err


def test_a_source_that_is_a_file_is_not_overwritten(fails, here):
    (here / "keys.txt").write_text("x\n")
    args = ["assign", "keys.txt", "-n", f"file://{here}/nodes.json", "--output-format", "lines"]
    assert "is the file that" in fails(*args, "-o", "nodes.json")
    assert (here / "nodes.json").read_text() == NODES


def test_redis_from_start_to_finish(call, here):
    pytest.importorskip("redis", reason="redis-py is not installed: pip install 'rvh[redis]'")
    port = free_port()

    def is_ready() -> bool:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True

    program = [needed("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    url = f"redis://default:s3cret@127.0.0.1:{port}/0?key=nodes"
    name = f"redis://127.0.0.1:{port}/0?key=nodes"
    with Server([*program, "--requirepass", "s3cret"], is_ready, here).running():
        result = call("nodes", "publish", "nodes.json", "--to", url)
        assert result.err == f"rvh: {name} is written: epoch 1, 4 nodes, 2 selectable\n"
        result = call("select", "-n", url, "-k", "obj")
        assert result.out.decode() == f"{read_once('nodes.json').nodes.select('obj')}\n"
        assert result.err == f"rvh: 2 of 4 nodes of {name} (epoch 1), weighted\n"
        with Membership(url, max_change=0.1) as membership:
            write(here / "nodes.json", NODES.replace('"c"', '"e"'))
            result = call("nodes", "publish", "nodes.json", "--to", url)
            assert result.err.endswith(" epoch 2, 4 nodes, 2 selectable; 33.3333% of keys move\n")
            until(lambda: membership.held is not None)
            result = call("nodes", url, "--accept", "--json")
            assert json.loads(result.out)["epoch"] == 2
            assert "s3cret" not in result.err
            until(lambda: [*membership.nodes] == ["a", "e"])
            assert membership.snapshot.epoch == 2
    result = call("nodes", url, "--timeout", 5)
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert result.err.startswith(f"rvh: {name} cannot be read: ConnectionError")
    assert "s3cret" not in result.err


def test_urls_that_are_ids_stay_ids(call):
    for ids in (["http://a:80", "http://b:80/"], ["redis://a", "tcp://b:1"]):
        result = call("select", "-n", ",".join(ids), "-k", "obj", "-c", 2)
        assert (result.out.decode(), result.err) == (f"{NodeSet(ids).select('obj', 2)}\n", "")
        result = call("select", "-n", json.dumps(ids[:1]), "-k", "obj", "--dead", "@none.txt")
        assert "--dead @none.txt: No such file" in result.err
        args = ["-n", json.dumps(ids), "-k", "obj", "--dead", ids[0]]
        assert call("select", *args).out.decode() == f"{ids[1:]}\n"


def test_the_schemes_are_those_of_sources():
    assert set(SCHEMES) == set(sources.SCHEMES)


def test_without_a_source_nothing_of_membership_is_loaded(spawn):
    code = """
        import sys
        from rvh.cli import main
        main(["select", "-n", "http://a:80,http://b:80", "-k", "x"])
        never = "msgspec", "rvh.membership", "asyncio", "logging"
        print([name for name in sys.modules if name.startswith(never)])
    """
    out = spawn(argv=[sys.executable, "-c", dedent(code)]).out.decode()
    assert out.splitlines()[1:] == ["[]"]
