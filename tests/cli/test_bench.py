"""`rvh bench`: the figures as table, CSV and plot; comparisons; and what it refuses to begin.

Nothing here depends on how fast the machine is.
"""

from __future__ import annotations

import csv
import io
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from commandline import command, environment
from folders import DOCS

import rvh
import rvh.bench.timing
from rvh import cpu
from rvh.bench.results import COLUMNS, csv_text, read_csv
from rvh.bench.scenarios import scenarios

PAGE = (DOCS / "reference/cli.md").read_text("utf-8")
SECTION = PAGE.split("\n## rvh bench\n")[1].split("\n## ")[0]
NAMES = ["murmur/n1024-k1", "stable/jumpback-n1000"]
FEW = ["bench", "--rounds", "1", *(word for name in NAMES for word in ("--only", name))]
Rows = list[dict[str, str]]


def rows_of(text: str) -> Rows:
    return list(csv.DictReader(io.StringIO(text)))


def written(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> str:
    """The CSV of a run of `FEW`."""
    path = tmp_path_factory.mktemp("bench") / "old.csv"
    subprocess.run(command(*FEW, "-o", path), check=True, capture_output=True)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def old(measured, tmp_path) -> Callable[..., Path]:
    """That CSV as a file, its times divided and other cells replaced."""

    def write(faster: float = 1, name: str = "", **cells: str) -> Path:
        rows = rows_of(measured)
        for row in rows:
            if name in row["name"]:
                for column in ("seconds", "seconds_best"):
                    row[column] = repr(float(row[column]) / faster)
                row.update(cells)
        return written(tmp_path / "old.csv", rows)

    return write


@pytest.fixture
def unmeasured(monkeypatch) -> None:
    """Whoever measures fails."""

    def refuse(*args: object) -> None:
        pytest.fail("measured")

    monkeypatch.setattr(rvh.bench.timing, "measure", refuse)


# -- figures -------------------------------------------------------------------------------------


def test_the_table(call):
    result = call(*FEW)
    assert (result.code, result.err) == (0, "")
    header, *lines = result.out.decode().splitlines()
    assert header.split() == ["scenario", "keys/s", "ns/key", "pairs/s"]
    assert [line.split()[0] for line in lines] == NAMES
    assert [len(line.split()) for line in lines] == [4, 3]  # jumpback scores no pairs
    for line in lines:
        rate, nanoseconds = (float(cell.replace(",", "")) for cell in line.split()[1:3])
        assert rate * nanoseconds == pytest.approx(1e9, rel=0.05)


def test_the_csv_has_the_documented_columns(measured):
    documented = re.findall(r"^\| `(\w+)` \| (\S*) ?\| (.*) \|$", SECTION, re.MULTILINE)
    assert documented == [
        (column.name, column.metadata["unit"], column.metadata["meaning"])
        for column in COLUMNS.values()
    ]
    assert measured.splitlines()[0].split(",") == list(COLUMNS)


def test_the_csv(measured):
    rows = rows_of(measured)
    assert [row["name"] for row in rows] == NAMES
    for row in rows:
        assert row["rounds"] == "1"
        assert row["seconds"] == row["seconds_best"]
        rate = int(row["keys"]) / float(row["seconds"])
        assert float(row["keys_per_second"]) == pytest.approx(rate)
        assert row["weighted"] == "false"
        assert (row["rvh"], row["backend"]) == (rvh.__version__, rvh.backend())
        assert row["isa"] == cpu.active()
        assert row["processor"]
    assert [row["scheme"] for row in rows] == ["murmur", ""]


def test_the_csv_reads_back(old):
    path = old()
    rows = read_csv(path)
    assert csv_text(rows) == path.read_text(encoding="utf-8")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert read_csv(path) == rows


def test_csv_to_stdout_sends_the_table_to_stderr(call):
    result = call(*FEW, "-o", "-")
    assert [row["name"] for row in rows_of(result.out.decode())] == NAMES
    assert result.err.startswith("scenario ")


def test_all_scenarios_run(call, monkeypatch):
    ran = []

    def once(calls, rounds, tell):
        for name, each in calls.items():
            ran.append(name)
            each()
        return {name: [1.0] * rounds for name in calls}

    monkeypatch.setattr(rvh.bench.timing, "measure", once)
    monkeypatch.setattr(rvh, "backend", lambda: "python")  # its key counts, with any kernel
    result = call("bench")
    assert result.code == 0, result.err
    assert ran == scenarios()
    assert len(result.out.splitlines()) == 1 + len(ran)


def test_list(call, unmeasured):
    names = [each.name for each in scenarios()]
    assert call("bench", "--list").out.decode().split() == names
    assert len(set(names)) == len(names)
    some = call("bench", "--list", "--only", "table/*", "--only", "*-S").out.decode().split()
    assert some == [name for name in names if name.startswith("table/") or name.endswith("-S")]


def test_every_round_goes_through_all_calls():
    ran, told = [], []
    calls = {name: lambda name=name: ran.append(name) for name in "abc"}
    seconds = rvh.bench.timing.measure(calls, 2, lambda *each: told.append(each))
    assert ran == list("abc" * 3)
    assert told == [(number, name) for number in range(3) for name in "abc"]
    assert [len(each) for each in seconds.values()] == [2, 2, 2]


def test_progress_is_for_a_terminal_and_leaves_nothing(call, monkeypatch):
    assert call(*FEW).err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = call(*FEW).err.split("\r\x1b[K")
    assert f"round 1 of 1: {NAMES[0]}" in shown
    assert shown[-1] == ""


# -- comparisons ---------------------------------------------------------------------------------


@pytest.fixture
def timed(old, monkeypatch):
    """Instead of measuring: each attempt takes so many times what OLD.csv has, by scenario."""

    def replace(*attempts: dict[str, float]) -> Path:
        path = old()
        before = {row.workload: row.figures.seconds_best for row in read_csv(path)}
        factors = iter(attempts)
        last = attempts[-1]

        def measure(calls, rounds, tell):
            now = next(factors, last)
            return {each: [before[each] * now[each.name]] * rounds for each in calls}

        monkeypatch.setattr(rvh.bench.timing, "measure", measure)
        return path

    return replace


def both(factor: float) -> dict[str, float]:
    return dict.fromkeys(NAMES, factor)


def test_slower_than_allowed(call, timed, tmp_path):
    path = timed(both(1) | {NAMES[0]: 4})
    result = call(*FEW, "--compare", path, "--fail-over", "200%", "-o", tmp_path / "new.csv")
    assert result.code == 1
    assert result.err == f"rvh: {NAMES[0]} is 300.0% slower than in {path}\n"
    assert result.out.decode().splitlines()[1].endswith("300% slower")
    first, second = rows_of((tmp_path / "new.csv").read_text(encoding="utf-8"))
    assert first["rounds"] == "3"  # measured again, twice
    assert second["rounds"] == "1"


def test_slower_without_a_limit_is_only_shown(call, timed):
    result = call(*FEW, "--compare", timed(both(4)))
    assert (result.code, result.err) == (0, "")
    assert result.out.count(b"300% slower\n") == 2


@pytest.mark.parametrize("limit", ["10%", "10", "0.5%"])
def test_faster(call, timed, limit):
    result = call(*FEW, "--compare", timed(both(0.5)), "--fail-over", limit)
    assert (result.code, result.err) == (0, "")
    assert result.out.count(b"100% faster\n") == 2


def test_a_slow_spell_does_not_count(call, timed, tmp_path):
    """The first rounds are slow, those measured again as fast as before."""
    path = timed(both(9), both(1))
    result = call(*FEW, "--compare", path, "--fail-over", "5%", "-o", tmp_path / "new.csv")
    assert (result.code, result.err) == (0, "")
    assert [
        row["rounds"] for row in rows_of((tmp_path / "new.csv").read_text(encoding="utf-8"))
    ] == ["2", "2"]
    assert result.out.count(b" same\n") == 2


def test_another_workload_is_not_compared(call, old):
    path = old(name=NAMES[0], keys="17")
    result = call(*FEW, "--compare", path, "--fail-over", "999999%")
    assert result.code == 0
    assert result.err == (
        f"rvh: warning: {path} was measured under other conditions: other key counts or "
        f"parameters of {NAMES[0]}\n"
    )
    lines = [line.split() for line in result.out.decode().splitlines()]
    assert (lines[1][0], lines[1][-1]) == (NAMES[0], "new")
    assert lines[-1] == [NAMES[0], "gone"]


def test_what_was_not_asked_for_is_not_gone(call, old):
    result = call("bench", "--rounds", "1", "--only", NAMES[1], "--compare", old())
    assert b"gone" not in result.out
    assert b"new" not in result.out
    result = call("bench", "--rounds", "1", "--only", NAMES[1], "--compare", old(name=NAMES[0]))
    assert NAMES[0].encode() not in result.out


def test_other_conditions_are_one_warning(call, old):
    path = old(processor="PDP-11", isa="octal", backend="brass")
    result = call(*FEW, "--compare", path)
    assert result.code == 0
    assert result.err.count("\n") == 1
    assert result.err.startswith(f"rvh: warning: {path} was measured under other conditions: ")
    for words in ("processor PDP-11 (here ", f"isa octal (here {cpu.active()})", "backend brass"):
        assert words in result.err


# -- the plot ------------------------------------------------------------------------------------


@pytest.fixture
def matplotlib() -> None:
    pytest.importorskip("matplotlib", reason="--plot needs matplotlib")


def texts(svg: bytes) -> list[str]:
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.usefixtures("matplotlib")
def test_plot(call, old, tmp_path):
    result = call(*FEW, "--plot", tmp_path / "new.svg")
    assert (result.code, result.err) == (0, "")
    shown = texts((tmp_path / "new.svg").read_bytes())
    assert {*NAMES, "keys per second (log scale), median round", "scenario"} <= {*shown}
    assert "this run" not in shown
    assert call(*FEW, "--plot", tmp_path / "new.svg", "--compare", old()).code == 0
    shown = texts((tmp_path / "new.svg").read_bytes())
    assert {*NAMES, "this run", f"before (rvh {rvh.__version__})"} <= {*shown}
    assert [each.name for each in tmp_path.glob(".rvh-*")] == []


@pytest.mark.usefixtures("matplotlib")
@pytest.mark.parametrize("version", ["1.0", "$x^$", "<&>"])
def test_the_same_figures_make_the_same_plot(old, version):
    from rvh.bench.compare import by_workload
    from rvh.bench.plot import svg

    before = by_workload(read_csv(old(rvh=version, keys_per_second="1e15")))
    rows = read_csv(old(keys_per_second="1e-12"))
    drawn = svg(rows, before)
    assert drawn == svg(rows, before)
    assert f"before (rvh {version})" in texts(drawn)
    assert b"dc:date" not in drawn


def test_plot_without_matplotlib(spawn, tmp_path):
    code = "import sys; sys.modules['matplotlib'] = None; from rvh.cli import main\n"
    code += "sys.exit(main(['bench', '--plot', 'new.svg']))"
    result = spawn(argv=[sys.executable, "-c", code], cwd=tmp_path)
    assert (result.code, result.out) == (1, b"")
    assert result.err == "rvh: --plot needs its extra: pip install 'rvh[bench]'\n"
    assert list(tmp_path.iterdir()) == []


# -- what is refused before anything is measured -------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--rounds", "0"], "--rounds"),
        (["--rounds", "many"], "--rounds"),
        (["--fail-over", "10%"], "needs --compare"),
        *(
            (["--compare", "old.csv", "--fail-over", text], "not a percentage")
            for text in ("ten", "-1", "nan", "inf", "1_0", "10%%", "", "%", "1e3")
        ),
        (["--only", "murmur"], "blake2b/n8-k1, "),
        (["--only", "murmur/*", "--only", "nope*"], "'nope*' matches none of"),
        (["--plot", "new.png"], "does not end in .svg"),
        (["--plot", "-"], "does not end in .svg"),
        (["--plot", "new.svg", "--out", "new.svg"], "the file of --out too"),
        (["--plot", "./new.svg", "--out", "new.svg"], "the file of --out too"),
        (["-o", "x.csv", "--compare", "./x.csv", "--fail-over", "5"], "the file of --compare too"),
        (["extra"], "extra"),
    ],
)
def test_a_wrong_command_line(call, unmeasured, tmp_path, monkeypatch, args, words):
    monkeypatch.chdir(tmp_path)
    result = call("bench", *args)
    assert (result.code, result.out) == (2, b"")
    assert words in result.err
    assert "Traceback" not in result.err
    assert list(tmp_path.iterdir()) == []


