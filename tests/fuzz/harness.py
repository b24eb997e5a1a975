"""What a target is, how its inputs are made, and how one input is tried.

A target takes bytes or a value, and gives what came of it. What must never happen is an error that
rvh does not mean to raise, the end of the process, or another outcome with the other backend.
"""

from __future__ import annotations

import ast
import faulthandler
import json
import os
import pickle
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import rvh

__all__ = ["Target", "Twin", "differs", "mutated", "outcome", "target", "workplace"]

HERE = Path(__file__).parent
#: seconds after which an input is taken to hang: the process ends with a traceback
HANGS = 60
#: what in messages differs from one process to the next: addresses, folders, and the byte order of
#: an array, which its pickle may lose, and with it where a long message is cut
PRIVATE = re.compile(rf"0x[0-9a-f]*|{re.escape(tempfile.gettempdir())}/[\w./-]+|(?s:(?<=dtype=).*)")


@dataclass(frozen=True)
class Target:
    """What is fuzzed: several kinds of bytes, read by one function.

    Parameters
    ----------
    name : str
    read : callable
        Takes a kind and bytes, and gives what they are.
    seeds : mapping
        Sound bytes of each kind.
    has_twin : bool
        Whether the backend has a part in it.
    """

    name: str
    read: Callable[[str, bytes], Any]
    seeds: Mapping[str, list[bytes]]
    has_twin: bool = False

    @property
    def kinds(self) -> list[str]:
        return sorted(self.seeds)

    def corpus(self) -> Iterator[tuple[str, bytes]]:
        """The seeds, and what was found: lines of a kind, a space and Python's bytes."""
        for kind, seeds in self.seeds.items():
            for seed in seeds:
                yield kind, seed
        found = HERE / "corpus" / f"{self.name}.txt"
        for line in found.read_text("ascii").splitlines() if found.exists() else ():
            kind, _, data = line.partition(" ")
            yield kind, ast.literal_eval(data)

    def try_it(self, kind: str, data: bytes, twin: Twin | None) -> None:
        """Read bytes here, and with the other backend if there is one."""
        here = outcome(self.read, kind, data)
        if twin is not None and self.has_twin:
            there = twin.ask(f"{self.read.__module__}:{self.read.__qualname__}", kind, data)
            assert here == there, differs(here, there, (kind, data))


def target(name: str) -> Target:
    """Load a target of bytes."""
    found: Target = import_module(f"fuzz.{name}").TARGET
    return found


def differs(here: object, there: object, given: object) -> str:
    """What to say where the backends differ."""
    other = "native" if rvh.backend() == "python" else "python"
    return f"{rvh.backend()}: {here}\n{other}: {there}\nof: {given!r}"


def outcome(call: Callable[..., Any], *args: Any, **options: Any) -> str:
    """What a call gives, or which of the errors that rvh means to raise; any other is a fault."""
    faulthandler.dump_traceback_later(HANGS, exit=True)
    try:
        return shown(call(*args, **options))
    except rvh.RVHError as error:
        said = f"{type(error).__name__}: {error}"
    finally:
        faulthandler.cancel_dump_traceback_later()
    assert len(said) > 20, said  # words
    return PRIVATE.sub("_", said)


def shown(value: Any) -> str:
    """A value as text: equal where values are equal to the bit."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{shown(value.tolist())}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{shown(key)}: {shown(value[key])}" for key in value) + "}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}({', '.join(map(shown, value))})"
    if isinstance(fingerprint := getattr(value, "fingerprint", None), str):
        return f"{type(value).__name__} {fingerprint}"
    return PRIVATE.sub("_", repr(value))


@contextmanager
def workplace() -> Iterator[Path]:
    """An empty folder to work in, and to come back from."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


