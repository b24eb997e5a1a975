"""CSV, TSV and other text as they come: quotes, delimiters, headers, encodings, wrong names."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import json
import os
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from commandline import PEAK, command, environment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sizes import examples, some

import rvh
from rvh._tables import Quote
from rvh._tables.structure import Structure
from rvh.cli import main
from rvh.errors import RVHError

NODES = ["a", "b", "c"]
LIST = ",".join(NODES)


def nodes_of(*keys: str) -> list[str]:
    return rvh.select_batch(NODES, list(keys))[:, 0].tolist()


@pytest.fixture
def answer(call, tmp_path):
    """Write keys to a file, assign, and give what OUT has."""

    def run(name: str, content: bytes, *args: object, out: str | None = None) -> str:
        keys, written = tmp_path / name, tmp_path / (out or f"out_{name}")
        keys.write_bytes(content)
        result = call("assign", keys, "-qn", LIST, "-o", written, *args)
        assert (result.code, result.out, result.err) == (0, b"", "")
        return written.read_bytes().decode()

    return run


@pytest.fixture
def refusal(fails, tmp_path):
    """Write keys to a file, assign, and give the error; OUT must not be there."""

    def run(name: str, content: bytes, *args: object, out: str = "out.csv") -> str:
        keys = tmp_path / name
        keys.write_bytes(content)
        message = fails("assign", keys, "-qn", LIST, "-o", tmp_path / out, *args)
        assert name in message
        assert not (tmp_path / out).exists()
        return message

    return run


# -- quotes ---------------------------------------------------------------------------------------

QUOTED = b'id\tx\n1\t"hi\n2\tb\n3\tbye"\n'


def test_quotes_in_tsv_are_nobodys_guess(refusal, answer):
    message = refusal("k.tsv", QUOTED, "-K", "id")
    for word in ("line 2", "--quote none", "--quote csv"):
        assert word in message
    one, two, three = nodes_of("1", "2", "3")
    assert answer("k.tsv", QUOTED, "-K", "id", "--quote", "none") == (
        f'id\tx\tnode\n1\t"hi\t{one}\n2\tb\t{two}\n3\tbye"\t{three}\n'
    )
    assert answer("k.tsv", QUOTED, "-K", "id", "--quote", "csv") == (
        f'id\tx\tnode\n1\t"hi\n2\tb\n3\tbye"\t{one}\n'
    )
    assert "line 1" in refusal("k.tsv", b'"id"\tx\n1\t2\n', "-K", "id")
    late = b"id\tx\n" + b"1\tsome text to fill more than a block\n" * 100_000
    assert "line 100002 " in refusal("k.tsv", late + b'"2"\t3\n', "-K", "id")


def test_quotes_within_a_value_of_tsv_stay(answer):
    assert answer("k.tsv", b'id\tx\n1\t5" pipe\n2\ta "b"\n', "-K", "id") == (
        'id\tx\tnode\n1\t5" pipe\t{}\n2\ta "b"\t{}\n'.format(*nodes_of("1", "2"))
    )


def test_csv_without_quotes(answer):
    content = b'id,x\n"1,"2\n'
    assert answer("k.csv", content, "-K", "id", "--quote", "none") == (
        f'id,x,node\n"1,"2,{nodes_of(chr(34) + "1")[0]}\n'
    )


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b'id,x\n1,"a"x\n', 2, ["after the closing quote", '""', "--quote none"]),
        (b'id,x\n1,"a\nb"x\n', 2, ["after the closing quote"]),
        (b'id,x\n1,"a" \n', 2, ["after the closing quote"]),
        (b'id,x\n1,"a""b"c,\n', 2, ["after the closing quote"]),
        (b'id,x\n1,2\n"3"4,5\n', 3, ["after the closing quote"]),
        (b'id,x\r\n1,2\r\n"3" ,5\r\n', 3, ["after the closing quote"]),
        (b'"id"x,y\n1,2\n', 1, ["after the closing quote"]),
        (b'id,x\n1,5" pipe\n2,"a"b\n', 3, ["after the closing quote"]),
        (b'id,x\n1,"a\n2,b\n3,c\n', 2, ["never closed", "within quotes", "--quote none"]),
        (b'id,x\n1,2\n2,"a""\n\n\n', 3, ["never closed"]),
        (b'"id,x\n1,2\n', 1, ["never closed"]),
        (b'id,x\n1,"' + b"a\n" * 3_000_000, 2, ["not closed within 2 MiB"]),
        (b"id,x\n" + b"1,2\n" * 999_999 + b'3,"4\n', 1_000_001, ["never closed"]),
        (b"id,x\n" + b'1,"2\n"\n' * 999_999 + b'3,"4"5\n', 2_000_000, ["after the closing"]),
        (b"id,x\n1,2\r3,4\n", 2, ["carriage return"]),
        (b'id,x\n1,"2"\r3,4\n', 2, ["carriage return"]),
        (b'id,x\n"\r",2\n1,2\n3,4\r', 4, ["carriage return"]),
        (b"id,x\n1,2\n3,\x004\n", 3, ["NUL", "--encoding"]),
    ],
)
def test_quotes_that_can_be_read_in_two_ways(refusal, content, line, words):
    message = refusal("k.csv", content, "-K", "id" if content[:1] != b'"' else "y")
    assert f"line {line} " in message
    for word in words:
        assert word in message


alphabet = st.text(st.sampled_from('"",\n\nab\r'), max_size=16)


@settings(max_examples=examples(300))
@given(alphabet, st.lists(st.integers(0, 16), max_size=4))
def test_csv_is_refused_where_python_refuses_it(text, cuts):
    """Python's strict reader is the judge of quotes; lone carriage returns are refused beside."""
    text = text.replace("\r", "\r\n")
    try:
        list(csv.reader(io.StringIO(text, newline=""), strict=True))
        fine = True
    except csv.Error:
        fine = False
    structure = Structure("k.csv", ",", Quote.CSV, 1000)
    data, at = text.encode(), 0
    try:
        for cut in [*sorted(cuts), len(data)]:
            structure.feed(data[at:cut])
            at = max(at, cut)
        structure.end()
    except RVHError:
        assert not fine
    else:
        assert fine


