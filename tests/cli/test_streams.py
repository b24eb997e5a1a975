"""`rvh assign` into what is no file of its own: descriptors, pipes, devices; and what a failed run
leaves there. With real shells, and with the programs and libraries that read such things.
"""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commandline import command, environment, limited
from sizes import some

KEYS = "id\n1\n2\n3\n"
ANSWER = "id,node\n1,b\n2,a\n3,b\n"  # of the nodes a and b
RVH = f"'{sys.executable}' -m rvh"


@pytest.fixture
def shell(tmp_path):
    """Run a line of a real shell in a folder with k.csv; `rvh` is the command line."""
    (tmp_path / "k.csv").write_text(KEYS, encoding="utf-8")

    def run(line: str, program: str = "sh") -> subprocess.CompletedProcess[str]:
        if shutil.which(program) is None:
            pytest.skip(f"this system has no {program}")
        return subprocess.run(
            [program, "-c", f'rvh() {{ {RVH} "$@"; }}\n{line}'],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=environment(),
            timeout=300,
            check=False,
        )

    return run


NAMES = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/thread-self/fd/1", "link.csv"]


@pytest.fixture
def link(tmp_path):
    """A link of the user's own to stdout."""
    (tmp_path / "link.csv").symlink_to("/dev/stdout")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_stdout_is_stdout(shell, link, tmp_path, name):
    if name.startswith("/") and not Path(name).parent.exists():
        pytest.skip(f"this system has no {name}")
    args = f"assign k.csv -qn a,b -o {name}"
    done = shell(f"echo KEEP >f; rvh {args} >>f; cat f; rvh {args} | sed s/^/-/")
    assert (done.returncode, done.stderr) == (0, "")
    piped = "".join(f"-{line}\n" for line in ANSWER.splitlines())
    assert done.stdout == f"KEEP\n{ANSWER}{piped}"
    assert sorted(os.listdir(tmp_path)) == ["f", "k.csv", "link.csv"]
    assert (tmp_path / "link.csv").is_symlink()