class Twin:
    """A process that uses the other backend, and does the same."""

    def __init__(self) -> None:
        env = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE.parent / "support")]),
            "RVH_FORCE_PYTHON": "0" if rvh.backend() == "python" else "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from fuzz.harness import answer; answer()"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, name: str, *args: Any, **options: Any) -> str:
        """The outcome of a function there; AssertionError where it has ended or found a fault."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump((name, args, options), self._process.stdin)
        self._process.stdin.flush()
        try:
            is_fault, text = pickle.load(self._process.stdout)
        except EOFError:
            code = self._process.wait()
            raise AssertionError(f"the process has ended with {code} by {args!r}") from None
        assert not is_fault, (text, args)
        return str(text)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def answer() -> None:
    """Answer `Twin.ask` until its end."""
    import traceback

    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed is not an answer
    while True:
        try:
            name, args, options = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        module, _, function = name.partition(":")
        call: Any = import_module(module)
        for part in function.split("."):
            call = getattr(call, part)
        try:
            said = False, outcome(call, *args, **options)
        except BaseException:
            said = True, traceback.format_exc()
        pickle.dump(said, out)
        out.flush()


ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 2**31, 2**32 - 1, 2**53 + 1, 2**63, -(2**63), 2**64, 10**400),
    *(0.0, -0.0, 0.5, 1.5, -1.5, 5e-324, 1e300, float("nan"), float("inf"), float("-inf")),
    *("", "a", "b", "0", "1/2", "1/0", "nan", "alive", "\x00", "\ud800", "é", "😀", "x" * 300),
    *([], {}, [[]], [None], [1], ["a"], ["a", "a"], [["a", "b"]], [{}], {"id": "a"}, {"": ""}),
]
BYTES = [
    *(b"\x00", b"\xff", b"\xff\xff\xff\x7f", b"\xff" * 8, b"\x80" * 10, b"\x00" * 8, b"\n", b"\r"),
    *(b'"', b",", b"\t", b"{", b"[", b"\\u", b"\\ud800", b"\xed\xa0\x80", b"\xc3", b"\xef\xbb\xbf"),
    *(b"1e999", b"-0", b"nan", b"[" * 2000, b"9" * 5000, b"\xfe\xff", b"\x1f\x8b", b"PAR1"),
]


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Sound bytes that went wrong: in what they say, where they are JSON, or anywhere."""
    if data[:1] in (b"{", b"[") and draw.random() < 0.7:
        with suppress(ValueError, RecursionError):
            lines = data.splitlines() if draw.random() < 0.5 else [data]
            at = draw.randrange(len(lines))
            value = json.loads(lines[at])
            for _ in range(draw.choice([1, 1, 1, 2, 3])):
                value = _other_value(value, draw)
            lines[at] = json.dumps(value, ensure_ascii=draw.random() < 0.9).encode(
                "utf-8", "surrogatepass"
            )
            return b"\n".join(lines)
    out = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 4])):
        at = draw.randrange(len(out) + 1)
        end = min(len(out), at + draw.choice([1, 2, 4, 8, 64]))
        match draw.randrange(7):
            case 0 if at < len(out):
                out[at] ^= 1 << draw.randrange(8)
            case 1:
                del out[at:end]
            case 2:
                out[at:at] = out[at:end]
            case 3:
                out[at:at] = draw.choice(BYTES)
            case 4:
                put = draw.choice(BYTES)
                out[at : at + len(put)] = put
            case 5 if draw.random() < 0.3:
                del out[at:]
            case _:
                out[at:end] = draw.randbytes(end - at)
    return bytes(out)


def _other_value(value: Any, draw: random.Random) -> Any:
    """A JSON value with one part of it replaced, taken out, or there twice."""
    if not isinstance(value, (dict, list)) or not value or draw.random() < 0.1:
        return draw.choice(ODD)
    places = list(value) if isinstance(value, dict) else list(range(len(value)))
    at = draw.choice(places)
    kind = draw.random()
    if kind < 0.15:
        del value[at]
    elif kind < 0.25 and isinstance(value, list):
        value.insert(draw.choice(places), value[at])
    elif kind < 0.25:
        value[draw.choice(["", "x", "id", "nodes", "\ud800"])] = draw.choice(ODD)
    else:
        value[at] = _other_value(value[at], draw)
    return value