def test_values_that_tsv_cannot_hold(call, answer, tmp_path):
    """What rvh writes as TSV, rvh reads again: quotes only where asked for."""
    content = b'id,x\n1,"a\tb"\n'
    keys, out = tmp_path / "k.csv", tmp_path / "out.tsv"
    for value in (b'"a\tb"', b'"a\nb"', b'"""a"'):
        keys.write_bytes(b"id,x\n1," + value + b"\n")
        result = call("assign", keys, "-qn", LIST, "-K", "id", "-o", out)
        assert (result.code, result.out) == (1, b"")
        assert "'x'" in result.err
        assert "--quote csv" in result.err
        assert not out.exists()
    node = nodes_of("1")[0]
    assert answer("k.csv", content, "-K", "id", "--quote", "csv", out="out.tsv") == (
        f'id\tx\tnode\n1\t"a\tb"\t{node}\n'
    )
    assert answer("k.csv", b'id,x\n1,"say ""hi"""\n', "-K", "id", out="out.tsv") == (
        f'id\tx\tnode\n1\tsay "hi"\t{node}\n'
    )


# -- delimiters and headers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelling", "character"),
    [(";", ";"), ("|", "|"), ("\\t", "\t"), ("tab", "\t"), ("\t", "\t"), ("^", "^"), ("]", "]")],
)
def test_delimiters(answer, spelling, character):
    content = f"id{character}x\n1{character}a,b\n2{character}c\n".encode()
    args = ["--delimiter", spelling, "-K", "id"]
    one, two = nodes_of("1", "2")
    rows = [["id", "x", "node"], ["1", "a,b", one], ["2", "c", two]]
    same = "".join(character.join(row) + "\n" for row in rows)
    assert answer("k.csv", content, *args) == same
    # TSV has its own, whatever that of KEYS.
    assert answer("k.csv", content, *args, out="o.tsv") == "".join(
        "\t".join(row) + "\n" for row in rows
    )


def test_the_delimiter_of_out_alone(answer):
    assert answer("k.txt", b"1\n", "--delimiter", ";", out="o.csv") == (
        f"key;node\n1;{nodes_of('1')[0]}\n"
    )