def test_any_descriptor_is_written_from_where_it_is(shell):
    done = shell(
        "{ echo before >&7; rvh assign k.csv -qn a,b -o /dev/fd/7; echo after >&7; } 7>f; cat f;"
        "rvh assign k.csv -qn a,b -o /dev/stderr 2>>f; tail -n 1 f"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"before\n{ANSWER}after\n3,b\n"


def test_bash_process_substitution(shell):
    done = shell("rvh assign <(cat k.csv) --format csv -qn a,b -o >(cat >&2); wait $!", "bash")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == ANSWER


def test_a_descriptor_that_cannot_be_used(shell):
    for args, words in {
        "k.csv -o /dev/fd/9": ["/dev/fd/9", "Bad file descriptor"],
        "k.csv -o /dev/stdin <k.csv": ["/dev/stdin", "for reading alone"],
        "/dev/stdout --format csv -o x.csv >f": ["/dev/stdout", "for writing alone"],
        "k.csv -o /proc/$$/fd/4 4>f": ["another process", "-o - >&4"],
    }.items():
        done = shell(f"rvh assign -qn a,b {args}")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.count("\n") == 1
        for word in words:
            assert word in done.stderr


def test_a_descriptor_of_another_process_that_is_a_pipe(shell):
    done = shell("exec 4>&1; rvh assign k.csv -qn a,b -o /proc/$$/fd/4")
    assert (done.returncode, done.stdout, done.stderr) == (0, ANSWER, "")


def test_keys_from_a_descriptor_go_on_where_it_is(shell):
    """What another program has read of stdin is not read again, as it would be by its name."""
    args = "--format lines -qn a,b -o -"
    expected = "1\tb\n2\ta\n3\tb\n"
    for name in ("-", "/dev/stdin", "/dev/fd/0"):
        done = shell(f"{{ read header; rvh assign {name} {args}; }} <k.csv")
        assert (done.returncode, done.stdout, done.stderr) == (0, expected, ""), name
    done = shell("rvh assign /dev/stdin --format csv -qn a,b -o - --load-factor 2 <k.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "KEYS is read twice" in done.stderr


def test_stdin_that_is_asked_for_twice(shell):
    for name in ("-", "/dev/stdin", "/dev/fd/0"):
        done = shell(f"rvh assign {name} --format lines -n @- -qo - <k.csv")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert "only once" in done.stderr


def test_parquet_from_a_descriptor(shell, tmp_path):
    pq.write_table(pa.table({"id": ["1", "2"]}), tmp_path / "k.parquet")
    done = shell(
        "rvh assign /dev/fd/5 --format parquet -qn a,b -o - --output-format csv 5<k.parquet;"
        "cat k.parquet | rvh assign /dev/stdin --format parquet -qn a,b -o - --output-format csv"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "id,node\n1,b\n2,a\n" * 2, "")


def test_parquet_of_a_pipe_where_temporary_files_have_no_room(tmp_path):
    pq.write_table(pa.table({"id": ["1", "2"]}), tmp_path / "k.parquet")
    done = subprocess.run(
        limited("RLIMIT_FSIZE", 10, "assign", "-", "--format", "parquet", "-n", "a,b", "-o", "-"),
        input=(tmp_path / "k.parquet").read_bytes(),
        capture_output=True,
        env=environment(TMPDIR=str(tmp_path)),
        timeout=300,
    )
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert f"kept in {tmp_path} meanwhile".encode() in done.stderr
    assert b"TMPDIR" in done.stderr


@pytest.mark.parametrize(
    "out", some(["/dev/full", "/dev/stdout >/dev/full", "- >/dev/full"], every=3)
)
@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "arrows"])
def test_a_full_device(shell, out, kind):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    done = shell(f"rvh assign k.csv -qn a,b --output-format {kind} -o {out}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr


def test_a_terminal_is_written(tmp_path):
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    (tmp_path / "k.csv").write_text(KEYS, encoding="utf-8")
    master, slave = pty.openpty()
    args = ["assign", tmp_path / "k.csv", "-qn", "a,b", "-o", os.ttyname(slave)]
    done = subprocess.run(command(*args, "--output-format", "csv"), env=environment(), timeout=300)
    assert done.returncode == 0
    assert os.read(master, 4096).replace(b"\r\n", b"\n") == ANSWER.encode()
    os.close(master)
    os.close(slave)


def test_bench_to_a_name_of_stdout(shell, tmp_path):
    """As with `-`, the figures are alone there, and the table is on stderr."""
    done = shell("rvh bench --rounds 1 --only 'table/lookup-n1024-k1' -o /dev/stdout >>f; cat f")
    assert done.returncode == 0
    header, row, *rest = done.stdout.splitlines()
    assert header.startswith("name,call,")
    assert row.startswith("table/lookup-n1024-k1,")
    assert rest == []
    assert "ns/key" in done.stderr


# -- what a failed run leaves on a stream -------------------------------------------------------

ROWS = 140_000  # two batches and a part of one


@pytest.fixture(scope="module")
def late(tmp_path_factory):
    """Keys of which the last is null: the rows before it are on their way by then."""
    path = tmp_path_factory.mktemp("late") / "late.parquet"
    table = pa.table({"id": [f"k{n}" for n in range(ROWS - 1)] + [None]})
    pq.write_table(table, path, row_group_size=ROWS // 4)  # as large are those of the output
    return path


READERS = {
    "parquet": (pq.read_table, pl.read_parquet, lambda path: duckdb.read_parquet(str(path))),
    "arrow": (
        lambda path: pa.ipc.open_file(str(path)).read_all(),
        lambda path: pa.ipc.open_stream(str(path)).read_all(),
        pl.read_ipc,
    ),
    "arrows": (lambda path: pa.ipc.open_stream(str(path)).read_all(), pl.read_ipc_stream),
}


@pytest.mark.parametrize("kind", READERS)
def test_no_reader_takes_a_failed_output_for_whole(tmp_path, late, kind):
    out = tmp_path / "out"
    with out.open("wb") as file:
        done = subprocess.run(
            command("assign", late, "-qn", "a,b", "-o", "-", "--output-format", kind),
            stdout=file,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=300,
        )
    assert done.returncode == 1
    error = done.stderr.decode()
    assert error.count("\n") == 1
    assert f"row {ROWS}, column 'id': the key is null" in error
    assert "stdout is incomplete, it ends after 131,072 rows" in error
    assert out.stat().st_size > 100_000
    for read in READERS[kind]:
        with pytest.raises((pa.ArrowException, OSError, pl.exceptions.PolarsError, duckdb.Error)):
            read(out)


def test_text_on_a_stream_says_how_far_it_got(shell, late):
    done = shell(f"rvh assign '{late}' -qn a,b -o /dev/stdout --output-format csv | wc -l")
    assert done.stdout.strip() == "131073"
    assert "/dev/stdout is incomplete, it ends after 131,072 rows" in done.stderr


@pytest.mark.parametrize(
    ("suffix", "test"),
    [(".gz", "gzip -t"), (".zst", "zstd -qt"), (".bz2", "bzip2 -t"), (".xz", "xz -t")],
)
@pytest.mark.parametrize("first", [True, False], ids=["no rows", "some rows"])
def test_compressed_text_on_a_pipe_has_no_end(shell, tmp_path, late, suffix, test, first):
    if shutil.which(test.split()[0]) is None:
        pytest.skip(f"this system has no {test.split()[0]}")
    keys = late
    if first:
        keys = tmp_path / "k.txt"
        keys.write_bytes(b"\xff\n")
    out = tmp_path / f"pipe.txt{suffix}"
    os.mkfifo(out)
    done = shell(
        f"cat {out} >got{suffix} & rvh assign '{keys}' -qn a,b -o {out}; echo $?; wait;"
        f"{test} got{suffix}; echo $?"
    )
    ours, theirs = done.stdout.split()
    assert ours == "1"
    assert theirs != "0"
    assert f"pipe.txt{suffix} is incomplete" in done.stderr


def test_a_killed_stream_has_no_end(tmp_path):
    out = tmp_path / "out.arrows"
    with out.open("wb") as file:
        run = subprocess.Popen(
            command("assign", "-", "--format", "lines", "--output-format", "arrows", *STREAM),
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.PIPE,
            env=environment(),
        )
    assert run.stdin is not None
    run.stdin.write(b"".join(b"%d\n" % n for n in range(600_000)))
    run.stdin.flush()
    deadline = time.monotonic() + 120
    while out.stat().st_size < 1_000_000:
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline, "it never wrote anything"
        time.sleep(0.01)
    time.sleep(0.2)
    run.send_signal(signal.SIGTERM)
    _, error = run.communicate(timeout=120)
    assert (run.returncode, error) == (143, b"")
    with pytest.raises(pa.ArrowInvalid):
        pa.ipc.open_stream(str(out)).read_all()


STREAM = ("-qn", "a,b", "-o", "-")


# -- files that no other can take the place of -----------------------------------------------------


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


def test_a_file_that_is_mounted(shell, tmp_path):
    """As one file is, into a container. A new name space of mounts, so that nothing is left."""
    (tmp_path / "inner.csv").write_text("before\n", encoding="utf-8")
    (tmp_path / "o ut.csv").write_text("", encoding="utf-8")
    mount = "mount --bind inner.csv 'o ut.csv'"
    own = shell(f'unshare -m sh -c "{mount}"')
    if own.returncode:
        pytest.skip(f"no file can be mounted here: {own.stderr.strip()}")
    script = tmp_path / "script"
    script.write_text(
        f"{mount} && {RVH} assign bad.csv -qn a,b -o 'o ut.csv'; echo $?; cat 'o ut.csv';"
        f"{RVH} assign k.csv -qn a,b -o - > 'o ut.csv'; cat inner.csv\n",
        encoding="utf-8",
    )
    (tmp_path / "bad.csv").write_bytes(b"id\n\xff\n")  # reading it would be the first error
    done = shell("unshare -m sh script")
    assert "mounted by itself" in done.stderr
    assert "write -o - > 'o ut.csv'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == f"1\nbefore\n{ANSWER}"
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".part")]