def header_without(name: str) -> Callable[[str], str]:
    return lambda text: text.replace(f",{name}", f",un{name}", 1)


def cell(column: str, value: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        rows = [line.split(",") for line in text.splitlines()]
        rows[2][rows[0].index(column)] = value
        return "".join(",".join(row) + "\n" for row in rows)

    return change


BAD: dict[str, tuple[Callable[[str], str | bytes], str]] = {
    "empty": (lambda text: "", ": the file is empty"),
    "a header alone": (lambda text: text.splitlines()[0], ": no rows below the header"),
    "no column": (header_without("seconds_best"), ": line 1: column seconds_best is missing"),
    "a column twice": (
        lambda text: text.replace(",k,", ",keys,", 1),
        ": line 1: column keys appears more than once",
    ),
    "short": (
        lambda text: text[: text.rindex(",")],
        f": line 3: {len(COLUMNS)} columns expected, ",
    ),
    "cut": (lambda text: text.rstrip() + ',"', ": line 3: not CSV"),
    "twice": (
        lambda text: text + text.splitlines()[1],
        f": line 4, column name: '{NAMES[0]}' is in line 2 already",
    ),
    "binary": (lambda text: b"\x7fELF\x02\xff\xfe\0\0", ": line 1 or later: not UTF-8 text"),
    "zeros": (lambda text: bytes(99), ": line 1: "),
    "late bytes": (lambda text: text.encode() + b"\xff", "not UTF-8 text"),
    "control characters": (cell("name", "a\x1b[31mb"), ": line 3, column name: "),
    "no name": (cell("name", ""), ": line 3, column name: it is empty"),
    **{
        f"seconds_best {value!r}": (
            cell("seconds_best", value),
            f": line 3, column seconds_best: {value!r} is not a number from ",
        )
        for value in (*("", "fast", "0", "0.0", "-1", "nan", "inf", "1e999", "1e-999", "1_0"), " 1")
    },
    "keys": (cell("keys", "1.5"), ": line 3, column keys: '1.5' is not a whole number above 0"),
    "many": (cell("nodes", "9" * 5000), ": line 3, column nodes: "),
    "rounds": (cell("rounds", "0"), ": line 3, column rounds: '0' is not a whole number"),
    "weighted": (cell("weighted", "yes"), ": line 3, column weighted: 'yes' is not true or false"),
}


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("what", BAD)
def test_a_damaged_old_file(fails, measured, tmp_path, what):
    change, words = BAD[what]
    content = change(measured)
    path, out = tmp_path / "old.csv", tmp_path / "new.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    out.write_text("as it was", encoding="utf-8")
    message = fails(*FEW, "--compare", path, "-o", out)
    assert message.startswith(f"{path}: ")
    assert words in message
    assert out.read_text(encoding="utf-8") == "as it was"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["new.csv", "old.csv"]


@pytest.mark.usefixtures("unmeasured")
def test_files_that_cannot_be_used(fails, tmp_path):
    assert fails(*FEW, "--compare", tmp_path / "no.csv").endswith("No such file or directory")
    assert "irectory" in fails(*FEW, "--compare", tmp_path)
    assert "cannot be written" in fails(*FEW, "-o", tmp_path / "no" / "new.csv")
    assert "is a directory" in fails(*FEW, "-o", tmp_path)


@pytest.mark.usefixtures("unmeasured", "matplotlib")
def test_a_plot_that_cannot_be_written(fails, tmp_path):
    new = tmp_path / "new.csv"
    assert "cannot be written" in fails(*FEW, "-o", new, "--plot", tmp_path / "no" / "new.svg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("unmeasured")
def test_a_limit_with_nothing_to_judge(call, old):
    result = call(*FEW, "--compare", old(keys="17"), "--fail-over", "10%")
    assert (result.code, result.out) == (1, b"")
    assert "--fail-over has nothing to judge" in result.err


def test_a_wrong_instruction_set(spawn, tmp_path):
    if rvh.backend() == "python":
        pytest.skip("the pure-Python backend has no instruction sets")
    argv = command(*FEW, "-o", "new.csv")
    done = subprocess.run(
        argv, capture_output=True, env=environment(RVH_ISA="mmx"), cwd=tmp_path, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"rvh: ")
    assert done.stderr.count(b"\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal there")
def test_ctrl_c(tmp_path):
    (tmp_path / "new.csv").write_text("as it was", encoding="utf-8")
    run = subprocess.Popen(
        command("bench", "--rounds", "1000", "-o", tmp_path / "new.csv"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while len(list(tmp_path.iterdir())) < 2:
        assert run.poll() is None
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out, err) == (130, b"", b"rvh: interrupted\n")
    assert [each.name for each in tmp_path.iterdir()] == ["new.csv"]
    assert (tmp_path / "new.csv").read_text(encoding="utf-8") == "as it was"


# -- what is loaded ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "import rvh; name = 'rvh.bench'",
        "import rvh.cli.app; name = 'rvh.bench'",
        "from rvh.bench import compare, environment, plot, results, scenarios, table, timing\n"
        "name = ('typer', 'click', 'rich', 'matplotlib', 'pyarrow')",
    ],
    ids=["rvh", "the other commands", "rvh.bench"],
)
def test_what_is_loaded(spawn, code):
    code += "\nimport sys; print([each for each in sys.modules if each.startswith(name)])"
    assert spawn(argv=[sys.executable, "-c", code]).out == b"[]\n"