def test_a_file_whose_delimiter_is_another(refusal, answer):
    """Its only column would be the key: every row of it, whole."""
    for content, said in [(b"id;x\n1;2\n", "';'"), (b"id\tx\n1\t2\n", "'\\t'"), (b"a|b\n", "'|'")]:
        assert f"--delimiter {said}" in refusal("k.csv", content)
    assert "--delimiter ','" in refusal("k.tsv", b"id,x\n1,2\n")
    node = nodes_of("1;2")[0]
    assert answer("k.csv", b"id;x\n1;2\n", "--delimiter", ",") == f"id;x,node\n1;2,{node}\n"


def test_no_header(answer, call, tmp_path):
    content = b'\xef\xbb\xbf\n007,"a\nb"\n8,c\n'
    one, two = nodes_of("007", "8")
    args = ["--no-header", "-K", "1"]
    assert answer("k.csv", content, *args) == f'007,"a\nb",{one}\n8,c,{two}\n'
    rows = answer("k.csv", content, *args, out="o.ndjson").splitlines()
    assert [json.loads(row) for row in rows] == [
        {"1": "007", "2": "a\nb", "node": one},
        {"1": "8", "2": "c", "node": two},
    ]
    assert answer("k.csv", b"1\n2\n", "--no-header") == "1,{}\n2,{}\n".format(*nodes_of("1", "2"))
    assert answer("k.txt", b"1\n", "--no-header", out="o.csv") == f"1,{nodes_of('1')[0]}\n"
    result = call("assign", tmp_path / "k.csv", "-n", LIST, "-K", "id", "-qo", "x", "--no-header")
    assert result.code == 1
    assert "there is no column 'id'; the columns are: 1" in result.err
    message = call("assign", tmp_path / "k.csv", "-n", LIST, "--load-factor", "2", "--no-header")
    assert message.code == 2  # no OUT


def test_rows_and_lines_are_counted_without_a_header_too(refusal):
    assert "row 2" in refusal("k.csv", b"1,2\n3\n", "--no-header", "-K", "1")
    assert "line 2 " in refusal("k.csv", b'1,2\n3,"4"5\n', "--no-header", "-K", "1")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["k.txt", "-o", "o.txt", "--delimiter", ";"], ["--delimiter", "csv and tsv"]),
        (["k.txt", "-o", "o.parquet", "--no-header"], ["--no-header", "csv and tsv"]),
        (["k.txt", "-o", "o.ndjson", "--quote", "csv"], ["--quote", "csv and tsv"]),
        (["k.parquet", "-o", "o.csv", "--encoding", "latin-1"], ["--encoding", "is parquet"]),
        (["k.csv", "-o", "o.csv", "--encoding", "utf-1"], ["--encoding", "'utf-1'", "latin-1"]),
        (["k.csv", "-o", "o.csv", "--encoding", "rot13"], ["--encoding", "'rot13'"]),
        (["k.csv", "-o", "o.csv", "--encoding", "base64"], ["--encoding", "'base64'"]),
        (["k.csv", "-o", "o.csv", "--encoding", "unicode_escape"], ["--encoding"]),
        (["k.csv", "-o", "o.csv", "--delimiter", "ab"], ["--delimiter", "'ab'"]),
        (["k.csv", "-o", "o.csv", "--delimiter", ""], ["--delimiter"]),
        (["k.csv", "-o", "o.csv", "--delimiter", "ß"], ["--delimiter"]),
        (["k.csv", "-o", "o.csv", "--delimiter", '"'], ["--delimiter"]),
        (["k.csv", "-o", "o.csv", "--delimiter", "\n"], ["--delimiter"]),
        (["k.csv", "-o", "o.xlsx"], ["--out", "'.xlsx'", ".parquet", "--output-format"]),
        (["k.csv", "-o", "o.parqet"], ["--out", "'.parqet'", ".parquet"]),
        (["k.csv", "-o", "o.xls.gz"], ["--out", "'.xls'"]),
        (["k.csv", "-o", "2024.12"], ["--out", "'.12'"]),
    ],
)
def test_options_that_do_not_apply(call, tmp_path, monkeypatch, args, words):
    monkeypatch.chdir(tmp_path)
    for name in ("k.csv", "k.txt"):
        Path(name).write_text("id\n1\n", encoding="utf-8")
    pq.write_table(pa.table({"id": ["1"]}), "k.parquet")
    result = call("assign", *args, "-n", LIST)
    assert (result.code, result.out) == (2, b"")
    said = " ".join(result.err.split())
    for word in words:
        assert word in said
    assert sorted(os.listdir()) == ["k.csv", "k.parquet", "k.txt"]