#: `rvh ARGS` as a user without rights. All is loaded before, from folders that may be root's own.
AS_NOBODY = """
import os, sys
import rvh._tables.parquet
from rvh.cli import main
assert main(["assign", "k.csv", "-qn", "a,b", "-o", "/dev/null", "--output-format", "csv"]) == 0
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def nobody():
    """Call `rvh` as another user, in a folder where anyone may write."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        Path(folder, "k.csv").write_text(KEYS, encoding="utf-8")
        Path(folder, "bad.csv").write_bytes(b"id\n\xff\n")  # reading it would be the first error

        def run(*args: object) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-c", AS_NOBODY, *map(str, args)],
                cwd=folder,
                capture_output=True,
                text=True,
                env=environment(),
                timeout=300,
                check=False,
            )

        run.folder = Path(folder)
        yield run


def test_a_file_of_another_in_a_sticky_folder(nobody):
    """As in /tmp: it may be written, but another may not take its name."""
    out = nobody.folder / "out.csv"
    out.write_text("before\n", encoding="utf-8")
    out.chmod(0o666)
    nobody.folder.chmod(0o1777)
    refused(
        nobody("assign", "bad.csv", "-n", "a,b", "-o", "out.csv"),
        *("no new file can take the place of out.csv", "write -o - > out.csv"),
    )
    assert out.read_text(encoding="utf-8") == "before\n"
    assert sorted(os.listdir(nobody.folder)) == ["bad.csv", "k.csv", "out.csv"]
    nobody.folder.chmod(0o777)
    assert nobody("assign", "k.csv", "-n", "a,b", "-o", "out.csv").returncode == 0
    assert out.read_text(encoding="utf-8") == ANSWER
    assert out.stat().st_uid == 65534  # for only root can give files away


