"""Rows of files: both backends find the same, which is what Python's own readers find."""

from __future__ import annotations

import csv
import io
import json
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rvh import _backend
from rvh._backend import pure as _pure

MODULES = [_backend, _pure]
TEXTS = st.text(st.sampled_from('a,"\n\ré'), max_size=30).map(str.encode)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text("abé", max_size=2), VALUES, min_size=1), max_size=4)


def rows(module: Any, text: bytes, columns: int = 2, limit: int = 999, quoted: bool = True) -> Any:
    """The text to write and where the values in it end, and the bytes passed."""
    found = module.whole_rows(b"\n" + text, ord(","), quoted, columns, limit)
    if found is None:
        return None
    data, ends, passed = found
    assert passed == 0 or text[passed - 1 : passed] == b"\n"
    return bytes(data)[: ends[-1] + 1], ends.tolist(), passed


def lines_of(lines: list[bytes]) -> tuple[bytes, Any]:
    data = b"}\n" + b"".join(line + b"\n" for line in lines)
    return data, np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    ("text", "written", "passed"),
    [
        (b'a,"b"\r\n"c,d",e\nf', b'\na,b\n"c,d",e\n', 15),
        (b'a,b\n\n\r\n"",""\n"x""y",2\n', b'\na,b\n,\n"x""y",2\n', 22),
        (b'a,"b\nc\r\n,"\n"d', b'\na,"b\nc\r\n,"\n', 11),
        (b'a,b\n"x"\r', b"\na,b\n", 4),
        (b"more than eight bytes,\xff\n", b"\nmore than eight bytes,\xff\n", 24),
        (b"", b"\n", 0),
    ],
)
def test_rows_lose_what_need_not_be_there(
    module: ModuleType, text: bytes, written: bytes, passed: int
) -> None:
    found = rows(module, text)
    assert found is not None
    assert (found[0], found[2]) == (written, passed)
    assert [written[at : at + 1] for at in found[1]][::2] == [b"\n"] * (len(found[1]) // 2 + 1)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("text", [b'a"b,c\n', b"a,b,c\n", b"a\n", b'"x"y,z\n', b"a,b\nc\n"])
def test_rows_that_need_a_closer_look(module: ModuleType, text: bytes) -> None:
    assert rows(module, text) is None


@pytest.mark.parametrize("module", MODULES)
def test_rows_have_a_limit_and_quotes_may_be_text(module: ModuleType) -> None:
    assert rows(module, b"abc,d\n", limit=6) is not None
    assert rows(module, b"abc,d\n", limit=5) is None
    assert rows(module, b'"a,b"\n', quoted=False) == (b'\n"a,b"\n', [0, 3, 6], 6)


@given(TEXTS, st.integers(1, 3), st.booleans())
@example(b'"a",\r\n', 2, True)
@example(b'""a', 1, True)
def test_rows_are_those_of_the_twin_and_of_csv(text: bytes, columns: int, quoted: bool) -> None:
    if b"\r" in text.replace(b"\r\n", b""):
        return  # which is refused before
    found = rows(_backend, text, columns, quoted=quoted)
    assert found == rows(_pure, text, columns, quoted=quoted)
    if found is not None and quoted and columns > 1:
        read = csv.reader(io.StringIO(text[: found[2]].decode(), newline=""), strict=True)
        again = csv.reader(io.StringIO(found[0][1:].decode(), newline=""), strict=True)
        assert [row for row in read if row] == [*again]


@given(OBJECTS, st.booleans())
def test_members_and_values_of_objects(objects: list[dict[str, Any]], ascii_only: bool) -> None:
    lines = [json.dumps(each, ensure_ascii=ascii_only).encode() for each in objects]
    data, ends = lines_of(lines)
    names = _backend.object_members(data, ends)
    if not any(b"\\" in line for line in lines):
        assert names is not None
    if names is None:
        return
    assert names == _pure.object_members(data, ends)
    assert names == [*dict.fromkeys(name for each in objects for name in each)]
    for name in [*names, "missing"]:
        bounds = _backend.object_values(data, ends, name)
        assert (bounds is None) == (not all(name in each for each in objects))
        if bounds is not None:
            assert bounds.tolist() == _pure.object_values(data, ends, name).tolist()
            found = [json.loads(data[a:b]) for a, b in bounds.reshape(-1, 2).tolist()]
            assert found == [each[name] for each in objects]


@given(OBJECTS.filter(bool), st.data())
def test_damaged_objects_are_what_they_are_to_python(
    objects: list[dict[str, Any]], data: st.DataObject
) -> None:
    line = json.dumps(objects[0], ensure_ascii=False).encode()
    at = data.draw(st.integers(0, len(line) - 1))
    byte = data.draw(st.sampled_from(list(b'{}[]",:\\019-.eE tnu\x00\x1f\x80\xc3\xe0\xff')))
    text, ends = lines_of([line[:at] + bytes([byte]) + line[at + 1 :]])
    names = _backend.object_members(text, ends)
    assert names in (None, _pure.object_members(text, ends))


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[1]",
        b"{}",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 01}',
        b'{"a": 1.}',
        b'{"a": .5}',
        b'{"a": +1}',
        b'{"a": 1e}',
        b'{"a": tru}',
        b'{"a": "b}',
        b'{"a": "\t"}',
        b'{"a": "\\x"}',
        b'{"a": "\\u12g4"}',
        b'{"a": "\xc0\xaf"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xf4\x90\x80\x80"}',
        b'{"a": "\xe6\x9d"}',
        b'{"a": 1} {"a": 2}',
        b'{"a": 1,}',
        b'{"a": [1,]}',
        b'{"a" 1}',
        b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}",
        b"{" + b", ".join(b'"%d": 1' % n for n in range(257)) + b"}",
    ],
)
def test_lines_that_are_no_plain_object(module: ModuleType, line: bytes) -> None:
    data, ends = lines_of([b'{"a": 1}', line])
    assert module.object_members(data, ends) is None


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    "line",
    [
        b' { "a" : [ 1 , -0.5e+3, "\\ud800\\n\\"" ] , "b":{ } } \r',
        b'{"a": "\xe6\x9d\xb1\xe4\xba\xac \xf0\x9f\x98\x80 na\xc3\xafve, and longer"}',
        b'{"a": ' + b"[" * 99 + b"]" * 99 + b"}",
        b'{"a": {"x": 1}, "b": {"x": 1}, "c": [{"x": 1}, {"x": 2}]}',
    ],
)
def test_lines_that_are_objects(module: ModuleType, line: bytes) -> None:
    data, ends = lines_of([line])
    assert module.object_members(data, ends) == [*json.loads(line)]
    bounds = module.object_values(data, ends, "a")
    assert json.loads(data[bounds[0] : bounds[1]]) == json.loads(line)["a"]