def test_a_format_for_an_extension_that_tells_none(call, tmp_path):
    keys, out = tmp_path / "k.txt", tmp_path / "o.dat"
    keys.write_text("1\n", encoding="utf-8")
    assert call("assign", keys, "-qn", LIST, "-o", out, "--output-format", "csv").code == 0
    assert out.read_text(encoding="utf-8") == f"key,node\n1,{nodes_of('1')[0]}\n"


# -- encodings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(answer, encoding):
    text = "id,x\r\nü,é\r\n"
    node = nodes_of("ü")[0]
    args = ["--encoding", encoding, "-K", "id"]
    assert answer("k.csv", text.encode(encoding), *args) == f"id,x,node\nü,é,{node}\n"
    assert answer("k.txt", "ü\n".encode(encoding), "--encoding", encoding) == f"ü\t{node}\n"
    line = '{"id": "ü"}\n'.encode(encoding)
    assert answer("k.ndjson", line, *args) == f'{{"id": "ü", "node": "{node}"}}\n'
    packed = gzip.compress(text.encode(encoding))
    assert answer("k.csv.gz", packed, *args, out="o.csv") == f"id,x,node\nü,é,{node}\n"


def test_what_iconv_writes(call, tmp_path):
    text = "id,x\n" + "".join(f"ключ{n},𝄞\n" for n in range(50_000))
    keys, out = tmp_path / "k.csv", tmp_path / "o.csv"
    try:
        done = subprocess.run(
            ["iconv", "-f", "UTF-8", "-t", "UTF-16"],
            input=text.encode(),
            capture_output=True,
            check=True,
        )
    except FileNotFoundError:
        pytest.skip("this system has no iconv")
    keys.write_bytes(done.stdout)
    args = ["-qn", LIST, "-K", "id", "-o", out]
    assert call("assign", keys, *args, "--encoding", "utf-16").code == 0
    rows = out.read_text(encoding="utf-8").splitlines()
    answers = nodes_of(*(f"ключ{n}" for n in range(50_000)))
    assert rows[1:] == [f"ключ{n},𝄞,{node}" for n, node in enumerate(answers)]
    refused = call("assign", keys, *args)
    assert refused.code == 1
    assert "UTF-16 text, not csv: say --encoding utf-16" in refused.err


@pytest.mark.parametrize(
    ("content", "encoding", "words"),
    [
        ("id\n1\n".encode("utf-16-le"), "utf-16", ["no byte order mark", "utf-16-le"]),
        ("id\n1\n".encode("utf-16") + b"x", "utf-16", ["not utf-16", "truncated", "byte 12"]),
        ("id\n1\n".encode("utf-16") + b"\0\xd8a\0", "utf-16", ["surrogate", "byte 12"]),
        (b"id\n" + b"1\n" * 600_000 + b"\x81\n", "cp1252", ["not cp1252", "byte 1200003"]),
        (b"id\n\xff\n", "utf-8", ["not utf-8", "byte 3"]),
        (b"id\n\xff\n", "ascii", ["not ascii", "byte 3"]),
    ],
)
def test_text_that_is_not_of_its_encoding(refusal, content, encoding, words):
    message = refusal("k.csv", content, "--encoding", encoding)
    for word in words:
        assert word in message


# -- where pieces end -----------------------------------------------------------------------------


@pytest.mark.parametrize("shift", some(range(4), every=4))
def test_a_line_end_in_quotes_across_two_blocks(answer, shift):
    """pyarrow drops a newline that a block begins with, where the block before ends with CR."""
    row = b'"%07d\r\n"\r\n'  # 13 bytes, so that a block ends anywhere in one
    rows = b"".join(row % n for n in range(500_000))
    text = answer("k.csv", b"id" + b"x" * shift + b"\r\n" + rows)
    (_, *read) = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert [key for key, _ in read] == [f"{n:07d}\r\n" for n in range(500_000)]