def test_a_folder_that_takes_no_new_file(nobody):
    out = nobody.folder / "out.csv"
    out.write_text("before\n", encoding="utf-8")
    out.chmod(0o666)
    nobody.folder.chmod(0o755)
    args = ["assign", "bad.csv", "-n", "a,b", "-o", "out.csv"]
    refused(nobody(*args), "out.csv", "ermission denied", "write -o - > out.csv")
    args = ["assign", "bad.csv", "-n", "a,b", "-o", "new.csv"]
    refused(nobody(*args), "new.csv cannot be written: Permission denied")
    out.chmod(0o644)
    args = ["assign", "bad.csv", "-n", "a,b", "-o", "out.csv"]
    refused(nobody(*args), "out.csv cannot be written: permission denied")
    assert out.read_text(encoding="utf-8") == "before\n"


@pytest.mark.parametrize("out", some(["-", "/dev/stdout", "/dev/fd/1"], every=3))
@pytest.mark.parametrize("keys", ["k.csv", "/dev/stdin"])
def test_rows_are_not_added_to_the_file_they_come_from(shell, tmp_path, keys, out):
    """They would be read again, without end."""
    line = f"rvh assign {keys} --format csv -n a,b -o {out} --output-format csv < k.csv >> k.csv"
    refused(shell(line), f"is the file that {keys} reads", "-o FILE")
    assert (tmp_path / "k.csv").read_text() == KEYS
    assert shell("rvh assign k.csv -n a,b -o k.csv").returncode == 0  # as the error advises
    assert (tmp_path / "k.csv").read_text() == ANSWER