def test_a_line_end_in_quotes_at_the_end_of_what_was_read_before(answer):
    """A quote within a long value makes the reader start anew, with more than a block at hand."""
    end = b'\nz,"q\r'
    long = b'b"c"'.ljust((1 << 21) - len(b"x,") - len(end), b"x")
    text = answer("k.csv", b"id,v\nx," + long + end + b'\nr"\n', "-K", "id")
    assert text.endswith(f'z,"q\r\nr",{nodes_of("z")[0]}\n')


@pytest.mark.parametrize("args", [[], ["--quote", "none"]])
def test_a_mark_at_the_start_of_the_second_row_stays(answer, args):
    """pyarrow takes what it gets for the start of a file."""
    key = "\ufeffa"
    assert answer("k.csv", f"id\n{key}\nb\n".encode(), *args) == (
        f"id,node\n{key},{nodes_of(key)[0]}\nb,{nodes_of('b')[0]}\n"
    )


@pytest.mark.parametrize("args", [[], ["--no-header"]])
def test_a_long_value_in_any_row(answer, args):
    long = "x" * 1_000_000
    rows = [long, "a", long]
    read = answer("k.csv", "\n".join(rows).encode(), *args).splitlines()
    assert [row.split(",")[0] for row in read] == rows


# -- wrong names and damaged files ----------------------------------------------------------------

PLAIN = b"id,x\n1,2\n"


def arrow(kind: str) -> bytes:
    sink = io.BytesIO()
    table = pa.table({"id": ["1"]})
    if kind == "parquet":
        pq.write_table(table, sink)
    else:
        make = pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream
        with make(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


WRONG = {
    "gzip": ("k.csv", gzip.compress(PLAIN), ["gzip-compressed", "gzip -dc", ".gz"]),
    "gzip twice": ("k.csv.gz", gzip.compress(gzip.compress(PLAIN)), ["gzip -dc"]),
    "bzip2": ("k.csv", bz2.compress(PLAIN), ["bzip2 -dc", ".bz2"]),
    "zstd": ("k.csv", pa.compress(PLAIN, "zstd", asbytes=True), ["zstd -dc", ".zst"]),
    "gzip as ndjson": ("k.ndjson", gzip.compress(b'{"id": 1}\n'), ["gzip -dc"]),
    "gzip as parquet": ("k.parquet", gzip.compress(arrow("parquet")), ["gzip -dc"]),
    "spreadsheet": ("k.csv", b"PK\x03\x04rest", ["spreadsheet", "CSV"]),
    "parquet": ("k.csv", arrow("parquet"), ["Parquet", "--format parquet"]),
    "arrow": ("k.csv", arrow("arrow"), ["Arrow IPC file", "--format arrow"]),
    "arrows": ("k.csv", arrow("arrows"), ["Arrow IPC stream", "--format arrows"]),
    "parquet as arrow": ("k.arrow", arrow("parquet"), ["--format parquet"]),
    "arrow as parquet": ("k.parquet", arrow("arrow"), ["--format arrow"]),
    "utf-16": ("k.csv", PLAIN.decode().encode("utf-16"), ["--encoding utf-16"]),
    "utf-16-le": ("k.csv", PLAIN.decode().encode("utf-16-le"), ["--encoding utf-16-le"]),
    "utf-16-be": ("k.txt", b"\0a\0b\0\n", ["--encoding utf-16-be", "tr '\\0' '\\n'"]),
    "utf-32": ("k.txt", "ab\n".encode("utf-32"), ["--encoding utf-32"]),
    "array": ("k.ndjson", b' [{"id": 1}]', ["JSON array", "jq -c '.[]'"]),
    "object over lines": ("k.ndjson", b'{\n"id": 1}\n', ["line 1", "jq -c ."]),
    "carriage returns": ("k.csv", b"id,x\r1,2\r3,4\r", ["carriage return", "tr '\\r' '\\n'"]),
    "carriage returns, lines": ("k.txt", b"a\rb\rc", ["line 1", "carriage return", "tr "]),
    "carriage returns, late": ("k.txt", b"a\nb\r\nc\rd\n", ["line 3", "carriage return"]),
    "NUL between lines": ("k.txt", b"abc\0def\0", ["line 1", "NUL", "tr '\\0' '\\n'"]),
    "NUL at the end": ("k.csv", PLAIN + bytes(4096), ["line 3", "NUL"]),
    "two marks": ("k.csv", codecs.BOM_UTF8 * 2 + PLAIN, ["two byte order marks"]),
    "two marks, lines": ("k.txt", codecs.BOM_UTF8 * 2 + b"a\n", ["two byte order marks"]),
    "a mark in quotes": ("k.csv", b'"\xef\xbb\xbfid",x\n1,2\n', ["first value", "order mark"]),
    "padding": ("k.csv.gz", gzip.compress(PLAIN) + bytes(512), ["after its gzip data", "gzip -dc"]),
    "garbage": ("k.csv.gz", gzip.compress(PLAIN) + b"x" * 99, ["after its gzip data", "gzip -dc"]),
    "truncated": ("k.csv.gz", gzip.compress(PLAIN)[:-5], ["too early", "truncated"]),
    "damaged": ("k.csv.gz", gzip.compress(PLAIN)[:-8] + bytes(8), ["gzip data is damaged"]),
    "not gzip": ("k.csv.gz", PLAIN, ["not gzip-compressed", "drop .gz"]),
    "header without end": ("k.csv", b"x" * 5_000_000, ["header has more than 2 MiB"]),
    "header of quotes": ("k.csv", b'"' + b"x\n" * 2_000_000, ["header"]),
    "line without end": ("k.txt", b"x" * 20_000_000, ["line 1", "longer than 16 MiB"]),
    "line without end, late": ("k.txt", b"a\n" + b"x" * 20_000_000, ["line 2", "16 MiB"]),
    "json without end": ("k.ndjson", b'{"id": "' + b"x" * 20_000_000, ["line 1", "16 MiB"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_names_and_damage(refusal, name):
    file_name, content, words = WRONG[name]
    column = [] if ".txt" in file_name else ["-K", "id"]
    message = refusal(file_name, content, *column)
    for word in words:
        assert word in message


def test_the_advice_about_padding_works(call, spawn, tmp_path):
    keys = tmp_path / "k.csv.gz"
    keys.write_bytes(gzip.compress(PLAIN) + bytes(512))
    line = f"gzip -dc '{keys}' | '{command()[0]}' -m rvh assign - --format csv -K id -qn a,b -o -"
    done = spawn(argv=["sh", "-c", line])
    assert (done.code, done.out) == (0, b"id,x,node\n1,2,b\n")


@pytest.mark.parametrize("name", ["k.csv.gz", "k.ndjson.gz", "k.txt.gz"])
def test_a_bomb_does_not_fill_the_memory(spawn, tmp_path, name):
    """400 MB of one line, in 400 KB."""
    if not Path("/proc/self/status").exists():
        pytest.skip("this system has no /proc to read the peak memory of a process from")
    keys = tmp_path / name
    with gzip.open(keys, "wb", 1) as file:
        for _ in range(100):
            file.write(b"x" * 4_000_000 if "json" not in name else b" " * 4_000_000)
    argv = [command()[0], "-c", PEAK, "assign", str(keys), "-qn", "a,b", "-o", str(tmp_path / "o")]
    result = spawn(argv=argv)
    assert result.code == 1
    assert "MiB" in result.err
    assert int(result.out) * 1024 < 400_000_000


@pytest.mark.parametrize("name", some(["n.csv.gz", "n.ndjson.gz", "n.txt.gz", "n.txt"], every=4))
def test_a_bomb_of_nodes_does_not_fill_the_memory(spawn, tmp_path, name):
    """1.6 GB of one line, in 1.6 MB; the plain one is a file of zeros without blocks."""
    if not Path("/proc/self/status").exists():
        pytest.skip("this system has no /proc to read the peak memory of a process from")
    nodes = tmp_path / name
    if name.endswith(".gz"):
        with gzip.open(nodes, "wb", 1) as file:
            for _ in range(400):
                file.write(b"x" * 4_000_000)
    else:
        with open(nodes, "wb") as file:
            file.truncate(1_600_000_000)
    argv = [command()[0], "-c", PEAK, "select", "-k", "a", "-n", f"@{nodes}"]
    result = spawn(argv=argv)
    assert result.code == 1
    assert f"{nodes} has more than 256 MiB of text" in result.err
    assert int(result.out) * 1024 < 800_000_000


def test_names_that_are_not_utf8(tmp_path):
    """Of files, as the shell passes them on; the error about one is readable too."""
    folder = os.fsencode(tmp_path) + b"/f\xff"
    try:
        os.mkdir(folder)
    except OSError as error:
        pytest.skip(f"this file system has UTF-8 names only: {error}")
    pq.write_table(pa.table({"id": ["1"]}), tmp_path / "k.parquet")
    with pa.ipc.new_file(str(tmp_path / "k.arrow"), pa.schema([("id", pa.string())])) as file:
        file.write_table(pa.table({"id": ["1"]}))
    (tmp_path / "k.csv").write_bytes(b"id\n1\n")
    for kind in (b"parquet", b"arrow", b"csv"):
        keys, out = folder + b"/k\xfe." + kind, folder + b"/o\xfe." + kind
        os.rename(os.fsencode(tmp_path) + b"/k." + kind, keys)
        argv = [os.fsencode(each) for each in command("assign")]
        done = subprocess.run(
            [*argv, keys, b"-n", b"a,b", b"-o", out], capture_output=True, env=environment()
        )
        assert done.returncode == 0, done
        assert b"rvh: 1 row on 2 nodes, " in done.stderr
        assert os.path.getsize(out) > 0
        missing = [*argv, keys + b"x", b"--format", kind, b"-n", b"a,b", b"-o", out]
        done = subprocess.run(missing, capture_output=True, env=environment())
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
        assert b"No such file" in done.stderr


@pytest.mark.parametrize("name", ["k.parquet", "k.arrow", "k.arrows"])
def test_columns_whose_names_are_not_utf8(refusal, name):
    content = io.BytesIO()
    table = pa.table({"id": ["1"], "naMe": ["x"]})
    if name == "k.parquet":
        pq.write_table(table, content, store_schema=False)
    else:
        make = pa.ipc.new_file if name == "k.arrow" else pa.ipc.new_stream
        with make(content, table.schema) as writer:
            writer.write_table(table)
    message = refusal(name, content.getvalue().replace(b"naMe", b"na\xffe"), "-K", "id")
    assert "UTF-8" in message


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\t\r\n\0"))] * 2))
)
def test_any_tsv_without_quotes_comes_back(tmp_path, rows):
    keys, out = tmp_path / "any.tsv", tmp_path / "any_out.tsv"
    keys.write_text("".join(f"x{key}\t{more}\n" for key, more in [("k", "v"), *rows]), "utf-8")
    args = ["assign", str(keys), "-n", LIST, "-K", "xk", "-qo", str(out), "--quote", "none"]
    assert main(args) == 0
    answers = nodes_of(*(f"x{key}" for key, _ in rows)) if rows else []
    assert out.read_text("utf-8").split("\n")[1:] == [
        *(f"x{key}\t{more}\t{node}" for (key, more), node in zip(rows, answers, strict=True)),
        "",
    ]


def test_keys_that_begin_as_files_of_another_kind_do(call, tmp_path):
    # Magic numbers that are letters alone are text too.
    keys = ["BZhang", "BZh9", "PAR1", "PAR1S-2024", "ARROW1", "ARROW12"]
    for key in keys:
        path = tmp_path / "k.txt"
        path.write_text(f"{key}\nother\n", encoding="utf-8")
        result = call("assign", path, "-n", "a,b", "-o", "-")
        assert result.code == 0, result.err
        assert result.out.decode().startswith(f"{key}\t")
        path.write_text(f"{key}\nb\n", encoding="utf-8")  # as a list of nodes
        assert call("select", "-k", "obj", "-n", f"@{path}").code == 0