@pytest.mark.parametrize(
    ("out", "why"),
    [
        ("x" * 252 + ".csv", "cannot be written: File name too long"),
        ("circle.csv", "cannot be written: Too many levels of symbolic links"),
        ("''", "the name of an output is empty"),
    ],
)
def test_a_name_that_no_file_can_have(shell, tmp_path, out, why):
    """It is refused before a row is read: the one row here is wrong."""
    (tmp_path / "circle.csv").symlink_to("circle.csv")
    (tmp_path / "bad.csv").write_text('id\n"1"x\n')
    refused(shell(f"rvh assign bad.csv -n a,b -o {out}"), why)
    assert sorted(os.listdir(tmp_path)) == ["bad.csv", "circle.csv", "k.csv"]
    refused(shell("rvh assign '' --format csv -n a,b -o o.csv"), "a file of KEYS is empty")


def test_a_file_that_may_not_be_changed(shell, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("before\n", encoding="utf-8")
    if shell("chattr +i out.csv").returncode:
        pytest.skip("no file can be made immutable here")
    try:
        done = shell("rvh assign k.csv -n a,b -o out.csv")
    finally:
        assert shell("chattr -i out.csv").returncode == 0
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert out.read_text(encoding="utf-8") == "before\n"
    assert sorted(os.listdir(tmp_path)) == ["k.csv", "out.csv"]


@pytest.mark.parametrize(
    ("out", "more", "advice"),
    [
        ("out.parquet", [], "write -o - --output-format parquet > out.parquet"),
        ("out.csv.gz", [], "write -o - | gzip > out.csv.gz"),
    ],
)
def test_the_advice_keeps_format_and_compression(nobody, out, more, advice):
    path = nobody.folder / out
    path.write_text("before", encoding="utf-8")
    path.chmod(0o666)
    nobody.folder.chmod(0o1777)
    refused(nobody("assign", "k.csv", "-n", "a,b", "-o", out, *more), advice)


def test_root_keeps_the_owner(call, tmp_path):
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can give files away")
    keys, out = tmp_path / "k.csv", tmp_path / "out.csv"
    keys.write_text(KEYS, encoding="utf-8")
    out.write_text("before", encoding="utf-8")
    out.chmod(0o4750)
    os.chown(out, 12345, 54321)
    out.chmod(0o4750)  # a change of the owner takes such bits away
    assert call("assign", keys, "-n", "a,b", "-o", out).code == 0
    about = out.stat()
    assert (about.st_uid, about.st_gid, about.st_mode & 0o7777) == (12345, 54321, 0o4750)
    assert out.read_text(encoding="utf-8") == ANSWER


def test_attributes_are_kept(call, tmp_path):
    keys, out = tmp_path / "k.csv", tmp_path / "out.csv"
    keys.write_text(KEYS, encoding="utf-8")
    out.write_text("before", encoding="utf-8")
    if not hasattr(os, "setxattr"):
        pytest.skip("this system has no extended attributes")
    try:
        os.setxattr(out, "user.origin", b"a test")
    except OSError as error:
        pytest.skip(f"no extended attributes here: {error}")
    assert call("assign", keys, "-n", "a,b", "-o", out).code == 0
    assert os.getxattr(out, "user.origin") == b"a test"


def test_an_access_list_is_kept(call, tmp_path):
    """Its mask looks like rights of the group, which the group must not get without it."""
    keys, out = tmp_path / "k.csv", tmp_path / "out.csv"
    keys.write_text(KEYS, encoding="utf-8")
    out.write_text("before", encoding="utf-8")
    # acl(5) as Linux stores it: version, then tag, rights and user for each entry.
    entries = [(1, 6, -1), (2, 6, 12345), (4, 0, -1), (16, 6, -1), (32, 0, -1)]
    stored = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *each) for each in entries)
    name = "system.posix_acl_access"
    try:
        os.setxattr(out, name, stored)
    except (AttributeError, OSError) as error:
        pytest.skip(f"no access lists here: {error}")
    assert out.stat().st_mode & 0o777 == 0o660
    assert call("assign", keys, "-n", "a,b", "-o", out).code == 0
    assert os.getxattr(out, name) == stored
    assert out.stat().st_mode & 0o777 == 0o660
